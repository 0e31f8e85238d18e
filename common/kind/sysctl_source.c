/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How settings are read and heard. Those that netlink reports (RTM_GETNETCONF) are requested together if there is a
 * socket in the namespace anyway: opening a file in /proc/sys walks through five directories whose entries are created
 * for each namespace. Settings without an answer are read from their files; those without a file do not exist.
 */
#include "kind/sysctl.h"

#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#include "model/source.h"

struct question {
	const struct sysctl *wanted;
	struct netconf netconf;
};

struct sysctl_reading {
	vec(struct question) asked;
};

/* Requests the setting, if netlink has it. */
static void ask(struct source_scan *scan, const struct object *wanted, struct nl_writer *w) {
	struct sysctl_reading *reading = scan->own;
	struct question question = { .wanted = (const struct sysctl *)wanted };
	const char *dev = question.wanted->dev;

	if (!sysctl_netconf(question.wanted, &question.netconf))
		return;
	if (!question.netconf.ifindex)
		question.netconf.ifindex = dev ? (int32_t)scan->ifindex(scan, dev) : 0;
	if (!question.netconf.ifindex)
		return;
	struct netconfmsg *ncm = nl_begin(w, RTM_GETNETCONF, 0, sizeof(*ncm));
	ncm->ncm_family = question.netconf.family;
	nl_put_u32(w, NETCONFA_IFINDEX, (uint32_t)question.netconf.ifindex);
	vec_push(&reading->asked, question);
}

static void dump(struct source_scan *scan, struct nl_writer *w) {
	if (!scan->connected)
		return;
	scan->own = arena_new(scan->decode.arena, struct sysctl_reading);
	for (size_t i = 0; scan->scope && i < scan->scope->n; i++)
		if (object_is_setting(scan->scope->objects[i]))
			ask(scan, scan->scope->objects[i], w);
	ns_foreach(object, scan->scope ? NULL : scan->desired)
		if (object_is_setting(object))
			ask(scan, object, w);
}

static int decode(struct source_scan *scan, const struct nlmsghdr *nlh) {
	const struct sysctl_reading *reading = scan->own;
	const struct question *question = &reading->asked.items[scan->request];
	const struct nlattr *tb[NETCONFA_MAX + 1];
	char text[sizeof("-2147483648")];

	if (nlh->nlmsg_type != RTM_NEWNETCONF)
		return 0;
	nl_parse(nlh, sizeof(struct netconfmsg), tb, NETCONFA_MAX);
	if (!tb[question->netconf.attribute])
		return 0;
	snprintf(text, sizeof(text), "%d", (int)nl_get_u32(tb[question->netconf.attribute], 0));
	scan_add(scan, &sysctl_new(scan->decode.arena, scan->seen->name, question->wanted->path, text)->object);
	return 0;
}

/* An older kernel, or an absent link: the file decides. */
static int refused(struct source_scan *scan _unused_, int error _unused_) {
	return 0;
}

static void done(struct source_scan *scan) {
	struct sysctl_reading *reading = scan->own;

	if (reading)
		vec_done(&reading->asked);
}

static struct object *from_text(struct arena *arena, const char *ns, const struct object *wanted, const char *text) {
	return &sysctl_new(arena, ns, ((const struct sysctl *)wanted)->path, text)->object;
}

/* `all` and `default` have negative indexes. */
static enum about about(const struct event *event, struct hint *ret) {
	const struct netconfmsg *ncm = event_header(event, sizeof(*ncm));
	const struct nlattr *tb[NETCONFA_IFINDEX + 1];
	int32_t index;

	if (!ncm)
		return ABOUT_UNKNOWN;
	nl_parse(event->message, sizeof(*ncm), tb, NETCONFA_IFINDEX);
	if (!tb[NETCONFA_IFINDEX])
		return ABOUT_UNKNOWN;
	index = (int32_t)nl_get_u32(tb[NETCONFA_IFINDEX], 0);
	ret->type = HINT_PARTS;
	ret->class = &class_sysctl;
	ret->ifindex = index > 0 ? (uint32_t)index : 0;
	return ABOUT_HINT;
}

const struct source source_sysctl = {
	.protocol = NETLINK_ROUTE,
	.first = RTM_NEWNETCONF,
	.last = RTM_DELNETCONF,
	.groups = (const int[]){ RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF, 0 },
	.only_if_declared = true,
	.about = about,
	.dump = dump,
	.decode = decode,
	.refused = refused,
	.done = done,
	.transport = TRANSPORT_SYSCTL,
	.from_text = from_text,
};
