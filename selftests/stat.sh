#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn stat: what is counted is what happened, in each of its forms.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
command -v python3 >/dev/null || skip_all "no python3"
[ "${1:-}" = --inside ] || exec unshare --net "$0" --inside
scene_open || skip_all "helper_scene is not built"

# stat EXPRESSION: of the JSON, with outcomes by reason.
stat() {
	altconn stat -j | python3 -c "import json, sys
s = json.load(sys.stdin)
out = {o['reason']: o['count'] for o in s['outcomes']}
print($1)"
}

plan 27

check "nothing at first" same "$(stat "out, s['associations'], s['have_waited'], s['accepted'], s['latency']")" \
	"{} 0 0 0 []"
scene connect native stream port:4000
check "an attempt that nobody is there for" same "$(stat "out")" "{'not-bound': 1}"
scene listen native stream port:4000 0
listener=$answer_slot
scene connect native stream port:4000
scene start native stream port:4000
waits=${answer%% *}
check "one is established, one waits" same \
	"$(stat "out['established'], s['have_waited'], s['queued'], s['waiting'], s['associations']")" \
	"1 1 1 1 2"
check "at once: no time at all" same "$(stat "s['latency']")" \
	"[{'below_ns': 0, 'count': 1}]"
scene accept "$listener"
check "accepted, and the other one established" same \
	"$(stat "out['established'], s['accepted'], s['queued'], s['waiting']")" "2 1 1 0"
check "which took a time" same \
	"$(stat "len(s['latency']), sum(b['count'] for b in s['latency']), s['latency'][1]['below_ns'] > 1000")" \
	"2 2 True"
check "as did accept()" same \
	"$(stat "sum(b['count'] for b in s['accept_queue']), s['accept_queue'][0]['below_ns'] > 1000")" \
	"1 True"
scene start native stream port:4000
gives_up=${answer%% *}
scene close "$gives_up"
check "one that gives up" same "$(stat "out['cancelled-close'], s['waiting']")" "1 0"
altconn rule add deny >/dev/null
scene connect native stream port:4000
altconn rule flush
check "one that a rule denies" same "$(stat "out['rule']")" 1
scene connect native dgram port:4000
check "connect() of a datagram socket too" same "$(stat "out['established'], sum(b['count'] for b in s['latency'])")" "3 2"
scene close "$waits"
check "another namespace counts for itself" same \
	"$(unshare --net altconn stat -j | tr -d ' \n' | grep -c '"outcomes":\[\]')" 1

check "as text" same "$(altconn stat -H --color=never |
	awk '$2 == "established" { print $NF } $1 == "accepted" { print $2 }' | xargs)" "1 3"
check "a header" same "$(altconn stat | head -n1 | xargs)" "WHAT COUNT"
check "colour" eval "altconn stat --color=always | grep -q $'\033'"
check "histograms" eval "altconn stat -g | grep -q '^established in = 0ns  *1  *#'"

# Every line has its form, buckets only rise, and the last is the count.
check "OpenMetrics" eval "altconn stat -m | python3 -c '
import re, sys
text = sys.stdin.read()
lines = text.splitlines()
assert text.endswith(\"# EOF\n\") and lines.count(\"# EOF\") == 1
seen = {}
for line in lines[:-1]:
    m = re.fullmatch(r\"# (TYPE|HELP|UNIT) altconn_[a-z_]+ .+|(altconn_[a-z_]+)(\\{[a-z]+=\\\"[^\\\"]+\\\"(?:,[a-z]+=\\\"[^\\\"]+\\\")*\\})? ([0-9.e+-]+)\", line)
    assert m, line
    if m[2]:
        seen.setdefault(m[2], []).append(float(m[4]))
for name in \"connect_latency\", \"accept_queue\":
    buckets = seen[f\"altconn_{name}_seconds_bucket\"]
    assert buckets == sorted(buckets), buckets
    assert buckets[-1] == seen[f\"altconn_{name}_seconds_count\"][0]
assert seen[\"altconn_connect_latency_seconds_sum\"][0] > 0
assert seen[\"altconn_listener_established_total\"][0] > 0, seen
assert sum(seen[\"altconn_connects_total\"]) == 6, seen
made = dict(re.findall(r\"(?m)^altconn_listener_established_total\\{id=.(\d+).*\} (\d+)$\", text))
by_reason = dict(re.findall(r\"(?m)^altconn_listener_connects_total\\{id=.(\d+).*,reason=.established.\} (\d+)$\", text))
assert by_reason and by_reason == {i: n for i, n in made.items() if n != \"0\"}, text
assert re.search(r\"(?m)^altconn_listener_connects_total\\{.*,reason=.cancelled-close.\} 1$\", text), text
'"
check "rates, a line each" same "$(altconn stat -H 0.01 3 | wc -l)" 3
check "with a header" same "$(altconn stat 0.01 1 | head -n1 | awk '{ print $1, NF }')" \
	"ATTEMPTS/s 10"
check "rates as JSON" eval "altconn stat -j 0.01 2 | python3 -c '
import json, sys
lines = [json.loads(line) for line in sys.stdin]
assert len(lines) == 2 and lines[0][\"attempts_per_s\"] == 0, lines
assert lines[0][\"associations\"] == 3, lines
'"
# Something happens meanwhile.
check "a rate is not zero when something happens" eval \
	"{ altconn stat -j 0.5 8 & for i in \$(seq 200); do
		scene connect native stream port:9; done; wait \$!; } |
	python3 -c 'import json, sys
sys.exit(not any(json.loads(l)[\"failed_per_s\"] > 0 for l in sys.stdin))'"

# What a listener says of those that failed there.
echo 1 >/proc/sys/net/altconn/max_waiting
scene start native stream port:4000
waits=${answer%% *}
scene start native stream port:4000
check "a waiting room that is full" same "${answer#* }" ECONNREFUSED
scene close "$waits"
altconn connect --timeout=0.05 port:4000 </dev/null 2>/dev/null
check "by reason, at the listener" same "$(altconn show -lj port:4000 | python3 -c '
import json, sys
s, = json.load(sys.stdin)["sockets"]
print(s["refused"], s["overflow"], s["timed_out"], *sorted(s["outcomes"].items()))')" \
	"1 1 1 ('cancelled-close', 2) ('deadline', 1) ('established', 2) ('waiting-room-full', 1)"
check "as text" eval "altconn show -leH port:4000 |
	grep -q ',established:2,.*,refused:1,overflow:1,timed-out:1 (waiting-room-full:1 cancelled-close:2)'"

check "an interval that is none" wrong 2 "'x'" altconn stat x
check "a count that is none" wrong 2 "'-1'" altconn stat -- 1 -1
check "too many words" wrong 2 "'3'" altconn stat 1 2 3
check "what has no interval" wrong 2 "takes no interval" altconn stat -m 1
finish
