# SPDX-License-Identifier: GPL-2.0-or-later
"""Editing a file under systemd: `systemctl reload`, SIGHUP, and a file that is refused."""

import machine
from machine import Case, lab
from lab import OFFICE, edit

UNIT = "topod@office.service"
EDITED = edit(OFFICE, ("mtu: 1400", "mtu: 1333"), ("10.66.0.0/16", "10.67.0.0/16"))
WRONG = edit(EDITED, ("  outside:\n    interfaces:\n", "  outside:\n    interfases:\n"))


class Reload(Case):
    def setUp(self):
        super().setUp()
        self.pid = str(self.start(OFFICE))

    def edited(self):
        return lab.link("web", "eth0")["mtu"] == 1333 and lab.route("web", "10.67.0.0/16")

    def test_minimal(self):
        """Unchanged objects are not touched, and the work is done when systemctl returns."""
        before, inode = self.settled(), lab.namespace_id("web")
        with lab.Connection("db", "10.0.0.11", 80, server="web") as connection:
            connection.say(b"before")
            self.spec(EDITED)
            self.systemctl("reload", UNIT)
            self.assertTrue(self.edited())
            connection.say(b"after")
        after = self.state()
        for place in ("host", "netns db", "netns lone", "netns outside"):
            self.same({place: before[place]}, {place: after[place]}, "what did not change was touched")
        self.assertIsNone(lab.route("web", "10.66.0.0/16"))
        self.assertEqual(self.pid, self.show(UNIT, "MainPID"))
        self.assertEqual(inode, lab.namespace_id("web"))
        self.spec(OFFICE)
        self.systemctl("reload", UNIT)
        self.same(before, self.state(), "there and back again")

    def test_unchanged(self):
        before = self.settled()
        self.systemctl("reload", UNIT)
        self.same(before, self.state())

    def test_refused(self):
        """systemctl fails, the journal has the positions, and the previous file stays in force."""
        before = self.settled()
        self.spec(WRONG)
        with machine.Journal("-u", UNIT) as journal:
            self.assertNotEqual(0, self.systemctl("reload", UNIT, expect=None).returncode)
            line = WRONG.splitlines().index("    interfases:") + 1
            journal.wait(rf"office\.yaml:{line}:5: error: .*interfases.*interfaces")
            lab.run("journalctl", "--sync")  # systemctl has waited for the end of ExecReload=
            self.assertEqual([], [e for e in journal.fetch() if "interfases" in str(e.get("MESSAGE"))], "it stands there twice")
        self.assertEqual({"ActiveState": "active", "SubState": "running", "MainPID": self.pid},
                         self.show(UNIT, "ActiveState", "SubState", "MainPID"))
        self.same(before, self.state(), "a refused file changed something")
        self.assertIn(f"office.yaml:{line}:5", lab.run("systemctl", "status", "--no-pager", "-l", UNIT).stdout)
        # The old topology is still enforced.
        with machine.Journal("-u", UNIT) as journal:
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
            journal.wait("drift: web/eth0: .*restored")
        # Corrected, it is accepted.
        self.spec(EDITED)
        self.systemctl("reload", UNIT)
        self.assertTrue(self.edited())
        self.assertNotIn("office.yaml:", self.show(UNIT, "StatusText"))

    def test_refused_under_another_name(self):
        """The file names another topology now: the message says which one is running, and why the name cannot change."""
        self.spec(edit(OFFICE, ("topology: office\n", "topology: other\n")))
        with machine.Journal("-u", UNIT) as journal:
            self.assertNotEqual(0, self.systemctl("reload", UNIT, expect=None).returncode)
            journal.wait("now names the topology 'other', but 'office'")
        self.assertEqual("active", self.show(UNIT, "ActiveState"))

    def test_refused_by_the_kernel(self):
        """A valid file that cannot be applied completely is not refused: reload reports it, the rest is done, and it is retried."""
        self.spec(edit(EDITED, ("      - {to: 10.67.0.0/16, type: blackhole}\n",
                                "      - {to: 10.67.0.0/16, type: blackhole}\n      - {to: 10.99.0.0/16, via: 10.55.0.1}\n")))
        with machine.Journal("-u", UNIT) as journal:
            self.systemctl("reload", UNIT, expect=None)
            self.assertTrue(self.edited())
            journal.wait(r"10\.99\.0\.0/16")
            self.assertEqual("active", self.show(UNIT, "ActiveState"))
            lab.ip("web", "addr add 10.55.0.2/24 dev eth0")
            self.wait_until(lambda: lab.route("web", "10.99.0.0/16"), "the route once it can be made")

    def test_signals(self):
        for send in (["sh", "-c", f"kill -HUP {self.pid}"], ["systemctl", "kill", "-s", "HUP", UNIT]):
            with self.subTest(send=send):
                self.spec(EDITED)
                lab.run(*send)
                self.wait_until(self.edited, "the edited file in force")
                self.spec(OFFICE)
                self.systemctl("reload", UNIT)
                self.assertFalse(self.edited())
        self.spec(WRONG)
        with machine.Journal("-u", UNIT) as journal:
            lab.run("systemctl", "kill", "-s", "HUP", UNIT)
            journal.wait(r"office\.yaml:\d+:5: error: .*interfases")
        self.assertEqual({"ActiveState": "active", "MainPID": self.pid}, self.show(UNIT, "ActiveState", "MainPID"))

    def test_drop_ins(self):
        """Files in office.d are part of it; if two contradict, both positions are reported and nothing is changed."""
        before = self.settled()
        self.machine.write("/etc/topod/office.d/10-more.yaml", "namespaces: {more: {}}\n")
        self.systemctl("reload", UNIT)
        self.assertIn("more", lab.namespaces())
        self.machine.write("/etc/topod/office.d/20-other.yaml",
                           "namespaces:\n  web:\n    interfaces:\n      eth0: {mtu: 1280}\n")
        with machine.Journal("-u", UNIT) as journal:
            self.assertNotEqual(0, self.systemctl("reload", UNIT, expect=None).returncode)
            journal.wait(r"20-other\.yaml:4:\d+: error: ")
        said = lab.run("journalctl", "-u", UNIT, "-o", "cat").stdout
        self.assertRegex(said, r"office\.yaml:%d" % (OFFICE.splitlines().index("        mtu: 1400") + 1))
        self.assertEqual(1400, lab.link("web", "eth0")["mtu"])
        lab.run("rm", "-r", "/etc/topod/office.d")
        self.systemctl("reload", UNIT)
        self.same(before, self.state())

    def test_renamed_in_place(self):
        """As editors save: a new file with the same name."""
        self.machine.write("/etc/topod/.office.yaml.new", EDITED)
        lab.run("mv", "/etc/topod/.office.yaml.new", "/etc/topod/office.yaml")
        self.systemctl("reload", UNIT)
        self.assertTrue(self.edited())


if __name__ == "__main__":
    machine.main()
