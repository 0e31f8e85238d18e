/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Abbreviations: the written-out topology is the same, messages point to the abbreviation and name the thing that it stands
 * for, and the file that `check --expand` prints is the same again.
 */
#include "expand-helper.h"

#include "expand/expression.h"

/* Expressions. */

static void check_value(const char *text, int64_t n, const char *expected) {
	_cleanup_text_ struct text value = {}, error = {};

	if (!expression_fill(text, (struct number){ .value = n }, &value, &error))
		fail_msg("%s", text_str(&error));
	assert_string_equal(text_str(&value), expected);
}

static void check_refused(const char *text, const char *expected) {
	_cleanup_text_ struct text value = {}, error = {};

	assert_false(expression_fill(text, (struct number){ .value = 5 }, &value, &error));
	assert_string_equal(text_str(&error), expected);
}

static void test_expressions(void **state _unused_) {
	check_value("", 1, "");
	check_value("10.0.0.{n}/24", 7, "10.0.0.7/24");
	check_value("10.0.{n/250}.{n%250+1}", 1000, "10.0.4.1");
	check_value("{n}{n+1}{ n - 2 }", 7, "785");
	check_value("{n+2*3}", 1, "7");
	check_value("{(n+2)*3}", 1, "9");
	check_value("{10-n-2}", 3, "5");
	check_value("{-n+1}", 3, "-2");
	check_value("{n/2*2}", 7, "6");
	check_value("{n:02}", 7, "07");
	check_value("{n:02}", 123, "123");
	check_value("{n*8:x}-{n:04x}", 5, "28-0005");
	check_value("{{n} {n}", 5, "{n} 5");
	check_value("{n}}", 5, "5}");
	check_value("}", 5, "}");
}

static void test_refused_expressions(void **state _unused_) {
	check_refused("{m}", "{m}: 'm' is unknown; only n, the number from the range, can be used here");
	check_refused("{nn}", "{nn}: 'nn' is unknown; only n, the number from the range, can be used here");
	check_refused("{n/0}", "{n/0}: division by zero");
	check_refused("{n%(n-5)}", "{n%(n-5)}: division by zero");
	check_refused("{n+}", "{n+}: a number is missing; write for example {n}, {n+1}, {(n-1)*4} or {n:02}");
	check_refused("{}", "{}: a number is missing; write for example {n}, {n+1}, {(n-1)*4} or {n:02}");
	check_refused("{(n}", "{(n}: a ')' is missing");
	check_refused("{n n}", "{n n}: 'n' is not expected here");
	check_refused("{n", "this '{' is never closed; write '{{' for a literal '{'");
	check_refused("{n:2}", "{n:2}: after ':' comes the format of the number, for example {n:02}, {n:x} or {n:02x}");
	check_refused("{n:}", "{n:}: after ':' comes the format of the number, for example {n:02}, {n:x} or {n:02x}");
	check_refused("{-n:x}", "{-n:x}: -5 cannot be written in hexadecimal");
	check_refused("{9223372036854775807+n}", "{9223372036854775807+n}: the number is too large");
	check_refused("{9223372036854775807*n}", "{9223372036854775807*n}: the number is too large");
	check_refused("{(-9223372036854775807-1)/(4-n)}", "{(-9223372036854775807-1)/(4-n)}: the number is too large");
	check_refused("{99999999999999999999}", "{99999999999999999999}: the number is too large");
}

/* Ranges. */

static void test_namespaces(void **state _unused_) {
	check_same("namespaces: {\"h[1-3]\": {forwarding: true}}",
		   "namespaces: {h1: {forwarding: true}, h2: {forwarding: true}, h3: {forwarding: true}}");
	check_same("namespaces: {\"s[08-10]x\": {}, \"[a-c]\": {}, \"sw[1,3,7-8]\": {}}",
		   "namespaces: {s08x: {}, s09x: {}, s10x: {}, a: {}, b: {}, c: {}, sw1: {}, sw3: {}, sw7: {}, sw8: {}}");
	check_same("namespaces: {\"r[1-2]c[a,c]\": {}}", "namespaces: {r1ca: {}, r2cc: {}}");
	check_same("namespaces: {\"[a-b]-{n}\": {}}", "namespaces: {a-a: {}, b-b: {}}");
}

static void test_interfaces(void **state _unused_) {
	check_same("namespaces: {\"h[1-2]\": {interfaces: {\"b[3-4]\": {kind: bridge, mtu: \"{n*100+1000}\"}}}}",
		   "namespaces:\n"
		   "  h1: {interfaces: {b3: {kind: bridge, mtu: 1300}, b4: {kind: bridge, mtu: 1400}}}\n"
		   "  h2: {interfaces: {b3: {kind: bridge, mtu: 1300}, b4: {kind: bridge, mtu: 1400}}}\n");
	check_same("namespaces: {\"h[1-2]\": {interfaces: {\"b{n}\": {kind: bridge, addresses: \"10.{n}.0.1/16\"}}}}",
		   "namespaces:\n"
		   "  h1: {interfaces: {b1: {kind: bridge, addresses: 10.1.0.1/16}}}\n"
		   "  h2: {interfaces: {b2: {kind: bridge, addresses: 10.2.0.1/16}}}\n");
	check_same("namespaces: {\"h[1-2]\": {sysctl: {\"net.ipv4.neigh.default.gc_thresh{n}\": \"{n}\"}}}",
		   "namespaces: {h1: {sysctl: {net.ipv4.neigh.default.gc_thresh1: 1}}, "
		   "h2: {sysctl: {net.ipv4.neigh.default.gc_thresh2: 2}}}");
	/* In the name with the inner range, {n} is the outer one's number. */
	check_same(
		"namespaces: {host: {interfaces: {\"b[1-2]\": {kind: bridge, ports: \"c{n}-[a-b]\"}}}}\n"
		"links: [[\"host:c1-[a-b]\", \"host:x{n}\"], [\"host:c2-[a-b]\", \"host:y{n}\"]]",
		"namespaces: {host: {interfaces: {b1: {kind: bridge, ports: [c1-a, c1-b]}, b2: {kind: bridge, ports: [c2-a, c2-b]}}}}\n"
		"links: [[host:c1-a, host:xa], [host:c1-b, host:xb], [host:c2-a, host:ya], [host:c2-b, host:yb]]");
}

static void test_links_and_ports(void **state _unused_) {
	check_same("namespaces: {host: {interfaces: {b: {kind: bridge, ports: \"c[1-2]\"}}}, \"h[1-2]\": {}}\n"
		   "links: [[\"h[1-2]:eth0\", \"host:c[1-2]\"]]",
		   "namespaces: {host: {interfaces: {b: {kind: bridge, ports: [c1, c2]}}}, h1: {}, h2: {}}\n"
		   "links: [[h1:eth0, host:c1], [h2:eth0, host:c2]]");
	check_same(
		"namespaces: {host: {interfaces: {b: {kind: bridge, ports: [{name: \"c[1-2]\", cost: \"{n+6}\"}, d]}}}, \"h[1-3]\": {}}\n"
		"links:\n- {endpoints: [\"h[1-2]:eth0\", \"host:c{n}\"], mtu: \"{1400+n}\"}\n- [h3:eth0, host:d]\n",
		"namespaces: {host: {interfaces: {b: {kind: bridge, ports: [{name: c1, cost: 7}, {name: c2, cost: 8}, d]}}},\n"
		"  h1: {}, h2: {}, h3: {}}\n"
		"links:\n"
		"- {endpoints: [h1:eth0, host:c1], mtu: 1401}\n"
		"- {endpoints: [h2:eth0, host:c2], mtu: 1402}\n"
		"- [h3:eth0, host:d]\n");
	check_same("namespaces: {\"r[1-4]\": {}}\nlinks: [[\"r[1-3]:right\", \"r[2-4]:left\"]]",
		   "namespaces: {r1: {}, r2: {}, r3: {}, r4: {}}\n"
		   "links: [[r1:right, r2:left], [r2:right, r3:left], [r3:right, r4:left]]");
}

/* Entries for the same thing are united. */
static void test_merged(void **state _unused_) {
	check_same(
		"namespaces: {\"h[1-3]\": {forwarding: true, interfaces: {b: {kind: bridge, addresses: \"10.{n}.0.1/16\"}}},\n"
		"  h2: {interfaces: {b: {mtu: 1400, addresses: 10.9.0.1/16}}}, \"h[3-4]\": {drift: report}}",
		"namespaces:\n"
		"  h1: {forwarding: true, interfaces: {b: {kind: bridge, addresses: 10.1.0.1/16}}}\n"
		"  h2: {forwarding: true, interfaces: {b: {kind: bridge, mtu: 1400, addresses: [10.2.0.1/16, 10.9.0.1/16]}}}\n"
		"  h3: {forwarding: true, drift: report, interfaces: {b: {kind: bridge, addresses: 10.3.0.1/16}}}\n"
		"  h4: {drift: report}\n");
	check_diags("namespaces:\n  h[1-3]: {forwarding: true}\n  h2: {forwarding: false}\n",
		    "f:3:8: error: 'forwarding' is 'false' here and 'true' in another entry\n"
		    "f:2:12: note: first here (for h2)");
	check_diags("namespaces:\n  h[1-3]: {forwarding: true}\n  h[2-9]: {forwarding: false}\n",
		    "f:3:12: error: 'forwarding' is 'false' here and 'true' in another entry (for h2 and 1 more)\n"
		    "f:2:12: note: first here (for h2)");
	check_diags("namespaces: {host: {}, \"h[1-3]\": {}}\nlinks:\n- [\"h[1-3]:x\", \"host:c{n}\"]\n- [h2:x, host:d]\n",
		    "f:4:4: error: h2:x is an end of two links\n"
		    "f:3:4: note: first here (for h2:x)");
}

/* Messages. */

/* `entry` is in the second line, as an entry of `namespaces`. */
static void check_entry(const char *entry, const char *expected) {
	_cleanup_free_ char *text = xasprintf("namespaces:\n  %s\n", entry);

	check_diags(text, expected);
}

static void test_wrong_ranges(void **state _unused_) {
#define HOW "a range has numbers and letters, for example [1-20], [01-20], [1,3,7-9] or [a-d]"
	check_entry("h[5-1]: {}", "f:2:3: error: 'h[5-1]' has an empty range; write [1-5]");
	check_entry("h[c-a]: {}", "f:2:3: error: 'h[c-a]' has an empty range; write [a-c]");
	check_entry("h[]: {}", "f:2:3: error: 'h[]' has an empty range: " HOW);
	check_entry("h[1-3: {}", "f:2:3: error: 'h[1-3' has a '[' without a ']': " HOW);
	check_entry("h[1-]: {}", "f:2:3: error: 'h[1-]': " HOW "; quote [ ] only around those");
	check_entry("h[x1]: {}", "f:2:3: error: 'h[x1]': " HOW "; quote [ ] only around those");
	check_entry("h[1;3]: {}", "f:2:3: error: 'h[1;3]': " HOW);
	check_entry("h[a-3]: {}", "f:2:3: error: 'h[a-3]' has a range from a letter to a number");
	check_entry("h[a-C]: {}", "f:2:3: error: 'h[a-C]' has a range from a small letter to a capital one");
	check_entry("h[1-3,2]: {}", "f:2:3: error: 'h[1-3,2]' has 2 twice in a range");
	check_entry("h[a,a]: {}", "f:2:3: error: 'h[a,a]' has 'a' twice in a range");
	check_entry("h[01-100]: {}", "f:2:3: error: 'h[01-100]' has zeros before some numbers only; write [001-100]");
	check_entry("h[1-1234567890]: {}",
		    "f:2:3: error: 'h[1-1234567890]' has a number of more than 9 digits in its range");
	check_entry("h[1-100001]: {}", "f:2:3: error: 'h[1-100001]' stands for 100001; at most 100000 are possible");
	check_entry("h[1-3]x[1-2]: {}",
		    "f:2:3: error: two ranges in one entry run in step, but this one has 2 numbers and the first one 3");
	check_entry("h[1][1][1][1][1]: {}", "f:2:3: error: a name with more than 4 ranges");
	check_diags("namespaces: {host: {}, \"h[1-3]\": {}}\nlinks:\n- [\"h[1-3]:x\", \"host:c[1-2]\"]\n",
		    "f:3:16: error: two ranges in one entry run in step, but this one has 2 numbers and the first one 3\n"
		    "f:3:4: note: the first one is here");
	check_entry("\"[1-400]\": {interfaces: {\"b[1-400]\": {kind: bridge}}}",
		    "f:2:28: error: the ranges up to here stand for more than 100000 entries");
#undef HOW
}

static void test_wrong_values(void **state _unused_) {
	check_entry("h[1-300]: {interfaces: {lo: {addresses: \"10.0.0.{n}\"}}}",
		    "f:2:43: error: 'address' takes a prefix, not '10.0.0.256', for example 10.0.0.1/24 or \"fd00::1/64\" "
		    "(for h256 and 44 more)");
	check_entry("h[1-3]: {routes: {to: 10.0.0.0/8, type: blackhole, metric: \"{m}\"}}",
		    "f:2:62: error: {m}: 'm' is unknown; only n, the number from the range, can be used here (for h1 and 2 "
		    "more)");
	check_entry("h[0-3]: {routes: {to: 10.0.0.0/8, type: blackhole, metric: \"{9/n}\"}}",
		    "f:2:62: error: {9/n}: division by zero (for h0)");
	check_entry("h[a-b]: {routes: {to: 10.0.0.0/8, type: blackhole, metric: \"{n+1}\"}}",
		    "f:2:62: error: {n+1}: there is no arithmetic on 'a': it is a letter (for ha and 1 more)");
	check_entry("h[1-2]: {routes: {to: 10.0.0.0/8, type: blackhole, metric: {n}}}",
		    "f:2:62: error: YAML reads {n} as a mapping; write \"{n}\" (for h1 and 1 more)");
	check_entry("h[1-2]: {routes: {to: 10.0.0.0/8, type: blackhole, metric: {n*2}}}",
		    "f:2:62: error: YAML reads {n*2} as a mapping; write \"{n*2}\" (for h1 and 1 more)");
	check_entry("h[1-2]: {interfaces: {lo: {addresses: [10.0.0.{n}/32]}}}",
		    "f:2:49: error: a value that contains '{' must be quoted inside brackets\n"
		    "f:2:41: note: for the '[' here");
	check_entry("host: {interfaces: {b: {kind: bridge, ports: [c[1-2]]}}}",
		    "f:2:50: error: a value that contains '[' must be quoted inside brackets\n"
		    "f:2:48: note: for the '[' here");
	check_entry("h: {routes: {to: 10.0.0.0/8, type: blackhole, metric: \"{n}\"}}",
		    "f:2:57: error: '{n}': {n} is the number of a range such as h[1-20], and no range is around it");
	check_entry("h[1-2]: {interfaces: {\"b[1-2]\": {kind: bridge, foo: 1}}}",
		    "f:2:50: error: unknown key 'foo' in a bridge interface (for h1, b1 and 3 more)");
}

static void test_range_where_none_is_taken(void **state _unused_) {
#define WHERE                                                                                                            \
	"a range can stand only where something is named: as a key of 'namespaces', 'interfaces' or 'networks', and in " \
	"'links', 'ports' and 'members'"
	check_entry("h: {interfaces: {m: {kind: macvlan, link: \"e[1-2]\"}}}", "f:2:45: error: 'e[1-2]': " WHERE);
	check_entry("h: {routes: {to: 10.0.0.0/8, dev: \"e[1-2]\"}}", "f:2:37: error: 'e[1-2]': " WHERE);
	check_entry("h: {nat: {action: masquerade, out: \"e[1-2]\"}}", "f:2:38: error: 'e[1-2]': " WHERE);
	check_entry("h: {interfaces: {m: {kind: macvlan, link: \"n[1-2]:e\"}}}", "f:2:45: error: 'n[1-2]': " WHERE);
#undef WHERE
}

/* Random files. */

static uint32_t seed;

static uint32_t draw(uint32_t n) {
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static const char *pick(const char *const *words, size_t n) {
	return words[draw((uint32_t)n)];
}
#define PICK(...) pick((const char *const[]){ __VA_ARGS__ }, ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })))

static void add_random(struct text *out) {
	uint32_t n = 1 + draw(5), from = draw(12);

	text_addf(
		out,
		"namespaces:\n  host: {interfaces: {b: {kind: bridge, ports: [\"c1[%u-%u]\", {name: \"c2[%u-%u]\", cost: \"{%s}\"}]}}}\n",
		from, from + n - 1, from, from + n - 1, PICK("n+1400", "1500-n", "n*700", "(n+1)*500", "1400+n%2"));
	text_addf(out, "  \"h[%u-%u]\": {%s%s%s}\n", from, from + n - 1, PICK("", "forwarding: true, "),
		  PICK("", "drift: report, "),
		  PICK("", "interfaces: {lo: {addresses: [\"10.{n}.0.1\", \"10.{n/2}.{n:02}.2\"]}}"));
	text_addf(out, "  h%u: {%s}\n", from + draw(n + 2),
		  PICK("", "sysctl: {net.core.somaxconn: 1}", "adopt: true", "drift: report"));
	text_addf(out, "  \"[a-c]{n}\": {interfaces: {\"d[%u,%u]\": {kind: bridge, addresses: \"10.9{n}.0.%u/16\"}}}\n",
		  draw(3), 3 + draw(3), 1 + draw(250));
	text_addf(out, "links:\n- {endpoints: [\"h[%u-%u]:eth0\", \"host:c1[%u-%u]\"], mtu: \"{1400-n}\"}\n", from,
		  from + n - 1, from, from + n - 1);
	text_addf(out, "- {endpoints: [\"h[%u-%u]:eth1\", \"host:c2{n}\"], prefix: %s}\n", from, from + n - 1,
		  PICK("\"10.5.{n}.0/30\"", "{pool: 10.5.0.0/16, length: 31}",
		       "[\"10.5.{n}.0/24\", {pool: \"fd05::/48\", length: 64}]"));
	text_addf(out, "networks:\n  net[1-2]: {prefix: %s, members: [\"h[%u-%u]\", %s\"m{n}-[1-3]\"], %s%s%s}\n",
		  PICK("\"10.6{n}.0.0/24\"", "[\"10.6{n}.0.0/24\", \"fd06:{n}::/64\"]", "\"fd06:{n}::/64\""), from,
		  from + n - 1, PICK("", "{name: a, interface: z{n}}, ", "r, "), PICK("", "bridge: \"host:nb{n}\", "),
		  PICK("", "isolated: true, "),
		  PICK("", "gateway: false", "gateway: \"m{n}-1\", nat: true", "gateway: host"));
	text_addf(out, "defaults: {namespace: {%s%s}}\n", PICK("", "forwarding: true, ", "forwarding: ipv4, "),
		  PICK("", "sysctl: {net.core.somaxconn: 7}", "drift: report"));
}

/* A random file is either refused, or written out as the same topology. */
static void test_random(void **state _unused_) {
	size_t good = 0;

	for (uint32_t i = 0; i < 200; i++) {
		_cleanup_text_ struct text text = {};
		_spec_ r;

		seed = i;
		add_random(&text);
		spec_from_text(&r, text_str(&text));
		if (!r.good)
			continue;
		good++;
		check_written_out(text_str(&text));
	}
	assert_true(good > 20);
}

/* Texts of every sort are read back as they were written. */
static void test_texts_survive(void **state _unused_) {
	check_written_out(
		"topology: \"no\"\nnamespaces: {\"yes\": {}, \"0x10\": {}, \"~x\": {}, \"ä€\": {}, \"a#b\": {},\n"
		"  a: {dns: {servers: [\"fe80::1%eth0\", \"fd00::1\"], search: [\"-a.b\", x.org]}, interfaces: {\"null\": {kind: bridge}, \"y\": "
		"{kind: bridge}}, routes: {to: \"::/0\", type: blackhole}, sysctl: {net.ipv4.ping_group_range: \"1\\t2\", net.x.y: \"a: "
		"b, {c} #d\"}}}");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_refused_expressions),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_links_and_ports),
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_wrong_ranges),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_range_where_none_is_taken),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_texts_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
