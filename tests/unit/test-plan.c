/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is declared against what is there: which changes follow, in which order, and what is left alone. What is
 * there is made up (plan-helper.h); that the kernel agrees is for netns/ to show.
 */
#include "kind/physical.h"
#include "plan-helper.h"

#include "kind/address.h"
#include "kind/nat.h"
#include "kind/route.h"
#include "kind/sysctl.h"

#define OFFICE                                                                                                      \
	"namespaces:\n"                                                                                             \
	"  host: {interfaces: {br0: {kind: bridge, ports: [c1], addresses: 10.0.0.1/24}}, nat: {action: masquerade}}\n" \
	"  web: {interfaces: {eth0: {addresses: 10.0.0.11/24}}, routes: {to: default, via: 10.0.0.1, dev: eth0},\n" \
	"    sysctl: {net.ipv4.conf.eth0.rp_filter: 2, net.ipv4.conf.default.rp_filter: 1}}\n"                      \
	"links: [[web:eth0, host:c1]]\n"

static void test_from_nothing(void **state _unused_) {
	check_world(OFFICE, NULL,
		    "+ web namespace\n"
		    "~ web sysctl net.ipv4.conf.default.rp_filter: value 1\n" /* new links inherit it */
		    "+ host/br0 link\n"
		    "+ host/c1 link\n" /* with web/eth0; from this end, because it has a controller */
		    "~ host/c1 link: alias topod:t (follows)\n"
		    "~ host/br0 link: up true, alias topod:t (follows)\n"
		    "+ host/br0 address 10.0.0.1/24\n"
		    "+ host NAT table\n"
		    "~ web/eth0 link: up true, alias topod:t (follows)\n"
		    "~ web/lo link: up true\n"
		    "~ web sysctl net.ipv4.conf.eth0.rp_filter: value 2\n"
		    "+ web/eth0 address 10.0.0.11/24\n"
		    "+ web route 0.0.0.0/0\n");
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

/* Everything that a change cannot be done without is said, so that a failure does not drag the rest along. */
static struct change *change_of(struct world *w, const char *id) {
	vec_foreach(at, &w->plan.changes) {
		_cleanup_text_ struct text text = {};

		object_print_id(change_object(*at), &text);
		if (streq(text.data, id) && !(*at)->follows)
			return *at;
	}
	fail_msg("there is no change of %s", id);
	return NULL;
}

static bool needs(const struct change *change, const struct change *need) {
	for (unsigned i = 0; i < change->n_needs; i++)
		if (change->needs[i] == need)
			return true;
	return false;
}

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
	check_world("namespaces: {host: {sysctl: {net.ipv4.ip_forward: 1}}}", "namespaces: {host: {sysctl: {net.ipv4.ip_forward: 0}}}",
		    "~ host sysctl net.ipv4.ip_forward: value 0 -> 1\n");
	check_world("namespaces: {host: {nat: {action: masquerade}}}", "namespaces: {host: {nat: {action: masquerade, out: eth0}}}",
		    "~ host NAT table: ruleset\n");
	check_world("namespaces: {host: {interfaces: {b: {kind: bridge, ports: [{name: e, cost: 5}]}, e: {kind: existing}}}}",
		    "namespaces: {host: {interfaces: {b: {kind: bridge, ports: [{name: e, cost: 2}]}, e: {kind: existing}}}}",
		    "~ host/e bridge port of b: cost 2 -> 5\n");
}

/* What the file leaves out is not managed. */
static void test_left_out(void **state _unused_) {
	check_world("namespaces: {a: {interfaces: {x: {kind: bridge}}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1400, stp: true}}}}", "");
}

/* The order in which people and kernels write things is no difference. */
static void test_canonical(void **state _unused_) {
	check_world("namespaces: {host: {routes: {to: 10.0.0.0/8, nexthops: [{via: 10.9.0.1}, {via: 10.9.0.2, weight: 3}]}}}",
		    "namespaces: {host: {routes: {to: 10.0.0.0/8, nexthops: [{via: 10.9.0.2, weight: 3}, {via: 10.9.0.1}]}}}",
		    "");
	/* The kernel says which way it chose. */
	check_world("namespaces: {host: {routes: {to: 10.0.0.0/8, via: 10.9.0.1}}}",
		    "namespaces: {host: {routes: {to: 10.0.0.0/8, via: 10.9.0.1, dev: eth0}}}", "");
	check_world("namespaces: {host: {routes: {to: 10.0.0.0/8, nexthops: [{via: 10.9.0.1}, {via: 10.9.0.2}]}}}",
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
	/* A mode that the kernel cannot switch to, and one that it can. */
	check_world("namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: macvlan, link: m, mode: passthru}}}}",
		    "namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: macvlan, link: m, mode: bridge}}}}",
		    "- a/x link (again)\n+ a/x link (again)\n~ a/x link: alias topod:t (again) (follows)\n");
	check_world("namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: macvlan, link: m, mode: private}}}}",
		    "namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: macvlan, link: m, mode: bridge}}}}",
		    "~ a/x link: mode bridge -> private\n");
	check_world("namespaces: {a: {interfaces: {x: {kind: bridge, addresses: {address: 10.0.0.1/8, scope: link}}}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: {address: 10.0.0.1/8, scope: host}}}}}",
		    "- a/x address 10.0.0.1/8 (again)\n+ a/x address 10.0.0.1/8 (again)\n");
	/* An IPv6 address is the same one whatever its length. */
	check_world("namespaces: {a: {interfaces: {x: {kind: bridge, addresses: \"fd00::1/64\"}}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: \"fd00::1/48\"}}}}",
		    "- a/x address fd00::1/64 (again)\n+ a/x address fd00::1/64 (again)\n");
}

/* An IPv4 address with another length is another address. */
static void test_replaced_address(void **state _unused_) {
	check_world("namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/16}}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/24}}}}",
		    "- a/x address 10.0.0.1/24\n+ a/x address 10.0.0.1/16\n");
}

static void test_another_kind(void **state _unused_) {
	check_world("namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: bridge}}}}",
		    "namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: macvlan, link: m}}}}",
		    "- a/x link (again)\n+ a/x link (again)\n~ a/x link: up true, alias topod:t (again) (follows)\n");
}

/* Veth pairs: one end does not go or come without the other. */

#define PAIR                                                                       \
	"namespaces: {a: {interfaces: {x: {addresses: 10.0.0.1/8}}}, b: {adopt: true}}\n" \
	"links: [[a:x, b:z]]\n"

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
		       "+ a/x address 10.0.0.1/8 (again)\n~ b/z link: up true, alias topod:t (again) (follows)\n");
}

static void test_second_end_lost(void **state _unused_) {
	_world_ w;

	world_make(&w, PAIR, PAIR);
	lose(&w, "b/z link");
	world_plan(&w);
	/* The address goes with its end and comes back. */
	check_plan(&w, "- a/x link (again)\n+ b/z link (again)\n~ a/x link: up true, alias topod:t (again) (follows)\n"
		       "+ a/x address 10.0.0.1/8 (again)\n~ b/z link: alias topod:t (again) (follows)\n");
}

/* One request less: only the end that makes the pair can bring its controller along. */
static void test_end_with_controller_makes_it(void **state _unused_) {
	check_world("namespaces: {host: {interfaces: {x: {up: false}}}, a: {interfaces: {br0: {kind: bridge, ports: [z]}}}}\n"
		    "links: [[host:x, a:z]]\n",
		    "namespaces: {host: {}, a: {interfaces: {br0: {kind: bridge}}}}",
		    "+ a/z link\n~ host/x link: up false, alias topod:t (follows)\n~ a/z link: alias topod:t (follows)\n");
}

/* Where only one end was looked at, the other must be, before anything is done. */
static void test_other_end_not_looked_at(void **state _unused_) {
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

/* A foreign link under the name of one end: the pair cannot be made, and what is left of it stays. */
static void test_foreign_end(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {}}\nlinks: [[a:x, host:z]]", "namespaces: {a: {}}\nlinks: [[a:x, host:z]]");
	lose(&w, "a/x link");
	disown(&w, "host/z link");
	world_plan(&w);
	check_plan(&w, "! host/z link: exists and is not topod's: take it over with 'adopt: true' on the "
		       "namespace, or rename it in the file\n");
}

static void test_foreign_end_and_own(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {interfaces: {x: {addresses: 10.0.0.1/8}}}}\nlinks: [[a:x, host:z]]",
		   "namespaces: {a: {interfaces: {x: {addresses: 10.0.0.1/8}}, exclusive: true}}\nlinks: [[a:x, host:z]]");
	((struct veth *)seen_object(&w, "a/x link"))->peer = (struct link_ref){ .ifindex = 7, .netnsid = 3 };
	((struct veth *)seen_object(&w, "host/z link"))->peer = (struct link_ref){ .ifindex = 8, .netnsid = 3 };
	disown(&w, "host/z link");
	lose(&w, "a/x address 10.0.0.1/8");
	world_plan(&w);
	const struct change *refusal = change_of(&w, "host/z link");
	assert_int_equal(w.plan.changes.n, 2); /* nothing is deleted for a pair that cannot be made */
	assert_true(refusal->refused);
	assert_true(needs(change_of(&w, "a/x address 10.0.0.1/8"), refusal));
}

/* Whose is it? */

static void test_in_the_way(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {host: {interfaces: {x: {kind: bridge, mtu: 1400, addresses: 10.0.0.1/8}}}}",
		   "namespaces: {host: {interfaces: {x: {kind: bridge, mtu: 1500}}}}");
	disown(&w, "host/x link");
	world_plan(&w);
	check_plan(&w, "! host/x link: exists and is not topod's: take it over with 'adopt: true' on the "
		       "namespace, or rename it in the file\n"
		       "+ host/x address 10.0.0.1/8\n");
	const struct change *refusal = change_of(&w, "host/x link");
	assert_int_equal(refusal->error, -EEXIST);
	assert_true(refusal->done);
	assert_true(needs(change_of(&w, "host/x address 10.0.0.1/8"), refusal));
}

/* A mark, or an entry in the ledger: either will do, because a crash may come between the two. */
static void test_mark_or_entry(void **state _unused_) {
	const char *desired = "namespaces: {host: {interfaces: {x: {kind: bridge, mtu: 1400}}}}",
		   *seen = "namespaces: {host: {interfaces: {x: {kind: bridge, mtu: 1500}}}}";
	_cleanup_text_ struct text lines = {};
	_world_ w, v;

	world_make(&w, desired, seen);
	seen_object(&w, "host/x link")->marked = false;
	world_plan(&w);
	check_plan(&w, "~ host/x link: mtu 1500 -> 1400\n");
	world_make(&v, desired, seen);
	ledger_forget(&v.ledger, "host", "host/x link", &lines);
	world_plan(&v);
	check_plan(&v, "~ host/x link: mtu 1500 -> 1400\n");
	assert_int_equal(v.plan.unnoted.n, 1);
}

/* There, marked, equal, but not in the ledger: it is to be noted, or nobody would remove it one day. */
static void test_unnoted(void **state _unused_) {
	_cleanup_text_ struct text lines = {};
	_world_ w;

	world_make(&w, OFFICE, OFFICE);
	ledger_forget(&w.ledger, "host", "host/br0 link", &lines);
	world_plan(&w);
	check_plan(&w, "");
	assert_int_equal(w.plan.unnoted.n, 1);
	assert_ptr_equal(w.plan.unnoted.items[0], get_object(&w.desired.spec.state, "host/br0 link"));
}

/* Somebody's `ip route replace` in the place of ours is drift. */
static void test_unmarked_in_our_place(void **state _unused_) {
	_world_ w;

	world_make(&w, OFFICE, OFFICE);
	struct route *route = (struct route *)seen_object(&w, "web route 0.0.0.0/0");
	route->protocol = 3;
	route->object.marked = false;
	world_plan(&w);
	check_plan(&w, "~ web route 0.0.0.0/0: protocol 3 -> 84\n");
}

static void test_foreign_namespace(void **state _unused_) {
	_world_ w;

	world_make(&w, OFFICE, OFFICE);
	lose(&w, "web/eth0 address 10.0.0.11/24");
	disown(&w, "web namespace");
	world_plan(&w);
	/* Nothing is planned inside it. */
	check_plan(&w, "! web namespace: exists and is not topod's: take it over with 'adopt: true', or rename "
		       "it in the file\n");
}

static void test_adopted_namespace(void **state _unused_) {
	const char *desired = "namespaces: {a: {adopt: true, interfaces: {x: {kind: bridge, mtu: 1400}}}}";
	_world_ w, v;

	world_make(&w, desired, "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1500}}}}");
	disown(&w, "a namespace");
	disown(&w, "a/x link");
	world_plan(&w);
	check_plan(&w, "~ a/x link: mtu 1500 -> 1400\n");
	world_make(&v, desired, NULL);
	world_plan(&v);
	check_plan(&v, "! a namespace: the namespace to adopt does not exist\n");
}

static void test_existing(void **state _unused_) {
	const char *desired = "namespaces: {host: {interfaces: {e: {kind: existing, mtu: 1400, addresses: 10.0.0.1/8}}}}";

	check_world(desired, "namespaces: {host: {interfaces: {e: {kind: existing, mtu: 1500}}}}",
		    "~ host/e link: mtu 1500 -> 1400\n+ host/e address 10.0.0.1/8\n");
	/* Whatever the kernel calls it. */
	check_world(desired, "namespaces: {host: {interfaces: {e: {kind: bridge, mtu: 1500, addresses: 10.0.0.1/8}}}}",
		    "~ host/e link: mtu 1500 -> 1400\n");
	check_world(desired, NULL, "! host/e link: there is no such interface, and 'kind: existing' never makes one\n"
				   "+ host/e address 10.0.0.1/8\n");
}

/* What is no longer declared. */

static void test_all_removed(void **state _unused_) {
	check_world("", OFFICE,
		    "- host NAT table\n"
		    "- host/c1 link\n"
		    "- host/br0 link\n" /* with its address */
		    "- web namespace\n"); /* with all that is in it */
}

static void test_some_removed(void **state _unused_) {
	check_world("namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/8}}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: [10.0.0.1/8, 10.0.0.2/8]}, z: {kind: bridge}},\n"
		    "  routes: {to: 10.1.0.0/16, type: blackhole}, nat: {action: masquerade}, dns: {servers: 10.0.0.9}}}",
		    "- a file /etc/netns/a/resolv.conf\n- a NAT table\n- a route 10.1.0.0/16\n- a/x address 10.0.0.2/8\n"
		    "- a/z link\n");
}

/* Its resolv.conf lies outside the namespace and would stay behind. */
static void test_dns_of_a_removed_namespace(void **state _unused_) {
	check_world("", "namespaces: {a: {dns: {servers: 10.0.0.9}}}", "- a file /etc/netns/a/resolv.conf\n- a namespace\n");
}

static void test_foreign_is_left(void **state _unused_) {
	const char *seen = "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/8}},\n"
			   "  routes: {to: 10.1.0.0/16, type: blackhole}}}";
	_world_ w;

	world_make(&w, "namespaces: {a: {}}", seen);
	disown(&w, "a/x link"), disown(&w, "a/x address 10.0.0.1/8"), disown(&w, "a route 10.1.0.0/16");
	world_plan(&w);
	check_plan(&w, "");
}

/* In the ledger, but what stands there today bears no mark: somebody else's in its place. */
static void test_foreign_in_the_place_of_removed(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {}}", "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/8}}}}");
	seen_object(&w, "a/x link")->marked = false;
	((struct link *)seen_object(&w, "a/x link"))->mac.bytes[5] ^= 1;
	seen_object(&w, "a/x address 10.0.0.1/8")->marked = false;
	world_plan(&w);
	check_plan(&w, "");
}

/* A crash came between making the link and marking it: its MAC address tells that it is ours. */
static void test_made_but_not_marked(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {}}", "namespaces: {a: {interfaces: {x: {kind: bridge}}}}");
	seen_object(&w, "a/x link")->marked = false;
	world_plan(&w);
	check_plan(&w, "- a/x link\n");
}

static void test_foreign_namespace_is_left(void **state _unused_) {
	_world_ w;

	world_make(&w, "", "namespaces: {a: {}}");
	disown(&w, "a namespace");
	world_plan(&w);
	check_plan(&w, "");
}

static void test_exclusive(void **state _unused_) {
	const char *seen = "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/8}, lo: {addresses: 127.0.0.1/8}},\n"
			   "  routes: [{to: 10.1.0.0/16, type: blackhole}, {to: 10.2.0.0/16, type: blackhole}],\n"
			   "  sysctl: {net.ipv4.ip_forward: 1}}}";
	_world_ w;

	world_make(&w, "namespaces: {a: {exclusive: true, routes: {to: 10.2.0.0/16, type: blackhole}}}", seen);
	disown(&w, "a/x link"), disown(&w, "a/x address 10.0.0.1/8"), disown(&w, "a route 10.1.0.0/16");
	disown(&w, "a/lo address 127.0.0.1/8");
	seen_object(&w, "a/lo address 127.0.0.1/8")->kernel_made = true;
	world_plan(&w);
	check_plan(&w, "- a route 10.1.0.0/16\n- a/x link\n"); /* the address goes along */
}

static void test_lost(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {}}", "namespaces: {a: {interfaces: {x: {kind: bridge}}}}");
	lose(&w, "a/x link");
	world_plan(&w);
	check_plan(&w, "");
	assert_int_equal(w.plan.lost.n, 1);
	assert_string_equal(w.plan.lost.items[0].ns, "a");
	assert_string_equal(w.plan.lost.items[0].id, "a/x link");
}

/* What goes back. */

static void test_field_returns(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {interfaces: {x: {kind: bridge}}}}",
		   "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1400, stp: true}}}}");
	ledger_add_returns(&w.ledger, &w.desired.spec.state);
	world_plan(&w);
	check_plan(&w, "~ a/x link: mtu 1400 -> 1500, stp true -> false\n");
}

static void test_found_returns(void **state _unused_) {
	const char *before = "namespaces: {host: {sysctl: {net.ipv4.ip_forward: 0}, interfaces: {e: {kind: existing, mtu: 9000}}}}";
	const char *managed = "namespaces: {host: {sysctl: {net.ipv4.ip_forward: 1}, interfaces: {e: {kind: existing, mtu: 1400}}}}";
	_cleanup_text_ struct text lines = {};
	_world_ first, then;

	world_make(&first, managed, before);
	world_make(&then, "", managed);
	world_plan(&first);
	vec_foreach(change, &first.plan.changes)
		ledger_note(&then.ledger, (*change)->desired, (*change)->observed, (*change)->fields, false, &lines);
	ledger_add_returns(&then.ledger, &then.desired.spec.state);
	world_plan(&then);
	check_plan(&then, "~ host sysctl net.ipv4.ip_forward: value 1 -> 0\n~ host/e link: mtu 1400 -> 9000\n");
}

/* Addresses and routes of a namespace that was taken over: found by what they are, and given back whole, the route before
 * the address would take it along. */
static void test_taken_over_returns(void **state _unused_) {
	const char *before = "namespaces: {a: {adopt: true, interfaces: {e: {kind: existing, addresses: 10.0.0.1/8}},\n"
			     "  routes: {to: default, via: 10.0.0.8, dev: e, mtu: 1300}}}";
	const char *managed = "namespaces: {a: {adopt: true, interfaces: {e: {kind: existing, addresses: 10.0.0.1/8}},\n"
			      "  routes: {to: default, via: 10.0.0.9, dev: e, src: 10.0.0.1}}}";
	static const char *const ids[] = { "a/e address 10.0.0.1/8", "a route 0.0.0.0/0" };
	_cleanup_text_ struct text lines = {};
	_world_ first, then;

	world_make(&first, managed, before);
	world_make(&then, "", managed);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		disown(&first, ids[i]), disown(&then, ids[i]);
	disown(&first, "a namespace"), disown(&then, "a namespace");
	((struct address *)seen_object(&first, ids[0]))->protocol = 0;
	((struct route *)seen_object(&first, ids[1]))->protocol = 4;
	world_plan(&first);
	vec_foreach(change, &first.plan.changes)
		ledger_note(&then.ledger, (*change)->desired, (*change)->observed, (*change)->fields, false, &lines);
	ledger_add_returns(&then.ledger, &then.desired.spec.state);
	world_plan(&then);
	check_plan(&then, "~ a route 0.0.0.0/0: via 10.0.0.9 -> 10.0.0.8, protocol 84 -> 4\n"
			  "~ a/e address 10.0.0.1/8: protocol 84 -> 0\n");
	const struct route *route = (const struct route *)then.plan.changes.items[0]->desired;
	assert_string_equal(route->dev, "e"); /* which nobody changed, and without which there is no such route */
	assert_false(object_has(&route->object, ROUTE_SRC));
}

/* A controller that is gone by the time when a link is to go back to it. */
static void test_former_controller_gone(void **state _unused_) {
	const char *entry = "topod-ledger 1\n+ found existing\thost\thost/e link\tname=e\tmaster=other\n";
	const char *there = "namespaces: {host: {interfaces: {e: {kind: existing}, other: {kind: bridge, ports: [e]}}}}";
	const char *gone = "namespaces: {host: {interfaces: {e: {kind: existing}, br: {kind: bridge, ports: [e]}}}}";
	_world_ w, v;
	size_t damaged;

	world_make(&w, "", gone);
	disown(&w, "host/br link");
	assert_int_equal(ledger_parse(&w.ledger, entry, strlen(entry), &damaged), 0);
	ledger_add_returns(&w.ledger, &w.desired.spec.state);
	world_plan(&w);
	check_plan(&w, "~ host/e link: master br -> none\n");
	world_make(&v, "", there);
	disown(&v, "host/other link");
	assert_int_equal(ledger_parse(&v.ledger, entry, strlen(entry), &damaged), 0);
	ledger_add_returns(&v.ledger, &v.desired.spec.state);
	world_plan(&v);
	check_plan(&v, "");
}

/* What stands on a link that is made anew is made anew with it, and a foreign namespace closes both ends of a pair. */
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
		made |= (*change)->type == CHANGE_CREATE && (*change)->again && streq(((const struct link *)(*change)->desired)->name, "m");
	assert_true(made);
	world_make(&v, desired, seen);
	disown(&v, "a namespace"), disown(&v, "a/f link");
	world_plan(&v);
	check_plan(&v, "! a namespace: exists and is not topod's: take it over with 'adopt: true', or rename it in the file\n"
		       "~ host/m link: txqueuelen 1000 -> 77\n");
}

/* Order. */

static void test_links_from_the_lowest_up(void **state _unused_) {
	_world_ w;
	size_t at = 0;
	static const char *const expected[] = { "host/b link", "host/m link", "host/v link" };

	world_make(&w, "namespaces: {host: {interfaces: {v: {kind: vxlan, id: 1, dev: m}, m: {kind: macvlan, link: b},\n"
		       "  b: {kind: bridge}}}}", NULL);
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

/* Not wrong, but not done either. */

static void test_pending_and_failed(void **state _unused_) {
	const char *text = "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: [\"fd00::1/64\", \"fd00::2/64\"]}}}}";
	_world_ w;

	world_make(&w, text, text);
	seen_object(&w, "a/x address fd00::1/64")->pending = true;
	seen_object(&w, "a/x address fd00::2/64")->failed = true;
	world_plan(&w);
	check_plan(&w, "");
	assert_int_equal(w.plan.pending.n, 1);
	assert_ptr_equal(w.plan.pending.items[0], seen_object(&w, "a/x address fd00::1/64"));
	assert_int_equal(w.plan.failed.n, 1);
	assert_ptr_equal(w.plan.failed.items[0], get_object(&w.desired.spec.state, "a/x address fd00::2/64"));
}

/* Only what was looked at is planned for. */
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

/* The same desired state is planned again and again: nothing of the last time may show. */
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

#define BRIDGE(name, mac) "namespaces: {host: {interfaces: {" name ": {kind: bridge, mac-address: '02:00:00:00:00:" mac "'}}}}"

/* The bridge b was made; what is there now is c, which the ledger does not know. */
static void make_renamed(struct world *w, const char *seen) {
	_cleanup_text_ struct text lines = {};
	struct object *b;

	world_make(w, BRIDGE("b", "01"), seen);
	ledger_forget(&w->ledger, "host", "host/c link", &lines);
	b = get_object(&w->desired.spec.state, "host/b link");
	ledger_note(&w->ledger, b, NULL, b->set, true, &lines);
}

/* It is made anew under its name; the one with the other name would stay for ever. */
static void test_renamed(void **state _unused_) {
	_world_ w;

	make_renamed(&w, BRIDGE("c", "01"));
	world_plan(&w);
	check_plan(&w, "- host/c link\n+ host/b link\n~ host/b link: up true, alias topod:t (follows)\n");
}

/* Somebody's link with the same MAC address, and one that only bears the mark. */
static void test_not_renamed(void **state _unused_) {
	_world_ unmarked, other;

	make_renamed(&unmarked, BRIDGE("c", "01"));
	seen_object(&unmarked, "host/c link")->marked = false;
	world_plan(&unmarked);
	check_plan(&unmarked, "+ host/b link\n~ host/b link: up true, alias topod:t (follows)\n");
	make_renamed(&other, BRIDGE("c", "02"));
	world_plan(&other);
	check_plan(&other, "+ host/b link\n~ host/b link: up true, alias topod:t (follows)\n");
}

static void set_mac(struct object *object, uint8_t last) {
	((struct link *)object)->mac = (struct mac){ { 2, 0, 0, 0, 0, last } };
	object->set |= 1 << LINK_MAC;
}

/* What stands under the name of an interface that was about to be moved in when topod died: it, or somebody else's. */
static void check_after_move(const char *attributes, uint8_t last, const char *expected) {
	_cleanup_free_ char *desired = xasprintf("namespaces: {a: {interfaces: {x: {kind: physical, source: nic%s}}}}", attributes);
	_cleanup_text_ struct text lines = {};
	_world_ first, then;

	world_make(&first, desired, "namespaces: {a: {}, host: {interfaces: {nic: {kind: existing}, e: {kind: existing}}}}");
	set_mac(seen_object(&first, "host/nic link"), 1);
	set_mac(seen_object(&first, "host/e link"), 2);
	world_plan(&first);
	world_make(&then, desired, "namespaces: {a: {interfaces: {x: {kind: bridge}}}}");
	disown(&then, "a/x link");
	((struct link *)seen_object(&then, "a/x link"))->alias = "";
	set_mac(seen_object(&then, "a/x link"), last);
	const struct object *moved = change_of(&first, "a/x link")->desired;
	ledger_note(&then.ledger, moved, NULL, moved->set, true, &lines);
	world_plan(&then);
	check_plan(&then, expected);
}

static void test_moved_in(void **state _unused_) {
	const char *refused = "! a/x link: exists and is not topod's: take it over with 'adopt: true' on the namespace, or rename "
			      "it in the file\n";

	check_after_move("", 1, "~ a/x link: alias none -> topod:t\n");
	check_after_move("", 2, refused);
	/* Whether the address that the file gives it was set before the crash or not. */
	check_after_move(", mac-address: '02:00:00:00:00:07'", 1,
			 "~ a/x link: mac-address 02:00:00:00:00:01 -> 02:00:00:00:00:07, alias none -> topod:t\n");
	check_after_move(", mac-address: '02:00:00:00:00:07'", 7, "~ a/x link: alias none -> topod:t\n");
	check_after_move(", mac-address: '02:00:00:00:00:07'", 2, refused);
}

/* By its name, and with what the ledger knows of where it came from. */
static void test_given_back(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {}}", "namespaces: {a: {interfaces: {x: {kind: physical, source: nic}}}}");
	seen_object(&w, "a/x link")->kind = &kind_other;
	world_plan(&w);
	check_plan(&w, "- a/x link\n");
	assert_string_equal(((const struct physical *)change_of(&w, "a/x link")->desired)->source, "nic");
}

/* With its namespace an interface would be thrown out under a name that is not its own: before, it goes back, or nothing. */
static void test_given_back_first(void **state _unused_) {
	_world_ w;

	world_make(&w, "", "namespaces: {a: {interfaces: {x: {kind: physical, source: nic}, w: {kind: physical, source: card}}}}");
	world_plan(&w);
	check_plan(&w, "- a/x link\n- a/w link\n- a namespace\n");
	assert_true(needs(change_of(&w, "a namespace"), change_of(&w, "a/x link")));
	assert_true(needs(change_of(&w, "a namespace"), change_of(&w, "a/w link")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renamed), cmocka_unit_test(test_not_renamed),
		cmocka_unit_test(test_from_nothing), cmocka_unit_test(test_nothing_to_do), cmocka_unit_test(test_needs),
		cmocka_unit_test(test_in_place), cmocka_unit_test(test_left_out), cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_recreated), cmocka_unit_test(test_replaced_address),
		cmocka_unit_test(test_another_kind), cmocka_unit_test(test_pair_lost),
		cmocka_unit_test(test_first_end_lost), cmocka_unit_test(test_second_end_lost),
		cmocka_unit_test(test_other_end_not_looked_at), cmocka_unit_test(test_end_moved_away),
		cmocka_unit_test(test_pair_attribute), cmocka_unit_test(test_foreign_end),
		cmocka_unit_test(test_foreign_end_and_own), cmocka_unit_test(test_in_the_way),
		cmocka_unit_test(test_mark_or_entry), cmocka_unit_test(test_unnoted),
		cmocka_unit_test(test_unmarked_in_our_place), cmocka_unit_test(test_foreign_namespace),
		cmocka_unit_test(test_adopted_namespace), cmocka_unit_test(test_existing),
		cmocka_unit_test(test_all_removed), cmocka_unit_test(test_some_removed),
		cmocka_unit_test(test_dns_of_a_removed_namespace), cmocka_unit_test(test_foreign_is_left),
		cmocka_unit_test(test_foreign_in_the_place_of_removed),
		cmocka_unit_test(test_made_but_not_marked), cmocka_unit_test(test_foreign_namespace_is_left),
		cmocka_unit_test(test_exclusive), cmocka_unit_test(test_lost), cmocka_unit_test(test_field_returns),
		cmocka_unit_test(test_found_returns), cmocka_unit_test(test_taken_over_returns),
		cmocka_unit_test(test_former_controller_gone), cmocka_unit_test(test_upper_of_recreated),
		cmocka_unit_test(test_links_from_the_lowest_up),
		cmocka_unit_test(test_routes_by_gateway_last), cmocka_unit_test(test_removals_go_first),
		cmocka_unit_test(test_pending_and_failed), cmocka_unit_test(test_part_of_the_world),
		cmocka_unit_test(test_again), cmocka_unit_test(test_moved_in), cmocka_unit_test(test_given_back), cmocka_unit_test(test_end_with_controller_makes_it), cmocka_unit_test(test_given_back_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
