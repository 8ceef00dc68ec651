#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn show, as text and as JSON, of every kind of socket and association;
# and what the tool says when it cannot.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
command -v python3 >/dev/null || skip_all "no python3"
scene_open || skip_all "helper_scene is not built"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tag=$$
port=$((200000 + tag))

# json EXPRESSION: true of what "altconn show -j" prints. In it, socks(a) and
# assocs(a) are the rows whose own, or server's, address is a.
json() {
	altconn show -j "${show_args[@]}" >"$dir/json" || return 1
	python3 - "$dir/json" "$1" <<'PY'
import json, sys
doc = json.load(open(sys.argv[1]))
def socks(a):
    return [s for s in doc["sockets"] if s["owner"]["address"] == a]
def assocs(a):
    return [s for s in doc["associations"] if s["server"]["address"] == a]
def one(rows):
    assert len(rows) == 1, rows
    return rows[0]
try:
    good = eval(sys.argv[2])
except Exception as e:
    good = False
    print(repr(e))
if not good:
    print(sys.argv[2])
    print(json.dumps(doc, indent=1))
sys.exit(not good)
PY
}
show_args=()

line() {
	altconn show | grep -E "$1" || {
		altconn show
		return 1
	}
}

fails_with() {
	local code=$1 output ret
	shift
	output=$("$@" 2>&1 >/dev/null)
	ret=$?
	same "$ret" "$code" && same "$(wc -l <<<"$output")" 1 && [ -n "$output" ]
}

plan 33

name=name:tool-$tag
scene listen native stream port:$port 1
listener=$answer_slot
check "listener: backlog, nobody queued" json \
	"(lambda s: s['type'] == 'stream' and s['state'] == 'listening' and s['backlog'] == 1 and s['queued'] == 0 and s['waiting'] == 0)(one(socks('port:$port')))"
check "listener: whose" json \
	"(lambda e: e['pid'] == $scene_pid and e['uid'] == 0)(one(socks('port:$port'))['owner'])"

scene name "then"
scene connect native stream port:$port
first=$answer_slot
scene name now
scene connect native stream port:$port
scene start native stream port:$port
check "E-INPROGRESS answered by the third" same "${answer#* }" EINPROGRESS
scene start native stream port:$port
check "listener: two queued, two waiting" json \
	"(lambda s: s['queued'] == 2 and s['waiting'] == 2 and s['established'] == 2)(one(socks('port:$port')))"
check "associations: queued and pending, with their places" json \
	"sorted((a['state'], a.get('place', 0)) for a in assocs('port:$port')) == [('pending', 1), ('pending', 2), ('queued', 0), ('queued', 0)]"
check "an association has the command of then, a socket that of now" json \
	"sorted(a['client']['comm'] for a in assocs('port:$port'))[-1] == 'then' and one(socks('port:$port'))['owner']['comm'] == 'now'"
check "text: the listener" line "^stream +LISTEN +2/1 .* 2 +port:$port"
check "text: a waiting attempt with its place" line "WAIT .*#1 "

scene accept "$listener"
check "accept establishes a waiter" json \
	"sorted(a['state'] for a in assocs('port:$port')) == ['established', 'pending', 'queued', 'queued']"
check "ids are unique" json \
	"len({a['id'] for a in doc['associations']}) == len(doc['associations'])"
scene send "$first" 1234
check "unread bytes of the server's end" json \
	"any(a['server']['recv_queue'] == 1234 for a in assocs('port:$port'))"
check "the client's ephemeral port" json \
	"all(65536 <= int(a['client']['address'].split(':')[1]) <= 2147483647 for a in assocs('port:$port'))"

show_args=(--waiting)
check "--waiting shows them alone" json \
	"[a['state'] for a in doc['associations']] == ['pending'] and not doc['sockets']"
show_args=(--type seqpacket)
check "--type shows no other" json \
	"not assocs('port:$port') and not socks('port:$port')"
show_args=()

scene listen unix seqpacket path:"$dir/s" 5
scene connect unix seqpacket path:"$dir/s"
check "unix format: the path" json \
	"one(assocs('path:$dir/s'))['type'] == 'seqpacket' and one(assocs('path:$dir/s'))['server']['format'] == 'unix' and one(socks('path:$dir/s'))['owner']['format'] == 'unix'"
scene bind native dgram "$name"
scene connect native dgram "$name"
check "a datagram socket, and one connected to it" json \
	"one(socks('$name'))['state'] == 'unconnected' and one([s for s in doc['sockets'] if s['peer'] == '$name'])['state'] == 'established'"

# IP addresses, below the ephemeral range.
ip_port=$((2000 + tag % 30000))
scene listen inet stream inet:$ip_port 5
scene listen inet6 seqpacket inet:$ip_port 5
scene connect inet stream inet:$ip_port
check "inet format: the address" json \
	"one(assocs('inet:127.0.0.1:$ip_port'))['server']['format'] == 'inet' and one(socks('inet:127.0.0.1:$ip_port'))['type'] == 'stream'"
check "inet format: the client's ephemeral port" json \
	"one(assocs('inet:127.0.0.1:$ip_port'))['client']['address'].startswith('inet:127.0.0.1:')"
check "inet6 format: the address" json \
	"one(socks('inet:[::1]:$ip_port'))['owner']['format'] == 'inet6'"
show_args=("inet:[::1]:$ip_port")
check "an IPv6 address selects" json \
	"one(doc['sockets'])['owner']['address'] == 'inet:[::1]:$ip_port' and not doc['associations']"
show_args=()
check "an address that is none: one line, exit 2" \
	fails_with 2 altconn show inet:1.2.3:80

scene wait native stream name:nobody-$tag
check "an attempt that waits for a listener" json \
	"(lambda a: a['state'] == 'pending' and a['place'] == 1 and 'pid' not in a['server'])(one(assocs('name:nobody-$tag')))"

# Module and tool filter together. choice PYTHON WORDS...: "altconn show WORDS"
# lists the rows r of the whole list for which PYTHON is true, and some but not
# all.
choice() {
	local wanted=$1
	shift
	altconn show -j >"$dir/whole" && altconn show -j "$@" >"$dir/some" &&
		python3 - "$dir/whole" "$dir/some" "$wanted" "$*" <<-'EOF'
		import json, sys
		whole, some = (json.load(open(f)) for f in sys.argv[1:3])
		def rows(doc): return doc["sockets"] + doc["associations"]
		def ends(r): return [r[e] for e in ("client", "server", "owner") if e in r]
		def at(r): return [e["address"] for e in ends(r)] + [r.get("peer")]
		wanted = [r["id"] for r in rows(whole) if eval(sys.argv[3])]
		found = [r["id"] for r in rows(some)]
		if found != wanted or not 0 < len(found) < len(rows(whole)):
		    sys.exit(f"# {sys.argv[4]}: {found}, not {wanted}")
	EOF
}
choices() {
	choice "r['state'] == 'listening'" -l &&
		choice "'client' in r or r['state'] == 'established'" -c &&
		choice "r['state'] == 'pending'" -w &&
		choice "r['type'] == 'dgram'" -t dgram &&
		choice "r['type'] == 'stream'" -t stream &&
		choice "r['state'] == 'established'" --state=established &&
		choice "r['state'] == 'unconnected'" --state=unconnected &&
		choice "r['state'] == 'queued'" --state=queued &&
		choice "r['id'] == $1" --id="$1" &&
		choice "'port:$port' in at(r)" "port:$port" &&
		choice "'path:$dir/s' in at(r)" path:"$dir/s" &&
		choice "'$name' in at(r)" "$name" &&
		choice "'inet:127.0.0.1:$ip_port' in at(r)" "inet:127.0.0.1:$ip_port" &&
		choice "'inet:127.0.0.1:$ip_port' in at(r) or '$name' in at(r)" \
			"inet:127.0.0.1:$ip_port" "$name" &&
		choice "r['state'] == 'listening' and 'port:$port' in at(r)" \
			-l "port:$port" &&
		choice "any(e.get('pid') == $scene_pid for e in ends(r)) and r['type'] == 'stream' and r['state'] == 'listening'" \
			-l -t stream --pid="$scene_pid" --uid=0
}
check "each choice is a part of the whole list" choices "$(
	altconn show -j | python3 -c \
		'import json, sys; print(json.load(sys.stdin)["associations"][0]["id"])')"
none_of() {
	[ "$(altconn show -H "$@" | wc -l)" = 0 ]
}
nothing() {
	none_of --uid=77 && none_of --pid=1 && none_of --id=4000000000 &&
		none_of "name:x-$tag"
}
check "filters that match nothing" nothing

# Another user sees the sockets, as in /proc/net/unix, and none of the processes.
another_user() {
	setpriv --reuid 65534 --clear-groups altconn show -j | python3 -c '
import json, sys
d = json.load(sys.stdin)
ends = [s["owner"] for s in d["sockets"]]
ends += [a[e] for a in d["associations"] for e in ("client", "server")]
assert len(ends) > 4 and not any("pid" in e or "comm" in e for e in ends), ends'
}
check "another user sees no processes" another_user

# Another network namespace sees nothing of this.
other_netns() {
	unshare -n altconn show -j | python3 -c \
		'import json,sys; d=json.load(sys.stdin); sys.exit(bool(d["sockets"] or d["associations"]))'
}
check "another namespace sees none" other_netns

scene close "$listener"
check "a closed listener is gone" json "not socks('port:$port')"
check "and with it who waited" json \
	"not [a for a in assocs('port:$port') if a['state'] in ('pending', 'queued')]"

check "unknown command: one line, exit 2" fails_with 2 altconn frobnicate
check "unknown option: one line, exit 2" fails_with 2 altconn show --frob
check "id 0: one line, exit 2" fails_with 2 altconn show --id=0
check "id x: one line, exit 2" fails_with 2 altconn show --id=x
scene_close
leftover() {
	json "not assocs('port:$port') and not socks('$name')"
}
check "nothing is left of the scene" wait_until leftover
finish
