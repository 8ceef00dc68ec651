#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loading and unloading: parameters, refusals, and no unloading under a socket.
# The module is loaded again in the end when it was in the beginning.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

[ "$(id -u)" = 0 ] || skip_all "needs root"
[ -f "${ALTCONN_KO:-}" ] || skip_all "ALTCONN_KO names no module"
was_loaded=0
[ ! -d /sys/module/altconn ] || was_loaded=1

restore() {
	[ "$was_loaded" = 0 ] || [ -d /sys/module/altconn ] || insmod "$ALTCONN_KO"
}
trap restore EXIT

unload() {
	[ ! -d /sys/module/altconn ] || rmmod altconn
}

# RCU and namespaces let go a little later than the last close().
gone() {
	unload 2>/dev/null
}

refused() {
	local output
	output=$(insmod "$ALTCONN_KO" "$@" 2>&1) && return 1
	[ -n "$output" ]
}

# The log, since the mark, has a line of ours that matches.
mark() {
	marker="altconn-test-$$-$RANDOM"
	echo "$marker" >/dev/kmsg
}

logged() {
	dmesg | sed "1,/$marker/d" | grep -E "altconn: .*$1"
}

plan 27
check "unloads when nothing uses it" wait_until gone

# 1, 10, 40: the core casts sockets by these numbers, IPv6 or vsock loaded or not.
for family in 0 1 10 40 46; do
	mark
	check "family=$family is refused" refused "family=$family"
	check "family=$family: the log says why" \
		logged "family $family cannot be borrowed: family= is one of 13,"
done
check "family=x is refused" refused family=x
check "a refused module leaves nothing" test ! -d /sys/module/altconn
check "nor a genl family, sysctls or slabs" \
	test ! -d /proc/sys/net/altconn

check "another number works" insmod "$ALTCONN_KO" family=22
check "and can be read" same \
	"$(cat /sys/module/altconn/parameters/family)" 22
scene_open || { echo "Bail out! helper_scene is not built"; exit 1; }
scene listen native stream port:5000 1
check "a socket of that family" same "${answer%% *}" ok
check "rmmod is refused while it lives" bash -c '! rmmod altconn 2>/dev/null'
scene_close
check "rmmod works when it is closed" wait_until gone
check "the module loads again" insmod "$ALTCONN_KO"
check "insmod twice is refused" refused

# A user is root of a namespace of its own, where it adds rules and watches events.
# That changes no code that runs for all users.
switches_no_key() {
	local symbols
	symbols=$(nm --undefined-only "$ALTCONN_KO") && [ -n "$symbols" ] || return 1
	! grep -E 'static_key_(slow_|fast_)?(inc|dec|enable|disable)' <<<"$symbols"
}
check "no static key is switched" switches_no_key

# Who listens to events does not hold the module, and is told.
log=$(mktemp)
altconn monitor >"$log" 2>&1 &
monitor=$!
hears() {
	altconn rule flush
	[ -s "$log" ]
}
check "a monitor listens" wait_until hears
altconn ping -q -i 0 -c 1000 port:9 >/dev/null
check "rmmod works meanwhile" wait_until gone
status=0
wait $monitor || status=$?
check "and ends it" same "$status" 1
check "which says why" grep -q "has been unloaded" "$log"
rm -f "$log"
check "and loads again" insmod "$ALTCONN_KO"
[ $was_loaded = 1 ] || unload
finish
