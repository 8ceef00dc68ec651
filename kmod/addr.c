// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses: conversion between the socket's address format and the one
 * canonical address.
 *
 * Only this file reads the untrusted bytes of a socket address. All other code
 * sees a canonical address of a valid length. The bytes beyond that length are
 * not initialised.
 */

#include <linux/ctype.h>
#include <linux/fcntl.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/slab.h>
#include "addr.h"
#include "place.h"
#include "sock.h"

#define ADDR_UNIX_HEAD	offsetof(struct sockaddr_un, sun_path)

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

/*
 * Parse a sun_path. It is either a path, which ends at the first NUL, or a NUL
 * followed by the bytes of a name.
 */
static int addr_parse_unix(const struct sockaddr_un *sun, int len,
			   struct altconn_addr *addr)
{
	size_t bytes = len - ADDR_UNIX_HEAD;

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
	/*
	 * The scope selects the link of a link-local unicast address. It means
	 * nothing for other addresses.
	 */
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
 * A negative descriptor, AT_FDCWD included, becomes -1. No file has that
 * descriptor, so its use fails with EBADF.
 */
static int addr_parse_native_path(const struct sockaddr_altconn *sac,
				  struct altconn_addr *addr)
{
	bool by_fd = sac->sac_flags & ALTCONN_PATH_FD;

	return addr_set_path(addr, sac->sac_path, sac->sac_len,
			     by_fd ? max(sac->sac_fd, -1) : AT_FDCWD);
}

/*
 * Return whether the path in @sac is well formed. It may be empty only with
 * ALTCONN_PATH_FD.
 */
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

/*
 * Return whether @uaddr is INADDR_ANY of family AF_UNSPEC. Old programs pass
 * this address to bind(), and AF_INET still accepts it.
 */
static bool addr_is_unspec_any(const struct sock *sk, const void *uaddr)
{
	const struct sockaddr_in *sin = uaddr;

	return altconn_sk(sk)->format == ALTCONN_INET &&
	       sin->sin_family == AF_UNSPEC && !sin->sin_addr.s_addr;
}

/*
 * Bounds of an address length in bytes, and the address family of a format.
 * Family 0 stands for altconn_family.
 */
struct addr_form {
	int	min, max;
	int	family;
};

static const struct addr_form addr_forms[] = {
	[ALTCONN_NATIVE] = {
		sizeof(struct sockaddr_altconn),
		sizeof(struct sockaddr_altconn),
	},
	[ALTCONN_UNIX] = {
		ADDR_UNIX_HEAD, sizeof(struct sockaddr_un), AF_UNIX,
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
 * altconn_addr_parse() - make an address of the socket's format canonical
 * @sk: the socket; its address format says how to read @uaddr
 * @uaddr: the address, already in kernel memory
 * @len: length of @uaddr in bytes, as the caller of the system call gave it
 * @addr: filled in; only the first @addr->len bytes of @addr->bytes are valid;
 *	the kind is ALTCONN_KIND_NONE for a sockaddr_un that is only a family
 *	(autobind)
 *
 * Each borrowed format accepts what the original family accepts: a longer
 * sockaddr_in, bytes behind the NUL that ends a sun_path, a sockaddr_in6
 * without its scope. The native format accepts its own form only.
 *
 * Context: any.
 * Return: 0; -EINVAL for a wrong length or a malformed address; -EAFNOSUPPORT
 * for a family that the format does not accept.
 */
int altconn_addr_parse(const struct sock *sk, const void *uaddr, int len,
		       struct altconn_addr *addr)
{
	const struct addr_form *form = &addr_forms[altconn_sk(sk)->format];
	const struct sockaddr *sa = uaddr;

	/*
	 * addr->bytes need not be cleared: they are read only up to addr->len.
	 */
	memset(addr, 0, offsetof(struct altconn_addr, bytes));
	if (len < form->min || len > form->max)
		return -EINVAL;
	if (sa->sa_family != (form->family ? : altconn_family) &&
	    !addr_is_unspec_any(sk, uaddr))
		return -EAFNOSUPPORT;
	switch (altconn_sk(sk)->format) {
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
 * altconn_addr_parse_peer() - parse the address of connect() or send()
 * @sk: the socket; its address format says how to read @uaddr
 * @uaddr: the address, already in kernel memory
 * @len: length of @uaddr in bytes, as the caller of the system call gave it
 * @addr: filled in as by altconn_addr_parse(); on success its kind is never
 *	ALTCONN_KIND_NONE
 *
 * A path address with a descriptor names the socket file by that descriptor
 * alone, since open(2) has already looked the file up. So its path must be
 * empty.
 *
 * Context: any.
 * Return: as altconn_addr_parse(); also -EINVAL for a sockaddr_un that is only
 * a family, and for a descriptor together with a path.
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

	return altconn_sk(sk)->format == ALTCONN_NATIVE &&
	       !altconn_addr_parse(sk, uaddr, len, &addr) &&
	       addr.kind == ALTCONN_KIND_PORT && !addr.node && !addr.port;
}

/**
 * altconn_addr_dissolves() - check whether connect() dissolves the association
 * @sk: the socket
 * @uaddr: the address; not read when @len is 0, because it is uninitialised
 *	then
 * @len: length of @uaddr in bytes
 *
 * An address of family AF_UNSPEC dissolves the association (S-UNSPEC). Of a
 * datagram socket, a length of 0 and the native null address (port 0 of this
 * node) do so too (S-NULL).
 *
 * Context: any.
 * Return: true if connect() to this address dissolves, else false.
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
		return ADDR_UNIX_HEAD;
	switch (addr->kind) {
	case ALTCONN_KIND_NAME:
		if (addr->node)
			return ADDR_UNIX_HEAD;
		memcpy(sun->sun_path + 1, addr->bytes, addr->len);
		return ADDR_UNIX_HEAD + 1 + addr->len;
	case ALTCONN_KIND_PATH:
		memcpy(sun->sun_path, addr->bytes, addr->len);
		/*
		 * As AF_UNIX, count the terminating NUL in the length, even if
		 * it is the 109th byte: unix(7), BUGS.
		 */
		((char *)sun)[ADDR_UNIX_HEAD + addr->len] = 0;
		return ADDR_UNIX_HEAD + addr->len + 1;
	default:
		return ADDR_UNIX_HEAD;
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
 * altconn_addr_write() - write a canonical address in the socket's format
 * @sk: the socket; its address format says how to write
 * @addr: the address, or NULL for an unnamed socket
 * @uaddr: buffer of at least a struct sockaddr_storage
 *
 * Every byte up to the returned length is written.
 *
 * Context: any.
 * Return: the length in bytes. For an unnamed socket, or an address that the
 * format cannot write, the length is 2 and only the family is written; the inet
 * formats write the wildcard address and port 0 instead.
 */
int altconn_addr_write(const struct sock *sk, const struct altconn_addr *addr,
		       void *uaddr)
{
	BUILD_BUG_ON(sizeof(struct sockaddr_altconn) != 120);
	BUILD_BUG_ON(sizeof(struct sockaddr_un) + 1 >
		     sizeof(struct sockaddr_storage));

	switch (altconn_sk(sk)->format) {
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
 * altconn_addr_to_msg() - write the sender's address for recvmsg()
 * @sk: the endpoint that receives
 * @addr: the sender's address, or NULL if the sender is unnamed
 * @msg: msg_name and msg_namelen are filled in; msg_name is not NULL
 *
 * In the sockaddr_un format the length is 0 if the sender is unnamed, or if the
 * format cannot write its address, as with AF_UNIX.
 *
 * Context: any.
 */
void altconn_addr_to_msg(const struct sock *sk, const struct altconn_addr *addr,
			 struct msghdr *msg)
{
	int len = altconn_addr_write(sk, addr, msg->msg_name);

	if (altconn_sk(sk)->format == ALTCONN_UNIX && len == ADDR_UNIX_HEAD)
		len = 0;
	msg->msg_namelen = len;
}

/**
 * altconn_addr_dup() - make a shareable copy of an address
 * @addr: the address; may be on the stack
 * @gfp: allocation flags
 *
 * Context: any that @gfp allows.
 * Return: the copy with one reference, which the caller owns; NULL if there is
 * no memory.
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
 * Free a binding together with its address. kfree_rcu() delays the free for
 * longer, so that the bindings of short connections pile up, and whole slabs
 * become empty and are returned and allocated again and again. call_rcu()
 * avoids that.
 */
static void addr_free_bound(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct altconn_bind, own.rcu));
}

/**
 * altconn_addr_free() - free an address after a grace period
 * @addr: the address; the last reference to it is gone
 *
 * An address that is part of a binding frees the binding too.
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
 * altconn_addr_equal() - check whether two addresses name the same endpoint
 * @a: an address, or NULL
 * @b: an address, or NULL
 *
 * Two paths are equal only if they are the same object. Successive bindings of
 * one path have distinct objects, so a reused inode cannot make them equal.
 *
 * Context: any.
 * Return: true if the addresses are equal, else false; NULL equals nothing.
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
 * altconn_addr_print() - write an address as text
 * @addr: the address, or NULL, which is written as "-"
 * @buf: the buffer
 * @size: size of @buf in bytes; ALTCONN_ADDR_STRLEN holds any address
 *
 * The syntax is the one of the altconn tool: port:4000, name:db, path:/run/x,
 * inet:127.0.0.1:80, inet:[::1]:80. Bytes that do not print are written as
 * \xNN.
 *
 * Context: any.
 * Return: the length in bytes, without the NUL.
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
 * altconn_addr_of() - return the address of an endpoint
 * @sk: the endpoint
 *
 * Context: any; takes no lock.
 * Return: the address, a reference that the caller owns; NULL if the endpoint
 * is unnamed.
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
