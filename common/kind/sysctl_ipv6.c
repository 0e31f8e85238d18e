/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings that disable IPv6. The kernel refuses objects that need IPv6 on such an interface; the kinds know which objects
 * do.
 *
 * In an attached namespace IPv6 may be disabled without the file saying so: Docker does that in each container whose network
 * has no IPv6. So objects that need IPv6 there also enable it on their interface, unless the file declares the setting.
 */
#include <stdlib.h>

#include "kind/sysctl.h"
#include "model/section.h"

/* disable_ipv6 of single interfaces, of `all` (which sets every interface when it is written), and of `default` (for
 * interfaces made later). */
struct disabled {
	vec(const struct sysctl *) list; /* of single interfaces, by dev */
	const struct sysctl *all, *by_default;
	bool any; /* is anything disabled? */
};

static void disabled_done(struct disabled *disabled) {
	vec_done(&disabled->list);
}

static int compare_settings(const void *a, const void *b) {
	const struct sysctl *x = *(const struct sysctl *const *)a, *y = *(const struct sysctl *const *)b;

	return strcmp(x->dev, y->dev);
}

static bool is_on(const struct sysctl *sysctl) {
	uint32_t value;

	return sysctl && parse_u32(sysctl->value, &value) == 0 && value;
}

static void collect_settings(const struct ns_state *ns, struct disabled *ret) {
	ns_foreach(object, ns) {
		const struct sysctl *sysctl = (const struct sysctl *)object;
		const char *rest = object_is_setting(object) ? startswith(sysctl->path, "net/ipv6/conf/") : NULL;

		if (!rest || !strchr(rest, '/') || !streq(strchr(rest, '/'), "/disable_ipv6"))
			continue;
		ret->any |= is_on(sysctl);
		if (sysctl->dev)
			vec_push(&ret->list, sysctl);
		else if (startswith(rest, "all/"))
			ret->all = sysctl;
		else
			ret->by_default = sysctl;
	}
	if (ret->list.n)
		qsort(ret->list.items, ret->list.n, sizeof(*ret->list.items), compare_settings);
}

static const struct sysctl *find_own(const struct disabled *disabled, const char *dev) {
	struct sysctl like = { .dev = dev }, *key = &like;
	const struct sysctl *const *own = NULL;

	if (disabled->list.n)
		own = bsearch(&key, disabled->list.items, disabled->list.n, sizeof(*disabled->list.items), compare_settings);
	return own ? *own : NULL;
}

/* The setting that disables IPv6 on the link, or NULL. */
static const struct sysctl *find_disabling(const struct disabled *disabled, const struct ns_state *ns, const char *dev) {
	const struct object *link = ns_find_link(ns, dev);
	const struct sysctl *own = find_own(disabled, dev), *setting = disabled->all;

	if (own)
		setting = own;
	else if (disabled->by_default && link && !link->external)
		setting = disabled->by_default;
	return is_on(setting) ? setting : NULL;
}

static void report_disabled(struct reading *r, const struct object *object, const struct field *field, const char *dev,
			    const struct sysctl *setting) {
	if (!setting)
		return;
	_cleanup_text_ struct text noun = {}, name = {};
	object_print_noun(object, &noun);
	object_print_noun(&setting->object, &name);
	diag_error(r->parse.diags, object_position(object, field), "%s cannot be set: %s disables IPv6 on %s",
		   text_str(&noun), text_str(&name), dev);
	diag_note(r->parse.diags, setting->object.position, "it is disabled here");
}

/* The link that a field of the object names. */
static const char *find_dev(const struct object *object, const struct field **ret_field) {
	for (size_t i = 0; i < object->kind->n_fields; i++) {
		const struct field *field = &object->kind->fields[i];

		if (!(field->flags & FIELD_DEV) || field->type != &type_link_name || !object_has(object, i))
			continue;
		*ret_field = field;
		return *(const char *const *)field_of(field, object);
	}
	return NULL;
}

/* The interface on which the object needs IPv6, or NULL. */
static const char *find_needing(const struct object *object, const struct field **ret_field) {
	return object->kind->needs_ipv6 && object->kind->needs_ipv6(object) ? find_dev(object, ret_field) : NULL;
}

void sysctl_enable_ipv6(struct reading *r, struct ns_state *ns) {
	_cleanup_(disabled_done) struct disabled declared = {};

	if (!ns->attach)
		return;
	collect_settings(ns, &declared);
	if (declared.all || declared.by_default)
		return;
	ns_foreach(object, ns) {
		const struct field *field;
		const char *dev = find_needing(object, &field);
		struct object *setting;

		if (!dev || streq(dev, "lo") || find_own(&declared, dev))
			continue;
		setting = &sysctl_new(r->parse.arena, ns->name,
				      arena_printf(r->parse.arena, "net/ipv6/conf/%s/disable_ipv6", dev), "0")
				   ->object;
		setting->position = object_position(object, field);
		setting->drift = object->drift;
		if (!ns_find(ns, setting))
			reading_add(r, ns, setting);
	}
}

void sysctl_check_ipv6(struct reading *r, const struct ns_state *ns) {
	_cleanup_(disabled_done) struct disabled disabled = {};

	collect_settings(ns, &disabled);
	if (!disabled.any)
		return;
	ns_foreach(object, ns) {
		const struct field *field;
		const char *dev = find_needing(object, &field);

		if (dev)
			report_disabled(r, object, field, dev, find_disabling(&disabled, ns, dev));
	}
}
