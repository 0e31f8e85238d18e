/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a namespace's settings. Of those that the kernel tells by netlink (RTM_GETNETCONF) all are asked for at once, where
 * there is a socket in the namespace anyway: a file below /proc/sys is a walk through five folders, whose entries are made
 * for each namespace anew. Whatever is not answered so is read from its file, and what has none is not there.
 */
#include <linux/netconf.h>
#include <linux/rtnetlink.h>

#include "kind/sysctl.h"
#include "kernel/scan_private.h"

struct question {
	const struct sysctl *wanted;
	struct netconf netconf;
	union request request;
};

struct questions {
	struct ns_scan *scan;
	struct question *asked;
	vec(const struct object *) files; /* what is left to be read */
};

static void found(struct ns_scan *scan, const struct sysctl *wanted, const char *value) {
	ns_add(scan->ns, &sysctl_new(scan->scanner->arena, scan->ns->name, wanted->path, value)->object);
}

/* By file. */

/* One that is not there is of a link that is not there yet. */
static int read_setting(struct ns_scan *scan, const struct object *wanted) {
	const char *value;
	int error, r;

	if (!scan->visiting) {
		r = ns_scan_enter(scan);
		if (r < 0)
			return r;
		settings_visit(scan->scanner->settings);
		scan->visiting = true;
	}
	value = setting_read(scan->scanner->settings, scan->scanner->arena, ((const struct sysctl *)wanted)->path, &error);
	if (!value) /* EIO: it has no value yet (stable_secret), which is like not being there */
		return error == -ENOENT || error == -EIO ? 0 : unreadable(scan, wanted, error);
	found(scan, (const struct sysctl *)wanted, value);
	return 0;
}

/* By netlink. */

static struct nlmsghdr *put_question(struct question *question) {
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(&question->request);
	struct netconfmsg *ncm;

	nlh->nlmsg_type = RTM_GETNETCONF;
	ncm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ncm));
	ncm->ncm_family = question->netconf.family;
	mnl_attr_put_u32(nlh, NETCONFA_IFINDEX, (uint32_t)question->netconf.ifindex);
	return nlh;
}

static const struct nlattr *find_value(const struct nlmsghdr *answer, uint16_t attribute) {
	const struct nlattr *tb[NETCONFA_MAX + 1];

	if (answer->nlmsg_type != RTM_NEWNETCONF)
		return NULL;
	nl_parse(answer, sizeof(struct netconfmsg), tb, NETCONFA_MAX);
	return tb[attribute];
}

/* Refused, or without the value: an older kernel, a link that is not there. */
static void take_answer(void *userdata, size_t index, const struct nlmsghdr *answer, int error _unused_) {
	struct questions *questions = userdata;
	const struct question *question = &questions->asked[index];
	const struct nlattr *value = answer ? find_value(answer, question->netconf.attribute) : NULL;
	char text[sizeof("-2147483648")];

	if (!value) {
		vec_push(&questions->files, &question->wanted->object);
		return;
	}
	snprintf(text, sizeof(text), "%d", (int)nl_get_u32(value, 0));
	found(questions->scan, question->wanted, text);
}

/* Can it be asked for? */
static bool prepare(const struct ns_scan *scan, const struct object *wanted, struct question *ret) {
	const struct known_link *link;

	ret->wanted = (const struct sysctl *)wanted;
	if (!scan->sock || !sysctl_netconf(ret->wanted, &ret->netconf))
		return false;
	if (ret->netconf.ifindex)
		return true;
	link = ret->wanted->dev ? handle_link(scan->handle, ret->wanted->dev) : NULL;
	ret->netconf.ifindex = link ? (int32_t)link->ifindex : 0;
	return link;
}

static int ask_for_settings(struct questions *questions, const struct object *const *wanted, size_t n) {
	_cleanup_free_ struct nlmsghdr **messages = xmalloc(n * sizeof(struct nlmsghdr *));
	size_t n_asked = 0;

	for (size_t i = 0; i < n; i++) {
		struct question *question = &questions->asked[n_asked];

		if (prepare(questions->scan, wanted[i], question))
			messages[n_asked++] = put_question(question);
		else
			vec_push(&questions->files, wanted[i]);
	}
	return n_asked ? nl_ask(questions->scan->sock, messages, n_asked, take_answer, questions) : 0;
}

int scan_settings(struct ns_scan *scan, const struct object *const *wanted, size_t n) {
	_cleanup_free_ struct question *asked = xmalloc(n * sizeof(*asked));
	struct questions questions = { .scan = scan, .asked = asked };
	int r = n ? ask_for_settings(&questions, wanted, n) : 0;

	for (size_t i = 0; i < questions.files.n && r == 0; i++)
		r = read_setting(scan, questions.files.items[i]);
	vec_done(&questions.files);
	return r;
}
