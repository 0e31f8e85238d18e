/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mistakes with tunnels: each is found before anything is changed, and the message says what to write. */
#include "spec-helper.h"

/* The entry `x`, whose keys stand on line 3. */
static void check_tunnel(const char *kind, const char *keys, const char *expected) {
	_cleanup_free_ char *text =
		xasprintf("namespaces: {a: {interfaces: {x: {kind: %s,\n%s}}}, b: {}}\nlinks: [[a:e0, b:e0], [a:e1, b:e1]]",
			  kind, keys);

	check_diags(text, expected);
}

static void test_ends(void **state _unused_) {
	check_tunnel("gre", "remote: 10.0.0.2", "");
	check_tunnel("gre", "key: 1", "");
	check_tunnel("gre", "ttl: 5",
		     "f:1:31: error: a tunnel needs 'local', 'remote' or a key: the tunnel without them is the kernel's "
		     "own");
	check_tunnel("gre", "remote: \"fd00::1\"",
		     "f:2:9: error: 'remote' must be an IPv4 address for a tunnel of kind gre; over IPv6 there are ip6gre, "
		     "ip6gretap, ip6tnl and vti6");
	check_tunnel(
		"vti6", "local: 10.0.0.1",
		"f:2:8: error: 'local' must be an IPv6 address for a tunnel of kind vti6; over IPv4 there are gre, gretap, "
		"ipip, sit and vti");
	check_tunnel("ipip", "local: 239.0.0.1",
		     "f:2:8: error: 'local' is a multicast address; it must be an address of this machine");
	check_tunnel("gre", "remote: 239.0.0.1, dev: e0", "");
}

static void test_mac(void **state _unused_) {
#define NO_MAC(kind) "f:2:64: error: an interface of kind " kind " has no MAC address: leave 'mac-address' out"
#define MAC "remote: 10.0.0.2, local: 10.0.0.1, ttl: inherit,  mac-address: \"02:00:00:00:00:01\""
	check_tunnel("gre", MAC, NO_MAC("gre"));
	check_tunnel("sit", MAC, NO_MAC("sit"));
	check_tunnel("gretap", MAC, "");
	check_tunnel("nlmon", "mac-address: \"02:00:00:00:00:01\"",
		     "f:2:14: error: an interface of kind nlmon has no MAC address: leave 'mac-address' out");
}

static void test_keys(void **state _unused_) {
	check_tunnel("gre", "remote: 10.0.0.2, key: 10.0.0.1", "");
	check_tunnel("gre", "remote: 10.0.0.2, key: none", "");
	check_tunnel("gre", "remote: 10.0.0.2, key: 1, input-key: 2",
		     "f:2:24: error: 'key' sets both 'input-key' and 'output-key': write either that or these");
	check_tunnel("gre", "remote: 10.0.0.2, key: red",
		     "f:2:24: error: 'key' is a number from 0 to 4294967295, not 'red'");
	check_tunnel("vti", "remote: 10.0.0.2, key: 0", "f:2:24: error: the key 0 of a vti means none; write 'none'");
	check_tunnel("erspan", "remote: 10.0.0.2, key: 1024",
		     "f:2:24: error: the 'key' of an erspan is its session, from 0 to 1023");
	check_tunnel("erspan", "remote: 10.0.0.2", "f:1:34: error: an erspan interface needs 'key'");
}

static void test_words(void **state _unused_) {
	check_tunnel("gre", "remote: 10.0.0.2, ikey: 1",
		     "f:2:19: error: unknown key 'ikey' in a gre interface; did you mean 'input-key'?");
	check_tunnel("gre", "remote: 10.0.0.2, csum: true",
		     "f:2:19: error: unknown key 'csum' in a gre interface; did you mean 'checksum'?");
	check_tunnel("ip6tnl", "remote: \"fd00::2\", hoplimit: 5",
		     "f:2:20: error: unknown key 'hoplimit' in an ip6tnl interface; did you mean 'ttl'?");
	check_tunnel("geneve", "vni: 7, remote: 10.0.0.2",
		     "f:2:1: error: unknown key 'vni' in a geneve interface; did you mean 'id'?");
	check_tunnel("ip6ip6", "remote: \"fd00::2\"", "f:1:41: error: unknown kind 'ip6ip6'; did you mean 'ip6tnl'?");
	check_tunnel("gre", "remote: 10.0.0.2, ttl: 256", "f:2:24: error: 'ttl' must be from 0 to 255, not 256");
	check_tunnel("gre", "remote: 10.0.0.2, ttl: inherit", "");
	check_tunnel("sit", "remote: 10.0.0.2, 6rd-prefix: 10.0.0.0/8",
		     "f:2:31: error: '6rd-prefix' is an IPv6 prefix, for example \"2001:db8::/32\"");
}

static void test_names(void **state _unused_) {
	check_diags(
		"namespaces: {a: {interfaces: {\ngre0: {kind: gre, remote: 10.0.0.2}}}}",
		"f:2:1: warning: 'gre0' is the name of an interface that a kernel module makes in every namespace: choose "
		"another name");
}

static void test_together(void **state _unused_) {
	check_tunnel("gre", "remote: 10.0.0.2, ttl: 5, pmtu-discovery: false",
		     "f:2:43: error: the kernel accepts 'pmtu-discovery: false' only with 'ttl: inherit'");
	check_tunnel("gre", "remote: 10.0.0.2, ignore-df: true", "f:2:30: error: 'ignore-df' needs 'pmtu-discovery: false'");
	check_tunnel("erspan", "remote: 10.0.0.2, key: 1, version: 2, index: 3",
		     "f:2:46: error: 'index' belongs to 'version: 1'");
	check_tunnel("erspan", "remote: 10.0.0.2, key: 1, direction: egress",
		     "f:2:38: error: 'direction' belongs to 'version: 2'");
	check_tunnel("xfrm", "dev: e0", "f:1:34: error: an xfrm interface needs 'id' or 'external'");
	check_tunnel("xfrm", "id: 5, external: true",
		     "f:2:5: error: with 'external: true' the routes choose the id; leave it out");
	check_tunnel("geneve", "id: 1, remote: 239.0.0.1",
		     "f:2:16: error: 'remote' is a multicast address, which geneve does not support");
}

static void test_underlay(void **state _unused_) {
	check_tunnel("gre", "remote: 10.0.0.2, underlay: b", "");
	check_tunnel("gre", "remote: 10.0.0.2, underlay: a, dev: e0", "");
	check_tunnel("gre", "remote: 10.0.0.2, underlay: host", "");
	check_tunnel("gre", "remote: 10.0.0.2, underlay: b, dev: \"b:e0\"", "");
	check_tunnel("gre", "remote: 10.0.0.2, underlay: c", "f:2:29: error: there is no namespace 'c'");
	check_tunnel("vxlan", "id: 1, underlay: b, dev: e0",
		     "f:2:26: error: this is an interface of a, but 'underlay' is b: write 'dev: b:INTERFACE', and leave "
		     "'underlay' out");
}

static void test_twice(void **state _unused_) {
	check_tunnel("gre", "remote: 10.0.0.2}, z: {kind: gre,\nremote: 10.0.0.2",
		     "f:3:9: error: another gre of a has the same 'local', 'remote' and key\nf:2:9: note: first here");
	check_tunnel("gre", "remote: 10.0.0.2, key: 1}, z: {kind: gre,\nremote: 10.0.0.2, key: 2", "");
	check_tunnel("vti", "remote: 10.0.0.2, key: 1}, z: {kind: vti,\nremote: 10.0.0.2, key: 2",
		     "f:3:9: error: another vti of a has the same 'local' and 'remote'\nf:2:9: note: first here");
	check_tunnel("vti6", "remote: \"fd00::2\", key: 1}, z: {kind: vti6,\nremote: \"fd00::2\", key: 2",
		     "f:3:9: error: another vti6 of a has the same 'local' and 'remote'\nf:2:9: note: first here");
	/* Where the outer packets travel. */
	check_tunnel("gre", "remote: 10.0.0.2, underlay: b}, z: {kind: gre, remote: 10.0.0.2", "");
	check_tunnel("gre", "remote: 10.0.0.2, underlay: b}, z: {kind: gre,\nremote: 10.0.0.2, underlay: b",
		     "f:3:9: error: another gre of b has the same 'local', 'remote' and key\nf:2:9: note: first here");
	check_tunnel("xfrm", "id: 5}, z: {kind: xfrm,\nid: 5",
		     "f:3:5: error: another xfrm interface of a has this id\nf:2:5: note: first here");
}

static void test_vxlan(void **state _unused_) {
	check_tunnel("vxlan", "id: 1, source-ports: 1000-2000, limit: 5, df: inherit, proxy: true, l2-miss: true", "");
	check_tunnel("vxlan", "id: 1, remotes: [10.0.0.2, 10.0.0.3, 10.0.0.2]", "");
	check_tunnel("vxlan", "id: 1, remotes: [10.0.0.2, 239.0.0.1]",
		     "f:2:17: error: 'remotes' takes the addresses of other ends, for example [192.0.2.2, 192.0.2.3]; "
		     "239.0.0.1 is a multicast address");
	check_tunnel("vxlan", "id: 1, remote: 10.0.0.9, remotes: 10.0.0.2",
		     "f:2:35: error: 'remote' is the only other end: write all of them as 'remotes', or leave this out");
	check_tunnel("vxlan", "id: 1, remotes: \"fd00::2\"",
		     "f:2:17: error: IPv6 'remotes' need 'local', an IPv6 address of this machine");
	check_tunnel("vxlan", "id: 1, remotes: \"fd00::2\", local: 10.0.0.1",
		     "f:2:17: error: 'local' and 'remotes' are of different families");
	check_tunnel("vxlan", "id: 1, vni-filter: true", "f:2:20: error: 'vni-filter' needs 'external: true'");
	check_tunnel(
		"vxlan", "id: 1, source-ports: 2000-1000",
		"f:2:22: error: 'source-ports' takes a lower and a higher port, for example 49152-65535, not '2000-1000'");
#define SAME "all on UDP port 4789 of a must have the same 'external', 'vni-filter' and 'gbp': choose another 'port'"
	check_tunnel("vxlan", "id: 1, remote: \"fd00::1\"}, z: {kind: vxlan,\nexternal: true",
		     "f:3:11: error: " SAME "\nf:1:31: note: first here");
	check_tunnel("vxlan", "id: 1, gbp: true}, z: {kind: vxlan, id: 2, gbp: true", "");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),  cmocka_unit_test(test_mac),      cmocka_unit_test(test_keys),
		cmocka_unit_test(test_words), cmocka_unit_test(test_names),    cmocka_unit_test(test_together),
		cmocka_unit_test(test_twice), cmocka_unit_test(test_underlay), cmocka_unit_test(test_vxlan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
