# SPDX-License-Identifier: GPL-2.0-or-later
"""A service in a namespace, by the recipe of the README, the manual and the unit: what it survives, and which name servers
it asks."""

import contextlib
import os
import re
import socket
import struct
import threading

import machine
from machine import Case, lab
from lab import HOST, OFFICE, edit

UNIT = "topod@office.service"
SOURCE = os.path.dirname(os.path.dirname(machine.HERE))
TEXTS = [f"{SOURCE}/{f}" for f in ("README.md", "docs/topod.8.scd", "docs/reference.md", "units/topod@.service.in",
                                    "specs/README.md")]


def recipes(path):
    """The recipes in a text, as drop-ins that a user copies from it."""
    with open(path) as f:
        text = re.sub(r"(?m)^# ?", "", f.read()) if ".service" in path else f.read()
    text = text.replace("topod@NAME", "topod@office")
    if path.endswith(".scd"):  # what is between ``` is indented when it is printed
        text = re.sub(r"(?s)^```\n(.*?)^```", lambda block: re.sub("(?m)^", "    ", block[1]), text, flags=re.MULTILINE)
    found = re.findall(r"(?m)(?:^    (?:\[\w+\]|\w+=.*)\n)+", text)
    return ["".join(l.strip() + "\n" for l in block.splitlines()) for block in found if "NetworkNamespacePath" in block]


RECIPE, = recipes(TEXTS[0])


class NameServer:
    """A name server that answers every query for an IPv4 address with this one, and records the names."""

    def __init__(self, ns, address, answer):
        with lab.inside(ns):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((address, 53))
        self.answer, self.names = socket.inet_aton(answer), []
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        """RFC 1035, section 4: the header, the question as received, and for type A (1) one answer that points to its name."""
        while (message := self.socket.recvfrom(4096))[0] != b"end":
            query, client = message
            end = query.index(b"\0", 12) + 5
            self.names.append(query[12:end])
            known = struct.unpack(">H", query[end - 4:end - 2]) == (1,)
            record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + self.answer if known else b""
            self.socket.sendto(query[:2] + struct.pack(">5H", 0x8180, 1, known, 0, 0) + query[12:end] + record, client)

    def close(self):
        self.socket.sendto(b"end", self.socket.getsockname())
        self.thread.join()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Service(Case):
    def service(self, command, name="inside", recipe=RECIPE, kind="exec"):
        self.machine.write(f"/etc/systemd/system/{name}.service", f"[Service]\nType={kind}\nExecStart={command}\n")
        self.machine.write(f"/etc/systemd/system/{name}.service.d/namespace.conf", recipe)
        self.systemctl("daemon-reload")

    def test_one_recipe(self):
        """All texts have the same recipe, and no directive that would stop or restart the service together with topod."""
        for path in TEXTS[:2] + [f"{SOURCE}/units/topod@.service.in"]:
            self.assertEqual([RECIPE], recipes(path), path)
        for path in TEXTS:
            with open(path) as f:
                self.assertNotRegex(f.read(), r"(Requires|BindsTo|PartOf|Requisite)=topod@", path)

    def test_lives_on(self):
        """The same process survives everything that leaves the network as it is."""
        self.service("sleep infinity")
        self.spec(OFFICE)
        self.systemctl("start inside")  # which wants the topology
        self.assertEqual("active", self.show(UNIT, "ActiveState"))
        pid = self.show("inside", "MainPID")
        self.assertIn("10.0.0.11/24", lab.run("nsenter", "-t", pid, "--net", "ip", "addr").stdout)

        def unmoved(what):
            self.assertEqual({"ActiveState": "active", "MainPID": pid, "NRestarts": "0"},
                             self.show("inside", "ActiveState", "MainPID", "NRestarts"), what)
        self.systemctl("restart", UNIT)
        unmoved("a restart")
        self.spec(edit(OFFICE, ("mtu: 1400", "mtu: 1300")))
        self.systemctl("reload", UNIT)
        unmoved("a reload")
        lab.run("systemctl", "kill", "-s", "KILL", UNIT)
        self.wait_unit(UNIT, ActiveState="active", SubState="running", NRestarts="1")
        unmoved("a crash")
        before = self.show(UNIT, "MainPID")
        self.machine.install(machine.package("9.9.9"))
        self.assertNotEqual(before, self.show(UNIT, "MainPID"), "the old version still runs")
        unmoved("an upgrade")
        self.systemctl("stop", UNIT)
        unmoved("a stop")
        self.systemctl("start", UNIT)
        unmoved("a start")
        lab.run("apt-get", "remove", "-y", "-q", "topod")
        unmoved("the package's removal")

    def test_name_servers(self):
        """It asks only the name servers of its namespace, although those of the host could be reached too."""
        asking = "getent ahostsv4 who.example"
        self.start(OFFICE)
        self.machine.write("/etc/resolv.conf", "nameserver 203.0.113.1\n")
        self.service(asking, kind="oneshot")
        self.service(asking, "bare", "".join(l for l in RECIPE.splitlines(True) if "resolv.conf" not in l), kind="oneshot")
        with NameServer(HOST, "10.0.0.1", "192.0.2.1") as own, NameServer("outside", "203.0.113.1", "192.0.2.2") as foreign:
            self.systemctl("start inside")
            self.assertIn("192.0.2.1 ", lab.run("journalctl", "-u", "inside", "-o", "cat").stdout)
            self.assertTrue(own.names)
            self.assertEqual([], foreign.names)
            # What the recipe's last line is for.
            self.systemctl("start bare")
            self.assertIn("192.0.2.2 ", lab.run("journalctl", "-u", "bare", "-o", "cat").stdout)

    def test_verb(self):
        """`topod unit` writes what the recipe says, and it works."""
        self.start(OFFICE)
        self.machine.write("/etc/resolv.conf", "nameserver 203.0.113.1\n")
        self.service("getent ahostsv4 who.example", "verb", recipe="", kind="oneshot")
        printed = lab.run("topod", "unit", "verb", "web").stdout
        self.assertLessEqual(set(RECIPE.splitlines()), set(printed.splitlines()))
        lab.run("topod", "unit", "verb", "web", "--install")
        self.systemctl("daemon-reload")
        with NameServer(HOST, "10.0.0.1", "192.0.2.1"), NameServer("outside", "203.0.113.1", "192.0.2.2") as foreign:
            self.systemctl("start verb")
            self.assertIn("192.0.2.1 ", lab.run("journalctl", "-u", "verb", "-o", "cat").stdout)
            self.assertEqual([], foreign.names)

    def test_without_name_servers(self):
        """A missing file is a failure; the host's name servers are not asked."""
        self.start(edit(OFFICE, ("    dns: {servers: [10.0.0.1], search: [office.example]}\n", "")))
        self.service("true", kind="oneshot")
        self.systemctl("start inside", expect=1)
        self.assertEqual("226", self.show("inside", "ExecMainStatus"))  # EXIT_NAMESPACE, systemd.exec(5)
        self.service("true", kind="oneshot", recipe=RECIPE.replace("BindReadOnlyPaths=", "BindReadOnlyPaths=-"))
        self.systemctl("start inside")

    def test_without_namespace(self):
        """Without the topology it does not run in the host's network."""
        self.spec("namespaces: {web: [}\n")
        self.service("true", kind="oneshot")
        self.systemctl("start inside", expect=1)
        self.assertEqual("failed", self.show(UNIT, "ActiveState"))
        self.assertEqual("225", self.show("inside", "ExecMainStatus"))  # EXIT_NETWORK

    def test_cached_names(self):
        """nscd answers from the host's network through a socket, unless that is hidden as the manual says."""
        with open(TEXTS[1]) as f:
            hidden = re.search(r"(?m)^(InaccessiblePaths=.*\n)", f.read())[1]
        self.start(OFFICE)
        os.mkdir(self.machine.path("/run/nscd"))
        self.service("getent ahostsv4 who.example", "bare")
        self.service("getent ahostsv4 who.example", recipe=RECIPE + hidden, kind="oneshot")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as nscd, NameServer(HOST, "10.0.0.1", "192.0.2.1"):
            nscd.bind(self.machine.path("/run/nscd/socket"))
            nscd.listen()
            nscd.settimeout(lab.DEADLINE)
            self.systemctl("start bare")
            nscd.accept()[0].close()
            self.wait_unit("bare", ActiveState="inactive")
            nscd.setblocking(False)
            with contextlib.suppress(BlockingIOError):  # it sends several queries
                while True:
                    nscd.accept()[0].close()
            self.systemctl("start inside")
            self.assertIn("192.0.2.1 ", lab.run("journalctl", "-u", "inside", "-o", "cat").stdout)
            self.assertRaises(BlockingIOError, nscd.accept)


if __name__ == "__main__":
    machine.main()
