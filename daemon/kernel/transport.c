/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways to the kernel. */
#include "kernel/scan_private.h"
#include "kind/sysctl.h"

static int read_setting(struct ns_scan *scan, const struct object *wanted, const char **ret_text, int *ret_error) {
	if (!wanted)
		return 0;
	if (!scan->visiting) {
		int r = ns_scan_enter(scan);

		if (r < 0)
			return r;
		settings_visit(scan->scanner->settings);
		scan->visiting = true;
	}
	*ret_text = setting_read(scan->scanner->settings, scan->scanner->arena, ((const struct sysctl *)wanted)->path,
				 ret_error);
	/* ENOENT: it is of a link that is not there yet. EIO: it has no value yet (stable_secret). */
	if (!*ret_text && (*ret_error == -ENOENT || *ret_error == -EIO))
		*ret_error = 0;
	return 0;
}

static int read_file(struct ns_scan *scan, const struct object *wanted _unused_, const char **ret_text, int *ret_error) {
	*ret_text = resolv_conf_read(scan->scanner->arena, scan->source.seen->name, ret_error);
	return 0;
}

static const struct transport_way {
	int (*read)(struct ns_scan *scan, const struct object *wanted, const char **ret_text, int *ret_error);
} transports[] = {
	[TRANSPORT_SYSCTL] = { .read = read_setting },
	[TRANSPORT_FILE] = { .read = read_file },
};

int transport_read(struct ns_scan *scan, enum transport transport, const struct object *wanted, const char **ret_text,
		   int *ret_error) {
	*ret_text = NULL;
	*ret_error = 0;
	return transports[transport].read(scan, wanted, ret_text, ret_error);
}
