/* SPDX-License-Identifier: GPL-2.0 */
/*
 * connect-conformance tries every sentence of the connect(2) manual on every
 * socket family that the running kernel has.
 *
 * A clause is one sentence, with a function that tries it. clause.c lists the
 * clauses, and the other files are grouped by subject. A family is a table of
 * operations that make sockets and addresses. family.c lists the families. A
 * case is one clause on one family, type and mode. run.c runs each case in a
 * child process, so a call that never returns is a result like any other.
 *
 * A case calls expect() and deviates() to report what it sees and the sentence
 * does not allow. A clause holds in a case that reports nothing. A case never
 * sleeps to let something happen: it waits for the event, and the deadline only
 * bounds this wait.
 */
#ifndef _CONFORMANCE_H
#define _CONFORMANCE_H

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/altconn.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>

#define __noreturn	__attribute((noreturn))
#define __printf(a, b)	__attribute((format(printf, a, b)))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Sets of socket types. CONN has the connection-based types. */
#define STREAM		1
#define SEQPACKET	2
#define DGRAM		4
#define CONN		(STREAM | SEQPACKET)
#define ANY		(CONN | DGRAM)

/*
 * Sets of modes. Datagram sockets never wait in connect(), so they are tried in
 * one mode, whatever modes the clause has. A clause without a mode is tried in
 * one mode too.
 */
#define BLOCKING	1
#define NONBLOCKING	2
#define BOTH		(BLOCKING | NONBLOCKING)

/*
 * Longest wait for an event that must come, and for a case, in ms. Both need
 * far less.
 */
#define EVENT_MS	20000
#define CASE_MS		90000

struct addr {
	union {
		struct sockaddr		sa;
		struct sockaddr_un	un;
		struct sockaddr_in	in;
		struct sockaddr_in6	in6;
		struct sockaddr_vm	vm;
		struct sockaddr_tipc	tipc;
		struct sockaddr_altconn	nat;
		char			raw[160];
	};
	socklen_t len;
};

struct family;

/* A clause that cannot be tried on a family, for these types, and the reason */
struct exempt {
	const char *clause;
	int types;
	const char *why;
};

/* Traits of a family */
#define HAS_PATHS	1	/* its addresses are files */
#define WAITS		2	/* an attempt at a full backlog waits */
#define LATE		4	/* accept() is what establishes an attempt */
#define OWN_TYPES	8	/* each type has addresses of its own */
#define SHARES		16	/* SO_REUSEADDR lets sockets share an address */

/**
 * struct family - a socket family, or one kind of address in a family
 * @name: name that --family takes
 * @text: description of the addresses
 * @domain: first argument of socket(), or 0 for the family number of altconn
 * @protocol: third argument of socket()
 * @types: socket types that the family defines; the kernel may lack some
 * @traits: set of the traits above
 * @kind: kind of address in altconn's native format, enum altconn_kind
 * @fresh: make an address of this machine where nothing is bound
 * @malformed: turn a good address into malformed address number @i, and return
 *	a description of the defect; NULL if there is no such number
 * @unusual: turn a good address into good address number @i that looks odd, and
 *	return a description of it; NULL if there is no such number
 * @unreachable: turn an address into an address of another machine, to which no
 *	route leads
 * @broadcast: turn an address into a broadcast address
 * @null: make the null address of the family
 * @forbid: let connect() to a fresh address fail by a route or a rule, with
 *	EACCES (or EPERM) or with EHOSTUNREACH; may change the address. Return
 *	0, or -1
 * @down: turn an address into an address of a known host that is down. Return
 *	0, -1, or 1 if the user may not do this. NULL if the family has no such
 *	host
 * @one_port: leave one ephemeral port for connect(). Return 0, or -1 with errno
 * @deadline: set the shortest deadline of the family for attempts of a socket;
 *	NULL if the family has no option for this
 * @exempt: clauses that do not apply; an entry without a name ends the array
 */
struct family {
	const char *name;
	const char *text;
	int domain;
	int protocol;
	int types;
	int traits;
	int kind;
	void (*fresh)(const struct family *f, struct addr *a);
	const char *(*malformed)(const struct family *f, struct addr *a, int i);
	const char *(*unusual)(const struct family *f, struct addr *a, int i);
	void (*unreachable)(const struct family *f, struct addr *a);
	void (*broadcast)(const struct family *f, struct addr *a);
	void (*null)(const struct family *f, struct addr *a);
	int (*forbid)(const struct family *f, struct addr *a, int err);
	int (*down)(const struct family *f, struct addr *a);
	int (*one_port)(void);
	int (*deadline)(int fd);
	const struct exempt *exempt;
};

enum result { HOLDS, DEVIATES, CANNOT };

struct clause;

/*
 * This is one case. @seen is what deviates, or why the case cannot be tried.
 * @ran is true when the case is over.
 */
struct test {
	const struct family *f;
	const struct clause *clause;
	int type;		/* one of STREAM, SEQPACKET, DGRAM */
	int mode;		/* BLOCKING, NONBLOCKING, or 0 for neither */
	enum result result;
	bool ran;
	char seen[400];
};

/**
 * struct clause - one sentence about connect()
 * @name: name, which never changes
 * @types: socket types that the sentence is about
 * @modes: BOTH, or the one mode that the sentence is about, or 0
 * @text: the sentence
 * @how: description of how the sentence is tried
 * @run: function that tries the sentence
 */
struct clause {
	const char *name;
	int types;
	int modes;
	const char *text;
	const char *how;
	void (*run)(struct test *t);
};

/* clause.c, family.c */
extern const struct clause clauses[];
extern const int nclauses;
extern const struct family families[];
extern const int nfamilies;
const struct clause *clause_find(const char *name);
const char *exempt_why(const struct family *f, const char *clause, int type);
bool is_altconn(const struct family *f);
bool is_inet(const struct family *f);
int family_domain(const struct family *f);
int sock_type(int type);
const char *type_name(int type);
const char *mode_name(int mode);
/* Return NULL if the kernel has the family or the type, else what it lacks. */
const char *family_missing(const struct family *f);
const char *type_missing(const struct family *f, int type);

/* run.c: the selected families and clauses, and the results */
struct suite {
	bool family[32], clause[64];
	struct test *cases;
	int ncases;
	const char *missing[32];
};

int suite_plan(struct suite *s);
void suite_run(struct suite *s, void (*each)(const struct test *t, int n));
int suite_count(const struct suite *s, const struct family *f, enum result r);

/* out.c, markdown.c; json.c, or nojson.c if json-c is missing */
void tap_begin(const struct suite *s);
void tap_case(const struct test *t, int n);
void tap_end(const struct suite *s);
void list_all(void);
/* Print the names of the socket types in @types. */
void print_types(FILE *out, int types);
int explain(const char *clause);
void markdown(FILE *out, const struct suite *s);
int json(FILE *out, const struct suite *s);
extern bool use_color;

/* netns.c */
int netns_enter(void);
int sysctl_set(const char *name, const char *value);
int route_add(const struct addr *to, int err);
int drop_file_privileges(void);

/* case.c: reports and helpers */
void __noreturn case_exit(struct test *t);
void __printf(2, 3) deviates(struct test *t, const char *fmt, ...);
/*
 * Report a deviation unless @err is @want. @where completes "EAGAIN ...". An
 * @err below 0 means that there was no result in time.
 */
void expect(struct test *t, int err, int want, const char *where);
/* Report a deviation and end the case. */
void __noreturn __printf(2, 3) stop(struct test *t, const char *fmt, ...);
void __noreturn cannot(struct test *t, const char *why);
void must(struct test *t, bool good, const char *what);
const char *err_name(int err);
int err_of(long ret);
uint64_t now_ms(void);
void pause_shortly(void);
/* Evaluate a condition until it holds or the deadline has passed. */
#define until(cond) ({							\
	uint64_t __end = now_ms() + EVENT_MS;				\
	bool __held;							\
									\
	while (!(__held = (cond)) && now_ms() < __end)			\
		pause_shortly();					\
	__held;								\
})

/* A listener, a socket that is connected to it, and the accepted socket */
struct pair {
	struct addr a;
	int lfd, fd, peer;
};

/* A listener at which the next attempt must wait */
struct gate {
	struct addr a;
	int lfd;
	int fill[2];
	int nfill;
};

/* sock.c: if a step fails that only prepares a case, the case ends. */
int new_socket(struct test *t);
int new_blocking(struct test *t);
int new_typed(struct test *t, int type);
void set_nonblock(int fd, bool on);
int go_connect(int fd, const struct addr *a);
int go_bind(int fd, const struct addr *a);
int go_unspec(struct test *t, int fd);
int so_error(int fd);
short poll_for(int fd, short events);
short poll_now(int fd, short events);
int bound(struct test *t, struct addr *a);
int listener(struct test *t, struct addr *a, int backlog);
int accept_one(struct test *t, int lfd);
bool nobody_waits(int lfd);
/*
 * Return the result of an attempt as an errno. A non-blocking attempt is polled
 * for, and SO_ERROR has its result.
 */
int outcome(struct test *t, int fd, const struct addr *a);
int result_of_pending(int fd);
/*
 * Connect @fd to the listener @lfd, and accept if there is anything to accept.
 * Return the result as an errno.
 */
int outcome_at(struct test *t, int fd, int lfd, const struct addr *a,
	       int *peer);
void make_pair(struct test *t, struct pair *p);
void exchange(struct test *t, int fd, int peer, const char *where);
void gate_close(struct test *t, struct gate *g);
void gate_open(struct test *t, struct gate *g);
/* Return a non-blocking socket with an attempt that waits at the gate. */
int pending(struct test *t, struct gate *g);
bool is_connected(int fd);
/*
 * Make an address where nothing is bound. A path has the file that a closed
 * socket has left.
 */
void unbound_target(struct test *t, struct addr *a);
void plain_file(struct test *t, struct addr *a);

/* Send and receive datagrams of one byte. */
int give(int fd, const struct addr *to, char c);
int take(int fd);

/* A thread that calls connect() */
struct job {
	pthread_t thread;
	int fd;
	struct addr a;
	atomic_int tid;
	atomic_bool done;
	int err;
};

void job_start(struct test *t, struct job *job, int fd, const struct addr *a);
bool job_waits(struct job *job);
int job_end(struct job *job);

/* Operations of the families, and helpers for addresses */
void unix_fresh_path(const struct family *f, struct addr *a);
void unix_fresh_name(const struct family *f, struct addr *a);
const char *unix_malformed(const struct family *f, struct addr *a, int i);
const char *unix_unusual(const struct family *f, struct addr *a, int i);
void inet_fresh(const struct family *f, struct addr *a);
void inet6_fresh(const struct family *f, struct addr *a);
const char *inet_malformed(const struct family *f, struct addr *a, int i);
const char *inet6_malformed(const struct family *f, struct addr *a, int i);
const char *inet_unusual(const struct family *f, struct addr *a, int i);
const char *inet6_unusual(const struct family *f, struct addr *a, int i);
void inet_unreachable(const struct family *f, struct addr *a);
void inet6_unreachable(const struct family *f, struct addr *a);
void inet_broadcast(const struct family *f, struct addr *a);
int inet_forbid(const struct family *f, struct addr *a, int err);
int alt_forbid(const struct family *f, struct addr *a, int err);
int alt_down(const struct family *f, struct addr *a);
int inet_one_port(void);
int tcp_deadline(int fd);
void vsock_fresh(const struct family *f, struct addr *a);
const char *vsock_malformed(const struct family *f, struct addr *a, int i);
const char *vsock_missing(void);
void vsock_elsewhere(const struct family *f, struct addr *a);
void tipc_fresh(const struct family *f, struct addr *a);
const char *tipc_malformed(const struct family *f, struct addr *a, int i);
void tipc_unreachable(const struct family *f, struct addr *a);
int tipc_deadline(int fd);
void native_fresh(const struct family *f, struct addr *a);
const char *native_malformed(const struct family *f, struct addr *a, int i);
void native_unreachable(const struct family *f, struct addr *a);
void native_broadcast(const struct family *f, struct addr *a);
void native_null(const struct family *f, struct addr *a);
void alt_broadcast(const struct family *f, struct addr *a);
int altconn_one_port(void);
int altconn_deadline(int fd);
const char *scratch_path(char *buf, size_t len);
unsigned int unique(void);
/* inet.c: return an IP port that no other case of the family uses. */
unsigned int fresh_port(void);
/* run.c: number of this case among the cases of its family */
extern unsigned int case_number;

/* Exempt clauses of families without paths, or without a broadcast address */
#define NO_PATHS							\
	{ .clause = "E-ACCES-PATH", .types = ANY,			\
	  .why = "the addresses of the family are not paths" },		\
	{ .clause = "E-NOENT", .types = ANY,				\
	  .why = "the addresses of the family are not paths" },		\
	{ .clause = "E-NOTDIR", .types = ANY,				\
	  .why = "the addresses of the family are not paths" },		\
	{ .clause = "E-LOOP", .types = ANY,				\
	  .why = "the addresses of the family are not paths" },		\
	{ .clause = "E-NAMETOOLONG", .types = ANY,			\
	  .why = "the addresses of the family are not paths" },		\
	{ .clause = "E-PROTOTYPE", .types = ANY,			\
	  .why = "each socket type has addresses of its own" }

#define NO_BROADCAST							\
	{ .clause = "E-ACCES-BCAST", .types = ANY,			\
	  .why = "IPv6 has no broadcast address" }

extern const struct exempt unix_exempt[], unix_name_exempt[], tcp4_exempt[],
	tcp6_exempt[], udp4_exempt[], udp6_exempt[], vsock_exempt[],
	tipc_exempt[], alt_port_exempt[], alt_name_exempt[],
	alt_unix_name_exempt[], alt_path_exempt[], alt_unix_exempt[],
	alt_inet_exempt[], alt_inet6_exempt[];

#endif /* _CONFORMANCE_H */
