# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces that lose their name in /run/netns, or that topod lets go."""

import json
import os
import signal

import lab
from lab import HOST
from names import WEB, Names

UNIQUE = """\
topology: unique
namespaces:
  host: {interfaces: {p0: {kind: existing}, p1: {kind: existing}}}
  alone: {interfaces: {m0: {kind: macvlan, link: "host:p0", mode: passthru}}}
  address: {interfaces: {m1: {kind: macvlan, link: "host:p1"}}}
  vni: {interfaces: {v0: {kind: vxlan, id: 7, dev: "host:p1", group: 239.1.1.1}}}
"""


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
