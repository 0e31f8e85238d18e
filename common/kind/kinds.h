/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of all classes, each followed by its kinds. A new kind, or a new class with its kind, is one file in this
 * room and one line here; everything else loops over kinds[] and classes[] (registry.c).
 *
 * Classes are listed in the order in which their objects are made, kinds of links in the order of the reference page.
 */
#pragma once

#include "model/kind.h"

/* clang-format off */
#define KINDS(CLASS, KIND) \
	CLASS(netns) KIND(netns) \
	CLASS(link) KIND(veth) \
	KIND(bond) \
	KIND(bridge) \
	KIND(dummy) \
	KIND(erspan) \
	KIND(geneve) \
	KIND(gre) \
	KIND(gretap) \
	KIND(ifb) \
	KIND(ip6gre) \
	KIND(ip6gretap) \
	KIND(ip6tnl) \
	KIND(ipip) \
	KIND(ipvlan) \
	KIND(ipvtap) \
	KIND(macvlan) \
	KIND(macvtap) \
	KIND(nlmon) \
	KIND(sit) \
	KIND(tap) \
	KIND(tun) \
	KIND(vlan) \
	KIND(vrf) \
	KIND(vti) \
	KIND(vti6) \
	KIND(vxlan) \
	KIND(wireguard) \
	KIND(xfrm) \
	KIND(existing) \
	KIND(physical) \
	KIND(loopback) \
	KIND(other) \
	CLASS(port) KIND(bridge_port) \
	KIND(vrf_port) \
	KIND(bond_port) \
	CLASS(alternative_name) KIND(alternative_name) \
	CLASS(offload) KIND(offload) \
	CLASS(wireguard_peer) KIND(wireguard_peer) \
	CLASS(sysctl) KIND(sysctl) \
	KIND(secret_sysctl) \
	CLASS(address) KIND(address) \
	CLASS(neighbor) KIND(neighbor) \
	CLASS(fdb) KIND(fdb) \
	CLASS(qdisc) KIND(qdisc) \
	KIND(police) \
	CLASS(nexthop) KIND(nexthop) \
	CLASS(route) KIND(route) \
	CLASS(rule) KIND(rule) \
	CLASS(ruleset) KIND(ruleset) \
	CLASS(dns) KIND(dns) \
	CLASS(hosts) KIND(hosts)
/* clang-format on */

#define DECLARE_CLASS(name) extern const struct class class_##name;
#define DECLARE_KIND(name) extern const struct kind kind_##name;
KINDS(DECLARE_CLASS, DECLARE_KIND)
#undef DECLARE_CLASS
#undef DECLARE_KIND
