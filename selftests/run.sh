#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# altconn run turns the AF_UNIX sockets of unmodified programs into sockets of
# this family. It falls back to AF_UNIX when the peer uses AF_UNIX.
# shellcheck source=selftests/lib/tap.sh
. "$(dirname "$0")/lib/tap.sh"

need altconn python3
make_dir

end_servers() {
	local pid
	while read -r pid; do
		kill "$pid" 2>/dev/null
	done <"$dir/pids"
}
: >"$dir/pids"
at_exit end_servers

cat >"$dir/server.py" <<'PY'
import os, socket, sys
path, ready = sys.argv[1:3]
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind(path)
s.listen(4)
# socketpair() stays with AF_UNIX, and can pass descriptors.
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

# serve NAME [PREFIX...]: starts a server at $dir/NAME, and returns when the
# server listens.
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

# A server that ends at once and leaves its socket file behind.
bind_once() {
	"$@" python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$dir/stale" 2>&1
}

plan 16
check "a server listens over altconn" serve ours altconn run --
# Some programs read the family of a socket back, so it has to be the family
# that the program asked for.
check "getsockopt() of the server reports AF_UNIX" \
	same "$(cat "$dir/ours.ready")" 1
check "a client connects to the server over altconn" \
	exchange ours altconn run --
check "/proc/net/unix does not have the path" not_in_proc_net_unix
check "altconn show has the path" shown
check "a client without altconn run cannot connect" bash -c \
	"! python3 '$dir/client.py' '$dir/ours' x 2>/dev/null"

check "a server listens over AF_UNIX" serve theirs
check "/proc/net/unix has the path" in_proc_net_unix
check "a client under altconn run connects over AF_UNIX" \
	exchange theirs altconn run --
check "altconn run -v prints a message about AF_UNIX" bash -c \
	"altconn run -v -- python3 '$dir/client.py' '$dir/theirs' x 2>&1 >/dev/null |
	grep -q AF_UNIX"
check "altconn run without -v prints no message" bash -c \
	"[ -z \"\$(altconn run -- python3 '$dir/client.py' '$dir/theirs' x \
	2>&1 >/dev/null)\" ]"

check "a missing program is an error of one line" \
	fails_with 2 altconn run --
exits() {
	altconn run -- sh -c 'exit 7'
	same $? 7
}
check "altconn run has the exit status of the program" exits

check "a server leaves its socket file behind" bind_once altconn run --
check "the file makes bind() of the next server fail" eval \
	"bind_once altconn run -- | grep -q 'Address already in use'"
check "altconn run --replace replaces the file" \
	bind_once altconn run --replace --
finish
