/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A namespace's resolv.conf (dns.c) and hosts (dns_hosts.c): the files in /etc/netns/NAME that `ip netns exec` mounts over
 * those in /etc (ip-netns(8)). An object is the whole content of a file.
 */
#pragma once

#include "model/section.h"

extern const struct class class_dns, class_hosts;
extern const struct kind kind_dns, kind_hosts;

/* The interface of a link-local server, as in `fe80::1%eth0`. */
struct dns_zone {
	const char *dev;
	struct position position;
};

struct dns {
	struct object object;
	const char *content;          /* of the file */
	const struct dns_zone *zones; /* resolv.conf, desired */
	size_t n_zones;
	bool everybody; /* hosts, desired: it has the namespaces that share a network with this one */
};

enum dns_field { DNS_CONTENT };
extern const struct field dns_fields[1];

#define DNS_FIRST_LINE "# Written by topod; changes are undone.\n"

/* Makes a sealed object from the content of a file. */
struct dns *dns_new(struct arena *arena, const struct kind *kind, const char *ns, const char *content);
/* The same for a declared one, which is added to the namespace that is being read. */
struct dns *dns_declare(struct reading *here, const struct kind *kind, const struct node *node, const char *content);

/* Reads the value of `hosts`. */
void dns_read_hosts(struct reading *here, const struct node *node);

/* For an export. */

/* Prints the value of `hosts` that makes this content; false: there is none. */
bool dns_print_hosts(struct arena *arena, const char *content, struct text *out);
