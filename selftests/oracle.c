// SPDX-License-Identifier: GPL-2.0
/*
 * Make the same calls on a socket of this family and on its oracle, the TCP,
 * UDP or AF_UNIX socket that it stands for. A row is a sequence of calls. Every
 * result must be that of the oracle, unless a step expects another result, for
 * a reason that Documentation/design/features.rst gives.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <limits.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

#define TCP	1
#define UDP	2
#define UNIX_ST	4
#define UNIX_SQ	8
#define UNIX_DG	16
#define UNIX_CN	(UNIX_ST | UNIX_SQ)
#define UNIX	(UNIX_CN | UNIX_DG)
#define STREAMS	(TCP | UNIX_ST)
#define INET	(TCP | UDP)
#define CONNECTED (TCP | UNIX_CN)
#define DGRAMS	(UDP | UNIX_DG)
#define ALL	(INET | UNIX)

FIXTURE(oracle) {};

FIXTURE_VARIANT(oracle) {
	enum at_format model, ours;
	enum at_kind kind;
	int type;
	unsigned int is;
};

FIXTURE_VARIANT_ADD(oracle, tcp) {
	.model = AT_ORACLE_IN, .ours = AT_IN, .kind = AT_INET,
	.type = SOCK_STREAM, .is = TCP,
};
FIXTURE_VARIANT_ADD(oracle, tcp6) {
	.model = AT_ORACLE_IN6, .ours = AT_IN6, .kind = AT_INET,
	.type = SOCK_STREAM, .is = TCP,
};
FIXTURE_VARIANT_ADD(oracle, udp) {
	.model = AT_ORACLE_IN, .ours = AT_IN, .kind = AT_INET,
	.type = SOCK_DGRAM, .is = UDP,
};
FIXTURE_VARIANT_ADD(oracle, udp6) {
	.model = AT_ORACLE_IN6, .ours = AT_IN6, .kind = AT_INET,
	.type = SOCK_DGRAM, .is = UDP,
};
FIXTURE_VARIANT_ADD(oracle, unix_stream) {
	.model = AT_ORACLE, .ours = AT_UNIX, .kind = AT_NAME,
	.type = SOCK_STREAM, .is = UNIX_ST,
};
FIXTURE_VARIANT_ADD(oracle, unix_stream_path) {
	.model = AT_ORACLE, .ours = AT_UNIX, .kind = AT_PATH,
	.type = SOCK_STREAM, .is = UNIX_ST,
};
FIXTURE_VARIANT_ADD(oracle, unix_seqpacket) {
	.model = AT_ORACLE, .ours = AT_UNIX, .kind = AT_NAME,
	.type = SOCK_SEQPACKET, .is = UNIX_SQ,
};
FIXTURE_VARIANT_ADD(oracle, unix_dgram) {
	.model = AT_ORACLE, .ours = AT_UNIX, .kind = AT_NAME,
	.type = SOCK_DGRAM, .is = UNIX_DG,
};

FIXTURE_SETUP(oracle)
{
	ASSERT_EQ(0, at_catch(SIGPIPE, 0));
}

FIXTURE_TEARDOWN(oracle)
{
	at_cleanup();
}

/*
 * A row consists of these calls. @s, @a, @b and @c are members of struct step;
 * @s is the socket, 0 to 7. A call has one or two results, and "second" means
 * the second result. The calls that receive do not wait: they add MSG_DONTWAIT,
 * except to MSG_ERRQUEUE, which never waits.
 */
enum op {
	END,
	SOCKET,		/* make socket @s */
	PAIR,		/* make 0 connected, 1 accepted or bound, 2 listening */
	SPAIR,		/* make 0 and 1 by socketpair() */
	BIND,		/* bind to a new address, which @s has from then on */
	BIND_TO,	/* bind to the address of socket @a */
	BIND_AUTO,	/* bind to an address that is a family only */
	LISTEN,		/* listen with a backlog of @a */
	CONNECT,	/* connect to the address of socket @a */
	CONNECT_0,	/* connect to port 0 at the address of socket @a */
	UNBLOCK,	/* set O_NONBLOCK */
	ACCEPT,		/* accept a connection as socket @a */
	SEND,		/* send @a bytes, flags @b; second: SIGPIPEs */
	SENDTO,		/* as SEND, to the address of socket 1 */
	SEND_UNTIL,	/* send until the errno is @a */
	RECV,		/* receive @a bytes, flags @b; second: first byte */
	RECV_NULL,	/* as RECV, into no buffer */
	RECV_FROM,	/* as RECV; second: the length of the address */
	RECV_MSG,	/* as RECV; second: the received flags among @c */
	WAIT,		/* wait for @a by poll() */
	SHUT,		/* shutdown(@a) */
	CLOSE,
	GETNAME,	/* get and keep the address; second: its length */
	GETPEER,	/* get the peer's address; second: its length */
	SET,		/* set option @b of level @a to @c */
	GET,		/* get option @b of level @a; second: the value */
	ERROR,		/* get SO_ERROR */
	CRED,		/* SO_PEERCRED: 1 for this process; second: the user */
	IOCTL,		/* request @a; second: the number that it returns */
	STAMP,		/* request @a; second: whether the time is after 2001 */
};

struct step {
	enum op op;
	int s, a, b, c;
	bool differs;	/* the results are @ours, not those of the oracle */
	int ours[2];
};

#define MOST	70000
#define SOCKETS	8
#define STEPS	16

static const struct row {
	const char *name;
	unsigned int on;
	struct step steps[STEPS];
} rows[] = {
	{ .name = "MSG_ERRQUEUE is empty", .on = ALL, .steps = {
		{ .op = PAIR }, { .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8, .b = MSG_ERRQUEUE },
		{ .op = RECV, .s = 1, .a = 8,
		  .b = MSG_ERRQUEUE | MSG_DONTWAIT },
	} },
	{ .name = "MSG_ERRQUEUE of an unconnected socket",
	  .on = INET, .steps = {
		{ .op = SOCKET, .s = 3 },
		{ .op = RECV, .s = 3, .a = 8, .b = MSG_ERRQUEUE },
	} },
	{ .name = "sends to a peer that has shut for reading",
	  .on = STREAMS, .steps = {
		{ .op = PAIR }, { .op = SHUT, .s = 1, .a = SHUT_RD },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = SEND, .s = 0, .a = 3, .b = MSG_NOSIGNAL },
		{ .op = RECV, .s = 1, .a = 2 },
	} },
	{ .name = "shut for reading: new data is read, then nothing",
	  .on = TCP, .steps = {
		{ .op = PAIR }, { .op = SHUT, .s = 1, .a = SHUT_RD },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8 }, { .op = RECV, .s = 1, .a = 8 },
		{ .op = SEND, .s = 1, .a = 2 },
		{ .op = WAIT, .s = 0, .a = POLLIN },
		{ .op = RECV, .s = 0, .a = 8 },
	} },
	{ .name = "shut for reading, then for writing: the second send",
	  .on = TCP, .steps = {
		{ .op = PAIR }, { .op = SHUT, .s = 1, .a = SHUT_RD },
		{ .op = SHUT, .s = 1, .a = SHUT_WR },
		{ .op = WAIT, .s = 0, .a = POLLRDHUP },
		{ .op = RECV, .s = 0, .a = 8 }, { .op = SEND, .s = 0, .a = 3 },
		{ .op = SEND_UNTIL, .s = 0, .a = EPIPE },
	} },
	{ .name = "shut for writing, then for reading", .on = TCP, .steps = {
		{ .op = PAIR }, { .op = SHUT, .s = 1, .a = SHUT_WR },
		{ .op = WAIT, .s = 0, .a = POLLRDHUP },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8 },
		{ .op = SHUT, .s = 1, .a = SHUT_RD },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = SEND_UNTIL, .s = 0, .a = EPIPE },
	} },
	{ .name = "MSG_TRUNC on a stream", .on = STREAMS, .steps = {
		{ .op = PAIR }, { .op = SEND, .s = 0, .a = 9 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV_NULL, .s = 1, .a = 3, .b = MSG_TRUNC },
		{ .op = RECV, .s = 1, .a = 2, .b = MSG_TRUNC | MSG_PEEK },
		{ .op = RECV, .s = 1, .a = 2, .b = MSG_TRUNC },
		{ .op = RECV, .s = 1, .a = 1 },
		{ .op = RECV_NULL, .s = 1, .a = 100, .b = MSG_TRUNC },
		{ .op = RECV, .s = 1, .a = 100 },
	} },
	{ .name = "sendto() on a connection", .on = CONNECTED, .steps = {
		{ .op = PAIR }, { .op = SENDTO, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN | POLLOUT },
		{ .op = RECV, .s = 1, .a = 8 },
	} },
	{ .name = "send() on an unconnected socket", .on = CONNECTED, .steps = {
		{ .op = PAIR }, { .op = SOCKET, .s = 3 },
		{ .op = SEND, .s = 3, .a = 3 },
		{ .op = SEND, .s = 3, .a = 3, .b = MSG_NOSIGNAL },
		{ .op = RECV, .s = 3, .a = 3 }, { .op = SEND, .s = 2, .a = 3 },
		{ .op = RECV, .s = 2, .a = 3 },
		{ .op = SENDTO, .s = 3, .a = 3 },
	} },
	{ .name = "send(), recv() and shutdown() of a pending attempt",
	  .on = TCP, .steps = {
		{ .op = SOCKET, .s = 2 }, { .op = BIND, .s = 2 },
		{ .op = LISTEN, .s = 2, .a = 0 }, { .op = SOCKET, .s = 3 },
		{ .op = CONNECT, .s = 3, .a = 2 }, { .op = SOCKET, .s = 0 },
		{ .op = UNBLOCK, .s = 0 }, { .op = CONNECT, .s = 0, .a = 2 },
		{ .op = SEND, .s = 0, .a = 3 }, { .op = RECV, .s = 0, .a = 3 },
		{ .op = GETPEER, .s = 0 }, { .op = SHUT, .s = 0, .a = SHUT_WR },
		{ .op = ERROR, .s = 0 }, { .op = ERROR, .s = 0 },
		{ .op = CONNECT, .s = 0, .a = 2 },
		{ .op = SHUT, .s = 0, .a = SHUT_RD },
	} },
	{ .name = "shutdown() of no connection", .on = TCP, .steps = {
		{ .op = SOCKET, .s = 3 }, { .op = SHUT, .s = 3, .a = SHUT_RD },
		{ .op = SHUT, .s = 3, .a = SHUT_RDWR }, { .op = BIND, .s = 3 },
		{ .op = SHUT, .s = 3, .a = SHUT_WR },
		{ .op = LISTEN, .s = 3, .a = 1 },
		{ .op = SHUT, .s = 3, .a = SHUT_WR },
		{ .op = SHUT, .s = 3, .a = SHUT_RD },
		{ .op = SHUT, .s = 3, .a = SHUT_RD },
	} },
	{ .name = "recvfrom() on a connection", .on = CONNECTED, .steps = {
		{ .op = PAIR }, { .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV_FROM, .s = 1, .a = 8 },
		{ .op = SEND, .s = 1, .a = 3 },
		{ .op = WAIT, .s = 0, .a = POLLIN },
		{ .op = RECV_FROM, .s = 0, .a = 8 },
		{ .op = SHUT, .s = 1, .a = SHUT_WR },
		{ .op = WAIT, .s = 0, .a = POLLRDHUP },
		{ .op = RECV_FROM, .s = 0, .a = 8 },
	} },
	{ .name = "recvfrom() of a socketpair", .on = UNIX, .steps = {
		{ .op = SPAIR }, { .op = SEND, .s = 0, .a = 3 },
		{ .op = RECV_FROM, .s = 1, .a = 8 },
	} },
	{ .name = "recvfrom() of a datagram", .on = DGRAMS, .steps = {
		{ .op = PAIR }, { .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV_FROM, .s = 1, .a = 8 },
	} },
	{ .name = "a port that listen() chose is freed by shutdown()",
	  .on = TCP, .steps = {
		{ .op = SOCKET, .s = 3 }, { .op = LISTEN, .s = 3, .a = 1 },
		{ .op = GETNAME, .s = 3 }, { .op = SOCKET, .s = 4 },
		{ .op = BIND_TO, .s = 4, .a = 3 },
		{ .op = SHUT, .s = 3, .a = SHUT_RD },
		{ .op = BIND_TO, .s = 4, .a = 3 },
		{ .op = LISTEN, .s = 3, .a = 1 },
		{ .op = SHUT, .s = 3, .a = SHUT_RD }, { .op = BIND, .s = 3 },
		{ .op = LISTEN, .s = 3, .a = 1 },
	} },
	{ .name = "a port that bind() was given stays", .on = TCP, .steps = {
		{ .op = SOCKET, .s = 3 }, { .op = BIND, .s = 3 },
		{ .op = LISTEN, .s = 3, .a = 1 },
		{ .op = SHUT, .s = 3, .a = SHUT_RD }, { .op = SOCKET, .s = 4 },
		{ .op = BIND_TO, .s = 4, .a = 3 },
		{ .op = LISTEN, .s = 3, .a = 1 },
	} },
	{ .name = "SIOCATMARK", .on = INET | UNIX_ST, .steps = {
		{ .op = PAIR }, { .op = IOCTL, .s = 0, .a = SIOCATMARK },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = IOCTL, .s = 1, .a = SIOCATMARK },
		{ .op = SOCKET, .s = 3 },
		{ .op = IOCTL, .s = 3, .a = SIOCATMARK },
	} },
	{ .name = "SIOCGSTAMP of a connection", .on = CONNECTED, .steps = {
		{ .op = PAIR }, { .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8 },
		{ .op = STAMP, .s = 1, .a = SIOCGSTAMP_OLD },
		{ .op = STAMP, .s = 1, .a = SIOCGSTAMPNS_OLD },
	} },
	{ .name = "SIOCGSTAMP of a datagram", .on = DGRAMS, .steps = {
		{ .op = PAIR }, { .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8 },
		{ .op = STAMP, .s = 1, .a = SIOCGSTAMP_OLD },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8 },
		{ .op = STAMP, .s = 1, .a = SIOCGSTAMP_OLD },
		{ .op = STAMP, .s = 1, .a = SIOCGSTAMPNS_OLD },
	} },
	{ .name = "options of an unknown level", .on = ALL, .steps = {
		{ .op = SOCKET, .s = 3 },
		{ .op = SET, .s = 3, .a = 4711, .b = 1, .c = 1 },
		{ .op = GET, .s = 3, .a = 4711, .b = 1 },
		{ .op = SET, .s = 3, .a = SOL_UDP, .b = 99, .c = 1 },
		{ .op = GET, .s = 3, .a = SOL_UDP, .b = 99 },
		{ .op = SET, .s = 3, .a = IPPROTO_IP, .b = 4711, .c = 1 },
		{ .op = GET, .s = 3, .a = IPPROTO_IP, .b = 4711 },
		{ .op = SET, .s = 3, .a = IPPROTO_IPV6, .b = 4711, .c = 1 },
		{ .op = GET, .s = 3, .a = IPPROTO_IPV6, .b = 4711 },
	} },
	{ .name = "SO_PEERCRED without a peer", .on = ALL, .steps = {
		{ .op = SOCKET, .s = 3 }, { .op = CRED, .s = 3 },
		{ .op = BIND, .s = 3 }, { .op = CRED, .s = 3 },
		{ .op = LISTEN, .s = 3, .a = 1 }, { .op = CRED, .s = 3 },
	} },
	{ .name = "SO_PEERCRED of all ends", .on = UNIX_CN, .steps = {
		{ .op = PAIR }, { .op = CRED, .s = 0 }, { .op = CRED, .s = 1 },
		{ .op = CRED, .s = 2 },
	} },
	{ .name = "bind() after connect()", .on = CONNECTED, .steps = {
		{ .op = PAIR }, { .op = BIND, .s = 0 },
		{ .op = GETNAME, .s = 0 }, { .op = GETPEER, .s = 1 },
		{ .op = BIND, .s = 0 }, { .op = BIND_AUTO, .s = 0 },
	} },
	{ .name = "bind() of the end that connected", .on = UNIX_CN, .steps = {
		{ .op = PAIR }, { .op = BIND, .s = 0 },
		{ .op = GETNAME, .s = 0 }, { .op = GETPEER, .s = 1 },
		{ .op = BIND, .s = 0 }, { .op = BIND_AUTO, .s = 0 },
		{ .op = SOCKET, .s = 3 }, { .op = BIND_TO, .s = 3, .a = 0 },
		{ .op = CLOSE, .s = 0 }, { .op = BIND_TO, .s = 3, .a = 0 },
	} },
	{ .name = "an address given late reaches the peer",
	  .on = UNIX_CN, .steps = {
		{ .op = PAIR }, { .op = BIND, .s = 0 },
		{ .op = SOCKET, .s = 3 }, { .op = CONNECT, .s = 3, .a = 0 },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = RECV_FROM, .s = 1, .a = 8 },
		{ .op = LISTEN, .s = 0, .a = 1 },
	} },
	{ .name = "bind() of the end that was accepted",
	  .on = CONNECTED, .steps = {
		{ .op = PAIR }, { .op = BIND, .s = 1 },
		{ .op = BIND_AUTO, .s = 1 }, { .op = GETNAME, .s = 1 },
	} },
	{ .name = "bind() of a socketpair", .on = UNIX, .steps = {
		{ .op = SPAIR }, { .op = BIND, .s = 0 },
		{ .op = GETNAME, .s = 0 }, { .op = GETPEER, .s = 1 },
		{ .op = BIND_AUTO, .s = 1 }, { .op = GETNAME, .s = 1 },
		{ .op = GETPEER, .s = 0 }, { .op = BIND, .s = 1 },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = RECV_FROM, .s = 1, .a = 8 },
	} },
	{ .name = "MSG_EOR", .on = CONNECTED, .steps = {
		{ .op = PAIR }, { .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV_MSG, .s = 1, .a = 8, .c = MSG_EOR | MSG_TRUNC },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV_MSG, .s = 1, .a = 2, .c = MSG_EOR | MSG_TRUNC },
	} },
	{ .name = "a datagram to a closed port, connected",
	  .on = UDP, .steps = {
		{ .op = PAIR }, { .op = SEND, .s = 0, .a = 3 },
		{ .op = CLOSE, .s = 1 }, { .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 0, .a = POLLERR },
		{ .op = SEND, .s = 0, .a = 3 }, { .op = ERROR, .s = 0 },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 0, .a = POLLERR }, { .op = ERROR, .s = 0 },
		{ .op = ERROR, .s = 0 }, { .op = SENDTO, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 0, .a = POLLERR },
		{ .op = RECV, .s = 0, .a = 8 }, { .op = RECV, .s = 0, .a = 8 },
	} },
	{ .name = "a datagram to a closed port, not connected",
	  .on = UDP, .steps = {
		{ .op = SOCKET, .s = 1 }, { .op = BIND, .s = 1 },
		{ .op = CLOSE, .s = 1 }, { .op = SOCKET, .s = 3 },
		{ .op = SENDTO, .s = 3, .a = 3 },
		{ .op = SENDTO, .s = 3, .a = 3 }, { .op = ERROR, .s = 3 },
		{ .op = SOCKET, .s = 2 }, { .op = BIND, .s = 2 },
		{ .op = CONNECT, .s = 3, .a = 2 },
		{ .op = SENDTO, .s = 3, .a = 3 },
		{ .op = SENDTO, .s = 3, .a = 3 }, { .op = ERROR, .s = 3 },
		{ .op = SEND, .s = 3, .a = 3 },
		{ .op = WAIT, .s = 2, .a = POLLIN },
		{ .op = RECV, .s = 2, .a = 8 },
	} },
	{ .name = "a datagram to a socket that is connected elsewhere",
	  .on = UDP, .steps = {
		{ .op = SOCKET, .s = 1 }, { .op = BIND, .s = 1 },
		{ .op = SOCKET, .s = 2 }, { .op = BIND, .s = 2 },
		{ .op = CONNECT, .s = 1, .a = 2 }, { .op = SOCKET, .s = 0 },
		{ .op = SENDTO, .s = 0, .a = 3 }, { .op = ERROR, .s = 0 },
		{ .op = CONNECT, .s = 0, .a = 1 },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 0, .a = POLLERR },
		{ .op = SEND, .s = 0, .a = 3 }, { .op = RECV, .s = 1, .a = 8 },
	} },
	{ .name = "an error is returned before data", .on = UDP, .steps = {
		{ .op = SOCKET, .s = 0 }, { .op = BIND, .s = 0 },
		{ .op = SOCKET, .s = 1 }, { .op = BIND, .s = 1 },
		{ .op = CONNECT, .s = 0, .a = 1 },
		{ .op = CONNECT, .s = 1, .a = 0 },
		{ .op = SEND, .s = 1, .a = 3 },
		{ .op = WAIT, .s = 0, .a = POLLIN }, { .op = CLOSE, .s = 1 },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 0, .a = POLLERR },
		{ .op = RECV, .s = 0, .a = 8 }, { .op = RECV, .s = 0, .a = 8 },
	} },
	{ .name = "shutdown() without a peer", .on = UDP, .steps = {
		{ .op = SOCKET, .s = 3 }, { .op = SHUT, .s = 3, .a = SHUT_RD },
		{ .op = RECV, .s = 3, .a = 8 },
		{ .op = WAIT, .s = 3, .a = POLLRDHUP }, { .op = BIND, .s = 3 },
		{ .op = SHUT, .s = 3, .a = SHUT_RDWR },
		{ .op = WAIT, .s = 3, .a = POLLHUP },
		{ .op = RECV, .s = 3, .a = 8 },
		{ .op = SHUT, .s = 3, .a = SHUT_RD },
	} },
	{ .name = "a datagram socket that is shut for reading receives",
	  .on = UDP, .steps = {
		{ .op = PAIR }, { .op = SHUT, .s = 1, .a = SHUT_RD },
		{ .op = SEND, .s = 0, .a = 3 }, { .op = SEND, .s = 0, .a = 4 },
		{ .op = RECV, .s = 1, .a = 8 }, { .op = RECV, .s = 1, .a = 8 },
		{ .op = RECV, .s = 1, .a = 8 },
		{ .op = SHUT, .s = 0, .a = SHUT_RD },
		{ .op = RECV, .s = 0, .a = 8 }, { .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8 },
	} },
	{ .name = "connect() to port 0", .on = UDP, .steps = {
		{ .op = PAIR }, { .op = CONNECT_0, .s = 0, .a = 1 },
		{ .op = GETPEER, .s = 0 }, { .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 0, .a = POLLERR }, { .op = ERROR, .s = 0 },
		{ .op = CONNECT, .s = 0, .a = 1 }, { .op = GETPEER, .s = 0 },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8 },
	} },
	{ .name = "MSG_MORE joins pieces", .on = UDP, .steps = {
		{ .op = PAIR }, { .op = SEND, .s = 0, .a = 3, .b = MSG_MORE },
		{ .op = SEND, .s = 0, .a = 0, .b = MSG_MORE },
		{ .op = SEND, .s = 0, .a = 4, .b = MSG_MORE },
		{ .op = RECV, .s = 1, .a = 128 },
		{ .op = SEND, .s = 0, .a = 2 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 128 },
		{ .op = RECV, .s = 1, .a = 128 },
		{ .op = SEND, .s = 0, .a = 5 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 128 },
		{ .op = SEND, .s = 0, .a = 0, .b = MSG_MORE },
		{ .op = SEND, .s = 0, .a = 0 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 128 },
	} },
	{ .name = "MSG_MORE sends to the address of the first piece",
	  .on = UDP, .steps = {
		{ .op = PAIR }, { .op = SOCKET, .s = 3 },
		{ .op = SEND, .s = 3, .a = 3, .b = MSG_MORE },
		{ .op = SENDTO, .s = 3, .a = 3, .b = MSG_MORE },
		{ .op = SEND, .s = 3, .a = 4 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 128 },
		{ .op = SEND, .s = 3, .a = 3 },
		{ .op = SENDTO, .s = 3, .a = 1 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 128 },
	} },
	{ .name = "MSG_MORE beyond the longest datagram loses all",
	  .on = UDP, .steps = {
		{ .op = PAIR },
		{ .op = SEND, .s = 0, .a = 60000, .b = MSG_MORE },
		{ .op = SEND, .s = 0, .a = 5600, .b = MSG_MORE },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8, .b = MSG_TRUNC },
		{ .op = SEND, .s = 0, .a = 60000, .b = MSG_MORE },
		{ .op = SEND, .s = 0, .a = 5000, .b = MSG_MORE },
		{ .op = SEND, .s = 0, .a = 507 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8, .b = MSG_TRUNC },
		{ .op = RECV, .s = 1, .a = 8 },
	} },
	{ .name = "UDP_CORK", .on = UDP, .steps = {
		{ .op = PAIR },
		{ .op = GET, .s = 0, .a = SOL_UDP, .b = UDP_CORK },
		{ .op = SET, .s = 0, .a = SOL_UDP, .b = UDP_CORK, .c = 7 },
		{ .op = GET, .s = 0, .a = SOL_UDP, .b = UDP_CORK },
		{ .op = SEND, .s = 0, .a = 3 }, { .op = SEND, .s = 0, .a = 4 },
		{ .op = RECV, .s = 1, .a = 128 },
		{ .op = SET, .s = 0, .a = SOL_UDP, .b = UDP_CORK, .c = 0 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 128 },
		{ .op = RECV, .s = 1, .a = 128 },
		{ .op = GET, .s = 0, .a = SOL_UDP, .b = UDP_CORK },
		{ .op = SEND, .s = 0, .a = 5 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 128 },
	} },
	{ .name = "the longest datagram", .on = UDP, .steps = {
		{ .op = PAIR }, { .op = SEND, .s = 0, .a = 65507 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8, .b = MSG_TRUNC },
		{ .op = SEND, .s = 0, .a = 65508 },
		{ .op = RECV, .s = 1, .a = 8, .b = MSG_TRUNC },
		{ .op = SEND, .s = 0, .a = 65527 },
		{ .op = RECV, .s = 1, .a = 8, .b = MSG_TRUNC },
		{ .op = SEND, .s = 0, .a = 65528 },
		{ .op = SEND, .s = 0, .a = 65536 },
		{ .op = SEND, .s = 0, .a = 70000, .b = MSG_MORE },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8, .b = MSG_TRUNC },
	} },
	{ .name = "the length and the address", .on = UDP, .steps = {
		{ .op = SOCKET, .s = 3 }, { .op = SEND, .s = 3, .a = 70000 },
		{ .op = SEND, .s = 3, .a = 65536 },
		{ .op = SEND, .s = 3, .a = 65535 },
	} },
	{ .name = "a long datagram and a small send buffer",
	  .on = UDP, .steps = {
		{ .op = PAIR },
		{ .op = SET, .s = 0, .a = SOL_SOCKET, .b = SO_SNDBUF, .c = 1 },
		{ .op = SEND, .s = 0, .a = 60000 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8, .b = MSG_TRUNC },
	} },
	{ .name = "SIOCINQ and SIOCOUTQ of datagrams", .on = UDP, .steps = {
		{ .op = PAIR }, { .op = IOCTL, .s = 1, .a = SIOCINQ },
		{ .op = SEND, .s = 0, .a = 3 }, { .op = SEND, .s = 0, .a = 5 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = IOCTL, .s = 1, .a = SIOCINQ },
		{ .op = RECV, .s = 1, .a = 8 },
		{ .op = IOCTL, .s = 1, .a = SIOCINQ },
		{ .op = IOCTL, .s = 0, .a = SIOCOUTQ },
		{ .op = RECV, .s = 1, .a = 8 },
		{ .op = IOCTL, .s = 1, .a = SIOCINQ },
	} },
	{ .name = "SIOCGSTAMP before any datagram", .on = UDP, .steps = {
		{ .op = PAIR }, { .op = STAMP, .s = 1, .a = SIOCGSTAMP_OLD },
		{ .op = STAMP, .s = 1, .a = SIOCGSTAMPNS_OLD },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = WAIT, .s = 1, .a = POLLIN },
		{ .op = RECV, .s = 1, .a = 8 },
		{ .op = STAMP, .s = 1, .a = SIOCGSTAMP_OLD },
	} },
	/* POSIX specifies MSG_EOR, and AF_UNIX drops it. */
	{ .name = "MSG_EOR at the receiver", .on = UNIX_SQ, .steps = {
		{ .op = PAIR }, { .op = SEND, .s = 0, .a = 3, .b = MSG_EOR },
		{ .op = SEND, .s = 0, .a = 3, .b = MSG_EOR },
		{ .op = SEND, .s = 0, .a = 3 },
		{ .op = RECV_MSG, .s = 1, .a = 8, .b = MSG_PEEK,
		  .c = MSG_EOR | MSG_TRUNC, .differs = true,
		  .ours = { 3, MSG_EOR } },
		{ .op = RECV_MSG, .s = 1, .a = 8, .c = MSG_EOR | MSG_TRUNC,
		  .differs = true, .ours = { 3, MSG_EOR } },
		{ .op = RECV_MSG, .s = 1, .a = 2, .c = MSG_EOR | MSG_TRUNC,
		  .differs = true, .ours = { 2, MSG_EOR | MSG_TRUNC } },
		{ .op = RECV_MSG, .s = 1, .a = 8, .c = MSG_EOR | MSG_TRUNC },
	} },
};

static const struct row reuseport = {
	.name = "SO_REUSEPORT of datagram sockets", .on = UDP, .steps = {
		{ .op = SOCKET, .s = 3 },
		{ .op = SET, .s = 3, .a = SOL_SOCKET, .b = SO_REUSEPORT,
		  .c = 1 },
		{ .op = BIND, .s = 3 }, { .op = SOCKET, .s = 4 },
		{ .op = BIND_TO, .s = 4, .a = 3 },
		{ .op = SET, .s = 4, .a = SOL_SOCKET, .b = SO_REUSEPORT,
		  .c = 1 },
		{ .op = GET, .s = 4, .a = SOL_SOCKET, .b = SO_REUSEPORT },
		{ .op = BIND_TO, .s = 4, .a = 3 }, { .op = SOCKET, .s = 5 },
		{ .op = SET, .s = 5, .a = SOL_SOCKET, .b = SO_REUSEADDR,
		  .c = 1 },
		{ .op = BIND_TO, .s = 5, .a = 3 },
	}
};

/* A row runs on the sockets @fds, which have the addresses @names. */
struct stage {
	const FIXTURE_VARIANT(oracle) *variant;
	enum at_format format;
	int fds[SOCKETS];
	struct at_addr names[SOCKETS];
};

struct result {
	int ret, more;
};

static int value_of(long ret)
{
	return ret < 0 ? -errno : ret;
}

/*
 * Return the length of an address. In the variants of AF_UNIX the length of any
 * address with a name counts as 3, since it differs between runs.
 */
static int length_of(const struct stage *st, socklen_t len)
{
	return st->variant->is & UNIX && len > 2 ? 3 : len;
}

static int open_socket(struct stage *st, int s)
{
	st->fds[s] = at_socket(st->format, st->variant->type);
	return st->fds[s] < 0 ? -errno : 0;
}

static int bind_new(struct stage *st, int s)
{
	struct at_addr a;
	int err;

	at_addr(&a, st->format, st->variant->kind);
	err = value_of(at_bind(st->fds[s], &a));
	if (!err)
		st->names[s] = a;
	return err;
}

static int bind_auto(struct stage *st, int s)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };

	return value_of(bind(st->fds[s], &sa, sizeof(sa.sa_family)));
}

static int connect_to(struct stage *st, int s, int to)
{
	return value_of(at_connect(st->fds[s], &st->names[to]));
}

static int connect_port_0(struct stage *st, int s, int to)
{
	struct at_addr a = st->names[to];

	if (a.sa.sa_family == AF_INET6)
		a.in6.sin6_port = 0;
	else
		a.in.sin_port = 0;
	return value_of(at_connect(st->fds[s], &a));
}

static int accept_as(struct stage *st, int s, int as)
{
	st->fds[as] = accept(st->fds[s], NULL, NULL);
	return st->fds[as] < 0 ? -errno : 0;
}

/*
 * Make a connected pair: socket 0 connects to socket 1 if they are datagram
 * sockets, else to the listener 2, which accepts socket 1.
 */
static int make_pair(struct stage *st)
{
	bool dgram = st->variant->type == SOCK_DGRAM;
	int to = dgram ? 1 : 2, err;

	err = open_socket(st, to) ? : bind_new(st, to);
	if (!err && !dgram)
		err = value_of(listen(st->fds[to], 4));
	if (!err)
		err = open_socket(st, 0) ? : connect_to(st, 0, to);
	if (err || dgram)
		return err;
	st->names[1] = st->names[2];
	return accept_as(st, 2, 1);
}

static int send_some(struct stage *st, const struct step *step, bool to)
{
	static const char data[MOST] = "abcdefghij";
	const struct at_addr *a = &st->names[1];
	int fd = st->fds[step->s];

	return value_of(sendto(fd, data, step->a, step->b,
			       to ? &a->sa : NULL, to ? a->len : 0));
}

static int send_until(struct stage *st, const struct step *step)
{
	return at_until(at_err(send(st->fds[step->s], "x", 1, MSG_NOSIGNAL)) ==
			step->a);
}

static void receive(struct stage *st, const struct step *step,
		    struct result *r)
{
	int wait = step->b & MSG_ERRQUEUE ? 0 : MSG_DONTWAIT;
	char buf[128] = "#", name[128];
	struct iovec iov = { step->op == RECV_NULL ? NULL : buf, step->a };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_name = step->op == RECV_FROM ? name : NULL,
		.msg_namelen = step->op == RECV_FROM ? sizeof(name) : 0,
	};

	r->ret = value_of(recvmsg(st->fds[step->s], &msg, step->b | wait));
	if (r->ret < 0)
		return;
	if (step->op == RECV_FROM)
		r->more = length_of(st, msg.msg_namelen);
	else if (step->op == RECV_MSG)
		r->more = msg.msg_flags & step->c;
	else
		r->more = buf[0];
}

static void get_name(struct stage *st, const struct step *step,
		     struct result *r)
{
	struct at_addr a;

	r->ret = value_of(step->op == GETNAME ?
			  at_getsockname(st->fds[step->s], &a) :
			  at_getpeername(st->fds[step->s], &a));
	if (r->ret)
		return;
	r->more = length_of(st, a.len);
	if (step->op == GETNAME)
		st->names[step->s] = a;
}

static void read_option(struct stage *st, const struct step *step,
			struct result *r)
{
	socklen_t len = sizeof(r->more);

	r->ret = value_of(getsockopt(st->fds[step->s], step->a, step->b,
				     &r->more, &len));
	if (r->ret)
		r->more = 0;
}

static void get_cred(struct stage *st, int s, struct result *r)
{
	struct ucred cred = {};
	socklen_t len = sizeof(cred);

	r->ret = value_of(getsockopt(st->fds[s], SOL_SOCKET, SO_PEERCRED,
				     &cred, &len));
	if (!r->ret)
		r->ret = cred.pid == getpid() ? 1 : cred.pid;
	r->more = cred.uid;
}

static void get_stamp(struct stage *st, const struct step *step,
		      struct result *r)
{
	long stamp[2] = {};

	r->ret = value_of(ioctl(st->fds[step->s], step->a, stamp));
	r->more = stamp[0] > 1000000000;
}

static struct result play_step(struct stage *st, const struct step *step)
{
	int *fd = &st->fds[step->s];
	struct result r = {};

	atomic_store(&at_caught, 0);
	switch (step->op) {
	case SOCKET:
		r.ret = open_socket(st, step->s);
		break;
	case PAIR:
		r.ret = make_pair(st);
		break;
	case SPAIR:
		r.ret = value_of(at_socketpair(st->format, st->variant->type,
					       st->fds));
		break;
	case BIND:
		r.ret = bind_new(st, step->s);
		break;
	case BIND_TO:
		r.ret = value_of(at_bind(*fd, &st->names[step->a]));
		break;
	case BIND_AUTO:
		r.ret = bind_auto(st, step->s);
		break;
	case LISTEN:
		r.ret = value_of(listen(*fd, step->a));
		break;
	case CONNECT:
		r.ret = connect_to(st, step->s, step->a);
		break;
	case CONNECT_0:
		r.ret = connect_port_0(st, step->s, step->a);
		break;
	case UNBLOCK:
		r.ret = at_nonblock(*fd, true);
		break;
	case ACCEPT:
		r.ret = accept_as(st, step->s, step->a);
		break;
	case SEND:
	case SENDTO:
		r.ret = send_some(st, step, step->op == SENDTO);
		r.more = atomic_load(&at_caught);
		break;
	case SEND_UNTIL:
		r.ret = send_until(st, step);
		break;
	case RECV:
	case RECV_NULL:
	case RECV_FROM:
	case RECV_MSG:
		receive(st, step, &r);
		break;
	case WAIT:
		r.ret = !!at_poll(*fd, step->a);
		break;
	case SHUT:
		r.ret = value_of(shutdown(*fd, step->a));
		break;
	case CLOSE:
		r.ret = close(*fd);
		*fd = -1;
		break;
	case GETNAME:
	case GETPEER:
		get_name(st, step, &r);
		break;
	case SET:
		r.ret = value_of(setsockopt(*fd, step->a, step->b, &step->c,
					    sizeof(step->c)));
		break;
	case GET:
		read_option(st, step, &r);
		break;
	case ERROR:
		r.ret = at_so_error(*fd);
		break;
	case CRED:
		get_cred(st, step->s, &r);
		break;
	case IOCTL:
		r.ret = value_of(ioctl(*fd, step->a, &r.more));
		break;
	case STAMP:
		get_stamp(st, step, &r);
		break;
	case END:
		break;
	}
	return r;
}

static void play_row(const FIXTURE_VARIANT(oracle) *variant,
		     enum at_format format,
		     const struct row *row, struct result *results)
{
	struct stage st = { .variant = variant, .format = format };
	int i;

	memset(st.fds, -1, sizeof(st.fds));
	for (i = 0; i < STEPS && row->steps[i].op; i++)
		results[i] = play_step(&st, &row->steps[i]);
	at_close(st.fds, SOCKETS);
	at_cleanup();
}

static void compare(struct __test_metadata *const _metadata,
		    const FIXTURE_VARIANT(oracle) *variant,
		    const struct row *row)
{
	struct result want[STEPS], got[STEPS];
	const struct step *step;
	int i;

	play_row(variant, variant->model, row, want);
	play_row(variant, variant->ours, row, got);
	for (i = 0; i < STEPS && row->steps[i].op; i++) {
		step = &row->steps[i];
		if (step->differs)
			want[i] = (struct result) { step->ours[0],
						    step->ours[1] };
		EXPECT_EQ(want[i].ret, got[i].ret) {
			TH_LOG("%s: step %d", row->name, i);
		}
		EXPECT_EQ(want[i].more, got[i].more) {
			TH_LOG("%s: step %d", row->name, i);
		}
	}
}

TEST_F_TIMEOUT(oracle, rows, AT_TIMEOUT)
{
	int n;

	for (n = 0; n < ARRAY_SIZE(rows); n++)
		if (rows[n].on & variant->is)
			compare(_metadata, variant, &rows[n]);
}

TEST_F_TIMEOUT(oracle, datagrams_share_a_port, AT_TIMEOUT)
{
	int fd = at_socket(variant->ours, SOCK_DGRAM);

	if (variant->is != UDP)
		SKIP(return, "UDP only");
	if (at_set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1))
		SKIP(return, "before 6.6 the core keeps it for IP");
	close(fd);
	compare(_metadata, variant, &reuseport);
}

/*
 * The test option_values sets these options of TCP and IP to every value of
 * @values, and in every length.
 */
static const struct option {
	int level, name;
	const char *text;
} options[] = {
#define OPTION(l, n) { .level = l, .name = n, .text = #n }
	OPTION(IPPROTO_TCP, TCP_NODELAY), OPTION(IPPROTO_TCP, TCP_CORK),
	OPTION(IPPROTO_TCP, TCP_KEEPIDLE), OPTION(IPPROTO_TCP, TCP_KEEPINTVL),
	OPTION(IPPROTO_TCP, TCP_KEEPCNT), OPTION(IPPROTO_TCP, TCP_SYNCNT),
	OPTION(IPPROTO_TCP, TCP_LINGER2),
	OPTION(IPPROTO_TCP, TCP_DEFER_ACCEPT),
	OPTION(IPPROTO_TCP, TCP_QUICKACK),
	OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT),
	OPTION(IPPROTO_TCP, TCP_FASTOPEN),
	OPTION(IPPROTO_TCP, TCP_NOTSENT_LOWAT),
	OPTION(IPPROTO_IP, IP_TOS), OPTION(IPPROTO_IP, IP_TTL),
	OPTION(IPPROTO_IP, IP_RECVERR), OPTION(IPPROTO_IP, IP_MTU_DISCOVER),
	OPTION(IPPROTO_IP, IP_FREEBIND),
	OPTION(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
	OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS),
	OPTION(IPPROTO_IPV6, IPV6_TCLASS), OPTION(IPPROTO_IPV6, IPV6_RECVERR),
	OPTION(IPPROTO_IPV6, IPV6_MTU_DISCOVER),
};

static const int values[] = {
	INT_MIN, -2, -1, 0, 1, 2, 3, 5, 6, 7, 8, 60, 119, 120, 121, 127, 128,
	255, 256, 257, 32767, 32768, INT_MAX, 4, 0x1b,
};

struct reply {
	int set, get, len, value;
};

/* Call setsockopt() and then getsockopt(). Return the results of both. */
static struct reply try_option(int fd, const struct option *o, int value,
			       int set_len, int get_len)
{
	long long wide = value;
	struct reply reply = { .value = 0 };
	socklen_t len = get_len;

	reply.set = value_of(setsockopt(fd, o->level, o->name, &wide, set_len));
	reply.get = value_of(getsockopt(fd, o->level, o->name, &reply.value,
					&len));
	reply.len = reply.get ? 0 : len;
	return reply;
}

#define EXPECT_SAME(which, number, set_len, get_len) do {		\
	const struct option *__o = (which);				\
	struct reply __t[2] = {						\
		try_option(model, __o, number, set_len, get_len),	\
		try_option(ours, __o, number, set_len, get_len),	\
	};								\
									\
	EXPECT_EQ(0, memcmp(&__t[0], &__t[1], sizeof(__t[0]))) {	\
		TH_LOG("%s = %d, %d to %d bytes: "			\
		       "%d %d %d %d, ours %d %d %d %d",			\
		       __o->text, number, set_len, get_len,		\
		       __t[0].set, __t[0].get, __t[0].len, __t[0].value, \
		       __t[1].set, __t[1].get, __t[1].len, __t[1].value); \
	}								\
} while (0)

TEST_F_TIMEOUT(oracle, option_values, AT_TIMEOUT)
{
	int model = at_socket(variant->model, variant->type);
	int ours = at_socket(variant->ours, variant->type);
	int i, j, len;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		for (j = 0; j < ARRAY_SIZE(values); j++)
			EXPECT_SAME(&options[i], values[j], 4, 4);
		for (len = 0; len <= 8; len++)
			EXPECT_SAME(&options[i], 9, len, 4);
		for (len = 0; len < 4; len++)
			EXPECT_SAME(&options[i], 10, 4, len);
	}
	close(model);
	close(ours);
}

/* An accepted socket may inherit these options from its listener. */
static const struct inheritable {
	int level, name, value;
} inheritable[] = {
	{ .level = SOL_SOCKET, .name = SO_KEEPALIVE, .value = 1 },
	{ .level = SOL_SOCKET, .name = SO_REUSEADDR, .value = 1 },
	{ .level = SOL_SOCKET, .name = SO_BROADCAST, .value = 1 },
	{ .level = SOL_SOCKET, .name = SO_OOBINLINE, .value = 1 },
	{ .level = SOL_SOCKET, .name = SO_DONTROUTE, .value = 1 },
	{ .level = SOL_SOCKET, .name = SO_RCVBUF, .value = 30000 },
	{ .level = SOL_SOCKET, .name = SO_SNDBUF, .value = 30000 },
	{ .level = SOL_SOCKET, .name = SO_RCVLOWAT, .value = 5 },
	{ .level = SOL_SOCKET, .name = SO_PRIORITY, .value = 3 },
	{ .level = SOL_SOCKET, .name = SO_MARK, .value = 7 },
	{ .level = SOL_SOCKET, .name = SO_TIMESTAMP, .value = 1 },
	{ .level = SOL_SOCKET, .name = SO_DEBUG, .value = 1 },
	{ .level = SOL_SOCKET, .name = SO_RXQ_OVFL, .value = 1 },
	{ .level = SOL_SOCKET, .name = SO_SELECT_ERR_QUEUE, .value = 1 },
	{ .level = IPPROTO_TCP, .name = TCP_NODELAY, .value = 1 },
	{ .level = IPPROTO_TCP, .name = TCP_KEEPIDLE, .value = 77 },
	{ .level = IPPROTO_TCP, .name = TCP_KEEPINTVL, .value = 7 },
	{ .level = IPPROTO_TCP, .name = TCP_KEEPCNT, .value = 4 },
	{ .level = IPPROTO_TCP, .name = TCP_USER_TIMEOUT, .value = 900 },
	{ .level = IPPROTO_IP, .name = IP_TTL, .value = 9 },
};

struct inherited {
	int set[ARRAY_SIZE(inheritable)];	/* results of setsockopt() */
	struct result options[ARRAY_SIZE(inheritable)];
	struct linger linger;
	struct timeval timeouts[2];
};

static int read_inherited(const FIXTURE_VARIANT(oracle) *variant,
			  enum at_format format, struct inherited *h)
{
	struct stage st = { .variant = variant, .format = format };
	struct timeval tv = { .tv_sec = 9 };
	struct linger linger = { .l_onoff = 1, .l_linger = 3 };
	struct step step = { .s = 1 };
	socklen_t len;
	int i, fd;

	memset(st.fds, -1, sizeof(st.fds));
	memset(h, 0, sizeof(*h));
	if (open_socket(&st, 2) || bind_new(&st, 2) || listen(st.fds[2], 4))
		return -1;
	fd = st.fds[2];
	for (i = 0; i < ARRAY_SIZE(inheritable); i++)
		h->set[i] = value_of(at_set_flag(fd, inheritable[i].level,
						 inheritable[i].name,
						 inheritable[i].value));
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)))
		return -1;
	if (open_socket(&st, 0) || connect_to(&st, 0, 2) ||
	    accept_as(&st, 2, 1))
		return -1;
	for (i = 0; i < ARRAY_SIZE(inheritable); i++) {
		step.a = inheritable[i].level;
		step.b = inheritable[i].name;
		read_option(&st, &step, &h->options[i]);
	}
	len = sizeof(h->linger);
	if (getsockopt(st.fds[1], SOL_SOCKET, SO_LINGER, &h->linger, &len))
		return -1;
	len = sizeof(tv);
	if (getsockopt(st.fds[1], SOL_SOCKET, SO_RCVTIMEO, &h->timeouts[0],
		       &len) ||
	    getsockopt(st.fds[1], SOL_SOCKET, SO_SNDTIMEO, &h->timeouts[1],
		       &len))
		return -1;
	at_close(st.fds, SOCKETS);
	at_cleanup();
	return 0;
}

TEST_F_TIMEOUT(oracle, accepted_socket_inherits, AT_TIMEOUT)
{
	struct inherited want, got;
	int i;

	if (!(variant->is & CONNECTED))
		SKIP(return, "connections only");
	ASSERT_EQ(0, read_inherited(variant, variant->model, &want));
	ASSERT_EQ(0, read_inherited(variant, variant->ours, &got));
	for (i = 0; i < ARRAY_SIZE(inheritable); i++) {
		/* Both families have all options of SOL_SOCKET. */
		if (inheritable[i].level == SOL_SOCKET)
			EXPECT_EQ(0, want.set[i]) {
				TH_LOG("option %d, %d", inheritable[i].level,
				       inheritable[i].name);
			}
		EXPECT_EQ(want.set[i], got.set[i]) {
			TH_LOG("option %d, %d", inheritable[i].level,
			       inheritable[i].name);
		}
		EXPECT_EQ(want.options[i].ret, got.options[i].ret) {
			TH_LOG("option %d, %d", inheritable[i].level,
			       inheritable[i].name);
		}
		EXPECT_EQ(want.options[i].more, got.options[i].more) {
			TH_LOG("option %d, %d", inheritable[i].level,
			       inheritable[i].name);
		}
	}
	EXPECT_EQ(want.linger.l_onoff, got.linger.l_onoff);
	EXPECT_EQ(want.linger.l_linger, got.linger.l_linger);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(want.timeouts[i].tv_sec, got.timeouts[i].tv_sec);
		EXPECT_EQ(want.timeouts[i].tv_usec, got.timeouts[i].tv_usec);
	}
}

/*
 * Send @n datagrams to a receiver with a small buffer. Return how many arrived,
 * or -1 if a datagram could not be sent.
 */
static int count_arrived(const FIXTURE_VARIANT(oracle) *variant,
			 enum at_format format, int n)
{
	struct stage st = { .variant = variant, .format = format };
	int i, arrived = 0, one = 1;
	char c;

	memset(st.fds, -1, sizeof(st.fds));
	if (make_pair(&st) || setsockopt(st.fds[1], SOL_SOCKET, SO_RCVBUF,
					 &one, sizeof(one)))
		return -1;
	for (i = 0; i < n; i++)
		if (send(st.fds[0], "x", 1, 0) != 1)
			return -1;
	if (at_poll_now(st.fds[0], POLLOUT) != POLLOUT)
		return -1;
	while (recv(st.fds[1], &c, 1, MSG_DONTWAIT) == 1)
		arrived++;
	at_close(st.fds, SOCKETS);
	at_cleanup();
	return arrived;
}

/* A full receiver drops new datagrams, and their senders get no error. */
TEST_F_TIMEOUT(oracle, full_receiver_drops, AT_TIMEOUT)
{
	int arrived[2];

	if (variant->is != UDP)
		SKIP(return, "UDP only");
	arrived[0] = count_arrived(variant, variant->model, 1000);
	arrived[1] = count_arrived(variant, variant->ours, 1000);
	EXPECT_LT(0, arrived[0]);
	EXPECT_GT(1000, arrived[0]);
	EXPECT_LT(0, arrived[1]);
	EXPECT_GT(1000, arrived[1]);
}

struct sender {
	pthread_t thread;
	int fd, sent;
	atomic_int tid;
};

static void *send_early(void *arg)
{
	struct sender *s = arg;

	atomic_store(&s->tid, gettid());
	s->sent = value_of(send(s->fd, "abc", 3, 0));
	return NULL;
}

/*
 * send() on a socket with a pending attempt waits for the attempt. TCP decides
 * an attempt when it sends the next SYN only, so the manual of TCP is the
 * oracle here.
 */
TEST_F_TIMEOUT(oracle, send_waits_for_the_attempt, AT_TIMEOUT)
{
	struct stage st = { .variant = variant, .format = variant->ours };
	struct sender s = {};
	char buf[8];
	int tid;

	if (variant->is != TCP)
		SKIP(return, "TCP only");
	ASSERT_EQ(0, open_socket(&st, 2) ? : bind_new(&st, 2));
	ASSERT_EQ(0, listen(st.fds[2], 0));
	ASSERT_EQ(0, open_socket(&st, 3) ? : connect_to(&st, 3, 2));
	ASSERT_EQ(0, open_socket(&st, 0));
	ASSERT_EQ(0, at_nonblock(st.fds[0], true));
	ASSERT_EQ(-EINPROGRESS, connect_to(&st, 0, 2));
	ASSERT_EQ(0, at_nonblock(st.fds[0], false));
	s.fd = st.fds[0];
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, send_early, &s));
	ASSERT_TRUE(at_until((tid = atomic_load(&s.tid)) && at_sleeps(tid)));
	ASSERT_EQ(0, accept_as(&st, 2, 4));
	ASSERT_EQ(0, pthread_join(s.thread, NULL));
	EXPECT_EQ(3, s.sent);
	ASSERT_EQ(0, accept_as(&st, 2, 1));
	EXPECT_EQ(3, recv(st.fds[1], buf, sizeof(buf), 0));
	at_close(st.fds, 5);
}

static void *receive_refusal(void *arg)
{
	struct sender *s = arg;
	char c;

	atomic_store(&s->tid, gettid());
	s->sent = value_of(recv(s->fd, &c, 1, 0));
	return NULL;
}

/*
 * Send a datagram that is refused while a thread waits in recv() on the same
 * socket. Return the result of that recv().
 */
static int refuse_while_receiving(const FIXTURE_VARIANT(oracle) *variant,
				  enum at_format format)
{
	struct stage st = { .variant = variant, .format = format };
	struct sender s = {};
	bool asleep;
	int tid;

	memset(st.fds, -1, sizeof(st.fds));
	if (make_pair(&st))
		return 0;
	close(st.fds[1]);
	st.fds[1] = -1;
	s.fd = st.fds[0];
	if (pthread_create(&s.thread, NULL, receive_refusal, &s))
		return 0;
	asleep = at_until((tid = atomic_load(&s.tid)) && at_sleeps(tid));
	if (asleep)
		send(st.fds[0], "x", 1, 0);
	if (!at_until(!at_sleeps(tid)))
		shutdown(st.fds[0], SHUT_RDWR);
	pthread_join(s.thread, NULL);
	at_close(st.fds, SOCKETS);
	at_cleanup();
	return s.sent;
}

TEST_F_TIMEOUT(oracle, refusal_wakes_a_receiver, AT_TIMEOUT)
{
	if (variant->is != UDP)
		SKIP(return, "UDP only");
	EXPECT_EQ(-ECONNREFUSED,
		  refuse_while_receiving(variant, variant->model));
	EXPECT_EQ(-ECONNREFUSED,
		  refuse_while_receiving(variant, variant->ours));
}

/* ---- options of this family ---- */

TEST(values_may_grow_by_zeroes)
{
	struct { uint64_t value, more[3]; } wide = { .value = 7 };
	int fd = at_socket(AT_NATIVE, SOCK_STREAM), option;
	uint64_t ms = 0;
	socklen_t len = sizeof(ms);
	char *page;

	EXPECT_EQ(0, setsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_TIMEOUT,
				&wide, sizeof(wide)));
	EXPECT_EQ(0, getsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_TIMEOUT, &ms,
				&len));
	EXPECT_EQ(7, ms);
	wide.more[2] = 1ULL << 56;
	EXPECT_EQ(E2BIG, at_err(setsockopt(fd, SOL_ALTCONN,
					   ALTCONN_CONNECT_TIMEOUT, &wide,
					   sizeof(wide))));
	EXPECT_EQ(EINVAL, at_err(setsockopt(fd, SOL_ALTCONN,
					    ALTCONN_CONNECT_TIMEOUT, &wide,
					    7)));
	for (option = ALTCONN_BACKLOG_POLICY; option <= ALTCONN_REPLACE_PATH;
	     option++) {
		if (option == ALTCONN_DGRAM_OVERFLOW ||
		    option == ALTCONN_PEER_INFO || option == ALTCONN_REFUSE)
			continue;
		wide.value = 1;
		EXPECT_EQ(0, setsockopt(fd, SOL_ALTCONN, option, &wide, 8));
		wide.value = 1 | 1ULL << 32;
		EXPECT_EQ(E2BIG, at_err(setsockopt(fd, SOL_ALTCONN, option,
						   &wide, 8)));
		/* The value has an unknown bit. */
		wide.value = 3;
		EXPECT_EQ(EINVAL, at_err(setsockopt(fd, SOL_ALTCONN, option,
						    &wide, 8))) {
			TH_LOG("option %d", option);
		}
	}
	/* A value that is longer than a page is refused, even if it is zero. */
	page = calloc(1, 1 << 20);
	EXPECT_EQ(E2BIG, at_err(setsockopt(fd, SOL_ALTCONN,
					   ALTCONN_CONNECT_TIMEOUT, page,
					   1 << 20)));
	free(page);
	close(fd);
}

TEST_HARNESS_MAIN
