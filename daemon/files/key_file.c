/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A key is only as secret as its file. Accepted are regular files that only their owner and group can read, that belong to
 * root, the caller or the topology's owner, in directories in which nobody else can replace them. wg-quick(8) and
 * systemd-networkd only warn if others can read the file; here it is an error, as for the topology's own files, unless
 * --insecure-permissions is given.
 */
#include "files/key_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "files/path_trust.h"
#include "files/privilege.h"
#include "model/kind_masks.h"

enum { FILE_MAX = 4096 };

/* The position of a path, and how its problems are reported. */
struct key_place {
	struct loaded_spec *loaded;
	struct position position;
	unsigned flags;
	const char *path;
};

/* Always an error, unless the file is only checked: then it may be right on another machine. */
static void say(const struct key_place *place, const char *text) {
	(place->flags & SPEC_FILE_CHECK ? diag_warning : diag_error)(&place->loaded->diags, place->position, "%s %s",
								     place->path, text);
}

/* An error only for verbs that change the machine. */
static void say_untrusted(const struct key_place *place, const char *where, const char *text) {
	(place->flags & SPEC_FILE_TRUSTED ? diag_error : diag_warning)(&place->loaded->diags, place->position, "%s %s",
								       where, text);
}

static void cannot_read(const struct key_place *place, int error) {
	if (place->flags & SPEC_FILE_CHECK && (error == EACCES || error == EPERM))
		return;
	if (error == ENOENT)
		say(place, "does not exist: make it with `umask 077; wg genkey >FILE`, or `wg genpsk` for a preshared key");
	else
		(place->flags & SPEC_FILE_CHECK ? diag_warning : diag_error)(
			&place->loaded->diags, place->position, "cannot read %s: %s", place->path, strerror(error));
}

static void check_trust(const struct key_place *place, int fd, const struct stat *st) {
	_cleanup_free_ char *where = NULL;
	uid_t owner = place->loaded->owner;

	if (st->st_mode & S_IRWXO)
		say_untrusted(place, place->path,
			      "can be read by everybody, and the key in it: remove that permission (chmod o-rwx)");
	else if (path_trust_is_open(st, owner))
		say_untrusted(place, place->path,
			      "belongs to another user, or others may write to it (chown root, chmod 600)");
	else if (path_trust_check(place->path, fd, owner, &where) == -EPERM)
		say_untrusted(place, where ? where : "a directory",
			      "leads to the key, and others may write to it; remove that permission (chown, chmod go-w)");
}

static void parse(const struct key_place *place, char *text, struct key_file *ret) {
	size_t n = strcspn(text, " \t\r\n");

	if (text[n + strspn(text + n, " \t\r\n")]) {
		say(place, "has more than a key: it must have one line, as `wg genkey` prints it");
		return;
	}
	text[n] = '\0';
	if (!key_from_text(text, &ret->key))
		say(place,
		    "has no key: it must have 32 bytes in base64, which are 44 characters, as `wg genkey` prints them");
	else if (key_is_zero(&ret->key))
		say(place, "has a key of zeros, which is not valid");
}

static void read_key(const struct key_place *place, struct key_file *ret) {
	_cleanup_close_ int fd = open(place->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char text[FILE_MAX + 1];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0) {
		cannot_read(place, errno);
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		say(place, "is not a regular file");
		return;
	}
	check_trust(place, fd, &st);
	privilege_hide_memory();
	n = read(fd, text, FILE_MAX);
	if (n < 0)
		cannot_read(place, errno);
	text[MAX(n, 0)] = '\0';
	if (n >= 0)
		parse(place, text, ret);
	explicit_bzero(text, sizeof(text));
}

void key_files_read(struct loaded_spec *loaded, unsigned flags) {
	state_foreach(ns, &loaded->spec.state)
		ns_foreach(object, ns)
			mask_foreach(i, object->set) {
				const struct field *field = &object->kind->fields[i];
				struct key_file *file = field_of(field, object);

				if (!field->type->is_key_file || !file->path)
					continue;
				struct key_place place = { loaded, object_position(object, field), flags, file->path };
				read_key(&place, file);
			}
}
