/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a topology has made, and what it found before it changed it: the memory that survives the daemon.
 *
 * Entries are written before the act (an intent) and taken back when the act failed or was undone. This file
 * owns their form as lines of text (ledger_text.c) and as a table; where the lines are kept is for daemon/files/ledger_file.
 *
 *     topod-ledger 1
 *     = file /etc/topod/office.yaml
 *     + made link web web/eth0 link<TAB>up<TAB>mtu
 *     + found sysctl host host sysctl net.ipv4.ip_forward<TAB>path=…<TAB>value=0
 *     : web web/eth0 link<TAB>12<TAB>mtu=1400<TAB>up=true
 *     - web web/eth0 link
 *
 * `made`: by this topology. `shared`: a namespace that another topology made and this one adopts; whichever of them goes
 * last removes it. `found`: it was there, and only changed. The line with ':' follows that of the entry: where the
 * topology declares it (line, or FILE:LINE with the number of the drop-in) and how, for other topologies to read.
 *
 * The files that the topology is read from come first ("-" is standard input), the main one before its drop-ins; a
 * ledger of topod 0.1 names none. Fields are separated by tabs and in the order of the kind's table (any other is read as well); control characters,
 * '%' and tabs inside are written as %XX.
 */
#pragma once

#include "base/vec.h"
#include "model/state.h"

/* What a field was before topod changed it, or under which sign the object was made. */
struct ledger_former {
	struct ledger_former *next;
	uint8_t field; /* its place in the kind's table */
	char value[];
};

struct ledger_entry {
	const struct kind *kind;
	const char *ns;  /* the name of its struct ledger_ns */
	bool made;       /* topod made the object; else it was found and only changed */
	bool shared;     /* … another topology did, and this one goes on with it when that one goes */
	bool left;       /* a namespace that another topology goes on with: what is inside goes, and goes back, by itself */
	bool declared;   /* while returns are added: it is in the desired state */
	uint64_t fields; /* bit i: topod manages kind->fields[i] on the object */
	struct ledger_former *formers; /* of those for which there is one; else it is the kernel's default, or not known */
	bool told;                     /* the ledger says how the topology declares it; that of topod 0.1 does not */
	struct ledger_former *values;  /* so; none: not any more */
	struct position place;         /* where it does; line 0: not known */
	const struct object *declared_as; /* the desired object whose values these are; NULL: not compared yet */
	UT_hash_handle hh;
	char id[]; /* object_print_id(), unique in the topology */
};

/* The entries of one namespace, so that the work follows what is looked at. */
struct ledger_ns {
	char *name;
	struct ledger_entry *entries; /* by id, in the order of adding */
	UT_hash_handle hh;
};

/* Zeroed is empty. */
struct ledger {
	struct ledger_ns *namespaces;
	size_t n;          /* entries, of all namespaces: it is asked for after each pass */
	vec(char *) files; /* absolute paths of what it is made from, or "-"; none: not known */
};

struct ledger_ns *ledger_namespace(const struct ledger *ledger, const char *name);

struct ledger_entry *ledger_find(const struct ledger *ledger, const char *ns, const char *id);
struct ledger_entry *ledger_find_object(const struct ledger *ledger, const struct object *object);
/* The value that was noted for a field of the entry's kind, or NULL. */
const char *ledger_former(const struct ledger_entry *entry, size_t field);
/* The value that the topology declares for it, or NULL. */
const char *ledger_value(const struct ledger_entry *entry, size_t field);
/* The field of the entry's kind that answers to that one of another kind; -1. */
int ledger_counterpart(const struct ledger_entry *entry, const struct kind *kind, size_t field);
/* Has the object this value, as it was noted? */
bool ledger_is_value(const char *noted, const struct field *field, const struct object *object);

/* Notes that the fields in mask are managed on the object from now on, and what they were (observed; NULL where
 * that is not known). What is noted already stays: the first former value counts. KEY fields are noted with their
 * values on what was found, so that the object can be built again. Appends the line to out where anything
 * is new; returns whether it was. */
bool ledger_note(struct ledger *ledger, const struct object *desired, const struct object *observed, uint64_t mask,
		 bool made, struct text *out);

/* Notes what a setting is that the coming change of another changes as well, unless it is so by that one already and goes back
 * with it. */
void ledger_note_reached(struct ledger *ledger, const struct change *change, const struct object *seen, struct text *out);

/* Is it only noted for what another setting, which is still declared, made of it? Then it stays so. */
bool ledger_setting_rests(const struct state *desired, const struct ledger_entry *entry);

/* Are this object's values, of the fields in mask, in the entry, as those that the topology declares? */
bool ledger_is_declared(struct ledger_entry *entry, const struct object *desired, uint64_t mask);
/* Notes them in the object's entry, where it has one. Appends the line to out where they were others. */
void ledger_declare(struct ledger *ledger, const struct object *desired, uint64_t mask, struct text *out);
/* After the file was read again: nothing is known to be declared any more, and the places may be others. Returns whether
 * any is; no line is made of that. */
bool ledger_renew_places(struct ledger *ledger, const struct state *desired);

/* Notes a share in what another topology has noted: fields of the mask that the entry did not manage before were what
 * they had been when that one found them, and so was the object made when that one made it. */
void ledger_note_share(struct ledger *ledger, const struct object *desired, const struct object *observed, uint64_t mask,
		       const struct ledger_entry *other, struct text *out);

/* Notes what the kernel told of an object when it was made (FIELD_BIRTH), before it can be found by its name. */
void ledger_note_birth(struct ledger *ledger, const struct object *observed, struct text *out);
/* Does what was seen bear the sign under which it was made, or with which it came (its MAC address), though not the mark
 * yet? */
bool ledger_is_signed(const struct ledger_entry *entry, const struct object *observed);
/* The entry, of whatever name and namespace, under whose sign it was made; NULL. */
struct ledger_entry *ledger_find_signed(const struct ledger *ledger, const struct object *observed);
/* Is what was seen the very object that was noted? What topod made has its birth in the ledger before anybody can see
 * it: without, the making never came so far. */
bool ledger_is_same(const struct ledger_entry *entry, const struct object *observed);

/* Notes the index of a link that topod only finds, so that it is known under another name, too (ledger_renamed.c). Where the
 * kind has no such field nothing is noted. Returns whether a line was added. */
bool ledger_note_index(struct ledger *ledger, const struct object *link, const struct object *seen, struct text *out);
/* Does the entry of such a link tell nothing but that? */
bool ledger_is_only_place(const struct ledger_entry *entry);
/* Is something on the link noted, and `declared`? */
bool ledger_place_is_needed(const struct ledger *ledger, const struct ledger_entry *place);
/* The name that a link has by now which was noted under another one, which is not there any more; NULL. */
const char *ledger_renamed(const struct ledger_entry *entry, const struct ns_state *observed);
/* What is noted of the link and what is on it is so under its other name from now on. */
void ledger_rename(struct ledger *ledger, const char *ns, const char *from, const char *to, struct text *out);

/* Forgets fields that are no longer managed; the whole entry where none remain and the object was found. */
void ledger_forget_fields(struct ledger *ledger, const struct object *object, uint64_t mask, struct text *out);
void ledger_forget(struct ledger *ledger, const char *ns, const char *id, struct text *out);

/* The entry of the namespace itself, where topod made it; else NULL. */
const struct ledger_entry *ledger_made_namespace(const struct ledger_ns *noted);
/* Is this namespace, as it was seen, topod's own and to be kept: declared, and put right whatever becomes of it? */
bool ledger_keeps_namespace(const struct ledger *ledger, const struct state *desired, const struct object *seen);
/* Does it not go along with its namespace: a file outside, an interface that is given back? */
bool ledger_outlives_namespace(const struct ledger_entry *entry);

/* Reads lines. Later ones replace earlier ones. A damaged line (a crash in the middle of a write, a foreign hand)
 * is skipped and counted in *ret_damaged; 0, or -EINVAL where it is no ledger at all. */
int ledger_parse(struct ledger *ledger, const char *text, size_t size, size_t *ret_damaged);
/* The whole table as text, header included; the caller frees. */
char *ledger_format(const struct ledger *ledger);
/* The header alone, with which a new file begins. */
char *ledger_format_head(const struct ledger *ledger);

/* Notes which files the topology is made from (copied); returns whether they were others before. */
bool ledger_set_files(struct ledger *ledger, char *const *files, size_t n);

/* Is anything of that class declared in the namespace, or noted as made or changed there? */
bool ledger_concerns(const struct ledger *ledger, const struct state *desired, const char *ns, const struct class *class);

/* Adds to a desired state what must go back: fields that were managed and are no longer declared return to their
 * former or default value, also those of found objects that are no longer declared at all. Not in namespaces that are
 * unchanged. */
void ledger_add_returns(const struct ledger *ledger, struct state *desired);

void ledger_done(struct ledger *ledger);
