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
	  "connect() on a stream or seqpacket socket makes a connection to "
	  "the socket bound to the address.",
	  "A listener; data in both directions; data sent before accept() "
	  "arrives after it; no second connection appears.",
	  s_conn },
	{ "S-DEST", DGRAM, 0,
	  "connect() on a datagram socket names where datagrams go by "
	  "default.",
	  "send() reaches the peer, sendto() still reaches another.",
	  s_dest },
	{ "S-ONLY", DGRAM, 0,
	  "connect() on a datagram socket names the only address from which "
	  "datagrams are received.",
	  "Another sends before and after connect(), the peer last: of them "
	  "all only the peer's may be read.",
	  s_only },
	{ "S-ONCE", CONN, BOTH,
	  "A connection-based socket connects successfully only once.",
	  "A second connect() to another listener, also after the peer has "
	  "gone, fails with EISCONN and reaches nobody.",
	  s_once },
	{ "S-AGAIN", DGRAM, 0,
	  "A datagram socket may connect many times to change its "
	  "association.",
	  "Two peers in turn; then a re-connect that fails, after which the "
	  "old association holds.",
	  s_again },
	{ "S-UNSPEC", ANY, BOTH,
	  "An address of family AF_UNSPEC dissolves the association.",
	  "Datagrams: not connected and connected, then nothing to send to, "
	  "everybody is received, an explicit address stays, an automatic one "
	  "goes. Connections: the peer sees the end, the socket connects "
	  "anew; an attempt is cancelled; a listener stops.",
	  s_unspec },
	{ "S-NULL", DGRAM, 0,
	  "An invalid address, such as a null address, dissolves the "
	  "association of a datagram socket.",
	  "Zeroes at full length and at two bytes, a length of 0, the "
	  "family's null address; another invalid address changes nothing.",
	  s_null },
	{ "S-FORM", ANY, BOTH,
	  "The format of the address is that of the socket's address space, "
	  "and addrlen is its size.",
	  "Each malformed address gives EINVAL and leaves the socket usable; "
	  "addresses that look odd and are good connect.",
	  s_form },
	{ "S-INT", ANY, 0,
	  "The third argument is in reality an int.",
	  "Negative lengths and lengths beyond any address give EINVAL.",
	  s_int },
	{ "S-THREAD", ANY, BOTH,
	  "Threads may call connect() on one socket at the same time.",
	  "Four threads, many rounds: one connection, and each is told "
	  "something true; datagrams: one of the peers.",
	  s_thread },
	{ "S-RET", ANY, BOTH,
	  "connect() returns 0, or -1 with an errno that the manual names.",
	  "Unbound, not listening, malformed and foreign addresses: no other "
	  "errno appears.",
	  s_ret },
	{ "S-RESUME", ANY, BOTH,
	  "After a failed attempt the error is told once and the socket can "
	  "connect again.",
	  "A refused attempt; SO_ERROR once, or the next connect(), then "
	  "none; then a connection.",
	  s_resume },
	{ "S-DONE", CONN, NONBLOCKING,
	  "When an attempt that answered EINPROGRESS has succeeded, the next "
	  "connect() returns 0 and the one after it EISCONN.",
	  "An attempt that waits is let through, then connect() twice.",
	  s_done },
	{ "E-ACCES-PATH", ANY, BOTH,
	  "EACCES: no write permission on the socket file, or no search "
	  "permission on the way.",
	  "Without the capabilities that override permissions: a file without "
	  "w, a folder without x, a file with w alone.",
	  e_acces_path },
	{ "E-ACCES-BCAST", ANY, BOTH,
	  "EACCES: a broadcast address without the broadcast flag.",
	  "Without SO_BROADCAST and with it.",
	  e_acces_bcast },
	{ "E-PERM-RULE", ANY, BOTH,
	  "EPERM or EACCES: a local rule forbids it.",
	  "A route that prohibits the address.",
	  e_perm_rule },
	{ "E-ADDRINUSE", ANY, BOTH,
	  "EADDRINUSE: the local address is in use.",
	  "bind() to a taken address; connect() from an address that another "
	  "socket has connected to the same peer.",
	  e_addrinuse },
	{ "E-ADDRNOTAVAIL", ANY, 0,
	  "EADDRNOTAVAIL: the address is not one of this machine.",
	  "bind() to an address of another machine; a connection to the null "
	  "address.",
	  e_addrnotavail },
	{ "E-AFNOSUPPORT", ANY, BOTH,
	  "EAFNOSUPPORT: the address is of a family that the socket cannot "
	  "use.",
	  "A good address with another family in it.",
	  e_afnosupport },
	{ "E-AGAIN-PORT", ANY, BOTH,
	  "EAGAIN: no local port is free.",
	  "An ephemeral range of one port, and two clients.",
	  e_again_port },
	{ "E-AGAIN-TABLE", CONN, BOTH,
	  "EAGAIN: a table has no entry left.",
	  "A limit of one association, and two clients.",
	  e_again_table },
	{ "E-ALREADY", CONN, BOTH,
	  "EALREADY: the socket is non-blocking and an attempt is under way.",
	  "connect() twice while an attempt waits; a blocking connect() waits "
	  "for that attempt and returns its result.",
	  e_already },
	{ "E-BADF", ANY, 0,
	  "EBADF: not an open descriptor.",
	  "A closed descriptor, -1, a large one.",
	  e_badf },
	{ "E-NOTSOCK", ANY, 0,
	  "ENOTSOCK: the descriptor is not a socket.",
	  "A pipe and a file.",
	  e_notsock },
	{ "E-FAULT", ANY, 0,
	  "EFAULT: the address lies outside of the process's memory.",
	  "A page that cannot be read, an address that runs into one, NULL.",
	  e_fault },
	{ "E-CONNREFUSED", ANY, BOTH,
	  "ECONNREFUSED: nobody listens at the address.",
	  "Unbound, bound and not listening, another type, a listener that "
	  "closed before or while the attempt waited; a datagram to nobody.",
	  e_connrefused },
	{ "E-HOSTUNREACH", ANY, BOTH,
	  "EHOSTUNREACH: no route to the host.",
	  "A route that calls the host unreachable; a node that is down.",
	  e_hostunreach },
	{ "E-NETUNREACH", ANY, BOTH,
	  "ENETUNREACH: the network cannot be reached.",
	  "An address that no route leads to.",
	  e_netunreach },
	{ "E-INPROGRESS", CONN, NONBLOCKING,
	  "EINPROGRESS: the socket is non-blocking and the attempt cannot end "
	  "at once; poll() for writing tells when it has, SO_ERROR how.",
	  "A full backlog: no event before the decision, POLLOUT after it; "
	  "the listener closes: POLLERR, and the error once.",
	  e_inprogress },
	{ "E-INTR", CONN, BLOCKING,
	  "EINTR: a caught signal interrupted the call; the attempt goes on.",
	  "A thread that sleeps at a full backlog gets a signal, without "
	  "SA_RESTART and with it.",
	  e_intr },
	{ "E-ISCONN", CONN, BOTH,
	  "EISCONN: the socket is connected already.",
	  "connect() twice on a connected socket, and on an accepted one; the "
	  "connection is not harmed.",
	  e_isconn },
	{ "E-TIMEDOUT", CONN, BOTH,
	  "ETIMEDOUT: the attempt took too long, and no connection was made.",
	  "A full backlog and the shortest deadline that the family can have; "
	  "SO_SNDTIMEO ends the wait and not the attempt.",
	  e_timedout },
	{ "E-PROTOTYPE", ANY, BOTH,
	  "EPROTOTYPE: the address has a socket of another type.",
	  "Each other type at the address.",
	  e_prototype },
	{ "E-OPNOTSUPP", CONN, BOTH,
	  "EOPNOTSUPP: the socket listens.",
	  "connect() on a listener, which goes on listening.",
	  e_opnotsupp },
	{ "E-NOENT", ANY, BOTH,
	  "ENOENT: a part of the path does not exist.",
	  "No file, no folder, a link to nowhere.",
	  e_noent },
	{ "E-NOTDIR", ANY, BOTH,
	  "ENOTDIR: a part of the path is no folder.",
	  "A name below a file, and below a socket.",
	  e_notdir },
	{ "E-LOOP", ANY, BOTH,
	  "ELOOP: too many symbolic links.",
	  "A link to itself; a link to a socket file connects.",
	  e_loop },
	{ "E-NAMETOOLONG", ANY, BOTH,
	  "ENAMETOOLONG: a name in the path is too long.",
	  "A link to a name of 256 bytes.",
	  e_nametoolong },
	{ "E-NOMEM", ANY, 0,
	  "ENOMEM or ENOBUFS: memory ran out.",
	  "Fault injection: the first allocation fails, the second, and so "
	  "on; the same call succeeds afterwards.",
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
