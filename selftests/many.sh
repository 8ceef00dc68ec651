#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A hundred thousand associations: listed whole, once each, while others come and go;
# counted, ordered, and ended.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
command -v python3 >/dev/null || skip_all "no python3"
[ "${1:-}" = --inside ] || exec unshare --net --mount "$0" --inside
scene_open || skip_all "helper_scene is not built"

n=100000
# Each takes more memory there, and more time.
[ -z "${ALTCONN_DEBUG_KERNEL:-}" ] || n=5000
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Others come and go for as long as COMMAND takes.
meanwhile() {
	local pid status=0
	altconn ping -q -i 0 port:4000 >/dev/null 2>&1 &
	pid=$!
	"$@" || status=$?
	kill "$pid"
	wait "$pid" 2>/dev/null
	return "$status"
}

# The ids of the pairs, sorted, one a line; what has an address is one of the others.
list() {
	altconn show -ceH | grep -v port: | grep -oE '\bid:[0-9]+' | sort >"$dir/ids"
	[ "$(wc -l <"$dir/ids")" = "$n" ] && [ "$(uniq "$dir/ids" | wc -l)" = "$n" ]
}

json() {
	altconn show -cj >"$dir/json" || return 1
	python3 - "$dir/json" "$n" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
rows = d["associations"]
sys.exit(d["interrupted"] or len(rows) != int(sys.argv[2]) or
         len({r["id"] for r in rows}) != len(rows) or
         any(r["state"] != "established" for r in rows))
PY
}

plan 9

# Each answer may take longer here.
scene_patience=600
scene listen native stream port:4000 1000000
listener=$answer_slot
check "they are made" scene pairs native stream "$n"
check "all of them are listed, once each" list
cp "$dir/ids" "$dir/before"
check "as JSON too, and nothing interrupts it" json
check "the same, while others come and go" meanwhile list
check "they are the same ones" cmp "$dir/ids" "$dir/before"
scene close "$listener"
check "they are counted" eval "altconn stat -H | grep -qE '^associations +$n *$'"
check "the oldest is first" same \
	"$(altconn show -ceH --sort age | head -n 1 | grep -oE '\bid:[0-9]+')" "$(sort -t: -n -k2 "$dir/before" | head -n 1)"
check "all are ended" eval "altconn kill --all | grep -qw $n"
check "none is left" same "$(altconn show -cH | wc -l)" 0
finish
