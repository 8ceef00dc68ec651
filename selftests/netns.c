// SPDX-License-Identifier: GPL-2.0
/*
 * Test network namespaces: a port or a name belongs to one namespace, and a
 * path to the whole machine.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

FIXTURE(netns) {
	struct at_addr a;
	int fd;		/* bound in the namespace that the process has left */
};

FIXTURE_VARIANT(netns) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

#define NETNS(d, k, t)							\
	FIXTURE_VARIANT_ADD(netns, d ## _ ## k ## _ ## t) {		\
		.format = AT_ ## d, .kind = AT_ ## k,			\
		.type = SOCK_ ## t					\
	}
NETNS(NATIVE, PORT, STREAM);
NETNS(NATIVE, NAME, SEQPACKET);
NETNS(NATIVE, PORT, DGRAM);
NETNS(NATIVE, PATH, STREAM);
NETNS(IN, INET, STREAM);
NETNS(IN6, INET, DGRAM);
NETNS(UNIX, NAME, STREAM);
NETNS(UNIX, PATH, SEQPACKET);
NETNS(UNIX, PATH, DGRAM);
NETNS(ORACLE, NAME, STREAM);
NETNS(ORACLE, PATH, STREAM);

FIXTURE_SETUP(netns)
{
	self->fd = at_bound(&self->a, variant->format, variant->kind,
			    variant->type);
	ASSERT_LE(0, self->fd);
	if (variant->type != SOCK_DGRAM)
		ASSERT_EQ(0, at_err(listen(self->fd, 4)));
	if (at_netns())
		SKIP(return, "no network namespaces in this kernel");
}

FIXTURE_TEARDOWN(netns)
{
	at_cleanup();
}

TEST_F_TIMEOUT(netns, only_paths_lead_to_other_namespaces, AT_TIMEOUT)
{
	bool path = variant->kind == AT_PATH;
	int fd, err, want = path ? 0 : ECONNREFUSED;
	char c;

	fd = at_client(variant->format, variant->type, &self->a, &err);
	ASSERT_LE(0, fd);
	if (variant->type == SOCK_DGRAM)
		err = at_err(sendto(fd, "x", 1, 0, &self->a.sa, self->a.len));
	/* In the inet formats the next call returns the error, as in UDP. */
	if (variant->format == AT_IN6 && !err)
		err = at_so_error(fd);
	EXPECT_EQ(want, err);
	if (!path)
		return;
	if (variant->type != SOCK_DGRAM) {
		ASSERT_EQ(1, send(fd, "x", 1, 0));
		self->fd = accept(self->fd, NULL, NULL);
		ASSERT_LE(0, self->fd);
	}
	EXPECT_EQ(1, recv(self->fd, &c, 1, 0));
}

TEST_F_TIMEOUT(netns, same_address_in_two_namespaces, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);

	EXPECT_EQ(variant->kind == AT_PATH ? EADDRINUSE : 0,
		  at_err(at_bind(fd, &self->a)));
}

/* A socket stays in the namespace in which it was made. */
TEST_F_TIMEOUT(netns, socket_keeps_its_namespace, AT_TIMEOUT)
{
	struct at_addr a;
	int old, fd, err;

	/*
	 * A socket that was made in the second namespace reaches a listener
	 * there, even when the process has moved on to a third namespace.
	 */
	old = at_socket(variant->format, variant->type);
	fd = at_bound(&a, variant->format, variant->kind, variant->type);
	ASSERT_LE(0, fd);
	if (variant->type != SOCK_DGRAM)
		ASSERT_EQ(0, at_err(listen(fd, 4)));
	ASSERT_EQ(0, at_netns());
	EXPECT_EQ(0, at_err(at_connect(old, &a)));
	if (variant->type == SOCK_DGRAM || variant->kind == AT_PATH)
		return;
	close(at_client(variant->format, variant->type, &a, &err));
	EXPECT_EQ(ECONNREFUSED, err);
}

/* Return the inode of the network namespace @fd, or 0, and close @fd. */
static ino_t inode_of(int fd)
{
	struct stat st;
	ino_t inode = fstat(fd, &st) ? 0 : st.st_ino;

	close(fd);
	return inode;
}

/*
 * A connection works when its client has exited, its listener has closed, and
 * no process is left in the namespaces of its ends. Over a path these are two
 * namespaces. The accepted socket belongs to the namespace of its listener.
 */
TEST_F_TIMEOUT(netns, connection_outlives_the_processes_of_its_namespaces,
	       AT_TIMEOUT)
{
	struct at_addr a;
	int fd, sfd, err;
	ino_t own;
	pid_t pid;
	char c = 0;

	if (variant->type == SOCK_DGRAM)
		SKIP(return, "connections only");
	fd = at_listener(&a, variant->format, variant->kind, variant->type, 4);
	ASSERT_LE(0, fd);
	own = inode_of(at_netns_fd());
	ASSERT_NE(0, own);
	pid = at_fork();
	if (!pid) {
		int cfd;

		if (variant->kind == AT_PATH && at_netns())
			_exit(200);
		cfd = at_client(variant->format, variant->type, &a, &err);
		if (!err)
			err = at_send_all(cfd, "y", 1);
		_exit(err);
	}
	EXPECT_EQ(0, at_reap(pid));
	ASSERT_EQ(0, at_netns());
	sfd = accept(fd, NULL, NULL);
	ASSERT_LE(0, sfd);
	close(fd);
	/* AF_UNIX makes this socket in the namespace of the client. */
	if (variant->format != AT_ORACLE)
		EXPECT_EQ(own, inode_of(ioctl(sfd, SIOCGSKNS)));
	EXPECT_EQ(1, recv(sfd, &c, 1, 0));
	EXPECT_EQ('y', c);
	EXPECT_EQ(0, recv(sfd, &c, 1, 0));
	close(sfd);
}

/* Threads connect to the path @a again and again until @stop is set. */
struct ending {
	struct at_addr a;
	atomic_bool stop;
	atomic_uint connected;
};

static void *ending_connect(void *arg)
{
	struct ending *e = arg;
	int fd, err;

	while (!atomic_load(&e->stop)) {
		fd = at_client(AT_UNIX, SOCK_STREAM | SOCK_NONBLOCK, &e->a,
			       &err);
		atomic_fetch_add(&e->connected, !err);
		close(fd);
	}
	return NULL;
}

/*
 * Listen at the path in a child with its own network namespace, which accepts
 * one connection and exits. Return 0 if a client has connected, else non-zero.
 */
static int ending_listen(struct ending *e)
{
	unsigned int before = atomic_load(&e->connected);
	const char *path = at_path_of(&e->a);
	pid_t pid;
	int fd;

	unlink(path);
	pid = at_fork();
	if (!pid) {
		fd = at_netns() ? -1 : at_socket(AT_UNIX, SOCK_STREAM);
		_exit(at_bind(fd, &e->a) || listen(fd, 4) ||
		      accept(fd, NULL, NULL) < 0);
	}
	return at_reap(pid) || !at_until(atomic_load(&e->connected) != before);
}

/*
 * Attempts can reach listeners in namespaces that end meanwhile. The module
 * warns if it charges an attempt to a namespace that has ended.
 */
TEST(attempts_while_namespaces_end)
{
	struct ending e = {};
	pthread_t threads[2];
	int fd, i;

	fd = at_bound(&e.a, AT_UNIX, AT_PATH, SOCK_STREAM);
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, ending_connect,
					    &e));
	for (i = 0; i < at_scale(60, 20); i++)
		ASSERT_EQ(0, ending_listen(&e));
	atomic_store(&e.stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	close(fd);
	at_cleanup();
}

/*
 * A connection over a path goes from one namespace to another. Dumps in both
 * namespaces list it, and a dump in a third namespace does not.
 */
TEST_F_TIMEOUT(netns, both_namespaces_dump_the_association, AT_TIMEOUT)
{
	struct at_addr a;
	int lfd, fd, there, err;

	if (variant->kind != AT_PATH || variant->type == SOCK_DGRAM ||
	    variant->format == AT_ORACLE)
		SKIP(return, "connections over paths only");
	lfd = at_listener(&a, variant->format, AT_PATH, variant->type, 4);
	ASSERT_LE(0, lfd);
	there = at_netns_fd();
	ASSERT_LE(0, there);
	ASSERT_EQ(0, at_netns());
	fd = at_client(variant->format, variant->type, &a, &err);
	ASSERT_EQ(0, err);
	EXPECT_EQ(1, at_dump(ALTCONN_CMD_ASSOC_GET));
	ASSERT_EQ(0, at_netns_enter(there));
	EXPECT_EQ(1, at_dump(ALTCONN_CMD_ASSOC_GET));
	ASSERT_EQ(0, at_netns());
	EXPECT_EQ(0, at_dump(ALTCONN_CMD_ASSOC_GET));
	close(there);
	close(fd);
	close(lfd);
}

FIXTURE(sysctls) {};
FIXTURE_SETUP(sysctls)
{
	if (at_netns())
		SKIP(return, "no network namespaces in this kernel");
}

FIXTURE_TEARDOWN(sysctls) {}

TEST_F_TIMEOUT(sysctls, defaults, AT_TIMEOUT)
{
	static const struct {
		const char *name;
		long value;
	} rows[] = {
		{ .name = "altconn/connect_timeout_ms", .value = 30000 },
		{ .name = "altconn/ephemeral_port_min", .value = 65536 },
		{ .name = "altconn/ephemeral_port_max", .value = INT_MAX },
		{ .name = "altconn/max_waiting", .value = 65536 },
		{ .name = "altconn/max_associations", .value = 1 << 20 },
		{ .name = "altconn/busy_poll_us", .value = 100 },
		{ .name = "altconn/dgram_block_ms", .value = 0 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(rows[i].value, at_sysctl(rows[i].name)) {
			TH_LOG("%s", rows[i].name);
		}
	}
}

TEST_F_TIMEOUT(sysctls, values_of_each_namespace, AT_TIMEOUT)
{
	pid_t pid;

	ASSERT_EQ(0, at_sysctl_set("altconn/max_waiting", 11));
	pid = at_fork();
	if (!pid) {
		if (at_netns())
			_exit(1);
		_exit(at_sysctl("altconn/max_waiting") == 11);
	}
	EXPECT_EQ(0, at_reap(pid));
	EXPECT_EQ(11, at_sysctl("altconn/max_waiting"));
}

TEST_F_TIMEOUT(sysctls, bad_values_EINVAL, AT_TIMEOUT)
{
	static const struct {
		const char *name;
		long value;
	} rows[] = {
		{ .name = "altconn/connect_timeout_ms", .value = -1 },
		{ .name = "altconn/max_waiting", .value = -1 },
		{ .name = "altconn/ephemeral_port_min", .value = 0 },
		{ .name = "altconn/busy_poll_us", .value = 1001 },
	};
	long before;
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		before = at_sysctl(rows[i].name);
		EXPECT_EQ(-1, at_sysctl_set(rows[i].name, rows[i].value)) {
			TH_LOG("%s = %ld", rows[i].name, rows[i].value);
		}
		EXPECT_EQ(before, at_sysctl(rows[i].name));
	}
}

TEST_HARNESS_MAIN
