#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn top: it prints lists in batch mode and shows them on a terminal. The
# lists of altconn show have the order that --sort selects.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn
/usr/bin/python3 -c "import pyte" 2>/dev/null ||
	skip_all "there is no python3-pyte"
own_namespaces --net --mount
need_scene
make_dir
json_open "listeners = doc.get('listeners', [])"

# shows PATTERN OPTION...: a line of one sample matches the pattern.
shows() {
	local pattern=$1
	shift
	altconn top -b -n 1 -d 0.1 "$@" >"$dir/top" || return 1
	cat "$dir/top"
	grep -qE -- "$pattern" "$dir/top"
}

# hides PATTERN OPTION...: no line of one sample matches the pattern.
hides() {
	local pattern=$1
	shift
	altconn top -b -n 1 -d 0.1 "$@" >"$dir/top" || return 1
	cat "$dir/top"
	grep -q "^TYPE" "$dir/top" && ! grep -qE -- "$pattern" "$dir/top"
}

# busy COMMAND...: attempts succeed and fail as long as the command runs.
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

# order COLUMN OPTION...: prints a column of altconn show, in one line.
order() {
	local column=$1
	shift
	altconn show -H "$@" | awk -v c="$column" '{ print $c }' | xargs
}

# screen ROWS COLUMNS STEP...: starts altconn top at a terminal of this size.
# After the last step altconn top must end. The steps are:
#
#	KEY		types the key
#	KEY=PATTERN	types the key, and waits until the screen matches
#	!COMMAND	runs the command
#	^PATTERN	in two seconds the screen does not match the pattern
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
def seen(pattern):
    return re.search(pattern, "\n".join(screen.display))
def wait(pattern):
    end = time.monotonic() + 60
    while not seen(pattern):
        if time.monotonic() > end or not select.select([fd], [], [], 60)[0]:
            sys.exit("the screen never matches %s:\n%s"
                     % (pattern, "\n".join(screen.display)))
        read("before the screen matched " + pattern)
def read(when):
    try:
        stream.feed(os.read(fd, 65536))
    except OSError:
        sys.exit("altconn top ended %s:\n%s"
                 % (when, "\n".join(screen.display)))
def never(pattern):
    end = time.monotonic() + 2
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            read("while its screen was watched")
        if seen(pattern):
            sys.exit("the screen matches %s:\n%s"
                     % (pattern, "\n".join(screen.display)))
for step in steps:
    if step.startswith("!"):
        if os.system(step[1:]):
            sys.exit("a command failed: " + step[1:])
        continue
    if step.startswith("^"):
        never(step[1:])
        continue
    key, _, pattern = step.partition("=")
    os.write(fd, key.encode().decode("unicode_escape").encode())
    if pattern:
        wait(pattern)
end = time.monotonic() + 60
try:
    while time.monotonic() < end and \
            select.select([fd], [], [], 60)[0] and os.read(fd, 65536):
        pass
    os.kill(pid, signal.SIGKILL)
except OSError:
    pass
status = os.waitpid(pid, 0)[1]
sys.exit(os.waitstatus_to_exitcode(status))
PY
}

plan 38

scene listen native stream port:4000 0
scene connect native stream port:4000
scene start native stream port:4000
scene listen native seqpacket port:4001 5
scene connect native stream port:9
check "top lists a listener with its process" shows \
	"^stream +1/0 +1 .* port:4000 +helper_scene \\($scene_pid\\)$"
check "top lists the other listener" shows "^seqpacket +0/5 +0 .* port:4001 "
check "top prints totals" shows "associations 2 .*queued 1  waiting 1$"
check "--type selects listeners" hides "port:4001" -t stream
check "an address selects listeners" hides "port:4000" port:4001
check "-c lists connections" shows \
	"^stream +queued .* port:[0-9]+ -> port:4000 +helper_scene \\($scene_pid\\) -> helper_scene \\($scene_pid\\)$" \
	-c
check "-c leaves out waiting attempts" hides "pending" -c
check "-w lists waiting attempts with their positions" shows \
	"^stream +1 +[0-9.]+s +- .*port:4000 +helper_scene \\($scene_pid\\)$" \
	-w
# top_holds EXPRESSION OPTION...: the expression holds for the second of two
# samples, which is doc.
top_holds() {
	local expression=$1
	shift
	holds "len(docs) == 2 and ($expression)" \
		altconn top -j -n 2 -d 0.5 "$@"
}
check "the JSON of -w lists waiting attempts" top_holds \
	"[(a['position'], a['client']['pid']) for a in doc['attempts']]
	== [(1, $scene_pid)] and doc['waiting'] == 1" -w
check "the JSON of -c lists connections" top_holds \
	"[a['server']['address'] for a in doc['connections']] == ['port:4000']
	and 'attempts' not in doc" -c
check "--pid leaves out the connections of other processes" \
	hides "port:4000" -c --pid 1
check "--pid lists the connections of the process" \
	shows "-> port:4000 " -c --pid "$scene_pid"
scene listen native stream port:4002 100
scene listen native stream port:4003 4000
busiest() {
	altconn top -b -n 1 -d 1 >"$dir/top" || return 1
	cat "$dir/top"
	awk '/^TYPE/ { getline; if ($8 == "port:4003" && $4 > 0) seen = 1 }
	     END { exit !seen }' "$dir/top"
}
check "the listener with the highest rate is first" busy wait_until busiest
failing() {
	altconn top -b -n 1 -d 1 --sort failed >"$dir/top" || return 1
	cat "$dir/top"
	awk '$1 == "per" && $8 > 0 { seen = 1 } END { exit !seen }' "$dir/top"
}
check "top prints the rate of failures" busy wait_until failing
check "the JSON has the rate of a listener" busy wait_until top_holds \
	"any(s['owner']['address'] == 'port:4003' and
	s['established_per_s'] > 0 and s['backlog'] == 4000
	for s in listeners)"
check "the key o shows the outcomes" \
	screen 30 160 '=listeners' 'o=not-bound' 'q'

# The order of a list.
scene listen native stream port:10 7
check "--sort local sorts addresses by their numbers" \
	same "$(order 6 -l --sort local)" \
	"port:10 port:4000 port:4001 port:4002 port:4003"
check "-r reverses the order" same "$(order 6 -l --sort local -r)" \
	"port:4003 port:4002 port:4001 port:4000 port:10"
check "--sort type sorts by type" same "$(order 1 -l --sort type)" \
	"seqpacket stream stream stream stream"
scene listen native stream port:11 0
scene connect native stream port:11
for _ in 1 2 3; do
	scene connect native stream port:10
done
for _ in 1 2 3; do
	scene start native stream port:11
done
first() {
	order "$@" | cut -d' ' -f1
}
last() {
	order "$@" | rev | cut -d' ' -f1 | rev
}
check "--sort wait begins with the most waiting attempts" \
	same "$(first 6 -l --sort wait)" port:11
check "--sort queue begins with the longest accept queue" \
	same "$(first 6 -l --sort queue port:4002 port:11 port:10)" port:10
check "--sort queue -r ends with the longest accept queue" \
	same "$(last 6 -l --sort queue -r port:4002 port:11 port:10)" port:10
check "--sort age begins with the oldest socket" \
	same "$(order 6 -l --sort age)" \
	"port:4000 port:4001 port:4002 port:4003 port:10 port:11"
check "--sort id sorts by the id" same \
	"$(json "[s['id'] for s in doc['sockets']] ==
	sorted(s['id'] for s in doc['sockets'])" \
	altconn show -lj --sort id)" True
check "-r without --sort begins with the youngest" \
	same "$(order 6 -l -r)" \
	"port:11 port:10 port:4003 port:4002 port:4001 port:4000"
check "--sort age -r begins with the youngest" \
	same "$(first 2 -c --sort age -r -t stream)" WAIT
check "an unknown order is an error" \
	wrong 2 "is one of: id" altconn show --sort frob
check "the JSON is in the order of --sort" same \
	"$(json "doc['interrupted'], doc['sockets'][0]['owner']['address']" \
	altconn show -lj --sort local)" "False port:10"

# A terminal.
check "top starts, and the key q ends it" screen 24 120 '=listeners 1-' 'q'
# The attempts from above may have failed at their deadlines.
scene start native stream port:11
check "keys change the list" screen 24 120 '=listeners 1-' \
	'c=connections 1-' 'w=waiting 1-' '\t=outcomes' '\t=listeners' 'q'
check "keys change the order" screen 24 160 '=sort: rate' 's=sort: failed' \
	's=sort: overflow' 'r=reversed' 'S=sort: failed' 'q'
check "the key h shows the help, and another key ends it" \
	screen 24 120 '=listeners' 'h=more often' 'x=listeners 1-' 'q'
# The screen shows the new listener only when the pause has ended.
# shellcheck disable=SC2016 # the shell of the step expands it
check "the key p pauses" screen 24 120 '=listeners' 'p=PAUSED' \
	'!altconn listen port:4004 </dev/null >/dev/null 2>&1 &
	for i in $(seq 600); do
		altconn show -lH | grep -q port:4004 && exit
		sleep 0.1
	done
	exit 1' \
	'^port:4004' 'p=port:4004' 'q'
# The listener ends after one connection.
altconn connect -z --timeout=10 port:4004 </dev/null >/dev/null 2>&1
check "the key Escape ends top" screen 24 120 '=listeners' '\x1b'
check "top runs on a terminal that is too small" \
	screen 3 20 '=altconn top' 'c' '\t' 'h=Tab, Left' 'x' 'q'
check "top without a terminal is an error" wrong 1 "--batch" altconn top
check "an invalid delay is an error" \
	wrong 2 "is no interval" altconn top -b -d x
check "a count of 0 is an error" wrong 2 "'0'" altconn top -b -n 0
finish
