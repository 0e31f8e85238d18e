/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A link moved in from the host namespace; see physical.c. */
#pragma once

#include "kind/link.h"

extern const struct kind kind_physical;

struct physical {
	struct link link;
	const char *source;
	/* The link as it was before the move: MAC address, name, MTU, whether it was up, and other settings. */
	const char *source_mac, *former_name, *former_mtu, *former_up, *former_settings;
	const char *found_as; /* its present name in the host, if observed; not a field, never recorded */
};

enum {
	PHYSICAL_SOURCE = LINK_N_FIELDS,
	PHYSICAL_SOURCE_MAC,
	PHYSICAL_FORMER_NAME,
	PHYSICAL_FORMER_MTU,
	PHYSICAL_FORMER_UP,
	PHYSICAL_FORMER_SETTINGS
};

/* Puts the former settings into a link; returns which of its fields these are. */
uint64_t physical_former_settings(struct arena *arena, const struct physical *was, struct link *ret);
