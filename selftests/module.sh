#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module loads and unloads, refuses wrong parameters, and does not unload
# while a socket exists. A module that is loaded at the start of the script is
# loaded again at the end.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

[ "$(id -u)" = 0 ] || skip_all "the script needs root"
[ -f "${ALTCONN_KO:-}" ] || skip_all "ALTCONN_KO names no module"
was_loaded=0
[ ! -d /sys/module/altconn ] || was_loaded=1

restore() {
	[ "$was_loaded" = 0 ] || [ -d /sys/module/altconn ] || insmod "$ALTCONN_KO"
}
at_exit restore

unload() {
	[ ! -d /sys/module/altconn ] || rmmod altconn
}

# RCU and namespaces release the module a little later than the last close().
gone() {
	unload 2>/dev/null
}

refused() {
	local output
	output=$(insmod "$ALTCONN_KO" "$@" 2>&1) && return 1
	[ -n "$output" ]
}

# logged PATTERN: since the mark, the kernel log has a line of the module that
# matches.
mark() {
	marker="altconn-test-$$-$RANDOM"
	echo "$marker" >/dev/kmsg
}

logged() {
	dmesg | sed "1,/$marker/d" | grep -E "altconn: .*$1"
}

plan 27
check "the module unloads when nothing uses it" wait_until gone

# The network core casts sockets of the families 1, 10 and 40 to the types of
# AF_UNIX, IPv6 and vsock, also while these are not loaded.
for family in 0 1 10 40 46; do
	mark
	check "the module refuses family=$family" refused "family=$family"
	check "the log has the reason for refusing family=$family" \
		logged "family $family cannot be borrowed: family= is one of 13,"
done
check "the module refuses family=x" refused family=x
check "a module that refuses its parameters is not loaded" \
	test ! -d /sys/module/altconn
check "a module that refuses its parameters leaves no sysctls" \
	test ! -d /proc/sys/net/altconn

check "the module takes another number" insmod "$ALTCONN_KO" family=22
check "the parameter has the number" same \
	"$(cat /sys/module/altconn/parameters/family)" 22
scene_open || {
	echo "Bail out! helper_scene is not built"
	exit 1
}
scene listen native stream port:5000 1
check "socket() makes a socket of that family" same "${answer%% *}" ok
check "rmmod fails while the socket exists" \
	bash -c '! rmmod altconn 2>/dev/null'
scene_close
check "rmmod succeeds when the socket is closed" wait_until gone
check "the module loads again" insmod "$ALTCONN_KO"
check "the module does not load twice" refused

# A user is root in a user namespace, and adds rules and watches events there.
# That changes no code that runs for all users.
switches_no_key() {
	local symbols
	symbols=$(nm --undefined-only "$ALTCONN_KO") && [ -n "$symbols" ] || return 1
	! grep -E 'static_key_(slow_|fast_)?(inc|dec|enable|disable)' <<<"$symbols"
}
check "the module switches no static key" switches_no_key

# A monitor of events does not hold the module, and reports when the module
# unloads.
log=$(mktemp)
altconn monitor >"$log" 2>&1 &
monitor=$!
receives() {
	altconn rule flush
	[ -s "$log" ]
}
check "a monitor receives events" wait_until receives
altconn ping -q -i 0 -c 1000 port:9 >/dev/null
check "rmmod succeeds while the monitor runs" wait_until gone
status=0
wait $monitor || status=$?
check "the monitor ends when the module unloads" same "$status" 1
check "the message of the monitor has the reason" \
	grep -q "has been unloaded" "$log"
rm -f "$log"
check "the module loads after that" insmod "$ALTCONN_KO"
[ $was_loaded = 1 ] || unload
finish
