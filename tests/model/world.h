/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model of a machine's network as the kernel keeps it, small enough to be created a thousand times a second: namespaces,
 * links, addresses, routes, rules, neighbours, forwarding entries, next hops, settings, one nftables table per namespace, resolv.conf
 * files.
 *
 * It owns the kernel's rules: what needs what, what disappears with what, which error an impossible request gives. It knows
 * neither topod's plans nor its ledger. It leaves out neighbours that the kernel resolves and, of multicast, all but ff00::/8:
 * no test may depend on these.
 */
#pragma once

#include <linux/rtnetlink.h>

#include "model/hint.h"
#include "kind/address.h"
#include "kind/link.h"
#include "kind/netns.h"
#include "kind/bridge_port.h"
#include "kind/route.h"
#include "model/state.h"
#include "base/vec.h"

struct w_ns;

enum { FLOOD_MAX = 4 };

struct w_link {
	struct w_ns *ns; /* NULL after it was deleted */
	uint32_t index;
	struct link *values; /* an object of its kind, as the kernel shows it */
	struct w_link *master, *peer, *lower;
	struct bridge_port *port; /* while it is a port of a bridge */
	bool passthru; /* a macvlan in passthru mode, which has its lower link to itself, with that link's MAC address … */
	struct mac lent;            /* … and gives that address back at the end */
	struct w_ns *birthplace;    /* a vxlan: the namespace in which its id is in use, even if it was moved … */
	struct ip flood[FLOOD_MAX]; /* … and where it sends frames with unknown destinations */
	size_t n_flood;
	bool mtu_by_user;       /* a bridge whose MTU no longer follows its ports */
	bool hardware;          /* survives its namespace: it returns to the host */
	bool external;          /* not made by topod */
	bool moved;             /* topod moved it here, so topod may change it and give it back */
	bool carried;           /* it had a carrier, or needed none, when that was last checked */
	bool ready;             /* … at some time since it was last set up (IF_READY): duplicate detection runs */
	const char *other_name; /* an alternative name, or NULL */
};

struct w_address {
	struct w_link *link;
	struct prefix address, peer; /* family 0: none */
	uint32_t scope, protocol;
	const char *label; /* NULL: its link's name */
	struct ip broadcast;
	bool nodad, noprefixroute, secondary, external;
	bool made;            /* the kernel generated it */
	bool failed;          /* duplicate address detection failed */
	uint64_t usable_usec; /* when that detection ends; 0: it never began */
	bool detected;        /* it has ended, with an event */
};

struct w_hop {
	struct ip via;
	struct w_link *dev;
	uint32_t weight;
};

struct w_route {
	struct prefix to, from;
	uint32_t table, tos, metric, type, scope, protocol, on_link, preference;
	uint32_t metrics[RTAX_MAX + 1]; /* by RTAX_* */
	struct ip src;
	size_t n_hops; /* 0: it has no device */
	struct w_hop hops[4];
	bool external;
};

/* A route that the kernel makes for an address or a link, outside of what `routes` has: in the table local, or fe80::/64. */
struct w_made {
	struct w_link *link;
	struct prefix to;
	uint8_t type; /* RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST; RTN_UNICAST: fe80::/64 */
};

/* A policy rule, a static neighbour, an entry of a bridge's forwarding table or a next hop, as the message (RTM_NEW…) by which it was
 * made. */
struct w_raw {
	const struct class *class;
	struct nlmsghdr *message;
	struct w_link *link; /* of a neighbour; the port of a forwarding entry; over which a next hop leads */
	bool external;
};

struct w_setting {
	const char *path;
	struct w_link *link; /* the link that the setting belongs to, or NULL */
	const char *value;
	bool own; /* it was written individually: a copy to all links leaves it alone */
};

struct w_ns {
	const char *name; /* NULL: it has no name any more */
	const char *held; /* the name under which topod holds a descriptor of it, which keeps it alive; NULL */
	struct netns_identity identity;
	int32_t nsid;
	bool external;
	bool attached;         /* something attached it under its name */
	const char *lost_name; /* that topod has removed; it lives on */
	uint32_t highest;      /* index */
	vec(struct w_link *) links;
	vec(struct w_address) addresses;
	vec(struct w_route) routes;
	vec(struct w_made) made;
	vec(struct w_raw) raw; /* the rules first, in their order */
	vec(struct w_setting) settings;
	const char *nat; /* text of topod's table, or NULL */
	bool nat_foreign;
	bool busy;      /* a process is in it, which keeps it alive */
	unsigned dying; /* requests until it is destroyed; 0: it lives */
};

/* A name in /run/netns without a namespace: left over, half created or removed, or somebody's file or link. */
struct w_name {
	const char *name;
	bool external;
};

/* A file below /etc/netns. */
struct w_file {
	const char *ns, *content;
	bool external;
};

struct w_event {
	struct w_ns *ns; /* NULL: a name in /run/netns */
	const char *name;
	struct hint hint;
};

struct world {
	struct arena arena;
	vec(struct w_ns *) spaces; /* the host first */
	vec(struct w_file) files;
	vec(struct w_name) stale;
	vec(struct w_event) events; /* not read yet */
	uint64_t now_usec, random;
	unsigned slowness; /* the most requests that a namespace without a name survives */
	bool by_topod;     /* the current requests are topod's */
	const char *lacks; /* the key of a link attribute that this kernel was built without; NULL: none */
	int n_taken;       /* somebody else's addresses that topod deleted with a primary one, and did not make again */
	bool promotes;     /* net.ipv4.conf.all.promote_secondaries */
	struct ip rival;   /* an address that another host has; family 0: none */
};

struct world *world_new(uint64_t seed);
void world_free(struct world *w);
uint64_t world_random(struct world *w);

/* Time passes: namespaces that were deleted are destroyed one by one; with `all`, all of them now. */
void world_tick(struct world *w, bool all);

struct w_ns *world_ns(const struct world *w, const char *name);
/* … or, if nothing has the name, the namespace that topod holds under it. */
struct w_ns *world_ns_or_held(const struct world *w, const char *name);
struct w_ns *world_held(const struct world *w, const char *name);
/* topod no longer holds it; NULL: it no longer holds any. */
void world_release(struct world *w, struct w_ns *ns);
/* Gives a held namespace its name again. */
int world_name_again(struct world *w, struct w_ns *ns);
struct w_ns *world_ns_by_id(const struct world *w, int32_t nsid);
int world_add_ns(struct world *w, const char *name);
/* The same, and it was attached: its name is a link that topod made. */
int world_add_attached(struct world *w, const char *name);
/* Only its name goes: the maker lives on. */
int world_unname(struct world *w, const char *name);
/* The identity of the namespace that is created next. */
struct netns_identity world_next_identity(const struct world *w);
int world_delete_ns(struct world *w, const char *name);
/* All processes end, and namespaces that only they kept alive are destroyed. */
void world_end_processes(struct world *w);
/* A name that is half created or removed; external: somebody's file or link. */
void world_add_stale(struct world *w, const char *name, bool external);
const struct w_name *world_stale(const struct world *w, const char *name);
void world_clear_stale(struct world *w, const char *name);

struct w_link *ns_link(const struct w_ns *ns, const char *name);
/* A link of the host by its name, an alternative one, or its MAC address. */
struct w_link *world_card(const struct world *w, const char *name);
struct w_link *ns_link_at(const struct w_ns *ns, uint32_t index);

/* A new link with the kernel's defaults, down. It is not in a namespace yet: the caller sets lower and then calls
 * link_enter(). */
struct w_link *link_new(struct world *w, const struct kind *kind, const char *name);
/* Puts it into a namespace; 0, -EEXIST or the error of its kind. */
int link_enter(struct world *w, struct w_link *link, struct w_ns *ns);
void link_remove(struct world *w, struct w_link *link);
int link_set_up(struct world *w, struct w_link *link, bool up);
int link_set_mtu(struct world *w, struct w_link *link, uint32_t mtu);
void link_set_mac(struct world *w, struct w_link *link, const struct mac *mac);
int link_set_master(struct world *w, struct w_link *link, struct w_link *master);
/* Can a macvlan be made on it? 0 or -errno. */
int link_carries_macvlan(const struct world *w, const struct w_link *lower, bool passthru);
/* The vxlan that already uses the id there, even if it was moved elsewhere; NULL. */
struct w_link *vxlan_with_id(const struct world *w, const struct w_ns *birthplace, const struct object *values);
/* Somebody adds a default destination to a vxlan's forwarding table; NULL: removes all of them. 0 or -errno. */
int link_flood(struct world *w, struct w_link *link, const struct ip *ip);
int link_rename(struct world *w, struct w_link *link, const char *name);
int link_move(struct world *w, struct w_link *link, struct w_ns *ns, const char *name);
/* Is IPv6 not disabled on it? */
bool link_has_ipv6(const struct w_link *link);
/* Can it send? Duplicate address detection begins then. */
bool link_has_carrier(const struct w_link *link);
/* Call it after any of these: carriers of upper links and other ends follow. */
void world_carriers(struct world *w);
/* A field without special rules was changed. */
void link_changed(struct world *w, struct w_link *link);

/* peer: family 0 if there is none. */
/* The first address of the same subnet on the same link, or NULL. */
const struct w_address *ns_primary(const struct w_ns *ns, const struct w_address *address);
struct w_address *ns_address(struct w_ns *ns, const struct w_link *link, const struct prefix *address,
			     const struct prefix *peer);
/* Adds an address; its link, address, peer, flags, scope and protocol are used. 0 or -errno. */
int address_add(struct world *w, struct w_ns *ns, struct w_address address);
int address_delete(struct world *w, struct w_ns *ns, const struct w_link *link, const struct prefix *address,
		   const struct prefix *peer);
/* Ends the detections that are due: those of the rival's address fail. */
void world_detect(struct world *w);
/* When the next one ends; UINT64_MAX: none is running. */
uint64_t world_detects_at(const struct world *w);
bool address_is_tentative(const struct w_address *address);
/* Adds the kernel's route to the prefix. */
int address_add_connected(struct world *w, struct w_ns *ns, const struct w_address *address);
/* A route as the kernel makes it, made again by topod. */
int address_restore_connected(struct world *w, struct w_link *link, const struct prefix *to, const struct ip *source);

/* Adds or deletes a route of that sort; 0, -EEXIST or -ESRCH. */
int made_add(struct world *w, struct w_link *link, const struct prefix *to, uint8_t type);
int made_delete(struct world *w, struct w_link *link, const struct prefix *to, uint8_t type);
/* Those of the table local. */
void made_flush(struct world *w, struct w_link *link, uint8_t family);
/* Is the address one of the host's, by an entry of the table local? */
bool ns_is_local(struct w_ns *ns, const struct ip *ip);
/* Gives the link the addresses that the kernel gives it, if it is up and ready. */
void link_configure(struct world *w, struct w_link *link);
bool link_runs_ipv6(const struct w_link *link);

/* A message RTM_NEW… or RTM_DEL… about one of these; 0 or -errno. */
int raw_carry_out(struct world *w, struct w_ns *ns, const struct nlmsghdr *nlh);
/* The first one with everything that the message has. exactly: and with nothing else. */
struct w_raw *raw_find(struct w_ns *ns, const struct nlmsghdr *asked, bool exactly);
/* family 0: both. */
void drop_neighbors(struct world *w, struct w_link *link, uint8_t family, bool proxies);
/* Those of a link that is no port any more, and those of one that lost its carrier. */
void drop_fdb(struct world *w, struct w_link *port);
void drop_nexthops(struct world *w, struct w_link *link);
const struct class *raw_class(const struct nlmsghdr *nlh);
bool raw_deletes(const struct nlmsghdr *nlh);
uint32_t raw_protocol(const struct w_raw *raw);
void raw_print(const struct w_raw *raw, struct text *out);

enum route_how { ROUTE_ADD, ROUTE_PREPEND, ROUTE_APPEND, ROUTE_REPLACE };
/* The first route with that identity, which the kernel uses. With IPv4, others may follow it. */
struct w_route *ns_route(struct w_ns *ns, const struct w_route *like);
/* … with that protocol; 0: any. */
struct w_route *ns_route_by(struct w_ns *ns, const struct w_route *like, uint32_t protocol);
int route_add(struct world *w, struct w_ns *ns, struct w_route route, enum route_how how);
/* Deletes the first one of the protocol; 0: any. */
int route_delete(struct world *w, struct w_ns *ns, const struct w_route *like);

bool setting_exists(const struct w_ns *ns, const char *path);
/* NULL: there is no such setting, or it cannot be read before it is written (stable_secret). */
const char *setting_get(struct w_ns *ns, const char *path);
int setting_set(struct world *w, struct w_ns *ns, const char *path, const char *value);
/* Its value if nobody has set it; NULL: none. */
const char *setting_initial(const char *general);

struct w_file *world_file(struct world *w, const char *ns);
void world_write_file(struct world *w, const char *ns, const char *content);
void world_remove_file(struct world *w, const char *ns);
/* NULL removes the table. */
void ns_set_nat(struct world *w, struct w_ns *ns, const char *text);

void world_event(struct world *w, struct w_ns *ns, struct hint hint);

/* Everything, as sorted lines. Without topods_too, only objects that belong neither to topod nor to the kernel. */
char *world_dump(struct world *w, bool topods_too);
