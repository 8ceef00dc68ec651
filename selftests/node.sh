#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn node: it adds, changes and lists nodes, as text and as JSON. A command
# with an error changes no node, and its message names the error.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn
own_namespaces --net --mount
need_scene
hold=$(mktemp -d)
at_exit rmdir "$hold"
at_exit umount "$hold"
mount -t tmpfs none "$hold" && mount -t tmpfs none /run
at_exit umount /run
make_dir
json_open "nodes = {n['id']: n for n in doc.get('nodes', [])}"

# Three other namespaces: descriptor 9 refers to one, a file refers to one, and
# one has a name as ip-netns(8) gives it.
mkdir /run/netns
for name in web db log; do
	: >"$hold/$name"
	unshare --net="$hold/$name" true
done
: >/run/netns/web
mount --bind "$hold/web" /run/netns/web
exec 9<"$hold/db"
at_exit umount /run/netns/web "$hold/web" "$hold/log"

# keeps STATUS TEXT COMMAND...: the command fails as wrong() describes it, and
# adds, removes and changes no node.
keeps() {
	local before good=0
	before=$(altconn node -j)
	wrong "$@" || good=1
	same "$(altconn node -j)" "$before" && return "$good"
}

list() {
	altconn node -H --color=never | awk '{ print $1, $2, $3, $4 }'
}

plan 48

check "there are no nodes at first" same "$(list)" ""
check "the namespace has no id at first" same "$(altconn node id)" none
check "node add takes the name of a namespace" altconn node add 7 netns web
check "node add takes an IP address and a descriptor" \
	altconn node add 5 inet 10.0.0.5 netns 9
check "node add takes a file and two IP addresses" \
	altconn node add 9 inet 10.0.0.9 netns "$hold/log" inet fd00::9
check "the list is in the order of the ids" same "$(list)" \
	"5 10.0.0.5 up $(stat -Lc %i "$hold/db")
7 - up web
9 10.0.0.9,fd00::9 up $(stat -Lc %i "$hold/log")"
check "the list has a header" \
	same "$(altconn node | head -n1 | xargs)" "ID INET STATE NETNS"
check "--color=always prints colours" \
	eval "altconn node --color=always | grep -q $'\033'"
check "the JSON has the members of the nodes" same \
	"$(json "nodes[5]['inet'], nodes[7].get('inet'), nodes[9]['state'],
	nodes[9]['inet6'], nodes[7]['name'], nodes[7]['netns']" \
	altconn node -j)" \
	"10.0.0.5 None up fd00::9 web $(stat -Lc %i "$hold/web")"
check "node down changes the states of two nodes" eval \
	"altconn node down 5 9 && same \"\$(list | grep -c down)\" 2"
scene connect native stream port:7/4000
check "connect() to a node without a listener fails with ECONNREFUSED" \
	same "${answer#* }" ECONNREFUSED
scene connect native stream port:9/4000
check "connect() to a node that is down fails with EHOSTUNREACH" \
	same "${answer#* }" EHOSTUNREACH
scene connect native stream port:8/4000
check "connect() to an unknown node fails with ENETUNREACH" \
	same "${answer#* }" ENETUNREACH
check "node up changes the state of a node" \
	eval "altconn node up 5 && same \"\$(list | grep -c down)\" 1"
check "node del removes two nodes" \
	eval "altconn node del 5 9 && same \"\$(list)\" '7 - up web'"
check "node id sets the id of the namespace" \
	eval "altconn node id 3 && same \$(altconn node id) 3"
check "the JSON of node id has the id" \
	same "$(json "doc" altconn node id -j)" "{'id': 3}"
check "info prints the id" same "$(altconn info -H | awk '{ print $NF }')" 3
scene listen native stream port:4000 1
scene connect native stream port:3/4000
check "connect() with the id of the namespace itself succeeds" \
	same "${answer%% *}" ok
check "node id none removes the id" \
	eval "altconn node id none && same \$(altconn node id) none"

ip netns exec web true 2>/dev/null ||
	ip() { shift 3 && nsenter --net=/run/netns/web "$@"; }
check "another namespace has none of these nodes" \
	same "$(ip netns exec web altconn node -H)" ""

check "node add without an id is an error" \
	keeps 2 "which id" altconn node add
check "an id that is no number is an error" \
	keeps 2 "'x'" altconn node add x netns web
check "the id 0, which stands for this node, is an error" \
	keeps 2 "1 to 4294967294" altconn node add 0 netns web
check "the id 4294967295, which stands for all nodes, is an error" \
	keeps 2 "1 to 4294967294" altconn node add 4294967295 netns web
check "the id of another node is an error" \
	keeps 1 "has this id" altconn node add 7 netns 9
check "a namespace that is a node already is an error" \
	keeps 1 "already a node" altconn node add 8 netns web
altconn node add 8 inet 10.0.0.8 netns 9
check "the IP address of another node is an error" \
	keeps 1 "has this IP address" \
	altconn node add 6 inet 10.0.0.8 netns "$hold/log"
check "two IPv4 addresses are an error" \
	keeps 1 "once for IPv4 and once for IPv6" \
	altconn node add 6 inet 10.0.0.6 inet 10.0.0.7 netns "$hold/log"
check "three IP addresses are an error" keeps 2 "too often" \
	altconn node add 6 inet 10.0.0.6 inet ::6 inet 10.0.0.7 \
	netns "$hold/log"
check "an invalid IP address is an error" \
	keeps 2 "no IP address" altconn node add 6 inet 1.2.3 netns web
check "the IP address of no host is an error" keeps 1 "must be the address of a host" \
	altconn node add 6 inet 127.0.0.1 netns web
check "node add without a namespace is an error" \
	keeps 2 "which namespace" altconn node add 6 inet 10.0.0.1
check "an unknown name of a namespace is an error" \
	keeps 1 "/run/netns/none" altconn node add 6 netns none
check "a file that is no namespace is an error" \
	keeps 1 "not a network namespace" altconn node add 6 netns /etc/passwd
check "this namespace as a node is an error" \
	keeps 1 "itself" altconn node add 6 netns /proc/self/ns/net
check "an unknown word is an error" keeps 2 "'nets'" altconn node add 6 nets web
check "an unknown id is an error" keeps 1 "no node" altconn node down 77
check "an unknown action is an error" keeps 2 "unknown action" altconn node ad
gone() {
	[[ $(list) == *"8 10.0.0.8 gone -"* ]]
}
exec 9<&-
umount "$hold/db"
check "a node whose namespace ends is gone" wait_until gone
# Traffic goes to two nodes at once. One of them goes down and up meanwhile, and
# the namespace of the other ends.
: >"$hold/left"
: >"$hold/right"
unshare --net="$hold/left" true
unshare --net="$hold/right" true
altconn node add 21 netns "$hold/left"
altconn node add 22 netns "$hold/right"
nsenter --net="$hold/left" \
	altconn listen -k --reachable port:7000 </dev/null >/dev/null &
left=$!
nsenter --net="$hold/right" \
	altconn listen -k --reachable port:7000 </dev/null >/dev/null &
right=$!
reaches() {
	altconn ping -q -c 1 "port:$1/7000" >/dev/null
}
talk() {
	while :; do
		altconn ping -q -c 10 -i 0.01 --timeout=5 "port:$1/7000"
	done 2>/dev/null
}
check "an attempt reaches the first of two nodes" wait_until reaches 21
check "an attempt reaches the second node" wait_until reaches 22
talk 21 >"$hold/log21" &
pids=$!
talk 22 >"$hold/log22" &
pids+=" $!"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	altconn node down 21
	altconn node up 21
done
altconn node down 21
fails() {
	altconn ping -c 1 "port:$1/7000" 2>&1 | grep -q EHOSTUNREACH
}
check "no attempt reaches the first node when it is down" fails 21
check "an attempt still reaches the second node" reaches 22
altconn node up 21
kill "$right"
wait "$right" 2>/dev/null
umount "$hold/right"
check "no attempt reaches the second node when its namespace ends" \
	wait_until fails 22
check "an attempt reaches the first node when it is up again" reaches 21
# shellcheck disable=SC2086 # each PID is a word
kill $pids "$left"
# shellcheck disable=SC2086
wait $pids "$left" 2>/dev/null
check "both nodes had connections meanwhile" eval \
	"grep -q ' [1-9][0-9]* connected' '$hold/log21' &&
	grep -q ' [1-9][0-9]* connected' '$hold/log22'"
umount "$hold/left"
altconn node del 21 22

check "a user without CAP_NET_ADMIN may not remove a node" \
	keeps 1 CAP_NET_ADMIN \
	setpriv --reuid 65534 --clear-groups altconn node del 7
finish
