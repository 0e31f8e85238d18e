# SPDX-License-Identifier: GPL-2.0-or-later
"""
The examples of topod.yaml(5) that the kernels of few build machines can build: most in User-Mode Linux, and those with kinds
that it lacks in Debian's kernel.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../netns"))

import lab  # noqa: E402
import test_examples  # noqa: E402
from test_examples import FILES, kinds_in, needs_another_kernel  # noqa: E402

Base = test_examples.Applied
del Base.test_on_this_kernel

NOT_IN_UML = {"wireguard", "xfrm"}


class Built(Base):
    def build_all(self, files):
        self.assertTrue(files)
        for file in files:
            with self.subTest(example=os.path.basename(file)):
                done = self.build(file)
                self.assertEqual(0, done.returncode, done.stderr)


class InUml(Built):
    def test_each(self):
        self.build_all([f for f in FILES if needs_another_kernel(f) and not kinds_in(f) & NOT_IN_UML])


class InQemu(Built):
    def check_export(self, file):
        """Not of these: without its key, which no file has, a wireguard link is not the same."""

    def test_each(self):
        self.build_all([f for f in FILES if kinds_in(f) & NOT_IN_UML])


if __name__ == "__main__":
    lab.main()
