/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Examines the machine for problems for a topology. It prints nothing and changes nothing.
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
	const char *effect;       /* its effect */
	const char *mend;         /* the command or the line that corrects it; or NULL */
	struct position position; /* of the affected part of the file; line 0: none */
};

struct findings {
	struct arena arena;
	vec(struct finding) list;
	size_t count[FINDING_ERROR + 1]; /* by severity */
};

/* Runs all checks. spec: for this topology; or NULL. Call netns_init() before. Free with findings_done(). */
void doctor_examine(struct findings *ret, const struct spec *spec);
void findings_done(struct findings *findings);
