# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces that something else makes, and may make again (`attach`): until they come, and by a call."""

import os
import signal
import socket
import subprocess

import killpoint
import lab
from container import SPEC, Attach, Container, container_with_pid, name_of
from lab import HOST


class Absent(Attach):
    def test_waits(self):
        """An absent namespace is neither a failure nor a difference; everything else is made."""
        path = self.spec(SPEC)
        done = self.topod("apply", path)
        self.assertIn("; 1 interface waits for a namespace, 1 namespace waits to be attached", done.stdout)
        self.assertNotIn("web", lab.namespaces())
        self.assertTrue(lab.link("db", "eth0") and lab.link(HOST, "c2"))
        self.assertIsNone(lab.link(HOST, "c1"))
        self.assertIn("nothing to do\n1 namespace waits to be attached, 1 interface waits for a namespace", self.topod("plan", path).stdout)
        d = self.daemon(path).ready()
        d.wait_line("converged: .*1 namespace waits to be attached")
        status = self.status()
        self.assertEqual(("converged", 0, 0, 0), tuple(status[k] for k in ("state", "failing", "drifts", "retries")))
        self.assertIn(("web", "namespace", "to be attached"), [(w["scope"], w["noun"], w["error"]) for w in status["waits"]])
        self.assertIn("web namespace to be attached", self.topod("status", "office").stdout)
        self.assertRegex(self.topod("show", "web").stdout, r"web +namespace +waiting +waiting: namespace: to be attached")
        with d.expects("drift: db/eth0: address 10.0.0.12/24 was removed; restored"):
            lab.ip("db", "addr del 10.0.0.12/24 dev eth0")
        d.stop()
        self.topod("down", path)
        self.assertEqual([], lab.namespaces())

    def test_what_stands_on_it(self):
        """Objects on the other end wait too, anywhere in the file; a file outside the namespace does not."""
        path = self.spec("""\
topology: office
namespaces:
  a: {interfaces: {mv0: {kind: macvlan, link: "b:e0", addresses: [10.1.0.1/24]}}}
  b: {}
  web: {attach: {}, dns: {servers: [10.0.0.1]}}
links: [[b:e0, web:e0]]
""")
        self.topod("apply", path)
        self.assertTrue(os.path.exists("/etc/netns/web/resolv.conf"))
        self.topod("plan", path)
        d = self.daemon(path).ready()
        container = Container(self)
        self.topod("attach", "web", "--pid", container.pid)
        self.wait_until(lambda: "10.1.0.1/24" in lab.addresses("a", "mv0"), "the macvlan on the other end", d)
        container.end()
        self.wait_until(lambda: self.status()["waiting"] > 0 and lab.link("a", "mv0") is None, "another wait", d)
        d.calm()
        d.stop()
        self.topod("down", path)

    def test_required(self):
        path = self.spec(lab.edit(SPEC, ("    attach: {}\n", "    attach: {}\n    wait: required\n")))
        d = self.daemon(path)
        d.wait(lambda: any("1 namespace waits to be attached" in n.get("STATUS", "") for n in d.notices), "the wait")
        self.assertEqual("converging", self.status()["state"])
        self.assertFalse(any("READY" in n for n in d.notices))
        with d.expects("drift: db/eth0: address 10.0.0.12/24 was removed; restored"):
            lab.ip("db", "addr del 10.0.0.12/24 dev eth0")
        self.spec(SPEC)
        self.topod("reload", "office")
        d.ready()
        d.stop()

    def test_somebody_elses_name(self):
        """A name that is taken is refused as for other namespaces; objects that wait for it wait."""
        path = self.spec(SPEC)
        lab.ip(HOST, "netns add web")
        done = self.topod("apply", path, expect=1)
        self.assertIn("cannot be attached: its name in /run/netns is a network namespace that was not attached", done.stderr)
        self.assertIsNone(lab.link("web", "eth0"))
        lab.ip(HOST, "netns delete web")
        os.symlink("/proc/self/ns/nowhere", "/run/netns/web")
        self.assertIn("is a dangling symbolic link", self.topod("apply", path, expect=1).stderr)
        os.unlink("/run/netns/web")
        self.topod("apply", path)

    def test_mistakes(self):
        for text, wanted in (
                ("{attach: {}, adopt: true}", "'adopt' and 'attach' exclude each other"),
                ("{attach: {pidfile: /run/a.pid, path: /run/b}}", "'pidfile' and 'path' exclude each other"),
                ("{attach: {path: run/b}}", "must be an absolute path, such as /run/run/b"),
                ("{attach: {unit: svc}}", "such as svc.service"),
                ("{attach: }", "an empty one is written {}"),
                ("{attach: {pidfle: /run/a.pid}}", "did you mean 'pidfile'"),
                ("{wait: required}", "'wait' is only for a namespace with 'attach'"),
                ("{attach: {}, wait: yes}", "required")):
            done = self.topod("check", self.spec(f"namespaces: {{web: {text}}}\n"), expect=lab.EXIT_SPEC)
            self.assertIn(wanted, done.stderr + done.stdout, text)
        done = self.topod("check", self.spec("namespaces: {host: {attach: {}}}\n"), expect=lab.EXIT_SPEC)
        self.assertIn("the host is the namespace that topod runs in", done.stderr + done.stdout)


class WithoutIpv6(Attach):
    """A namespace in which its maker disabled IPv6, as Docker does. What needs IPv6 there enables it on its interface."""

    BEFORE = "sysctl -qw net.ipv6.conf.all.disable_ipv6=1"

    def attach(self, text):
        d = self.daemon(self.spec(text)).ready()
        container = Container(self, self.BEFORE)
        self.topod("attach", "web", "--pid", container.pid)
        self.wait_until(lambda: self.status()["waiting"] == 0, "the namespace", d)
        return d, container

    def test_addresses(self):
        d, container = self.attach(lab.edit(SPEC, ("[10.0.0.11/24]", '[10.0.0.11/24, {address: "fd00:1::11/64", nodad: true}]')))
        self.assertTrue(container.has("fd00:1::11/64", "addr show eth0"))
        d.calm()
        with d.expects("drift: web/eth0: address fd00:1::11/64 was removed; restored"):
            lab.sysctl_set("web", "net.ipv6.conf.eth0.disable_ipv6", 1)
        self.assertTrue(container.has("fd00:1::11/64", "addr show eth0"))
        d.stop()

    def test_nothing_needs_it(self):
        d, _ = self.attach(SPEC)
        self.assertEqual("1", lab.sysctl_get("web", "net.ipv6.conf.eth0.disable_ipv6"))
        d.calm()
        d.stop()


class Called(Attach):
    def attach(self, container, ns="web", expect=0):
        return self.topod("attach", ns, "--pid", container.pid, expect=expect)

    def test_comes_and_goes(self):
        d = self.daemon(self.spec(SPEC)).ready()
        macs = set()
        for _ in range(3):
            container = Container(self)
            with d.expects("arrived: web: namespace has come"):
                self.assertEqual("web: attached\n", self.attach(container).stdout)
            self.complete(container)
            macs.add(container.ip("-o link show eth0").stdout.split("link/ether ")[1].split()[0])
            self.assertEqual(f"/proc/{container.pid}/ns/net", name_of("web"))
            self.assertIn("10.0.0.11/24", lab.ip("web", "addr show eth0").stdout)
            self.assertEqual(0, self.status()["waiting"])
            with d.expects("gone: web: namespace is gone; its contents and objects that need it wait until it is attached again"):
                container.end()
            self.waits(d)
        self.assertEqual(1, len(macs))
        d.calm()
        d.stop()

    def test_restarts_without_a_pause(self):
        """Each one has its whole network when the call returns, whether or not topod saw the former one go."""
        d = self.daemon(self.spec(SPEC)).ready()
        former = None
        for _ in range(20):
            container = Container(self)
            if former:
                former.end()
            self.assertEqual("web: attached\n", self.attach(container).stdout)
            self.complete(container)
            former = container
        d.calm()
        d.stop()

    def test_only_what_topod_made(self):
        """Undeclared objects of the runtime are not repaired; topod's are."""
        path = self.spec(SPEC)
        d = self.daemon(path).ready()
        container = Container(self, "ip link set lo up; ip link add r0 type veth peer name r1; ip addr add 10.7.0.1/24 dev r0")
        self.attach(container)
        container.ip("link del r0")
        with d.expects("drift: web/eth0: address 10.0.0.11/24 was removed; restored"):
            container.ip("addr del 10.0.0.11/24 dev eth0")
        container.ip("link add r2 type veth peer name r3")
        self.assertIn("nothing to do", self.topod("plan", path).stdout)
        self.spec(lab.edit(SPEC, ("  web:\n    attach: {}\n", "  web:\n    attach: {}\n    drift: restore\n")))
        self.topod("reload", "office")
        self.complete(container)
        # It leaves the file: topod's objects in it go, the name too, and the rest stays.
        self.spec("topology: office\nnamespaces: {}\n")
        self.topod("reload", "office")
        self.assertTrue(container.has("r2", "link"))
        self.assertFalse(container.has("eth0", "link") or container.has("10.4.4.4", "addr"))
        self.assertEqual("64", lab.run("nsenter", "-n", "-t", str(container.pid), "cat",
                                       "/proc/sys/net/ipv4/ip_default_ttl").stdout.strip())
        self.assertFalse(os.path.lexists("/run/netns/web"))
        d.stop()
        self.assertFalse(os.path.exists("/run/topod"))

    def test_down(self):
        path = self.spec(SPEC)
        d = self.daemon(path).ready()
        container = Container(self)
        self.attach(container)
        d.stop()
        self.complete(container)
        self.assertIn("nothing to do", self.topod("plan", path).stdout)
        self.topod("down", path)
        self.assertFalse(container.has("eth0", "link"))
        self.assertFalse(os.path.lexists("/run/netns/web"))
        self.assertFalse(os.path.exists("/run/topod"))

    def test_daemon_is_killed(self):
        """The next one finds living namespaces as they were, and removes the names of those that have ended."""
        path = self.spec(SPEC)
        container = Container(self)
        d = self.daemon(path).ready()
        self.attach(container)
        index = container.ip("-o link show eth0").stdout.split(":")[0]
        d.kill()
        d = self.daemon(path).ready()
        self.assertEqual(index, container.ip("-o link show eth0").stdout.split(":")[0])
        self.assertEqual(0, self.status()["waiting"])
        with d.expects("gone: web: namespace is gone"):
            container.end()
        container = Container(self)
        self.attach(container)
        d.kill()
        container.end()
        self.assertTrue(os.path.lexists("/run/netns/web"))
        d = self.daemon(path).ready()
        self.assertFalse(os.path.lexists("/run/netns/web"))
        self.assertLess(0, self.status()["waiting"])
        d.calm()
        d.stop()

    def test_made_by_topod_from_now_on(self):
        """The file declares something else under the name: the container keeps its namespace, without topod's links."""
        path = self.spec(SPEC)
        d = self.daemon(path).ready()
        container = Container(self)
        self.attach(container)
        self.spec(SPEC.replace("    attach: {}\n", ""))
        self.topod("reload", "office")
        self.assertIn("10.0.0.11/24", lab.ip("web", "addr show eth0").stdout)
        self.assertFalse(os.path.islink("/run/netns/web"))
        self.assertFalse(container.has("eth0", "link"))
        self.spec(SPEC)
        self.topod("reload", "office", expect=1)  # that one is not topod's to replace
        d.stop()
        self.topod("down", path)
        self.assertEqual([], lab.namespaces())

    def test_number_that_was_used_again(self):
        """A link to /proc/PID/ns/net of a process that ended leads to a later process with that number, which is
        not attached."""
        path = self.spec(SPEC)
        d = self.daemon(path).ready()
        first = Container(self)
        self.attach(first)
        d.kill()
        first.end()
        second = container_with_pid(self, first.pid)
        self.assertEqual(0, lab.run("ip", "-n", "web", "link", "show", "lo").returncode)  # the name leads there
        d = self.daemon(path).ready()
        self.waits(d)
        self.assertFalse(second.has("eth0", "link"))
        d.calm()
        d.stop()

    def test_refused(self):
        path = self.spec(lab.edit(SPEC, ("  db:\n", "  other: {attach: {}}\n  db:\n")))
        d = self.daemon(path).ready()
        container = Container(self)
        self.assertIn("this is the host's own namespace", self.topod("attach", "web", "--pid", os.getpid(), expect=1).stderr)
        self.attach(container)
        self.assertIn("this namespace is already 'web' in the file", self.attach(container, "other", expect=1).stderr)
        inside = subprocess.Popen(["ip", "netns", "exec", "db", "cat"], stdin=subprocess.PIPE)
        self.addCleanup(inside.communicate)
        self.wait_until(lambda: os.readlink(f"/proc/{inside.pid}/ns/net") != os.readlink("/proc/self/ns/net"), "the process", d)
        self.assertIn("already 'db'", self.topod("attach", "other", "--pid", inside.pid, expect=1).stderr)
        self.assertIn("declares the namespace 'db' with 'attach'", self.topod("attach", "db", "--pid", container.pid, expect=1).stderr)
        self.assertIn("there is no process", self.topod("attach", "web", "--pid", 4194000, expect=1).stderr)
        self.complete(container)
        self.assertEqual("web: detached\n", self.topod("detach", "web").stdout)
        self.waits(d)
        self.assertIn("nothing is attached as 'web'", self.topod("detach", "web", expect=1).stderr)
        d.calm()
        d.stop()

    def test_name_that_is_taken(self):
        d = self.daemon(self.spec(SPEC)).ready()
        container = Container(self)
        with open("/run/netns/web", "w") as f:
            f.write("notes")
        self.assertIn("its name in /run/netns is taken by something else", self.attach(container, expect=1).stderr)
        with open("/run/netns/web") as f:
            self.assertEqual("notes", f.read())
        os.unlink("/run/netns/web")
        self.attach(container)
        self.complete(container)
        # Somebody removes the name: it does not end the namespace.
        os.unlink("/run/netns/web")
        d.stop()

    def test_nothing_is_inherited(self):
        """A new namespace does not inherit failures from the former one."""
        spec = lab.edit(SPEC, ("    routes: [{to: default, via: 10.0.0.1}]\n",
                               "    routes: [{to: default, via: 10.0.0.1}, {to: 10.5.0.0/16, via: 10.99.0.1}]\n"))
        d = self.daemon(self.spec(spec)).ready()
        first = Container(self)
        self.attach(first)
        d.wait_line("failing: web: route 10.5.0.0/16")
        first.end()
        self.wait_until(lambda: self.status()["failing"] == 0, "the end of the failure", d)
        second = Container(self, "ip link set lo up; ip link add n0 type veth peer name n1; ip addr add 10.99.0.2/24 dev n0; "
                                 "ip link set n0 up; ip link set n1 up")
        self.assertEqual("web: attached\n", self.attach(second).stdout)
        self.assertTrue(second.has("10.5.0.0/16 via 10.99.0.1", "route"))
        d.stop()

    def test_ends_while_it_is_built(self):
        d = self.daemon(self.spec(SPEC)).ready()
        for _ in range(10):
            container = Container(self)
            call = subprocess.Popen([os.environ["TOPOD"], "attach", "web", "--pid", str(container.pid)],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            container.end()
            call.wait()
            self.wait_until(lambda: not os.path.lexists("/run/netns/web"), "the end of its name", d)
        container = Container(self)
        self.attach(container)
        self.complete(container)
        d.calm()
        d.stop()

    def test_interface_of_the_machine(self):
        """When the namespace ends, the kernel gives it back under the name that it had inside, or another one. That is no drift,
        however often it happens, and the next namespace has it. (Here an end of a pair is moved; ../vm/test_returning.py has
        the kernel do it.)"""
        lab.veth(HOST, "nic0", HOST, "far0")
        mac = lab.link(HOST, "nic0")["address"]
        path = self.spec(lab.edit(SPEC, ("    interfaces: {eth0: {addresses: [10.0.0.11/24]}, ",
                                         "    interfaces: {eth0: {addresses: [10.0.0.11/24]}, "
                                         "eth1: {kind: physical, source: nic0, addresses: [10.8.0.1/24]}, ")))
        d = self.daemon(path).ready()
        for number in range(8):
            container = Container(self)
            self.assertEqual("web: attached\n", self.attach(container).stdout)
            self.complete(container)
            self.assertTrue(container.has("10.8.0.1/24", "addr show eth1"))
            self.assertTrue(container.has(mac, "link show eth1"))
            name = ("eth1", f"dev{number}", "nic0")[number % 3]
            os.kill(d.pid, signal.SIGSTOP)
            container.ip(f"link set eth1 netns {os.getpid()} name {name}")
            container.end()
            os.kill(d.pid, signal.SIGCONT)
            self.wait_until(lambda: lab.link(HOST, "nic0") and lab.link(HOST, "nic0")["address"] == mac, "its return", d)
            self.waits(d)
        d.calm()
        d.stop()
        self.topod("down", path)
        self.assertEqual(mac, lab.link(HOST, "nic0")["address"])

    def test_note(self):
        """Without a daemon the call returns at once, and the next daemon takes it up, if it is still valid."""
        path = self.spec(SPEC)
        gone, container = Container(self), Container(self)
        self.assertIn("the next one attaches it", self.attach(gone).stdout)
        gone.end()
        d = self.daemon(path).ready()
        self.assertLess(0, self.status()["waiting"])
        d.stop()
        self.assertIn("the next one attaches it", self.attach(container).stdout)
        d = self.daemon(path).ready()
        self.complete(container)
        self.assertFalse(os.path.exists("/run/topod/.attach"))
        d.calm()
        d.stop()


class Killed(Attach):
    """topod dies at any moment while it attaches (see killpoint.py); a sample of them, or all with TOPOD_TEST_EVERY_MOMENT=1."""

    SAMPLE = 12

    def killed(self, path, pidfile, container, moment, after):
        """From the moment at which the pidfile is written. Returns the calls that were made."""
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        name, told = f"{self.directory}/notify", False

        def stage(_):
            nonlocal told
            try:
                said = notify.recv(65536).decode()
            except BlockingIOError:
                return told
            if told and "STATUS=Converged" in said and "wait" not in said:
                return None
            if "READY=1" in said:
                with open(pidfile, "w") as f:
                    f.write(str(container.pid))
                told = True
            return told
        with notify:
            notify.bind(name)
            try:
                return killpoint.run_until([os.environ["TOPOD"], "run", path], moment, after, stage=stage,
                                           environment={"NOTIFY_SOCKET": name})[0]
            finally:
                os.unlink(name)

    def test_at_any_moment(self):
        pidfile = f"{self.directory}/web.pid"
        path = self.spec(lab.edit(SPEC, ("attach: {}", f"attach: {{pidfile: {pidfile}}}")))
        container = Container(self)
        calls = self.killed(path, pidfile, container, None, False)
        self.assertIn("symlinkat", calls)
        self.complete(container)
        container.end()
        every = 1 if os.environ.get("TOPOD_TEST_EVERY_MOMENT") else max(1, len(calls) // self.SAMPLE)
        moments = sorted({*range(0, len(calls), every), calls.index("symlinkat")})
        for number, moment in enumerate(moments):
            with self.subTest(moment=moment, call=calls[moment]):
                self.topod("down", path)
                os.unlink(pidfile)
                container = Container(self)
                self.killed(path, pidfile, container, moment, number % 2)
                lives = number % 3 != 2
                if not lives:
                    container.end()
                d = self.daemon(path).ready()
                if lives:
                    self.wait_until(lambda: self.status()["waiting"] == 0, "the namespace", d)
                    self.complete(container)
                    container.end()
                self.waits(d)
                d.calm()
                d.stop()


class Many(Attach):
    N = 60  # more than the daemon has slots for clients

    def spec_of(self, n):
        return self.spec(f"""\
topology: office
namespaces:
  host: {{interfaces: {{br0: {{kind: bridge, ports: ["c[1-{n}]"], addresses: [10.0.255.254/16]}}}}}}
  "w[1-{n}]": {{attach: {{}}, interfaces: {{eth0: {{addresses: ["10.0.{{n/250}}.{{n%250+1}}/16"]}}}}}}
links: [["w[1-{n}]:eth0", "host:c[1-{n}]"]]
""")

    def whole_scans(self, n):
        """How many namespaces are scanned as a whole when one of n comes."""
        path = self.spec_of(n)
        d = self.daemon(path).ready()
        container, before = Container(self), self.status()["looks"]
        self.assertEqual("w2: attached\n", self.topod("attach", "w2", "--pid", container.pid).stdout)
        self.wait_until(lambda: self.status()["state"] == "converged", "convergence", d)
        scans = self.status()["looks"] - before
        d.stop()
        self.topod("down", path)
        return scans

    def test_one_of_many(self):
        """Those that are still awaited are not looked at: else the start of n containers would be n times the work."""
        self.assertLess(self.whole_scans(20), self.whole_scans(4) + 4)

    def test_start_together(self):
        """All are attached, none is refused or left without its network."""
        path = self.spec_of(self.N)
        d = self.daemon(path).ready()
        before = len(os.listdir(f"/proc/{d.pid}/fd"))
        for _ in range(2):
            containers = [Container(self) for _ in range(self.N)]
            calls = [subprocess.Popen([os.environ["TOPOD"], "attach", f"w{n}", "--pid", str(c.pid)], text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for n, c in enumerate(containers, 1)]
            for call in calls:
                said = call.communicate()[0]  # on a slow machine not every one is served in time
                self.assertEqual(0, call.returncode, said)
            self.wait_until(lambda: self.status()["waiting"] == 0, "all of them", d)
            self.wait_until(lambda: self.status()["state"] == "converged", "convergence", d)
            for n, container in enumerate(containers, 1):
                self.assertTrue(container.has(f"10.0.{n // 250}.{n % 250 + 1}/16", "addr show eth0"))
            for container in containers:
                container.end()
            self.wait_until(lambda: lab.namespaces() == [], "the end of all names", d)
            self.wait_until(lambda: self.status()["state"] == "converged", "convergence", d)
            self.wait_until(lambda: len(os.listdir(f"/proc/{d.pid}/fd")) <= before, "the descriptors", d)
        d.calm()
        d.stop()


if __name__ == "__main__":
    lab.main()
