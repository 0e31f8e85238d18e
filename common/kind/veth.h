/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One end of a veth pair; see veth.c. */
#pragma once

#include "kind/link.h"

extern const struct kind kind_veth;

struct veth {
	struct link link;
	struct link_ref peer;
};

enum { VETH_PEER = LINK_N_FIELDS };
