# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures: of files and of running topologies, in each format, with what drifted, fails or waits."""

import glob
import json
import os
import re
import xml.etree.ElementTree

import lab
from lab import Case, HOST

SPECS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../specs")
OFFICE = """\
topology: office
namespaces:
  host: {interfaces: {br0: {kind: bridge, ports: [c1], addresses: [10.0.0.1/24]}}}
  web: {drift: report, interfaces: {eth0: {addresses: [10.0.0.11/24]}}, routes: [{to: default, via: 10.0.0.1}]}
links: [[web:eth0, host:c1]]
"""


class Names(Case):
    def test_a_name_without_a_daemon(self):
        """NAME is /etc/topod/NAME.yaml for this verb too."""
        said = self.topod("check", "drawn", expect=lab.EXIT_SPEC).stderr
        path = re.search(r"there is no (/\S+/drawn\.yaml) either", said)[1]
        above = os.path.dirname(os.path.dirname(path))
        if not os.path.isdir(above):
            above = os.path.dirname(above)
        lab.run("mount", "-n", "-t", "tmpfs", "etc", above)  # this test's own
        self.addCleanup(lab.run, "umount", above)
        os.makedirs(os.path.dirname(path))
        with open(path, "w") as f:
            f.write(OFFICE)
        self.assertEqual(self.topod("graph", path).stdout, self.topod("graph", "drawn").stdout)
        self.assertIn("no topod is running for 'nothing'", self.topod("graph", "nothing", expect=lab.EXIT_FAILED).stderr)


# The fonts' library leaks, which is not topod's fault.
NO_LEAKS = {"ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"}


class Files(Case):
    def draw(self, path, *options, **kwargs):
        return self.topod("graph", *options, path, **kwargs).stdout

    def test_every_spec_in_every_format(self):
        paths = sorted(glob.glob(os.path.join(SPECS, "*.yaml")))
        self.assertGreater(len(paths), 5)
        for path in paths:
            with self.subTest(os.path.basename(path)):
                graph = json.loads(self.draw(path, "--json"))
                names = {i["interface"] for n in graph["namespaces"] for i in n["interfaces"]}
                text, dot, mermaid = (self.draw(path, "--format", f) for f in ("text", "dot", "mermaid"))
                for name in names:
                    for picture in (text, dot, mermaid):
                        self.assertIn(name, picture)

    def test_page_is_current(self):
        with open(os.path.join(SPECS, "pictures.md"), encoding="utf-8") as f:
            page = f.read()
        drawn = lab.run(os.path.join(SPECS, "../docs/draw-specs"), os.environ["TOPOD"]).stdout
        self.assertEqual(drawn, page, "make it again: docs/draw-specs topod >specs/pictures.md")

    def test_svg(self):
        """The whole of the picture arrives, and nothing else."""
        svg = self.draw(self.spec(OFFICE), "--format", "svg", env=NO_LEAKS)
        texts = [e.text for e in xml.etree.ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
        for wanted in ("host", "web", "br0 (bridge)", "c1", "10.0.0.11/24", "route default via 10.0.0.1"):
            self.assertIn(wanted, texts)

    def test_many(self):
        """Two hundred namespaces, as a star and as a chain, are a picture and not a strip; each is there with its address."""
        star = self.spec('networks: {lan: {prefix: 10.0.0.0/22, members: ["h[1-200]"], bridge: host:br0, gateway: host, nat: true}}')
        chain = self.spec("""
            namespaces: {"r[1-200]": {}}
            links: [{endpoints: ["r[1-199]:right", "r[2-200]:left"], prefix: {pool: 10.0.0.0/16, length: 30}}]
        """, "chain.yaml")
        for path, last, n in ((star, "10.0.0.201/22", 201), (chain, "10.0.3.26/30", 200)):
            svg = xml.etree.ElementTree.fromstring(self.draw(path, "--format", "svg", env=NO_LEAKS))
            width, height = (float(svg.get(side).removesuffix("pt")) for side in ("width", "height"))
            self.assertLess(max(width, height), 6000)
            self.assertLess(max(width, height) / min(width, height), 4)
            self.assertTrue(any(last in (t.text or "") for t in svg.iter("{http://www.w3.org/2000/svg}text")))
            self.assertEqual(n, len([g for g in svg.iter("{http://www.w3.org/2000/svg}g") if g.get("class") == "node"]))

    def test_without_graphviz(self):
        for library in glob.glob("/usr/lib/*/libgvc.so.6*"):
            lab.run("mount", "--bind", "/dev/null", library)
            self.addCleanup(lab.run, "umount", library)
        done = self.topod("graph", "--format", "svg", self.spec(OFFICE), expect=lab.EXIT_FAILED)
        self.assertEqual("", done.stdout)
        self.assertIn("Debian: libgvc6", done.stderr)

    def test_mistakes(self):
        self.assertIn("takes text, dot, mermaid or svg, not 'png'",
                      self.topod("graph", "--format", "png", self.spec(OFFICE), expect=lab.EXIT_USAGE).stderr)
        self.assertIn("office.yaml:1:1: error: unknown key 'topolog'",
                      self.topod("graph", self.spec("topolog: x\nnamespaces: {}\n"), expect=lab.EXIT_SPEC).stderr)
        self.assertIn("no topod is running", self.topod("graph", expect=lab.EXIT_FAILED).stderr)


class Running(Case):
    def test_marks(self):
        path = self.spec(OFFICE)
        d = self.daemon(path).ready()
        self.assertNotIn("(", self.topod("graph", "office").stdout)
        with d.expects("drift: web/eth0: address"):
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
        for of in ((), ("office",), (path,)):
            self.assertRegex(self.topod("graph", *of).stdout, r"(?m)^.. eth0 \(drifted\) .. host:c1  10.0.0.11/24$")
        graph = json.loads(self.topod("graph", "--json", "office").stdout)
        self.assertEqual({"host": None, "web": "drifted"},
                         {n["namespace"]: max((i["state"] for i in n["interfaces"] if i["state"]), default=None)
                          for n in graph["namespaces"]})
        # Another file of the same topology is not the running one.
        os.makedirs(f"{self.directory}/other", exist_ok=True)
        with open(f"{self.directory}/other/office.yaml", "w", encoding="utf-8") as f:
            f.write(OFFICE)
        self.assertNotIn("(drifted)", self.topod("graph", f"{self.directory}/other/office.yaml").stdout)
        d.stop()
        self.assertNotIn("(drifted)", self.topod("graph", path).stdout)
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
