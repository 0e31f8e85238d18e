# SPDX-License-Identifier: GPL-2.0-or-later
"""Names in /run/netns that are not topod's, and namespaces that topod adopts."""

import json
import os

import lab
from lab import HOST
from names import WEB, Names

ADOPTED = lab.edit(WEB, ("web: {", "web: {adopt: true, "))


class InTheWay(Names):
    def everything(self):
        """Things that a name may stand for, each with a function that makes it and words of the message."""
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
                "link": (lambda p: os.symlink(victim, p), "a symbolic link to something other than a network namespace"),
                "nowhere": (lambda p: os.symlink("/run/nobody", p), "a dangling symbolic link"),
                "loop": (lambda p: os.symlink(os.path.basename(p), p), "a dangling symbolic link"),
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
        """The message says what it is, and all verbs leave it alone, while the name is declared and afterwards."""
        os.makedirs("/run/netns")
        everything = self.everything()
        for name, (make, _) in everything.items():
            make(f"/run/netns/{name}")
        names = {name: words for name, (_, words) in everything.items()}
        self.refuses(names, "false")
        self.refuses(names, "true")

    def test_in_the_place_of_a_namespace(self):
        """Something foreign is put there while topod's namespace has the name, or is held by a daemon."""
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
        """topod's namespace is deleted and a link put in its place: the link is foreign, and the contents of
        topod's namespace are gone."""
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
        """Remains of a crash of `ip netns add` or topod are removed."""
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
    """A namespace whose name is a symbolic link, with adopt: true."""

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
        """It repairs the contents, and notices when the container ends and another one gets its name."""
        p, path = self.container("web"), self.spec(ADOPTED)
        d = self.daemon(path).ready()
        with d.expects("drift: web/eth0: address 10.0.0.2/24 was removed; restored"):
            lab.ip("web", "addr del 10.0.0.2/24 dev eth0")
        with d.expects("web: namespace"):
            self.end(p)  # its namespace ends with it: topod does not hold foreign namespaces
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
        """The link exists first, and its target is mounted afterwards, as container engines do it."""
        os.makedirs("/run/netns")
        os.makedirs("/run/engine")
        path = self.spec("namespaces: {web: {adopt: true, interfaces: {br0: {kind: bridge}}}}\n")
        d = self.daemon(path)
        d.wait_line("failing: web: namespace does not exist, and 'adopt: true' never creates a namespace")
        with d.expects("web: namespace cannot be adopted: its name in /run/netns is a dangling symbolic link"):
            os.symlink("/run/engine/web", "/run/netns/web")
        p = self.process()
        with d.expects("recovered: web: namespace"):
            open("/run/engine/web", "w").close()
            lab.run("mount", "--bind", f"/proc/{p.pid}/ns/net", "/run/engine/web")
        self.wait_until(lambda: lab.link("web", "br0"), "the bridge", d)
        d.stop()
        self.topod("down", path)
        lab.run("umount", "/run/engine/web")


class GivenUp(Names):
    """adopt: true for a namespace that topod made."""

    def gives_up(self, give_up):
        path = self.spec(WEB)
        self.topod("apply", path)
        inode = lab.namespace_id("web")
        self.spec(ADOPTED)
        plan = self.topod("plan", path, expect=lab.EXIT_DIFFERENCES).stdout
        self.assertIn("    = web: namespace is given up: with 'adopt: true' topod never deletes it\n", plan)
        self.assertIn("1 to give up, nothing else to do\n", plan)
        summary = json.loads(self.topod("plan", "--json", path, expect=lab.EXIT_DIFFERENCES).stdout)["summary"]
        self.assertEqual((1, 0), (summary["give_up"], summary["change"]))
        before = lab.snapshot_namespace("web", exact=True)
        give_up(path)
        self.assertEqual(before, lab.snapshot_namespace("web", exact=True))
        self.topod("plan", path)
        return path, inode

    def is_left(self, path, inode):
        self.topod("down", path)
        self.assertEqual(inode, lab.namespace_id("web"))
        self.assertEqual(["lo"], [l["ifname"] for l in lab.ip_json("web", "link show")])
        self.assertIn("UP", lab.link("web", "lo")["flags"])
        self.assertIsNone(lab.link(HOST, "c1"))

    def test_down(self):
        """It is not deleted, and lo stays up; what topod made in it is removed."""
        def give_up(path):
            done = self.topod("apply", path)
            self.assertIn("left alone: web: namespace is given up", done.stderr)
            self.assertRegex(done.stdout, "^office: .* 1 changed; verified")
        self.is_left(*self.gives_up(give_up))

    def test_out_of_the_file(self):
        path, inode = self.gives_up(lambda path: self.topod("apply", path))
        self.spec("namespaces: {}\n")
        self.topod("apply", path)
        self.is_left(path, inode)

    def test_no_way_back(self):
        path, inode = self.gives_up(lambda path: self.topod("apply", path))
        self.spec(WEB)
        done = self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.assertIn("web: namespace exists and is not topod's", done.stderr)
        self.spec(ADOPTED)
        self.is_left(path, inode)

    def test_daemon(self):
        """The daemon stops holding it: a deleted namespace stays deleted."""
        daemons = []

        def reload(path):
            self.spec(WEB)
            d = self.daemon(path).ready()
            daemons.append(d)
            self.spec(ADOPTED)
            with d.expects("left alone: web: namespace is given up"):
                d.reload()
        path, inode = self.gives_up(reload)
        d, = daemons
        with d.expects("web: namespace.* does not exist, and 'adopt: true'"):
            lab.run("ip", "netns", "delete", "web")
        self.wait_until(lambda: lab.link(HOST, "c1") is None, "the other end gone", d)
        d.stop()
        self.topod("down", path)

    def test_with_lo_in_the_file(self):
        path = self.spec("namespaces: {web: {interfaces: {lo: {up: true}}}}\n")
        self.topod("apply", path)
        self.spec("namespaces: {web: {adopt: true, interfaces: {lo: {up: true}}}}\n")
        self.topod("apply", path)
        self.topod("down", path)
        self.assertIn("UP", lab.link("web", "lo")["flags"])

    def test_with_more_of_lo(self):
        """Other changes are restored as usual."""
        path = self.spec("namespaces: {web: {interfaces: {lo: {txqueuelen: 400}}, sysctl: {net.ipv4.ip_default_ttl: 99}}}\n")
        self.topod("apply", path)
        self.spec("namespaces: {web: {adopt: true}}\n")
        self.topod("apply", path)
        lo = lab.link("web", "lo")
        self.assertEqual((1000, True, "64"), (lo["txqlen"], "UP" in lo["flags"], lab.sysctl_get("web", "net.ipv4.ip_default_ttl")))
        self.topod("down", path)
        self.assertEqual(["web"], lab.namespaces())


if __name__ == "__main__":
    lab.main()
