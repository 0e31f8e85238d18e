/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The structure of the language: which mapping has which keys. Values that are rows of a table of fields are only
 * pointed to; here is what the reader of the file (spec*.c) does with code.
 */
#include "kind/kinds.h"
#include "kind/link.h"
#include "kind/ruleset.h"
#include "language/schema_private.h"

/* Small values. */

static json_t *boolean(void) {
	return schema_pack("{s:s}", "type", "boolean");
}

static json_t *text(void) {
	return schema_pack("{s:s}", "type", "string");
}

static json_t *one(void) {
	return schema_pack("{s:i}", "const", 1);
}

static json_t *drift(void) {
	return schema_pack("{s:[s,s,s]}", "enum", "restore", "report", "ignore");
}

static json_t *on_stop(void) {
	return schema_pack("{s:[s,s]}", "enum", "keep", "remove");
}

static json_t *forwarding(void) {
	return schema_pack("{s:[b,b,s,s]}", "enum", 1, 0, "ipv4", "ipv6");
}

static json_t *accept_ra(void) {
	return schema_pack("{s:[i,i,i,b,b]}", "enum", 0, 1, 2, 1, 0);
}

static json_t *plain_kind(void) {
	return schema_pack("{s:[s,s]}", "enum", "existing", "veth");
}

static json_t *texts(void) {
	return schema_pack("{s:[s,s], s:{s:s}}", "type", "string", "array", "items", "type", "string");
}

/* Lists and maps. */

/* Also written without anything in it. */
static json_t *or_empty(json_t *value) {
	return schema_pack("{s:[o,{s:s}]}", "anyOf", value, "type", "null");
}

static json_t *map_of(const char *def) {
	return schema_pack("{s:s, s:o}", "type", "object", "additionalProperties", schema_ref(def));
}

/* Written without brackets, a list has one item. */
static json_t *list_of(const char *def, bool or_text, bool or_one) {
	json_t *item = or_text ? schema_pack("{s:[o,{s:s}]}", "anyOf", schema_ref(def), "type", "string") : schema_ref(def);
	json_t *list = schema_pack("{s:s, s:O}", "type", "array", "items", item);
	json_t *nothing = schema_pack("{s:s}", "type", "null");

	if (or_one)
		return schema_pack("{s:[o,o,o]}", "anyOf", list, item, nothing);
	json_decref(item);
	json_decref(nothing);
	return list;
}

static json_t *namespaces(void) {
	return map_of("namespace");
}

static json_t *interfaces(void) {
	json_t *map = map_of("any-interface");

	schema_set(map, "propertyNames", schema_ref("interface-name"));
	return or_empty(map);
}

static json_t *routes(void) {
	return list_of("route", false, true);
}

static json_t *nat(void) {
	return list_of("nat-entry", false, true);
}

static json_t *addresses(void) {
	return list_of("address", true, true);
}

static json_t *ports(void) {
	return list_of("port", true, true);
}

static json_t *sysctl(void) {
	return or_empty(schema_pack("{s:s, s:{s:s}, s:{s:[s,s]}}", "type", "object", "propertyNames", "pattern", "^net[./].",
				    "additionalProperties", "type", "string", "integer"));
}

static json_t *dns(void) {
	return or_empty(schema_ref("dns"));
}

static json_t *defaults(void) {
	return or_empty(schema_ref("defaults"));
}

static json_t *default_values(void) {
	return schema_ref("default-values");
}

static json_t *endpoints(void) {
	return schema_pack("{s:s, s:{s:s, s:s}, s:i, s:i}", "type", "array", "items", "type", "string", "pattern", ":",
			   "minItems", 2, "maxItems", 2);
}

static json_t *links(void) {
	json_t *item = schema_pack("{s:[o,o]}", "anyOf", endpoints(), schema_ref("link"));

	return or_empty(schema_pack("{s:s, s:o}", "type", "array", "items", item));
}

/* Keys. */

static const struct schema_key top_keys[] = {
	{ "version", "`1`", "Version of this format; 1 when left out.", one },
	{ "topology", "name", "Name of the topology, by which topod knows what it made; the file's name when left out.",
	  text },
	{ "namespaces", "map of [namespaces](#namespace)", "Namespaces by name; `host` is the one in which the daemon runs.",
	  namespaces },
	{ "links", "list of [links](#link)", "Veth pairs.", links },
	{ "defaults", "[defaults](#defaults)", "Values for what the file leaves out.", defaults },
	{ "drift", "`restore`, `report`, `ignore`",
	  "What is done about drift: it is undone (when left out), only reported, or passed over. The nearest of "
	  "interface, namespace and file counts.",
	  drift },
	{ "on-stop", "`keep`, `remove`", "Whether the network stays when the daemon stops; it does when left out.",
	  on_stop },
};

static const struct schema_key namespace_keys[] = {
	{ "interfaces", "map of [interfaces](#interface)", "Interfaces by name.", interfaces },
	{ "routes", "list of [routes](#route)", "Routes, of any table.", routes },
	{ "nat", "list of [NAT entries](#nat-entry)", "Address translation, in order.", nat },
	{ "forwarding", "`true`, `false`, `ipv4`, `ipv6`", "Whether packets are forwarded, and of which family.",
	  forwarding },
	{ "sysctl", "map", "Settings below `net.`, as sysctl(8) writes them; a dot in an interface's name is a slash.",
	  sysctl },
	{ "dns", "[dns](#dns)", "What /etc/netns/NAME/resolv.conf says; not for `host`.", dns },
	{ "adopt", "true, false",
	  "Take over a namespace that exists already, also one that a link in /run/netns leads to; it is never deleted. "
	  "One that topod made itself is given up: from the next apply or reload on it is never deleted either.",
	  boolean },
	{ "exclusive", "true, false", "Remove what is not declared; not for `host`.", boolean },
	{ "drift", "`restore`, `report`, `ignore`", "As at the top, for this namespace.", drift },
};

static const struct schema_key interface_keys[] = {
	{ "kind", "see below", "What it is. An end of a link, `lo` and a mere port of a bridge need none.", plain_kind },
	{ "addresses", "list of [addresses](#address)", "Addresses, each a prefix or a mapping.", addresses },
	{ "accept-ra", "`0`, `1`, `2`, true, false", "Whether router advertisements are taken (2: even when forwarding).",
	  accept_ra },
	{ "drift", "`restore`, `report`, `ignore`", "As at the top, for this interface.", drift },
};

static const struct schema_key controller_keys[] = {
	{ "ports", "list of [ports](#port)", "Its ports, each a name or a mapping.", ports },
};

static const struct schema_key dns_keys[] = {
	{ "servers", "list of addresses", "Name servers; a link-local one with its interface, as `fe80::1%eth0`.", texts },
	{ "search", "list of domains", "Domains in which short names are looked up.", texts },
};

static const struct schema_key defaults_keys[] = {
	{ "link", "[values](#default-values)", "For both ends of each link.", default_values },
	{ "interface", "[values](#default-values)", "For every interface that topod makes.", default_values },
};

/* The fields that a pair takes for both of its ends are those of its ends. */
static const struct field link_fields[] = {
	{ .name = "mtu", .type = &type_integer, .min = 68, .max = 65535, .doc = "Largest packet of both ends, in bytes." },
	{ .name = "queues",
	  .type = &type_integer,
	  .min = 1,
	  .max = 4096,
	  .doc = "Transmit and receive queues of both ends; one per CPU when left out." },
	{ .name = "txqueuelen",
	  .type = &type_integer,
	  .max = INT32_MAX,
	  .doc = "Length of both transmit queues, in packets." },
};

static const struct schema_key link_keys[] = {
	{ "endpoints", "[NAMESPACE:INTERFACE, NAMESPACE:INTERFACE]", "The two ends.", endpoints, .required = true },
};

/* Mappings. */

#define KEYS(table) .keys = table, .n_keys = ARRAY_SIZE(table)

static struct schema_mapping of_kind(const char *name, const char *title, const char *doc, const struct kind *kind) {
	return (struct schema_mapping){
		.name = name, .title = title, .doc = doc, .fields = kind->fields, .n_fields = kind->n_fields
	};
}

struct schema_mapping schema_interface(void) {
	return (struct schema_mapping){
		.name = "interface",
		.title = "Interfaces",
		KEYS(interface_keys),
		.fields = kind_existing.fields,
		.n_fields = LINK_N_FIELDS,
		.doc = "An entry of `interfaces`: what every interface has. Those with a `kind` that is listed below have "
		       "its keys, too. `existing` is never made and never deleted; what the file names is managed. "
		       "In a namespace that topod makes it waits until something else (a VPN, say) moves it in, and again when it goes. "
		       "What others have made becomes a port, a parent or an underlay only where an entry declares it.",
	};
}

/* Every kind of links that has a word of its own in the file. */
static size_t add_links(struct schema_mapping *ret) {
	size_t n = 0;

	for (const struct kind *const *k = kinds; *k; k++) {
		if ((*k)->class != &class_link || (*k)->unnamed || *k == &kind_existing)
			continue;
		ret[n] = of_kind((*k)->name, (*k)->name, (*k)->doc, *k);
		ret[n].fields += LINK_N_FIELDS;
		ret[n].n_fields -= LINK_N_FIELDS;
		ret[n].link = *k;
		if ((*k)->port_kind) {
			ret[n].keys = controller_keys;
			ret[n].n_keys = ARRAY_SIZE(controller_keys);
		}
		n++;
	}
	return n;
}

size_t schema_mappings(struct schema_mapping ret[SCHEMA_MAPPINGS_MAX]) {
	const struct schema_mapping first[] = {
		{ "topology", "The file", "A mapping with these keys.", KEYS(top_keys) },
		{ "namespace", "Namespaces", "An entry of `namespaces`; an empty one is written `NAME: {}`.",
		  KEYS(namespace_keys) },
		schema_interface(),
	};
	const struct schema_mapping last[] = {
		of_kind("port", "Ports", "An entry of a bridge's `ports`: a name, or a mapping.", &kind_bridge_port),
		of_kind("address", "Addresses", "An entry of `addresses`: a prefix, or a mapping.", &kind_address),
		{ "link", "Links",
		  "An entry of `links`: a list of the two ends, or a mapping. What is said of an end "
		  "under its interface goes before.",
		  KEYS(link_keys), link_fields, ARRAY_SIZE(link_fields) },
		of_kind("route", "Routes", "An entry of `routes`.", &kind_route),
		{ "nat-entry", "NAT entries", "An entry of `nat`.", .fields = nat_entry_fields, .n_fields = NAT_N_KEYS },
		{ "dns", "DNS",
		  "The mapping `dns`. `ip netns exec` lays the file over /etc/resolv.conf. A systemd service with "
		  "`NetworkNamespacePath=/run/netns/NAME` needs `BindReadOnlyPaths=/etc/netns/NAME/resolv.conf:/etc/resolv.conf` for "
		  "it, or asks the host's name servers; see topod(8).",
		  KEYS(dns_keys) },
		{ "defaults", "Defaults", "The mapping `defaults`.", KEYS(defaults_keys) },
		{ "default-values", "Default values", "A mapping in `defaults`.", .fields = kind_veth.fields,
		  .n_fields = LINK_N_FIELDS, .without = "mac-address" },
	};
	size_t n = ARRAY_SIZE(first);

	memcpy(ret, first, sizeof(first));
	n += add_links(ret + n);
	memcpy(ret + n, last, sizeof(last));
	return n + ARRAY_SIZE(last);
}
