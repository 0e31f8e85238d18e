# SPDX-License-Identifier: GPL-2.0-or-later
"""
Queueing disciplines: built as declared, kept when changed by hand, changed in place, and gone with their entry.

KINDS has those that this machine's kernel has; tests/vm/test_shaping.py runs the same with the others.
"""

import re

import lab
from lab import Case

BASE = """\
namespaces:
  a: {interfaces: {x: {addresses: [10.0.0.1/24], mtu: 1400%s}}}
  b: {interfaces: {p: {addresses: [10.0.0.2/24]}}}
links: [{endpoints: ["a:x", "b:p"]%s}]
"""

HTB = ("qdisc: {kind: htb, classes: [{id: 1, rate: 10mbit, classes: [{id: 10, rate: 4mbit, ceil: 10mbit, qdisc: {kind: tbf, rate: 5mbit, "
       "burst: 10k, limit: 20k}}, {id: 20, rate: 6mbit, ceil: 10mbit, default: true, priority: 2}]}, {id: 30, rate: 1gbit}], "
       "filters: [{protocol: tcp, port: 80, class: 10}, {destination: 10.0.0.0/9, class: 10}, "
       '{source: "fd00::/56", protocol: udp, source-port: 53, class: 20}]}')

# As declared: changes by hand, and edits of the file that are made in place.
KINDS = {
    "qdisc: {kind: tbf, rate: 1mbit, burst: 32k, latency: 50ms}": (
        ["qdisc change dev x root handle 5400: tbf rate 2mbit burst 32k latency 50ms",
         "qdisc change dev x root handle 5400: tbf rate 1mbit burst 16k latency 50ms",
         "qdisc change dev x root handle 5400: tbf rate 1mbit burst 32k limit 10k",
         "qdisc change dev x root handle 5400: tbf rate 1mbit burst 32k latency 50ms peakrate 2mbit mtu 1500",
         "qdisc add dev x parent 5400:1 pfifo limit 5"],
        [("1mbit", "20gbit"), ("32k", "1m"), ("50ms", "1s"), ("latency: 50ms", "limit: 9000"),
         ("50ms", "50ms, peakrate: 5mbit, mtu: 3000"), ("50ms", "50ms, children: [{kind: pfifo, limit: 7}]")]),
    "qdisc: {kind: pfifo}": (["qdisc change dev x root handle 5400: pfifo limit 3",
                              "qdisc replace dev x root handle 1: tbf rate 7mbit burst 7k limit 7k"], [("pfifo", "pfifo, limit: 30")]),
    "qdisc: {kind: bfifo, limit: 10000}": (["qdisc change dev x root handle 5400: bfifo limit 3k"],
                                  [("10000", "20k"), (", limit: 10000", "")]),
    "qdisc: {kind: noqueue}": ([], []),
    "qdisc: {kind: mq, children: [{kind: tbf, rate: 1mbit, burst: 32k, limit: 30k}, pfifo]}": (
        ["qdisc change dev x parent 5400:1 handle 5401: tbf rate 3mbit burst 32k limit 30k", "qdisc del dev x parent 5400:2"],
        [("1mbit", "2mbit"), (", pfifo", ""), (", pfifo", ", {kind: bfifo, limit: 5000}")]),
    HTB: (["class change dev x parent 5400:1 classid 5400:14 htb rate 5mbit ceil 10mbit prio 2",
           "class change dev x parent 5400:1 classid 5400:14 htb rate 6mbit ceil 7mbit prio 2",
           "class change dev x parent 5400:1 classid 5400:14 htb rate 6mbit ceil 10mbit prio 3",
           "class change dev x parent 5400:1 classid 5400:14 htb rate 6mbit ceil 10mbit prio 2 burst 9k",
           "class change dev x parent 5400:1 classid 5400:14 htb rate 6mbit ceil 10mbit prio 2 cburst 9k",
           "class change dev x parent 5400:1 classid 5400:14 htb rate 6mbit ceil 10mbit prio 2 quantum 5000",
           "class change dev x classid 5400:1e htb rate 2gbit",
           "class add dev x parent 5400: classid 5400:99 htb rate 1mbit",
           "class add dev x parent 5400:1e classid 5400:99 htb rate 1mbit",
           "class del dev x classid 5400:1e",
           "qdisc del dev x parent 5400:a", "qdisc add dev x parent 5400:14 pfifo limit 5",
           "filter del dev x parent 5400: prio 2", "filter del dev x parent 5400:",
           "filter add dev x parent 5400: prio 9 protocol ip u32 match ip tos 8 0xff classid 5400:a",
           "qdisc replace dev x root handle 1: htb default 5"],
          [("4mbit", "3mbit"), ("port: 80", "port: 81"), ("10.0.0.0/9", "0.0.0.0/0"), ("fd00::/56", "fd00::/128"), ("rate: 1gbit", "rate: 40gbit"),
           (", {id: 30, rate: 1gbit}", ""), ("id: 30, rate: 1gbit", "id: 30, rate: 1gbit, classes: [{id: 31, rate: 1mbit}]"),
           ("rate: 1gbit", "rate: 1gbit, burst: 64k, cburst: 32k, quantum: 3000"), ("limit: 20k", "limit: 30k"),
           ("kind: tbf, rate: 5mbit, burst: 10k, limit: 20k", "kind: pfifo, limit: 9"),
           ("{id: 10, ", "{id: 15, rate: 1mbit}, {id: 10, "), ("filters: [", "filters: [{protocol: icmp, class: 10}, ")]),
}


def chunks(items, n):
    return [items[i:i + n] for i in range(0, len(items), n)]


class Shaped(Case):
    LINK = ", queues: 2"

    def setUp(self):
        super().setUp()
        self.before = lab.snapshot()

    def entry(self, tree):
        return self.spec(BASE % (f", {tree}" if tree else "", self.LINK))

    def apply(self, tree):
        path = self.entry(tree)
        self.topod("apply", path)
        self.topod("plan", path)  # exit 0: nothing to do
        return path

    def shot(self):
        """The output of tc, without counters."""
        lines = []
        for what in ("qdisc show dev x", "class show dev x", "filter show dev x", "filter show dev x ingress"):
            # The kernel numbers tables of filters and actions anew.
            lines += [re.sub(r"(fh |ht |police )\w+:?[\w:]*", r"\1", line.strip())
                      for line in lab.tc("a", "-d " + what).stdout.splitlines()]
        return sorted(re.sub(r"direct_packets_stat \d+|\border \d+|refcnt \d+|ce_threshold 4.29e\+03s ", "", line) for line in lines
                      if not line.startswith("class") or " htb " in line)  # others have a class for each flow

    @staticmethod
    def unnumbered(shot):
        """Without the handles below the root, which are topod's choice."""
        return sorted(re.sub(r"\b540[1-9a-f]:", "below:", line) for line in shot)

    @staticmethod
    def change(words):
        """INDEX stands for that of the policer."""
        if "INDEX" in words:
            words = words.replace("INDEX", str(int(re.search(r"police (0x\w+)", lab.tc("a", "filter show dev x ingress").stdout)[1], 16)))
        lab.tc("a", words)

    def handle(self):
        return re.search(r"(\w+): root", lab.tc("a", "qdisc show dev x").stdout)[1]


class Trees(Shaped):
    KINDS = KINDS

    def each(self):
        for tree, (by_hand, edits) in self.KINDS.items():
            yield tree, by_hand + ["qdisc del dev x root"] * (not tree.startswith("police")), edits

    def test_built_and_gone(self):
        self.apply("")
        bare = self.shot()
        for tree, _, _ in self.each():
            with self.subTest(kind=tree):
                path = self.apply(tree)
                self.assertEqual("0" if tree.startswith("police") else "5400", self.handle())
                self.assertNotEqual(bare, self.shot())
                self.apply("")
                self.assertEqual(bare, self.shot(), "not the kernel's default")
                self.topod("down", path)
                self.same(self.before, lab.snapshot(), "down left a trace")

    def test_changed_by_hand(self):
        for tree, by_hand, _ in self.each():
            with self.subTest(kind=tree):
                path = self.apply(tree)
                made = self.shot()
                for words in by_hand:
                    with self.subTest(by_hand=words):
                        self.change(words)
                        self.assertNotEqual(made, self.shot(), "tc changed nothing")
                        self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
                        self.topod("apply", path)
                        self.assertEqual(made, self.shot())
                self.topod("down", path)

    def test_changed_by_hand_under_a_daemon(self):
        for tree, by_hand, _ in self.each():
            with self.subTest(kind=tree):
                path = self.apply(tree)
                made = self.shot()
                # A daemon backs off from what changes again and again.
                for some in chunks(by_hand, 3):
                    d = self.daemon(path).ready()
                    for words in some:
                        with self.subTest(by_hand=words):
                            self.change(words)
                            self.wait_until(lambda: self.shot() == made, f"the qdisc after '{words}'", d)
                    d.stop()
                self.topod("down", path)

    def test_edited(self):
        for tree, _, edits in self.each():
            with self.subTest(kind=tree):
                self.apply(tree)
                made, handle = self.shot(), self.handle()
                for old, new in edits:
                    with self.subTest(edit=old, to=new):
                        self.assertIn(old, tree)
                        self.apply(tree.replace(old, new, 1))
                        self.assertNotEqual(made, self.shot())
                        self.assertEqual(handle, self.handle(), "made again")
                        self.apply(tree)
                        self.assertEqual(self.unnumbered(made), self.unnumbered(self.shot()))
                self.topod("down", self.entry(tree))

    def test_from_kind_to_kind(self):
        handles = []
        for tree, _, _ in self.each():
            with self.subTest(kind=tree):
                path = self.apply(tree)
                if not tree.startswith("police"):
                    handles.append(self.handle())
        self.assertTrue(all(handle.startswith("54") for handle in handles), handles)
        self.topod("down", path)
        self.same(self.before, lab.snapshot(), "down left a trace")


class Owners(Shaped):
    """Whose a qdisc is."""

    TREE = "qdisc: {kind: tbf, rate: 1mbit, burst: 32k, limit: 9k}"

    def test_of_an_existing_interface(self):
        lab.ip(lab.HOST, "link add h0 type veth peer name h1")
        lab.ip(lab.HOST, "link set dev h0 up")
        before = lab.tc(lab.HOST, "qdisc show dev h0").stdout
        path = self.spec("namespaces: {host: {interfaces: {h0: {kind: existing, qdisc: {kind: pfifo, limit: 5}}}}}")
        self.topod("apply", path)
        self.assertIn("limit 5p", lab.tc(lab.HOST, "qdisc show dev h0").stdout)
        self.topod("down", path)
        self.assertEqual(before, lab.tc(lab.HOST, "qdisc show dev h0").stdout)
        lab.tc(lab.HOST, "qdisc add dev h0 root handle 7: pfifo limit 6")
        run = self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.assertIn("h0: qdisc exists and is not topod's: remove it", run.stderr)
        self.assertIn("limit 6p", lab.tc(lab.HOST, "qdisc show dev h0").stdout)
        self.topod("down", path)
        self.assertIn("limit 6p", lab.tc(lab.HOST, "qdisc show dev h0").stdout)
        lab.ip(lab.HOST, "link del h0")

    def test_what_was_there_comes_back(self):
        lab.ip(lab.HOST, "netns add own")
        lab.ip("own", "link add x type veth peer name p")
        lab.tc("own", "qdisc add dev x root handle 7: tbf rate 3mbit burst 5k limit 6k")
        before = lab.tc("own", "qdisc show dev x").stdout
        path = self.spec("namespaces: {own: {adopt: true, interfaces: {x: {kind: existing, %s}}}}" % self.TREE)
        self.topod("apply", path)
        self.topod("plan", path)
        self.assertIn("rate 1Mbit", lab.tc("own", "qdisc show dev x").stdout)
        self.topod("down", path)
        self.assertEqual(before.split(" root ")[1], lab.tc("own", "qdisc show dev x").stdout.split(" root ")[1])
        lab.ip(lab.HOST, "netns del own")

    def test_an_exclusive_namespace_has_no_others(self):
        text = "namespaces: {a: {exclusive: %s, interfaces: {x: {}}}, b: {}}\nlinks: [['a:x', 'b:p']]"
        path = self.spec(text % "false")
        self.topod("apply", path)
        bare = self.shot()
        lab.tc("a", "qdisc add dev x root handle 7: pfifo limit 6")
        self.topod("plan", path)
        path = self.spec(text % "true")
        self.topod("apply", path)
        self.assertEqual(bare, self.shot())
        d = self.daemon(path).ready()
        lab.tc("a", "qdisc add dev x root handle 7: pfifo limit 6")
        self.wait_until(lambda: self.shot() == bare, "the default qdisc", d)
        d.stop()
        self.topod("down", path)

    def test_without_a_ledger_the_handle_shows_it(self):
        path = self.apply(self.TREE)
        made = self.shot()
        self.topod("down", path)
        self.apply("")
        lab.tc("a", "qdisc add dev x root handle 5400: tbf rate 2mbit burst 32k limit 9k")
        self.apply(self.TREE)
        self.assertEqual(made, self.shot())
        self.topod("down", path)

    def test_what_the_kernel_lacks(self):
        """It is reported with its place, and the rest is built."""
        lab.ip(lab.HOST, "link add h0 type veth peer name h1")
        said = lab.tc(lab.HOST, "qdisc add dev h0 root netem", check=False).stderr
        lab.ip(lab.HOST, "link del h0")
        if "unknown" not in said:
            self.skipTest("this kernel has netem")
        path = self.spec("namespaces: {a: {interfaces: {x: {impair: {delay: 1ms}, addresses: [10.0.0.1/24]}}}, b: {}}\n"
                         "links: [['a:x', 'b:p']]")
        run = self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.assertRegex(run.stderr, r"office.yaml:1:\d+: error: a/x: qdisc cannot be made: this kernel has no 'netem' queueing "
                                     "discipline")
        self.assertIn("10.0.0.1/24", str(lab.addresses("a", "x")))
        self.topod("down", path)
        self.same(self.before, lab.snapshot(), "down left a trace")


class Effect(Shaped):
    """What happens to packets."""

    def packets(self, minor):
        """The number of packets that left through this class."""
        said = lab.tc("a", "-s class show dev x").stdout
        return int(re.search(rf"class htb 5400:{minor} .*?\n Sent \d+ bytes (\d+) pkt", said)[1])

    def test_filters(self):
        path = self.apply("qdisc: {kind: htb, classes: [{id: 10, rate: 1gbit}, {id: 20, rate: 1gbit}, {id: 30, rate: 1gbit, default: true}], "
                          "filters: [{protocol: udp, port: 5000, class: 10}, {protocol: udp, destination: 10.0.0.0/25, source-port: 1, class: 30}, "
                          "{destination: 10.0.0.64/26, protocol: udp, class: 20}]}")
        lab.ip("b", "addr add 10.0.0.77/24 dev p")
        lab.pings("a", "10.0.0.2")
        lab.pings("a", "10.0.0.77")
        for to, port, minor in (("10.0.0.2", 5000, "a"), ("10.0.0.77", 5000, "a"), ("10.0.0.77", 5001, "14"), ("10.0.0.2", 5001, "1e")):
            with self.subTest(to=to, port=port):
                before = {m: self.packets(m) for m in ("a", "14", "1e")}
                lab.datagrams("a", to, [port] * 7)
                self.assertGreaterEqual(self.packets(minor) - before[minor], 7)
                for other in {"a", "14"} - {minor}:
                    self.assertEqual(before[other], self.packets(other))
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
