/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Offloads: what a device, or the kernel for it, does with whole packets (ethtool(8), -K). A name stands for one feature or
 * for a group of them, as `ethtool -k` prints them; each is an object with a value. They are read and set by the generic netlink
 * family of ethtool (linux/ethtool_netlink.h); a change of them has the event of its link (NETDEV_FEAT_CHANGE).
 *
 * A feature is found rather than made: if it leaves the file, it goes back to the value that was found. The kernel ignores a
 * request for a feature that the device does not have; a group consists of those of its features that the device has.
 */
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>

#include "kind/kinds.h"
#include "kind/link.h"
#include "model/change.h"
#include "model/section.h"
#include "model/source.h"

struct offload {
	struct object object;
	const char *dev, *name;
	const char *value; /* "true"; "false"; observed, if only some features of a group are on: their names */
	const char *have;  /* observed: the features for which it stands and that the device can change; else NULL */
};

enum { DEV, NAME, VALUE };

static const struct field fields[] = {
	[DEV] = { .name = "dev",
		  .type = &type_link_name,
		  .offset = offsetof(struct offload, dev),
		  .class = FIELD_KEY,
		  .flags = FIELD_HIDDEN | FIELD_DEV },
	[NAME] = { .name = "name",
		   .type = &type_text,
		   .offset = offsetof(struct offload, name),
		   .class = FIELD_KEY,
		   .flags = FIELD_HIDDEN },
	[VALUE] = { .name = "value", .type = &type_text, .offset = offsetof(struct offload, value) },
};

/* ---- names ---- */

/* off_flag_def[] of ethtool's source. The features of a group have a common beginning and end; `features` are those that
 * people name. */
static const struct group {
	const char *name, *brief, *begin, *end, *features[5];
} groups[] = {
	{ "rx-checksumming", "rx", "rx-checksum", "", {} },
	{ "tx-checksumming",
	  "tx",
	  "tx-checksum-",
	  "",
	  { "tx-checksum-ipv4", "tx-checksum-ip-generic", "tx-checksum-ipv6", "tx-checksum-fcoe-crc", "tx-checksum-sctp" } },
	{ "scatter-gather", "sg", "tx-scatter-gather", "", { "tx-scatter-gather-fraglist" } },
	{ "tcp-segmentation-offload",
	  "tso",
	  "tx-tcp",
	  "-segmentation",
	  { "tx-tcp-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp-accecn-segmentation", "tx-tcp-mangleid-segmentation",
	    "tx-tcp6-segmentation" } },
	{ "generic-segmentation-offload", "gso", "tx-generic-segmentation", "", {} },
	{ "generic-receive-offload", "gro", "rx-gro", NULL, {} },
	{ "large-receive-offload", "lro", "rx-lro", "", {} },
	{ "rx-vlan-offload", "rxvlan", "rx-vlan-hw-parse", "", {} },
	{ "tx-vlan-offload", "txvlan", "tx-vlan-hw-insert", "", {} },
	{ "ntuple-filters", "ntuple", "rx-ntuple-filter", "", {} },
	{ "receive-hashing", "rxhash", "rx-hashing", "", {} },
};

/* The others in netdev_features_strings[], net/ethtool/common.c, of Linux 6.18. */
static const char *const others[] = {
	"highdma",
	"rx-vlan-filter",
	"tx-vlan-stag-hw-insert",
	"rx-vlan-stag-hw-parse",
	"rx-vlan-stag-filter",
	"rx-gro-hw",
	"tx-gso-robust",
	"tx-fcoe-segmentation",
	"tx-gre-segmentation",
	"tx-gre-csum-segmentation",
	"tx-ipxip4-segmentation",
	"tx-ipxip6-segmentation",
	"tx-udp_tnl-segmentation",
	"tx-udp_tnl-csum-segmentation",
	"tx-gso-partial",
	"tx-tunnel-remcsum-segmentation",
	"tx-sctp-segmentation",
	"tx-esp-segmentation",
	"tx-udp-segmentation",
	"tx-gso-list",
	"tx-nocache-copy",
	"loopback",
	"rx-fcs",
	"rx-all",
	"l2-fwd-offload",
	"hw-tc-offload",
	"esp-hw-offload",
	"esp-tx-csum-hw-offload",
	"rx-udp_tunnel-port-offload",
	"tls-hw-tx-offload",
	"tls-hw-rx-offload",
	"rx-gro-list",
	"macsec-hw-offload",
	"rx-udp-gro-forwarding",
	"hsr-tag-ins-offload",
	"hsr-tag-rm-offload",
	"hsr-fwd-offload",
	"hsr-dup-offload",
};

static const struct group *find_group(const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (streq(name, groups[i].name) || streq(name, groups[i].brief))
			return &groups[i];
	return NULL;
}

/* Does the name stand for the feature? */
static bool stands_for(const char *name, const char *feature) {
	const struct group *group = find_group(name);
	const char *rest;

	if (!group)
		return streq(feature, name);
	if (!group->end) /* only this one */
		return streq(feature, group->begin);
	rest = startswith(feature, group->begin);
	return rest && strlen(rest) >= strlen(group->end) && streq(rest + strlen(rest) - strlen(group->end), group->end);
}

static bool is_known(const char *name, struct suggestion *near) {
	bool known = find_group(name);

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		suggest(near, groups[i].name);
		suggest(near, groups[i].brief);
		suggest(near, groups[i].begin);
		known |= stands_for(groups[i].name, name);
		for (size_t k = 0; k < ARRAY_SIZE(groups[i].features) && groups[i].features[k]; k++)
			suggest(near, groups[i].features[k]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		suggest(near, others[i]);
		known |= streq(name, others[i]);
	}
	return known;
}

static struct offload *new_offload(struct arena *arena, const char *ns, const char *dev, const char *name) {
	struct offload *o = (struct offload *)object_new(arena, &kind_offload, ns);

	o->dev = dev;
	o->name = name;
	o->object.set = field_bit(DEV) | field_bit(NAME) | field_bit(VALUE);
	return o;
}

/* ---- the file ---- */

static void read_one(struct reading *r, const struct node_pair *pair) {
	const struct field value = { .name = pair->key->text, .type = &type_bool };
	struct suggestion near = suggest_for(pair->key->text);
	const struct group *group = find_group(pair->key->text);
	struct offload *o;
	uint32_t on;

	if (!is_known(pair->key->text, &near)) {
		diag_unknown(r->parse.diags, pair->key->position, &near, "`ethtool -k` lists what there is",
			     "unknown offload '%s'", pair->key->text);
		return;
	}
	if (!type_bool.parse(&r->parse, &value, pair->value, &on))
		return;
	o = new_offload(r->parse.arena, r->ns->name, object_home_link(r->link),
			group ? group->name : arena_strdup(r->parse.arena, pair->key->text));
	o->value = on ? "true" : "false";
	o->object.position = pair->key->position;
	o->object.drift = r->drift;
	object_seal(r->parse.arena, &o->object);
	reading_add(r, r->ns, &o->object);
}

static void read_offload(struct reading *r, const struct section *section _unused_, const struct node *node) {
	if (!node_check_mapping(r->parse.diags, node, "'offload'", "features"))
		return;
	for (size_t i = 0; i < node->n; i++)
		read_one(r, &node->pairs[i]);
}

/* A feature and its group with different values. */
static void check(struct reading *r, const struct ns_state *ns, const struct object *desired) {
	const struct offload *o = (const struct offload *)desired;

	for (size_t i = 0; !find_group(o->name) && i < ARRAY_SIZE(groups); i++) {
		if (!stands_for(groups[i].name, o->name))
			continue;
		struct offload *like = new_offload(r->parse.arena, desired->ns, o->dev, groups[i].name);
		object_seal(r->parse.arena, &like->object);
		const struct object *group = ns_find(ns, &like->object);

		if (!group || streq(((const struct offload *)group)->value, o->value))
			continue;
		diag_error(r->parse.diags, desired->position, "%s is a part of %s, which has another value", o->name,
			   groups[i].name);
		diag_note(r->parse.diags, group->position, "here");
	}
}

/* For an export. Only declared offloads are read; a group that is partly on cannot be expressed. */
static void print_offload(const struct ns_state *seen, const char *link, struct text *out) {
	ns_foreach(object, seen) {
		const struct offload *o = (const struct offload *)object;

		if (object->kind == &kind_offload && streq(o->dev, link) &&
		    (streq(o->value, "true") || streq(o->value, "false")))
			text_addf(out, "%s%s: %s", out->size ? ", " : "{", o->name, o->value);
	}
	text_add(out, out->size ? "}" : "");
}

static const struct section sections[] = {
	{ .key = "offload",
	  .place = SECTION_INTERFACE,
	  .shape = SECTION_MAP,
	  .value = "map",
	  .doc = "Offloads by the names of `ethtool -k`, or the short ones of `ethtool -K` (`tso`, `gro`): true or false.",
	  .schema = "{\"type\": \"object\", \"additionalProperties\": {\"type\": \"boolean\"}}",
	  .print = print_offload,
	  .read = read_offload },
	{},
};

static void noun(const struct object *object, struct text *out) {
	text_addf(out, "offload %s", ((const struct offload *)object)->name);
}

/* ---- the kernel's messages ---- */

static void begin(struct nl_writer *w, uint16_t family, uint8_t command, uint32_t ifindex) {
	struct genlmsghdr *genl = nl_begin(w, family, 0, sizeof(*genl));
	struct nlattr *header;

	genl->cmd = command;
	genl->version = ETHTOOL_GENL_VERSION;
	header = nl_nest(w, ETHTOOL_A_FEATURES_HEADER | NLA_F_NESTED);
	nl_put_u32(w, ETHTOOL_A_HEADER_DEV_INDEX, ifindex);
	if (command == ETHTOOL_MSG_FEATURES_SET)
		nl_put_u32(w, ETHTOOL_A_HEADER_FLAGS, ETHTOOL_FLAG_OMIT_REPLY);
	nl_nest_end(w, header);
}

/* Is the word in a list? */
static bool has_word(const char *list, const char *word, size_t n) {
	for (const char *at = list; (at = strstr(at, word)); at += n)
		if ((at == list || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

/* A former value may list the features of a group that were on. */
static bool is_on(const struct offload *o, const char *feature) {
	if (streq(o->value, "true") || streq(o->value, "false"))
		return streq(o->value, "true");
	return has_word(o->value, feature, strlen(feature));
}

static void put_feature(struct nl_writer *w, const char *feature, bool on) {
	struct nlattr *bit = nl_nest(w, ETHTOOL_A_BITSET_BITS_BIT | NLA_F_NESTED);

	nl_put_text(w, ETHTOOL_A_BITSET_BIT_NAME, feature);
	if (on)
		nl_put(w, ETHTOOL_A_BITSET_BIT_VALUE, NULL, 0);
	nl_nest_end(w, bit);
}

static int encode(struct encode *encode, const struct change *change) {
	const struct offload *o = (const struct offload *)change->desired;
	const struct offload *seen = (const struct offload *)change->observed;
	const char *have = seen && *seen->have ? seen->have : o->name; /* the kernel does not know names of groups */
	uint32_t index = encode_ifindex(encode, o->object.ns, o->dev);
	struct nl_writer *w = encode->writer;
	struct nlattr *wanted, *bits;

	if (!index)
		return -ENODEV;
	begin(w, encode->family, ETHTOOL_MSG_FEATURES_SET, index);
	wanted = nl_nest(w, ETHTOOL_A_FEATURES_WANTED | NLA_F_NESTED);
	bits = nl_nest(w, ETHTOOL_A_BITSET_BITS | NLA_F_NESTED);
	nl_origin(w, &fields[VALUE]);
	for (size_t n; *have; have += n + strspn(have + n, " ")) {
		n = strcspn(have, " ");
		const char *feature = arena_strndup(encode->arena, have, n);
		put_feature(w, feature, is_on(o, feature));
	}
	nl_nest_end(w, bits);
	nl_nest_end(w, wanted);
	return 0;
}

/* The names in a set of bits that `name` stands for, separated by spaces. */
static void add_bits(const struct nlattr *set, const char *name, struct text *out) {
	const struct nlattr *tb[ETHTOOL_A_BITSET_MAX + 1], *bit_tb[ETHTOOL_A_BITSET_BIT_MAX + 1];
	const struct nlattr *bit;

	nl_parse_nested(set, tb, ETHTOOL_A_BITSET_MAX);
	if (!tb[ETHTOOL_A_BITSET_BITS])
		return;
	mnl_attr_for_each_nested(bit, tb[ETHTOOL_A_BITSET_BITS]) {
		nl_parse_nested(bit, bit_tb, ETHTOOL_A_BITSET_BIT_MAX);
		const char *feature = nl_get_text(bit_tb[ETHTOOL_A_BITSET_BIT_NAME]);

		if (feature && stands_for(name, feature))
			text_addf(out, "%s%s", out->size ? " " : "", feature);
	}
}

/* Of a group, only the features that the device can change count, if there are any. */
static void take(struct arena *arena, struct offload *o, const struct nlattr *const *tb) {
	_cleanup_text_ struct text hw = {}, active = {}, fixed = {}, have = {}, on = {};

	add_bits(tb[ETHTOOL_A_FEATURES_HW], o->name, &hw);
	add_bits(tb[ETHTOOL_A_FEATURES_ACTIVE], o->name, &active);
	add_bits(tb[ETHTOOL_A_FEATURES_NOCHANGE], o->name, &fixed);
	for (const char *at = text_str(&hw); *at;) {
		size_t n = strcspn(at, " ");
		const char *feature = arena_strndup(arena, at, n);

		if (!has_word(text_str(&fixed), feature, n))
			text_addf(&have, "%s%s", have.size ? " " : "", feature);
		if (!has_word(text_str(&fixed), feature, n) && has_word(text_str(&active), feature, n))
			text_addf(&on, "%s%s", on.size ? " " : "", feature);
		at += n + strspn(at + n, " ");
	}
	o->have = arena_strdup(arena, text_str(&have));
	if (!have.size)
		o->value = active.size ? "true" : "false";
	else
		o->value = on.size == have.size ? "true" : on.size ? arena_strdup(arena, text_str(&on)) : "false";
}

struct offload_reading {
	vec(const char *) asked; /* links */
};

static void ask(struct source_scan *scan, const struct object *object, struct nl_writer *w) {
	struct offload_reading *reading = scan->own;
	const struct offload *o = (const struct offload *)object;
	uint32_t ifindex = object->kind == &kind_offload ? scan->ifindex(scan, o->dev) : 0;

	if (!ifindex)
		return;
	vec_foreach(link, &reading->asked)
		if (streq(*link, o->dev))
			return;
	vec_push(&reading->asked, o->dev);
	begin(w, scan->family, ETHTOOL_MSG_FEATURES_GET, ifindex);
}

static void dump(struct source_scan *scan, struct nl_writer *w) {
	scan->own = arena_new(scan->decode.arena, struct offload_reading);
	for (size_t i = 0; scan->scope && i < scan->scope->n; i++)
		ask(scan, scan->scope->objects[i], w);
	ns_foreach(object, scan->scope ? NULL : scan->desired)
		ask(scan, object, w);
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	const struct offload_reading *reading = scan->own;
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[ETHTOOL_A_FEATURES_MAX + 1];
	struct arena *arena = scan->decode.arena;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*genl) || genl->cmd != ETHTOOL_MSG_FEATURES_GET_REPLY)
		return 0;
	nl_parse(nlh, sizeof(*genl), tb, ETHTOOL_A_FEATURES_MAX);
	ns_foreach(object, scan->desired) {
		const struct offload *want = (const struct offload *)object;

		if (object->kind != &kind_offload || !streq(want->dev, reading->asked.items[scan->request]))
			continue;
		struct offload *o = new_offload(arena, scan->seen->name, arena_strdup(arena, want->dev),
						arena_strdup(arena, want->name));
		take(arena, o, tb);
		object_seal(arena, &o->object);
		scan_add(scan, &o->object);
	}
	return 0;
}

/* The link is gone, or has no features. */
static int refused(struct source_scan *scan _unused_, int error) {
	return error == -ENODEV || error == -EOPNOTSUPP ? 0 : error;
}

static void done(struct source_scan *scan) {
	struct offload_reading *reading = scan->own;

	if (reading)
		vec_done(&reading->asked);
}

static const struct source features = {
	.protocol = NETLINK_GENERIC,
	.family = ETHTOOL_GENL_NAME,
	.only_if_declared = true,
	.dump = dump,
	.decode = decode,
	.refused = refused,
	.done = done,
};

/* After its link was made, so that the initial value is known. */
static bool comes_later(const struct object *desired, const struct state *observed, const char **ret_why) {
	*ret_why = NULL;
	return !ns_find_link(state_find(observed, desired->ns), ((const struct offload *)desired)->dev);
}

/* It goes back before its link is given back. */
static enum stage stage(const struct change *change) {
	return change->desired->gone ? STAGE_DELETE : STAGE_INSIDE;
}

const struct class class_offload = {
	.sections = sections,
	.name = "offload",
	.plural = "offloads",
	.source = &features,
	.part_of = &class_link,
	.stage = stage,
	.permanent = true,
	.single_value = true,
	.moves_along = true,
};

const struct kind kind_offload = {
	.name = "offload",
	.class = &class_offload,
	.transport = TRANSPORT_GENERIC,
	.family = ETHTOOL_GENL_NAME,
	.size = sizeof(struct offload),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.check = check,
	.comes_later = comes_later,
	.encode = encode,
	.noun = noun,
};
