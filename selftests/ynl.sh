#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Generic netlink from Python, through pyynl, the kernel's own library, and the
# spec: valid requests, refused requests, and random messages, 30,000 of them on
# the debug kernel.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

top=${ALTCONN_TOP:-$here/..}
spec=$top/Documentation/netlink/specs/altconn.yaml
ynl=${ALTCONN_YNL:-$here/../../../..}/tools/net/ynl
[ -f "$spec" ] || skip_all "there is no netlink spec"
[ -d "$ynl/lib" ] ||
	skip_all "there is no pyynl; ALTCONN_YNL names a kernel tree that has it"
python3 -c 'import yaml' 2>/dev/null ||
	skip_all "there is no yaml module for python3"

exec unshare --net env PYTHONPATH="$ynl" PYTHONDONTWRITEBYTECODE=1 \
	python3 "$here/lib/ynl_test.py" "$spec"
