# SPDX-License-Identifier: GPL-2.0-or-later
"""What a daemon costs on an existing topology: nothing while nothing happens, little for a reload that changes one
attribute, and for an event the same at 4000 namespaces as at 100.

Processor instructions are counted by callgrind, which sees only the daemon's own, not the kernel's. Without valgrind or
strace, their figures are missing.
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import time

import topology
from process import PROCESSES, SCRATCH, Daemon, Failed, measure, open_text

WORK_KINDS = ["address", "route", "up"]
WORK_COUNT = 20  # events of each kind
SILENCE, SILENCE_LIMIT = 20, 100  # seconds; more than a forward delay
WARMING = 3  # before the measurement: what is done only once is not part of an event


def status(t):
    return json.loads(measure([t.args.topod, "status", "--json", f"bench-{t.shape}"])[2])["topologies"][0]


# Idle


def wait_for_silence(daemon):
    """A bridge lets a new port learn after its forward delay (15 s) and forward after another one, with an event for each."""
    for _ in range(SILENCE_LIMIT // SILENCE):
        before = daemon.wakeups()
        time.sleep(SILENCE)  # waiting for silence
        if daemon.wakeups() == before:
            return


def idle(t, daemon, seconds):
    """How often it was woken in that time, and how many scans it made. There is no watchdog here."""
    t.quiet()
    wait_for_silence(daemon)
    before = status(t)
    wakeups = daemon.wakeups()
    time.sleep(seconds)  # this is the period that is measured
    wakeups = daemon.wakeups() - wakeups
    after = status(t)
    return {"seconds": seconds, "wakeups": wakeups,
            "looks": sum(after[key] - before[key] for key in ("looks", "narrow_looks"))}


# Reload


def with_mtu(t, mtu):
    """The file, with one interface's MTU changed: a host in the middle, or a router's."""
    text = topology.yaml(t.shape, t.n, t.args.queues)
    name = f"  bench-{'r' if t.shape == 'chain' else 'h'}{t.n // 2}:\n"
    at = text.index(f"mtu: {topology.MTU}", text.index(name))
    with open(t.spec, "w", encoding="ascii") as f:
        f.write(text[:at] + f"mtu: {mtu}" + text[at + len(f"mtu: {topology.MTU}"):])


class Requests:
    """The daemon's requests to the kernel, as strace sees them."""

    def __init__(self, daemon):
        self.path = f"{SCRATCH}/requests"
        self.process = PROCESSES.start(["strace", "-f", "-e", "trace=sendto", "-o", self.path, "-p",
                                        str(daemon.process.pid)], subprocess.DEVNULL, subprocess.PIPE)
        if b"attached" not in self.process.stderr.readline():
            raise Failed("strace: it does not attach")

    def stop(self):
        """How many messages, and how many of them were dump requests."""
        PROCESSES.end(self.process)
        messages = re.findall(r"\{nlmsg_len=\d+, nlmsg_type=[^,]*, nlmsg_flags=([^,]*)", open_text(self.path))
        return {"requests": len(messages), "dumps": sum("0x300" in flags or "NLM_F_DUMP" in flags for flags in messages)}


def reload_once(t, mtu):
    with_mtu(t, mtu)
    return measure([t.args.topod, "reload", f"bench-{t.shape}"])[0]


def reload(t, daemon, rounds):
    """Compared with the minimum: reading the file, and one namespace's share of a bare scan."""
    reloads, checks, looks = [], [], []
    before = status(t)
    for number in range(rounds):
        reloads.append(reload_once(t, topology.MTU - 100 - number))
        checks.append(measure([t.args.topod, "check", t.spec])[0])
        looks.append(t.floor("observe")["ms"] / t.n)
    after = status(t)
    result = {"ms": statistics.median(reloads), "check_ms": statistics.median(checks),
              "look_ms": statistics.median(looks),
              "ratio": statistics.median(r / (c + o) for r, c, o in zip(reloads, checks, looks)),
              "looks": (after["looks"] - before["looks"]) / rounds,
              "narrow_looks": (after["narrow_looks"] - before["narrow_looks"]) / rounds}
    if shutil.which("strace"):
        requests = Requests(daemon)
        reload_once(t, topology.MTU - 50)
        result.update(requests.stop())
    reload_once(t, topology.MTU)
    return result


# Work per event


def control(pid, *arguments):
    """callgrind_control reports success only as text."""
    done = subprocess.run(["callgrind_control", *arguments, str(pid)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"callgrind_control: {done.stderr.strip() or done.stdout.strip()}")


def disturb(t, kind, count):
    t.floor("drift", "--kind", kind, "--count", str(count), "--pause", "30", accept=(0, 1))


def count_work(t, pid, kind, part):
    """Instructions for an event of this kind, the mean of many. `part`: the number of callgrind's file."""
    disturb(t, kind, WARMING)
    control(pid, "-z")
    disturb(t, kind, WORK_COUNT)
    control(pid, "-d")
    found = re.search(r"^summary: (\d+)", open_text(f"{SCRATCH}/callgrind.{part}"), re.M)
    return int(found[1]) / WORK_COUNT


def work(t):
    """{kind: instructions}; the topology is built at full speed before the daemon starts."""
    t.topod("apply")
    t.quiet()
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={SCRATCH}/callgrind",
               t.args.topod, "run", t.spec]
    daemon = Daemon(command, "callgrind")
    try:
        control(daemon.process.pid, "-i", "on")
        return {kind: count_work(t, daemon.process.pid, kind, part) for part, kind in enumerate(WORK_KINDS, 1)}
    finally:
        daemon.stop()
        for name in os.listdir(SCRATCH):
            if name.startswith("callgrind."):
                os.unlink(f"{SCRATCH}/{name}")
        t.topod("down")
        t.floor("settle")


def have_callgrind():
    return bool(shutil.which("valgrind") and shutil.which("callgrind_control"))


def memory(t):
    """Resident megabytes of a daemon on an existing topology."""
    t.topod("apply")
    daemon = Daemon([t.args.topod, "run", t.spec], "large")
    try:
        return daemon.memory()["VmRSS"]
    finally:
        daemon.stop()
        t.topod("down")
        t.floor("settle")
