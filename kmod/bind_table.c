// SPDX-License-Identifier: GPL-2.0
/*
 * The table of bound addresses: insertion, removal and conflicts. place.c says what
 * the table looks like.
 *
 * A second place stands for each inet port, whatever the IP address. It counts
 * its bindings by what they are bound to, and lists them for a broadcast. A
 * conflict is found in the counters of the exact place and of the port, without
 * a walk: see bind_conflicts(). The bindings of a user that share an address
 * are counted a second time in a struct place_owner, and subtracted.
 */

#include <linux/slab.h>
#include "addr.h"
#include "bind_table.h"
#include "listener.h"
#include "place.h"
#include "port_set.h"

/* Listeners, or datagram sockets, that may share an address: a lookup walks them. */
#define PLACE_RECEIVERS	1024

/* Datagram sockets of an inet port at all addresses: a broadcast walks them. */
#define PORT_RECEIVERS	(16 * PLACE_RECEIVERS)

/* What an inet binding is bound to; a binding of another kind is SOME4. */
enum place_class {
	PLACE_SOME4,	/* an IPv4 address */
	PLACE_ANY4,	/* 0.0.0.0 */
	PLACE_SOME6,	/* an IPv6 address */
	PLACE_ANY6,	/* ::, which serves IPv4 too */
	PLACE_ONLY6,	/* :: with IPV6_V6ONLY */
};

/* The classes of a port whose bindings serve an address of a binding, too. */
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

/* The rows of a place's counters: a port has one for each class. */
static u32 (*place_counts(struct altconn_place *place))[ALTCONN_PLACE_SORTS]
{
	if (place->level != ALTCONN_PLACE_PORT)
		return &place->count;
	return container_of(place, struct altconn_port_place, place)->count;
}

/* The row that counts a binding: bindings of one address are of one class. */
static unsigned int place_row(const struct altconn_place *place,
			      const struct altconn_bind *bind)
{
	return place->level == ALTCONN_PLACE_PORT ? bind_class(bind) : 0;
}

static u64 place_sum(u32 (*counts)[ALTCONN_PLACE_SORTS], u8 rows,
		     enum altconn_place_what what)
{
	u64 sum = 0;

	for (; rows; rows >>= 1, counts++)
		if (rows & 1)
			sum += (*counts)[what];
	return sum;
}

/* Bindings in these rows; without those that @bind may share with. */
static bool place_has(struct altconn_place *place,
		      const struct altconn_bind *bind, u8 rows,
		      enum altconn_place_what what, bool share)
{
	struct place_owner *owner;
	u64 sum;

	sum = place_sum(place_counts(place), rows, what);
	if (!sum || !share)
		return sum;
	owner = altconn_owner_find(place, bind->uid);
	return !owner || sum != place_sum(owner->count, rows, what);
}

/*
 * Whether a binding of some sort (@what) overlaps @bind and may not share with
 * it: at the same address, or at the port with one of both bound to any address.
 */
static bool bind_meets(const struct altconn_bind *bind,
		       struct altconn_place *place,
		       struct altconn_port_place *port,
		       enum altconn_place_what what, bool share)
{
	if (place && place_has(place, bind, BIT(0), what, share))
		return true;
	return port && place_has(&port->place, bind,
				 place_overlaps[bind_class(bind)], what, share);
}

/*
 * As with TCP: two bindings may overlap when both have SO_REUSEADDR, as long as
 * the older one does not listen; or when both share and belong to one user. A
 * binding whose address is chosen for it (@exclusive) overlaps no other one.
 */
static bool bind_conflicts(const struct altconn_bind *bind,
			   struct altconn_place *place,
			   struct altconn_port_place *port, bool exclusive)
{
	if (exclusive || !bind->reuse)
		return bind_meets(bind, place, port, ALTCONN_PLACE_ALL,
				  !exclusive && bind->share);
	return bind_meets(bind, place, port, ALTCONN_PLACE_HARD, bind->share);
}

static void place_add(u32 *sorts, const struct altconn_bind *bind, s32 n)
{
	sorts[ALTCONN_PLACE_ALL] += n;
	if (!bind->reuse || bind->listens)
		sorts[ALTCONN_PLACE_HARD] += n;
	if (bind->listens)
		sorts[ALTCONN_PLACE_LISTENING] += n;
}

static void place_account(struct altconn_place *place,
			  const struct altconn_bind *bind, s32 n)
{
	unsigned int row = place_row(place, bind);
	struct place_owner *owner;

	place_add(place_counts(place)[row], bind, n);
	if (!bind->share)
		return;
	owner = altconn_owner_find(place, bind->uid);
	if (!WARN_ON_ONCE(!owner))
		place_add(owner->count[row], bind, n);
}

static void bind_account(const struct altconn_bind *bind, s32 n)
{
	lockdep_assert_held(altconn_bind_lock(bind));
	place_account(bind->place, bind, n);
	if (bind->port)
		place_account(&bind->port->place, bind, n);
}

static void place_leave(struct altconn_place *place,
			const struct altconn_bind *bind)
{
	if (bind->share)
		altconn_owner_leave(place, bind->uid);
	if (--place->n)
		return;
	altconn_place_unlink(place);
	/* The memory of the place is part of the host's. */
	altconn_addr_put(place->host->addr);
}

/*
 * Join *@place; where it is NULL, @own becomes the place, which is part of the
 * binding and keeps it in memory as long as another binding is there.
 */
static int place_join(struct altconn_place **place, struct altconn_place *own,
		      struct altconn_bind *bind, struct place_owner **spare)
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
	err = altconn_owner_join(*place, bind->uid, spare);
	if (err && !--(*place)->n) {
		altconn_place_unlink(own);
		altconn_addr_put(bind->addr);
	}
	return err;
}

/* The place of its port that an inet binding brings is behind its address. */
static struct altconn_port_place *bind_own_port(struct altconn_bind *bind)
{
	return (void *)bind->own.bytes + sizeof(struct in6_addr);
}

static int bind_join_port(struct altconn_bind *bind, struct altconn_place *port,
			  struct place_owner **spare)
{
	int err = place_join(&port, &bind_own_port(bind)->place, bind, spare);

	if (!err)
		bind->port = container_of(port, struct altconn_port_place,
					  place);
	return err;
}

static int bind_join(struct altconn_bind *bind, struct altconn_place *place,
		     struct altconn_place *port, struct place_owner **spares)
{
	bool inet = bind->addr->kind == ALTCONN_KIND_INET;
	int err = 0;

	if (inet)
		err = bind_join_port(bind, port, &spares[0]);
	if (err)
		return err;
	err = place_join(&place, &bind->own_place, bind, &spares[1]);
	if (err) {
		if (inet)
			place_leave(&bind->port->place, bind);
		return err;
	}
	bind->place = place;
	bind_account(bind, 1);
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
		port = altconn_place_find_like(bind,
					       &bind_own_port(bind)->place);
	if (port && bind->type == SOCK_DGRAM && port->n >= PORT_RECEIVERS)
		return -EADDRINUSE;
	if (!inet || port)
		place = altconn_place_find_like(bind, &bind->own_place);
	if (place && bind->type == SOCK_DGRAM &&
	    place->n >= PLACE_RECEIVERS)
		return -EADDRINUSE;
	if ((place || port) &&
	    bind_conflicts(bind, place, port ?
			   container_of(port, struct altconn_port_place, place) :
			   NULL, exclusive))
		return -EADDRINUSE;
	return bind_join(bind, place, port, spares);
}

/**
 * altconn_bind_table_insert() - add a binding, unless its address is taken
 * @bind: the binding, complete but for its links
 * @exclusive: taken by any binding at all: nothing is shared
 *
 * Context: process; may sleep, but for a path.
 * Return: 0; -EADDRINUSE, also when PLACE_RECEIVERS datagram sockets have the address
 * already, or PORT_RECEIVERS the port; -ENOMEM: readers may see the binding for a grace
 * period.
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
	err = bind->share ? altconn_owner_table_alloc(spares) : 0;
	if (!err) {
		spin_lock(altconn_bind_lock(bind));
		err = bind_insert_locked(bind, exclusive, spares);
		spin_unlock(altconn_bind_lock(bind));
	}
	if (bind->share) {
		kfree(spares[0]);
		kfree(spares[1]);
	}
	return err;
}

/**
 * altconn_bind_table_remove() - take a binding out of the table
 * @bind: the binding, which does not listen
 *
 * The port sets forget its port in the same hold of the stripe.
 *
 * Context: process. Readers may see the binding for a grace period.
 */
void altconn_bind_table_remove(struct altconn_bind *bind)
{
	spin_lock(altconn_bind_lock(bind));
	hlist_del_rcu(&bind->link);
	if (bind->port)
		hlist_del_rcu(&bind->port_link);
	/* The place goes with its last binding, so its counters need no change; a port's do. */
	if (bind->place->n > 1 || bind->port)
		bind_account(bind, -1);
	place_leave(bind->place, bind);
	if (bind->port)
		place_leave(&bind->port->place, bind);
	if (bind->addr->port)
		altconn_port_free(bind->net, bind->type, bind->addr);
	spin_unlock(altconn_bind_lock(bind));
}

/**
 * altconn_bind_claim_listening() - reserve an address for a listener
 * @bind: the binding of the endpoint that listens
 *
 * Context: process.
 * Return: 0; -EADDRINUSE: another binding overlaps and listens, and may not
 * share with this one, or PLACE_RECEIVERS listen at the address already.
 */
int altconn_bind_claim_listening(struct altconn_bind *bind)
{
	int err = -EADDRINUSE;

	spin_lock(altconn_bind_lock(bind));
	if (bind->place->count[ALTCONN_PLACE_LISTENING] < PLACE_RECEIVERS &&
	    !bind_meets(bind, bind->place, bind->port, ALTCONN_PLACE_LISTENING,
			bind->share)) {
		bind_account(bind, -1);
		bind->listens = true;
		bind_account(bind, 1);
		err = 0;
	}
	spin_unlock(altconn_bind_lock(bind));
	return err;
}

/**
 * altconn_bind_set_listener() - let attempts find a listener, or none any more
 * @bind: the binding, claimed by altconn_bind_claim_listening()
 * @ln: the listener, or NULL; the claim stays
 *
 * Context: process; the stripe of @bind held.
 */
void altconn_bind_set_listener(struct altconn_bind *bind,
			       struct altconn_listener *ln)
{
	lockdep_assert_held(altconn_bind_lock(bind));
	if (ln) {
		rcu_assign_pointer(bind->listener, ln);
		hlist_add_head_rcu(&bind->listener_link,
				   &bind->place->listeners);
		return;
	}
	hlist_del_init_rcu(&bind->listener_link);
	/*
	 * Out of the list first: a lookup that finds no listener at a binding
	 * of the list looks again, and does not meet this binding then.
	 */
	smp_wmb();
	RCU_INIT_POINTER(bind->listener, NULL);
}

/**
 * altconn_bind_unclaim_listening() - undo altconn_bind_claim_listening()
 * @bind: the binding, whose listener no attempt can reach any more
 *
 * Context: process.
 */
void altconn_bind_unclaim_listening(struct altconn_bind *bind)
{
	spin_lock(altconn_bind_lock(bind));
	bind_account(bind, -1);
	bind->listens = false;
	bind_account(bind, 1);
	spin_unlock(altconn_bind_lock(bind));
}
