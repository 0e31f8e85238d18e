/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * physical: a link of the host namespace that is moved into its namespace and renamed, and given back on removal with
 * the name, MAC address, MTU, state and other settings that it had. "Creating" it is the move; everything else is set
 * afterwards, because a move resets it.
 */
#include <linux/rtnetlink.h>

#include "kind/physical.h"
#include "model/change.h"
#include "model/section.h"

static const struct field fields[] = {
	LINK_FIELDS_UP_TO(LINK_MTU_MAX_OTHER, "1500", "true", "true", "1000"),
	[PHYSICAL_SOURCE] = { .name = "source",
			      .type = &type_text,
			      .offset = offsetof(struct physical, source),
			      .flags = FIELD_REQUIRED | FIELD_ONCE,
			      .doc = "The interface of the host namespace: its name, an alternative name or its MAC address." },
	[PHYSICAL_SOURCE_MAC] = { .name = "source-mac",
				  .type = &type_text,
				  .offset = offsetof(struct physical, source_mac),
				  .flags = FIELD_HIDDEN | FIELD_ONCE | FIELD_SIGN },
	[PHYSICAL_FORMER_NAME] = { .name = "former-name",
				   .type = &type_text,
				   .offset = offsetof(struct physical, former_name),
				   .flags = FIELD_HIDDEN | FIELD_ONCE },
	[PHYSICAL_FORMER_MTU] = { .name = "former-mtu",
				  .type = &type_text,
				  .offset = offsetof(struct physical, former_mtu),
				  .flags = FIELD_HIDDEN | FIELD_ONCE },
	[PHYSICAL_FORMER_UP] = { .name = "former-up",
				 .type = &type_text,
				 .offset = offsetof(struct physical, former_up),
				 .flags = FIELD_HIDDEN | FIELD_ONCE },
	[PHYSICAL_FORMER_SETTINGS] = { .name = "former-settings",
				       .type = &type_text,
				       .offset = offsetof(struct physical, former_settings),
				       .flags = FIELD_HIDDEN | FIELD_ONCE },
};

/* Other settings that a file may change and that a move to another namespace does not reset. */
static const enum link_field settings[] = { LINK_ARP,          LINK_MULTICAST,    LINK_PROMISCUOUS,
					    LINK_TXQUEUELEN,   LINK_GSO_MAX_SIZE, LINK_GSO_IPV4_MAX_SIZE,
					    LINK_GSO_MAX_SEGS, LINK_GRO_MAX_SIZE, LINK_GRO_IPV4_MAX_SIZE };

/* "arp true txqueuelen 1000 …": none of the values has a space. */
static const char *print_settings(struct arena *arena, const struct link *seen) {
	_cleanup_text_ struct text text = {};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct field *field = &fields[settings[i]];

		if (!object_has(&seen->object, settings[i]))
			continue;
		text_addf(&text, "%s%s ", text.size ? " " : "", field->name);
		field_print(field, seen, &text);
	}
	return arena_strdup(arena, text_str(&text));
}

uint64_t physical_former_settings(struct arena *arena, const struct physical *was, struct link *ret) {
	char *text = was->former_settings ? arena_strdup(arena, was->former_settings) : NULL, *rest = NULL;
	uint64_t found = 0;

	for (char *name = text ? strtok_r(text, " ", &rest) : NULL; name; name = strtok_r(NULL, " ", &rest)) {
		const char *value = strtok_r(NULL, " ", &rest);

		for (size_t i = 0; value && i < ARRAY_SIZE(settings); i++)
			if (streq(fields[settings[i]].name, name) &&
			    field_from_text(arena, NS_HOST, &fields[settings[i]], value, ret))
				found |= field_bit(settings[i]);
	}
	return found;
}

/* Only those that differ: a driver might refuse even a value that it has. */
static void put_former_settings(struct encode *encode, const struct physical *was, const struct link *seen,
				struct ifinfomsg *ifi) {
	struct physical former = { .link.object = { .kind = &kind_physical, .ns = NS_HOST } };
	struct object *object = &former.link.object;
	uint64_t differs = 0;

	object->set = physical_former_settings(encode->arena, was, &former.link);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (object_has(object, settings[i]) && object_has(&seen->object, settings[i]) &&
		    !field_equal(&fields[settings[i]], &former, seen))
			differs |= field_bit(settings[i]);
	differs = link_with_ipv4_sizes(object, differs);
	link_put_flags(object, differs, ifi);
	link_put_fields(encode, object, differs, WIRE_ATTR);
}

static uint32_t find_source(struct encode *encode, const struct physical *physical) {
	const struct resolver *resolver = encode->resolver;
	struct mac mac;

	if (physical->found_as)
		return resolver->ifindex(resolver->userdata, "host", physical->found_as);
	if (mac_parse(physical->source, &mac) == 0)
		return resolver->ifindex_by_mac(resolver->userdata, &mac);
	return resolver->ifindex(resolver->userdata, "host", physical->source);
}

static int encode_move_in(struct encode *encode, const struct change *change) {
	const struct physical *physical = (const struct physical *)change->desired;
	struct ifinfomsg *ifi = link_begin(encode, RTM_NEWLINK, 0);
	const struct resolver *resolver = encode->resolver;
	uint32_t index = find_source(encode, physical);

	if (!index) {
		encode->problem =
			arena_printf(encode->arena, "there is no interface %s in the host namespace", physical->source);
		return -ENODEV;
	}
	ifi->ifi_index = (int)index;
	nl_put_text(encode->writer, IFLA_IFNAME, physical->link.name);
	nl_put_u32(encode->writer, IFLA_NEW_IFINDEX,
		   resolver->new_ifindex(resolver->userdata, physical->link.object.ns, physical->link.name));
	return link_put_netns(encode, physical->link.object.ns);
}

/* The kernel moves the link first, which brings it down, and then sets the rest (do_setlink() in
 * net/core/rtnetlink.c). What is already as before is not set: a driver might refuse it. */
static void put_former(struct encode *encode, const struct physical *was, const struct link *seen, struct ifinfomsg *ifi) {
	uint32_t mtu;
	struct mac mac;

	if (was->former_name)
		nl_put_text(encode->writer, IFLA_IFNAME, was->former_name);
	else if (was->source && mac_parse(was->source, &mac) < 0)
		nl_put_text(encode->writer, IFLA_IFNAME, was->source);
	if (was->source_mac && mac_parse(was->source_mac, &mac) == 0 && memcmp(&mac, &seen->mac, sizeof(mac)) != 0)
		nl_put(encode->writer, IFLA_ADDRESS, &mac, sizeof(mac));
	if (was->former_mtu && parse_u32(was->former_mtu, &mtu) == 0 && mtu != seen->mtu)
		nl_put_u32(encode->writer, IFLA_MTU, mtu);
	put_former_settings(encode, was, seen, ifi);
	if (was->former_up && streq(was->former_up, "true")) {
		ifi->ifi_flags |= IFF_UP;
		ifi->ifi_change |= IFF_UP;
	}
}

static int encode_move_out(struct encode *encode, const struct change *change) {
	const struct resolver *resolver = encode->resolver;
	const struct link *seen = (const struct link *)change->observed;
	const struct physical *was = (const struct physical *)change->desired;
	bool moved_back = streq(seen->object.ns, "host");
	struct ifinfomsg *ifi;

	if (moved_back && seen->up) { /* before Linux 6.2, only a link that is down can be renamed */
		ifi = link_begin(encode, RTM_NEWLINK, 0);
		ifi->ifi_index = (int)seen->ifindex;
		ifi->ifi_change = IFF_UP;
	}
	ifi = link_begin(encode, RTM_NEWLINK, 0);
	ifi->ifi_index = (int)seen->ifindex;
	if (was)
		put_former(encode, was, seen, ifi);
	nl_put_text(encode->writer, IFLA_IFALIAS, "");
	if (moved_back)
		return 0;
	/* Otherwise the kernel might give it the index of a link that has just disappeared (an end of a pair does so some
	 * time after the other end's namespace), and requests meant for that link, even its deletion, would hit this one. */
	nl_put_u32(encode->writer, IFLA_NEW_IFINDEX, resolver->new_ifindex(resolver->userdata, "host", NULL));
	return link_put_netns(encode, "host");
}

static int encode_physical(struct encode *encode, const struct change *change) {
	switch (change->type) {
	case CHANGE_CREATE:
		return encode_move_in(encode, change);
	case CHANGE_DELETE:
		return encode_move_out(encode, change);
	case CHANGE_UPDATE:
		break;
	}
	return link_encode(encode, change);
}

static const char *sent_in(const struct change *change) {
	return change->type == CHANGE_CREATE ? "host" : link_sent_in(change);
}

/* Is it one of the alternative names? */
static bool has_name(const struct link *link, const char *name) {
	for (size_t i = 0; i < link->n_alternative_names; i++)
		if (streq(link->alternative_names[i], name))
			return true;
	return false;
}

static bool is_made_of(const struct object *desired, const struct object *link) {
	const char *source = ((const struct physical *)desired)->source;
	const struct link *seen = (const struct link *)link;
	struct mac mac;

	return mac_parse(source, &mac) == 0 ? memcmp(&mac, &seen->mac, sizeof(mac)) == 0
					    : streq(source, seen->name) || has_name(seen, source);
}

static void take(struct arena *arena, struct object *desired, const struct object *link, const struct object *noted) {
	struct physical *physical = (struct physical *)desired;
	const struct physical *was = (const struct physical *)noted;
	const struct link *seen = (const struct link *)link;
	char buffer[MAC_TEXT_MAX];

	physical->found_as = arena_strdup(arena, seen->name);
	physical->source_mac =
		was && was->source_mac ? was->source_mac : arena_strdup(arena, mac_format(&seen->mac, buffer));
	physical->former_name = was && was->former_name ? was->former_name : physical->found_as;
	physical->former_mtu = was && was->former_mtu ? was->former_mtu : arena_printf(arena, "%u", seen->mtu);
	physical->former_up = was && was->former_up ? was->former_up : seen->up ? "true" : "false";
	physical->former_settings = was && was->former_settings ? was->former_settings : print_settings(arena, seen);
	desired->set |= field_bit(PHYSICAL_FORMER_SETTINGS) | field_bit(PHYSICAL_SOURCE_MAC) |
			field_bit(PHYSICAL_FORMER_NAME) | field_bit(PHYSICAL_FORMER_MTU) | field_bit(PHYSICAL_FORMER_UP);
}

/* `source` may name the same link in another way. */
static bool is_same_source(const struct object *desired, const struct object *noted, const struct object *seen) {
	const struct physical *want = (const struct physical *)desired, *was = (const struct physical *)noted;
	struct mac a, b;

	if (streq_ptr(want->source, was->source) || streq_ptr(want->source, was->former_name))
		return true;
	if (mac_parse(want->source, &a) < 0)
		return has_name((const struct link *)seen, want->source);
	return was->source_mac && mac_parse(was->source_mac, &b) == 0 && memcmp(&a, &b, sizeof(a)) == 0;
}

/* It can be moved to only one place. */
static bool claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	const char *source = ((const struct physical *)desired)->source;

	if (i > 0 || !source)
		return false;
	*ret = (struct sole_claim){
		.key = arena_printf(arena, "source %s", source),
		.field = &fields[PHYSICAL_SOURCE],
		.problem = arena_printf(arena, "%s is the source of two interfaces", source),
	};
	return true;
}

/* An interface that is moved cannot stay in the host. */
static void check(struct reading *r, const struct ns_state *ns _unused_, const struct object *object) {
	const struct physical *physical = (const struct physical *)object;
	struct mac mac;
	bool by_mac = physical->source && mac_parse(physical->source, &mac) == 0;
	const struct ns_state *host = physical->source ? state_find(r->state, NS_HOST) : NULL;

	if (streq(object->ns, NS_HOST))
		diag_error(
			r->parse.diags, object->position,
			"a physical interface is moved out of the host namespace; for one that stays there write 'kind: existing'");
	ns_foreach(other, host) {
		const struct link *link = (const struct link *)other;

		if (!object_is_link(other) || (by_mac ? !object_has(other, LINK_MAC) || memcmp(&link->mac, &mac, sizeof(mac))
						      : !streq(link->name, physical->source)))
			continue;
		diag_error(r->parse.diags, object_position(object, &object->kind->fields[PHYSICAL_SOURCE]), "%s %s",
			   physical->source,
			   other->external
				   ? "cannot be declared in the host namespace and moved out of it"
				   : "is made by this file; 'source' must be an interface that the machine already has");
		diag_note(r->parse.diags, other->position, "it is declared here");
	}
}

const struct kind kind_physical = {
	.name = "physical",
	.doc = "An interface of the host that is moved into the namespace, and given back at the end.",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct physical),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.any_kind = true,
	.markable = true,
	.bare_create = true,
	.sent_in = sent_in,
	.encode = encode_physical,
	.is_made_of = is_made_of,
	.check = check,
	.claim = claim,
	.take = take,
	.is_same_source = is_same_source,
};
