#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tool lists, counts, sorts and kills 100,000 associations. A list has each
# of them once, also while other associations begin and end.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn
own_namespaces --net --mount
need_scene
make_dir
json_open "rows = doc['associations']"

n=100000
# An association takes more memory and more time on the debug kernel, where this
# suite only runs if ALL= or TESTS= selects it.
[ -z "${ALTCONN_DEBUG_KERNEL:-}" ] || n=5000

# meanwhile COMMAND...: other associations begin and end as long as the command
# runs.
meanwhile() {
	local pid status=0
	altconn ping -q -i 0 port:4000 >/dev/null 2>&1 &
	pid=$!
	"$@" || status=$?
	kill "$pid"
	wait "$pid" 2>/dev/null
	return "$status"
}

# Writes the ids of the socket pairs to $dir/ids, sorted. An association that
# has an address is not a socket pair.
list() {
	altconn show -ceH | grep -v port: | grep -oE '\bid:[0-9]+' |
		sort >"$dir/ids"
	[ "$(wc -l <"$dir/ids")" = "$n" ] &&
		[ "$(uniq "$dir/ids" | wc -l)" = "$n" ]
}

lists_as_json() {
	[ "$(json "not doc['interrupted'] and len(rows) == $n and
		len({r['id'] for r in rows}) == $n and
		all(r['state'] == 'established' for r in rows)" \
		altconn show -cj)" = True ]
}

# The clock is CLOCK_MONOTONIC, since the guest is never suspended.
uptime_ns() {
	awk '{ printf "%.0f\n", ($1 + 0.01) * 1e9 }' /proc/uptime
}

plan 10

# An answer of the scene may take longer here.
scene_patience=600
scene listen native stream port:4000 1000000
listener=$answer_slot
begun=$(($(uptime_ns) - 20000000))
scene pairs native stream 1
oldest=$(altconn show -ceH | grep -oE '\bid:[0-9]+')
check "socketpair() makes the associations" \
	scene pairs native stream "$((n - 1))"
check "show lists each of them once" list
cp "$dir/ids" "$dir/before"
check "the JSON of show has each of them once" lists_as_json
check "show lists each of them once while others begin and end" \
	meanwhile list
check "both lists have the same ids" cmp "$dir/ids" "$dir/before"
scene close "$listener"
check "stat counts them" \
	eval "altconn stat -H | grep -qE '^associations +$n *$'"
check "show --sort age begins with the oldest" same \
	"$(altconn show -ceH --sort age | head -n 1 | grep -oE '\bid:[0-9]+')" \
	"$oldest"
check "each of them began after the first one, and before now" \
	same "$(json "all($begun <= r['begun_ns'] <= $(uptime_ns)
		for r in rows)" \
	altconn show -cj)" True
check "kill --all kills them" eval "altconn kill --all | grep -qw $n"
check "show lists no association after that" \
	same "$(altconn show -cH | wc -l)" 0
finish
