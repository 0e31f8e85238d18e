# SPDX-License-Identifier: GPL-2.0-or-later
"""
Invalid topology files: every mistake of a file is reported in one run, each with its position and the line with a caret,
and nothing is changed. Hostile files end in one clear error, in bounded memory.
"""

import glob
import json
import os
import re
import resource
import shutil
import subprocess
import unittest

import lab
from lab import Case

# Each file with its mistakes: (the position, marked in the file by «», words of the message). The marks are removed before
# the file is written; they say where line and column must point.
WRONG = {
    "unknown keys": ("""\
version: 1
«namespacess»: {}
namespaces:
  web:
    interfaces:
      eth0:
        «adresses»: [10.0.0.1/24]
        kind: bridge
    «route»:
      - {to: default, via: 10.0.0.2}
    routes:
      - {to: 10.1.0.0/16, «vai»: 10.0.0.2}
""", ["namespacess.*namespaces", "adresses.*addresses", "route.*routes", "vai.*via"]),

    "wrong types": ("""\
namespaces:
  web:
    interfaces:
      br0:
        kind: bridge
        mtu: «big»
        up: «maybe»
        addresses: «{«a»: b}»
        ports: [«[x]»]
    routes: «yes»
    sysctl: «[net.ipv4.ip_forward]»
  db: «7»
links: «none»
""", ["mtu.*big", "up.*maybe", "address", "'a'", "ports", "route.*mapping", "sysctl.*mapping", "namespace.*mapping", "links.*list"]),

    "values out of range": ("""\
namespaces:
  web:
    interfaces:
      br0:
        kind: bridge
        mtu: «99999999999»
        priority: «70000»
      vx:
        kind: vxlan
        id: «16777216»
        remote: 192.0.2.1
        port: «0x10000»
      eth0:
        kind: bridge
        addresses: [«10.0.0.1/33», «10.0.0.256/24», «"fd00::/129"», «"fd00:::1/64"»]
        mac-address: «"02:00:00:00:00"»
""", ["mtu", "priority", "id", "port", r"10\.0\.0\.1/33", r"10\.0\.0\.256", "fd00::/129", "fd00:::1", "mac"]),

    "addresses outside any use": ("""\
namespaces:
  web:
    interfaces:
      eth0:
        kind: bridge
        addresses: [«224.0.0.1/24», «0.0.0.0/8», «"ff02::1/64"», «"::/64"»]
        mac-address: «"01:00:5e:00:00:01"»
""", [r"224\.0\.0\.1", r"0\.0\.0\.0", "ff02::1", "::/64|::", "01:00:5e"]),

    "dangling references": ("""\
namespaces:
  web:
    interfaces:
      eth0: {addresses: [10.0.0.2/24]}
      br0: {kind: bridge, ports: [eth0, «eth9»]}
      mv: {kind: macvlan, link: «nic»}
    routes:
      - {to: 10.1.0.0/16, dev: «eth8»}
links:
  - [web:eth0, «dbb:eth0»]
""", ["eth9", "nic", "eth8.*eth0", "dbb"]),

    "interfaces that others have made": ("""\
namespaces:
  host:
    interfaces:
      br0: {kind: bridge, ports: [«eth0», «{name: card}»]}
      mv: {kind: macvlan, link: «eth0»}
      vx: {kind: vxlan, id: 7, remote: 192.0.2.1, dev: «card»}
    routes:
      - {to: 10.1.0.0/16, dev: eth0}
  web:
    interfaces:
      mv: {kind: macvlan, link: «"host:card"»}
links:
  - [web:eth0, host:c1]
""", ["c1, the host's end of web:eth0.*eth0: {kind: existing}", "card: {kind: existing}", "c1.*web:eth0", "card: {kind",
      "card: {kind"]),

    "used twice": ("""\
namespaces:
  a:
    interfaces:
      br0: {kind: bridge, ports: [x]}
      br1: {kind: bridge, ports: [«x»]}
  b: {}
links:
  - [a:x, b:x]
  - [«a:x», b:y]
  - [a:z, «a:z»]
""", ["x.*(br0|port)|(br0|port).*x", "a:x", "a:z"]),

    "duplicate keys": ("""\
namespaces:
  a: {}
  b: {}
  «a»: {}
""", ["duplicate key 'a'"]),

    "stacking loops": ("""\
namespaces:
  a:
    interfaces:
      m1: {kind: macvlan, link: m2}
      m2: {kind: macvlan, link: m1}
      b1: {kind: bridge, ports: [b2]}
      b2: {kind: bridge, ports: [b1]}
""", ["m1|m2", "b1|b2"]),

    "names the kernel refuses": ("""\
namespaces:
  a:
    interfaces:
      «a-name-of-16-byte»: {kind: bridge}
      «"a/b"»: {kind: bridge}
      «"a b"»: {kind: bridge}
      «"."»: {kind: bridge}
  «"x/y"»: {}
  «".."»: {}
""", ["a-name-of-16-byte", "a/b", "a b", r"\.", "x/y", r"\.\."]),

    "kinds": ("""\
namespaces:
  a:
    interfaces:
      br0: {kind: «brigde»}
      eth0: {«stp»: true, kind: existing}
      «eth1»: {mtu: 1400}
""", ["brigde.*bridge", "stp", "eth1.*kind"]),

    "what a vxlan needs": ("""\
namespaces:
  a:
    interfaces:
      v: {kind: vxlan, port: 1, external: «false»}
      w: {kind: vxlan, external: true, port: 2, id: «7»}
      x: {kind: vxlan, id: 7, port: 3, vni-filter: «true»}
      y1: {kind: vxlan, id: 7}
      z: {kind: vxlan, id: 8, gbp: «true»}
""", ["without 'external' .* needs an 'id'", "remove this one", "needs 'external: true'", "must have the same .*'port'"]),

    "missing keys": ("""\
namespaces:
  a:
    interfaces:
      vx: «{kind: vxlan}»
      mv: «{kind: macvlan}»
    routes:
      - «{via: 10.0.0.1}»
    nat:
      - «{out: eth0}»
      - «{action: dnat}»
""", ["id", "link", "to", "action", "to"]),

    "routes": ("""\
namespaces:
  a:
    interfaces: {br0: {kind: bridge, addresses: [10.0.0.2/24, "fd00::2/64"]}}
    routes:
      - {to: «10.1.1.1/16», via: 10.0.0.1}
      - {to: «default», dev: br0}
      - {to: "fd00:1::/32", via: «10.0.0.300»}
      - {to: 10.4.0.0/16, via: 10.0.0.1, type: «unicost»}
      - {to: 10.5.0.0/16, nexthops: [{via: 10.0.0.1, weight: «257»}]}
      - {to: 10.6.0.0/16, via: 10.0.0.1, table: «no-such-table»}
""", [r"10\.1\.0\.0/16", r"0\.0\.0\.0/0", r"10\.0\.0\.300", "unicost.*unicast", "257|weight", "no-such-table"]),

    "contradictions": ("""\
namespaces:
  a:
    interfaces:
      br0:
        kind: bridge
        addresses: [{address: 10.0.0.1/24, label: "br0:x"}, «{address: 10.0.0.1/24, label: "br0:y"}»]
    routes:
      - {to: 10.1.0.0/16, via: 10.0.0.2}
      - «{to: 10.1.0.0/16, via: 10.0.0.3}»
""", [r"10\.0\.0\.1/24", r"10\.1\.0\.0/16"]),

    "nat": ("""\
namespaces:
  a:
    interfaces: {br0: {kind: bridge, addresses: [10.0.0.1/24]}}
    nat:
      - {action: «masquerde», out: br0}
      - {action: dnat, protocol: tcp, port: «70000», to: "10.0.0.2:80"}
      - {action: dnat, protocol: tcp, port: 80, to: «"10.0.0.2:99999"»}
      - {action: snat, source: 10.0.0.0/24, to: «"fd00::1"»}
      - {action: masquerade, out: br0, protocol: «tpc»}
""", ["masquerde.*masquerade", "70000|port", "99999|port", "fd00::1|family", "tpc"]),

    "surprises of YAML": ("""\
namespaces:
  a:
    interfaces:
      br0:
        kind: bridge
        mac-address: «02:11:22:33:44:55»
  «no»: {}
""", ["quot", "quot"]),

    "sysctl": ("""\
namespaces:
  a:
    sysctl:
      «kernel.hostname»: x
      «net.../../kernel.hostname»: x
      «vm.swappiness»: 1
""", ["net", "net", "net"]),

    "endpoints": ("""\
namespaces:
  a: {}
links:
  - «[a:x]»
  - [a:y, «b»]
  - [a:z, «"a:"»]
  - {endpoints: [a:v, a:w], «mut»: 1400}
  - «just text»
""", ["two ends", "'b'.*namespace:interface", "'a:'.*namespace:interface", "mut.*mtu", "two ends"]),
}

DIAGNOSTIC = re.compile(r"^(?P<file>[^\s:]+):(?P<line>\d+):(?P<column>\d+): (?P<severity>error|warning): (?P<text>.*)$")


def unmark(text):
    """The file without its marks, and the marked places: [(line, column)]."""
    places, out = [], []
    for number, line in enumerate(text.splitlines(), 1):
        while "«" in line:
            places.append((number, line.index("«") + 1))
            line = line.replace("«", "", 1).replace("»", "", 1)
        out.append(line)
    return "\n".join(out) + "\n", places


class WrongSpecs(Case):
    def diagnostics(self, stderr):
        """[(line, column, text)] of the errors, each verified to be followed by its source line and a caret."""
        found, rows = [], stderr.splitlines()
        for i, row in enumerate(rows):
            m = DIAGNOSTIC.match(row)
            if not m or m["severity"] != "error":
                continue
            found.append((int(m["line"]), int(m["column"]), m["text"]))
            self.assertLess(i + 2, len(rows), f"no excerpt below {row!r}")
            self.assertRegex(rows[i + 1], rf"^ +{m['line']} \| ")
            caret = re.match(r"^( +\| )( *)\^+", rows[i + 2])
            self.assertTrue(caret, f"no caret below {row!r}: {rows[i + 2]!r}")
            self.assertEqual(int(m["column"]), len(caret[2]) + 1, f"the caret of {row!r} stands elsewhere")
        return found

    def wrong(self, text, wanted):
        text, places = unmark(text)
        path = self.spec(text, "wrong.yaml")
        before = lab.snapshot()
        done = self.topod("check", path, expect=lab.EXIT_SPEC)
        found = self.diagnostics(done.stderr)
        self.assertEqual("", done.stdout)
        if places:
            self.assertEqual(len(places), len(wanted), "the test itself is wrong")
            for place, words in zip(places, wanted):
                here = [t for line, column, t in found if (line, column) == place]
                self.assertTrue(any(re.search(words, t) for t in here),
                                f"no error like /{words}/ at {place[0]}:{place[1]} in:\n{done.stderr}")
            unexpected = [f for f in found if f[:2] not in places]
            self.assertEqual([], unexpected, done.stderr)
        else:
            for words in wanted:
                self.assertTrue(any(re.search(words, t) for _, _, t in found), f"/{words}/ in:\n{done.stderr}")
        # Every other verb refuses it too, and nothing is changed.
        for verb in ("plan", "apply"):
            self.topod(verb, path, expect=lab.EXIT_SPEC)
        self.same(before, lab.snapshot(), "a wrong file changed something")

    def test_json(self):
        """The JSON has the same positions."""
        text, places = unmark(WRONG["unknown keys"][0])
        done = self.topod("check", "--json", self.spec(text, "wrong.yaml"), expect=lab.EXIT_SPEC)
        answer, = lab.json.loads(done.stdout)["files"]
        seen = set()

        def walk(x):
            if isinstance(x, dict):
                if "line" in x and "column" in x:
                    seen.add((x["line"], x["column"]))
                for v in x.values():
                    walk(v)
            elif isinstance(x, list):
                for v in x:
                    walk(v)
        walk(answer)
        self.assertLessEqual(set(places), seen)

    def test_down_needs_the_name_alone(self):
        """`down` works with any content of the file, as long as the topology's name can be read."""
        before = lab.snapshot()
        path = self.spec("topology: named\nnamespaces: {a: {}}\n", "file.yaml")
        self.topod("apply", path)
        self.assertEqual(["a"], lab.namespaces())
        for text, place in (("namespaces: {a: {}\ntopology: named\n", "file.yaml:2:"), ("topology: [named]\n", "file.yaml:1:11"),
                            ("topology: a/b\n", "file.yaml:1:11"), ("- topology: named\n", "file.yaml:1:1")):
            done = self.topod("down", self.spec(text, "file.yaml"), expect=lab.EXIT_SPEC)
            self.assertIn(place, done.stderr)
            self.assertIn("--topology NAME", done.stderr)
        self.assertEqual(["a"], lab.namespaces())
        self.topod("down", self.spec("drift: maybe\ntopology: named\nnamespaces: {a: [}\n", "file.yaml"))
        self.same(before, lab.snapshot(), "down left a trace")

    def test_several_files(self):
        good = self.spec("namespaces: {a: {}}\n", "good.yaml")
        bad = self.spec("namespaces: {a: {x: 1}}\n", "bad.yaml")
        worse = self.spec("namespaces: {a: {y: 1}}\n", "worse.yaml")
        done = self.topod("check", good, bad, worse, expect=lab.EXIT_SPEC)
        self.assertIn("bad.yaml:1:", done.stderr)
        self.assertIn("worse.yaml:1:", done.stderr)
        self.topod("check", good)

    def test_warnings_do_not_refuse(self):
        text = """\
namespaces:
  a:
    interfaces:
      b0: {kind: bridge, addresses: [10.0.0.1/24]}
      b1: {kind: bridge, addresses: [10.0.0.2/24]}
    routes:
      - {to: 10.9.0.0/16, via: 192.0.2.1}
    nat:
      - {action: masquerade, out: [b0, eth7]}
"""
        done = self.topod("check", self.spec(text, "doubtful.yaml"))
        self.assertRegex(done.stderr, r"doubtful\.yaml:7:\d+: warning: .*192\.0\.2\.1")
        self.assertRegex(done.stderr, r"doubtful\.yaml:[45]:\d+: warning: .*10\.0\.0\.")
        # A rule may refer to an interface that is created later, but a typing error looks the same.
        self.assertRegex(done.stderr, r"doubtful\.yaml:9:40: warning: .*eth7")
        self.assertNotIn("error:", done.stderr)

    def test_strict_refuses_warnings(self):
        """With --strict the warnings are errors, and the file is invalid; a file without warnings stays valid."""
        spec = self.spec("namespaces: {a: {routes: [{to: 10.9.0.0/16, via: 192.0.2.1}]}}\n", "doubtful.yaml")
        self.assertIn("valid", self.topod("check", spec).stdout)
        done = self.topod("check", "--strict", spec, expect=lab.EXIT_SPEC)
        self.assertRegex(done.stderr, r"doubtful\.yaml:1:\d+: error: .*192\.0\.2\.1")
        self.assertNotIn("warning:", done.stderr)
        self.assertEqual("", done.stdout)
        told, = json.loads(self.topod("check", "--strict", "--json", spec, expect=lab.EXIT_SPEC).stdout)["files"]
        self.assertEqual((False, 1, 0), (told["valid"], told["errors"], told["warnings"]))
        self.assertEqual(["error"], [d["severity"] for d in told["diagnostics"]])
        good = self.spec("namespaces: {a: {}}\n", "good.yaml")
        self.assertIn("valid", self.topod("check", "--strict", good).stdout)
        self.topod("plan", "--strict", good, expect=lab.EXIT_USAGE)

    def test_examples_are_beyond_doubt(self):
        """Every file of specs/ and every example of the README and of docs/ is valid, without a warning."""
        top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        files = sorted(glob.glob(os.path.join(top, "specs", "*.yaml")))
        self.assertGreater(len(files), 5)
        for path in files:
            with open(path) as f:
                lab.make_keys(f.read())
        for page in [os.path.join(top, "README.md"), *glob.glob(os.path.join(top, "docs", "*.md"))]:
            with open(page) as f:
                blocks = re.findall(r"^```yaml\n(.*?)^```", f.read(), re.M | re.S)
            for n, block in enumerate(b for b in blocks if "namespaces:" in b):
                files.append(self.spec(block, f"{os.path.basename(page)}-{n}.yaml"))
        self.topod("check", "--strict", *files)

    def test_check_needs_no_privilege(self):
        """As the user nobody, without any capability and without write access to /run."""
        spec = os.path.join(self.directory, "office.yaml")
        self.spec(lab.OFFICE)
        os.chmod(self.directory, 0o755)
        topod = os.path.join(self.directory, "topod")  # the user nobody may have no access to the build directory
        shutil.copy(os.environ["TOPOD"], topod)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all",
                  "--inh-caps=-all"]
        if subprocess.run([*nobody, "true"], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("setpriv cannot become nobody")
        lab.run(*nobody, topod, "check", spec)

    def test_good_specs_are_good(self):
        self.topod("check", self.spec(lab.OFFICE))
        self.topod("check", self.spec("namespaces: {}\n", "empty.yaml"))
        self.topod("check", self.spec("namespaces: {a: {}}\n", "small.yaml"))


def add_wrong_specs():
    for name, (text, wanted) in WRONG.items():
        def test(self, text=text, wanted=wanted):
            self.wrong(text, wanted)
        test.__doc__ = name
        setattr(WrongSpecs, "test_" + re.sub(r"\W+", "_", name), test)


add_wrong_specs()


class Hostile(Case):
    MEMORY = 512 * 1024  # KiB; sanitizers need some of it, an expanded bomb would take gigabytes

    def refused(self, path, words=".", statuses=(lab.EXIT_SPEC,)):
        """One clear error, no crash, bounded memory and processor time."""
        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for verb in ("check", "apply"):
            with open(os.path.join(self.directory, "said"), "w+b") as said:
                process = subprocess.Popen([os.environ["TOPOD"], verb, path], stdin=subprocess.DEVNULL,
                                           stdout=subprocess.DEVNULL, stderr=said, preexec_fn=limit)
                self.addCleanup(lambda p=process: p.poll() is None and p.kill())
                fd = os.pidfd_open(process.pid)
                if not lab.select.select([fd], [], [], lab.DEADLINE)[0]:
                    process.kill()
                    self.fail(f"topod {verb} {path} does not end")
                os.close(fd)
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                said.seek(0)
                text = said.read(1 << 20).decode(errors="replace")
            self.assertIn(process.returncode, statuses, text)
            self.assertIsNone(lab.SANITIZER.search(text), text)
            errors = [l for l in text.splitlines() if re.search(r"\berror: ", l)]
            self.assertEqual(1, len(errors), f"not one error but {len(errors)}:\n{text[:4000]}")
            self.assertIn(os.path.basename(path), errors[0])
            self.assertRegex(text, words)
            self.assertLess(len(text), 4000, "the error shows too much of the file")
            self.assertNotRegex(text, r"[\x00-\x08\x0b-\x1f\x7f]", "control characters reach the terminal")
            self.assertLess(usage.ru_maxrss, self.MEMORY, "it took too much memory")

    def write(self, name, data):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as f:
            for part in data if not isinstance(data, bytes) else [data]:
                f.write(part)
        return path

    def test_bomb(self):
        levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
        self.refused(self.write("bomb.yaml", "\n".join(levels).encode() + b"\n"), "(?i)alias")

    def test_bomb_by_merging(self):
        levels = ["m0: &m0 {k0: v}"]
        levels += [f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 9)}], k{i}: *m{i - 1}}}" for i in range(1, 30)]
        self.refused(self.write("merge.yaml", "\n".join(levels).encode() + b"\n"))

    def test_large_file(self):
        self.refused(self.write("large.yaml", (b"# a comment line that says nothing\n" * 30000 for _ in range(100))))

    def test_sparse_file(self):
        path = self.write("sparse.yaml", b"")
        os.truncate(path, 1 << 40)
        self.refused(path)

    def test_deep_sequences(self):
        self.refused(self.write("deep.yaml", b"a: " + b"[" * 10000 + b"]" * 10000 + b"\n"), "(?i)deep|depth|nest")

    def test_deep_mappings(self):
        self.refused(self.write("deep.yaml", b"{a: " * 10000 + b"x" + b"}" * 10000 + b"\n"), "(?i)deep|depth|nest")

    def test_deep_blocks(self):
        self.refused(self.write("deep.yaml", b"".join(b" " * i + b"a:\n" for i in range(10000))),
                     "(?i)deep|depth|nest")

    def test_unclosed_depth(self):
        self.refused(self.write("deep.yaml", b"- " * 10000 + b"\n"), "(?i)deep|depth|nest")

    def test_binary(self):
        noise = bytes((i * 7919 + (i >> 8) * 31) & 0xFF for i in range(1 << 16))
        self.refused(self.write("noise.yaml", noise))

    def test_program(self):
        with open(os.environ["TOPOD"], "rb") as f:
            self.refused(self.write("program.yaml", f.read()))

    def test_escape_sequences(self):
        """Control sequences must not reach the terminal."""
        self.refused(self.write("escape.yaml", b'"\x1b[2J": 1\n'))

    def test_invalid_utf8(self):
        self.refused(self.write("utf8.yaml", b"namespaces: {\xff\xfe: {}}\n"))

    def test_fifo_is_not_waited_for(self):
        path = os.path.join(self.directory, "fifo.yaml")
        os.mkfifo(path)
        self.refused(path, statuses=(lab.EXIT_FAILED, lab.EXIT_SPEC))

    def test_device(self):
        path = os.path.join(self.directory, "zero.yaml")
        os.symlink("/dev/zero", path)
        self.refused(path, statuses=(lab.EXIT_FAILED, lab.EXIT_SPEC))

    def test_folder(self):
        path = os.path.join(self.directory, "directory.yaml")
        os.mkdir(path)
        self.refused(path, statuses=(lab.EXIT_FAILED, lab.EXIT_SPEC))

    def test_missing(self):
        self.refused(os.path.join(self.directory, "missing.yaml"), statuses=(lab.EXIT_FAILED, lab.EXIT_SPEC))

    def test_many_mistakes(self):
        """Ten thousand mistakes: all are counted, some are shown."""
        rows = b"".join(b"  n%d: {x%d: 1}\n" % (i, i) for i in range(10000))
        path = self.write("many.yaml", b"namespaces:\n" + rows)
        done = self.topod("check", path, expect=lab.EXIT_SPEC)
        self.assertGreater(done.stderr.count("error: "), 100)
        self.assertLess(len(done.stderr), 1 << 20)


if __name__ == "__main__":
    lab.main()
