// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn info" prints the number of the family, the version of the module and
 * the totals of the network namespace.
 */
#include <getopt.h>

#include "lib/command.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/record.h"

static const struct opt info_opts[] = {
	OUT_OPT_JSON,
	OUT_OPT_COLOR,
	OUT_OPT_NO_HEADER,
	{ }
};

enum {
	COL_FAMILY, COL_VERSION, COL_ASSOCS, COL_INBOUND, COL_SOCKETS, COL_NODE,
	COL_COUNT
};

static const struct out_column info_columns[COL_COUNT] = {
	[COL_FAMILY] = { "FAMILY" },
	[COL_VERSION] = { "VERSION" },
	[COL_ASSOCS] = { "ASSOCIATIONS" },
	[COL_INBOUND] = { "INBOUND" },
	[COL_SOCKETS] = { "SOCKETS" },
	[COL_NODE] = { "NODE" },
};

static int info_print(const struct family *family,
		      const struct out_style *style)
{
	struct out *out = out_open(style, info_columns, COL_COUNT);

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

static int info_main(const struct command *cmd, int argc, char **argv)
{
	struct out_style style = { };
	struct family family;
	int ret;

	out_options(cmd, argc, argv, &style);
	ret = opt_no_arguments(cmd, argc, argv);
	if (ret == EXIT_OK)
		ret = record_get_family(&family);
	if (ret == EXIT_OK)
		ret = info_print(&family, &style);
	return ret;
}

const struct command command_info = {
	.name = "info",
	.run = info_main,
	.help = "print the family's number, the version and totals",
	.synopsis = "[OPTION...]",
	.opts = info_opts,
};
