# SPDX-License-Identifier: GPL-2.0-or-later
"""
Topologies made from a seed: random combinations of the fields of every kind, according to `topod schema`, with values at the
limits; and trying one of them on an isolated machine.

New fields take part automatically. Only texts have candidates here, by key; a key without candidates gets those of other keys.
Every topology must end in one of three ways: converged and stable, a mistake that `check` finds, or a refusal that is reported
with its position.

    combine.py SEED        prints that topology
    combine.py SEED --run  tries it in the namespaces that the caller has made (test_combinations.py)
"""

import functools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

TOPOD = os.environ.get("TOPOD", "topod")
DEADLINE = 10 * float(os.environ.get("TOPOD_TEST_DEADLINE", "15"))  # for one call; only one that hangs reaches it
PLACE = re.compile(r":\d+:\d+: error: ")
SANITIZER = re.compile(r"(Address|Leak|UndefinedBehavior|Memory)Sanitizer|runtime error:")

NAMESPACES = ["host", "a", "b"]
DURATIONS = [0, 1, "1s", "2s", "6s", "15s", "30s", "40s", "10m", "1500ms", "999ms", "4294967295s", "1h"]
SETTINGS = [  # the schema does not list settings; those of an interface contain NAME
    ("net.ipv4.ip_forward", [0, 1]), ("net.ipv4.conf.all.forwarding", [0, 1]), ("net.ipv6.conf.all.forwarding", [0, 1]),
    ("net.ipv4.conf.all.rp_filter", [0, 1, 2]), ("net.ipv4.conf.default.rp_filter", [0, 2]),
    ("net.ipv4.conf.NAME.rp_filter", [0, 1, 2]), ("net.ipv4.conf.NAME.proxy_arp", [0, 1]),
    ("net.ipv4.conf.NAME.forwarding", [0, 1]), ("net.ipv6.conf.NAME.disable_ipv6", [0, 1]),
    ("net.ipv6.conf.all.disable_ipv6", [0, 1]), ("net.ipv6.conf.default.disable_ipv6", [0, 1]),
    ("net.ipv6.conf.NAME.stable_secret", ["2001:db8::1", "::1"]), ("net.ipv6.conf.NAME.accept_dad", [0, 1, 2]),
    ("net.ipv6.conf.NAME.hop_limit", [1, 64, 255]), ("net.ipv4.neigh.NAME.retrans_time_ms", [1, 333, 1000]),
    ("net.ipv4.ip_local_reserved_ports", ["80,22-25", "22-25,80", ""]), ("net.ipv4.ip_local_port_range", ["1024 65535"]),
    ("net.ipv4.ip_default_ttl", [1, 64, 255, "0x40"]), ("net.ipv4.tcp_rmem", ["4096 131072 6291456", 4096]),
    ("net.ipv4.ping_group_range", ["1 0", "0 100"]), ("net.ipv6.conf.NAME.addr_gen_mode", [0, 1]),
]


@functools.cache
def is_lacking(kind):
    """Is it a kind of link that this kernel does not know?"""
    done = subprocess.run(["ip", "link", "add", "topod-probe", "type", kind], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode == 0:
        subprocess.run(["ip", "link", "delete", "topod-probe"], check=True)
    return "Unknown device type" in done.stderr


class Draw:
    """Draws one topology. Everything follows from the seed and the schema."""

    def __init__(self, seed, schema):
        self.random = random.Random(seed)
        self.defs = schema["$defs"]
        self.schema = schema
        self.links = []  # (namespace, name)
        self.ns = "a"
        self.name = "e0"
        self.n_addresses = 0

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def pick(self, values):
        return self.random.choice(list(values))

    # Values -------------------------------------------------------------------------------------------------

    def value(self, key, node):
        if "$ref" in node:
            name = node["$ref"].rsplit("/", 1)[1]
            if name == "interface-name":
                return self.text(key)
            return self.value(key, self.defs[name])
        if "const" in node:
            return node["const"]
        if key == "wait":
            return "optional"  # nothing comes here, so a daemon would wait for ever
        if "enum" in node:
            return self.pick(node["enum"])
        if "anyOf" in node:
            choices = [n for n in node["anyOf"] if n.get("$ref") != "#/$defs/computed"]  # this needs a range around it
            usual = [n for n in choices if n.get("type") != "null"]
            return None if len(usual) < len(choices) and self.chance(3) else self.value(key, self.pick(usual))
        if node.get("pattern", "").endswith("(us|ms|s|m|h)?$"):
            return self.pick(DURATIONS)
        kind = node.get("type")
        kind = self.pick(kind) if isinstance(kind, list) else kind
        return getattr(self, f"value_{kind}")(key, node)

    def value_boolean(self, key, node):
        return self.chance(50)

    def value_null(self, key, node):
        return None

    def value_integer(self, key, node):
        low, high = node.get("minimum", 0), node.get("maximum", 2**32 - 1)
        if self.chance(3):
            return self.pick([low - 1, high + 1])
        near = [n for n in (0, 1, 2, 4, 8, 15, 16, 64, 255, 256, 1279, 1280, 1400, 1500, 9000, 65520, 65535) if low <= n <= high]
        return self.pick([low, low, high, high, (low + high) // 2, *near])

    def value_string(self, key, node):
        return self.text(key)

    def value_array(self, key, node):
        n = self.random.randrange(node.get("minItems", 1), node.get("maxItems", 3) + 1)
        return [self.value(key, node.get("items", {"type": "string"})) for _ in range(n)]

    def value_object(self, key, node, percent=30, without=()):
        out = {}
        for name, each in node.get("properties", {}).items():
            if name not in without and (name in node.get("required", []) or self.chance(percent)):
                out[name] = self.value(name, each)
        return out

    # Texts --------------------------------------------------------------------------------------------------

    def some_link(self):
        """An interface of this namespace, or rarely one that does not exist."""
        here = [name for ns, name in self.links if ns == self.ns]
        return "none" if self.chance(2) or not here else self.pick(here)

    def lower(self):
        ns, name = self.pick(self.links) if self.chance(20) else (self.ns, self.some_link())
        return name if ns == self.ns else f"{ns}:{name}"

    def ip(self):
        if self.chance(70):
            return f"10.{self.pick([0, 1, 2])}.0.{self.pick([1, 2, 3, 254])}"
        return f"fd00:{self.pick([0, 1, 2])}::{self.pick([1, 2, 3])}"

    def destination(self):
        return self.pick(["default", "::/0", "192.0.2.0/24", "198.51.100.7", "2001:db8::/32", "10.0.0.0/24"])

    def selector(self):
        return self.pick(["", "", "not "]) + self.pick(["10.0.0.0/8", "192.0.2.1", "0.0.0.0/0", "2001:db8::/32", "fd00::1"])

    def own_address(self):
        self.n_addresses += 1
        if self.chance(75):
            return f"10.{self.pick([0, 1, 2])}.0.{self.n_addresses}/{self.pick([8, 24, 24, 30, 31, 32])}"
        return f"fd00:{self.pick([0, 1, 2])}::{self.n_addresses}/{self.pick([64, 64, 126, 128])}"

    def nat_target(self):
        return self.pick(["10.0.0.9", "10.0.0.9:80", ":80", "10.0.0.2-10.0.0.9", "10.1.0.0/16", "10.0.0.0/8", "192.0.2.1/32", "fd00::9"])

    def tunnel_key(self):
        return self.pick(["none", "0.0.0.5", "255.255.255.255"])

    def text(self, key):
        words = {
            "mac-address": lambda: f"02:00:00:00:00:{self.random.randrange(1, 6):02x}",
            "link": self.lower, "dev": self.lower if self.ns is None else self.some_link, "name": self.some_link,
            "ports": self.some_link, "in": self.some_link, "out": self.some_link,
            "local": self.ip, "remote": self.ip, "group": lambda: self.pick(["239.0.0.1", "ff05::100", "224.0.0.1"]),
            "source": lambda: self.pick(["f0", "f1", "card0", "06:00:00:00:00:f1"]) if self.what == "physical" else self.pick(["10.0.0.0/8", "not 10.1.0.0/16"]),
            "destination": lambda: self.pick(["10.0.0.0/8", "192.0.2.1", "10.2.0.0/16"]),
            "address": self.ip if self.what == "neighbors" else self.own_address, "addresses": self.own_address,
            "peer": lambda: self.pick(["10.9.0.1/32", "10.9.0.0/24", "fd09::1/128"]),
            "label": lambda: self.pick([self.name, f"{self.name}:x", f"{self.name}:0123456789abcdef"]),
            "broadcast": lambda: self.pick(["10.0.0.255", "0.0.0.0", "255.255.255.255", "10.1.0.255"]),
            "from": lambda: self.pick(["fd00::/32", "10.0.0.0/8"]) if self.what == "routes" else self.selector(),
            "segments": lambda: self.pick(["fc00::1", "fc00::2", "10.0.0.1"]),
            "congctl": lambda: self.pick(["reno", "cubic", "none", "nosuch"]),
            "to": {"rules": self.selector, "nat": self.nat_target}.get(self.what, self.destination),
            "hairpin": self.some_link, "mark": lambda: self.pick(["0x10", "0x10/0xff", "0/0xff", "4294967295"]),
            "icmp-type": lambda: self.pick(["echo-request", "nd-neighbor-solicit", "3/1", "not 8"]),
            "tcp-flags": lambda: self.pick(["syn", "not ack", "fin", "not rst"]),
            "limit": lambda: self.pick(["10/minute", "1/second burst 9", "3/week"]), "prefix": lambda: self.pick(["10.5.0.0/30", "10.5.1.0/31", "fd05::/127"]) if self.what == "links" else "stray ",
            "pool": lambda: self.pick(["10.6.0.0/16", "fd06::/32"]), "length": lambda: self.pick(["30", "64", "31"]),
            "options": lambda: self.pick(["ndots:1", "rotate"]), "log": lambda: "x" * 127,
            "iif": self.some_link, "oif": self.some_link, "fwmark": lambda: self.pick(["0x10", "0x10/0xff", "0/0x1", "0xffffffff"]),
            "ip-protocol": lambda: self.pick(["tcp", "udp", "icmp", "ipv6-icmp", "255"]),
            "destination-port": lambda: self.pick(["80", "100-200", "1-65535"]), "uid-range": lambda: self.pick(["0-0", "1000-4294967294"]),
            "suppress-prefix-length": lambda: self.pick(["0", "32"]), "suppress-interface-group": lambda: self.pick(["0", "7"]),
            "via": self.ip, "src": self.ip, "table": lambda: self.pick(["main", "local", "7"]),
            "protocol": lambda: self.pick(["tcp", "udp", "icmp"]), "port": lambda: self.pick(["80", "100-200"]),
            "source-port": lambda: self.pick(["80", "100-200"]), "servers": self.ip, "search": lambda: "example.org",
            "key": self.tunnel_key, "input-key": self.tunnel_key, "output-key": self.tunnel_key,
            "underlay": lambda: self.pick(NAMESPACES), "6rd-prefix": lambda: self.pick(["2001:db8::/32", "::/0", "10.0.0.0/8"]),
        }
        draw = words.get(key, lambda: self.pick([self.some_link(), self.ip(), self.own_address()]))
        return draw()

    # Parts --------------------------------------------------------------------------------------------------

    def kinds(self):
        """The kinds that have their own fields; the others are `interface`."""
        return [name for branch in self.defs["any-interface"]["allOf"]
                for name in [branch["then"]["$ref"].rsplit("/", 1)[1]] if name != "interface"]

    def some_kind(self):
        """Rarely one that this kernel lacks: that ends in the same way with any fields."""
        kinds = self.kinds()
        return self.pick(kinds if self.chance(15) else [kind for kind in kinds if not is_lacking(kind)])

    def interface(self, ns, name, what):
        self.ns, self.name, self.what = ns, name, what
        node = self.defs[what]
        return {**self.value_object(name, node, self.pick([5, 15, 35]), without=("drift", "kind")),
                **({"kind": what} if what != "interface" else {})}

    def settings(self):
        out = {}
        for path, values in self.random.sample(SETTINGS, self.pick([0, 0, 1, 3])):
            out[path.replace("NAME", self.some_link())] = self.pick(values)
        return out

    def namespace(self, ns, interfaces):
        self.ns, self.name = ns, "e0"
        out = {"interfaces": interfaces}
        # A section that is added later is included automatically.
        for key, node in self.defs["namespace"]["properties"].items():
            self.what = key
            if (key not in ("interfaces", "sysctl", "adopt", "drift") and self.chance(25)
                    and not (ns == "host" and key in ("dns", "exclusive"))):
                out[key] = self.value(key, node)
        settings = self.settings()
        if settings:
            out["sysctl"] = settings
        return out

    def topology(self):
        chosen = []
        pairs = [("a:e0", "b:e0"), ("a:e1", "host:e1"), ("b:e2", "b:e3")][:self.random.randrange(1, 4)]
        for ends in pairs:
            for end in ends:
                self.links.append(tuple(end.split(":")))
                chosen.append((*end.split(":"), "interface"))
        for i in range(self.random.randrange(0, 5)):
            what, ns = self.some_kind(), self.pick(NAMESPACES[1:] if self.chance(85) else NAMESPACES)
            self.links.append((ns, f"{what[0]}{i}"))
            chosen.append((ns, f"{what[0]}{i}", what))
        interfaces = {ns: {} for ns in NAMESPACES}
        for ns, name, what in chosen:
            if what != "interface" or self.chance(60):
                interfaces[ns][name] = self.interface(ns, name, what)
        if self.chance(30):
            interfaces["host"][self.pick(["f0", "f1"])] = {**self.interface("host", "f0", "interface"), "kind": "existing"}
        links = []
        self.ns, self.what = "a", "links"
        for ends in pairs:
            more = self.value_object("links", self.defs["link"], 15, without=("endpoints",))
            links.append({"endpoints": list(ends), **more} if more else list(ends))
        tree = {"topology": "t", "namespaces": {ns: self.namespace(ns, interfaces[ns]) for ns in NAMESPACES}, "links": links}
        if self.chance(25):
            tree["networks"] = {"net": self.network()}
        return tree

    def network(self):
        """With members written as a range, and one that is also written by hand."""
        out = {"prefix": self.pick(["10.7.0.0/24", "fd07::/64", ["10.7.0.0/29", "fd07::/64"]]), "members": self.pick([["m[1-2]"], ["m[1-2]", "b"]])}
        for key, values in (("bridge", ["host:net0", "a:net0"]), ("isolated", [True]), ("mtu", [1400, 1280])):
            if self.chance(40):
                out[key] = self.pick(values)
        gateway = self.pick([None, False, "m1", out.get("bridge", "net").split(":")[0]])
        if gateway is not None:
            out["gateway"] = gateway
            out["nat"] = bool(gateway) and self.chance(60)
        return out


def write(tree):
    """The tree as JSON, which is valid YAML, with one item per line; and the part of the tree that each line belongs to."""
    lines, places = [], []

    def put(path, head, value, tail):
        if not isinstance(value, (dict, list)) or not value:
            lines.append(" " * len(path) + head + json.dumps(value) + tail)
            places.append(path)
            return
        pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
        opened, closed = "{}" if isinstance(value, dict) else "[]"
        lines.append(" " * len(path) + head + opened)
        places.append(path)
        for i, (key, each) in enumerate(pairs):
            put((*path, key), f"{json.dumps(key)}: " if opened == "{" else "", each, "," if i < len(pairs) - 1 else "")
        lines.append(" " * len(path) + closed + tail)
        places.append(path)

    put((), "", tree, "")
    return "\n".join(lines) + "\n", places


def take_out(tree, path):
    """Removes that part, and everything that is empty without it."""
    *above, last = path
    parent = tree
    for key in above:
        parent = parent[key]
    del parent[last]
    if not parent and len(above) > 3:
        take_out(tree, above)


def tame(tree, path):
    """Removes parts that `check` reports until it reports nothing: the kernel accepts most of the rest."""
    for _ in range(12):
        text, places = write(tree)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o644)
        done = subprocess.run([TOPOD, "check", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        wrong = {places[int(m[1]) - 1] for m in re.finditer(r":(\d+):\d+: error: ", done.stderr)} - {()}
        if not wrong:
            return
        first = min(wrong, key=lambda p: [str(k) for k in p])
        # One item of a list at a time, because the items after it move.
        for each in sorted(wrong, key=lambda p: (-len(p), [str(k) for k in p])):
            if each == first or not any(isinstance(k, int) for k in each):
                try:
                    take_out(tree, each)
                except (KeyError, IndexError):
                    pass  # removed with another part


def draw(seed, schema, path):
    """Writes the topology of that seed to the path, and returns its text."""
    drawn = Draw(seed, schema)
    tree = drawn.topology()
    if drawn.chance(80):
        tame(tree, path)
    text, _ = write(tree)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o644)
    return text


# Trying one -----------------------------------------------------------------------------------------------------


class Wrong(Exception):
    pass


class Trial:
    def __init__(self, seed, path):
        self.seed, self.path, self.said = seed, path, []
        self.seconds = 0  # until it was known how it ends

    def topod(self, *args, expect):
        try:
            done = subprocess.run([TOPOD, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, errors="replace", timeout=DEADLINE, check=False)
        except subprocess.TimeoutExpired as e:
            raise Wrong(f"`topod {args[0]}` does not end") from e
        self.said.append(f"$ topod {' '.join(args)} # {done.returncode}\n{done.stdout}{done.stderr}")
        if SANITIZER.search(done.stderr) or done.returncode not in expect:
            raise Wrong(f"`topod {args[0]}` ends with {done.returncode}")
        return done

    def expect_places(self, done):
        """Each of its errors has a position in the file."""
        heads = [l for l in done.stderr.splitlines() if "error:" in l or l.startswith("topod: ")]
        lost = [l for l in heads if not PLACE.search(l) and " warning" not in l]
        if lost or not heads:
            raise Wrong(f"an error without its place: {lost or done.stderr!r}")

    def keep_quiet(self):
        """`topod run` reports what fails, retries it, and does nothing else."""
        with subprocess.Popen([TOPOD, "run", self.path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, errors="replace") as daemon:
            try:
                self.watch()
            finally:
                daemon.terminate()
                self.said.append("$ topod run\n" + daemon.stderr.read()[-4000:])
        if SANITIZER.search(self.said[-1]):
            raise Wrong("`topod run`: a sanitizer found something")

    def watch(self):
        """Waits until each object that fails was retried. The number of scans meanwhile has a limit, however slow the machine is."""
        end, first, last = time.monotonic() + DEADLINE, None, None
        while not first or last["retries"] < max(1, last["failing"]):
            answer = subprocess.run([TOPOD, "status", "t", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                    check=False).stdout
            running = json.loads(answer)["topologies"] if answer else []
            last = running[0] if running else {"state": "not there", "retries": 0, "failing": 0}
            first = first or (last if last["state"] in ("degraded", "converged") and not last["pending"] else None)
            if first and last["state"] == "converged":
                return
            if time.monotonic() > end:
                raise Wrong(f"`topod run` is {last['state']}, after {last.get('looks')} looks and {last['retries']} retries")
        looks = last["looks"] - first["looks"]
        if looks > 60 * (1 + last["retries"] - first["retries"]):
            raise Wrong(f"`topod run` does not come to rest: {looks} looks for {last['retries']} retries")

    # Disturbances -------------------------------------------------------------------------------------------

    def ip(self, *words):
        done = subprocess.run(["ip", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.said.append(f"$ ip {' '.join(words)}\n{done.stdout}")
        return done.returncode == 0

    def found(self, *words):
        return json.loads(subprocess.run(["ip", "-j", *words], stdout=subprocess.PIPE, check=True, text=True).stdout or "[]")

    def settle(self, what):
        """Waits until `plan` has nothing to do, or no more than before."""
        end = time.monotonic() + DEADLINE
        while subprocess.run([TOPOD, "plan", self.path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
            if time.monotonic() > end:
                self.topod("plan", self.path, expect=(0,))
                raise Wrong(f"it does not come to rest after {what}")

    @staticmethod
    def some_namespace(dice):
        """One that exists: those with `attach` do not."""
        there = [ns for ns in NAMESPACES[1:] if os.path.exists(f"/run/netns/{ns}")]
        return dice.choice(there) if there else None

    def lose_name(self, dice):
        """Deletes the name of a namespace while a process is in it: afterwards the same namespace must have its name again."""
        ns = self.some_namespace(dice)
        if not ns:
            return
        before = os.stat(f"/run/netns/{ns}").st_ino
        with subprocess.Popen(["ip", "netns", "exec", ns, "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            self.ip("netns", "delete", ns)
            self.settle("`ip netns delete`")
            if os.stat(f"/run/netns/{ns}").st_ino != before:
                raise Wrong(f"{ns} is another namespace than before")
            process.communicate()

    def move_away(self, dice):
        """Moves a link that topod can recreate to a namespace that it never scans."""
        ns = self.some_namespace(dice)
        if not ns:
            return
        macs = [f"06:00:00:00:00:{end}" for end in ("f0", "f1")]  # interfaces that are moved in can only be waited for
        links = [l["ifname"] for l in self.found("-n", ns, "link")
                 if l["ifname"] != "lo" and l.get("address") not in macs]  # a tun has none
        if links and self.ip("-n", ns, "link", "set", dice.choice(links), "netns", "z"):
            self.settle("`ip link set netns`")

    def hide_route(self, dice):
        """Adds another route in front of one of topod's: that is reported, and over when the other route is deleted."""
        ns = self.some_namespace(dice)
        if not ns:
            return
        routes = [r for r in self.found("-n", ns, "-4", "route") if r.get("protocol") == "84" and "gateway" in r]
        if not routes:
            return
        route = dice.choice(routes)
        words = [route["dst"], "dev", route["dev"], *(["metric", str(route["metric"])] if "metric" in route else [])]
        if not self.ip("-n", ns, "route", "prepend", *words):
            return
        if "is hidden by" not in self.topod("plan", self.path, expect=(2,)).stdout:
            raise Wrong("`plan` does not say that a route is hidden")
        self.ip("-n", ns, "route", "delete", *words, "protocol", "boot")
        self.settle("`ip route delete`")

    def disturb(self):
        """`topod run` repairs what somebody else changes."""
        dice = random.Random(self.seed)
        acts = [self.lose_name, self.move_away, self.hide_route]
        with subprocess.Popen([TOPOD, "run", self.path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, errors="replace") as daemon:
            try:
                self.watch()
                for act in dice.sample(acts, 3):
                    act(dice)
            finally:
                daemon.terminate()
                self.said.append("$ topod run\n" + daemon.stderr.read()[-4000:])
        if SANITIZER.search(self.said[-1]):
            raise Wrong("`topod run`: a sanitizer found something")

    def run(self):
        begun = time.monotonic()
        done = self.topod("check", self.path, expect=(0, 78))
        if done.returncode == 0:
            done = self.topod("apply", self.path, expect=(0, 1))
        self.seconds = time.monotonic() - begun
        if done.returncode == 78:
            self.expect_places(done)
            return "mistake"
        if done.returncode == 0:
            self.topod("plan", self.path, expect=(0,))
            self.said.append(round_trip(self.topod))
            self.disturb()
        else:
            self.expect_places(done)
            self.keep_quiet()
        self.topod("down", self.path, expect=(0,))
        left = [n for n in os.listdir("/run/netns") if n != "z"]
        if left:
            raise Wrong(f"`down` left {left}")
        return "refused" if done.returncode else "converged"


# Exporting ------------------------------------------------------------------------------------------------------


def plan_nothing(topod, text, what):
    with open("/run/export.yaml", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod("/run/export.yaml", 0o644)
    done = topod("plan", "/run/export.yaml", expect=(0, 2))
    if "nothing to do" not in done.stdout:
        raise Wrong(f"`plan` of {what} is not empty:\n{text}\n{done.stdout}{done.stderr}")


def make_elsewhere(text):
    """Applies the file on an empty machine, and exports it there; returns that and what was said."""
    with open("/run/fresh.yaml", "w", encoding="utf-8") as f:
        f.write(text)
    command = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, "-B", os.path.abspath(__file__),
               "/run/fresh.yaml", "--again"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    return done.stdout, done.stderr


def round_trip(topod):
    """What runs as a file, for its topology and as if somebody else had made it: `plan` finds nothing to do, and applied on an
    empty machine it makes the same, which is exported as the same file. topod: runs a verb. Returns the file; raises Wrong."""
    own = topod("export", "--all", expect=(0,)).stdout
    if own.startswith("topology: "):
        plan_nothing(topod, own, "what the topology exported")
    os.makedirs("/run/topod", exist_ok=True)  # missing if everything waits
    os.rename("/run/topod", "/run/topod.away")
    try:
        plan_nothing(topod, topod("export", "--all", expect=(0,)).stdout, "what was exported")
        first = topod("export", "--all", "--fresh", "--json", expect=(0,)).stdout
        second, said = make_elsewhere(json.dumps(json.loads(first)["file"]))
        if not second or unordered(json.loads(second)["file"]) != unordered(json.loads(first)["file"]):
            raise Wrong(f"what was exported makes something else elsewhere:\n{first}{said}{second}")
    finally:
        shutil.rmtree("/run/topod", ignore_errors=True)
        os.rename("/run/topod.away", "/run/topod")
    return own


def furnish():
    """Prepares the machine: an interface that is not topod's, with another end."""
    script = """
        set -e
        mount -n -t tmpfs -o mode=755 run /run
        mkdir -p /etc/netns /run/netns
        mount -n -t tmpfs -o mode=755 netns /etc/netns
        ip link set lo up
        ip link add f0 address 06:00:00:00:00:f0 type veth peer name f1 address 06:00:00:00:00:f1
        ip link set f0 up; ip link set f1 up
        ip link property add dev f0 altname card0
        ip netns add z
    """
    subprocess.run(["sh", "-c", script], check=True)


def unordered(tree):
    """The tree without the order of lists: the kernel's order of routes may differ."""
    if isinstance(tree, dict):
        return {k: unordered(v) for k, v in tree.items()}
    return sorted((unordered(v) for v in tree), key=json.dumps) if isinstance(tree, list) else tree


def again(path):
    """Applies an exported file on an empty machine, and exports it again."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    subprocess.run(["sh", "-ec", """
        mount -n -t tmpfs -o mode=755 run /run
        mkdir -p /etc/netns /run/netns
        mount -n -t tmpfs -o mode=755 netns /etc/netns
        ip link set lo up
    """], check=True)
    with open("/run/x.yaml", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod("/run/x.yaml", 0o644)
    subprocess.run([TOPOD, "apply", "/run/x.yaml"], stdout=sys.stderr, check=False)
    shutil.rmtree("/run/topod", ignore_errors=True)
    subprocess.run([TOPOD, "export", "--all", "--fresh", "--json"], check=False)


def main(seed, run):
    schema = json.loads(subprocess.run([TOPOD, "schema"], check=True, stdout=subprocess.PIPE).stdout)
    if not run:
        with tempfile.TemporaryDirectory() as directory:
            print(draw(seed, schema, f"{directory}/t.yaml"), end="")
        return
    furnish()
    path = "/run/t.yaml"
    text = draw(seed, schema, path)
    trial = Trial(seed, path)
    try:
        outcome, why = trial.run(), None
    except Wrong as e:
        outcome, why = "wrong", str(e)
    print(json.dumps({"seed": seed, "outcome": outcome, "why": why, "seconds": trial.seconds, "text": text, "said": trial.said}))


if __name__ == "__main__" and "--again" in sys.argv:
    again(sys.argv[1])
elif __name__ == "__main__":
    main(int(sys.argv[1]), "--run" in sys.argv[2:])
