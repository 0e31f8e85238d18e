/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings and files that undo one another. */
#include "kind/resolv_conf.h"
#include "kind/sysctl.h"
#include "meaning/meaning_private.h"

static bool forwards_ipv6(const struct ns_state *ns, const char *dev) {
	_cleanup_free_ char *path = xasprintf("net/ipv6/conf/%s/forwarding", dev);
	const char *own = setting_of(ns, path), *all = setting_of(ns, "net/ipv6/conf/all/forwarding");

	own = own ? own : all;
	return own && !streq(own, "0");
}

/* accept_ra in the kernel's ip-sysctl.rst: 1 holds as long as forwarding is off. */
static void check_accept_ra(struct meaning *m, const struct ns_state *ns, const struct sysctl *sysctl) {
	const char *name = strrchr(sysctl->path, '/');

	if (!sysctl->dev || !streq(name, "/accept_ra") || !streq(sysctl->value, "1") || !forwards_ipv6(ns, sysctl->dev))
		return;
	diag_warning(m->diags, sysctl->object.position,
		     "%s/%s ignores router advertisements while IPv6 is forwarded: 1 means only without "
		     "forwarding; write 2",
		     ns->name, sysctl->dev);
}

static void check_zones(struct meaning *m, const struct ns_state *ns, const struct dns *dns) {
	for (size_t i = 0; i < dns->n_zones; i++)
		if (!ns_find_link(ns, dns->zones[i].dev) && !ns->adopt)
			diag_warning(m->diags, dns->zones[i].position,
				     "'servers' names %s, but %s has no interface of that name", dns->zones[i].dev,
				     ns->name);
}

void meaning_settings(struct meaning *m) {
	state_foreach(ns, m->state)
		ns_foreach(object, ns) {
			if (object->kind == &kind_sysctl)
				check_accept_ra(m, ns, (const struct sysctl *)object);
			if (object->kind == &kind_dns)
				check_zones(m, ns, (const struct dns *)object);
		}
}
