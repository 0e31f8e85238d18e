/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mappings of the language that describe qdiscs: for the schema, the reference page and the merging of drop-ins. */
#include "kind/qdisc.h"
#include "model/section.h"

static const struct mapping class_mapping;

const struct field qdisc_class_id = { .name = "id", .type = &type_integer, .min = 1, .max = 0xfffe };
const struct field qdisc_class_default = { .name = "default", .type = &type_bool };

static const struct section class_sections[] = {
	{ .key = "id",
	  .required = true,
	  .field = &qdisc_class_id,
	  .doc = "The number of the class, in decimal. Filters name it; in tc's words it is the minor number, in hexadecimal." },
	{ .key = "default", .field = &qdisc_class_default, .doc = "Whether the class gets packets that no filter matches." },
	{ .key = "qdisc",
	  .shape = SECTION_MAPPING,
	  .mapping = &qdisc_mapping,
	  .value = "[qdisc](#qdisc)",
	  .doc = "How the class's packets wait; a pfifo by default." },
	{ .key = "classes",
	  .shape = SECTION_LIST,
	  .mapping = &class_mapping,
	  .value = "list of [classes](#qdisc-class)",
	  .doc = "The classes that divide this one." },
	{},
};

static const struct mapping class_mapping = {
	.name = "qdisc-class",
	.title = "Classes",
	.doc = "An entry of `classes` of an htb qdisc, or of another class. Packets are sent by the classes without others "
	       "below them. A change is made in place; only another `default` recreates the qdisc.",
	.what = "a class",
	.sections = class_sections,
	.fields = qdisc_class_fields,
	.n_fields = CLASS_N_OPTIONS,
};

static const struct mapping filter_mapping = {
	.name = "qdisc-filter",
	.title = "Filters",
	.doc = "An entry of `filters` of an htb or prio qdisc. The first filter that matches a packet decides. Ports are looked for in "
	       "packets without IP options or extension headers, and in the first fragment.",
	.what = "a filter",
	.fields = qdisc_filter_fields,
	.n_fields = QDISC_FILTER_FIELDS,
};

static const struct section qdisc_sections[] = {
	{ .key = "kind",
	  .required = true,
	  .value = "see below",
	  .doc = "The kind. A qdisc without other keys may be written as its kind alone: `qdisc: fq_codel`.",
	  .schema = "{\"type\": \"string\"}" },
	{ .key = "children",
	  .shape = SECTION_LIST,
	  .mapping = &qdisc_mapping,
	  .value = "list of qdiscs",
	  .doc = "The qdiscs below this one: for netem and tbf the one that orders the waiting packets, for prio one for "
		 "each band, for mq one for each transmit queue. `none` stands for the kernel's default." },
	{ .key = "classes",
	  .shape = SECTION_LIST,
	  .mapping = &class_mapping,
	  .value = "list of [classes](#qdisc-class)",
	  .doc = "Of htb: how the bandwidth is divided." },
	{ .key = "filters",
	  .shape = SECTION_LIST,
	  .mapping = &filter_mapping,
	  .value = "list of [filters](#qdisc-filter)",
	  .doc = "Of htb and prio: which packets go to which class, or band." },
	{},
};

static bool case_of(size_t i, struct mapping *ret) {
	const struct qdisc_kind *kind = qdisc_kinds[i];

	if (!kind)
		return false;
	*ret = (struct mapping){ .name = kind->anchor,
				 .title = kind->name,
				 .doc = kind->doc,
				 .fields = kind->options,
				 .n_fields = kind->n_options };
	return true;
}

const struct mapping qdisc_mapping = {
	.name = "qdisc",
	.title = "Queueing disciplines",
	.doc = "The mapping `qdisc` of an interface: the queueing discipline (qdisc) of outgoing packets, in the words of "
	       "tc(8). Options that are left out have the kernel's defaults. A change of an option is made in place, and "
	       "waiting packets are kept; another kind replaces the qdisc. If the key leaves the file, the kernel's default "
	       "qdisc comes back.",
	.what = "a qdisc",
	.bare = "kind",
	.sections = qdisc_sections,
	.case_of = case_of,
};

const struct mapping impair_mapping = {
	.name = "impair",
	.title = "Impairments",
	.doc = "The mapping `impair` of an interface or a link: a bad line, imitated by a root qdisc of the kind netem. "
	       "Delayed packets stay delayed when something is changed.",
	.what = "impair",
	.fields = qdisc_netem,
	.n_fields = NETEM_N_OPTIONS,
};
