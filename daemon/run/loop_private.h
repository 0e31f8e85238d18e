/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the daemon's loop (loop.c) and the methods of its control socket (loop_methods.c), and by them only.
 */
#pragma once

#include <systemd/sd-event.h>

#include "control/control.h"
#include "run/loop.h"
#include "session/topology.h"
#include "run/status.h"

/* A call of Attach that is not answered yet. */
struct attaching {
	struct control_call *call;
	char *ns;
	uint64_t until_usec; /* CLOCK_MONOTONIC */
};

struct loop {
	const struct loop_options *options;
	sd_event *event;
	sd_event_source *timer, *watch, *mounts, *attachments;
	struct topology session;
	struct loaded_spec *loaded; /* the file in force; the reconciler's positions are in it */
	struct control *control;
	struct control_service service;
	uint64_t progress_usec; /* when progress may be streamed next, CLOCK_MONOTONIC; 0: no long work is going on */
	struct status status;
	vec(struct control_call *) waiting; /* calls of Reload and Resume that are not answered yet */
	vec(struct attaching) attaching;
	sd_event_source *attached; /* a turn for attached namespaces, after the calls that have arrived … */
	uint64_t attached_usec;    /* … or at this time, CLOCK_MONOTONIC; 0: there are none */
	bool ready;                /* READY=1 was sent */
	uint64_t extend_usec;      /* when to ask for more time to start again, until READY=1 is sent; CLOCK_MONOTONIC */
	bool reloading;            /* a new file is in force and not verified yet */
	bool stopping;
	bool keep;              /* leave the network as it is at the end, regardless of the file */
	uint64_t periodic_usec; /* when the next periodic scan is due, CLOCK_MONOTONIC */
	char *sentence;         /* the latest STATUS= */
};

struct control_service loop_service(struct loop *l);

/* One turn: reads all events, makes one pass and reports the result. 0 or -errno. */
int loop_turn(struct loop *l);

/* Reads the file again. call is answered when that is done; NULL for a signal. */
int loop_reload(struct loop *l, struct control_call *call);

/* Loads the file. False if it is refused for any reason; then ret->diags has an error. */
bool loop_read_again(struct loop *l, struct loaded_spec *ret);
void loop_answer_refused(struct control_call *call, const struct loaded_spec *fresh);
/* Answers with what a reload would change (loop_plan.c). */
void loop_plan(struct loop *l, struct control_call *call, bool explains);

/* The namespace was attached; answers the call when it is verified, or after a limit. */
int loop_attached(struct loop *l, const char *ns, struct control_call *call);

/* The state as an event. */
json_t *loop_state(const struct loop *l);

bool loop_paused(const struct loop *l);
/* Changes nothing for usec from now on; this replaces an earlier pause. by: who asked for it, for the journal. */
int loop_pause(struct loop *l, uint64_t usec, const char *by);
/* Ends the pause; the call is answered when everything was scanned. */
int loop_resume(struct loop *l, struct control_call *call);
