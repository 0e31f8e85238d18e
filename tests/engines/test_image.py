# SPDX-License-Identifier: GPL-2.0-or-later
"""packaging/container: its image is built by podman, on the Debian of ../systemd/image in the place of Docker Hub's, without a
network; and the commands that its head gives are run."""

import os
import re
import shlex
import shutil
import sys

import engine
from engine import lab

sys.path.insert(0, os.path.join(os.path.dirname(engine.HERE), "systemd"))

import machine  # noqa: E402

RECIPE = os.path.join(engine.HERE, "../../packaging/container/Containerfile")
SPEC = """\
topology: office
namespaces: {host: {interfaces: {br0: {kind: bridge, ports: [c1], addresses: [10.0.0.1/24]}}}, web: {interfaces: {eth0: {addresses: [10.0.0.2/24]}}}}
links: [[web:eth0, host:c1]]
"""


class Image(lab.Case):
    def podman(self, *args, check=True):
        return lab.run("podman", "--root", f"{self.directory}/s", "--runroot", "/run/lab/r", "--storage-driver", "vfs", "--cgroup-manager",
                       "cgroupfs", "--runtime", "crun", "--events-backend", "file", *args, check=check, timeout=300)

    def test_recipe(self):
        with open(RECIPE) as f:
            recipe = f.read()
        base = re.search(r"(?m)^FROM (\S+)$", recipe)[1]
        context = f"{self.directory}/package"
        os.mkdir(context)
        shutil.copy(machine.package(), context)
        archive = f"{self.directory}/base.tar"
        lab.run("tar", "-C", os.environ["TOPOD_IMAGE"], "-cf", archive, ".")
        self.podman("import", archive, base)
        os.unlink(archive)
        self.podman("build", "--pull=never", "--network", "host", "--isolation", "chroot", "-t", "topod", "-f", RECIPE, context)
        self.assertIn("usage: topod", self.podman("run", "--rm", "--cgroups=disabled", "--network", "none", "topod").stdout)
        # A sandbox in a container, as the head says.
        head = " ".join(l.lstrip("# ").rstrip("\\") for l in recipe.splitlines() if l.startswith("#"))
        command = re.search(r"podman run --rm .*? -- \./test", head)[0]
        os.chdir(self.directory)
        self.spec(SPEC, "office.yaml")
        with open(f"{self.directory}/test", "w") as f:
            f.write("#!/bin/sh\nset -e\nping -c 1 -W 5 10.0.0.2\ntopod exec web -- ping -c 1 -W 5 10.0.0.1\nexit 7\n")
        os.chmod(f"{self.directory}/test", 0o755)
        words = shlex.split(command.replace("$PWD", self.directory))
        done = self.podman("run", "--cgroups=disabled", "--network", "none", *words[2:], check=False)
        self.assertEqual(7, done.returncode, done.stdout + done.stderr)
        self.assertEqual(2, done.stdout.count("1 received"), done.stdout)
        self.assertEqual([], lab.namespaces())


if __name__ == "__main__":
    if os.environ.get("TOPOD_LAB") != "1" and os.geteuid() == 0:
        os.environ["TOPOD_IMAGE"] = machine.image()
        os.environ["TOPOD"] = os.environ["TOPOD_PLAIN"]  # a sanitizer needs libraries that the image lacks
    engine.main()
