# SPDX-License-Identifier: GPL-2.0-or-later
"""
Every request to the kernel fails, once or permanently: refused messages, calls with various errors, answers cut short, lost
or interrupted (see fault.c). A daemon that builds, changes and maintains a topology with some of everything reaches the same
state as an undisturbed one, by itself; while a fault lasts, it reports what is wrong, continues, and recovers when the fault
is gone. `apply` and `down` either succeed, or fail with a reason and succeed when they are called again.

A case is one run of a daemon, or of the two verbs, in which one request has one fault. By default a sample of the cases is run,
from a seed (TOPOD_TEST_SEED=N for another); all with TOPOD_TEST_EVERY_FAULT=1, which takes two hours, or in addition a part of
all with TOPOD_TEST_PART=3/20; those whose description matches with TOPOD_TEST_FAULT=PATTERN.
"""

import collections
import errno
import mmap
import os
import random
import re
import signal
import struct
import sys
import time
import unittest

import daemon
import lab
import small
from lab import HOST, Case

# The same as in fault.c.
CALLS, MESSAGES = range(2)
NAME_BYTES, LOG_ENTRIES = 32, 8192
HEAD = struct.Struct(f"=9I{NAME_BYTES}s")
RTM_NEWADDR, RTM_NEWROUTE = 20, 24  # linux/rtnetlink.h
SHORT, LOST, INTERRUPTED = 1001, 1002, 1003
NAMES = {SHORT: "a short answer", LOST: "a lost answer", INTERRUPTED: "an interrupted dump"}

ERRORS = (errno.ENOMEM, errno.ENOBUFS, errno.EBUSY, errno.EEXIST, errno.EPERM, errno.EINTR, errno.EAGAIN)
ALSO = {"recvmsg": (SHORT, LOST, INTERRUPTED), "recvmmsg": (SHORT, LOST), "read": (SHORT,), "write": (SHORT,),
        "pwrite": (SHORT,), "renameat2": (errno.EINVAL,)}  # EINVAL: a file system without RENAME_NOREPLACE
SAMPLE_SECONDS, SAMPLE_CASES = 20, 40  # for each test; a limit for slow machines, and one for quick ones

# A daemon that cannot start reports that and ends; its supervisor restarts it. So does one that would have to work in the
# wrong namespace.
CANNOT_BEGIN = re.compile(r"cannot |/run/(topod|netns)\S* (belongs to|is not)|is already managed by another topod")
REPORT = re.compile(r"failing: |drift: .*(failed|cannot)|events keep coming faster|cannot ")

Fault = collections.namedtuple("Fault", "target moment sort error persists")

NONE = Fault(CALLS, 0, "", 0, 0)


def is_senseless(fault):
    """Excuses: a signal does not come at every call; a directory that may not be used is somebody else's, with
    everything in it; a directory below /etc/netns that cannot be removed once it is empty stays, without a
    message; a setting that always reads differently than it was written never agrees; a name that is always being
    mounted upon belongs to a namespace."""
    mounted = fault.sort == "unlinkat netns" and fault.error == errno.EBUSY
    return (fault.persists and (mounted or (fault.target == CALLS and fault.error == errno.EINTR))) or (
        fault.sort == "openat dns" and fault.error == errno.EPERM) or (
        fault.persists and (fault.sort == "unlinkat dns" or (fault.sort == "read sysctl" and fault.error == SHORT)))


def describe(fault):
    what = ("call", "message")[fault.target]
    name = NAMES.get(fault.error) or errno.errorcode[fault.error]
    return f"{what} {fault.sort}, the {fault.moment}., meets {name}{' from then on' if fault.persists else ''}"


class Control:
    """The file that fault.c maps too."""

    def __init__(self, path):
        self.path = path
        size = HEAD.size + 2 * LOG_ENTRIES * NAME_BYTES
        with open(path, "w+b") as f:
            f.truncate(size)
            self.memory = mmap.mmap(f.fileno(), size)

    def set(self, fault, begun=False):
        """begun: the daemon has started already."""
        HEAD.pack_into(self.memory, 0, fault.target, fault.moment, fault.error, fault.persists, *[0] * 4, begun,
                       fault.sort.encode())

    def lift(self):
        struct.pack_into("=I", self.memory, 4, 0)

    def not_yet(self):
        """A new process starts; reading its spec is not counted."""
        struct.pack_into("=I", self.memory, 8 * 4, 0)

    def failed(self):
        return HEAD.unpack_from(self.memory)[7]

    def asked(self, target):
        n = HEAD.unpack_from(self.memory)[4 + target]
        if n > LOG_ENTRIES:
            raise AssertionError("more requests than the log has room for")
        at = HEAD.size + target * LOG_ENTRIES * NAME_BYTES
        return [self.memory[at + i * NAME_BYTES:at + (i + 1) * NAME_BYTES].rstrip(b"\0").split(b"\0")[0].decode()
                for i in range(n)]


class Faults(Case):
    def setUp(self):
        super().setUp()
        library = os.environ.get("TOPOD_FAULT_LIBRARY")
        if not library:
            self.skipTest("TOPOD_FAULT_LIBRARY must name fault.c's library")
        # AddressSanitizer must be loaded first.
        first = daemon.sanitizers(os.environ["TOPOD"]).get("asan", "")
        self.env = {"LD_PRELOAD": f"{first} {library}", "TOPOD_FAULT": f"{self.directory}/fault"}
        self.control = Control(self.env["TOPOD_FAULT"])
        small.furnish()

    # One run ------------------------------------------------------------------------------------------------

    def faulty(self, path):
        return self.daemon(path, env=self.env)

    def reached(self, d, since):
        """Waits until it has converged, has reported what prevents it, or has ended. After a reload, ready only means that
        everything was tried."""
        def there():
            said = [n.get("STATUS", "") if "RELOADING" not in n else "RELOADING" for n in d.notices[since[0]:]]
            if since[0] and "RELOADING" in said:
                said = said[said.index("RELOADING"):]
            elif since[0]:
                said = []
            if any(text.startswith("Converged") for text in said):
                return "converged"
            if d.eof:
                return "ended"
            if self.fault.persists and self.control.failed() and self.report(d, since):
                return "reported"
            return None
        while not d.eof:
            try:
                return d.wait(there, "an end")
            except AssertionError:
                if not d.eof:
                    raise
        return there()

    def report(self, d, since):
        """Its reports about a permanent fault: one line; and, as long as it lasts, the status."""
        told = next((REPORT.search(l).group(0) for l in d.lines[since[1]:] if REPORT.search(l)), None)
        status = next((n["STATUS"] for n in reversed(d.notices) if "STATUS" in n and "RELOADING" not in n), "")
        return told or (status.startswith("Degraded: ") and "told before")

    def through(self, d, path, since):
        """Waits until it is ready. A permanent fault is removed once it was reported, and a daemon that could not start is
        restarted, as its supervisor would do. Returns the daemon that is ready."""
        end = self.reached(d, since)
        if end == "reported":
            self.counts["reported"] += 1
            self.told[self.report(d, since)] += 1
            self.control.lift()
            self.fault = self.fault._replace(persists=0)
            end = self.reached(d, since)
        if end == "ended":
            self.counts["restarted"] += 1
            status = d.wait_end()
            aborted = status == -signal.SIGABRT and self.fault.sort == "setns netns"
            self.assertTrue(aborted or (status == 1 and any(CANNOT_BEGIN.search(l) for l in d.lines)),
                            f"it ended with {status}:\n" + "\n".join(d.log))
            self.control.lift()
            d.dispose()
            d = self.faulty(path).ready()
        return d

    def live(self, fault):
        """Builds, changes, stops; returns the file in force at the end."""
        self.fault = fault or NONE
        self.control.set(self.fault)
        path = self.spec(small.TEXT, "small.yaml")
        d = self.through(self.faulty(path), path, (0, 0))
        self.spec(small.EDITED, "small.yaml")
        d.drain()
        since = len(d.notices), len(d.lines)
        d.process.send_signal(signal.SIGHUP)
        d = self.through(d, path, since)
        self.end(d)
        d.dispose()
        self.counts["met"] += self.control.failed() > 0
        return path

    def end(self, d):
        """A thread that cannot return to its namespace ends the daemon, also after it was ready."""
        d.process.send_signal(signal.SIGTERM)
        status = d.wait_end()
        allowed = (0, -signal.SIGABRT) if self.fault.sort == "setns netns" else (0,)
        self.assertIn(status, allowed, "it said:\n" + "\n".join(d.log))

    def check(self, path):
        self.topod("plan", path)
        self.assertEqual(self.foreign, self.look_at_foreign(), "something foreign was touched")
        self.assertIn("198.51.100.1/24", lab.addresses(HOST, "nic"))

    def look_at_foreign(self):
        return [[l["ifname"], l["address"], l["mtu"], sorted(set(l["flags"]) - lab.VOLATILE_FLAGS)]
                for l in lab.ip_json(HOST, "link show") if l["ifname"] in ("nic", "wire", "socket", "lo")]

    def traces(self):
        """The state of a machine after `down`."""
        left = {name: sorted(os.listdir(name)) if os.path.isdir(name) else [] for name in
                ("/run/netns", "/run/topod", "/etc/netns")}
        left["links"] = sorted((l["ifname"], l["address"], l["mtu"], l.get("ifalias")) for l in lab.ip_json(HOST, "link show"))
        left["addresses"] = sorted((l["ifname"], a["local"]) for l in lab.ip_json(HOST, "-4 addr show") for a in l["addr_info"])
        left["nft"] = lab.nft(HOST, "list ruleset").stdout
        left["sysctls"] = [lab.sysctl_get(HOST, f"net.{key}") for key in ("ipv4.ip_forward", "ipv6.conf.all.forwarding")]
        return left

    def one(self, fault):
        self.check(self.live(fault))
        self.topod("down", f"{self.directory}/small.yaml")
        self.check_traces()

    def check_traces(self):
        lab.ip(HOST, "link set card up")  # the kernel sets a card down when it is moved
        self.assertEqual(self.before, self.traces(), "down left a trace")

    # The verbs ----------------------------------------------------------------------------------------------

    def verb(self, verb, path):
        """Runs a verb with the fault. If it fails, it must say why, and succeed once the fault is gone."""
        allowed = (0, 1, -signal.SIGABRT) if self.fault.sort == "setns netns" else (0, 1)
        self.control.not_yet()
        done = self.topod(verb, path, env=self.env, expect=allowed)
        if done.returncode == 0:
            return
        self.counts["reported" if self.fault.persists else "failed"] += 1
        self.assertRegex(done.stderr, f"error: |{CANNOT_BEGIN.pattern}", "it fails without a word")
        self.control.lift()
        self.topod(verb, path)

    def apply_and_down(self, fault):
        self.fault = fault or NONE
        self.control.set(self.fault)
        path = self.spec(small.TEXT, "small.yaml")
        self.verb("apply", path)
        self.topod("plan", path)
        self.verb("down", path)
        self.counts["met"] += self.control.failed() > 0
        self.check_traces()

    # Choosing cases -----------------------------------------------------------------------------------------

    def faults(self):
        """All faults of all requests that an undisturbed run makes."""
        for target in (CALLS, MESSAGES):
            seen = collections.Counter()
            for sort in self.control.asked(target):
                seen[sort] += 1
                also = ALSO.get(sort.split()[0], ()) if target == CALLS else ()
                for error in (*ERRORS, *also):
                    for persists in (0, 1):
                        fault = Fault(target, seen[sort], sort, error, persists)
                        if not is_senseless(fault):
                            yield fault

    def chosen(self, faults):
        only = os.environ.get("TOPOD_TEST_FAULT")
        if only or os.environ.get("TOPOD_TEST_EVERY_FAULT") == "1":
            return small.part_of(fault for fault in faults if re.search(only or "", describe(fault))), None
        seed = int(os.environ.get("TOPOD_TEST_SEED", 5))
        print(f"TOPOD_TEST_SEED={seed}", file=sys.stderr, flush=True)
        # Grouped by sort, so that rare requests are included.
        sorts = collections.defaultdict(list)
        for fault in faults:
            sorts[fault.target, fault.sort].append(fault)
        order, rng = [], random.Random(seed)
        for of_sort in sorts.values():
            rng.shuffle(of_sort)
        while sorts:
            names = list(sorts)
            rng.shuffle(names)
            for name in names:
                order.append(sorts[name].pop())
                if not sorts[name]:
                    del sorts[name]
        return order[:SAMPLE_CASES], time.monotonic() + SAMPLE_SECONDS

    def begin(self):
        self.counts, self.told = collections.Counter(), collections.Counter()
        self.foreign, self.before = self.look_at_foreign(), self.traces()

    def test_overrun_without_end(self):
        """Each read of answers reports that some were lost: the caller gives up, and says why."""
        self.begin()
        self.one(Fault(CALLS, 12, "recvmsg route", errno.ENOBUFS, 1))
        self.assertEqual(1, self.counts["reported"])

    def try_all(self, life):
        self.begin()
        life(None)
        faults = list(self.faults())
        asked = [len(self.control.asked(target)) for target in (CALLS, MESSAGES)]
        chosen, until = self.chosen(faults)
        tried = 0
        for fault in chosen:
            if until and time.monotonic() >= until:
                break
            tried += 1
            with self.subTest(describe(fault)):
                try:
                    life(fault)
                except BaseException:
                    self.anew()
                    raise
        print(f"{asked[CALLS]} calls, {asked[MESSAGES]} messages; {tried} of {len(faults)} faults tried; {dict(self.counts)} "
              f"{dict(self.told)}", file=sys.stderr, flush=True)
        self.assertGreater(self.counts["met"], tried * 3 // 4, "most faults were not met")

    def test_every_request_fails(self):
        self.try_all(self.one)

    def test_every_request_of_verbs_fails(self):
        self.try_all(self.apply_and_down)

    def test_removals(self):
        """If topod cannot remove something, it removes it later, or says so."""
        self.begin()
        self.apply_and_down(None)
        asked = collections.Counter(self.control.asked(CALLS))
        for sort in ("unlinkat ledger", "unlinkat netns"):
            self.assertGreater(asked[sort], 0)
            for fault in (Fault(CALLS, n + 1, sort, errno.EPERM, persists) for n in range(asked[sort]) for persists in (0, 1)):
                with self.subTest(describe(fault)):
                    self.apply_and_down(fault)

    def test_contradicted(self):
        """A scan does not show a single moment, and a dump may leave out existing objects. If the answer to a
        request says that the object already exists, or no longer exists, or that its gateway is unreachable, the
        next scan decides. That is drift, not a failure."""
        for error, message, disturbance, drift in (
                (errno.EEXIST, RTM_NEWADDR, "addr del 10.0.0.11/24 dev eth0", "10.0.0.11/24 was removed"),
                (errno.EADDRNOTAVAIL, RTM_NEWADDR, "addr del 10.0.0.11/24 dev eth0", "10.0.0.11/24 was removed"),
                (errno.ENETUNREACH, RTM_NEWROUTE, "route del default", "default via 10.0.0.1 was removed"),
                (errno.EHOSTUNREACH, RTM_NEWROUTE, "-6 route del fd00:9::/64", "fd00:9::/64 via fd00::1 was removed")):
            with self.subTest(errno.errorcode[error]):
                self.control.set(NONE)
                d = self.faulty(self.spec(small.TEXT, "small.yaml")).ready()
                self.control.set(Fault(MESSAGES, 1, f"route {message:#x}", error, 0), begun=True)
                lab.ip("web", disturbance)
                d.wait_line(f"{drift}.*restored")
                d.stop()
                self.assertEqual(1, self.control.failed())
                self.assertEqual([], [l for l in d.log if re.search("failing|cannot|recovered", l)])
                d.dispose()

    def anew(self):
        """A new machine, after a failed case."""
        self.doCleanups()
        self.setUp()


if __name__ == "__main__":
    lab.main()
