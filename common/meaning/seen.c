/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only the kernel shows to be hardly meant: IPv6 forwarding on a host that lives by router advertisements. */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "kind/link.h"
#include "kind/route.h"
#include "kind/sysctl.h"
#include "meaning/meaning_private.h"

enum {
	KERNEL_RA = 2, /* IFAPROT_KERNEL_RA of linux/if_addr.h, 5.18 */
};

/* The declared setting by which the interface forwards IPv6, or NULL. */
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

/* The interface by which the object came in a router advertisement, or NULL. */
static const char *advertised(const struct object *object) {
	const struct address *a = (const struct address *)object;
	const struct route *r = (const struct route *)object;

	if (object->kind == &kind_address)
		return a->protocol == KERNEL_RA ? a->dev : NULL;
	return object->kind == &kind_route && r->protocol == RTPROT_RA ? r->dev : NULL;
}

/* accept_ra in the kernel's ip-sysctl.rst: 1 holds as long as forwarding is off. Where the file says something of it, the file
 * alone is judged (settings.c). */
static void check_advertised(const struct ns_state *desired, const struct ns_state *seen, struct link *link,
			     struct diags *diags) {
	_cleanup_free_ char *path = xasprintf("net/ipv6/conf/%s/accept_ra", link->name);
	const struct sysctl *by = forwarding(desired, link->name);

	if (!by || link->accept_ra != 1 || setting_object(desired, path))
		return;
	link->accept_ra = 0; /* told once */
	diag_warning(diags, by->object.position,
		     "%s/%s has addresses or routes from router advertisements, which it ignores while IPv6 is forwarded; "
		     "write 'accept-ra: 2' with that interface, or 'forwarding: ipv4'",
		     seen->name, link->name);
}

void meaning_seen(const struct state *desired, const struct state *observed, struct diags *diags) {
	state_foreach(ns, desired) {
		const struct ns_state *seen = state_find(observed, ns->name);

		ns_foreach(object, seen) {
			const char *dev = advertised(object);
			struct link *link = dev ? (struct link *)ns_find_link(seen, dev) : NULL;

			if (link)
				check_advertised(ns, seen, link, diags);
		}
	}
}

bool meaning_needs_scan(const struct ns_state *desired) {
	ns_foreach(object, desired)
		if (object->kind == &kind_sysctl &&
		    sysctl_path_matches("net/ipv6/conf/*/forwarding", ((const struct sysctl *)object)->path))
			return true;
	return false;
}
