// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses: what a dress writes <-> one canonical address.
 *
 * Hostile bytes end here: everything behind altconn_addr_parse() sees a
 * canonical address whose length is right and whose unused bytes are zero.
 */

#include <linux/ctype.h>
#include <linux/fcntl.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/slab.h>
#include "addr.h"
#include "place.h"
#include "sock.h"

#define UNIX_HEAD	offsetof(struct sockaddr_un, sun_path)

static int addr_set_bytes(struct altconn_addr *addr, u8 kind, const char *bytes,
			  size_t len)
{
	addr->kind = kind;
	addr->len = len;
	memcpy(addr->bytes, bytes, len);
	return 0;
}

static int addr_set_path(struct altconn_addr *addr, const char *bytes,
			 size_t len, int fd)
{
	addr->fd = fd;
	return addr_set_bytes(addr, ALTCONN_KIND_PATH, bytes, len);
}

/* sun_path: a path up to the first NUL, or a NUL and the bytes of a name */
static int addr_parse_unix(const struct sockaddr_un *sun, int len,
			   struct altconn_addr *addr)
{
	size_t bytes = len - UNIX_HEAD;

	if (!bytes)
		return 0;
	if (!sun->sun_path[0])
		return addr_set_bytes(addr, ALTCONN_KIND_NAME,
				      sun->sun_path + 1, bytes - 1);
	return addr_set_path(addr, sun->sun_path, strnlen(sun->sun_path, bytes),
			     AT_FDCWD);
}

static int addr_set_inet(struct altconn_addr *addr, const struct in6_addr *ip,
			 u32 port, u32 scope)
{
	addr->kind = ALTCONN_KIND_INET;
	addr->len = sizeof(*ip);
	addr->port = port;
	*altconn_addr_ip(addr) = *ip;
	/* It says which of the links, and nothing for other addresses. */
	if ((ipv6_addr_type(ip) & (IPV6_ADDR_LINKLOCAL | IPV6_ADDR_MULTICAST)) !=
	    IPV6_ADDR_LINKLOCAL)
		return 0;
	addr->node = scope;
	return scope ? 0 : -EINVAL;
}

static int addr_parse_in(const struct sockaddr_in *sin,
			 struct altconn_addr *addr)
{
	struct in6_addr ip;

	ipv6_addr_set_v4mapped(sin->sin_addr.s_addr, &ip);
	return addr_set_inet(addr, &ip, ntohs(sin->sin_port), 0);
}

static int addr_parse_in6(const struct sockaddr_in6 *sin6, int len,
			  struct altconn_addr *addr)
{
	u32 scope = len >= sizeof(*sin6) ? sin6->sin6_scope_id : 0;
	struct in6_addr ip = sin6->sin6_addr;

	return addr_set_inet(addr, &ip, ntohs(sin6->sin6_port), scope);
}

static int addr_parse_native_inet(const struct sockaddr_altconn *sac,
				  struct altconn_addr *addr)
{
	const struct altconn_inet *inet = &sac->sac_inet;
	struct in6_addr ip;
	int err;

	if (inet->port > U16_MAX)
		return -EINVAL;
	memcpy(&ip, inet->addr, sizeof(ip));
	err = addr_set_inet(addr, &ip, inet->port, inet->scope);
	return err ? : addr->node == inet->scope ? 0 : -EINVAL;
}

/*
 * -1 stands for every negative number, AT_FDCWD too: none is a descriptor, and they
 * give EBADF.
 */
static int addr_parse_native_path(const struct sockaddr_altconn *sac,
				  struct altconn_addr *addr)
{
	bool by_fd = sac->sac_flags & ALTCONN_PATH_FD;

	return addr_set_path(addr, sac->sac_path, sac->sac_len,
			     by_fd ? max(sac->sac_fd, -1) : AT_FDCWD);
}

/* Is the path well formed? With ALTCONN_PATH_FD it may be empty. */
static bool addr_is_native_path(const struct sockaddr_altconn *sac)
{
	if (sac->sac_len > ALTCONN_PATH_MAX ||
	    memchr(sac->sac_path, 0, sac->sac_len))
		return false;
	return sac->sac_flags || (sac->sac_len && !sac->sac_node);
}

static int addr_parse_native(const struct sockaddr_altconn *sac,
			     struct altconn_addr *addr)
{
	size_t used;

	if (sac->sac_pad || sac->sac_flags & ~ALTCONN_PATH_FD ||
	    (sac->sac_flags && sac->sac_kind != ALTCONN_KIND_PATH))
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
	case ALTCONN_KIND_INET:
		if (sac->sac_len || sac->sac_node)
			return -EINVAL;
		used = sizeof(sac->sac_inet);
		break;
	case ALTCONN_KIND_PATH:
		if (!addr_is_native_path(sac))
			return -EINVAL;
		used = sac->sac_len;
		break;
	default:
		return -EINVAL;
	}
	if (memchr_inv(sac->sac_path + used, 0, sizeof(sac->sac_path) - used))
		return -EINVAL;

	if (sac->sac_kind == ALTCONN_KIND_INET)
		return addr_parse_native_inet(sac, addr);
	if (sac->sac_kind == ALTCONN_KIND_PATH)
		return addr_parse_native_path(sac, addr);
	addr->node = sac->sac_node;
	if (sac->sac_kind != ALTCONN_KIND_PORT)
		return addr_set_bytes(addr, sac->sac_kind, sac->sac_name, used);
	addr->kind = ALTCONN_KIND_PORT;
	addr->port = sac->sac_port;
	return 0;
}

/* What old programs pass to bind(), and AF_INET still takes. */
static bool addr_is_unspec_any(const struct sock *sk, const void *uaddr)
{
	const struct sockaddr_in *sin = uaddr;

	return altconn_sk(sk)->dress == ALTCONN_INET &&
	       sin->sin_family == AF_UNSPEC && !sin->sin_addr.s_addr;
}

/* How long an address may be, bytes, and of which family. */
struct form {
	int	min, max;
	int	family;
};

static const struct form addr_forms[] = {
	[ALTCONN_NATIVE] = {
		sizeof(struct sockaddr_altconn),
		sizeof(struct sockaddr_altconn),
	},
	[ALTCONN_UNIX] = {
		UNIX_HEAD, sizeof(struct sockaddr_un), AF_UNIX,
	},
	[ALTCONN_INET] = {
		sizeof(struct sockaddr_in), sizeof(struct sockaddr_storage),
		AF_INET,
	},
	[ALTCONN_INET6] = {
		SIN6_LEN_RFC2133, sizeof(struct sockaddr_storage), AF_INET6,
	},
};

/**
 * altconn_addr_parse() - make an address of the socket's dress canonical
 * @sk: whose dress says how to read it
 * @uaddr: the address, already in kernel memory
 * @len: its length as the caller gave it, bytes
 * @addr: written whole; its kind is ALTCONN_KIND_NONE for a sockaddr_un that
 *	is only a family (autobind)
 *
 * Context: any.
 * What a dress takes is what its model takes: a longer sockaddr_in, bytes
 * behind the end of a sun_path, a sockaddr_in6 without its scope. The native
 * dress takes nothing but its own form.
 *
 * Return: 0; -EINVAL for a wrong length or format; -EAFNOSUPPORT for a family
 * that the dress does not speak.
 */
int altconn_addr_parse(const struct sock *sk, const void *uaddr, int len,
		       struct altconn_addr *addr)
{
	const struct form *form = &addr_forms[altconn_sk(sk)->dress];
	const struct sockaddr *sa = uaddr;

	/* The bytes beyond are read as far as @len of it says. */
	memset(addr, 0, offsetof(struct altconn_addr, bytes));
	if (len < form->min || len > form->max)
		return -EINVAL;
	if (sa->sa_family != (form->family ? : altconn_family) &&
	    !addr_is_unspec_any(sk, uaddr))
		return -EAFNOSUPPORT;
	switch (altconn_sk(sk)->dress) {
	case ALTCONN_UNIX:
		return addr_parse_unix(uaddr, len, addr);
	case ALTCONN_INET:
		return addr_parse_in(uaddr, addr);
	case ALTCONN_INET6:
		return addr_parse_in6(uaddr, len, addr);
	default:
		return addr_parse_native(uaddr, addr);
	}
}

/**
 * altconn_addr_parse_peer() - altconn_addr_parse() for connect() and send()
 * @sk: likewise
 * @uaddr: likewise
 * @len: likewise
 * @addr: likewise; never the null address
 *
 * A descriptor leads to the socket file itself: open(2) has looked it up.
 *
 * Context: any.
 * Return: as altconn_addr_parse(); -EINVAL too for a sockaddr_un that is only a
 * family, and for a path with a descriptor.
 */
int altconn_addr_parse_peer(const struct sock *sk, const void *uaddr, int len,
			    struct altconn_addr *addr)
{
	int err = altconn_addr_parse(sk, uaddr, len, addr);

	if (err)
		return err;
	if (addr->kind == ALTCONN_KIND_NONE)
		return -EINVAL;
	return addr->kind == ALTCONN_KIND_PATH && addr->fd != AT_FDCWD &&
	       addr->len ? -EINVAL : 0;
}

static bool addr_is_null(const struct sock *sk, const void *uaddr, int len)
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
	return dgram && addr_is_null(sk, uaddr, len);
}

static int addr_write_unix(const struct altconn_addr *addr,
			   struct sockaddr_un *sun)
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

static int addr_write_native(const struct altconn_addr *addr,
			     struct sockaddr_altconn *sac)
{
	memset(sac, 0, sizeof(*sac));
	sac->sac_family = altconn_family;
	if (!addr)
		return sizeof(sac->sac_family);
	sac->sac_kind = addr->kind;
	sac->sac_node = addr->node;
	switch (addr->kind) {
	case ALTCONN_KIND_PORT:
		sac->sac_port = addr->port;
		break;
	case ALTCONN_KIND_INET:
		sac->sac_node = 0;
		sac->sac_inet.port = addr->port;
		sac->sac_inet.scope = addr->node;
		memcpy(sac->sac_inet.addr, addr->bytes, addr->len);
		break;
	default:
		sac->sac_len = addr->len;
		memcpy(sac->sac_name, addr->bytes, addr->len);
		break;
	}
	return sizeof(*sac);
}

static int addr_write_in(const struct altconn_addr *addr,
			 struct sockaddr_in *sin)
{
	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	if (addr && addr->kind == ALTCONN_KIND_INET &&
	    altconn_addr_is_v4(addr)) {
		sin->sin_port = htons(addr->port);
		sin->sin_addr.s_addr = altconn_addr_v4(addr);
	}
	return sizeof(*sin);
}

static int addr_write_in6(const struct altconn_addr *addr,
			  struct sockaddr_in6 *sin6)
{
	memset(sin6, 0, sizeof(*sin6));
	sin6->sin6_family = AF_INET6;
	if (addr && addr->kind == ALTCONN_KIND_INET) {
		sin6->sin6_port = htons(addr->port);
		sin6->sin6_addr = *altconn_addr_ip(addr);
		sin6->sin6_scope_id = addr->node;
	}
	return sizeof(*sin6);
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
 * Return: the length, bytes. Of a socket that is unnamed, or whose address the
 * dress cannot write: 2, in the inet dresses that of any address and port 0.
 */
int altconn_addr_write(const struct sock *sk, const struct altconn_addr *addr,
		       void *uaddr)
{
	BUILD_BUG_ON(sizeof(struct sockaddr_altconn) != 120);
	BUILD_BUG_ON(sizeof(struct sockaddr_un) + 1 >
		     sizeof(struct sockaddr_storage));

	switch (altconn_sk(sk)->dress) {
	case ALTCONN_UNIX:
		return addr_write_unix(addr, uaddr);
	case ALTCONN_INET:
		return addr_write_in(addr, uaddr);
	case ALTCONN_INET6:
		return addr_write_in6(addr, uaddr);
	default:
		return addr_write_native(addr, uaddr);
	}
}

/**
 * altconn_addr_tell() - write the address that recvmsg() returns
 * @sk: the endpoint that receives
 * @addr: the sender's address, or NULL: the sender is unnamed
 * @msg: gets it; msg_name is not NULL
 *
 * In the sockaddr_un format a sender that is unnamed, or whose address the format
 * cannot write, leaves a length of 0, as AF_UNIX does.
 *
 * Context: any.
 */
void altconn_addr_tell(const struct sock *sk, const struct altconn_addr *addr,
		       struct msghdr *msg)
{
	int len = altconn_addr_write(sk, addr, msg->msg_name);

	if (altconn_sk(sk)->dress == ALTCONN_UNIX && len == UNIX_HEAD)
		len = 0;
	msg->msg_namelen = len;
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
	copy->bound = false;
	return copy;
}

/*
 * kfree_rcu() lets bindings of connections that come and go pile up for longer, so
 * that whole slabs become empty and are given back again and again.
 */
static void addr_free_bound(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct altconn_bind, own.rcu));
}

/**
 * altconn_addr_free() - the last reference is gone
 * @addr: the address
 *
 * Context: any.
 */
void altconn_addr_free(struct altconn_addr *addr)
{
	if (addr->bound)
		call_rcu(&addr->rcu, addr_free_bound);
	else
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

static size_t addr_print_bytes(const struct altconn_addr *addr, char *buf,
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

static size_t addr_print_inet(const struct altconn_addr *addr, char *buf,
			      size_t size)
{
	__be32 v4 = altconn_addr_v4(addr);

	if (altconn_addr_is_v4(addr))
		return scnprintf(buf, size, "inet:%pI4:%u", &v4, addr->port);
	if (addr->node)
		return scnprintf(buf, size, "inet:[%pI6c%%%u]:%u",
				 altconn_addr_ip(addr), addr->node, addr->port);
	return scnprintf(buf, size, "inet:[%pI6c]:%u", altconn_addr_ip(addr),
			 addr->port);
}

/**
 * altconn_addr_print() - an address as text: port:4000, name:db, path:/run/x,
 *	inet:127.0.0.1:80, inet:[::1]:80
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
	if (addr->kind == ALTCONN_KIND_INET)
		return addr_print_inet(addr, buf, size);
	if (addr->kind == ALTCONN_KIND_PATH) {
		n = scnprintf(buf, size, "path:");
		return n + addr_print_bytes(addr, buf + n, size - n);
	}
	n = scnprintf(buf, size,
		      addr->kind == ALTCONN_KIND_PORT ? "port:" : "name:");
	if (addr->node)
		n += scnprintf(buf + n, size - n, "%u/", addr->node);
	if (addr->kind == ALTCONN_KIND_PORT)
		return n + scnprintf(buf + n, size - n, "%u", addr->port);
	return n + addr_print_bytes(addr, buf + n, size - n);
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
