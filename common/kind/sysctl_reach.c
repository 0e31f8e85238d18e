/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which settings the kernel changes when one is written: those of every interface with `all` or `default`, others by a
 * side effect.
 *
 * From Linux 6.18: inet_forward_change() and devinet_conf_proc() in net/ipv4/devinet.c, neigh_proc_update() in
 * net/core/neighbour.c, addrconf_forward_change(), addrconf_disable_change(), addrconf_linkdown_change(),
 * addrconf_sysctl_addr_gen_mode() and addrconf_sysctl_stable_secret() in net/ipv6/addrconf.c.
 */
#include "kind/sysctl.h"

/* net/ipv6/conf/NAME/LAST: directory "net/ipv6/conf". */
struct parts {
	const char *directory, *name, *last;
};

static bool split(struct arena *arena, const char *path, struct parts *ret) {
	const char *last = strrchr(path, '/');
	bool below_conf = sysctl_path_matches("net/*/conf/*/*", path);

	if (!below_conf && !sysctl_path_matches("net/*/neigh/*/*", path))
		return false;
	char *directory = arena_strndup(arena, path, (size_t)(last - path)), *name = strrchr(directory, '/');
	*name++ = '\0';
	*ret = (struct parts){ .directory = directory, .name = name, .last = last + 1 };
	return true;
}

/* Writing IPv6 conf/all/LAST also sets default/LAST and that of every interface. */
static bool is_set_for_all(const struct parts *parts) {
	static const char *const names[] = { "forwarding", "disable_ipv6", "ignore_routes_with_linkdown", "addr_gen_mode" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(parts->directory, "net/ipv6/conf") && streq(parts->last, names[i]))
			return true;
	return false;
}

/* Writing default/LAST also sets that of every interface for which nobody has written it. */
static bool is_copied_from_default(const struct parts *parts) {
	return strstr(parts->directory, "/neigh") ||
	       (streq(parts->directory, "net/ipv4/conf") && !streq(parts->last, "forwarding"));
}

unsigned sysctl_reach(struct arena *arena, const struct sysctl *written, struct sysctl_reach ret[2]) {
	struct parts p;

	if (streq(written->path, "net/ipv4/ip_forward")) {
		ret[0] = (struct sysctl_reach){ "net/ipv4/conf", NULL, "forwarding", written->value, true };
		ret[1] = (struct sysctl_reach){ "net/ipv4/conf", "all", "accept_redirects",
						streq(written->value, "0") ? "1" : "0", false };
		return 2;
	}
	if (!split(arena, written->path, &p))
		return 0;
	if (streq(p.last, SYSCTL_STABLE_SECRET))
		ret[0] = (struct sysctl_reach){ p.directory, streq(p.name, "default") ? NULL : p.name, "addr_gen_mode", "2",
						false };
	else if (streq(p.name, "all") && is_set_for_all(&p))
		ret[0] = (struct sysctl_reach){ p.directory, NULL, p.last, written->value, true };
	else if (streq(p.name, "default") && is_copied_from_default(&p))
		ret[0] = (struct sysctl_reach){ p.directory, NULL, p.last, written->value, false };
	else
		return 0;
	return 1;
}

bool sysctl_reach_has(const struct sysctl_reach *reach, const char *name) {
	if (reach->name)
		return streq(name, reach->name);
	return !streq(name, "all") && (reach->with_default || !streq(name, "default"));
}

const struct sysctl_reach *sysctl_find_reach(struct arena *arena, const struct sysctl *written, const char *path,
					     struct sysctl_reach ret[2]) {
	unsigned n = sysctl_reach(arena, written, ret);
	struct parts p;

	for (unsigned i = 0; i < n && split(arena, path, &p); i++)
		if (streq(p.directory, ret[i].directory) && streq(p.last, ret[i].last) && sysctl_reach_has(&ret[i], p.name))
			return &ret[i];
	return NULL;
}

const char *sysctl_source(struct arena *arena, const char *path, unsigned i, bool *ret_at_birth) {
	struct parts p;

	*ret_at_birth = false;
	if (!split(arena, path, &p) || streq(p.name, "all"))
		return NULL;
	bool of_link = !streq(p.name, "default"),
	     ipv4_forwarding = streq(p.directory, "net/ipv4/conf") && streq(p.last, "forwarding");
	if (ipv4_forwarding && i-- == 0)
		return "net/ipv4/ip_forward";
	if (is_set_for_all(&p) && i-- == 0)
		return arena_printf(arena, "%s/all/%s", p.directory, p.last);
	if (!of_link || i > 0)
		return NULL;
	*ret_at_birth = !is_copied_from_default(&p);
	return arena_printf(arena, "%s/default/%s", p.directory, p.last);
}
