// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses: what a dress writes <-> one canonical address.
 *
 * Hostile bytes end here: everything behind altconn_addr_parse() sees a
 * canonical address whose length is right and whose unused bytes are zero.
 */

#include <linux/ctype.h>
#include <linux/slab.h>
#include "altconn.h"

#define UNIX_HEAD	offsetof(struct sockaddr_un, sun_path)

static int set_bytes(struct altconn_addr *addr, u8 kind, const char *bytes,
		     size_t len)
{
	addr->kind = kind;
	addr->len = len;
	memcpy(addr->bytes, bytes, len);
	return 0;
}

/* sun_path: a path up to the first NUL, or a NUL and the bytes of a name */
static int parse_unix(const struct sockaddr_un *sun, int len,
		      struct altconn_addr *addr)
{
	size_t bytes = len - UNIX_HEAD;

	if (!bytes)
		return 0;
	if (!sun->sun_path[0])
		return set_bytes(addr, ALTCONN_KIND_NAME, sun->sun_path + 1,
				 bytes - 1);
	return set_bytes(addr, ALTCONN_KIND_PATH, sun->sun_path,
			 strnlen(sun->sun_path, bytes));
}

static int parse_native(const struct sockaddr_altconn *sac,
			struct altconn_addr *addr)
{
	size_t used;

	if (sac->sac_flags || sac->sac_pad)
		return -EINVAL;

	switch (sac->sac_kind) {
	case ALTCONN_KIND_PORT:
		if (sac->sac_len)
			return -EINVAL;
		used = sizeof(sac->sac_port);
		break;
	case ALTCONN_KIND_NAME:
		if (sac->sac_len > ALTCONN_NAME_MAX)
			return -EINVAL;
		used = sac->sac_len;
		break;
	case ALTCONN_KIND_PATH:
		if (!sac->sac_len || sac->sac_len > ALTCONN_PATH_MAX ||
		    sac->sac_node || memchr(sac->sac_path, 0, sac->sac_len))
			return -EINVAL;
		used = sac->sac_len;
		break;
	default:
		return -EINVAL;
	}
	if (memchr_inv(sac->sac_path + used, 0, sizeof(sac->sac_path) - used))
		return -EINVAL;

	addr->node = sac->sac_node;
	if (sac->sac_kind != ALTCONN_KIND_PORT)
		return set_bytes(addr, sac->sac_kind, sac->sac_name, used);
	addr->kind = ALTCONN_KIND_PORT;
	addr->port = sac->sac_port;
	return 0;
}

/**
 * altconn_addr_parse() - make an address of the socket's dress canonical
 * @sk: whose dress says how to read it
 * @uaddr: the address, already in kernel memory
 * @len: its length as the caller gave it, bytes
 * @addr: written whole; its kind is ALTCONN_KIND_NONE for a sockaddr_un that
 *	is only a family (autobind)
 *
 * Context: any.
 * Return: 0; -EINVAL for a wrong length or format; -EAFNOSUPPORT for a family
 * that the dress does not speak.
 */
int altconn_addr_parse(const struct sock *sk, const void *uaddr, int len,
		       struct altconn_addr *addr)
{
	const struct sockaddr *sa = uaddr;

	memset(addr, 0, sizeof(*addr));
	if (altconn_sk(sk)->dress == ALTCONN_UNIX) {
		if (len < (int)UNIX_HEAD || len > sizeof(struct sockaddr_un))
			return -EINVAL;
		if (sa->sa_family != AF_UNIX)
			return -EAFNOSUPPORT;
		return parse_unix(uaddr, len, addr);
	}
	if (len != sizeof(struct sockaddr_altconn))
		return -EINVAL;
	if (sa->sa_family != altconn_family)
		return -EAFNOSUPPORT;
	return parse_native(uaddr, addr);
}

static bool is_null_native(const struct sock *sk, const void *uaddr, int len)
{
	struct altconn_addr addr;

	return altconn_sk(sk)->dress == ALTCONN_NATIVE &&
	       !altconn_addr_parse(sk, uaddr, len, &addr) &&
	       addr.kind == ALTCONN_KIND_PORT && !addr.node && !addr.port;
}

/**
 * altconn_addr_dissolves() - does connect() to this address dissolve?
 * @sk: the socket
 * @uaddr: the address; not read when @len is 0, it is uninitialised then
 * @len: its length, bytes
 *
 * Clauses S-UNSPEC and, for datagram sockets, S-NULL.
 *
 * Context: any.
 */
bool altconn_addr_dissolves(const struct sock *sk, const void *uaddr, int len)
{
	const struct sockaddr *sa = uaddr;
	bool dgram = sk->sk_type == SOCK_DGRAM;

	if (!len)
		return dgram;
	if (len < (int)sizeof(sa->sa_family))
		return false;
	if (sa->sa_family == AF_UNSPEC)
		return true;
	return dgram && is_null_native(sk, uaddr, len);
}

static int write_unix(const struct altconn_addr *addr, struct sockaddr_un *sun)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (!addr)
		return UNIX_HEAD;
	switch (addr->kind) {
	case ALTCONN_KIND_NAME:
		if (addr->node)
			return UNIX_HEAD;
		memcpy(sun->sun_path + 1, addr->bytes, addr->len);
		return UNIX_HEAD + 1 + addr->len;
	case ALTCONN_KIND_PATH:
		memcpy(sun->sun_path, addr->bytes, addr->len);
		/* With its NUL, even the 109th byte: unix(7), BUGS. */
		((char *)sun)[UNIX_HEAD + addr->len] = 0;
		return UNIX_HEAD + addr->len + 1;
	default:
		return UNIX_HEAD;
	}
}

static int write_native(const struct altconn_addr *addr,
			struct sockaddr_altconn *sac)
{
	memset(sac, 0, sizeof(*sac));
	sac->sac_family = altconn_family;
	if (!addr)
		return sizeof(sac->sac_family);
	sac->sac_kind = addr->kind;
	sac->sac_node = addr->node;
	if (addr->kind == ALTCONN_KIND_PORT) {
		sac->sac_port = addr->port;
	} else {
		sac->sac_len = addr->len;
		memcpy(sac->sac_name, addr->bytes, addr->len);
	}
	return sizeof(*sac);
}

/**
 * altconn_addr_write() - write a canonical address in the socket's dress
 * @sk: whose dress says how
 * @addr: the address, or NULL for an unnamed socket
 * @uaddr: at least a struct sockaddr_storage
 *
 * Every byte up to the returned length is written.
 *
 * Context: any.
 * Return: the length, bytes; 2 when unnamed, or when the dress cannot write
 * addresses of this kind.
 */
int altconn_addr_write(const struct sock *sk, const struct altconn_addr *addr,
		       void *uaddr)
{
	BUILD_BUG_ON(sizeof(struct sockaddr_altconn) != 120);
	BUILD_BUG_ON(sizeof(struct sockaddr_un) + 1 >
		     sizeof(struct sockaddr_storage));

	if (altconn_sk(sk)->dress == ALTCONN_UNIX)
		return write_unix(addr, uaddr);
	return write_native(addr, uaddr);
}

/**
 * altconn_addr_dup() - a shareable copy of an address
 * @addr: may be on the stack
 * @gfp: how to allocate
 *
 * Return: the copy, one reference, or NULL.
 */
struct altconn_addr *altconn_addr_dup(const struct altconn_addr *addr,
				      gfp_t gfp)
{
	size_t size = offsetof(struct altconn_addr, bytes) + addr->len;
	struct altconn_addr *copy = kmalloc(size, gfp);

	if (!copy)
		return NULL;
	memcpy(copy, addr, size);
	refcount_set(&copy->refs, 1);
	return copy;
}

/**
 * altconn_addr_put() - drop a reference
 * @addr: the address, or NULL
 *
 * Context: any.
 */
void altconn_addr_put(struct altconn_addr *addr)
{
	if (addr && refcount_dec_and_test(&addr->refs))
		kfree_rcu(addr, rcu);
}

/**
 * altconn_addr_equal() - do two addresses name the same endpoint?
 * @a: an address, or NULL
 * @b: an address, or NULL
 *
 * Two bindings of one path in turn are two addresses: only the object itself
 * is equal then, which a re-used inode cannot fake.
 *
 * Context: any.
 */
bool altconn_addr_equal(const struct altconn_addr *a,
			const struct altconn_addr *b)
{
	if (!a || !b)
		return false;
	if (a == b)
		return true;
	if (a->kind != b->kind || a->kind == ALTCONN_KIND_PATH)
		return false;
	return a->node == b->node && a->port == b->port && a->len == b->len &&
	       !memcmp(a->bytes, b->bytes, a->len);
}

static size_t print_bytes(const struct altconn_addr *addr, char *buf,
			  size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < addr->len; i++) {
		u8 c = addr->bytes[i];

		if (isascii(c) && isgraph(c) && c != '\\')
			n += scnprintf(buf + n, size - n, "%c", c);
		else
			n += scnprintf(buf + n, size - n, "\\x%02x", c);
	}
	return n;
}

/**
 * altconn_addr_print() - an address as text: port:4000, name:db, path:/run/x
 * @addr: the address, or NULL, printed as "-"
 * @buf: where to
 * @size: of @buf; ALTCONN_ADDR_STRLEN holds any address
 *
 * The syntax is the tool's. Bytes that do not print are \xNN.
 *
 * Context: any.
 * Return: length without the NUL.
 */
size_t altconn_addr_print(const struct altconn_addr *addr, char *buf,
			  size_t size)
{
	size_t n = 0;

	if (!addr || addr->kind == ALTCONN_KIND_NONE)
		return scnprintf(buf, size, "-");
	if (addr->kind == ALTCONN_KIND_PATH) {
		n = scnprintf(buf, size, "path:");
		return n + print_bytes(addr, buf + n, size - n);
	}
	n = scnprintf(buf, size,
		      addr->kind == ALTCONN_KIND_PORT ? "port:" : "name:");
	if (addr->node)
		n += scnprintf(buf + n, size - n, "%u/", addr->node);
	if (addr->kind == ALTCONN_KIND_PORT)
		return n + scnprintf(buf + n, size - n, "%u", addr->port);
	return n + print_bytes(addr, buf + n, size - n);
}

/**
 * altconn_addr_of() - the address of an endpoint
 * @sk: the endpoint
 *
 * Context: any; takes no lock.
 * Return: a reference, or NULL when it is unnamed.
 */
struct altconn_addr *altconn_addr_of(const struct sock *sk)
{
	struct altconn_addr *addr;

	rcu_read_lock();
	do {
		addr = rcu_dereference(altconn_sk(sk)->addr);
	} while (addr && !refcount_inc_not_zero(&addr->refs));
	rcu_read_unlock();
	return addr;
}
