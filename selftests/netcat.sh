#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn connect, listen and ping: they work with every socket type and every
# kind of address, and they print the reason of a failure.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn
own_namespaces --net
need_scene
make_dir
json_open "times = [doc[key] for key in
	('min_ns', 'p50_ns', 'p90_ns', 'p99_ns', 'max_ns')]"
ip link set lo up 2>/dev/null
head -c 3000000 /dev/urandom >"$dir/data"

# Sends data from the client, and an answer from the server.
exchange() {
	local type=$1 address=$2 listener got
	echo answer | altconn listen -t "$type" "$address" >"$dir/got" &
	listener=$!
	got=$(altconn connect --wait --timeout=60 -t "$type" "$address" \
		<"$dir/data") || return 1
	wait "$listener" && same "$got" answer && cmp "$dir/data" "$dir/got"
}

# An attempt cannot wait at a path without a socket file.
exchange_path() {
	echo answer | altconn listen "path:$dir/s" >"$dir/got" &
	wait_until test -S "$dir/s"
	wait_until altconn show -lH "path:$dir/s" >/dev/null
	until got=$(altconn connect "path:$dir/s" <"$dir/data" 2>/dev/null); do
		:
	done
	wait $! && same "$got" answer && cmp "$dir/data" "$dir/got" &&
		! test -e "$dir/s"
}

datagram() {
	altconn listen -t dgram "$1" >"$dir/got" &
	until echo datagram | altconn connect -t dgram "$1" 2>/dev/null; do
		:
	done
	wait $! && same "$(cat "$dir/got")" datagram
}

plan 31

for address in port:4000 name:db inet:127.0.0.1:4000 "inet:[::1]:4000"; do
	check "a stream carries data both ways: $address" \
		exchange stream "$address"
	check "sequenced packets carry data both ways: $address" \
		exchange seqpacket "$address"
	check "a datagram arrives: $address" datagram "$address"
done
check "a stream carries data both ways: path" exchange_path

# This path is longer than the longest path of an address structure.
deep=$dir/$(printf '%0100d' 1)/$(printf '%0100d' 2)
mkdir -p "$deep"

# exchange_at_path PATH OPTION...: like exchange_path, with a path of the socket
# file $deep/s and with options of altconn listen.
exchange_at_path() {
	local text=$1
	shift
	echo answer | altconn listen "$@" "path:$text" >"$dir/got" &
	wait_until eval "altconn show -le | grep -qF ',file:$deep/s'"
	got=$(altconn connect "path:$text" <"$dir/data") || return 1
	wait $! && same "$got" answer && cmp "$dir/data" "$dir/got" &&
		! test -e "$deep/s"
}

# A listener that a signal ends leaves its socket file behind.
leave_stale() {
	altconn listen "path:$deep/s" </dev/null >/dev/null &
	wait_until test -S "$deep/s"
	kill $!
	wait $! 2>/dev/null
	test -S "$deep/s"
}

check "a stream carries data both ways: a long path" \
	exchange_at_path "$deep/s"
check "a long path without a listener refuses an attempt" eval \
	"leave_stale && wrong 1 'ECONNREFUSED' altconn connect 'path:$deep/s'"
check "listen fails when the socket file exists" \
	wrong 1 "Address already in use" altconn listen "path:$deep/s"
check "listen --replace replaces a stale socket file" \
	exchange_at_path "$deep/s" --replace
check "connect fails when the file of a long path does not exist" \
	wrong 1 "ENOENT" altconn connect "path:$deep/none"

# received WORD...: the listener has received these words and no others.
received() {
	[ "$(xargs <"$dir/got")" = "$*" ]
}

# The listener serves one connection after the other, so it has the data of the
# connection of -z before it has the 4.
sends_nothing() {
	altconn connect -z port:4001 <<<data || return 1
	altconn connect --wait port:4001 <<<4 || return 1
	wait_until received 1 2 3 4
}

altconn listen -k port:4001 </dev/null >"$dir/got" &
keeper=$!
check "listen -k accepts one connection after the other" eval \
	"for i in 1 2 3; do echo \$i | altconn connect --wait port:4001; done;
	wait_until received 1 2 3"
check "connect -z connects and sends nothing" sends_nothing
check "connect --source binds the socket first" eval \
	"altconn connect -z -v --source=port:4002 port:4001 2>&1 |
	grep -q 'port:4002, peer port:4001'"
check "ping prints a line for each attempt and a summary" same \
	"$(altconn ping -c 3 -i 0 port:4001 | sed 's/[0-9.]* us/T/g' | xargs)" \
	"port:4001: connected in T port:4001: connected in T port:4001: connected in T 3 attempts, 3 connected, 0 failed min T, p50 T, p90 T, p99 T, max T"
check "the times in the JSON of ping rise" holds \
	"doc['connected'] == 5 and doc['failed'] == 0 and
	times == sorted(times) and times[0] > 0" \
	altconn ping -j -c 5 -i 0 port:4001
check "the median of two times is the lesser time" holds \
	"doc['min_ns'] == doc['p50_ns'] and doc['p90_ns'] == doc['max_ns']" \
	altconn ping -j -c 2 -i 0 port:4001
kill "$keeper"
wait "$keeper" 2>/dev/null
check "ping prints the errno and the reason of a failure" same \
	"$(altconn ping -c 1 port:4001; echo $?)" \
	"port:4001: ECONNREFUSED: nothing is bound to the address

1 attempts, 0 connected, 1 failed
1"

check "connect prints the errno and the reason of a failure" \
	wrong 1 "ECONNREFUSED: nothing is bound to the address" \
	altconn connect port:4001
check "connect --timeout sets a deadline" \
	wrong 1 "ETIMEDOUT: the deadline passed" \
	altconn connect --wait --timeout=0.05 port:4001
check "an invalid address is an error" \
	wrong 2 "an address is" altconn connect nowhere
check "a missing address is an error" wrong 2 "which address" altconn listen
check "listen at a bound address is an error" eval \
	"scene listen native stream port:4003 1
	wrong 1 'Address already in use' altconn listen port:4003"
check "an invalid time is an error" \
	wrong 2 "'x' is no time" altconn connect --timeout=x port:1
finish
