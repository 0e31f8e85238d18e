/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events about namespaces, their directory and files, against the real kernel.
 *
 * Nothing here sleeps: it waits with poll() on the descriptor under test, with a limit that only a failure reaches.
 */
#include "lab.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/mount.h>

#include "kernel/nl_socket.h"
#include "kernel/named_netns.h"
#include "base/vec.h"
#include "kernel/events.h"
#include "kind/kinds.h"
#include "model/source.h"

enum { WAIT_MS = 10000 };

struct heard {
	size_t n_told; /* how many of `dirty` are more specific than "anything in the namespace" */
	vec(int32_t) dirty;
	vec(char *) names, files;
	size_t everything;
};

static void heard_dirty(void *userdata, int32_t nsid, const struct hint *hint) {
	struct heard *heard = userdata;

	vec_push(&heard->dirty, nsid);
	heard->n_told += hint->type != HINT_NAMESPACE;
}

static void heard_name(void *userdata, const char *name) {
	vec_push(&((struct heard *)userdata)->names, xstrdup(name));
}

static void heard_file(void *userdata, const char *name) {
	vec_push(&((struct heard *)userdata)->files, xstrdup(name));
}

static void heard_everything(void *userdata) {
	((struct heard *)userdata)->everything++;
}

static void forget(struct heard *heard) {
	vec_foreach(name, &heard->names)
		free(*name);
	vec_foreach(file, &heard->files)
		free(*file);
	vec_done(&heard->names);
	vec_done(&heard->files);
	vec_done(&heard->dirty);
	heard->everything = 0;
	heard->n_told = 0;
}

static const struct watch_handlers handlers = {
	.heard = heard_dirty,
	.name_changed = heard_name,
	.file_changed = heard_file,
	.everything_dirty = heard_everything,
};

static bool readable(const struct watch *watch, int timeout_ms) {
	struct pollfd p = { .fd = watch_fd(watch), .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

static size_t dispatch(struct watch *watch) {
	size_t n = 0;

	assert_true(readable(watch, WAIT_MS));
	ok(watch_dispatch(watch, &n));
	return n;
}

static void drain(struct watch *watch, struct heard *heard) {
	while (readable(watch, 0))
		dispatch(watch);
	forget(heard);
}

/* This does not mean that there was nothing to read: namespaces of earlier tests are still being destroyed and give up their
 * ids, which only says that they are gone. */
static void assert_quiet(struct watch *watch, struct heard *heard) {
	while (readable(watch, 0))
		dispatch(watch);
	assert_int_equal(heard->n_told, 0);
	assert_int_equal(heard->names.n, 0);
	assert_int_equal(heard->files.n, 0);
	assert_int_equal(heard->everything, 0);
	forget(heard);
}

static bool has_id(struct heard *heard, int32_t nsid) {
	vec_foreach(id, &heard->dirty)
		if (*id == nsid)
			return true;
	return false;
}

static bool has_text(char **items, size_t n, const char *text) {
	for (size_t i = 0; i < n; i++)
		if (streq(items[i], text))
			return true;
	return false;
}

#define wait_until(watch, condition)     \
	do {                             \
		while (!(condition))     \
			dispatch(watch); \
	} while (0)
#define wait_for_id(watch, heard, nsid) wait_until(watch, has_id(heard, nsid))
#define wait_for_name(watch, heard, name) wait_until(watch, has_text((heard)->names.items, (heard)->names.n, name))
#define wait_for_file(watch, heard, name) wait_until(watch, has_text((heard)->files.items, (heard)->files.n, name))

static void want_all(struct watch *watch) {
	for (const struct class *const *class = classes; *class; class ++)
		watch_source(watch, (*class)->source, true);
}

/* Zeroed at first; it must not move while it listens. */
struct listening {
	struct heard heard;
	struct watch *watch;
	int32_t id; /* of the laboratory */
};

static void listen_to(struct listening *ret, struct lab *lab, int buffer) {
	ok(give_id(lab->fd, &ret->id));
	ok(watch_new(&ret->watch, &handlers, &ret->heard, buffer));
}

static void listening_done(struct listening *l) {
	forget(&l->heard);
	watch_free(l->watch);
}

static void a_child_namespace_is_heard(void **state) {
	struct lab *lab = *state;
	_cleanup_(listening_done) struct listening l = {};

	listen_to(&l, lab, 0);
	want_all(l.watch);
	assert_quiet(l.watch, &l.heard);
	change_addresses(&lab->route, RTM_NEWADDR, 1, 50, 0);
	assert_true(dispatch(l.watch) >= 50);
	assert_true(l.heard.dirty.n >= 50);
	assert_int_equal(l.heard.dirty.items[0], l.id);
	drain(l.watch, &l.heard);

	run("ip netns exec lab nft add table inet t");
	wait_for_id(l.watch, &l.heard, l.id);
	assert_false(has_id(&l.heard, WATCH_NSID_HOST));
	drain(l.watch, &l.heard);
	assert_int_equal(watch_overruns(l.watch), 0);
}

static void change(const char *command) {
	_cleanup_free_ char *inside = xasprintf("ip netns exec lab %s", command);

	run(inside);
}

/* For each group, a change that no other group reports. */
static void each_group_is_heard(void **state) {
	static const char *const changes[] = {
		"ip link set lo up",
		"ip link set lo mtu 9000",
		"ip address add 127.5.0.1/32 dev lo",
		"ip address add fd00::5/128 dev lo nodad",
		"ip address change 127.5.0.1/32 dev lo valid_lft 1000 preferred_lft 500", /* touches no route */
		"ip address change fd00::5/128 dev lo noprefixroute valid_lft 1000 preferred_lft 500",
		"ip route add blackhole 10.0.0.0/8",
		"ip -6 route add blackhole fd01::/64",
		"sysctl -qw net.ipv4.ip_forward=1",
		"sysctl -qw net.ipv6.conf.all.forwarding=1",
		"nft add table inet t",
	};
	struct lab *lab = *state;
	_cleanup_(listening_done) struct listening l = {};

	listen_to(&l, lab, 0);
	want_all(l.watch);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		drain(l.watch, &l.heard);
		change(changes[i]);
		wait_for_id(l.watch, &l.heard, l.id);
	}
}

/* Events of settings, tables and rules are received only if something like that is declared. */
static void nobody_hears_what_nobody_declares(void **state) {
	static const char *const changes[] = {
		"sysctl -qw net.ipv4.ip_forward=1",  "sysctl -qw net.ipv6.conf.all.forwarding=1", "nft add table inet t",
		"ip rule add to 10.0.0.0/8 table 7", "ip -6 rule add to fd01::/64 table 7",
	};
	struct lab *lab = *state;
	_cleanup_(listening_done) struct listening l = {};

	listen_to(&l, lab, 0);
	drain(l.watch, &l.heard);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		change(changes[i]);
	assert_quiet(l.watch, &l.heard);
	want_all(l.watch);
	change("ip rule add to 10.1.0.0/16 table 7");
	wait_for_id(l.watch, &l.heard, l.id);
	forget(&l.heard);
	change("nft add chain inet t c");
	wait_for_id(l.watch, &l.heard, l.id);
}

/* Of neighbour events, only the requested ones are received: forwarding entries for the zero address. */
static void forwarding_entries_are_heard_on_demand(void **state) {
	static const char *const others[] = {
		"ip -n lab neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev vx",
		"ip -n lab neigh del 10.0.0.9 dev vx",
		"bridge -n lab fdb append 02:00:00:00:00:09 dev vx dst 10.0.0.9",
		"bridge -n lab fdb append 00:00:00:00:00:01 dev vx dst 10.0.0.9",
	};
	static const char append[] = "bridge -n lab fdb append 00:00:00:00:00:00 dev vx dst 10.0.0.9";
	static const char remove[] = "bridge -n lab fdb del 00:00:00:00:00:00 dev vx dst 10.0.0.9";
	struct lab *lab = *state;
	_cleanup_(listening_done) struct listening l = {};

	/* It stays down; otherwise events of its link-local address and carrier could arrive at any time. */
	run("ip -n lab link add vx type vxlan id 7 dstport 4789 local 10.0.0.1 remote 10.0.0.2");
	listen_to(&l, lab, 0);
	drain(l.watch, &l.heard);
	run(append);
	assert_quiet(l.watch, &l.heard);
	watch_source(l.watch, kind_vxlan.source, true);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		run(others[i]);
	assert_quiet(l.watch, &l.heard);
	run(remove);
	wait_for_id(l.watch, &l.heard, l.id);
	drain(l.watch, &l.heard);
	watch_source(l.watch, kind_vxlan.source, true); /* doing it twice changes nothing */
	run(append);
	wait_for_id(l.watch, &l.heard, l.id);
	drain(l.watch, &l.heard);
	watch_source(l.watch, kind_vxlan.source, false);
	run(remove);
	assert_quiet(l.watch, &l.heard);
}

static void the_own_namespace_is_the_host(void **state) {
	struct lab *lab = *state;
	_cleanup_nl_ struct nl_socket here = NL_SOCKET_NONE;
	_cleanup_close_ int self = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	_cleanup_(listening_done) struct listening l = {};
	int32_t own;

	ok(nl_open(&here, NETLINK_ROUTE, -1));
	ok(watch_new(&l.watch, &handlers, &l.heard, 0));
	ok(give_id(lab->fd, &l.id)); /* getting an id is not a change */
	assert_quiet(l.watch, &l.heard);
	change_addresses(&here, RTM_NEWADDR, 1, 1, 0);
	wait_for_id(l.watch, &l.heard, WATCH_NSID_HOST);
	assert_false(has_id(&l.heard, l.id));
	drain(l.watch, &l.heard);

	/* Its events now carry its own id, from the next one on. */
	ok(give_id(self, &own));
	change_addresses(&here, RTM_DELADDR, 1, 1, 0);
	wait_for_id(l.watch, &l.heard, WATCH_NSID_HOST);
	drain(l.watch, &l.heard);
	change_addresses(&here, RTM_NEWADDR, 1, 1, 0);
	wait_for_id(l.watch, &l.heard, WATCH_NSID_HOST);
	assert_false(has_id(&l.heard, own));
	watch_free(l.watch);
	forget(&l.heard);

	/* The same for a watch that starts when it already has the id. */
	ok(watch_new(&l.watch, &handlers, &l.heard, 0));
	change_addresses(&here, RTM_DELADDR, 1, 1, 0);
	wait_for_id(l.watch, &l.heard, WATCH_NSID_HOST);
	assert_false(has_id(&l.heard, own));
}

static void without_an_id_nothing_is_heard(void **state) {
	struct lab *lab = *state;
	_cleanup_(listening_done) struct listening l = {};

	ok(watch_new(&l.watch, &handlers, &l.heard, 0));
	change_addresses(&lab->route, RTM_NEWADDR, 1, 1, 0);
	assert_quiet(l.watch, &l.heard);
}

static void an_overrun_dirties_everything(void **state) {
	struct lab *lab = *state;
	_cleanup_(listening_done) struct listening l = {};

	listen_to(&l, lab, 8192);
	change_addresses(&lab->route, RTM_NEWADDR, 0, 500, 0);
	dispatch(l.watch);
	assert_int_equal(l.heard.everything, 1);
	assert_int_equal(watch_overruns(l.watch), 1);
	forget(&l.heard);
	assert_quiet(l.watch, &l.heard);

	/* It receives events again at once: the queue was emptied before everything was reported dirty. */
	change_addresses(&lab->route, RTM_DELADDR, 0, 1, 0);
	wait_for_id(l.watch, &l.heard, l.id);
	assert_int_equal(l.heard.everything, 0);
	assert_int_equal(watch_overruns(l.watch), 1);
}

/* A socket that overran drops events silently until it is emptied: so a single dispatch must empty it. */
static void an_overrun_is_emptied_at_once(void **state) {
	struct lab *lab = *state;
	_cleanup_(listening_done) struct listening l = {};

	listen_to(&l, lab, 3 * 1024 * 1024); /* more events than one dispatch reads */
	for (uint32_t i = 0; watch_overruns(l.watch) == 0; i++) {
		assert_true(i < 10);
		for (uint32_t j = 0; j < 6; j++) {
			change_addresses(&lab->route, RTM_NEWADDR, 0, 1000, 0);
			change_addresses(&lab->route, RTM_DELADDR, 0, 1000, 0);
		}
		dispatch(l.watch);
	}
	assert_int_equal(l.heard.everything, 1);
	forget(&l.heard);
	assert_quiet(l.watch, &l.heard);
	change_addresses(&lab->route, RTM_NEWADDR, 0, 1, 0);
	wait_for_id(l.watch, &l.heard, l.id);
}

static void a_dispatch_is_bounded(void **state) {
	struct lab *lab = *state;
	_cleanup_(listening_done) struct listening l = {};
	size_t all = 0;

	listen_to(&l, lab, 0);
	for (uint32_t i = 0; i < 6; i++) /* an address is two events: itself and its local route */
		change_addresses(&lab->route, RTM_NEWADDR, i * 1000, 1000, 0);
	while (readable(l.watch, 0)) {
		size_t n = dispatch(l.watch);

		assert_in_range(n, 1, 5000);
		all += n;
	}
	assert_true(all >= 6000);
	assert_int_equal(watch_overruns(l.watch), 0);
}

static void names_come_and_go(void **state _unused_) {
	_cleanup_close_ int fd = -1, theirs = -1;
	_cleanup_(listening_done) struct listening l = {};

	ok(watch_new(&l.watch, &handlers, &l.heard, 0));
	ok(create("here", &fd, &problem));
	wait_for_name(l.watch, &l.heard, "here");
	drain(l.watch, &l.heard);
	ok(delete_name("here"));
	wait_for_name(l.watch, &l.heard, "here");
	drain(l.watch, &l.heard);
	run("ip netns add theirs");
	wait_for_name(l.watch, &l.heard, "theirs");
	drain(l.watch, &l.heard);
	run("ip netns delete theirs");
	wait_for_name(l.watch, &l.heard, "theirs");
	drain(l.watch, &l.heard);
	assert_quiet(l.watch, &l.heard);
}

/* topod may scan between the creation of the file and the mount on it, and would not scan again. */
static void a_late_mount_is_announced(void **state _unused_) {
	_cleanup_(listening_done) struct listening l = {};

	ok(watch_new(&l.watch, &handlers, &l.heard, 0));
	put_file(NETNS_DIR "/late", "");
	put_stale("never");
	wait_for_name(l.watch, &l.heard, "late");
	drain(l.watch, &l.heard);
	ok(mount("/proc/self/ns/net", NETNS_DIR "/late", "none", MS_BIND, NULL));
	wait_for_name(l.watch, &l.heard, "late");
	assert_false(has_text(l.heard.names.items, l.heard.names.n, "never"));
	drain(l.watch, &l.heard);
	ok(netns_remove_stale("never"));
	ok(delete_name("late"));
	wait_for_name(l.watch, &l.heard, "never");
	wait_for_name(l.watch, &l.heard, "late");
	drain(l.watch, &l.heard);
	ok(mount("none", "/mnt", "tmpfs", 0, NULL)); /* nothing is waited for any more: a mount causes no event */
	assert_quiet(l.watch, &l.heard);
	ok(umount("/mnt"));
}

static void files_come_and_go(void **state _unused_) {
	_cleanup_(listening_done) struct listening l = {};

	ok(watch_new(&l.watch, &handlers, &l.heard, 0));
	ok(watch_file(l.watch, "web"));
	ok(watch_file(l.watch, "web"));
	put_file("/etc/unrelated", "");
	drain(l.watch, &l.heard);
	ok(mkdir("/etc/netns", 0755));
	ok(mkdir("/etc/netns/web", 0755));
	ok(mkdir("/etc/netns/db", 0755));
	wait_for_file(l.watch, &l.heard, "web");
	assert_false(has_text(l.heard.files.items, l.heard.files.n, "db"));
	drain(l.watch, &l.heard);
	put_file("/etc/netns/web/resolv.conf", "nameserver 10.0.0.1\n");
	put_file("/etc/netns/db/resolv.conf", "");
	wait_for_file(l.watch, &l.heard, "web");
	drain(l.watch, &l.heard);
	put_file("/etc/netns/web/resolv.conf", "nameserver 10.0.0.2\n");
	wait_for_file(l.watch, &l.heard, "web");
	drain(l.watch, &l.heard);
	put_file("/etc/netns/db/resolv.conf", "");
	assert_quiet(l.watch, &l.heard);
	ok(unlink("/etc/netns/web/resolv.conf"));
	wait_for_file(l.watch, &l.heard, "web");
	assert_int_equal(l.heard.files.n, 1); /* watched twice, reported once */
	drain(l.watch, &l.heard);

	/* The whole directory is moved away, and appears again with another inode. */
	ok(rename("/etc/netns", "/etc/old"));
	wait_for_file(l.watch, &l.heard, "web");
	run("mkdir -p /etc/netns/web");
	drain(l.watch, &l.heard);
	put_file("/etc/netns/web/hosts", "");
	wait_for_file(l.watch, &l.heard, "web");
	run("rm -r /etc/old /etc/netns /etc/unrelated");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		in_lab(a_child_namespace_is_heard),
		in_lab(each_group_is_heard),
		in_lab(nobody_hears_what_nobody_declares),
		in_lab(without_an_id_nothing_is_heard),
		in_lab(forwarding_entries_are_heard_on_demand),
		in_lab(an_overrun_dirties_everything),
		in_lab(an_overrun_is_emptied_at_once),
		in_lab(a_dispatch_is_bounded),
		cmocka_unit_test(names_come_and_go),
		cmocka_unit_test(a_late_mount_is_announced),
		cmocka_unit_test(files_come_and_go),
		in_lab(the_own_namespace_is_the_host), /* last, because the own id cannot be removed */
	};
	int r = begin_lab();

	return r != 0 ? r : cmocka_run_group_tests(tests, NULL, NULL);
}
