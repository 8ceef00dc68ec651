// SPDX-License-Identifier: GPL-2.0
/* altconn_test.h describes the functions of this file. */
#include "altconn_test.h"
#include "netlink.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PATHS 64
/* Maximum number of words of a command */
#define MAX_WORDS 31

static char paths[MAX_PATHS][108];
static int npaths;

static long read_long(const char *file, long otherwise)
{
	FILE *f = fopen(file, "r");
	long value = otherwise;

	if (!f)
		return otherwise;
	if (fscanf(f, "%ld", &value) != 1)
		value = otherwise;
	fclose(f);
	return value;
}

int at_family(void)
{
	static int family;

	if (!family)
		family = read_long("/sys/module/altconn/parameters/family",
				   AF_ALTCONN);
	return family;
}

bool at_debug(void)
{
	const char *value = getenv("ALTCONN_DEBUG_KERNEL");

	return value && *value && strcmp(value, "0");
}

static bool at_other_kernel(void)
{
	const char *name = getenv("ALTCONN_KERNEL");

	return name && strcmp(name, "stock") && !at_debug();
}

unsigned long at_scale(unsigned long stock, unsigned long others)
{
	return at_debug() || at_other_kernel() ? others : stock;
}

static const int protocols[] = {
	[AT_NATIVE] = ALTCONN_NATIVE, [AT_UNIX] = ALTCONN_UNIX,
	[AT_IN] = ALTCONN_INET, [AT_IN6] = ALTCONN_INET6,
};

int at_socketpair(enum at_format format, int type, int sv[2])
{
	if (format == AT_ORACLE)
		return socketpair(AF_UNIX, type, 0, sv);
	return socketpair(at_family(), type, protocols[format], sv);
}

int at_socket(enum at_format format, int type)
{
	switch (format) {
	case AT_ORACLE:
		return socket(AF_UNIX, type, 0);
	case AT_ORACLE_IN:
		return socket(AF_INET, type, 0);
	case AT_ORACLE_IN6:
		return socket(AF_INET6, type, 0);
	default:
		return socket(at_family(), type, protocols[format]);
	}
}

const char *at_type_name(int type)
{
	switch (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) {
	case SOCK_STREAM:
		return "stream";
	case SOCK_SEQPACKET:
		return "seqpacket";
	default:
		return "dgram";
	}
}

int at_err(long ret)
{
	return ret < 0 ? errno : 0;
}

static unsigned int unique(void)
{
	static unsigned int count;

	return count++;
}

char *at_path(char *buf, size_t len)
{
	const char *dir = getenv("TMPDIR");

	snprintf(buf, len, "%s/altconn.%d.%u", dir ? dir : "/tmp",
		 (int)getpid(), unique());
	if (npaths < MAX_PATHS)
		snprintf(paths[npaths++], sizeof(paths[0]), "%s", buf);
	return buf;
}

void at_cleanup(void)
{
	while (npaths)
		unlink(paths[--npaths]);
}

void at_addr_port(struct at_addr *a, uint32_t port)
{
	memset(a, 0, sizeof(*a));
	a->nat.sac_family = at_family();
	a->nat.sac_kind = ALTCONN_KIND_PORT;
	a->nat.sac_port = port;
	a->len = sizeof(a->nat);
}

void at_addr_name(struct at_addr *a, enum at_format format, const void *name,
		  size_t len)
{
	memset(a, 0, sizeof(*a));
	if (format == AT_NATIVE) {
		a->nat.sac_family = at_family();
		a->nat.sac_kind = ALTCONN_KIND_NAME;
		a->nat.sac_len = len;
		memcpy(a->nat.sac_name, name, len);
		a->len = sizeof(a->nat);
		return;
	}
	a->un.sun_family = AF_UNIX;
	memcpy(a->un.sun_path + 1, name, len);
	a->len = offsetof(struct sockaddr_un, sun_path) + 1 + len;
}

void at_addr_path(struct at_addr *a, enum at_format format, const char *path)
{
	size_t len = strlen(path);

	memset(a, 0, sizeof(*a));
	if (format == AT_NATIVE) {
		a->nat.sac_family = at_family();
		a->nat.sac_kind = ALTCONN_KIND_PATH;
		a->nat.sac_len = len;
		memcpy(a->nat.sac_path, path, len);
		a->len = sizeof(a->nat);
		return;
	}
	a->un.sun_family = AF_UNIX;
	memcpy(a->un.sun_path, path, len);
	a->len = offsetof(struct sockaddr_un, sun_path) + len + 1;
}

static void native_ip(struct at_addr *a, const char *ip, unsigned int port)
{
	struct altconn_inet *inet = &a->nat.sac_inet;

	a->nat.sac_family = at_family();
	a->nat.sac_kind = ALTCONN_KIND_INET;
	inet->port = port;
	if (strchr(ip, ':')) {
		inet_pton(AF_INET6, ip, inet->addr);
	} else {
		memset(inet->addr + 10, 0xff, 2);
		inet_pton(AF_INET, ip, inet->addr + 12);
	}
	a->len = sizeof(a->nat);
}

void at_addr_ip(struct at_addr *a, enum at_format format, const char *ip,
		unsigned int port)
{
	memset(a, 0, sizeof(*a));
	switch (format) {
	case AT_IN:
	case AT_ORACLE_IN:
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons(port);
		inet_pton(AF_INET, ip, &a->in.sin_addr);
		a->len = sizeof(a->in);
		break;
	case AT_IN6:
	case AT_ORACLE_IN6:
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons(port);
		inet_pton(AF_INET6, ip, &a->in6.sin6_addr);
		a->len = sizeof(a->in6);
		break;
	default:
		native_ip(a, ip, port);
		break;
	}
}

int at_port_of(const struct at_addr *a)
{
	switch (a->sa.sa_family) {
	case AF_INET:
		return ntohs(a->in.sin_port);
	case AF_INET6:
		return ntohs(a->in6.sin6_port);
	default:
		if (a->nat.sac_kind == ALTCONN_KIND_INET)
			return a->nat.sac_inet.port;
		return a->nat.sac_kind == ALTCONN_KIND_PORT ?
		       (int)a->nat.sac_port : -1;
	}
}

/* Return a port below the ephemeral range. Each process has its own slice. */
static unsigned int ip_port(void)
{
	return 2000 + (getpid() * 16 + unique() % 16) % 30000;
}

void at_addr(struct at_addr *a, enum at_format format, enum at_kind kind)
{
	bool six = format == AT_IN6 || format == AT_ORACLE_IN6;
	char buf[108];

	if (kind == AT_INET) {
		at_addr_ip(a, format, six ? "::1" : "127.0.0.1", ip_port());
		return;
	}
	if (kind == AT_PORT && format == AT_NATIVE) {
		/* A slice for each process, far above the ephemeral range */
		at_addr_port(a, 0x100000 + getpid() * 256 + unique() % 256);
		return;
	}
	if (kind == AT_PATH) {
		at_addr_path(a, format, at_path(buf, sizeof(buf)));
		return;
	}
	snprintf(buf, sizeof(buf), "altconn-test-%d-%u", (int)getpid(),
		 unique());
	at_addr_name(a, format, buf, strlen(buf));
}

static bool is_native(const struct at_addr *a)
{
	return a->sa.sa_family == at_family();
}

static bool is_name(const struct at_addr *a)
{
	if (is_native(a))
		return a->nat.sac_kind == ALTCONN_KIND_NAME;
	return !a->un.sun_path[0];
}

void at_addr_in(struct at_addr *to, enum at_format format,
		const struct at_addr *a)
{
	size_t head = offsetof(struct sockaddr_un, sun_path) + 1;

	if (!is_name(a))
		at_addr_path(to, format, at_path_of(a));
	else if (is_native(a))
		at_addr_name(to, format, a->nat.sac_name, a->nat.sac_len);
	else
		at_addr_name(to, format, a->un.sun_path + 1, a->len - head);
}

const char *at_path_of(const struct at_addr *a)
{
	return is_native(a) ? a->nat.sac_path : a->un.sun_path;
}

bool at_addr_eq(const struct at_addr *a, const struct at_addr *b)
{
	return a->len == b->len && !memcmp(a->raw, b->raw, a->len);
}

bool at_unnamed(const struct at_addr *a)
{
	struct at_addr none;

	if (a->sa.sa_family == AF_INET)
		at_addr_ip(&none, AT_IN, "0.0.0.0", 0);
	else if (a->sa.sa_family == AF_INET6)
		at_addr_ip(&none, AT_IN6, "::", 0);
	else
		return a->len == sizeof(sa_family_t);
	return at_addr_eq(a, &none);
}

int at_getsockname(int fd, struct at_addr *a)
{
	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->raw);
	return getsockname(fd, &a->sa, &a->len);
}

int at_getpeername(int fd, struct at_addr *a)
{
	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->raw);
	return getpeername(fd, &a->sa, &a->len);
}

int at_bind(int fd, const struct at_addr *a)
{
	return bind(fd, &a->sa, a->len);
}

int at_connect(int fd, const struct at_addr *a)
{
	return connect(fd, &a->sa, a->len);
}

int at_connect_unspec(int fd)
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };

	return connect(fd, &sa, sizeof(sa));
}

/* Close @fd and keep errno. Return -1. */
static int fail(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
	return -1;
}

int at_bound(struct at_addr *a, enum at_format format, enum at_kind kind,
	     int type)
{
	int fd = at_socket(format, type);

	if (fd < 0)
		return -1;
	at_addr(a, format, kind);
	return at_bind(fd, a) ? fail(fd) : fd;
}

int at_set_blocking_receiver(int fd, enum at_format format)
{
	if (format != AT_IN && format != AT_IN6)
		return 0;
	return at_set_option(fd, ALTCONN_DGRAM_OVERFLOW,
			     ALTCONN_OVERFLOW_BLOCK);
}

int at_hearers(struct at_addr *to, int *fds, int n)
{
	int i;

	at_addr(to, AT_NATIVE, AT_PORT);
	for (i = 0; i < n; i++) {
		fds[i] = at_socket(AT_NATIVE, SOCK_DGRAM);
		if (fds[i] < 0 ||
		    at_set_flag(fds[i], SOL_SOCKET, SO_REUSEADDR, 1) ||
		    at_bind(fds[i], to))
			return -1;
	}
	to->nat.sac_node = ALTCONN_NODE_BROADCAST;
	return 0;
}

int at_listener(struct at_addr *a, enum at_format format, enum at_kind kind,
		int type, int backlog)
{
	int fd = at_bound(a, format, kind, type);

	if (fd < 0)
		return -1;
	return listen(fd, backlog) ? fail(fd) : fd;
}

int at_client(enum at_format format, int type, const struct at_addr *a, int *err)
{
	int fd = at_socket(format, type);

	if (fd < 0)
		return -1;
	*err = at_err(at_connect(fd, a));
	return fd;
}

int at_fill(enum at_format format, int type, const struct at_addr *a, int *fds,
	    int n)
{
	int i, err;

	for (i = 0; i < n; i++) {
		fds[i] = at_client(format, type, a, &err);
		if (fds[i] < 0)
			return -1;
		if (err) {
			errno = err;
			return -1;
		}
	}
	return 0;
}

int at_pair(enum at_format format, enum at_kind kind, int type, int sv[2])
{
	struct at_addr a;
	int lfd, err = 0;

	lfd = at_listener(&a, format, kind, type, 1);
	if (lfd < 0)
		return -1;
	sv[0] = at_client(format, type, &a, &err);
	sv[1] = accept(lfd, NULL, NULL);
	close(lfd);
	if (sv[0] < 0 || sv[1] < 0 || err)
		return -1;
	return 0;
}

void at_close(int *fds, int n)
{
	int i;

	for (i = 0; i < n; i++)
		close(fds[i]);
}

int at_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags);
}

int at_deadline_ms(void)
{
	return at_debug() ? 4 * AT_DEADLINE_MS : AT_DEADLINE_MS;
}

uint64_t at_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

uint64_t at_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

short at_poll(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int ret;

	do {
		ret = poll(&pfd, 1, at_deadline_ms());
	} while (ret < 0 && errno == EINTR);
	return ret == 1 ? pfd.revents : 0;
}

short at_poll_now(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, 0) == 1 ? pfd.revents : 0;
}

int at_so_error(int fd)
{
	socklen_t len = sizeof(int);
	int err;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -1;
	return err;
}

void at_pause(void)
{
	struct timespec ts = { .tv_nsec = 500000 };

	nanosleep(&ts, NULL);
}

ssize_t at_send_with(int fd, const void *data, size_t len, int type,
		     const void *control, size_t size, int flags)
{
	union {
		char buf[CMSG_SPACE(AT_CONTROL_MOST)];
		struct cmsghdr align;
	} room = {};
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (size > AT_CONTROL_MOST) {
		errno = E2BIG;
		return -1;
	}
	if (size) {
		msg.msg_control = room.buf;
		msg.msg_controllen = CMSG_SPACE(size);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = type;
		cmsg->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(cmsg), control, size);
	}
	return sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
}

int at_send_all(int fd, const void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = send(fd, buf + done, len - done, MSG_NOSIGNAL);
		if (n <= 0)
			return -1;
		done += n;
	}
	return 0;
}

int at_recv_all(int fd, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = recv(fd, buf + done, len - done, 0);
		if (n <= 0)
			return -1;
		done += n;
	}
	return 0;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Return 0 if a value is 0, which stands for a measurement that failed. */
uint64_t at_median(uint64_t *values, int n)
{
	qsort(values, n, sizeof(*values), compare_u64);
	return values[0] ? values[n / 2] : 0;
}

int at_info(int fd, struct altconn_connect_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0xff, sizeof(*info));
	return getsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_INFO, info, &len);
}

unsigned int at_place(int fd)
{
	struct altconn_connect_info info;

	return at_info(fd, &info) ? 0 : info.aci_position;
}

int at_set_timeout(int fd, uint64_t ms)
{
	return setsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_TIMEOUT, &ms,
			  sizeof(ms));
}

int at_set_option(int fd, int option, uint32_t value)
{
	return setsockopt(fd, SOL_ALTCONN, option, &value, sizeof(value));
}

int at_set_flag(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

bool at_sleeps(pid_t tid)
{
	char file[64], state = 0;
	FILE *f;

	snprintf(file, sizeof(file), "/proc/self/task/%d/stat", (int)tid);
	f = fopen(file, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(f);
	return state == 'S';
}

static void *job_run(void *arg)
{
	struct at_job *job = arg;

	atomic_store(&job->tid, (int)syscall(SYS_gettid));
	job->err = at_err(at_connect(job->fd, &job->addr));
	atomic_store(&job->done, true);
	return NULL;
}

int at_job_start(struct at_job *job, int fd, const struct at_addr *a)
{
	job->fd = fd;
	job->addr = *a;
	job->err = -1;
	atomic_init(&job->tid, 0);
	atomic_init(&job->done, false);
	return pthread_create(&job->thread, NULL, job_run, job) ? -1 : 0;
}

bool at_job_blocked(struct at_job *job)
{
	int tid;

	return at_until((tid = atomic_load(&job->tid)) &&
			(atomic_load(&job->done) || at_sleeps(tid))) &&
	       !atomic_load(&job->done);
}

int at_job_end(struct at_job *job)
{
	if (!at_until(atomic_load(&job->done)))
		return -1;
	pthread_join(job->thread, NULL);
	return job->err;
}

void at_job_signal(struct at_job *job, int sig)
{
	pthread_kill(job->thread, sig);
}

atomic_int at_caught;

static void caught(int sig)
{
	(void)sig;
	atomic_fetch_add(&at_caught, 1);
}

int at_catch(int sig, int flags)
{
	struct sigaction act = { .sa_handler = caught, .sa_flags = flags };

	return sigaction(sig, &act, NULL);
}

pid_t at_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid)
		return pid;
	npaths = 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(125);
	return 0;
}

int at_reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int at_become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
	    setresuid(65534, 65534, 65534))
		return -1;
	return 0;
}

int at_tell(int fd)
{
	return write(fd, "!", 1) == 1 ? 0 : -1;
}

int at_hear(int fd)
{
	char c;

	if (!(at_poll(fd, POLLIN) & POLLIN))
		return -1;
	return read(fd, &c, 1) == 1 ? 0 : -1;
}

/* A message of generic netlink, as simple as these programs need it */
struct nl_message {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char attrs[NL_ATTRS_MAX];
};

size_t nl_put(char *to, const struct nl_attr *attrs)
{
	char *at = to;

	for (; attrs && attrs->len; attrs++) {
		struct nlattr *attr = (struct nlattr *)at;

		attr->nla_type = attrs->type;
		attr->nla_len = NLA_HDRLEN + attrs->len;
		memcpy(at + NLA_HDRLEN, attrs->value, attrs->len);
		at += NLA_ALIGN(attr->nla_len);
	}
	return at - to;
}

static int nl_send(int fd, int type, int flags, int cmd,
		   const struct nl_attr *attrs)
{
	struct nl_message m = {
		.nlh.nlmsg_type = type,
		.nlh.nlmsg_flags = NLM_F_REQUEST | flags,
		.genl.cmd = cmd, .genl.version = 1,
	};

	m.nlh.nlmsg_len = offsetof(struct nl_message, attrs) +
			  nl_put(m.attrs, attrs);
	return send(fd, &m, m.nlh.nlmsg_len, 0) < 0 ? -1 : 0;
}

static int nl_family_id(int fd)
{
	char buf[8192];
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	int at = NLMSG_LENGTH(GENL_HDRLEN);
	const struct nl_attr name[] = {
		{ CTRL_ATTR_FAMILY_NAME, "altconn", sizeof("altconn") }, { }
	};
	struct nlattr *attr;

	if (nl_send(fd, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, name) ||
	    recv(fd, buf, sizeof(buf), 0) < at ||
	    nlh->nlmsg_type == NLMSG_ERROR)
		return -1;
	for (; at < (int)nlh->nlmsg_len; at += NLA_ALIGN(attr->nla_len)) {
		attr = (struct nlattr *)(buf + at);
		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(uint16_t *)((char *)attr + NLA_HDRLEN);
	}
	return -1;
}

/* Return the number in the first attribute of an answer, or 0. */
static uint32_t nl_number(const struct nl_message *m)
{
	const struct nlattr *attr = (const struct nlattr *)m->attrs;
	uint32_t value = 0;

	if (m->nlh.nlmsg_len >= offsetof(struct nl_message, attrs) +
				NLA_HDRLEN + sizeof(value))
		memcpy(&value, (const char *)attr + NLA_HDRLEN, sizeof(value));
	return value;
}

int nl_ask(int cmd, const struct nl_attr *attrs, uint32_t *number)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC), err = -1;
	union {
		struct nl_message m;
		struct {
			struct nlmsghdr nlh;
			struct nlmsgerr err;
		};
	} answer;
	int id = nl_family_id(fd);

	if (id < 0 || nl_send(fd, id, NLM_F_ACK, cmd, attrs))
		goto out;
	while (recv(fd, &answer, sizeof(answer), 0) > 0) {
		if (answer.nlh.nlmsg_type == NLMSG_ERROR) {
			err = -answer.err.error;
			break;
		}
		if (number)
			*number = nl_number(&answer.m);
	}
out:
	close(fd);
	return err;
}

int at_node_add(uint32_t id, const void *ip, int netns)
{
	const struct nl_attr attrs[] = {
		{ ALTCONN_A_NODE_ID, &id, sizeof(id) },
		{ ALTCONN_A_NODE_NETNS_FD, &netns, sizeof(netns) },
		{ ALTCONN_A_NODE_IP, ip, ip ? 16 : 0 }, { }
	};

	return nl_ask(ALTCONN_CMD_NODE_ADD, attrs, NULL);
}

int at_node_del(uint32_t id)
{
	const struct nl_attr attrs[] = {
		{ ALTCONN_A_NODE_ID, &id, sizeof(id) }, { }
	};

	return nl_ask(ALTCONN_CMD_NODE_DEL, attrs, NULL);
}

int at_node_set(uint32_t id, uint32_t state)
{
	const struct nl_attr attrs[] = {
		{ ALTCONN_A_NODE_ID, &id, sizeof(id) },
		{ ALTCONN_A_NODE_STATE, &state, sizeof(state) }, { }
	};

	return nl_ask(ALTCONN_CMD_NODE_SET, attrs, NULL);
}

int at_node_self(uint32_t id)
{
	const struct nl_attr attrs[] = {
		{ ALTCONN_A_NODE_ID, &id, id ? sizeof(id) : 0 }, { }
	};

	return nl_ask(ALTCONN_CMD_NODE_SELF, attrs, NULL);
}

int at_monitor(int *fd)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char rest[512];
	} answer;
	int id;

	*fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	id = nl_family_id(*fd);
	if (id < 0 || nl_send(*fd, id, 0, ALTCONN_CMD_MONITOR, NULL) ||
	    recv(*fd, &answer, sizeof(answer), 0) < 0)
		return errno;
	if (answer.nlh.nlmsg_type != NLMSG_ERROR)
		return 0;
	close(*fd);
	*fd = -1;
	return -answer.err.error;
}

static const struct nlattr *nl_find(const void *from, int len, int type)
{
	const struct nlattr *attr = from;

	while (len >= NLA_HDRLEN && attr->nla_len >= NLA_HDRLEN) {
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		len -= NLA_ALIGN(attr->nla_len);
		attr = (const void *)attr + NLA_ALIGN(attr->nla_len);
	}
	return NULL;
}

static const struct nlattr *nl_nested(const struct nlattr *in, int type)
{
	return in ? nl_find((const void *)in + NLA_HDRLEN,
			    in->nla_len - NLA_HDRLEN, type) : NULL;
}

static void nl_value(const struct nlattr *attr, void *value, size_t len)
{
	memset(value, 0, len);
	if (attr)
		memcpy(value, (const void *)attr + NLA_HDRLEN, len);
}

int at_event(int fd, struct at_event *ev)
{
	struct {
		struct nlmsghdr nlh;
		struct genlmsghdr genl;
		char attrs[2000];
	} m;
	ssize_t len = recv(fd, &m, sizeof(m), MSG_DONTWAIT);
	const struct nlattr *attr;

	if (len < 0)
		return errno == EAGAIN ? 0 : -1;
	len -= offsetof(typeof(m), attrs);
	if (len <= 0 || m.genl.cmd != ALTCONN_CMD_EVENT)
		return -1;
	nl_value(nl_find(m.attrs, len, ALTCONN_A_EVENT_SEQ), &ev->seq, 8);
	nl_value(nl_find(m.attrs, len, ALTCONN_A_EVENT_KIND), &ev->kind, 4);
	attr = nl_nested(nl_find(m.attrs, len, ALTCONN_A_EVENT_SERVER),
			 ALTCONN_A_END_ADDR);
	nl_value(nl_nested(attr, ALTCONN_A_ADDR_PORT), &ev->port, 4);
	return 1;
}

static int dump_begin(int cmd, const struct nl_attr *attrs)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	int id = nl_family_id(fd);

	if (id < 0 || nl_send(fd, id, NLM_F_DUMP, cmd, attrs))
		return fail(fd);
	return fd;
}

int at_dump_begin(int cmd)
{
	return dump_begin(cmd, NULL);
}

int at_dump_begin_one(int cmd, uint64_t id)
{
	const struct nl_attr attrs[] = {
		{ cmd == ALTCONN_CMD_ASSOC_GET ? ALTCONN_A_ASSOC_ID :
						 ALTCONN_A_SOCKET_ID,
		  &id, sizeof(id) },
		{},
	};

	return dump_begin(cmd, attrs);
}

static int dump_some(int fd, bool *more, bool *marked)
{
	uint64_t buf[8192];
	ssize_t len = recv(fd, buf, sizeof(buf), 0);
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	int n = 0;

	if (len < 0)
		return -1;
	*more = len > 0;
	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return -1;
		*marked |= nlh->nlmsg_flags & NLM_F_DUMP_INTR;
		if (nlh->nlmsg_type == NLMSG_DONE)
			*more = false;
		else
			n += nlh->nlmsg_type != NLMSG_NOOP;
	}
	return n;
}

int at_dump_some(int fd, bool *more)
{
	bool marked = false;

	return dump_some(fd, more, &marked);
}

int at_dump_marked(int fd)
{
	bool more = true, marked = false;

	while (more)
		if (dump_some(fd, &more, &marked) < 0)
			return -1;
	return marked;
}

int at_dump_rest(int fd)
{
	bool more = true;
	int sum = 0, n;

	while (more) {
		n = at_dump_some(fd, &more);
		if (n < 0)
			return -1;
		sum += n;
	}
	return sum;
}

int at_dump(int cmd)
{
	int fd = at_dump_begin(cmd), sum;

	if (fd < 0)
		return -1;
	sum = at_dump_rest(fd);
	close(fd);
	return sum;
}

static void trace_file(char *path, size_t size, const char *file)
{
	snprintf(path, size, "/sys/kernel/tracing/instances/altconn-%d%s%s",
		 getpid(), *file ? "/" : "", file);
}

int at_trace_open(void)
{
	char path[128];

	trace_file(path, sizeof(path), "");
	return mkdir(path, 0700);
}

int at_trace_put(const char *file, const char *text)
{
	char path[128];
	FILE *f;
	int ret;

	trace_file(path, sizeof(path), file);
	f = fopen(path, "w");
	if (!f)
		return -1;
	ret = fputs(text, f);
	return fclose(f) || ret < 0 ? -1 : 0;
}

FILE *at_trace_read(void)
{
	char path[128];

	trace_file(path, sizeof(path), "trace");
	return fopen(path, "r");
}

int at_trace_close(void)
{
	char path[128];

	trace_file(path, sizeof(path), "");
	return rmdir(path);
}

int at_netns(void)
{
	return unshare(CLONE_NEWNET);
}

int at_netns_fd(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

int at_netns_enter(int fd)
{
	return setns(fd, CLONE_NEWNET);
}

static void sysctl_file(char *buf, size_t len, const char *name)
{
	snprintf(buf, len, "/proc/sys/net/%s", name);
}

long at_sysctl(const char *name)
{
	char file[128];

	sysctl_file(file, sizeof(file), name);
	return read_long(file, -1);
}

int at_sysctl_set(const char *name, long value)
{
	char file[128], text[32];
	int fd, len, ret;

	sysctl_file(file, sizeof(file), name);
	fd = open(file, O_WRONLY);
	if (fd < 0)
		return -1;
	len = snprintf(text, sizeof(text), "%ld\n", value);
	ret = write(fd, text, len) == len ? 0 : -1;
	return ret ? fail(fd) : close(fd);
}

static void sum_blocks(struct at_sum *s, const uint8_t *p, size_t blocks)
{
	uint64_t word[AT_SUM_LANES];
	int i;

	for (; blocks; blocks--, p += AT_SUM_BLOCK) {
		memcpy(word, p, AT_SUM_BLOCK);
		for (i = 0; i < AT_SUM_LANES; i++) {
			s->a[i] += word[i];
			s->b[i] += s->a[i];
		}
	}
}

void at_sum(struct at_sum *s, const void *buf, size_t len)
{
	size_t n = AT_SUM_BLOCK - s->fill;
	const uint8_t *p = buf;

	if (s->fill) {
		n = len < n ? len : n;
		memcpy(s->part + s->fill, p, n);
		s->fill += n;
		p += n;
		len -= n;
		if (s->fill < AT_SUM_BLOCK)
			return;
		sum_blocks(s, s->part, 1);
		s->fill = 0;
	}
	sum_blocks(s, p, len / AT_SUM_BLOCK);
	s->fill = len % AT_SUM_BLOCK;
	memcpy(s->part, p + len - s->fill, s->fill);
}

bool at_sum_eq(const struct at_sum *x, const struct at_sum *y)
{
	return !memcmp(x->a, y->a, sizeof(x->a)) &&
	       !memcmp(x->b, y->b, sizeof(x->b)) && x->fill == y->fill &&
	       !memcmp(x->part, y->part, x->fill);
}

uint64_t at_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

void at_random_fill(uint64_t *state, void *buf, size_t len)
{
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = at_random(state) >> 32;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), n;

	n = write(fd, text, strlen(text));
	close(fd);
	return n == (int)strlen(text) ? 0 : -1;
}

static int fail_of(const char *which, int percent)
{
	static const struct knob { const char *name, *value; } knobs[] = {
		{ "ignore-gfp-wait", "N" }, { "task-filter", "Y" },
		{ "verbose", "0" }, { "times", "-1" }, { }
	};
	const struct knob *knob;
	char path[96], text[16];

	for (knob = knobs; knob->name; knob++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", which,
			 knob->name);
		if (write_text(path, knob->value))
			return -1;
	}
	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/probability", which);
	snprintf(text, sizeof(text), "%d", percent);
	return write_text(path, text);
}

int at_fail_allocations(int percent)
{
	if (fail_of("failslab", percent))
		return -1;
	/* By default a single page, which is of order 0, does not fail. */
	if (write_text("/sys/kernel/debug/fail_page_alloc/min-order", "0"))
		return -1;
	return fail_of("fail_page_alloc", percent);
}

int at_make_it_fail(bool on)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/make-it-fail",
		 (int)syscall(SYS_gettid));
	return write_text(path, on ? "1" : "0");
}

bool at_has_tool(void)
{
	char path[4096], file[4200], *save = NULL, *dir;

	snprintf(path, sizeof(path), "%s", getenv("PATH") ? : "");
	for (dir = strtok_r(path, ":", &save); dir;
	     dir = strtok_r(NULL, ":", &save)) {
		snprintf(file, sizeof(file), "%s/altconn", dir);
		if (!access(file, X_OK))
			return true;
	}
	return false;
}

/* Run a command without a shell, which takes less time on a slow machine. */
static FILE *spawn(char *cmd, pid_t *pid)
{
	char *words[MAX_WORDS + 1], *save = NULL;
	posix_spawn_file_actions_t out;
	size_t n = 0;
	int fds[2], err;

	words[0] = strtok_r(cmd, " ", &save);
	while (words[n] && n < MAX_WORDS)
		words[++n] = strtok_r(NULL, " ", &save);
	words[n] = NULL;
	if (pipe2(fds, O_CLOEXEC))
		return NULL;
	posix_spawn_file_actions_init(&out);
	posix_spawn_file_actions_adddup2(&out, fds[1], STDOUT_FILENO);
	err = posix_spawnp(pid, words[0], &out, NULL, words, environ);
	posix_spawn_file_actions_destroy(&out);
	close(fds[1]);
	if (!err)
		return fdopen(fds[0], "r");
	close(fds[0]);
	return NULL;
}

int at_tool(const char *fmt, ...)
{
	char cmd[512] = "altconn ";
	pid_t pid = 0;
	va_list ap;
	int n = 0;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(cmd + strlen(cmd), sizeof(cmd) - strlen(cmd), fmt, ap);
	va_end(ap);
	f = strpbrk(cmd, "|&;<>'\"\\*?$()") ? popen(cmd, "r") :
						spawn(cmd, &pid);
	if (!f)
		return -1;
	if (fscanf(f, "%d", &n) != 1)
		n = 0;
	/* Read to the end, else SIGPIPE ends the tool when it prints more. */
	while (fgetc(f) != EOF)
		;
	if (!pid)
		return pclose(f) ? -1 : n;
	fclose(f);
	return at_reap(pid) ? -1 : n;
}

const char *at_text(const struct at_addr *a, enum at_kind kind)
{
	static char text[512];
	char ip[INET6_ADDRSTRLEN];

	switch (kind) {
	case AT_PORT:
		snprintf(text, sizeof(text), "port:%d", at_port_of(a));
		break;
	case AT_PATH:
		snprintf(text, sizeof(text), "path:%s", at_path_of(a));
		break;
	case AT_INET:
		if (a->sa.sa_family == AF_INET6)
			snprintf(text, sizeof(text), "inet:[%s]:%d",
				 inet_ntop(AF_INET6, &a->in6.sin6_addr, ip,
					   sizeof(ip)), ntohs(a->in6.sin6_port));
		else
			snprintf(text, sizeof(text), "inet:127.0.0.1:%d",
				 at_port_of(a));
		break;
	default:
		snprintf(text, sizeof(text), "name:%.*s",
			 (int)(a->len - offsetof(struct sockaddr_un, sun_path) -
			       1), a->un.sun_path + 1);
	}
	return text;
}
