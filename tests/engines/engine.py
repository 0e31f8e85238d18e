# SPDX-License-Identifier: GPL-2.0-or-later
"""
Container engines in the laboratory of ../netns/lab.py, and the tests that each of them must pass.

A test file ends with `engine.main()`. Outside of the laboratory it fetches the engines that are not installed (see
`packages`), and makes a control group for everything. Inside, the engines are laid over /usr, topod is installed there as the hook
that containers' runtimes call, and what engines write to is in memory: nothing stays.

The program of a container writes what it sees as its first instruction to a pipe, which wakes the test.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "netns"))

import cgroup  # noqa: E402
import lab  # noqa: E402
from lab import Case, RUN, installed_hook, skip  # noqa: E402

CLONE_NEWCGROUP = 0x02000000
PAGE = os.path.join(HERE, "../../docs/containers.md")

# web is a container, db a namespace that one joins
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

# The program of a container. It prints what it sees in one line: interfaces, addresses, routes.
FIRST = ["sh", "-c", "echo begin $(ip -o link show eth0) $(ip -o addr show eth0) $(ip route) end >/out/first; exec sleep 100000"]
COMPLETE = ("10.0.0.11/24", "fd00:1::11/64", "default via 10.0.0.1", " end")


def fetched():
    """The directory with the engines that are not installed."""
    done = subprocess.run([os.path.join(HERE, "packages")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == lab.SKIPPED and not os.environ.get("CI"):
        skip(done.stderr.strip())
    if done.returncode != 0:
        sys.exit(f"no container engines: exit {done.returncode}\n{done.stderr}")
    return done.stdout.strip()


def prepare():
    engines = os.environ["TOPOD_ENGINES"]
    lab.libc_call("unshare", CLONE_NEWCGROUP)
    for place, kind in (("/sys/fs/cgroup", "cgroup2"), ("/dev/shm", "tmpfs"), ("/var/lib", "tmpfs"), ("/var/tmp", "tmpfs")):
        lab.run("mount", "-n", "-t", kind, "none", place)
    for name in ("usr", "work"):
        os.makedirs(f"{RUN}/over/{name}")
    lab.run("mount", "-n", "-t", "overlay", "-o",
            f"lowerdir={engines}/usr:/usr,upperdir={RUN}/over/usr,workdir={RUN}/over/work", "usr", "/usr")
    # A machine may have other versions of these in /usr/local.
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    for name in ("oci-hook", "oci-runtime"):
        os.makedirs(os.path.dirname(installed_hook()), exist_ok=True)
        os.symlink(os.environ["TOPOD"], installed_hook(name))


def main():
    if os.environ.get("TOPOD_LAB") != "1":
        if os.geteuid() != 0:
            skip("container engines need root")
        if not shutil.which("busybox"):
            skip("busybox is not installed")
        os.environ["TOPOD_ENGINES"] = fetched()
        cgroup.enter()
    lab.main(prepare)


def block_of_page(*texts):
    """The block of docs/containers.md that contains these texts."""
    with open(PAGE) as f:
        found, = [b for b in re.findall(r"(?ms)^```\w*\n(.*?)^```$", f.read()) if all(t in b for t in texts)]
    return found


def lines_of_page(word):
    """The command lines of docs/containers.md that begin with this word."""
    with open(PAGE) as f:
        return [l.split() for block in re.findall(r"(?ms)^```\w*\n(.*?)^```$", f.read()) for l in block.splitlines() if l.startswith(word)]


class Engine(Case):
    """self.root is the root of a container, self.image the same as an archive, self.out the directory that containers have as
    /out."""

    def setUp(self):
        super().setUp()
        self.root, self.out, self.image = (f"{self.directory}/{name}" for name in ("root", "out", "image.tar"))
        for directory in ("bin", "proc", "sys", "etc", "dev", "out", "usr", "tmp"):
            os.makedirs(f"{self.root}/{directory}")
        shutil.copy(shutil.which("busybox"), f"{self.root}/bin/busybox")
        for name in ("sh", "ip", "sleep", "echo", "cat", "true"):
            os.symlink("busybox", f"{self.root}/bin/{name}")
        lab.run("tar", "-C", self.root, "-cf", self.image, ".")
        os.mkdir(self.out)
        os.mkfifo(f"{self.out}/first")
        self.pipe = os.open(f"{self.out}/first", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.addCleanup(os.close, self.pipe)
        self.heard = ""

    def compose_file(self, key):
        """Writes the file of the page that has this key, with the box as its image."""
        more = {"container_name": "app", "command": [word.replace("$", "$$") for word in FIRST],
                "volumes": [f"{self.out}:/out"], "security_opt": ["seccomp=unconfined"]}
        return self.spec(block_of_page("services:", key).replace("IMAGE", "box") +
                         "".join(f"    {k}: {json.dumps(v)}\n" for k, v in more.items()), "compose.yaml")

    def first_lines(self):
        """What containers have written so far."""
        with contextlib.suppress(BlockingIOError):
            self.heard += os.read(self.pipe, 1 << 16).decode()
        return self.heard.split("\n")[:-1]

    def wait_lines(self, n, d):
        d.wait(lambda: len(self.first_lines()) >= n, f"first line {n} of {self.first_lines()}", [self.pipe])
        self.assertEqual(n, len(self.first_lines()))
        return self.first_lines()

    def check_lines(self, texts=COMPLETE):
        """Each is complete, and all have the same MAC address."""
        for line in self.first_lines():
            for text in texts:
                self.assertIn(text, line)
        self.assertEqual(1, len({re.search(r"link/ether (\S+)", l)[1] for l in self.first_lines()}))


class Proof:
    """The tests that every engine must pass. It has start(name, policy), restart(name), pid(name) and remove(name)."""

    restarts, kills, topology = 20, 5, SPEC

    def test_restarts(self):
        """A container that restarts without a pause sees its network in its first instruction."""
        d = self.daemon(self.spec(self.topology)).ready()
        self.start("app")
        for n in range(1, self.restarts + 1):
            self.wait_lines(n, d)
            self.restart("app")
        self.wait_lines(self.restarts + 1, d)
        self.check_lines()
        self.assertIn("10.0.0.11/24", lab.ip("web", "addr").stdout)
        self.remove("app")
        self.wait_until(lambda: not os.path.lexists("/run/netns/web"), "the end of its name", d)
        d.calm()
        d.stop()

    def test_killed(self):
        """So does one whose process was killed and whose policy starts it again."""
        d = self.daemon(self.spec(self.topology)).ready()
        self.start("app", policy=True)
        for n in range(1, self.kills + 1):
            self.wait_lines(n, d)
            self.wait_until(lambda: self.pid("app"), "its process", d)
            self.kill("app")
        self.wait_lines(self.kills + 1, d)
        self.check_lines()
        self.remove("app")
        d.calm()
        d.stop()

    def kill(self, name):
        os.kill(self.pid(name), signal.SIGKILL)


class Running:
    """An engine with a socket that topod knows is asked once, when the daemon starts."""

    def test_ran_before(self):
        path = self.spec(SPEC)
        d = self.daemon(path).ready()
        self.start("app", attached=False)
        self.wait_lines(1, d)
        d.stop()
        self.assertNotIn("10.0.0.11", self.first_lines()[0])
        d = self.daemon(path).ready()
        self.assertIn("10.0.0.11/24", lab.ip("web", "addr show eth0").stdout)
        self.assertIn(f"/proc/{self.pid('app')}/ns/net", os.readlink("/run/netns/web"))
        d.calm()
        d.stop()
