# SPDX-License-Identifier: GPL-2.0-or-later
"""Every topology of specs/ works: it is built, pinged through, planned again, and removed without a trace."""

import contextlib
import errno
import glob
import json
import os
import socket
import subprocess
import unittest

import lab
from lab import HOST, Case

SPECS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "specs")


def spec_path(name):
    return os.path.abspath(os.path.join(SPECS, name + ".yaml"))


class IpNetns:
    """`ip netns monitor`, from before topod creates something until after it is gone."""

    def __init__(self, case, names):
        self.case, self.names = case, names
        self.said, self.rest = [], b""
        self.monitor = subprocess.Popen(["stdbuf", "-oL", "ip", "netns", "monitor"], stdout=subprocess.PIPE)
        # It does not report when it begins to watch: so names are created and deleted until it reports one.
        deadline = lab.time.monotonic() + lab.DEADLINE
        while not self.said:
            if lab.time.monotonic() > deadline:
                case.fail("ip netns monitor does not watch")
            lab.run("ip", "netns", "add", "lab-probe")
            lab.run("ip", "netns", "delete", "lab-probe")
            self.read(0.02)

    def read(self, timeout):
        """Reads its output; False if there is none for so long."""
        fd = self.monitor.stdout.fileno()  # unbuffered: select() must see everything that was not read
        if not lab.select.select([fd], [], [], timeout)[0]:
            return False
        data = os.read(fd, 65536)
        if not data:
            self.case.fail("ip netns monitor ended")
        *whole, self.rest = (self.rest + data).split(b"\n")
        self.said += [line.decode().strip() for line in whole]
        return True

    def heard(self, wanted):
        """Reads until every wanted line has appeared, and drops all lines."""
        wanted = set(wanted)
        while not wanted <= set(self.said):
            if not self.read(lab.DEADLINE):
                self.case.fail(f"ip netns monitor did not say {wanted - set(self.said)} but {self.said}")
        self.said.clear()

    def close(self):
        self.monitor.kill()
        self.monitor.wait()
        self.monitor.stdout.close()

    def check(self):
        listed = {l.split()[0] for l in lab.run("ip", "netns", "list").stdout.splitlines()}
        self.case.assertLessEqual(set(self.names), listed)
        for name in self.names:
            inode = lab.run("ip", "netns", "exec", name, "stat", "-L", "-c", "%i", "/proc/self/ns/net").stdout
            self.case.assertEqual(lab.namespace_id(name), int(inode))
            with contextlib.ExitStack() as stack:
                process = stack.enter_context(subprocess.Popen(
                    ["ip", "netns", "exec", name, "sh", "-c", "echo there; exec cat"],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
                stack.callback(process.stdin.close)
                self.case.assertEqual("there\n", process.stdout.readline())
                self.case.assertEqual([name], lab.run("ip", "netns", "identify", process.pid).stdout.split())
                self.case.assertIn(str(process.pid), lab.run("ip", "netns", "pids", name).stdout.split())


class Specs(Case):
    def build(self, name, namespaces, pings, also=None, needs=(), after=None):
        """The whole life of a spec; also(case) checks it while it exists, `after` is the name of a namespace to delete."""
        for kind in needs:
            if not lab.kernel_has(*kind):
                self.skipTest(f"the kernel has no {kind[0]}")
        spec = spec_path(name)
        netns = IpNetns(self, namespaces)
        self.addCleanup(netns.close)
        before = lab.snapshot()

        self.topod("check", spec)
        plan = self.topod("plan", spec, expect=lab.EXIT_DIFFERENCES).stdout
        for ns in namespaces:
            self.assertIn(ns, plan)
        self.same(before, lab.snapshot(), "check and plan changed something")
        self.assertIsInstance(json.loads(self.topod("plan", "--json", spec, expect=2).stdout), dict)

        self.topod("apply", spec)
        netns.heard(f"add {ns}" for ns in namespaces)
        self.assertEqual(sorted(namespaces), lab.namespaces())
        for ns, to in pings:
            lab.pings(ns, to)
        if also:
            also()

        self.topod("plan", spec, expect=lab.EXIT_DONE)
        exact = self.settle(exact=True)
        self.topod("apply", spec)
        self.same(exact, lab.snapshot(exact=True), "a second apply changed something")
        netns.check()

        # `ip netns delete` is allowed; the next apply recreates it.
        victim = after or namespaces[-1]
        lab.run("ip", "netns", "delete", victim)
        netns.heard([f"delete {victim}"])
        self.topod("plan", spec, expect=lab.EXIT_DIFFERENCES)
        self.topod("apply", spec)
        for ns, to in pings:
            lab.pings(ns, to)
        lab.run("ip", "netns", "delete", victim)
        netns.heard([f"delete {victim}"])

        self.topod("down", spec)
        netns.heard(f"delete {ns}" for ns in namespaces if ns != victim)
        self.assertEqual([], lab.namespaces())
        self.same(before, lab.snapshot(), "down left a trace")

    def test_office(self):
        self.build("office", ["web", "db"], [("web", "10.0.0.3"), ("db", "10.0.0.1"), (HOST, "10.0.0.2")])
        with open(os.path.join(SPECS, "..", "README.md")) as readme, open(spec_path("office")) as spec:
            self.assertIn("```yaml\n" + spec.read().split("\n\n", 1)[1].split("\n# yaml-language-server")[0] + "```", readme.read())

    def test_ranges(self):
        chain = [f"c{n}" for n in range(1, 6)]
        hosts = [f"h{n}" for n in range(1, 21)]
        servers = [f"s{n}" for n in range(1, 6)]
        self.build("ranges", ["left", "right", "r", *hosts, *servers, *chain],
                   [("h1", "10.1.0.21"), ("h20", "10.2.0.6"), ("s5", "fd01::2"), ("c1", "10.9.0.14"), ("c5", "10.9.0.1")])

    def test_cluster(self):
        def names():
            self.assertIn("192.0.2.3", lab.run("ip", "netns", "exec", "node1", "getent", "hosts", "node3").stdout)
        self.build("cluster", ["fabric", *(f"{name}{n}" for n in (1, 2, 3) for name in ("node", "a", "b"))],
                   [("node1", "192.0.2.2"), ("a1", "10.244.1.12"), ("a1", "10.244.3.11"), ("b2", "10.244.3.12"), ("node3", "10.244.2.11")],
                   also=names, needs=[("vxlan id 1 dstport 4789",)], after="a3")

    def test_pair(self):
        self.build("pair", ["left", "right"],
                   [("left", "10.0.0.2"), ("right", "10.0.0.1"), ("left", "fd00::2"), ("right", "fd00::1")])

    def test_pair_named_ends(self):
        self.build("pair-named-ends", ["red", "blue"], [("red", "10.0.0.2"), ("blue", "10.0.0.1")])

    def test_bridge(self):
        self.build("bridge", ["web", "app", "db"],
                   [("web", "10.0.0.1"), ("web", "10.0.0.12"), ("app", "10.0.0.13"), (HOST, "10.0.0.11"),
                    ("db", "fd00:1::1"), ("db", "fd00:1::11"), (HOST, "fd00:1::12")])

    def test_nat(self):
        def published():
            for server, client, address, family_any in (
                    ("web", "outside", "203.0.113.2", "0.0.0.0"),
                    ("web", "outside", "2001:db8:1::2", "::")):
                with lab.Connection(client, address, 8080, server, family_any, 80) as connection:
                    connection.say(b"hello through the published port")
                    # The server sees the real client: dnat changes the destination, not the source.
                    self.assertIn(connection.peer[0], ("203.0.113.1", "2001:db8:1::1"))
            # Outgoing packets have the host's address; otherwise the outside could not answer.
            for address, family_any in (("203.0.113.1", "0.0.0.0"), ("2001:db8:1::1", "::")):
                with lab.Connection("app", address, 9000, "outside", family_any) as connection:
                    connection.say(b"from inside")
                    self.assertIn(connection.peer[0], ("203.0.113.2", "2001:db8:1::2"))

        self.build("nat", ["web", "app", "db", "outside"],
                   [("web", "10.0.0.1"), ("web", "203.0.113.1"), ("app", "2001:db8:1::1"), ("db", "203.0.113.1"),
                    ("db", "fd00:1::11"), (HOST, "203.0.113.1"), ("outside", "203.0.113.2")],
                   also=published)

    def test_filter(self):
        def filtered():
            for client, address, port, server_port, seen in (
                    ("outside", "203.0.113.1", 8080, 80, "203.0.113.9"), ("pc", "203.0.113.1", 8080, 80, "10.0.0.1")):
                with lab.Connection(client, address, port, "web", listen_port=server_port) as connection:
                    connection.say(b"hello through the published port")
                    self.assertEqual(seen, connection.peer[0])
            with lab.Connection("pc", "203.0.113.9", 80, "outside") as connection:
                connection.say(b"to the outside")
            with lab.inside("outside"), socket.socket(socket.AF_INET6) as s:
                s.settimeout(lab.DEADLINE)
                self.assertEqual(errno.ECONNREFUSED, s.connect_ex(("fd00:1::12", 80)))  # rejected at once

        self.build("filter", ["router", "web", "pc", "outside"],
                   [("pc", "10.0.0.1"), ("pc", "203.0.113.9"), ("outside", "203.0.113.1"), ("outside", "2001:db8:1::1"),
                    ("pc", "fd00:1::1"), ("pc", "2001:db8:1::9")], also=filtered)

    def test_routers(self):
        hosts = {"h1": "10.1.1.2", "h2": "10.1.2.2", "h3": "10.2.1.2", "h4": "10.2.2.2"}
        hosts6 = {"h1": "fd00:1:1::2", "h2": "fd00:1:2::2", "h3": "fd00:2:1::2", "h4": "fd00:2:2::2"}
        self.build("routers", ["r1", "r2", *hosts],
                   [(a, table[b]) for table in (hosts, hosts6) for a in hosts for b in hosts if a < b])

    def test_macvlan(self):
        def modes():
            for ns in ("c1", "c2"):
                self.assertEqual("bridge", lab.link(ns, "eth0")["linkinfo"]["info_data"]["mode"])
        lab.veth(HOST, "probe0", HOST, "probe1")
        has = lab.kernel_has("macvlan", "link", "probe0")
        lab.ip(HOST, "link del probe0")
        if not has:
            self.skipTest("the kernel has no macvlan")
        self.build("macvlan", ["c1", "c2", "lan"],
                   [("c1", "192.168.7.12"), ("c2", "192.168.7.11"), ("c1", "192.168.7.1"), ("lan", "192.168.7.12"),
                    ("c2", "fd00:7::11"), ("c1", "fd00:7::1")], also=modes)

    def test_tap(self):
        self.build("tap", ["machines"], [("machines", "10.6.0.1")])

    def test_vxlan(self):
        def overlay():
            # A full frame passes without fragmentation.
            with lab.inside("web1"):
                lab.run("ping", "-n", "-c1", "-W2", "-M", "do", "-s", "1422", "10.7.0.22")
        self.build("vxlan", ["m1", "m2", "web1", "db1", "web2", "db2"],
                   [("web1", "10.7.0.12"), ("web1", "10.7.0.21"), ("db2", "10.7.0.11"), ("db2", "fd00:7::21")],
                   also=overlay, needs=[("vxlan id 1 dstport 4789",)], after="web2")

    def test_srv6(self):
        def by_way_of_south():
            before = [lab.link_packets(*way) for way in (("south", "west"), ("north", "west"), ("south", "east"), ("north", "east"))]
            with lab.inside("west"):
                lab.run("ping", "-n", "-c5", "-i0.2", "-W2", "-I", "2001:db8:1::1", "2001:db8:2::1")
            after = [lab.link_packets(*way) for way in (("south", "west"), ("north", "west"), ("south", "east"), ("north", "east"))]
            there_south, there_north, back_south, back_north = (b - a for a, b in zip(before, after))
            self.assertGreaterEqual(there_south, 5)
            self.assertGreaterEqual(back_north, 5)
            self.assertLess(there_north, 5, "neighbour discovery at most")
            self.assertLess(back_south, 5)
        self.build("srv6", ["west", "east", "north", "south"], [], also=by_way_of_south)

    def test_diamond(self):
        def both_ways():
            # So many connections that all taking one path is practically impossible (2 in 3 go north: below 10**-10).
            seen = set()
            for way in ("north", "south"):
                before = lab.link_packets(way, "west")
                lab.datagrams("west", "10.255.0.2", range(20000, 20064))
                if lab.link_packets(way, "west") - before >= 5:
                    seen.add(way)
            self.assertEqual({"north", "south"}, seen)
            hops = lab.route("west", "10.255.0.2")["nexthops"]
            self.assertEqual({("10.1.0.2", 2), ("10.2.0.2", 1)}, {(h["gateway"], h["weight"]) for h in hops})
        self.build("diamond", ["west", "east", "north", "south"],
                   [("west", "10.255.0.2"), ("east", "10.255.0.1"), ("west", "fd00:ff::2"), ("east", "fd00:ff::1"),
                    ("west", "10.1.0.2"), ("west", "10.2.0.2")], also=both_ways)


class SideBySide(Case):
    """Two topologies that use the same names and addresses inside."""

    def test_side_by_side(self):
        before = lab.snapshot()
        both = [("a", spec_path("side-by-side-a")), ("b", spec_path("side-by-side-b"))]
        names = ["router", "client", "server"]

        def works(x):
            for to in ("10.0.1.1", "10.0.2.2", "fd00:2::2"):
                lab.pings(f"{x}-client", to)

        for x, spec in both:
            self.topod("apply", spec)
        for x, spec in both:
            works(x)
            self.topod("plan", spec, expect=0)
        self.assertEqual(sorted(f"{x}-{n}" for x in "ab" for n in names), lab.namespaces())

        b_alone = {k: v for k, v in self.settle(exact=True).items() if k.startswith("netns b-")}
        self.topod("down", both[0][1])
        self.assertEqual(sorted(f"b-{n}" for n in names), lab.namespaces())
        self.same(b_alone, {k: v for k, v in lab.snapshot(exact=True).items() if k.startswith("netns ")},
                  "removing one topology touched the other")
        works("b")
        self.topod("plan", both[1][1], expect=0)
        self.topod("down", both[1][1])
        self.same(before, lab.snapshot(), "down left a trace")

    def test_two_daemons(self):
        daemons = [self.daemon(spec_path(f"side-by-side-{x}")) for x in "ab"]
        for d in daemons:
            d.ready()
        with daemons[0].expects(r"drift: a-client/eth0: .*10\.0\.1\.2/24"):
            lab.ip("a-client", "addr del 10.0.1.2/24 dev eth0")
        lab.pings("a-client", "10.0.2.2")
        lab.pings("b-client", "10.0.2.2")
        daemons[1].drain()
        self.assertIsNone(daemons[1].find("drift:"), "one daemon reports the other's drift")
        for d in daemons:
            d.stop()

    def test_one_daemon_per_topology(self):
        spec = spec_path("pair")
        first = self.daemon(spec).ready()
        second = self.daemon(spec)
        self.assertNotEqual(0, second.wait_end())
        self.assertTrue(second.find("pair"), second.lines)
        first.drain()
        self.assertIsNone(first.process.poll())
        first.stop()


class EverySpec(unittest.TestCase):
    def test_every_file_has_a_test(self):
        """A file added to specs/ without a test is a mistake."""
        text = ""
        for path in (os.path.abspath(__file__), *glob.glob(os.path.join(SPECS, "..", "tests", "vm", "test_*.py"))):
            with open(path) as f:
                text += f.read()
        for name in sorted(os.listdir(SPECS)):
            if name.endswith(".yaml") and not name.startswith("side-by-side-"):
                self.assertRegex(text, rf'self\.build\("{name[:-5]}"|specs/{name}')


if __name__ == "__main__":
    lab.main()
