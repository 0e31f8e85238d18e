# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that boots with topologies enabled, and services that need them."""

import machine
from machine import Case, lab
from lab import HOST, OFFICE

# A service in a namespace of topod, and one that needs only the network.
SERVICE = """\
[Unit]
Wants=topod@office.service
After=topod@office.service
[Service]
Type=oneshot
RemainAfterExit=yes
NetworkNamespacePath=/run/netns/web
BindReadOnlyPaths=/etc/netns/web/resolv.conf:/etc/resolv.conf
ExecStart=sh -c 'ip -o -4 addr show dev eth0; ping -n -c1 -W2 203.0.113.1'
[Install]
WantedBy=multi-user.target
"""
ONLINE = """\
[Unit]
Wants=network-online.target
After=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip -o -4 addr show dev br0
[Install]
WantedBy=multi-user.target
"""


class Boot(Case):
    def reboot(self):
        self.machine.poweroff()
        self.machine.boot()

    def assert_well(self):
        self.assertEqual("", self.systemctl("list-units --failed --plain --no-legend").stdout)
        self.assertEqual("running", self.systemctl("is-system-running --wait").stdout.strip())

    def test_service_in_a_namespace(self):
        self.spec(OFFICE)
        self.machine.write("/etc/systemd/system/inside.service", SERVICE)
        self.machine.write("/etc/systemd/system/online.service", ONLINE)
        self.systemctl("enable topod@office inside online")
        self.reboot()
        self.assert_well()
        said = lab.run("journalctl", "-b", "-u", "inside", "-o", "cat").stdout
        self.assertIn("10.0.0.11/24", said)
        self.assertIn("1 received", said)
        self.assertIn("10.0.0.1/24", lab.run("journalctl", "-b", "-u", "online", "-o", "cat").stdout)
        self.assertEqual("active", self.show("inside", "ActiveState"))

    def test_ten_instances(self):
        names = [f"t{n}" for n in range(10)]
        for n, name in enumerate(names):
            self.spec(f"""\
namespaces:
  host:
    interfaces:
      {name}-br: {{kind: bridge, ports: [{name}-p], addresses: [10.{n}.0.1/24]}}
  {name}:
    interfaces:
      eth0: {{addresses: [10.{n}.0.2/24]}}
links:
  - [{name}:eth0, host:{name}-p]
""", f"{name}.yaml")
        self.systemctl("enable", *(f"topod@{n}" for n in names))
        self.reboot()
        self.assert_well()
        self.assertEqual(names, lab.namespaces())
        for n, name in enumerate(names):
            self.assertEqual({"ActiveState": "active", "NRestarts": "0"},
                             self.show(f"topod@{name}", "ActiveState", "NRestarts"))
            lab.run("ping", "-n", "-c1", "-w15", f"10.{n}.0.2")  # a port forwards some time after its carrier
            self.assertEqual([f"10.{n}.0.1/24"], [a for a in lab.addresses(HOST, f"{name}-br") if "." in a],
                             "ten daemons make links at once, and one's address came to another's link")
        self.assertEqual("", lab.run("journalctl", "-b", "-q", "-t", "topod", "-p", "warning").stdout)
        # topod.target stops all instances; the networks stay.
        before = self.settled()
        self.systemctl("start topod.target")
        self.systemctl("stop topod.target")
        self.assertEqual("", self.systemctl("list-units --state=active --plain --no-legend topod@*").stdout)
        self.same(before, self.state())

    def test_a_wrong_one_does_not_hold_up_the_boot(self):
        self.spec("namespaces: {web: {interfaces: {eth0: {kind: brigde}}}}\n", "wrong.yaml")
        self.spec("namespaces: {well: {}}\n", "well.yaml")
        self.systemctl("enable topod@wrong topod@well")
        self.reboot()
        self.assertEqual({"ActiveState": "failed", "NRestarts": "0"},
                         self.show("topod@wrong", "ActiveState", "NRestarts"))
        self.assertEqual(["well"], lab.namespaces())
        self.assertEqual("degraded", self.systemctl("is-system-running --wait", expect=1).stdout.strip())


if __name__ == "__main__":
    machine.main()
