# SPDX-License-Identifier: GPL-2.0-or-later
"""A file in nft's own language: made, changed, repaired, removed; its mistakes with their places; libnftables that crashes."""

import os
import shutil

import lab
from lab import Case

SPEC = """\
namespaces:
  web:
    nft: rules.nft
    filter: {input: {rules: [{protocol: tcp, port: 22, action: accept}]}}
"""
RULES = """\
# the content of a table
define lan = 10.0.0.0/8
set blocked { type ipv4_addr; flags interval; elements = { 192.0.2.0/24, 198.51.100.7 } }
set seen { type ipv4_addr; flags dynamic, timeout; timeout 1h; }
counter hits { }
chain mine {
	type filter hook input priority filter + 5; policy accept;
	ip saddr @blocked counter drop
	tcp dport { 23, 80 } counter name hits accept comment "hello"
	ip saddr $lan ct state established ct mark set 5
	tcp dport ssh add @seen { ip saddr }
	tcp dport vmap { 443 : accept, 8080 : jump deeper }
}
chain deeper {
	ip saddr . tcp dport vmap { 10.0.0.1 . 80 : accept }
	limit rate 5/minute log prefix "x"
	quota 10 mbytes drop
}
"""
TABLE = "topod-office"


def listing(ns="web"):
    return lab.nft(ns, "-s", "list", "table", "inet", TABLE).stdout


def by_hand(*words):
    lab.nft("web", *words)


def last_handle(chain):
    text = lab.nft("web", "-a", "list", "chain", "inet", TABLE, chain).stdout
    return [line.rsplit(" ", 1)[1] for line in text.splitlines() if "# handle" in line][-1]


class Nft(Case):
    def setUp(self):
        super().setUp()
        self.before = lab.snapshot()
        self.rules(RULES)
        self.path = self.spec(SPEC)

    def rules(self, text, name="rules.nft"):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def refused(self, text, *expected, verb="check"):
        self.rules(text)
        said = self.topod(verb, self.path, expect=lab.EXIT_SPEC).stderr
        for words in expected:
            self.assertIn(words, said)

    def disturbances(self):
        return [("delete", "rule", "inet", TABLE, "deeper", "handle", last_handle("deeper")),
                ("add", "rule", "inet", TABLE, "mine", "drop"),
                ("add", "element", "inet", TABLE, "blocked", "{ 203.0.113.9 }"),
                ("delete", "element", "inet", TABLE, "blocked", "{ 198.51.100.7 }"),
                ("add", "set", "inet", TABLE, "other", "{ type ipv4_addr; }"),
                ("add", "chain", "inet", TABLE, "fourth"),
                ("delete", "table", "inet", TABLE)]

    def test_made_and_repaired(self):
        self.topod("apply", self.path)
        self.topod("plan", self.path)
        want = listing()
        for words in ("tcp dport 22 accept", "counter name \"hits\" accept comment \"hello\"", "198.51.100.7", "chain mine"):
            self.assertIn(words, want)
        for i in range(len(self.disturbances())):
            by_hand(*self.disturbances()[i])
            with self.subTest(apply=i):
                self.topod("plan", self.path, expect=lab.EXIT_DIFFERENCES)
                self.topod("apply", self.path)
                self.topod("plan", self.path)
                self.assertEqual(want, listing())
        d = self.daemon(self.path).ready()
        for i in range(4):
            with self.subTest(daemon=i), d.expects("drift: web: .*nftables table.*restored"):
                by_hand(*self.disturbances()[i])
        self.assertEqual(want, listing())
        d.stop()
        self.topod("down", self.path)
        self.same(self.before, lab.snapshot(), "down left a trace")

    def test_what_rules_fill_is_no_drift(self):
        self.topod("apply", self.path)
        by_hand("add", "element", "inet", TABLE, "seen", "{ 203.0.113.9 }")
        self.topod("plan", self.path)

    def test_edited_while_a_daemon_runs(self):
        d = self.daemon(self.path).ready()
        self.rules(lab.edit(RULES, ("198.51.100.7", "198.51.100.8"), ("quota 10 mbytes", "quota 11 mbytes")))
        plan = self.topod("plan", self.path, expect=lab.EXIT_DIFFERENCES).stdout
        self.assertIn("+ nft sets, maps or objects", plan)
        self.assertIn("+ nft chain deeper", plan)
        d.reload()
        self.topod("plan", self.path)
        self.assertIn("198.51.100.8", listing())
        # A mistake changes nothing.
        before = listing()
        self.rules("chain mine { ip saddr 10.0.0.300 drop\n}\n")
        done = self.topod("reload", "office", expect=lab.EXIT_SPEC)
        self.assertIn("rules.nft:1:", done.stderr)
        self.assertEqual(before, listing())
        # Taken out, only what `filter` says stays.
        self.spec(SPEC.replace("    nft: rules.nft\n", ""))
        d.reload()
        self.assertNotIn("chain mine", listing())
        self.assertIn("tcp dport 22 accept", listing())
        d.stop()

    def test_a_whole_table(self):
        self.rules("#!/usr/sbin/nft -f\nflush ruleset\ntable inet fw {\n\tchain in { type filter hook input priority 0; "
                   "policy accept; tcp dport 25 drop; }\n}\n")
        self.topod("apply", self.path)
        self.topod("plan", self.path)
        self.assertIn("tcp dport 25 drop", listing())
        self.assertNotIn("table inet fw", lab.nft("web", "list", "ruleset").stdout)

    def test_mistakes_have_their_place(self):
        self.refused("chain x {\n\tfoo bar\n}\n", "rules.nft:2:2: error: ")
        self.refused("chain x {\n\tdrop\n", "rules.nft:1:9: error: this brace is not closed")
        self.refused("chain x {\n}\n}\ntable inet y {\n", "rules.nft:3:1: error: this brace closes nothing")
        self.refused("chain x {\n\toif eth7 drop\n}\n", "rules.nft:2:6: error: Interface does not exist", "iifname")
        self.refused("chain x {\n\ttcp dport @none drop\n}\n", "rules.nft:2:")
        self.refused("table ip x { }\n", "office.yaml:3:10", "family inet")
        self.refused("table inet x { }\ntable inet y { }\n", "office.yaml:3:10", "2 tables")
        self.refused("flowtable f {\n hook ingress priority 0; devices = { lo }; }\n", "rules.nft:1:1: error: a flowtable")
        self.refused("chain filter-input {\n}\n", "filter-input", "rename")
        self.refused("chain x {\n}\nchain y {\n\tjump { counter; }\n}\n", "a chain inside of a rule")
        os.unlink(os.path.join(self.directory, "rules.nft"))
        self.assertIn("office.yaml:3:10: error: cannot read", self.topod("check", self.path, expect=lab.EXIT_SPEC).stderr)

    def test_one_file_of_many_namespaces(self):
        self.path = self.spec("namespaces: {'h[1-300]': {nft: rules.nft}}\n")
        self.topod("check", self.path)
        self.rules("chain mine {\n")
        said = self.topod("check", self.path, expect=lab.EXIT_SPEC).stderr
        self.assertEqual(1, said.count("error:"), said)
        self.rules(RULES)
        self.path = self.spec("namespaces: {'h[1-2]': {nft: rules.nft}}\n")
        self.topod("apply", self.path)
        self.topod("plan", self.path)
        self.assertIn("198.51.100.7", listing("h1"))
        self.assertEqual(listing("h1"), listing("h2"))
        self.topod("down", self.path)
        self.same(self.before, lab.snapshot(), "down left a trace")

    def test_includes_stay_below(self):
        self.rules('chain third {\n}\n', "parts/a.nft")
        self.rules('chain fourth {\n}\n', "parts/b.nft")
        self.rules('include "parts/*.nft"\nchain x {\n}\n')
        self.topod("apply", self.path)
        for chain in ("third", "fourth", "chain x"):
            self.assertIn(chain, listing())
        for path in ("/etc/passwd", "../other.nft", "parts/../../x"):
            self.refused(f'include "{path}"\n', "rules.nft:1:1: error: a file that is included must be below")
        self.rules('chain third {\n\tdrip\n}\n', "parts/a.nft")
        self.refused('include "./parts/a.nft"\n', "/parts/a.nft:2:6: error: ")
        self.rules('include "rules.nft"\n')
        self.topod("check", self.path, expect=lab.EXIT_SPEC)
        # Others can write to it.
        self.rules('chain third {\n}\n', "parts/a.nft")
        self.rules('include "parts/a.nft"\n')
        os.chmod(os.path.join(self.directory, "parts/a.nft"), 0o666)
        self.assertIn("others may write to", self.topod("apply", self.path, expect=lab.EXIT_SPEC).stderr)

    def test_a_library_that_crashes(self):
        crashing = {"LD_LIBRARY_PATH": os.path.dirname(os.environ["TOPOD_CRASHING_NFT"])}
        done = self.topod("apply", self.path, expect=lab.EXIT_SPEC, env=crashing)
        self.assertIn("office.yaml:3:10: error: libnftables failed when it read rules.nft: it was ended by signal 6", done.stderr)
        directory = os.path.join(self.directory, "lib")
        os.makedirs(directory)
        library = os.path.join(directory, "libnftables.so.1")
        d = self.daemon(self.path, env={"LD_LIBRARY_PATH": directory}).ready()
        before = listing()
        shutil.copy(os.environ["TOPOD_CRASHING_NFT"], library)
        self.rules(RULES.replace("80", "81"))
        self.topod("reload", "office", expect=lab.EXIT_SPEC)
        self.assertEqual(before, listing())
        with d.expects("drift: web: .*restored"):
            by_hand("delete", "table", "inet", TABLE)
        os.unlink(library)
        d.reload()
        self.assertIn("81", listing())
        d.stop()

    def test_without_the_library(self):
        directory = os.path.join(self.directory, "lib")
        os.makedirs(directory)
        with open(os.path.join(directory, "libnftables.so.1"), "wb"):
            pass
        nothing = {"LD_LIBRARY_PATH": directory}
        self.assertIn("libnftables is not installed", self.topod("apply", self.path, expect=lab.EXIT_SPEC, env=nothing).stderr)
        self.assertIn("libnftables is not installed", self.topod("check", self.path, env=nothing).stderr)

    def test_an_adopted_namespace(self):
        lab.run("ip", "netns", "add", "web")
        by_hand("add", "table", "inet", "theirs")
        by_hand("add", "table", "inet", "mine")
        before = lab.nft("web", "list", "ruleset").stdout
        path = self.spec(SPEC.replace("  web:\n", "  web:\n    adopt: true\n"))
        self.topod("apply", path)
        self.assertIn("chain mine", listing())
        self.topod("down", path)
        self.assertEqual(before, lab.nft("web", "list", "ruleset").stdout)

    def test_check_without_privilege(self):
        done = lab.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", os.environ["TOPOD"], "check", self.path)
        self.assertIn("valid", done.stdout + done.stderr)


if __name__ == "__main__":
    lab.main()
