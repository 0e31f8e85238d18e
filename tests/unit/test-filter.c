/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mapping `filter` without a kernel: what is read, what is refused with which message, and which rules stay when a chain
 * changes. netns/test-nat-kernel.c checks that the kernel agrees, netns/test_filter.py the effect on packets.
 */
#include "ruleset-helper.h"

static void test_filter_words(void **state _unused_) {
	check_words("forward: {policy: drop}", "forward policy drop\n");
	check_words(
		"forward: {rules: [{state: [established, related], action: accept}, {in: lan, out: not wan, mark: 0x10/0xff}]}",
		"forward policy accept\nforward accept state [established, related]\n"
		"forward in lan out not wan mark 0x10/0xff\n");
	check_words(
		"input:\n  policy: drop\n  rules: {protocol: icmpv6, icmp-type: [echo-request, 3/1], action: reject}\noutput:",
		"input policy drop\ninput reject protocol icmpv6 icmp-type [echo-request, 3/1]\n");
	check_words("postrouting: {rules: [{protocol: tcp, tcp-flags: [syn, not ack], clamp-mss: pmtu, counter: true}]}",
		    "postrouting policy accept\n"
		    "postrouting protocol tcp tcp-flags [syn, not ack] clamp-mss pmtu counter true\n");
	check_words(
		"forward: {rules: [{limit: 3/s burst 9, log: {prefix: a, level: info, limit: 1/min}}, {log: b}, {log: false}]}",
		"forward policy accept\nforward limit 3/second burst 9 log \"a\" level info limit 1/minute\n"
		"forward log \"b\"\nforward log false\n");
}

/* One rule of the chain forward. */
static void check_rule_errors(const char *rule, const char *expected) {
	_cleanup_free_ char *text = xasprintf("forward:\n  rules:\n  - %s", rule);

	check_errors(text, expected);
}

static void test_filter_errors(void **state _unused_) {
	check_errors(
		"forward: [{action: accept}]",
		"f:1:10: error: the rules of forward belong below 'rules', beside 'policy': {policy: drop, rules: [...]}");
	check_errors("forward: {policy: DROP}", "f:1:19: error: unknown policy 'DROP'; did you mean 'drop'?");
	check_errors("forward: {policy: reject}", "f:1:19: error: unknown policy 'reject'; it is one of: accept, drop");
	check_errors("forward: {rules: x}", "f:1:18: error: 'rules' takes a list of rules, not a string");
	check_errors("forwarding: {}", "f:1:1: error: unknown key 'forwarding' in filter; did you mean 'forward'?");
	check_errors("input: {rules: [{out: eth0, action: accept}]}",
		     "f:1:18: error: 'out' never matches in input: the packets leave through no interface");
	check_errors(
		"output: {rules: [{in: eth0, action: accept}]}",
		"f:1:19: error: 'in' never matches in output: the namespace's own packets did not arrive through an interface");
	check_errors("prerouting: {rules: [{out: eth0, action: accept}]}",
		     "f:1:23: error: 'out' never matches in prerouting: the outgoing interface is not chosen yet");
	check_errors(
		"postrouting: {rules: [{action: reject}]}",
		"f:1:32: error: 'reject' is not possible in postrouting; drop the packet there, or reject it in forward");
	check_errors(
		"input: {rules: [{protocol: tcp, clamp-mss: pmtu}]}",
		"f:1:44: error: 'clamp-mss: pmtu' is for forward, output and postrouting: in input the path is not known yet");
	check_rule_errors("{in: lan}", "f:3:5: error: a rule needs something to do: 'action' (accept, drop or reject), "
				       "'mark', 'clamp-mss', 'counter' or 'log'");
	check_rule_errors("{clamp-mss: pmtu}", "f:3:6: error: 'clamp-mss' needs 'protocol: tcp'");
	check_rule_errors("{tcp-flags: syn, protocol: udp, action: drop}",
			  "f:3:6: error: 'tcp-flags' needs 'protocol: tcp'");
	check_rule_errors("{icmp-type: echo-request, action: drop}",
			  "f:3:6: error: 'icmp-type' needs 'protocol': icmp or icmpv6");
	check_rule_errors("{protocol: icmp, icmp-type: nd-neighbor-solicit, action: drop}",
			  "f:3:33: error: icmp has no type 'nd-neighbor-solicit'; it is one of icmpv6");
	check_rule_errors(
		"{protocol: icmp, icmp-type: echo, action: drop}",
		"f:3:33: error: unknown ICMP type 'echo'; it is a name such as echo-request, a number, or TYPE/CODE such as "
		"3/1");
	check_rule_errors("{state: \"established,related\", action: accept}",
			  "f:3:13: error: several states are a list: [established,related]");
	check_rule_errors("{state: ESTABLISHED, action: accept}",
			  "f:3:13: error: unknown state 'ESTABLISHED'; did you mean 'established'?");
	check_rule_errors("{limit: 10, action: accept}",
			  "f:3:13: error: 'limit' takes packets per second, minute, hour, day or week, such as 10/minute or "
			  "10/minute burst 20, not '10'");
	check_rule_errors(
		"{protocol: tcp, tcp-flags: \"syn/fin,syn\", action: drop}",
		"f:3:32: error: 'tcp-flags' takes a list of flags, each as `syn` or `not ack`: iptables' --syn is [syn, "
		"not ack, not fin, not rst]");
	check_rule_errors("{protocol: tcp, tcp-flags: [syn, not syn], action: drop}",
			  "f:3:38: error: 'tcp-flags' has the flag 'syn' twice");
	check_rule_errors("{mark: 0x100/0xff}", "f:3:12: error: 'mark': 0x100 has bits that are not in the mask 0xff");
}

/* Words of nft and iptables lead to the right word. */
static void test_filter_spellings(void **state _unused_) {
	check_rule_errors("tcp dport 22 accept",
			  "f:3:5: error: a rule is a mapping, such as {in: lan, protocol: tcp, port: 22, action: "
			  "accept}, not a line of nft");
	check_rule_errors("-A FORWARD -j ACCEPT",
			  "f:3:5: error: a rule is a mapping, such as {in: lan, protocol: tcp, port: 22, "
			  "action: accept}, not a line of iptables");
	check_rule_errors("{action: ACCEPT}", "f:3:14: error: unknown action 'ACCEPT'; did you mean 'accept'?");
	check_rule_errors(
		"{action: LOG}",
		"f:3:14: error: 'LOG' is not an action: logging is a separate key: 'log: PREFIX', beside 'action' if there "
		"is one");
	check_rule_errors(
		"{action: masquerade}",
		"f:3:14: error: 'masquerade' is not an action: translations belong in the list 'nat' of the namespace");
	check_rule_errors("{protocol: tcp, dport: 22, jump: ACCEPT, counter: true}",
			  "f:3:21: error: unknown key 'dport' in a filter rule; did you mean 'port'?\n"
			  "f:3:32: error: unknown key 'jump' in a filter rule; did you mean 'action'?");
	static const struct {
		const char *theirs, *ours;
	} words[] = {
		{ "saddr", "source" },      { "daddr", "destination" }, { "iifname", "in" },
		{ "oifname", "out" },       { "ct state", "state" },    { "ctstate", "state" },
		{ "sport", "source-port" }, { "meta-mark", "fwmark" },  { "set-mark", "mark" },
		{ "log-prefix", "log" },    { "verdict", "action" },    { "icmpv6-type", "icmp-type" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		_cleanup_free_ char *rule = xasprintf("{%s: x, counter: true}", words[i].theirs);
		_cleanup_free_ char *expected =
			xasprintf("f:3:6: error: unknown key '%s' in a filter rule; did you mean '%s'?", words[i].theirs,
				  words[i].ours);

		check_rule_errors(rule, expected);
	}
}

static size_t n_stays(const char *desired, const char *seen) {
	struct nft_content_rule a[8], b[8];
	char texts[16][2] = {};
	size_t stays[8], n = 0;
	bool kept[8] = {};

	for (size_t i = 0; desired[i]; i++)
		a[i] = (struct nft_content_rule){ .text = memcpy(texts[i], &desired[i], 1) };
	for (size_t i = 0; seen[i]; i++)
		b[i] = (struct nft_content_rule){ .text = memcpy(texts[8 + i], &seen[i], 1) };
	nft_match_rules(&(struct nft_content){ .n = strlen(desired), .rules = a },
			&(struct nft_content){ .n = strlen(seen), .rules = b }, stays, kept);
	for (size_t i = 0, last = 0; desired[i]; i++) {
		if (stays[i] == NFT_NEW_RULE)
			continue;
		assert_true(kept[stays[i]] && stays[i] + 1 > last);
		assert_string_equal(a[i].text, b[stays[i]].text);
		last = stays[i] + 1;
		n++;
	}
	return n;
}

/* As many rules as possible stay, in their order. */
static void test_stays(void **state _unused_) {
	assert_int_equal(n_stays("", ""), 0);
	assert_int_equal(n_stays("abc", ""), 0);
	assert_int_equal(n_stays("", "abc"), 0);
	assert_int_equal(n_stays("abc", "abc"), 3);
	assert_int_equal(n_stays("abc", "xabc"), 3);
	assert_int_equal(n_stays("abc", "abcx"), 3);
	assert_int_equal(n_stays("abcd", "axcd"), 3);
	assert_int_equal(n_stays("abcdef", "axcyef"), 4);
	assert_int_equal(n_stays("abcd", "dabc"), 3);
	assert_int_equal(n_stays("abcd", "dcba"), 1);
	assert_int_equal(n_stays("aaa", "aa"), 2);
	assert_int_equal(n_stays("abcabc", "cabcab"), 5);
}

/* A message that the kernel refuses leads to its entry. */
static void test_positions(void **state _unused_) {
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	static const uint32_t lines[] = { 0, 0, 0, 0, 0, 0, 7, 8, 4, 5, 5, 5, 0 };
	_reading_ r = {};

	read_good(&r, "forward:\n"
		      "  policy: drop\n"
		      "  rules:\n"
		      "  - {action: accept, state: new}\n"
		      "  - {action: accept, protocol: tcp, port: [1, 2, 3]}\n"
		      "input:\n"
		      "  rules: [{action: drop},\n"
		      "          {counter: true}]\n");
	assert_true(nft_put_table(&w, "office", r.nat));
	assert_int_equal(w.messages.n, ARRAY_SIZE(lines));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(nl_find_position(&w, i).line, lines[i]);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_words),     cmocka_unit_test(test_filter_errors),
		cmocka_unit_test(test_filter_spellings), cmocka_unit_test(test_stays),
		cmocka_unit_test(test_positions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
