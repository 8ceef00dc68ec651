// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn info" prints the number of the family, the version of the module and
 * the totals of the network namespace.
 */
#include <getopt.h>

#include "lib/command.h"
#include "lib/out.h"
#include "lib/record.h"

const struct opt info_opts[] = {
	OPT_JSON_ENTRY,
	OPT_COLOR_ENTRY,
	{ 'H', "no-header", NULL, NULL, "print no header" },
	{ }
};

enum {
	COL_FAMILY, COL_VERSION, COL_ASSOCS, COL_INBOUND, COL_SOCKETS, COL_NODE,
	COL_COUNT
};

static const struct out_column columns[COL_COUNT] = {
	[COL_FAMILY] = { "FAMILY" },
	[COL_VERSION] = { "VERSION" },
	[COL_ASSOCS] = { "ASSOCIATIONS" },
	[COL_INBOUND] = { "INBOUND" },
	[COL_SOCKETS] = { "SOCKETS" },
	[COL_NODE] = { "NODE" },
};

static int print_family(const struct family *family,
			const struct out_style *style)
{
	struct out *out = out_open(style, columns, COL_COUNT);

	out_row(out);
	out_cell(out, COL_FAMILY);
	out_uint(out, "family", "", family->number);
	out_cell(out, COL_VERSION);
	out_string(out, "version", "", family->version);
	out_cell(out, COL_ASSOCS);
	out_uint(out, "associations", "", family->assocs);
	out_cell(out, COL_INBOUND);
	out_uint(out, "inbound", "", family->inbound);
	out_cell(out, COL_SOCKETS);
	out_uint(out, "sockets", "", family->sockets);
	out_cell(out, COL_NODE);
	if (family->node)
		out_uint(out, "node", "", family->node);
	out_row_end(out);
	return out_close(out);
}

/**
 * info_main - run "altconn info"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code.
 */
int info_main(const struct command *cmd, int argc, char **argv)
{
	struct out_style style = { };
	struct family family;
	int ret;

	out_options(cmd, argc, argv, &style);
	ret = opt_no_arguments(cmd, argc, argv);
	if (ret == EXIT_OK)
		ret = family_ask(&family);
	if (ret == EXIT_OK)
		ret = print_family(&family, &style);
	return ret;
}
