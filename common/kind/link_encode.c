/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links as requests to the kernel: RTM_NEWLINK and its like, written by the table of fields.
 *
 * This file knows the nests of RTM_NEWLINK (IFLA_LINKINFO, IFLA_AF_SPEC) and no kind by name. A kind that needs more
 * than its table (two ends in one request, a link elsewhere) does that around link_encode().
 */
#include "kind/link.h"

#include <linux/rtnetlink.h>

#include "model/change.h"
#include "model/source.h"
#include "model/state.h"

struct ifinfomsg *link_begin(struct encode *encode, uint16_t type, uint16_t flags) {
	struct ifinfomsg *ifi = nl_begin(encode->writer, type, flags, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	return ifi;
}

/* Writes the flags in mask that share one attribute. */
static void put_flag_fields(struct encode *encode, const struct object *object, uint64_t mask, uint16_t attr) {
	struct {
		uint32_t flags, mask;
	} value = {};

	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (!(mask >> i & 1) || field->form != FORM_FLAG || field->attr != attr)
			continue;
		value.mask |= field->bit;
		if (*(const uint32_t *)field_of(field, object))
			value.flags |= field->bit;
	}
	nl_put(encode->writer, attr, &value, sizeof(value));
}

void link_put_fields(struct encode *encode, const struct object *object, uint64_t mask, enum field_wire wire) {
	const struct kind *kind = object->kind;
	uint32_t attr_of_flags = 0;

	for (size_t i = 0; i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];

		if (!(mask >> i & 1) || field->wire != wire)
			continue;
		if (field->form == FORM_SHARED || (field->form == FORM_FLAG && attr_of_flags == field->attr))
			continue;
		nl_origin(encode->writer, field);
		if (field->form != FORM_FLAG) {
			field->type->put(encode->writer, field, field_of(field, object));
			continue;
		}
		attr_of_flags = field->attr;
		put_flag_fields(encode, object, mask, field->attr);
	}
}

void link_put_flags(const struct object *object, uint64_t mask, struct ifinfomsg *ifi) {
	const struct kind *kind = object->kind;

	for (size_t i = 0; i < kind->n_fields; i++) {
		const struct field *field = &kind->fields[i];

		if (!(mask >> i & 1) || (field->wire != WIRE_IFF && field->wire != WIRE_IFF_NOT))
			continue;
		bool on = *(const uint32_t *)field_of(field, object);
		ifi->ifi_change |= field->attr;
		if (on == (field->wire == WIRE_IFF))
			ifi->ifi_flags |= field->attr;
	}
}

static int put_master(struct encode *encode, const struct object *object, uint64_t mask) {
	const struct link *link = (const struct link *)object;
	uint32_t index = 0;

	if (!(mask >> LINK_MASTER & 1))
		return 0;
	if (*link->master) {
		index = encode_ifindex(encode, object->ns, link->master);
		if (!index)
			return -ENODEV;
	}
	nl_origin(encode->writer, &object->kind->fields[LINK_MASTER]);
	nl_put_u32(encode->writer, IFLA_MASTER, index);
	return 0;
}

static void put_af_spec(struct encode *encode, const struct object *object, uint64_t mask) {
	struct nl_writer *w = encode->writer;

	if (!(mask >> LINK_ADDRESS_GENERATION & 1))
		return;
	const struct field *field = &object->kind->fields[LINK_ADDRESS_GENERATION];
	struct nlattr *spec = nl_nest(w, IFLA_AF_SPEC | NLA_F_NESTED), *inet6 = nl_nest(w, AF_INET6 | NLA_F_NESTED);

	nl_origin(w, field);
	field->type->put(w, field, field_of(field, object));
	nl_nest_end(w, inet6);
	nl_nest_end(w, spec);
}

/* Writes the lower links, by their index in the namespace to which the request is sent. */
static int put_links(struct encode *encode, const struct object *object, uint64_t mask, enum field_wire wire) {
	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];
		const struct link_ref *ref = field_of(field, object);

		/* If it can be changed, 0 removes it. */
		if (!(mask >> i & 1) || field->wire != wire || (!ref->name && field->class != FIELD_LIVE))
			continue;
		uint32_t index = ref->name ? encode_ifindex(encode, ref->ns, ref->name) : 0;

		if (ref->name && !index)
			return -ENODEV;
		nl_origin(encode->writer, field);
		nl_put_u32(encode->writer, field->attr, index);
	}
	return 0;
}

static uint64_t wire_mask(const struct kind *kind, enum field_wire wire) {
	uint64_t mask = 0;

	for (size_t i = 0; i < kind->n_fields; i++)
		if (kind->fields[i].wire == wire)
			mask |= field_bit(i);
	return mask;
}

/* The fields that put_data() writes. */
static uint64_t shared_mask(const struct kind *kind) {
	uint64_t mask = 0;

	for (size_t i = 0; i < kind->n_fields; i++)
		if (kind->fields[i].form == FORM_SHARED)
			mask |= field_bit(i);
	return mask;
}

static int put_info(struct encode *encode, const struct object *object, uint64_t mask, bool create) {
	struct nl_writer *w = encode->writer;
	const char *name = object->kind->link_kind;
	int r = 0;

	mask &= wire_mask(object->kind, WIRE_DATA) | wire_mask(object->kind, WIRE_DATA_LINK);
	if (!name || (!create && !mask))
		return 0;
	struct nlattr *info = nl_nest(w, IFLA_LINKINFO);
	nl_put_text(w, IFLA_INFO_KIND, name);
	if (mask) {
		struct nlattr *data = nl_nest(w, IFLA_INFO_DATA);
		link_put_fields(encode, object, mask, WIRE_DATA);
		if (object->kind->put_data && mask & shared_mask(object->kind))
			object->kind->put_data(w, object);
		r = put_links(encode, object, mask, WIRE_DATA_LINK);
		nl_nest_end(w, data);
	}
	nl_nest_end(w, info);
	return r;
}

int link_put_netns(struct encode *encode, const char *ns) {
	int fd = encode->resolver->netns_fd(encode->resolver->userdata, ns);

	if (fd < 0) {
		encode->problem = arena_printf(encode->arena, "there is no namespace %s", ns);
		return fd;
	}
	nl_put_u32(encode->writer, IFLA_NET_NS_FD, (uint32_t)fd);
	return 0;
}

/* The kernel sets the sizes for IPv4 to the general ones (netif_set_gso_max_size()), so the sizes for IPv4 follow. */
uint64_t link_with_ipv4_sizes(const struct object *object, uint64_t mask) {
	if (mask >> LINK_GSO_MAX_SIZE & 1)
		mask |= object->set & field_bit(LINK_GSO_IPV4_MAX_SIZE);
	if (mask >> LINK_GRO_MAX_SIZE & 1)
		mask |= object->set & field_bit(LINK_GRO_IPV4_MAX_SIZE);
	return mask;
}

static int put_all(struct encode *encode, const struct object *object, uint64_t mask, struct ifinfomsg *ifi, bool create) {
	mask = link_with_ipv4_sizes(object, mask);
	link_put_flags(object, mask, ifi);
	link_put_fields(encode, object, mask, WIRE_ATTR);
	put_af_spec(encode, object, mask);
	int r = put_links(encode, object, mask, WIRE_LINK);
	if (r == 0)
		r = put_master(encode, object, mask);
	return r < 0 ? r : put_info(encode, object, mask, create);
}

void link_put_identity(struct encode *encode, const struct link *link, struct ifinfomsg *ifi) {
	const struct resolver *resolver = encode->resolver;

	ifi->ifi_index = (int)resolver->new_ifindex(resolver->userdata, link->object.ns, link->name);
	nl_origin(encode->writer, &link->object.kind->fields[LINK_NAME]);
	nl_put_text(encode->writer, IFLA_IFNAME, link->name);
	nl_put_u32(encode->writer, IFLA_GROUP, TOPOD_LINK_GROUP);
}

/* Under a temporary name, because that namespace may have a link with its final name. The first message has nearly
 * everything that the kernel may refuse, the second one moves the link, the last one removes it if the move failed. Before
 * Linux 6.15 a single message with IFLA_NET_NS_FD makes the link in its target namespace, which is then its underlay. */
static int encode_create_below(struct encode *encode, const struct change *change) {
	const struct resolver *resolver = encode->resolver;
	const struct object *object = change->desired;
	const struct link *link = (const struct link *)object;
	uint32_t index = resolver->new_ifindex(resolver->userdata, link_underlay(object), NULL);
	const char *name = arena_printf(encode->arena, "tp%u", index);
	struct ifinfomsg *ifi = link_begin(encode, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);

	ifi->ifi_index = (int)index;
	nl_put_text(encode->writer, IFLA_IFNAME, name);
	nl_put_u32(encode->writer, IFLA_GROUP, TOPOD_LINK_GROUP);
	link_put_fields(encode, object, change->fields, WIRE_ATTR);
	int r = put_info(encode, object, change->fields, true);
	ifi = link_begin(encode, RTM_NEWLINK, 0);
	ifi->ifi_index = (int)index;
	nl_origin(encode->writer, &object->kind->fields[LINK_NAME]);
	nl_put_text(encode->writer, IFLA_IFNAME, link->name);
	nl_put_u32(encode->writer, IFLA_NEW_IFINDEX, resolver->new_ifindex(resolver->userdata, object->ns, link->name));
	link_put_flags(object, change->fields, ifi);
	r = r < 0 ? r : put_master(encode, object, change->fields);
	r = r < 0 ? r : link_put_netns(encode, object->ns);
	link_begin(encode, RTM_DELLINK, 0);
	nl_put_text(encode->writer, IFLA_IFNAME, name);
	encode->cleans_up = true;
	return r;
}

static int encode_create(struct encode *encode, const struct change *change) {
	const struct link *link = (const struct link *)change->desired;

	if (link->object.kind->made_below && !streq(link_sent_in(change), link->object.ns))
		return encode_create_below(encode, change);
	struct ifinfomsg *ifi = link_begin(encode, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	link_put_identity(encode, link, ifi);
	if (!streq(link_sent_in(change), link->object.ns)) {
		int r = link_put_netns(encode, link->object.ns);
		if (r < 0)
			return r;
	}
	return put_all(encode, &link->object, change->fields, ifi, true);
}

const char *link_underlay(const struct object *object) {
	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];
		const struct link_ref *ref = field_of(field, object);

		if ((field->wire == WIRE_LINK || field->wire == WIRE_DATA_LINK || field->flags & FIELD_UNDERLAY) &&
		    object_has(object, i) && ref->ns)
			return ref->ns;
	}
	return object->ns;
}

/* A link on a lower link of another namespace is created there, and appears in its own namespace under its name. */
const char *link_sent_in(const struct change *change) {
	const struct object *object = change->desired;

	if (change->type != CHANGE_CREATE)
		return object ? object->ns : change->observed->ns;
	return link_underlay(object);
}

/* The index of the link to change; a link made in this plan is known only by its name. */
static uint32_t current_index(struct encode *encode, const struct change *change) {
	const struct link *seen = (const struct link *)change->observed;
	const struct link *link = seen ? seen : (const struct link *)change->desired;

	if (seen && seen->ifindex)
		return seen->ifindex;
	return encode->resolver->ifindex(encode->resolver->userdata, link->object.ns, link->name);
}

/* A copy of the desired link in which undeclared data is filled in as observed, so that the driver does not reset it. */
static const struct object *with_whole_data(struct arena *arena, const struct change *change, uint64_t *fields) {
	const struct object *want = change->desired, *have = change->observed;

	if (!want->kind->whole_data || !have || have->kind != want->kind)
		return want;
	uint64_t data = wire_mask(want->kind, WIRE_DATA) | wire_mask(want->kind, WIRE_DATA_LINK);
	if (!(*fields & data))
		return want;
	struct object *whole = arena_memdup(arena, want, want->kind->size);
	/* Fields may share memory (`key` is both keys), so declared values are written last. */
	for (uint64_t left = data & have->set & ~want->set; left; left &= left - 1) {
		const struct field *field = &want->kind->fields[__builtin_ctzll(left)];
		memcpy(field_of(field, whole), field_of(field, have), field->type->size);
	}
	for (uint64_t left = data & want->set; left; left &= left - 1) {
		const struct field *field = &want->kind->fields[__builtin_ctzll(left)];
		memcpy(field_of(field, whole), field_of(field, want), field->type->size);
	}
	*fields |= data & (want->set | have->set);
	return whole;
}

static int put_update(struct encode *encode, const struct change *change, uint32_t index, uint64_t fields) {
	const struct object *whole = with_whole_data(encode->arena, change, &fields);
	struct ifinfomsg *ifi = link_begin(encode, RTM_NEWLINK, 0);

	ifi->ifi_index = (int)index;
	return put_all(encode, whole, fields, ifi, false);
}

static void put_down(struct encode *encode, uint32_t index) {
	struct ifinfomsg *ifi = link_begin(encode, RTM_NEWLINK, 0);

	ifi->ifi_index = (int)index;
	ifi->ifi_change = IFF_UP;
}

/* Joins a controller that takes only links that are down, and brings them up itself. A port does not have its own MAC
 * address while it is a member, so that can only be changed outside. */
static int put_joining(struct encode *encode, const struct change *change, uint32_t index, uint64_t *fields) {
	const struct object *object = change->desired;
	const struct link *seen = (const struct link *)change->observed;
	uint64_t mac = *fields & field_bit(LINK_MAC), joining = *fields & (mac | field_bit(LINK_MASTER));

	if (!object->joins_down || !joining)
		return 0;
	if (seen && seen->up)
		put_down(encode, index);
	if (mac && seen && *seen->master) {
		struct ifinfomsg *ifi = link_begin(encode, RTM_NEWLINK, 0);
		ifi->ifi_index = (int)index;
		nl_put_u32(encode->writer, IFLA_MASTER, 0);
	}
	int r = mac ? put_update(encode, change, index, mac) : 0;
	r = r < 0 ? r : put_update(encode, change, index, field_bit(LINK_MASTER));
	*fields = (*fields & ~joining) | (object->set & field_bit(LINK_UP));
	return r;
}

/* The kernel applies the flags of a message first, so fields that must be set before the link is up go into a separate
 * message. The attributes of IFLA_INFO_DATA come before the flags. */
static int encode_update(struct encode *encode, const struct change *change, uint32_t index) {
	const struct object *object = change->desired;
	const struct link *seen = (const struct link *)change->observed;
	uint64_t fields = change->fields & ~(field_bit(LINK_OWN_ADDRESSES) | field_bit(LINK_OWN_ROUTES));
	int r = put_joining(encode, change, index, &fields);
	if (r == 0 && seen && seen->up && fields & kind_flagged(object->kind, FIELD_WHEN_DOWN)) {
		put_down(encode, index);
		fields |= object->set & field_bit(LINK_UP);
	}
	uint64_t before = fields >> LINK_UP & 1 ? fields & field_bit(LINK_ADDRESS_GENERATION) : 0;
	r = r == 0 && before ? put_update(encode, change, index, before) : r;

	if (r == 0 && fields & ~before)
		r = put_update(encode, change, index, fields & ~before);
	if (r == 0 && change->fields & (field_bit(LINK_OWN_ADDRESSES) | field_bit(LINK_OWN_ROUTES)))
		link_put_own_addresses(encode, change, index);
	return r;
}

int link_put_end(struct encode *encode, const struct object *object, uint64_t mask, struct ifinfomsg *ifi) {
	link_put_identity(encode, (const struct link *)object, ifi);
	int r = link_put_netns(encode, object->ns);
	if (r < 0)
		return r;
	link_put_flags(object, mask, ifi);
	link_put_fields(encode, object, mask, WIRE_ATTR);
	return put_master(encode, object, mask);
}

/* By name: an end of a pair disappears by itself some time after the namespace of the other end, and by then its
 * index may be that of somebody's new link. */
static int encode_deletion(struct encode *encode, const struct link *seen) {
	link_begin(encode, RTM_DELLINK, 0);
	nl_put_text(encode->writer, IFLA_IFNAME, seen->name);
	return 0;
}

int link_encode(struct encode *encode, const struct change *change) {
	if (change->type == CHANGE_CREATE)
		return encode_create(encode, change);
	if (change->type == CHANGE_DELETE)
		return encode_deletion(encode, (const struct link *)change->observed);

	uint32_t index = current_index(encode, change);
	if (!index) {
		encode->problem = "the interface is gone";
		return -ENODEV;
	}
	return encode_update(encode, change, index);
}
