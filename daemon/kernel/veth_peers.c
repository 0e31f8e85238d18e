/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links in other namespaces: for the other end of a pair the kernel reports an index, and the number by which the scanned
 * namespace knows the other namespace. To find that namespace, the number of the expected one is queried (RTM_GETNSID by
 * descriptor). A dump of all numbers would be one request, but Linux 6.18 ends it after its first part.
 *
 * First all pairs are listed, each with its other end if that was scanned too. If two ends refer to each other, only one is
 * queried, in the namespace with fewer links, because the kernel searches all of a namespace's numbers for an answer; the
 * result for the other one follows from that. So queried ends are resolved before those that follow from them. A number is
 * queried once, and the answer is remembered with the link: as long as both namespaces exist, a number stands for the same
 * one.
 *
 * Only if the namespace is not the expected one, the numbers of all namespaces are queried to find its name.
 *
 * If a query fails, the queried namespace's scan fails, even if it is not scanned now: an end in an unknown place would be
 * taken for one in a wrong place, and an intact pair would be recreated.
 */
#include "kernel/scan_private.h"
#include "kind/link.h"

/* A reference to a link in another namespace, and what is expected there. */
struct pair {
	const struct ns_state *ns; /* where it was seen */
	const struct link *link;
	struct link_ref *ref; /* to be resolved */
	const struct link_ref *expected;
	const struct object *wanted;
	const struct link_ref *mirror; /* the other end's reference back, if it was seen where it is expected */
	bool follows;                  /* resolved from the other end's result */
};

/* One namespace, while the links that it refers to by number are resolved. */
struct place {
	struct real_kernel *k;
	struct state *state;
	struct handle *handle;
	unsigned turn; /* handles' asked_in and number are valid for this place if asked_in is this */
	vec(struct handle *) to_ask;
	bool all_asked;
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

	if (r == 0 || r == -ENOENT) /* a namespace that is gone meanwhile is not an error */
		return;
	ns = state_namespace(place->state, asked->name);
	ns->error = ns->error ? ns->error : r;
}

/* Those without a number, or that are gone, keep -1. */
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
			fds[n_open++] = handles[i]->fd; /* the host's is -1, which netns_ids() understands */
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

/* Is the earlier result still valid: does the link still lead to the same number, and is that the same namespace? */
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

/* A link in a namespace that is not scanned now, or not completely, and that did not exist at its last scan. */
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
	if (there && !ref->ifindex) { /* an underlay */
		ref->ns = arena_strdup(&place->state->arena, there->name);
		return;
	}
	if (there)
		failed(place, there, learn_elsewhere(place->k, there, ref->ifindex));
	const struct known_link *link = there ? handle_index(there, ref->ifindex) : NULL;
	if (!link)
		return;
	ref->ns = arena_strdup(&place->state->arena, there->name);
	ref->name = arena_strdup(&place->state->arena, link->name);
}

/* The list of pairs. */

struct listing {
	struct real_kernel *k;
	const struct scan_request *request;
	struct state *state;
	const struct ns_state *ns, *desired; /* being listed */
	vec(struct pair) pairs;
};

/* The other end's reference back to this one, if the other end was seen where it is expected. */
static const struct link_ref *find_mirror(const struct listing *l, const struct pair *pair) {
	const struct object *twin = pair->wanted->twin;
	const struct ns_state *there = twin ? state_find(l->state, twin->ns) : NULL;
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

/* Is the other end queried? */
static bool is_answered_there(const struct listing *l, const struct pair *pair) {
	const char *there = pair->wanted->twin->ns;
	unsigned here = n_links(handle_get(l->k, l->ns->name)), other = n_links(handle_get(l->k, there));

	return other != here ? other < here : strcmp(there, l->ns->name) < 0;
}

static bool removes_namespaces(const struct scan_request *request) {
	for (const struct ledger_ns *ns = request->ledger->namespaces; ns; ns = ns->hh.next)
		if (ledger_made_namespace(ns) && !ns_self(state_find(request->desired, ns->name)))
			return true;
	return false;
}

/* If namespaces are about to be removed, or topod made the link and now gives it up, links that are declared as found must
 * be resolved too. Checked last, because it costs a look-up for each namespace of the ledger. */
static bool may_go_along(const struct listing *l, const struct object *wanted, const struct object *object) {
	return wanted->external && object->kind->n_fields > LINK_N_FIELDS &&
	       (object->owned || removes_namespaces(l->request));
}

/* For a link that is not declared, or declared as another kind, the other end is not compared. */
static void list_pairs_of(struct listing *l, struct object *object) {
	static const struct link_ref nowhere = {};
	const struct object *wanted = ns_find(l->desired, object);
	bool found = l->request->everything || (wanted && may_go_along(l, wanted, object));

	if (!found && (!wanted || wanted->kind != object->kind))
		return;
	for (size_t i = LINK_N_FIELDS; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];
		struct pair pair = {
			.ns = l->ns,
			.link = (const struct link *)object,
			.ref = field_of(field, object),
			.expected = found ? &nowhere : field_of(field, wanted),
			.wanted = wanted,
		};

		bool link = field->type == &type_link_ref && pair.ref->ifindex;
		bool underlay = field->type == &type_underlay && pair.ref->netnsid >= 0 && (found || object_has(wanted, i));
		if (!link && !underlay)
			continue;
		pair.mirror = wanted && pair.ref->netnsid >= 0 ? find_mirror(l, &pair) : NULL;
		pair.follows = pair.mirror && is_answered_there(l, &pair);
		vec_push(&l->pairs, pair);
	}
}

static void list_pairs(struct listing *l) {
	state_foreach(ns, l->state) {
		l->ns = ns;
		l->desired = state_find(l->request->desired, ns->name);
		ns_foreach(object, l->desired || l->request->everything ? ns : NULL)
			if (object_is_link(object))
				list_pairs_of(l, object);
	}
}

/* Resolving. */

/* Queries the numbers of all expected namespaces at once. */
static void ask_for_expected(struct place *place, const struct pair *pairs, size_t n) {
	for (size_t i = 0; i < n; i++) {
		const struct pair *pair = &pairs[i];
		struct handle *expected = pair->expected->ns ? handle_get(place->k, pair->expected->ns) : NULL;

		if (!pair->follows && pair->ref->netnsid >= 0 && expected && !is_remembered(place, pair, expected))
			want_number(place, expected);
	}
	ask(place);
}

static void resolve_asked(struct place *place, const struct pair *pair) {
	struct handle *there = find_other(place, pair);

	remember(place, pair, there);
	set_name(place, pair->ref, there);
}

/* Does the other end, which is resolved already, lead here? */
static bool leads_here(const struct pair *pair) {
	return pair->mirror->ns && streq(pair->mirror->ns, pair->ns->name) && streq(pair->mirror->name, pair->link->name);
}

static void resolve_following(struct place *place, const struct pair *pair) {
	if (!leads_here(pair)) {
		set_name(place, pair->ref, find_other(place, pair));
		return;
	}
	remember(place, pair, handle_get(place->k, pair->wanted->twin->ns));
	pair->ref->ns = pair->wanted->twin->ns;
	pair->ref->name = ((const struct link *)pair->wanted->twin)->name;
}

/* The pairs of one namespace. */
static void resolve_place(struct listing *l, const struct pair *pairs, size_t n, bool following) {
	struct place place = {
		.k = l->k,
		.state = l->state,
		.handle = handle_get(l->k, pairs->ns->name),
		.turn = ++l->k->n_turns,
	};

	if (!following)
		ask_for_expected(&place, pairs, n);
	for (size_t i = 0; i < n; i++) {
		if (pairs[i].follows != following)
			continue;
		if (following)
			resolve_following(&place, &pairs[i]);
		else
			resolve_asked(&place, &pairs[i]);
	}
	vec_done(&place.to_ask);
	handles_spare(l->k);
}

static void resolve(struct listing *l, bool following) {
	for (size_t i = 0, end; i < l->pairs.n; i = end) {
		for (end = i + 1; end < l->pairs.n && l->pairs.items[end].ns == l->pairs.items[i].ns;)
			end++;
		resolve_place(l, l->pairs.items + i, end - i, following);
	}
}

/* So that links into namespaces that are not scanned also have a name. */
static void know_all_names(struct real_kernel *k, struct arena *arena) {
	handle_get(k, NS_HOST);
	for (const char **name = netns_names(arena); *name; name++)
		handle_get(k, *name);
}

void peers_resolve(struct real_kernel *k, const struct scan_request *request, struct state *state) {
	struct listing l = { .k = k, .request = request, .state = state };

	if (request->everything)
		know_all_names(k, &state->arena);
	list_pairs(&l);
	resolve(&l, false);
	resolve(&l, true);
	vec_done(&l.pairs);
}
