#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn node: what is typed and listed, in text and JSON; what is wrong changes
# nothing and is named.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
command -v python3 >/dev/null || skip_all "no python3"
[ "${1:-}" = --inside ] || exec unshare --net --mount "$0" --inside
scene_open || skip_all "helper_scene is not built"

# Others: one by descriptor 9, one by a file, one as ip-netns(8) names it.
hold=$(mktemp -d)
mount -t tmpfs none "$hold" && mount -t tmpfs none /run
mkdir /run/netns
for name in web db log; do
	: >"$hold/$name"
	unshare --net="$hold/$name" true
done
: >/run/netns/web
mount --bind "$hold/web" /run/netns/web
exec 9<"$hold/db"
trap 'umount /run/netns/web "$hold/web" "$hold/log" /run; umount "$hold"
	rmdir "$hold"' EXIT

# wrong STATUS TEXT COMMAND...: it fails so, with a line that has TEXT, and no node
# has come, gone or changed.
wrong() {
	local status=$1 text=$2 before output got=0
	shift 2
	before=$(altconn node -j)
	output=$("$@" 2>&1 >/dev/null) || got=$?
	echo "$output"
	same "$(altconn node -j)" "$before" && [[ $output == *"$text"* ]] &&
		same "$got" "$status"
}

list() {
	altconn node -H --color=never | awk '{ print $1, $2, $3, $4 }'
}

members() {
	altconn node -j | python3 -c "import json, sys
nodes = {n['id']: n for n in json.load(sys.stdin)['nodes']}
print($1)"
}

plan 48

check "no nodes at first" same "$(list)" ""
check "nor an id" same "$(altconn node id)" none
check "a node by name" altconn node add 7 netns web
check "one by descriptor, with an IP address" altconn node add 5 inet 10.0.0.5 netns 9
check "one by file" altconn node add 9 inet 10.0.0.9 netns "$hold/log" inet fd00::9
check "they are listed by id" same "$(list)" "5 10.0.0.5 up $(stat -Lc %i "$hold/db")
7 - up web
9 10.0.0.9,fd00::9 up $(stat -Lc %i "$hold/log")"
check "a header" same "$(altconn node | head -n1 | xargs)" "ID INET STATE NETNS"
check "colour" eval "altconn node --color=always | grep -q $'\033'"
check "as JSON" same "$(members "nodes[5]['inet'], nodes[7].get('inet'), nodes[9]['state'], nodes[9]['inet6'], nodes[7]['name'], nodes[7]['netns']")" \
	"10.0.0.5 None up fd00::9 web $(stat -Lc %i "$hold/web")"
check "down" eval "altconn node down 5 9 && same \"\$(list | grep -c down)\" 2"
scene connect native stream port:7/4000
check "nobody listens there" same "${answer#* }" ECONNREFUSED
scene connect native stream port:9/4000
check "a node that is down" same "${answer#* }" EHOSTUNREACH
scene connect native stream port:8/4000
check "a node that is none" same "${answer#* }" ENETUNREACH
check "up" eval "altconn node up 5 && same \"\$(list | grep -c down)\" 1"
check "del" eval "altconn node del 5 9 && same \"\$(list)\" '7 - up web'"
check "an id of its own" eval "altconn node id 3 && same \$(altconn node id) 3"
check "as JSON" same "$(altconn node id -j)" '{"id":3}'
check "info tells it" same "$(altconn info -H | awk '{ print $NF }')" 3
scene listen native stream port:4000 1
scene connect native stream port:3/4000
check "which is this node's" same "${answer%% *}" ok
check "none again" eval "altconn node id none && same \$(altconn node id) none"

# The other one's own look at it.
ip netns exec web true 2>/dev/null || ip() { shift 3 && nsenter --net=/run/netns/web "$@"; }
check "another namespace knows none of these" same "$(ip netns exec web altconn node -H)" ""

check "no id" wrong 2 "which id" altconn node add
check "an id that is none" wrong 2 "'x'" altconn node add x netns web
check "that of this node" wrong 2 "1 to 4294967294" altconn node add 0 netns web
check "that of all" wrong 2 "1 to 4294967294" altconn node add 4294967295 netns web
check "an id that is taken" wrong 1 "has this id" altconn node add 7 netns 9
check "a namespace that has one" wrong 1 "a node already" altconn node add 8 netns web
altconn node add 8 inet 10.0.0.8 netns 9
check "an address that is taken" wrong 1 "has this IP address" \
	altconn node add 6 inet 10.0.0.8 netns "$hold/log"
check "two addresses of a version" wrong 1 "one of IPv4 and one of IPv6" \
	altconn node add 6 inet 10.0.0.6 inet 10.0.0.7 netns "$hold/log"
check "three of them" wrong 2 "too often" \
	altconn node add 6 inet 10.0.0.6 inet ::6 inet 10.0.0.7 netns "$hold/log"
check "an address that is none" wrong 2 "no IP address" altconn node add 6 inet 1.2.3 netns web
check "one of no host" wrong 1 "must be the address of a host" \
	altconn node add 6 inet 127.0.0.1 netns web
check "no namespace" wrong 2 "which namespace" altconn node add 6 inet 10.0.0.1
check "a name that is none" wrong 1 "/run/netns/none" altconn node add 6 netns none
check "a file that is none" wrong 1 "no network namespace" altconn node add 6 netns /etc/passwd
check "this namespace itself" wrong 1 "itself" altconn node add 6 netns /proc/self/ns/net
check "a word that is none" wrong 2 "'nets'" altconn node add 6 nets web
check "an id that no node has" wrong 1 "no node" altconn node down 77
check "an action that is none" wrong 2 "unknown action" altconn node ad
gone() {
	[[ $(list) == *"8 10.0.0.8 gone -"* ]]
}
exec 9<&-
umount "$hold/db"
check "a namespace that ends is gone" wait_until gone
# Two others at once: traffic to both, while one goes down and up, and the other one's
# namespace goes.
: >"$hold/left"
: >"$hold/right"
unshare --net="$hold/left" true
unshare --net="$hold/right" true
altconn node add 21 netns "$hold/left"
altconn node add 22 netns "$hold/right"
nsenter --net="$hold/left" altconn listen -k --reachable port:7000 </dev/null >/dev/null &
left=$!
nsenter --net="$hold/right" altconn listen -k --reachable port:7000 </dev/null >/dev/null &
right=$!
reaches() {
	altconn ping -q -c 1 "port:$1/7000" >/dev/null
}
talk() {
	while :; do
		altconn ping -q -c 10 -i 0.01 --timeout=5 "port:$1/7000"
	done 2>/dev/null
}
check "one of two others" wait_until reaches 21
check "and the other" wait_until reaches 22
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
check "it is down" fails 21
check "the other is not" reaches 22
altconn node up 21
kill "$right"
wait "$right" 2>/dev/null
umount "$hold/right"
check "the other's namespace goes" wait_until fails 22
check "and the first is there" reaches 21
# shellcheck disable=SC2086 # words
kill $pids "$left"
# shellcheck disable=SC2086
wait $pids "$left" 2>/dev/null
check "both were talked to meanwhile" eval \
	"grep -q ' [1-9][0-9]* connected' '$hold/log21' && grep -q ' [1-9][0-9]* connected' '$hold/log22'"
umount "$hold/left"
altconn node del 21 22

check "who may not" wrong 1 CAP_NET_ADMIN \
	setpriv --reuid 65534 --clear-groups altconn node del 7
finish
