# SPDX-License-Identifier: GPL-2.0-or-later
"""`check --kernel` and `plan` report what the kernel lacks, with its place, before anything is changed; the rest
is built."""

import os
import re

import lab
from lab import HOST, Case

# Entry of an interface; the same in ip's words.
LINKS = {"dummy": ("kind: dummy", "type dummy"), "ifb": ("kind: ifb", "type ifb"), "bridge": ("kind: bridge", "type bridge"),
         "vrf": ("kind: vrf, table: 5", "type vrf table 5"), "bond": ("kind: bond, mode: active-backup", "type bond"),
         "vxlan": ("kind: vxlan, external: true", "type vxlan external dstport 4789"),
         "geneve": ("kind: geneve, id: 5, remote: 10.0.0.2", "type geneve id 5 remote 10.0.0.2"), "nlmon": ("kind: nlmon", "type nlmon"),
         "vlan": ("kind: vlan, link: bridge, id: 5", "link add link lo name probe type vlan id 5")}
# Made on another link, which alone would say nothing.
LINKS.update({"m0": ("kind: macvlan, link: eth0", "type macvlan"), "t0": ("kind: ipip, local: 10.0.0.1, remote: 10.0.0.3, dev: eth0", "type ipip remote 10.0.0.3")})
QDISCS = {"netem": ("impair: {delay: 10ms}", "netem delay 10ms"), "tbf": ("qdisc: {kind: tbf, rate: 1mbit, burst: 10k, limit: 10k}", "tbf rate 1mbit burst 10k limit 10k"),
          **{kind: (f"qdisc: {{kind: {kind}}}", kind) for kind in ("sfq", "fq", "fq_codel", "cake", "prio", "pfifo")}}
ENCAPS = {"MPLS": ("{mpls: 100}", "mpls 100"), "IP": ("{ip: {id: 5, remote: 10.0.0.2}}", "ip id 5 dst 10.0.0.2"),
          "SRv6": ('{seg6: {segments: "fc00::1"}}', "seg6 mode encap segs fc00::1")}


def lacks(words):
    """Does ip say that this kernel has no such thing?"""
    done = lab.ip(HOST, words if words.startswith("link ") else f"link add name probe {words}", check=False)
    lab.ip(HOST, "link delete probe", check=False)
    return "Unknown device type" in done.stderr


def lacks_encap(words):
    done = lab.ip(HOST, f"route add 192.0.2.7 encap {words} dev lo", check=False)
    lab.ip(HOST, "route delete 192.0.2.7", check=False)
    return done.returncode != 0 and ("not supported" in done.stderr or "not enabled" in done.stderr)


def lacks_vlan_filtering():
    done = lab.ip(HOST, "link add name probe type bridge vlan_filtering 1", check=False)
    found = done.returncode != 0 or not lab.link(HOST, "probe")["linkinfo"]["info_data"].get("vlan_filtering")
    lab.ip(HOST, "link delete probe", check=False)
    return found


def lacks_qdisc(words):
    done = lab.tc(HOST, f"qdisc add dev lo root {words}", check=False)
    lab.tc(HOST, "qdisc del dev lo root", check=False)
    return "qdisc kind is unknown" in done.stderr


def lacks_nat():
    done = lab.nft(HOST, "add table ip probe; add chain ip probe c { type nat hook postrouting priority 0; }", check=False)
    lab.nft(HOST, "delete table ip probe", check=False)
    return done.returncode != 0


class Lacking(Case):
    def setUp(self):
        super().setUp()
        lab.ip(HOST, "link set lo up")
        lines = ["namespaces:", "  web:", "    interfaces:", "      eth0: {addresses: [10.0.0.1/24]}"]
        self.expected = set()
        for name, (entry, words) in LINKS.items():
            lines.append(f"      {name}: {{{entry}}}")
            if lacks(words):
                kind = entry.split()[1].rstrip(",")
                self.expected.add((len(lines), f"'{kind}' links"))
        lines.append("      switch: {kind: bridge, stp: true, vlan-filtering: true}")
        if lacks_vlan_filtering():
            self.expected.add((len(lines), "'vlan-filtering' of 'bridge' links"))
        lines.append("    routes:")
        for i, (name, (entry, words)) in enumerate(ENCAPS.items()):
            lines.append(f"      - {{to: 10.{20 + i}.0.0/16, via: 10.0.0.2, encap: {entry}}}")
            if lacks_encap(words):
                self.expected.add((len(lines), f"encapsulation by {name}"))
        lines += ["  shaped:", "    interfaces:"]
        for i, (name, (entry, words)) in enumerate(QDISCS.items()):
            lines.append(f"      s{i}: {{kind: bridge, {entry}}}")
            if lacks_qdisc(words):
                self.expected.add((len(lines), f"'{name}' queueing discipline"))
        lines.append("      sizes: {kind: bridge, gso-ipv4-max-size: 30000}")
        if tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups())) < (6, 3):
            self.expected.add((len(lines), "'gso-ipv4-max-size' of links"))
        lines.append("    nat: [{action: masquerade, source: 10.9.0.0/16}]")
        if lacks_nat():
            self.expected.add((len(lines), "chains of type nat in nftables"))
        lines += ["  db: {interfaces: {eth0: {addresses: [10.0.0.2/24]}}}", "links: [[web:eth0, db:eth0]]", ""]
        self.path = self.spec("\n".join(lines))

    def said(self, text):
        return {(int(line), what) for line, what in
                re.findall(r"office.yaml:(\d+):\d+: (?:error|warning): this kernel has no (.*?)(?: \(CONFIG_\w+\))?(?:;.*)?$", text, re.MULTILINE)}

    def skip_without_any(self):
        if not self.expected:
            self.skipTest("this kernel lacks none of these, and topod said so")

    def test_check_and_plan(self):
        before, names = lab.snapshot(), lab.namespaces()
        done = self.topod("check", "--kernel", self.path, expect=lab.EXIT_SPEC if self.expected else lab.EXIT_DONE)
        self.assertEqual(self.expected, self.said(done.stderr))
        self.topod("check", self.path)
        done = self.topod("plan", self.path, expect=lab.EXIT_DIFFERENCES)
        self.assertEqual(self.expected, self.said(done.stderr))
        self.same(before, lab.snapshot())
        self.assertEqual(names, lab.namespaces())
        self.skip_without_any()

    def test_the_rest_is_built(self):
        kinds = {what.split("'")[1] for _, what in self.expected if what.endswith("' links") and " of " not in what}
        gone = {name for name, (entry, _) in LINKS.items() if entry.split()[1].rstrip(",") in kinds}
        self.topod("apply", self.path, expect=lab.EXIT_FAILED if self.expected else lab.EXIT_DONE)
        for name in LINKS:
            with self.subTest(name=name):
                self.assertEqual(name not in gone, lab.link("web", name) is not None)
        lab.pings("web", "10.0.0.2")
        self.topod("down", self.path)
        self.skip_without_any()


if __name__ == "__main__":
    lab.main()
