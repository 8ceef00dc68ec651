/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The test programs share these functions: addresses in every format and kind,
 * listeners and connected pairs, waits with a deadline, threads that block in
 * connect(), and child processes that proceed in steps.
 *
 * No function reports to the harness. A function returns -1 with errno, or a
 * value that the test compares. No function sleeps to let something happen:
 * at_until() evaluates a condition again and again until it holds or the
 * deadline passes.
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
 * These are the address formats. The oracles are other families: AF_UNIX
 * itself, and TCP and UDP over IPv4 and over IPv6.
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

/* Return the address family number of the loaded module. */
int at_family(void);
/* Return whether the guest runs the debug kernel, which makes many checks. */
bool at_debug(void);
/* Return the amount of work: @stock on the stock kernel, else @others. */
unsigned long at_scale(unsigned long stock, unsigned long others);

int at_socket(enum at_format format, int type);
int at_socketpair(enum at_format format, int type, int sv[2]);
const char *at_type_name(int type);
/* Return 0 if @ret is not negative, else the errno. */
int at_err(long ret);

/*
 * These functions make and read addresses. at_addr() makes an address that no
 * other test uses. A format without ports gets a name instead. at_cleanup()
 * removes the paths that at_addr() and at_path() made, and every fixture calls
 * it when it ends.
 */
void at_addr(struct at_addr *a, enum at_format format, enum at_kind kind);
void at_addr_port(struct at_addr *a, uint32_t port);
void at_addr_name(struct at_addr *a, enum at_format format, const void *name,
		  size_t len);
void at_addr_path(struct at_addr *a, enum at_format format, const char *path);
/* Make an IP address of the format's IP version; the native format has both. */
void at_addr_ip(struct at_addr *a, enum at_format format, const char *ip,
		unsigned int port);
/* Return the port, or -1. */
int at_port_of(const struct at_addr *a);
/* Write the name or path @a in another format. */
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
/* Bind a new socket to a new address. at_listener() also makes it listen. */
int at_bound(struct at_addr *a, enum at_format format, enum at_kind kind,
	     int type);
int at_listener(struct at_addr *a, enum at_format format, enum at_kind kind,
		int type, int backlog);
/* Connect a new socket. Return the socket; @err is the errno of connect(). */
int at_client(enum at_format format, int type, const struct at_addr *a,
	      int *err);
/* Connect @n clients, which become established before accept(). */
int at_fill(enum at_format format, int type, const struct at_addr *a, int *fds,
	    int n);
/* Connect and accept: sv[0] is the client, sv[1] the server. */
int at_pair(enum at_format format, enum at_kind kind, int type, int sv[2]);
void at_close(int *fds, int n);
int at_nonblock(int fd, bool on);

/* Deadline of each wait; four times as long on the debug kernel */
#define AT_DEADLINE_MS	30000
int at_deadline_ms(void);
uint64_t at_now_ms(void);
uint64_t at_now_ns(void);
/* Wait for @events or an error. Return revents, or 0 after the deadline. */
short at_poll(int fd, short events);
/* Return the events that poll() reports now. */
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
 * Check a law of growth: return whether @many takes at most @times as long as
 * @few. Both are expressions that measure something and return ns, or 0 on
 * failure. The machine may be busy during any measurement, so the median of
 * five measurements of @few is compared with the least of several of @many.
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
/* Maximum size of the data of a control message, in bytes */
#define AT_CONTROL_MOST	2048
/* Send data with a control message of SOL_SOCKET, or none if @size is 0. */
ssize_t at_send_with(int fd, const void *data, size_t len, int type,
		     const void *control, size_t size, int flags);
/* Transfer all @len bytes. Return -1 on an error or at the end of file. */
int at_send_all(int fd, const void *buf, size_t len);
int at_recv_all(int fd, void *buf, size_t len);

int at_info(int fd, struct altconn_connect_info *info);
/* Return the place of the last attempt in the queue, 0 if it does not wait. */
unsigned int at_place(int fd);
int at_set_timeout(int fd, uint64_t ms);
/* Set an option of level SOL_ALTCONN that is a __u32. */
int at_set_option(int fd, int option, uint32_t value);
/* Let a full datagram receiver block its senders, also in an inet format. */
int at_set_blocking_receiver(int fd, enum at_format format);
/*
 * Bind @n datagram sockets to one port in this process's namespace. The
 * broadcast address of the port goes into @to.
 */
int at_hearers(struct at_addr *to, int *fds, int n);
int at_set_flag(int fd, int level, int option, int value);

/* A thread that calls connect(), and its result */
struct at_job {
	pthread_t thread;
	int fd;
	struct at_addr addr;
	atomic_int tid;
	atomic_bool done;
	int err;
};

int at_job_start(struct at_job *job, int fd, const struct at_addr *a);
/* Wait until the thread sleeps in connect(). Return false if it has ended. */
bool at_job_blocked(struct at_job *job);
/* Return the thread's errno, 0 for success, -1 if it does not end. */
int at_job_end(struct at_job *job);
void at_job_signal(struct at_job *job, int sig);
/* Count the signals @sig in at_caught. @flags are those of sigaction(2). */
int at_catch(int sig, int flags);
extern atomic_int at_caught;
bool at_sleeps(pid_t tid);

/*
 * Fault injection: @percent of the allocations fail, also allocations that may
 * sleep, in threads that have called at_make_it_fail(true). Return -1 if the
 * kernel has no fault injection.
 */
int at_fail_allocations(int percent);
int at_make_it_fail(bool on);

/* Children end with their parent, and proceed in steps by a byte on a pipe. */
pid_t at_fork(void);
int at_reap(pid_t pid);
int at_become_nobody(void);
int at_tell(int fd);
int at_hear(int fd);

/* Make, write, read and remove a tracing instance of this process. */
int at_trace_open(void);
int at_trace_put(const char *file, const char *text);
FILE *at_trace_read(void);
int at_trace_close(void);

/* Return the number of entries of a dump (ALTCONN_CMD_*_GET), or -1. */
int at_dump(int cmd);

/*
 * Dump in steps. at_dump_begin() returns a netlink socket. at_dump_some()
 * returns the number of entries in the next message, and @more is false after
 * the last message. at_dump_rest() returns the number of entries in all
 * messages that are left. All return -1 on failure.
 */
int at_dump_begin(int cmd);
/* Begin a dump of the object with this id alone. */
int at_dump_begin_one(int cmd, uint64_t id);
int at_dump_some(int fd, bool *more);
int at_dump_rest(int fd);

/*
 * Read the rest of a dump. Return whether the kernel has marked the dump as
 * interrupted, or -1 on failure.
 */
int at_dump_marked(int fd);

/*
 * at_monitor() makes a socket that gets events, and returns 0 or the errno.
 * at_event() returns 1 and the next event, 0 if no event is queued, and -1 for
 * anything else. @port is the server's port, or 0 if its address has another
 * kind than a port.
 */
struct at_event {
	uint64_t seq;
	uint32_t kind;
	uint32_t port;
};

int at_monitor(int *fd);
int at_event(int fd, struct at_event *ev);

/*
 * at_has_tool() returns whether the altconn tool is on the PATH. at_tool() runs
 * the tool as a user does, and returns the number that it prints, 0 if it
 * prints none, or -1 if it fails.
 */
bool at_has_tool(void);
__printf(1, 2) int at_tool(const char *fmt, ...);
/*
 * Do the "add", "del", "flush" or "zero" of "altconn rule" without the tool.
 * Return the number of the new rule, 0, or -1 on failure.
 */
__printf(1, 2) int at_rule(const char *fmt, ...);
/* Return an address as the tool writes it, in a static buffer. */
const char *at_text(const struct at_addr *a, enum at_kind kind);

/* Move this thread to a new network namespace. */
int at_netns(void);
/* Return a descriptor of this thread's network namespace, or enter another. */
int at_netns_fd(void);
int at_netns_enter(int fd);

/*
 * Change the nodes of the namespace. Return 0 or the errno. @ip has 16 bytes or
 * is NULL, and @state is an enum altconn_node_state. at_node_self(0) removes
 * the id by which the namespace calls itself.
 */
int at_node_add(uint32_t id, const void *ip, int netns);
int at_node_del(uint32_t id);
int at_node_set(uint32_t id, uint32_t state);
int at_node_self(uint32_t id);
long at_sysctl(const char *name);
int at_sysctl_set(const char *name, long value);

/*
 * A sum of a stream that depends on the order of the bytes. The stream can be
 * fed in pieces of any size. There are several sums side by side, so that the
 * compiler can use vectors: an emulated CPU sums a gibibyte.
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
/* Pseudo-random numbers, which are the same in every run */
uint64_t at_random(uint64_t *state);
void at_random_fill(uint64_t *state, void *buf, size_t len);

#endif /* _ALTCONN_TEST_H */
