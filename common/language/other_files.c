/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole files of other tools, recognised by a beginning or a key that only they have, so that one message says what the file
 * is, instead of one for each of its keys. Single words that users write out of habit are in yaml/other_words.c.
 */
#include "language/spec_private.h"

static const char refusal[] = "this is %s, not a topology; %s";

/* Files that are not YAML, or only by chance: the beginning of the first line that is neither empty nor a comment. */
static const char nft[] = "a ruleset of nft(8)", iptables[] = "a file of iptables-save(8)",
		  ip[] = "a list of commands for ip(8)", networkd[] = "a file of systemd-networkd",
		  ifupdown[] = "a file of ifupdown", wg[] = "a file of wg-quick(8)", unit[] = "a unit of systemd",
		  script[] = "a shell script", netplan[] = "a netplan file", nmstate[] = "a file of nmstate",
		  ansible[] = "an Ansible playbook", ip_json[] = "the output of `ip -json`";
static const char init[] = "`topod init` prints files to start from",
		  rules[] = "rules are written under 'filter' and 'nat' of a namespace",
		  wireguard[] = "WireGuard is an interface of the kind 'wireguard'",
		  interfaces[] = "its interfaces are written as namespaces: {host: {interfaces: {NAME: {kind: existing, "
				 "addresses: [...]}}}}";

static const struct {
	const char *begin, *what, *instead;
} texts[] = {
	{ "[Match]", networkd, interfaces },
	{ "[Network]", networkd, interfaces },
	{ "[NetDev]", networkd, interfaces },
	{ "[Link]", networkd, interfaces },
	{ "[Interface]", wg, wireguard },
	{ "[Peer]", wg, wireguard },
	{ "[connection]", "a file of NetworkManager", interfaces },
	{ "[Unit]", unit, init },
	{ "[Service]", unit, init },
	{ "[Container]", "a unit of Quadlet",
	  "in it, `Network=ns:/run/netns/NAMESPACE` puts the container into a namespace" },
	{ "auto ", ifupdown, interfaces },
	{ "iface ", ifupdown, interfaces },
	{ "allow-", ifupdown, interfaces },
	{ "source /", ifupdown, interfaces },
	{ "table ", nft, rules },
	{ "flush ruleset", nft, rules },
	{ "#!/usr/sbin/nft", nft, rules },
	{ "#!/sbin/nft", nft, rules },
	{ "*filter", iptables, rules },
	{ "*nat", iptables, rules },
	{ "*mangle", iptables, rules },
	{ "*raw", iptables, rules },
	{ "ip ", ip, init },
	{ "link add ", ip, init },
	{ "netns add ", ip, init },
	{ "#!/bin/sh", script, init },
	{ "#!/bin/bash", script, init },
	{ "#!/usr/bin/env bash", script, init },
	{ "<", "XML", init },
};

static size_t skip_line(const struct source_text *source, size_t at) {
	const char *end = memchr(source->text + at, '\n', source->size - at);

	return end ? (size_t)(end - source->text) + 1 : source->size;
}

bool spec_refuse_other_text(struct diags *diags, uint8_t index) {
	const struct source_text *source = &diags->sources.items[index];
	struct position position = { .source = index, .line = 1, .column = 1 };
	size_t at = 0;

	for (; at < source->size; at = skip_line(source, at), position.line++) {
		size_t first = at;

		while (first < source->size && strchr(" \t\r", source->text[first]))
			first++;
		if (first < source->size && !strchr("#\n", source->text[first]))
			break;
		if (first == 0 && source->size > 1 && source->text[1] == '!') /* which program reads it */
			break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		size_t n = strlen(texts[i].begin);

		if (source->size - at < n || memcmp(source->text + at, texts[i].begin, n) != 0)
			continue;
		position.width = (uint8_t)n;
		diag_error(diags, position, refusal, texts[i].what, texts[i].instead);
		return true;
	}
	return false;
}

enum shape { ANY, MAPPING, LIST };

/* Files that are YAML or JSON: a key of the mapping (or of the first item of the list) at the top; if `with` is given, one
 * of its words is a key of the value. */
static const struct {
	const char *key;
	enum shape shape;
	const char *with, *what, *instead;
	bool list; /* only if the top is a list */
} files[] = {
	{ "network", MAPPING, "version renderer ethernets bridges bonds vlans tunnels vrfs wifis dummy-devices config",
	  netplan, interfaces },
	{ "ethernets", MAPPING, NULL, netplan, interfaces },
	{ "services", MAPPING, NULL, "a compose file",
	  "topod makes no containers: write a namespace for each service, and in the compose file network_mode: "
	  "ns:/run/netns/NAMESPACE" },
	{ "topology", MAPPING, "nodes links kinds defaults", "a containerlab file",
	  "topod makes no containers: write a namespace for each node under 'namespaces', and its links under 'links'" },
	{ "interfaces", LIST, NULL, nmstate, interfaces },
	{ "dns-resolver", MAPPING, NULL, nmstate, interfaces },
	{ "apiVersion", ANY, NULL, "a Kubernetes manifest", init },
	{ "cniVersion", ANY, NULL, "a configuration of CNI", init },
	{ "ociVersion", ANY, NULL, "a configuration of an OCI runtime", init },
	{ "hosts", ANY, NULL, ansible, init, true },
	{ "tasks", ANY, NULL, ansible, init, true },
	{ "ifindex", ANY, NULL, ip_json, init, true },
	{ "ifname", ANY, NULL, ip_json, init, true },
};

static bool has_one_of(const struct node *value, const char *words) {
	for (size_t i = 0; value->type == NODE_MAPPING && i < value->n; i++) {
		const char *key = value->pairs[i].key->text, *at = strstr(words, key);
		size_t n = strlen(key);

		if (n && at && (at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	}
	return false;
}

static bool fits(size_t i, const struct node *value) {
	if (files[i].shape == MAPPING && value->type != NODE_MAPPING)
		return false;
	if (files[i].shape == LIST && value->type != NODE_SEQUENCE)
		return false;
	return !files[i].with || has_one_of(value, files[i].with);
}

bool spec_refuse_other_file(struct diags *diags, const struct node *root) {
	bool list = root->type == NODE_SEQUENCE && root->n;
	const struct node *mapping = list ? root->items[0] : root;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const struct node *value = node_get(mapping, files[i].key);

		if (!value || !fits(i, value) || (files[i].list && !list))
			continue;
		diag_error(diags, node_key_position(mapping, files[i].key), refusal, files[i].what, files[i].instead);
		return true;
	}
	return false;
}
