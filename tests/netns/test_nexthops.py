# SPDX-License-Identifier: GPL-2.0-or-later
"""Next-hop objects, groups, and routes by them: made as declared, repaired, changed in place, removed without a trace."""

import lab
from lab import Case

RTM_NEWROUTE, RTM_DELNEXTHOP = 24, 105  # linux/rtnetlink.h

BASE = """\
namespaces:
  web:
    interfaces:
      eth0: {addresses: [10.0.0.11/24, "fd00:1::11/64"]}
      br0: {kind: bridge, addresses: [10.7.0.1/24]}
    nexthops:
HOPS
    routes:
ROUTES
  db:
    interfaces: {eth0: {addresses: [10.0.0.1/24, 10.0.0.2/24, 10.0.0.3/24, "fd00:1::1/64"]}}
links: [[web:eth0, db:eth0]]
"""

HOPS = [
    "{id: 30, group: [1, {id: 2, weight: 3}]}",  # before its members, on purpose
    "{id: 1, via: 10.0.0.1, dev: eth0}",
    "{id: 2, via: 10.0.0.2, dev: eth0}",
    '{id: 3, via: "fd00:1::1", dev: eth0}',
    "{id: 4, blackhole: true}",
    "{id: 5, dev: eth0, family: ipv6}",
    "{id: 6, via: 10.9.9.9, dev: eth0, on-link: true}",
    "{id: 31, group: [1, 2], type: resilient, buckets: 8, idle-timer: 60s, unbalanced-timer: 10s}",
]

ROUTES = [
    "{to: 192.0.2.0/24, nexthop: 30}",
    "{to: 198.51.100.0/24, nexthop: 1}",
    '{to: "2001:db8:1::/48", nexthop: 3}',
    "{to: 203.0.113.0/24, nexthop: 4}",
    '{to: "2001:db8:2::/48", nexthop: 5}',
    "{to: 203.0.113.0/25, nexthop: 31}",
]


def spec_of(hops, routes, exclusive=False):
    def lines(entries):
        return "\n".join("      - " + e for e in entries)
    text = BASE.replace("HOPS", lines(hops)).replace("ROUTES", lines(routes))
    return text.replace("  web:\n", "  web:\n    exclusive: true\n") if exclusive else text


def seen():
    """The objects, and the routes that use them."""
    hops = [{k: v for k, v in h.items() if k != "unbalanced_time"} for h in lab.ip_json("web", "nexthop")]
    routes = [(r["dst"], r["nhid"]) for f in (4, 6) for r in lab.ip_json("web", f"-{f} route") if "nhid" in r]
    return sorted(map(str, hops)), sorted(routes)


class Nexthops(Case):
    def test_made_changed_and_removed(self):
        empty = self.spec(spec_of([], []))
        self.topod("apply", empty)
        self.assertEqual(([], []), seen())
        path = self.spec(spec_of(HOPS, ROUTES))
        self.topod("apply", path)
        self.topod("plan", path)
        made = seen()
        self.assertEqual((len(HOPS), len(ROUTES)), (len(made[0]), len(made[1])))
        for i, (old, new) in [(0, ("weight: 3", "weight: 4")), (1, ("10.0.0.1,", "10.0.0.3,")), (3, ("::1\"", "::7\"")),
                              (5, ("dev: eth0", "dev: eth0, via: \"fd00:1::9\"")), (6, ("10.9.9.9", "10.9.9.8")),
                              (7, ("60s", "61s")), (7, ("8,", "16,")), (7, ("10s", "11s")),
                              (7, ("[1, 2], type: resilient, buckets: 8, idle-timer: 60s, unbalanced-timer: 10s", "[1, 2]")),
                              (0, ("group: [1, {id: 2, weight: 3}]", "via: 10.0.0.3, dev: eth0"))]:
            with self.subTest(in_file=HOPS[i], new=new):
                self.spec(spec_of([*HOPS[:i], HOPS[i].replace(old, new), *HOPS[i + 1:]], ROUTES))
                self.topod("apply", path)
                self.topod("plan", path)
                self.assertEqual((1, 1), (len(set(seen()[0]) - set(made[0])), len(set(made[0]) - set(seen()[0]))))
                self.assertEqual(made[1], seen()[1])
                self.spec(spec_of(HOPS, ROUTES))
                self.topod("apply", path)
                self.assertEqual(made, seen())
        lab.pings("web", "10.0.0.1")
        self.topod("apply", self.spec(spec_of([], [])))
        self.assertEqual(([], []), seen())
        self.topod("down", path)

    def test_a_route_leaves_before_its_next_hop_goes(self):
        """Otherwise the kernel would delete the route with its next hop, without an event, and for a moment there
        would be none."""
        path = self.spec(spec_of(HOPS[1:3], ["{to: 192.0.2.0/24, nexthop: 1}"]))
        self.topod("apply", path)
        self.settle(usable=True)
        with lab.Monitor("web") as monitor:
            self.topod("apply", self.spec(spec_of(HOPS[2:3], ["{to: 192.0.2.0/24, nexthop: 2}"])))
            heard = [kind for kind in monitor.heard() if kind in (RTM_NEWROUTE, RTM_DELNEXTHOP)]
        self.assertEqual([RTM_NEWROUTE, RTM_DELNEXTHOP], heard)
        self.assertEqual([("192.0.2.0/24", 2)], seen()[1])
        self.topod("down", path)

    def test_drift(self):
        path = self.spec(spec_of(HOPS, ROUTES))
        d = self.daemon(path).ready()
        made = seen()
        for words in ("nexthop del id 1", "nexthop del id 30", "nexthop replace id 2 via 10.0.0.3 dev eth0",
                      "nexthop replace id 30 group 1/2", "nexthop del id 4", "route del 192.0.2.0/24",
                      "route replace 198.51.100.0/24 via 10.0.0.2", "nexthop flush", "link set eth0 down"):
            with self.subTest(by_hand=words):
                lab.ip("web", words)
                self.wait_until(lambda: seen() == made, f"what there was before '{words}'", d)
        d.stop()
        self.topod("down", path)

    def test_waits_for_a_carrier(self):
        """A bridge without ports: the next hop and its routes wait, which is not a failure."""
        path = self.spec(spec_of(["{id: 8, via: 10.7.0.2, dev: br0}", "{id: 9, group: [8]}"],
                                 ["{to: 192.0.2.0/24, nexthop: 9}"]))
        d = self.daemon(path).ready()
        said = self.topod("status", "office").stdout
        self.assertIn("for a carrier", said)
        self.topod("plan", path)
        lab.ip("web", "link add p0 type veth peer name p1")
        lab.ip("web", "link set p1 up")
        lab.ip("web", "link set p0 master br0 up")
        self.wait_until(lambda: seen()[1] == [("192.0.2.0/24", 9)], "the route", d)
        lab.ip("web", "link del p0")
        self.wait_until(lambda: seen() == ([], []), "the end of it", d)
        d.stop()
        self.topod("down", path)

    def test_of_others(self):
        path = self.spec(spec_of(HOPS[1:2], ROUTES[1:2]))
        self.topod("apply", path)
        lab.ip("web", "nexthop add id 77 via 10.0.0.2 dev eth0")
        self.topod("plan", path)
        self.topod("apply", self.spec(spec_of([*HOPS[1:2], "{id: 77, blackhole: true}"], ROUTES[1:2])), expect=lab.EXIT_FAILED)
        self.assertEqual(2, len(seen()[0]))
        self.topod("apply", self.spec(spec_of(HOPS[1:2], ROUTES[1:2], exclusive=True)))
        self.assertEqual(1, len(seen()[0]))
        self.topod("down", path)

    def test_a_group_of_others_in_an_adopted_namespace(self):
        """Without `type` it is taken over as it is; with another one it is refused, because routes would go with it."""
        lab.run("ip", "netns", "add", "theirs")
        lab.ip("theirs", "link set lo up")
        lab.veth("theirs", "v0", "theirs", "v1")
        lab.ip("theirs", "addr add 10.0.0.1/24 dev v0")
        for words in ("nexthop add id 1 via 10.0.0.2 dev v0", "nexthop add id 2 via 10.0.0.3 dev v0",
                      "nexthop add id 10 group 1/2 type resilient buckets 32", "nexthop add id 11 group 1/2",
                      "route add 10.9.0.0/16 nhid 10"):
            lab.ip("theirs", words)
        before = lab.ip("theirs", "nexthop").stdout, lab.routes("theirs")
        text = ("namespaces:\n  theirs:\n    adopt: true\n    interfaces: {v0: {kind: existing}}\n    nexthops:\n"
                "      - {id: 1, via: 10.0.0.2, dev: v0}\n      - {id: 2, via: 10.0.0.3, dev: v0}\n")
        path = self.spec(text + "      - {id: 10, group: [1, 2]}\n      - {id: 11, group: [1, 2]}\n")
        self.topod("plan", path)
        self.spec(text + "      - {id: 10, group: [1, {id: 2, weight: 3}]}\n")
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertIn("id 10 group 1/2,3 type resilient buckets 32", lab.ip("theirs", "nexthop").stdout)
        self.assertIn("10.9.0.0/16 nhid 10", lab.ip("theirs", "route").stdout)
        self.topod("down", path)
        self.assertEqual(before, (lab.ip("theirs", "nexthop").stdout, lab.routes("theirs")))
        self.spec(text + "      - {id: 11, group: [1, 2], type: resilient}\n")
        self.assertIn("differs in 'type', 'buckets', which only a new one can have",
                      self.topod("apply", path, expect=lab.EXIT_FAILED).stderr)
        self.topod("down", path)
        self.assertEqual(before, (lab.ip("theirs", "nexthop").stdout, lab.routes("theirs")))

    def test_mistakes(self):
        for hops, routes, message in [
                (["{id: 1}"], [], "either 'dev', with or without 'via', or 'blackhole: true', or 'group'"),
                (["{id: 1, via: 10.0.0.1}"], [], "needs 'dev'"),
                (["{id: 0, blackhole: true}"], [], "id"),
                (["{id: 1, dev: eth0, type: resilient}"], [], "is for groups only"),
                (["{id: 2, group: [1, 1]}"], [], "twice"),
                (["{id: 2, group: [1]}"], [], "there is no next hop 1 in web"),
                (["{id: 2, group: [3]}", "{id: 3, group: [4]}", "{id: 4, blackhole: true}"], [], "is a group"),
                (["{id: 2, group: [3, 4]}", HOPS[4], "{id: 3, dev: eth0}"], [], "drops everything"),
                ([], ["{to: 10.1.0.0/16, nexthop: 7}"], "there is no next hop 7 in web"),
                (HOPS[1:2], ["{to: 10.1.0.0/16, nexthop: 1, via: 10.0.0.1}"], "'nexthop' replaces"),
                (["{id: 1, via: 10.0.0.1, dev: nope0}"], [], "nope0")]:
            with self.subTest(message=message):
                done = self.topod("check", self.spec(spec_of(hops, routes)), expect=lab.EXIT_SPEC)
                self.assertIn(message, done.stderr)


if __name__ == "__main__":
    lab.main()
