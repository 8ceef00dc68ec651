// SPDX-License-Identifier: GPL-2.0
/*
 * Start many non-blocking connects at once at a listener with a small backlog.
 * The event loop does what the manual of connect(2) says: it waits after
 * EINPROGRESS and counts any other error as a failure.
 *
 *	helper_storm FAMILY COUNT BACKLOG
 *
 * FAMILY is "unix" or "altconn". The program prints one line with the counts of
 * all results. It exits with 0 if it could run, whatever the attempts returned.
 */
#include <errno.h>
#include <linux/altconn.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>

struct tally {
	int at_once;
	int waited;
	int failed;
	int err;
};

static void die(const char *what)
{
	fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int new_socket(bool altconn)
{
	int fd = socket(altconn ? AF_ALTCONN : AF_UNIX,
			SOCK_STREAM | SOCK_NONBLOCK,
			altconn ? ALTCONN_UNIX : 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static socklen_t make_address(struct sockaddr_un *sun)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path + 1, sizeof(sun->sun_path) - 1, "storm-%d",
		 getpid());
	return offsetof(struct sockaddr_un, sun_path) + 1 +
	       strlen(sun->sun_path + 1);
}

static void begin_attempts(int *fds, int n, const struct sockaddr_un *sun,
			   socklen_t len, bool altconn, struct tally *tally)
{
	for (int i = 0; i < n; i++) {
		int fd = new_socket(altconn);

		fds[i] = -1;
		if (!connect(fd, (const void *)sun, len)) {
			tally->at_once++;
		} else if (errno == EINPROGRESS) {
			fds[i] = fd;
		} else {
			tally->failed++;
			tally->err = errno;
			close(fd);
		}
	}
}

/* Accept every connection that is ready. Return how many there were. */
static int accept_all(int listener)
{
	int n = 0;

	while (accept(listener, NULL, NULL) >= 0)
		n++;
	if (errno != EAGAIN)
		die("accept");
	return n;
}

static void finish_attempts(int *fds, int n, struct tally *tally)
{
	for (int i = 0; i < n; i++) {
		struct pollfd p = { .fd = fds[i], .events = POLLOUT };
		socklen_t len = sizeof(int);
		int err = 0;

		if (fds[i] < 0)
			continue;
		if (poll(&p, 1, 30000) != 1)
			die("poll");
		getsockopt(fds[i], SOL_SOCKET, SO_ERROR, &err, &len);
		if (err) {
			tally->failed++;
			tally->err = err;
		} else {
			tally->waited++;
		}
	}
}

static int bad_arguments(void)
{
	fputs("usage: helper_storm unix|altconn COUNT BACKLOG\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	struct tally tally = {};
	struct sockaddr_un sun;
	int n, listener, accepted;
	socklen_t len;
	bool altconn;
	int *fds;

	if (argc != 4)
		return bad_arguments();
	altconn = !strcmp(argv[1], "altconn");
	n = atoi(argv[2]);
	setrlimit(RLIMIT_NOFILE, &files);
	fds = calloc(n, sizeof(*fds));
	if (!fds || n <= 0)
		return bad_arguments();
	len = make_address(&sun);
	listener = new_socket(altconn);
	if (bind(listener, (void *)&sun, len) ||
	    listen(listener, atoi(argv[3])))
		die("listen");

	begin_attempts(fds, n, &sun, len, altconn, &tally);
	accepted = accept_all(listener);
	finish_attempts(fds, n, &tally);
	accepted += accept_all(listener);

	printf("%d of %d established (%d at once, %d after waiting), "
	       "%d accepted",
	       tally.at_once + tally.waited, n, tally.at_once, tally.waited,
	       accepted);
	if (tally.failed)
		printf(", %d failed: %s", tally.failed, strerror(tally.err));
	putchar('\n');
	return 0;
}
