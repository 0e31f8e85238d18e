# SPDX-License-Identifier: GPL-2.0-or-later
"""What is full: said in a sentence that names the limit, the rest is done, and topod goes on by itself once there is room.

Limits of the whole machine (fs.mount-max, fs.file-max) are left alone."""

import os
import resource
import signal

import lab
from lab import HOST, Case

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
        """Without descriptors nothing can be seen; what happened meanwhile is seen and repaired afterwards."""
        d = self.daemon(self.spec(TWO)).ready()
        soft, hard = resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE)
        self.assertEqual(hard, soft, "the soft limit was not raised")
        resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (4, hard))
        with d.expects(r"failing: .* cannot be looked at: topod has as many files open as it may \(LimitNOFILE="):
            lab.ip("web", "addr del 10.0.0.2/24 dev eth0")
        with d.expects("recovered: .* can be looked at again"):
            resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        self.wait_until(lambda: "10.0.0.2/24" in lab.addresses("web", "eth0"), "the repair", d)
        d.stop()

    def test_ports_of_a_bridge(self):
        """Others took all of them: said of the one that finds no place, which gets it as soon as there is one."""
        text = TWO.replace("interfaces: {c1:", "interfaces: {br0: {kind: bridge, ports: []}, c1:")
        d = self.daemon(self.spec(text)).ready()
        ends = [f"{e}{i}" for i in range(512) for e in "pq"][:1023]
        path = os.path.join(self.folder, "batch")
        with open(path, "w") as f:
            f.writelines(f"link add p{i} type veth peer name q{i}\n" for i in range(512))
            f.writelines(f"link set {end} master br0\n" for end in ends)
        lab.run("ip", "-batch", path)
        self.spec(text.replace("ports: []", "ports: [c1]"))
        with d.expects(r"failing: host/c1: .*: the bridge has 1023 ports, and takes no more \(.*office\.yaml:\d+\)"):
            d.process.send_signal(signal.SIGHUP)
        self.repaired(d)
        with d.expects("recovered: host/c1"):
            lab.ip(HOST, "link set p0 nomaster")
        self.assertEqual("br0", lab.link(HOST, "c1")["master"])
        d.stop()

    def test_network_namespaces(self):
        """In a user namespace of its own, whose limit is its own: it has one, and may have two more."""
        path = self.spec("namespaces: {a: {}, b: {}, c: {}}\n")
        into = ["unshare", "--user", "--map-root-user", "--mount", "--net"]
        if lab.run(*into, "true", check=False).returncode:
            self.skipTest("the kernel gives no user namespace here")
        done = lab.run(*into, "sh", "-ec", f"""
            echo 3 >/proc/sys/user/max_net_namespaces
            "$TOPOD" apply {path} || echo "exit $?"
            ls /run/netns
            echo 100 >/proc/sys/user/max_net_namespaces
            "$TOPOD" apply {path}
            "$TOPOD" down {path}""")
        self.assertEqual(1, done.stderr.count("there are as many network namespaces as there may be (sysctl "
                                              "user.max_net_namespaces)"), done.stderr)
        self.assertIn("exit 1\na\nb\n", done.stdout)
        self.assertIn("1 created", done.stdout)

    def test_full_ledger(self):
        """What cannot be noted is not made; what is noted already is repaired all the same."""
        lab.run("mount", "-t", "tmpfs", "-o", "mode=755,size=64k", "topod", self.mounted("/run/topod"))
        d = self.daemon(self.spec(TWO)).ready()
        with open("/run/topod/filler", "wb", buffering=0) as f, self.assertRaises(OSError):
            while True:
                f.write(b"x" * 4096)
        more = "".join(f"  n{i}: {{}}\n" for i in range(99))
        self.spec(lab.edit(TWO, ("links:", more + "links:")))
        with d.expects(r"failing: n0: namespace cannot be made: it cannot be noted in /run/topod \(No space left on device\)"):
            d.process.send_signal(signal.SIGHUP)
        self.assertEqual(["web"], lab.namespaces())
        self.repaired(d)
        with d.expects("converged"):
            os.unlink("/run/topod/filler")
        self.assertEqual(100, len(lab.namespaces()))
        d.stop()
        self.topod("down", self.folder + "/office.yaml")
        self.assertEqual([], lab.namespaces())

    def test_full_run(self):
        """A mount point cannot be made on a file system that is full."""
        lab.run("mount", "-t", "tmpfs", "-o", "mode=755,nr_inodes=3", "netns", self.mounted("/run/netns"))
        path = self.spec("namespaces: {a: {}, b: {}, c: {}}\n")
        d = self.daemon(path)
        d.wait_line(r"failing: [abc]: namespace cannot be made: the file system of /run/netns is full")
        self.assertEqual(2, len(lab.namespaces()))
        with d.expects("recovered"):
            lab.run("mount", "-o", "remount,nr_inodes=100", "/run/netns")
        self.topod("plan", path)
        d.stop()

    def mounted(self, folder):
        os.makedirs(folder)
        self.addCleanup(lab.subprocess.run, ["umount", "-l", folder], stderr=lab.subprocess.DEVNULL)
        return folder


if __name__ == "__main__":
    lab.main()
