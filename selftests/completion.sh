#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What bash offers behind each beginning of a line: options, words, and what lives.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
top=${ALTCONN_TOP:-$here/..}
[ -f "$top/tools/completion/altconn" ] || skip_all "no tools/completion/altconn"
[ "${1:-}" = --inside ] || exec unshare --net --mount "$0" --inside
scene_open || skip_all "helper_scene is not built"
# shellcheck source=tools/completion/altconn
. "$top/tools/completion/altconn"
# Only a shell that completes has it.
compopt() { :; }

# offered LINE: what is offered behind it, in a row. As bash does, words end at : and =.
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

# offers LINE WORD...: these among others.
offers() {
	local line=$1 word all
	shift
	all=" $(offered "$line") "
	echo "offered: $all"
	for word in "$@"; do
		[[ $all == *" $word "* ]] || return 1
	done
}

# Options that no page of the manual tells of, and commands.
undocumented() {
	local command word man=$top/Documentation/man
	local pages=("$man"/altconn*.8)
	for command in $(altconn help --commands); do
		grep -qE "^\.Ss altconn $command" "$man/altconn.8" ||
			echo "$command"
		for word in $(altconn help --complete="$command"); do
			word=${word#--}
			cat "${pages[@]}" | grep -qE -- "Fl -${word%=}( |$)" ||
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

# shellcheck disable=SC2046 # words
check "every command" offers "altconn " $(altconn help --commands)
check "what begins so" same "$(offered "altconn mon")" monitor
for command in $(altconn help --commands); do
	[ "$command" != run ] || continue
	offers "altconn $command -" --help >/dev/null || missing+="$command "
done
check "options of every command" same "${missing:-}" ""
check "values of an option" offers "altconn show --type " stream seqpacket dgram
check "behind a =" same "$(offered "altconn show --color=n")" never
check "events" offers "altconn monitor -e " begin established failed
check "orders" offers "altconn top --sort " rate queue wait
check "and of show" offers "altconn show --sort " id age
check "live addresses" offers "altconn show " port:4000 name:db
check "whose beginning stands" same "$(COMP_WORDBREAKS=: offered "altconn show port:40")" 4000
check "of connect" offers "altconn connect " port:4000
check "of ping" offers "altconn ping " port:4000
check "of graph" offers "altconn graph " port:4000
check "of monitor" offers "altconn monitor " port:4000
check "live ids to be killed" offers "altconn kill " "$id" port:4000
check "behind a colon there are none" eval "! offers 'altconn kill port:' $id >/dev/null"
check "nor where an option wants something" same "$(offered "altconn show --pid ")" ""
check "ids of rules" offers "altconn rule del " "$rule"
check "words of a rule" offers "altconn rule add " deny drop to type
check "where a rule goes" offers "altconn rule add deny to " port:4000
check "ids of nodes" offers "altconn node down " 71
check "words of a node" offers "altconn node add 5 " netns inet
check "processes" offers "altconn why " "$scene_pid"
scene connect native stream port:9
check "and their sockets" test -n "$(offered "altconn why $scene_pid ")"
check "behind run, programs" offers "altconn run ech" echo
check "commands of help" offers "altconn help sh" show
check "the pages tell of all options" same "$(undocumented | xargs)" ""
umount /run/altconn-ns-$$
rm -f /run/altconn-ns-$$
finish
