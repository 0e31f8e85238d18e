/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the checks share. */
#pragma once

#include "doctor/doctor.h"

struct doctor {
	struct findings *found;
	const struct spec *spec; /* or NULL */
	const char *check;       /* the name of the running one */
	bool has_rights;         /* to change networks; check_rights() */
};

/* Adds a finding. mend may be NULL. */
void find(struct doctor *d, enum finding_severity severity, const char *what, const char *effect, const char *mend);
/* The same about a place in the file. */
void find_at(struct doctor *d, enum finding_severity severity, struct position position, const char *what,
	     const char *effect, const char *mend);
/* A text that lives as long as the findings. */
#define say(d, ...) arena_printf(&(d)->found->arena, __VA_ARGS__)

/* The first line of a file, in the arena; NULL: there is none. */
const char *first_line(struct doctor *d, const char *path);
/* The number in a file; -1: there is none. */
long long number_in(struct doctor *d, const char *path);

/* The file's first object for which the test is true; NULL: there is none, or no file. */
const struct object *first_of(const struct spec *spec, bool (*test)(const struct object *object));
/* Is it declared under this key? */
bool is_of_section(const struct object *object, const char *key);

/* Namespaces of the file that topod makes. */
size_t count_namespaces(const struct spec *spec);

void check_rights(struct doctor *d);     /* rights.c */
void check_namespaces(struct doctor *d); /* rights.c */
void check_names(struct doctor *d);      /* names.c */
void check_kernel(struct doctor *d);     /* features.c */
void check_firewall(struct doctor *d);   /* firewall.c */
void check_managers(struct doctor *d);   /* others.c */
void check_settings(struct doctor *d);   /* others.c */
void check_limits(struct doctor *d);     /* limits.c */
void check_mtu(struct doctor *d);        /* limits.c */
