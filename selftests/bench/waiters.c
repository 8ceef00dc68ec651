// SPDX-License-Identifier: GPL-2.0
/*
 * What accept() costs with few and with many attempts that wait: it takes one
 * association and establishes the first that waits. `make bench` runs it on a
 * guest whose clock counts instructions.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/altconn.h>

#define ROUNDS	2000
#define MOST	10000

static int number_in_force(void)
{
	FILE *f = fopen("/sys/module/altconn/parameters/family", "r");
	int n;

	if (!f || fscanf(f, "%d", &n) != 1)
		n = AF_ALTCONN;
	if (f)
		fclose(f);
	return n;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int make_socket(int flags)
{
	int fd = socket(number_in_force(), SOCK_STREAM | flags, ALTCONN_NATIVE);

	if (fd < 0)
		die("socket");
	return fd;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* A client that waits, or the one that the backlog of 0 holds. */
static int waiter(const struct sockaddr_altconn *a)
{
	int fd = make_socket(SOCK_NONBLOCK);

	if (connect(fd, (struct sockaddr *)a, sizeof(*a)) &&
	    errno != EINPROGRESS)
		die("connect");
	return fd;
}

/* Nanoseconds an accept() with @n attempts behind the one that it takes. */
static uint64_t measure(uint32_t port, int n)
{
	struct sockaddr_altconn a = {
		.sac_family = number_in_force(), .sac_kind = ALTCONN_KIND_PORT,
		.sac_port = port,
	};
	static int fds[MOST + 1];
	int lfd = make_socket(0), fd, i;
	uint64_t sum = 0, begin;

	if (bind(lfd, (struct sockaddr *)&a, sizeof(a)) || listen(lfd, 0))
		die("listen");
	for (i = 0; i <= n; i++)
		fds[i] = waiter(&a);
	for (i = 0; i < ROUNDS; i++) {
		begin = now();
		fd = accept(lfd, NULL, NULL);
		sum += now() - begin;
		if (fd < 0)
			die("accept");
		close(fd);
		close(fds[i % (n + 1)]);
		fds[i % (n + 1)] = waiter(&a);
	}
	close(lfd);
	for (i = 0; i <= n; i++)
		close(fds[i]);
	return sum / ROUNDS;
}

int main(void)
{
	struct rlimit limit = { 2 * MOST, 2 * MOST };
	uint64_t few, many;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
	measure(5000, 10);
	few = measure(5001, 10);
	many = measure(5002, MOST);
	printf("accept() with    10 waiting  %8lu ns\n", (unsigned long)few);
	printf("accept() with %d waiting  %8lu ns, %.2f times\n", MOST,
	       (unsigned long)many, (double)many / few);
	return 0;
}
