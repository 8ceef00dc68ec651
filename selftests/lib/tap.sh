# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# TAP output for the shell tests, with the set-up that they share.
#
#	need TOOL...			skips the script without one of the tools
#	own_namespaces --net [--mount]	runs the script in new namespaces
#	make_dir			makes a temporary folder, $dir
#	need_scene			starts the process that holds the sockets
#	json_open [DEFINITIONS]		starts the process that reads JSON
#	plan N
#	check "name" COMMAND...		reports ok when the command succeeds
#	skip "name" "reason"
#	finish				prints the totals and exits

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tap_count=0
tap_failed=0
tap_skipped=0
tap_plan=0

# ---- cases ----

plan() {
	tap_plan=$1
	[ -n "${KSFT_TAP_LEVEL:-}" ] || echo "TAP version 13"
	echo "1..$1"
}

# Prints the output of the command as a diagnosis when the command fails.
check() {
	# The command may use a variable of the script with a common name.
	local tap_name=$1 tap_output
	shift
	tap_count=$((tap_count + 1))
	if tap_output=$("$@" 2>&1); then
		echo "ok $tap_count $tap_name"
		return 0
	fi
	tap_failed=$((tap_failed + 1))
	[ -z "$tap_output" ] || sed 's/^/# /' <<<"$tap_output"
	echo "not ok $tap_count $tap_name"
}

skip() {
	tap_count=$((tap_count + 1))
	tap_skipped=$((tap_skipped + 1))
	echo "ok $tap_count # SKIP $1: $2"
}

# ALTCONN_REQUIRE= turns a script that would be skipped into a failure.
skip_all() {
	if [ -n "${ALTCONN_REQUIRE:-}" ]; then
		echo "Bail out! $1"
		exit 1
	fi
	[ -n "${KSFT_TAP_LEVEL:-}" ] || echo "TAP version 13"
	echo "1..0 # SKIP $1"
	exit 4
}

finish() {
	local passed=$((tap_count - tap_failed - tap_skipped))
	echo "# Totals: pass:$passed fail:$tap_failed xfail:0 xpass:0" \
		"skip:$tap_skipped error:0"
	[ "$tap_failed" = 0 ] && [ "$tap_count" = "$tap_plan" ] || exit 1
	exit 0
}

# ---- set-up ----

# need TOOL...: skips the script when a tool is not on the PATH.
need() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null ||
			skip_all "there is no $tool on the PATH"
	done
}

# own_namespaces OPTION...: runs the script from its start in the new namespaces
# that options of unshare(1) name.
own_namespaces() {
	if [ -n "${ALTCONN_INSIDE:-}" ]; then
		unset ALTCONN_INSIDE
		return
	fi
	ALTCONN_INSIDE=1 exec unshare "$@" "$0"
}

exit_commands=()

run_exit_commands() {
	local i
	for ((i = ${#exit_commands[@]} - 1; i >= 0; i--)); do
		eval "${exit_commands[i]}"
	done
}

# at_exit COMMAND...: runs the command when the script exits. Of several such
# commands, the newest one runs first.
at_exit() {
	exit_commands+=("$(printf '%q ' "$@")")
	trap run_exit_commands EXIT
}

make_dir() {
	dir=$(mktemp -d)
	at_exit rm -rf "$dir"
}

# Finds a program that is built beside the tests, or in OUTPUT.
helper() {
	local place
	for place in "${OUTPUT:-}" "$here" "${ALTCONN_TESTS:-}" \
		"$here/../build/selftests"; do
		if [ -n "$place" ] && [ -x "$place/$1" ]; then
			echo "$place/$1"
			return
		fi
	done
	return 1
}

# ---- the process that holds the sockets ----

# helper_scene.c reads a command from each line and prints an answer.
scene_open() {
	local program
	program=$(helper helper_scene) || return 1
	coproc SCENE { exec "$program"; }
	scene_pid=$SCENE_PID
	# A subshell of Bash has no access to the descriptors of a coprocess,
	# but inherits copies of them.
	exec {scene_in}>&"${SCENE[1]}" {scene_out}<&"${SCENE[0]}"
}

need_scene() {
	scene_open || skip_all "helper_scene is not built"
}

# scene COMMAND...: leaves the answer in $answer, and the answer without its
# "ok " in $answer_slot. An answer that is not ok makes it fail.
scene() {
	echo "$*" >&"$scene_in"
	read -r -t "${scene_patience:-60}" answer <&"$scene_out" ||
		answer="no answer"
	answer_slot=${answer#ok }
	[[ $answer == ok\ * ]]
}

scene_close() {
	exec {scene_in}>&- {scene_out}<&-
	eval "exec ${SCENE[1]:-9}>&-" 2>/dev/null
	wait "$scene_pid" 2>/dev/null
	return 0
}

# ---- JSON ----

# json_open [DEFINITIONS]: starts one Python process for the whole script,
# because an emulated CPU takes seconds to start Python. lib/json_query.py
# describes DEFINITIONS. It needs make_dir. The Python process closes its copies
# of the descriptors of the scene, which would keep the scene from ending.
json_open() {
	need python3
	mkfifo "$dir/json.in" "$dir/json.out"
	(
		[ -z "${scene_in:-}" ] ||
			exec {scene_in}>&- {scene_out}<&-
		exec python3 -u "$here/lib/json_query.py" "$@"
	) <"$dir/json.in" >"$dir/json.out" &
	exec {json_in}>"$dir/json.in" {json_out}<"$dir/json.out"
}

# json EXPRESSION COMMAND...: prints the value of a Python expression about the
# JSON documents that the command prints. In it, doc is the last document, and
# docs is the list of all.
json() {
	local expression=${1//$'\n'/ } reply
	shift
	"$@" >"$dir/json" || return 1
	printf '%s\t%s\n' "$dir/json" "$expression" >&"$json_in"
	read -r -t 600 reply <&"$json_out" || reply="error no answer"
	if [[ $reply != ok\ * ]]; then
		echo "${reply#error }" >&2
		return 1
	fi
	printf '%s\n' "${reply#ok }"
}

# holds EXPRESSION COMMAND...: fails when the expression is not true, and prints
# the documents.
holds() {
	local value expression=$1
	shift
	value=$(json "bool($expression)" "$@") && [ "$value" = True ] || {
		echo "not true: $expression"
		cat "$dir/json"
		return 1
	}
}

# ---- what a case expects ----

# Waits until a command succeeds. The deadline is far beyond the expected time.
wait_until() {
	local deadline=$((SECONDS + 60))
	until "$@"; do
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

# same SEEN EXPECTED: fails with a message that has both.
same() {
	[ "$1" = "$2" ] || {
		echo "expected '$2', got '$1'"
		return 1
	}
}

# wrong STATUS TEXT COMMAND...: the command ends with the status, and its error
# message contains the text.
wrong() {
	local status=$1 text=$2 output got=0
	shift 2
	output=$("$@" 2>&1 >/dev/null </dev/null) || got=$?
	echo "$output"
	same "$got" "$status" && [[ $output == *"$text"* ]]
}

# fails_with STATUS COMMAND...: the command ends with the status, and prints one
# line as its error message.
fails_with() {
	local status=$1 output got=0
	shift
	output=$("$@" 2>&1 >/dev/null) || got=$?
	same "$got" "$status" && same "$(wc -l <<<"$output")" 1 &&
		[ -n "$output" ]
}
