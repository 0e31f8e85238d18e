/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The methods of the control socket, as org.topod.varlink describes them. Those that take time are answered by loop.c.
 */
#include "run/event_json.h"
#include "control/interfaces.h"
#include "run/loop_private.h"

static void method_status(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	struct loop *l = userdata;

	control_reply(call, json_pack("{s:o}", "status", status_json(&l->status, l->session.reconciler)));
}

static void method_reload(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	loop_reload(userdata, call);
}

static void method_plan(void *userdata, struct control_call *call, const json_t *parameters) {
	loop_plan(userdata, call, json_is_true(json_object_get(parameters, "explain")));
}

static void method_pause(void *userdata, struct control_call *call, const json_t *parameters) {
	const json_t *asked = json_object_get(parameters, "seconds");
	json_int_t seconds = asked ? json_integer_value(asked) : LOOP_PAUSE_SEC;
	_cleanup_free_ char *by = control_caller(call);

	if (seconds < 1 || seconds > LOOP_PAUSE_MAX_SEC) {
		control_invalid(call, "seconds");
		return;
	}
	loop_pause(userdata, (uint64_t)seconds * 1000000, by);
	method_status(userdata, call, parameters);
}

static void method_resume(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	loop_resume(userdata, call);
}

static void method_watch(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	struct loop *l = userdata;

	control_stream(call, loop_state(l), event_lost);
}

static void method_attach(void *userdata, struct control_call *call, const json_t *parameters) {
	struct loop *l = userdata;
	const json_t *owner = json_object_get(parameters, "owner");
	const char *ns = json_string_value(json_object_get(parameters, "namespace"));
	const struct attach_call attach = {
		.netns = control_descriptor(call, json_integer_value(json_object_get(parameters, "descriptor"))),
		.owner = owner ? control_descriptor(call, json_integer_value(owner)) : -1,
		.path = json_string_value(json_object_get(parameters, "path")),
		.caller = control_caller_pid(call),
	};
	_cleanup_free_ char *problem = NULL;
	int r;

	if (attach.netns < 0 || (attach.owner < 0 && !attach.path)) {
		control_invalid(call, attach.netns < 0 ? "descriptor" : "owner");
		return;
	}
	r = topology_attach(&l->session, ns, &attach, &problem);
	if (r == 0)
		loop_attached(l, ns, call);
	else if (r == -ENOENT && !problem)
		control_error(call, "org.topod.NotDeclared", json_pack("{s:s}", "namespace", ns));
	else
		control_error(call, "org.topod.NotAttachable", json_pack("{s:s, s:s}", "namespace", ns, "reason", problem));
}

static void method_detach(void *userdata, struct control_call *call, const json_t *parameters) {
	struct loop *l = userdata;
	const char *ns = json_string_value(json_object_get(parameters, "namespace"));
	int r = topology_detach(&l->session, ns);

	if (r < 0) {
		control_error(call, r == -ENOENT ? "org.topod.NotDeclared" : "org.topod.NotAttached",
			      json_pack("{s:s}", "namespace", ns));
		return;
	}
	control_reply(call, NULL);
	loop_turn(l);
}

static const struct control_interface interfaces[] = {
	{
		.name = "org.topod",
		.description = interface_org_topod,
		.methods =
			(const struct control_method[]){
				{ .name = "Status", .fn = method_status },
				{ .name = "Watch", .streams = true, .fn = method_watch },
				{ .name = "Plan", .parameters = { { "explain", JSON_TRUE } }, .fn = method_plan },
				{ .name = "Reload", .right = CONTROL_CHANGE, .fn = method_reload },
				{ .name = "Pause",
				  .right = CONTROL_CHANGE,
				  .parameters = { { "seconds", JSON_INTEGER } },
				  .fn = method_pause },
				{ .name = "Resume", .right = CONTROL_CHANGE, .fn = method_resume },
				{ .name = "Attach",
				  .right = CONTROL_CHANGE,
				  .parameters = { { "namespace", JSON_STRING, true },
						  { "descriptor", JSON_INTEGER, true },
						  { "owner", JSON_INTEGER },
						  { "path", JSON_STRING } },
				  .fn = method_attach },
				{ .name = "Detach",
				  .right = CONTROL_CHANGE,
				  .parameters = { { "namespace", JSON_STRING, true } },
				  .fn = method_detach },
				{},
			},
	},
	{},
};

struct control_service loop_service(struct loop *l) {
	return (struct control_service){
		.vendor = "topod",
		.product = "topod",
		.version = TOPOD_VERSION,
		.url = "man:topod(8)",
		.interfaces = interfaces,
		.userdata = l,
	};
}
