# SPDX-License-Identifier: GPL-2.0-or-later
"""
A topology that several processes disturb at once, for any length of time.

When they stop, the daemon must restore everything as declared, with nothing left over, no leaked descriptor and correct
counts. How long that takes and what it costs is printed and not judged, because it depends on the machine. Only the long
run judges it, with TOPOD_CHAOS_LATE: within so many seconds after the last act, everything must be converged.

TOPOD_CHAOS_SECONDS (2) and TOPOD_CHAOS_SEED (random, printed) are for longer runs and for repeating one; see `run`.
"""

import collections
import json
import math
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))
import lab
from lab import HOST, OFFICE, Case

SECONDS = float(os.environ.get("TOPOD_CHAOS_SECONDS", "2"))
SEED = int(os.environ.get("TOPOD_CHAOS_SEED", "0")) or random.randrange(1, 10**9)
WORKERS = 3

# Every link's MTU is declared, because only declared fields are restored.
TEXT = "defaults: {interface: {mtu: 1500}}\n" + OFFICE

# Its parts that are disturbed.
TARGETS = ["host:br0", "host:c1", "host:c2", "host:uplink", "web:eth0", "db:eth0", "db:side", "lone:side",
           "outside:eth0"]

# Other versions of the file, which are reloaded meanwhile.
EDITS = [
    [],
    [("        mtu: 1400\n", "        mtu: 1450\n")],
    [("      - {to: 10.66.0.0/16, type: blackhole}\n", "")],
    [("      side: {addresses: [10.8.0.1/24]}", "      side: {addresses: [10.8.0.1/24, 10.9.9.9/32]}")],
    [("  - [db:side, lone:side]\n", ""), ("          - {via: 10.8.0.1}\n", ""),
     ("      side: {addresses: [10.8.0.2/24]}\n", ""), ("      side: {addresses: [10.8.0.1/24]}\n", "      lo: {}\n")],
]


class Disturber:
    """A run of `disturb`; end() returns what it did."""

    def __init__(self, case, *args):
        self.process = subprocess.Popen([os.environ["TOPOD_DISTURB"], *map(str, args)], stdout=subprocess.PIPE,
                                        text=True)
        case.addCleanup(self.dispose)

    def end(self, sign=signal.SIGTERM):
        if sign:
            self.process.send_signal(sign)
        said, _ = self.process.communicate()
        words = {line.split()[0]: [int(w) for w in line.split()[1:]] for line in said.splitlines()}
        self.tried, self.done = words["acts"]
        self.last = words["last"][0] / 1e6  # CLOCK_REALTIME
        return self

    def dispose(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(l.split()[1]) for l in f if l.startswith("VmRSS"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(pid):
    """What each open descriptor is, without the numbers that differ from time to time."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0])
        except FileNotFoundError:
            pass
    return sorted(found)


def more(after, before):
    return sorted((collections.Counter(after) - collections.Counter(before)).elements())


class Chaos(Case):
    def status(self, topology="office"):
        return json.loads(self.topod("status", topology, "--json").stdout)["topologies"][0]

    def wait_converged(self, daemon, topology="office", after=0.0):
        """Waits until its status is "converged" (since a time after `after`); asks again after each of its lines. During long work it
        answers later."""
        deadline = time.monotonic() + 6 * lab.DEADLINE
        while True:
            answer = self.topod("status", topology, "--json", expect=(*lab.ANSWERED, lab.EXIT_FAILED, lab.EXIT_NOT_RUNNING))
            running = json.loads(answer.stdout)["topologies"] if answer.stdout else []
            status = running[0] if running else {"state": answer.stderr}
            if status["state"] == "converged" and status["verified_usec"] / 1e6 >= after:
                return status
            left = deadline - time.monotonic()
            if left < 0:
                self.fail(f"it does not converge: {json.dumps(status, indent=1)}\n" + "\n".join(daemon.log[-60:]))
            daemon.pump(min(left, 0.05))

    def late(self, status, last):
        """The longest time after the last disturbance at which it was known to be converged."""
        return max(status["since_usec"], status["verified_usec"]) / 1e6 - last

    def check_descriptors(self, daemon, before):
        """Some are open during a pass, and one may be running."""
        self.wait_until(lambda: not more(descriptors(daemon.pid), before),
                        lambda: f"closing these: {more(descriptors(daemon.pid), before)}", daemon)

    def check_counts(self, status):
        self.assertEqual((0, 0, 0, 0), tuple(status[k] for k in ("failing", "fought_over", "reported", "pending")))
        self.assertEqual([], status["troubles"])
        self.assertGreaterEqual(status["drifts"], status["restored"])


class Watch:
    """`topod watch`, into a file; its events must add up to the counts of the status."""

    def __init__(self, case, topology):
        self.path = os.path.join(lab.RUN, "watched")
        with open(self.path, "wb") as f:
            self.process = subprocess.Popen([os.environ["TOPOD"], "watch", topology, "--json"], stdout=f,
                                            stdin=subprocess.DEVNULL)
        case.addCleanup(self.dispose)
        case.wait_until(lambda: os.path.getsize(self.path), "the stream's beginning")

    def dispose(self):
        self.process.kill()
        self.process.wait()

    def counts(self):
        """How many drifts, by action; consequences are counted with their cause."""
        counts = collections.Counter()
        with open(self.path) as f:
            for event in (json.loads(l) for l in f if l.endswith("\n")):
                if event["type"] == "drift":
                    counts[event["action"]] += 1 + event.get("followers", 0)
                elif event["type"] == "lost":
                    counts["lost"] += event["count"]
        return counts


class Storm(Chaos):
    def reload(self, path, text, daemon):
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)
        daemon.process.send_signal(signal.SIGHUP)

    def reload_and_wait(self, path, text, daemon):
        """Waits until the daemon has read the file, not until it is applied."""
        sent = time.monotonic() * 1e6
        self.reload(path, text, daemon)
        daemon.wait(lambda: any(float(n.get("MONOTONIC_USEC", 0)) >= sent for n in daemon.notices), "a reload")

    def lost_links(self):
        """Undeclared links that still have topod's mark. Links that the disturber moved before they were marked, or whose mark or MAC
        address it changed, cannot be recognised; they are removed here."""
        kept = []
        for ns in [HOST, *lab.namespaces()]:
            for l in lab.ip_json(ns, "link show"):
                if l["ifname"] == "lo" or f"{ns or 'host'}:{l['ifname']}" in TARGETS:
                    continue
                if l.get("ifalias") == "topod:office" and not l["address"].startswith("02:dd:"):
                    kept.append((ns, l["ifname"]))
                else:
                    lab.ip(ns, f"link del {l['ifname']}", check=False)
        return kept

    def differences(self, before):
        """Without link-local addresses, which the kernel makes of the MAC address that a link has at the moment."""
        lines = lab.difference(lab.state_only(before), lab.state_only(lab.snapshot())).splitlines()
        return [l for l in lines if "fe80::" not in l]

    def take_foreign_bridges_away(self):
        """The disturber replaces links with bridges and deletes these again, unless their namespace has no name at that moment. A
        namespace that gets its name back still has them, and topod does not delete foreign objects."""
        for ns in [HOST, *lab.namespaces()]:
            for link in lab.ip_json(ns, "link show type bridge"):
                if not link.get("ifalias", "").startswith("topod:"):
                    lab.ip(ns, f"link del {link['ifname']}", check=False)

    def test_storm(self):
        path = self.spec(TEXT)
        daemon = self.daemon(path).ready()
        before = self.settle(daemon)
        open_before, rss_before = descriptors(daemon.pid), resident_kib(daemon.pid)
        print(f"seed {SEED}", flush=True)
        watch = Watch(self, "office")
        d = Disturber(self, "chaos", SEED, WORKERS, 4000, "office", *TARGETS)
        insisting = Disturber(self, "insist", 1333, "db:eth0")
        began, choice, n_reloads = time.monotonic(), random.Random(SEED), 0
        while time.monotonic() < began + SECONDS / 2:
            self.reload(path, lab.edit(TEXT, *choice.choice(EDITS)), daemon)
            n_reloads += 1
            for _ in range(10):
                daemon.pump(0.02)
        self.reload_and_wait(path, TEXT, daemon)
        while time.monotonic() < began + SECONDS:  # a reload ends all pauses: here they grow
            daemon.pump(0.02)
        # topod is not told that it is over.
        insisting.end()
        d.end()
        self.take_foreign_bridges_away()
        status = self.wait_converged(daemon, after=d.last)
        print(f"{d.done} of {d.tried} acts and {insisting.done} of one who insists in {SECONDS} s, {n_reloads} reloads; "
              f"converged {self.late(status, d.last):.3f} s after the last; {status['drifts']} drifts, "
              f"{status['restored']} restored; RSS {rss_before} -> {resident_kib(daemon.pid)} KiB", flush=True)
        self.assertLess(self.late(status, d.last), float(os.environ.get("TOPOD_CHAOS_LATE", "inf")))
        self.check_counts(status)
        self.wait_until(lambda: sum(watch.counts().values()) >= status["drifts"], lambda: f"{watch.counts()} of {status}")
        self.assertEqual(status["drifts"], sum(watch.counts().values()), watch.counts())
        self.assertEqual(0, watch.counts()["lost"])
        watch.dispose()
        self.assertEqual([], self.lost_links(), "these should have gone")
        self.topod("plan", path, expect=0)
        self.assertEqual([], self.differences(before))
        self.check_descriptors(daemon, open_before)
        daemon.stop()


class Overrun(Chaos):
    """Most events are lost, including those of the disturbances; no change may be missed."""

    def test_overrun(self):
        path = self.spec(TEXT)
        # lo is not a target, and the flood does not concern the targets.
        done = lab.run(os.environ["TOPOD_OVERRUN"], path, SEED, os.environ.get("TOPOD_CHAOS_ROUNDS", "20"),
                       "office", *TARGETS, check=False)
        print(f"seed {SEED}: {done.stdout}", flush=True)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertGreater(int(done.stdout.split()[1]), 0)
        self.topod("plan", path, expect=0)


class Fights(Chaos):
    """Somebody insists on another value. Repairing it forever would only waste processor time."""

    # How long its CPU time is measured; printed, not judged.
    SECONDS = min(SECONDS, 20)

    def check_calm(self, daemons, scopes):
        """Pauses between repairs grow: after n pauses 2^n seconds have passed."""
        before, began = [cpu_seconds(d.pid) for d in daemons], time.monotonic()
        while (left := began + self.SECONDS - time.monotonic()) > 0:  # this is the period that is measured
            daemons[0].pump(min(left, 0.5))
        for daemon, b, scope in zip(daemons, before, scopes):
            daemon.drain()
            n = sum(1 for l in daemon.lines if f"drift: {scope}: " in l)
            seconds = time.monotonic() - began
            print(f"CPU in a fight: {100 * (cpu_seconds(daemon.pid) - b) / seconds:.2f} %, {n} repairs, {seconds:.1f} s after "
                  "the first pause began", flush=True)
            self.assertLessEqual(n, 5 + math.log2(1 + seconds) + 1, daemon.log[-30:])

    def test_a_loop_that_reverts(self):
        path = self.spec(TEXT)
        daemon = self.daemon(path).ready()
        d = Disturber(self, "insist", 1333, "web:eth0")
        daemon.wait_line(r"web/eth0: mtu was changed from 1400 to 1333; backed off")
        self.check_calm([daemon], ["web/eth0"])
        status = self.status()
        self.assertEqual("degraded", status["state"])
        self.assertEqual(1, status["fought_over"])
        d.end()
        self.wait_converged(daemon)
        self.assertEqual(1400, lab.link("web", "eth0")["mtu"])
        daemon.stop()

    def test_another_router(self):
        """The message names the other side, as far as the kernel knows it."""
        daemon = self.daemon(self.spec(TEXT)).ready()
        since = 0
        for _ in range(50):
            if daemon.find("drift: web: route .*; backed off"):
                break
            lab.ip("web", "route replace blackhole 10.66.0.0/16 proto bgp")
            daemon.wait_line(r"drift: web: route 10\.66\.0\.0/16: protocol was changed from 84 to 186", since)
            since = len(daemon.lines)
        lab.ip("web", "route replace blackhole 10.66.0.0/16 proto bgp")
        self.assertRegex(daemon.find("backed off") or "never backed off", r"something keeps undoing it \(route protocol bgp\)")
        self.check_calm([daemon], ["web"])
        self.wait_converged(daemon)
        self.assertEqual("84", str(lab.route("web", "10.66.0.0/16")["protocol"]))
        daemon.stop()

    def test_two_daemons(self):
        lab.veth(HOST, "e", HOST, "f")
        text = "namespaces: {{host: {{interfaces: {{e: {{kind: existing, mtu: {}}}}}}}}}\n"
        one, other = self.spec(text.format(1300), "one.yaml"), self.spec(text.format(1400), "other.yaml")
        # The second one cannot see the first one's ledger, as in a container; otherwise its changes would be refused.
        apart = ["unshare", "--mount", "--propagation", "private",
                 "sh", "-c", 'mount -n -t tmpfs -o mode=755 topod /run/topod && exec "$@"', "sh"]
        first, second = self.daemon(one).ready(), self.daemon(other, prefix=apart)
        # The one that backs off first leaves the other its value for a while.
        first.wait(lambda: first.find("; backed off") or (second.pump(0), second.find("; backed off"))[1],
                   "one of the two giving in", [second.process.stderr])
        self.check_calm([first, second], ["host/e", "host/e"])
        second.kill()
        self.wait_converged(first, "one")
        self.assertEqual(1300, lab.link(HOST, "e")["mtu"])
        first.stop()


class Long(Chaos):
    """Many drifts at full speed, of so many objects that none looks contested."""

    COUNT = int(os.environ.get("TOPOD_CHAOS_EVENTS", "2000"))
    # For each change the kernel goes through all addresses of the interface: so many interfaces are faster.
    NAMESPACES, LINES = (20, 200) if COUNT <= 10000 else (200, 100)

    def text(self):
        def interface(i):
            wanted = ", ".join(f"10.{i}.{n // 256}.{n % 256}/32" for n in range(1, self.LINES + 1))
            return f"  n{i}: {{interfaces: {{e: {{addresses: [{wanted}]}}}}}}\n"
        links = "".join(f"  - [n{i}:e, host:h{i}]\n" for i in range(self.NAMESPACES))
        return "namespaces:\n" + "".join(map(interface, range(self.NAMESPACES))) + "links:\n" + links

    def test_long(self):
        path = self.spec(self.text(), "long.yaml")
        daemon = self.daemon(path, binary=os.environ["TOPOD_PLAIN"]).ready()
        open_before = descriptors(daemon.pid)
        started = time.monotonic()
        d = Disturber(self, "addresses", SEED, self.COUNT, self.LINES, *(f"n{i}:e" for i in range(self.NAMESPACES)))
        resident = []
        while line := d.process.stdout.readline():
            daemon.drain()
            if line.startswith("tenth"):
                resident.append(resident_kib(daemon.pid))
                print(f"{line.split()[1]} drifts, {time.monotonic() - started:.1f} s: RSS {resident[-1]} KiB", flush=True)
            elif line.startswith("last"):
                last = int(line.split()[1]) / 1e6
            elif line.startswith("acts"):
                self.assertEqual(self.COUNT, int(line.split()[2]))
        status = self.wait_converged(daemon, "long", after=last)
        print(f"converged {self.late(status, last):.3f} s after the last; {status['drifts']} drifts, "
              f"{status['restored']} restored", flush=True)
        self.check_counts(status)
        self.topod("plan", path, expect=0)
        self.check_descriptors(daemon, open_before)
        # Recently repaired objects are remembered for a while, to notice contention: after half the time, all of them are.
        half = len(resident) // 2
        self.assertLess(max(resident[half:]), 1.1 * max(resident[:half]) + 2048)
        self.assertEqual(self.COUNT, status["restored"])
        self.assertEqual(self.COUNT, status["drifts"])
        daemon.stop()


if __name__ == "__main__":
    lab.main()
