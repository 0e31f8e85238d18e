/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The headers that a next hop puts around the packets that it sends (a lightweight tunnel); see encap.c. */
#pragma once

#include "model/kind.h"

struct encap_labels {
	size_t n;
	uint32_t *items; /* the outermost first */
};

struct encap_segments {
	size_t n;
	struct ip *items; /* in the order in which packets visit them */
};

struct encap_seg6 {
	uint32_t mode; /* SEG6_IPTUN_MODE_* */
	struct encap_segments segments;
};

struct encap_ip {
	uint32_t id;
	struct ip local, remote; /* remote gives the family */
	uint32_t ttl, tos, key, checksum, sequence;
};

struct encap {
	uint32_t type; /* LWTUNNEL_ENCAP_*; 0: none. Types that topod cannot declare are observed as the number only. */
	struct encap_labels mpls;
	struct encap_seg6 seg6;
	struct encap_ip ip;
};

extern const struct type type_encap; /* struct encap */

/* Compares two encapsulations like memcmp(); 0 only if they are equal. */
int encap_compare(const struct encap *a, const struct encap *b);
/* Why a file cannot declare an observed object with it; NULL: it can. */
const char *encap_left_out(const struct encap *encap);
/* The end of "this kernel has no …", for struct trial, and a module that may have it; NULL: there is no encapsulation. */
const char *encap_what(const struct encap *encap, const char **ret_module);
/* Reports what the kernel would refuse for routes of the family. False after an error. */
bool encap_check(struct parse *p, const struct encap *encap, uint8_t family, struct position position);
/* Writes both attributes (RTA_ENCAP_TYPE and RTA_ENCAP, or those of next-hop objects); nothing if there is none. */
void encap_put(struct arena *arena, struct nl_writer *w, const struct encap *encap, uint16_t type_attr, uint16_t encap_attr);
/* Reads both attributes, which may be NULL. */
void encap_get(struct arena *arena, const struct nlattr *type, const struct nlattr *attr, struct encap *ret);
