/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bond: several ports as one link (drivers/net/bonding). The keys are netplan's words, times are in milliseconds unless
 * they have a unit.
 *
 * A bond takes a port only while that is down, and brings it up itself (kind->ports_join_down). It sets the port's MAC
 * address; the port's `mac-address` is its permanent one. Options that the kernel changes only while the bond is down
 * (BOND_OPTFLAG_IFDOWN, bond_options.c) are FIELD_WHEN_DOWN, those that it changes only without ports
 * (BOND_OPTFLAG_NOSLAVES) are FIELD_RECREATE.
 *
 * `primary` names a port, which is made on the bond. That is no loop: the row is not FIELD_DEV, so the bond does not wait
 * for the port. It is set at the end, and the kernel remembers the name if the port is not there.
 */
#include <linux/if_bonding.h>
#include <linux/rtnetlink.h>

#include "kind/link.h"
#include "kind/port.h"
#include "model/change.h"
#include "model/section.h"
#include "model/set.h"

extern const struct kind kind_bond, kind_bond_port;

struct bond {
	struct link link;
	uint32_t mode, miimon, up_delay, down_delay, peer_notify_delay, use_carrier, arp_interval, arp_missed_max,
		arp_validate, arp_all_targets, primary_reselect, fail_over_mac, hash_policy, resend_igmp, gratuitous_arp,
		all_active, min_links, learn_interval, packets_per_member, lacp_rate, lacp_active, ad_select, ad_priority,
		ad_key, tlb_dynamic;
	struct value_set arp_targets, ns_targets;
	struct mac ad_system;
	struct link_ref primary;
};

enum {
	MODE = LINK_N_FIELDS,
	MIIMON,
	UP_DELAY,
	DOWN_DELAY,
	PEER_NOTIFY_DELAY,
	USE_CARRIER,
	ARP_INTERVAL,
	ARP_IP_TARGETS,
	NS_IP6_TARGETS,
	ARP_MISSED_MAX,
	ARP_VALIDATE,
	ARP_ALL_TARGETS,
	PRIMARY,
	PRIMARY_RESELECT,
	FAIL_OVER_MAC,
	HASH_POLICY,
	RESEND_IGMP,
	GRATUITOUS_ARP,
	ALL_ACTIVE,
	MIN_LINKS,
	LEARN_INTERVAL,
	PACKETS_PER_MEMBER,
	LACP_RATE,
	LACP_ACTIVE,
	AD_SELECT,
	AD_ACTOR_SYSTEM,
	AD_PRIORITY,
	AD_KEY,
	TLB_DYNAMIC,
};

/* ---- targets ---- */

enum { TARGETS_MAX = 16 }; /* BOND_MAX_ARP_TARGETS, BOND_MAX_NS_TARGETS; include/net/bonding.h */

static uint8_t family_of(const struct field *field) {
	return field->attr == IFLA_BOND_NS_IP6_TARGET ? AF_INET6 : AF_INET;
}

static bool targets_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const struct value_set *targets = value;
	char buf[IP_TEXT_MAX];

	if (!set_parse(p, field, node, value))
		return false;
	for (size_t i = 0; i < targets->n; i++) {
		const struct ip *ip = (const struct ip *)targets->items + i;

		if (ip->family == family_of(field))
			continue;
		diag_error(p->diags, node->type == NODE_SEQUENCE ? node->items[0]->position : node->position,
			   "'%s' takes %s addresses; %s belongs to '%s'", field->name,
			   ip->family == AF_INET ? "IPv6" : "IPv4", ip_format(ip, buf),
			   ip->family == AF_INET ? "arp-ip-targets" : "ns-ip6-targets");
		return false;
	}
	if (targets->n > TARGETS_MAX || (node->type == NODE_SEQUENCE && !node->n)) {
		diag_error(p->diags, node->position, "'%s' takes 1 to %d addresses", field->name, TARGETS_MAX);
		return false;
	}
	return true;
}

/* An empty nest removes all of them. */
static void targets_put(struct nl_writer *w, const struct field *field, const void *value) {
	const struct value_set *targets = value;
	const struct ip *items = targets->items;
	struct nlattr *nest = nl_nest(w, field->attr);

	for (size_t i = 0; i < targets->n; i++)
		nl_put(w, (uint16_t)i, items[i].bytes, ip_size(family_of(field)));
	nl_nest_end(w, nest);
}

static bool targets_get(struct arena *arena, const struct field *field, const struct nlattr *attr, void *value) {
	struct value_set *targets = value;
	const struct nlattr *inner;
	size_t size = ip_size(family_of(field));

	*targets = set_new(arena, field->type->item_type, mnl_attr_get_payload_len(attr) / size);
	mnl_attr_for_each_nested(inner, attr) {
		struct ip *ip = set_next(targets);

		if (mnl_attr_get_payload_len(inner) < size)
			return false;
		ip->family = family_of(field);
		memcpy(ip->bytes, mnl_attr_get_payload(inner), size);
		targets->n++;
	}
	set_sort(targets);
	return true;
}

static const struct type type_targets = {
	.words = true,
	.name = "list of addresses",
	SET_ITEMS(type_ip),
	.size = sizeof(struct value_set),
	.parse = targets_parse,
	.print = set_print,
	.equal = set_equal,
	.put = targets_put,
	.get = targets_get,
};

/* ---- the table ---- */

static const struct enum_name modes[] = {
	{ "balance-rr", BOND_MODE_ROUNDROBIN }, { "active-backup", BOND_MODE_ACTIVEBACKUP },
	{ "balance-xor", BOND_MODE_XOR },       { "broadcast", BOND_MODE_BROADCAST },
	{ "802.3ad", BOND_MODE_8023AD },        { "balance-tlb", BOND_MODE_TLB },
	{ "balance-alb", BOND_MODE_ALB },       {},
};

/* The names and numbers are in bond_options.c; only some of the numbers are in a kernel header. */
static const struct enum_name validations[] = {
	{ "none", 0 },   { "active", 1 },        { "backup", 2 },        { "all", 3 },
	{ "filter", 4 }, { "filter-active", 5 }, { "filter-backup", 6 }, {},
};
static const struct enum_name any_or_all[] = { { "any", 0 }, { "all", 1 }, {} };
static const struct enum_name reselections[] = { { "always", 0 }, { "better", 1 }, { "failure", 2 }, {} };
enum { FAIL_OVER_NONE };
static const struct enum_name fail_overs[] = { { "none", FAIL_OVER_NONE }, { "active", 1 }, { "follow", 2 }, {} };
static const struct enum_name hash_policies[] = {
	{ "layer2", BOND_XMIT_POLICY_LAYER2 },
	{ "layer3+4", BOND_XMIT_POLICY_LAYER34 },
	{ "layer2+3", BOND_XMIT_POLICY_LAYER23 },
	{ "encap2+3", BOND_XMIT_POLICY_ENCAP23 },
	{ "encap3+4", BOND_XMIT_POLICY_ENCAP34 },
	{ "vlan+srcmac", BOND_XMIT_POLICY_VLAN_SRCMAC },
	{},
};
static const struct enum_name rates[] = { { "slow", 0 }, { "fast", 1 }, {} };
static const struct enum_name selections[] = { { "stable", 0 }, { "bandwidth", 1 }, { "count", 2 }, {} };

#define ROW(key, member, value_type, number, ...)                                                            \
	{                                                                                                    \
		.name = key, .type = value_type, .offset = offsetof(struct bond, member), .wire = WIRE_DATA, \
		.attr = number, __VA_ARGS__                                                                  \
	}
#define MILLISECONDS(key, member, number, text)                                                                       \
	ROW(key, member, &type_duration, number, .unit = 1000, .bare_unit = true, .max = INT32_MAX, .fallback = "0s", \
	    .doc = text " A bare number is milliseconds.")
#define FLAG(key, member, number, initially, text) \
	ROW(key, member, &type_bool, number, .form = FORM_U8, .fallback = initially, .doc = text)

static const struct field fields[] = {
	LINK_FIELDS("1500"),
	[MODE] = ROW("mode", mode, &type_enum, IFLA_BOND_MODE, .class = FIELD_RECREATE, .form = FORM_U8, .names = modes,
		     .fallback = "balance-rr", .doc = "How the ports share the traffic."),
	[MIIMON] = MILLISECONDS(
		"miimon", miimon, IFLA_BOND_MIIMON,
		"How often the ports' carriers are checked; by default 100ms in the modes 802.3ad, balance-tlb and "
		"balance-alb, and 0 (never) in the others."),
	[UP_DELAY] = MILLISECONDS("up-delay", up_delay, IFLA_BOND_UPDELAY,
				  "How long a port must have a carrier before it is used; a multiple of `miimon`."),
	[DOWN_DELAY] = MILLISECONDS("down-delay", down_delay, IFLA_BOND_DOWNDELAY,
				    "How long a port is used without a carrier; a multiple of `miimon`."),
	[PEER_NOTIFY_DELAY] = MILLISECONDS("peer-notify-delay", peer_notify_delay, IFLA_BOND_PEER_NOTIF_DELAY,
					   "Time between the notifications of `gratuitous-arp`; a multiple of `miimon`."),
	[USE_CARRIER] = FLAG("use-carrier", use_carrier, IFLA_BOND_USE_CARRIER, "true",
			     "Whether `miimon` uses the interface's carrier, or queries its driver by an ioctl."),
	[ARP_INTERVAL] = MILLISECONDS("arp-interval", arp_interval, IFLA_BOND_ARP_INTERVAL,
				      "How often the ports are checked by ARP, instead of `miimon`."),
	[ARP_IP_TARGETS] = ROW("arp-ip-targets", arp_targets, &type_targets, IFLA_BOND_ARP_IP_TARGET,
			       .flags = FIELD_LEFT_OUT, .fallback = "none",
			       .doc = "The addresses that `arp-interval` "
				      "probes, up to 16."),
	[NS_IP6_TARGETS] = ROW("ns-ip6-targets", ns_targets, &type_targets, IFLA_BOND_NS_IP6_TARGET, .flags = FIELD_LEFT_OUT,
			       .fallback = "none", .doc = "The same by IPv6 neighbour discovery."),
	[ARP_MISSED_MAX] = ROW("arp-missed-max", arp_missed_max, &type_integer, IFLA_BOND_MISSED_MAX, .form = FORM_U8,
			       .min = 1, .max = 255, .fallback = "2", .doc = "How many answers may be missed."),
	[ARP_VALIDATE] = ROW("arp-validate", arp_validate, &type_enum, IFLA_BOND_ARP_VALIDATE, .names = validations,
			     .fallback = "none", .doc = "On which ports answers are validated, and other traffic ignored."),
	[ARP_ALL_TARGETS] = ROW("arp-all-targets", arp_all_targets, &type_enum, IFLA_BOND_ARP_ALL_TARGETS,
				.names = any_or_all, .fallback = "any",
				.doc = "Whether any or all of the targets must answer on a port (with `arp-validate`)."),
	[PRIMARY] = { .name = "primary",
		      .type = &type_link_ref,
		      .offset = offsetof(struct bond, primary),
		      .wire = WIRE_DATA_LINK,
		      .attr = IFLA_BOND_PRIMARY,
		      .fallback = "none",
		      .doc = "The port that is used whenever it can be." },
	[PRIMARY_RESELECT] = ROW("primary-reselect", primary_reselect, &type_enum, IFLA_BOND_PRIMARY_RESELECT,
				 .form = FORM_U8, .names = reselections, .fallback = "always",
				 .doc = "When the primary port is used again after a failure."),
	[FAIL_OVER_MAC] =
		ROW("fail-over-mac", fail_over_mac, &type_enum, IFLA_BOND_FAIL_OVER_MAC, .class = FIELD_RECREATE,
		    .form = FORM_U8, .names = fail_overs, .fallback = "none",
		    .doc = "Whether all ports have the bond's MAC address (`none`), the bond that of its active port "
			   "(`active`), or a port gets the bond's when it becomes active (`follow`)."),
	[HASH_POLICY] = ROW("transmit-hash-policy", hash_policy, &type_enum, IFLA_BOND_XMIT_HASH_POLICY, .form = FORM_U8,
			    .names = hash_policies, .fallback = "layer2", .doc = "What decides the port of a packet."),
	[RESEND_IGMP] = ROW("resend-igmp", resend_igmp, &type_integer, IFLA_BOND_RESEND_IGMP, .max = 255, .fallback = "1",
			    .doc = "Number of IGMP membership reports after a failover."),
	[GRATUITOUS_ARP] =
		ROW("gratuitous-arp", gratuitous_arp, &type_integer, IFLA_BOND_NUM_PEER_NOTIF, .form = FORM_U8, .max = 255,
		    .fallback = "1",
		    .doc = "Number of gratuitous ARPs and unsolicited neighbour advertisements after a failover."),
	[ALL_ACTIVE] = FLAG("all-members-active", all_active, IFLA_BOND_ALL_SLAVES_ACTIVE, "false",
			    "Whether duplicate frames from inactive ports are delivered."),
	[MIN_LINKS] = ROW("min-links", min_links, &type_integer, IFLA_BOND_MIN_LINKS, .max = INT32_MAX, .fallback = "0",
			  .doc = "How many ports must be usable for the bond to have a carrier."),
	[LEARN_INTERVAL] =
		ROW("learn-interval", learn_interval, &type_duration, IFLA_BOND_LP_INTERVAL, .unit = 1, .min = 1,
		    .max = INT32_MAX, .fallback = "1s", .doc = "Time between learning packets to each port's switch."),
	[PACKETS_PER_MEMBER] =
		ROW("packets-per-member", packets_per_member, &type_integer, IFLA_BOND_PACKETS_PER_SLAVE, .max = 65535,
		    .fallback = "1",
		    .doc = "Packets that one port sends before it is the next one's turn; 0 takes a port at random."),
	[LACP_RATE] =
		ROW("lacp-rate", lacp_rate, &type_enum, IFLA_BOND_AD_LACP_RATE, .flags = FIELD_WHEN_DOWN, .form = FORM_U8,
		    .names = rates, .fallback = "slow", .doc = "How often the partner is asked to send LACP packets."),
	[LACP_ACTIVE] = ROW("lacp-active", lacp_active, &type_bool, IFLA_BOND_AD_LACP_ACTIVE, .flags = FIELD_WHEN_DOWN,
			    .form = FORM_U8, .fallback = "true", .doc = "Whether LACP packets are sent unasked."),
	[AD_SELECT] = ROW("ad-select", ad_select, &type_enum, IFLA_BOND_AD_SELECT, .flags = FIELD_WHEN_DOWN, .form = FORM_U8,
			  .names = selections, .fallback = "stable", .doc = "When another aggregator is chosen."),
	[AD_ACTOR_SYSTEM] = ROW("ad-actor-system", ad_system, &type_mac, IFLA_BOND_AD_ACTOR_SYSTEM, .fallback = "none",
				.doc = "The system's MAC address in LACP packets; the bond's when left out."),
	[AD_PRIORITY] =
		ROW("ad-actor-system-priority", ad_priority, &type_integer, IFLA_BOND_AD_ACTOR_SYS_PRIO, .form = FORM_U16,
		    .min = 1, .max = 65535, .fallback = "65535", .doc = "The system's LACP priority."),
	[AD_KEY] = ROW("ad-user-port-key", ad_key, &type_integer, IFLA_BOND_AD_USER_PORT_KEY, .flags = FIELD_WHEN_DOWN,
		       .form = FORM_U16, .max = 1023, .fallback = "0", .doc = "The upper ten bits of the ports' LACP keys."),
	[TLB_DYNAMIC] =
		ROW("tlb-dynamic", tlb_dynamic, &type_bool, IFLA_BOND_TLB_DYNAMIC_LB, .flags = FIELD_WHEN_DOWN,
		    .form = FORM_U8, .fallback = "true",
		    .doc = "Whether flows move between ports as the load changes, or stay as `transmit-hash-policy` says."),
};

/* ---- what the kernel refuses ---- */

#define MODE_BIT(mode) (1U << (mode))
enum {
	WITH_PRIMARY = MODE_BIT(BOND_MODE_ACTIVEBACKUP) | MODE_BIT(BOND_MODE_TLB) | MODE_BIT(BOND_MODE_ALB),
	WITH_ARP = MODE_BIT(BOND_MODE_ROUNDROBIN) | MODE_BIT(BOND_MODE_ACTIVEBACKUP) | MODE_BIT(BOND_MODE_XOR) |
		   MODE_BIT(BOND_MODE_BROADCAST),
	WITH_LACP = MODE_BIT(BOND_MODE_8023AD),
	BALANCING = MODE_BIT(BOND_MODE_TLB) | MODE_BIT(BOND_MODE_ALB),
};

/* The modes in which an option has a meaning: `unsuppmodes` of bond_opts[], bond_options.c. */
static const struct {
	size_t field;
	unsigned modes;
} supported[] = {
	{ PRIMARY, WITH_PRIMARY },
	{ ARP_INTERVAL, WITH_ARP },
	{ ARP_VALIDATE, WITH_ARP },
	{ ARP_MISSED_MAX, WITH_ARP },
	{ LACP_RATE, WITH_LACP },
	{ LACP_ACTIVE, WITH_LACP },
	{ AD_ACTOR_SYSTEM, WITH_LACP },
	{ AD_PRIORITY, WITH_LACP },
	{ AD_KEY, WITH_LACP },
	{ TLB_DYNAMIC, BALANCING },
	{ PACKETS_PER_MEMBER, MODE_BIT(BOND_MODE_ROUNDROBIN) },
};

/* False: the value in the file is wrong. */
static bool mode_is_known(const struct bond *bond) {
	const struct object *object = &bond->link.object;

	return object_has(object, MODE) || !object->positions[MODE].line;
}

static unsigned mode_bit(const struct bond *bond) {
	return MODE_BIT(object_has(&bond->link.object, MODE) ? bond->mode : BOND_MODE_ROUNDROBIN);
}

static void print_modes(unsigned mask, struct text *out) {
	for (const struct enum_name *mode = modes; mode->name; mode++)
		if (mask & MODE_BIT(mode->value)) {
			text_add(out, mode->name);
			mask &= ~MODE_BIT(mode->value);
			text_add(out, !mask ? "" : mask & (mask - 1) ? ", " : " or ");
		}
}

static void check_modes(struct reading *r, const struct bond *bond) {
	const struct object *object = &bond->link.object;

	for (size_t i = 0; mode_is_known(bond) && i < ARRAY_SIZE(supported); i++) {
		const struct field *field = &fields[supported[i].field];
		_cleanup_text_ struct text right = {}, mode = {};

		if (!object_has(object, supported[i].field) || supported[i].modes & mode_bit(bond))
			continue;
		print_modes(supported[i].modes, &right);
		print_modes(mode_bit(bond), &mode);
		diag_error(r->parse.diags, object_position(object, field), "'%s' needs 'mode: %s'; the mode is %s",
			   field->name, text_str(&right), text_str(&mode));
	}
}

/* bond_option_updelay_set() and the like: times are counted in checks of miimon. */
static void check_times(struct reading *r, const struct bond *bond) {
	static const size_t delays[] = { UP_DELAY, DOWN_DELAY, PEER_NOTIFY_DELAY };
	const struct object *object = &bond->link.object;

	for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
		const struct field *field = &fields[delays[i]];
		uint32_t delay = object_has(object, delays[i]) ? *(const uint32_t *)field_of(field, object) : 0;

		if (delay && !bond->miimon)
			diag_error(r->parse.diags, object_position(object, field),
				   "'%s' needs 'miimon', for example miimon: 100", field->name);
		else if (delay && delay % bond->miimon)
			diag_error(r->parse.diags, object_position(object, field),
				   "'%s' must be a multiple of 'miimon', which is %ums; write %ums", field->name,
				   bond->miimon, delay - delay % bond->miimon + bond->miimon);
	}
}

static void check_monitor(struct reading *r, const struct bond *bond) {
	const struct object *object = &bond->link.object;
	/* These too are in the file, but wrong. */
	bool targets = object->positions[ARP_IP_TARGETS].line || object->positions[NS_IP6_TARGETS].line;

	if (bond->miimon && bond->arp_interval)
		diag_error(r->parse.diags, object_position(object, &fields[ARP_INTERVAL]),
			   "a bond checks its ports by 'miimon' or by 'arp-interval', not by both");
	else if (bond->arp_interval && !targets)
		diag_error(r->parse.diags, object_position(object, &fields[ARP_INTERVAL]),
			   "'arp-interval' needs 'arp-ip-targets', the addresses to probe; without an answer all ports "
			   "count as down");
	else if (!bond->miimon && !bond->arp_interval && !object_has(object, MIIMON))
		diag_warning(r->parse.diags, object->position,
			     "nothing checks the ports, and a failed one stays in use; write 'miimon: 100'");
}

static void check_primary(struct reading *r, const struct ns_state *ns, const struct bond *bond) {
	const struct object *object = &bond->link.object;
	struct suggestion near = suggest_for(object_has(object, PRIMARY) ? bond->primary.name : "");

	if (!object_has(object, PRIMARY))
		return;
	ns_foreach(port, ns) {
		const struct link *link = (const struct link *)port;

		if (!object_is_link(port) || !object_has(port, LINK_MASTER) || !streq(link->master, bond->link.name))
			continue;
		if (streq(bond->primary.ns, ns->name) && streq(bond->primary.name, link->name))
			return;
		suggest(&near, link->name);
	}
	diag_unknown(r->parse.diags, object_position(object, &fields[PRIMARY]), &near, "list it under 'ports'",
		     "the primary '%s' is not a port of %s", bond->primary.name, bond->link.name);
}

static void check(struct reading *r, const struct ns_state *ns, const struct object *desired) {
	const struct bond *bond = (const struct bond *)desired;

	check_modes(r, bond);
	check_monitor(r, bond);
	check_times(r, bond);
	check_primary(r, ns, bond);
	if (bond->fail_over_mac != FAIL_OVER_NONE && object_has(desired, LINK_MAC))
		diag_error(r->parse.diags, object_position(desired, &fields[LINK_MAC]),
			   "with this 'fail-over-mac' the bond has the MAC address of a port; leave 'mac-address' out");
}

/* ---- the rest ---- */

enum { MIIMON_DEFAULT = 100 }; /* BOND_DEFAULT_MIIMON, include/net/bonding.h */

/* These modes cannot do without miimon (bond_option_mode_set()). */
static void settle(struct reading *r _unused_, struct ns_state *ns) {
	ns_foreach(object, ns) {
		struct bond *bond = (struct bond *)object;

		if (object->kind != &kind_bond || object_has(object, MIIMON) || mode_bit(bond) & WITH_ARP)
			continue;
		bond->miimon = MIIMON_DEFAULT;
		object->set |= field_bit(MIIMON);
	}
}

static bool shares_mac(const struct object *object) {
	return object_has(object, FAIL_OVER_MAC) && ((const struct bond *)object)->fail_over_mac != FAIL_OVER_NONE;
}

/* Without miimon the kernel refuses to set a delay, even to 0; so the delays go first. */
static int encode_bond(struct encode *encode, const struct change *change) {
	const uint64_t delays = field_bit(UP_DELAY) | field_bit(DOWN_DELAY) | field_bit(PEER_NOTIFY_DELAY);
	struct change first = *change, rest = *change;

	first.fields &= delays;
	rest.fields &= ~delays;
	if (change->type != CHANGE_UPDATE || !first.fields || !(rest.fields >> MIIMON & 1) ||
	    ((const struct bond *)change->desired)->miimon)
		return link_encode(encode, change);
	int error = link_encode(encode, &first);
	return error < 0 ? error : link_encode(encode, &rest);
}

const struct kind kind_bond = {
	.name = "bond",
	.doc = "Several ports as one link (link aggregation).",
	.class = &class_link,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct bond),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.link_kind = "bond",
	.markable = true,
	.last = UINT64_C(1) << PRIMARY,
	.encode = encode_bond,
	.settle = settle,
	.check = check,
	.shares_mac = shares_mac,
	.takes_frames = true,
	.segment = SEGMENT_PORTS,
	.port_kind = &kind_bond_port,
	.ports_join_down = true,
};

/* ---- ports ---- */

struct bond_port {
	struct port port;
	uint32_t priority, queue_id;
};

enum { PORT_PRIORITY = PORT_FIRST_ATTRIBUTE, PORT_QUEUE };

static const struct field port_fields[] = {
	PORT_FIELDS(),
	[PORT_PRIORITY] = { .name = "priority",
			    .type = &type_signed,
			    .offset = offsetof(struct bond_port, priority),
			    .wire = WIRE_PORT,
			    .attr = IFLA_BOND_SLAVE_PRIO,
			    .form = FORM_S32,
			    .fallback = "0",
			    .doc = "Of the usable ports, the one with the highest priority becomes active." },
	[PORT_QUEUE] = { .name = "queue-id",
			 .type = &type_integer,
			 .offset = offsetof(struct bond_port, queue_id),
			 .wire = WIRE_PORT,
			 .attr = IFLA_BOND_SLAVE_QUEUE_ID,
			 .form = FORM_U16,
			 .max = 65535,
			 .fallback = "0",
			 .doc = "Packets of this transmit queue leave through the port (tc's `skbedit queue_mapping`); 0: "
				"none." },
};

static const struct bond *bond_of(const struct ns_state *ns, const struct object *port) {
	const struct object *link = ns_find_link(ns, ((const struct port *)port)->controller);

	return link && link->kind == &kind_bond ? (const struct bond *)link : NULL;
}

/* bond_option_prio_set() and bond_option_queue_id_set(). */
static void check_port(struct reading *r, const struct ns_state *ns, const struct object *desired) {
	const struct bond_port *port = (const struct bond_port *)desired;
	const struct bond *bond = bond_of(ns, desired);
	uint32_t queues = bond && object_has(&bond->link.object, LINK_QUEUES) ? bond->link.queues : BOND_DEFAULT_TX_QUEUES;
	_cleanup_text_ struct text right = {};

	print_modes(WITH_PRIMARY, &right);
	if (bond && object_has(desired, PORT_PRIORITY) && mode_is_known(bond) && !(mode_bit(bond) & WITH_PRIMARY))
		diag_error(r->parse.diags, object_position(desired, &port_fields[PORT_PRIORITY]),
			   "'priority' of a port needs 'mode: %s' of the bond", text_str(&right));
	if (bond && port->queue_id > queues)
		diag_error(r->parse.diags, object_position(desired, &port_fields[PORT_QUEUE]),
			   "'queue-id' must be from 0 to %u: %s has that many transmit queues ('queues')", queues,
			   bond->link.name);
}

/* Each queue leads to one port. */
static bool claim_queue(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret) {
	const struct bond_port *port = (const struct bond_port *)desired;

	if (i > 0 || !port->queue_id)
		return false;
	*ret = (struct sole_claim){
		.key = arena_printf(arena, "bond queue %s:%s %u", desired->ns, port->port.controller, port->queue_id),
		.field = &port_fields[PORT_QUEUE],
		.problem =
			arena_printf(arena, "another port of %s has the queue-id %u", port->port.controller, port->queue_id),
	};
	return true;
}

static const struct mapping entry = {
	.name = "bond-port",
	.title = "Ports of a bond",
	.doc = "An entry of a bond's `ports`: a name, or a mapping.",
	.what = "a port of a bond",
	.fields = port_fields,
	.n_fields = ARRAY_SIZE(port_fields),
	.kind = &kind_bond_port,
	.bare = "name",
};

static const struct section section = {
	.key = "ports",
	.place = SECTION_CONTROLLER,
	.shape = SECTION_LIST,
	.mapping = &entry,
	.value = "list of [ports](#bond-port)",
	.doc = "Its ports, each a name or a mapping.",
	.read = port_read,
};

const struct kind kind_bond_port = {
	.name = "bond-port",
	.class = &class_port,
	.transport = TRANSPORT_ROUTE,
	.size = sizeof(struct bond_port),
	.fields = port_fields,
	.n_fields = ARRAY_SIZE(port_fields),
	.link_kind = "bond",
	.section = &section,
	.encode = port_encode,
	.noun = port_noun,
	.check = check_port,
	.claim = claim_queue,
};
