/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What other topologies on this machine mean for an object: what is left to them, what is shared with them, and what our own
 * ledger must tell them. claims.c compares; this file decides what follows.
 */
#include "model/kind_masks.h"
#include "plan/diff.h"

/* Whose it is. */

const char *diff_belongs(struct diff *diff, const struct object *object, const struct object *seen,
			 const struct ns_state *ns) {
	struct stake maker = claims_maker(diff->input->claims, object, seen, ns);
	const struct ledger_entry *own = maker.by ? ledger_find_object(diff->input->ledger, object) : NULL;
	const struct class *class = object->kind->class;
	/* An earlier namespace of this name may have been ours. */
	bool ours = own && own->made && !own->shared && (!seen || ledger_is_same(own, seen));
	_cleanup_text_ struct text text = {};

	if (!maker.by || ours || !class->share_by || object->external ||
	    (seen ? !ledger_is_same(maker.entry, seen)
		  : object_is_namespace(object))) /* the maker's namespace is gone for good */
		return NULL;
	text_add(&text, seen ? "exists and belongs to " : "is declared by ");
	claim_print(maker, &text);
	text_addf(&text, "%s: use that one with '%s', or rename it in the file",
		  seen ? "" : ", and only one topology can create it", class->share_by);
	return arena_strdup(&diff->plan->arena, text.data);
}

static void add_note(struct diff *diff, const struct object *object, const struct object *seen,
		     const struct ledger_entry *other, uint64_t fields) {
	vec_push(&diff->plan->notes, (struct note){ .object = object, .observed = seen, .other = other, .fields = fields });
}

/* The first claim to this very namespace, not to an earlier one of the same name. */
static struct stake claim_to_namespace(const struct diff *diff, const struct object *object, const struct object *seen) {
	struct stake claim = {};

	do
		claim = claims_next(diff->input->claims, claim, object, seen, NULL);
	while (claim.by && !(claim.entry->made && ledger_is_same(claim.entry, seen)));
	return claim;
}

bool diff_shares_namespace(struct diff *diff, const struct object *object, const struct object *seen) {
	struct stake claim = claim_to_namespace(diff, object, seen);
	struct stake maker = claims_maker(diff->input->claims, object, seen, NULL);
	bool made = maker.by && ledger_is_same(maker.entry, seen);

	if (!claim.by || (!object->external && made))
		return false;
	const struct ledger_entry *own = ledger_find_object(diff->input->ledger, object);
	if (!own || !own->made || !ledger_is_same(own, seen) || own->shared != object->external)
		add_note(diff, object, seen, claim.entry, UINT64_MAX);
	return true;
}

/* What is declared differently. */

/* Links, and objects that exist without topod, are changed field by field; everything else as a whole. */
static bool by_field(const struct object *object) {
	return object->external || object->kind->class->permanent || object->kind->class->splits;
}

static uint64_t disputed_fields(const struct diff *diff, const struct object *object, const struct object *seen,
				const struct ns_state *ns, struct stake *ret) {
	*ret = (struct stake){};
	if (!diff->input->claims || object->gone)
		return 0;
	return claims_disputed(diff->input->claims, object, seen, diff->input->ledger, ns, ret);
}

static const char *dispute_text(struct diff *diff, const struct object *object, struct stake claim, uint64_t fields) {
	_cleanup_text_ struct text text = {};

	claim_print_dispute(claim, object, fields, &text);
	return arena_strdup(&diff->plan->arena, text.data);
}

static void give_up_share(struct diff *diff, const struct ledger_entry *own) {
	vec_push(&diff->plan->lost, (struct lost){ own->ns, arena_strdup(&diff->plan->arena, own->id), true });
}

bool diff_disputed(struct diff *diff, struct object *object, struct object *seen, const struct ns_state *ns) {
	struct stake claim;
	uint64_t fields = by_field(object) ? 0 : disputed_fields(diff, object, seen, ns, &claim);
	const struct ledger_entry *own = fields ? ledger_find_object(diff->input->ledger, object) : NULL;

	if (!fields)
		return false;
	diff_refuse(diff, object, seen, -EBUSY, dispute_text(diff, object, claim, fields));
	if (own) /* it was shared, and the other topology keeps it as it is */
		give_up_share(diff, own);
	return true;
}

uint64_t diff_left_fields(struct diff *diff, struct object *object, struct object *seen, const struct ns_state *ns) {
	struct stake claim;
	uint64_t disputed = by_field(object) ? disputed_fields(diff, object, seen, ns, &claim) : 0;

	if (disputed && ledger_find_object(diff->input->ledger, object))
		vec_push(&diff->plan->released, (struct released){ object, disputed });
	return disputed | claims_shared(diff->input->claims, object, seen, ns, object->returning);
}

bool diff_fills_in(const struct object *object, size_t i) {
	const struct field *field = &object->kind->fields[i];
	bool written = object->positions && object->positions[i].line;

	return !written && (field->flags & FIELD_SIGN || (field->flags & FIELD_HIDDEN && !(field->flags & FIELD_DEV)));
}

void diff_tell_left(struct diff *diff, struct object *object, struct object *seen, const struct ns_state *ns) {
	struct stake claim;
	uint64_t fields = by_field(object) ? disputed_fields(diff, object, seen, ns, &claim) : 0, reported = 0;
	struct change *change;

	mask_foreach(i, fields)
		if (!diff_fills_in(object, i)) /* else left without a message */
			reported |= field_bit(i);
	if (!reported)
		return;
	change = arena_new(&diff->plan->arena, struct change);
	*change = (struct change){ .type = CHANGE_UPDATE,
				   .desired = object,
				   .observed = seen,
				   .fields = reported,
				   .done = true,
				   .refused = true,
				   .error = -EBUSY,
				   .text = dispute_text(diff, object, claim, reported),
				   .culprit = &object->kind->fields[__builtin_ctzll(reported)] };
	vec_push(&diff->plan->changes, change);
}

/* What the ledger must say. */

bool diff_note(struct diff *diff, struct ledger_entry *own, const struct object *object, const struct object *seen,
	       const struct ns_state *ns, uint64_t left, uint64_t differs) {
	struct stake claim = claims_next(diff->input->claims, (struct stake){}, object, seen, ns);
	uint64_t mask = object->gone ? 0 : left ? ~left : UINT64_MAX;

	if (differs && !claim.by && object->kind->transport == TRANSPORT_SYSCTL)
		return false;
	if (!(own && ledger_is_declared(own, object, mask)) && (own || !object->gone))
		add_note(diff, object, seen, claim.entry, mask);
	return claim.by;
}

/* What is not deleted. */

static void spare(struct diff *diff, const struct object *seen, struct stake claim, const char *what) {
	_cleanup_text_ struct text text = {};

	text_add(&text, what);
	claim_print(claim, &text);
	vec_push(&diff->plan->spared, (struct spared){ seen, arena_strdup(&diff->plan->arena, text.data) });
}

bool diff_spares(struct diff *diff, const struct ledger_entry *own, const struct object *seen, const struct ns_state *ns) {
	bool self = object_is_namespace(seen);
	struct stake claim = self ? claim_to_namespace(diff, seen, seen)
				  : claims_next(diff->input->claims, (struct stake){}, seen, seen, ns);

	/* A link goes with the topology that made it. */
	if (!claim.by || (own && object_is_link(seen)) || (!own && !claim.entry->made))
		return false;
	spare(diff, seen, claim, own ? "is left to " : "belongs to ");
	if (own)
		give_up_share(diff, own);
	return true;
}
