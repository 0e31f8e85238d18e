/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold at rest, whatever happened before.
 */
#pragma once

#include "run.h"

/* What is declared is there, but for what something foreign is in the way of; nothing of topod's is there that is not
 * declared; the ledger says so; another plan would be empty; nothing foreign was touched. */
void check_rest(struct run *run);

/* Nothing of topod's is left, and its ledger is gone. */
void check_gone(struct run *run);

/* May the object be wrong? */
bool check_is_excused(struct run *run, const struct object *object);

/* Does the status say of the object that it is in that state, with an error that has these words in it? */
bool check_is_told(struct run *run, const struct object *object, const char *state, const char *words);

/* Is something foreign in its place, or the place itself not there? */
bool check_in_the_way(struct run *run, const struct object *object);

/* Is it waiting for something outside of topod, by what there is (check_waiting.c)? */
bool check_may_wait(struct run *run, const struct object *object);

/* … so that nothing can be done about it yet? (An address that waits for a carrier is there.) */
bool check_is_held_up(struct run *run, const struct object *object);

/* Is the object as declared? */
bool check_is_well(struct run *run, const struct object *object);
