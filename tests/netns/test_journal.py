# SPDX-License-Identifier: GPL-2.0-or-later
"""
Messages to the journal: the native protocol of systemd-journald, received by a socket in its place.

Entries are lines KEY=VALUE (https://systemd.io/JOURNAL_NATIVE_PROTOCOL); topod's values have no line breaks.
"""

import contextlib
import os
import re
import select
import socket

import lab
from lab import OFFICE, Case, edit

# Standard error is the journal if JOURNAL_STREAM names it (systemd.exec(5)).
AS_A_SERVICE = ("sh", "-c", 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"', "sh")


class Journal(Case):
    def setUp(self):
        super().setUp()
        path = "/run/systemd/journal/socket"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.journal.bind(path)
        self.addCleanup(lambda: (self.journal.close(), os.unlink(path)))

    def hears(self, pattern):
        """The next entry whose MESSAGE matches."""
        while True:
            ready, _, _ = select.select([self.journal], [], [], 15)
            self.assertTrue(ready, f"the journal heard nothing like {pattern}")
            entry = dict(l.split("=", 1) for l in self.journal.recv(65536).decode().splitlines())
            if re.search(pattern, entry["MESSAGE"]):
                return entry

    def test_drift(self):
        path = self.spec(OFFICE)
        d = self.daemon(path, prefix=AS_A_SERVICE).ready()
        converged = self.hears("^converged")
        lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
        entry = self.hears(r"^drift: web/eth0: address 10\.0\.0\.11/24 was removed; restored in ")
        wanted = {"TOPOD_TOPOLOGY": "office", "TOPOD_NAMESPACE": "web", "TOPOD_DRIFT": "missing",
                  "TOPOD_ACTION": "restored", "SYSLOG_IDENTIFIER": "topod"}
        self.assertEqual(wanted, {k: entry.get(k) for k in wanted})
        self.assertIn("10.0.0.11/24", entry["TOPOD_OBJECT"])
        self.assertEqual(("eth0", "address", "10.0.0.11/24"), tuple(entry[f"TOPOD_{k}"] for k in ("INTERFACE", "KIND", "KEY")))
        self.assertRegex(entry["TOPOD_LATENCY_USEC"], r"^[0-9]+$")
        self.assertRegex(entry["MESSAGE_ID"], r"^[0-9a-f]{32}$")
        self.assertNotEqual(converged["MESSAGE_ID"], entry["MESSAGE_ID"])
        with open(path) as f:
            self.assertIn("10.0.0.11/24", f.read().splitlines()[int(entry["TOPOD_LINE"]) - 1])
        self.assertEqual([], d.lines, "it speaks on standard error as well")
        d.stop()

    def test_changed_and_reported(self):
        d = self.daemon(self.spec(edit(OFFICE, ("namespaces:\n", "drift: report\nnamespaces:\n"))),
                        prefix=AS_A_SERVICE).ready()
        lab.ip("web", "link set eth0 mtu 1300")
        entry = self.hears(r"^drift: web/eth0: .*mtu")
        self.assertEqual(("changed", "reported"), (entry["TOPOD_DRIFT"], entry["TOPOD_ACTION"]))
        d.stop()

    def test_refused_file(self):
        path = self.spec(OFFICE)
        d = self.daemon(path, prefix=AS_A_SERVICE).ready()
        with open(path, "a") as f:
            f.write("nonsense: 1\n")
        d.reload()
        entry = self.hears("unknown key 'nonsense'")
        self.assertEqual("3", entry["PRIORITY"])
        d.stop()


class StandardError(Case):
    def test_nobody_reads(self):
        """A full pipe does not block the daemon; it says how many lines were dropped once there is room."""
        fifo, path = self.directory + "/fifo", self.spec("namespaces: {web: {interfaces: {br0: {kind: bridge}}}}\n")
        os.mkfifo(fifo)
        fd = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, fd)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(fd, b"x" * 4096)
        d = self.daemon(path, prefix=["sh", "-c", f'exec "$@" 9>&2 2>{fifo}', "sh"]).ready()
        lab.ip("web", "link del br0")
        self.wait_until(lambda: lab.link("web", "br0"), "the repair")
        self.topod("status", "office")
        with contextlib.suppress(BlockingIOError):
            while True:
                os.read(fd, 1 << 20)
        lab.ip("web", "link del br0")
        said = b""
        while b"drift" not in said or not said.endswith(b"\n"):
            self.assertTrue(select.select([fd], [], [], lab.DEADLINE)[0], said)
            said += os.read(fd, 1 << 20)
        self.assertRegex(said.decode(), r"^2 lines were dropped here: nobody was reading\ndrift: web/br0: bridge was removed")
        d.stop()


if __name__ == "__main__":
    lab.main()
