// SPDX-License-Identifier: GPL-2.0
/* Test paths: the address is an inode, not the string that leads to it. */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

FIXTURE(path) {
	struct at_addr a;
	int fd;
	char other[108];
};

FIXTURE_VARIANT(path) {
	enum at_format format;
	int type;
};

FIXTURE_VARIANT_ADD(path, native_stream) {
	.format = AT_NATIVE, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(path, unix_stream) {
	.format = AT_UNIX, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(path, unix_seqpacket) {
	.format = AT_UNIX, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(path, unix_dgram) {
	.format = AT_UNIX, .type = SOCK_DGRAM,
};
FIXTURE_VARIANT_ADD(path, oracle_stream) {
	.format = AT_ORACLE, .type = SOCK_STREAM,
};

FIXTURE_SETUP(path)
{
	self->fd = at_bound(&self->a, variant->format, AT_PATH, variant->type);
	ASSERT_LE(0, self->fd);
	if (variant->type != SOCK_DGRAM)
		ASSERT_EQ(0, listen(self->fd, 8));
	at_path(self->other, sizeof(self->other));
}

FIXTURE_TEARDOWN(path)
{
	at_cleanup();
}

/* Connect to a path and send a byte. Return 0 or an errno. */
static int talks_to(enum at_format format, int type, const char *path)
{
	struct at_addr a;
	int fd, err;

	at_addr_path(&a, format, path);
	fd = at_client(format, type, &a, &err);
	if (!err)
		err = at_err(send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
	return err;
}

static int connects_to(const FIXTURE_VARIANT(path) *variant, const char *path)
{
	return talks_to(variant->format, variant->type, path);
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
	fd = at_socket(variant->format, variant->type);
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

	fd = at_client(variant->format, variant->type, &self->a, &err);
	ASSERT_EQ(0, err);
	unlink(at_path_of(&self->a));
	EXPECT_EQ(1, send(fd, "x", 1, 0));
	EXPECT_EQ(0, at_getsockname(self->fd, &own));
	EXPECT_TRUE(at_addr_eq(&self->a, &own));
	EXPECT_EQ(POLLIN, at_poll(self->fd, POLLIN));
}

/*
 * A socket file cannot be opened. After its socket has closed, connect() to the
 * file is refused (E-CONNREFUSED).
 */
TEST_F_TIMEOUT(path, socket_file_without_a_socket, AT_TIMEOUT)
{
	struct stat st;

	EXPECT_EQ(-1, open(at_path_of(&self->a), O_RDWR));
	EXPECT_EQ(ENXIO, errno);
	close(self->fd);
	ASSERT_EQ(0, stat(at_path_of(&self->a), &st));
	EXPECT_TRUE(S_ISSOCK(st.st_mode));
	EXPECT_EQ(ECONNREFUSED, connects_to(variant, at_path_of(&self->a)));
}

/*
 * Bind a socket in a new file system. Return 0 if the file system cannot be
 * unmounted until the socket closes, although the socket's file is unlinked.
 */
static int keep_mounted(const FIXTURE_VARIANT(path) *variant, const char *dir)
{
	int fd = at_socket(variant->format, variant->type);
	struct at_addr a;
	char path[120];

	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mkdir(dir, 0755) || mount("none", dir, "tmpfs", 0, NULL))
		return 1;
	snprintf(path, sizeof(path), "%s/s", dir);
	at_addr_path(&a, variant->format, path);
	if (at_bind(fd, &a) || unlink(path))
		return 2;
	if (!umount(dir) || errno != EBUSY)
		return 3;
	close(fd);
	return at_until(!umount(dir)) && !rmdir(dir) ? 0 : 4;
}

TEST_F_TIMEOUT(path, bound_socket_keeps_its_file_system_mounted, AT_TIMEOUT)
{
	pid_t pid = at_fork();

	if (!pid)
		_exit(keep_mounted(variant, self->other));
	EXPECT_EQ(0, at_reap(pid));
}

/* The directory of a bound socket's file can be removed. */
TEST_F_TIMEOUT(path, bound_below_a_removed_directory, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type), err;
	char path[120];
	struct at_addr a;

	ASSERT_EQ(0, mkdir(self->other, 0755));
	snprintf(path, sizeof(path), "%s/s", self->other);
	at_addr_path(&a, variant->format, path);
	ASSERT_EQ(0, at_err(at_bind(fd, &a)));
	ASSERT_EQ(0, unlink(path));
	ASSERT_EQ(0, rmdir(self->other));
	close(at_client(variant->format, variant->type, &a, &err));
	EXPECT_EQ(ENOENT, err);
}

/* An AF_UNIX socket cannot connect to a socket file of this family. */
TEST_F_TIMEOUT(path, AF_UNIX_is_refused, AT_TIMEOUT)
{
	struct at_addr a;
	int err;

	if (variant->format == AT_ORACLE)
		SKIP(return, "altconn only");
	at_addr_path(&a, AT_ORACLE, at_path_of(&self->a));
	close(at_client(AT_ORACLE, variant->type, &a, &err));
	EXPECT_EQ(ECONNREFUSED, err);
}

/* A path through a bind mount leads to the same inode and the same socket. */
TEST_F_TIMEOUT(path, through_a_bind_mount, AT_TIMEOUT)
{
	char dir[300], *name;
	pid_t pid = at_fork();

	if (pid) {
		EXPECT_EQ(0, at_reap(pid));
		/* The mount is in the child's mount namespace only. */
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

#define COUNT_FILES	"show -aej | grep -o '\"file\"' | wc -l"

/*
 * Administrators see the whole path of every socket, and other users only the
 * paths of their own sockets.
 */
TEST_F_TIMEOUT(path, whole_path_for_owner_and_administrators, AT_TIMEOUT)
{
	struct at_addr own;
	pid_t pid;
	int fd;

	if (variant->format == AT_ORACLE)
		SKIP(return, "altconn only");
	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	ASSERT_EQ(0, at_netns());
	fd = at_bound(&own, variant->format, AT_PATH, variant->type);
	ASSERT_LE(0, fd);
	if (variant->type != SOCK_DGRAM)
		ASSERT_EQ(0, listen(fd, 8));
	EXPECT_EQ(1, at_tool(COUNT_FILES));
	pid = at_fork();
	if (!pid)
		_exit(at_drop_privileges() || at_tool(COUNT_FILES) != 0);
	EXPECT_EQ(0, at_reap(pid));
	close(fd);
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

/* ---- ALTCONN_PATH_FD ---- */

/*
 * Write to @a the address of @path relative to the descriptor @fd
 * (ALTCONN_PATH_FD). @path may be empty.
 */
static void by_fd(struct at_addr *a, int fd, const char *path)
{
	at_addr_path(a, AT_NATIVE, path);
	a->nat.sac_flags = ALTCONN_PATH_FD;
	a->nat.sac_fd = fd;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	return remove(path);
}

static void remove_tree(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int open_in(const char *dir, const char *name, int flags)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, flags | O_CLOEXEC, 0644);
}

FIXTURE(long_path) {
	char top[120];
	char dir[400];
	int dfd;
	int fd;
	char last[ALTCONN_PATH_MAX + 1];
};

FIXTURE_VARIANT(long_path) {
	int type;
	int len;
};

FIXTURE_VARIANT_ADD(long_path, stream) {
	.type = SOCK_STREAM, .len = 1,
};
FIXTURE_VARIANT_ADD(long_path, seqpacket) {
	.type = SOCK_SEQPACKET, .len = 1,
};
FIXTURE_VARIANT_ADD(long_path, dgram) {
	.type = SOCK_DGRAM, .len = 1,
};
FIXTURE_VARIANT_ADD(long_path, long_name) {
	.type = SOCK_STREAM, .len = ALTCONN_PATH_MAX,
};

/* Make a directory with a path that is longer than any address. */
FIXTURE_SETUP(long_path)
{
	memset(self->last, 's', variant->len);
	at_path(self->top, 108);
	ASSERT_EQ(0, mkdir(self->top, 0755));
	snprintf(self->dir, sizeof(self->dir), "%s/%0200d", self->top, 0);
	ASSERT_EQ(0, mkdir(self->dir, 0755));
	self->dfd = open(self->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->dfd);
	self->fd = at_socket(AT_NATIVE, variant->type);
}

FIXTURE_TEARDOWN(long_path)
{
	remove_tree(self->top);
	at_cleanup();
}

static int long_path_bind(FIXTURE_DATA(long_path) *self,
			  const FIXTURE_VARIANT(long_path) *variant)
{
	struct at_addr a;

	by_fd(&a, self->dfd, self->last);
	if (at_bind(self->fd, &a))
		return errno;
	return variant->type == SOCK_DGRAM ? 0 : at_err(listen(self->fd, 8));
}

/*
 * Connect to the socket file of the descriptor @file and send a byte. Return 0
 * or an errno.
 */
static int long_path_send(int type, int file)
{
	struct at_addr a;
	int fd, err;

	by_fd(&a, file, "");
	fd = at_client(AT_NATIVE, type, &a, &err);
	if (!err)
		err = at_err(send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
	return err;
}

TEST_F_TIMEOUT(long_path, bind_and_connect, AT_TIMEOUT)
{
	struct at_addr a, own, expected;
	int fd, err, file;
	struct stat st;

	ASSERT_EQ(0, long_path_bind(self, variant));
	ASSERT_EQ(0, fstatat(self->dfd, self->last, &st, AT_SYMLINK_NOFOLLOW));
	EXPECT_TRUE(S_ISSOCK(st.st_mode));
	file = open_in(self->dir, self->last, O_PATH);
	ASSERT_LE(0, file);
	by_fd(&a, file, "");
	fd = at_client(AT_NATIVE, variant->type, &a, &err);
	ASSERT_EQ(0, err);
	/* The descriptors are needed during the calls only. */
	close(file);
	close(self->dfd);
	EXPECT_EQ(1, send(fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(POLLIN, at_poll(self->fd, POLLIN));
	/* Both ends see the path that bind() was given. */
	at_addr_path(&expected, AT_NATIVE, self->last);
	EXPECT_EQ(0, at_getsockname(self->fd, &own));
	EXPECT_TRUE(at_addr_eq(&expected, &own));
	EXPECT_EQ(0, at_getpeername(fd, &own));
	EXPECT_TRUE(at_addr_eq(&expected, &own));
}

TEST_F_TIMEOUT(long_path, sendto_by_a_descriptor_arrives, AT_TIMEOUT)
{
	int fd = at_socket(AT_NATIVE, variant->type), file;
	struct at_addr a;

	if (variant->type != SOCK_DGRAM)
		SKIP(return, "datagrams only");
	ASSERT_EQ(0, long_path_bind(self, variant));
	file = open_in(self->dir, self->last, O_PATH);
	by_fd(&a, file, "");
	EXPECT_EQ(1, sendto(fd, "x", 1, 0, &a.sa, a.len));
	EXPECT_EQ(POLLIN, at_poll(self->fd, POLLIN));
	a.nat.sac_fd = -1;
	EXPECT_EQ(EBADF, at_err(sendto(fd, "x", 1, 0, &a.sa, a.len)));
	by_fd(&a, self->dfd, self->last);
	EXPECT_EQ(EINVAL, at_err(sendto(fd, "x", 1, 0, &a.sa, a.len)));
}

/*
 * As in openat(2), a relative path is looked up from the descriptor, and an
 * absolute path does not use the descriptor.
 */
TEST_F_TIMEOUT(long_path, relative_and_absolute, AT_TIMEOUT)
{
	int fd = at_socket(AT_NATIVE, variant->type);
	char path[140];
	struct at_addr a;
	struct stat st;

	ASSERT_EQ(0, mkdirat(self->dfd, "sub", 0755));
	by_fd(&a, self->dfd, "sub/../../s");
	EXPECT_EQ(0, at_err(at_bind(self->fd, &a)));
	snprintf(path, sizeof(path), "%s/s", self->top);
	EXPECT_EQ(0, stat(path, &st));
	snprintf(path, sizeof(path), "%s/t", self->top);
	by_fd(&a, -1, path);
	EXPECT_EQ(0, at_err(at_bind(fd, &a)));
	EXPECT_EQ(0, stat(path, &st));
}

/* A descriptor leads to a socket file that was renamed or unlinked, too. */
TEST_F_TIMEOUT(long_path, renamed_and_unlinked, AT_TIMEOUT)
{
	int file;

	ASSERT_EQ(0, long_path_bind(self, variant));
	file = open_in(self->dir, self->last, O_PATH);
	ASSERT_EQ(0, renameat(self->dfd, self->last, self->dfd, "other"));
	EXPECT_EQ(0, long_path_send(variant->type, file));
	ASSERT_EQ(0, unlinkat(self->dfd, "other", 0));
	EXPECT_EQ(0, long_path_send(variant->type, file));
	close(self->fd);
	EXPECT_EQ(ECONNREFUSED, long_path_send(variant->type, file));
}

/*
 * connect() by a descriptor needs no search permission on the directories,
 * which open(2) has checked before.
 */
TEST_F_TIMEOUT(long_path, descriptor_instead_of_search_permission, AT_TIMEOUT)
{
	char path[1024];
	int file, err;
	pid_t pid;

	umask(0);
	ASSERT_EQ(0, fchmod(self->fd, 0666));
	ASSERT_EQ(0, long_path_bind(self, variant));
	file = open_in(self->dir, self->last, O_PATH);
	ASSERT_EQ(0, chmod(self->dir, 0700));
	pid = at_fork();
	if (!pid) {
		if (at_drop_privileges())
			_exit(1);
		snprintf(path, sizeof(path), "%s/%s", self->dir, self->last);
		err = at_err(open(path, O_PATH));
		_exit(err == EACCES ? long_path_send(variant->type, file) : 2);
	}
	EXPECT_EQ(0, at_reap(pid));
	/* connect() still needs write permission on the file. */
	ASSERT_EQ(0, fchmodat(self->dfd, self->last, 0644, 0));
	pid = at_fork();
	if (!pid)
		_exit(at_drop_privileges() ? :
		      long_path_send(variant->type, file));
	EXPECT_EQ(EACCES, at_reap(pid));
}

/*
 * The functions fd_*() return the descriptor of a row, or -2 on failure. They
 * make their files in the directory @dir.
 */

/* Return the number of a descriptor that has been closed. */
static int fd_closed(const char *dir)
{
	int fd = open_in(dir, ".", O_PATH);

	close(fd);
	return fd;
}

static int fd_minus(const char *dir)
{
	return -1;
}

static int fd_cwd(const char *dir)
{
	return AT_FDCWD;
}

static int fd_lowest(const char *dir)
{
	return INT32_MIN;
}

static int fd_highest(const char *dir)
{
	return INT32_MAX;
}

static int fd_dir(const char *dir)
{
	return open_in(dir, ".", O_PATH);
}

static int fd_dir_read(const char *dir)
{
	return open_in(dir, ".", O_RDONLY);
}

static int fd_file(const char *dir)
{
	return open_in(dir, "file", O_RDONLY | O_CREAT);
}

static int fd_symlink(const char *dir)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/symlink", dir);
	if (symlink(dir, path))
		return -2;
	return open_in(dir, "symlink", O_PATH | O_NOFOLLOW);
}

static int fd_socket(const char *dir)
{
	return at_socket(AT_NATIVE, SOCK_STREAM);
}

static int fd_pipe(const char *dir)
{
	int fds[2];

	return pipe(fds) ? -2 : fds[1];
}

/* Bind @fd to a socket file in @dir. Return a descriptor of the file, or -2. */
static int fd_bound(const char *dir, int fd, enum at_format format)
{
	char path[1024];
	struct at_addr a;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/bound",
		 open(dir, O_PATH));
	at_addr_path(&a, format, path);
	return at_bind(fd, &a) ? -2 : open_in(dir, "bound", O_PATH);
}

static int fd_foreign(const char *dir)
{
	int fd = at_socket(AT_ORACLE, SOCK_STREAM);

	return fd_bound(dir, fd, AT_ORACLE);
}

static int fd_stale(const char *dir)
{
	int fd = at_socket(AT_NATIVE, SOCK_STREAM);
	int file = fd_bound(dir, fd, AT_NATIVE);

	close(fd);
	return file;
}

static int fd_removed(const char *dir)
{
	char path[1024];
	int fd;

	snprintf(path, sizeof(path), "%s/gone", dir);
	if (mkdir(path, 0777))
		return -2;
	fd = open(path, O_PATH);
	rmdir(path);
	return fd;
}

static int fd_no_search(const char *dir)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/closed", dir);
	if (mkdir(path, 0777) || chmod(path, 0666))
		return -2;
	return open(path, O_PATH);
}

static int fd_read_only(const char *dir)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(dir, dir, NULL, MS_BIND, NULL) ||
	    mount(NULL, dir, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL))
		return -2;
	return open(dir, O_PATH);
}

static int fd_bound_read_only(const char *dir)
{
	int fd = at_socket(AT_NATIVE, SOCK_STREAM);
	int file = fd_bound(dir, fd, AT_NATIVE);

	if (file < 0 || listen(fd, 8))
		return -2;
	close(file);
	close(fd_read_only(dir));
	return open_in(dir, "bound", O_PATH);
}

struct fd_row {
	const char *name;
	int (*open)(const char *dir);
	const char *path;
	bool nobody;
	int err;
};

static const struct fd_row bind_rows[] = {
	{ .name = "a directory", .open = fd_dir, .path = "x", .err = 0 },
	{ .name = "a directory opened for reading", .open = fd_dir_read,
	  .path = "x", .err = 0 },
	{ .name = "closed", .open = fd_closed, .path = "x", .err = EBADF },
	{ .name = "-1", .open = fd_minus, .path = "x", .err = EBADF },
	{ .name = "AT_FDCWD", .open = fd_cwd, .path = "x", .err = EBADF },
	{ .name = "the lowest number", .open = fd_lowest, .path = "x",
	  .err = EBADF },
	{ .name = "the highest number", .open = fd_highest, .path = "x",
	  .err = EBADF },
	{ .name = "a file", .open = fd_file, .path = "x", .err = ENOTDIR },
	{ .name = "a symbolic link", .open = fd_symlink, .path = "x",
	  .err = ENOTDIR },
	{ .name = "a socket", .open = fd_socket, .path = "x", .err = ENOTDIR },
	{ .name = "a pipe", .open = fd_pipe, .path = "x", .err = ENOTDIR },
	{ .name = "no path", .open = fd_dir, .path = "", .err = EINVAL },
	{ .name = "dot", .open = fd_dir, .path = ".", .err = EADDRINUSE },
	{ .name = "two dots", .open = fd_dir, .path = "..", .err = EADDRINUSE },
	{ .name = "a slash behind", .open = fd_dir, .path = "x/",
	  .err = ENOENT },
	{ .name = "a file is there", .open = fd_dir, .path = "../taken",
	  .err = EADDRINUSE },
	{ .name = "no such directory", .open = fd_dir, .path = "none/x",
	  .err = ENOENT },
	{ .name = "a removed directory", .open = fd_removed, .path = "x",
	  .err = ENOENT },
	{ .name = "no write permission", .open = fd_dir, .path = "x",
	  .nobody = true, .err = EACCES },
	{ .name = "no search permission", .open = fd_no_search, .path = "x",
	  .nobody = true, .err = EACCES },
	{ .name = "a read-only mount", .open = fd_read_only, .path = "x",
	  .err = EROFS },
};

static const struct fd_row connect_rows[] = {
	{ .name = "closed", .open = fd_closed, .path = "", .err = EBADF },
	{ .name = "-1", .open = fd_minus, .path = "", .err = EBADF },
	{ .name = "AT_FDCWD", .open = fd_cwd, .path = "", .err = EBADF },
	{ .name = "the lowest number", .open = fd_lowest, .path = "",
	  .err = EBADF },
	{ .name = "the highest number", .open = fd_highest, .path = "",
	  .err = EBADF },
	{ .name = "a path too", .open = fd_dir, .path = "x", .err = EINVAL },
	{ .name = "an absolute path too", .open = fd_dir, .path = "/x",
	  .err = EINVAL },
	{ .name = "a directory", .open = fd_dir, .path = "",
	  .err = ECONNREFUSED },
	{ .name = "a file", .open = fd_file, .path = "", .err = ECONNREFUSED },
	{ .name = "a file that may not be written", .open = fd_file, .path = "",
	  .nobody = true, .err = EACCES },
	{ .name = "a symbolic link", .open = fd_symlink, .path = "",
	  .err = ECONNREFUSED },
	{ .name = "a socket, not its file", .open = fd_socket, .path = "",
	  .err = ECONNREFUSED },
	{ .name = "a pipe", .open = fd_pipe, .path = "", .err = ECONNREFUSED },
	{ .name = "a file of AF_UNIX", .open = fd_foreign, .path = "",
	  .err = ECONNREFUSED },
	{ .name = "a stale file", .open = fd_stale, .path = "",
	  .err = ECONNREFUSED },
	{ .name = "a socket file on a read-only mount",
	  .open = fd_bound_read_only, .path = "", .err = 0 },
};

/*
 * Run a row in a child, which can change its user and its mounts. Return 0 or
 * the errno of the call, or 255 if the call could not be made.
 */
static int long_path_row(const struct fd_row *row, const char *dir, bool binds)
{
	pid_t pid = at_fork();
	struct at_addr a;
	int fd, file;

	if (pid)
		return at_reap(pid);
	fd = at_socket(AT_NATIVE, SOCK_STREAM);
	file = row->open(dir);
	if (file == -2 || (row->nobody && at_drop_privileges()))
		_exit(255);
	by_fd(&a, file, row->path);
	_exit(at_err(binds ? at_bind(fd, &a) : at_connect(fd, &a)));
}

/* Run each row in a directory of its own. */
static void long_path_rows(struct __test_metadata *_metadata, const char *top,
			   const struct fd_row *row, size_t n, bool binds)
{
	char dir[400];

	for (; n; n--, row++) {
		snprintf(dir, sizeof(dir), "%s/%0100zu", top, n);
		ASSERT_EQ(0, mkdir(dir, 0755));
		EXPECT_EQ(row->err, long_path_row(row, dir, binds)) {
			TH_LOG("%s", row->name);
		}
	}
}

TEST_F_TIMEOUT(long_path, errors_of_bind, AT_TIMEOUT)
{
	char path[140];

	if (variant->type != SOCK_STREAM || variant->len > 1)
		SKIP(return, "the same for all types");
	snprintf(path, sizeof(path), "%s/taken", self->top);
	close(open(path, O_CREAT | O_WRONLY, 0644));
	long_path_rows(_metadata, self->top, bind_rows,
		       sizeof(bind_rows) / sizeof(*bind_rows), true);
}

TEST_F_TIMEOUT(long_path, errors_of_connect, AT_TIMEOUT)
{
	if (variant->type != SOCK_STREAM || variant->len > 1)
		SKIP(return, "the same for all types");
	long_path_rows(_metadata, self->top, connect_rows,
		       sizeof(connect_rows) / sizeof(*connect_rows), false);
}

TEST_F_TIMEOUT(long_path, E_PROTOTYPE, AT_TIMEOUT)
{
	int type = variant->type == SOCK_STREAM ? SOCK_SEQPACKET : SOCK_STREAM;

	ASSERT_EQ(0, long_path_bind(self, variant));
	EXPECT_EQ(EPROTOTYPE,
		  long_path_send(type, open_in(self->dir, self->last, O_PATH)));
}

/* ALTCONN_CONNECT_INFO has the reason why an attempt by a descriptor failed. */
TEST_F_TIMEOUT(long_path, failed_attempt_has_a_reason, AT_TIMEOUT)
{
	struct altconn_connect_info info;
	struct at_addr a;

	if (variant->type == SOCK_DGRAM)
		SKIP(return, "connections only");
	by_fd(&a, -1, "");
	ASSERT_EQ(EBADF, at_err(at_connect(self->fd, &a)));
	ASSERT_EQ(0, at_info(self->fd, &info));
	EXPECT_EQ(EBADF, info.aci_errno);
	EXPECT_EQ(ALTCONN_REASON_PATH_LOOKUP, info.aci_reason);
}

/* ---- ALTCONN_REPLACE_PATH ---- */

FIXTURE(replace) {
	char dir[108];
	char path[120];
	int dfd;
	struct at_addr a;
	int fd;
};

FIXTURE_VARIANT(replace) {
	enum at_format format;
	int type;
	bool by_fd;
};

FIXTURE_VARIANT_ADD(replace, native_stream) {
	.format = AT_NATIVE, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(replace, native_dgram) {
	.format = AT_NATIVE, .type = SOCK_DGRAM,
};
FIXTURE_VARIANT_ADD(replace, unix_stream) {
	.format = AT_UNIX, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(replace, unix_seqpacket) {
	.format = AT_UNIX, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(replace, by_fd) {
	.format = AT_NATIVE, .type = SOCK_STREAM, .by_fd = true,
};

FIXTURE_SETUP(replace)
{
	at_path(self->dir, sizeof(self->dir));
	ASSERT_EQ(0, mkdir(self->dir, 0755));
	snprintf(self->path, sizeof(self->path), "%s/s", self->dir);
	self->dfd = open(self->dir, O_PATH | O_CLOEXEC);
	if (variant->by_fd)
		by_fd(&self->a, self->dfd, "s");
	else
		at_addr_path(&self->a, variant->format, self->path);
	self->fd = at_socket(variant->format, variant->type);
	ASSERT_EQ(0, at_set_option(self->fd, ALTCONN_REPLACE_PATH, 1));
}

FIXTURE_TEARDOWN(replace)
{
	remove_tree(self->dir);
	at_cleanup();
}

/*
 * Make a socket that is bound to the path, of this family or of AF_UNIX. Return
 * its descriptor, or -1 with errno.
 */
static int replace_bound(const char *path, enum at_format format, int type)
{
	int fd = at_socket(format, type);
	struct at_addr a;

	at_addr_path(&a, format, path);
	return at_bind(fd, &a) ? -1 : fd;
}

static int replace_stale(const char *path, enum at_format format)
{
	int fd = replace_bound(path, format, SOCK_STREAM);

	return fd < 0 ? -1 : close(fd);
}

/* Return the number of entries in a directory, without "." and "..". */
static int replace_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return n;
}

static ino_t replace_inode(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_ino;
}

TEST_F_TIMEOUT(replace, stale_files, AT_TIMEOUT)
{
	static const enum at_format left[] = { AT_NATIVE, AT_ORACLE };
	struct at_addr own, expected;
	struct stat st;
	int i, fd;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, replace_stale(self->path, left[i]));
		fd = at_socket(variant->format, variant->type);
		EXPECT_EQ(EADDRINUSE, at_err(at_bind(fd, &self->a)));
		ASSERT_EQ(0, at_set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1));
		EXPECT_EQ(EADDRINUSE, at_err(at_bind(fd, &self->a)));
		ASSERT_EQ(0, at_set_option(fd, ALTCONN_REPLACE_PATH, 1));
		umask(027);
		ASSERT_EQ(0, at_err(at_bind(fd, &self->a)));
		if (variant->type != SOCK_DGRAM)
			ASSERT_EQ(0, listen(fd, 1));
		EXPECT_EQ(0, talks_to(variant->format, variant->type,
				      self->path));
		EXPECT_EQ(POLLIN, at_poll(fd, POLLIN));
		/* Only the new file is there, as bind() makes it. */
		EXPECT_EQ(1, replace_entries(self->dir));
		ASSERT_EQ(0, stat(self->path, &st));
		EXPECT_EQ(S_IFSOCK | 0750, st.st_mode);
		at_addr_path(&expected, variant->format,
			     variant->by_fd ? "s" : self->path);
		EXPECT_EQ(0, at_getsockname(fd, &own));
		EXPECT_TRUE(at_addr_eq(&expected, &own));
		close(fd);
		ASSERT_EQ(0, unlink(self->path));
	}
}

TEST_F_TIMEOUT(replace, no_file_at_the_path, AT_TIMEOUT)
{
	EXPECT_EQ(0, at_err(at_bind(self->fd, &self->a)));
	/* The directory has the socket file, under no other name. */
	EXPECT_NE(0, replace_inode(self->path));
	EXPECT_EQ(1, replace_entries(self->dir));
}

struct live_row {
	const char *name;
	enum at_format format;
	int type;
	bool listens;
};

static const struct live_row live_rows[] = {
	{ .name = "a listener", .format = AT_NATIVE, .type = SOCK_STREAM,
	  .listens = true },
	{ .name = "bound", .format = AT_NATIVE, .type = SOCK_STREAM },
	{ .name = "sequenced packets", .format = AT_UNIX,
	  .type = SOCK_SEQPACKET, .listens = true },
	{ .name = "datagrams", .format = AT_UNIX, .type = SOCK_DGRAM },
	{ .name = "AF_UNIX: a listener", .format = AT_ORACLE,
	  .type = SOCK_STREAM, .listens = true },
	{ .name = "AF_UNIX: bound", .format = AT_ORACLE, .type = SOCK_STREAM },
	{ .name = "AF_UNIX: sequenced packets", .format = AT_ORACLE,
	  .type = SOCK_SEQPACKET, .listens = true },
	{ .name = "AF_UNIX: datagrams", .format = AT_ORACLE,
	  .type = SOCK_DGRAM },
};

/*
 * bind() does not replace the file of a live socket (E-ADDRINUSE), and the live
 * socket gets no event.
 */
TEST_F_TIMEOUT(replace, live_sockets_stay, AT_TIMEOUT)
{
	const struct live_row *row;
	ino_t inode;
	int i, fd;

	for (i = 0; i < sizeof(live_rows) / sizeof(*live_rows); i++) {
		row = &live_rows[i];
		fd = replace_bound(self->path, row->format, row->type);
		ASSERT_LE(0, fd);
		if (row->listens)
			ASSERT_EQ(0, listen(fd, 0));
		inode = replace_inode(self->path);
		EXPECT_EQ(EADDRINUSE, at_err(at_bind(self->fd, &self->a))) {
			TH_LOG("%s", row->name);
		}
		EXPECT_EQ(inode, replace_inode(self->path));
		EXPECT_EQ(1, replace_entries(self->dir));
		EXPECT_EQ(0, at_poll_now(fd, POLLIN) & POLLIN);
		close(fd);
		ASSERT_EQ(0, unlink(self->path));
	}
	/* The socket can still be bound after it has failed. */
	EXPECT_EQ(0, at_err(at_bind(self->fd, &self->a)));
}

/* bind() does not replace the file of an AF_UNIX server with a full backlog. */
TEST_F_TIMEOUT(replace, full_AF_UNIX_server_stays, AT_TIMEOUT)
{
	int lfd = replace_bound(self->path, AT_ORACLE, SOCK_STREAM), err;
	struct at_addr a;

	ASSERT_EQ(0, listen(lfd, 0));
	at_addr_path(&a, AT_ORACLE, self->path);
	at_client(AT_ORACLE, SOCK_STREAM, &a, &err);
	ASSERT_EQ(0, err);
	EXPECT_EQ(EADDRINUSE, at_err(at_bind(self->fd, &self->a)));
	EXPECT_EQ(1, replace_entries(self->dir));
}

static int make_file(const char *path)
{
	return mknod(path, S_IFREG | 0644, 0);
}

static int make_dir(const char *path)
{
	return mkdir(path, 0755);
}

static int make_fifo(const char *path)
{
	return mkfifo(path, 0644);
}

static int make_device(const char *path)
{
	return mknod(path, S_IFCHR | 0644, 0x103);
}

static int make_dangling(const char *path)
{
	return symlink("/nowhere", path);
}

/*
 * Make a symbolic link to a stale file, which bind() replaces only under its
 * own name.
 */
static int make_symlink(const char *path)
{
	char target[140];

	snprintf(target, sizeof(target), "%s.stale", path);
	if (replace_stale(target, AT_NATIVE))
		return -1;
	return symlink(target, path);
}

/* Make a stale socket file that a mount covers. */
static int make_covered(const char *path)
{
	if (replace_stale(path, AT_NATIVE) || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	return mount("/proc/self/status", path, NULL, MS_BIND, NULL);
}

TEST_F_TIMEOUT(replace, other_files_stay, AT_TIMEOUT)
{
	static const struct {
		const char *name;
		int (*make)(const char *path);
	} rows[] = {
		{ .name = "a file", .make = make_file },
		{ .name = "a directory", .make = make_dir },
		{ .name = "a fifo", .make = make_fifo },
		{ .name = "a device", .make = make_device },
		{ .name = "a dangling symbolic link", .make = make_dangling },
		{ .name = "a symbolic link to a stale file",
		  .make = make_symlink },
		{ .name = "a mount over a stale file", .make = make_covered },
	};
	ino_t inode;
	pid_t pid;
	int i, n;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		pid = at_fork();
		if (!pid) {
			if (rows[i].make(self->path))
				_exit(255);
			inode = replace_inode(self->path);
			n = replace_entries(self->dir);
			/*
			 * make() may have moved the child to a new mount
			 * namespace, so the directory is opened there.
			 */
			if (variant->by_fd)
				self->a.nat.sac_fd = open(self->dir, O_PATH);
			if (at_err(at_bind(self->fd, &self->a)) != EADDRINUSE)
				_exit(1);
			_exit(inode != replace_inode(self->path) ? 2 :
			      n != replace_entries(self->dir) ? 3 : 0);
		}
		EXPECT_EQ(0, at_reap(pid)) {
			TH_LOG("%s", rows[i].name);
		}
		remove_tree(self->path);
		unlinkat(self->dfd, "s.stale", 0);
	}
}

/* A path that ends in a slash, "." or ".." names no file to replace. */
TEST_F_TIMEOUT(replace, dots_and_slashes, AT_TIMEOUT)
{
	static const char * const ends[] = { ".", "..", "s/", "s/.", "/" };
	char path[140];
	struct at_addr a;
	int i;

	ASSERT_EQ(0, replace_stale(self->path, AT_NATIVE));
	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		snprintf(path, sizeof(path), "%s/%s",
			 variant->by_fd ? "." : self->dir, ends[i]);
		if (variant->by_fd)
			by_fd(&a, self->dfd, path);
		else
			at_addr_path(&a, variant->format, path);
		EXPECT_EQ(strcmp(ends[i], "s/.") ? EADDRINUSE : ENOTDIR,
			  at_err(at_bind(self->fd, &a))) {
			TH_LOG("%s", path);
		}
		EXPECT_EQ(1, replace_entries(self->dir));
	}
}

/* Replacing a file takes the permissions of rename(2) and of connect(2). */
TEST_F_TIMEOUT(replace, permissions, AT_TIMEOUT)
{
	static const struct {
		const char *name;
		int dir, file;
		bool own;
		int err;
	} rows[] = {
		{ .name = "all", .dir = 0777, .file = 0666, .err = 0 },
		{ .name = "of the directory: none", .dir = 0755, .file = 0666,
		  .err = EACCES },
		{ .name = "of the directory: no search", .dir = 0766,
		  .file = 0666, .err = EACCES },
		{ .name = "of the file: none", .dir = 0777, .file = 0644,
		  .err = EACCES },
		{ .name = "a sticky directory", .dir = 01777, .file = 0666,
		  .err = EPERM },
		{ .name = "a sticky directory, one's own file", .dir = 01777,
		  .file = 0600, .own = true, .err = 0 },
	};
	ino_t inode;
	pid_t pid;
	int i, err;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ASSERT_EQ(0, replace_stale(self->path, AT_NATIVE));
		ASSERT_EQ(0, chmod(self->path, rows[i].file));
		if (rows[i].own)
			ASSERT_EQ(0, chown(self->path, 65534, 65534));
		ASSERT_EQ(0, chmod(self->dir, rows[i].dir));
		inode = replace_inode(self->path);
		pid = at_fork();
		if (!pid)
			_exit(at_drop_privileges() ? 255 :
			      at_err(at_bind(self->fd, &self->a)));
		err = at_reap(pid);
		EXPECT_EQ(rows[i].err, err) {
			TH_LOG("%s", rows[i].name);
		}
		EXPECT_EQ(1, replace_entries(self->dir));
		if (err)
			EXPECT_EQ(inode, replace_inode(self->path));
		close(self->fd);
		self->fd = at_socket(variant->format, variant->type);
		at_set_option(self->fd, ALTCONN_REPLACE_PATH, 1);
		unlink(self->path);
	}
}

TEST_F_TIMEOUT(replace, read_only_mount, AT_TIMEOUT)
{
	struct at_addr a = self->a;
	int dfd, err;
	pid_t pid;

	ASSERT_EQ(0, replace_stale(self->path, AT_NATIVE));
	pid = at_fork();
	if (!pid) {
		dfd = fd_read_only(self->dir);
		if (variant->by_fd)
			a.nat.sac_fd = dfd;
		err = at_err(at_bind(self->fd, &a));
		_exit(dfd < 0 ? 255 : err);
	}
	EXPECT_EQ(EROFS, at_reap(pid));
}

/*
 * To replace a file, bind() asks AF_UNIX by a path whether the file is stale.
 * With a descriptor that path leads through /proc, so without /proc the file
 * stays.
 */
TEST_F_TIMEOUT(replace, without_proc, AT_TIMEOUT)
{
	pid_t pid;

	ASSERT_EQ(0, replace_stale(self->path, AT_NATIVE));
	pid = at_fork();
	if (!pid) {
		if (unshare(CLONE_NEWNS) ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", "/proc", "tmpfs", 0, NULL))
			_exit(255);
		_exit(at_err(at_bind(self->fd, &self->a)));
	}
	EXPECT_EQ(variant->by_fd ? EADDRINUSE : 0, at_reap(pid));
}

TEST_F_TIMEOUT(replace, option_values, AT_TIMEOUT)
{
	uint32_t value = 7;
	socklen_t len = sizeof(value);

	ASSERT_EQ(0, getsockopt(self->fd, SOL_ALTCONN, ALTCONN_REPLACE_PATH,
				&value, &len));
	EXPECT_EQ(1, value);
	EXPECT_EQ(EINVAL, at_err(at_set_option(self->fd, ALTCONN_REPLACE_PATH,
					       2)));
	ASSERT_EQ(0, at_set_option(self->fd, ALTCONN_REPLACE_PATH, 0));
	ASSERT_EQ(0, replace_stale(self->path, AT_NATIVE));
	EXPECT_EQ(EADDRINUSE, at_err(at_bind(self->fd, &self->a)));
	ASSERT_EQ(0, at_set_option(self->fd, ALTCONN_REPLACE_PATH, 1));
	ASSERT_EQ(0, at_bind(self->fd, &self->a));
	EXPECT_EQ(EINVAL, at_err(at_set_option(self->fd, ALTCONN_REPLACE_PATH,
					       0)));
}

#define RIVALS	8

struct rival {
	pthread_t thread;
	const struct at_addr *a;
	pthread_barrier_t *start;
	int fd, err;
};

static void *rival_main(void *arg)
{
	struct rival *r = arg;

	pthread_barrier_wait(r->start);
	r->err = at_err(at_bind(r->fd, r->a));
	return NULL;
}

/*
 * If many sockets bind to one stale file at once, one of them succeeds, and its
 * file stays at the path.
 */
TEST_F_TIMEOUT(replace, one_of_many_binds, AT_TIMEOUT)
{
	struct rival rivals[RIVALS];
	pthread_barrier_t start;
	int round, i, won;

	pthread_barrier_init(&start, NULL, RIVALS);
	ASSERT_EQ(0, replace_stale(self->path, AT_NATIVE));
	for (round = 0; round < 20; round++) {
		for (i = 0; i < RIVALS; i++) {
			rivals[i] = (struct rival) {
				.a = &self->a, .start = &start,
				.fd = at_socket(variant->format, variant->type),
			};
			at_set_option(rivals[i].fd, ALTCONN_REPLACE_PATH, 1);
			pthread_create(&rivals[i].thread, NULL, rival_main,
				       &rivals[i]);
		}
		won = -1;
		for (i = 0; i < RIVALS; i++) {
			pthread_join(rivals[i].thread, NULL);
			if (rivals[i].err) {
				EXPECT_EQ(EADDRINUSE, rivals[i].err);
				continue;
			}
			EXPECT_EQ(-1, won);
			won = i;
		}
		ASSERT_LE(0, won);
		if (variant->type != SOCK_DGRAM)
			ASSERT_EQ(0, listen(rivals[won].fd, 1));
		EXPECT_EQ(0, talks_to(variant->format, variant->type,
				      self->path));
		EXPECT_EQ(1, replace_entries(self->dir));
		for (i = 0; i < RIVALS; i++)
			close(rivals[i].fd);
	}
}

struct watcher {
	pthread_t thread;
	const char *path;
	atomic_bool stop;
	atomic_int looked, missed;
};

static void *watcher_main(void *arg)
{
	struct watcher *w = arg;

	while (!atomic_load(&w->stop)) {
		if (!replace_inode(w->path))
			atomic_fetch_add(&w->missed, 1);
		atomic_fetch_add(&w->looked, 1);
	}
	return NULL;
}

/* bind() replaces a file in one step: the path always leads to a file. */
TEST_F_TIMEOUT(replace, path_always_leads_to_a_file, AT_TIMEOUT)
{
	struct watcher w = { .path = self->path };
	int i, fd;

	ASSERT_EQ(0, replace_stale(self->path, AT_NATIVE));
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, watcher_main, &w));
	for (i = 0; i < 200 || atomic_load(&w.looked) < 200; i++) {
		fd = at_socket(variant->format, variant->type);
		at_set_option(fd, ALTCONN_REPLACE_PATH, 1);
		ASSERT_EQ(0, at_err(at_bind(fd, &self->a)));
		close(fd);
	}
	atomic_store(&w.stop, true);
	pthread_join(w.thread, NULL);
	EXPECT_EQ(0, atomic_load(&w.missed));
	EXPECT_EQ(1, replace_entries(self->dir));
}

TEST_HARNESS_MAIN
