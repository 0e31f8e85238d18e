/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/doubt.h"

struct doubt {
	char *id, *ns;
	int round;
	UT_hash_handle hh;
};

/* Was another answer in the namespace doubted in the same round? What is asked along with it may stand on it, as a route
 * does on the address that makes its gateway reachable. */
static bool follows_doubt(const struct doubts *doubts, const char *ns, int round) {
	for (const struct doubt *doubt = doubts->met; doubt; doubt = doubt->hh.next)
		if (doubt->round == round && streq(doubt->ns, ns))
			return true;
	return false;
}

bool doubt_answer(struct doubts *doubts, const struct change *change, int round) {
	const struct object *object = change_object(change);
	_cleanup_text_ struct text id = {};
	struct doubt *doubt = NULL;

	if (!change_is_contradicted(change) && !follows_doubt(doubts, object->ns, round))
		return false;
	object_print_id(object, &id);
	HASH_FIND_STR(doubts->met, id.data, doubt);
	if (doubt)
		return false;
	doubt = xmalloc(sizeof(*doubt));
	*doubt = (struct doubt){ .id = text_take(&id), .ns = xstrdup(object->ns), .round = round };
	HASH_ADD_KEYPTR(hh, doubts->met, doubt->id, strlen(doubt->id), doubt);
	return true;
}

void doubts_done(struct doubts *doubts) {
	struct doubt *doubt, *next;

	HASH_ITER(hh, doubts->met, doubt, next) {
		HASH_DEL(doubts->met, doubt);
		free(doubt->id);
		free(doubt->ns);
		free(doubt);
	}
}
