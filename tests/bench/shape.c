/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shape.h"

#define IPV4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

enum { FIRST_BRIDGE_INDEX = 2, FIRST_PORT_INDEX = 100 };

static const uint32_t left_end = IPV4(10, 255, 0, 1), right_end = IPV4(10, 255, 0, 2);

const char *const form_names[FORMS] = { "star", "chain", "campus", "vlans" };

void shape_ns_name(const struct shape *s, unsigned ns, char ret_name[NS_NAME_SIZE]) {
	if (shape_is_hub(s, ns))
		snprintf(ret_name, NS_NAME_SIZE, "bench-hub");
	else
		snprintf(ret_name, NS_NAME_SIZE, "bench-%c%u", shape_has_hub(s) ? 'h' : 'r', ns);
}

unsigned shape_bridges(const struct shape *s) {
	return shape_has_hub(s) ? (s->n + HOSTS_PER_BRIDGE - 1) / HOSTS_PER_BRIDGE : 0;
}

struct bridge shape_bridge(unsigned k) {
	struct bridge br = { .index = FIRST_BRIDGE_INDEX + (int)k, .address = IPV4(10, k, 0, 1), .prefix = 16 };

	snprintf(br.name, sizeof(br.name), "br%u", k);
	return br;
}

unsigned shape_bridge_of(unsigned host) {
	return (host - 1) / HOSTS_PER_BRIDGE;
}

void shape_port(unsigned host, char ret_name[IF_NAME_SIZE], int *ret_index) {
	snprintf(ret_name, IF_NAME_SIZE, "p%u", host);
	*ret_index = FIRST_PORT_INDEX + (int)host;
}

static struct end host_end(unsigned host) {
	unsigned k = shape_bridge_of(host), place = (host - 1) % HOSTS_PER_BRIDGE;

	return (struct end){
		.name = "eth0",
		.index = 2,
		.address = IPV4(10, k, 1 + place / 250, 1 + place % 250),
		.prefix = 16,
		.via = shape_bridge(k).address,
	};
}

/* Link i is the one between router i and router i + 1. */
static uint32_t link_network(unsigned i) {
	return IPV4(10, 0, 0, 0) + 4 * (i - 1);
}

static struct end left_of(unsigned router) {
	uint32_t network = link_network(router - 1);

	return (struct end){
		.name = "left",
		.index = 2,
		.address = network + 2,
		.prefix = 30,
		.to = left_end,
		.to_prefix = 32,
		.via = network + 1,
	};
}

static struct end right_of(unsigned router) {
	uint32_t network = link_network(router);

	return (struct end){
		.name = "right",
		.index = 3,
		.address = network + 1,
		.prefix = 30,
		.to = right_end,
		.to_prefix = 32,
		.via = network + 2,
	};
}

unsigned shape_ends(const struct shape *s, unsigned ns, struct end ret_ends[2]) {
	unsigned count = 0;

	if (shape_has_hub(s))
		ret_ends[count++] = host_end(ns);
	if (s->form == VLANS)
		ret_ends->via = 0; /* its routes would be in the VRF's table */
	if (!shape_has_hub(s) && ns > 1)
		ret_ends[count++] = left_of(ns);
	if (!shape_has_hub(s) && ns < s->n)
		ret_ends[count++] = right_of(ns);
	return count;
}

uint32_t shape_lo_address(const struct shape *s, unsigned ns) {
	if (shape_has_hub(s))
		return 0;
	return ns == 1 ? left_end : ns == s->n ? right_end : 0;
}

struct policy_rule shape_policy_rule(unsigned number) {
	static const struct policy_rule rules[POLICY_RULES] = {
		{ .priority = 100, .table = 100, .from = IPV4(10, 200, 0, 0), .from_prefix = 16 },
		{ .priority = 101, .table = 101, .mark = 7 },
	};

	return rules[number];
}

uint16_t shape_vlan(unsigned host) {
	return (uint16_t)(2 + host % 4000);
}
