/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A namespace's resolv.conf; see resolv_conf.c. */
#pragma once

#include "model/kind.h"

extern const struct class class_dns;
extern const struct kind kind_dns;

/* The interface of a link-local server, as in `fe80::1%eth0`. */
struct dns_zone {
	const char *dev;
	struct position position;
};

struct dns {
	struct object object;
	const char *content;          /* of the file */
	const struct dns_zone *zones; /* desired */
	size_t n_zones;
};

enum dns_field { DNS_CONTENT };

/* Makes a sealed object from the content of a file. */
struct dns *dns_new(struct arena *arena, const char *ns, const char *content);
