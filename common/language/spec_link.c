/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sections `links`, `defaults` and `interfaces`: from wiring and interface entries to link objects.
 *
 * An end of a link exists by being named in `links`; its entry under `interfaces`, if any, only says more about
 * it. So links are read first, and what both leave out is filled in at the very end.
 */
#include "kind/address.h"
#include "kind/kinds.h"
#include "kind/port.h"
#include "kind/sysctl.h"
#include "kind/veth.h"
#include "language/spec_private.h"

static const struct field key_kind = { .name = "kind", .type = &type_text };
static const struct field key_port = { .name = "ports", .type = &type_link_name };
static const struct field key_accept_ra = { .name = "accept-ra", .type = &type_integer, .max = 2 };
static const struct field key_endpoint = { .name = "endpoints", .type = &type_link_ref };

static struct link *as_link(struct object *object) {
	return (struct link *)object;
}

/* A link object of its name; the fields' places are kept. */
static struct object *new_link(struct reading *r, const struct kind *kind, const char *ns, const char *name,
			       struct position position) {
	struct object *object = object_new(r->parse.arena, kind, ns);

	as_link(object)->name = arena_strdup(r->parse.arena, name);
	object->set = field_bit(LINK_NAME);
	object->position = position;
	object->positions = arena_newn(r->parse.arena, struct position, kind->n_fields);
	object->external = kind->found;
	object_seal(r->parse.arena, object);
	return object;
}

/* defaults */

static struct object *read_default(struct reading *r, const struct node *node, const char *what) {
	struct object *object = object_new(r->parse.arena, &kind_veth, "");
	struct position *positions = arena_newn(r->parse.arena, struct position, kind_veth.n_fields);

	object->positions = positions;
	fields_parse(&r->parse, kind_veth.fields, LINK_N_FIELDS, node, object, &object->set, positions, what, NULL, NULL,
		     NULL);
	if (object_has(object, LINK_MAC))
		diag_error(r->parse.diags, node_key_position(node, "mac-address"),
			   "'mac-address' cannot be a default: each interface needs its own");
	return object;
}

void spec_defaults(struct reading *r, const struct node *node) {
	static const char *const keys[] = { "link", "interface" };

	if (node->type != NODE_MAPPING) {
		diag_error(r->parse.diags, node->position, "'defaults' must be a mapping of 'link' and 'interface', not %s",
			   node_type_name(node));
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		const struct node_pair *pair = &node->pairs[i];

		if (streq(pair->key->text, "link"))
			r->link_defaults = read_default(r, pair->value, "the defaults of links");
		else if (streq(pair->key->text, "interface"))
			r->interface_defaults = read_default(r, pair->value, "the defaults of interfaces");
		else
			parse_unknown_key(r->parse.diags, pair->key, "defaults", keys, ARRAY_SIZE(keys));
	}
}

/* Takes over what `from` sets and the object does not, with its place. */
static void inherit(struct object *object, const struct object *from) {
	struct position *positions = (struct position *)(uintptr_t)object->positions;

	if (!from)
		return;
	for (size_t i = 0; i < LINK_N_FIELDS; i++) {
		const struct field *field = &object->kind->fields[i];

		if (field->class == FIELD_KEY || !object_has(from, i) || object_has(object, i))
			continue;
		memcpy(field_of(field, object), field_of(field, from), field->type->size);
		object->set |= field_bit(i);
		positions[i] = from->positions[i];
	}
}

/* links */

static struct ns_state *endpoint_namespace(struct reading *r, const struct link_ref *ref, const struct node *node) {
	struct ns_state *ns = state_find(&r->spec->state, ref->ns);
	const char *names[64];
	size_t n = 0;

	if (ns)
		return ns;
	state_foreach(other, &r->spec->state)
		if (n < ARRAY_SIZE(names))
			names[n++] = other->name;
	const char *near = diag_suggest(ref->ns, names, n);
	diag_error(r->parse.diags, node->position, "there is no namespace '%s'%s%s%s", ref->ns,
		   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	return NULL;
}

/* One end as it is written; ns is NULL where it is wrong. */
struct endpoint {
	const struct node *node;
	struct link_ref ref;
	struct ns_state *ns;
};

static struct endpoint read_endpoint(struct reading *r, const struct node *node) {
	struct endpoint end = { .node = node };

	if (type_link_ref.parse(&r->parse, &key_endpoint, node, &end.ref))
		end.ns = endpoint_namespace(r, &end.ref, node);
	return end;
}

static struct object *declare_end(struct reading *r, const struct endpoint *end) {
	struct object *object = new_link(r, &kind_veth, end->ns->name, end->ref.name, end->node->position);

	object->drift = end->ns->drift;
	struct object *before = ns_add(end->ns, object);
	if (!before)
		return object;
	diag_error(r->parse.diags, end->node->position, "%s:%s is an end of two links", end->ref.ns, end->ref.name);
	diag_note(r->parse.diags, before->position, "first here");
	return NULL;
}

/* The same pair was declared before, whichever end came first. */
static struct object *find_pair(const struct endpoint ends[2]) {
	struct object *before = ns_find_link(ends[0].ns, ends[0].ref.name);

	if (!before || !before->twin || before->twin != ns_find_link(ends[1].ns, ends[1].ref.name))
		return NULL;
	return before;
}

static void pair_ends(struct object *a, struct object *b) {
	struct veth *x = (struct veth *)a, *y = (struct veth *)b;

	x->peer = (struct link_ref){ .ns = b->ns, .name = y->link.name, .netnsid = -1 };
	y->peer = (struct link_ref){ .ns = a->ns, .name = x->link.name, .netnsid = -1 };
	a->set |= field_bit(VETH_PEER);
	b->set |= field_bit(VETH_PEER);
	a->twin = b;
	b->twin = a;
}

/* What is said of a pair at a second place: the same, or what the first left open. */
static void add_pair_values(struct reading *r, struct object *end, struct object *values) {
	struct veth *one = (struct veth *)end, *other = (struct veth *)end->twin;

	for (size_t i = 0; one->pair && i < LINK_N_FIELDS; i++) {
		const struct field *field = &kind_veth.fields[i];

		if (!object_has(values, i) || !object_has(one->pair, i) || field_equal(field, values, one->pair))
			continue;
		diag_error(r->parse.diags, values->positions[i], "'%s' of this link is declared twice with different values",
			   field->name);
		diag_note(r->parse.diags, one->pair->positions[i], "first here");
	}
	inherit(values, one->pair);
	one->pair = other->pair = values;
}

static void read_endpoints(struct reading *r, const struct node *list, struct object *pair_values) {
	struct endpoint written[2];
	struct object *ends[2], *before;

	if (list->type != NODE_SEQUENCE || list->n != 2) {
		diag_error(r->parse.diags, list->position,
			   "a link has two ends: [namespace:interface, namespace:interface]");
		return;
	}
	for (size_t i = 0; i < 2; i++)
		written[i] = read_endpoint(r, list->items[i]);
	before = written[0].ns && written[1].ns ? find_pair(written) : NULL;
	if (before && pair_values)
		add_pair_values(r, before, pair_values);
	if (before)
		return;
	for (size_t i = 0; i < 2; i++)
		ends[i] = written[i].ns ? declare_end(r, &written[i]) : NULL;
	if (!ends[0] || !ends[1])
		return;
	pair_ends(ends[0], ends[1]);
	/* What the pair says yields to what is said about an end, which is read later: kept aside until then. */
	for (size_t i = 0; i < 2 && pair_values; i++)
		((struct veth *)ends[i])->pair = pair_values;
}

static const struct field pair_fields[] = {
	{ .name = "mtu",
	  .type = &type_integer,
	  .offset = offsetof(struct link, mtu),
	  .min = LINK_MTU_MIN,
	  .max = LINK_MTU_MAX },
	{ .name = "queues", .type = &type_integer, .offset = offsetof(struct link, queues), .min = 1, .max = 4096 },
	{ .name = "txqueuelen", .type = &type_integer, .offset = offsetof(struct link, txqueuelen), .max = INT32_MAX },
};
static const enum link_field pair_targets[] = { LINK_MTU, LINK_QUEUES, LINK_TXQUEUELEN };

struct link_entry {
	const struct node *endpoints;
};

static bool take_endpoints(void *userdata, const struct node_pair *pair) {
	struct link_entry *entry = userdata;

	if (!streq(pair->key->text, "endpoints"))
		return false;
	entry->endpoints = pair->value;
	return true;
}

static void read_link(struct reading *r, struct ns_state *none _unused_, const struct node *node) {
	static const char *const others[] = { "endpoints", NULL };
	struct position places[ARRAY_SIZE(pair_fields)] = {}, *positions;
	struct link_entry entry = {};
	uint64_t set = 0;

	if (node->type != NODE_MAPPING) {
		read_endpoints(r, node, NULL);
		return;
	}
	struct object *values = object_new(r->parse.arena, &kind_veth, "");
	values->positions = positions = arena_newn(r->parse.arena, struct position, kind_veth.n_fields);
	fields_parse(&r->parse, pair_fields, ARRAY_SIZE(pair_fields), node, values, &set, places, "a link", others,
		     take_endpoints, &entry);
	for (size_t i = 0; i < ARRAY_SIZE(pair_targets); i++) {
		values->set |= (set >> i & 1) << pair_targets[i];
		positions[pair_targets[i]] = places[i];
	}
	if (entry.endpoints)
		read_endpoints(r, entry.endpoints, values);
	else
		diag_error(r->parse.diags, node->position, "a link needs 'endpoints'");
}

void spec_links(struct reading *r, const struct node *node) {
	if (node->type != NODE_SEQUENCE) {
		diag_error(r->parse.diags, node->position,
			   "'links' is a list of [namespace:interface, namespace:interface]");
		return;
	}
	spec_each(r, NULL, node, read_link);
}

/* interfaces */

struct interface {
	struct reading *r;
	struct ns_state *ns;
	struct object *object;
	enum drift_policy drift;
	const struct node *addresses, *ports, *accept_ra;
};

static bool take_structure(void *userdata, const struct node_pair *pair) {
	struct interface *i = userdata;
	const char *key = pair->key->text;

	if (streq(key, "addresses"))
		i->addresses = pair->value;
	else if (streq(key, "ports"))
		i->ports = pair->value;
	else if (streq(key, "accept-ra"))
		i->accept_ra = pair->value;
	else
		return streq(key, "kind") || streq(key, "drift");
	return true;
}

static void unknown_kind(struct reading *r, const struct node *node) {
	_cleanup_text_ struct text all = {};
	vec(const char *) names = {};

	for (const struct kind *const *k = kinds; *k; k++)
		if ((*k)->class == &class_link && !(*k)->unnamed) {
			text_addf(&all, "%s%s", names.n ? ", " : "", (*k)->name);
			vec_push(&names, (*k)->name);
		}
	const char *near = diag_suggest(node->text, names.items, names.n);
	if (near)
		diag_error(r->parse.diags, node->position, "unknown kind '%s'; did you mean '%s'?", node->text, near);
	else
		diag_error(r->parse.diags, node->position, "unknown kind '%s'; it is one of: %s", node->text, all.data);
	vec_done(&names);
}

/* The kind that an entry gives or implies; NULL where it says none, kind_other after an error. */
static const struct kind *interface_kind(struct reading *r, struct ns_state *ns, const struct node *key,
					 const struct node *value, const struct object *end) {
	const struct node *node = value->type == NODE_MAPPING ? node_get(value, "kind") : NULL;

	if (!node) {
		if (end)
			return end->kind;
		if (streq(key->text, "lo"))
			return &kind_existing;
		return NULL; /* fine where it is a port; spec_check finds the others */
	}
	const char *text = parse_scalar(&r->parse, &key_kind, node);
	if (!text)
		return &kind_other;
	const struct kind *kind = kind_by_name(text, &class_link);
	if (kind == &kind_veth && end)
		return kind;
	if (kind == &kind_veth) {
		diag_error(r->parse.diags, node->position,
			   "a veth pair is written under 'links': [%s:%s, namespace:interface]", ns->name, key->text);
		return &kind_other;
	}
	if (!kind || kind->unnamed) {
		unknown_kind(r, node);
		return &kind_other;
	}
	if (end) {
		diag_error(r->parse.diags, node->position, "%s:%s is an end of a link and has no kind of its own", ns->name,
			   key->text);
		diag_note(r->parse.diags, end->position, "the link is here");
		return end->kind;
	}
	return kind;
}

static void declare_interface(struct reading *r, struct ns_state *ns, const struct node *key, const struct node *value) {
	struct object *end = ns_find_link(ns, key->text), *object;
	const struct kind *kind = interface_kind(r, ns, key, value, end);

	if (end)
		return;
	object = new_link(r, kind ? kind : &kind_existing, ns->name, key->text, key->position);
	object->implied = !kind;
	object->awaited = kind == &kind_existing; /* unless it is there anyhow, see finish_link() */
	ns_add(ns, object);
}

static void read_address(struct reading *r, struct ns_state *ns, const char *dev, const struct node *node,
			 enum drift_policy drift) {
	struct address *address = address_parse(&r->parse, dev, node);

	if (!address)
		return;
	address->object.drift = drift;
	spec_add(r, ns, &address->object);
}

static void read_addresses(const struct interface *i) {
	const char *dev = as_link(i->object)->name;
	const struct node *list = i->addresses;

	if (list->type != NODE_SEQUENCE && !node_is_null(list)) {
		read_address(i->r, i->ns, dev, list, i->drift);
		return;
	}
	for (size_t n = 0; list->type == NODE_SEQUENCE && n < list->n; n++)
		read_address(i->r, i->ns, dev, list->items[n], i->drift);
}

static void read_accept_ra(const struct interface *i) {
	static const char *const values[] = { "0", "1", "2" };
	struct reading *r = i->r;
	uint32_t value;

	if (i->accept_ra->type == NODE_SCALAR && streq(i->accept_ra->text, "true"))
		value = 1;
	else if (i->accept_ra->type == NODE_SCALAR && streq(i->accept_ra->text, "false"))
		value = 0;
	else if (!type_integer.parse(&r->parse, &key_accept_ra, i->accept_ra, &value))
		return;
	const char *path = arena_printf(r->parse.arena, "net/ipv6/conf/%s/accept_ra", as_link(i->object)->name);
	spec_add_sysctl(r, i->ns, path, values[value], i->accept_ra->position, i->drift);
}

/* ports */

/* The link that a port's name stands for; NULL where no entry declares it, or it cannot be one. */
static struct object *port_link(struct reading *r, struct ns_state *ns, const char *name, struct position position) {
	struct object *link = ns_find_link(ns, name);

	if (streq(name, "lo")) {
		diag_error(r->parse.diags, position, "'lo' cannot be a port: it carries no Ethernet frames");
		return NULL;
	}
	if (link) {
		link->implied = false;
		return link;
	}
	struct missing_port *missing = arena_new(r->parse.arena, struct missing_port);
	*missing = (struct missing_port){ ns, name, position, r->missing_ports };
	r->missing_ports = missing;
	return NULL;
}

/* False where the port is wrong. */
static bool set_master(const struct interface *i, const char *name, const struct node *node) {
	struct object *link = port_link(i->r, i->ns, name, node->position);
	const char *controller = as_link(i->object)->name;

	if (!link)
		return false;
	struct position *positions = (struct position *)(uintptr_t)link->positions;
	if (link == i->object) {
		diag_error(i->r->parse.diags, node->position, "%s cannot be its own port", name);
		return false;
	}
	if (object_has(link, LINK_MASTER)) {
		bool same = streq(as_link(link)->master, controller);

		if (same && positions[LINK_MASTER].source != node->position.source)
			return true; /* lists of several files are sets */
		diag_error(i->r->parse.diags, node->position, "%s is %s", name,
			   same ? "named twice" : "a port of two controllers");
		diag_note(i->r->parse.diags, positions[LINK_MASTER], "first here");
		return false;
	}
	as_link(link)->master = controller;
	link->set |= field_bit(LINK_MASTER);
	positions[LINK_MASTER] = node->position;
	return true;
}

static void read_port(const struct interface *i, const struct node *node) {
	const struct kind *kind = i->object->kind->port_kind; /* NULL after an error: only the name counts */
	const struct node *named = kind || node->type != NODE_MAPPING ? node : node_get(node, "name");
	struct parse *p = &i->r->parse;
	const char *name;

	if (!named || named->type != NODE_MAPPING) {
		if (named && type_link_name.parse(p, &key_port, named, &name))
			set_master(i, name, named);
		return;
	}
	struct object *object = object_new(p->arena, kind, i->ns->name);
	struct port *port = (struct port *)object;
	struct position *positions = arena_newn(p->arena, struct position, kind->n_fields);
	size_t errors = p->diags->n_errors;

	fields_parse(p, kind->fields, kind->n_fields, node, port, &object->set, positions, "a port", NULL, NULL, NULL);
	if (!port->name)
		return;
	if (!set_master(i, port->name, node) || p->diags->n_errors != errors)
		return;
	port->controller = as_link(i->object)->name;
	object->set |= field_bit(PORT_CONTROLLER);
	object->position = node->position;
	object->positions = positions;
	object->drift = i->drift;
	object_seal(p->arena, object);
	spec_add(i->r, i->ns, object);
}

static void no_ports(struct reading *r, const struct node *list, const struct link *link) {
	_cleanup_text_ struct text all = {};

	for (const struct kind *const *k = kinds; *k; k++)
		if ((*k)->port_kind)
			text_addf(&all, "%s%s", all.size ? ", " : "", (*k)->name);
	diag_error(r->parse.diags, list->position, "only these kinds have 'ports': %s; %s is %s", all.data, link->name,
		   link->object.kind->name);
}

static void read_ports(const struct interface *i) {
	const struct node *list = i->ports;

	if (!i->object->kind->port_kind && i->object->kind != &kind_other) {
		no_ports(i->r, list, as_link(i->object));
		return;
	}
	if (list->type != NODE_SEQUENCE && !node_is_null(list))
		read_port(i, list);
	for (size_t n = 0; list->type == NODE_SEQUENCE && n < list->n; n++)
		read_port(i, list->items[n]);
}

static void read_interface(struct reading *r, struct ns_state *ns, const struct node_pair *pair) {
	static const char *const others[] = { "kind", "addresses", "ports", "drift", "accept-ra", NULL };
	struct interface i = { .r = r, .ns = ns, .drift = ns->drift };
	const struct node *drift;
	const char *name, *what;

	if (!type_link_name.parse(&r->parse, &key_port, pair->key, &name))
		return;
	i.object = ns_find_link(ns, name);
	drift = pair->value->type == NODE_MAPPING ? node_get(pair->value, "drift") : NULL;
	if (drift)
		spec_drift(r, drift, &i.drift);
	i.object->drift = i.drift;
	if (node_is_null(pair->value))
		return;
	what = i.object->kind == &kind_veth || i.object->external
		       ? "an interface"
		       : arena_printf(r->parse.arena, "a %s interface", i.object->kind->name);
	if (i.object->kind != &kind_other)
		fields_parse(&r->parse, i.object->kind->fields, i.object->kind->n_fields, pair->value, i.object,
			     &i.object->set, (struct position *)(uintptr_t)i.object->positions, what, others, take_structure,
			     &i);
	else /* which keys it may have nobody knows */
		for (size_t n = 0; n < pair->value->n; n++)
			take_structure(&i, &pair->value->pairs[n]);
	if (i.addresses)
		read_addresses(&i);
	if (i.ports)
		read_ports(&i);
	if (i.accept_ra)
		read_accept_ra(&i);
}

/* Every entry is an object before any is read, so that `ports` may name one that stands further down. */
void spec_interfaces(struct reading *r, struct ns_state *ns, const struct node *node) {
	if (node->type != NODE_MAPPING) {
		diag_error(r->parse.diags, node->position, "'interfaces' must be a mapping of names, not %s",
			   node_type_name(node));
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		const char *why;

		if (link_name_valid(node->pairs[i].key->text, &why))
			declare_interface(r, ns, node->pairs[i].key, node->pairs[i].value);
	}
	for (size_t i = 0; i < node->n; i++)
		read_interface(r, ns, &node->pairs[i]);
}

/* What is left out. */

static void finish_link(struct reading *r, const struct ns_state *ns, struct object *object) {
	struct link *link = as_link(object);
	bool made = !object->external;

	object->awaited &= !streq(ns->name, NS_HOST) && !ns->adopt && !streq(link->name, "lo");
	if (object->twin) {
		inherit(object, ((struct veth *)object)->pair);
		inherit(object, r->link_defaults);
	}
	if (made && object->kind != &kind_physical)
		inherit(object, r->interface_defaults);
	if (!object_has(object, LINK_UP)) {
		link->up = true;
		object->set |= field_bit(LINK_UP);
	}
	if (object->kind != &kind_physical && (made || (streq(link->name, "lo") && !ns->adopt && !streq(ns->name, NS_HOST))))
		link_want_own_addresses(link);
	if (object_has(object, LINK_QUEUES)) {
		link->rx_queues = link->queues;
		object->set |= field_bit(LINK_RX_QUEUES);
	}
	if (!made)
		return;
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (field->initial && !object_has(object, i) &&
		    field_from_text(r->parse.arena, object->ns, field, field->initial, object))
			object->set |= field_bit(i);
	}
	if (!object_has(object, LINK_MAC) && object->kind != &kind_physical &&
	    !(object->kind->shares_mac && object->kind->shares_mac(object))) {
		link->mac = link_stable_mac(r->options->machine_id, r->spec->topology, object->ns, link->name);
		object->set |= field_bit(LINK_MAC);
	}
	link->alias = r->alias;
	object->set |= field_bit(LINK_ALIAS);
}

static void add_lo(struct reading *r, struct ns_state *ns) {
	if (streq(ns->name, NS_HOST) || ns->adopt || ns_find_link(ns, "lo"))
		return;
	struct object *lo = new_link(r, &kind_existing, ns->name, "lo", ns->position);
	lo->drift = ns->drift;
	ns_add(ns, lo);
}

void spec_finish_links(struct reading *r) {
	r->alias = arena_printf(r->parse.arena, "topod:%s", r->spec->topology);
	state_foreach(ns, &r->spec->state) {
		add_lo(r, ns);
		ns_foreach(object, ns)
			if (object_is_link(object))
				finish_link(r, ns, object);
		address_mark_primaries(ns);
	}
}
