// SPDX-License-Identifier: GPL-2.0
/* This file lists the sentences of the manual. Clause names never change. */
#include "conformance.h"
#include "clause.h"

#include <strings.h>

/*
 * Each row has a name, types, modes, the sentence, how it is tried, and the
 * function that tries it.
 */
const struct clause clauses[] = {
	{ "S-CONN", CONN, BOTH,
	  "connect() on a stream or seqpacket socket makes a "
	  "connection to the socket bound to the address.",
	  "A socket connects to a listener. Data passes in both "
	  "directions. Data that was sent before accept() arrives "
	  "after it. The listener has no second connection.",
	  s_conn },
	{ "S-DEST", DGRAM, 0,
	  "connect() on a datagram socket sets the address to which "
	  "datagrams are sent by default.",
	  "send() reaches the peer, and sendto() still reaches "
	  "another socket.",
	  s_dest },
	{ "S-ONLY", DGRAM, 0,
	  "connect() on a datagram socket sets the only address from "
	  "which datagrams are received.",
	  "Another socket sends before and after connect(), and then "
	  "the peer sends. Only datagrams of the peer may be read.",
	  s_only },
	{ "S-ONCE", CONN, BOTH,
	  "A connection-based socket connects successfully only once.",
	  "A second connect() to another listener fails with EISCONN, "
	  "also after the peer has closed, and this listener has no "
	  "connection.",
	  s_once },
	{ "S-AGAIN", DGRAM, 0,
	  "A datagram socket may connect many times to change its "
	  "association.",
	  "The socket connects to two peers in turn. Then a further "
	  "connect() fails, and the socket keeps its last peer.",
	  s_again },
	{ "S-UNSPEC", ANY, BOTH,
	  "An address of family AF_UNSPEC dissolves the association.",
	  "Datagram sockets: AF_UNSPEC succeeds on an unconnected and "
	  "on a connected socket. Then the socket has no destination "
	  "and receives from any sender. An address from bind() "
	  "stays, and an automatic address is released. Other "
	  "sockets: the peer reads the end of the data, and the "
	  "socket can connect again. An attempt is cancelled, and a "
	  "listener stops listening.",
	  s_unspec },
	{ "S-NULL", DGRAM, 0,
	  "An invalid address, such as a null address, dissolves the "
	  "association of a datagram socket.",
	  "The addresses are zeroes of full length, two bytes of "
	  "zero, a length of 0, and the null address of the family. "
	  "Another invalid address changes nothing.",
	  s_null },
	{ "S-FORM", ANY, BOTH,
	  "The format of the address is that of the address space of "
	  "the socket, and addrlen is the size of the address.",
	  "Each malformed address fails with EINVAL and leaves the "
	  "socket usable. Unusual but valid addresses connect.",
	  s_form },
	{ "S-INT", ANY, 0,
	  "The third argument of connect() is in reality an int.",
	  "Negative lengths, and lengths that are longer than any "
	  "address, fail with EINVAL.",
	  s_int },
	{ "S-THREAD", ANY, BOTH,
	  "Threads may call connect() on one socket at the same time.",
	  "Four threads call connect() at the same time, in many "
	  "rounds. There is one connection, and each call returns a "
	  "true result. A datagram socket has one of the peers.",
	  s_thread },
	{ "S-RET", ANY, BOTH,
	  "connect() returns 0, or -1 with an errno that the manual "
	  "names.",
	  "The addresses are unbound, bound without a listener, "
	  "malformed, or of another family. No other errno appears.",
	  s_ret },
	{ "S-RESUME", ANY, BOTH,
	  "After a failed attempt the error is returned once, and the "
	  "socket can connect again.",
	  "An attempt is refused. SO_ERROR or the next connect() "
	  "returns the error once. The connect() after that succeeds.",
	  s_resume },
	{ "S-DONE", CONN, NONBLOCKING,
	  "When an attempt succeeds after EINPROGRESS, the next "
	  "connect() returns 0 and the one after it fails with "
	  "EISCONN.",
	  "An attempt that waits is established. Then connect() is "
	  "called twice.",
	  s_done },
	{ "E-ACCES-PATH", ANY, BOTH,
	  "EACCES: the caller has no write permission on the socket "
	  "file, or no search permission on a directory of the path.",
	  "The caller lacks the capabilities that override "
	  "permissions. A file has no write permission, a directory "
	  "has no search permission, and another file has only write "
	  "permission.",
	  e_acces_path },
	{ "E-ACCES-BCAST", ANY, BOTH,
	  "EACCES: the address is a broadcast address and the socket "
	  "has no broadcast flag.",
	  "connect() is called without SO_BROADCAST and with it.",
	  e_acces_bcast },
	{ "E-PERM-RULE", ANY, BOTH,
	  "EPERM or EACCES: a local rule denies the connection.",
	  "A route prohibits the address, or in altconn a rule denies "
	  "it.",
	  e_perm_rule },
	{ "E-ADDRINUSE", ANY, BOTH,
	  "EADDRINUSE: the local address is in use.",
	  "bind() is called with an address that is taken. connect() "
	  "is called from an address that another socket has "
	  "connected to the same peer.",
	  e_addrinuse },
	{ "E-ADDRNOTAVAIL", ANY, 0,
	  "EADDRNOTAVAIL: the address is not available on this "
	  "machine.",
	  "bind() is called with an address of another machine. A "
	  "stream or seqpacket socket connects to the null address.",
	  e_addrnotavail },
	{ "E-AFNOSUPPORT", ANY, BOTH,
	  "EAFNOSUPPORT: the address is of a family that the socket "
	  "cannot use.",
	  "A valid address has another address family in it.",
	  e_afnosupport },
	{ "E-AGAIN-PORT", ANY, BOTH,
	  "EAGAIN: no local port is free.",
	  "The ephemeral range has one port, and two clients connect.",
	  e_again_port },
	{ "E-AGAIN-TABLE", CONN, BOTH,
	  "EAGAIN: a table has no free entry.",
	  "The limit is one association, and two clients connect.",
	  e_again_table },
	{ "E-ALREADY", CONN, BOTH,
	  "EALREADY: the socket is non-blocking and an attempt is "
	  "under way.",
	  "connect() is called twice while an attempt waits. A "
	  "blocking connect() waits for this attempt and returns its "
	  "result.",
	  e_already },
	{ "E-BADF", ANY, 0,
	  "EBADF: the descriptor is not open.",
	  "The descriptor is closed, -1, or a large number.",
	  e_badf },
	{ "E-NOTSOCK", ANY, 0,
	  "ENOTSOCK: the descriptor is not a socket.",
	  "The descriptor is that of a pipe, and that of a file.",
	  e_notsock },
	{ "E-FAULT", ANY, 0,
	  "EFAULT: the address lies outside of the memory of the "
	  "process.",
	  "The address is in a page that cannot be read, runs into "
	  "such a page, or is NULL.",
	  e_fault },
	{ "E-CONNREFUSED", ANY, BOTH,
	  "ECONNREFUSED: no socket listens at the address.",
	  "The address is unbound, bound without a listener, or that "
	  "of another socket type. The listener closed before the "
	  "attempt, or while the attempt waits. A datagram is sent to "
	  "an unbound address. In altconn a full listener fails fast, "
	  "and a waiting room is full.",
	  e_connrefused },
	{ "E-HOSTUNREACH", ANY, BOTH,
	  "EHOSTUNREACH: the host cannot be reached.",
	  "A route makes the host unreachable, or in altconn a rule "
	  "does, and a node is set down.",
	  e_hostunreach },
	{ "E-NETUNREACH", ANY, BOTH,
	  "ENETUNREACH: the network cannot be reached.",
	  "No route leads to the address.",
	  e_netunreach },
	{ "E-INPROGRESS", CONN, NONBLOCKING,
	  "EINPROGRESS: the socket is non-blocking and the attempt "
	  "cannot end at once. poll() for writing reports the end, "
	  "and SO_ERROR returns the result.",
	  "The backlog is full. poll() reports no event before the "
	  "decision, and POLLOUT after it. When the listener closes, "
	  "poll() reports POLLERR, and SO_ERROR returns the error "
	  "once.",
	  e_inprogress },
	{ "E-INTR", CONN, BLOCKING,
	  "EINTR: a signal that is caught interrupts the call, and "
	  "the attempt goes on.",
	  "A thread sleeps at a full backlog and gets a signal, "
	  "without SA_RESTART and with it.",
	  e_intr },
	{ "E-ISCONN", CONN, BOTH,
	  "EISCONN: the socket is connected already.",
	  "connect() is called twice on a connected socket, and once "
	  "on an accepted one. The connection still works.",
	  e_isconn },
	{ "E-TIMEDOUT", CONN, BOTH,
	  "ETIMEDOUT: the attempt takes too long, and no connection "
	  "is made.",
	  "The backlog is full, and the deadline is the shortest one "
	  "that the family has. SO_SNDTIMEO ends the wait of the "
	  "call, and the attempt goes on.",
	  e_timedout },
	{ "E-PROTOTYPE", ANY, BOTH,
	  "EPROTOTYPE: the socket at the address is of another type.",
	  "A socket of each other type is bound to the address.",
	  e_prototype },
	{ "E-OPNOTSUPP", CONN, BOTH,
	  "EOPNOTSUPP: the socket listens.",
	  "connect() is called on a listener, and then the listener "
	  "gets a connection.",
	  e_opnotsupp },
	{ "E-NOENT", ANY, BOTH,
	  "ENOENT: a component of the path does not exist.",
	  "A file is missing, a directory is missing, and a symbolic "
	  "link leads to a missing file.",
	  e_noent },
	{ "E-NOTDIR", ANY, BOTH,
	  "ENOTDIR: a component of the path is not a directory.",
	  "The path leads through a file, and through a socket file.",
	  e_notdir },
	{ "E-LOOP", ANY, BOTH,
	  "ELOOP: the path has too many symbolic links.",
	  "A symbolic link leads to itself. A symbolic link to a "
	  "socket file connects.",
	  e_loop },
	{ "E-NAMETOOLONG", ANY, BOTH,
	  "ENAMETOOLONG: a component of the path is too long.",
	  "A symbolic link leads to a name of 256 bytes.",
	  e_nametoolong },
	{ "E-NOMEM", ANY, 0,
	  "ENOMEM or ENOBUFS: there is not enough memory.",
	  "Fault injection lets the first allocation fail, then the "
	  "second one, and so on. The same call succeeds afterwards.",
	  e_nomem },
};

const int nclauses = ARRAY_SIZE(clauses);

const struct clause *clause_find(const char *name)
{
	int i;

	for (i = 0; i < nclauses; i++) {
		if (!strcasecmp(clauses[i].name, name))
			return &clauses[i];
	}
	return NULL;
}
