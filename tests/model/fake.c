/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_private.h"

#include "kind/kinds.h"

static const struct fault *injected(const struct fake *fake, const struct change *change) {
	_cleanup_text_ struct text id = {};

	object_print_id(change_object(change), &id);
	vec_foreach(fault, &fake->faults)
		if (fault->request ? fault->request == fake->n_requests : streq(fault->id, id.data))
			return fault;
	return NULL;
}

/* Removes the ignored part from the change; false if nothing is left. */
static bool without_ignored(struct fake *fake, const struct fault *fault, struct change *change) {
	uint64_t ignored = ~UINT64_C(0);

	if (change->type == CHANGE_DELETE)
		return true;
	if (fault->field)
		ignored = field_bit((size_t)kind_field(change->desired->kind, fault->field));
	fake->n_injected += !!(change->fields & ignored);
	change->fields &= ~ignored;
	return fault->field && (change->fields || change->type == CHANGE_CREATE);
}

/* From now on no request has an effect. */
static int crash(struct fake *fake) {
	fake->crashed = true;
	fake->n_crashes++;
	fake->ledger_tells = true;
	fake->crash(fake->userdata);
	return -EIO;
}

static int request(struct fake *fake, const struct scan_request *asked, struct plan *plan, const struct execute_hooks *hooks,
		   const struct change *change) {
	const struct fault *fault;
	struct change done = *change;
	int r;

	fake->n_requests++;
	fake->n_again += change->completes && change->observed;
	fake->first = fake->ledger_size && *fake->ledger_size != fake->size_before;
	ledger_written(fake);
	world_tick(fake->world, false);
	if (fake->requested)
		fake->requested(fake->userdata, fake->n_requests);
	if (fake->crashed)
		return -EIO;
	if (fake->crash_at == fake->n_requests && !fake->crash_after)
		return crash(fake);
	fault = injected(fake, change);
	r = fault && fault->error < 0 ? fault->error : 0;
	fake->n_injected += r < 0;
	if (r == 0 && (!fault || without_ignored(fake, fault, &done))) {
		fake->world->by_topod = true;
		if (fake->judge)
			fake->judge(fake->userdata, change);
		judge_place(fake, asked, change);
		r = carry_out(fake, asked, plan, hooks, &done);
		world_carriers(fake->world);
		fake->world->by_topod = false;
		if (r == 0)
			remember_made(fake, change);
	}
	return fake->crash_at == fake->n_requests ? crash(fake) : r;
}

static bool is_gone(int error) {
	return error == -ENODEV || error == -ENOENT || error == -ESRCH || error == -EADDRNOTAVAIL || error == -ENXIO;
}

static void trace(struct fake *fake, const struct change *change) {
	static const char *const words[] = {
		[CHANGE_CREATE] = "create", [CHANGE_UPDATE] = "update", [CHANGE_DELETE] = "delete"
	};

	if (!fake->tracing)
		return;
	text_addf(&fake->trace, "%4zu %s ", fake->n_requests, words[change->type]);
	object_print_id(change_object(change), &fake->trace);
	if (change->type == CHANGE_UPDATE) {
		text_add(&fake->trace, ": ");
		object_print_fields(change->desired, change->observed, change->fields, &fake->trace);
	}
	text_addf(&fake->trace, "%s%s\n", change->error ? " ! " : "", change->error ? strerrorname_np(-change->error) : "");
}

static void try(struct fake *fake, const struct scan_request *asked, struct plan *plan, const struct execute_hooks *hooks,
		struct change *change) {
	for (unsigned i = 0; i < change->n_needs; i++) {
		const struct change *need = change->needs[i];

		if (!need->done || !need->error)
			continue;
		change->done = true;
		change->blocked = need->blocked ? need->blocked : need;
		change->error = need->error;
		return;
	}
	change->done = true;
	change->error = request(fake, asked, plan, hooks, change);
	if (change->type == CHANGE_DELETE && is_gone(change->error))
		change->error = 0;
	/* Whether a link gets a carrier, for a next hop, is known only once it is up. */
	fake->n_failed += change->error && !(change->error == -ENETDOWN && change->desired->kind == &kind_nexthop);
	trace(fake, change);
}

static void fake_execute(struct kernel *kernel, const struct scan_request *asked, struct plan *plan,
			 const struct execute_hooks *hooks) {
	struct fake *fake = (struct fake *)kernel;
	bool removed = false;

	for (size_t i = 0; i < plan->changes.n; i++) {
		if (!plan->changes.items[i]->done)
			try(fake, asked, plan, hooks, plan->changes.items[i]);
		removed |= plan->changes.items[i]->type == CHANGE_DELETE &&
			   change_object(plan->changes.items[i])->kind->class == &class_netns;
		if (hooks->progress)
			hooks->progress(hooks->userdata, i + 1);
	}
	if (removed && !fake->crashed) /* topod waits for it */
		world_tick(fake->world, true);
}

static int fake_clear(struct kernel *kernel, enum transport transport, const char *ns) {
	struct fake *fake = (struct fake *)kernel;

	fake->world->by_topod = true;
	if (transport == TRANSPORT_NETNS && !fake->crashed)
		world_clear_stale(fake->world, ns);
	fake->world->by_topod = false;
	return 0;
}

static const char *fake_name_of(struct kernel *kernel, int32_t nsid) {
	const struct w_ns *ns = world_ns_by_id(((struct fake *)kernel)->world, nsid);

	return ns ? ns->name ? ns->name : ns->held : NULL;
}

static const char *fake_link_of(struct kernel *kernel, const char *ns, uint32_t ifindex) {
	const struct w_link *link = ns_link_at(world_ns_or_held(((struct fake *)kernel)->world, ns), ifindex);

	return link ? link->values->name : NULL;
}

static void fake_rest(struct kernel *kernel _unused_) {
}

static void fake_hold(struct kernel *kernel) {
	((struct fake *)kernel)->holding = true;
}

static const struct kernel_ops fake_ops = {
	.hold = fake_hold,
	.observe = fake_observe,
	.execute = fake_execute,
	.clear = fake_clear,
	.name_of = fake_name_of,
	.link_of = fake_link_of,
	.rest = fake_rest,
	.free = fake_rest,
};

void fake_init(struct fake *fake, struct world *world) {
	*fake = (struct fake){ .kernel.ops = &fake_ops, .world = world };
}

void fake_done(struct fake *fake) {
	vec_done(&fake->faults);
	vec_foreach(at, &fake->made)
		free(*at);
	vec_done(&fake->made);
	vec_foreach(at, &fake->replaced)
		free(*at);
	vec_done(&fake->replaced);
	text_done(&fake->violations);
	text_done(&fake->trace);
}
