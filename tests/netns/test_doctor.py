# SPDX-License-Identifier: GPL-2.0-or-later
"""`topod doctor`: each finding appears when its cause is there, and only then. The causes are made in private namespaces, or
put over files of /proc and /sys."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import unittest

import lab
from lab import Case

NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
BRIDGE = "topology: small\nnamespaces: {host: {interfaces: {br0: {kind: bridge}}}, a: {}}\nlinks: [[a:eth0, host:c1]]\n"
RULES = "topology: small\nnamespaces: {a: {rules: [{priority: 5, from: 10.0.0.0/8, table: 7}]}}\n"
TUNNEL = """\
topology: small
namespaces:
  host:
    interfaces:
      up0: {kind: existing}
      vx: {kind: vxlan, id: 7, remote: 192.0.2.1, dev: up0, mtu: 1500}
"""
TWO = "topology: small\nnamespaces: {a: {}, b: {}}\n"
MANY = "topology: small\nnamespaces: {a: {}}\nlinks: ['[a:x[1-40], a:y[1-40]]']\n".replace("'", "").replace(
    "a:x[1-40], a:y[1-40]", '"a:x[1-40]", "a:y[1-40]"')
NAT = """\
namespaces:
  gw:
    nat: [{action: masquerade, source: 10.0.0.0/8}]
  "h[1-20]": {}
"""
BRIDGE_SETTINGS, CONNECTIONS = "/proc/sys/net/bridge", "/proc/sys/net/netfilter"
EVERY_KIND = [  # kinds that need nothing else, with what they must have
    ("bridge", ""), ("dummy", ""), ("ifb", ""), ("nlmon", ""), ("vrf", ", table: 7"), ("bond", ", mode: active-backup, miimon: 100"),
    ("vxlan", ", id: 7, remote: 192.0.2.1"), ("geneve", ", id: 7, remote: 192.0.2.1"), ("tap", ""), ("tun", ""),
    ("gre", ", local: 192.0.2.2, remote: 192.0.2.1"), ("xfrm", ", id: 7"),
]


class Doctor(Case):
    def findings(self, *args, spec=None, user=()):
        done = subprocess.run([*user, os.environ["TOPOD"], "doctor", *([self.spec(spec, "small.yaml")] if spec else []), "--json", *args],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual("", done.stderr)
        answer = json.loads(done.stdout)
        n = {s: sum(f["severity"] == s for f in answer["findings"]) for s in ("error", "warning", "note")}
        self.assertEqual(n, {"error": answer["errors"], "warning": answer["warnings"], "note": answer["notes"]})
        self.assertEqual(1 if n["error"] else 2 if n["warning"] else 0, done.returncode)
        return answer["findings"]

    @contextlib.contextmanager
    def instead(self, path, text):
        """The file has another content for a while."""
        fake = os.path.join(lab.RUN, "fake")
        with open(fake, "w") as f:
            f.write(text + "\n")
        lab.run("mount", "-n", "--bind", fake, path)
        try:
            yield
        finally:
            lab.run("umount", path)

    @contextlib.contextmanager
    def instead_in(self, directory, **files):
        """The directory, which need not exist in this network namespace, has these files."""
        path = os.path.join(lab.RUN, "fakes")
        os.makedirs(path, exist_ok=True)
        for name, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(path, name)), exist_ok=True)
            with open(os.path.join(path, name), "w") as f:
                f.write(text + "\n")
        lab.run("mount", "-n", "--bind", path, directory)
        try:
            yield
        finally:
            lab.run("umount", directory)

    def check(self, cause, severity, check, what, mend, spec=None):
        """With the cause there is one more finding, and it is this one."""
        before = self.findings(spec=spec)
        with cause:
            new = [f for f in self.findings(spec=spec) if f not in before]
        self.assertEqual(1, len(new), new)
        self.assertEqual((severity, check), (new[0]["severity"], new[0]["check"]))
        self.assertRegex(new[0]["what"], what)
        self.assertRegex(new[0]["mend"], mend)
        self.assertTrue(new[0]["effect"])
        self.assertEqual(before, self.findings(spec=spec))
        return new[0]

    # ---- rights ----

    def test_not_root(self):
        found = {f["what"]: f for f in self.findings(user=NOBODY)}
        self.assertEqual("error", found["you are not root"]["severity"])
        self.assertIn("topod sandbox", found["you are not root"]["mend"])

    def test_root_without_rights(self):
        found = self.findings(user=("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"))
        self.assertIn("without cap_net_admin", found[0]["what"])

    def test_limits_of_namespaces(self):
        limit = "/proc/sys/user/max_net_namespaces"
        self.check(self.instead(limit, "1"), "error", "namespaces", "2 namespaces, and the limit of this machine is 1",
                   r"sysctl user\.max_net_namespaces=\d+", spec=TWO)
        self.check(self.instead(limit, "0"), "error", "namespaces", "max_net_namespaces forbids", r"max_net_namespaces=1000")
        self.check(self.instead("/proc/sys/user/max_user_namespaces", "0"), "note", "namespaces", "max_user_namespaces forbids",
                   "max_user_namespaces=1000")

    # ---- /run/netns ----

    @contextlib.contextmanager
    def doing(self, do, undo):
        lab.run("sh", "-c", do)
        try:
            yield
        finally:
            lab.run("sh", "-c", undo)

    def test_names(self):
        for verb in ("add", "del"):
            lab.run("ip", "netns", verb, "x")  # makes the directory a shared mount
        self.check(self.doing("mount -n --bind /run/netns /run/netns", "umount /run/netns"), "warning", "names",
                   r"mounted \d+ times", "umount /run/netns")
        self.check(self.doing("mount -n --make-private /run/netns", "mount -n --make-shared /run/netns"), "warning", "names",
                   "not shared", "mount --make-shared /run/netns")
        self.check(self.doing(": >/run/netns/bad; chmod 0 /run/netns/bad", "rm -f /run/netns/bad"), "warning", "names",
                   "/run/netns/bad is not a namespace", "rm /run/netns/bad")
        self.check(self.doing("echo x >/run/netns/b", "rm /run/netns/b"), "error", "names", "/run/netns/b is not a namespace",
                   "rm /run/netns/b", spec=TWO)
        self.check(self.doing("chmod 777 /run/netns", "chmod 755 /run/netns"), "error", "names", "/run/netns cannot be used",
                   "chmod 755 /run/netns")

    # ---- what the kernel has ----

    def test_kinds(self):
        """As ip(8) finds them on this very kernel."""
        for kind, keys in EVERY_KIND:
            with self.subTest(kind):
                found = [f for f in self.findings(spec=f"topology: small\nnamespaces: {{a: {{interfaces: {{x: {{kind: {kind}{keys}}}}}}}}}\n")
                         if f["check"] == "kernel"]
                if kind in ("tap", "tun"):
                    there = os.path.exists("/dev/net/tun")
                else:
                    said = lab.run("ip", "link", "add", "probe0", "type", kind, check=False)
                    lab.run("ip", "link", "del", "probe0", check=False)
                    there = "Unknown device type" not in said.stderr and "not supported" not in said.stderr
                self.assertEqual(there, not found, found)
                if found:
                    self.assertEqual(("error", 2), (found[0]["severity"], found[0]["line"]))
                    self.assertIn("modprobe", found[0]["mend"])
        self.assertEqual([], lab.namespaces())  # nothing stays

    # ---- others ----

    def test_firewalls(self):
        forward = "nft add table ip f; nft add chain ip f FORWARD '{ type filter hook forward priority 0 ; policy drop ; }'"
        self.check(self.doing(forward, "nft delete table ip f"), "warning", "firewall", "the table f of nftables drops",
                   "nft insert rule ip f FORWARD iifname br0 accept", spec=BRIDGE)
        self.check(self.doing(forward, "nft delete table ip f"), "note", "firewall", "the table f", "BRIDGE")
        for chain, who, mend in (("DOCKER-USER", "Docker", "iptables -I DOCKER-USER -i br0"), ("ufw-user-forward", "ufw", "ufw route allow in on br0"),
                                 ("filter_FORWARD", "firewalld", "--add-interface=br0")):
            self.check(self.doing(f"{forward}; nft add chain ip f {chain}", "nft delete table ip f"), "warning", "firewall",
                       f"{who}'s firewall drops", mend, spec=BRIDGE)
        accept = forward.replace("policy drop", "policy accept")
        before = self.findings(spec=BRIDGE)
        with self.doing(accept, "nft delete table ip f"):
            self.assertEqual(before, self.findings(spec=BRIDGE))

    @unittest.skipUnless(shutil.which("iptables-legacy"), "there is no iptables-legacy")
    def test_legacy(self):
        for command in ("iptables-legacy", "ip6tables-legacy"):
            if lab.run(command, "-L", check=False).returncode:
                self.skipTest("the kernel has no ip_tables")
        # The table stays in the namespace from then on, so this one is in a namespace of its own.
        for spec, severity in ((BRIDGE, "warning"), (None, "note")):
            args = [self.spec(spec, "small.yaml")] if spec else []
            for command in ("iptables", "ip6tables"):
                said = lab.run("unshare", "--net", "sh", "-c", '"$1" -L >/dev/null; shift; exec "$@"', "sh", f"{command}-legacy",
                               os.environ["TOPOD"], "doctor", "--json", *args, check=False).stdout
                found, = [f for f in json.loads(said)["findings"] if "legacy" in f["what"]]
                self.assertEqual((severity, "firewall"), (found["severity"], found["check"]))
                self.assertIn(f"{command}-legacy has rules of its own", found["what"])
                self.assertIn(f"{command}-legacy-save", found["mend"])

    # ---- security modules ----

    def test_security_modules(self):
        selinux = ("mount -n -t tmpfs fake /sys/fs; mkdir /sys/fs/selinux; echo 1 >/sys/fs/selinux/enforce", "umount /sys/fs")
        self.check(self.doing(*selinux), "note", "namespaces", "SELinux is enforcing", "ausearch")
        fake = os.path.join(lab.RUN, "profile")
        for profile, n in (("/usr/bin/topod (enforce)", 1), ("/usr/bin/topod (complain)", 0), ("unconfined", 0)):
            with open(fake, "w") as f:
                f.write(profile + "\n")
            said = lab.run("unshare", "--mount", "sh", "-c", 'mount -n --bind "$1" /proc/$$/attr/current; shift; exec "$@"', "sh", fake,
                           os.environ["TOPOD"], "doctor", "--json", check=False).stdout
            found = [f for f in json.loads(said)["findings"] if "AppArmor" in f["what"]]
            self.assertEqual(n, len(found))
            if n:
                self.assertEqual(("warning", "aa-complain /usr/bin/topod"), (found[0]["severity"], found[0]["mend"]))

    def test_own_rules_are_not_a_finding(self):
        spec = BRIDGE.replace("br0: {kind: bridge}}", "br0: {kind: bridge}}, filter: {forward: {policy: drop}}")
        before = self.findings(spec=spec)
        self.topod("apply", self.spec(spec, "small.yaml"))
        self.assertEqual(before, self.findings(spec=spec))

    def test_managers(self):
        self.check(self.doing("mkdir -p /run/NetworkManager", "rmdir /run/NetworkManager"), "warning", "managers", "NetworkManager runs",
                   "nmcli device set")
        self.check(self.doing("mkdir -p /run/systemd/netif", "rmdir -p /run/systemd/netif || :"), "warning", "managers",
                   "systemd-networkd runs", "05-topod.network")

    def test_settings(self):
        lab.sysctl_set(None, "net.ipv4.conf.all.rp_filter", 0)
        strict = ("echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter", "echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter")
        self.check(self.doing(*strict), "note", "settings", "rp_filter is 1", "rp_filter=2")
        self.assertEqual(2, self.check(self.doing(*strict), "warning", "settings", "rp_filter is 1", "rp_filter=2", spec=RULES)["line"])

    @unittest.skipUnless(os.path.isdir(BRIDGE_SETTINGS), "the kernel has no br_netfilter, or has not loaded it")
    def test_settings_of_bridges(self):
        with self.instead_in(BRIDGE_SETTINGS, **{"bridge-nf-call-iptables": "0"}):
            off = self.findings(spec=BRIDGE)
        with self.instead_in(BRIDGE_SETTINGS, **{"bridge-nf-call-iptables": "1"}):
            on = [f for f in self.findings(spec=BRIDGE) if f not in off]
        self.assertEqual([("warning", "settings", 2)], [(f["severity"], f["check"], f["line"]) for f in on])

    # ---- limits ----

    def test_sizes(self):
        self.check(self.instead_in("/proc/sys/net/ipv4/neigh", **{"default/gc_thresh3": "100"}), "warning", "limits",
                   "80 interfaces|81 interfaces", r"net\.ipv4\.neigh\.default\.gc_thresh3=\d+", spec=MANY)

    @unittest.skipUnless(os.path.isdir(CONNECTIONS), "the kernel does not track connections, or has not loaded nf_conntrack")
    def test_connections(self):
        self.check(self.instead_in(CONNECTIONS, nf_conntrack_count="90", nf_conntrack_max="100"), "warning", "limits",
                   "90 of 100 connections", "nf_conntrack_max=400")

    @unittest.skipUnless(os.path.isdir(CONNECTIONS), "the kernel does not track connections, or has not loaded nf_conntrack")
    def test_room_for_connections(self):
        """Namespaces of a range count one by one, and only where connections are tracked."""
        small = self.instead_in(CONNECTIONS, nf_conntrack_count="0", nf_conntrack_max="5000")
        found = self.check(small, "warning", "limits", "21 namespaces, and a namespace tracks 5000 connections",
                           r"nf_conntrack_max=\d+", spec=NAT)
        self.assertEqual(3, found["line"])
        before = self.findings(spec=NAT.replace("nat:", "routes: []  # nat:"))
        with self.instead_in(CONNECTIONS, nf_conntrack_count="0", nf_conntrack_max="5000"):
            self.assertEqual(before, self.findings(spec=NAT.replace("nat:", "routes: []  # nat:")))

    def test_mtu(self):
        lab.ip(None, "link add up0 type bridge")
        self.addCleanup(lab.ip, None, "link del up0")
        found = [f for f in self.findings(spec=TUNNEL) if f["check"] == "mtu"]
        self.assertEqual([("warning", "mtu: 1450", 6)], [(f["severity"], f["mend"], f["line"]) for f in found])
        self.assertRegex(found[0]["what"], "host/vx has an mtu of 1500, and up0 below it carries 1500")
        lab.ip(None, "link set up0 mtu 1600")
        self.assertEqual([], [f for f in self.findings(spec=TUNNEL) if f["check"] == "mtu"])

    # ---- as text ----

    def test_text(self):
        """Errors first, each with its command in a line of its own; lines of words fit 80 columns."""
        done = self.topod("doctor", self.spec(TWO, "small.yaml"), "--color=never", expect=(0, 2))
        if done.returncode == 0:
            self.assertIn("No problems were found.", done.stdout)
        with self.instead("/proc/sys/user/max_net_namespaces", "1"):
            done = self.topod("doctor", self.spec(TWO, "small.yaml"), "--color=never", expect=lab.EXIT_FAILED)
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], "^error    the file has 2 namespaces")
        self.assertIn("         → sysctl user.max_net_namespaces=104", lines)
        self.assertEqual([], [l for l in lines if len(l) > 80 and "→" not in l])
        self.assertEqual(lab.EXIT_SPEC, self.topod("doctor", self.spec("a: b\n", "bad.yaml"), expect=lab.EXIT_SPEC).returncode)


if __name__ == "__main__":
    lab.main()
