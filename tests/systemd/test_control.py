# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may query a running topod, and who may change it: real users, the real group, the unit's own privileges."""

import machine
from machine import Case, Follower, lab
from lab import OFFICE

UNIT = "topod@office.service"


def as_user(name):
    return ["setpriv", f"--reuid={name}", f"--regid={name}", "--init-groups", "--"]


class Control(Case):
    def setUp(self):
        super().setUp()
        lab.run("useradd", "--groups", "topod", "member")
        lab.run("useradd", "stranger")
        self.start(OFFICE)

    def by(self, user, *words):
        return lab.run(*as_user(user), "topod", *words, check=False)

    def test_permissions(self):
        """The service gives its socket to the group, although it cannot change the owner of files."""
        self.assertEqual("660 root topod", lab.run("stat", "-c", "%a %U %G", "/run/topod/office/socket").stdout.strip())
        before = self.settled()
        for user, reads in (("member", True), ("stranger", False)):
            done = self.by(user, "status", "office")
            self.assertEqual(0 if reads else 1, done.returncode, done.stdout + done.stderr)
            self.assertEqual(reads, "converged" in done.stdout)
            for verb in ("reload", "pause", "resume"):
                done = self.by(user, verb, "office")
                self.assertEqual(1, done.returncode, f"{user} {verb}: {done.stdout}{done.stderr}")
                self.assertRegex(done.stderr, "^topod: permission denied: ")
        self.same(before, self.state())
        self.assertIn("converged", self.topod("status", "office").stdout)

    def test_ledger_is_private(self):
        for name in ("ledger", "lock"):
            done = lab.run(*as_user("member"), "cat", f"/run/topod/office/{name}", check=False)
            self.assertNotEqual(0, done.returncode, name)

    def test_watch(self):
        """A member of the group sees drift as it happens."""
        watch = Follower(*as_user("member"), "topod", "watch", "office")
        try:
            said = self.until(watch, "onverged", "")
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
            self.until(watch, "web/eth0: address 10.0.0.11/24", said)
        finally:
            watch.end()

    def until(self, follower, words, said):
        while words not in said:
            self.assertTrue(follower.wait(lab.DEADLINE), f"no {words!r} in {said!r}")
            said += follower.read().decode()
        return said

    def test_pause(self):
        """Maintenance: changes by hand stay until resume."""
        self.topod("pause", "--for", "10m", "office")
        with machine.Journal("-u", UNIT) as journal:
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
            journal.wait("web/eth0: address 10.0.0.11/24 was removed")
        self.assertNotIn("10.0.0.11/24", lab.addresses("web", "eth0"))
        self.assertRegex(self.show(UNIT, "StatusText"), "(?i)pause")
        self.topod("resume", "office")
        self.assertIn("10.0.0.11/24", lab.addresses("web", "eth0"))


if __name__ == "__main__":
    machine.main()
