/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Declared against observed state: which changes follow, and in which order. The state of the kernel is invented
 * (plan-helper.h). tests/netns checks that the kernel agrees; test-plan-owner.c is about ownership.
 */
#include "plan-helper.h"

static void test_from_nothing(void **state _unused_) {
	check_world(OFFICE, NULL,
		    "+ web namespace\n"
		    "~ web sysctl net.ipv4.conf.default.rp_filter: value 1\n" /* new links inherit it */
		    "+ host/br0 link\n"
		    "+ host/c1 link\n" /* with web/eth0; from this end, because it has a controller */
		    "~ web/eth0 link: up true, alias topod:t (follows)\n"
		    "~ web/lo link: up true\n"
		    "~ web sysctl net.ipv4.conf.eth0.rp_filter: value 2\n"
		    "+ web/eth0 address 10.0.0.11/24\n"
		    "+ web route 0.0.0.0/0\n"
		    "~ host/c1 link: alias topod:t (follows)\n"
		    "~ host/br0 link: up true, alias topod:t (follows)\n"
		    "+ host/br0 address 10.0.0.1/24\n"
		    "+ host NAT table\n");
}

static void test_nothing_to_do(void **state _unused_) {
	_world_ w;

	world_make(&w, OFFICE, OFFICE);
	world_plan(&w);
	check_plan(&w, "");
	assert_int_equal(w.plan.also.n, 0);
	assert_int_equal(w.plan.lost.n, 0);
	assert_int_equal(w.plan.unnoted.n, 0);
	assert_int_equal(w.plan.pending.n, 0);
}

/* Everything that a change needs is recorded, so that a failure affects nothing else. */
static void test_needs(void **state _unused_) {
	_world_ w;

	world_make(&w, OFFICE, NULL);
	world_plan(&w);
	const struct change *pair = change_of(&w, "host/c1 link"), *web = change_of(&w, "web namespace"),
			    *br0 = change_of(&w, "host/br0 link"), *route = change_of(&w, "web route 0.0.0.0/0");
	assert_true(needs(pair, web)); /* of the other end */
	assert_true(needs(pair, br0));
	assert_true(needs(route, pair)); /* its dev is the other end of the pair */
	assert_true(needs(route, web));
	assert_false(needs(route, br0));
	assert_true(needs(change_of(&w, "web/eth0 address 10.0.0.11/24"), pair));
	assert_true(needs(change_of(&w, "web sysctl net.ipv4.conf.eth0.rp_filter"), pair));
	assert_false(needs(change_of(&w, "web sysctl net.ipv4.conf.default.rp_filter"), pair));
	assert_int_equal(br0->n_needs, 0);
}

static void test_in_place(void **state _unused_) {
	check_world("namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1500, forward-delay: 2s, stp: true}}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1400, forward-delay: 15s, stp: true}}}}",
		    "~ a/x link: mtu 1400 -> 1500, forward-delay 15s -> 2s\n");
	check_world("namespaces: {host: {routes: {to: 10.0.0.0/8, via: 10.9.0.1, mtu: 1400}}}",
		    "namespaces: {host: {routes: {to: 10.0.0.0/8, via: 10.9.0.2, mtu: 1400}}}",
		    "~ host route 10.0.0.0/8: via 10.9.0.2 -> 10.9.0.1\n");
	check_world("namespaces: {host: {sysctl: {net.ipv4.ip_forward: 1}}}",
		    "namespaces: {host: {sysctl: {net.ipv4.ip_forward: 0}}}",
		    "~ host sysctl net.ipv4.ip_forward: value 0 -> 1\n");
	check_world("namespaces: {host: {nat: {action: masquerade}}}",
		    "namespaces: {host: {nat: {action: masquerade, out: eth0}}}", "~ host NAT table: ruleset\n");
	check_world(
		"namespaces: {host: {interfaces: {b: {kind: bridge, ports: [{name: e, cost: 5}]}, e: {kind: existing}}}}",
		"namespaces: {host: {interfaces: {b: {kind: bridge, ports: [{name: e, cost: 2}]}, e: {kind: existing}}}}",
		"~ host/e bridge port of b: cost 2 -> 5\n");
}

/* Fields that the file leaves out are not managed. */
static void test_left_out(void **state _unused_) {
	check_world("namespaces: {a: {interfaces: {x: {kind: bridge}}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1400, stp: true}}}}", "");
}

/* A different order of list items is not a difference. */
static void test_canonical(void **state _unused_) {
	check_world(
		"namespaces: {host: {routes: {to: 10.0.0.0/8, nexthops: [{via: 10.9.0.1}, {via: 10.9.0.2, weight: 3}]}}}",
		"namespaces: {host: {routes: {to: 10.0.0.0/8, nexthops: [{via: 10.9.0.2, weight: 3}, {via: 10.9.0.1}]}}}",
		"");
	/* The kernel reports the device that it chose. */
	check_world("namespaces: {host: {routes: {to: 10.0.0.0/8, via: 10.9.0.1}}}",
		    "namespaces: {host: {routes: {to: 10.0.0.0/8, via: 10.9.0.1, dev: eth0}}}", "");
	check_world(
		"namespaces: {host: {routes: {to: 10.0.0.0/8, nexthops: [{via: 10.9.0.1}, {via: 10.9.0.2}]}}}",
		"namespaces: {host: {routes: {to: 10.0.0.0/8, nexthops: [{via: 10.9.0.1, dev: a}, {via: 10.9.0.2, dev: b}]}}}",
		"");
}

static void test_recreated(void **state _unused_) {
	check_world("namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: vxlan, id: 2, addresses: 10.0.0.1/8}}}}",
		    "namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: vxlan, id: 1, addresses: 10.0.0.1/8}}}}",
		    "- a/x link (again)\n"
		    "+ a/x link (again)\n"
		    "~ a/x link: alias topod:t (again) (follows)\n"
		    "+ a/x address 10.0.0.1/8 (again)\n");
	/* A mode that the kernel cannot change, and one that it can. */
	check_world("namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: macvlan, link: m, mode: passthru}}}}",
		    "namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: macvlan, link: m, mode: bridge}}}}",
		    "- a/x link (again)\n+ a/x link (again)\n~ a/x link: alias topod:t (again) (follows)\n");
	check_world("namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: macvlan, link: m, mode: private}}}}",
		    "namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: macvlan, link: m, mode: bridge}}}}",
		    "~ a/x link: mode bridge -> private\n");
	check_world("namespaces: {a: {interfaces: {x: {kind: bridge, addresses: {address: 10.0.0.1/8, scope: link}}}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: {address: 10.0.0.1/8, scope: host}}}}}",
		    "- a/x address 10.0.0.1/8 (again)\n+ a/x address 10.0.0.1/8 (again)\n");
	/* An IPv6 address is the same with any prefix length. */
	check_world("namespaces: {a: {interfaces: {x: {kind: bridge, addresses: \"fd00::1/64\"}}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: \"fd00::1/48\"}}}}",
		    "- a/x address fd00::1/64 (again)\n+ a/x address fd00::1/64 (again)\n");
}

/* An IPv4 address with another prefix length is another address. */
static void test_replaced_address(void **state _unused_) {
	check_world("namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/16}}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/24}}}}",
		    "- a/x address 10.0.0.1/24\n+ a/x address 10.0.0.1/16\n");
}

#define WITH_PEER(peer) \
	"namespaces: {a: {interfaces: {x: {kind: bridge, addresses: [{address: 10.0.0.1, peer: " peer "}]}}}}"

/* So is one with a peer in another network: an interface may have both. In the same network it is the same address. */
static void test_address_of_another_peer(void **state _unused_) {
	check_world(WITH_PEER("10.9.0.2"), WITH_PEER("10.9.0.3"),
		    "- a/x address 10.0.0.1 peer 10.9.0.3/32\n+ a/x address 10.0.0.1 peer 10.9.0.2/32\n");
	check_world(WITH_PEER("10.9.0.2}, {address: 10.0.0.1, peer: 10.9.0.3"), WITH_PEER("10.9.0.3"),
		    "+ a/x address 10.0.0.1 peer 10.9.0.2/32\n");
	check_world(WITH_PEER("10.9.0.2/24"), WITH_PEER("10.9.0.3/24"),
		    "- a/x address 10.0.0.1 peer 10.9.0.2/24 (again)\n+ a/x address 10.0.0.1 peer 10.9.0.2/24 (again)\n");
}

/* A port outlives its controller. */
static void test_recreated_controller(void **state _unused_) {
	check_world("namespaces: {a: {interfaces: {m: {kind: bridge, ports: [x]}, x: {kind: vxlan, id: 1}}}}",
		    "namespaces: {a: {interfaces: {m: {kind: vxlan, id: 2}, x: {kind: vxlan, id: 1}}}}",
		    "- a/m link (again)\n+ a/m link (again)\n~ a/m link: up true, alias topod:t (again) (follows)\n"
		    "~ a/x link: master m\n");
}

static void test_another_kind(void **state _unused_) {
	check_world("namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: bridge}}}}",
		    "namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: macvlan, link: m}}}}",
		    "- a/x link (again)\n+ a/x link (again)\n~ a/x link: up true, alias topod:t (again) (follows)\n");
}

/* Veth pairs: both ends are created and deleted together. */

static void test_pair_lost(void **state _unused_) {
	_world_ w;

	world_make(&w, PAIR, PAIR);
	lose(&w, "a/x link"), lose(&w, "a/x address 10.0.0.1/8"), lose(&w, "b/z link");
	world_plan(&w);
	check_plan(&w, "+ a/x link\n~ a/x link: alias topod:t (follows)\n+ a/x address 10.0.0.1/8\n"
		       "~ b/z link: up true, alias topod:t (follows)\n");
}

static void test_first_end_lost(void **state _unused_) {
	_world_ w;

	world_make(&w, PAIR, PAIR);
	lose(&w, "a/x link"), lose(&w, "a/x address 10.0.0.1/8");
	world_plan(&w);
	check_plan(&w, "- b/z link (again)\n+ a/x link (again)\n~ a/x link: alias topod:t (again) (follows)\n"
		       "+ a/x address 10.0.0.1/8\n~ b/z link: up true, alias topod:t (again) (follows)\n");
}

static void test_second_end_lost(void **state _unused_) {
	_world_ w;

	world_make(&w, PAIR, PAIR);
	lose(&w, "b/z link");
	world_plan(&w);
	/* The address disappears with its end and is restored. */
	check_plan(&w, "- a/x link (again)\n+ b/z link (again)\n~ a/x link: up true, alias topod:t (again) (follows)\n"
		       "+ a/x address 10.0.0.1/8 (again)\n~ b/z link: alias topod:t (again) (follows)\n");
}

/* Saves a request: only the end that creates the pair can have its controller set in the same request. */
static void test_end_with_controller_makes_it(void **state _unused_) {
	check_world(
		"namespaces: {host: {interfaces: {x: {up: false}}}, a: {interfaces: {br0: {kind: bridge, ports: [z]}}}}\n"
		"links: [[host:x, a:z]]\n",
		"namespaces: {host: {}, a: {interfaces: {br0: {kind: bridge}}}}",
		"+ a/z link\n~ host/x link: up false, alias topod:t (follows)\n~ a/z link: alias topod:t (follows)\n");
}

/* If only one end was scanned, the other must be scanned before anything is done. */
static void test_other_end_not_scanned(void **state _unused_) {
	_world_ w;
	struct state *seen;

	world_make(&w, PAIR, PAIR);
	seen = &w.seen.spec.state;
	lose(&w, "a/x link");
	struct ns_state *b = state_find(seen, "b");
	HASH_CLEAR(hh, b->objects);
	HASH_DEL(seen->namespaces, b);
	world_plan(&w);
	assert_int_equal(w.plan.also.n, 1);
	assert_string_equal(w.plan.also.items[0]->ns, "b");
	assert_string_equal(object_home_link(w.plan.also.items[0]), "z");
}

static void test_end_moved_away(void **state _unused_) {
	_world_ w;

	world_make(&w, PAIR, PAIR);
	lose(&w, "b/z link");
	((struct veth *)seen_object(&w, "a/x link"))->peer = (struct link_ref){ .ifindex = 7, .netnsid = 3 };
	world_plan(&w);
	check_plan(&w, "- a/x link (again)\n+ a/x link (again)\n~ a/x link: alias topod:t (again) (follows)\n"
		       "+ a/x address 10.0.0.1/8 (again)\n~ b/z link: up true, alias topod:t (again) (follows)\n");
}

/* The kernel generates a link's own address as soon as it is up: so the mode must be set before. */
static void test_up_after_address_generation(void **state _unused_) {
	const char *seen = "namespaces: {a: {}}";

	check_world("namespaces: {a: {}, host: {interfaces: {z: {ipv6-address-generation: none}}}}\nlinks: [[a:x, host:z]]",
		    seen,
		    "+ host/z link\n~ host/z link: up true, ipv6-address-generation none, alias topod:t (follows)\n"
		    "~ a/x link: up true, alias topod:t (follows)\n");
	check_world("namespaces: {a: {}, host: {interfaces: {z: {mtu: 1400}}}}\nlinks: [[a:x, host:z]]", seen,
		    "+ host/z link\n~ host/z link: alias topod:t (follows)\n~ a/x link: up true, alias topod:t (follows)\n");
	check_world(
		"namespaces: {a: {interfaces: {m: {kind: macvlan, link: x, ipv6-address-generation: none}, x: {kind: bridge}}}}",
		"namespaces: {a: {interfaces: {x: {kind: bridge}}}}",
		"+ a/m link\n~ a/m link: up true, ipv6-address-generation none, alias topod:t (follows)\n");
}

static void test_pair_attribute(void **state _unused_) {
	check_world("namespaces: {a: {}}\nlinks: [{endpoints: [a:x, host:z], queues: 2}]",
		    "namespaces: {a: {}}\nlinks: [{endpoints: [a:x, host:z], queues: 1}]",
		    "- a/x link (again)\n- host/z link (again)\n+ host/z link (again)\n"
		    "~ host/z link: alias topod:t (again) (follows)\n"
		    "~ a/x link: up true, alias topod:t (again) (follows)\n");
	check_world("namespaces: {a: {}}\nlinks: [{endpoints: [a:x, host:z], mtu: 1500}]",
		    "namespaces: {a: {}}\nlinks: [{endpoints: [a:x, host:z], mtu: 1400}]",
		    "~ host/z link: mtu 1400 -> 1500\n~ a/x link: mtu 1400 -> 1500\n");
}

/* Everything on a recreated link is recreated with it, and a foreign namespace blocks both ends of a pair. */
static void test_upper_of_recreated(void **state _unused_) {
	const char *desired = "namespaces: {host: {interfaces: {m: {kind: macvlan, link: e, txqueuelen: 77}}}, a: {}}\n"
			      "links: [{endpoints: [host:e, a:f], queues: 2}]";
	const char *seen = "namespaces: {host: {interfaces: {m: {kind: macvlan, link: e, txqueuelen: 1000}}}, a: {}}\n"
			   "links: [{endpoints: [host:e, a:f], queues: 1}]";
	_world_ w, v;

	world_make(&w, desired, seen);
	world_plan(&w);
	bool made = false;
	vec_foreach(change, &w.plan.changes)
		made |= (*change)->type == CHANGE_CREATE && (*change)->recreates &&
			streq(((const struct link *)(*change)->desired)->name, "m");
	assert_true(made);
	world_make(&v, desired, seen);
	disown(&v, "a namespace"), disown(&v, "a/f link");
	world_plan(&v);
	check_plan(&v,
		   "! a namespace: exists and is not topod's: take it over with 'adopt: true', or rename it in the file\n"
		   "~ host/m link: txqueuelen 1000 -> 77\n");
}

/* Order. */

static void test_links_from_the_lowest_up(void **state _unused_) {
	_world_ w;
	size_t at = 0;
	static const char *const expected[] = { "host/b link", "host/m link", "host/v link" };

	world_make(&w,
		   "namespaces: {host: {interfaces: {v: {kind: vxlan, id: 1, dev: m}, m: {kind: macvlan, link: b},\n"
		   "  b: {kind: bridge}}}}",
		   NULL);
	world_plan(&w);
	vec_foreach(change, &w.plan.changes) {
		_cleanup_text_ struct text id = {};

		object_print_id((*change)->desired, &id);
		if ((*change)->type == CHANGE_CREATE)
			assert_string_equal(id.data, expected[at++]);
	}
	assert_int_equal(at, 3);
	assert_true(needs(change_of(&w, "host/v link"), change_of(&w, "host/m link")));
}

static void test_routes_by_gateway_last(void **state _unused_) {
	check_world("namespaces: {host: {routes: [{to: default, via: 10.9.0.1}, {to: 10.9.0.0/16, dev: e}],\n"
		    "  interfaces: {e: {kind: existing, addresses: 10.0.0.1/8}}}}",
		    "namespaces: {host: {interfaces: {e: {kind: existing}}}}",
		    "+ host/e address 10.0.0.1/8\n+ host route 10.9.0.0/16\n+ host route 0.0.0.0/0\n");
}

static void test_removals_go_first(void **state _unused_) {
	check_world("namespaces: {a: {interfaces: {z: {kind: bridge, addresses: 10.0.0.1/8}}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/8}}}, gone: {}}",
		    "- a/x link\n+ a/z link\n~ a/z link: up true, alias topod:t (follows)\n+ a/z address 10.0.0.1/8\n"
		    "- gone namespace\n");
}

/* Each port that comes up at a bridge that is up causes work for all other ports: so the bridge comes up last. */
static void test_bridge_after_all_ends_of_its_ports(void **state _unused_) {
	_world_ w;
	const struct change *last;

	world_make(&w,
		   "namespaces:\n  a: {interfaces: {br: {kind: bridge, ports: [p1, p2]}}}\n"
		   "  b: {interfaces: {e: {addresses: 10.0.0.1/8}}}\n  c: {interfaces: {e: {addresses: 10.0.0.2/8}}}\n"
		   "links: [[\"b:e\", \"a:p1\"], [\"c:e\", \"a:p2\"]]\n",
		   "namespaces: {a: {}, b: {}, c: {}}");
	world_plan(&w);
	last = w.plan.changes.items[w.plan.changes.n - 1];
	assert_string_equal(last->desired->ns, "a");
	assert_ptr_equal(last->desired, get_object(&w.desired.spec.state, "a/br link"));
	assert_true(last->completes);
}

/* Neither wrong nor done. */

static void test_pending_and_failed(void **state _unused_) {
	const char *text = "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: [\"fd00::1/64\", \"fd00::2/64\"]}}}}";
	_world_ w;

	world_make(&w, text, text);
	seen_object(&w, "a/x address fd00::1/64")->pending = true;
	seen_object(&w, "a/x address fd00::2/64")->failed = true;
	world_plan(&w);
	/* An address whose detection failed becomes usable only by recreating it. */
	check_plan(&w, "- a/x address fd00::2/64 (again)\n+ a/x address fd00::2/64 (again)\n");
	assert_true(change_of(&w, "a/x address fd00::2/64")->revives);
	assert_int_equal(w.plan.pending.n, 1);
	assert_ptr_equal(w.plan.pending.items[0].object, seen_object(&w, "a/x address fd00::1/64"));
	assert_int_equal(w.plan.failed.n, 1);
	assert_ptr_equal(w.plan.failed.items[0].object, get_object(&w.desired.spec.state, "a/x address fd00::2/64"));
}

static struct link *seen_link(struct world *w, const char *id) {
	return (struct link *)seen_object(w, id);
}

static void check_waiting(const struct world *w, const char *id, const char *why) {
	vec_foreach(waiting, &w->plan.waiting) {
		_cleanup_text_ struct text text = {};

		object_print_id(waiting->object, &text);
		if (!streq(text.data, id))
			continue;
		assert_string_equal(waiting->why, why);
		return;
	}
	fail_msg("%s does not wait", id);
}

/* Duplicate detection does not start before the link has a carrier; a route with that source waits for the same. */
static void test_waits_for_carrier(void **state _unused_) {
	const char *text = "namespaces: {a: {interfaces: {x: {kind: bridge, ports: [p], addresses: \"fd00::1/64\"},\n"
			   "  p: {kind: vxlan, id: 1}}, routes: {to: \"fd10::/64\", via: \"fd00::2\", src: \"fd00::1\"}}}";
	_world_ w;

	world_make(&w, text, text);
	seen_object(&w, "a/x address fd00::1/64")->pending = true;
	lose(&w, "a route fd10::/64");
	seen_link(&w, "a/x link")->no_carrier = seen_link(&w, "a/p link")->no_carrier = true;
	world_plan(&w);
	check_plan(&w, "");
	assert_int_equal(w.plan.waiting.n, 2);
	check_waiting(&w, "a/x address fd00::1/64", "for a carrier");
	check_waiting(&w, "a route fd10::/64", "for a carrier");
	assert_int_equal(w.plan.pending.n, 0);
}

/* The bridge is about to notice the port's carrier, unless spanning tree delays it. */
static void test_carrier_comes(void **state _unused_) {
	const char *text = "namespaces: {a: {interfaces: {x: {kind: bridge, ports: [p], addresses: \"fd00::1/64\"},\n"
			   "  p: {kind: vxlan, id: 1}, z: {kind: macvlan, link: x, addresses: \"fd01::1/64\"}}}}";
	_world_ w;

	world_make(&w, text, text);
	seen_object(&w, "a/x address fd00::1/64")->pending = seen_object(&w, "a/z address fd01::1/64")->pending = true;
	seen_link(&w, "a/x link")->no_carrier = seen_link(&w, "a/z link")->no_carrier = true;
	world_plan(&w);
	assert_int_equal(w.plan.pending.n, 2);
	assert_int_equal(w.plan.waiting.n, 0);
	plan_done(&w.plan);
	w.plan = (struct plan){};
	seen_link(&w, "a/p link")->port_state = 1; /* BR_STATE_LISTENING */
	world_plan(&w);
	assert_int_equal(w.plan.pending.n, 0);
	assert_int_equal(w.plan.waiting.n, 2);
}

#define AWAITED                                                                                      \
	"namespaces: {a: {interfaces: {wg0: {kind: existing, mtu: 1400, addresses: 10.0.0.1/24}},\n" \
	"  routes: [{to: 10.1.0.0/16, via: 10.0.0.9}], sysctl: {net.ipv4.conf.wg0.rp_filter: 2}},\n" \
	"  b: {interfaces: {m: {kind: macvlan, link: \"a:wg0\", addresses: 10.0.0.2/24}}}}"

/* An interface that somebody else moves in is waited for, and so is everything on it. */
static void test_waits_to_be_moved_in(void **state _unused_) {
	_world_ w;

	world_make(&w, AWAITED, "namespaces: {a: {}, b: {}}");
	world_plan(&w);
	check_plan(&w, "");
	assert_int_equal(w.plan.waiting.n, 6);
	check_waiting(&w, "a/wg0 link", "to be moved in");
	check_waiting(&w, "b/m link", "for an interface");
	check_waiting(&w, "a/wg0 address 10.0.0.1/24", "for an interface");
	check_world(AWAITED, "namespaces: {a: {interfaces: {wg0: {kind: existing, mtu: 1300}}}, b: {}}",
		    "~ a/wg0 link: mtu 1300 -> 1400\n+ b/m link\n~ a sysctl net.ipv4.conf.wg0.rp_filter: value 2\n"
		    "+ a/wg0 address 10.0.0.1/24\n+ a route 10.1.0.0/16\n~ b/m link: alias topod:t (follows)\n"
		    "+ b/m address 10.0.0.2/24\n");
}

/* When it disappears, its ledger entry goes, and so do those of objects that topod had made on it. */
static void test_goes_again(void **state _unused_) {
	_world_ w;

	world_make(&w, AWAITED, AWAITED);
	lose(&w, "a/wg0 link");
	lose(&w, "a/wg0 address 10.0.0.1/24");
	lose(&w, "a route 10.1.0.0/16");
	lose(&w, "b/m link");
	lose(&w, "b/m address 10.0.0.2/24");
	world_plan(&w);
	check_plan(&w, "");
	assert_int_equal(w.plan.waiting.n, 6);
	assert_int_equal(w.plan.lost.n, 4);
}

/* Only what was scanned is planned. */
static void test_part_of_the_world(void **state _unused_) {
	_world_ w;
	struct state *seen;

	world_make(&w, "namespaces: {a: {interfaces: {x: {kind: bridge}}}, b: {interfaces: {x: {kind: bridge}}}}",
		   "namespaces: {a: {}, b: {}}");
	seen = &w.seen.spec.state;
	struct ns_state *b = state_find(seen, "b"), *host = state_find(seen, "host");
	HASH_CLEAR(hh, b->objects);
	HASH_DEL(seen->namespaces, b);
	HASH_DEL(seen->namespaces, host);
	world_plan(&w);
	check_plan(&w, "+ a/x link\n~ a/x link: up true, alias topod:t (follows)\n");
}

/* The same desired state is planned repeatedly: nothing may remain from the last time. */
static void test_again(void **state _unused_) {
	_cleanup_text_ struct text first = {}, second = {};
	_world_ w;

	world_make(&w, OFFICE, NULL);
	world_plan(&w);
	print_changes(&w.plan, &first);
	plan_done(&w.plan);
	w.plan = (struct plan){};
	world_plan(&w);
	print_changes(&w.plan, &second);
	assert_string_equal(first.data, second.data);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_nothing),
		cmocka_unit_test(test_nothing_to_do),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_recreated),
		cmocka_unit_test(test_replaced_address),
		cmocka_unit_test(test_address_of_another_peer),
		cmocka_unit_test(test_another_kind),
		cmocka_unit_test(test_recreated_controller),
		cmocka_unit_test(test_pair_lost),
		cmocka_unit_test(test_first_end_lost),
		cmocka_unit_test(test_second_end_lost),
		cmocka_unit_test(test_end_with_controller_makes_it),
		cmocka_unit_test(test_other_end_not_scanned),
		cmocka_unit_test(test_end_moved_away),
		cmocka_unit_test(test_pair_attribute),
		cmocka_unit_test(test_up_after_address_generation),
		cmocka_unit_test(test_upper_of_recreated),
		cmocka_unit_test(test_links_from_the_lowest_up),
		cmocka_unit_test(test_routes_by_gateway_last),
		cmocka_unit_test(test_removals_go_first),
		cmocka_unit_test(test_bridge_after_all_ends_of_its_ports),
		cmocka_unit_test(test_pending_and_failed),
		cmocka_unit_test(test_waits_for_carrier),
		cmocka_unit_test(test_carrier_comes),
		cmocka_unit_test(test_waits_to_be_moved_in),
		cmocka_unit_test(test_goes_again),
		cmocka_unit_test(test_part_of_the_world),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
