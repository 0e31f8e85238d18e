/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scanning namespaces: everything in one, or only some objects, at a cost that does not grow with the namespace. The
 * sources of the classes say what is read and how (model/source.h). It decides nothing, and changes only the handles.
 */
#include "kernel/scan_private.h"

#include <time.h>

#include "kind/netns.h"

enum {
	ROUND = NL_BATCH_MESSAGES, /* namespaces that may be open at once in any case */
};

/* The kernel records when an address was set in hundredths of a second since boot. */
static uint32_t hundredths(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)(now.tv_sec * 100 + now.tv_nsec / 10000000);
}

/* The thread goes from one namespace directly to the next. */

int ns_scan_enter(struct ns_scan *scan) {
	struct scanner *scanner = scan->scanner;
	int r;

	if (scanner->inside == scan->handle || (scan->handle->host && !scanner->inside))
		return 0;
	r = netns_enter(&scanner->visit, scan->handle->fd);
	if (r == 0)
		scanner->inside = scan->handle->host ? NULL : scan->handle;
	return r;
}

void scanner_done(struct scanner *scanner) {
	netns_leave(&scanner->visit);
	scanner->inside = NULL;
	nl_writer_done(&scanner->requests);
}

int ns_scan_socket(struct ns_scan *scan, int protocol, struct nl_socket **ret) {
	int r = ns_scan_enter(scan);

	if (r == 0)
		r = handle_socket_here(scan->scanner->k, scan->handle, protocol, ret);
	scan->source.connected |= r == 0 && protocol == NETLINK_ROUTE;
	return r;
}

/* Names of links. */

static const char *link_name(void *userdata, uint32_t ifindex) {
	const struct ns_scan *scan = userdata;
	const struct known_link *link = handle_index(scan->handle, ifindex);

	return link ? arena_strdup(scan->scanner->arena, link->name) : NULL;
}

static uint32_t link_index(const struct source_scan *source, const char *name) {
	const struct known_link *link = handle_link(((const struct ns_scan *)source)->handle, name);

	return link ? link->ifindex : 0;
}

static void saw_link(struct source_scan *source, const char *name, uint32_t ifindex, const struct mac *mac) {
	handle_add_link(((struct ns_scan *)source)->handle, name, ifindex, mac);
}

static void lost_link(struct source_scan *source, const char *name) {
	struct ns_scan *scan = (struct ns_scan *)source;

	if (name)
		handle_drop_link(scan->handle, name);
	else
		handle_clear_links(scan->handle);
	scan->any_link_missing |= name != NULL;
}

/* Others may have created links since the last scan, with the index that would be chosen for a new link. */
static int find_free_index(struct ns_scan *scan) {
	struct handle *handle = scan->handle;
	struct nl_socket *sock;
	uint32_t next;
	int r = ns_scan_socket(scan, NETLINK_ROUTE, &sock);

	if (r < 0)
		return r;
	do {
		next = MAX(handle->highest, 1U) + 1;
		(void)learn_name(sock, handle, next);
	} while (handle->highest >= next);
	return 0;
}

/* One namespace. */

static bool concerns(const struct source_scan *source, const struct class *class) {
	if (source->everything)
		return true;
	if (!source->scope && source->desired && source->desired->exclusive && class_is_pruned(class))
		return true;
	if (!source->scope)
		return ledger_concerns(((const struct ns_scan *)source)->noted, source->desired, class);
	for (size_t i = 0; i < source->scope->n; i++)
		if (source->scope->objects[i]->kind->class == class)
			return true;
	return false;
}

/* Is it topod's, and will it be deleted as a whole? Then what is inside does not matter. */
static bool goes_as_a_whole(const struct ns_scan *scan, const struct object *self) {
	const struct ns_state *desired = scan->source.desired;
	const struct ledger_ns *noted = scan->noted;
	const struct ledger_entry *made = ledger_made_namespace(noted);

	if (!made || made->left || !ledger_is_same(made, self) || (desired && desired->objects))
		return false;
	for (const struct ledger_entry *entry = noted->entries; entry; entry = entry->hh.next)
		if (ledger_outlives_namespace(entry))
			return false;
	return true;
}

static int scan_classes(struct ns_scan *scan, bool outside) {
	int r = 0;

	for (const struct class *const *class = classes; *class && r == 0; class ++)
		if ((*class)->source && (*class)->outlives_namespace == outside)
			r = scan_class(scan, *class);
	return r;
}

static int scan_inside(struct ns_scan *scan) {
	struct ns_state *ns = scan->source.seen;
	struct object *self =
		scan->handle->host ? NULL : netns_object(scan->scanner->arena, ns->name, &scan->handle->identity);
	int r;

	ns->present = true;
	if (self) {
		((struct netns *)self)->named = !scan->handle->unnamed;
		ns_add(ns, self);
		if (!scan->source.scope && goes_as_a_whole(scan, self))
			return 0;
	}
	r = scan_classes(scan, false);
	if (r == 0)
		r = scan_details(scan);
	return r == 0 && scan->any_link_missing ? find_free_index(scan) : r;
}

int scan_namespace(struct scanner *scanner, const struct scope *scope, struct handle *handle, struct ns_state *ns) {
	struct ns_scan scan = {
		.scanner = scanner,
		.handle = handle,
		.noted = ledger_namespace(scanner->request->ledger, scope->ns),
		.source = {
			.seen = ns,
			.desired = state_find(scanner->request->desired, scope->ns),
			.scope = scope->objects ? scope : NULL,
			.everything = scanner->request->everything,
			.connected = handle->host || handle_socket_of(handle, NETLINK_ROUTE)->fd >= 0,
			.concerns = concerns,
			.saw_link = saw_link,
			.lost_link = lost_link,
			.ifindex = link_index,
		},
	};
	int r = 0;

	scan.source.decode = (struct decode){
		.arena = scanner->arena,
		.ns = ns->name,
		.topology = scanner->request->topology,
		.address_marks = scanner->k->address_marks,
		.now = hundredths(),
		.userdata = &scan,
		.link_name = link_name,
	};
	if (handle->host || handle->fd >= 0)
		r = scan_inside(&scan);
	/* Files exist independently of the namespace. */
	if (r == 0)
		r = scan_classes(&scan, true);
	vec_done(&scan.source.added);
	return r;
}

static bool is_kept(const struct scan_request *request, const struct handle *handle, struct arena *arena) {
	return ledger_keeps_namespace(request->ledger, request->desired,
				      netns_object(arena, handle->name, &handle->identity));
}

/* The ledger says which namespace was attached, even if it is no longer declared. */
static void expect(const struct scan_request *request, struct handle *handle) {
	const struct ns_state *desired = state_find(request->desired, handle->name);
	const struct ledger_entry *entry = ledger_attached_namespace(ledger_namespace(request->ledger, handle->name));
	struct netns_identity wanted = {};

	if (entry)
		wanted = netns_identity_read(ledger_former(entry, NETNS_INODE), ledger_former(entry, NETNS_COOKIE));
	handle_expect(handle, entry || (ns_self(desired) && ns_self(desired)->awaited), &wanted,
		      entry ? ledger_former(entry, NETNS_LINK) : NULL);
}

/* Opens the namespaces, and gives them their ids before anything inside is scanned, so that later changes are heard. One
 * that cannot be opened gets the error. */
static int prepare(struct real_kernel *k, const struct scan_request *request, const struct scope *scopes, size_t n,
		   struct state *state) {
	_cleanup_free_ struct handle **handles = xmalloc(n * sizeof(struct handle *));
	size_t n_open = 0;

	for (size_t i = 0; i < n; i++) {
		struct handle *handle = handle_get(k, scopes[i].ns);

		if (!handle->host && handle->fd < 0)
			expect(request, handle);
		int r = handle_open(k, handle);

		if (r == 0)
			handles[n_open++] = handle;
		if (r == 0 && !handle->host)
			handle_hold(k, handle, is_kept(request, handle, &state->arena));
		if (r == -ENOENT || (r == 0 && handle->unnamed))
			state_namespace(state, scopes[i].ns)->obstruction = handle->obstruction;
		else if (r < 0)
			state_namespace(state, scopes[i].ns)->error = r;
	}
	return handles_number(k, handles, n_open);
}

int real_observe(struct kernel *kernel, const struct scan_request *request, const struct scope *scopes, size_t n,
		 struct state *ret) {
	struct real_kernel *k = (struct real_kernel *)kernel;
	size_t most = MAX((size_t)ROUND, k->max_open / 2);

	netns_keep_dir(true);
	for (size_t at = 0, size; at < n; at += size) {
		size = MIN(n - at, most);
		int r = prepare(k, request, scopes + at, size, ret);
		if (r == 0)
			scan_all(k, request, scopes + at, size, ret);
		handles_spare(k);
		if (r < 0)
			return r;
	}
	peers_resolve(k, request, ret);
	ledger_recall(request->ledger, ret);
	return 0;
}
