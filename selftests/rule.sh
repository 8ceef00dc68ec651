#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn rule: it adds, lists, saves and restores rules. A command with an
# error changes no rule, and its message names the error. The list and the
# results of connect() agree with the rules.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn
own_namespaces --net
need_scene
make_dir
json_open "rules = {r['id']: r for r in doc.get('rules', [])}"

# keeps TEXT COMMAND...: the command fails, its message has TEXT, and it adds
# and removes no rule.
keeps() {
	local text=$1 before after output
	shift
	before=$(altconn rule save)
	output=$("$@" 2>&1 >/dev/null) && {
		echo "the command did not fail"
		return 1
	}
	after=$(altconn rule save)
	echo "$output"
	same "$after" "$before" && [[ $output == *"$text"* ]]
}

# Saving a rule prints the words that added it.
round_trip() {
	local words
	read -ra words <<<"$1"
	altconn rule flush
	altconn rule add "${words[@]}" >/dev/null || return 1
	same "$(altconn rule save |
		sed -n 's/^id [0-9]* priority 1000 //p')" "$1"
}

plan 49

check "there are no rules at first" same "$(altconn rule -H)" ""
check "rule add prints the id of the rule" \
	same "$(altconn rule add to port:4000 refuse)" 1
check "the next rule has the next id" \
	same "$(altconn rule add to port:4001 deny EACCES)" 2
check "the JSON of rule add has the id" \
	same "$(json "doc" altconn rule add -j deny priority 7 uid 1)" \
	"{'id': 3}"
check "the list is in the order in which the rules apply" \
	same "$(altconn rule -H --color=never | awk '{ print $1, $2, $6 }')" \
	"3 7 -
1 1000 port:4000
2 1000 port:4001"
check "the list has a header" \
	same "$(altconn rule | head -n1 | awk '{ print $1, $NF }')" "ID WHEN"
check "--color=always prints colours" \
	eval "altconn rule --color=always | grep -q $'\033'"

scene connect native stream port:4000
check "a rule refuses an attempt" same "${answer#* }" ECONNREFUSED
scene connect native stream port:4001
check "another rule denies an attempt" same "${answer#* }" EACCES
check "the list counts the hits of a rule" same \
	"$(altconn rule -H --color=never | awk '$1 == 1 { print $3 }')" 1
check "the JSON counts the hits of a rule" same \
	"$(json "rules[2]['hits'], rules[2]['to'], rules[2]['verdict'],
	rules[2]['idle_ms'] < 60000, 'idle_ms' in rules[3]" \
	altconn rule -j)" "1 port:4001 deny EACCES True False"
altconn rule zero 1
check "rule zero ID sets the hits of one rule to 0" \
	same "$(altconn rule -H --color=never | awk '{ print $1, $3 }')" "3 0
1 0
2 1"
altconn rule zero
check "rule zero sets the hits of all rules to 0" same \
	"$(altconn rule -H --color=never | awk '{ print $3 }' | sort -u)" 0
check "rule del removes the rules with the ids" eval \
	"altconn rule del 1 3 && [ \$(altconn rule -H | wc -l) = 1 ]"
check "a new rule never has the id of a removed rule" \
	same "$(altconn rule add deny uid 77)" 4

for text in "allow" "to port:* drop" "to port:7/80-90 refuse" \
	"to port:*/5 deny" "to name:7/a*[b-c]\\x2a\\x20 unreachable net" \
	"to name:7\\x2fdb deny EACCES" "to inet:*:* unreachable host" \
	"to inet:10.0.0.0/8:80 drop" "to inet:[fe80::]/10:1-2 drop" \
	"to inet:[::1]:* drop" \
	"type seqpacket to path:/run/?/\\x5c* delay 1500ms jitter 20ms" \
	"to name:[\\x21a\\x2dz]# deny" \
	"uid 12 gid 4294967294 deny every 3 probability 0.0001% times 9"; do
	check "rule save prints the words of rule add: $text" round_trip "$text"
done

altconn rule flush
{
	echo "# rules"
	echo
	echo "  to port:1 refuse # a remark"
	echo "to path:/run/a#b deny"
	echo "id 77 uid root deny"
} >"$dir/rules"
check "rule restore reads a file" altconn rule restore "$dir/rules"
check "a restored rule has the id in the file" same \
	"$(altconn rule -H | awk '{ print $1 }' | grep -c '^77$')" 1
altconn rule save >"$dir/saved"
check "rule restore - reads the standard input" \
	eval "altconn rule restore - <'$dir/saved'"
check "the restored rules are the saved rules" \
	same "$(altconn rule save)" "$(cat "$dir/saved")"
printf 'deny\nto port:5\n' >"$dir/bad"
check "an error in a file has the number of its line" \
	keeps ":2: " altconn rule restore "$dir/bad"
printf 'deny\nto port:7-5 deny\n' >"$dir/bad"
check "an error in a file has the wrong word" \
	keeps ":2: 'port:7-5'" altconn rule restore "$dir/bad"
printf 'id 5 deny\nid 5 deny\n' >"$dir/bad"
check "two rules with one id are an error" \
	keeps ":2: 'id 5': line 1 has it" altconn rule restore "$dir/bad"
printf '# a remark\nto port:5 deny\n\nto name:[ab deny\nto port:6 deny\n' \
	>"$dir/bad"
check "an error from the module has the number of its line" \
	keeps ":4: the module refuses this rule" altconn rule restore "$dir/bad"
check "a failed rule restore changes no rule" \
	same "$(altconn rule save)" "$(cat "$dir/saved")"
check "a pattern with an unclosed set is an error" \
	keeps "'pattern'" altconn rule add to 'name:[ab' deny
check "a pattern that ends with a backslash is an error" \
	keeps "'pattern'" altconn rule add to "name:ab\\" deny
check "a missing file is an error" \
	keeps "No such file" altconn rule restore "$dir/none"
check "a namespace takes 4096 rules" eval \
	"seq 4096 | sed 's/.*/to port:& deny/' | altconn rule restore &&
	[ \$(altconn rule -H | wc -l) = 4096 ]"
check "a namespace refuses one rule more" keeps "too many" altconn rule add deny
altconn rule flush

check "a rule without a verdict is an error" \
	keeps "what to do" altconn rule add to port:5
check "a rule with two verdicts is an error" \
	keeps "one verdict" altconn rule add deny refuse
check "an unknown word is an error" keeps "'dney'" altconn rule add dney
check "an id that is no number is an error" keeps "no id" altconn rule del x
check "an unknown id is an error" keeps "no rule has" altconn rule del 99
check "an unknown action is an error" \
	keeps "unknown action" altconn rule ad deny
check "a user without CAP_NET_ADMIN may not add a rule" keeps CAP_NET_ADMIN \
	setpriv --reuid 65534 --clear-groups altconn rule add deny
finish
