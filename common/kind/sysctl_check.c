/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of the kernel that depend on each other, or that a key of an interface stands for as well.
 *
 * Two names of one file are one setting already (sysctl_value.c). Here is what takes the whole namespace to see.
 */
#include <linux/if_link.h>

#include "kind/link.h"
#include "kind/sysctl.h"
#include "model/section.h"

static const struct object *find_setting(struct reading *r, const struct ns_state *ns, const char *path) {
	return ns_find(ns, &sysctl_new(r->parse.arena, ns->name, path, "")->object);
}

/* As the file writes it. */
static const char *key_of(struct reading *r, const struct ns_state *ns, const char *path) {
	_cleanup_text_ struct text noun = {};

	object_print_noun(&sysctl_new(r->parse.arena, ns->name, path, "")->object, &noun);
	return arena_strdup(r->parse.arena, text_str(&noun) + strlen("sysctl "));
}

/* The key `ipv6-address-generation` of an interface and its setting addr_gen_mode are one: it becomes the key, which is set
 * before the interface comes up, as it must be. */
static void unite_address_generation(struct reading *r, struct ns_state *ns, struct sysctl *sysctl) {
	struct object *object = ns_find_link(ns, sysctl->dev);
	struct link *link = (struct link *)object;
	uint32_t mode;

	if (parse_u32(sysctl->value, &mode) < 0 || mode > IN6_ADDR_GEN_MODE_RANDOM) {
		diag_error(r->parse.diags, sysctl->object.position,
			   "addr_gen_mode is 0 (eui64), 1 (none), 2 (stable-privacy) or 3 (random)");
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
		if (object->kind == &kind_sysctl && sysctl->dev &&
		    sysctl_path_matches("net/ipv6/conf/*/addr_gen_mode", sysctl->path))
			unite_address_generation(r, ns, sysctl);
	}
}

/* The kernel has no secret in a namespace that is new (addrconf_init_net()), and refuses the mode without one. */
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

/* An interface's MTU for IPv6 is at most its own (addrconf_sysctl_mtu()). */
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

/* One number in the kernel, of which the other name tells how many packets of the largest size it means. */
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
