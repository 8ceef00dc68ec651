/* SPDX-License-Identifier: GPL-2.0 */
/*
 * altconn: words, states and files of the module.
 *
 * Words
 *
 *   endpoint     struct altconn_sock (sock.h): a socket of this family
 *   binding      struct altconn_bind (place.h): a canonical address, and the
 *                endpoint that is bound to it
 *   place        struct altconn_place (place.h): an address or an inet port in
 *                the table of bound addresses, with the bindings that have it
 *   level        enum altconn_place_level (place.h): what the bindings of a
 *                place have in common: one address, the address :: with
 *                IPV6_V6ONLY, or one inet port at all IP addresses
 *   class        enum place_class (bind_table.c): which IP addresses an inet
 *                binding serves. place_overlaps has the pairs of classes
 *                with bindings that always overlap.
 *   sort         enum altconn_place_sort (place.h): one of the kinds of
 *                bindings that a place counts: all bindings, exclusive ones,
 *                and those that listen
 *   stripe       one of the spinlocks of the table of bound addresses. All
 *                bindings of one port, name or path have the same stripe.
 *   closeness    how closely the address of a binding fits a destination, from
 *                1 to ALTCONN_CLOSEST (place.h). A lookup takes the closest
 *                binding.
 *   place owner  struct place_owner (place.h): a user that has bindings with
 *                @share at a place
 *   owner        the process that netlink messages show for a socket
 *   sharing      A binding with bind->share is sharing: other sockets may
 *                share its address.
 *   user's share struct altconn_share (room.h): the attempts of one user in a
 *                waiting room. Their number is limited.
 *   CPU share    the part of the time of a CPU that a payer may use
 *   claim        struct altconn_claim (claim.c): reserves a pair of local and
 *                remote address for one association. Only the binding of an
 *                address that sockets may share has a claim.
 *   listener     struct altconn_listener (listener.h): the accept queue of an
 *                endpoint in TCP_LISTEN
 *   deferring listener
 *                a listener with ALTCONN_DEFER_ACCEPT: it establishes an
 *                attempt only when accept() takes the attempt. This differs
 *                from TCP_DEFER_ACCEPT, with which TCP waits for data before
 *                accept() returns.
 *   waiting room struct altconn_room (room.h): the attempts that wait at the
 *                addresses of one port, name or path, whichever listener
 *                serves them, and also while no listener does
 *   lane         struct altconn_lane (room.h): one address of a waiting room,
 *                with the attempts that wait there, each kind in a FIFO of
 *                its own. An attempt in a lane is pending. It is not in the
 *                state QUEUED, which means established and not accepted.
 *   group        struct altconn_group (room.h): listeners that are bound to the
 *                same address and serve the same attempts
 *   to serve     A listener serves the attempts that it may establish: as with
 *                TCP, the attempts to which it is the closest listener. struct
 *                altconn_serving (room.h) has the groups that serve an attempt.
 *   association  struct altconn_assoc (assoc.h): the connection that connect()
 *                or socketpair() makes between two endpoints
 *   client, server
 *                the two ends of an association: the endpoint that called
 *                connect(), and the endpoint that accept() makes. Before
 *                accept(), the listener stands for the server. The two halves
 *                of a socketpair have these names too, without this meaning.
 *   attempt      an association that is still pending: neither established
 *                nor failed. A decided attempt has just become one of these.
 *   to publish   to make a new attempt visible at the client's endpoint:
 *                ask->assoc points to the attempt, and the endpoint enters
 *                TCP_SYN_SENT
 *   to decide    to end the state PENDING of an attempt: to establish the
 *                attempt, or to let it fail
 *   deadline     the time at which a pending attempt fails with ETIMEDOUT
 *                (assoc->expires)
 *   to promote   to move a waiting attempt into an accept queue that has space,
 *                which establishes the attempt
 *   accepter     a thread that sleeps in accept() of a listener, or polls it
 *   to report    to count a result in the statistics, and to emit its trace
 *                event and its netlink event. To give user space the result is
 *                to return it.
 *   parked       A parked attempt is one that a rule delays or drops. It is
 *                pending, but neither in an accept queue nor in a waiting room,
 *                so no listener sees it (attempt_parked.c).
 *   batch        struct attempt_batch (attempt.h): the attempts that are
 *                decided in one hold of a waiting room's lock, and the threads
 *                to wake afterwards
 *   rule         struct altconn_rule (rule.h): an entry of the firewall of this
 *                family (altconn-rule(8))
 *   match        struct altconn_match (rule.h): the rules that match an attempt
 *   ruling       struct altconn_ruling (ruling.h): what these rules decide
 *                about the attempt or datagram
 *   registry     struct altconn_registry (registry.h): the associations, or the
 *                sockets, of a network namespace by their ids
 *   node         struct altconn_node (node.c): another network namespace,
 *                under the id that it has in this one. Identifiers that
 *                contain "xns" (cross-namespace) concern other nodes. The node
 *                of a list or of a tree is something else, as in all of Linux.
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
 *   TCP_LISTEN       The endpoint has ask->extra->listener.
 *
 * assoc.h has the states of an association, and attempt.c has the cases in
 * which an attempt leaves the state PENDING. Documentation/design/states.svg
 * shows the states of both.
 *
 * Locks
 *
 * Documentation/design/locking.rst has the order of the locks and the reasons.
 *
 * Files
 *
 * Each noun has a .c file and a header. A file calls only files that stand
 * before it in this list, so no two files call each other. The one exception is
 * a callback: the timer in attempt_deadline.c queues a job that runs
 * altconn_attempt_run_timer_job() of attempt_parked.c.
 *
 *   addr, glob, registry, payer, account, nl, stat, trace, sockopt_inet
 *   scm, scm_queue, ring_pages, ring, ring_write, ring_read
 *   event, rule, dgram_queue, dgram_block, endpoint, node, xns, event_assoc
 *   place, port_set, bind_table, room_queue, room, listener, assoc, assoc_walk
 *   attempt_deadline, attempt, attempt_listener, attempt_enqueue
 *   attempt_parked
 *   claim, binding, port, bind_local, connect_outcome, path, bind
 *   listen, connect, accept, stream, stream_poll, stream_splice
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
