/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine's network as the kernel keeps it, small enough to be made and thrown away a thousand times a second:
 * namespaces, links, addresses, routes, settings, one NAT table a namespace, resolv.conf files.
 *
 * It owns the kernel's rules: what needs what, what vanishes with what, which error is given for what cannot be. It
 * knows neither topod's plans nor its ledger. What it leaves out, no test may depend on: multicast, neighbours,
 * the local table, addresses that the kernel makes itself.
 */
#pragma once

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
	struct w_ns *ns; /* NULL once it is gone */
	uint32_t index;
	struct link *values; /* of its kind; what the kernel shows */
	struct w_link *master, *peer, *lower;
	struct bridge_port *port;   /* while it is in a bridge */
	bool passthru;              /* a macvlan that has its lower link for itself, with that one's MAC address … */
	struct mac lent;            /* … which that one has back from it afterwards */
	struct w_ns *birthplace;    /* a vxlan: where its id is in use, wherever it is moved to … */
	struct ip flood[FLOOD_MAX]; /* … and where it sends frames to unknown addresses */
	size_t n_flood;
	bool mtu_by_user;       /* a bridge whose MTU no longer follows its ports */
	bool hardware;          /* survives its namespace: goes back to the host */
	bool external;          /* not made by topod */
	bool moved;             /* topod moved it here: its to change and to give back */
	bool bare;              /* somebody took away what the kernel had given it (which is not kept as addresses here) */
	bool carried;           /* it was last seen to have a carrier, or to need none */
	bool ready;             /* … and has been since it was last set up (IF_READY): duplicates are looked for */
	const char *other_name; /* an alternative one, or NULL */
};

struct w_address {
	struct w_link *link;
	struct prefix address, peer; /* family 0: none */
	uint32_t scope, protocol;
	const char *label; /* NULL: its link's name */
	struct ip broadcast;
	bool nodad, noprefixroute, secondary, external;
	bool failed;          /* duplicate address detection found another */
	uint64_t usable_usec; /* when that detection is over; 0: it was never begun */
	bool detected;        /* it is over, and that was told */
};

struct w_hop {
	struct ip via;
	struct w_link *dev;
	uint32_t weight;
};

struct w_route {
	struct prefix to;
	uint32_t table, tos, metric, type, scope, protocol, on_link, mtu, advmss;
	struct ip src;
	size_t n_hops; /* 0: it leads nowhere */
	struct w_hop hops[4];
	bool external;
};

struct w_setting {
	const char *path;
	struct w_link *link; /* of which it is one, or NULL */
	const char *value;
	bool own; /* it was written by itself: what is copied to all links leaves it */
};

struct w_ns {
	const char *name; /* NULL: no name stands for it any more */
	const char *held; /* as which topod has a descriptor of it, and so keeps it from being taken apart; NULL */
	struct netns_identity identity;
	int32_t nsid;
	bool external;
	uint32_t highest; /* index */
	vec(struct w_link *) links;
	vec(struct w_address) addresses;
	vec(struct w_route) routes;
	vec(struct w_setting) settings;
	const char *nat; /* text of topod's table, or NULL */
	bool nat_foreign;
	bool busy;      /* a process is in it, and keeps it from being taken apart */
	unsigned dying; /* requests until it is taken apart; 0: lives */
};

/* A name in /run/netns that stands for no namespace: left over, or half-way; or somebody's file or link. */
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
	vec(struct w_event) events; /* not yet heard */
	uint64_t now_usec, random;
	unsigned slowness; /* how many requests an unnamed namespace outlives, at most */
	bool by_topod;     /* whose requests these are */
	const char *lacks; /* a link's attribute, by its key, that this kernel was built without; NULL: none */
	bool promotes;     /* net.ipv4.conf.all.promote_secondaries */
	struct ip rival;   /* another host has this one; family 0: there is none */
};

struct world *world_new(uint64_t seed);
void world_free(struct world *w);
uint64_t world_random(struct world *w);

/* Something happened elsewhere: namespaces that were deleted are taken apart by and by; with `all` at once. */
void world_tick(struct world *w, bool all);

struct w_ns *world_ns(const struct world *w, const char *name);
/* … or, where nothing has the name, held as that. */
struct w_ns *world_ns_or_held(const struct world *w, const char *name);
struct w_ns *world_held(const struct world *w, const char *name);
/* Gives it up; NULL: all that are held. */
void world_release(struct world *w, struct w_ns *ns);
/* Gives a held one its name again. */
int world_name_again(struct world *w, struct w_ns *ns);
struct w_ns *world_ns_by_id(const struct world *w, int32_t nsid);
int world_add_ns(struct world *w, const char *name);
/* Of the namespace that is made next. */
struct netns_identity world_next_identity(const struct world *w);
int world_delete_ns(struct world *w, const char *name);
/* All processes end; a namespace that only they kept goes. */
void world_end_processes(struct world *w);
/* A name whose maker or remover is half-way; foreign: a file or link of somebody's. */
void world_add_stale(struct world *w, const char *name, bool external);
const struct w_name *world_stale(const struct world *w, const char *name);
void world_clear_stale(struct world *w, const char *name);

struct w_link *ns_link(const struct w_ns *ns, const char *name);
/* A link of the host by its name, an alternative one, or its MAC address. */
struct w_link *world_card(const struct world *w, const char *name);
struct w_link *ns_link_at(const struct w_ns *ns, uint32_t index);

/* A new link with the kernel's defaults, down. It is not yet in a namespace: the caller fills in lower and then
 * calls link_enter(). */
struct w_link *link_new(struct world *w, const struct kind *kind, const char *name);
/* Gives it a place; 0, -EEXIST or what the kind refuses. */
int link_enter(struct world *w, struct w_link *link, struct w_ns *ns);
void link_remove(struct world *w, struct w_link *link);
int link_set_up(struct world *w, struct w_link *link, bool up);
int link_set_mtu(struct world *w, struct w_link *link, uint32_t mtu);
void link_set_mac(struct world *w, struct w_link *link, const struct mac *mac);
int link_set_master(struct world *w, struct w_link *link, struct w_link *master);
/* Can a macvlan stand on it? 0 or -errno. */
int link_carries_macvlan(const struct world *w, const struct w_link *lower, bool passthru);
/* The vxlan that has the id of one to be made there already, wherever it is by now; NULL. */
struct w_link *vxlan_with_id(const struct world *w, const struct w_ns *birthplace, const struct object *values);
/* Entries of a vxlan's forwarding table for unknown addresses, by somebody's hand; NULL takes all of them out. 0 or -errno. */
int link_flood(struct world *w, struct w_link *link, const struct ip *ip);
int link_rename(struct world *w, struct w_link *link, const char *name);
int link_move(struct world *w, struct w_link *link, struct w_ns *ns, const char *name);
/* Can it send? Duplicate address detection begins with that. */
bool link_has_carrier(const struct w_link *link);
/* After any of these: what stands on another link, or is the other end of one, follows it. */
void world_carriers(struct world *w);
/* Something about it was changed that has no rules of its own. */
void link_changed(struct world *w, struct w_link *link);

/* peer: of family 0 where there is none. */
/* The first address of that one's subnet on its link, or NULL. */
const struct w_address *ns_primary(const struct w_ns *ns, const struct w_address *address);
struct w_address *ns_address(struct w_ns *ns, const struct w_link *link, const struct prefix *address,
			     const struct prefix *peer);
/* 0 or -errno; the new one's link, address, peer, flags, scope and protocol count. */
int address_add(struct world *w, struct w_ns *ns, struct w_address address);
int address_delete(struct world *w, struct w_ns *ns, const struct w_link *link, const struct prefix *address,
		   const struct prefix *peer);
/* Ends the detections whose time has come: those of the rival's address fail. */
void world_detect(struct world *w);
/* When the next one ends; UINT64_MAX: none is under way. */
uint64_t world_detects_at(const struct world *w);
bool address_is_tentative(const struct w_address *address);
/* The kernel's route to its prefix; as topod asks for it anew, also that to an IPv6 peer. */
int address_add_connected(struct world *w, struct w_ns *ns, const struct w_address *address);
int address_restore_connected(struct world *w, struct w_ns *ns, const struct w_address *address);
bool address_is_connected(struct w_ns *ns, const struct w_address *address);

enum route_how { ROUTE_ADD, ROUTE_PREPEND, ROUTE_REPLACE };
/* The first of those with that identity, which the kernel uses. Others may stand behind it (IPv4). */
struct w_route *ns_route(struct w_ns *ns, const struct w_route *like);
/* … by its protocol; 0: any. */
struct w_route *ns_route_by(struct w_ns *ns, const struct w_route *like, uint32_t protocol);
int route_add(struct world *w, struct w_ns *ns, struct w_route route, enum route_how how);
/* The first one of the protocol; 0: any. */
int route_delete(struct world *w, struct w_ns *ns, const struct w_route *like);

/* NULL where there is no such setting. */
const char *setting_get(struct w_ns *ns, const char *path);
int setting_set(struct world *w, struct w_ns *ns, const char *path, const char *value);
/* What it is where nobody has set it. */
const char *setting_initial(const char *general);

struct w_file *world_file(struct world *w, const char *ns);
void world_write_file(struct world *w, const char *ns, const char *content);
void world_remove_file(struct world *w, const char *ns);
/* NULL takes the table away. */
void ns_set_nat(struct world *w, struct w_ns *ns, const char *text);

void world_event(struct world *w, struct w_ns *ns, struct hint hint);

/* All that there is, a line each, sorted. Without topods_too only what is not topod's, nor the kernel's own. */
char *world_dump(struct world *w, bool topods_too);
