/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM altconn

#if !defined(_ALTCONN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _ALTCONN_TRACE_H

#include <linux/tracepoint.h>
#include "addr.h"
#include "assoc.h"
#include "names_gen.h"
#include "netns.h"
#include "sock.h"

#ifndef _ALTCONN_TRACE_HELPERS
#define _ALTCONN_TRACE_HELPERS

/**
 * altconn_trace_len() - get the buffer size for the text of an address
 * @addr: the address; NULL is printed as "-"
 *
 * Context: any.
 * Return: a size that is large enough for altconn_addr_print(), bytes.
 */
static inline size_t altconn_trace_len(const struct altconn_addr *addr)
{
	char buf[4];

	/*
	 * 4 characters for each byte of a name or a path (\xNN), and 32 for the
	 * prefix, a node id or port, and the NUL.
	 */
	return addr ? 32 + 4 * addr->len : scnprintf(buf, sizeof(buf), "-") + 1;
}

/**
 * altconn_trace_addr() - get the local address of an endpoint
 * @sk: the endpoint
 *
 * Context: the probe of a tracepoint, which runs under RCU.
 * Return: the address without a reference, or NULL if the endpoint is unnamed.
 */
static inline const struct altconn_addr *
altconn_trace_addr(const struct sock *sk)
{
	return rcu_dereference_raw(altconn_sk(sk)->addr);
}

#endif

/*
 * The lists of names_gen.h apply a macro to each element, and another one to
 * the last element:
 *
 *   ALTCONN_ENUM_*   exports the value of the enumerator to user space
 *   ALTCONN_EACH_*   makes an element of an array for __print_symbolic()
 *   ALTCONN_LAST_*   makes the last element, which has no comma
 *
 * A socket type is traced as its value SOCK_*, and not as enum
 * altconn_socket_type.
 */
#define ALTCONN_ENUM_REASON(value, name)			\
	TRACE_DEFINE_ENUM(ALTCONN_REASON_##value);
#define ALTCONN_EACH_REASON(value, name)			\
	{ ALTCONN_REASON_##value, name },
#define ALTCONN_LAST_REASON(value, name)			\
	{ ALTCONN_REASON_##value, name }

#define ALTCONN_ENUM_TYPE(value, name)	TRACE_DEFINE_ENUM(SOCK_##value);
#define ALTCONN_EACH_TYPE(value, name)	{ SOCK_##value, name },
#define ALTCONN_LAST_TYPE(value, name)	{ SOCK_##value, name }

#define ALTCONN_ENUM_VERDICT(value, name)			\
	TRACE_DEFINE_ENUM(ALTCONN_VERDICT_##value);
#define ALTCONN_EACH_VERDICT(value, name)			\
	{ ALTCONN_VERDICT_##value, name },
#define ALTCONN_LAST_VERDICT(value, name)			\
	{ ALTCONN_VERDICT_##value, name }

ALTCONN_REASON_LIST(ALTCONN_ENUM_REASON, ALTCONN_ENUM_REASON)
ALTCONN_SOCKET_TYPE_LIST(ALTCONN_ENUM_TYPE, ALTCONN_ENUM_TYPE)
ALTCONN_VERDICT_LIST(ALTCONN_ENUM_VERDICT, ALTCONN_ENUM_VERDICT)

#define show_reason(reason)					\
	__print_symbolic(reason,				\
			 ALTCONN_REASON_LIST(ALTCONN_EACH_REASON, \
					     ALTCONN_LAST_REASON))

#define show_type(type)						\
	__print_symbolic(type,					\
			 ALTCONN_SOCKET_TYPE_LIST(ALTCONN_EACH_TYPE, \
						  ALTCONN_LAST_TYPE))

#define show_verdict(verdict)					\
	__print_symbolic(verdict,				\
			 ALTCONN_VERDICT_LIST(ALTCONN_EACH_VERDICT, \
					      ALTCONN_LAST_VERDICT))

/* The states that an endpoint can have (altconn.h). */
TRACE_DEFINE_ENUM(TCP_ESTABLISHED);
TRACE_DEFINE_ENUM(TCP_SYN_SENT);
TRACE_DEFINE_ENUM(TCP_CLOSE);
TRACE_DEFINE_ENUM(TCP_LISTEN);

#define show_state(state)					\
	__print_symbolic(state,					\
			 { TCP_ESTABLISHED, "ESTABLISHED" },	\
			 { TCP_SYN_SENT, "SYN_SENT" },		\
			 { TCP_CLOSE, "CLOSE" },		\
			 { TCP_LISTEN, "LISTEN" })

TRACE_DEFINE_ENUM(ALTCONN_CLIENT);
TRACE_DEFINE_ENUM(ALTCONN_SERVER);

#define show_side(side)						\
	__print_symbolic(side,					\
			 { ALTCONN_CLIENT, "client" },		\
			 { ALTCONN_SERVER, "server" })

/*
 * connect() is called with a valid address, even if it only waits for an
 * attempt or returns a result.
 */
TRACE_EVENT(altconn_connect_begin,

	TP_PROTO(const struct sock *sk, const struct altconn_addr *remote,
		 bool nonblock),

	TP_ARGS(sk, remote, nonblock),

	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u8, type)
		__field(bool, nonblock)
		__dynamic_array(char, local,
				altconn_trace_len(altconn_trace_addr(sk)))
		__dynamic_array(char, remote, altconn_trace_len(remote))
	),

	TP_fast_assign(
		__entry->netns = sock_net(sk)->ns.inum;
		__entry->type = sk->sk_type;
		__entry->nonblock = nonblock;
		altconn_addr_print(altconn_trace_addr(sk), __get_str(local),
				   __get_dynamic_array_len(local));
		altconn_addr_print(remote, __get_str(remote),
				   __get_dynamic_array_len(remote));
	),

	TP_printk("netns=%u type=%s local=%s remote=%s nonblock=%d",
		  __entry->netns, show_type(__entry->type), __get_str(local),
		  __get_str(remote), __entry->nonblock)
);

/* Events of an association. The meaning of value depends on the event. */
DECLARE_EVENT_CLASS(altconn_assoc_class,

	TP_PROTO(const struct altconn_assoc *assoc, u32 value),

	TP_ARGS(assoc, value),

	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u8, type)
		__field(u64, id)
		__field(u32, value)
		__field(u64, waited_us)
		__dynamic_array(char, local,
				altconn_trace_len(assoc->end[0].addr))
		__dynamic_array(char, remote,
				altconn_trace_len(assoc->end[1].addr))
	),

	TP_fast_assign(
		__entry->netns = assoc->an->net->ns.inum;
		__entry->type = assoc->type;
		__entry->id = assoc->entry.id;
		__entry->value = value;
		__entry->waited_us =
			div_u64(ktime_get_ns() - assoc->entry.begun,
				NSEC_PER_USEC);
		altconn_addr_print(assoc->end[0].addr, __get_str(local),
				   __get_dynamic_array_len(local));
		altconn_addr_print(assoc->end[1].addr, __get_str(remote),
				   __get_dynamic_array_len(remote));
	),

	TP_printk("netns=%u type=%s id=%llu local=%s remote=%s waited_us=%llu",
		  __entry->netns, show_type(__entry->type), __entry->id,
		  __get_str(local), __get_str(remote), __entry->waited_us)
);

/*
 * An attempt begins to wait. position is its position in its lane, 1 for the
 * attempt that is promoted first, or 0 if the attempt is parked.
 */
DEFINE_EVENT_PRINT(altconn_assoc_class, altconn_connect_wait,
	TP_PROTO(const struct altconn_assoc *assoc, u32 value),
	TP_ARGS(assoc, value),
	TP_printk("netns=%u type=%s id=%llu local=%s remote=%s position=%u",
		  __entry->netns, show_type(__entry->type), __entry->id,
		  __get_str(local), __get_str(remote), __entry->value)
);

/*
 * accept() takes an association. waited_us is the time since connect(). value
 * is not used.
 */
DEFINE_EVENT(altconn_assoc_class, altconn_accept,
	TP_PROTO(const struct altconn_assoc *assoc, u32 value),
	TP_ARGS(assoc, value)
);

/* An end of an association closes. value is the end, enum altconn_side. */
DEFINE_EVENT_PRINT(altconn_assoc_class, altconn_close,
	TP_PROTO(const struct altconn_assoc *assoc, u32 value),
	TP_ARGS(assoc, value),
	TP_printk("netns=%u type=%s id=%llu local=%s remote=%s end=%s",
		  __entry->netns, show_type(__entry->type), __entry->id,
		  __get_str(local), __get_str(remote),
		  show_side(__entry->value))
);

/*
 * An attempt is decided, once for each attempt. A connect() that fails without
 * an attempt, and each connect() of a datagram socket, have this event too,
 * with the id 0.
 */
TRACE_EVENT(altconn_connect_end,

	TP_PROTO(const struct sock *sk, u64 id,
		 const struct altconn_addr *remote, u32 err, u32 reason,
		 u64 waited_ns),

	TP_ARGS(sk, id, remote, err, reason, waited_ns),

	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u8, type)
		__field(u64, id)
		__field(u32, err)
		__field(u32, reason)
		__field(u64, waited_us)
		__dynamic_array(char, local,
				altconn_trace_len(altconn_trace_addr(sk)))
		__dynamic_array(char, remote, altconn_trace_len(remote))
	),

	TP_fast_assign(
		__entry->netns = sock_net(sk)->ns.inum;
		__entry->type = sk->sk_type;
		__entry->id = id;
		__entry->err = err;
		__entry->reason = reason;
		__entry->waited_us = div_u64(waited_ns, NSEC_PER_USEC);
		altconn_addr_print(altconn_trace_addr(sk), __get_str(local),
				   __get_dynamic_array_len(local));
		altconn_addr_print(remote, __get_str(remote),
				   __get_dynamic_array_len(remote));
	),

	TP_printk("netns=%u type=%s id=%llu local=%s remote=%s errno=%u reason=%s waited_us=%llu",
		  __entry->netns, show_type(__entry->type), __entry->id,
		  __get_str(local), __get_str(remote), __entry->err,
		  show_reason(__entry->reason), __entry->waited_us)
);

/* A rule decides about an attempt or a datagram. */
TRACE_EVENT(altconn_rule,

	TP_PROTO(const struct sock *sk, const struct altconn_addr *remote,
		 u32 rule, u32 verdict),

	TP_ARGS(sk, remote, rule, verdict),

	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u8, type)
		__field(u32, rule)
		__field(u32, verdict)
		__dynamic_array(char, local,
				altconn_trace_len(altconn_trace_addr(sk)))
		__dynamic_array(char, remote, altconn_trace_len(remote))
	),

	TP_fast_assign(
		__entry->netns = sock_net(sk)->ns.inum;
		__entry->type = sk->sk_type;
		__entry->rule = rule;
		__entry->verdict = verdict;
		altconn_addr_print(altconn_trace_addr(sk), __get_str(local),
				   __get_dynamic_array_len(local));
		altconn_addr_print(remote, __get_str(remote),
				   __get_dynamic_array_len(remote));
	),

	TP_printk("netns=%u type=%s local=%s remote=%s rule=%u verdict=%s",
		  __entry->netns, show_type(__entry->type), __get_str(local),
		  __get_str(remote), __entry->rule,
		  show_verdict(__entry->verdict))
);

/* The state of an endpoint (sk->sk_state) changes. */
TRACE_EVENT(altconn_state,

	TP_PROTO(const struct sock *sk, u8 old, u8 new),

	TP_ARGS(sk, old, new),

	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u8, type)
		__field(u8, old)
		__field(u8, new)
		__dynamic_array(char, local,
				altconn_trace_len(altconn_trace_addr(sk)))
	),

	TP_fast_assign(
		__entry->netns = sock_net(sk)->ns.inum;
		__entry->type = sk->sk_type;
		__entry->old = old;
		__entry->new = new;
		altconn_addr_print(altconn_trace_addr(sk), __get_str(local),
				   __get_dynamic_array_len(local));
	),

	TP_printk("netns=%u type=%s local=%s old=%s new=%s",
		  __entry->netns, show_type(__entry->type), __get_str(local),
		  show_state(__entry->old), show_state(__entry->new))
);

#endif /* _ALTCONN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
