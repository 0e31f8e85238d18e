# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGHUP and `topod reload`: only what differs in the new file is changed. Also `topod status`."""

import json
import os

import lab
from lab import HOST, OFFICE, Case, edit


class Reload(Case):
    text = OFFICE

    def setUp(self):
        super().setUp()
        self.before = lab.snapshot()
        self.path = self.spec(self.text)
        self.d = self.daemon(self.path).ready()

    def change(self, *changes):
        """Edits the file and makes the daemon reload it."""
        self.text = edit(self.text, *changes)
        self.spec(self.text)
        self.d.reload()
        self.topod("plan", self.path, expect=0)

    def finish(self):
        """Ends a test: exactly what the file declares exists, and nothing after `down`."""
        self.d.stop()
        self.topod("down", self.path)
        self.same(self.before, lab.snapshot(), "down left a trace")


class Minimal(Reload):
    def test_reload_of_an_unchanged_file_changes_nothing(self):
        exact = self.settle(exact=True)
        self.d.reload()
        self.same(exact, lab.snapshot(exact=True))
        self.finish()

    def test_the_rest_is_untouched(self):
        """Connections across unchanged paths survive; links keep their index, and there are no events about them."""
        with lab.Connection("web", "203.0.113.1", 9000, "outside", "0.0.0.0") as masqueraded, \
                lab.Connection("outside", "203.0.113.2", 8080, "web", "0.0.0.0", 80) as published, \
                lab.Connection("db", "10.8.0.1", 9000, "lone", "0.0.0.0") as direct, \
                lab.Monitor("outside") as outside:
            for c in (masqueraded, published, direct):
                c.say(b"before")
            self.settle(usable=True)  # after this the kernel causes no events by itself
            web = lab.snapshot_namespace("web", exact=True)
            lone = lab.snapshot_namespace("lone", exact=True)
            outside.heard()
            self.change(
                ("        ageing-time: 100s\n", "        ageing-time: 200s\n"),
                ("        addresses: [10.0.0.12/24]\n", "        addresses: [10.0.0.12/24, 10.0.0.22/24]\n"),
                ("          - {name: c2, hairpin: true, cost: 77}\n", "          - {name: c2, cost: 78}\n"),
                ("    nat:\n", "    nat:\n      - {action: masquerade, source: 10.9.0.0/24, out: uplink}\n"),
                ("          - {via: 10.0.0.1, weight: 3}\n", "          - {via: 10.0.0.1, weight: 5}\n"))
            for c in (masqueraded, published, direct):
                c.say(b"after")
            self.assertEqual(web, lab.snapshot_namespace("web", exact=True))
            self.assertEqual(lone, lab.snapshot_namespace("lone", exact=True))
            new_or_gone = {16, 17, 20, 21, 24, 25}  # RTM_NEWLINK, DELLINK, NEWADDR, DELADDR, NEWROUTE, DELROUTE
            own = [t for t in outside.heard() if t in new_or_gone]
            self.assertEqual([], own, "a namespace of which nothing changed was touched")
        self.finish()

    def test_attributes_change_in_place(self):
        index = {(ns, n): lab.link(ns, n)["ifindex"] for ns, n in
                 ((HOST, "br0"), (HOST, "c2"), ("web", "eth0"), ("db", "eth0"))}
        self.change(
            ("        ageing-time: 100s\n", "        ageing-time: 50s\n"),
            ("        forward-delay: 4s\n", "        forward-delay: 3s\n        stp: true\n"),
            ("hairpin: true, cost: 77", "isolated: true, cost: 9"),
            ("        mtu: 1400\n", "        mtu: 1350\n        txqueuelen: 55\n"),
            ('"02:00:00:00:00:12"', '"02:00:00:00:00:13"'))
        for (ns, n), i in index.items():
            self.assertEqual(i, lab.link(ns, n)["ifindex"], f"{ns}/{n} was made anew")
        br0 = lab.link(HOST, "br0")["linkinfo"]["info_data"]
        self.assertEqual((5000, 300, 1), (br0["ageing_time"], br0["forward_delay"], br0["stp_state"]))
        port = next(p for p in lab.bridge_json(HOST, "link show") if p["ifname"] == "c2")
        self.assertEqual((9, True, False), (port["cost"], port["isolated"], port["hairpin"]))
        eth0 = lab.link("web", "eth0")
        self.assertEqual((1350, 55), (eth0["mtu"], eth0["txqlen"]))
        self.assertEqual("02:00:00:00:00:13", lab.link("db", "eth0")["address"])
        self.finish()

    def test_addresses_and_routes(self):
        self.change(
            ("        addresses: [10.0.0.12/24]\n", "        addresses: [10.0.0.13/24]\n"),
            ("{to: 10.77.0.0/16, via: 10.0.0.12, metric: 50, mtu: 1300}",
             "{to: 10.77.0.0/16, via: 10.0.0.1, metric: 50}"),
            ("      - {to: 10.66.0.0/16, type: blackhole}\n", "      - {to: 10.67.0.0/16, type: unreachable}\n"))
        self.assertEqual(["10.0.0.13/24"], [a for a in lab.addresses("db", "eth0") if a.startswith("10.")])
        changed = lab.route("web", "10.77.0.0/16")
        self.assertEqual(("10.0.0.1", 50), (changed["gateway"], changed["metric"]))
        self.assertNotIn("1300", json.dumps(changed))
        self.assertIsNone(lab.route("web", "10.66.0.0/16"))
        self.assertEqual("unreachable", lab.route("web", "10.67.0.0/16")["type"])
        self.finish()

    def test_a_route_changes_in_place(self):
        """It exists at every moment: there is no event of a deletion."""
        self.settle()
        with lab.Monitor("web", "db") as monitor:
            self.change(("{to: 10.77.0.0/16, via: 10.0.0.12, metric: 50, mtu: 1300}",
                         "{to: 10.77.0.0/16, via: 10.0.0.1, metric: 50, mtu: 1200}"),
                        ("          - {via: 10.0.0.1, weight: 3}\n", "          - {via: 10.0.0.1, weight: 5}\n"))
            heard = monitor.heard()
        self.assertIn(24, heard)  # RTM_NEWROUTE
        self.assertNotIn(25, heard, "a route was deleted")  # RTM_DELROUTE
        self.finish()

    def test_metrics_leave_a_route(self):
        self.change(("via: 10.0.0.12, metric: 50, mtu: 1300}", "via: 10.0.0.12, metric: 50, advmss: 900}"))
        self.assertEqual([{"advmss": 900}], lab.route("web", "10.77.0.0/16")["metrics"])
        self.change((", advmss: 900}", "}"))
        self.assertNotIn("metrics", lab.route("web", "10.77.0.0/16"))
        self.finish()

    def test_source_and_on_link_leave_a_route(self):
        self.change(("via: 10.0.0.12, metric: 50, mtu: 1300}", "via: 10.9.9.9, dev: eth0, on-link: true, metric: 50, src: 10.0.0.11}"))
        route = lab.route("web", "10.77.0.0/16")
        self.assertEqual(("10.0.0.11", ["onlink"]), (route["prefsrc"], route["flags"]))
        self.change((", src: 10.0.0.11}", "}"))
        self.assertNotIn("prefsrc", lab.route("web", "10.77.0.0/16"))
        self.change(("via: 10.9.9.9, dev: eth0, on-link: true,", "via: 10.0.0.12, dev: eth0,"))
        self.assertEqual([], lab.route("web", "10.77.0.0/16")["flags"])
        self.finish()


class Structure(Reload):
    def test_added(self):
        self.change(
            ("  lone:\n", "  fresh:\n    interfaces:\n      eth0: {addresses: [10.0.0.50/24]}\n  lone:\n"),
            ("          - c1\n", "          - c1\n          - c5\n"),
            ("links:\n", "links:\n  - [fresh:eth0, host:c5]\n"))
        lab.pings("fresh", "10.0.0.12")
        self.finish()

    def test_removed(self):
        self.change(
            ("  lone:\n    interfaces:\n      side: {addresses: [10.8.0.1/24]}\n", ""),
            ("      side: {addresses: [10.8.0.2/24]}\n", ""),
            ("          - {via: 10.8.0.1}\n", ""),
            ("  - [db:side, lone:side]\n", ""),
            ("    dns: {servers: [10.0.0.1], search: [office.example]}\n", ""),
            ('      - {action: dnat, in: uplink, protocol: tcp, port: 8080, to: "10.0.0.11:80"}\n', ""))
        self.assertEqual(["db", "outside", "web"], lab.namespaces())
        self.assertIsNone(lab.link("db", "side"))
        self.assertFalse(os.path.exists("/etc/netns/web/resolv.conf"))
        self.assertNotIn("8080", lab.nft(HOST, "list ruleset").stdout)
        lab.pings("web", "203.0.113.1")
        self.finish()

    def test_last_nat_rule_removed(self):
        self.change(
            ("    nat:\n", ""),
            ("      - {action: masquerade, source: 10.0.0.0/24, out: uplink}\n", ""),
            ('      - {action: dnat, in: uplink, protocol: tcp, port: 8080, to: "10.0.0.11:80"}\n', ""))
        self.assertEqual("", lab.nft(HOST, "list ruleset").stdout.strip())
        self.finish()

    def test_rewired(self):
        """An end gets another partner: the pair is recreated, other links are not."""
        index = lab.link("db", "side")["ifindex"]
        self.change(("  - [web:eth0, host:c1]\n", "  - [web:eth0, host:c9]\n"),
                    ("          - c1\n", "          - c9\n"))
        self.assertIsNone(lab.link(HOST, "c1"))
        self.assertEqual(index, lab.link("db", "side")["ifindex"])
        lab.pings("web", "203.0.113.1")
        self.finish()

    def test_renamed_topology_is_refused_or_complete(self):
        """Ownership depends on the name: a running daemon cannot change it."""
        self.text = edit(self.text, ("topology: office\n", "topology: bureau\n"))
        exact = self.settle(exact=True)
        self.spec(self.text)
        self.assertNotEqual(0, self.topod("reload", "office", expect=(1, 78)).returncode)
        self.same(lab.state_only(exact), lab.state_only(lab.snapshot(exact=True)))
        self.spec(edit(self.text, ("topology: bureau\n", "topology: office\n")))
        self.finish()


class BackToDefault(Reload):
    """Fields that are removed from the file return to their former values."""

    def test_attributes(self):
        self.change(
            ("        ageing-time: 100s\n        forward-delay: 4s\n", ""),
            ("          - {name: c2, hairpin: true, cost: 77}\n", "          - c2\n"),
            ("        mtu: 1400\n", ""),
            ("      net.ipv4.conf.eth0.rp_filter: 2\n      net.ipv4.ip_default_ttl: 99\n",
             "      net.ipv4.conf.eth0.arp_filter: 1\n"))
        br0 = lab.link(HOST, "br0")["linkinfo"]["info_data"]
        self.assertEqual((30000, 1500), (br0["ageing_time"], br0["forward_delay"]))
        port = next(p for p in lab.bridge_json(HOST, "link show") if p["ifname"] == "c2")
        self.assertFalse(port["hairpin"])
        self.assertNotEqual(77, port["cost"])
        self.assertEqual(1500, lab.link("web", "eth0")["mtu"])
        self.assertEqual("64", lab.sysctl_get("web", "net.ipv4.ip_default_ttl"))
        default = lab.sysctl_get("web", "net.ipv4.conf.default.rp_filter")
        self.assertEqual(default, lab.sysctl_get("web", "net.ipv4.conf.eth0.rp_filter"))
        self.finish()

    def test_forwarding(self):
        self.change(("    forwarding: true\n", ""))
        self.assertEqual("0", lab.sysctl_get(HOST, "net.ipv4.ip_forward"))
        self.finish()


class Foreign(Case):
    """On foreign objects, the value before the first change is restored."""

    def test_existing_interface_and_sysctls(self):
        lab.veth(HOST, "nic", HOST, "wire")
        lab.ip(HOST, "link set nic mtu 1444")
        lab.ip(HOST, "link set wire mtu 1444")
        lab.sysctl_set(HOST, "net.ipv4.tcp_keepalive_time", 3333)
        before = self.settle(exact=True)
        text = """\
topology: foreign
namespaces:
  host:
    interfaces:
      nic: {kind: existing, mtu: 1300, addresses: [192.0.2.1/24]}
      br0: {kind: bridge, ports: [nic]}
    sysctl: {net.ipv4.tcp_keepalive_time: 1000}
"""
        path = self.spec(text, "foreign.yaml")
        d = self.daemon(path).ready()
        self.assertEqual(1300, lab.link(HOST, "nic")["mtu"])
        self.assertEqual("br0", lab.link(HOST, "nic")["master"])
        self.spec(edit(text, ("mtu: 1300, ", ""), ("    sysctl: {net.ipv4.tcp_keepalive_time: 1000}\n", "")),
                  "foreign.yaml")
        d.reload()
        self.assertEqual(1444, lab.link(HOST, "nic")["mtu"])
        self.assertEqual("3333", lab.sysctl_get(HOST, "net.ipv4.tcp_keepalive_time"))
        self.assertIn("192.0.2.1/24", lab.addresses(HOST, "nic"))
        d.stop()
        self.topod("down", path)
        self.same(before, lab.snapshot(exact=True), "down left a trace")

    def test_physical_interface_is_given_back(self):
        """A veth end in the host stands for a card of the machine."""
        lab.veth(HOST, "nic", HOST, "wire", "192.0.2.9/24")
        lab.ip(HOST, "link set nic mtu 1444")
        before = self.settle()
        text = """\
topology: physical
namespaces:
  box:
    interfaces:
      eth0: {kind: physical, source: nic, addresses: [10.3.0.1/24]}
"""
        path = self.spec(text, "physical.yaml")
        d = self.daemon(path).ready()
        self.assertIsNone(lab.link(HOST, "nic"))
        self.assertIn("10.3.0.1/24", lab.addresses("box", "eth0"))
        self.spec("topology: physical\nnamespaces: {box: {}}\n", "physical.yaml")
        d.reload()
        nic = lab.link(HOST, "nic")
        self.assertIsNotNone(nic, "not given back")
        self.assertEqual(1444, nic["mtu"])
        self.spec(text, "physical.yaml")
        d.reload()
        self.assertIsNone(lab.link(HOST, "nic"))
        d.stop()
        self.topod("down", path)
        self.assertEqual([], lab.namespaces())
        self.assertIsNotNone(lab.link(HOST, "nic"), "not given back")
        # The kernel removed its addresses when it was moved into the namespace; everything else is as before.
        after = lab.snapshot()
        for place in ("links", "nft", "rules4"):
            was = [l.replace('"UP", ', "").replace(', "UP"', "") for l in before["host"][place]]
            now = [l.replace('"UP", ', "").replace(', "UP"', "") for l in after["host"][place]]
            self.assertEqual(was, now)


class BadFile(Reload):
    def refused(self, how):
        """The topology is unchanged, and still enforced."""
        exact = lab.state_only(self.settle(exact=True))
        how()
        self.same(exact, lab.state_only(lab.snapshot(exact=True)), "a bad file changed something")
        with self.d.expects(r"drift: web/eth0: .*10\.0\.0\.11/24.*restored"):
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
        self.assertIn("10.0.0.11/24", lab.addresses("web", "eth0"))

    def test_sighup(self):
        self.spec(edit(self.text, ("mtu: 1400", "mut: 1400"), ("kind: bridge", "kind: bridgee")))

        def hup():
            since = len(self.d.notices)
            with self.d.expects(r"office\.yaml:\d+:\d+: error: .*mut"):
                with self.d.expects(r"office\.yaml:\d+:\d+: error: .*bridgee"):
                    self.d.process.send_signal(lab.signal.SIGHUP)
            self.d.wait_notice("RELOADING", "1", since)
            self.d.wait_notice("READY", "1", since)
            self.assertTrue(any("error" in n.get("STATUS", "") for n in self.d.notices[since:]),
                            "STATUS= does not say that the file was refused")
        self.refused(hup)
        # With the file corrected it works again.
        self.change(("        mtu: 1400\n", "        mtu: 1399\n"))
        self.assertEqual(1399, lab.link("web", "eth0")["mtu"])
        self.finish()

    def test_reload_verb(self):
        self.spec(edit(self.text, ("mtu: 1400", "mut: 1400")))

        def verb():
            done = self.topod("reload", "office", expect=lab.EXIT_SPEC)
            self.assertRegex(done.stderr, r"office\.yaml:\d+:\d+: error: .*mut")
        self.refused(verb)
        self.spec(edit(self.text, ("mtu: 1400", "mtu: 1399")))
        self.topod("reload", "office")
        # When it returns, the work is done.
        self.assertEqual(1399, lab.link("web", "eth0")["mtu"])
        self.d.stop()

    def test_file_gone(self):
        os.rename(self.path, self.path + ".away")
        self.refused(lambda: self.topod("reload", "office", expect=(1, 78)))
        os.rename(self.path + ".away", self.path)
        self.topod("reload", "office")
        self.finish()

    def test_file_declares_nothing(self):
        """A half-written file, as an editor or a copy leaves it for a moment. Nothing is removed unless the file says so."""
        for text in ("", "# nothing\n", "topology: office\n"):
            with self.subTest(text=text):
                self.spec(text)
                self.refused(lambda: self.topod("reload", self.path, expect=lab.EXIT_SPEC))
        self.spec("topology: office\nnamespaces: {}\n")
        self.d.reload()
        self.assertEqual([], lab.namespaces())
        self.d.stop()

    def test_file_is_no_yaml(self):
        self.spec("namespaces: [\n")
        self.refused(lambda: self.topod("reload", "office", expect=lab.EXIT_SPEC))
        self.d.stop()


class ByItsFile(Reload):
    """A file name means the daemon that manages this file, regardless of its present content."""

    def refused(self, what, how=None):
        done = self.topod("reload", how or self.path, expect=lab.EXIT_SPEC)
        self.assertRegex(done.stderr, what)
        self.assertIn("'office': the file was refused", done.stderr)

    def test_another_topology(self):
        self.spec(edit(self.text, ("topology: office\n", "topology: other\n")))
        self.refused(r"office\.yaml: error: .*the topology 'other', but 'office' is running")
        self.assertIn("office", self.topod("status", self.path).stdout)

    def test_no_yaml(self):
        text = edit(self.text, ("topology: office\n", "topology: bureau\n"))
        self.d.stop()
        self.topod("down", self.path)
        self.d = self.daemon(self.spec(text)).ready()
        self.spec("namespaces: [\n")
        done = self.topod("reload", self.path, expect=lab.EXIT_SPEC)
        self.assertRegex(done.stderr, r"office\.yaml:\d+:\d+: error: (.|\n)*'bureau': the file was refused")

    def test_file_gone(self):
        os.unlink(self.path)
        self.refused(r"office\.yaml: error: No such file")

    def test_by_another_way(self):
        """Relative paths, on both sides, and a path through a symbolic link."""
        self.d.stop()
        home = os.getcwd()
        self.addCleanup(os.chdir, home)
        os.chdir(self.directory)
        self.d = self.daemon("office.yaml").ready()
        self.spec(edit(self.text, ("topology: office\n", "topology: other\n")))
        os.symlink(self.path, f"{self.directory}/link.yaml")
        for where, path in ((self.directory, "office.yaml"), ("/", self.path[1:]), ("/", f"{self.directory}/link.yaml")):
            with self.subTest(path=path):
                os.chdir(where)
                self.refused("now names the topology 'other'", path)

    def test_the_name_of_another_daemon(self):
        """A file that takes another one's topology name still reaches its own daemon."""
        second = self.daemon(self.spec("topology: second\nnamespaces: {second: {}}\n", "second.yaml"))
        second.ready()
        self.spec(edit(self.text, ("topology: office\n", "topology: second\n")))
        self.refused("now names the topology 'second'")


class Verbs(Reload):
    def test_reload_without_a_daemon(self):
        self.d.stop()
        done = self.topod("reload", "office", expect=lab.EXIT_FAILED)
        self.assertIn("office", done.stderr)
        done = self.topod("reload", "nothing-of-that-name", expect=lab.EXIT_FAILED)
        self.assertIn("nothing-of-that-name", done.stderr)

    def test_status(self):
        text = self.topod("status", "office").stdout
        self.assertIn("office", text)
        self.assertIn("converged", text)
        self.assertIn("office", self.topod("status").stdout)  # the only one that runs
        answer = json.loads(self.topod("status", "--json", "office").stdout)["topologies"][0]
        self.assertEqual("office", answer["topology"])
        self.assertEqual("converged", answer["state"])
        # A drift is counted and shown.
        with self.d.expects(r"drift: web/eth0: .*10\.0\.0\.11/24"):
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
        self.assertIn("10.0.0.11/24", self.topod("status", "office").stdout)
        self.assertIn("10.0.0.11/24", self.topod("status", "--json", "office").stdout)
        self.d.stop()
        self.topod("status", "office", expect=lab.EXIT_NOT_RUNNING)

    def test_plan_beside_a_daemon(self):
        """A plan of an edited file shows what a reload will do, and does nothing."""
        path = self.spec(edit(self.text, ("mtu: 1400", "mtu: 1399")), "edited.yaml")
        exact = self.settle(exact=True)
        plan = self.topod("plan", path, expect=lab.EXIT_DIFFERENCES).stdout
        self.assertRegex(plan, r"mtu\b.*1400.*1399")
        self.assertIn("web", plan)
        self.assertNotIn("lone", plan)
        self.same(exact, lab.snapshot(exact=True))
        self.d.stop()

    def test_usage(self):
        for args in ((), ("frobnicate",), ("plan",), ("apply", "--frobnicate", self.path)):
            self.topod(*args, expect=lab.EXIT_USAGE)
        self.d.stop()

    def test_stop_leaves_the_network(self):
        exact = self.settle(exact=True)
        self.d.stop()
        self.same(lab.state_only(exact), lab.state_only(lab.snapshot(exact=True)))
        # A new daemon finds everything in place.
        d = self.daemon(self.path).ready()
        self.same(lab.state_only(exact), lab.state_only(lab.snapshot(exact=True)))
        d.stop()


class OnStop(Case):
    def test_remove(self):
        before = lab.snapshot()
        d = self.daemon(self.spec(edit(OFFICE, ("topology: office\n", "topology: office\non-stop: remove\n")))).ready()
        lab.pings("web", "203.0.113.1")
        d.stop()
        self.same(before, lab.snapshot(), "stopping left a trace")

    def test_removing_takes_its_time(self):
        """As long as a removal makes progress, the supervisor is asked for more time."""
        d = self.daemon(self.spec("on-stop: remove\nnamespaces:\n" + "".join(f"  n{i}: {{}}\n" for i in range(300)))).ready()
        d.stop()
        stopping = next(i for i, n in enumerate(d.notices) if n.get("STOPPING") == "1")
        self.assertTrue(any("EXTEND_TIMEOUT_USEC" in n for n in d.notices[stopping:]), "no more time was asked for")
        self.assertEqual([], lab.namespaces())

    def test_hand_over(self):
        """SIGUSR1, which a restart sends: the network stays, regardless of the file."""
        path = self.spec(edit(OFFICE, ("topology: office\n", "topology: office\non-stop: remove\n")))
        d = self.daemon(path).ready()
        exact = self.settle(exact=True)
        d.process.send_signal(lab.signal.SIGUSR1)
        self.assertEqual(0, d.wait_end())
        d.look_for_sanitizer()
        self.same(lab.state_only(exact), lab.state_only(lab.snapshot(exact=True)))
        d = self.daemon(path).ready()
        self.same(lab.state_only(exact), lab.state_only(lab.snapshot(exact=True)))
        d.stop()


if __name__ == "__main__":
    lab.main()
