/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/netns/NAME/resolv.conf, in the format of resolv.conf(5), and the mapping `dns`.
 */
#include "kind/dns.h"
#include "meaning/places.h"
#include "model/source.h"

#define TEXTS "{\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}}"

const struct field dns_fields[1] = {
	[DNS_CONTENT] = { .name = "content",
			  .type = &type_text,
			  .offset = offsetof(struct dns, content),
			  .flags = FIELD_HIDDEN | FIELD_OPAQUE },
};

struct dns *dns_new(struct arena *arena, const struct kind *kind, const char *ns, const char *content) {
	struct object *object = object_new(arena, kind, ns);
	struct dns *dns = (struct dns *)object;

	dns->content = arena_strdup(arena, content);
	object->set = field_bit(DNS_CONTENT);
	object->owned = startswith(content, DNS_FIRST_LINE);
	object_seal(arena, object);
	return dns;
}

struct dns *dns_declare(struct reading *here, const struct kind *kind, const struct node *node, const char *content) {
	struct dns *dns = dns_new(here->parse.arena, kind, here->ns->name, content);

	dns->object.position = node->position;
	dns->object.drift = here->drift;
	reading_add(here, here->ns, &dns->object);
	return dns;
}

static const struct field key_servers = { .name = "servers", .type = &type_ip };
static const struct field key_search = { .name = "search", .type = &type_text };
static const struct field key_options = { .name = "options", .type = &type_text };

/* The state of reading the mapping. */
struct reader {
	struct parse *p;
	struct text servers, search, options; /* complete lines, and parts of single lines */
	vec(struct dns_zone) zones;
};

static void reader_done(struct reader *r) {
	text_done(&r->servers);
	text_done(&r->search);
	text_done(&r->options);
	vec_done(&r->zones);
}

/* Splits `fe80::1%eth0`, an address that is valid on one interface only (RFC 4007). *ret_zone has no `%`. */
static bool split_zone(struct parse *p, const struct node *node, struct node *ret_address, const char **ret_zone) {
	const char *percent = strchr(node->text, '%'), *why;

	*ret_address = *node;
	*ret_zone = percent ? percent + 1 : NULL;
	if (!percent)
		return true;
	ret_address->text = arena_strndup(p->arena, node->text, (size_t)(percent - node->text));
	*ret_zone = parse_real_name(p, p->ns, *ret_zone);
	if (link_name_valid(*ret_zone, &why))
		return true;
	diag_error(p->diags, node->position, "the interface name '%s' %s", *ret_zone, why);
	return false;
}

static void add_zone(struct reader *r, const struct node *node, const char *zone) {
	vec_push(&r->zones, (struct dns_zone){ .dev = arena_strdup(r->p->arena, zone), .position = node->position });
	text_addf(&r->servers, "%%%s", zone);
}

static void add_server(struct reader *r, const struct node *node) {
	struct node address;
	const char *zone;
	struct ip ip;
	char buf[IP_TEXT_MAX];

	if (!parse_scalar(r->p, &key_servers, node) || !split_zone(r->p, node, &address, &zone) ||
	    !type_ip.parse(r->p, &key_servers, &address, &ip))
		return;
	bool local = ip.family == AF_INET6 && ip_is_link_local(&ip);
	if (zone && !local)
		diag_error(r->p->diags, node->position, "only an address in fe80::/10 takes an interface; write %s",
			   ip_format(&ip, buf));
	if (!zone && local)
		diag_warning(r->p->diags, node->position,
			     "%s is valid on every interface: say on which one, for example %s%%eth0", ip_format(&ip, buf),
			     buf);
	text_addf(&r->servers, "nameserver %s", ip_format(&ip, buf));
	if (zone)
		add_zone(r, node, zone);
	text_add(&r->servers, "\n");
}

static void add_domain(struct reader *r, const struct node *node) {
	const char *domain;

	if (!type_text.parse(r->p, &key_search, node, &domain))
		return;
	if (!*domain || domain[strcspn(domain, " \t\r\n#;")])
		diag_error(r->p->diags, node->position, "'%s' is not a domain name", domain);
	else
		text_addf(&r->search, " %s", domain);
}

static void add_option(struct reader *r, const struct node *node) {
	const char *option;

	if (!type_text.parse(r->p, &key_options, node, &option))
		return;
	if (!*option || option[strcspn(option, " \t\r\n#;")])
		diag_error(r->p->diags, node->position, "'%s' is not an option of resolv.conf(5), such as ndots:1", option);
	else
		text_addf(&r->options, " %s", option);
}

static void each(struct reader *r, const struct node *list, void (*add)(struct reader *, const struct node *)) {
	if (list->type == NODE_SEQUENCE)
		for (size_t i = 0; i < list->n; i++)
			add(r, list->items[i]);
	else
		add(r, list);
}

/* For an export: the opposite of reading. */

static void print_list(const char *key, char *words, struct text *out) {
	const char *separator = "";
	char *word;

	text_addf(out, "%s%s: [", out->size ? ", " : "", key);
	while ((word = strsep(&words, " "))) {
		text_add(out, separator);
		yaml_add_quoted(out, word);
		separator = ", ";
	}
	text_add(out, "]");
}

/* Prints the keys for a file that topod has written; false: it is another file, and may have comments and options that no
 * key expresses. */
static bool print_file(struct arena *arena, const char *content, struct text *out) {
	const char *text = startswith(content, DNS_FIRST_LINE);
	char *lines = text ? arena_strdup(arena, text) : NULL, *line = lines;
	_cleanup_text_ struct text servers = {};

	while (lines && (line = strsep(&lines, "\n")) && startswith(line, "nameserver "))
		text_addf(&servers, "%s%s", servers.size ? " " : "", startswith(line, "nameserver "));
	if (servers.size)
		print_list("servers", servers.data, out);
	if (text && lines && startswith(line, "search ")) {
		print_list("search", line + strlen("search "), out);
		line = strsep(&lines, "\n");
	}
	if (text && lines && startswith(line, "options ")) {
		print_list("options", line + strlen("options "), out);
		line = strsep(&lines, "\n");
	}
	return text && !lines && !*line;
}

static void print_dns(const struct ns_state *seen, const char *link _unused_, struct text *out) {
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_text_ struct text file = {}, hosts = {};
	bool has_file = false, has_hosts = false;

	ns_foreach(object, seen) {
		const char *content = object->kind == &kind_dns || object->kind == &kind_hosts
					      ? ((const struct dns *)object)->content
					      : "";

		if (object->kind == &kind_dns && !print_file(&arena, content, &file))
			text_done(&file);
		else
			has_file |= object->kind == &kind_dns;
		has_hosts |= object->kind == &kind_hosts && dns_print_hosts(&arena, content, &hosts);
	}
	if (has_hosts)
		text_addf(&file, "%shosts: {%s}", file.size ? ", " : "", text_str(&hosts));
	if (has_file || has_hosts)
		text_addf(out, "{%s}", text_str(&file));
}

static const char *left_out(struct arena *arena, const struct object *observed) {
	_cleanup_text_ struct text text = {};

	return print_file(arena, ((const struct dns *)observed)->content, &text) ? NULL : "left out";
}

static const struct section keys[] = {
	{ .key = "servers",
	  .shape = SECTION_LIST,
	  .value = "list of addresses",
	  .doc = "Name servers; a link-local one with its interface, as `fe80::1%eth0`.",
	  .schema = TEXTS },
	{ .key = "search",
	  .shape = SECTION_LIST,
	  .value = "list of domains",
	  .doc = "Domains in which short names are looked up.",
	  .schema = TEXTS },
	{ .key = "options",
	  .shape = SECTION_LIST,
	  .value = "list of options",
	  .doc = "Options of resolv.conf(5), such as `ndots:1`.",
	  .schema = TEXTS },
	{ .key = "hosts",
	  .value = "`true`, or map of names",
	  .doc = "The content of /etc/netns/NAME/hosts: with `true`, localhost and every namespace of the topology that "
		 "shares a network with this one, with its addresses there; or `{NAME: ADDRESS}`, or a list of addresses. "
		 "Without it, the host's own file is used.",
	  .schema = "{\"type\": [\"boolean\", \"object\"]}" },
	{},
};
enum { KEY_SERVERS, KEY_SEARCH, KEY_OPTIONS, KEY_HOSTS, N_KEYS };
static const char *const key_names[] = { "servers", "search", "options", "hosts", NULL };

static void read_dns(struct reading *here, const struct section *section _unused_, const struct node *node) {
	struct parse *p = &here->parse;
	_cleanup_(reader_done) struct reader r = { .p = p };
	_cleanup_text_ struct text all = {};
	const struct node *values[N_KEYS] = {};
	size_t errors = p->diags->n_errors;

	if (streq(p->ns, NS_HOST)) {
		diag_error(p->diags, node->position, "'dns' is for named namespaces; the host has its own resolv.conf");
		return;
	}
	if (node->type != NODE_MAPPING) {
		diag_error(p->diags, node->position, "'dns' must be a mapping of keys, not %s; write {servers: [ADDRESS]}",
			   node_type_name(node));
		return;
	}
	fields_parse(p, node, &(struct fields_parse){ .what = "dns", .others = key_names, .values = values });
	if (values[KEY_SERVERS])
		each(&r, values[KEY_SERVERS], add_server);
	if (values[KEY_SEARCH])
		each(&r, values[KEY_SEARCH], add_domain);
	if (values[KEY_OPTIONS])
		each(&r, values[KEY_OPTIONS], add_option);
	if (values[KEY_HOSTS])
		dns_read_hosts(here, values[KEY_HOSTS]);
	if (p->diags->n_errors != errors)
		return;
	if (values[KEY_HOSTS] && !values[KEY_SERVERS] && !values[KEY_SEARCH] && !values[KEY_OPTIONS])
		return; /* it has no key for resolv.conf */
	text_addf(&all, "%s%s", DNS_FIRST_LINE, text_str(&r.servers));
	if (r.search.size)
		text_addf(&all, "search%s\n", text_str(&r.search));
	if (r.options.size)
		text_addf(&all, "options%s\n", text_str(&r.options));
	struct dns *dns = dns_declare(here, &kind_dns, node, all.data);
	dns->n_zones = r.zones.n;
	dns->zones = arena_memdup(p->arena, r.zones.items, r.zones.n * sizeof(struct dns_zone));
}

static const struct mapping dns_mapping = {
	.name = "dns",
	.title = "DNS",
	.doc = "The mapping `dns`. `ip netns exec` mounts the files over /etc/resolv.conf and /etc/hosts. A systemd service with "
	       "`NetworkNamespacePath=/run/netns/NAME` needs `BindReadOnlyPaths=/etc/netns/NAME/resolv.conf:/etc/resolv.conf`; "
	       "otherwise it uses the host's name servers; see topod(8).",
	.what = "dns",
	.sections = keys,
};

static const struct section sections[] = {
	{ .key = "dns",
	  .place = SECTION_NAMESPACE,
	  .shape = SECTION_MAPPING,
	  .early = true,
	  .may_be_empty = true,
	  .mapping = &dns_mapping,
	  .value = "[dns](#dns)",
	  .doc = "The content of /etc/netns/NAME/resolv.conf and /etc/netns/NAME/hosts; not for `host`.",
	  .print = print_dns,
	  .read = read_dns },
	{},
};

static void noun(const struct object *object, struct text *out) {
	text_addf(out, "file /etc/netns/%s/resolv.conf", object->ns);
}

static struct object *from_text(struct arena *arena, const char *ns, const struct object *wanted _unused_,
				const char *text) {
	return &dns_new(arena, &kind_dns, ns, text)->object;
}

/* Changes of the file are heard by inotify. */
static const struct source source = {
	.only_if_declared = true,
	.transport = TRANSPORT_FILE,
	.file = "resolv.conf",
	.from_text = from_text,
};

/* Name servers on an interface (fe80::1%eth0) that does not exist. */
static void check_zones(struct meaning *m, const struct ns_state *ns, const struct dns *dns) {
	for (size_t i = 0; i < dns->n_zones; i++)
		if (!ns_find_link(ns, dns->zones[i].dev) && !ns->adopt)
			diag_warning(m->diags, dns->zones[i].position,
				     "'servers' names %s, but %s has no interface of that name", dns->zones[i].dev,
				     ns->name);
}

static void warn(struct meaning *m) {
	state_foreach(ns, m->state)
		ns_foreach(object, ns)
			if (object->kind == &kind_dns)
				check_zones(m, ns, (const struct dns *)object);
}

const struct class class_dns = {
	.sections = sections,
	.source = &source,
	.name = "resolv.conf",
	.plural = "resolv.confs",
	.outlives_namespace = true,
};

const struct kind kind_dns = {
	.name = "dns",
	.class = &class_dns,
	.transport = TRANSPORT_FILE,
	.size = sizeof(struct dns),
	.fields = dns_fields,
	.n_fields = ARRAY_SIZE(dns_fields),
	.markable = true,
	.noun = noun,
	.left_out = left_out,
	.warn = warn,
};
