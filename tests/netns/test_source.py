# SPDX-License-Identifier: GPL-2.0-or-later
"""Two files with one name are two topologies, unless the user says otherwise."""

import os
import subprocess

import lab
from lab import Case

ONE = "namespaces:\n  web:\n    interfaces:\n      lo: {addresses: [192.0.2.1/32]}\n"
TWO = ONE.replace("web", "db")


class Source(Case):
    def file(self, directory, text, name="lab.yaml"):
        os.makedirs(f"{self.directory}/{directory}", exist_ok=True)
        return self.spec(text, f"{directory}/{name}")

    def refused(self, verb, path, *named, expect=lab.EXIT_FAILED):
        said = self.topod(verb, path, expect=expect).stderr
        for word in (*named, "lab.yaml"):
            self.assertIn(word, said)
        return said

    def test_another_file_of_the_name_is_refused(self):
        one, two = self.file("lab1", ONE), self.file("lab2", TWO)
        self.topod("apply", one)
        before = lab.snapshot(exact=True)
        for verb in ("apply", "plan", "down"):
            said = self.refused(verb, two, one, two, "topology: NAME", "--replace")
            self.assertIn("'lab'", said)
        d = self.daemon(two)
        self.assertEqual(lab.EXIT_FAILED, d.wait_end())
        self.assertTrue(d.find(f"{one}.*{two}.*--replace"), d.log)
        self.same(before, lab.snapshot(exact=True))
        self.topod("apply", one)
        self.topod("down", one)
        self.topod("apply", two)  # nothing of the other is left
        self.assertEqual(["db"], lab.namespaces())

    def test_another_file_takes_its_place_if_told_to(self):
        one, two = self.file("lab1", ONE), self.file("lab2", TWO)
        self.topod("apply", one)
        self.topod("plan", "--replace", two, expect=lab.EXIT_DIFFERENCES)
        self.topod("apply", "--replace", two)
        self.assertEqual(["db"], lab.namespaces())
        self.refused("apply", one, two, one)
        self.topod("down", "--replace", one)
        self.assertEqual([], lab.namespaces())

    def test_a_name_in_the_file_is_meant(self):
        one, two = self.file("lab1", ONE), self.file("lab2", "topology: lab\n" + TWO)
        self.topod("apply", one)
        self.topod("apply", two)
        self.assertEqual(["db"], lab.namespaces())
        self.refused("apply", one, two, one)
        self.topod("down", two)

    def test_the_same_file_by_another_name(self):
        one = self.file("lab1", ONE)
        self.topod("apply", one)
        os.symlink("lab1", f"{self.directory}/current")
        self.topod("apply", f"{self.directory}/current/lab.yaml")
        subprocess.run([os.environ["TOPOD"], "apply", "./lab.yaml"], cwd=f"{self.directory}/lab1", check=True,
                       stdout=subprocess.DEVNULL)
        os.rename(one, one + "~")  # as editors do it
        self.topod("apply", self.file("lab1", TWO))
        self.assertEqual(["db"], lab.namespaces())

    def test_a_folder_that_was_moved(self):
        one = self.file("lab1", ONE)
        self.topod("apply", one)
        os.rename(f"{self.directory}/lab1", f"{self.directory}/lab9")
        moved = f"{self.directory}/lab9/lab.yaml"
        self.refused("apply", moved, one, moved)
        self.topod("apply", "--replace", moved)
        self.topod("apply", moved)
        self.topod("down", moved)
        self.assertEqual([], lab.namespaces())

    def test_beside_a_daemon(self):
        one, two = self.file("lab1", ONE), self.file("lab2", TWO)
        d = self.daemon(one).ready()
        for verb in ("apply", "plan", "down", "reload", "status", "pause"):
            self.refused(verb, two, one, two)
        self.topod("reload", one)
        self.topod("reload", "lab")
        d.stop()
        self.assertEqual(["web"], lab.namespaces())
        # A later daemon accepts only its own file.
        d = self.daemon(two, args=("--replace",)).ready()
        self.assertEqual(["db"], lab.namespaces())
        d.stop()
        self.refused("apply", one, two, one)

    def pipe(self, verb, text, expect=0):
        done = subprocess.run([os.environ["TOPOD"], verb, "-"], input=text, capture_output=True, text=True, check=False)
        self.assertEqual(expect, done.returncode, done.stderr)
        return done.stderr

    def test_standard_input_says_its_name(self):
        for verb in ("check", "plan", "apply", "down"):
            self.assertIn("topology: NAME", self.pipe(verb, ONE, lab.EXIT_SPEC))
        self.assertEqual([], lab.namespaces())
        self.pipe("apply", "topology: lab\n" + ONE)
        self.refused("apply", self.file("lab2", TWO), "standard input")
        self.pipe("apply", "topology: lab\n" + TWO)
        self.assertEqual(["db"], lab.namespaces())
        self.pipe("down", "topology: lab\n")
        self.assertEqual([], lab.namespaces())

    def test_a_ledger_of_before(self):
        """A ledger of 0.1 names no file."""
        one, two = self.file("lab1", ONE), self.file("lab2", ONE)
        self.topod("apply", one)
        ledger = "/run/topod/lab/ledger"
        with open(ledger) as f:
            lines = [line for line in f if not line.startswith("= ")]
        with open(ledger, "w") as f:
            f.writelines(lines)
        self.topod("apply", two)
        self.refused("apply", one, two, one)

    def test_nothing_is_left_to_tell_of(self):
        one, two = self.file("lab1", "namespaces: {}\n"), self.file("lab2", TWO)
        self.topod("apply", one)
        self.topod("apply", two)


if __name__ == "__main__":
    lab.main()
