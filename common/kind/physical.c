/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * physical: a link of the host namespace that is moved into its namespace under its name there, and given
 * back on removal. "Creating" it is the move; everything else is set afterwards, because a move resets it.
 */
#include <linux/rtnetlink.h>

#include "kind/physical.h"

static const struct field fields[] = {
	LINK_FIELDS_UP_TO(LINK_MTU_MAX_OTHER, "1500", "true", "true", "1000"),
	[PHYSICAL_SOURCE] = { .name = "source", .type = &type_text, .offset = offsetof(struct physical, source),
			      .flags = FIELD_REQUIRED | FIELD_ONCE,
			      .doc = "Which interface of the host namespace: its name or MAC address." },
	[PHYSICAL_SOURCE_MAC] = { .name = "source-mac", .type = &type_text, .offset = offsetof(struct physical, source_mac),
				  .flags = FIELD_HIDDEN | FIELD_ONCE | FIELD_SIGN },
};

static uint32_t find_source(struct encode *encode, const struct physical *physical) {
	const struct resolver *resolver = encode->resolver;
	struct mac mac;

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
		encode->problem = arena_printf(encode->arena, "there is no interface %s in the host namespace",
					       physical->source);
		return -ENODEV;
	}
	ifi->ifi_index = (int)index;
	nl_put_text(encode->writer, IFLA_IFNAME, physical->link.name);
	nl_put_u32(encode->writer, IFLA_NEW_IFINDEX,
		   resolver->new_ifindex(resolver->userdata, physical->link.object.ns, physical->link.name));
	return link_put_netns(encode, physical->link.object.ns);
}

/* Given back: to the host namespace, under the name that it had there. The kernel would give it the index of a link that went a
 * moment ago (a pair's end goes some time after the namespace of the other), by which requests may follow that are meant
 * for that link, its deletion among them. */
static int encode_move_out(struct encode *encode, const struct change *change) {
	const struct resolver *resolver = encode->resolver;
	const struct link *seen = (const struct link *)change->observed;
	const struct physical *was = (const struct physical *)change->desired;
	struct ifinfomsg *ifi = link_begin(encode, RTM_NEWLINK, 0);
	struct mac mac;

	ifi->ifi_index = (int)seen->ifindex;
	if (was && was->source && mac_parse(was->source, &mac) < 0)
		nl_put_text(encode->writer, IFLA_IFNAME, was->source);
	nl_put_text(encode->writer, IFLA_IFALIAS, "");
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

static bool is_made_of(const struct object *desired, const struct object *link) {
	const char *source = ((const struct physical *)desired)->source;
	const struct link *seen = (const struct link *)link;
	struct mac mac;

	return mac_parse(source, &mac) == 0 ? memcmp(&mac, &seen->mac, sizeof(mac)) == 0 : streq(source, seen->name);
}

/* It can be moved to one place only. */
static bool claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	const char *source = ((const struct physical *)desired)->source;

	if (i > 0 || !source)
		return false;
	*ret = (struct sole_claim){
		.key = arena_printf(arena, "source %s", source), .field = &fields[PHYSICAL_SOURCE],
		.problem = arena_printf(arena, "%s is the source of two interfaces", source),
	};
	return true;
}

const struct kind kind_physical = {
	.name = "physical", .doc = "An interface of the host that is moved in, and given back.",
	.class = CLASS_LINK, .transport = TRANSPORT_ROUTE, .size = sizeof(struct physical),
	.fields = fields, .n_fields = ARRAY_SIZE(fields), .any_kind = true, .markable = true, .bare_create = true,
	.sent_in = sent_in, .encode = encode_physical, .is_made_of = is_made_of, .claim = claim,
};
