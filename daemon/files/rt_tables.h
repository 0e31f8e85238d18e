/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of routing tables in iproute2's rt_tables files.
 *
 * It owns where these files are and how they are read, and does not know who uses the names. A missing or damaged file
 * is not an error, as for `ip`.
 */
#pragma once

#include "model/field.h"

struct rt_tables {
	struct arena arena;
	vec(struct name_number) list; /* ended by a NULL name */
};

/* Reads all files of the machine. Missing files and unreadable lines are skipped. */
void rt_tables_read(struct rt_tables *ret);

/* Adds the names in one file's text ("100 blue", comments with #). A name that is known already keeps its number. */
void rt_tables_parse(struct rt_tables *tables, const char *text);

void rt_tables_done(struct rt_tables *tables);
