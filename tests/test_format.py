# SPDX-License-Identifier: GPL-2.0-or-later
"""
The C code is formatted by .clang-format. Other releases of clang-format format a few things differently, so only
the release that the code was formatted with is used.
"""

import os
import re
import shutil
import subprocess
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
RELEASE = 14
ROOMS = ("common", "daemon", "tests")
SKIPPED = 77


def tool():
    for name in (f"clang-format-{RELEASE}", "clang-format"):
        path = shutil.which(name)
        if path:
            found = re.search(r"version (\d+)", subprocess.check_output([path, "--version"], text=True))
            if int(found.group(1)) == RELEASE:
                return path
    print(f"SKIPPED: clang-format {RELEASE} is not installed")
    sys.exit(SKIPPED)


def sources():
    for room in ROOMS:
        for directory, _, names in os.walk(os.path.join(TOP, room)):
            yield from (os.path.join(directory, name) for name in names if name.endswith((".c", ".h")))


if __name__ == "__main__":
    files = sorted(sources())
    assert len(files) > 100, "where is the code?"
    result = subprocess.run([tool(), "--dry-run", "-Werror", *files], check=False)
    if result.returncode:
        print("To mend it: clang-format -i FILE", file=sys.stderr)
    sys.exit(result.returncode)
