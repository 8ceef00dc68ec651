/* SPDX-License-Identifier: GPL-2.0 */
/* The files of the benchmark share these declarations. */
#ifndef BENCH_H
#define BENCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#define __noreturn	__attribute((noreturn))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

enum type { STREAM = 1, SEQPACKET = 2, DGRAM = 4 };

/**
 * struct family - a socket family, or pipes
 * @name: name in the table of results
 * @domain: argument of socket(), or ALTCONN or PIPE of family.c
 * @protocol: argument of socket()
 * @types: set of the socket types that the family has, enum type
 * @make_addr: write the address number @n of this process, return its length;
 *	NULL for a pipe
 * @alone: connect() ends before accept() is called
 * @detail: the row is one of several kinds of address of a family and is
 *	measured only where the kind of address matters
 */
struct family {
	const char	*name;
	int		domain;
	int		protocol;
	unsigned int	types;
	socklen_t	(*make_addr)(struct sockaddr_storage *addr,
				     unsigned int n);
	bool		alone;
	bool		detail;
};

/**
 * struct job - one measurement of a family
 * @f: the family
 * @type: type of its sockets
 * @arg: argument of the operation: a number of bytes, or of objects
 * @times: number of repetitions
 */
struct job {
	const struct family	*f;
	enum type		type;
	long			arg;
	long			times;
};

/* family.c */
extern const struct family families[];
extern const int nfamilies;
extern const char *const type_names[];
bool family_present(const struct family *f);
int make_socket(const struct job *job, int flags);
int make_listener(const struct job *job, unsigned int n, int backlog);
int try_connect(const struct job *job, unsigned int n, int flags);
int connect_to(const struct job *job, unsigned int n);
int accept_from(int fd);
void make_pair(const struct job *job, int fds[2]);
/* Make a pair at the listener @lfd, made by make_listener(job, @n, ...). */
void make_pair_at(const struct job *job, int lfd, unsigned int n, int fds[2]);
int make_receiver(const struct job *job, unsigned int n);

/* util.c */
extern FILE *results;
void result(const char *metric, const char *unit, double value);
void __noreturn die(const char *what);
uint64_t now(void);
void pin(int cpu);
void *zalloc(size_t size);
pthread_t spawn(void *(*run)(void *arg), void *arg);
void join(pthread_t thread);
void send_whole(int fd, const char *buf, size_t len);
size_t recv_some(int fd, char *buf, size_t len);

/* connect.c */
void run_bare_socket(const struct job *job);
void run_connect_two(const struct job *job);
void run_connect_one(const struct job *job);
void run_connect_among(const struct job *job);
void run_connect_rate(const struct job *job);
void run_connect_many(const struct job *job);
void run_waiters(const struct job *job);
void run_last_port(const struct job *job);

/* data.c */
void run_ping_pong(const struct job *job);
void run_latency(const struct job *job);
void run_loaded_latency(const struct job *job);
void run_flow(const struct job *job);
void run_sendfile(const struct job *job);
void run_requests(const struct job *job);
void run_requests_busy(const struct job *job);
void run_ping_pong_pairs(const struct job *job);
void run_pairs(const struct job *job);
void run_fan_in(const struct job *job);

/* overload.c */
void run_overload(const struct job *job);

/* memory.c */
void run_idle(const struct job *job);
void run_burst(const struct job *job);

#endif
