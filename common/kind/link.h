/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all links have in common: the fields, their messages (RTM_NEWLINK), and reading them back.
 *
 * A link kind's struct begins with struct link and its table with LINK_FIELDS(). Attributes in IFLA_INFO_DATA are
 * further rows, and most kinds need no code.
 */
#pragma once

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "kind/made_route.h"
#include "model/kind.h"

/* An observed link of a kind that topod does not know. */
extern const struct kind kind_other;
/* The lo of each namespace. */
extern const struct kind kind_loopback;
extern const struct source source_link;

struct link {
	struct object object;
	uint32_t ifindex;           /* observed */
	bool runs_ipv6;             /* observed: IPv6 is enabled and running */
	bool makes_addresses;       /* observed: … and the kernel gives it addresses (link-local, or those of lo) */
	bool addresses_read;        /* observed, narrow scan: all addresses were read that the kernel gives it … */
	unsigned own_families;      /* … the families in which it has them, as family_bit() … */
	struct ip link_local;       /* … and a link-local one that the kernel made; family 0: none */
	bool lacks_entry;           /* observed: the entry of that address (of lo: of ::1) in the table local is gone */
	uint32_t accept_ra;         /* observed: the setting; 0: not known */
	struct made_route *lacking; /* observed: other routes of these addresses that are gone */
	bool mac_chosen;            /* observed, for an export: somebody set the MAC address (kernel/chosen_mac.h) */
	bool no_carrier;            /* observed: it sends nothing: no carrier, or dormant */
	uint8_t port_state;         /* observed: of a bridge's port, see enum port_state */
	const char *name;
	uint32_t up, mtu, arp, multicast, promiscuous, txqueuelen, gso_max_size, gso_ipv4_max_size, gso_max_segs,
		gro_max_size, gro_ipv4_max_size, queues, rx_queues, address_generation, own_addresses, own_routes;
	struct mac mac;
	const char *master; /* "": none */
	const char *alias;
	const struct object *pair;      /* while the file is read: values of the pair's entry for both ends, or NULL */
	const char *kind_text;          /* observed: IFLA_INFO_KIND, or "" */
	uint32_t own_table;             /* a VRF: the table of its ports' routes; else 0 */
	const char **alternative_names; /* observed */
	size_t n_alternative_names;
};

/* BR_STATE_* of linux/if_bridge.h, which cannot be included together with the C library's headers. */
enum port_state {
	PORT_DISABLED = 0,
	PORT_FORWARDING = 3,
};

/* The positions of the common fields in every link's table. */
enum link_field {
	LINK_NAME,
	LINK_UP,
	LINK_MTU,
	LINK_MAC,
	LINK_ARP,
	LINK_MULTICAST,
	LINK_PROMISCUOUS,
	LINK_TXQUEUELEN,
	LINK_GSO_MAX_SIZE,
	LINK_GSO_IPV4_MAX_SIZE,
	LINK_GSO_MAX_SEGS,
	LINK_GRO_MAX_SIZE,
	LINK_GRO_IPV4_MAX_SIZE,
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

/* The rows of an interface about which nothing else is known. */
extern const struct field link_common_fields[LINK_N_FIELDS];

/* The largest `mtu`: of an Ethernet device (ETH_MAX_MTU, include/uapi/linux/if_ether.h), and of devices with another
 * limit or none, such as tunnels (IP6_MAX_MTU, include/net/ipv6.h). */
enum { LINK_MTU_MIN = 68, LINK_MTU_MAX = 65535, LINK_MTU_MAX_OTHER = 65575 };

/* Limits of linux/netdevice.h: MAX_TCP_HEADER on the most demanding kernel, GSO_MAX_SIZE, GSO_LEGACY_MAX_SIZE, GSO_MAX_SEGS.
 * Many devices have lower ones. */
enum { LINK_SEGMENTS_MIN_SIZE = 321, LINK_SEGMENTS_MAX_SIZE = 8 * 65535, LINK_SEGMENTS_MAX = 65535 };

/* Since Linux 6.3, in include/uapi/linux/if_link.h */
enum { ATTR_GSO_IPV4_MAX_SIZE = 63, ATTR_GRO_IPV4_MAX_SIZE = 64, LINK_ATTR_MAX = 64 };

/* After the link was made: a driver sets its own limits then. */
#define LINK_SEGMENTS(index, key, member, number, least, most, what)           \
	[index] = { .name = key,                                               \
		    .type = &type_integer,                                     \
		    .offset = offsetof(struct link, member),                   \
		    .flags = FIELD_AFTER,                                      \
		    .wire = WIRE_ATTR,                                         \
		    .attr = number,                                            \
		    .min = least,                                              \
		    .max = most,                                               \
		    .fallback = most == LINK_SEGMENTS_MAX ? "65535" : "65536", \
		    .doc = what }

/* Desired: whether the link should have these addresses; observed: a mask of the bits below. */
extern const struct type type_own_addresses;
enum {
	OWN_ADDRESSES_THERE = 1 << 0, /* it has them, or the kernel gives it none */
	OWN_ADDRESSES_MADE = 1 << 1,  /* it has a link-local address that the kernel made */
};

/* The common rows. The arguments are the driver's defaults for a new link, as texts or NULL; a field that is no
 * longer declared returns to them. LINK_FIELDS_NO_HEADER is for devices of type ARPHRD_NONE: eui64 needs a hardware address, so
 * the kernel changes it to random when such a device comes up (addrconf_dev_config(), net/ipv6/addrconf.c). */
#define LINK_FIELDS(mtu_default) LINK_FIELDS_OF(mtu_default, "true", "true", "1000")
#define LINK_FIELDS_OF(mtu_default, arp_default, multicast_default, txqueuelen_default) \
	LINK_FIELDS_UP_TO(LINK_MTU_MAX, mtu_default, arp_default, multicast_default, txqueuelen_default)
#define LINK_FIELDS_UP_TO(mtu_max, mtu_default, arp_default, multicast_default, txqueuelen_default) \
	LINK_FIELDS_WITH(mtu_max, mtu_default, arp_default, multicast_default, txqueuelen_default, "eui64")
#define LINK_FIELDS_NO_HEADER(mtu_max, mtu_default, multicast_default, txqueuelen_default) \
	LINK_FIELDS_WITH(mtu_max, mtu_default, "false", multicast_default, txqueuelen_default, "random")
#define LINK_FIELDS_WITH(mtu_max, mtu_default, arp_default, multicast_default, txqueuelen_default, generation_default)                        \
	[LINK_NAME] = { .name = "name",                                                                                                       \
			.type = &type_link_name,                                                                                              \
			.offset = offsetof(struct link, name),                                                                                \
			.class = FIELD_KEY,                                                                                                   \
			.flags = FIELD_HIDDEN },                                                                                              \
	[LINK_UP] = { .name = "up",                                                                                                           \
		      .type = &type_bool,                                                                                                     \
		      .offset = offsetof(struct link, up),                                                                                    \
		      .wire = WIRE_IFF,                                                                                                       \
		      .attr = IFF_UP,                                                                                                         \
		      .fallback = "false",                                                                                                    \
		      .doc = "Whether the interface is up; true by default." },                                                               \
	[LINK_MTU] = { .name = "mtu",                                                                                                         \
		       .type = &type_integer,                                                                                                 \
		       .offset = offsetof(struct link, mtu),                                                                                  \
		       .wire = WIRE_ATTR,                                                                                                     \
		       .attr = IFLA_MTU,                                                                                                      \
		       .flags = FIELD_OVERRUNS,                                                                                               \
		       .min = LINK_MTU_MIN,                                                                                                   \
		       .max = mtu_max,                                                                                                        \
		       .fallback = mtu_default,                                                                                               \
		       .doc = "Largest packet, in bytes." },                                                                                  \
	[LINK_MAC] = { .name = "mac-address",                                                                                                 \
		       .type = &type_mac,                                                                                                     \
		       .offset = offsetof(struct link, mac),                                                                                  \
		       .wire = WIRE_ATTR,                                                                                                     \
		       .attr = IFLA_ADDRESS,                                                                                                  \
		       .flags = FIELD_SIGN,                                                                                                   \
		       .doc = "Hardware address; by default a stable one is computed." },                                                     \
	[LINK_ARP] = { .name = "arp",                                                                                                         \
		       .type = &type_bool,                                                                                                    \
		       .offset = offsetof(struct link, arp),                                                                                  \
		       .wire = WIRE_IFF_NOT,                                                                                                  \
		       .attr = IFF_NOARP,                                                                                                     \
		       .fallback = arp_default,                                                                                               \
		       .doc = "Whether ARP and neighbour discovery are used." },                                                              \
	[LINK_MULTICAST] = { .name = "multicast",                                                                                             \
			     .type = &type_bool,                                                                                              \
			     .offset = offsetof(struct link, multicast),                                                                      \
			     .wire = WIRE_IFF,                                                                                                \
			     .attr = IFF_MULTICAST,                                                                                           \
			     .fallback = multicast_default,                                                                                   \
			     .doc = "Whether multicast is sent." },                                                                           \
	[LINK_PROMISCUOUS] = { .name = "promiscuous",                                                                                         \
			       .type = &type_bool,                                                                                            \
			       .offset = offsetof(struct link, promiscuous),                                                                  \
			       .wire = WIRE_IFF,                                                                                              \
			       .attr = IFF_PROMISC,                                                                                           \
			       .fallback = "false",                                                                                           \
			       .doc = "Whether all frames are received." },                                                                   \
	[LINK_TXQUEUELEN] = { .name = "txqueuelen",                                                                                           \
			      .type = &type_integer,                                                                                          \
			      .offset = offsetof(struct link, txqueuelen),                                                                    \
			      .wire = WIRE_ATTR,                                                                                              \
			      .attr = IFLA_TXQLEN,                                                                                            \
			      .max = INT32_MAX,                                                                                               \
			      .fallback = txqueuelen_default,                                                                                 \
			      .doc = "Length of the transmit queue, in packets." },                                                           \
	LINK_SEGMENTS(                                                                                                                        \
		LINK_GSO_MAX_SIZE, "gso-max-size", gso_max_size, IFLA_GSO_MAX_SIZE, LINK_SEGMENTS_MIN_SIZE,                                   \
		LINK_SEGMENTS_MAX_SIZE,                                                                                                       \
		"Largest packet that is handed over to be segmented, in bytes. The kernel sends no events for this and the next four keys."), \
	LINK_SEGMENTS(LINK_GSO_IPV4_MAX_SIZE, "gso-ipv4-max-size", gso_ipv4_max_size, ATTR_GSO_IPV4_MAX_SIZE,                                 \
		      LINK_SEGMENTS_MIN_SIZE, LINK_SEGMENTS_MAX_SIZE, "The same for IPv4 (Linux 6.3)."),                                      \
	LINK_SEGMENTS(LINK_GSO_MAX_SEGS, "gso-max-segs", gso_max_segs, IFLA_GSO_MAX_SEGS, 1, LINK_SEGMENTS_MAX,                               \
		      "Into how many segments such a packet may be divided."),                                                                \
	LINK_SEGMENTS(LINK_GRO_MAX_SIZE, "gro-max-size", gro_max_size, IFLA_GRO_MAX_SIZE, LINK_SEGMENTS_MIN_SIZE,                             \
		      LINK_SEGMENTS_MAX_SIZE,                                                                                                 \
		      "Largest packet that is put together from received ones, in bytes (IPv6; IPv4 up to 65536)."),                          \
	LINK_SEGMENTS(LINK_GRO_IPV4_MAX_SIZE, "gro-ipv4-max-size", gro_ipv4_max_size, ATTR_GRO_IPV4_MAX_SIZE,                                 \
		      LINK_SEGMENTS_MIN_SIZE, LINK_SEGMENTS_MAX_SIZE, "The same for IPv4 (Linux 6.3)."),                                      \
	[LINK_QUEUES] = { .name = "queues",                                                                                                   \
			  .type = &type_integer,                                                                                              \
			  .offset = offsetof(struct link, queues),                                                                            \
			  .class = FIELD_RECREATE,                                                                                            \
			  .wire = WIRE_ATTR,                                                                                                  \
			  .attr = IFLA_NUM_TX_QUEUES,                                                                                         \
			  .min = 1,                                                                                                           \
			  .max = 4096,                                                                                                        \
			  .doc = "Number of transmit and receive queues; by default one per CPU." },                                          \
	[LINK_RX_QUEUES] = { .name = "rx-queues",                                                                                             \
			     .type = &type_integer,                                                                                           \
			     .offset = offsetof(struct link, rx_queues),                                                                      \
			     .class = FIELD_RECREATE,                                                                                         \
			     .flags = FIELD_HIDDEN,                                                                                           \
			     .wire = WIRE_ATTR,                                                                                               \
			     .attr = IFLA_NUM_RX_QUEUES,                                                                                      \
			     .min = 1,                                                                                                        \
			     .max = 4096 },                                                                                                   \
	[LINK_ADDRESS_GENERATION] = { .name = "ipv6-address-generation",                                                                      \
				      .type = &type_enum,                                                                                     \
				      .offset = offsetof(struct link, address_generation),                                                    \
				      .flags = FIELD_AFTER | FIELD_AF_INET6 | FIELD_BEFORE_UP,                                                \
				      .attr = IFLA_INET6_ADDR_GEN_MODE,                                                                       \
				      .form = FORM_U8,                                                                                        \
				      .names = link_address_generation_names,                                                                 \
				      .fallback = generation_default,                                                                         \
				      .doc = "How link-local and autoconfigured addresses are generated. The default "                        \
					     "of a wireguard is none, of a tun or xfrm random." },                                            \
	[LINK_MASTER] = { .name = "master",                                                                                                   \
			  .type = &type_link_name,                                                                                            \
			  .offset = offsetof(struct link, master),                                                                            \
			  .flags = FIELD_HIDDEN | FIELD_DEV | FIELD_CONTROLLER,                                                               \
			  .fallback = "",                                                                                                     \
			  .doc = "The controller; written as its `ports`." },                                                                 \
	[LINK_ALIAS] = { .name = "alias",                                                                                                     \
			 .type = &type_text,                                                                                                  \
			 .offset = offsetof(struct link, alias),                                                                              \
			 .flags = FIELD_HIDDEN | FIELD_AFTER | FIELD_MARK,                                                                    \
			 .wire = WIRE_ATTR,                                                                                                   \
			 .attr = IFLA_IFALIAS,                                                                                                \
			 .fallback = "" },                                                                                                    \
	[LINK_OWN_ADDRESSES] = { .name = "own-addresses",                                                                                     \
				 .type = &type_own_addresses,                                                                                 \
				 .offset = offsetof(struct link, own_addresses),                                                              \
				 .flags = FIELD_HIDDEN | FIELD_ONE_WAY,                                                                       \
				 .doc = "an address that the kernel gives it (link-local or loopback)" },                                     \
	[LINK_OWN_ROUTES] = { .name = "own-routes",                                                                                           \
			      .type = &type_bool,                                                                                             \
			      .offset = offsetof(struct link, own_routes),                                                                    \
			      .flags = FIELD_HIDDEN | FIELD_ONE_WAY,                                                                          \
			      .doc = "a route that the kernel gives it (link-local, loopback or multicast)" }

/* The namespace in which a tunnel's outer packets travel, if it is not the link's own. */
#define LINK_UNDERLAY(of)                                                                            \
	{                                                                                            \
		.name = "underlay", .type = &type_underlay, .offset = offsetof(struct of, underlay), \
		.class = FIELD_RECREATE, .flags = FIELD_UNDERLAY, .fallback = "none",                \
		.doc = "The namespace in which the outer packets travel, if it is not the link's; "  \
		       "`dev` in another namespace implies it."                                      \
	}
/* The namespace of a desired object's underlay, or of its lower link, or else its own. */
const char *link_underlay(const struct object *object);

/* The group in which every link is created, so that udev and others can recognise our links from the first moment:
 * the alias is set later, and no event announces it. Not managed afterwards, so that users may set another group.
 * The number is that of our route protocol; units/70-topod.rules knows it. */
enum { TOPOD_LINK_GROUP = 84 };

/* The stable MAC address of a link that topod creates: locally administered, unicast, derived from the machine, the
 * topology, the namespace and the name. */
struct mac link_stable_mac(const void *machine_id, const char *topology, const char *ns, const char *name);

/* Does the file declare `up: false` for the link? */
static inline bool link_is_kept_down(const struct object *desired) {
	return object_has(desired, LINK_UP) && !((const struct link *)desired)->up;
}

/* link_own.c: addresses and routes that the kernel gives a link belong to the link. Sets that the desired link should have
 * them, or, with mode none, no link-local address. */
void link_want_own_addresses(struct link *link);
/* Records whether an observed link has these addresses; if the kernel gives it none (it is down, or without IPv6),
 * nothing is missing. */
void link_set_own_addresses(struct link *link, bool there);
/* The families in which the kernel gives the link addresses, as family_bit(); is this one of those addresses? */
unsigned link_given_families(const struct link *link);
bool link_is_own_address(const struct link *link, const struct prefix *address);
/* Records that a route that the kernel made for the link is missing. */
void link_miss(struct arena *arena, struct link *link, const struct made_route *route);

/* The table of the routes that the kernel makes for the link and its addresses: the table of the VRF that the link is or
 * belongs to; 0: the tables main and local. False if it is not known, because the controller was not read. */
bool link_made_table(const struct ns_state *ns, const struct link *link, uint32_t *ret);
/* The same by name; 0 also if it is not known. */
uint32_t link_table_of(const struct ns_state *ns, const char *dev);
void link_put_own_addresses(struct encode *encode, const struct change *change, uint32_t index);

/* The i-th setting in the link's namespace that a change writes besides its messages; false: there are no more. */
bool link_writes(const struct change *change, size_t i, struct arena *arena, const char **ret_path, const char **ret_value);

/* A request for one link, by its name, or by its index if name is NULL. */
void link_put_question(struct nl_writer *w, const char *name, uint32_t ifindex);
/* The families in which the kernel gives this link addresses, as family_bit(), if the desired object declares this
 * link's own addresses; else 0. */
unsigned link_own_families(const struct object *desired, const struct link *seen);

/* Decodes one RTM_NEWLINK of a dump. Other links that it refers to are numbers until link_resolve(). */
struct link *link_decode(const struct decode *decode, const struct nlmsghdr *nlh);
/* The i-th of its alternative names, as an object of its own, sealed; NULL: there are no more (alternative_name.c). */
struct object *link_alternative_name(struct arena *arena, const struct link *link, size_t i);
/* Sets the master's name when all links of the namespace are decoded. */
void link_resolve(const struct decode *decode, struct link *link);

/* Is the link unable to send until something outside topod happens? False if the kernel is about to pass a carrier
 * to it (from a bridge's port, from a lower link), which takes a moment. */
bool link_lacks_carrier(const struct link *link, const struct state *state);
/* Must an object that the kernel accepts only on a link with a carrier wait, because this link is up without one? For
 * kind->comes_later() (*ret_why: see there). False if the link was not observed, or if the plan brings it up: then its
 * carrier may come with the other end. */
bool link_awaits_carrier(const struct state *observed, const char *ns, const char *name, const char **ret_why);

int link_encode(struct encode *encode, const struct change *change);
/* The namespace to which link_encode()'s request is sent. */
const char *link_sent_in(const struct change *change);

/* The parts of link_encode(), for kinds that need more. */
void link_put_fields(struct encode *encode, const struct object *object, uint64_t mask, enum field_wire wire);
/* The flags of the header. */
void link_put_flags(const struct object *object, uint64_t mask, struct ifinfomsg *ifi);
/* The mask, with the sizes for IPv4 that the object has if the general ones are in it. */
uint64_t link_with_ipv4_sizes(const struct object *object, uint64_t mask);
void link_put_identity(struct encode *encode, const struct link *link, struct ifinfomsg *ifi);
/* One end of a pair: identity, namespace, flags, top-level attributes and master. */
int link_put_end(struct encode *encode, const struct object *object, uint64_t mask, struct ifinfomsg *ifi);
/* IFLA_NET_NS_FD. */
int link_put_netns(struct encode *encode, const char *ns);
struct ifinfomsg *link_begin(struct encode *encode, uint16_t type, uint16_t flags);

/* Is it the name of a device that a tunnel module makes in every namespace (net.core.fb_tunnels_only_for_init_net)? */
bool link_is_fallback(const char *name);
