# SPDX-License-Identifier: GPL-2.0-or-later
"""
Queueing disciplines that few build machines' kernels have, each of their options, and their effect on packets.
CMakeLists.txt runs this in a kernel that has them; the tests for each are in ../netns/test_shaping.py.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../netns"))

import lab  # noqa: E402
import test_shaping  # noqa: E402
from lab import Case  # noqa: E402


def by_hand(words, *changes):
    """A change by tc for each: of one word to another."""
    for old, new in changes:
        assert old in words, (old, words)
    return [f"qdisc change dev x root handle 5400: {words.replace(old, new, 1)}" for old, new in changes]


NETEM = ("netem limit 500 delay 10ms 2ms 25% loss 5% 10% duplicate 2% 20% reorder 3% 30% corrupt 4% 40% rate 10mbit",
         "impair: {limit: 500, delay: 10ms, jitter: 2ms, correlation: 25%, loss: 5%, loss-correlation: 10%, duplicate: 2%, "
         "duplicate-correlation: 20%, reorder: 3%, reorder-correlation: 30%, corrupt: 4%, corrupt-correlation: 40%, rate: 10mbit}")

KINDS = {
    NETEM[1]: (
        by_hand(NETEM[0], ("500", "600"), ("10ms", "11ms"), (" 2ms", " 3ms"), ("25%", "26%"), ("5% 10%", "6% 10%"), ("10% dup", "11% dup"),
                (" 2% 20%", " 3% 20%"), ("2% 20%", "2% 21%"), ("3% 30%", "4% 30%"), ("30%", "31%"), ("4% 40%", "5% 40%"), ("40%", "41%"),
                ("10mbit", "11mbit"), ("reorder 3% 30%", "reorder 3% 30% gap 5"), ("loss 5% 10%", "loss gemodel 1% 2%"),
                (" rate 10mbit", " rate 10mbit 5"), (" rate 10mbit", " rate 10mbit slot 1ms 2ms"), (" rate 10mbit", " rate 10mbit ecn"))
        + ["qdisc add dev x parent 5400:1 pfifo limit 5"],
        [("500", "1"), ("10ms", "1s"), (", jitter: 2ms, correlation: 25%", ""), ("25%", "0.5%"), ("loss: 5%", "loss: 100%"), ("-correlation: 10%", "-correlation: 99.999%"),
         ("duplicate: 2%", "duplicate: 3%"), ("20%", "21%"), ("reorder: 3%", "reorder: 0.0001%"), ("30%", "31%"), ("corrupt: 4%", "corrupt: 6%"),
         ("40%", "41%"), ("10mbit", "40gbit"), (", reorder: 3%", ", gap: 3, reorder: 3%"), ("10mbit", "10mbit, ecn: true"),
         ("{limit: 500, delay: 10ms, jitter: 2ms, correlation: 25%,", "{delay: 10ms,")]),
    "qdisc: fq_codel": (
        by_hand("fq_codel x", *[("x", words) for words in (
            "limit 100", "target 6ms", "interval 90ms", "quantum 500", "noecn", "ce_threshold 3ms", "memory_limit 1mb", "drop_batch 5")])
        + ["qdisc replace dev x root handle 5401: fq_codel flows 5"],
        [("fq_codel", "{kind: fq_codel, %s}" % words) for words in (
            "limit: 100", "target: 6ms", "interval: 90ms", "quantum: 500", "ecn: false", "ce-threshold: 3ms", "memory-limit: 1m", "drop-batch: 5")]),
    "qdisc: fq": (
        by_hand("fq x", *[("x", words) for words in (
            "limit 100", "flow_limit 50", "quantum 700", "initial_quantum 9000", "maxrate 5mbit", "buckets 512", "orphan_mask 511",
            "low_rate_threshold 1mbit", "ce_threshold 3ms", "horizon 5s", "horizon_cap", "nopacing")]),
        [("fq", "{kind: fq, %s}" % words) for words in (
            "limit: 100", "flow-limit: 50", "quantum: 700", "initial-quantum: 9000", "maxrate: 5mbit", "buckets: 512", "orphan-mask: 511",
            "low-rate-threshold: 1mbit", "ce-threshold: 3ms", "horizon: 5s", "horizon-drop: false", "pacing: false")]),
    "qdisc: {kind: cake, bandwidth: 20mbit}": (
        by_hand("cake bandwidth 20mbit x", *[("x", words) for words in (
            "bandwidth 10mbit", "unlimited", "diffserv4", "flows", "nat", "wash", "ingress", "ack-filter", "no-split-gso", "rtt 50ms", "atm",
            "overhead 5", "mpu 64", "memlimit 1mb", "autorate-ingress", "fwmark 0xf")]),
        [("20mbit", "30gbit"), (", bandwidth: 20mbit", "")] + [("20mbit", f"20mbit, {words}") for words in (
            "diffserv: besteffort", "flow-mode: dual-srchost", "nat: true", "wash: true", "ingress: true", "ack-filter: aggressive",
            "split-gso: false", "rtt: 30ms", "atm: ptm", "overhead: -4", "overhead: 0", "mpu: 64", "memory-limit: 2m", "autorate-ingress: true",
            "fwmark: 0xf")]),
    "qdisc: {kind: prio, bands: 4, children: [fq_codel, none, {kind: netem, delay: 5ms}], filters: [{fwmark: 0x5/0xff, class: 1}, "
    "{protocol: icmpv6, class: 3}]}": (
        ["qdisc change dev x root handle 5400: prio bands 5", "qdisc change dev x root handle 5400: prio bands 4 priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
         "qdisc del dev x parent 5400:1", "qdisc add dev x parent 5400:2 pfifo limit 5",
         "qdisc change dev x parent 5400:3 netem delay 6ms", "filter del dev x parent 5400: prio 1",
         "filter add dev x parent 5400: prio 7 protocol ip u32 match mark 5 0xff classid 5400:2",
         "filter add dev x parent 5400: prio 7 protocol all matchall classid 5400:2"],
        [("bands: 4", "bands: 5"), ("bands: 4", "bands: 4, priomap: [3, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]"), ("fq_codel", "none"),
         ("fq_codel", "sfq"), ("5ms", "6ms"), ("0x5/0xff", "0x5"), ("0x5/0xff", "0x6/0xff"), ("class: 3", "class: 4"),
         ("[{fwmark: 0x5/0xff, class: 1}, ", "[")]),
    "police: {rate: 1mbit, burst: 10k}": (
        ["filter del dev x ingress", "qdisc del dev x ingress",
         "actions replace action police rate 2mbit burst 10k conform-exceed drop index INDEX",
         "actions replace action police rate 1mbit burst 20k conform-exceed drop index INDEX",
         "actions replace action police rate 1mbit burst 10k mtu 1500 conform-exceed drop index INDEX",
         "actions replace action police rate 1mbit burst 10k conform-exceed pass index INDEX"],
        [("1mbit", "50gbit"), ("10k", "1m"), ("10k", "10k, mtu: 1500")]),
}

AGAIN = [("fq_codel", "flows: 7"), *(("sfq", words) for words in (
    "limit: 100", "flows: 50", "perturb: 5s", "quantum: 700", "divisor: 512"))]


class Others(test_shaping.Trees):
    KINDS = KINDS
    LINK = ""  # one processor, and so one queue

    def test_each_option_stands_here(self):
        with open(os.path.join(os.path.dirname(__file__), "../../docs/reference.md"), encoding="utf-8") as f:
            page = f.read()
        for kind in ("netem", "fq_codel", "fq", "sfq", "cake", "prio"):
            part = page.split(f'<a id="qdisc-{kind}"></a>')[1].split("<a id=")[0]
            keys = re.findall(r"^\| `([\w-]+)`", part, re.M)
            self.assertTrue(keys)
            own = [(tree, edits) for tree, (_, edits) in KINDS.items() if re.match(rf"qdisc: ({{kind: )?{kind}\b", tree)]
            text = str([(NETEM[1], KINDS[NETEM[1]][1])] if kind == "netem" else own) + str([words for k, words in AGAIN if k == kind])
            for key in keys:
                if key != "distribution":  # see below
                    self.assertRegex(text, rf"(?<![\w-]){key}: ", kind)


LINK = """\
namespaces:
  a: {interfaces: {x: {addresses: [10.0.0.1/24]%s}}}
  b: {interfaces: {p: {addresses: [10.0.0.2/24]}}}
links: [{endpoints: ["a:x", "b:p"]%s}]
"""


class Effect(Case):
    def apply(self, interface="", link=""):
        path = self.spec(LINK % (interface and ", " + interface, link and ", " + link))
        self.topod("apply", path)
        self.topod("plan", path)
        return path

    @staticmethod
    def ping(*args):
        with lab.inside("a"):
            return subprocess.run(["ping", "-n", "-c", "3", "-i", "0.2", "-W", "5", *args, "10.0.0.2"], capture_output=True, text=True, check=False)

    def least(self, *args):
        """The shortest round trip, in milliseconds."""
        done = self.ping(*args)
        self.assertEqual(0, done.returncode, done.stdout)
        return float(re.search(r"= ([\d.]+)/", done.stdout)[1])

    def test_delay(self):
        self.apply()
        self.assertLess(self.least(), 150)
        self.apply(link="impair: {delay: 100ms}")
        self.assertGreaterEqual(self.least(), 195, "not both directions")
        self.apply('impair: {delay: 300ms}', "impair: {delay: 100ms}")
        self.assertGreaterEqual(self.least(), 395, "not the interface's own")
        path = self.apply()
        self.assertLess(self.least(), 150)
        self.topod("down", path)

    def test_loss(self):
        self.apply("impair: {loss: 100%}")
        self.assertNotEqual(0, self.ping("-W", "1").returncode)
        path = self.apply()
        self.wait_until(lambda: self.ping("-c", "1").returncode == 0, "an answer")  # the neighbour is asked again only later
        self.topod("down", path)

    def test_police(self):
        path = self.apply("police: {rate: 8kbit, burst: 500}")
        self.assertIn(" 0% packet loss", self.ping("-c", "1").stdout)
        self.assertNotEqual(0, self.ping("-W", "1", "-s", "1000").returncode, "an answer larger than the burst came in")
        path = self.apply("police: {rate: 80mbit, burst: 50000}")
        self.assertIn(" 0% packet loss", self.ping("-s", "1000").stdout)
        self.topod("down", path)

    def test_what_waits_outlives_a_change(self):
        self.apply("impair: {delay: 4s}")
        with lab.inside("a"):
            ping = subprocess.Popen(["ping", "-n", "-c", "1", "-W", "30", "10.0.0.2"], stdout=subprocess.PIPE, text=True)
        self.wait_until(lambda: re.search(r"backlog \d+b [1-9]", lab.tc("a", "-s qdisc show dev x").stdout), "a packet that waits")
        path = self.apply("impair: {delay: 20ms, loss: 0.5%}")
        said, _ = ping.communicate()
        self.assertEqual(0, ping.returncode, said)
        self.topod("down", path)

    def test_made_again(self):
        """Options that the kernel cannot change in place."""
        for kind, words in AGAIN:
            with self.subTest(kind=kind, words=words):
                self.apply("qdisc: %s" % kind)
                path = self.apply("qdisc: {kind: %s, %s}" % (kind, words))
                said = lab.tc("a", "qdisc show dev x").stdout
                self.assertIn("5401: ", said)
                lab.tc("a", "qdisc replace dev x root handle 5402: %s" % kind)
                self.apply("qdisc: {kind: %s, %s}" % (kind, words))
                self.assertEqual(said, lab.tc("a", "qdisc show dev x").stdout.replace("5400: ", "5401: "))
                self.topod("down", path)

    def test_distribution(self):
        """The kernel does not show it; the ledger does."""
        shots = []
        for words in ("", ", distribution: normal", ", distribution: pareto", ", distribution: paretonormal", ""):
            path = self.spec(LINK % (", impair: {delay: 30ms, jitter: 5ms%s}" % words, ""))
            if shots:
                self.topod("plan", path, expect=lab.EXIT_DIFFERENCES)
            self.apply("impair: {delay: 30ms, jitter: 5ms%s}" % words)
            shots.append(lab.tc("a", "qdisc show dev x").stdout)
        self.assertEqual(1, len(set(shots)), "made again")
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
