/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sources share: adding and removing objects of a scan, and reading the header of an event.
 */
#include "model/source.h"

struct object *scan_add(struct source_scan *scan, struct object *object) {
	struct object *before = ns_add(scan->seen, object);

	if (!before)
		vec_push(&scan->added, object);
	return before;
}

void scan_forget(struct source_scan *scan) {
	vec_foreach(object, &scan->added)
		if (ns_find(scan->seen, *object) == *object)
			ns_remove(scan->seen, *object);
	vec_clear(&scan->added);
}

const void *event_header(const struct event *event, size_t size) {
	return mnl_nlmsg_get_payload_len(event->message) >= size ? mnl_nlmsg_get_payload(event->message) : NULL;
}
