# SPDX-License-Identifier: GPL-2.0-or-later
"""
What an editor marks by the schema: nothing in specs/ and in what `init` writes, and most of the wrong files; how many is printed.

`run` beside this does the same with ajv and a YAML language server, which Debian does not have.
"""

import glob
import json
import os
import re
import subprocess
import sys
import unittest

import jsonschema
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
MARKED = 40  # as in editor.mjs: not fewer


class Reader(yaml.SafeLoader):
    """As YAML 1.2 and the editors: only numbers in decimal digits, and only true, false and null, are not text."""


Reader.yaml_implicit_resolvers = {
    c: [(tag, regex) for tag, regex in resolvers if tag.rsplit(":", 1)[-1] == "null"]
    for c, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Reader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^(?:[-+]?[0-9]+|0x[0-9a-fA-F]+)$"), "-+0123456789")
Reader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), "tf")


def topod(*args, **kwargs):
    return subprocess.run([os.environ["TOPOD"], *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)


class Schema(unittest.TestCase):
    def setUp(self):
        schema = json.loads(topod("schema").stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)

    def marks(self, text):
        return [e.message[:200] for e in self.validator.iter_errors(yaml.load(text, Reader))]

    def test_right_files(self):
        for path in glob.glob(os.path.join(HERE, "../../specs/*.yaml")):
            with self.subTest(path), open(path) as f:
                self.assertEqual([], self.marks(f.read()))
        templates = [l.split()[0] for l in topod("init").stdout.splitlines()[1:] if l[:1].strip()]
        self.assertIn("vpn", templates)
        for template in templates:
            with self.subTest(template):
                self.assertEqual([], self.marks(topod("init", template).stdout))

    def test_wrong_files(self):
        with open(os.path.join(HERE, "wrong.yaml")) as f:
            wrong = f.read().split("---\n")[1:]
        self.assertEqual(50, len(wrong))
        unmarked = []
        for text in wrong:
            title = text.splitlines()[0][2:]
            with self.subTest(title):
                self.assertEqual(78, topod("check", "-", input="topology: small\n" + text).returncode)
            if not self.marks(text):
                unmarked.append(title)
        print(f"{len(wrong) - len(unmarked)} of {len(wrong)} wrong files are marked; not marked: {'; '.join(unmarked)}", file=sys.stderr)
        self.assertLessEqual(MARKED, len(wrong) - len(unmarked))


if __name__ == "__main__":
    unittest.main(verbosity=2)
