#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Trace events of connections that fail, wait and succeed: with addresses,
# errno and the reason by name.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

tracefs=/sys/kernel/tracing
[ -d $tracefs/events ] || tracefs=/sys/kernel/debug/tracing
[ -d $tracefs/events ] || skip_all "no tracefs"
[ -d $tracefs/events/altconn ] || skip_all "no altconn events"
scene_open || skip_all "helper_scene is not built"

instance=$tracefs/instances/altconn-test-$$
mkdir "$instance" || skip_all "no trace instances"
quit() {
	echo 0 >"$instance/events/altconn/enable"
	rmdir "$instance"
}
trap quit EXIT
echo 1 >"$instance/events/altconn/enable"

tag=$$
port=$((300000 + tag))

# event NAME PATTERN...: one line of the event has all of them.
event() {
	local lines pattern name=$1
	lines=$(grep " $name: " "$instance/trace")
	shift
	for pattern in "$@"; do
		lines=$(grep -E -- "$pattern" <<<"$lines") || {
			echo "no $name with $pattern; there are:"
			grep -v '^#' "$instance/trace"
			return 1
		}
	done
}

start_over() {
	echo >"$instance/trace"
}

plan 23
for name in connect_begin connect_wait connect_end accept state close; do
	check "altconn_$name exists" test -d $tracefs/events/altconn/altconn_$name
done

start_over
scene connect native stream port:$port
check "E-CONNREFUSED is answered" same "${answer#* }" ECONNREFUSED
check "a failure begins" event altconn_connect_begin \
	type=stream "remote=port:$port\b" netns=
check "a failure ends, with errno and reason" event altconn_connect_end \
	"remote=port:$port\b" "errno=111\b" reason=not-bound
scene connect unix seqpacket path:/nowhere/altconn
check "E-NOENT" event altconn_connect_end type=seqpacket "errno=2\b" \
	reason=path-lookup

start_over
scene listen native stream port:$port 0
listener=$answer_slot
check "state: listening" event altconn_state "local=port:$port\b" "new=LISTEN"
scene connect native stream port:$port
check "a success ends" event altconn_connect_end "remote=port:$port\b" \
	"errno=0\b" reason=established
check "state: established" event altconn_state new=ESTABLISHED

scene start native stream port:$port
check "E-INPROGRESS waits, at a place" event altconn_connect_wait \
	"port:$port\b" "place=1\b"
scene start native stream port:$port
check "and the next at the next" event altconn_connect_wait "place=2\b"
start_over
scene accept "$listener"
check "accept" event altconn_accept "port:$port\b" waited_us=
check "the waiter ends" event altconn_connect_end "errno=0\b" \
	reason=established "waited_us=[0-9]*"
start_over
scene close "$listener"
check "listener closed under a waiter" event altconn_connect_end \
	"errno=111\b" reason=listener-closed
start_over
scene stray native dgram
check "E-AFNOSUPPORT has no address" event altconn_connect_end type=dgram \
	"remote=- " "errno=97\b" reason=wrong-family
scene listen native stream port:$port 0
listener=$answer_slot
scene again "$listener" native port:$port
check "E-OPNOTSUPP" event altconn_connect_end "errno=95\b" reason=state
scene connect native stream port:$port
scene again "$answer_slot" native port:$port
check "E-ISCONN" event altconn_connect_end "errno=106\b" reason=state
start_over
scene_close
ended() {
	event altconn_close "port:$port\b" end=
}
check "close" wait_until ended
check "which end" event altconn_close "end=(client|server)"
finish
