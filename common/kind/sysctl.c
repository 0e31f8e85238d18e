/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel settings of a namespace. They are found rather than made, so they are never deleted: a setting that is no
 * longer declared goes back to the value that was found. Keys are written as for sysctl(8), where '.' and '/' swap
 * roles depending on which of them comes first.
 */
#include "kind/sysctl.h"
#include "model/change.h"
#include "model/section.h"

#include <ctype.h>
#include <linux/netconf.h>
#include <netinet/in.h>

#include "kind/link.h"

/* `secret` is FIELD_SECRET, or 0. */
#define SYSCTL_FIELDS(secret)                                                                                        \
	[SYSCTL_PATH] = { .name = "path",                                                                            \
			  .type = &type_text,                                                                        \
			  .offset = offsetof(struct sysctl, path),                                                   \
			  .class = FIELD_KEY,                                                                        \
			  .flags = FIELD_HIDDEN },                                                                   \
	[SYSCTL_DEV] = { .name = "dev",                                                                              \
			 .type = &type_link_name,                                                                    \
			 .offset = offsetof(struct sysctl, dev),                                                     \
			 .flags = FIELD_HIDDEN | FIELD_DEV | FIELD_ONCE | FIELD_USES },                              \
	[SYSCTL_VALUE] = { .name = "value",                                                                          \
			   .type = &type_text,                                                                       \
			   .offset = offsetof(struct sysctl, value),                                                 \
			   .flags = FIELD_OVERRUNS | (secret) },                                                     \
	[SYSCTL_BEFORE] = { .name = "before",                                                                        \
			    .type = &type_text,                                                                      \
			    .offset = offsetof(struct sysctl, before),                                               \
			    .flags = FIELD_HIDDEN | (secret) },                                                      \
	[SYSCTL_CAUSE] = {                                                                                           \
		.name = "cause", .type = &type_text, .offset = offsetof(struct sysctl, cause), .flags = FIELD_HIDDEN \
	}

static const struct field fields[] = { SYSCTL_FIELDS(0) }, secret_fields[] = { SYSCTL_FIELDS(FIELD_SECRET) };

static void swap_separators(char *path) {
	for (; *path; path++)
		*path = *path == '.' ? '/' : *path == '/' ? '.' : *path;
}

const char *sysctl_path(struct arena *arena, const char *key, const char **ret_why) {
	char *path = arena_strdup(arena, key);
	const char *separator = strpbrk(key, "./");

	*ret_why = NULL;
	if (separator && *separator == '.')
		swap_separators(path);
	if (!startswith(path, "net/") || !path[4])
		*ret_why = "is not below net.";
	else if (strlen(path) > 200)
		*ret_why = "is too long";
	else if (strstr(path, "//") || path[strlen(path) - 1] == '/')
		*ret_why = "has an empty part";
	else if (!path_stays_below(path))
		*ret_why = "leads out of its directory";
	for (const char *c = path; *c && !*ret_why; c++)
		if (!isgraph((unsigned char)*c))
			*ret_why = "contains white space or a control character";
	return *ret_why ? NULL : path;
}

/* The interface in net/FAMILY/conf/NAME/… or net/FAMILY/neigh/NAME/…; NULL: there is none. */
static const char *path_dev(struct arena *arena, const char *path) {
	const char *part = strstr(path, "/conf/");
	size_t skip = strlen("/conf/"), n;

	if (!part) {
		part = strstr(path, "/neigh/");
		skip = strlen("/neigh/");
	}
	if (!part)
		return NULL;
	part += skip;
	n = strcspn(part, "/");
	if (!part[n] || (n == 3 && strncmp(part, "all", n) == 0) || (n == 7 && strncmp(part, "default", n) == 0))
		return NULL;
	return arena_strndup(arena, part, n);
}

static const char *fold(struct arena *arena, const char *value) {
	char *folded = arena_alloc(arena, strlen(value) + 1), *to = folded;

	for (; *value; value++) {
		if (!isspace((unsigned char)*value))
			*to++ = *value;
		else if (to > folded && to[-1] != ' ')
			*to++ = ' ';
	}
	if (to > folded && to[-1] == ' ')
		to[-1] = '\0';
	return folded;
}

const char *sysctl_problem(struct arena *arena, const char *path, const char *value) {
	unsigned factor;
	const char *name = sysctl_one_name(arena, path, &factor), *why;

	if (streq(strrchr(name, '/'), "/flush"))
		return "is a command to the kernel, not a setting that can be kept";
	sysctl_value(arena, name, fold(arena, value), factor, &why);
	return why;
}

struct sysctl *sysctl_new(struct arena *arena, const char *ns, const char *path, const char *value) {
	unsigned factor;
	const char *one = arena_strdup(arena, sysctl_one_name(arena, path, &factor)), *why;
	struct object *object = object_new(arena, sysctl_kind(one), ns);
	struct sysctl *sysctl = (struct sysctl *)object;

	sysctl->path = one;
	sysctl->written = factor == 1 ? arena_strdup(arena, path) : NULL;
	sysctl->dev = path_dev(arena, sysctl->path);
	sysctl->value = sysctl_value(arena, sysctl->path, fold(arena, value), factor, &why);
	object->set = field_bit(SYSCTL_PATH) | field_bit(SYSCTL_VALUE) | (sysctl->dev ? field_bit(SYSCTL_DEV) : 0);
	object_seal(arena, object);
	return sysctl;
}

/* The settings that have events and can be requested by netlink: those that devinet_sysctl_forward(),
 * devinet_conf_proc() (net/ipv4/devinet.c) and their IPv6 counterparts (net/ipv6/addrconf.c) announce, and that
 * inet_netconf_fill_devconf() and inet6_netconf_fill_devconf() report. The number is the one in the file. */
static const struct {
	const char *name;
	uint16_t attribute;
	uint8_t family;
} with_netconf[] = {
	{ "forwarding", NETCONFA_FORWARDING, AF_INET },
	{ "rp_filter", NETCONFA_RP_FILTER, AF_INET },
	{ "proxy_arp", NETCONFA_PROXY_NEIGH, AF_INET },
	{ "bc_forwarding", NETCONFA_BC_FORWARDING, AF_INET },
	{ "ignore_routes_with_linkdown", NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, AF_INET },
	{ "forwarding", NETCONFA_FORWARDING, AF_INET6 },
	{ "proxy_ndp", NETCONFA_PROXY_NEIGH, AF_INET6 },
	{ "ignore_routes_with_linkdown", NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, AF_INET6 },
};

static bool find_netconf(uint8_t family, const char *name, struct netconf *ret) {
	for (size_t i = 0; i < ARRAY_SIZE(with_netconf); i++)
		if (with_netconf[i].family == family && streq(with_netconf[i].name, name)) {
			ret->family = family;
			ret->attribute = with_netconf[i].attribute;
			return true;
		}
	return false;
}

bool sysctl_netconf(const struct sysctl *sysctl, struct netconf *ret) {
	const char *rest4 = startswith(sysctl->path, "net/ipv4/conf/"), *rest6 = startswith(sysctl->path, "net/ipv6/conf/"),
		   *rest = rest4 ? rest4 : rest6;

	*ret = (struct netconf){ .ifindex = NETCONFA_IFINDEX_ALL };
	if (streq(sysctl->path, "net/ipv4/ip_forward"))
		return find_netconf(AF_INET, "forwarding", ret); /* another name of conf/all/forwarding */
	if (!rest || !find_netconf(rest4 ? AF_INET : AF_INET6, strrchr(rest - 1, '/') + 1, ret))
		return false;
	if (!startswith(rest, "all/"))
		ret->ifindex = startswith(rest, "default/") ? NETCONFA_IFINDEX_DEFAULT : 0;
	return true;
}

bool sysctl_has_event(const struct sysctl *sysctl) {
	struct netconf netconf;

	return sysctl_netconf(sysctl, &netconf);
}

static void add_name(const char *path, struct text *out) {
	size_t start = out->size + strlen("sysctl ");

	text_add(out, "sysctl ");
	text_add(out, path);
	swap_separators(out->data + start);
}

/* Messages use the name that the user wrote. */
static void noun(const struct object *object, struct text *out) {
	const struct sysctl *sysctl = (const struct sysctl *)object;

	add_name(sysctl->written ? sysctl->written : sysctl->path, out);
}

static void id(const struct object *object, struct text *out) {
	add_name(((const struct sysctl *)object)->path, out);
}

/* When the MTU of an interface changes, the kernel also sets its IPv6 MTU (addrconf_notify(), net/ipv6/addrconf.c). */
static bool is_mtu_of(const struct sysctl *sysctl, const struct change *change) {
	return object_is_link(change->desired) && change->fields >> LINK_MTU & 1 &&
	       sysctl_path_matches("net/ipv6/conf/*/mtu", sysctl->path) && sysctl->dev &&
	       streq(sysctl->dev, ((const struct link *)change->desired)->name);
}

static bool overrun_by(const struct object *object, const struct change *change) {
	_cleanup_(arena_done) struct arena arena = {};
	const struct sysctl *sysctl = (const struct sysctl *)object;
	struct sysctl_reach reaches[2];

	if (object_is_setting(change->desired))
		return sysctl_find_reach(&arena, (const struct sysctl *)change->desired, sysctl->path, reaches);
	return is_mtu_of(sysctl, change);
}

/* Writing `all` changes `default` too, so `default` comes after it. */
static bool goes_late(const struct object *object) {
	return strstr(((const struct sysctl *)object)->path, "/default/");
}

/* The kernel makes the interface's address from the secret as soon as it is up. */
static enum stage stage(const struct change *change) {
	const struct sysctl *sysctl = (const struct sysctl *)change->desired;

	/* When forwarding is switched on, the kernel drops routes from router advertisements unless accept_ra is 2
	 * (rt6_purge_dflt_routers(), net/ipv6/route.c), so accept_ra is set first. */
	if (change->observed && sysctl_path_matches("net/ipv6/conf/*/accept_ra", sysctl->path))
		return STAGE_GIVE_BACK;
	if (!sysctl->dev)
		return sysctl->object.gone ? STAGE_GIVE_BACK : STAGE_DEFAULTS;
	return sysctl_path_matches("net/ipv6/conf/*/stable_secret", sysctl->path) ? STAGE_LINK : STAGE_INSIDE;
}

/* The section `sysctl`, and sections that are short for a setting. */

static void add_setting(struct reading *r, const char *path, const char *value, struct position position) {
	struct object *object = &sysctl_new(r->parse.arena, r->ns->name, path, value)->object;

	object->position = position;
	object->drift = r->drift;
	reading_add(r, r->ns, object);
}

static const struct enum_name forwarding_names[] = {
	{ "true", 3 }, { "yes", 3 }, { "on", 3 }, { "ipv4", 1 }, { "ipv6", 2 }, { "false", 0 },
	{ "no", 0 },   { "off", 0 }, {},
};
static const struct field forwarding = { .name = "forwarding", .type = &type_enum, .names = forwarding_names };

const char *const sysctl_exported[] = { "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", NULL };

static void print_forwarding(const struct ns_state *seen, const char *link _unused_, struct text *out) {
	bool on[2] = {};

	ns_foreach(object, seen)
		for (size_t i = 0; i < 2 && object_is_setting(object); i++)
			on[i] |= sysctl_path_matches(sysctl_exported[i], ((const struct sysctl *)object)->path) &&
				 streq(((const struct sysctl *)object)->value, "1");
	text_add(out, on[0] && on[1] ? "true" : on[0] ? "ipv4" : on[1] ? "ipv6" : "");
}

static void read_forwarding(struct reading *r, const struct section *section, const struct node *node) {
	uint32_t families;

	if (!type_enum.parse(&r->parse, section->field, node, &families))
		return;
	if (families & 1 || !families)
		add_setting(r, "net/ipv4/ip_forward", families ? "1" : "0", node->position);
	if (families & 2 || !families)
		add_setting(r, "net/ipv6/conf/all/forwarding", families ? "1" : "0", node->position);
}

/* Those of a file that topod has read are the ones that the ledger has, besides what `forwarding` says. */
static void print_settings(const struct ns_state *seen, const char *link _unused_, struct text *out) {
	ns_foreach(object, seen) {
		_cleanup_text_ struct text name = {};
		bool said = false;

		if (object->kind != &kind_sysctl)
			continue;
		for (const char *const *path = sysctl_exported; *path; path++)
			said |= sysctl_path_matches(*path, ((const struct sysctl *)object)->path);
		if (said)
			continue;
		id(object, &name);
		text_addf(out, "%s%s: ", out->size ? ", " : "{", startswith(name.data, "sysctl "));
		yaml_add_value(out, ((const struct sysctl *)object)->value);
	}
	text_add(out, out->size ? "}" : "");
}

static const struct field setting = { .name = "sysctl", .type = &type_text };

static void read_sysctl(struct reading *r, const struct section *section _unused_, const struct node *node) {
	const char *why, *path, *value;

	if (!node_check_mapping(r->parse.diags, node, "'sysctl'", "keys"))
		return;
	for (size_t i = 0; i < node->n; i++) {
		const struct node_pair *pair = &node->pairs[i];

		path = sysctl_path(r->parse.arena, pair->key->text, &why);
		if (!path)
			diag_error(r->parse.diags, pair->key->position, "the sysctl '%s' %s", pair->key->text, why);
		value = parse_scalar(&r->parse, &setting, pair->value);
		why = path && value ? sysctl_problem(r->parse.arena, path, value) : NULL;
		if (why)
			diag_error(r->parse.diags, pair->value->position, "the sysctl '%s' %s", pair->key->text, why);
		else if (path && value)
			add_setting(r, path, value, pair->key->position);
	}
}

static const struct field accept_ra = { .name = "accept-ra", .type = &type_integer, .max = 2 };

static void read_accept_ra(struct reading *r, const struct section *section, const struct node *node) {
	static const char *const values[] = { "0", "1", "2" };
	uint32_t value;

	if (node->type == NODE_SCALAR && streq(node->text, "true"))
		value = 1;
	else if (node->type == NODE_SCALAR && streq(node->text, "false"))
		value = 0;
	else if (!type_integer.parse(&r->parse, section->field, node, &value))
		return;
	add_setting(r, arena_printf(r->parse.arena, "net/ipv6/conf/%s/accept_ra", object_home_link(r->link)), values[value],
		    node->position);
}

static const struct section sections[] = {
	{ .key = "forwarding",
	  .place = SECTION_NAMESPACE,
	  .early = true,
	  .field = &forwarding,
	  .value = "`true`, `false`, `ipv4`, `ipv6`",
	  .doc = "Whether packets are forwarded, and for which family.",
	  .schema = "{\"enum\": [true, false, \"ipv4\", \"ipv6\"]}",
	  .print = print_forwarding,
	  .read = read_forwarding },
	{ .key = "sysctl",
	  .place = SECTION_NAMESPACE,
	  .shape = SECTION_MAP,
	  .early = true,
	  .may_be_empty = true,
	  .value = "map",
	  .doc = "Settings below `net.`, written as for sysctl(8); a dot in an interface's name is written as a slash.",
	  .schema = "{\"type\": \"object\", \"propertyNames\": {\"pattern\": \"^net[./].\"}, "
		    "\"additionalProperties\": {\"type\": [\"string\", \"integer\"]}}",
	  .print = print_settings,
	  .read = read_sysctl },
	{ .key = "accept-ra",
	  .place = SECTION_INTERFACE,
	  .early = true,
	  .field = &accept_ra,
	  .value = "`0`, `1`, `2`, true, false",
	  .doc = "Whether router advertisements are accepted (2: even when forwarding).",
	  .schema = "{\"enum\": [0, 1, 2, true, false]}",
	  .read = read_accept_ra },
	{},
};

static bool silent(const struct object *object) {
	return !sysctl_has_event((const struct sysctl *)object);
}

const struct class class_sysctl = {
	.name = "setting",
	.plural = "settings",
	.source = &source_sysctl,
	.part_of = &class_link,
	.permanent = true,
	.single_value = true,
	.silent = silent,
	.stage = stage,
	.sections = sections,
};

#define SYSCTL(word, table)                                                                                 \
	.name = word, .class = &class_sysctl, .transport = TRANSPORT_SYSCTL, .size = sizeof(struct sysctl), \
	.fields = table, .n_fields = ARRAY_SIZE(table), .check = sysctl_check, .noun = noun, .id = id,      \
	.goes_late = goes_late, .overrun_by = overrun_by

const struct kind kind_sysctl = {
	SYSCTL("sysctl", fields), .settle = sysctl_settle,       .check_all = sysctl_check_all,
	.warn = sysctl_warn,      .warn_seen = sysctl_warn_seen, .proxies = sysctl_proxies,
};

const struct kind kind_secret_sysctl = { SYSCTL("secret-sysctl", secret_fields) };
