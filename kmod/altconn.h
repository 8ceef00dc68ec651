/* SPDX-License-Identifier: GPL-2.0 */
/*
 * altconn: what every file of the module shares.
 *
 * Objects
 *
 *   endpoint     struct altconn_sock (sock.h): a socket
 *   binding      struct altconn_bind (place.h): canonical address -> endpoint
 *   listener     struct altconn_listener (listener.h): an endpoint's accept queue
 *   waiting room struct altconn_room (room.h): the attempts that wait at the
 *                addresses of a port, name or path, whichever listener serves
 *                them, or none yet
 *   association  struct altconn_assoc (assoc.h): what connect() makes; an attempt
 *                is an association that is still pending
 *   node         struct altconn_node (node.c): another network namespace, as this
 *                one calls it
 *   payer        struct altconn_payer (payer.h): a user for whom kernel threads
 *                work, and the time that this takes
 *
 * The state of an endpoint is sk->sk_state and nothing else; sock->state keeps
 * what the core put there.
 *
 *   TCP_CLOSE        unconnected, bound or not
 *   TCP_SYN_SENT     connect() is under way: ask->assoc is pending
 *   TCP_ESTABLISHED  stream, seqpacket: ask->assoc, its peer may be gone;
 *                    datagram: ask->peer or ask->peer_sk
 *   TCP_LISTEN       ask->listener
 *
 * Locks, outermost first (Documentation/locking.rst has the reasons):
 *
 *   lock_sock(sk)                     system calls that change an endpoint
 *   ring->write_lock                  one writer a direction
 *   ring->read_lock                   one reader a direction
 *   ask->bind_lock                    which bind() of a path completes
 *   a stripe of the table of bindings bind(), listen() and lookups of a port
 *   room->lock                        waiting attempts, and their listeners
 *   listener->lock                    the accept queue
 *   ask->poll_lock                    which full receiver a poll() waits for
 *   assoc->lock                       the decision of an attempt
 *   ask->queue_lock, sk_peer_lock, wait queues, the tables' locks    innermost
 *
 * Files
 *
 * Each noun has a .c file and a header. A file calls files of nouns below it and
 * is called from above; no two files call each other. From the bottom up:
 *
 *   addr, registry, payer, account, scm, scm_queue, ring, ring_write, ring_read
 *   nl, event, node, xns, event_assoc, rule
 *   place, port_set, bind_table, room, room_queue, listener, assoc, assoc_walk
 *   attempt, attempt_deadline, attempt_settle, attempt_enter, attempt_parked
 *   claim, binding, port, bind_local, path, bind
 *   connect_outcome, listen, connect, accept
 *   stream, stream_poll; dgram_queue, dgram_block, dgram_route, dgram_delay,
 *   dgram_send, dgram_recv, dgram_poll, dgram_connect
 *   endpoint, sockopt, sockopt_inet, af_altconn
 *   kill and the netlink requests: nl_*; sysctl; main
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
