# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon hears only of what its file declares: events of other kinds cost it nothing."""

import os
import re

import lab
from lab import Case

SPEC = """\
namespaces:
  web:
    interfaces: {eth0: {addresses: [10.0.0.1/24]MORE}}
ENTRIES
  db: {interfaces: {eth0: {addresses: [10.0.0.2/24]}}}
links: [[web:eth0, db:eth0]]
"""
# linux/rtnetlink.h
NEIGH, TC, RULE4, RULE6, NEXTHOP = 3, 4, 8, 19, 32
ENTRIES = {
    "neighbors": (NEIGH, "", '    neighbors: [{address: 10.0.0.9, mac-address: "02:00:00:00:00:09", dev: eth0}]'),
    "qdisc": (TC, ", qdisc: {kind: pfifo, limit: 7}", ""),
    "rules": (RULE4, "", "    rules: [{priority: 5, from: 10.0.0.0/8, table: 7}]"),
    "nexthops": (NEXTHOP, "", "    nexthops: [{id: 1, via: 10.0.0.2, dev: eth0}]"),
}


def heard(pid):
    """The multicast groups of the daemon's rtnetlink sockets, and whether it hears of nf_tables."""
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    inodes = {found[1] for found in (re.match(r"socket:\[(\d+)\]", link) for link in links) if found}
    groups, netfilter = 0, False
    with open(f"/proc/{pid}/net/netlink", encoding="ascii") as f:
        for line in list(f)[1:]:
            _, protocol, _, mask, *rest = line.split()
            if rest[-1] in inodes:
                groups |= int(mask, 16) if protocol == "0" else 0
                netfilter |= protocol == "12" and int(mask, 16) != 0
    return {number for number in range(1, 33) if groups >> number - 1 & 1}, netfilter


class Hearing(Case):
    def daemon_of(self, more="", entries=""):
        d = self.daemon(self.spec(SPEC.replace("MORE", more).replace("ENTRIES", entries))).ready()
        found = heard(d.pid)
        d.stop()
        return found

    def test_only_what_is_declared(self):
        plain, netfilter = self.daemon_of()
        self.assertFalse(netfilter)
        self.assertEqual(set(), plain & {NEIGH, TC, RULE4, RULE6, NEXTHOP})
        for name, (group, more, entries) in ENTRIES.items():
            with self.subTest(name=name):
                groups, _ = self.daemon_of(more, entries)
                self.assertIn(group, groups)
                self.assertEqual(set(), (groups - plain) & ({NEIGH, TC, RULE4, NEXTHOP} - {group}))
        self.assertTrue(self.daemon_of(entries="    nat: [{action: masquerade, source: 10.0.0.0/8}]")[1])


if __name__ == "__main__":
    lab.main()
