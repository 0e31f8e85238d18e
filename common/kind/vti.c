/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vti, vti6: an interface for IPsec, in the kernel's older form. What is routed to it is encrypted by the policies whose mark is
 * its key; xfrm is the newer form.
 */
#include <linux/if_tunnel.h>

#include "kind/tunnel.h"
#include "model/section.h"

static void put_keys(struct nl_writer *w, const struct object *object) {
	const struct tunnel *tunnel = (const struct tunnel *)object;

	nl_put_u32(w, IFLA_VTI_IKEY, htonl(tunnel->input_key.number));
	nl_put_u32(w, IFLA_VTI_OKEY, htonl(tunnel->output_key.number));
}

/* The kernel has no flag for a key: 0 is none. */
static struct tunnel_key get_key(const struct nlattr *attr) {
	uint32_t number = ntohl(nl_get_u32(attr, 0));

	return (struct tunnel_key){ number, number };
}

static void get_keys(struct object *object, const struct nlattr *const *data) {
	struct tunnel *tunnel = (struct tunnel *)object;

	tunnel->input_key = get_key(data[IFLA_VTI_IKEY]);
	tunnel->output_key = get_key(data[IFLA_VTI_OKEY]);
}

static void check(struct reading *r, const struct ns_state *ns _unused_, const struct object *desired) {
	const struct tunnel *tunnel = (const struct tunnel *)desired;
	size_t key = TUNNEL_N_FIELDS;

	tunnel_check(r, ns, desired);
	if ((tunnel->input_key.set && !tunnel->input_key.number) || (tunnel->output_key.set && !tunnel->output_key.number))
		diag_error(r->parse.diags, object_position(desired, &desired->kind->fields[key]),
			   "the key 0 of a %s means none; write 'none'", desired->kind->name);
}

#define SHARED(key, member, value_type, text) \
	TUNNEL_ROW(key, member, value_type, 0, .form = FORM_SHARED, .fallback = "none", .doc = text)
#define FIELDS(none)                                                                             \
	TUNNEL_FIELDS("false", "false", none, IFLA_VTI_LOCAL, IFLA_VTI_REMOTE, IFLA_VTI_LINK),   \
		SHARED("key", input_key, &type_tunnel_keys, "Mark of the policies, both ways."), \
		SHARED("input-key", input_key, &type_tunnel_key, "Mark of received packets."),   \
		SHARED("output-key", output_key, &type_tunnel_key, "Mark of sent packets.")

static const struct field vti[] = { FIELDS("0.0.0.0") };
static const struct field vti6[] = { FIELDS("::") };

/* Only one can have the same ends, regardless of its key: ip_tunnel_key_match() without TUNNEL_KEY, vti6_locate(). */
#define VTI(word, sentence, table)                                                                                    \
	{                                                                                                             \
		.name = word, .doc = sentence, .class = &class_link, .transport = TRANSPORT_ROUTE,                    \
		.size = sizeof(struct tunnel), .fields = table, .n_fields = ARRAY_SIZE(table), .link_kind = word,     \
		.markable = true, .no_mac = true, .sent_in = link_sent_in, .encode = link_encode, .whole_data = true, \
		.made_below = true, .check = check, .is_usual = tunnel_is_usual, .claim = tunnel_claim_ends,          \
		.recreate = tunnel_recreate, .put_data = put_keys, .get_data = get_keys                               \
	}

const struct kind kind_vti = VTI("vti", "An interface for IPsec over IPv4, by marks; `xfrm` is the newer form.", vti);
const struct kind kind_vti6 = VTI("vti6", "An interface for IPsec over IPv6, by marks; `xfrm` is the newer form.", vti6);
