# SPDX-License-Identifier: GPL-2.0-or-later
"""Two binaries of topod side by side, as a table in Markdown: the costs of the older and of the newer one.

In each round both do the same work, one after the other, and so does the floor. A time is given as a multiple of
the floor's in the same round, so that other load on the machine affects all of them. Instructions (callgrind) and
system calls (strace) do not depend on that. They are those of the process, without the kernel's.
"""
import argparse
import re
import statistics

import standing
from process import SCRATCH, Daemon, Failed, Watcher, measure, open_text

VERBS = ("apply", "plan", "down")
WHO = ("old", "new")


class Table:
    """Values of both binaries by what was measured."""

    def __init__(self):
        self.values = {}

    def add(self, what, who, value):
        self.values.setdefault(what, {name: [] for name in WHO})[who].append(value)

    def lines(self, column):
        yield f"| {column} | old | new | new / old |"
        yield "| --- | --- | --- | --- |"
        for what, found in self.values.items():
            old, new = (statistics.median(found[who]) if found[who] else None for who in WHO)
            if not old or new is None:
                yield f"| {what} | {show(old)} | {show(new)} | – |"
            else:
                yield f"| {what} | {show(old)} | {show(new)} | {new / old:.2f} |"


def show(value):
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def topologies(make, args, shape, n):
    """{who: Topology}; one file, two binaries."""
    return {who: make(argparse.Namespace(**{**vars(args), "topod": binary}), shape, n)
            for who, binary in zip(WHO, (args.against, args.topod))}


# Times


def wall_round(t, who, table, floor):
    apply = t.topod("apply")
    table.add("`apply` from nothing, × floor", who, apply[0] / floor["build"])
    table.add("its user time, ms", who, apply[1])
    t.quiet()
    observe = t.floor_ms("observe")
    table.add("`plan` with nothing to do, × observation", who, t.topod("plan")[0] / observe)
    table.add("`apply` with nothing to do, × observation", who, t.topod("apply")[0] / observe)
    table.add("`down`, × floor", who, t.topod("down")[0] / floor["down"])
    t.floor("settle")


def floor_round(t):
    build = t.floor_ms("build")
    t.quiet()
    down = measure(t.floor_command("down"))[0]
    t.floor("settle")
    return {"build": build, "down": down}


def walls(both, table, rounds):
    for number in range(rounds):
        floor = floor_round(both["new"])
        for who in WHO if number % 2 == 0 else reversed(WHO):
            wall_round(both[who], who, table, floor)


# Counts


def count_instructions(t, verb):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={SCRATCH}/callgrind",
               t.args.topod, verb, t.spec]
    measure(command)
    return int(re.search(r"Collected : (\d+)", open_text(f"{SCRATCH}/callgrind"))[1]) / 1e6


def count_calls(t, verb):
    measure(["strace", "-f", "-c", "-o", f"{SCRATCH}/calls", t.args.topod, verb, t.spec])
    return int(re.search(r"^100\.00\s+\S+(?:\s+\d+)?\s+(\d+)(?:\s+\d+)? total$", open_text(f"{SCRATCH}/calls"), re.M)[1])


def counts(both, table):
    for unit, count in (("million instructions", count_instructions), ("system calls", count_calls)):
        for who in WHO:
            for verb in VERBS:
                table.add(f"`{verb}`, {unit}", who, count(both[who], verb))
            both[who].floor("settle")


def check(both, table):
    for who in WHO:
        table.add("`check`, million instructions", who, count_instructions(both[who], "check"))


# The daemon


def repairs(t, who, table, kinds, count):
    daemon = Daemon([t.args.topod, "run", t.spec], "topod")
    try:
        table.add("the daemon, MB at most", who, daemon.memory()["VmHWM"])
        watcher = Watcher(t.args.topod, f"bench-{t.shape}")
        t.idle()
        for kind in kinds:
            before = len(watcher.events())
            t.floor("drift", "--kind", kind, "--count", str(count), "--pause", "20", accept=(0, 1))
            own = [e["latency_usec"] / 1e3 for e in watcher.events()[before:]
                   if e.get("action") == "restored" and "latency_usec" in e]
            if own:
                table.add(f"repair: {kind}, ms (median)", who, statistics.median(own))
        watcher.stop()
    finally:
        daemon.stop()
    t.topod("down")
    t.floor("settle")


def work(t, who, table):
    for kind, instructions in standing.work(t).items():
        table.add(f"repair: {kind}, thousand instructions", who, instructions / 1e3)


def run(make, args, kinds, progress):
    """[{"shape", "n", "values" or "failure"}]; `make` makes a Topology."""
    results = []
    for shape in args.shapes:
        for n in args.sizes:
            both, table = topologies(make, args, shape, n), Table()
            entry = {"shape": shape, "n": n, "values": table.values}
            try:
                progress(f"{shape} {n}: times")
                walls(both, table, args.rounds)
                for who in WHO if args.drift else ():
                    progress(f"{shape} {n}: repairs: {who}")
                    repairs(both[who], who, table, kinds[shape], args.drift)
                progress(f"{shape} {n}: counting")
                counts(both, table)
                check(both, table)
                for who in WHO if not args.no_work else ():
                    work(both[who], who, table)
            except Failed as e:
                entry["failure"] = str(e)
                both["new"].sweep()
            print("\n".join(table.lines(f"{shape} {n}")) + "\n" + entry.get("failure", ""), flush=True)
            results.append(entry)
    return results
