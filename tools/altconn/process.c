// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of the family in other processes. A descriptor is duplicated into this one,
 * pidfd_getfd(2), and then asked: so it is the socket itself that answers, in whatever
 * network namespace it is.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "altconn.h"
#include "process.h"

/* Other people choose these names. @comm: room for 80 bytes. */
static void read_comm(pid_t pid, char *comm)
{
	char path[64], name[16 + 1] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "r");
	if (f && fgets(name, sizeof(name), f))
		name[strcspn(name, "\n")] = 0;
	if (f)
		fclose(f);
	escape_bytes((unsigned char *)name, strlen(name), comm);
}

static int option(int fd, int level, int name, int otherwise)
{
	socklen_t len = sizeof(otherwise);
	int value = otherwise;

	return getsockopt(fd, level, name, &value, &len) ? otherwise : value;
}

static void ask_addresses(int fd, struct held *held)
{
	struct sockaddr_storage ss = { };
	socklen_t len = sizeof(ss);

	if (!getsockname(fd, (struct sockaddr *)&ss, &len))
		addr_of_sockaddr(&ss, len, held->format, &held->own);
	memset(&ss, 0, sizeof(ss));
	len = sizeof(ss);
	if (getpeername(fd, (struct sockaddr *)&ss, &len))
		return;
	held->connected = true;
	addr_of_sockaddr(&ss, len, held->format, &held->peer);
}

/* Of a duplicate; true: it is a socket of the family. */
static bool ask(int fd, int family, struct held *held)
{
	socklen_t len = sizeof(held->info);

	if (option(fd, SOL_SOCKET, SO_DOMAIN, -1) != family)
		return false;
	held->type = option(fd, SOL_SOCKET, SO_TYPE, 0);
	held->format = option(fd, SOL_SOCKET, SO_PROTOCOL, 0);
	held->listens = option(fd, SOL_SOCKET, SO_ACCEPTCONN, 0);
	getsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_INFO, &held->info, &len);
	ask_addresses(fd, held);
	return true;
}

static int look(int pidfd, int fd, int family, struct held *held)
{
	int copy = pidfd_getfd(pidfd, fd, 0), ret;

	if (copy < 0)
		return -errno;
	held->fd = fd;
	ret = ask(copy, family, held) ? 0 : -ENOTSOCK;
	close(copy);
	return ret;
}

/**
 * held_look - look at one descriptor of a process
 * @pid: the process
 * @fd: the descriptor
 * @family: number of the family
 * @held: is filled in
 *
 * Return: 0; -ENOTSOCK: it is no socket of the family; -EPERM: not to be seen;
 * -ESRCH: no such process; -EBADF: no such descriptor.
 */
int held_look(pid_t pid, int fd, int family, struct held *held)
{
	int pidfd = pidfd_open(pid, 0), ret;

	memset(held, 0, sizeof(*held));
	if (pidfd < 0)
		return -errno;
	held->pid = pid;
	read_comm(pid, held->comm);
	ret = look(pidfd, fd, family, held);
	close(pidfd);
	return ret;
}

static bool is_socket(DIR *dir, const char *name)
{
	char link[32] = "";

	return readlinkat(dirfd(dir), name, link, sizeof(link) - 1) > 0 &&
	       !strncmp(link, "socket:", 7);
}

/**
 * held_each - look at all sockets of the family that a process has
 * @pid: the process
 * @family: number of the family
 * @take: takes each; not 0 ends it
 * @data: for @take
 *
 * Return: 0, or what @take returned; -EPERM, -EACCES: it is not to be seen; -ESRCH,
 * -ENOENT: no such process.
 */
int held_each(pid_t pid, int family,
	      int (*take)(const struct held *held, void *data), void *data)
{
	const struct dirent *entry;
	struct held held;
	char path[64];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !is_socket(dir, entry->d_name))
			continue;
		ret = held_look(pid, atoi(entry->d_name), family, &held);
		if (!ret)
			ret = take(&held, data);
		/* It has been closed meanwhile, or is of another family. */
		else if (ret == -ENOTSOCK || ret == -EBADF)
			ret = 0;
	}
	closedir(dir);
	return ret;
}

static int count_socket(const struct held *held, void *data)
{
	struct holder *holder = data;

	strcpy(holder->comm, held->comm);
	holder->sockets++;
	return 0;
}

/**
 * held_by_whom - look for processes that have sockets of the family
 * @family: number of the family
 * @take: takes each process that has any
 * @data: for @take
 * @hidden: so many processes are not to be seen
 *
 * Return: how many sockets they have together.
 */
unsigned int held_by_whom(int family,
			  void (*take)(const struct holder *holder, void *data),
			  void *data, unsigned int *hidden)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc");
	struct holder holder;
	unsigned int all = 0;
	int ret;

	*hidden = 0;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		holder = (struct holder) { .pid = atoi(entry->d_name) };
		ret = held_each(holder.pid, family, count_socket, &holder);
		if (ret == -EPERM || ret == -EACCES)
			++*hidden;
		if (holder.sockets)
			take(&holder, data);
		all += holder.sockets;
	}
	if (dir)
		closedir(dir);
	return all;
}

/**
 * held_references - how many references keep the module
 *
 * Return: that, or -1 when it is not known.
 */
long held_references(void)
{
	FILE *f = fopen("/sys/module/altconn/refcnt", "re");
	long refs = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &refs) != 1)
		refs = -1;
	fclose(f);
	return refs;
}
