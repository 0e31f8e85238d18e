# SPDX-License-Identifier: GPL-2.0-or-later
"""
Networks that other programs make, exported: podman's for containers, and the bridge plugin of CNI called as a container engine
calls it. `plan` of the file finds nothing to do, and applied on an empty machine it makes the same.
"""

import json
import os
import subprocess

import engine  # makes the modules of ../netns known
from engine import lab
from test_podman import Podman

import combine

PLUGINS = "/usr/lib/cni"


def bridge(name, directory, **more):
    """What a configuration of CNI says about the plugin `bridge`."""
    return {"type": "bridge", "bridge": name, "isGateway": True, **more,
            "ipam": {"type": "host-local", "dataDir": directory, "routes": [{"dst": "0.0.0.0/0"}],
                     "ranges": [[{"subnet": "10.89.0.0/24"}], [{"subnet": "fd89::/64"}]]}}


class Networks(Podman):
    def round_trip(self):
        try:
            return combine.round_trip(self.topod)
        except combine.Wrong as e:
            self.fail(str(e))

    def test_podman(self):
        directory = f"{self.directory}/net.d"
        os.makedirs(directory)
        with open(f"{directory}/lab.conflist", "w", encoding="utf-8") as f:
            json.dump({"cniVersion": "0.4.0", "name": "lab", "plugins": [
                bridge("cni-podman7", f"{self.directory}/ipam", hairpinMode=True), {"type": "tuning"}]}, f)
        self.before = ["--network-config-dir", directory]
        self.run_box("one", "--network", "lab")
        self.run_box("two", "--network", "lab", "--mac-address", "02:00:00:00:00:77")
        text = self.round_trip()
        for words in ("cni-podman7:\n        kind: bridge", "hairpin: true", 'mac-address: "02:00:00:00:00:77"', "{address: 10.89.0.1/24,",
                      "{to: default, via: 10.89.0.1}"):
            self.assertIn(words, text)

    def test_plugin(self):
        conf = {"cniVersion": "0.4.0", "name": "lab", **bridge("cni9", f"{self.directory}/ipam", promiscMode=True, mtu=1400)}
        for name in ("cni-a", "cni-b"):
            lab.run("ip", "netns", "add", name)
            lab.run("ip", "-n", name, "link", "set", "lo", "up")
            subprocess.run([f"{PLUGINS}/bridge"], input=json.dumps(conf), text=True, check=True, stdout=subprocess.DEVNULL, env={
                **os.environ, "CNI_COMMAND": "ADD", "CNI_CONTAINERID": name, "CNI_NETNS": f"/run/netns/{name}", "CNI_IFNAME": "eth0",
                "CNI_PATH": PLUGINS})
        text = self.round_trip()
        for words in ("cni9:\n        kind: bridge", "promiscuous: true", "mtu: 1400", "10.89.0.3/24"):
            self.assertIn(words, text)


if __name__ == "__main__":
    engine.main()
