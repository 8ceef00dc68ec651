// SPDX-License-Identifier: GPL-2.0
/* This file lists the sentences of the manual. Clause names never change. */
#include "conformance.h"
#include "clause.h"

#include <strings.h>

const struct clause clauses[] = {
	{ .name = "S-CONN", .types = CONN, .modes = BOTH,
	  .text = "connect() on a stream or seqpacket socket makes a "
		  "connection to the socket bound to the address.",
	  .how = "A socket connects to a listener. Data passes in both "
		 "directions. Data that was sent before accept() arrives "
		 "after it. The listener has no second connection.",
	  .run = s_conn },
	{ .name = "S-DEST", .types = DGRAM, .modes = 0,
	  .text = "connect() on a datagram socket sets the address to which "
		  "datagrams are sent by default.",
	  .how = "send() reaches the peer, and sendto() still reaches "
		 "another socket.",
	  .run = s_dest },
	{ .name = "S-ONLY", .types = DGRAM, .modes = 0,
	  .text = "connect() on a datagram socket sets the only address from "
		  "which datagrams are received.",
	  .how = "Another socket sends before and after connect(), and then "
		 "the peer sends. Only datagrams of the peer may be read.",
	  .run = s_only },
	{ .name = "S-ONCE", .types = CONN, .modes = BOTH,
	  .text = "A connection-based socket connects successfully only once.",
	  .how = "A second connect() to another listener fails with EISCONN, "
		 "also after the peer has closed, and this listener has no "
		 "connection.",
	  .run = s_once },
	{ .name = "S-AGAIN", .types = DGRAM, .modes = 0,
	  .text = "A datagram socket may connect many times to change its "
		  "association.",
	  .how = "The socket connects to two peers in turn. Then a further "
		 "connect() fails, and the socket keeps its last peer.",
	  .run = s_again },
	{ .name = "S-UNSPEC", .types = ANY, .modes = BOTH,
	  .text = "An address of family AF_UNSPEC dissolves the association.",
	  .how = "Datagram sockets: AF_UNSPEC succeeds on an unconnected and "
		 "on a connected socket. Then the socket has no destination "
		 "and receives from any sender. An address from bind() "
		 "stays, and an automatic address is released. Other "
		 "sockets: the peer reads the end of the data, and the "
		 "socket can connect again. An attempt is cancelled, and a "
		 "listener stops listening.",
	  .run = s_unspec },
	{ .name = "S-NULL", .types = DGRAM, .modes = 0,
	  .text = "An invalid address, such as a null address, dissolves the "
		  "association of a datagram socket.",
	  .how = "The addresses are zeroes of full length, two bytes of "
		 "zero, a length of 0, and the null address of the family. "
		 "Another invalid address changes nothing.",
	  .run = s_null },
	{ .name = "S-FORM", .types = ANY, .modes = BOTH,
	  .text = "The format of the address is that of the address space of "
		  "the socket, and addrlen is the size of the address.",
	  .how = "Each malformed address fails with EINVAL and leaves the "
		 "socket usable. Unusual but valid addresses connect.",
	  .run = s_form },
	{ .name = "S-INT", .types = ANY, .modes = 0,
	  .text = "The third argument of connect() is in reality an int.",
	  .how = "Negative lengths, and lengths that are longer than any "
		 "address, fail with EINVAL.",
	  .run = s_int },
	{ .name = "S-THREAD", .types = ANY, .modes = BOTH,
	  .text = "Threads may call connect() on one socket at the same time.",
	  .how = "Four threads call connect() at the same time, in many "
		 "rounds. There is one connection, and each call returns a "
		 "true result. A datagram socket has one of the peers.",
	  .run = s_thread },
	{ .name = "S-RET", .types = ANY, .modes = BOTH,
	  .text = "connect() returns 0, or -1 with an errno that the manual "
		  "names.",
	  .how = "The addresses are unbound, bound without a listener, "
		 "malformed, or of another family. No other errno appears.",
	  .run = s_ret },
	{ .name = "S-RESUME", .types = ANY, .modes = BOTH,
	  .text = "After a failed attempt the error is returned once, and the "
		  "socket can connect again.",
	  .how = "An attempt is refused. SO_ERROR or the next connect() "
		 "returns the error once. The connect() after that succeeds.",
	  .run = s_resume },
	{ .name = "S-DONE", .types = CONN, .modes = NONBLOCKING,
	  .text = "When an attempt succeeds after EINPROGRESS, the next "
		  "connect() returns 0 and the one after it fails with "
		  "EISCONN.",
	  .how = "An attempt that waits is established. Then connect() is "
		 "called twice.",
	  .run = s_done },
	{ .name = "E-ACCES-PATH", .types = ANY, .modes = BOTH,
	  .text = "EACCES: the caller has no write permission on the socket "
		  "file, or no search permission on a directory of the path.",
	  .how = "The caller lacks the capabilities that override "
		 "permissions. A file has no write permission, a directory "
		 "has no search permission, and another file has only write "
		 "permission.",
	  .run = e_acces_path },
	{ .name = "E-ACCES-BCAST", .types = ANY, .modes = BOTH,
	  .text = "EACCES: the address is a broadcast address and the socket "
		  "has no broadcast flag.",
	  .how = "connect() is called without SO_BROADCAST and with it.",
	  .run = e_acces_bcast },
	{ .name = "E-PERM-RULE", .types = ANY, .modes = BOTH,
	  .text = "EPERM or EACCES: a local rule denies the connection.",
	  .how = "A route prohibits the address, or in altconn a rule denies "
		 "it.",
	  .run = e_perm_rule },
	{ .name = "E-ADDRINUSE", .types = ANY, .modes = BOTH,
	  .text = "EADDRINUSE: the local address is in use.",
	  .how = "bind() is called with an address that is taken. connect() "
		 "is called from an address that another socket has "
		 "connected to the same peer.",
	  .run = e_addrinuse },
	{ .name = "E-ADDRNOTAVAIL", .types = ANY, .modes = 0,
	  .text = "EADDRNOTAVAIL: the address is not available on this "
		  "machine.",
	  .how = "bind() is called with an address of another machine. A "
		 "stream or seqpacket socket connects to the null address.",
	  .run = e_addrnotavail },
	{ .name = "E-AFNOSUPPORT", .types = ANY, .modes = BOTH,
	  .text = "EAFNOSUPPORT: the address is of a family that the socket "
		  "cannot use.",
	  .how = "A valid address has another address family in it.",
	  .run = e_afnosupport },
	{ .name = "E-AGAIN-PORT", .types = ANY, .modes = BOTH,
	  .text = "EAGAIN: no local port is free.",
	  .how = "The ephemeral range has one port, and two clients connect.",
	  .run = e_again_port },
	{ .name = "E-AGAIN-TABLE", .types = CONN, .modes = BOTH,
	  .text = "EAGAIN: a table has no free entry.",
	  .how = "The limit is one association, and two clients connect.",
	  .run = e_again_table },
	{ .name = "E-ALREADY", .types = CONN, .modes = BOTH,
	  .text = "EALREADY: the socket is non-blocking and an attempt is "
		  "under way.",
	  .how = "connect() is called twice while an attempt waits. A "
		 "blocking connect() waits for this attempt and returns its "
		 "result.",
	  .run = e_already },
	{ .name = "E-BADF", .types = ANY, .modes = 0,
	  .text = "EBADF: the descriptor is not open.",
	  .how = "The descriptor is closed, -1, or a large number.",
	  .run = e_badf },
	{ .name = "E-NOTSOCK", .types = ANY, .modes = 0,
	  .text = "ENOTSOCK: the descriptor is not a socket.",
	  .how = "The descriptor is that of a pipe, and that of a file.",
	  .run = e_notsock },
	{ .name = "E-FAULT", .types = ANY, .modes = 0,
	  .text = "EFAULT: the address lies outside of the memory of the "
		  "process.",
	  .how = "The address is in a page that cannot be read, runs into "
		 "such a page, or is NULL.",
	  .run = e_fault },
	{ .name = "E-CONNREFUSED", .types = ANY, .modes = BOTH,
	  .text = "ECONNREFUSED: no socket listens at the address.",
	  .how = "The address is unbound, bound without a listener, or that "
		 "of another socket type. The listener closed before the "
		 "attempt, or while the attempt waits. A datagram is sent to "
		 "an unbound address. In altconn a full listener fails fast, "
		 "and a waiting room is full.",
	  .run = e_connrefused },
	{ .name = "E-HOSTUNREACH", .types = ANY, .modes = BOTH,
	  .text = "EHOSTUNREACH: the host cannot be reached.",
	  .how = "A route makes the host unreachable, or in altconn a rule "
		 "does, and a node is set down.",
	  .run = e_hostunreach },
	{ .name = "E-NETUNREACH", .types = ANY, .modes = BOTH,
	  .text = "ENETUNREACH: the network cannot be reached.",
	  .how = "No route leads to the address.",
	  .run = e_netunreach },
	{ .name = "E-INPROGRESS", .types = CONN, .modes = NONBLOCKING,
	  .text = "EINPROGRESS: the socket is non-blocking and the attempt "
		  "cannot end at once. poll() for writing reports the end, "
		  "and SO_ERROR returns the result.",
	  .how = "The backlog is full. poll() reports no event before the "
		 "decision, and POLLOUT after it. When the listener closes, "
		 "poll() reports POLLERR, and SO_ERROR returns the error "
		 "once.",
	  .run = e_inprogress },
	{ .name = "E-INTR", .types = CONN, .modes = BLOCKING,
	  .text = "EINTR: a signal that is caught interrupts the call, and "
		  "the attempt goes on.",
	  .how = "A thread sleeps at a full backlog and gets a signal, "
		 "without SA_RESTART and with it.",
	  .run = e_intr },
	{ .name = "E-ISCONN", .types = CONN, .modes = BOTH,
	  .text = "EISCONN: the socket is connected already.",
	  .how = "connect() is called twice on a connected socket, and once "
		 "on an accepted one. The connection still works.",
	  .run = e_isconn },
	{ .name = "E-TIMEDOUT", .types = CONN, .modes = BOTH,
	  .text = "ETIMEDOUT: the attempt takes too long, and no connection "
		  "is made.",
	  .how = "The backlog is full, and the deadline is the shortest one "
		 "that the family has. SO_SNDTIMEO ends the wait of the "
		 "call, and the attempt goes on.",
	  .run = e_timedout },
	{ .name = "E-PROTOTYPE", .types = ANY, .modes = BOTH,
	  .text = "EPROTOTYPE: the socket at the address is of another type.",
	  .how = "A socket of each other type is bound to the address.",
	  .run = e_prototype },
	{ .name = "E-OPNOTSUPP", .types = CONN, .modes = BOTH,
	  .text = "EOPNOTSUPP: the socket listens.",
	  .how = "connect() is called on a listener, and then the listener "
		 "gets a connection.",
	  .run = e_opnotsupp },
	{ .name = "E-NOENT", .types = ANY, .modes = BOTH,
	  .text = "ENOENT: a component of the path does not exist.",
	  .how = "A file is missing, a directory is missing, and a symbolic "
		 "link leads to a missing file.",
	  .run = e_noent },
	{ .name = "E-NOTDIR", .types = ANY, .modes = BOTH,
	  .text = "ENOTDIR: a component of the path is not a directory.",
	  .how = "The path leads through a file, and through a socket file.",
	  .run = e_notdir },
	{ .name = "E-LOOP", .types = ANY, .modes = BOTH,
	  .text = "ELOOP: the path has too many symbolic links.",
	  .how = "A symbolic link leads to itself. A symbolic link to a "
		 "socket file connects.",
	  .run = e_loop },
	{ .name = "E-NAMETOOLONG", .types = ANY, .modes = BOTH,
	  .text = "ENAMETOOLONG: a component of the path is too long.",
	  .how = "A symbolic link leads to a name of 256 bytes.",
	  .run = e_nametoolong },
	{ .name = "E-NOMEM", .types = ANY, .modes = 0,
	  .text = "ENOMEM or ENOBUFS: there is not enough memory.",
	  .how = "Fault injection lets the first allocation fail, then the "
		 "second one, and so on. The same call succeeds afterwards.",
	  .run = e_nomem },
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
