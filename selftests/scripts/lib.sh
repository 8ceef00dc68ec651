# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# The scripts of this folder, selftests/vm/check, selftests/vm/run and .ci/run
# source this file. Nothing runs it.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
scripts=$top/selftests/scripts
vm=$top/selftests/vm
cache=${ALTCONN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/altconn}
build=$top/build
# The scripts remove and remake folders below the cache, some of them as root.
case $cache in
/?*) ;;
*)
	echo "altconn: ALTCONN_CACHE must be an absolute path, not $cache" >&2
	exit 1
	;;
esac

# say WORD...: prints a message on the standard error.
say() {
	printf 'altconn: %s\n' "$*" >&2
}

die() {
	say "$@"
	exit 1
}

# step MESSAGE COMMAND...: prints the message and runs a command that may take
# long. A terminal shows the elapsed time. When the command fails, the end of
# its output appears.
step() {
	local message=$1 begin=$SECONDS status=0 log pid
	shift

	log=$(mktemp)
	say "$message"
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	if [ -t 2 ]; then
		while kill -0 "$pid" 2>/dev/null; do
			((SECONDS - begin < 2)) ||
				printf '\r  %ds ' $((SECONDS - begin)) >&2
			sleep 0.5
		done
		printf '\r\033[K' >&2
	fi
	wait "$pid" || status=$?
	if [ $status -ne 0 ]; then
		tail -n 40 "$log" >&2
		say "failed: $message"
	elif ((SECONDS - begin > 5)); then
		say "  done in $((SECONDS - begin)) s"
	fi
	rm -f "$log"
	return $status
}

# as_root COMMAND...: runs the command as root, by sudo where that is necessary.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo -- "$@"
	else
		die "the command needs root, and there is no sudo: $*"
	fi
}

# with_lock NAME COMMAND...: runs the command under a lock, because several
# checkouts may share the cache.
with_lock() {
	local name=$1
	shift
	mkdir -p "$cache"
	{
		if ! flock -n 9; then
			say "waiting for another run to finish with the $name cache"
			flock 9
		fi
		# A || here would turn errexit off in the command.
		"$@" 9>&-
	} 9>"$cache/.lock-$name"
}
