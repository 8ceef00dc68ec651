// SPDX-License-Identifier: GPL-2.0
#include "tool.h"
#include "child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Maximum number of words of a command */
#define MAX_WORDS 31

bool at_has_tool(void)
{
	char path[4096], file[4200], *save = NULL, *dir;

	snprintf(path, sizeof(path), "%s", getenv("PATH") ? : "");
	for (dir = strtok_r(path, ":", &save); dir;
	     dir = strtok_r(NULL, ":", &save)) {
		snprintf(file, sizeof(file), "%s/altconn", dir);
		if (!access(file, X_OK))
			return true;
	}
	return false;
}

/* Run a command without a shell, which takes less time on a slow machine. */
static FILE *spawn(char *cmd, pid_t *pid)
{
	char *words[MAX_WORDS + 1], *save = NULL;
	posix_spawn_file_actions_t out;
	size_t n = 0;
	int fds[2], err;

	words[0] = strtok_r(cmd, " ", &save);
	while (words[n] && n < MAX_WORDS)
		words[++n] = strtok_r(NULL, " ", &save);
	words[n] = NULL;
	if (pipe2(fds, O_CLOEXEC))
		return NULL;
	posix_spawn_file_actions_init(&out);
	posix_spawn_file_actions_adddup2(&out, fds[1], STDOUT_FILENO);
	err = posix_spawnp(pid, words[0], &out, NULL, words, environ);
	posix_spawn_file_actions_destroy(&out);
	close(fds[1]);
	if (!err)
		return fdopen(fds[0], "r");
	close(fds[0]);
	return NULL;
}

int at_tool(const char *fmt, ...)
{
	char cmd[512] = "altconn ";
	pid_t pid = 0;
	va_list ap;
	int n = 0;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(cmd + strlen(cmd), sizeof(cmd) - strlen(cmd), fmt, ap);
	va_end(ap);
	f = strpbrk(cmd, "|&;<>'\"\\*?$()") ? popen(cmd, "r") :
						spawn(cmd, &pid);
	if (!f)
		return -1;
	if (fscanf(f, "%d", &n) != 1)
		n = 0;
	/* Read to the end, else SIGPIPE ends the tool when it prints more. */
	while (fgetc(f) != EOF)
		;
	if (!pid)
		return pclose(f) ? -1 : n;
	fclose(f);
	return at_reap(pid) ? -1 : n;
}

const char *at_text(const struct at_addr *a, enum at_kind kind)
{
	static char text[512];
	char ip[INET6_ADDRSTRLEN];

	switch (kind) {
	case AT_PORT:
		snprintf(text, sizeof(text), "port:%d", at_port_of(a));
		break;
	case AT_PATH:
		snprintf(text, sizeof(text), "path:%s", at_path_of(a));
		break;
	case AT_INET:
		if (a->sa.sa_family == AF_INET6)
			snprintf(text, sizeof(text), "inet:[%s]:%d",
				 inet_ntop(AF_INET6, &a->in6.sin6_addr, ip,
					   sizeof(ip)),
				 ntohs(a->in6.sin6_port));
		else
			snprintf(text, sizeof(text), "inet:127.0.0.1:%d",
				 at_port_of(a));
		break;
	default:
		snprintf(text, sizeof(text), "name:%.*s",
			 (int)(a->len - offsetof(struct sockaddr_un, sun_path) -
			       1), a->un.sun_path + 1);
	}
	return text;
}
