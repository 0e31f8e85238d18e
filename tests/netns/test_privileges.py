# SPDX-License-Identifier: GPL-2.0-or-later
"""With the privileges that units/topod@.service grants, everything works; with fewer it does not."""

import os
import re
import shutil
import stat
import subprocess
import unittest

import lab
from lab import HOST, OFFICE, Case, edit

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "units", "topod@.service.in")

def of_unit(directive):
    with open(UNIT) as f:
        return re.findall(rf"^{directive}=(.*)$", f.read(), re.MULTILINE)[-1]


CAPABILITIES = of_unit("CapabilityBoundingSet").split()


@unittest.skipUnless(shutil.which("setpriv"), "no setpriv")
class Privileges(Case):
    def prefix(self, capabilities=CAPABILITIES):
        kept = ",".join(["-all", *("+" + c.removeprefix("CAP_").lower() for c in capabilities)])
        return ["setpriv", "--no-new-privs", f"--bounding-set={kept}", "--", "sh", "-c",
                f'umask {of_unit("UMask")}; exec "$@"', "sh"]

    def restricted(self, text, capabilities=CAPABILITIES):
        return self.daemon(self.spec(text), prefix=self.prefix(capabilities))

    def test_enough(self):
        removed = edit(OFFICE, ("topology: office\n", "topology: office\non-stop: remove\n"))
        before = lab.snapshot()
        os.makedirs("/run/netns", exist_ok=True)
        os.close(os.open("/run/netns/web", os.O_CREAT, 0))  # as left by a crash of `ip netns add`
        d = self.restricted(removed).ready()
        for path in ("/etc/netns", "/etc/netns/web", "/etc/netns/web/resolv.conf"):
            self.assertTrue(os.stat(path).st_mode & stat.S_IROTH, f"{path} is closed to others")
        with d.expects(r"drift: web/eth0: .*restored"):
            lab.ip("web", "addr flush dev eth0")
        with d.expects(r"drift: host: nftables table was removed; restored"):
            lab.nft(HOST, "flush", "ruleset")
        with d.expects(r"drift: .*/resolv.conf was removed; restored"):
            os.unlink("/etc/netns/web/resolv.conf")
        with d.expects(r"drift: web: namespace was left without its name; restored"):
            lab.run("ip", "netns", "delete", "web")
        self.spec(edit(removed, ("mtu: 1400", "mtu: 1399")))
        d.reload()
        self.assertEqual(1399, lab.link("web", "eth0")["mtu"])
        d.stop()
        self.same(lab.state_only(before), lab.state_only(lab.snapshot()), "stopping left a trace")

    def test_a_file_of_somebody(self):
        """A file that only its owner can read is refused, and the message says what to do."""
        path = self.spec("namespaces: {web: {}}\n")
        os.chmod(path, 0o600)
        os.chown(path, 65534, 65534)
        d = self.daemon(path, prefix=self.prefix())
        self.assertEqual(lab.EXIT_SPEC, d.wait_end())
        self.assertTrue(d.find(r"office\.yaml: error: Permission denied, .*chown root"), d.lines)
        os.chown(path, 0, 0)
        self.daemon(path, prefix=self.prefix()).ready()

    def test_a_link_to_a_container(self):
        """Following /proc/PID/ns/net needs a capability."""
        os.makedirs("/run/netns")
        with subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE) as p:
            self.addCleanup(p.kill)
            p.stdout.readline()
            os.symlink(f"/proc/{p.pid}/ns/net", "/run/netns/web")
            text = "namespaces: {web: {adopt: true, interfaces: {br0: {kind: bridge}}}}\n"
            self.restricted(text).ready().stop()
            d = self.restricted(text, [c for c in CAPABILITIES if c != "CAP_SYS_PTRACE"])
            d.wait_line("web: namespace cannot be adopted: .* is a symbolic link that topod may not follow .*CAP_SYS_PTRACE")
            d.kill()
            p.kill()

    def test_a_tunnel_on_a_low_port(self):
        """The kernel binds a tunnel's socket for topod, and requires the capability."""
        text = "namespaces: {web: {interfaces: {v0: {kind: vxlan, id: 7, port: 15}}}}\n"
        d = self.restricted(text).ready()
        with d.expects(r"drift: web/v0: vxlan was removed; restored"):
            lab.ip("web", "link delete v0")
        d.stop()
        self.topod("down", self.spec(text))
        d = self.restricted(text, [c for c in CAPABILITIES if c != "CAP_NET_BIND_SERVICE"])
        d.wait_line("web/v0: vxlan cannot be made: Permission denied")
        d.kill()

    def test_none_too_many(self):
        """The others have separate tests above."""
        for one in set(CAPABILITIES) - {"CAP_SYS_PTRACE", "CAP_NET_BIND_SERVICE"}:
            with self.subTest(without=one):
                d = self.restricted(OFFICE, [c for c in CAPABILITIES if c != one])
                d.wait_line("Operation not permitted")
                self.assertFalse(any("READY" in n for n in d.notices), f"{one} is not needed")
                d.kill()
                self.sweep()
                os.makedirs(self.directory)


if __name__ == "__main__":
    lab.main()
