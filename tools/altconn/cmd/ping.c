// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn ping" measures how long it takes to connect.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "lib/endpoint.h"
#include "lib/reason.h"

const struct opt ping_opts[] = {
	{ 't', "type", "TYPE", "stream seqpacket", "type of socket; stream if left out" },
	{ 'c', "count", "N", NULL, "so many attempts; else until it is interrupted" },
	{ 'i', "interval", "SECONDS", NULL, "from one to the next; 1 if left out, 0 for none" },
	{ 'q', "quiet", NULL, NULL, "print the summary alone" },
	ENDPOINT_OPTS,
	OPT_JSON_ENTRY,
	{ }
};

/**
 * struct ping - options and results
 * @ep: address to connect to, and options of the sockets
 * @count: number of attempts to make; 0 is no limit
 * @interval: time between two attempts, seconds
 * @quiet: do not print a line for each attempt
 * @json: print the summary as JSON
 * @ns: duration of each attempt that has succeeded, ns
 * @n: number of attempts that have succeeded
 * @failed: number of attempts that have failed
 */
struct ping {
	struct endpoint ep;
	unsigned long count;
	double interval;
	bool quiet, json;
	uint64_t *ns;
	size_t n, failed;
};

static atomic_bool interrupted;

static void on_signal(int sig)
{
	(void)sig;
	atomic_store(&interrupted, true);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void keep(struct ping *p, uint64_t ns)
{
	if (!(p->n & (p->n - 1)))
		p->ns = grow(p->ns, p->n ? 2 * p->n : 1, sizeof(*p->ns));
	p->ns[p->n++] = ns;
}

static void tell(const struct ping *p, int err, uint64_t ns,
		 const struct altconn_connect_info *info)
{
	const char *name = strerrorname_np(err);

	if (p->quiet)
		return;
	if (err)
		printf("%s: %s: %s\n", p->ep.text, name ? : "failed",
		       reason_text(info->aci_reason));
	else if (info->aci_waited_ns)
		printf("%s: connected in %.1f us, of which it waited %.1f us\n",
		       p->ep.text, ns / 1e3, info->aci_waited_ns / 1e3);
	else
		printf("%s: connected in %.1f us\n", p->ep.text, ns / 1e3);
	fflush(stdout);
}

static int once(struct ping *p)
{
	struct altconn_connect_info info;
	int fd = endpoint_socket(&p->ep), err;
	uint64_t ns;

	if (fd < 0)
		return EXIT_FAILED;
	ns = now_ns();
	err = endpoint_connect(&p->ep, fd, &info);
	ns = now_ns() - ns;
	close(fd);
	if (err == EINTR && interrupted)
		return EXIT_OK;
	if (err)
		p->failed++;
	else
		keep(p, ns);
	tell(p, err, ns, &info);
	return EXIT_OK;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Return the smallest duration that @percent per cent of the attempts have not
 * exceeded. p->ns is sorted.
 */
static uint64_t percentile(const struct ping *p, unsigned int percent)
{
	size_t rank = (p->n * percent + 99) / 100;

	return p->ns[rank ? rank - 1 : 0];
}

static const struct {
	const char *key, *name;
	unsigned int percent;
} shown[] = {
	{ "min_ns", "min", 0 },
	{ "p50_ns", "p50", 50 },
	{ "p90_ns", "p90", 90 },
	{ "p99_ns", "p99", 99 },
	{ "max_ns", "max", 100 },
};

static void print_json(const struct ping *p)
{
	struct json_object *o = json_object_new_object();
	uint64_t ns;
	size_t i;

	json_object_object_add(o, "address", json_object_new_string(p->ep.text));
	json_object_object_add(o, "connected", json_object_new_uint64(p->n));
	json_object_object_add(o, "failed", json_object_new_uint64(p->failed));
	for (i = 0; p->n && i < ARRAY_SIZE(shown); i++) {
		ns = percentile(p, shown[i].percent);
		json_object_object_add(o, shown[i].key,
				       json_object_new_uint64(ns));
	}
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void print_text(const struct ping *p)
{
	size_t i;

	printf("%s%zu attempts, %zu connected, %zu failed\n",
	       p->quiet ? "" : "\n", p->n + p->failed, p->n, p->failed);
	for (i = 0; p->n && i < ARRAY_SIZE(shown); i++)
		printf("%s%s %.1f us", i ? ", " : "", shown[i].name,
		       percentile(p, shown[i].percent) / 1e3);
	if (p->n)
		putchar('\n');
}

static int summary(struct ping *p)
{
	qsort(p->ns, p->n, sizeof(*p->ns), compare);
	if (p->json)
		print_json(p);
	else
		print_text(p);
	if (fflush(stdout) || ferror(stdout)) {
		complain("ping: cannot write: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return p->n ? EXIT_OK : EXIT_FAILED;
}

static int parse_number(const char *text, const char *what, double *value)
{
	char *end;

	*value = strtod(text, &end);
	if (end != text && !*end && *value >= 0 && *value <= 1e9)
		return EXIT_OK;
	complain("ping: '%s' is no %s", text, what);
	return EXIT_USAGE;
}

static int take_option(struct ping *p, int key)
{
	double value;
	int ret;

	switch (key) {
	case 'c':
		ret = parse_number(optarg, "count", &value);
		p->count = value;
		if (ret == EXIT_OK && !p->count) {
			complain("ping: 0 attempts tell nothing");
			ret = EXIT_USAGE;
		}
		return ret;
	case 'i':
		return parse_number(optarg, "interval", &p->interval);
	case 'q':
		p->quiet = true;
		return EXIT_OK;
	case 'j':
		p->json = true;
		p->quiet = true;
		return EXIT_OK;
	default:
		return endpoint_option(&p->ep, key);
	}
}

static void wait_interval(double seconds)
{
	struct timespec t = {
		.tv_sec = seconds,
		.tv_nsec = (seconds - (time_t)seconds) * 1e9,
	};

	/* A signal ends the wait. */
	nanosleep(&t, NULL);
}

/**
 * ping_main - run "altconn ping"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code, which is EXIT_FAILED if no attempt has succeeded.
 */
int ping_main(const struct command *cmd, int argc, char **argv)
{
	const struct sigaction act = { .sa_handler = on_signal };
	struct ping p = { .interval = 1 };
	int key, ret = EXIT_OK;
	unsigned long i;

	endpoint_init(&p.ep, cmd->name);
	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1)
		ret = take_option(&p, key);
	if (ret == EXIT_OK)
		ret = endpoint_address(&p.ep, argc, argv);
	if (ret != EXIT_OK)
		return ret;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	for (i = 0; ret == EXIT_OK && !interrupted &&
	     (!p.count || i < p.count); i++) {
		if (i && p.interval > 0)
			wait_interval(p.interval);
		if (!interrupted)
			ret = once(&p);
	}
	if (ret == EXIT_OK)
		ret = summary(&p);
	free(p.ns);
	return ret;
}
