# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes without an event are found by a periodic scan; a topology without such objects has no timer."""

import lab
from lab import HOST, Case


class Periodic(Case):
    TEXT = """\
topology: quiet
namespaces:
  host:
    sysctl: {net.ipv4.tcp_keepalive_time: 1000}
  still:
    forwarding: true
    sysctl: {net.ipv4.ip_default_ttl: 77}
    interfaces:
      wire: {addresses: [192.0.2.1/24]}
  far: {}
links: [[still:wire, far:wire]]
"""

    def test_sysctl_without_an_event(self):
        path = self.spec(self.TEXT, "quiet.yaml")
        d = self.daemon(path, args=["--periodic", "200ms"]).ready()
        with d.expects(r"drift: still\b.*ip_default_ttl"):
            with d.expects(r"drift: host\b.*tcp_keepalive_time"):
                lab.sysctl_set("still", "net.ipv4.ip_default_ttl", 44)
                lab.sysctl_set(HOST, "net.ipv4.tcp_keepalive_time", 4444)
        self.assertEqual("77", lab.sysctl_get("still", "net.ipv4.ip_default_ttl"))
        self.assertEqual("1000", lab.sysctl_get(HOST, "net.ipv4.tcp_keepalive_time"))
        d.stop()
        self.topod("plan", path, expect=0)
        self.topod("down", path)

    EVENTFUL = """\
topology: eventful
namespaces:
  still:
    sysctl:
      net.ipv4.conf.all.forwarding: 1
      net.ipv6.conf.all.forwarding: 1
      net.ipv4.conf.wire.forwarding: 1
      net.ipv6.conf.wire.forwarding: 1
      net.ipv4.conf.all.rp_filter: 2
      net.ipv4.conf.default.rp_filter: 2
      net.ipv4.conf.wire.rp_filter: 2
      net.ipv4.conf.wire.proxy_arp: 1
      net.ipv4.conf.wire.bc_forwarding: 1
      net.ipv4.conf.wire.ignore_routes_with_linkdown: 1
      net.ipv6.conf.wire.ignore_routes_with_linkdown: 1
      net.ipv6.conf.wire.proxy_ndp: 1
  far: {}
links: [[still:wire, far:wire]]
"""

    def eventful_keys(self):
        keys = [line.split(":")[0].strip() for line in self.EVENTFUL.splitlines() if line.startswith("      net.")]
        self.assertEqual(12, len(keys))
        return keys

    def test_settings_with_an_event(self):
        """topod expects an event for each of these, so no timer reads them: the event must come."""
        d = self.daemon(self.spec(self.EVENTFUL, "eventful.yaml")).ready()
        for key in self.eventful_keys():
            with d.expects(r"drift: still\b.*" + key.replace(".", r"\.") + " .*restored"):
                lab.sysctl_set("still", key, 0)
        d.stop()

    def test_settings_by_netlink(self):
        """A full scan reads these through netlink: the value must be that of the file."""
        path = self.spec(self.EVENTFUL, "eventful.yaml")
        self.topod("apply", path)
        self.topod("plan", path, expect=0)
        for key in self.eventful_keys():
            lab.sysctl_set("still", key, 0)
            self.assertIn(f"sysctl {key}: 0", self.topod("plan", path, expect=2).stdout)
            self.topod("apply", path)
            self.topod("plan", path, expect=0)
        self.topod("down", path)

    def test_the_other_name_of_one(self):
        """For a setting with two names, messages use the one in the file; so the file above has only one of them."""
        path = self.spec(lab.edit(self.EVENTFUL, ("net.ipv4.conf.all.forwarding", "net.ipv4.ip_forward")), "eventful.yaml")
        d = self.daemon(path).ready()
        for key in ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"):
            with d.expects(r"drift: still: sysctl net\.ipv4\.ip_forward .*restored"):
                lab.sysctl_set("still", key, 0)
        d.stop()
        lab.sysctl_set("still", "net.ipv4.conf.all.forwarding", 0)
        self.assertIn("sysctl net.ipv4.ip_forward: 0", self.topod("plan", path, expect=2).stdout)


if __name__ == "__main__":
    lab.main()
