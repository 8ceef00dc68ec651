#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each recipe of Documentation/admin/tracing.rst works as the page prints it.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn python3
top=${ALTCONN_TOP:-$here/..}
doc=$top/Documentation/admin/tracing.rst
[ -f "$doc" ] || skip_all "there is no Documentation/admin/tracing.rst"
tracefs=/sys/kernel/tracing
[ -d $tracefs/events/altconn ] || skip_all "there are no altconn events"
need_scene
make_dir
export PID=$scene_pid

# Writes each block of the page to a file of its own: 1, 2, ...
python3 - "$doc" "$dir" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
for i, block in enumerate(re.findall(r"::\n\n((?:\t.*\n)+)", text), 1):
    with open(f"{sys.argv[2]}/{i}", "w") as f:
        f.write(block.replace("\t", ""))
PY

# run N: runs the block N.
run() {
	(cd "$tracefs" && bash -eu "$dir/$1")
}

# One attempt fails, one succeeds, and one waits and then succeeds. Another
# process makes an attempt too.
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

# recipe N: runs the block N, makes the attempts, and writes the output of the
# next block to $dir/out.
recipe() {
	echo >"$tracefs/trace"
	run "$1" || return 1
	act
	run $(($1 + 1)) >"$dir/out" || return 1
	cat "$dir/out"
	grep -q "1 failed" "$dir/ping" && ! is_left
}

# A trigger that is left would hold the module.
is_left() {
	grep -h '^hist:' "$tracefs"/events/altconn/*/trigger
}

# seen PATTERN, not PATTERN: a line, or no line, of $dir/out matches.
seen() {
	grep -qE -- "$1" "$dir/out"
}

not() {
	! seen "$1"
}

plan 19
check "the page has as many blocks as this test expects" \
	same "$(find "$dir" -name '[0-9]*' | wc -l)" 11

check "the recipe for one process works" recipe 1
check "it prints a failed attempt" \
	seen "altconn_connect_end: .*remote=port:9 errno=111 reason=not-bound"
check "it prints the other events of the process" seen "altconn_accept: "
check "it prints no event of another process" not "altconn-[0-9]+ "
check "the recipe for failed attempts works" recipe 3
check "it prints the failed attempts" seen "reason=not-bound"
check "it prints no other attempt" not "reason=established|connect_begin"
check "the recipe for the times of waits works" recipe 5
check "it prints a bucket for an attempt without a wait" \
	seen '^\{ waited_us: ~ 2\^0 +\} hitcount: +1\b'
check "it prints a bucket for an attempt with a wait" \
	seen '^\{ waited_us: ~ 2\^[1-9][0-9]* +\} hitcount: +1\b'
check "it prints no other bucket" same "$(grep -c '^{' "$dir/out")" 2
check "the recipe for reasons works" recipe 7
check "it counts the failed attempts" seen "err: +111, reason: +2.*hitcount: +2"
check "it counts the successful attempts" \
	seen "err: +0, reason: +1.*hitcount: +2"

if grep -q function_graph $tracefs/available_tracers; then
	check "the recipe for the functions of connect() works" recipe 9
	check "it prints a function of the module" seen "altconn_listener_find"
else
	skip "the recipe for the functions of connect() works" \
		"this kernel has no function graph"
	skip "it prints a function of the module" \
		"this kernel has no function graph"
fi

# bpftrace prints a line when it begins to attach, and none when it has
# attached. An attached program holds the module. Sockets that were closed may
# hold the module for a moment too, so the test compares with the least count so
# far.
is_held_more() {
	local now
	now=$(cat /sys/module/altconn/refcnt)
	((now >= least)) || least=$now
	((now > least))
}

# One SIGINT ends bpftrace in most cases. A second one at the same time might
# end it before it prints, so the next one follows 10 seconds later.
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
	check "the recipe for bpftrace works" wait_until bpf
	check "bpftrace prints no error" eval 'seen "^Attach" && not "ERROR"'
else
	skip "the recipe for bpftrace works" \
		"there is no bpftrace, or this kernel has no BTF"
	skip "bpftrace prints no error" \
		"there is no bpftrace, or this kernel has no BTF"
fi
finish
