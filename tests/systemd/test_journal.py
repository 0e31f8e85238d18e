# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operator finds in the journal: fields to search by, explanations, and complete counts after a storm."""

import json
import os
import re

import machine
from machine import Case, lab
from lab import HOST, OFFICE, edit

UNIT = "topod@office.service"
HERE = os.path.dirname(os.path.abspath(__file__))
N_ADDRESSES = 400


def message_ids():
    """{name: id} of daemon/run/messages.h."""
    with open(os.path.join(HERE, "../../daemon/run/messages.h")) as f:
        return dict(re.findall(r'#define TOPOD_MESSAGE_(\w+)[\s\\]+"([0-9a-f]{32})"', f.read()))


class Fields(Case):
    def test_search(self):
        self.start(OFFICE)
        with machine.Journal() as journal:
            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
            entry = journal.wait("^drift: web/eth0: address 10.0.0.11/24 was removed; restored in ")
            wanted = {"TOPOD_TOPOLOGY": "office", "TOPOD_NAMESPACE": "web", "TOPOD_DRIFT": "missing",
                      "TOPOD_ACTION": "restored", "MESSAGE_ID": message_ids()["DRIFT_RESTORED"],
                      "_SYSTEMD_UNIT": UNIT, "SYSLOG_IDENTIFIER": "topod"}
            self.assertEqual(wanted, {k: entry.get(k) for k in wanted})
            self.assertIn("10.0.0.11/24", entry["TOPOD_OBJECT"])
            lab.ip("db", "link set eth0 address 02:00:00:00:00:13")
            journal.wait("^drift: db/eth0: mac-address was changed", TOPOD_DRIFT="changed")
        for match, there, missing in (("TOPOD_NAMESPACE=web", "web/eth0", "db/eth0"),
                                      ("TOPOD_NAMESPACE=db", "db/eth0", "web/eth0"),
                                      ("TOPOD_DRIFT=missing", "web/eth0", "db/eth0")):
            found = lab.run("journalctl", "-q", "-o", "cat", match).stdout
            self.assertIn(there, found, match)
            self.assertNotIn(missing, found, match)


class Catalog(Case):
    def test_every_kind_has_its_entry(self):
        listed = lab.run("journalctl", "--list-catalog", *message_ids().values()).stdout
        for name, number in message_ids().items():
            self.assertRegex(listed, f"(?m)^{number} topod: .", name)

    def test_explained(self):
        """`journalctl -x -u` explains what happens, with the names of the objects."""
        self.start(OFFICE)
        seen = {}
        with machine.Journal("-u", UNIT) as journal:
            def expect(name, what):
                entry = journal.wait(what, MESSAGE_ID=message_ids()[name])
                seen[name] = entry["__CURSOR"]

            lab.ip("web", "addr del 10.0.0.11/24 dev eth0")
            expect("DRIFT_RESTORED", "web/eth0")
            self.spec("nonsense: 1\n")
            self.assertNotEqual(0, self.systemctl("reload", UNIT, expect=None).returncode)
            expect("FILE_REFUSED", "nonsense")
            self.spec(edit(OFFICE, ("  lone:\n", "  lone:\n    drift: report\n"),
                           ("      - {to: 10.66.0.0/16, type: blackhole}\n", "      - {to: 10.99.0.0/16, via: 10.55.0.1}\n")))
            self.systemctl("reload", UNIT, expect=None)
            expect("FAILING", "10.99.0.0/16")
            lab.ip("lone", "addr del 10.8.0.1/24 dev side")
            expect("DRIFT_REPORTED", "lone/side")
            lab.ip("web", "addr add 10.55.0.2/24 dev eth0")
            expect("RECOVERED", "10.99.0.0/16")
            self.fight(journal)
            expect("BACKED_OFF", "db")
            self.systemctl("restart", UNIT)
            expect("CONVERGED", "converged")
        for name, cursor in seen.items():
            said = lab.run("journalctl", "-x", "-u", UNIT, "-n1", "--cursor", cursor).stdout
            with self.subTest(name, said=said):
                self.assertRegex(said, r"(?m)^\S* ?Subject: .")
                self.assertRegex(said, r"(?m)^\S* ?Defined-By: topod$")
                self.assertNotRegex(said, "@[A-Z]", "a name was not put in")

    def fight(self, journal):
        """Somebody deletes an address each time it is restored, until topod backs off."""
        with lab.Monitor("db") as monitor:
            for _ in range(100):
                lab.ip("db", "addr del 10.8.0.2/24 dev side", check=False)
                if any(e.get("MESSAGE_ID") == message_ids()["BACKED_OFF"] for e in journal.fetch()):
                    return
                lab.select.select(monitor.fileno_list(), [], [], 1)
                monitor.heard()


class Storm(Case):
    def test_counted(self):
        """More occurrences than are written as lines: the rest is counted, and journald has dropped nothing."""
        addresses = [f"10.7.{n // 200}.{n % 200 + 1}/32" for n in range(N_ADDRESSES)]
        batch = self.machine.write("/root/batch", "".join(f"addr del {a} dev eth0\n" for a in addresses))
        self.start(f"""\
namespaces:
  a:
    interfaces:
      eth0: {{addresses: [{", ".join(addresses)}]}}
links: [[a:eth0, host:c1]]
""", "storm")
        with machine.Journal("-u", "topod@storm") as journal:
            for _ in range(3):
                lab.ip("a", f"-batch {batch}")  # each once, while topod restores the first of them
                self.wait_until(lambda: len(lab.addresses("a", "eth0")) > N_ADDRESSES, "all addresses again")
            journal.wait("and [0-9]+ more", MESSAGE_ID=message_ids()["SUMMARY"])
            self.systemctl("stop", "topod@storm")  # counts are written at the end
        # A summary also counts recoveries and overruns: only the drifts are used here.
        drifts, told = 0, []
        for entry in machine.entries("-u", "topod@storm"):
            if entry.get("MESSAGE_ID") == message_ids()["SUMMARY"]:
                told.append(entry["MESSAGE"])
                drifts += sum(int(n) for n in re.findall("([0-9]+) (?:restored|backed off|not repaired)", told[-1]))
            elif "TOPOD_DRIFT" in entry:
                drifts += 1
        self.assertEqual(3 * N_ADDRESSES, drifts, told)
        suppressed = [e["MESSAGE"] for e in machine.entries("-t", "systemd-journald") if "uppressed" in e["MESSAGE"]]
        self.assertEqual([], suppressed)

    def test_not_rate_limited(self):
        """journald's own limit does not apply."""
        self.assertEqual("0", self.show(UNIT, "LogRateLimitIntervalUSec"))


if __name__ == "__main__":
    machine.main()
