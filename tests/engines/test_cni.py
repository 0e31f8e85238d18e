# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks of CNI, which podman sets up with libcni: topod's hook is the plugin, alone or after another one."""

import json
import os

import engine
from engine import FIRST, SPEC, Proof, lab
from test_podman import Podman


class Cni(Podman):
    plugins = [{"type": "oci-hook", "namespace": "web"}]

    def setUp(self):
        self.network = None
        super().setUp()

    def command(self, *args):
        if not self.network:
            self.network = f"{self.directory}/cni"
            os.mkdir(self.network)
            os.symlink(engine.installed_hook(), f"{self.network}/oci-hook")
            with open(f"{self.network}/containers.conf", "w") as f:
                f.write(f'[network]\nnetwork_backend = "cni"\ncni_plugin_dirs = ["{self.network}", "/usr/lib/cni"]\n')
            with open(f"{self.network}/office.conflist", "w") as f:
                json.dump({"cniVersion": "0.4.0", "name": "office", "plugins": self.plugins}, f)
        return ["env", f"CONTAINERS_CONF={self.network}/containers.conf",
                *super().command("--network-config-dir", self.network, *args)]

    def start(self, name, policy=False):
        self.run_box(name, "--network", "office", *(["--restart=always"] if policy else []))

    def addresses(self):
        """What podman takes from the result."""
        found = json.loads(self.podman("inspect", "app").stdout)[0]["NetworkSettings"]["Networks"]["office"]
        return [found["IPAddress"], *(a["Addr"] for a in found.get("AdditionalIPAddresses", []))]


class Alone(Proof, Cni):
    def test_result(self):
        d = self.daemon(self.spec(SPEC)).ready()
        self.start("app")
        self.wait_lines(1, d)
        self.assertEqual(["10.0.0.11"], self.addresses()[:1])
        d.stop()


class Chained(Proof, Cni):
    """After the plugin `bridge`, whose interface stays."""

    plugins = [{"type": "bridge", "bridge": "cni0", "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.9.0.0/24"}]]}},
               *Cni.plugins]
    topology = SPEC.replace("      eth0: {addresses: [10.0.0.11", "      net1: {addresses: [10.0.0.11").replace("web:eth0", "web:net1")
    program = [*FIRST[:2], FIRST[2].replace("eth0", "net1").replace(" end ", " $(ip -o addr show eth0) end ")]
    restarts, kills = 5, 2

    def check_lines(self, texts=(*engine.COMPLETE, "10.9.0.")):
        super().check_lines(texts)


class Page(Cni):
    plugins = json.loads(engine.block_of_page("cniVersion"))["plugins"]

    def test_network(self):
        d = self.daemon(self.spec(engine.block_of_page("topology: office"))).ready()
        self.start("app")
        self.wait_lines(1, d)
        self.check_lines(["10.0.0.12/24", "default via 10.0.0.1"])
        d.stop()


if __name__ == "__main__":
    engine.main()
