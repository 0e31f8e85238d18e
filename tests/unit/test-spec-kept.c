/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values that the kernel would acknowledge but store differently: the reader of the file refuses them and says what to
 * write. */
#include "spec-helper.h"

static void test_stacked_macvlan(void **state _unused_) {
	check_diags("namespaces:\n"
		    "  a: {interfaces: {e0: {}, m1: {kind: macvlan, link: e0}, m2: {kind: macvlan, link: m1}}}\n"
		    "  b: {interfaces: {e0: {}, m3: {kind: macvtap, link: 'a:m1'}}}\n"
		    "links: [[a:e0, b:e0]]\n",
		    "f:2:85: error: a/m1 is itself of kind macvlan, and the kernel would stack this "
		    "interface on its parent; write 'link: e0'\n"
		    "f:3:54: error: a/m1 is itself of kind macvlan, and the kernel would stack this "
		    "interface on its parent; write 'link: a:e0'");
	check_diags(
		"namespaces: {a: {interfaces: {e0: {kind: bridge}, i1: {kind: ipvlan, link: e0}, i2: {kind: ipvlan, link: i1}}}}\n",
		"f:1:106: error: a/i1 is itself of kind ipvlan, and the kernel would stack this "
		"interface on its parent; write 'link: e0'");
}

static void test_remote_and_group(void **state _unused_) {
	check_diags("namespaces: {host: {interfaces: {e0: {kind: existing},\n"
		    "  vx: {kind: vxlan, id: 7, dev: e0, remote: 10.0.0.2, group: 239.0.0.1}}}}\n",
		    "f:2:62: error: 'remote' and 'group' are the same setting in the kernel: write only one of them\n"
		    "f:2:45: note: the other is here");
}

/* One attribute, of which each flag is a bit. */
static void test_flags(void **state _unused_) {
	check_diags("namespaces: {host: {interfaces: {e0: {kind: existing},\n"
		    "  x: {kind: vlan, link: e0, id: 7, reorder-header: true, gvrp: true, loose-binding: true}}}}\n",
		    "");
}

/* Two links share one MAC address, and each declares another. */
static void test_passthru(void **state _unused_) {
	check_diags("namespaces: {a: {interfaces: {br: {kind: bridge},\n"
		    "  m: {kind: macvlan, link: br, mode: passthru, mac-address: '02:00:00:00:00:11'}}}}\n",
		    "f:2:61: error: this macvlan has the hardware address of its parent: write 'mac-address' "
		    "for a/br instead");
	check_diags("namespaces: {a: {interfaces: {br: {kind: bridge, mac-address: '02:00:00:00:00:11'},\n"
		    "  m: {kind: macvlan, link: br, mode: passthru, mac-address: '02:00:00:00:00:11'}}}}\n",
		    "");
	check_diags("namespaces: {host: {interfaces: {e0: {kind: existing},\n"
		    "  m: {kind: macvlan, link: e0, mode: passthru, mac-address: '02:00:00:00:00:11'}}}}\n",
		    "");
}

/* ip_metrics_convert() in net/ipv4/metrics.c; vxlan_config_validate() takes 0 for "as usual". */
static void test_limits(void **state _unused_) {
	check_diags("namespaces: {host: {routes: [{to: 10.9.0.0/24, via: 10.0.0.2, mtu: 65535}]}}\n",
		    "f:1:68: error: 'mtu' must be from 68 to 65520, not 65535");
	check_diags("namespaces: {host: {interfaces: {vx: {kind: vxlan, id: 1, ageing-time: 0}}}}\n",
		    "f:1:72: error: 'ageing-time' must be from 1s to 4294967295s in steps of 1s, not 0");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stacked_macvlan), cmocka_unit_test(test_remote_and_group),
		cmocka_unit_test(test_flags),           cmocka_unit_test(test_passthru),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
