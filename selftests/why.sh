#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn why and altconn doctor: they describe the last attempt of each socket,
# and name the processes that hold the module.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn
own_namespaces --net
need_scene
make_dir
json_open "s = sorted(doc.get('sockets', []), key=lambda s: s['fd'])
c = {}
for r in doc.get('checks', []):
    c.setdefault(r['what'], []).append((r['state'], r['text']))"

# why EXPRESSION: about s, the sockets in the JSON in the order of their
# descriptors.
why() {
	json "$1" altconn why -j "$scene_pid"
}

# says TEXT [FD]: a line of the text contains TEXT.
says() {
	altconn why "$scene_pid" ${2:+"$2"} | tee /dev/stderr | grep -qF "$1"
}

# doctor EXPRESSION: about c, the states and texts of each check in the JSON.
doctor() {
	json "$1" altconn doctor -j
}

plan 34

check "why of a process without a socket is an error" \
	wrong 1 "no socket" altconn why "$scene_pid"
scene bind native stream port:4000
check "why describes a socket without an attempt" \
	says "it has not tried to connect"
bound=$(why "s[0]['fd']")
scene connect native stream port:4000
check "why describes an attempt at an address without a listener" says \
	"its last attempt failed with ECONNREFUSED: a socket is bound to the address, but it does not listen"
scene listen native stream port:4001 0
listener=$answer_slot
check "why describes a listener" says "it listens"
scene connect native stream port:4001
first=$(why "s[-1]['fd']")
check "why describes an attempt that succeeded" \
	says "its last attempt succeeded at once" "$first"
check "why has the address of the peer" says "connected to port:4001" "$first"
scene start native stream port:4001
waits=$(why "s[-1]['fd']")
check "why has the position of a waiting attempt" \
	says "position 1 in the queue" "$waits"
check "the JSON has the members of a waiting attempt" same \
	"$(why "s[-1]['result'], s[-1]['reason'], s[-1]['position'],
	s[-1]['waited_ns'] > 0, s[-1]['type'], s[-1]['format']")" \
	"EINPROGRESS none 1 True stream native"
check "why has the time of the wait" eval \
	"altconn why $scene_pid $waits | grep -q 'for .*s so far'"
scene accept "$listener"
check "why describes an attempt that succeeded after a wait" \
	says "its last attempt succeeded after" "$waits"
check "why describes an accepted socket" says "it was connected by its peer"
scene connect unix stream path:"$dir/nobody"
check "why describes an attempt at a missing path" \
	says "failed with ENOENT: the path could not be looked up"
scene connect native stream port:9/1
check "why describes an attempt at an unknown node" \
	says "failed with ENETUNREACH: there is no such node"
rule=$(altconn rule add to port:4001 deny)
scene connect native stream port:4001
altconn rule flush
check "why describes an attempt that a rule denied" \
	says "failed with EPERM: a rule decided the attempt"
check "why has the id of the rule" says "rule $rule decided"
check "the JSON has the id of the rule" \
	same "$(why "s[-1]['rule'], s[-1]['result'], s[-1]['reason']")" \
	"$rule EPERM rule"
scene listen inet seqpacket inet:2001 5
check "the JSON has the address of a socket in the inet format" \
	same "$(why "s[-1]['address'], s[-1]['format'], s[-1]['listens']")" \
	"inet:127.0.0.1:2001 inet True"
check "a descriptor selects one socket" \
	same "$(altconn why "$scene_pid" "$bound" | grep -c process)" 1
check "why describes a socket of another namespace" eval \
	"unshare --net altconn why $scene_pid $bound |
	grep -q 'bound to port:4000'"

check "why without a process is an error" wrong 2 "which process" altconn why
check "a process that is no number is an error" wrong 2 "'x'" altconn why x
check "a process that does not exist is an error" \
	wrong 1 "no process" altconn why 4194305
check "a descriptor that is not open is an error" \
	wrong 1 "no descriptor 999" altconn why "$scene_pid" 999
check "a descriptor of another file is an error" \
	wrong 1 "no socket of this family" altconn why "$scene_pid" 0
check "a third number is an error" wrong 2 "'3'" altconn why 1 2 3
check "why of another user's process is an error" wrong 1 "no permission" \
	setpriv --reuid 65534 --clear-groups altconn why "$scene_pid"

check "doctor succeeds" eval "altconn doctor >&2"
waiting_attempt_is_noted() {
	scene start native stream port:4001
	same "$(doctor "c['listener'][0][0],
		'port:4001' in c['listener'][0][1]")" "note True"
}
check "doctor names a listener with waiting attempts" waiting_attempt_is_noted
check "doctor names a process that holds the module" same \
	"$(doctor "any('process $scene_pid,' in text
	for state, text in c['holder'])")" True
check "doctor notes that the module cannot unload" \
	same "$(doctor "c['unload'][0][0]")" note
altconn kill --all >"$dir/killed"
check "kill --all names a process that holds the module" grep -qE \
	"^helper_scene, process $scene_pid, has [1-9][0-9]* sockets still$" \
	"$dir/killed"
check "kill --all has the number of references to the module" grep -qE \
	"^[1-9][0-9]* references hold the module: sockets, and descriptors being closed$" \
	"$dir/killed"
check "the JSON of kill --all names the process" same \
	"$(json "doc['killed'], [h['pid'] for h in doc['holders']
	if h['comm'] == 'helper_scene']" altconn kill --all -j)" \
	"0 [$scene_pid]"
check "doctor finds no seccomp filter" same "$(doctor "c['seccomp'][0][0]")" ok
finish
