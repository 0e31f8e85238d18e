# SPDX-License-Identifier: GPL-2.0-or-later
"""`topod unit`: the drop-in that puts a service into a namespace, printed and installed. tests/systemd uses one."""

import os
import re

import lab
from lab import Case

OFFICE = """\
topology: other-name
namespaces:
  web: {dns: {servers: [192.0.2.53], hosts: {db: 10.0.0.2}}}
  plain: {}
"""


class Unit(Case):
    def setUp(self):
        super().setUp()
        # The directory of services, and systemd's, for this test alone: both are mounts or directories in the lab's own /etc.
        said = self.topod("check", "nothing", expect=lab.EXIT_SPEC).stderr
        config = os.path.dirname(re.search(r"there is no (/\S+/nothing\.yaml) either", said)[1])
        above = next(p for p in (os.path.dirname(config), os.path.dirname(os.path.dirname(config))) if os.path.isdir(p))
        lab.run("mount", "-n", "-t", "tmpfs", "config", above)
        self.addCleanup(lab.run, "umount", above)
        os.makedirs(config)
        if not os.path.isdir("/etc/systemd"):
            os.makedirs("/etc/systemd")
        lab.run("mount", "-n", "-t", "tmpfs", "systemd", "/etc/systemd")
        self.addCleanup(lab.run, "umount", "/etc/systemd")
        os.makedirs("/etc/systemd/system")
        self.write(os.path.join(config, "office.yaml"), OFFICE)
        self.write(os.path.join(config, "broken.yaml"), "a: b\n")
        self.config = config

    def write(self, path, text):
        with open(path, "w") as f:
            f.write(text)

    def lines(self, *args):
        return [l for l in self.topod("unit", *args).stdout.splitlines() if l and not l.startswith("#")]

    def test_printed(self):
        self.assertEqual(["[Unit]", "Wants=topod@office.service", "After=topod@office.service", "[Service]",
                          "NetworkNamespacePath=/run/netns/plain"], self.lines("nginx", "plain"))
        self.assertEqual(["BindReadOnlyPaths=/etc/netns/web/resolv.conf:/etc/resolv.conf",
                          "InaccessiblePaths=-/run/systemd/resolve/io.systemd.Resolve -/run/nscd",
                          "BindReadOnlyPaths=/etc/netns/web/hosts:/etc/hosts"], self.lines("nginx.service", "web")[5:])
        self.assertEqual([], os.listdir("/etc/systemd/system"))

    def test_installed(self):
        for service in ("nginx", "nginx.service", "getty@tty1"):
            said = self.topod("unit", service, "web", "--install").stdout
            unit = service if service.endswith(".service") else f"{service}.service"
            path = f"/etc/systemd/system/{unit}.d/topod.conf"
            self.assertIn(f"{path}: written", said)
            self.assertIn(f"systemctl restart {unit}", said)
            with open(path) as f:
                self.assertEqual(self.topod("unit", service, "web").stdout, f.read())
            self.assertEqual(["topod.conf"], os.listdir(os.path.dirname(path)))
        self.topod("unit", "nginx", "plain", "--install")  # another one takes its place
        with open("/etc/systemd/system/nginx.service.d/topod.conf") as f:
            self.assertNotIn("resolv.conf", f.read())

    def test_refused(self):
        for args, said, code in ((("nginx", "nowhere"), "declares the namespace 'nowhere'", lab.EXIT_FAILED),
                                 (("../nginx", "web"), "'../nginx' is not the name of a service", lab.EXIT_USAGE),
                                 ((".service", "web"), "not the name of a service", lab.EXIT_USAGE),
                                 (("nginx", "host"), "'host' is where services are anyway", lab.EXIT_USAGE),
                                 (("nginx", "a/b"), "the namespace 'a/b' ", lab.EXIT_USAGE),
                                 (("nginx",), "needs SERVICE NS", lab.EXIT_USAGE)):
            self.assertIn(said, self.topod("unit", *args, "--install", expect=code).stderr)
        self.assertEqual([], os.listdir("/etc/systemd/system"))


if __name__ == "__main__":
    lab.main()
