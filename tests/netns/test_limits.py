# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits: a message names the limit that was reached, the rest is done, and topod continues by itself once there is room.

Limits of the whole machine are not changed: fs.mount-max is reached in the test's own mount namespace, and fs.file-max is
not tested."""

import errno
import os
import resource
import signal

import lab
from lab import HOST, Case

MS_BIND, MS_REC = 4096, 16384
MANY_MOUNTS = 200_000  # the kernel's default is 100,000, which takes less than 100 MB

TWO = """\
namespaces:
  host: {interfaces: {c1: {addresses: [10.0.0.1/24]}}}
  web: {interfaces: {eth0: {addresses: [10.0.0.2/24]}}}
links: [[web:eth0, host:c1]]
"""


class Limits(Case):
    def repaired(self, d):
        with d.expects(r"drift: web/eth0: address 10\.0\.0\.2/24 was removed; restored"):
            lab.ip("web", "addr del 10.0.0.2/24 dev eth0")

    def test_open_files(self):
        """Without descriptors nothing can be scanned; changes made meanwhile are repaired afterwards."""
        d = self.daemon(self.spec(TWO)).ready()
        soft, hard = resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE)
        self.assertEqual(hard, soft, "the soft limit was not raised")
        resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (4, hard))
        with d.expects(r"failing: .* cannot be scanned: topod has reached its limit of open files \(LimitNOFILE="):
            lab.ip("web", "addr del 10.0.0.2/24 dev eth0")
        with d.expects("recovered: .* can be scanned again"):
            resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        self.wait_until(lambda: "10.0.0.2/24" in lab.addresses("web", "eth0"), "the repair", d)
        d.stop()

    def test_ports_of_a_bridge(self):
        """Others use all of them: a message names the one that fails, and it is made as soon as there is room."""
        text = TWO.replace("interfaces: {c1:", "interfaces: {br0: {kind: bridge, ports: []}, c1:")
        d = self.daemon(self.spec(text)).ready()
        ends = [f"{e}{i}" for i in range(512) for e in "pq"][:1023]
        path = os.path.join(self.directory, "batch")
        with open(path, "w") as f:
            f.writelines(f"link add p{i} type veth peer name q{i}\n" for i in range(512))
            f.writelines(f"link set {end} master br0\n" for end in ends)
        lab.run("ip", "-batch", path)
        self.spec(text.replace("ports: []", "ports: [c1]"))
        with d.expects(r"failing: host/c1: .*: the bridge already has 1023 ports, the maximum \(.*office\.yaml:\d+\)"):
            d.process.send_signal(signal.SIGHUP)
        self.repaired(d)
        with d.expects("recovered: host/c1"):
            lab.ip(HOST, "link set p0 nomaster")
        self.assertEqual("br0", lab.link(HOST, "c1")["master"])
        d.stop()

    INTO = ["unshare", "--user", "--map-root-user", "--mount", "--net"]

    def limit(self, d, what, limit):
        """In the user namespace that the daemon is in."""
        lab.run("nsenter", "--user", "--preserve-credentials", "--target", d.pid, "sh", "-ec",
                f"echo {limit} >/proc/sys/user/{what}")

    def test_network_namespaces(self):
        """In its own user namespace with its own limit: it uses one, and may use two more."""
        if lab.run(*self.INTO, "true", check=False).returncode:
            self.skipTest("the kernel gives no user namespace here")
        path = self.spec("namespaces: {a: {}, b: {}, c: {}, d: {}}\n")
        limited = ["sh", "-ec", 'echo 3 >/proc/sys/user/max_net_namespaces; exec "$@"', "sh"]
        d = self.daemon(path, prefix=[*self.INTO, *limited])
        full = r"the limit of network namespaces is reached \(sysctl user\.max_net_namespaces\)"
        for name in "cd":
            d.wait_line(rf"failing: {name}: namespace cannot be made: {full}")
        d.wait(lambda: any(n.get("STATUS", "").startswith("Degraded: 2 failing") for n in d.notices), "degraded")
        self.assertRegex([n["STATUS"] for n in d.notices if "STATUS" in n][-1], full)
        self.assertFalse(any("READY" in n for n in d.notices))
        since = len(d.notices)
        self.limit(d, "max_net_namespaces", 100)
        d.wait_notice("READY", "1", since)
        self.assertRegex([n["STATUS"] for n in d.notices if "STATUS" in n][-1], "^Converged")
        for name in "cd":
            self.assertTrue(d.find(f"recovered: {name}: namespace"), d.lines)
        d.stop()

    def test_inotify(self):
        """Names cannot be watched: the network is maintained by periodic scans, and readiness waits until watching works."""
        if lab.run(*self.INTO, "true", check=False).returncode:
            self.skipTest("the kernel gives no user namespace here")
        path = self.spec("namespaces: {web: {}}\n")
        for what, words in (("max_inotify_instances", "has reached the limit of inotify instances"),
                            ("max_inotify_watches", "has reached the limit of inotify watches")):
            limited = ["sh", "-ec", f'echo 0 >/proc/sys/user/{what}; exec "$@"', "sh"]
            d = self.daemon(path, prefix=[*self.INTO, *limited])
            d.wait_line(rf"failing: office: events cannot be received: the user {words} \(sysctl fs\.inotify\.max_user_")
            d.wait(lambda: any(n.get("STATUS", "").startswith("Degraded: 1 failing") for n in d.notices), "degraded")
            self.assertFalse(any("READY" in n for n in d.notices))
            self.limit(d, what, 100)
            d.wait_notice("READY", "1")
            self.assertTrue(d.find("recovered: office: events can be received again"), d.lines)
            d.stop()
            self.topod("down", path)

    def test_size_of_files(self):
        """A ledger that cannot grow: objects that cannot be recorded are not made, and the daemon survives."""
        text = "namespaces: {" + ", ".join(f"n{i}: {{}}" for i in range(60)) + "}\n"
        d = self.daemon(self.spec("namespaces: {web: {}}\n")).ready()
        before = resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE)
        size = os.stat("/run/topod/office/ledger").st_size
        resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE, (size, before[1]))
        self.spec(text)
        with d.expects(r"failing: n0: namespace cannot be made: it cannot be recorded in /run/topod \(a file has reached the "
                       r"size limit \(LimitFSIZE="):
            d.process.send_signal(signal.SIGHUP)
        with d.expects("converged"):
            resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE, before)
        self.assertEqual(60, len(lab.namespaces()))
        d.stop()

    def crowd(self):
        """Mounts in the test's own mount namespace until there is no room for another. A tree that is bound into itself doubles;
        a part of it (crowd/K has 2^K mounts) fills the rest. Returns where they are."""
        def bind(source, target):
            os.makedirs(target, exist_ok=True)
            if lab.libc.mount(source.encode(), target.encode(), None, MS_BIND | MS_REC, None) == 0:
                return True
            self.assertEqual(errno.ENOSPC, lab.ctypes.get_errno())
            return False
        crowd, rest = self.mounted(self.directory + "/crowd"), self.mounted(self.directory + "/rest")
        for directory in (crowd, rest):
            lab.run("mount", "-t", "tmpfs", "crowd", directory)
        parts = 0
        while bind(crowd, f"{crowd}/{parts}"):
            parts += 1
        for part in reversed(range(parts)):
            bind(f"{crowd}/{part}", f"{rest}/{part}")
        while bind(f"{crowd}/0", f"{rest}/single"):
            pass
        return crowd

    def test_mounts(self):
        """The kernel's limit is reached; existing namespaces are kept, and a new one is created later."""
        with open("/proc/sys/fs/mount-max") as f:
            if int(f.read()) > MANY_MOUNTS:
                self.skipTest("fs.mount-max is so large that too much memory would go for it")
        d = self.daemon(self.spec(TWO)).ready()
        crowd = self.crowd()
        self.spec(lab.edit(TWO, ("links:", "  late: {}\nlinks:")))
        with d.expects(r"failing: late: namespace cannot be made: the limit of mounts is reached \(sysctl "
                       r"fs\.mount-max\)"):
            d.process.send_signal(signal.SIGHUP)
        self.assertIn("degraded", self.topod("status", "office").stdout)
        with d.expects(r"drift: host/c1: address 10\.0\.0\.1/24 was removed; restored"):
            lab.ip(HOST, "addr del 10.0.0.1/24 dev c1")
        with d.expects("recovered: late: namespace"):
            lab.run("umount", "-l", crowd)
        self.assertEqual(["late", "web"], lab.namespaces())
        d.stop()

    def test_full_ledger(self):
        """Objects that cannot be recorded are not made; recorded ones are still repaired."""
        lab.run("mount", "-t", "tmpfs", "-o", "mode=755,size=64k", "topod", self.mounted("/run/topod"))
        d = self.daemon(self.spec(TWO)).ready()
        with open("/run/topod/filler", "wb", buffering=0) as f, self.assertRaises(OSError):
            while True:
                f.write(b"x" * 4096)
        more = "".join(f"  n{i}: {{}}\n" for i in range(99))
        self.spec(lab.edit(TWO, ("links:", more + "links:")))
        with d.expects(r"failing: n0: namespace cannot be made: it cannot be recorded in /run/topod \(No space left on device\)"):
            d.process.send_signal(signal.SIGHUP)
        self.assertEqual(["web"], lab.namespaces())
        self.repaired(d)
        with d.expects("converged"):
            os.unlink("/run/topod/filler")
        self.assertEqual(100, len(lab.namespaces()))
        d.stop()
        self.topod("down", self.directory + "/office.yaml")
        self.assertEqual([], lab.namespaces())

    def test_full_run(self):
        """A mount point cannot be created on a full file system."""
        lab.run("mount", "-t", "tmpfs", "-o", "mode=755,nr_inodes=3", "netns", self.mounted("/run/netns"))
        path = self.spec("namespaces: {a: {}, b: {}, c: {}}\n")
        d = self.daemon(path)
        d.wait_line(r"failing: [abc]: namespace cannot be made: the file system of /run/netns is full")
        self.assertEqual(2, len(lab.namespaces()))
        with d.expects("recovered"):
            lab.run("mount", "-o", "remount,nr_inodes=100", "/run/netns")
        self.topod("plan", path)
        d.stop()

    def mounted(self, directory):
        os.makedirs(directory)
        self.addCleanup(lab.subprocess.run, ["umount", "-l", directory], stderr=lab.subprocess.DEVNULL)
        return directory


if __name__ == "__main__":
    lab.main()
