/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations as command lines: a template for each, whose words in braces come from the operation. What no command does
 * is a comment of the shell.
 */
#include "op.h"

#include <linux/rtnetlink.h>

static const char *const templates[OP_N] = {
	[OP_NS_ADD] = "ip netns add {ns}",
	[OP_NS_DELETE] = "ip netns delete {ns}",
	[OP_NS_STALE] = "mkdir -p /run/netns; (umask 777; : >/run/netns/{ns})",
	[OP_NS_FILE] = "mkdir -p /run/netns; echo notes >/run/netns/{ns}",
	[OP_NS_REPLACE] = "ip netns delete {ns} && ip netns add {ns}",
	[OP_ATTACH] = "ip netns delete {ns}; unshare -n sh -c '{without ipv6}exec sleep inf' & topod attach {ns} --pid $!",
	[OP_PROCESS] = "# a process starts in {ns}",
	[OP_PROCESS_END] = "# all such processes end",
	[OP_VETH] = "ip{-n} link add {name} address {mac} type veth peer name {name2} address {mac2}{elsewhere}",
	[OP_BRIDGE] = "ip{-n} link add {name} address {mac} type bridge",
	[OP_MACVLAN] = "ip{-n} link add {name} link {name2} address {mac} type macvlan mode bridge",
	[OP_VXLAN] = "ip{-n} link add {name} address {mac} type vxlan id {number} dstport 4790",
	[OP_LINK_DELETE] = "ip{-n} link delete {name}",
	[OP_UP] = "ip{-n} link set {name} up",
	[OP_DOWN] = "ip{-n} link set {name} down",
	[OP_MTU] = "ip{-n} link set {name} mtu {number}",
	[OP_TXQLEN] = "ip{-n} link set {name} txqueuelen {number}",
	[OP_MAC] = "ip{-n} link set {name} address {text}",
	[OP_ALIAS] = "ip{-n} link set {name} alias '{text}'",
	[OP_MASTER] = "ip{-n} link set {name} master {name2}",
	[OP_NOMASTER] = "ip{-n} link set {name} nomaster",
	[OP_RENAME] = "ip{-n} link set {name} name {name2}",
	[OP_MOVE] = "ip{-n} link set {name} netns {to}",
	[OP_PORT_COST] = "ip{-n} link set {name} type bridge_slave cost {number}",
	[OP_HARDWARE] = "# a network card {name} in {ns}",
	[OP_FLOOD_APPEND] = "bridge{-n} fdb append 00:00:00:00:00:00 dev {name} dst {text}",
	[OP_FLOOD_DELETE] = "bridge{-n} fdb delete 00:00:00:00:00:00 dev {name}",
	[OP_ADDRESS_ADD] = "ip{-n} address add {text} dev {name}{nodad}",
	[OP_ADDRESS_DELETE] = "ip{-n} address delete {text} dev {name}",
	[OP_ADDRESS_FLUSH] = "ip{-n} address flush dev {name}{scope}",
	[OP_LOCAL_FLUSH] = "ip{-n} {family} route flush table local dev {name}",
	[OP_MADE_DELETE] = "ip{-n} route delete {type} {text} dev {name} table {table}",
	[OP_ROUTE_ADD] = "ip{-n} route add {route}",
	[OP_ROUTE_PREPEND] = "ip{-n} route prepend {route}",
	[OP_ROUTE_REPLACE] = "ip{-n} route replace {route}",
	[OP_ROUTE_DELETE] = "ip{-n} route delete {text} metric {number}",
	[OP_ROUTE_FLUSH] = "ip{-n} -4 route flush dev {name} table main",
	[OP_RULE_ADD] = "ip{-n} rule add from {text} table {value} priority {number} proto static",
	[OP_RULE_DELETE] = "ip{-n} rule delete from {text} table {value} priority {number}",
	[OP_NEIGHBOR_ADD] = "ip{-n} neighbor replace {proxy}{text} dev {name}{lladdr}",
	[OP_NEIGHBOR_DELETE] = "ip{-n} neighbor delete {proxy}{text} dev {name}",
	[OP_NEXTHOP_ADD] = "ip{-n} nexthop replace id {number} blackhole proto static",
	[OP_NEXTHOP_DELETE] = "ip{-n} nexthop delete id {number}",
	[OP_FDB_ADD] = "bridge{-n} fdb replace {text} dev {name} master static",
	[OP_FDB_DELETE] = "bridge{-n} fdb delete {text} dev {name} master",
	[OP_SETTING] = "{exec}sysctl -q -w {text}={value}",
	[OP_NAT_DELETE] = "{exec}nft delete table inet topod-t",
	[OP_NAT_CHANGE] = "{exec}nft add rule inet topod-t postrouting oifname zz masquerade",
	[OP_FILE_WRITE] = "mkdir -p /etc/netns/{ns}; echo '{text}' > /etc/netns/{ns}/resolv.conf",
	[OP_FILE_DELETE] = "rm -f /etc/netns/{ns}/resolv.conf",
	[OP_RIVAL] = "# another host has {text}",
	[OP_RIVAL_GONE] = "# no other host has one of its addresses{told}",
};

static void print_mac(struct mac mac, struct text *out) {
	char buf[MAC_TEXT_MAX];

	text_add(out, mac_format(&mac, buf));
}

static void print_route(const struct op *op, struct text *out) {
	text_add(out, op->text);
	if (op->value)
		text_addf(out, " via %s", op->value);
	if (op->name)
		text_addf(out, " dev %s", op->name);
	text_addf(out, " proto %u metric %u", op->by_hand ? RTPROT_BOOT : OP_ROUTING_DAEMON, op->number);
}

/* The namespace as ip(8) takes it behind "netns": the host has no name. */
static const char *to(const struct op *op) {
	return streq(op->ns2, NS_HOST) ? "${HOSTPID:-1}" : op->ns2;
}

static const char *made_type(const struct op *op) {
	return op->number == RTN_LOCAL       ? "local"
	       : op->number == RTN_BROADCAST ? "broadcast"
	       : op->number == RTN_MULTICAST ? "multicast"
					     : "";
}

/* Words that are there or not, or one or another. NULL: another word. */
static const char *choice(const struct op *op, const char *word) {
	if (streq(word, "without ipv6"))
		return op->value ? "sysctl -w net.ipv6.conf.all.disable_ipv6=1; " : "";
	if (streq(word, "nodad"))
		return op->nodad ? " nodad" : "";
	if (streq(word, "scope"))
		return op->number ? "" : " scope global";
	if (streq(word, "family"))
		return op->number == AF_INET ? "-4" : "-6";
	if (streq(word, "type"))
		return made_type(op);
	if (streq(word, "table"))
		return op->number == RTN_UNICAST ? "main" : "local";
	if (streq(word, "proxy"))
		return op->number ? "proxy " : "";
	if (streq(word, "told"))
		return op->number ? ", and its neighbours say so" : "";
	return NULL;
}

static const char *member(const struct op *op, const char *word) {
	return streq(word, "ns")      ? op->ns
	       : streq(word, "name")  ? op->name
	       : streq(word, "name2") ? op->name2
	       : streq(word, "text")  ? op->text
	       : streq(word, "value") ? op->value
	       : streq(word, "to")    ? to(op)
				      : choice(op, word);
}

static void print_if(bool wanted, const char *before, const char *text, const char *after, struct text *out) {
	if (wanted)
		text_addf(out, "%s%s%s", before, text, after);
}

static void print_word(const struct op *op, const char *word, struct text *out) {
	const bool host = streq(op->ns, NS_HOST);
	const char *text = member(op, word);

	if (text)
		text_add(out, text);
	else if (streq(word, "number"))
		text_add_number(out, op->number);
	else if (streq(word, "mac"))
		print_mac(op_mac(op->ns, op->name), out);
	else if (streq(word, "mac2"))
		print_mac(op_mac(op->ns2, op->name2), out);
	else if (streq(word, "route"))
		print_route(op, out);
	else if (streq(word, "-n"))
		print_if(!host, " -n ", op->ns, "", out);
	else if (streq(word, "exec"))
		print_if(!host, "ip netns exec ", op->ns, " ", out);
	else if (streq(word, "elsewhere"))
		print_if(!streq(op->ns, op->ns2), " netns ", to(op), "", out);
	else if (streq(word, "lladdr"))
		print_if(!op->number, " lladdr ", op->value, " nud permanent", out);
	else
		abort();
}

void op_print(const struct op *op, struct text *out) {
	const char *template = op->type == OP_NONE ? "" : templates[op->type], *brace, *end;
	char word[16];

	for (; (brace = strchr(template, '{')); template = end + 1) {
		end = strchr(brace, '}');
		text_addn(out, template, (size_t)(brace - template));
		snprintf(word, sizeof(word), "%.*s", (int)(end - brace - 1), brace + 1);
		print_word(op, word, out);
	}
	text_add(out, template);
}
