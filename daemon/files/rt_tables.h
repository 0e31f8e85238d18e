/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of routing tables, as iproute2 keeps them in rt_tables.
 */
#pragma once

#include "model/field.h"

struct rt_tables {
	struct arena arena;
	vec(struct name_number) list; /* ended by a NULL name */
};

/* Reads what the machine has below /etc and /usr; what is missing or no such file is passed over. */
void rt_tables_read(struct rt_tables *ret);

/* Adds the names in one file's text ("100 blue", comments with #); a name that is there already stays. */
void rt_tables_parse(struct rt_tables *tables, const char *text);

void rt_tables_done(struct rt_tables *tables);
