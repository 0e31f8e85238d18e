/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disturbs a topology: deletes something, then listens in the namespace until events report it gone and back, regardless of
 * who restored it. The times are measured from outside: from just before the deletion was sent, and (`after_…`) from its
 * acknowledgement, when the event was just sent. The deletion of a link is acknowledged only after grace periods, when the
 * link may be back already: there a second thread sends, and `after_…` counts from the event.
 */
#include "subject.h"

#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

enum { PATIENCE_MS = 5000 };

static void put_flush(const struct nlmsghdr *table, void *context) {
	const struct nfgenmsg *info = mnl_nlmsg_get_payload(table);
	const struct nlattr *attr;

	mnl_attr_for_each(attr, table, sizeof(*info))
		if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME)
			put_nat_flush(context, info->nfgen_family, mnl_attr_get_payload(attr));
}

/* Looks up the table's name, which its owner chooses, before the clock starts. */
static void put_flushes(struct batch *b) {
	_cleanup_close_ int fd = wire_open(NETLINK_NETFILTER);
	struct batch dump;

	batch_init(&dump, fd);
	put_dump_nft(&dump, NFT_MSG_GETTABLE);
	wire_dump(&dump, put_flush, b);
}

static void note_rule(const struct nlmsghdr *h, void *context) {
	const struct nfgenmsg *info = mnl_nlmsg_get_payload(h);
	struct nft_rule *rule = context;
	const struct nlattr *attr;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE))
		return;
	rule->family = info->nfgen_family;
	mnl_attr_for_each(attr, h, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == NFTA_RULE_TABLE)
			snprintf(rule->table, sizeof(rule->table), "%s", (const char *)mnl_attr_get_payload(attr));
		else if (mnl_attr_get_type(attr) == NFTA_RULE_CHAIN)
			snprintf(rule->chain, sizeof(rule->chain), "%s", (const char *)mnl_attr_get_payload(attr));
		else if (mnl_attr_get_type(attr) == NFTA_RULE_HANDLE)
			rule->handle = mnl_attr_get_u64(attr);
	}
}

/* Finds the last rule before the clock starts; table and handle are its owner's and the kernel's choice. */
static void put_rule_delete(struct batch *b) {
	_cleanup_close_ int fd = wire_open(NETLINK_NETFILTER);
	struct nft_rule rule = { 0 };
	struct batch dump;

	batch_init(&dump, fd);
	put_dump_nft(&dump, NFT_MSG_GETRULE);
	wire_dump(&dump, note_rule, &rule);
	put_nft_rule_delete(b, &rule);
}

static void put_disturbance(struct batch *b, const struct subject *s) {
	switch (s->kind) {
	case ADDRESS:
		put_address(b, RTM_DELADDR, s->end.index, s->end.address, s->end.prefix);
		break;
	case ROUTE:
		put_route(b, RTM_DELROUTE, &s->end);
		break;
	case UP:
		put_up(b, s->end.index, false);
		break;
	case CHANGED_MTU:
		put_mtu(b, s->end.index, MTU - 100);
		break;
	case MASTER:
		put_master(b, s->end.index, 0);
		break;
	case LINK:
		put_link_delete(b, s->end.index);
		break;
	case NFT:
		put_flushes(b);
		break;
	case RULE:
		put_policy_rule(b, RTM_DELRULE, DISTURBED_RULE);
		break;
	case NEIGHBOR:
		put_neighbor(b, RTM_DELNEIGH, s->end.index, s->gateway);
		break;
	case QDISC:
		put_qdisc(b, RTM_DELQDISC, s->end.index, s->shape->form);
		break;
	case FILTER:
		put_rule_delete(b);
		break;
	case KINDS:
		break;
	}
}

/* When the object was seen to disappear, and which of its parts are back. */
struct watch {
	double gone;
	unsigned seen;
};

/* Is it back? Reads one datagram. */
static bool take_events(int fd, const struct subject *s, struct watch *w) {
	_Alignas(8) char buffer[16384];
	ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
	int n = (int)MAX(size, 0);

	if (size < 0 && errno != ENOBUFS && errno != EINTR)
		die("cannot receive: %m");
	for (const struct nlmsghdr *h = (const void *)buffer; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n)) {
		struct event e = read_event(h);
		if (says_gone(s, &e))
			w->gone = now_ms();
		else if (w->gone)
			w->seen |= bits_back(s, &e);
	}
	return (w->seen & bits_wanted(s->kind)) == bits_wanted(s->kind);
}

/* When it was back; 0: it was not restored. */
static double wait_until_back(int fd, const struct subject *s, struct watch *w) {
	double deadline = now_ms() + PATIENCE_MS;

	for (double left; (left = deadline - now_ms()) > 0;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, (int)left + 1) > 0 && take_events(fd, s, w))
			return now_ms();
	}
	return 0;
}

static void *send_disturbance(void *batch) {
	batch_run(batch, "disturbance");
	return NULL;
}

struct outcome {
	struct times whole, after;
	unsigned lost;
};

static void note(struct outcome *out, double start, double gone, double back) {
	if (!back) {
		out->lost++;
		return;
	}
	add_time(&out->whole, back - start);
	add_time(&out->after, MAX(back - gone, 0.0));
}

static void disturb_and_wait(const struct subject *s, struct batch *b, int events, struct outcome *out) {
	struct watch w = { 0 };
	double start = now_ms();

	send_disturbance(b);
	double done = now_ms();
	note(out, start, done, wait_until_back(events, s, &w));
}

static void wait_while_disturbing(const struct subject *s, struct batch *b, int events, struct outcome *out) {
	struct watch w = { 0 };
	pthread_t sender;
	double start = now_ms();

	if (pthread_create(&sender, NULL, send_disturbance, b) != 0)
		die("cannot start a thread");
	double back = wait_until_back(events, s, &w);
	pthread_join(sender, NULL);
	note(out, start, w.gone, back);
}

static void disturb(const struct subject *s, struct outcome *out) {
	_cleanup_close_ int events = listen_here(s->kind);
	_cleanup_close_ int fd = wire_open(kind_protocol(s->kind));
	struct batch b;

	batch_init(&b, fd);
	put_disturbance(&b, s);
	if (s->kind == LINK)
		wait_while_disturbing(s, &b, events, out);
	else
		disturb_and_wait(s, &b, events, out);
}

static int index_of(const char *name) {
	unsigned index = if_nametoindex(name);

	if (!index)
		die("%s is not there", name);
	return (int)index;
}

/* Enters the subject's namespace and looks up its indexes, which are its builder's choice. */
static struct subject enter_subject(const struct options *o, enum kind kind, unsigned number) {
	struct subject s = { .shape = &o->shape, .kind = kind, .ns = number };
	struct end ends[2];
	int unused;

	s.end = ends[shape_ends(&o->shape, number, ends) - 1];
	if (kind == MASTER || kind == NFT)
		s.ns = 0;
	if (shape_is_campus(&o->shape))
		s.gateway = shape_bridge(shape_bridge_of(number)).address;
	if (kind == MASTER)
		shape_port(number, s.end.name, &unused);
	ns_enter(&o->shape, s.ns);
	if (kind == MASTER)
		s.master = index_of(shape_bridge(shape_bridge_of(number)).name);
	if (kind != NFT)
		s.end.index = index_of(s.end.name);
	return s;
}

static bool parse_kind(const struct options *o, enum kind *ret) {
	for (unsigned kind = 0; kind < KINDS; kind++)
		if (streq(o->kind, kind_names[kind])) {
			*ret = kind;
			return kind == MASTER || kind == NFT ? o->shape.form == STAR
							     : kind < RULE || shape_is_campus(&o->shape);
		}
	return false;
}

static void outcome_done(struct outcome *out) {
	times_done(&out->whole);
	times_done(&out->after);
}

int verb_drift(const struct options *o) {
	_cleanup_(outcome_done) struct outcome out = { 0 };
	enum kind kind;

	if (!parse_kind(o, &kind)) {
		fprintf(stderr, "floor: no such kind of drift here: %s\n", o->kind);
		return 64;
	}
	/* Each time another namespace, far from the last, so that none looks contested. */
	unsigned subjects = shape_has_hub(&o->shape) ? o->shape.n : o->shape.n - 1;
	unsigned stride = subjects / 2 + subjects / 8 + 1;
	for (unsigned i = 0; i < o->count; i++) {
		struct subject s = enter_subject(o, kind, 1 + i * stride % subjects);
		disturb(&s, &out);
		pause_ms(o->pause_ms);
	}
	printf("{\"verb\": \"drift\", \"shape\": \"%s\", \"n\": %u, \"kind\": \"%s\", \"count\": %zu, \"lost\": %u",
	       form_names[o->shape.form], o->shape.n, o->kind, out.whole.count, out.lost);
	print_times("", &out.whole);
	print_times("after_", &out.after);
	puts("}");
	return out.lost ? 1 : 0;
}
