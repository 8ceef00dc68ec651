#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn connect, listen and ping: every type and kind of address, and what is said
# when it does not work.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
command -v python3 >/dev/null || skip_all "no python3"
[ "${1:-}" = --inside ] || exec unshare --net "$0" --inside
scene_open || skip_all "helper_scene is not built"
ip link set lo up 2>/dev/null

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
head -c 3000000 /dev/urandom >"$dir/data"

# Data one way, and an answer the other way.
exchange() {
	local type=$1 address=$2 listener got
	echo answer | altconn listen -t "$type" "$address" >"$dir/got" &
	listener=$!
	got=$(altconn connect --wait --timeout=60 -t "$type" "$address" <"$dir/data") ||
		return 1
	wait "$listener" && same "$got" answer && cmp "$dir/data" "$dir/got"
}

# A path is nobody's before it is bound: there is nothing to wait for.
exchange_path() {
	echo answer | altconn listen "path:$dir/s" >"$dir/got" &
	wait_until test -S "$dir/s"
	wait_until altconn show -lH "path:$dir/s" >/dev/null
	until got=$(altconn connect "path:$dir/s" <"$dir/data" 2>/dev/null); do :; done
	wait $! && same "$got" answer && cmp "$dir/data" "$dir/got" &&
		! test -e "$dir/s"
}

datagram() {
	altconn listen -t dgram "$1" >"$dir/got" &
	until echo datagram | altconn connect -t dgram "$1" 2>/dev/null; do :; done
	wait $! && same "$(cat "$dir/got")" datagram
}

plan 31

for address in port:4000 name:db inet:127.0.0.1:4000 "inet:[::1]:4000"; do
	check "a stream: $address" exchange stream "$address"
	check "sequenced packets: $address" exchange seqpacket "$address"
	check "a datagram: $address" datagram "$address"
done
check "a stream: path" exchange_path

# A path that no address has room for, which begins with a directory.
deep=$dir/$(printf '%0100d' 1)/$(printf '%0100d' 2)
mkdir -p "$deep"

exchange_far() {
	local text=$1
	shift
	echo answer | altconn listen "$@" "path:$text" >"$dir/got" &
	wait_until eval "altconn show -le | grep -qF ',file:$deep/s'"
	got=$(altconn connect "path:$text" <"$dir/data") || return 1
	wait $! && same "$got" answer && cmp "$dir/data" "$dir/got" &&
		! test -e "$deep/s"
}

# Left behind by a signal.
leave_stale() {
	altconn listen "path:$deep/s" </dev/null >/dev/null &
	wait_until test -S "$deep/s"
	kill $!
	wait $! 2>/dev/null
	test -S "$deep/s"
}

check "a stream: a long path" exchange_far "$deep/s"
check "a long path that nobody is at" eval \
	"leave_stale; wrong 1 'ECONNREFUSED' altconn connect 'path:$deep/s'"
check "a socket file that is there already" wrong 1 "Address already in use" \
	altconn listen "path:$deep/s"
check "a stale socket file is replaced" exchange_far "$deep/s" --replace
check "a long path that leads nowhere" wrong 1 "ENOENT" \
	altconn connect "path:$deep/none"

came() {
	[ "$(xargs <"$dir/got")" = "1 2 3" ]
}

altconn listen -k port:4001 </dev/null >"$dir/got" &
keeper=$!
check "one after the other" eval \
	"for i in 1 2 3; do echo \$i | altconn connect --wait port:4001; done;
	wait_until came"
check "only to see whether it connects" altconn connect -z port:4001
check "from an address" eval \
	"altconn connect -z -v --source=port:4002 port:4001 2>&1 | grep -q 'port:4002, peer port:4001'"
check "ping: lines and a summary" same \
	"$(altconn ping -c 3 -i 0 port:4001 | sed 's/[0-9.]* us/T/g' | xargs)" \
	"port:4001: connected in T port:4001: connected in T port:4001: connected in T 3 attempts, 3 connected, 0 failed min T, p50 T, p90 T, p99 T, max T"
check "ping: JSON" eval "altconn ping -j -c 5 -i 0 port:4001 | python3 -c '
import json, sys
p = json.load(sys.stdin)
assert p[\"connected\"] == 5 and p[\"failed\"] == 0, p
times = [p[k] for k in (\"min_ns\", \"p50_ns\", \"p90_ns\", \"p99_ns\", \"max_ns\")]
assert times == sorted(times) and times[0] > 0, p
'"
check "ping: of two times the lesser is the half" eval "altconn ping -j -c 2 -i 0 port:4001 | python3 -c '
import json, sys
p = json.load(sys.stdin)
assert p[\"min_ns\"] == p[\"p50_ns\"] and p[\"p90_ns\"] == p[\"max_ns\"], p
'"
kill "$keeper"
wait "$keeper" 2>/dev/null
check "ping: nobody is there" same \
	"$(altconn ping -c 1 port:4001; echo $?)" \
	"port:4001: ECONNREFUSED: nothing is bound to the address

1 attempts, 0 connected, 1 failed
1"

check "nobody is there" wrong 1 "ECONNREFUSED: nothing is bound to the address" \
	altconn connect port:4001
check "a deadline" wrong 1 "ETIMEDOUT: the deadline passed" \
	altconn connect --wait --timeout=0.05 port:4001
check "an address that is none" wrong 2 "an address is" altconn connect nowhere
check "no address" wrong 2 "which address" altconn listen
check "an address that is taken" eval \
	"scene listen native stream port:4003 1; wrong 1 'Address already in use' altconn listen port:4003"
check "a time that is none" wrong 2 "'x' is no time" altconn connect --timeout=x port:1
finish
