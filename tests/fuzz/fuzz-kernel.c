/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole pass against a kernel that answers anything: scan every namespace of a topology, plan, carry out, scan again.
 * Dumps, their interruption, ids of other namespaces, acknowledgements with extended text and offsets all come from the
 * input, through the daemon's own sockets.
 *
 * The first choice selects the topology, whether everything was made before (then more can be changed), and whether it is
 * still declared.
 */
#include <linux/rtnetlink.h>

#include "fuzz.h"
#include "kernel/real_kernel.h"
#include "kind/kinds.h"
#include "kind/netns.h"
#include "kind/physical.h"
#include "kind/route.h"
#include "kind/veth.h"
#include "machine.h"
#include "report/report.h"
#include "language/spec.h"

enum { TOPOLOGIES = 2, SPEC_MAX = 8192 };
enum { CHOICE_NARROW = 2, CHOICE_REMEMBERS = 4, CHOICE_GOES = 8, CHOICE_LISTENS = 16 };

/* topologies/N.yaml, read once; record.py uses the same files. */
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
	uint8_t source = diags_add_source(&diags, (struct source_text){ "fuzz", text, strlen(text) });

	if (!spec_read(spec, &diags, source, &(struct spec_options){ .topology = "office" })) {
		fputs(diags_format(&diags, false), stderr);
		abort();
	}
	diags_done(&diags);
}

/* What the corpus has reached, for fuzz_reached(). */
static struct { size_t seen[32], elsewhere, done, refused, explained; } reached;

/* Kinds of changes with their own requests, and whether one succeeded. */
static struct deed {
	const char *name;
	const struct kind *kind;
	enum change_type type;
	size_t n;
} deeds[] = {
	{ "pairs made", &kind_veth, CHANGE_CREATE, 0 },      { "moved in", &kind_physical, CHANGE_CREATE, 0 },
	{ "given back", &kind_physical, CHANGE_DELETE, 0 },  { "routes made", &kind_route, CHANGE_CREATE, 0 },
	{ "routes changed", &kind_route, CHANGE_UPDATE, 0 }, { "routes deleted", &kind_route, CHANGE_DELETE, 0 },
};

static void count_done(const struct change *change) {
	const struct object *object = change->desired ? change->desired : change->observed;

	reached.done += change->error == 0;
	reached.refused += change->error < 0;
	reached.explained += change->text != NULL;
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
		deeds[i].n += change->error == 0 && change->type == deeds[i].type && object->kind == deeds[i].kind;
}

static void count_seen(const struct state *observed) {
	state_foreach(ns, observed)
		ns_foreach(object, ns) {
			const struct link_ref *peer =
				object->kind == &kind_veth ? &((const struct veth *)object)->peer : NULL;

			reached.seen[class_rank(object->kind->class)]++;
			reached.elsewhere += peer && peer->ns && !streq(peer->ns, ns->name);
		}
}

void fuzz_reached(void) {

	for (size_t i = 0; classes[i]; i++)
		fprintf(stderr, "%s: %zu, ", classes[i]->name, reached.seen[i]);
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
		fprintf(stderr, "%s: %zu, ", deeds[i].name, deeds[i].n);
	fprintf(stderr, "links of other namespaces: %zu, changes: %zu, refused: %zu, explained: %zu, numbers given: %zu\n",
		reached.elsewhere, reached.done, reached.refused, reached.explained, machine_n_sent(RTM_NEWNSID));
	for (size_t i = 0; classes[i]; i++)
		must(reached.seen[i] || classes[i] == &class_rule || classes[i] == &class_neighbor ||
		     classes[i] == &class_nexthop || classes[i] == &class_fdb || classes[i] == &class_wireguard_peer ||
		     classes[i] == &class_alternative_name || classes[i] == &class_offload || classes[i] == &class_qdisc);
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
		must(deeds[i].n);
	must(reached.elsewhere && reached.done && reached.refused && reached.explained && machine_n_sent(RTM_NEWNSID));
}

enum { SCOPES = 8, NARROW = 16 };

/* Each whole namespace, or only some of its declared objects. */
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

struct memory {
	struct ledger ledger;
	struct text lines;
};

static int hear_birth(void *userdata, const struct object *made) {
	struct memory *memory = userdata;

	ledger_note_birth(&memory->ledger, made, &memory->lines);
	return 0;
}

static int hear_former(void *userdata, const struct change *change, const struct object *former) {
	struct memory *memory = userdata;

	ledger_note(&memory->ledger, change->desired, former, change->desired->set, false, &memory->lines);
	return 0;
}

/* Fills the ledger as if topod had made the whole topology. */
static void remember(struct memory *memory, const struct spec *spec) {
	state_foreach(ns, &spec->state) {
		_cleanup_(arena_done) struct arena arena = {};
		const struct netns_identity identity = { .inode = machine_inode(ns->name) };

		ns_foreach(object, ns)
			if (!object->external && !object->kind->class->permanent)
				ledger_note(&memory->ledger, object, NULL, object->set, true, &memory->lines);
		ledger_note_birth(&memory->ledger, netns_object(&arena, ns->name, &identity), &memory->lines);
	}
}

static void execute(struct kernel *kernel, const struct scan_request *request, struct plan *plan, struct memory *memory) {
	const struct execute_hooks hooks = { .userdata = memory, .born = hear_birth, .former = hear_former };
	_cleanup_text_ struct text text = {};

	report_plan_text(plan, false, &text);
	kernel->ops->execute(kernel, request, plan, &hooks);
	vec_foreach(change, &plan->changes) {
		must((*change)->done);
		count_done(*change);
	}
}

static void note_intents(struct memory *memory, const struct plan *plan) {
	vec_foreach(change, &plan->changes)
		if ((*change)->type != CHANGE_DELETE)
			ledger_note(&memory->ledger, (*change)->desired, (*change)->observed, (*change)->desired->set,
				    (*change)->type == CHANGE_CREATE, &memory->lines);
}

static void pass(struct kernel *kernel, struct scan_request *request, struct memory *memory, bool narrow) {
	_cleanup_(state_done) struct state observed = {};
	_cleanup_(plan_done) struct plan plan = {};
	struct scopes scopes = {};

	state_foreach(ns, request->desired)
		scope_add(&scopes, ns, narrow);
	if (kernel->ops->observe(kernel, request, scopes.items, scopes.n, &observed) == 0) {
		count_seen(&observed);
		plan_make(&plan, &(struct plan_input){ request->desired, &observed, &memory->ledger });
		note_intents(memory, &plan);
		execute(kernel, request, &plan, memory);
	}
	kernel->ops->rest(kernel);
}

static void memory_done(struct memory *memory) {
	ledger_done(&memory->ledger);
	text_done(&memory->lines);
}

/* Sets what is declared, and what is known from before. */
static void begin(struct spec *spec, struct memory *memory, uint8_t choice) {
	read_topology(spec, topology(choice % TOPOLOGIES));
	if (choice & CHOICE_REMEMBERS)
		remember(memory, spec);
	if (choice & CHOICE_GOES) {
		spec_done(spec);
		*spec = (struct spec){};
		read_topology(spec, "namespaces: {}");
	}
	ledger_add_returns(&memory->ledger, &spec->state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(memory_done) struct memory memory = {};
	_cleanup_(spec_done) struct spec spec = {};
	struct kernel *kernel = NULL;
	uint8_t choice;

	machine_begin_records(data, size);
	choice = machine_byte();
	begin(&spec, &memory, choice);
	struct scan_request request = { .desired = &spec.state, .ledger = &memory.ledger, .topology = spec.topology };
	if (real_kernel_new(&kernel) == 0) {
		((struct real_kernel *)kernel)->max_threads = 1; /* the input is read in one order */
		if (choice & CHOICE_LISTENS)
			kernel->ops->listen(kernel);
		for (int i = 0; i < 3 && !machine_done(); i++)
			pass(kernel, &request, &memory, choice & CHOICE_NARROW && i > 0);
	}
	kernel_free(kernel);
	machine_end();
	return 0;
}
