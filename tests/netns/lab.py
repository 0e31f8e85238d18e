# SPDX-License-Identifier: GPL-2.0-or-later
"""
A laboratory for topod on the real kernel.

A test file ends with `lab.main()`, which starts the file again in new mount, network and process namespaces: /run,
/etc/netns and the network in which topod runs (the one it calls `host`) belong to the test alone. So several files
can run at once, and even if a test is killed by kill -9, its namespaces end with its last process and nothing
stays on the machine.

Nothing here waits by sleeping. Tests wait for a line of the daemon, for a message on its notify socket, or for an
event of the kernel, with a deadline that only a broken test reaches.
"""

import base64
import contextlib
import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest
import zlib

from daemon import DEADLINE, SANITIZER, Daemon

SKIPPED = 77  # ctest's SKIP_RETURN_CODE
RUN = "/run/lab"  # scratch space, inside the private /run

EXIT_DONE, EXIT_FAILED, EXIT_DIFFERENCES, EXIT_USAGE, EXIT_SPEC = 0, 1, 2, 64, 78
EXIT_NOT_RUNNING, EXIT_DEGRADED, EXIT_CONVERGING, EXIT_PAUSED = 3, 4, 5, 6  # of `status`
ANSWERED = (EXIT_DONE, EXIT_DEGRADED, EXIT_CONVERGING, EXIT_PAUSED)

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def libc_call(name, *args):
    result = getattr(libc, name)(*args)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


# ---------------------------------------------------------------------------------------------------------
# Into the laboratory

UNSHARE = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
           "--propagation", "private"]


def skip(why):
    print(f"SKIPPED: {why}", flush=True)
    sys.exit(SKIPPED)


def enter():
    """Starts this program again in new namespaces, unless it runs there already."""
    if os.environ.get("TOPOD_LAB") == "1":
        return
    if "TOPOD" not in os.environ:
        sys.exit("the environment variable TOPOD must name the topod binary to test")
    os.environ["TOPOD"] = os.path.abspath(os.environ["TOPOD"])
    for tool in ("unshare", "ip", "bridge", "nft", "ping", "mount"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    command = UNSHARE if os.geteuid() == 0 else UNSHARE[:1] + ["--map-root-user"] + UNSHARE[1:]
    if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL).returncode != 0:
        skip("the kernel gives no mount, network and process namespaces here (no root?)")
    os.environ["TOPOD_LAB"] = "1"
    os.execvp(command[0], [*command, sys.executable, "-B", *sys.argv])


def furnish():
    """Makes /run, /etc/netns and /sys private; once, right after enter()."""
    script = f"""
        set -e
        mount -n -t tmpfs -o mode=755 run /run
        mkdir -p {RUN}/etc
        mount -n --bind /etc {RUN}/etc
        mount -n -t tmpfs -o mode=755 etc /etc
        for entry in {RUN}/etc/* {RUN}/etc/.[!.]*; do
            [ -e "$entry" ] && [ "${{entry##*/}}" != netns ] && ln -s "$entry" /etc/ || :
        done
        # "ip netns exec" mounts a namespace's resolv.conf over this one.
        rm -f /etc/resolv.conf; : >/etc/resolv.conf
        mount -n -t sysfs sysfs /sys 2>/dev/null || :
    """
    subprocess.run(["sh", "-c", script], check=True)
    # Otherwise the first process of a namespace ignores these. No exception: unittest would take it for a failed test.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _frame: os._exit(128 + n))


def main(prepare=lambda: None):
    """Ends a test file: runs its tests. prepare: called inside the namespaces, before the first test."""
    enter()
    furnish()
    prepare()
    runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=2)
    program = unittest.main(module="__main__", testRunner=runner, exit=False)
    result = program.result
    print(f"applied on {kernel()}: {' '.join(sorted(applied))}")
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun == 0:
        sys.exit("no test ran")
    if result.skipped:  # one skipped case makes ctest show the whole file as skipped
        for case, why in result.skipped:
            print(f"SKIPPED: {case}: {why}")
        sys.exit(SKIPPED)


applied = set()  # the kinds, and the keys of a namespace, in the files that `topod apply` applied and verified


def note_applied(path):
    """See ../vm/table.py, which knows the words of the language among these."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    applied.update(re.findall(r"\bkind: *([a-z0-9_-]+)", text), re.findall(r"\b[a-z-]+:", text))
    applied.update(["veth"] if re.search("^links:", text, re.MULTILINE) else [])


def kernel():
    release = os.uname().release
    if not os.environ.get("TOPOD_VM"):
        return f"{release}, this machine's own"
    return f"{release}, {os.environ['TOPOD_VM']}"


# ---------------------------------------------------------------------------------------------------------
# Namespaces and their contents

HOST = None  # the test's own network namespace, under any name
ENTER = []   # prefix of each command, to run it in other mount and process namespaces than the test's own …
ROOT = ""    # … whose root the test sees at this path; the network is always the test's own (see ../systemd/machine.py)


def is_host(ns):
    return ns is HOST or ns == "host"


@contextlib.contextmanager
def inside(ns):
    """Moves the test itself into a namespace and back; sockets that it creates inside stay there."""
    if is_host(ns):
        yield
        return
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(f"{ROOT}/run/netns/{ns}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            libc_call("setns", there, CLONE_NEWNET)
        finally:
            os.close(there)
        try:
            yield
        finally:
            libc_call("setns", home, CLONE_NEWNET)
    finally:
        os.close(home)


def run(*args, check=True, **kwargs):
    """Runs a command; its output is kept, and shown if it fails."""
    done = subprocess.run([*ENTER, *(str(a) for a in args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace", **kwargs)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, args))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def ip(ns, *args, check=True):
    """Runs `ip -n NS …`; the words may be one string: ip("web", "addr del 10.0.0.1/24 dev eth0")."""
    words = [w for a in args for w in str(a).split()]
    return run("ip", *([] if is_host(ns) else ["-n", ns]), *words, check=check)


def bridge(ns, words, check=True):
    return run("bridge", *([] if is_host(ns) else ["-n", ns]), *words.split(), check=check)


def tc(ns, words, check=True):
    return run("tc", *([] if is_host(ns) else ["-n", ns]), *words.split(), check=check)


NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE, NLMSG_ERROR = 1, 4, 0x200, 0x400, 2  # linux/netlink.h


def attribute(number, data):
    """An attribute of a netlink message."""
    return struct.pack("=HH", 4 + len(data), number) + data + bytes(-len(data) % 4)


def rtnetlink(ns, message, flags, body):
    """Sends a request for which ip has no word; returns the error, or 0."""
    with inside(ns), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as s:
        s.bind((0, 0))
        s.send(struct.pack("=IHHII", 16 + len(body), message, NLM_F_REQUEST | NLM_F_ACK | flags, 1, 0) + body)
        _, kind, _, _, _, error = struct.unpack_from("=IHHIIi", s.recv(8192))
    assert kind == NLMSG_ERROR
    return -error


def nft(ns, *args, check=True):
    words = [w for a in args for w in str(a).split()]
    with inside(ns):
        return run("nft", *words, check=check)


def nft_counted(ns, words):
    """The packets that the nftables rule with these words has counted."""
    ruleset = nft(ns, "list ruleset").stdout
    found = [l for l in ruleset.splitlines() if words in l and "counter packets" in l]
    assert len(found) == 1, f"{words} in {ruleset}"
    return int(re.search(r"counter packets (\d+)", found[0])[1])


def nft_count(ns, words):
    """Adds a rule that counts the packets which arrive in the namespace; see nft_counted()."""
    nft(ns, "add table ip seen")
    nft(ns, "add chain ip seen c { type filter hook prerouting priority -300 ; }")
    nft(ns, f"add rule ip seen c {words} counter")


def ip_json(ns, words):
    return json.loads(ip(ns, "-j -d", words).stdout or "[]")


def bridge_json(ns, words):
    return json.loads(bridge(ns, "-j -d " + words).stdout or "[]")


def namespaces():
    """Names in /run/netns that are namespaces, or links to one."""
    try:
        names = sorted(os.listdir(f"{ROOT}/run/netns"))
    except FileNotFoundError:
        return []
    return [n for n in names if os.path.exists(f"{ROOT}/run/netns/{n}") and
            os.stat(f"{ROOT}/run/netns/{n}").st_dev != os.stat(f"{ROOT}/run/netns").st_dev]


def namespace_id(ns):
    return os.stat(f"{ROOT}/run/netns/{ns}").st_ino


def link(ns, name):
    """A link as `ip -j -d link` shows it, or None."""
    found = [l for l in ip_json(ns, "link show") if l["ifname"] == name]
    return found[0] if found else None


def addresses(ns, name):
    """The addresses of an interface, as prefixes; empty if it does not exist."""
    for l in ip_json(ns, "addr show"):
        if l["ifname"] == name:
            return sorted(f"{a['local']}/{a['prefixlen']}" for a in l["addr_info"] if "local" in a)
    return []


def routes(ns, family=4, table="main"):
    return ip_json(ns, f"-{family} route show table {table}")


def route(ns, to, family=4, table="main"):
    found = [r for r in routes(ns, family, table) if r["dst"] == to]
    return found[0] if found else None


def sysctl_path(key):
    return "/proc/sys/" + key.replace(".", "/")


def sysctl_get(ns, key):
    with inside(ns), open(sysctl_path(key)) as f:
        return f.read().strip()


def sysctl_set(ns, key, value):
    with inside(ns), open(sysctl_path(key), "w") as f:
        f.write(f"{value}\n")


def pings(ns, to, check=True):
    """Sends one echo request; the answer may take two seconds (neighbour discovery)."""
    with inside(ns):
        done = run("ping", "-n", "-c1", "-W2", to, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{ns or 'host'} cannot ping {to}:\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def link_packets(ns, name):
    """How many packets an interface has received."""
    return next(l["stats64"]["rx"]["packets"] for l in json.loads(ip(ns, "-s -j link show").stdout)
                if l["ifname"] == name)


def datagrams(ns, to, ports):
    """Sends one UDP datagram to each port."""
    with inside(ns):
        for port in ports:
            with socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.sendto(b"x", (to, port))


class Connection:
    """A TCP connection between two namespaces. say() sends a text there and back, which proves that it still works."""

    def __init__(self, client, address, port, server=None, listen="", listen_port=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with inside(server):
            self.listener = socket.create_server((listen, listen_port or port), family=family)
        try:
            self.listener.settimeout(DEADLINE)
            with inside(client):
                self.near = socket.create_connection((address, port), timeout=DEADLINE)
            self.far, self.peer = self.listener.accept()
            self.far.settimeout(DEADLINE)
        except BaseException:
            self.listener.close()
            raise

    def say(self, text):
        for a, b in ((self.near, self.far), (self.far, self.near)):
            a.sendall(text)
            heard = b""
            while len(heard) < len(text):
                part = b.recv(len(text) - len(heard))
                if not part:
                    raise AssertionError("the TCP connection was closed")
                heard += part
            if heard != text:
                raise AssertionError(f"sent {text!r}, received {heard!r}")

    def close(self):
        for s in ("near", "far", "listener"):
            if hasattr(self, s):
                getattr(self, s).close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---------------------------------------------------------------------------------------------------------
# Snapshots of the whole state, to compare

VOLATILE = re.compile(r".*_timer$|^(ifindex|link_index|link_netnsid|operstate|stats64?|handle|expires|port_no|no|id_"
                      r"|root_id|root_port|root_path_cost|designated_.*|topology_change(_detected|_ack)?|config_pending"
                      r"|promiscuity|allmulti|tso_max_size|tso_max_segs|group|qdisc|link_pointtopoint|used|no_linkaddr|fdb_n_learned|bridge_id)$")
VOLATILE_FLAGS = {"LOWER_UP", "RUNNING", "NO-CARRIER", "M-DOWN"}


def steady(value, exact):
    """The value without parts that the kernel changes by itself."""
    if isinstance(value, dict):
        return {k: steady(v, exact) for k, v in value.items()
                if not VOLATILE.match(k) or (exact and k == "ifindex")}
    if isinstance(value, list):
        return [steady(v, exact) for v in value]
    return value


def lines(values):
    return sorted(json.dumps(v, sort_keys=True) for v in values)


def snapshot_namespace(ns, exact):
    state = {}
    links = ip_json(ns, "link show")
    for l in links:
        l["flags"] = sorted(set(l["flags"]) - VOLATILE_FLAGS)
        if l.get("linkinfo", {}).get("info_slave_kind") == "bridge":
            for key in ("id", "no", "state", "priority_id"):
                l["linkinfo"].get("info_slave_data", {}).pop(key, None)
    state["links"] = lines(steady(links, exact))
    state["addresses"] = []
    for l in ip_json(ns, "addr show"):
        for a in l["addr_info"]:
            for key in ("tentative", "optimistic"):
                a.pop(key, None)
            if "valid_life_time" in a and a["valid_life_time"] < 0xFFFFFFFF:
                a["valid_life_time"] = a["preferred_life_time"] = "limited"
            state["addresses"].append({"dev": l["ifname"], **a})
    state["addresses"] = lines(state["addresses"])
    for family in ("4", "6"):
        found = ip_json(ns, f"-{family} route show table all")
        if family == "6":  # the kernel adds these for each address, some time after it
            found = [r for r in found if (r.get("table"), r.get("protocol")) != ("local", "kernel")]
        for r in found:
            r.pop("flags", None)
            for hop in r.get("nexthops", []):
                hop.pop("flags", None)
        state["routes" + family] = lines(steady(found, exact))
        state["rules" + family] = lines(ip_json(ns, f"-{family} rule show"))
    state["neighbours"] = lines(steady(ip_json(ns, "neigh show nud permanent"), exact))
    with inside(ns):
        ruleset = json.loads(run("nft", "-j", "list", "ruleset").stdout)["nftables"]
        state["nft"] = [json.dumps(steady(x, exact), sort_keys=True) for x in ruleset if "metainfo" not in x]
        state["sysctls"] = list(snapshot_sysctls())
    return state


SYSCTLS = re.compile(r"^(ip_forward|fib_multipath_hash_policy|ping_group_range|tcp_keepalive_time|ip_default_ttl)$")


def snapshot_sysctls():
    for top in ("/proc/sys/net/ipv4", "/proc/sys/net/ipv6"):
        paths = [f"{top}/{n}" for n in sorted(os.listdir(top)) if SYSCTLS.match(n)]
        for directory, _, names in sorted(os.walk(f"{top}/conf")):
            paths += [f"{directory}/{n}" for n in sorted(names) if n != "stable_secret"]
        for path in paths:
            with contextlib.suppress(OSError), open(path) as f:
                yield f"{path[10:]}={f.read().strip()}"


def snapshot_files(top):
    """All files below, with their texts; of sockets, locks and namespaces only the names."""
    for directory, directories, names in sorted(os.walk(ROOT + top)):
        directories.sort()
        for name in sorted(names):
            path = f"{directory}/{name}"
            text = ""
            if top.startswith("/etc/") and os.path.isfile(path):
                with open(path, errors="replace") as f:
                    text = f.read()
            yield f"{path[len(ROOT):]}: {text}"


def snapshot(exact=False):
    """Everything that topod may change, as comparable text: {place: {subject: lines}}. `exact` includes interface
    indexes: then equal snapshots mean that no link was recreated."""
    state = {"host": snapshot_namespace(HOST, exact)}
    for ns in namespaces():
        with contextlib.suppress(FileNotFoundError):
            state[f"netns {ns}"] = snapshot_namespace(ns, exact)
    state["files"] = {top: list(snapshot_files(top)) for top in ("/run/netns", "/run/topod", "/etc/netns")}
    return state


def difference(before, after):
    """The difference of two snapshots as text; empty if they are equal."""
    out = []
    for place in sorted(set(before) | set(after)):
        a, b = before.get(place), after.get(place)
        if a is None or b is None:
            out.append(f"{'+' if a is None else '-'} {place}")
            continue
        for subject in sorted(set(a) | set(b)):
            x, y = a.get(subject, []), b.get(subject, [])
            out += [f"- {place} {subject}: {l}" for l in x if l not in y]
            out += [f"+ {place} {subject}: {l}" for l in y if l not in x]
            if sorted(x) == sorted(y) and x != y:
                out.append(f"~ {place} {subject}: other order")
    return "\n".join(out)


def state_only(snap):
    """A snapshot without topod's own files, because ledgers change while the network does not."""
    return {k: v if k != "files" else {t: l for t, l in v.items() if t != "/run/topod"} for k, v in snap.items()}


# Marks of an object's maker, and hardware addresses.
WHO = re.compile(r'"(protocol|ifalias|address|broadcast_mac|link_netns|min_mtu|max_mtu|parentbus|index)": ("[^"]*"|\d+),? ?')


def without_makers(snap):
    """A snapshot without the marks of each object's maker, and without values that follow from hardware addresses."""
    def clean(subject, lines):
        if subject == "sysctls" or subject.startswith("/"):
            return []
        kept = [l for l in lines if "fe80::" not in l and '"family": "inet6", "scope": "link"' not in l]
        return sorted(WHO.sub("", l) if subject == "links" else re.sub(r'"protocol": ("[^"]*"|\d+),? ?', "", l) for l in kept)
    return {place: {subject: clean(subject, lines) for subject, lines in subjects.items()} for place, subjects in snap.items()}


# ---------------------------------------------------------------------------------------------------------
# Waiting for the kernel

SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NETLINK_NO_ENOBUFS = 270, 1, 5
# link, neigh, IPv4 addr/route/rule, IPv6 addr/route/rule, IPv4 and IPv6 netconf, nsid
GROUPS = (1, 3, 5, 7, 8, 9, 11, 19, 24, 25, 28, 32)


class Monitor:
    """Receives the events of some namespaces. It tells that something changed, not what."""

    def __init__(self, *names):
        self.sockets = []
        for ns in names:
            with contextlib.suppress(FileNotFoundError), inside(ns):
                for protocol, groups in ((socket.NETLINK_ROUTE, GROUPS), (12, (7,))):  # 12, 7: nf_tables
                    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
                    self.sockets.append(s)
                    s.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
                    s.bind((0, 0))
                    for group in groups:
                        with contextlib.suppress(OSError):
                            s.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)

    def fileno_list(self):
        return [s.fileno() for s in self.sockets]

    def heard(self):
        """The types of the messages that arrived since the last call."""
        types = []
        for s in self.sockets:
            with contextlib.suppress(BlockingIOError):
                while True:
                    data = s.recv(65536)
                    while len(data) >= 16:
                        size, kind = struct.unpack_from("=IH", data)
                        types.append(kind)
                        data = data[max(16, (size + 3) & ~3):]
        return types

    def close(self):
        for s in self.sockets:
            s.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---------------------------------------------------------------------------------------------------------
# A test

class Case(unittest.TestCase):
    """Each test begins on an empty machine: a new host namespace, no /run/netns, no /run/topod."""

    maxDiff = None
    longMessage = True

    def setUp(self):
        libc_call("unshare", CLONE_NEWNET)
        run("ip", "link", "set", "lo", "up")
        sysctl_set(HOST, "net.unix.max_dgram_qlen", 4096)  # a notify socket must not stall the daemon
        self.directory = os.path.join(RUN, self.id().rsplit(".", 1)[1][:48])
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        self.addCleanup(self.sweep)

    def sweep(self):
        for name in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
            subprocess.run(["umount", "-l", f"/run/netns/{name}"], stderr=subprocess.DEVNULL)
        # os.path.ismount() does not recognise a directory that is bound to itself.
        while subprocess.run(["umount", "-l", "/run/netns"], stderr=subprocess.DEVNULL).returncode == 0:
            pass
        for directory in ("/run/netns", "/run/topod", "/etc/netns", self.directory):
            shutil.rmtree(directory, ignore_errors=True)

    def spec(self, text, name="office.yaml"):
        """Writes a spec and returns its path."""
        path = os.path.join(self.directory, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def topod(self, *args, expect=None, env=None):
        """Runs a verb, and checks its exit status (a number, or several; 0, or any answer to `status`) and that no sanitizer
        complained."""
        if expect is None:
            expect = ANSWERED if args[:1] == ("status",) else EXIT_DONE
        try:
            done = run(os.environ["TOPOD"], *args, check=False, timeout=2 * DEADLINE,
                       env={**os.environ, **(env or {})})
        except subprocess.TimeoutExpired as e:
            self.fail(f"topod {' '.join(map(str, args))} does not end; it said:\n{e.stdout}{e.stderr}")
        wanted = expect if isinstance(expect, tuple) else (expect,)
        said = f"topod {' '.join(map(str, args))}\n{done.stdout}{done.stderr}"
        self.assertIsNone(SANITIZER.search(done.stderr), said)
        self.assertIn(done.returncode, wanted, said)
        if args and args[0] == "apply" and done.returncode == EXIT_DONE and os.path.isfile(args[-1]):
            note_applied(args[-1])
        return done

    def daemon(self, spec, **kwargs):
        d = Daemon(self.directory, spec, **kwargs)
        self.addCleanup(d.dispose)
        return d

    def same(self, before, after, message="the state differs"):
        self.assertEqual("", difference(before, after), message)

    def wait_until(self, predicate, what, daemon=None):
        """Waits until predicate() is true; it is called again after each event of the kernel and line of the daemon."""
        deadline = time.monotonic() + DEADLINE
        while True:
            with Monitor(HOST, *namespaces()) as monitor:
                if answer := predicate():
                    return answer
                left = deadline - time.monotonic()
                if left <= 0:
                    said = "; the daemon said:\n  " + "\n  ".join(daemon.log[-60:]) if daemon else ""
                    self.fail(f"the deadline passed without {what() if callable(what) else what}{said}")
                # Events of a namespace that appears meanwhile are received only in the next round: hence the limit.
                if daemon:
                    daemon.pump(min(left, 1), monitor.fileno_list())
                else:
                    select.select(monitor.fileno_list(), [], [], min(left, 1))

    def settle(self, daemon=None, exact=False, usable=False):
        """A snapshot once the link-local addresses exist, which the kernel adds shortly after the carrier. usable: waits for
        the end of their duplicate detection too, which takes seconds."""
        def complete():
            for ns in [HOST, *namespaces()]:
                for l in ip_json(ns, "addr show"):
                    if usable and any(a.get("tentative") for a in l["addr_info"] if "LOWER_UP" in l["flags"]):
                        return False
                    if l["link_type"] == "ether" and {"UP", "LOWER_UP"} <= set(l["flags"]) and not any(
                            a["family"] == "inet6" and a["scope"] == "link" for a in l["addr_info"]):
                        return False
            return True
        self.wait_until(complete, "link-local addresses", daemon)
        return snapshot(exact)

    def wait_for_state(self, wanted, daemon=None):
        """Waits until the whole network is as in a snapshot, except topod's own files."""
        seen = {}

        def equal():
            seen["now"] = difference(state_only(wanted), state_only(snapshot()))
            return not seen["now"]
        self.wait_until(equal, lambda: "the former state; it still differs in:\n" + seen["now"], daemon)


def make_keys(text):
    """The files with keys that a spec names in /etc, which is private and has symbolic links to the machine's own directories."""
    for path in re.findall(r"private-key-file: (/etc/\S+)", text):
        directory = os.path.dirname(path)
        if os.path.islink(directory):
            os.remove(directory)
        os.makedirs(directory, mode=0o700, exist_ok=True)
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as f:
            f.write(base64.b64encode(os.urandom(32)) + b"\n")


def edit(text, *changes):
    """The text with (old, new) pairs replaced; each old must occur exactly once."""
    for old, new in changes:
        if text.count(old) != 1:
            raise AssertionError(f"{old!r} occurs {text.count(old)} times")
        text = text.replace(old, new)
    return text


def veth(ns, name, peer_ns, peer, *addresses_here):
    """Makes a foreign veth pair, as an operator would; always with the same MAC addresses."""
    macs = [f"0e:{zlib.crc32(f'{where}/{end}'.encode()):08x}" for where, end in ((ns, name), (peer_ns, peer))]
    macs = [":".join([mac[:2], "01", *(mac[i:i + 2] for i in range(3, 11, 2))]) for mac in macs]
    make = f"link add {name} address {macs[0]} type veth peer name {peer} address {macs[1]}"
    if is_host(ns) == is_host(peer_ns) and (is_host(ns) or ns == peer_ns):
        ip(ns, make)
    elif is_host(ns):
        ip(ns, f"{make} netns {peer_ns}")
    else:  # `ip -n` enters the namespace, where the host has no name: so it is named by this process
        ip(ns, f"{make} netns {os.getpid()}")
        if not is_host(peer_ns):
            ip(HOST, f"link set {peer} netns {peer_ns}")
    ip(ns, f"link set {name} up")
    ip(peer_ns, f"link set {peer} up")
    for address in addresses_here:
        ip(ns, f"addr add {address} dev {name}")


def installed_hook(name="oci-hook"):
    """Where this build installs it: its file for engines says so."""
    with open(os.environ["TOPOD"], "rb") as f:
        return re.search(rb"\0(/[\w/.-]+/topod/)oci-hook\0", f.read())[1].decode() + name


def kernel_has(kind, *words):
    """Whether the kernel can make a link of this kind. Call it inside a test, because it tries it on the test's host."""
    done = ip(HOST, f"link add lab-probe {' '.join(words)} type {kind}", check=False)
    if done.returncode == 0:
        ip(HOST, "link del lab-probe")
    return done.returncode == 0


# A topology with some of everything, for tests that disturb it
OFFICE = """\
version: 1
topology: office

namespaces:
  host:
    forwarding: true
    interfaces:
      br0:
        kind: bridge
        ageing-time: 100s
        forward-delay: 4s
        mtu: 1500
        ports:
          - c1
          - {name: c2, hairpin: true, cost: 77}
        addresses: [10.0.0.1/24, {address: "fd00:1::1/64", nodad: true}]
      uplink:
        addresses: [203.0.113.2/24]
    nat:
      - {action: masquerade, source: 10.0.0.0/24, out: uplink}
      - {action: dnat, in: uplink, protocol: tcp, port: 8080, to: "10.0.0.11:80"}
  web:
    dns: {servers: [10.0.0.1], search: [office.example]}
    interfaces:
      eth0:
        mtu: 1400
        addresses: [{address: 10.0.0.11/24, label: "eth0:web"}, {address: "fd00:1::11/64", nodad: true}]
    routes:
      - {to: default, via: 10.0.0.1}
      - {to: default, via: "fd00:1::1"}
      - {to: 10.66.0.0/16, type: blackhole}
      - {to: 10.77.0.0/16, via: 10.0.0.12, metric: 50, mtu: 1300}
    sysctl:
      net.ipv4.conf.eth0.rp_filter: 2
      net.ipv4.ip_default_ttl: 99
  db:
    interfaces:
      eth0:
        mac-address: "02:00:00:00:00:12"
        addresses: [10.0.0.12/24]
      side: {addresses: [10.8.0.2/24]}
    routes:
      - {to: default, via: 10.0.0.1}
      - to: 10.88.0.0/16
        nexthops:
          - {via: 10.0.0.1, weight: 3}
          - {via: 10.8.0.1}
  lone:
    interfaces:
      side: {addresses: [10.8.0.1/24]}
  outside:
    interfaces:
      eth0: {addresses: [203.0.113.1/24]}

links:
  - [web:eth0, host:c1]
  - [db:eth0, host:c2]
  - [db:side, lone:side]
  - [host:uplink, outside:eth0]
"""
