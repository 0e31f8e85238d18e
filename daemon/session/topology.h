/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One topology at work: its lock and ledger, the kernel, the events, and the reconciler that ties them together.
 *
 * `run`, `apply`, `down` and `plan` share this. It owns the order in which the parts are opened and closed. It knows
 * neither the command line nor where messages go: an error is returned to the caller as a sentence.
 */
#pragma once

#include "attach/attach.h"
#include "reconcile/reconcile.h"
#include "kernel/events.h"
#include "files/clock.h"
#include "files/spec_file.h"

/* The files that a topology is made from. */
struct topology_source {
	const struct loaded_spec *loaded; /* the files; its spec may have been taken. NULL: unknown */
	bool named;                       /* the file contains the topology's name, so it certainly means this topology */
	bool replaces;                    /* the topology may have been made from another file before: --replace */
};

/* The source of a spec that was just loaded. */
struct topology_source topology_source(const struct loaded_spec *loaded, bool replaces);

struct topology_hooks {
	void *userdata;
	void (*occurred)(void *userdata, const struct occurrence *occurrence); /* may be NULL */
	void (*progress)(void *userdata, size_t n_done, size_t n_all);         /* may be NULL */
	/* topology_settle() has been waiting for some time; called again from time to time. May be NULL. */
	void (*waits)(void *userdata);
	void (*asked)(void *userdata, const struct change *change, const char *how); /* may be NULL */
	/* Something was removed from the topology's directory; r is what ledger_file_restore() returned. May be NULL. */
	void (*taken_away)(void *userdata, int r);
	size_t event_buffer; /* bytes for unread events, see watch_new(); 0: the default */
};

struct topology {
	char *topology;
	struct ledger ledger;
	struct ledger_file ledger_file;
	size_t n_damaged; /* lines of the ledger that could not be read */
	struct kernel *kernel;
	struct watch *watch; /* NULL: no events are heard */
	struct reconciler *reconciler;
	struct attachments *attachments; /* NULL: only a daemon attaches namespaces */
	struct topology_hooks hooks;
	bool taken_away;          /* something was removed from the topology's directory and is not restored yet … */
	bool taken_away_reported; /* … which was reported */
};

/* Not open; topology_close() does nothing. */
#define TOPOLOGY_NONE ((struct topology){ .ledger_file = LEDGER_FILE_NONE })

/* Opens everything that is needed to work on the spec, of which it takes ownership, and records the source in the ledger.
 * Events are heard before the first scan, so that none is missed. *s must not move afterwards. 0, or -errno and in
 * *ret_problem a sentence that the caller frees: -EALREADY if another topod manages the topology, -EEXIST if it was made
 * from another file, which only has the same name. */
int topology_open(struct topology *s, struct spec *spec, const struct topology_source *source,
		  const struct topology_hooks *hooks, char **ret_problem);

/* The same, to converge once: it does not listen to events before topology_settle() has to wait for something. With a
 * listener, the kernel has to search all namespaces for each of the many events of a build. */
int topology_open_once(struct topology *s, struct spec *spec, const struct topology_source *source,
		       const struct topology_hooks *hooks, char **ret_problem);

/* The same, only to scan: takes no lock, hears no events, creates nothing. */
int topology_open_to_scan(struct topology *s, struct spec *spec, const struct topology_source *source, char **ret_problem);

/* Adds warnings about probable mistakes that depend on the kernel's state. Scans the namespaces that it needs. */
void topology_warn(struct topology *s, struct diags *diags);

/* Records the files in the ledger, after a reload. 0 or -errno. */
int topology_note_source(struct topology *s, const struct loaded_spec *loaded);

/* Reads all events that have arrived and makes one pass. */
void topology_dispatch(struct topology *s);

/* Works until everything that can be done is done and verified. 0; -errno if scanning keeps failing; -ETIME if something
 * else keeps changing the network. */
int topology_settle(struct topology *s);

/* What is declared with `attach`: see attach.h. */
int topology_attach(struct topology *s, const char *ns, const struct attach_call *call, char **ret_problem);
int topology_detach(struct topology *s, const char *ns);

/* Listens to the events of what the current spec declares. Call it after each reload of the reconciler. */
void topology_watch_declared(struct topology *s);

/* Releases everything, and removes the directory if it has no ledger. 0; -errno if that failed. */
int topology_close(struct topology *s);
#define _cleanup_topology_ _cleanup_(topology_close)

/* "cannot talk to the kernel: Operation not permitted (this needs root)". `what` is the verb phrase. The caller frees. */
char *topology_problem(const char *what, int r);
