#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""
record.py TOPOD DIRECTORY: makes the inputs in corpus/kernel whose names begin with a topology's number, and those in
corpus/watch whose names begin with "told-"; DIRECTORY stands for corpus. TOPOD applies each file of topologies/ in new
namespaces (root); what the kernel reports before and after, and about changes by hand, is written as machine.h describes,
without attributes that topod does not read, so that inputs stay small enough for libFuzzer. Run it by hand when the kernel
reports more than before, or the topologies change.
"""

import ctypes
import os
import socket
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CHOICES, LINKS, ADDRESSES, ROUTES, NUMBERS, NETFILTER, CHANGES, KINDS = range(8)  # enum stream_kind
END = 0
RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNSID = 18, 22, 26, 90
NFT_GETTABLE, NFT_GETCHAIN, NFT_GETRULE = 10 << 8 | 1, 10 << 8 | 4, 10 << 8 | 7
REQUEST, ACK, DUMP, DUMP_INTR, CAPPED, ACK_TLVS = 1, 4, 0x300, 0x10, 0x100, 0x200
NLMSG_ERROR, NLMSG_DONE, RTM_NEWLINK, RTM_DELLINK, RTM_NEWROUTE, RTM_NEWNSID = 2, 3, 16, 17, 24, 88
# Of a link: its address, name, mtu, link, master, queue, kind, alias, queues, the other end's namespace, settings.
LINK_ATTRIBUTES = {1, 3, 4, 5, 10, 13, 18, 20, 26, 31, 32, 37}
LINK_NETNSID, AF_SPEC, AF_INET6, ADDR_GEN_MODE = 37, 26, 10, 8
RT_TABLE_LOCAL, RTPROT_STATIC = 255, 4

NAMESPACES = {0: ["host", "web", "db"], 1: ["host", "a", "b"]}
ADOPTED = {0: [], 1: ["b"]}
FURNISH = {0: "link add up0 type veth peer name up1", 1: "link add nic type veth peer name en5"}
NARROW, REMEMBERS, GOES, LISTENS = 2, 4, 8, 16  # fuzz-kernel.c

# The commands, by name of the input; "whole": their messages are kept with all attributes.
ROUTE_GROUPS = sum(1 << group - 1 for group in (1, 5, 9, 7, 11, 8, 19, 24, 25, 28))  # subscriptions[] in daemon/kernel/events.c
NFT_GROUPS, NEIGH_GROUP = 1 << 7 - 1, 1 << 3 - 1
TOLD = {
    "links": ["ip link add br0 type bridge", "ip link add v0 type veth peer name v1", "ip link set v0 alias topod:office",
              "ip link set v0 master br0 up", "bridge link set dev v0 cost 7", "ip link set v1 name v2", "ip link delete v0"],
    "links-whole": ["ip link set lo up", "ip link set lo alias topod:office"],
    "addresses": ["ip link set lo up", "ip address add 10.0.0.1/24 dev lo", "ip address add fd00::1/64 dev lo nodad", "ip address flush dev lo"],
    "routes": ["ip link set lo up", "ip route add blackhole 10.1.0.0/16 metric 7", "ip route add 10.2.0.0/16 dev lo table 1000",
               "ip -6 route add fd01::/64 dev lo metric 5", "ip route add tos 4 blackhole 10.3.0.0/16",
               "ip route delete 10.1.0.0/16", "ip rule add to 10.0.0.0/8 table 7"],
    "settings": ["sysctl -qw net.ipv4.ip_forward=1", "sysctl -qw net.ipv6.conf.lo.forwarding=1",
                 "sysctl -qw net.ipv4.conf.default.rp_filter=1"],
    "nat": ["nft add table ip topod-office", "nft 'add chain ip topod-office c { type nat hook postrouting priority 100; }'",
            "nft add rule ip topod-office c masquerade", "nft delete table ip topod-office"],
    "filter": ["nft add table inet topod-office", "nft 'add chain inet topod-office c { type filter hook forward priority 0; policy drop; }'",
               "nft add chain inet topod-office d", "nft 'add rule inet topod-office c ct state established,related counter accept'",
               "nft 'add rule inet topod-office c tcp flags syn tcp option maxseg size set rt mtu'",
               "nft 'add rule inet topod-office c limit rate 10/minute log prefix \"x\" jump d'", "nft 'add rule inet topod-office d reject'",
               "nft 'add rule inet topod-office d meta mark set 0x10'", "nft delete table inet topod-office"],
    # More in one datagram than is received of it.
    "nat-long": ["{ echo 'table ip t { chain c {'; yes 'ip saddr 10.0.0.0/8 accept' | head -12; echo '}; }'; } | nft -f -"],
    "forwarding": ["ip link add vx type vxlan id 7 dstport 4789 local 10.0.0.1 remote 10.0.0.2",
                   "bridge fdb append 00:00:00:00:00:00 dev vx dst 10.0.0.9 port 99",
                   "bridge fdb del 00:00:00:00:00:00 dev vx dst 10.0.0.2", "ip link delete vx"],
    "numbers": ["ip netns set other 4", "ip netns delete other"],
}


def attribute(kind, data):
    return struct.pack("=HH", len(data) + 4, kind) + data + bytes(-len(data) % 4)


def attributes(data):
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        yield kind & 0x3fff, data[4:size]
        data = data[(size + 3) & ~3:]


def message(kind, flags, payload, seq=0):
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, seq, 0) + payload


class Netlink:
    """Questions to the kernel in one namespace."""

    def __init__(self, ns, protocol):
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        if ns != "host":
            there = os.open(f"/run/netns/{ns}", os.O_RDONLY)
            assert ctypes.CDLL(None).setns(there, 0x40000000) == 0
            os.close(there)
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        assert ctypes.CDLL(None).setns(home, 0x40000000) == 0
        os.close(home)
        self.socket.bind((0, 0))

    def ask(self, kind, flags, payload):
        self.socket.send(message(kind, REQUEST | flags, payload))
        answers = []
        while True:
            data = self.socket.recv(1 << 16)
            while data:
                size, found = struct.unpack_from("=IH", data)
                if found in (NLMSG_ERROR, NLMSG_DONE):
                    self.socket.close()
                    return answers
                answers.append((found, data[16:size]))
                data = data[(size + 3) & ~3:]


def place(ns):
    return 0 if ns == "host" else ord(ns[0]) % 8


def numbers(ns, names):
    """By which each namespace is known in this one."""
    found = {}
    for name in names:
        path = "/proc/self/ns/net" if name == "host" else f"/run/netns/{name}"
        fd = os.open(path, os.O_RDONLY)
        for _, data in Netlink(ns, 0).ask(RTM_GETNSID, ACK, bytes(4) + attribute(3, struct.pack("=I", fd))):
            found[dict(attributes(data[4:]))[1]] = place(name)
        os.close(fd)
    return found


def small_link(payload, known):
    out = payload[:16]
    for kind, data in attributes(payload[16:]):
        if kind == LINK_NETNSID:
            data = struct.pack("=I", known.get(data, 6))
        elif kind == AF_SPEC:
            mode = [d for family, v in attributes(data) if family == AF_INET6
                    for k, d in attributes(v) if k == ADDR_GEN_MODE]
            data = attribute(AF_INET6, attribute(ADDR_GEN_MODE, mode[0])) if mode else b""
        if kind in LINK_ATTRIBUTES:
            out += attribute(kind, data)
    return out


def look(ns, names, topology):
    """Everything that a scan of one namespace receives: [(kind, messages)]."""
    known = numbers(ns, names)
    table = attribute(1, b"topod-office\0")
    nft = bytes([1, 0, 0, 0])
    links = Netlink(ns, 0).ask(RTM_GETLINK, DUMP, bytes(16) + attribute(29, struct.pack("=I", 8)))
    routes = Netlink(ns, 0).ask(RTM_GETROUTE, DUMP, bytes(12))
    yield LINKS, [(kind, small_link(data, known)) for kind, data in links]
    yield ADDRESSES, Netlink(ns, 0).ask(RTM_GETADDR, DUMP, bytes(8))
    yield ROUTES, [(kind, data) for kind, data in routes if data[4] != RT_TABLE_LOCAL]
    if ns == "host" and topology == 0:
        yield NETFILTER, Netlink(ns, 12).ask(NFT_GETTABLE, ACK, nft + table)
        yield NETFILTER, Netlink(ns, 12).ask(NFT_GETCHAIN, DUMP, nft)
        yield NETFILTER, Netlink(ns, 12).ask(NFT_GETRULE, DUMP, nft + table)


def hear(told, whole):
    """What a command's events are: datagrams."""
    while True:
        try:
            data = told.recv(1 << 16)
        except BlockingIOError:
            return
        kind = struct.unpack_from("=IH", data)[1]
        if kind in (RTM_NEWLINK, RTM_DELLINK) and not whole:
            data = message(kind, 0, small_link(data[16:], {}))
        yield data


def told_of(commands, whole, route_groups=ROUTE_GROUPS):
    """One dispatch for each command, as the stream that fuzz-watch reads: first what is asked for before."""
    sockets = []
    for protocol, groups in (0, route_groups), (12, NFT_GROUPS):
        sockets.append(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol))
        sockets[-1].bind((0, groups))
    out = bytes(8)
    for command in commands:
        subprocess.run(["sh", "-c", command], check=True)
        for told in sockets:
            for datagram in hear(told, whole):
                out += struct.pack("=H", len(datagram)) + datagram + bytes([len(out) % 2 * 3])  # the host's, or number 2's
            out += struct.pack("=H", END)
        out += bytes(1)  # no names
    return out + b"\5"


def record(kind, where, datagram=b"", size=None):
    return struct.pack("=BH", kind + KINDS * where, len(datagram) if size is None else size) + datagram


def answer(kind, where, messages, flags=2):
    """One datagram, and the end."""
    datagram = b"".join(message(k, flags, data) + bytes(-len(data) % 4) for k, data in messages)
    return (record(kind, where, datagram) if datagram else b"") + record(kind, where)


def refusal(seq, error, text=b"", offset=0):
    request = struct.pack("=IHHII", 16, RTM_NEWLINK, REQUEST | ACK, seq, 0)
    more = attribute(1, text + b"\0") + attribute(2, struct.pack("=I", offset)) if text else b""
    return message(NLMSG_ERROR, CAPPED | (ACK_TLVS if text else 0), struct.pack("=i", -error) + request + more, seq)


REFUSED = (refusal(0, 17) + refusal(1, 34, b"mtu greater than device maximum", 36) +
           refusal(2, 22, b"Nexthop has invalid gateway", 28) + refusal(3, 1))


def inputs(topology, before, seen):
    def choices(flags):
        return record(CHOICES, 0, bytes([topology | flags]))

    def all_of(messages_of=lambda ns, kind, messages: messages, seen=seen):
        return b"".join(answer(kind, place(ns), messages_of(ns, kind, messages))
                        for ns, kind, messages in seen)

    def without_names(ns, kind, messages):
        return [] if ns != "host" else messages

    def replaced(ns, kind, messages):
        """Routes that somebody else has put in the place of ours."""
        return [(k, data[:5] + bytes([RTPROT_STATIC]) + data[6:] if k == RTM_NEWROUTE else data) for k, data in messages]

    interrupted = b"".join(answer(kind, place(ns), messages[:1], DUMP_INTR) for ns, kind, messages in seen
                           if kind != NETFILTER)
    yield "as-it-should-be", choices(0) + all_of()
    yield "all-lost", choices(REMEMBERS) + all_of(seen=before)
    yield "routes-replaced", choices(REMEMBERS) + all_of(replaced)
    yield "all-goes", choices(REMEMBERS | GOES) + all_of()
    yield "listening", choices(REMEMBERS | LISTENS) + all_of(seen=before)
    # "0" is a success, and the length of a text of as many of them.
    yield "texts-of-files", choices(0) + record(CHOICES, 0, b"0" * 400) + all_of()
    for n in range(2, 10, 2):  # not there, and there while it is made
        yield f"namespace-that-comes-meanwhile-{n}", choices(0) + record(CHOICES, 0, b"\4" * n + b"\6" * 8)
    yield "empty-namespaces", choices(0) + all_of(without_names)
    yield "nothing-there", choices(0) + record(LINKS, 0)
    yield "first-of-each", choices(0) + all_of(lambda ns, kind, messages: messages[:2])
    yield "interrupted", choices(0) + interrupted + all_of(lambda ns, kind, messages: messages[-3:])
    yield "narrow", choices(NARROW) + all_of(without_names) + b"".join(
        answer(kind, place(ns), [m]) for ns, kind, messages in seen for m in messages[:4] if kind == LINKS)
    yield "refused", choices(0) + b"".join(record(CHANGES, place(ns), REFUSED) + record(CHANGES, place(ns))
                                           for ns in NAMESPACES[topology] for _ in range(2))
    yield "answers-lost", choices(0) + record(LINKS, 0) + record(CHANGES, 0, size=0xffff) + record(
        LINKS, 0, size=0xfffe) + record(LINKS, 0, size=0xfffd) + record(LINKS, 0, REFUSED)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    print(f"{len(data):6} {path}")


def record_topology(topod, directory, topology):
    names = NAMESPACES[topology]
    subprocess.run(["ip", *FURNISH[topology].split()], check=True)
    for ns in ADOPTED[topology]:
        subprocess.run(["ip", "netns", "add", ns], check=True)
    with open(f"{HERE}/topologies/{topology}.yaml") as f, open("/run/office.yaml", "w") as out:
        out.write(f.read())
    before = [("host", kind, messages) for kind, messages in look("host", ["host"], topology)]
    subprocess.run([topod, "apply", "/run/office.yaml"], check=True, stdout=subprocess.DEVNULL)
    seen = [(ns, kind, messages) for ns in names for kind, messages in look(ns, names, topology)]
    for name, data in inputs(topology, before, seen):
        write(os.path.join(directory, f"{topology}-{name}"), data)
    subprocess.run([topod, "down", "/run/office.yaml"], check=True, stdout=subprocess.DEVNULL)


def main():
    if os.environ.get("RECORD_INSIDE") != "1":
        os.environ["RECORD_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--net", "--propagation", "private", sys.executable, "-B", *sys.argv])
    topod, directory = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    subprocess.run(["mount", "-n", "-t", "tmpfs", "run", "/run"], check=True)
    for topology in NAMESPACES:
        assert ctypes.CDLL(None).unshare(0x40000000) == 0
        record_topology(topod, os.path.join(directory, "kernel"), topology)
    for name, commands in TOLD.items():
        assert ctypes.CDLL(None).unshare(0x40000000) == 0
        if name == "numbers":
            subprocess.run(["ip", "netns", "add", "other"], check=True)
        write(os.path.join(directory, "watch", f"told-{name}"), told_of(
            commands, name.endswith("whole"), NEIGH_GROUP if name == "forwarding" else ROUTE_GROUPS))


if __name__ == "__main__":
    main()
