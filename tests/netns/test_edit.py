# SPDX-License-Identifier: GPL-2.0-or-later
"""`topod edit`: nothing is changed unless the copy is valid and the user agrees; the user's work is never lost."""

import fcntl
import glob
import os
import stat
import subprocess

import lab
from lab import Case

SPEC = "topology: small\nnamespaces:\n  a: {interfaces: {x: {kind: bridge, mtu: 1400}}}\n"
LARGER = "s/mtu: 1400/mtu: 1450/"


class Edit(Case):
    def setUp(self):
        super().setUp()
        self.path = self.spec(SPEC, "small.yaml")
        os.chmod(self.path, 0o640)

    def edit(self, *scripts, answers="", expect=0, editor=None, name=None):
        """Runs `edit` with an editor that applies one sed script each time it is called."""
        tool, count = os.path.join(self.directory, "editor"), os.path.join(self.directory, "count")
        with open(tool, "w") as f:
            f.write("#!/bin/sh\nset -e\nn=$(cat %s)\necho $((n + 1)) >%s\ncase $n in\n%s\nesac\n" % (
                count, count, "\n".join(f"{i}) {s if s.startswith('!') else 'sed -i ' + repr(s)} \"$2\" ;;".replace("!", "")
                                       for i, s in enumerate(scripts))))
        os.chmod(tool, 0o755)
        with open(count, "w") as f:
            f.write("0")
        done = subprocess.run([os.environ["TOPOD"], "edit", name or self.path], input=answers, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env={**os.environ, "SUDO_EDITOR": editor or f"{tool}  -w"})
        said = done.stdout + done.stderr
        self.assertNotIn("AddressSanitizer", said)
        self.assertEqual(expect, done.returncode, said)
        return said

    def text(self):
        with open(self.path) as f:
            return f.read()

    def copies(self):
        return glob.glob(os.path.join(self.directory, ".topod-edit-*"))

    def check_nothing_happened(self):
        self.assertEqual((SPEC, []), (self.text(), self.copies()))

    def test_with_a_daemon(self):
        d = self.daemon(self.path).ready()
        said = self.edit(LARGER, answers="y\n")
        self.assertIn("mtu 1400 -> 1450", said)
        self.assertIn("small: reloaded; converged", said)
        self.assertEqual(1450, lab.link("a", "x")["mtu"])
        self.assertEqual((SPEC.replace("1400", "1450"), []), (self.text(), self.copies()))
        self.assertEqual(0o640, stat.S_IMODE(os.stat(self.path).st_mode))
        d.stop()

    def test_without_a_daemon(self):
        self.assertIn("no daemon manages it", self.edit(LARGER, answers="y\n"))
        self.assertEqual([], lab.namespaces())
        self.assertIn("1450", self.text())

    def test_a_link_to_the_file_stays_one(self):
        link = os.path.join(self.directory, "link.yaml")
        os.symlink("small.yaml", link)
        self.edit(LARGER, answers="y\n", name=link)
        self.assertTrue(os.path.islink(link))
        self.assertIn("1450", self.text())

    def test_unchanged(self):
        self.assertIn("unchanged", self.edit("s/x/x/"))
        self.check_nothing_happened()

    def test_discarded(self):
        self.assertIn("discarded", self.edit(LARGER, answers="d\n", expect=lab.EXIT_FAILED))
        self.check_nothing_happened()

    def test_errors(self):
        """Wrong answers are asked again; a file with errors cannot be put in place."""
        said = self.edit("s/mtu/mtuu/", answers="y\nd\n", expect=lab.EXIT_FAILED)
        self.assertIn("did you mean 'mtu'", said)
        self.assertEqual(2, said.count("The file has errors."))
        self.check_nothing_happened()
        self.assertIn("mtu 1450", self.edit("s/mtu/mtuu/", "s/mtuu: 1400/mtu: 1450/", answers="e\ny\n"))
        self.assertEqual(SPEC.replace("1400", "1450"), self.text())

    def test_the_editor_fails(self):
        self.assertIn("cannot run", self.edit(editor="/nonexistent", expect=lab.EXIT_FAILED))
        self.assertIn("status 1", self.edit(editor="false", expect=lab.EXIT_FAILED))
        self.check_nothing_happened()

    def test_nothing_is_lost(self):
        """No answer, or another program's change: the user's version is kept, and the file is as it was."""
        for answers, script in (("", LARGER), ("y\n", f"!echo '# theirs' >>{self.path}; sed -i '{LARGER}'")):
            said = self.edit(script, answers=answers, expect=lab.EXIT_FAILED)
            kept = glob.glob(os.path.join(self.copies()[0], "small.yaml"))
            self.assertIn(f"your version is in {kept[0]}", said)
            with open(kept[0]) as f:
                self.assertIn("1450", f.read())
            self.assertNotIn("1450", self.text())
            subprocess.run(["rm", "-r", *self.copies()], check=True)

    def test_drop_ins(self):
        """They are read with the copy, regardless of the file's suffix."""
        os.mkdir(os.path.join(self.directory, "small.d"))
        with open(os.path.join(self.directory, "small.d", "b.yaml"), "w") as f:
            f.write("namespaces: {a: {interfaces: {x: {mtu: 1400}}}}\n")
        self.assertIn("'mtu' is '1400' here and '1450' in another file", self.edit(LARGER, answers="d\n", expect=lab.EXIT_FAILED))
        self.check_nothing_happened()
        self.path = self.spec(SPEC, "small.yml")
        self.assertIn("'1450' in another file", self.edit(LARGER, answers="d\n", expect=lab.EXIT_FAILED))
        self.check_nothing_happened()

    def test_one_at_a_time(self):
        with open(self.path) as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            self.assertIn("somebody else is editing it", self.edit(expect=lab.EXIT_FAILED))
        self.assertIn("`topod init TEMPLATE", self.edit(name="/nonexistent/x.yaml", expect=lab.EXIT_FAILED))


if __name__ == "__main__":
    lab.main()
