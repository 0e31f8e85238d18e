/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files spec*.c share; not for others. */
#pragma once

#include "kind/link.h"
#include "language/spec.h"

struct reading {
	struct parse parse; /* parse.ns follows the namespace being read */
	struct spec *spec;
	const struct spec_options *options;
	enum drift_policy drift;
	struct object *link_defaults; /* veth whose set fields stand for what links leave out */
	struct object *interface_defaults;
	const char *alias;                  /* of every link that topod makes, once the topology's name was read */
	struct missing_port *missing_ports; /* entries of `ports` that name no link of the file */
	struct ports *ports;                /* spec_check_stacks.c: all of them, once they were asked for */
};

struct missing_port {
	const struct ns_state *ns;
	const char *name;
	struct position position;
	struct missing_port *next;
};

/* Calls fn for each item of a list, or for the node itself where it is no list. */
typedef void (*spec_item_fn)(struct reading *r, struct ns_state *ns, const struct node *node);
void spec_each(struct reading *r, struct ns_state *ns, const struct node *node, spec_item_fn fn);

bool spec_drift(struct reading *r, const struct node *node, enum drift_policy *ret);

/* Adds a declared object; an equal one there already is kept, a contradicting one is an error that names both. */
void spec_add(struct reading *r, struct ns_state *ns, struct object *object);

/* A setting of the kernel that a key other than `sysctl` stands for. */
void spec_add_sysctl(struct reading *r, struct ns_state *ns, const char *path, const char *value, struct position position,
		     enum drift_policy drift);

/* spec_merge.c: one document of several, each laid over those before it; n at least 1. What contradicts is an error in
 * diags. The documents stay as they are, and parts of them are parts of what is returned. */
const struct node *spec_merge(struct arena *arena, struct diags *diags, const struct node *const *roots, size_t n);

/* spec_link.c: the sections `links`, `defaults` and `interfaces`. */
void spec_defaults(struct reading *r, const struct node *node);
void spec_links(struct reading *r, const struct node *node);
void spec_interfaces(struct reading *r, struct ns_state *ns, const struct node *node);
/* Fills in what links leave out, once all sections were read. */
void spec_finish_links(struct reading *r);

/* spec_check_settings.c: settings that are another name of an interface's key become that, before defaults are filled in. */
void spec_unite_settings(struct reading *r);

/* spec_check.c: what only shows across objects. */
void spec_check(struct reading *r);
