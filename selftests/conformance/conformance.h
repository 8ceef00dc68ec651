/* SPDX-License-Identifier: GPL-2.0 */
/*
 * connect-conformance: every sentence that the connect(2) manual says, tried on
 * every socket family that the running kernel has.
 *
 * A clause is one sentence, with a function that tries it (clause.c lists them,
 * the other files are grouped by subject). A family is a table of operations
 * that make sockets and addresses (family.c lists them). A case is one clause
 * on one family, type and mode; run.c runs each in a child, so that a call that
 * never returns is a result like any other.
 *
 * A case says what it saw that the sentence does not allow, with expect() and
 * deviates(); one that says nothing holds. Nothing sleeps to let something
 * happen: a case waits for the event, and the deadline only bounds that.
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

/* Socket types, as sets. CONN are the connection-based ones. */
#define STREAM		1
#define SEQPACKET	2
#define DGRAM		4
#define CONN		(STREAM | SEQPACKET)
#define ANY		(CONN | DGRAM)

/*
 * Modes, as sets. Datagram sockets never wait in connect() and are tried in
 * one mode, whatever the clause has; so are clauses without a mode.
 */
#define BLOCKING	1
#define NONBLOCKING	2
#define BOTH		(BLOCKING | NONBLOCKING)

/* How long an event may take that must come; far beyond what it needs. */
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

/* A clause that cannot be tried on a family, for these types, and why. */
struct exempt {
	const char *clause;
	int types;
	const char *why;
};

/* What is special about a family. */
#define HAS_PATHS	1	/* its addresses are files */
#define WAITS		2	/* an attempt at a full backlog waits */
#define LATE		4	/* established by accept(), not before */
#define OWN_TYPES	8	/* each type has addresses of its own */
#define SHARES		16	/* SO_REUSEADDR lets two sockets bind one address */

/**
 * struct family - a socket family, or one way to write addresses in it
 * @name: what --family takes
 * @text: what its addresses are
 * @domain: first argument of socket(); 0: the number that altconn has in force
 * @protocol: third argument of socket()
 * @types: those that it speaks of, though the kernel may lack one
 * @traits: of the list above
 * @kind: enum altconn_kind, in the native format
 * @fresh: an address of this machine where nothing is bound
 * @malformed: make a good address the @i-th bad one and say what is wrong with
 *	it; NULL when there are no more
 * @unusual: likewise one that looks odd and is good
 * @unreachable: make an address one of another machine, where no route leads
 * @broadcast: make an address one that means everybody
 * @null: this family's null address
 * @forbid: let a route, or a rule, answer EACCES (or EPERM) or EHOSTUNREACH to
 *	whoever goes to this fresh address, which may become another; 0, or -1
 * @down: make an address that of a host that is known, and down; 0, -1, or 1: this
 *	user may not. NULL when there is no such thing
 * @one_port: leave one ephemeral port for connect(); 0, or -1 with errno
 * @deadline: let an attempt of this socket fail as soon as the family can;
 *	NULL when it has no such option
 * @exempt: clauses that do not apply, ended by one without a name
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

/* A case. @seen: what deviates, or why it cannot be tried; @ran: it is over. */
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
 * @name: permanent
 * @types: the socket types that it speaks of
 * @modes: BOTH, or the one that it speaks of, or 0
 * @text: the sentence
 * @how: what is done to try it
 * @run: do it
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
/* NULL when the kernel has it, or what it lacks. */
const char *family_missing(const struct family *f);
const char *type_missing(const struct family *f, int type);

/* run.c: what has been selected, and what came of it. */
struct suite {
	bool family[32], clause[64];
	struct test *cases;
	int ncases;
	const char *missing[32];
};

int suite_plan(struct suite *s);
void suite_run(struct suite *s, void (*each)(const struct test *t, int n));
int suite_count(const struct suite *s, const struct family *f, enum result r);

/* out.c, markdown.c; json.c, or nojson.c where there is no json-c */
void tap_begin(const struct suite *s);
void tap_case(const struct test *t, int n);
void tap_end(const struct suite *s);
void list_all(void);
int explain(const char *clause);
void markdown(FILE *out, const struct suite *s);
int json(FILE *out, const struct suite *s);
extern bool use_color;

/* netns.c */
int netns_enter(void);
int sysctl_set(const char *name, const char *value);
int route_add(const struct addr *to, int err);
int drop_file_privileges(void);

/* case.c: what a case says, and how it waits. */
void __noreturn case_exit(struct test *t);
void __printf(2, 3) deviates(struct test *t, const char *fmt, ...);
/* @where completes "EAGAIN ...". An @err below 0: no answer in time. */
void expect(struct test *t, int err, int want, const char *where);
/* Like deviates(), and nothing more can be tried. */
void __noreturn __printf(2, 3) stop(struct test *t, const char *fmt, ...);
void __noreturn cannot(struct test *t, const char *why);
void must(struct test *t, bool good, const char *what);
const char *err_name(int err);
int err_of(long ret);
uint64_t now_ms(void);
void pause_shortly(void);
/* Re-read a condition until it holds or the deadline passes. */
#define until(cond) ({							\
	uint64_t __end = now_ms() + EVENT_MS;				\
	bool __held;							\
									\
	while (!(__held = (cond)) && now_ms() < __end)			\
		pause_shortly();					\
	__held;								\
})

/* A listener, a socket that connected to it, and what accept() gave. */
struct pair {
	struct addr a;
	int lfd, fd, peer;
};

/* A listener where the next attempt has to wait. */
struct gate {
	struct addr a;
	int lfd;
	int fill[2];
	int nfill;
};

/* sock.c. Whatever is only set-up ends the case when it fails. */
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
/* What became of an attempt: its errno, asked for as the manual says. */
int outcome(struct test *t, int fd, const struct addr *a);
int result_of_pending(int fd);
/* Connect @fd to a listener, whoever has to accept for it. */
int outcome_at(struct test *t, int fd, int lfd, const struct addr *a,
	       int *peer);
void make_pair(struct test *t, struct pair *p);
void exchange(struct test *t, int fd, int peer, const char *where);
void gate_close(struct test *t, struct gate *g);
void gate_open(struct test *t, struct gate *g);
/* A non-blocking socket whose attempt waits at the gate. */
int pending(struct test *t, struct gate *g);
bool is_connected(int fd);
/* Where nothing is bound; for a path, the file that a socket left behind. */
void unbound_target(struct test *t, struct addr *a);
void plain_file(struct test *t, struct addr *a);

/* Datagrams of one byte. */
int give(int fd, const struct addr *to, char c);
int take(int fd);

/* A thread that calls connect(). */
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

/* Addresses that more than one family writes alike. */
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
/* inet.c: an IP port that no other case of the family uses. */
unsigned int fresh_port(void);
/* run.c: which of the family's cases this is. */
extern unsigned int case_number;

/* For the tables of those that have none. */
#define NO_PATHS							\
	{ "E-ACCES-PATH", ANY, "its addresses are not paths" },		\
	{ "E-NOENT", ANY, "its addresses are not paths" },		\
	{ "E-NOTDIR", ANY, "its addresses are not paths" },		\
	{ "E-LOOP", ANY, "its addresses are not paths" },		\
	{ "E-NAMETOOLONG", ANY, "its addresses are not paths" },	\
	{ "E-PROTOTYPE", ANY, "each type has addresses of its own" }

#define NO_BROADCAST							\
	{ "E-ACCES-BCAST", ANY, "IPv6 has no broadcast address" }

extern const struct exempt unix_exempt[], unix_name_exempt[], tcp4_exempt[],
	tcp6_exempt[], udp4_exempt[], udp6_exempt[], vsock_exempt[],
	tipc_exempt[], alt_port_exempt[], alt_name_exempt[],
	alt_unix_name_exempt[], alt_path_exempt[], alt_unix_exempt[],
	alt_inet_exempt[], alt_inet6_exempt[];

#endif /* _CONFORMANCE_H */
