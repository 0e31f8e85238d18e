#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
table.py TOPOD LOG...: prints on which kernels each kind of interface and each section of a namespace was applied and verified.

Every test file says at its end what it applied ("applied: …", ../netns/lab.py). The logs are ctest's.
"""

import json
import re
import subprocess
import sys


def declared(topod):
    """The language's values of `kind`, and the keys of a namespace, with their colon."""
    definitions = json.loads(subprocess.run([topod, "schema"], check=True, capture_output=True, text=True).stdout)["$defs"]
    kinds = [definition.get("properties", {}).get("kind", {}) for definition in definitions.values()]
    words = {word for kind in kinds for word in [*kind.get("enum", []), kind.get("const")] if word}
    return sorted(words) + sorted(f"{key}:" for key in definitions["namespace"]["properties"])


def applied(logs):
    """Word: the kernels."""
    where = {}
    for log in logs:
        with open(log, encoding="utf-8", errors="replace") as f:
            for kernel, words in re.findall(r"^applied on (.+?): (.*)$", f.read(), re.MULTILINE):
                for word in words.split():
                    where.setdefault(word, set()).add(kernel)
    return where


def main(topod, *logs):
    where = applied(logs)
    if not where:
        return
    kernels = sorted({kernel for there in where.values() for kernel in there})
    print("\nApplied and verified on:")
    for i, kernel in enumerate(kernels):
        print(f"  {'| ' * i}. {kernel}")
    for word in declared(topod):
        there = where.get(word, set())
        print(f"  {' '.join('x' if kernel in there else '-' for kernel in kernels)} {word}{'' if there else ' (nowhere)'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
