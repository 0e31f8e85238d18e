/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "meaning/places.h"

int place_compare_positions(struct position a, struct position b) {
	if (a.source != b.source)
		return a.source - b.source;
	return a.line != b.line ? (a.line > b.line) - (a.line < b.line) : a.column - b.column;
}

static int compare_places(const void *a, const void *b) {
	const struct place *x = a, *y = b;
	int r = memcmp(&x->ip, &y->ip, sizeof(x->ip));

	if (r == 0)
		r = (x->segment > y->segment) - (x->segment < y->segment);
	return r ? r : place_compare_positions(x->address->position, y->address->position);
}

static int compare_presences(const void *a, const void *b) {
	const struct presence *x = a, *y = b;

	if (x->segment != y->segment)
		return (x->segment > y->segment) - (x->segment < y->segment);
	return (x->ns > y->ns) - (x->ns < y->ns);
}

static void find_places(struct meaning *m) {
	state_foreach(ns, m->state)
		ns_foreach(object, ns) {
			struct prefix own;

			if (object->kind->assigns && object->kind->assigns(object, &own)) {
				const char *dev = object_home_link(object);

				vec_push(&m->places,
					 (struct place){ own.address, place_segment(m, ns, dev), ns, object, dev });
			}
			if (object_is_link(object))
				vec_push(&m->presences, (struct presence){ segment_of(&m->segments, object), ns });
		}
	if (m->places.n)
		qsort(m->places.items, m->places.n, sizeof(*m->places.items), compare_places);
	if (m->presences.n)
		qsort(m->presences.items, m->presences.n, sizeof(*m->presences.items), compare_presences);
}

const struct place *place_first(const struct meaning *m, const struct ip *ip) {
	size_t low = 0, high = m->places.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(&m->places.items[middle].ip, ip, sizeof(*ip)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return m->places.items + low;
}

size_t place_segment(struct meaning *m, const struct ns_state *ns, const char *dev) {
	return segment_of(&m->segments, ns_find_link(ns, dev));
}

static bool is_present(const struct meaning *m, size_t segment, const struct ns_state *ns) {
	const struct presence key = { segment, ns };

	return m->presences.n && bsearch(&key, m->presences.items, m->presences.n, sizeof(key), compare_presences);
}

bool place_is_answered(const struct meaning *m, size_t segment, const struct ip *ip, const struct ns_state *but) {
	if (segment_is_open(&m->segments, segment))
		return true;
	/* With IPv4 a host answers for all its addresses on each of its interfaces (arp_ignore in the kernel's
	 * ip-sysctl.rst). */
	place_foreach(place, m, ip)
		if (place->ns != but &&
		    (place->segment == segment || (ip->family == AF_INET && is_present(m, segment, place->ns))))
			return true;
	return false;
}

void place_print_others(const struct meaning *m, size_t segment, const struct ip *ip, const struct ns_state *but,
			struct text *out) {
	char buf[IP_TEXT_MAX];
	size_t n = 0;

	if (m->diags->n_warnings >= DIAGS_MAX)
		return; /* the message will not be shown, so do not spend time on it */
	vec_foreach(place, &m->places) {
		if (place->segment != segment || place->ip.family != ip->family || place->ns == but)
			continue;
		if (n++ == 3) {
			text_add(out, ", …");
			return;
		}
		text_addf(out, "%s%s (%s/%s)", n == 1 ? "; there are: " : ", ", ip_format(&place->ip, buf), place->ns->name,
			  place->dev);
	}
}

void meaning_check(const struct state *state, struct diags *diags) {
	struct meaning m = { .state = state, .diags = diags };

	segments_find(&m.segments, state);
	find_places(&m);
	for (const struct kind *const *kind = kinds; *kind; kind++)
		if ((*kind)->warn)
			(*kind)->warn(&m);
	vec_done(&m.presences);
	vec_done(&m.places);
	segments_done(&m.segments);
}

void meaning_seen(const struct state *desired, const struct state *observed, struct diags *diags) {
	state_foreach(ns, desired)
		ns_foreach(object, ns)
			if (object->kind->warn_seen)
				object->kind->warn_seen(object, ns, state_find(observed, ns->name), diags);
}

bool meaning_needs_scan(const struct ns_state *desired) {
	ns_foreach(object, desired)
		if (object->kind->warn_seen && object->kind->warn_seen(object, desired, NULL, NULL))
			return true;
	return false;
}
