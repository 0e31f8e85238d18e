/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the check*.c files.
 */
#pragma once

#include "check.h"

const char *check_id(const struct object *object, char buf[256]);

/* Reads a namespace of the world as a scan would; the caller calls state_done(). */
void check_see(struct run *run, const char *ns, struct state *ret);

/* Does the ledger say that topod made the object? */
bool check_is_made(struct run *run, const struct object *object);

/* Has somebody changed the link's mark and its MAC address, or one of them before the other was set? Then topod cannot
 * recognise it. */
bool check_is_stranger(struct run *run, const struct w_link *link, const char *ns, const char *name);

/* A route of the world with the same identity. */
struct w_route check_route_like(const struct route *r);

/* Is a foreign route used instead of this one of topod's? */
bool check_is_hidden(struct run *run, const struct object *object);

/* Does the other topology declare it differently, or does the link or namespace belong to that topology? */
bool check_is_disputed(struct run *run, const struct object *object);
