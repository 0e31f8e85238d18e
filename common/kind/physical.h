/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A link moved in from the host namespace; see physical.c. */
#pragma once

#include "kind/link.h"

extern const struct kind kind_physical;

struct physical {
	struct link link;
	const char *source, *source_mac;
};

enum { PHYSICAL_SOURCE = LINK_N_FIELDS, PHYSICAL_SOURCE_MAC };
