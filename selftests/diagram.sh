#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Documentation/design/states.dot agrees with the code. Each change of state of
# a stream or seqpacket socket in the tests of connect() is an edge of the
# diagram, and each edge of the diagram occurs in these tests.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

dot=${ALTCONN_TOP:-$here/..}/Documentation/design/states.dot
tracing=/sys/kernel/tracing
[ -f "$dot" ] || skip_all "there is no Documentation/design/states.dot"
[ -w "$tracing/events/altconn/altconn_state/enable" ] ||
	skip_all "there are no altconn events in $tracing"
make_dir

restore() {
	echo 0 >"$tracing/events/altconn/altconn_state/enable"
	echo >"$tracing/trace"
}
at_exit restore

# Runs the tests of connect() once more with the trace event enabled. Their
# results do not count here.
record() {
	echo >"$tracing/trace"
	echo 1 >"$tracing/events/altconn/altconn_state/enable"
	"$here/connect" >"$dir/tap"
	echo 0 >"$tracing/events/altconn/altconn_state/enable"
	grep -E 'altconn_state: .*type=(stream|seqpacket)' "$tracing/trace" |
		sed -n 's/.* old=\([A-Z_]*\) new=\([A-Z_]*\).*/\1 \2/p' |
		sort -u >"$dir/traced"
	[ -s "$dir/traced" ]
}

# An edge from a state to itself is a call that leaves the state as it is, which
# the trace does not show.
drawn() {
	sed -n '/cluster_attempt/q;s/^\t\([A-Z_]*\) -> \([A-Z_]*\) .*/\1 \2/p' \
		"$dot" | awk '$1 != $2' | sort -u >"$dir/drawn"
	[ -s "$dir/drawn" ]
}

plan 4
check "the trace has transitions" record
check "the diagram has transitions" drawn
check "the diagram has every transition of the trace" \
	diff <(comm -23 "$dir/traced" "$dir/drawn") /dev/null
check "the trace has every transition of the diagram" \
	diff <(comm -13 "$dir/traced" "$dir/drawn") /dev/null
finish
