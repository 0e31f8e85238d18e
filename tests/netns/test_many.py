# SPDX-License-Identifier: GPL-2.0-or-later
"""Many namespaces at once: settings through other paths, ends of pairs looked up in batches, queues."""

import lab
from lab import HOST, Case

MANY = 150  # more than share a procfs, and more than fit into one batch of requests


def star(n):
    lines = ["topology: many", "namespaces:", "  hub:", "    interfaces:", "      br0: {kind: bridge, ports: ["]
    lines += [f"        p{i}," for i in range(n)]
    lines += ["      ]}"]
    for i in range(n):
        lines += [f"  n{i}:", f"    sysctl: {{net.ipv4.ip_default_ttl: {i % 200 + 1}}}"]
    return "\n".join(lines + ["links:", *(f"  - [n{i}:eth0, hub:p{i}]" for i in range(n))]) + "\n"


class Many(Case):
    def test_each_namespace_has_its_own_value(self):
        path = self.spec(star(MANY), "many.yaml")
        self.topod("apply", path)
        self.assertEqual([str(i % 200 + 1) for i in range(MANY)],
                         [lab.sysctl_get(f"n{i}", "net.ipv4.ip_default_ttl") for i in range(MANY)])
        self.topod("plan", path, expect=0)
        lab.sysctl_set(f"n{MANY - 1}", "net.ipv4.ip_default_ttl", 77)
        said = self.topod("plan", path, expect=2).stdout
        self.assertIn(f"n{MANY - 1}", said)
        self.assertIn("1 to change", said)
        self.topod("down", path)
        self.assertEqual([], lab.namespaces())

    def test_ends_that_changed_places(self):
        """Two pairs whose other ends were swapped: by name, kind and index each looks right."""
        path = self.spec("topology: many\nnamespaces: {a: {}, b: {}, c: {}, d: {}, spare: {}}\n"
                         "links:\n  - [a:x, c:y]\n  - [b:x, d:y]\n", "many.yaml")
        self.topod("apply", path)
        macs = {ns: lab.link(ns, "y")["address"] for ns in ("c", "d")}
        for start, end in (("c", "spare"), ("d", "c"), ("spare", "d")):
            lab.ip(start, f"link set y netns {end}")
            lab.ip(end, "link set y up")
        self.assertEqual(macs["c"], lab.link("d", "y")["address"])
        self.assertEqual(lab.link("c", "y")["ifindex"], lab.link("d", "y")["ifindex"])
        said = self.topod("plan", path, expect=2).stdout
        self.assertRegex(said, r"-/\+ x: veth to c:y")
        self.assertRegex(said, r"-/\+ x: veth to d:y")
        self.topod("apply", path)
        self.assertEqual(macs, {ns: lab.link(ns, "y")["address"] for ns in ("c", "d")})
        self.topod("plan", path, expect=0)
        self.topod("down", path)

    def test_queues(self):
        text = "topology: many\ndefaults: {link: {queues: 1}}\nnamespaces: {a: {}, b: {}}\n" \
               "links:\n  - [a:x, b:x]\n  - {endpoints: [a:y, b:y], queues: 2}\n"
        path = self.spec(text, "many.yaml")
        self.topod("apply", path)

        def queues():
            return [(l["num_tx_queues"], l["num_rx_queues"]) for end in ("x", "y") for ns in ("a", "b")
                    for l in [lab.link(ns, end)]]
        self.assertEqual([(1, 1), (1, 1), (2, 2), (2, 2)], queues())
        self.topod("plan", path, expect=0)
        path = self.spec(text.replace("queues: 2", "queues: 3"), "many.yaml")
        y, x = lab.link("a", "y")["ifindex"], lab.link("a", "x")["ifindex"]
        self.topod("apply", path)
        self.assertEqual([(1, 1), (1, 1), (3, 3), (3, 3)], queues())
        self.assertEqual(x, lab.link("a", "x")["ifindex"], "the other pair was touched")
        self.assertNotEqual(y, lab.link("a", "y")["ifindex"])
        self.topod("down", path)
        self.assertEqual([], lab.namespaces())


class Gone(Case):
    def test_what_outlives_its_namespace_is_given_back(self):
        lab.ip(HOST, "link add nic type veth peer name wire")
        before = self.settle()
        text = "topology: many\nnamespaces:\n" \
               "  a: {interfaces: {card: {kind: physical, source: nic}}, dns: {servers: [10.0.0.1]}, forwarding: true}\n" \
               "  b: {sysctl: {net.ipv4.ip_default_ttl: 7}}\n"
        path = self.spec(text, "many.yaml")
        self.topod("apply", path)
        self.assertIsNone(lab.link(HOST, "nic"))
        self.topod("down", path)
        self.assertIsNotNone(lab.link(HOST, "nic"))
        self.same(before, self.settle())

    def test_another_namespace_of_the_name_is_left_alone(self):
        """Our namespace was replaced by a foreign one: nothing in it is set to former values of ours."""
        path = self.spec("topology: many\nnamespaces:\n  a: {sysctl: {net.ipv4.ip_default_ttl: 7}}\n", "many.yaml")
        self.topod("apply", path)
        lab.run("ip", "netns", "delete", "a")
        lab.run("ip", "netns", "add", "a")
        lab.sysctl_set("a", "net.ipv4.ip_default_ttl", 99)
        self.topod("down", path)
        self.assertEqual("99", lab.sysctl_get("a", "net.ipv4.ip_default_ttl"))
        self.assertEqual(["a"], lab.namespaces())

    def test_what_another_topology_made_there_is_left_alone(self):
        """The same addresses and routes with the same mark, in a namespace that belongs to another topology by now."""
        same = ("namespaces:\n  a:\n    interfaces: {lo: {addresses: [192.0.2.1/32]}}\n"
                "    routes: [{to: 198.51.100.0/24, type: blackhole}]\n")
        path, other = self.spec("topology: many\n" + same, "many.yaml"), self.spec("topology: other\n" + same, "other.yaml")
        self.topod("apply", path)
        lab.run("ip", "netns", "delete", "a")
        self.topod("apply", other)
        before = lab.state_only(lab.snapshot())
        self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.spec("topology: many\n" + same.replace("  a:\n", "  a:\n    adopt: true\n"), "many.yaml")
        self.topod("apply", path)
        self.topod("down", path)
        self.same(before, lab.state_only(lab.snapshot()))
        self.topod("plan", other)

    def test_a_file_beside_it_is_left_alone(self):
        """The resolv.conf of a foreign namespace is foreign too, and `exclusive` only applies to topod's namespaces."""
        self.topod("apply", self.spec("topology: many\nnamespaces: {a: {dns: {servers: [10.0.0.1]}}}\n", "many.yaml"))
        lab.run("ip", "netns", "delete", "a")
        lab.run("ip", "netns", "add", "a")
        with open("/etc/netns/a/resolv.conf", "w") as f:
            f.write("nameserver 192.0.2.53\n")
        path = self.spec("topology: many\nnamespaces: {a: {exclusive: true}}\n", "many.yaml")
        done = self.topod("apply", path, expect=lab.EXIT_FAILED)
        self.assertIn("a: namespace exists and is not topod's", done.stderr)
        self.topod("down", path)
        with open("/etc/netns/a/resolv.conf") as f:
            self.assertEqual("nameserver 192.0.2.53\n", f.read())


if __name__ == "__main__":
    lab.main()
