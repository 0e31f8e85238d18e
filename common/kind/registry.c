/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of all classes and kinds, made from the list in kinds.h, and lookup: by the name in the file and in the
 * ledger, and by the kernel's name. It does not know what a kind does.
 */
#include "kind/kinds.h"
#include "kind/sysctl.h"

#define NOTHING(name)
#define CLASS(name) &class_##name,
#define KIND(name) &kind_##name,
const struct class *const classes[] = { KINDS(CLASS, NOTHING) NULL };
const struct kind *const kinds[] = { KINDS(NOTHING, KIND) NULL };
#undef NOTHING
#undef CLASS
#undef KIND

const struct kind *kind_by_name(const char *name, const struct class *class) {
	for (const struct kind *const *k = kinds; *k; k++)
		if ((*k)->class == class && streq((*k)->name, name))
			return *k;
	return NULL;
}

const struct kind *kind_by_link_kind(const char *link_kind, const struct class *class, const struct nlattr *const *data) {
	for (const struct kind *const *k = kinds; link_kind && *k; k++)
		if ((*k)->class == class && (*k)->link_kind && streq((*k)->link_kind, link_kind) &&
		    (!(*k)->is_kind || (*k)->is_kind(data)))
			return *k;
	return NULL;
}

int kind_field(const struct kind *kind, const char *name) {
	for (size_t i = 0; i < kind->n_fields; i++)
		if (streq(kind->fields[i].name, name))
			return (int)i;
	return -1;
}

uint64_t kind_flagged(const struct kind *kind, enum field_flags flags) {
	uint64_t mask = 0;

	for (size_t i = 0; i < kind->n_fields; i++)
		if (kind->fields[i].flags & flags)
			mask |= field_bit(i);
	return mask;
}

/* Also wg(8)'s words, and keys that users may write instead of the path of a file. */
const char *const kind_secret_keys[] = {
	SYSCTL_STABLE_SECRET, SYSCTL_FASTOPEN_KEY, "private-key", "private-key-file", "PrivateKey", "preshared-key",
	"preshared-key-file", "PresharedKey",      NULL,
};
