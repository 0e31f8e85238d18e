/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One row of a kind's table: a named, typed value at an offset, what a change of it means, and where it is in the
 * kernel's messages.
 *
 * Parsing, comparing, printing, encoding, decoding, the schema and the reference page all use these rows. A type of
 * values (integer, duration, address, …) is a small table of functions, and a kind may bring its own.
 */
#pragma once

#include "yaml/diag.h"
#include "net/ip.h"
#include "net/nl_message.h"
#include "base/text.h"
#include "yaml/yaml.h"

struct class;
struct field;
struct ns_state;

/* An alternative name that the file gives an interface. */
struct link_alias {
	const char *ns, *name, *alias;
};
struct link_aliases {
	size_t n;
	struct link_alias *items; /* sorted by aliases_sort() */
};
void aliases_sort(struct link_aliases *aliases);

/* The context for reading a value of the file. */
struct parse {
	struct arena *arena;
	struct diags *diags;
	const char *ns;                     /* the namespace that contains the value, or NULL */
	const struct ns_state *here;        /* … and what was read of it so far: its interfaces, before routes and rules */
	const struct link_aliases *aliases; /* other names that a value may use for an interface; or NULL */
	const struct name_number *tables;   /* names of routing tables, ended by a NULL name; or NULL */
	/* The number of a user or group of this machine, by name; false: there is none. NULL: names are not known. */
	bool (*find_account)(const char *name, bool group, uint32_t *ret);
	/* For a key that `what` ("an interface") does not have: where it belongs, as advice; NULL: nowhere. The hook may be
	 * NULL. */
	const char *(*elsewhere)(struct arena *arena, const char *key, const char *what);
};

struct name_number {
	const char *name;
	uint32_t number;
};

/* A type of values. All have a fixed size; texts and lists live in an arena and are pointed to. */
struct type {
	const char *name; /* for messages and the schema: "integer" */
	size_t size;

	/* Reads node into *value. False after an error was added. */
	bool (*parse)(struct parse *p, const struct field *field, const struct node *node, void *value);
	/* Prints the value as a user would write it; parse must be able to read it. */
	void (*print)(const struct field *field, const void *value, struct text *out);
	/* The same without ambiguity, if the printed value depends on the context (is `default` IPv4 or IPv6?); else
	 * NULL. */
	void (*exact)(const struct field *field, const void *value, struct text *out);
	/* NULL for values that are never compared alone (an entry's text). */
	bool (*equal)(const void *a, const void *b);
	/* Writes the attribute; NULL for types that only the kind itself can encode. */
	void (*put)(struct nl_writer *w, const struct field *field, const void *value);
	/* Reads the attribute; false if it is malformed. */
	bool (*get)(struct arena *arena, const struct field *field, const struct nlattr *attr, void *value);
	/* The i-th link named inside the value; *ret NULL: that item names none. False: there are no more items.
	 * NULL for values that name no links. */
	bool (*names_link)(const void *value, size_t i, const char **ret);
	/* The key of the i-th object named inside the value, if the field `needs` such objects (the members of a
	 * group). False: there are no more. NULL: the value itself is the key, and 0 names none. */
	bool (*names_key)(const void *value, size_t i, const void **ret_key, size_t *ret_size);
	const struct type *item_type; /* of a set (set.h); else NULL */
	const struct field *keys;     /* of a list of mappings: their keys, for the schema and for printing; else NULL */
	size_t n_keys;
	bool is_mapping; /* … not of a list, but of one mapping: the only `item` is the value itself */
	bool is_list;    /* a list without keys, which exact() prints in brackets */
	/* The i-th mapping of such a list, from which the offsets of keys count. *ret_set: the keys that cannot be left out.
	 * NULL: there are no more. */
	const void *(*item)(const void *value, size_t i, uint64_t *ret_set);
	const char *schema; /* JSON Schema of what may be written; NULL: a list of mappings with `keys`, or a text */
	bool words;         /* printed as words, each of which may also be an item of a list */
	bool is_key_file;   /* a struct key_file, whose content daemon/files/key_file.c reads */
};

/* What a difference in a field requires. */
enum field_class {
	FIELD_LIVE,     /* changed in place */
	FIELD_RECREATE, /* only by deleting and creating the object again */
	FIELD_KEY,      /* identity: another value is another object */
};

enum field_flags {
	FIELD_HIDDEN = 1 << 0,   /* not a key of the language: filled in by topod */
	FIELD_AFTER = 1 << 1,    /* can be set only once the object exists */
	FIELD_REQUIRED = 1 << 2, /* must be written */
	FIELD_OPAQUE = 1 << 3,   /* too long to print: reports say only that it changed */
	FIELD_DEV = 1 << 4,  /* a link that the object needs: in the same namespace (char *), or in any (struct link_ref) */
	FIELD_PEER = 1 << 5, /* FIELD_DEV, but both links are made together */
	FIELD_LOWER = 1 << 16, /* FIELD_DEV: this link is made on that one, and disappears with it */
	/* The namespace (type_underlay) in which this link is made, and with which it disappears. */
	FIELD_UNDERLAY = 1 << 19,
	FIELD_CONTROLLER = 1 << 17, /* FIELD_DEV: this link is a port of that one */
	FIELD_ONCE = 1 << 6,        /* used at creation and never read back */
	FIELD_SIGN = 1 << 10,       /* identifies what topod made until the mark is set */
	FIELD_BIRTH = 1 << 9,       /* reported by the kernel when the object is made; another value means another object */
	FIELD_SOURCE = 1 << 8,      /* an address in the namespace (struct ip) that must be usable first */
	FIELD_AF_INET6 = 1 << 7,    /* is inside IFLA_AF_SPEC / AF_INET6 */
	FIELD_ONE_WAY = 1 << 12,    /* only ever repaired: its former value is not restored */
	FIELD_IDENTITY = 1 << 11,   /* not FIELD_KEY, but used by the kind's key() */
	FIELD_USES = 1 << 14,       /* FIELD_DEV, but the file need not declare the link if others may have made it */
	FIELD_LEFT_OUT = 1 << 15,   /* the kernel omits the attribute if the value is zero or empty */
	FIELD_OVERRUNS = 1 << 18,   /* changing it may change other objects too (kind->overrun_by()) */
	FIELD_SECRET = 1 << 20,     /* a key or the like: its value is never shown, see FIELD_HIDDEN_VALUE */
	FIELD_MARK = 1 << 21,       /* says which topology made the object (struct object.owned) */
	FIELD_WHEN_DOWN = 1 << 22,  /* changes only while the link is down, so the link goes down for a moment */
	FIELD_LEDGER = 1 << 23,     /* the kernel does not show it: it is what topod set last, as the ledger says */
	FIELD_UNIQUE = 1 << 24,     /* FIELD_BIRTH whose value is never used again: if known, it alone decides */
	FIELD_BEFORE_UP = 1 << 13,  /* the kernel reads it only at the moment when the link comes up */
};

/* The value is not printed. */
enum { FIELD_UNPRINTED = FIELD_OPAQUE | FIELD_SECRET };

/* Shown instead of a FIELD_SECRET value, and recorded as its declared value (wg(8)'s word). */
#define FIELD_HIDDEN_VALUE "(hidden)"

/* Where the value is in a link message; other kinds use WIRE_ATTR or encode it themselves. */
enum field_wire {
	WIRE_NONE,      /* the kind encodes and decodes it, or it is not sent at all */
	WIRE_ATTR,      /* a top-level attribute */
	WIRE_IFF,       /* a bit of ifi_flags; attr is the bit */
	WIRE_IFF_NOT,   /* the same, inverted (IFF_NOARP) */
	WIRE_DATA,      /* in IFLA_LINKINFO / IFLA_INFO_DATA */
	WIRE_PORT,      /* in IFLA_LINKINFO / IFLA_INFO_SLAVE_DATA */
	WIRE_LINK,      /* struct link_ref: the index of a link as a top-level attribute */
	WIRE_DATA_LINK, /* the same in IFLA_INFO_DATA */
	WIRE_GENERIC,   /* in a separate request, by generic netlink: kind->family */
	WIRE_METRIC,    /* routes: in RTA_METRICS */
};

/* The form of a number in its attribute. */
enum field_form {
	FORM_U32,
	FORM_U16,
	FORM_U8,
	FORM_BE16,
	FORM_S32,
	FORM_U64,     /* rates */
	FORM_FLAG,    /* one bit of {flags, mask}, an attribute that several fields share (struct ifla_vlan_flags) */
	FORM_SHARED,  /* in attributes that several fields share in another way: see struct kind.put_data */
	FORM_PRESENT, /* a boolean: an empty attribute that is present or not */
};

struct enum_name {
	const char *name; /* NULL ends the list */
	uint32_t value;
};

struct field {
	const char *name; /* the key in the file */
	const struct type *type;
	const char *doc; /* one sentence for the reference page */
	size_t offset;
	enum field_class class;
	unsigned flags; /* enum field_flags */
	enum field_wire wire;
	uint16_t attr;
	uint16_t attr6; /* addresses: the attribute for IPv6, if it differs; else 0 */
	enum field_form form;
	uint32_t bit;      /* FORM_FLAG: which */
	uint32_t min, max; /* integers; max 0: no limit */
	uint32_t unit;     /* durations: stored units per second */
	bool bare_unit;    /* … a bare number is in stored units, not in seconds */
	/* The words of a type_enum or type_words; those that a type_integer accepts besides numbers. */
	const struct enum_name *names;
	const char *unless;        /* FIELD_REQUIRED: not required beside this key; or NULL */
	const char *initial;       /* the value that topod sets if the file has none, as text; NULL: none */
	const struct class *needs; /* the object needs another one of this class, whose key is the value; else NULL */
	const char *fallback;      /* the kernel's default as text, to which a field that is no longer declared
				       returns; NULL: none is known */
};

static inline void *field_of(const struct field *field, const void *base) {
	return (char *)(uintptr_t)base + field->offset;
}

/* uint32_t holds booleans, integers, enumerations and durations. */
extern const struct type type_bool, type_integer, type_enum, type_duration;
extern const struct type type_signed; /* uint32_t that holds an int32_t */
extern const struct type type_words;  /* uint32_t, a set of words: each name stands for one bit */
/* const char *, never NULL if set. */
extern const struct type type_text, type_link_name;
extern const struct type type_size;    /* uint32_t, in bytes */
extern const struct type type_percent; /* uint32_t, of 2^32 - 1 */
/* uint64_t, in bytes per second; 0, written "none" where that is the fallback: no limit. */
extern const struct type type_rate;
extern const struct type type_mac;      /* struct mac, of one interface */
extern const struct type type_any_mac;  /* struct mac, also of groups and 00:00:00:00:00:00 */
extern const struct type type_ip;       /* struct ip */
extern const struct type type_prefix;   /* struct prefix, host bits kept */
extern const struct type type_network;  /* struct prefix, host bits refused */
extern const struct type type_link_ref; /* struct link_ref */
extern const struct type type_underlay; /* struct link_ref, of which only `ns` counts; NULL: the link's own namespace */
extern const struct type type_table;    /* uint32_t, number or a name of rt_tables */
extern const struct type type_fwmark;   /* struct fwmark */

/* The mark of packets: those bits of it that are in the mask. */
struct fwmark {
	uint32_t value, mask;
};

/* A key of 32 bytes in a separate file, in base64, as wg(8) has it. The topology only contains the path. */
enum { KEY_SIZE = 32, KEY_TEXT_SIZE = 44 };
struct key {
	uint8_t bytes[KEY_SIZE];
};
struct key_file {
	struct key key;   /* all zeros: none */
	const char *path; /* as declared; NULL: observed */
};
/* "kXv…=" in wg(8)'s form, with exactly 32 bytes; false if it is anything else. */
bool key_from_text(const char *text, struct key *ret);
void key_to_text(const struct key *key, struct text *out);
bool key_is_zero(const struct key *key);

extern const struct type type_private_key_file, type_preshared_key_file; /* struct key_file */
extern const struct type type_public_key;                                /* struct key */

/* A link in this or another namespace. While a scan is being decoded, only the numbers are known. */
struct link_ref {
	const char *ns, *name; /* NULL until resolved */
	int32_t netnsid;       /* the id of the other namespace in the scanned one; -1: the same namespace */
	uint32_t ifindex;
};

/* The text of a scalar; NULL after an error if the node is a list, a mapping or null. */
const char *parse_scalar(struct parse *p, const struct field *field, const struct node *node);

/* The interface's own name, if the file gives it this one as an alternative; else the name itself. */
const char *parse_real_name(const struct parse *p, const char *ns, const char *name);

/* Reports that the text is not a prefix, and suggests the right spelling if it is in another program's notation. */
void prefix_refuse(struct parse *p, const struct field *field, const struct node *node, const char *text,
		   const char *example);
/* Is it a network? False after an error if it has host bits. */
bool prefix_check_network(struct parse *p, const struct node *node, const char *text, const struct prefix *prefix);

/* 0 and the number, or -EINVAL/-ERANGE; decimal or 0x. */
int parse_u32(const char *text, uint32_t *ret);

/* IFNAMSIZ and ALTIFNAMSIZ, linux/if.h, without the terminating zero */
enum { LINK_NAME_MAX = 15, ALTERNATIVE_NAME_MAX = 127 };

/* Does the kernel accept the name for an interface (dev_valid_name() in net/core/dev.c)? If not, *ret_why is the
 * rest of a sentence: "is longer than 15 bytes". */
bool link_name_valid(const char *name, const char **ret_why);
/* The same for an alternative name, which may be longer. */
bool alternative_name_valid(const char *name, const char **ret_why);
/* False after an error if a name of the file contains a range (h[1-20]) where none is allowed; allowed ones were written out
 * before (room expand). A name that topod itself printed may contain brackets. */
bool parse_no_range(struct parse *p, const struct node *node, const char *name);
/* Does a relative path stay inside its directory (symbolic links aside): is no component empty, "." or ".."? */
bool path_stays_below(const char *path);
/* The same as link_name_valid() for a namespace or topology, which become file names. */
bool file_name_valid(const char *name, const char **ret_why);

/* Reads a value that topod itself has printed (field_print(), or exact()); false if it is not valid. */
bool field_from_text(struct arena *arena, const char *ns, const struct field *field, const char *text, void *base);

/* Prints the value as a user would write it. */
void field_print(const struct field *field, const void *base, struct text *out);
bool field_equal(const struct field *field, const void *a, const void *b);

/* Prints the value as field_from_text() reads it, without ambiguity: lists and mappings in YAML's flow style. */
void field_print_exact(const struct field *field, const void *base, struct text *out);

/* The arguments of fields_parse(). */
struct fields_parse {
	const char *what; /* what has these keys, for messages: "an interface" */
	const struct field *fields;
	size_t n;
	bool may_be_empty; /* no key is required */

	/* Keys that are not fields, ended by NULL, or NULL. Their values are stored in `values` at the same index;
	 * the element of an absent key is not touched. */
	const char *const *others;
	const struct node **values;

	/* Where the values of the fields go. */
	void *base;                 /* what the fields' offsets count from */
	uint64_t *set;              /* the bits of the fields that were read are set */
	struct position *positions; /* n of them, or NULL: the positions of these fields */
};

/* False after errors were added: unknown keys, missing keys, wrong values. An unknown key that resembles a known one is read
 * as that one, so that no further errors follow from it. */
bool fields_parse(struct parse *p, const struct node *mapping, const struct fields_parse *f);
bool fields_has_key(const struct fields_parse *f, const char *name);
/* Reports a key that is not one of these. If it is clear which one is meant, and the mapping lacks that one, returns true
 * and the corrected pair. */
bool fields_mend_key(struct parse *p, const struct fields_parse *f, const struct node *mapping, const struct node_pair *pair,
		     struct node_pair *ret);
