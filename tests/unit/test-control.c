/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocol of the control socket: calls and their answers, what Varlink requires of a service, rights, and streams. */
#include "control-helper.h"

/* ---- good clients ---- */

static void test_calls(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);

	SAY(fd, ECHO_CALL);
	assert_hears(house, fd, ECHO_REPLY);
	SAY(fd, "{\"method\":\"org.test.Echo\"}");
	assert_hears(house, fd, "{\"parameters\":{}}\n");
	SAY(fd, "{\"method\":\"org.test.Fail\",\"parameters\":{}}");
	assert_hears(house, fd, "{\"error\":\"org.test.Failed\",\"parameters\":{}}\n");
	SAY(fd, "{\"method\":\"org.test.Nothing\"}");
	assert_hears(
		house, fd,
		"{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"org.test.Nothing\"}}\n");
}

static void test_message_in_pieces(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);

	for (size_t i = 0; i < sizeof(ECHO_CALL) - 1; i++) {
		say(fd, &ECHO_CALL[i], 1);
		assert_hears(house, fd, "");
	}
	say(fd, "", 1);
	assert_hears(house, fd, ECHO_REPLY);
}

static void test_several_messages_at_once(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);

	SAY(fd, ECHO_CALL "\0" ECHO_CALL "\0" ECHO_CALL);
	assert_hears(house, fd, ECHO_REPLY ECHO_REPLY ECHO_REPLY);
}

static void test_oneway(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);

	SAY(fd, "{\"method\":\"org.test.Fail\",\"oneway\":true}\0" ECHO_CALL);
	assert_hears(house, fd, ECHO_REPLY);
	assert_int_equal(house->n_calls, 2);
}

/* A call that follows an unanswered one waits, and is served even if nothing more arrives. */
static void test_answers_keep_their_order(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);

	SAY(fd, "{\"method\":\"org.test.Later\"}\0" ECHO_CALL);
	assert_hears(house, fd, "");
	assert_int_equal(house->n_calls, 1);
	assert_served(house);
	control_reply(house->waiting, json_pack("{s:b}", "late", 1));
	assert_hears(house, fd, "{\"parameters\":{\"late\":true}}\n" ECHO_REPLY);
}

/* ---- what Varlink requires ---- */

static void test_service(void **state) {
	struct house *house = *state;

	assert_answers(house, "{\"method\":\"org.varlink.service.GetInfo\"}",
		       "{\"parameters\":{\"vendor\":\"v\",\"product\":\"p\",\"version\":\"1\",\"url\":\"u\","
		       "\"interfaces\":[\"org.varlink.service\",\"org.test\"]}}\n");
	assert_answers(house,
		       "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":"
		       "\"org.test\"}}",
		       "{\"parameters\":{\"description\":\"interface org.test\\n\\nmethod Fail() -> ()\\n\"}}\n");
	assert_answers(house,
		       "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":"
		       "\"org.tes\"}}",
		       ERROR("InterfaceNotFound", "\"interface\":\"org.tes\""));
	assert_answers(house, "{\"method\":\"org.varlink.service.GetInterfaceDescription\"}",
		       ERROR("InvalidParameter", "\"parameter\":\"interface\""));
	assert_answers(house, "{\"method\":\"org.varlink.service.Nothing\"}",
		       ERROR("MethodNotFound", "\"method\":\"org.varlink.service.Nothing\""));
}

static void test_methods_that_are_none(void **state) {
	struct house *house = *state;

	assert_answers(house, "{\"method\":\"org.tester.Echo\"}",
		       ERROR("InterfaceNotFound", "\"interface\":\"org.tester\""));
	assert_answers(house, "{\"method\":\"org.test.Nothing\"}",
		       ERROR("MethodNotFound", "\"method\":\"org.test.Nothing\""));
	assert_answers(house, "{\"method\":\"Echo\"}", ERROR("MethodNotFound", "\"method\":\"Echo\""));
	assert_answers(house, "{\"method\":\"\"}", ERROR("MethodNotFound", "\"method\":\"\""));
	assert_answers(house, "{\"method\":\".\"}", ERROR("InterfaceNotFound", "\"interface\":\"\""));
	assert_answers(house, "{\"method\":\"org.test.Void\"}",
		       ERROR("MethodNotImplemented", "\"method\":\"org.test.Void\""));
}

static void test_parameters(void **state) {
	struct house *house = *state;
	static const struct {
		const char *method, *parameters, *wrong; /* NULL: none */
	} rows[] = {
		{ "Echo", "{\"n\":\"1\"}", "n" },
		{ "Echo", "{\"n\":1.5}", "n" },
		{ "Echo", "{\"text\":1}", "text" },
		{ "Echo", "{\"flag\":0}", "flag" },
		{ "Echo", "{\"m\":1}", "m" },
		{ "Echo", "{\"m\":null}", "m" },
		{ "Must", "{}", "n" },
		{ "Must", "{\"n\":null}", "n" },
		{ "Echo", "{\"flag\":false}", NULL },
		{ "Echo", "{\"flag\":true,\"n\":-1,\"text\":\"\"}", NULL },
		{ "Must", "{\"n\":0}", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *call =
			xasprintf("{\"method\":\"org.test.%s\",\"parameters\":%s}", rows[i].method, rows[i].parameters);
		_cleanup_free_ char *expected =
			rows[i].wrong ? xasprintf(ERROR("InvalidParameter", "\"parameter\":\"%s\""), rows[i].wrong)
				      : xasprintf("{\"parameters\":%s}\n", rows[i].parameters);

		assert_answers(house, call, expected);
	}
	/* null means the same as leaving it out. */
	assert_answers(house, "{\"method\":\"org.test.Echo\",\"parameters\":{\"n\":null}}", "{\"parameters\":{}}\n");
	assert_answers(house, "{\"method\":\"org.test.Echo\",\"parameters\":null}", "{\"parameters\":{}}\n");
}

static void test_flags(void **state) {
	struct house *house = *state;

	/* A method with one reply sends one, whether or not the call has `more`. */
	assert_answers(house, "{\"method\":\"org.test.Echo\",\"more\":true}", "{\"parameters\":{}}\n");
	assert_answers(house, "{\"method\":\"org.test.Echo\",\"more\":null,\"oneway\":false}", "{\"parameters\":{}}\n");
	assert_answers(house, "{\"method\":\"org.test.Stream\"}", ERROR("ExpectedMore", ""));
	assert_answers(house, "{\"method\":\"org.test.Echo\",\"upgrade\":true}",
		       ERROR("MethodNotImplemented", "\"method\":\"org.test.Echo\""));
	/* Errors are not sent either. */
	assert_answers(house, "{\"method\":\"org.test.Stream\",\"oneway\":true}", "");
	assert_answers(house, "{\"method\":\"org.nothing.Echo\",\"oneway\":true}", "");
}

/* ---- rights ---- */

static void test_rights(void **state) {
	struct house *house = *state;
	_cleanup_close_ int reader = connect_as(house, 7, true, false), nobody = connect_as(house, 8, false, false);

	SAY(reader, ECHO_CALL);
	assert_hears(house, reader, ECHO_REPLY);
	SAY(reader, "{\"method\":\"org.test.Change\"}");
	assert_hears(house, reader, ERROR("PermissionDenied", ""));
	/* The answer does not reveal whether there is such a method. */
	SAY(nobody, ECHO_CALL "\0"
			      "{\"method\":\"org.test.Nothing\"}\0"
			      "{\"method\":\"org.varlink.service.GetInfo\"}\0"
			      "{\"method\":\"org.test.Stream\",\"more\":true}");
	assert_hears(house, nobody,
		     ERROR("PermissionDenied", "") ERROR("PermissionDenied", "") ERROR("PermissionDenied", "")
			     ERROR("PermissionDenied", ""));
	assert_int_equal(house->n_calls, 1);
}

/* ---- streams ---- */

#define STREAM_CALL "{\"method\":\"org.test.Stream\",\"more\":true}"
#define FIRST "{\"parameters\":{\"first\":\"one\"},\"continues\":true}\n"

static void broadcast(struct house *house, int i) {
	control_broadcast(house->control, json_pack("{s:i}", "i", i));
}

static void test_stream(void **state) {
	struct house *house = *state;
	_cleanup_close_ int a = connect_client(house), b = connect_client(house), other = connect_client(house);

	assert_false(control_has_streams(house->control));
	broadcast(house, 0);
	SAY(a, STREAM_CALL "\0" ECHO_CALL);
	assert_hears(house, a, FIRST);
	assert_true(control_has_streams(house->control));
	broadcast(house, 1);
	SAY(b, STREAM_CALL);
	assert_hears(house, b, FIRST);
	broadcast(house, 2);
	assert_hears(house, a,
		     "{\"parameters\":{\"i\":1},\"continues\":true}\n{\"parameters\":{\"i\":2},\"continues\":true}\n");
	assert_hears(house, b, "{\"parameters\":{\"i\":2},\"continues\":true}\n");
	assert_hears(house, other, "");
	control_end_streams(house->control, json_pack("{s:s}", "last", "one"));
	assert_hears(house, b, "{\"parameters\":{\"last\":\"one\"}}\n");
	/* The connection is free now, and the next call, which waited, is served. */
	assert_hears(house, a, "{\"parameters\":{\"last\":\"one\"}}\n" ECHO_REPLY);
	assert_false(control_has_streams(house->control));
}

/* Every number arrives, or is counted as lost at its place. */
static void test_slow_reader(void **state) {
	struct house *house = *state;
	_cleanup_close_ int slow = connect_client(house), fast = connect_client(house);
	_cleanup_text_ struct text text = {};
	const char *at;
	int n = 40000, next = 0, lost;

	SAY(slow, STREAM_CALL);
	SAY(fast, STREAM_CALL);
	assert_hears(house, fast, FIRST);
	for (int i = 0; i < n; i++) {
		_cleanup_text_ struct text heard = {};
		_cleanup_free_ char *expected = xasprintf("{\"parameters\":{\"i\":%d},\"continues\":true}\n", i);

		broadcast(house, i);
		assert_true(hear(fast, &heard));
		assert_string_equal(text_str(&heard), expected);
	}
	/* The limit holds, and the other stream lost nothing. */
	for (struct connection *c = house->control->connections; c; c = c->next)
		assert_true(c->out.allocated <= 2 * CONTROL_QUEUE_BYTES);
	for (size_t before = 1; before != text.size;) {
		before = text.size;
		assert_true(hear(slow, &text));
		settle(house);
	}
	at = startswith(text_str(&text), FIRST);
	assert_non_null(at);
	for (; *at; at = strchr(at, '\n') + 1) {
		int i;

		if (sscanf(at, "{\"parameters\":{\"lost\":%d}", &lost) == 1) {
			assert_true(lost > 0);
			next += lost;
			continue;
		}
		assert_int_equal(sscanf(at, "{\"parameters\":{\"i\":%d}", &i), 1);
		assert_int_equal(i, next);
		next++;
	}
	assert_int_equal(next, n);
	assert_true(text.size < 1024 * 1024);
	broadcast(house, n);
	settle(house);
	text_done(&text);
	assert_true(hear(slow, &text));
	assert_string_equal(text_str(&text), "{\"parameters\":{\"i\":40000},\"continues\":true}\n");
}

static void test_stream_whose_client_goes(void **state) {
	struct house *house = *state;
	int fd = connect_client(house), stalled = connect_client(house);

	SAY(fd, STREAM_CALL);
	SAY(stalled, STREAM_CALL);
	settle(house);
	close(fd);
	broadcast(house, 1);
	for (int i = 0; i < 40000; i++)
		broadcast(house, i);
	close(stalled);
	broadcast(house, 2);
	settle(house);
	assert_int_equal(control_n_clients(house->control), 0);
	assert_served(house);
}

/* A client that has finished sending still gets its answers. */
static void test_half_closed(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house), stream = connect_client(house), later = connect_client(house);

	SAY(fd, ECHO_CALL "\0" ECHO_CALL);
	shutdown(fd, SHUT_WR);
	SAY(stream, STREAM_CALL);
	shutdown(stream, SHUT_WR);
	SAY(later, "{\"method\":\"org.test.Later\"}");
	shutdown(later, SHUT_WR);
	settle(house);
	broadcast(house, 1);
	control_reply(house->waiting, NULL);
	settle(house);

	_cleanup_text_ struct text text = {};
	hear(fd, &text);
	hear(stream, &text);
	hear(later, &text);
	assert_string_equal(text_str(&text), ECHO_REPLY ECHO_REPLY FIRST
			    "{\"parameters\":{\"i\":1},\"continues\":true}\n{\"parameters\":{}}\n");
}

/* A daemon that ends sends a last event before it closes. */
static void test_last_words(void **state) {
	struct house *house = *state;
	_cleanup_close_ int fd = connect_client(house);
	_cleanup_text_ struct text text = {};

	SAY(fd, "{\"method\":\"org.test.Later\"}");
	settle(house);
	control_error(house->waiting, "org.test.Ending", NULL);
	control_free(house->control);
	house->control = NULL;
	assert_false(hear(fd, &text));
	assert_string_equal(text_str(&text), "{\"error\":\"org.test.Ending\",\"parameters\":{}}\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(test_calls),
		TEST(test_message_in_pieces),
		TEST(test_several_messages_at_once),
		TEST(test_oneway),
		TEST(test_answers_keep_their_order),
		TEST(test_service),
		TEST(test_methods_that_are_none),
		TEST(test_parameters),
		TEST(test_flags),
		TEST(test_rights),
		TEST(test_stream),
		TEST(test_slow_reader),
		TEST(test_stream_whose_client_goes),
		TEST(test_half_closed),
		TEST(test_last_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
