# SPDX-License-Identifier: GPL-2.0-or-later
"""Maintenance: `topod pause` and `topod resume`. During a pause the kernel is scanned and not changed."""

import json
import os

import lab
from lab import HOST, OFFICE, Case, edit


class Pause(Case):
    def paused(self, *args, text=OFFICE):
        path = self.spec(text)
        d = self.daemon(path).ready()
        self.topod("pause", "office", *args)
        d.wait_line("^paused for ")
        return path, d

    def state(self):
        return json.loads(self.topod("status", "office", "--json").stdout)["topologies"][0]

    def test_drift_waits_for_the_resumption(self):
        _, d = self.paused()
        before = self.settle(exact=True)
        with d.expects(r"^drift: web/eth0: address 10\.0\.0\.11/24 was removed; left alone while paused$"):
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
        with d.expects(r"^drift: host/br0: ageing-time was changed .*; left alone while paused$"):
            lab.ip(HOST, "link set br0 type bridge ageing_time 20000")
        with d.expects("^drift: host: nftables table was removed; left alone while paused$"):
            lab.nft(HOST, "flush ruleset")
        self.assertNotIn("10.0.0.11/24", lab.addresses("web", "eth0"))
        self.assertEqual(20000, lab.link(HOST, "br0")["linkinfo"]["info_data"]["ageing_time"])
        status = self.state()
        self.assertEqual("degraded", status["state"])
        # The address, two routes by it, the bridge, and the nftables table.
        self.assertEqual((5, 5, 0), (status["held"], status["drifts"], status["restored"]))
        self.assertGreater(status["paused_until_usec"], 0)
        self.assertEqual({"held"}, {t["state"] for t in status["troubles"]})
        self.assertRegex(self.topod("status", "office").stdout, r"paused for another .*(?s:.*)5 drifted and left while paused")
        d.drain()
        self.assertRegex(d.notices[-1]["STATUS"], r"^Paused until \d\d:\d\d:\d\d; Degraded: 5 different, left while paused")

        self.assertIn("resumed; converged", self.topod("resume").stdout)
        self.same(before, lab.snapshot(exact=True))
        d.wait_line("^resumed: asked for by ")
        d.wait_line(r"^drift: web/eth0: address 10\.0\.0\.11/24 was removed; restored in ")
        status = self.state()
        self.assertEqual(("converged", 0, 0), (status["state"], status["held"], status["paused_until_usec"]))
        # Drift found during the pause is not counted again.
        self.assertEqual(status["drifts"], status["restored"])
        d.stop()

    def test_what_is_put_back_by_hand(self):
        _, d = self.paused()
        with d.expects("mtu .*left alone while paused$"):
            lab.ip("web", "link set eth0 mtu 1300")
        with d.expects("^recovered: web/eth0: .*is as declared again"):
            lab.ip("web", "link set eth0 mtu 1400")
        self.assertEqual(("converged", 0), (self.state()["state"], self.state()["held"]))
        d.stop()

    def test_removed_links_and_namespaces(self):
        """Their loss is not recorded, they are not recreated, and their remains are not removed."""
        _, d = self.paused()
        with d.expects("^drift: .*c2.*left alone while paused$"):
            lab.ip("db", "link del eth0")
        with d.expects("^drift: lone.*left alone while paused$"):
            lab.run("umount", "-l", "/run/netns/lone")
        with d.expects("^drift: web.*left alone while paused$"):
            lab.ip(HOST, "netns del web")
        self.assertIsNone(lab.link("db", "eth0"))
        self.assertTrue(os.path.exists("/run/netns/lone"), "the empty name")
        self.assertTrue(os.path.exists("/etc/netns/web/resolv.conf"), "what the namespace had beside it")
        self.assertNotIn("lone", lab.namespaces())
        self.topod("resume", "office")
        lab.pings("web", "203.0.113.1")
        self.topod("plan", f"{self.directory}/office.yaml")
        d.stop()
        self.topod("down", "office")
        self.assertEqual([], lab.namespaces())

    def test_it_ends_by_itself(self):
        path, d = self.paused("--for", "1s")
        with d.expects("^resumed: its time is over$"):
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
        self.wait_until(lambda: "10.0.0.11/24" in lab.addresses("web", "eth0"), "the address", d)
        self.topod("plan", path)
        d.stop()

    def test_a_longer_one_replaces_it(self):
        _, d = self.paused("--for", "1s")
        until = self.state()["paused_until_usec"]
        self.topod("pause", "office", "--for", "1h")
        self.assertGreater(self.state()["paused_until_usec"], until + 3000 * 10**6)
        with d.expects("left alone while paused$"):
            lab.ip("web", "link set eth0 mtu 1300")
        d.stop()
        self.assertEqual(1300, lab.link("web", "eth0")["mtu"])

    def test_reload_in_between(self):
        """The new file is checked at once, and takes effect afterwards."""
        path, d = self.paused()
        self.spec(OFFICE + "nonsense: 1\n")
        self.assertIn("unknown key 'nonsense'", self.topod("reload", expect=lab.EXIT_SPEC).stderr)
        self.spec(edit(OFFICE, ("mtu: 1400", "mtu: 1399"), ("      side: {addresses: [10.8.0.2/24]}\n", ""),
                       ("  - [db:side, lone:side]\n", ""), ("      side: {addresses: [10.8.0.1/24]}\n", ""),
                       ("          - {via: 10.8.0.1}\n", ""), ("  lone:\n    interfaces:\n", "  lone: {}\n")))
        self.assertRegex(self.topod("reload").stdout, "takes effect when the pause is over")
        d.reload()  # SIGHUP is answered too: a supervisor need not wait for the end of the pause
        self.assertEqual(1400, lab.link("web", "eth0")["mtu"])
        self.assertIsNotNone(lab.link("db", "side"))
        self.assertEqual("converging", self.state()["state"])
        self.assertIn("resumed; converged", self.topod("resume").stdout)
        self.assertEqual(1399, lab.link("web", "eth0")["mtu"])
        self.assertIsNone(lab.link("db", "side"))
        d.wait_line("^converged: .*change")
        self.assertIsNone(d.find("^drift: "), "what a reload changes is no drift")
        self.topod("plan", path)
        d.stop()

    def test_resume_without_a_pause(self):
        d = self.daemon(self.spec(OFFICE)).ready()
        self.assertIn("resumed; converged", self.topod("resume").stdout)
        self.assertIsNone(d.find("^resumed"))
        d.stop()

    def test_failures_are_not_retried(self):
        """A route that could not be made is not retried during the pause, even when it could be made; afterwards it is."""
        text = edit(OFFICE, ("      - {to: 10.66.0.0/16, type: blackhole}\n", "      - {to: 10.99.0.0/16, via: 10.55.0.1}\n"))
        d = self.daemon(self.spec(text))
        d.wait_line(r"^failing: .*10\.99\.0\.0/16")
        self.topod("pause", "office")
        lab.ip("web", "addr add 10.55.0.2/24 dev eth0")
        self.topod("pause", "office", "--for", "1h")  # a whole turn of the loop has passed
        self.assertIsNone(lab.route("web", "10.99.0.0/16"))
        self.assertFalse(any("READY" in n for n in d.notices))
        self.topod("resume", "office")
        d.ready()
        self.assertIsNotNone(lab.route("web", "10.99.0.0/16"))
        d.stop()

    def test_stop_removes_nevertheless(self):
        before = lab.snapshot()
        d = self.daemon(self.spec("on-stop: remove\n" + OFFICE)).ready()
        self.topod("pause", "office")
        d.stop()
        self.same(lab.state_only(before), lab.state_only(lab.snapshot()))

    def test_a_restart_ends_it(self):
        path, d = self.paused()
        with d.expects("left alone while paused$"):
            lab.ip("web", "link set eth0 mtu 1300")
        d.kill()
        d = self.daemon(path).ready()
        self.assertEqual(1400, lab.link("web", "eth0")["mtu"])
        d.stop()

    def test_usage(self):
        self.topod("pause", "office", "--for", "soon", expect=lab.EXIT_USAGE)
        self.topod("pause", "office", "--for", "25h", expect=lab.EXIT_USAGE)
        self.topod("pause", "office", "--for", "500ms", expect=lab.EXIT_USAGE)
        self.topod("resume", "office", "--for", "1h", expect=lab.EXIT_USAGE)
        self.topod("pause", "a", "b", expect=lab.EXIT_USAGE)
        self.assertIn("no topod is running", self.topod("pause", "office", expect=lab.EXIT_FAILED).stderr)
        self.assertIn("no topod is running", self.topod("resume", expect=lab.EXIT_FAILED).stderr)


if __name__ == "__main__":
    lab.main()
