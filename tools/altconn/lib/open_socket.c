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

#include "lib/open_socket.h"

/*
 * Read the command name of a process. The name is escaped, since the process
 * may have put any bytes into it. @comm: gets the name, at most 80 bytes.
 */
static void open_socket_read_comm(pid_t pid, char *comm)
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

static int open_socket_option(int fd, int level, int name, int otherwise)
{
	socklen_t len = sizeof(otherwise);
	int value = otherwise;

	return getsockopt(fd, level, name, &value, &len) ? otherwise : value;
}

static void open_socket_read_addresses(int fd, struct open_socket *s)
{
	struct sockaddr_storage ss = { };
	socklen_t len = sizeof(ss);

	if (!getsockname(fd, (struct sockaddr *)&ss, &len))
		addr_of_sockaddr(&ss, len, s->format, &s->own);
	memset(&ss, 0, sizeof(ss));
	len = sizeof(ss);
	if (getpeername(fd, (struct sockaddr *)&ss, &len))
		return;
	s->connected = true;
	addr_of_sockaddr(&ss, len, s->format, &s->peer);
}

/*
 * Read the properties of a socket from the duplicate @fd. Return whether @fd is
 * a socket of the family.
 */
static bool open_socket_read_socket(int fd, int family, struct open_socket *s)
{
	socklen_t len = sizeof(s->info);

	if (open_socket_option(fd, SOL_SOCKET, SO_DOMAIN, -1) != family)
		return false;
	s->type = open_socket_option(fd, SOL_SOCKET, SO_TYPE, 0);
	s->format = open_socket_option(fd, SOL_SOCKET, SO_PROTOCOL, 0);
	s->listens = open_socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN, 0);
	getsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_INFO, &s->info, &len);
	open_socket_read_addresses(fd, s);
	return true;
}

static int open_socket_read_descriptor(int pidfd, int fd, int family,
				       struct open_socket *s)
{
	int copy = pidfd_getfd(pidfd, fd, 0), ret;

	if (copy < 0)
		return -errno;
	s->fd = fd;
	ret = open_socket_read_socket(copy, family, s) ? 0 : -ENOTSOCK;
	close(copy);
	return ret;
}

/**
 * open_socket_read - read the properties of a socket in a process
 * @pid: the process
 * @fd: descriptor of the socket in the process
 * @family: number of the socket family
 * @s: gets the properties
 *
 * Return: 0; -ENOTSOCK if @fd is no socket of the family; -EPERM if the tool
 * has no permission for the process; -ESRCH if there is no such process; -EBADF
 * if there is no such descriptor; or another negative errno.
 */
int open_socket_read(pid_t pid, int fd, int family, struct open_socket *s)
{
	int pidfd = pidfd_open(pid, 0), ret;

	memset(s, 0, sizeof(*s));
	if (pidfd < 0)
		return -errno;
	s->pid = pid;
	open_socket_read_comm(pid, s->comm);
	ret = open_socket_read_descriptor(pidfd, fd, family, s);
	close(pidfd);
	return ret;
}

static bool open_socket_is_socket(DIR *dir, const char *name)
{
	char link[32] = "";

	return readlinkat(dirfd(dir), name, link, sizeof(link) - 1) > 0 &&
	       !strncmp(link, "socket:", 7);
}

/**
 * open_socket_walk - call a function for each socket of the family in a process
 * @pid: the process
 * @family: number of the socket family
 * @fn: the function; a return value other than 0 ends the walk
 * @data: passed to @fn
 *
 * Return: 0, or the value with which @fn ended the walk; -EPERM or -EACCES if
 * the tool has no permission for the process; -ESRCH or -ENOENT if there is no
 * such process; or another negative errno.
 */
int open_socket_walk(pid_t pid, int family,
		     int (*fn)(const struct open_socket *s, void *data),
		     void *data)
{
	const struct dirent *entry;
	struct open_socket s;
	char path[64];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    !open_socket_is_socket(dir, entry->d_name))
			continue;
		ret = open_socket_read(pid, atoi(entry->d_name), family, &s);
		if (!ret)
			ret = fn(&s, data);
		/* The socket has another family, or is closed by now. */
		else if (ret == -ENOTSOCK || ret == -EBADF)
			ret = 0;
	}
	closedir(dir);
	return ret;
}

static int open_socket_count(const struct open_socket *s, void *data)
{
	struct holder *holder = data;

	strcpy(holder->comm, s->comm);
	holder->sockets++;
	return 0;
}

/**
 * open_socket_walk_holders - call a function for each process that has sockets
 * of the family
 * @family: number of the socket family
 * @fn: the function
 * @data: passed to @fn
 * @hidden: gets the number of processes for which the tool has no permission
 *
 * Return: number of sockets of all these processes together.
 */
unsigned int open_socket_walk_holders(int family,
				      void (*fn)(const struct holder *holder,
						 void *data),
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
		ret = open_socket_walk(holder.pid, family, open_socket_count,
				       &holder);
		if (ret == -EPERM || ret == -EACCES)
			++*hidden;
		if (holder.sockets)
			fn(&holder, data);
		all += holder.sockets;
	}
	if (dir)
		closedir(dir);
	return all;
}

/**
 * open_socket_references - get the number of references to the module
 *
 * The module stays loaded until there are none.
 *
 * Return: the number, or -1 if it is not known.
 */
long open_socket_references(void)
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
