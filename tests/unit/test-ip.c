/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, prefixes, MAC addresses: which texts are valid, how they are printed, what contains what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/ip.h"

static void check_ip(const char *text, const char *expected) {
	char buf[IP_TEXT_MAX];
	struct ip ip;

	memset(&ip, 0xaa, sizeof(ip));
	if (!expected) {
		struct ip before = ip;

		assert_int_equal(ip_parse(text, &ip), -EINVAL);
		assert_memory_equal(&ip, &before, sizeof(ip)); /* nothing is written on error */
		return;
	}
	assert_int_equal(ip_parse(text, &ip), 0);
	assert_string_equal(ip_format(&ip, buf), expected);
}

static void test_ip(void **state _unused_) {
	check_ip("10.0.0.1", "10.0.0.1");
	check_ip("0.0.0.0", "0.0.0.0");
	check_ip("255.255.255.255", "255.255.255.255");
	check_ip("fd00:0:0::1", "fd00::1");
	check_ip("FD00::ABCD", "fd00::abcd");
	check_ip("::", "::");
	check_ip("::ffff:10.0.0.1", "::ffff:10.0.0.1");
	static const char *const wrong[] = { "",
					     " ",
					     "10.0.0",
					     "10.0.0.1.1",
					     "10.0.0.256",
					     "10.0.0.-1",
					     "0x0a.0.0.1",
					     "10.0.0.1/24",
					     " 10.0.0.1",
					     "10.0.0.1 ",
					     "fd00::1::2",
					     "fd00::1%eth0",
					     "fd00::12345",
					     "host",
					     "1:2:3:4:5:6:7",
					     "1:2:3:4:5:6:7:8:9" };
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		check_ip(wrong[i], NULL);
}

static void check_prefix(const char *text, const char *expected) {
	char buf[PREFIX_TEXT_MAX];
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), expected ? 0 : -EINVAL);
	if (expected)
		assert_string_equal(prefix_format(&prefix, buf), expected);
}

static void test_prefix(void **state _unused_) {
	check_prefix("10.0.0.1/24", "10.0.0.1/24"); /* host bits are kept */
	check_prefix("10.0.0.1", "10.0.0.1/32");
	check_prefix("fd00::1", "fd00::1/128");
	check_prefix("0.0.0.0/0", "0.0.0.0/0");
	check_prefix("::/0", "::/0");
	static const char *const wrong[] = { "10.0.0.1/33",           "fd00::/129",   "10.0.0.1/",
					     "10.0.0.1/24/1",         "10.0.0.1/ 24", "10.0.0.1/-1",
					     "10.0.0.1/+4",           "10.0.0.1/2a",  "/24",
					     "10.0.0.1/255.255.255.0" };
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		check_prefix(wrong[i], NULL);
}

static void test_none(void **state _unused_) {
	char buf[PREFIX_TEXT_MAX];

	assert_string_equal(ip_format(&(struct ip){}, buf), "none");
	assert_string_equal(prefix_format(&(struct prefix){}, buf), "none");
	assert_int_equal(ip_size(AF_INET), 4);
	assert_int_equal(ip_bits(AF_INET6), 128);
	assert_int_equal(ip_size(AF_UNSPEC), 0);
	assert_int_equal(ip_size(200), 0);
}

static void test_mac(void **state _unused_) {
	char buf[MAC_TEXT_MAX];
	struct mac mac;

	assert_int_equal(mac_parse("02:00:5E:10:00:ff", &mac), 0);
	assert_string_equal(mac_format(&mac, buf), "02:00:5e:10:00:ff");
	assert_int_equal(mac_parse("02-00-5e-10-00-ff", &mac), 0);
	assert_string_equal(mac_format(&mac, buf), "02:00:5e:10:00:ff");
	static const char *const wrong[] = { "",
					     "02:00:5e:10:00",
					     "02:00:5e:10:00:ff:00",
					     "2:0:5e:10:0:ff",
					     "02:00:5e:10:00:fg",
					     "02005e1000ff",
					     "02:00:5e:10:00:ff ",
					     "02::00:5e:10:00",
					     "02:00-5e:10:00:f" };
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(mac_parse(wrong[i], &mac), -EINVAL);
}

static struct ip ip_of(const char *text) {
	struct ip ip;

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

static bool contains(const char *prefix_text, const char *ip_text) {
	struct prefix prefix;
	struct ip ip = ip_of(ip_text);

	assert_int_equal(prefix_parse(prefix_text, &prefix), 0);
	return prefix_contains(&prefix, &ip);
}

static void test_contains(void **state _unused_) {
	assert_true(contains("10.0.0.1/24", "10.0.0.255"));
	assert_false(contains("10.0.0.1/24", "10.0.1.0"));
	assert_true(contains("10.0.0.0/23", "10.0.1.255"));
	assert_false(contains("10.0.0.0/31", "10.0.0.2"));
	assert_true(contains("10.0.0.1/32", "10.0.0.1"));
	assert_true(contains("0.0.0.0/0", "192.0.2.1"));
	assert_false(contains("0.0.0.0/0", "fd00::1"));
	assert_true(contains("fd00::/65", "fd00::7fff:ffff:ffff:ffff"));
	assert_false(contains("fd00::/65", "fd00::8000:0:0:0"));
}

static void check_network(const char *text, const char *expected) {
	char buf[PREFIX_TEXT_MAX];
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	struct prefix network = prefix_network(&prefix);
	assert_string_equal(prefix_format(&network, buf), expected);
}

static void test_network(void **state _unused_) {
	check_network("10.1.2.3/8", "10.0.0.0/8");
	check_network("10.1.2.255/25", "10.1.2.128/25");
	check_network("10.1.2.3/32", "10.1.2.3/32");
	check_network("10.1.2.3/0", "0.0.0.0/0");
	check_network("fd00:ffff::1/17", "fd00:8000::/17");
}

/* The n-th host, and the n-th part of this length; "none": there are not so many. */
static void check_host(const char *text, uint64_t n, const char *expected) {
	struct prefix prefix, host;
	char buf[PREFIX_TEXT_MAX];

	assert_int_equal(prefix_parse(text, &prefix), 0);
	assert_string_equal(prefix_host(&prefix, n, &host) ? prefix_format(&host, buf) : "none", expected);
}

static void check_part(const char *text, uint8_t length, uint64_t n, const char *expected) {
	struct prefix prefix, part;
	char buf[PREFIX_TEXT_MAX];

	assert_int_equal(prefix_parse(text, &prefix), 0);
	assert_string_equal(prefix_part(&prefix, length, n, &part) ? prefix_format(&part, buf) : "none", expected);
}

static void test_hosts(void **state _unused_) {
	check_host("10.0.0.0/24", 0, "10.0.0.1/24");
	check_host("10.0.0.0/24", 253, "10.0.0.254/24");
	check_host("10.0.0.0/24", 254, "none");
	check_host("10.0.0.0/16", 255, "10.0.1.0/16");
	check_host("10.0.0.4/30", 1, "10.0.0.6/30");
	check_host("10.0.0.4/30", 2, "none");
	check_host("10.0.0.4/31", 0, "10.0.0.4/31");
	check_host("10.0.0.4/31", 1, "10.0.0.5/31");
	check_host("10.0.0.4/32", 0, "10.0.0.4/32");
	check_host("10.0.0.4/32", 1, "none");
	check_host("0.0.0.0/0", 4294967293, "255.255.255.254/0");
	check_host("0.0.0.0/0", 4294967294, "none");
	check_host("fd00::/64", 0, "fd00::1/64");
	check_host("fd00::/64", 65535, "fd00::1:0/64");
	check_host("fd00::/120", 254, "fd00::ff/120");
	check_host("fd00::/120", 255, "none");
	check_host("fd00::2/127", 1, "fd00::3/127");
	check_host("::/0", 4294967295, "::1:0:0/0");
	check_host("::/0", 4294967296, "none");
}

static bool has_host(const char *text, const char *address) {
	struct prefix prefix;
	struct ip ip;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	assert_int_equal(ip_parse(address, &ip), 0);
	return prefix_has_host(&prefix, &ip);
}

static void test_has_host(void **state _unused_) {
	assert_true(has_host("10.0.0.0/24", "10.0.0.1"));
	assert_true(has_host("10.0.0.0/24", "10.0.0.254"));
	assert_false(has_host("10.0.0.0/24", "10.0.0.0"));
	assert_false(has_host("10.0.0.0/24", "10.0.0.255"));
	assert_false(has_host("10.0.0.0/24", "10.0.1.1"));
	assert_false(has_host("10.0.0.0/24", "fd00::1"));
	assert_true(has_host("10.0.0.0/31", "10.0.0.0"));
	assert_true(has_host("10.0.0.0/31", "10.0.0.1"));
	assert_true(has_host("fd00::/64", "fd00::ffff:ffff:ffff:ffff"));
	assert_false(has_host("fd00::/64", "fd00::"));
	assert_true(has_host("0.0.0.0/0", "255.255.255.254"));
}

static void test_parts(void **state _unused_) {
	check_part("10.0.0.0/16", 30, 0, "10.0.0.0/30");
	check_part("10.0.0.0/16", 30, 70, "10.0.1.24/30");
	check_part("10.0.0.0/16", 30, 16383, "10.0.255.252/30");
	check_part("10.0.0.0/16", 30, 16384, "none");
	check_part("10.0.0.0/16", 15, 0, "none");
	check_part("10.0.0.0/16", 33, 0, "none");
	check_part("10.0.0.0/16", 16, 0, "10.0.0.0/16");
	check_part("10.0.0.0/16", 16, 1, "none");
	check_part("fd00::/32", 64, 0x12345, "fd00:0:1:2345::/64");
	check_part("::/0", 128, 5, "::5/128");
}

static void test_use(void **state _unused_) {
	const struct {
		const char *text;
		bool multicast, link_local, zero;
	} rows[] = {
		{ "224.0.0.1", true, false, false },        { "239.255.255.255", true, false, false },
		{ "223.255.255.255", false, false, false }, { "240.0.0.0", false, false, false },
		{ "ff02::1", true, false, false },          { "fe80::1", false, true, false },
		{ "febf::1", false, true, false },          { "fec0::1", false, false, false },
		{ "169.254.3.4", false, true, false },      { "169.253.3.4", false, false, false },
		{ "0.0.0.0", false, false, true },          { "::", false, false, true },
		{ "0.0.0.1", false, false, false },         { "::1", false, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip ip = ip_of(rows[i].text);

		assert_int_equal(ip_is_multicast(&ip), rows[i].multicast);
		assert_int_equal(ip_is_link_local(&ip), rows[i].link_local);
		assert_int_equal(ip_is_zero(&ip), rows[i].zero);
	}
}

static void test_bytes(void **state _unused_) {
	static const uint8_t bytes[17] = { 10, 0, 0, 1 };
	struct ip ip, other = ip_of("10.0.0.1");

	memset(&ip, 0xff, sizeof(ip));
	assert_int_equal(ip_from_bytes(AF_INET, bytes, 4, &ip), 0);
	assert_true(ip_equal(&ip, &other));
	assert_memory_equal(&ip, &other,
			    sizeof(ip)); /* also the bytes after the four of IPv4: keys are compared as a whole */
	assert_int_equal(ip_from_bytes(AF_INET6, bytes, 16, &ip), 0);
	assert_int_equal(ip_from_bytes(AF_INET, bytes, 16, &ip), -EINVAL);
	assert_int_equal(ip_from_bytes(AF_INET6, bytes, 4, &ip), -EINVAL);
	assert_int_equal(ip_from_bytes(AF_INET6, bytes, 17, &ip), -EINVAL);
	assert_int_equal(ip_from_bytes(AF_UNSPEC, bytes, 0, &ip), -EINVAL);
}

static void test_equal(void **state _unused_) {
	struct prefix a, b;
	struct ip four = ip_of("0.0.0.0"), six = ip_of("::");

	assert_false(ip_equal(&four, &six));
	assert_int_equal(prefix_parse("10.0.0.1/24", &a), 0);
	assert_int_equal(prefix_parse("10.0.0.1/24", &b), 0);
	assert_true(prefix_equal(&a, &b));
	b.length = 25;
	assert_false(prefix_equal(&a, &b));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip),    cmocka_unit_test(test_prefix),   cmocka_unit_test(test_none),
		cmocka_unit_test(test_mac),   cmocka_unit_test(test_contains), cmocka_unit_test(test_network),
		cmocka_unit_test(test_hosts), cmocka_unit_test(test_has_host), cmocka_unit_test(test_parts),
		cmocka_unit_test(test_use),   cmocka_unit_test(test_bytes),    cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
