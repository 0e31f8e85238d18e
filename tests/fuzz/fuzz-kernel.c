/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole pass against a kernel that answers anything: look at every namespace of a topology, plan, carry out, look
 * again. Dumps, their interruption, ids of other namespaces, acknowledgements with extended text and offsets all come
 * from the input, by the daemon's own sockets.
 */
#include "fuzz.h"
#include "kernel_real.h"
#include "kind/veth.h"
#include "machine.h"
#include "report.h"
#include "spec.h"

enum { TOPOLOGIES = 2, SPEC_MAX = 8192 };

/* topologies/N.yaml, read once; those of record.py, too. */
static const char *topology(unsigned n) {
	static char texts[TOPOLOGIES][SPEC_MAX];
	char path[sizeof(TOPOLOGY_FOLDER) + 16];
	size_t size;

	if (*texts[n])
		return texts[n];
	snprintf(path, sizeof(path), "%s/%u.yaml", TOPOLOGY_FOLDER, n);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	must(f);
	size = fread(texts[n], 1, SPEC_MAX - 1, f);
	must(size > 0 && size < SPEC_MAX - 1);
	return texts[n];
}

static void read_topology(struct spec *spec, const char *text) {
	struct diags diags = {};
	uint8_t source = diags_add_source(&diags, (struct source){ "fuzz", text, strlen(text) });

	if (!spec_read(spec, &diags, source, &(struct spec_options){ .topology = "office" })) {
		fputs(diags_format(&diags, false), stderr);
		abort();
	}
	diags_done(&diags);
}

/* What the corpus came to, of all that a machine can hold. */
static struct {
	size_t seen[CLASS_DNS + 1], elsewhere, done, refused, explained;
} reached;

static void count_seen(const struct state *observed) {
	state_foreach(ns, observed)
		ns_foreach(object, ns) {
			const struct link_ref *peer = object->kind == &kind_veth ? &((const struct veth *)object)->peer : NULL;

			reached.seen[object->kind->class]++;
			reached.elsewhere += peer && peer->ns && !streq(peer->ns, ns->name);
		}
}

void fuzz_reached(void) {
	static const char *const names[] = { "namespace", "setting", "link", "port", "address", "route", "nat", "dns" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fprintf(stderr, "%s: %zu, ", names[i], reached.seen[i]);
	fprintf(stderr, "links of other namespaces: %zu, changes: %zu, refused: %zu, explained: %zu\n",
		reached.elsewhere, reached.done, reached.refused, reached.explained);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		must(reached.seen[i]);
	must(reached.elsewhere && reached.done && reached.refused && reached.explained);
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
	vec_foreach(change, &plan->changes) {
		must((*change)->done);
		reached.done += (*change)->error == 0;
		reached.refused += (*change)->error < 0;
		reached.explained += (*change)->text != NULL;
	}
}

static void pass(struct kernel *kernel, struct look *look, struct ledger *ledger, bool narrow) {
	_cleanup_(state_done) struct state observed = {};
	_cleanup_(plan_done) struct plan plan = {};
	_cleanup_text_ struct text lines = {};
	struct scopes scopes = {};

	state_foreach(ns, look->desired)
		scope_add(&scopes, ns, narrow);
	if (kernel->ops->observe(kernel, look, scopes.items, scopes.n, &observed) == 0) {
		count_seen(&observed);
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

	machine_begin_records(data, size);
	choice = machine_byte();
	read_topology(&spec, topology(choice % TOPOLOGIES));
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
