/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile/stale_answer.h"

struct stale_answer {
	char *id, *ns;
	int round;
	UT_hash_handle hh;
};

/* Was another answer in the namespace doubted in the same round? This request may depend on its object, as a route depends
 * on the address that makes its gateway reachable. */
static bool follows_doubt(const struct stale_answers *stale_answers, const char *ns, int round) {
	for (const struct stale_answer *answer = stale_answers->met; answer; answer = answer->hh.next)
		if (answer->round == round && streq(answer->ns, ns))
			return true;
	return false;
}

bool stale_answer(struct stale_answers *stale_answers, const struct change *change, int round) {
	const struct object *object = change_object(change);
	_cleanup_text_ struct text id = {};
	struct stale_answer *answer = NULL;

	if (!change_is_contradicted(change) && !follows_doubt(stale_answers, object->ns, round))
		return false;
	object_print_id(object, &id);
	HASH_FIND_STR(stale_answers->met, id.data, answer);
	if (answer)
		return false;
	answer = xmalloc(sizeof(*answer));
	*answer = (struct stale_answer){ .id = text_take(&id), .ns = xstrdup(object->ns), .round = round };
	HASH_ADD_KEYPTR(hh, stale_answers->met, answer->id, strlen(answer->id), answer);
	return true;
}

void stale_answers_done(struct stale_answers *stale_answers) {
	struct stale_answer *answer, *next;

	HASH_ITER(hh, stale_answers->met, answer, next) {
		HASH_DEL(stale_answers->met, answer);
		free(answer->id);
		free(answer->ns);
		free(answer);
	}
}
