/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links as the kernel reports them (RTM_NEWLINK), read by the table of fields; and what a table cannot express: indexes of
 * other links, and attributes whose absence means something.
 */
#include "kind/link.h"

#include <linux/rtnetlink.h>
#include <net/if_arp.h>

#include "model/source.h"
#include "model/state.h"

struct seen {
	const struct ifinfomsg *ifi;
	const struct nlattr *top[MAX(IFLA_MAX, LINK_ATTR_MAX) + 1], *data[64], *bridge_port[64], *bond_port[64], *inet6[16];
	const char *kind;
};

static void parse_message(const struct nlmsghdr *nlh, struct seen *seen) {
	const struct nlattr *info[IFLA_INFO_MAX + 1], *spec[AF_MAX];
	const char *port_kind;

	seen->ifi = mnl_nlmsg_get_payload(nlh);
	nl_parse(nlh, sizeof(*seen->ifi), seen->top, ARRAY_SIZE(seen->top) - 1);
	nl_parse_nested(seen->top[IFLA_LINKINFO], info, IFLA_INFO_MAX);
	nl_parse_nested(info[IFLA_INFO_DATA], seen->data, ARRAY_SIZE(seen->data) - 1);
	port_kind = nl_get_text(info[IFLA_INFO_SLAVE_KIND]);
	nl_parse_nested(streq_ptr(port_kind, "bridge") ? info[IFLA_INFO_SLAVE_DATA] : NULL, seen->bridge_port,
			ARRAY_SIZE(seen->bridge_port) - 1);
	nl_parse_nested(streq_ptr(port_kind, "bond") ? info[IFLA_INFO_SLAVE_DATA] : NULL, seen->bond_port,
			ARRAY_SIZE(seen->bond_port) - 1);
	nl_parse_nested(seen->top[IFLA_AF_SPEC], spec, AF_MAX - 1);
	nl_parse_nested(spec[AF_INET6], seen->inet6, ARRAY_SIZE(seen->inet6) - 1);
	seen->kind = nl_get_text(info[IFLA_INFO_KIND]);
}

static const struct nlattr *attr_at(const struct nlattr *const *attrs, size_t n, uint16_t type) {
	return type < n ? attrs[type] : NULL;
}

static void decode_field(struct arena *arena, const struct seen *seen, struct object *object, size_t i) {
	const struct field *field = &object->kind->fields[i];
	const struct nlattr *attr = NULL;
	void *value = field_of(field, object);

	switch (field->wire) {
	case WIRE_IFF:
	case WIRE_IFF_NOT:
		*(uint32_t *)value = !!(seen->ifi->ifi_flags & field->attr) == (field->wire == WIRE_IFF);
		object->set |= field_bit(i);
		return;
	case WIRE_ATTR:
		attr = attr_at(seen->top, ARRAY_SIZE(seen->top), field->attr);
		break;
	case WIRE_DATA:
		attr = attr_at(seen->data, ARRAY_SIZE(seen->data), field->attr);
		if (!attr && field->attr6)
			attr = attr_at(seen->data, ARRAY_SIZE(seen->data), field->attr6);
		break;
	case WIRE_PORT: /* see port.c */
	case WIRE_LINK:
	case WIRE_DATA_LINK:
	case WIRE_GENERIC:
	case WIRE_METRIC:
		return;
	case WIRE_NONE:
		if (field->flags & FIELD_AF_INET6)
			attr = attr_at(seen->inet6, ARRAY_SIZE(seen->inet6), field->attr);
		break;
	}
	if (field->form == FORM_SHARED ||
	    (attr ? field->type->get(arena, field, attr, value) : field->flags & FIELD_LEFT_OUT))
		object->set |= field_bit(i);
}

static void decode_alternative_names(struct arena *arena, const struct nlattr *list, struct link *link) {
	const struct nlattr *attr;
	size_t n = 0;

	if (!list)
		return;
	mnl_attr_for_each_nested(attr, list)
		n++;
	link->alternative_names = arena_newn(arena, const char *, n);
	mnl_attr_for_each_nested(attr, list) {
		const char *name = mnl_attr_get_type(attr) == IFLA_ALT_IFNAME ? nl_get_text(attr) : NULL;

		if (name)
			link->alternative_names[link->n_alternative_names++] = arena_strdup(arena, name);
	}
}

enum {
	/* DEVCONF_* of linux/ipv6.h, which cannot be included beside the C library's headers */
	ACCEPT_RA = 3,
	DISABLE_IPV6 = 26,
};

static const uint32_t READY =
	UINT32_C(1) << 31; /* IF_READY of net/if_inet6.h: addrconf has processed the link since it came up */

/* Does addrconf_dev_config() or init_loopback() give the link addresses? Not if IPv6 is off, and not ports of a bond
 * or VRF devices. */
static bool runs_ipv6(const struct seen *seen, struct link *link) {
	const struct nlattr *conf = seen->inet6[IFLA_INET6_CONF];
	int32_t values[DISABLE_IPV6 + 1] = {};

	if (!link->up || !conf || mnl_attr_get_payload_len(conf) < sizeof(values))
		return false;
	memcpy(values, mnl_attr_get_payload(conf), sizeof(values));
	link->accept_ra = (uint32_t)values[ACCEPT_RA];
	if (values[DISABLE_IPV6] || seen->ifi->ifi_flags & IFF_SLAVE || streq(link->kind_text, "vrf"))
		return false;
	if (seen->ifi->ifi_flags & IFF_LOOPBACK)
		return true;
	return seen->ifi->ifi_type == ARPHRD_ETHER && nl_get_u32(seen->inet6[IFLA_INET6_FLAGS], 0) & READY;
}

/* Does it lack a MAC address by which it could be recognised? A controller may have that of one of its ports. */
static bool lacks_own_mac(const struct object *link) {
	const struct kind *kind = link->kind;

	return kind->no_mac || (kind->port_kind && kind->shares_mac && kind->shares_mac(link));
}

/* What the table cannot express: indexes of other links, and attributes whose absence means something. */
static void decode_rest(const struct decode *decode, const struct seen *seen, struct link *link) {
	struct object *object = &link->object;

	link->ifindex = (uint32_t)seen->ifi->ifi_index;
	link->kind_text = seen->kind ? arena_strdup(decode->arena, seen->kind) : "";
	link->own_table = streq(link->kind_text, "vrf") ? nl_get_u32(seen->data[IFLA_VRF_TABLE], 0) : 0;
	decode_alternative_names(decode->arena, seen->top[IFLA_PROP_LIST], link);
	if (!object_has(object, LINK_ALIAS)) {
		link->alias = "";
		object->set |= field_bit(LINK_ALIAS);
	}
	const char *rest = startswith(link->alias, "topod:");
	object->owned = rest && streq(rest, decode->topology);
	object->stamped = lacks_own_mac(object) && nl_get_u32(seen->top[IFLA_GROUP], 0) == TOPOD_LINK_GROUP;
	const struct nlattr *own = seen->bond_port[IFLA_BOND_SLAVE_PERM_HWADDR]; /* a bond has given its port another one */
	if (own && object_has(object, LINK_MAC))
		object->kind->fields[LINK_MAC].type->get(decode->arena, &object->kind->fields[LINK_MAC], own, &link->mac);
	object->kernel_made = seen->ifi->ifi_flags & IFF_LOOPBACK || link_is_fallback(link->name);
	link->no_carrier = !nl_get_u8(seen->top[IFLA_CARRIER], 1) ||
			   nl_get_u8(seen->top[IFLA_OPERSTATE], IF_OPER_UNKNOWN) == IF_OPER_DORMANT;
	link->runs_ipv6 = runs_ipv6(seen, link);
	link->makes_addresses = link->runs_ipv6 &&
				(seen->ifi->ifi_flags & IFF_LOOPBACK || link->address_generation != IN6_ADDR_GEN_MODE_NONE);
	link_set_own_addresses(link, true); /* until the addresses are read */
	link->port_state = nl_get_u8(seen->bridge_port[IFLA_BRPORT_STATE], PORT_DISABLED);

	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];
		const struct nlattr *attr = seen->top[IFLA_LINK];

		if ((field->type != &type_link_ref && field->type != &type_underlay) || field->flags & FIELD_LEDGER)
			continue;
		if (field->wire == WIRE_DATA_LINK)
			attr = attr_at(seen->data, ARRAY_SIZE(seen->data), field->attr);
		struct link_ref *ref = field_of(field, object);
		ref->ifindex = field->type == &type_link_ref ? nl_get_u32(attr, 0) : 0;
		ref->netnsid = (int32_t)nl_get_u32(seen->top[IFLA_LINK_NETNSID], UINT32_MAX);
		if (field->type == &type_underlay && ref->netnsid >= 0)
			ref->ns = "?"; /* until it is resolved */
		object->set |= field_bit(i);
	}
}

struct link *link_decode(const struct decode *decode, const struct nlmsghdr *nlh) {
	struct seen seen = {};
	const char *name;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct ifinfomsg))
		return NULL;
	parse_message(nlh, &seen);
	name = nl_get_text(seen.top[IFLA_IFNAME]);
	if (!name || !*name)
		return NULL;

	const struct kind *kind = kind_by_link_kind(seen.kind, &class_link, seen.data);
	struct object *object = object_new(decode->arena, kind ? kind : &kind_other, decode->ns);
	struct link *link = (struct link *)object;
	link->name = arena_strdup(decode->arena, name);
	object->set |= field_bit(LINK_NAME);
	for (size_t i = 0; i < object->kind->n_fields; i++)
		if (object->kind->fields[i].type != &type_link_ref && object->kind->fields[i].type != &type_underlay)
			decode_field(decode->arena, &seen, object, i);
	decode_rest(decode, &seen, link);
	if (kind && kind->get_data)
		kind->get_data(object, seen.data);
	/* The master's name is not known until all links are read: keep its index for now. */
	link->master = seen.top[IFLA_MASTER] ? arena_printf(decode->arena, "%u", nl_get_u32(seen.top[IFLA_MASTER], 0)) : "";
	object->set |= field_bit(LINK_MASTER);
	object_seal(decode->arena, object);
	return link;
}

void link_resolve(const struct decode *decode, struct link *link) {
	uint32_t index;

	if (!*link->master || parse_u32(link->master, &index) < 0)
		return;
	const char *name = decode->link_name(decode->userdata, index);
	link->master = name ? name : "?";
}
