# SPDX-License-Identifier: GPL-2.0-or-later
"""
The exercises of this directory: NAME.sh has the commands of a tutorial, NAME.yaml the file that replaces them.

A NAME.sh begins with a title and a paragraph in comments. Then come parts, each after its name in a comment:
`given` (what exists before, with the file too), `do`, `check` (commands that succeed afterwards), `shown` (not
run) and `undo`. Each command is one line; after ` # ` is what to write instead: words of NAME.yaml, a command of
topod, or a remark in parentheses.
"""

import glob
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ("given", "do", "check", "shown", "undo")


class Exercise:
    def __init__(self, path):
        self.name = os.path.basename(path)[:-3]
        self.parts = {part: [] for part in PARTS}  # of (command, what replaces it or "")
        with open(path, encoding="utf-8") as f:
            head, *parts = re.split(r"^# (?=(?:%s)\b)" % "|".join(PARTS), f.read(), flags=re.MULTILINE)
        with open(path[:-2] + "yaml", encoding="utf-8") as f:
            self.file = f.read()
        lines = [l[2:] for l in head.splitlines()]
        self.title, self.text = lines[0], " ".join(filter(None, lines[1:]))
        self.given = ""
        for part in parts:
            first, *commands = part.splitlines()
            name, _, about = first.partition(": ")
            self.given = about or self.given
            for line in filter(None, map(str.strip, commands)):
                command, _, instead = line.partition("  # ")
                self.parts[name].append((command.strip(), instead.strip()))


def exercises():
    return [Exercise(path) for path in sorted(glob.glob(os.path.join(HERE, "*.sh")))]
