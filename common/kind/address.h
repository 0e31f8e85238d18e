/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An IPv4 or IPv6 address of a link; see address.c. */
#pragma once

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
	bool bare;                      /* desired: written without a length */
	bool there;                     /* observed: seen once more, see scan_made.c */
	bool settling;                  /* observed: nobody can tell whether the kernel has yet to make its routes */
	bool lacks_network, lacks_peer; /* observed: which of the connected routes are missing */
	struct ip source;               /* observed, local entry missing: the source address that it had (IPv4) */
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

/* Reads one entry of `addresses`, a prefix or a mapping, for the link dev; NULL on error. Sealed. */
struct address *address_parse(struct parse *p, const char *dev, const struct node *node);

/* Of several IPv4 addresses of one subnet the first that is declared is the primary one, by which the kernel chooses the source
 * address: marks those of a desired namespace. */
void address_set_primary(struct address *address, bool primary);
void address_mark_primaries(const struct ns_state *desired);
/* Where an undeclared address is of the subnet, its order is not topod's: what was seen counts as right. */
void address_settle_primaries(const struct ns_state *seen, const struct ns_state *desired);

/* Does the kernel put a route to the address's prefix along with it? */
bool address_has_connected_route(const struct address *address);
/* Where that leads. */
struct prefix address_connected_network(const struct address *address);
/* IPv6 has a second one, to the other end of a point-to-point link; false: none. */
bool address_connected_peer(const struct address *address, struct prefix *ret);
/* Of one IPv6 host it is no loss where the address was set without. */
bool address_needs_no_route(const struct address *address);
/* Notes whether that route is there: an address alone cannot tell. */
void address_set_connected(struct address *address, bool connected);
/* Notes whether its entry in the table local is there, without which the host does not answer to it. */
void address_set_local(struct address *address, bool local, const struct ns_state *seen);

/* A request for the addresses of a link, or of all (0). */
void address_put_dump(struct nl_writer *w, uint8_t family, uint32_t ifindex);
/* One RTM_NEWADDR of a dump; NULL where it cannot be used. Sealed. */
struct address *address_decode(const struct decode *decode, const struct nlmsghdr *nlh);
