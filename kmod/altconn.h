/* SPDX-License-Identifier: GPL-2.0 */
/*
 * altconn: words, states, locks and files of the module.
 *
 * Words
 *
 *   endpoint     struct altconn_sock (sock.h): a socket of this family
 *   binding      struct altconn_bind (place.h): a canonical address, and the
 *                endpoint that is bound to it
 *   place        struct altconn_place (place.h): an address or an inet port in
 *                the table of bound addresses, with the bindings that have it
 *   claim        struct altconn_claim (claim.c): reserves a pair of local and
 *                remote address for one association. Only the binding of an
 *                address that sockets may share has a claim.
 *   listener     struct altconn_listener (listener.h): the accept queue of an
 *                endpoint
 *   waiting room struct altconn_room (room.h): the attempts that wait at the
 *                addresses of one port, name or path, whichever listener
 *                serves them, and also while no listener does
 *   lane         struct altconn_lane (room.h): one address of a waiting room,
 *                with the attempts that wait there
 *   association  struct altconn_assoc (assoc.h): the connection that connect()
 *                or socketpair() makes between two endpoints
 *   attempt      an association that is still pending: neither established
 *                nor failed
 *   node         struct altconn_node (node.c): another network namespace,
 *                under the id that it has in this one. Identifiers that
 *                contain "xns" (cross-namespace) concern other nodes.
 *   boundary     struct scm_boundary (scm_queue.c): a position in a stream of
 *                bytes where the credentials change, or with which descriptors
 *                or a time stamp go
 *   payer        struct altconn_payer (payer.h): a user that kernel threads
 *                work for, and the CPU time that this work takes
 *   address format
 *                the address structure that a socket uses in system calls:
 *                struct sockaddr_altconn (the native format), sockaddr_un,
 *                sockaddr_in or sockaddr_in6. The protocol argument of socket()
 *                selects it.
 *   inet         the kind of address that an IP address and a port make. The
 *                inet formats are sockaddr_in and sockaddr_in6.
 *
 * Codes such as S-DONE and E-ADDRINUSE name clauses of the table in
 * Documentation/design/connect-semantics.rst.
 *
 * States
 *
 * The state of an endpoint is sk->sk_state. The module never reads sock->state.
 *
 *   TCP_CLOSE        The endpoint is unconnected. It may be bound.
 *   TCP_SYN_SENT     connect() is under way, and ask->assoc is pending.
 *   TCP_ESTABLISHED  A stream or seqpacket endpoint has ask->assoc, even after
 *                    the peer has closed. A datagram endpoint has ask->peer or
 *                    ask->peer_sk.
 *   TCP_LISTEN       The endpoint has ask->listener.
 *
 * Locks, outermost first (Documentation/design/locking.rst has the reasons)
 *
 *   lock_sock(sk)       system calls that change an endpoint
 *   ring->write_lock    allows one writer in each direction
 *   ring->read_lock     allows one reader in each direction
 *   ask->bind_lock      decides which bind() to a path completes
 *   a stripe of the table of bindings, which has 256 spinlocks
 *                       bind(), listen() and claims of a port, name or path
 *   room->lock          waiting attempts, and the listeners that serve them
 *   listener->lock      the accept queue
 *   ask->poll_lock      the full receiver for which a poll() waits
 *   assoc->lock         the decision of an attempt
 *   ask->queue_lock, sk_peer_lock, and the locks of wait queues and tables
 *                       innermost
 *
 * Files
 *
 * Each noun has a .c file and a header. A file calls only files that stand
 * before it in this list, so no two files call each other. The one exception is
 * a callback: the timer in attempt_deadline.c queues a job that runs
 * altconn_attempt_run_timer_job() of attempt_parked.c.
 *
 *   addr, glob, registry, payer, account, nl, stat, trace, sockopt_inet
 *   scm, scm_queue, ring, ring_write, ring_read
 *   event, event_assoc, rule, dgram_queue, dgram_block, endpoint, node, xns
 *   place, port_set, bind_table, room_queue, room, listener, assoc, assoc_walk
 *   attempt_deadline, attempt, attempt_promote, attempt_enqueue, attempt_parked
 *   claim, binding, port, bind_local, connect_outcome, path, bind
 *   listen, connect, accept, stream, stream_poll
 *   dgram_recv, dgram_route, dgram_broadcast, dgram_delay, dgram_send
 *   dgram_poll, dgram_connect
 *   sockopt, af_altconn
 *   kill, the netlink requests (nl_*, netlink_gen), sysctl, main
 */
#ifndef _ALTCONN_ALTCONN_H
#define _ALTCONN_ALTCONN_H

#include <linux/net.h>
#include <net/sock.h>
#include <uapi/linux/altconn.h>

#define ALTCONN_VERSION	"0.1"

#define ALTCONN_N_REASONS	(ALTCONN_REASON_MAX + 1)

extern unsigned int altconn_family;

#endif /* _ALTCONN_ALTCONN_H */
