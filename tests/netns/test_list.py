# SPDX-License-Identifier: GPL-2.0-or-later
"""`topod list` and `topod show`: from daemons, and from ledgers alone; their tables at widths of terminals, and as JSON."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import lab
from lab import Case

SPEC = """\
topology: small
namespaces:
  host: {interfaces: {br0: {kind: bridge, addresses: [10.0.0.1/24]}}}
  a:
    drift: report
    interfaces: {x: {kind: bridge, mtu: 1400, addresses: [10.1.0.1/24, 10.1.1.1/24]}}
    routes: [{to: 10.99.0.0/16, via: 10.1.0.2}]
"""
OTHER = "topology: other\nnamespaces: {b: {interfaces: {z: {kind: bridge}}}}\n"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


class Tables(Case):
    def setUp(self):
        super().setUp()
        self.path = self.spec(SPEC, "small.yaml")

    def json(self, *args):
        return json.loads(self.topod(*args, "--json").stdout)["topologies"]

    def at_terminal(self, width, *args, **env):
        """What a verb prints on a terminal with that many columns."""
        near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        environment = {k: v for k, v in {**os.environ, "TERM": "xterm", "COLUMNS": None, "NO_COLOR": None, **env}.items()
                       if v is not None}
        p = subprocess.Popen([os.environ["TOPOD"], *args], stdin=far, stdout=far, stderr=far, env=environment)
        os.close(far)
        said = b""
        try:
            while part := os.read(near, 65536):
                said += part
        except OSError:  # the last writer has closed it
            pass
        os.close(near)
        self.assertEqual(0, p.wait(), said)
        return said.decode().replace("\r\n", "\n")

    # list --------------------------------------------------------------------------------------------------

    def test_nothing(self):
        for verb in ("list", "show"):
            self.assertTrue(self.topod(verb).stderr.startswith("topod: there is no topology; "))
            self.assertEqual([], self.json(verb))

    def test_states(self):
        def state():
            return {t["topology"]: t["state"] for t in self.json("list")}
        self.topod("apply", self.path)
        self.topod("apply", self.spec(OTHER, "other.yaml"))
        self.assertEqual({"small": "applied", "other": "applied"}, state())
        d = self.daemon(self.path).ready()
        self.assertEqual({"small": "converged", "other": "applied"}, state())
        self.assertEqual(d.pid, self.json("list")[1]["pid"])
        with d.expects("drift: a/x: mtu .*reported only"):
            lab.ip("a", "link set x mtu 1300")
        self.assertEqual("degraded", state()["small"])
        self.topod("pause", "small")
        self.assertEqual("paused", state()["small"])
        d.stop()
        self.assertEqual("stopped", state()["small"])
        self.topod("apply", self.path, expect=(0, 1))
        self.assertEqual("applied", state()["small"])
        d = self.daemon(self.path)
        d.wait_line("drift|converged|Degraded|degraded")
        d.kill()
        self.assertEqual("stopped", state()["small"])
        self.topod("down", self.path)
        self.assertEqual({"other": "applied"}, state())

    def test_list_text(self):
        self.topod("apply", self.path)
        lines = self.topod("list").stdout.splitlines()
        self.assertEqual(["TOPOLOGY STATE   NAMESPACES OBJECTS PID FILE",
                          f"small    applied          2       8     {self.path}"], lines)
        for width in (80, 60, 50):
            said = ESCAPE.sub("", self.at_terminal(width, "list"))
            self.assertIn("small", said)
            for line in said.splitlines():
                self.assertLessEqual(len(line), width)

    def test_not_root(self):
        """It lists what every user may see, and says what is missing."""
        self.topod("apply", self.path)
        done = lab.run(*NOBODY, os.environ["TOPOD"], "list")
        self.assertRegex(done.stdout, "\nsmall +applied")
        self.assertIn("be root, or a member of the group 'topod'", done.stderr)
        done = lab.run(*NOBODY, os.environ["TOPOD"], "show", check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("cannot see what 'small' has made: Permission denied (this needs root)", done.stderr)

    # show --------------------------------------------------------------------------------------------------

    def namespaces(self, *args):
        return {n["namespace"]: n for t in self.json("show", *args) for n in t["namespaces"]}

    def test_what_is_there(self):
        self.topod("apply", self.path)
        found = self.namespaces()
        self.assertEqual({"host", "a"}, set(found))
        inside = {i["interface"]: i for i in found["a"]["interfaces"]}
        self.assertEqual({"interface": "x", "kind": "bridge", "state": "no carrier", "mtu": 1400, "made": True, "managed": True,
                          "addresses": ["10.1.0.1/24", "10.1.1.1/24"]}, inside["x"])
        self.assertEqual("loopback", inside["lo"]["kind"])
        self.assertEqual({"route": 1}, found["a"]["others"])
        self.assertEqual((True, True, None, []), tuple(found["a"][k] for k in ("present", "made", "error", "processes")))
        self.assertEqual(["br0"], [i["interface"] for i in found["host"]["interfaces"]])  # and nothing that is not topod's

    def test_what_is_not(self):
        self.topod("apply", self.path)
        lab.ip("a", "link del x")
        lab.ip("a", "link add theirs type bridge")
        found = {i["interface"]: (i["state"], i["managed"]) for i in self.namespaces("a")["a"]["interfaces"]}
        self.assertEqual({"lo": ("up", True), "x": ("missing", True), "theirs": ("down", False)}, found)
        self.assertRegex(self.topod("show", "a").stdout, r"theirs +bridge +down +not topod's")
        lab.run("ip", "netns", "del", "a")
        self.assertFalse(self.namespaces("small")["a"]["present"])
        self.assertRegex(self.topod("show").stdout, r"a +namespace +missing")

    def test_drift_and_processes(self):
        d = self.daemon(self.path).ready()
        p = subprocess.Popen([os.environ["TOPOD"], "exec", "a", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(lambda: (p.kill(), p.wait(), p.stdin.close(), p.stdout.close()))
        p.stdin.write(b"ready\n")
        p.stdin.flush()
        self.assertEqual(b"ready\n", p.stdout.readline())
        with d.expects("drift: a/x: mtu .*reported only"):
            lab.ip("a", "link set x mtu 1300")
        topology, = self.json("show", "a")
        self.assertEqual(("degraded", d.pid, self.path), tuple(topology[k] for k in ("state", "pid", "file")))
        self.assertEqual([("a/x", "reported")], [(t["scope"], t["state"]) for t in topology["troubles"]])
        self.assertEqual([p.pid], [q["pid"] for q in self.namespaces()["a"]["processes"]])
        text = self.topod("show").stdout
        self.assertRegex(text, rf"1 process: .* \({p.pid}\)")
        self.assertRegex(text, r"x +bridge +no carrier +10\.1\.0\.1/24 +reported: ")
        d.stop()

    def test_notes_of_a_namespace(self):
        """Its addresses and its problems are in consecutive lines."""
        d = self.daemon(self.spec(lab.edit(SPEC, ("    drift: report\n", "    drift: report\n    forwarding: ipv4\n")),
                                  "small.yaml")).ready()
        with d.expects("drift: a: sysctl .*reported only"):
            lab.run("ip", "netns", "exec", "a", "sysctl", "-qw", "net.ipv4.ip_forward=0")
        self.assertRegex(self.topod("show").stdout, r"1 route.*\n.* reported: sysctl")
        d.stop()

    def test_names(self):
        self.topod("apply", self.path)
        self.topod("apply", self.spec(OTHER, "other.yaml"))
        self.assertEqual(["small"], [t["topology"] for t in self.json("show", "small")])
        self.assertEqual(["other"], [t["topology"] for t in self.json("show", "b")])
        self.assertEqual({"b"}, set(self.namespaces("b")))
        done = self.topod("show", "bb", expect=lab.EXIT_FAILED)
        self.assertIn("no topology has the name or the namespace 'bb'; did you mean 'b'?", done.stderr)

    def test_help_fits_a_terminal(self):
        verbs = re.findall(r"(?m)^  ([a-z]+) ", self.topod("help").stdout)
        self.assertIn("edit", verbs)
        for verb in ("", *verbs):
            for line in self.at_terminal(80, "help", *verb.split()).splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_widths(self):
        """Sentences are broken between words, and no line is longer than the terminal."""
        names = [f"program-{n}" for n in range(3)]
        self.topod("apply", self.path)
        for name in names:
            script = os.path.join(self.directory, name)
            with open(script, "w") as f:
                f.write("#!/bin/sh\nread line; echo ready; read line\n")
            os.chmod(script, 0o755)
            p = subprocess.Popen([os.environ["TOPOD"], "exec", "a", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.addCleanup(lambda p=p: (p.kill(), p.wait(), p.stdin.close(), p.stdout.close()))
            p.stdin.write(b"\n")
            p.stdin.flush()
            self.assertEqual(b"ready\n", p.stdout.readline())
        piped = self.topod("show").stdout
        self.assertRegex(piped, "3 processes: .*, .*, .*")
        for width in (80, 72):
            said = ESCAPE.sub("", self.at_terminal(width, "show"))
            for name in names:
                self.assertIn(name, said)
            for line in said.splitlines():
                self.assertLessEqual(len(line), width, said)

    def test_color(self):
        self.topod("apply", self.path)
        said = self.at_terminal(80, "show")
        self.assertIn("\x1b[1msmall", said)
        self.assertIn("\x1b[33mno carrier", said)
        for plain in (self.at_terminal(80, "show", NO_COLOR="1"), self.at_terminal(80, "show", "--color", "never"),
                      self.topod("show").stdout):
            self.assertNotIn("\x1b", plain)
        self.assertIn("\x1b", self.topod("show", "--color", "always").stdout)

    def test_hostile_names(self):
        """A name cannot control the terminal, and cannot begin a line."""
        self.topod("apply", self.path)
        lab.run("ip", "-n", "a", "link", "add", "e\x1b[31m", "type", "bridge")
        text = self.topod("show").stdout
        self.assertNotIn("\x1b", text)
        self.assertIn("e?[31m", text)

    def test_locale(self):
        self.topod("apply", self.path)
        self.assertIn("`-", self.topod("show", env={"LC_ALL": "C"}).stdout)
        self.assertIn("└─", self.topod("show", env={"LC_ALL": "C.UTF-8"}).stdout)


if __name__ == "__main__":
    lab.main()
