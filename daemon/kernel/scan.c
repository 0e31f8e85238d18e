/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking at namespaces: three dumps each (links, addresses, routes), the NAT table and the files where they are
 * of interest, all decoded by the kinds. It decides nothing and changes nothing but the handles.
 */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kernel/scan_private.h"
#include "kind/address.h"
#include "kind/resolv_conf.h"
#include "kind/link.h"
#include "kind/ruleset.h"
#include "kind/netns.h"
#include "kind/port.h"
#include "kind/route.h"
#include "kind/sysctl.h"

enum {
	ROUND = NL_BATCH_MESSAGES, /* so many namespaces may be open at once in any case */
};

/* Where the thread is. It goes from one namespace straight to the next. */

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
}

int ns_scan_socket(struct ns_scan *scan, int protocol, struct nl_socket **ret) {
	int r = ns_scan_enter(scan);

	return r < 0 ? r : handle_socket_here(scan->scanner->k, scan->handle, protocol, ret);
}

static const char *link_name(void *userdata, uint32_t ifindex) {
	const struct ns_scan *scan = userdata;
	const struct known_link *link = handle_index(scan->handle, ifindex);

	return link ? arena_strdup(scan->scanner->arena, link->name) : NULL;
}

/* Dumps. */

int take_link(void *userdata, const struct nlmsghdr *nlh) {
	struct ns_scan *scan = userdata;
	struct link *link = nlh->nlmsg_type == RTM_NEWLINK ? link_decode(&scan->decode, nlh) : NULL;
	struct port *port;

	if (!link)
		return 0;
	handle_add_link(scan->handle, link->name, link->ifindex, &link->mac);
	if (ns_add(scan->ns, &link->object))
		return 0;
	port = scan->ports ? port_decode(&scan->decode, nlh, link) : NULL;
	if (port)
		ns_add(scan->ns, &port->object);
	return 0;
}

static int take_address(void *userdata, const struct nlmsghdr *nlh) {
	struct ns_scan *scan = userdata;
	struct address *address = nlh->nlmsg_type == RTM_NEWADDR ? address_decode(&scan->decode, nlh) : NULL;

	if (address)
		ns_add(scan->ns, &address->object);
	return 0;
}

/* Of several routes with one identity (`ip route append`) ours counts, else the first, which the kernel uses. */
void add_route(struct ns_scan *scan, struct route *route) {
	struct object *before = ns_add(scan->ns, &route->object);

	if (before && route->object.owned && !before->owned) {
		ns_remove(scan->ns, before);
		ns_add(scan->ns, &route->object);
		route->front = before->kernel_made ? NULL : before;
	}
}

static int take_route(void *userdata, const struct nlmsghdr *nlh) {
	struct ns_scan *scan = userdata;
	struct route *route;

	note_made_route(scan, nlh);
	route = nlh->nlmsg_type == RTM_NEWROUTE ? route_decode(&scan->decode, nlh) : NULL;
	if (route)
		add_route(scan, route);
	return 0;
}

/* An interrupted dump begins again: what it gave so far is forgotten. */
static void forget_class(struct ns_scan *scan, const struct class *class) {
	for (struct object *object = scan->ns->objects, *next; object; object = next) {
		next = object->hh.next;
		if (object->kind->class == class)
			ns_remove(scan->ns, object);
	}
}

static void forget_links(void *userdata) {
	struct ns_scan *scan = userdata;

	forget_class(scan, &class_link);
	forget_class(scan, &class_port);
	handle_clear_links(scan->handle);
}

static uint8_t family_of(const struct object *object) {
	return object->kind->class == &class_address ? ((const struct address *)object)->address.address.family
						     : ((const struct route *)object)->to.address.family;
}

static void forget_family(struct ns_scan *scan, const struct class *class) {
	for (struct object *object = scan->ns->objects, *next; object; object = next) {
		next = object->hh.next;
		if (object->kind->class == class && family_of(object) == scan->family)
			ns_remove(scan->ns, object);
	}
}

static void forget_addresses(void *userdata) {
	forget_family(userdata, &class_address);
}

static void forget_routes(void *userdata) {
	struct ns_scan *scan = userdata;

	forget_family(scan, &class_route);
	scan->made.n = scan->made_before;
}

struct nlmsghdr *link_request(union request *request) {
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);

	nlh->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nlh;
}

static int dump_links(struct ns_scan *scan) {
	union request request = {};

	return nl_dump(scan->sock, link_request(&request), take_link, forget_links, scan);
}

/* Each family by itself: Linux dumps those without its lock for links (RTNL), for which the threads of a look would wait,
 * and all of them together with it. */
int dump_family(struct ns_scan *scan, uint8_t family, uint16_t type, nl_message_fn fn, void (*restart)(void *)) {
	union request request = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(&request);

	nlh->nlmsg_type = type;
	if (type == RTM_GETADDR)
		((struct ifaddrmsg *)mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg)))->ifa_family = family;
	else
		((struct rtmsg *)mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtmsg)))->rtm_family = family;
	scan->family = family;
	scan->made_before = scan->made.n;
	return nl_dump(scan->sock, nlh, fn, restart, scan);
}

static int dump(struct ns_scan *scan, uint16_t type, nl_message_fn fn, void (*restart)(void *)) {
	int r = dump_family(scan, AF_INET, type, fn, restart);

	return r < 0 ? r : dump_family(scan, AF_INET6, type, fn, restart);
}

static void resolve_masters(struct ns_scan *scan) {
	ns_foreach(object, scan->ns)
		if (object_is_link(object))
			link_resolve(&scan->decode, (struct link *)object);
}

static bool is_own_address(const struct address *address) {
	static const uint8_t loopback[] = { 127, 0, 0, 1 }, loopback6[16] = { [15] = 1 };
	const struct ip *ip = &address->address.address;

	if (ip->family == AF_INET)
		return memcmp(ip->bytes, loopback, sizeof(loopback)) == 0 && address->address.length == 8;
	return memcmp(ip->bytes, loopback6, sizeof(loopback6)) == 0 || (ip->bytes[0] == 0xfe && ip->bytes[1] >> 6 == 2);
}

/* lo has two, others a link-local one. */
void find_own_addresses(struct ns_scan *scan, bool all) {
	ns_foreach(object, scan->ns) {
		const struct address *address = (const struct address *)object;
		struct link *link = object->kind == &kind_address && is_own_address(address)
					    ? (struct link *)ns_find_link(scan->ns, address->dev)
					    : NULL;

		if (!link)
			continue;
		link->n_own_addresses++;
		if (object->kernel_made && address->address.address.family == AF_INET6 && !streq(link->name, "lo"))
			link->link_local = address->address.address;
	}
	ns_foreach(object, scan->ns) {
		struct link *link = (struct link *)object;

		/* Where it lacks IPv6 or its making, nothing is missing. */
		if (object_is_link(object) && (all || link->addresses_read))
			link_set_own_addresses(link, link->n_own_addresses >= (streq(link->name, "lo") ? 2 : 1));
	}
}

/* The kernel's own routes of the table local are never missing, wrong or in the way unless somebody declares one there. */
static bool declares_local_route(const struct ns_state *desired) {
	ns_foreach(object, desired)
		if (object->kind == &kind_route && ((const struct route *)object)->table == RT_TABLE_LOCAL)
			return true;
	return false;
}

/* Forwarding tables. */

struct forwarding {
	struct ns_scan *scan;
	struct object *seen;
};

static int take_forwarding(void *userdata, const struct nlmsghdr *nlh) {
	struct forwarding *f = userdata;

	if (nlh->nlmsg_type == RTM_NEWNEIGH)
		f->seen->kind->take_forwarding(f->scan->scanner->arena, f->seen, nlh);
	return 0;
}

static void forget_forwarding(void *userdata) {
	struct forwarding *f = userdata;

	f->seen->kind->take_forwarding(f->scan->scanner->arena, f->seen, NULL);
}

int scan_forwarding(struct ns_scan *scan, const struct object *desired) {
	union request request = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(&request);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	struct forwarding f = { scan, ns_find(scan->ns, desired) };

	if (!f.seen || f.seen->kind != desired->kind || !desired->kind->declares_forwarding ||
	    !desired->kind->declares_forwarding(desired))
		return 0;
	nlh->nlmsg_type = RTM_GETNEIGH;
	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = (int)((const struct link *)f.seen)->ifindex;
	forget_forwarding(&f);
	return nl_dump(scan->sock, nlh, take_forwarding, forget_forwarding, &f);
}

static int scan_all_forwarding(struct ns_scan *scan) {
	int r = 0;

	ns_foreach(object, scan->desired)
		r = r < 0 ? r : scan_forwarding(scan, object);
	return r;
}

static int scan_routing(struct ns_scan *scan) {
	scan->decode.skips_local = !declares_local_route(scan->desired);
	handle_clear_links(scan->handle);
	int r = dump_links(scan);
	if (r < 0)
		return r;
	resolve_masters(scan);
	r = scan_all_forwarding(scan);
	if (r == 0)
		r = dump(scan, RTM_GETADDR, take_address, forget_addresses);
	if (r < 0)
		return r;
	find_own_addresses(scan, true);
	address_settle_primaries(scan->ns, scan->desired);
	r = dump(scan, RTM_GETROUTE, take_route, forget_routes);
	scan->main_read = scan->local_read = family_bit(AF_INET) | family_bit(AF_INET6);
	return r < 0 ? r : find_made_routes(scan);
}

/* NAT. */

static int nat_request(struct nl_socket *sock, const char *topology, enum nat_request what, struct nat_reader *reader) {
	struct nl_writer w = {};
	int r;

	nat_put_request(&w, topology, what);
	if (what == NAT_REQUEST_TABLE)
		r = nl_request(sock, w.messages.items[0], nat_reader_message, reader);
	else
		r = nl_dump(sock, w.messages.items[0], nat_reader_message, nat_reader_restart, reader);
	nl_writer_done(&w);
	return r;
}

static int read_nat(struct ns_scan *scan, struct nl_socket *sock, struct nat **ret) {
	struct nat_reader reader;
	int r = 0;

	nat_reader_begin(&reader, &scan->decode);
	for (enum nat_request what = NAT_REQUEST_TABLE; what <= NAT_REQUEST_RULES && r == 0; what++)
		r = nat_request(sock, scan->scanner->look->topology, what, &reader);
	*ret = NULL;
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : nat_reader_finish(&reader, ret);
}

int scan_nat(struct ns_scan *scan) {
	struct nl_socket *sock;
	struct nat *nat = NULL;
	int r = ns_scan_socket(scan, NETLINK_NETFILTER, &sock);

	for (int tries = 0; r == 0 && tries < NL_DUMP_TRIES; tries++) {
		r = read_nat(scan, sock, &nat);
		if (r != -EAGAIN)
			break;
		r = tries + 1 < NL_DUMP_TRIES ? 0 : -EINTR;
	}
	if (r == 0 && nat)
		ns_add(scan->ns, &nat->object);
	return r;
}

/* Files. */

int unreadable(const struct ns_scan *scan, const struct object *object, int error) {
	return ledger_find_object(scan->scanner->look->ledger, object) ? error : 0;
}

static int scan_dns(struct ns_scan *scan) {
	struct arena *arena = scan->scanner->arena;
	int error;
	const char *content = resolv_conf_read(arena, scan->ns->name, &error);
	struct object *object = &dns_new(arena, scan->ns->name, content ? content : "")->object;

	if (!content)
		return unreadable(scan, object, error);
	ns_add(scan->ns, object);
	return 0;
}

static bool concerns(const struct scan_request *look, const char *ns, const struct class *class) {
	return ledger_concerns(look->ledger, look->desired, ns, class);
}

/* Is it ours, and to be deleted as it is? Then what is inside does not matter. */
static bool goes_as_a_whole(struct ns_scan *scan, const struct object *self) {
	const struct ns_state *desired = state_find(scan->scanner->look->desired, self->ns);
	const struct ledger_ns *noted = ledger_namespace(scan->scanner->look->ledger, self->ns);
	const struct ledger_entry *made = noted ? ledger_made_namespace(noted) : NULL;

	if (!made || !ledger_is_same(made, self) || (desired && desired->objects))
		return false;
	for (const struct ledger_entry *entry = noted->entries; entry; entry = entry->hh.next)
		if (ledger_outlives_namespace(entry))
			return false;
	return true;
}

static int scan_all_settings(struct ns_scan *scan) {
	vec(const struct object *) wanted = {};

	ns_foreach(object, scan->desired)
		if (object->kind == &kind_sysctl)
			vec_push(&wanted, object);
	int r = scan_settings(scan, wanted.items, wanted.n);
	vec_done(&wanted);
	return r;
}

static int scan_everything(struct ns_scan *scan) {
	const char *name = scan->ns->name;
	int r = ns_scan_socket(scan, NETLINK_ROUTE, &scan->sock);

	scan->ports = concerns(scan->scanner->look, name, &class_port);
	if (r == 0)
		r = scan_routing(scan);
	if (r == 0 && concerns(scan->scanner->look, name, &class_nat))
		r = scan_nat(scan);
	if (r == 0)
		r = scan_all_settings(scan);
	return r;
}

static int look_inside(struct ns_scan *scan, const struct scope *scope) {
	const char *name = scan->ns->name;
	struct object *self = scan->handle->host ? NULL : netns_object(scan->scanner->arena, name, &scan->handle->identity);

	scan->ns->present = true;
	if (self)
		((struct netns *)self)->named = !scan->handle->unnamed;
	if (self)
		ns_add(scan->ns, self);
	if (self && !scope->objects && goes_as_a_whole(scan, self))
		return 0;
	return scope->objects ? scan_narrowly(scan, scope) : scan_everything(scan);
}

static bool wants_dns(const struct scan_request *look, const struct scope *scope) {
	for (size_t i = 0; scope->objects && i < scope->n; i++)
		if (scope->objects[i]->kind == &kind_dns)
			return true;
	return !scope->objects && concerns(look, scope->ns, &class_dns);
}

int scan_namespace(struct scanner *scanner, const struct scope *scope, struct handle *handle, struct ns_state *ns) {
	struct ns_scan scan = {
		.scanner = scanner,
		.handle = handle,
		.ns = ns,
		.desired = state_find(scanner->look->desired, scope->ns),
	};
	int r = 0;

	scan.decode = (struct decode){
		.arena = scanner->arena,
		.ns = ns->name,
		.topology = scanner->look->topology,
		.address_marks = scanner->k->address_marks,
		.userdata = &scan,
		.link_name = link_name,
	};
	if (handle->host || handle->fd >= 0)
		r = look_inside(&scan, scope);
	/* The file is there or not whatever becomes of the namespace. */
	if (r == 0 && wants_dns(scanner->look, scope))
		r = scan_dns(&scan);
	vec_done(&scan.made);
	return r;
}

static bool is_kept(const struct scan_request *look, const struct handle *handle, struct arena *arena) {
	return ledger_keeps_namespace(look->ledger, look->desired, netns_object(arena, handle->name, &handle->identity));
}

/* Opens them, and gives them their ids before anything inside is looked at: what changes from then on is heard. One that
 * cannot be opened has its error. */
static int prepare(struct real_kernel *k, const struct scan_request *look, const struct scope *scopes, size_t n,
		   struct state *state) {
	_cleanup_free_ struct handle **handles = xmalloc(n * sizeof(struct handle *));
	size_t n_open = 0;

	for (size_t i = 0; i < n; i++) {
		struct handle *handle = handle_get(k, scopes[i].ns);
		int r = handle_open(k, handle);

		if (r == 0)
			handles[n_open++] = handle;
		if (r == 0 && !handle->host)
			handle_hold(k, handle, is_kept(look, handle, &state->arena));
		if (r == -ENOENT || (r == 0 && handle->unnamed))
			state_namespace(state, scopes[i].ns)->obstruction = handle->obstruction;
		else if (r < 0)
			state_namespace(state, scopes[i].ns)->error = r;
	}
	return handles_number(k, handles, n_open);
}

int real_observe(struct kernel *kernel, const struct scan_request *look, const struct scope *scopes, size_t n,
		 struct state *ret) {
	struct real_kernel *k = (struct real_kernel *)kernel;
	size_t most = MAX((size_t)ROUND, k->max_open / 2);

	netns_keep_folder(true);
	for (size_t at = 0, size; at < n; at += size) {
		size = MIN(n - at, most);
		int r = prepare(k, look, scopes + at, size, ret);
		if (r == 0)
			scan_all(k, look, scopes + at, size, ret);
		handles_spare(k);
		if (r < 0)
			return r;
	}
	peers_resolve(k, look, ret);
	return 0;
}
