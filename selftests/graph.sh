#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn graph: the picture shows the sockets and their connections, and dot
# reads the picture.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn
own_namespaces --net
need_scene
make_dir
json_open "nodes = {n['name']: n for n in doc['nodes']}
edges = [e for e in doc['edges'] if e['to'] == 'port:4000']"

has() {
	altconn graph | tee /dev/stderr | grep -qF -- "$1"
}

plan 14
check "a namespace without sockets has an empty picture" \
	same "$(altconn graph | wc -l)" 4
scene name 'a"\b'
scene listen native stream port:4000 0
scene connect native stream port:4000
scene start native stream port:4000
scene bind native dgram name:db
scene connect native dgram name:db
check "a listener is an ellipse" \
	has '"port:4000" [shape=ellipse, label="port:4000\n'
check "an arrow to the listener counts the associations" \
	has '-> "port:4000" [label="stream x2'
check "an arrow with a waiting attempt is orange and dashed" \
	has ', color=orange, style=dashed'
check "a bound datagram socket is an ellipse" has '"name:db" [shape=ellipse'
check "a connected datagram socket is an arrow to it" \
	has '-> "name:db" [label="dgram"'
check "a quotation mark in a name is escaped" \
	eval "altconn graph | grep -qF '\\\"'"
check "the JSON has the listener, the datagram socket and one edge" holds \
	"nodes['port:4000']['waiting'] is True and
	nodes['port:4000']['type'] == 'stream' and
	nodes['name:db']['waiting'] is False and len(edges) == 1 and
	edges[0]['from'] == nodes['port:4000']['process'] and
	edges[0]['type'] == 'stream' and
	edges[0]['count'] - edges[0]['waiting'] == 1" altconn graph -j
check "the JSON of an address without sockets is empty" \
	same "$(json "doc" altconn graph -j port:1)" "{'nodes': [], 'edges': []}"
check "--json and --svg exclude each other" \
	wrong 2 "do not go together" altconn graph -j --svg
check "--type leaves out sockets of other types" \
	eval "! altconn graph -t dgram | grep -q port:4000"
if command -v dot >/dev/null; then
	check "dot reads the picture" \
		eval "altconn graph | dot -Tsvg | grep -q '</svg>'"
	check "--svg prints an SVG picture" \
		eval "altconn graph --svg | grep -q '</svg>'"
else
	skip "dot reads the picture" "there is no graphviz"
	skip "--svg prints an SVG picture" "there is no graphviz"
fi
no_graphviz() {
	local tool
	tool=$(command -v altconn)
	mkdir "$dir/none"
	PATH=$dir/none "$tool" graph --svg 2>&1 | tee "$dir/error"
	grep -q graphviz "$dir/error"
}
check "the error message of --svg without graphviz names it" no_graphviz
finish
