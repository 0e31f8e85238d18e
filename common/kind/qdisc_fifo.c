/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain queues, and kinds that only arrange other qdiscs: pfifo, bfifo, noqueue, prio, mq (net/sched/sch_*.c).
 */
#include "kind/qdisc_option.h"

enum { FIFO_LIMIT };

static const struct field pfifo[] = {
	QDISC_OPTION(FIFO_LIMIT, "limit", &type_integer, .min = 1, .max = INT32_MAX,
		     .doc = "How many packets may wait; by default the interface's txqueuelen."),
};
static const struct field bfifo[] = {
	QDISC_OPTION(FIFO_LIMIT, "limit", &type_size, .min = 1,
		     .doc = "How much may wait; by default as many frames of the MTU as the interface's txqueuelen."),
};
static const enum qdisc_default pfifo_defaults[] = { QDISC_BY_QUEUE }, bfifo_defaults[] = { QDISC_BY_QUEUE_MTU };

static void put_fifo(struct nl_writer *w, const struct qdisc_node *node) {
	const struct tc_fifo_qopt fifo = { qdisc_number(node, FIFO_LIMIT) };

	if (qdisc_has(node, FIFO_LIMIT)) /* otherwise the kernel's default */
		nl_put(w, TCA_OPTIONS, &fifo, sizeof(fifo));
}

static bool get_fifo(struct qdisc_node *node, const struct nlattr *options) {
	struct tc_fifo_qopt fifo = {};

	if (!qdisc_is_large(options, sizeof(fifo)))
		return false;
	qdisc_copy(options, &fifo, sizeof(fifo));
	qdisc_set_number(node, FIFO_LIMIT, fifo.limit);
	return true;
}

/* Sixteen bands in the nibbles of a number, from the lowest. */
static bool priomap_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = node->type == NODE_SCALAR ? node->text : NULL;
	uint64_t map = 0;
	size_t n = 0;

	for (; n < 16; n++) {
		uint32_t band = UINT32_MAX;

		if (node->type == NODE_SEQUENCE && n < node->n && node->items[n]->type == NODE_SCALAR)
			(void)parse_u32(node->items[n]->text, &band);
		if (text && (text += strspn(text, " ")) && *text >= '0' && *text <= '9')
			band = (uint32_t)strtoul(text, (char **)(uintptr_t)&text, 10);
		if (band > 15)
			break;
		map |= (uint64_t)band << 4 * n;
	}
	if (n < 16 || (text ? *text != '\0' : node->n != 16)) {
		diag_error(
			p->diags, node->position,
			"'%s' takes a list of 16 bands, one for each priority of a packet: [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, "
			"1, 1, 1, 1, 1]",
			field->name);
		return false;
	}
	*(uint64_t *)value = map;
	return true;
}

static void priomap_print(const struct field *field _unused_, const void *value, struct text *out) {
	for (size_t i = 0; i < 16; i++)
		text_addf(out, "%s%u", i ? ", " : "[", (unsigned)(*(const uint64_t *)value >> 4 * i & 15));
	text_add(out, "]");
}

static bool priomap_equal(const void *a, const void *b) {
	return *(const uint64_t *)a == *(const uint64_t *)b;
}

static const struct type type_priomap = {
	.name = "list of 16 bands",
	.schema = "{\"type\": [\"array\", \"string\"]}",
	.size = sizeof(uint64_t),
	.parse = priomap_parse,
	.print = priomap_print,
	.equal = priomap_equal,
};

enum { PRIO_BANDS, PRIO_PRIOMAP };

static const struct field prio[] = {
	QDISC_OPTION(PRIO_BANDS, "bands", &type_integer, .min = 2, .max = 16, .fallback = "3", .doc = "Number of bands."),
	QDISC_OPTION(PRIO_PRIOMAP, "priomap", &type_priomap, .fallback = "1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1",
		     .doc = "The band of each priority of a packet, from 0."),
};

static bool check_prio(struct parse *p, struct qdisc_node *node, const struct position *positions) {
	uint32_t bands = qdisc_has(node, PRIO_BANDS) ? qdisc_number(node, PRIO_BANDS) : 3;

	for (size_t i = 0; i < 16 && qdisc_has(node, PRIO_PRIOMAP); i++)
		if ((node->values[PRIO_PRIOMAP] >> 4 * i & 15) >= bands)
			return qdisc_refuse(p, positions[PRIO_PRIOMAP],
					    "'priomap' has a band that does not exist: they count from 0");
	if (bands < 3 && !qdisc_has(node, PRIO_PRIOMAP))
		return qdisc_refuse(p, positions[PRIO_BANDS],
				    "with fewer than 3 bands write 'priomap', too: its default has band 2");
	return true;
}

static void put_prio(struct nl_writer *w, const struct qdisc_node *node) {
	struct tc_prio_qopt options = { .bands = (int)qdisc_number(node, PRIO_BANDS) };

	for (size_t i = 0; i < ARRAY_SIZE(options.priomap); i++)
		options.priomap[i] = node->values[PRIO_PRIOMAP] >> 4 * i & 15;
	nl_put(w, TCA_OPTIONS, &options, sizeof(options));
}

static bool get_prio(struct qdisc_node *node, const struct nlattr *attr) {
	struct tc_prio_qopt options = {};
	uint64_t map = 0;

	if (!qdisc_is_large(attr, sizeof(options)))
		return false;
	qdisc_copy(attr, &options, sizeof(options));
	for (size_t i = 0; i < ARRAY_SIZE(options.priomap); i++)
		map |= (uint64_t)(options.priomap[i] & 15) << 4 * i;
	qdisc_set_number(node, PRIO_BANDS, (uint32_t)options.bands);
	qdisc_set_wide(node, PRIO_PRIOMAP, map);
	return true;
}

const struct qdisc_kind qdisc_pfifo = {
	QDISC_KIND("pfifo", pfifo),
	.doc = "A queue limited in packets.",
	.defaults = pfifo_defaults,
	.put = put_fifo,
	.get = get_fifo,
};

const struct qdisc_kind qdisc_bfifo = {
	QDISC_KIND("bfifo", bfifo),
	.doc = "A queue limited in bytes.",
	.defaults = bfifo_defaults,
	.put = put_fifo,
	.get = get_fifo,
};

const struct qdisc_kind qdisc_noqueue = {
	QDISC_NAME("noqueue"),
	.doc = "No queue at all: what cannot be sent at once is dropped.",
	.only_root = true,
	.fixed = true,
};

const struct qdisc_kind qdisc_prio = {
	QDISC_KIND("prio", prio), .doc = "Bands; a band sends only while those before it are empty.",
	.max_children = 16,       .has_filters = true,
	.check = check_prio,      .put = put_prio,
	.get = get_prio,
};

const struct qdisc_kind qdisc_mq = {
	QDISC_NAME("mq"),
	.doc = "A qdisc for each transmit queue of the interface, which needs more than one (`queues`).",
	.max_children = 4096,
	.only_root = true,
	.fixed = true,
};
