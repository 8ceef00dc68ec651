// SPDX-License-Identifier: GPL-2.0
/*
 * The table of bound addresses: insertion, removal and conflicts. place.c
 * describes the structure of the table.
 *
 * A binding belongs to the place of its address (bind->place). An inet binding
 * also belongs to the place of its port (bind->port), which counts the bindings
 * at all IP addresses by class, and lists them for broadcasts.
 *
 * bind_conflicts() finds a conflict in the counters of these two places,
 * without a walk of their bindings. A binding with @share does not conflict
 * with bindings of the same user that have @share too. Their number, from
 * struct place_owner, is subtracted from the counters of the place.
 */

#include <linux/slab.h>
#include "addr.h"
#include "bind_table.h"
#include "listener.h"
#include "place.h"
#include "port_set.h"

/*
 * Maximum number of listeners, or of datagram sockets, at one address, because
 * a lookup walks all of them.
 */
#define PLACE_BINDS_MAX	1024

/*
 * Maximum number of datagram sockets at one inet port, at all IP addresses
 * together, because a broadcast walks all of them.
 */
#define PORT_BINDS_MAX	(16 * PLACE_BINDS_MAX)

/*
 * The class of an inet binding says which IP addresses the binding serves.
 * Bindings of other kinds do not need a class and have PLACE_SOME4.
 */
enum place_class {
	PLACE_SOME4,	/* an IPv4 address other than 0.0.0.0 */
	PLACE_ANY4,	/* 0.0.0.0 */
	PLACE_SOME6,	/* an IPv6 address other than :: */
	PLACE_ANY6,	/* ::, which serves IPv4 too */
	PLACE_ONLY6,	/* :: with IPV6_V6ONLY */
};

/*
 * place_overlaps[c] has the classes of which every binding at the port overlaps
 * every binding of class c. Two bindings overlap if they serve a common
 * address. Two bindings of class PLACE_SOME4, or of PLACE_SOME6, overlap only
 * if they have the same address. The counters of the place of that address show
 * this.
 */
static const u8 place_overlaps[] = {
	[PLACE_SOME4]	= BIT(PLACE_ANY4) | BIT(PLACE_ANY6),
	[PLACE_ANY4]	= BIT(PLACE_SOME4) | BIT(PLACE_ANY4) | BIT(PLACE_ANY6),
	[PLACE_SOME6]	= BIT(PLACE_ANY6) | BIT(PLACE_ONLY6),
	[PLACE_ANY6]	= BIT(PLACE_SOME4) | BIT(PLACE_ANY4) |
			  BIT(PLACE_SOME6) | BIT(PLACE_ANY6) |
			  BIT(PLACE_ONLY6),
	[PLACE_ONLY6]	= BIT(PLACE_SOME6) | BIT(PLACE_ANY6) |
			  BIT(PLACE_ONLY6),
};

static enum place_class bind_class(const struct altconn_bind *bind)
{
	const struct altconn_addr *addr = bind->addr;

	if (addr->kind != ALTCONN_KIND_INET)
		return PLACE_SOME4;
	if (altconn_addr_is_v4(addr))
		return altconn_addr_is_any(addr) ? PLACE_ANY4 : PLACE_SOME4;
	if (!altconn_addr_is_any(addr))
		return PLACE_SOME6;
	return bind->v6only ? PLACE_ONLY6 : PLACE_ANY6;
}

/*
 * Return the counters of a place, as an array of rows. The place of a port has
 * a row for each class. The place of an address has one row, because all its
 * bindings have the same class.
 */
static u32 (*place_count_rows(struct altconn_place *place))[ALTCONN_PLACE_SORTS]
{
	if (place->level != ALTCONN_PLACE_PORT)
		return &place->count;
	return container_of(place, struct altconn_port_place, place)->count;
}

/* Return the index of the row of @place that counts @bind. */
static unsigned int place_row(const struct altconn_place *place,
			      const struct altconn_bind *bind)
{
	return place->level == ALTCONN_PLACE_PORT ? bind_class(bind) : 0;
}

/* Return the sum of counter @what over the rows whose bits are set in @rows. */
static u64 place_sum(u32 (*counts)[ALTCONN_PLACE_SORTS], u8 rows,
		     enum altconn_place_sort what)
{
	u64 sum = 0;

	for (; rows; rows >>= 1, counts++)
		if (rows & 1)
			sum += (*counts)[what];
	return sum;
}

/*
 * Return whether @place has a binding of sort @what, in the rows of the bit
 * mask @rows, that conflicts with @bind. If @share is false, each such binding
 * conflicts. If @share is true, the bindings with altconn_bind.share that
 * belong to the user of @bind do not conflict.
 */
static bool place_has_conflict(struct altconn_place *place,
			       const struct altconn_bind *bind, u8 rows,
			       enum altconn_place_sort what, bool share)
{
	struct place_owner *owner;
	u64 sum;

	sum = place_sum(place_count_rows(place), rows, what);
	if (!sum || !share)
		return sum;
	owner = altconn_place_owner_find(place, bind->uid);
	return !owner || sum != place_sum(owner->count, rows, what);
}

/*
 * Return whether a binding of sort @what overlaps @bind and, if @share is true,
 * may not share the address with @bind. Two bindings overlap if both serve one
 * address: they have the same address, or one of them is bound to a wildcard
 * address of their port that includes the address of the other one. @place and
 * @port are the places that @bind has or will have, or NULL.
 */
static bool bind_overlaps(const struct altconn_bind *bind,
			  struct altconn_place *place,
			  struct altconn_port_place *port,
			  enum altconn_place_sort what, bool share)
{
	if (place && place_has_conflict(place, bind, BIT(0), what, share))
		return true;
	return port && place_has_conflict(&port->place, bind,
					  place_overlaps[bind_class(bind)],
					  what, share);
}

/*
 * Return whether @bind, which is not in the table yet, conflicts with a binding
 * in the table. These bindings do, if they overlap @bind:
 *
 *	@exclusive			all
 *	@bind without SO_REUSEADDR	all but S
 *	@bind with SO_REUSEADDR		those that listen or do not have
 *					SO_REUSEADDR, but not S
 *
 * If @bind has @share, S are the bindings of the same user with @share. Else S
 * is empty. The last two rows are the rules of TCP. @exclusive is for an
 * address that the module chose.
 */
static bool bind_conflicts(const struct altconn_bind *bind,
			   struct altconn_place *place,
			   struct altconn_port_place *port, bool exclusive)
{
	if (exclusive || !bind->reuse)
		return bind_overlaps(bind, place, port, ALTCONN_PLACE_ALL,
				     !exclusive && bind->share);
	return bind_overlaps(bind, place, port, ALTCONN_PLACE_EXCL,
			     bind->share);
}

/* Add @n to the counters of the sorts that @bind has. */
static void place_add_counts(u32 *sorts, const struct altconn_bind *bind, s32 n)
{
	sorts[ALTCONN_PLACE_ALL] += n;
	if (!bind->reuse || bind->listens)
		sorts[ALTCONN_PLACE_EXCL] += n;
	if (bind->listens)
		sorts[ALTCONN_PLACE_LISTENING] += n;
}

/* Add @n to the counters of @place and, with @share, to those of the user. */
static void place_update_counts(struct altconn_place *place,
				const struct altconn_bind *bind, s32 n)
{
	unsigned int row = place_row(place, bind);
	struct place_owner *owner;

	place_add_counts(place_count_rows(place)[row], bind, n);
	if (!bind->share)
		return;
	owner = altconn_place_owner_find(place, bind->uid);
	if (!WARN_ON_ONCE(!owner))
		place_add_counts(owner->count[row], bind, n);
}

/*
 * Count @bind in its places (@n is 1), or undo that (@n is -1). While @bind is
 * counted, @bind->listens does not change.
 */
static void bind_update_counts(const struct altconn_bind *bind, s32 n)
{
	lockdep_assert_held(altconn_place_stripe_of(bind));
	place_update_counts(bind->place, bind, n);
	if (bind->port)
		place_update_counts(&bind->port->place, bind, n);
}

/*
 * Remove @bind from the counters of @place. The caller has removed it from the
 * lists of @place. @port is the place of the port, if @place is that of an inet
 * address; else NULL. If @bind is the last binding, the place ends, and its
 * counters need no update.
 */
static void place_remove_bind(struct altconn_place *place,
			      const struct altconn_bind *bind,
			      struct altconn_port_place *port)
{
	if (place->n > 1)
		place_update_counts(place, bind, -1);
	if (bind->share)
		altconn_place_owner_remove_bind(place, bind->uid);
	if (--place->n)
		return;
	altconn_place_end(place, port);
	/* This may free the host, and the place with it. */
	altconn_addr_put(place->host->addr);
}

/*
 * Add @bind to the counters of *@place. If *@place is NULL, @own, which is
 * storage in @bind, becomes the place, with a reference to the address of
 * @bind. @port is the place of the port, if *@place is that of an inet address;
 * else NULL. place_remove_bind() undoes the call. Return 0 or -ENOMEM. After an
 * error a new place has ended again.
 */
static int place_add_bind(struct altconn_place **place,
			  struct altconn_place *own, struct altconn_bind *bind,
			  struct altconn_port_place *port,
			  struct place_owner **spare)
{
	int err;

	if (!*place) {
		own->host = bind;
		altconn_place_begin(own, port);
		altconn_addr_get(bind->addr);
		*place = own;
	}
	(*place)->n++;
	err = bind->share ? altconn_place_owner_add_bind(*place, bind->uid,
							 spare) : 0;
	if (!err) {
		place_update_counts(*place, bind, 1);
	} else if (!--(*place)->n) {
		altconn_place_end(own, port);
		altconn_addr_put(bind->addr);
	}
	return err;
}

/*
 * Return the storage in an inet binding for a place of its port. The storage
 * follows the bytes of the address.
 */
static struct altconn_port_place *bind_own_port(struct altconn_bind *bind)
{
	return (void *)bind->own.bytes + sizeof(struct in6_addr);
}

/* Add @bind to the place @port of its port, which begins if it is NULL. */
static int bind_link_port(struct altconn_bind *bind,
			  struct altconn_port_place *port,
			  struct place_owner **spare)
{
	struct altconn_place *place = port ? &port->place : NULL;
	int err;

	err = place_add_bind(&place, &bind_own_port(bind)->place, bind, NULL,
			     spare);
	if (!err)
		bind->port = container_of(place, struct altconn_port_place,
					  place);
	return err;
}

/*
 * Add @bind to its places, which begin if they are NULL. Lookups find the
 * binding from then on. Return 0, or -ENOMEM and no change.
 */
static int bind_link(struct altconn_bind *bind, struct altconn_place *place,
		     struct altconn_port_place *port,
		     struct place_owner **spares)
{
	int err = 0;

	if (bind->addr->kind == ALTCONN_KIND_INET)
		err = bind_link_port(bind, port, &spares[0]);
	if (err)
		return err;
	err = place_add_bind(&place, &bind->own_place, bind, bind->port,
			     &spares[1]);
	if (err) {
		if (bind->port)
			place_remove_bind(&bind->port->place, bind, NULL);
		return err;
	}
	bind->place = place;
	hlist_add_head_rcu(&bind->link, &place->binds);
	if (bind->port)
		hlist_add_head_rcu(&bind->port_link, &bind->port->place.binds);
	return 0;
}

/*
 * Find the existing places of a new binding, or NULL for each. A port without a
 * place has no binding, so its addresses have no places either. The stripe lock
 * is held.
 */
static void bind_find_places(const struct altconn_bind *bind,
			     struct altconn_place **place,
			     struct altconn_port_place **port)
{
	*port = NULL;
	*place = altconn_place_find_for(bind);
	if (!*place || bind->addr->kind != ALTCONN_KIND_INET)
		return;
	*port = container_of(*place, struct altconn_port_place, place);
	rcu_read_lock();
	*place = altconn_place_find_at_port(*port, bind->addr,
					    bind->own_place.level);
	rcu_read_unlock();
}

/* Check the limits and the conflicts of @bind, and add it. */
static int bind_insert_locked(struct altconn_bind *bind, bool exclusive,
			      struct place_owner **spares)
{
	bool dgram = bind->type == SOCK_DGRAM;
	struct altconn_port_place *port;
	struct altconn_place *place;

	bind_find_places(bind, &place, &port);
	if (dgram && ((place && place->n >= PLACE_BINDS_MAX) ||
		      (port && port->place.n >= PORT_BINDS_MAX)))
		return -EADDRINUSE;
	if ((place || port) && bind_conflicts(bind, place, port, exclusive))
		return -EADDRINUSE;
	return bind_link(bind, place, port, spares);
}

/**
 * altconn_bind_table_insert() - add a binding, unless its address is taken
 * @bind: the binding, complete except for its links
 * @exclusive: every binding that overlaps @bind conflicts, also one that could
 *	share the address
 *
 * Context: process; may sleep if @bind has @share, which a path never has.
 * Return: 0. -EADDRINUSE if a binding conflicts, or the address already has
 * PLACE_BINDS_MAX datagram sockets, or the inet port PORT_BINDS_MAX. In this
 * case no other thread has found @bind. -ENOMEM if memory ran out. In this case
 * lookups may find a place in the memory of @bind for a grace period.
 */
int altconn_bind_table_insert(struct altconn_bind *bind, bool exclusive)
{
	struct place_owner *spares[2] = {};
	int err;

	bind->hash =
		altconn_place_stripe_hash(bind->net, bind->type, bind->addr);
	bind->own_place.level = altconn_place_level(bind);
	if (bind->addr->kind == ALTCONN_KIND_INET)
		bind_own_port(bind)->place.level = ALTCONN_PLACE_PORT;
	err = bind->share ? altconn_place_owner_alloc_spares(spares) : 0;
	if (!err) {
		spin_lock(altconn_place_stripe_of(bind));
		err = bind_insert_locked(bind, exclusive, spares);
		spin_unlock(altconn_place_stripe_of(bind));
	}
	if (bind->share) {
		kfree(spares[0]);
		kfree(spares[1]);
	}
	return err;
}

/**
 * altconn_bind_table_remove() - remove a binding from the table
 * @bind: the binding; altconn_bind_table_release_listening() has been called if
 *	it counted as listening
 *
 * The port is removed from the port sets in the same hold of the stripe lock,
 * as port_set.c requires. Lookups may find the binding for a grace period.
 *
 * Context: process; takes the stripe lock.
 */
void altconn_bind_table_remove(struct altconn_bind *bind)
{
	spin_lock(altconn_place_stripe_of(bind));
	hlist_del_rcu(&bind->link);
	if (bind->port)
		hlist_del_rcu(&bind->port_link);
	place_remove_bind(bind->place, bind, bind->port);
	if (bind->port)
		place_remove_bind(&bind->port->place, bind, NULL);
	if (bind->addr->port)
		altconn_port_sets_remove(bind->net, bind->type, bind->addr);
	spin_unlock(altconn_place_stripe_of(bind));
}

/**
 * altconn_bind_table_reserve_listening() - count a binding as listening
 * @bind: the binding of an endpoint that does not listen yet
 *
 * From here on, bindings that overlap @bind and may not share the address with
 * it cannot listen.
 *
 * Context: process; takes the stripe lock.
 * Return: 0; -EADDRINUSE if a binding that overlaps @bind, and may not share
 * the address with it, counts as listening, or PLACE_BINDS_MAX bindings of the
 * address do.
 */
int altconn_bind_table_reserve_listening(struct altconn_bind *bind)
{
	int err = -EADDRINUSE;

	spin_lock(altconn_place_stripe_of(bind));
	if (bind->place->count[ALTCONN_PLACE_LISTENING] < PLACE_BINDS_MAX &&
	    !bind_overlaps(bind, bind->place, bind->port,
			   ALTCONN_PLACE_LISTENING, bind->share)) {
		bind_update_counts(bind, -1);
		bind->listens = true;
		bind_update_counts(bind, 1);
		err = 0;
	}
	spin_unlock(altconn_place_stripe_of(bind));
	return err;
}

/**
 * altconn_bind_table_set_listener() - set or clear the listener that lookups
 * find
 * @bind: the binding, after altconn_bind_table_reserve_listening()
 * @ln: the listener; NULL clears the current one, and the binding still counts
 *	as listening
 *
 * Context: process; the stripe lock of @bind held.
 */
void altconn_bind_table_set_listener(struct altconn_bind *bind,
				     struct altconn_listener *ln)
{
	lockdep_assert_held(altconn_place_stripe_of(bind));
	if (ln) {
		rcu_assign_pointer(bind->listener, ln);
		hlist_add_head_rcu(&bind->listener_link,
				   &bind->place->listeners);
		return;
	}
	hlist_del_init_rcu(&bind->listener_link);
	/*
	 * Remove the binding from the list before the listener is cleared. A
	 * lookup that reads the listener NULL (listener_lookup_place()) is
	 * repeated, and then no longer finds the binding in the list.
	 */
	smp_wmb();
	RCU_INIT_POINTER(bind->listener, NULL);
}

/**
 * altconn_bind_table_release_listening() - count a binding as not listening
 * @bind: the binding; no attempt can get into the accept queue of its listener
 *	any more
 *
 * This undoes altconn_bind_table_reserve_listening().
 *
 * Context: process; takes the stripe lock.
 */
void altconn_bind_table_release_listening(struct altconn_bind *bind)
{
	spin_lock(altconn_place_stripe_of(bind));
	bind_update_counts(bind, -1);
	bind->listens = false;
	bind_update_counts(bind, 1);
	spin_unlock(altconn_place_stripe_of(bind));
}
