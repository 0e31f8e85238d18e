/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints a case, as the files that topod reads and as text for people, without the parts that are off.
 */
#include "case.h"

bool case_has(const struct c_case *c, int id) {
	return !c->off || !c->off[id];
}

static bool has(const struct c_case *c, const struct part *part, int v) {
	return case_has(c, part->id) && part->in >> v & 1;
}

static bool has_ns(const struct c_case *c, const struct c_ns *ns, int v) {
	return has(c, &ns->part, v);
}

static bool has_link(const struct c_case *c, const struct c_link *link, int v) {
	return has(c, &link->part, v) && has_ns(c, link->ns, v) && (!link->peer || has_ns(c, link->peer->ns, v)) &&
	       (!link->lower || has_link(c, link->lower, v));
}

static bool has_address(const struct c_case *c, const struct c_address *a, int v) {
	return has(c, &a->part, v) && has_link(c, a->link, v);
}

static bool has_route(const struct c_case *c, const struct c_route *r, int v) {
	return has(c, &r->part, v) && has_ns(c, r->ns, v) && (!r->by || has_address(c, r->by, v)) &&
	       (!r->base || has_route(c, &c->routes.items[r->base - 1], v));
}

static void print_route(const struct c_case *c, const struct c_route *r, int v, struct text *out) {
	text_addf(out, "      - {to: %s", r->to);
	if (r->type)
		text_addf(out, ", type: %s", r->type);
	if (r->second && has_address(c, r->second, v))
		text_addf(out, ", nexthops: [{via: %s, dev: %s}, {via: %s, dev: %s, weight: 2}]", r->by->gateway,
			  r->by->link->name, r->second->gateway, r->second->link->name);
	else if (r->by && !r->bare)
		text_addf(out, ", via: \"%s\"", r->gateway ? r->gateway : r->by->gateway);
	if (r->dev && !(r->second && has_address(c, r->second, v)))
		text_addf(out, ", dev: %s", r->by->link->name);
	if (r->src)
		text_addf(out, ", src: \"%.*s\"", (int)strcspn(r->by->text, "/"), r->by->text);
	if (r->metric[v])
		text_addf(out, ", metric: %s", r->metric[v]);
	if (r->mtu[v])
		text_addf(out, ", mtu: %s", r->mtu[v]);
	if (r->rest[v])
		text_addf(out, ", %s", r->rest[v]);
	text_add(out, "}\n");
}

static bool is_found(const struct c_link *link, int v) {
	return link->found_later && v == 1;
}

/* Is the attribute one of every interface? */
static bool is_common(const struct c_attribute *a) {
	static const char *const common[] = { "mtu", "txqueuelen", "multicast",   "mac-address",
					      "up",  "arp",        "promiscuous", "ipv6-address-generation" };

	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if (streq(a->key, common[i]))
			return true;
	return false;
}

static void print_ports(const struct c_case *c, const struct c_link *bridge, int v, struct text *out) {
	size_t n = 0;

	vec_foreach(at, &c->links) {
		const struct c_link *link = *at;

		if (link->bridge != bridge || !has_link(c, link, v) || !has(c, &link->port, v))
			continue;
		text_add(out, n++ ? ", " : ", ports: [");
		if (link->as_port[v])
			text_addf(out, "{name: %s, %s}", link->name, link->as_port[v]);
		else
			text_add(out, link->name);
	}
	text_add(out, n ? "]" : "");
}

static void print_addresses(const struct c_case *c, const struct c_link *link, int v, struct text *out) {
	size_t n = 0;

	vec_foreach(at, &c->addresses) {
		const struct c_address *a = *at;

		if (a->link != link || !has_address(c, a, v))
			continue;
		text_addf(out, "%s{address: \"%s\"", n++ ? ", " : ", addresses: [", a->text);
		text_addf(out, "%s%s%s%s}", a->nodad[v] ? ", nodad: true" : "",
			  a->noprefixroute[v] ? ", noprefixroute: true" : "", a->rest[v] ? ", " : "",
			  a->rest[v] ? a->rest[v] : "");
	}
	text_add(out, n ? "]" : "");
}

/* An entry of the bridge's forwarding table needs a port. */
static bool is_possible(const struct c_case *c, const struct c_attribute *a, int v) {
	const struct c_link *link = a->link;

	if (streq(a->key, "fdb"))
		return link->bridge && has_link(c, link->bridge, v) && has(c, &link->port, v) && !is_found(link->bridge, v);
	return !is_found(link, v) || is_common(a);
}

static void print_link(const struct c_case *c, const struct c_link *link, int v, struct text *out) {
	struct text rest = {};

	if (link->kind)
		text_addf(&rest, ", kind: %s", is_found(link, v) ? "existing" : link->kind);
	if (link->lower)
		text_addf(&rest, ", %s: \"%s:%s\"", streq(link->kind, "vxlan") ? "dev" : "link", link->lower->ns->name,
			  link->lower->name);
	if (link->id[v])
		text_addf(&rest, ", id: %s", link->id[v]);
	if (link->source[0])
		text_addf(&rest, ", source: %s", link->source[v]);
	if (link->drift)
		text_addf(&rest, ", drift: %s", link->drift);
	vec_foreach(a, &c->attributes)
		if (a->link == link && has(c, &a->part, v) && is_possible(c, a, v))
			text_addf(&rest, ", %s: %s", a->key, a->value[v]);
	if (!is_found(link, v))
		print_ports(c, link, v, &rest);
	print_addresses(c, link, v, &rest);
	if (rest.size)
		text_addf(out, "      %s: {%s}\n", link->name, rest.data + 2);
	text_done(&rest);
}

static void print_ns(const struct c_case *c, const struct c_ns *ns, int v, struct text *out) {
	size_t n = 0;

	text_addf(out, "  %s:\n    interfaces:\n      lo: {}\n", ns->name);
	vec_foreach(at, &c->links)
		if ((*at)->ns == ns && has_link(c, *at, v))
			print_link(c, *at, v, out);
	if (ns->attach)
		text_add(out, "    attach: {}\n");
	else if (ns->adopt || (ns->adopt_later && v == 1))
		text_add(out, "    adopt: true\n");
	if (ns->exclusive)
		text_add(out, "    exclusive: true\n");
	if (ns->drift)
		text_addf(out, "    drift: %s\n", ns->drift);
	vec_foreach(r, &c->routes)
		if (r->ns == ns && has_route(c, r, v)) {
			text_add(out, n++ ? "" : "    routes:\n");
			print_route(c, r, v, out);
		}
	n = 0;
	vec_foreach(t, &c->texts)
		if (t->ns == ns && has(c, &t->part, v) && (!t->link || has_link(c, t->link, v)) && strchr(t->key, '.'))
			text_addf(out, "%s      %s: %s\n", n++ ? "" : "    sysctl:\n", t->key, t->value[v]);
	vec_foreach(t, &c->texts)
		if (t->ns == ns && has(c, &t->part, v) && (!t->link || has_link(c, t->link, v)) && !strchr(t->key, '.'))
			text_addf(out, "    %s: %s\n", t->key, t->value[v]);
}

char *case_yaml(const struct c_case *c, int v) {
	struct text out = {};

	if (c->yaml[v])
		return xstrdup(c->yaml[v]);
	text_add(&out, "topology: t\nnamespaces:\n");
	vec_foreach(at, &c->spaces)
		if (has_ns(c, *at, v))
			print_ns(c, *at, v, &out);
	for (size_t i = 0, n = 0; i < c->links.n; i++) {
		const struct c_link *x = c->links.items[i], *y = x->peer;

		if (y && i + 1 < c->links.n && c->links.items[i + 1] == y && has_link(c, x, v))
			text_addf(&out, "%s  - [%s:%s, %s:%s]\n", n++ ? "" : "links:\n", x->ns->name, x->name, y->ns->name,
				  y->name);
	}
	return text_take(&out);
}

void step_print(const struct step *step, struct text *out) {
	static const char *const words[] = {
		[STEP_OP] = "",
		[STEP_OP_UNHEARD] = "unheard: ",
		[STEP_OP_REQUEST] = "before a request: ",
		[STEP_OP_LOOK] = "after a scan: ",
		[STEP_WAIT] = "wait",
		[STEP_RELOAD] = "reload",
		[STEP_FAIL_REQUEST] = "fail request",
		[STEP_FAIL_LOOK] = "fail scan",
		[STEP_CRASH] = "crash",
		[STEP_RESTART] = "restart",
		[STEP_DIRTY] = "dirty",
		[STEP_PAUSE] = "in a pause: ",
	};

	text_add(out, words[step->type]);
	if (step->type <= STEP_OP_LOOK || step->type == STEP_PAUSE)
		op_print(&step->op, out);
	if (step->type > STEP_OP_UNHEARD)
		text_addf(out, " (%zu%s%s%s%s)", step->n,
			  step->type == STEP_FAIL_REQUEST || step->type == STEP_FAIL_LOOK ? " " : "",
			  step->type == STEP_FAIL_REQUEST || step->type == STEP_FAIL_LOOK ? strerrorname_np(step->error)
											  : "",
			  step->type == STEP_CRASH && step->after ? " after" : "",
			  step->type == STEP_CRASH && step->torn ? " torn" : "");
	text_addf(out, "   # part %d\n", step->id);
}

void case_print(const struct c_case *c, struct text *out) {
	bool both = c->upgrade;

	text_add(out, "# Before:\n");
	vec_foreach(step, &c->before)
		if (case_has(c, step->id))
			step_print(step, out);
	vec_foreach(step, &c->steps)
		both |= step->type == STEP_RELOAD && case_has(c, step->id);
	for (int v = both ? 0 : 1; v < VERSIONS; v++) {
		_cleanup_free_ char *yaml = case_yaml(c, v);

		text_addf(out, "# Version %d:\n%s", v, yaml);
		if (c->crashes[v].n && case_has(c, c->crashes[v].id))
			step_print(&c->crashes[v], out);
	}
	text_add(out, "# Then:\n");
	vec_foreach(step, &c->steps)
		if (case_has(c, step->id))
			step_print(step, out);
	text_add(out, "# Then down:\n");
	if (c->crashes[VERSIONS].n && case_has(c, c->crashes[VERSIONS].id))
		step_print(&c->crashes[VERSIONS], out);
}
