/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever the path leads to is opened without waiting and asked what it is before a byte is read: a FIFO, a
 * device or a terabyte of holes is refused at once.
 *
 * A file that others may write to is theirs: who runs it with topod's privilege hands them the machine. Root's own
 * and the runner's own may be open to a group, which somebody must have wanted, but to nobody else.
 */
#include "spec_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>

#include "tables.h"

/* Stable addresses are derived from this and the machine's id, which itself must not get out. */
#define TOPOD_APP_ID SD_ID128_MAKE(5e,0b,9c,74,3f,8d,4d,1e,9a,60,c2,77,1d,e5,48,3b)

static const struct mark nowhere = {};

static const char *file_type(mode_t mode) {
	return S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : "a device";
}

static bool writable_by_others(const struct stat *st) {
	if (st->st_mode & S_IWOTH)
		return true;
	return st->st_mode & S_IWGRP && st->st_uid != 0 && st->st_uid != geteuid();
}

/* A stream (standard input) may be a pipe or a terminal; a path leads to a file. */
static bool check_file(struct loaded_spec *ret, int fd, unsigned flags) {
	struct stat st;
	bool stream = fd == STDIN_FILENO;

	if (fstat(fd, &st) < 0)
		diag_error(&ret->diags, nowhere, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode) && (!stream || S_ISDIR(st.st_mode)))
		diag_error(&ret->diags, nowhere, "this is %s, not a file", file_type(st.st_mode));
	else if (S_ISREG(st.st_mode) && st.st_size > YAML_MAX_SIZE)
		diag_error(&ret->diags, nowhere, "the file is larger than %d MiB", YAML_MAX_SIZE >> 20);
	else if (flags & SPEC_FILE_TRUSTED && S_ISREG(st.st_mode) && writable_by_others(&st))
		diag_error(&ret->diags, nowhere, "others may write to this file; take that from them (chmod go-w), or "
			   "give --insecure-permissions");
	return ret->diags.n_errors == 0;
}

static bool read_file(struct loaded_spec *ret, int fd) {
	_cleanup_free_ char *buffer = xmalloc(256 * 1024);
	_cleanup_text_ struct text text = {};
	ssize_t n;

	while ((n = read(fd, buffer, 256 * 1024)) > 0 && text.size <= YAML_MAX_SIZE)
		text_addn(&text, buffer, (size_t)n);
	if (n < 0)
		diag_error(&ret->diags, nowhere, "%s", strerror(errno));
	else if (text.size > YAML_MAX_SIZE)
		diag_error(&ret->diags, nowhere, "the file is larger than %d MiB", YAML_MAX_SIZE >> 20);
	ret->size = text.size;
	ret->text = text_take(&text);
	return ret->diags.n_errors == 0;
}

char *spec_file_topology(const char *path) {
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char *name = xstrdup(streq(path, "-") ? "stdin" : base), *dot = strrchr(name, '.');

	if (dot && (streq(dot, ".yaml") || streq(dot, ".yml")))
		*dot = '\0';
	return name;
}

/* A name in the file was checked there. */
static void check_topology(struct loaded_spec *loaded) {
	const char *why = NULL;

	if (!file_name_valid(loaded->spec.topology, &why) || strlen(loaded->spec.topology) > 100)
		diag_error(&loaded->diags, nowhere, "the topology takes its name from the file, and '%s' %s; write "
			   "'topology: NAME' into it", loaded->spec.topology, why ? why : "is longer than 100 bytes");
}

static void read_spec(struct loaded_spec *ret, uint8_t source) {
	_cleanup_(tables_done) struct tables tables = {};
	_cleanup_free_ char *topology = spec_file_topology(ret->name);
	struct spec_options options = { .topology = topology };
	sd_id128_t id;

	tables_read(&tables);
	options.tables = tables.list.items;
	if (sd_id128_get_machine_app_specific(TOPOD_APP_ID, &id) >= 0)
		memcpy(options.machine_id, id.bytes, sizeof(options.machine_id));
	spec_read(&ret->spec, &ret->diags, source, &options);
	check_topology(ret);
}

static uint8_t begin(struct loaded_spec *ret, const char *name) {
	*ret = (struct loaded_spec){ .name = xstrdup(name) };
	return diags_add_source(&ret->diags, (struct source){ .name = ret->name, .text = "" });
}

bool spec_file_load_fd(int fd, const char *name, unsigned flags, struct loaded_spec *ret) {
	uint8_t source = begin(ret, name);

	if (!check_file(ret, fd, flags) || !read_file(ret, fd))
		return false;
	ret->diags.sources.items[source].text = ret->text;
	ret->diags.sources.items[source].size = ret->size;
	read_spec(ret, source);
	return ret->diags.n_errors == 0;
}

bool spec_file_load(const char *path, unsigned flags, struct loaded_spec *ret) {
	_cleanup_close_ int fd = -1;

	if (flags & SPEC_FILE_STDIN && streq(path, "-"))
		return spec_file_load_fd(STDIN_FILENO, "-", flags, ret);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		return spec_file_load_fd(fd, path, flags, ret);
	int error = errno == ENXIO ? EINVAL : errno; /* a socket: there is no better word for it */
	begin(ret, path);
	diag_error(&ret->diags, nowhere, "%s", error == EINVAL ? "this is not a file" : strerror(error));
	return false;
}

void loaded_spec_done(struct loaded_spec *loaded) {
	spec_done(&loaded->spec);
	diags_done(&loaded->diags);
	free(loaded->text);
	free(loaded->name);
	*loaded = (struct loaded_spec){};
}
