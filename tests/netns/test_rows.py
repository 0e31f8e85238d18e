# SPDX-License-Identifier: GPL-2.0-or-later
"""
Each row of the field tables (rows.py): it reaches the kernel; what somebody else changes is restored; an edit of the file changes the
object in place, recreates it or makes another one, as the table says; what leaves the file goes back.

"Somebody else" is a second topod with a ledger of its own ($TOPOD_HAND, by default the same program), so that every value can be
changed behind the back of the first one; that it changed anything is seen by ip, bridge, tc and nft. TOPOD_TEST_ROW=PATTERN tries
only rows whose name matches; ../mutate/run uses both. In other kernels, which are slow, only the first row of each table is tried,
unless TOPOD_TEST_EVERY_ROW=1.
"""

import json
import os
import re
import shutil
import socket
import struct

import lab
import rows
from lab import Case
from rows import IN_PLACE, OTHER, RECREATED

HAND = os.path.abspath(os.environ.get("TOPOD_HAND", os.environ.get("TOPOD", "topod")))

LINKS = "ip -d -j link show"
VIEWS = {
    "link": [LINKS],
    "addr": ["ip -d -j addr show"],
    "route": ["ip -d -4 route show table all", "ip -d -6 route show table all"],
    "rule": ["ip -4 rule show", "ip -6 rule show"],
    "neigh": [f"ip -{family} neigh show {which}" for family in (4, 6) for which in ("proxy", "nud permanent", "nud noarp")],
    "nexthop": ["ip -d nexthop show"],
    "fdb": ["bridge -d fdb show"],
    "vlan": ["bridge vlan show", "bridge -d link show"],
    "tc": [f"tc -d {what}" for what in ("qdisc show dev x", "class show dev x", "filter show dev x", "filter show dev x ingress")],
    "nft": ["nft list ruleset"],
    "wg": ["wg show all dump"],
    "tun": ["ip -d -j tuntap show", "cat /sys/class/net/*/tun_flags"],
}
# What the kernel counts, times, or numbers anew.
NOISE = re.compile(r"(?<=fh )\w+:[\w:]*|(?<=ht )\w+:[\w:]*|police 0x\w+|direct_packets_stat \d+|refcnt \d+|\border \d+|index \d+"
                   r"|ref \d+ bind \d+|unbalanced_time \S+|packets \d+ bytes \d+|expires \S+|ce_threshold 4.29e\+03s|\b54\w\w:|\b(dead|linkdown)\b")
LEARNED = re.compile(r"\S+ dev \S+ (vlan \d+ )?master \S+ *$")
SIZES = (63, 64)  # IFLA_GSO_IPV4_MAX_SIZE, IFLA_GRO_IPV4_MAX_SIZE (linux/if_link.h); ip of Debian 12 has no words for them
RTM_GETLINK, NLM_F_DUMP = 18, 0x300  # linux/rtnetlink.h, linux/netlink.h


def clean(text):
    if text.startswith("[") and "ifindex" in text:
        links = json.loads(text)
        for link in links:
            link["flags"] = sorted(set(link["flags"]) - lab.VOLATILE_FLAGS)
            data = link.get("linkinfo", {}).get("info_data", {})
            data.update({f"its {key}": data[key] for key in ("group", "group6", "no_linkaddr") if key in data})
            for key in ("id", "no", "state", "priority_id", "mii_status"):
                link.get("linkinfo", {}).get("info_slave_data", {}).pop(key, None)
            for address in link.get("addr_info", []):
                for key in ("tentative", "optimistic"):
                    address.pop(key, None)
            link["addr_info"] = lab.lines(address for address in link.get("addr_info", []) if not (
                address["family"] == "inet6" and address["scope"] == "link"))
        return lab.lines(lab.steady(links, False))
    return sorted(" ".join(NOISE.sub("", line).split()) for line in text.splitlines()
                  if "fe80:" not in line and "ff00::" not in line and "33:33:" not in line and not LEARNED.match(line))


def numbers(ns, wanted):
    """These attributes of all links."""
    with lab.inside(ns), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as s:
        s.bind((0, 0))
        s.send(struct.pack("=IHHIIBxHiII", 32, RTM_GETLINK, 1 | NLM_F_DUMP, 1, 0, 0, 0, 0, 0, 0))
        found, done = [], False
        while not done:
            data = s.recv(1 << 18)
            while data:
                size, kind = struct.unpack_from("=IH", data)
                done = done or kind == 3  # NLMSG_DONE
                at = 32
                while at + 4 <= size:
                    length, attribute = struct.unpack_from("=HH", data, at)
                    if attribute in wanted:
                        found.append((attribute, struct.unpack_from("=I", data, at + 4)[0]))
                    at += max(4, (length + 3) & ~3)
                data = data[(size + 3) & ~3:]
    return sorted(found)


def view(shows):
    """What the machine's own tools say of all namespaces, sorted."""
    state = []
    for ns in lab.namespaces():
        commands = [command for part in shows if part in VIEWS for command in VIEWS[part]]
        with lab.inside(ns):
            said = lab.run("sh", "-c", "; echo @@@; ".join(f"{command} 2>/dev/null" for command in commands), check=False).stdout
        state += [(ns, *clean(part)) for part in said.split("@@@\n")]
        if "sizes" in shows:
            state.append((ns, *numbers(ns, SIZES)))
    return state


def different(a, b):
    """The lines that only one of two views has."""
    return [f"{sign} {there[0]}: {line}" for sign, these, those in (("-", a, b), ("+", b, a)) for i, there in enumerate(these)
            for line in there[1:] if i >= len(those) or line not in those[i]] + ["the namespaces differ"] * (len(a) != len(b))


def indexes():
    return [(ns, link["ifname"], link["ifindex"]) for ns in lab.namespaces() for link in lab.ip_json(ns, "link show")]


class Base(Case):
    def text(self, table, *words):
        return re.sub(r",? *ENTRY", lambda m: (", " if m[0][0] == "," else "") + ", ".join(w for w in (table.base, *words) if w), table.text)

    def entry(self, table, *words):
        text = self.text(table, *words).replace(", }", "}")
        return self.spec(text, "t.yaml")

    def apply(self, table, *words):
        path = self.entry(table, *words)
        self.topod("apply", path)
        self.topod("plan", path)  # exit 0: nothing to do
        return path

    def by_hand(self, table, *words):
        """Another topod makes this of it, of which ours knows nothing."""
        keep = f"{self.directory}/ledger"
        shutil.copytree("/run/topod", keep)
        with_hand = os.environ["TOPOD"]
        environment = {key: os.environ.pop(key) for key in ["TOPOD_BREAK"] if key in os.environ}
        os.environ["TOPOD"] = HAND
        try:
            self.topod("apply", self.entry(table, *words))
        finally:
            os.environ["TOPOD"] = with_hand
            os.environ.update(environment)
            shutil.rmtree("/run/topod")
            shutil.copytree(keep, "/run/topod")
            shutil.rmtree(keep)

    def how(self, path):
        """What an apply of the file would do."""
        summary = json.loads(self.topod("plan", "--json", path, expect=lab.EXIT_DIFFERENCES).stdout)["summary"]
        if summary["recreate"]:
            return RECREATED
        return OTHER if summary["create"] or summary["delete"] else IN_PLACE

    def try_row(self, table, row):
        first, second = f"{row.key}: {row.first}", f"{row.key}: {row.second}"
        changes = row.first != row.second
        if not row.required:
            self.apply(table, row.needs)
            without = view(table.shows)
        path = self.apply(table, row.needs, first)
        made = view(table.shows)
        if not row.required and not different(without, made):  # the first value is the default
            first, second = second, first
            path = self.apply(table, row.needs, first)
            made = view(table.shows)
        if not row.required:
            self.assertTrue(different(without, made), "the kernel shows nothing of it")
        if row.lacks:
            self.assertNotIn(row.lacks, str([there for there in made if there[0] == "a"]))
        changed = None
        if row.by_hand and changes:
            self.by_hand(table, row.needs, second)
            changed = view(table.shows)
            self.assertTrue(different(made, changed), "the other topod changed nothing")
            self.entry(table, row.needs, first)
            self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
            self.topod("apply", path)
            self.topod("plan", path)
            self.assertEqual([], different(made, view(table.shows)), "it was not restored")
        if changes:
            before = indexes()
            self.assertEqual(row.how, self.how(self.entry(table, row.needs, second)))
            self.apply(table, row.needs, second)
            if changed:
                self.assertEqual([], different(changed, view(table.shows)), "an edit of the file makes something else than before")
            elif row.by_hand:
                self.assertTrue(different(made, view(table.shows)), "an edit of the file changes nothing")
            if row.how != RECREATED:
                self.assertEqual(before, indexes(), "a link was recreated")
        if not row.required:
            if not different(without, view(table.shows)):  # the second value is the default
                self.apply(table, row.needs, first)
            self.apply(table, row.needs)
            gone = different(without, view(table.shows))
            self.assertEqual(row.stays, gone != [], f"what left the file has{' gone back' if row.stays else f' not gone back: {gone}'}")
        self.topod("down", path)
        self.assertEqual([], lab.namespaces())

    def lacks(self, probe):
        """Why this kernel cannot have the table's objects; None: it can."""
        if not probe:
            return None
        if probe == "mpls":
            return None if os.path.isdir("/proc/sys/net/mpls") else "no MPLS"
        lab.ip(lab.HOST, "link add probe0 type veth peer name probe1")
        try:
            if probe == "police":
                lab.tc(lab.HOST, "qdisc add dev probe0 handle ffff: ingress", check=False)
                done = lab.tc(lab.HOST, "filter add dev probe0 parent ffff: u32 match u32 0 0 police rate 1mbit burst 10k", check=False)
            elif probe == "fw":
                lab.tc(lab.HOST, "qdisc add dev probe0 root handle 1: htb", check=False)
                done = lab.tc(lab.HOST, "filter add dev probe0 parent 1: handle 5 fw classid 1:1", check=False)
            elif probe.startswith("qdisc "):
                done = lab.tc(lab.HOST, f"qdisc add dev probe0 root {probe[6:]}", check=False)
            else:
                kind, _, words = probe.partition(" ")
                below = "link probe0 " if kind in ("macvlan", "ipvlan", "vlan") else ""
                words += " id 1" if kind == "vlan" else ""
                done = lab.ip(lab.HOST, f"link add {below}probe2 type {kind} {words}", check=False)
                lab.ip(lab.HOST, "link del probe2", check=False)
        finally:
            lab.ip(lab.HOST, "link del probe0")
        return done.stderr.strip() or "refused" if done.returncode else None

    def try_table(self, table, wanted):
        lacking = self.lacks(table.probe)
        if lacking:
            self.skipTest(f"this kernel cannot: {table.probe}: {lacking}")
        for row in wanted:
            with self.subTest(row=f"{table.mapping}.{row.key}"):
                try:
                    self.try_row(table, row)
                finally:
                    self.sweep()
                    os.makedirs(self.directory, exist_ok=True)


class Rows(Base):
    pass


class OtherRows(Base):
    pass


class RareRows(Base):
    def setUp(self):
        super().setUp()
        lab.make_keys("\n".join(f"private-key-file: {path}" for path in rows.KEYS))


def add_tests():
    only = re.compile(os.environ.get("TOPOD_TEST_ROW", ""))
    every = os.environ.get("TOPOD_TEST_ROW") or os.environ.get("TOPOD_TEST_EVERY_ROW") == "1"
    for i, table in enumerate([*rows.TABLES, *rows.kinds_of_links()]):
        wanted = [row for row in table.rows if only.search(f"{table.mapping}.{row.key}")]
        if table.where != rows.HERE and not every:
            wanted = wanted[:1]
        if wanted:
            name = f"test_{table.mapping.replace('.', '_').replace('-', '_')}_{i}"
            setattr(globals()[table.where], name, lambda self, table=table, wanted=wanted: self.try_table(table, wanted))


add_tests()

if __name__ == "__main__":
    lab.main()
