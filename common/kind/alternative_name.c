/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alternative names of interfaces (ip-link(8), "altname"): further names by which the kernel finds one, of up to 127 bytes.
 * They are read with their link; RTM_NEWLINKPROP and RTM_DELLINKPROP add and remove them, and the link's event reports it.
 *
 * They cannot carry a mark, so the ledger says whose they are. Names that udev or somebody else has given stay.
 */
#include <linux/rtnetlink.h>

#include "kind/kinds.h"
#include "kind/link.h"
#include "model/change.h"
#include "model/section.h"

struct alternative_name {
	struct object object;
	const char *dev, *name;
};

enum { DEV, NAME };

static const struct field fields[] = {
	[DEV] = { .name = "dev",
		  .type = &type_link_name,
		  .offset = offsetof(struct alternative_name, dev),
		  .class = FIELD_KEY,
		  .flags = FIELD_HIDDEN | FIELD_DEV },
	[NAME] = { .name = "name",
		   .type = &type_text,
		   .offset = offsetof(struct alternative_name, name),
		   .class = FIELD_KEY,
		   .flags = FIELD_REQUIRED,
		   .doc = "Up to 127 bytes without `/`, `:` and white space." },
};

static bool finish(struct parse *p, struct object *object, const struct node *node) {
	const char *name = ((const struct alternative_name *)object)->name, *why;

	if (alternative_name_valid(name, &why))
		return true;
	diag_error(p->diags, node->position, "the alternative name '%s' %s", name, why);
	return false;
}

static void check(struct reading *r, const struct ns_state *ns, const struct object *desired) {
	const struct alternative_name *a = (const struct alternative_name *)desired;
	const struct object *link = strlen(a->name) <= LINK_NAME_MAX ? ns_find_link(ns, a->name) : NULL;

	if (!link)
		return;
	diag_error(r->parse.diags, desired->position, "%s is the name of %s interface; an interface has one name only once",
		   a->name, streq(a->name, a->dev) ? "this" : "another");
	diag_note(r->parse.diags, link->position, "here");
}

/* All names of a namespace differ (netdev_name_in_use(), net/core/dev.c). */
static bool claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	const struct alternative_name *a = (const struct alternative_name *)desired;

	if (i > 0)
		return false;
	*ret = (struct sole_claim){
		.key = arena_printf(arena, "alternative name %s %s", desired->ns, a->name),
		.field = &fields[NAME],
		.problem = arena_printf(arena, "another interface of %s has the alternative name %s", desired->ns, a->name),
		.error = EEXIST,
	};
	return true;
}

static const struct mapping entry = {
	.name = "alternative-name",
	.title = "Alternative names",
	.doc = "An entry of `alternative-names` of an interface; `NAME` is short for `{name: NAME}`.",
	.what = "an alternative name",
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.kind = &kind_alternative_name,
	.bare = "name",
};

static const struct section sections[] = {
	{ .key = "alternative-names",
	  .place = SECTION_INTERFACE,
	  .shape = SECTION_LIST,
	  .mapping = &entry,
	  .value = "list of [names](#alternative-name)",
	  .doc = "Further names, in any order. Everything in the file may refer to the interface by one of them." },
	{},
};

static void noun(const struct object *object, struct text *out) {
	text_addf(out, "alternative name %s", ((const struct alternative_name *)object)->name);
}

static int encode(struct encode *encode, const struct change *change) {
	bool delete = change->type == CHANGE_DELETE;
	const struct alternative_name *a = (const struct alternative_name *)(delete ? change->observed : change->desired);
	uint32_t index = encode_ifindex(encode, a->object.ns, a->dev);
	struct nl_writer *w = encode->writer;
	struct nlattr *list;

	if (!index)
		return -ENODEV;
	link_begin(encode, delete ? RTM_DELLINKPROP : RTM_NEWLINKPROP, delete ? 0 : NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND)
		->ifi_index = (int)index;
	list = nl_nest(w, IFLA_PROP_LIST | NLA_F_NESTED);
	nl_origin(w, &fields[NAME]);
	nl_put_text(w, IFLA_ALT_IFNAME, a->name);
	nl_nest_end(w, list);
	return 0;
}

struct object *link_alternative_name(struct arena *arena, const struct link *link, size_t i) {
	struct alternative_name *a;

	if (i >= link->n_alternative_names)
		return NULL;
	a = (struct alternative_name *)object_new(arena, &kind_alternative_name, link->object.ns);
	a->dev = link->name;
	a->name = link->alternative_names[i];
	a->object.set = field_bit(DEV) | field_bit(NAME);
	object_seal(arena, &a->object);
	return &a->object;
}

const struct class class_alternative_name = {
	.sections = sections,
	.name = "alternative name",
	.plural = "alternative names",
	.part_of = &class_link,
	.moves_along = true,
};

const struct kind kind_alternative_name = {
	.name = "alternative-name",
	.class = &class_alternative_name,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct alternative_name),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.finish = finish,
	.check = check,
	.claim = claim,
	.encode = encode,
	.noun = noun,
};
