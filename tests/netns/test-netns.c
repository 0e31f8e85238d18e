/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder of namespaces, and being inside one, against the real kernel.
 */
#include "lab.h"

#include <arpa/inet.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "kernel/netlink.h"
#include "kernel/netns.h"

static size_t count_lines(const char *path, const char *part) {
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t allocated = 0, n = 0;

	assert_non_null(f);
	while (getline(&line, &allocated, f) >= 0)
		n += strstr(line, part) ? 1 : 0;
	return n;
}

static void preparing_twice_mounts_once(void **state _unused_) {
	struct stat st;

	ok(netns_prepare(&problem));
	assert_int_equal(count_lines("/proc/self/mountinfo", " " NETNS_DIR " "), 1);
	run("grep -q '" NETNS_DIR " .* shared:' /proc/self/mountinfo");
	size_t mounts = count_lines("/proc/self/mountinfo", "");
	ok(netns_prepare(&problem));
	run("ip netns add by-ip && ip netns delete by-ip");
	ok(netns_prepare(&problem));
	assert_int_equal(count_lines("/proc/self/mountinfo", ""), mounts);
	ok(stat(NETNS_DIR, &st));
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void a_private_mount_is_made_shared(void **state _unused_) {
	size_t mounts = count_lines("/proc/self/mountinfo", "");

	ok(mount("", NETNS_DIR, NULL, MS_PRIVATE, NULL));
	ok(netns_prepare(&problem));
	assert_int_equal(count_lines("/proc/self/mountinfo", ""), mounts);
	run("grep -q '" NETNS_DIR " .* shared:' /proc/self/mountinfo");
}

/* Somebody has put another /run over the one in which the folder is a mount. */
static void a_hidden_mount_is_not_it(void **state _unused_) {
	int fd = -1;

	ok(mount("tmpfs", "/run", "tmpfs", 0, NULL));
	ok(netns_prepare(&problem));
	assert_int_equal(count_lines("/proc/self/mountinfo", " " NETNS_DIR " "), 2);
	ok(create("one", &fd, &problem));
	close(fd);
	run("ip netns add by-ip && ip netns delete by-ip");
	ok(netns_delete("one", &problem));
	ok(umount2("/run", MNT_DETACH));
}

static void create_open_delete(void **state _unused_) {
	_cleanup_close_ int created = -1, opened = -1;
	size_t mounts = count_lines("/proc/self/mountinfo", "");
	struct netns_identity a = {}, b = {};
	ino_t here = current_inode();
	int none = -1;

	ok(create("one", &created, &problem));
	assert_int_equal(current_inode(), here);
	assert_int_equal(create("one", &none, &problem), -EEXIST);
	ok(netns_open("one", &opened));
	ok(netns_identity(created, &a));
	ok(netns_identity(opened, &b));
	assert_true(netns_is_same(&a, &b));
	assert_int_not_equal(a.inode, here);
	run("ip netns list | grep -qw one");
	run("ip netns exec one ip link show lo >/dev/null");
	assert_int_equal(netns_remove_stale("one"), -EBUSY);
	ok(netns_delete("one", &problem));
	assert_int_equal(netns_open("one", &none), -ENOENT);
	assert_int_equal(netns_delete("one", &problem), -ENOENT);
	assert_int_equal(netns_remove_stale("one"), -ENOENT);
	assert_int_equal(count_lines("/proc/self/mountinfo", ""), mounts);
	assert_int_equal(none, -1);
}

static void ip_and_we_agree(void **state _unused_) {
	_cleanup_close_ int fd = -1, ours = -1;

	run("ip netns add theirs");
	ok(netns_open("theirs", &fd));
	ok(netns_delete("theirs", &problem));
	ok(create("ours", &ours, &problem));
	run("ip netns delete ours");
	run("test -z \"$(ls " NETNS_DIR ")\"");
}

static void a_name_mounted_twice(void **state _unused_) {
	_cleanup_close_ int fd = -1;

	ok(create("twice", &fd, &problem));
	ok(mount("/proc/self/ns/net", NETNS_DIR "/twice", "none", MS_BIND, NULL));
	ok(netns_delete("twice", &problem));
	assert_int_equal(access(NETNS_DIR "/twice", F_OK), -1);
}

static void what_is_no_namespace(void **state _unused_) {
	int fd = -1, victim = -1;
	char text[8] = "";

	put_file(NETNS_DIR "/stale", "");
	put_file("/run/victim", "whole");
	ok(symlink("/run/victim", NETNS_DIR "/link"));
	ok(symlink("/proc/self/ns/net", NETNS_DIR "/planted"));
	ok(mkfifo(NETNS_DIR "/fifo", 0600));
	assert_int_equal(netns_open("stale", &fd), -EINVAL);
	assert_int_equal(netns_open("link", &fd), -EINVAL);
	assert_int_equal(netns_open("planted", &fd), -EINVAL);
	assert_int_equal(netns_open("fifo", &fd), -EINVAL);
	assert_int_equal(create("stale", &fd, &problem), -EEXIST);
	assert_int_equal(create("link", &fd, &problem), -EEXIST);
	assert_int_equal(create("planted", &fd, &problem), -EEXIST);
	ok(netns_remove_stale("stale"));
	ok(netns_remove_stale("link"));
	ok(netns_remove_stale("fifo"));
	ok(netns_delete("planted", &problem));
	run("test -z \"$(ls " NETNS_DIR ")\"");
	victim = open("/run/victim", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(victim, text, sizeof(text) - 1), 5);
	assert_string_equal(text, "whole");
	close(victim);
	unlink("/run/victim");
}

/* A mount namespace is a namespace too, but not ours to enter. */
static void another_kind_of_namespace(void **state _unused_) {
	int fd = -1;

	put_file(NETNS_DIR "/uts", "");
	ok(mount("/proc/self/ns/uts", NETNS_DIR "/uts", "none", MS_BIND, NULL));
	assert_int_equal(netns_open("uts", &fd), -EINVAL);
	assert_int_equal(netns_remove_stale("uts"), -EBUSY);
	ok(netns_delete("uts", &problem));
}

/* No descriptor is left for the third that creating needs: the file is there already by then. */
static void a_failed_creation_leaves_nothing(void **state _unused_) {
	struct rlimit old, tight;
	_cleanup_close_ int next = dup(STDERR_FILENO);
	ino_t here = current_inode();
	int fd = -1;

	ok(getrlimit(RLIMIT_NOFILE, &old));
	for (int more = 1; more <= 3; more++) {
		tight = (struct rlimit){ (rlim_t)next + (rlim_t)more, old.rlim_max };
		ok(setrlimit(RLIMIT_NOFILE, &tight));
		int r = create("never", &fd, &problem);
		ok(setrlimit(RLIMIT_NOFILE, &old));
		assert_int_equal(r, -EMFILE);
		assert_int_equal(fd, -1);
		assert_int_equal(access(NETNS_DIR "/never", F_OK), -1);
		assert_int_equal(here, current_inode());
	}
}

static void an_id_is_stable(void **state) {
	struct lab *lab = *state;
	_cleanup_close_ int other = -1;
	int32_t id = -2, again = -2, another = -2;

	ok(netns_known_id(lab->fd, &id));
	assert_int_equal(id, -1);
	ok(netns_id(lab->fd, &id));
	assert_true(id >= 0);
	ok(netns_id(lab->fd, &again));
	assert_int_equal(id, again);
	ok(netns_known_id(lab->fd, &again));
	assert_int_equal(id, again);
	ok(create("other", &other, &problem));
	ok(netns_id(other, &another));
	assert_int_not_equal(id, another);
	assert_true(netns_id(STDERR_FILENO, &another) < 0);
	ok(netns_delete("other", &problem));
}

static ino_t visited(int fd, int other) {
	_cleanup_(netns_leave) struct netns_visit visit = NETNS_VISIT_NONE;
	ino_t home = current_inode(), first;

	ok(netns_enter(&visit, fd));
	first = current_inode();
	ok(netns_enter(&visit, other));
	assert_int_not_equal(current_inode(), first);
	ok(netns_enter(&visit, -1));
	assert_int_equal(current_inode(), home);
	assert_int_equal(netns_enter(&visit, STDERR_FILENO), -EINVAL);
	ok(netns_enter(&visit, fd));
	return first;
}

static void a_visit_ends_at_home(void **state) {
	struct lab *lab = *state;
	_cleanup_close_ int other = -1;
	struct netns_identity identity = {};
	ino_t home = current_inode();

	ok(create("other", &other, &problem));
	ok(netns_identity(lab->fd, &identity));
	assert_int_equal(visited(lab->fd, other), identity.inode);
	assert_int_equal(current_inode(), home);
	ok(netns_delete("other", &problem));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preparing_twice_mounts_once),
		cmocka_unit_test(a_private_mount_is_made_shared),
		cmocka_unit_test(a_hidden_mount_is_not_it),
		cmocka_unit_test(create_open_delete),
		cmocka_unit_test(ip_and_we_agree),
		cmocka_unit_test(a_name_mounted_twice),
		cmocka_unit_test(what_is_no_namespace),
		cmocka_unit_test(another_kind_of_namespace),
		cmocka_unit_test(a_failed_creation_leaves_nothing),
		in_lab(an_id_is_stable),
		in_lab(a_visit_ends_at_home),
	};
	int r = begin_lab();

	return r != 0 ? r : cmocka_run_group_tests(tests, NULL, NULL);
}
