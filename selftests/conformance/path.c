// SPDX-License-Identifier: GPL-2.0
/* Try the clauses about paths: path_resolution(7), with the caller's rights. */
#include "conformance.h"
#include "clause.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

static bool is_native(const struct test *t)
{
	return is_altconn(t->f) && t->f->protocol == ALTCONN_NATIVE;
}

static char *path_of(const struct test *t, struct addr *a)
{
	return is_native(t) ? a->nat.sac_path : a->un.sun_path;
}

/* Append to a path. Both formats have space for a few more bytes. */
static void append(const struct test *t, struct addr *a, const char *more)
{
	strcat(path_of(t, a), more);
	a->len += is_native(t) ? 0 : strlen(more);
	if (is_native(t))
		a->nat.sac_len += strlen(more);
}

/* Bind a socket to @a, and listen if the socket can. */
static void serve(struct test *t, const struct addr *a)
{
	int fd = new_blocking(t);

	must(t, !bind(fd, &a->sa, a->len), "bind()");
	if (t->type != DGRAM)
		must(t, !listen(fd, 8), "listen()");
}

static void fails(struct test *t, const struct addr *a, int want,
		  const char *where)
{
	int fd = new_socket(t);

	expect(t, go_connect(fd, a), want, where);
	close(fd);
}

void plain_file(struct test *t, struct addr *a)
{
	t->f->fresh(t->f, a);
	must(t, !close(creat(path_of(t, a), 0777)), "creat()");
}

void e_acces_path(struct test *t)
{
	struct addr readable, writable, hidden;

	t->f->fresh(t->f, &readable);
	t->f->fresh(t->f, &writable);
	t->f->fresh(t->f, &hidden);
	must(t, !mkdir(path_of(t, &hidden), 0700), "mkdir()");
	append(t, &hidden, "/s");
	serve(t, &readable);
	serve(t, &writable);
	serve(t, &hidden);
	chmod(path_of(t, &readable), 0555);
	chmod(path_of(t, &writable), 0222);
	chmod(path_of(t, &hidden), 0777);
	path_of(t, &hidden)[strlen(path_of(t, &hidden)) - 2] = 0;
	chmod(path_of(t, &hidden), 0600);
	path_of(t, &hidden)[strlen(path_of(t, &hidden))] = '/';
	must(t, !drop_file_privileges(), "capset()");
	fails(t, &readable, EACCES, "without write permission");
	fails(t, &hidden, EACCES, "without search permission");
	fails(t, &writable, 0, "with write permission only");
}

static void link_to(struct test *t, struct addr *a, const char *where)
{
	t->f->fresh(t->f, a);
	must(t, !symlink(where, path_of(t, a)), "symlink()");
}

void e_noent(struct test *t)
{
	struct addr a;

	t->f->fresh(t->f, &a);
	fails(t, &a, ENOENT, "at a missing file");
	append(t, &a, "/s");
	fails(t, &a, ENOENT, "below a missing directory");
	link_to(t, &a, "/nowhere/at/all");
	fails(t, &a, ENOENT, "through a link to a missing file");
}

void e_notdir(struct test *t)
{
	struct addr a;

	plain_file(t, &a);
	append(t, &a, "/s");
	fails(t, &a, ENOTDIR, "below a file that is not a directory");
	unbound_target(t, &a);
	append(t, &a, "/s");
	fails(t, &a, ENOTDIR, "below a socket file");
}

void e_loop(struct test *t)
{
	struct addr a, good;

	t->f->fresh(t->f, &a);
	must(t, !symlink(path_of(t, &a), path_of(t, &a)), "symlink()");
	fails(t, &a, ELOOP, "through a link to itself");
	t->f->fresh(t->f, &good);
	serve(t, &good);
	link_to(t, &a, path_of(t, &good));
	fails(t, &a, 0, "through a link to a socket file");
}

void e_nametoolong(struct test *t)
{
	char name[NAME_MAX + 2];
	struct addr a;

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = 0;
	link_to(t, &a, name);
	fails(t, &a, ENAMETOOLONG, "through a link to a name that is too long");
}
