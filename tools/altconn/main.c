// SPDX-License-Identifier: GPL-2.0
/*
 * The tool altconn shows the altconn socket family and uses it. Each command
 * has its own file. This file finds the command.
 */
#include <stdio.h>
#include <string.h>

#include "lib/command.h"

const struct command commands[] = {
	{ "show", show_main, "list connections, waiting attempts and listeners",
	  "[OPTION...] [ADDRESS...]", show_opts },
	{ "top", top_main, "watch listeners, connections and outcomes, all over the screen",
	  "[OPTION...] [ADDRESS...]", top_opts },
	{ "graph", graph_main, "draw who talks to whom, as DOT or SVG",
	  "[OPTION...] [ADDRESS...]", graph_opts },
	{ "monitor", monitor_main, "tell what happens, as it happens",
	  "[OPTION...] [ADDRESS...]", monitor_opts },
	{ "stat", stat_main, "count attempts by outcome, and how long they took",
	  "[OPTION...] [INTERVAL [COUNT]]", stat_opts },
	{ "why", why_main, "tell what became of a socket's last attempt, and why",
	  "[OPTION...] PID [FD]", why_opts },
	{ "doctor", doctor_main, "tell what is wrong with the module, and who holds it",
	  "[OPTION...]", doctor_opts },
	{ "kill", kill_main, "end connections, and stop listeners",
	  "ID... | [OPTION...] [ADDRESS...] | --all", kill_opts },
	{ "rule", rule_main, "deny, refuse, drop or delay what programs connect to",
	  "[list] | add RULE | del ID... | flush | zero [ID...] | save | restore [FILE]",
	  rule_opts },
	{ "node", node_main, "reach the sockets of other network namespaces",
	  "[list] | add ID [inet IP]... netns NAME|FD | del ID... | flush | up ID... | down ID... | id [ID|none]",
	  node_opts },
	{ "connect", connect_main, "connect standard input and output to an address",
	  "[OPTION...] ADDRESS", connect_opts },
	{ "listen", listen_main, "wait for somebody to connect, or for datagrams",
	  "[OPTION...] ADDRESS", listen_opts },
	{ "ping", ping_main, "tell how long it takes to connect",
	  "[OPTION...] ADDRESS", ping_opts },
	{ "info", info_main, "tell the family's number, version and totals",
	  "[OPTION...]", info_opts },
	{ "run", run_main, "run an unmodified AF_UNIX program over altconn",
	  "[OPTION...] [--] PROGRAM [ARGUMENT...]", run_opts },
	{ "help", help_main, "tell how a command is used",
	  "[COMMAND]", help_opts },
	{ }
};

/**
 * command_find - find a command by its name
 * @name: the name as the user typed it
 *
 * Return: the command, or NULL after an error message.
 */
const struct command *command_find(const char *name)
{
	const struct command *cmd;

	for (cmd = commands; cmd->name; cmd++)
		if (!strcmp(cmd->name, name))
			return cmd;
	complain("unknown %s '%s'; 'altconn help' lists the commands",
		 name[0] == '-' ? "option" : "command", name);
	return NULL;
}

static int is_option(const char *arg, const char *letter, const char *name)
{
	return !strcmp(arg, letter) || !strcmp(arg, name);
}

int main(int argc, char **argv)
{
	const struct command *cmd;

	if (argc < 2) {
		complain("no command; 'altconn help' lists them");
		return EXIT_USAGE;
	}
	if (is_option(argv[1], "-V", "--version")) {
		printf("altconn %s\n", TOOL_VERSION);
		return EXIT_OK;
	}
	if (is_option(argv[1], "-h", "--help")) {
		help_overview();
		return EXIT_OK;
	}
	cmd = command_find(argv[1]);
	if (!cmd)
		return EXIT_USAGE;
	return cmd->run(cmd, argc - 1, argv + 1);
}
