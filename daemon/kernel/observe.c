/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking at namespaces: three dumps each (links, addresses, routes), the NAT table and the files where they are
 * of interest, all decoded by the kinds. It decides nothing and changes nothing but the handles.
 */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kernel/observe_private.h"
#include "kind/address.h"
#include "kind/dns.h"
#include "kind/link.h"
#include "kind/nat.h"
#include "kind/netns.h"
#include "kind/port.h"
#include "kind/route.h"
#include "kind/sysctl.h"

enum {
	ROUND = NL_BATCH_MESSAGES, /* so many namespaces may be open at once in any case */
};

/* Where the thread is. It goes from one namespace straight to the next. */

int sight_enter(struct sight *sight) {
	struct looker *looker = sight->looker;
	int r;

	if (looker->inside == sight->handle || (sight->handle->host && !looker->inside))
		return 0;
	r = netns_enter(&looker->visit, sight->handle->fd);
	if (r == 0)
		looker->inside = sight->handle->host ? NULL : sight->handle;
	return r;
}

void looker_done(struct looker *looker) {
	netns_leave(&looker->visit);
	looker->inside = NULL;
}

int sight_socket(struct sight *sight, int protocol, struct nl_socket **ret) {
	int r = sight_enter(sight);

	return r < 0 ? r : handle_socket_here(sight->looker->k, sight->handle, protocol, ret);
}

static const char *link_name(void *userdata, uint32_t ifindex) {
	const struct sight *sight = userdata;
	const struct known_link *link = handle_index(sight->handle, ifindex);

	return link ? arena_strdup(sight->looker->arena, link->name) : NULL;
}

/* Dumps. */

int take_link(void *userdata, const struct nlmsghdr *nlh) {
	struct sight *sight = userdata;
	struct link *link = nlh->nlmsg_type == RTM_NEWLINK ? link_decode(&sight->decode, nlh) : NULL;
	struct port *port;

	if (!link)
		return 0;
	handle_add_link(sight->handle, link->name, link->ifindex, &link->mac);
	if (ns_add(sight->ns, &link->object))
		return 0;
	port = sight->ports ? port_decode(&sight->decode, nlh, link) : NULL;
	if (port)
		ns_add(sight->ns, &port->object);
	return 0;
}

static int take_address(void *userdata, const struct nlmsghdr *nlh) {
	struct sight *sight = userdata;
	struct address *address = nlh->nlmsg_type == RTM_NEWADDR ? address_decode(&sight->decode, nlh) : NULL;

	if (address)
		ns_add(sight->ns, &address->object);
	return 0;
}

/* Of several routes with one identity (`ip route append`) ours counts, else the first, which the kernel uses. */
void add_route(struct sight *sight, struct route *route) {
	struct object *before = ns_add(sight->ns, &route->object);

	if (before && route->object.marked && !before->marked) {
		ns_remove(sight->ns, before);
		ns_add(sight->ns, &route->object);
		route->front = before->kernel_made ? NULL : before;
	}
}

static int take_route(void *userdata, const struct nlmsghdr *nlh) {
	struct sight *sight = userdata;
	struct route *route;

	note_made_route(sight, nlh);
	route = nlh->nlmsg_type == RTM_NEWROUTE ? route_decode(&sight->decode, nlh) : NULL;
	if (route)
		add_route(sight, route);
	return 0;
}

/* An interrupted dump begins again: what it gave so far is forgotten. */
static void forget_class(struct sight *sight, enum object_class class) {
	for (struct object *object = sight->ns->objects, *next; object; object = next) {
		next = object->hh.next;
		if (object->kind->class == class)
			ns_remove(sight->ns, object);
	}
}

static void forget_links(void *userdata) {
	struct sight *sight = userdata;

	forget_class(sight, CLASS_LINK);
	forget_class(sight, CLASS_PORT);
	handle_clear_links(sight->handle);
}

static uint8_t family_of(const struct object *object) {
	return object->kind->class == CLASS_ADDRESS ? ((const struct address *)object)->address.address.family
						    : ((const struct route *)object)->to.address.family;
}

static void forget_family(struct sight *sight, enum object_class class) {
	for (struct object *object = sight->ns->objects, *next; object; object = next) {
		next = object->hh.next;
		if (object->kind->class == class && family_of(object) == sight->family)
			ns_remove(sight->ns, object);
	}
}

static void forget_addresses(void *userdata) {
	forget_family(userdata, CLASS_ADDRESS);
}

static void forget_routes(void *userdata) {
	struct sight *sight = userdata;

	forget_family(sight, CLASS_ROUTE);
	sight->made.n = sight->made_before;
}

struct nlmsghdr *link_request(union request *request) {
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);

	nlh->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return nlh;
}

static int dump_links(struct sight *sight) {
	union request request = {};

	return nl_dump(sight->sock, link_request(&request), take_link, forget_links, sight);
}

/* Each family by itself: Linux dumps those without its lock for links (RTNL), for which the threads of a look would wait,
 * and all of them together with it. */
int dump_family(struct sight *sight, uint8_t family, uint16_t type, nl_message_fn fn, void (*restart)(void *)) {
	union request request = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(&request);

	nlh->nlmsg_type = type;
	if (type == RTM_GETADDR)
		((struct ifaddrmsg *)mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg)))->ifa_family = family;
	else
		((struct rtmsg *)mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtmsg)))->rtm_family = family;
	sight->family = family;
	sight->made_before = sight->made.n;
	return nl_dump(sight->sock, nlh, fn, restart, sight);
}

static int dump(struct sight *sight, uint16_t type, nl_message_fn fn, void (*restart)(void *)) {
	int r = dump_family(sight, AF_INET, type, fn, restart);

	return r < 0 ? r : dump_family(sight, AF_INET6, type, fn, restart);
}

static void resolve_masters(struct sight *sight) {
	ns_foreach(object, sight->ns)
		if (object->kind->class == CLASS_LINK)
			link_resolve(&sight->decode, (struct link *)object);
}

static bool is_own_address(const struct address *address) {
	static const uint8_t loopback[] = { 127, 0, 0, 1 }, loopback6[16] = { [15] = 1 };
	const struct ip *ip = &address->address.address;

	if (ip->family == AF_INET)
		return memcmp(ip->bytes, loopback, sizeof(loopback)) == 0 && address->address.length == 8;
	return memcmp(ip->bytes, loopback6, sizeof(loopback6)) == 0 || (ip->bytes[0] == 0xfe && ip->bytes[1] >> 6 == 2);
}

/* lo has two, others a link-local one. */
void find_own_addresses(struct sight *sight, bool all) {
	ns_foreach(object, sight->ns) {
		const struct address *address = (const struct address *)object;
		struct link *link = object->kind == &kind_address && is_own_address(address)
					    ? (struct link *)ns_find_link(sight->ns, address->dev) : NULL;

		if (!link)
			continue;
		link->n_own_addresses++;
		if (object->kernel_made && address->address.address.family == AF_INET6 && !streq(link->name, "lo"))
			link->link_local = address->address.address;
	}
	ns_foreach(object, sight->ns) {
		struct link *link = (struct link *)object;

		/* Where it lacks IPv6 or its making, nothing is missing. */
		if (object->kind->class == CLASS_LINK && (all || link->addresses_read))
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
	struct sight *sight;
	struct object *seen;
};

static int take_forwarding(void *userdata, const struct nlmsghdr *nlh) {
	struct forwarding *f = userdata;

	if (nlh->nlmsg_type == RTM_NEWNEIGH)
		f->seen->kind->take_forwarding(f->sight->looker->arena, f->seen, nlh);
	return 0;
}

static void forget_forwarding(void *userdata) {
	struct forwarding *f = userdata;

	f->seen->kind->take_forwarding(f->sight->looker->arena, f->seen, NULL);
}

int look_at_forwarding(struct sight *sight, const struct object *desired) {
	union request request = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(&request);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	struct forwarding f = { sight, ns_find(sight->ns, desired) };

	if (!f.seen || f.seen->kind != desired->kind || !desired->kind->declares_forwarding ||
	    !desired->kind->declares_forwarding(desired))
		return 0;
	nlh->nlmsg_type = RTM_GETNEIGH;
	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = (int)((const struct link *)f.seen)->ifindex;
	forget_forwarding(&f);
	return nl_dump(sight->sock, nlh, take_forwarding, forget_forwarding, &f);
}

static int look_at_all_forwarding(struct sight *sight) {
	int r = 0;

	ns_foreach(object, sight->desired)
		r = r < 0 ? r : look_at_forwarding(sight, object);
	return r;
}

static int look_at_routing(struct sight *sight) {
	sight->decode.skips_local = !declares_local_route(sight->desired);
	handle_clear_links(sight->handle);
	int r = dump_links(sight);
	if (r < 0)
		return r;
	resolve_masters(sight);
	r = look_at_all_forwarding(sight);
	if (r == 0)
		r = dump(sight, RTM_GETADDR, take_address, forget_addresses);
	if (r < 0)
		return r;
	find_own_addresses(sight, true);
	address_settle_primaries(sight->ns, sight->desired);
	r = dump(sight, RTM_GETROUTE, take_route, forget_routes);
	sight->main_read = sight->local_read = family_bit(AF_INET) | family_bit(AF_INET6);
	return r < 0 ? r : find_made_routes(sight);
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

static int read_nat(struct sight *sight, struct nl_socket *sock, struct nat **ret) {
	struct nat_reader reader;
	int r = 0;

	nat_reader_begin(&reader, &sight->decode);
	for (enum nat_request what = NAT_REQUEST_TABLE; what <= NAT_REQUEST_RULES && r == 0; what++)
		r = nat_request(sock, sight->looker->look->topology, what, &reader);
	*ret = NULL;
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : nat_reader_finish(&reader, ret);
}

int look_at_nat(struct sight *sight) {
	struct nl_socket *sock;
	struct nat *nat = NULL;
	int r = sight_socket(sight, NETLINK_NETFILTER, &sock);

	for (int tries = 0; r == 0 && tries < NL_DUMP_TRIES; tries++) {
		r = read_nat(sight, sock, &nat);
		if (r != -EAGAIN)
			break;
		r = tries + 1 < NL_DUMP_TRIES ? 0 : -EINTR;
	}
	if (r == 0 && nat)
		ns_add(sight->ns, &nat->object);
	return r;
}

/* Files. */

int unreadable(const struct sight *sight, const struct object *object, int error) {
	return ledger_find_object(sight->looker->look->ledger, object) ? error : 0;
}

static int look_at_dns(struct sight *sight) {
	struct arena *arena = sight->looker->arena;
	int error;
	const char *content = resolv_conf_read(arena, sight->ns->name, &error);
	struct object *object = &dns_new(arena, sight->ns->name, content ? content : "")->object;

	if (!content)
		return unreadable(sight, object, error);
	ns_add(sight->ns, object);
	return 0;
}

static bool concerns(const struct look *look, const char *ns, enum object_class class) {
	return ledger_concerns(look->ledger, look->desired, ns, class);
}

/* Is it ours, and to be deleted as it is? Then what is inside does not matter. */
static bool goes_as_a_whole(struct sight *sight, const struct object *self) {
	const struct ns_state *desired = state_find(sight->looker->look->desired, self->ns);
	const struct ledger_ns *noted = ledger_namespace(sight->looker->look->ledger, self->ns);
	const struct ledger_entry *made = noted ? ledger_made_namespace(noted) : NULL;

	if (!made || !ledger_is_same(made, self) || (desired && desired->objects))
		return false;
	for (const struct ledger_entry *entry = noted->entries; entry; entry = entry->hh.next)
		if (ledger_outlives_namespace(entry))
			return false;
	return true;
}

static int look_at_all_settings(struct sight *sight) {
	vec(const struct object *) wanted = {};

	ns_foreach(object, sight->desired)
		if (object->kind == &kind_sysctl)
			vec_push(&wanted, object);
	int r = look_at_settings(sight, wanted.items, wanted.n);
	vec_done(&wanted);
	return r;
}

static int look_at_everything(struct sight *sight) {
	const char *name = sight->ns->name;
	int r = sight_socket(sight, NETLINK_ROUTE, &sight->sock);

	sight->ports = concerns(sight->looker->look, name, CLASS_PORT);
	if (r == 0)
		r = look_at_routing(sight);
	if (r == 0 && concerns(sight->looker->look, name, CLASS_NAT))
		r = look_at_nat(sight);
	if (r == 0)
		r = look_at_all_settings(sight);
	return r;
}

static int look_inside(struct sight *sight, const struct scope *scope) {
	const char *name = sight->ns->name;
	struct object *self = sight->handle->host ? NULL : netns_object(sight->looker->arena, name, &sight->handle->identity);

	sight->ns->present = true;
	if (self)
		((struct netns *)self)->named = !sight->handle->unnamed;
	if (self)
		ns_add(sight->ns, self);
	if (self && !scope->objects && goes_as_a_whole(sight, self))
		return 0;
	return scope->objects ? look_narrowly(sight, scope) : look_at_everything(sight);
}

static bool wants_dns(const struct look *look, const struct scope *scope) {
	for (size_t i = 0; scope->objects && i < scope->n; i++)
		if (scope->objects[i]->kind == &kind_dns)
			return true;
	return !scope->objects && concerns(look, scope->ns, CLASS_DNS);
}

int look_at(struct looker *looker, const struct scope *scope, struct handle *handle, struct ns_state *ns) {
	struct sight sight = {
		.looker = looker,
		.handle = handle,
		.ns = ns,
		.desired = state_find(looker->look->desired, scope->ns),
	};
	int r = 0;

	sight.decode = (struct decode){
		.arena = looker->arena, .ns = ns->name, .topology = looker->look->topology,
		.address_marks = looker->k->address_marks, .userdata = &sight, .link_name = link_name,
	};
	if (handle->host || handle->fd >= 0)
		r = look_inside(&sight, scope);
	/* The file is there or not whatever becomes of the namespace. */
	if (r == 0 && wants_dns(looker->look, scope))
		r = look_at_dns(&sight);
	vec_done(&sight.made);
	return r;
}

static bool is_kept(const struct look *look, const struct handle *handle, struct arena *arena) {
	return ledger_keeps_namespace(look->ledger, look->desired, netns_object(arena, handle->name, &handle->identity));
}

/* Opens them, and gives them their ids before anything inside is looked at: what changes from then on is heard. One that
 * cannot be opened has its error. */
static int prepare(struct kernel_real *k, const struct look *look, const struct scope *scopes, size_t n, struct state *state) {
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

int real_observe(struct kernel *kernel, const struct look *look, const struct scope *scopes, size_t n,
		 struct state *ret) {
	struct kernel_real *k = (struct kernel_real *)kernel;
	size_t most = MAX((size_t)ROUND, k->max_open / 2);

	netns_keep_folder(true);
	for (size_t at = 0, size; at < n; at += size) {
		size = MIN(n - at, most);
		int r = prepare(k, look, scopes + at, size, ret);
		if (r == 0)
			look_at_all(k, look, scopes + at, size, ret);
		handles_spare(k);
		if (r < 0)
			return r;
	}
	peers_resolve(k, look, ret);
	return 0;
}
