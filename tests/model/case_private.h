/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the files case*.c only: random choices, and the functions that they share.
 */
#pragma once

#include "case.h"

uint64_t case_draw(struct c_case *c, uint64_t n);
bool case_chance(struct c_case *c, unsigned percent);
#define case_pick(c, list) ((list)->items[case_draw(c, (list)->n)])

/* A part in one version or, mostly, in both; a part in both. */
struct part case_new_part(struct c_case *c);
struct part case_whole_part(struct c_case *c);
/* Draws values for the two versions, mostly the same. */
void case_draw_values(struct c_case *c, const char *const *values, size_t n, const char *ret[VERSIONS]);
struct op *case_add_before(struct c_case *c, enum op_type type, const char *ns, const char *name);
/* The address without its prefix length. */
const char *case_address(struct c_case *c, const struct c_address *a);
/* The text without the quotes that YAML needs. */
const char *case_bare(struct c_case *c, const char *quoted);

/* case_links.c: foreign objects, namespaces, links and their attributes. */
void case_make_links(struct c_case *c);
/* case_routes.c: addresses and routes. */
void case_make_routes(struct c_case *c);
/* case_steps.c: what happens. */
void case_make_steps(struct c_case *c);
void case_make_crashes(struct c_case *c);
