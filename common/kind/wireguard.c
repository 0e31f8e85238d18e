/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wireguard: an encrypted tunnel for IP packets. The link is made by rtnetlink, with the fields of every link; its key, port and
 * mark are set and read by generic netlink (WIRE_GENERIC). The peers are objects of their own (wireguard_peer.c).
 *
 * The outer packets travel in the namespace in which the link was made, wherever it is moved (wg_newlink() and `creating_net`,
 * drivers/net/wireguard/device.c). The kernel does not show which one that is, so the ledger knows (FIELD_LEDGER). When that
 * namespace is destroyed, the link stays and loses its carrier for good (wg_netns_pre_exit()); it must be recreated.
 *
 * The kernel sends no events about any of this.
 */
#include "kind/wireguard.h"

#include "model/change.h"
#include "model/section.h"
#include "model/source.h"

struct wireguard {
	struct link link;
	struct link_ref underlay;
	struct key_file private_key;
	uint32_t underlay_there, listen_port, fwmark;
};

enum { UNDERLAY = LINK_N_FIELDS, UNDERLAY_THERE, PRIVATE_KEY, LISTEN_PORT, FWMARK };

#define ROW(key, member, value_type, number, ...)                                                                    \
	{                                                                                                            \
		.name = key, .type = value_type, .offset = offsetof(struct wireguard, member), .wire = WIRE_GENERIC, \
		.attr = number, __VA_ARGS__                                                                          \
	}

/* wg_setup() and, for the address generation, wg_open(), drivers/net/wireguard/device.c */
static const struct field fields[] = {
	LINK_FIELDS_WITH(LINK_MTU_MAX_OTHER, "1420", "false", "false", "1000", "none"),
	[UNDERLAY] = { .name = "underlay",
		       .type = &type_underlay,
		       .offset = offsetof(struct wireguard, underlay),
		       .class = FIELD_RECREATE,
		       .flags = FIELD_UNDERLAY | FIELD_LEDGER,
		       .initial = "none",
		       .fallback = "none",
		       .doc = "The namespace in which the encrypted packets travel, if it is not the interface's." },
	[UNDERLAY_THERE] = { .name = "underlay-there",
			     .type = &type_bool,
			     .offset = offsetof(struct wireguard, underlay_there),
			     .class = FIELD_RECREATE,
			     .flags = FIELD_HIDDEN | FIELD_ONE_WAY,
			     .initial = "true",
			     .doc = "the namespace of its encrypted packets" },
	[PRIVATE_KEY] = ROW("private-key-file", private_key, &type_private_key_file, WGDEVICE_A_PRIVATE_KEY,
			    .flags = FIELD_AFTER | FIELD_SECRET, .fallback = "none",
			    .doc = "File with the private key, as `wg genkey` prints it; only root may be able to read it."),
	[LISTEN_PORT] = ROW("listen-port", listen_port, &type_integer, WGDEVICE_A_LISTEN_PORT, .flags = FIELD_AFTER,
			    .form = FORM_U16, .min = 1, .max = 65535,
			    .doc = "UDP port; by default the kernel chooses one. If the key is removed, the port stays."),
	[FWMARK] = ROW("fwmark", fwmark, &type_integer, WGDEVICE_A_FWMARK, .flags = FIELD_AFTER, .fallback = "0",
		       .doc = "Mark of the encrypted packets, for policy rules; 0: none."),
};

/* By generic netlink. */

static enum transport transport_of(const struct change *change) {
	for (size_t i = LINK_N_FIELDS; change->type == CHANGE_UPDATE && i < ARRAY_SIZE(fields); i++)
		if (change->fields & field_bit(i) && fields[i].wire == WIRE_GENERIC)
			return TRANSPORT_GENERIC;
	return TRANSPORT_ROUTE;
}

static int encode_wireguard(struct encode *encode, const struct change *change) {
	if (transport_of(change) == TRANSPORT_ROUTE)
		return link_encode(encode, change);
	wireguard_begin(encode->writer, encode->family, 0, WG_CMD_SET_DEVICE, ((const struct link *)change->desired)->name,
			0);
	link_put_fields(encode, change->desired, change->fields, WIRE_GENERIC);
	return 0;
}

static bool declares(const struct object *desired _unused_) {
	return true;
}

static void ask(const struct source_scan *scan, struct nl_writer *w, const struct object *observed) {
	wireguard_begin(w, scan->family, NLM_F_DUMP, WG_CMD_GET_DEVICE, NULL, ((const struct link *)observed)->ifindex);
}

/* The first message has the link's own attributes; those that follow have more peers. */
static void take(struct arena *arena, struct object *observed, const struct nlmsghdr *nlh) {
	struct wireguard *seen = (struct wireguard *)observed;
	const struct nlattr *tb[WGDEVICE_A_MAX + 1];

	if (!nlh) {
		seen->underlay_there = !seen->link.no_carrier;
		seen->private_key = (struct key_file){}; /* none, if no message has one */
		observed->set |= field_bit(UNDERLAY_THERE) | field_bit(PRIVATE_KEY);
		return;
	}
	nl_parse(nlh, sizeof(struct genlmsghdr), tb, WGDEVICE_A_MAX);
	for (size_t i = LINK_N_FIELDS; i < ARRAY_SIZE(fields); i++)
		if (fields[i].wire == WIRE_GENERIC && tb[fields[i].attr] &&
		    fields[i].type->get(arena, &fields[i], tb[fields[i].attr], field_of(&fields[i], observed)))
			observed->set |= field_bit(i);
}

static const struct source device = {
	.protocol = NETLINK_GENERIC,
	.family = WG_GENL_NAME,
	.declares = declares,
	.ask = ask,
	.take = take,
};

/* wg_socket_init() binds the port in the namespace in which the link was made. */
static bool claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	const char *ns = link_underlay(desired);
	uint32_t port = ((const struct wireguard *)desired)->listen_port;

	if (i > 0 || !object_has(desired, LISTEN_PORT))
		return false;
	*ret = (struct sole_claim){
		.key = arena_printf(arena, "wireguard %s %u", ns, port),
		.field = &fields[LISTEN_PORT],
		.problem = arena_printf(
			arena, "another wireguard listens on UDP port %u of %s: choose another 'listen-port'", port, ns),
	};
	return true;
}

const struct kind kind_wireguard = {
	.name = "wireguard",
	.doc = "An encrypted tunnel (wg(8)). Its settings and peers have no events: a change by hand is found by the next periodic scan.",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct wireguard),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = WG_GENL_NAME,
	.family = WG_GENL_NAME,
	.part_kind = &kind_wireguard_peer,
	.markable = true,
	.no_mac = true,
	.made_below = true,
	.sent_in = link_sent_in,
	.transport_of = transport_of,
	.encode = encode_wireguard,
	.source = &device,
	.claim = claim,
};
