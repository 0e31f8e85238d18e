/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a message to a method and back (https://varlink.org/Method-Call, https://varlink.org/Service).
 *
 * A message that is not a call (no JSON object, no method, flags that are not booleans or contradict each other) ends the
 * connection: its sender could not understand an answer. Everything else gets a reply or an error. A caller who may not
 * read learns nothing, not even which methods exist. No connection switches to another protocol: `upgrade` is answered
 * with MethodNotImplemented.
 *
 * A reply that is too large to be sent is replaced by the error TooLarge: it is a bug of the daemon, not of the client.
 */
#include "control/control_private.h"
#include "control/interfaces.h"

#define SERVICE "org.varlink.service"

/* ---- answers ---- */

static char *format_reply(const char *error, json_t *parameters, bool continues) {
	json_t *message = json_object();
	char *text;

	if (error)
		json_object_set_new(message, "error", json_string(error));
	json_object_set(message, "parameters", parameters);
	if (continues)
		json_object_set_new(message, "continues", json_true());
	text = json_dumps(message, JSON_COMPACT);
	json_decref(message);
	return text;
}

static char *format_bounded(const char *error, json_t *parameters, bool continues) {
	char *text = format_reply(error, parameters, continues);

	if (text && strlen(text) < CONTROL_REPLY_BYTES)
		return text;
	free(text);
	return xstrdup("{\"error\":\"org.topod.TooLarge\",\"parameters\":{}}");
}

/* Frees the call, but never the connection: its handler may be further up the stack. */
static void answer(struct control_call *call, const char *error, json_t *parameters) {
	struct connection *c = call->connection;
	json_t *given = parameters ? parameters : json_object();

	if (c)
		c->call = NULL;
	if (c && !call->oneway) {
		_cleanup_free_ char *text = format_bounded(error, given, false);

		connection_put(c, text);
	} else if (c) {
		connection_put(c, NULL);
	}
	json_decref(given);
	close_fds(call->fds, &call->n_fds);
	free(call);
}

void control_reply(struct control_call *call, json_t *parameters) {
	answer(call, NULL, parameters);
}

void control_error(struct control_call *call, const char *error, json_t *parameters) {
	answer(call, error, parameters);
}

void control_invalid(struct control_call *call, const char *parameter) {
	control_error(call, SERVICE ".InvalidParameter", json_pack("{s:s}", "parameter", parameter));
}

char *control_caller(const struct control_call *call) {
	const struct connection *c = call->connection;

	return c ? xasprintf("user %u, process %d", c->peer.uid, c->peer.pid) : xstrdup("a user");
}

pid_t control_caller_pid(const struct control_call *call) {
	return call->connection ? call->connection->peer.pid : 0;
}

int control_descriptor(const struct control_call *call, json_int_t index) {
	return index >= 0 && (size_t)index < call->n_fds ? call->fds[index] : -1;
}

void call_abandon(struct control_call *call) {
	call->connection = NULL;
	if (!call->lost)
		return;
	close_fds(call->fds, &call->n_fds);
	free(call);
}

/* ---- streams ---- */

void control_stream(struct control_call *call, json_t *first, json_t *(*lost)(size_t n)) {
	_cleanup_free_ char *text = format_bounded(NULL, first, true);

	json_decref(first);
	call->lost = lost;
	close_fds(call->fds, &call->n_fds);
	if (call->connection)
		connection_put(call->connection, text);
	else
		free(call);
}

bool control_has_streams(const struct control *control) {
	for (const struct connection *c = control->connections; c; c = c->next)
		if (c->call && c->call->lost)
			return true;
	return false;
}

/* Once a reply was dropped, all others are too, until the client has caught up and can be told. */
static void stream_put(struct connection *c, const char *text) {
	if (c->call->n_lost || connection_unsent(c) + strlen(text) + 1 > CONTROL_QUEUE_BYTES) {
		c->call->n_lost++;
		return;
	}
	connection_put(c, text);
	(void)connection_flush(c); /* if the client is gone, the loop finds out */
}

void control_broadcast(struct control *control, json_t *parameters) {
	_cleanup_free_ char *text = control_has_streams(control) ? format_bounded(NULL, parameters, true) : NULL;

	json_decref(parameters);
	for (struct connection *c = text ? control->connections : NULL; c; c = c->next)
		if (c->call && c->call->lost)
			stream_put(c, text);
}

void call_caught_up(struct connection *c) {
	if (!c->call || !c->call->lost || !c->call->n_lost)
		return;
	json_t *parameters = c->call->lost(c->call->n_lost);
	_cleanup_free_ char *text = format_bounded(NULL, parameters, true);

	json_decref(parameters);
	c->call->n_lost = 0;
	connection_put(c, text);
}

void control_end_streams(struct control *control, json_t *parameters) {
	for (struct connection *c = control->connections; c; c = c->next) {
		if (!c->call || !c->call->lost)
			continue;
		control_reply(c->call, json_incref(parameters));
		(void)connection_flush(c);
	}
	json_decref(parameters);
}

/* ---- the service's description of itself ---- */

static void get_info(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	const struct control_service *service = ((const struct control *)userdata)->service;
	json_t *names = json_pack("[s]", SERVICE);

	for (const struct control_interface *i = service->interfaces; i->name; i++)
		json_array_append_new(names, json_string(i->name));
	control_reply(call, json_pack("{s:s, s:s, s:s, s:s, s:o}", "vendor", service->vendor, "product", service->product,
				      "version", service->version, "url", service->url, "interfaces", names));
}

static const struct control_interface *find_interface(const struct control *control, const char *name, size_t size);

static void get_interface_description(void *userdata, struct control_call *call, const json_t *parameters) {
	const char *name = json_string_value(json_object_get(parameters, "interface"));
	const struct control_interface *found = find_interface(userdata, name, strlen(name));

	if (found)
		control_reply(call, json_pack("{s:s}", "description", found->description));
	else
		control_error(call, SERVICE ".InterfaceNotFound", json_pack("{s:s}", "interface", name));
}

static const struct control_interface own_interface = {
	.name = SERVICE,
	.description = interface_org_varlink_service,
	.methods =
		(const struct control_method[]){
			{ .name = "GetInfo", .fn = get_info },
			{ .name = "GetInterfaceDescription",
			  .parameters = { { "interface", JSON_STRING, true } },
			  .fn = get_interface_description },
			{},
		},
};

/* ---- calls ---- */

static const struct control_interface *find_interface(const struct control *control, const char *name, size_t size) {
	if (strlen(own_interface.name) == size && !memcmp(own_interface.name, name, size))
		return &own_interface;
	for (const struct control_interface *i = control->service->interfaces; i->name; i++)
		if (strlen(i->name) == size && !memcmp(i->name, name, size))
			return i;
	return NULL;
}

static const struct control_method *find_method(const struct control_interface *interface, const char *name) {
	for (const struct control_method *m = interface->methods; m->name; m++)
		if (streq(m->name, name))
			return m;
	return NULL;
}

static const struct control_parameter *find_parameter(const struct control_method *method, const char *name) {
	for (size_t i = 0; i < CONTROL_PARAMETERS_MAX && method->parameters[i].name; i++)
		if (streq(method->parameters[i].name, name))
			return &method->parameters[i];
	return NULL;
}

static bool has_type(const json_t *value, json_type type) {
	return type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == type;
}

/* Returns the first parameter that is wrong (unknown, of another type, or missing), or NULL. Removes nulls, because a null
 * means "not given". */
static const char *check_parameters(const struct control_method *method, json_t *parameters) {
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(parameters, next, name, value) {
		const struct control_parameter *known = find_parameter(method, name);

		if (!known || (!json_is_null(value) && !has_type(value, known->type)))
			return name;
		if (json_is_null(value))
			json_object_del(parameters, name);
	}
	for (size_t i = 0; i < CONTROL_PARAMETERS_MAX && method->parameters[i].name; i++)
		if (method->parameters[i].required && !json_object_get(parameters, method->parameters[i].name))
			return method->parameters[i].name;
	return NULL;
}

struct message {
	const char *name;
	json_t *parameters;
	bool oneway, more, upgrade;
};

static void run_method(struct control_call *call, const struct control_interface *interface,
		       const struct control_method *method, const struct message *message) {
	struct connection *c = call->connection;
	const char *wrong;

	if (method->right == CONTROL_CHANGE && !c->peer.may_change)
		control_error(call, SERVICE ".PermissionDenied", NULL);
	else if (!method->fn || message->upgrade)
		control_error(call, SERVICE ".MethodNotImplemented", json_pack("{s:s}", "method", message->name));
	else if (method->streams && !message->more)
		control_error(call, SERVICE ".ExpectedMore", NULL);
	else if ((wrong = check_parameters(method, message->parameters)))
		control_invalid(call, wrong);
	else
		method->fn(interface == &own_interface ? c->control : c->control->service->userdata, call,
			   message->parameters);
}

static void run_call(struct connection *c, const struct message *message) {
	const char *dot = strrchr(message->name, '.');
	const struct control_interface *interface =
		dot ? find_interface(c->control, message->name, (size_t)(dot - message->name)) : NULL;
	const struct control_method *method = interface ? find_method(interface, dot + 1) : NULL;
	struct control_call *call = xmalloc(sizeof(*call));

	call->connection = c;
	call->n_fds = c->n_fds;
	memcpy(call->fds, c->fds, sizeof(c->fds));
	c->n_fds = 0;
	call->oneway = message->oneway;
	c->call = call;
	if (!c->peer.may_read)
		control_error(call, SERVICE ".PermissionDenied", NULL);
	else if (dot && !interface)
		control_error(call, SERVICE ".InterfaceNotFound",
			      json_pack("{s:s%}", "interface", message->name, (size_t)(dot - message->name)));
	else if (!method)
		control_error(call, SERVICE ".MethodNotFound", json_pack("{s:s}", "method", message->name));
	else
		run_method(call, interface, method, message);
}

/* False if the value is not a boolean. */
static bool read_flag(const json_t *message, const char *name, bool *ret) {
	const json_t *value = json_object_get(message, name);

	*ret = json_is_true(value);
	return !value || json_is_boolean(value) || json_is_null(value);
}

static bool read_message(const json_t *json, json_t *empty, struct message *ret) {
	json_t *parameters = json_object_get(json, "parameters");

	ret->name = json_string_value(json_object_get(json, "method"));
	ret->parameters = json_is_object(parameters) ? parameters : empty;
	return ret->name && (!parameters || json_is_object(parameters) || json_is_null(parameters)) &&
	       read_flag(json, "oneway", &ret->oneway) && read_flag(json, "more", &ret->more) &&
	       read_flag(json, "upgrade", &ret->upgrade) && ret->oneway + ret->more + ret->upgrade <= 1;
}

bool call_handle_message(struct connection *c, const char *text, size_t size) {
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL), *empty = json_object();
	struct message message;
	bool good = read_message(json, empty, &message);

	if (good)
		run_call(c, &message);
	json_decref(empty);
	json_decref(json);
	return good;
}
