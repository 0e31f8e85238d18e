/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings that depend on each other, or that are also a key of an interface: checks that need the whole namespace.
 *
 * Several names of one setting are resolved in sysctl_value.c.
 */
#include <linux/if_link.h>

#include "kind/link.h"
#include "kind/sysctl.h"
#include "model/section.h"

static const struct object *find_setting(struct reading *r, const struct ns_state *ns, const char *path) {
	return ns_find(ns, &sysctl_new(r->parse.arena, ns->name, path, "")->object);
}

/* The key as written in the file. */
static const char *key_of(struct reading *r, const struct ns_state *ns, const char *path) {
	_cleanup_text_ struct text noun = {};

	object_print_noun(&sysctl_new(r->parse.arena, ns->name, path, "")->object, &noun);
	return arena_strdup(r->parse.arena, text_str(&noun) + strlen("sysctl "));
}

/* An interface's key `ipv6-address-generation` and its setting addr_gen_mode are the same: the setting becomes the
 * key, because it must be set before the interface comes up. */
static void unite_address_generation(struct reading *r, struct ns_state *ns, struct sysctl *sysctl) {
	struct object *object = ns_find_link(ns, sysctl->dev);
	struct link *link = (struct link *)object;
	uint32_t mode;

	if (parse_u32(sysctl->value, &mode) < 0 || mode > IN6_ADDR_GEN_MODE_RANDOM) {
		diag_error(r->parse.diags, sysctl->object.position,
			   "addr_gen_mode must be 0 (eui64), 1 (none), 2 (stable-privacy) or 3 (random)");
		return;
	}
	if (!object || object->kind == &kind_other)
		return;
	if (object_has(object, LINK_ADDRESS_GENERATION) && link->address_generation != mode) {
		diag_error(r->parse.diags, sysctl->object.position,
			   "this is another name of 'ipv6-address-generation' of %s, with another value", link->name);
		diag_note(r->parse.diags, object_position(object, &object->kind->fields[LINK_ADDRESS_GENERATION]),
			  "the key is here");
	} else if (!object_has(object, LINK_ADDRESS_GENERATION)) {
		link->address_generation = mode;
		object->set |= field_bit(LINK_ADDRESS_GENERATION);
		((struct position *)(uintptr_t)object->positions)[LINK_ADDRESS_GENERATION] = sysctl->object.position;
	}
	ns_remove(ns, &sysctl->object);
}

void sysctl_settle(struct reading *r, struct ns_state *ns) {
	for (struct object *object = ns->objects, *next; object; object = next) {
		struct sysctl *sysctl = (struct sysctl *)object;

		next = object->hh.next;
		if (object_is_setting(object) && sysctl->dev &&
		    sysctl_path_matches("net/ipv6/conf/*/addr_gen_mode", sysctl->path))
			unite_address_generation(r, ns, sysctl);
	}
	sysctl_enable_ipv6(r, ns);
}

/* A new namespace has no secret (addrconf_init_net()), and the kernel refuses the mode without one. */
static void check_secret(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const struct link *link = (const struct link *)object;
	struct position position = object_position(object, &object->kind->fields[LINK_ADDRESS_GENERATION]);
	const char *path = arena_printf(r->parse.arena, "net/ipv6/conf/%s/stable_secret", link->name);
	static const char way_out[] = "'stable-privacy' needs a secret, an IPv6 address that nobody else knows: write '%s: "
				      "ADDRESS' under 'sysctl', or use 'random'%s";

	if (find_setting(r, ns, path) || find_setting(r, ns, "net/ipv6/conf/default/stable_secret"))
		return;
	path = key_of(r, ns, path);
	if (ns_is_open(ns))
		diag_warning(r->parse.diags, position, way_out, path, "; otherwise something else must have set one");
	else
		diag_error(r->parse.diags, position, way_out, path, "");
}

/* An interface's IPv6 MTU cannot exceed its MTU (addrconf_sysctl_mtu()). */
static void check_mtu(struct reading *r, const struct ns_state *ns, const struct sysctl *sysctl) {
	const struct object *object = ns_find_link(ns, sysctl->dev);
	const struct link *link = (const struct link *)object;
	uint32_t mtu;

	if (parse_u32(sysctl->value, &mtu) < 0 || mtu < 1280)
		diag_error(r->parse.diags, sysctl->object.position, "the IPv6 MTU must be at least 1280");
	else if (object && object_has(object, LINK_MTU) && mtu > link->mtu) {
		diag_error(r->parse.diags, sysctl->object.position,
			   "the IPv6 MTU cannot be larger than the MTU of %s, which is %u", link->name, link->mtu);
		diag_note(r->parse.diags, object_position(object, &object->kind->fields[LINK_MTU]), "it is here");
	}
}

/* Both are one number in the kernel; unres_qlen shows it in packets of the largest size. */
static void check_queue(struct reading *r, const struct ns_state *ns, const struct sysctl *sysctl) {
	const struct object *bytes = find_setting(r, ns, arena_printf(r->parse.arena, "%s_bytes", sysctl->path));

	if (!bytes)
		return;
	diag_error(r->parse.diags, sysctl->object.position,
		   "unres_qlen and unres_qlen_bytes are one setting, in packets and in bytes; keep the "
		   "second");
	diag_note(r->parse.diags, bytes->position, "the other is here");
}

void sysctl_check(struct reading *r, const struct ns_state *ns, const struct object *object) {
	const struct sysctl *sysctl = (const struct sysctl *)object;

	if (!sysctl->dev)
		return;
	if (sysctl_path_matches("net/ipv6/conf/*/mtu", sysctl->path))
		check_mtu(r, ns, sysctl);
	if (sysctl_path_matches("net/ipv4/neigh/*/unres_qlen", sysctl->path) ||
	    sysctl_path_matches("net/ipv6/neigh/*/unres_qlen", sysctl->path))
		check_queue(r, ns, sysctl);
}

void sysctl_check_all(struct reading *r, const struct ns_state *ns) {
	sysctl_check_ipv6(r, ns);
	ns_foreach(object, ns)
		if (object_is_link(object) && object_has(object, LINK_ADDRESS_GENERATION) &&
		    ((const struct link *)object)->address_generation == IN6_ADDR_GEN_MODE_STABLE_PRIVACY)
			check_secret(r, ns, object);
}
