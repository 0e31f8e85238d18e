# SPDX-License-Identifier: GPL-2.0-or-later
"""What the verbs print: `apply` and `down` with --json, and colours on a terminal."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess

import lab
from lab import Case, edit

SMALL = """\
topology: small
namespaces:
  a:
    drift: report
    interfaces: {x: {kind: bridge, mtu: 1400, addresses: [10.0.0.1/24]}}
"""
# Its gateway is unreachable, which topod warns about.
UNREACHABLE = SMALL + "    routes: [{to: 10.99.0.0/16, via: 10.55.0.1}]\n"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


class Usage(Case):
    def test_verbs_of_other_tools(self):
        """The message suggests the right one, or what to do instead."""
        for verb, answer in (("up", "did you mean 'apply'"), ("destroy", "did you mean 'down'"), ("validate", "did you mean 'check'"),
                             ("diff", "did you mean 'plan'"), ("ls", "did you mean 'list'"), ("start", "systemctl start topod@NAME"),
                             ("stop", "systemctl stop topod@NAME")):
            done = self.topod(verb, "x", expect=lab.EXIT_USAGE)
            self.assertIn(f"topod: unknown verb '{verb}'; ", done.stderr)
            self.assertIn(answer, done.stderr)
            self.assertEqual("", done.stdout)

    def test_wrong_options(self):
        for args, answer in ((("--jsno",), "unknown option '--jsno'; did you mean '--json'?"), (("-f", "x"), "unknown option '-f'; the file is an argument"),
                             (("--dry-run",), "`topod plan SPEC`"), (("--json=3",), "--json takes no value"), (("-x",), "unknown option '-x'"),
                             (("--topology",), "--topology needs a value: --topology NAME"), (("--p",), "unknown option '--p'"),
                             (("--no-color",), "write --color=never"), (("-u",), "--user needs a value: --user USER")):
            done = self.topod("apply", *args, expect=lab.EXIT_USAGE)
            self.assertIn("topod: " + answer if not answer.startswith(("`", "write")) else answer, done.stderr)
            self.assertNotIn(os.environ["TOPOD"], done.stderr)  # not the words of getopt_long()

    def test_quiet(self):
        """Errors only, and the exit status."""
        path = self.spec(UNREACHABLE.replace("10.99.0.0/16, via: 10.55.0.1", "10.99.0.0/16, via: 10.0.0.9"))
        for args in (("check", path), ("apply", path), ("plan", path), ("down", path)):
            done = self.topod(*args, "-q")
            self.assertEqual(("", ""), (done.stdout, done.stderr), args)
        self.assertEqual(("", ""), (lambda d: (d.stdout, d.stderr))(self.topod("plan", path, "--quiet", expect=lab.EXIT_DIFFERENCES)))
        self.assertIn("error:", self.topod("check", "-q", self.spec("a: b\n", "bad.yaml"), expect=lab.EXIT_SPEC).stderr)

    def test_verbose(self):
        """Each change with its requests, in their order, and the kernel's answer if it is a refusal."""
        path = self.spec(UNREACHABLE)
        said = self.topod("apply", path, "-v", expect=lab.EXIT_FAILED).stderr
        lines = [l for l in said.splitlines() if re.match("(create|change|delete) ", l)]
        self.assertEqual(["create a: namespace (mount in /run/netns)", "create a/x: bridge (RTM_NEWLINK)"], lines[:2])
        self.assertIn("create a/x: address 10.0.0.1/24 (RTM_NEWADDR)", lines)
        self.assertRegex(said, r"(?m)^create a: route 10\.99\.0\.0/16 via 10\.55\.0\.1 \(RTM_NEWROUTE\): Network is unreachable|^create a: route 10\.99\.0\.0/16 \(RTM_NEWROUTE\): Network is unreachable")
        self.assertIn("delete a: namespace (mount in /run/netns)\n", self.topod("down", path, "--verbose").stderr)
        self.assertNotIn("RTM_", self.topod("apply", path, expect=lab.EXIT_FAILED).stderr)
        self.topod("down", path)


class Deeds(Case):
    """The plan, the result and its JSON count the same changes."""
    FULL = SMALL + """\
    nat: [{action: masquerade, source: 10.0.0.0/8}]
    sysctl: {net.ipv4.conf.all.rp_filter: 2}
  b: {interfaces: {v: {kind: vxlan, id: 7, remote: 192.0.2.1}}}
links: [[a:e, b:e], [a:f, b:f]]
"""
    STEPS = [SMALL, FULL, FULL.replace("id: 7", "id: 8").replace("10.0.0.0/8", "10.0.0.0/9"), FULL.replace(", [a:f, b:f]", ""),
             FULL.replace("mtu: 1400", "mtu: 1300"), SMALL.replace("kind: bridge", "kind: ifb, arp: false").replace(", addresses: [10.0.0.1/24]", ""), SMALL]

    def plan(self, path):
        done = self.topod("plan", path, expect=(lab.EXIT_DONE, lab.EXIT_DIFFERENCES))
        found = re.search(r"^(\d+) to create, (\d+) to change, (\d+) to recreate, (\d+) to delete", done.stdout, re.M)
        return [int(n) for n in found.groups()] if found else [0, 0, 0, 0]

    def test_one_count(self):
        for n, text in enumerate(self.STEPS):
            with self.subTest(n):
                path = self.spec(text, "small.yaml")
                planned = self.plan(path)
                self.assertTrue(any(planned))
                said = self.topod("apply", path).stdout
                done = [int((re.search(rf"(\d+) {word}", said) or [0, 0])[1]) for word in ("created", "changed", "recreated", "deleted")]
                self.assertEqual(planned, done, said)
        for text in self.STEPS[:3]:
            path = self.spec(text, "small.yaml")
            self.assertEqual(sum(self.plan(path)), json.loads(self.topod("apply", path, "--json").stdout)["topologies"][0]["changes"])
        self.topod("down", path)


class Waits(Case):
    SPEC = """\
topology: small
namespaces: {a: {interfaces: {x: {addresses: ["fd00::1/64"]}}}, b: {interfaces: {x: {addresses: ["fd00::2/64"]}}}}
links: [[a:x, b:x]]
"""

    def test_waits(self):
        """Duplicate detection takes more than a second. Verbs that do not wait print nothing."""
        path = self.spec(self.SPEC)
        said = self.topod("apply", path).stderr
        self.assertRegex(said, r"(?m)^small: waiting: duplicate detection of [12] address(es)?; 'nodad: true' skips it$")
        self.assertEqual(1, said.count("waiting"))
        self.assertEqual("", self.topod("apply", path).stderr)
        self.topod("down", path)
        self.assertEqual("", self.topod("apply", path, "-q").stderr)
        self.topod("down", path)

    def test_status_of_a_daemon(self):
        d = self.daemon(self.spec(self.SPEC))
        said = re.compile(r"Converging: duplicate detection of [12] address(es)?; 'nodad: true' skips it")
        d.wait(lambda: any(said.fullmatch(n.get("STATUS", "")) for n in d.notices), "STATUS= about duplicate detection")
        d.ready()
        d.stop()

    def test_those_who_ask_a_daemon(self):
        """reload, resume and `status --wait` say what the daemon waits for, as apply does, and nothing if it does
        not wait."""
        reason = r"duplicate detection of [12] address(es)?; 'nodad: true' skips it"
        said = re.compile(rf"small: waiting: {reason}\n")
        path = self.spec(self.SPEC.replace("addresses", "mtu: 1400, addresses").replace('["fd00::1/64"]', "[]"))
        d = self.daemon(path).ready()
        self.assertEqual("", self.topod("reload", "small").stderr)
        self.assertEqual("", self.topod("status", "small", "--wait").stderr)
        self.spec(self.SPEC)
        self.assertRegex(self.topod("reload", "small").stderr, said)
        lab.ip("a", "addr del fd00::1/64 dev x")
        self.assertRegex(self.topod("status", "small", "--wait").stderr, said)
        lab.ip("a", "addr del fd00::1/64 dev x")
        self.wait_until(lambda: "converging" in self.topod("status", "small", expect=(0, 5)).stdout, "converging", d)
        status = self.topod("status", "small", expect=5)
        self.assertRegex(status.stdout, rf"(?m)^    reason  {reason}$")
        self.topod("status", "small", "--wait")
        self.topod("pause", "small")
        lab.ip("a", "addr del fd00::1/64 dev x")
        self.assertRegex(self.topod("resume", "small").stderr, said)
        lab.ip("a", "addr del fd00::1/64 dev x")
        self.assertEqual("", self.topod("reload", "small", "-q").stderr)
        d.stop()

    def test_no_daemon_yet(self):
        p = subprocess.Popen([os.environ["TOPOD"], "status", "small", "--wait"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             text=True)
        self.addCleanup(lambda: (p.kill(), p.wait(), p.stderr.close()))
        self.assertEqual("small: waiting: no daemon runs\n", p.stderr.readline())
        d = self.daemon(self.spec(self.SPEC)).ready()
        self.assertEqual(0, p.wait(60))
        d.stop()


class Pipes(Case):
    def test_a_reader_that_ends(self):
        """No message; the status is that of a program that the signal ended. Another error of standard output is reported."""
        for args in (("schema",), ("help",), ("init", "pair")):
            r, w = os.pipe()
            os.close(r)
            p = subprocess.Popen([os.environ["TOPOD"], *args], stdout=w, stderr=subprocess.PIPE, text=True)
            os.close(w)
            self.assertEqual(("", 128 + signal.SIGPIPE), (p.communicate()[1], p.returncode), args)
        with open("/dev/full", "w") as full:
            done = subprocess.run([os.environ["TOPOD"], "schema"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(("topod: cannot write to standard output: No space left on device\n", 1), (done.stderr, done.returncode))


class Programs(Case):
    def answer(self, *args, expect=0):
        done = self.topod(*args, "--json", expect=expect)
        self.assertNotIn("error", done.stderr)
        result, = json.loads(done.stdout)["topologies"]
        return result

    def check(self, answer, state, changes, problems=()):
        self.assertIsInstance(answer.pop("usec"), int)
        self.assertEqual({"topology": "small", "state": state, "namespaces": 1, "objects": 4 + len(problems),
                          "waiting": 0, "changes": changes, "problems": list(problems)}, answer)

    def test_apply_and_down(self):
        path = self.spec(SMALL)
        first = self.answer("apply", path)
        self.assertGreater(first["usec"], 0)
        self.check(first, "converged", 4)  # the namespace, lo, the bridge, its address
        self.check(self.answer("apply", path), "converged", 0)
        lab.ip("a", "link set x mtu 1300")
        self.check(self.answer("apply", path), "converged", 1)
        removed = self.answer("down", path)
        self.assertEqual(("small", "converged", 1, []), tuple(removed[k] for k in ("topology", "state", "changes", "problems")))
        self.assertEqual(([], 0), (lab.namespaces(), self.answer("down", path)["changes"]))

    def test_not_all_could_be_done(self):
        """The rest is done and counted, and each problem has its position; it is over once the missing address exists."""
        path = self.spec(UNREACHABLE)
        for changes in (4, 0):
            answer = self.answer("apply", path, expect=lab.EXIT_FAILED)
            self.assertRegex(answer["problems"][0].pop("message"),
                             r"^a: route 10\.99\.0\.0/16 via 10\.55\.0\.1 cannot be made: .*Network is unreachable")
            self.check(answer, "degraded", changes, [{"severity": "error", "file": path, "line": 6, "column": 14}])
        self.assertEqual(["10.0.0.1/24"], lab.addresses("a", "x"))
        lab.ip("a", "addr add 10.55.0.2/24 dev x")
        answer = self.answer("apply", path)
        self.assertEqual(("converged", 1, []), (answer["state"], answer["changes"], answer["problems"]))

    def test_nothing_to_answer(self):
        """If the verb cannot even start, there is no JSON, only the exit status and messages for people."""
        wrong, path = self.spec("nonsense: 1\n", "wrong.yaml"), self.spec(SMALL)
        done = self.topod("apply", "--json", wrong, expect=lab.EXIT_SPEC)
        self.assertEqual("", done.stdout)
        self.assertIn("wrong.yaml:1:1: error: unknown key 'nonsense'", done.stderr)
        d = self.daemon(path).ready()
        done = self.topod("apply", "--json", path, expect=lab.EXIT_FAILED)
        self.assertEqual("", done.stdout)
        self.assertIn("is already managed by another topod", done.stderr)
        d.stop()


class Colors(Case):
    """Escape sequences are printed only on terminals or on request; the text is the same without them."""

    def at_terminal(self, *args, **env):
        """What a verb prints if standard output and error are a terminal. NAME=None: not set."""
        near, far = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "NO_COLOR": None, **env}
        try:
            p = subprocess.Popen([os.environ["TOPOD"], *args], stdin=subprocess.DEVNULL, stdout=far, stderr=far,
                                 env={k: v for k, v in environment.items() if v is not None})
            os.close(far)
            said = b""
            with contextlib.suppress(OSError):  # the last writer has closed it
                while part := os.read(near, 65536):
                    said += part
            self.addCleanup(p.wait)
        finally:
            os.close(near)
        return said.decode().replace("\r\n", "\n")

    def piped(self, *args):
        done = self.topod(*args, expect=(0, 1, 2, lab.EXIT_DEGRADED, 78))
        return done.stdout + done.stderr

    def check(self, *args, colored):
        """colored: a part of the output that must be coloured."""
        plain = self.piped(*args)
        self.assertIn(ESCAPE.sub("", colored), plain)
        self.assertNotIn("\x1b", plain)
        for said, wanted in ((self.piped(*args, "--color", "always"), True),
                             (self.piped(*args, "--color", "never"), False),
                             (self.at_terminal(*args), True),
                             (self.at_terminal(*args, "--color", "never"), False),
                             (self.at_terminal(*args, NO_COLOR="1"), False),
                             (self.at_terminal(*args, NO_COLOR=""), True),  # the same as not set
                             (self.at_terminal(*args, TERM="dumb"), False),
                             (self.at_terminal(*args, "--color", "always", NO_COLOR="1", TERM="dumb"), True)):
            self.assertEqual(wanted, colored in said, said)
            self.assertEqual(wanted, "\x1b" in said, said)
            self.assertEqual(self.timeless(plain), self.timeless(ESCAPE.sub("", said)))

    def timeless(self, text):
        return re.sub(r"just now|\d+ s ago", "…", text)

    def test_check(self):
        self.check("check", self.spec("nonsense: 1\n"), colored="\x1b[1;31merror:\x1b[0m unknown key 'nonsense'")

    def test_plan(self):
        path = self.spec(SMALL)
        self.check("plan", path, colored="\x1b[1ma\x1b[0m\n  \x1b[32m  +\x1b[0m ")

    def test_apply(self):
        path = self.spec(UNREACHABLE)
        self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.check("apply", path, colored=f"\x1b[1m{path}:6:14:\x1b[0m \x1b[1;31merror:\x1b[0m a: route 10.99.0.0/16 ")

    def test_progress(self):
        """A progress line that is overwritten, and removed at the end."""
        addresses = ", ".join(f"10.7.{n // 200}.{n % 200 + 1}/32" for n in range(300))
        path = self.spec(edit(SMALL, ("10.0.0.1/24", addresses)))
        done = r"small: 303 objects in 1 namespace: .*; verified in .*\n\Z"
        self.assertRegex(self.at_terminal("apply", path), r"\A\rsmall: 25\d of 303 changes\x1b\[K\r\x1b\[K" + done)
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.topod("down", path)
            self.assertRegex(self.at_terminal("apply", path, **env), r"\A" + done)
        self.topod("down", path)
        self.assertNotIn(" changes", self.piped("apply", "--color", "always", path))

    def test_status_and_watch(self):
        d = self.daemon(self.spec(SMALL)).ready()
        with d.expects("drift: a/x: mtu .*reported only"):
            lab.ip("a", "link set x mtu 1300")
        self.check("status", "small", colored="\x1b[1;31mdegraded\x1b[0m")
        watching = [self.watch("--color", when) for when in ("always", "never")]
        with d.expects("drift: a/x: address .*reported only"):
            lab.ip("a", "addr del 10.0.0.1/24 dev x")
        colored, plain = (w.stdout.readline() for w in watching)
        self.assertRegex(colored, r"^[0-9:.]+  \x1b\[33mdrift: a/x: address 10\.0\.0\.1/24 was removed; reported only\x1b\[0m$")
        self.assertEqual(plain, ESCAPE.sub("", colored))
        d.stop()

    def watch(self, *args):
        """Starts `topod watch` and waits for its first line."""
        p = subprocess.Popen([os.environ["TOPOD"], "watch", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             text=True)
        self.addCleanup(lambda: (p.kill(), p.wait(), p.stdout.close()))
        p.stdout.readline()
        return p


if __name__ == "__main__":
    lab.main()
