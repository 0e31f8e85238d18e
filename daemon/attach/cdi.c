/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "attach/cdi.h"

#include <fcntl.h>
#include <jansson.h>

#include "files/own_dir.h"
#include "files/text_file.h"

static json_t *device_of(const char *ns) {
	return json_pack("{s:s, s:{s:[{s:s, s:s, s:[s, s]}]}}", "name", ns, "containerEdits", "hooks", "hookName",
			 "createRuntime", "path", TOPOD_HOOK, "args", "oci-hook", ns);
}

static char *name_of(const char *topology) {
	return xasprintf("topod-%s.json", topology);
}

int cdi_remove(const char *topology) {
	_cleanup_free_ char *name = name_of(topology);
	_cleanup_close_ int dir = -1;
	int r = own_dir_open(AT_FDCWD, CDI_DIR, &dir);

	if (r == 0 && unlinkat(dir, name, 0) < 0)
		r = -errno;
	return r == -ENOENT ? 0 : r;
}

int cdi_write(const char *topology, const struct state *desired) {
	_cleanup_free_ char *name = name_of(topology), *text = NULL;
	_cleanup_close_ int dir = -1;
	json_t *devices = json_array();
	int r;

	state_foreach(ns, desired)
		if (ns->attach)
			json_array_append_new(devices, device_of(ns->name));
	if (!json_array_size(devices)) {
		json_decref(devices);
		return cdi_remove(topology);
	}
	json_t *file = json_pack("{s:s, s:s, s:o}", "cdiVersion", "0.3.0", "kind", CDI_KIND, "devices", devices);
	text = json_dumps(file, JSON_INDENT(1));
	json_decref(file);
	r = own_dir_make(AT_FDCWD, CDI_DIR, &dir);
	return r < 0 ? r : text_file_replace(dir, name, 0644, text);
}
