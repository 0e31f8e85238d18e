/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings: what their values mean, which names are the same setting, and which settings depend on others.
 * tests/netns/test_settings.py checks what the kernel really prints.
 */
#include "spec-helper.h"

#include "kind/sysctl.h"

/* Checks the setting as "path=value", or the reason why it is refused. */
static void check_value(const char *path, const char *value, const char *expected) {
	_cleanup_(arena_done) struct arena arena = {};
	const char *why = sysctl_problem(&arena, path, value);
	const struct sysctl *sysctl = sysctl_new(&arena, "web", path, value);
	_cleanup_free_ char *found = why ? xstrdup(why) : xasprintf("%s=%s", sysctl->path, sysctl->value);

	assert_string_equal(found, expected);
	if (why)
		return;
	const struct sysctl *recreates = sysctl_new(&arena, "web", sysctl->path, sysctl->value);
	assert_string_equal(recreates->value, sysctl->value);
	assert_string_equal(recreates->path, sysctl->path);
}

static void test_numbers(void **state _unused_) {
	check_value("net/ipv4/ip_default_ttl", "0x40", "net/ipv4/ip_default_ttl=64");
	check_value("net/ipv4/ip_default_ttl", "0100", "net/ipv4/ip_default_ttl=64");
	check_value("net/ipv4/ip_default_ttl", " 64\n", "net/ipv4/ip_default_ttl=64");
	check_value("net/ipv4/conf/e/rp_filter", "-0", "net/ipv4/conf/e/rp_filter=0");
	check_value("net/ipv4/conf/e/rp_filter", "-1", "net/ipv4/conf/e/rp_filter=-1");
	check_value("net/ipv4/tcp_congestion_control", "cubic", "net/ipv4/tcp_congestion_control=cubic");
	check_value("net/core/default_qdisc", "08", "net/core/default_qdisc=08");
	check_value("net/core/rps_default_mask", "010", "net/core/rps_default_mask=010");
	check_value("net/x/huge", "99999999999999999999", "net/x/huge=99999999999999999999");
	check_value("net/ipv4/conf/e/rp_filter", "true", "takes a number: 1 for on, 0 for off");
	check_value("net/ipv4/conf/e/rp_filter", "08", "takes a number: 1 for on, 0 for off");
	check_value("net/ipv4/conf/e/rp_filter", "+1", "takes a number: 1 for on, 0 for off");
	check_value("net/ipv4/ip_forward", "1 2", "takes one number, not 2");
}

static void test_several_numbers(void **state _unused_) {
	check_value("net/ipv4/tcp_rmem", "4096\t0x20000   6291456", "net/ipv4/tcp_rmem=4096 131072 6291456");
	check_value("net/ipv4/tcp_rmem", "4096",
		    "takes 3 numbers (minimum, default and maximum), not 1; write them like \"4096 131072 6291456\"");
	check_value("net/ipv4/ip_local_port_range", "1024",
		    "takes 2 numbers (first and last), not 1; write them like \"32768 60999\"");
	check_value("net/ipv4/tcp_wmem", "a b c", "takes numbers");
	check_value("net/ipv4/tcp_wmem", "",
		    "takes 3 numbers (minimum, default and maximum), not 0; write them like \"4096 16384 4194304\"");
}

static void test_ranges(void **state _unused_) {
	const char ports[] = "net/ipv4/ip_local_reserved_ports";
	const char wrong[] = "takes numbers below 65536 and ranges of them, as in \"22-25,80,8080\"";

	check_value(ports, "80,22-25,8080", "net/ipv4/ip_local_reserved_ports=22-25,80,8080");
	check_value(ports, "1-3,2-5,6,7,9", "net/ipv4/ip_local_reserved_ports=1-7,9");
	check_value(ports, "0,65535", "net/ipv4/ip_local_reserved_ports=0,65535");
	check_value(ports, "", "net/ipv4/ip_local_reserved_ports=");
	check_value(ports, "65536", wrong);
	check_value(ports, "5-3", wrong);
	check_value(ports, "-3", wrong);
	check_value(ports, "3-", wrong);
	check_value(ports, "80 22", wrong);
	check_value("net/ipv6/icmp/ratemask", "128-130,0-1", "net/ipv6/icmp/ratemask=0-1,128-130");
}

static void test_addresses(void **state _unused_) {
	check_value("net/ipv6/conf/e/stable_secret", "2001:0db8:0000:0000:0000:0000:0000:0001",
		    "net/ipv6/conf/e/stable_secret=2001:db8::1");
	check_value("net/ipv6/conf/e/stable_secret", "secret", "takes an IPv6 address, as in \"2001:db8:1:2:3:4:5:6\"");
	check_value("net/ipv6/conf/e/stable_secret", "10.0.0.1", "takes an IPv6 address, as in \"2001:db8:1:2:3:4:5:6\"");
}

static void test_names(void **state _unused_) {
	check_value("net/ipv4/conf/all/forwarding", "0x1", "net/ipv4/ip_forward=1");
	check_value("net/ipv6/conf/all/forwarding", "1", "net/ipv6/conf/all/forwarding=1");
	check_value("net/ipv4/neigh/e0/retrans_time", "100", "net/ipv4/neigh/e0/retrans_time_ms=1000");
	check_value("net/ipv6/neigh/default/base_reachable_time", "30",
		    "net/ipv6/neigh/default/base_reachable_time_ms=30000");
	check_value("net/ipv6/route/gc_min_interval", "1", "net/ipv6/route/gc_min_interval_ms=1000");
	check_value("net/nf_conntrack_max", "5", "net/netfilter/nf_conntrack_max=5");
	check_value("net/ipv4/route/flush", "1", "is a command to the kernel, not a setting that can be kept");
}

static void check_noun(const char *path, const char *noun, const char *id) {
	_cleanup_(arena_done) struct arena arena = {};
	const struct object *object = &sysctl_new(&arena, "web", path, "1")->object;
	_cleanup_text_ struct text said = {}, known = {};

	object_print_noun(object, &said);
	assert_string_equal(text_str(&said), noun);
	object_print_id(object, &known);
	assert_string_equal(text_str(&known), id);
}

/* Messages use the name in the file, unless the value has another meaning there. */
static void test_written(void **state _unused_) {
	check_noun("net/ipv4/conf/all/forwarding", "sysctl net.ipv4.conf.all.forwarding", "web sysctl net.ipv4.ip_forward");
	check_noun("net/ipv4/ip_forward", "sysctl net.ipv4.ip_forward", "web sysctl net.ipv4.ip_forward");
	check_noun("net/ipv4/neigh/x/retrans_time", "sysctl net.ipv4.neigh.x.retrans_time_ms",
		   "web sysctl net.ipv4.neigh.x.retrans_time_ms");
}

static void test_one_object(void **state _unused_) {
	_spec_ r;

	good_spec(
		&r,
		"namespaces: {host: {forwarding: ipv4, sysctl: {net.ipv4.conf.all.forwarding: 01, net/ipv4/ip_forward: 0x1}}}");
	check_diags("namespaces: {a: {sysctl: {net.ipv4.ip_forward: 0, net.ipv4.conf.all.forwarding: 1}}}",
		    "f:1:51: error: a sysctl net.ipv4.ip_forward is declared twice with different values\n"
		    "f:1:27: note: first here");
	check_diags(
		"namespaces: {host: {sysctl: {net.ipv4.neigh.x.base_reachable_time: 30, net.ipv4.neigh.x.base_reachable_time_ms: 3000}}}",
		"f:1:72: error: host sysctl net.ipv4.neigh.x.base_reachable_time_ms is declared twice with different values\n"
		"f:1:30: note: first here");
	check_diags(
		"namespaces: {host: {sysctl: {net.ipv4.neigh.x.unres_qlen: 30, net.ipv4.neigh.x.unres_qlen_bytes: 3000}}}",
		"f:1:30: error: unres_qlen and unres_qlen_bytes are one setting, in packets and in bytes; keep the second\n"
		"f:1:63: note: the other is here");
}

static void test_address_generation(void **state _unused_) {
	_spec_ r;

	good_spec(
		&r,
		"namespaces: {a: {interfaces: {x: {kind: bridge}, z: {kind: bridge, ipv6-address-generation: none}},\n"
		"  sysctl: {net.ipv6.conf.x.addr_gen_mode: 1, net.ipv6.conf.z.addr_gen_mode: 1, net.ipv6.conf.default.addr_gen_mode: 1}}}\n"
		"defaults: {interface: {ipv6-address-generation: eui64}}");
	const struct object *x = get_object(&r.spec.state, "a/x link");
	assert_int_equal(((const struct link *)x)->address_generation, IN6_ADDR_GEN_MODE_NONE);
	assert_int_equal(object_position(x, &x->kind->fields[LINK_ADDRESS_GENERATION]).line, 2);
	assert_null(find_object(&r.spec.state, "a sysctl net.ipv6.conf.x.addr_gen_mode"));
	assert_null(find_object(&r.spec.state, "a sysctl net.ipv6.conf.z.addr_gen_mode"));
	get_object(&r.spec.state, "a sysctl net.ipv6.conf.default.addr_gen_mode");
	check_diags(
		"namespaces: {a: {interfaces: {z: {kind: bridge, ipv6-address-generation: none}}, sysctl: {net.ipv6.conf.z.addr_gen_mode: 0}}}",
		"f:1:91: error: this is another name of 'ipv6-address-generation' of z, with another value\n"
		"f:1:74: note: the key is here");
	check_diags("namespaces: {a: {interfaces: {z: {kind: bridge}}, sysctl: {net.ipv6.conf.z.addr_gen_mode: 4}}}",
		    "f:1:60: error: addr_gen_mode must be 0 (eui64), 1 (none), 2 (stable-privacy) or 3 (random)");
}

static void test_stable_privacy(void **state _unused_) {
	_spec_ r, all, host;

	check_diags("namespaces: {a: {interfaces: {x.1: {kind: bridge, ipv6-address-generation: stable-privacy}}}}",
		    "f:1:76: error: 'stable-privacy' needs a secret, an IPv6 address that nobody else knows: "
		    "write 'net.ipv6.conf.x/1.stable_secret: ADDRESS' under 'sysctl', or use 'random'");
	good_spec(&r, "namespaces: {a: {interfaces: {x: {kind: bridge, ipv6-address-generation: stable-privacy}}, "
		      "sysctl: {net.ipv6.conf.x.stable_secret: \"fd00::1\"}}}");
	good_spec(&all, "namespaces: {a: {interfaces: {x: {kind: bridge, ipv6-address-generation: stable-privacy}}, "
			"sysctl: {net.ipv6.conf.default.stable_secret: \"fd00::1\"}}}");
	good_spec(&host, "namespaces: {host: {interfaces: {x: {kind: bridge, ipv6-address-generation: stable-privacy}}}}");
	assert_int_equal(host.diags.n_warnings, 1);
}

static void test_mtu(void **state _unused_) {
	_spec_ r;

	good_spec(&r, "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1400}}, sysctl: {net.ipv6.conf.x.mtu: 1400}}}");
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1400}}, sysctl: {net.ipv6.conf.x.mtu: 1401}}}",
		    "f:1:71: error: the IPv6 MTU cannot be larger than the MTU of x, which is 1400\n"
		    "f:1:54: note: it is here");
	check_diags("namespaces: {a: {interfaces: {x: {kind: bridge}}, sysctl: {net.ipv6.conf.x.mtu: 1279}}}",
		    "f:1:60: error: the IPv6 MTU must be at least 1280");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),        cmocka_unit_test(test_several_numbers),
		cmocka_unit_test(test_ranges),         cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_names),          cmocka_unit_test(test_written),
		cmocka_unit_test(test_one_object),     cmocka_unit_test(test_address_generation),
		cmocka_unit_test(test_stable_privacy), cmocka_unit_test(test_mtu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
