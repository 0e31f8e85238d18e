/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One row of an object kind's table: a named, typed value at an offset, with what a change of it means and
 * where it stands in the kernel's messages.
 *
 * Parsing, comparing, printing, encoding, decoding, the schema and the reference page are all done from
 * these rows; a value type (integer, duration, address, …) is a small table of functions, and a kind may bring
 * its own.
 */
#pragma once

#include "yaml/diag.h"
#include "net/ip.h"
#include "net/nl_message.h"
#include "base/text.h"
#include "yaml/yaml.h"

struct class;
struct field;

/* What is needed while a value is read from the file. */
struct parse {
	struct arena *arena;
	struct diags *diags;
	const char *ns;                   /* the namespace in which the value stands, or NULL */
	const struct name_number *tables; /* names of routing tables, ended by a NULL name; or NULL */
};

struct name_number {
	const char *name;
	uint32_t number;
};

/* A type of values. All sizes are fixed; texts and lists live in an arena and are pointed to. */
struct type {
	const char *name; /* for messages and the schema: "integer" */
	size_t size;

	/* Reads node into *value. False where it is wrong: then an error was added. */
	bool (*parse)(struct parse *p, const struct field *field, const struct node *node, void *value);
	/* How a person writes it; must be readable by parse again. */
	void (*print)(const struct field *field, const void *value, struct text *out);
	/* The same where print leaves something to be understood (`default`, of which family?); else NULL. */
	void (*exact)(const struct field *field, const void *value, struct text *out);
	bool (*equal)(const void *a, const void *b);
	/* Writes the attribute; NULL for types that only the kind itself can encode. */
	void (*put)(struct nl_writer *w, const struct field *field, const void *value);
	/* Reads the attribute; false where it cannot be one. */
	bool (*get)(struct arena *arena, const struct field *field, const struct nlattr *attr, void *value);
	/* The i-th link that is named inside of the value; *ret NULL: that item names none. False: there are no more items. NULL
	 * for values without such. */
	bool (*names_link)(const void *value, size_t i, const char **ret);
	/* The key of the i-th object that is named inside of the value, where the field `needs` such (the members of a group).
	 * False: there are no more. NULL: the value itself is the key, and 0 names none. */
	bool (*names_key)(const void *value, size_t i, const void **ret_key, size_t *ret_size);
	const struct field *keys; /* of a list of mappings: their keys, for the schema; else NULL */
	size_t n_keys;
	const char *schema; /* JSON Schema of what may be written; NULL: a list of mappings with `keys`, or a text */
};

/* What a difference in a field asks for. */
enum field_class {
	FIELD_LIVE,     /* changed in place */
	FIELD_RECREATE, /* only by deleting and creating the object again */
	FIELD_KEY,      /* identity: another value is another object */
};

enum field_flags {
	FIELD_HIDDEN = 1 << 0,   /* not a key of the language: filled by topod itself */
	FIELD_AFTER = 1 << 1,    /* taken by the kernel only once the object exists */
	FIELD_REQUIRED = 1 << 2, /* must be written */
	FIELD_OPAQUE = 1 << 3,   /* too long to print: reports say only that it changed */
	FIELD_DEV = 1 << 4,      /* a link that the object needs: of the same namespace (char *), or any (struct link_ref) */
	FIELD_PEER = 1 << 5,     /* FIELD_DEV, but the two are made together */
	FIELD_LOWER = 1 << 16,   /* FIELD_DEV, and this link is made upon that one, and goes with it */
	FIELD_CONTROLLER = 1 << 17, /* FIELD_DEV, and that one has this link as its port */
	FIELD_ONCE = 1 << 6,        /* given to the kernel at creation and never read back */
	FIELD_SIGN = 1 << 10,       /* tells what topod made from what others made, until the mark is set */
	FIELD_BIRTH = 1 << 9,       /* told by the kernel when the object is made; with another value it is another object */
	FIELD_SOURCE = 1 << 8,      /* an address of the namespace (struct ip), which must be usable already */
	FIELD_AF_INET6 = 1 << 7,    /* stands in IFLA_AF_SPEC / AF_INET6 */
	FIELD_ONE_WAY = 1 << 12,    /* only ever made good: what it was before is no state to go back to */
	FIELD_IDENTITY = 1 << 11,   /* no FIELD_KEY, but the kind's key() is made of it */
	FIELD_USES = 1 << 14,       /* FIELD_DEV, and the file need not declare the link where others may have made it */
	FIELD_LEFT_OUT = 1 << 15,   /* the kernel leaves the attribute out where the value is zero or empty */
	FIELD_OVERRUNS = 1 << 18,   /* changing it may change objects of other kinds, too (kind->overrun_by()) */
	FIELD_BEFORE_UP = 1 << 13,  /* the kernel goes by it as soon as the link is up, and not again */
};

/* Where the value stands in a link message; other kinds use WIRE_ATTR or encode by themselves. */
enum field_wire {
	WIRE_NONE,      /* the kind encodes and decodes it, or nobody */
	WIRE_ATTR,      /* a top-level attribute */
	WIRE_IFF,       /* a bit of ifi_flags; attr is the bit */
	WIRE_IFF_NOT,   /* the same, inverted (IFF_NOARP) */
	WIRE_DATA,      /* in IFLA_LINKINFO / IFLA_INFO_DATA */
	WIRE_PORT,      /* in IFLA_LINKINFO / IFLA_INFO_SLAVE_DATA */
	WIRE_LINK,      /* struct link_ref: the index of a link as a top-level attribute */
	WIRE_DATA_LINK, /* the same in IFLA_INFO_DATA */
};

/* The form of a number in its attribute. */
enum field_form {
	FORM_U32,
	FORM_U16,
	FORM_U8,
	FORM_BE16,
	FORM_S32,
	FORM_FLAG, /* one bit of {flags, mask}, an attribute that several fields share (struct ifla_vlan_flags) */
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
	uint16_t attr6; /* addresses: the attribute of the IPv6 form, where it is another; else 0 */
	enum field_form form;
	uint32_t bit;      /* FORM_FLAG: which */
	uint32_t min, max; /* integers; max 0: no limit */
	uint32_t unit;     /* durations: how many of the stored unit make a second */
	const struct enum_name *names;
	const char *initial;       /* what topod sets where nothing is written, as text; NULL: nothing */
	const struct class *needs; /* an object of this class, with the value as its key, is needed; else NULL */
	const char *fallback;      /* the kernel's default as text, to which a field that is no longer declared
				       returns; NULL: none is known */
};

static inline void *field_of(const struct field *field, const void *base) {
	return (char *)(uintptr_t)base + field->offset;
}

/* uint32_t holds booleans, integers, enumerations and durations. */
extern const struct type type_bool, type_integer, type_enum, type_duration;
/* const char *, never NULL where set. */
extern const struct type type_text, type_link_name;
extern const struct type type_mac;      /* struct mac */
extern const struct type type_ip;       /* struct ip */
extern const struct type type_prefix;   /* struct prefix, host bits kept */
extern const struct type type_network;  /* struct prefix, host bits refused */
extern const struct type type_link_ref; /* struct link_ref */
extern const struct type type_table;    /* uint32_t, number or a name of rt_tables */

/* A link in this or another namespace. While a look at the kernel is decoded, only the numbers are known. */
struct link_ref {
	const char *ns, *name; /* NULL until resolved */
	int32_t netnsid;       /* as the namespace that was looked at numbers its peers; -1: the same namespace */
	uint32_t ifindex;
};

/* Reads the text value of a whole scalar: errors where it is a list, a mapping or null. NULL on error. */
const char *parse_scalar(struct parse *p, const struct field *field, const struct node *node);

/* Reports that the text is not a prefix, with the right spelling where it is one of other programs. */
void prefix_refuse(struct parse *p, const struct field *field, const struct node *node, const char *text,
		   const char *example);

/* 0 and the number, or -EINVAL/-ERANGE; decimal or 0x. */
int parse_u32(const char *text, uint32_t *ret);

/* Is it a name that the kernel takes for an interface (dev_valid_name() in net/core/dev.c)? On false, *ret_why
 * is the rest of a sentence: "is longer than 15 bytes". */
bool link_name_valid(const char *name, const char **ret_why);
/* Does a relative path lead to something below the folder that it starts in, as long as no links are in the way: is no
 * part of it empty, "." or ".."? */
bool path_stays_below(const char *path);
/* Likewise for a namespace or topology, which become file names. */
bool file_name_valid(const char *name, const char **ret_why);

/* Reads a value that topod itself wrote or knows, as the file's reader would; false where it cannot be one. */
bool field_from_text(struct arena *arena, const char *ns, const struct field *field, const char *text, void *base);

/* "as ip writes it": the value as text into out. */
void field_print(const struct field *field, const void *base, struct text *out);
bool field_equal(const struct field *field, const void *a, const void *b);

/* How a mapping is read by a table of fields. */
struct fields_parse {
	const char *what; /* the thing that has these keys, for messages: "an interface" */
	const struct field *fields;
	size_t n;
	bool may_be_empty; /* no key is required */

	/* Keys that are no fields, ended by NULL, or NULL. Their values go into `values` at the same index; a key that is not
	 * written leaves its element alone. */
	const char *const *others;
	const struct node **values;

	/* Where the values of the fields go. */
	void *base;                 /* what the fields' offsets count from */
	uint64_t *set;              /* gets the bits of the fields that were read */
	struct position *positions; /* n of them, or NULL: get the places of those */
};

/* False where something is wrong: an unknown key, a missing one, a wrong value. Then all of it was reported. */
bool fields_parse(struct parse *p, const struct node *mapping, const struct fields_parse *f);
