/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ADDR_H
#define _ALTCONN_ADDR_H

#include <linux/un.h>
#include <net/ipv6.h>
#include "altconn.h"

/**
 * struct altconn_addr - a canonical address, the same for every address format
 * @refs: reference count; see Lifetime
 * @kind: enum altconn_kind
 * @len: number of bytes of @bytes in use
 * @bound: the address is the member @own of a struct altconn_bind
 * @xns: the address is the destination of a connect() or send() to another
 *	node (node.c), or the copy of it that is looked up in the namespace of
 *	that node. altconn_addr_equal() ignores this flag
 * @node: ports and names: node id, 0 for this namespace; inet: interface index
 *	of a link-local IPv6 address; else 0
 * @port: ports: the port; inet: the port in host byte order; else 0
 * @inode: paths, after the lookup of the socket file: its inode. The pointer is
 *	compared and never dereferenced
 * @fd: paths, before that lookup: descriptor of the socket file or of the
 *	directory where the lookup begins; -1 if the caller passed a number that
 *	cannot be a descriptor; AT_FDCWD if the caller passed none
 * @rcu: frees the address
 * @bytes: the name; the path as user space spelled it, or the file's name if
 *	connect() or send() passed a descriptor; inet: an IPv6 address, or an
 *	IPv4 address as v4-mapped
 *
 * Lifetime: An address does not change once a second thread can see it.
 * Bindings, endpoints, listeners, ends of associations, claims and queued
 * datagrams hold references. The last altconn_addr_put() frees the address
 * after a grace period. An address on the stack has no reference count. Code
 * that keeps the address makes a copy with altconn_addr_dup(). The memory of an
 * allocated address ends after @len bytes of @bytes, so a struct assignment
 * would read beyond it.
 */
struct altconn_addr {
	refcount_t	refs;
	u8		kind;
	u8		len;
	bool		bound;
	bool		xns;
	u32		node;
	u32		port;
	union {
		const void	*inode;
		int		fd;
	};
	struct rcu_head	rcu;
	char		bytes[ALTCONN_PATH_MAX] __aligned(8);
};

int altconn_addr_parse(const struct sock *sk, const void *uaddr, int len,
		       struct altconn_addr *addr);
int altconn_addr_parse_peer(const struct sock *sk, const void *uaddr, int len,
			    struct altconn_addr *addr);
bool altconn_addr_only_disconnects(const struct sock *sk, const void *uaddr,
				   int len);
int altconn_addr_write(const struct sock *sk, const struct altconn_addr *addr,
		       void *uaddr);
void altconn_addr_to_msg(const struct sock *sk, const struct altconn_addr *addr,
			 struct msghdr *msg);
struct altconn_addr *altconn_addr_dup(const struct altconn_addr *addr,
				      gfp_t gfp);
void altconn_addr_free(struct altconn_addr *addr);
bool altconn_addr_equal(const struct altconn_addr *a,
			const struct altconn_addr *b);
size_t altconn_addr_print(const struct altconn_addr *addr, char *buf,
			  size_t size);
struct altconn_addr *altconn_addr_of(const struct sock *sk);

/**
 * altconn_addr_same_port() - check whether two addresses belong to one port,
 *	name or path
 * @a: canonical address
 * @b: canonical address
 *
 * Two inet addresses do if their ports are equal, whatever their IP addresses
 * are. Two paths do if they have the same socket file.
 *
 * Context: any.
 * Return: true if they do, else false.
 */
static inline bool altconn_addr_same_port(const struct altconn_addr *a,
					  const struct altconn_addr *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == ALTCONN_KIND_PATH)
		return a->inode == b->inode;
	if (a->kind == ALTCONN_KIND_INET)
		return a->port == b->port;
	return altconn_addr_equal(a, b);
}

/**
 * altconn_addr_ip() - return the IP address of an inet address
 * @addr: an inet address
 *
 * Context: any.
 * Return: a pointer into @addr; an IPv4 address is v4-mapped.
 */
static inline struct in6_addr *altconn_addr_ip(const struct altconn_addr *addr)
{
	return (struct in6_addr *)addr->bytes;
}

/**
 * altconn_addr_is_v4() - check whether an inet address is IPv4
 * @addr: an inet address
 *
 * Context: any.
 * Return: true if the IP address is v4-mapped, else false.
 */
static inline bool altconn_addr_is_v4(const struct altconn_addr *addr)
{
	return ipv6_addr_v4mapped(altconn_addr_ip(addr));
}

/**
 * altconn_addr_v4() - return the IPv4 address of an inet address
 * @addr: an inet address that is v4-mapped
 *
 * Context: any.
 * Return: the IPv4 address in network byte order.
 */
static inline __be32 altconn_addr_v4(const struct altconn_addr *addr)
{
	return altconn_addr_ip(addr)->s6_addr32[3];
}

/**
 * altconn_addr_is_any() - check for the wildcard address of either IP version
 * @addr: an inet address
 *
 * Context: any.
 * Return: true if the IP address is 0.0.0.0 or ::, else false.
 */
static inline bool altconn_addr_is_any(const struct altconn_addr *addr)
{
	return altconn_addr_is_v4(addr) ? !altconn_addr_v4(addr) :
					  ipv6_addr_any(altconn_addr_ip(addr));
}

/**
 * altconn_addr_is_wildcard() - check whether an address of any kind is a
 *	wildcard IP address
 * @addr: a canonical address
 *
 * Context: any.
 * Return: true for an inet address with IP address 0.0.0.0 or ::, else false.
 */
static inline bool altconn_addr_is_wildcard(const struct altconn_addr *addr)
{
	return addr->kind == ALTCONN_KIND_INET && altconn_addr_is_any(addr);
}

/**
 * altconn_addr_get() - take a reference
 * @addr: an allocated address with at least one reference, or NULL
 *
 * Context: any.
 * Return: @addr; the caller owns the new reference.
 */
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

#endif /* _ALTCONN_ADDR_H */
