/* SPDX-License-Identifier: GPL-2.0 */
/* These functions try the clauses. */
#ifndef _CLAUSE_H
#define _CLAUSE_H

struct test;

/* attempt.c: connect() of connection-based sockets, and its results */
void s_conn(struct test *t);
void s_once(struct test *t);
void s_thread(struct test *t);
void s_ret(struct test *t);
void s_resume(struct test *t);
void s_done(struct test *t);
void e_isconn(struct test *t);
void e_opnotsupp(struct test *t);

/* wait.c: attempts that wait */
void e_inprogress(struct test *t);
void e_already(struct test *t);
void e_intr(struct test *t);
void e_timedout(struct test *t);

/* dgram.c: associations of datagram sockets, and dissolving any association */
void s_dest(struct test *t);
void s_only(struct test *t);
void s_again(struct test *t);
void s_unspec(struct test *t);
void s_null(struct test *t);

/* form.c: the arguments of connect() */
void s_form(struct test *t);
void s_int(struct test *t);
void e_afnosupport(struct test *t);
void e_badf(struct test *t);
void e_notsock(struct test *t);
void e_fault(struct test *t);

/* remote.c: the address that connect() is called with */
void e_connrefused(struct test *t);
void e_prototype(struct test *t);
void e_acces_bcast(struct test *t);
void e_perm_rule(struct test *t);
void e_hostunreach(struct test *t);
void e_netunreach(struct test *t);

/* local.c: the local address, limits and memory */
void e_addrinuse(struct test *t);
void e_addrnotavail(struct test *t);
void e_again_port(struct test *t);
void e_again_table(struct test *t);
void e_nomem(struct test *t);

/* path.c: addresses that are paths */
void e_acces_path(struct test *t);
void e_noent(struct test *t);
void e_notdir(struct test *t);
void e_loop(struct test *t);
void e_nametoolong(struct test *t);

#endif /* _CLAUSE_H */
