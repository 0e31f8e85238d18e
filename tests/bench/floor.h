/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the parts of the floor program: its verbs, and entering a namespace.
 *
 * Namespaces are named as by iproute2 (/run/netns/NAME), so that the floor can scan, disturb and remove what topod built,
 * and the other way round.
 */
#pragma once

#include "shape.h"

struct options {
	struct shape shape;
	const char *kind; /* of drift */
	unsigned count;   /* how many times to disturb */
	double pause_ms;  /* between two disturbances */
	unsigned threads;
};

/* Opens the namespace by its name; the caller closes it. Ends the program if it does not exist. */
int ns_open(const struct shape *s, unsigned ns);
/* Moves the calling thread there. */
void ns_enter(const struct shape *s, unsigned ns);

/* The requests that build one namespace's part: all except the creation of links. */
struct batch;
void put_end_settings(struct batch *b, const struct end *end, bool up);

/* Each returns the program's exit code. */
int verb_build(const struct options *o);
int verb_down(const struct options *o);
int verb_settle(const struct options *o);
int verb_quiet(const struct options *o);
int verb_observe(const struct options *o);
int verb_check(const struct options *o);
int verb_container(const struct options *o);
int verb_drift(const struct options *o);
int verb_unname(const struct options *o);
int verb_repair(const struct options *o);
