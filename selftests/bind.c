// SPDX-License-Identifier: GPL-2.0
/*
 * These tests show which addresses bind() accepts, which address a socket gets
 * if it asks for none, and how listen() reads its backlog.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <sched.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

FIXTURE(bind) {
	struct at_addr a;
	int fd;
};

FIXTURE_VARIANT(bind) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

#define BIND(d, k, t)							\
	FIXTURE_VARIANT_ADD(bind, d ## _ ## k ## _ ## t) {		\
		.format = AT_ ## d, .kind = AT_ ## k,			\
		.type = SOCK_ ## t					\
	}
BIND(NATIVE, PORT, STREAM);
BIND(NATIVE, PORT, DGRAM);
BIND(NATIVE, NAME, SEQPACKET);
BIND(NATIVE, PATH, STREAM);
BIND(UNIX, NAME, STREAM);
BIND(UNIX, NAME, DGRAM);
BIND(UNIX, PATH, SEQPACKET);
BIND(UNIX, PATH, DGRAM);
BIND(ORACLE, NAME, STREAM);
BIND(ORACLE, PATH, DGRAM);

FIXTURE_SETUP(bind)
{
	self->fd = at_bound(&self->a, variant->format, variant->kind,
			    variant->type);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(bind)
{
	at_cleanup();
}

TEST_F_TIMEOUT(bind, E_ADDRINUSE_until_close, AT_TIMEOUT)
{
	int other = at_socket(variant->format, variant->type);

	EXPECT_EQ(EADDRINUSE, at_err(at_bind(other, &self->a)));
	close(self->fd);
	if (variant->kind == AT_PATH) {
		EXPECT_EQ(EADDRINUSE, at_err(at_bind(other, &self->a)));
		unlink(at_path_of(&self->a));
	}
	EXPECT_EQ(0, at_err(at_bind(other, &self->a)));
}

TEST_F_TIMEOUT(bind, twice_EINVAL, AT_TIMEOUT)
{
	struct at_addr b, got;

	at_addr(&b, variant->format, variant->kind);
	EXPECT_EQ(EINVAL, at_err(at_bind(self->fd, &b)));
	EXPECT_EQ(0, at_getsockname(self->fd, &got));
	EXPECT_TRUE(at_addr_eq(&self->a, &got));
}

TEST_F_TIMEOUT(bind, dup_keeps_the_address, AT_TIMEOUT)
{
	int other = at_socket(variant->format, variant->type);
	int copy = dup(self->fd);

	ASSERT_LE(0, copy);
	close(self->fd);
	EXPECT_EQ(EADDRINUSE, at_err(at_bind(other, &self->a)));
	close(copy);
	unlink(at_path_of(&self->a));
	EXPECT_EQ(0, at_err(at_bind(other, &self->a)));
}

/* These tests bind to ports of the native format. */
FIXTURE(port) {};

FIXTURE_VARIANT(port) {
	int type;
};

FIXTURE_VARIANT_ADD(port, stream) { .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(port, seqpacket) { .type = SOCK_SEQPACKET };
FIXTURE_VARIANT_ADD(port, dgram) { .type = SOCK_DGRAM };

FIXTURE_SETUP(port)
{
	if (at_netns())
		SKIP(return, "no network namespaces in this kernel");
}

FIXTURE_TEARDOWN(port) {}

static int bind_port(int type, uint32_t port, struct at_addr *got)
{
	struct at_addr a;
	int fd = at_socket(AT_NATIVE, type);

	at_addr_port(&a, port);
	if (at_bind(fd, &a)) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	at_getsockname(fd, got);
	return fd;
}

TEST_F_TIMEOUT(port, ephemeral_in_range, AT_TIMEOUT)
{
	long min = at_sysctl("altconn/ephemeral_port_min");
	long max = at_sysctl("altconn/ephemeral_port_max");
	struct at_addr got, again;

	EXPECT_EQ(65536, min);
	EXPECT_EQ(INT_MAX, max);
	ASSERT_LE(0, bind_port(variant->type, 0, &got));
	EXPECT_EQ(ALTCONN_KIND_PORT, got.nat.sac_kind);
	EXPECT_LE(min, got.nat.sac_port);
	EXPECT_GE(max, got.nat.sac_port);
	ASSERT_LE(0, bind_port(variant->type, 0, &again));
	EXPECT_NE(got.nat.sac_port, again.nat.sac_port);
}

TEST_F_TIMEOUT(port, E_AGAIN_PORT_range_used_up, AT_TIMEOUT)
{
	struct at_addr got, a, freed;
	int fds[8], i, fd, err;

	ASSERT_EQ(0, at_sysctl_set("altconn/ephemeral_port_min", 50000));
	ASSERT_EQ(0, at_sysctl_set("altconn/ephemeral_port_max", 50007));
	fd = bind_port(variant->type, 2000, &a);
	ASSERT_LE(0, fd);
	if (variant->type != SOCK_DGRAM)
		ASSERT_EQ(0, at_err(listen(fd, 1)));
	for (i = 0; i < 8; i++) {
		fds[i] = bind_port(variant->type, 0, &got);
		ASSERT_LE(0, fds[i]);
		EXPECT_LE(50000, got.nat.sac_port);
		EXPECT_GE(50007, got.nat.sac_port);
	}
	EXPECT_EQ(-1, bind_port(variant->type, 0, &got));
	EXPECT_EQ(EADDRINUSE, errno);
	fd = at_client(AT_NATIVE, variant->type, &a, &err);
	EXPECT_EQ(EAGAIN, err);
	EXPECT_EQ(0, at_getsockname(fds[3], &freed));
	close(fds[3]);
	EXPECT_EQ(0, at_err(at_connect(fd, &a)));
	EXPECT_EQ(0, at_getsockname(fd, &got));
	EXPECT_TRUE(at_addr_eq(&freed, &got));
}

#define FULL_MIN	40000
#define FULL_PORTS	200

static void set_full_range(struct __test_metadata *_metadata)
{
	ASSERT_EQ(0, at_sysctl_set("altconn/ephemeral_port_min", FULL_MIN));
	ASSERT_EQ(0, at_sysctl_set("altconn/ephemeral_port_max",
				   FULL_MIN + FULL_PORTS - 1));
}

/* bind() to port 0 finds each free port, however full the range is. */
TEST_F_TIMEOUT(port, full_range_gives_a_freed_port, AT_TIMEOUT)
{
	int fds[FULL_PORTS], other[FULL_PORTS], i, round;
	struct at_addr got, taken;
	uint64_t seed = 1;

	set_full_range(_metadata);
	/* bind() to port 0 must not choose a port bound by its number. */
	fds[0] = bind_port(variant->type, FULL_MIN + 77, &got);
	ASSERT_LE(0, fds[0]);
	for (i = 1; i < FULL_PORTS; i++)
		ASSERT_LE(0, fds[i] = bind_port(variant->type, 0, &got));
	for (round = 0; round < 300; round++) {
		i = at_random(&seed) % FULL_PORTS;
		ASSERT_EQ(-1, bind_port(variant->type, 0, &got));
		ASSERT_EQ(EADDRINUSE, errno);
		ASSERT_EQ(0, at_getsockname(fds[i], &taken));
		close(fds[i]);
		/*
		 * Every third port is bound by its number. The next search must
		 * not take it for free.
		 */
		fds[i] = bind_port(variant->type,
				   round % 3 ? 0 : taken.nat.sac_port, &got);
		ASSERT_LE(0, fds[i]);
		ASSERT_TRUE(at_addr_eq(&taken, &got));
	}
	/* Each socket type has ports of its own. */
	for (i = 0; i < FULL_PORTS; i++)
		ASSERT_LE(0, other[i] = bind_port(variant->type == SOCK_DGRAM ?
						  SOCK_STREAM : SOCK_DGRAM, 0,
						  &got));
	at_close(fds, FULL_PORTS);
	for (i = 0; i < FULL_PORTS; i++)
		ASSERT_LE(0, fds[i] = bind_port(variant->type, 0, &got));
	at_close(other, FULL_PORTS);
}

struct taker {
	pthread_t thread;
	int type;
	atomic_int *failed;
	int rounds;
};

/* Hold three ports at a time, and replace the oldest of them in each round. */
static void *hold_ports(void *arg)
{
	struct taker *t = arg;
	int fds[3] = { -1, -1, -1 }, i;
	struct at_addr got;

	for (i = 0; i < t->rounds; i++) {
		close(fds[i % 3]);
		fds[i % 3] = bind_port(t->type, 0, &got);
		if (fds[i % 3] < 0)
			atomic_fetch_add(t->failed, 1);
	}
	for (i = 0; i < 3; i++)
		close(fds[i]);
	return NULL;
}

/*
 * Exactly as many ports are free as all threads together hold, so each bind()
 * finds one.
 */
TEST_F_TIMEOUT(port, full_range_raced, AT_TIMEOUT)
{
	int fds[FULL_PORTS], i, left = 3 * 4;
	struct taker takers[4] = {};
	atomic_int failed = 0;
	struct at_addr got;

	set_full_range(_metadata);
	for (i = 0; i < FULL_PORTS - left; i++)
		ASSERT_LE(0, fds[i] = bind_port(variant->type, 0, &got));
	for (i = 0; i < 4; i++) {
		takers[i].type = variant->type;
		takers[i].failed = &failed;
		takers[i].rounds = at_scale(2000, 300);
		ASSERT_EQ(0, pthread_create(&takers[i].thread, NULL, hold_ports,
					    &takers[i]));
	}
	for (i = 0; i < 4; i++)
		pthread_join(takers[i].thread, NULL);
	EXPECT_EQ(0, failed);
	for (; i < 4 + left; i++)
		ASSERT_LE(0, bind_port(variant->type, 0, &got));
	EXPECT_EQ(-1, bind_port(variant->type, 0, &got));
	at_close(fds, FULL_PORTS - left);
}

TEST_F_TIMEOUT(port, below_1024_EACCES, AT_TIMEOUT)
{
	static const struct {
		uint32_t port;
		int err;
	} rows[] = {
		{ .port = 1, .err = EACCES },
		{ .port = 1023, .err = EACCES },
		{ .port = 1024, .err = 0 },
		{ .port = 65536, .err = 0 },
		{ .port = 0xffffffffU, .err = 0 },
	};
	struct at_addr got;
	int i, fd;
	pid_t pid;

	fd = bind_port(variant->type, 1023, &got);
	EXPECT_LE(0, fd);
	close(fd);
	pid = at_fork();
	if (!pid) {
		if (at_drop_privileges())
			_exit(100);
		for (i = 0; i < ARRAY_SIZE(rows); i++) {
			fd = bind_port(variant->type, rows[i].port, &got);
			if (at_err(fd) != rows[i].err)
				_exit(i + 1);
		}
		_exit(0);
	}
	EXPECT_EQ(0, at_reap(pid));
}

TEST_F_TIMEOUT(port, E_ADDRNOTAVAIL_other_node, AT_TIMEOUT)
{
	struct at_addr a;
	int fd = at_socket(AT_NATIVE, variant->type);

	at_addr(&a, AT_NATIVE, AT_PORT);
	a.nat.sac_node = 1;
	EXPECT_EQ(EADDRNOTAVAIL, at_err(at_bind(fd, &a)));
	a.nat.sac_node = ALTCONN_NODE_BROADCAST;
	EXPECT_EQ(EADDRNOTAVAIL, at_err(at_bind(fd, &a)));
	at_addr(&a, AT_NATIVE, AT_NAME);
	a.nat.sac_node = 1;
	EXPECT_EQ(EADDRNOTAVAIL, at_err(at_bind(fd, &a)));
	at_addr(&a, AT_NATIVE, AT_PORT);
	EXPECT_EQ(0, at_err(at_bind(fd, &a)));
}

/* bind() to a path makes a socket file. */
FIXTURE(file) {
	char dir[80];
};

FIXTURE_VARIANT(file) {
	enum at_format format;
	int type;
};

FIXTURE_VARIANT_ADD(file, native_stream) {
	.format = AT_NATIVE, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(file, unix_seqpacket) {
	.format = AT_UNIX, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(file, unix_dgram) {
	.format = AT_UNIX, .type = SOCK_DGRAM,
};
FIXTURE_VARIANT_ADD(file, oracle_stream) {
	.format = AT_ORACLE, .type = SOCK_STREAM,
};

FIXTURE_SETUP(file)
{
	at_path(self->dir, sizeof(self->dir));
	ASSERT_EQ(0, mkdir(self->dir, 0755));
}

FIXTURE_TEARDOWN(file)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", self->dir);
	EXPECT_EQ(0, system(command));
}

static int bind_in(const char *dir, const char *name, enum at_format format,
		   int type)
{
	int fd = at_socket(format, type), err;
	struct at_addr a;
	char path[108];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	at_addr_path(&a, format, path);
	err = at_err(at_bind(fd, &a));
	close(fd);
	return err;
}

static void make_files(const char *dir)
{
	char a[128], b[300];

	snprintf(a, sizeof(a), "%s/regular", dir);
	close(open(a, O_CREAT | O_WRONLY, 0644));
	snprintf(a, sizeof(a), "%s/loop", dir);
	(void)!symlink("loop", a);
	snprintf(a, sizeof(a), "%s/dangling", dir);
	(void)!symlink("nowhere", a);
	snprintf(a, sizeof(a), "%s/longlink", dir);
	memset(b, 'l', sizeof(b));
	b[299] = 0;
	(void)!symlink(b, a);
	snprintf(a, sizeof(a), "%s/sub", dir);
	mkdir(a, 0755);
}

TEST_F_TIMEOUT(file, errno_of_the_path, AT_TIMEOUT)
{
	static const struct {
		const char *what, *name;
		int err;
	} rows[] = {
		{ .what = "E-ADDRINUSE regular file", .name = "regular",
		  .err = EADDRINUSE },
		{ .what = "E-ADDRINUSE directory", .name = "sub",
		  .err = EADDRINUSE },
		{ .what = "E-ADDRINUSE symbolic link", .name = "dangling",
		  .err = EADDRINUSE },
		{ .what = "E-NOENT directory missing", .name = "none/x",
		  .err = ENOENT },
		{ .what = "E-NOTDIR prefix is a file", .name = "regular/x",
		  .err = ENOTDIR },
		{ .what = "E-LOOP prefix", .name = "loop/x", .err = ELOOP },
		{ .what = "E-NAMETOOLONG through a link", .name = "longlink/x",
		  .err = ENAMETOOLONG },
		{ .what = "a new name", .name = "new", .err = 0 },
		{ .what = "E-ADDRINUSE the stale file", .name = "new",
		  .err = EADDRINUSE },
	};
	int i;

	make_files(self->dir);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(rows[i].err, bind_in(self->dir, rows[i].name,
					       variant->format,
					       variant->type)) {
			TH_LOG("%s", rows[i].what);
		}
	}
}

TEST_F_TIMEOUT(file, E_ACCES_PATH_directory, AT_TIMEOUT)
{
	pid_t pid = at_fork();

	if (!pid) {
		if (at_drop_privileges())
			_exit(100);
		_exit(bind_in(self->dir, "x", variant->format, variant->type));
	}
	EXPECT_EQ(EACCES, at_reap(pid));
}

TEST_F_TIMEOUT(file, umask_and_mode, AT_TIMEOUT)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };
	char name[8], path[108];
	struct stat st;
	int i;

	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		snprintf(name, sizeof(name), "m%d", i);
		umask(masks[i]);
		EXPECT_EQ(0, bind_in(self->dir, name, variant->format,
				     variant->type));
		umask(022);
		snprintf(path, sizeof(path), "%s/%s", self->dir, name);
		ASSERT_EQ(0, stat(path, &st));
		EXPECT_TRUE(S_ISSOCK(st.st_mode));
		EXPECT_EQ(0777 & ~masks[i], st.st_mode & 0777);
	}
}

/* After a failed bind() the socket can be bound to another address. */
TEST_F_TIMEOUT(file, fails_then_binds, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);
	struct at_addr a;
	char path[108];

	snprintf(path, sizeof(path), "%s/none/x", self->dir);
	at_addr_path(&a, variant->format, path);
	EXPECT_EQ(ENOENT, at_err(at_bind(fd, &a)));
	snprintf(path, sizeof(path), "%s/y", self->dir);
	at_addr_path(&a, variant->format, path);
	EXPECT_EQ(0, at_err(at_bind(fd, &a)));
}

TEST_F_TIMEOUT(file, second_bind_makes_no_file, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);
	struct at_addr a;
	char path[108];

	snprintf(path, sizeof(path), "%s/one", self->dir);
	at_addr_path(&a, variant->format, path);
	EXPECT_EQ(0, at_err(at_bind(fd, &a)));
	snprintf(path, sizeof(path), "%s/two", self->dir);
	at_addr_path(&a, variant->format, path);
	EXPECT_EQ(EINVAL, at_err(at_bind(fd, &a)));
	EXPECT_EQ(-1, access(path, F_OK));
}

/*
 * These tests show which sockets may listen, and how listen() reads its
 * backlog.
 */
FIXTURE(listen) {};

FIXTURE_VARIANT(listen) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(listen, native_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(listen, native_seqpacket) {
	.format = AT_NATIVE, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(listen, unix_stream) {
	.format = AT_UNIX, .kind = AT_PATH, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(listen, unix_seqpacket) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(listen, oracle_stream) {
	.format = AT_ORACLE, .kind = AT_NAME, .type = SOCK_STREAM,
};

FIXTURE_SETUP(listen) {}
FIXTURE_TEARDOWN(listen) { at_cleanup(); }

static int full_errno(enum at_format format)
{
	return format == AT_ORACLE ? EAGAIN : EINPROGRESS;
}

/*
 * Connect non-blocking clients, at most @most, until a client is not
 * established at once. Return how many are established, or -1. Set @err to the
 * errno of the last connect().
 */
static int count_established(enum at_format format, int type,
			     const struct at_addr *a, int most, int *err)
{
	int n;

	for (n = 0; n < most; n++) {
		if (at_client(format, type | SOCK_NONBLOCK, a, err) < 0)
			return -1;
		if (*err)
			return n;
	}
	return n;
}

TEST_F_TIMEOUT(listen, S_CONN_backlog_n_holds_n_and_one, AT_TIMEOUT)
{
	static const int backlogs[] = { 0, 1, 4, 17 };
	struct at_addr a;
	int i, err;

	for (i = 0; i < ARRAY_SIZE(backlogs); i++) {
		ASSERT_LE(0, at_listener(&a, variant->format, variant->kind,
					 variant->type, backlogs[i]));
		EXPECT_EQ(backlogs[i] + 1,
			  count_established(variant->format, variant->type,
					    &a, 32, &err));
		EXPECT_EQ(full_errno(variant->format), err);
	}
}

TEST_F_TIMEOUT(listen, huge_backlog_is_clamped, AT_TIMEOUT)
{
	static const int backlogs[] = { -1, 0x7fffffff, -0x7fffffff - 1, 9 };
	struct at_addr a;
	int i, err;

	if (at_netns())
		SKIP(return, "no network namespaces in this kernel");
	ASSERT_EQ(0, at_sysctl_set("core/somaxconn", 8));
	for (i = 0; i < ARRAY_SIZE(backlogs); i++) {
		ASSERT_LE(0, at_listener(&a, variant->format, variant->kind,
					 variant->type, backlogs[i]));
		EXPECT_EQ(9,
			  count_established(variant->format, variant->type, &a,
					    32, &err));
		EXPECT_EQ(full_errno(variant->format), err);
	}
}

TEST_F_TIMEOUT(listen, SO_ACCEPTCONN_after_listen, AT_TIMEOUT)
{
	socklen_t len = sizeof(int);
	struct at_addr a;
	int fd, value = -1;

	fd = at_bound(&a, variant->format, variant->kind, variant->type);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
	EXPECT_EQ(0, value);
	ASSERT_EQ(0, listen(fd, 1));
	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
	EXPECT_EQ(1, value);
}

TEST_F_TIMEOUT(listen, connected_EINVAL, AT_TIMEOUT)
{
	int sv[2];

	ASSERT_EQ(0, at_pair(variant->format, variant->kind, variant->type,
			     sv));
	EXPECT_EQ(EINVAL, at_err(listen(sv[0], 1)));
	EXPECT_EQ(EINVAL, at_err(listen(sv[1], 1)));
}

/*
 * listen() of an unbound socket fails in the sockaddr_un format, as with
 * AF_UNIX. In the native format the call binds the socket to an ephemeral port,
 * as with TCP.
 */
TEST_F_TIMEOUT(listen, unbound, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type), err;
	struct at_addr got;

	if (variant->format != AT_NATIVE) {
		EXPECT_EQ(EINVAL, at_err(listen(fd, 1)));
		return;
	}
	ASSERT_EQ(0, at_err(listen(fd, 1)));
	ASSERT_EQ(0, at_getsockname(fd, &got));
	EXPECT_EQ(ALTCONN_KIND_PORT, got.nat.sac_kind);
	EXPECT_LE(65536, got.nat.sac_port);
	at_client(AT_NATIVE, variant->type, &got, &err);
	EXPECT_EQ(0, err);
}

TEST_F_TIMEOUT(listen, again_raises_the_backlog, AT_TIMEOUT)
{
	struct at_addr a;
	int fd, err;

	fd = at_listener(&a, variant->format, variant->kind, variant->type, 1);
	ASSERT_LE(0, fd);
	EXPECT_EQ(2,
		  count_established(variant->format, variant->type, &a, 32,
				    &err));
	ASSERT_EQ(0, at_err(listen(fd, 6)));
	/*
	 * The attempt that waits since the first round gets one of the five new
	 * slots of the accept queue. AF_UNIX keeps no such attempt.
	 */
	EXPECT_EQ(variant->format == AT_ORACLE ? 5 : 4,
		  count_established(variant->format, variant->type, &a, 32,
				    &err));
	EXPECT_EQ(full_errno(variant->format), err);
}

FIXTURE(listen_dgram) {};

FIXTURE_VARIANT(listen_dgram) {
	enum at_format format;
};

FIXTURE_VARIANT_ADD(listen_dgram, native) { .format = AT_NATIVE };
FIXTURE_VARIANT_ADD(listen_dgram, unix) { .format = AT_UNIX };
FIXTURE_VARIANT_ADD(listen_dgram, oracle) { .format = AT_ORACLE };

FIXTURE_SETUP(listen_dgram) {}
FIXTURE_TEARDOWN(listen_dgram) {}

TEST_F_TIMEOUT(listen_dgram, listen_EOPNOTSUPP, AT_TIMEOUT)
{
	struct at_addr a;
	int fd = at_bound(&a, variant->format, AT_NAME, SOCK_DGRAM);

	ASSERT_LE(0, fd);
	EXPECT_EQ(EOPNOTSUPP, at_err(listen(fd, 1)));
	EXPECT_EQ(EOPNOTSUPP, at_err(accept(fd, NULL, NULL)));
}

TEST_HARNESS_MAIN
