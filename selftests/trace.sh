#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The trace events of attempts that fail, wait and succeed have the addresses,
# the errno and the name of the reason. The trace event of a rule has the
# addresses, the id of the rule and the name of the verdict.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn
own_namespaces --net
tracefs=/sys/kernel/tracing
[ -d $tracefs/events ] || tracefs=/sys/kernel/debug/tracing
[ -d $tracefs/events ] || skip_all "there is no tracefs"
[ -d $tracefs/events/altconn ] || skip_all "there are no altconn events"
need_scene

instance=$tracefs/instances/altconn-test-$$
mkdir "$instance" || skip_all "there are no trace instances"
end_trace() {
	echo 0 >"$instance/events/altconn/enable"
	rmdir "$instance"
}
at_exit end_trace
echo 1 >"$instance/events/altconn/enable"

tag=$$
port=$((300000 + tag))

# event NAME PATTERN...: one line of the event matches all of the patterns.
event() {
	local lines pattern name=$1
	lines=$(grep " $name: " "$instance/trace")
	shift
	for pattern in "$@"; do
		lines=$(grep -E -- "$pattern" <<<"$lines") || {
			echo "no $name event matches $pattern; the trace is:"
			grep -v '^#' "$instance/trace"
			return 1
		}
	done
}

start_over() {
	echo >"$instance/trace"
}

plan 28
for name in connect_begin rule connect_wait connect_end accept state close; do
	check "the event altconn_$name exists" \
		test -d $tracefs/events/altconn/altconn_$name
done

start_over
scene connect native stream port:$port
check "an attempt fails with ECONNREFUSED" same "${answer#* }" ECONNREFUSED
check "the begin of a failing attempt is an event" event altconn_connect_begin \
	type=stream "remote=port:$port\b" netns=
check "the end of a failing attempt has errno and reason" event \
	altconn_connect_end "remote=port:$port\b" "errno=111\b" \
	reason=not-bound
scene connect unix seqpacket path:/nowhere/altconn
check "an attempt at a missing path has the reason path-lookup" event \
	altconn_connect_end type=seqpacket "errno=2\b" reason=path-lookup

start_over
rule=$(altconn rule add to port:$port refuse)
netns=$(stat -L -c %i /proc/self/ns/net)
scene bind native stream port:$((port + 1))
scene again "$answer_slot" native port:$port
check "the event of a rule has the addresses, the id and the verdict" \
	event altconn_rule "netns=$netns type=stream " \
	"local=port:$((port + 1)) remote=port:$port rule=$rule verdict=refuse$"
check "the end of an attempt that a rule refuses has the reason rule" \
	event altconn_connect_end "local=port:$((port + 1)) remote=port:$port" \
	"remote=port:$port errno=111 reason=rule "
scene connect native stream port:$((port + 2))
check "an attempt that no rule matches fails for another reason" \
	event altconn_connect_end \
	"remote=port:$((port + 2)) errno=111 reason=not-bound"
check "an attempt that no rule matches makes no event of a rule" \
	same "$(grep -c ' altconn_rule: ' "$instance/trace")" 1
altconn rule flush

start_over
scene listen native stream port:$port 0
listener=$answer_slot
check "listen() is a change of state" event altconn_state \
	"local=port:$port\b" "new=LISTEN"
scene connect native stream port:$port
check "the end of a successful attempt is an event" event \
	altconn_connect_end "remote=port:$port\b" "errno=0\b" \
	reason=established
check "a successful attempt is a change of state" \
	event altconn_state new=ESTABLISHED

scene start native stream port:$port
check "a waiting attempt has its position" event altconn_connect_wait \
	"port:$port\b" "position=1\b"
scene start native stream port:$port
check "the next waiting attempt has the next position" \
	event altconn_connect_wait "position=2\b"
start_over
scene accept "$listener"
check "accept() has the time since connect()" \
	event altconn_accept "port:$port\b" "waited_us=[1-9]"
check "the end of a waiting attempt has the time of its wait" \
	event altconn_connect_end "errno=0\b" reason=established "waited_us=[1-9]"
start_over
scene close "$listener"
check "closing the listener ends a waiting attempt" event altconn_connect_end \
	"errno=111\b" reason=listener-closed
start_over
scene stray native dgram
check "connect() to another family has no address" event \
	altconn_connect_end type=dgram "remote=- " "errno=97\b" reason=wrong-family
scene listen native stream port:$port 0
listener=$answer_slot
scene again "$listener" native port:$port
check "connect() of a listener has the reason state" \
	event altconn_connect_end "errno=95\b" reason=state
scene connect native stream port:$port
scene again "$answer_slot" native port:$port
check "connect() of a connected socket has the reason state" \
	event altconn_connect_end "errno=106\b" reason=state
start_over
scene_close
ended() {
	event altconn_close "port:$port\b" end=
}
check "close() of a connected socket is an event" wait_until ended
check "the event of close() names the end" \
	event altconn_close "end=(client|server)"
finish
