/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

#include <fcntl.h>
#include <sys/stat.h>

enum {
	PASSES_MAX = 300, /* at one time: more means that it never settles */
	RETRIES_MAX = 14, /* passes at later times */
};

void run_fail(struct run *run, const char *format, ...) {
	va_list args;

	if (run->failure)
		return;
	va_start(args, format);
	if (vasprintf(&run->failure, format, args) < 0)
		abort();
	va_end(args);
}

static void tell(struct run *run, const char *format, ...) _printf_(2, 3);
static void tell(struct run *run, const char *format, ...) {
	va_list args;
	char *text;

	if (!run->telling)
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	text_addf(&run->story, "%s", text_str(&run->fake.trace));
	text_done(&run->fake.trace);
	text_addf(&run->story, "%8.3f %s\n", (double)(run->w->now_usec - 1000000000) / 1e6, text);
	free(text);
}

/* On a file system in memory, if there is one, because every case writes and removes a few small files. */
void run_make_place(char place[64]) {
	static const char *const folders[] = { "/dev/shm", "/tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(place, 64, "%s/topod-model-XXXXXX", folders[i]);
		if (mkdtemp(place)) {
			ledger_file_set_root(place);
			return;
		}
	}
	perror("mkdtemp");
	exit(1);
}

/* The reconciler's surroundings. */

/* What a reader of the journal remembers. */

static char **find_told(const struct told_names *names, const char *scope, const char *noun) {
	_cleanup_free_ char *name = xasprintf("%s %s", scope, noun);

	vec_foreach(at, &names->list)
		if (*at && streq(*at, name))
			return at;
	return NULL;
}

bool run_was_told(const struct told_names *names, const char *scope, const char *noun) {
	return find_told(names, scope, noun) != NULL;
}

static void drop_told(struct told_names *names, const struct occurrence *o) {
	char **at = find_told(names, o->scope, o->noun);

	if (!at)
		return;
	free(*at);
	*at = NULL;
}

static void add_told(struct told_names *names, const struct occurrence *o) {
	drop_told(names, o);
	vec_push(&names->list, xasprintf("%s %s", o->scope, o->noun));
}

static void forget_names(struct told_names *names) {
	vec_foreach(at, &names->list)
		free(*at);
	vec_clear(&names->list);
}

static void forget_told(struct run *run) {
	forget_names(&run->ill);
	forget_names(&run->gone);
	forget_names(&run->arrived);
}

static void remember(struct run *run, const struct occurrence *o) {
	if (o->type == OCCURRENCE_FAILING || o->type == OCCURRENCE_DRIFT_FAILED || o->type == OCCURRENCE_BACKED_OFF)
		add_told(&run->ill, o);
	else if (o->type == OCCURRENCE_RECOVERED)
		drop_told(&run->ill, o);
	if (o->type != OCCURRENCE_GONE && o->type != OCCURRENCE_ARRIVED)
		return;
	if (o->type == OCCURRENCE_ARRIVED && run_was_told(&run->arrived, o->scope, o->noun) &&
	    !run_was_told(&run->gone, o->scope, o->noun))
		run_fail(run, "told: %s %s has come, again", o->scope, o->noun);
	drop_told(o->type == OCCURRENCE_GONE ? &run->arrived : &run->gone, o);
	add_told(o->type == OCCURRENCE_GONE ? &run->gone : &run->arrived, o);
}

static void occurred(void *userdata, const struct occurrence *o) {
	static const char *const words[] = {
		[OCCURRENCE_DRIFT_RESTORED] = "restored",
		[OCCURRENCE_DRIFT_REPORTED] = "reported",
		[OCCURRENCE_DRIFT_FAILED] = "drift, failed",
		[OCCURRENCE_BACKED_OFF] = "backed off",
		[OCCURRENCE_FAILING] = "failing",
		[OCCURRENCE_RECOVERED] = "recovered",
		[OCCURRENCE_CONVERGED] = "converged",
		[OCCURRENCE_OVERRUN] = "overrun",
		[OCCURRENCE_SPARED] = "spared",
		[OCCURRENCE_GONE] = "gone",
		[OCCURRENCE_ARRIVED] = "arrived",
		[OCCURRENCE_DRIFT_HELD] = "held",
	};

	struct run *run = userdata;

	remember(run, o);
	tell(userdata, "= %s: %s %s %s %s", words[o->type], o->scope ? o->scope : "", o->noun ? o->noun : "",
	     o->what ? o->what : "", o->error ? o->error : "");
}

static uint64_t now(void *userdata) {
	return ((struct run *)userdata)->w->now_usec++;
}

static void hear(struct run *run, const struct w_event *event) {
	if (!run->r)
		return;
	if (!event->ns && run->whole)
		reconciler_dirty(run->r, event->name);
	else if (!event->ns)
		reconciler_name_changed(run->r, event->name);
	else if (run->whole && event->ns->name)
		reconciler_dirty(run->r, event->ns->name);
	else
		reconciler_hint_id(run->r, event->ns->nsid, &event->hint);
}

static void deliver(void *userdata) {
	struct run *run = userdata;

	world_detect(run->w);
	for (size_t i = 0; i < run->w->events.n; i++) {
		hear(run, &run->w->events.items[i]);
		if (run->beside)
			hear(run->beside, &run->w->events.items[i]);
	}
	vec_clear(&run->w->events);
}

static void act_when_due(struct run *run, bool scan, size_t n) {
	for (size_t i = 0; i < run->scheduled.n; i++) {
		struct scheduled scheduled = run->scheduled.items[i];

		if (scheduled.scan != scan || scheduled.at != n || run->fake.crashed)
			continue;
		run->scheduled.items[i].at = 0;
		run_op(run, &scheduled.op);
		if (scan)
			deliver(run);
	}
}

void run_read_ledger(const struct run *run, struct ledger *ret) {
	size_t damaged;

	*ret = (struct ledger){};
	if (run->fake.crashed && run->rescued)
		(void)ledger_parse(ret, run->rescued, strlen(run->rescued), &damaged);
	else
		(void)ledger_file_read(run->topology, ret);
}

/* Objects of another topology must not be deleted or changed, except links, which go with the topology that made them. */
static void judged(void *userdata, const struct change *change) {
	struct run *run = userdata;
	const struct object *object = change_object(change);
	struct ledger others = {};
	struct ledger_entry *entry;
	_cleanup_text_ struct text id = {};

	if (!run->beside || object->kind->class->per_topology)
		return;
	run_read_ledger(run->beside, &others);
	entry = ledger_find_object(&others, object);
	object_print_id(object, &id);
	const struct ledger_entry *own = ledger_find_object(&run->ledger, object);
	if (object_is_link(object) && own && own->made)
		entry = NULL;
	if (entry && change->type == CHANGE_DELETE && !change->recreates && (entry->made || !object_is_link(object)) &&
	    (!object_is_namespace(object) || ledger_is_same(entry, object)))
		run_fail(run, "beside: %s deletes %s, which %s has", run->topology, id.data, run->beside->topology);
	for (uint64_t left = entry && change->type == CHANGE_UPDATE ? change->fields : 0; left; left &= left - 1) {
		size_t i = (size_t)__builtin_ctzll(left);
		int at = ledger_counterpart(entry, change->desired->kind, i);
		const char *value = at >= 0 ? ledger_value(entry, (size_t)at) : NULL;

		if (value && !ledger_is_value(value, &change->desired->kind->fields[i], change->desired))
			run_fail(run, "beside: %s changes %s of %s, which %s has as %s", run->topology,
				 change->desired->kind->fields[i].name, id.data, run->beside->topology, value);
	}
	ledger_done(&others);
}

static void requested(void *userdata, size_t n) {
	act_when_due(userdata, false, n);
}

static void looked(void *userdata, size_t n) {
	act_when_due(userdata, true, n);
}

static const char *ledger_path(struct run *run) {
	static char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/ledger", run->file.dir_fd);
	return path;
}

static void crash(void *userdata) {
	struct run *run = userdata;
	_cleanup_close_ int fd = open(ledger_path(run), O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	run->n_crashes++;
	free(run->rescued);
	run->rescued = xmalloc(1 << 18);
	if (fd >= 0)
		n = read(fd, run->rescued, (1 << 18) - 1);
	run->rescued[MAX(n, 0)] = '\0';
	tell(run, "crash at request %zu", run->fake.n_requests);
}

/* Left by a failed case. */
static void remove_ledger(const char *topology) {
	struct ledger_file file = LEDGER_FILE_NONE;
	struct ledger ledger = {};
	size_t damaged;
	pid_t pid;

	if (ledger_file_open(&file, topology, &ledger, &pid, &damaged) == 0)
		ledger_file_compact(&file, &(struct ledger){});
	ledger_done(&ledger);
	ledger_file_close(&file, true);
}

static void set_up(struct run *run) {
	run->w->promotes = !run->c->real && run->c->seed % 2;
	fake_init(&run->fake, run->w);
	run->fake.userdata = run;
	run->fake.requested = requested;
	run->fake.looked = looked;
	run->fake.crash = crash;
	run->fake.judge = judged;
	run->fake.tracing = run->telling;
	run->fake.ledger_size = &run->file.size;
	run->fake.holding = !run->c->real && run->c->seed % 3;
}

void run_init(struct run *run, const struct c_case *c, bool telling) {
	remove_ledger("t");
	*run = (struct run){
		.c = c, .topology = "t", .w = world_new(c->seed), .file = LEDGER_FILE_NONE, .version = -1, .telling = telling
	};
	set_up(run);
}

void run_init_beside(struct run *run, struct run *first, const struct c_case *c, const char *topology) {
	remove_ledger(topology);
	*run = (struct run){ .c = c,
			     .topology = topology,
			     .w = first->w,
			     .file = LEDGER_FILE_NONE,
			     .version = -1,
			     .telling = first->telling,
			     .beside = first };
	first->beside = run;
	set_up(run);
}

void run_done(struct run *run) {
	if (run->r)
		run_stop(run);
	fake_done(&run->fake);
	if (run->beside)
		run->beside->beside = NULL; /* the other one is alone in the world now */
	else
		world_free(run->w);
	vec_done(&run->scheduled);
	vec_done(&run->to_attach);
	forget_told(run);
	vec_done(&run->ill.list);
	vec_done(&run->gone.list);
	vec_done(&run->arrived.list);
	free(run->rescued);
	free(run->failure);
	text_done(&run->story);
}

static void find_attached(struct run *run);

/* Starting and stopping. */

bool run_read(struct run *run, int version, struct spec *ret) {
	const struct spec_options options = { .topology = run->topology, .machine_id = { 1, 2, 3 } };
	_cleanup_free_ char *yaml = version < 0 ? NULL : case_yaml(run->c, version);
	_cleanup_(diags_done) struct diags diags = {};

	if (!yaml) {
		spec_empty(ret, run->topology);
		return true;
	}
	uint8_t source = diags_add_source(&diags, (struct source_text){ "case", yaml, strlen(yaml) });
	if (spec_read(ret, &diags, source, &options))
		return true;
	_cleanup_free_ char *all = diags_format(&diags, false);
	run_fail(run, "spec: %s", all);
	return false;
}

void run_start(struct run *run, int version) {
	const struct reconciler_hooks hooks = { .userdata = run, .occurred = occurred, .drain = deliver, .now = now };
	struct spec spec = {};
	size_t damaged;
	pid_t pid;

	int r = ledger_file_open(&run->file, run->topology, &run->ledger, &pid, &damaged);
	if (r < 0)
		run_fail(run, "ledger: %s", strerror(-r));
	run_read(run, version, &spec);
	run->version = version;
	run->fake.size_before = run->file.size; /* the lines of an earlier run are complete */
	deliver(run);                           /* earlier events go to the other one only */
	tell(run, "start version %d", version);
	run->r = reconciler_new(&spec, &run->fake.kernel, &run->ledger, &run->file, &hooks);
	find_attached(run);
}

void run_stop(struct run *run) {
	tell(run, "stop");
	world_release(run->w, NULL);
	reconciler_free(run->r);
	run->r = NULL;
	forget_told(run);
	ledger_done(&run->ledger);
	ledger_file_close(&run->file, !run->fake.crashed);
}

static void put_back_ledger(struct run *run, bool torn) {
	size_t size = strlen(run->rescued);
	int fd = open(ledger_path(run), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (torn && size > 20)
		size -= 1 + size % 7;
	if (fd < 0 || write(fd, run->rescued, size) != (ssize_t)size)
		run_fail(run, "cannot write the ledger");
	closep(&fd);
	if (!size)
		unlink(ledger_path(run));
}

void run_die(struct run *run) {
	/* A line can be incomplete only if nothing was done since it was written. */
	bool torn = run->fake.crashed && run->fake.torn && run->fake.first && !run->fake.crash_after;

	if (run->fake.crashed)
		put_back_ledger(run, torn);
	run_stop(run);
	run->fake.crashed = run->fake.crash_after = run->fake.torn = false;
	run->fake.crash_at = 0;
}

void run_restart(struct run *run) {
	int version = run->version;

	run_die(run);
	run_start(run, version);
}

/* A namespace that topod made has no mark, so without a ledger everything in it is foreign. In others the marks show what is
 * topod's. */
static void estrange(struct w_ns *ns) {
	bool closed = !streq(ns->name, NS_HOST) && !ns->external;

	ns->external |= closed;
	ns->nat_foreign |= closed;
	vec_foreach(at, &ns->links)
		(*at)->external |= closed || !streq((*at)->values->alias, "topod:t");
	vec_foreach(a, &ns->addresses)
		a->external |= closed || a->protocol != TOPOD_PROTOCOL;
	vec_foreach(route, &ns->routes)
		route->external |= closed || route->protocol != TOPOD_PROTOCOL;
	vec_foreach(raw, &ns->raw)
		raw->external |= closed || raw_protocol(raw) != TOPOD_PROTOCOL;
}

void run_lose_ledger(struct run *run) {
	int version = run->version;

	run_stop(run);
	remove_ledger(run->topology);
	vec_foreach(at, &run->w->spaces)
		if ((*at)->name)
			estrange(*at);
	vec_foreach(file, &run->w->files)
		file->external = true;
	vec_foreach(at, &run->fake.made) {
		free(*at);
		*at = NULL;
	}
	run->disturbed = run->fake.ledger_tells = true;
	run_start(run, version);
}

void run_reload(struct run *run, int version) {
	struct spec spec = {};

	if (!run_read(run, version, &spec)) {
		spec_done(&spec);
		return;
	}
	run->version = version;
	tell(run, "reload version %d", version);
	forget_told(run);
	reconciler_reload(run->r, &spec);
	find_attached(run);
}

/* A call comes between two passes. */
static void attach(struct run *run, const char *name) {
	const struct object *self = run->r ? ns_self(state_find(run_desired(run), name)) : NULL;
	struct w_ns *ns = world_ns(run->w, name);
	struct arena arena = {};
	struct object *netns;

	if (!self || !self->awaited || !ns || !ns->attached)
		return;
	struct netns_identity identity = ns->identity;
	identity.born_nsec = 0;
	netns = netns_object(&arena, name, &identity);
	((struct netns *)netns)->link = arena_printf(&arena, "/proc/%llu/ns/net", (unsigned long long)identity.inode);
	netns->set |= field_bit(NETNS_LINK);
	tell(run, "attach %s", name);
	if (reconciler_attach(run->r, netns) < 0)
		run_fail(run, "attach: the ledger");
	arena_done(&arena);
}

static void attach_all(struct run *run) {
	vec_foreach(name, &run->to_attach)
		attach(run, *name);
	vec_clear(&run->to_attach);
}

/* A namespace that came while topod did not run was noted by the caller, or is found by the link. */
static void find_attached(struct run *run) {
	vec_foreach(at, &run->w->spaces)
		if ((*at)->name && (*at)->attached)
			vec_push(&run->to_attach, (*at)->name);
}

/* Time. */

void run_settle(struct run *run) {
	int n;

	for (n = 0; n < PASSES_MAX && !run->fake.crashed && !run->failure; n++) {
		attach_all(run);
		deliver(run);
		if (reconciler_due(run->r) > run->w->now_usec)
			return;
		run->n_passes++;
		tell(run, "pass");
		reconciler_pass(run->r);
	}
	if (n == PASSES_MAX)
		run_fail(run, "unrest: does not come to rest");
}

struct failing {
	char ns[64];
	bool several;
};

static void find_failing(void *userdata, const struct failure *t) {
	struct failing *failing = userdata;
	size_t n = MIN(strcspn(t->scope, "/"), sizeof(failing->ns) - 1);

	failing->several |= *failing->ns && (strlen(failing->ns) != n || strncmp(failing->ns, t->scope, n) != 0);
	memcpy(failing->ns, t->scope, n);
	failing->ns[n] = '\0';
}

/* Pauses grow, also those of objects that only wait for something that fails. Objects of one namespace are tried together.
 * (The result for an address that another host has is checked after each try.) */
static void check_pauses(struct run *run, uint64_t begun) {
	struct reconciler_status status;
	struct failing failing = {};

	reconciler_status(run->r, &status);
	reconciler_failures(run->r, find_failing, &failing);
	if (!failing.several && !run->w->rival.family && !status.counts.n_fights && !status.counts.n_pending &&
	    run->w->now_usec - begun < 60 * 1000 * 1000)
		run_fail(run, "pauses: %d tries in %llu ms", RETRIES_MAX,
			 (unsigned long long)(run->w->now_usec - begun) / 1000);
}

void run_quiesce(struct run *run) {
	uint64_t begun = run->w->now_usec;
	int n, n_restarts = 0;

	for (n = 0; n < RETRIES_MAX && !run->failure;) {
		run_settle(run);
		if (run->fake.crashed) {
			run_restart(run);
			n_restarts++;
			continue;
		}
		world_tick(run->w, true);
		uint64_t due = reconciler_due(run->r), detected = world_detects_at(run->w);
		if (due == UINT64_MAX && detected == UINT64_MAX && !run->w->events.n)
			return;
		n += run->w->events.n || (due <= detected && due > run->w->now_usec + 1000);
		if (!run->w->events.n)
			run->w->now_usec = MAX(MIN(due, detected), run->w->now_usec);
	}
	if (!run->failure && !n_restarts)
		check_pauses(run, begun);
}

/* What happens. */

void run_op(struct run *run, const struct op *op) {
	_cleanup_text_ struct text text = {};
	int r = op_apply(run->w, op);

	if (r == 0 && op->type == OP_ATTACH) {
		vec_push(&run->to_attach, op->ns);
		forget_names(&run->arrived); /* another one takes its place */
	}
	op_print(op, &text);
	tell(run, "$ %s%s%s", text_str(&text), r < 0 ? " ! " : "", r < 0 ? strerrorname_np(-r) : "");
	run->disturbed |= r == 0 || op->type == OP_MASTER; /* which may fail halfway */
}

void run_plan_crash(struct run *run, const struct step *step) {
	if (!step->n || !case_has(run->c, step->id))
		return;
	run->fake.crash_at = run->fake.n_requests + step->n;
	run->fake.crash_after = step->after;
	run->fake.torn = step->torn;
}

static void schedule(struct run *run, const struct step *step) {
	bool scan = step->type == STEP_OP_LOOK;
	size_t n = scan ? run->fake.n_scans : run->fake.n_requests;

	vec_push(&run->scheduled, (struct scheduled){ n + step->n, scan, step->op });
	reconciler_dirty_all(run->r);
}

/* During a pause topod scans and makes no request. */
static void act_in_pause(struct run *run, const struct op *op) {
	size_t before;

	run_settle(run);
	before = run->fake.n_requests;
	reconciler_pause(run->r);
	tell(run, "pause");
	run_op(run, op);
	run_settle(run);
	if (run->fake.n_requests != before)
		run_fail(run, "pause: something was done in it");
	reconciler_resume(run->r);
}

void run_step(struct run *run, const struct step *step) {
	switch (step->type) {
	case STEP_OP:
		run_op(run, &step->op);
		break;
	case STEP_OP_UNHEARD:
		run_op(run, &step->op);
		vec_clear(&run->w->events);
		reconciler_overrun(run->r);
		break;
	case STEP_OP_REQUEST:
	case STEP_OP_LOOK:
		schedule(run, step);
		break;
	case STEP_WAIT:
		run_settle(run);
		run->w->now_usec += step->n;
		break;
	case STEP_RELOAD:
		run_reload(run, (int)step->n);
		break;
	case STEP_FAIL_REQUEST:
		vec_push(&run->fake.faults,
			 (struct fault){ .request = run->fake.n_requests + step->n, .error = -step->error });
		break;
	case STEP_FAIL_LOOK:
		run->fake.look_fault = run->fake.n_scans + step->n;
		run->fake.look_error = -step->error;
		reconciler_dirty_all(run->r);
		break;
	case STEP_CRASH:
		run_plan_crash(run, step);
		break;
	case STEP_RESTART:
		run_restart(run);
		break;
	case STEP_DIRTY:
		reconciler_dirty_all(run->r);
		break;
	case STEP_PAUSE:
		act_in_pause(run, &step->op);
		break;
	}
	/* Sometimes several things happen before topod makes a pass. */
	if (step->n % 3)
		run_settle(run);
	if (run->fake.crashed)
		run_restart(run);
}
