/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One topology at work: its lock and ledger, the kernel, the events, and the reconciler that ties them together.
 *
 * What `run`, `apply`, `down` and `plan` have in common. It owns the order in which the parts are opened, and knows
 * neither the command line nor where words go: what went wrong is told to the caller as a sentence.
 */
#pragma once

#include "reconcile/reconcile.h"
#include "kernel/events.h"
#include "files/spec_file.h"

/* What a topology is made from. */
struct topology_source {
	const struct loaded_spec *loaded; /* its files; the spec may have been taken out of it. NULL: none is known */
	bool named;                       /* they say the topology's name themselves: whoever has it means this topology */
	bool replaces;                    /* whatever it was made from before is given up */
};

/* Of a spec that was just loaded. */
struct topology_source topology_source(const struct loaded_spec *loaded, bool replaces);

struct topology_hooks {
	void *userdata;
	void (*occurred)(void *userdata, const struct occurrence *occurrence); /* may be NULL */
	void (*progress)(void *userdata, size_t n_done, size_t n_all);         /* may be NULL */
	void (*taken_away)(void *userdata, int r); /* something was, out of the topology's folder; r is what
						    * ledger_file_restore() said; may be NULL */
	size_t event_buffer;                       /* bytes for events that wait, see watch_new(); 0: enough */
};

struct topology {
	char *topology;
	struct ledger ledger;
	struct ledger_file ledger_file;
	size_t n_damaged; /* lines of the ledger that could not be read */
	struct kernel *kernel;
	struct watch *watch; /* NULL: nothing is listened to */
	struct reconciler *reconciler;
	struct topology_hooks hooks;
	bool taken_away;      /* something was, out of the topology's folder, and is not there again yet … */
	bool taken_away_told; /* … which was told */
};

/* Closes to nothing without having been opened. */
#define SESSION_NONE ((struct topology){ .ledger_file = LEDGER_FILE_NONE })

/* Opens what is needed to work on the spec (taken over): the events are heard before the first look, so that nothing is
 * missed. The session must not move afterwards. 0, or -errno and a sentence that the caller frees; -EALREADY where another
 * topod has the topology, -EEXIST where it was made from another file, which only has its file name in common with this one.
 * The ledger notes the source. */
int topology_open(struct topology *s, struct spec *spec, const struct topology_source *source,
		  const struct topology_hooks *hooks, char **ret_problem);

/* The same for converging once: nothing is listened to until something has to be waited for. To be heard costs the
 * kernel a search among all namespaces for each of the many events that building makes. */
int topology_open_once(struct topology *s, struct spec *spec, const struct topology_source *source,
		       const struct topology_hooks *hooks, char **ret_problem);

/* The same for looking only: no lock, no events, and nothing is made. */
int topology_open_to_look(struct topology *s, struct spec *spec, const struct topology_source *source, char **ret_problem);

/* Adds warnings about what the kernel shows to be hardly meant in the file in force. Scans the namespaces where that can be. */
void topology_warn(struct topology *s, struct diags *diags);

/* Other files, after a reload: notes them. 0 or -errno. */
int topology_note_source(struct topology *s, const struct loaded_spec *loaded);

/* Everything that is readable is read, then one pass. */
void topology_dispatch(struct topology *s);

/* Works until all is done and verified that can be. 0; -errno where looking fails again and again; -ETIME where
 * something else changes the network without end. */
int topology_settle(struct topology *s);

/* Other files and forwarding tables may be declared now: to be called after a reload of the reconciler. */
void topology_watch_declared(struct topology *s);

/* Gives everything back; a folder without a ledger is removed. 0; -errno where that one could not be. */
int topology_close(struct topology *s);
#define _cleanup_session_ _cleanup_(topology_close)

/* CLOCK_MONOTONIC and CLOCK_REALTIME in microseconds. */
uint64_t now_monotonic(void);
uint64_t now_realtime(void);

/* "cannot look at the kernel: Operation not permitted (this needs root)": the caller frees. */
char *topology_problem(const char *what, int r);
