# SPDX-License-Identifier: GPL-2.0-or-later
"""What no event tells is found by the periodic look. A file of its own: it waits half a minute for one."""

import lab
from lab import HOST, Case

lab.DEADLINE = max(lab.DEADLINE, 60)  # the look comes every 30 seconds

class Periodic(Case):
    TEXT = """\
topology: quiet
namespaces:
  host:
    sysctl: {net.ipv4.tcp_keepalive_time: 1000}
  still:
    sysctl: {net.ipv4.ip_default_ttl: 77}
"""

    def test_sysctl_without_an_event(self):
        path = self.spec(self.TEXT, "quiet.yaml")
        d = self.daemon(path).ready()
        with d.expects(r"drift: still\b.*ip_default_ttl"):
            with d.expects(r"drift: host\b.*tcp_keepalive_time"):
                lab.sysctl_set("still", "net.ipv4.ip_default_ttl", 44)
                lab.sysctl_set(HOST, "net.ipv4.tcp_keepalive_time", 4444)
        self.assertEqual("77", lab.sysctl_get("still", "net.ipv4.ip_default_ttl"))
        self.assertEqual("1000", lab.sysctl_get(HOST, "net.ipv4.tcp_keepalive_time"))
        d.stop()
        self.topod("plan", path, expect=0)
        self.topod("down", path)


if __name__ == "__main__":
    lab.main()
