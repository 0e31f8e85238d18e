/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold when nothing is left to do, regardless of the history.
 */
#pragma once

#include "run.h"

/* Everything declared exists, unless something foreign is in the way; nothing of topod's exists that is not declared; the
 * ledger agrees; another plan would be empty; nothing foreign was changed. */
void check_rest(struct run *run);

/* Nothing of topod's is left, and its ledger is gone. */
void check_gone(struct run *run);

/* May the object be wrong? */
bool check_is_excused(struct run *run, const struct object *object);

/* Does the status report this state of the object, with an error that contains these words? */
bool check_is_told(struct run *run, const struct object *object, const char *state, const char *words);

/* Is something foreign in its place, or does the place not exist? */
bool check_in_the_way(struct run *run, const struct object *object);

/* Is the namespace made by something else, and absent? */
bool check_is_absent(struct run *run, const char *ns);
/* May the object wait for something outside topod, given the state of the world (check_waiting.c)? */
bool check_may_wait(struct run *run, const struct object *object);

/* … and does not exist yet because of that? (An address that waits for a carrier does exist.) */
bool check_is_held_up(struct run *run, const struct object *object);

/* Is the object as declared? */
bool check_is_well(struct run *run, const struct object *object);
