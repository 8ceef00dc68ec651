#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn rule: what is typed, listed, saved and restored; what is wrong changes
# nothing and is named; the trace and the list tell who decided.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
command -v python3 >/dev/null || skip_all "no python3"
[ "${1:-}" = --inside ] || exec unshare --net "$0" --inside
scene_open || skip_all "helper_scene is not built"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# wrong TEXT COMMAND...: it fails, with one line or two that have TEXT, and no rule
# has come or gone.
wrong() {
	local text=$1 before after output
	shift
	before=$(altconn rule save)
	output=$("$@" 2>&1 >/dev/null) && {
		echo "it did not fail"
		return 1
	}
	after=$(altconn rule save)
	echo "$output"
	same "$after" "$before" && [[ $output == *"$text"* ]]
}

# A rule is saved as it was typed.
round_trip() {
	local words
	read -ra words <<<"$1"
	altconn rule flush
	altconn rule add "${words[@]}" >/dev/null || return 1
	same "$(altconn rule save | sed -n 's/^id [0-9]* priority 1000 //p')" "$1"
}

plan 49

check "no rules at first" same "$(altconn rule -H)" ""
check "an id is printed" same "$(altconn rule add to port:4000 refuse)" 1
check "and the next" same "$(altconn rule add to port:4001 deny EACCES)" 2
check "an id as JSON" same "$(altconn rule add -j deny priority 7 uid 1)" '{"id":3}'
check "they are listed in the order in which they are asked" \
	same "$(altconn rule -H --color=never | awk '{ print $1, $2, $6 }')" \
	"3 7 -
1 1000 port:4000
2 1000 port:4001"
check "a header" same "$(altconn rule | head -n1 | awk '{ print $1, $NF }')" \
	"ID WHEN"
check "colour" eval "altconn rule --color=always | grep -q $'\033'"

scene connect native stream port:4000
check "a rule decides" same "${answer#* }" ECONNREFUSED
scene connect native stream port:4001
check "another one too" same "${answer#* }" EACCES
check "hits are counted, as text" same \
	"$(altconn rule -H --color=never | awk '$1 == 1 { print $3 }')" 1
check "and as JSON" same "$(altconn rule -j | python3 -c '
import json, sys
rules = {r["id"]: r for r in json.load(sys.stdin)["rules"]}
print(rules[2]["hits"], rules[2]["to"], rules[2]["verdict"],
      rules[2]["idle_ms"] < 60000, "idle_ms" in rules[3])')" \
	"1 port:4001 deny EACCES True False"
altconn rule zero 1
check "zero begins one anew" same "$(altconn rule -H --color=never |
	awk '{ print $1, $3 }')" "3 0
1 0
2 1"
altconn rule zero
check "or all" same "$(altconn rule -H --color=never | awk '{ print $3 }' |
	sort -u)" 0
check "del deletes what it names" eval \
	"altconn rule del 1 3 && [ \$(altconn rule -H | wc -l) = 1 ]"
check "ids do not come again" same "$(altconn rule add deny uid 77)" 4

for text in "allow" "to port:* drop" "to port:7/80-90 refuse" \
	"to port:*/5 deny" "to name:7/a*[b-c]\\x2a\\x20 unreachable net" \
	"to name:7\\x2fdb deny EACCES" "to inet:*:* unreachable host" \
	"to inet:10.0.0.0/8:80 drop" "to inet:[fe80::]/10:1-2 drop" \
	"to inet:[::1]:* drop" \
	"type seqpacket to path:/run/?/\\x5c* delay 1500ms jitter 20ms" \
	"to name:[\\x21a\\x2dz]# deny" \
	"uid 12 gid 4294967294 deny every 3 probability 0.0001% times 9"; do
	check "saved as typed: $text" round_trip "$text"
done

altconn rule flush
{
	echo "# rules"
	echo
	echo "  to port:1 refuse # a remark"
	echo "to path:/run/a#b deny"
	echo "id 77 uid root deny"
} >"$dir/rules"
check "a file is restored" altconn rule restore "$dir/rules"
check "ids in it count" same "$(altconn rule -H | awk '{ print $1 }' |
	grep -c '^77$')" 1
altconn rule save >"$dir/saved"
check "standard input too" eval "altconn rule restore - <'$dir/saved'"
check "what is restored is what was saved" same "$(altconn rule save)" \
	"$(cat "$dir/saved")"
printf 'deny\nto port:5\n' >"$dir/bad"
check "a line that is wrong is named" wrong ":2: " altconn rule restore "$dir/bad"
printf 'deny\nto port:7-5 deny\n' >"$dir/bad"
check "and the word" wrong ":2: 'port:7-5'" altconn rule restore "$dir/bad"
printf 'id 5 deny\nid 5 deny\n' >"$dir/bad"
check "two of one id" wrong ":2: 'id 5': line 1 has it" altconn rule restore "$dir/bad"
printf '# a remark\nto port:5 deny\n\nto name:[ab deny\nto port:6 deny\n' >"$dir/bad"
check "a line that the module refuses" wrong ":4: the module refuses this rule" \
	altconn rule restore "$dir/bad"
check "and nothing changes" same "$(altconn rule save)" "$(cat "$dir/saved")"
check "a set without an end" wrong "'pattern'" altconn rule add to 'name:[ab' deny
check "nor a backslash" wrong "'pattern'" altconn rule add to "name:ab\\" deny
check "no such file" wrong "No such file" altconn rule restore "$dir/none"
check "many rules" eval \
	"seq 4096 | sed 's/.*/to port:& deny/' | altconn rule restore &&
	[ \$(altconn rule -H | wc -l) = 4096 ]"
check "too many" wrong "too many" altconn rule add deny
altconn rule flush

check "no verdict" wrong "what to do" altconn rule add to port:5
check "two verdicts" wrong "one verdict" altconn rule add deny refuse
check "a word that is none" wrong "'dney'" altconn rule add dney
check "an id that is none" wrong "no id" altconn rule del x
check "an id that no rule has" wrong "no rule has" altconn rule del 99
check "an action that is none" wrong "unknown action" altconn rule ad deny
check "who may not" wrong CAP_NET_ADMIN \
	setpriv --reuid 65534 --clear-groups altconn rule add deny
finish
