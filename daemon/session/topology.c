/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens and closes one topology's parts in the right order, and passes events and occurrences between them.
 *
 * The order matters twice. The lock is taken first, so that two daemons never work on one topology. Events are heard
 * before the reconciler's first scan, so that no change falls between the two.
 *
 * An error of opening is about the machine (missing privileges, no space in /run), not about the topology, and ends the
 * verb.
 */
#include "session/topology.h"

#include <poll.h>
#include <time.h>

#include "files/error_text.h"
#include "kernel/named_netns.h"
#include "kind/kinds.h"
#include "kind/sysctl.h"
#include "meaning/meaning.h"
#include "model/source.h"
#include "report/report.h"

enum {
	RESTORE_TRIES = 100,                  /* for a directory that is removed again and again */
	SCAN_TRIES = 4,                       /* failed scans, with growing pauses, before topology_settle() gives up */
	SETTLE_LIMIT_USEC = 60 * 1000 * 1000, /* topology_settle() gives up after this time, … */
	SETTLE_PASSES = 5,                    /* … but not before so many passes: the machine may just be slow */
	AWAIT_USEC = 1000 * 1000,             /* the longest wait after that time */
	TELL_USEC = 300 * 1000,               /* after a wait of this length the user is told the reason */
};

char *topology_problem(const char *what, int r) {
	bool privilege = (r == -EPERM || r == -EACCES) && geteuid() != 0;

	return xasprintf("cannot %s: %s%s", what, error_text(r), privilege ? " (this needs root)" : "");
}

/* Passes an occurrence on, together with the name of the file that its position is in. */
static void occurred(void *userdata, const struct occurrence *occurrence) {
	struct topology *s = userdata;
	struct occurrence placed = *occurrence;

	placed.file = spec_file_of(reconciler_spec(s->reconciler), occurrence->position);
	if (s->hooks.occurred)
		s->hooks.occurred(s->hooks.userdata, &placed);
}

/* ---- events ---- */

static void heard(void *userdata, int32_t nsid, const struct hint *hint) {
	struct topology *s = userdata;

	if (nsid == WATCH_NSID_HOST)
		reconciler_hint(s->reconciler, NS_HOST, hint);
	else
		reconciler_hint_id(s->reconciler, nsid, hint);
}

static void name_dirty(void *userdata, const char *name) {
	struct topology *s = userdata;

	reconciler_name_changed(s->reconciler, name);
}

static void file_changed(void *userdata, const char *name) {
	struct topology *s = userdata;

	for (const struct kind *const *kind = kinds; *kind; kind++)
		if ((*kind)->transport == TRANSPORT_FILE)
			reconciler_hint(s->reconciler, name, &(struct hint){ .type = HINT_CLASS, .class = (*kind)->class });
}

static void taken_away(void *userdata) {
	struct topology *s = userdata;

	s->taken_away = true;
}

static void everything_dirty(void *userdata) {
	struct topology *s = userdata;

	s->taken_away = true; /* its event may be among those that were lost */
	reconciler_overrun(s->reconciler);
}

/* After a crash without a ledger nobody would know what topod made, and without the lock another topod could start. If
 * restoring fails, it is tried again each time. */
static void restore_dir(struct topology *s) {
	_cleanup_free_ char *noun = xasprintf("%s/%s", TOPOD_RUN_DIR, s->topology);
	struct occurrence occurrence = { .scope = s->topology, .noun = noun, .what = "was removed" };
	uint64_t began = now_monotonic();
	int r, n = 0;

	/* A removal before the new directory is watched causes no event, so check again after watching it. */
	while ((r = ledger_file_restore(&s->ledger_file, &s->ledger)) > 0 && n++ < RESTORE_TRIES)
		(void)watch_own_dir(s->watch, s->ledger_file.dir_fd);
	s->taken_away = r != 0;
	occurrence.type = r < 0 ? OCCURRENCE_DRIFT_FAILED : OCCURRENCE_DRIFT_RESTORED;
	occurrence.error = r < 0 ? error_text(r) : NULL;
	occurrence.latency_usec = now_monotonic() - began;
	if (r < 0 ? !s->taken_away_reported : n > 0)
		occurred(s, &occurrence);
	s->taken_away_reported = r < 0;
	if (s->hooks.taken_away)
		s->hooks.taken_away(s->hooks.userdata, r);
}

/* Reads the events that have arrived, unless the reconciler says that reading would only lose more of them for now. */
static void hear(struct topology *s) {
	size_t before = s->watch ? watch_overruns(s->watch) : 0;
	int r;

	if (s->taken_away)
		restore_dir(s);
	if (!s->watch || now_monotonic() < reconciler_listen_usec(s->reconciler))
		return;
	r = watch_dispatch(s->watch, NULL);
	if (r < 0)
		reconciler_deaf(s->reconciler, r);
	else
		reconciler_heard(s->reconciler, watch_overruns(s->watch) != before);
	if (s->taken_away)
		restore_dir(s);
}

static const struct watch_handlers handlers = {
	.heard = heard,
	.name_changed = name_dirty,
	.file_changed = file_changed,
	.everything_dirty = everything_dirty,
	.taken_away = taken_away,
};

/* The reconciler calls this during a pass. */
static void drain(void *userdata) {
	hear(userdata);
}

static bool has_file(const struct ns_state *ns) {
	ns_foreach(object, ns)
		if (object->kind->transport == TRANSPORT_FILE)
			return true;
	return false;
}

static bool is_declared(const struct source *source, const struct state *desired) {
	state_foreach(ns, desired)
		ns_foreach(object, ns)
			if (object->kind->class->source == source ||
			    (object->kind->source == source && source->declares && source->declares(object)))
				return true;
	return false;
}

static bool any_exclusive(const struct state *desired) {
	state_foreach(ns, desired)
		if (ns->exclusive)
			return true;
	return false;
}

static void watch_if_declared(struct topology *s, const struct source *source, bool pruned) {
	const struct state *desired = &reconciler_spec(s->reconciler)->state;

	if (source && source->only_if_declared)
		watch_source(s->watch, source, (pruned && any_exclusive(desired)) || is_declared(source, desired));
}

/* ---- namespaces that something else makes ---- */

static int record_attached(void *userdata, const struct object *netns) {
	struct topology *s = userdata;

	return reconciler_attach(s->reconciler, netns);
}

static const char *made_name_of(void *userdata, const struct object *netns) {
	const struct topology *s = userdata;

	for (const struct ledger_ns *ns = s->ledger.namespaces; ns; ns = ns->hh.next) {
		const struct ledger_entry *made = ledger_made_namespace(ns);

		if (made && ledger_is_same(made, netns))
			return ns->name;
	}
	return NULL;
}

static int open_attachments(struct topology *s, char **ret_problem) {
	const struct attach_hooks hooks = {
		.userdata = s, .record = record_attached, .changed = name_dirty, .name_of = made_name_of
	};
	int r = attachments_new(&s->attachments, s->topology, &hooks);

	if (r < 0)
		*ret_problem = topology_problem("watch processes", r);
	return r;
}

int topology_attach(struct topology *s, const char *ns, const struct attach_call *call, char **ret_problem) {
	return attachments_attach(s->attachments, ns, call, ret_problem);
}

int topology_detach(struct topology *s, const char *ns) {
	return attachments_detach(s->attachments, ns);
}

/* ---- what is declared ---- */

void topology_watch_declared(struct topology *s) {
	if (s->attachments)
		attachments_declare(s->attachments, &reconciler_spec(s->reconciler)->state, &s->ledger);
	state_foreach(ns, &reconciler_spec(s->reconciler)->state)
		if (has_file(ns) && watch_file(s->watch, ns->name) < 0)
			reconciler_files_silent(s->reconciler);
	for (const struct class *const *class = classes; *class; class ++)
		watch_if_declared(s, (*class)->source, class_is_pruned(*class));
	for (const struct kind *const *kind = kinds; *kind; kind++)
		watch_if_declared(s, (*kind)->source, false);
}

static void watch_if_failed(struct topology *s) {
	bool failed = reconciler_wants_neighbours(s->reconciler);

	for (const struct kind *const *kind = kinds; *kind; kind++)
		if ((*kind)->source && (*kind)->source->only_if_failed)
			watch_source(s->watch, (*kind)->source, failed);
}

/* ---- the reconciler's surroundings ---- */

static void progress(void *userdata, size_t n_done, size_t n_all) {
	struct topology *s = userdata;

	if (s->hooks.progress)
		s->hooks.progress(s->hooks.userdata, n_done, n_all);
}

static void asked(void *userdata, const struct change *change, const char *how) {
	struct topology *s = userdata;

	s->hooks.asked(s->hooks.userdata, change, how);
}

static uint64_t clock_now(void *userdata _unused_) {
	return now_monotonic();
}

static void start_reconciler(struct topology *s, struct spec *spec) {
	const struct reconciler_hooks hooks = {
		.userdata = s,
		.occurred = occurred,
		.progress = progress,
		.asked = s->hooks.asked ? asked : NULL,
		.drain = drain,
		.now = clock_now,
	};

	s->reconciler = reconciler_new(spec, s->kernel, &s->ledger, &s->ledger_file, &hooks);
}

/* ---- the source files ---- */

struct topology_source topology_source(const struct loaded_spec *loaded, bool replaces) {
	return (struct topology_source){ .loaded = loaded, .named = loaded->spec.named, .replaces = replaces };
}

static void add_where(const char *path, struct text *out) {
	report_clean(streq(path, "-") ? "standard input" : path, out);
}

/* Two files with the same name are two topologies unless the user says otherwise. NULL, or the message to show. */
static char *source_problem(const struct topology *s, const struct topology_source *source, const struct ledger *ledger) {
	_cleanup_text_ struct text before = {}, now = {};
	_cleanup_free_ char *path = source->loaded ? spec_file_absolute(source->loaded->name) : NULL;

	if (!path || source->named || source->replaces || !ledger->files.n || spec_file_same(ledger->files.items[0], path))
		return NULL;
	add_where(ledger->files.items[0], &before);
	add_where(path, &now);
	return xasprintf("topology '%s' was made from %s; %s only has the same file name. Write 'topology: NAME' "
			 "into it to tell them apart, or take the other's place with --replace",
			 s->topology, before.data, now.data);
}

/* The value of a setting in a scanned namespace; NULL: it does not exist. */
static const char *setting_seen(const struct state *observed, const char *ns, const struct sysctl *asked) {
	const struct ns_state *seen = state_find(observed, ns);
	const struct object *found = seen ? ns_find(seen, &asked->object) : NULL;

	return found ? ((const struct sysctl *)found)->value : NULL;
}

/* An object whose warning depends on a setting that the file does not declare. */
struct question {
	const struct object *object;
	const struct ns_state *ns;
	const struct sysctl *asked;
};

/* A namespace that does not exist yet will have the same settings as the host, unless somebody changed the host's. */
static void warn_by_settings(struct topology *s, struct diags *diags) {
	const struct spec *spec = reconciler_spec(s->reconciler);
	_cleanup_(state_done) struct state asked = {}, observed = {};
	const struct scan_request request = { .desired = &asked, .ledger = &s->ledger, .topology = spec->topology };
	vec(struct question) questions = {};
	vec(struct scope) scopes = {};

	state_foreach(ns, &spec->state)
		ns_foreach(object, ns) {
			const char *path = object->kind->asks ? object->kind->asks(object, ns) : NULL;
			struct sysctl *setting = path ? sysctl_new(&asked.arena, ns->name, path, "0") : NULL;

			if (!setting || ns_find(ns, &setting->object))
				continue;
			ns_add(state_namespace(&asked, ns->name), &setting->object);
			ns_add(state_namespace(&asked, NS_HOST), &sysctl_new(&asked.arena, NS_HOST, path, "0")->object);
			vec_push(&questions, (struct question){ object, ns, setting });
		}
	state_foreach(ns, &asked)
		vec_push(&scopes, (struct scope){ .ns = ns->name });
	if (scopes.n && s->kernel->ops->observe(s->kernel, &request, scopes.items, scopes.n, &observed) == 0)
		vec_foreach(q, &questions) {
			const char *value = setting_seen(&observed, q->ns->name, q->asked);

			value = value ? value : setting_seen(&observed, NS_HOST, q->asked);
			if (value)
				q->object->kind->warn_value(q->object, q->ns, value, diags);
		}
	vec_done(&scopes);
	vec_done(&questions);
}

void topology_warn(struct topology *s, struct diags *diags) {
	const struct spec *spec = reconciler_spec(s->reconciler);
	const struct scan_request request = { .desired = &spec->state, .ledger = &s->ledger, .topology = spec->topology };
	_cleanup_(state_done) struct state observed = {};
	vec(struct scope) scopes = {};

	state_foreach(ns, &spec->state)
		if (meaning_needs_scan(ns))
			vec_push(&scopes, (struct scope){ .ns = ns->name });
	if (scopes.n && s->kernel->ops->observe(s->kernel, &request, scopes.items, scopes.n, &observed) == 0)
		meaning_seen(&spec->state, &observed, diags);
	warn_by_settings(s, diags);
	s->kernel->ops->rest(s->kernel);
	vec_done(&scopes);
}

int topology_note_source(struct topology *s, const struct loaded_spec *loaded) {
	vec(char *) paths = {};
	int r = 0;

	vec_foreach(file, &loaded->files)
		vec_push(&paths, spec_file_absolute(file->name));
	if (ledger_set_files(&s->ledger, paths.items, paths.n) || !s->ledger_file.head)
		r = ledger_file_set_head(&s->ledger_file, &s->ledger);
	vec_foreach(path, &paths)
		free(*path);
	vec_done(&paths);
	return r;
}

/* ---- opening ---- */

static char *ledger_problem(const char *topology, int r, pid_t pid) {
	switch (r) {
	case -EALREADY:
		return pid ? xasprintf("topology '%s' is already managed by another topod (pid %d)", topology, pid)
			   : xasprintf("topology '%s' is already managed by another topod", topology);
	case -EPERM:
		return xasprintf("%s/%s belongs to another user, or others may write to it", TOPOD_RUN_DIR, topology);
	case -ENOTDIR:
		return xasprintf("%s/%s is not a directory", TOPOD_RUN_DIR, topology);
	case -EINVAL:
		return xasprintf("%s/%s/ledger is not a topod ledger", TOPOD_RUN_DIR, topology);
	}
	_cleanup_free_ char *what = xasprintf("open %s/%s", TOPOD_RUN_DIR, topology);
	return topology_problem(what, r);
}

static int open_kernel(struct topology *s, char **ret_problem) {
	int r = netns_init();

	if (r == 0)
		r = real_kernel_new(&s->kernel);
	if (r < 0)
		*ret_problem = topology_problem("talk to the kernel", r);
	return r;
}

static char *own_dir_problem(int r, const char *problem) {
	return problem ? xstrdup(problem) : topology_problem("prepare " NETNS_DIR, r);
}

static int open_watch(struct topology *s, char **ret_problem) {
	const char *problem;
	int r = netns_prepare(&problem);

	if (r < 0) {
		*ret_problem = own_dir_problem(r, problem);
		return r;
	}
	r = watch_new(&s->watch, &handlers, s, s->hooks.event_buffer);
	if (r < 0)
		*ret_problem = topology_problem("receive the kernel's events", r);
	if (r < 0)
		return r;
	(void)watch_own_dir(s->watch, s->ledger_file.dir_fd);
	s->kernel->ops->listen(s->kernel);
	return 0;
}

/* What happened before listening is unknown: everything is scanned once more. */
static int listen_to_all(struct topology *s) {
	_cleanup_free_ char *problem = NULL;
	int r = open_watch(s, &problem);

	if (r < 0)
		return r;
	topology_watch_declared(s);
	reconciler_dirty_all(s->reconciler);
	return 0;
}

/* Is this the file that the topology was made from? If a daemon has the lock (r), compares with the file of that one. */
static int check_source(struct topology *s, const struct topology_source *source, int r, char **ret_problem) {
	_cleanup_(ledger_done) struct ledger others = {};

	if (r == -EALREADY && ledger_file_read(s->topology, &others) < 0)
		return r;
	*ret_problem = r == 0 || r == -EALREADY ? source_problem(s, source, r == 0 ? &s->ledger : &others) : NULL;
	if (*ret_problem)
		return -EEXIST;
	if (r == 0 && source->loaded)
		r = topology_note_source(s, source->loaded);
	return r;
}

int topology_open_once(struct topology *s, struct spec *spec, const struct topology_source *source,
		       const struct topology_hooks *hooks, char **ret_problem) {
	const char *problem;
	pid_t pid;
	int r;

	*s = TOPOLOGY_NONE;
	s->hooks = *hooks;
	s->topology = xstrdup(spec->topology);
	r = ledger_file_open(&s->ledger_file, s->topology, &s->ledger, &pid, &s->n_damaged);
	r = check_source(s, source, r, ret_problem);
	if (r < 0) {
		*ret_problem = *ret_problem ? *ret_problem : ledger_problem(s->topology, r, pid);
		return r;
	}
	r = netns_check(&problem);
	if (r < 0) {
		*ret_problem = own_dir_problem(r, problem);
		return r;
	}
	r = open_kernel(s, ret_problem);
	if (r == 0)
		start_reconciler(s, spec);
	return r;
}

int topology_open(struct topology *s, struct spec *spec, const struct topology_source *source,
		  const struct topology_hooks *hooks, char **ret_problem) {
	int r = topology_open_once(s, spec, source, hooks, ret_problem);

	s->ledger_file.of_daemon = r == 0;
	if (r == 0)
		r = open_watch(s, ret_problem);
	if (r == 0)
		r = open_attachments(s, ret_problem);
	if (r == 0) {
		topology_watch_declared(s);
		s->kernel->ops->hold(s->kernel);
	}
	return r;
}

int topology_open_to_scan(struct topology *s, struct spec *spec, const struct topology_source *source, char **ret_problem) {
	int r;

	*s = TOPOLOGY_NONE;
	s->topology = xstrdup(spec->topology);
	r = ledger_file_read(s->topology, &s->ledger);
	if (r < 0) {
		*ret_problem = ledger_problem(s->topology, r, 0);
		return r;
	}
	*ret_problem = source_problem(s, source, &s->ledger);
	if (*ret_problem)
		return -EEXIST;
	r = open_kernel(s, ret_problem);
	if (r == 0)
		start_reconciler(s, spec);
	return r;
}

int topology_close(struct topology *s) {
	int compacted = 0, closed;

	if (s->reconciler && !s->ledger.n) /* may have failed before; an empty ledger would keep the directory */
		compacted = ledger_file_compact(&s->ledger_file, &s->ledger);
	attachments_free(s->attachments);
	reconciler_free(s->reconciler);
	watch_free(s->watch);
	kernel_free(s->kernel);
	ledger_done(&s->ledger);
	closed = ledger_file_close(&s->ledger_file, true);
	free(s->topology);
	*s = TOPOLOGY_NONE;
	return compacted < 0 ? compacted : closed;
}

/* ---- working ---- */

void topology_dispatch(struct topology *s) {
	hear(s);
	if (s->attachments) /* before the pass: objects lost with a namespace are not drift */
		attachments_dispatch(s->attachments);
	reconciler_pass(s->reconciler);
	if (s->watch)
		watch_if_failed(s);
}

/* Waits for an event, or until the reconciler wants to be called. */
static int await(struct topology *s, uint64_t limit, uint64_t tell_usec) {
	struct pollfd p = { .fd = watch_fd(s->watch), .events = POLLIN };
	uint64_t t = now_monotonic(), due = MIN(reconciler_due(s->reconciler), MAX(limit, t + AWAIT_USEC));
	uint64_t listen = reconciler_listen_usec(s->reconciler);
	bool deaf = listen > t;

	due = deaf ? MIN(due, listen) : due;
	if (s->hooks.waits && tell_usec > t)
		due = MIN(due, tell_usec);
	uint64_t left = due > t ? due - t : 0;
	struct timespec timeout = { .tv_sec = (time_t)(left / 1000000), .tv_nsec = (long)(left % 1000000) * 1000 };

	return ppoll(&p, deaf ? 0 : 1, &timeout, NULL) < 0 && errno != EINTR ? -errno : 0;
}

int topology_settle(struct topology *s) {
	uint64_t begun = now_monotonic(), limit = begun + SETTLE_LIMIT_USEC;
	int failures = 0, passes = 0, r;

	for (topology_dispatch(s);; topology_dispatch(s)) {
		size_t tries = reconciler_obstructed(s->reconciler, &r);

		if (tries == 0 && reconciler_settled(s->reconciler))
			return 0;
		if (tries >= SCAN_TRIES)
			return r;
		if (passes++ >= SETTLE_PASSES && now_monotonic() >= limit)
			return tries ? r : -ETIME;
		if (s->hooks.waits && now_monotonic() >= begun + TELL_USEC)
			s->hooks.waits(s->hooks.userdata);
		r = s->watch ? await(s, limit, begun + TELL_USEC) : listen_to_all(s);
		failures = r < 0 ? failures + 1 : 0;
		if (failures >= SCAN_TRIES)
			return r;
	}
}
