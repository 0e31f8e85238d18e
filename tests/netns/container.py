# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers, and what their topology must have given them: for the tests of `attach`."""

import contextlib
import json
import os
import subprocess
import time

import lab
from lab import HOST, Case

SPEC = """\
topology: office
namespaces:
  host:
    interfaces:
      br0: {kind: bridge, ports: [c1, c2], addresses: [10.0.0.1/24]}
  web:
    attach: {}
    interfaces: {eth0: {addresses: [10.0.0.11/24]}, lo: {addresses: [10.4.4.4/32]}}
    routes: [{to: default, via: 10.0.0.1}]
    sysctl: {net.ipv4.ip_default_ttl: 77}
  db:
    interfaces: {eth0: {addresses: [10.0.0.12/24]}}
links:
  - [web:eth0, host:c1]
  - [db:eth0, host:c2]
"""


def name_of(ns):
    """The target of its name in /run/netns; None: it has none."""
    with contextlib.suppress(FileNotFoundError):
        return os.readlink(f"/run/netns/{ns}")


class Attach(Case):
    def status(self):
        return json.loads(self.topod("status", "office", "--json").stdout)["topologies"][0]

    def complete(self, container):
        """Everything declared exists when its process starts."""
        self.assertTrue(container.has("10.0.0.11/24", "addr show eth0"))
        self.assertTrue(container.has("10.4.4.4/32", "addr show lo"))
        self.assertTrue(container.has("default via 10.0.0.1", "route"))
        self.assertEqual("77", lab.run("nsenter", "-n", "-t", str(container.pid), "cat",
                                       "/proc/sys/net/ipv4/ip_default_ttl").stdout.strip())
        self.assertTrue(lab.link(HOST, "c1"))

    def waits(self, d):
        self.wait_until(lambda: not os.path.lexists("/run/netns/web"), "the end of its name", d)
        self.wait_until(lambda: self.status()["waiting"] > 0, "another wait", d)
        self.assertEqual("converged", self.status()["state"])


class Container:
    """A process with its own network namespace, as a runtime makes it."""

    def __init__(self, test, before="ip link set lo up"):
        self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", f"{before}; echo there; exec cat"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        test.addCleanup(self.end)
        assert self.process.stdout.readline() == "there\n"

    @property
    def pid(self):
        return self.process.pid

    def ip(self, *words):
        return lab.run("nsenter", "-n", "-t", str(self.pid), "ip", *" ".join(words).split())

    def has(self, text, *words):
        return text in self.ip(*words).stdout

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def container_with_pid(test, pid, after=0):
    """A container with this number, which another process had before, that starts later than a file's time (in ns)."""
    while True:
        with open("/proc/sys/kernel/ns_last_pid", "w") as f:
            f.write(str(pid - 1))
        container = Container(test)
        test.assertEqual(pid, container.pid)
        with open(f"/proc/{pid}/stat") as f:
            ticks = int(f.read().rsplit(")", 1)[1].split()[19])
        age = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - ticks * 10**9 // os.sysconf("SC_CLK_TCK")
        if time.time_ns() - age > after + 10**8:
            return container
        container.end()
