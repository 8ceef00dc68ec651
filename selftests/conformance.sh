#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The family does what connect(2) says, in every way of writing addresses; and
# the matrix in the documentation is what the program sees today.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

program=$(helper connect-conformance) ||
	skip_all "connect-conformance is not built"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
families=(port name path native-inet unix unix-abstract inet inet6)
# Under emulation the debug kernel takes minutes: one of each kind.
[ "${ALTCONN_KERNEL:-}" != debug ] || families=(port unix inet6 unix-abstract)

# The matrix in the documentation names the kernel that it was made on, and is
# compared on that kernel alone. It has the peers in it.
matrix=${ALTCONN_TOP:-}/Documentation/design/conformance.md
made_on() {
	grep -q "on Linux $1," "$matrix"
}
series=$(uname -r | cut -d. -f1,2)
compared=0
if [ "${ALTCONN_KERNEL:-debug}" != debug ] && { made_on "${series/./\\.}" ||
	! made_on '[1-9][0-9]*\.[0-9]*'; }; then
	compared=1
fi

select=("--family=$(IFS=, && echo "${families[*]/#/altconn-}")")
if [ $compared = 1 ]; then
	select=()
	modprobe -a vsock_loopback tipc 2>/dev/null
fi
run_cases() {
	"$program" --tap --markdown="$dir/conformance.md" "${select[@]}" \
		>"$dir/tap" 2>"$dir/err"
}

run_cases
status=$?

ran() {
	[ "$status" -le 1 ] || {
		cat "$dir/err"
		return 1
	}
}

# None deviates, no socket type is missing, and cases were tried.
nothing_deviates() {
	grep -E "^not ok [0-9]+ $1 " "$dir/tap" && return 1
	grep -E "^ok [0-9]+ $1( [a-z]+)? +# SKIP" "$dir/tap" && return 1
	grep -qE "^ok [0-9]+ $1 [^#]*$" "$dir/tap" || {
		grep -E "^ok [0-9]+ $1 " "$dir/tap" | head -n 1
		return 1
	}
}

# Print the part of a matrix that can be compared. A blocking connect() of vsock
# leaves its error in SO_ERROR or not, depending on whether the answer comes
# before the wait; so that line is left out, and vsock's number of cases that
# hold.
compared_part() {
	awk -F '|' -v OFS='|' '
		/^\|.* vsock / { for (i = 1; i <= NF; i++) if ($i ~ / vsock /) col = i }
		/^\| cases that hold / && col { $col = "" }
		/^### / { vsock = /^### vsock/ }
		vsock && /^- S-RESUME, [a-z]* blocking/ { next }
		{ print }
	' "$1"
}

same_matrix() {
	diff -u <(compared_part "$matrix") <(compared_part "$dir/conformance.md")
}

# A busy machine changes a result of another family at times: a difference is seen twice.
not_stale() {
	same_matrix >/dev/null && return
	run_cases
	same_matrix || {
		echo "run make conformance"
		return 1
	}
}

plan $((1 + ${#families[@]} + compared))
check "every family was tried" ran
for name in "${families[@]}"; do
	check "nothing deviates: altconn-$name" \
		nothing_deviates "altconn-$name"
done
[ $compared = 0 ] ||
	check "Documentation/design/conformance.md is not stale" not_stale
finish
