#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The recipes of Documentation/admin/tracing.rst, as they are printed there.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
command -v python3 >/dev/null || skip_all "no python3"
top=${ALTCONN_TOP:-$here/..}
doc=$top/Documentation/admin/tracing.rst
[ -f "$doc" ] || skip_all "no Documentation/admin/tracing.rst"
tracefs=/sys/kernel/tracing
[ -d $tracefs/events/altconn ] || skip_all "no altconn events"
scene_open || skip_all "helper_scene is not built"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export PID=$scene_pid

# Each block to a file: 1, 2, ...
python3 - "$doc" "$dir" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
for i, block in enumerate(re.findall(r"::\n\n((?:\t.*\n)+)", text), 1):
    with open(f"{sys.argv[2]}/{i}", "w") as f:
        f.write(block.replace("\t", ""))
PY

run() {
	(cd "$tracefs" && bash -eu "$dir/$1")
}

# What happens: one fails, one is established, one waits and then is established; and
# somebody else does the same.
act() {
	local made=() slot
	scene connect native stream port:9
	made+=("${answer%% *}")
	altconn ping -q -c 1 port:9 >"$dir/ping"
	scene listen native stream port:4000 0
	made+=("$answer_slot")
	scene connect native stream port:4000
	made+=("$answer_slot")
	scene start native stream port:4000
	made+=("${answer_slot%% *}")
	scene accept "${made[1]}"
	made+=("$answer_slot")
	for slot in "${made[@]}"; do
		scene close "$slot"
	done
} >/dev/null 2>&1

# recipe N: the block N, what happens, and what the block behind it prints.
recipe() {
	echo >"$tracefs/trace"
	run "$1" || return 1
	act
	run $(($1 + 1)) | tee "$dir/out"
	grep -q "1 failed" "$dir/ping" && ! is_left
}

# A trigger that stays would hold the module.
is_left() {
	grep -h '^hist:' "$tracefs"/events/altconn/*/trigger
}

# seen PATTERN, not PATTERN: in what was printed.
seen() {
	grep -qE -- "$1" "$dir/out"
}

not() {
	! seen "$1"
}

plan 17
check "there are as many recipes as here" same "$(find "$dir" -name '[0-9]*' | wc -l)" 11

check "one process" recipe 1
check "its attempts" seen "altconn_connect_end: .*remote=port:9 errno=111 reason=not-bound"
check "and how they went on" seen "altconn_accept: "
check "and nobody else's" not "altconn-[0-9]+ "
check "those that failed" recipe 3
check "they are there" seen "reason=not-bound"
check "and no others" not "reason=established|connect_begin"
check "how long they waited" recipe 5
check "at once, and longer" same "$(grep -c '^{' "$dir/out")" 2
check "for which reason" recipe 7
check "one" seen "err: +111, reason: +2.*hitcount: +2"
check "and the other" seen "err: +0, reason: +1.*hitcount: +2"

if grep -q function_graph $tracefs/available_tracers; then
	check "what one connect() does" recipe 9
	check "the functions" seen "altconn_listener_find"
else
	skip "what one connect() does" "this kernel has no function graph"
	skip "the functions" "this kernel has no function graph"
fi

# It says that it attaches, and not when it has; but then it holds the module, which what
# was closed may hold for a moment more. It is tried again, for it holds it just before.
is_held_more() {
	local now
	now=$(cat /sys/module/altconn/refcnt)
	((now >= least)) || least=$now
	((now > least))
}

# One interrupt mostly does; two at once might end it before it prints.
interrupted() {
	if ((SECONDS >= again)); then
		pkill -INT -P "$1" bpftrace
		again=$((SECONDS + 10))
	fi
	! kill -0 "$1" 2>/dev/null
}

bpf() {
	local pid least again=0
	least=$(cat /sys/module/altconn/refcnt)
	(cd "$tracefs" && exec bash -eu "$dir/11") >"$dir/out" 2>&1 &
	pid=$!
	wait_until is_held_more && act
	wait_until interrupted "$pid" || pkill -KILL -P "$pid" bpftrace
	wait "$pid"
	cat "$dir/out"
	seen "@\[altconn, 111, 2\]: 1"
}

if command -v bpftrace >/dev/null && [ -e /sys/kernel/btf/vmlinux ]; then
	check "bpftrace" wait_until bpf
	check "and nothing is wrong" eval 'seen "^Attach" && not "ERROR"'
else
	skip "bpftrace" "no bpftrace, or no BTF in this kernel"
	skip "and nothing is wrong" "no bpftrace, or no BTF in this kernel"
fi
finish
