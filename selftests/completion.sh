#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The completion of bash for altconn: it offers options, words, and the objects
# that exist at the moment.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn
top=${ALTCONN_TOP:-$here/..}
[ -f "$top/tools/completion/altconn" ] ||
	skip_all "there is no tools/completion/altconn"
own_namespaces --net --mount
need_scene
# shellcheck source=tools/completion/altconn
. "$top/tools/completion/altconn"
# Bash has the real compopt only while it completes a line.
compopt() { :; }

# offered LINE: prints the completions of the line, in one line. As in bash, a
# word ends at : and at =.
offered() {
	local line=$1 word i=0 state
	state=${line//:/ : }
	COMP_LINE=$line COMP_POINT=${#line}
	COMP_WORDS=()
	for word in ${state//=/ = }; do
		COMP_WORDS[i++]=$word
	done
	if [[ $line == *[\ :=] ]]; then
		[[ $line != *\  ]] || COMP_WORDS[i++]=
	fi
	COMP_CWORD=$((i - 1))
	COMPREPLY=()
	_altconn
	echo "${COMPREPLY[*]}"
}

# offers LINE WORD...: all of the words are among the completions of the line.
offers() {
	local line=$1 word all
	shift
	all=" $(offered "$line") "
	echo "offered: $all"
	for word in "$@"; do
		[[ $all == *" $word "* ]] || return 1
	done
}

# Prints the commands and options that no page of the manual describes.
undocumented() {
	local command word man=$top/Documentation/man
	local pages=("$man"/altconn*.8)
	for command in $(altconn help --commands); do
		grep -qE "^\.Ss altconn $command" \
			"$top/Documentation/man/altconn.8" || echo "$command"
		for word in $(altconn help --complete="$command"); do
			word=${word#--}
			cat "${pages[@]}" |
				grep -qE -- "Fl -${word%=}( |$)" ||
				echo "$command --${word%=}"
		done
	done
}

plan 27

scene listen native stream port:4000 5
scene listen native stream name:db 5
id=$(altconn show -leH port:4000 | sed 's/.*id:\([0-9]*\).*/\1/')
rule=$(altconn rule add deny to port:5 | grep -oE '[0-9]+' | head -n 1)
: >/run/altconn-ns-$$
unshare --net=/run/altconn-ns-$$ true
altconn node add 71 netns /run/altconn-ns-$$

# shellcheck disable=SC2046 # each command is a word
check "altconn completes with every command" \
	offers "altconn " $(altconn help --commands)
check "the beginning of a command completes with the command" \
	same "$(offered "altconn mon")" monitor
for command in $(altconn help --commands); do
	[ "$command" != run ] || continue
	offers "altconn $command -" --help >/dev/null || missing+="$command "
done
check "every command completes with its options" same "${missing:-}" ""
check "an option completes with its values" \
	offers "altconn show --type " stream seqpacket dgram
check "an option completes with its values behind =" \
	same "$(offered "altconn show --color=n")" never
check "monitor -e completes with events" \
	offers "altconn monitor -e " begin established failed
check "top --sort completes with orders" \
	offers "altconn top --sort " rate queue wait
check "show --sort completes with orders" \
	offers "altconn show --sort " id age
check "show completes with the addresses of sockets" \
	offers "altconn show " port:4000 name:db
check "show completes the beginning of an address" \
	same "$(COMP_WORDBREAKS=: offered "altconn show port:40")" 4000
check "connect completes with addresses" offers "altconn connect " port:4000
check "ping completes with addresses" offers "altconn ping " port:4000
check "graph completes with addresses" offers "altconn graph " port:4000
check "monitor completes with addresses" offers "altconn monitor " port:4000
check "kill completes with ids and addresses" \
	offers "altconn kill " "$id" port:4000
check "kill completes with no id behind a colon" \
	eval "! offers 'altconn kill port:' $id >/dev/null"
check "an option that takes a number completes with nothing" \
	same "$(offered "altconn show --pid ")" ""
check "rule del completes with the ids of rules" \
	offers "altconn rule del " "$rule"
check "rule add completes with the words of a rule" \
	offers "altconn rule add " deny drop to type
check "the destination of a rule completes with addresses" \
	offers "altconn rule add deny to " port:4000
check "node down completes with the ids of nodes" \
	offers "altconn node down " 71
check "node add completes with the words of a node" \
	offers "altconn node add 5 " netns inet
check "why completes with processes" offers "altconn why " "$scene_pid"
scene connect native stream port:9
check "why PID completes with the sockets of the process" \
	test -n "$(offered "altconn why $scene_pid ")"
check "run completes with programs" offers "altconn run ech" echo
check "help completes with commands" offers "altconn help sh" show
check "the manual pages describe every command and option" \
	same "$(undocumented | xargs)" ""
umount /run/altconn-ns-$$
rm -f /run/altconn-ns-$$
finish
