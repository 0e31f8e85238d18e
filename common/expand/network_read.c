/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading an entry of `networks`: its keys, its members, and the address of each. It does not know what a network is written
 * out as (networks.c).
 */
#include "expand/network.h"

#include <inttypes.h>

#include "kind/link.h"

/* Tables. */

enum { NETWORK_BRIDGE, NETWORK_NAT, NETWORK_ISOLATED, NETWORK_MTU, NETWORK_N_FIELDS };

static const struct field network_fields[NETWORK_N_FIELDS] = {
	[NETWORK_BRIDGE] = { .name = "bridge",
			     .type = &type_link_ref,
			     .offset = offsetof(struct network, bridge),
			     .doc = "The bridge, as `NAMESPACE:NAME`; if left out, it is `br0` in a namespace named as the network." },
	[NETWORK_NAT] = { .name = "nat",
			  .type = &type_bool,
			  .offset = offsetof(struct network, nat),
			  .doc = "Whether the gateway masquerades packets that leave the network." },
	[NETWORK_ISOLATED] = { .name = "isolated",
			       .type = &type_bool,
			       .offset = offsetof(struct network, isolated),
			       .doc = "Whether members reach only the gateway, and not each other." },
	[NETWORK_MTU] = { .name = "mtu",
			  .type = &type_integer,
			  .offset = offsetof(struct network, mtu),
			  .min = LINK_MTU_MIN,
			  .max = LINK_MTU_MAX,
			  .doc = "Largest packet of the bridge and of both ends of each link, in bytes." },
};

static const struct mapping mapping_member;

static const struct section network_sections[] = {
	{ .key = "prefix",
	  .shape = SECTION_LIST,
	  .required = true,
	  .value = "prefix",
	  .doc = "Its addresses: a prefix, or a list with one of each family.",
	  .schema =
		  "{\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}, \"minItems\": 1, \"maxItems\": 2}" },
	{ .key = "members",
	  .shape = SECTION_LIST,
	  .ranges = true,
	  .mapping = &mapping_member,
	  .value = "list of [members](#member)",
	  .doc = "The namespaces that are connected to it. The n-th one gets the n-th address after the gateway's, so that "
		 "appending a member changes no other address." },
	{ .key = "gateway",
	  .value = "namespace, or `false`",
	  .doc = "The namespace that has the first address and is the default route of all members: the bridge's namespace, "
		 "or a member, which then gets no other address. `false`, the default: there is none, and the first member "
		 "gets the first address.",
	  .schema = "{\"type\": [\"string\", \"boolean\"]}" },
	{},
};

const struct mapping mapping_network = {
	.name = "network",
	.title = "Networks",
	.doc = "An entry of `networks` stands for what one would write by hand: the namespaces that are not declared, a "
	       "bridge, a link to each member, addresses, default routes, and at the gateway forwarding and NAT. Keys "
	       "written by hand for the same objects are merged with it; a contradiction is an error that shows both places.",
	.what = "a network",
	.sections = network_sections,
	.fields = network_fields,
	.n_fields = NETWORK_N_FIELDS,
};

enum { MEMBER_NAME, MEMBER_INTERFACE, MEMBER_N_FIELDS };

static const struct field member_fields[MEMBER_N_FIELDS] = {
	[MEMBER_NAME] = { .name = "name",
			  .type = &type_text,
			  .offset = offsetof(struct member, name),
			  .flags = FIELD_REQUIRED,
			  .doc = "The namespace." },
	[MEMBER_INTERFACE] = { .name = "interface",
			       .type = &type_link_name,
			       .offset = offsetof(struct member, interface),
			       .doc = "Its interface to the network; by default `eth0`, or the first `ethN` that is free in "
				      "the namespace." },
};

static const struct section member_sections[] = {
	{ .key = "address",
	  .shape = SECTION_LIST,
	  .value = "address",
	  .doc = "Its address in the network, or a list with one of each family; by default it follows from the member's "
		 "place in the list. A member with an explicit address still counts for the places of others.",
	  .schema =
		  "{\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}, \"minItems\": 1, \"maxItems\": 2}" },
	{},
};

static const struct mapping mapping_member = {
	.name = "member",
	.title = "Members",
	.doc = "An entry of `members`: a name, or a mapping.",
	.what = "a member",
	.sections = member_sections,
	.fields = member_fields,
	.n_fields = MEMBER_N_FIELDS,
	.bare = "name",
};

/* Reading. */

/* Calls fn for each item of a list, or for the node itself. */
static bool each(struct expansion *x, struct network *network, void *context, const struct node *list,
		 bool (*fn)(struct expansion *, struct network *, void *, const struct node *)) {
	bool good = true;

	if (list->type != NODE_SEQUENCE)
		return node_is_null(list) || fn(x, network, context, list);
	for (size_t i = 0; i < list->n; i++)
		good &= fn(x, network, context, list->items[i]);
	return good;
}

static bool add_prefix(struct expansion *x, struct network *network, void *context _unused_, const struct node *node) {
	static const struct field key = { .name = "prefix", .type = &type_network };
	struct prefix prefix;

	if (!type_network.parse(&x->parse, &key, node, &prefix))
		return false;
	size_t i = family_index(&prefix.address);
	if (network->prefixes[i].address.family) {
		diag_error(x->diags, node->position,
			   "a network has one prefix of each family; this is the second one of IPv%d", i ? 6 : 4);
		diag_note(x->diags, network->prefix_positions[i], "first here");
		return false;
	}
	if (prefix_hosts(&prefix) < 2) {
		diag_error(x->diags, node->position, "'%s' has only one address, which is too few for a network",
			   node->text);
		return false;
	}
	network->prefixes[i] = prefix;
	network->prefix_positions[i] = node->position;
	return true;
}

static bool add_address(struct expansion *x, struct network *network, void *context, const struct node *node) {
	static const struct field key = { .name = "address", .type = &type_ip };
	struct member *member = context;
	struct ip ip;
	char buf[PREFIX_TEXT_MAX];

	if (!type_ip.parse(&x->parse, &key, node, &ip))
		return false;
	size_t i = family_index(&ip);
	const struct prefix *prefix = &network->prefixes[i];
	if (!prefix->address.family)
		diag_error(x->diags, node->position, "the network '%s' has no IPv%d prefix", network->name, i ? 6 : 4);
	else if (!prefix_contains(prefix, &ip))
		diag_error(x->diags, node->position, "%s is not in the network '%s', which is %s", node->text, network->name,
			   prefix_format(prefix, buf));
	else if (member->given[i])
		diag_error(x->diags, node->position, "a member has one address of each family");
	else if (!prefix_has_host(prefix, &ip))
		diag_error(x->diags, node->position, "%s is the address of the network itself or its broadcast address",
			   node->text);
	else
		member->given[i] = true;
	member->addresses[i] = (struct prefix){ .address = ip, .length = prefix->length };
	return member->given[i];
}

static bool add_member(struct expansion *x, struct network *network, void *context _unused_, const struct node *node) {
	static const char *const keys[] = { "address", NULL };
	struct member member = {};
	const struct node *address = NULL;
	uint64_t set = 0;
	const char *why;
	bool good;

	if (node->type == NODE_MAPPING)
		good = fields_parse(&x->parse, node,
				    &(struct fields_parse){ .what = mapping_member.what,
							    .fields = member_fields,
							    .n = MEMBER_N_FIELDS,
							    .base = &member,
							    .set = &set,
							    .others = keys,
							    .values = &address });
	else
		good = type_text.parse(&x->parse, &member_fields[MEMBER_NAME], node, &member.name);
	if (!good)
		return false;
	if (!file_name_valid(member.name, &why)) {
		diag_error(x->diags, node->position, "the namespace name '%s' %s", member.name, why);
		return false;
	}
	member.position = expansion_origin(x, node->position, member.name);
	good = !address || each(x, network, &member, address, add_address);
	vec_push(&network->members, member);
	return good;
}

/* Reads which namespace is the gateway. */
static bool read_gateway(struct expansion *x, struct network *network, const struct node *node) {
	static const struct field key = { .name = "gateway", .type = &type_text };
	uint32_t any;

	if (node->type == NODE_SCALAR && node_is_bool_word(node) && node->n > 1) {
		if (!type_bool.parse(&x->parse, &key, node, &any))
			return false;
		if (any)
			diag_error(x->diags, node->position, "'gateway' is the name of a namespace, or false");
		return !any;
	}
	if (!type_text.parse(&x->parse, &key, node, &network->gateway))
		return false;
	network->gateway_position = node->position;
	return true;
}

/* The gateway must be a member or the bridge's namespace; the latter cannot be a member. */
static bool check_gateway(struct expansion *x, struct network *network) {
	struct suggestion near = suggest_for(network->gateway ? network->gateway : "");
	bool found = !network->gateway || gateway_is_at_bridge(network), good = true;

	suggest(&near, network->bridge.ns);
	vec_foreach(member, &network->members) {
		suggest(&near, member->name);
		member->gateway = network->gateway && streq(network->gateway, member->name);
		found |= member->gateway;
		if (!streq(member->name, network->bridge.ns))
			continue;
		diag_error(x->diags, member->position,
			   "the bridge of '%s' is in %s, which has an address only as its gateway; write 'gateway: %s'",
			   network->name, member->name, member->name);
		good = false;
	}
	if (!found)
		diag_unknown(x->diags, network->gateway_position, &near, NULL,
			     "the gateway is neither a member of '%s' nor %s, where its bridge is: '%s'", network->name,
			     network->bridge.ns, network->gateway);
	if (!network->gateway && network->nat) {
		diag_error(x->diags, network->nat_node->position, "'nat' needs a 'gateway', which translates the addresses");
		good = false;
	}
	return good && found;
}

/* A member's address of one family, for the message about a duplicate. */
struct taken {
	struct ip ip;
	const struct member *member;
};

static int compare_taken(const void *a, const void *b) {
	const struct taken *x = a, *y = b;
	int r = memcmp(x->ip.bytes, y->ip.bytes, sizeof(x->ip.bytes));

	return r ? r : (x->member > y->member) - (x->member < y->member);
}

static bool check_taken(struct expansion *x, const struct network *network, size_t family) {
	_cleanup_free_ struct taken *all = xmalloc((network->members.n + 1) * sizeof(*all));
	struct prefix first;
	char buf[IP_TEXT_MAX];
	size_t n = 0;
	bool good = true;

	vec_foreach(member, &network->members)
		if (member->addresses[family].address.family)
			all[n++] = (struct taken){ member->addresses[family].address, member };
	if (gateway_is_at_bridge(network) && prefix_host(&network->prefixes[family], 0, &first))
		all[n++] = (struct taken){ first.address, NULL };
	qsort(all, n, sizeof(*all), compare_taken);
	for (size_t i = 1; i < n; i++) {
		const struct member *one = all[i - 1].member, *other = all[i].member;

		if (!ip_equal(&all[i - 1].ip, &all[i].ip))
			continue;
		diag_error(x->diags, other->position, "%s has the address %s, which %s has in '%s'", other->name,
			   ip_format(&all[i].ip, buf), one ? one->name : network->gateway, network->name);
		diag_note(x->diags, one ? one->position : network->gateway_position, "first here");
		good = false;
	}
	return good;
}

/* The n-th member of the list gets the n-th address after the gateway's. */
static bool give_addresses(struct expansion *x, struct network *network, size_t family) {
	const struct prefix *prefix = &network->prefixes[family];
	uint64_t place = network->gateway ? 1 : 0;
	char buf[PREFIX_TEXT_MAX];

	vec_foreach(member, &network->members) {
		if (member->gateway && !member->given[family]) {
			prefix_host(prefix, 0, &member->addresses[family]);
			continue;
		}
		if (member->gateway) {
			diag_error(x->diags, member->position,
				   "the gateway of '%s' has the first address; leave 'address' out", network->name);
			return false;
		}
		if (!member->given[family] && !prefix_host(prefix, place, &member->addresses[family])) {
			diag_error(x->diags, member->position,
				   "'%s' has %zu members, but %s has only %" PRIu64 " addresses for them", network->name,
				   network->members.n, prefix_format(prefix, buf),
				   prefix_hosts(prefix) - (network->gateway ? 1 : 0));
			diag_note(x->diags, network->prefix_positions[family], "the prefix is here");
			return false;
		}
		place++;
	}
	return check_taken(x, network, family);
}

static int compare_names(const void *a, const void *b) {
	const struct member *x = *(const struct member *const *)a, *y = *(const struct member *const *)b;
	int r = strcmp(x->name, y->name);

	return r ? r : (x > y) - (x < y);
}

/* A member that is listed twice would get two addresses. */
static bool check_twice(struct expansion *x, const struct network *network) {
	_cleanup_free_ const struct member **all = xmalloc((network->members.n + 1) * sizeof(*all));
	bool good = true;
	size_t n = 0;

	vec_foreach(member, &network->members)
		all[n++] = member;
	qsort(all, n, sizeof(*all), compare_names);
	for (size_t i = 1; i < n; i++) {
		if (!streq(all[i]->name, all[i - 1]->name))
			continue;
		diag_error(x->diags, all[i]->position, "%s is a member of '%s' twice", all[i]->name, network->name);
		diag_note(x->diags, all[i - 1]->position, "first here");
		good = false;
	}
	return good;
}

static bool read_keys(struct expansion *x, const struct node *node, struct network *network, const struct node *values[3]) {
	static const char *const keys[] = { "prefix", "members", "gateway", NULL };
	uint64_t set = 0;

	bool good = fields_parse(&x->parse, node,
				 &(struct fields_parse){ .what = mapping_network.what,
							 .fields = network_fields,
							 .n = NETWORK_N_FIELDS,
							 .base = network,
							 .set = &set,
							 .others = keys,
							 .values = values });
	if (node->type != NODE_MAPPING)
		return false;
	network->mtu_node = node_get(node, "mtu");
	network->nat_node = node_get(node, "nat");
	network->own_namespace = !(set & field_bit(NETWORK_BRIDGE));
	if (network->own_namespace)
		network->bridge = (struct link_ref){ .ns = network->name, .name = "br0" };
	if (!values[0])
		diag_error(x->diags, node->position, "a network needs 'prefix'");
	return good && values[0];
}

bool network_read(struct expansion *x, const struct node_pair *entry, struct network *ret) {
	static const struct field key = { .name = "networks", .type = &type_text };
	const struct node *values[3] = {};
	const char *why;

	*ret = (struct network){};
	if (!type_text.parse(&x->parse, &key, entry->key, &ret->name))
		return false;
	ret->position = expansion_origin(x, entry->key->position, ret->name);
	if (!file_name_valid(ret->name, &why)) {
		diag_error(x->diags, entry->key->position, "the network name '%s' %s", ret->name, why);
		return false;
	}
	bool good = read_keys(x, entry->value, ret, values);
	good = (!values[0] || each(x, ret, NULL, values[0], add_prefix)) && good;
	good = (!values[1] || each(x, ret, NULL, values[1], add_member)) && good;
	good = (!values[2] || read_gateway(x, ret, values[2])) && good;
	if (!good || !check_twice(x, ret) || !check_gateway(x, ret))
		return false;
	for (size_t family = 0; family < FAMILIES; family++)
		if (ret->prefixes[family].address.family)
			good &= give_addresses(x, ret, family);
	return good;
}

void network_done(struct network *network) {
	vec_done(&network->members);
}
