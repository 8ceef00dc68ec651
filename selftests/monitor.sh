#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn monitor: it prints every event as text and as JSON, it shows a user
# only the events of that user, and it reports the number of lost events.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn
own_namespaces --net --mount
need_scene
make_dir
# A report of lost events has no number.
json_open "e = [ev for ev in docs if ev['event'] != 'rules']
seqs = [ev['seq'] for ev in docs if ev['event'] != 'lost']
steps = [b - a for a, b in zip(seqs, seqs[1:])]"

# A monitor receives events once it has printed an event about rules.
listens() {
	altconn rule flush
	[ -s "$1" ]
}

# begin [OPTION...]: starts a monitor, as the user that $as selects.
as=()
begin() {
	rm -f "$dir/out"
	"${as[@]}" altconn monitor "$@" >"$dir/out" 2>"$dir/err" &
	monitor=$!
	wait_until listens "$dir/out" ||
		echo "# altconn monitor $* receives no event"
}

end() {
	kill "$monitor"
	wait "$monitor" 2>/dev/null
}

# events EXPRESSION: about the printed events. docs has all of them, and e has
# all but the events about rules.
events() {
	json "$1" cat "$dir/out"
}

# count N: the monitor has printed N events. The last line may be incomplete,
# which is no JSON yet.
count() {
	local number
	number=$(events "len(e)" 2>/dev/null) && [ "$number" -ge "$1" ]
}

plan 57

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
check "the monitor prints all events" wait_until count 11
check "the events are in their order" \
	same "$(events "' '.join(ev['event'] for ev in e)")" \
	"begin failed begin established begin wait established accepted closed closed closed"
check "the numbers of the events have no gap" \
	same "$(events "steps.count(1) == len(docs) - 1")" True
check "a failed attempt has an errno and a reason" same \
	"$(events "e[1]['errno'], e[1]['reason'], e[1]['server']['address'], 'id' in e[1]")" \
	"ECONNREFUSED not-bound port:4000 False"
check "a failed attempt has the process and the user of the client" \
	same "$(events "e[1]['client']['pid'], e[1]['client']['uid']")" \
	"$scene_pid 0"
check "a waiting attempt has a position" \
	same "$(events "e[5]['position'], e[5]['id'] == e[6]['id']")" "1 True"
check "an attempt that waited has the time of its wait" \
	same "$(events "e[6]['waited_ns'] > 1000")" True
check "an accepted connection has the process of the server" \
	same "$(events "e[7]['server']['pid'], e[7]['id'] == e[3]['id']")" \
	"$scene_pid True"
check "a closed connection names the end that closed first" same \
	"$(events "e[8]['end'], e[9]['end'], e[8]['id'] == e[9]['id']")" \
	"client server True"
scene stray native stream
scene again "$listener" native port:4000
check "the monitor prints calls of connect() that begin no attempt" \
	wait_until count 13
check "connect() to another family and of a listener begins no attempt" same \
	"$(events "[(ev['errno'], ev['reason'], ev['server']['address']) for ev in e[11:13]]")" \
	"[('EAFNOSUPPORT', 'wrong-family', '*'), ('EOPNOTSUPP', 'state', 'port:4000')]"
altconn rule add deny >/dev/null
scene connect native stream port:4000
altconn rule flush
check "the monitor prints an attempt that a rule denies" wait_until count 15
check "a denied attempt has the reason rule" \
	same "$(events "e[-1]['errno'], e[-1]['reason']")" "EPERM rule"
: >"$dir/ns"
unshare --net="$dir/ns" true
altconn node add 7 netns "$dir/ns"
altconn node down 7
check "the monitor prints changes of nodes" wait_until count 17
check "each change of a node is an event" \
	same "$(events "[ev['event'] for ev in e[-2:]]")" "['nodes', 'nodes']"
umount "$dir/ns"
check "the end of a node's namespace is an event" wait_until count 18
altconn node flush
end

# A monitor in another namespace prints the events of its namespace, and none of
# this one.
rm -f "$dir/out"
# shellcheck disable=SC2016 # the inner shell expands it
unshare --net sh -c 'altconn monitor -j >"$1" & echo $! >"$2"
	until [ -s "$1" ]; do altconn rule flush; sleep 0.1; done
	until [ -e "$3" ]; do sleep 0.1; done
	altconn node id 5; altconn ping -q -c 1 port:77; wait' - \
	"$dir/out" "$dir/pid" "$dir/go" >/dev/null 2>&1 &
elsewhere=$!
wait_until test -s "$dir/out"
scene connect native stream port:4001
: >"$dir/go"
printed_port_77() {
	grep -q port:77 "$dir/out"
}
check "a monitor in another namespace prints the events of that namespace" \
	wait_until printed_port_77
check "it prints no event of this namespace" \
	same "$(grep -c port:4001 "$dir/out")" 0
kill "$(cat "$dir/pid")"
wait "$elsewhere"

begin -e failed -e rules
scene connect native seqpacket port:9
scene connect native stream port:9
check "the text of a failed attempt has its ends, errno and reason" \
	wait_until grep -qE \
	"^[0-9:.]{15} failed      stream    .* \(.*,$scene_pid\) -> port:9 ECONNREFUSED: not-bound$" \
	"$dir/out"
check "-e selects the events" \
	same "$(awk '{ print $2 }' "$dir/out" | sort -u | xargs)" "failed rules"
end

# Another user receives only the events of attempts of that user.
nobody=(setpriv --reuid 65534 --clear-groups)
rm -f "$dir/out"
"${nobody[@]}" altconn monitor -j -e failed -e rules >"$dir/out" &
monitor=$!
wait_until listens "$dir/out"
scene connect native stream port:9
"${nobody[@]}" altconn ping -q -c 1 port:8 >/dev/null
check "a monitor of another user prints an event" wait_until count 1
check "it prints only events of attempts of that user" same \
	"$(events "[(ev['server']['address'], ev['client']['uid'], ev['client']['comm']) for ev in e]")" \
	"[('port:8', 65534, 'altconn')]"
# Each number that -e leaves out makes a step of 2. If the number of an event is
# missing, the monitor prints that events were lost, whatever -e selects.
check "the numbers of its events have no gap" same \
	"$(events "set(steps) <= {1, 2}, [ev for ev in docs if ev['event'] == 'lost']")" \
	"True []"
check "its events show of the server only the address" \
	same "$(events "sorted(e[0]['server'])")" "['address']"
end

# Deadlines, kills and datagram sockets.
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
check "the monitor prints deadlines, kills and datagram sockets" \
	wait_until count 12
check "an attempt waits until its deadline" same \
	"$(events "[(ev['event'], ev.get('errno'), ev.get('reason')) for ev in e[5:8]]")" \
	"[('begin', None, None), ('wait', None, None), ('failed', 'ETIMEDOUT', 'deadline')]"
check "a kill closes both ends" same \
	"$(events "[(ev['event'], ev['end'], ev['id'] == $id) for ev in e[8:10]]")" \
	"[('closed', 'client', True), ('closed', 'server', True)]"
check "the event of a datagram socket has no id" same \
	"$(events "[(ev['event'], ev['type'], 'id' in ev) for ev in e[10:12]]")" \
	"[('begin', 'dgram', False), ('established', 'dgram', False)]"
end

# Two monitors run, and one of them ends.
begin -j -t dgram -e established -e rules
first=$monitor
altconn monitor -j --count=2 port:4102 >"$dir/second" &
second=$!
second_prints() {
	scene connect native stream port:4102
	[ -s "$dir/second" ]
}
check "a second monitor prints events" wait_until second_prints
check "the second monitor ends after the number in --count" \
	wait_until eval "! kill -0 $second 2>/dev/null"
check "the second monitor prints only events of its address" \
	same "$(grep -c port:4102 "$dir/second")" 2
scene connect native dgram port:4101
check "the first monitor goes on" wait_until count 1
check "the first monitor prints only events of its type" \
	same "$(events "[(ev['event'], ev['type']) for ev in e]")" \
	"[('established', 'dgram')]"
monitor=$first
end

# A monitor in another PID namespace, which cannot see the processes of this
# one.
rm -f "$dir/out"
# shellcheck disable=SC2016 # the inner shell expands it
unshare --pid --fork sh -c \
	'exec altconn monitor -j -e failed -e rules >"$1"' - "$dir/out" &
monitor=$!
wait_until listens "$dir/out"
scene connect native stream port:9
check "a monitor in another PID namespace prints an event" wait_until count 1
check "the event shows no process of this PID namespace" \
	same "$(events "'pid' in e[0]['client']")" False
inner=$(pgrep -P "$monitor")
nsenter --target "$inner" --pid altconn ping -q -c 1 port:8 >/dev/null
check "it prints an event of its own PID namespace" wait_until count 2
check "that event has the PID of its own namespace" \
	same "$(events "1 < e[1]['client']['pid'] < 20, e[1]['client']['comm']")" \
	"True altconn"
# A second monitor in this PID namespace prints the same attempt with another
# PID.
altconn monitor -j -e failed -e rules >"$dir/second" &
second=$!
wait_until listens "$dir/second"
nsenter --target "$inner" --pid altconn ping -q -c 1 port:8 >/dev/null
check "two monitors in two PID namespaces print one attempt" wait_until count 3
check "the first prints the PID of its namespace" \
	same "$(events "1 < e[2]['client']['pid'] < 40")" True
check "the second prints the attempt too" \
	wait_until grep -q port:8 "$dir/second"
first_pid=$(events "e[2]['client']['pid']")
check "the second does not print the PID of the first namespace" same \
	"$(grep port:8 "$dir/second" | grep -cE "\"pid\":($first_pid|[0-9]{1,2})\b")" \
	0
kill "$second"
wait "$second" 2>/dev/null
# Only SIGKILL ends the first process of a PID namespace.
pkill -KILL -P "$monitor"
wait "$monitor" 2>/dev/null

# A connection between two namespaces. A monitor in each of them prints the
# addresses as its namespace has them, and numbers its own events.
: >"$dir/ns"
unshare --net="$dir/ns" true
altconn node add 7 netns "$dir/ns"
altconn node id 1
nsenter --net="$dir/ns" altconn node add 1 netns "/proc/$$/ns/net"
nsenter --net="$dir/ns" \
	altconn monitor -j -e established -e accepted -e closed -e rules \
	>"$dir/node" &
node_monitor=$!
node_monitor_prints() {
	nsenter --net="$dir/ns" altconn rule flush
	[ -s "$dir/node" ]
}
wait_until node_monitor_prints
begin -j -e established -e accepted -e closed -e rules
nsenter --net="$dir/ns" \
	altconn listen --reachable port:4200 </dev/null >/dev/null &
listener=$!
node_listens() {
	nsenter --net="$dir/ns" altconn show -lH | grep -q port:4200
}
wait_until node_listens
altconn connect port:7/4200 </dev/null >/dev/null
wait "$listener"
check "a monitor in the client's namespace prints the connection" \
	wait_until count 4
check "its events have the address that the client used" same \
	"$(events "sorted(ev['event'] for ev in e), {ev['server']['address'] for ev in e}")" \
	"['accepted', 'closed', 'closed', 'established'] {'port:7/4200'}"
end
node_count() {
	cp "$dir/node" "$dir/out"
	count "$1"
}
check "a monitor in the server's namespace prints the connection" \
	wait_until node_count 4
check "its events have the address that the listener is bound to" same \
	"$(events "sorted(ev['event'] for ev in e), {ev['server']['address'] for ev in e}")" \
	"['accepted', 'closed', 'closed', 'established'] {'port:4200'}"
kill "$node_monitor"
wait "$node_monitor" 2>/dev/null
umount "$dir/ns"
altconn node flush

# A user in new user and PID namespaces, without a privilege in this namespace.
begin -j -e failed -e rules
"${nobody[@]}" unshare --user --pid --fork \
	altconn monitor -j -e failed -e rules >"$dir/second" 2>/dev/null &
second=$!
wait_until listens "$dir/second"
scene connect native stream port:9
"${nobody[@]}" altconn ping -q -c 1 port:8 >/dev/null
check "a monitor in a user namespace prints attempts of its user" \
	wait_until grep -q port:8 "$dir/second"
check "it prints no attempt of another user" \
	same "$(grep -c port:9 "$dir/second")" 0
check "it shows no process of another PID namespace" \
	same "$(grep -c '"pid"' "$dir/second")" 0
check "the monitor of an administrator prints both attempts" wait_until count 2
check "its events have the addresses and the process" same \
	"$(events "[ev['server']['address'] for ev in e], e[0]['client']['pid']")" \
	"['port:9', 'port:8'] $scene_pid"
pkill -KILL -P "$second"
wait "$second" 2>/dev/null
end

# Monitors start and end while attempts go on, also in a new namespace, which
# ends after them. The end of the namespace is an event of a node in this one.
storm() {
	local i pids rounds=10
	[ -z "${ALTCONN_DEBUG_KERNEL:-}" ] || rounds=3
	for ((i = 0; i < rounds; i++)); do
		altconn ping -q -i 0 port:9 >/dev/null 2>&1 &
		pids=$!
		altconn monitor -j >/dev/null 2>&1 &
		pids+=" $!"
		altconn monitor -j --count=300 || return 1
		# shellcheck disable=SC2086 # each PID is a word
		kill $pids
		# shellcheck disable=SC2086
		wait $pids 2>/dev/null
	done >/dev/null
	return 0
}
check "monitors start and end while attempts go on" storm
export -f storm
: >"$dir/ns"
check "monitors start and end in another namespace" \
	unshare --net="$dir/ns" bash -c storm
altconn node add 7 netns "$dir/ns"
begin -j -e nodes -e rules
umount "$dir/ns"
check "the namespace ends after its monitors have ended" wait_until count 1
end
altconn node flush

# A stopped monitor reads no event, so that its socket becomes full. The socket
# of an administrator has space for thousands of events. The socket of a user,
# for the events of that user, has space for hundreds.
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
check "a monitor with a full socket reports lost events" wait_until lost
end
check "the report has the number of lost events" same \
	"$(events "docs[-1]['seq'] - docs[0]['seq'] + 1 == sum(ev['event'] != 'lost' for ev in docs) + sum(ev.get('count', 0) for ev in docs)")" \
	True

check "an unknown event is an error" wrong 2 "is one of" altconn monitor -e frob
check "a count that is no number is an error" \
	wrong 2 "'x'" altconn monitor --count=x
finish
