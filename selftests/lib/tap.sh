# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# TAP for the shell tests, and the helper that holds their sockets.
#
#	plan N
#	check "what" COMMAND...		ok when the command succeeds
#	skip "what" "why"
#	finish				prints the totals, exits

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tap_count=0
tap_failed=0
tap_skipped=0
tap_plan=0

plan() {
	tap_plan=$1
	[ -n "${KSFT_TAP_LEVEL:-}" ] || echo "TAP version 13"
	echo "1..$1"
}

# The command's output is shown as a diagnosis when it fails.
check() {
	local what=$1 output
	shift
	tap_count=$((tap_count + 1))
	if output=$("$@" 2>&1); then
		echo "ok $tap_count $what"
		return 0
	fi
	tap_failed=$((tap_failed + 1))
	[ -z "$output" ] || sed 's/^/# /' <<<"$output"
	echo "not ok $tap_count $what"
}

skip() {
	tap_count=$((tap_count + 1))
	tap_skipped=$((tap_skipped + 1))
	echo "ok $tap_count # SKIP $1: $2"
}

# ALTCONN_REQUIRE says that nothing may be missing: then it is a failure.
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

# Wait until a command succeeds; the deadline is far beyond what it takes.
wait_until() {
	local deadline=$((SECONDS + 60))
	until "$@"; do
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

# A program built beside the tests, or in OUTPUT.
helper() {
	local dir
	for dir in "${OUTPUT:-}" "$here" "${ALTCONN_TESTS:-}" \
		"$here/../build/selftests"; do
		if [ -n "$dir" ] && [ -x "$dir/$1" ]; then
			echo "$dir/$1"
			return
		fi
	done
	return 1
}

# The scene: one helper process, commands in, answers out (helper_scene.c).
scene_open() {
	local program
	program=$(helper helper_scene) || return 1
	coproc SCENE { exec "$program"; }
	scene_pid=$SCENE_PID
	# Bash hides these from subshells; copies it does not.
	exec {scene_in}>&"${SCENE[1]}" {scene_out}<&"${SCENE[0]}"
}

# scene COMMAND...: the answer is in $answer.
scene() {
	echo "$*" >&"$scene_in"
	read -r -t "${scene_patience:-60}" answer <&"$scene_out" || answer="no answer"
	answer_slot=${answer#ok }
	[[ $answer == ok\ * ]]
}

scene_close() {
	exec {scene_in}>&- {scene_out}<&-
	eval "exec ${SCENE[1]:-9}>&-" 2>/dev/null
	wait "$scene_pid" 2>/dev/null
	return 0
}

# Failure that names what was expected.
same() {
	[ "$1" = "$2" ] || {
		echo "expected '$2', got '$1'"
		return 1
	}
}

# wrong STATUS TEXT COMMAND...: it ends with the status and complains of the text.
wrong() {
	local status=$1 text=$2 output got=0
	shift 2
	output=$("$@" 2>&1 >/dev/null </dev/null) || got=$?
	echo "$output"
	same "$got" "$status" && [[ $output == *"$text"* ]]
}
