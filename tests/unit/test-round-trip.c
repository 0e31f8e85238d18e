/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kind must read back from a request what it wrote into it: the kernel's dumps have the same attributes. This finds
 * attributes that only one of the two directions knows; tests/vm/test_fields.py checks on real kernels that they are the
 * right ones.
 */
#include "spec-helper.h"

#include <linux/rtnetlink.h>

#include "kind/link.h"
#include "model/change.h"

enum { LOWER = 5, ELSEWHERE = 7 };

static uint32_t ifindex(void *userdata _unused_, const char *ns _unused_, const char *name) {
	return streq(name, "d") ? LOWER : ELSEWHERE;
}

static int netns_fd(void *userdata _unused_, const char *ns _unused_) {
	return 3;
}

static uint32_t new_ifindex(void *userdata _unused_, const char *ns _unused_, const char *name _unused_) {
	return 99;
}

static const char *link_name(void *userdata _unused_, uint32_t index) {
	return index == LOWER ? "d" : "p";
}

static const struct resolver resolver = { .ifindex = ifindex, .netns_fd = netns_fd, .new_ifindex = new_ifindex };

struct trip {
	struct read_spec first, second;
	struct nl_writer writer;
	struct arena arena;
};

static void trip_done(struct trip *trip) {
	read_spec_done(&trip->first);
	read_spec_done(&trip->second);
	nl_writer_done(&trip->writer);
	arena_done(&trip->arena);
}
#define _trip_ _cleanup_(trip_done) struct trip

/* The fields that the messages of a change carry, one after another; those of another link are not read. */
static struct object *request(struct trip *trip, const struct change *change) {
	struct encode encode = { .writer = &trip->writer, .resolver = &resolver, .topology = "t", .arena = &trip->arena };
	const struct decode decode = { .arena = &trip->arena, .ns = "a", .topology = "t", .link_name = link_name };
	struct nlmsghdr *message;

	nl_clear(&trip->writer);
	assert_int_equal(change->desired->kind->encode(&encode, change), 0);
	message = trip->writer.messages.items[0];
	/* As in a dump: with the name, which an update does without. */
	if (change->type == CHANGE_UPDATE) {
		struct nlmsghdr *named = arena_alloc(&trip->arena, message->nlmsg_len + 64);

		memcpy(named, message, message->nlmsg_len);
		mnl_attr_put_strz(named, IFLA_IFNAME, "x");
		message = named;
	}
	struct link *link = link_decode(&decode, message);
	assert_non_null(link);
	link_resolve(&decode, link);
	return &link->object;
}

/* The fields of a link's own data, those that can be changed or all: the others come in separate messages, or need another
 * link. */
static uint64_t data_fields(const struct object *object, bool live) {
	uint64_t mask = 0;

	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (object_has(object, i) && field->wire == WIRE_DATA && (!live || field->class == FIELD_LIVE))
			mask |= field_bit(i);
	}
	return mask;
}

static void check_same(const struct object *desired, const struct object *seen, uint64_t mask) {
	uint64_t differs = object_compare(desired, seen) & mask;
	_cleanup_text_ struct text text = {};

	assert_string_equal(seen->kind->name, desired->kind->name);
	if (!differs)
		return;
	object_print_fields(desired, seen, differs, &text);
	fail_msg("%s: %s", desired->kind->name, text.data);
}

static const struct object *read_link(struct trip *trip, struct read_spec *spec, const char *kind, const char *keys) {
	good_spec(spec, arena_printf(&trip->arena,
				     "namespaces: {b: {interfaces: {p: {kind: dummy}}}, a: {interfaces: {d: {kind: dummy},\n"
				     "x: {kind: %s%s%s}}}}",
				     kind, *keys ? ", " : "", keys));
	return get_object(&spec->spec.state, "a/x link");
}

/* Made with the first keys, then changed to the second ones. */
static void check(const char *kind, const char *keys, const char *others) {
	_trip_ trip = {};
	struct change creation = { .type = CHANGE_CREATE, .desired = read_link(&trip, &trip.first, kind, keys) };

	creation.fields = creation.desired->set & ~field_bit(LINK_ALIAS);
	struct object *seen = request(&trip, &creation);
	check_same(creation.desired, seen, data_fields(creation.desired, false));
	struct change update = { .type = CHANGE_UPDATE,
				 .desired = read_link(&trip, &trip.second, kind, others),
				 .observed = seen };
	update.fields = object_compare(update.desired, seen) & data_fields(update.desired, true);
	assert_true(update.fields || streq(keys, others));
	if (update.fields)
		check_same(update.desired, request(&trip, &update), update.fields);
}

#define ENDS4 "local: 10.0.0.1, remote: 10.0.0.2"
#define OTHER4 "local: 10.0.0.3, remote: 10.0.0.4"
#define ENDS6 "local: 'fd00::1', remote: 'fd00::2'"
#define OTHER6 "local: 'fd00::3', remote: 'fd00::4'"
#define OUTER6 ", ttl: 64, tos: 16, flow-label: 5, encapsulation-limit: 4"
#define INHERIT6 ", ttl: inherit, tos: inherit, flow-label: inherit, encapsulation-limit: none"

static void test_tunnels(void **state _unused_) {
	static const char *const gre4[] = { "gre", "gretap" }, *const gre6[] = { "ip6gre", "ip6gretap" };

	for (size_t i = 0; i < ARRAY_SIZE(gre4); i++) {
		check(gre4[i], ENDS4 ", ttl: 64, tos: 16, key: 5, sequence: true, checksum: true, pmtu-discovery: true",
		      OTHER4 ", ttl: inherit, tos: inherit, key: 7, sequence: false, checksum: false");
		check(gre4[i], ENDS4 ", input-key: 5, output-key: 6, pmtu-discovery: false, ignore-df: true",
		      ENDS4 ", input-key: none, output-key: 8, pmtu-discovery: false, ignore-df: false");
	}
	for (size_t i = 0; i < ARRAY_SIZE(gre6); i++) {
		check(gre6[i], ENDS6 OUTER6 ", key: 5, sequence: true, checksum: true",
		      OTHER6 INHERIT6 ", key: 7, sequence: false, checksum: false");
		check(gre6[i], ENDS6 ", input-key: 5, output-key: 6", ENDS6 ", input-key: none, output-key: 8");
	}
	check("erspan", ENDS4 ", ttl: 64, key: 5, version: 1, index: 3",
	      OTHER4 ", ttl: inherit, key: 7, version: 1, index: 4");
	check("erspan", ENDS4 ", key: 5, version: 2, direction: egress, hardware-id: 3",
	      ENDS4 ", key: 5, version: 2, direction: ingress, hardware-id: 4");
	check("ipip", ENDS4 ", ttl: 64, tos: 16, mode: any", OTHER4 ", ttl: inherit, tos: inherit, mode: any");
	check("sit", ENDS4 ", ttl: 64, pmtu-discovery: true, mode: ip6ip", OTHER4 ", ttl: 64, mode: ip6ip");
	check("sit", "local: 10.0.0.1, 6rd-prefix: '2001:db8::/32'", "local: 10.0.0.1, 6rd-prefix: '2001:db9::/32'");
	check("ip6tnl", ENDS6 OUTER6 ", mode: any", OTHER6 INHERIT6 ", mode: ip6ip6");
	check("vti", ENDS4 ", key: 5", OTHER4 ", key: 7");
	check("vti6", ENDS6 ", input-key: 5, output-key: 6", ENDS6 ", input-key: none, output-key: 8");
	check("xfrm", "id: 5", "id: 5");
	check("xfrm", "external: true", "external: true");
}

static void test_overlays(void **state _unused_) {
	check("geneve", "id: 5, remote: 10.0.0.2, port: 7000, ttl: 5, tos: 16, df: set, udp-checksum: true",
	      "id: 5, remote: 10.0.0.4, port: 7000, ttl: 6, tos: inherit, df: inherit, udp-checksum: true");
	check("geneve", "id: 5, remote: 'fd00::2', udp-checksum: false", "id: 5, remote: 'fd00::4', udp-checksum: false");
	check("vxlan",
	      "id: 5, local: 10.0.0.1, remote: 10.0.0.2, port: 4790, ttl: 5, tos: 16, learning: false, ageing-time: 100s,\n"
	      "udp-checksum: false, source-ports: 1000-2000, df: set, limit: 7, proxy: true, l2-miss: true, l3-miss: true, gbp: true",
	      "id: 5, local: 10.0.0.3, remote: 10.0.0.4, port: 4790, ttl: 6, tos: 1, learning: true, ageing-time: 200s");
	check("vxlan", "id: 5, local: 'fd00::1', remote: 'fd00::2'", "id: 5, local: 'fd00::3', remote: 'fd00::4'");
	check("vxlan", "external: true, vni-filter: true", "external: true, vni-filter: true");
}

static void test_stacked(void **state _unused_) {
	check("vlan", "link: d, id: 5, protocol: 802.1ad, gvrp: true, reorder-header: false, ingress-qos-map: {1: 5}",
	      "link: d, id: 5, protocol: 802.1ad, gvrp: false, reorder-header: true, egress-qos-map: {10: 7}");
	check("macvlan", "link: d, mode: vepa", "link: d, mode: bridge");
	check("macvtap", "link: d, mode: private", "link: d, mode: vepa");
	check("ipvlan", "link: d, mode: l3s, isolation: private", "link: d, mode: l2, isolation: vepa");
	check("ipvtap", "link: d, mode: l3", "link: d, mode: l2");
}

static void test_controllers(void **state _unused_) {
	check("bridge",
	      "stp: true, forward-delay: 4s, hello-time: 1s, max-age: 10s, ageing-time: 100s, priority: 4096, mcast-snooping: false,\n"
	      "group-fwd-mask: 8, vlan-filtering: true, vlan-protocol: 802.1ad, mcast-querier: true, no-linklocal-learn: true",
	      "stp: false, forward-delay: 5s, priority: 8192, vlan-default-pvid: none, vlan-stats: true, mcast-router: permanent");
	check("vrf", "table: 10", "table: 10");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tunnels),
		cmocka_unit_test(test_overlays),
		cmocka_unit_test(test_stacked),
		cmocka_unit_test(test_controllers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
