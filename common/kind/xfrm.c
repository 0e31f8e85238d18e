/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfrm: an interface for IPsec. What is routed to it is encrypted by the policies and states that bear its id (if_id). */
#include "kind/link.h"
#include "model/section.h"

struct xfrm {
	struct link link;
	struct link_ref dev, underlay;
	uint32_t id, external;
};

enum { DEV = LINK_N_FIELDS, UNDERLAY, ID, EXTERNAL };

/* xfrmi_dev_setup(), net/xfrm/xfrm_interface_core.c */
static const struct field fields[] = {
	LINK_FIELDS_NO_HEADER(LINK_MTU_MAX_OTHER, NULL, "false", "1000"),
	[DEV] = { .name = "dev",
		  .type = &type_link_ref,
		  .offset = offsetof(struct xfrm, dev),
		  .class = FIELD_RECREATE,
		  .flags = FIELD_DEV | FIELD_LOWER,
		  .wire = WIRE_DATA_LINK,
		  .attr = IFLA_XFRM_LINK,
		  .fallback = "none",
		  .doc = "The interface through which encrypted packets leave: a name, or namespace:interface." },
	[UNDERLAY] = LINK_UNDERLAY(xfrm),
	[ID] = { .name = "id",
		 .type = &type_integer,
		 .offset = offsetof(struct xfrm, id),
		 .class = FIELD_RECREATE,
		 .flags = FIELD_REQUIRED,
		 .unless = "external",
		 .wire = WIRE_DATA,
		 .attr = IFLA_XFRM_IF_ID,
		 .min = 1,
		 .doc = "The if_id of the policies and states; not with `external`." },
	[EXTERNAL] = { .name = "external",
		       .type = &type_bool,
		       .offset = offsetof(struct xfrm, external),
		       .class = FIELD_RECREATE,
		       .flags = FIELD_LEFT_OUT,
		       .wire = WIRE_DATA,
		       .attr = IFLA_XFRM_COLLECT_METADATA,
		       .form = FORM_PRESENT,
		       .doc = "Whether routes choose the id of each packet." },
};

static void check(struct reading *r, const struct ns_state *ns _unused_, const struct object *desired) {
	const struct xfrm *xfrm = (const struct xfrm *)desired;

	if (object_has(desired, ID) == xfrm->external && object_has(desired, EXTERNAL))
		diag_error(r->parse.diags, object_position(desired, &fields[xfrm->external ? ID : EXTERNAL]),
			   xfrm->external ? "with 'external: true' the routes choose the id; leave it out"
					  : "without 'external' an xfrm interface needs an 'id', the if_id of its policies");
}

/* xfrmi_locate(): within one namespace. */
static bool claim(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	const struct xfrm *xfrm = (const struct xfrm *)desired;
	const char *ns = link_underlay(desired);

	if (i > 0)
		return false;
	*ret = (struct sole_claim){
		.key = arena_printf(arena, "xfrm %s %u", ns, xfrm->external ? 0 : xfrm->id),
		.field = &fields[xfrm->external ? EXTERNAL : ID],
		.problem = arena_printf(arena, "another xfrm interface of %s has this id", ns),
	};
	return true;
}

const struct kind kind_xfrm = {
	.name = "xfrm",
	.doc = "An interface for IPsec, whose policies and states have its id.",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct xfrm),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "xfrm",
	.markable = true,
	.no_mac = true,
	.made_below = true,
	.sent_in = link_sent_in,
	.encode = link_encode,
	.check = check,
	.claim = claim,
};
