/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs of this directory share: addresses in every format and
 * kind, listeners and connected pairs, waiting for events with a deadline,
 * threads that block in connect() and children that step by pipes.
 *
 * Nothing here reports: a function returns -1 with errno, or a value that the
 * test compares. Nothing sleeps to let something happen; at_until() re-reads a
 * condition until it holds or the deadline passes.
 */
#ifndef _ALTCONN_TEST_H
#define _ALTCONN_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <linux/altconn.h>

#ifndef __printf
#define __printf(a, b)	__attribute((format(printf, a, b)))
#endif

/*
 * How a socket writes addresses. The oracles are other families: AF_UNIX itself,
 * TCP and UDP over IPv4 and over IPv6.
 */
enum at_format {
	AT_NATIVE, AT_UNIX, AT_IN, AT_IN6,
	AT_ORACLE, AT_ORACLE_IN, AT_ORACLE_IN6,
};
enum at_kind { AT_PORT, AT_NAME, AT_PATH, AT_INET };

static inline bool at_is_oracle(enum at_format format)
{
	return format >= AT_ORACLE;
}

struct at_addr {
	union {
		struct sockaddr		sa;
		struct sockaddr_altconn	nat;
		struct sockaddr_un	un;
		struct sockaddr_in	in;
		struct sockaddr_in6	in6;
		char			raw[160];
	};
	socklen_t len;
};

/* The family number in force. */
int at_family(void);
/* The guest runs a kernel full of checks. */
bool at_debug(void);
/* How much of the same: less on the kernels that are slow or not the first. */
unsigned long at_scale(unsigned long stock, unsigned long others);

int at_socket(enum at_format format, int type);
int at_socketpair(enum at_format format, int type, int sv[2]);
const char *at_type_name(int type);
/* 0, or the errno of a call that returned @ret. */
int at_err(long ret);

/*
 * Addresses. at_addr() makes one that no other test uses; the oracle has no
 * ports and gets a name. Paths made by at_addr() and at_path() are removed by
 * at_cleanup(), which every fixture calls when it ends.
 */
void at_addr(struct at_addr *a, enum at_format format, enum at_kind kind);
void at_addr_port(struct at_addr *a, uint32_t port);
void at_addr_name(struct at_addr *a, enum at_format format, const void *name,
		  size_t len);
void at_addr_path(struct at_addr *a, enum at_format format, const char *path);
/* An IP address of the format's version; in the native format of either. */
void at_addr_ip(struct at_addr *a, enum at_format format, const char *ip,
		unsigned int port);
/* The port, or -1. */
int at_port_of(const struct at_addr *a);
/* The same address as @a (a name or a path) in another format. */
void at_addr_in(struct at_addr *to, enum at_format format,
		const struct at_addr *a);
const char *at_path_of(const struct at_addr *a);
char *at_path(char *buf, size_t len);
bool at_addr_eq(const struct at_addr *a, const struct at_addr *b);
bool at_unnamed(const struct at_addr *a);
int at_getsockname(int fd, struct at_addr *a);
int at_getpeername(int fd, struct at_addr *a);
void at_cleanup(void);

int at_bind(int fd, const struct at_addr *a);
int at_connect(int fd, const struct at_addr *a);
int at_connect_unspec(int fd);
/* A new socket, bound to a new address, that listens when backlog >= 0. */
int at_bound(struct at_addr *a, enum at_format format, enum at_kind kind,
	     int type);
int at_listener(struct at_addr *a, enum at_format format, enum at_kind kind,
		int type, int backlog);
/* A new socket and what connect() did: the socket, errno in *err. */
int at_client(enum at_format format, int type, const struct at_addr *a,
	      int *err);
/* @n established clients that nobody has accepted. */
int at_fill(enum at_format format, int type, const struct at_addr *a, int *fds,
	    int n);
/* A connection made by connect() and accept(): sv[0] client, sv[1] server. */
int at_pair(enum at_format format, enum at_kind kind, int type, int sv[2]);
void at_close(int *fds, int n);
int at_nonblock(int fd, bool on);

/* Waiting. */
#define AT_DEADLINE_MS	30000
int at_deadline_ms(void);
uint64_t at_now_ms(void);
uint64_t at_now_ns(void);
/* Wait for any of @events (or an error); revents, 0 when the deadline passed */
short at_poll(int fd, short events);
/* What poll() says now. */
short at_poll_now(int fd, short events);
int at_so_error(int fd);
void at_pause(void);
#define at_until(cond) ({						\
	uint64_t __end = at_now_ms() + at_deadline_ms();		\
	bool __held;							\
									\
	while (!(__held = (cond)) && at_now_ms() < __end)		\
		at_pause();						\
	__held;								\
})
/*
 * A law of growth: does @many take at most @times as long as @few? Both are calls
 * that measure something and return nanoseconds, or 0 when it failed. The machine may
 * be busy with other things during any of them: the median of five measurements of
 * @few is compared with the least of several of @many.
 */
#define AT_FEW	5
uint64_t at_median(uint64_t *values, int n);
#define at_grows(times, few, many) ({					\
	uint64_t __few[AT_FEW], __many = UINT64_MAX, __most, __took;	\
	int __tries;							\
									\
	for (__tries = 0; __tries < AT_FEW; __tries++)			\
		__few[__tries] = (few);					\
	__most = (times) * at_median(__few, AT_FEW);			\
	for (__tries = 0; __tries < 12 && __most && __many &&		\
	     __many > __most; __tries++) {				\
		__took = (many);					\
		__many = __took < __many ? __took : __many;		\
	}								\
	fprintf(stderr, "# %llu ns of at most %llu\n",			\
		(unsigned long long)__many, (unsigned long long)__most);\
	__most && __many && __many <= __most;				\
})
/* Counts of bytes, both whole: no short transfer, no error. */
#define AT_CONTROL_MOST	2048
/* sendmsg() with one control message of SOL_SOCKET, or none when @size is 0. */
ssize_t at_send_with(int fd, const void *data, size_t len, int type,
		     const void *control, size_t size, int flags);
int at_send_all(int fd, const void *buf, size_t len);
int at_recv_all(int fd, void *buf, size_t len);

int at_info(int fd, struct altconn_connect_info *info);
/* The place in the queue that the last attempt has; 0 when it does not wait */
unsigned int at_place(int fd);
int at_set_timeout(int fd, uint64_t ms);
/* An option of level SOL_ALTCONN that is a __u32. */
int at_set_option(int fd, int option, uint32_t value);
/* Let a receiver of datagrams that is full block its senders, where it drops. */
int at_set_blocking_receiver(int fd, enum at_format format);
/*
 * Bind @n datagram sockets to one port, in this process' namespace. @to: its broadcast
 * address.
 */
int at_hearers(struct at_addr *to, int *fds, int n);
int at_set_flag(int fd, int level, int option, int value);

/* A thread that calls connect(), and what came of it. */
struct at_job {
	pthread_t thread;
	int fd;
	struct at_addr addr;
	atomic_int tid;
	atomic_bool done;
	int err;
};

int at_job_start(struct at_job *job, int fd, const struct at_addr *a);
/* It has begun and sleeps in connect(), or is over. */
bool at_job_blocked(struct at_job *job);
/* Its errno, 0 for success; -1 when it does not end. */
int at_job_end(struct at_job *job);
void at_job_signal(struct at_job *job, int sig);
/* A handler for @sig that only counts; @flags as SA_RESTART. */
int at_catch(int sig, int flags);
extern atomic_int at_caught;
bool at_sleeps(pid_t tid);

/*
 * Fault injection: those that may sleep fail too, @percent of them, in the
 * threads that at_make_it_fail() names. -1: the kernel has none.
 */
int at_fail_allocations(int percent);
int at_make_it_fail(bool on);

/* Children die with their parent and step by pipes. */
pid_t at_fork(void);
int at_reap(pid_t pid);
int at_become_nobody(void);
int at_tell(int fd);
int at_hear(int fd);

/* How many messages a dump has (ALTCONN_CMD_ASSOC_GET, ...), or -1. */
/* A tracing instance of this process; its files; the trace. */
int at_trace_open(void);
int at_trace_put(const char *file, const char *text);
FILE *at_trace_read(void);
int at_trace_close(void);

int at_dump(int cmd);

/* The same in steps: a netlink socket; entries of the next message, @more: it
 * was not the last; entries of all that follow. -1: failed.
 */
int at_dump_begin(int cmd);
/* A dump that asks for the object with an id alone. */
int at_dump_begin_one(int cmd, uint64_t id);
int at_dump_some(int fd, bool *more);
int at_dump_rest(int fd);

/* The rest; is it said that the list was interrupted? -1: failed. */
int at_dump_marked(int fd);

/*
 * A socket that gets events: 0 or errno. The next event that has come, 0: none has, -1:
 * something else. The server's port is that of an address of the port kind, or 0.
 */
struct at_event {
	uint64_t seq;
	uint32_t kind;
	uint32_t port;
};

int at_monitor(int *fd);
int at_event(int fd, struct at_event *ev);

/*
 * The tool, as a user would call it: the number that it prints, 0 for none, -1: it
 * failed. And how it writes an address.
 */
bool at_has_tool(void);
__printf(1, 2) int at_tool(const char *fmt, ...);
/*
 * "add", "del", "flush" and "zero" of the tool's rules, without the tool: the number of
 * the new rule, 0, or -1: refused.
 */
__printf(1, 2) int at_rule(const char *fmt, ...);
const char *at_text(const struct at_addr *a, enum at_kind kind);

/* A fresh network namespace for this process. */
int at_netns(void);
/* The one that it is in, and into one. */
int at_netns_fd(void);
int at_netns_enter(int fd);

/*
 * Nodes of the namespace, errno or 0. @ip: 16 bytes, or NULL; @state: enum
 * altconn_node_state; a namespace that calls itself 0 has no id.
 */
int at_node_add(uint32_t id, const void *ip, int netns);
int at_node_del(uint32_t id);
int at_node_set(uint32_t id, uint32_t state);
int at_node_self(uint32_t id);
long at_sysctl(const char *name);
int at_sysctl_set(const char *name, long value);

/*
 * An order-dependent sum of a stream, fed in pieces of any size. In lanes, for
 * the compiler to use vectors: an emulated CPU sums a gibibyte.
 */
#define AT_SUM_LANES	8
#define AT_SUM_BLOCK	(8 * AT_SUM_LANES)

struct at_sum {
	uint64_t a[AT_SUM_LANES], b[AT_SUM_LANES];
	uint8_t part[AT_SUM_BLOCK];
	size_t fill;
};

void at_sum(struct at_sum *s, const void *buf, size_t len);
bool at_sum_eq(const struct at_sum *x, const struct at_sum *y);
/* Numbers that look random and are the same in every run. */
uint64_t at_random(uint64_t *state);
void at_random_fill(uint64_t *state, void *buf, size_t len);

#endif /* _ALTCONN_TEST_H */
