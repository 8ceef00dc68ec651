#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Unmodified programs: altconn run turns their AF_UNIX sockets into this
# family's, and falls back where the other side stayed on AF_UNIX.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

command -v altconn >/dev/null || skip_all "no altconn tool on the PATH"
command -v python3 >/dev/null || skip_all "no python3"

dir=$(mktemp -d)
quit() {
	local pid
	while read -r pid; do
		kill "$pid" 2>/dev/null
	done <"$dir/pids"
	rm -rf "$dir"
}
: >"$dir/pids"
trap quit EXIT

cat >"$dir/server.py" <<'PY'
import os, socket, sys
path, ready = sys.argv[1:3]
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind(path)
s.listen(4)
# socketpair() stays AF_UNIX: it passes descriptors.
a, b = socket.socketpair()
socket.send_fds(a, [b"x"], [0])
assert len(socket.recv_fds(b, 1, 1)[1]) == 1
open(ready + ".new", "w").write(str(s.getsockopt(socket.SOL_SOCKET,
                                                 socket.SO_DOMAIN)))
os.rename(ready + ".new", ready)
while True:
    c, _ = s.accept()
    while data := c.recv(65536):
        c.sendall(data.upper())
    c.close()
PY
cat >"$dir/client.py" <<'PY'
import socket, sys
path, data = sys.argv[1], sys.argv[2].encode()
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.settimeout(60)
s.connect(path)
s.sendall(data)
s.shutdown(socket.SHUT_WR)
got = b""
while more := s.recv(65536):
    got += more
print(got.decode())
PY

# serve NAME [PREFIX...]: a server on $dir/NAME, ready when this returns.
serve() {
	local name=$1
	shift
	"$@" python3 "$dir/server.py" "$dir/$name" "$dir/$name.ready" \
		</dev/null >"$dir/$name.log" 2>&1 &
	echo $! >>"$dir/pids"
	wait_until test -f "$dir/$name.ready"
}

exchange() {
	local name=$1 output
	shift
	output=$("$@" python3 "$dir/client.py" "$dir/$name" hello 2>"$dir/err") ||
		{
			cat "$dir/err"
			return 1
		}
	same "$output" HELLO
}

not_in_proc_net_unix() {
	grep -q "$dir/ours" /proc/net/unix || return 0
	grep "$dir/ours" /proc/net/unix
	return 1
}

in_proc_net_unix() {
	grep -q "$dir/theirs" /proc/net/unix
}

shown() {
	altconn show | grep -F "path:$dir/ours"
}


fails_with() {
	local code=$1 output ret
	shift
	output=$("$@" 2>&1 >/dev/null)
	ret=$?
	same "$ret" "$code" && same "$(wc -l <<<"$output")" 1 && [ -n "$output" ]
}

# A server that ends at once and leaves its file.
bind_once() {
	"$@" python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$dir/stale" 2>&1
}

plan 16
check "a server runs over the family" serve ours altconn run --
# Programs look at it, so it has to be what they asked for.
check "which is told that its socket is AF_UNIX" \
	same "$(cat "$dir/ours.ready")" 1
check "a client meets it" exchange ours altconn run --
check "AF_UNIX does not know the path" not_in_proc_net_unix
check "altconn show does" shown
check "a plain client is refused" bash -c \
	"! python3 '$dir/client.py' '$dir/ours' x 2>/dev/null"

check "a server on real AF_UNIX" serve theirs
check "which AF_UNIX knows" in_proc_net_unix
check "a client under run falls back" exchange theirs altconn run --
check "and says so when asked" bash -c \
	"altconn run -v -- python3 '$dir/client.py' '$dir/theirs' x 2>&1 >/dev/null | grep -q AF_UNIX"
check "and is silent otherwise" bash -c \
	"[ -z \"\$(altconn run -- python3 '$dir/client.py' '$dir/theirs' x 2>&1 >/dev/null)\" ]"

check "no program: one line, exit 2" fails_with 2 altconn run --
exits() {
	altconn run -- sh -c 'exit 7'
	same $? 7
}
check "the program's exit code is run's" exits

check "a server leaves its file" bind_once altconn run --
check "which is in the way" eval \
	"bind_once altconn run -- | grep -q 'Address already in use'"
check "and is replaced when asked" bind_once altconn run --replace --
finish
