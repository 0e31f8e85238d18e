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
	bool bare;        /* desired: written without a length */
	bool there;       /* observed: seen once more, see address_connected.c */
	bool secondary;   /* observed: another IPv4 address of its subnet stands before it */
	bool settling;    /* observed: the end of its duplicate address detection will make entries in the table local */
	uint32_t created; /* observed: when it was set, in hundredths of a second since the boot */
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

/* Of several IPv4 addresses of one subnet the first that is declared is the primary one, by which the kernel chooses the source
 * address: marks those of a desired namespace. */
void address_set_primary(struct address *address, bool primary);
void address_mark_primaries(struct reading *r, struct ns_state *desired);
/* Where an undeclared address is of the subnet, its order is not topod's: what was seen counts as right. */
void address_settle_primaries(const struct ns_state *seen, const struct ns_state *desired);

/* address_made.c: Does the kernel make a route to the address's network along with it? */
bool address_has_connected_route(const struct address *address);
/* Where that leads. */
struct prefix address_connected_network(const struct address *address);
/* Is it a single IPv6 host (/128) that was set without such a route? Then a missing route is no fault. */
bool address_needs_no_route(const struct address *address);
/* Notes whether that route, and whether its entries in the table local, are there: an address alone cannot tell. */
void address_set_connected(struct address *address, bool connected);
void address_set_local(struct address *address, bool local);

enum { ADDRESS_MADE_MAX = 4 };

/* All that the kernel makes along with an observed address of a link that is up, without sources; returns how many. */
size_t address_made_routes(const struct address *address, struct made_route ret[ADDRESS_MADE_MAX]);
/* Notes that one of them is gone. seen: the addresses beside it. */
void address_miss(struct arena *arena, struct address *address, const struct made_route *route, const struct ns_state *seen);
/* Makes those again that an update is to restore. */
void address_put_missing(struct nl_writer *w, const struct change *change, uint32_t index);

/* A request for the addresses of a link, or of all (0). */
void address_put_dump(struct nl_writer *w, uint8_t family, uint32_t ifindex);
/* One RTM_NEWADDR of a dump; NULL where it cannot be used. Sealed. */
struct address *address_decode(const struct decode *decode, const struct nlmsghdr *nlh);

/* address_check.c: addresses among each other, while the file is read; see struct kind. */
void address_check(struct reading *r, const struct ns_state *ns, const struct object *object);
void address_check_all(struct reading *r, const struct ns_state *ns);

/* address_meaning.c, see struct kind */
void address_warn(struct meaning *m);
