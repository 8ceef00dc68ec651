#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The example of altconn(7) compiles without a warning and prints what the page
# says it prints.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

top=${ALTCONN_TOP:-$here/..}
page=$top/Documentation/man/altconn.7
[ -f "$page" ] || skip_all "the manual page is not here"
command -v cc >/dev/null || skip_all "no C compiler"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# From the first #include of the examples to the end of the display.
extract() {
	sed -n '/^\.Sh EXAMPLES/,/^\.Ed/{/^#include/,/^\.Ed/p}' "$page" |
		sed -e '/^\.Ed/d' -e 's/\\e/\\/g' >"$dir/example.c"
	[ -s "$dir/example.c" ]
}

compile() {
	cc -std=gnu11 -Wall -Wextra -Werror -isystem "$top/uapi" \
		-o "$dir/example" "$dir/example.c"
}

prints_what_it_says() {
	diff <("$dir/example") - <<-END
		place 1 in the queue
		connected
	END
}

plan 3
check "the example is in the page" extract
check "it compiles" compile
check "it prints what the page says" prints_what_it_says
finish
