/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What topod may do to a world: change or delete only its own objects, and only in namespaces that it may enter.
 */
#include "fake_private.h"

char **find_made(struct fake *fake, const struct object *object) {
	_cleanup_text_ struct text id = {};

	object_print_id(object, &id);
	vec_foreach(at, &fake->made)
		if (*at && streq(*at, id.data))
			return at;
	return NULL;
}

void remember_made(struct fake *fake, const struct change *change) {
	struct text id = {};
	char **before = find_made(fake, change_object(change));

	/* An object that is only made again belongs to topod as before. */
	if (change->recreates && !object_is_link(change_object(change)))
		return;
	if (change->type == CHANGE_DELETE && before) {
		free(*before);
		*before = NULL;
	} else if (change->type == CHANGE_CREATE && !before) {
		object_print_id(change->desired, &id);
		vec_push(&fake->made, text_take(&id));
	}
}

void violate(struct fake *fake, const struct object *object, const char *what) {
	_cleanup_text_ struct text id = {};

	object_print_id(object, &id);
	text_addf(&fake->violations, "%s is foreign and was %s\n", id.data, what);
}

void judge_link(struct fake *fake, const struct scan_request *request, const struct w_link *link,
		const struct change *change) {
	const struct ns_state *desired = state_find(request->desired, change_object(change)->ns);
	bool may = change->type == CHANGE_DELETE && desired && desired->exclusive;

	/* adopt: links of a namespace that was taken over may be changed, and are restored later. */
	may |= change->type == CHANGE_UPDATE && desired && desired->adopt;
	may |= change->type == CHANGE_UPDATE && (change->desired->external || change->desired->gone);

	/* A link of topod's that somebody moves keeps its mark. */
	if (link && link->external && !link->moved && !may && !streq(link->values->alias, "topod:t"))
		violate(fake, change_object(change), change->type == CHANGE_DELETE ? "deleted" : "changed");
}

/* An address or a route that replaced one of topod's may be corrected; others must be left alone. */
void judge(struct fake *fake, const struct scan_request *request, bool external, const struct change *change) {
	const struct ns_state *desired = state_find(request->desired, change_object(change)->ns);
	/* Objects recorded before a crash count as made, and so do those that topod knew by their mark. */
	bool may = find_made(fake, change_object(change)) ||
		   (fake->ledger_tells && ledger_find_object(request->ledger, change_object(change))) ||
		   (change->type == CHANGE_UPDATE ? (desired && desired->adopt) || change->desired->gone
						  : desired && desired->exclusive);

	/* On an interface that was renamed by hand: it has the mark, and the ledger has followed. Objects that are made
	 * again at once may also be deleted. */
	const struct ledger_entry *entry = ledger_find_object(request->ledger, change_object(change));
	may |= change->type == CHANGE_DELETE && change->observed->owned && entry && (entry->made || change->recreates);
	if (external && !may)
		violate(fake, change_object(change), change->type == CHANGE_DELETE ? "deleted" : "changed");
}

static bool is_closed(const struct scan_request *request, const struct w_ns *ns) {
	const struct ns_state *desired = ns && ns->name ? state_find(request->desired, ns->name) : NULL;

	return desired && desired->declared && ns->external && !desired->adopt && !streq(ns->name, NS_HOST);
}

void judge_ground(struct fake *fake, const struct scan_request *request, const struct w_ns *ns,
		  const struct object *object) {
	if (is_closed(request, ns))
		violate(fake, object, "made upon what is in a namespace of somebody else's");
}

/* A foreign namespace may be entered only if the file adopts it. */
void judge_place(struct fake *fake, const struct scan_request *request, const struct change *change) {
	const struct object *object = change_object(change);
	const struct w_ns *ns = world_ns_or_held(fake->world, object->ns);

	/* Creating one, or giving it its name again, fails if the name is taken by now. A deletion is judged by its object:
	 * something of topod's may have been moved there. */
	if (change->type == CHANGE_DELETE || object_is_namespace(object))
		return;
	if (is_closed(request, ns) && !object->gone && !object->kind->class->outlives_namespace)
		violate(fake, object, "entered");
}
