/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list `nat`, the mapping `filter` and the real kernel: the written table must read back as the same text, must look in
 * nft like the same rules written by nft, and must differ as soon as anybody changes it.
 *
 * Each test has its own network namespace, which ends with the process. Without root all are skipped (exit 77).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>

#include "kind/ruleset.h"
#include "model/change.h"
#include "kernel/nl_socket.h"

enum { SKIP = 77 };

#define TABLE "topod-lab"
#define ok(r) assert_int_equal((r), 0)

/* One list, or a mapping of chains, in its own namespace. */
struct lab {
	struct arena arena;
	struct diags diags;
	struct nl_socket sock;
	struct ruleset *desired;
};

static void lab_done(struct lab *lab) {
	nl_close(&lab->sock);
	arena_done(&lab->arena);
	diags_done(&lab->diags);
}
#define _lab_ _cleanup_(lab_done) struct lab

static void read_list(struct lab *lab, const char *text) {
	uint8_t source = diags_add_source(&lab->diags, (struct source_text){ "f", text, strlen(text) });
	const struct node *list = yaml_read(&lab->arena, &lab->diags, source);

	assert_non_null(list);
	lab->desired = (struct ruleset *)object_new(&lab->arena, &kind_ruleset, "web");
	struct parse p = { &lab->arena, &lab->diags, "web" };
	bool good = list->type == NODE_SEQUENCE ? ruleset_read_nat(&p, list, lab->desired)
						: ruleset_read_filter(&p, list, lab->desired);
	if (!good || !ruleset_finish(&p, NULL, lab->desired)) {
		_cleanup_free_ char *all = diags_format(&lab->diags, false);

		fail_msg("%s", all);
	}
}

static void fail_on_error(void *userdata _unused_, size_t index, const struct nl_ack *ack) {
	if (ack->error)
		fail_msg("message %zu: %s, %s", index, strerror(-ack->error), ack->text ? ack->text : "without a word");
}

static void begin(struct lab *lab, const char *text) {
	*lab = (struct lab){ .sock = NL_SOCKET_NONE };
	ok(unshare(CLONE_NEWNET));
	ok(nl_open(&lab->sock, NETLINK_NETFILTER, -1));
	read_list(lab, text);
}

static int ask(struct lab *lab, struct nft_reader *reader, enum nft_request what) {
	_cleanup_(nl_writer_done) struct nl_writer w = {};

	nft_put_request(&w, "lab", what);
	if (what == NFT_REQUEST_TABLE)
		return nl_request(&lab->sock, w.messages.items[0], nft_reader_message, reader);
	return nl_dump(&lab->sock, w.messages.items[0], nft_reader_message, nft_reader_restart, reader);
}

/* The table in the kernel, or NULL. */
static struct ruleset *look(struct lab *lab) {
	struct decode decode = { .arena = &lab->arena, .ns = "web", .topology = "lab" };
	struct nft_reader reader;
	struct ruleset *nat;

	nft_reader_begin(&reader, &decode);
	int r = ask(lab, &reader, NFT_REQUEST_TABLE);
	if (r == -ENOENT)
		return NULL;
	ok(r);
	ok(ask(lab, &reader, NFT_REQUEST_CHAINS));
	ok(ask(lab, &reader, NFT_REQUEST_RULES));
	ok(nft_reader_finish(&reader, &nat));
	return nat;
}

static void send_change(struct lab *lab, enum change_type type) {
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	struct encode encode = { .writer = &w, .topology = "lab", .arena = &lab->arena };
	struct ruleset *seen = type == CHANGE_UPDATE ? look(lab) : NULL;
	struct change change = { .type = type, .desired = &lab->desired->object };

	if (seen)
		change.observed = &seen->object;
	else if (type == CHANGE_UPDATE)
		change.type = CHANGE_CREATE;

	ok(kind_ruleset.encode(&encode, &change));
	ok(nl_transact(&lab->sock, w.messages.items, w.messages.n, true, fail_on_error, NULL));
}

static bool is_as_desired(struct lab *lab) {
	struct ruleset *nat = look(lab);

	return nat && object_compare(&lab->desired->object, &nat->object) == 0;
}

static void check_as_desired(struct lab *lab) {
	struct ruleset *nat = look(lab);

	assert_non_null(nat);
	assert_string_equal(nat->text, lab->desired->text);
}

static void run(const char *command) {
	int status = system(command);

	if (status != 0)
		fail_msg("'%s' ended with %d", command, status);
}

static char *output_of(const char *command) {
	_cleanup_text_ struct text out = {};
	FILE *pipe = popen(command, "re");
	char buf[4096];
	size_t n;

	assert_non_null(pipe);
	while ((n = fread(buf, 1, sizeof(buf), pipe)) > 0)
		text_addn(&out, buf, n);
	ok(pclose(pipe));
	return text_take(&out);
}

/* The list, and the table as nft shows it, without the lines that are always the same. */
static void check_shown(const char *text, const char *expected) {
	_lab_ lab;

	begin(&lab, text);
	send_change(&lab, CHANGE_CREATE);
	check_as_desired(&lab);
	_cleanup_free_ char *shown = output_of("nft list table inet " TABLE " | sed -n 's/^\t\t//p' | grep -v ^type");
	assert_string_equal(shown, expected);
}

static void test_masquerade(void **state _unused_) {
	check_shown("- {action: masquerade, source: 10.0.0.0/24, out: not br0}",
		    "oifname != \"br0\" ip saddr 10.0.0.0/24 masquerade\n");
	check_shown("- {action: masquerade}", "masquerade\n");
	check_shown("- {action: masquerade, in: \"br*\", out: [eth0, eth1]}",
		    "iifname \"br*\" oifname \"eth0\" masquerade\n"
		    "iifname \"br*\" oifname \"eth1\" masquerade\n");
	check_shown("- {action: masquerade, out: [not \"veth*\", not br0, not abcdefghijklmno]}",
		    "oifname != \"veth*\" oifname != \"br0\" oifname != \"abcdefghijklmno\" masquerade\n");
	check_shown("- {action: masquerade, out: \"abcdefghijklmno*\"}", "oifname \"abcdefghijklmno*\" masquerade\n");
	check_shown("- {action: masquerade, source: \"fd00::/64\", destination: not \"fd00::/8\"}",
		    "ip6 saddr fd00::/64 ip6 daddr != fd00::/8 masquerade\n");
	check_shown("- {action: masquerade, protocol: [tcp, udp], to: \":1024-2048\"}",
		    "meta l4proto tcp masquerade to :1024-2048\n"
		    "meta l4proto udp masquerade to :1024-2048\n");
	check_shown("- {action: masquerade, protocol: tcp, to: \":1024\"}", "meta l4proto tcp masquerade to :1024\n");
	check_shown("- {action: masquerade, destination: 0.0.0.0/0}", "meta nfproto ipv4 masquerade\n");
	check_shown("- {action: masquerade, source: [10.0.0.0/8, 192.0.2.1, 172.16.0.0/12]}",
		    "ip saddr 10.0.0.0/8 masquerade\n"
		    "ip saddr 192.0.2.1 masquerade\n"
		    "ip saddr 172.16.0.0/12 masquerade\n");
	check_shown("- {action: masquerade, source: [not 10.0.0.0/8, not 192.0.2.1, not 172.16.0.0/12]}",
		    "ip saddr != 10.0.0.0/8 ip saddr != 192.0.2.1 ip saddr != 172.16.0.0/12 masquerade\n");
}

static void test_snat(void **state _unused_) {
	check_shown("- {action: snat, source: 10.0.0.0/9, to: 192.0.2.1}", "ip saddr 10.0.0.0/9 snat ip to 192.0.2.1\n");
	check_shown("- {action: snat, out: eth0, to: 192.0.2.1-192.0.2.9}",
		    "oifname \"eth0\" snat ip to 192.0.2.1-192.0.2.9\n");
	check_shown("- {action: snat, protocol: udp, to: \"192.0.2.1-192.0.2.9:100-200\"}",
		    "meta l4proto udp snat ip to 192.0.2.1-192.0.2.9:100-200\n");
	check_shown("- {action: snat, source: \"fd00::/49\", to: \"2001:db8::1\"}",
		    "ip6 saddr fd00::/49 snat ip6 to 2001:db8::1\n");
	check_shown("- {action: snat, protocol: tcp, to: \"[2001:db8::1]:99\"}",
		    "meta l4proto tcp snat ip6 to [2001:db8::1]:99\n");
	check_shown("- {action: snat, to: 2001:db8::1-2001:db8::9}", "snat ip6 to 2001:db8::1-2001:db8::9\n");
}

static void test_dnat(void **state _unused_) {
	check_shown("- {action: dnat, in: eth0, protocol: tcp, port: 8080, to: \"10.0.0.11:80\"}",
		    "iifname \"eth0\" tcp dport 8080 dnat ip to 10.0.0.11:80\n");
	check_shown("- {action: dnat, in: \"not [eth0]\", protocol: udp, port: [53, 100-200], to: 10.0.0.11}",
		    "iifname != \"eth0\" udp dport 53 dnat ip to 10.0.0.11\n"
		    "iifname != \"eth0\" udp dport 100-200 dnat ip to 10.0.0.11\n");
	check_shown(
		"- {action: dnat, protocol: sctp, port: not 100-200, source-port: [not 5, not 7], to: \"[fd00::1]:80-90\"}",
		"sctp sport != 5 sctp sport != 7 sctp dport != 100-200 dnat ip6 to [fd00::1]:80-90\n");
	check_shown("- {action: dnat, destination: 192.0.2.1, to: 10.0.0.1-10.0.0.9}",
		    "ip daddr 192.0.2.1 dnat ip to 10.0.0.1-10.0.0.9\n");
	check_shown("- {action: dnat, protocol: icmp, to: 10.0.0.1}", "meta l4proto icmp dnat ip to 10.0.0.1\n");
	check_shown("- {action: dnat, protocol: not icmpv6, to: \"fd00::1\"}",
		    "meta l4proto != ipv6-icmp dnat ip6 to fd00::1\n");
	check_shown("- {action: dnat, hook: output, out: lo, protocol: dccp, port: 5, to: \"127.0.0.1:6\"}",
		    "oifname \"lo\" dccp dport 5 dnat ip to 127.0.0.1:6\n");
	check_shown("- {action: dnat, protocol: tcp, port: 80, to: \":8080\"}", "tcp dport 80 dnat to :8080\n");
}

static void test_redirect(void **state _unused_) {
	check_shown("- {action: redirect, protocol: tcp, port: 22, to: \":2222\"}", "tcp dport 22 redirect to :2222\n");
	check_shown("- {action: redirect, protocol: udplite, source-port: 5, to: 5-9}",
		    "udplite sport 5 redirect to :5-9\n");
	check_shown("- {action: redirect, destination: 192.0.2.0/24}", "ip daddr 192.0.2.0/24 redirect\n");
	check_shown("- {action: redirect}", "redirect\n");
	check_shown("- {action: redirect, protocol: 253, hook: output}", "meta l4proto 253 redirect\n");
	check_shown("- {action: redirect, protocol: [esp, ah, gre]}",
		    "meta l4proto esp redirect\nmeta l4proto ah redirect\nmeta l4proto gre redirect\n");
}

/* The words that several actions have. */
static void test_options(void **state _unused_) {
	check_shown("- {action: masquerade, fwmark: [0x10, 0x20/0xf0]}",
		    "meta mark 0x00000010 masquerade\nmeta mark & 0x000000f0 == 0x00000020 masquerade\n");
	check_shown("- {action: masquerade, fwmark: [not 0x10, not 0x20]}",
		    "meta mark != 0x00000010 meta mark != 0x00000020 masquerade\n");
	check_shown("- {action: masquerade, random: true, persistent: true}", "masquerade random,persistent\n");
	check_shown("- {action: masquerade, random: false}", "masquerade\n");
	check_shown("- {action: snat, to: 192.0.2.1-192.0.2.9, persistent: true}",
		    "snat ip to 192.0.2.1-192.0.2.9 persistent\n");
	check_shown("- {action: redirect, protocol: tcp, to: 1000-2000, random: true}",
		    "meta l4proto tcp redirect to :1000-2000 random\n");
	check_shown("- {action: dnat, protocol: ipv6-icmp, to: \"fd00::1\"}",
		    "meta l4proto ipv6-icmp dnat ip6 to fd00::1\n");
}

static void test_netmap(void **state _unused_) {
	check_shown("- {action: netmap, source: 10.0.0.0/24, out: wan, to: 10.1.0.0/24}",
		    "oifname \"wan\" ip saddr 10.0.0.0/24 snat ip prefix to 10.1.0.0/24\n");
	check_shown("- {action: netmap, destination: 10.1.0.0/24, in: wan, to: 10.0.0.0/24}",
		    "iifname \"wan\" ip daddr 10.1.0.0/24 dnat ip prefix to 10.0.0.0/24\n");
	check_shown("- {action: netmap, destination: \"fd01::/64\", hook: output, to: \"fd00::/64\"}",
		    "ip6 daddr fd01::/64 dnat ip6 prefix to fd00::/64\n");
	check_shown("- {action: netmap, source: 10.0.0.0/24, destination: 10.9.0.0/24, hook: postrouting, to: 10.1.0.0/24}",
		    "ip saddr 10.0.0.0/24 ip daddr 10.9.0.0/24 snat ip prefix to 10.1.0.0/24\n");
}

static void test_hairpin(void **state _unused_) {
	check_shown("- {action: dnat, in: wan, protocol: tcp, port: 80, to: \"10.0.0.11:8080\", hairpin: lan}",
		    "iifname \"wan\" tcp dport 80 dnat ip to 10.0.0.11:8080\n"
		    "iifname \"lan\" tcp dport 80 fib daddr type local dnat ip to 10.0.0.11:8080\n"
		    "iifname \"lan\" oifname \"lan\" ip daddr 10.0.0.11 meta l4proto tcp ct status dnat masquerade\n"
		    "iifname \"\" oifname \"lan\" ip daddr 10.0.0.11 meta l4proto tcp ct status dnat masquerade\n");
	check_shown("- {action: dnat, destination: 203.0.113.1, to: 10.0.0.11-10.0.0.12, hairpin: lan}",
		    "ip daddr 203.0.113.1 dnat ip to 10.0.0.11-10.0.0.12\n"
		    "iifname \"lan\" oifname \"lan\" ct status dnat masquerade\n"
		    "iifname \"\" oifname \"lan\" ct status dnat masquerade\n");
}

/* Each as nft shows it, in the chain forward if `text` is a list of rules. */
static void check_filter(const char *rule, const char *expected) {
	_cleanup_free_ char *text = xasprintf("forward: {rules: [%s]}", rule);

	check_shown(text, expected);
}

static void test_filter(void **state _unused_) {
	check_filter("{state: [established, related], action: accept}", "ct state established,related accept\n");
	check_filter("{state: not invalid, action: accept}", "ct state ! invalid accept\n");
	check_filter("{in: lan, out: wan, action: accept}", "iifname \"lan\" oifname \"wan\" accept\n");
	check_filter("{in: wan, destination: 10.0.0.11, protocol: tcp, port: [80, 443], action: drop}",
		     "iifname \"wan\" ip daddr 10.0.0.11 tcp dport 80 drop\n"
		     "iifname \"wan\" ip daddr 10.0.0.11 tcp dport 443 drop\n");
	check_filter("{action: reject}", "reject\n");
	check_filter("{action: reject, limit: 10/minute}", "limit rate 10/minute reject\n");
	check_filter("{action: reject, limit: 3/s burst 20}", "limit rate 3/second burst 20 packets reject\n");
	check_filter("{action: reject, log: \"stray \"}", "log prefix \"stray \" reject\n");
	check_filter("{log: {prefix: x, level: info}}", "log prefix \"x\" level info\n");
	check_filter("{log: true}", "log\n");
	check_filter("{log: {prefix: x, limit: 1/hour}, protocol: [tcp, udp], action: drop, limit: 5/day, counter: true}",
		     "limit rate over 5/day return\nlimit rate 1/hour log prefix \"x\"\n"
		     "counter packets 0 bytes 0 drop\n"
		     "meta l4proto tcp jump filter-forward-1\nmeta l4proto udp jump filter-forward-1\n");
	check_filter("{counter: true, protocol: [icmp, icmpv6], icmp-type: [echo-request, 3/1]}",
		     "icmp type echo-request counter packets 0 bytes 0\n"
		     "icmp type destination-unreachable icmp code host-unreachable counter packets 0 bytes 0\n"
		     "icmpv6 type echo-request counter packets 0 bytes 0\n"
		     "icmpv6 type time-exceeded icmpv6 code admin-prohibited counter packets 0 bytes 0\n");
	check_filter("{protocol: icmpv6, icmp-type: [not nd-neighbor-solicit, not nd-neighbor-advert], action: drop}",
		     "icmpv6 type != nd-neighbor-solicit icmpv6 type != nd-neighbor-advert drop\n");
	check_filter("{protocol: tcp, tcp-flags: [syn, not ack, not rst], action: drop}",
		     "tcp flags syn / syn,rst,ack drop\n");
	check_filter("{fwmark: 0x10/0xff, mark: 0x20}", "meta mark & 0x000000ff == 0x00000010 meta mark set 0x00000020\n");
	check_filter("{mark: 0x20/0xf0, action: accept}", "meta mark set meta mark & 0xffffff2f | 0x00000020 accept\n");
	check_filter("{protocol: tcp, clamp-mss: pmtu}", "tcp flags syn / syn,rst tcp option maxseg size set rt mtu\n");
	check_filter("{protocol: tcp, clamp-mss: 1400}", "tcp flags syn / syn,rst tcp option maxseg size set 1400\n");
}

#define SEVERAL                                                                     \
	"- {action: masquerade, source: 10.0.0.0/24, out: not br0}\n"               \
	"- {action: snat, source: \"fd00::/64\", out: eth0, to: \"2001:db8::1\"}\n" \
	"- {action: dnat, protocol: tcp, port: [80, 443], to: 10.0.0.11}\n"         \
	"- {action: redirect, protocol: udp, port: 53, to: \":5353\", hook: output}\n"

static void test_whole_table(void **state _unused_) {
	_lab_ lab;

	begin(&lab, SEVERAL);
	assert_null(look(&lab));
	send_change(&lab, CHANGE_CREATE);
	check_as_desired(&lab);
	_cleanup_free_ char *shown = output_of("nft list ruleset");
	assert_string_equal(shown, "table inet " TABLE " {\n"
				   "\tchain prerouting {\n"
				   "\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
				   "\t\ttcp dport 80 dnat ip to 10.0.0.11\n"
				   "\t\ttcp dport 443 dnat ip to 10.0.0.11\n"
				   "\t}\n\n"
				   "\tchain output {\n"
				   "\t\ttype nat hook output priority -100; policy accept;\n"
				   "\t\tudp dport 53 redirect to :5353\n"
				   "\t}\n\n"
				   "\tchain postrouting {\n"
				   "\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
				   "\t\toifname != \"br0\" ip saddr 10.0.0.0/24 masquerade\n"
				   "\t\toifname \"eth0\" ip6 saddr fd00::/64 snat ip6 to 2001:db8::1\n"
				   "\t}\n"
				   "}\n");
	/* Writing it again changes nothing, and deleting it twice is not an error. */
	send_change(&lab, CHANGE_UPDATE);
	check_as_desired(&lab);
	send_change(&lab, CHANGE_DELETE);
	assert_null(look(&lab));
	send_change(&lab, CHANGE_DELETE);
	assert_null(look(&lab));
}

/* Each of these changes must be noticed, and undone by writing the table again. */
static void test_drift(void **state _unused_) {
	static const char *const commands[] = {
		"nft add rule inet " TABLE " postrouting masquerade",
		"nft insert rule inet " TABLE " prerouting accept",
		"nft insert rule inet " TABLE " prerouting counter",
		"nft flush table inet " TABLE,
		"nft flush chain inet " TABLE " prerouting",
		"nft delete chain inet " TABLE " output 2>&- || nft -f - <<E\n"
		"flush chain inet " TABLE " output\ndelete chain inet " TABLE " output\nE",
		"nft add chain inet " TABLE " mine",
		"nft add chain inet " TABLE " mine '{ type filter hook input priority 0; }'",
		"nft add set inet " TABLE " mine '{ type ipv4_addr; }'",
		"nft add map inet " TABLE " mine '{ type ipv4_addr : ipv4_addr; }'",
		"nft add counter inet " TABLE " mine",
		"nft add rule inet " TABLE " prerouting ip saddr '{ 10.0.0.1, 10.0.0.2 }' dnat ip to 10.0.0.9",
		"nft add table inet " TABLE " '{ flags dormant; }'",
		"nft chain inet " TABLE " postrouting '{ policy drop; }'",
		"nft add chain inet " TABLE " mine\nnft add rule inet " TABLE " prerouting jump mine",
		"nft delete table inet " TABLE,
		/* another priority */
		"nft list table inet " TABLE " | sed 's/priority srcnat/priority 101/' > $T\n"
		"nft delete table inet " TABLE " && nft -f $T",
		/* another order */
		"h=$(nft -a list chain inet " TABLE " prerouting | sed -n 's/.*dport 80 .*handle //p')\n"
		"nft delete rule inet " TABLE " prerouting handle $h\n"
		"nft add rule inet " TABLE " prerouting tcp dport 80 dnat ip to 10.0.0.11",
	};

	_lab_ lab;
	begin(&lab, SEVERAL);
	send_change(&lab, CHANGE_CREATE);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		check_as_desired(&lab);
		run(commands[i]);
		if (is_as_desired(&lab))
			fail_msg("not noticed: %s", commands[i]);
		send_change(&lab, CHANGE_UPDATE);
	}
	check_as_desired(&lab);
}

/* `nft replace rule` with a similar one. */
static void test_replacement(void **state _unused_) {
	static const struct {
		const char *old, *new;
	} rules[] = {
		{ "dport 80 ", "prerouting handle $h tcp dport 80 dnat ip to 10.0.0.12" },
		{ "dport 80 ", "prerouting handle $h tcp dport 81 dnat ip to 10.0.0.11" },
		{ "dport 80 ", "prerouting handle $h tcp sport 80 dnat ip to 10.0.0.11" },
		{ "dport 80 ", "prerouting handle $h tcp dport != 80 dnat ip to 10.0.0.11" },
		{ "dport 80 ", "prerouting handle $h tcp dport 80-81 dnat ip to 10.0.0.11" },
		{ "dport 80 ", "prerouting handle $h udp dport 80 dnat ip to 10.0.0.11" },
		{ "dport 80 ", "prerouting handle $h tcp dport 80 dnat ip to 10.0.0.11-10.0.0.12" },
		{ "dport 80 ", "prerouting handle $h tcp dport 80 dnat ip to 10.0.0.11:80" },
		{ "dport 80 ", "prerouting handle $h tcp dport 80 dnat ip to 10.0.0.11 random" },
		{ "dport 80 ", "prerouting handle $h tcp dport 80 dnat ip to 10.0.0.11 persistent" },
		{ "dport 80 ", "prerouting handle $h tcp dport 80 counter dnat ip to 10.0.0.11" },
		{ "dport 53 ", "output handle $h udp dport 53 redirect to :5354" },
		{ "dport 53 ", "output handle $h udp dport 53 redirect" },
		{ "dport 53 ", "output handle $h udp dport 53 redirect to :5353-5354" },
		{ "dport 53 ", "output handle $h udp dport 53 redirect to :5353 fully-random" },
		{ "masquerade", "postrouting handle $h oifname != \"br0\" ip saddr 10.0.0.0/24 masquerade random" },
		{ "masquerade", "postrouting handle $h oifname \"br0\" ip saddr 10.0.0.0/24 masquerade" },
		{ "masquerade", "postrouting handle $h oifname != \"br0*\" ip saddr 10.0.0.0/24 masquerade" },
		{ "masquerade", "postrouting handle $h oifname != \"br0\" ip saddr 10.0.0.0/23 masquerade" },
		{ "masquerade", "postrouting handle $h oifname != \"br0\" ip saddr 10.0.0.0/24 accept" },
		{ "masquerade", "postrouting handle $h iifname != \"br0\" ip saddr 10.0.0.0/24 masquerade" },
	};

	_lab_ lab;
	begin(&lab, SEVERAL);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		_cleanup_free_ char *command =
			xasprintf("h=$(nft -a list table inet " TABLE " | sed -n 's/.*%s.*handle //p')\n"
				  "nft replace rule inet " TABLE " %s",
				  rules[i].old, rules[i].new);

		send_change(&lab, CHANGE_UPDATE);
		check_as_desired(&lab);
		run(command);
		if (is_as_desired(&lab))
			fail_msg("not noticed: %s", rules[i].new);
	}
}

/* The same rules written by nft, and foreign tables, are not drift. */
static void test_no_drift(void **state _unused_) {
	_lab_ lab;

	begin(&lab, SEVERAL);
	send_change(&lab, CHANGE_CREATE);
	run("nft list table inet " TABLE " > $T && nft delete table inet " TABLE " && nft -f $T");
	check_as_desired(&lab);
	run("nft add table ip " TABLE " && nft add chain ip " TABLE " prerouting");
	run("nft add table inet " TABLE "2 && nft add chain inet " TABLE "2 prerouting");
	run("nft add rule inet " TABLE "2 prerouting accept");
	check_as_desired(&lab);
	send_change(&lab, CHANGE_DELETE);
	assert_null(look(&lab));
	run("nft list table inet " TABLE "2 > $T && nft list table ip " TABLE " > $T");
}

/* Somebody changes the ruleset between two answers. */
static void test_torn(void **state _unused_) {
	struct nft_reader reader;
	struct ruleset *nat;
	_lab_ lab;

	begin(&lab, SEVERAL);
	send_change(&lab, CHANGE_CREATE);
	struct decode decode = { .arena = &lab.arena, .ns = "web", .topology = "lab" };
	nft_reader_begin(&reader, &decode);
	ok(ask(&lab, &reader, NFT_REQUEST_TABLE));
	run("nft add table inet other");
	ok(ask(&lab, &reader, NFT_REQUEST_CHAINS));
	assert_int_equal(nft_reader_finish(&reader, &nat), -EAGAIN);
}

/* Several thousand rules in one transaction, and the largest rule that is allowed. */
static void test_large(void **state _unused_) {
	_cleanup_text_ struct text text = {};
	_lab_ lab;

	text_add(&text, "- {action: dnat, protocol: tcp, to: 10.0.0.1, port: [1");
	for (int i = 2; i <= 4000; i++)
		text_addf(&text, ", %d", i);
	text_add(&text,
		 "]}\n- {action: masquerade, protocol: tcp, in: eth0, out: eth1, to: \":1-2\", port: 1-2, "
		 "source-port: 1-2, fwmark: 1/7, persistent: true, destination: \"fd00::/49\", source: [\"not fd00::/49\"");
	for (int i = 1; i < NFT_ENTRY_NOT_MAX; i++)
		text_addf(&text, ", \"not fd%02x::/49\"", i);
	text_add(&text, "]}\n");
	begin(&lab, text_str(&text));
	send_change(&lab, CHANGE_CREATE);
	check_as_desired(&lab);
	run("nft add rule inet " TABLE " prerouting accept");
	assert_false(is_as_desired(&lab));
}

/* The largest rule of a filter. */
static void test_large_filter(void **state _unused_) {
	_cleanup_text_ struct text text = {};
	_lab_ lab;

	text_add(
		&text,
		"forward: {rules: [{state: new, in: eth0, out: eth1, fwmark: 0x1/0xff, destination: \"fd00::/49\", protocol: tcp, "
		"source-port: 1-2, port: 1-2, tcp-flags: [syn, not ack], limit: 1/week burst 9, counter: true, mark: 0x10/0xff, "
		"clamp-mss: pmtu, action: reject, log: \"");
	for (int i = 0; i < 127; i++)
		text_add(&text, "x");
	text_add(&text, "\", source: [\"not fd00::/49\"");
	for (int i = 1; i < NFT_FILTER_NOT_MAX; i++)
		text_addf(&text, ", \"not fd%02x::/49\"", i);
	text_add(&text, "]}]}");
	begin(&lab, text_str(&text));
	send_change(&lab, CHANGE_CREATE);
	check_as_desired(&lab);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masquerade),   cmocka_unit_test(test_snat),        cmocka_unit_test(test_dnat),
		cmocka_unit_test(test_redirect),     cmocka_unit_test(test_whole_table), cmocka_unit_test(test_drift),
		cmocka_unit_test(test_replacement),  cmocka_unit_test(test_no_drift),    cmocka_unit_test(test_torn),
		cmocka_unit_test(test_large_filter), cmocka_unit_test(test_large),       cmocka_unit_test(test_options),
		cmocka_unit_test(test_netmap),       cmocka_unit_test(test_hairpin),     cmocka_unit_test(test_filter),
	};
	char file[] = "/tmp/test-nat-XXXXXX";

	if (geteuid() != 0 || unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 || system("nft --version >/dev/null 2>&1") != 0) {
		fprintf(stderr, "needs root and nft: skipped\n");
		return SKIP;
	}
	_cleanup_close_ int fd = mkstemp(file);
	setenv("T", file, 1); /* for the commands */
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(file);
	return failed;
}
