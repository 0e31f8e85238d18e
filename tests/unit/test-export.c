/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file's objects, exported as if they had been observed, must be read again as the same, even kinds that the build
 * machine's kernel lacks. tests/netns/test_export.py tests the export of the real kernel's objects.
 */
#include "spec-helper.h"

#include "export/export.h"
#include "kind/link.h"

enum { QUEUES = 2 };

static const char *nobody(void *userdata _unused_, const struct ns_state *ns _unused_, const char **ret_file _unused_) {
	return NULL;
}

/* Desired objects have the same fields as observed ones, except what only the kernel shows. */
static void be_observed(struct state *state) {
	state_foreach(ns, state) {
		ns->present = true;
		ns_foreach(object, ns) {
			struct link *link = (struct link *)object;

			object->owned = true;

			if (!object_is_link(object))
				continue;
			link->master = link->master ? link->master : "";
			link->alias = link->alias ? link->alias : "";
			link->kind_text = "";
			link->queues = link->rx_queues = link->queues ? link->queues : QUEUES;
			link->mac_chosen = object->positions && object->positions[LINK_MAC].line;
		}
	}
}

static void write_out(struct arena *arena, const struct state *state, bool fresh, struct text *out) {
	struct exported exported = {};

	export_state(arena, state,
		     &(struct export_options){
			     .fresh = fresh, .queues = QUEUES, .maker = nobody, .machine_id = "0123456789abcdef" },
		     &exported);
	yaml_write(exported.root, out);
	vec_done(&exported.notes);
}

static void check_same(const struct state *first, const struct state *second, const char *text) {
	state_foreach(ns, first)
		ns_foreach(object, ns) {
			const struct object *again = ns_find(state_find(second, ns->name), object);
			_cleanup_text_ struct text id = {}, fields = {};

			object_print_id(object, &id);
			if (!again)
				fail_msg("%s is missing in:\n%s", id.data, text);
			if (object->kind != again->kind)
				fail_msg("%s is a %s in:\n%s", id.data, again->kind->name, text);
			object_print_fields(object, again, object_compare(object, again), &fields);
			if (fields.size)
				fail_msg("%s: %s in:\n%s", id.data, fields.data, text);
		}
}

static void check(const char *spec) {
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_text_ struct text text = {};
	struct read_spec first = {}, second = {};

	good_spec(&first, spec);
	be_observed(&first.spec.state);
	write_out(&arena, &first.spec.state, true, &text);
	good_spec(&second, text.data);
	check_same(&first.spec.state, &second.spec.state, text.data);
	check_same(&second.spec.state, &first.spec.state, text.data);
	read_spec_done(&first);
	read_spec_done(&second);
}

static void check_link(const char *kind, const char *keys) {
	char spec[1000];

	snprintf(spec, sizeof(spec),
		 "namespaces: {b: {interfaces: {p: {kind: dummy}}}, a: {interfaces: {d: {kind: dummy}, e: {kind: dummy},\n"
		 "x: {kind: %s%s%s}}}}",
		 kind, *keys ? ", " : "", keys);
	check(spec);
}

static void test_kinds(void **state _unused_) {
	check_link("vlan",
		   "link: d, id: 5, protocol: 802.1ad, gvrp: true, reorder-header: false, ingress-qos-map: {1: 5, 2: 6}");
	check_link("vlan", "link: 'b:p', id: 5");
	check_link("bond", "mode: active-backup, arp-interval: 100, arp-ip-targets: [10.0.0.1, 10.0.0.2], ports: [d]");
	check_link("vrf", "table: 10, ports: [d]");
	check_link(
		"bridge",
		"vlan-filtering: true, ports: [{name: d, pvid: 10, tagged: [20, 30-40]}, {name: e, pvid: none, tagged: 7}]");
	check_link("bridge", "vlan-filtering: true, vlan-default-pvid: none, stp: true, ports: [{name: d, cost: 7}]");
	check_link("macvlan", "link: d, mode: source, sources: ['02:00:00:00:00:01', '02:00:00:00:00:02']");
	check_link("ipvlan", "link: d, mode: l3s, isolation: private");
	check_link("tap", "owner: 7, multi-queue: true");
	check_link("geneve", "id: 5, remote: 10.0.0.2, ttl: 5, df: set");
	check_link("vxlan", "id: 5, local: 10.0.0.1, remote: 10.0.0.2, learning: false, source-ports: 1000-2000");
	check_link("vxlan", "id: 5, group: 239.1.1.1, dev: d");
	check_link("gre", "local: 10.0.0.1, remote: 10.0.0.2, key: 5, ttl: 64");
	check_link("gretap", "local: 10.0.0.1, remote: 10.0.0.2, input-key: 5, output-key: 6");
	check_link("sit", "local: 10.0.0.1, mode: ip6ip, 6rd-prefix: '2001:db8::/32'");
	check_link("ip6tnl", "local: 'fd00::1', remote: 'fd00::2', flow-label: 5, mode: ip6ip6");
	check_link("vti", "local: 10.0.0.1, remote: 10.0.0.2, key: 5");
	check_link("xfrm", "id: 5, dev: d");
	check_link("wireguard", "listen-port: 51820, fwmark: 5, peers: [{public-key: "
				"'BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=', allowed-ips: [10.0.0.0/24, 'fd00::/64'], "
				"persistent-keepalive: 25}]");
}

static void test_entries(void **state _unused_) {
	check("namespaces: {a: {interfaces: {x: {mtu: 1400, addresses: [10.0.0.1/24, {address: 'fd00::1/64', nodad: true},\n"
	      "  {address: 10.1.0.1, peer: 10.1.0.2, label: 'x:1', scope: link}]}, w: {mtu: 1300}},\n"
	      "routes: [{to: default, via: 10.0.0.2}, {to: 'fd01::/64', via: 'fe80::1', dev: x}, {to: 10.2.0.0/16, type: blackhole,\n"
	      "  metric: 7}, {to: 10.3.0.0/16, nexthops: [{via: 10.0.0.3, weight: 2}, {via: 10.0.0.4}]}, {to: 10.4.0.0/16,\n"
	      "  dev: x, table: 7, src: 10.0.0.1, advmss: 1000}, {to: '::/0', type: prohibit},\n"
	      "  {to: 0.0.0.0/0, dev: x, table: 9}, {to: default, nexthops: [{via: 10.0.0.3}, {dev: x}], table: 10}],\n"
	      "rules: [{from: 10.0.0.0/8, table: 7, priority: 5}, {fwmark: 1/3, table: 8, priority: 6, not: true},\n"
	      "  {to: 'fd00::/8', type: blackhole, priority: 7}, {priority: 8, goto: 9}],\n"
	      "neighbors: [{dev: x, address: 10.0.0.9, mac-address: '02:00:00:00:00:09'}, {dev: x, address: 10.0.0.8, proxy: true}],\n"
	      "nexthops: [{id: 1, via: 10.0.0.2, dev: x}, {id: 2, blackhole: true}, {id: 3, group: [{id: 1, weight: 2}]}]},\n"
	      "b: {interfaces: {z: {addresses: [10.0.0.2/24]}}}}\n"
	      "links: [[a:x, b:z], {endpoints: [a:w, b:w], mtu: 1300}]\n");
}

/* Tables of nftables are read rule by rule, as the kernel has them. */
static void test_rules(void **state _unused_) {
	check("namespaces: {a: {interfaces: {lan: {kind: dummy}, wan: {kind: dummy}}, nat: [{action: masquerade, source: 10.0.0.0/24,\n"
	      "  out: not lan}, {action: dnat, in: wan, protocol: [tcp, udp], port: [80, 100-200], to: 10.0.0.2, hairpin: lan},\n"
	      "  {action: dnat, protocol: tcp, port: 22, to: ':23', hook: output}, {action: netmap, destination: 10.1.0.0/21,\n"
	      "  to: 10.2.0.0/21}, {action: snat, source: ['fd00::/64', 'fd01::/61'], to: 'fd00::5-fd00::9', persistent: true}],\n"
	      "filter: {forward: {policy: drop, rules: [{state: [established, related], action: accept}, {in: [lan, 'w*'],\n"
	      "  protocol: [icmp, icmpv6], icmp-type: [echo-request, echo-reply], limit: 1/day burst 2, log: a, action: reject},\n"
	      "  {protocol: icmp, icmp-type: 3/1, log: {prefix: 'b ', level: info, limit: 5/hour}}, {protocol: tcp, tcp-flags: [syn,\n"
	      "  not ack], clamp-mss: pmtu}, {source: [not 10.0.0.0/8, not 10.64.0.0/10], fwmark: [1/3, 2], mark: 0xff,\n"
	      "  counter: true}, {limit: 3/week, counter: false}]}, input: {}, output: {rules: [{protocol: udp, source-port: not 7-9,\n"
	      "  log: '12', mark: 1/0xf}]}}}}\n");
}

/* Trees of qdiscs; an impairment of both ends stands at the link. */
static void test_shaping(void **state _unused_) {
	check("namespaces: {a: {interfaces: {w: {qdisc: {kind: htb, classes: [{id: 1, rate: 1mbit, default: true, qdisc: {kind: netem,\n"
	      "  delay: 1ms}}], filters: [{protocol: tcp, port: 80, class: 1}]}}, v: {impair: {loss: 1%, limit: 2000},\n"
	      "  police: {rate: 1mbit, burst: 10k}}, u: {qdisc: {kind: prio, children: [{kind: pfifo}, none, {kind: sfq}]}}}}, b: {}}\n"
	      "links: [{endpoints: [a:x, b:x], impair: {delay: 20ms, jitter: 5ms, distribution: normal, loss: 0.5%}}, [a:w, b:w], [a:v, b:v],\n"
	      "  {endpoints: [a:u, b:u], mtu: 1400}]\n");
}

/* Names and numbers that YAML would read as something else. */
static void test_words(void **state _unused_) {
	check("namespaces: {'on': {interfaces: {'12.30': {addresses: [10.0.0.1/24]}, 'null': {kind: dummy}, '7': {kind: bridge,\n"
	      "ports: ['null']}}}, '10': {}}\nlinks: [['on:12.30', '10:no']]\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),   cmocka_unit_test(test_entries), cmocka_unit_test(test_rules),
		cmocka_unit_test(test_shaping), cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
