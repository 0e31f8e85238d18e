# SPDX-License-Identifier: GPL-2.0-or-later
"""
A value that the kernel acknowledges but stores differently is reported once, with its position and the stored
value; there is no busy loop, and everything else is kept as declared.
"""

import json

import lab
from lab import EXIT_FAILED, Case

SETTING = "net.ipv4.neigh.e0.retrans_time_ms"
TEXT = """\
topology: rounds
namespaces:
  a:
    interfaces: {{e0: {{addresses: [10.0.0.1/24], mtu: 1400}}}}
    sysctl:
      {setting}: {value}
  b: {{}}
links: [[a:e0, b:e0]]
"""


class Ignored(Case):
    def rounded(self):
        """A value that the kernel rounds to its clock ticks, and the stored value; both depend on its HZ."""
        lab.ip(lab.HOST, "link add e0 type veth peer name e9")
        for value in ("333", "7", "1"):
            lab.sysctl_set(lab.HOST, SETTING, value)
            kept = lab.sysctl_get(lab.HOST, SETTING)
            if kept != value:
                lab.ip(lab.HOST, "link del e0")
                return value, kept
        self.skipTest("this kernel keeps every millisecond (HZ=1000)")

    def write(self, value):
        return self.spec(TEXT.format(setting=SETTING, value=value), "rounds.yaml")

    def test_apply(self):
        value, kept = self.rounded()
        path = self.write(value)
        said = self.topod("apply", path, expect=EXIT_FAILED).stderr
        self.assertIn(f"the kernel keeps {kept}, not {value}", said)
        self.assertIn("rounds.yaml:6:", said)
        self.assertEqual(["10.0.0.1/24"], [a for a in lab.addresses("a", "e0") if "." in a])
        self.topod("apply", self.write(kept))
        self.topod("down", path)

    def test_run(self):
        value, kept = self.rounded()
        d = self.daemon(self.write(value))
        d.wait_line(f"failing: a: .*the kernel keeps {kept}, not {value} .*rounds.yaml:6")
        status = json.loads(self.topod("status", "rounds", "--json").stdout)["topologies"][0]
        self.assertEqual("degraded", status["state"])
        # Other changes are still repaired as drift.
        with d.expects("drift: a/e0: mtu was changed from 1400 to 1300; restored"):
            lab.ip("a", "link set e0 mtu 1300")
        # A reload returns, and says what is wrong.
        self.assertIn(f"the kernel keeps {kept}, not {value}", self.topod("reload", "rounds", expect=EXIT_FAILED).stdout)
        self.write(kept)
        self.topod("reload", "rounds")
        self.assertEqual([], [l for l in d.lines if "restored" in l and SETTING in l])
        d.stop()
        self.topod("down", "rounds")

    def test_what_nothing_means(self):
        """No broadcast address, and an empty list: values that the kernel does not show are kept, and restored at the end."""
        path = self.spec("""\
topology: nothing
namespaces:
  host:
    interfaces: {e8: {addresses: [{address: 10.7.0.1/24, broadcast: 0.0.0.0}]}}
    sysctl: {net.ipv4.ip_local_reserved_ports: "80,443"}
  a: {sysctl: {net.ipv4.ip_local_reserved_ports: ""}}
links: [[host:e8, a:e8]]
""", "nothing.yaml")
        before = lab.sysctl_get(lab.HOST, "net.ipv4.ip_local_reserved_ports")
        self.topod("apply", path)
        self.assertEqual("80,443", lab.sysctl_get(lab.HOST, "net.ipv4.ip_local_reserved_ports"))
        lab.sysctl_set("a", "net.ipv4.ip_local_reserved_ports", "99")
        lab.ip(lab.HOST, "addr add 10.7.0.9/24 broadcast 10.7.0.255 dev e8")
        self.topod("apply", path)
        self.assertEqual("", lab.sysctl_get("a", "net.ipv4.ip_local_reserved_ports"))
        self.topod("plan", path)
        self.topod("down", path)
        self.assertEqual(before, lab.sysctl_get(lab.HOST, "net.ipv4.ip_local_reserved_ports"))

    def test_tries_grow_rarer(self):
        value, kept = self.rounded()
        d = self.daemon(self.write(value), args=["--periodic", "50ms"])
        d.wait_line("failing: a: ")
        tries, last = 0, 0
        while tries < 4:
            status = json.loads(self.topod("status", "rounds", "--json").stdout)["topologies"][0]
            [trouble] = status["troubles"]
            tries, last = trouble["tries"], status["looks"]
            self.assertEqual(status["retries"], tries - 1)
            d.pump(0.05)
        # The periodic scans of the setting are not tries.
        self.assertGreater(last, 2 * tries)
        d.stop()
        self.topod("down", "rounds")


if __name__ == "__main__":
    lab.main()
