/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/netns/NAME/resolv.conf, which `ip netns exec` lays over /etc/resolv.conf (ip-netns(8)). The object is
 * the file's whole content, as resolv.conf(5) wants it.
 */
#include "kind/dns.h"

static const char first_line[] = "# Written by topod; changes are undone.\n";

static const struct field fields[] = {
	[DNS_CONTENT] = { .name = "content", .type = &type_text, .offset = offsetof(struct dns, content),
			  .flags = FIELD_HIDDEN | FIELD_OPAQUE },
};

struct dns *dns_new(struct arena *arena, const char *ns, const char *content) {
	struct object *object = object_new(arena, &kind_dns, ns);
	struct dns *dns = (struct dns *)object;

	dns->content = arena_strdup(arena, content);
	object->set = field_bit(DNS_CONTENT);
	object->marked = startswith(content, first_line);
	object_seal(arena, object);
	return dns;
}

static const struct field key_servers = { .name = "servers", .type = &type_ip };
static const struct field key_search = { .name = "search", .type = &type_text };

static void add_server(struct parse *p, const struct node *node, struct text *out) {
	struct ip ip;
	char buf[IP_TEXT_MAX];

	if (type_ip.parse(p, &key_servers, node, &ip))
		text_addf(out, "nameserver %s\n", ip_format(&ip, buf));
}

static void add_domain(struct parse *p, const struct node *node, struct text *out) {
	const char *domain;

	if (!type_text.parse(p, &key_search, node, &domain))
		return;
	if (!*domain || domain[strcspn(domain, " \t\r\n#;")])
		diag_error(p->diags, node->mark, "'%s' is no domain name", domain);
	else
		text_addf(out, " %s", domain);
}

static void each(struct parse *p, const struct node *list, struct text *out,
		 void (*add)(struct parse *, const struct node *, struct text *)) {
	if (list->type == NODE_SEQUENCE)
		for (size_t i = 0; i < list->n; i++)
			add(p, list->items[i], out);
	else
		add(p, list, out);
}

struct dns *dns_parse(struct parse *p, const struct node *node) {
	_cleanup_text_ struct text servers = {}, search = {}, all = {};
	static const char *const keys[] = { "servers", "search" };
	size_t errors = p->diags->n_errors;

	if (node->type != NODE_MAPPING) {
		diag_error(p->diags, node->mark, "'dns' is a mapping of 'servers' and 'search', not %s",
			   node_type_name(node));
		return NULL;
	}
	for (size_t i = 0; i < node->n; i++) {
		const struct node_pair *pair = &node->pairs[i];

		if (streq(pair->key->text, "servers"))
			each(p, pair->value, &servers, add_server);
		else if (streq(pair->key->text, "search"))
			each(p, pair->value, &search, add_domain);
		else
			parse_unknown_key(p->diags, pair->key, "dns", keys, ARRAY_SIZE(keys));
	}
	if (p->diags->n_errors != errors)
		return NULL;
	text_addf(&all, "%s%s", first_line, text_str(&servers));
	if (search.size)
		text_addf(&all, "search%s\n", text_str(&search));
	struct dns *dns = dns_new(p->arena, p->ns, all.data);
	dns->object.mark = node->mark;
	return dns;
}

static void noun(const struct object *object, struct text *out) {
	text_addf(out, "file /etc/netns/%s/resolv.conf", object->ns);
}

const struct kind kind_dns = {
	.name = "dns", .class = CLASS_DNS, .transport = TRANSPORT_FILE, .size = sizeof(struct dns),
	.fields = fields, .n_fields = ARRAY_SIZE(fields), .markable = true, .noun = noun,
};
