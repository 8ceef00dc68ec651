#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn show: it lists every kind of socket and association, as text and as
# JSON, and prints one line for an error.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn
need_scene
make_dir
tag=$$
port=$((200000 + tag))

# socks(a) has the rows of sockets with the address a, assocs(a) the rows of
# associations with the server's address a, and one(rows) the only row.
json_open "
def socks(a):
    return [s for s in doc['sockets'] if s['owner']['address'] == a]

def assocs(a):
    return [s for s in doc['associations'] if s['server']['address'] == a]

def one(rows):
    assert len(rows) == 1, rows
    return rows[0]

def rows(doc):
    return doc['sockets'] + doc['associations']

def ends(r):
    return [r[e] for e in ('client', 'server', 'owner') if e in r]

def at(r):
    return [e['address'] for e in ends(r)] + [r.get('peer')]

def selected(wanted):
    whole, some = map(rows, docs)
    return [r['id'] for r in some] == [r['id'] for r in whole if wanted(r)] \\
        and 0 < len(some) < len(whole)
"

# shows EXPRESSION: about the JSON of altconn show.
show_args=()
shows() {
	holds "$1" altconn show -j "${show_args[@]}"
}

line() {
	altconn show | grep -E "$1" || {
		altconn show
		return 1
	}
}

plan 33

name=name:tool-$tag
scene listen native stream port:$port 1
listener=$answer_slot
check "a listener has its backlog and empty queues" shows \
	"(lambda s: s['type'] == 'stream' and s['state'] == 'listening' and
	s['backlog'] == 1 and s['queued'] == 0 and s['waiting'] == 0)
	(one(socks('port:$port')))"
check "a listener has its process and user" shows \
	"(lambda e: e['pid'] == $scene_pid and e['uid'] == 0)
	(one(socks('port:$port'))['owner'])"

scene name "then"
scene connect native stream port:$port
first=$answer_slot
scene name now
scene connect native stream port:$port
scene start native stream port:$port
check "the third attempt fails with EINPROGRESS" \
	same "${answer#* }" EINPROGRESS
scene start native stream port:$port
check "a listener counts the queued and the waiting attempts" shows \
	"(lambda s: s['queued'] == 2 and s['waiting'] == 2 and
	s['established'] == 2)(one(socks('port:$port')))"
check "pending associations have their positions" shows \
	"sorted((a['state'], a.get('position', 0)) for a in assocs('port:$port'))
	== [('pending', 1), ('pending', 2), ('queued', 0), ('queued', 0)]"
check "an association keeps the command, and a socket has the present one" \
	shows "sorted(a['client']['comm'] for a in assocs('port:$port'))[-1]
	== 'then' and one(socks('port:$port'))['owner']['comm'] == 'now'"
check "the text has the listener" line \
	"^stream +LISTEN +2/1 .* 2 +port:$port"
check "the text has a waiting attempt with its position" line "WAIT .*#1 "

scene accept "$listener"
check "accept() establishes a waiting attempt" shows \
	"sorted(a['state'] for a in assocs('port:$port'))
	== ['established', 'pending', 'queued', 'queued']"
check "each association has an id of its own" shows \
	"len({a['id'] for a in doc['associations']})
	== len(doc['associations'])"
scene send "$first" 1234
check "the server's end has the number of unread bytes" shows \
	"any(a['server']['recv_queue'] == 1234 for a in assocs('port:$port'))"
check "the client's end has an ephemeral port" shows \
	"all(65536 <= int(a['client']['address'].split(':')[1]) <= 2147483647
	for a in assocs('port:$port'))"

show_args=(--waiting)
check "--waiting selects waiting attempts" shows \
	"[a['state'] for a in doc['associations']] == ['pending']
	and not doc['sockets']"
show_args=(--type seqpacket)
check "--type leaves out other types" shows \
	"not assocs('port:$port') and not socks('port:$port')"
show_args=()

scene listen unix seqpacket path:"$dir/s" 5
scene connect unix seqpacket path:"$dir/s"
check "a socket in the unix format has its path" shows \
	"one(assocs('path:$dir/s'))['type'] == 'seqpacket' and
	one(assocs('path:$dir/s'))['server']['format'] == 'unix' and
	one(socks('path:$dir/s'))['owner']['format'] == 'unix'"
scene bind native dgram "$name"
scene connect native dgram "$name"
check "a datagram socket has its peer" shows \
	"one(socks('$name'))['state'] == 'unconnected' and
	one([s for s in doc['sockets'] if s['peer'] == '$name'])['state']
	== 'established'"

# These IP ports are below the ephemeral range.
ip_port=$((2000 + tag % 30000))
scene listen inet stream inet:$ip_port 5
scene listen inet6 seqpacket inet:$ip_port 5
scene connect inet stream inet:$ip_port
check "a socket in the inet format has its address" shows \
	"one(assocs('inet:127.0.0.1:$ip_port'))['server']['format'] == 'inet'
	and one(socks('inet:127.0.0.1:$ip_port'))['type'] == 'stream'"
check "a client in the inet format has an ephemeral port" shows \
	"one(assocs('inet:127.0.0.1:$ip_port'))['client']['address']
	.startswith('inet:127.0.0.1:')"
check "a socket in the inet6 format has its address" shows \
	"one(socks('inet:[::1]:$ip_port'))['owner']['format'] == 'inet6'"
show_args=("inet:[::1]:$ip_port")
check "an IPv6 address selects rows" shows \
	"one(doc['sockets'])['owner']['address'] == 'inet:[::1]:$ip_port'
	and not doc['associations']"
show_args=()
check "an invalid address is an error of one line" \
	fails_with 2 altconn show inet:1.2.3:80

scene wait native stream name:nobody-$tag
check "an attempt waits at an address without a listener" shows \
	"(lambda a: a['state'] == 'pending' and a['position'] == 1 and
	'pid' not in a['server'])(one(assocs('name:nobody-$tag')))"

# The module filters by some options, and the tool by others.
# selects PYTHON WORD...: "altconn show WORD..." lists the rows r of the whole
# list for which PYTHON is true. These are some rows, but not all.
selects() {
	local wanted=$1
	shift
	holds "selected(lambda r: $wanted)" show_whole_and_some "$@"
}
show_whole_and_some() {
	altconn show -j && altconn show -j "$@"
}
selections() {
	selects "r['state'] == 'listening'" -l &&
		selects "'client' in r or r['state'] == 'established'" -c &&
		selects "r['state'] == 'pending'" -w &&
		selects "r['type'] == 'dgram'" -t dgram &&
		selects "r['type'] == 'stream'" -t stream &&
		selects "r['state'] == 'established'" --state=established &&
		selects "r['state'] == 'unconnected'" --state=unconnected &&
		selects "r['state'] == 'queued'" --state=queued &&
		selects "r['id'] == $1" --id="$1" &&
		selects "'port:$port' in at(r)" "port:$port" &&
		selects "'path:$dir/s' in at(r)" path:"$dir/s" &&
		selects "'$name' in at(r)" "$name" &&
		selects "'inet:127.0.0.1:$ip_port' in at(r)" \
			"inet:127.0.0.1:$ip_port" &&
		selects "'inet:127.0.0.1:$ip_port' in at(r) or '$name' in at(r)" \
			"inet:127.0.0.1:$ip_port" "$name" &&
		selects "r['state'] == 'listening' and 'port:$port' in at(r)" \
			-l "port:$port" &&
		selects "any(e.get('pid') == $scene_pid for e in ends(r)) and
			r['type'] == 'stream' and r['state'] == 'listening'" \
			-l -t stream --pid="$scene_pid" --uid=0
}
check "options and addresses select rows of the whole list" selections \
	"$(json "doc['associations'][0]['id']" altconn show -j)"
none_of() {
	[ "$(altconn show -H "$@" | wc -l)" = 0 ]
}
nothing() {
	none_of --uid=77 && none_of --pid=1 && none_of --id=4000000000 &&
		none_of "name:x-$tag"
}
check "a filter that matches nothing lists nothing" nothing

# As in /proc/net/unix, another user sees the sockets, but no process.
check "another user sees no processes" holds \
	"(lambda ends: len(ends) > 4 and
	not any('pid' in e or 'comm' in e for e in ends))
	([e for r in rows(doc) for e in ends(r)])" \
	setpriv --reuid 65534 --clear-groups altconn show -j
check "another network namespace has none of the sockets" holds \
	"not doc['sockets'] and not doc['associations']" \
	unshare -n altconn show -j

scene close "$listener"
check "a closed listener is not in the list" shows "not socks('port:$port')"
check "the closed listener has no waiting attempts" shows \
	"not [a for a in assocs('port:$port')
	if a['state'] in ('pending', 'queued')]"

check "an unknown command is an error of one line" \
	fails_with 2 altconn frobnicate
check "an unknown option is an error of one line" \
	fails_with 2 altconn show --frob
check "the id 0 is an error of one line" fails_with 2 altconn show --id=0
check "an id that is no number is an error of one line" \
	fails_with 2 altconn show --id=x
scene_close
leftover() {
	shows "not assocs('port:$port') and not socks('$name')"
}
check "no socket of the test is in the list at the end" wait_until leftover
finish
