/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of a namespace and of its links, and others that the kernel changes together with one: inet_forward_change() and
 * devinet_conf_proc() of net/ipv4/devinet.c, addrconf_fixup_forwarding(), addrconf_disable_ipv6() and
 * addrconf_sysctl_stable_secret() of net/ipv6/addrconf.c.
 */
#include "world_private.h"

#include <linux/if_link.h>

#include "kind/sysctl.h"

static const char forward[] = "net/ipv4/ip_forward", secret6[] = "net/ipv6/conf/default/stable_secret",
		  generation6[] = "net/ipv6/conf/default/addr_gen_mode";

const char *setting_initial(const char *general) {
	if (streq(general, secret6))
		return NULL;
	return streq(general, "net/ipv4/conf/all/accept_redirects") ? "1" : "0";
}

void inherit_settings(struct w_ns *ns, struct w_link *link) {
	for (size_t i = 0, n = ns->settings.n; i < n; i++) {
		struct w_setting setting = ns->settings.items[i];

		if (setting.link || !strstr(setting.path, "/conf/default/"))
			continue;
		setting.link = link;
		setting.own = false;
		vec_push(&ns->settings, setting);
	}
}

/* net/ipv4/conf/NAME/KEY: the general path (NAME is "default") and the link. False if there is no such link. */
static bool split_path(const struct w_ns *ns, const char *path, char general[256], struct w_link **ret_link) {
	const char *conf = strstr(path, "/conf/"), *name = conf ? conf + 6 : NULL, *rest = name ? strchr(name, '/') : NULL;
	_cleanup_free_ char *link = rest ? strndup(name, (size_t)(rest - name)) : NULL;

	*ret_link = NULL;
	snprintf(general, 256, "%s", streq(path, "net/ipv4/conf/all/forwarding") ? forward : path);
	if (!link || streq(link, "all") || streq(link, "default"))
		return true;
	snprintf(general, 256, "%.*sdefault%s", (int)(name - path), path, rest);
	*ret_link = ns_link(ns, link);
	return *ret_link;
}

static struct w_setting *find_setting(struct w_ns *ns, const char *general, const struct w_link *link) {
	vec_foreach(setting, &ns->settings)
		if (setting->link == link && streq(setting->path, general))
			return setting;
	return NULL;
}

bool setting_exists(const struct w_ns *ns, const char *path) {
	struct w_link *link;
	char general[256];

	return split_path(ns, path, general, &link);
}

const char *setting_get(struct w_ns *ns, const char *path) {
	struct w_setting *setting;
	struct w_link *link;
	char general[256];

	if (!split_path(ns, path, general, &link))
		return NULL;
	if (link && streq(general, generation6)) {
		static const char *const modes[] = { "0", "1", "2", "3" };

		return modes[link->values->address_generation % ARRAY_SIZE(modes)];
	}
	setting = find_setting(ns, general, link);
	return setting ? setting->value : setting_initial(general);
}

static const char disable6[] = "net/ipv6/conf/default/disable_ipv6";

bool link_has_ipv6(const struct w_link *link) {
	const struct w_setting *setting = find_setting(link->ns, disable6, link);

	return !setting || streq(setting->value, "0");
}

static void store(struct world *w, struct w_ns *ns, const char *general, struct w_link *link, const char *value, bool own) {
	struct w_setting *setting = find_setting(ns, general, link);

	/* For some settings the kernel sends an event (RTM_NEWNETCONF). */
	if (sysctl_has_event(&(struct sysctl){ .path = general }))
		world_event(w, ns,
			    (struct hint){ .type = HINT_PARTS, .class = &class_sysctl, .ifindex = link ? link->index : 0 });
	if (setting) {
		setting->value = arena_strdup(&w->arena, value);
		setting->own |= own;
	} else {
		vec_push(&ns->settings,
			 (struct w_setting){ arena_strdup(&w->arena, general), link, arena_strdup(&w->arena, value), own });
	}
	if (link && streq(general, disable6) && !link_has_ipv6(link))
		drop_ipv6(w, link);
	else if (link && streq(general, disable6))
		link_configure(w, link);
	if (link && streq(general, secret6))
		link->values->address_generation = IN6_ADDR_GEN_MODE_STABLE_PRIVACY;
}

static void store_for_links(struct world *w, struct w_ns *ns, const char *general, const char *value, bool spare_own) {
	vec_foreach(at, &ns->links) {
		const struct w_setting *setting = find_setting(ns, general, *at);

		if (!spare_own || !setting || !setting->own)
			store(w, ns, general, *at, value, false);
	}
}

/* What else changes with the setting. */
static void reach(struct world *w, struct w_ns *ns, const char *general, const char *value) {
	static const char default4[] = "net/ipv4/conf/default/forwarding", default6[] = "net/ipv6/conf/default/forwarding";

	if (streq(general, forward)) {
		store(w, ns, default4, NULL, value, false);
		store_for_links(w, ns, default4, value, false);
		store(w, ns, "net/ipv4/conf/all/accept_redirects", NULL, streq(value, "0") ? "1" : "0", false);
	} else if (streq(general, "net/ipv6/conf/all/forwarding")) {
		store(w, ns, default6, NULL, value, false);
		store_for_links(w, ns, default6, value, false);
	} else if (streq(general, "net/ipv6/conf/all/disable_ipv6")) {
		store(w, ns, disable6, NULL, value, false);
		store_for_links(w, ns, disable6, value, false);
	} else if (startswith(general, "net/ipv4/conf/default/") && !streq(general, default4)) {
		store_for_links(w, ns, general, value, true);
	}
}

int setting_set(struct world *w, struct w_ns *ns, const char *path, const char *value) {
	struct w_link *link;
	char general[256];
	bool changes;

	if (!split_path(ns, path, general, &link))
		return -ENOENT;
	changes = !streq_ptr(setting_get(ns, path), value);
	if (link && streq(general, generation6)) {
		link->values->address_generation = (uint32_t)atoi(value);
		if (changes)
			link_configure(w, link);
		return 0;
	}
	store(w, ns, general, link, value, true);
	/* Writing the current value to ip_forward or all/forwarding does nothing; `default` is copied anyway. */
	if (!link && (changes || strstr(general, "/default/")))
		reach(w, ns, general, value);
	return 0;
}
