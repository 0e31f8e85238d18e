# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers of LXC, whose hook `start-host` attaches them."""

import os

import engine
from engine import FIRST, Engine, Proof, lab


class Lxc(Engine):
    def setUp(self):
        super().setUp()
        self.lxcpath = f"{self.directory}/lxc"
        for directory in ("proc", "dev", "tmp", "var/run"):
            os.makedirs(f"{self.root}/{directory}", exist_ok=True)

    def configure(self, name, *lines):
        self.addCleanup(self.remove, name)
        os.makedirs(f"{self.lxcpath}/{name}")
        with open(f"{self.lxcpath}/{name}/config", "w") as f:
            f.write("\n".join([f"lxc.uts.name = {name}", f"lxc.rootfs.path = dir:{self.root}", "lxc.apparmor.profile = unconfined",
                               "lxc.mount.auto = proc:mixed sys:mixed", f"lxc.mount.entry = {self.out} out none bind 0 0",
                               *lines, ""]))

    def lxc(self, verb, name, *args, check=True):
        done = lab.run(f"lxc-{verb}", "--lxcpath", self.lxcpath, "--name", name, *args, check=False)
        if check and done.returncode != 0:
            with open(f"{self.directory}/log", "a+") as f:
                f.seek(0)
                self.fail(f"lxc-{verb} {args}: {done.stdout}{done.stderr}{f.read()}")
        return done

    def start_again(self, name):
        """With the program as its init."""
        self.lxc("start", name, "--logfile", f"{self.directory}/log", "--logpriority", "INFO", "--", *FIRST)

    def remove(self, name):
        self.lxc("stop", name, "--kill", check=False)


class Own(Proof, Lxc):
    def start(self, name, policy=False):
        self.configure(name, "lxc.net.0.type = empty", f"lxc.hook.start-host = {engine.installed_hook()} web")
        self.start_again(name)

    def restart(self, name):
        self.remove(name)
        self.start_again(name)

    def pid(self, name):
        return int(self.lxc("info", name, "--pid", "--no-humanize").stdout)

    def kill(self, name):
        """LXC has no policy: what manages the container starts it again."""
        super().kill(name)
        self.lxc("wait", name, "--state", "STOPPED")
        self.start_again(name)


class Page(Lxc):
    """The lines of docs/containers.md, with the file that it begins with."""

    def check(self, key, address):
        d = self.daemon(self.spec(engine.block_of_page("topology: office"))).ready()
        self.configure("box", engine.block_of_page(key).replace("/usr/libexec/topod/oci-hook", engine.installed_hook()))
        self.start_again("box")
        self.wait_lines(1, d)
        self.check_lines([address, "default via 10.0.0.1"])
        d.calm()
        d.stop()

    def test_own(self):
        self.check("lxc.hook.start-host", "10.0.0.12/24")

    def test_joining(self):
        self.check("lxc.namespace.share.net", "10.0.0.11/24")


if __name__ == "__main__":
    engine.main()
