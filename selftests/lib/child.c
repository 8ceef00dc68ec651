// SPDX-License-Identifier: GPL-2.0
#include "child.h"
#include "addr.h"
#include "wait.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t at_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid)
		return pid;
	at_forget_paths();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(125);
	return 0;
}

int at_reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int at_drop_privileges(void)
{
	if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
	    setresuid(65534, 65534, 65534))
		return -1;
	return 0;
}

int at_send_step(int fd)
{
	return write(fd, "!", 1) == 1 ? 0 : -1;
}

int at_wait_step(int fd)
{
	char c;

	if (!(at_poll(fd, POLLIN) & POLLIN))
		return -1;
	return read(fd, &c, 1) == 1 ? 0 : -1;
}
