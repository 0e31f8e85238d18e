/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policer: drops incoming packets above a rate. It is an ingress qdisc with one filter that matches every packet and has
 * one action (`tc qdisc add dev X ingress`, `tc filter add … matchall action police …`).
 *
 * An ingress qdisc without filters has no effect, and counts as none. A change replaces the parameters of the action, so that
 * no packet passes without it. Other filters of that qdisc are left alone while it exists, and disappear with it.
 */
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include "kind/qdisc_option.h"
#include "model/change.h"
#include "model/section.h"

enum { INGRESS = 0xffff0000, HANDLE = TOPOD_PROTOCOL };

struct police {
	struct object object;
	const char *dev;
	uint32_t ingress;
	uint32_t marked;
	uint64_t rate;
	uint32_t burst, mtu;
	uint32_t action; /* observed: the index of the action; 0: there is none */
};

enum { DEV, INGRESS_KEY, MARK, RATE, BURST, MTU };

#define ROW(index, key, member, value_type, ...) \
	[index] = { .name = key, .type = value_type, .offset = offsetof(struct police, member), __VA_ARGS__ }

static const struct field fields[] = {
	ROW(DEV, "dev", dev, &type_link_name, .class = FIELD_KEY, .flags = FIELD_HIDDEN | FIELD_DEV),
	ROW(INGRESS_KEY, "ingress", ingress, &type_bool, .class = FIELD_KEY, .flags = FIELD_HIDDEN),
	ROW(MARK, "mark", marked, &type_bool, .flags = FIELD_HIDDEN | FIELD_ONE_WAY | FIELD_MARK, .doc = "the filter"),
	ROW(RATE, "rate", rate, &type_rate, .flags = FIELD_REQUIRED, .doc = "The average rate of incoming packets."),
	ROW(BURST, "burst", burst, &type_size, .flags = FIELD_REQUIRED, .min = 1,
	    .doc = "How much may come in at once after a pause; at least the largest packet, even if the interface merges "
		   "packets (up to 64k)."),
	ROW(MTU, "mtu", mtu, &type_size, .min = 1, .fallback = "4294967295",
	    .doc = "The largest packet; larger ones are dropped. No limit by default."),
};

static bool finish(struct parse *p _unused_, struct object *object, const struct node *entry _unused_) {
	struct police *police = (struct police *)object;

	police->ingress = police->marked = true;
	police->burst = qdisc_ticks_size(police->rate, qdisc_ticks(police->rate, police->burst));
	if (!object_has(object, MTU))
		police->mtu = UINT32_MAX;
	object->set |= field_bit(INGRESS_KEY) | field_bit(MARK) | field_bit(MTU);
	return true;
}

const struct mapping police_mapping = {
	.name = "police",
	.title = "Policers",
	.doc = "The mapping `police` of an interface: incoming packets above the rate are dropped.",
	.what = "police",
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.kind = &kind_police,
};

static void noun(const struct object *object _unused_, struct text *out) {
	text_add(out, "policer");
}

/* Writing. */

/* The time for packets of each size, in ticks, as tc_calc_rtable() of tc(8) computes it: the kernel requires the table, but
 * uses only its size (qdisc_get_rtab()). */
static void put_table(struct nl_writer *w, uint64_t rate, unsigned log) {
	uint32_t table[256];

	for (uint32_t i = 0; i < ARRAY_SIZE(table); i++)
		table[i] = qdisc_ticks(rate, (i + 1) << log);
	nl_put(w, TCA_POLICE_RATE, table, sizeof(table));
}

static void put_action(struct nl_writer *w, uint16_t attr, const struct police *police, uint32_t index) {
	struct tc_police parms = { .index = index,
				   .action = TC_POLICE_SHOT,
				   .burst = qdisc_ticks(police->rate, police->burst),
				   .mtu = police->mtu };
	struct nlattr *list = nl_nest(w, attr), *first = nl_nest(w, 1);

	qdisc_put_rate(&parms.rate, police->rate);
	parms.rate.cell_log = 3;
	nl_put_text(w, TCA_ACT_KIND, "police");
	struct nlattr *options = nl_nest(w, TCA_ACT_OPTIONS);
	nl_put(w, TCA_POLICE_TBF, &parms, sizeof(parms));
	put_table(w, police->rate, parms.rate.cell_log);
	qdisc_put_rate64(w, TCA_POLICE_RATE64, police->rate);
	nl_nest_end(w, options);
	nl_nest_end(w, first);
	nl_nest_end(w, list);
}

static void put_filter(struct nl_writer *w, uint32_t ifindex, const struct police *police) {
	struct tcmsg *tcm = qdisc_begin(w, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, ifindex, INGRESS, HANDLE);

	tcm->tcm_info = TC_H_MAKE((uint32_t)HANDLE << 16, htons(ETH_P_ALL));
	nl_put_text(w, TCA_KIND, "matchall");
	struct nlattr *options = nl_nest(w, TCA_OPTIONS);
	put_action(w, TCA_MATCHALL_ACT, police, 0);
	nl_nest_end(w, options);
}

static int encode(struct encode *encode, const struct change *change) {
	const struct police *police = (const struct police *)change_object(change),
			    *seen = (const struct police *)change->observed;
	struct nl_writer *w = encode->writer;
	uint32_t ifindex = encode_ifindex(encode, police->object.ns, police->dev);

	if (!ifindex)
		return -ENODEV;
	if (change->type == CHANGE_DELETE) {
		(void)qdisc_begin(w, RTM_DELQDISC, 0, ifindex, TC_H_INGRESS, 0);
		return 0;
	}
	if (change->type == CHANGE_CREATE) { /* there may be one without filters */
		(void)qdisc_begin(w, RTM_NEWQDISC, NLM_F_CREATE, ifindex, TC_H_INGRESS, INGRESS);
		nl_put_text(w, TCA_KIND, "ingress");
	}
	if (change->type == CHANGE_CREATE || !seen || !seen->action) {
		if (seen && seen->marked) {
			struct tcmsg *tcm = qdisc_begin(w, RTM_DELTFILTER, 0, ifindex, INGRESS, 0);

			tcm->tcm_info = TC_H_MAKE((uint32_t)HANDLE << 16, htons(ETH_P_ALL));
		}
		put_filter(w, ifindex, police);
		return 0;
	}
	(void)nl_begin(w, RTM_NEWACTION, NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct tcamsg));
	put_action(w, TCA_ACT_TAB, police, seen->action);
	return 0;
}

/* Reading. */

struct object *police_new(struct arena *arena, const char *ns, const char *dev) {
	struct police *police = (struct police *)object_new(arena, &kind_police, ns);

	police->dev = dev;
	police->ingress = true;
	police->object.set = field_bit(DEV) | field_bit(INGRESS_KEY) | field_bit(MARK);
	return &police->object;
}

/* The parameters of the first action, if that is a policer; else NULL. */
static const struct nlattr *policer_of(const struct nlattr *actions) {
	const struct nlattr *first[2], *action[TCA_ACT_MAX + 1];
	const char *kind;

	nl_parse_nested(actions, first, 1);
	nl_parse_nested(first[1], action, TCA_ACT_MAX);
	kind = nl_get_text(action[TCA_ACT_KIND]);
	return kind && streq(kind, "police") ? action[TCA_ACT_OPTIONS] : NULL;
}

void police_take(struct object *object, const struct nlmsghdr *nlh) {
	struct police *police = (struct police *)object;
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[TCA_OPTIONS + 1], *options[TCA_MATCHALL_MAX + 1], *values[TCA_POLICE_MAX + 1];
	struct tc_police parms = {};

	nl_parse(nlh, sizeof(*tcm), tb, TCA_OPTIONS);
	if (!tb[TCA_KIND] || !streq_ptr(nl_get_text(tb[TCA_KIND]), "matchall") || tcm->tcm_handle != HANDLE)
		return;
	nl_parse_nested(tb[TCA_OPTIONS], options, TCA_MATCHALL_MAX);
	nl_parse_nested(policer_of(options[TCA_MATCHALL_ACT]), values, TCA_POLICE_MAX);
	police->marked = object->owned = true;
	if (!qdisc_is_large(values[TCA_POLICE_TBF], sizeof(parms)))
		return;
	qdisc_copy(values[TCA_POLICE_TBF], &parms, sizeof(parms));
	police->action = parms.index;
	police->rate = nl_get_u64(values[TCA_POLICE_RATE64], parms.rate.rate);
	police->burst = qdisc_ticks_size(police->rate, parms.burst);
	police->mtu = parms.mtu;
	/* A policer with another verdict differs. */
	if (parms.action == TC_POLICE_SHOT)
		object->set |= field_bit(RATE) | field_bit(BURST) | field_bit(MTU);
}

static void explain(struct arena *arena, struct change *change) {
	if (change->error != -ENOENT || !change->text)
		return;
	if (startswith(change->text, "TC classifier not found"))
		change->text = "this kernel has no 'matchall' classifier, which a policer needs";
	else if (startswith(change->text, "Failed to load TC action module") ||
		 startswith(change->text, "Specified TC action"))
		change->text = "this kernel has no 'police' action";
	else if (startswith(change->text, "Specified qdisc"))
		change->text = "this kernel has no 'ingress' queueing discipline";
	else
		return;
	change->text = arena_strdup(arena, change->text);
	change->error = -EOPNOTSUPP; /* not -ENOENT: no object has disappeared */
}

static const char *if_in_the_way(const struct object *observed _unused_) {
	return "cannot be made: the interface has an ingress or clsact qdisc that is not topod's; remove that (`tc qdisc del dev "
	       "NAME ingress`)";
}

const struct kind kind_police = {
	.name = "police",
	.class = &class_qdisc,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct police),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.markable = true,
	.finish = finish,
	.encode = encode,
	.lacking = qdisc_lacking,
	.explain = explain,
	.noun = noun,
	.if_in_the_way = if_in_the_way,
};
