/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other programs that manage networks on this machine, and settings of the kernel that surprise people. */
#include "doctor/doctor_private.h"

#include "kind/link.h"

static bool exists(const char *path) {
	return access(path, F_OK) == 0;
}

static bool exists_in(const char *const *directories, const char *name) {
	for (; *directories; directories++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", *directories, name);

		if (exists(path))
			return true;
	}
	return false;
}

void check_managers(struct doctor *d) {
	static const char *const udev[] = { "/etc/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d",
					    "/usr/local/lib/udev/rules.d", NULL },
				 *const networkd[] = { "/etc/systemd/network", "/usr/lib/systemd/network",
						       "/lib/systemd/network", NULL };
	bool knows_links = exists_in(udev, "70-topod.rules");

	if (exists("/run/NetworkManager") && !(knows_links && exists_in(udev, "90-topod.rules")))
		find(d, FINDING_WARNING, "NetworkManager runs, and topod's udev rules are not installed",
		     "NetworkManager takes over topod's interfaces, and sets addresses on them",
		     "install topod's package, or: nmcli device set INTERFACE managed no");
	if (exists("/run/systemd/netif") && !(knows_links && exists_in(networkd, "05-topod.network")))
		find(d, FINDING_WARNING, "systemd-networkd runs, and topod's file for it is not installed",
		     "networkd may configure topod's interfaces",
		     "install topod's package, which brings /usr/lib/systemd/network/05-topod.network");
}

static bool is_bridge(const struct object *object) {
	return object_is_link(object) && streq_ptr(object->kind->link_kind, "bridge") && !object->kind->found;
}

static bool chooses_ways(const struct object *object) {
	return is_of_section(object, "rules");
}

static struct position place_of(const struct object *object) {
	return object ? object->position : (struct position){};
}

/* br_netfilter gives frames between ports of a bridge to iptables and nftables. */
static void check_bridges(struct doctor *d) {
	const struct object *bridge = first_of(d->spec, is_bridge);

	if (number_in(d, "/proc/sys/net/bridge/bridge-nf-call-iptables") <= 0)
		return;
	find_at(d, bridge ? FINDING_WARNING : FINDING_NOTE, place_of(bridge), "net.bridge.bridge-nf-call-iptables is on",
		"the firewall of this machine also sees, and may drop, packets between ports of a bridge",
		"sysctl net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0");
}

static void check_reverse_paths(struct doctor *d) {
	const struct object *rule = first_of(d->spec, chooses_ways);

	if (number_in(d, "/proc/sys/net/ipv4/conf/all/rp_filter") != 1)
		return;
	find_at(d, rule ? FINDING_WARNING : FINDING_NOTE, place_of(rule), "net.ipv4.conf.all.rp_filter is 1 (strict)",
		"packets are dropped if they arrive through another interface than the answer would leave through",
		"sysctl net.ipv4.conf.all.rp_filter=2");
}

void check_settings(struct doctor *d) {
	check_bridges(d);
	check_reverse_paths(d);
}
