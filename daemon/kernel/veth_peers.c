/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links in other namespaces: the kernel tells of the other end of a pair an index and the number that the namespace
 * looked at has for the other one. Which namespace that is, is found by asking it for its number of the one where the
 * other end is expected (RTM_GETNSID by descriptor): the dump of all its numbers would be one request, but Linux 6.18
 * ends it after its first part.
 *
 * A number is asked for once a look, and of a pair only one end is asked, the one in the namespace with fewer links:
 * the kernel searches all of a namespace's numbers for an answer. Where one end's other end is the second, the
 * second's is the first.
 *
 * The answer is remembered with the link: as long as both namespaces are there a number stands for the same one.
 *
 * Only where something else than the expected is found all namespaces are asked for, to give it a name.
 *
 * A question that fails is an error of the look at the namespace that was asked, even where that was not looked at now: an
 * end whose place is not known would be taken for one in a wrong place, and a pair that is well be made anew.
 */
#include "kind/link.h"
#include "kernel/scan_private.h"

/* One namespace, while the links that it names by number are resolved. */
struct place {
	struct real_kernel *k;
	struct state *state;
	struct handle *handle;
	const struct ns_state *seen, *desired;
	unsigned turn; /* the handles' asked_in and number are about this place where it is this */
	vec(struct handle *) to_ask;
	bool all_asked;
	const struct scan_request *look;
};

/* A link elsewhere that was seen, beside what is expected there. */
struct pair {
	const struct link *link;
	struct link_ref *ref;
	const struct link_ref *expected;
	const struct object *wanted;
};

/* Numbers of namespaces. */

static void want_number(struct place *place, struct handle *handle) {
	if (handle->asked_in == place->turn)
		return;
	handle->asked_in = place->turn;
	handle->number = -1;
	vec_push(&place->to_ask, handle);
}

static void failed(struct place *place, const struct handle *asked, int r) {
	struct ns_state *ns;

	if (r == 0 || r == -ENOENT) /* a namespace that has gone meanwhile is no error */
		return;
	ns = state_namespace(place->state, asked->name);
	ns->error = ns->error ? ns->error : r;
}

/* Which of them it has no number for, or that have gone, keep the -1. */
static void ask_some(struct place *place, struct handle **handles, size_t n) {
	_cleanup_free_ int *fds = xmalloc(n * sizeof(*fds));
	_cleanup_free_ int32_t *numbers = xmalloc(n * sizeof(*numbers));
	struct nl_socket *sock;
	size_t n_open = 0;
	int r;

	for (size_t i = 0; i < n; i++) {
		r = handle_open(place->k, handles[i]);
		failed(place, handles[i], r);
		if (r == 0) {
			handles[n_open] = handles[i];
			fds[n_open++] = handles[i]->fd; /* the host's is -1 for netns_ids(), too */
		}
	}
	r = handle_open(place->k, place->handle);
	if (r == 0)
		r = handle_socket(place->k, place->handle, NETLINK_ROUTE, &sock);
	if (r == 0)
		r = netns_ids(sock, fds, n_open, false, numbers);
	failed(place, place->handle, r);
	for (size_t i = 0; r == 0 && i < n_open; i++)
		handles[i]->number = numbers[i];
}

static void ask(struct place *place) {
	for (size_t i = 0; i < place->to_ask.n; i += NL_BATCH_MESSAGES) {
		ask_some(place, place->to_ask.items + i, MIN(place->to_ask.n - i, (size_t)NL_BATCH_MESSAGES));
		handles_spare(place->k);
	}
	vec_clear(&place->to_ask);
}

static struct handle *by_number(struct place *place, int32_t number) {
	struct handle *handle;

	for (handle = place->k->handles; handle && !place->all_asked; handle = handle->hh.next)
		want_number(place, handle);
	place->all_asked = true;
	ask(place);
	for (handle = place->k->handles; handle; handle = handle->hh.next)
		if (handle->asked_in == place->turn && handle->number == number)
			return handle;
	return NULL;
}

/* What was found out about the link before, where it still leads to the same number and that namespace is the same. */
static bool is_remembered(const struct place *place, const struct pair *pair, const struct handle *expected) {
	const struct known_link *link = handle_index(place->handle, pair->link->ifindex);

	return link && expected && link->peer == expected && link->peer_number == pair->ref->netnsid &&
	       link->peer_generation == expected->generation;
}

static void remember(const struct place *place, const struct pair *pair, const struct handle *there) {
	struct known_link *link = handle_index(place->handle, pair->link->ifindex);

	if (!link || pair->ref->netnsid < 0)
		return;
	link->peer = there;
	link->peer_number = pair->ref->netnsid;
	link->peer_generation = there ? there->generation : 0;
}

static struct handle *find_other(struct place *place, const struct pair *pair) {
	struct handle *expected = pair->expected->ns ? handle_get(place->k, pair->expected->ns) : NULL;

	if (pair->ref->netnsid < 0)
		return place->handle;
	if (is_remembered(place, pair, expected))
		return expected;
	if (expected && expected->asked_in == place->turn && expected->number == pair->ref->netnsid)
		return expected;
	return by_number(place, pair->ref->netnsid);
}

/* Names of links. */

static int take_name(void *userdata, const struct nlmsghdr *nlh) {
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[IFLA_ADDRESS + 3];

	nl_parse(nlh, sizeof(*ifi), tb, ARRAY_SIZE(tb) - 1);
	if (nlh->nlmsg_type == RTM_NEWLINK && nl_get_text(tb[IFLA_IFNAME]))
		handle_add_link(userdata, nl_get_text(tb[IFLA_IFNAME]), (uint32_t)ifi->ifi_index, NULL);
	return 0;
}

int learn_name(struct nl_socket *sock, struct handle *handle, uint32_t ifindex) {
	union {
		struct nlmsghdr nlh;
		char space[MNL_NLMSG_HDRLEN + 64];
	} request = {};
	struct ifinfomsg *ifi;
	int r;

	mnl_nlmsg_put_header(&request)->nlmsg_type = RTM_GETLINK;
	ifi = mnl_nlmsg_put_extra_header(&request.nlh, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	mnl_attr_put_u32(&request.nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = handle_index(handle, ifindex) ? 0 : nl_request(sock, &request.nlh, take_name, handle);
	return r == -ENODEV || r == -ENODATA ? 0 : r;
}

/* A link in a namespace that is not looked at now, or not all of it, and that was not there when it was. */
static int learn_elsewhere(struct real_kernel *k, struct handle *handle, uint32_t ifindex) {
	struct nl_socket *sock;
	int r = 0;

	if (handle_index(handle, ifindex))
		return 0;
	r = handle_open(k, handle);
	if (r == 0)
		r = handle_socket(k, handle, NETLINK_ROUTE, &sock);
	return r == 0 ? learn_name(sock, handle, ifindex) : r;
}

static void set_name(struct place *place, struct link_ref *ref, struct handle *there) {
	if (there)
		failed(place, there, learn_elsewhere(place->k, there, ref->ifindex));
	const struct known_link *link = there ? handle_index(there, ref->ifindex) : NULL;
	if (!link)
		return;
	ref->ns = arena_strdup(&place->state->arena, there->name);
	ref->name = arena_strdup(&place->state->arena, link->name);
}

/* Pairs. */

/* The other end as it was seen where it is expected, if it says of this end what this one says of it. */
static const struct link_ref *mirror_of(const struct place *place, const struct pair *pair) {
	const struct object *twin = pair->wanted->twin;
	const struct ns_state *there = twin ? state_find(place->state, twin->ns) : NULL;
	const struct object *seen = there ? ns_find(there, twin) : NULL;

	if (!seen || seen->kind != twin->kind || ((const struct link *)seen)->ifindex != pair->ref->ifindex)
		return NULL;
	for (size_t i = LINK_N_FIELDS; i < seen->kind->n_fields; i++) {
		const struct field *field = &seen->kind->fields[i];
		const struct link_ref *back = field_of(field, seen);

		if (field->flags & FIELD_PEER && back->ifindex == pair->link->ifindex)
			return back;
	}
	return NULL;
}

static unsigned n_links(const struct handle *handle) {
	return HASH_CNT(hh_index, handle->by_index);
}

/* Is it the other end that is asked? */
static bool is_answered_there(const struct place *place, const struct pair *pair) {
	const struct ns_state *there = state_find(place->state, pair->wanted->twin->ns);
	unsigned here = n_links(place->handle), other = n_links(handle_get(place->k, there->name));

	return other != here ? other < here : strcmp(there->name, place->seen->name) < 0;
}

static bool leads_here(const struct place *place, const struct pair *pair, const struct link_ref *back) {
	return back->ns && streq(back->ns, place->seen->name) && streq(back->name, pair->link->name);
}

typedef void (*pair_fn)(struct place *place, const struct pair *pair);

/* First, what is asked here: everything that the other end is not asked for. */
static bool is_asked_here(const struct place *place, const struct pair *pair) {
	return pair->ref->netnsid < 0 || !mirror_of(place, pair) || !is_answered_there(place, pair);
}

static void prepare(struct place *place, const struct pair *pair) {
	struct handle *expected = pair->expected->ns ? handle_get(place->k, pair->expected->ns) : NULL;

	if (pair->ref->netnsid >= 0 && expected && is_asked_here(place, pair) && !is_remembered(place, pair, expected))
		want_number(place, expected);
}

static void resolve_asked(struct place *place, const struct pair *pair) {
	struct handle *there;

	if (!is_asked_here(place, pair))
		return;
	there = find_other(place, pair);
	remember(place, pair, there);
	set_name(place, pair->ref, there);
}

/* Then, what follows from that, or did not. */
static void resolve_mirrored(struct place *place, const struct pair *pair) {
	const struct link_ref *back = is_asked_here(place, pair) ? NULL : mirror_of(place, pair);

	if (!back)
		return;
	if (leads_here(place, pair, back)) {
		remember(place, pair, handle_get(place->k, pair->wanted->twin->ns));
		pair->ref->ns = pair->wanted->twin->ns;
		pair->ref->name = ((const struct link *)pair->wanted->twin)->name;
	} else {
		set_name(place, pair->ref, find_other(place, pair));
	}
}

static bool removes_namespaces(const struct scan_request *look) {
	for (const struct ledger_ns *ns = look->ledger->namespaces; ns; ns = ns->hh.next)
		if (ledger_made_namespace(ns) && !ns_self(state_find(look->desired, ns->name)))
			return true;
	return false;
}

/* Where namespaces are about to go, it counts where a link leads that topod only found. Asked last: it costs a look-up for
 * each namespace of the ledger. */
static bool may_go_along(const struct place *place, const struct object *wanted, const struct object *object) {
	return wanted && wanted->external && object->kind->n_fields > LINK_N_FIELDS && removes_namespaces(place->look);
}

/* What is not declared, or as another kind, is not compared by where it leads. */
static void each_pair_of(struct place *place, struct object *object, pair_fn fn) {
	static const struct link_ref nowhere = {};
	const struct object *wanted = ns_find(place->desired, object);
	bool found = may_go_along(place, wanted, object);

	for (size_t i = LINK_N_FIELDS; wanted && (found || wanted->kind == object->kind) && i < object->kind->n_fields;
	     i++) {
		const struct field *field = &object->kind->fields[i];
		struct pair pair = { .link = (const struct link *)object,
				     .ref = field_of(field, object),
				     .expected = found ? &nowhere : field_of(field, wanted),
				     .wanted = wanted };

		if (field->type == &type_link_ref && pair.ref->ifindex)
			fn(place, &pair);
	}
}

static void each_pair(struct place *place, pair_fn fn) {
	ns_foreach(object, place->seen)
		if (object_is_link(object))
			each_pair_of(place, object, fn);
}

static void resolve(struct real_kernel *k, const struct scan_request *look, struct state *state, bool mirrored) {
	state_foreach(ns, state) {
		struct place place = { .k = k,
				       .state = state,
				       .handle = handle_get(k, ns->name),
				       .seen = ns,
				       .desired = state_find(look->desired, ns->name),
				       .turn = ++k->n_turns,
				       .look = look };

		if (!place.desired)
			continue;
		if (!mirrored)
			each_pair(&place, prepare);
		ask(&place);
		each_pair(&place, mirrored ? resolve_mirrored : resolve_asked);
		vec_done(&place.to_ask);
		handles_spare(k);
	}
}

void peers_resolve(struct real_kernel *k, const struct scan_request *look, struct state *state) {
	resolve(k, look, state, false);
	resolve(k, look, state, true);
}
