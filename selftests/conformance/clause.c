// SPDX-License-Identifier: GPL-2.0
/* The sentences of the manual, one by one. Their names never change. */
#include "conformance.h"
#include "clause.h"

#include <strings.h>

const struct clause clauses[] = {
	{
		.name = "S-CONN",
		.types = CONN,
		.modes = BOTH,
		.text = "connect() on a stream or seqpacket socket makes a "
			"connection to the socket bound to the address.",
		.how = "A listener; data in both directions; data sent before "
			"accept() arrives after it; no second connection appears.",
		.run = s_conn,
	}, {
		.name = "S-DEST",
		.types = DGRAM,
		.text = "connect() on a datagram socket names where datagrams go by "
			"default.",
		.how = "send() reaches the peer, sendto() still reaches another.",
		.run = s_dest,
	}, {
		.name = "S-ONLY",
		.types = DGRAM,
		.text = "connect() on a datagram socket names the only address from "
			"which datagrams are received.",
		.how = "Another sends before and after connect(), the peer last: "
			"of them all only the peer's may be read.",
		.run = s_only,
	}, {
		.name = "S-ONCE",
		.types = CONN,
		.modes = BOTH,
		.text = "A connection-based socket connects successfully only once.",
		.how = "A second connect() to another listener, also after the "
			"peer has gone, fails with EISCONN and reaches nobody.",
		.run = s_once,
	}, {
		.name = "S-AGAIN",
		.types = DGRAM,
		.text = "A datagram socket may connect many times to change its "
			"association.",
		.how = "Two peers in turn; then a re-connect that fails, after "
			"which the old association holds.",
		.run = s_again,
	}, {
		.name = "S-UNSPEC",
		.types = ANY,
		.modes = BOTH,
		.text = "An address of family AF_UNSPEC dissolves the association.",
		.how = "Datagrams: not connected and connected, then nothing to "
			"send to, everybody is received, an explicit address stays, "
			"an automatic one goes. Connections: the peer sees the end, "
			"the socket connects anew; an attempt is cancelled; a "
			"listener stops.",
		.run = s_unspec,
	}, {
		.name = "S-NULL",
		.types = DGRAM,
		.text = "An invalid address, such as a null address, dissolves the "
			"association of a datagram socket.",
		.how = "Zeroes at full length and at two bytes, a length of 0, the "
			"family's null address; another invalid address changes "
			"nothing.",
		.run = s_null,
	}, {
		.name = "S-FORM",
		.types = ANY,
		.modes = BOTH,
		.text = "The format of the address is that of the socket's address "
			"space, and addrlen is its size.",
		.how = "Each malformed address gives EINVAL and leaves the socket "
			"usable; addresses that look odd and are good connect.",
		.run = s_form,
	}, {
		.name = "S-INT",
		.types = ANY,
		.text = "The third argument is in reality an int.",
		.how = "Negative lengths and lengths beyond any address give "
			"EINVAL.",
		.run = s_int,
	}, {
		.name = "S-THREAD",
		.types = ANY,
		.modes = BOTH,
		.text = "Threads may call connect() on one socket at the same time.",
		.how = "Four threads, many rounds: one connection, and each is "
			"told something true; datagrams: one of the peers.",
		.run = s_thread,
	}, {
		.name = "S-RET",
		.types = ANY,
		.modes = BOTH,
		.text = "connect() returns 0, or -1 with an errno that the manual "
			"names.",
		.how = "Unbound, not listening, malformed and foreign addresses: "
			"no other errno appears.",
		.run = s_ret,
	}, {
		.name = "S-RESUME",
		.types = ANY,
		.modes = BOTH,
		.text = "After a failed attempt the error is told once and the "
			"socket can connect again.",
		.how = "A refused attempt; SO_ERROR once, or the next connect(), "
			"then none; then a connection.",
		.run = s_resume,
	}, {
		.name = "S-DONE",
		.types = CONN,
		.modes = NONBLOCKING,
		.text = "When an attempt that answered EINPROGRESS has succeeded, "
			"the next connect() returns 0 and the one after it EISCONN.",
		.how = "An attempt that waits is let through, then connect() "
			"twice.",
		.run = s_done,
	}, {
		.name = "E-ACCES-PATH",
		.types = ANY,
		.modes = BOTH,
		.text = "EACCES: no write permission on the socket file, or no "
			"search permission on the way.",
		.how = "Without the capabilities that override permissions: a file "
			"without w, a folder without x, a file with w alone.",
		.run = e_acces_path,
	}, {
		.name = "E-ACCES-BCAST",
		.types = ANY,
		.modes = BOTH,
		.text = "EACCES: a broadcast address without the broadcast flag.",
		.how = "Without SO_BROADCAST and with it.",
		.run = e_acces_bcast,
	}, {
		.name = "E-PERM-RULE",
		.types = ANY,
		.modes = BOTH,
		.text = "EPERM or EACCES: a local rule forbids it.",
		.how = "A route that prohibits the address.",
		.run = e_perm_rule,
	}, {
		.name = "E-ADDRINUSE",
		.types = ANY,
		.modes = BOTH,
		.text = "EADDRINUSE: the local address is in use.",
		.how = "bind() to a taken address; connect() from an address that "
			"another socket has connected to the same peer.",
		.run = e_addrinuse,
	}, {
		.name = "E-ADDRNOTAVAIL",
		.types = ANY,
		.text = "EADDRNOTAVAIL: the address is not one of this machine.",
		.how = "bind() to an address of another machine; a connection to "
			"the null address.",
		.run = e_addrnotavail,
	}, {
		.name = "E-AFNOSUPPORT",
		.types = ANY,
		.modes = BOTH,
		.text = "EAFNOSUPPORT: the address is of a family that the socket "
			"cannot use.",
		.how = "A good address with another family in it.",
		.run = e_afnosupport,
	}, {
		.name = "E-AGAIN-PORT",
		.types = ANY,
		.modes = BOTH,
		.text = "EAGAIN: no local port is free.",
		.how = "An ephemeral range of one port, and two clients.",
		.run = e_again_port,
	}, {
		.name = "E-AGAIN-TABLE",
		.types = CONN,
		.modes = BOTH,
		.text = "EAGAIN: a table has no entry left.",
		.how = "A limit of one association, and two clients.",
		.run = e_again_table,
	}, {
		.name = "E-ALREADY",
		.types = CONN,
		.modes = BOTH,
		.text = "EALREADY: the socket is non-blocking and an attempt is "
			"under way.",
		.how = "connect() twice while an attempt waits; a blocking "
			"connect() waits for that attempt and returns its result.",
		.run = e_already,
	}, {
		.name = "E-BADF",
		.types = ANY,
		.text = "EBADF: not an open descriptor.",
		.how = "A closed descriptor, -1, a large one.",
		.run = e_badf,
	}, {
		.name = "E-NOTSOCK",
		.types = ANY,
		.text = "ENOTSOCK: the descriptor is not a socket.",
		.how = "A pipe and a file.",
		.run = e_notsock,
	}, {
		.name = "E-FAULT",
		.types = ANY,
		.text = "EFAULT: the address lies outside of the process's memory.",
		.how = "A page that cannot be read, an address that runs into one, "
			"NULL.",
		.run = e_fault,
	}, {
		.name = "E-CONNREFUSED",
		.types = ANY,
		.modes = BOTH,
		.text = "ECONNREFUSED: nobody listens at the address.",
		.how = "Unbound, bound and not listening, another type, a listener "
			"that closed before or while the attempt waited; a datagram "
			"to nobody.",
		.run = e_connrefused,
	}, {
		.name = "E-HOSTUNREACH",
		.types = ANY,
		.modes = BOTH,
		.text = "EHOSTUNREACH: no route to the host.",
		.how = "A route that calls the host unreachable.",
		.run = e_hostunreach,
	}, {
		.name = "E-NETUNREACH",
		.types = ANY,
		.modes = BOTH,
		.text = "ENETUNREACH: the network cannot be reached.",
		.how = "An address that no route leads to.",
		.run = e_netunreach,
	}, {
		.name = "E-INPROGRESS",
		.types = CONN,
		.modes = NONBLOCKING,
		.text = "EINPROGRESS: the socket is non-blocking and the attempt "
			"cannot end at once; poll() for writing tells when it has, "
			"SO_ERROR how.",
		.how = "A full backlog: no event before the decision, POLLOUT "
			"after it; the listener closes: POLLERR, and the error "
			"once.",
		.run = e_inprogress,
	}, {
		.name = "E-INTR",
		.types = CONN,
		.modes = BLOCKING,
		.text = "EINTR: a caught signal interrupted the call; the attempt "
			"goes on.",
		.how = "A thread that sleeps at a full backlog gets a signal, "
			"without SA_RESTART and with it.",
		.run = e_intr,
	}, {
		.name = "E-ISCONN",
		.types = CONN,
		.modes = BOTH,
		.text = "EISCONN: the socket is connected already.",
		.how = "connect() twice on a connected socket, and on an accepted "
			"one; the connection is not harmed.",
		.run = e_isconn,
	}, {
		.name = "E-TIMEDOUT",
		.types = CONN,
		.modes = BOTH,
		.text = "ETIMEDOUT: the attempt took too long, and no connection "
			"was made.",
		.how = "A full backlog and the shortest deadline that the family "
			"can have; SO_SNDTIMEO ends the wait and not the attempt.",
		.run = e_timedout,
	}, {
		.name = "E-PROTOTYPE",
		.types = ANY,
		.modes = BOTH,
		.text = "EPROTOTYPE: the address has a socket of another type.",
		.how = "Each other type at the address.",
		.run = e_prototype,
	}, {
		.name = "E-OPNOTSUPP",
		.types = CONN,
		.modes = BOTH,
		.text = "EOPNOTSUPP: the socket listens.",
		.how = "connect() on a listener, which goes on listening.",
		.run = e_opnotsupp,
	}, {
		.name = "E-NOENT",
		.types = ANY,
		.modes = BOTH,
		.text = "ENOENT: a part of the path does not exist.",
		.how = "No file, no folder, a link to nowhere.",
		.run = e_noent,
	}, {
		.name = "E-NOTDIR",
		.types = ANY,
		.modes = BOTH,
		.text = "ENOTDIR: a part of the path is no folder.",
		.how = "A name below a file, and below a socket.",
		.run = e_notdir,
	}, {
		.name = "E-LOOP",
		.types = ANY,
		.modes = BOTH,
		.text = "ELOOP: too many symbolic links.",
		.how = "A link to itself; a link to a socket file connects.",
		.run = e_loop,
	}, {
		.name = "E-NAMETOOLONG",
		.types = ANY,
		.modes = BOTH,
		.text = "ENAMETOOLONG: a name in the path is too long.",
		.how = "A link to a name of 256 bytes.",
		.run = e_nametoolong,
	}, {
		.name = "E-NOMEM",
		.types = ANY,
		.text = "ENOMEM or ENOBUFS: memory ran out.",
		.how = "Fault injection: the first allocation fails, the second, "
			"and so on; the same call succeeds afterwards.",
		.run = e_nomem,
	},
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
