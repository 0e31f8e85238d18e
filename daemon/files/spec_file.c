/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A path is opened without blocking, and its type and size are checked before a byte is read: a FIFO, a device or a
 * terabyte of holes is refused at once.
 *
 * If others can write to a file, running it with topod's privileges gives them the machine. The same holds if they can
 * replace the file, anywhere on its path, or add a drop-in. A user's own file in the user's own directory is as good as
 * root's: whoever runs it must have wanted that.
 *
 * An editor or a copy may be writing while we read. So we note what each file and directory looked like before it was
 * read, compare afterwards, and start again if something differs.
 */
#include "files/spec_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>
#include <time.h>

#include "files/own_dir.h"
#include "files/privilege.h"
#include "files/accounts.h"
#include "files/rt_tables.h"
#include "files/key_file.h"
#include "files/nft_file.h"
#include "files/path_trust.h"

/* Stable addresses are derived from this and the machine's id. The id itself must stay secret, see machine-id(5). */
#define TOPOD_APP_ID SD_ID128_MAKE(5e, 0b, 9c, 74, 3f, 8d, 4d, 1e, 9a, 60, c2, 77, 1d, e5, 48, 3b)

enum {
	READ_TRIES = 20,                    /* how often to read a file that keeps changing: 200 ms in all, and … */
	READ_PAUSE_NSEC = 10 * 1000 * 1000, /* … writing so small a file takes less */
};

/* The position of a message about a whole file. */
static struct position whole(uint8_t source) {
	return (struct position){ .source = source };
}

static const struct position nowhere = {}; /* the main file as a whole */

static const char *file_type(mode_t mode) {
	return S_ISDIR(mode) ? "a directory" : S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : "a device";
}

/* ---- what the files looked like before they were read ---- */

static void note_sighting(struct loaded_spec *ret, const char *path, const struct stat *st) {
	vec_push(&ret->seen, (struct spec_sighting){
				     .path = path ? xstrdup(path) : NULL, .there = st, .st = st ? *st : (struct stat){} });
}

static void forget_sightings(struct loaded_spec *ret) {
	vec_foreach(seen, &ret->seen)
		free(seen->path);
	vec_clear(&ret->seen);
}

static bool same_time(const struct timespec *a, const struct timespec *b) {
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* The change time counts too, because `cp -p` and `touch` can set the modification time back. */
static bool same_stat(const struct stat *a, const struct stat *b) {
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

static bool has_changed(const struct loaded_spec *ret) {
	vec_foreach(seen, &ret->seen) {
		struct stat st;
		bool there = (seen->path ? stat(seen->path, &st) : fstat(STDIN_FILENO, &st)) == 0;

		if (there != seen->there || (there && !same_stat(&st, &seen->st)))
			return true;
	}
	return false;
}

/* How much may still be read: the limit for one file holds for all of them together. */
static size_t room(const struct loaded_spec *ret) {
	size_t used = 0;

	vec_foreach(file, &ret->files)
		used += file->size;
	return used < YAML_MAX_SIZE ? YAML_MAX_SIZE - used : 0;
}

static void say_too_large(struct loaded_spec *ret, uint8_t source) {
	diag_error(&ret->diags, whole(source), "the file is larger than %d MiB%s", YAML_MAX_SIZE >> 20,
		   source ? ", together with those before it" : "");
}

/* Standard input may be a pipe or a terminal; a path must lead to a regular file. */
static bool check_file(struct loaded_spec *ret, uint8_t source, int fd, unsigned flags) {
	struct stat st;
	size_t before = ret->diags.n_errors;
	bool stream = fd == STDIN_FILENO;

	ret->owner = source ? ret->owner : path_trust_owner(fd);
	if (fstat(fd, &st) < 0)
		diag_error(&ret->diags, whole(source), "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode) && (!stream || S_ISDIR(st.st_mode)))
		diag_error(&ret->diags, whole(source), "this is %s, not a file", file_type(st.st_mode));
	else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > room(ret))
		say_too_large(ret, source);
	else if (flags & SPEC_FILE_TRUSTED && S_ISREG(st.st_mode) && path_trust_is_open(&st, ret->owner))
		diag_error(
			&ret->diags, whole(source),
			"others may write to this file; remove that permission (chmod go-w), or use --insecure-permissions");
	else if (S_ISREG(st.st_mode))
		note_sighting(ret, stream ? NULL : ret->files.items[source].name, &st);
	return ret->diags.n_errors == before;
}

static bool read_file(struct loaded_spec *ret, uint8_t source, int fd) {
	_cleanup_free_ char *buffer = xmalloc(256 * 1024);
	_cleanup_text_ struct text text = {};
	size_t limit = room(ret), before = ret->diags.n_errors;
	struct spec_text *file = &ret->files.items[source];
	ssize_t n;

	while ((n = read(fd, buffer, 256 * 1024)) > 0 && text.size <= limit)
		text_addn(&text, buffer, (size_t)n);
	if (n < 0)
		diag_error(&ret->diags, whole(source), "%s", strerror(errno));
	else if (text.size > limit)
		say_too_large(ret, source);
	file->size = text.size;
	file->text = text_take(&text);
	ret->diags.sources.items[source].text = file->text;
	ret->diags.sources.items[source].size = file->size;
	if (source_has_secrets(&ret->diags.sources.items[source]))
		privilege_hide_memory();
	return ret->diags.n_errors == before;
}

static char *without_suffix(const char *path) {
	char *name = xstrdup(path), *dot = strrchr(name, '.');

	if (dot && (streq(dot, ".yaml") || streq(dot, ".yml")))
		*dot = '\0';
	return name;
}

char *spec_file_topology(const char *path) {
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

	return without_suffix(base);
}

char *spec_file_dropins(const char *path) {
	_cleanup_free_ char *stem = without_suffix(path);

	return xasprintf("%s.d", stem);
}

char *spec_file_absolute(const char *path) {
	_cleanup_free_ char *here = path[0] == '/' || streq(path, "-") ? NULL : getcwd(NULL, 0);
	const char *rest;

	while (here && (rest = startswith(path, "./")))
		path = rest + strspn(rest, "/");
	return here ? xasprintf("%s/%s", streq(here, "/") ? "" : here, path) : xstrdup(path);
}

bool spec_file_same(const char *a, const char *b) {
	struct stat sa, sb;

	if (streq(a, b))
		return true;
	if (streq(a, "-") || streq(b, "-"))
		return false;
	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* A name given in the file was checked with the file. Standard input has no file name: without a name in the file, one
 * topology would replace any other from standard input. */
static void check_topology(struct loaded_spec *loaded, unsigned flags) {
	const char *why = NULL;

	if (flags & SPEC_FILE_STDIN && streq(loaded->name, "-") && !loaded->spec.named)
		diag_error(&loaded->diags, nowhere,
			   "standard input has no file name to name the topology after; write 'topology: NAME' into it");
	else if (!file_name_valid(loaded->spec.topology, &why) || strlen(loaded->spec.topology) > 100)
		diag_error(&loaded->diags, nowhere,
			   "the topology is named after its file, but '%s' %s; write 'topology: NAME' into it",
			   loaded->spec.topology, why ? why : "is longer than 100 bytes");
}

void spec_file_machine_id(uint8_t ret[16]) {
	sd_id128_t id;

	if (sd_id128_get_machine_app_specific(TOPOD_APP_ID, &id) >= 0)
		memcpy(ret, id.bytes, sizeof(id.bytes));
}

static void read_spec(struct loaded_spec *ret, const char *topology, unsigned flags) {
	_cleanup_(rt_tables_done) struct rt_tables tables = {};
	struct spec_options options = {
		.topology = topology,
		.written_out = flags & SPEC_FILE_EXPAND ? &ret->written_out : NULL,
	};

	rt_tables_read(&tables);
	options.tables = tables.list.items;
	options.find_account = find_account;
	spec_file_machine_id(options.machine_id);
	spec_read(&ret->spec, &ret->diags, 0, &options);
}

static void read_files(struct loaded_spec *ret, unsigned flags) {
	_cleanup_free_ char *topology = spec_file_topology(ret->name);

	if (flags & SPEC_FILE_NAME)
		spec_read_name(&ret->spec, &ret->diags, 0, topology);
	else
		read_spec(ret, topology, flags);
	if (!ret->diags.n_errors)
		key_files_read(ret, flags);
	if (!ret->diags.n_errors)
		nft_files_read(ret, flags);
	check_topology(ret, flags);
}

/* ---- one file ---- */

/* Takes ownership of name. */
static uint8_t add_file(struct loaded_spec *ret, char *name) {
	vec_push(&ret->files, (struct spec_text){ .name = name });
	return diags_add_source(&ret->diags,
				(struct source_text){ .name = name, .text = "", .secret_keys = kind_secret_keys });
}

static void check_path(struct loaded_spec *ret, uint8_t source, const char *path, int fd) {
	_cleanup_free_ char *where = NULL;
	int r = path_trust_check(path, fd, ret->owner, &where);

	if (r == -EPERM)
		diag_error(&ret->diags, whole(source),
			   "others may write to %s, which leads to this file; remove that permission (chown, chmod "
			   "go-w), or use --insecure-permissions",
			   where ? where : "a directory");
	else if (r < 0)
		diag_error(&ret->diags, whole(source), "cannot check the directories leading to it: %s", strerror(-r));
}

/* The service's root has no CAP_DAC_OVERRIDE: it can read only what belongs to root or is readable by all. */
static void cannot_open(struct loaded_spec *ret, uint8_t source, int error) {
	const char *hint = error == EACCES && geteuid() == 0
				   ? ", and root cannot override permissions here; give the file and its directory to root "
				     "(chown root), or make them readable by all"
				   : "";

	/* open() of a socket fails with ENXIO. */
	diag_error(&ret->diags, whole(source), "%s%s",
		   error == EINVAL || error == ENXIO ? "this is not a file" : strerror(error), hint);
}

static void load_file(struct loaded_spec *ret, int dir_fd, const char *path, char *name, unsigned flags) {
	uint8_t source = add_file(ret, name);
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		cannot_open(ret, source, errno);
	else if (check_file(ret, source, fd, flags) && read_file(ret, source, fd) && flags & SPEC_FILE_TRUSTED)
		check_path(ret, source, name, fd);
}

/* ---- drop-ins ---- */

/* Backups of editors and files left by dpkg have another suffix; hidden files begin with a dot. */
static bool is_dropin(struct loaded_spec *ret, const char *dir_path, const char *name) {
	const char *dot = strrchr(name, '.');

	if (name[0] == '.' || !dot)
		return false;
	if (streq(dot, ".yml"))
		diag_warning(&ret->diags, nowhere, "%s/%s is not read: the name of a drop-in must end in .yaml", dir_path,
			     name);
	return streq(dot, ".yaml");
}

struct names {
	vec(char *) list;
};

static void names_done(struct names *names) {
	vec_foreach(name, &names->list)
		free(*name);
	vec_done(&names->list);
}

static int compare_names(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of their names. */
static void list_dropins(struct loaded_spec *ret, const char *dir_path, DIR *dir, struct names *names) {
	const struct dirent *entry;

	while ((errno = 0, entry = readdir(dir)) && names->list.n <= SPEC_DROPINS_MAX)
		if (is_dropin(ret, dir_path, entry->d_name))
			vec_push(&names->list, xstrdup(entry->d_name));
	if (errno)
		diag_error(&ret->diags, nowhere, "cannot read %s: %s", dir_path, strerror(errno));
	else if (names->list.n > SPEC_DROPINS_MAX)
		diag_error(&ret->diags, nowhere, "%s has more than %d drop-ins", dir_path, SPEC_DROPINS_MAX);
	else if (names->list.n)
		qsort(names->list.items, names->list.n, sizeof(names->list.items[0]), compare_names);
}

static bool check_dropin_dir(struct loaded_spec *ret, const char *dir_path, DIR *dir, unsigned flags) {
	struct stat st;

	if (fstat(dirfd(dir), &st) < 0) {
		diag_error(&ret->diags, nowhere, "%s: %s", dir_path, strerror(errno));
		return false;
	}
	note_sighting(ret, dir_path, &st);
	if (!(flags & SPEC_FILE_TRUSTED) || !path_trust_is_open(&st, ret->owner))
		return true;
	diag_error(&ret->diags, nowhere,
		   "others may write to %s, where its drop-ins are; remove that permission (chown, chmod "
		   "go-w), or use --insecure-permissions",
		   dir_path);
	return false;
}

/* A directory that cannot be read is an error: without its drop-ins the topology would be a different one. */
static void load_dropins(struct loaded_spec *ret, unsigned flags) {
	_cleanup_free_ char *dir_path = spec_file_dropins(ret->name);
	_cleanup_closedir_ DIR *dir = opendir(dir_path);
	_cleanup_(names_done) struct names names = {};

	if (!dir && errno == ENOENT) {
		note_sighting(ret, dir_path, NULL);
		return;
	}
	if (!dir) {
		diag_error(&ret->diags, nowhere, "cannot read %s, where its drop-ins are: %s", dir_path, strerror(errno));
		return;
	}
	if (!check_dropin_dir(ret, dir_path, dir, flags))
		return;
	list_dropins(ret, dir_path, dir, &names);
	for (size_t i = 0; i < names.list.n && i < SPEC_DROPINS_MAX; i++)
		load_file(ret, dirfd(dir), names.list.items[i], xasprintf("%s/%s", dir_path, names.list.items[i]), flags);
}

/* ---- the file with its drop-ins ---- */

static void load_stdin(struct loaded_spec *ret, unsigned flags) {
	uint8_t source = add_file(ret, xstrdup("-"));

	if (check_file(ret, source, STDIN_FILENO, flags))
		read_file(ret, source, STDIN_FILENO);
}

static void load_texts(const char *path, unsigned flags, struct loaded_spec *ret) {
	if (flags & SPEC_FILE_STDIN && streq(path, "-")) {
		load_stdin(ret, flags);
		return;
	}
	load_file(ret, AT_FDCWD, path, xstrdup(path), flags);
	if (ret->files.items[0].text)
		load_dropins(ret, flags);
}

/* Loads the files as they were at one moment. Standard input is read again from where it began if it is a file; a pipe
 * can be read only once. */
static void load_settled(const char *path, unsigned flags, struct loaded_spec *ret) {
	off_t start = lseek(STDIN_FILENO, 0, SEEK_CUR);

	for (int tries = 1;; tries++) {
		load_texts(path, flags, ret);
		if (!has_changed(ret))
			break;
		if (tries == READ_TRIES) {
			diag_error(
				&ret->diags, nowhere,
				"the file or one of its drop-ins keeps changing while it is read; try again when it is complete");
			break;
		}
		loaded_spec_done(ret);
		*ret = (struct loaded_spec){ .name = xstrdup(path) };
		if (flags & SPEC_FILE_STDIN && streq(path, "-"))
			lseek(STDIN_FILENO, start, SEEK_SET);
		nanosleep(&(struct timespec){ .tv_nsec = READ_PAUSE_NSEC }, NULL);
	}
	forget_sightings(ret);
}

bool spec_file_load(const char *path, unsigned flags, struct loaded_spec *ret) {
	*ret = (struct loaded_spec){ .name = xstrdup(path) };
	load_settled(path, flags, ret);
	if (!ret->diags.n_errors)
		read_files(ret, flags);
	return ret->diags.n_errors == 0;
}

void loaded_spec_done(struct loaded_spec *loaded) {
	spec_done(&loaded->spec);
	diags_done(&loaded->diags);
	vec_foreach(file, &loaded->files) {
		free(file->text);
		free(file->name);
	}
	vec_done(&loaded->files);
	forget_sightings(loaded);
	vec_done(&loaded->seen);
	text_done(&loaded->written_out);
	free(loaded->name);
	*loaded = (struct loaded_spec){};
}
