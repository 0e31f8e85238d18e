/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients of the control socket: up to three connections send, hang up and leave answers unread, as the input says. Also the
 * other side: any JSON, read as a status by a client.
 *
 * An input is a list of steps. Each is one byte, which has the client (2 bits) and the action (3 bits: send, end, read,
 * answer a waiting call, broadcast); for a send, a byte with the length and the data follow.
 */
#include <sys/socket.h>

#include "control/control.h"
#include "fuzz.h"
#include "report/report.h"

enum { CLIENTS = 4, TURNS_MAX = 4096 };

struct house {
	sd_event *event;
	struct control *control;
	int clients[CLIENTS];
	struct control_call *waiting;
	const uint8_t *data;
	size_t size;
};

static void method_echo(void *userdata _unused_, struct control_call *call, const json_t *parameters) {
	control_reply(call, json_deep_copy(parameters));
}

/* A second waiting call replaces the first one, which gets an error. */
static void method_later(void *userdata, struct control_call *call, const json_t *parameters _unused_) {
	struct house *house = userdata;

	if (house->waiting)
		control_error(house->waiting, "org.test.Replaced", NULL);
	house->waiting = call;
}

static void method_status(void *userdata _unused_, struct control_call *call, const json_t *parameters) {
	_cleanup_(arena_done) struct arena arena = {};
	_cleanup_text_ struct text text = {};
	struct report_status status;

	if (report_status_from_json(json_object_get(parameters, "status"), &arena, &status) == 0) {
		report_status_text(&status, 1000000, true, &text);
		control_reply(call, report_status_json(&status));
	} else {
		control_error(call, "org.test.NoStatus", NULL);
	}
}

static json_t *lost(size_t n) {
	return json_pack("{s:I}", "lost", (json_int_t)n);
}

static void method_stream(void *userdata _unused_, struct control_call *call, const json_t *parameters _unused_) {
	control_stream(call, json_object(), lost);
}

static const struct control_method methods[] = {
	{ .name = "Echo", .parameters = { { "n", JSON_INTEGER }, { "text", JSON_STRING } }, .fn = method_echo },
	{ .name = "Later", .fn = method_later },
	{ .name = "Status", .parameters = { { "status", JSON_OBJECT, true } }, .fn = method_status },
	{ .name = "Stream", .streams = true, .fn = method_stream },
	{ .name = "Void" },
	{},
};
static const struct control_interface interfaces[] = {
	{ .name = "org.test", .description = "interface org.test\n", .methods = methods },
	{},
};

static uint8_t next(struct house *house) {
	if (!house->size)
		return 0;
	house->size--;
	return *house->data++;
}

static void settle(struct house *house) {
	int r = 1;

	for (int i = 0; r > 0; i++) {
		must(i < TURNS_MAX);
		r = sd_event_run(house->event, 0);
		must(r >= 0);
	}
}

static int client(struct house *house, unsigned i) {
	int ends[2];

	if (house->clients[i] >= 0)
		return house->clients[i];
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	must(control_add_client(house->control, ends[0]) == 0);
	return house->clients[i] = ends[1];
}

static void hang_up(struct house *house, unsigned i) {
	if (house->clients[i] >= 0)
		close(TAKE_FD(house->clients[i]));
}

static void send_some(struct house *house, int fd, bool whole) {
	size_t wanted = (size_t)next(house) * (whole ? 16 : 1), length = MIN(wanted, house->size);

	(void)!send(fd, house->data, length, MSG_NOSIGNAL);
	house->data += length;
	house->size -= length;
	if (whole)
		(void)!send(fd, "", 1, MSG_NOSIGNAL);
}

static void answer_later(struct house *house) {
	if (house->waiting)
		control_reply(TAKE_PTR(house->waiting), json_pack("{s:i}", "n", 1));
}

static void step(struct house *house) {
	uint8_t choice = next(house);
	unsigned i = choice % CLIENTS;
	char buffer[4096];

	switch (choice / CLIENTS % 8) {
	case 0:
		hang_up(house, i);
		break;
	case 1:
		(void)!recv(client(house, i), buffer, sizeof(buffer), 0);
		break;
	case 2:
		answer_later(house);
		break;
	case 3:
		shutdown(client(house, i), SHUT_WR);
		break;
	case 4:
		send_some(house, client(house, i), false);
		break;
	case 7:
		control_broadcast(house->control, json_pack("{s:i}", "i", (int)i));
		break;
	default:
		send_some(house, client(house, i), true);
		break;
	}
	settle(house);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct house house = { .clients = { -1, -1, -1, -1 }, .data = data, .size = size };
	const struct control_service service = {
		.vendor = "",
		.product = "",
		.version = "",
		.url = "",
		.interfaces = interfaces,
		.userdata = &house,
	};

	must(sd_event_new(&house.event) >= 0);
	house.control = control_new(house.event, CONTROL_NOBODY, &service);
	while (house.size)
		step(&house);
	for (unsigned i = 0; i < CLIENTS; i++)
		hang_up(&house, i);
	settle(&house);
	control_free(house.control);
	answer_later(&house);
	sd_event_unref(house.event);
	return 0;
}
