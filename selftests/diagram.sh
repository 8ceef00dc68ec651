#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Documentation/design/states.dot agrees with the code: whatever way a stream or
# seqpacket socket goes from one state to another in the tests of connect() is
# an edge there, and every edge is gone.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

dot=${ALTCONN_TOP:-$here/..}/Documentation/design/states.dot
tracing=/sys/kernel/tracing
[ -f "$dot" ] || skip_all "the diagram is not here"
[ -w "$tracing/events/altconn/altconn_state/enable" ] ||
	skip_all "no altconn events in $tracing"
dir=$(mktemp -d)

restore() {
	echo 0 >"$tracing/events/altconn/altconn_state/enable"
	echo >"$tracing/trace"
	rm -rf "$dir"
}
trap restore EXIT

# The instrumented run: its cases are counted elsewhere.
record() {
	echo >"$tracing/trace"
	echo 1 >"$tracing/events/altconn/altconn_state/enable"
	"$here/connect" >"$dir/tap"
	echo 0 >"$tracing/events/altconn/altconn_state/enable"
	grep -E 'altconn_state: .*type=(stream|seqpacket)' "$tracing/trace" |
		sed -n 's/.* old=\([A-Z_]*\) new=\([A-Z_]*\).*/\1 \2/p' |
		sort -u >"$dir/gone"
	[ -s "$dir/gone" ]
}

# Self-loops say what leaves the state as it is.
drawn() {
	sed -n '/cluster_attempt/q;s/^\t\([A-Z_]*\) -> \([A-Z_]*\) .*/\1 \2/p' \
		"$dot" | awk '$1 != $2' | sort -u >"$dir/drawn"
	[ -s "$dir/drawn" ]
}

plan 4
check "transitions are recorded" record
check "transitions are drawn" drawn
check "every transition is drawn" \
	diff <(comm -23 "$dir/gone" "$dir/drawn") /dev/null
check "every transition that is drawn happens" \
	diff <(comm -13 "$dir/gone" "$dir/drawn") /dev/null
finish
