#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn stat: its counters agree with the calls of the test, as text, as JSON,
# as OpenMetrics and as rates.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn
own_namespaces --net
need_scene
make_dir
json_open "s = doc
out = {o['reason']: o['count'] for o in doc.get('outcomes', [])}
rows = doc.get('sockets')
row = rows[0] if isinstance(rows, list) and rows else None"

# stat EXPRESSION: about the JSON, s, and its counters of outcomes, out.
stat() {
	json "$1" altconn stat -j
}

plan 27

check "all counters are 0 at first" same \
	"$(stat "out, s['associations'], s['have_waited'], s['accepted'], s['latency']")" \
	"{} 0 0 0 []"
scene connect native stream port:4000
check "stat counts an attempt at an address without a socket" \
	same "$(stat "out")" "{'not-bound': 1}"
scene listen native stream port:4000 0
listener=$answer_slot
scene connect native stream port:4000
scene start native stream port:4000
waits=${answer%% *}
check "stat counts an established attempt and a waiting attempt" same \
	"$(stat "out['established'], s['have_waited'], s['queued'], s['waiting'], s['associations']")" \
	"1 1 1 1 2"
check "an attempt that succeeds at once has a latency of 0" \
	same "$(stat "s['latency']")" "[{'below_ns': 0, 'count': 1}]"
scene accept "$listener"
check "accept() establishes the waiting attempt" same \
	"$(stat "out['established'], s['accepted'], s['queued'], s['waiting']")" \
	"2 1 1 0"
check "the attempt that waited has a latency" same \
	"$(stat "len(s['latency']), sum(b['count'] for b in s['latency']), s['latency'][1]['below_ns'] > 1000")" \
	"2 2 True"
check "the accepted connection has a time in the accept queue" same \
	"$(stat "sum(b['count'] for b in s['accept_queue']), s['accept_queue'][0]['below_ns'] > 1000")" \
	"1 True"
scene start native stream port:4000
gives_up=${answer%% *}
scene close "$gives_up"
check "stat counts an attempt that close() cancels" \
	same "$(stat "out['cancelled-close'], s['waiting']")" "1 0"
altconn rule add deny >/dev/null
scene connect native stream port:4000
altconn rule flush
check "stat counts an attempt that a rule denies" same "$(stat "out['rule']")" 1
scene connect native dgram port:4000
check "stat counts connect() of a datagram socket" same \
	"$(stat "out['established'], sum(b['count'] for b in s['latency'])")" "3 2"
scene close "$waits"
check "another namespace has counters of its own" \
	same "$(json "doc['outcomes']" unshare --net altconn stat -j)" "[]"

check "the text has the counters" same "$(altconn stat -H --color=never |
	awk '$2 == "established" { print $NF } $1 == "accepted" { print $2 }' |
	xargs)" "1 3"
check "the text has a header" \
	same "$(altconn stat | head -n1 | xargs)" "WHAT COUNT"
check "--color=always prints colours" \
	eval "altconn stat --color=always | grep -q $'\033'"
check "-g prints histograms" \
	eval "altconn stat -g | grep -q '^established in = 0ns  *1  *#'"

# Each line of OpenMetrics has one of the forms of the format. The buckets of a
# histogram rise, and the last one is the count.
open_metrics() {
	altconn stat -m >"$dir/metrics" && python3 - "$dir/metrics" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
lines = text.splitlines()
assert text.endswith("# EOF\n") and lines.count("# EOF") == 1
comment = r"# (TYPE|HELP|UNIT) altconn_[a-z_]+ .+"
label = r'[a-z]+="[^"]+"'
sample = rf"(altconn_[a-z_]+)(\{{{label}(?:,{label})*\}})? ([0-9.e+-]+)"
seen = {}
for line in lines[:-1]:
    m = re.fullmatch(f"{comment}|{sample}", line)
    assert m, line
    if m[2]:
        seen.setdefault(m[2], []).append(float(m[4]))
for name in "connect_latency", "accept_queue":
    buckets = seen[f"altconn_{name}_seconds_bucket"]
    assert buckets == sorted(buckets), buckets
    assert buckets[-1] == seen[f"altconn_{name}_seconds_count"][0]
assert seen["altconn_connect_latency_seconds_sum"][0] > 0
assert seen["altconn_listener_established_total"][0] > 0, seen
assert sum(seen["altconn_connects_total"]) == 6, seen
made = dict(re.findall(r"(?m)^altconn_listener_established_total"
                       r"\{id=.(\d+).*\} (\d+)$", text))
by_reason = dict(re.findall(r"(?m)^altconn_listener_connects_total"
                            r"\{id=.(\d+).*,reason=.established.\} (\d+)$",
                            text))
assert by_reason, text
assert by_reason == {i: n for i, n in made.items() if n != "0"}, text
assert re.search(r"(?m)^altconn_listener_connects_total"
                 r"\{.*,reason=.cancelled-close.\} 1$", text), text
PY
}
check "-m prints valid OpenMetrics" open_metrics
check "an interval and a count print one line for each sample" \
	same "$(altconn stat -H 0.01 3 | wc -l)" 3
check "rates have a header" \
	same "$(altconn stat 0.01 1 | head -n1 | awk '{ print $1, NF }')" \
	"ATTEMPTS/s 10"
check "rates as JSON are 0 when there are no attempts" holds \
	"len(docs) == 2 and docs[0]['attempts_per_s'] == 0 and
	docs[0]['associations'] == 3" altconn stat -j 0.01 2
rates_of_failures() {
	altconn stat -j 0.5 8 &
	for _ in $(seq 200); do
		scene connect native stream port:9
	done
	wait $!
}
check "rates as JSON are not 0 when attempts fail" \
	holds "any(d['failed_per_s'] > 0 for d in docs)" rates_of_failures

# The counters of one listener for the attempts that failed at its address.
echo 1 >/proc/sys/net/altconn/max_waiting
scene start native stream port:4000
waits=${answer%% *}
scene start native stream port:4000
check "a full waiting room refuses an attempt" \
	same "${answer#* }" ECONNREFUSED
scene close "$waits"
altconn connect --timeout=0.05 port:4000 </dev/null 2>/dev/null
listener_outcomes() {
	json "len(doc['sockets']), row['refused'], row['overflow'],
		row['timed_out'], *sorted(row['outcomes'].items())" \
		altconn show -lj port:4000
}
check "the JSON of a listener counts attempts by reason" \
	same "$(listener_outcomes)" \
	"1 1 1 1 ('cancelled-close', 2) ('deadline', 1) ('established', 2) ('waiting-room-full', 1)"
check "the text of a listener counts attempts by reason" \
	eval "altconn show -leH port:4000 |
	grep -q ',established:2,.*,refused:1,overflow:1,timed-out:1 (waiting-room-full:1 cancelled-close:2)'"

check "an interval that is no number is an error" wrong 2 "'x'" altconn stat x
check "a negative count is an error" wrong 2 "'-1'" altconn stat -- 1 -1
check "a third number is an error" wrong 2 "'3'" altconn stat 1 2 3
check "-m with an interval is an error" \
	wrong 2 "takes no interval" altconn stat -m 1
finish
