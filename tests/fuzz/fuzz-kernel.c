/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole pass against a kernel that answers anything: look at every namespace of a topology, plan, carry out, look
 * again. Dumps, their interruption, ids of other namespaces, acknowledgements with extended text and offsets all come
 * from the input, by the daemon's own sockets.
 */
#include "fuzz.h"
#include "kernel_real.h"
#include "machine.h"
#include "report.h"
#include "spec.h"

static const char *const topologies[] = {
	"namespaces:\n"
	"  host:\n"
	"    forwarding: true\n"
	"    interfaces:\n"
	"      br0: {kind: bridge, ports: [c1, {name: c2, cost: 7}], addresses: [10.0.0.1/24, 'fd00:1::1/64']}\n"
	"      up0: {kind: existing, mtu: 1400}\n"
	"    nat: [{action: masquerade, source: 10.0.0.0/24, out: not br0},\n"
	"          {action: dnat, in: up0, protocol: tcp, port: 8080, to: '10.0.0.11:80'}]\n"
	"  web:\n"
	"    dns: {servers: [10.0.0.1]}\n"
	"    interfaces: {eth0: {addresses: 10.0.0.11/24, mtu: 1400}, mv: {kind: macvlan, link: eth0}}\n"
	"    routes: [{to: default, via: 10.0.0.1}, {to: 10.9.0.0/16, type: blackhole}]\n"
	"    sysctl: {net.ipv4.conf.eth0.rp_filter: 2}\n"
	"  db: {interfaces: {eth0: {addresses: 10.0.0.12/24}}, exclusive: true}\n"
	"links: [[web:eth0, host:c1], [db:eth0, host:c2]]\n",

	"namespaces:\n"
	"  host: {interfaces: {nic: {kind: existing, addresses: 192.0.2.1/24},\n"
	"    vx: {kind: vxlan, id: 5, dev: nic, remote: 192.0.2.9}}}\n"
	"  a:\n"
	"    interfaces: {p: {kind: physical, source: en5, mac-address: '02:00:00:00:00:01', mtu: 1280}}\n"
	"    routes: {to: 10.0.0.0/8, nexthops: [{via: 10.1.0.1, dev: x}, {via: 10.2.0.1, dev: z, weight: 3}]}\n"
	"  b: {adopt: true, interfaces: {x: {addresses: 10.1.0.1/24}, z: {addresses: 10.2.0.1/24}}}\n"
	"links: [[a:x, b:x], [a:z, b:z]]\n",
};

static void read_topology(struct spec *spec, const char *text) {
	struct diags diags = {};
	uint8_t source = diags_add_source(&diags, (struct source){ "fuzz", text, strlen(text) });

	if (!spec_read(spec, &diags, source, &(struct spec_options){ .topology = "office" })) {
		fputs(diags_format(&diags, false), stderr);
		abort();
	}
	diags_done(&diags);
}

enum { SCOPES = 8, NARROW = 16 };

/* The whole of each namespace, or only some of what is declared in it. */
struct scopes {
	struct scope items[SCOPES];
	const struct object *objects[SCOPES][NARROW];
	size_t n;
};

static void scope_add(struct scopes *scopes, const struct ns_state *ns, bool narrow) {
	struct scope *scope = &scopes->items[scopes->n];
	const struct object **objects = scopes->objects[scopes->n];

	if (scopes->n == SCOPES)
		return;
	*scope = (struct scope){ .ns = ns->name, .objects = narrow ? objects : NULL };
	ns_foreach(object, ns)
		if (narrow && scope->n < NARROW)
			objects[scope->n++] = object;
	scopes->n++;
}

static void execute(struct kernel *kernel, const struct look *look, struct plan *plan) {
	const struct execute_hooks hooks = {};
	_cleanup_text_ struct text text = {};

	report_plan_text(plan, false, &text);
	kernel->ops->execute(kernel, look, plan, &hooks);
	vec_foreach(change, &plan->changes)
		must((*change)->done);
}

static void pass(struct kernel *kernel, struct look *look, struct ledger *ledger, bool narrow) {
	_cleanup_(state_done) struct state observed = {};
	_cleanup_(plan_done) struct plan plan = {};
	_cleanup_text_ struct text lines = {};
	struct scopes scopes = {};

	state_foreach(ns, look->desired)
		scope_add(&scopes, ns, narrow);
	if (kernel->ops->observe(kernel, look, scopes.items, scopes.n, &observed) == 0) {
		plan_make(&plan, &(struct plan_input){ look->desired, &observed, ledger });
		vec_foreach(change, &plan.changes)
			if ((*change)->type != CHANGE_DELETE)
				ledger_note(ledger, (*change)->desired, (*change)->observed, (*change)->desired->set,
					    (*change)->type == CHANGE_CREATE, &lines);
		execute(kernel, look, &plan);
	}
	kernel->ops->rest(kernel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(ledger_done) struct ledger ledger = {};
	_cleanup_(spec_done) struct spec spec = {};
	struct kernel *kernel = NULL;
	uint8_t choice;

	machine_begin(data, size);
	choice = machine_byte();
	read_topology(&spec, topologies[choice % ARRAY_SIZE(topologies)]);
	struct look look = { .desired = &spec.state, .ledger = &ledger, .topology = spec.topology };
	if (kernel_real_new(&kernel) == 0) {
		((struct kernel_real *)kernel)->max_threads = 1; /* the input is read in one order */
		for (int i = 0; i < 3 && !machine_done(); i++)
			pass(kernel, &look, &ledger, choice & 2 && i > 0);
	}
	kernel_free(kernel);
	machine_end();
	return 0;
}
