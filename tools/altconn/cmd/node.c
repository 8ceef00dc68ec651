// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn node" lists and changes the nodes: other network namespaces that
 * this one reaches.
 */
#include <arpa/inet.h>
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

#include "lib/command.h"
#include "lib/nl.h"
#include "lib/out.h"
#include "lib/record.h"

/* In this directory ip-netns(8) keeps its network namespaces. */
#define NETNS_DIR	"/run/netns"

const struct opt node_opts[] = {
	{ 'H', "no-header", NULL, NULL, "print no header" },
	OPT_JSON_ENTRY,
	OPT_COLOR_ENTRY,
	{ }
};

/* ---- the list ---- */

struct nodes {
	struct node *node;
	size_t n;
};

static int on_node(const struct nlmsghdr *nlh, void *data)
{
	struct nodes *nodes = data;

	if (!(nodes->n & (nodes->n - 1)))
		nodes->node = grow(nodes->node, nodes->n ? 2 * nodes->n : 1,
				   sizeof(*nodes->node));
	return node_read(nlh, &nodes->node[nodes->n++]);
}

static void forget(void *data)
{
	struct nodes *nodes = data;

	nodes->n = 0;
}

static int ask(struct nodes *nodes)
{
	struct nl nl;
	int ret;

	ret = nl_open(&nl);
	if (ret == EXIT_OK)
		ret = nl_dump(&nl, ALTCONN_CMD_NODE_GET, on_node, forget,
			      nodes);
	nl_close(&nl);
	return ret;
}

enum { COL_ID, COL_ADDRESS, COL_STATE, COL_NETNS, COL_COUNT };

static const struct out_column columns[COL_COUNT] = {
	[COL_ID] = { "ID", .right = true },
	[COL_ADDRESS] = { "INET" },
	[COL_STATE] = { "STATE" },
	[COL_NETNS] = { "NETNS" },
};

static const unsigned char v4_mapped[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

static bool is_v4(const unsigned char *ip)
{
	return !memcmp(ip, v4_mapped, sizeof(v4_mapped));
}

static void put_ips(struct out *out, const struct node *node)
{
	char text[INET6_ADDRSTRLEN];
	const unsigned char *ip;
	size_t i;

	out_cell(out, COL_ADDRESS);
	for (i = 0; i < node->n_ips; i++) {
		ip = node->ip[i];
		inet_ntop(is_v4(ip) ? AF_INET : AF_INET6,
			  ip + (is_v4(ip) ? 12 : 0), text, sizeof(text));
		out_string(out, is_v4(ip) ? "inet" : "inet6", ",", text);
	}
}

static void put_state(struct out *out, uint32_t state)
{
	static const struct {
		const char *name;
		enum out_colour colour;
	} states[] = {
		[ALTCONN_NODE_STATE_DOWN] = { "down", OUT_YELLOW },
		[ALTCONN_NODE_STATE_UP] = { "up", OUT_GREEN },
		[ALTCONN_NODE_STATE_GONE] = { "gone", OUT_RED },
	};

	out_cell(out, COL_STATE);
	if (state >= ARRAY_SIZE(states)) {
		out_word(out, "state", "unknown", "?");
		return;
	}
	out_string(out, "state", "", states[state].name);
	out_colour(out, states[state].colour);
}

/*
 * Print the name that ip-netns(8) has given to the namespace, or the inode
 * number if there is no name. JSON has the number in any case.
 */
static void put_netns(struct out *out, const struct node *node)
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

static int list(const struct out_style *style)
{
	struct nodes nodes = { };
	struct out *out;
	int ret = ask(&nodes);
	size_t i;

	if (ret != EXIT_OK)
		goto out;
	out = out_open(style, columns, COL_COUNT);
	out_list(out, "nodes");
	for (i = 0; i < nodes.n; i++) {
		out_row(out);
		out_cell(out, COL_ID);
		out_uint(out, "id", "", nodes.node[i].id);
		put_ips(out, &nodes.node[i]);
		put_state(out, nodes.node[i].state);
		put_netns(out, &nodes.node[i]);
		out_row_end(out);
	}
	ret = out_close(out);
out:
	free(nodes.node);
	return ret;
}

/* ---- changes ---- */

static int parse_id(const char *action, const char *text, uint32_t *id)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	*id = v;
	if (*text >= '0' && *text <= '9' && !*end && !errno && v &&
	    v < ALTCONN_NODE_BROADCAST)
		return EXIT_OK;
	complain("node %s: '%s' is no id of a node: these are 1 to 4294967294",
		 action, text);
	return EXIT_USAGE;
}

static int parse_ip(const char *text, unsigned char *ip)
{
	memcpy(ip, v4_mapped, sizeof(v4_mapped));
	if (inet_pton(AF_INET, text, ip + 12) == 1 ||
	    inet_pton(AF_INET6, text, ip) == 1)
		return EXIT_OK;
	complain("node add: '%s' is no IP address", text);
	return EXIT_USAGE;
}

/*
 * Open a network namespace. @text is a name of ip-netns(8), a file, or a
 * descriptor that this process has inherited.
 */
static int open_netns(const char *text)
{
	char path[PATH_MAX];
	char *end;
	long fd;
	int ret;

	fd = strtol(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && fd <= INT_MAX &&
	    fcntl(fd, F_GETFD) >= 0)
		return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	snprintf(path, sizeof(path), "%s%s",
		 strchr(text, '/') ? "" : NETNS_DIR "/", text);
	ret = open(path, O_RDONLY | O_CLOEXEC);
	if (ret < 0)
		complain("node add: %s: %s", path, strerror(errno));
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

static int parse_add(char **words, struct add *add)
{
	memset(add, 0, sizeof(*add));
	if (!words[0]) {
		complain("node add: which id? 'altconn node add 7 netns web' would do");
		return EXIT_USAGE;
	}
	if (parse_id("add", *words++, &add->id) != EXIT_OK)
		return EXIT_USAGE;
	for (; *words; words += 2) {
		if (strcmp(words[0], "inet") && strcmp(words[0], "netns")) {
			complain("node add: '%s' is none of: inet netns",
				 words[0]);
			return EXIT_USAGE;
		}
		if (!words[1]) {
			complain("node add: what follows '%s'?", words[0]);
			return EXIT_USAGE;
		}
		if (words[0][0] == 'n' ? !!add->netns : add->n_ips == 2) {
			complain("node add: '%s' comes too often", words[0]);
			return EXIT_USAGE;
		}
		if (words[0][0] == 'n')
			add->netns = words[1];
		else if (parse_ip(words[1], add->ip[add->n_ips++]) != EXIT_OK)
			return EXIT_USAGE;
	}
	if (add->netns)
		return EXIT_OK;
	complain("node add: which namespace? 'netns NAME', of 'ip netns', says so");
	return EXIT_USAGE;
}

static int add_one(char **words)
{
	struct nlmsghdr *nlh;
	struct add add;
	struct nl nl;
	int ret, fd;
	size_t i;

	ret = parse_add(words, &add);
	if (ret != EXIT_OK)
		return ret;
	fd = open_netns(add.netns);
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
 * Send one request. It has no id if @id is 0, and no state if @state is
 * negative.
 */
static int change(struct nl *nl, uint8_t cmd, uint32_t id, int state)
{
	struct nlmsghdr *nlh = nl_request(nl, cmd, 0);

	if (id)
		mnl_attr_put_u32(nlh, ALTCONN_A_NODE_ID, id);
	if (state >= 0)
		mnl_attr_put_u32(nlh, ALTCONN_A_NODE_STATE, state);
	return nl_talk(nl, NULL, NULL);
}

static int change_one(uint8_t cmd, uint32_t id)
{
	struct nl nl;
	int ret = nl_open(&nl);

	if (ret == EXIT_OK)
		ret = change(&nl, cmd, id, -1);
	nl_close(&nl);
	return ret;
}

/* Send a request for each id, after all ids have been checked. */
static int each(const char *action, uint8_t cmd, int state, char **ids)
{
	struct nl nl;
	uint32_t id;
	int ret, i;

	if (!ids[0]) {
		complain("node %s: which? 'altconn node' lists the ids", action);
		return EXIT_USAGE;
	}
	for (i = 0; ids[i]; i++)
		if (parse_id(action, ids[i], &id))
			return EXIT_USAGE;
	ret = nl_open(&nl);
	for (i = 0; ids[i] && ret == EXIT_OK; i++) {
		parse_id(action, ids[i], &id);
		ret = change(&nl, cmd, id, state);
		if (ret != EXIT_OK)
			complain("node %s: node %u is as it was%s", action, id,
				 ids[i + 1] ? ", and those behind it" : "");
	}
	nl_close(&nl);
	return ret;
}

static int print_own(const struct out_style *style)
{
	struct family family;
	int ret = family_ask(&family);

	if (ret != EXIT_OK)
		return ret;
	if (style->json)
		printf("{\"id\":%u}\n", family.node);
	else if (family.node)
		printf("%u\n", family.node);
	else
		puts("none");
	return EXIT_OK;
}

static int own(char **words, const struct out_style *style)
{
	uint32_t id = 0;
	int ret = EXIT_OK;

	if (!words[0])
		return print_own(style);
	if (strcmp(words[0], "none"))
		ret = parse_id("id", words[0], &id);
	return ret == EXIT_OK ? change_one(ALTCONN_CMD_NODE_SELF, id) : ret;
}

/* ---- the command ---- */

static int act(const char *action, char **words, const struct out_style *style)
{
	if (!strcmp(action, "list") || !strcmp(action, "show"))
		return opt_no_more("node", action, words, 0) ? : list(style);
	if (!strcmp(action, "add"))
		return add_one(words);
	if (!strcmp(action, "del") || !strcmp(action, "delete"))
		return each(action, ALTCONN_CMD_NODE_DEL, -1, words);
	if (!strcmp(action, "flush"))
		return opt_no_more("node", action, words, 0) ? :
		       change_one(ALTCONN_CMD_NODE_DEL, 0);
	if (!strcmp(action, "up"))
		return each(action, ALTCONN_CMD_NODE_SET,
			    ALTCONN_NODE_STATE_UP, words);
	if (!strcmp(action, "down"))
		return each(action, ALTCONN_CMD_NODE_SET,
			    ALTCONN_NODE_STATE_DOWN, words);
	if (!strcmp(action, "id"))
		return opt_no_more("node", action, words, 1) ? : own(words, style);
	complain("node: unknown action '%s'; it is one of: list add del flush up down id",
		 action);
	return EXIT_USAGE;
}

/**
 * node_main - run "altconn node"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code.
 */
int node_main(const struct command *cmd, int argc, char **argv)
{
	struct out_style style = { };
	const char *action;

	/* Options may stand before the action or after it. */
	out_options(cmd, argc, argv, &style);
	if (optind == argc)
		return list(&style);
	action = argv[optind++];
	out_options(cmd, argc, argv, &style);
	return act(action, argv + optind, &style);
}
