// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn node" lists and changes the nodes: other network namespaces that
 * this one reaches.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/command.h"
#include "lib/ip.h"
#include "lib/message.h"
#include "lib/names_gen.h"
#include "lib/nl.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/parse.h"
#include "lib/record.h"

/* ip-netns(8) keeps its network namespaces in this directory. */
#define NETNS_DIR	"/run/netns"

static const struct opt node_opts[] = {
	OUT_OPT_NO_HEADER,
	OUT_OPT_JSON,
	OUT_OPT_COLOR,
	{ }
};

/* ---- the list ---- */

struct nodes {
	struct node *node;
	size_t n;
};

static int node_on_node(const struct nlmsghdr *nlh, void *data)
{
	struct nodes *nodes = data;

	nodes->node = array_add(nodes->node, nodes->n, sizeof(*nodes->node));
	return record_read_node(nlh, &nodes->node[nodes->n++]);
}

static void node_reset(void *data)
{
	struct nodes *nodes = data;

	nodes->n = 0;
}

static int node_get(struct nodes *nodes)
{
	struct nl nl;
	int ret;

	ret = nl_open(&nl);
	if (ret == EXIT_OK)
		ret = nl_dump(&nl, ALTCONN_CMD_NODE_GET, node_on_node,
			      node_reset, nodes);
	nl_close(&nl);
	return ret;
}

enum { COL_ID, COL_ADDRESS, COL_STATE, COL_NETNS, COL_COUNT };

static const struct out_column node_columns[COL_COUNT] = {
	[COL_ID] = { "ID", .right = true },
	[COL_ADDRESS] = { "INET" },
	[COL_STATE] = { "STATE" },
	[COL_NETNS] = { "NETNS" },
};

static void node_put_ips(struct out *out, const struct node *node)
{
	char text[IP_TEXT_MAX];
	size_t i;
	bool v4;

	out_cell(out, COL_ADDRESS);
	for (i = 0; i < node->n_ips; i++) {
		v4 = ip_is_v4(node->ip[i]);
		ip_to_text(node->ip[i], v4, text);
		out_string(out, v4 ? "inet" : "inet6", ",", text);
	}
}

#define STATE(state, name) \
	[ALTCONN_NODE_STATE_##state] = name,

static const char * const node_states[] = {
	ALTCONN_NODE_STATE_LIST(STATE)
};

static void node_put_state(struct out *out, uint32_t state)
{
	static const enum out_colour colours[ARRAY_SIZE(node_states)] = {
		[ALTCONN_NODE_STATE_DOWN] = OUT_YELLOW,
		[ALTCONN_NODE_STATE_UP] = OUT_GREEN,
		[ALTCONN_NODE_STATE_GONE] = OUT_RED,
	};

	out_cell(out, COL_STATE);
	if (state >= ARRAY_SIZE(node_states)) {
		out_word(out, "state", "unknown", "?");
		return;
	}
	out_string(out, "state", "", node_states[state]);
	out_colour(out, colours[state]);
}

/*
 * Print the name that ip-netns(8) has given to the namespace, or the inode
 * number if there is no name. JSON has the number in any case.
 */
static void node_put_netns(struct out *out, const struct node *node)
{
	const struct dirent *entry;
	bool named = false;
	struct stat st;
	DIR *dir;

	out_cell(out, COL_NETNS);
	if (!record_has(node->known, ALTCONN_A_NODE_NETNS))
		return;
	dir = opendir(NETNS_DIR);
	while (dir && !named && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &st, 0) ||
		    st.st_ino != node->netns)
			continue;
		out_string(out, "name", "", entry->d_name);
		named = true;
	}
	if (dir)
		closedir(dir);
	out_uint(out, "netns", named ? NULL : "", node->netns);
}

static int node_list(const struct out_style *style)
{
	struct nodes nodes = { };
	struct out *out;
	int ret = node_get(&nodes);
	size_t i;

	if (ret != EXIT_OK)
		goto out;
	out = out_open(style, node_columns, COL_COUNT);
	out_list(out, "nodes");
	for (i = 0; i < nodes.n; i++) {
		out_row(out);
		out_cell(out, COL_ID);
		out_uint(out, "id", "", nodes.node[i].id);
		node_put_ips(out, &nodes.node[i]);
		node_put_state(out, nodes.node[i].state);
		node_put_netns(out, &nodes.node[i]);
		out_row_end(out);
	}
	ret = out_close(out);
out:
	free(nodes.node);
	return ret;
}

/* ---- changes ---- */

static int node_parse_id(const char *action, const char *text, uint32_t *id)
{
	uint64_t value;

	if (parse_id(text, ALTCONN_NODE_BROADCAST - 1, &value)) {
		*id = value;
		return EXIT_OK;
	}
	message_error("node %s: '%s' is no id of a node: ids are 1 to 4294967294",
		      action, text);
	return EXIT_USAGE;
}

static int node_parse_ip(const char *text, unsigned char *ip)
{
	if (ip_parse(text, AF_INET, ip) || ip_parse(text, AF_INET6, ip))
		return EXIT_OK;
	message_error("node add: '%s' is no IP address", text);
	return EXIT_USAGE;
}

/*
 * Open a network namespace. @text is a name of ip-netns(8), a file, or a
 * descriptor that this process has inherited. Return a descriptor, or -1 after
 * an error message.
 */
static int node_open_netns(const char *text)
{
	char path[PATH_MAX];
	int fd, ret;

	if (parse_int(text, &fd) && fcntl(fd, F_GETFD) >= 0)
		return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	snprintf(path, sizeof(path), "%s%s",
		 strchr(text, '/') ? "" : NETNS_DIR "/", text);
	ret = open(path, O_RDONLY | O_CLOEXEC);
	if (ret < 0)
		message_error("node add: %s: %s", path, strerror(errno));
	return ret;
}

/**
 * struct add - the arguments of "node add"
 * @id: id of the node
 * @ip: IP addresses of the node, an IPv4 address is v4-mapped
 * @n_ips: number of IP addresses
 * @netns: network namespace as the user typed it, or NULL
 */
struct add {
	uint32_t id;
	unsigned char ip[2][16];
	size_t n_ips;
	const char *netns;
};

static int node_parse_add(char **words, struct add *add)
{
	memset(add, 0, sizeof(*add));
	if (!words[0]) {
		message_error("node add: state which id, as in 'altconn node add 7 netns web'");
		return EXIT_USAGE;
	}
	if (node_parse_id("add", *words++, &add->id) != EXIT_OK)
		return EXIT_USAGE;
	for (; *words; words += 2) {
		if (strcmp(words[0], "inet") && strcmp(words[0], "netns")) {
			message_error("node add: unknown word '%s'; it is one of: inet netns",
				      words[0]);
			return EXIT_USAGE;
		}
		if (!words[1]) {
			message_error("node add: a value must follow '%s'", words[0]);
			return EXIT_USAGE;
		}
		if (words[0][0] == 'n' ? !!add->netns : add->n_ips == 2) {
			message_error("node add: the word '%s' occurs too often",
				      words[0]);
			return EXIT_USAGE;
		}
		if (words[0][0] == 'n')
			add->netns = words[1];
		else if (node_parse_ip(words[1], add->ip[add->n_ips++]))
			return EXIT_USAGE;
	}
	if (add->netns)
		return EXIT_OK;
	message_error("node add: state which namespace, as in 'netns NAME'");
	return EXIT_USAGE;
}

static int node_add(char **words)
{
	struct nlmsghdr *nlh;
	struct add add;
	struct nl nl;
	int ret, fd;
	size_t i;

	ret = node_parse_add(words, &add);
	if (ret != EXIT_OK)
		return ret;
	fd = node_open_netns(add.netns);
	if (fd < 0)
		return EXIT_FAILED;
	ret = nl_open(&nl);
	if (ret == EXIT_OK) {
		nlh = nl_request(&nl, ALTCONN_CMD_NODE_ADD, 0);
		mnl_attr_put_u32(nlh, ALTCONN_A_NODE_ID, add.id);
		mnl_attr_put_u32(nlh, ALTCONN_A_NODE_NETNS_FD, fd);
		for (i = 0; i < add.n_ips; i++)
			mnl_attr_put(nlh, ALTCONN_A_NODE_IP,
				     sizeof(add.ip[i]), add.ip[i]);
		ret = nl_talk(&nl, NULL, NULL);
	}
	nl_close(&nl);
	close(fd);
	return ret;
}

/*
 * Send one request. The request has no id if @id is 0, and no state if @state
 * is negative.
 */
static int node_send(struct nl *nl, uint8_t cmd, uint32_t id, int state)
{
	struct nlmsghdr *nlh = nl_request(nl, cmd, 0);

	if (id)
		mnl_attr_put_u32(nlh, ALTCONN_A_NODE_ID, id);
	if (state >= 0)
		mnl_attr_put_u32(nlh, ALTCONN_A_NODE_STATE, state);
	return nl_talk(nl, NULL, NULL);
}

static int node_send_one(uint8_t cmd, uint32_t id)
{
	struct nl nl;
	int ret = nl_open(&nl);

	if (ret == EXIT_OK)
		ret = node_send(&nl, cmd, id, -1);
	nl_close(&nl);
	return ret;
}

/* Send a request for each id, after all ids have been checked. */
static int node_send_each(const char *action, uint8_t cmd, int state,
			  char **ids)
{
	struct nl nl;
	uint32_t id;
	int ret, i;

	if (!ids[0]) {
		message_error("node %s: no id is given; 'altconn node' lists the ids", action);
		return EXIT_USAGE;
	}
	for (i = 0; ids[i]; i++)
		if (node_parse_id(action, ids[i], &id))
			return EXIT_USAGE;
	ret = nl_open(&nl);
	for (i = 0; ids[i] && ret == EXIT_OK; i++) {
		node_parse_id(action, ids[i], &id);
		ret = node_send(&nl, cmd, id, state);
		if (ret != EXIT_OK)
			message_error("node %s: node %u is unchanged%s", action, id,
				      ids[i + 1] ? ", and so are the nodes after it" : "");
	}
	nl_close(&nl);
	return ret;
}

static int node_print_own_id(const struct out_style *style)
{
	struct out_style line = *style;
	struct family family;
	struct out *out;
	int ret = record_get_family(&family);

	if (ret != EXIT_OK)
		return ret;
	line.line = true;
	out = out_open_text(&line);
	out_row(out);
	out_uint(out, "id", family.node ? "" : NULL, family.node);
	if (!family.node)
		out_text(out, "none");
	out_row_end(out);
	return out_close(out);
}

static int node_own_id(char **words, const struct out_style *style)
{
	uint32_t id = 0;
	int ret = EXIT_OK;

	if (!words[0])
		return node_print_own_id(style);
	if (strcmp(words[0], "none"))
		ret = node_parse_id("id", words[0], &id);
	return ret == EXIT_OK ? node_send_one(ALTCONN_CMD_NODE_SELF, id) : ret;
}

/* ---- the command ---- */

static int node_run(const char *action, char **words,
		    const struct out_style *style)
{
	if (!strcmp(action, "list") || !strcmp(action, "show"))
		return opt_no_more("node", action, words, 0) ? : node_list(style);
	if (!strcmp(action, "add"))
		return node_add(words);
	if (!strcmp(action, "del") || !strcmp(action, "delete"))
		return node_send_each(action, ALTCONN_CMD_NODE_DEL, -1, words);
	if (!strcmp(action, "flush"))
		return opt_no_more("node", action, words, 0) ? :
		       node_send_one(ALTCONN_CMD_NODE_DEL, 0);
	if (!strcmp(action, "up"))
		return node_send_each(action, ALTCONN_CMD_NODE_SET,
				      ALTCONN_NODE_STATE_UP, words);
	if (!strcmp(action, "down"))
		return node_send_each(action, ALTCONN_CMD_NODE_SET,
				      ALTCONN_NODE_STATE_DOWN, words);
	if (!strcmp(action, "id"))
		return opt_no_more("node", action, words, 1) ? : node_own_id(words, style);
	message_error("node: unknown action '%s'; it is one of: list add del flush up down id",
		      action);
	return EXIT_USAGE;
}

static int node_main(const struct command *cmd, int argc, char **argv)
{
	struct out_style style = { };
	const char *action;

	/* Options may stand before the action or after it. */
	out_options(cmd, argc, argv, &style);
	if (optind == argc)
		return node_list(&style);
	action = argv[optind++];
	out_options(cmd, argc, argv, &style);
	return node_run(action, argv + optind, &style);
}

const struct command command_node = {
	.name = "node",
	.run = node_main,
	.help = "reach the sockets of other network namespaces",
	.synopsis =
		"[list] | add ID [inet IP]... netns NAME|FD | del ID... | flush | up ID... | down ID... | id [ID|none]",
	.opts = node_opts,
};
