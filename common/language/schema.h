/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The language as a JSON Schema (draft 2020-12) for editors, as a reference page, and as a manual page; all from the
 * tables of fields and sections that also read the file.
 */
#pragma once

#include <jansson.h>

#include "base/text.h"

/* A new value, to be released by the caller (json_decref()). */
json_t *schema_json(void);

/* The page docs/reference.md. */
void schema_markdown(struct text *out);

/* The keys for the manual page topod.yaml(5), in the format of scdoc(5). */
void schema_man(struct text *out);
