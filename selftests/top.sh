#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn top: what it shows, in a row and on a terminal; and the order of altconn show.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
/usr/bin/python3 -c "import pyte" 2>/dev/null || skip_all "no python3-pyte"
[ "${1:-}" = --inside ] || exec unshare --net --mount "$0" --inside
scene_open || skip_all "helper_scene is not built"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# shows PATTERN OPTION...: a line of one look.
shows() {
	local pattern=$1
	shift
	altconn top -b -n 1 -d 0.1 "$@" | tee "$dir/top"
	grep -qE -- "$pattern" "$dir/top"
}

hides() {
	local pattern=$1
	shift
	altconn top -b -n 1 -d 0.1 "$@" >"$dir/top" || return 1
	cat "$dir/top"
	grep -q "^TYPE" "$dir/top" && ! grep -qE -- "$pattern" "$dir/top"
}

# Something happens for as long as COMMAND takes: connections, and failures.
busy() {
	local pid status=0
	while :; do
		altconn ping -q -c 5 -i 0.02 port:4003
		altconn ping -q -c 1 port:9
	done >/dev/null 2>&1 &
	pid=$!
	"$@" || status=$?
	kill "$pid"
	wait "$pid" 2>/dev/null
	return "$status"
}

# order COLUMN OPTION...: what altconn show has there, in a row.
order() {
	local column=$1
	shift
	altconn show -H "$@" | awk -v c="$column" '{ print $c }' | xargs
}

# What a terminal of some size shows, keys being typed: python's words are the keys, and
# what must be on the screen after each.
screen() {
	/usr/bin/python3 - "$@" <<'PY'
import os, pty, pyte, re, select, signal, sys, time
rows, columns, *steps = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "linux"
    os.environ.update(LINES=rows, COLUMNS=columns)
    os.execvp("altconn", ["altconn", "top", "-d", "0.2"])
screen = pyte.Screen(int(columns), int(rows))
stream = pyte.ByteStream(screen)
def wait(pattern):
    end = time.monotonic() + 60
    while not re.search(pattern, "\n".join(screen.display)):
        if time.monotonic() > end or not select.select([fd], [], [], 60)[0]:
            sys.exit("never seen: %s in\n%s" % (pattern, "\n".join(screen.display)))
        try:
            stream.feed(os.read(fd, 65536))
        except OSError:
            sys.exit("ended before %s\n%s" % (pattern, "\n".join(screen.display)))
for step in steps:
    key, _, pattern = step.partition("=")
    os.write(fd, key.encode().decode("unicode_escape").encode())
    if pattern:
        wait(pattern)
try:
    while select.select([fd], [], [], 60)[0] and os.read(fd, 65536):
        pass
    os.kill(pid, signal.SIGKILL)
except OSError:
    pass
status = os.waitpid(pid, 0)[1]
sys.exit(os.waitstatus_to_exitcode(status))
PY
}

plan 36

scene listen native stream port:4000 0
scene connect native stream port:4000
scene start native stream port:4000
scene listen native seqpacket port:4001 5
scene connect native stream port:9
check "the listeners, and whose they are" shows \
	"^stream +1/0 +1 .* port:4000 +helper_scene \\($scene_pid\\)$"
check "all of them" shows "^seqpacket +0/5 +0 .* port:4001 "
check "totals" shows "associations 2 .*queued 1  waiting 1$"
check "a type" hides "port:4001" -t stream
check "an address" hides "port:4000" port:4001
check "connections" shows "^stream +queued .* port:[0-9]+ -> port:4000 +helper_scene \\($scene_pid\\) -> helper_scene \\($scene_pid\\)$" -c
check "those that wait have their own list" hides "pending" -c
check "and their places" shows "^stream +1 +[0-9.]+s +- .*port:4000 +helper_scene \\($scene_pid\\)$" -w
# json EXPRESSION OPTION...: of the newest of two looks, t.
json() {
	local what=$1
	shift
	altconn top -j -n 2 -d 0.5 "$@" >"$dir/top" || return 1
	python3 -c "
import json, sys
looks = [json.loads(line) for line in open(sys.argv[1])]
assert len(looks) == 2, looks
t = looks[-1]
assert $what, t" "$dir/top"
}
check "as JSON" json "[(a['place'], a['client']['pid']) for a in t['attempts']] == [(1, $scene_pid)] and t['waiting'] == 1" -w
check "connections" json "[a['server']['address'] for a in t['connections']] == ['port:4000'] and 'attempts' not in t" -c
check "those of one process" hides "port:4000" -c --pid 1
scene listen native stream port:4002 100
scene listen native stream port:4003 4000
busiest() {
	altconn top -b -n 1 -d 1 | tee "$dir/top"
	awk '/^TYPE/ { getline; if ($8 == "port:4003" && $4 > 0) seen = 1 }
	     END { exit !seen }' "$dir/top"
}
check "the busiest is first" busy wait_until busiest
failing() {
	altconn top -b -n 1 -d 1 --sort failed | tee "$dir/top"
	awk '$1 == "per" && $8 > 0 { seen = 1 } END { exit !seen }' "$dir/top"
}
check "rates of failures" busy wait_until failing
check "as JSON" busy wait_until json \
	"any(s['owner']['address'] == 'port:4003' and s['established_per_s'] > 0 and s['backlog'] == 4000 for s in t['listeners'])"
check "the outcomes" screen 30 160 '=listeners' 'o=not-bound' 'q'

# The order of a list.
scene listen native stream port:10 7
check "by address, as people count" same \
	"$(order 6 -l --sort local)" "port:10 port:4000 port:4001 port:4002 port:4003"
check "turned round" same "$(order 6 -l --sort local -r)" \
	"port:4003 port:4002 port:4001 port:4000 port:10"
check "by type" same "$(order 1 -l --sort type)" \
	"seqpacket stream stream stream stream"
scene listen native stream port:11 0
scene connect native stream port:11
scene connect native stream port:10
scene connect native stream port:10
scene connect native stream port:10
for _ in 1 2 3; do
	scene start native stream port:11
done
check "where most wait first" same "$(order 6 -l --sort wait | cut -d' ' -f1)" port:11
check "the fullest first" same "$(order 6 -l --sort queue port:4002 port:11 port:10 | cut -d' ' -f1)" port:10
check "and last" same "$(order 6 -l --sort queue -r port:4002 port:11 port:10 | rev | cut -d' ' -f1 | rev)" port:10
check "by id, as they came" same "$(order 6 -l --sort id)" \
	"port:4000 port:4001 port:4002 port:4003 port:10 port:11"
check "nothing else turns it round" same "$(order 6 -l -r)" \
	"port:11 port:10 port:4003 port:4002 port:4001 port:4000"
check "the youngest first" same "$(order 2 -c --sort age -r -t stream | cut -d' ' -f1)" WAIT
check "a key that is none" wrong 2 "is one of: id" altconn show --sort frob
check "JSON in that order" same "$(altconn show -lj --sort local |
	python3 -c 'import json, sys
d = json.load(sys.stdin)
print(d["interrupted"], [s["owner"]["address"] for s in d["sockets"]][0])')" "False port:10"

# On a terminal.
check "begins and ends" screen 24 120 '=listeners 1-' 'q'
# Those of before may have been given up.
scene start native stream port:11
check "the lists" screen 24 120 '=listeners 1-' 'c=connections 1-' 'w=waiting 1-' \
	'\t=outcomes' '\t=listeners' 'q'
check "the order" screen 24 160 '=sort: rate' 's=sort: failed' 's=sort: overflow' 'r=reversed' 'S=sort: failed' 'q'
check "help, and back" screen 24 120 '=listeners' 'h=more often' 'x=listeners 1-' 'q'
check "pauses" screen 24 120 '=listeners' 'p=PAUSED' 'q'
check "ends by Escape" screen 24 120 '=listeners' '\x1b'
check "a terminal that is too small" screen 3 20 '=altconn top' 'c' '\t' 'h=Tab, Left' 'x' 'q'
check "no terminal" wrong 1 "--batch" altconn top
check "a delay that is none" wrong 2 "is no interval" altconn top -b -d x
check "a count that is none" wrong 2 "'0'" altconn top -b -n 0
finish
