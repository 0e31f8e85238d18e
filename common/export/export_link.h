/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces and pairs; not for other rooms. */
#pragma once

#include "export/export_private.h"

#include "kind/link.h"

/* Adds the key `interfaces`, if there is something to write. */
void export_interfaces(struct export *x, const struct ns_state *ns, node_pairs *pairs);
/* Has the namespace an end of such a pair? */
bool export_has_end(const struct export *x, const struct ns_state *ns);
/* Does the entry of its pair have this key, because both ends have the same value? */
bool export_pair_says(const struct export *x, const char *key, const struct link *link);
/* The pairs whose ends are both in exported namespaces; NULL: none. */
const struct node *export_pairs(struct export *x);

/* export.c: the lists of classes in a mapping of this place; link: the interface whose mapping it is, or NULL. Notes may be
 * added to another mapping. */
void export_sections(struct export *x, const struct ns_state *ns, enum section_place place, const struct link *link,
		     node_pairs *pairs, node_pairs *notes);
const struct node *export_list(struct export *x, const struct ns_state *ns, const struct section *section, const char *link);
/* The value that section->print() writes; NULL: none. */
const struct node *export_printed(struct export *x, const struct section *section, const struct ns_state *ns,
				  const char *link);
