/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An IPv4 or IPv6 address of a link; see address.c. */
#pragma once

#include "kind/made_route.h"
#include "model/state.h"

extern const struct class class_address;
extern const struct source source_address, source_neighbour;
extern const struct kind kind_address;

struct address {
	struct object object;
	const char *dev;
	struct prefix address; /* with a peer, the length is the peer's */
	struct prefix peer;    /* family AF_UNSPEC: none */
	uint32_t scope, nodad, noprefixroute, protocol, connected, primary, local;
	const char *label;
	struct ip broadcast;
	bool bare;                  /* desired: written without a prefix length */
	bool there;                 /* observed: found again, see address_connected.c */
	bool lease;                 /* observed: has a limited lifetime */
	bool secondary;             /* observed: not the first IPv4 address of its subnet */
	bool settling;              /* observed: its entries in the table local come after duplicate address detection */
	uint32_t created;           /* observed: when it was set, in hundredths of a second since boot */
	struct made_route *lacking; /* observed: routes that came with it and are gone */
};

enum address_field {
	ADDRESS_DEV,
	ADDRESS_ADDRESS,
	ADDRESS_PEER,
	ADDRESS_SCOPE,
	ADDRESS_LABEL,
	ADDRESS_BROADCAST,
	ADDRESS_NODAD,
	ADDRESS_NOPREFIXROUTE,
	ADDRESS_PROTOCOL,
	ADDRESS_CONNECTED,
	ADDRESS_PRIMARY,
	ADDRESS_LOCAL
};

/* Of several IPv4 addresses of one subnet, the first declared one is primary: the kernel uses it as source address.
 * address_mark_primaries() marks those of a desired namespace. */
void address_set_primary(struct address *address, bool primary);
void address_mark_primaries(struct reading *r, struct ns_state *desired);
/* If the subnet has an undeclared address, topod does not reorder it: the observed order counts as right. */
void address_settle_primaries(const struct ns_state *seen, const struct ns_state *desired);

/* address_made.c: Does the kernel make a route to the address's network together with it? */
bool address_has_connected_route(const struct address *address);
/* The destination of that route. */
struct prefix address_connected_network(const struct address *address);
/* Is it a single IPv6 host (/128)? It may have been set without such a route, so a missing one need not be restored. */
bool address_needs_no_route(const struct address *address);
/* Record whether that route and the entries in the table local exist, which the address alone does not show. */
void address_set_connected(struct address *address, bool connected);
void address_set_local(struct address *address, bool local);

enum { ADDRESS_MADE_MAX = 4 };

/* All routes that the kernel makes for an observed address of a link that is up, without sources; returns how many. */
size_t address_made_routes(const struct address *address, struct made_route ret[ADDRESS_MADE_MAX]);
/* Records that one of them is gone. seen: the observed namespace. */
void address_miss(struct arena *arena, struct address *address, const struct made_route *route, const struct ns_state *seen);
/* Writes the requests that make the missing routes in change->fields again. */
void address_put_missing(struct nl_writer *w, const struct change *change, uint32_t index);

/* As declared, or as ip-address(8) chooses it. */
uint8_t address_scope(const struct address *address);

/* address_wire.c; address_put_dump(): address_source.c */
int address_encode(struct encode *encode, const struct change *change);
/* A request for the addresses of a link, or of all links (0). */
void address_put_dump(struct nl_writer *w, uint8_t family, uint32_t ifindex);
/* Decodes one RTM_NEWADDR of a dump. Sealed; NULL if it is unusable. */
struct address *address_decode(const struct decode *decode, const struct nlmsghdr *nlh);

/* address_check.c: see struct kind. */
void address_check(struct reading *r, const struct ns_state *ns, const struct object *object);
void address_check_all(struct reading *r, const struct ns_state *ns);

/* address_meaning.c, see struct kind */
void address_warn(struct meaning *m);
