/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Acts of a careless operator, another tool or a broken script, one at a time. An act that fails (the link does not exist
 * just now) is not an error, it is only not counted as done.
 */
#include "disturb.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/mount.h>

struct request {
	_Alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
	struct nlmsghdr *nlh;
	struct ifinfomsg *ifi;
};

/* Begins a request about a link, by its name. */
static void begin_link(struct request *r, uint16_t type, uint16_t flags, const char *name) {
	r->nlh = mnl_nlmsg_put_header(r->buffer);
	r->nlh->nlmsg_type = type;
	r->nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	r->ifi = mnl_nlmsg_put_extra_header(r->nlh, sizeof(*r->ifi));
	if (name)
		mnl_attr_put_strz(r->nlh, IFLA_IFNAME, name);
}

static int act_delete(struct disturber *d _unused_, struct target *t) {
	struct request r;

	begin_link(&r, RTM_DELLINK, 0, t->link);
	return place_request(t->place, r.nlh);
}

static int set_up(struct target *t, bool up) {
	struct request r;

	begin_link(&r, RTM_NEWLINK, 0, t->link);
	r.ifi->ifi_flags = up ? IFF_UP : 0;
	r.ifi->ifi_change = IFF_UP;
	return place_request(t->place, r.nlh);
}

static int act_down(struct disturber *d _unused_, struct target *t) {
	return set_up(t, false);
}

static int act_rename(struct disturber *d, struct target *t) {
	uint32_t index = place_ifindex(t->place, t->link);
	char name[IFNAMSIZ];
	struct request r;

	if (!index)
		return -ENODEV;
	snprintf(name, sizeof(name), "stray%u", random_below(d, 1000000));
	set_up(t, false);
	begin_link(&r, RTM_NEWLINK, 0, name);
	r.ifi->ifi_index = (int)index;
	return place_request(t->place, r.nlh);
}

static int act_move(struct disturber *d, struct target *t) {
	struct place *to = &d->places[random_below(d, (uint32_t)d->n_places)];
	struct request r;

	if (to == t->place || !place_ready(to))
		return -ENOENT;
	begin_link(&r, RTM_NEWLINK, 0, t->link);
	mnl_attr_put_u32(r.nlh, IFLA_NET_NS_FD, (uint32_t)to->fd);
	return place_request(t->place, r.nlh);
}

static int act_mtu(struct disturber *d, struct target *t) {
	struct request r;

	begin_link(&r, RTM_NEWLINK, 0, t->link);
	mnl_attr_put_u32(r.nlh, IFLA_MTU, 1280 + random_below(d, 200));
	return place_request(t->place, r.nlh);
}

static int act_mac(struct disturber *d, struct target *t) {
	uint8_t mac[6] = { 0x02, 0xdd, 0, 0, (uint8_t)random_below(d, 256), (uint8_t)random_below(d, 256) };
	struct request r;

	begin_link(&r, RTM_NEWLINK, 0, t->link);
	mnl_attr_put(r.nlh, IFLA_ADDRESS, sizeof(mac), mac);
	return place_request(t->place, r.nlh);
}

static int act_unmark(struct disturber *d, struct target *t) {
	struct request r;

	begin_link(&r, RTM_NEWLINK, 0, t->link);
	mnl_attr_put_strz(r.nlh, IFLA_IFALIAS, random_below(d, 2) ? "" : "somebody's");
	return place_request(t->place, r.nlh);
}

static int act_release(struct disturber *d _unused_, struct target *t) {
	struct request r;

	begin_link(&r, RTM_NEWLINK, 0, t->link);
	mnl_attr_put_u32(r.nlh, IFLA_MASTER, 0);
	return place_request(t->place, r.nlh);
}

/* Creates another link with a declared name, as if somebody had been faster. The next act removes it. */
static int act_obstacle(struct disturber *d, struct target *t) {
	struct request r;
	int error;

	act_delete(d, t);
	begin_link(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, t->link);
	mnl_attr_put_strz(r.nlh, IFLA_IFALIAS, "obstacle");
	struct nlattr *info = mnl_attr_nest_start(r.nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(r.nlh, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(r.nlh, info);
	error = place_request(t->place, r.nlh);
	if (!error)
		d->outage = *t;
	return error;
}

/* ---- objects on links ---- */

/* Messages of a dump, sent back as requests to delete them. */
struct flush {
	struct disturber *d;
	unsigned share; /* one of so many */
	char (*copies)[REQUEST_SIZE];
	size_t n;
};

enum { FLUSH_MAX = 64 };

/* Addresses of lo, link-local addresses and their routes are not declared, because the kernel adds them. */
static bool is_declarable(const struct nlmsghdr *nlh) {
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type == RTM_NEWADDR)
		return ifa->ifa_index > 1 && ifa->ifa_scope == RT_SCOPE_UNIVERSE;
	return rtm->rtm_table == RT_TABLE_MAIN && !(rtm->rtm_flags & RTM_F_CLONED) &&
	       !(rtm->rtm_family == AF_INET6 && rtm->rtm_protocol == RTPROT_KERNEL);
}

static int take_for_flush(const struct nlmsghdr *nlh, void *userdata) {
	struct flush *flush = userdata;

	if (flush->n < FLUSH_MAX && nlh->nlmsg_len < REQUEST_SIZE && is_declarable(nlh) &&
	    random_below(flush->d, flush->share) == 0)
		memcpy(flush->copies[flush->n++], nlh, nlh->nlmsg_len);
	return MNL_CB_OK;
}

static int flush(struct disturber *d, struct target *t, uint16_t get, uint16_t delete, size_t extra) {
	_cleanup_free_ void *copies = xmalloc(FLUSH_MAX * REQUEST_SIZE);
	struct flush flush = { .d = d, .share = 1 + random_below(d, 3), .copies = copies };
	int r = -ENOENT;

	place_dump(t->place, get, extra, take_for_flush, &flush);
	for (size_t i = 0; i < flush.n; i++) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)(void *)flush.copies[i];

		nlh->nlmsg_type = delete;
		nlh->nlmsg_flags = 0;
		if (place_request(t->place, nlh) == 0)
			r = 0;
	}
	return r;
}

/* Makes the attribute meaningless in its place: type 0 is unknown. */
static void drop_attribute(struct nlmsghdr *nlh, size_t header, uint16_t type) {
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, header)
		if (mnl_attr_get_type(attr) == type)
			attr->nla_type = 0;
}

static int act_flush_addresses(struct disturber *d, struct target *t) {
	return flush(d, t, RTM_GETADDR, RTM_DELADDR, sizeof(struct ifaddrmsg));
}

static int act_flush_routes(struct disturber *d, struct target *t) {
	return flush(d, t, RTM_GETROUTE, RTM_DELROUTE, sizeof(struct rtmsg));
}

/* `ip route replace` by somebody else: the same route, but no longer marked. */
static int act_replace_routes(struct disturber *d, struct target *t) {
	_cleanup_free_ void *copies = xmalloc(FLUSH_MAX * REQUEST_SIZE);
	struct flush flush = { .d = d, .share = 2, .copies = copies };
	int r = -ENOENT;

	place_dump(t->place, RTM_GETROUTE, sizeof(struct rtmsg), take_for_flush, &flush);
	for (size_t i = 0; i < flush.n; i++) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)(void *)flush.copies[i];
		struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

		if (rtm->rtm_protocol == RTPROT_KERNEL)
			continue;
		nlh->nlmsg_type = RTM_NEWROUTE;
		nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
		rtm->rtm_protocol = RTPROT_BOOT;
		if (place_request(t->place, nlh) == 0)
			r = 0;
	}
	return r;
}

/* Deletes addresses and adds them at once without marks. */
static int act_readd_addresses(struct disturber *d, struct target *t) {
	_cleanup_free_ void *copies = xmalloc(FLUSH_MAX * REQUEST_SIZE);
	struct flush flush = { .d = d, .share = 2, .copies = copies };
	int r = -ENOENT;

	place_dump(t->place, RTM_GETADDR, sizeof(struct ifaddrmsg), take_for_flush, &flush);
	for (size_t i = 0; i < flush.n; i++) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)(void *)flush.copies[i];

		nlh->nlmsg_type = RTM_DELADDR;
		nlh->nlmsg_flags = 0;
		if (place_request(t->place, nlh) < 0)
			continue;
		nlh->nlmsg_type = RTM_NEWADDR;
		nlh->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
		drop_attribute(nlh, sizeof(struct ifaddrmsg), IFA_PROTO);
		if (place_request(t->place, nlh) == 0)
			r = 0;
	}
	return r;
}

static int act_nat(struct disturber *d, struct target *t) {
	_cleanup_free_ char *table = xasprintf("topod-%s", d->topology);

	return place_delete_table(t->place, table);
}

static int act_setting(struct disturber *d _unused_, struct target *t) {
	return place_write_setting(t->place, "ipv4/ip_forward", "0");
}

/* As `ip netns delete` does. */
static int act_namespace(struct disturber *d _unused_, struct target *t) {
	_cleanup_free_ char *path = xasprintf("/run/netns/%s", t->place->name);

	if (streq(t->place->name, "host") || umount2(path, MNT_DETACH) < 0)
		return -ENOENT;
	return unlink(path) < 0 ? -errno : 0;
}

/* ---- choosing ---- */

static const struct {
	int (*act)(struct disturber *d, struct target *t);
	unsigned weight;
} acts[] = {
	{ act_delete, 10 },         { act_rename, 5 },       { act_move, 5 },
	{ act_down, 10 },           { act_mtu, 15 },         { act_mac, 5 },
	{ act_unmark, 5 },          { act_release, 8 },      { act_obstacle, 3 },
	{ act_flush_addresses, 8 }, { act_flush_routes, 8 }, { act_replace_routes, 5 },
	{ act_readd_addresses, 5 }, { act_nat, 5 },          { act_setting, 7 },
	{ act_namespace, 1 },
};

void act_end(struct disturber *d) {
	if (d->outage.link && place_ready(d->outage.place))
		act_delete(d, &d->outage);
	d->outage.link = NULL;
}

struct stray {
	const char *link, *position;
	bool named, owned; /* the link of the current message */
	bool found;
};

static int read_stray(const struct nlattr *attr, void *userdata) {
	struct stray *stray = userdata;

	if (mnl_attr_get_type(attr) == IFLA_IFNAME)
		stray->named = streq(mnl_attr_get_str(attr), stray->link);
	if (mnl_attr_get_type(attr) == IFLA_IFALIAS)
		stray->owned = streq(mnl_attr_get_str(attr), stray->position);
	return MNL_CB_OK;
}

static int find_stray(const struct nlmsghdr *nlh, void *userdata) {
	struct stray *stray = userdata;

	stray->named = stray->owned = false;
	mnl_attr_parse(nlh, sizeof(struct ifinfomsg), read_stray, stray);
	stray->found |= stray->named && !stray->owned;
	return MNL_CB_OK;
}

void act_clear(struct disturber *d) {
	_cleanup_free_ char *position = xasprintf("topod:%s", d->topology);

	for (size_t i = 0; i < d->n_targets; i++) {
		struct stray stray = { .link = d->targets[i].link, .position = position };

		if (!place_ready(d->targets[i].place))
			continue;
		place_dump(d->targets[i].place, RTM_GETLINK, sizeof(struct ifinfomsg), find_stray, &stray);
		if (stray.found)
			act_delete(d, &d->targets[i]);
	}
}

void act(struct disturber *d) {
	struct target *t = &d->targets[random_below(d, (uint32_t)d->n_targets)];
	unsigned all = 0, choice;
	size_t i = 0;

	act_end(d);
	for (i = 0; i < ARRAY_SIZE(acts); i++)
		all += acts[i].weight;
	choice = random_below(d, all);
	for (i = 0; choice >= acts[i].weight; i++)
		choice -= acts[i].weight;
	d->n_tried++;
	if (place_ready(t->place) && acts[i].act(d, t) == 0)
		d->n_done++;
}
