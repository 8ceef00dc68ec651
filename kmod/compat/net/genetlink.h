/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_GENETLINK_H
#define _ALTCONN_COMPAT_GENETLINK_H
#include_next <net/genetlink.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

/*
 * These kernels have no split operations. So struct compat_genl_family has the
 * members that generated code initializes, and embeds the kernel's struct
 * genl_family. A plain operation holds both do and dump of a command. They
 * share one policy, so their policies must be alike: the specification lists
 * the same attributes for both.
 */
#define COMPAT_GENL_OPS	64

struct genl_split_ops {
	const struct nla_policy	*policy;
	int (*doit)(struct sk_buff *skb, struct genl_info *info);
	int (*start)(struct netlink_callback *cb);
	int (*dumpit)(struct sk_buff *skb, struct netlink_callback *cb);
	int (*done)(struct netlink_callback *cb);
	unsigned int		maxattr;
	u8			cmd;
	u8			internal_flags;
	u8			flags;
	u8			validate;
};

struct compat_genl_family {
	const char			*name;
	unsigned int			version;
	bool				netnsok;
	bool				parallel_ops;
	struct module			*module;
	const struct genl_split_ops	*split_ops;
	u8				n_split_ops;
	struct genl_family		real;
	struct genl_ops			ops[COMPAT_GENL_OPS];
};

static inline struct genl_ops *compat_genl_op(struct compat_genl_family *f,
					      u8 cmd)
{
	int i;

	for (i = 0; i < f->real.n_ops; i++)
		if (f->ops[i].cmd == cmd)
			return &f->ops[i];
	return &f->ops[f->real.n_ops++];
}

static inline int compat_genl_register_family(struct compat_genl_family *f)
{
	int i;

	if (f->n_split_ops > COMPAT_GENL_OPS)
		return -E2BIG;
	f->real.n_ops = 0;
	for (i = 0; i < f->n_split_ops; i++) {
		const struct genl_split_ops *split = &f->split_ops[i];
		struct genl_ops *op = compat_genl_op(f, split->cmd);

		op->cmd = split->cmd;
		op->flags |= split->flags & ~(GENL_CMD_CAP_DO |
					      GENL_CMD_CAP_DUMP);
		if (WARN_ON_ONCE(op->policy && split->policy &&
				 op->maxattr != split->maxattr))
			return -EINVAL;
		op->policy = split->policy ? : op->policy;
		op->maxattr = max(op->maxattr, split->maxattr);
		if (split->flags & GENL_CMD_CAP_DUMP) {
			op->start = split->start;
			op->dumpit = split->dumpit;
			op->done = split->done;
		} else {
			op->doit = split->doit;
		}
	}
	strscpy(f->real.name, f->name, sizeof(f->real.name));
	f->real.version = f->version;
	f->real.netnsok = f->netnsok;
	f->real.parallel_ops = f->parallel_ops;
	f->real.module = f->module;
	f->real.ops = f->ops;
	f->real.resv_start_op = 1;
	return genl_register_family(&f->real);
}

/*
 * Return the genl_info of a dump, with the members that the module reads. These
 * kernels have no function for this.
 */
static inline struct genl_info
compat_genl_info_dump(struct netlink_callback *cb)
{
	return (struct genl_info) {
		.attrs	= genl_dumpit_info(cb)->attrs,
		.extack	= cb->extack,
	};
}

#define genl_info_dump(cb)						\
	((const struct genl_info[]) { compat_genl_info_dump(cb) })

#define genl_family			compat_genl_family
#define genl_register_family(f)		compat_genl_register_family(f)
#define genl_unregister_family(f)	genl_unregister_family(&(f)->real)
#define genlmsg_put(skb, portid, seq, f, flags, cmd)	\
	genlmsg_put(skb, portid, seq, &(f)->real, flags, cmd)
#define genlmsg_put_reply(skb, info, f, flags, cmd)	\
	genlmsg_put_reply(skb, info, &(f)->real, flags, cmd)

#endif
#endif
