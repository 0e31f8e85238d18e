/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon's loop and the methods of its control socket share. For loop.c and loop_methods.c only.
 */
#pragma once

#include <systemd/sd-event.h>

#include "control/control.h"
#include "run/loop.h"
#include "session/topology.h"
#include "run/status.h"

struct loop {
	const struct loop_options *options;
	sd_event *event;
	sd_event_source *timer, *watch, *mounts;
	struct topology session;
	struct loaded_spec *loaded; /* whose file the reconciler's places are in */
	struct control *control;
	struct control_service service;
	uint64_t progress_usec; /* when progress may be streamed next, CLOCK_MONOTONIC; 0: nothing long goes on */
	struct status status;
	vec(struct control_call *) waiting; /* callers that wait for the end of a reload, or for all after a pause */
	bool ready;                         /* READY=1 was said */
	uint64_t extend_usec; /* when more time is asked for next, as long as READY=1 was not said; CLOCK_MONOTONIC */
	bool reloading;       /* a reload was taken and is not verified yet */
	bool stopping;
	bool keep;              /* leave the network as it is at the end, whatever the file says */
	uint64_t periodic_usec; /* when the next periodic look is due, CLOCK_MONOTONIC */
	char *told;             /* the latest sentence for the supervisor */
};

struct control_service loop_service(struct loop *l);

/* One turn: everything that was heard, one pass, and what came of it is told. 0 or -errno. */
int loop_turn(struct loop *l);

/* Reads the file again. call is the caller who waits for the result, or NULL (a signal). */
int loop_reload(struct loop *l, struct control_call *call);

bool loop_paused(const struct loop *l);
/* Changes nothing for so long from now on, whatever was said before. by: who asked for it, for the journal. */
int loop_pause(struct loop *l, uint64_t usec, const char *by);
/* Goes on; the call is answered when everything was looked at. */
int loop_resume(struct loop *l, struct control_call *call);
