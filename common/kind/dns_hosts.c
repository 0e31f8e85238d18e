/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/netns/NAME/hosts, in the format of hosts(5).
 *
 * With `hosts: true` it lists the namespaces that share a network with this one, that is, have an address of the same prefix
 * on the same segment. All namespaces of one network have the same lines, so the text is made once for each network and
 * shared; otherwise the files of a network of 1000 would take a million lines.
 */
#include "base/hash.h"
#include "kind/dns.h"
#include "meaning/segment.h"
#include "model/source.h"

#define LOCALHOST "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"

/* Reading. */

static void add_line(struct reading *here, struct text *out, const char *name, const struct node *node) {
	static const struct field key = { .name = "hosts", .type = &type_ip };
	struct ip ip;
	char buf[IP_TEXT_MAX];

	for (size_t i = 0; node->type == NODE_SEQUENCE && i < node->n; i++)
		add_line(here, out, name, node->items[i]);
	if (node->type != NODE_SEQUENCE && type_ip.parse(&here->parse, &key, node, &ip))
		text_addf(out, "%s %s\n", ip_format(&ip, buf), name);
}

void dns_read_hosts(struct reading *here, const struct node *node) {
	static const struct field key = { .name = "hosts", .type = &type_bool };
	_cleanup_text_ struct text text = {};
	uint32_t everybody = false;
	size_t errors = here->parse.diags->n_errors;

	text_add(&text, DNS_FIRST_LINE LOCALHOST);
	if (node->type == NODE_SEQUENCE)
		diag_error(here->parse.diags, node->position, "'hosts' is true or a mapping {NAME: ADDRESS}, not a list");
	else if (node->type == NODE_SCALAR && (!type_bool.parse(&here->parse, &key, node, &everybody) || !everybody))
		return;
	for (size_t i = 0; node->type == NODE_MAPPING && i < node->n; i++) {
		const struct node *name = node->pairs[i].key;

		if (!*name->text || name->text[strcspn(name->text, " \t\r\n#")])
			diag_error(here->parse.diags, name->position, "'%s' is not a host's name", name->text);
		else
			add_line(here, &text, name->text, node->pairs[i].value);
	}
	if (here->parse.diags->n_errors == errors)
		dns_declare(here, &kind_hosts, node, text_str(&text))->everybody = everybody;
}

static void add_name(const char *name, const struct text *addresses, size_t n, struct text *out) {
	if (!n)
		return;
	text_add(out, out->size ? ", " : "");
	yaml_add_quoted(out, name);
	text_addf(out, n > 1 ? ": [%s]" : ": %s", text_str(addresses));
}

/* Names in the order in which they come first, each with its addresses; the file has them in the same order if
 * dns_read_hosts() wrote it. */
bool dns_print_hosts(struct arena *arena, const char *content, struct text *out) {
	const char *rest = startswith(content, DNS_FIRST_LINE LOCALHOST);
	char *lines = rest ? arena_strdup(arena, rest) : NULL, *line;
	_cleanup_text_ struct text addresses = {};
	const char *name = "";
	size_t n = 0;

	while ((line = strsep(&lines, "\n")) && *line) {
		char *next = strchr(line, ' ');

		if (!next)
			return false;
		*next++ = '\0';
		if (!streq(next, name)) {
			add_name(name, &addresses, n, out);
			text_done(&addresses);
			n = 0;
		}
		name = next;
		text_add(&addresses, n++ ? ", " : "");
		yaml_add_quoted(&addresses, line);
	}
	add_name(name, &addresses, n, out);
	return rest && line && !lines; /* nothing behind the last line's end */
}

static const char *left_out(struct arena *arena, const struct object *observed) {
	_cleanup_text_ struct text text = {};

	return dns_print_hosts(arena, ((const struct dns *)observed)->content, &text) ? NULL : "left out";
}

/* Which namespaces share a network. */

struct network_key {
	size_t segment;
	struct prefix prefix;
};

struct network {
	struct network_key key;
	struct text lines;
	UT_hash_handle hh;
};

/* The network that an address gives its link; false: none, or one that no other namespace of the file can be on. */
static bool network_of(struct segments *segments, const struct ns_state *ns, const struct object *object,
		       struct network_key *ret, struct prefix *ret_address) {
	const struct object *link;

	if (!object->kind->assigns || !object->kind->assigns(object, ret_address))
		return false;
	link = ns_find_link(ns, object_home_link(object));
	memset(ret, 0, sizeof(*ret)); /* including the padding, because it is hashed */
	ret->segment = segment_of(segments, link);
	struct prefix network = prefix_network(ret_address);
	ret->prefix.address.family = network.address.family;
	memcpy(ret->prefix.address.bytes, network.address.bytes, sizeof(network.address.bytes));
	ret->prefix.length = network.length;
	return ret->segment != SEGMENT_NONE && !ip_is_link_local(&ret_address->address);
}

static struct network *find_networks(struct segments *segments, const struct state *state) {
	struct network *all = NULL, *network;
	struct network_key key;
	struct prefix address;
	char buf[IP_TEXT_MAX];

	state_foreach(ns, state)
		ns_foreach(object, ns) {
			if (!network_of(segments, ns, object, &key, &address))
				continue;
			HASH_FIND(hh, all, &key, sizeof(key), network);
			if (!network) {
				network = xmalloc(sizeof(*network));
				memcpy(&network->key, &key, sizeof(key));
				HASH_ADD(hh, all, key, sizeof(key), network);
			}
			text_addf(&network->lines, "%s %s\n", ip_format(&address.address, buf), ns->name);
		}
	return all;
}

/* The text for a namespace; `last` and its text are those of the previous namespace, which is often in the same networks. */
struct last {
	const struct network *networks[8];
	size_t n;
	const char *text;
};

static const char *text_for(struct reading *r, struct segments *segments, struct network *all, const struct ns_state *ns,
			    struct last *last) {
	struct last now = {};
	struct network_key key;
	struct prefix address;
	_cleanup_text_ struct text text = {};

	text_add(&text, DNS_FIRST_LINE LOCALHOST);
	ns_foreach(object, ns) {
		struct network *network;
		bool known = false;

		if (!network_of(segments, ns, object, &key, &address))
			continue;
		HASH_FIND(hh, all, &key, sizeof(key), network);
		for (size_t i = 0; i < now.n; i++)
			known |= now.networks[i] == network;
		if (known || now.n == ARRAY_SIZE(now.networks))
			continue;
		now.networks[now.n++] = network;
	}
	if (last->text && now.n == last->n && memcmp(now.networks, last->networks, sizeof(now.networks)) == 0)
		return last->text;
	for (size_t i = 0; i < now.n; i++)
		text_addn(&text, now.networks[i]->lines.data, now.networks[i]->lines.size);
	now.text = arena_strndup(r->parse.arena, text_str(&text), text.size);
	*last = now;
	return now.text;
}

static bool is_for_everybody(const struct object *object) {
	return object->kind == &kind_hosts && ((const struct dns *)object)->everybody;
}

/* All at once, for the first namespace: each needs the addresses of the others. */
static void settle(struct reading *r, struct ns_state *first) {
	struct segments segments;
	struct network *all, *network, *next;
	struct last last = {};
	bool any = false;

	if (first != r->state->namespaces)
		return;
	state_foreach(ns, r->state)
		ns_foreach(object, ns)
			any |= is_for_everybody(object);
	if (!any)
		return;
	segments_find(&segments, r->state);
	all = find_networks(&segments, r->state);
	state_foreach(ns, r->state)
		ns_foreach(object, ns)
			if (is_for_everybody(object))
				((struct dns *)object)->content = text_for(r, &segments, all, ns, &last);
	HASH_ITER(hh, all, network, next) {
		HASH_DEL(all, network);
		text_done(&network->lines);
		free(network);
	}
	segments_done(&segments);
}

static void noun(const struct object *object, struct text *out) {
	text_addf(out, "file /etc/netns/%s/hosts", object->ns);
}

static struct object *from_text(struct arena *arena, const char *ns, const struct object *wanted _unused_,
				const char *text) {
	return &dns_new(arena, &kind_hosts, ns, text)->object;
}

/* Changes of the file are heard by inotify. */
static const struct source source = {
	.only_if_declared = true,
	.transport = TRANSPORT_FILE,
	.file = "hosts",
	.from_text = from_text,
};

const struct class class_hosts = {
	.source = &source,
	.name = "hosts file",
	.plural = "hosts files",
	.outlives_namespace = true,
};

const struct kind kind_hosts = {
	.name = "hosts",
	.class = &class_hosts,
	.transport = TRANSPORT_FILE,
	.size = sizeof(struct dns),
	.fields = dns_fields,
	.n_fields = ARRAY_SIZE(dns_fields),
	.markable = true,
	.noun = noun,
	.left_out = left_out,
	.settle = settle,
};
