# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket of a running daemon: Varlink, rights, and hostile clients."""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess

import lab
from lab import HOST, OFFICE, Case, edit

SOCKET = "/run/topod/office/socket"
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "daemon", "control")
GROUP, OTHER_GROUP, USER = 4711, 4712, 4713


@contextlib.contextmanager
def as_user(uid, gid, *groups):
    """What is opened or connected inside belongs to another user."""
    former = os.getgroups()
    os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(former)


class Client:
    def __init__(self, path=SOCKET):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(lab.DEADLINE)
        self.rest = b""
        try:
            self.socket.connect(path)
        except BaseException:
            self.socket.close()
            raise

    def send(self, method, parameters=None, **flags):
        if "." not in method:
            method = "org.topod." + method
        self.socket.sendall(json.dumps({"method": method, "parameters": parameters or {}, **flags}).encode() + b"\0")

    def next(self):
        """The next reply; None if the connection ended."""
        while b"\0" not in self.rest:
            part = self.socket.recv(65536)
            if not part:
                return None
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def call(self, method, parameters=None, **flags):
        self.send(method, parameters, **flags)
        return self.next()

    def error(self, method, parameters=None, **flags):
        reply = self.call(method, parameters, **flags)
        return reply.get("error"), reply["parameters"]

    def event(self):
        reply = self.next()
        return reply["parameters"]["event"] if reply else None

    def until(self, **wanted):
        """Waits for the first matching event; checks each one for the fields that all events have."""
        while True:
            event = self.event()
            assert event, f"the stream ended without {wanted}"
            assert event["when_usec"] > 0 and event["text"], event
            if all(event.get(k) == v for k, v in wanted.items()):
                return event

    def watch(self):
        self.send("Watch", more=True)
        assert self.event()["type"] == "state"
        return self

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def add_group(*members):
    """A group 'topod', in the test's own /etc."""
    with open("/etc/group") as f:
        former = f.read()
    if os.path.islink("/etc/group"):
        os.unlink("/etc/group")
    lines = [l for l in former.splitlines() if not l.startswith("topod:")]
    with open("/etc/group", "w") as f:
        f.write("\n".join([*lines, f"topod:x:{GROUP}:{','.join(members)}"]) + "\n")


def remove_group():
    with open("/etc/group") as f:
        lines = [l for l in f.read().splitlines() if not l.startswith("topod:")]
    if os.path.islink("/etc/group"):
        os.unlink("/etc/group")
    with open("/etc/group", "w") as f:
        f.write("\n".join(lines) + "\n")


class Control(Case):
    def setUp(self):
        super().setUp()
        remove_group()

    def running(self, text=OFFICE):
        return self.daemon(self.spec(text)).ready()

    def repairs(self, d):
        """Makes a drift that is repaired: the daemon still works."""
        with d.expects(r"^drift: web/eth0: .*10\.0\.0\.11/24 was removed; (restored|backed off)"):
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
        self.assertIn("10.0.0.11/24", lab.addresses("web", "eth0"))


class Varlink(Control):
    def test_introspection(self):
        d = self.running()
        with Client() as c:
            info = c.call("org.varlink.service.GetInfo")["parameters"]
            self.assertEqual(["org.varlink.service", "org.topod"], info["interfaces"])
            self.assertEqual({"vendor", "product", "version", "url", "interfaces"}, set(info))
            for name in info["interfaces"]:
                reply = c.call("org.varlink.service.GetInterfaceDescription", {"interface": name})
                with open(f"{SOURCE}/{name}.varlink") as f:
                    self.assertEqual(f.read(), reply["parameters"]["description"])
            self.assertEqual(("org.varlink.service.InterfaceNotFound", {"interface": "org.nothing"}),
                             c.error("org.varlink.service.GetInterfaceDescription", {"interface": "org.nothing"}))
            self.assertEqual(("org.varlink.service.MethodNotFound", {"method": "org.topod.Nothing"}), c.error("Nothing"))
            self.assertEqual(("org.varlink.service.InvalidParameter", {"parameter": "all"}), c.error("Status", {"all": 1}))
            for wrong in (0, -1, 86401, "10", 1.5):
                self.assertEqual(("org.varlink.service.InvalidParameter", {"parameter": "seconds"}),
                                 c.error("Pause", {"seconds": wrong}))
            self.assertEqual(("org.varlink.service.ExpectedMore", {}), c.error("Watch"))
            c.send("Pause", oneway=True)
            self.assertGreater(c.call("Status")["parameters"]["status"]["paused_until_usec"], 0)
        d.stop()

    def test_every_answer_is_as_described(self):
        """Each member of Status and of the events is in the interface description, and no required one is missing."""
        with open(f"{SOURCE}/org.topod.varlink") as f:
            text = "\n".join(l.partition("#")[0] for l in f.read().splitlines())

        def members(name):
            body = text.split(f"type {name} (", 1)[1].split("\n)\n")[0]
            found, depth = {}, 0
            for line in body.splitlines():
                if depth == 0 and ":" in line:
                    key, _, kind = line.partition(":")
                    found[key.strip()] = kind.strip().startswith("?")
                depth += line.count("(") - line.count(")")
            return found

        def check(name, value):
            described = members(name)
            self.assertEqual(set(), set(value) - set(described))
            self.assertEqual(set(), {k for k, optional in described.items() if not optional} - set(value))

        d = self.running(edit(OFFICE, ("      - {to: 10.66.0.0/16, type: blackhole}\n",
                                       "      - {to: 10.66.0.0/16, type: blackhole}\n"),
                              ("  db:\n", "  db:\n    drift: report\n")))
        with Client() as c, Client() as w:
            w.watch()
            lab.ip("db", "route del 10.88.0.0/16")
            check("Event", w.until(type="drift", action="reported"))
            check("Event", w.until(type="state"))
            self.repairs(d)
            restored = w.until(type="drift", action="restored")
            check("Event", restored)
            self.assertEqual(("web", "web/eth0", "address 10.0.0.11/24", "missing"),
                             tuple(restored[k] for k in ("namespace", "scope", "noun", "drift")))
            self.assertGreater(restored["latency_usec"], 0)
            status = c.call("Status")["parameters"]["status"]
            check("State", status)
            for t in status["troubles"]:
                check("Trouble", t)
            for t in status["latest"]:
                check("Drift", t)
            self.assertTrue(status["troubles"] and status["latest"])
        d.stop()


class Rights(Control):
    def test_without_the_group(self):
        d = self.running()
        st = os.stat(SOCKET)
        self.assertEqual((0o600, 0), (stat.S_IMODE(st.st_mode), st.st_uid))
        with as_user(USER, OTHER_GROUP), self.assertRaises(PermissionError):
            Client()
        d.stop()

    def test_members_read(self):
        add_group("somebody")
        d = self.running()
        st = os.stat(SOCKET)
        self.assertEqual((0o660, 0, GROUP), (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid))
        for who in ((USER, OTHER_GROUP, GROUP), (USER, GROUP), (USER, OTHER_GROUP, *range(5000, 5100), GROUP)):
            with as_user(*who):
                c, w = Client(), Client()
            with c, w:
                self.assertEqual("converged", c.call("Status")["parameters"]["status"]["state"])
                self.assertIn("org.topod", c.call("org.varlink.service.GetInfo")["parameters"]["interfaces"])
                w.watch()
                for method in ("Reload", "Pause", "Resume"):
                    self.assertEqual(("org.varlink.service.PermissionDenied", {}), c.error(method))
                self.repairs(d)
                w.until(type="drift")
        self.assertIsNone(d.find("^paused"))
        with as_user(USER, OTHER_GROUP), self.assertRaises(PermissionError):
            Client()
        with as_user(USER, GROUP, GROUP):
            self.assertTrue(os.listdir("/run/topod/office"))
            for name in ("ledger", "lock"):
                with self.assertRaises(PermissionError):
                    open(f"/run/topod/office/{name}")
            with self.assertRaises(PermissionError):
                os.unlink(SOCKET)
        d.stop()

    def test_plan(self):
        """A member of the group learns what a reload would change, which does not disturb the running daemon."""
        add_group()
        path = self.spec(OFFICE)
        d = self.daemon(path).ready()
        tool = f"{self.directory}/topod"
        shutil.copy(os.environ["TOPOD"], tool)  # where everybody can run it
        os.chmod(self.directory, 0o755)

        def plan(*args, groups=(GROUP,)):
            done = subprocess.run([tool, "plan", *args], user=USER, group=OTHER_GROUP, extra_groups=groups, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=2 * lab.DEADLINE)
            self.assertNotIn("Sanitizer", done.stderr)
            return done

        self.assertEqual(("nothing to do\n", lab.EXIT_DONE), (lambda p: (p.stdout, p.returncode))(plan("office")))
        edited = self.spec(OFFICE.replace("namespaces:\n", "namespaces:\n  extra: {}\n"))
        self.assertEqual(path, edited)
        for args in (("office",), (edited,)):
            self.assertEqual(lab.EXIT_DIFFERENCES, plan(*args).returncode)
            # As root sees it.
            for more in ((), ("--explain",)):
                self.assertEqual(self.topod("plan", edited, *more, expect=lab.EXIT_DIFFERENCES).stdout,
                                 plan(*args, *more).stdout)
        self.assertIn("= web/eth0: address 10.0.0.11/24 is as declared, and topod made it\n", plan(edited, "--explain").stdout)
        answer = json.loads(plan("office", "--json").stdout)
        self.assertEqual(json.loads(self.topod("plan", edited, "--json", expect=lab.EXIT_DIFFERENCES).stdout), answer)
        self.assertNotIn("extra", lab.namespaces())
        self.repairs(d)  # it still enforces the old file
        with open(edited, "w") as f:
            f.write("bad: x\n")
        refused = plan("office")
        self.assertEqual(lab.EXIT_SPEC, refused.returncode)
        self.assertIn("unknown key 'bad'", refused.stderr)
        self.assertNotEqual(lab.EXIT_DONE, plan("office", groups=()).returncode)
        d.stop()

    def test_without_the_privilege_to_give_it_away(self):
        """As in the hardened service: only a member of the group can give it the socket; otherwise the socket
        stays root's."""
        add_group()
        path = self.spec(OFFICE)
        for groups, mode, group in (("--clear-groups", 0o600, 0), (f"--groups={GROUP}", 0o660, GROUP)):
            d = self.daemon(path, prefix=("setpriv", groups, "--bounding-set=-chown", "--inh-caps=-chown")).ready()
            st = os.stat(SOCKET)
            self.assertEqual((mode, group), (stat.S_IMODE(st.st_mode), st.st_gid))
            self.assertEqual(mode == 0o600, bool(d.find("^cannot give the control socket to the group 'topod'")))
            self.topod("status", "office")
            d.stop()

    def test_whoever_came_in_otherwise_learns_nothing(self):
        """The mode of the file is one barrier, the caller's identity another."""
        add_group()
        d = self.running()
        os.chmod(SOCKET, 0o666)
        with as_user(USER, OTHER_GROUP, OTHER_GROUP):
            c = Client()
        with c:
            for method in ("Status", "Watch", "Reload", "Nothing", "org.varlink.service.GetInfo"):
                self.assertEqual(("org.varlink.service.PermissionDenied", {}), c.error(method, more=True))
        d.stop()

    def test_verbs(self):
        add_group()
        d = self.running()
        tool = f"{self.directory}/topod"
        shutil.copy(os.environ["TOPOD"], tool)  # where everybody can run it
        os.chmod(self.directory, 0o755)

        def verb(groups, *args):
            done = subprocess.run([tool, *args], user=USER, group=OTHER_GROUP, extra_groups=groups, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=2 * lab.DEADLINE)
            self.assertIsNone(lab.SANITIZER.search(done.stderr), done.stderr)
            return done.returncode, done.stdout, done.stderr
        code, out, _ = verb([GROUP], "status")
        self.assertEqual((0, True), (code, "converged" in out))
        for args in (["pause"], ["resume", "office"], ["reload"]):
            code, out, err = verb([GROUP], *args)
            self.assertEqual((lab.EXIT_FAILED, ""), (code, out))
            self.assertRegex(err, "^topod: permission denied: .*root")
        for args in (["status"], ["status", "office"], ["watch"], ["pause", "office"], ["reload"]):
            code, out, err = verb([], *args)
            self.assertEqual(lab.EXIT_FAILED, code)
            self.assertRegex(err, "(?m)^topod: permission denied: .*member of the group 'topod'")
        d.stop()


class Watch(Control):
    def test_events_in_order(self):
        path = self.spec(OFFICE)
        d = self.daemon(path).ready()
        with Client() as w:
            w.watch()
            self.topod("pause", "office", "--for", "1h")
            self.assertIn("1 h", w.until(type="paused")["text"])
            lab.ip("web", "link set eth0 mtu 1300")
            self.assertEqual("changed", w.until(type="drift", action="held")["drift"])
            self.assertIn("Degraded", w.until(type="state")["text"])
            self.topod("resume")
            w.until(type="resumed")
            w.until(type="drift", action="restored")
            self.assertIn("Converged", w.until(type="state")["text"])
            self.spec(edit(OFFICE, ("mtu: 1400", "mtu: 1399")))
            d.reload()
            self.assertEqual(1, w.until(type="converged")["changes"])
            w.until(type="reloaded")
            self.spec("nonsense: 1\n")
            d.reload()
            self.assertIn("nonsense", w.until(type="refused")["text"])
            d.stop()
            self.assertIn("stays as it is", w.until(type="stopping")["text"])
            self.assertIsNone(w.next())

    def test_verb(self):
        d = self.running()

        def watch(*args):
            p = subprocess.Popen([os.environ["TOPOD"], "watch", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
            self.addCleanup(lambda: (p.kill(), p.wait(), p.stdout.close(), p.stderr.close()))
            return p

        plain, as_json, interrupted = watch("office"), watch("office", "--json"), watch()
        self.assertRegex(plain.stdout.readline(), r"^\d\d:\d\d:\d\d\.\d{3}  Converged: 39 objects")
        self.assertEqual("state", json.loads(as_json.stdout.readline())["type"])
        interrupted.stdout.readline()
        self.repairs(d)
        self.assertRegex(plain.stdout.readline(), r"  drift: web/eth0: address 10\.0\.0\.11/24 was removed; restored in ")
        self.assertEqual("restored", json.loads(as_json.stdout.readline())["action"])
        interrupted.send_signal(signal.SIGINT)
        self.assertEqual(("", 0), (interrupted.communicate(timeout=lab.DEADLINE)[1], interrupted.returncode))
        d.stop()
        out, err = plain.communicate(timeout=lab.DEADLINE)
        self.assertRegex(out, r"  stopping; the network stays as it is\n$")
        self.assertEqual(("", 0), (err, plain.returncode))
        out, err = as_json.communicate(timeout=lab.DEADLINE)
        self.assertEqual(("stopping", "", 0), (json.loads(out.splitlines()[-1])["type"], err, as_json.returncode))
        self.assertIn("no topod is running", self.topod("watch", expect=lab.EXIT_FAILED).stderr)
        self.topod("watch", "--for", "1s", expect=lab.EXIT_USAGE)

    def test_verb_of_a_daemon_that_dies(self):
        d = self.running()
        p = subprocess.Popen([os.environ["TOPOD"], "watch"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (p.kill(), p.wait()))
        p.stdout.readline()
        d.kill()
        _, err = p.communicate(timeout=lab.DEADLINE)
        self.assertEqual(lab.EXIT_FAILED, p.returncode)
        self.assertIn("ended", err)

    def test_progress_and_a_reader_that_stalls(self):
        """Events that a stalled reader misses are counted in its stream; nobody else waits for it."""
        many = [f"10.{100 + i // 250}.{i % 250}.1/32" for i in range(4000)]
        text = edit(OFFICE, ("      side: {addresses: [10.8.0.1/24]}\n",
                             f"      side: {{addresses: [10.8.0.1/24, {', '.join(many)}]}}\n"))
        d = self.running(text)
        with Client() as stalled, Client() as reader:
            stalled.watch()
            reader.watch()
            lab.ip("lone", "addr flush dev side")
            self.wait_until(lambda: len(lab.addresses("lone", "side")) > 4000, "4001 addresses", d)
            status = json.loads(self.topod("status", "office", "--json").stdout)["topologies"][0]
            self.assertGreaterEqual(status["drifts"], 4001)
            self.topod("pause", "office")
            counts = {}
            for name, client in (("stalled", stalled), ("reader", reader)):
                drifts = lost = 0
                while (event := client.event())["type"] != "paused":
                    drifts += event["type"] == "drift"
                    lost += event.get("count", 0)
                    if event["type"] == "lost" and lost + drifts >= status["drifts"]:
                        break
                counts[name] = drifts, lost
            self.assertGreater(counts["stalled"][1], 0)
            self.assertGreaterEqual(sum(counts["stalled"]), 4001)
        d.stop()


class Hostile(Control):
    def test_gone_in_the_middle_of_a_reload(self):
        d = self.running()
        self.spec(edit(OFFICE, ("mtu: 1400", "mtu: 1399")))
        with d.expects("^converged: 1 change"):
            with Client() as c:
                c.send("Reload")
        self.assertEqual(1399, lab.link("web", "eth0")["mtu"])
        with Client() as c:
            c.socket.sendall(b'{"method":"org.topod.Rel')
        self.repairs(d)
        d.stop()

    def test_half_closed(self):
        d = self.running()
        with Client() as c, Client() as w:
            c.send("Status")
            c.send("Reload")
            c.socket.shutdown(socket.SHUT_WR)
            self.assertIn("status", c.next()["parameters"])
            self.assertIn("status", c.next()["parameters"])
            self.assertIsNone(c.next())
            w.send("Watch", more=True)
            w.socket.shutdown(socket.SHUT_WR)
            w.until(type="state")
            self.repairs(d)
            w.until(type="drift")
        d.stop()

    def test_flood(self):
        """Clients that only send, clients that send garbage, and too many clients: drift is still repaired, and a well-behaved
        client gets an answer."""
        add_group()
        d = self.running()
        with contextlib.ExitStack() as stack:
            call = json.dumps({"method": "org.topod.Status"}).encode() + b"\0"
            with as_user(USER, GROUP):
                flooders = [stack.enter_context(Client()) for _ in range(20)]
                for f in flooders:
                    f.socket.setblocking(False)
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            f.socket.send(call * 100)
                for garbage in (b"\0", b"[" * 100000, b"\xff" * 70000, b"{}\0", b'{"method":"x"', b"GET / HTTP/1.1\r\n\r\n"):
                    g = stack.enter_context(Client())
                    g.socket.setblocking(False)
                    with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                        g.socket.sendall(garbage)
            self.repairs(d)
            self.topod("status", "office")
            with as_user(USER, GROUP):
                for _ in range(1000):
                    c = Client()
                    c.socket.setblocking(False)
                    with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                        c.send("Watch", more=True)
                    stack.callback(c.close)
            with d.expects("^drift: db/eth0"):
                lab.ip("db", "addr del 10.0.0.12/24 dev eth0")
            self.topod("status", "office")
            self.assertLess(len(os.listdir(f"/proc/{d.pid}/fd")), 100)
        self.topod("reload", "office")
        d.stop()


if __name__ == "__main__":
    lab.main()
