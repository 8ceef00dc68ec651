// SPDX-License-Identifier: GPL-2.0
/*
 * This file reads the properties of sockets in other processes. It duplicates a
 * descriptor into this process with pidfd_getfd(2), and reads the properties
 * from the duplicate. So the network namespace of the socket does not matter.
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

#include "lib/held.h"

/*
 * Read the command name of a process. The name is escaped, since the process
 * may have put any bytes into it. @comm: gets the name; room for 80 bytes.
 */
static void held_read_comm(pid_t pid, char *comm)
{
	char path[64], name[16 + 1] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "r");
	if (f && fgets(name, sizeof(name), f))
		name[strcspn(name, "\n")] = 0;
	if (f)
		fclose(f);
	addr_escape((unsigned char *)name, strlen(name), comm);
}

static int held_option(int fd, int level, int name, int otherwise)
{
	socklen_t len = sizeof(otherwise);
	int value = otherwise;

	return getsockopt(fd, level, name, &value, &len) ? otherwise : value;
}

static void held_read_addresses(int fd, struct held *held)
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

/*
 * Read the properties of a socket from the duplicate @fd. Return whether @fd is
 * a socket of the family.
 */
static bool held_read_socket(int fd, int family, struct held *held)
{
	socklen_t len = sizeof(held->info);

	if (held_option(fd, SOL_SOCKET, SO_DOMAIN, -1) != family)
		return false;
	held->type = held_option(fd, SOL_SOCKET, SO_TYPE, 0);
	held->format = held_option(fd, SOL_SOCKET, SO_PROTOCOL, 0);
	held->listens = held_option(fd, SOL_SOCKET, SO_ACCEPTCONN, 0);
	getsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_INFO, &held->info, &len);
	held_read_addresses(fd, held);
	return true;
}

static int held_read_descriptor(int pidfd, int fd, int family,
				struct held *held)
{
	int copy = pidfd_getfd(pidfd, fd, 0), ret;

	if (copy < 0)
		return -errno;
	held->fd = fd;
	ret = held_read_socket(copy, family, held) ? 0 : -ENOTSOCK;
	close(copy);
	return ret;
}

/**
 * held_read - read the properties of a socket in a process
 * @pid: the process
 * @fd: descriptor of the socket in the process
 * @family: number of the socket family
 * @held: gets the properties
 *
 * Return: 0; -ENOTSOCK: @fd is no socket of the family; -EPERM: the tool has no
 * permission for the process; -ESRCH: there is no such process; -EBADF: there
 * is no such descriptor; or another negative errno.
 */
int held_read(pid_t pid, int fd, int family, struct held *held)
{
	int pidfd = pidfd_open(pid, 0), ret;

	memset(held, 0, sizeof(*held));
	if (pidfd < 0)
		return -errno;
	held->pid = pid;
	held_read_comm(pid, held->comm);
	ret = held_read_descriptor(pidfd, fd, family, held);
	close(pidfd);
	return ret;
}

static bool held_is_socket(DIR *dir, const char *name)
{
	char link[32] = "";

	return readlinkat(dirfd(dir), name, link, sizeof(link) - 1) > 0 &&
	       !strncmp(link, "socket:", 7);
}

/**
 * held_walk - call a function for each socket of the family in a process
 * @pid: the process
 * @family: number of the socket family
 * @take: called with each socket; a return value other than 0 ends the loop
 * @data: argument of @take
 *
 * Return: 0, or the value that @take returned to end the loop; -EPERM or
 * -EACCES: the tool has no permission for the process; -ESRCH or -ENOENT: there
 * is no such process; or another negative errno.
 */
int held_walk(pid_t pid, int family,
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
		if (entry->d_name[0] == '.' ||
		    !held_is_socket(dir, entry->d_name))
			continue;
		ret = held_read(pid, atoi(entry->d_name), family, &held);
		if (!ret)
			ret = take(&held, data);
		/* The socket has another family, or is closed by now. */
		else if (ret == -ENOTSOCK || ret == -EBADF)
			ret = 0;
	}
	closedir(dir);
	return ret;
}

static int held_count(const struct held *held, void *data)
{
	struct holder *holder = data;

	strcpy(holder->comm, held->comm);
	holder->sockets++;
	return 0;
}

/**
 * held_holders - find the processes that have sockets of the family
 * @family: number of the socket family
 * @take: called with each process that has any
 * @data: argument of @take
 * @hidden: gets the number of processes for which the tool has no permission
 *
 * Return: number of sockets of all these processes together.
 */
unsigned int held_holders(int family,
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
		ret = held_walk(holder.pid, family, held_count, &holder);
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
 * held_references - get the number of references that keep the module loaded
 *
 * Return: the number, or -1 if it is not known.
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
