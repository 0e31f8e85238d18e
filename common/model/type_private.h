/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of types (type*.c) share. */
#pragma once

#include "model/field.h"

/* The scalar's text; NULL after an error if other YAML readers would not read it as a text. */
const char *type_parse_word(struct parse *p, const struct field *field, const struct node *node);

/* Adds the error "'mtu' takes an integer, not 'x', for example …"; example may be NULL. Returns false. */
bool type_wrong(struct parse *p, const struct field *field, const struct node *node, const char *example);
