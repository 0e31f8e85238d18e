/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list `nat` without a kernel: what is read from a file, what is refused with which message, the rules that follow, and
 * how the messages are read back. netns/test-nat-kernel.c checks that the kernel agrees.
 */
#include "ruleset-helper.h"

#include "model/change.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

static void test_words(void **state _unused_) {
	check_words("- {action: masquerade, source: 10.0.0.0/24, out: not br0}",
		    "masquerade source 10.0.0.0/24 out not br0\n");
	check_words("{action: masquerade}", "masquerade\n");
	check_words("- {action: snat, source: [10.0.0.0/8, 192.168.0.0/16], to: 192.0.2.1-192.0.2.9}",
		    "snat source [10.0.0.0/8, 192.168.0.0/16] to 192.0.2.1-192.0.2.9\n");
	check_words("- {action: dnat, in: eth0, protocol: tcp, port: 8080, to: \"10.0.0.11:80\"}",
		    "dnat in eth0 protocol tcp port 8080 to 10.0.0.11:80\n");
	check_words("- {action: dnat, protocol: [tcp, udp], port: [53, 100-200], to: \"[fd00:0::1]:53\"}",
		    "dnat protocol [tcp, udp] port [53, 100-200] to [fd00::1]:53\n");
	check_words("- {action: redirect, protocol: tcp, source-port: not 22, to: \":8080\", hook: output}",
		    "redirect protocol tcp source-port not 22 to :8080 hook output\n");
	check_words("- {action: redirect, protocol: 6, to: 8080}", "redirect protocol tcp to :8080\n");
	check_words("- {action: masquerade, out: [not br0, not br1, not veth*]}", "masquerade out not [br0, br1, veth*]\n");
	check_words("- {action: masquerade, out: \"not [br0, br1 ,veth*]\"}", "masquerade out not [br0, br1, veth*]\n");
	check_words("- action: masquerade\n  out: not [br0]", "masquerade out not br0\n");
	check_words("- {action: masquerade, source: 10.0.0.1/32, destination: \"0.0.0.0/0\"}",
		    "masquerade source 10.0.0.1 destination 0.0.0.0/0\n");
	check_words("- {action: masquerade, out: \"no\", protocol: 200}", "masquerade out no protocol 200\n");
	check_words("- {action: masquerade, out: not}", "masquerade out not\n");
	check_words("- {action: masquerade, protocol: [not tcp, not udp]}", "masquerade protocol not [tcp, udp]\n");
	check_words("- {action: dnat, to: fd00::1-fd00::9}", "dnat to fd00::1-fd00::9\n");
	check_words("- {action: dnat, protocol: tcp, to: \"[fd00::1]-[fd00::9]:80-90\"}",
		    "dnat protocol tcp to [fd00::1]-[fd00::9]:80-90\n");
	check_words("- {action: dnat, to: \"[fd00::1]\"}", "dnat to fd00::1\n");
	check_words("- {action: dnat, protocol: tcp, to: \":80\"}", "dnat protocol tcp to :80\n");
	check_words("- {action: masquerade, protocol: udp, to: \":1024-2048\"}", "masquerade protocol udp to :1024-2048\n");
	check_words("- {action: dnat, fwmark: [0x10, 0x20/0xf0], to: 10.0.0.1, hairpin: lan, random: true}",
		    "dnat fwmark [0x10, 0x20/0xf0] to 10.0.0.1 random true hairpin lan\n");
	check_words("- {action: netmap, source: 10.0.0.0/24, out: wan, to: 10.1.0.0/24}",
		    "netmap source 10.0.0.0/24 out wan to 10.1.0.0/24\n");
	check_words("- {action: netmap, destination: \"fd00::/64\", to: \"fd01::/64\", hook: output}",
		    "netmap destination fd00::/64 to fd01::/64 hook output\n");
	check_words("- {action: masquerade, protocol: ipv6-icmp, fwmark: not 7, persistent: true}",
		    "masquerade protocol icmpv6 fwmark not 0x7 persistent true\n");
	check_words("- {action: masquerade, in: eth0, out: eth1, protocol: [icmp, icmpv6]}",
		    "masquerade in eth0 out eth1 protocol [icmp, icmpv6]\n");
}

static void test_value_errors(void **state _unused_) {
	check_errors("- {action: masq}", "f:1:12: error: unknown action 'masq'; did you mean 'masquerade'?");
	check_errors("- {action: masqerade}", "f:1:12: error: unknown action 'masqerade'; did you mean 'masquerade'?");
	check_errors("- {source: 10.0.0.0/8}", "f:1:3: error: a NAT entry needs 'action'");
	check_errors("- {action: masquerade, sorce: 10.0.0.0/8}",
		     "f:1:24: error: unknown key 'sorce' in a NAT entry; did you mean 'source'?");
	check_errors("- {action: masquerade, source: 10.0.0.1/8}",
		     "f:1:32: error: '10.0.0.1/8' has host bits set; the prefix is 10.0.0.0/8");
	check_errors("- {action: masquerade, source: [not 10.0.0.0/8, 10.1.0.0/16]}",
		     "f:1:49: error: 'source' mixes items with and without 'not'; put 'not' before all of "
		     "them, or keep only those without it");
	check_errors("- {action: masquerade, out: []}",
		     "f:1:29: error: 'out' is an empty list; leave it out to match everything");
	check_errors("- {action: masquerade, out: \"! br0\"}", "f:1:29: error: '! br0' is written \"not br0\"");
	check_errors("- {action: masquerade, out: on}",
		     "f:1:29: error: YAML reads an unquoted 'on' as a boolean or null; write \"on\"");
	check_errors("- {action: masquerade, out: a-name-of-17-bytes}",
		     "f:1:29: error: the interface name 'a-name-of-17-bytes' is longer than 15 bytes");
	check_errors("- {action: masquerade, out: \"*\"}", "f:1:29: error: '*' means every interface; leave 'out' out");
	check_errors("- {action: masquerade, out: \"a/*\"}",
		     "f:1:29: error: the interface name 'a/' contains '/', ':' or white space");
	check_errors("- {action: masquerade, out: \"not [br0\"}",
		     "f:1:29: error: 'out' takes a list as [not a, not b] or \"not [a, b]\", not 'not [br0'");
	check_errors("- {action: masquerade, out: \"not [br0,]\"}", "f:1:29: error: the interface name '' is empty");
	check_errors(
		"- {action: masquerade, out: {a: b}}",
		"f:1:29: error: 'out' takes one interface name or a list of them, optionally with 'not', not a mapping");
	check_errors("- {action: masquerade, source: {not: 10.0.0.0/8}}",
		     "f:1:32: error: 'not' goes before the value; write 'source: not 10.0.0.0/8'");
	check_errors("- {action: masquerade, out: {not: [br0, br1]}}",
		     "f:1:29: error: 'not' goes before the value; write 'out: [not br0, not br1]'");
	check_errors("- {action: masquerade, out: [{not: br0}]}",
		     "f:1:30: error: 'not' goes before the value; write 'out: not br0'");
	check_errors("- {action: masquerade, source: 10.0.0.0/255.0.0.0}",
		     "f:1:32: error: 'source' takes a prefix with its length in bits, not '10.0.0.0/255.0.0.0'; write "
		     "10.0.0.0/8");
	check_errors("- {action: forward}",
		     "f:1:12: error: unknown action 'forward'; it is one of: masquerade, snat, dnat, redirect, netmap");
	check_errors("- {action: masquerade, out: \"!= br0\"}", "f:1:29: error: '!= br0' is written \"not br0\"");
	check_errors("- {action: masquerade, source: any}",
		     "f:1:32: error: 'source' takes a prefix, not 'any'; for everything write 0.0.0.0/0 or \"::/0\"");
	check_errors("- {action: masquerade, out: eth+}",
		     "f:1:29: warning: 'eth+' is the name of one interface; to match all that begin with it write \"eth*\"");
	check_errors("- {action: masquerade, protocol: tpc}", "f:1:34: error: unknown protocol 'tpc'; did you mean 'tcp'?");
	check_errors("- {action: masquerade, protocol: 256}",
		     "f:1:34: error: unknown protocol '256'; it is tcp, udp, icmp, icmpv6, sctp, dccp, udplite, esp, "
		     "ah, gre or a number from 1 to 255");
	check_errors("nat", "f:1:1: error: 'nat' takes a list of entries, not a string");
	check_errors("- nat", "f:1:3: error: a NAT entry must be a mapping of keys, not a string");
}

static void test_port_errors(void **state _unused_) {
	check_errors("- {action: redirect, protocol: tcp, port: 22:22}",
		     "f:1:43: error: a range of ports is written 22-22, not '22:22'");
	check_errors("- {action: redirect, protocol: tcp, port: \"8000:9000\"}",
		     "f:1:43: error: a range of ports is written 8000-9000, not '8000:9000'");
	check_errors("- {action: redirect, protocol: tcp, port: 0}",
		     "f:1:43: error: a port must be from 1 to 65535, not '0'");
	check_errors("- {action: redirect, protocol: tcp, port: 65536}",
		     "f:1:43: error: a port must be from 1 to 65535, not '65536'");
	check_errors("- {action: redirect, protocol: tcp, port: [80, 0-10]}",
		     "f:1:48: error: 'port' takes a port or a range, for example 80 or 100-200, not '0-10'");
	check_errors("- {action: redirect, protocol: tcp, port: http}",
		     "f:1:43: error: 'port' takes a port or a range, for example 80 or 100-200, not 'http'");
	check_errors(
		"- {action: redirect, protocol: tcp, port: \"8080:80\"}",
		"f:1:43: error: 'port' takes the port that packets arrive at, here 8080; write their destination in 'to', "
		"as ADDRESS:80");
	check_errors("- {action: redirect, protocol: tcp, port: \"80:90\"}",
		     "f:1:43: error: a range of ports is written 80-90, not '80:90'");
	check_errors("- {action: redirect, port: 80/tcp}",
		     "f:1:28: error: the protocol of '80/tcp' has its own key: protocol: tcp, port: 80");
	check_errors("- {action: redirect, protocol: tcp, port: \"80,443\"}",
		     "f:1:43: error: 'port' takes a port or a range, not '80,443'; a list is written [80,443]");
	check_errors("- {action: redirect, protocol: tcp, port: {80, 443}}",
		     "f:1:43: error: 'port' takes a list in brackets: [80, 443]");
	check_errors("- {action: redirect, protocol: tcp, port: 200-100}",
		     "f:1:43: error: the port range 200-100 is reversed; write 100-200");
	check_errors("- {action: redirect, port: 22}",
		     "f:1:22: error: 'port' needs 'protocol': tcp, udp, sctp, dccp or udplite");
	check_errors("- {action: redirect, protocol: icmp, source-port: 22}",
		     "f:1:38: error: 'source-port' needs a 'protocol' that has ports: tcp, udp, sctp, dccp or udplite");
	check_errors("- {action: redirect, protocol: not tcp, port: 22}",
		     "f:1:41: error: 'port' needs a 'protocol' that has ports: tcp, udp, sctp, dccp or udplite");
	check_errors("- {action: redirect, to: \":22\"}",
		     "f:1:22: error: a port in 'to' needs 'protocol': tcp, udp, sctp, dccp or udplite");
	/* A wrong protocol is not a missing one as well. */
	check_errors("- {action: redirect, protocol: tpc, port: 22}",
		     "f:1:32: error: unknown protocol 'tpc'; did you mean 'tcp'?");
}

static void test_target_errors(void **state _unused_) {
	static const char *const wrong[] = {
		"10.0.0",
		"10.0.0.1:",
		"10.0.0.1:0",
		"10.0.0.1:80:90",
		"[fd00::1",
		"[fd00::1]80",
		"fd00::1]:80",
		"x",
		"10.0.0.1-",
		"-10.0.0.1",
		"10.0.0.1:70000",
		":",
		"",
		"10.0.0.1-10.0.0.2-10.0.0.3",
		"[]:80",
		"0",
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_free_ char *text = xasprintf("- {action: dnat, protocol: tcp, to: \"%s\"}", wrong[i]);
		_reading_ r = {};

		read_list(&r, text);
		if (r.good || !strstr(r.diags.list.items[0].text, "'to' takes ADDRESS"))
			fail_msg("'%s' was taken", wrong[i]);
	}
	check_errors("- {action: dnat, to: 10.0.0.9-10.0.0.1}", "f:1:22: error: '10.0.0.9-10.0.0.1' is a reversed range");
	check_errors("- {action: dnat, to: 10.0.0.9-fd00::1}",
		     "f:1:22: error: '10.0.0.9-fd00::1' is a range across address families");
	check_errors("- {action: dnat, to: 0.0.0.0}", "f:1:22: error: '0.0.0.0' is not a host address");
	check_errors("- {action: dnat, to: 224.0.0.1}",
		     "f:1:22: error: '224.0.0.1' is a multicast address; NAT needs a single host");
	check_errors("- {action: dnat, to: [fd00::1]}",
		     "f:1:22: error: 'to' takes one target, not a list: write several hosts as a range, such "
		     "as 10.0.0.2-10.0.0.9, and quote an address in brackets, such as \"[fd00::1]:80\"");
	check_errors("- {action: dnat}", "f:1:3: error: dnat needs 'to'");
	check_errors("- {action: snat, protocol: tcp, to: \":80\"}",
		     "f:1:37: error: snat needs an address in 'to'; for the outgoing interface's own address "
		     "use masquerade");
	check_errors("- {action: masquerade, to: 10.0.0.1}",
		     "f:1:28: error: masquerade takes only a port in 'to', as \":8080\"; an address is for snat");
	check_errors("- {action: redirect, to: 10.0.0.1}",
		     "f:1:26: error: redirect takes only a port in 'to', as \":8080\"; an address is for dnat");
}

static void test_entry_errors(void **state _unused_) {
	check_errors("- {action: snat, to: 192.0.2.1, hook: output}",
		     "f:1:33: error: 'hook' is for dnat and redirect; snat is always in postrouting");
	check_errors("- {action: redirect, out: eth0}",
		     "f:1:22: error: 'out' is not known yet when redirect is applied: the outgoing interface "
		     "is chosen for the new destination");
	check_errors("- {action: redirect, in: eth0, hook: output}",
		     "f:1:22: error: 'in' never matches with hook 'output': the namespace's own packets did "
		     "not arrive through an interface");
	check_errors("- {action: dnat, source: 10.0.0.0/8, to: fd00::1}",
		     "f:1:42: error: 'to' has an IPv6 address in an entry that has an IPv4 one before; write an entry "
		     "for each family");
	check_errors("- {action: masquerade, source: [\"fd00::/8\", 10.0.0.0/8]}",
		     "f:1:24: error: 'source' has an IPv4 address in an entry that has an IPv6 one before; write an "
		     "entry for each family");
	check_errors("- {action: masquerade, source: not 0.0.0.0/0}",
		     "f:1:32: error: 'source' excludes every address: the entry would never match");
	check_errors("- {action: masquerade, source: \"fd00::/8\", protocol: icmp}",
		     "f:1:54: error: icmp is not a protocol of IPv6, the family of the entry's addresses");
	check_errors("- {action: dnat, fwmark: 0x100/0xff, to: 10.0.0.1}",
		     "f:1:26: error: 'fwmark': 0x100 has bits that are not in the mask 0xff");
	check_errors("- {action: dnat, fwmark: red, to: 10.0.0.1}",
		     "f:1:26: error: 'fwmark' takes a mark, or a mark and a mask, for example 0x10 or 0x10/0xff, not 'red'");
}

static void test_netmap_errors(void **state _unused_) {
	check_errors("- {action: dnat, to: 10.0.0.0/24}",
		     "f:1:22: error: a prefix in 'to' is for netmap; several hosts are written as a range, such as "
		     "10.0.0.2-10.0.0.9");
	check_errors("- {action: netmap, source: 10.0.0.0/24}", "f:1:3: error: netmap needs 'to'");
	check_errors("- {action: netmap, source: 10.0.0.0/24, to: 10.1.0.1}",
		     "f:1:45: error: netmap takes a prefix in 'to', such as 10.1.0.0/24");
	check_errors("- {action: netmap, source: 10.0.0.0/24, to: 10.1.0.1/24}",
		     "f:1:45: error: '10.1.0.1/24' has host bits set; the prefix is 10.1.0.0/24");
	check_errors("- {action: netmap, source: 10.0.0.0/16, to: 10.1.0.0/24}",
		     "f:1:45: error: netmap maps a network to one of the same size: write it as 'source' or 'destination', "
		     "with a prefix of /24");
	check_errors("- {action: netmap, source: 10.0.0.0/24, destination: 10.2.0.0/24, to: 10.1.0.0/24}",
		     "f:1:71: error: both 'source' and 'destination' are as large as 'to'; write 'hook: prerouting' to map "
		     "the destination, or 'hook: postrouting' to map the source");
	check_errors("- {action: netmap, source: 10.0.0.0/24, to: 10.1.0.0/24, hook: output}",
		     "f:1:64: error: hook 'output' maps the destination, which has no prefix of /24 here");
	check_errors("- {action: netmap, destination: 10.0.0.0/24, out: wan, to: 10.1.0.0/24, random: true}",
		     "f:1:46: error: 'out' is not known yet when netmap is applied: the outgoing interface is chosen for "
		     "the new destination\n"
		     "f:1:81: error: 'random' chooses a port, and netmap keeps the port");
}

static void test_hook_and_hairpin_errors(void **state _unused_) {
	check_errors("- {action: dnat, to: 10.0.0.1, hook: postrouting}",
		     "f:1:38: error: dnat changes the destination, which is too late in postrouting");
	check_errors("- {action: snat, to: 10.0.0.1, hairpin: true}", "f:1:41: error: 'hairpin' is for dnat, not for snat");
	check_errors("- {action: dnat, to: 10.0.0.1, hook: output, hairpin: true}",
		     "f:1:55: error: 'hairpin' is for packets that arrive; hook 'output' is for the namespace's own");
	check_errors("- {action: dnat, to: 10.0.0.1, hairpin: true}",
		     "f:1:41: error: no address or route in the file shows behind which interface 10.0.0.1 is; write "
		     "'hairpin: INTERFACE'");
	check_errors("- {action: dnat, to: 10.0.0.1, hairpin: a/b}",
		     "f:1:41: error: 'hairpin' takes true, or the interface behind which the target is; 'a/b' contains '/', "
		     "':' or white space");
}

static void test_all_errors(void **state _unused_) {
	check_errors("- {action: dnat, port: 80, out: eth0}\n- {action: snat}\n- {acton: dnat}",
		     "f:1:28: error: 'out' is not known yet when dnat is applied: the outgoing interface is "
		     "chosen for the new destination\n"
		     "f:1:3: error: dnat needs 'to'\n"
		     "f:1:18: error: 'port' needs 'protocol': tcp, udp, sctp, dccp or udplite\n"
		     "f:2:3: error: snat needs 'to'\n"
		     "f:3:4: error: unknown key 'acton' in a NAT entry; did you mean 'action'?\n"
		     "f:3:3: error: dnat needs 'to'");
}

/* `key: [1, 2, …]` with n items, each after `before`. */
static void add_list(struct text *out, const char *key, const char *before, unsigned n) {
	text_addf(out, ", %s: [", key);
	for (unsigned i = 1; i <= n; i++)
		text_addf(out, "%s%s%u", i > 1 ? ", " : "", before, i);
	text_add(out, "]");
}

static void test_limits(void **state _unused_) {
	_cleanup_text_ struct text most = {}, negated = {}, many = {};
	_reading_ a = {}, b = {}, c = {}, d = {}, e = {};

	text_add(&most, "- {action: redirect, protocol: tcp");
	add_list(&most, "port", "", 64);
	add_list(&most, "source-port", "", 64);
	for (int i = 0; i < 8; i++)
		text_addf(&many, "%s}\n", text_str(&most));
	read_good(&a, text_str(&many));
	text_addf(&many, "%s}\n", "- {action: redirect");
	read_list(&b, text_str(&many));
	assert_false(b.good);
	assert_non_null(strstr(b.diags.list.items[0].text, "a namespace may have 32768"));

	add_list(&most, "destination", "10.0.0.", 2);
	text_add(&most, "}");
	read_list(&c, text_str(&most));
	assert_false(c.good);
	assert_non_null(strstr(c.diags.list.items[0].text, "too many combinations"));

	text_add(&negated, "- {action: masquerade, protocol: tcp");
	add_list(&negated, "port", "not ", 12);
	add_list(&negated, "source", "not 10.0.0.", 12);
	text_addf(&many, "%s, out: not br0}", text_str(&negated));
	text_add(&negated, "}");
	read_good(&d, text_str(&negated));
	text_done(&most);
	most = (struct text){};
	text_addf(&most, "%.*s, out: not br0}", (int)negated.size - 1, negated.data);
	read_list(&e, text_str(&most));
	assert_false(e.good);
	assert_non_null(strstr(e.diags.list.items[0].text, "at most 24 items with 'not', not 25"));
}

/* The canonical text. */
static void check_ruleset(const char *text, const char *expected) {
	_reading_ r = {};

	read_good(&r, text);
	assert_true(object_has(&r.nat->object, RULESET_TEXT));
	assert_string_equal(r.nat->text, expected);
}

#define HEAD "table flags 0 other objects 0\n"
#define PREROUTING "chain prerouting type nat hook 0 prio -100 flags 0 policy 1\n"
#define OUTPUT "chain output type nat hook 3 prio -100 flags 0 policy 1\n"
#define POSTROUTING "chain postrouting type nat hook 4 prio 100 flags 0 policy 1\n"

static void test_ruleset(void **state _unused_) {
	check_ruleset("- {action: masquerade, source: 10.0.0.0/24, out: not br0}",
		      HEAD POSTROUTING "  meta dreg 1 key 7;  cmp sreg 1 op 1 data 62723000000000000000000000000000;"
				       "  meta dreg 1 key 15;  cmp sreg 1 data 02;"
				       "  payload dreg 1 base 1 offset 12 len 3;  cmp sreg 1 data 0a0000;  masq;\n");
	/* Chains are in the order of their names, rules in that of the file. */
	check_ruleset("- {action: masquerade, protocol: tcp}\n- {action: redirect, hook: output}\n"
		      "- {action: redirect}\n- {action: masquerade}",
		      HEAD OUTPUT "  redir;\n" POSTROUTING
				  "  meta dreg 1 key 16;  cmp sreg 1 data 06;  masq;\n  masq;\n" PREROUTING "  redir;\n");
	/* A list is one rule per item, a list of `not` is one rule. */
	check_ruleset("- {action: masquerade, out: [a, \"b*\"]}",
		      HEAD POSTROUTING "  meta dreg 1 key 7;  cmp sreg 1 data 61000000000000000000000000000000;  masq;\n"
				       "  meta dreg 1 key 7;  cmp sreg 1 data 62;  masq;\n");
	check_ruleset("- {action: masquerade, out: [not a, not \"b*\"]}",
		      HEAD POSTROUTING "  meta dreg 1 key 7;  cmp sreg 1 op 1 data 61000000000000000000000000000000;"
				       "  meta dreg 1 key 7;  cmp sreg 1 op 1 data 62;  masq;\n");
	/* What a translation leaves out is filled in. */
	check_ruleset("- {action: dnat, protocol: tcp, port: 80-90, to: \"10.0.0.1:8080\"}", HEAD PREROUTING
		      "  meta dreg 1 key 16;  cmp sreg 1 data 06;  payload dreg 1 base 2 offset 2 len 2;"
		      "  cmp sreg 1 op 5 data 0050;  cmp sreg 1 op 3 data 005a;  immediate dreg 1 data 0a000001;"
		      "  immediate dreg 2 data 1f90;"
		      "  nat type 1 family 2 address 1 last-address 1 port 2 last-port 2 flags 3;\n");
	check_ruleset("- {action: snat, source: not \"fd00::/49\", to: fd00:1::1-fd00:1::2}",
		      HEAD POSTROUTING "  meta dreg 1 key 15;  cmp sreg 1 data 0a;  payload dreg 1 base 1 offset 8 len 16;"
				       "  bitwise sreg 1 dreg 1 len 16 mask ffffffffffff80000000000000000000"
				       " xor 00000000000000000000000000000000;"
				       "  cmp sreg 1 op 1 data fd000000000000000000000000000000;"
				       "  immediate dreg 1 data fd000001000000000000000000000001;"
				       "  immediate dreg 2 data fd000001000000000000000000000002;"
				       "  nat family 10 address 1 last-address 2 flags 1;\n");
	check_ruleset("- {action: redirect, protocol: udp, source-port: not 5-9, to: \":53\"}",
		      HEAD PREROUTING "  meta dreg 1 key 16;  cmp sreg 1 data 11;  payload dreg 1 base 2 len 2;"
				      "  range sreg 1 op 1 from 0005 to 0009;  immediate dreg 1 data 0035;"
				      "  redir port 1 last-port 1 flags 2;\n");
	check_ruleset("- {action: netmap, destination: 10.0.0.0/24, to: 10.1.0.0/24}", HEAD PREROUTING
		      "  meta dreg 1 key 15;  cmp sreg 1 data 02;  payload dreg 1 base 1 offset 16 len 3;"
		      "  cmp sreg 1 data 0a0000;  immediate dreg 1 data 0a010000;  immediate dreg 2 data 0a0100ff;"
		      "  nat type 1 family 2 address 1 last-address 2 flags 65;\n");
	/* From the inside too, and masqueraded so that the answers come back. */
	check_ruleset(
		"- {action: dnat, in: w, to: 10.0.0.1, hairpin: l}", HEAD POSTROUTING
		"  meta dreg 1 key 6;  cmp sreg 1 data 6c000000000000000000000000000000;"
		"  meta dreg 1 key 7;  cmp sreg 1 data 6c000000000000000000000000000000;"
		"  meta dreg 1 key 15;  cmp sreg 1 data 02;  payload dreg 1 base 1 offset 16 len 4;"
		"  cmp sreg 1 data 0a000001;  ct dreg 1 key 2;"
		"  bitwise sreg 1 dreg 1 len 4 mask 20000000 xor 00000000;  cmp sreg 1 op 1 data 00000000;  masq;\n"
		"  meta dreg 1 key 6;  cmp sreg 1 data 00000000000000000000000000000000;"
		"  meta dreg 1 key 7;  cmp sreg 1 data 6c000000000000000000000000000000;"
		"  meta dreg 1 key 15;  cmp sreg 1 data 02;  payload dreg 1 base 1 offset 16 len 4;"
		"  cmp sreg 1 data 0a000001;  ct dreg 1 key 2;"
		"  bitwise sreg 1 dreg 1 len 4 mask 20000000 xor 00000000;  cmp sreg 1 op 1 data 00000000;  masq;\n" PREROUTING
		"  meta dreg 1 key 6;  cmp sreg 1 data 77000000000000000000000000000000;  immediate dreg 1 data 0a000001;"
		"  nat type 1 family 2 address 1 last-address 1 flags 1;\n"
		"  meta dreg 1 key 6;  cmp sreg 1 data 6c000000000000000000000000000000;"
		"  fib dreg 1 result 3 flags 2;  cmp sreg 1 data 02000000;  immediate dreg 1 data 0a000001;"
		"  nat type 1 family 2 address 1 last-address 1 flags 1;\n");
	check_ruleset("- {action: masquerade, source: 0.0.0.0/0}",
		      HEAD POSTROUTING "  meta dreg 1 key 15;  cmp sreg 1 data 02;  masq;\n");
}

static void test_empty(void **state _unused_) {
	_reading_ r = {};

	read_good(&r, "[]");
	assert_int_equal(r.nat->nat.n, 0);
}

/* The product of the lists, in the order in which they are written. */
static void test_product(void **state _unused_) {
	_reading_ r = {};
	size_t n = 0;

	read_good(&r, "- {action: redirect, protocol: [tcp, udp], port: [53, 100-200], in: [a, b], source-port: not 1}");
	for (const char *at = r.nat->text; (at = strstr(at, " redir;")); at++)
		n++;
	assert_int_equal(n, 8);
	assert_int_equal(nft_entry_n_rules(&r.nat->nat.items[0]), 8);
}

/* Messages. */

static struct ruleset *read_messages(struct arena *arena, const char *topology, struct nlmsghdr *const *messages, size_t n) {
	struct decode decode = { .arena = arena, .ns = "web", .topology = topology };
	struct nft_reader reader;
	struct ruleset *nat = NULL;

	nft_reader_begin(&reader, &decode);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(nft_reader_message(&reader, messages[i]), 0);
	return nft_reader_finish(&reader, &nat) == 0 ? nat : NULL;
}

static uint16_t message_type(const struct nl_writer *w, size_t i) {
	return w->messages.items[i]->nlmsg_type;
}

#define NFT(type) (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_##type)
#define NAT_TEXT                                                                      \
	"- {action: masquerade, source: 10.0.0.0/24, out: not br0}\n"                 \
	"- {action: dnat, protocol: tcp, port: [80, 443], to: \"10.0.0.11:80-90\"}\n" \
	"- {action: snat, source: \"fd00::/49\", to: \"fd00:1::1\"}\n"                \
	"- {action: redirect, protocol: udp, port: not 5-9, to: \":53\", hook: output}\n"

static void test_transaction(void **state _unused_) {
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	_reading_ r = {};

	read_good(&r, NAT_TEXT);
	struct encode encode = { .writer = &w, .topology = "office", .arena = &r.arena };
	struct change change = { .type = CHANGE_CREATE, .desired = &r.nat->object };
	assert_int_equal(kind_ruleset.encode(&encode, &change), 0);
	static const uint16_t types[] = {
		NFNL_MSG_BATCH_BEGIN, NFT(NEWTABLE), NFT(DELTABLE),      NFT(NEWTABLE), NFT(NEWCHAIN),
		NFT(NEWCHAIN),        NFT(NEWCHAIN), NFT(NEWRULE),       NFT(NEWRULE),  NFT(NEWRULE),
		NFT(NEWRULE),         NFT(NEWRULE),  NFNL_MSG_BATCH_END,
	};
	assert_int_equal(w.messages.n, ARRAY_SIZE(types));
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		assert_int_equal(message_type(&w, i), types[i]);

	struct ruleset *nat = read_messages(&r.arena, "office", w.messages.items, w.messages.n);
	assert_string_equal(nat->text, r.nat->text);
	assert_true(nat->object.owned);
	object_seal(&r.arena, &r.nat->object);
	assert_int_equal(nat->object.hh.keylen, r.nat->object.hh.keylen);
	assert_int_equal(object_compare(&r.nat->object, &nat->object), 0);
	assert_null(read_messages(&r.arena, "offic", w.messages.items, w.messages.n));
	assert_null(read_messages(&r.arena, "office2", w.messages.items, w.messages.n));

	/* Without the last rule it is a different table. */
	nat = read_messages(&r.arena, "office", w.messages.items, w.messages.n - 2);
	assert_int_equal(object_compare(&r.nat->object, &nat->object), 1 << RULESET_TEXT);
}

static void test_deletion(void **state _unused_) {
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	struct encode encode = { .writer = &w, .topology = "office" };
	struct change change = { .type = CHANGE_DELETE };

	assert_int_equal(kind_ruleset.encode(&encode, &change), 0);
	assert_int_equal(w.messages.n, 4);
	assert_int_equal(message_type(&w, 2), NFT(DELTABLE));
}

/* Answers from before and after a change must not be combined. */
static void test_torn(void **state _unused_) {
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	struct nft_reader reader;
	struct ruleset *nat;
	_reading_ r = {};

	read_good(&r, NAT_TEXT);
	struct decode decode = { .arena = &r.arena, .ns = "web", .topology = "office" };
	nft_put_table(&w, "office", r.nat);
	nft_reader_begin(&reader, &decode);
	nft_reader_message(&reader, w.messages.items[3]);
	assert_int_equal(nft_reader_finish(&reader, &nat), 0);
	nft_reader_restart(&reader);
	assert_int_equal(nft_reader_finish(&reader, &nat), -EAGAIN);

	nft_reader_begin(&reader, &decode);
	nft_reader_message(&reader, w.messages.items[3]);
	((struct nfgenmsg *)mnl_nlmsg_get_payload(w.messages.items[4]))->res_id = htons(7);
	nft_reader_message(&reader, w.messages.items[4]);
	assert_int_equal(nft_reader_finish(&reader, &nat), -EAGAIN);
	assert_null(nat);
}

static uint32_t next_random(uint32_t *seed) {
	return *seed = *seed * 1664525 + 1013904223;
}

/* Changes random bytes, in a copy that ends where its memory ends, so that a sanitizer notices reads beyond it. */
static void test_any_bytes(void **state _unused_) {
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	uint32_t seed = 1;
	_reading_ r = {};

	read_good(&r, NAT_TEXT "- {action: masquerade, protocol: tcp, to: \":1-2\"}");
	nft_put_table(&w, "office", r.nat);
	for (size_t i = 0; i < 40000; i++) {
		const struct nlmsghdr *original = w.messages.items[(next_random(&seed) >> 8) % w.messages.n];
		_cleanup_free_ char *copy = xmalloc(original->nlmsg_len);
		_cleanup_(arena_done) struct arena arena = {};
		size_t from = MNL_NLMSG_HDRLEN, n = original->nlmsg_len - from;

		memcpy(copy, original, original->nlmsg_len);
		for (size_t k = next_random(&seed) >> 30; k < 4; k++)
			copy[from + (next_random(&seed) >> 8) % n] = (char)(next_random(&seed) >> 24);
		struct nlmsghdr *list[] = { w.messages.items[3], (struct nlmsghdr *)(void *)copy };
		list[1]->nlmsg_len -= (next_random(&seed) >> 16) % 8 ? 0 : (next_random(&seed) >> 8) % n;
		(void)read_messages(&arena, "office", list, 2);
	}
}

static void test_foreign(void **state _unused_) {
	_cleanup_(nl_writer_done) struct nl_writer w = {}, external = {};
	_reading_ r = {};

	read_good(&r, "- {action: masquerade}");
	nft_put_table(&w, "office", r.nat);
	struct nlmsghdr *list[] = { w.messages.items[3], w.messages.items[4], w.messages.items[5], NULL };
	assert_string_equal(read_messages(&r.arena, "office", list, 3)->text, r.nat->text);

	/* A chain with another name. */
	struct nfgenmsg *header = nl_begin(&external, NFT(NEWCHAIN), 0, sizeof(*header));
	header->nfgen_family = NFPROTO_INET;
	nl_put_text(&external, NFTA_CHAIN_TABLE, "topod-office");
	nl_put_text(&external, NFTA_CHAIN_NAME, "mine");
	list[3] = external.messages.items[0];
	assert_non_null(strstr(read_messages(&r.arena, "office", list, 4)->text, "chain mine flags 0 "));

	/* The same in a table of another family is not ours. */
	header->nfgen_family = NFPROTO_IPV4;
	assert_string_equal(read_messages(&r.arena, "office", list, 4)->text, r.nat->text);

	/* Flags, and objects that are only counted. */
	header = nl_begin(&external, NFT(NEWTABLE), 0, sizeof(*header));
	header->nfgen_family = NFPROTO_INET;
	nl_put_text(&external, NFTA_TABLE_NAME, "topod-office");
	nl_put_u32(&external, NFTA_TABLE_FLAGS, htonl(NFT_TABLE_F_DORMANT));
	nl_put_u32(&external, NFTA_TABLE_USE, htonl(3));
	list[0] = external.messages.items[1];
	assert_non_null(startswith(read_messages(&r.arena, "office", list, 3)->text, "table flags 1 other objects 2\n"));
}

static void test_noun(void **state _unused_) {
	_cleanup_text_ struct text out = {};
	_reading_ r = {};

	read_good(&r, "- {action: masquerade}");
	object_print_id(&r.nat->object, &out);
	assert_string_equal(text_str(&out), "web NAT table"); /* as in the ledgers of 0.1 */
	text_done(&out);
	out = (struct text){};
	object_print_noun(&r.nat->object, &out);
	assert_string_equal(text_str(&out), "nftables table");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_value_errors),
		cmocka_unit_test(test_port_errors),
		cmocka_unit_test(test_target_errors),
		cmocka_unit_test(test_entry_errors),
		cmocka_unit_test(test_netmap_errors),
		cmocka_unit_test(test_hook_and_hairpin_errors),
		cmocka_unit_test(test_all_errors),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_ruleset),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_product),
		cmocka_unit_test(test_transaction),
		cmocka_unit_test(test_deletion),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_noun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
