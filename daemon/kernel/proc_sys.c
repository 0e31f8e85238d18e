/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/sys shows each namespace its own settings under the same names. The kernel keeps an entry for each of them in one
 * chain, directory by directory, and every look-up walks along it: in the thousandth namespace that takes ten times as long
 * as the setting itself. So if many are visited, topod uses a detached procfs of its own, which is discarded before its
 * chains become long. If the kernel refuses one (in a sandbox, or before Linux 5.2), the machine's /proc is used, which is
 * only slower.
 */
#include "kernel/proc_sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "files/own_dir.h"
#include "files/text_file.h"
#include "model/field.h"

#define PROC "/proc"

enum {
	SETTING_MAX = 1024,
	SPARED_VISITS = 4, /* mounting is not worth it for so few */
	VISITS_PER_PROC = 64,
};

static int open_proc(void) {
	_cleanup_close_ int context = fsopen("proc", FSOPEN_CLOEXEC);

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC, 0);
}

void proc_sys_visit(struct proc_sys *settings) {
	if (settings->n_namespaces++ % VISITS_PER_PROC != SPARED_VISITS)
		return;
	closep(&settings->proc);
	settings->proc = open_proc();
}

void proc_sys_done(struct proc_sys *settings) {
	closep(&settings->proc);
	*settings = PROC_SYS_NONE;
}

/* The path contains names from the file and from the ledger. */
static int open_setting(const struct proc_sys *settings, const char *path, int flags) {
	char full[sizeof(PROC "/sys/") + 256];

	if (!path_stays_below(path))
		return -EINVAL;
	if ((size_t)snprintf(full, sizeof(full), PROC "/sys/%s", path) >= sizeof(full))
		return -ENAMETOOLONG;
	flags |= O_CLOEXEC | O_NOCTTY;
	int fd = settings->proc < 0 ? open(full, flags) : openat(settings->proc, full + strlen(PROC "/"), flags);
	return fd < 0 ? -errno : fd;
}

/* What the first read() gives is the whole value: after it, each file of /proc/sys is at its end. */
const char *setting_read(const struct proc_sys *settings, struct arena *arena, const char *path, int *ret_error) {
	_cleanup_close_ int fd = open_setting(settings, path, O_RDONLY);
	char value[SETTING_MAX];
	ssize_t n;

	if (fd < 0) {
		*ret_error = fd;
		return NULL;
	}
	do
		n = read(fd, value, sizeof(value));
	while (n < 0 && errno == EINTR);
	*ret_error = n < 0 ? -errno : 0;
	return n < 0 ? NULL : arena_strndup(arena, value, strnlen(value, (size_t)n));
}

const char **setting_list(const struct proc_sys *settings, struct arena *arena, const char *path, int *ret_error) {
	_cleanup_close_ int fd = open_setting(settings, path, O_RDONLY | O_DIRECTORY);
	_Alignas(struct dirent64) char buffer[4096];
	vec(const char *) names = {};
	ssize_t n = fd;

	while (n >= 0 && (n = getdents64(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < n; at += ((const struct dirent64 *)(buffer + at))->d_reclen) {
			const char *name = ((const struct dirent64 *)(buffer + at))->d_name;

			if (path_stays_below(name)) /* skips . and .. */
				vec_push(&names, arena_strdup(arena, name));
		}
	*ret_error = fd < 0 ? fd : n < 0 ? -errno : 0;
	vec_push(&names, NULL);
	const char **list = n < 0 ? NULL : arena_memdup(arena, names.items, names.n * sizeof(names.items[0]));
	vec_done(&names);
	return list;
}

int setting_write(const struct proc_sys *settings, const char *path, const char *value) {
	_cleanup_close_ int fd = open_setting(settings, path, O_WRONLY);

	/* An empty line clears a list; writing no bytes would write nothing. */
	return fd < 0 ? fd : text_file_write(fd, *value ? value : "\n", -EINVAL);
}
