/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "did you mean …?": the nearest of some known names by Damerau-Levenshtein distance (letters added, left out,
 * replaced, or swapped with their neighbour).
 *
 * Case, and `-` instead of `_`, cost nothing: MTU and mac_address are habits from other programs, not typing mistakes.
 * The allowed distance depends on the length, so that short words are not close to every other word.
 *
 * Other programs' words for the same thing come first: `gateway` is not a misspelled `via`.
 */
#include "yaml/diag.h"

enum { LONGEST = 64 }; /* nothing longer is a misspelled known name */

static unsigned char folded(char c) {
	return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : (unsigned char)c;
}

static size_t threshold(size_t size) {
	return size <= 4 ? 1 : size <= 8 ? 2 : 3;
}

/* Three rows of the table are enough, because a swap looks back two rows. */
struct rows {
	unsigned char before[LONGEST + 1], last[LONGEST + 1], now[LONGEST + 1];
};

static unsigned char fill_row(struct rows *rows, const char *a, size_t i, const char *b, size_t nb) {
	unsigned char best = rows->now[0] = (unsigned char)i;

	for (size_t j = 1; j <= nb; j++) {
		unsigned char x = folded(a[i - 1]), y = folded(b[j - 1]);
		int d = rows->last[j - 1] + (x != y);
		d = MIN(d, MIN(rows->last[j], rows->now[j - 1]) + 1);
		if (i > 1 && j > 1 && x == folded(b[j - 2]) && y == folded(a[i - 2]))
			d = MIN(d, rows->before[j - 2] + 1);
		rows->now[j] = (unsigned char)d;
		best = MIN(best, rows->now[j]);
	}
	return best;
}

/* The distance; any number above limit if it exceeds that. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb, size_t limit) {
	struct rows rows = {};

	if ((na > nb ? na - nb : nb - na) > limit)
		return limit + 1;
	for (size_t j = 0; j <= nb; j++)
		rows.now[j] = (unsigned char)j;
	for (size_t i = 1; i <= na; i++) {
		memcpy(rows.before, rows.last, sizeof(rows.last));
		memcpy(rows.last, rows.now, sizeof(rows.now));
		if (fill_row(&rows, a, i, b, nb) > limit) /* no later row can contain less than this row's minimum */
			return limit + 1;
	}
	return rows.now[nb];
}

/* Words from ip(8), nft(8), iptables(8), netplan, networkd, ifupdown and compose. The first row whose second word is
 * a candidate counts. */
static const struct {
	const char *theirs, *ours;
} synonyms[] = {
	{ "gateway", "via" },
	{ "gw", "via" },
	{ "next-hop", "via" },
	{ "nexthop", "via" },
	{ "destination", "to" },
	{ "dst", "to" },
	{ "prefix", "to" },
	{ "network", "to" },
	{ "to-destination", "to" },
	{ "to-source", "to" },
	{ "to-ports", "to" },
	{ "to-address", "to" },
	{ "device", "dev" },
	{ "interface", "dev" },
	{ "oif", "dev" },
	{ "priority", "metric" },
	{ "preference", "metric" },
	{ "source", "src" },
	{ "onlink", "on-link" },
	{ "dport", "port" },
	{ "destination-port", "port" },
	{ "dstport", "port" },
	{ "sport", "source-port" },
	{ "saddr", "source" },
	{ "src", "source" },
	{ "daddr", "destination" },
	{ "dst", "destination" },
	{ "iif", "in" },
	{ "iifname", "in" },
	{ "in-interface", "in" },
	{ "oif", "out" },
	{ "oifname", "out" },
	{ "out-interface", "out" },
	{ "jump", "action" },
	{ "verdict", "action" },
	{ "ct", "state" },
	{ "ct state", "state" },
	{ "ct-state", "state" },
	{ "ctstate", "state" },
	{ "conntrack", "state" },
	{ "icmpv6-type", "icmp-type" },
	{ "type", "icmp-type" },
	{ "icmp", "icmp-type" },
	{ "mark", "fwmark" },
	{ "meta-mark", "fwmark" },
	{ "set-mark", "mark" },
	{ "set-xmark", "mark" },
	{ "tcp flags", "tcp-flags" },
	{ "syn", "tcp-flags" },
	{ "clamp-mss-to-pmtu", "clamp-mss" },
	{ "set-mss", "clamp-mss" },
	{ "mss", "clamp-mss" },
	{ "tcpmss", "clamp-mss" },
	{ "log-prefix", "log" },
	{ "fully-random", "random" },
	{ "random-fully", "random" },
	{ "chains", "filter" },
	{ "firewall", "filter" },
	{ "iptables", "filter" },
	{ "nftables", "filter" },
	{ "l4proto", "protocol" },
	{ "ip saddr", "source" },
	{ "ip daddr", "destination" },
	{ "ip6 saddr", "source" },
	{ "ip6 daddr", "destination" },
	{ "tcp dport", "port" },
	{ "udp dport", "port" },
	{ "tcp sport", "source-port" },
	{ "udp sport", "source-port" },
	{ "reject-with", "action" },
	{ "default", "policy" },
	{ "target", "action" },
	{ "proto", "protocol" },
	{ "type", "kind" },
	{ "slaves", "ports" },
	{ "members", "ports" },
	{ "interfaces", "ports" },
	{ "bridge-ports", "ports" },
	{ "parent", "link" },
	{ "lower", "link" },
	{ "vni", "id" },
	{ "if-id", "id" },
	{ "ikey", "input-key" },
	{ "okey", "output-key" },
	{ "seq", "sequence" },
	{ "iseq", "sequence" },
	{ "oseq", "sequence" },
	{ "csum", "checksum" },
	{ "icsum", "checksum" },
	{ "ocsum", "checksum" },
	{ "udpcsum", "udp-checksum" },
	{ "udp6zerocsumtx", "udp-checksum" },
	{ "pmtudisc", "pmtu-discovery" },
	{ "nopmtudisc", "pmtu-discovery" },
	{ "hoplimit", "ttl" },
	{ "hop-limit", "ttl" },
	{ "tclass", "tos" },
	{ "dsfield", "tos" },
	{ "encaplimit", "encapsulation-limit" },
	{ "encap-limit", "encapsulation-limit" },
	{ "erspan-ver", "version" },
	{ "erspan-dir", "direction" },
	{ "erspan-hwid", "hardware-id" },
	{ "collect-metadata", "external" },
	{ "ip6ip6", "ip6tnl" },
	{ "ipip6", "ip6tnl" },
	{ "private-key", "private-key-file" },
	{ "privatekey", "private-key-file" },
	{ "privatekeyfile", "private-key-file" },
	{ "key", "private-key-file" },
	{ "preshared-key", "preshared-key-file" },
	{ "presharedkey", "preshared-key-file" },
	{ "psk", "preshared-key-file" },
	{ "keepalive", "persistent-keepalive" },
	{ "listen", "listen-port" },
	{ "port", "listen-port" },
	{ "firewall-mark", "fwmark" },
	{ "wg", "wireguard" },
	{ "vlan-aware", "vlan-filtering" },
	{ "mii-monitor-interval", "miimon" },
	{ "xmit-hash-policy", "transmit-hash-policy" },
	{ "num-grat-arp", "gratuitous-arp" },
	{ "num-unsol-na", "gratuitous-arp" },
	{ "all-slaves-active", "all-members-active" },
	{ "lp-interval", "learn-interval" },
	{ "packets-per-slave", "packets-per-member" },
	{ "ad-actor-sys-prio", "ad-actor-system-priority" },
	{ "primary-reselect-policy", "primary-reselect" },
	{ "fail-over-mac-policy", "fail-over-mac" },
	{ "lacp", "802.3ad" },
	{ "prio", "priority" },
	{ "path-cost", "cost" },
	{ "nameservers", "servers" },
	{ "nameserver", "servers" },
	{ "addresses", "servers" },
	{ "domains", "search" },
	{ "domain", "search" },
	{ "address", "addresses" },
	{ "ip", "addresses" },
	{ "ipv4", "addresses" },
	{ "ipv6", "addresses" },
	{ "lladdr", "mac-address" },
	{ "macaddress", "mac-address" },
	{ "hwaddress", "mac-address" },
	{ "hwaddr", "mac-address" },
	{ "mac", "mac-address" },
	{ "state", "up" },
	{ "enabled", "up" },
	{ "netns", "namespaces" },
	{ "nodes", "namespaces" },
	{ "name", "topology" },
	{ "ip-forward", "forwarding" },
	{ "ip-forwarding", "forwarding" },
	{ "nameservers", "dns" },
	{ "resolv-conf", "dns" },
	{ "sysctls", "sysctl" },
	{ "settings", "sysctl" },
	{ "drop", "blackhole" },
	{ "discard", "blackhole" },
	{ "reject", "unreachable" },
	{ "delete", "remove" },
	{ "warn", "report" },
	{ "masq", "masquerade" },
	{ "v4", "ipv4" },
	{ "v6", "ipv6" },
	{ "1", "true" },
	{ "0", "false" },
};

static bool is_alike(const char *a, const char *b) {
	for (; *a && *b; a++, b++)
		if (folded(*a) != folded(*b))
			return false;
	return *a == *b;
}

static size_t find_synonym(const char *text, const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(synonyms); i++)
		if (streq(name, synonyms[i].ours) && is_alike(text, synonyms[i].theirs))
			return i;
	return ARRAY_SIZE(synonyms);
}

struct suggestion suggest_for(const char *text) {
	size_t size = strlen(text);

	return (struct suggestion){
		.text = text,
		.size = size,
		.distance = MIN(threshold(size) + 1, size),
		.synonym = ARRAY_SIZE(synonyms),
	};
}

void suggest(struct suggestion *s, const char *name) {
	size_t synonym = find_synonym(s->text, name), size = strlen(name), d;

	if (synonym < s->synonym) {
		s->synonym = synonym;
		s->near = name;
	}
	if (s->synonym < ARRAY_SIZE(synonyms) || MAX(size, s->size) > LONGEST || !s->distance)
		return;
	d = distance(s->text, s->size, name, size, s->distance - 1);
	if (d < s->distance) {
		s->distance = d;
		s->near = name;
	}
}
