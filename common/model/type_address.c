/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The types of values that are addresses: MAC, IP, prefixes with and without host bits. */
#include "model/type_pattern.h"
#include "model/type_private.h"

static bool any_mac_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = type_parse_word(p, field, node);

	if (!text)
		return false;
	return mac_parse(text, value) == 0 || type_wrong(p, field, node, "\"02:00:00:00:00:01\"");
}

static bool mac_value_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct mac mac;

	if (!any_mac_parse(p, field, node, &mac))
		return false;
	if (mac.bytes[0] & 1 || memcmp(mac.bytes, (uint8_t[6]){}, 6) == 0) {
		diag_error(p->diags, node->position, "%s is not the address of one interface (%s)", node->text,
			   mac.bytes[0] & 1 ? "the multicast bit is set" : "it is all zero");
		return false;
	}
	*(struct mac *)value = mac;
	return true;
}

static void mac_print(const struct field *field _unused_, const void *value, struct text *out) {
	char buf[MAC_TEXT_MAX];

	text_add(out, mac_format(value, buf));
}

static bool mac_equal(const void *a, const void *b) {
	return memcmp(a, b, sizeof(struct mac)) == 0;
}

static void mac_put(struct nl_writer *w, const struct field *field, const void *value) {
	nl_put(w, field->attr, value, sizeof(struct mac));
}

static bool mac_get(struct arena *arena _unused_, const struct field *field _unused_, const struct nlattr *attr,
		    void *value) {
	if (mnl_attr_get_payload_len(attr) != sizeof(struct mac))
		return false;
	memcpy(value, mnl_attr_get_payload(attr), sizeof(struct mac));
	return true;
}

const struct type type_mac = {
	.name = "MAC address",
	.schema = SCHEMA_OF("unicast-mac"),
	.size = sizeof(struct mac),
	.parse = mac_value_parse,
	.print = mac_print,
	.equal = mac_equal,
	.put = mac_put,
	.get = mac_get,
};

const struct type type_any_mac = {
	.name = "MAC address",
	.schema = SCHEMA_OF("mac"),
	.size = sizeof(struct mac),
	.parse = any_mac_parse,
	.print = mac_print,
	.equal = mac_equal,
	.put = mac_put,
	.get = mac_get,
};

static bool ip_value_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);

	if (!text)
		return false;
	if (ip_parse(text, value) < 0)
		return type_wrong(p, field, node,
				  strchr(text, '/') ? "10.0.0.1, without a length" : "10.0.0.1 or \"fd00::1\"");
	return true;
}

static void ip_print(const struct field *field _unused_, const void *value, struct text *out) {
	char buf[IP_TEXT_MAX];

	text_add(out, ip_format(value, buf));
}

static bool ip_value_equal(const void *a, const void *b) {
	return ip_equal(a, b);
}

static void ip_put(struct nl_writer *w, const struct field *field, const void *value) {
	const struct ip *ip = value;
	uint16_t attr = ip->family == AF_INET6 && field->attr6 ? field->attr6 : field->attr;

	nl_put(w, attr, ip->bytes, ip_size(ip->family));
}

static bool ip_get(struct arena *arena _unused_, const struct field *field _unused_, const struct nlattr *attr,
		   void *value) {
	uint8_t family = mnl_attr_get_payload_len(attr) == 4 ? AF_INET : AF_INET6;

	return ip_from_bytes(family, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), value) == 0;
}

const struct type type_ip = {
	.name = "address",
	.schema = SCHEMA_OF("ip"),
	.size = sizeof(struct ip),
	.parse = ip_value_parse,
	.print = ip_print,
	.equal = ip_value_equal,
	.put = ip_put,
	.get = ip_get,
};

static bool is_everything(const char *text) {
	return strcasecmp(text, "any") == 0 || strcasecmp(text, "all") == 0 || streq(text, "0/0") || streq(text, "*");
}

void prefix_refuse(struct parse *p, const struct field *field, const struct node *node, const char *text,
		   const char *example) {
	char buf[PREFIX_TEXT_MAX];
	struct prefix prefix;

	if (prefix_parse_netmask(text, &prefix) == 0)
		diag_error(p->diags, node->position, "'%s' takes a prefix with its length in bits, not '%s'; write %s",
			   field->name, text, prefix_format(&prefix, buf));
	else if (is_everything(text))
		diag_error(p->diags, node->position,
			   "'%s' takes a prefix, not '%s'; for everything write 0.0.0.0/0 or \"::/0\"", field->name, text);
	else if (strchr(text, ','))
		diag_error(p->diags, node->position, "'%s' takes a prefix, not '%s'; a list is written [%s]", field->name,
			   text, text);
	else
		diag_error(p->diags, node->position, "'%s' takes a prefix, not '%s', for example %s", field->name, text,
			   example);
}

static bool prefix_value_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);

	if (!text)
		return false;
	if (prefix_parse(text, value) == 0)
		return true;
	prefix_refuse(p, field, node, text,
		      field->type == &type_prefix ? "10.0.0.1/24 or \"fd00::1/64\"" : "10.0.0.0/24 or \"fd00::/64\"");
	return false;
}

bool prefix_check_network(struct parse *p, const struct node *node, const char *text, const struct prefix *prefix) {
	struct prefix network = prefix_network(prefix);
	char buf[PREFIX_TEXT_MAX];

	if (prefix_equal(prefix, &network))
		return true;
	diag_error(p->diags, node->position, "'%s' has host bits set; the prefix is %s", text, prefix_format(&network, buf));
	return false;
}

static bool network_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	struct prefix prefix;

	if (!prefix_value_parse(p, field, node, &prefix) || !prefix_check_network(p, node, node->text, &prefix))
		return false;
	*(struct prefix *)value = prefix;
	return true;
}

static void prefix_print(const struct field *field _unused_, const void *value, struct text *out) {
	char buf[PREFIX_TEXT_MAX];

	text_add(out, prefix_format(value, buf));
}

static bool prefix_value_equal(const void *a, const void *b) {
	return prefix_equal(a, b);
}

const struct type type_prefix = {
	.name = "prefix",
	.schema = SCHEMA_OF("prefix"),
	.size = sizeof(struct prefix),
	.parse = prefix_value_parse,
	.print = prefix_print,
	.equal = prefix_value_equal,
};

const struct type type_network = {
	.name = "prefix",
	.schema = SCHEMA_OF("prefix"),
	.size = sizeof(struct prefix),
	.parse = network_parse,
	.print = prefix_print,
	.equal = prefix_value_equal,
};
