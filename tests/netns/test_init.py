# SPDX-License-Identifier: GPL-2.0-or-later
"""`topod init`, `version` and `down --all`, and what a NAME means."""

import glob
import json
import os
import re

import lab
from lab import Case

SPECS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "specs")
ONE = "topology: one\nnamespaces: {a: {}}\n"
TWO = "topology: two\nnamespaces: {b: {}}\n"


class Init(Case):
    def test_templates(self):
        """All of specs/, which test_specs.py and tests/vm try; a short line describes each."""
        listed = self.topod("init").stdout.splitlines()[1:]
        names = {os.path.basename(p)[:-len(".yaml")] for p in glob.glob(f"{SPECS}/*.yaml")}
        self.assertEqual(names, {l.split()[0] for l in listed})
        for line in listed:
            self.assertRegex(line, r"^[a-z0-9-]+ +[A-Z].{10}")
        for name in names:
            with open(f"{SPECS}/{name}.yaml") as f:
                self.assertEqual(f.read(), self.topod("init", name).stdout)
        for name, template in (("router", "routers"), ("vlan", "vlans")):
            self.assertEqual(self.topod("init", template).stdout, self.topod("init", name).stdout)

    def test_file(self):
        """The topology gets the file's name, and the file is valid without a warning; one that exists is left alone."""
        for name in {l.split()[0] for l in self.topod("init").stdout.splitlines()[1:]}:
            path = os.path.join(self.directory, f"my-{name}.yaml")
            said = self.topod("init", name, path).stdout
            with open(path) as f:
                text = f.read()
            self.assertIn("`topod check" if "-key-file:" in text else "`topod sandbox", said)
            lab.make_keys(text)
            self.topod("check", "--strict", path)
            named = re.search("^topology:", self.topod("init", name).stdout, re.MULTILINE)
            self.assertEqual([f"topology: my-{name}"] if named else [], re.findall("^topology: .*", text, re.MULTILINE))
            self.assertNotRegex(text, rf"(?<![-\w/]){name}\.yaml")
            self.assertIn("File exists", self.topod("init", name, path, expect=lab.EXIT_FAILED).stderr)
            with open(path) as f:
                self.assertEqual(text, f.read())

    def test_unknown(self):
        self.assertIn("there is no template 'brige'; did you mean 'bridge'?",
                      self.topod("init", "brige", expect=lab.EXIT_USAGE).stderr)

    def test_version(self):
        self.assertRegex(self.topod("version").stdout, r"^topod \d+\.\d+")
        self.assertEqual(self.topod("--version").stdout, self.topod("version").stdout)


class All(Case):
    def test_kept_by_a_daemon(self):
        """What helps depends on the verb."""
        path = self.spec(ONE, "one.yaml")
        d = self.daemon(path).ready()
        self.assertIn("`topod reload one`", self.topod("apply", path, expect=lab.EXIT_FAILED).stderr)
        for args in ((path,), ("--all",)):
            said = self.topod("down", *args, expect=lab.EXIT_FAILED).stderr
            self.assertIn("disable --now topod@one", said)
            self.assertNotIn("reload", said)
        d.stop()

    def test_down_all(self):
        self.topod("down", "--all")
        for name, text in (("one", ONE), ("two", TWO)):
            self.topod("apply", self.spec(text, f"{name}.yaml"))
        done = self.topod("down", "--all", "--json")
        self.assertEqual([("one", "converged"), ("two", "converged")],
                         [(t["topology"], t["state"]) for t in json.loads(done.stdout)["topologies"]])
        self.assertEqual(([], False), (lab.namespaces(), os.path.exists("/run/topod")))

    def test_beside_a_daemon(self):
        d = self.daemon(self.spec(ONE, "one.yaml")).ready()
        self.topod("apply", self.spec(TWO, "two.yaml"))
        done = self.topod("down", "--all", expect=lab.EXIT_FAILED)
        self.assertIn("topology 'one' is already managed", done.stderr)
        self.assertEqual(["a"], lab.namespaces())
        d.stop()

    def test_wrong_usage(self):
        for args in ((), ("--all", "x.yaml"), ("--all", "--topology", "x"), ("--topology", "x", "x.yaml")):
            self.assertIn("only one of them", self.topod("down", *args, expect=lab.EXIT_USAGE).stderr)


class Names(Case):
    """NAME is the file of the service topod@NAME."""

    def setUp(self):
        super().setUp()
        said = self.topod("check", "no-such-name", expect=lab.EXIT_SPEC).stderr
        self.config = re.search(r"there is no (/.*)/no-such-name\.yaml either", said)[1]
        os.makedirs(os.path.dirname(self.config), exist_ok=True)
        lab.run("mount", "-n", "-t", "tmpfs", "-o", "mode=755", "config", os.path.dirname(self.config))
        self.addCleanup(lab.run, "umount", "-l", os.path.dirname(self.config))
        os.makedirs(self.config)
        with open(f"{self.config}/office.yaml", "w") as f:
            f.write(ONE)

    def test_every_verb(self):
        self.assertIn(f"{self.config}/office.yaml: valid", self.topod("check", "office").stdout)
        self.topod("plan", "office", expect=lab.EXIT_DIFFERENCES)
        self.topod("apply", "office")
        self.assertEqual(["a"], lab.namespaces())
        self.topod("down", "office")
        self.assertEqual([], lab.namespaces())
        self.assertIn("a", self.topod("sandbox", "office", "--", "ls", "/run/netns").stdout)
        d = self.daemon("office").ready()
        for verb in ("status", "reload", "pause", "resume"):
            self.assertIn("one", self.topod(verb, "office").stdout, verb)
        d.stop()

    def test_what_comes_first(self):
        """A file here, and for the verbs about daemons a topology of that name."""
        here = os.getcwd()
        os.chdir(self.directory)
        self.addCleanup(os.chdir, here)
        self.spec(TWO, "office")
        self.assertIn("office: valid", self.topod("check", "office").stdout)
        self.assertNotIn(self.config, self.topod("check", "office").stdout)
        d = self.daemon(self.spec("topology: office\nnamespaces: {c: {}}\n", "three.yaml")).ready()
        os.remove("office")
        self.assertIn("three.yaml", self.topod("status", "office").stdout)
        d.stop()


if __name__ == "__main__":
    lab.main()
