/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Claims of other topologies to an object. The rules are in claims.h.
 *
 * Each function walks over the other ledgers. What an entry says depends on its age and on what was recorded, so
 * is_contradicted() decides for each field that the object declares:
 *
 *     the entry says for the field            the field contradicts it
 *     a declared value                        if the object declares another value
 *     no value; its maker declares the link   if the object declares a controller
 *     no value; the object is made as a
 *     whole (a route, an address)             if the object differs from what is observed
 *     managed, by a ledger of topod 0.1       likewise
 *     anything else                           never
 */
#include "model/kind_masks.h"
#include "ledger/claims.h"

#include <inttypes.h>

static bool is_inside(const struct object *object) {
	return !object_is_namespace(object) && !streq(object->ns, NS_HOST);
}

/* What a ledger says about the inside of a namespace ends with that namespace. */
static bool is_valid(const struct claimant *by, const struct ledger_entry *entry, const struct object *object,
		     const struct ns_state *ns) {
	const struct ledger_entry *made = ledger_made_namespace(ledger_namespace(by->ledger, object->ns));

	if (!is_inside(object) || !ns || ledger_outlives_namespace(entry))
		return true;
	return ns_self(ns) && (!made || ledger_is_same(made, ns_self(ns)));
}

/* An IPv6 address is the same with another prefix length, but its id contains the length. */
static const struct ledger_entry *find_entry(const struct ledger *ledger, const struct object *object,
					     const struct object *seen) {
	const struct ledger_entry *entry = ledger_namespace(ledger, object->ns) ? ledger_find_object(ledger, object) : NULL;

	return entry || !seen ? entry : ledger_find_object(ledger, seen);
}

struct stake claims_next(const struct claims *claims, struct stake after, const struct object *object,
			 const struct object *seen, const struct ns_state *ns) {
	size_t i = after.by ? (size_t)(after.by - claims->items) + 1 : 0;

	for (; claims && !object->kind->class->per_topology && i < claims->n; i++) {
		const struct claimant *by = &claims->items[i];
		const struct ledger_entry *entry = find_entry(by->ledger, object, seen);

		if (entry && is_valid(by, entry, object, ns))
			return (struct stake){ by, entry };
	}
	return (struct stake){};
}

#define claims_foreach(claim, claims, object, seen, ns)                                                \
	for (struct stake claim = claims_next(claims, (struct stake){}, object, seen, ns); (claim).by; \
	     claim = claims_next(claims, claim, object, seen, ns))

struct stake claims_maker(const struct claims *claims, const struct object *object, const struct object *seen,
			  const struct ns_state *ns) {
	claims_foreach(claim, claims, object, seen, ns)
		if (claim.entry->made && !claim.entry->shared)
			return claim;
	return (struct stake){};
}

/* Can two topologies declare this field differently? The fields that topod fills in itself (mark, MAC address) are
 * the maker's. */
static bool is_comparable(const struct object *object, size_t i) {
	const struct field *field = &object->kind->fields[i];

	return object_has(object, i) && !(object->returning & field_bit(i)) && field->class != FIELD_KEY &&
	       !(field->flags & (FIELD_ONCE | FIELD_BIRTH | FIELD_ONE_WAY));
}

static bool is_controller(const struct field *field) {
	return field->type == &type_link_name && field->flags & FIELD_DEV && !(field->flags & FIELD_PEER);
}

/* See the table above. A ledger of topod 0.1 has no declared values; what is observed counts as declared then. */
static bool is_contradicted(const struct ledger_entry *entry, const struct object *object, const struct object *seen,
			    size_t i, bool whole) {
	const struct field *field = &object->kind->fields[i];
	int at = ledger_counterpart(entry, object->kind, i);
	const char *value = at >= 0 ? ledger_value(entry, (size_t)at) : NULL;
	bool manages = at >= 0 && entry->fields & field_bit((size_t)at);

	if (value && !(field->flags & FIELD_SECRET))
		return !ledger_is_value(value, field, object);
	if (entry->made && entry->has_declaration && is_controller(field))
		return **(const char *const *)field_of(field, object); /* its maker declares it without a controller */
	/* The ledger does not contain the value of a secret: the observed one is what its topology declares. */
	if (!whole && !value && (!manages || entry->has_declaration))
		return false;
	return seen && !(object_has(seen, i) && field_equal(field, object, seen));
}

static uint64_t contradicted_fields(const struct ledger_entry *entry, const struct object *object,
				    const struct object *seen) {
	/* An object that is made as a whole is changed as a whole. */
	bool whole = entry->made && !object->external && !object_is_link(object);
	uint64_t mask = 0;

	for (size_t i = 0; i < object->kind->n_fields; i++)
		if (is_comparable(object, i) && is_contradicted(entry, object, seen, i, whole))
			mask |= field_bit(i);
	return mask;
}

/* Does our own ledger already have these values as the declared ones? */
static bool holds(const struct ledger *ledger, const struct object *object, uint64_t mask) {
	const struct ledger_entry *own = ledger_find_object(ledger, object);

	for (; own && mask; mask &= mask - 1) {
		size_t i = (size_t)__builtin_ctzll(mask);
		const char *value = own->kind == object->kind ? ledger_value(own, i) : NULL;

		if (!value || !ledger_is_value(value, &object->kind->fields[i], object))
			return false;
	}
	return own;
}

uint64_t claims_disputed(const struct claims *claims, const struct object *object, const struct object *seen,
			 const struct ledger *own, const struct ns_state *ns, struct stake *ret) {
	uint64_t disputed = 0;

	*ret = (struct stake){};
	claims_foreach(claim, claims, object, seen, ns) {
		uint64_t mask = contradicted_fields(claim.entry, object, seen);

		if (!mask || (strcmp(claims->own, claim.by->topology) < 0 && holds(own, object, mask)))
			continue;
		disputed |= mask;
		*ret = ret->by ? *ret : claim;
	}
	return disputed;
}

uint64_t claims_shared(const struct claims *claims, const struct object *object, const struct object *seen,
		       const struct ns_state *ns, uint64_t mask) {
	uint64_t shared = 0;

	claims_foreach(claim, claims, object, seen, ns)
		mask_foreach(i, mask) {
			int at = ledger_counterpart(claim.entry, object->kind, i);

			if (at >= 0 && (ledger_value(claim.entry, (size_t)at) ||
					(!claim.entry->has_declaration && claim.entry->fields & field_bit((size_t)at))))
				shared |= field_bit(i);
		}
	return shared;
}

void claim_print(struct stake claim, struct text *out) {
	const struct ledger *ledger = claim.by->ledger;
	const struct position *place = &claim.entry->place;

	text_addf(out, "topology '%s'", claim.by->topology);
	if (place->line && place->source < ledger->files.n)
		text_addf(out, " (%s:%" PRIu32 ")", ledger->files.items[place->source], place->line);
	else if (ledger->files.n)
		text_addf(out, " (%s)", ledger->files.items[0]);
}

void claim_print_dispute(struct stake claim, const struct object *object, uint64_t mask, struct text *out) {
	const char *separator = " with ";

	text_add(out, "is declared");
	for (; mask; mask &= mask - 1) {
		size_t i = (size_t)__builtin_ctzll(mask);
		const struct field *field = &object->kind->fields[i];
		int at = ledger_counterpart(claim.entry, object->kind, i);
		const char *value =
			at >= 0 && !(field->flags & FIELD_UNPRINTED) ? ledger_value(claim.entry, (size_t)at) : NULL;

		if (!value && is_controller(field) && object_is_link(object))
			value = "";
		if (!value || (field->flags & FIELD_HIDDEN && !(field->flags & FIELD_DEV)))
			continue;
		text_addf(out, "%s%s %s", separator, field->name, *value ? value : "none");
		separator = ", ";
	}
	text_add(out, streq(separator, " with ") ? " differently by " : " by ");
	claim_print(claim, out);
}
