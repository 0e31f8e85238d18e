/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `attach` and `wait`: a namespace that something else makes. This only says where topod learns of the namespace; it does
 * not check whether the file, unit or container exists.
 */
#include "kind/netns.h"

/* One text for each key; at most one is written. */
enum { N_KEYS = 4 };

#define KEY(i, name_, doc_) \
	{ .name = (name_), .type = &type_text, .offset = (i) * sizeof(const char *), .doc = (doc_) }

/* In the order of enum attach_source, whose first value has no key. */
static const struct field attach_fields[N_KEYS] = {
	KEY(0, "pidfile",
	    "A file with the number of a process in the namespace. It counts only if the process had started before the "
	    "file was written, and if the file belongs to root or to the process's user."),
	KEY(1, "path", "A file on which the namespace is mounted, or a symbolic link to one."),
	KEY(2, "unit",
	    "A unit of systemd whose processes are in the namespace (`PrivateNetwork=yes`), with "
	    "`ExecStartPre=+topod attach NAME`. When topod starts, it finds a running one by itself."),
	KEY(3, "container",
	    "The name of a container, which topod's hook attaches. When topod starts, it asks podman and Docker for a running one."),
};

static const struct mapping mapping_attach = {
	.name = "attach",
	.title = "Attach",
	.doc = "The mapping `attach`, with one of these keys at most. An empty one (`attach: {}`) waits for a call: by "
	       "`topod attach`, by the hook of a container's runtime, or on the control socket.",
	.what = "'attach'",
	.fields = attach_fields,
	.n_fields = ARRAY_SIZE(attach_fields),
};

static void check_value(struct reading *r, const struct attach *attach, const char *key) {
	const char *value = attach->value, *dot = strrchr(value, '.');

	switch (attach->source) {
	case ATTACH_CALL:
		return;
	case ATTACH_PIDFILE:
	case ATTACH_PATH:
		if (value[0] != '/')
			diag_error(r->parse.diags, attach->position, "'%s' must be an absolute path, such as /run/%s", key,
				   value);
		return;
	case ATTACH_UNIT:
		if (strchr(value, '/') || !dot || dot == value || !dot[1])
			diag_error(r->parse.diags, attach->position,
				   "'%s' must be the name of a unit with its type, such as %s.service", key,
				   strchr(value, '/') ? "web" : value);
		return;
	case ATTACH_CONTAINER:
		if (!*value || strchr(value, '/'))
			diag_error(r->parse.diags, attach->position, "'%s' must be the name of a container", key);
		return;
	}
}

static void read_attach(struct reading *r, const struct section *section _unused_, const struct node *node) {
	struct attach *attach = arena_new(r->parse.arena, struct attach);
	const char *values[N_KEYS] = {}, *first = NULL;
	uint64_t set = 0;

	if (!fields_parse(&r->parse, node,
			  &(struct fields_parse){ .what = mapping_attach.what,
						  .fields = attach_fields,
						  .n = N_KEYS,
						  .may_be_empty = true,
						  .base = values,
						  .set = &set }))
		return;
	attach->position = node->position;
	for (size_t i = 0; i < N_KEYS; i++) {
		const char *key = attach_fields[i].name;

		if (!(set & field_bit(i)))
			continue;
		if (first) {
			diag_error(r->parse.diags, node_key_position(node, key),
				   "a namespace is found in one way: '%s' and '%s' exclude each other", first, key);
			return;
		}
		first = key;
		attach->source = (enum attach_source)(i + 1);
		attach->value = values[i];
		attach->position = node_key_position(node, key);
		check_value(r, attach, key);
	}
	r->ns->attach = attach;
}

static void read_wait(struct reading *r, const struct section *section, const struct node *node) {
	uint32_t value = false;

	if (!type_enum.parse(&r->parse, section->field, node, &value))
		return;
	r->ns->required = value;
	r->ns->wait_position = node->position;
}

static const struct enum_name wait_names[] = { { "optional", false }, { "required", true }, {} };
static const struct field key_wait = { .name = "wait", .type = &type_enum, .names = wait_names };

const struct section netns_sections[] = {
	{ .key = "attach",
	  .place = SECTION_NAMESPACE,
	  .shape = SECTION_MAPPING,
	  .mapping = &mapping_attach,
	  .value = "[attach](#attach)",
	  .doc = "A namespace that something else makes, and may make again: a container, a service, a process. While it is "
		 "absent, it and the other ends of its links wait; when it comes, everything in it is made. topod never "
		 "creates or deletes it, and manages only what is declared.",
	  .read = read_attach },
	{ .key = "wait",
	  .place = SECTION_NAMESPACE,
	  .field = &key_wait,
	  .doc = "Only with `attach`: `required` makes the daemon wait for the namespace before it is ready; by default it is "
		 "ready without (`optional`).",
	  .read = read_wait },
	{},
};

/* An attached namespace is also adopted: it may contain anything, and topod only configures it. */
void netns_settle(struct reading *r, struct ns_state *ns) {
	struct object *self = ns_self(ns);

	if (!ns->attach && ns->wait_position.line)
		diag_error(r->parse.diags, ns->wait_position, "'wait' is only for a namespace with 'attach'");
	if (!ns->attach)
		return;
	if (!self) {
		diag_error(r->parse.diags, ns->attach->position,
			   "the host is the namespace that topod runs in; nothing can attach it");
		return;
	}
	if (ns->adopt)
		diag_error(r->parse.diags, ns->attach->position,
			   "'adopt' and 'attach' exclude each other: 'adopt' takes over a namespace that has its name in "
			   "/run/netns, 'attach' gives it one");
	ns->adopt = true;
	self->required = ns->required;
	netns_set_attach(self, ns->attach);
}
