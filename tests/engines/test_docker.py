# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers of Docker's engine, an old one that knows no devices of CDI: topod's entry of a runtime attaches them. dockerd and its
containerd have only the network of the laboratory, where nothing leads outside."""

import glob
import subprocess

import engine
from engine import FIRST, SPEC, Engine, Proof, Running, installed_hook, lab

SOCKET = "/run/docker.sock"


class Docker(Engine):
    def setUp(self):
        super().setUp()
        with open(f"{self.directory}/daemon.json", "w") as f:
            f.write(engine.block_of_page('"runtimes"').replace("/usr/libexec/topod/oci-runtime", installed_hook("oci-runtime")))
        self.log = open(f"{self.directory}/dockerd.log", "w+")
        self.addCleanup(self.log.close)
        engine_process = subprocess.Popen(
            ["dockerd", "--config-file", f"{self.directory}/daemon.json", "--data-root", f"{self.directory}/docker",
             "--exec-root", "/run/docker", "--pidfile", f"{self.directory}/dockerd.pid", "--host", f"unix://{SOCKET}",
             "--storage-driver", "vfs", "--bridge=none", "--iptables=false", "--ip6tables=false",
             "--exec-opt", "native.cgroupdriver=cgroupfs"], stdout=self.log, stderr=self.log)
        self.addCleanup(engine_process.wait)
        self.addCleanup(engine_process.terminate)
        self.wait_until(lambda: self.docker("version", check=False).returncode == 0 or engine_process.poll(), "the engine")
        self.docker("import", self.image, "box")
        self.addCleanup(self.remove, "app")

    def docker(self, *args, check=True):
        done = lab.run("docker", "--host", f"unix://{SOCKET}", *args, check=False)
        if check and done.returncode != 0:
            with open(self.log.name) as f:
                self.fail(f"docker {' '.join(args)}: {done.stderr}\n{f.read()[-6000:]}")
        return done

    def start(self, name, policy=False, attached=True):
        self.docker("run", "--detach", "--name", name, "--security-opt", "seccomp=unconfined", "--volume", f"{self.out}:/out",
                    "--network", "none", *(["--restart=always"] if policy else []),
                    *(["--runtime", "topod", "--env", "TOPOD_NAMESPACE=web"] if attached else []), "box", *FIRST)

    def restart(self, name):
        self.docker("restart", "--time", "0", name)

    def remove(self, name):
        self.docker("rm", "--force", name, check=False)

    def pid(self, name):
        return int(self.docker("inspect", "--format", "{{.State.Pid}}", name).stdout)


class Own(Proof, Docker):
    def test_refused(self):
        """A container of a namespace that nobody declares does not start, the engine says why, and nothing is left."""
        d = self.daemon(self.spec(SPEC)).ready()
        done = self.docker("run", "--detach", "--name", "app", "--network", "none", "--runtime", "topod",
                           "--env", "TOPOD_NAMESPACE=nobody", "box", *FIRST, check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("no running topology declares the namespace 'nobody' with 'attach'", done.stderr)
        self.assertEqual(0, self.pid("app"))
        self.assertEqual([], glob.glob("/run/docker/runtime-*/moby/*"))
        d.calm()
        d.stop()

    def test_without_a_namespace(self):
        """Other containers of the same runtime are not topod's. A limit that fits no signed number passes too."""
        self.docker("run", "--name", "app", "--network", "none", "--runtime", "topod", "--ulimit", "core=-1", "box", "true")


class Socket(Running, Docker):
    pass


class Page(Docker):
    """The lines of docs/containers.md, with the file that it begins with."""

    def setUp(self):
        super().setUp()
        self.d = self.daemon(self.spec(engine.block_of_page("topology: office"))).ready()

    def check_app(self):
        self.wait_lines(1, self.d)
        self.check_lines(["10.0.0.12/24", "default via 10.0.0.1"])
        self.d.calm()
        self.d.stop()

    def test_docker(self):
        line, = engine.lines_of_page("docker run")
        self.assertEqual("IMAGE", line.pop())
        self.docker("run", "--detach", "--name", "app", "--security-opt", "seccomp=unconfined", "--volume", f"{self.out}:/out",
                    *line[2:], "box", *FIRST)
        self.check_app()

    def test_compose(self):
        lab.run("docker-compose", "--host", f"unix://{SOCKET}", "--file", self.compose_file("runtime: topod"), "up", "--detach")
        self.check_app()


if __name__ == "__main__":
    engine.main()
