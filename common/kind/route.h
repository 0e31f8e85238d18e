/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A route; see route.c. */
#pragma once

#include <linux/rtnetlink.h>

#include "kind/encap.h"
#include "model/state.h"

extern const struct class class_route;
extern const struct source source_route;
extern const struct kind kind_route;

struct nexthop {
	struct ip via;   /* family AF_UNSPEC: none */
	const char *dev; /* NULL: the kernel chooses */
	uint32_t weight; /* 1 to 256 */
	uint32_t on_link;
	struct encap encap;
};

/* A set, kept sorted so that equal sets are equal lists. */
struct nexthops {
	size_t n; /* 0, or at least 2: a single next hop is the route's own via and dev */
	struct nexthop *items;
};

struct route {
	struct object object;
	struct prefix to, from; /* from: of length 0 if packets from any source take the route */
	uint32_t table, tos, metric, type, scope, on_link, preference, protocol;
	uint32_t metrics[RTAX_MAX + 1]; /* by RTAX_*; 0: the route has none */
	const char *congctl;            /* "": none */
	uint32_t nexthop;               /* the number of the next-hop object that it uses; 0: none */
	struct ip via, src;
	const char *dev;
	struct encap encap;
	struct nexthops nexthops;
	/* Observed, foreign, or NULL: the route of the same identity that the kernel uses instead, and one that precedes it by a
	 * smaller metric (route_front.c). */
	const struct object *front, *better;
};

enum route_field {
	ROUTE_TO,
	ROUTE_FROM,
	ROUTE_TABLE,
	ROUTE_VRF, /* never set in an object that was read */
	ROUTE_TOS,
	ROUTE_METRIC,
	ROUTE_TYPE,
	ROUTE_VIA,
	ROUTE_DEV,
	ROUTE_ENCAP,
	ROUTE_NEXTHOPS,
	ROUTE_NEXTHOP,
	ROUTE_SRC,
	ROUTE_SCOPE,
	ROUTE_ON_LINK,
	ROUTE_PREFERENCE,
	ROUTE_MTU,
	ROUTE_ADVMSS,
	ROUTE_INITCWND,
	ROUTE_INITRWND,
	ROUTE_WINDOW,
	ROUTE_HOPLIMIT,
	ROUTE_QUICKACK,
	ROUTE_RTO_MIN,
	ROUTE_FEATURES,
	ROUTE_CONGCTL,
	ROUTE_PROTOCOL
};

/* The route's table as in link_made_table(): 0 is main. */
static inline uint32_t route_made_table(const struct route *route) {
	return route->table == RT_TABLE_MAIN ? 0 : route->table;
}

/* The KEY fields of a message about a route; tb is indexed up to RTA_TABLE at least. False: it is malformed. */
bool route_decode_identity(struct route *route, const struct rtmsg *rtm, const struct nlattr *const *tb);
/* Decodes one RTM_NEWROUTE of a dump. Sealed; NULL if it is not a route in a table (a cache entry), or skipped. */
struct route *route_decode(const struct decode *decode, const struct nlmsghdr *nlh);

bool route_precedes(const struct object *object, const struct object *desired); /* route_front.c, see struct kind */

/* While the file is read; see struct kind. */
void route_check_all(struct reading *r, const struct ns_state *ns); /* route_check.c */
/* Routes that come with addresses (route_connected.c). */
void route_check_connected(struct reading *r, const struct ns_state *ns);

/* Has a route of this type next hops? */
bool route_has_device_type(const struct route *route);
/* The scope of a route that states none (IPv4), as in ip-route(8). */
uint32_t route_usual_scope(const struct route *route);

/* The family of `to: default`, from the route's other fields; 0: not known. */
uint8_t route_known_family(const struct route *route);

/* route_export.c, see struct kind */
bool route_needs_exact(const struct object *observed);
bool route_is_usual(const struct state *seen, const struct object *observed, size_t field);
const char *route_left_out(struct arena *arena, const struct object *observed);

/* route_meaning.c, see struct kind */
void route_warn(struct meaning *m);
