# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon's notifications to its supervisor: sd_notify(3), received as by systemd."""

import time

import lab
from lab import HOST, OFFICE, Case, edit

# The next hop is unreachable until the test adds an address.
UNREACHABLE = edit(OFFICE, ("      - {to: 10.66.0.0/16, type: blackhole}\n",
                            "      - {to: 10.99.0.0/16, via: 10.55.0.1}\n"))


class Notify(Case):
    def test_ready_means_converged(self):
        path = self.spec(OFFICE)
        d = self.daemon(path)
        d.ready()
        # At this moment, without waiting.
        lab.pings("web", "203.0.113.1")
        self.topod("plan", path, expect=0)
        self.assertEqual(1, sum(n.get("READY") == "1" for n in d.notices))
        d.stop()

    def test_not_ready_before(self):
        """While something cannot be made it is not ready; READY=1 follows when it was made."""
        d = self.daemon(self.spec(UNREACHABLE))
        d.wait_line(r"10\.99\.0\.0/16")
        lab.pings("web", "203.0.113.1")  # the rest was done
        with d.expects(r"drift: web/eth0\b"):  # a whole pass has been made
            lab.ip("web", "link set eth0 mtu 1300")
        self.assertFalse(any("READY" in n for n in d.notices), "ready, though a route is missing")
        lab.ip("web", "addr add 10.55.0.2/24 dev eth0")
        d.ready()
        self.assertEqual("10.55.0.1", lab.route("web", "10.99.0.0/16")["gateway"])
        d.stop()

    def test_ready_waits_for_duplicate_detection(self):
        text = edit(OFFICE, ('{address: "fd00:1::11/64", nodad: true}', '"fd00:1::11/64"'))
        self.daemon(self.spec(text)).ready()
        found = [a for l in lab.ip_json("web", "addr show dev eth0") for a in l["addr_info"]
                 if a.get("local") == "fd00:1::11"]
        self.assertEqual(1, len(found))
        self.assertNotIn("tentative", found[0])

    def test_status(self):
        d = self.daemon(self.spec(OFFICE)).ready()
        said = [n["STATUS"] for n in d.notices if n.get("STATUS")]
        self.assertTrue(said, "no STATUS= at all")
        self.assertRegex(said[-1], r"(?i)converged")
        d.stop()

    def test_reloading(self):
        d = self.daemon(self.spec(OFFICE)).ready()
        d.drain()
        since = len(d.notices)
        self.spec(edit(OFFICE, ("mtu: 1400", "mtu: 1399")))
        earliest = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        d.process.send_signal(lab.signal.SIGHUP)
        reloading = d.wait_notice("RELOADING", "1", since)
        latest = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        # The time stamp is between the signal and the message, in the same datagram as RELOADING=1.
        self.assertIn("MONOTONIC_USEC", reloading)
        self.assertTrue(earliest <= int(reloading["MONOTONIC_USEC"]) <= latest)
        d.wait_notice("READY", "1", since)
        self.assertEqual(1399, lab.link("web", "eth0")["mtu"])
        order = [k for n in d.notices[since:] for k in n if k in ("RELOADING", "READY")]
        self.assertEqual(["RELOADING", "READY"], order)
        d.stop()

    def test_stopping(self):
        d = self.daemon(self.spec(OFFICE)).ready()
        self.assertFalse(any("STOPPING" in n for n in d.notices))
        d.stop()
        self.assertTrue(any(n.get("STOPPING") == "1" for n in d.notices))

    def test_interrupt_stops_too(self):
        d = self.daemon(self.spec(OFFICE)).ready()
        d.process.send_signal(lab.signal.SIGINT)
        self.assertEqual(0, d.wait_end())
        d.look_for_sanitizer()

    def test_watchdog(self):
        d = self.daemon(self.spec(OFFICE), env={"WATCHDOG_USEC": "400000", "WATCHDOG_PID": None}).ready()
        for _ in range(3):
            since = len(d.notices)
            d.wait_notice("WATCHDOG", "1", since)
        d.stop()

    def test_without_a_supervisor(self):
        d = self.daemon(self.spec(OFFICE), env={"NOTIFY_SOCKET": None})
        d.wait_line("(?i)converged")
        lab.pings("web", "203.0.113.1")
        d.stop()
        self.assertEqual([], d.notices)

    def test_stopped_while_it_cannot_converge(self):
        d = self.daemon(self.spec(UNREACHABLE))
        d.wait_line(r"10\.99\.0\.0/16")
        d.stop()

    def test_more_time_while_it_cannot_converge(self):
        """A start that waits does not hang: the supervisor is told so, also while nothing is done."""
        d = self.daemon(self.spec(UNREACHABLE))
        d.wait(lambda: any("Degraded" in n.get("STATUS", "") for n in d.notices), "a word on what is missing")
        self.topod("pause", "office")  # no more retries
        d.drain()
        d.wait_notice("EXTEND_TIMEOUT_USEC", since=len(d.notices))
        self.assertFalse(any("READY" in n for n in d.notices))
        self.topod("resume", "office", expect=lab.EXIT_FAILED)
        lab.ip("web", "addr add 10.55.0.2/24 dev eth0")
        d.ready()
        d.stop()

    def test_bad_file_at_the_start(self):
        before = lab.snapshot()
        d = self.daemon(self.spec("namespaces: {web: {interfaces: {eth0: {kind: brigde}}}}\n"))
        self.assertEqual(lab.EXIT_SPEC, d.wait_end())
        self.assertTrue(d.find(r"office\.yaml:1:\d+: error: .*brigde"))
        self.assertFalse(any("READY" in n for n in d.notices))
        self.same(before, lab.snapshot())


if __name__ == "__main__":
    lab.main()
