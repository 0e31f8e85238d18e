/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be asked of a running daemon over its control socket, as org.topod.varlink describes it.
 */
#include "loop_private.h"

static void method_status(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	struct loop *l = userdata;

	control_reply(call, json_pack("{s:o}", "status", status_json(&l->status, l->session.reconciler)));
}

static void method_reload(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	loop_reload(userdata, call);
}

static void method_pause(void *userdata, struct control_call *call, const json_t *parameters) {
	const json_t *asked = json_object_get(parameters, "seconds");
	json_int_t seconds = asked ? json_integer_value(asked) : LOOP_PAUSE_SEC;

	if (seconds < 1 || seconds > LOOP_PAUSE_MAX_SEC) {
		control_error(call, "org.varlink.service.InvalidParameter", json_pack("{s:s}", "parameter", "seconds"));
		return;
	}
	loop_pause(userdata, (uint64_t)seconds * 1000000, "the control socket");
	method_status(userdata, call, parameters);
}

static void method_resume(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	loop_resume(userdata, call, "the control socket");
}

const struct control_method loop_methods[] = {
	{ "org.topod.Status", method_status },
	{ "org.topod.Reload", method_reload },
	{ "org.topod.Pause", method_pause },
	{ "org.topod.Resume", method_resume },
	{},
};
