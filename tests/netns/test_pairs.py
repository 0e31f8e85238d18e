# SPDX-License-Identifier: GPL-2.0-or-later
"""
Two random topologies on one machine, and a random history of both: apply, run, reload, kill -9, stop, down.

After each step, each of the two has everything that it declares, except what the other declares differently, which is refused
with the other's name; the other has lost nothing; nothing is contested. When both are gone, the machine is as it was.

As a test it always tries the same pairs. By hand: `test_pairs.py --seed 5000 --count 100` tries others.
"""

import argparse
import json
import random
import re
import sys

import lab
from lab import HOST, Case

parser = argparse.ArgumentParser(add_help=False)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--count", type=int, default=12)
OPTIONS, REST = parser.parse_known_args()

NAMES = ("a", "b")
VERSIONS = 2
STEPS = 6
# The adopted namespace is made by the other topology, which may not exist.
ALLOWED = re.compile(r"topology '[ab]'|namespace does not exist, and 'adopt: true'")


class Draw:
    """The two versions of one topology's file."""

    def __init__(self, dice, name):
        self.dice, self.name = dice, name

    def chance(self, percent):
        return self.dice.randrange(100) < percent

    def pick(self, *values):
        return self.dice.choice(values)

    def card(self, address, more):
        out = {"kind": "existing"}
        if self.chance(60):
            out["mtu"] = self.pick(1400, 1400, 1450)
        if self.chance(40):
            out["txqueuelen"] = self.pick(500, 500, 77)
        if self.chance(15):
            out["promiscuous"] = True
        if self.chance(80):
            out["addresses"] = [address, *([more] if self.chance(60) else [])]
        return out

    def routes(self):
        out = [{"to": "172.16.0.0/16", "via": self.pick("10.1.0.2", "10.1.0.2", "10.1.0.3"), **self.pick({}, {}, {"mtu": 1300})}]
        if self.chance(50):
            out.append({"to": "172.17.0.0/16", "type": self.pick("blackhole", "blackhole", "unreachable")})
        if self.chance(40):
            out.append({"to": "172.18.0.0/16", "via": "10.1.0.2", "metric": self.pick(50, 60)})
        return out

    def settings(self):
        out = {"net.ipv4.ip_forward": self.pick(1, 1, 0)}
        if self.chance(60):
            out["net.ipv4.conf.ex0.rp_filter"] = self.pick(2, 2, 1)
        if self.chance(30):
            out["net.ipv6.conf.ex1.hop_limit"] = self.pick(70, 70, 80)
        return out

    def host(self):
        first = self.pick("10.1.0.1/24", "10.1.0.1/24", {"address": "10.1.0.1/24", "label": "ex0:x"})
        links = {"ex0": self.card(first, "10.1.1.1/24")}
        if self.chance(30):
            links[f"br-{self.name}"] = {"kind": "bridge", "ports": ["ex1"]}
            links["ex1"] = {"kind": "existing"}
        elif self.chance(40):
            links["ex1"] = self.card({"address": "fd00::1/64", "nodad": True}, "10.2.0.1/24")
        if self.chance(30):
            links["br-x"] = {"kind": "bridge", "ageing-time": self.pick("100s", "20s")}
        out = {"interfaces": links}
        if "addresses" in links["ex0"] and self.chance(80):
            out["routes"] = self.routes()
        if self.chance(60):
            out["sysctl"] = self.settings()
        return out

    def common(self, adopts):
        """A namespace that one makes and the other adopts, or a foreign one that both adopt."""
        number = 8 if self.name == "a" else 9
        out = {"interfaces": {f"br-{self.name}": {"kind": "bridge", "addresses": [f"10.{number}.0.1/24"]},
                              "lo": {"kind": "existing", "addresses": [self.pick("10.7.0.1/32", "10.7.0.1/32", "10.7.0.2/32")]}}}
        if adopts:
            out["adopt"] = True
        if self.chance(25):
            out["exclusive"] = True
        if self.chance(50):
            out["routes"] = [{"to": "172.19.0.0/16", "type": self.pick("blackhole", "blackhole", "unreachable")}]
        if self.chance(50):
            out["sysctl"] = {"net.ipv4.ip_forward": self.pick(1, 1, 0)}
        if self.chance(30):
            out["dns"] = {"servers": [self.pick("10.7.0.53", "10.7.0.53", "10.7.0.54")]}
        return out

    def file(self):
        spaces = {"host": self.host(), f"own-{self.name}": {"interfaces": {"lo": {"addresses": ["10.6.0.1/32"]}}}}
        if self.chance(60):
            spaces["web"] = self.common(self.name == "b")
        if self.chance(40):
            spaces["z0"] = self.common(True)
        out = {"topology": self.name, "namespaces": spaces}
        if self.chance(40):
            spaces["host"]["interfaces"][f"c-{self.name}"] = {"addresses": ["10.3.0.1/24"]}
            out["links"] = [[f"host:c-{self.name}", f"own-{self.name}:e0"]]
        return json.dumps(out, indent=1) + "\n"


class Side:
    """One of the two: its files, its daemon while that runs, and what is left to do according to its plan."""

    def __init__(self, test, dice, name):
        self.test, self.name, self.daemon = test, name, None
        self.versions = [Draw(dice, name).file() for _ in range(VERSIONS)]
        self.path = test.spec(self.versions[0], f"{name}.yaml")
        self.stands = False

    def write(self, version):
        self.test.spec(self.versions[version], f"{self.name}.yaml")

    def plan(self):
        """The objects that it would change, and those that are refused."""
        done = self.test.topod("plan", "--json", self.path, expect=(0, 2))
        changes = json.loads(done.stdout)["changes"]
        refused = [c for c in changes if c["action"] == "refused"]
        self.test.assertEqual([], [c for c in refused if not ALLOWED.search(c["error"])])
        return ({c["object"] for c in changes} - {c["object"] for c in refused}, {c["object"] for c in refused})

    def expect_refusals(self, done):
        heads = [l for l in done.stderr.splitlines() + done.stdout.splitlines() if "error:" in l]
        self.test.assertEqual([], [l for l in heads if not ALLOWED.search(l)])

    def is_well(self):
        """Waits until it has nothing left that it may do. A daemon retries refused changes after a pause; here it
        does so at once."""
        if self.daemon:
            self.expect_refusals(self.test.topod("reload", self.name, expect=(0, 1)))
            status = json.loads(self.test.topod("status", "--json", self.name).stdout)["topologies"][0]
            self.test.assertEqual(0, status["fought_over"], self.daemon.log)
        self.test.assertEqual(set(), self.plan()[0])

    # Steps ----------------------------------------------------------------------------------------------

    def apply(self):
        self.expect_refusals(self.test.topod("apply", self.path, expect=(0, 1)))
        self.stands = True

    def run(self):
        self.daemon = self.test.daemon(self.path)
        self.daemon.wait(lambda: self.daemon.find("failing|degraded") or any("READY" in n for n in self.daemon.notices), "a first pass")
        self.stands = True

    def run_and_crash(self):
        """Kills it at any moment: the result of the next step must be the same."""
        self.test.daemon(self.path).kill()
        self.run()

    def crash(self):
        self.daemon.kill()
        self.daemon = None

    def stop(self):
        self.daemon.stop()
        self.daemon = None

    def down(self):
        if self.daemon:
            self.stop()
        self.test.topod("down", self.path)
        self.stands = False

    def step(self, dice):
        """Makes one of these steps. Returns whether everything that it declares must exist afterwards."""
        version = dice.randrange(VERSIONS)
        if not self.daemon:
            what = dice.choice(["apply", "run", "run_and_crash", *(["down"] if self.stands else [])])
            if what != "down":
                self.write(version)
        else:
            what = dice.choice(["reload", "reload", "crash", "stop", "down"])
            if what == "reload":
                self.write(version)
        getattr(self, what if what != "reload" else "is_well")()
        return f"{what} {self.name} {version}", what not in ("crash", "stop", "down")


class Pairs(Case):
    def make_machine(self, dice):
        lab.sysctl_set(HOST, "net.ipv6.conf.default.accept_dad", 0)  # it takes seconds, and is not tested here
        lab.veth(HOST, "ex0", HOST, "far0")
        lab.veth(HOST, "ex1", HOST, "far1")
        lab.run("ip", "netns", "add", "z0")
        lab.ip("z0", "link set lo up")  # then its addresses stay, whatever happens
        for words in ("addr add 10.250.0.1/24 dev ex0", "link set ex0 mtu 1400", "link set ex0 txqueuelen 500"):
            if dice.randrange(2):
                lab.ip(HOST, words)
        lab.sysctl_set(HOST, "net.ipv4.ip_forward", dice.randrange(2))

    def state(self):
        self.settle(usable=True)
        return lab.state_only(lab.snapshot(exact=True))

    def live(self, dice, sides):
        for _ in range(STEPS):
            side = dice.choice(sides)
            other = sides[side is sides[0]]
            before = other.plan() if other.stands else None
            told, complete = side.step(dice)
            self.story.append(told)
            if complete:
                side.is_well()
            if other.daemon:
                other.is_well()
            elif other.stands:  # it has lost nothing; what was refused may be possible now
                after, _ = other.plan()
                possible = {o.removesuffix(" namespace") for o in before[1] if o.endswith(" namespace")}
                lost = {o for o in after - before[0] - before[1] if re.split("[ /]", o)[0] not in possible}
                self.assertEqual(set(), lost)
        for side in dice.sample(sides, 2):
            if side.stands:
                self.story.append(f"down {side.name}")
                side.down()

    def attempt(self, seed):
        dice = random.Random(seed)
        self.story = []
        self.make_machine(dice)
        sides = [Side(self, dice, name) for name in NAMES]
        before = self.state()
        try:
            self.live(dice, sides)
            self.same(before, self.state(), "the machine is not as it was")
        except BaseException:
            print(f"---- seed {seed}: {', '.join(self.story)}")
            for side in sides:
                for version, text in enumerate(side.versions):
                    print(f"{side.name}, version {version}:\n{text}")
                print("\n  ".join([f"the daemon of {side.name}:", *side.daemon.log]) if side.daemon else "")
            raise

    def test_each(self):
        for seed in range(OPTIONS.seed, OPTIONS.seed + OPTIONS.count):
            if seed > OPTIONS.seed:
                self.doCleanups()
                self.setUp()
            with self.subTest(seed=seed):
                self.attempt(seed)


if __name__ == "__main__":
    sys.argv[1:] = REST if lab.os.environ.get("TOPOD_LAB") == "1" else sys.argv[1:]
    lab.main()
