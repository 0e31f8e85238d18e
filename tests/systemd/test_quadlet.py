# SPDX-License-Identifier: GPL-2.0-or-later
"""The Quadlets of docs/containers.md: containers that are units. podman's generator comes with 4.4, so the test makes of each what
the generator would (podman-systemd.unit(5)), and systemd runs that with podman."""

import os
import re
import shutil
import subprocess

import machine
from machine import Case, lab, skip

SOURCE = os.path.dirname(os.path.dirname(machine.HERE))
PROGRAMS = ("/usr/bin/podman", "/usr/bin/conmon", "/usr/bin/crun")
OPTIONS = {"Network": "--network", "AddDevice": "--device"}  # of podman run, for keys of [Container]
PODMAN = "/usr/bin/podman --storage-driver vfs --cgroup-manager cgroupfs --runtime crun --events-backend file"
FIRST = "echo begin $(ip -o link show eth0) $(ip -o addr show eth0) $(ip route) end >>/out/first; exec sleep 100000"


def blocks(kind):
    with open(f"{SOURCE}/docs/containers.md") as f:
        return re.findall(rf"(?s)```{kind}\n(.*?)```", f.read())


def layer():
    """What podman needs, copied from this machine, which has the same distribution."""
    layer = f"{machine.RUN}/podman"
    if os.path.isdir(layer):
        return layer
    paths = set(PROGRAMS)
    for program in PROGRAMS:
        if not os.path.exists(program):
            skip(f"{program} is not there")
        said = subprocess.run(["ldd", program], check=True, stdout=subprocess.PIPE, text=True).stdout
        paths |= set(re.findall(r"=> (/\S+)", said))
    for path in paths:
        to = path if path.startswith("/usr/") else f"/usr{path}"
        if not os.path.exists(os.environ["TOPOD_IMAGE"] + to):
            os.makedirs(os.path.dirname(layer + to), exist_ok=True)
            shutil.copy(path, layer + to)
    os.makedirs(f"{layer}/etc/containers")
    with open(f"{layer}/etc/containers/policy.json", "w") as f:
        f.write('{"default": [{"type": "insecureAcceptAnything"}]}')
    with open(f"{layer}/etc/containers/containers.conf", "w") as f:
        f.write("[containers]\nkeyring = false\n")  # the machine may not make any
    root = f"{machine.RUN}/box"
    for directory in ("bin", "proc", "sys", "etc", "dev", "out"):
        os.makedirs(f"{root}/{directory}")
    shutil.copy(shutil.which("busybox"), f"{root}/bin/busybox")
    for name in ("sh", "ip", "sleep", "echo"):
        os.symlink("busybox", f"{root}/bin/{name}")
    os.makedirs(f"{layer}/root")
    lab.run("tar", "-C", root, "-cf", f"{layer}/root/box.tar", ".")
    return layer


class Quadlet(Case):
    layers = staticmethod(lambda: [layer(), *machine.installed()])

    def setUp(self):
        super().setUp()
        topology, = [b for b in blocks("yaml") if b.startswith("topology: office")]
        self.machine.write("/etc/topod/office.yaml", topology)
        self.machine.write("/out/first", "")
        lab.run("sh", "-c", f"{PODMAN} import /root/box.tar box")

    def start_quadlet(self, key):
        """Makes the service of the page's .container file that has this key, and starts it."""
        text, = [b for b in blocks("ini") if "[Container]" in b and key in b]
        unit, container = re.fullmatch(r"(?s)(.*)\[Container\]\n(.*)", text).groups()
        keys = [l.split("=", 1) for l in container.splitlines()]
        self.assertIn(["Image", "IMAGE"], keys)
        options = " ".join(f"{OPTIONS[k]}={v}" for k, v in keys if k != "Image")
        self.machine.write("/etc/systemd/system/box.service", f"""\
{unit}[Service]
Environment=PODMAN_SYSTEMD_UNIT=%n
KillMode=mixed
Delegate=yes
Type=notify
NotifyAccess=all
Restart=always
RestartSec=0
ExecStartPre=-/bin/rm -f %t/%N.cid
ExecStop={PODMAN} rm -v -f -i --cidfile=%t/%N.cid
ExecStopPost=-{PODMAN} rm -v -f -i --cidfile=%t/%N.cid
ExecStart={PODMAN} run --name=systemd-%N --cidfile=%t/%N.cid --replace --rm --cgroups=disabled --sdnotify=conmon --stop-timeout=0 \\
    --security-opt=seccomp=unconfined --volume=/out:/out -d {options} box sh -c "{FIRST.replace("$", "$$")}"
""")
        self.systemctl("daemon-reload")
        self.systemctl("start", "box.service")

    def first_lines(self):
        return self.machine.read("/out/first").splitlines()

    def check(self, address):
        """Restarted without a pause, and killed."""
        for n in range(1, 6):
            self.wait_until(lambda: len(self.first_lines()) == n, f"start {n}")
            if n < 4:
                self.systemctl("restart", "box.service")
            elif n < 5:
                self.systemctl("kill", "-s", "KILL", "box.service")
        for line in self.first_lines():
            for text in (address, "default via 10.0.0.1", " end"):
                self.assertIn(text, line)
        self.assertEqual(1, len({re.search(r"link/ether (\S+)", l)[1] for l in self.first_lines()}))
        self.systemctl("stop", "box.service")
        log = lab.run("journalctl", "-u", "topod@office.service", "-o", "cat").stdout
        self.assertNotRegex(log, "drift|failing|contested")

    def test_joining(self):
        self.start_quadlet("Network=ns:")  # which starts the topology
        self.check("10.0.0.11/24")

    def test_attached(self):
        self.start_quadlet("AddDevice=")
        self.check("10.0.0.12/24")


if __name__ == "__main__":
    machine.main()
