#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The family does in every address format what connect(2) says. The matrix in
# the documentation agrees with the results of the program in one of two runs.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

program=$(helper connect-conformance) ||
	skip_all "connect-conformance is not built"

make_dir
families=(port name path native-inet unix unix-abstract inet inet6)
# The debug kernel takes minutes under emulation, so it tries one address
# format of each kind.
[ -z "${ALTCONN_DEBUG_KERNEL:-}" ] ||
	families=(port unix inet6 unix-abstract)

# The matrix in the documentation names the kernel that produced it, and the
# test compares the matrix only on that kernel. The matrix also has the results
# of the other families. Only the guest sets ALTCONN_TOP.
matrix=${ALTCONN_TOP:-}/Documentation/design/conformance.md
made_on() {
	grep -q "on Linux $1," "$matrix"
}
series=$(uname -r | cut -d. -f1,2)
compared=0
if [ -n "${ALTCONN_TOP:-}" ] && [ -z "${ALTCONN_DEBUG_KERNEL:-}" ] &&
	{ made_on "${series/./\\.}" || ! made_on '[1-9][0-9]*\.[0-9]*'; }; then
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
	same "$(grep -cE '^(not )?ok [0-9]+ ' "$dir/tap")" \
		"$(sed -n 's/^1\.\.//p' "$dir/tap")"
}

# No case of the family deviates, no socket type is missing, and the program
# tried at least one case.
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

# A busy machine sometimes changes a result of another family, so the results of
# the second run count too. The checks above compare the first results of this
# family.
one_run_agrees() {
	same_matrix >/dev/null && return
	run_cases
	same_matrix || {
		echo "the matrix is out of date: run make conformance"
		return 1
	}
}

plan $((2 + ${#families[@]}))
check "the program prints a result for each case of its plan" ran
for name in "${families[@]}"; do
	check "no case of altconn-$name deviates" \
		nothing_deviates "altconn-$name"
done
agrees="the matrix of the documentation agrees with one of two runs"
if [ $compared = 1 ]; then
	check "$agrees" one_run_agrees
else
	skip "$agrees" "another kernel made it, or there is no documentation"
fi
finish
