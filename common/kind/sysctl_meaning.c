/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mistakes with settings: forwarding that contradicts accept_ra, declared or as the kernel has it. */
#include "kind/link.h"
#include "kind/sysctl.h"
#include "meaning/places.h"

/* A declared setting, by its path; or NULL. */
static const struct sysctl *setting_object(const struct ns_state *ns, const char *path) {
	_cleanup_(arena_done) struct arena arena = {};

	return (const struct sysctl *)ns_find(ns, &sysctl_new(&arena, ns->name, path, "")->object);
}

/* The declared setting that makes the interface forward IPv6, or NULL. */
static const struct sysctl *forwarding(const struct ns_state *ns, const char *dev) {
	const char *names[] = { dev, "all" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("net/ipv6/conf/%s/forwarding", names[i]);
		const struct sysctl *setting = setting_object(ns, path);

		if (setting)
			return streq(setting->value, "0") ? NULL : setting;
	}
	return NULL;
}

/* With accept_ra = 1, advertisements are accepted only while forwarding is off (ip-sysctl.rst). */
static void check_accept_ra(struct meaning *m, const struct ns_state *ns, const struct sysctl *sysctl) {
	const char *name = strrchr(sysctl->path, '/');

	if (!sysctl->dev || !streq(name, "/accept_ra") || !streq(sysctl->value, "1") || !forwarding(ns, sysctl->dev))
		return;
	diag_warning(m->diags, sysctl->object.position,
		     "%s/%s ignores router advertisements while IPv6 is forwarded: 1 means only without "
		     "forwarding; write 2",
		     ns->name, sysctl->dev);
}

void sysctl_warn(struct meaning *m) {
	state_foreach(ns, m->state)
		ns_foreach(object, ns)
			if (object_is_setting(object))
				check_accept_ra(m, ns, (const struct sysctl *)object);
}

/* The same for an interface that has addresses or routes from router advertisements. If the file declares accept_ra, only
 * check_accept_ra() applies. */
static void check_advertised(const struct ns_state *desired, const struct ns_state *seen, struct link *link,
			     struct diags *diags) {
	_cleanup_free_ char *path = xasprintf("net/ipv6/conf/%s/accept_ra", link->name);
	const struct sysctl *by = forwarding(desired, link->name);

	if (!by || link->accept_ra != 1 || setting_object(desired, path))
		return;
	link->accept_ra = 0; /* warn only once */
	diag_warning(diags, by->object.position,
		     "%s/%s has addresses or routes from router advertisements, which it ignores while IPv6 is forwarded; "
		     "write 'accept-ra: 2' with that interface, or 'forwarding: ipv4'",
		     seen->name, link->name);
}

bool sysctl_warn_seen(const struct object *desired, const struct ns_state *ns, const struct ns_state *seen,
		      struct diags *diags) {
	const struct sysctl *sysctl = (const struct sysctl *)desired;

	if (!sysctl_path_matches("net/ipv6/conf/*/forwarding", sysctl->path))
		return false;
	ns_foreach(object, seen) {
		const char *dev = object->kind->advertised ? object->kind->advertised(object) : NULL;
		struct link *link = dev ? (struct link *)ns_find_link(seen, dev) : NULL;

		if (link)
			check_advertised(ns, seen, link, diags);
	}
	return true;
}

bool sysctl_proxies(const struct object *desired, const char **ret_dev) {
	const struct sysctl *sysctl = (const struct sysctl *)desired;

	*ret_dev = sysctl->dev;
	return strstr(sysctl->path, "/proxy_") && !streq(sysctl->value, "0");
}
