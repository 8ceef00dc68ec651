// SPDX-License-Identifier: GPL-2.0
/*
 * Compare what operations cost in altconn and in other local families. `make
 * bench` runs this program three times: on a guest with a clock that counts
 * instructions, and on guests with two and with eight CPUs. Each measurement has
 * a child process of its own.
 */
#include "bench.h"

#include <cpuid.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>

/* Seconds until a measurement is killed; no measurement takes so long. */
#define TIMEOUT	600

enum set { INSTRUCTIONS = 1, WALL = 2, BOTH = 3, WALL_8 = 4 };

static const char *const set_names[] = {
	[INSTRUCTIONS] = "instructions", [WALL] = "wall", [WALL_8] = "wall-8",
};

/*
 * The families for which a row is measured. ANY means all families and pipes.
 * SOCKETS means all families without pipes. ADDRESSES means the same, with each
 * kind of address, since the cost depends on the kind. OURS_AND_UNIX means only
 * altconn and AF_UNIX, which are sufficient to show whether the cost depends on
 * a number of objects.
 */
enum families { ANY, SOCKETS, ADDRESSES, OURS_AND_UNIX };

static const struct row {
	const char	*op;
	void		(*run)(const struct job *job);
	unsigned int	types;
	long		arg;
	long		times;
	enum set	set;
	enum families	families;
	/* The values of a metric are one run over time, not repetitions. */
	bool		series;
	/* The threads do not run under SCHED_BATCH. */
	bool		preempts;
} rows[] = {
	{ .op = "socket", .run = run_bare_socket, .types = STREAM,
	  .times = 4000, .set = INSTRUCTIONS, .families = SOCKETS },
	{ .op = "connect", .run = run_connect_two, .types = STREAM,
	  .times = 3000, .set = BOTH, .families = ADDRESSES },
	{ .op = "connect-preempted", .run = run_connect_two, .types = STREAM,
	  .times = 3000, .set = INSTRUCTIONS, .families = OURS_AND_UNIX,
	  .preempts = true },
	{ .op = "connect-one-thread", .run = run_connect_one, .types = STREAM,
	  .times = 3000, .set = INSTRUCTIONS, .families = ADDRESSES },
	{ .op = "ping-pong", .run = run_ping_pong, .types = STREAM | SEQPACKET,
	  .arg = 64, .times = 4000, .set = BOTH, .families = ANY },
	{ .op = "ping-pong", .run = run_ping_pong, .types = STREAM,
	  .arg = 65536, .times = 400, .set = BOTH, .families = SOCKETS },
	{ .op = "ping-pong", .run = run_ping_pong, .types = STREAM,
	  .arg = 131072, .times = 200, .set = INSTRUCTIONS,
	  .families = OURS_AND_UNIX },
	{ .op = "ping-pong", .run = run_ping_pong, .types = STREAM,
	  .arg = 262144, .times = 100, .set = INSTRUCTIONS,
	  .families = OURS_AND_UNIX },
	{ .op = "flow", .run = run_flow, .types = STREAM | SEQPACKET | DGRAM,
	  .arg = 64, .times = 30000, .set = BOTH, .families = ANY },
	{ .op = "flow", .run = run_flow, .types = STREAM, .arg = 1024,
	  .times = 20000, .set = WALL, .families = ANY },
	{ .op = "flow", .run = run_flow, .types = STREAM | SEQPACKET | DGRAM,
	  .arg = 4096, .times = 20000, .set = BOTH, .families = ANY },
	{ .op = "flow", .run = run_flow, .types = STREAM, .arg = 16384,
	  .times = 5000, .set = WALL, .families = ANY },
	{ .op = "flow", .run = run_flow, .types = STREAM | SEQPACKET,
	  .arg = 65536, .times = 2000, .set = BOTH, .families = ANY },
	{ .op = "flow", .run = run_flow, .types = STREAM, .arg = 262144,
	  .times = 400, .set = WALL, .families = ANY },
	{ .op = "flow", .run = run_flow, .types = STREAM, .arg = 1048576,
	  .times = 100, .set = WALL, .families = ANY },
	{ .op = "sendfile", .run = run_sendfile, .types = STREAM,
	  .arg = 1048576, .times = 100, .set = BOTH, .families = SOCKETS },
	{ .op = "pairs", .run = run_pairs, .types = STREAM, .arg = 2,
	  .times = 5000, .set = WALL, .families = ANY },
	{ .op = "pairs", .run = run_pairs, .types = STREAM, .arg = 8,
	  .times = 1500, .set = WALL, .families = ANY },
	{ .op = "pairs", .run = run_pairs, .types = STREAM, .arg = 64,
	  .times = 300, .set = WALL, .families = ANY },
	{ .op = "connect-one-listener", .run = run_connect_rate,
	  .types = STREAM, .arg = 4, .times = 1000, .set = WALL,
	  .families = ADDRESSES },
	{ .op = "connect-many-listeners", .run = run_connect_many,
	  .types = STREAM, .arg = 4, .times = 1000, .set = WALL | WALL_8,
	  .families = SOCKETS },
	{ .op = "connect-many-listeners", .run = run_connect_many,
	  .types = STREAM, .arg = 8, .times = 500, .set = WALL_8,
	  .families = OURS_AND_UNIX },
	{ .op = "ping-pong-pairs", .run = run_ping_pong_pairs, .types = STREAM,
	  .arg = 8, .times = 1000, .set = WALL_8, .families = OURS_AND_UNIX },
	{ .op = "fan-in", .run = run_fan_in, .types = DGRAM, .arg = 64,
	  .times = 500, .set = BOTH, .families = SOCKETS },
	{ .op = "latency", .run = run_latency, .types = STREAM | SEQPACKET,
	  .arg = 64, .times = 5000, .set = WALL, .families = ANY },
	/* vsock needs minutes for this operation. */
	{ .op = "latency-beside-64", .run = run_loaded_latency, .types = STREAM,
	  .arg = 64, .times = 1000, .set = WALL, .families = OURS_AND_UNIX },
	{ .op = "requests", .run = run_requests, .types = STREAM,
	  .arg = 100, .times = 100, .set = WALL, .families = OURS_AND_UNIX },
	{ .op = "requests", .run = run_requests, .types = STREAM,
	  .arg = 1000, .times = 1000, .set = WALL, .families = OURS_AND_UNIX },
	{ .op = "requests", .run = run_requests, .types = STREAM,
	  .arg = 10000, .times = 5000, .set = WALL, .families = OURS_AND_UNIX },
	{ .op = "requests-busy", .run = run_requests_busy, .types = STREAM,
	  .arg = 100, .times = 100, .set = WALL, .families = OURS_AND_UNIX },
	{ .op = "requests-busy", .run = run_requests_busy, .types = STREAM,
	  .arg = 1000, .times = 1000, .set = WALL, .families = OURS_AND_UNIX },
	{ .op = "requests-busy", .run = run_requests_busy, .types = STREAM,
	  .arg = 10000, .times = 5000, .set = WALL, .families = OURS_AND_UNIX },
	{ .op = "idle-pair", .run = run_idle, .types = STREAM, .arg = 3000,
	  .set = INSTRUCTIONS, .families = SOCKETS },
	{ .op = "burst", .run = run_burst, .types = STREAM, .arg = 300,
	  .set = INSTRUCTIONS, .families = SOCKETS },
	{ .op = "connect-among", .run = run_connect_among, .types = STREAM,
	  .arg = 1000, .times = 2000, .set = INSTRUCTIONS,
	  .families = OURS_AND_UNIX },
	{ .op = "connect-among", .run = run_connect_among, .types = STREAM,
	  .arg = 100000, .times = 2000, .set = INSTRUCTIONS,
	  .families = OURS_AND_UNIX },
	{ .op = "waiters", .run = run_waiters, .types = STREAM, .arg = 10,
	  .set = INSTRUCTIONS, .families = OURS_AND_UNIX },
	{ .op = "waiters", .run = run_waiters, .types = STREAM, .arg = 10000,
	  .set = INSTRUCTIONS, .families = OURS_AND_UNIX },
	{ .op = "last-port", .run = run_last_port, .types = STREAM, .arg = 100,
	  .times = 2000, .set = INSTRUCTIONS, .families = OURS_AND_UNIX },
	{ .op = "last-port", .run = run_last_port, .types = STREAM,
	  .arg = 50000, .times = 2000, .set = INSTRUCTIONS,
	  .families = OURS_AND_UNIX },
	{ .op = "overload", .run = run_overload, .types = STREAM, .arg = 200,
	  .times = 220, .set = INSTRUCTIONS, .families = OURS_AND_UNIX,
	  .series = true },
};

static struct {
	enum set	set;
	int		repeat;
	const char	*families;
	const char	*ops;
	const char	*json;
	const char	*types;
	long		arg;
} opt = { .arg = -1, .repeat = 3 };

static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);
	const char *p = list;

	while (p && *p) {
		size_t n = strcspn(p, ",");

		if (n == len && !strncmp(p, name, n))
			return true;
		p += n + (p[n] == ',');
	}
	return !list;
}

static bool wanted(const struct row *row, const struct family *f)
{
	if (!(row->set & opt.set) || !listed(opt.ops, row->op) ||
	    !listed(opt.families, f->name))
		return false;
	if (opt.arg >= 0 && row->arg != opt.arg)
		return false;
	if (row->families != ANY && !f->make_addr)
		return false;
	if (opt.families)
		return true;
	if (row->families == OURS_AND_UNIX)
		return !strcmp(f->name, "altconn") ||
		       !strcmp(f->name, "altconn-name") ||
		       !strcmp(f->name, "unix");
	return row->families == ADDRESSES || !f->detail;
}

/* The values of one metric, one for each repetition or step */
struct metric {
	char	name[32];
	char	unit[16];
	double	values[256];
	int	n;
};

static struct metric *find(struct metric *metrics, const char *name,
			   const char *unit)
{
	struct metric *m = metrics;

	for (; *m->name; m++) {
		if (!strcmp(m->name, name))
			return m;
	}
	snprintf(m->name, sizeof(m->name), "%s", name);
	snprintf(m->unit, sizeof(m->unit), "%s", unit);
	return m;
}

static void child(const struct row *row, const struct job *job, int fd)
{
	struct sched_param param = {};

	results = fdopen(fd, "w");
	/*
	 * A batch task does not preempt another task when it is woken. So how
	 * often two tasks take turns depends on the family, not on what the
	 * tasks did before.
	 */
	if (opt.set == INSTRUCTIONS &&
	    sched_setscheduler(0, row->preempts ? SCHED_OTHER : SCHED_BATCH,
			       &param))
		die("sched_setscheduler");
	signal(SIGPIPE, SIG_IGN);
	alarm(TIMEOUT);
	row->run(job);
	_exit(0);
}

/* Make one measurement. Return false if it fails. */
static bool measure(const struct row *row, const struct job *job,
		    struct metric *metrics)
{
	char name[32], unit[16];
	int fds[2], status;
	double value;
	pid_t pid;
	FILE *f;

	if (pipe(fds))
		die("pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		child(row, job, fds[1]);
	close(fds[1]);
	f = fdopen(fds[0], "r");
	while (fscanf(f, "%31s %15s %lf", name, unit, &value) == 3) {
		struct metric *m = find(metrics, name, unit);

		if (m->n < (int)ARRAY_SIZE(m->values))
			m->values[m->n++] = value;
	}
	fclose(f);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(struct metric *m)
{
	qsort(m->values, m->n, sizeof(*m->values), compare);
	return m->values[m->n / 2];
}

/* Write the values of a series as one string, with spaces between. */
static void add_series(json_object *o, const struct metric *m)
{
	char text[ARRAY_SIZE(m->values) * 12], *end = text;
	int i;

	for (i = 0; i < m->n; i++)
		end += sprintf(end, i ? " %.0f" : "%.0f", m->values[i]);
	json_object_object_add(o, "series", json_object_new_string(text));
}

static void add(json_object *all, const struct row *row, const struct job *job,
		struct metric *m)
{
	bool plain = !strcmp(m->name, "-");
	json_object *o = json_object_new_object();
	double value = row->series ? m->values[m->n - 1] : median(m);

	printf("%-24s %-10s %7ld %-9s %-17s %14.1f %s\n", row->op,
	       type_names[job->type], job->arg, plain ? "" : m->name,
	       job->f->name, value, m->unit);
	fflush(stdout);
	json_object_object_add(o, "op", json_object_new_string(row->op));
	json_object_object_add(o, "type",
			       json_object_new_string(type_names[job->type]));
	json_object_object_add(o, "arg", json_object_new_int64(job->arg));
	json_object_object_add(o, "metric",
			       json_object_new_string(plain ? "" : m->name));
	json_object_object_add(o, "family",
			       json_object_new_string(job->f->name));
	json_object_object_add(o, "unit", json_object_new_string(m->unit));
	json_object_object_add(o, "value", json_object_new_double(value));
	/* median() has sorted the values of the repetitions. */
	json_object_object_add(o, "best",
			       json_object_new_double(row->series ? value :
						      m->values[0]));
	if (row->series)
		add_series(o, m);
	json_object_array_add(all, o);
}

static bool measure_row(json_object *all, const struct row *row,
			const struct family *f, enum type type)
{
	struct job job = {
		.f = f, .type = type, .arg = row->arg, .times = row->times,
	};
	struct metric metrics[9] = {}, *m;
	bool ok = true;
	int i;

	for (i = 0; i < (row->series ? 1 : opt.repeat) && ok; i++)
		ok = measure(row, &job, metrics);
	if (!ok)
		printf("%-24s %-10s %7ld %-9s %-17s %14s\n", row->op,
		       type_names[type], row->arg, "", f->name, "failed");
	for (m = metrics; ok && *m->name; m++)
		add(all, row, &job, m);
	return ok;
}

/* Return whether a family is one of the address formats of altconn. */
static bool is_ours(const struct family *f)
{
	return !strncmp(f->name, "altconn", strlen("altconn"));
}

static bool measure_all(json_object *all)
{
	bool present[16], ok = true;
	unsigned int r, type;
	int i;

	for (i = 0; i < nfamilies; i++) {
		present[i] = family_present(&families[i]);
		if (!present[i])
			fprintf(stderr, "this kernel does not have %s\n",
				families[i].name);
	}
	for (r = 0; r < ARRAY_SIZE(rows); r++) {
		for (type = STREAM; type <= DGRAM; type <<= 1) {
			for (i = 0; i < nfamilies; i++) {
				if (present[i] &&
				    rows[r].types & families[i].types & type &&
				    listed(opt.types, type_names[type]) &&
				    wanted(&rows[r], &families[i]))
					ok &= measure_row(all, &rows[r],
							  &families[i],
							  type) ||
					      !is_ours(&families[i]);
			}
		}
	}
	return ok;
}

/* Return whether KVM runs the guest, so that no CPU is emulated. */
static bool runs_on_kvm(void)
{
	unsigned int max, name[3] = {};

	__cpuid(0x40000000, max, name[0], name[1], name[2]);
	return max && !memcmp(name, "KVMKVMKVM", 9);
}

static void write_json(json_object *all)
{
	const char *clock = set_names[opt.set & WALL ? WALL : opt.set];
	json_object *o = json_object_new_object();
	struct utsname u;

	uname(&u);
	json_object_object_add(o, "kernel", json_object_new_string(u.release));
	json_object_object_add(o, "clock", json_object_new_string(clock));
	json_object_object_add(o, "kvm", json_object_new_boolean(runs_on_kvm()));
	json_object_object_add(o, "results", all);
	if (json_object_to_file_ext(opt.json, o, JSON_C_TO_STRING_PRETTY))
		die(opt.json);
}

static const char usage[] =
"usage: bench [--set instructions|wall|wall-8] [--repeat N] [--family A,B...]\n"
"             [--op A,B...] [--type T,U...] [--arg N] [--json FILE]\n";

static bool parse_set(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(set_names); i++)
		if (set_names[i] && !strcmp(set_names[i], name))
			opt.set = i;
	return opt.set;
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "set", required_argument, NULL, 's' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "family", required_argument, NULL, 'f' },
		{ "op", required_argument, NULL, 'o' },
		{ "type", required_argument, NULL, 't' },
		{ "arg", required_argument, NULL, 'a' },
		{ "json", required_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's' && parse_set(optarg)) {
			continue;
		} else if (c == 'r' && atoi(optarg) > 0 && atoi(optarg) < 16) {
			opt.repeat = atoi(optarg);
		} else if (c == 'f') {
			opt.families = optarg;
		} else if (c == 'o') {
			opt.ops = optarg;
		} else if (c == 't') {
			opt.types = optarg;
		} else if (c == 'a') {
			opt.arg = atol(optarg);
		} else if (c == 'j') {
			opt.json = optarg;
		} else {
			fputs(usage, c == 'h' ? stdout : stderr);
			exit(c == 'h' ? 0 : 2);
		}
	}
}

int main(int argc, char **argv)
{
	json_object *all = json_object_new_array();
	bool ok;

	parse(argc, argv);
	/* An operation that the user names is measured with any clock. */
	if (!opt.set)
		opt.set = opt.ops ? BOTH | WALL_8 : WALL;
	/*
	 * On one CPU, a task that is woken must not preempt another task, so
	 * that the cost is the same in each run.
	 */
	if (opt.set == INSTRUCTIONS &&
	    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param) {}))
		die("sched_setscheduler");
	ok = measure_all(all);
	/* With --json, the run with the other clock may have the results. */
	if (!json_object_array_length(all) && !opt.json) {
		fputs("bench: nothing was measured\n", stderr);
		ok = false;
	}
	if (opt.json)
		write_json(all);
	return ok ? 0 : 1;
}
