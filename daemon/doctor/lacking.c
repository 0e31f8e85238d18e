/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does this kernel have what the file needs? This is tried in an unnamed network namespace, which ends with its descriptor,
 * so that nothing outside is changed. For a kind of link that it does not know, the kernel loads the module if it may, and
 * otherwise reports "Unknown device type". The kinds tell what else they need (kind->trial()). The kernel silently ignores
 * attributes of links that it does not know, so a link with the file's attributes is made and read back.
 */
#include "doctor/lacking.h"

#include <linux/genetlink.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#include "base/hash.h"
#include "kernel/genl_family.h"
#include "kernel/named_netns.h"
#include "kernel/nl_socket.h"
#include "kind/link.h"
#include "model/change.h"

enum { WHOLE_MAX = 100 }; /* this many objects are made as a whole; a hundred different ones use what the others use */

struct asking {
	struct arena *arena;
	int fd; /* the namespace */
	struct nl_socket route;
	struct nl_socket netfilter;  /* opened when it is needed */
	uint32_t base;               /* an interface on which others can be made, or 0 */
	const struct link *loopback; /* as the kernel shows it; NULL: not read yet */
	struct nl_writer writer;
	vec(const char *) asked, lacking; /* queries that were made; kinds of links that do not exist */
	unsigned n_whole;
	lack_fn fn;
	void *userdata;
};

static bool was_tried(const struct asking *a, const char *what) {
	vec_foreach(known, &a->asked)
		if (streq(*known, what))
			return true;
	return false;
}

static void tell_at(struct asking *a, const struct object *object, struct position position, const char *what,
		    const char *module) {
	const struct lack lack = { object, position.line ? position : object->position, what, module };

	a->fn(a->userdata, &lack);
}

/* Has this been queried before? Equal texts mean the same. */
static bool was_asked(struct asking *a, const char *what) {
	if (was_tried(a, what))
		return true;
	vec_push(&a->asked, what);
	return false;
}

static void tell(struct asking *a, const struct object *object, const struct field *field, const char *what,
		 const char *module) {
	tell_at(a, object, object_position(object, field), what, module);
}

struct answer {
	int error;
	bool lacks;
};

/* Some parts of the kernel refuse options that they were built without as invalid, and say so in words. */
static bool says_lacking(const struct nl_ack *ack) {
	return ack->error == -EOPNOTSUPP ||
	       (ack->text && (strstr(ack->text, "CONFIG_") || strstr(ack->text, "to be enabled")));
}

static void keep_answer(void *userdata, size_t index _unused_, const struct nl_ack *ack) {
	struct answer *answer = userdata;

	answer->error = answer->error ? answer->error : ack->error;
	answer->lacks |= ack->error && says_lacking(ack);
}

static struct answer request(struct nl_socket *sock, struct nl_writer *w) {
	struct answer answer = {};
	int r = nl_transact(sock, w->messages.items, w->messages.n, false, keep_answer, &answer);

	nl_clear(w);
	if (r < 0)
		answer.error = r;
	return answer;
}

static struct answer add_link(struct asking *a, const char *name, const char *kind) {
	nl_begin(&a->writer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	nl_put_text(&a->writer, IFLA_IFNAME, name);
	struct nlattr *info = nl_nest(&a->writer, IFLA_LINKINFO);
	nl_put_text(&a->writer, IFLA_INFO_KIND, kind);
	nl_nest_end(&a->writer, info);
	return request(&a->route, &a->writer);
}

static void remove_link(struct asking *a, const char *name) {
	nl_begin(&a->writer, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	nl_put_text(&a->writer, IFLA_IFNAME, name);
	(void)request(&a->route, &a->writer); /* the link may not have been made */
}

static const char *no_name(void *userdata _unused_, uint32_t ifindex _unused_) {
	return NULL;
}

struct reading_back {
	struct decode decode;
	const struct link *link;
};

static int take_link(void *userdata, const struct nlmsghdr *nlh) {
	struct reading_back *back = userdata;

	back->link = link_decode(&back->decode, nlh);
	return 0;
}

/* The link of the trial namespace, as one of ns; or NULL. */
static const struct link *read_link(struct asking *a, const char *ns, const char *name) {
	struct reading_back back = { .decode = { .arena = a->arena, .ns = ns, .topology = "", .link_name = no_name } };

	link_put_question(&a->writer, name, 0);
	(void)nl_request(&a->route, a->writer.messages.items[0], take_link, &back);
	nl_clear(&a->writer);
	return back.link;
}

/* Kinds of links. One that exists requires more attributes, or makes the link: both are an answer. */
static bool has_link_kind(struct asking *a, const char *kind) {
	if (add_link(a, "probe", kind).lacks)
		return false;
	remove_link(a, "probe");
	return true;
}

/* In the trial namespace, every name means lo; or, for what is made on a link, the one on which others can be made. */
static uint32_t always_lo(void *userdata _unused_, const char *ns _unused_, const char *name _unused_) {
	return 1;
}

static uint32_t always_base(void *userdata, const char *ns _unused_, const char *name _unused_) {
	return *(const uint32_t *)userdata;
}

static uint32_t any_index(void *userdata _unused_, const char *ns _unused_, const char *name _unused_) {
	return 0;
}

static int no_netns(void *userdata _unused_, const char *ns _unused_) {
	return -ENOENT;
}

static const struct resolver resolver = { .ifindex = always_lo, .new_ifindex = any_index, .netns_fd = no_netns };

static struct encode encode_for(struct asking *a) {
	return (struct encode){ .writer = &a->writer, .resolver = &resolver, .topology = "", .arena = a->arena };
}

/* Is it another link on which this one is made? */
static bool is_lower(const struct field *field) {
	return field->type == &type_link_ref && (field->wire == WIRE_LINK || field->wire == WIRE_DATA_LINK);
}

/* The attributes of its kind that the link declares, with those that are other links. */
static uint64_t own_attributes(const struct asking *a, const struct object *link) {
	uint64_t mask = 0;

	for (size_t i = LINK_N_FIELDS; i < link->kind->n_fields; i++) {
		const struct field *field = &link->kind->fields[i];

		if (!object_has(link, i))
			continue;
		if (field->flags & FIELD_SECRET || (is_lower(field) && !a->base) ||
		    (field->flags & FIELD_DEV && !is_lower(field)))
			return 0; /* it refers to others */
		if (is_lower(field))
			mask |= field_bit(i);
		if (field->wire == WIRE_DATA && !(field->flags & (FIELD_HIDDEN | FIELD_AFTER)))
			mask |= field_bit(i);
	}
	return mask;
}

static void tell_field(struct asking *a, const struct object *object, size_t i) {
	const struct field *field = &object->kind->fields[i];
	const char *what = arena_printf(a->arena, "'%s' of '%s' links", field->name, object->kind->name);

	if (!was_asked(a, what))
		tell(a, object, field, what, NULL);
}

static uint64_t lower_links(const struct object *object) {
	uint64_t mask = 0;

	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++)
		mask |= is_lower(&object->kind->fields[i]) && object_has(object, i) ? field_bit(i) : 0;
	return mask;
}

/* The trial has a single namespace: an underlay and lower links elsewhere become its own. */
static void bring_here(struct object *object) {
	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];
		struct link_ref *ref = field_of(field, object);

		if (field->flags & FIELD_UNDERLAY)
			object->set &= ~field_bit(i);
		else if (is_lower(field) && object_has(object, i))
			*ref = (struct link_ref){ .ns = object->ns, .name = ref->name, .netnsid = -1 };
	}
}

/* Makes a link with these attributes; *ret_lacks: those that it does not have afterwards. */
static struct answer make_link(struct asking *a, const struct object *object, uint64_t fields, uint64_t *ret_lacks) {
	struct link *link = arena_memdup(a->arena, object, object->kind->size);
	const struct change change = { .type = CHANGE_CREATE, .desired = &link->object, .fields = fields };
	const struct link *back;
	const struct resolver lower = {
		.userdata = &a->base, .ifindex = always_base, .new_ifindex = any_index, .netns_fd = no_netns
	};
	struct encode encode = encode_for(a);
	struct answer answer = { .error = -ENOENT };

	*ret_lacks = 0;
	link->name = "probe";
	bring_here(&link->object);
	encode.resolver = &lower;
	fields &= link->object.set;
	if (object->kind->encode(&encode, &change) == 0)
		answer = request(&a->route, &a->writer);
	nl_clear(&a->writer);
	if (answer.error)
		return answer;
	back = read_link(a, object->ns, link->name);
	if (back && back->object.kind == object->kind)
		*ret_lacks = object_compare(&link->object, &back->object) & fields & ~lower_links(object);
	remove_link(a, link->name);
	return answer;
}

/* A text that identifies a trial with these attributes. A kernel may lack single words, and zero may mean a missing
 * attribute; apart from that, all numbers test the same. */
static const char *combination(struct asking *a, const struct object *object, uint64_t fields) {
	_cleanup_text_ struct text out = {};

	text_add(&out, object->kind->name);
	for (; fields; fields &= fields - 1) {
		const struct field *field = &object->kind->fields[__builtin_ctzll(fields)];
		bool zero = is_all_zeros(field_of(field, object), field->type->size);

		text_addf(&out, " %s%s", field->name, zero ? " 0 " : " ");
		if (field->type == &type_enum || field->type->words)
			field_print(field, object, &out);
	}
	return arena_strdup(a->arena, text_str(&out));
}

/* Tries all attributes at once and, if that is refused, one after the other. The kernel takes tens of milliseconds to delete
 * a link, so of many links with the same attributes only one is made. */
static void try_attributes(struct asking *a, const struct object *object) {
	uint64_t fields = object->twin ? 0 : own_attributes(a, object), lower = lower_links(object), lacks = 0, unused;
	const char *what = combination(a, object, fields);

	if (!(fields & ~lower) || was_tried(a, what))
		return;
	struct answer answer = make_link(a, object, fields, &lacks);
	if (answer.lacks)
		for (uint64_t left = fields & ~lower; left; left &= left - 1)
			if (make_link(a, object, (left & -left) | lower, &unused).lacks)
				lacks |= left & -left;
	if (!answer.error || answer.lacks)
		vec_push(&a->asked, what);
	for (; lacks; lacks &= lacks - 1)
		tell_field(a, object, (size_t)__builtin_ctzll(lacks));
}

/* Not for links that are found, or made by ioctl. */
static bool is_made_here(const struct object *link) {
	const struct kind *kind = link->kind;
	const struct change creation = { .type = CHANGE_CREATE, .desired = link };

	return object_is_link(link) && !kind->found && !kind->bare_create && !kind->unnamed && kind->link_kind &&
	       change_transport(&creation) == TRANSPORT_ROUTE;
}

static bool is_lacking(const struct asking *a, const char *link_kind) {
	vec_foreach(kind, &a->lacking)
		if (streq(*kind, link_kind))
			return true;
	return false;
}

static void ask_link(struct asking *a, const struct object *object) {
	const char *what = arena_printf(a->arena, "'%s' links", object->kind->name);
	const char *module = arena_printf(a->arena, "rtnl-link-%s", object->kind->link_kind);

	if (!was_asked(a, what) && !has_link_kind(a, object->kind->link_kind)) {
		vec_push(&a->lacking, object->kind->link_kind);
		tell(a, object, NULL, what, module);
	}
	if (!is_lacking(a, object->kind->link_kind))
		try_attributes(a, object);
}

static bool has_nf_tables(struct asking *a) {
	struct nl_socket sock = NL_SOCKET_NONE;
	struct answer answer = { .error = nl_open(&sock, NETLINK_NETFILTER, a->fd) };

	if (answer.error == 0) {
		struct nfgenmsg *header =
			nl_begin(&a->writer, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0, sizeof(*header));

		header->version = NFNETLINK_V0;
		answer = request(&sock, &a->writer);
	}
	nl_close(&sock);
	return answer.error != -EPROTONOSUPPORT && answer.error != -EOPNOTSUPP && answer.error != -EINVAL;
}

static bool has_family(struct asking *a, const char *name) {
	struct nl_socket sock = NL_SOCKET_NONE;
	uint16_t id;
	int r = nl_open(&sock, NETLINK_GENERIC, a->fd);

	r = r < 0 ? r : genl_family_ask(&sock, name, &id);
	nl_close(&sock);
	return r != -ENOENT;
}

static void ask_trials(struct asking *a, const struct object *object) {
	const struct kind *kind = object->kind;
	struct encode encode = encode_for(a);
	struct trial trial = {};

	for (size_t i = 0; kind->trial && kind->trial(&encode, object, i, &trial); i++, trial = (struct trial){}) {
		if (!trial.what || was_asked(a, trial.what))
			nl_clear(&a->writer);
		else if (request(&a->route, &a->writer).lacks)
			tell(a, object, trial.field, trial.what, trial.module);
	}
}

/* Attributes that every link has, and so lo, if the kernel knows them. */
static void ask_common(struct asking *a, const struct object *object) {
	if (!a->loopback)
		a->loopback = read_link(a, object->ns, "lo");
	for (size_t i = 0; a->loopback && i < LINK_N_FIELDS; i++) {
		const struct field *field = &object->kind->fields[i];
		const char *what;

		if (field->wire != WIRE_ATTR || field->flags & FIELD_HIDDEN || !object_has(object, i) ||
		    object_has(&a->loopback->object, i))
			continue;
		what = arena_printf(a->arena, "'%s' of links", field->name);
		if (!was_asked(a, what))
			tell(a, object, field, what, NULL);
	}
}

struct trying {
	struct asking *a;
	const struct object *object;
};

static void take_refusal(void *userdata, size_t index, const struct nl_ack *ack) {
	struct trying *trying = userdata;
	struct asking *a = trying->a;
	const struct refusal refusal = { a->writer.messages.items[index], ack->error, ack->offset, ack->text };
	const char *module = NULL, *what = ack->error ? trying->object->kind->lacking(a->arena, &refusal, &module) : NULL;

	if (what && !was_asked(a, what))
		tell_at(a, trying->object, nl_find_position(&a->writer, index), what, module);
}

/* The messages that were written, as a short text. */
static const char *digest(const struct asking *a, const struct kind *kind) {
	const struct nlmsghdr *first = a->writer.messages.items[0],
			      *last = a->writer.messages.items[a->writer.messages.n - 1];
	size_t size = (size_t)((const char *)last - (const char *)first) + last->nlmsg_len;

	return arena_printf(a->arena, "%s %zu %u", kind->name, size, hash_bytes(first, size));
}

/* Makes it on lo, and removes it again. Of many that need the same messages only one is made. */
static void try_whole(struct asking *a, const struct object *object) {
	bool transaction = object->kind->transport == TRANSPORT_NETFILTER;
	struct nl_socket *sock = transaction ? &a->netfilter : &a->route;
	struct object *own = arena_memdup(a->arena, object, object->kind->size);
	const struct change creation = { .type = CHANGE_CREATE, .desired = own, .fields = object->set };
	const struct change removal = { .type = CHANGE_DELETE, .observed = own };
	struct trying trying = { a, object };
	struct encode encode = encode_for(a);

	if (transaction && sock->fd < 0 && nl_open(sock, NETLINK_NETFILTER, a->fd) < 0)
		return;
	if (object->kind->encode(&encode, &creation) == 0 && !was_asked(a, digest(a, object->kind)) &&
	    a->n_whole++ < WHOLE_MAX) {
		(void)nl_transact(sock, a->writer.messages.items, a->writer.messages.n, transaction, take_refusal, &trying);
		nl_clear(&a->writer);
		if (object->kind->encode(&encode, &removal) == 0)
			(void)nl_transact(sock, a->writer.messages.items, a->writer.messages.n, transaction, NULL, NULL);
	}
	nl_clear(&a->writer);
}

static void ask(struct asking *a, const struct object *object) {
	const struct kind *kind = object->kind;

	if (kind->transport == TRANSPORT_NETFILTER && !was_asked(a, "nftables") && !has_nf_tables(a))
		tell(a, object, NULL, "nftables", "nf_tables");
	if (is_made_here(object))
		ask_link(a, object);
	if (object_is_link(object))
		ask_common(a, object);
	if (kind->lacking)
		try_whole(a, object);
	if (kind->transport == TRANSPORT_GENERIC && !is_lacking(a, kind->family) && !was_asked(a, kind->family) &&
	    !has_family(a, kind->family))
		tell(a, object, NULL, arena_printf(a->arena, "generic netlink for '%s'", kind->family), NULL);
	ask_trials(a, object);
}

/* Routes and next hops need a link that is up. */
static void bring_lo_up(struct asking *a) {
	struct ifinfomsg *ifi = nl_begin(&a->writer, RTM_NEWLINK, 0, sizeof(*ifi));

	ifi->ifi_index = 1;
	ifi->ifi_flags = ifi->ifi_change = IFF_UP;
	(void)request(&a->route, &a->writer);
}

/* The end of a pair, which lets others be made on it; where there are no pairs, nothing is made on links. */
static void make_base(struct asking *a) {
	const struct link *base = add_link(a, "base", "veth").error ? NULL : read_link(a, "", "base");

	a->base = base ? base->ifindex : 0;
}

int kernel_lacks(struct arena *arena, const struct state *desired, lack_fn fn, void *userdata) {
	struct asking a = { .arena = arena,
			    .fd = -1,
			    .route = NL_SOCKET_NONE,
			    .netfilter = NL_SOCKET_NONE,
			    .fn = fn,
			    .userdata = userdata };
	const char *problem;
	int r = netns_home() < 0 ? netns_init() : 0;

	r = r < 0 ? r : netns_make(&a.fd, &problem);
	if (r < 0)
		return r;
	r = nl_open(&a.route, NETLINK_ROUTE, a.fd);
	if (r == 0) {
		bring_lo_up(&a);
		make_base(&a);
		state_foreach(ns, desired)
			ns_foreach(object, ns)
				ask(&a, object);
	}
	nl_writer_done(&a.writer);
	nl_close(&a.route);
	nl_close(&a.netfilter);
	vec_done(&a.asked);
	vec_done(&a.lacking);
	close(a.fd);
	return r;
}

static void add_warning(void *userdata, const struct lack *lack) {
	diag_warning(userdata, lack->position, "this kernel has no %s; objects that do not need them are still made%s%s",
		     lack->what, lack->module ? "; there may be a module: modprobe " : "", lack->module ? lack->module : "");
}

void kernel_warn_lacks(const struct state *desired, struct diags *diags) {
	_cleanup_(arena_done) struct arena arena = {};

	(void)kernel_lacks(&arena, desired, add_warning, diags);
}
