// SPDX-License-Identifier: GPL-2.0
/*
 * Paths: an inode is the address, not the string that leads to it.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

FIXTURE(path) {
	struct at_addr a;
	int fd;
	char other[108];
};

FIXTURE_VARIANT(path) {
	enum at_dress dress;
	int type;
};

FIXTURE_VARIANT_ADD(path, native_stream) { AT_NATIVE, SOCK_STREAM };
FIXTURE_VARIANT_ADD(path, unix_stream) { AT_UNIX, SOCK_STREAM };
FIXTURE_VARIANT_ADD(path, unix_seqpacket) { AT_UNIX, SOCK_SEQPACKET };
FIXTURE_VARIANT_ADD(path, unix_dgram) { AT_UNIX, SOCK_DGRAM };
FIXTURE_VARIANT_ADD(path, oracle_stream) { AT_ORACLE, SOCK_STREAM };

FIXTURE_SETUP(path)
{
	self->fd = at_bound(&self->a, variant->dress, AT_PATH, variant->type);
	ASSERT_LE(0, self->fd);
	if (variant->type != SOCK_DGRAM)
		ASSERT_EQ(0, listen(self->fd, 8));
	at_path(self->other, sizeof(self->other));
}

FIXTURE_TEARDOWN(path)
{
	at_cleanup();
}

static int connects_to(const FIXTURE_VARIANT(path) *variant, const char *path)
{
	struct at_addr a;
	int fd, err;

	at_addr_path(&a, variant->dress, path);
	fd = at_client(variant->dress, variant->type, &a, &err);
	if (!err)
		err = at_err(send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
	return err;
}

TEST_F_TIMEOUT(path, renamed, AT_TIMEOUT)
{
	ASSERT_EQ(0, rename(at_path_of(&self->a), self->other));
	EXPECT_EQ(ENOENT, connects_to(variant, at_path_of(&self->a)));
	EXPECT_EQ(0, connects_to(variant, self->other));
}

TEST_F_TIMEOUT(path, hard_link, AT_TIMEOUT)
{
	ASSERT_EQ(0, link(at_path_of(&self->a), self->other));
	EXPECT_EQ(0, connects_to(variant, self->other));
	unlink(at_path_of(&self->a));
	EXPECT_EQ(0, connects_to(variant, self->other));
}

TEST_F_TIMEOUT(path, symbolic_link_and_relative, AT_TIMEOUT)
{
	char *slash, dir[108];

	ASSERT_EQ(0, symlink(at_path_of(&self->a), self->other));
	EXPECT_EQ(0, connects_to(variant, self->other));
	snprintf(dir, sizeof(dir), "%s", at_path_of(&self->a));
	slash = strrchr(dir, '/');
	*slash = 0;
	ASSERT_EQ(0, chdir(dir));
	EXPECT_EQ(0, connects_to(variant, slash + 1));
}

TEST_F_TIMEOUT(path, E_NOENT_unlinked, AT_TIMEOUT)
{
	unlink(at_path_of(&self->a));
	EXPECT_EQ(ENOENT, connects_to(variant, at_path_of(&self->a)));
}

/* A new file at the same path is another address. */
TEST_F_TIMEOUT(path, replaced, AT_TIMEOUT)
{
	int fd;

	unlink(at_path_of(&self->a));
	fd = at_socket(variant->dress, variant->type);
	ASSERT_EQ(0, at_err(at_bind(fd, &self->a)));
	if (variant->type != SOCK_DGRAM) {
		EXPECT_EQ(ECONNREFUSED, connects_to(variant,
						    at_path_of(&self->a)));
		ASSERT_EQ(0, listen(fd, 1));
	}
	EXPECT_EQ(0, connects_to(variant, at_path_of(&self->a)));
	EXPECT_EQ(POLLIN, at_poll(fd, POLLIN));
	EXPECT_EQ(0, at_poll_now(self->fd, POLLIN));
}

TEST_F_TIMEOUT(path, unlinked_listener_keeps_its_clients, AT_TIMEOUT)
{
	struct at_addr own;
	int fd, err;

	fd = at_client(variant->dress, variant->type, &self->a, &err);
	ASSERT_EQ(0, err);
	unlink(at_path_of(&self->a));
	EXPECT_EQ(1, send(fd, "x", 1, 0));
	EXPECT_EQ(0, at_getsockname(self->fd, &own));
	EXPECT_TRUE(at_addr_eq(&self->a, &own));
	EXPECT_EQ(POLLIN, at_poll(self->fd, POLLIN));
}

/* A socket file cannot be opened; E-CONNREFUSED once its socket is gone. */
TEST_F_TIMEOUT(path, the_file_itself, AT_TIMEOUT)
{
	struct stat st;

	EXPECT_EQ(-1, open(at_path_of(&self->a), O_RDWR));
	EXPECT_EQ(ENXIO, errno);
	close(self->fd);
	ASSERT_EQ(0, stat(at_path_of(&self->a), &st));
	EXPECT_TRUE(S_ISSOCK(st.st_mode));
	EXPECT_EQ(ECONNREFUSED, connects_to(variant, at_path_of(&self->a)));
}

/* The file system of a bound socket stays; a directory may go. */
TEST_F_TIMEOUT(path, bound_below_a_removed_directory, AT_TIMEOUT)
{
	int fd = at_socket(variant->dress, variant->type), err;
	char path[120];
	struct at_addr a;

	ASSERT_EQ(0, mkdir(self->other, 0755));
	snprintf(path, sizeof(path), "%s/s", self->other);
	at_addr_path(&a, variant->dress, path);
	ASSERT_EQ(0, at_err(at_bind(fd, &a)));
	ASSERT_EQ(0, unlink(path));
	ASSERT_EQ(0, rmdir(self->other));
	close(at_client(variant->dress, variant->type, &a, &err));
	EXPECT_EQ(ENOENT, err);
}

/* AF_UNIX and this family do not answer for each other's files. */
TEST_F_TIMEOUT(path, not_for_AF_UNIX, AT_TIMEOUT)
{
	struct at_addr a;
	int err;

	if (variant->dress == AT_ORACLE)
		SKIP(return, "is AF_UNIX");
	at_addr_path(&a, AT_ORACLE, at_path_of(&self->a));
	close(at_client(AT_ORACLE, variant->type, &a, &err));
	EXPECT_EQ(ECONNREFUSED, err);
}

/* The same inode by another way: it is the same socket. */
TEST_F_TIMEOUT(path, through_a_bind_mount, AT_TIMEOUT)
{
	char dir[300], *name;
	pid_t pid = at_fork();

	if (pid) {
		EXPECT_EQ(0, at_reap(pid));
		/* Only the child's mount namespace has it. */
		EXPECT_EQ(0, connects_to(variant, at_path_of(&self->a)));
		return;
	}
	name = strrchr(at_path_of(&self->a), '/');
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		_exit(1);
	snprintf(dir, sizeof(dir), "%.*s",
		 (int)(name - at_path_of(&self->a)), at_path_of(&self->a));
	if (mkdir(self->other, 0755) ||
	    mount(dir, self->other, NULL, MS_BIND, NULL))
		_exit(2);
	snprintf(dir, sizeof(dir), "%s%s", self->other, name);
	_exit(connects_to(variant, dir));
}

TEST_F_TIMEOUT(path, from_inside_a_chroot, AT_TIMEOUT)
{
	char dir[300], *name;
	pid_t pid = at_fork();

	if (pid) {
		EXPECT_EQ(0, at_reap(pid));
		return;
	}
	name = strrchr(at_path_of(&self->a), '/');
	snprintf(dir, sizeof(dir), "%.*s",
		 (int)(name - at_path_of(&self->a)), at_path_of(&self->a));
	if (chroot(dir) || chdir("/"))
		_exit(1);
	_exit(connects_to(variant, name));
}

TEST_HARNESS_MAIN
