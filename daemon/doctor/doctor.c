/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/doctor_private.h"

#include <fcntl.h>

#include "files/text_file.h"
#include "model/section.h"

static const struct {
	const char *name;
	void (*run)(struct doctor *d);
} checks[] = {
	{ "rights", check_rights },     { "namespaces", check_namespaces }, { "names", check_names },
	{ "kernel", check_kernel },     { "firewall", check_firewall },     { "settings", check_settings },
	{ "managers", check_managers }, { "limits", check_limits },         { "mtu", check_mtu },
};

void find_at(struct doctor *d, enum finding_severity severity, struct position position, const char *what,
	     const char *effect, const char *mend) {
	const struct finding finding = {
		.severity = severity,
		.check = d->check,
		.what = what,
		.effect = effect,
		.mend = mend,
		.position = position,
	};

	vec_push(&d->found->list, finding);
	d->found->count[severity]++;
}

void find(struct doctor *d, enum finding_severity severity, const char *what, const char *effect, const char *mend) {
	find_at(d, severity, (struct position){}, what, effect, mend);
}

const char *first_line(struct doctor *d, const char *path) {
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;
	const char *text = fd < 0 ? NULL : text_file_read(&d->found->arena, fd, 4096, &error);

	return text ? arena_strndup(&d->found->arena, text, strcspn(text, "\n")) : NULL;
}

long long number_in(struct doctor *d, const char *path) {
	const char *text = first_line(d, path);
	char *end;
	long long number = text ? strtoll(text, &end, 10) : -1;

	return text && end > text ? number : -1;
}

const struct object *first_of(const struct spec *spec, bool (*test)(const struct object *object)) {
	if (spec)
		state_foreach(ns, &spec->state)
			ns_foreach(object, ns)
				if (test(object))
					return object;
	return NULL;
}

bool is_of_section(const struct object *object, const char *key) {
	const struct section *section = object->kind->class->sections;

	for (; section && section->key; section++)
		if (streq(section->key, key))
			return true;
	return false;
}

size_t count_namespaces(const struct spec *spec) {
	size_t n = 0;

	if (spec)
		state_foreach(ns, &spec->state)
			n += ns->declared && !ns->adopt && !streq(ns->name, NS_HOST);
	return n;
}

void doctor_examine(struct findings *ret, const struct spec *spec) {
	struct doctor d = { .found = ret, .spec = spec };

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		d.check = checks[i].name;
		checks[i].run(&d);
	}
}

void findings_done(struct findings *findings) {
	vec_done(&findings->list);
	arena_done(&findings->arena);
	*findings = (struct findings){};
}
