# SPDX-License-Identifier: GPL-2.0-or-later
"""The README's part "Install", followed word for word."""

import os
import re
import shutil
import subprocess

import machine
from machine import Case, lab

UNIT = "topod@office.service"
SOURCE = os.path.dirname(os.path.dirname(machine.HERE))


class Readme(Case):
    layers = staticmethod(lambda: None)

    def commands(self):
        """The indented lines of the part "Install", in blocks."""
        with open(f"{SOURCE}/README.md") as f:
            part = re.search(r"(?ms)^## Install$(.*?)^## ", f.read())[1]
        return [[l.strip() for l in block.splitlines()] for block in re.findall(r"(?m)(?:^    .*\n)+", part)]

    def test_install(self):
        """The commands are run word for word: those that build run here, in a copy of the source, because the compiler is here;
        the others run in the machine, in the same directory with what was built."""
        install, remove = self.commands()
        building = [l for l in install if "install-deps" in l or l.startswith("cmake ")]
        self.assertEqual(install[:len(building)], building)
        tree = f"{self.machine.directory}/source"
        shutil.copytree(SOURCE, tree, ignore=shutil.ignore_patterns(".git", "build"))
        for line in building:
            done = subprocess.run(["sh", "-ec", f"sudo() {{ \"$@\"; }}; {line}"], cwd=tree, text=True, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(0, done.returncode, f"{line}\n{done.stdout[-4000:]}")
        shutil.copytree(tree, self.machine.path("/root/topod"), symlinks=True)
        empty = self.settled()
        for line in install[len(building):]:
            said = self.follow(line)
        self.assertIn("converged", said, "the last line is to show that it works")
        self.assertEqual("active", self.show(UNIT, "ActiveState"))
        self.assertTrue(lab.namespaces())
        for line in remove:
            self.follow(line)
        self.same(empty, self.settled())

    def follow(self, line):
        done = lab.run("sh", "-ec", f"cd /root/topod; {line}", check=False)
        self.assertEqual(0, done.returncode, f"{line}\n{done.stdout}{done.stderr}")
        return done.stdout


if __name__ == "__main__":
    machine.main()
