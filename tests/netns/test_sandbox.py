# SPDX-License-Identifier: GPL-2.0-or-later
"""`topod sandbox`: a topology and a command in separate namespaces, as an ordinary user and as root."""

import os
import select
import signal
import subprocess

import lab
from daemon import DEADLINE
from lab import Case

SPEC = """\
topology: small
namespaces:
  host: {interfaces: {br0: {kind: bridge, ports: [c1], addresses: [10.0.0.1/24]}}}
  web:
    dns: {servers: [10.0.0.1]}
    interfaces: {eth0: {addresses: [10.0.0.11/24]}}
    sysctl: {net.ipv4.ip_default_ttl: 99}
links:
  - [web:eth0, host:c1]
"""
NOT_STARTED = 125


class Sandbox(Case):
    prefix = ()

    def setUp(self):
        super().setUp()
        self.path = self.spec(SPEC, "small.yaml")
        os.chmod(self.directory, 0o755)
        self.env = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/"}

    def inside(self, *command, expect=0, path=None, prefix=None):
        done = lab.run(*(self.prefix if prefix is None else prefix), os.environ["TOPOD"], "sandbox", path or self.path, "--",
                       *command, check=False, env=self.env)
        self.assertEqual(expect, done.returncode, done.stdout + done.stderr)
        self.assertNotIn("Sanitizer", done.stderr)
        return done

    def start(self, *command):
        p = subprocess.Popen([*self.prefix, os.environ["TOPOD"], "sandbox", self.path, "--", *command], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, env=self.env)
        self.addCleanup(lambda: (p.kill(), p.wait(), p.stdin.close(), p.stdout.close()))
        return p

    def ends(self, p):
        """Waits until nobody has the writing end of its output."""
        ready = select.select([p.stdout], [], [], DEADLINE)[0]
        self.assertTrue(ready, "something inside is still running")
        self.assertEqual(b"", p.stdout.read())

    def test_what_is_inside(self):
        topod = os.environ["TOPOD"]
        before = lab.snapshot()
        done = self.inside("sh", "-c", f"id -u; ping -qc1 -W5 10.0.0.11 >/dev/null && echo reached; ip netns; ls /sys/class/net; "
                                       f"{topod} exec web sh -c 'cat /proc/sys/net/ipv4/ip_default_ttl; grep name /etc/resolv.conf'; "
                                       f"{topod} plan {self.path}; echo $TOPOD_SANDBOX")
        for word in ("reached", "web", "br0", "c1", "99", "nameserver 10.0.0.1", "nothing to do", "small"):
            self.assertIn(word, done.stdout)
        self.assertEqual(("", "0"), (done.stderr, done.stdout.split()[0]))
        self.same(before, lab.snapshot(), "something outside has changed")

    def test_directories_that_exist(self):
        """Those of the machine are hidden, not used."""
        lab.run("ip", "netns", "add", "theirs")
        self.topod("apply", self.path)
        before = self.settle()
        done = self.inside("sh", "-c", "ls /run/netns; ls /run/topod; ls /etc/netns")
        self.assertEqual(["web", "small", "web"], [w for w in done.stdout.split() if w != "claims"])
        self.same(before, lab.snapshot(), "something outside has changed")

    def test_topod_inside(self):
        """It accepts a file of the machine's root, who has no number in a user namespace, but not one that others
        can write to."""
        path = self.spec("topology: other\nnamespaces: {more: {}}\n", "other.yaml")
        words = (os.environ["TOPOD"], "apply", path)
        self.assertIn("other: 2 objects", self.inside(*words).stdout)
        os.chmod(path, 0o666)
        self.assertIn("others may write", self.inside(*words, expect=lab.EXIT_SPEC).stderr)

    def test_what_was_in_run(self):
        os.makedirs("/run/other/deep")
        os.symlink("other", "/run/link")
        self.addCleanup(lambda: (os.removedirs("/run/other/deep"), os.remove("/run/link")))
        self.assertEqual("deep\ndeep\n", self.inside("sh", "-c", "ls /run/other /run/link/").stdout.replace("/run/link/:\n", "")
                         .replace("/run/other:\n", "").replace("\n\n", "\n"))

    def test_exit_status(self):
        self.inside("sh", "-c", "exit 7", expect=7)
        self.inside("sh", "-c", "kill -KILL $$", expect=128 + signal.SIGKILL)
        self.inside("/etc/passwd", expect=126)
        self.assertIn("cannot run 'no-such-program'", self.inside("no-such-program", expect=127).stderr)

    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            p = self.start("sh", "-c", "echo ready; exec cat")
            self.assertEqual(b"ready\n", p.stdout.readline())
            p.send_signal(number)
            self.assertEqual(128 + number, p.wait(DEADLINE))
        p = self.start("sh", "-c", "trap 'exit 5' TERM; echo ready; while read line; do :; done")
        self.assertEqual(b"ready\n", p.stdout.readline())
        p.send_signal(signal.SIGTERM)
        p.stdin.write(b"x\n")
        p.stdin.flush()
        self.assertEqual(5, p.wait(DEADLINE))

    def test_nothing_is_left(self):
        """Processes that the command leaves running end with it; and everything ends with topod, even after kill -9."""
        p = self.start("sh", "-c", "sleep 1000 & echo started")
        self.assertEqual(b"started\n", p.stdout.readline())
        self.assertEqual(0, p.wait(DEADLINE))
        self.ends(p)
        p = self.start("sh", "-c", "sleep 1000 & echo started; exec sleep 1000")
        self.assertEqual(b"started\n", p.stdout.readline())
        p.kill()
        self.ends(p)

    def test_not_as_declared(self):
        """The command is not started if the file is wrong, or cannot be realised."""
        wrong = self.spec("nonsense: 1\n", "wrong.yaml")
        done = self.inside("echo", "started", expect=lab.EXIT_SPEC, path=wrong)
        self.assertIn("unknown key 'nonsense'", done.stderr)
        refused = self.spec("namespaces: {a: {routes: [{to: 10.9.0.0/16, via: 10.55.0.1}]}}\n", "refused.yaml")
        done = self.inside("echo", "started", expect=NOT_STARTED, path=refused)
        self.assertIn("refused.yaml:1:", done.stderr)
        self.assertNotIn("started", done.stdout)

    def test_forbidden(self):
        """The message names the setting and how to allow it."""
        for name in ("net", "mnt", "pid"):
            done = self.inside("true", expect=NOT_STARTED, prefix=(
                "unshare", "-Ur", "sh", "-c", f'echo 0 >/proc/sys/user/max_{name}_namespaces && exec "$@"', "sh"))
            self.assertIn("cannot make a sandbox: namespaces: No space left on device", done.stderr)
            self.assertIn(f"/proc/sys/user/max_{name}_namespaces forbids it; to allow it: sysctl user.max_{name}_namespaces=1000",
                          done.stderr)


class AsUser(Sandbox):
    """The same without root."""
    prefix = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")

    def test_the_user_owns_what_is_made(self):
        os.chmod(self.directory, 0o777)
        self.inside("touch", os.path.join(self.directory, "made"))
        self.assertEqual(65534, os.stat(os.path.join(self.directory, "made")).st_uid)


if __name__ == "__main__":
    lab.main()
