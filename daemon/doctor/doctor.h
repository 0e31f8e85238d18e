/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Examines the machine for what gets in the way of a topology. It prints nothing and changes nothing.
 */
#pragma once

#include "language/spec.h"

enum finding_severity {
	FINDING_NOTE,    /* good to know */
	FINDING_WARNING, /* may get in the way */
	FINDING_ERROR,   /* something will fail */
};

/* All texts are in the arena of the findings. */
struct finding {
	enum finding_severity severity;
	const char *check;        /* its name, the same in each version: "kernel" */
	const char *what;         /* what was found, a sentence without a full stop */
	const char *effect;       /* what it does */
	const char *mend;         /* the command or the line that changes it; or NULL */
	struct position position; /* of what in the file is concerned; line 0: nothing */
};

struct findings {
	struct arena arena;
	vec(struct finding) list;
	size_t count[FINDING_ERROR + 1]; /* by severity */
};

/* Runs all checks. spec: the topology for which, or NULL. Call netns_init() before. Free with findings_done(). */
void doctor_examine(struct findings *ret, const struct spec *spec);
void findings_done(struct findings *findings);
