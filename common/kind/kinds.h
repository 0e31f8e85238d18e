/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of all kinds. A new kind is its own file in this room and one line here; everything else loops over
 * kinds[] (registry.c) and asks for what it needs.
 *
 * The order is that of the reference page. Kinds of links come first.
 */
#pragma once

#include "model/kind.h"

#define KINDS             \
	KIND(veth)        \
	KIND(bridge)      \
	KIND(dummy)       \
	KIND(ifb)         \
	KIND(ipvlan)      \
	KIND(ipvtap)      \
	KIND(macvlan)     \
	KIND(macvtap)     \
	KIND(vlan)        \
	KIND(vxlan)       \
	KIND(existing)    \
	KIND(physical)    \
	KIND(other)       \
	KIND(netns)       \
	KIND(sysctl)      \
	KIND(bridge_port) \
	KIND(address)     \
	KIND(route)       \
	KIND(nat)         \
	KIND(dns)

#define KIND(name) extern const struct kind kind_##name;
KINDS
#undef KIND
