# SPDX-License-Identifier: GPL-2.0-or-later
"""Names in /run/netns: topod's, foreign ones, and namespaces that lose their name."""

import json
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


UNIQUE = """\
topology: unique
namespaces:
  host: {interfaces: {p0: {kind: existing}, p1: {kind: existing}}}
  alone: {interfaces: {m0: {kind: macvlan, link: "host:p0", mode: passthru}}}
  address: {interfaces: {m1: {kind: macvlan, link: "host:p1"}}}
  vni: {interfaces: {v0: {kind: vxlan, id: 7, dev: "host:p1", group: 239.1.1.1}}}
"""


class Names(Case):
    def process(self, *, inside=None):
        """A process in a new network namespace, or in the given one; it ends with the test."""
        command = ["ip", "netns", "exec", inside] if inside else ["unshare", "-n"]
        p = subprocess.Popen([*command, "sh", "-c", "echo; exec sleep 1000"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE)
        self.addCleanup(self.end, p)
        p.stdout.readline()  # it has entered the namespace
        return p

    def end(self, process):
        process.kill()
        process.wait()
        process.stdout.close()

    def container(self, name):
        """A foreign namespace with a name as container tools give it: a link to its process."""
        p = self.process()
        os.makedirs("/run/netns", exist_ok=True)
        os.symlink(f"/proc/{p.pid}/ns/net", f"/run/netns/{name}")
        return p


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


PAIR = """\
namespaces:
  ctr: {adopt: true, interfaces: {e0: {addresses: [10.0.0.1/24]}}}
  web: {}
links: [[ctr:e0, web:e0]]
"""
FOUND = "namespaces: {ctr: {adopt: true, interfaces: {e0: {kind: existing, addresses: [10.0.0.1/24]}}}}\n"


class GivenUpLink(Names):
    """kind: existing for a link that topod made."""

    MADE = ("namespaces: {web: {interfaces: {br0: {kind: bridge, mtu: 1400, addresses: [10.0.0.1/24], ports: [p]}}}, other: {}}\n"
            "links: [[web:p, other:q]]\n")
    FOUND = ("namespaces:\n  web: {adopt: true, interfaces: {br0: {kind: existing, mtu: 1300}, p: {kind: existing}}}\n"
             "  other: {adopt: true, interfaces: {q: {kind: existing}}}\n")

    def links(self):
        return {(ns, name): lab.link(ns, name) for ns, name in (("web", "br0"), ("web", "p"), ("other", "q"))}

    def check(self, give_up, *lines):
        """`lines`: the plan's lines about the links that are given up."""
        path = self.spec(self.MADE)
        self.topod("apply", path)
        index = {key: link["ifindex"] for key, link in self.links().items()}
        self.assertEqual({"topod:office"}, {link["ifalias"] for link in self.links().values()})
        self.spec(self.FOUND)
        plan = self.topod("plan", path, expect=lab.EXIT_DIFFERENCES).stdout
        for line in lines:
            self.assertIn(f"    = {line} is given up: with 'kind: existing' topod never deletes it\n", plan)
        give_up(path)
        self.assertEqual([None] * 3, [link.get("ifalias") for link in self.links().values()])
        self.assertEqual(1300, lab.link("web", "br0")["mtu"])
        self.topod("plan", path)
        self.topod("down", path)
        self.assertEqual(index, {key: link["ifindex"] for key, link in self.links().items()})
        self.assertEqual(1400, lab.link("web", "br0")["mtu"])

    def test_apply(self):
        self.check(lambda path: self.topod("apply", path),
                   "web/br0: bridge", "web/p: veth", "other/q: veth")
        self.assertNotIn("10.0.0.1/24", lab.addresses("web", "br0"))

    def test_without_ledger(self):
        """The mark alone shows that topod made them."""
        def apply(path):
            os.unlink("/run/topod/office/ledger")
            self.topod("apply", path)
        self.check(apply, "web/br0: bridge")

    def test_daemon(self):
        def reload(path):
            self.spec(self.MADE)
            d = self.daemon(path).ready()
            self.spec(self.FOUND)
            with d.expects("left alone: web/br0: bridge is given up"):
                d.reload()
            d.stop()
        self.check(reload)

    def test_other_end_goes(self):
        """The pair goes with the end that is neither declared nor given up; the plan says so."""
        path = self.spec(self.MADE)
        self.topod("apply", path)
        self.spec("namespaces: {web: {interfaces: {p: {kind: existing}}}, other: {}}\n")
        plan = self.topod("plan", path, expect=lab.EXIT_DIFFERENCES).stdout
        self.assertIn("p: link goes with its other end or lower link, which is in the namespace 'other' and is no longer declared", plan)


class Removed(Names):
    """Objects that disappear with a namespace that is removed in the same edit, or soon after."""

    def setUp(self):
        super().setUp()
        lab.run("ip", "netns", "add", "ctr")
        self.path = self.spec(PAIR)

    def test_an_end_becomes_existing(self):
        """The plan shows that it will disappear; afterwards it is missing, and that is reported too."""
        self.topod("apply", self.path)
        self.spec(FOUND)
        done = self.topod("plan", self.path, expect=lab.EXIT_DIFFERENCES)
        self.assertRegex(done.stdout + done.stderr, "goes with its other end or lower link, .* in the namespace 'web'")
        done = self.topod("apply", self.path, expect=lab.EXIT_FAILED)
        self.assertRegex(done.stderr, r"e0: link went with its other end or lower link, .* in the namespace 'web'")
        self.assertEqual(["ctr"], lab.namespaces())
        self.assertIsNone(lab.link("ctr", "e0"), "it is still there when all was verified")
        done = self.topod("apply", self.path, expect=lab.EXIT_FAILED)
        self.assertRegex(done.stderr, "does not exist, and 'kind: existing'")

    def test_what_stands_on_it(self):
        self.topod("apply", self.path)
        lab.ip("ctr", "link add m0 link e0 type macvlan")
        self.spec(FOUND.replace("e0: {kind: existing", "e0: {kind: existing}, m0: {kind: existing"))
        done = self.topod("plan", self.path, expect=lab.EXIT_DIFFERENCES)
        self.assertRegex(done.stdout + done.stderr, "goes with its other end or lower link, .* in the namespace 'web'")

    def test_daemon(self):
        d = self.daemon(self.path).ready()
        self.spec(FOUND)
        self.topod("reload", "office", expect=(0, lab.EXIT_FAILED))
        d.wait_line(r"failing: ctr/e0: .*goes with its other end or lower link, .* in the namespace 'web'")
        self.assertIsNone(lab.link("ctr", "e0"))
        status = self.topod("status", "office").stdout
        self.assertIn("egraded", status)
        self.assertIn("went with its other end or lower link, which was in the namespace 'web'", status)
        d.stop()

    def test_gone_when_it_is_said(self):
        """Also undeclared objects: a removed namespace is destroyed when `apply` ends."""
        path = self.spec("namespaces: {a: {}, b: {}, c: {}}\n")
        for _ in range(5):
            self.topod("apply", path)
            lab.veth("a", "x0", HOST, "x1")
            self.spec("namespaces: {b: {}}\n")
            self.topod("apply", path)
            self.assertIsNone(lab.link(HOST, "x1"))
            self.spec("namespaces: {a: {}, b: {}, c: {}}\n")

    def test_one_that_is_held_is_not_waited_for(self):
        """A process keeps it alive without its name."""
        path = self.spec("namespaces: {a: {}, b: {}}\n")
        self.topod("apply", path)
        lab.veth("a", "x0", HOST, "x1")
        p = self.process(inside="a")
        self.spec("namespaces: {b: {}}\n")
        self.topod("apply", path)
        self.assertTrue(lab.link(HOST, "x1"))
        self.end(p)


class Renamed(Names):
    """Somebody renames an interface that topod did not make: objects that topod added to it are still removed."""
    TEXT = """\
namespaces:
  host:
    interfaces: {ex0: {kind: existing%s, addresses: [10.0.0.1/24]}}
%s"""

    def setUp(self):
        super().setUp()
        lab.veth(HOST, "ex0", HOST, "other", "192.0.2.1/24")
        self.before = self.settle()

    def renamed(self, text, take_away):
        path = self.spec(text)
        self.topod("apply", path)
        index = lab.link(HOST, "ex0")["ifindex"]
        lab.ip(HOST, "link set ex0 down")
        lab.ip(HOST, "link set ex0 name ex1")
        lab.ip(HOST, "link set ex1 up")
        take_away(path)
        self.assertEqual(["192.0.2.1/24"], [a for a in lab.addresses(HOST, "ex1") if "." in a])
        self.assertEqual((index, 1500), (lab.link(HOST, "ex1")["ifindex"], lab.link(HOST, "ex1")["mtu"]))
        lab.ip(HOST, "link set ex1 down")
        lab.ip(HOST, "link set ex1 name ex0")
        lab.ip(HOST, "link set ex0 up")
        self.assertFalse(os.path.exists("/run/topod/office/ledger"))
        self.same(lab.state_only(self.before), lab.state_only(self.settle()))

    def down(self, path):
        self.topod("down", path)

    def out_of_the_file(self, path):
        self.spec("namespaces: {}\n")
        self.topod("apply", path)

    def test_address(self):
        self.renamed(self.TEXT % ("", ""), self.down)

    def test_mtu_and_address(self):
        self.renamed(self.TEXT % (", mtu: 1400", ""), self.down)

    def test_setting(self):
        sysctl = "    sysctl: {net.ipv4.conf.ex0.rp_filter: 2}\n"
        self.renamed(self.TEXT % (", mtu: 1400", sysctl), self.down)

    def test_out_of_the_file(self):
        self.renamed(self.TEXT % (", mtu: 1400", ""), self.out_of_the_file)

    def test_followed_in_the_file(self):
        """With its new name it is still the same interface, and is restored to its state before the first topology."""
        path = self.spec(self.TEXT % (", mtu: 1400", ""))
        self.topod("apply", path)
        lab.ip(HOST, "link set ex0 down")
        lab.ip(HOST, "link set ex0 name ex1")
        self.spec((self.TEXT % (", mtu: 1400", "")).replace("ex0", "ex1"))
        self.topod("apply", path)
        self.assertIn("10.0.0.1/24", lab.addresses(HOST, "ex1"))
        self.topod("down", path)
        self.assertEqual(1500, lab.link(HOST, "ex1")["mtu"])
        self.assertNotIn("10.0.0.1/24", lab.addresses(HOST, "ex1"))
        self.assertFalse(os.path.exists("/run/topod/office"))

    def test_another_one_under_the_name(self):
        """A recreated interface is a different one: only what is on it is removed."""
        path = self.spec(self.TEXT % (", mtu: 1400", ""))
        self.topod("apply", path)
        lab.ip(HOST, "link del ex0")
        lab.veth(HOST, "ex2", HOST, "other", "10.0.0.1/24")
        self.topod("down", path)
        self.assertIn("10.0.0.1/24", lab.addresses(HOST, "ex2"))
        lab.ip(HOST, "link del ex2")


class Lost(Names):
    """A running daemon holds each namespace that it made: only the name can be lost."""

    def started(self, text=WEB):
        self.path = self.spec(text)
        self.d = self.daemon(self.path).ready()
        self.inode = lab.namespace_id("web")
        return self.d

    def same_again(self, before):
        """It is the same namespace, mounted once; nothing inside has changed."""
        self.assertEqual(self.inode, lab.namespace_id("web"))
        self.same(before, lab.snapshot(exact=True))
        with open("/proc/self/mountinfo") as f:
            self.assertEqual(1, sum(line.split()[4] == "/run/netns/web" for line in f))

    def test_the_same_namespace_again(self):
        """Links, addresses, sockets, processes, an established connection: all survive any deletion of the name."""
        d = self.started()
        p = self.process(inside="web")
        before = self.settle(d, exact=True, usable=True)
        commands = ["ip netns delete web", "umount -l /run/netns/web", "ip netns delete web && touch /run/netns/other"]
        with lab.Connection(HOST, "10.0.0.2", 7777, server="web") as connection:
            for command in commands:
                with self.subTest(command):
                    connection.say(b"before")
                    with d.expects("drift: web: namespace was left without its name; restored in"):
                        lab.run("sh", "-c", command)
                    lab.run("rm", "-f", "/run/netns/other")
                    connection.say(b"after")
                    self.same_again(before)
                    self.assertEqual(self.inode, os.stat(f"/proc/{p.pid}/ns/net").st_ino)
        self.topod("plan", self.path)
        d.stop()

    def test_with_nobody_inside(self):
        d = self.started()
        before = self.settle(d, exact=True)
        with d.expects("drift: web: namespace was left without its name; restored in"):
            lab.run("ip", "netns", "delete", "web")
        self.same_again(before)
        self.assertNotIn("c1", " ".join(l for l in d.lines if "drift" in l))
        d.stop()

    def test_with_its_directory(self):
        """All names at once, together with their mount."""
        for command in ("umount -l /run/netns", "umount -ql /run/netns/* /run/netns; rm -r /run/netns"):
            d = self.started(lab.edit(WEB, ("  web:", "  db: {}\n  web:")))
            before = self.settle(d, exact=True)
            with d.expects("drift: web: namespace was left without its name; restored in"), \
                    d.expects("drift: db: namespace was left without its name; restored in"):
                lab.run("sh", "-c", command)
            self.wait_until(lambda: lab.namespaces() == ["db", "web"], "both", d)
            self.assertEqual(self.inode, lab.namespace_id("web"))
            self.same(lab.state_only(before), lab.state_only(lab.snapshot(exact=True)))
            d.stop()
            self.topod("down", self.path)

    def test_in_a_pause(self):
        d = self.started()
        before = self.settle(d, exact=True)
        self.topod("pause", "office")
        with d.expects("drift: web: namespace was left without its name; left alone while paused"):
            lab.run("ip", "netns", "delete", "web")
        self.topod("resume", "office")
        self.same_again(before)
        d.stop()

    def test_something_else_in_the_place_of_the_name(self):
        """The contents are maintained, and the name is restored as soon as possible."""
        d = self.started()
        before = self.settle(d, exact=True)
        d.process.send_signal(signal.SIGSTOP)
        lab.run("ip", "netns", "delete", "web")
        with d.expects("web: namespace was left without its name; the repair failed: cannot be made: its name in /run/netns is a "
                       "file that is not a network namespace; remove that"):
            with open("/run/netns/web", "w") as f:
                f.write("notes")
            d.process.send_signal(signal.SIGCONT)
        with open("/run/netns/web") as f:
            self.assertEqual("notes", f.read())
        with d.expects("drift: host/c1: .*restored"):
            lab.ip(HOST, "addr del 10.0.0.1/24 dev c1")
        with d.expects("recovered: web: namespace"):
            os.unlink("/run/netns/web")
        self.same_again(before)
        d.stop()

    def replaced(self, d, pattern):
        d.process.send_signal(signal.SIGSTOP)
        with d.expects(pattern):
            lab.run("sh", "-c", "ip netns delete web && ip netns add web")
            d.process.send_signal(signal.SIGCONT)

    def test_replaced(self):
        """Another namespace has the name: the old one is given up, and the processes left in it are named."""
        d = self.started()
        p = self.process(inside="web")
        self.replaced(d, f"web: namespace was replaced by another; the repair failed: exists and is not topod's.*; left in the old one: 1 process: sleep, pid {p.pid}$")
        self.end(p)
        self.wait_until(lambda: lab.link(HOST, "c1") is None, "the old one gone", d)
        with d.expects("recovered: web: namespace"):
            lab.run("ip", "netns", "delete", "web")
        d.stop()

    def test_replaced_with_nobody_inside(self):
        d = self.started()
        self.replaced(d, "web: namespace was replaced by another; the repair failed: exists and is not topod's")
        self.assertFalse(d.find("left in the old one"))
        self.wait_until(lambda: lab.link(HOST, "c1") is None, "the old one gone", d)
        d.stop()

    def test_lost_while_nobody_looked(self):
        """Several processes, and one that is elsewhere; named at the next start."""
        self.started().stop()
        inside = [self.process(inside="web") for _ in range(5)]
        self.process()
        lab.run("ip", "netns", "delete", "web")
        d = self.daemon(self.path).ready()
        line = d.wait_line("drift: web: namespace was removed; restored in .*; left in the old one: 5 processes: ")
        named = [p.pid for p in inside if f"sleep, pid {p.pid}" in line]
        self.assertEqual(3, len(named), line)
        self.assertTrue(line.endswith(" and 2 more"), line)
        d.stop()
        for p in inside:
            self.end(p)
        lab.run("ip", "netns", "delete", "web")
        since = len(d.lines)
        d = self.daemon(self.path).ready()
        self.assertFalse(d.find("left in the old one"), d.lines[since:])
        d.stop()

    def test_lost_without_a_daemon(self):
        """`apply` names them, with the place in the file; also where another one has the name."""
        path = self.spec(WEB)
        self.topod("apply", path)
        p = self.process(inside="web")
        left = f"left in the old one: 1 process: sleep, pid {p.pid}\n"
        lab.run("ip", "netns", "delete", "web")
        done = self.topod("apply", path)
        self.assertRegex(done.stderr, "office.yaml:.*: warning: web: namespace was removed; restored in .*; " + left)
        self.assertEqual([], json.loads(self.topod("apply", "--json", path).stdout)["topologies"][0]["problems"])
        self.end(p)
        p = self.process(inside="web")
        left = f"left in the old one: 1 process: sleep, pid {p.pid}\n"
        lab.run("sh", "-c", "ip netns delete web && ip netns add web")
        done = self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.assertRegex(done.stderr, "office.yaml:.*: error: web: namespace exists and is not topod's: .*; " + left)
        self.end(p)
        lab.run("ip", "netns", "delete", "web")
        self.assertNotIn("left in", self.topod("apply", path).stderr)
        self.topod("down", path)

    def test_another_topology_took_the_name(self):
        """Meanwhile: the message names it, and the processes left in the old one."""
        path = self.spec(WEB)
        self.topod("apply", path)
        p = self.process(inside="web")
        lab.run("ip", "netns", "delete", "web")
        other = self.spec("topology: other\nnamespaces: {web: {interfaces: {lo: {}}}}\n", "other.yaml")
        self.topod("apply", other)
        done = self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.assertRegex(done.stderr, r"error: web: namespace exists and belongs to topology 'other' \(.*/other.yaml:2\): use "
                         f"that one with 'adopt: true', .*; left in the old one: 1 process: sleep, pid {p.pid}\n")
        self.topod("down", other)
        self.topod("apply", path)
        self.topod("down", path)

    def test_unique_links_left_without_a_daemon(self):
        """A resource that only one link can have is taken from the one in the lost namespace, like a pair's end; a
        namespace without processes is not found, and the message says where to look."""
        lab.ip(HOST, "link add p0 type veth peer name p1")
        for end in ("p0", "p1"):
            lab.ip(HOST, f"link set {end} up")
        lab.ip(HOST, "addr add 10.7.0.1/24 dev p1")
        path = self.spec(UNIQUE)
        self.topod("apply", path)
        names = lab.namespaces()
        inside = [self.process(inside=name) for name in names]
        for name in names:
            lab.run("ip", "netns", "delete", name)
        done = self.topod("apply", path)
        for p in inside:
            self.assertIn(f"left in the old one: 1 process: sleep, pid {p.pid}\n", done.stderr)
        self.topod("plan", path)
        for p in inside:
            self.assertNotIn("@", lab.run("nsenter", "-t", str(p.pid), "-n", "ip", "-o", "link").stdout)
        for name in names:
            lab.run("sh", "-c", f"touch /run/{name} && mount --bind /run/netns/{name} /run/{name} && ip netns delete {name}")
        done = self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.assertRegex(done.stderr, "alone/m0: macvlan cannot be made: perhaps host:p0 is the parent of another macvlan, and "
                         "'mode: passthru' allows only one: look for it with `ip -d link show type macvlan` here, .*lsns -t net")
        self.assertRegex(done.stderr, "address/m1: macvlan cannot be made: another macvlan of host:p1 has this MAC address: "
                         "look for it with")
        self.assertRegex(done.stderr, "vni/v0: vxlan cannot be made: .* already exists: look for it with")
        for name in names:
            lab.run("umount", "-l", f"/run/{name}")
        self.wait_until(lambda: self.topod("apply", path, expect=(0, 1)).returncode == 0, "the old ones gone")
        self.topod("plan", path)
        self.topod("down", path)

    def test_a_unit_is_named(self):
        """A process is named by its control group, as systemd sets it."""
        group = os.path.join(self.directory, "cgroup")
        os.mkdir(group)
        if lab.run("mount", "-t", "cgroup2", "none", group, check=False).returncode:
            self.skipTest("no cgroup2")
        self.addCleanup(lab.run, "umount", "-l", group)
        self.started().stop()
        p = self.process(inside="web")
        name = f"{group}/lab-{os.getpid()}-web.service"
        os.makedirs(f"{name}/payload")
        self.addCleanup(os.rmdir, name)
        self.addCleanup(os.rmdir, f"{name}/payload")
        self.addCleanup(self.end, p)
        with open(f"{name}/payload/cgroup.procs", "w") as f:
            f.write(str(p.pid))
        lab.run("ip", "netns", "delete", "web")
        d = self.daemon(self.path).ready()
        d.wait_line(rf"left in the old one: 1 process: lab-\d+-web\.service, pid {p.pid}$")
        d.stop()

    def test_macvlan(self):
        """A link that is unique on its parent does not conflict with itself: while a process keeps the namespace, it is recovered."""
        if not lab.kernel_has("macvlan", "link", "lo") and lab.run("true"):
            lab.ip(HOST, "link add probe type veth peer name other")
            lab.ip(HOST, "link del probe")
        d = self.started("""\
namespaces:
  host: {interfaces: {p0: {kind: bridge}}}
  web: {interfaces: {m0: {kind: macvlan, link: "host:p0", mode: passthru, addresses: [10.0.0.2/24]}}}
""")
        before = self.settle(d, exact=True)
        self.process(inside="web")
        with d.expects("drift: web: namespace was left without its name; restored in"):
            lab.run("ip", "netns", "delete", "web")
        self.same_again(before)
        self.topod("plan", self.path)
        d.stop()


class Held(Names):
    """When a held namespace goes."""

    def gone(self, d, what):
        """Nothing holds it: the other end of its pair disappears too."""
        self.wait_until(lambda: lab.link(HOST, "x1") is None, what, d)

    def begun(self, text="namespaces: {web: {}, db: {}}\n"):
        path = self.spec(text)
        d = self.daemon(path).ready()
        lab.veth("web", "x0", HOST, "x1")
        return path, d

    def test_removed_from_the_file(self):
        _, d = self.begun()
        self.spec("namespaces: {db: {}}\n")
        d.reload()
        self.gone(d, "web taken apart")
        d.stop()

    def test_removed_at_the_stop(self):
        _, d = self.begun("on-stop: remove\nnamespaces: {web: {}, db: {}}\n")
        d.stop()
        self.gone(None, "web taken apart")

    def test_the_daemon_ends(self):
        """Only its descriptor is closed: the name keeps the namespace. Afterwards `down` removes it as usual."""
        path, d = self.begun()
        inode = lab.namespace_id("web")
        d.kill()
        self.assertEqual(inode, lab.namespace_id("web"))
        self.assertTrue(lab.link(HOST, "x1"))
        self.topod("down", path)
        self.gone(None, "web taken apart")

    def test_a_daemon_that_ends_without_the_name(self):
        _, d = self.begun()
        self.topod("pause", "office")
        with d.expects("left alone while paused"):
            lab.run("ip", "netns", "delete", "web")
        self.assertTrue(lab.link(HOST, "x1"))
        d.kill()
        self.gone(None, "web taken apart")

    def test_what_is_not_put_right_is_not_held(self):
        """With `drift: report` and `ignore`, a deleted namespace stays deleted."""
        for policy, words in ("report", "drift: web: namespace was removed; reported only"), ("ignore", None):
            path, d = self.begun(f"namespaces: {{web: {{drift: {policy}}}}}\n")
            lab.run("ip", "netns", "delete", "web")
            self.gone(d, "web taken apart")
            if words:
                d.wait_line(words)
            d.stop()
            self.topod("down", path)

    def test_more_than_may_be_open(self):
        """Namespaces beyond a quarter of the limit are not held: they are recreated."""
        names = [f"n{i}" for i in range(300)]
        path = self.spec("namespaces: {" + ", ".join(f"{n}: {{}}" for n in names) + "}\n")
        d = self.daemon(path, prefix=["prlimit", "--nofile=1024:1024", "--"]).ready()
        inodes = {n: lab.namespace_id(n) for n in names}
        nsfs = os.stat("/run/netns/n0").st_dev
        open_files = [os.stat(f"/proc/{d.pid}/fd/{l}") for l in os.listdir(f"/proc/{d.pid}/fd")
                      if os.path.exists(f"/proc/{d.pid}/fd/{l}")]
        numbers = {st.st_ino for st in open_files if st.st_dev == nsfs} & set(inodes.values())
        self.assertEqual(256, len(numbers))
        kept = next(n for n in names if inodes[n] in numbers)
        other = next(n for n in names if inodes[n] not in numbers)
        with d.expects(f"drift: {kept}: namespace was left without its name"):
            lab.run("ip", "netns", "delete", kept)
        self.assertEqual(inodes[kept], lab.namespace_id(kept))
        with d.expects(f"drift: {other}: namespace was removed; restored"):
            lab.run("ip", "netns", "delete", other)
        self.topod("plan", path)
        d.stop()
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
