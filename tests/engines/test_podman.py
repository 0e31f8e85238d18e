# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers of podman: those that join a namespace of topod, and those that have their own, which topod's hook
attaches before their program starts."""

import json
import os
import subprocess
import sys

import engine
from engine import FIRST, SPEC, Engine, Proof, Running, installed_hook, lab, lines_of_page


SOCKET = "unix:///run/podman/podman.sock"


class Podman(Engine):
    runtime = "crun"
    # A kernel may lack the controllers of version 2, and forbid what crun does for devices.
    cgroups = "--cgroups=disabled"
    program = FIRST

    def setUp(self):
        super().setUp()
        self.before = []
        self.podman("import", self.image, "box")
        self.addCleanup(self.podman, "rm", "--all", "--force", "--time", "0")

    def command(self, *args):
        # The runroot has to have a short name.
        return ["podman", "--root", f"{self.directory}/s", "--runroot", "/run/lab/r", "--storage-driver", "vfs",
                "--cgroup-manager", "cgroupfs", "--runtime", self.runtime, "--events-backend", "file", *args]

    def podman(self, *args):
        return lab.run(*self.command(*args))

    def run_box(self, name, *options):
        self.podman(*self.before, "run", "--detach", "--name", name, self.cgroups, "--security-opt", "seccomp=unconfined",
                    "--volume", f"{self.out}:/out", *options, "box", *self.program)

    def start(self, name, policy=False, attached=True):
        self.run_box(name, "--network", "none", *(["--restart=always"] if policy else []),
                     *(["--device", "topod.org/ns=web"] if attached else []))

    def restart(self, name):
        self.podman("restart", "--time", "0", name)

    def remove(self, name):
        self.podman("rm", "--force", "--time", "0", name)

    def pid(self, name):
        return int(self.podman("inspect", "--format", "{{.State.Pid}}", name).stdout)


class Crun(Proof, Podman):
    def test_while_no_daemon_runs(self):
        """The container starts at once, and the daemon attaches it when it starts."""
        path = self.spec(SPEC)
        self.daemon(path).ready().stop()
        self.start("app")
        d = self.daemon(path).ready()
        self.assertIn("10.0.0.11/24", lab.ip("web", "addr show eth0").stdout)
        d.calm()
        d.stop()
        self.topod("down", path)
        self.assertFalse(os.path.exists("/run/cdi/topod-office.json"))

    def test_annotation(self):
        """By a directory of hooks instead of a device."""
        d = self.daemon(self.spec(SPEC)).ready()
        os.makedirs(f"{self.directory}/hooks.d")
        with open(f"{self.directory}/hooks.d/topod.json", "w") as f:
            json.dump({"version": "1.0.0", "hook": {"path": installed_hook()},
                       "when": {"annotations": {"^org\\.topod\\.namespace$": ".*"}}, "stages": ["createRuntime"]}, f)
        self.before = ["--hooks-dir", f"{self.directory}/hooks.d"]
        self.run_box("app", "--network", "none", "--annotation", "org.topod.namespace=web")
        self.wait_lines(1, d)
        self.check_lines()
        d.calm()
        d.stop()


class Runc(Proof, Podman):
    runtime = "runc"
    cgroups = "--pids-limit=-1"  # runc always has some


class Service(Podman):
    """podman's service has Docker's API at its own socket."""

    def setUp(self):
        super().setUp()
        os.makedirs("/run/podman", exist_ok=True)
        with open(f"{self.directory}/containers.conf", "w") as f:  # for what the API has no word for
            f.write('[containers]\ncgroups = "disabled"\n')
        service = subprocess.Popen(self.command("system", "service", "--time", "0", SOCKET), stdout=sys.stdout, stderr=sys.stdout,
                                   env={**os.environ, "CONTAINERS_CONF": f"{self.directory}/containers.conf"})
        self.addCleanup(service.wait)
        self.addCleanup(service.terminate)
        self.wait_until(lambda: os.path.exists("/run/podman/podman.sock"), "the socket")


class Socket(Running, Service):
    pass


class Compose(Service):
    def test_page(self):
        """What `podman compose` does: it calls docker-compose with podman's socket."""
        d = self.daemon(self.spec(engine.block_of_page("topology: office"))).ready()
        lab.run("docker-compose", "--host", SOCKET, "--file", self.compose_file('network_mode: "ns:'), "up", "--detach")
        self.wait_lines(1, d)
        self.check_lines(["10.0.0.11/24", "default via 10.0.0.1"])
        d.stop()


class Page(Podman):
    """The lines of docs/containers.md, with the file that it begins with."""

    def setUp(self):
        super().setUp()
        self.d = self.daemon(self.spec(engine.block_of_page("topology: office"))).ready()

    def test_podman(self):
        lines = lines_of_page("podman run")
        self.assertEqual(2, len(lines))
        for number, line in enumerate(lines, 1):
            self.assertEqual("IMAGE", line.pop())
            self.run_box(f"c{number}", *line[2:])
            line = self.wait_lines(number, self.d)[-1]
            self.assertIn(f"10.0.0.1{number}/24", line)
            self.assertIn("default via 10.0.0.1", line)
        self.d.stop()

    def test_nspawn(self):
        line, = lines_of_page("systemd-nspawn")
        line[line.index("DIRECTORY")] = self.root
        lab.run(*line, "--quiet", "--register=no", "--keep-unit", "--pipe", f"--bind={self.out}:/out", *FIRST[:2], FIRST[2].split(";")[0])
        self.assertIn("10.0.0.11/24", self.wait_lines(1, self.d)[0])
        self.d.stop()


class Joining(Podman):
    def test_keeps_its_network(self):
        """A container that joins a namespace of topod loses nothing when it restarts, and nothing is made again."""
        d = self.daemon(self.spec(SPEC)).ready()
        index = lab.link("db", "eth0")["ifindex"]
        self.run_box("app", "--network", "ns:/run/netns/db")
        for n in range(1, 5):
            self.wait_lines(n, d)
            if n < 4:
                self.restart("app")
        self.check_lines(["10.0.0.12/24"])
        self.assertEqual(index, lab.link("db", "eth0")["ifindex"])
        d.calm()
        d.stop()


if __name__ == "__main__":
    engine.main()
