#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Generic netlink by the kernel's own library for Python, pyynl, from the spec alone:
# what is told, what is refused, and messages at random, 30,000 of
# them on the debug kernel.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

top=${ALTCONN_TOP:-$here/..}
spec=$top/Documentation/netlink/specs/altconn.yaml
ynl=${ALTCONN_YNL:-$here/../../../..}/tools/net/ynl
[ -f "$spec" ] || skip_all "the spec is not here"
[ -d "$ynl/lib" ] || skip_all "no pyynl; ALTCONN_YNL names a kernel tree that has it"
python3 -c 'import yaml' 2>/dev/null || skip_all "no yaml module for python3"

exec unshare --net env PYTHONPATH="$ynl" PYTHONDONTWRITEBYTECODE=1 \
	python3 "$here/lib/ynl_test.py" "$spec"
