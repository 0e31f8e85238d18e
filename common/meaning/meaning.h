/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Warnings about what is legal but hardly meant: the kernel takes it, and the network does not do what its author thinks.
 *
 * Nothing is said where the file cannot know: beyond an interface that topod does not make there may be any host. All of it
 * takes n log n of the file's size.
 */
#pragma once

#include "model/state.h"

/* The desired state must have no errors. */
void meaning_check(const struct state *state, struct diags *diags);

/* The same of what only the kernel shows, with the places of what is declared. observed: whole namespaces. */
void meaning_seen(const struct state *desired, const struct state *observed, struct diags *diags);
/* Can there be such in this namespace? */
bool meaning_needs_scan(const struct ns_state *desired);
