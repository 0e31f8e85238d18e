# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces that container runtimes and units attach (`attach`): hooks, CNI, control groups."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile

import lab
from container import SPEC, Attach, Container, name_of
from lab import HOST


class Hook(Attach):
    """The program that container runtimes call (../engines has real ones)."""

    def setUp(self):
        super().setUp()
        self.hook = f"{self.directory}/oci-hook"
        os.symlink(os.environ["TOPOD"], self.hook)

    def run_hook(self, *args, text="", expect=0, **env):
        done = subprocess.run([self.hook, *args], input=text, text=True, capture_output=True, env={**os.environ, **env},
                              check=False)
        self.assertEqual(expect, done.returncode, done.stdout + done.stderr)
        self.assertNotIn("Sanitizer", done.stderr)
        return done

    def test_oci(self):
        d = self.daemon(self.spec(SPEC)).ready()
        for arguments, more in ((["web"], {}), ([], {"annotations": {"org.topod.namespace": "web"}})):
            container = Container(self)
            done = self.run_hook(*arguments, text=json.dumps({"pid": container.pid, "status": "created", **more}))
            self.assertEqual("", done.stdout + done.stderr)
            self.complete(container)
            container.end()
            self.waits(d)
        container = Container(self)
        for arguments, text, said in ((["web"], "", "names no process"), (["web"], '{"pid": -1}', "names no process"),
                                      ([], f'{{"pid": {container.pid}}}', "needs a namespace as its argument"),
                                      (["../x"], f'{{"pid": {container.pid}}}', "is not the name of a namespace"),
                                      (["db"], f'{{"pid": {container.pid}}}', "declares the namespace 'db' with 'attach'")):
            done = self.run_hook(*arguments, text=text, expect=64 if ".." in arguments[:1] or "../x" in arguments else 1)
            self.assertIn(said, done.stderr)
        d.calm()
        d.stop()

    def test_lxc(self):
        d = self.daemon(self.spec(SPEC)).ready()
        container = Container(self)
        self.run_hook("web", "name", "lxc", "start-host", LXC_PID=str(container.pid))
        self.complete(container)
        d.stop()

    def test_stuck_daemon(self):
        """A container starts although the daemon does not answer."""
        d = self.daemon(self.spec(SPEC)).ready()
        container = Container(self)
        os.kill(d.pid, signal.SIGSTOP)
        done = self.run_hook("web", text=json.dumps({"pid": container.pid}))
        self.assertIn("does not answer", done.stderr)
        self.assertTrue(os.path.exists("/run/topod/.attach/web"))
        os.kill(d.pid, signal.SIGCONT)
        self.wait_until(lambda: self.status()["waiting"] == 0, "the namespace", d)
        self.complete(container)
        self.assertFalse(os.path.exists("/run/topod/.attach"))
        d.stop()

    def test_many_and_a_stuck_daemon(self):
        """Also when the daemon's queue of connections is full: then only the notes tell the next daemon."""
        lab.sysctl_set(HOST, "net.core.somaxconn", 1)
        path = self.spec(SPEC)
        d = self.daemon(path).ready()
        container = Container(self)
        os.kill(d.pid, signal.SIGSTOP)
        calls = [subprocess.Popen([self.hook, "web"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(6)]
        for call in calls:
            said = call.communicate(json.dumps({"pid": container.pid}), timeout=lab.DEADLINE)[1]
            self.assertIn("does not answer", said)
            self.assertEqual(0, call.returncode)
        d.kill()
        d = self.daemon(path).ready()
        self.complete(container)
        d.stop()

    def test_cni(self):
        """A namespace that is mounted somewhere, and ends when that is gone."""
        d = self.daemon(self.spec(SPEC)).ready()
        config = json.dumps({"cniVersion": "1.0.0", "name": "lab", "type": "oci-hook", "namespace": "web"})
        answer = json.loads(self.run_hook(text='{"cniVersion": "0.4.0"}', CNI_COMMAND="VERSION").stdout)
        self.assertEqual("0.4.0", answer["cniVersion"])
        self.assertIn("1.0.0", answer["supportedVersions"])
        for _ in range(2):
            container = Container(self)
            path = f"{self.directory}/cni-1"
            with open(path, "w"):
                pass
            lab.run("mount", "--bind", f"/proc/{container.pid}/ns/net", path)
            env = {"CNI_NETNS": path, "CNI_CONTAINERID": "1", "CNI_IFNAME": "eth0"}
            answer = json.loads(self.run_hook(text=config, CNI_COMMAND="ADD", **env).stdout)
            mac = json.loads(container.ip("-j link show eth0").stdout)[0]["address"]
            self.assertEqual({"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "mac": mac, "sandbox": path}],
                              "ips": [{"address": "10.0.0.11/24", "interface": 0}]}, answer)
            self.complete(container)
            self.check_cni(json.loads(config), answer, env, container)
            self.run_hook(text=config, CNI_COMMAND="DEL", CNI_NETNS="/proc/self/ns/net")  # another container's end, late
            self.assertEqual(path, name_of("web"))
            self.run_hook(text=config, CNI_COMMAND="DEL", **env)
            self.run_hook(text=config, CNI_COMMAND="DEL", **env)
            self.waits(d)
            lab.run("umount", path)
            os.unlink(path)
            container.end()
        bad = self.run_hook(text=config.replace("web", "nobody"), expect=1, CNI_COMMAND="ADD", CNI_NETNS="/proc/self/ns/net")
        self.assertEqual(11, json.loads(bad.stdout)["code"])
        d.calm()
        d.stop()

    def check_cni(self, config, result, env, container):
        """CHECK compares with the result of ADD; versions and former results are kept."""
        check = json.dumps({**config, "prevResult": result})
        self.assertEqual("", self.run_hook(text=check, CNI_COMMAND="CHECK", **env).stdout)
        missing = json.dumps({**config, "prevResult": {**result, "ips": [{"address": "10.9.0.2/24", "interface": 0}]}})
        bad = json.loads(self.run_hook(text=missing, expect=1, CNI_COMMAND="CHECK", **env).stdout)
        self.assertEqual((100, "10.9.0.2/24 is missing in 'web'"), (bad["code"], bad["msg"]))
        bad = self.run_hook(text=check, expect=1, CNI_COMMAND="CHECK", **{**env, "CNI_NETNS": "/proc/self/ns/net"})
        self.assertEqual("it is not attached as 'web'", json.loads(bad.stdout)["msg"])
        bad = json.loads(self.run_hook(text=json.dumps({**config, "cniVersion": "9.0.0"}), expect=1, CNI_COMMAND="ADD", **env).stdout)
        self.assertEqual(1, bad["code"])
        self.assertEqual(4, json.loads(self.run_hook(text=json.dumps(config), expect=1, CNI_COMMAND="ADD").stdout)["code"])
        # After another plugin, and by an older version.
        container.ip("link add made-before type dummy" if lab.kernel_has("dummy") else "link add made-before type ifb")
        before = {"cniVersion": "0.4.0", "interfaces": [{"name": "cni0"}, {"name": "made-before", "sandbox": env["CNI_NETNS"]}],
                  "ips": [{"version": "4", "address": "10.9.0.2/24", "interface": 1}], "dns": {}}
        answer = json.loads(self.run_hook(text=json.dumps({**config, "cniVersion": "0.4.0", "prevResult": before}),
                                          CNI_COMMAND="ADD", **env).stdout)
        self.assertEqual(before["interfaces"] + result["interfaces"], answer["interfaces"])
        self.assertEqual(before["ips"] + [{"version": "4", "address": "10.0.0.11/24", "interface": 2}], answer["ips"])

    def test_cni_without_del(self):
        d = self.daemon(self.spec(SPEC)).ready()
        container = Container(self)
        path = f"{self.directory}/cni-1"
        with open(path, "w"):
            pass
        lab.run("mount", "--bind", f"/proc/{container.pid}/ns/net", path)
        self.run_hook(text='{"cniVersion": "0.4.0"}', CNI_COMMAND="ADD", CNI_NETNS=path, CNI_ARGS="K8S=1;TOPOD_NAMESPACE=web")
        self.complete(container)
        with d.expects("gone: web: namespace is gone"):
            lab.run("umount", path)
            os.unlink(path)
        self.waits(d)
        d.stop()


class Group(Attach):
    """A control group as the owner: what ExecStartPre= of a unit does."""

    def setUp(self):
        super().setUp()
        lab.run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
        self.addCleanup(lab.run, "umount", "-l", "/sys/fs/cgroup")
        # The tree is the machine's: groups that an interrupted test left have no processes any more.
        for name in os.listdir("/sys/fs/cgroup"):
            if name.startswith("topod-lab-"):
                with contextlib.suppress(OSError):
                    os.rmdir(f"/sys/fs/cgroup/{name}")
        self.group = tempfile.mkdtemp(prefix="topod-lab-", dir="/sys/fs/cgroup")
        self.addCleanup(self.remove_group)

    def remove_group(self):
        def removed():
            with contextlib.suppress(OSError):
                os.rmdir(self.group)
            return not os.path.exists(self.group)
        with open(f"{self.group}/cgroup.kill", "w") as f:
            f.write("1")
        self.wait_until(removed, "the end of the control group")

    def test_unit(self):
        """The caller ends before the service begins; meanwhile only its manager holds the namespace."""
        d = self.daemon(self.spec(SPEC)).ready()
        for _ in range(5):
            with open("/proc/thread-self/ns/net") as home:
                lab.libc_call("unshare", lab.CLONE_NEWNET)
                manager = open("/proc/thread-self/ns/net")
                lab.libc_call("setns", home.fileno(), lab.CLONE_NEWNET)
            with manager:
                enter = ["sh", "-c", f"echo $$ > {self.group}/cgroup.procs; exec \"$@\"", "-",
                         "nsenter", f"--net=/proc/{os.getpid()}/fd/{manager.fileno()}"]
                done = lab.run(*enter, os.environ["TOPOD"], "attach", "web")
                self.assertEqual("web: attached\n", done.stdout)
                service = subprocess.Popen([*enter, "cat"], stdin=subprocess.PIPE)
                self.addCleanup(service.kill)
                self.wait_until(lambda: name_of("web") == f"/proc/{service.pid}/ns/net", "the service", d)
            self.assertIn("10.0.0.11/24", lab.ip("web", "addr show eth0").stdout)
            with d.expects("gone: web: namespace is gone"):
                service.kill()
                service.communicate()
            self.waits(d)
        d.calm()
        d.stop()

    def test_unit_in_the_host(self):
        """The process of a Quadlet's unit is the container's monitor, and not in the container."""
        d = self.daemon(self.spec(SPEC)).ready()
        done = lab.run("sh", "-c", f"echo $$ > {self.group}/cgroup.procs; exec \"$@\"", "-", os.environ["TOPOD"], "attach", "web",
                       check=False)
        self.assertEqual(1, done.returncode)
        for text in ("the host's own namespace", "PrivateNetwork=yes", "NetworkNamespacePath=/run/netns/web"):
            self.assertIn(text, done.stderr)
        self.assertLess(0, self.status()["waiting"])
        d.calm()
        d.stop()

    def test_starts_that_end_at_once(self):
        """A unit that fails and is started over and over: each call has its whole network, and nothing of it is left."""
        d = self.daemon(self.spec(SPEC)).ready()
        before = len(os.listdir(f"/proc/{d.pid}/fd"))
        look = "topod=$1; shift; \"$topod\" attach web >/dev/null && ip -o addr show eth0 && ip route"
        for _ in range(20):
            done = lab.run("unshare", "-n", "sh", "-c", f"echo $$ > {self.group}/cgroup.procs; {look}", "-", os.environ["TOPOD"])
            self.assertIn("10.0.0.11/24", done.stdout)
            self.assertIn("default via 10.0.0.1", done.stdout)
        self.waits(d)
        self.wait_until(lambda: len(os.listdir(f"/proc/{d.pid}/fd")) <= before, "the descriptors", d)
        d.calm()
        d.stop()


if __name__ == "__main__":
    lab.main()
