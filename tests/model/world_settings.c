/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings, of a namespace and of its links.
 */
#include "world_private.h"

#include "kind/sysctl.h"

void inherit_settings(struct w_ns *ns, struct w_link *link) {
	for (size_t i = 0, n = ns->settings.n; i < n; i++) {
		struct w_setting setting = ns->settings.items[i];

		if (setting.link || !strstr(setting.path, "/conf/default/"))
			continue;
		setting.link = link;
		vec_push(&ns->settings, setting);
	}
}

/* net/ipv4/conf/NAME/KEY: the general path (NAME is "default") and the link. False where there is no such link. */
static bool split_path(const struct w_ns *ns, const char *path, char general[256], struct w_link **ret_link) {
	const char *conf = strstr(path, "/conf/"), *name = conf ? conf + 6 : NULL, *rest = name ? strchr(name, '/') : NULL;
	_cleanup_free_ char *link = rest ? strndup(name, (size_t)(rest - name)) : NULL;

	*ret_link = NULL;
	snprintf(general, 256, "%s", path);
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

const char *setting_get(struct w_ns *ns, const char *path) {
	struct w_setting *setting;
	struct w_link *link;
	char general[256];

	if (!split_path(ns, path, general, &link))
		return NULL;
	setting = find_setting(ns, general, link);
	return setting ? setting->value : "0";
}

int setting_set(struct world *w, struct w_ns *ns, const char *path, const char *value) {
	struct w_setting *setting;
	struct w_link *link;
	char general[256];

	if (!split_path(ns, path, general, &link))
		return -ENOENT;
	/* Of some the kernel tells (RTM_NEWNETCONF). */
	if (sysctl_has_event(&(struct sysctl){ .path = path }))
		world_event(w, ns, (struct hint){ .type = HINT_SETTING, .ifindex = link ? link->index : 0 });
	setting = find_setting(ns, general, link);
	if (setting)
		setting->value = arena_strdup(&w->arena, value);
	else
		vec_push(&ns->settings, (struct w_setting){ arena_strdup(&w->arena, general), link,
							    arena_strdup(&w->arena, value) });
	return 0;
}
