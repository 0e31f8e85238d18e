# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers of podman, with crun: those that join a namespace of topod's, and those that have one of their own, which topod's
hook attaches before their program starts."""

import contextlib
import json
import os
import re
import shutil
import signal
import unittest

import lab
from lab import HOST, Case

SPEC = """\
topology: office
namespaces:
  host:
    interfaces: {br0: {kind: bridge, ports: [c1, c2], addresses: [10.0.0.1/24]}}
  web:
    attach: {container: app}
    interfaces:
      eth0: {addresses: [10.0.0.11/24, {address: "fd00:1::11/64", nodad: true}]}
    routes: [{to: default, via: 10.0.0.1}, {to: 10.66.0.0/16, type: blackhole}]
  db:
    interfaces: {eth0: {addresses: [10.0.0.12/24]}}
    routes: [{to: default, via: 10.0.0.1}]
links:
  - [web:eth0, host:c1]
  - [db:eth0, host:c2]
"""

# The program of the container: what it sees as its first instruction, on one line.
FIRST = 'echo begin $(ip -o link show eth0) $(ip -o addr show eth0) $(ip route) end; exec sleep 100000'


class Podman(Case):
    def setUp(self):
        super().setUp()
        for program in ("podman", "crun", "busybox"):
            if not shutil.which(program):
                self.skipTest(f"{program} is not installed")
        # podman writes to these whatever its options say: locks, a cache, images. crun takes no tree that is partly of version 1.
        for place, kind in (("/dev/shm", "tmpfs"), ("/var/lib", "tmpfs"), ("/var/tmp", "tmpfs"), ("/sys/fs/cgroup", "cgroup2")):
            lab.run("mount", "-t", kind, "none", place)
            self.addCleanup(lab.run, "umount", "-l", place)
        self.store = f"{self.directory}/podman"
        self.addCleanup(shutil.rmtree, "/run/lab/r", ignore_errors=True)  # podman wants a short name for it
        root = f"{self.store}/root"
        for directory in ("bin", "proc", "sys", "etc", "dev"):
            os.makedirs(f"{root}/{directory}")
        shutil.copy(shutil.which("busybox"), f"{root}/bin/busybox")
        for name in ("sh", "ip", "sleep", "echo", "cat"):
            os.symlink("busybox", f"{root}/bin/{name}")
        image = f"{self.store}/image.tar"
        lab.run("tar", "-C", root, "-cf", image, ".")
        self.podman("import", image, "box")
        self.addCleanup(self.podman, "rm", "--all", "--force", "--time", "0")

    def podman(self, *args, check=True):
        return lab.run("podman", "--root", f"{self.store}/s", "--runroot", "/run/lab/r", "--storage-driver", "vfs",
                       "--cgroup-manager", "cgroupfs", "--runtime", "crun", "--events-backend", "file", *args, check=check)

    def start(self, name, *options):
        self.podman("run", "--detach", "--name", name, "--cgroups=disabled", "--security-opt", "seccomp=unconfined", *options,
                    "box", "sh", "-c", FIRST)

    def install_hook(self, ns="web"):
        """The file of the daemon names the installed hook; here it is the program under test."""
        path = "/run/cdi/topod-office.json"
        with open(path) as f:
            text = f.read()
        hook = f"{self.directory}/oci-hook"
        with contextlib.suppress(FileExistsError):
            os.symlink(os.environ["TOPOD"], hook)
        device, = json.loads(text)["devices"]
        self.assertEqual(ns, device["name"])
        installed = device["containerEdits"]["hooks"][0]["path"]
        self.assertTrue(installed.endswith("/topod/oci-hook"))
        with open(path, "w") as f:
            f.write(text.replace(installed, hook))

    def first_lines(self, name):
        return [l for l in self.podman("logs", name).stdout.splitlines() if l.startswith("begin")]

    def check_line(self, line):
        for text in ("10.0.0.11/24", "fd00:1::11/64", "default via 10.0.0.1", " end"):
            self.assertIn(text, line)
        return re.search(r"link/ether (\S+)", line)[1]

    def pid(self, name):
        return int(self.podman("inspect", "--format", "{{.State.Pid}}", name).stdout)


class Own(Podman):
    def test_restarts(self):
        d = self.daemon(self.spec(SPEC)).ready()
        self.install_hook()
        self.start("app", "--network", "none", "--device", "topod.org/ns=web")
        for n in range(20):
            self.wait_until(lambda: len(self.first_lines("app")) == n + 1, f"start {n}", d)
            self.podman("restart", "--time", "0", "app")
        self.wait_until(lambda: len(self.first_lines("app")) == 21, "the last start", d)
        lines = self.first_lines("app")
        self.assertEqual(1, len({self.check_line(l) for l in lines}))
        self.assertIn("10.0.0.11/24", lab.ip("web", "addr show eth0").stdout)
        self.podman("rm", "--force", "--time", "0", "app")
        self.wait_until(lambda: not os.path.lexists("/run/netns/web"), "the end of its name", d)
        d.calm()
        d.stop()

    def test_killed_under_a_policy(self):
        d = self.daemon(self.spec(SPEC)).ready()
        self.install_hook()
        self.start("app", "--network", "none", "--restart=always", "--device", "topod.org/ns=web")
        for n in range(1, 6):
            self.wait_until(lambda: len(self.first_lines("app")) == n and self.pid("app"), f"start {n}", d)
            os.kill(self.pid("app"), signal.SIGKILL)
        self.wait_until(lambda: len(self.first_lines("app")) == 6, "the last start", d)
        self.assertEqual(1, len({self.check_line(l) for l in self.first_lines("app")}))
        self.podman("rm", "--force", "--time", "0", "app")
        d.calm()
        d.stop()

    def test_while_no_daemon_runs(self):
        """The container starts at once, and the daemon's start attaches it."""
        path = self.spec(SPEC)
        d = self.daemon(path).ready()
        self.install_hook()
        d.stop()
        self.start("app", "--network", "none", "--device", "topod.org/ns=web")
        d = self.daemon(path).ready()
        self.assertIn("10.0.0.11/24", lab.ip("web", "addr show eth0").stdout)
        d.calm()
        d.stop()
        self.topod("down", path)
        self.assertFalse(os.path.exists("/run/cdi/topod-office.json"))

    def test_annotation(self):
        """By a directory of hooks instead of a device."""
        d = self.daemon(self.spec(SPEC)).ready()
        os.makedirs(f"{self.directory}/hooks.d")
        os.symlink(os.environ["TOPOD"], f"{self.directory}/oci-hook")
        with open(f"{self.directory}/hooks.d/topod.json", "w") as f:
            json.dump({"version": "1.0.0", "hook": {"path": f"{self.directory}/oci-hook"},
                       "when": {"annotations": {"^org\\.topod\\.namespace$": ".*"}}, "stages": ["createRuntime"]}, f)
        self.podman("--hooks-dir", f"{self.directory}/hooks.d", "run", "--detach", "--name", "app", "--cgroups=disabled", "--security-opt",
                    "seccomp=unconfined", "--network", "none", "--annotation", "org.topod.namespace=web", "box", "sh", "-c", FIRST)
        self.wait_until(lambda: self.first_lines("app"), "its first line", d)
        self.check_line(self.first_lines("app")[0])
        d.calm()
        d.stop()


def lines_of_page(word):
    """The command lines of the page that begin with this word."""
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/containers.md")
    with open(page) as f:
        return [l.split() for block in re.findall(r"(?ms)^```\w*\n(.*?)^```$", f.read()) for l in block.splitlines() if l.startswith(word)]


class Page(Podman):
    """The lines of docs/containers.md, with the file that it begins with."""

    def setUp(self):
        super().setUp()
        page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/containers.md")
        with open(page) as f:
            text = re.search(r"(?s)```yaml\n(topology: office.*?)```", f.read())[1]
        self.d = self.daemon(self.spec(text)).ready()
        self.install_hook("app")

    def test_podman(self):
        lines = lines_of_page("podman run")
        self.assertEqual(2, len(lines))
        for number, line in enumerate(lines):
            self.assertEqual("IMAGE", line.pop())
            name = f"c{number}"
            self.podman("run", "--detach", "--name", name, "--cgroups=disabled", "--security-opt", "seccomp=unconfined", *line[2:],
                        "box", "sh", "-c", FIRST)
            self.wait_until(lambda: self.first_lines(name), "its first line", self.d)
            self.assertIn(f"10.0.0.1{number + 1}/24", self.first_lines(name)[0])
            self.assertIn("default via 10.0.0.1", self.first_lines(name)[0])
        self.d.stop()

    @unittest.skipUnless(shutil.which("systemd-nspawn"), "systemd-nspawn is not installed")
    def test_nspawn(self):
        line, = lines_of_page("systemd-nspawn")
        line[line.index("DIRECTORY")] = f"{self.store}/root"
        os.makedirs(f"{self.store}/root/usr")  # it takes nothing without for a root
        done = lab.run(*line, "--quiet", "--register=no", "--keep-unit", "--pipe", "/bin/sh", "-c", FIRST.split(";")[0])
        self.assertIn("10.0.0.11/24", done.stdout)
        self.d.stop()


class Joining(Podman):
    def test_keeps_its_network(self):
        """What joins a namespace of topod's loses nothing when it restarts, and nothing is made again."""
        d = self.daemon(self.spec(SPEC)).ready()
        index = lab.link("db", "eth0")["ifindex"]
        self.start("app", "--network", "ns:/run/netns/db")
        for n in range(4):
            self.wait_until(lambda: len(self.first_lines("app")) == n + 1, f"start {n}", d)
            if n < 3:
                self.podman("restart", "--time", "0", "app")
        lines = self.first_lines("app")
        for line in lines:
            self.assertIn("10.0.0.12/24", line)
        self.assertEqual(index, lab.link("db", "eth0")["ifindex"])
        d.calm()
        d.stop()


if __name__ == "__main__":
    lab.main()
