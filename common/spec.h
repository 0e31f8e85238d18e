/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a document to the desired state.
 *
 * The structure of the language (which section holds what) is here; values are read by the field tables. What
 * is left out is filled in (brought up, stable MAC addresses, lo), references are checked, and everything wrong is
 * reported in one run.
 */
#pragma once

#include "state.h"

struct spec {
	struct state state;
	const char *topology;
	bool remove_on_stop;
};

struct spec_options {
	const char *topology;                /* the name where the file gives none */
	const struct name_number *tables;    /* rt_tables, ended by a NULL name; or NULL */
	uint8_t machine_id[16];              /* for stable MAC addresses */
};

/* Reads a source of diags into a new spec. False where there was an error; spec is then to be freed all the
 * same. */
bool spec_read(struct spec *ret, struct diags *diags, uint8_t source, const struct spec_options *options);

/* An empty desired state of that topology: what `down` converges to. */
void spec_empty(struct spec *ret, const char *topology);

void spec_done(struct spec *spec);
