#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn graph: the picture has what is there, and is one that dot understands.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
[ "${1:-}" = --inside ] || exec unshare --net "$0" --inside
scene_open || skip_all "helper_scene is not built"

has() {
	altconn graph | tee /dev/stderr | grep -qF -- "$1"
}

plan 14
check "an empty picture" same "$(altconn graph | wc -l)" 4
scene name 'a"\b'
scene listen native stream port:4000 0
scene connect native stream port:4000
scene start native stream port:4000
scene bind native dgram name:db
scene connect native dgram name:db
check "a listener" has '"port:4000" [shape=ellipse, label="port:4000\n'
check "who talks to it, and what waits" has '-> "port:4000" [label="stream x'
check "in orange" has 'color=orange'
check "a datagram socket" has '"name:db" [shape=ellipse'
check "and who is connected to it" has '-> "name:db" [label="dgram"'
check "a name that is none of DOT" eval "altconn graph | grep -qF '\\\"'"
check "as JSON" eval "altconn graph -j | python3 -c '
import json, sys
g = json.load(sys.stdin)
nodes = {n[\"name\"]: n for n in g[\"nodes\"]}
assert nodes[\"port:4000\"][\"waiting\"] is True, g
assert nodes[\"port:4000\"][\"type\"] == \"stream\", g
assert nodes[\"name:db\"][\"waiting\"] is False, g
edge, = [e for e in g[\"edges\"] if e[\"to\"] == \"port:4000\"]
assert edge[\"from\"] == nodes[\"port:4000\"][\"process\"], g
assert (edge[\"type\"], edge[\"count\"] - edge[\"waiting\"]) == (\"stream\", 1), g
'"
check "JSON of nothing" same "$(altconn graph -j port:1 | tr -d ' \n')" '{"nodes":[],"edges":[]}'
check "not both" wrong 2 "do not go together" altconn graph -j --svg
check "a choice" eval "! altconn graph -t dgram | grep -q port:4000"
if command -v dot >/dev/null; then
	check "dot understands it" eval "altconn graph | dot -Tsvg | grep -q '</svg>'"
	check "SVG" eval "altconn graph --svg | grep -q '</svg>'"
else
	skip "dot understands it" "no graphviz"
	skip "SVG" "no graphviz"
fi
mkdir -p "/tmp/none-$$"
check "no graphviz: it says so" eval \
	"tool=\$(command -v altconn); PATH=/tmp/none-$$ \$tool graph --svg 2>&1 | grep -q graphviz"
rmdir "/tmp/none-$$"
finish
