/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What type.c and type_address.c share; not for others. */
#pragma once

#include "model/field.h"

/* The scalar's text, but an error for what other YAML readers take for something else; NULL on error. */
const char *type_parse_word(struct parse *p, const struct field *field, const struct node *node);

/* "'mtu' takes an integer, not 'x', for example …"; example may be NULL. Returns false. */
bool type_wrong(struct parse *p, const struct field *field, const struct node *node, const char *example);
