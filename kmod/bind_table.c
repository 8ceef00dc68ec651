// SPDX-License-Identifier: GPL-2.0
/*
 * The table of bound addresses: insertion, removal and conflicts. place.c
 * describes the structure of the table.
 *
 * Each inet port has a second place, for all IP addresses. That place counts
 * the bindings of the port by class, and lists them for a broadcast. A conflict
 * is found in the counters of the place of the exact address and of the place
 * of the port, without a walk: see bind_conflicts(). A struct place_owner
 * counts the bindings of one user that share an address a second time, so that
 * they can be subtracted.
 */

#include <linux/slab.h>
#include "addr.h"
#include "bind_table.h"
#include "listener.h"
#include "place.h"
#include "port_set.h"

/*
 * Maximum number of listeners, or of datagram sockets, at one address. A lookup
 * walks all of them.
 */
#define PLACE_BINDS_MAX	1024

/*
 * Maximum number of datagram sockets at one inet port, over all IP addresses. A
 * broadcast walks all of them.
 */
#define PORT_BINDS_MAX	(16 * PLACE_BINDS_MAX)

/*
 * The class of a binding: what an inet binding is bound to. A binding of
 * another kind has class PLACE_SOME4.
 */
enum place_class {
	PLACE_SOME4,	/* an IPv4 address */
	PLACE_ANY4,	/* 0.0.0.0 */
	PLACE_SOME6,	/* an IPv6 address */
	PLACE_ANY6,	/* ::, which serves IPv4 too */
	PLACE_ONLY6,	/* :: with IPV6_V6ONLY */
};

/*
 * For each class of a binding: the classes of the other bindings at the port
 * that serve an address of the binding too. Two bindings to the same specific
 * address meet in the place of that address instead.
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
 * Return the rows of a place's counters. The place of a port has one row for
 * each class, and the place of an address has one row.
 */
static u32 (*place_count_rows(struct altconn_place *place))[ALTCONN_PLACE_SORTS]
{
	if (place->level != ALTCONN_PLACE_PORT)
		return &place->count;
	return container_of(place, struct altconn_port_place, place)->count;
}

/*
 * Return the row of @place that counts @bind. All bindings of one address have
 * the same class, so the place of an address needs one row only.
 */
static unsigned int place_row(const struct altconn_place *place,
			      const struct altconn_bind *bind)
{
	return place->level == ALTCONN_PLACE_PORT ? bind_class(bind) : 0;
}

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
 * Return whether @place counts bindings of sort @what in @rows. With @share,
 * the bindings that @bind may share the place with do not count: those that
 * belong to the same user and share too.
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
	owner = altconn_owner_find(place, bind->uid);
	return !owner || sum != place_sum(owner->count, rows, what);
}

/*
 * Return whether a binding of sort @what overlaps @bind and may not share with
 * it. Two bindings overlap if they have the same address, or if they have the
 * same port and at least one of them is bound to a wildcard address.
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
 * Return whether @bind conflicts with a binding in the table. As with TCP, two
 * bindings may overlap if both have SO_REUSEADDR and the older one does not
 * listen, or if both share and belong to one user. A binding to an address that
 * the module chose (@exclusive) may overlap no other binding.
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

static void place_add_counts(u32 *sorts, const struct altconn_bind *bind, s32 n)
{
	sorts[ALTCONN_PLACE_ALL] += n;
	if (!bind->reuse || bind->listens)
		sorts[ALTCONN_PLACE_EXCL] += n;
	if (bind->listens)
		sorts[ALTCONN_PLACE_LISTENING] += n;
}

static void place_update_counts(struct altconn_place *place,
				const struct altconn_bind *bind, s32 n)
{
	unsigned int row = place_row(place, bind);
	struct place_owner *owner;

	place_add_counts(place_count_rows(place)[row], bind, n);
	if (!bind->share)
		return;
	owner = altconn_owner_find(place, bind->uid);
	if (!WARN_ON_ONCE(!owner))
		place_add_counts(owner->count[row], bind, n);
}

static void bind_update_counts(const struct altconn_bind *bind, s32 n)
{
	lockdep_assert_held(altconn_bind_stripe_of(bind));
	place_update_counts(bind->place, bind, n);
	if (bind->port)
		place_update_counts(&bind->port->place, bind, n);
}

static void place_remove_bind(struct altconn_place *place,
			      const struct altconn_bind *bind)
{
	if (bind->share)
		altconn_owner_remove_bind(place, bind->uid);
	if (--place->n)
		return;
	altconn_place_unlink(place);
	/* The place is part of the host, so this may free the place. */
	altconn_addr_put(place->host->addr);
}

/*
 * Join *@place. If it is NULL, @own becomes the place. @own is part of @bind,
 * and keeps the memory of @bind as long as the place has bindings. Return 0 or
 * -ENOMEM. After an error a new place is out of the table again.
 */
static int place_add_bind(struct altconn_place **place,
			  struct altconn_place *own, struct altconn_bind *bind,
			  struct place_owner **spare)
{
	int err;

	if (!*place) {
		own->host = bind;
		altconn_place_link(own);
		altconn_addr_get(bind->addr);
		*place = own;
	}
	(*place)->n++;
	if (!bind->share)
		return 0;
	err = altconn_owner_add_bind(*place, bind->uid, spare);
	if (err && !--(*place)->n) {
		altconn_place_unlink(own);
		altconn_addr_put(bind->addr);
	}
	return err;
}

/*
 * Return the storage for the place of the port in an inet binding. It follows
 * the address.
 */
static struct altconn_port_place *bind_own_port(struct altconn_bind *bind)
{
	return (void *)bind->own.bytes + sizeof(struct in6_addr);
}

static int bind_link_port(struct altconn_bind *bind, struct altconn_place *port,
			  struct place_owner **spare)
{
	int err =
		place_add_bind(&port, &bind_own_port(bind)->place, bind, spare);

	if (!err)
		bind->port = container_of(port, struct altconn_port_place,
					  place);
	return err;
}

static int bind_link(struct altconn_bind *bind, struct altconn_place *place,
		     struct altconn_place *port, struct place_owner **spares)
{
	bool inet = bind->addr->kind == ALTCONN_KIND_INET;
	int err = 0;

	if (inet)
		err = bind_link_port(bind, port, &spares[0]);
	if (err)
		return err;
	err = place_add_bind(&place, &bind->own_place, bind, &spares[1]);
	if (err) {
		if (inet)
			place_remove_bind(&bind->port->place, bind);
		return err;
	}
	bind->place = place;
	bind_update_counts(bind, 1);
	hlist_add_head_rcu(&bind->link, &place->binds);
	if (inet)
		hlist_add_head_rcu(&bind->port_link, &bind->port->place.binds);
	return 0;
}

static int bind_insert_locked(struct altconn_bind *bind, bool exclusive,
			      struct place_owner **spares)
{
	struct altconn_place *place = NULL, *port = NULL;
	bool inet = bind->addr->kind == ALTCONN_KIND_INET;

	if (inet)
		port = altconn_place_find_for(bind,
					      &bind_own_port(bind)->place);
	if (port && bind->type == SOCK_DGRAM && port->n >= PORT_BINDS_MAX)
		return -EADDRINUSE;
	if (!inet || port)
		place = altconn_place_find_for(bind, &bind->own_place);
	if (place && bind->type == SOCK_DGRAM &&
	    place->n >= PLACE_BINDS_MAX)
		return -EADDRINUSE;
	if ((place || port) &&
	    bind_conflicts(bind, place, port ?
			   container_of(port, struct altconn_port_place, place) :
			   NULL, exclusive))
		return -EADDRINUSE;
	return bind_link(bind, place, port, spares);
}

/**
 * altconn_bind_table_insert() - add a binding, unless its address is taken
 * @bind: the binding, complete except for its links
 * @exclusive: fail if any binding overlaps @bind, even one that shares
 *
 * Context: process; may sleep, except for a path.
 * Return: 0; -EADDRINUSE: a binding conflicts, or PLACE_BINDS_MAX datagram
 * sockets have the address already, or PORT_BINDS_MAX datagram sockets have the
 * port, and no reader has seen @bind; -ENOMEM: readers may see @bind for a
 * grace period.
 */
int altconn_bind_table_insert(struct altconn_bind *bind, bool exclusive)
{
	struct place_owner *spares[2] = {};
	int err;

	bind->hash =
		altconn_bind_stripe_hash(bind->net, bind->type, bind->addr);
	bind->own_place.level = altconn_place_level(bind);
	bind->own_place.hash = bind->hash;
	if (bind->addr->kind == ALTCONN_KIND_INET) {
		bind_own_port(bind)->place.level = ALTCONN_PLACE_PORT;
		bind_own_port(bind)->place.hash = bind->hash;
		bind->own_place.hash =
			altconn_place_hash(bind->net, bind->type, bind->addr,
					   bind->own_place.level);
	}
	err = bind->share ? altconn_owner_alloc_spares(spares) : 0;
	if (!err) {
		spin_lock(altconn_bind_stripe_of(bind));
		err = bind_insert_locked(bind, exclusive, spares);
		spin_unlock(altconn_bind_stripe_of(bind));
	}
	if (bind->share) {
		kfree(spares[0]);
		kfree(spares[1]);
	}
	return err;
}

/**
 * altconn_bind_table_remove() - remove a binding from the table
 * @bind: the binding, which does not listen
 *
 * The port sets drop the port in the same hold of the stripe lock.
 *
 * Context: process; takes the stripe lock. Readers may see the binding for a
 * grace period.
 */
void altconn_bind_table_remove(struct altconn_bind *bind)
{
	spin_lock(altconn_bind_stripe_of(bind));
	hlist_del_rcu(&bind->link);
	if (bind->port)
		hlist_del_rcu(&bind->port_link);
	/*
	 * The counters of a place end with its last binding, which need not be
	 * subtracted from them. The counters of a port may outlive this
	 * binding.
	 */
	if (bind->place->n > 1 || bind->port)
		bind_update_counts(bind, -1);
	place_remove_bind(bind->place, bind);
	if (bind->port)
		place_remove_bind(&bind->port->place, bind);
	if (bind->addr->port)
		altconn_port_sets_remove(bind->net, bind->type, bind->addr);
	spin_unlock(altconn_bind_stripe_of(bind));
}

/**
 * altconn_bind_reserve_listening() - reserve an address for a listener
 * @bind: the binding of the endpoint that listens
 *
 * Context: process; takes the stripe lock.
 * Return: 0; -EADDRINUSE: another binding overlaps, listens and may not share
 * with @bind, or PLACE_BINDS_MAX bindings listen at the address already.
 */
int altconn_bind_reserve_listening(struct altconn_bind *bind)
{
	int err = -EADDRINUSE;

	spin_lock(altconn_bind_stripe_of(bind));
	if (bind->place->count[ALTCONN_PLACE_LISTENING] < PLACE_BINDS_MAX &&
	    !bind_overlaps(bind, bind->place, bind->port,
			   ALTCONN_PLACE_LISTENING, bind->share)) {
		bind_update_counts(bind, -1);
		bind->listens = true;
		bind_update_counts(bind, 1);
		err = 0;
	}
	spin_unlock(altconn_bind_stripe_of(bind));
	return err;
}

/**
 * altconn_bind_set_listener() - add or remove the listener that attempts find
 * @bind: the binding, reserved by altconn_bind_reserve_listening()
 * @ln: the listener; NULL removes the current one and keeps the reservation
 *
 * Context: process; the stripe lock of @bind held.
 */
void altconn_bind_set_listener(struct altconn_bind *bind,
			       struct altconn_listener *ln)
{
	lockdep_assert_held(altconn_bind_stripe_of(bind));
	if (ln) {
		rcu_assign_pointer(bind->listener, ln);
		hlist_add_head_rcu(&bind->listener_link,
				   &bind->place->listeners);
		return;
	}
	hlist_del_init_rcu(&bind->listener_link);
	/*
	 * Remove the binding from the list before its listener is cleared. A
	 * lookup that finds a binding without a listener in the list repeats
	 * its walk, and the repeated walk must not find this binding again.
	 */
	smp_wmb();
	RCU_INIT_POINTER(bind->listener, NULL);
}

/**
 * altconn_bind_release_listening() - undo altconn_bind_reserve_listening()
 * @bind: the binding; no attempt can reach its listener any more
 *
 * Context: process; takes the stripe lock.
 */
void altconn_bind_release_listening(struct altconn_bind *bind)
{
	spin_lock(altconn_bind_stripe_of(bind));
	bind_update_counts(bind, -1);
	bind->listens = false;
	bind_update_counts(bind, 1);
	spin_unlock(altconn_bind_stripe_of(bind));
}
