/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One turn of the loop reads all events that have arrived and then makes a single pass. So a flood of events costs few
 * passes, and the first event after a quiet time is handled at once.
 *
 * One timer serves everything that waits for a time: the reconciler's retries, the journal's summaries, the periodic scan,
 * the end of a pause.
 *
 * A reload is over when the network was verified, when only retries are left, or when the file was refused. Until then its
 * callers wait. If another reload is requested meanwhile, the file is read again, and both callers get the same answer. A
 * resume waits in the same way. During a pause a reload is over as soon as the file is accepted; its changes are made
 * afterwards.
 *
 * A pause has a limit and ends by itself. It exists only in memory: a restarted daemon enforces the file, because it can
 * be ready only after that.
 */
#include "run/loop_private.h"

#include <grp.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include "run/event_json.h"
#include "run/journal.h"
#include "run/messages.h"
#include "run/notify.h"
#include "files/privilege.h"
#include "kernel/named_netns.h"

enum {
	EXTEND_USEC = 30 * 1000 * 1000,      /* how much more time a start, reload or stop asks for when it makes progress */
	EXTEND_AGAIN_USEC = 5 * 1000 * 1000, /* how often a start asks for it while it only waits */
	ATTACH_TOGETHER_USEC = 5 * 1000,     /* the longest wait for more calls, so that one pass serves all of them */
	ATTACH_USEC = 2 * 1000 * 1000,       /* how long a starting container waits for its network */
	PROGRESS_USEC = 250 * 1000,          /* between two events of progress in a stream, and before the first */
};

/* ---- reports ---- */

static void occurred(void *userdata, const struct occurrence *occurrence) {
	struct loop *l = userdata;

	journal_occurrence(occurrence, now_monotonic());
	status_note(&l->status, occurrence);
	if (control_has_streams(l->control))
		control_broadcast(l->control, event_occurrence(occurrence));
}

/* An event about the daemon itself, for `topod watch`. */
static void stream(struct loop *l, const char *type, const char *text) {
	if (control_has_streams(l->control))
		control_broadcast(l->control, event_of(type, text));
}

/* Work that takes less than PROGRESS_USEC causes no event of progress. */
static void stream_progress(struct loop *l, size_t n_done, size_t n_all) {
	uint64_t now = now_monotonic();

	if (l->progress_usec && now < l->progress_usec)
		return;
	if (l->progress_usec && control_has_streams(l->control))
		control_broadcast(l->control, event_progress(n_done, n_all));
	l->progress_usec = now + PROGRESS_USEC;
}

static void progress(void *userdata, size_t n_done, size_t n_all) {
	struct loop *l = userdata;

	notify_alive(now_monotonic());
	stream_progress(l, n_done, n_all);
	if (l->ready && !l->reloading && !l->stopping)
		return;
	notify_extend(EXTEND_USEC);
	if (l->stopping)
		return;
	notify_status("Converging: %zu of %zu changes", n_done, n_all);
	free(TAKE_PTR(l->sentence));
}

json_t *loop_state(const struct loop *l) {
	_cleanup_text_ struct text sentence = {}, reason = {};

	status_sentence(&l->status, l->session.reconciler, &sentence);
	status_reason(l->session.reconciler, &reason);
	return event_state(text_str(&sentence), text_str(&reason));
}

/* Sends STATUS= if it has changed: then it returns true. READY=1 is always sent, because it ends a reload. */
static bool report_status(struct loop *l, bool ready) {
	struct text sentence = {};
	bool changed;

	status_sentence(&l->status, l->session.reconciler, &sentence);
	changed = !streq_ptr(l->sentence, text_str(&sentence));
	if (ready)
		notify_ready("%s", text_str(&sentence));
	else if (changed)
		notify_status("%s", text_str(&sentence));
	free(l->sentence);
	l->sentence = text_take(&sentence);
	return changed;
}

static void answer_attached(struct loop *l) {
	uint64_t now = now_monotonic();
	size_t n = 0;

	vec_foreach(attaching, &l->attaching) {
		bool verified = reconciler_is_verified(l->session.reconciler, attaching->ns);

		if (verified || loop_paused(l) || now >= attaching->until_usec) {
			control_reply(attaching->call, json_pack("{s:b}", "verified", verified));
			free(attaching->ns);
		} else {
			l->attaching.items[n++] = *attaching;
		}
	}
	l->attaching.n = n;
}

/* After each pass: reports the state that was reached, and answers the calls that waited for it. */
static void conclude(struct loop *l) {
	bool over = loop_paused(l) || reconciler_settled(l->session.reconciler), ready = false, changed;
	struct reconciler_status now;

	reconciler_status(l->session.reconciler, &now);
	answer_attached(l);
	changed = status_phase(&l->status, now.phase);
	l->progress_usec = 0;
	if (!l->ready)
		ready = l->ready = now.phase == PHASE_CONVERGED;
	if (l->reloading && over) {
		l->reloading = false;
		ready = l->ready;
		status_reloaded(&l->status, NULL);
		stream(l, "reloaded",
		       loop_paused(l) ? "the file was read again and takes effect when the pause ends"
				      : "the file was read again and is in force");
	}
	/* While it is converging, waiting callers also get a new reason. */
	changed |= report_status(l, ready) && now.phase == PHASE_CONVERGING;
	if (changed && control_has_streams(l->control))
		control_broadcast(l->control, loop_state(l));
	if (!over)
		return;
	vec_foreach(call, &l->waiting)
		control_reply(*call, json_pack("{s:o}", "status", status_json(&l->status, l->session.reconciler)));
	vec_clear(&l->waiting);
}

/* systemd's time limit for a start is meant for one that hangs. A daemon that has done what it can, and waits for or retries
 * the rest, must not be killed: it asks for more time as long as the loop runs. */
static void extend_start(struct loop *l) {
	uint64_t now = now_monotonic();

	if (l->ready || now < l->extend_usec)
		return;
	notify_extend(EXTEND_USEC);
	l->extend_usec = now + EXTEND_AGAIN_USEC;
}

/* ---- the timer ---- */

/* While events must not be read, they must not wake the loop either. */
static int listen_later(struct loop *l, uint64_t *due) {
	uint64_t listen = reconciler_listen_usec(l->session.reconciler);
	bool later = listen > now_monotonic();

	*due = later ? MIN(*due, listen) : *due;
	return sd_event_source_set_enabled(l->watch, later ? SD_EVENT_OFF : SD_EVENT_ON);
}

static int set_timer(struct loop *l) {
	uint64_t due = MIN(reconciler_due(l->session.reconciler), MIN(journal_due(), l->periodic_usec));
	int r;

	due = MIN(due, l->ready ? UINT64_MAX : l->extend_usec);
	vec_foreach(attaching, &l->attaching)
		due = MIN(due, attaching->until_usec);
	due = MIN(due, l->attached_usec ? l->attached_usec : UINT64_MAX);
	due = MIN(due, loop_paused(l) ? l->status.paused_until_usec : UINT64_MAX);
	r = listen_later(l, &due);
	if (r >= 0)
		r = sd_event_source_set_time(l->timer, due);
	return r < 0 ? r : sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
}

/* ---- pauses ---- */

bool loop_paused(const struct loop *l) {
	return l->status.paused_until_usec != 0;
}

int loop_pause(struct loop *l, uint64_t usec, const char *by) {
	_cleanup_text_ struct text span = {};
	_cleanup_free_ char *text = NULL;

	report_duration(usec, &span);
	reconciler_pause(l->session.reconciler);
	l->status.paused_until_usec = now_monotonic() + usec;
	text = xasprintf("paused for %s by %s; nothing is changed until then", text_str(&span), by);
	journal_message(LOG_NOTICE, TOPOD_MESSAGE_PAUSED, "%s", text);
	stream(l, "paused", text);
	return loop_turn(l);
}

static void end_pause(struct loop *l, const char *why) {
	_cleanup_free_ char *text = xasprintf("resumed: %s", why);

	reconciler_resume(l->session.reconciler);
	l->status.paused_until_usec = 0;
	journal_message(LOG_NOTICE, TOPOD_MESSAGE_RESUMED, "%s", text);
	stream(l, "resumed", text);
}

int loop_resume(struct loop *l, struct control_call *call) {
	_cleanup_free_ char *by = control_caller(call), *why = xasprintf("asked for by %s", by);

	if (loop_paused(l))
		end_pause(l, why);
	vec_push(&l->waiting, call);
	return loop_turn(l);
}

/* ---- namespaces that something else makes ---- */

int loop_attached(struct loop *l, const char *ns, struct control_call *call) {
	uint64_t now = now_monotonic();

	vec_push(&l->attaching, ((struct attaching){ call, xstrdup(ns), now + ATTACH_USEC }));
	if (!l->attached_usec)
		l->attached_usec = now + ATTACH_TOGETHER_USEC;
	sd_event_source_set_enabled(l->attached, SD_EVENT_ONESHOT);
	return set_timer(l);
}

static int on_attached(sd_event_source *source _unused_, void *userdata) {
	return loop_turn(userdata);
}

/* ---- turns ---- */

int loop_turn(struct loop *l) {
	l->attached_usec = 0;
	sd_event_source_set_enabled(l->attached, SD_EVENT_OFF);
	topology_dispatch(&l->session);
	conclude(l);
	extend_start(l);
	return set_timer(l);
}

/* Clients of the control socket get every other turn, even if events never end. See control_take_turns(). */
static int turn_of(sd_event_source *source, struct loop *l) {
	int r = loop_turn(l);

	return r < 0 ? r : sd_event_source_set_priority(source, CONTROL_PRIORITY);
}

static int on_watch(sd_event_source *source, int fd _unused_, uint32_t events _unused_, void *userdata) {
	return turn_of(source, userdata);
}

static int on_mounts(sd_event_source *source, int fd _unused_, uint32_t events _unused_, void *userdata) {
	struct loop *l = userdata;

	attachments_mounts_changed(l->session.attachments);
	reconciler_mounts_changed(l->session.reconciler);
	return turn_of(source, l);
}

/* Most topologies declare only objects that cause events; then the timer never runs. */
static void arm_periodic(struct loop *l) {
	l->periodic_usec =
		reconciler_has_silent(l->session.reconciler) ? now_monotonic() + l->options->periodic_usec : UINT64_MAX;
}

static int on_timer(sd_event_source *source, uint64_t usec _unused_, void *userdata) {
	struct loop *l = userdata;
	uint64_t now = now_monotonic();

	journal_flush(now);
	if (loop_paused(l) && now >= l->status.paused_until_usec)
		end_pause(l, "its time is over");
	if (now >= l->periodic_usec)
		l->periodic_usec =
			reconciler_dirty_periodic(l->session.reconciler) ? now + l->options->periodic_usec : UINT64_MAX;
	return turn_of(source, l);
}

/* ---- reload ---- */

/* Reports warnings about the file in force that depend on the kernel's state. */
static void log_warnings(struct loop *l) {
	_cleanup_(diags_done) struct diags diags = {};

	vec_foreach(source, &l->loaded->diags.sources)
		diags_add_source(&diags, *source);
	topology_warn(&l->session, &diags);
	journal_diags(&diags);
}

/* Reads the file again. False if it is refused for any reason; then ret->diags has an error. */
bool loop_read_again(struct loop *l, struct loaded_spec *ret) {
	const char *topology = l->session.topology;

	if (!spec_file_load(l->options->path, l->options->flags, ret))
		return false;
	if (streq(ret->spec.topology, topology))
		return true;
	diag_error(&ret->diags, (struct position){},
		   "the file now names the topology '%s', but '%s' is running: the name marks what topod "
		   "owns, and cannot be changed while it runs",
		   ret->spec.topology, topology);
	return false;
}

static const struct diag *first_error(const struct diags *diags) {
	vec_foreach(diag, &diags->list)
		if (diag->severity == SEVERITY_ERROR)
			return diag;
	return NULL;
}

void loop_answer_refused(struct control_call *call, const struct loaded_spec *fresh) {
	_cleanup_free_ char *text = diags_format(&fresh->diags, false);

	control_error(call, "org.topod.SpecRefused",
		      json_pack("{s:s, s:o}", "diagnostics", text, "check", report_check_json(fresh->name, &fresh->diags)));
}

static void refuse(struct loop *l, const struct loaded_spec *fresh, struct control_call *call) {
	const struct diag *first = first_error(&fresh->diags);
	_cleanup_free_ char *line = first ? diag_format_line(&fresh->diags, first) : NULL;

	journal_log(LOG_ERR, "%s was refused (%zu error%s); the previous file stays in force", fresh->name,
		    fresh->diags.n_errors, fresh->diags.n_errors == 1 ? "" : "s");
	status_reloaded(&l->status, line ? line : "it could not be read");
	stream(l, "refused", l->status.reload_error);
	if (call)
		loop_answer_refused(call, fresh);
	/* If an earlier reload is still being worked on, both end with it. */
	report_status(l, l->ready && !l->reloading);
}

static void take(struct loop *l, struct loaded_spec *fresh, struct control_call *call) {
	int r = topology_note_source(&l->session, fresh);

	if (r < 0)
		journal_log(LOG_WARNING, "the names of its files cannot be recorded in " TOPOD_RUN_DIR ": %s", strerror(-r));
	reconciler_reload(l->session.reconciler, &fresh->spec);
	topology_watch_declared(&l->session);
	arm_periodic(l);
	loaded_spec_done(l->loaded);
	*l->loaded = *fresh;
	*fresh = (struct loaded_spec){};
	l->reloading = true;
	log_warnings(l);
	if (call)
		vec_push(&l->waiting, call);
}

int loop_reload(struct loop *l, struct control_call *call) {
	_cleanup_loaded_spec_ struct loaded_spec fresh = {};

	if (l->ready)
		notify_reloading(now_monotonic());
	bool good = loop_read_again(l, &fresh);
	journal_diags(&fresh.diags);
	if (good)
		take(l, &fresh, call);
	else
		refuse(l, &fresh, call);
	return loop_turn(l);
}

/* ---- signals ---- */

static int on_reload(sd_event_source *source _unused_, const struct signalfd_siginfo *info _unused_, void *userdata) {
	return loop_reload(userdata, NULL);
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info _unused_, void *userdata _unused_) {
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

/* Another topod takes over: units/topod@.service sends this signal instead of SIGTERM at a restart. */
static int on_hand_over(sd_event_source *source, const struct signalfd_siginfo *info _unused_, void *userdata) {
	struct loop *l = userdata;

	l->keep = true;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

/* ---- start and end ---- */

static int add_signals(struct loop *l) {
	int r = sd_event_add_signal(l->event, NULL, SIGHUP, on_reload, l);

	if (r >= 0)
		r = sd_event_add_signal(l->event, NULL, SIGTERM, on_stop, l);
	if (r >= 0)
		r = sd_event_add_signal(l->event, NULL, SIGINT, on_stop, l);
	if (r >= 0)
		r = sd_event_add_signal(l->event, NULL, SIGUSR1, on_hand_over, l);
	return r < 0 ? r : 0;
}

static void warn_if_closed(int r) {
	if (r > 0)
		journal_log(LOG_WARNING,
			    "cannot give the control socket to the group '%s'; only topod's own user can query the status",
			    CONTROL_GROUP);
}

static int add_control(struct loop *l) {
	const struct group *group = getgrnam(CONTROL_GROUP);
	int r;

	l->service = loop_service(l);
	r = control_listen(&l->control, l->event, l->session.ledger_file.dir_fd, group ? group->gr_gid : CONTROL_NOBODY,
			   &l->service);
	warn_if_closed(r);
	if (r < 0)
		return r;
	control_take_turns(l->control, l->watch);
	control_take_turns(l->control, l->timer);
	control_take_turns(l->control, l->mounts);
	control_take_turns(l->control, l->attachments);
	return 0;
}

/* If somebody unmounts a name in /run/netns, the namespace lives on, because we hold it: nothing else reports that. */
static int watch_mounts(struct loop *l) {
	int fd = netns_watch_mounts();
	int r = fd < 0 ? fd : sd_event_add_io(l->event, &l->mounts, fd, EPOLLPRI, on_mounts, l);

	if (r < 0) {
		closep(&fd);
		return r;
	}
	return sd_event_source_set_io_fd_own(l->mounts, true);
}

static int add_sources(struct loop *l) {
	int r = sd_event_new(&l->event);

	if (r >= 0)
		r = add_signals(l);
	if (r >= 0)
		r = sd_event_add_io(l->event, &l->watch, watch_fd(l->session.watch), EPOLLIN, on_watch, l);
	if (r >= 0)
		r = watch_mounts(l);
	if (r >= 0) /* a turn dispatches them */
		r = sd_event_add_io(l->event, &l->attachments, attachments_fd(l->session.attachments), EPOLLIN, on_watch, l);
	if (r >= 0)
		r = sd_event_add_defer(l->event, &l->attached, on_attached, l);
	if (r >= 0)
		r = sd_event_source_set_priority(l->attached, CONTROL_PRIORITY + 1);
	if (r >= 0)
		r = sd_event_source_set_enabled(l->attached, SD_EVENT_OFF);
	/* Due at once: the first pass. */
	if (r >= 0)
		r = sd_event_add_time(l->event, &l->timer, CLOCK_MONOTONIC, 0, 1, on_timer, l);
	if (r >= 0)
		r = sd_event_set_watchdog(l->event, true);
	if (r >= 0)
		r = add_control(l);
	if (r < 0)
		journal_log(LOG_ERR, "cannot set up the event loop: %s", strerror(-r));
	return r < 0 ? r : 0;
}

/* If another topod has taken the lock meanwhile, this one ends: two on one topology would be worse. */
static void taken_away(void *userdata, int r) {
	struct loop *l = userdata;

	if (r >= 0 && l->control)
		warn_if_closed(control_restore(l->control));
	if (r != -EALREADY)
		return;
	journal_log(LOG_ERR, "%s/%s was removed, and another topod now manages the topology; exiting", TOPOD_RUN_DIR,
		    l->session.topology);
	sd_event_exit(l->event, r);
}

static int open_all(struct loop *l) {
	const struct topology_hooks hooks = {
		.userdata = l,
		.occurred = occurred,
		.progress = progress,
		.asked = l->options->asked,
		.taken_away = taken_away,
	};
	_cleanup_free_ char *problem = NULL;
	const struct topology_source source = topology_source(l->loaded, l->options->replaces);
	int r;

	journal_topology(l->loaded->spec.topology);
	r = topology_open(&l->session, &l->loaded->spec, &source, &hooks, &problem);
	if (r < 0) {
		journal_log(LOG_ERR, "%s", problem);
		return r;
	}
	if (l->session.n_damaged)
		journal_log(LOG_WARNING, "%zu lines of the ledger could not be read; objects they recorded may remain",
			    l->session.n_damaged);
	arm_periodic(l);
	log_warnings(l);
	return add_sources(l);
}

static int stop(struct loop *l) {
	struct spec nothing;
	struct reconciler_status status;
	int r;

	bool removes = reconciler_spec(l->session.reconciler)->remove_on_stop && !l->keep;

	l->stopping = true;
	control_end_streams(l->control, event_of("stopping", removes ? "stopping; the topology is removed"
								     : "stopping; the network stays as it is"));
	if (!removes) {
		notify_stopping("Stopping; the network stays as it is");
		return 0;
	}
	notify_stopping("Removing the topology");
	reconciler_resume(l->session.reconciler);
	spec_empty(&nothing, l->session.topology);
	reconciler_reload(l->session.reconciler, &nothing);
	topology_watch_declared(&l->session);
	r = topology_settle(&l->session);
	reconciler_status(l->session.reconciler, &status);
	if (r == 0 && status.phase == PHASE_CONVERGED)
		return 0;
	journal_log(LOG_ERR, "not everything could be removed%s%s", r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
	return r < 0 ? r : -EIO;
}

static void close_all(struct loop *l) {
	int r;

	vec_foreach(call, &l->waiting)
		control_error(*call, "org.topod.Stopping", NULL);
	vec_done(&l->waiting);
	vec_foreach(attaching, &l->attaching) {
		control_error(attaching->call, "org.topod.Stopping", NULL);
		free(attaching->ns);
	}
	vec_done(&l->attaching);
	control_free(l->control);
	r = topology_close(&l->session);
	if (r < 0)
		journal_log(LOG_WARNING, "the topology's directory in " TOPOD_RUN_DIR " cannot be removed: %s",
			    strerror(-r));
	journal_flush(UINT64_MAX);
	status_done(&l->status);
	sd_event_source_unref(l->timer);
	sd_event_source_unref(l->watch);
	sd_event_source_unref(l->mounts);
	sd_event_source_unref(l->attachments);
	sd_event_source_unref(l->attached);
	sd_event_unref(l->event);
	free(l->sentence);
}

int loop_run(const struct loop_options *options, struct loaded_spec *loaded) {
	struct loop_options own = *options;
	struct loop l = { .options = &own, .session = TOPOLOGY_NONE, .loaded = loaded };
	int r;

	own.periodic_usec = own.periodic_usec ? own.periodic_usec : LOOP_PERIODIC_USEC;
	status_init(&l.status, options->path);
	r = open_all(&l);
	if (r == 0) {
		r = privilege_drop(); /* everything that needs more is open */
		if (r < 0)
			journal_log(LOG_WARNING, "cannot drop unneeded privileges: %s", strerror(-r));
		notify_status("Converging");
		r = sd_event_loop(l.event);
		if (r < 0 && r != -EALREADY) /* taken_away() has reported it */
			journal_log(LOG_ERR, "the event loop failed: %s", strerror(-r));
	}
	if (r == 0)
		r = stop(&l);
	close_all(&l);
	return r;
}
