/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/unit_states.h"

#include <systemd/sd-bus.h>

#define UNIT_PREFIX "topod@"

enum { BUS_TIMEOUT_USEC = 3 * 1000 * 1000 };

/* "topod@office.service" -> "office"; names of topologies are not escaped, because a file's name is the instance's. */
static char *instance_of(const char *unit) {
	const char *instance = startswith(unit, UNIT_PREFIX), *dot = instance ? strrchr(instance, '.') : NULL;

	return dot ? strndup(instance, (size_t)(dot - instance)) : NULL;
}

/* The reply is an array of structs: name, description, load, active and sub state, followed, path, three of the job. */
static void read_units(sd_bus_message *reply, void (*fn)(void *userdata, const char *instance, const char *state),
		       void *userdata) {
	const char *unit, *state;

	if (sd_bus_message_enter_container(reply, 'a', "(ssssssouso)") < 0)
		return;
	while (sd_bus_message_read(reply, "(ssssssouso)", &unit, NULL, NULL, &state, NULL, NULL, NULL, NULL, NULL, NULL) >
	       0) {
		_cleanup_free_ char *instance = instance_of(unit);

		if (instance)
			fn(userdata, instance, state);
	}
}

void unit_states_each(void (*fn)(void *userdata, const char *instance, const char *state), void *userdata) {
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;

	if (sd_bus_open_system(&bus) >= 0 &&
	    sd_bus_message_new_method_call(bus, &call, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
					   "org.freedesktop.systemd1.Manager", "ListUnitsByPatterns") >= 0 &&
	    sd_bus_message_append(call, "asas", 0, 1, UNIT_PREFIX "*.service") >= 0 &&
	    sd_bus_call(bus, call, BUS_TIMEOUT_USEC, NULL, &reply) >= 0)
		read_units(reply, fn, userdata);
}
