/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WireGuard in the file: keys, key files, peers, and the message for each mistake. No message shows a key. */
#include "spec-helper.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "files/spec_file.h"
#include "ledger/ledger.h"

#define KEY "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
#define OTHER_KEY "gQgXr9LAav42BA0YJdNSNNeqeLtvLmqeuCyrwgM5qSY="

/* Keys. */

static void check_key(const char *text, bool good) {
	_cleanup_text_ struct text printed = {};
	struct key key = {};

	assert_int_equal(key_from_text(text, &key), good);
	if (!good)
		return;
	key_to_text(&key, &printed);
	assert_string_equal(printed.data, text);
}

static void test_keys(void **state _unused_) {
	struct key key;

	check_key(KEY, true);
	check_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true);
	check_key("/////////////////////////////////////////+8=", true);
	check_key("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg", false);  /* without its end */
	check_key("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8D==", false); /* 31 bytes */
	check_key("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dh=", false); /* more than 32 bytes */
	check_key("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n", false);
	check_key("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8_g=", false); /* another alphabet */
	check_key("", false);
	assert_true(key_from_text(KEY, &key));
	assert_int_equal(key.bytes[0], 0xc5);
	assert_int_equal(key.bytes[31], 0x38);
}

/* Mistakes in the file. */

static void check_peers(const char *peers, const char *expected) {
	_cleanup_free_ char *text =
		xasprintf("namespaces: {a: {interfaces: {wg0: {kind: wireguard,\npeers: [%s]}}}}", peers);

	check_diags(text, expected);
}

#define PEER "{public-key: " KEY ",\n"

static void test_peers(void **state _unused_) {
	check_peers(PEER "allowed-ips: [10.0.0.1, \"fd00::/64\"], endpoint: \"192.0.2.1:51820\", persistent-keepalive: 25s}",
		    "");
	check_peers(PEER "endpoint: \"[2001:db8::1]:51820\"}", "");
	check_peers("{endpoint: \"192.0.2.1:51820\"}", "f:2:9: error: a peer needs 'public-key'");
	check_peers(
		"{public-key: short}",
		"f:2:22: error: 'public-key' takes a key: 32 bytes in base64, which are 44 characters and end in '=', as `wg "
		"pubkey` prints it");
	check_peers("{public-key: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=}",
		    "f:2:22: error: 'public-key' is all zeros, which nobody has");
	check_peers(PEER "endpoint: 192.0.2.1}", "f:3:11: error: 'endpoint' needs the port, too: write \"192.0.2.1:51820\"");
	check_peers(PEER "endpoint: \"2001:db8::1\"}",
		    "f:3:11: error: 'endpoint' needs the port, too: write \"[2001:db8::1]:51820\"");
	check_peers(PEER "endpoint: \"vpn.example.org:51820\"}",
		    "f:3:11: error: 'endpoint' takes an address and a port, not 'vpn.example.org:51820': write "
		    "\"192.0.2.1:51820\" or \"[2001:db8::1]:51820\"; names are not looked up");
	check_peers(PEER "endpoint: \"192.0.2.1:0\"}",
		    "f:3:11: error: 'endpoint' takes an address and a port, not '192.0.2.1:0': write \"192.0.2.1:51820\" or "
		    "\"[2001:db8::1]:51820\"; names are not looked up");
	check_peers(PEER "allowed-ips: 10.0.0.1/24}",
		    "f:3:14: error: '10.0.0.1/24' has host bits set; the prefix is 10.0.0.0/24");
	check_peers(PEER "AllowedIPs: 10.0.0.1}",
		    "f:3:1: error: unknown key 'AllowedIPs' in a peer; did you mean 'allowed-ips'?");
	check_peers(PEER "preshared-key: " OTHER_KEY "}",
		    "f:3:1: error: unknown key 'preshared-key' in a peer; did you mean 'preshared-key-file'?");
}

static void test_several_peers(void **state _unused_) {
	check_peers(PEER "allowed-ips: 10.0.0.1}, {public-key: " OTHER_KEY ",\nallowed-ips: [10.0.0.0/8, 10.0.0.2]}", "");
	check_peers(
		PEER "allowed-ips: 10.0.0.1}, {public-key: " OTHER_KEY ",\nallowed-ips: [10.0.0.2, 10.0.0.1/32]}",
		"f:4:1: error: 10.0.0.1/32 is behind two peers of wg0; the kernel sends to one of them: leave it out of the "
		"other, or make it more specific there\nf:3:14: note: first here");
	check_peers(PEER "allowed-ips: 10.0.0.1}, {public-key: " KEY ", allowed-ips: 10.0.0.2}",
		    "f:3:25: error: a/wg0 peer " KEY
		    " is declared twice with different values: a public key is one peer; write "
		    "one entry with all of its 'allowed-ips'\nf:2:9: note: first here");
}

static void test_device(void **state _unused_) {
#define DEVICE(keys) "namespaces: {b: {}, a: {interfaces: {wg0: {kind: wireguard, " keys "}}}}"
	check_diags(DEVICE("listen-port: 1, underlay: b"), "");
	check_diags(DEVICE("listen-port: 70000"), "f:1:74: error: 'listen-port' must be from 1 to 65535, not 70000");
	check_diags(DEVICE("underlay: c"), "f:1:71: error: there is no namespace 'c'");
	check_diags(DEVICE("private-key-file: wg.key"),
		    "f:1:79: error: 'private-key-file' takes an absolute path, for example /etc/wireguard/private.key");
	check_diags(
		DEVICE("private-key-file: " KEY),
		"f:1:79: error: 'private-key-file' takes the path of a file, not a key: write the key into a file that only "
		"root can read, and replace this key, which others may have seen");
	check_diags(DEVICE("private-key: " KEY),
		    "f:1:61: error: unknown key 'private-key' in a wireguard interface; did you mean 'private-key-file'?");
	check_diags("namespaces: {a: {interfaces: {x: {kind: dummy, peers: []}}}}",
		    "f:1:55: error: only these kinds have 'peers': wireguard; x is dummy");
	check_diags("namespaces: {a: {interfaces: {x: {kind: wireguard, listen-port: 1, underlay: b},\n"
		    "z: {kind: wireguard, listen-port: 1}}}, b: {interfaces: {x: {kind: wireguard,\nlisten-port: 1}}}}",
		    "f:3:14: error: another wireguard listens on UDP port 1 of b: choose another 'listen-port'\n"
		    "f:1:65: note: first here");
}

/* Key files. */

static char place[64];

static int set_up(void **state _unused_) {
	snprintf(place, sizeof(place), "%s", "/tmp/topod-keys-XXXXXX");
	return mkdtemp(place) ? 0 : -1;
}

static int tear_down(void **state _unused_) {
	_cleanup_free_ char *command = xasprintf("rm -rf '%s'", place);

	return system(command);
}

static void write_file(const char *path, const char *text, mode_t mode) {
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
}

/* The messages about a topology with this key file, with excerpts; "" if there are none. They must not contain a key. */
static char *said_about(const char *value, unsigned flags, bool good) {
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	_cleanup_free_ char *path = xasprintf("%s/x.yaml", place),
			    *text = xasprintf(
				    "namespaces: {a: {interfaces: {wg0: {kind: wireguard, private-key-file: %s}}}}\n",
				    value);

	write_file(path, text, 0600);
	assert_int_equal(spec_file_load(path, flags, &loaded), good);
	char *said = diags_format(&loaded.diags, false);
	assert_null(strstr(said, KEY));
	assert_null(strstr(said, "xTIBA5"));
	return said;
}

static void check_key_file(const char *content, mode_t mode, const char *words) {
	_cleanup_free_ char *path = xasprintf("%s/a.key", place);

	write_file(path, content, mode);
	_cleanup_free_ char *checked = said_about(path, SPEC_FILE_CHECK, true),
			    *said = said_about(path, SPEC_FILE_TRUSTED, !words);

	if (!words) {
		assert_string_equal(said, "");
		assert_string_equal(checked, "");
		return;
	}
	if (!strstr(said, words) || !strstr(said, "error: ") || !strstr(said, path))
		fail_msg("no '%s' in: %s", words, said);
	if (!strstr(checked, words) || !strstr(checked, "warning: "))
		fail_msg("no warning of '%s' in: %s", words, checked);
}

static void test_key_files(void **state _unused_) {
	check_key_file(KEY "\n", 0600, NULL);
	check_key_file(KEY, 0640, NULL);
	check_key_file(KEY "\n", 0644, "can be read by everybody, and the key in it: remove that permission (chmod o-rwx)");
	check_key_file(KEY "\n" KEY "\n", 0600, "has more than a key: it must have one line");
	check_key_file("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg\n", 0600, "has no key: it must have 32 bytes in base64");
	check_key_file("", 0600, "has no key");
	check_key_file("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 0600, "has a key of zeros");
}

static void check_path(const char *path, const char *words) {
	_cleanup_free_ char *said = said_about(path, SPEC_FILE_TRUSTED, false),
			    *checked = said_about(path, SPEC_FILE_CHECK, true);

	if (!strstr(said, words) || !strstr(checked, words))
		fail_msg("no '%s' in: %s%s", words, said, checked);
}

static void test_paths(void **state _unused_) {
	_cleanup_free_ char *missing = xasprintf("%s/none.key", place), *fifo = xasprintf("%s/fifo", place);

	check_path(missing, "does not exist: make it with `umask 077; wg genkey >FILE`");
	check_path(place, "is not a regular file");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	check_path(fifo, "is not a regular file");
}

/* Neither the message nor the line below it. */
static void test_no_key_is_shown(void **state _unused_) {
	_cleanup_free_ char *inline_key = said_about(KEY, 0, false), *other = said_about("/etc, PrivateKey: " KEY, 0, false),
			    *cut = said_about("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg", 0, false),
			    *plain = said_about("/tmp/none.key, private-key: " KEY, 0, false);

	assert_non_null(strstr(inline_key, "*****"));
	assert_non_null(strstr(cut, "*****"));
	assert_non_null(strstr(other, "*****"));
	assert_non_null(strstr(plain, "/tmp/none.key"));
}

/* What the kernel does not show. */

static struct object *find_peer(struct spec *spec) {
	ns_foreach(object, state_find(&spec->state, "a"))
		if (streq(object->kind->name, "peer"))
			return object;
	abort();
}

static bool recalls(const struct ledger *ledger, struct spec *spec, size_t field) {
	struct object *peer = find_peer(spec);

	peer->set &= ~field_bit(field);
	ledger_recall(ledger, &spec->state);
	return object_has(peer, field);
}

static void test_recall(void **state _unused_) {
	static const char text[] =
		"namespaces: {a: {interfaces: {wg0: {kind: wireguard, peers: [" PEER "endpoint: \"192.0.2.1:5\"}]}}}}";
	_cleanup_(ledger_done) struct ledger ledger = {}, again = {};
	_cleanup_text_ struct text lines = {};
	_cleanup_loaded_spec_ struct loaded_spec loaded = {};
	_cleanup_free_ char *path = xasprintf("%s/y.yaml", place);

	write_file(path, text, 0600);
	assert_true(spec_file_load(path, 0, &loaded));
	struct object *peer = find_peer(&loaded.spec);
	size_t endpoint = (size_t)kind_field(peer->kind, "endpoint");
	uint64_t all = peer->set;

	ledger_note_creation(&ledger, peer, true, &lines);
	assert_false(recalls(&ledger, &loaded.spec, endpoint)); /* it was not set yet */
	peer->set = all;
	ledger_note_set(&ledger, peer, all, &lines);
	assert_true(recalls(&ledger, &loaded.spec, endpoint));
	assert_non_null(strstr(lines.data, "endpoint=192.0.2.1:5"));
	ledger_note_creation(&ledger, peer, true, &lines); /* recreated: it is not known until it is set */
	assert_false(recalls(&ledger, &loaded.spec, endpoint));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_several_peers),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_key_files),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_no_key_is_shown),
		cmocka_unit_test(test_recall),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
