# SPDX-License-Identifier: GPL-2.0-or-later
"""topod's links that somebody moves into another namespace, where they keep something that only one link can have."""

import contextlib
import os
import subprocess

import lab
from lab import HOST, Case

TEXT = """\
topology: moved
namespaces:
  a:
    interfaces:
      vx: {kind: vxlan, id: 42, local: 192.0.2.1, remote: 192.0.2.2, port: 4789, addresses: [10.2.0.1/24]}
      low: {}
      alone: {kind: macvlan, link: low, mode: passthru}
      wide: {}
      many: {kind: macvlan, link: wide, mode: bridge}
  b:
    interfaces:
      low: {}
      wide: {}
links: [[a:low, b:low], [a:wide, b:wide]]
"""


class Moved(Case):
    def setUp(self):
        super().setUp()
        self.path = self.spec(TEXT, "moved.yaml")
        self.topod("apply", self.path)
        self.wanted = self.settle()

    @contextlib.contextmanager
    def nameless(self):
        """The pid of a process that alone keeps a namespace alive."""
        with subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE) as holder:
            try:
                holder.stdout.readline()
                yield holder.pid
            finally:
                holder.kill()

    def restored(self, d, link, ns, pid, where, name=None, up=False):
        """Moved, perhaps renamed and set up there: it is replaced, and the moved one is deleted."""
        before = self.settle(d)
        words = f"link set {link} netns {pid if pid else ns}" + (f" name {name}" if name else "")
        inside = ["nsenter", "-t", str(pid), "-n"] if pid else ["ip", "netns", "exec", ns]
        # It is renamed before topod can see it there, and is up before topod notices that it is missing.
        d.process.send_signal(lab.signal.SIGSTOP)
        lab.ip("a", words)
        if up:
            lab.run(*inside, "ip", "link", "set", name or link, "up")
        with d.expects(rf"drift: a/{link}: (vxlan|macvlan) was moved to {where}; restored"):
            d.process.send_signal(lab.signal.SIGCONT)
        self.wait_for_state(before, d)
        self.assertNotIn(f" {name or link}", lab.run(*inside, "ip", "-o", "link").stdout.replace("@", " "))
        self.topod("plan", self.path, expect=0)

    def everywhere(self, link, **kwargs):
        d = self.daemon(self.path).ready()
        lab.run("ip", "netns", "add", "c")
        with self.nameless() as pid:
            name = kwargs.get("name") or link
            for ns, pid, where in (("b", None, f"b/{name}"), ("c", None, f"c/{name}"), (HOST, os.getpid(), f"host/{name}"),
                                   (None, pid, f"a namespace without a name, as '{name}'")):
                with self.subTest(where):
                    self.restored(d, link, ns, pid, where, **kwargs)
        lab.run("ip", "netns", "delete", "c")
        d.stop()

    def test_vxlan(self):
        self.everywhere("vx")

    def test_vxlan_under_another_name(self):
        self.everywhere("vx", name="other")

    def test_macvlan_alone_on_its_parent(self):
        self.everywhere("alone", up=True)

    def test_macvlan_with_its_address(self):
        self.everywhere("many", up=True)

    def test_while_nobody_watched(self):
        """In a namespace that is scanned anyway, the plan shows it, and it is deleted first."""
        lab.ip("a", "link set vx netns b")
        done = self.topod("plan", self.path, expect=2).stdout
        self.assertLess(done.index("- vx: vxlan"), done.index("+ vx: vxlan"), done)
        self.topod("apply", self.path)
        self.same(self.wanted, self.settle())
        # In any other, the kernel's refusal to create the new one reveals it.
        with self.nameless() as pid:
            lab.ip("a", f"link set vx netns {pid}")
            self.topod("apply", self.path)
        self.same(self.wanted, self.settle())

    def test_of_somebody_else(self):
        """Without topod's mark it is left alone, and the message says how to find it."""
        with self.nameless() as pid:
            lab.ip("a", f"link set vx netns {pid}")
            inside = ["nsenter", "-t", str(pid), "-n", "ip", "link"]
            lab.run(*inside, "set", "vx", "alias", "mine")
            done = self.topod("apply", self.path, expect=1)
            self.assertIn("A VXLAN device with the specified VNI already exists: look for it with "
                          "`ip -d link show type vxlan` here, in the host, with `ip -all netns exec` in all others, and in", done.stderr)
            lab.run(*inside, "show", "dev", "vx")
            lab.run(*inside, "delete", "vx")
        self.topod("apply", self.path)
        self.same(self.wanted, self.settle())

    def test_of_another_topology(self):
        """It is recognised by its mark."""
        with self.nameless() as pid:
            lab.ip("a", f"link set vx netns {pid}")
            inside = ["nsenter", "-t", str(pid), "-n", "ip", "link"]
            lab.run(*inside, "set", "vx", "alias", "topod:other")
            self.topod("apply", self.path, expect=1)
            lab.run(*inside, "delete", "vx")
        self.topod("apply", self.path)


if __name__ == "__main__":
    lab.main()
