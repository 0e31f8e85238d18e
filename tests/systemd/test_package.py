# SPDX-License-Identifier: GPL-2.0-or-later
"""The package in a running system: installed, upgraded, removed, purged."""

import machine
from machine import Case, lab
from lab import OFFICE

UNIT = "topod@office.service"


class Package(Case):
    layers = staticmethod(lambda: None)

    def installed_version(self):
        return lab.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Version}", "topod", check=False).stdout.strip()

    def test_install(self):
        before = self.settled()
        self.machine.install(machine.package())
        self.assertRegex(self.installed_version(), r"^ii +[0-9.]+-1$")
        self.same(before, self.state(), "installing changed the network")
        self.assertIn("topod", lab.run("getent", "group", "topod").stdout)
        self.assertEqual("", self.systemctl("list-units --all --plain --no-legend topod@*").stdout)
        lab.run("ip", "route", "add", "10.1.0.0/16", "dev", "lo", "proto", "84")
        self.assertIn("proto topod", lab.run("ip", "route", "show").stdout)
        self.assertEqual("", self.systemctl("list-units --failed --plain --no-legend").stdout)

    def test_upgrade(self):
        """Running instances continue with the new version; the network is not touched, connections survive."""
        self.machine.install(machine.package())
        old = self.installed_version()
        self.spec(OFFICE)
        self.spec("namespaces: {idle: {}}\n", "idle.yaml")
        self.systemctl("enable --now", UNIT)
        pid, before = self.show(UNIT, "MainPID"), self.settled()
        with lab.Connection("db", "10.0.0.11", 80, server="web") as near, \
                lab.Connection("web", "203.0.113.1", 81, server="outside") as through_nat:
            near.say(b"before")
            through_nat.say(b"before")
            self.machine.install(machine.package("9.9.9"))
            near.say(b"after")
            through_nat.say(b"after")
        self.assertNotEqual(old, self.installed_version())
        self.assertIn("9.9.9", self.installed_version())
        found = self.show(UNIT, "ActiveState", "UnitFileState", "MainPID")
        self.assertEqual(("active", "enabled"), (found["ActiveState"], found["UnitFileState"]))
        self.assertNotEqual(pid, found["MainPID"], "the old version still runs")
        self.assertEqual("inactive", self.show("topod@idle", "ActiveState"), "an upgrade starts what did not run")
        self.same(before, self.state(), "an upgrade changed the network")
        with machine.Journal("-u", UNIT) as journal:
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
            journal.wait("drift: web/eth0: .*restored")

    def test_remove_and_purge(self):
        empty = self.settled()
        self.machine.install(machine.package())
        self.spec(OFFICE)
        self.systemctl("enable --now", UNIT)
        before = self.settled()
        lab.run("apt-get", "remove", "-y", "-q", "topod")
        self.assertEqual("inactive", self.show(UNIT, "ActiveState"))
        self.same(before, self.state(), "removing the package changed the network")
        self.assertEqual(OFFICE, self.machine.read("/etc/topod/office.yaml"))
        # Installed again, it recognises its objects.
        self.machine.install(machine.package())
        self.systemctl("start", UNIT)
        self.same(before, self.state())
        self.systemctl("disable --now", UNIT)
        self.topod("down", "/etc/topod/office.yaml")
        self.same(empty, self.settled())
        lab.run("apt-get", "purge", "-y", "-q", "topod")
        self.assertEqual("", self.installed_version().replace("un", "").strip())
        self.assertEqual(OFFICE, self.machine.read("/etc/topod/office.yaml"), "what people wrote is theirs")
        for left in ("/usr/bin/topod", "/etc/iproute2/rt_protos.d/topod.conf",
                     "/etc/systemd/system/multi-user.target.wants/topod@office.service"):
            self.assertFalse(self.machine.exists(left), left)
        self.assertEqual("", self.systemctl("list-units --failed --plain --no-legend").stdout)


if __name__ == "__main__":
    machine.main()
