# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that hold a network namespace, and foreign names of one: for the tests of names in /run/netns."""

import os
import subprocess

from lab import Case

WEB = """\
namespaces:
  host: {interfaces: {c1: {addresses: [10.0.0.1/24]}}}
  web: {interfaces: {eth0: {addresses: [10.0.0.2/24]}}}
links: [[web:eth0, host:c1]]
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
