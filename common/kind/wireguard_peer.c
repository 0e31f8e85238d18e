/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A peer of a wireguard link: its key, its endpoint, and which addresses are behind it. The messages are those of
 * linux/wireguard.h; each change names one peer, so the sessions of the others live on.
 *
 * The endpoint is the first destination. The kernel replaces it with the address from which it last heard from the peer, and
 * does not show which of the two it has. So the endpoint is never compared with the kernel: the ledger has what topod set
 * last (FIELD_LEDGER), and it is set when the peer is made, or changed in the file.
 *
 * The file lists all peers of a link: others are removed (class->exact).
 */
#include "kind/wireguard.h"
#include "model/change.h"
#include "model/section.h"
#include "model/source.h"
#include "model/set.h"

struct endpoint {
	struct ip ip;
	uint16_t port;
};

/* Sorted, each once. */
struct peer {
	struct object object;
	const char *dev;
	struct key public_key;
	struct key_file preshared_key;
	struct endpoint endpoint;
	struct value_set allowed;
	uint32_t keepalive;
};

enum { DEV, PUBLIC_KEY, PRESHARED_KEY, ENDPOINT, ALLOWED_IPS, KEEPALIVE };

enum { ALLOWED_IPS_MAX = 1000 }; /* of one message: an attribute holds 64 KiB, and one of these takes 40 bytes */

/* Endpoints. */

static bool parse_port(const char *text, uint16_t *ret) {
	uint32_t port;

	if (parse_u32(text, &port) < 0 || !port || port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	return true;
}

static bool split_endpoint(struct arena *arena, const char *text, struct endpoint *ret) {
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	bool brackets = n > 2 && *text == '[' && text[n - 1] == ']';

	if (!colon || !parse_port(colon + 1, &ret->port))
		return false;
	return ip_parse(arena_strndup(arena, text + brackets, n - 2 * brackets), &ret->ip) == 0 &&
	       brackets == (ret->ip.family == AF_INET6);
}

static bool endpoint_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);
	struct endpoint *endpoint = value;
	struct ip ip;

	if (!text || split_endpoint(p->arena, text, endpoint))
		return text;
	if (ip_parse(text, &ip) == 0)
		diag_error(p->diags, node->position, "'%s' needs the port, too: write \"%s%s%s:51820\"", field->name,
			   ip.family == AF_INET6 ? "[" : "", text, ip.family == AF_INET6 ? "]" : "");
	else
		diag_error(
			p->diags, node->position,
			"'%s' takes an address and a port, not '%s': write \"192.0.2.1:51820\" or \"[2001:db8::1]:51820\"; "
			"names are not looked up",
			field->name, text);
	return false;
}

static void endpoint_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct endpoint *endpoint = value;
	char buf[IP_TEXT_MAX];

	text_addf(out, endpoint->ip.family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip_format(&endpoint->ip, buf), endpoint->port);
}

static bool endpoint_equal(const void *a, const void *b) {
	const struct endpoint *x = a, *y = b;

	return ip_equal(&x->ip, &y->ip) && x->port == y->port;
}

static void endpoint_put(struct nl_writer *w, const struct field *field, const void *value) {
	const struct endpoint *endpoint = value;
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(endpoint->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(endpoint->port) };

	memcpy(&in4.sin_addr, endpoint->ip.bytes, sizeof(in4.sin_addr));
	memcpy(&in6.sin6_addr, endpoint->ip.bytes, sizeof(in6.sin6_addr));
	if (endpoint->ip.family == AF_INET)
		nl_put(w, field->attr, &in4, sizeof(in4));
	else
		nl_put(w, field->attr, &in6, sizeof(in6));
}

static bool endpoint_get(struct arena *arena _unused_, const struct field *field _unused_, const struct nlattr *attr,
			 void *value) {
	struct endpoint *endpoint = value;
	union {
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	} address;
	size_t size = mnl_attr_get_payload_len(attr);

	if (size != sizeof(address.in4) && size != sizeof(address.in6))
		return false;
	memcpy(&address, mnl_attr_get_payload(attr), size);
	bool ipv6 = size == sizeof(address.in6);
	endpoint->port = ntohs(ipv6 ? address.in6.sin6_port : address.in4.sin_port);
	return ip_from_bytes(ipv6 ? AF_INET6 : AF_INET,
			     ipv6 ? (const void *)&address.in6.sin6_addr : (const void *)&address.in4.sin_addr,
			     ipv6 ? sizeof(address.in6.sin6_addr) : sizeof(address.in4.sin_addr), &endpoint->ip) == 0;
}

static const struct type type_endpoint = {
	.get = endpoint_get,
	.name = "endpoint",
	.size = sizeof(struct endpoint),
	.parse = endpoint_parse,
	.print = endpoint_print,
	.equal = endpoint_equal,
	.put = endpoint_put,
};

static const struct type type_networks = {
	.words = true,
	.name = "list of prefixes",
	SET_OF(type_network),
};

/* Reading the file. */

#define ROW(index, key, member, value_type, ...) \
	[index] = { .name = key, .type = value_type, .offset = offsetof(struct peer, member), __VA_ARGS__ }

static const struct field fields[] = {
	ROW(DEV, "dev", dev, &type_link_name, .class = FIELD_KEY, .flags = FIELD_HIDDEN | FIELD_DEV),
	ROW(PUBLIC_KEY, "public-key", public_key, &type_public_key, .class = FIELD_KEY, .flags = FIELD_REQUIRED,
	    .attr = WGPEER_A_PUBLIC_KEY, .doc = "The peer's public key, as `wg pubkey` prints it."),
	ROW(PRESHARED_KEY, "preshared-key-file", preshared_key, &type_preshared_key_file, .flags = FIELD_SECRET,
	    .attr = WGPEER_A_PRESHARED_KEY, .fallback = "none",
	    .doc = "File with a further key that both ends share, as `wg genpsk` prints it."),
	ROW(ENDPOINT, "endpoint", endpoint, &type_endpoint, .flags = FIELD_LEDGER, .attr = WGPEER_A_ENDPOINT,
	    .doc = "Where the peer is: `192.0.2.1:51820`, `\"[2001:db8::1]:51820\"`. It is set only when the peer is made "
		   "or this key changes, because peers may roam."),
	ROW(ALLOWED_IPS, "allowed-ips", allowed, &type_networks, .attr = WGPEER_A_ALLOWEDIPS,
	    .doc = "The addresses behind the peer; none when left out."),
	ROW(KEEPALIVE, "persistent-keepalive", keepalive, &type_duration, .attr = WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
	    .form = FORM_U16, .unit = 1, .max = 65535, .fallback = "0s",
	    .doc = "Time between empty packets that keep a NAT open; 0: none."),
};

static bool finish(struct parse *p, struct object *object, const struct node *node _unused_) {
	object->set |= field_bit(ALLOWED_IPS);
	if (!key_is_zero(&((struct peer *)object)->public_key))
		return true;
	diag_error(p->diags, object_position(object, &fields[PUBLIC_KEY]), "'public-key' is all zeros, which nobody has");
	return false;
}

static const struct mapping entry = {
	.name = "peer",
	.title = "WireGuard peers",
	.doc = "An entry of a wireguard interface's `peers`. Peers that are not listed are removed. Changes are made in "
	       "place; the sessions of other peers continue.",
	.what = "a peer",
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.kind = &kind_wireguard_peer,
};

static const struct section section = {
	.key = "peers",
	.place = SECTION_CONTROLLER,
	.shape = SECTION_LIST,
	.may_be_empty = true,
	.mapping = &entry,
	.value = "list of [peers](#peer)",
	.doc = "The peers; if any is listed, the list is complete.",
};

static void noun(const struct object *object, struct text *out) {
	text_add(out, "peer ");
	key_to_text(&((const struct peer *)object)->public_key, out);
}

static const char *if_twice(const struct object *object _unused_) {
	return ": a public key is one peer; write one entry with all of its 'allowed-ips'";
}

/* If two peers of a link have an address, the kernel gives it to the one that is set last. */
struct share {
	const struct peer *peer;
	const struct prefix *network;
};

static int compare_shares(const void *a, const void *b) {
	const struct share *x = a, *y = b;
	int order = strcmp(x->peer->dev, y->peer->dev);

	order = order ? order : memcmp(x->network, y->network, sizeof(*x->network));
	if (order)
		return order;
	return x->peer->object.position.line < y->peer->object.position.line ? -1 : 1;
}

static void check_all(struct reading *r, const struct ns_state *ns) {
	vec(struct share) shares = {};
	char buf[PREFIX_TEXT_MAX];

	ns_foreach(object, ns) {
		const struct peer *peer = (const struct peer *)object;

		for (size_t i = 0; object->kind == &kind_wireguard_peer && i < peer->allowed.n; i++)
			vec_push(&shares, ((struct share){ peer, (const struct prefix *)peer->allowed.items + i }));
	}
	if (shares.n)
		qsort(shares.items, shares.n, sizeof(shares.items[0]), compare_shares);
	for (size_t i = 1; i < shares.n; i++) {
		const struct share *one = &shares.items[i - 1], *other = &shares.items[i];

		if (!streq(one->peer->dev, other->peer->dev) || !prefix_equal(one->network, other->network))
			continue;
		diag_error(
			r->parse.diags, object_position(&other->peer->object, &fields[ALLOWED_IPS]),
			"%s is behind two peers of %s; the kernel sends to one of them: leave it out of the other, or make it more "
			"specific there",
			prefix_format(other->network, buf), other->peer->dev);
		diag_note(r->parse.diags, object_position(&one->peer->object, &fields[ALLOWED_IPS]), "first here");
	}
	vec_done(&shares);
}

/* Writing. */

static void put_allowed_ips(struct nl_writer *w, const struct prefix *networks, size_t n) {
	nl_origin(w, &fields[ALLOWED_IPS]);
	struct nlattr *list = nl_nest(w, WGPEER_A_ALLOWEDIPS | NLA_F_NESTED);

	for (size_t i = 0; i < n; i++) {
		struct nlattr *item = nl_nest(w, NLA_F_NESTED);
		const struct ip *ip = &networks[i].address;

		nl_put_u16(w, WGALLOWEDIP_A_FAMILY, ip->family);
		nl_put(w, WGALLOWEDIP_A_IPADDR, ip->bytes, ip_size(ip->family));
		nl_put_u8(w, WGALLOWEDIP_A_CIDR_MASK, networks[i].length);
		nl_nest_end(w, item);
	}
	nl_nest_end(w, list);
}

static void put_values(struct nl_writer *w, const struct peer *peer, uint64_t mask) {
	static const uint8_t simple[] = { PRESHARED_KEY, ENDPOINT, KEEPALIVE };

	for (size_t i = 0; i < ARRAY_SIZE(simple); i++) {
		const struct field *field = &fields[simple[i]];

		if (!(mask & field_bit(simple[i])))
			continue;
		nl_origin(w, field);
		field->type->put(w, field, field_of(field, peer));
	}
}

/* One message, with the allowed addresses from `first` on. Returns how many it has. */
static size_t put_message(struct encode *encode, const struct peer *peer, uint32_t flags, uint64_t mask, size_t first) {
	struct nl_writer *w = encode->writer;
	size_t n = mask & field_bit(ALLOWED_IPS) ? MIN(peer->allowed.n - first, (size_t)ALLOWED_IPS_MAX) : 0;

	wireguard_begin(w, encode->family, 0, WG_CMD_SET_DEVICE, peer->dev, 0);
	struct nlattr *peers = nl_nest(w, WGDEVICE_A_PEERS | NLA_F_NESTED), *item = nl_nest(w, NLA_F_NESTED);

	nl_put(w, WGPEER_A_PUBLIC_KEY, &peer->public_key, sizeof(peer->public_key));
	nl_put_u32(w, WGPEER_A_FLAGS, flags);
	if (first == 0)
		put_values(w, peer, mask);
	if (n)
		put_allowed_ips(w, (const struct prefix *)peer->allowed.items + first, n);
	nl_nest_end(w, item);
	nl_nest_end(w, peers);
	return n;
}

static int encode_peer(struct encode *encode, const struct change *change) {
	bool delete = change->type == CHANGE_DELETE, update = change->type == CHANGE_UPDATE;
	const struct peer *peer = (const struct peer *)(delete ? change->observed : change->desired);
	uint64_t mask = delete ? 0 : change->fields;
	uint32_t flags = (delete ? WGPEER_F_REMOVE_ME : 0) | (update ? WGPEER_F_UPDATE_ONLY : 0);

	if (mask & field_bit(ALLOWED_IPS))
		flags |= WGPEER_F_REPLACE_ALLOWEDIPS;
	size_t done = put_message(encode, peer, flags, mask, 0);
	while (mask & field_bit(ALLOWED_IPS) && done < peer->allowed.n)
		done += put_message(encode, peer, WGPEER_F_UPDATE_ONLY, field_bit(ALLOWED_IPS), done);
	return 0;
}

/* Reading. */

struct peer_reading {
	struct peer *last; /* a peer may continue in the next message, with further addresses */
};

/* Which links are queried: in a whole scan those that are declared or topod's; in a narrow one those of its peers. */
static bool is_asked(const struct source_scan *scan, const struct object *object) {
	const struct object *wanted = scan->desired ? ns_find(scan->desired, object) : NULL;

	return object->kind == &kind_wireguard &&
	       (object->owned || scan->everything || (wanted && wanted->kind == &kind_wireguard));
}

static bool is_repeated(const struct scope *scope, size_t i) {
	for (size_t j = 0; j < i; j++)
		if (scope->objects[j]->kind == &kind_wireguard_peer &&
		    streq(((const struct peer *)scope->objects[j])->dev, ((const struct peer *)scope->objects[i])->dev))
			return true;
	return false;
}

static void dump(struct source_scan *scan, struct nl_writer *w) {
	const struct scope *scope = scan->scope;

	scan->own = arena_new(scan->decode.arena, struct peer_reading);
	for (size_t i = 0; scope && i < scope->n; i++)
		if (scope->objects[i]->kind == &kind_wireguard_peer && !is_repeated(scope, i))
			wireguard_begin(w, scan->family, NLM_F_DUMP, WG_CMD_GET_DEVICE,
					((const struct peer *)scope->objects[i])->dev, 0);
	ns_foreach(object, scope ? NULL : scan->seen)
		if (object_is_link(object) && is_asked(scan, object))
			wireguard_begin(w, scan->family, NLM_F_DUMP, WG_CMD_GET_DEVICE, NULL,
					((const struct link *)object)->ifindex);
}

static void begin(struct source_scan *scan) {
	((struct peer_reading *)scan->own)->last = NULL;
}

static size_t count_nested(const struct nlattr *list) {
	const struct nlattr *attr;
	size_t n = 0;

	mnl_attr_for_each_nested(attr, list)
		n++;
	return n;
}

static void add_allowed_ips(struct arena *arena, struct value_set *networks, const struct nlattr *list) {
	const struct nlattr *item, *tb[WGALLOWEDIP_A_MAX + 1];
	struct value_set all = set_new(arena, &type_network, networks->n + count_nested(list));

	if (networks->n)
		memcpy(all.items, networks->items, networks->n * networks->size);
	all.n = networks->n;
	*networks = all;
	mnl_attr_for_each_nested(item, list) {
		struct prefix *network = set_next(networks);

		nl_parse_nested(item, tb, WGALLOWEDIP_A_MAX);
		if (!tb[WGALLOWEDIP_A_IPADDR] || !type_ip.get(arena, NULL, tb[WGALLOWEDIP_A_IPADDR], &network->address))
			continue;
		network->length = nl_get_u8(tb[WGALLOWEDIP_A_CIDR_MASK], 0);
		networks->n++;
	}
	set_sort(networks);
}

static struct peer *new_peer(struct source_scan *scan, const char *dev, const struct nlattr *const *tb) {
	/* The endpoint is where the peer is now; for a peer in the ledger, the recorded endpoint counts
	 * (ledger_recall()). */
	static const uint8_t simple[] = { PUBLIC_KEY, PRESHARED_KEY, ENDPOINT, KEEPALIVE };
	struct arena *arena = scan->decode.arena;
	struct peer *peer = (struct peer *)object_new(arena, &kind_wireguard_peer, scan->seen->name);
	struct object *object = &peer->object, *link = ns_find_link(scan->seen, dev);

	peer->dev = arena_strdup(arena, dev);
	object->set = field_bit(DEV) | field_bit(ALLOWED_IPS);
	for (size_t i = 0; i < ARRAY_SIZE(simple); i++) {
		const struct field *field = &fields[simple[i]];

		if (tb[field->attr] && field->type->get(arena, field, tb[field->attr], field_of(field, object)))
			object->set |= field_bit(simple[i]);
	}
	object->owned = !link || link->owned; /* a narrow scan does not read the link, which was topod's before */
	object_seal(arena, object);
	return peer;
}

static void decode_one(struct source_scan *scan, const char *dev, const struct nlattr *nest) {
	struct peer_reading *reading = scan->own;
	const struct nlattr *tb[WGPEER_A_MAX + 1];

	nl_parse_nested(nest, tb, WGPEER_A_MAX);
	if (!tb[WGPEER_A_PUBLIC_KEY])
		return;
	struct peer *peer = new_peer(scan, dev, tb), *last = reading->last;
	if (last && streq(last->dev, dev) && memcmp(&last->public_key, &peer->public_key, sizeof(struct key)) == 0)
		peer = last;
	else
		scan_add(scan, &peer->object);
	if (tb[WGPEER_A_ALLOWEDIPS])
		add_allowed_ips(scan->decode.arena, &peer->allowed, tb[WGPEER_A_ALLOWEDIPS]);
	reading->last = peer;
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[WGDEVICE_A_MAX + 1], *peer;
	const char *dev;

	nl_parse(nlh, sizeof(struct genlmsghdr), tb, WGDEVICE_A_MAX);
	dev = nl_get_text(tb[WGDEVICE_A_IFNAME]);
	if (dev && tb[WGDEVICE_A_PEERS])
		mnl_attr_for_each_nested(peer, tb[WGDEVICE_A_PEERS])
			decode_one(scan, dev, peer);
	return 0;
}

/* The link is gone, or is another one by now. */
static int refused(struct source_scan *scan _unused_, int error) {
	return error == -ENODEV || error == -EOPNOTSUPP ? 0 : error;
}

static const struct source peers = {
	.protocol = NETLINK_GENERIC,
	.family = WG_GENL_NAME,
	.only_if_declared = true,
	.dump = dump,
	.begin = begin,
	.decode = decode,
	.refused = refused,
};

static bool silent(const struct object *object _unused_) {
	return true;
}

const struct class class_wireguard_peer = {
	.name = "peer",
	.plural = "peers",
	.source = &peers,
	.part_of = &class_link,
	.silent = silent,
	.exact = true,
	.splits = true,
};

const struct kind kind_wireguard_peer = {
	.name = "peer",
	.class = &class_wireguard_peer,
	.transport = TRANSPORT_GENERIC,
	.family = WG_GENL_NAME,
	.size = sizeof(struct peer),
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.section = &section,
	.finish = finish,
	.check_all = check_all,
	.encode = encode_peer,
	.noun = noun,
	.if_twice = if_twice,
};
