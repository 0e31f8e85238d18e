/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the files fake*.c only: scanning (fake_look.c), carrying out (fake_requests.c) and judging requests (fake_judge.c).
 */
#pragma once

#include "fake.h"

int fake_observe(struct kernel *kernel, const struct scan_request *request, const struct scope *scopes, size_t n,
		 struct state *ret);

/* Finds an object that topod was seen to make, by id; or NULL. */
char **find_made(struct fake *fake, const struct object *object);
void remember_made(struct fake *fake, const struct change *change);
void violate(struct fake *fake, const struct object *object, const char *what);
void judge(struct fake *fake, const struct scan_request *request, bool external, const struct change *change);
void judge_link(struct fake *fake, const struct scan_request *request, const struct w_link *link,
		const struct change *change);
void judge_place(struct fake *fake, const struct scan_request *request, const struct change *change);
/* Judges the namespace of the lower link of a new one. */
void judge_ground(struct fake *fake, const struct scan_request *request, const struct w_ns *ns, const struct object *object);

/* See fake_messages.c. */
int restore_own(struct world *w, struct w_link *link, const struct change *change);
int restore_routes(struct world *w, struct w_link *link, const struct change *change);
int request_raw(struct fake *fake, const struct scan_request *request, const struct change *change);

void ledger_written(struct fake *fake);
int carry_out(struct fake *fake, const struct scan_request *request, struct plan *plan, const struct execute_hooks *hooks,
	      const struct change *change);
