/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces, and veth pairs, which are written as `links`.
 *
 * An interface that the file could not make is `existing`: a network card, one of a kind that topod does not know, an end of
 * a pair whose other end is not exported, one whose lower link is in an unnamed namespace.
 */
#include "export/export_link.h"

#include "kind/link.h"

static const struct position nowhere; /* of objects that are in no file yet */

/* ---- links ---- */

typedef vec(const struct link *) link_list;

/* Does the link exist by itself? */
static bool is_kernels(const struct link *link) {
	return link->object.kernel_made && !streq(link->name, "lo");
}

static int compare_names(const void *a, const void *b) {
	return strcmp((*(const struct link *const *)a)->name, (*(const struct link *const *)b)->name);
}

/* The links of a namespace by name, so that the file does not depend on the order in which they were made. */
static link_list sorted_links(const struct ns_state *ns) {
	link_list list = {};

	ns_foreach(object, ns)
		if (object_is_link(object) && !is_kernels((const struct link *)object))
			vec_push(&list, (const struct link *)object);
	if (list.n)
		qsort(list.items, list.n, sizeof(*list.items), compare_names);
	return list;
}

/* ---- pairs ---- */

/* The field that names the other end; NULL: not an end of a pair. */
static const struct field *peer_field(const struct kind *kind) {
	for (size_t i = 0; i < kind->n_fields; i++)
		if (kind->fields[i].flags & FIELD_PEER)
			return &kind->fields[i];
	return NULL;
}

/* The other end, if it is exported too. */
static const struct link *find_peer(const struct export *x, const struct object *end) {
	const struct field *field = peer_field(end->kind);
	const struct link_ref *ref = field ? field_of(field, end) : NULL;
	const struct ns_state *ns = ref && ref->name ? state_find(x->seen, ref->ns) : NULL;

	return export_has(ns) ? (const struct link *)ns_find_link(ns, ref->name) : NULL;
}

bool export_has_end(const struct export *x, const struct ns_state *ns) {
	ns_foreach(object, ns)
		if (object_is_link(object) && find_peer(x, object))
			return true;
	return false;
}

/* The fields that an entry of `links` has for both ends. */
static const enum link_field pair_fields[] = { LINK_MTU, LINK_QUEUES, LINK_TXQUEUELEN };

static bool says(const struct export *x, const struct link *link, size_t i) {
	if (i == LINK_QUEUES) /* for other kinds, the driver chooses the number */
		return peer_field(link->object.kind) && link->queues == link->rx_queues &&
		       link->queues != x->options->queues;
	return export_says(x, &link->object, &link->object.kind->fields[i], i);
}

/* Those of them that have to be written and are the same for both ends. */
static uint64_t common_fields(const struct export *x, const struct link *one, const struct link *other) {
	uint64_t mask = 0;

	for (size_t k = 0; k < ARRAY_SIZE(pair_fields); k++) {
		size_t i = pair_fields[k];

		if (says(x, one, i) && says(x, other, i) && field_equal(&one->object.kind->fields[i], one, other))
			mask |= field_bit(i);
	}
	return mask;
}

/* Is it a section of an entry of `links`, with the same value for both ends? */
static bool is_common(const struct export *x, const struct section *section, const struct link *one,
		      const struct link *other) {
	_cleanup_text_ struct text a = {}, b = {};

	if (section->place != SECTION_LINK || !section->print)
		return false;
	section->print(state_find(x->seen, one->object.ns), one->name, &a);
	section->print(state_find(x->seen, other->object.ns), other->name, &b);
	return a.size && streq(text_str(&a), text_str(&b));
}

bool export_pair_says(const struct export *x, const char *key, const struct link *link) {
	const struct link *other = find_peer(x, &link->object);

	for (const struct class *const *class = classes; other && *class; class ++)
		for (const struct section *s = (*class)->sections; s && s->key; s++)
			if (streq(s->key, key) && is_common(x, s, link, other))
				return true;
	return false;
}

static const struct node *endpoint(struct export *x, const struct link *link) {
	return build_textf(x->arena, nowhere, "%s:%s", link->object.ns, link->name);
}

static const struct node *export_pair(struct export *x, const struct link *one, const struct link *other) {
	const struct node *ends = build_list(x->arena, nowhere, endpoint(x, one), endpoint(x, other));
	uint64_t mask = common_fields(x, one, other);
	node_pairs pairs = {};

	pairs_add(x, &pairs, "endpoints", ends);
	for (size_t i = 0; i < LINK_N_FIELDS; i++)
		if (mask & field_bit(i))
			pairs_add(x, &pairs, one->object.kind->fields[i].name,
				  export_value(x, &one->object, &one->object.kind->fields[i]));
	for (const struct class *const *class = classes; *class; class ++)
		for (const struct section *s = (*class)->sections; s && s->key; s++)
			if (is_common(x, s, one, other))
				pairs_add(x, &pairs, s->key,
					  export_printed(x, s, state_find(x->seen, one->object.ns), one->name));
	const struct node *entry = pairs_finish(x, &pairs);
	return entry->n > 1 ? entry : ends;
}

/* Is this end the one at which the pair is written? */
static bool is_first(const struct link *one, const struct link *other) {
	int order = strcmp(one->object.ns, other->object.ns);

	return order ? order < 0 : strcmp(one->name, other->name) < 0;
}

const struct node *export_pairs(struct export *x) {
	node_items items = {};

	state_foreach(ns, x->seen) {
		link_list links = sorted_links(ns);

		vec_foreach(link, &links) {
			const struct link *other = find_peer(x, &(*link)->object);

			if (other && is_first(*link, other))
				vec_push(&items, export_pair(x, *link, other));
		}
		vec_done(&links);
	}
	return items_finish(x, &items);
}

/* ---- what an interface is written as ---- */

/* The kind whose table writes the link; *ret_why: why it is only found. */
static const struct kind *written_kind(struct export *x, const struct link *link, const char **ret_why) {
	const struct kind *kind = link->object.kind;

	*ret_why = NULL;
	if (streq(link->name, "lo"))
		return kind_by_name("loopback", &class_link);
	if (find_peer(x, &link->object))
		return kind;
	if (peer_field(kind)) {
		_cleanup_text_ struct text peer = {};

		field_print(peer_field(kind), link, &peer);
		*ret_why = arena_printf(x->arena, "is one end of a pair; the other end (%s) is not in this file",
					text_str(&peer));
	} else if (kind->unnamed && *link->kind_text) {
		*ret_why = arena_printf(x->arena, "is of kind '%s', which topod cannot make", link->kind_text);
	}
	for (size_t i = LINK_N_FIELDS; i < kind->n_fields; i++) {
		const struct link_ref *ref = field_of(&kind->fields[i], link);
		bool lower = kind->fields[i].type == &type_link_ref && ref->ifindex && !ref->name;
		bool underlay = kind->fields[i].type == &type_underlay && streq_ptr(ref->ns, "?");

		if (!*ret_why && object_has(&link->object, i) && (lower || underlay))
			*ret_why = "is on an interface in a namespace without a name";
	}
	return *ret_why || kind->unnamed ? kind_by_name("existing", &class_link) : kind;
}

/* ---- ports ---- */

static const struct object *find_part(const struct ns_state *ns, const struct kind *kind, const char *name) {
	ns_foreach(object, ns)
		if (object->kind == kind && streq_ptr(object_home_link(object), name))
			return object;
	return NULL;
}

static const struct node *export_ports(struct export *x, const struct ns_state *ns, const struct link *controller) {
	const struct kind *kind = controller->object.kind->port_kind;
	link_list links = sorted_links(ns);
	node_items items = {};

	vec_foreach(link, &links) {
		if (!streq((*link)->master, controller->name))
			continue;
		const struct object *port = find_part(ns, kind, (*link)->name);
		vec_push(&items, port ? export_entry(x, port, kind->section->mapping)
				      : build_text(x->arena, nowhere, (*link)->name));
	}
	vec_done(&links);
	return items_finish(x, &items);
}

/* ---- an entry ---- */

/* The link that it is made on, which may be in a namespace that is not exported; NULL: none. */
static const struct link *lower_of(const struct export *x, const struct link *link) {
	struct need need = object_lower(&link->object);
	struct object *lower = need.name ? state_find_need(x->seen, &need) : NULL;

	if (need.name && !lower && x->options->around)
		lower = state_find_need(x->options->around, &need);
	return (const struct link *)lower;
}

/* Has somebody chosen the MAC address? A vlan inherits that of its lower link, and topod computes one for what it makes. */
static bool has_own_mac(const struct export *x, const struct link *link) {
	const struct link *lower = lower_of(x, link);
	const char *topology = startswith(link->alias, "topod:");
	struct mac computed =
		topology ? link_stable_mac(x->options->machine_id, topology, link->object.ns, link->name) : (struct mac){};

	return link->mac_chosen && !(lower && memcmp(&lower->mac, &link->mac, sizeof(link->mac)) == 0) &&
	       !(topology && memcmp(&computed, &link->mac, sizeof(computed)) == 0);
}

/* By default, a stacked link gets the lower link's MTU less its headers. */
static bool has_mtu_of_lower(const struct export *x, const struct link *link) {
	const struct kind *kind = link->object.kind;
	const struct link *lower = lower_of(x, link);

	return lower && !kind->fields[LINK_MTU].fallback &&
	       link->mtu == lower->mtu - (kind->headroom ? kind->headroom(&link->object) : 0);
}

/* The kernel refuses this way of generating addresses without the secret, which no file has. */
static bool is_from_secret(const struct link *link) {
	return object_has(&link->object, LINK_ADDRESS_GENERATION) &&
	       link->address_generation == IN6_ADDR_GEN_MODE_STABLE_PRIVACY;
}

/* Fields of a made link that are not written: those in the entry of its pair, and a MAC address that the kernel or topod
 * chose. */
static uint64_t skipped_fields(const struct export *x, const struct link *link) {
	const struct link *other = find_peer(x, &link->object);
	uint64_t skip = other ? common_fields(x, link, other) : 0;

	for (size_t k = 0; k < ARRAY_SIZE(pair_fields); k++)
		if (!says(x, link, pair_fields[k]))
			skip |= field_bit(pair_fields[k]);
	if (has_mtu_of_lower(x, link))
		skip |= field_bit(LINK_MTU);
	if (is_from_secret(link))
		skip |= field_bit(LINK_ADDRESS_GENERATION);
	if (!has_own_mac(x, link))
		skip |= field_bit(LINK_MAC);
	return skip;
}

/* Keys of the link and its parts: topod knows them, but never shows them. */
static void note_secrets(struct export *x, const struct ns_state *ns, const struct link *link, node_pairs *notes) {
	ns_foreach(object, ns) {
		const struct kind *kind = object->kind;

		if (object != &link->object &&
		    (kind != link->object.kind->part_kind || !streq_ptr(object_home_link(object), link->name)))
			continue;
		for (size_t i = 0; i < kind->n_fields; i++) {
			const struct key_file *file = field_of(&kind->fields[i], object);

			if (kind->fields[i].type->is_key_file && object_has(object, i) && !key_is_zero(&file->key))
				export_note(x, notes, ns->name, link->name,
					    "has a key that is left out: write it to a file, and `%s: FILE`",
					    kind->fields[i].name);
		}
	}
}

static bool is_needless(const struct export *x, const struct link *link, const struct kind *kind) {
	return streq(kind->name, "loopback") || find_peer(x, &link->object);
}

static void export_interface(struct export *x, const struct ns_state *ns, const struct link *link, node_pairs *interfaces) {
	const char *why;
	const struct kind *kind = written_kind(x, link, &why);
	const struct object *object = &link->object;
	node_pairs pairs = {};

	if (why)
		export_note(x, interfaces, ns->name, link->name, "%s", why);
	if (is_from_secret(link))
		export_note(x, interfaces, ns->name, link->name,
			    "generates IPv6 addresses from a secret (net.ipv6.conf.%s.stable_secret), which is left out",
			    link->name);
	if (!is_needless(x, link, kind))
		pairs_add(x, &pairs, "kind", build_text(x->arena, nowhere, kind->name));
	if (!link->up)
		pairs_add(x, &pairs, "up", build_word(x->arena, nowhere, "false"));
	export_fields(x, object, kind->fields, kind->n_fields,
		      field_bit(LINK_UP) | (kind->found ? ~field_bit(LINK_MTU) : skipped_fields(x, link)), &pairs);
	if (kind->port_kind)
		pairs_add(x, &pairs, kind->port_kind->section->key, export_ports(x, ns, link));
	if (kind->part_kind)
		pairs_add(x, &pairs, kind->part_kind->section->key,
			  export_list(x, ns, kind->part_kind->section, link->name));
	if (!kind->found)
		note_secrets(x, ns, link, interfaces);
	export_sections(x, ns, SECTION_INTERFACE, link, &pairs, interfaces);
	const struct node *entry = pairs_finish(x, &pairs);
	pairs_add(x, interfaces, link->name, entry);
}

void export_interfaces(struct export *x, const struct ns_state *ns, node_pairs *pairs) {
	node_pairs interfaces = {};
	link_list links = sorted_links(ns);

	vec_foreach(link, &links)
		export_interface(x, ns, *link, &interfaces);
	vec_done(&links);
	pairs_add(x, pairs, "interfaces", pairs_finish(x, &interfaces));
}
