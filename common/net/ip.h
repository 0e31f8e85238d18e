/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses, prefixes and MAC addresses: values, parsing, printing, comparing.
 *
 * Nothing here looks a name up. Text is RFC 5952's for IPv6 and dotted decimal with four parts for IPv4.
 */
#pragma once

#include <netinet/in.h>

#include "base/base.h"

/* family AF_UNSPEC: no address. */
struct ip {
	uint8_t family; /* AF_INET, AF_INET6 or AF_UNSPEC */
	uint8_t bytes[16];
};

struct prefix {
	struct ip address;
	uint8_t length; /* bits */
};

struct mac {
	uint8_t bytes[6];
};

enum {
	IP_TEXT_MAX = INET6_ADDRSTRLEN,
	PREFIX_TEXT_MAX = INET6_ADDRSTRLEN + 4,
	MAC_TEXT_MAX = 18,
};

/* 4 or 16; 0 for AF_UNSPEC. */
size_t ip_size(uint8_t family);
static inline uint8_t ip_bits(uint8_t family) {
	return (uint8_t)(ip_size(family) * 8);
}

/* Each parse function takes the whole text and returns 0 or -EINVAL; nothing is written on error. */
int ip_parse(const char *text, struct ip *ret);
/* "10.0.0.1/24", "fd00::1/64", or a bare address, which is a /32 or /128. Host bits are kept. */
int prefix_parse(const char *text, struct prefix *ret);
/* An IPv4 address with its netmask, as other programs write it: "10.0.0.1/255.255.255.0", "10.0.0.1 255.255.255.0". */
int prefix_parse_netmask(const char *text, struct prefix *ret);
/* "02:00:00:00:00:01", also with '-' between; six octets of two hex digits. */
int mac_parse(const char *text, struct mac *ret);

/* Each writes into buf and returns it, so that it can stand in an argument list. */
const char *ip_format(const struct ip *ip, char buf[IP_TEXT_MAX]);
const char *prefix_format(const struct prefix *prefix, char buf[PREFIX_TEXT_MAX]);
const char *mac_format(const struct mac *mac, char buf[MAC_TEXT_MAX]);

/* From the bytes of a netlink attribute; -EINVAL where the size does not fit the family. */
int ip_from_bytes(uint8_t family, const void *data, size_t size, struct ip *ret);

bool ip_equal(const struct ip *a, const struct ip *b);
bool ip_is_zero(const struct ip *ip);
bool prefix_equal(const struct prefix *a, const struct prefix *b);
/* The prefix with its host bits cleared. */
struct prefix prefix_network(const struct prefix *prefix);
/* How many addresses hosts can have in it: in an IPv4 prefix all but the first and the last one, in an IPv6 prefix all but
 * the first one (RFC 4291, 2.6.1), in a prefix of two addresses both (RFC 3021, RFC 6164). At most 2^32. */
uint64_t prefix_hosts(const struct prefix *prefix);
/* The n-th of these, from 0, with the prefix's length. False: there are fewer. */
bool prefix_host(const struct prefix *prefix, uint64_t n, struct prefix *ret);
/* Is it one of these? */
bool prefix_has_host(const struct prefix *prefix, const struct ip *ip);
/* The n-th prefix of this length in it, from 0. False: there are fewer. */
bool prefix_part(const struct prefix *prefix, uint8_t length, uint64_t n, struct prefix *ret);
bool prefix_contains(const struct prefix *prefix, const struct ip *ip);
/* 224.0.0.0/4 or ff00::/8. */
bool ip_is_multicast(const struct ip *ip);
/* 169.254.0.0/16 or fe80::/10. */
bool ip_is_link_local(const struct ip *ip);
