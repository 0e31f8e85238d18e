/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does this kernel have what the file needs? lacking.c queries it. */
#include "doctor/doctor_private.h"
#include "doctor/lacking.h"
#include "model/change.h"

static void find_lack(void *userdata, const struct lack *lack) {
	struct doctor *d = userdata;

	find_at(d, FINDING_ERROR, lack->position, say(d, "this kernel has no %s", lack->what),
		"neither these nor objects that need them can be made; the rest can. If it has no such module, it was built "
		"without",
		lack->module ? say(d, "modprobe %s", lack->module) : NULL);
}

static bool is_made_by_ioctl(const struct object *object) {
	const struct change creation = { .type = CHANGE_CREATE, .desired = object };

	return change_transport(&creation) == TRANSPORT_TUN;
}

static void check_tun(struct doctor *d) {
	if (access("/dev/net/tun", F_OK) == 0)
		return;
	state_foreach(ns, &d->spec->state)
		ns_foreach(object, ns)
			if (is_made_by_ioctl(object)) {
				find_at(d, FINDING_ERROR, object->position, "there is no /dev/net/tun",
					say(d, "no '%s' interface can be made", object->kind->name), "modprobe tun");
				return;
			}
}

void check_kernel(struct doctor *d) {
	if (access("/proc/sys/net/ipv6", F_OK) < 0)
		find(d, FINDING_WARNING, "this kernel has no IPv6, or it is switched off at boot",
		     "IPv6 addresses, routes and rules cannot be made",
		     "remove ipv6.disable=1 from the kernel's command line");
	if (!d->spec || !d->has_rights)
		return;
	check_tun(d);
	(void)kernel_lacks(&d->found->arena, &d->spec->state, find_lack, d);
}
