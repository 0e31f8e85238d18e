# SPDX-License-Identifier: GPL-2.0-or-later
"""Names in /run/netns: what is topod's, what is somebody's, and what becomes of a namespace whose name is lost."""

import os
import signal
import subprocess

import lab
from lab import HOST, Case

WEB = """\
namespaces:
  host: {interfaces: {c1: {addresses: [10.0.0.1/24]}}}
  web: {interfaces: {eth0: {addresses: [10.0.0.2/24]}}}
links: [[web:eth0, host:c1]]
"""
ADOPTED = lab.edit(WEB, ("web: {", "web: {adopt: true, "))


class Names(Case):
    def process(self, *, inside=None):
        """A process in a network namespace of its own, or in that one; it ends with the test."""
        command = ["ip", "netns", "exec", inside] if inside else ["unshare", "-n"]
        p = subprocess.Popen([*command, "sh", "-c", "echo; exec sleep 1000"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE)
        self.addCleanup(self.end, p)
        p.stdout.readline()  # it is where it is to be
        return p

    def end(self, process):
        process.kill()
        process.wait()
        process.stdout.close()

    def container(self, name):
        """Somebody's namespace under a name as container tools give it: a link to its process."""
        p = self.process()
        os.makedirs("/run/netns", exist_ok=True)
        os.symlink(f"/proc/{p.pid}/ns/net", f"/run/netns/{name}")
        return p


class InTheWay(Names):
    def everything(self):
        """What may stand under a name, as a function that makes it and words of what is said of it."""
        victim = self.spec("precious", "victim")
        empty = lambda p: os.close(os.open(p, os.O_CREAT | os.O_EXCL, 0o644))

        def notes(path):
            with open(path, "w") as f:
                f.write("notes\n")

        def no_permissions(path):
            notes(path)
            os.chmod(path, 0)
        return {"notes": (notes, "a file that is not a network namespace"),
                "no-permissions": (no_permissions, "a file that is not a network namespace"),
                "empty": (empty, "a file that is not a network namespace"),
                "link": (lambda p: os.symlink(victim, p), "a link to something other than a network namespace"),
                "nowhere": (lambda p: os.symlink("/run/nobody", p), "a link that leads nowhere"),
                "loop": (lambda p: os.symlink(os.path.basename(p), p), "a link that leads nowhere"),
                "own": (lambda p: os.symlink("/proc/self/ns/net", p), "another name of the namespace that topod runs in"),
                "fifo": (os.mkfifo, "a file that is not a network namespace"),
                "directory": (os.mkdir, "a directory")}

    def seen(self, name):
        path = f"/run/netns/{name}"
        st = os.lstat(path)
        return st.st_ino, st.st_mode, st.st_size, os.readlink(path) if os.path.islink(path) else None

    def refuses(self, names, adopt):
        path = self.spec("namespaces: {" + ", ".join(f"{n}: {{adopt: {adopt}}}" for n in names) + "}\n")
        before = {n: self.seen(n) for n in names}
        for verb, expect in (("apply", lab.EXIT_FAILED), ("plan", lab.EXIT_DIFFERENCES), ("down", 0)):
            done = self.topod(verb, path, expect=expect)
            for name, words in names.items():
                if verb == "apply":
                    self.assertRegex(done.stderr, rf"{name}: namespace cannot be (made|adopted): its name in /run/netns is {words}"
                                                  r".*; remove that, or rename the namespace in the file")
            self.assertEqual(before, {n: self.seen(n) for n in names}, verb)

    def test_what_is_no_namespace(self):
        """It is said what it is, and it is left alone by all verbs, under a declared name and after that."""
        os.makedirs("/run/netns")
        everything = self.everything()
        for name, (make, _) in everything.items():
            make(f"/run/netns/{name}")
        names = {name: words for name, (_, words) in everything.items()}
        self.refuses(names, "false")
        self.refuses(names, "true")

    def test_in_the_place_of_a_namespace(self):
        """What somebody puts there while topod's own namespace bears the name, or is kept by a daemon."""
        for name, (make, words) in self.everything().items():
            with self.subTest(name):
                path = self.spec(f"namespaces: {{{name}: {{}}}}\n")
                self.topod("apply", path)
                lab.run("ip", "netns", "delete", name)
                make(f"/run/netns/{name}")
                before = self.seen(name)
                done = self.topod("apply", path, expect=lab.EXIT_FAILED)
                self.assertIn(f"its name in /run/netns is {words}", done.stderr)
                d = self.daemon(path)
                d.wait_line(f"failing: {name}: namespace cannot be made: its name in /run/netns is {words}")
                self.assertEqual(before, self.seen(name))
                with d.expects(f"recovered: {name}: namespace"):
                    lab.run("rm", "-r", f"/run/netns/{name}")
                d.stop()
                lab.run("ip", "netns", "delete", name)
                make(f"/run/netns/{name}")
                before = self.seen(name)
                self.topod("down", path)
                self.assertEqual(before, self.seen(name))
                lab.run("rm", "-r", f"/run/netns/{name}")

    def test_a_link_to_a_namespace_is_foreign(self):
        p = self.container("web")
        inode, link = lab.namespace_id("web"), os.readlink("/run/netns/web")
        before, path = lab.snapshot(), self.spec(WEB)
        done = self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.assertRegex(done.stderr, "web: namespace exists and is not topod's: take it over with 'adopt: true'")
        d = self.daemon(path)
        d.wait_line("failing: web: namespace exists and is not topod's")
        d.stop()
        self.topod("down", path)
        self.same(before, lab.snapshot())
        self.assertEqual((inode, link), (lab.namespace_id("web"), os.readlink("/run/netns/web")))
        self.assertIsNone(p.poll())

    def test_a_link_that_comes_in_the_place(self):
        """topod's own namespace is deleted and a link put there: that is somebody's, and what was inside of topod's is not."""
        path = self.spec(WEB)
        self.topod("apply", path)
        lab.run("ip", "netns", "delete", "web")
        self.container("web")
        lab.ip("web", "link add eth0 type bridge")
        self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.topod("down", path)
        self.assertEqual("bridge", lab.link("web", "eth0")["linkinfo"]["info_kind"])
        self.assertTrue(os.path.islink("/run/netns/web"))

    def test_left_over(self):
        """What `ip netns add` and topod itself leave when they crash is cleared away, as before."""
        before, path = lab.snapshot(), self.spec(WEB)
        os.makedirs("/run/netns", exist_ok=True)
        os.close(os.open("/run/netns/web", os.O_CREAT | os.O_EXCL, 0))
        self.topod("apply", path)
        lab.run("umount", "-l", "/run/netns/web")
        self.topod("apply", path)
        lab.run("umount", "-l", "/run/netns/web")
        self.topod("down", path)
        self.same(before, lab.snapshot())


class Adopted(Names):
    """A namespace that is reached by a link, with adopt: true."""

    def test_verbs(self):
        self.container("web")
        lab.ip("web", "link set lo up")
        before, path = lab.snapshot(), self.spec(ADOPTED)
        inode = lab.namespace_id("web")
        self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
        self.topod("apply", path)
        self.assertEqual(inode, lab.namespace_id("web"))
        self.assertEqual(["10.0.0.2/24"], lab.addresses("web", "eth0")[:1])
        lab.pings(HOST, "10.0.0.2")
        self.topod("plan", path)
        self.topod("down", path)
        self.same(before, lab.snapshot())
        self.assertTrue(os.path.islink("/run/netns/web"))

    def test_daemon(self):
        """It repairs what is inside, sees the container go, and another one come under the same name."""
        p, path = self.container("web"), self.spec(ADOPTED)
        d = self.daemon(path).ready()
        with d.expects("drift: web/eth0: address 10.0.0.2/24 was removed; restored"):
            lab.ip("web", "addr del 10.0.0.2/24 dev eth0")
        with d.expects("web: namespace"):
            self.end(p)  # with it goes its namespace: topod does not keep what is not its own
        self.wait_until(lambda: lab.link(HOST, "c1") is None, "the other end gone", d)
        self.assertTrue(os.path.islink("/run/netns/web"))
        with d.expects("recovered: web: namespace"):
            os.unlink("/run/netns/web")
            self.container("web")
        self.wait_until(lambda: lab.addresses("web", "eth0")[:1] == ["10.0.0.2/24"], "the address", d)
        d.stop()
        self.topod("down", path)
        self.assertTrue(os.path.islink("/run/netns/web"))

    def test_a_namespace_that_comes_later(self):
        """The link is there first, and what it leads to is mounted afterwards, as container engines do."""
        os.makedirs("/run/netns")
        os.makedirs("/run/engine")
        path = self.spec("namespaces: {web: {adopt: true, interfaces: {br0: {kind: bridge}}}}\n")
        d = self.daemon(path)
        d.wait_line("failing: web: namespace: the namespace to adopt does not exist")
        with d.expects("web: namespace cannot be adopted: its name in /run/netns is a link that leads nowhere"):
            os.symlink("/run/engine/web", "/run/netns/web")
        p = self.process()
        with d.expects("recovered: web: namespace"):
            open("/run/engine/web", "w").close()
            lab.run("mount", "--bind", f"/proc/{p.pid}/ns/net", "/run/engine/web")
        self.wait_until(lambda: lab.link("web", "br0"), "the bridge", d)
        d.stop()
        self.topod("down", path)
        lab.run("umount", "/run/engine/web")


if __name__ == "__main__":
    lab.main()
