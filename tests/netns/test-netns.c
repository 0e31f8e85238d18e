/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of namespaces, and entering one, against the real kernel.
 */
#include "lab.h"

#include <arpa/inet.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "kernel/nl_socket.h"
#include "kernel/named_netns.h"

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

/* Somebody has mounted another /run over the one in which the directory is a mount point. */
static void a_hidden_mount_is_not_it(void **state _unused_) {
	int fd = -1;

	ok(mount("tmpfs", "/run", "tmpfs", 0, NULL));
	ok(netns_prepare(&problem));
	assert_int_equal(count_lines("/proc/self/mountinfo", " " NETNS_DIR " "), 2);
	ok(create("one", &fd, &problem));
	close(fd);
	run("ip netns add by-ip && ip netns delete by-ip");
	ok(delete_name("one"));
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
	ok(open_name("one", &opened));
	ok(netns_identity(created, &a));
	ok(netns_identity(opened, &b));
	assert_true(netns_is_same(&a, &b));
	assert_int_not_equal(a.inode, here);
	run("ip netns list | grep -qw one");
	run("ip netns exec one ip link show lo >/dev/null");
	assert_int_equal(netns_remove_stale("one"), -EEXIST);
	ok(delete_name("one"));
	assert_int_equal(open_name("one", &none), -ENOENT);
	assert_int_equal(delete_name("one"), -ENOENT);
	assert_int_equal(netns_remove_stale("one"), -ENOENT);
	assert_int_equal(count_lines("/proc/self/mountinfo", ""), mounts);
	assert_int_equal(none, -1);
}

/* As a socket in the namespace says it; nothing but a descriptor is needed. */
static void a_cookie_is_that_of_its_sockets(void **state) {
	struct lab *lab = *state;
	uint64_t cookie = 0, own = 0, expected = 0;
	socklen_t size = sizeof(expected);
	ino_t home = current_inode();

	{
		_cleanup_(netns_leave) struct netns_visit visit = NETNS_VISIT_NONE;
		_cleanup_close_ int sock = -1;

		ok(netns_enter(&visit, lab->fd));
		sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		ok(getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &expected, &size));
		/* Also from within another namespace, to which it returns. */
		ok(netns_cookie(netns_home(), &own));
		assert_int_not_equal(current_inode(), home);
	}
	ok(netns_cookie(lab->fd, &cookie));
	assert_int_equal(cookie, expected);
	assert_int_not_equal(own, expected);
	assert_int_equal(current_inode(), home);
}

static void ip_and_we_agree(void **state _unused_) {
	_cleanup_close_ int fd = -1, ours = -1;

	run("ip netns add theirs");
	ok(open_name("theirs", &fd));
	ok(delete_name("theirs"));
	ok(create("ours", &ours, &problem));
	run("ip netns delete ours");
	run("test -z \"$(ls " NETNS_DIR ")\"");
}

static void a_name_mounted_twice(void **state _unused_) {
	_cleanup_close_ int fd = -1;

	ok(create("twice", &fd, &problem));
	ok(mount(NETNS_DIR "/twice", NETNS_DIR "/twice", "none", MS_BIND, NULL));
	ok(delete_name("twice"));
	assert_int_equal(access(NETNS_DIR "/twice", F_OK), -1);
}

/* Only the namespace that was seen is deleted, not one that has replaced it since. */
static void another_one_of_that_name_stays(void **state _unused_) {
	_cleanup_close_ int fd = -1, theirs = -1;
	struct netns_identity identity = {};

	ok(create("name", &fd, &problem));
	ok(netns_identity(fd, &identity));
	ok(delete_name("name"));
	assert_int_equal(netns_delete("name", &identity, &problem), -ENOENT);
	run("ip netns add name");
	assert_int_equal(netns_delete("name", &identity, &problem), -ENOENT);
	ok(open_name("name", &theirs));
	ok(delete_name("name"));
	ok(symlink("/proc/self/ns/net", NETNS_DIR "/name"));
	assert_int_equal(netns_delete("name", &identity, &problem), -ENOENT);
	put_file("/run/victim", "whole");
	run("rm " NETNS_DIR "/name; cp /run/victim " NETNS_DIR "/name");
	assert_int_equal(netns_delete("name", &identity, &problem), -ENOENT);
	run("grep -q whole " NETNS_DIR "/name && rm " NETNS_DIR "/name /run/victim");
}

static void is_in_the_way(const char *name, const char *words) {
	int fd = -1;

	assert_int_equal(open_name(name, &fd), -EEXIST);
	assert_string_equal(problem, words);
	assert_int_equal(fd, -1);
	assert_int_equal(create(name, &fd, &problem), -EEXIST);
	assert_int_equal(netns_remove_stale(name), -EEXIST);
	assert_int_equal(delete_name(name), -EEXIST);
}

static void what_is_no_namespace(void **state _unused_) {
	int fd = -1;

	put_stale("stale");
	assert_int_equal(open_name("stale", &fd), -EINVAL);
	assert_int_equal(create("stale", &fd, &problem), -EEXIST);
	ok(netns_remove_stale("stale"));
	put_file("/run/victim", "whole");
	put_file(NETNS_DIR "/empty", "");
	put_file(NETNS_DIR "/notes", "notes");
	ok(chmod(NETNS_DIR "/notes", 0));
	ok(symlink("/run/victim", NETNS_DIR "/link"));
	ok(symlink("/run/nobody", NETNS_DIR "/nowhere"));
	ok(symlink("loop", NETNS_DIR "/loop"));
	ok(mkfifo(NETNS_DIR "/fifo", 0600));
	run("mkdir " NETNS_DIR "/directory");
	for (int round = 0; round < 2; round++) { /* a refused one stays as it was */
		is_in_the_way("empty", "a file that is not a network namespace");
		is_in_the_way("notes", "a file that is not a network namespace");
		is_in_the_way("link", "a symbolic link to something other than a network namespace");
		is_in_the_way("nowhere", "a dangling symbolic link");
		is_in_the_way("loop", "a dangling symbolic link");
		is_in_the_way("fifo", "a file that is not a network namespace");
		is_in_the_way("directory", "a directory");
	}
	run("test \"$(cat /run/victim " NETNS_DIR "/notes)\" = wholenotes && rm -r /run/victim " NETNS_DIR "/*");
}

/* The usual way to name a container's namespace: it is opened, and never removed. */
static void a_link_to_a_namespace(void **state _unused_) {
	_cleanup_close_ int fd = -1, made = -1;
	struct netns_identity a = {}, b = {};
	char path[64];
	int none = -1;

	ok(netns_make(&none, &problem));
	made = fcntl(none, F_DUPFD_CLOEXEC, 500); /* a descriptor number that is not reused at once */
	close(none);
	none = -1;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), made);
	ok(symlink(path, NETNS_DIR "/ctr"));
	ok(open_name("ctr", &fd));
	ok(netns_identity(fd, &a));
	ok(netns_identity(made, &b));
	assert_true(netns_is_same(&a, &b));
	run("ip netns exec ctr ip link show lo >/dev/null");
	assert_int_equal(create("ctr", &none, &problem), -EEXIST);
	assert_int_equal(netns_remove_stale("ctr"), -EEXIST);
	assert_int_equal(delete_name("ctr"), -ENOENT);
	/* If others can write to the directory, the link cannot be trusted. */
	ok(chmod(NETNS_DIR, 0777));
	assert_int_equal(open_name("ctr", &none), -EEXIST);
	assert_string_equal(problem, "a symbolic link, and others may write to " NETNS_DIR);
	ok(chmod(NETNS_DIR, 0755));
	close(TAKE_FD(made));
	is_in_the_way("ctr", "a dangling symbolic link");
	run("rm " NETNS_DIR "/ctr");
}

/* A mount namespace is a namespace too, but not a network namespace. */
static void another_kind_of_namespace(void **state _unused_) {
	put_file(NETNS_DIR "/uts", "");
	ok(symlink("/proc/self/ns/uts", NETNS_DIR "/link"));
	is_in_the_way("link", "a symbolic link to something other than a network namespace");
	ok(mount("/proc/self/ns/uts", NETNS_DIR "/uts", "none", MS_BIND, NULL));
	is_in_the_way("uts", "a namespace of another kind");
	run("umount " NETNS_DIR "/uts && rm " NETNS_DIR "/uts " NETNS_DIR "/link");
}

/* Creating needs three descriptors, and the third is not available: by then the file exists already. */
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
	int32_t id = -2, recreates = -2, another = -2;

	ok(netns_known_id(lab->fd, &id));
	assert_int_equal(id, -1);
	ok(give_id(lab->fd, &id));
	assert_true(id >= 0);
	ok(give_id(lab->fd, &recreates));
	assert_int_equal(id, recreates);
	ok(netns_known_id(lab->fd, &recreates));
	assert_int_equal(id, recreates);
	ok(create("other", &other, &problem));
	ok(give_id(other, &another));
	assert_int_not_equal(id, another);
	assert_true(give_id(STDERR_FILENO, &another) < 0);
	ok(delete_name("other"));
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
	ok(delete_name("other"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preparing_twice_mounts_once),
		cmocka_unit_test(a_private_mount_is_made_shared),
		cmocka_unit_test(a_hidden_mount_is_not_it),
		cmocka_unit_test(create_open_delete),
		cmocka_unit_test(ip_and_we_agree),
		cmocka_unit_test(a_name_mounted_twice),
		cmocka_unit_test(another_one_of_that_name_stays),
		cmocka_unit_test(what_is_no_namespace),
		cmocka_unit_test(a_link_to_a_namespace),
		cmocka_unit_test(another_kind_of_namespace),
		cmocka_unit_test(a_failed_creation_leaves_nothing),
		in_lab(an_id_is_stable),
		in_lab(a_cookie_is_that_of_its_sockets),
		in_lab(a_visit_ends_at_home),
	};
	int r = begin_lab();

	return r != 0 ? r : cmocka_run_group_tests(tests, NULL, NULL);
}
