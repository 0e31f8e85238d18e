# SPDX-License-Identifier: GPL-2.0-or-later
"""packaging/github/action.yml: the shell lines of its steps, run as GitHub runs them, by a user who may use sudo."""

import os
import re
import shutil

import yaml

import machine
from machine import Case, lab

ACTION = os.path.join(os.path.dirname(os.path.dirname(machine.HERE)), "packaging/github/action.yml")
HOME = "/home/runner"
SPEC = """\
topology: office
namespaces: {host: {interfaces: {br0: {kind: bridge, ports: [c1], addresses: [10.0.0.1/24]}}}, web: {interfaces: {eth0: {addresses: [10.0.0.2/24]}}}}
links: [[web:eth0, host:c1]]
"""


class Action(Case):
    layers = staticmethod(lambda: None)

    def steps(self, **inputs):
        """Exit status and output of the last step; the steps before it must succeed."""
        with open(ACTION) as f:
            action = yaml.safe_load(f)
        self.assertEqual(set(action["inputs"]), set(inputs))
        for step in action["runs"]["steps"]:
            self.assertIn(step.get("if", "inputs.package != ''"), ("inputs.package != ''",))
            self.assertEqual("sh", step["shell"])
            if "if" in step and not inputs["package"]:
                continue
            env = [f"{k}={re.sub(r'[$]{{ inputs[.]([a-z]+) }}', lambda m: inputs[m[1]], v)}" for k, v in step.get("env", {}).items()]
            self.machine.write(f"{HOME}/step", step["run"])
            done = lab.run("runuser", "-u", "runner", "--", "env", "-C", HOME, *env, "sh", "-e", "step", check=False)
            if step is not action["runs"]["steps"][-1]:
                self.assertEqual(0, done.returncode, f"{step['name']}\n{done.stdout}{done.stderr}")
        return done.returncode, done.stdout + done.stderr

    def test_steps(self):
        lab.run("useradd", "-m", "-d", HOME, "runner")
        self.machine.write("/etc/sudoers.d/runner", "runner ALL=(ALL) NOPASSWD: ALL\n")
        shutil.copy(machine.package(), self.machine.path(f"{HOME}/topod.deb"))
        self.machine.write(f"{HOME}/office.yaml", SPEC)
        command = "ping -c 1 -W 5 10.0.0.2\ntopod exec web -- ping -c 1 -W 5 10.0.0.1\n"
        code, said = self.steps(package="topod.deb", topology="office.yaml", run=command)
        self.assertEqual((0, 2), (code, said.count("1 received")), said)
        # Installed already; and a failure is the job's.
        code, said = self.steps(package="", topology="office.yaml", run="false\necho not here\n")
        self.assertEqual((1, False), (code, "not here" in said), said)
        self.assertEqual([], lab.namespaces())


if __name__ == "__main__":
    machine.main()
