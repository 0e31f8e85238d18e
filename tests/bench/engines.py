# SPDX-License-Identifier: GPL-2.0-or-later
"""Other programs that make containers' networks, for the same container as `attach`: netavark (podman), and the
bridge plugin of CNI. Each makes two links with two addresses each. CNI makes three routes; netavark a default
route for each link, and rules of the firewall. Neither reads anything back."""
import json
import os
import subprocess
import tempfile

from process import Failed

NETWORKS = (("10.211.0.0/16", "10.211.255.254", "fd00:211::/64", "fd00:211::1"),
            ("10.212.0.0/16", "10.212.255.254", "fd00:212::/64", "fd00:212::1"))


def run(command, text, env):
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False,
                          env={"PATH": os.environ["PATH"], **env})
    if done.returncode:
        said = (done.stderr + done.stdout).strip().splitlines() or [f"exit {done.returncode}"]
        raise Failed(f"{os.path.basename(command[0])}: {said[0]}")


class Netavark:
    title = "netavark"

    def __init__(self, program, scratch):
        self.command = [program, "--config", tempfile.mkdtemp(dir=scratch)]
        networks, infos = {}, {}
        for i, (prefix4, gateway4, prefix6, gateway6) in enumerate(NETWORKS):
            networks[f"n{i}"] = {"interface_name": f"eth{i}", "static_ips": [
                gateway4.replace("255.254", "0.2"), gateway6.replace("::1", "::2")]}
            infos[f"n{i}"] = {"name": f"n{i}", "id": f"{i:064}", "driver": "bridge", "network_interface": f"na-br{i}",
                              "subnets": [{"subnet": prefix4, "gateway": gateway4}, {"subnet": prefix6, "gateway": gateway6}],
                              "ipv6_enabled": True, "internal": False, "dns_enabled": False,
                              "ipam_options": {"driver": "host-local"}}
        self.text = json.dumps({"container_id": "0" * 64, "container_name": "bench", "networks": networks,
                                "network_info": infos})

    def add(self, path):
        run([*self.command, "setup", path], self.text, {})

    def remove(self, path):
        run([*self.command, "teardown", path], self.text, {})


class Cni:
    title = "CNI bridge"

    def __init__(self, directory, scratch):
        self.program, self.directory = f"{directory}/bridge", directory
        data = tempfile.mkdtemp(dir=scratch)
        routes = ([{"dst": "0.0.0.0/0"}, {"dst": "10.77.0.0/16"}], [{"dst": "10.66.0.0/16"}])
        self.texts = [json.dumps({
            "cniVersion": "0.4.0", "name": f"c{i}", "type": "bridge", "bridge": f"cni-br{i}", "isGateway": True,
            "ipam": {"type": "host-local", "dataDir": data, "routes": routes[i],
                     "ranges": [[{"subnet": prefix4}], [{"subnet": prefix6}]]}})
            for i, (prefix4, _, prefix6, _) in enumerate(NETWORKS)]

    def run(self, command, path):
        for i, text in enumerate(self.texts):
            run([self.program], text, {"CNI_COMMAND": command, "CNI_CONTAINERID": "bench", "CNI_NETNS": path,
                                       "CNI_IFNAME": f"eth{i}", "CNI_PATH": self.directory})

    def add(self, path):
        self.run("ADD", path)

    def remove(self, path):
        self.run("DEL", path)
