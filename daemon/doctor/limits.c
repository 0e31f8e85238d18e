/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of the kernel and of this process against the size of the file, and the MTU along tunnels. */
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "doctor/doctor_private.h"
#include "kind/link.h"

/* The file's interfaces, each of which may be a neighbour of others. The machine has one table of neighbours, not one per
 * namespace: net/core/neighbour.c counts the entries of all together. */
static size_t count_neighbours(const struct spec *spec) {
	size_t n = 0;

	if (spec)
		state_foreach(ns, &spec->state)
			ns_foreach(object, ns)
				n += object_is_link(object);
	return n;
}

static bool tracks_connections(const struct object *object) {
	return is_of_section(object, "nat") || is_of_section(object, "filter");
}

static void check_neighbours(struct doctor *d, const char *family) {
	_cleanup_free_ char *path = xasprintf("/proc/sys/net/%s/neigh/default/gc_thresh3", family);
	long long limit = number_in(d, path);
	size_t n = count_neighbours(d->spec);

	if (limit < 0 || n <= (size_t)limit / 2)
		return;
	find(d, FINDING_WARNING,
	     say(d, "the file has %zu interfaces, and all namespaces together may know %lld neighbours", n, limit),
	     "\"neighbour table overflow\": packets to new neighbours are dropped",
	     say(d, "sysctl net.%s.neigh.default.gc_thresh3=%zu net.%s.neigh.default.gc_thresh2=%zu", family, 4 * n, family,
		 2 * n));
}

enum { CONNECTIONS_EACH = 256 }; /* simultaneous connections of a host: enough for a browser or a small server */

/* Each namespace has its own table, and the same limit applies to each. The fullest table is in the namespace through which the
 * others reach the outside. */
static void check_room_for_connections(struct doctor *d, long long limit) {
	const struct object *tracking = first_of(d->spec, tracks_connections);
	size_t n = count_namespaces(d->spec);

	if (!tracking || limit <= 0 || n * CONNECTIONS_EACH <= (size_t)limit)
		return;
	find_at(d, FINDING_WARNING, tracking->position,
		say(d, "the file has %zu namespaces, and a namespace tracks %lld connections at most", n, limit),
		say(d, "with more than %lld connections for each, new ones through NAT and stateful filters are dropped",
		    limit / (long long)n),
		say(d, "sysctl net.netfilter.nf_conntrack_max=%zu", n * 2 * CONNECTIONS_EACH));
}

static void check_connections(struct doctor *d) {
	long long used = number_in(d, "/proc/sys/net/netfilter/nf_conntrack_count"),
		  limit = number_in(d, "/proc/sys/net/netfilter/nf_conntrack_max");

	check_room_for_connections(d, limit);
	if (limit <= 0 || used * 10 < limit * 8)
		return;
	find(d, FINDING_WARNING, say(d, "%lld of %lld connections are being tracked", used, limit),
	     "when the table is full, new connections through NAT and stateful filters are dropped",
	     say(d, "sysctl net.netfilter.nf_conntrack_max=%lld", 4 * limit));
}

/* The daemon keeps a descriptor for each namespace that it made. */
static void check_descriptors(struct doctor *d) {
	size_t n = count_namespaces(d->spec);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || n + 100 <= limit.rlim_max)
		return;
	find(d, FINDING_WARNING,
	     say(d, "the file has %zu namespaces, and a process may open %llu files", n, (unsigned long long)limit.rlim_max),
	     "a namespace whose name somebody removes is lost, because topod does not hold all of them open",
	     say(d, "ulimit -Hn %zu; the service has LimitNOFILE=", 2 * n + 1000));
}

void check_limits(struct doctor *d) {
	check_neighbours(d, "ipv4");
	check_neighbours(d, "ipv6");
	check_connections(d);
	check_descriptors(d);
}

/* Queries the namespace of this process; /sys may show another one. 0: there is no such interface. */
static int mtu_of(const char *name) {
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return fd >= 0 && ioctl(fd, SIOCGIFMTU, &request) == 0 ? request.ifr_mtu : 0;
}

/* Unknown to `check`: the MTU of an interface that others made. */
static void check_link(struct doctor *d, const struct object *object) {
	const struct link *link = (const struct link *)object;
	const struct need below = object->kind->headroom ? object_lower(object) : (struct need){};
	const struct object *lower = below.ns ? state_find_need(&d->spec->state, &below) : NULL;

	if (!lower || !lower->kind->found || !streq(lower->ns, NS_HOST) || object_has(lower, LINK_MTU))
		return;
	long long real = mtu_of(((const struct link *)lower)->name), room = object->kind->headroom(object);
	long long mtu = object_has(object, LINK_MTU) ? link->mtu : 0;
	if (real <= 0 || !mtu || mtu + room <= real)
		return;
	find_at(d, FINDING_WARNING, object->position,
		say(d, "%s/%s has an mtu of %lld, and %s below it carries %lld", object->ns, link->name, mtu,
		    ((const struct link *)lower)->name, real),
		say(d, "with %lld bytes of outer headers, packets of more than %lld bytes are fragmented or lost", room,
		    real - room),
		say(d, "mtu: %lld", real - room));
}

void check_mtu(struct doctor *d) {
	if (d->spec)
		state_foreach(ns, &d->spec->state)
			ns_foreach(object, ns)
				if (object_is_link(object))
					check_link(d, object);
}
