# SPDX-License-Identifier: GPL-2.0-or-later
"""Attempts to trick topod with names, with directories that others can write to, with planted files; and what a
running daemon may still do."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import unittest

import killpoint
import lab
from lab import HOST, Case

SOMEBODY = 12345

WEB = """\
namespaces:
  host: {interfaces: {c1: {addresses: [10.0.0.1/24]}}}
  web:
    dns: {servers: [10.0.0.1]}
    interfaces: {eth0: {addresses: [10.0.0.2/24]}}
    sysctl: {net.ipv4.ip_default_ttl: 99}
links: [[web:eth0, host:c1]]
"""


class Names(Case):
    def test_names_are_only_names(self):
        """Names are not interpreted by a shell or as a format, and cannot lead out of their directory."""
        namespaces = ["%s%n%n%s%x", "$(touch${IFS}made)", "`touch${IFS}made`", ";reboot", "'\"\\", "a|b&c>d", "*", "~"]
        links = ["$(x)", ";x", "`x`", "'\"\\", "|x&", "*", "~"]
        text = "namespaces:\n"
        for n in namespaces:
            entries = "".join(f"      {json.dumps(l)}: {{kind: bridge, mtu: 1400}}\n" for l in links)
            text += f"  {json.dumps(n)}:\n    dns: {{servers: [10.0.0.1]}}\n    interfaces:\n{entries}"
        before, path = lab.snapshot(), self.spec(text)
        self.topod("check", path)
        self.topod("apply", path)
        self.assertEqual(sorted(namespaces), lab.namespaces())
        self.assertEqual(sorted(namespaces), sorted(os.listdir("/etc/netns")))
        d = self.daemon(path).ready()
        with d.expects("drift: %s%n%n%s%x/;x: bridge was removed; restored"):
            lab.ip("%s%n%n%s%x", "link del ;x")
        self.assertIn("%s%n%n%s%x/;x", self.topod("status", "office").stdout)
        d.stop()
        self.topod("down", path)
        self.same(before, lab.snapshot(), "down left a trace")

    def test_names_that_the_kernel_has(self):
        """Foreign links with hostile names: reported when they are removed, without other effects. The kernel itself refuses
        '%' in the name of a link."""
        names = ["$(reboot)", ";x", "`x`", "a\x1b[2Jb", "\udcff\udcfe", "'\"\\"]
        path = self.spec("namespaces: {web: {exclusive: true}}\n")
        self.topod("apply", path)
        for name in names:
            lab.ip("web", "link add", name, "type bridge")
        done = self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        for name in names:
            if name.isascii() and name.isprintable():
                self.assertIn(f" - {name}: bridge", done.stdout)
        d = self.daemon(path).ready()
        self.assertEqual(["lo"], [l["ifname"] for l in lab.ip_json("web", "link show")])
        with d.expects(r"drift: web/;x: bridge was added; restored"):
            lab.ip("web", "link add ;x type bridge")
        self.assertFalse(any("\x1b" in l for l in d.lines), d.lines)
        d.stop()

    def test_names_in_what_is_told(self):
        """If such a name is in the way, the supervisor and streams get valid text without control characters."""
        name = "\udcff\x1b[2J"
        d = self.daemon(self.spec("namespaces: {web: {exclusive: true}}\n")).ready()
        with subprocess.Popen([os.environ["TOPOD"], "watch", "--json", "office"], stdout=subprocess.PIPE) as watch:
            self.assertEqual("state", json.loads(watch.stdout.readline())["type"])
            while not d.find("backed off"):
                with d.expects("bridge was added"):
                    lab.ip("web", "link add", name, "type bridge")
            degraded = d.wait(lambda: next((n for n in d.notices if n.get("STATUS", "").startswith("Degraded")), None), "it")
            self.assertEqual("Degraded: 1 fought over (web/??[2J: bridge)", degraded["STATUS"])
            told = []
            while not told or told[-1]["type"] != "state":
                told.append(json.loads(watch.stdout.readline()))
            self.assertEqual(degraded["STATUS"], told[-1]["text"])
            self.assertEqual({"web/??[2J"}, {t["scope"] for t in told[:-1]})
            watch.terminate()
        d.stop()

    def test_names_of_topologies(self):
        """`..` is the directory above: topod does not connect to a socket there."""
        os.makedirs("/run/topod", exist_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("/run/socket")
            self.addCleanup(os.unlink, "/run/socket")
            listener.listen()
            listener.setblocking(False)
            for name in ("..", "../..", "."):
                for verb in ("status", "reload"):
                    self.topod(verb, name, expect=(lab.EXIT_FAILED, lab.EXIT_NOT_RUNNING, lab.EXIT_USAGE))
                self.topod("down", "--topology", name, expect=lab.EXIT_USAGE)
            self.assertRaises(BlockingIOError, listener.accept)

    def test_a_ledger_that_was_written_by_hand(self):
        """No line of the ledger can name something outside topod's directories."""
        victim = self.spec("precious", "victim")
        self.topod("apply", self.spec(WEB))
        with open("/run/topod/office/ledger", "a") as f:
            for where in ("../lab/" + victim.split("/lab/")[1], "../../" + victim):
                f.write(f"+ made netns\t{where}\t{where} namespace\n+ made dns\t{where}\tfile x\n")
        done = self.topod("down", "--topology", "office")
        self.assertIn("4 lines of the ledger could not be read", done.stderr)
        self.assertTrue(os.path.exists(victim))


class Directories(Case):
    """Directories of another user, writable by others, or symbolic links: refused with a message, and not used."""

    def refused(self, directory, *, words, expect=lab.EXIT_FAILED):
        path = self.spec(WEB)
        for verb in ("apply", "run"):
            done = self.topod(verb, path, expect=expect)
            self.assertRegex(done.stderr, words)
        self.assertEqual([], lab.namespaces())

    def premade(self, directory, victim):
        """The ways in which a directory can be unsafe, each with a function that makes it so."""
        def another_user():
            os.makedirs(directory, mode=0o755)
            os.chown(directory, SOMEBODY, SOMEBODY)

        def writable():
            os.makedirs(directory)
            os.chmod(directory, 0o777)

        def sticky():
            os.makedirs(directory)
            os.chmod(directory, 0o1777)

        def group():
            os.makedirs(directory)
            os.chmod(directory, 0o775)

        def link():
            os.makedirs(os.path.dirname(directory), exist_ok=True)
            os.symlink(victim, directory)
        for make in (another_user, writable, sticky, group, link):
            with self.subTest(make.__name__):
                try:
                    make()
                    yield make
                finally:
                    if os.path.islink(directory):
                        os.unlink(directory)
                    else:
                        shutil.rmtree(directory, ignore_errors=True)
                self.assertEqual([], os.listdir(victim))

    def victim(self):
        directory = os.path.join(self.directory, "victim")
        os.mkdir(directory)
        return directory

    def test_run_netns(self):
        for _ in self.premade("/run/netns", self.victim()):
            self.refused("/run/netns", words=r"/run/netns (belongs to another user, or others may write to it|is not a directory)")
            self.assertFalse(os.path.ismount("/run/netns"))

    def test_a_lock_that_is_held(self):
        """Everybody who can read /run/netns can lock it."""
        os.makedirs("/run/netns")
        fd = os.open("/run/netns", os.O_RDONLY)
        self.addCleanup(os.close, fd)
        fcntl.flock(fd, fcntl.LOCK_EX)
        self.daemon(self.spec(WEB)).ready().stop()
        self.assertEqual(["web"], lab.namespaces())

    def test_run_topod(self):
        for directory in ("/run/topod", "/run/topod/office"):
            for _ in self.premade(directory, self.victim() if directory == "/run/topod" else self.directory + "/victim"):
                self.refused(directory, words=r"/run/topod/office (belongs to another user, or others may write to it|is not a "
                                           r"directory)")

    def test_files_in_run_topod(self):
        """A ledger or lock that is a link, a pipe, somebody else's, or writable by all is neither read nor written."""
        victim, path = self.spec("precious", "victim"), self.spec(WEB)

        def made(name, mode, owner=0):
            os.close(os.open(name, os.O_CREAT | os.O_EXCL, 0o600))
            os.chmod(name, mode)
            os.chown(name, owner, owner)
        premade = {"link": lambda p: os.symlink(victim, p), "pipe": os.mkfifo, "directory": os.mkdir,
                   "somebody's": lambda p: made(p, 0o600, SOMEBODY), "open": lambda p: made(p, 0o666)}
        for file in ("ledger", "lock"):
            for what, make in premade.items():
                with self.subTest(f"{file}: {what}"):
                    os.makedirs("/run/topod/office")
                    make("/run/topod/office/" + file)
                    for verb in ("apply", "run", "down"):
                        done = self.topod(verb, path, expect=lab.EXIT_FAILED)
                        self.assertRegex(done.stderr, r"^(topod: )?(cannot open )?/run/topod/office")
                    self.assertEqual([], lab.namespaces())
                    with open(victim) as f:
                        self.assertEqual("precious", f.read())
                shutil.rmtree("/run/topod")
        os.makedirs("/run/topod/office")
        os.symlink(victim, "/run/topod/office/socket")  # not our file, but our name: it is removed
        self.daemon(path).ready().stop()
        with open(victim) as f:
            self.assertEqual("precious", f.read())

    @unittest.skipUnless(killpoint.available(), "system call numbers of this architecture are not known to the test")
    def test_a_namespace_that_comes_between(self):
        """Somebody creates a namespace of that name after topod's scan; or the directory becomes writable by all."""
        path, said = self.spec(WEB), self.directory + "/said"

        def disturbed(disturb):
            seen = []

            def somebody(call):
                if not seen and call == "unshare":
                    seen.append(disturb())
            _, status = killpoint.run_until([os.environ["TOPOD"], "apply", path], None, hook=somebody, errors=said)
            self.assertEqual(([None], lab.EXIT_FAILED), (seen, status))
            with open(said) as f:
                return f.read()
        self.assertRegex(disturbed(lambda: lab.run("ip", "netns", "add", "web") and None),
                         "web: namespace .*(File exists|not topod's)")
        foreign = lab.namespace_id("web")
        self.topod("down", path)
        self.assertEqual(foreign, lab.namespace_id("web"))
        lab.run("ip", "netns", "delete", "web")
        self.assertRegex(disturbed(lambda: os.chmod("/run/netns", 0o777)),
                         "web: namespace .*/run/netns belongs to another user, or others may write to it")
        self.assertEqual([], os.listdir("/run/netns"))
        os.chmod("/run/netns", 0o755)

    def test_etc_netns(self):
        """Only the file cannot be written; the rest is done, and so is the file once the directory is safe."""
        path, victim = self.spec(WEB), self.victim()
        for directory in ("/etc/netns", "/etc/netns/web"):
            for _ in self.premade(directory, victim):
                done = self.topod("apply", path, expect=lab.EXIT_FAILED)
                self.assertRegex(done.stderr, r"web: file /etc/netns/web/resolv\.conf.*(its directory or /etc/netns "
                                              r"(belongs to another user|is a symbolic link))")
                self.assertIn("10.0.0.2/24", lab.addresses("web", "eth0"))
            self.topod("apply", path)
            self.topod("down", path)

    def test_while_it_runs(self):
        path = self.spec(WEB)
        d = self.daemon(path).ready()
        os.chmod("/run/netns", 0o777)
        self.spec(lab.edit(WEB, ("  web:\n", "  new: {}\n  web:\n")))
        with d.expects(r"failing: new: namespace.*: /run/netns belongs to another user, or others may write to it"):
            d.reload()  # wait for its end: a removal during its scan would be reported differently
        with d.expects("drift: web/eth0: address 10.0.0.2/24 was removed; restored"):
            lab.ip("web", "addr del 10.0.0.2/24 dev eth0")
        with d.expects("recovered: new: namespace"):
            os.chmod("/run/netns", 0o755)
        self.assertEqual(["new", "web"], lab.namespaces())
        d.stop()

    def take_away_again_and_again(self):
        """Also right after it was created, before it is watched."""
        for _ in range(2000):
            shutil.rmtree("/run/topod", ignore_errors=True)

    def listens(self):
        """Waits for an answer, which comes after earlier events were handled."""
        deadline = time.monotonic() + lab.DEADLINE
        silent = (lab.EXIT_FAILED, lab.EXIT_NOT_RUNNING)
        while self.topod("status", "office", expect=(*lab.ANSWERED, *silent)).returncode in silent:
            self.assertLess(time.monotonic(), deadline, "nobody listens any more")

    def test_taken_away_while_it_runs(self):
        """The lock, the ledger, the socket, the directory, all of /run/topod: restored, so that a crash leaves nothing behind and
        no other topod starts."""
        before, path = lab.snapshot(), self.spec(WEB)
        d = self.daemon(path).ready()
        mine = "/run/topod/office"
        for take_away in (lambda: shutil.rmtree("/run/topod", ignore_errors=True), lambda: os.unlink(f"{mine}/lock"),
                          lambda: os.unlink(f"{mine}/ledger"), lambda: os.rename(mine, self.directory + "/away")):
            with d.expects("drift: office: /run/topod/office was removed; restored"):
                take_away()
            self.listens()
            self.assertIn(f"pid {d.pid}", self.topod("apply", path, expect=lab.EXIT_FAILED).stderr)
        for take_away in (lambda: os.unlink(f"{mine}/socket"), self.take_away_again_and_again):
            take_away()
            self.listens()
        self.assertIn(f"pid {d.pid}", self.topod("apply", path, expect=lab.EXIT_FAILED).stderr)
        self.spec(WEB.replace("  web:\n", "  late: {}\n  web:\n"))
        self.topod("reload", "office")
        d.kill()
        self.topod("down", path)
        self.same(before, lab.snapshot(), "down left a trace")

    def test_somebody_else_came_first(self):
        """Two topods never manage one topology: the one that lost its lock ends, and removes nothing of the other."""
        path = self.spec("namespaces: {}\n")
        for everything in (True, False):
            d = self.daemon(path).ready()
            d.process.send_signal(signal.SIGSTOP)
            for name in os.listdir("/run/topod/office"):
                os.unlink(f"/run/topod/office/{name}")
            if everything:
                shutil.rmtree("/run/topod")
            other = self.daemon(path).ready()
            names = {n: os.stat(f"/run/topod/office/{n}").st_ino for n in ("lock", "socket")}
            d.process.send_signal(signal.SIGCONT)
            self.assertEqual(lab.EXIT_FAILED, d.wait_end())
            self.assertTrue(d.find("/run/topod/office was removed, and another topod now manages the topology"), d.lines)
            self.topod("status", "office")
            self.assertIn(f"pid {other.pid}", self.topod("apply", path, expect=lab.EXIT_FAILED).stderr)
            self.assertEqual(names, {n: os.stat(f"/run/topod/office/{n}").st_ino for n in names})
            other.stop()

    def test_premade_names(self):
        """Something else under a namespace's name is not used, and stays."""
        self.topod("apply", self.spec("namespaces: {}\n"))
        os.makedirs("/run/netns", exist_ok=True)
        victim = self.spec("precious", "victim")
        premade = {"file": lambda p: open(p, "w").close(), "link": lambda p: os.symlink(victim, p),
                   "planted": lambda p: os.symlink("/proc/self/ns/net", p), "fifo": os.mkfifo}
        for name, make in premade.items():
            make(f"/run/netns/{name}")
        path = self.spec("namespaces: {" + ", ".join(f"{n}: {{}}" for n in premade) + "}\n", "premade.yaml")
        self.topod("apply", path, expect=lab.EXIT_FAILED)
        with open(victim) as f:
            self.assertEqual("precious", f.read())
        self.topod("down", path)
        self.assertEqual(sorted(premade), sorted(os.listdir("/run/netns")))


    FOREIGN = "nameserver 192.0.2.53\n"

    def foreign(self):
        with open("/etc/netns/web/resolv.conf", "x") as f:
            f.write(self.FOREIGN)

    def foreign_is_left(self, *words):
        for w in words:
            self.assertIn("file /etc/netns/web/resolv.conf", w)
            self.assertIn("not topod's", w)
        with open("/etc/netns/web/resolv.conf") as f:
            self.assertEqual(self.FOREIGN, f.read())
        self.assertEqual(["resolv.conf"], os.listdir("/etc/netns/web"))

    @unittest.skipUnless(killpoint.available(), "system call numbers of this architecture are not known to the test")
    def test_a_file_that_comes_between(self):
        """Somebody creates a resolv.conf after topod's scan, right before topod's own gets the name."""
        path, said, seen = self.spec(WEB), self.directory + "/said", []

        def somebody(_call):
            if not seen and os.path.exists("/etc/netns/web/.resolv.conf.topod"):
                seen.append(self.foreign())
        _, status = killpoint.run_until([os.environ["TOPOD"], "apply", path], None, hook=somebody, errors=said)
        self.assertTrue(seen, "the file was never written")
        self.assertEqual(lab.EXIT_FAILED, status)
        with open(said) as f:
            self.foreign_is_left(f.read())
        self.foreign_is_left(self.topod("apply", path, expect=lab.EXIT_FAILED).stderr)
        d = self.daemon(path)
        d.wait_line("failing: web: file .* exists and is not topod's")
        with d.expects("recovered: web: file"):
            os.unlink("/etc/netns/web/resolv.conf")
        self.topod("plan", path)
        d.stop()
        self.topod("down", path)
        self.assertFalse(os.path.exists("/etc/netns/web"))

    def test_what_is_no_file(self):
        """A symbolic link, which is common, or anything else with that name is neither followed nor replaced."""
        path, name, victim = self.spec(WEB), "/etc/netns/web/resolv.conf", self.spec("precious", "victim")
        os.makedirs(os.path.dirname(name))
        with socket.socket(socket.AF_UNIX) as s:
            for make, remove in ((lambda: os.symlink(victim, name), os.unlink), (lambda: os.mkfifo(name), os.unlink),
                                 (lambda: os.mkdir(name), os.rmdir), (lambda: s.bind(name), os.unlink)):
                make()
                kind = os.lstat(name).st_mode
                with self.subTest(oct(kind)):
                    done = self.topod("apply", path, expect=lab.EXIT_FAILED)
                    self.assertIn("file /etc/netns/web/resolv.conf exists and is not topod's", done.stderr)
                    self.topod("down", path)
                    self.assertEqual(kind, os.lstat(name).st_mode)
                    with open(victim) as f:
                        self.assertEqual("precious", f.read())
                remove(name)


class Strangers(Case):
    def test_an_alternative_name(self):
        """Valid, although no interface has such a name."""
        lab.run("ip", "netns", "add", "web")
        lab.ip("web", "link add foo type bridge")
        lab.ip("web", "link property add dev foo altname eth0")
        for text in ("namespaces: {web: {adopt: true, interfaces: {eth0: {kind: bridge}}}}\n",
                     "namespaces: {web: {adopt: true}}\nlinks: [[web:eth0, host:c1]]\n"):
            path = self.spec(text)
            done = self.topod("apply", path, expect=lab.EXIT_FAILED)
            self.assertIn("cannot be made: an interface there has that name as an alternative name", done.stderr)
            self.topod("down", path)
        self.assertEqual(["foo", "lo"], sorted(l["ifname"] for l in lab.ip_json("web", "link show")))

    def test_a_route_of_the_kernels_own(self):
        """The table `local` is ignored unless something in it is declared; declaring what exists there changes nothing."""
        route = "{to: 127.0.0.1/32, dev: lo, type: local, table: local}"
        path = self.spec(f"namespaces: {{web: {{routes: [{route}]}}}}\n")
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertIn("proto kernel", lab.ip("web", "route show table local 127.0.0.1/32").stdout)
        lab.ip("web", "route del local 127.0.0.1 dev lo table local")
        self.assertIn("+ route 127.0.0.1/32 dev lo table local", self.topod("plan", path, expect=2).stdout)
        self.topod("apply", path)
        self.assertIn("127.0.0.1", lab.ip("web", "route show table local 127.0.0.1/32").stdout)


class Files(Case):
    def test_writable_by_others(self):
        path = self.spec(WEB)
        os.mkdir(self.directory + "/office.d")
        dropin = self.spec("namespaces: {db: {}}\n", "office.d/db.yaml")
        for what, good, bad in ((path, 0o644, 0o666), (dropin, 0o644, 0o646), (os.path.dirname(dropin), 0o755, 0o777),
                                (self.directory, 0o755, 0o777)):
            os.chmod(what, bad)
            for verb in ("apply", "run", "down"):
                done = self.topod(verb, path, expect=lab.EXIT_SPEC)
                self.assertIn("others may write to", done.stderr)
            self.topod("check", path)
            os.chmod(what, good)
        os.chmod(path, 0o666)
        self.topod("apply", "--insecure-permissions", path)
        self.topod("down", "--insecure-permissions", path)

    def test_writable_by_others_at_a_reload(self):
        path = self.spec(WEB)
        d = self.daemon(path).ready()
        self.spec(WEB.replace("10.0.0.2/24", "10.0.0.3/24"))
        os.chmod(path, 0o666)
        done = self.topod("reload", path, expect=lab.EXIT_SPEC)
        self.assertIn("others may write to", done.stderr)
        self.assertEqual(["10.0.0.2/24"], [a for a in lab.addresses("web", "eth0") if "." in a])
        os.chmod(path, 0o644)
        self.topod("reload", path)
        self.assertEqual(["10.0.0.3/24"], [a for a in lab.addresses("web", "eth0") if "." in a])
        d.stop()

    def test_a_folder_above_that_is_open(self):
        os.makedirs(self.directory + "/open/deep")
        path = self.spec(WEB, "open/deep/office.yaml")
        os.chmod(self.directory + "/open", 0o777)
        done = self.topod("apply", path, expect=lab.EXIT_SPEC)
        self.assertRegex(done.stderr, "others may write to .*/open, which leads to this file")

    def test_link_into_a_folder_of_others(self):
        os.mkdir(self.directory + "/open")
        real = self.spec(WEB, "open/real.yaml")
        os.chmod(self.directory + "/open", 0o777)
        os.symlink(real, self.directory + "/office.yaml")
        done = self.topod("apply", self.directory + "/office.yaml", expect=lab.EXIT_SPEC)
        self.assertRegex(done.stderr, "others may write to .*/open, which leads to this file")


CAPABILITIES = {"net_admin": 12, "sys_admin": 21, "net_broadcast": 11, "dac_read_search": 2, "net_bind_service": 10, "dac_override": 1, "sys_ptrace": 19}


class Privilege(Case):
    MORE = """\
  late:
    dns: {servers: [10.0.0.1]}
    sysctl: {net.ipv4.ip_default_ttl: 77}
    nat: [{action: masquerade, out: eth0}]
    interfaces:
      eth0: {addresses: [10.0.0.3/24]}
      br0: {kind: bridge, ports: [nic0]}
      nic0: {kind: physical, source: nic0}
    routes: [{to: default, via: 10.0.0.1}]
"""
    LINK = "  - [late:eth0, host:c2]\n"

    def status(self, d):
        with open(f"/proc/{d.process.pid}/status") as f:
            return dict(l.rstrip("\n").split(":\t", 1) for l in f if ":\t" in l)

    def more(self):
        text = lab.edit(WEB, ("links: [[web:eth0, host:c1]]\n", self.MORE + "links:\n  - [web:eth0, host:c1]\n" + self.LINK))
        return text.replace("namespaces:\n", "on-stop: remove\nnamespaces:\n", 1)

    def test_what_stays_is_enough(self):
        """The remaining privileges are enough for everything that a daemon does later: new namespaces, files, settings, moved
        links, repairs, removal at its end; and the next one continues after a killed one."""
        lab.ip(HOST, "link add nic0 type veth peer name nic1")
        before = lab.snapshot()
        path = self.spec(WEB)
        d = self.daemon(path).ready()
        status = self.status(d)
        kept = sum(1 << CAPABILITIES[n] for n in ("net_admin", "net_bind_service", "sys_admin", "sys_ptrace", "dac_read_search"))
        whole = int(status["CapBnd"], 16)
        self.assertEqual((kept & whole, kept & whole, 0, 0, "1"),
                         (int(status["CapEff"], 16), int(status["CapPrm"], 16), int(status["CapInh"], 16),
                          int(status["CapAmb"], 16), status["NoNewPrivs"]))
        self.spec(self.more())
        d.reload()
        self.topod("plan", path)
        self.assertTrue(os.path.exists("/etc/netns/late/resolv.conf"))
        with d.expects("drift: (late/eth0|host/c2): link .*was removed; restored"):
            lab.ip("late", "link del eth0")
        with d.expects("drift: web: namespace was left without its name; restored"):
            lab.run("ip", "netns", "delete", "web")
        with d.expects("drift: late: nftables table was removed; restored"):
            lab.nft("late", "flush ruleset")
        d.kill()
        d = self.daemon(path).ready()
        with d.expects("drift: (late/eth0|host/c2): link .*was removed; restored"):
            lab.ip("late", "link del eth0")
        d.stop()
        self.same(before, lab.snapshot(), "something was left")

    def test_a_file_in_a_folder_of_somebody(self):
        """`sudo topod run` with a file that only its owner and root can read: reloading works too."""
        home = os.path.join(self.directory, "home")
        os.mkdir(home)
        path = self.spec(WEB, "home/office.yaml")
        for p in (path, home):
            os.chown(p, SOMEBODY, SOMEBODY)
            os.chmod(p, 0o700 if p == home else 0o600)
        d = self.daemon(path).ready()
        with open(path, "a") as f:
            f.write("  # the same\n")
        self.topod("reload", "office")
        d.stop()

    def test_every_one_is_needed(self):
        """Without any one of the capabilities a daemon cannot do its work: none is superfluous."""
        if not shutil.which("setpriv"):
            self.skipTest("setpriv is not installed")
        path = self.spec(WEB)
        for name in ("net_admin", "sys_admin"):
            done = subprocess.run(["setpriv", f"--bounding-set=-{name}", "--inh-caps=-all", os.environ["TOPOD"], "apply",
                                   path], capture_output=True, text=True, timeout=2 * lab.DEADLINE)
            self.assertEqual(lab.EXIT_FAILED, done.returncode, name + done.stdout + done.stderr)
            self.assertIn("not permitted", done.stderr)
        few = ",".join("+" + n for n in ("net_admin", "sys_admin", "net_broadcast"))
        done = subprocess.run(["setpriv", f"--bounding-set=-all,{few}", "--inh-caps=-all", os.environ["TOPOD"], "apply", path],
                              capture_output=True, text=True, timeout=2 * lab.DEADLINE)
        self.assertEqual(0, done.returncode, done.stderr)


if __name__ == "__main__":
    lab.main()
