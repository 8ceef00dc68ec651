// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses: conversion between the address formats of system calls and the
 * canonical address, struct altconn_addr.
 *
 * Only this file reads the bytes of an address from user space. All other code
 * gets a canonical address with a checked length, and reads only that many of
 * its bytes, because the bytes beyond are uninitialized.
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
 * Parse a sun_path. It is a path, which ends at the first NUL, or a NUL with
 * the bytes of a name after it. If it is empty, the kind of @addr stays
 * ALTCONN_KIND_NONE.
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

/* Return 0, or -EINVAL for a link-local address without a scope. */
static int addr_set_inet(struct altconn_addr *addr, const struct in6_addr *ip,
			 u32 port, u32 scope)
{
	addr->kind = ALTCONN_KIND_INET;
	addr->len = sizeof(*ip);
	addr->port = port;
	*altconn_addr_ip(addr) = *ip;
	/*
	 * The scope is the interface of a link-local unicast address, and
	 * required for it. It has no meaning for other addresses.
	 */
	if ((ipv6_addr_type(ip) &
	     (IPV6_ADDR_LINKLOCAL | IPV6_ADDR_MULTICAST)) !=
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

/* An address that is not link-local has addr->node 0 and needs scope 0. */
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
 * With ALTCONN_PATH_FD a negative descriptor, also the value of AT_FDCWD,
 * becomes -1. No file has that descriptor, so its use fails with EBADF.
 */
static int addr_parse_native_path(const struct sockaddr_altconn *sac,
				  struct altconn_addr *addr)
{
	bool by_fd = sac->sac_flags & ALTCONN_PATH_FD;

	return addr_set_path(addr, sac->sac_path, sac->sac_len,
			     by_fd ? max(sac->sac_fd, -1) : AT_FDCWD);
}

/*
 * Return whether the path in @sac is well formed. Only with ALTCONN_PATH_FD may
 * the path be empty. Without that flag the node id must be 0.
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
 * Return whether @uaddr is a sockaddr_in with family AF_UNSPEC and INADDR_ANY.
 * Old programs pass it to bind(), and AF_INET accepts it.
 */
static bool addr_is_unspec_any(const struct sock *sk, const void *uaddr)
{
	const struct sockaddr_in *sin = uaddr;

	return altconn_sk(sk)->format == ALTCONN_INET &&
	       sin->sin_family == AF_UNSPEC && !sin->sin_addr.s_addr;
}

/*
 * What an address format requires: the least and the greatest length of an
 * address in bytes, and the address family. Family 0 means altconn_family,
 * which is a variable.
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
 * altconn_addr_parse() - convert an address from user space
 * @sk: the socket; @uaddr is in its address format
 * @uaddr: the address, copied to kernel memory
 * @len: length of @uaddr in bytes, as passed to the system call
 * @addr: gets the canonical address; only the first @addr->len bytes of
 *	@addr->bytes are valid. The kind is ALTCONN_KIND_NONE for a sockaddr_un
 *	that has only a family (a request for an automatic name)
 *
 * The formats sockaddr_un, sockaddr_in and sockaddr_in6 accept what AF_UNIX,
 * AF_INET and AF_INET6 accept: also a longer sockaddr_in, bytes after the NUL
 * that ends a sun_path, and a sockaddr_in6 without its scope. The native format
 * requires its exact length, and 0 in all bytes that the kind does not use.
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

	/* Only addr->len bytes of addr->bytes are ever read. */
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
 * altconn_addr_parse_peer() - convert the destination of connect() or send()
 * @sk: the socket; @uaddr is in its address format
 * @uaddr: the address, copied to kernel memory
 * @len: length of @uaddr in bytes, as passed to the system call
 * @addr: gets the canonical address; only the first @addr->len bytes of
 *	@addr->bytes are valid. On success the kind is not ALTCONN_KIND_NONE
 *
 * With ALTCONN_PATH_FD the descriptor is the socket file itself, so the path
 * must be empty.
 *
 * Context: any.
 * Return: 0; -EINVAL for a wrong length, a malformed address, a sockaddr_un
 * that has only a family, or a descriptor together with a path; -EAFNOSUPPORT
 * for a family that the format does not accept.
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

/* Return whether @uaddr is the native null address, port 0 of this node. */
static bool addr_is_null(const struct sock *sk, const void *uaddr, int len)
{
	struct altconn_addr addr;

	return altconn_sk(sk)->format == ALTCONN_NATIVE &&
	       !altconn_addr_parse(sk, uaddr, len, &addr) &&
	       addr.kind == ALTCONN_KIND_PORT && !addr.node && !addr.port;
}

/**
 * altconn_addr_only_disconnects() - check whether connect() to an address ends
 * the
 *	association, and begins none
 * @sk: the socket
 * @uaddr: the address, uninitialized if @len is 0
 * @len: length of @uaddr in bytes
 *
 * An address of family AF_UNSPEC does so (S-UNSPEC). On a datagram socket, the
 * length 0 and the native null address (port 0 of this node) do so too
 * (S-NULL).
 *
 * Context: any.
 * Return: true if connect() only ends the association, else false.
 */
bool altconn_addr_only_disconnects(const struct sock *sk, const void *uaddr,
				   int len)
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
		 * The length includes the terminating NUL, even if that is the
		 * 109th byte. AF_UNIX does the same: see unix(7), BUGS.
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
 * altconn_addr_write() - convert a canonical address for user space
 * @sk: the socket; the result is in its address format
 * @addr: the address, or NULL if the socket is unnamed
 * @uaddr: buffer of at least a struct sockaddr_storage
 *
 * If @addr is NULL, or the format has no form for it, the inet formats write
 * the wildcard address and port 0, and the other formats write the family only.
 *
 * Context: any.
 * Return: the length in bytes. Each byte up to this length is initialized.
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
 * In the sockaddr_un format the length is 0, as with AF_UNIX, if the sender is
 * unnamed or the format has no form for its address.
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
 * altconn_addr_dup() - copy an address into allocated memory
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
 * Free a binding, which contains the address. This is a callback of call_rcu(),
 * because kfree_rcu() frees later, in batches: the bindings of short
 * connections would pile up, and whole slabs would be freed and allocated again
 * and again.
 */
static void addr_free_bound(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct altconn_bind, own.rcu));
}

/**
 * altconn_addr_free() - free an address after a grace period
 * @addr: the address; the last reference to it is gone
 *
 * If the address is part of a binding, the binding is freed with it.
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
 * altconn_addr_equal() - check whether two canonical addresses are equal
 * @a: an address, or NULL
 * @b: an address, or NULL
 *
 * Two paths are equal only if they are the same object. Each bind() to a path
 * makes a new object. So the path of an earlier binding never equals that of a
 * later one, even if both inodes had the same memory address.
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
	if (a->node != b->node || a->port != b->port)
		return false;
	if (a->kind == ALTCONN_KIND_INET)
		return ipv6_addr_equal(altconn_addr_ip(a), altconn_addr_ip(b));
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* Print a name or a path, without its prefix. */
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
 * @size: size of @buf in bytes; longer text is cut
 *
 * The syntax is the one of the altconn tool: port:4000, name:db, path:/run/x,
 * inet:127.0.0.1:80, inet:[::1]:80. A port or name of another node has the node
 * id before it: port:7/4000. In names and paths, the backslash and all bytes
 * that are not visible ASCII are written as \xNN.
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
 * Return: the address, with a reference that the caller owns; NULL if the
 * endpoint is unnamed.
 */
struct altconn_addr *altconn_addr_of(const struct sock *sk)
{
	struct altconn_addr *addr;

	rcu_read_lock();
	/*
	 * A count of 0 means that another thread has just changed the
	 * endpoint's address.
	 */
	do {
		addr = rcu_dereference(altconn_sk(sk)->addr);
	} while (addr && !refcount_inc_not_zero(&addr->refs));
	rcu_read_unlock();
	return addr;
}
