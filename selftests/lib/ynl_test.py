# SPDX-License-Identifier: GPL-2.0
"""Generic netlink from the spec: what is told, what is refused, messages at random.

ynl_test.py SPEC
"""

import contextlib
import ctypes
import io
import os
import random
import resource
import socket
import struct
import sys
import traceback

from lib import NlError, YnlFamily
from lib.ynl import NlMsg

# Random messages: most where KASAN sees what they do.
FUZZ = 30000 if os.environ.get("ALTCONN_KERNEL", "debug") == "debug" else 10000
NESTED = 0x8000
REQUEST, ACK, DUMP = 1, 4, 0x300
GENERIC = 16
CLONE_NEWNET = 0x40000000
# Linux 6.1 loses what a module says of a dump that it refuses to begin.
KEEPS_DUMP_EXTACK = not os.uname().release.startswith("6.1.")

spec = sys.argv[1]
fam = YnlFamily(spec, schema="")
rule_attrs = {name: attr.value for name, attr
              in fam.attr_sets["rule"].items()}
node_attrs = {name: attr.value for name, attr
              in fam.attr_sets["node"].items()}
E = {name: attr.value for name, attr in fam.attr_sets["event"].items()}
K = {name: attr.value for name, attr in fam.attr_sets["kill"].items()}
A, S, END, ADDR = ({name: attr.value for name, attr in fam.attr_sets[of].items()}
                   for of in ("assoc", "socket", "end", "addr"))
tests = []


def test(function):
    tests.append(function)
    return function


def same(seen, wanted):
    assert seen == wanted, f"{seen!r}, not {wanted!r}"


def number():
    with open("/sys/module/altconn/parameters/family") as f:
        return int(f.read())


def rules():
    return [reply["rule"][0] for reply in fam.dump("rule-get", {})]


def flush():
    fam.do("rule-restore", {})
    fam.do("node-self", {})


def add(**rule):
    rule = {key.replace("_", "-"): value for key, value in rule.items()}
    return fam.do("rule-add", {"rule": [rule]})["id"]


# ---- messages by hand, for what the library does not let one say ----

def attr(kind, payload):
    data = struct.pack("HH", 4 + len(payload), kind) + payload
    return data + b"\0" * (-len(data) % 4)


def u32(kind, value):
    return attr(kind, struct.pack("I", value))


def message(op, payload, flags=REQUEST | ACK, seq=1):
    payload = struct.pack("BBH", fam.ops[op].req_value, 1, 0) + payload
    return struct.pack("IHHII", 16 + len(payload), fam.nlproto.family_id,
                       flags, seq, 0) + payload


def talk(data):
    """The errno of the answer to a message by hand, and its explanation."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, GENERIC) as sock:
        sock.setsockopt(270, 11, 1)     # SOL_NETLINK, NETLINK_EXT_ACK
        sock.setsockopt(270, 10, 1)     # NETLINK_CAP_ACK
        sock.send(data)
        msg = NlMsg(sock.recv(65536), 0)
        return -(msg.error or 0), msg.extack or {}


def u64(kind, value):
    return attr(kind, struct.pack("Q", value))


def refused(op, payload, errno, text, flags=REQUEST | ACK):
    before = rules()
    error, extack = talk(message(op, payload, flags))
    said = extack.get("msg", "")
    if flags & DUMP and not KEEPS_DUMP_EXTACK and not said:
        same(error, errno)
        return
    assert error == errno and text in said, f"{error}: {said!r}"
    # The core's own words name no attribute, but say where it is.
    assert text or said and ("bad-attr-offs" in extack or "leftover" in said), extack
    same([r["id"] for r in rules()], [r["id"] for r in before])


def rule(*attrs):
    return attr(1 | NESTED, b"".join(attrs))


# ---- what is told ----

@test
def the_family_tells_its_number():
    same(fam.do("family-get", {})["number"], number())


@test
def associations_are_listed():
    a, b = socket.socketpair(number(), socket.SOCK_STREAM)
    with a, b:
        a.send(b"12345")
        assoc, = fam.dump("assoc-get", {})
        same(assoc["state"], "established")
        same(assoc["type"], "stream")
        same(assoc["listener"], 0)
        same(assoc["client"]["pid"], os.getpid())
        same(assoc["client"]["addr"]["kind"], "none")
        same({assoc["client"]["recv-queue"], assoc["server"]["recv-queue"]},
             {0, 5})
    same(fam.dump("assoc-get", {}), [])


@test
def sockets_are_listed():
    with socket.socket(number(), socket.SOCK_STREAM) as sock:
        libc = sock.fileno()
        sock.listen(3)
        told, = fam.dump("socket-get", {})
        assert libc >= 0
        same(told["backlog"], 3)
        same(told["owner"]["addr"]["kind"], "port")
        same([told[c] for c in ("queued", "waiting", "waited")], [0] * 3)
        same("outcome" in told, False)


libc = ctypes.CDLL(None, use_errno=True)


class Scene:
    """Sockets in the sockaddr_un format, with abstract names.

    A listener "a" whose backlog one client fills while another one waits; a pair of
    sequenced packets, accepted at "b"; a socketpair; datagram sockets "d" and "e", of
    which "d" is connected to "e".
    """

    def socket(self, kind):
        self.sockets.append(socket.socket(number(), kind, 1))
        return self.sockets[-1]

    @staticmethod
    def call(function, sock, name, wanted=0):
        addr = struct.pack("H", socket.AF_UNIX) + b"\0" + name
        if function(sock.fileno(), addr, len(addr)):
            same(ctypes.get_errno(), wanted)

    def __enter__(self):
        self.sockets = []
        stream, packets = self.socket(socket.SOCK_STREAM), self.socket(socket.SOCK_SEQPACKET)
        for sock, name in (stream, b"a"), (packets, b"b"):
            self.call(libc.bind, sock, name)
            sock.listen(0)
        for wanted in 0, 115:           # EINPROGRESS
            sock = self.socket(socket.SOCK_STREAM)
            sock.setblocking(False)
            self.call(libc.connect, sock, b"a", wanted)
        self.client = self.socket(socket.SOCK_SEQPACKET)
        self.call(libc.connect, self.client, b"b")
        fd = libc.accept(packets.fileno(), None, None)
        assert fd >= 0
        self.sockets.append(socket.socket(fileno=fd))
        self.sockets += socket.socketpair(number(), socket.SOCK_STREAM, 1)
        for name in b"d", b"e":
            self.dgram = self.socket(socket.SOCK_DGRAM)
            self.call(libc.bind, self.dgram, name)
        self.call(libc.connect, self.sockets[-2], b"e")
        return self

    def __exit__(self, *args):
        for sock in self.sockets:
            sock.close()


def without_age(entry):
    return {key: value for key, value in entry.items()
            if key not in ("age-ms", "waited-ms")}


@test
def objects_are_found_by_id():
    with Scene():
        for op, count in ("assoc-get", 4), ("socket-get", 4):
            entries = fam.dump(op, {})
            same(len({entry["id"] for entry in entries}), count)
            for entry in entries:
                same(without_age(fam.do(op, {"id": entry["id"]})),
                     without_age(entry))
    for op in "assoc-get", "socket-get":
        same(fam.dump(op, {}), [])


def same_counts(op, choices):
    same([(wanted, len(fam.dump(op, wanted))) for wanted, _ in choices],
         [(wanted, count) for wanted, count in choices])


@test
def associations_are_chosen():
    def named(name):
        return {"addr": {"name": name}}

    with Scene() as scene:
        listener = next(entry["id"] for entry in fam.dump("socket-get", {})
                        if entry["owner"]["addr"].get("name") == b"a")
        pair = next(entry["id"] for entry in fam.dump("assoc-get", {})
                    if not entry["listener"] and entry["state"] == "established")
        same_counts("assoc-get", (
            ({"type": "stream"}, 3), ({"type": "seqpacket"}, 1), ({"type": "dgram"}, 0),
            ({"state": "pending"}, 1), ({"state": "queued"}, 1),
            ({"state": "established"}, 2), ({"state": "closing"}, 0),
            ({"server": named(b"a")}, 2), ({"client": named(b"a")}, 0),
            ({"end": named(b"b")}, 1), ({"end": named(b"bb")}, 0),
            ({"server": {"addr": {"kind": "name"}}}, 3),
            ({"server": {"addr": {"kind": "none"}}}, 1),
            ({"server": {"addr": {"node": 0}}}, 3),
            ({"server": {"addr": {"node": 1}}}, 0),
            ({"server": {"addr": {"port": 0}}}, 0),
            ({"server": {"addr": {"path": b"a"}}}, 0),
            ({"server": {"addr": {"ip": bytes(16)}}}, 0),
            ({"server": {"addr": {"scope": 0}}}, 0),
            ({"end": {}}, 4), ({"end": {"format": 1}}, 4), ({"end": {"format": 0}}, 0),
            ({"end": {"uid": os.getuid()}}, 4), ({"end": {"uid": 77}}, 0),
            ({"end": {"pid": os.getpid()}}, 4), ({"end": {"pid": 1}}, 0),
            ({"client": {"inode": os.fstat(scene.client.fileno()).st_ino}}, 1),
            ({"server": {"inode": os.fstat(scene.client.fileno()).st_ino}}, 0),
            # The attempt that waits and the one that is not accepted have no socket.
            ({"server": {"inode": 0}}, 0),
            ({"id": pair}, 1), ({"id": pair, "type": "seqpacket"}, 0),
            ({"listener": listener, "state": "queued"}, 1), ({"listener": pair}, 0),
            ({"server": named(b"a"), "state": "established"}, 0),
            ({"type": "stream", "state": "pending", "end": named(b"a")}, 1)))
        try:
            fam.do("assoc-get", {"id": pair, "type": "seqpacket"})
            raise AssertionError("it was found")
        except NlError as e:
            same(e.error, 2)


@test
def sockets_are_chosen():
    with Scene() as scene:
        ident = fam.dump("socket-get", {"owner": {"addr": {"name": b"e"}}})[0]["id"]
        same_counts("socket-get", (
            ({"type": "stream"}, 1), ({"type": "dgram"}, 2), ({"listening": True}, 2),
            ({"listening": True, "type": "dgram"}, 0),
            ({"owner": {"addr": {"kind": "name"}}}, 4),
            ({"peer": {"name": b"e"}}, 1), ({"peer": {"name": b"d"}}, 0),
            ({"peer": {}}, 1), ({"owner": {"uid": os.getuid()}}, 4),
            ({"owner": {"pid": os.getpid()}, "type": "dgram"}, 2),
            ({"owner": {"pid": 1}}, 0), ({"owner": {"format": 2}}, 0),
            ({"owner": {"inode": os.fstat(scene.dgram.fileno()).st_ino}}, 1),
            ({"id": ident}, 1), ({"id": ident, "listening": True}, 0)))


@test
def a_filter_passes_over_many():
    """A part of a dump without objects prints nothing and adds none."""
    pairs = [socket.socketpair(number(), socket.SOCK_STREAM) for _ in range(400)]
    try:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            same_counts("assoc-get", (({"id": 1 << 60}, 0), ({"type": "stream"}, 400)))
        same(said.getvalue(), "")
    finally:
        for pair in pairs:
            for sock in pair:
                sock.close()


@test
def a_filter_reveals_no_pid():
    with Scene():
        root, pid = os.getpid(), os.fork()
        if not pid:
            try:
                os.setgroups([])
                os.setresuid(65534, 65534, 65534)
                mine = YnlFamily(spec, schema="")
                os._exit(len(mine.dump("assoc-get", {"end": {"uid": 0}})) != 4 or
                         mine.dump("assoc-get", {"end": {"pid": root}}) != [] or
                         mine.dump("socket-get", {"owner": {"pid": root}}) != [])
            finally:
                os._exit(9)
        same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)


@test
def rules_are_told_as_they_were_given():
    given = dict(priority=5, type="stream", kind="inet", port_min=80,
                 port_max=90, ip=bytes(10) + b"\xff\xff\x0a\0\0\0",
                 prefix_len=104, uid=1, gid=2, verdict="delay", delay_ms=20,
                 jitter_ms=30, times=4, every=5, probability=600000)
    ident = add(**given)
    told, = rules()
    same(told["id"], ident)
    same(told["hits"], 0)
    same(told["left"], 4)
    assert "idle-ms" not in told, told
    for key, value in given.items():
        same(told[key.replace("_", "-")], value)
    fam.do("rule-del", {"id": ident})
    same(rules(), [])


@test
def several_are_added_or_none():
    fam.do("rule-add", {"rule": [{"verdict": "deny"}, {"verdict": "drop"}]})
    same([r["verdict"] for r in rules()], ["deny", "drop"])
    try:
        fam.do("rule-add", {"rule": [{"verdict": "deny"}, {"priority": 3}]})
        raise AssertionError("it was taken")
    except NlError as e:
        same(e.error, 22)
    same(len(rules()), 2)
    fam.do("rule-restore", {"rule": [{"id": 9, "verdict": "allow"}]})
    same([r["id"] for r in rules()], [9])


# ---- what is refused ----

R = rule_attrs
N = node_attrs
DENY = u32(R["verdict"], 1)
BAD = (
    ("no rule", "rule-add", b"", 22, "no 'rule'"),
    ("an empty rule", "rule-add", rule(), 22, "'verdict'"),
    ("a rule without a verdict", "rule-add", rule(u32(R["uid"], 1)), 22,
     "'verdict'"),
    ("a verdict out of range", "rule-add", rule(u32(R["verdict"], 8)), 34, ""),
    ("a short verdict", "rule-add", rule(attr(R["verdict"], b"\1")), 22, "length"),
    ("a long verdict", "rule-add", rule(attr(R["verdict"], bytes(8))), 22, "length"),
    ("a verdict twice", "rule-add", rule(DENY, DENY), 22,
     "'verdict' occurs twice"),
    ("an attribute that nobody knows", "rule-add", rule(DENY, u32(60, 1)), 22,
     "Unknown attribute"),
    ("one beside the rule", "rule-add", rule(DENY) + u32(9, 1), 22,
     "Unknown attribute"),
    ("a rule that is not nested", "rule-add", attr(1, DENY), 22, "NLA_F_NESTED"),
    ("a truncated attribute", "rule-add",
     rule(DENY, struct.pack("HH", 90, R["uid"])), 22, ""),
    ("an id that is given", "rule-add", rule(DENY, u32(R["id"], 5)), 22, "'id'"),
    ("a type that is none", "rule-add", rule(DENY, u32(R["type"], 4)), 34,
     ""),
    ("no kind of destination", "rule-add", rule(DENY, u32(R["kind"], 0)), 22,
     "'kind'"),
    ("a kind out of range", "rule-add", rule(DENY, u32(R["kind"], 5)), 34, ""),
    ("a node of nothing", "rule-add", rule(DENY, u32(R["node"], 5)), 22,
     "'node'"),
    ("a node of a path", "rule-add",
     rule(DENY, u32(R["kind"], 4), u32(R["node"], 5)), 22, "'node'"),
    ("half of a range", "rule-add",
     rule(DENY, u32(R["kind"], 1), u32(R["port-min"], 5)), 22, "'port-min'"),
    ("the other half", "rule-add",
     rule(DENY, u32(R["kind"], 1), u32(R["port-max"], 5)), 22, "'port-max'"),
    ("an empty range", "rule-add",
     rule(DENY, u32(R["kind"], 1), u32(R["port-min"], 5),
          u32(R["port-max"], 4)), 22, "'port-max'"),
    ("a port that IP has not", "rule-add",
     rule(DENY, u32(R["kind"], 3), u32(R["port-min"], 5),
          u32(R["port-max"], 65536)), 22, "'port-max'"),
    ("a range of names", "rule-add",
     rule(DENY, u32(R["kind"], 2), u32(R["port-min"], 5),
          u32(R["port-max"], 6)), 22, "'port-min'"),
    ("an IP address of a port", "rule-add",
     rule(DENY, u32(R["kind"], 1), attr(R["ip"], bytes(16))), 22, "'ip'"),
    ("a short IP address", "rule-add",
     rule(DENY, u32(R["kind"], 3), attr(R["ip"], bytes(4))), 34, ""),
    ("a prefix of nothing", "rule-add",
     rule(DENY, u32(R["kind"], 3), u32(R["prefix-len"], 8)), 22,
     "'prefix-len'"),
    ("a long prefix", "rule-add",
     rule(DENY, u32(R["kind"], 3), attr(R["ip"], bytes(16)),
          u32(R["prefix-len"], 129)), 34, ""),
    ("a pattern of ports", "rule-add",
     rule(DENY, u32(R["kind"], 1), attr(R["pattern"], b"a")), 22, "'pattern'"),
    ("an empty pattern", "rule-add",
     rule(DENY, u32(R["kind"], 2), attr(R["pattern"], b"")), 22, "'pattern'"),
    ("a long pattern", "rule-add",
     rule(DENY, u32(R["kind"], 2), attr(R["pattern"], b"a" * 256)), 22,
     "'pattern'"),
    ("a delay without a time", "rule-add", rule(u32(R["verdict"], 7)), 22,
     "'delay-ms'"),
    ("a time without a delay", "rule-add", rule(DENY, u32(R["delay-ms"], 7)),
     22, "'delay-ms'"),
    ("a delay of days", "rule-add",
     rule(u32(R["verdict"], 7), u32(R["delay-ms"], 86400001)), 22,
     "'delay-ms'"),
    ("jitter alone", "rule-add", rule(DENY, u32(R["jitter-ms"], 7)), 22,
     "'jitter-ms'"),
    ("never", "rule-add", rule(DENY, u32(R["times"], 0)), 34, ""),
    ("every none", "rule-add", rule(DENY, u32(R["every"], 0)), 34, ""),
    ("too probable", "rule-add", rule(DENY, u32(R["probability"], 1000001)),
     22, "'probability'"),
    ("hits", "rule-add", rule(DENY, attr(R["hits"], bytes(8))), 22, "'hits'"),
    ("a user that is none", "rule-add", rule(DENY, u32(R["uid"], 0xffffffff)),
     22, "'uid'"),
    ("a group that is none", "rule-add",
     rule(DENY, u32(R["gid"], 0xffffffff)), 22, "'gid'"),
    ("one of many that is wrong", "rule-restore",
     rule(DENY) + rule(DENY) + rule(u32(R["uid"], 1)), 22, "'verdict'"),
    ("two of one id", "rule-restore",
     rule(DENY, u32(R["id"], 5)) + rule(DENY, u32(R["id"], 5)), 17, "same id"),
    ("no id to delete", "rule-del", b"", 22, "'id'"),
    ("an id 0", "rule-del", u32(2, 0), 34, ""),
    ("an id twice", "rule-del", u32(2, 1) + u32(2, 1), 22,
     "'id' occurs twice"),
    ("an id that no rule has", "rule-del", u32(2, 4000000), 2, "'id'"),
    ("to zero, likewise", "rule-zero", u32(2, 4000000), 2, "'id'"),
    ("a short id that is to be killed", "kill", u32(K["id"], 1), 22, ""),
    ("nothing to kill", "kill", b"", 22, "id"),
    ("an association without an id", "assoc-get", b"", 22, "'id' is missing"),
    ("one of a type, without an id", "assoc-get", u32(A["type"], 1), 22,
     "'id' is missing"),
    ("an association that is none", "assoc-get", u64(A["id"], 1 << 62), 2,
     "no such association"),
    ("a short id of an association", "assoc-get", u32(A["id"], 1), 22, ""),
    ("a place that is asked for", "assoc-get",
     u64(A["id"], 1) + u32(A["place"], 1), 22, ""),
    ("a socket without an id", "socket-get", b"", 22, "'id' is missing"),
    ("a socket that is none", "socket-get", u64(S["id"], 1 << 62), 2,
     "no such socket"),
    ("a backlog that is asked for", "socket-get",
     u64(S["id"], 1) + u32(S["backlog"], 1), 22, ""),
    *((f"{name}, dumped", op, payload, errno, text, REQUEST | DUMP)
      for name, op, payload, errno, text in (
        ("an id of an association twice", "assoc-get", 2 * u64(A["id"], 1), 22,
         "twice"),
        ("a type out of range", "assoc-get", u32(A["type"], 4), 34, ""),
        ("a state out of range", "assoc-get", u32(A["state"], 5), 34, ""),
        ("an end that is not nested", "assoc-get",
         attr(A["end"], u32(END["uid"], 0)), 22, "NLA_F_NESTED"),
        ("a user of an end twice", "assoc-get",
         attr(A["end"] | NESTED, 2 * u32(END["uid"], 0)), 22, "twice"),
        ("a queue of an end", "assoc-get",
         attr(A["client"] | NESTED, u32(END["recv-queue"], 0)), 22, "not chosen"),
        ("a command of an end", "assoc-get",
         attr(A["server"] | NESTED, attr(END["comm"], b"sh\0")), 22, "not chosen"),
        ("a kind out of range", "assoc-get",
         attr(A["end"] | NESTED, attr(END["addr"] | NESTED, u32(ADDR["kind"], 5))),
         34, ""),
        ("a port twice", "assoc-get",
         attr(A["end"] | NESTED, attr(END["addr"] | NESTED,
                                      2 * u32(ADDR["port"], 5))), 22, "twice"),
        ("an id of a socket twice", "socket-get", 2 * u64(S["id"], 1), 22, "twice"),
        ("a queue of an owner", "socket-get",
         attr(S["owner"] | NESTED, u32(END["recv-queue"], 0)), 22, "not chosen"),
        ("a name of a peer twice", "socket-get",
         attr(S["peer"] | NESTED, 2 * attr(ADDR["name"], b"a")), 22, "twice"),
        ("a short address of a peer", "socket-get",
         attr(S["peer"] | NESTED, attr(ADDR["ip"], bytes(4))), 34, ""),
      )),
    ("an attribute of monitor", "monitor", attr(E["seq"], bytes(8)), 22,
     "Unknown attribute"),
    ("an attribute of stat-get", "stat-get", u32(60, 1), 22,
     "Unknown attribute"),
    ("an attribute of family-get", "family-get", u32(60, 1), 22,
     "Unknown attribute"),
    ("a node without an id", "node-add", u32(N["netns-fd"], 0), 22, "'id'"),
    ("a node of no namespace", "node-add", u32(N["id"], 5), 22, "'netns-fd'"),
    ("this node as another", "node-add",
     u32(N["id"], 0) + u32(N["netns-fd"], 0), 22, "'id'"),
    ("all as another", "node-add",
     u32(N["id"], 0xffffffff) + u32(N["netns-fd"], 0), 22, "'id'"),
    ("a short address of a node", "node-add",
     u32(N["id"], 5) + u32(N["netns-fd"], 0) + attr(N["ip"], bytes(4)), 34, ""),
    ("an address of no host", "node-add",
     u32(N["id"], 5) + u32(N["netns-fd"], 0) + attr(N["ip"], bytes(16)), 22,
     "'ip'"),
    ("no descriptor", "node-add",
     u32(N["id"], 5) + u32(N["netns-fd"], 0xffffffff), 9, "'netns-fd'"),
    ("a descriptor of something else", "node-add",
     u32(N["id"], 5) + u32(N["netns-fd"], 0), 22, "'netns-fd'"),
    ("an id of a node twice", "node-add",
     u32(N["id"], 5) + u32(N["id"], 5) + u32(N["netns-fd"], 0), 22,
     "'id' occurs twice"),
    ("two addresses of a version", "node-add",
     u32(N["id"], 5) + u32(N["netns-fd"], 0) +
     2 * attr(N["ip"], bytes(10) + b"\xff\xff\x0a\0\0\5"), 22, "once for IPv4"),
    ("a state that one adds", "node-add", u32(N["state"], 1), 22, ""),
    ("a node that is none", "node-del", u32(N["id"], 5), 2, "no node"),
    ("a node without a state", "node-set", u32(N["id"], 5), 22, "'state'"),
    ("a state out of range", "node-set",
     u32(N["id"], 5) + u32(N["state"], 3), 34, ""),
    ("a node that is made gone", "node-set",
     u32(N["id"], 5) + u32(N["state"], 2), 22, "'state'"),
    ("to set, a node that is none", "node-set",
     u32(N["id"], 5) + u32(N["state"], 0), 2, "no node"),
    ("an own id of all", "node-self", u32(N["id"], 0xffffffff), 22, "'id'"),
    ("an attribute of a node that nobody knows", "node-self", u32(60, 1), 22,
     ""),
)


def bad_input(name, *args):
    def function():
        refused(*args)
    function.__name__ = f"refused: {name}"
    test(function)


for case in BAD:
    bad_input(*case)


@test
def nodes_are_told_as_they_were_given():
    with open("/proc/self/ns/net") as here:
        ctypes.CDLL(None).unshare(CLONE_NEWNET)
        there = open("/proc/self/ns/net")
        ctypes.CDLL(None).setns(here.fileno(), CLONE_NEWNET)
    with there:
        # The socket of the library stays where it was made.
        fam.do("node-add", {"id": 5, "netns-fd": there.fileno(),
                            "ip": [bytes(10) + b"\xff\xff\x0a\0\0\5"]})
        node, = fam.dump("node-get", {})
        same((node["id"], node["state"], node["netns"], node["ip"][0][12:]),
             (5, "up", os.fstat(there.fileno()).st_ino, b"\x0a\0\0\5"))
        fam.do("node-set", {"id": 5, "state": "down"})
        same(fam.dump("node-get", {})[0]["state"], "down")
    fam.do("node-self", {"id": 9})
    same(fam.do("family-get", {})["node"], 9)
    fam.do("node-self", {})
    same("node" in fam.do("family-get", {}), False)
    fam.do("node-del", {"id": 5})
    same(fam.dump("node-get", {}), [])


@test
def attempts_are_counted():
    def outcomes():
        return {o["reason"]: o["count"] for o in
                fam.do("stat-get", {}).get("outcome", [])}

    before = outcomes().get("not-bound", 0)
    with socket.socket(number(), socket.SOCK_STREAM, 0) as sock:
        # Port 9 of the native format; Python knows no such addresses.
        addr = struct.pack("HBBIHHI104x", number(), 1, 0, 0, 0, 0, 9)
        same(ctypes.CDLL(None).connect(sock.fileno(), addr, len(addr)), -1)
    same(outcomes()["not-bound"], before + 1)


def monitors(*sockets):
    """The answer to each socket that asks for events: its error, and a number."""
    for sock in sockets:
        sock.send(message("monitor", b"", REQUEST | ACK))
        first = NlMsg(sock.recv(65536), 0)
        if first.nl_type == 2:      # NLMSG_ERROR
            yield -first.error, None
            continue
        seq, = struct.unpack_from("Q", first.raw, 4 + 4)
        yield -(NlMsg(sock.recv(65536), 0).error or 0), seq


def generic():
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, GENERIC)


def numbers(sock, count):
    """Numbers of the next events."""
    seen = []
    while len(seen) < count:
        msg = sock.recv(65536)
        assert struct.unpack_from("B", msg, 16)[0] != fam.ops[
            "monitor"].req_value
        at = 20
        while at < len(msg):
            size, kind = struct.unpack_from("HH", msg, at)
            if kind == E["seq"]:
                seen += struct.unpack_from("Q", msg, at + 4)
            at += (size + 3) & ~3
    return seen


@test
def one_socket_is_told_once():
    with generic() as sock, generic() as late:
        sock.settimeout(60)
        same(list(monitors(sock, sock, sock)), [(0, 0)] * 3)
        for _ in range(3):
            fam.do("rule-restore", {})
        same(numbers(sock, 3), [1, 2, 3])
        # It goes on as before; another one has numbers of its own.
        same(list(monitors(sock, late)), [(0, 3), (0, 0)])
        fam.do("rule-restore", {})
        same(numbers(sock, 1), [4])
        late.settimeout(60)
        same(numbers(late, 1), [1])


@test
def so_many_watch():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    socks = [generic() for _ in range(257)]
    same(set(monitors(*socks[:256])), {(0, 0)})
    # ENOSPC; and those that have a place keep it.
    same(list(monitors(socks[256], socks[0])), [(28, None), (0, 0)])
    socks.pop(0).close()
    same(list(monitors(socks[255])), [(0, 0)])
    for sock in socks:
        sock.close()


@test
def too_many_rules():
    many = rule(DENY) * 4097
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, GENERIC) as sock:
        # SO_SNDBUFFORCE
        sock.setsockopt(socket.SOL_SOCKET, 32, 1 << 20)
        sock.setsockopt(270, 10, 1)
        sock.send(message("rule-restore", many))
        same(NlMsg(sock.recv(65536), 0).error, -28)


@test
def nobody_may():
    flush()
    pid = os.fork()
    if not pid:
        try:
            os.setgroups([])
            os.setresuid(65534, 65534, 65534)
            answers = [talk(message(op, data)) for op, data in (
                ("rule-add", rule(DENY)), ("rule-restore", b""),
                ("rule-zero", b""), ("rule-del", u32(2, 1)),
                ("node-add", u32(N["id"], 5)), ("node-del", b""),
                ("node-set", u32(N["id"], 5)), ("node-self", b""),
                ("kill", attr(K["id"], bytes(8))))]
            os._exit(any(error != 1 or
                         "CAP_NET_ADMIN" not in extack.get("msg", "")
                         for error, extack in answers))
        finally:
            os._exit(9)
    same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    same(rules(), [])


# ---- at random ----

def any_attr(depth=0):
    kind = random.choice((1, 2, random.randrange(1, 24), random.randrange(65536)))
    what = random.randrange(8)
    if what < 3 and depth < 2:
        inside = b"".join(any_attr(depth + 1)
                          for _ in range(random.randrange(6)))
        data = attr(kind | NESTED, inside)
    elif what < 6:
        data = u32(kind, random.choice((0, 1, 2, 3, 7, 0xffffffff,
                                        random.getrandbits(32))))
    else:
        data = attr(kind, random.randbytes(random.randrange(40)))
    if not random.randrange(20):
        # A length that is not true.
        data = struct.pack("H", random.randrange(64)) + data[2:]
    return data


def any_choice(*attrs):
    """What assoc-get or socket-get may ask for, and @attrs somewhere in it."""
    addr = attr(END["addr"] | NESTED, u32(ADDR["kind"], random.randrange(6)) +
                (b"".join(attrs) if random.randrange(2) else b""))
    return attr(random.choice((A["end"], A["client"], S["owner"])) | NESTED,
                addr + u32(END["uid"], 0) + b"".join(attrs[:1]))


@test
def messages_at_random():
    seed = random.getrandbits(32)
    print(f"# seed {seed}")
    random.seed(seed)
    ops = list(fam.ops)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, GENERIC) as sock:
        for _ in range(FUZZ // 50):
            data = b""
            for _ in range(50):
                one = b"".join(any_attr() for _ in range(random.randrange(4)))
                if random.randrange(3):
                    # Most of a rule is in order, or of a choice.
                    some = [any_attr(1) for _ in range(random.randrange(3))]
                    one = random.choice((rule(DENY, *some), any_choice(*some)))
                flags = REQUEST | random.choice((0, 0, ACK, DUMP))
                data += message(random.choice(ops), one, flags)
            sock.send(data)
            try:
                while True:
                    sock.recv(1 << 16, socket.MSG_DONTWAIT)
            except OSError:
                pass
    flush()
    same(rules(), [])
    same(fam.do("family-get", {})["number"], number())


if not os.environ.get("KSFT_TAP_LEVEL"):
    print("TAP version 13")
print(f"1..{len(tests)}")
failed = 0
for i, function in enumerate(tests, 1):
    name = function.__name__.replace("_", " ")
    try:
        function()
        print(f"ok {i} {name}", flush=True)
    except Exception:
        failed += 1
        for line in traceback.format_exc().splitlines():
            print(f"# {line}")
        print(f"not ok {i} {name}", flush=True)
print(f"# Totals: pass:{len(tests) - failed} fail:{failed} xfail:0 xpass:0 "
      "skip:0 error:0")
sys.exit(failed != 0)
