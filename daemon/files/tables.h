/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of routing tables, as iproute2 keeps them in rt_tables.
 */
#pragma once

#include "model/field.h"

struct tables {
	struct arena arena;
	vec(struct name_number) list; /* ended by a NULL name */
};

/* Reads what the machine has below /etc and /usr; what is missing or no such file is passed over. */
void tables_read(struct tables *ret);

/* Adds the names in one file's text ("100 blue", comments with #); a name that is there already stays. */
void tables_parse(struct tables *tables, const char *text);

void tables_done(struct tables *tables);
