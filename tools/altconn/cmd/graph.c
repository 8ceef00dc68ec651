// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn graph" draws the processes and the addresses that they are connected
 * to.
 */
#include <errno.h>
#include <getopt.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/array.h"
#include "lib/command.h"
#include "lib/filter.h"
#include "lib/found.h"
#include "lib/message.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/row.h"

static const struct opt graph_opts[] = {
	FILTER_OPTS,
	{ OPT_SVG, "svg", NULL, NULL, "print SVG, which graphviz makes, instead of DOT" },
	OUT_OPT_JSON,
	{ }
};

#define LABEL_MAX	(ADDR_TEXT_MAX + 4 * RECORD_TEXT_MAX + 64)

/**
 * struct edge - connections that are drawn as one arrow
 * @from: process of the end that connects
 * @to: address of the other end, or its process if the end is unnamed
 * @type: socket type, SOCK_*
 * @count: number of associations or connected datagram sockets
 * @waiting: number of attempts among them that wait
 */
struct edge {
	char from[LABEL_MAX], to[LABEL_MAX];
	uint32_t type;
	unsigned int count, waiting;
};

/**
 * struct vertex - a listener or a bound datagram socket, drawn as an ellipse
 * @name: address of the socket; an edge to the socket has the same text in @to
 * @process: process that owns the socket
 * @type: socket type, SOCK_*
 * @waiting: attempts wait at the listener
 */
struct vertex {
	char name[LABEL_MAX], process[LABEL_MAX];
	uint32_t type;
	bool waiting;
};

struct graph {
	struct edge *edges;
	size_t n_edges;
	struct vertex *vertices;
	size_t n_vertices;
};

static void graph_name_server(const struct end *end, char *text)
{
	if (end->addr.kind == ALTCONN_KIND_NONE)
		row_process(end, text);
	else
		addr_to_text(&end->addr, text);
}

static struct edge *graph_edge(struct graph *g, const char *from,
			       const char *to, uint32_t type)
{
	struct edge *edge;
	size_t i;

	for (i = 0; i < g->n_edges; i++) {
		edge = &g->edges[i];
		if (edge->type == type && !strcmp(edge->from, from) &&
		    !strcmp(edge->to, to))
			return edge;
	}
	g->edges = array_add(g->edges, g->n_edges, sizeof(*g->edges));
	edge = &g->edges[g->n_edges++];
	memset(edge, 0, sizeof(*edge));
	strcpy(edge->from, from);
	strcpy(edge->to, to);
	edge->type = type;
	return edge;
}

static void graph_add_assoc(struct graph *g, const struct assoc *a)
{
	char from[LABEL_MAX], to[LABEL_MAX];
	struct edge *edge;

	row_process(&a->client, from);
	graph_name_server(&a->server, to);
	edge = graph_edge(g, from, to, a->type);
	edge->count++;
	edge->waiting += a->state == ALTCONN_ASSOC_STATE_PENDING;
}

static void graph_add_datagram(struct graph *g, const struct sock *s)
{
	char from[LABEL_MAX], to[LABEL_MAX];

	row_process(&s->owner, from);
	addr_to_text(&s->peer, to);
	graph_edge(g, from, to, s->type)->count++;
}

/* Add a listener or a bound datagram socket. */
static void graph_add_vertex(struct graph *g, const struct sock *s)
{
	struct vertex *vertex;

	g->vertices = array_add(g->vertices, g->n_vertices,
				sizeof(*g->vertices));
	vertex = &g->vertices[g->n_vertices++];
	addr_to_text(&s->owner.addr, vertex->name);
	row_process(&s->owner, vertex->process);
	vertex->type = s->type;
	vertex->waiting = s->waiting;
}

static void graph_build(struct graph *g, const struct found *found,
			const struct filter *filter)
{
	const struct sock *s;
	size_t i;

	for (i = 0; i < found->n_socks; i++) {
		s = &found->socks[i];
		if (!filter_sock(filter, s))
			continue;
		if (s->owner.addr.kind != ALTCONN_KIND_NONE &&
		    (s->listening || !record_sock_is_connected(s)))
			graph_add_vertex(g, s);
		if (!s->listening && record_sock_is_connected(s))
			graph_add_datagram(g, s);
	}
	for (i = 0; i < found->n_assocs; i++)
		if (filter_assoc(filter, &found->assocs[i]))
			graph_add_assoc(g, &found->assocs[i]);
}

/* Write @text for the inside of a quoted string of the DOT language. */
static void graph_print_escaped(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', f);
		fputc(*text, f);
	}
}

static void graph_print_quoted(FILE *f, const char *text)
{
	fputc('"', f);
	graph_print_escaped(f, text);
	fputc('"', f);
}

static void graph_print_edge(FILE *f, const struct edge *edge)
{
	fputs("	", f);
	graph_print_quoted(f, edge->from);
	fputs(" -> ", f);
	graph_print_quoted(f, edge->to);
	fprintf(f, " [label=\"%s", record_type_name(edge->type));
	if (edge->count > 1)
		fprintf(f, " x%u", edge->count);
	if (edge->waiting)
		fprintf(f, "\\n%u waiting", edge->waiting);
	fprintf(f, "\"%s];\n", edge->waiting ? ", color=orange, style=dashed" : "");
}

static void graph_print_vertex(FILE *f, const struct vertex *vertex)
{
	fputs("	", f);
	graph_print_quoted(f, vertex->name);
	fputs(" [shape=ellipse, label=\"", f);
	graph_print_escaped(f, vertex->name);
	fputs("\\n", f);
	graph_print_escaped(f, vertex->process);
	fprintf(f, "\"%s];\n", vertex->waiting ? ", color=orange" : "");
}

static void graph_print_dot(FILE *f, const struct graph *g)
{
	size_t i;

	fputs("digraph altconn {\n\trankdir=LR;\n\tnode [shape=box, style=rounded];\n",
	      f);
	for (i = 0; i < g->n_vertices; i++)
		graph_print_vertex(f, &g->vertices[i]);
	for (i = 0; i < g->n_edges; i++)
		graph_print_edge(f, &g->edges[i]);
	fputs("}\n", f);
}

static int graph_print_json(const struct graph *g)
{
	static const struct out_style style = { .json = true };
	struct out *out = out_open_text(&style);
	const struct vertex *vertex;
	size_t i;

	out_list(out, "nodes");
	for (i = 0; i < g->n_vertices; i++) {
		vertex = &g->vertices[i];
		out_row(out);
		out_string(out, "name", NULL, vertex->name);
		out_string(out, "process", NULL, vertex->process);
		out_string(out, "type", NULL, record_type_name(vertex->type));
		out_bool(out, "waiting", NULL, vertex->waiting);
		out_row_end(out);
	}
	out_list(out, "edges");
	for (i = 0; i < g->n_edges; i++) {
		out_row(out);
		out_string(out, "from", NULL, g->edges[i].from);
		out_string(out, "to", NULL, g->edges[i].to);
		out_string(out, "type", NULL, record_type_name(g->edges[i].type));
		out_uint(out, "count", NULL, g->edges[i].count);
		out_uint(out, "waiting", NULL, g->edges[i].waiting);
		out_row_end(out);
	}
	return out_close(out);
}

/* Write the graph to dot(1), which writes SVG to standard output. */
static int graph_print_svg(const struct graph *g)
{
	static char *const words[] = { "dot", "-Tsvg", NULL };
	posix_spawn_file_actions_t actions;
	int fds[2], err, status = 0;
	pid_t pid;
	FILE *f;

	if (pipe(fds))
		return EXIT_FAILED;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[0], STDIN_FILENO);
	posix_spawn_file_actions_addclose(&actions, fds[0]);
	posix_spawn_file_actions_addclose(&actions, fds[1]);
	err = posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[0]);
	f = fdopen(fds[1], "w");
	if (!err && f)
		graph_print_dot(f, g);
	if (f)
		fclose(f);
	if (err) {
		message_error("graph: dot cannot be run: %s; it is in the package graphviz",
			      strerror(err));
		return EXIT_FAILED;
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return EXIT_OK;
	message_error("graph: dot has failed");
	return EXIT_FAILED;
}

static int graph_main(const struct command *cmd, int argc, char **argv)
{
	struct filter filter = { };
	struct found found = { };
	struct graph g = { };
	bool svg = false, json = false;
	int key, ret = EXIT_OK;

	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1) {
		if (key == OPT_SVG)
			svg = true;
		else if (key == 'j')
			json = true;
		else
			ret = filter_option(&filter, cmd->name, key);
	}
	if (svg && json) {
		message_error("graph: --svg and --json do not go together");
		ret = EXIT_USAGE;
	}
	if (ret == EXIT_OK)
		ret = filter_addresses(&filter, cmd->name, argc - optind,
				       argv + optind);
	if (ret == EXIT_OK)
		ret = found_get(&found, &filter);
	if (ret == EXIT_OK) {
		graph_build(&g, &found, &filter);
		if (svg)
			ret = graph_print_svg(&g);
		else if (json)
			ret = graph_print_json(&g);
		else
			graph_print_dot(stdout, &g);
	}
	free(g.edges);
	free(g.vertices);
	free(filter.addrs);
	found_free(&found);
	return ret;
}

const struct command command_graph = {
	.name = "graph",
	.run = graph_main,
	.help = "draw processes and their connections, as DOT or SVG",
	.synopsis = "[OPTION...] [ADDRESS...]",
	.opts = graph_opts,
};
