#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The example of altconn(7) compiles without a warning, and prints the text that
# the page promises.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

top=${ALTCONN_TOP:-$here/..}
page=$top/Documentation/man/altconn.7
[ -f "$page" ] || skip_all "there is no Documentation/man/altconn.7"
need cc
make_dir

# The example goes from the first #include of the section to the end of the
# display.
extract() {
	sed -n '/^\.Sh EXAMPLES/,/^\.Ed/{/^#include/,/^\.Ed/p}' "$page" |
		sed -e '/^\.Ed/d' -e 's/\\e/\\/g' >"$dir/example.c"
	[ -s "$dir/example.c" ]
}

compile() {
	cc -std=gnu11 -Wall -Wextra -Werror -isystem "$top/uapi" \
		-o "$dir/example" "$dir/example.c"
}

prints_expected_text() {
	diff <("$dir/example") - <<-END
		position 1 in the queue
		connected
	END
}

plan 3
check "the page has the example" extract
check "the example compiles" compile
check "the example prints the text of the page" prints_expected_text
finish
