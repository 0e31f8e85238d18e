# SPDX-License-Identifier: GPL-2.0-or-later
"""topod@NAME.service: start, stop, restart, what ends it, and what systemd does then."""

import machine
from machine import Case, lab
from lab import HOST, OFFICE, edit

UNIT = "topod@office.service"


class Life(Case):
    def test_started_means_converged(self):
        self.start(OFFICE)
        # At this moment, without waiting.
        lab.pings("web", "203.0.113.1")
        self.topod("plan", "/etc/topod/office.yaml", expect=0)
        self.assertRegex(self.show(UNIT, "StatusText"), "(?i)converged")

    def test_namespaces_are_everybodys(self):
        """The service has no mount namespace of its own: the whole machine sees what it made."""
        pid = self.start(OFFICE)
        self.assertEqual(lab.run("readlink", "/proc/1/ns/mnt").stdout, lab.run("readlink", f"/proc/{pid}/ns/mnt").stdout)
        self.assertIn("10.0.0.11/24", lab.run("ip", "netns", "exec", "web", "ip", "addr", "show", "eth0").stdout)
        self.assertIn("nameserver 10.0.0.1",
                      lab.run("ip", "netns", "exec", "web", "cat", "/etc/resolv.conf").stdout)
        other = lab.run("nsenter", "--net=/run/netns/web", "ip", "-br", "addr").stdout
        self.assertIn("10.0.0.11/24", other)

    def test_stop_and_start_change_nothing(self):
        self.start(OFFICE)
        before, inode = self.settled(), lab.namespace_id("web")
        with lab.Connection(HOST, "10.0.0.11", 80, server="web") as connection:
            connection.say(b"before")
            self.systemctl("stop", UNIT)
            self.assertEqual("success", self.show(UNIT, "Result"))
            self.same(before, self.state(), "stopping changed the network")
            connection.say(b"stopped")
            self.systemctl("start", UNIT)
            self.same(before, self.state(), "starting again changed the network")
            self.systemctl("restart", UNIT)
            self.same(before, self.state(), "a restart changed the network")
            connection.say(b"restarted")
        self.assertEqual(inode, lab.namespace_id("web"))
        # It watches again.
        with machine.Journal() as journal:
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
            journal.wait("drift: web/eth0: .*restored")
        self.assertIn("10.0.0.11/24", lab.addresses("web", "eth0"))

    def test_disabled_and_down(self):
        before = self.settled()
        self.spec(OFFICE)
        self.systemctl("enable --now", UNIT)
        self.assertEqual("enabled", self.show(UNIT, "UnitFileState"))
        self.systemctl("disable --now", UNIT)
        self.assertEqual("disabled", self.show(UNIT, "UnitFileState"))
        self.assertIn("web", lab.namespaces())
        self.topod("down", "/etc/topod/office.yaml")
        self.same(before, self.settled())
        for left in ("/run/topod/office", "/etc/netns/web"):
            self.assertFalse(self.machine.exists(left), left)

    def test_on_stop_remove(self):
        before = self.settled()
        self.start(edit(OFFICE, ("topology: office\n", "topology: office\non-stop: remove\n")))
        lab.pings("web", "203.0.113.1")
        self.systemctl("stop", UNIT)
        self.assertEqual("success", self.show(UNIT, "Result"))
        self.same(before, self.settled())

    def test_all_by_the_target(self):
        for name in ("one", "two"):
            self.spec(f"namespaces: {{{name}: {{}}}}\n", f"{name}.yaml")
            self.systemctl("enable", f"topod@{name}")
        self.systemctl("start topod.target")
        self.assertEqual(["one", "two"], lab.namespaces())
        for name in ("one", "two"):
            self.assertEqual("active", self.show(f"topod@{name}", "ActiveState"))
        self.systemctl("stop topod.target")
        for name in ("one", "two"):
            self.wait_unit(f"topod@{name}", ActiveState="inactive")  # the target does not wait for them


class Ends(Case):
    """What ends the daemon, or prevents its start."""

    def test_wrong_file_is_not_tried_again(self):
        self.spec("namespaces:\n  web:\n    interfaces:\n      eth0: {kind: brigde}\n")
        self.systemctl("start", UNIT, expect=1)
        found = self.show(UNIT, "ActiveState", "Result", "ExecMainStatus", "NRestarts")
        self.assertEqual({"ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": "78", "NRestarts": "0"},
                         found)
        said = lab.run("journalctl", "-u", UNIT, "-o", "cat").stdout
        self.assertRegex(said, r"office\.yaml:4:\d+: error: .*brigde")
        # Corrected, it starts.
        self.start("namespaces: {web: {}}\n")
        self.assertEqual(["web"], lab.namespaces())

    def test_no_file(self):
        self.systemctl("start", UNIT, expect=1)
        self.assertEqual({"ActiveState": "failed", "NRestarts": "0"}, self.show(UNIT, "ActiveState", "NRestarts"))

    def test_last_words(self):
        """The last messages of a daemon are found by its unit, even if journald reads them only later."""
        with machine.Journal("-u", UNIT) as journal:
            journald = self.show("systemd-journald", "MainPID")
            lab.run("sh", "-c", f"kill -STOP {journald}")
            self.systemctl("start", UNIT, expect=1)
            lab.run("sh", "-c", f"kill -CONT {journald}")
            journal.wait("/etc/topod/office.yaml")

    def test_killed(self):
        """kill -9: systemd restarts it, and nothing is recreated or left over."""
        pid = self.start(OFFICE)
        before, files = self.settled(), self.files()
        with lab.Connection(HOST, "10.0.0.11", 80, server="web") as connection:
            lab.run("sh", "-c", f"kill -9 {pid}")
            lab.ip("web", "route del 10.66.0.0/16 table main")  # while no daemon runs
            self.wait_unit(UNIT, ActiveState="active", SubState="running", NRestarts="1")
            connection.say(b"alive")
        self.assertNotEqual(str(pid), self.show(UNIT, "MainPID"))
        self.same(before, self.state())
        self.assertEqual(files, self.files())

    def files(self):
        return list(lab.snapshot_files("/run/topod"))

    def test_wedged(self):
        """The watchdog ends a daemon whose loop hangs, and another one continues."""
        pid = self.start(OFFICE)
        self.assertNotIn(self.show(UNIT, "WatchdogUSec"), ("0", "infinity"))
        before = self.settled()
        with machine.Journal("_PID=1") as journal:
            lab.run("sh", "-c", f"kill -STOP {pid}")
            # On its behalf: reports that the watchdog of this run has expired. A short time for all runs would also end those
            # that only wait on a busy machine.
            lab.run("env", "NOTIFY_SOCKET=/run/systemd/notify", "systemd-notify", f"--pid={pid}", "WATCHDOG_USEC=1000")
            journal.wait("(?i)watchdog timeout", UNIT=UNIT)
            self.wait_unit(UNIT, ActiveState="active", SubState="running", NRestarts="1")
        self.same(before, self.state())

    def test_never_ready(self):
        """While something cannot be made, other units wait for a limited time; the rest is in force, and it is not ended."""
        self.machine.write(f"/etc/systemd/system/{UNIT}.d/fast.conf",
                           "[Unit]\nJobRunningTimeoutSec=2s\n[Service]\nTimeoutStartSec=1s\n")
        for name, line in (("needs", "Requires"), ("follows", "Wants")):
            self.machine.write(f"/etc/systemd/system/{name}.service", f"[Unit]\n{line}={UNIT}\nAfter={UNIT} network.target\n"
                               "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\n")
        self.systemctl("daemon-reload")
        self.spec(edit(OFFICE, ("      - {to: 10.66.0.0/16, type: blackhole}\n",
                                "      - {to: 10.99.0.0/16, via: 10.55.0.1}\n")))
        self.systemctl("start needs follows", expect=1)
        self.assertEqual(["inactive", "active"], [self.show(n, "ActiveState") for n in ("needs", "follows")])
        found = self.show(UNIT, "ActiveState", "NRestarts", "StatusText", "MainPID")
        self.assertEqual(("activating", "0"), (found["ActiveState"], found["NRestarts"]))
        self.assertRegex(found["StatusText"], r"Degraded: .*10\.99\.0\.0/16")
        lab.pings("web", "203.0.113.1")
        lab.ip("web", "addr add 10.55.0.2/24 dev eth0")
        self.wait_unit(UNIT, ActiveState="active", SubState="running", NRestarts="0", MainPID=found["MainPID"])

    def test_crash_while_it_is_built(self):
        """Killed during its first pass: the next start completes it."""
        self.spec(OFFICE)
        self.machine.write(f"/etc/systemd/system/{UNIT}.d/fast.conf", "[Service]\nRestartSec=100ms\n")
        self.systemctl("daemon-reload")
        self.systemctl("start --no-block", UNIT)
        self.wait_until(lambda: lab.namespaces(), "a first namespace")
        lab.run("systemctl", "kill", "-s", "KILL", UNIT)
        self.wait_unit(UNIT, ActiveState="active", SubState="running")
        lab.pings("web", "203.0.113.1")
        self.topod("plan", "/etc/topod/office.yaml", expect=0)


class Hardening(Case):
    def test_exposure(self):
        self.start(OFFICE)
        done = lab.run("systemd-analyze", "security", "--no-pager", "--threshold=43", UNIT, check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"Overall exposure level for topod@office\.service: [0-4]\.\d")

    def test_units_are_well_formed(self):
        self.spec(OFFICE)
        done = lab.run("systemd-analyze", "verify", "--man=no", UNIT, "topod.target")
        self.assertEqual("", (done.stdout + done.stderr))


if __name__ == "__main__":
    machine.main()
