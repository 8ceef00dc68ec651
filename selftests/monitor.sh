#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn monitor: every event, in text and JSON, told to those who may hear it; what is
# lost is said.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
command -v python3 >/dev/null || skip_all "no python3"
[ "${1:-}" = --inside ] || exec unshare --net --mount "$0" --inside
scene_open || skip_all "helper_scene is not built"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# It listens when it has told of rules that change.
listens() {
	altconn rule flush
	[ -s "$1" ]
}

# begin [OPTION...]: as the user that $as says.
as=()
begin() {
	rm -f "$dir/out"
	"${as[@]}" altconn monitor "$@" >"$dir/out" 2>"$dir/err" &
	monitor=$!
	wait_until listens "$dir/out" || echo "# altconn monitor $* never listens"
}

end() {
	kill "$monitor"
	wait "$monitor" 2>/dev/null
}

# One Python answers for the whole script: to start one takes seconds on a slow guest.
coproc python3 -u -c "import json, sys
for expression in sys.stdin:
    try:
        all = [json.loads(line) for line in open('$dir/out')]
        e = [ev for ev in all if ev['event'] != 'rules']
        exec('print(' + expression.strip() + ')')
    except Exception as error:
        print(repr(error))"
exec {python_in}>&"${COPROC[1]}" {python_out}<&"${COPROC[0]}"

# events EXPRESSION: of those that were told, without those of rules at the beginning.
events() {
	local line
	printf '%s\n' "$1" >&"$python_in"
	read -r line <&"$python_out"
	printf '%s\n' "$line"
}

count() {
	[ "$(events "len(e)")" -ge "$1" ]
}

plan 56

begin -j
scene connect native stream port:4000
scene listen native stream port:4000 0
listener=$answer_slot
scene connect native stream port:4000
client=$answer_slot
scene start native stream port:4000
waits=${answer%% *}
scene accept "$listener"
server=$answer_slot
scene close "$client"
scene close "$server"
scene close "$waits"
check "all of them come" wait_until count 11
check "in their order" same "$(events "' '.join(ev['event'] for ev in e)")" \
	"begin failed begin established begin wait established accepted closed closed closed"
check "numbered without a gap" same "$(events "[b['seq'] - a['seq'] for a, b in zip(all, all[1:])].count(1) == len(all) - 1")" True
check "one that failed, and why" same "$(events "e[1]['errno'], e[1]['reason'], e[1]['server']['address'], 'id' in e[1]")" \
	"ECONNREFUSED not-bound port:4000 False"
check "whose it is" same "$(events "e[1]['client']['pid'], e[1]['client']['uid']")" "$scene_pid 0"
check "one that waits, where" same "$(events "e[5]['place'], e[5]['id'] == e[6]['id']")" "1 True"
check "and how long it did" same "$(events "e[6]['waited_ns'] > 1000")" True
check "who accepted" same "$(events "e[7]['server']['pid'], e[7]['id'] == e[3]['id']")" "$scene_pid True"
check "which end closed first" same "$(events "e[8]['end'], e[9]['end'], e[8]['id'] == e[9]['id']")" "client server True"
scene stray native stream
scene again "$listener" native port:4000
check "no attempt begins" wait_until count 13
check "to another family, or from a listener" same \
	"$(events "[(ev['errno'], ev['reason'], ev['server']['address']) for ev in e[11:13]]")" \
	"[('EAFNOSUPPORT', 'wrong-family', '*'), ('EOPNOTSUPP', 'state', 'port:4000')]"
altconn rule add deny >/dev/null
scene connect native stream port:4000
altconn rule flush
check "a rule" wait_until count 15
check "that decided" same "$(events "e[-1]['errno'], e[-1]['reason']")" "EPERM rule"
: >"$dir/ns"
unshare --net="$dir/ns" true
altconn node add 7 netns "$dir/ns"
altconn node down 7
check "nodes" wait_until count 17
check "twice" same "$(events "[ev['event'] for ev in e[-2:]]")" "['nodes', 'nodes']"
umount "$dir/ns"
check "one that is gone" wait_until count 18
altconn node flush
end

# Another namespace: it hears what happens there, and nothing of what happens here.
rm -f "$dir/out"
# shellcheck disable=SC2016
unshare --net sh -c 'altconn monitor -j >"$1" & echo $! >"$2"
	until [ -s "$1" ]; do altconn rule flush; sleep 0.1; done
	until [ -e "$3" ]; do sleep 0.1; done
	altconn node id 5; altconn ping -q -c 1 port:77; wait' - \
	"$dir/out" "$dir/pid" "$dir/go" >/dev/null 2>&1 &
elsewhere=$!
wait_until test -s "$dir/out"
scene connect native stream port:4001
: >"$dir/go"
heard() {
	grep -q port:77 "$dir/out"
}
check "another namespace hears of its own" wait_until heard
check "and of nothing else" same "$(grep -c port:4001 "$dir/out")" 0
kill "$(cat "$dir/pid")"
wait "$elsewhere"

begin -e failed -e rules
scene connect native seqpacket port:9
scene connect native stream port:9
check "as text" wait_until grep -qE \
	"^[0-9:.]{15} failed      stream    .* \(.*,$scene_pid\) -> port:9 ECONNREFUSED: not-bound$" "$dir/out"
check "what is wanted alone" same "$(awk '{ print $2 }' "$dir/out" | sort -u | xargs)" "failed rules"
end

# Another user gets the events of its own attempts, and nobody else's.
nobody=(setpriv --reuid 65534 --clear-groups)
rm -f "$dir/out"
"${nobody[@]}" altconn monitor -j -e failed -e rules >"$dir/out" &
monitor=$!
wait_until listens "$dir/out"
scene connect native stream port:9
"${nobody[@]}" altconn ping -q -c 1 port:8 >/dev/null
check "another user" wait_until count 1
check "hears of its own attempts alone" same \
	"$(events "[(ev['server']['address'], ev['client']['uid'], ev['client']['comm']) for ev in e]")" \
	"[('port:8', 65534, 'altconn')]"
check "without a gap" same "$(events "{b['seq'] - a['seq'] for a, b in zip(all, all[1:])} <= {1, 2}")" True
check "and no more than is known" same "$(events "sorted(e[0]['server'])")" "['address']"
end

# What ends attempts and connections otherwise, and datagrams.
begin -j
scene listen native stream port:4100 0
listener=$answer_slot
scene connect native stream port:4100
scene accept "$listener"
id=$(altconn show -ceH port:4100 | sed 's/.*id:\([0-9]*\).*/\1/')
scene connect native stream port:4100
altconn connect --timeout=0.05 port:4100 </dev/null 2>/dev/null
altconn kill "$id" >/dev/null
scene bind native dgram port:4101
scene connect native dgram port:4101
check "one that is killed, and others" wait_until count 12
check "it waited until its deadline" same "$(events "[(ev['event'], ev.get('errno'), ev.get('reason')) for ev in e[5:8]]")" \
	"[('begin', None, None), ('wait', None, None), ('failed', 'ETIMEDOUT', 'deadline')]"
check "both ends are closed" same "$(events "[(ev['event'], ev['end'], ev['id'] == $id) for ev in e[8:10]]")" \
	"[('closed', 'client', True), ('closed', 'server', True)]"
check "a datagram socket has no id" same "$(events "[(ev['event'], ev['type'], 'id' in ev) for ev in e[10:12]]")" \
	"[('begin', 'dgram', False), ('established', 'dgram', False)]"
end

# Two hear, and one goes.
begin -j -t dgram -e established -e rules
first=$monitor
altconn monitor -j --count=2 port:4102 >"$dir/second" &
second=$!
second_hears() {
	scene connect native stream port:4102
	[ -s "$dir/second" ]
}
check "two hear" wait_until second_hears
check "one has enough" wait_until eval "! kill -0 $second 2>/dev/null"
check "which it asked for" same "$(grep -c port:4102 "$dir/second")" 2
scene connect native dgram port:4101
check "the other hears on" wait_until count 1
check "what it asked for" same "$(events "[(ev['event'], ev['type']) for ev in e]")" "[('established', 'dgram')]"
monitor=$first
end

# In another namespace of processes there are none of these.
rm -f "$dir/out"
# shellcheck disable=SC2016
unshare --pid --fork sh -c 'exec altconn monitor -j -e failed -e rules >"$1"' - "$dir/out" &
monitor=$!
wait_until listens "$dir/out"
scene connect native stream port:9
check "another namespace of processes" wait_until count 1
check "has none of these" same "$(events "'pid' in e[0]['client']")" False
inner=$(pgrep -P "$monitor")
nsenter --target "$inner" --pid altconn ping -q -c 1 port:8 >/dev/null
check "but has its own" wait_until count 2
check "by its own numbers" same "$(events "1 < e[1]['client']['pid'] < 20, e[1]['client']['comm']")" \
	"True altconn"
# Another administrator sees them by other numbers.
altconn monitor -j -e failed -e rules >"$dir/second" &
second=$!
wait_until listens "$dir/second"
nsenter --target "$inner" --pid altconn ping -q -c 1 port:8 >/dev/null
check "two see one" wait_until count 3
check "and again by its own numbers" same "$(events "1 < e[2]['client']['pid'] < 40")" True
check "each by its own" wait_until grep -q port:8 "$dir/second"
check "which are others" same "$(grep port:8 "$dir/second" | grep -c '"pid":[0-9]\{1,2\},')" 0
kill "$second"
wait "$second" 2>/dev/null
# To the first process of a namespace nothing else is fatal.
pkill -KILL -P "$monitor"
wait "$monitor" 2>/dev/null

# Between two namespaces: each hears with its own addresses, and counts for itself.
: >"$dir/ns"
unshare --net="$dir/ns" true
altconn node add 7 netns "$dir/ns"
altconn node id 1
nsenter --net="$dir/ns" altconn node add 1 netns "/proc/$$/ns/net"
nsenter --net="$dir/ns" altconn monitor -j -e established -e accepted -e closed -e rules >"$dir/far" &
far=$!
far_hears() {
	nsenter --net="$dir/ns" altconn rule flush
	[ -s "$dir/far" ]
}
wait_until far_hears
begin -j -e established -e accepted -e closed -e rules
nsenter --net="$dir/ns" altconn listen --reachable port:4200 </dev/null >/dev/null &
listener=$!
far_listens() {
	nsenter --net="$dir/ns" altconn show -lH | grep -q port:4200
}
wait_until far_listens
altconn connect port:7/4200 </dev/null >/dev/null
wait "$listener"
check "the client's namespace" wait_until count 4
check "hears of all" same "$(events "sorted(ev['event'] for ev in e), {ev['server']['address'] for ev in e}")" \
	"['accepted', 'closed', 'closed', 'established'] {'port:7/4200'}"
end
far_count() {
	cp "$dir/far" "$dir/out"
	count "$1"
}
check "so does the server's" wait_until far_count 4
check "with its own addresses" same "$(events "sorted(ev['event'] for ev in e), {ev['server']['address'] for ev in e}")" \
	"['accepted', 'closed', 'closed', 'established'] {'port:4200'}"
kill "$far"
wait "$far" 2>/dev/null
umount "$dir/ns"
altconn node flush

# A user in namespaces of its own for users and processes, and no privilege here.
begin -j -e failed -e rules
"${nobody[@]}" unshare --user --pid --fork \
	altconn monitor -j -e failed -e rules >"$dir/second" 2>/dev/null &
second=$!
wait_until listens "$dir/second"
scene connect native stream port:9
"${nobody[@]}" altconn ping -q -c 1 port:8 >/dev/null
check "in a user namespace, too" wait_until grep -q port:8 "$dir/second"
check "its own alone" same "$(grep -c port:9 "$dir/second")" 0
check "no processes, of another namespace" same "$(grep -c '"pid"' "$dir/second")" 0
check "and an administrator" wait_until count 2
check "all of them" same "$(events "[ev['server']['address'] for ev in e], e[0]['client']['pid']")" \
	"['port:9', 'port:8'] $scene_pid"
pkill -KILL -P "$second"
wait "$second" 2>/dev/null
end

# Who listens comes and goes while things happen, and a namespace goes with all of them.
storm() {
	local i pids rounds=10
	[ -z "${ALTCONN_DEBUG_KERNEL:-}" ] || rounds=3
	for ((i = 0; i < rounds; i++)); do
		altconn ping -q -i 0 port:9 >/dev/null 2>&1 &
		pids=$!
		altconn monitor -j >/dev/null 2>&1 &
		pids+=" $!"
		altconn monitor -j --count=300 || return 1
		# shellcheck disable=SC2086 # words
		kill $pids
		# shellcheck disable=SC2086
		wait $pids 2>/dev/null
	done >/dev/null
	return 0
}
check "listeners come and go" storm
export -f storm
check "and their namespaces" unshare --net bash -c storm

# One that is stopped reads nothing, until its socket is full. That of an administrator
# has room for thousands of events, that of a user, whose own they are, for hundreds.
attempts=10000
if [ -n "${ALTCONN_DEBUG_KERNEL:-}" ]; then
	as=("${nobody[@]}")
	attempts=1000
fi
begin -j
kill -STOP "$monitor"
"${as[@]}" altconn ping -q -i 0 -c "$attempts" port:9 >/dev/null
kill -CONT "$monitor"
altconn rule flush
lost() {
	altconn rule flush
	grep -q '"event":"lost"' "$dir/out"
}
check "what is lost is said" wait_until lost
end
check "and how many there were" same "$(events "all[-1]['seq'] - all[0]['seq'] + 1 == sum(ev['event'] != 'lost' for ev in all) + sum(ev.get('count', 0) for ev in all)")" True

check "an event that is none" wrong 2 "is one of" altconn monitor -e frob
check "a count that is none" wrong 2 "'x'" altconn monitor --count=x
finish
