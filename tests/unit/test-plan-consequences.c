/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Consequences of one change for others: which changes wait for it, which become unnecessary, what must be scanned first.
 * Random histories (tests/model/) meet each of these situations only once in thousands.
 */
#include "plan-helper.h"

#include "kind/address.h"

#define SOURCE_WITH(queues)                                                                                             \
	"namespaces: {a: {interfaces: {x: {addresses: \"fd00::1/64\"}}, routes: {to: \"fd10::/64\", via: \"fd00::9\", " \
	"src: \"fd00::1\"}}, b: {}}\n"                                                                                  \
	"links: [{endpoints: [a:x, b:y], queues: " queues "}]"
#define SOURCE SOURCE_WITH("1")

/* Only these were scanned in their namespace. */
static void scan_narrowly(struct world *w, struct scope *scope, const char *ns, const char *const *ids, size_t n) {
	struct ns_state *seen = state_find(&w->seen.spec.state, ns);
	const struct object **objects = arena_newn(&w->seen.spec.state.arena, const struct object *, n);

	for (size_t i = 0; i < n; i++)
		objects[i] = get_object(&w->desired.spec.state, ids[i]);
	*scope = (struct scope){ .ns = seen->name, .objects = objects, .n = n };
	for (struct object *object = seen->objects, *next; object; object = next) {
		bool wanted = false;

		next = object->hh.next;
		for (size_t i = 0; i < n; i++)
			wanted |= object_same_key(scope->objects[i], object);
		if (!wanted)
			ns_remove(seen, object);
	}
	seen->scope = scope;
}

/* Whether the address is usable is not remembered: it must be scanned too. */
static void test_source_not_scanned(void **state _unused_) {
	static const char *const ids[] = { "a route fd10::/64", "a/x link" };
	struct scope scope;
	_world_ w;

	world_make(&w, SOURCE, SOURCE);
	lose(&w, ids[0]);
	scan_narrowly(&w, &scope, "a", ids, ARRAY_SIZE(ids));
	world_plan(&w);
	assert_int_equal(w.plan.also.n, 1);
	assert_ptr_equal(w.plan.also.items[0], get_object(&w.desired.spec.state, "a/x address fd00::1/64"));
}

/* An address that nothing has to wait for need not be scanned. */
static void test_source_usable_at_once(void **state _unused_) {
	const char *text =
		"namespaces: {host: {interfaces: {x: {kind: bridge, addresses: 10.0.0.1/8}}, routes: {to: 10.1.0.0/16,\n"
		"  via: 10.0.0.9, src: 10.0.0.1}}}";
	static const char *const ids[] = { "host route 10.1.0.0/16", "host/x link" };
	struct scope scope;
	_world_ w;

	world_make(&w, text, text);
	lose(&w, ids[0]);
	scan_narrowly(&w, &scope, "host", ids, ARRAY_SIZE(ids));
	world_plan(&w);
	assert_int_equal(w.plan.also.n, 0);
	check_plan(&w, "+ host route 10.1.0.0/16\n");
}

static bool is_pending(const struct world *w, const char *id) {
	const struct object *object = get_object(&w->desired.spec.state, id);

	vec_foreach(at, &w->plan.pending)
		if (at->object == object)
			return true;
	return false;
}

/* It is usable now, but no longer once its link is recreated. */
static void test_source_on_recreated(void **state _unused_) {
	_world_ w;

	world_make(&w, SOURCE_WITH("2"), SOURCE);
	world_plan(&w);
	assert_true(is_pending(&w, "a route fd10::/64"));
	vec_foreach(at, &w.plan.changes)
		assert_true(change_object(*at)->kind->class != &class_route);
}

/* Both ends are deleted, whichever requires it: a change of the other end would be a request about a deleted link. */
static void test_other_end_changed(void **state _unused_) {
	check_world(
		"namespaces: {a: {interfaces: {x: {mtu: 1400}}}, b: {interfaces: {z: {queues: 2}}}}\nlinks: [[a:x, b:z]]",
		"namespaces: {a: {interfaces: {x: {mtu: 1500}}}, b: {interfaces: {z: {queues: 1}}}}\nlinks: [[a:x, b:z]]",
		"- a/x link (again)\n- b/z link (again)\n+ b/z link (again)\n"
		"~ a/x link: up true, alias topod:t (again) (follows)\n~ b/z link: alias topod:t (again) (follows)\n");
}

/* A link with the name of ours, but without our mark and MAC address: it replaced ours, and is left alone. */
static void test_link_in_our_place(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1400}}}}",
		   "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1500}}}}");
	seen_object(&w, "a/x link")->owned = false;
	((struct link *)seen_object(&w, "a/x link"))->mac.bytes[5] ^= 1;
	world_plan(&w);
	check_plan(
		&w,
		"! a/x link: exists and is not topod's: take it over with 'adopt: true' on the namespace, or rename it in "
		"the file\n");
}

/* Objects that disappear with their namespace are neither restored nor forgotten separately. */
static void test_ends_with_its_namespace(void **state _unused_) {
	const char *entry =
		"topod-ledger 1\n+ found sysctl\ta\ta sysctl net.ipv4.ip_forward\tpath=net/ipv4/ip_forward\tvalue=0\n";
	_world_ w;
	size_t damaged;

	world_make(&w, "", "namespaces: {a: {sysctl: {net.ipv4.ip_forward: 1}, interfaces: {x: {kind: bridge}}}}");
	assert_int_equal(ledger_parse(&w.ledger, entry, strlen(entry), &damaged), 0);
	assert_int_equal(damaged, 0);
	ledger_add_returns(&w.ledger, &w.desired.spec.state);
	lose(&w, "a/x link");
	world_plan(&w);
	check_plan(&w, "- a namespace\n");
	assert_int_equal(w.plan.lost.n, 0);
}

/* Setting its MAC address would set the parent's: so it is created without one, and recognised by the parent's address until
 * it is marked. */
static void test_mac_of_the_parent(void **state _unused_) {
	const char *text =
		"namespaces: {host: {interfaces: {e: {kind: existing}, m: {kind: macvlan, link: e, mode: passthru}}}}";
	_world_ w, made;

	world_make(&w, text, "namespaces: {host: {interfaces: {e: {kind: existing, mac-address: '02:00:00:00:00:07'}}}}");
	world_plan(&w);
	check_plan(&w, "+ host/m link\n~ host/m link: alias topod:t (follows)\n");
	const struct change *change = w.plan.changes.items[0];
	const struct link *link = (const struct link *)change->desired;
	assert_false(change->fields >> LINK_MAC & 1);
	assert_true(object_has(&link->object, LINK_MAC));
	assert_int_equal(link->mac.bytes[5], 7);

	world_make(&made, text, text);
	_cleanup_text_ struct text lines = {};
	ledger_note(&made.ledger, change->desired, NULL, change->desired->set, true, &lines);
	((struct link *)seen_object(&made, "host/m link"))->mac = link->mac;
	seen_object(&made, "host/m link")->set |= 1 << LINK_MAC;
	seen_object(&made, "host/m link")->owned = false;
	ledger_add_returns(&made.ledger, &made.desired.spec.state);
	((struct link *)seen_object(&made, "host/m link"))->alias = "";
	world_plan(&made);
	check_plan(&made, "~ host/m link: alias none -> topod:t\n");

	/* It does not go back to that address if the parent has another by now. */
	plan_done(&made.plan);
	made.plan = (struct plan){};
	seen_object(&made, "host/m link")->owned = true;
	((struct link *)seen_object(&made, "host/m link"))->alias = "topod:t";
	((struct link *)seen_object(&made, "host/m link"))->mac.bytes[5] = 8;
	world_plan(&made);
	check_plan(&made, "");
}

/* The kernel sets an interface's MTU for IPv6 along with its own (addrconf_notify()), so a declared one is set again in
 * the same plan. It is not changed now, and so its update is not drift. */
static void test_overrun_by_mtu(void **state _unused_) {
	check_world("namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1500}}, sysctl: {net.ipv6.conf.x.mtu: 1400}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1450}}, sysctl: {net.ipv6.conf.x.mtu: 1400}}}",
		    "~ a/x link: mtu 1450 -> 1500\n~ a sysctl net.ipv6.conf.x.mtu: value 1400 -> 1400 (follows)\n");
	/* Only a change of the MTU does so. */
	check_world("namespaces: {a: {interfaces: {x: {kind: bridge, txqueuelen: 9}}, sysctl: {net.ipv6.conf.x.mtu: 1400}}}",
		    "namespaces: {a: {interfaces: {x: {kind: bridge, txqueuelen: 8}}, sysctl: {net.ipv6.conf.x.mtu: 1400}}}",
		    "~ a/x link: txqueuelen 8 -> 9\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overrun_by_mtu),          cmocka_unit_test(test_source_not_scanned),
		cmocka_unit_test(test_source_usable_at_once),   cmocka_unit_test(test_source_on_recreated),
		cmocka_unit_test(test_other_end_changed),       cmocka_unit_test(test_link_in_our_place),
		cmocka_unit_test(test_ends_with_its_namespace), cmocka_unit_test(test_mac_of_the_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
