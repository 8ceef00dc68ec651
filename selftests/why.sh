#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn why, altconn doctor: what became of attempts, in words; who holds the module.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
command -v python3 >/dev/null || skip_all "no python3"
[ "${1:-}" = --inside ] || exec unshare --net "$0" --inside
scene_open || skip_all "helper_scene is not built"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# why EXPRESSION: of the JSON, the sockets in the order of their descriptors.
why() {
	altconn why -j "$scene_pid" | python3 -c "import json, sys
s = sorted(json.load(sys.stdin)['sockets'], key=lambda s: s['fd'])
print($1)"
}

# says TEXT [FD]: a line of what is told has it.
says() {
	altconn why "$scene_pid" ${2:+"$2"} | tee /dev/stderr | grep -qF "$1"
}

doctor() {
	altconn doctor -j | python3 -c "import json, sys
c = {}
for r in json.load(sys.stdin)['checks']:
    c.setdefault(r['what'], []).append((r['state'], r['text']))
print($1)"
}

plan 34

check "a process that has no socket" wrong 1 "no socket" \
	altconn why "$scene_pid"
scene bind native stream port:4000
check "it has not tried" says "it has not tried to connect"
bound=$(why "s[0]['fd']")
scene connect native stream port:4000
check "nobody listens" says \
	"its last attempt failed with ECONNREFUSED: a socket is bound to the address, but it does not listen"
scene listen native stream port:4001 0
listener=$answer_slot
check "who listens" says "it listens"
scene connect native stream port:4001
first=$(why "s[-1]['fd']")
check "who succeeded" says "its last attempt succeeded at once" "$first"
check "and where" says "connected to port:4001" "$first"
scene start native stream port:4001
waits=$(why "s[-1]['fd']")
check "who waits, and where" says "place 1 in the queue" "$waits"
check "as JSON" same "$(why "s[-1]['result'], s[-1]['reason'], s[-1]['place'], s[-1]['waited_ns'] > 0, s[-1]['type'], s[-1]['format']")" \
	"EINPROGRESS none 1 True stream native"
check "how long" eval "altconn why $scene_pid $waits | grep -q 'for .*s so far'"
scene accept "$listener"
check "who has waited" says "its last attempt succeeded after" "$waits"
check "who was connected" says "it was connected by its peer"
scene connect unix stream path:"$dir/nobody"
check "a path that is none" says "failed with ENOENT: the path could not be looked up"
scene connect native stream port:9/1
check "a node that is none" says "failed with ENETUNREACH: there is no such node"
rule=$(altconn rule add to port:4001 deny)
scene connect native stream port:4001
altconn rule flush
check "a rule" says "failed with EPERM: a rule decided so"
check "which one" says "rule $rule decided"
check "as JSON" same "$(why "s[-1]['rule'], s[-1]['result'], s[-1]['reason']")" \
	"$rule EPERM rule"
scene listen inet seqpacket inet:2001 5
check "an address of another format" same "$(why "s[-1]['address'], s[-1]['format'], s[-1]['listens']")" \
	"inet:127.0.0.1:2001 inet True"
check "one descriptor" same "$(altconn why "$scene_pid" "$bound" | grep -c process)" 1
check "from another namespace too" eval \
	"unshare --net altconn why $scene_pid $bound | grep -q 'bound to port:4000'"

check "no process" wrong 2 "which process" altconn why
check "a process that is none" wrong 2 "'x'" altconn why x
check "one that is not there" wrong 1 "no process" altconn why 4194305
check "a descriptor that is not there" wrong 1 "no descriptor 999" altconn why "$scene_pid" 999
check "one of something else" wrong 1 "no socket of this family" altconn why "$scene_pid" 0
check "a word too many" wrong 2 "'3'" altconn why 1 2 3
check "who may not" wrong 1 "no permission" \
	setpriv --reuid 65534 --clear-groups altconn why "$scene_pid"

check "doctor: all is well" eval "altconn doctor >&2"
check "doctor: whom a listener keeps waiting" same "$(scene start native stream port:4001 >/dev/null
	doctor "c['listener'][0][0], 'port:4001' in c['listener'][0][1]")" "note True"
check "doctor: who holds the module" same \
	"$(doctor "any('process $scene_pid,' in text for state, text in c['holder'])")" True
check "doctor: by how much" same "$(doctor "c['unload'][0][0]")" note
altconn kill --all >"$dir/killed"
check "kill --all: who holds the module" grep -qE \
	"^helper_scene, process $scene_pid, has [1-9][0-9]* sockets still$" "$dir/killed"
check "and by how much" grep -qE "^[1-9][0-9]* references hold the module: sockets, and descriptors being closed$" "$dir/killed"
check "as JSON" same "$(altconn kill --all -j | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["killed"], [h["pid"] for h in d["holders"] if h["comm"] == "helper_scene"])')" "0 [$scene_pid]"
check "doctor: no seccomp filter here" same "$(doctor "c['seccomp'][0][0]")" ok
finish
