// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn ping" measures how long it takes to connect.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/command.h"
#include "lib/endpoint.h"
#include "lib/message.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/parse.h"
#include "lib/reason.h"
#include "lib/sample.h"

static const struct opt ping_opts[] = {
	{ 't', "type", "TYPE", "stream seqpacket",
	  "type of socket; stream by default" },
	{ 'c', "count", "N", NULL,
	  "end after this many attempts; by default, at a signal" },
	{ 'i', "interval", "SECONDS", NULL,
	  "time between two attempts; 1 by default, 0 for none" },
	{ 'q', "quiet", NULL, NULL, "print only the summary" },
	ENDPOINT_OPTS,
	OUT_OPT_JSON,
	{ }
};

/**
 * struct ping - options and results
 * @ep: address to connect to, and options of the sockets
 * @style: style of the output
 * @count: number of attempts to make; 0 is no limit
 * @interval: time between two attempts, seconds
 * @quiet: do not print a line for each attempt
 * @ns: duration of each attempt that has succeeded, ns
 * @n: number of attempts that have succeeded
 * @failed: number of attempts that have failed
 */
struct ping {
	struct endpoint ep;
	struct out_style style;
	unsigned long count;
	double interval;
	bool quiet;
	uint64_t *ns;
	size_t n, failed;
};

static atomic_bool ping_interrupted;

static void ping_on_signal(int sig)
{
	(void)sig;
	atomic_store(&ping_interrupted, true);
}

static uint64_t ping_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static int ping_print_attempt(const struct ping *p, int err, uint64_t ns,
			      const struct altconn_connect_info *info)
{
	struct out *out;

	if (p->quiet)
		return EXIT_OK;
	out = out_open_text(&p->style);
	out_row(out);
	out_text(out, "%s: ", p->ep.text);
	if (err)
		out_text(out, "%s: %s", strerrorname_np(err) ? : "failed",
			 reason_text(info->aci_reason));
	else
		out_text(out, "connected in %.1f us", ns / 1e3);
	if (!err && info->aci_waited_ns)
		out_text(out, ", of which it waited %.1f us",
			 info->aci_waited_ns / 1e3);
	out_row_end(out);
	return out_close(out);
}

/* Make one attempt. */
static int ping_connect(struct ping *p)
{
	struct altconn_connect_info info;
	int fd = endpoint_socket(&p->ep), err;
	uint64_t ns;

	if (fd < 0)
		return EXIT_FAILED;
	ns = ping_clock_ns();
	err = endpoint_connect(&p->ep, fd, &info);
	ns = ping_clock_ns() - ns;
	close(fd);
	if (err == EINTR && ping_interrupted)
		return EXIT_OK;
	if (err) {
		p->failed++;
	} else {
		p->ns = array_add(p->ns, p->n, sizeof(*p->ns));
		p->ns[p->n++] = ns;
	}
	return ping_print_attempt(p, err, ns, &info);
}

static int ping_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Print percentiles of p->ns, which is sorted. */
static void ping_put_percentiles(struct out *out, const struct ping *p)
{
	static const struct {
		const char *key, *name;
		unsigned int percent;
	} percentiles[] = {
		{ "min_ns", "min", 0 },
		{ "p50_ns", "p50", 50 },
		{ "p90_ns", "p90", 90 },
		{ "p99_ns", "p99", 99 },
		{ "max_ns", "max", 100 },
	};
	uint64_t ns;
	size_t i;

	for (i = 0; p->n && i < ARRAY_SIZE(percentiles); i++) {
		ns = p->ns[sample_rank(p->n, percentiles[i].percent) - 1];
		out_text(out, "%s%s %.1f us", i ? ", " : "\n",
			 percentiles[i].name, ns / 1e3);
		out_uint(out, percentiles[i].key, NULL, ns);
	}
}

static int ping_print_summary(struct ping *p)
{
	struct out *out = out_open_text(&p->style);
	int ret;

	qsort(p->ns, p->n, sizeof(*p->ns), ping_compare);
	out_row(out);
	out_text(out, "%s%zu attempts, %zu connected, %zu failed",
		 p->quiet ? "" : "\n", p->n + p->failed, p->n, p->failed);
	out_string(out, "address", NULL, p->ep.text);
	out_uint(out, "connected", NULL, p->n);
	out_uint(out, "failed", NULL, p->failed);
	ping_put_percentiles(out, p);
	out_row_end(out);
	ret = out_close(out);
	return p->n ? ret : EXIT_FAILED;
}

static int ping_option(struct ping *p, int key)
{
	switch (key) {
	case 'c':
		if (parse_count(optarg, &p->count))
			return EXIT_OK;
		message_error("ping: '%s' is no count of attempts", optarg);
		return EXIT_USAGE;
	case 'i':
		if (parse_number(optarg, 0, 1e9, &p->interval))
			return EXIT_OK;
		message_error("ping: '%s' is no interval", optarg);
		return EXIT_USAGE;
	case 'q':
		p->quiet = true;
		return EXIT_OK;
	case 'j':
		p->style.json = true;
		p->quiet = true;
		return EXIT_OK;
	default:
		return endpoint_option(&p->ep, key);
	}
}

static void ping_sleep(double seconds)
{
	struct timespec t = {
		.tv_sec = seconds,
		.tv_nsec = (seconds - (time_t)seconds) * 1e9,
	};

	/* A signal ends the wait. */
	nanosleep(&t, NULL);
}

/* Make attempts. Return EXIT_OK at the last one, or when a signal arrives. */
static int ping_repeat(struct ping *p)
{
	const struct sigaction act = { .sa_handler = ping_on_signal };
	int ret = EXIT_OK;
	unsigned long i;

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	for (i = 0; ret == EXIT_OK && !ping_interrupted &&
	     (!p->count || i < p->count); i++) {
		if (i && p->interval > 0)
			ping_sleep(p->interval);
		if (!ping_interrupted)
			ret = ping_connect(p);
	}
	return ret;
}

/* The command fails if no attempt has succeeded. */
static int ping_main(const struct command *cmd, int argc, char **argv)
{
	struct ping p = { .interval = 1, .style.tight = true };
	int key, ret = EXIT_OK;

	endpoint_init(&p.ep, cmd->name);
	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1)
		ret = ping_option(&p, key);
	if (ret == EXIT_OK)
		ret = endpoint_address(&p.ep, argc, argv);
	if (ret != EXIT_OK)
		return ret;
	ret = ping_repeat(&p);
	if (ret == EXIT_OK)
		ret = ping_print_summary(&p);
	free(p.ns);
	return ret;
}

const struct command command_ping = {
	.name = "ping",
	.run = ping_main,
	.help = "measure how long it takes to connect",
	.synopsis = "[OPTION...] ADDRESS",
	.opts = ping_opts,
};
