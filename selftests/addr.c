// SPDX-License-Identifier: GPL-2.0
/*
 * These tests show which addresses each address format accepts, refuses and
 * reports, and how sockets in different formats meet. They cover the clauses
 * S-FORM (a malformed address), S-INT (a negative or huge length),
 * E-AFNOSUPPORT (another address family) and E-FAULT (a bad pointer).
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <netinet/in.h>

#define SKIP_CALL (-1)

/*
 * Each of these calls refuses the address that @make fills in, and returns the
 * errno given here. A call with SKIP_CALL is not tested.
 */
struct bad_addr {
	const char *what;
	enum at_format format;
	void (*make)(struct at_addr *a);
	int bind, connect, dgram_connect, sendto;
};

static void native_port(struct at_addr *a)
{
	at_addr(a, AT_NATIVE, AT_PORT);
}

static void native_name(struct at_addr *a)
{
	at_addr(a, AT_NATIVE, AT_NAME);
}

static void native_path(struct at_addr *a)
{
	at_addr(a, AT_NATIVE, AT_PATH);
}

static void unix_path(struct at_addr *a)
{
	at_addr(a, AT_UNIX, AT_PATH);
}

static void native_short(struct at_addr *a)
{
	native_port(a);
	a->len--;
}

static void native_long(struct at_addr *a)
{
	native_port(a);
	a->len++;
}

static void native_family_only(struct at_addr *a)
{
	native_port(a);
	a->len = sizeof(sa_family_t);
}

static void native_128(struct at_addr *a)
{
	native_port(a);
	a->len = 128;
}

static void native_129(struct at_addr *a)
{
	native_port(a);
	a->len = 129;
}

static void native_negative(struct at_addr *a)
{
	native_port(a);
	a->len = -1;
}

static void native_int_min(struct at_addr *a)
{
	native_port(a);
	a->len = 0x80000000U;
}

static void native_kind_none(struct at_addr *a)
{
	native_port(a);
	a->nat.sac_kind = ALTCONN_KIND_NONE;
}

static void native_kind_255(struct at_addr *a)
{
	native_port(a);
	a->nat.sac_kind = 255;
}

static void native_flags(struct at_addr *a)
{
	native_port(a);
	a->nat.sac_flags = 1;
}

static void native_flag_unknown(struct at_addr *a)
{
	native_path(a);
	a->nat.sac_flags = 2;
}

static void native_flag_more(struct at_addr *a)
{
	native_path(a);
	a->nat.sac_flags = ALTCONN_PATH_FD | 0x80;
}

static void native_flag_name(struct at_addr *a)
{
	native_name(a);
	a->nat.sac_flags = ALTCONN_PATH_FD;
}

static void native_flag_tail(struct at_addr *a)
{
	native_path(a);
	a->nat.sac_flags = ALTCONN_PATH_FD;
	a->nat.sac_len = 0;
}

static void native_path_empty(struct at_addr *a)
{
	native_path(a);
	memset(a->nat.sac_path, 0, sizeof(a->nat.sac_path));
	a->nat.sac_len = 0;
}

static void native_pad(struct at_addr *a)
{
	native_port(a);
	a->nat.sac_pad = 1;
}

static void native_port_len(struct at_addr *a)
{
	native_port(a);
	a->nat.sac_len = 4;
}

static void native_port_tail(struct at_addr *a)
{
	native_port(a);
	a->nat.sac_name[4] = 1;
}

static void native_port_last(struct at_addr *a)
{
	native_port(a);
	a->nat.sac_name[ALTCONN_PATH_MAX - 1] = 1;
}

static void native_name_long(struct at_addr *a)
{
	native_name(a);
	memset(a->nat.sac_name, 'x', ALTCONN_PATH_MAX);
	a->nat.sac_len = ALTCONN_NAME_MAX + 1;
}

static void native_name_huge(struct at_addr *a)
{
	native_name(a);
	a->nat.sac_len = 0xffff;
}

static void native_name_tail(struct at_addr *a)
{
	native_name(a);
	a->nat.sac_name[a->nat.sac_len] = 'x';
}

static void native_path_nul(struct at_addr *a)
{
	native_path(a);
	a->nat.sac_path[3] = 0;
}

static void native_flag_nul(struct at_addr *a)
{
	native_path_nul(a);
	a->nat.sac_flags = ALTCONN_PATH_FD;
}

static void native_path_long(struct at_addr *a)
{
	native_path(a);
	memset(a->nat.sac_path, 'x', ALTCONN_PATH_MAX);
	a->nat.sac_len = ALTCONN_PATH_MAX + 1;
}

static void native_path_tail(struct at_addr *a)
{
	native_path(a);
	a->nat.sac_path[a->nat.sac_len] = 'x';
}

static void native_path_node(struct at_addr *a)
{
	native_path(a);
	a->nat.sac_node = 7;
}

static void native_inet_family(struct at_addr *a)
{
	native_port(a);
	a->nat.sac_family = AF_INET;
}

static void native_unix_family(struct at_addr *a)
{
	native_port(a);
	a->nat.sac_family = AF_UNIX;
}

static void native_family_99(struct at_addr *a)
{
	native_port(a);
	a->nat.sac_family = 99;
}

static void unix_one(struct at_addr *a)
{
	unix_path(a);
	a->len = 1;
}

static void unix_family_only(struct at_addr *a)
{
	unix_path(a);
	a->len = sizeof(sa_family_t);
}

static void unix_111(struct at_addr *a)
{
	unix_path(a);
	a->len = sizeof(struct sockaddr_un) + 1;
}

static void unix_negative(struct at_addr *a)
{
	unix_path(a);
	a->len = -1;
}

static void unix_inet_family(struct at_addr *a)
{
	unix_path(a);
	a->un.sun_family = AF_INET;
}

static void unix_native_family(struct at_addr *a)
{
	unix_path(a);
	a->un.sun_family = at_family();
}

static void native_ip(struct at_addr *a)
{
	at_addr(a, AT_NATIVE, AT_INET);
}

static void native_ip_port(struct at_addr *a)
{
	native_ip(a);
	a->nat.sac_inet.port = 65536;
}

static void native_ip_scope(struct at_addr *a)
{
	native_ip(a);
	a->nat.sac_inet.scope = 1;
}

static void native_ip_link(struct at_addr *a)
{
	at_addr_ip(a, AT_NATIVE, "fe80::1", 4000);
}

static void native_ip_node(struct at_addr *a)
{
	native_ip(a);
	a->nat.sac_node = 7;
}

static void native_ip_tail(struct at_addr *a)
{
	native_ip(a);
	a->nat.sac_name[sizeof(a->nat.sac_inet)] = 1;
}

static void in_short(struct at_addr *a)
{
	at_addr(a, AT_IN, AT_INET);
	a->len--;
}

static void in_family_only(struct at_addr *a)
{
	at_addr(a, AT_IN, AT_INET);
	a->len = sizeof(sa_family_t);
}

static void in_129(struct at_addr *a)
{
	at_addr(a, AT_IN, AT_INET);
	a->len = 129;
}

static void in_negative(struct at_addr *a)
{
	at_addr(a, AT_IN, AT_INET);
	a->len = -1;
}

static void in_in6_family(struct at_addr *a)
{
	at_addr(a, AT_IN, AT_INET);
	a->in.sin_family = AF_INET6;
}

static void in_native_family(struct at_addr *a)
{
	at_addr(a, AT_IN, AT_INET);
	a->in.sin_family = at_family();
}

static void in6_short(struct at_addr *a)
{
	at_addr(a, AT_IN6, AT_INET);
	a->len = 23;
}

static void in6_in(struct at_addr *a)
{
	at_addr(a, AT_IN, AT_INET);
	a->len = sizeof(a->in6);
}

static void in6_link(struct at_addr *a)
{
	at_addr_ip(a, AT_IN6, "fe80::1", 4000);
}

static const struct bad_addr bad_addrs[] = {
#define ROW(text, fmt, maker, b, c, s) {				\
		.what = text, .format = fmt, .make = maker, .bind = b,	\
		.connect = c, .dgram_connect = c, .sendto = s		\
	}
#define NATIVE(text, maker, err) \
	ROW(text, AT_NATIVE, maker, err, err, err)
	NATIVE("S-FORM native, a byte short", native_short, EINVAL),
	NATIVE("S-FORM native, a byte long", native_long, EINVAL),
	NATIVE("S-FORM native, the family alone", native_family_only, EINVAL),
	NATIVE("S-INT native, 128", native_128, EINVAL),
	NATIVE("S-INT native, 129", native_129, EINVAL),
	NATIVE("S-INT native, -1", native_negative, EINVAL),
	NATIVE("S-INT native, INT_MIN", native_int_min, EINVAL),
	NATIVE("S-FORM native, no kind", native_kind_none, EINVAL),
	NATIVE("S-FORM native, link-local without scope", native_ip_link,
	       EINVAL),
	NATIVE("S-FORM native, IP port 65536", native_ip_port, EINVAL),
	NATIVE("S-FORM native, IPv4 with scope", native_ip_scope, EINVAL),
	NATIVE("S-FORM native, IP with node", native_ip_node, EINVAL),
	NATIVE("S-FORM native, byte after IP", native_ip_tail, EINVAL),
	NATIVE("S-FORM native, kind 255", native_kind_255, EINVAL),
	NATIVE("S-FORM native, a flag", native_flags, EINVAL),
	NATIVE("S-FORM native, no such flag", native_flag_unknown, EINVAL),
	NATIVE("S-FORM native, one flag too many", native_flag_more, EINVAL),
	NATIVE("S-FORM native, the flag of a path", native_flag_name, EINVAL),
	NATIVE("S-FORM native, NUL in path, flag", native_flag_nul, EINVAL),
	NATIVE("S-FORM native, byte after path, flag", native_flag_tail,
	       EINVAL),
	NATIVE("S-FORM native, empty path", native_path_empty, EINVAL),
	NATIVE("S-FORM native, pad", native_pad, EINVAL),
	NATIVE("S-FORM native, port with length", native_port_len, EINVAL),
	NATIVE("S-FORM native, byte after port", native_port_tail, EINVAL),
	NATIVE("S-FORM native, last byte", native_port_last, EINVAL),
	NATIVE("S-FORM native, name of 108", native_name_long, EINVAL),
	NATIVE("S-FORM native, name of 65535", native_name_huge, EINVAL),
	NATIVE("S-FORM native, byte after name", native_name_tail, EINVAL),
	NATIVE("S-FORM native, NUL in path", native_path_nul, EINVAL),
	NATIVE("S-FORM native, path of 109", native_path_long, EINVAL),
	NATIVE("S-FORM native, byte after path", native_path_tail, EINVAL),
	NATIVE("S-FORM native, path with node", native_path_node, EINVAL),
	NATIVE("E-AFNOSUPPORT native, AF_INET", native_inet_family,
	       EAFNOSUPPORT),
	NATIVE("E-AFNOSUPPORT native, AF_UNIX", native_unix_family,
	       EAFNOSUPPORT),
	NATIVE("E-AFNOSUPPORT native, 99", native_family_99, EAFNOSUPPORT),
#undef NATIVE
#define UNIX(text, maker, b, c, s) ROW(text, AT_UNIX, maker, b, c, s)
	UNIX("S-FORM unix, one byte", unix_one, EINVAL, EINVAL, EINVAL),
	UNIX("S-FORM unix, the family alone", unix_family_only, SKIP_CALL,
	     EINVAL, EINVAL),
	UNIX("S-FORM unix, 111", unix_111, EINVAL, EINVAL, EINVAL),
	UNIX("S-INT unix, -1", unix_negative, EINVAL, EINVAL, EINVAL),
	UNIX("E-AFNOSUPPORT unix, AF_INET", unix_inet_family, EAFNOSUPPORT,
	     EAFNOSUPPORT, EAFNOSUPPORT),
	UNIX("E-AFNOSUPPORT unix, AF_ALTCONN", unix_native_family,
	     EAFNOSUPPORT, EAFNOSUPPORT, EAFNOSUPPORT),
#undef UNIX
#define INET(text, maker, err) ROW(text, AT_IN, maker, err, err, err)
#define INET6(text, maker, err) ROW(text, AT_IN6, maker, err, err, err)
	INET("S-FORM inet, a byte short", in_short, EINVAL),
	INET("S-FORM inet, the family alone", in_family_only, EINVAL),
	INET("S-INT inet, 129", in_129, EINVAL),
	INET("S-INT inet, -1", in_negative, EINVAL),
	INET("E-AFNOSUPPORT inet, AF_INET6", in_in6_family, EAFNOSUPPORT),
	INET("E-AFNOSUPPORT inet, AF_ALTCONN", in_native_family, EAFNOSUPPORT),
	INET6("S-FORM inet6, 23 bytes", in6_short, EINVAL),
	INET6("E-AFNOSUPPORT inet6, AF_INET", in6_in, EAFNOSUPPORT),
	INET6("S-FORM inet6, link-local without scope", in6_link, EINVAL),
#undef INET
#undef INET6
#undef ROW
};

FIXTURE(bad) {};

FIXTURE_VARIANT(bad) {
	int type;
};

FIXTURE_VARIANT_ADD(bad, stream) { .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(bad, seqpacket) { .type = SOCK_SEQPACKET };
FIXTURE_VARIANT_ADD(bad, dgram) { .type = SOCK_DGRAM };

FIXTURE_SETUP(bad) {}
FIXTURE_TEARDOWN(bad) { at_cleanup(); }

static int call_bind(const struct bad_addr *row, int type)
{
	struct at_addr a;
	int fd, err;

	row->make(&a);
	fd = at_socket(row->format, type);
	err = at_err(at_bind(fd, &a));
	close(fd);
	return err;
}

/*
 * Return the errno of connect() to the address of @row. Set @reason to the
 * reason that ALTCONN_CONNECT_INFO reports, or to ~0 if the report is not about
 * this call.
 */
static int call_connect(const struct bad_addr *row, int type,
			unsigned int *reason)
{
	struct altconn_connect_info info = { };
	struct at_addr a;
	int fd, err;

	row->make(&a);
	fd = at_client(row->format, type | SOCK_NONBLOCK, &a, &err);
	*reason = at_info(fd, &info) || (int)info.aci_errno != err ?
		  ~0U : info.aci_reason;
	close(fd);
	return err;
}

/*
 * Return the reason that the socket reports for the address of @row, or ~0 if
 * the core refuses the length before the module sees the call.
 */
static unsigned int expected_reason(const struct bad_addr *row, int err)
{
	struct at_addr a;

	row->make(&a);
	if ((int)a.len < 0 || a.len > sizeof(struct sockaddr_storage))
		return ~0U;
	return err == EAFNOSUPPORT ? ALTCONN_REASON_WRONG_FAMILY :
				     ALTCONN_REASON_BAD_ADDRESS;
}

static int call_sendto(const struct bad_addr *row, int type)
{
	struct at_addr a;
	int fd, err;

	row->make(&a);
	fd = at_socket(row->format, type);
	err = at_err(sendto(fd, "x", 1, MSG_NOSIGNAL, &a.sa, a.len));
	close(fd);
	return err;
}

TEST_F_TIMEOUT(bad, errno_of_bind, AT_TIMEOUT)
{
	const struct bad_addr *row;

	for (row = bad_addrs; row < bad_addrs + ARRAY_SIZE(bad_addrs); row++) {
		if (row->bind == SKIP_CALL)
			continue;
		EXPECT_EQ(row->bind, call_bind(row, variant->type)) {
			TH_LOG("bind: %s", row->what);
		}
		at_cleanup();
	}
}

TEST_F_TIMEOUT(bad, errno_and_reason_of_connect, AT_TIMEOUT)
{
	const struct bad_addr *row;
	unsigned int reason;
	int want;

	for (row = bad_addrs; row < bad_addrs + ARRAY_SIZE(bad_addrs); row++) {
		want = variant->type == SOCK_DGRAM ? row->dgram_connect :
						     row->connect;
		EXPECT_EQ(want, call_connect(row, variant->type, &reason)) {
			TH_LOG("connect: %s", row->what);
		}
		EXPECT_EQ(expected_reason(row, want), reason) {
			TH_LOG("its reason: %s", row->what);
		}
		at_cleanup();
	}
}

TEST_F_TIMEOUT(bad, errno_of_sendto, AT_TIMEOUT)
{
	const struct bad_addr *row;

	if (variant->type != SOCK_DGRAM)
		SKIP(return, "datagrams only");
	for (row = bad_addrs; row < bad_addrs + ARRAY_SIZE(bad_addrs); row++) {
		EXPECT_EQ(row->sendto, call_sendto(row, SOCK_DGRAM)) {
			TH_LOG("sendto: %s", row->what);
		}
		at_cleanup();
	}
}

/*
 * ALTCONN_CONNECT_INFO reports the last connect(), even if no call has returned
 * the error of the attempt before. While an attempt is pending, or a connection
 * is established, the report describes that attempt or connection.
 */
TEST_F_TIMEOUT(bad, CONNECT_INFO_after_an_attempt, AT_TIMEOUT)
{
	struct altconn_connect_info info;
	struct at_addr a, other;
	int lfd, fd[2], err;

	if (variant->type == SOCK_DGRAM)
		SKIP(return, "a datagram socket never waits");
	lfd = at_listener(&a, AT_NATIVE, AT_PORT, variant->type, 0);
	ASSERT_LE(0, lfd);
	fd[0] = at_client(AT_NATIVE, variant->type | SOCK_NONBLOCK, &a, &err);
	EXPECT_EQ(0, err);
	fd[1] = at_client(AT_NATIVE, variant->type | SOCK_NONBLOCK, &a, &err);
	EXPECT_EQ(EINPROGRESS, err);
	native_family_99(&other);

	/* A call with a bad address does not end a pending attempt. */
	EXPECT_EQ(EAFNOSUPPORT, at_err(at_connect(fd[1], &other)));
	EXPECT_EQ(0, at_info(fd[1], &info));
	EXPECT_EQ(EINPROGRESS, info.aci_errno);
	EXPECT_EQ(1, info.aci_position);
	close(lfd);
	EXPECT_EQ(EAFNOSUPPORT, at_err(at_connect(fd[1], &other)));
	EXPECT_EQ(0, at_info(fd[1], &info));
	EXPECT_EQ(EAFNOSUPPORT, info.aci_errno);
	EXPECT_EQ(ALTCONN_REASON_WRONG_FAMILY, info.aci_reason);
	/* SO_ERROR returns the error of the attempt. */
	EXPECT_EQ(ECONNREFUSED, at_so_error(fd[1]));
	EXPECT_EQ(0, at_info(fd[1], &info));
	EXPECT_EQ(EAFNOSUPPORT, info.aci_errno);

	/* On a connected socket the report describes how it was connected. */
	EXPECT_EQ(EAFNOSUPPORT, at_err(at_connect(fd[0], &other)));
	EXPECT_EQ(EISCONN, at_err(at_connect(fd[0], &a)));
	EXPECT_EQ(0, at_info(fd[0], &info));
	EXPECT_EQ(0, info.aci_errno);
	EXPECT_EQ(ALTCONN_REASON_ESTABLISHED, info.aci_reason);
	close(fd[0]);
	close(fd[1]);
	ASSERT_EQ(0, at_socketpair(AT_NATIVE, variant->type, fd));
	EXPECT_EQ(EAFNOSUPPORT, at_err(at_connect(fd[0], &other)));
	EXPECT_EQ(EISCONN, at_err(at_connect(fd[0], &a)));
	EXPECT_EQ(0, at_info(fd[0], &info));
	EXPECT_EQ(0, info.aci_errno);
	EXPECT_EQ(ALTCONN_REASON_NONE, info.aci_reason);
	close(fd[0]);
	close(fd[1]);
}

TEST_F_TIMEOUT(bad, E_FAULT, AT_TIMEOUT)
{
	socklen_t len = sizeof(struct sockaddr_altconn);
	enum at_format format;
	int fd;

	for (format = AT_NATIVE; format <= AT_IN6; format++) {
		fd = at_socket(format, variant->type);
		ASSERT_LE(0, fd);
		EXPECT_EQ(EFAULT, at_err(bind(fd, NULL, 110)));
		EXPECT_EQ(EFAULT, at_err(connect(fd, NULL, 110)));
		EXPECT_EQ(EFAULT, at_err(connect(fd, (void *)1, 110)));
		EXPECT_EQ(EFAULT, at_err(getsockname(fd, NULL, &len)));
		EXPECT_EQ(EFAULT, at_err(getsockname(fd, (void *)1, NULL)));
		close(fd);
	}
}

/*
 * The native format refuses a malformed address (S-FORM). The socket stays
 * unbound, and can still be bound to a valid address.
 */
TEST_F_TIMEOUT(bad, valid_address_after_a_bad_one, AT_TIMEOUT)
{
	struct at_addr good, bad, got;
	int fd;

	fd = at_socket(AT_NATIVE, variant->type);
	ASSERT_LE(0, fd);
	native_flags(&bad);
	EXPECT_EQ(EINVAL, at_err(at_bind(fd, &bad)));
	EXPECT_EQ(0, at_getsockname(fd, &got));
	EXPECT_TRUE(at_unnamed(&got));
	native_port(&good);
	EXPECT_EQ(0, at_err(at_bind(fd, &good)));
	EXPECT_EQ(0, at_getsockname(fd, &got));
	EXPECT_TRUE(at_addr_eq(&good, &got));
}

FIXTURE(form) {
	struct at_addr a;
	int fd;
};

FIXTURE_VARIANT(form) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

#define FORM(d, k, t)							\
	FIXTURE_VARIANT_ADD(form, d ## _ ## k ## _ ## t) {		\
		.format = AT_ ## d, .kind = AT_ ## k,			\
		.type = SOCK_ ## t					\
	}
FORM(NATIVE, PORT, STREAM);
FORM(NATIVE, NAME, SEQPACKET);
FORM(NATIVE, PATH, STREAM);
FORM(NATIVE, NAME, DGRAM);
FORM(UNIX, NAME, STREAM);
FORM(UNIX, PATH, SEQPACKET);
FORM(UNIX, PATH, DGRAM);
FORM(NATIVE, INET, STREAM);
FORM(IN, INET, SEQPACKET);
FORM(IN6, INET, DGRAM);
FORM(ORACLE_IN, INET, STREAM);
FORM(ORACLE, NAME, STREAM);
FORM(ORACLE, PATH, DGRAM);

FIXTURE_SETUP(form)
{
	self->fd = at_bound(&self->a, variant->format, variant->kind,
			    variant->type);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(form)
{
	close(self->fd);
	at_cleanup();
}

TEST_F_TIMEOUT(form, getsockname_returns_the_bound_address, AT_TIMEOUT)
{
	struct at_addr got;

	ASSERT_EQ(0, at_getsockname(self->fd, &got));
	EXPECT_EQ(self->a.len, got.len);
	EXPECT_TRUE(at_addr_eq(&self->a, &got));
}

TEST_F_TIMEOUT(form, getsockname_truncates, AT_TIMEOUT)
{
	struct at_addr got;
	socklen_t len;

	for (len = 0; len < 8; len++) {
		memset(&got, 0x5a, sizeof(got));
		got.len = len;
		EXPECT_EQ(0, at_err(getsockname(self->fd, &got.sa, &got.len)));
		EXPECT_EQ(self->a.len, got.len);
		EXPECT_EQ(0, memcmp(got.raw, self->a.raw, len));
		EXPECT_EQ(0x5a, got.raw[len]);
	}
	got.len = -1;
	EXPECT_EQ(EINVAL, at_err(getsockname(self->fd, &got.sa, &got.len)));
}

TEST_F_TIMEOUT(form, E_NOTCONN_from_getpeername, AT_TIMEOUT)
{
	struct at_addr got;

	EXPECT_EQ(ENOTCONN, at_err(at_getpeername(self->fd, &got)));
}

/* The sockaddr_un format accepts the same addresses as AF_UNIX. */
FIXTURE(sun) {};

FIXTURE_VARIANT(sun) {
	enum at_format format;
};

FIXTURE_VARIANT_ADD(sun, unix) { .format = AT_UNIX };
FIXTURE_VARIANT_ADD(sun, oracle) { .format = AT_ORACLE };

FIXTURE_SETUP(sun) {}
FIXTURE_TEARDOWN(sun) { at_cleanup(); }

TEST_F_TIMEOUT(sun, path_without_NUL, AT_TIMEOUT)
{
	struct at_addr a, b, got;
	int fd, cfd, err;

	at_addr(&a, variant->format, AT_PATH);
	b = a;
	a.len--;
	fd = at_socket(variant->format, SOCK_STREAM);
	ASSERT_EQ(0, at_err(at_bind(fd, &a)));
	ASSERT_EQ(0, at_err(listen(fd, 1)));
	EXPECT_EQ(0, at_getsockname(fd, &got));
	EXPECT_TRUE(at_addr_eq(&b, &got));
	cfd = at_client(variant->format, SOCK_STREAM, &b, &err);
	EXPECT_LE(0, cfd);
	EXPECT_EQ(0, err);
}

TEST_F_TIMEOUT(sun, bytes_after_NUL, AT_TIMEOUT)
{
	struct at_addr a, b, got;
	int fd, cfd, err;

	at_addr(&a, variant->format, AT_PATH);
	b = a;
	b.len = sizeof(b.un);
	memset(b.raw + a.len, 'x', b.len - a.len);
	fd = at_socket(variant->format, SOCK_STREAM);
	ASSERT_EQ(0, at_err(at_bind(fd, &b)));
	ASSERT_EQ(0, at_err(listen(fd, 1)));
	EXPECT_EQ(0, at_getsockname(fd, &got));
	EXPECT_TRUE(at_addr_eq(&a, &got));
	cfd = at_client(variant->format, SOCK_STREAM, &b, &err);
	EXPECT_LE(0, cfd);
	EXPECT_EQ(0, err);
}

TEST_F_TIMEOUT(sun, path_of_108_bytes, AT_TIMEOUT)
{
	char dir[108], path[110];
	struct at_addr a, got;
	int fd, cfd, err, n;

	at_path(dir, sizeof(dir));
	n = snprintf(path, sizeof(path), "%s", dir);
	memset(path + n, 'y', 108 - n);
	path[108] = 0;
	memset(&a, 0, sizeof(a));
	a.un.sun_family = AF_UNIX;
	memcpy(a.un.sun_path, path, 108);
	a.len = sizeof(a.un);
	fd = at_socket(variant->format, SOCK_STREAM);
	ASSERT_EQ(0, at_err(at_bind(fd, &a)));
	EXPECT_EQ(0, access(path, F_OK));
	EXPECT_EQ(0, at_err(listen(fd, 1)));
	EXPECT_EQ(0, at_getsockname(fd, &got));
	EXPECT_EQ(111, got.len);
	EXPECT_EQ(0, memcmp(got.un.sun_path, path, 108));
	cfd = at_client(variant->format, SOCK_STREAM, &a, &err);
	EXPECT_LE(0, cfd);
	EXPECT_EQ(0, err);
	unlink(path);
}

/* The length is part of an abstract name, and NULs are bytes of the name. */
TEST_F_TIMEOUT(sun, abstract_bytes_count, AT_TIMEOUT)
{
	struct at_addr a, b, got;
	char name[64];
	int fd, fd2, err;

	at_addr(&a, variant->format, AT_NAME);
	memcpy(name, a.un.sun_path + 1, a.len - 3);
	at_addr_name(&b, variant->format, name, a.len - 3 + 2);
	b.un.sun_path[a.len - 2] = 0;
	b.un.sun_path[a.len - 1] = 'z';
	fd = at_socket(variant->format, SOCK_STREAM);
	fd2 = at_socket(variant->format, SOCK_STREAM);
	ASSERT_EQ(0, at_err(at_bind(fd, &a)));
	ASSERT_EQ(0, at_err(at_bind(fd2, &b)));
	EXPECT_EQ(0, at_getsockname(fd2, &got));
	EXPECT_TRUE(at_addr_eq(&b, &got));
	ASSERT_EQ(0, at_err(listen(fd2, 1)));
	close(at_client(variant->format, SOCK_STREAM, &b, &err));
	EXPECT_EQ(0, err);
	close(at_client(variant->format, SOCK_STREAM, &a, &err));
	EXPECT_EQ(ECONNREFUSED, err);
}

TEST_F_TIMEOUT(sun, abstract_longest, AT_TIMEOUT)
{
	struct at_addr a, got;
	char name[107];
	int fd, err;

	memset(name, 'n', sizeof(name));
	snprintf(name, sizeof(name), "%d", (int)getpid());
	at_addr_name(&a, variant->format, name, sizeof(name));
	ASSERT_EQ(110, a.len);
	fd = at_socket(variant->format, SOCK_STREAM);
	ASSERT_EQ(0, at_err(at_bind(fd, &a)));
	ASSERT_EQ(0, at_err(listen(fd, 1)));
	EXPECT_EQ(0, at_getsockname(fd, &got));
	EXPECT_TRUE(at_addr_eq(&a, &got));
	close(at_client(variant->format, SOCK_STREAM, &a, &err));
	EXPECT_EQ(0, err);
}

/* Autobind chooses a name of five hexadecimal digits, as unix(7) says. */
TEST_F_TIMEOUT(sun, autobind, AT_TIMEOUT)
{
	struct sockaddr_un family = { .sun_family = AF_UNIX };
	struct at_addr got, again;
	int fd, fd2, err, i;

	fd = at_socket(variant->format, SOCK_STREAM);
	fd2 = at_socket(variant->format, SOCK_STREAM);
	ASSERT_EQ(0, at_err(bind(fd, (void *)&family, sizeof(sa_family_t))));
	ASSERT_EQ(0, at_err(bind(fd2, (void *)&family, sizeof(sa_family_t))));
	ASSERT_EQ(0, at_getsockname(fd, &got));
	ASSERT_EQ(0, at_getsockname(fd2, &again));
	EXPECT_EQ(8, got.len);
	EXPECT_EQ(0, got.un.sun_path[0]);
	for (i = 1; i <= 5; i++)
		EXPECT_NE(NULL, strchr("0123456789abcdef",
				       got.un.sun_path[i]));
	EXPECT_FALSE(at_addr_eq(&got, &again));
	ASSERT_EQ(0, at_err(listen(fd, 1)));
	close(at_client(variant->format, SOCK_STREAM, &got, &err));
	EXPECT_EQ(0, err);
}

TEST_F_TIMEOUT(sun, unbound_is_unnamed, AT_TIMEOUT)
{
	struct at_addr got;
	int fd = at_socket(variant->format, SOCK_STREAM);

	ASSERT_EQ(0, at_getsockname(fd, &got));
	EXPECT_EQ(2, got.len);
	EXPECT_EQ(AF_UNIX, got.sa.sa_family);
}

/* Sockets in different formats meet at the same canonical address. */
FIXTURE(meet) {};

FIXTURE_VARIANT(meet) {
	enum at_format server, client;
	enum at_kind kind;
	int type;
};

#define MEET(s, c, k, t)						\
	FIXTURE_VARIANT_ADD(meet, s ## _ ## c ## _ ## k ## _ ## t) {	\
		.server = AT_ ## s, .client = AT_ ## c,			\
		.kind = AT_ ## k, .type = SOCK_ ## t			\
	}
MEET(NATIVE, UNIX, NAME, STREAM);
MEET(UNIX, NATIVE, NAME, SEQPACKET);
MEET(UNIX, NATIVE, NAME, DGRAM);
MEET(NATIVE, UNIX, PATH, STREAM);
MEET(UNIX, NATIVE, PATH, SEQPACKET);
MEET(NATIVE, UNIX, PATH, DGRAM);

FIXTURE_SETUP(meet) {}
FIXTURE_TEARDOWN(meet) { at_cleanup(); }

TEST_F_TIMEOUT(meet, S_CONN_across, AT_TIMEOUT)
{
	struct at_addr a, b, got;
	int fd, cfd, err;
	char buf[4];

	fd = at_bound(&a, variant->server, variant->kind, variant->type);
	ASSERT_LE(0, fd);
	if (variant->type != SOCK_DGRAM)
		ASSERT_EQ(0, at_err(listen(fd, 1)));
	at_addr_in(&b, variant->client, &a);
	cfd = at_client(variant->client, variant->type, &b, &err);
	ASSERT_LE(0, cfd);
	ASSERT_EQ(0, err);
	EXPECT_EQ(0, at_getpeername(cfd, &got));
	EXPECT_TRUE(at_addr_eq(&b, &got));
	EXPECT_EQ(3, send(cfd, "abc", 3, 0));
	if (variant->type != SOCK_DGRAM) {
		fd = accept(fd, NULL, NULL);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, at_getsockname(fd, &got));
		EXPECT_TRUE(at_addr_eq(&a, &got));
	}
	EXPECT_EQ(3, recv(fd, buf, sizeof(buf), 0));
}

TEST_F_TIMEOUT(meet, E_ADDRINUSE_across, AT_TIMEOUT)
{
	struct at_addr a, b;
	int fd, other;

	fd = at_bound(&a, variant->server, variant->kind, variant->type);
	ASSERT_LE(0, fd);
	at_addr_in(&b, variant->client, &a);
	other = at_socket(variant->client, variant->type);
	EXPECT_EQ(EADDRINUSE, at_err(at_bind(other, &b)));
}

/* A sender is unnamed for a format that cannot express its address. */
TEST_F_TIMEOUT(meet, unwritable_peer_is_unnamed, AT_TIMEOUT)
{
	struct at_addr a, b, port, from;
	int fd, cfd;
	char c;

	if (variant->type != SOCK_DGRAM || variant->server != AT_UNIX)
		SKIP(return, "datagrams to the unix format only");
	fd = at_bound(&a, AT_UNIX, variant->kind, SOCK_DGRAM);
	cfd = at_bound(&port, AT_NATIVE, AT_PORT, SOCK_DGRAM);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, cfd);
	at_addr_in(&b, AT_NATIVE, &a);
	ASSERT_EQ(1, sendto(cfd, "x", 1, 0, &b.sa, b.len));
	from.len = sizeof(from.raw);
	from.sa.sa_family = 77;
	ASSERT_EQ(1, recvfrom(fd, &c, 1, 0, &from.sa, &from.len));
	EXPECT_TRUE(at_unnamed(&from) || from.len == 0);
}

/* Each socket type has ports and names of its own. */
FIXTURE(space) {};

FIXTURE_VARIANT(space) {
	enum at_kind kind;
};

FIXTURE_VARIANT_ADD(space, port) { .kind = AT_PORT };
FIXTURE_VARIANT_ADD(space, name) { .kind = AT_NAME };

FIXTURE_SETUP(space) {}
FIXTURE_TEARDOWN(space) {}

TEST_F_TIMEOUT(space, each_type_has_its_own_addresses, AT_TIMEOUT)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	struct at_addr a;
	int fd, i;

	at_addr(&a, AT_NATIVE, variant->kind);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		fd = at_socket(AT_NATIVE, types[i]);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, at_err(at_bind(fd, &a)));
		fd = at_socket(AT_NATIVE, types[i]);
		EXPECT_EQ(EADDRINUSE, at_err(at_bind(fd, &a)));
	}
}

TEST_F_TIMEOUT(space, other_type_is_refused_not_E_PROTOTYPE, AT_TIMEOUT)
{
	struct at_addr a;
	int fd, err;

	fd = at_listener(&a, AT_NATIVE, variant->kind, SOCK_STREAM, 1);
	ASSERT_LE(0, fd);
	close(at_client(AT_NATIVE, SOCK_SEQPACKET, &a, &err));
	EXPECT_EQ(ECONNREFUSED, err);
}

TEST_HARNESS_MAIN
