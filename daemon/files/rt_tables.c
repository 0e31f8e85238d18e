/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The places where the versions of iproute2 look: the administrator's /etc/iproute2 first, then the distribution's. If a
 * name is given twice, the first one counts.
 */
#include "files/rt_tables.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

enum {
	FILE_BYTES = 64 * 1024,
	TABLES_MAX = 4096,
	FILES_MAX = 256, /* in one rt_tables.d */
};

static const char *const dirs[] = { "/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2" };

static bool known(const struct rt_tables *tables, const char *name) {
	vec_foreach(t, &tables->list)
		if (t->name && streq(t->name, name))
			return true;
	return false;
}

/* "NUMBER NAME"; anything after that is ignored. */
static void parse_line(struct rt_tables *tables, char *line) {
	char *rest = line, *number, *name;
	uint32_t value;

	line[strcspn(line, "#\r")] = '\0';
	number = strtok_r(line, " \t", &rest);
	name = number ? strtok_r(NULL, " \t", &rest) : NULL;
	if (!name || parse_u32(number, &value) < 0 || value == 0 || known(tables, name) || tables->list.n >= TABLES_MAX)
		return;
	vec_push(&tables->list, (struct name_number){ .name = arena_strdup(&tables->arena, name), .number = value });
}

void rt_tables_parse(struct rt_tables *tables, const char *text) {
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		parse_line(tables, line);
}

static void read_file(struct rt_tables *tables, int dir_fd, const char *name) {
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	_cleanup_free_ char *text = xmalloc(FILE_BYTES + 1);
	if (read(fd, text, FILE_BYTES) > 0)
		rt_tables_parse(tables, text);
}

static int is_conf(const struct dirent *entry) {
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && streq(dot, ".conf");
}

static void read_drop_ins(struct rt_tables *tables, int dir_fd) {
	_cleanup_close_ int fd = openat(dir_fd, "rt_tables.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **entries = NULL;
	int n = fd < 0 ? -1 : scandirat(fd, ".", &entries, is_conf, alphasort);

	for (int i = 0; i < n; i++) {
		if (i < FILES_MAX)
			read_file(tables, fd, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

void rt_tables_read(struct rt_tables *ret) {
	*ret = (struct rt_tables){};
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_close_ int fd = open(dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			continue;
		read_file(ret, fd, "rt_tables");
		read_drop_ins(ret, fd);
	}
	vec_push(&ret->list, (struct name_number){});
}

void rt_tables_done(struct rt_tables *tables) {
	vec_done(&tables->list);
	arena_done(&tables->arena);
}
