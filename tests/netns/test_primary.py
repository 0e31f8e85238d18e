# SPDX-License-Identifier: GPL-2.0-or-later
"""Among several IPv4 addresses of one subnet, the first declared one is primary, also after repairs."""

import lab
from lab import HOST, Case

SPEC = """\
namespaces:
  web: {interfaces: {eth0: {addresses: [10.0.0.1/24, 10.0.0.2/24, 10.0.0.3/24, 10.1.0.1/24]}}}
  db: {interfaces: {eth0: {addresses: [10.0.0.9/24]}}}
links: [[web:eth0, db:eth0]]
"""


class Primary(Case):
    def source(self):
        """The source address that the kernel chooses for packets to a host of the subnet."""
        found = lab.ip_json("web", "route get 10.0.0.9")
        return found[0].get("prefsrc") if found else None

    def right(self):
        return self.source() == "10.0.0.1" and len(lab.addresses("web", "eth0")) >= 4

    def start(self, promote):
        self.path = self.spec(SPEC)
        d = self.daemon(self.path).ready()
        lab.sysctl_set("web", "net.ipv4.conf.eth0.promote_secondaries", promote)
        self.assertEqual("10.0.0.1", self.source())
        return d

    def test_deleted(self):
        """With promote_secondaries another one replaces it, without it the others are deleted too."""
        for promote in (1, 0):
            with self.subTest(promote=promote):
                d = self.start(promote)
                lab.ip("web", "addr del 10.0.0.1/24 dev eth0")
                self.wait_until(self.right, "the declared primary", d)
                self.wait_until(lambda: self.topod("plan", self.path, expect=(0, 2)).returncode == 0, "rest", d)
                d.stop()
                self.topod("down", self.path)

    def test_is_shown(self):
        """Recreated in another order while no daemon runs: plan shows it, apply repairs it, the other subnet is not changed."""
        for promote in (1, 0):
            with self.subTest(promote=promote):
                self.start(promote).stop()
                lab.ip("web", "addr flush dev eth0 to 10.0.0.0/24")
                for last in (3, 1, 2):
                    lab.ip("web", f"addr add 10.0.0.{last}/24 dev eth0")
                self.assertEqual("10.0.0.3", self.source())
                shown = self.topod("plan", self.path, expect=2).stdout
                self.assertIn("primary address of its subnet", shown)
                self.assertNotIn("10.1.0.1", shown)
                self.topod("apply", self.path)
                self.assertTrue(self.right(), lab.addresses("web", "eth0"))
                self.topod("plan", self.path)
                self.topod("down", self.path)

    def test_least(self):
        """Only addresses before it are recreated."""
        self.start(1).stop()
        lab.ip("web", "addr flush dev eth0 to 10.0.0.0/24")
        for last in (3, 1, 2):
            lab.ip("web", f"addr add 10.0.0.{last}/24 dev eth0")
        shown = self.topod("plan", self.path, expect=2).stdout
        self.assertIn("-/+ eth0: address 10.0.0.3/24", shown)
        self.assertNotIn("-/+ eth0: address 10.0.0.2", shown)

    def test_somebody_elses(self):
        """An undeclared address of the subnet is not deleted for it."""
        d = self.start(1)
        lab.ip("web", "addr add 10.0.0.77/24 dev eth0")
        with d.expects("drift: web/eth0: address 10.0.0.1/24 was removed; restored"):
            lab.ip("web", "addr del 10.0.0.1/24 dev eth0")
        self.wait_until(lambda: len(lab.addresses("web", "eth0")) >= 5, "all of them", d)
        self.topod("plan", self.path)
        d.stop()


class Scope(Case):
    """The addresses of a subnet have one scope, so changing that of the first would cost somebody else's second."""

    def test_kept(self):
        text = "topology: t\nnamespaces: {web: {interfaces: {eth0: {addresses: [10.0.0.1/24]}}}, b: {}}\nlinks: [[web:eth0, b:eth0]]\n"
        path = self.spec(text)
        self.topod("apply", path)
        lab.ip("web", "addr add 10.0.0.9/24 dev eth0")
        self.spec(text.replace("10.0.0.1/24", "{address: 10.0.0.1/24, scope: link}"))
        problem = "address 10.0.0.1/24 cannot be changed: address 10.0.0.9/24, which is somebody else's, would be lost"
        self.assertIn(f"! eth0: {problem}", self.topod("plan", path, expect=lab.EXIT_DIFFERENCES).stdout)
        done = self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.assertRegex(done.stderr, rf"office\.yaml:2:\d+: error: web/eth0: {problem}")
        self.assertEqual({"10.0.0.1/24", "10.0.0.9/24"}, {a for a in lab.addresses("web", "eth0") if "." in a})
        lab.ip("web", "addr del 10.0.0.9/24 dev eth0")
        self.topod("apply", path)
        self.topod("plan", path)
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
