/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger: recording, writing and reading lines, reading a damaged file, and restoring former values. */
#include "plan-helper.h"

#include "kind/physical.h"
#include "kind/sysctl.h"

static const char header[] = "topod-ledger 1\n";

static void ledger_donep(struct ledger *ledger) {
	ledger_done(ledger);
}
#define _ledger_ _cleanup_(ledger_donep) struct ledger

static void parse(struct ledger *ledger, const char *lines, size_t damaged) {
	_cleanup_free_ char *text = xasprintf("%s%s", header, lines);
	size_t n;

	assert_int_equal(ledger_parse(ledger, text, strlen(text), &n), 0);
	assert_int_equal(n, damaged);
}

static void check_ledger(const struct ledger *ledger, const char *lines) {
	_cleanup_free_ char *text = ledger_format(ledger);
	const char *rest = startswith(text, header);

	assert_non_null(rest);
	assert_string_equal(rest, lines);
}

static void check_lines(const char *lines, size_t damaged, const char *expected) {
	_ledger_ ledger = {};

	parse(&ledger, lines, damaged);
	check_ledger(&ledger, expected);
}

/* Lines. */

static void test_round_trip(void **state _unused_) {
	const char *lines = "+ made netns\tweb\tweb namespace\n"
			    "+ made veth\tweb\tweb/eth0 link\tup\tmtu\n"
			    "+ found sysctl\thost\thost sysctl net.ipv4.ip_forward\tpath=net/ipv4/ip_forward\tvalue=0\n";

	check_lines(lines, 0, lines);
	check_lines("", 0, "");
}

static void test_later_lines(void **state _unused_) {
	check_lines("+ made netns\tweb\tweb namespace\n+ made netns\tdb\tdb namespace\n- web\tweb namespace\n", 0,
		    "+ made netns\tdb\tdb namespace\n");
	check_lines("+ made bridge\ta\ta/x link\tmtu\n+ made bridge\ta\ta/x link\tmtu\tstp\n", 0,
		    "+ made bridge\ta\ta/x link\tmtu\tstp\n");
	check_lines("- web\tweb namespace\n", 0, ""); /* unknown name: nothing to remove */
}

static void test_escapes(void **state _unused_) {
	_ledger_ ledger = {};

	parse(&ledger, "+ found sysctl\ta%25b\tid%25%0A\tvalue=%7F\n", 0);
	const struct ledger_entry *entry = ledger_find(&ledger, "a%b", "id%\n");
	assert_non_null(entry);
	assert_string_equal(ledger_former(entry, (size_t)kind_field(entry->kind, "value")), "\x7f");
	check_ledger(&ledger, "+ found sysctl\ta%25b\tid%25%0A\tvalue=%7F\n");
}

/* Lines damaged by a crash, a full disk or a user: the other lines are still read. */
static void test_damaged(void **state _unused_) {
	const char *good = "+ made netns\tweb\tweb namespace\n";
	static const char *const lines[] = {
		"nonsense\n",
		"\n",
		"+\n",
		"+ \n",
		"- \n",
		"- web\n",
		"+ made\n",
		"+ made netns\n",
		"+ made netns\tweb\n",
		"+ made netns\tweb\t\n",
		"+ given netns\tdb\tdb namespace\n",
		"+ made nokind\tdb\tdb namespace\n",
		"+ made netns\t..\t.. namespace\n",
		"+ made dns\t../x\tfile\n",
		"+ made netns\ta%2Fb\ta/b namespace\n",
		"+ made netns\tdb%\tdb namespace\n",
		"+ made netns\tdb\tdb%0g\n",
		"+ made netns\tdb\tdb%00\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_free_ char *text = xasprintf("%s%s", lines[i], good);

		check_lines(text, 1, good);
	}
	check_lines("+ made netns\tweb\tweb namespace\n+ made netns\tdb\tdb names", 1, good); /* cut off */
}

static void test_unknown_field(void **state _unused_) {
	_ledger_ ledger = {};

	/* A line of a later version: the object is still known to be topod's, so that it can be removed. */
	parse(&ledger, "+ made bridge\ta\ta/x link\tmtu\tnot-yet=3\tstp\n", 1);
	assert_true(ledger_find(&ledger, "a", "a/x link")->made);
}

static void test_nul(void **state _unused_) {
	static const char text[] = "topod-ledger 1\n+ made netns\tw\0b\tweb namespace\n+ made netns\tdb\tdb namespace\n";
	_ledger_ ledger = {};
	size_t damaged;

	assert_int_equal(ledger_parse(&ledger, text, sizeof(text) - 1, &damaged), 0);
	assert_int_equal(damaged, 1);
	check_ledger(&ledger, "+ made netns\tdb\tdb namespace\n");
}

/* The source files and the declared values are read back; a line replaces the previous one. */
static void test_declared(void **state _unused_) {
	static const char lines[] =
		"= file /etc/topod/a.yaml\n= file /etc/topod/a.d/x%0A.yaml\n"
		"+ shared netns\tweb\tweb namespace\tinode=1\tborn=2\n: web\tweb namespace\t3\n"
		"+ found existing\thost\thost/e link\tname=e\tmtu=1500\n: host\thost/e link\t1:12\tmtu=1400\n";
	_ledger_ ledger = {};

	parse(&ledger, lines, 0);
	check_ledger(&ledger, lines);
	const struct ledger_entry *entry = ledger_find(&ledger, "host", "host/e link");
	assert_string_equal(ledger_value(entry, LINK_MTU), "1400");
	assert_int_equal(entry->place.line, 12);
	assert_int_equal(entry->place.source, 1);
	assert_true(ledger_find(&ledger, "web", "web namespace")->shared);
	/* Without an entry, a position or a value the line is damaged. */
	parse(&ledger, ": host\thost/f link\t1\n: host\thost/e link\tx\n: host\thost/e link\t1\tmtu\n= file \n", 4);
	/* A new entry for the same object has no declared values. */
	parse(&ledger, "+ made bridge\thost\thost/e link\tmtu\n", 0);
	assert_false(ledger_find(&ledger, "host", "host/e link")->has_declaration);
}

/* As topod 0.1 wrote it: a setting under each of its names. */
static void test_setting_names(void **state _unused_) {
	static const char
		forwarding[] = "+ found sysctl\thost\thost sysctl net.ipv4.conf.all.forwarding\t"
			       "path=net/ipv4/conf/all/forwarding\tvalue=0\n",
		one[] = "+ found sysctl\thost\thost sysctl net.ipv4.ip_forward\tpath=net/ipv4/ip_forward\tvalue=%d\n",
		time[] = "+ found sysctl\thost\thost sysctl net.ipv4.neigh.e0.base_reachable_time\t"
			 "path=net/ipv4/neigh/e0/base_reachable_time\tvalue=30\n",
		milliseconds[] = "+ found sysctl\thost\thost sysctl net.ipv4.neigh.e0.base_reachable_time_ms\t"
				 "path=net/ipv4/neigh/e0/base_reachable_time_ms\tvalue=30000\n",
		gone[] = "- host\thost sysctl net.ipv4.conf.all.forwarding\n";
	_cleanup_free_ char *zero = xasprintf(one, 0), *last = xasprintf(one, 1),
			    *twice = xasprintf("%s%s", zero, forwarding), *removed = xasprintf("%s%s", forwarding, gone),
			    *removed_by_one = xasprintf("%s%s", forwarding, "- host\thost sysctl net.ipv4.ip_forward\n"),
			    *first = xasprintf("%s%s", last, forwarding);

	check_lines(forwarding, 0, zero);
	check_lines(time, 0, milliseconds);
	check_lines(twice, 0, zero);
	check_lines(first, 0, last); /* what was noted later is what topod had written by then */
	check_lines(removed, 0, "");
	check_lines(removed_by_one, 0, "");
}

/* The former value of a secret has a separate line; the declared one is never written. */
static void test_secrets(void **state _unused_) {
#define ID "host\thost sysctl net.ipv6.conf.e0.stable_secret"
	static const char entry[] = "+ found secret-sysctl\t" ID "\tpath=net/ipv6/conf/e0/stable_secret\tvalue\n",
			  known[] = "! " ID "\tvalue=2001:db8::1\n", none[] = "! " ID "\tvalue\n",
			  old[] = "+ found sysctl\t" ID "\tpath=net/ipv6/conf/e0/stable_secret\tvalue=2001:db8::1\n";
	_cleanup_free_ char *one = xasprintf("%s%s", entry, known), *nothing = xasprintf("%s%s", entry, none),
			    *later = xasprintf("%s%s%s", entry, known, none),
			    *gone = xasprintf("%s- " ID "\n%s", entry, known), *again = xasprintf("%s%s", gone, none);

	check_lines(one, 0, one);
	check_lines(nothing, 0, nothing);
	check_lines(later, 0, nothing);
	check_lines(gone, 0, "");
	check_lines(again, 0, "");
	check_lines(old, 0, one); /* as topod 0.1 wrote it */
	check_lines("! \n! x\n", 2, "");
	const char *lines = "+ found sysctl\thost\thost sysctl net.ipv4.ip_forward\tpath=net/ipv4/ip_forward\tvalue=0\n";
	_cleanup_free_ char *no_secret = xasprintf("%s! host\thost sysctl net.ipv4.ip_forward\tvalue=1\n", lines);
	check_lines(no_secret, 1, lines);

	struct read_spec spec;
	_ledger_ ledger = {};
	_cleanup_text_ struct text out = {};
	good_spec(&spec, "namespaces: {host: {sysctl: {net.ipv6.conf.all.stable_secret: \"2001:db8::5ec\"}}}\n");
	const struct object *object = get_object(&spec.spec.state, "host sysctl net.ipv6.conf.all.stable_secret");
	ledger_note(&ledger, object, NULL, object->set, false, &out);
	ledger_declare(&ledger, object, UINT64_MAX, &out);
	assert_null(strstr(out.data, "5ec"));
	assert_non_null(strstr(out.data, "\tvalue=(hidden)\n"));
	assert_true(ledger_is_declared(ledger_find_object(&ledger, object), object, UINT64_MAX));
	read_spec_done(&spec);
#undef ID
}

/* An interface that was found has another name now: the entries about it and what is on it follow, the others stay. */
static void test_renamed_interface(void **state _unused_) {
	static const char before[] = "+ found existing\thost\thost/e link\tname=e\tmtu=1500\tindex=7\n"
				     ": host\thost/e link\t3\tmtu=1400\n"
				     "+ made address\thost\thost/e address 10.0.0.1/8\n"
				     "+ found sysctl\thost\thost/e sysctl net.ipv4.conf.e.rp_filter\t"
				     "path=net/ipv4/conf/e/rp_filter\tvalue=0\n"
				     "+ made bridge\thost\thost/ee link\n",
			  after[] = "+ made bridge\thost\thost/ee link\n"
				    "+ found existing\thost\thost/f link\tname=f\tmtu=1500\tindex=7\n"
				    ": host\thost/f link\t3\tmtu=1400\n"
				    "+ made address\thost\thost/f address 10.0.0.1/8\n"
				    "+ found sysctl\thost\thost/f sysctl net.ipv4.conf.f.rp_filter\t"
				    "path=net/ipv4/conf/f/rp_filter\tvalue=0\n";
	_ledger_ ledger = {};
	_ledger_ again = {};
	_cleanup_text_ struct text lines = {};

	parse(&ledger, before, 0);
	ledger_rename(&ledger, "host", "e", "f", &lines);
	check_ledger(&ledger, after);
	/* The new lines, appended to the former ones, give the same. */
	parse(&again, before, 0);
	parse(&again, text_str(&lines), 0);
	check_ledger(&again, after);
	ledger_rename(&ledger, "host", "f", "ee", &lines); /* a name that another entry has */
	assert_non_null(ledger_find(&ledger, "host", "host/f link"));
}

static void test_no_ledger(void **state _unused_) {
	_ledger_ ledger = {};
	size_t damaged;

	assert_int_equal(ledger_parse(&ledger, "", 0, &damaged), 0); /* not written yet */
	assert_int_equal(ledger_parse(&ledger, "topod-ledger 2\n", 15, &damaged), -EINVAL);
	assert_int_equal(ledger_parse(&ledger, "topod-ledger", 12, &damaged), -EINVAL);
	assert_int_equal(ledger_parse(&ledger,
				      "\x7f"
				      "ELF\n",
				      5, &damaged),
			 -EINVAL);
	assert_null(ledger.namespaces);
}

/* Recording. */

static void test_note(void **state _unused_) {
	_ledger_ ledger = {};
	_cleanup_text_ struct text lines = {};
	_spec_ r;

	good_spec(&r, "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1400, stp: true}}}}");
	struct object *x = get_object(&r.spec.state, "a/x link");
	const uint64_t mtu = field_bit(LINK_MTU);
	assert_true(ledger_note(&ledger, x, NULL, mtu, true, &lines));
	assert_string_equal(lines.data, "+ made bridge\ta\ta/x link\tmtu\n");
	assert_false(ledger_note(&ledger, x, NULL, mtu, true, &lines)); /* known already: no line */
	assert_true(ledger_note(&ledger, x, NULL, mtu | field_bit(LINK_UP), true, &lines));
	check_ledger(&ledger, "+ made bridge\ta\ta/x link\tup\tmtu\n");
	/* Reading the written lines gives the same table. */
	_ledger_ recreates = {};
	parse(&recreates, lines.data, 0);
	check_ledger(&recreates, "+ made bridge\ta\ta/x link\tup\tmtu\n");
}

/* Only the first value that was found counts: later ones are topod's own or drift. */
static void test_first_value_counts(void **state _unused_) {
	_ledger_ ledger = {};
	_cleanup_text_ struct text lines = {};
	_world_ w;

	world_make(&w, "namespaces: {host: {interfaces: {e: {kind: existing, mtu: 1400}}}}",
		   "namespaces: {host: {interfaces: {e: {kind: existing, mtu: 9000}}}}");
	struct object *want = get_object(&w.desired.spec.state, "host/e link"), *have = seen_object(&w, "host/e link");
	ledger_note(&ledger, want, have, field_bit(LINK_MTU), false, &lines);
	((struct link *)have)->mtu = 5000;
	assert_false(ledger_note(&ledger, want, have, field_bit(LINK_MTU), false, &lines));
	check_ledger(&ledger, "+ found existing\thost\thost/e link\tname=e\tmtu=9000\n");
}

/* A link that is recreated as another kind keeps its name, and its line must be readable. */
static void test_another_kind(void **state _unused_) {
	_ledger_ ledger = {}, recreates = {};
	_cleanup_text_ struct text lines = {};
	_spec_ r;

	parse(&ledger, "+ made bridge\ta\ta/x link\tmtu\tforward-delay\tmac-address=02:00:00:00:00:01\n", 0);
	good_spec(&r, "namespaces: {a: {interfaces: {x: {kind: vxlan, id: 3, learning: false}}}}");
	struct object *x = get_object(&r.spec.state, "a/x link");
	const uint64_t learning = field_bit(kind_field(x->kind, "learning"));
	assert_true(ledger_note(&ledger, x, NULL, learning, true, &lines));
	assert_false(ledger_note(&ledger, x, NULL, learning, true, &lines));
	parse(&recreates, lines.data, 0);
	check_ledger(&recreates, "+ made vxlan\ta\ta/x link\tmtu\tmac-address=02:00:00:00:00:01\tlearning\n");
}

static void test_forget(void **state _unused_) {
	_ledger_ ledger = {};
	_cleanup_text_ struct text lines = {};

	parse(&ledger, "+ made netns\tweb\tweb namespace\n+ made netns\tdb\tdb namespace\n", 0);
	ledger_forget(&ledger, "web", "web namespace", &lines);
	ledger_forget(&ledger, "web", "web namespace", &lines); /* the second time writes nothing */
	assert_string_equal(lines.data, "- web\tweb namespace\n");
	assert_null(ledger_namespace(&ledger, "web"));
	check_ledger(&ledger, "+ made netns\tdb\tdb namespace\n");
}

static void test_forget_fields(void **state _unused_) {
	_ledger_ ledger = {};
	_cleanup_text_ struct text lines = {};
	_spec_ r;

	good_spec(
		&r,
		"namespaces: {host: {interfaces: {e: {kind: existing, mtu: 1400}}}, a: {interfaces: {x: {kind: bridge}}}}");
	parse(&ledger,
	      "+ found existing\thost\thost/e link\tname=e\tmtu=9000\tup=false\n"
	      "+ made bridge\ta\ta/x link\tname\tmtu\n",
	      0);
	const struct object *e = get_object(&r.spec.state, "host/e link"), *x = get_object(&r.spec.state, "a/x link");
	ledger_forget_fields(&ledger, e, field_bit(LINK_MTU), &lines);
	assert_string_equal(lines.data, "+ found existing\thost\thost/e link\tname=e\tup=false\n");
	/* After its last field, an object that was only found is forgotten; one that topod made is not. */
	ledger_forget_fields(&ledger, e, field_bit(LINK_UP), &lines);
	ledger_forget_fields(&ledger, x, field_bit(LINK_MTU), &lines);
	check_ledger(&ledger, "+ made bridge\ta\ta/x link\tname\n");
	_ledger_ recreates = {};
	parse(&recreates, "+ found existing\thost\thost/e link\tname=e\tmtu=9000\tup=false\n", 0);
	_cleanup_free_ char *journal = xasprintf("%s%s", header, lines.data);
	size_t damaged;
	assert_int_equal(ledger_parse(&recreates, journal, strlen(journal), &damaged), 0);
	check_ledger(&recreates, "+ made bridge\ta\ta/x link\tname\n");
}

/* Links of two kinds with one name are the same link. */
static void test_links_share_their_names(void **state _unused_) {
	_ledger_ ledger = {};
	_spec_ r;

	parse(&ledger, "+ made bridge\ta\ta/x link\tname\n", 0);
	good_spec(&r, "namespaces: {a: {}}\nlinks: [[a:x, host:z]]");
	assert_non_null(ledger_find_object(&ledger, get_object(&r.spec.state, "a/x link")));
	assert_null(ledger_find_object(&ledger, get_object(&r.spec.state, "host/z link")));
}

/* Former values. */

static void check_returns(const char *lines, const char *desired, const char *expected) {
	_ledger_ ledger = {};
	_cleanup_text_ struct text out = {};
	_spec_ r;

	parse(&ledger, lines, 0);
	good_spec(&r, desired);
	ledger_add_returns(&ledger, &r.spec.state);
	state_foreach(ns, &r.spec.state)
		ns_foreach(object, ns) {
			if (!object->returning)
				continue;
			object_print_id(object, &out);
			text_addf(&out, "%s: ", object->gone ? " (gone)" : "");
			object_print_fields(object, NULL, object->returning & object->set, &out);
			text_add(&out, "\n");
		}
	assert_string_equal(text_str(&out), expected);
}

static void test_returns(void **state _unused_) {
	const char *entry = "+ made bridge\ta\ta/x link\tname\tmtu\tforward-delay\tmac-address\n";

	check_returns(entry, "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1400, forward-delay: 2s}}}}", "");
	/* What topod made goes back to the kernel's defaults; the MAC address stays topod's. */
	check_returns(entry, "namespaces: {a: {interfaces: {x: {kind: bridge, mtu: 1400}}}}",
		      "a/x link: forward-delay 15s\n");
	check_returns(entry, "namespaces: {a: {interfaces: {x: {kind: bridge}}}}",
		      "a/x link: mtu 1500, forward-delay 15s\n");
	/* What topod made and is no longer declared is deleted as a whole. */
	check_returns(entry, "namespaces: {a: {}}", "");
}

static void test_found_goes_back(void **state _unused_) {
	const char *entry = "+ found existing\thost\thost/e link\tname=e\tmtu=9000\tmaster=\tup=false\n";

	check_returns(entry, "namespaces: {host: {interfaces: {e: {kind: existing, mtu: 1400}}}}",
		      "host/e link: master none\n");
	check_returns(entry, "", "host/e link (gone): up false, mtu 9000, master none\n");
	/* A value that would need quotes in YAML: only digits and colons. */
	check_returns("+ found existing\thost\thost/e link\tname=e\tmac-address=52:54:00:12:34:56\n", "",
		      "host/e link (gone): mac-address 52:54:00:12:34:56\n");
	check_returns("+ found sysctl\thost\thost sysctl net.ipv4.ip_forward\tpath=net/ipv4/ip_forward\tvalue=0\n", "",
		      "host sysctl net.ipv4.ip_forward (gone): value 0\n");
	check_returns("+ found sysctl\thost\thost sysctl net.ipv4.ip_forward\tpath=net/ipv4/ip_forward\tvalue=0\n",
		      "namespaces: {host: {forwarding: ipv4}}", "");
}

/* An object that cannot be restored from its entry is skipped. */
static void test_incomplete(void **state _unused_) {
	check_returns("+ found existing\thost\thost/e link\tmtu=9000\n", "", "");
	check_returns("+ found sysctl\thost\thost sysctl x\tvalue=0\n", "", "");
	check_returns("+ found existing\thost\thost/e link\tname=e\tmtu=huge\tup=true\n", "",
		      "host/e link (gone): up true\n");
}

/* The cookie alone decides if it is known; a ledger of an older topod has none. */
static void test_identity_of_namespaces(void **state _unused_) {
	static const struct {
		const char *noted;
		struct netns_identity seen;
		bool same;
	} rows[] = {
		{ "inode=1\tborn=2\tcookie=9", { 1, 2, 9 }, true },
		{ "inode=1\tborn=2\tcookie=9", { 1, 3, 9 }, true },   /* nothing held its inode meanwhile */
		{ "inode=1\tborn=2\tcookie=9", { 1, 2, 10 }, false }, /* the inode number was used again at once */
		{ "inode=1\tborn=2", { 1, 2, 9 }, true },
		{ "inode=1\tborn=2", { 1, 3, 9 }, false },
		{ "inode=1\tborn=2\tcookie=9", { 1, 2, 0 }, true },
		{ "inode=1\tborn=2\tcookie=9", { 4, 2, 0 }, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(arena_done) struct arena arena = {};
		_cleanup_(ledger_done) struct ledger ledger = {};
		_cleanup_free_ char *text =
			xasprintf("topod-ledger 1\n+ made netns\tweb\tweb namespace\t%s\n", rows[i].noted);
		size_t damaged;

		assert_int_equal(ledger_parse(&ledger, text, strlen(text), &damaged), 0);
		const struct object *seen = netns_object(&arena, "web", &rows[i].seen);
		const struct ledger_entry *entry = ledger_find_object(&ledger, seen);
		assert_non_null(entry);
		if (ledger_is_same(entry, seen) != rows[i].same)
			fail_msg("row %zu", i);
	}
}

/* Only entries for objects outside the former namespace remain. */
static void test_attached(void **state _unused_) {
	static const char before[] =
		"topod-ledger 1\n+ found netns\tweb\tweb namespace\tinode=1\tcookie=9\tlink=/proc/7/ns/net\n"
		"+ found sysctl\tweb\tweb sysctl net.ipv4.ip_default_ttl\tpath=net/ipv4/ip_default_ttl\tvalue=64\n"
		"+ made dns\tweb\tweb resolv.conf\n";
	static const struct {
		struct netns_identity seen;
		size_t n;
	} rows[] = { { { 1, 0, 9 }, 3 }, { { 1, 0, 10 }, 2 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(arena_done) struct arena arena = {};
		_cleanup_(ledger_done) struct ledger ledger = {};
		_cleanup_text_ struct text lines = {};
		struct object *seen = netns_object(&arena, "web", &rows[i].seen);
		size_t damaged;

		assert_int_equal(ledger_parse(&ledger, before, strlen(before), &damaged), 0);
		assert_int_equal(damaged, 0);
		((struct netns *)seen)->link = "/proc/8/ns/net";
		seen->set |= field_bit(NETNS_LINK);
		ledger_note_attached(&ledger, seen, &lines);
		assert_int_equal(ledger.n, rows[i].n);
		const struct ledger_entry *entry = ledger_attached_namespace(ledger_namespace(&ledger, "web"));
		assert_non_null(entry);
		assert_true(ledger_is_same(entry, seen));
		assert_string_equal(ledger_former(entry, NETNS_LINK), "/proc/8/ns/net");
		/* The lines give the next reader the same. */
		_cleanup_(ledger_done) struct ledger again = {};
		_cleanup_free_ char *all = xasprintf("%s%s", before, text_str(&lines));
		assert_int_equal(ledger_parse(&again, all, strlen(all), &damaged), 0);
		assert_int_equal(again.n, rows[i].n);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_later_lines),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_unknown_field),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_declared),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_setting_names),
		cmocka_unit_test(test_renamed_interface),
		cmocka_unit_test(test_no_ledger),
		cmocka_unit_test(test_identity_of_namespaces),
		cmocka_unit_test(test_attached),
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_first_value_counts),
		cmocka_unit_test(test_another_kind),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_forget_fields),
		cmocka_unit_test(test_links_share_their_names),
		cmocka_unit_test(test_returns),
		cmocka_unit_test(test_found_goes_back),
		cmocka_unit_test(test_incomplete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
