/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of types (type*.c) share. */
#pragma once

#include "model/field.h"

/* The scalar's text; NULL after an error if other YAML readers would not read it as a text. */
const char *type_parse_word(struct parse *p, const struct field *field, const struct node *node);

/* Adds the error "'mtu' takes an integer, not 'x', for example …"; example may be NULL. Returns false. */
bool type_wrong(struct parse *p, const struct field *field, const struct node *node, const char *example);

/* Of types whose value is a uint32_t. */
bool type_u32_equal(const void *a, const void *b);
void type_u32_put(struct nl_writer *w, const struct field *field, const void *value);
bool type_u32_get(struct arena *arena, const struct field *field, const struct nlattr *attr, void *value);
