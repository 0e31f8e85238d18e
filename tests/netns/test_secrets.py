# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings whose value is a key (stable_secret, tcp_fastopen_key): nothing that topod prints or writes contains one."""

import glob
import os
import signal
import unittest

import lab
from lab import HOST, Case

SECRET, OTHER, FORMER, MEDDLED = (f"2001:db8:5ec:{n}::{n}" for n in (0xa11, 0xb22, 0xc33, 0xd44))
KEY = "0a1b2c3d-4e5f6071-8293a4b5-c6d7e8f9"

TEXT = f"""\
topology: keys
namespaces:
  host:
    interfaces: {{ex0: {{kind: existing}}}}
    sysctl: {{net.ipv6.conf.ex0.stable_secret: "{SECRET}"}}
  web:
    interfaces: {{eth0: {{ipv6-address-generation: stable-privacy}}}}
    sysctl:
      net.ipv6.conf.eth0.stable_secret: "{SECRET}"
      net.ipv4.tcp_fastopen_key: {KEY}
links: [[web:eth0, host:c1]]
"""
SETTING = "net.ipv6.conf.ex0.stable_secret"


def spellings(secret):
    """As the file has it, and as the kernel prints it."""
    parts = secret.replace("::", ":").split(":")
    zeros = ["0000"] * (9 - len(parts))
    return [secret, ":".join([p.rjust(4, "0") for p in parts[:-1]] + zeros[:8 - len(parts)] + [parts[-1].rjust(4, "0")]),
            "".join(p.rjust(4, "0") for p in parts[:-1])]


class Secrets(Case):
    def setUp(self):
        super().setUp()
        lab.ip(HOST, "link add ex0 type bridge")
        lab.sysctl_set(HOST, SETTING, FORMER)
        self.before = lab.sysctl_get(HOST, SETTING)
        self.said = []
        self.path = self.spec(TEXT, "keys.yaml")

    def topod(self, *args, **kwargs):
        done = super().topod(*args, **kwargs)
        self.said.append(done.stdout + done.stderr)
        return done

    def tells_none(self, *secrets):
        """In no output, and in no file except the specs and the record of former values."""
        texts = {f"output {i}": text for i, text in enumerate(self.said)}
        for path in glob.glob("/run/topod/**", recursive=True):
            if os.path.isfile(path):
                with open(path, errors="replace") as f:
                    texts[path] = f.read()
        for where, text in texts.items():
            for secret in secrets or (SECRET, OTHER, FORMER, MEDDLED, KEY):
                for spelling in spellings(secret) if ":" in secret else [secret]:
                    if not where.endswith("/secrets") or secret in (SECRET, OTHER, KEY):
                        self.assertNotIn(spelling, text, where)

    def test_verbs(self):
        for json in ([], ["--json"]):
            self.assertIn("(hidden)", self.topod("plan", *json, self.path, expect=2).stdout)
            self.topod("check", *json, self.path)
        self.topod("apply", self.path)
        self.topod("plan", self.path)
        lab.sysctl_set(HOST, SETTING, MEDDLED)
        self.assertIn("stable_secret: differs (hidden)", self.topod("plan", self.path, expect=2).stdout)
        self.topod("plan", "--json", self.path, expect=2)
        self.topod("apply", "--json", self.path)
        self.assertNotEqual(self.before, lab.sysctl_get(HOST, SETTING))
        self.assertEqual(KEY, lab.sysctl_get("web", "net.ipv4.tcp_fastopen_key"))
        self.tells_none()
        self.topod("down", self.path)
        self.assertEqual(self.before, lab.sysctl_get(HOST, SETTING))
        self.tells_none()
        self.assertFalse(os.path.exists("/run/topod"))

    def test_daemon(self):
        """Drift, a reload with another secret, a refused one, status and events."""
        d = self.daemon(self.path, args=["--periodic", "1"]).ready()
        self.topod("status", "keys")
        with d.expects("drift: host: sysctl net.ipv6.conf.ex0.stable_secret was changed; restored in"):
            lab.sysctl_set(HOST, SETTING, MEDDLED)
        self.spec(lab.edit(TEXT, (f'ex0.stable_secret: "{SECRET}"', f'ex0.stable_secret: "{OTHER}"')), "keys.yaml")
        self.topod("reload", "keys")
        self.spec(lab.edit(TEXT, (KEY, KEY + "x")), "keys.yaml")
        self.topod("reload", "keys", expect=1)
        self.topod("status", "keys")
        self.topod("status", "--json", "keys")
        d.stop()
        self.said += d.log
        self.tells_none()
        self.topod("down", "--topology", "keys")
        self.assertEqual(self.before, lab.sysctl_get(HOST, SETTING))

    def test_former(self):
        """It is kept where only root can read it, even over a restart and in another topology that shares the setting."""
        self.topod("apply", self.path)
        other = self.spec(lab.edit(TEXT, ("topology: keys", "topology: also"), ("  web:", "  also:"), ("[web:", "[also:"),
                                   ("host:c1", "host:c2")), "also.yaml")
        self.topod("apply", other)
        for topology in ("keys", "also"):
            path = f"/run/topod/{topology}/secrets"
            self.assertEqual(0o600, os.stat(path).st_mode & 0o7777)
            with open(path) as f:
                self.assertIn(FORMER, f.read())
        self.daemon(self.path).ready().stop()
        self.tells_none()
        self.topod("down", self.path)
        self.assertNotEqual(self.before, lab.sysctl_get(HOST, SETTING))
        self.topod("down", other)
        self.assertEqual(self.before, lab.sysctl_get(HOST, SETTING))

    def test_taken_away(self):
        """The file that somebody removes while a daemon runs is written again, as the ledger is."""
        d = self.daemon(self.path).ready()
        with d.expects("drift: keys: /run/topod/keys was removed; restored"):
            os.unlink("/run/topod/keys/secrets")
        with open("/run/topod/keys/secrets") as f:
            self.assertIn(FORMER, f.read())
        d.stop()
        self.topod("down", self.path)
        self.assertEqual(self.before, lab.sysctl_get(HOST, SETTING))

    def test_declared_differently(self):
        """By another topology: it is refused, and neither value is shown."""
        self.topod("apply", self.path)
        other = self.spec(f'topology: other\nnamespaces: {{host: {{interfaces: {{ex0: {{kind: existing}}}}, '
                          f'sysctl: {{{SETTING}: "{OTHER}"}}}}}}\n', "other.yaml")
        for verb, status in (("plan", 2), ("apply", 1)):
            done = self.topod(verb, other, expect=status)
            self.assertIn("is declared differently by topology 'keys'", done.stdout + done.stderr)
        self.tells_none()
        self.topod("down", other)
        self.topod("plan", self.path)
        self.topod("down", self.path)
        self.assertEqual(self.before, lab.sysctl_get(HOST, SETTING))


    def test_errors(self):
        """The line that an error is about, or its words, may contain the value."""
        line = "{mtuu: 1, net.ipv6.conf.ex0.stable_secret: %s, x: 2}"
        broken = {
            "a second key of that name": TEXT.replace("  web:", f'    sysctl: {line % SECRET}\n  web:'),
            "no YAML": TEXT.replace(f'"{SECRET}"}}', f'"{SECRET}"'),
            "another value": TEXT.replace(f'"{SECRET}"', f'"{SECRET}/64"'),
            "a list": TEXT.replace(f'"{SECRET}"', f'["{SECRET}"]'),
            "no quotes": TEXT.replace(f'"{SECRET}"', SECRET + ": 1"),
            "a tab": TEXT.replace(f'"{SECRET}"', f'"{SECRET}"\t: '),
            "unknown": TEXT.replace("ipv6-address-generation", "x") + f"# {SECRET}\n",
            "an alias": TEXT.replace(f'"{SECRET}"', "*s").replace("interfaces: {ex0", f"x: &s {SECRET}\n    interfaces: {{ex0"),
            "a block": TEXT.replace(f'"{SECRET}"}}\n  web', f"|\n      {SECRET} \t x}}\n  web"),
        }
        d = self.daemon(self.path).ready()
        for what, text in broken.items():
            with self.subTest(what):
                path = self.spec(text, "broken.yaml")
                for json in ([], ["--json"]):
                    self.topod("check", *json, path, expect=lab.EXIT_SPEC)
                self.spec(text, "keys.yaml")
                self.topod("reload", "keys", expect=lab.EXIT_SPEC)
                d.drain()
                self.said += d.log
                self.tells_none()
        d.stop()

    @unittest.skipUnless(os.environ.get("TOPOD_PLAIN"), "a sanitizer writes no core dumps")
    def test_core_dumps(self):
        """The kernel writes none of a process that has read a secret."""
        os.chdir(self.directory)
        self.addCleanup(os.chdir, "/")
        without = self.spec("topology: keys\nnamespaces: {web: {}}\n", "without.yaml")
        for path, dumped in ((without, os.CLD_DUMPED), (self.path, os.CLD_KILLED)):
            d = self.daemon(path, binary=os.environ["TOPOD_PLAIN"], prefix=["prlimit", "--core=unlimited"]).ready()
            d.process.send_signal(signal.SIGABRT)
            end = os.waitid(os.P_PID, d.pid, os.WEXITED | os.WNOWAIT)
            if end.si_code != dumped and path == without:
                self.skipTest("nothing writes core dumps on this machine")
            self.assertEqual(dumped, end.si_code)
            d.process.wait()


if __name__ == "__main__":
    lab.main()
