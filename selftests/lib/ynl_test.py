# SPDX-License-Identifier: GPL-2.0
"""Tests generic netlink from the spec: requests, refusals and random messages.

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

# The debug kernel gets the most random messages, because KASAN checks them.
FUZZ = 30000 if os.environ.get("ALTCONN_KERNEL", "debug") == "debug" else 10000
NESTED = 0x8000
REQUEST, ACK, DUMP = 1, 4, 0x300
GENERIC = 16
CLONE_NEWNET = 0x40000000
# Linux 6.1 loses the message of a module that refuses to begin a dump.
KEEPS_DUMP_EXTACK = not os.uname().release.startswith("6.1.")

spec = sys.argv[1]
fam = YnlFamily(spec, schema="")
rule_attrs = {name: attr.value for name, attr
              in fam.attr_sets["rule"].items()}
node_attrs = {name: attr.value for name, attr
              in fam.attr_sets["node"].items()}
E = {name: attr.value for name, attr in fam.attr_sets["event"].items()}
K = {name: attr.value for name, attr in fam.attr_sets["kill"].items()}
A, S, END, ADDR = (
    {name: attr.value for name, attr in fam.attr_sets[of].items()}
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


# ---- messages that the library cannot make ----

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
    """Sends a message. Returns the errno of the answer and its attributes."""
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
    text_seen = extack.get("msg", "")
    if flags & DUMP and not KEEPS_DUMP_EXTACK and not text_seen:
        same(error, errno)
        return
    assert error == errno and text in text_seen, f"{error}: {text_seen!r}"
    # A message of the core names no attribute, but has the offset of it.
    assert text or text_seen and ("bad-attr-offs" in extack or
                                  "leftover" in text_seen), extack
    same([r["id"] for r in rules()], [r["id"] for r in before])


def rule(*attrs):
    return attr(1 | NESTED, b"".join(attrs))


# ---- valid requests ----

@test
def family_get_has_the_number_of_the_family():
    same(fam.do("family-get", {})["number"], number())


@test
def a_dump_lists_associations():
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
def a_dump_lists_sockets():
    with socket.socket(number(), socket.SOCK_STREAM) as sock:
        sock.listen(3)
        entry, = fam.dump("socket-get", {})
        same(entry["backlog"], 3)
        same(entry["owner"]["addr"]["kind"], "port")
        same([entry[c] for c in ("queued", "waiting", "waited")], [0] * 3)
        same("outcome" in entry, False)


libc = ctypes.CDLL(None, use_errno=True)


class Scene:
    """Sockets in the sockaddr_un format, with abstract names.

    One client fills the backlog of the listener "a", and another client waits.
    A pair of seqpacket sockets was accepted at "b". There is a socket pair. The
    datagram socket "d" is connected to the datagram socket "e".
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
        stream = self.socket(socket.SOCK_STREAM)
        packets = self.socket(socket.SOCK_SEQPACKET)
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
def an_id_finds_each_object():
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
    """Dumps each selection, and compares the numbers of objects."""
    same([(wanted, len(fam.dump(op, wanted))) for wanted, _ in choices],
         [(wanted, count) for wanted, count in choices])


@test
def a_dump_selects_associations():
    def named(name):
        return {"addr": {"name": name}}

    with Scene() as scene:
        listener = next(entry["id"] for entry in fam.dump("socket-get", {})
                        if entry["owner"]["addr"].get("name") == b"a")
        pair = next(entry["id"] for entry in fam.dump("assoc-get", {})
                    if not entry["listener"] and
                    entry["state"] == "established")
        same_counts("assoc-get", (
            ({"type": "stream"}, 3), ({"type": "seqpacket"}, 1),
            ({"type": "dgram"}, 0),
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
            ({"end": {}}, 4),
            ({"end": {"format": 1}}, 4), ({"end": {"format": 0}}, 0),
            ({"end": {"uid": os.getuid()}}, 4), ({"end": {"uid": 77}}, 0),
            ({"end": {"pid": os.getpid()}}, 4), ({"end": {"pid": 1}}, 0),
            ({"client": {"inode": os.fstat(scene.client.fileno()).st_ino}}, 1),
            ({"server": {"inode": os.fstat(scene.client.fileno()).st_ino}}, 0),
            # The waiting and the queued association have no socket at the
            # server.
            ({"server": {"inode": 0}}, 0),
            ({"id": pair}, 1), ({"id": pair, "type": "seqpacket"}, 0),
            ({"listener": listener, "state": "queued"}, 1),
            ({"listener": pair}, 0),
            ({"server": named(b"a"), "state": "established"}, 0),
            ({"type": "stream", "state": "pending", "end": named(b"a")}, 1)))
        try:
            fam.do("assoc-get", {"id": pair, "type": "seqpacket"})
            raise AssertionError("the association was found")
        except NlError as e:
            same(e.error, 2)


@test
def a_dump_selects_sockets():
    with Scene() as scene:
        found = fam.dump("socket-get", {"owner": {"addr": {"name": b"e"}}})
        ident = found[0]["id"]
        same_counts("socket-get", (
            ({"type": "stream"}, 1), ({"type": "dgram"}, 2),
            ({"listening": True}, 2),
            ({"listening": True, "type": "dgram"}, 0),
            ({"owner": {"addr": {"kind": "name"}}}, 4),
            ({"peer": {"name": b"e"}}, 1), ({"peer": {"name": b"d"}}, 0),
            ({"peer": {}}, 1), ({"owner": {"uid": os.getuid()}}, 4),
            ({"owner": {"pid": os.getpid()}, "type": "dgram"}, 2),
            ({"owner": {"pid": 1}}, 0), ({"owner": {"format": 2}}, 0),
            ({"owner": {"inode": os.fstat(scene.dgram.fileno()).st_ino}}, 1),
            ({"id": ident}, 1), ({"id": ident, "listening": True}, 0)))


@test
def a_dump_goes_on_after_a_part_without_objects():
    """The library prints nothing for such a part, and adds no object."""
    pairs = [socket.socketpair(number(), socket.SOCK_STREAM)
             for _ in range(400)]
    try:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            same_counts("assoc-get", (({"id": 1 << 60}, 0),
                                      ({"type": "stream"}, 400)))
        same(output.getvalue(), "")
    finally:
        for pair in pairs:
            for sock in pair:
                sock.close()


@test
def a_selection_reveals_no_pid_to_another_user():
    with Scene():
        root, pid = os.getpid(), os.fork()
        if not pid:
            try:
                os.setgroups([])
                os.setresuid(65534, 65534, 65534)
                mine = YnlFamily(spec, schema="")
                dump = mine.dump
                os._exit(len(dump("assoc-get", {"end": {"uid": 0}})) != 4 or
                         dump("assoc-get", {"end": {"pid": root}}) != [] or
                         dump("socket-get", {"owner": {"pid": root}}) != [])
            finally:
                os._exit(9)
        same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)


@test
def a_dump_has_the_attributes_of_an_added_rule():
    given = dict(priority=5, type="stream", kind="inet", port_min=80,
                 port_max=90, ip=bytes(10) + b"\xff\xff\x0a\0\0\0",
                 prefix_len=104, uid=1, gid=2, verdict="delay", delay_ms=20,
                 jitter_ms=30, times=4, every=5, probability=600000)
    ident = add(**given)
    added, = rules()
    same(added["id"], ident)
    same(added["hits"], 0)
    same(added["left"], 4)
    assert "idle-ms" not in added, added
    for key, value in given.items():
        same(added[key.replace("_", "-")], value)
    fam.do("rule-del", {"id": ident})
    same(rules(), [])


@test
def a_request_adds_all_of_its_rules_or_none():
    fam.do("rule-add", {"rule": [{"verdict": "deny"}, {"verdict": "drop"}]})
    same([r["verdict"] for r in rules()], ["deny", "drop"])
    try:
        fam.do("rule-add", {"rule": [{"verdict": "deny"}, {"priority": 3}]})
        raise AssertionError("the request succeeded")
    except NlError as e:
        same(e.error, 22)
    same(len(rules()), 2)
    fam.do("rule-restore", {"rule": [{"id": 9, "verdict": "allow"}]})
    same([r["id"] for r in rules()], [9])


# ---- refused requests ----

R = rule_attrs
N = node_attrs
DENY = u32(R["verdict"], 1)
BAD = (
    ("a request without a rule", "rule-add", b"", 22, "'rule' is missing"),
    ("an empty rule", "rule-add", rule(), 22, "'verdict'"),
    ("a rule without a verdict", "rule-add", rule(u32(R["uid"], 1)), 22,
     "'verdict'"),
    ("a verdict out of range", "rule-add", rule(u32(R["verdict"], 8)), 34, ""),
    ("a short verdict", "rule-add",
     rule(attr(R["verdict"], b"\1")), 22, "length"),
    ("a long verdict", "rule-add",
     rule(attr(R["verdict"], bytes(8))), 22, "length"),
    ("a verdict twice", "rule-add", rule(DENY, DENY), 22,
     "'verdict' occurs twice"),
    ("an unknown attribute in a rule", "rule-add", rule(DENY, u32(60, 1)), 22,
     "Unknown attribute"),
    ("an unknown attribute beside a rule", "rule-add",
     rule(DENY) + u32(9, 1), 22, "Unknown attribute"),
    ("a rule that is not nested", "rule-add",
     attr(1, DENY), 22, "NLA_F_NESTED"),
    ("a truncated attribute", "rule-add",
     rule(DENY, struct.pack("HH", 90, R["uid"])), 22, ""),
    ("an id in a rule to add", "rule-add",
     rule(DENY, u32(R["id"], 5)), 22, "'id'"),
    ("a type out of range in a rule", "rule-add",
     rule(DENY, u32(R["type"], 4)), 34, ""),
    ("the kind none of a destination", "rule-add",
     rule(DENY, u32(R["kind"], 0)), 22, "'kind'"),
    ("a kind out of range", "rule-add", rule(DENY, u32(R["kind"], 5)), 34, ""),
    ("a node without a kind", "rule-add", rule(DENY, u32(R["node"], 5)), 22,
     "'node'"),
    ("a node with a path", "rule-add",
     rule(DENY, u32(R["kind"], 4), u32(R["node"], 5)), 22, "'node'"),
    ("a range without its end", "rule-add",
     rule(DENY, u32(R["kind"], 1), u32(R["port-min"], 5)), 22, "'port-min'"),
    ("a range without its beginning", "rule-add",
     rule(DENY, u32(R["kind"], 1), u32(R["port-max"], 5)), 22, "'port-max'"),
    ("an empty range", "rule-add",
     rule(DENY, u32(R["kind"], 1), u32(R["port-min"], 5),
          u32(R["port-max"], 4)), 22, "'port-max'"),
    ("an IP port above 65535", "rule-add",
     rule(DENY, u32(R["kind"], 3), u32(R["port-min"], 5),
          u32(R["port-max"], 65536)), 22, "'port-max'"),
    ("a range of names", "rule-add",
     rule(DENY, u32(R["kind"], 2), u32(R["port-min"], 5),
          u32(R["port-max"], 6)), 22, "'port-min'"),
    ("an IP address with a port", "rule-add",
     rule(DENY, u32(R["kind"], 1), attr(R["ip"], bytes(16))), 22, "'ip'"),
    ("a short IP address", "rule-add",
     rule(DENY, u32(R["kind"], 3), attr(R["ip"], bytes(4))), 34, ""),
    ("a prefix without an IP address", "rule-add",
     rule(DENY, u32(R["kind"], 3), u32(R["prefix-len"], 8)), 22,
     "'prefix-len'"),
    ("a long prefix", "rule-add",
     rule(DENY, u32(R["kind"], 3), attr(R["ip"], bytes(16)),
          u32(R["prefix-len"], 129)), 34, ""),
    ("a pattern with a port", "rule-add",
     rule(DENY, u32(R["kind"], 1), attr(R["pattern"], b"a")), 22, "'pattern'"),
    ("an empty pattern", "rule-add",
     rule(DENY, u32(R["kind"], 2), attr(R["pattern"], b"")), 22, "'pattern'"),
    ("a long pattern", "rule-add",
     rule(DENY, u32(R["kind"], 2), attr(R["pattern"], b"a" * 256)), 22,
     "'pattern'"),
    ("a delay without a time", "rule-add", rule(u32(R["verdict"], 7)), 22,
     "'delay-ms'"),
    ("a delay with another verdict", "rule-add",
     rule(DENY, u32(R["delay-ms"], 7)), 22, "'delay-ms'"),
    ("a delay of more than a day", "rule-add",
     rule(u32(R["verdict"], 7), u32(R["delay-ms"], 86400001)), 22,
     "'delay-ms'"),
    ("jitter without a delay", "rule-add",
     rule(DENY, u32(R["jitter-ms"], 7)), 22, "'jitter-ms'"),
    ("a rule for 0 times", "rule-add", rule(DENY, u32(R["times"], 0)), 34, ""),
    ("a rule for every 0th match", "rule-add",
     rule(DENY, u32(R["every"], 0)), 34, ""),
    ("a probability above 1", "rule-add",
     rule(DENY, u32(R["probability"], 1000001)), 22, "'probability'"),
    ("hits in a rule to add", "rule-add",
     rule(DENY, attr(R["hits"], bytes(8))), 22, "'hits'"),
    ("the user -1", "rule-add", rule(DENY, u32(R["uid"], 0xffffffff)),
     22, "'uid'"),
    ("the group -1", "rule-add",
     rule(DENY, u32(R["gid"], 0xffffffff)), 22, "'gid'"),
    ("one wrong rule among several", "rule-restore",
     rule(DENY) + rule(DENY) + rule(u32(R["uid"], 1)), 22, "'verdict'"),
    ("two rules with one id", "rule-restore",
     rule(DENY, u32(R["id"], 5)) + rule(DENY, u32(R["id"], 5)), 17, "same id"),
    ("a deletion without an id", "rule-del", b"", 22, "'id'"),
    ("the id 0 of a rule", "rule-del", u32(2, 0), 34, ""),
    ("an id of a rule twice", "rule-del", u32(2, 1) + u32(2, 1), 22,
     "'id' occurs twice"),
    ("an unknown id of a rule to delete", "rule-del",
     u32(2, 4000000), 2, "'id'"),
    ("an unknown id of a rule to zero", "rule-zero",
     u32(2, 4000000), 2, "'id'"),
    ("a short id to kill", "kill", u32(K["id"], 1), 22, ""),
    ("a kill without an id", "kill", b"", 22, "id"),
    ("an association without an id", "assoc-get", b"", 22, "'id' is missing"),
    ("an association with a type and no id", "assoc-get", u32(A["type"], 1), 22,
     "'id' is missing"),
    ("an unknown association", "assoc-get", u64(A["id"], 1 << 62), 2,
     "no such association"),
    ("a short id of an association", "assoc-get", u32(A["id"], 1), 22, ""),
    ("a selection by position", "assoc-get",
     u64(A["id"], 1) + u32(A["position"], 1), 22, ""),
    ("a socket without an id", "socket-get", b"", 22, "'id' is missing"),
    ("an unknown socket", "socket-get", u64(S["id"], 1 << 62), 2,
     "no such socket"),
    ("a selection by backlog", "socket-get",
     u64(S["id"], 1) + u32(S["backlog"], 1), 22, ""),
    *((f"{name}, in a dump", op, payload, errno, text, REQUEST | DUMP)
      for name, op, payload, errno, text in (
        ("an id of an association twice", "assoc-get", 2 * u64(A["id"], 1), 22,
         "twice"),
        ("a type out of range", "assoc-get", u32(A["type"], 4), 34, ""),
        ("a state out of range", "assoc-get", u32(A["state"], 5), 34, ""),
        ("an end that is not nested", "assoc-get",
         attr(A["end"], u32(END["uid"], 0)), 22, "NLA_F_NESTED"),
        ("a user of an end twice", "assoc-get",
         attr(A["end"] | NESTED, 2 * u32(END["uid"], 0)), 22, "twice"),
        ("a selection by the queue of an end", "assoc-get",
         attr(A["client"] | NESTED, u32(END["recv-queue"], 0)), 22,
         "cannot be selected"),
        ("a selection by the command of an end", "assoc-get",
         attr(A["server"] | NESTED, attr(END["comm"], b"sh\0")), 22,
         "cannot be selected"),
        ("a kind out of range", "assoc-get",
         attr(A["end"] | NESTED, attr(END["addr"] | NESTED,
                                      u32(ADDR["kind"], 5))), 34, ""),
        ("a port twice", "assoc-get",
         attr(A["end"] | NESTED, attr(END["addr"] | NESTED,
                                      2 * u32(ADDR["port"], 5))), 22, "twice"),
        ("an id of a socket twice", "socket-get",
         2 * u64(S["id"], 1), 22, "twice"),
        ("a selection by the queue of an owner", "socket-get",
         attr(S["owner"] | NESTED, u32(END["recv-queue"], 0)), 22,
         "cannot be selected"),
        ("a name of a peer twice", "socket-get",
         attr(S["peer"] | NESTED, 2 * attr(ADDR["name"], b"a")), 22, "twice"),
        ("a short address of a peer", "socket-get",
         attr(S["peer"] | NESTED, attr(ADDR["ip"], bytes(4))), 34, ""),
      )),
    ("an unknown attribute of monitor", "monitor", attr(E["seq"], bytes(8)), 22,
     "Unknown attribute"),
    ("an unknown attribute of stat-get", "stat-get", u32(60, 1), 22,
     "Unknown attribute"),
    ("an unknown attribute of family-get", "family-get", u32(60, 1), 22,
     "Unknown attribute"),
    ("a node without an id", "node-add", u32(N["netns-fd"], 0), 22, "'id'"),
    ("a node without a namespace", "node-add",
     u32(N["id"], 5), 22, "'netns-fd'"),
    ("the id 0 of a node", "node-add",
     u32(N["id"], 0) + u32(N["netns-fd"], 0), 22, "'id'"),
    ("the id of all nodes for one node", "node-add",
     u32(N["id"], 0xffffffff) + u32(N["netns-fd"], 0), 22, "'id'"),
    ("a short address of a node", "node-add",
     u32(N["id"], 5) + u32(N["netns-fd"], 0) + attr(N["ip"], bytes(4)), 34, ""),
    ("an IP address of no host", "node-add",
     u32(N["id"], 5) + u32(N["netns-fd"], 0) + attr(N["ip"], bytes(16)), 22,
     "'ip'"),
    ("a descriptor that is not open", "node-add",
     u32(N["id"], 5) + u32(N["netns-fd"], 0xffffffff), 9, "'netns-fd'"),
    ("a descriptor of another file", "node-add",
     u32(N["id"], 5) + u32(N["netns-fd"], 0), 22, "'netns-fd'"),
    ("an id of a node twice", "node-add",
     u32(N["id"], 5) + u32(N["id"], 5) + u32(N["netns-fd"], 0), 22,
     "'id' occurs twice"),
    ("two IPv4 addresses of a node", "node-add",
     u32(N["id"], 5) + u32(N["netns-fd"], 0) +
     2 * attr(N["ip"], bytes(10) + b"\xff\xff\x0a\0\0\5"), 22,
     "once for IPv4"),
    ("a state in a node to add", "node-add", u32(N["state"], 1), 22, ""),
    ("an unknown node to delete", "node-del", u32(N["id"], 5), 2, "no node"),
    ("a node without a state", "node-set", u32(N["id"], 5), 22, "'state'"),
    ("a state out of range", "node-set",
     u32(N["id"], 5) + u32(N["state"], 3), 34, ""),
    ("the state gone for a node", "node-set",
     u32(N["id"], 5) + u32(N["state"], 2), 22, "'state'"),
    ("an unknown node to set", "node-set",
     u32(N["id"], 5) + u32(N["state"], 0), 2, "no node"),
    ("the id of all nodes for this node", "node-self",
     u32(N["id"], 0xffffffff), 22, "'id'"),
    ("an unknown attribute of a node", "node-self", u32(60, 1), 22,
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
def a_dump_has_the_attributes_of_an_added_node():
    with open("/proc/self/ns/net") as here:
        ctypes.CDLL(None).unshare(CLONE_NEWNET)
        there = open("/proc/self/ns/net")
        ctypes.CDLL(None).setns(here.fileno(), CLONE_NEWNET)
    with there:
        # The socket of the library stays in the first namespace.
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
def stat_get_counts_attempts():
    def outcomes():
        return {o["reason"]: o["count"] for o in
                fam.do("stat-get", {}).get("outcome", [])}

    before = outcomes().get("not-bound", 0)
    with socket.socket(number(), socket.SOCK_STREAM, 0) as sock:
        # This is port 9 in the native format, which Python does not support.
        addr = struct.pack("HBBIHHI104x", number(), 1, 0, 0, 0, 0, 9)
        same(ctypes.CDLL(None).connect(sock.fileno(), addr, len(addr)), -1)
    same(outcomes()["not-bound"], before + 1)


def monitors(*sockets):
    """Asks for events on each socket. Yields the error and the number of each
    answer."""
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
    """Returns the numbers of the next events."""
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
def a_socket_that_asks_again_gets_each_event_once():
    with generic() as sock, generic() as late:
        sock.settimeout(60)
        same(list(monitors(sock, sock, sock)), [(0, 0)] * 3)
        for _ in range(3):
            fam.do("rule-restore", {})
        same(numbers(sock, 3), [1, 2, 3])
        # The numbers of the socket go on. Another socket has its own numbers.
        same(list(monitors(sock, late)), [(0, 3), (0, 0)])
        fam.do("rule-restore", {})
        same(numbers(sock, 1), [4])
        late.settimeout(60)
        same(numbers(late, 1), [1])


@test
def a_namespace_has_at_most_256_monitors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    socks = [generic() for _ in range(257)]
    same(set(monitors(*socks[:256])), {(0, 0)})
    # The next socket gets ENOSPC, and the other sockets remain monitors.
    same(list(monitors(socks[256], socks[0])), [(28, None), (0, 0)])
    socks.pop(0).close()
    same(list(monitors(socks[255])), [(0, 0)])
    for sock in socks:
        sock.close()


@test
def a_namespace_has_at_most_4096_rules():
    many = rule(DENY) * 4097
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, GENERIC) as sock:
        sock.setsockopt(socket.SOL_SOCKET, 32, 1 << 20)     # SO_SNDBUFFORCE
        sock.setsockopt(270, 10, 1)
        sock.send(message("rule-restore", many))
        same(NlMsg(sock.recv(65536), 0).error, -28)


@test
def requests_need_cap_net_admin():
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


# ---- random messages ----

def any_attr(depth=0):
    kind = random.choice((1, 2, random.randrange(1, 24),
                          random.randrange(65536)))
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
        # The length of this attribute is wrong.
        data = struct.pack("H", random.randrange(64)) + data[2:]
    return data


def any_choice(*attrs):
    """Returns a selection for assoc-get or socket-get that contains @attrs."""
    addr = attr(END["addr"] | NESTED, u32(ADDR["kind"], random.randrange(6)) +
                (b"".join(attrs) if random.randrange(2) else b""))
    return attr(random.choice((A["end"], A["client"], S["owner"])) | NESTED,
                addr + u32(END["uid"], 0) + b"".join(attrs[:1]))


@test
def random_messages_change_nothing():
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
                    # Most attributes of this rule or selection are valid.
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
