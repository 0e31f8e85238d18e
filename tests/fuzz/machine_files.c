/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine has besides sockets: named namespaces, settings, files below /etc/netns. The choices of the input say what
 * fails and what a file contains.
 */
#include "machine_private.h"

#include <sys/eventfd.h>

#include "files/etc_file.h"
#include "kernel/named_netns.h"
#include "kernel/proc_sys.h"

/* ---- named_netns.h ---- */

int netns_prepare(const char **ret_problem) {
	*ret_problem = NULL;
	return 0;
}

static int some_fd(int *ret_fd, unsigned place) {
	*ret_fd = machine_place_descriptor(eventfd(0, EFD_CLOEXEC), place);
	return *ret_fd < 0 ? -errno : 0;
}

static int some_error(void) {
	static const int errors[] = { 0, 0, 0, 0, -ENOENT, -EINVAL, -EEXIST, -EPERM };

	return errors[machine_byte() % ARRAY_SIZE(errors)];
}

int netns_make(int *ret_fd, const char **ret_problem) {
	int r = some_error();

	*ret_problem = NULL;
	return r ? r : some_fd(ret_fd, 0);
}

int netns_name(int fd, const char *name, const char **ret_problem) {
	*ret_problem = NULL;
	machine_place_descriptor(fd, machine_place(name));
	return some_error();
}

int netns_delete(const char *name _unused_, const struct netns_identity *identity _unused_, const char **ret_problem) {
	*ret_problem = NULL;
	return some_error();
}

const char **netns_names(struct arena *arena) {
	return arena_newn(arena, const char *, 1);
}

void netns_keep_dir(bool keep _unused_) {
}

int netns_open(const char *name, int *ret_fd, const char **ret_problem) {
	int r = some_error();

	*ret_problem = r == -EEXIST ? "a directory" : NULL;
	return r ? r : some_fd(ret_fd, machine_place(name));
}

int netns_open_identified(const char *name, int *ret_fd, struct netns_identity *ret, const char **ret_problem) {
	int r = netns_open(name, ret_fd, ret_problem);

	return r ? r : netns_identity(*ret_fd, ret);
}

int netns_remove_stale(const char *name _unused_) {
	return some_error();
}

bool netns_leads_to(const char *name _unused_, const char *target _unused_) {
	return machine_byte() % 2;
}

int netns_link(const char *name _unused_, const char *target _unused_, const char *former _unused_,
	       const char **ret_problem) {
	*ret_problem = NULL;
	return some_error();
}

int netns_unlink(const char *name _unused_, const char *target _unused_) {
	return some_error();
}

int netns_cookie(int fd _unused_, uint64_t *ret) {
	*ret = 1;
	return 0;
}

bool netns_is_named(const char *name _unused_, const struct netns_identity *identity _unused_) {
	return true;
}

int netns_watch_mounts(void) {
	return -ENOENT;
}

/* If the choices say so, it is another namespace than before. */
int netns_identity(int fd, struct netns_identity *ret) {
	*ret = (struct netns_identity){ .inode = machine_inode_of(machine_place_of(fd)) + machine_byte() % 4 };
	return 0;
}

int netns_init(void) {
	return 0;
}

int netns_home(void) {
	return -1;
}

int netns_enter(struct netns_visit *visit, int fd) {
	visit->away = true;
	machine_stand_in(machine_place_of(fd));
	return 0;
}

void netns_leave(struct netns_visit *visit) {
	visit->away = false;
	machine_stand_in(0);
}

/* ---- nsid.c ---- */

const char *__wrap_netns_name_of(struct nl_socket *sock, int32_t id, struct arena *arena);
int __wrap_netns_known_id(int fd, int32_t *ret);

const char *__wrap_netns_name_of(struct nl_socket *sock _unused_, int32_t id, struct arena *arena) {
	return id % 2 ? arena_printf(arena, "ns%d", id) : NULL;
}

int __wrap_netns_known_id(int fd _unused_, int32_t *ret) {
	*ret = (int32_t)(machine_byte() % 8) - 1;
	return 0;
}

/* ---- processes: there are none ---- */

void __wrap_processes_walk(bool (*fn)(void *userdata, int proc, int pid, uint64_t netns), void *userdata);

void __wrap_processes_walk(bool (*fn)(void *userdata, int proc, int pid, uint64_t netns) _unused_, void *userdata _unused_) {
}

/* ---- proc_sys.h, etc_file.h ---- */

static const char *some_text(struct arena *arena, int *ret_error) {
	uint8_t length = machine_byte() % 64;
	char *text;

	*ret_error = 0;
	if (length == 0) {
		*ret_error = -ENOENT;
		return NULL;
	}
	text = arena_alloc(arena, length + 1u);
	for (uint8_t i = 0; i < length; i++)
		text[i] = (char)machine_byte();
	return text;
}

void proc_sys_visit(struct proc_sys *settings) {
	settings->n_namespaces++;
}

void proc_sys_done(struct proc_sys *settings) {
	*settings = PROC_SYS_NONE;
}

const char *setting_read(const struct proc_sys *settings _unused_, struct arena *arena, const char *path _unused_,
			 int *ret_error) {
	return some_text(arena, ret_error);
}

const char **setting_list(const struct proc_sys *settings _unused_, struct arena *arena _unused_,
			  const char *directory _unused_, int *ret_error) {
	*ret_error = -ENOENT;
	return NULL;
}

int setting_write(const struct proc_sys *settings _unused_, const char *path _unused_, const char *value _unused_) {
	return some_error();
}

const char *etc_file_read(struct arena *arena, const char *ns _unused_, const char *file _unused_, int *ret_error) {
	return some_text(arena, ret_error);
}

int etc_file_write(const char *ns _unused_, const char *file _unused_, const char *content _unused_, bool replace _unused_) {
	return some_error();
}

int etc_file_remove(const char *ns _unused_, const char *file _unused_) {
	return some_error();
}

void etc_file_clear(const char *ns _unused_, const char *file _unused_) {
}
