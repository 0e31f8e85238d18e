/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Warnings about what is legal but probably a mistake: the kernel accepts it, and the network does not do what its
 * author intended.
 *
 * There is no warning where the file cannot know: behind an interface that topod does not make there may be any host.
 * Everything here takes O(n log n) of the file's size.
 */
#pragma once

#include "model/state.h"

/* Adds the warnings for a desired state, which must have no errors. */
void meaning_check(const struct state *state, struct diags *diags);

/* Adds the warnings for which the kernel's state is needed, with the positions of declared objects. observed: whole
 * namespaces. */
void meaning_seen(const struct state *desired, const struct state *observed, struct diags *diags);
/* Could meaning_seen() find something in this namespace? */
bool meaning_needs_scan(const struct ns_state *desired);
