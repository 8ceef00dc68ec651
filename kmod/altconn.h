/* SPDX-License-Identifier: GPL-2.0 */
/*
 * altconn: what the files of the module share.
 *
 * Objects
 *
 *   endpoint     struct altconn_sock: a socket
 *   binding      struct altconn_bind: canonical address -> endpoint
 *   listener     struct altconn_listener: an endpoint's accept queue
 *   waiting room struct altconn_room (room.h): the attempts that wait at the
 *                addresses of a port, name or path, whichever listener serves
 *                them, or none yet
 *   association  struct altconn_assoc: what connect() makes; an attempt is an
 *                association that is still pending
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
 *   ask->bind_lock                    whose bind() of a path completes
 *   a stripe of the table of bindings who may bind, listen and be found where
 *   room->lock                        attempts that wait, listeners that serve them
 *   listener->lock                    the accept queue
 *   ask->poll_lock                    which full receiver a poll() waits for
 *   assoc->lock                       decides an attempt
 *   ask->queue_lock, sk_peer_lock, wait queues, the tables' locks    innermost
 */
#ifndef _ALTCONN_H
#define _ALTCONN_H

#include <linux/jump_label_ratelimit.h>
#include <linux/list_bl.h>
#include <linux/net.h>
#include <linux/rcuwait.h>
#include <linux/rhashtable.h>
#include <linux/un.h>
#include <net/ipv6.h>
#include <net/netns/generic.h>
#include <net/sock.h>
#include <uapi/linux/altconn.h>
#include "payer.h"

#define ALTCONN_VERSION	"0.1"

/**
 * struct altconn_addr - a canonical address, the same for every dress
 * @refs: see below
 * @kind: enum altconn_kind
 * @len: bytes of @bytes in use
 * @bound: part of a struct altconn_bind
 * @far: another node's (node.c), or somebody of another node looks for it; not
 *	part of what is compared
 * @node: node id, ports and names; inet: the interface of a link-local address
 * @port: ports; inet: in the host's order
 * @inode: paths that have been looked up: the socket file's inode, compared and never
 *	followed
 * @fd: paths, until then: the descriptor of the file or of its directory, -1 if it
 *	cannot be one; AT_FDCWD: none was given
 * @rcu: frees it
 * @bytes: the name, or the path as it was given to bind(); inet: an IPv6
 *	address, IPv4 as v4-mapped
 *
 * Lifetime: immutable once it is shared. Bindings, endpoints, ends of
 * associations and queued datagrams hold references; altconn_addr_put() frees
 * it a grace period after the last one, in any context. An address on the stack has no
 * references and is copied by altconn_addr_dup() before it is kept. Allocated
 * only as long as @len needs, so a shared one is never copied as a struct.
 */
struct altconn_addr {
	refcount_t	refs;
	u8		kind;
	u8		len;
	bool		bound;
	bool		far;
	u32		node;
	u32		port;
	union {
		const void	*inode;
		int		fd;
	};
	struct rcu_head	rcu;
	char		bytes[ALTCONN_PATH_MAX] __aligned(8);
};

static inline struct in6_addr *altconn_addr_ip(const struct altconn_addr *addr)
{
	return (struct in6_addr *)addr->bytes;
}

static inline bool altconn_addr_is_v4(const struct altconn_addr *addr)
{
	return ipv6_addr_v4mapped(altconn_addr_ip(addr));
}

/* The IPv4 address, in network order. */
static inline __be32 altconn_addr_v4(const struct altconn_addr *addr)
{
	return altconn_addr_ip(addr)->s6_addr32[3];
}

/* Any address of its version: 0.0.0.0 or ::. */
static inline bool altconn_addr_is_any(const struct altconn_addr *addr)
{
	return altconn_addr_is_v4(addr) ? !altconn_addr_v4(addr) :
					  ipv6_addr_any(altconn_addr_ip(addr));
}

/* "path:" and a path whose every byte is escaped as \xNN */
#define ALTCONN_ADDR_STRLEN	(8 + 4 * ALTCONN_PATH_MAX)

/* What the key of a place is made of. */
enum altconn_place_level {
	ALTCONN_PLACE_ADDR,	/* the whole address */
	ALTCONN_PLACE_ONLY6,	/* likewise, of :: with IPV6_V6ONLY */
	ALTCONN_PLACE_PORT,	/* an inet port, whatever the IP address */
};

/* Sorts of bindings that a place counts. */
enum altconn_place_what {
	ALTCONN_PLACE_ALL,
	ALTCONN_PLACE_HARD,	/* exclude others that have SO_REUSEADDR too */
	ALTCONN_PLACE_LISTENING,
	ALTCONN_PLACE_SORTS,
};

/* An IPv4 address, 0.0.0.0, an IPv6 address, ::, :: with IPV6_V6ONLY. */
#define ALTCONN_PLACE_CLASSES	5

struct altconn_bind;
struct altconn_claim;

/**
 * struct altconn_place - an address, or an inet port, that bindings have
 * @node: link in a chain of the table; under the chain's bit lock, since a chain has
 *	places of other stripes too
 * @host: the binding that this is a part of; its address is the key
 * @hash: of the key
 * @n: bindings
 * @level: enum altconn_place_level
 * @binds: the bindings, the last one first
 * @listeners: those of them that listen; none at the level of a port
 * @count: how many bindings of each sort; not used at the level of a port
 *
 * Lifetime: in the table from the first binding to the last one. @host is the
 * first one; the place holds a reference to the address of @host, and so to the
 * memory of both. All but lookups are under the stripe.
 */
struct altconn_place {
	struct hlist_bl_node	node;
	struct altconn_bind	*host;
	u32			hash;
	u32			n;
	struct hlist_head	binds;
	struct hlist_head	listeners;
	u32			count[ALTCONN_PLACE_SORTS];
	u8			level;
};

/**
 * struct altconn_port_place - an inet port that bindings have
 * @place: the place
 * @count: how many bindings of each sort, by what they are bound to
 */
struct altconn_port_place {
	struct altconn_place	place;
	u32			count[ALTCONN_PLACE_CLASSES]
				     [ALTCONN_PLACE_SORTS];
};

/**
 * struct altconn_bind - an entry of the table of bound addresses
 * @link: in @place's list
 * @listener_link: in @place's list of listeners
 * @port_link: in @port's list
 * @place: the place of its address
 * @port: the place of its port, inet addresses, or NULL
 * @net: namespace, NULL for paths: they are the machine's
 * @type: socket type; part of the key but for paths
 * @auto_bound: made by the family, dissolved with the association
 * @reuse: SO_REUSEADDR was set when it was bound
 * @share: ALTCONN_SHARE_ADDRESS or SO_REUSEPORT was
 * @uid: the effective user id of the caller then
 * @v6only: of ::, serves no IPv4
 * @reachable: from other nodes too
 * @listens: it has, or is about to have, a listener; its stripe
 * @hash: of what its stripe covers
 * @addr: @own
 * @sk: the endpoint; valid under RCU while the entry can be found
 * @claim: with @reuse or @share: of the endpoint's association, or NULL; its
 *	stripe
 * @listener: its listener, or NULL; written under its stripe
 * @path: paths: pins the inode, so that its address stays this socket's
 * @own_place: @place, of the binding that is there first
 * @own: its address; allocated only as long as that is, and behind it @port of
 *	the binding that is there first, inet addresses
 *
 * Lifetime: owned by one endpoint, ask->bind. Found only under RCU; taken out
 * of the table by altconn_unbind() when the endpoint closes or dissolves, so no
 * reader can find it after a grace period. That drops one reference to @own; the
 * memory of both goes with the last. Its places hold references too while they
 * are in the table.
 */
struct altconn_bind {
	struct hlist_node		link;
	struct hlist_node		listener_link;
	struct hlist_node		port_link;
	struct altconn_place		*place;
	struct altconn_port_place	*port;
	struct net			*net;
	u8				type;
	bool				auto_bound;
	bool				reuse;
	bool				share;
	kuid_t				uid;
	bool				v6only;
	bool				reachable;
	bool				listens;
	u32				hash;
	struct altconn_addr		*addr;
	struct altconn_claim		*claim;
	struct sock			*sk;
	struct altconn_listener __rcu	*listener;
	struct path			path;
	struct altconn_place		own_place;
	struct altconn_addr		own;
};

/**
 * altconn_bind_size() - the bytes of a binding
 * @addr: its address
 */
static inline size_t altconn_bind_size(const struct altconn_addr *addr)
{
	size_t size = offsetof(struct altconn_bind, own.bytes) + addr->len;

	if (addr->kind == ALTCONN_KIND_INET)
		size += sizeof(struct altconn_port_place);
	return size;
}

struct scm_parcel;
struct altconn_marks;
struct altconn_segment;
struct altconn_net;
struct altconn_group;

/**
 * struct altconn_cred - who sent something
 * @pid: a reference, or NULL: nobody says
 * @uid: 0 then, and without meaning
 * @gid: likewise
 */
struct altconn_cred {
	struct pid	*pid;
	kuid_t		uid;
	kgid_t		gid;
};

/**
 * struct altconn_scm - what goes with data
 * @cred: credentials
 * @parcel: descriptors, or NULL
 * @stamp: when it was queued, or 0: nobody wanted to know
 *
 * All zero: nothing does.
 */
struct altconn_scm {
	struct altconn_cred	cred;
	struct scm_parcel	*parcel;
	ktime_t			stamp;
};

/**
 * struct altconn_rx - one recvmsg() of connected data
 * @scm: what came with it
 * @skip: where a peek begins (SO_PEEK_OFF), bytes
 * @seeks: it has such an offset, be it 0
 * @passcred: it wants credentials: those of another do not go with it
 * @began: it has data, or a record, which may be empty
 * @stop: it gets no more: descriptors came
 * @eor: the sender has marked the record with MSG_EOR
 */
struct altconn_rx {
	struct altconn_scm	scm;
	u32			skip;
	bool			seeks;
	bool			passcred;
	bool			began;
	bool			stop;
	bool			eor;
};

/**
 * struct altconn_ring - data on its way to one end of an association
 * @write_lock: writers; never held across a page fault
 * @write_segment: where the writer is, or NULL: nothing is held
 * @write_at: at which of its bytes
 * @head: bytes ever written, in the lower half; stored by the writer. The upper
 *	half is 0, or ALTCONN_RING_SEALED: then nothing is written any more.
 *	Both change in one atomic operation, so writing and shutting have one
 *	order
 * @tail_seen: @tail as the writer last looked at it
 * @extra_written: of @head, what no program wrote: records' lengths, padding
 * @read_lock: readers; never held across a page fault
 * @read_segment: where the reader is; @write_segment or an older one
 * @read_at: at which of its bytes
 * @tail: bytes ever read; stored by the reader
 * @extra_read: of @tail, what no program wrote
 * @wake_at: before @tail is there no writer that waits need be woken
 * @scanned: @head when the scan came by
 * @idle_size: bytes of the segment with which it is in the list of its user's emptied
 *	rings, or 0: it is in none; changes under @payer's idle.lock
 * @marks: what goes with the data, scm.c; NULL while nothing ever did. The reader
 *	loads it behind @head
 * @purged: the reader has closed: the thread that drops one of the locks frees
 *	what the ring holds; never cleared
 * @peeked: an empty record that has not been read was peeked at; the reader's
 * @peeked_to: behind the last one; SO_PEEK_OFF goes on there
 * @payer: the user of its association; set once
 * @idle_node: in @payer's idle.rings, if @idle_size is not 0
 *
 * Each side writes to its own cache line.
 */
struct altconn_ring {
	struct mutex		write_lock	/* writers */
				____cacheline_aligned_in_smp;
	struct altconn_segment	*write_segment;
	u32			write_at;
	u32			tail_seen;
	atomic64_t		head;
	u32			extra_written;

	struct mutex		read_lock	/* readers; inside write_lock */
				____cacheline_aligned_in_smp;
	struct altconn_segment	*read_segment;
	u32			read_at;
	u32			tail;
	u32			extra_read;
	u32			wake_at;
	u32			scanned;
	u32			idle_size;

	/* What seldom changes. */
	struct altconn_marks	*marks ____cacheline_aligned_in_smp;
	bool			purged;
	bool			peeked;
	u32			peeked_to;
	struct altconn_payer	*payer;
	struct list_head	idle_node;
};

/**
 * struct altconn_entry - an association or a socket in a registry
 * @node: in the tree of @id, under the tree's lock; cleared when the entry is
 *	in none
 * @id: of the object
 */
struct altconn_entry {
	struct rb_node	node;
	u64		id;
};

#define ALTCONN_REGISTRY_TREES	16

/**
 * struct altconn_registry_tree - a part of a registry
 * @lock: all of it
 * @root: entries by id
 * @dumped: the greatest id that a dump has wanted to see
 * @removed: removed entries with ids up to @dumped; read without the lock
 */
struct altconn_registry_tree {
	spinlock_t	lock;		/* all of it */
	struct rb_root	root;
	u64		dumped;
	u32		removed;
} ____cacheline_aligned_in_smp;

/**
 * struct altconn_registry - associations, or sockets, of a namespace: registry.c
 * @tree: an entry is in the tree of its id
 */
struct altconn_registry {
	struct altconn_registry_tree	tree[ALTCONN_REGISTRY_TREES];
};

/**
 * struct altconn_position - where in a registry a dump is
 * @newest: entries with greater ids are not part of the dump
 * @id: of the last entry that was seen in the tree
 * @tree: index of the tree
 */
struct altconn_position {
	u64	newest;
	u64	id;
	u32	tree;
};

/**
 * struct altconn_who - a process that did something, as it was then
 * @pid: a reference, or NULL: nobody did
 * @uid: its user, else INVALID_UID
 * @gid: its group, else INVALID_GID
 * @comm: what it ran
 */
struct altconn_who {
	struct pid	*pid;
	kuid_t		uid;
	kgid_t		gid;
	char		comm[TASK_COMM_LEN];
};

/**
 * altconn_who_am_i() - the calling process
 *
 * Context: process.
 * Return: with a reference to its pid, which the caller puts.
 */
static inline struct altconn_who altconn_who_am_i(void)
{
	struct altconn_who who = {
		.pid = get_pid(task_tgid(current)),
		.uid = current_uid(),
		.gid = current_gid(),
	};

	/* As tracepoints take it: a name that changes meanwhile may be mixed. */
	memcpy(who.comm, current->group_leader->comm, sizeof(who.comm));
	return who;
}

/**
 * altconn_who_get() - one more reference
 * @who: a process, or nobody
 *
 * Return: the same.
 */
static inline struct altconn_who altconn_who_get(const struct altconn_who *who)
{
	get_pid(who->pid);
	return *who;
}

#define ALTCONN_NOBODY	\
	((struct altconn_who) { .uid = INVALID_UID, .gid = INVALID_GID })

enum altconn_side { ALTCONN_CLIENT, ALTCONN_SERVER };

/**
 * struct altconn_end - one end of an association
 * @sk: its endpoint, set once and pinned until the association is freed; NULL
 *	on the server's side before accept()
 * @addr: its address, a reference, NULL when unnamed; set with @sk or before, or
 *	once later: altconn_assoc_bound()
 * @who: at connect(), at accept() or, before that, at listen(); assoc->lock
 * @in: what it has not read yet; NULL until something is sent to it
 * @dress: how it writes addresses
 * @shutdown: RCV_SHUTDOWN, SEND_SHUTDOWN by its own shutdown() or close
 * @shut: and by the peer's: what the one shuts for sending the other does for
 *	reading
 * @want_space: it waits for room towards the peer
 * @closed: closed or dissolved
 * @reset: the peer closed with data unread, or nobody accepted
 * @lost: it sent something after the peer had closed, and was not told
 */
struct altconn_end {
	struct sock		*sk;
	struct altconn_addr	*addr;
	struct altconn_who	who;
	struct altconn_ring	*in;
	u8			dress;
	u8			shutdown;
	u8			shut;
	bool			want_space;
	bool			closed;
	bool			reset;
	bool			lost;
};

struct altconn_room;
struct altconn_lane;
struct altconn_share;

/**
 * struct altconn_wait - what an attempt needs while it waits
 * @timer: its deadline, and the end of a rule's delay; holds a reference to
 *	@assoc while it is armed
 * @job: what the timer asks for; holds a reference to @assoc while it is queued
 * @payer: of @job, for what the timer is armed for
 * @deadlines: the client's payer for deadlines
 * @delays: and for the ends of delays; NULL when no rule ever held the attempt
 * @assoc: the attempt
 * @held_until: when a rule lets the attempt go on, ns; 0: no rule holds it
 * @path: while a rule holds an attempt to a path: pins the inode
 * @room: the waiting room, a reference; NULL while a rule holds the attempt.
 *	Set once, under the room's lock and assoc->lock
 * @lane: the attempt's address in @room while the attempt is queued there;
 *	room->lock
 * @share: of the attempt's user in @room, likewise
 * @user: the attempt's user in @room, altconn_payer_key_in()
 * @node: in the queue of @lane; room->lock
 * @count: attempts in the subtree of @node; room->lock
 * @fifo: which queue of @lane, enum altconn_fifo
 * @arrived: orders the attempts of a room
 *
 * Lifetime: allocated before the attempt begins to wait and freed with the
 * association.
 */
struct altconn_wait {
	struct timer_list	timer;
	struct altconn_job	job;
	struct altconn_payer	*payer;
	struct altconn_payer	*deadlines;
	struct altconn_payer	*delays;
	struct altconn_assoc	*assoc;
	u64			held_until;
	struct path		path;
	struct altconn_room	*room;
	struct altconn_lane	*lane;
	struct altconn_share	*share;
	u64			user;
	struct rb_node		node;
	u32			count;
	u8			fifo;
	u64			arrived;
};

/**
 * struct altconn_ruling - what a rule decided
 * @rule: its id, or 0: none did, or one that allows
 * @drops: the attempt, or datagram, never arrives
 * @delay_ms: or it arrives later
 */
struct altconn_ruling {
	u32	rule;
	bool	drops;
	u32	delay_ms;
};

#define ALTCONN_NO_RULE	((struct altconn_ruling) {})

/**
 * struct altconn_far - what the server's namespace has of an association that comes
 *	from another one: from another node, or over a path
 * @entry: in its registry, with the association's id, until the association has ended
 * @assoc: which it goes with
 * @an: the server's namespace, from arrival to departure, else NULL. Readers
 *	are under RCU, and the namespace is freed a grace period later
 * @addr: the ends' addresses as they are written there, references; NULL: unnamed
 * @account: what it is charged to in the server's namespace, or NULL
 * @there: the server's namespace, a reference, until arrival: a charge does not outlive
 *	the namespace in which it is
 *
 * Lifetime: the association's. It arrives in the server's namespace when the
 * attempt enters a listener's queue or waits in its room, and leaves it when the
 * attempt fails, is not accepted, or ends. A listener that closes leaves no
 * such attempt behind, so the listener, and then the accepted endpoint, keep
 * @an.
 */
struct altconn_far {
	struct altconn_entry	entry;
	struct altconn_assoc	*assoc;
	struct altconn_net	*an;
	struct altconn_addr	*addr[2];
	struct altconn_account	*account;
	struct net		*there;
};

/**
 * struct altconn_assoc - an association, pending ones (attempts) included
 * @refs: see below
 * @state: PENDING, QUEUED, ESTABLISHED or CLOSED; see below
 * @type: SOCK_STREAM or SOCK_SEQPACKET
 * @entry: in the namespace's registry until the association has ended, which may be
 *	long before it is freed; the id is never reused while the module is loaded
 * @waits_listener: without a listener it waits for one (ALTCONN_WAIT_LISTENER)
 * @waited: it was not decided at once
 * @published: connect() made it, and its endpoint has it
 * @err: positive errno of a failed attempt
 * @reason: enum altconn_reason of the decision
 * @rule: id of the rule that held it, or 0
 * @lock: the decision, the ends' flags, and ask->assoc of both endpoints
 * @an: namespace; lives as long as end[CLIENT].sk does
 * @account: what it is charged to from its registration until it is freed, or NULL
 * @listener: in whose accept queue it was established, a reference; NULL of a
 *	socketpair and of an attempt
 * @node: in listener->queue
 * @wait: of an attempt that waits or has waited, else NULL; set before the
 *	attempt is published
 * @expires: the deadline, ns; 0 for none
 * @begun: when connect() was called, ns
 * @decided: when the attempt was decided, ns; 0 while it is pending
 * @cred: of the caller of connect(), for the server's SO_PEERCRED
 * @far: when the server is in another namespace, else NULL
 * @end: by enum altconn_side
 * @rcu: frees it, on kernels that watch for late users
 *
 * Lifetime: references are held by ask->assoc of each endpoint, by the queue
 * of the room or of the listener that it is in (accept() hands that one to the
 * new endpoint), by the armed deadline, by a claim of the client's binding
 * (E-ADDRINUSE) and by system calls under way. Each end pins its struct sock
 * until the association is freed, so data and wake-ups need no lock to reach
 * the peer; an endpoint drops its reference when it closes or dissolves, which
 * ends the circle. No reference can appear after the last: a walk of the
 * registry takes one with refcount_inc_not_zero(). The memory keeps its type for
 * a grace period (SLAB_TYPESAFE_BY_RCU), so a lookup by endpoint without a
 * lock checks again whether it is that endpoint's: altconn_assoc_of().
 *
 * The state changes under assoc->lock: PENDING -> QUEUED or CLOSED in
 * attempt_decide() of attempt.c, exactly once. It leaves QUEUED under
 * listener->lock: for ESTABLISHED in accept(), for CLOSED when the listener
 * goes.
 */
struct altconn_assoc {
	refcount_t		refs;
	u8			state;
	u8			type;
	bool			waits_listener;
	bool			waited;
	bool			published;
	u8			err;
	u8			reason;
	u32			rule;
	spinlock_t		lock;		/* decision, ends, ask->assoc */
	struct altconn_entry	entry;
	struct altconn_net	*an;
	struct altconn_account	*account;
	struct altconn_listener	__rcu *listener;
	struct list_head	node;
	struct altconn_wait	*wait;
	u64			expires;
	u64			begun;
	u64			decided;
	const struct cred	*cred;
	struct altconn_far	*far;
	struct altconn_end	end[2];
#ifdef CONFIG_KASAN
	struct rcu_head		rcu;
#endif
};

#define ALTCONN_N_REASONS	(ALTCONN_REASON_MAX + 1)

/**
 * struct altconn_listener - the listening part of an endpoint
 * @refs: see below
 * @lock: everything below up to the counters
 * @closed: no attempt may enter any more
 * @exhausted: attempts wait that it had no room for; a new one queues up behind
 *	them, and whatever makes room lets them in: attempt.c
 * @fail_fast: a full backlog refuses (ALTCONN_BACKLOG_POLICY)
 * @defer: accept() establishes, nothing else does (ALTCONN_DEFER_ACCEPT)
 * @id: the endpoint's in the namespace's table
 * @queue: established, waiting for accept()
 * @queued: length of @queue
 * @backlog: listen()'s argument; @queue holds one more
 * @outcomes: attempts that ended, by reason
 * @waited: attempts that were not decided at once
 * @sk: the endpoint; while not @closed
 * @dress: the endpoint's
 * @netns: inode number of its namespace
 * @type: its socket type
 * @net: the namespace, which @sk keeps
 * @addr: its address, a reference
 * @who: the process that called listen() last; @lock
 * @cred: likewise, for the client's SO_PEERCRED
 * @room: the waiting room of its address, a reference; NULL before it listens
 * @lane: the address in @room, NULL of a wildcard; room->lock
 * @group: the listeners of the same address, NULL while it serves none;
 *	room->lock
 * @member: in @group; room->lock
 * @reachable: it serves attempts of other nodes
 * @rcu: frees it
 *
 * Lifetime: references are held by the endpoint (ask->listener), by every
 * association that was established in its queue, and by system calls.
 * bind->listener and the room's lists are weak: altconn_listener_close() clears
 * them first; a lookup takes a reference with refcount_inc_not_zero().
 */
struct altconn_listener {
	refcount_t		refs;
	spinlock_t		lock;		/* accept queue */
	bool			closed;
	bool			exhausted;
	bool			fail_fast;
	bool			defer;
	u64			id;
	struct list_head	queue;
	u32			queued;
	u32			backlog;
	u64			outcomes[ALTCONN_N_REASONS];
	u64			waited;
	struct sock		*sk;
	u8			dress;
	u8			type;
	u32			netns;
	struct net		*net;
	struct altconn_addr	*addr;
	struct altconn_who	who;
	const struct cred	*cred;
	struct altconn_room	*room;
	struct altconn_lane	*lane;
	struct altconn_group	*group;
	struct list_head	member;
	bool			reachable;
	struct rcu_head		rcu;
};

struct altconn_cork;
struct altconn_dgram;
struct altconn_late_queue;

/**
 * struct altconn_sock - an endpoint
 * @sk: must be first
 * @entry: in the namespace's registry of sockets, or in none
 * @dress: socket()'s protocol argument
 * @unreported: the attempt succeeded after connect() had returned; the next
 *	connect() says 0 (S-DONE)
 * @v6only: IPV6_V6ONLY, sockaddr_in6 dress
 * @fail_fast: ALTCONN_BACKLOG_POLICY, for listen()
 * @defer: ALTCONN_DEFER_ACCEPT, for listen()
 * @waits_listener: ALTCONN_WAIT_LISTENER
 * @share: ALTCONN_SHARE_ADDRESS, for bind()
 * @reachable: ALTCONN_REACHABLE, for bind()
 * @replaces: ALTCONN_REPLACE_PATH, for bind()
 * @bind: its own binding, or NULL. Written under lock_sock(), or under @bind_lock by
 *	the bind() that made @binding; one of a path is cleared under both
 * @binding: of a bind() whose path is being looked up, without lock_sock(); NULL: no
 *	bind() is under way, or another call on the socket came first
 * @bind_lock: @binding, and what its bind() does then; inside it the stripe
 * @addr: its address: the binding's or, when accepted, the listener's
 * @listener: TCP_LISTEN
 * @assoc: TCP_SYN_SENT, TCP_ESTABLISHED; also a failed attempt until the next
 *	call on the socket. Written under lock_sock() and assoc->lock
 * @timeout_ms: ALTCONN_CONNECT_TIMEOUT
 * @last_waited_ns: of the last attempt, between connect() and the decision
 * @last_err: its positive errno, 0 for success
 * @last_reason: enum altconn_reason
 * @last_rule: id of the rule that decided or held it, or 0
 * @want_data: @reader sleeps until there is something to read
 * @polled: somebody may be in the wait queue for that, now or later: it stays
 * @spin_ns: how long a reader looks before it sleeps; the claimant's of @reader
 * @reader_claimed: 1 while a thread uses @reader and @spin_ns
 * @reader: where it sleeps; see wait.h
 * @inet_values: options of TCP and IP, inet.c, or NULL
 * @pid: who bound or connected it (datagrams), or made it listen
 *
 * Lifetime: struct sock's. Datagram and listening endpoints are found under
 * RCU and have SOCK_RCU_FREE.
 */
struct altconn_sock {
	struct sock			sk;
	struct altconn_entry		entry;
	u8				dress;
	bool				unreported;
	bool				v6only;
	bool				fail_fast : 1;
	bool				defer : 1;
	bool				waits_listener : 1;
	bool				share : 1;
	bool				reachable : 1;
	bool				replaces : 1;
	bool				want_data;
	bool				polled;
	struct altconn_bind		*bind;
	struct altconn_bind		*binding;
	spinlock_t			bind_lock;	/* binding */
	struct altconn_addr __rcu	*addr;
	struct altconn_listener __rcu	*listener;
	struct altconn_assoc __rcu	*assoc;
	u64				timeout_ms;
	u64				last_waited_ns;
	u16				last_err;
	u16				last_reason;
	u32				last_rule;
	u32				spin_ns;
	atomic_t			reader_claimed;
	struct rcuwait			reader;
	int				*inet_values;
	struct pid			*pid;
};

static inline struct altconn_sock *altconn_sk(const struct sock *sk)
{
	return (struct altconn_sock *)sk;
}

/* An address format in which programs of TCP and UDP write their addresses. */
static inline bool altconn_format_is_inet(u8 format)
{
	return format == ALTCONN_INET || format == ALTCONN_INET6;
}

static inline bool altconn_is_inet(const struct sock *sk)
{
	return altconn_format_is_inet(altconn_sk(sk)->dress);
}

/**
 * struct altconn_dgram_sock - a datagram endpoint
 * @base: must be first
 * @account: what its association is charged to, or NULL: it has none
 * @overflow: ALTCONN_DGRAM_OVERFLOW; @queue_lock
 * @peer: the only address to send to and receive from; written under
 *	@queue_lock
 * @peer_sk: the other half of a socketpair, pinned; same lock
 * @queue_lock: @queue, and whom it listens to
 * @queue: what it has not read
 * @queued: what it is charged for that, bytes; written under @queue_lock
 * @unread: bytes of data in it, fewer; likewise
 * @load: @queued and @unread as one number, so that one addition changes both.
 *	Neither overflows into the other: a limit is an int, and one datagram
 *	over it is smaller
 * @ruling: what connect() was told of the datagrams to @peer; @queue_lock
 * @late: what a rule delays, late.c; NULL while it never did
 * @known: who was found at @peer; not followed unless nothing changed
 * @known_in: what had changed then
 * @blocked: threads that wait for room here, in order; @queue_lock
 * @promised: bytes of the datagrams of threads that have the turn; @queue_lock
 * @open: half of the queue has been free since the first thread began to wait, and
 *	since the queue was last full; @queue_lock
 * @extra: while threads wait: one datagram may go over the limit; @queue_lock
 * @pollers: the endpoints whose pollers want to hear of room here; @queue_lock
 * @poll_lock: @watches
 * @watches: the full receiver that a poll() of this one wants to hear of, pinned
 * @poll_node: in @pollers of that; its @queue_lock
 * @cork: pieces of a datagram, MSG_MORE; NULL until it is used
 */
struct altconn_dgram_sock {
	struct altconn_sock		base;
	struct altconn_account		*account;
	u8				overflow;
	struct altconn_addr __rcu	*peer;
	struct sock			*peer_sk;
	spinlock_t			queue_lock;	/* queue, peer */
	struct list_head		queue;
	union {
		struct {
			u32		queued;
			u32		unread;
		};
		u64			load;
	};
	struct altconn_ruling		ruling;
	struct altconn_late_queue	*late;
	struct sock			*known;
	u64				known_in;
	struct list_head		blocked;
	u32				promised;
	bool				open;
	bool				extra;
	struct list_head		pollers;
	spinlock_t			poll_lock;	/* watches */
	struct sock			*watches;
	struct list_head		poll_node;
	struct altconn_cork		*cork;
};

static inline struct altconn_dgram_sock *altconn_dgram_sk(const struct sock *sk)
{
	return (struct altconn_dgram_sock *)sk;
}

#define ALTCONN_BUCKETS	ALTCONN_HISTOGRAM_BUCKETS

/**
 * struct altconn_histogram - how long something took, nanoseconds
 * @sum: all together
 * @bucket: so many had n bits
 */
struct altconn_histogram {
	u64	sum;
	u64	bucket[ALTCONN_BUCKETS];
};

/**
 * struct altconn_stat - what a namespace counts, on one CPU
 * @outcomes: attempts that ended, by reason
 * @waited: those that were not decided at once
 * @accepted: by accept()
 * @latency: of connections, until they were established
 * @accept_queue: and then until they were accepted
 */
struct altconn_stat {
	u64				outcomes[ALTCONN_N_REASONS];
	u64				waited;
	u64				accepted;
	struct altconn_histogram	latency;
	struct altconn_histogram	accept_queue;
};

/**
 * struct altconn_net - what a network namespace has
 * @net: the namespace
 * @assocs: associations that began here
 * @inbound: and those that came from other namespaces
 * @sockets: listeners and datagram sockets
 * @connect_timeout_ms: sysctl
 * @port_next: where the search for an ephemeral port begins, by kind: a hint
 * @port_sets: what port.c knows of ports that are taken; grows only
 * @n_port_sets: how many
 * @port_lock: adding to @port_sets
 * @port_min: sysctl, first ephemeral port
 * @port_max: sysctl, last ephemeral port
 * @max_waiting: sysctl, attempts that may wait at one listener, or for one;
 *	half of them, rounded up, of one user at a port
 * @max_associations: sysctl, of a user; account.c
 * @spin_us: sysctl, see wait.h
 * @dgram_block_ms: sysctl, how long a datagram may wait for room; 0: for ever
 * @watched: number of watchers, event.c; beside what every connect() reads
 * @rules: what is done with what begins here, or NULL
 * @rules_lock: changes of @rules, and all below
 * @rules_seq: how often they changed
 * @rules_last_id: that a rule was given
 * @late: bytes of datagrams that rules delay
 * @stat: what it counts; a CPU each
 * @watch_lock: changes of the next two, and of @watched
 * @watchers: sockets that get events, by their port ids; event.c
 * @audiences: lists of them, by the user whose attempts they see
 * @nodes: other namespaces, by their ids; node.c
 * @node_list: the same, to walk; RCU
 * @n_nodes: how many
 * @nodes_lock: changes of these three
 * @node_id: what others are told to call this one, or 0
 * @named_by: entries of other namespaces that mean this one
 * @n_assocs: how many
 * @n_inbound: how many
 * @n_sockets: how many
 * @accounts: of users of the initial user namespace; added under its lock, read
 *	under RCU
 * @accounts_lock: adding to @accounts
 * @sysctl_header: registration
 * @sysctl_table: this namespace's copy
 */
struct altconn_net {
	struct net		*net;
	struct altconn_registry	assocs;
	struct altconn_registry	inbound;
	struct altconn_registry	sockets;
	unsigned int		connect_timeout_ms;
	u32			port_next[ALTCONN_KIND_INET + 1];
	struct list_head	port_sets;
	unsigned int		n_port_sets;
	spinlock_t		port_lock;	/* adding to port_sets */
	unsigned int		port_min;
	unsigned int		port_max;
	unsigned int		max_waiting;
	unsigned int		max_associations;
	unsigned int		spin_us;
	unsigned int		dgram_block_ms;
	unsigned int		watched;
	struct altconn_rules __rcu *rules;
	struct mutex		rules_lock;	/* rules */
	u32			rules_seq;
	u32			rules_last_id;
	atomic_long_t		late;
	struct altconn_stat __percpu *stat;
	spinlock_t		watch_lock;	/* watchers */
	struct xarray		watchers;
	struct xarray		audiences;
	struct xarray		nodes;
	struct list_head	node_list;
	unsigned int		n_nodes;
	spinlock_t		nodes_lock;	/* nodes */
	u32			node_id;
	struct list_head	named_by;
	atomic_long_t		n_assocs;
	atomic_long_t		n_inbound;
	atomic_long_t		n_sockets;
	struct list_head	accounts;
	spinlock_t		accounts_lock;	/* adding to accounts */
	struct ctl_table_header	*sysctl_header;
	struct ctl_table	*sysctl_table;
};

extern unsigned int altconn_net_id;
extern unsigned int altconn_family;
/* The initial namespace's: its limits are every namespace's. */
extern struct altconn_net *altconn_init_state;

static inline struct altconn_net *altconn_pernet(const struct net *net)
{
	return net_generic(net, altconn_net_id);
}

/**
 * altconn_state() - sk->sk_state, and everything that came before it
 * @sk: the endpoint
 */
static inline u8 altconn_state(const struct sock *sk)
{
	/* Pairs with the release in attempt_decide(). */
	return smp_load_acquire(&sk->sk_state);
}

/**
 * altconn_assoc_state() - assoc->state, and everything that came before it
 * @assoc: the association
 */
static inline u8 altconn_assoc_state(const struct altconn_assoc *assoc)
{
	/* Pairs with altconn_assoc_set_state(). */
	return smp_load_acquire(&assoc->state);
}

static inline void altconn_assoc_set_state(struct altconn_assoc *assoc,
					   u8 state)
{
	/* Pairs with altconn_assoc_state(): err and reason are set. */
	smp_store_release(&assoc->state, state);
}

/* main.c */
extern atomic64_t altconn_last_id;

/**
 * altconn_next_id() - an id that nothing else has or had
 *
 * Context: any.
 */
static inline u64 altconn_next_id(void)
{
	return atomic64_inc_return(&altconn_last_id);
}

/* registry.c */
void altconn_registry_init(struct altconn_registry *reg);
bool altconn_registry_is_empty(const struct altconn_registry *reg);
void altconn_registry_add(struct altconn_registry *reg,
			  struct altconn_entry *entry, u64 id);
void altconn_registry_remove(struct altconn_registry *reg,
			     struct altconn_entry *entry);
u32 altconn_registry_dump(struct altconn_registry *reg, u64 newest);
u32 altconn_registry_removed(const struct altconn_registry *reg);
struct altconn_entry *
altconn_registry_next(struct altconn_registry *reg,
		      struct altconn_position *pos,
		      bool (*get)(struct altconn_entry *entry));
struct altconn_entry *
altconn_registry_find(struct altconn_registry *reg, u64 id,
		      bool (*get)(struct altconn_entry *entry));

/**
 * altconn_entry_init() - prepare an entry, which is in no registry yet
 * @entry: the entry
 *
 * Context: any.
 */
static inline void altconn_entry_init(struct altconn_entry *entry)
{
	RB_CLEAR_NODE(&entry->node);
}

/**
 * altconn_entry_is_listed() - is an entry in a registry?
 * @entry: the entry
 *
 * Context: any. The answer changes under the lock of the entry's tree.
 * Return: true if it is.
 */
static inline bool altconn_entry_is_listed(const struct altconn_entry *entry)
{
	return !RB_EMPTY_NODE(&entry->node);
}

/* addr.c */
int altconn_addr_parse(const struct sock *sk, const void *uaddr, int len,
		       struct altconn_addr *addr);
int altconn_addr_parse_peer(const struct sock *sk, const void *uaddr, int len,
			    struct altconn_addr *addr);
bool altconn_addr_dissolves(const struct sock *sk, const void *uaddr, int len);
int altconn_addr_write(const struct sock *sk, const struct altconn_addr *addr,
		       void *uaddr);
struct altconn_addr *altconn_addr_dup(const struct altconn_addr *addr,
				      gfp_t gfp);
void altconn_addr_free(struct altconn_addr *addr);
bool altconn_addr_equal(const struct altconn_addr *a,
			const struct altconn_addr *b);
void altconn_addr_tell(const struct sock *sk, const struct altconn_addr *addr,
		       struct msghdr *msg);
size_t altconn_addr_print(const struct altconn_addr *addr, char *buf,
			  size_t size);
struct altconn_addr *altconn_addr_of(const struct sock *sk);

static inline struct altconn_addr *altconn_addr_get(struct altconn_addr *addr)
{
	if (addr)
		refcount_inc(&addr->refs);
	return addr;
}

/**
 * altconn_addr_put() - drop a reference
 * @addr: the address, or NULL
 *
 * Context: any.
 */
static inline void altconn_addr_put(struct altconn_addr *addr)
{
	if (addr && refcount_dec_and_test(&addr->refs))
		altconn_addr_free(addr);
}

/* node.c */

/**
 * struct altconn_node_info - another node, for those who ask
 * @id: its id here
 * @up: it is not set down
 * @gone: its namespace is gone
 * @netns: inode number of that
 * @ip: its IP addresses here, IPv4 as v4-mapped, and IPv6; all zero: none
 */
struct altconn_node_info {
	u32		id;
	bool		up;
	bool		gone;
	u32		netns;
	struct in6_addr	ip[2];
};

void altconn_node_init(struct altconn_net *an);
void altconn_node_leave(struct altconn_net *an);
int altconn_node_add(struct net *net, u32 id, const struct in6_addr ip[2],
		     struct net *target);
int altconn_node_del(struct net *net, u32 id);
int altconn_node_set(struct net *net, u32 id, bool up);
int altconn_node_call(struct net *net, u32 id);
int altconn_node_next(struct net *net, u32 *id, struct altconn_node_info *info);
int __altconn_node_route(const struct sock *sk, struct altconn_addr *addr,
			 u32 *reason);
struct net *altconn_node_get(const struct net *net,
			     const struct altconn_addr *addr,
			     struct altconn_addr *there, u32 *reason);
struct altconn_addr *altconn_node_seen(struct net *there, const struct net *net,
				       struct altconn_addr *addr);
bool altconn_node_is_local(struct net *net, const struct altconn_addr *addr);
bool __altconn_node_is_broadcast(struct net *net,
				 const struct altconn_addr *addr);
void altconn_node_source(struct net *net, const struct altconn_addr *dest,
			 struct altconn_addr *local);

/**
 * altconn_node_route() - is there a way to an address?
 * @sk: who wants to connect or send
 * @addr: the destination; an IP address that means any becomes the loopback one,
 *	this node's own id becomes ALTCONN_NODE_SELF; far when it is another's
 * @reason: why not
 *
 * What is this node's own counts before what it knows of others.
 *
 * Context: process.
 * Return: 0; -ENETUNREACH: no such node, or an IP address that is neither this
 * node's nor another's, or of a version that the socket does not speak
 * (E-NETUNREACH); -EHOSTUNREACH: the node is down, or its namespace is gone
 * (E-HOSTUNREACH).
 */
static inline int altconn_node_route(const struct sock *sk,
				     struct altconn_addr *addr, u32 *reason)
{
	if (addr->kind != ALTCONN_KIND_INET && addr->node == ALTCONN_NODE_SELF)
		return 0;
	return __altconn_node_route(sk, addr, reason);
}

/**
 * altconn_node_is_broadcast() - does this address mean everybody?
 * @net: the namespace
 * @addr: canonical address
 *
 * Context: process.
 */
static inline bool altconn_node_is_broadcast(struct net *net,
					     const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_INET)
		return __altconn_node_is_broadcast(net, addr);
	return addr->kind == ALTCONN_KIND_PORT &&
	       addr->node == ALTCONN_NODE_BROADCAST;
}

/* bind.c */
enum altconn_bind_how {
	ALTCONN_BIND_ASKED,	/* for this address */
	ALTCONN_BIND_CHOSEN,	/* bind() left the port or name to us */
	ALTCONN_BIND_AUTO,	/* nobody called bind() */
};

int altconn_bind_init(void);
void altconn_bind_exit(void);
int altconn_bind(struct socket *sock, struct sockaddr_unsized *uaddr, int len);
int altconn_bind_allowed(struct sock *sk);
int altconn_autobind(struct sock *sk, struct altconn_addr *addr);
int altconn_bind_local(struct sock *sk, struct altconn_addr *dest);
void __altconn_bind_claimed(struct altconn_bind *bind,
			    struct altconn_assoc *assoc);
void altconn_bind_reset(struct sock *sk);
void __altconn_bind_answerable(struct sock *sk);
int altconn_bind_start_listening(struct sock *sk);
void altconn_bind_listen(struct sock *sk, struct altconn_listener *ln);
void altconn_bind_stop_listening(struct sock *sk);
void altconn_unbind(struct sock *sk, struct path *path);
spinlock_t *altconn_bind_stripe(const struct net *net, int type,
				const struct altconn_addr *addr);
u32 altconn_bind_hash(const struct net *net, int type,
		      const struct altconn_addr *addr);
spinlock_t *altconn_bind_lock(const struct altconn_bind *bind);
/* The exact address; less close are any address of its version, then :: */
#define ALTCONN_CLOSEST		3
struct altconn_place *altconn_bind_place(const struct net *net, int type,
					 const struct altconn_addr *addr,
					 unsigned int closeness);
struct altconn_place *altconn_bind_port(const struct net *net, int type,
					const struct altconn_addr *addr);
struct altconn_bind *altconn_bind_find(const struct net *net, int type,
				       const struct altconn_addr *addr);
struct altconn_addr *altconn_bind_addr(struct net *net, int type,
				       const struct altconn_addr *addr);
unsigned int altconn_bind_score(const struct altconn_bind *bind,
				const struct altconn_addr *addr);
int altconn_bind_table_insert(struct altconn_bind *bind, bool exclusive);
void altconn_bind_table_remove(struct altconn_bind *bind);
int altconn_bind_claim_listening(struct altconn_bind *bind);
void altconn_bind_unclaim_listening(struct altconn_bind *bind);
void altconn_bind_set_listener(struct altconn_bind *bind,
			       struct altconn_listener *ln);
u32 altconn_bind_spread(const struct altconn_addr *from, u32 n);
int altconn_bind_table_init(void);
void altconn_bind_table_exit(void);
int altconn_bind_insert(struct sock *sk, const struct altconn_addr *addr,
			enum altconn_bind_how how);
struct altconn_bind *altconn_bind_reserve(struct sock *sk,
					  const struct altconn_addr *addr);
int altconn_bind_complete(struct sock *sk, struct altconn_bind *bind,
			  const struct path *path);
bool altconn_bind_file(struct sock *sk, struct path *path);
void altconn_bind_unreserve(struct sock *sk, struct altconn_bind *bind);
void __altconn_bind_cancel(struct sock *sk);

/**
 * altconn_bind_cancel() - this call comes before a bind() that is under way
 * @sk: the endpoint
 *
 * A bind() looks its path up without lock_sock(), which may take for ever. A call
 * that needs the endpoint's address, or changes its state, does not wait for
 * that: the bind() fails later. Afterwards ask->bind changes under lock_sock()
 * alone.
 *
 * Context: process; lock_sock() held.
 */
static inline void altconn_bind_cancel(struct sock *sk)
{
	/* Pairs with altconn_bind_complete(): ask->bind is what it made. */
	if (unlikely(smp_load_acquire(&altconn_sk(sk)->binding)))
		__altconn_bind_cancel(sk);
}

/**
 * altconn_bind_answerable() - another node is to be able to answer
 * @sk: an endpoint that sends or connects
 * @dest: where to; another node's or not
 *
 * An address that it has for no other purpose becomes reachable; one that it was
 * bound to stays as it was wanted.
 *
 * Context: any.
 */
static inline void altconn_bind_answerable(struct sock *sk,
					   const struct altconn_addr *dest)
{
	if (unlikely(dest->far))
		__altconn_bind_answerable(sk);
}

/**
 * altconn_bind_claimed() - what the endpoint's claim stands for
 * @sk: the endpoint; with a claim or without
 * @assoc: its association; a reference is taken
 *
 * Once it has failed, others may have its addresses.
 *
 * Context: process; lock_sock() held.
 */
static inline void altconn_bind_claimed(struct sock *sk,
					struct altconn_assoc *assoc)
{
	struct altconn_bind *bind = altconn_sk(sk)->bind;

	if (unlikely(bind && bind->claim))
		__altconn_bind_claimed(bind, assoc);
}

extern const struct hlist_head altconn_bind_none;

/* The bindings of a place, which may be NULL. */
static inline const struct hlist_head *
altconn_place_binds(const struct altconn_place *place)
{
	return place ? &place->binds : &altconn_bind_none;
}

static inline const struct hlist_head *
altconn_place_listeners(const struct altconn_place *place)
{
	return place ? &place->listeners : &altconn_bind_none;
}

/* All bindings of a place; under RCU. */
#define altconn_bind_for_each(bind, place)				\
	hlist_for_each_entry_rcu(bind, altconn_place_binds(place), link)

/* Those that listen. */
#define altconn_bind_for_each_listener(bind, place)			\
	hlist_for_each_entry_rcu(bind, altconn_place_listeners(place),	\
				 listener_link)

/* Those of altconn_bind_port(). */
#define altconn_bind_for_each_port(bind, port)				\
	hlist_for_each_entry_rcu(bind, altconn_place_binds(port),	\
				 port_link)

/* port.c */
void altconn_port_init(struct altconn_net *an);
void altconn_port_exit(struct altconn_net *an);
int altconn_port_bind(struct sock *sk, struct altconn_addr *addr,
		      enum altconn_bind_how how);
void altconn_port_free(struct net *net, int type,
		       const struct altconn_addr *addr);

/* late.c */

/**
 * struct altconn_late - a datagram that a rule delays
 * @node: in the sender's queue
 * @due: when it arrives, ns
 * @size: memory that it holds, bytes
 */
struct altconn_late {
	struct list_head	node;
	u64			due;
	u32			size;
};

int altconn_late_add(struct sock *sk, struct altconn_late *late, u32 delay_ms);

/* rule.c */
struct altconn_match;

int __altconn_rule_check(const struct sock *sk,
			 const struct altconn_addr *addr,
			 const struct path *path,
			 struct altconn_ruling *ruling);
int __altconn_rule_find(const struct sock *sk, const struct altconn_addr *addr,
			const struct path *path, struct altconn_match **match);
int altconn_rule_commit(const struct sock *sk, const struct altconn_addr *addr,
			const struct altconn_match *match,
			struct altconn_ruling *ruling);
void __altconn_match_free(struct altconn_match *match);
void altconn_rules_init(struct altconn_net *an);
void altconn_rules_exit(struct altconn_net *an);

/* Why __altconn_rule_check() said @err. */
static inline u32 altconn_rule_reason(const struct altconn_ruling *ruling,
				      int err)
{
	if (ruling->rule)
		return ALTCONN_REASON_RULE;
	return err == -ENOMEM ? ALTCONN_REASON_NO_MEMORY :
				ALTCONN_REASON_PATH_LOOKUP;
}

/* Does the namespace of an endpoint have rules? */
static inline bool altconn_rules_exist(const struct sock *sk)
{
	return rcu_access_pointer(altconn_pernet(sock_net(sk))->rules);
}

/* As __altconn_rule_check(). */
static inline int altconn_rule_check(const struct sock *sk,
				     const struct altconn_addr *addr,
				     const struct path *path,
				     struct altconn_ruling *ruling)
{
	if (likely(!altconn_rules_exist(sk)))
		return 0;
	return __altconn_rule_check(sk, addr, path, ruling);
}

/* As __altconn_rule_find(). */
static inline int altconn_rule_find(const struct sock *sk,
				    const struct altconn_addr *addr,
				    const struct path *path,
				    struct altconn_match **match)
{
	if (likely(!altconn_rules_exist(sk)))
		return 0;
	return __altconn_rule_find(sk, addr, path, match);
}

/* As __altconn_match_free(), of a match or NULL. */
static inline void altconn_match_free(struct altconn_match *match)
{
	if (unlikely(match))
		__altconn_match_free(match);
}

/* path.c */
int altconn_path_bind(struct sock *sk, struct altconn_addr *addr);
int altconn_path_resolve(struct altconn_addr *addr, struct path *path,
			 u32 *reason);

/* connect.c */
int altconn_connect(struct socket *sock, struct sockaddr_unsized *uaddr,
		    int len, int flags);
void altconn_connect_cancel(struct sock *sk, u32 reason);
void __altconn_connect_reap(struct sock *sk);
void altconn_connect_record(struct sock *sk, const struct altconn_assoc *assoc);
int altconn_connect_bad_addr(struct sock *sk, int err);
int altconn_connect_outcome(struct sock *sk, struct altconn_connect_info *info);

/**
 * altconn_connect_reap() - let go of an attempt that failed
 * @sk: the endpoint
 *
 * A failed attempt stays at the endpoint until the next call that wants it
 * unconnected, since the decision cannot take the socket's lock. An error that
 * nobody has been told stays in sk_err.
 *
 * Context: process; lock_sock() held.
 */
static inline void altconn_connect_reap(struct sock *sk)
{
	if (altconn_state(sk) == TCP_CLOSE &&
	    rcu_access_pointer(altconn_sk(sk)->assoc))
		__altconn_connect_reap(sk);
}

/* attempt.c */
int altconn_attempt_enter(struct altconn_assoc *assoc,
			  struct altconn_listener *ln, u32 *reason);
int altconn_attempt_hold(struct altconn_assoc *assoc, u32 delay_ms,
			 const struct path *path, u32 *reason);
bool altconn_attempt_fail(struct altconn_assoc *assoc, int err, u32 reason);
void altconn_attempt_sync(struct altconn_assoc *assoc);
int altconn_attempt_join(struct altconn_listener *ln);
void altconn_attempt_quit(struct altconn_listener *ln);
void altconn_attempt_refill(struct altconn_listener *ln);
void altconn_attempt_set_policy(struct altconn_listener *ln, u32 backlog,
				bool fail_fast, bool defer);
void altconn_attempt_refuse_surplus(struct altconn_listener *ln);
void altconn_attempt_refuse(struct altconn_listener *ln, u32 count);
bool altconn_attempt_take(struct altconn_listener *ln);
bool altconn_attempt_waits(const struct altconn_listener *ln);
u32 altconn_attempt_waiting(const struct altconn_listener *ln);
u32 altconn_attempt_place(const struct altconn_assoc *assoc);
u64 altconn_attempt_listener(const struct altconn_assoc *assoc);

/* listen.c */
int altconn_listen(struct socket *sock, int backlog);
int altconn_listen_accept(struct socket *sock, struct socket *newsock,
			  struct proto_accept_arg *arg);
struct altconn_listener *altconn_listener_find(struct net *net, int type,
					       const struct altconn_addr *addr,
					       u32 *reason);
struct altconn_listener *altconn_listener_of(const struct sock *sk);
void altconn_listener_free(struct altconn_listener *ln);
bool altconn_listener_acceptable(const struct altconn_listener *ln);
void altconn_listener_close(struct sock *sk);
void altconn_listener_option(struct sock *sk, bool fail_fast, bool defer);
int altconn_listener_refuse(struct sock *sk, u32 count);
bool altconn_listener_kill(struct altconn_assoc *assoc);

/* A backlog of n holds n + 1, as elsewhere in Linux. */
static inline bool altconn_listener_has_room(const struct altconn_listener *ln)
{
	return !ln->closed && !ln->defer && ln->queued <= ln->backlog;
}

/**
 * altconn_listener_put() - drop a reference
 * @ln: the listener
 *
 * Context: any but hard interrupts.
 */
static inline void altconn_listener_put(struct altconn_listener *ln)
{
	if (refcount_dec_and_test(&ln->refs))
		altconn_listener_free(ln);
}

/* account.c */

enum altconn_account_kind {
	ALTCONN_ACCOUNT_OWN,
	ALTCONN_ACCOUNT_INBOUND,
	ALTCONN_ACCOUNT_NESTED,
	ALTCONN_ACCOUNT_KINDS,
};

/**
 * struct altconn_account_usage - what a user has in a network namespace
 * @uid: the user, of the initial user namespace
 * @n: associations, those of its user namespaces included
 */
struct altconn_account_usage {
	kuid_t	uid;
	u64	n;
};

int altconn_account_table_init(void);
void altconn_account_table_exit(void);
void altconn_account_init(struct altconn_net *an);
void altconn_account_exit(struct altconn_net *an);
struct altconn_account *altconn_account_charge(struct altconn_net *an,
					       const struct cred *cred,
					       bool inbound);
void altconn_account_release(struct altconn_account *account);
u64 altconn_account_total(const struct altconn_net *an);
u32 altconn_account_top(struct altconn_net *an, enum altconn_account_kind kind,
			struct altconn_account_usage *top, u32 room);

/* assoc.c */
int altconn_assoc_init(void);
void altconn_assoc_exit(void);
struct altconn_account *altconn_assoc_count(struct altconn_net *an);
void altconn_assoc_uncount(struct altconn_net *an,
			   struct altconn_account *account);
struct altconn_assoc *altconn_assoc_new(struct sock *sk,
					struct altconn_addr *dest);
void altconn_assoc_set_server(struct altconn_assoc *assoc,
			      const struct altconn_listener *ln);
void altconn_assoc_free(struct altconn_assoc *assoc);

/**
 * struct altconn_walk - where a reader of a namespace's associations is
 * @an: the namespace
 * @pos: in one of its registries
 * @inbound: in the registry of associations from other namespaces, the second one
 */
struct altconn_walk {
	struct altconn_net	*an;
	struct altconn_position	pos;
	bool			inbound;
};

void altconn_assoc_walk(struct net *net, struct altconn_walk *walk);
u32 altconn_assoc_dump(const struct altconn_walk *walk);
struct altconn_assoc *altconn_assoc_next(struct altconn_walk *walk,
					 enum altconn_side *viewer);
u32 altconn_assoc_removed(const struct altconn_walk *walk);
struct altconn_assoc *altconn_assoc_find(struct net *net, u64 id,
					 enum altconn_side *viewer);
void altconn_assoc_over(struct altconn_assoc *assoc);
int altconn_assoc_register(struct altconn_assoc *assoc);
struct altconn_far *__altconn_far_prepare(struct altconn_assoc *assoc,
					  const struct altconn_listener *ln);
void __altconn_far_free(struct altconn_far *far);
void __altconn_far_arrive(struct altconn_assoc *assoc,
			  const struct altconn_listener *ln,
			  struct altconn_far *far);
void __altconn_far_leave(struct altconn_assoc *assoc);
void altconn_assoc_attach(struct altconn_assoc *assoc, enum altconn_side side,
			  struct sock *sk);
void altconn_assoc_bound(struct sock *sk);
void altconn_assoc_detach(struct sock *sk);
void altconn_assoc_abandon(struct altconn_assoc *assoc);
bool altconn_assoc_kill(struct altconn_assoc *assoc);
void altconn_assoc_shutdown(struct altconn_assoc *assoc,
			    enum altconn_side side, u8 how);
int altconn_assoc_pair(struct sock *a, struct sock *b);
int altconn_assoc_peer_info(const struct sock *sk,
			    struct altconn_peer_info *info);

/**
 * altconn_far_prepare() - an attempt is about to enter a listener
 * @assoc: the attempt
 * @ln: the listener; mostly of its own namespace
 *
 * Context: process, may sleep, unless it is of the same namespace.
 * Return: what altconn_far_arrive() takes, NULL if there is no need of it or the
 * listener has closed; ERR_PTR(-ENOMEM); ERR_PTR(-ECONNREFUSED): the user has
 * as many associations there as one may: altconn_far_reason().
 */
static inline struct altconn_far *
altconn_far_prepare(struct altconn_assoc *assoc,
		    const struct altconn_listener *ln)
{
	if (likely(ln->net == assoc->an->net))
		return NULL;
	return __altconn_far_prepare(assoc, ln);
}

/**
 * altconn_far_reason() - why altconn_far_prepare() failed
 * @far: the error that it returned
 */
static inline u32 altconn_far_reason(const struct altconn_far *far)
{
	return PTR_ERR(far) == -ECONNREFUSED ? ALTCONN_REASON_TABLE_FULL :
					       ALTCONN_REASON_NO_MEMORY;
}

/**
 * altconn_far_free() - undo altconn_far_prepare()
 * @far: what it returned, not an error
 *
 * Context: any.
 */
static inline void altconn_far_free(struct altconn_far *far)
{
	if (unlikely(far))
		__altconn_far_free(far);
}

/**
 * altconn_far_arrive() - an attempt enters a listener
 * @assoc: the attempt
 * @ln: the listener, not closed, so that its namespace lives
 * @far: of altconn_far_prepare() for both; moves to @assoc
 *
 * Context: process; @ln's lock held, or that of its room, so that it cannot
 * close.
 */
static inline void altconn_far_arrive(struct altconn_assoc *assoc,
				      const struct altconn_listener *ln,
				      struct altconn_far *far)
{
	if (unlikely(far))
		__altconn_far_arrive(assoc, ln, far);
}

/**
 * altconn_far_leave() - the server's namespace has no part in it any more
 * @assoc: the association, out of its listener, or at its end
 *
 * Context: process; assoc->lock held while it is an attempt, listener->lock in
 * an accept queue, or the caller has the last reference.
 */
static inline void altconn_far_leave(struct altconn_assoc *assoc)
{
	if (unlikely(assoc->far))
		__altconn_far_leave(assoc);
}

static inline struct altconn_assoc *
altconn_assoc_get(struct altconn_assoc *assoc)
{
	refcount_inc(&assoc->refs);
	return assoc;
}

/**
 * altconn_assoc_addr() - the address of an end
 * @assoc: the association
 * @side: whose
 * @viewer: at which end it is written so
 *
 * Return: no reference of its own; NULL: unnamed.
 */
static inline struct altconn_addr *
altconn_assoc_addr(const struct altconn_assoc *assoc, enum altconn_side side,
		   enum altconn_side viewer)
{
	if (viewer == ALTCONN_SERVER && unlikely(assoc->far))
		return READ_ONCE(assoc->far->addr[side]);
	return READ_ONCE(assoc->end[side].addr);
}

/**
 * altconn_assoc_put() - drop a reference
 * @assoc: the association
 *
 * Context: process; no lock of this module held.
 */
static inline void altconn_assoc_put(struct altconn_assoc *assoc)
{
	if (unlikely(refcount_dec_and_test(&assoc->refs)))
		altconn_assoc_free(assoc);
}

/**
 * altconn_assoc_of() - the association of an endpoint
 * @sk: the endpoint
 * @side: which end it is
 *
 * Context: any; takes no lock.
 * Return: a reference, or NULL.
 */
static __always_inline struct altconn_assoc *
altconn_assoc_of(const struct sock *sk, enum altconn_side *side)
{
	struct altconn_assoc *assoc, *again;

	for (;;) {
		/* Who does not sleep is a reader too, and that costs less. */
		rcu_read_lock_sched();
		assoc = rcu_dereference_sched(altconn_sk(sk)->assoc);
		if (assoc && unlikely(!refcount_inc_not_zero(&assoc->refs))) {
			rcu_read_unlock_sched();
			continue;
		}
		rcu_read_unlock_sched();
		/* The reference first, then the second look. */
		smp_acquire__after_ctrl_dep();
		again = rcu_access_pointer(altconn_sk(sk)->assoc);
		/* And then what it shows: it is whole. */
		smp_rmb();
		if (likely(again == assoc))
			break;
		/* Another one by now, in the same memory or not. */
		if (assoc)
			altconn_assoc_put(assoc);
	}
	if (assoc)
		*side = assoc->end[ALTCONN_CLIENT].sk == sk ? ALTCONN_CLIENT :
							      ALTCONN_SERVER;
	return assoc;
}

/**
 * altconn_assoc_shut() - which directions are shut for an end
 * @end: of an association
 *
 * Context: any. Data that is read after this call was sent before the peer
 * shut its side, when RCV_SHUTDOWN is set.
 *
 * Return: RCV_SHUTDOWN: nothing will come any more; SEND_SHUTDOWN: nobody
 * would read it.
 */
static inline u8 altconn_assoc_shut(const struct altconn_end *end)
{
	/* Pairs with shut(): behind the last byte that was written. */
	return smp_load_acquire(&end->shut);
}

/* ring.c: the data path's narrow interface */
bool altconn_marks_few(const struct altconn_marks *marks);
#define ALTCONN_RING_LIMIT	(256U << 20)

/* Of ring->head. */
#define ALTCONN_RING_SEALED	BIT_ULL(32)

/**
 * altconn_ring_head() - bytes ever written
 * @ring: the ring
 *
 * Context: any.
 */
static inline u32 altconn_ring_head(const struct altconn_ring *ring)
{
	return atomic64_read(&ring->head);
}

/**
 * altconn_ring_is_sealed() - may nothing be written any more?
 * @ring: the ring
 *
 * Context: any.
 * Return: true if it is sealed.
 */
static inline bool altconn_ring_is_sealed(const struct altconn_ring *ring)
{
	return atomic64_read(&ring->head) & ALTCONN_RING_SEALED;
}

/**
 * altconn_ring_used() - bytes in the ring, records' lengths included
 * @ring: the ring, or NULL
 *
 * Context: any. Without a lock it may be more than there is by now, if the
 * caller is not the reader, and less, if it is not the writer.
 */
static inline u32 altconn_ring_used(const struct altconn_ring *ring)
{
	u32 tail;

	if (!ring)
		return 0;
	/* Pairs with the reader: what it has read may be overwritten. */
	tail = smp_load_acquire(&ring->tail);
	/* Pairs with the writer: what it has written may be read. */
	return (u32)atomic64_read_acquire(&ring->head) - tail;
}

/**
 * altconn_ring_writable() - is it worth waking a writer?
 * @ring: the ring
 * @limit: most bytes it may hold
 *
 * Half full is the mark: below it a stream takes bytes and a record of any
 * legal size is taken whole, so POLLOUT never lies.
 *
 * Context: any.
 */
static inline bool altconn_ring_writable(const struct altconn_ring *ring,
					 u32 limit)
{
	const struct altconn_marks *marks;

	if (altconn_ring_used(ring) > limit / 2)
		return false;
	marks = ring ? READ_ONCE(ring->marks) : NULL;
	return likely(!marks) || altconn_marks_few(marks);
}

/**
 * altconn_ring_wants_room() - a writer is about to wait
 * @ring: the ring, or NULL
 * @limit: most bytes it may hold
 *
 * Stores how far the reader must get to make it writable again, whatever is
 * written meanwhile by others.
 *
 * Context: any.
 */
static inline void altconn_ring_wants_room(struct altconn_ring *ring, u32 limit)
{
	if (ring)
		WRITE_ONCE(ring->wake_at, altconn_ring_head(ring) - limit / 2);
}

/**
 * altconn_ring_drained() - has the reader got as far as a writer said?
 * @ring: the ring, or NULL
 *
 * Context: any.
 */
static inline bool altconn_ring_drained(const struct altconn_ring *ring)
{
	return !ring || (s32)(READ_ONCE(ring->tail) -
			      READ_ONCE(ring->wake_at)) >= 0;
}

int altconn_ring_init(void);
void altconn_ring_exit(void);
struct altconn_ring *altconn_ring_new(struct altconn_ring **place,
				      const struct cred *cred);
void __altconn_ring_seal(struct altconn_ring **place);
void altconn_ring_purge(struct altconn_ring *ring);
void __altconn_ring_free(struct altconn_ring *ring);
u32 altconn_ring_payload(const struct altconn_ring *ring);
ssize_t altconn_ring_write(struct altconn_ring *ring, struct iov_iter *from,
			   size_t len, u32 limit, struct altconn_scm *scm);
ssize_t altconn_ring_read(struct altconn_ring *ring, struct iov_iter *to,
			  size_t len, bool peek, struct altconn_rx *rx);
ssize_t altconn_ring_put(struct altconn_ring *ring, struct iov_iter *from,
			 size_t len, u32 limit, struct altconn_scm *scm,
			 bool stamp, bool eor);
ssize_t altconn_ring_take(struct altconn_ring *ring, struct iov_iter *to,
			  size_t len, bool peek, struct altconn_rx *rx,
			  size_t *record);

/**
 * altconn_ring_seal() - let nothing be written any more
 * @place: where the ring belongs; there may be none yet
 *
 * A write that is under way has become visible before, or fails with EPIPE. The
 * caller sees what was written.
 *
 * Context: any. Waits for no lock.
 */
static inline void altconn_ring_seal(struct altconn_ring **place)
{
	const struct altconn_ring *ring = READ_ONCE(*place);

	if (!ring || !altconn_ring_is_sealed(ring))
		__altconn_ring_seal(place);
}

/**
 * altconn_ring_free() - free a ring and what it holds
 * @ring: nobody uses it any more, but perhaps the scan; or NULL
 *
 * Context: process.
 */
static inline void altconn_ring_free(struct altconn_ring *ring)
{
	if (ring)
		__altconn_ring_free(ring);
}

/* scm.c */

void altconn_scm_destroy(struct altconn_scm *scm);
void altconn_scm_fill(struct altconn_scm *scm);
int altconn_scm_send(const struct sock *sk, struct msghdr *msg,
		     struct altconn_scm *scm);
void altconn_scm_recv(struct msghdr *msg, struct altconn_scm *scm,
		      bool passcred);
void altconn_put_stamp(struct msghdr *msg, const struct sock *sk,
		       ktime_t stamp);
void altconn_scm_copy(struct altconn_scm *to, const struct altconn_scm *from);
int altconn_marks_write(struct altconn_marks **place, u32 pos, u32 n,
			struct altconn_scm *scm, bool stamp);
u32 altconn_marks_bound(struct altconn_marks *marks, u32 pos, u32 n,
			const struct altconn_rx *rx);
void altconn_marks_read(struct altconn_marks *marks, u32 pos, u32 n,
			struct altconn_rx *rx, bool peek);
void altconn_marks_cancel(struct altconn_marks *marks, u32 pos);
void altconn_marks_empty(struct altconn_marks *marks, struct list_head *list);
void altconn_marks_discard(struct list_head *list);
void altconn_marks_free(struct altconn_marks *marks);

/* stream.c: connected data, stream and seqpacket */
int altconn_stream_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
int altconn_stream_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
			   int flags);
int altconn_seqpacket_sendmsg(struct socket *sock, struct msghdr *msg,
			      size_t len);
int altconn_seqpacket_recvmsg(struct socket *sock, struct msghdr *msg,
			      size_t len, int flags);
__poll_t altconn_stream_poll(struct file *file, struct socket *sock,
			     poll_table *wait);

/* dgram.c */
int altconn_dgram_connect(struct socket *sock, struct sockaddr_unsized *uaddr,
			  int len, int flags);
int altconn_dgram_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
int altconn_dgram_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
			  int flags);
__poll_t altconn_dgram_poll(struct file *file, struct socket *sock,
			    poll_table *wait);
void altconn_dgram_init(struct sock *sk);
int altconn_dgram_pair(struct sock *a, struct sock *b);
int altconn_dgram_shutdown(struct sock *sk, u8 how);
bool altconn_dgram_kill(struct sock *sk);
void altconn_dgram_close(struct sock *sk);
void altconn_dgram_changed(void);
void altconn_dgram_arrive(struct sock *sk, struct altconn_late *late);
struct altconn_addr *altconn_dgram_peer(struct sock *sk);
int altconn_dgram_inq(struct sock *sk);
void altconn_dgram_overflow(struct sock *sk, u8 policy);
int altconn_dgram_cork(struct sock *sk, bool on);
bool altconn_dgram_corked(const struct sock *sk);
u32 altconn_dgram_queued(const struct sock *sk);

/* inet.c */
int altconn_inet_set(struct sock *sk, int level, int optname, sockptr_t optval,
		     unsigned int optlen);
int altconn_inet_get(struct sock *sk, int level, int optname, int *value);
void altconn_inet_inherit(struct sock *sk, struct sock *newsk);

/* sock.c */
extern struct proto altconn_proto;
extern struct proto altconn_dgram_proto;
extern struct net_proto_family altconn_family_ops;
struct sock *altconn_sock_alloc(struct net *net, struct socket *sock, int type,
				int protocol, int kern);
struct sock *altconn_sock_next(struct net *net, struct altconn_position *pos);
struct sock *altconn_sock_find(struct net *net, u64 id);
bool altconn_sock_kill(struct sock *sk, u64 id, unsigned long until);
void altconn_sock_register(struct sock *sk);
void __altconn_sock_unregister(struct sock *sk);

/**
 * altconn_sock_unregister() - undo altconn_sock_register()
 * @sk: the endpoint; may not be there
 *
 * Context: process; lock_sock() held.
 */
static inline void altconn_sock_unregister(struct sock *sk)
{
	if (altconn_entry_is_listed(&altconn_sk(sk)->entry))
		__altconn_sock_unregister(sk);
}

void altconn_sock_set_addr(struct sock *sk, struct altconn_addr *addr);
void altconn_sock_inherit(struct sock *sk, struct sock *newsk);
void altconn_sock_set_peercred(struct sock *sk, struct pid *pid,
			       const struct cred *cred);

/* stat.c */
int altconn_stat_init(struct altconn_net *an);
void altconn_stat_exit(struct altconn_net *an);

/* An attempt of this namespace has ended. */
static inline void altconn_stat_outcome(struct altconn_net *an, u32 reason)
{
	if (!WARN_ON_ONCE(reason >= ALTCONN_N_REASONS))
		this_cpu_inc(an->stat->outcomes[reason]);
}

static inline void altconn_stat_time(struct altconn_histogram __percpu *hist,
				     u64 ns)
{
	this_cpu_inc(hist->bucket[min(fls64(ns), ALTCONN_BUCKETS - 1)]);
	this_cpu_add(hist->sum, ns);
}

/* sysctl.c */
int altconn_sysctl_register(struct net *net);
void altconn_sysctl_unregister(struct net *net);

#endif /* _ALTCONN_H */
