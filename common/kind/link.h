/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all links have in common: the fields, their messages (RTM_NEWLINK), reading them back.
 *
 * A link kind's struct begins with struct link and its table with LINK_FIELDS(); everything in IFLA_INFO_DATA
 * is then said by further rows, and most kinds need no code at all.
 */
#pragma once

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "kind/made_route.h"
#include "model/kind.h"

/* How a link is seen of which topod knows no kind. */
extern const struct kind kind_other;
/* The lo of each namespace. */
extern const struct kind kind_loopback;
extern const struct source source_link;

struct link {
	struct object object;
	uint32_t ifindex;     /* observed */
	bool runs_ipv6;       /* observed: IPv6 is on and at work */
	bool makes_addresses; /* observed: … and the kernel has given it addresses, or would now: lo's own, a link-local one */
	bool addresses_read;        /* observed, by a narrow look: so far that what it makes was seen … */
	unsigned own_families;      /* … in which families, as family_bit() … */
	struct ip link_local;       /* … and of the link-local ones, one that the kernel made; or family 0 */
	bool lacks_entry;           /* observed: … and whose entry in the table local is gone; of lo: that of ::1 */
	uint32_t accept_ra;         /* observed: the setting; 0 where it is not known */
	struct made_route *lacking; /* observed: other routes that came with them and are gone */
	bool no_carrier;            /* observed: nothing is sent by it: no carrier, or it is not ready (dormant) */
	uint8_t port_state;         /* observed: as a bridge's port, see enum port_state */
	const char *name;
	uint32_t up, mtu, arp, multicast, promiscuous, txqueuelen, queues, rx_queues, address_generation, own_addresses,
		own_routes;
	struct mac mac;
	const char *master; /* "" for none */
	const char *alias;
	const struct object *pair;      /* while the file is read: what the pair's entry says of both ends, or NULL */
	const char *kind_text;          /* observed: IFLA_INFO_KIND, or "" */
	uint32_t own_table;             /* a VRF: the table of its ports' routes; else 0 */
	const char **alternative_names; /* observed */
	size_t n_alternative_names;
};

/* As linux/if_bridge.h has them (BR_STATE_*), which cannot be included beside the C library's headers. */
enum port_state {
	PORT_DISABLED = 0,
	PORT_FORWARDING = 3,
};

/* The positions of the common fields in every link table. */
enum link_field {
	LINK_NAME,
	LINK_UP,
	LINK_MTU,
	LINK_MAC,
	LINK_ARP,
	LINK_MULTICAST,
	LINK_PROMISCUOUS,
	LINK_TXQUEUELEN,
	LINK_QUEUES,
	LINK_RX_QUEUES,
	LINK_ADDRESS_GENERATION,
	LINK_MASTER,
	LINK_ALIAS,
	LINK_OWN_ADDRESSES,
	LINK_OWN_ROUTES,
	LINK_N_FIELDS
};

extern const struct enum_name link_address_generation_names[];

/* The rows of an interface of which nothing else is known. */
extern const struct field link_common_fields[LINK_N_FIELDS];

/* The largest `mtu`: of an Ethernet device (ETH_MAX_MTU, include/uapi/linux/if_ether.h), and of what has another limit or none, a
 * tunnel for one (IP6_MAX_MTU, include/net/ipv6.h). */
enum { LINK_MTU_MIN = 68, LINK_MTU_MAX = 65535, LINK_MTU_MAX_OTHER = 65575 };

/* Desired: whether it is to have them; observed: bits of these. */
extern const struct type type_own_addresses;
enum {
	OWN_ADDRESSES_THERE = 1 << 0, /* or the kernel would give it none */
	OWN_ADDRESSES_MADE = 1 << 1,  /* a link-local one, by the kernel */
};

/* The common rows. What the driver sets in a new link, as texts or NULL, is what a field that is no longer declared
 * returns to. */
#define LINK_FIELDS(mtu_default) LINK_FIELDS_OF(mtu_default, "true", "true", "1000")
#define LINK_FIELDS_OF(mtu_default, arp_default, multicast_default, txqueuelen_default) \
	LINK_FIELDS_UP_TO(LINK_MTU_MAX, mtu_default, arp_default, multicast_default, txqueuelen_default)
#define LINK_FIELDS_UP_TO(mtu_max, mtu_default, arp_default, multicast_default, txqueuelen_default)         \
	[LINK_NAME] = { .name = "name",                                                                     \
			.type = &type_link_name,                                                            \
			.offset = offsetof(struct link, name),                                              \
			.class = FIELD_KEY,                                                                 \
			.flags = FIELD_HIDDEN },                                                            \
	[LINK_UP] = { .name = "up",                                                                         \
		      .type = &type_bool,                                                                   \
		      .offset = offsetof(struct link, up),                                                  \
		      .wire = WIRE_IFF,                                                                     \
		      .attr = IFF_UP,                                                                       \
		      .fallback = "false",                                                                  \
		      .doc = "Whether the interface is set up; true when left out." },                      \
	[LINK_MTU] = { .name = "mtu",                                                                       \
		       .type = &type_integer,                                                               \
		       .offset = offsetof(struct link, mtu),                                                \
		       .wire = WIRE_ATTR,                                                                   \
		       .attr = IFLA_MTU,                                                                    \
		       .flags = FIELD_OVERRUNS,                                                             \
		       .min = LINK_MTU_MIN,                                                                 \
		       .max = mtu_max,                                                                      \
		       .fallback = mtu_default,                                                             \
		       .doc = "Largest packet, in bytes." },                                                \
	[LINK_MAC] = { .name = "mac-address",                                                               \
		       .type = &type_mac,                                                                   \
		       .offset = offsetof(struct link, mac),                                                \
		       .wire = WIRE_ATTR,                                                                   \
		       .attr = IFLA_ADDRESS,                                                                \
		       .flags = FIELD_SIGN,                                                                 \
		       .doc = "Hardware address; a stable one is computed when left out." },                \
	[LINK_ARP] = { .name = "arp",                                                                       \
		       .type = &type_bool,                                                                  \
		       .offset = offsetof(struct link, arp),                                                \
		       .wire = WIRE_IFF_NOT,                                                                \
		       .attr = IFF_NOARP,                                                                   \
		       .fallback = arp_default,                                                             \
		       .doc = "Whether ARP and neighbour discovery are used." },                            \
	[LINK_MULTICAST] = { .name = "multicast",                                                           \
			     .type = &type_bool,                                                            \
			     .offset = offsetof(struct link, multicast),                                    \
			     .wire = WIRE_IFF,                                                              \
			     .attr = IFF_MULTICAST,                                                         \
			     .fallback = multicast_default,                                                 \
			     .doc = "Whether multicast is sent." },                                         \
	[LINK_PROMISCUOUS] = { .name = "promiscuous",                                                       \
			       .type = &type_bool,                                                          \
			       .offset = offsetof(struct link, promiscuous),                                \
			       .wire = WIRE_IFF,                                                            \
			       .attr = IFF_PROMISC,                                                         \
			       .fallback = "false",                                                         \
			       .doc = "Whether all frames are received." },                                 \
	[LINK_TXQUEUELEN] = { .name = "txqueuelen",                                                         \
			      .type = &type_integer,                                                        \
			      .offset = offsetof(struct link, txqueuelen),                                  \
			      .wire = WIRE_ATTR,                                                            \
			      .attr = IFLA_TXQLEN,                                                          \
			      .max = INT32_MAX,                                                             \
			      .fallback = txqueuelen_default,                                               \
			      .doc = "Length of the transmit queue, in packets." },                         \
	[LINK_QUEUES] = { .name = "queues",                                                                 \
			  .type = &type_integer,                                                            \
			  .offset = offsetof(struct link, queues),                                          \
			  .class = FIELD_RECREATE,                                                          \
			  .wire = WIRE_ATTR,                                                                \
			  .attr = IFLA_NUM_TX_QUEUES,                                                       \
			  .min = 1,                                                                         \
			  .max = 4096,                                                                      \
			  .doc = "Transmit and receive queues; one per CPU when left out." },               \
	[LINK_RX_QUEUES] = { .name = "rx-queues",                                                           \
			     .type = &type_integer,                                                         \
			     .offset = offsetof(struct link, rx_queues),                                    \
			     .class = FIELD_RECREATE,                                                       \
			     .flags = FIELD_HIDDEN,                                                         \
			     .wire = WIRE_ATTR,                                                             \
			     .attr = IFLA_NUM_RX_QUEUES,                                                    \
			     .min = 1,                                                                      \
			     .max = 4096 },                                                                 \
	[LINK_ADDRESS_GENERATION] = { .name = "ipv6-address-generation",                                    \
				      .type = &type_enum,                                                   \
				      .offset = offsetof(struct link, address_generation),                  \
				      .flags = FIELD_AFTER | FIELD_AF_INET6 | FIELD_BEFORE_UP,              \
				      .attr = IFLA_INET6_ADDR_GEN_MODE,                                     \
				      .form = FORM_U8,                                                      \
				      .names = link_address_generation_names,                               \
				      .fallback = "eui64",                                                  \
				      .doc = "How the link-local and autoconfigured addresses are made." }, \
	[LINK_MASTER] = { .name = "master",                                                                 \
			  .type = &type_link_name,                                                          \
			  .offset = offsetof(struct link, master),                                          \
			  .flags = FIELD_HIDDEN | FIELD_DEV | FIELD_CONTROLLER,                             \
			  .fallback = "",                                                                   \
			  .doc = "The controller; written as its `ports`." },                               \
	[LINK_ALIAS] = { .name = "alias",                                                                   \
			 .type = &type_text,                                                                \
			 .offset = offsetof(struct link, alias),                                            \
			 .flags = FIELD_HIDDEN | FIELD_AFTER,                                               \
			 .wire = WIRE_ATTR,                                                                 \
			 .attr = IFLA_IFALIAS,                                                              \
			 .fallback = "" },                                                                  \
	[LINK_OWN_ADDRESSES] = { .name = "own-addresses",                                                   \
				 .type = &type_own_addresses,                                               \
				 .offset = offsetof(struct link, own_addresses),                            \
				 .flags = FIELD_HIDDEN | FIELD_ONE_WAY,                                     \
				 .doc = "what the kernel gives it (link-local or loopback addresses)" },    \
	[LINK_OWN_ROUTES] = { .name = "own-routes",                                                         \
			      .type = &type_bool,                                                           \
			      .offset = offsetof(struct link, own_routes),                                  \
			      .flags = FIELD_HIDDEN | FIELD_ONE_WAY,                                        \
			      .doc = "what the kernel gives it (link-local, loopback or multicast routes)" }

/* The group that every link is made in, so that udev and who asks it can tell our links from the first moment on: the
 * alias comes later, and is announced to nobody. Not managed afterwards: whoever wants another group may set it.
 * The number is that of our route protocol; units/70-topod.rules knows it. */
enum { TOPOD_LINK_GROUP = 84 };

/* The stable MAC address of a link that topod creates: locally administered, unicast, from the machine, the
 * topology, the namespace and the name. */
struct mac link_stable_mac(const void *machine_id, const char *topology, const char *ns, const char *name);

/* Does the file say `up: false` of it? */
static inline bool link_is_kept_down(const struct object *desired) {
	return object_has(desired, LINK_UP) && !((const struct link *)desired)->up;
}

/* link_own.c: What the kernel gives a link by itself is a part of it: the desired link is to have it, or, by mode none, to have
 * no link-local address. */
void link_want_own_addresses(struct link *link);
/* Notes whether an observed one has it; where the kernel gives it none (it is down, or without IPv6), nothing is missing. */
void link_set_own_addresses(struct link *link, bool there);
/* In which families the kernel gives the link addresses, as family_bit(); and is this one of them? */
unsigned link_given_families(const struct link *link);
bool link_is_own_address(const struct link *link, const struct prefix *address);
/* Notes that a route is missing that the kernel made for it. */
void link_miss(struct arena *arena, struct link *link, const struct made_route *route);

/* Where the routes stand that the kernel makes for the link and its addresses: the table of the VRF that it is, or whose port it
 * is; 0: the tables main and local. False if that is not known, because its controller was not read. */
bool link_made_table(const struct ns_state *ns, const struct link *link, uint32_t *ret);
void link_put_own_addresses(struct encode *encode, const struct change *change, uint32_t index);

/* The i-th setting that is written for a change besides its messages, in the link's namespace; false: there are no more. */
bool link_writes(const struct change *change, size_t i, struct arena *arena, const char **ret_path, const char **ret_value);

/* A request for one link, by its name, or by its index where name is NULL. */
void link_put_question(struct nl_writer *w, const char *name, uint32_t ifindex);
/* The families in which the kernel gives addresses to this link, as family_bit(), where that is what the desired object
 * speaks of. */
unsigned link_own_families(const struct object *desired, const struct link *seen);

/* One RTM_NEWLINK of a dump as an object (its master and other links as numbers until link_resolve()). */
struct link *link_decode(const struct decode *decode, const struct nlmsghdr *nlh);
/* Gives the master its name, once all links of the namespace are decoded. */
void link_resolve(const struct decode *decode, struct link *link);

/* Will nothing be sent by the link unless something outside of topod happens? False also where the kernel is about to pass a
 * carrier on to it (from a bridge's port, from the link below), which it does some moments later. */
bool link_lacks_carrier(const struct link *link, const struct state *state);

int link_encode(struct encode *encode, const struct change *change);
/* Where link_encode()'s request is to be sent. */
const char *link_sent_in(const struct change *change);

/* For a kind that needs more around link_encode(): the parts of it. */
void link_put_fields(struct encode *encode, const struct object *object, uint64_t mask, enum field_wire wire);
void link_put_identity(struct encode *encode, const struct link *link, struct ifinfomsg *ifi);
/* Identity, namespace, flags, top-level attributes and master: one end of a pair. */
int link_put_end(struct encode *encode, const struct object *object, uint64_t mask, struct ifinfomsg *ifi);
/* IFLA_NET_NS_FD. */
int link_put_netns(struct encode *encode, const char *ns);
struct ifinfomsg *link_begin(struct encode *encode, uint16_t type, uint16_t flags);
