/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ownership: which objects are in the way, left alone, taken over, given back or removed, according to marks and the ledger.
 * The state of the kernel is invented (plan-helper.h).
 */
#include "plan-helper.h"

#include "kind/kinds.h"
#include "kind/address.h"
#include "kind/physical.h"
#include "kind/route.h"

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

/* A mark or an entry in the ledger: either is enough, because a crash may come between the two. */
static void test_mark_or_entry(void **state _unused_) {
	const char *desired = "namespaces: {host: {interfaces: {x: {kind: bridge, mtu: 1400}}}}",
		   *seen = "namespaces: {host: {interfaces: {x: {kind: bridge, mtu: 1500}}}}";
	_cleanup_text_ struct text lines = {};
	_world_ w, v;

	world_make(&w, desired, seen);
	seen_object(&w, "host/x link")->owned = false;
	world_plan(&w);
	check_plan(&w, "~ host/x link: mtu 1500 -> 1400\n");
	world_make(&v, desired, seen);
	ledger_forget(&v.ledger, "host", "host/x link", &lines);
	world_plan(&v);
	check_plan(&v, "~ host/x link: mtu 1500 -> 1400\n");
	assert_int_equal(v.plan.unnoted.n, 1);
}

/* Present, marked, equal, but not in the ledger: it must be recorded, or nobody would ever remove it. */
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
	route->object.owned = false;
	world_plan(&w);
	check_plan(&w, "~ web route 0.0.0.0/0: protocol 3 -> 84\n");
}

static void be_born(struct world *w, const char *born) {
	struct netns *netns = (struct netns *)seen_object(w, "a namespace");

	netns->inode = "7";
	netns->born = born;
	netns->object.set |= 1 << NETNS_INODE | 1 << NETNS_BORN;
}

/* A namespace is ours by its recorded identity. If topod crashed while it created one, the identity is unknown: the
 * namespace may be anybody's by now. */
static void test_namespace_by_its_birth(void **state _unused_) {
	const char *refusal =
		"! a namespace: exists and is not topod's: take it over with 'adopt: true', or rename it in the file\n";

	for (int noted = 1; noted >= 0; noted--)
		for (int same = 1; same >= 0; same--) {
			_cleanup_text_ struct text lines = {};
			_world_ w;

			world_make(&w, "namespaces: {a: {}}", "namespaces: {a: {}}");
			be_born(&w, "1000");
			if (noted)
				ledger_note_birth(&w.ledger, seen_object(&w, "a namespace"), &lines);
			be_born(&w, same ? "1000" : "2000");
			world_plan(&w);
			check_plan(&w, noted && same ? "" : refusal);
		}
}

#define INSIDE "+ a/x link\n~ a/x link: up true, alias topod:t (follows)\n"

/* The contents still count, regardless of the name. */
static void test_namespace_without_its_name(void **state _unused_) {
	for (int taken = 0; taken <= 1; taken++) {
		_world_ w;

		world_make(&w, "namespaces: {a: {interfaces: {x: {kind: bridge}}}}", "namespaces: {a: {}}");
		((struct netns *)seen_object(&w, "a namespace"))->named = false;
		state_find(&w.seen.spec.state, "a")->obstruction = taken ? "a directory" : NULL;
		world_plan(&w);
		check_plan(
			&w,
			taken ? "! a namespace: named false -> true: cannot be made: its name in /run/netns is a directory; "
				"remove that, or rename the namespace in the file\n" INSIDE
			      : "~ a namespace: named false -> true\n" INSIDE);
	}
}

/* topod's file is outside the namespace. */
static void test_file_beside_a_foreign_namespace(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {}}",
		   "namespaces: {a: {dns: {servers: 10.0.0.1}, interfaces: {x: {kind: bridge}}}}");
	disown(&w, "a namespace");
	world_plan(&w);
	check_plan(&w,
		   "- a file /etc/netns/a/resolv.conf\n"
		   "! a namespace: exists and is not topod's: take it over with 'adopt: true', or rename it in the file\n");
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
	check_plan(&v, "! a namespace: does not exist, and 'adopt: true' never creates a namespace\n");
}

static void test_existing(void **state _unused_) {
	const char *desired = "namespaces: {host: {interfaces: {e: {kind: existing, mtu: 1400, addresses: 10.0.0.1/8}}}}";

	check_world(desired, "namespaces: {host: {interfaces: {e: {kind: existing, mtu: 1500}}}}",
		    "~ host/e link: mtu 1500 -> 1400\n+ host/e address 10.0.0.1/8\n");
	/* For any kind that the kernel reports. */
	_world_ w;
	world_make(&w, desired, "namespaces: {host: {interfaces: {e: {kind: bridge, mtu: 1500, addresses: 10.0.0.1/8}}}}");
	disown(&w, "host/e link");
	world_plan(&w);
	check_plan(&w, "~ host/e link: mtu 1500 -> 1400\n");
	/* With topod's mark it is given up; the declared fields follow after the next scan. */
	check_world(desired, "namespaces: {host: {interfaces: {e: {kind: bridge, mtu: 1500, addresses: 10.0.0.1/8}}}}",
		    "~ host/e link: alias topod:t -> none (follows)\n");
	check_world(desired, NULL,
		    "! host/e link: does not exist, and 'kind: existing' never creates an interface\n"
		    "+ host/e address 10.0.0.1/8\n");
}

/* A route that the kernel added for somebody else's address can be neither taken over nor changed. */
static void test_route_of_an_address(void **state _unused_) {
	_world_ w;

	world_make(&w,
		   "namespaces: {host: {interfaces: {x: {kind: existing}}, routes: {to: 10.0.0.0/24, dev: x, mtu: 1400}}}",
		   "namespaces: {host: {interfaces: {x: {kind: existing}}, routes: {to: 10.0.0.0/24, dev: x}}}");
	disown(&w, "host route 10.0.0.0/24");
	struct object *seen = seen_object(&w, "host route 10.0.0.0/24");
	seen->kernel_made = true;
	((struct route *)seen)->protocol = RTPROT_KERNEL;
	world_plan(&w);
	check_plan(
		&w,
		"! host route 10.0.0.0/24: exists and came with an address: write 'noprefixroute: true' with that address, or "
		"give this route another 'metric'\n");
}

/* A foreign link has the name of one end: the pair cannot be made, and its remaining end stays. */
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

/* Objects that are no longer declared. */

static void test_all_removed(void **state _unused_) {
	check_world("", OFFICE,
		    "- host NAT table\n"
		    "- host/c1 link\n"
		    "- host/br0 link\n"   /* with its address */
		    "- web namespace\n"); /* with everything in it */
}

static void test_some_removed(void **state _unused_) {
	check_world(
		"namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/8}}}}",
		"namespaces: {a: {interfaces: {x: {kind: bridge, addresses: [10.0.0.1/8, 10.0.0.2/8]}, z: {kind: bridge}},\n"
		"  routes: {to: 10.1.0.0/16, type: blackhole}, nat: {action: masquerade}, dns: {servers: 10.0.0.9}}}",
		"- a file /etc/netns/a/resolv.conf\n- a NAT table\n- a route 10.1.0.0/16\n- a/x address 10.0.0.2/8\n"
		"- a/z link\n");
}

/* Its resolv.conf is outside the namespace and would stay. */
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

/* In the ledger, but the link that is there now has no mark: somebody else has replaced it. */
static void test_foreign_in_the_place_of_removed(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {}}", "namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/8}}}}");
	seen_object(&w, "a/x link")->owned = false;
	((struct link *)seen_object(&w, "a/x link"))->mac.bytes[5] ^= 1;
	seen_object(&w, "a/x address 10.0.0.1/8")->owned = false;
	world_plan(&w);
	check_plan(&w, "");
}

/* A crash came between creating the link and marking it: its MAC address shows that it is ours. */
static void test_made_but_not_marked(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {}}", "namespaces: {a: {interfaces: {x: {kind: bridge}}}}");
	seen_object(&w, "a/x link")->owned = false;
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
	const char *seen =
		"namespaces: {a: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/8}, lo: {addresses: 127.0.0.1/8}},\n"
		"  routes: [{to: 10.1.0.0/16, type: blackhole}, {to: 10.2.0.0/16, type: blackhole}],\n"
		"  sysctl: {net.ipv4.ip_forward: 1}}}";
	_world_ w;

	world_make(&w, "namespaces: {a: {exclusive: true, routes: {to: 10.2.0.0/16, type: blackhole}}}", seen);
	disown(&w, "a/x link"), disown(&w, "a/x address 10.0.0.1/8"), disown(&w, "a route 10.1.0.0/16");
	disown(&w, "a/lo address 127.0.0.1/8");
	seen_object(&w, "a/lo address 127.0.0.1/8")->kernel_made = true;
	world_plan(&w);
	check_plan(&w, "- a route 10.1.0.0/16\n- a/x link\n"); /* the address disappears with it */
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

/* Former values. */

static void test_field_returns(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {interfaces: {x: {kind: bridge}}}}",
		   "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1400, stp: true}}}}");
	ledger_add_returns(&w.ledger, &w.desired.spec.state);
	world_plan(&w);
	check_plan(&w, "~ a/x link: mtu 1400 -> 1500, stp true -> false\n");
}

static void test_found_returns(void **state _unused_) {
	const char *before =
		"namespaces: {host: {sysctl: {net.ipv4.ip_forward: 0}, interfaces: {e: {kind: existing, mtu: 9000}}}}";
	const char *managed =
		"namespaces: {host: {sysctl: {net.ipv4.ip_forward: 1}, interfaces: {e: {kind: existing, mtu: 1400}}}}";
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

/* Addresses and routes of a namespace that was taken over: found by their identity, and put back as a whole, the route
 * first, because the kernel would delete it with the address. Those that are as declared keep their own mark. */
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
	check_plan(&first, "~ a route 0.0.0.0/0: via 10.0.0.8 -> 10.0.0.9, src 10.0.0.1, protocol 4 -> 84\n");
	check_plan(&then, "~ a route 0.0.0.0/0: via 10.0.0.9 -> 10.0.0.8, src 10.0.0.1 -> none, protocol 84 -> 4\n");
	const struct route *route = (const struct route *)then.plan.changes.items[0]->desired;
	assert_string_equal(route->dev, "e"); /* unchanged, and part of the identity */
	assert_int_equal(route->src.family, 0);
}

/* A link is to go back to a controller that is gone by now. */
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

#define BRIDGE(name, mac) \
	"namespaces: {host: {interfaces: {" name ": {kind: bridge, mac-address: '02:00:00:00:00:" mac "'}}}}"

/* topod made the bridge b; now there is c, which the ledger does not know. */
static void make_renamed(struct world *w, const char *seen) {
	_cleanup_text_ struct text lines = {};
	struct object *b;

	world_make(w, BRIDGE("b", "01"), seen);
	ledger_forget(&w->ledger, "host", "host/c link", &lines);
	b = get_object(&w->desired.spec.state, "host/b link");
	ledger_note(&w->ledger, b, NULL, b->set, true, &lines);
}

/* b is recreated; the one with the other name is deleted, or it would stay forever. */
static void test_renamed(void **state _unused_) {
	_world_ w;

	make_renamed(&w, BRIDGE("c", "01"));
	world_plan(&w);
	check_plan(&w, "- host/c link\n+ host/b link\n~ host/b link: up true, alias topod:t (follows)\n");
}

/* Somebody else's link with the same MAC address, and one that only has the mark. */
static void test_not_renamed(void **state _unused_) {
	_world_ unmarked, other;

	make_renamed(&unmarked, BRIDGE("c", "01"));
	seen_object(&unmarked, "host/c link")->owned = false;
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

/* topod died while it moved an interface in. The link that has its name now is that one, or somebody else's. */
static void check_after_move(const char *attributes, uint8_t last, const char *expected) {
	_cleanup_free_ char *desired =
		xasprintf("namespaces: {a: {interfaces: {x: {kind: physical, source: nic%s}}}}", attributes);
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
	const char *refused =
		"! a/x link: exists and is not topod's: take it over with 'adopt: true' on the namespace, or rename "
		"it in the file\n";

	check_after_move("", 1, "~ a/x link: alias none -> topod:t\n");
	check_after_move("", 2, refused);
	/* Whether or not the declared MAC address was set before the crash. */
	check_after_move(", mac-address: '02:00:00:00:00:07'", 1,
			 "~ a/x link: mac-address 02:00:00:00:00:01 -> 02:00:00:00:00:07, alias none -> topod:t\n");
	check_after_move(", mac-address: '02:00:00:00:00:07'", 7, "~ a/x link: alias none -> topod:t\n");
	check_after_move(", mac-address: '02:00:00:00:00:07'", 2, refused);
}

/* Under its former name, with what the ledger knows about where it came from. */
static void test_given_back(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {}}", "namespaces: {a: {interfaces: {x: {kind: physical, source: nic}}}}");
	seen_object(&w, "a/x link")->kind = &kind_other;
	world_plan(&w);
	check_plan(&w, "- a/x link\n");
	assert_string_equal(((const struct physical *)change_of(&w, "a/x link")->desired)->source, "nic");
}

/* Deleting the namespace would return the interface under the wrong name: so it is given back first, or nothing is done. */
static void test_given_back_first(void **state _unused_) {
	_world_ w;

	world_make(&w, "",
		   "namespaces: {a: {interfaces: {x: {kind: physical, source: nic}, w: {kind: physical, source: card}}}}");
	world_plan(&w);
	check_plan(&w, "- a/x link\n- a/w link\n- a namespace\n");
	assert_true(needs(change_of(&w, "a namespace"), change_of(&w, "a/x link")));
	assert_true(needs(change_of(&w, "a namespace"), change_of(&w, "a/w link")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_the_way),
		cmocka_unit_test(test_mark_or_entry),
		cmocka_unit_test(test_unnoted),
		cmocka_unit_test(test_unmarked_in_our_place),
		cmocka_unit_test(test_namespace_by_its_birth),
		cmocka_unit_test(test_namespace_without_its_name),
		cmocka_unit_test(test_file_beside_a_foreign_namespace),
		cmocka_unit_test(test_foreign_namespace),
		cmocka_unit_test(test_adopted_namespace),
		cmocka_unit_test(test_existing),
		cmocka_unit_test(test_route_of_an_address),
		cmocka_unit_test(test_foreign_end),
		cmocka_unit_test(test_foreign_end_and_own),
		cmocka_unit_test(test_all_removed),
		cmocka_unit_test(test_some_removed),
		cmocka_unit_test(test_dns_of_a_removed_namespace),
		cmocka_unit_test(test_foreign_is_left),
		cmocka_unit_test(test_foreign_in_the_place_of_removed),
		cmocka_unit_test(test_made_but_not_marked),
		cmocka_unit_test(test_foreign_namespace_is_left),
		cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_field_returns),
		cmocka_unit_test(test_found_returns),
		cmocka_unit_test(test_taken_over_returns),
		cmocka_unit_test(test_former_controller_gone),
		cmocka_unit_test(test_renamed),
		cmocka_unit_test(test_not_renamed),
		cmocka_unit_test(test_moved_in),
		cmocka_unit_test(test_given_back),
		cmocka_unit_test(test_given_back_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
