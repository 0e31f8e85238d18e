/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results as people and programs read them: plans, failures, diagnostics, status. */
#include "plan-helper.h"

#include "report/report.h"
#include "kind/kinds.h"

#define REPORTED                                                                                                        \
	"namespaces:\n"                                                                                                 \
	"  host: {interfaces: {br0: {kind: bridge, ports: [c1], addresses: 10.0.0.1/24}}, nat: {action: masquerade}}\n" \
	"  web: {interfaces: {eth0: {addresses: 10.0.0.11/24, mtu: 1400}}, routes: {to: default, via: 10.0.0.1},\n"     \
	"    sysctl: {net.ipv4.conf.eth0.rp_filter: 2}}\n"                                                              \
	"links: [[web:eth0, host:c1]]\n"

static void check_text(struct world *w, const char *expected) {
	_cleanup_text_ struct text out = {};

	report_plan_text(&w->plan, false, &out);
	assert_string_equal(text_str(&out), expected);
}

static void check_report(const char *desired, const char *seen, const char *expected) {
	_world_ w;

	world_make(&w, desired, seen);
	ledger_add_returns(&w.ledger, &w.desired.spec.state);
	world_plan(&w);
	check_text(&w, expected);
}

/* Plans as text. */

static void test_from_nothing(void **state _unused_) {
	check_report(REPORTED, NULL,
		     "web\n"
		     "    + namespace\n"
		     "    + eth0: veth to host:c1, mtu 1400\n"
		     "    + lo: up\n"
		     "    + sysctl net.ipv4.conf.eth0.rp_filter = 2\n"
		     "    + eth0: address 10.0.0.11/24\n"
		     "    + route default via 10.0.0.1\n"
		     "\n"
		     "host\n"
		     "    + br0: bridge\n"
		     "    + c1: veth to web:eth0, port of br0\n"
		     "    + br0: address 10.0.0.1/24\n"
		     "    + nftables table\n"
		     "          masquerade\n"
		     "\n"
		     "10 to create, 0 to change, 0 to recreate, 0 to delete in 2 namespaces\n");
}

static void test_nothing(void **state _unused_) {
	check_report(REPORTED, REPORTED, "nothing to do\n");
}

static void test_changes(void **state _unused_) {
	check_report("namespaces: {host: {interfaces: {b: {kind: bridge, up: false, mtu: 1500, forward-delay: 2s,\n"
		     "  ports: [{name: e, cost: 7}]}, e: {kind: existing}}, forwarding: ipv4,\n"
		     "  nat: {action: masquerade, out: e}, routes: {to: 10.0.0.0/8, via: 10.9.0.1, mtu: 1400}}}",
		     "namespaces: {host: {interfaces: {b: {kind: bridge, mtu: 1400, forward-delay: 15s,\n"
		     "  ports: [{name: e, cost: 5}]}, e: {kind: existing}}, sysctl: {net.ipv4.ip_forward: 0},\n"
		     "  nat: {action: masquerade}, routes: {to: 10.0.0.0/8, via: 10.9.0.2, mtu: 1400}}}",
		     "host\n"
		     "    ~ sysctl net.ipv4.ip_forward: 0 -> 1\n"
		     "    ~ b: up -> down, mtu 1400 -> 1500, forward-delay 15s -> 2s\n"
		     "    ~ e: bridge port of b: cost 5 -> 7\n"
		     "    ~ route 10.0.0.0/8 via 10.9.0.1: via 10.9.0.2 -> 10.9.0.1\n"
		     "    ~ nftables table: changed\n"
		     "        + masquerade out e\n"
		     "        - 1 rule of the kernel's table\n"
		     "\n"
		     "0 to create, 5 to change, 0 to recreate, 0 to delete in 1 namespace\n");
}

static void test_returning(void **state _unused_) {
	check_report(
		"namespaces: {a: {interfaces: {x: {kind: bridge}}}}",
		"namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1400}}}}",
		"a\n    ~ x: mtu 1400 -> 1500\n\n0 to create, 1 to change, 0 to recreate, 0 to delete in 1 namespace\n");
}

static void test_recreations(void **state _unused_) {
	check_report(
		"namespaces: {a: {interfaces: {m: {kind: bridge}, v: {kind: vxlan, id: 2, port: 4789, addresses: 10.0.0.1/8},\n"
		"  k: {kind: bridge, addresses: {address: 10.3.0.1/24, scope: link}}}}}",
		"namespaces: {a: {interfaces: {m: {kind: bridge}, v: {kind: vxlan, id: 1, port: 4789, addresses: 10.0.0.1/8},\n"
		"  k: {kind: bridge, addresses: {address: 10.3.0.1/24, scope: host}}}}}",
		"a\n"
		"  -/+ v: vxlan, id 2, port 4789 (id 1 -> 2)\n"
		"  -/+ v: address 10.0.0.1/8 (along with its interface)\n"
		"  -/+ k: address 10.3.0.1/24, scope link (scope host -> link)\n"
		"\n"
		"0 to create, 0 to change, 3 to recreate, 0 to delete in 1 namespace\n");
	check_report("namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: bridge}}}}",
		     "namespaces: {a: {interfaces: {m: {kind: bridge}, x: {kind: macvlan, link: m}}}}",
		     "a\n  -/+ x: bridge (is a macvlan)\n\n"
		     "0 to create, 0 to change, 1 to recreate, 0 to delete in 1 namespace\n");
}

/* Objects on a recreated link existed before and are recreated; new ones are shown as new. */
static void test_recreated_along(void **state _unused_) {
	check_report("namespaces: {a: {interfaces: {v: {kind: vxlan, id: 2, local: 10.0.0.1},\n"
		     "  m: {kind: macvlan, link: v, addresses: [10.1.0.1/24, 10.2.0.1/24]}}},\n"
		     "  b: {interfaces: {k: {kind: macvlan, link: a:v}, l: {kind: macvlan, link: a:v}}}}",
		     "namespaces: {a: {interfaces: {v: {kind: vxlan, id: 1, local: 10.0.0.1},\n"
		     "  m: {kind: macvlan, link: v, addresses: 10.1.0.1/24}}},\n"
		     "  b: {interfaces: {k: {kind: macvlan, link: a:v}}}}",
		     "a\n"
		     "  -/+ v: vxlan, id 2, local 10.0.0.1 (id 1 -> 2)\n"
		     "  -/+ m: macvlan, link a:v (along with its lower interface)\n"
		     "  -/+ m: address 10.1.0.1/24 (along with its interface)\n"
		     "    + m: address 10.2.0.1/24\n"
		     "\n"
		     "b\n"
		     "    + l: macvlan, link a:v\n"
		     "  -/+ k: macvlan, link a:v (along with its lower interface)\n"
		     "\n"
		     "2 to create, 0 to change, 4 to recreate, 0 to delete in 2 namespaces\n");
}

/* Both ends are shown, each in its namespace and with its own reason. */
static void test_recreated_pair(void **state _unused_) {
	_world_ w, v;

	check_report("namespaces: {a: {}}\nlinks: [{endpoints: [a:x, host:z], queues: 2}]",
		     "namespaces: {a: {}}\nlinks: [{endpoints: [a:x, host:z], queues: 1}]",
		     "host\n  -/+ z: veth to a:x, queues 2 (queues 1 -> 2)\n\n"
		     "a\n  -/+ x: veth to host:z, queues 2 (queues 1 -> 2)\n\n"
		     "0 to create, 0 to change, 2 to recreate, 0 to delete in 2 namespaces\n");
	world_make(&w, REPORTED, REPORTED);
	lose(&w, "host/c1 link");
	((struct veth *)seen_object(&w, "web/eth0 link"))->peer = (struct link_ref){ .ifindex = 4, .netnsid = 0 };
	world_plan(&w);
	check_text(&w, "host\n    + c1: veth to web:eth0, port of br0\n\n"
		       "web\n  -/+ eth0: veth to host:c1, mtu 1400 (its other end is elsewhere)\n"
		       "    + sysctl net.ipv4.conf.eth0.rp_filter = 2\n"
		       "  -/+ eth0: address 10.0.0.11/24 (along with its interface)\n\n"
		       "2 to create, 0 to change, 2 to recreate, 0 to delete in 2 namespaces\n");
	world_make(&v, "namespaces: {a: {adopt: true}}\nlinks: [[a:x, a:z]]",
		   "namespaces: {a: {adopt: true}}\nlinks: [[a:x, a:z]]");
	lose(&v, "a/x link");
	world_plan(&v);
	check_text(&v, "a\n    + x: veth to a:z\n  -/+ z: veth to a:x (with its other end)\n\n"
		       "1 to create, 0 to change, 1 to recreate, 0 to delete in 1 namespace\n");
}

static void test_deletions(void **state _unused_) {
	check_report("", REPORTED,
		     "host\n    - nftables table\n    - c1: veth\n    - br0: bridge\n\nweb\n    - namespace\n\n"
		     "0 to create, 0 to change, 0 to recreate, 4 to delete in 2 namespaces\n");
}

static void test_given_back(void **state _unused_) {
	_world_ w;
	_cleanup_text_ struct text lines = {};

	world_make(&w, "namespaces: {a: {}}", "namespaces: {a: {interfaces: {x: {kind: physical, source: enp3s0}}}}");
	struct object *x = seen_object(&w, "a/x link");
	x->kind = &kind_other; /* as the link of a driver is observed */
	((struct link *)x)->kind_text = "";
	world_plan(&w);
	check_text(&w, "a\n    - x: given back to the host namespace\n\n"
		       "0 to create, 0 to change, 0 to recreate, 1 to delete in 1 namespace\n");
}

static void test_refusals(void **state _unused_) {
	_world_ w, v;

	world_make(&w, REPORTED, REPORTED);
	disown(&w, "web namespace");
	world_plan(&w);
	check_text(
		&w,
		"web\n    ! namespace exists and is not topod's: take it over with 'adopt: true', or rename it in the file\n\n"
		"0 to create, 0 to change, 0 to recreate, 0 to delete, 1 refused in 1 namespace\n");
	world_make(&v, "namespaces: {host: {interfaces: {e: {kind: existing, mtu: 1400}, b: {kind: bridge, mtu: 1400}}}}",
		   "namespaces: {host: {interfaces: {b: {kind: bridge, mtu: 1500}}}}");
	disown(&v, "host/b link");
	world_plan(&v);
	check_text(
		&v,
		"host\n"
		"    ! e: link does not exist, and 'kind: existing' never creates an interface\n"
		"    ! b: bridge exists and is not topod's: take it over with 'adopt: true' on the namespace, or rename it in "
		"the file\n\n"
		"0 to create, 0 to change, 0 to recreate, 0 to delete, 2 refused in 1 namespace\n");
}

/* Changes of hidden fields must still be counted. */
static void test_hidden(void **state _unused_) {
	_world_ w;

	world_make(&w, REPORTED, REPORTED);
	((struct link *)seen_object(&w, "web/eth0 link"))->alias = "";
	((struct link *)seen_object(&w, "host/c1 link"))->master = "";
	world_plan(&w);
	check_text(&w, "host\n    ~ c1: controller none -> br0\n\nweb\n    ~ eth0: mark restored\n\n"
		       "0 to create, 2 to change, 0 to recreate, 0 to delete in 2 namespaces\n");
}

static uint64_t keeps_mtu(void *userdata _unused_, const struct object *object, uint64_t differs) {
	return object->kind == &kind_bridge ? differs : 0;
}

/* What is left as it is, each with its reason. */
static void test_explained(void **state _unused_) {
	_world_ w;

	world_make(&w,
		   "namespaces: {host: {interfaces: {b: {kind: bridge, mtu: 1500}, e: {kind: existing},\n"
		   "  c: {kind: bridge}}}}",
		   "namespaces: {host: {interfaces: {b: {kind: bridge, mtu: 1400}, e: {kind: existing},\n"
		   "  c: {kind: bridge}, f: {kind: bridge}, g: {kind: bridge}, h: {kind: bridge, addresses: 10.0.0.1/24},\n"
		   "  i: {kind: existing}, lo: {up: true}}}}");
	_cleanup_text_ struct text lines = {};
	ledger_forget(&w.ledger, "host", "host/f link", &lines); /* only its mark is left */
	seen_object(&w, "host/g link")->owned = false;
	((struct link *)seen_object(&w, "host/g link"))->mac.bytes[5] ^= 1;
	w.kept = keeps_mtu;
	w.explains = true;
	world_plan(&w);
	check_text(&w,
		   "host\n"
		   "    - h: bridge\n"
		   "\n"
		   "left as it is\n"
		   "    = host/b: bridge differs (mtu 1400 -> 1500), and the kernel is known not to change that\n"
		   "    = host/e: link is as declared; topod configures it, and never makes or deletes it\n"
		   "    = host/c: bridge is as declared, and topod made it\n"
		   "    = host/f: bridge is not in the file; it has topod's mark, but the record of this topology does not "
		   "have it\n"
		   "    = host/g: bridge is not in the file; topod made one like it, but this one was made or changed by "
		   "somebody else\n"
		   "    = host/i: link is not in the file, and topod did not make it\n"
		   "    = host/lo: link is not in the file; the kernel made it\n"
		   "    = host/h: address 10.0.0.1/24 goes with its interface\n"
		   "\n"
		   "0 to create, 0 to change, 0 to recreate, 1 to delete in 1 namespace\n");
}

static void test_color(void **state _unused_) {
	_cleanup_text_ struct text out = {};
	_world_ w;

	world_make(&w, "namespaces: {host: {interfaces: {b: {kind: bridge, mtu: 1500}}}}",
		   "namespaces: {host: {interfaces: {b: {kind: bridge, mtu: 1400}, c: {kind: bridge}}}}");
	world_plan(&w);
	report_plan_text(&w.plan, true, &out);
	assert_string_equal(out.data, "\033[1mhost\033[0m\n"
				      "  \033[31m  -\033[0m c: bridge\n"
				      "  \033[33m  ~\033[0m b: mtu 1400 -> 1500\n\n"
				      "0 to create, 1 to change, 0 to recreate, 1 to delete in 1 namespace\n");
}

/* A name in the kernel may contain almost any byte. */
static void test_terminal(void **state _unused_) {
	_world_ w;

	world_make(&w, "namespaces: {a: {exclusive: true}}", "namespaces: {a: {interfaces: {evil: {kind: bridge}}}}");
	((struct link *)seen_object(&w, "a/evil link"))->name = "\033[2J\xff";
	world_plan(&w);
	check_text(&w, "a\n    - ?[2J?: bridge\n\n0 to create, 0 to change, 0 to recreate, 1 to delete in 1 namespace\n");
	json_t *json = report_plan_json(&w.plan, "t"); /* which jansson would refuse */
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(json_object_get(json, "changes"), 0), "object")),
		"a/?[2J? link");
	json_decref(json);
}

/* Plans as JSON. */

static void check_json(json_t *json, const char *expected) {
	json_error_t error;
	json_t *wanted = json_loads(expected, 0, &error);

	if (!wanted)
		fail_msg("%s", error.text);
	if (!json_equal(json, wanted)) {
		_cleanup_free_ char *have = json_dumps(json, JSON_INDENT(1)), *want = json_dumps(wanted, JSON_INDENT(1));

		assert_string_equal(have, want);
	}
	json_decref(wanted);
	json_decref(json);
}

static void test_plan_json(void **state _unused_) {
	_world_ w;

	world_make(
		&w,
		"namespaces: {host: {interfaces: {b: {kind: bridge, mtu: 1500, stp: true, addresses: 10.0.0.1/8},\n"
		"  e: {kind: existing}, v: {kind: vxlan, id: 2}}, nat: {action: masquerade}}}",
		"namespaces: {host: {interfaces: {b: {kind: bridge, mtu: 1400, stp: false}, v: {kind: vxlan, id: 1}, c: {kind: bridge}}}}");
	world_plan(&w);
	check_json(
		report_plan_json(&w.plan, "office"),
		"{\"topology\": \"office\", \"changes\": ["
		"{\"action\": \"delete\", \"namespace\": \"host\", \"object\": \"host/c link\", \"interface\": \"c\", \"key\": null, \"kind\": \"bridge\", \"fields\": {}},"
		"{\"action\": \"recreate\", \"namespace\": \"host\", \"object\": \"host/v link\", \"interface\": \"v\", \"key\": null, \"kind\": \"vxlan\","
		" \"reason\": \"id 1 -> 2\", \"fields\": {\"up\": {\"from\": true, \"to\": true},"
		" \"mac-address\": {\"from\": \"12:c8:64:4d:00:7e\", \"to\": \"12:c8:64:4d:00:7e\"},"
		" \"id\": {\"from\": 1, \"to\": 2}, \"port\": {\"from\": 4789, \"to\": 4789}}},"
		"{\"action\": \"refused\", \"namespace\": \"host\", \"object\": \"host/e link\", \"interface\": \"e\", \"key\": null, \"kind\": \"existing\","
		" \"fields\": {}, \"error\": \"link does not exist, and 'kind: existing' never creates an interface\"},"
		"{\"action\": \"change\", \"namespace\": \"host\", \"object\": \"host/b link\", \"interface\": \"b\", \"key\": null, \"kind\": \"bridge\","
		" \"fields\": {\"mtu\": {\"from\": 1400, \"to\": 1500}, \"stp\": {\"from\": false, \"to\": true}}},"
		"{\"action\": \"create\", \"namespace\": \"host\", \"object\": \"host/b address 10.0.0.1/8\", \"interface\": \"b\", \"key\": \"10.0.0.1/8\","
		" \"kind\": \"address\", \"fields\": {\"address\": {\"from\": null, \"to\": \"10.0.0.1/8\"},"
		" \"peer\": {\"from\": null, \"to\": null}}},"
		"{\"action\": \"create\", \"namespace\": \"host\", \"object\": \"host NAT table\", \"interface\": null, \"key\": null, \"kind\": \"nat\","
		" \"fields\": {}, \"entries\": [\"masquerade\"]}],"
		"\"waiting\": [], \"spared\": [], \"summary\": {\"create\": 2, \"change\": 1, \"recreate\": 1, \"delete\": 1, \"refused\": 1,"
		" \"reported\": 0, \"give_up\": 0, \"namespaces\": 1}}");
}

static void test_summary(void **state _unused_) {
	_world_ w;

	world_make(&w, REPORTED, NULL);
	world_plan(&w);
	struct report_summary summary = report_plan_summary(&w.plan);
	assert_int_equal(summary.n_create, 10);
	assert_int_equal(summary.n_namespaces, 2);
	assert_int_equal(summary.n_change + summary.n_recreate + summary.n_delete + summary.n_refused, 0);
}

/* Diagnostics. */

static void test_check_json(void **state _unused_) {
	_spec_ r, good;

	spec_from_text(&r, "versoin: 1\nnamespaces: {web: {routes: {to: default, via: 10.0.0.1}}}\n");
	check_json(report_check_json("f", &r.diags),
		   "{\"file\": \"f\", \"drop_ins\": [], \"valid\": false, \"errors\": 1, \"warnings\": 1, \"diagnostics\": ["
		   "{\"severity\": \"error\", \"file\": \"f\", \"line\": 1, \"column\": 1, \"message\":"
		   " \"unknown key 'versoin' in a topology; did you mean 'version'?\"},"
		   "{\"severity\": \"warning\", \"file\": \"f\", \"line\": 2, \"column\": 47, \"message\":"
		   " \"no declared address of web covers the gateway 10.0.0.1\"}]}");
	spec_from_text(&good, "namespaces: {}");
	check_json(
		report_check_json("f", &good.diags),
		"{\"file\": \"f\", \"drop_ins\": [], \"valid\": true, \"errors\": 0, \"warnings\": 0, \"diagnostics\": []}");
}

static void test_check_json_without_place(void **state _unused_) {
	_cleanup_(diags_done) struct diags diags = {};

	diag_error(&diags, (struct position){}, "cannot be read: \xff");
	check_json(
		report_check_json(NULL, &diags),
		"{\"file\": null, \"drop_ins\": [], \"valid\": false, \"errors\": 1, \"warnings\": 0, \"diagnostics\": [{\"severity\": \"error\","
		" \"file\": null, \"line\": null, \"column\": null, \"message\": \"cannot be read: ?\"}]}");
}

/* Status. */

enum { SECOND = 1000000 };

static const struct report_drift drifts[] = {
	{ .when_usec = 995ull * SECOND,
	  .text = "drift: web/eth0: address 10.0.0.11/24 was removed; restored in 0.6 ms",
	  .scope = "web/eth0",
	  .noun = "address 10.0.0.11/24",
	  .ns = "web",
	  .parts = { "eth0", "address", "10.0.0.11/24" } },
	{ .when_usec = 400ull * SECOND, .text = "drift: web: route default was removed; restored in 2 ms" },
};
static const struct report_trouble failures[] = {
	{ .scope = "web/eth0",
	  .noun = "link",
	  .state = "failing",
	  .error = "mtu 70000: Invalid argument",
	  .file = "office.yaml",
	  .line = 14,
	  .column = 9,
	  .n_tries = 3,
	  .next_try_usec = 1004ull * SECOND },
	{ .scope = "host", .noun = "nftables table", .state = "reported" },
};
static const struct report_status full = {
	.topology = "office",
	.file = "/etc/topod/office.yaml",
	.version = "0.1",
	.state = "degraded",
	.pid = 42,
	.started_usec = 100ull * SECOND,
	.since_usec = 700ull * SECOND,
	.verified_usec = 699ull * SECOND,
	.counts.n_namespaces = 3,
	.counts.n_objects = 14,
	.counts.n_failing = 1,
	.counts.n_reported = 1,
	.counts.n_drifts = 5,
	.counts.n_restored = 4,
	.counts.n_retries = 3,
	.reloaded_usec = 800ull * SECOND,
	.reload_error = "office.yaml:3:1: error: unknown key 'x'",
	.drifts = drifts,
	.n_latest = 2,
	.failures = failures,
	.n_troubles = 2,
};

static void check_status(const struct report_status *status, const char *expected) {
	_cleanup_text_ struct text out = {};

	report_status_text(status, 1000ull * SECOND, false, &out);
	assert_string_equal(out.data, expected);
}

static const char full_text[] =
	"  topology  office (/etc/topod/office.yaml)\n"
	"     state  degraded, since 5 min ago\n"
	"  verified  5 min 1 s ago\n"
	"     where  web, host\n"
	"    reload  refused 3 min 20 s ago; the previous file stays in force: office.yaml:3:1: "
	"error: unknown key 'x'\n"
	"   objects  14 in 3 namespaces, 1 failing, 1 drifted and only reported\n"
	"     drift  5 seen, 4 restored, 3 retries\n"
	"    latest  5 s ago: drift: web/eth0: address 10.0.0.11/24 was removed; restored in 0.6 ms\n"
	"            10 min ago: drift: web: route default was removed; restored in 2 ms\n"
	"   trouble  failing: web/eth0 link: mtu 70000: Invalid argument (office.yaml:14); tried "
	"3 times, again in 4 s\n"
	"            reported: host nftables table\n";

static void test_status_text(void **state _unused_) {
	static const struct report_status calm = { .topology = "office",
						   .state = "converged",
						   .since_usec = 1000ull * SECOND,
						   .verified_usec = 1000ull * SECOND,
						   .counts.n_objects = 1,
						   .counts.n_namespaces = 1 };

	check_status(&full, full_text);
	check_status(&calm, "  topology  office\n     state  converged, since just now\n   objects  1 in 1 namespace\n"
			    "     drift  0 seen, 0 restored\n");
}

/* After a round trip over the socket it reads the same. */
static void test_status_json(void **state _unused_) {
	_cleanup_(arena_done) struct arena arena = {};
	struct report_status back;
	json_t *json = report_status_json(&full);
	_cleanup_free_ char *wire = json_dumps(json, 0);
	json_t *read = json_loads(wire, 0, NULL);

	assert_int_equal(report_status_from_json(read, &arena, &back), 0);
	check_status(&back, full_text);
	assert_int_equal(back.pid, 42);
	assert_int_equal(back.failures[0].column, 9);
	assert_string_equal(back.drifts[0].noun, "address 10.0.0.11/24");
	assert_string_equal(back.drifts[0].ns, "web");
	assert_string_equal(back.drifts[0].parts.interface, "eth0");
	assert_string_equal(back.drifts[0].parts.kind, "address");
	assert_string_equal(back.drifts[0].parts.key, "10.0.0.11/24");
	assert_null(back.drifts[1].scope);
	assert_null(back.drifts[1].parts.kind);
	assert_string_equal(back.version, "0.1");
	json_decref(json);
	json_decref(read);
}

/* An answer of another version, or of some other program. */
static void test_foreign_status(void **state _unused_) {
	const struct {
		const char *json;
		int result;
		size_t n_latest, n_troubles;
	} rows[] = {
		{ "{\"topology\": \"a\", \"state\": \"converged\"}", 0, 0, 0 },
		{ "{\"topology\": \"a\", \"state\": \"hibernating\", \"new\": {}, \"latest\": 5, \"troubles\": null}", 0, 0,
		  0 },
		{ "{\"topology\": \"a\", \"state\": \"x\", \"latest\": [3, {}, {\"text\": \"t\"}], \"troubles\": [{\"scope\": \"a\"}, "
		  "{\"scope\": \"a\", \"state\": \"failing\"}, []]}",
		  0, 1, 1 },
		{ "{\"topology\": \"a\", \"state\": \"x\", \"objects\": -5, \"drifts\": \"many\"}", 0, 0, 0 },
		{ "{\"topology\": 1, \"state\": \"x\"}", -EINVAL, 0, 0 },
		{ "{\"topology\": \"a\"}", -EINVAL, 0, 0 },
		{ "[]", -EINVAL, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(arena_done) struct arena arena = {};
		_cleanup_text_ struct text out = {};
		struct report_status status;
		json_t *json = json_loads(rows[i].json, 0, NULL);

		assert_non_null(json);
		assert_int_equal(report_status_from_json(json, &arena, &status), rows[i].result);
		assert_int_equal(status.n_latest, rows[i].n_latest);
		assert_int_equal(status.n_troubles, rows[i].n_troubles);
		assert_int_equal(status.counts.n_objects + status.counts.n_drifts, 0);
		if (!rows[i].result)
			report_status_text(&status, 5, true, &out);
		json_decref(json);
	}
	struct report_status nothing;
	_cleanup_(arena_done) struct arena arena = {};
	assert_int_equal(report_status_from_json(NULL, &arena, &nothing), -EINVAL);
}

/* Small things. */

static void check_duration(uint64_t usec, const char *expected) {
	_cleanup_text_ struct text out = {};

	report_duration(usec, &out);
	assert_string_equal(out.data, expected);
}

static void test_duration(void **state _unused_) {
	check_duration(0, "0 ms");
	check_duration(40, "0 ms");
	check_duration(600, "0.6 ms");
	check_duration(1000, "1 ms");
	check_duration(1250, "1.3 ms");
	check_duration(9949, "9.9 ms");
	check_duration(9960, "10 ms");
	check_duration(31400, "31 ms");
	check_duration(999499, "999 ms");
	check_duration(999500, "1 s");
	check_duration(1200000, "1.2 s");
	check_duration(2000000, "2 s");
	check_duration(59400000, "59 s");
	check_duration(59700000, "1 min");
	check_duration(60000000, "1 min");
	check_duration(200000000, "3 min 20 s");
	check_duration(3600000000, "1 h");
	check_duration(7500000000, "2 h 5 min");
	check_duration(86400000000ull * 4 + 3600000000ull * 3, "4 d 3 h");
}

static void test_clean(void **state _unused_) {
	_cleanup_text_ struct text out = {};

	report_clean("ä\033[1m\n\x7f\xc2\x9b\xff€\xe2\x80\xae.", &out);
	assert_string_equal(out.data, "ä?[1m????€?.");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_nothing),    cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_explained),       cmocka_unit_test(test_changes),
		cmocka_unit_test(test_returning),       cmocka_unit_test(test_recreations),
		cmocka_unit_test(test_recreated_along), cmocka_unit_test(test_recreated_pair),
		cmocka_unit_test(test_deletions),       cmocka_unit_test(test_given_back),
		cmocka_unit_test(test_refusals),        cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_color),           cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_plan_json),       cmocka_unit_test(test_summary),
		cmocka_unit_test(test_check_json),      cmocka_unit_test(test_check_json_without_place),
		cmocka_unit_test(test_status_text),     cmocka_unit_test(test_status_json),
		cmocka_unit_test(test_foreign_status),  cmocka_unit_test(test_duration),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
