// SPDX-License-Identifier: GPL-2.0
/* Measure the cost of sending and receiving. */
#include "bench.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

/* Bytes that a reader of a stream receives at a time */
#define BUFFER	(64 << 10)

struct flow {
	const struct job	*job;
	int			fd;
	int			cpu;
	size_t			size;
	long			times;
	const bool		*stop;
};

static void *echo(void *arg)
{
	struct flow *f = arg;
	char *buf = zalloc(f->size);
	size_t n;

	pin(f->cpu);
	while ((n = recv_some(f->fd, buf, f->size)))
		send_whole(f->fd, buf, n);
	free(buf);
	return NULL;
}

/* Echo over two pipes, since a pipe has one direction. */
static void *pipe_echo(void *arg)
{
	int *fds = arg;
	char buf[64];
	size_t n;

	pin(1);
	while ((n = recv_some(fds[0], buf, sizeof(buf))))
		send_whole(fds[1], buf, n);
	return NULL;
}

/*
 * Start a thread that echoes: data that is written to fds[0] can be read from
 * fds[1]. Return the thread.
 */
static pthread_t start_echo(const struct job *job, int fds[2],
			    struct flow *f)
{
	static int there[2], back[2], ends[2];

	if (job->f->make_addr) {
		make_pair(job, ends);
		*f = (struct flow) {
			.fd = ends[1], .cpu = 1, .size = job->arg
		};
		fds[0] = ends[0];
		fds[1] = ends[0];
		return spawn(echo, f);
	}
	make_pair(job, there);
	make_pair(job, back);
	fds[0] = there[0];
	fds[1] = back[1];
	ends[0] = there[1];
	ends[1] = back[0];
	return spawn(pipe_echo, ends);
}

static void bounce(const int fds[2], char *buf, size_t size)
{
	size_t n = 0;

	send_whole(fds[0], buf, size);
	while (n < size)
		n += recv_some(fds[1], buf + n, size - n);
}

/* Send @arg bytes there and back. */
void run_ping_pong(const struct job *job)
{
	char *buf = zalloc(job->arg);
	struct flow f;
	int fds[2];
	pthread_t thread = start_echo(job, fds, &f);
	uint64_t begin;
	long i;

	pin(0);
	for (i = 0; i < 100; i++)
		bounce(fds, buf, job->arg);
	begin = now();
	for (i = 0; i < job->times; i++)
		bounce(fds, buf, job->arg);
	result("", "ns", (double)(now() - begin) / job->times);
	close(fds[0]);
	join(thread);
}

/* Send 64 bytes there and back, f->times times. */
static void *bouncer(void *arg)
{
	const struct flow *f = arg;
	const int fds[2] = { f->fd, f->fd };
	char buf[64] = {};
	long i;

	pin(f->cpu);
	for (i = 0; i < f->times; i++)
		bounce(fds, buf, sizeof(buf));
	return NULL;
}

/* Send 64 bytes there and back over each of @arg pairs at the same time. */
void run_ping_pong_pairs(const struct job *job)
{
	struct flow *ends = zalloc(2 * job->arg * sizeof(*ends));
	pthread_t *threads = zalloc(2 * job->arg * sizeof(*threads));
	uint64_t begin;
	long i;

	for (i = 0; i < job->arg; i++) {
		int fds[2];

		make_pair(job, fds);
		ends[2 * i] = (struct flow) {
			.fd = fds[0], .cpu = i, .times = job->times,
		};
		ends[2 * i + 1] = (struct flow) {
			.fd = fds[1], .cpu = i + 1, .size = 64,
		};
	}
	begin = now();
	for (i = 0; i < 2 * job->arg; i++)
		threads[i] = spawn(i % 2 ? echo : bouncer, &ends[i]);
	for (i = 0; i < 2 * job->arg; i += 2)
		join(threads[i]);
	result("", "ns", (double)(now() - begin) / (job->times * job->arg));
	for (i = 0; i < 2 * job->arg; i += 2) {
		close(ends[i].fd);
		join(threads[i + 1]);
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void percentiles(const struct job *job)
{
	uint64_t *took = zalloc(job->times * sizeof(*took));
	char *buf = zalloc(job->arg);
	struct flow f;
	int fds[2];
	pthread_t thread = start_echo(job, fds, &f);
	long i;

	pin(0);
	for (i = 0; i < 100; i++)
		bounce(fds, buf, job->arg);
	for (i = 0; i < job->times; i++) {
		uint64_t begin = now();

		bounce(fds, buf, job->arg);
		took[i] = now() - begin;
	}
	close(fds[0]);
	join(thread);
	qsort(took, job->times, sizeof(*took), compare);
	result("p50", "ns", took[job->times / 2]);
	result("p90", "ns", took[job->times * 9 / 10]);
	result("p99", "ns", took[job->times * 99 / 100]);
	result("p99.9", "ns", took[job->times * 999 / 1000]);
}

void run_latency(const struct job *job)
{
	percentiles(job);
}

static void *writer(void *arg)
{
	struct flow *f = arg;
	char *buf = zalloc(f->size);
	long i;

	pin(f->cpu);
	for (i = 0; i < f->times && !(f->stop && *f->stop); i++)
		send_whole(f->fd, buf, f->size);
	close(f->fd);
	free(buf);
	return NULL;
}

static size_t reader_buffer(const struct flow *f)
{
	return f->job->type == STREAM && f->size < BUFFER ? BUFFER : f->size;
}

static void *reader(void *arg)
{
	struct flow *f = arg;
	size_t size = reader_buffer(f), left = f->times * f->size;
	char *buf = zalloc(size);
	size_t n = 1;

	pin(f->cpu);
	/* Datagrams have no end of file, so count the bytes. */
	for (; left && n; left -= n)
		n = recv_some(f->fd, buf, size);
	free(buf);
	return NULL;
}

static uint64_t flow(const struct job *job, long times)
{
	struct flow w = {
		.job = job, .cpu = 0, .size = job->arg, .times = times,
	};
	struct flow r = w;
	pthread_t thread;
	uint64_t begin;
	int fds[2];

	make_pair(job, fds);
	w.fd = fds[0];
	r.fd = fds[1];
	r.cpu = 1;
	begin = now();
	thread = spawn(reader, &r);
	writer(&w);
	join(thread);
	begin = now() - begin;
	close(r.fd);
	return begin;
}

/* Send messages of @arg bytes in one direction. */
void run_flow(const struct job *job)
{
	flow(job, job->times / 10 + 1);
	result("", "ns", (double)flow(job, job->times) / job->times);
}

/* Send a file of @arg bytes @times times. Return the elapsed time in ns. */
static uint64_t send_file(const struct job *job, int file, long times)
{
	struct flow r = {
		.job = job, .cpu = 1, .size = job->arg, .times = times,
	};
	pthread_t thread;
	uint64_t begin;
	int fds[2];

	make_pair(job, fds);
	r.fd = fds[1];
	pin(0);
	begin = now();
	thread = spawn(reader, &r);
	while (times--) {
		long left = job->arg;
		off_t at = 0;

		while (left) {
			ssize_t n = sendfile(fds[0], file, &at, left);

			if (n <= 0)
				die("sendfile");
			left -= n;
		}
	}
	join(thread);
	begin = now() - begin;
	close(fds[0]);
	close(fds[1]);
	return begin;
}

/* Send a file of @arg bytes with sendfile(). */
void run_sendfile(const struct job *job)
{
	int file = memfd_create("bench", 0);
	char *data = zalloc(job->arg);

	memset(data, 'x', job->arg);
	if (file < 0 || write(file, data, job->arg) != job->arg)
		die("memfd_create");
	free(data);
	send_file(job, file, job->times / 10 + 1);
	result("", "ns",
	       (double)send_file(job, file, job->times) / job->times);
	close(file);
}

/* Send messages of 4 KiB over @arg pairs at the same time. */
void run_pairs(const struct job *job)
{
	struct flow *ends = zalloc(2 * job->arg * sizeof(*ends));
	pthread_t *threads = zalloc(2 * job->arg * sizeof(*threads));
	uint64_t begin;
	int fds[2];
	long i;

	for (i = 0; i < job->arg; i++) {
		make_pair(job, fds);
		ends[2 * i] = (struct flow) {
			.job = job, .fd = fds[0], .cpu = i, .size = 4096,
			.times = job->times,
		};
		ends[2 * i + 1] = ends[2 * i];
		ends[2 * i + 1].fd = fds[1];
		ends[2 * i + 1].cpu = i + 1;
	}
	begin = now();
	for (i = 0; i < 2 * job->arg; i++)
		threads[i] = spawn(i % 2 ? reader : writer, &ends[i]);
	for (i = 0; i < 2 * job->arg; i++)
		join(threads[i]);
	result("", "ns", (double)(now() - begin) / (job->times * job->arg));
}

/* A thread that uses all the time of a CPU that other threads leave. */
struct spinner {
	pthread_t thread;
	int cpu;
	atomic_bool stop;
};

static void *spin(void *arg)
{
	struct spinner *s = arg;

	pin(s->cpu);
	while (!atomic_load(&s->stop))
		;
	return NULL;
}

/* Return the CPU time of a thread, user and system, in ns. */
static uint64_t thread_cpu(pthread_t thread)
{
	struct timespec t;
	clockid_t clock;

	if (pthread_getcpuclockid(thread, &clock) || clock_gettime(clock, &t))
		die("pthread_getcpuclockid");
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/*
 * Send @rate requests a second of 64 bytes, and receive the answer to each.
 * Report the latency of an answer, and the CPU time that client and server
 * together use for a request.
 */
static void requests(const struct job *job, long rate)
{
	uint64_t *took = zalloc(job->times * sizeof(*took));
	struct job small = *job;
	uint64_t at, begin, cpu;
	struct timespec when;
	pthread_t thread;
	struct flow f;
	char buf[64];
	int fds[2];
	long i;

	small.arg = sizeof(buf);
	memset(buf, 'x', sizeof(buf));
	thread = start_echo(&small, fds, &f);
	pin(0);
	for (i = 0; i < 100; i++)
		bounce(fds, buf, sizeof(buf));
	cpu = thread_cpu(thread) + thread_cpu(pthread_self());
	at = now();
	for (i = 0; i < job->times; i++) {
		at += 1000000000 / rate;
		when = (struct timespec) { at / 1000000000, at % 1000000000 };
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
		begin = now();
		bounce(fds, buf, sizeof(buf));
		took[i] = now() - begin;
	}
	cpu = thread_cpu(thread) + thread_cpu(pthread_self()) - cpu;
	close(fds[0]);
	join(thread);
	qsort(took, job->times, sizeof(*took), compare);
	result("p50", "ns", took[job->times / 2]);
	result("p99", "ns", took[job->times * 99 / 100]);
	result("CPU", "ns", (double)cpu / job->times);
}

void run_requests(const struct job *job)
{
	requests(job, job->arg);
}

/*
 * Send requests as run_requests() does, while one busy thread runs on each of
 * the two CPUs.
 */
void run_requests_busy(const struct job *job)
{
	struct spinner spinners[2] = { { .cpu = 0 }, { .cpu = 1 } };
	int i;

	for (i = 0; i < 2; i++)
		spinners[i].thread = spawn(spin, &spinners[i]);
	requests(job, job->arg);
	for (i = 0; i < 2; i++) {
		atomic_store(&spinners[i].stop, true);
		join(spinners[i].thread);
	}
}

static void *drain(void *arg)
{
	struct flow *f = arg;
	char *buf = zalloc(BUFFER);

	pin(f->cpu);
	while (recv_some(f->fd, buf, BUFFER))
		;
	free(buf);
	return NULL;
}

/* Send @arg bytes there and back, while 64 other pairs send without a pause. */
void run_loaded_latency(const struct job *job)
{
	static struct flow ends[128];
	pthread_t threads[128];
	bool stop = false;
	int fds[2], i;

	for (i = 0; i < 128; i += 2) {
		make_pair(job, fds);
		ends[i] = (struct flow) {
			.job = job, .fd = fds[0], .cpu = i / 2, .size = 4096,
			.times = 1L << 40, .stop = &stop,
		};
		ends[i + 1] = (struct flow) { .fd = fds[1], .cpu = i / 2 + 1 };
	}
	for (i = 0; i < 128; i++)
		threads[i] = spawn(i % 2 ? drain : writer, &ends[i]);
	percentiles(job);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 128; i++)
		join(threads[i]);
}

/* Send messages of 64 bytes from @arg senders to one receiver. */
void run_fan_in(const struct job *job)
{
	struct flow *ends = zalloc(job->arg * sizeof(*ends));
	pthread_t *threads = zalloc(job->arg * sizeof(*threads));
	struct sockaddr_storage addr = {};
	socklen_t len = job->f->make_addr(&addr, 0);
	int rfd = make_receiver(job, 0), fd;
	char buf[64];
	uint64_t begin;
	long i;

	for (i = 0; i < job->arg; i++) {
		fd = make_socket(job, 0);
		if (connect(fd, (struct sockaddr *)&addr, len))
			die("connect");
		ends[i] = (struct flow) {
			.job = job, .fd = fd, .cpu = i, .size = sizeof(buf),
			.times = job->times,
		};
	}
	begin = now();
	for (i = 0; i < job->arg; i++)
		threads[i] = spawn(writer, &ends[i]);
	for (i = 0; i < job->times * job->arg; i++)
		recv_some(rfd, buf, sizeof(buf));
	result("", "ns", (double)(now() - begin) / (job->times * job->arg));
	for (i = 0; i < job->arg; i++)
		join(threads[i]);
}
