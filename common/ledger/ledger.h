/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a topology has made, and what it found before it changed it: the memory that survives the daemon.
 *
 * The ledger makes three promises. (1) An entry is written before the act, as an intent, and taken back if the act failed:
 * after a crash topod knows everything that it may have made. (2) The first former value counts: a value from before topod
 * is never replaced by one that topod wrote. (3) Other topologies can read what this one declares, and where.
 *
 * This header has the table and its queries. It does not know where the text is kept (daemon/files/ledger_file) or what
 * follows from an entry (diff*.c). The files: ledger.c changes entries, ledger_text.c reads and writes the text,
 * ledger_returns.c adds what goes back to the desired state, ledger_settings.c knows about settings that change others, and
 * ledger_renamed.c about links that somebody renames.
 *
 *     topod-ledger 1
 *     = file /etc/topod/office.yaml
 *     + made veth    web    web/eth0 link    up    mtu
 *     + found sysctl    host    host sysctl net.ipv4.ip_forward    path=net/ipv4/ip_forward    value=0
 *     : web    web/eth0 link    12    mtu=1400    up=true
 *     - web    web/eth0 link
 *     ! host    host sysctl net.ipv6.conf.e0.stable_secret    value=2001:db8::1
 *
 * Four spaces stand for the tab between fields. `made`: this topology made the object. `found`: it existed, and topod
 * only changed it. `shared`: a namespace that another topology made and this one adopts; the last of them removes it. A
 * field without '=' has no former value: it goes back to the kernel's default. The ':' line follows the entry's line and
 * says, for other topologies, where the object is declared (LINE, or FILE:LINE with the number of the drop-in) and how.
 * '-' removes an entry. A later line for the same object replaces the earlier one, so changes are appended.
 *
 * A '!' line follows that of an entry with a secret (FIELD_SECRET) and says what the secret was before topod, so that it can
 * go back. These lines are in a separate file (daemon/files/ledger_file). A declared secret is never written; ':' lines say
 * "(hidden)".
 *
 * The '=' lines name the files from which the topology is read, the main file before its drop-ins ("-" is standard
 * input); a ledger of topod 0.1 has none. Fields are separated by tabs and written in the order of the kind's table,
 * but read in any order. Control characters, '%' and tabs inside a field are written as %XX.
 */
#pragma once

#include "base/vec.h"
#include "model/state.h"

/* The beginning of a line about a secret. */
#define LEDGER_SECRET "! "

/* The value of one field as text: what it was before topod changed it, what identifies the object (its MAC address, its
 * birth), or what the topology declares. */
struct ledger_former {
	struct ledger_former *next;
	uint8_t field; /* its position in the kind's table */
	char value[];
};

struct ledger_entry {
	const struct kind *kind;
	const char *ns;                /* the name of its struct ledger_ns */
	bool made;                     /* topod made the object; else it found and only changed it */
	bool shared;                   /* another topology made the namespace; this one keeps it when that one goes */
	bool left;                     /* a namespace that another topology keeps: topod removes what is inside one by one */
	bool declared;                 /* scratch space of ledger_add_returns() and diff_lost() */
	uint64_t fields;               /* bit i: topod manages kind->fields[i] on the object */
	struct ledger_former *formers; /* missing: the kernel's default, or not known */
	bool has_declaration; /* the ledger says how the topology declares the object (a ledger of topod 0.1 does not) */
	char *values;         /* the declared values, see ledger_private.h; none: it is no longer declared */
	size_t values_size;
	struct position place;            /* where it is declared; line 0: not known */
	const struct object *declared_as; /* the desired object whose values these are; NULL: not compared yet */
	UT_hash_handle hh;
	char id[]; /* object_print_id(), unique in the topology */
};

/* The entries of one namespace, so that a narrow scan costs no more than its namespace. */
struct ledger_ns {
	char *name;
	struct ledger_entry *entries; /* by id, in the order of adding */
	UT_hash_handle hh;
};

/* A zeroed ledger is empty. */
struct ledger {
	struct ledger_ns *namespaces;
	size_t n;          /* number of entries in all namespaces */
	vec(char *) files; /* absolute paths of the topology's files, or "-"; none: not known */
};

struct ledger_ns *ledger_namespace(const struct ledger *ledger, const char *name);

struct ledger_entry *ledger_find(const struct ledger *ledger, const char *ns, const char *id);
struct ledger_entry *ledger_find_object(const struct ledger *ledger, const struct object *object);
/* The recorded former value of a field of the entry's kind, or NULL. */
const char *ledger_former(const struct ledger_entry *entry, size_t field);
/* The declared value, or NULL. */
const char *ledger_value(const struct ledger_entry *entry, size_t field);
/* The position in the entry's kind of a field of another kind, by name; -1: it has none. */
int ledger_counterpart(const struct ledger_entry *entry, const struct kind *kind, size_t field);
/* Does the object have the recorded value? */
bool ledger_is_value(const char *noted, const struct field *field, const struct object *object);

/* Records that the fields in mask are managed from now on, and their former values (from observed; NULL: not known).
 * What is recorded already stays: the first former value counts. For found objects the KEY fields are recorded with
 * their values, so that the object can be built from the entry. Appends the entry's line to out if anything is new;
 * returns whether it was. */
bool ledger_note(struct ledger *ledger, const struct object *desired, const struct object *observed, uint64_t mask,
		 bool made, struct text *out);

/* Records the value of a setting that will change along with another one, unless its value is the effect of that other one,
 * which now takes it back. */
void ledger_note_reached(struct ledger *ledger, const struct change *change, const struct object *seen, struct text *out);

/* Is the setting recorded only because another one, still declared, changed it? Then it stays as it is. */
bool ledger_setting_rests(const struct state *desired, const struct ledger_entry *entry);

/* Are the object's values of the fields in mask recorded in the entry as the declared ones? */
bool ledger_is_declared(struct ledger_entry *entry, const struct object *desired, uint64_t mask);
/* Records them in the object's entry, if it has one. Appends the line to out if they differ. */
void ledger_declare(struct ledger *ledger, const struct object *desired, uint64_t mask, struct text *out);
/* Records an object that topod is about to make, or to make again where it was found, and how it is declared. */
void ledger_note_creation(struct ledger *ledger, const struct object *desired, bool made, struct text *out);
/* Records that this topology shares an object that another one has in its ledger. Fields of the mask that our entry did not
 * manage before get that topology's former values, and the object gets its birth. */
void ledger_note_share(struct ledger *ledger, const struct object *desired, const struct object *observed, uint64_t mask,
		       const struct ledger_entry *other, struct text *out);

/* Records what the kernel said about an object when it was made (FIELD_BIRTH), before it can be found by its name. */
void ledger_note_birth(struct ledger *ledger, const struct object *observed, struct text *out);
/* Records a namespace that was attached, with its birth and the link to it. If it is another one than before, entries for
 * objects that ended with the former one are forgotten. */
void ledger_note_attached(struct ledger *ledger, const struct object *observed, struct text *out);
/* The same for one that was adopted. If it had no record, the entries about its inside belong to this one. */
void ledger_note_adopted(struct ledger *ledger, const struct object *observed, struct text *out);
/* Records the fields in mask that topod has set and the kernel does not show (FIELD_LEDGER). Called after the change: if
 * topod crashes before this, they are set again. */
void ledger_note_set(struct ledger *ledger, const struct object *object, uint64_t fields, struct text *out);
/* Fills these fields of the observed objects in. */
void ledger_recall(const struct ledger *ledger, struct state *observed);
/* Is a MAC address recorded by which the object is recognised? */
bool ledger_has_sign(const struct ledger_entry *entry);
/* Does the observed object have the MAC address with which it was made or moved in (FIELD_SIGN)? It may still lack the
 * mark. */
bool ledger_is_signed(const struct ledger_entry *entry, const struct object *observed);
/* The entry, of any name and namespace, for which ledger_is_signed() is true; NULL: none. */
struct ledger_entry *ledger_find_signed(const struct ledger *ledger, const struct object *observed);
/* Is this the very object that was recorded, by its birth? The ledger gets the birth of an object before anybody else can
 * see the object, so an entry without a birth means that it was never completed. */
bool ledger_is_same(const struct ledger_entry *entry, const struct object *observed);

/* Records the index of a link that topod only found, to recognise it under another name (ledger_renamed.c). Does nothing for
 * kinds without such a field. Returns whether a line was appended. */
bool ledger_note_index(struct ledger *ledger, const struct object *link, const struct object *seen, struct text *out);
/* Does the entry of such a link contain nothing but the index? */
bool ledger_is_only_place(const struct ledger_entry *entry);
/* Does the ledger have a `declared` entry for something on the link? */
bool ledger_place_is_needed(const struct ledger *ledger, const struct ledger_entry *place);
/* The present name of a link whose recorded name no longer exists; NULL: it has not been renamed. */
const char *ledger_renamed(const struct ledger_entry *entry, const struct ns_state *observed);
/* Moves the entries of the link, and of everything on it, to its new name. */
void ledger_rename(struct ledger *ledger, const char *ns, const char *from, const char *to, struct text *out);

/* Forgets fields that are no longer managed; the whole entry if none remain and the object was found. */
void ledger_forget_fields(struct ledger *ledger, const struct object *object, uint64_t mask, struct text *out);
void ledger_forget(struct ledger *ledger, const char *ns, const char *id, struct text *out);

/* The entry of the namespace itself if topod made it; else NULL. noted NULL: nothing is recorded. */
const struct ledger_entry *ledger_made_namespace(const struct ledger_ns *noted);
/* The same if it was attached. */
const struct ledger_entry *ledger_attached_namespace(const struct ledger_ns *noted);
/* Is it the entry of a namespace that was only adopted? Once the namespace is no longer declared, the entry is useless. */
bool ledger_is_only_birth(const struct ledger_entry *entry);
/* Is the observed namespace topod's own, declared, and always to be repaired? */
bool ledger_keeps_namespace(const struct ledger *ledger, const struct state *desired, const struct object *seen);
/* Does the object survive its namespace (a file outside, an interface that is given back)? */
bool ledger_outlives_namespace(const struct ledger_entry *entry);

/* Reads lines; later ones replace earlier ones. A damaged line (after a crash during a write, or edited) is skipped
 * and counted in *ret_damaged. 0, or -EINVAL if the text is not a ledger. */
int ledger_parse(struct ledger *ledger, const char *text, size_t size, size_t *ret_damaged);
/* The whole ledger as text, header included; the caller frees. */
char *ledger_format(const struct ledger *ledger);
/* The header alone, for a new file; the caller frees. */
char *ledger_format_head(const struct ledger *ledger);

/* Records the files from which the topology is read (copied); returns whether they changed. */
bool ledger_set_files(struct ledger *ledger, char *const *files, size_t n);

/* Is anything of the class declared in the namespace, or in the ledger for it? Each may be NULL. */
bool ledger_concerns(const struct ledger_ns *noted, const struct ns_state *desired, const struct class *class);

/* Adds what must go back to a desired state: fields that are no longer declared return to their former or default value,
 * also on found objects that are no longer declared at all. Namespaces marked `unchanged` are skipped.
 * All declared values count as not compared, and the entries get the places where the file now declares the objects: returns
 * whether one of them changed; no line is written for that. */
bool ledger_add_returns(const struct ledger *ledger, struct state *desired);

/* Adds what the topology declares in a namespace of what is always there and only read if it is wanted: settings. */
void ledger_add_recorded(const struct ledger *ledger, const char *ns, struct state *wanted);

void ledger_done(struct ledger *ledger);
