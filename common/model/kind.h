/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kind of objects: its table of fields, and the few things a table cannot say.
 *
 * Adding a kind is one file in the room kind/ and one line in kind/kinds.h.
 */
#pragma once

#include "model/class.h"
#include "model/object.h"

/* How the requests of a kind reach the kernel. */
enum transport {
	TRANSPORT_ROUTE,     /* rtnetlink, in the object's namespace */
	TRANSPORT_GENERIC,   /* generic netlink, likewise; of the kind's family */
	TRANSPORT_NETFILTER, /* one nf_tables transaction */
	TRANSPORT_NETNS,     /* the namespace itself: /run/netns */
	TRANSPORT_SYSCTL,    /* /proc/sys in the namespace */
	TRANSPORT_FILE,      /* a file below /etc/netns/NAME */
};

enum change_type {
	CHANGE_CREATE,
	CHANGE_UPDATE,
	CHANGE_DELETE,
};

/* One step of a plan and, later, what came of it. */
struct change {
	enum change_type type;
	const struct object *desired;  /* create, update */
	const struct object *observed; /* update, delete */
	uint64_t fields;               /* update: which; create: all that are set and not FIELD_AFTER */
	const struct object *former;   /* create: what topod had made there before and is lost, by its FIELD_BIRTH fields */
	bool recreates;                /* one half of a recreation */
	bool told;                     /* an update that is only told, and never made: others stand in the way by right */
	bool revives;                  /* one half of a recreation of what is as declared, and was given up by the kernel */
	const struct object *then;     /* deletion: the desired object that takes its place after the next look, or NULL */
	bool makes_room;               /* … of what only stands in the way of another, which is to come before it */
	bool completes;        /* an update with the FIELD_AFTER fields of a creation in this plan, or of what another change
					  of it overruns */
	struct change **needs; /* those without which this cannot be done; see plan_add_need() */
	unsigned n_needs;
	/* the result */
	bool done;                    /* it was tried (or given up because of one that it needs) */
	bool refused;                 /* the plan itself knows that it cannot be done */
	bool held;                    /* left alone for now */
	int error;                    /* 0 or -errno */
	bool noted;                   /* as something to be made, and the ledger did not know it before */
	bool unsure;                  /* it was sent and no answer was heard: it may have been done all the same */
	const struct change *blocked; /* given up because of this one */
	const struct field *culprit;  /* the field at fault, where the kernel told */
	/* The kernel's words, or NULL; in the plan's arena. Of a change that is refused or told they continue a sentence that
	 * begins with the object's noun: "exists and is not topod's". */
	const char *text;
	const char *moved;    /* creation: where the link stood that was deleted for it, or NULL; likewise */
	struct change *whole; /* this one tries a single field of that one, which failed */
};

/* What encoding may ask for; answers come from whoever talks to the kernel. */
struct resolver {
	void *userdata;
	/* The index of a link, 0 where there is none. */
	uint32_t (*ifindex)(void *userdata, const char *ns, const char *name);
	/* A descriptor of the namespace, which stays open during the batch; -errno. */
	int (*netns_fd)(void *userdata, const char *ns);
	/* An index that is free for a new link of that namespace; 0: let the kernel choose. The name, where one is given, is
	 * known by it from then on. */
	uint32_t (*new_ifindex)(void *userdata, const char *ns, const char *name);
	/* A link of the host namespace by its MAC address: its index, or 0. */
	uint32_t (*ifindex_by_mac)(void *userdata, const struct mac *mac);
};

struct encode {
	struct nl_writer *writer;
	const struct resolver *resolver;
	const char *topology;
	/* Set by the kind where it cannot encode: what is missing, in words; lives in arena. */
	const char *problem;
	struct arena *arena;
	uint16_t family; /* the number of the kind's family of generic netlink */
};

/* The index of a link that the object needs; 0 with encode->problem where there is none. */
uint32_t encode_ifindex(struct encode *encode, const char *ns, const char *name);

/* What decoding may ask for. */
struct decode {
	struct arena *arena;
	const char *ns;
	const char *topology;
	bool address_marks; /* the kernel has IFA_PROTO (5.18) */
	bool skips_local;   /* what the kernel itself puts into the table local is of no interest */
	uint32_t now;       /* in hundredths of a second since the boot, as the kernel tells times of objects */
	void *userdata;
	/* The name of a link of this namespace, or NULL. */
	const char *(*link_name)(void *userdata, uint32_t ifindex);
};

struct meaning;
struct ns_state;
struct reading;
struct section;
struct state;

/* Something of which there is only one (a VNI on a UDP port), or that only some may have together (a macvlan's parent). */
struct sole_claim {
	const char *key;           /* equal for the same thing, in all namespaces */
	const struct field *field; /* by which it is claimed */
	const char *problem;       /* the error where somebody else has it: "e0 is the source of two interfaces" */
	int error;                 /* of the kernel where it says no more than that: it means that somebody has it; else 0 */
	bool shared;               /* others may claim it, too, if they are shared as well … */
	const char *as;            /* … and claim it with this same value; NULL: none */
};

/* Where packets for a network go. */
struct lead {
	struct prefix to;
	const char *dev; /* the link; NULL: found by the gateway */
	struct ip via;   /* the gateway; of no family: none, or several */
	bool direct;     /* by the link, without a gateway */
};

/* Which hosts hear the broadcasts of a link (common/meaning). */
enum segment_part {
	SEGMENT_ELSEWHERE, /* nobody knows: it was found rather than made, or leads through a tunnel */
	SEGMENT_TAGGED,    /* others on an Ethernet, but not those of its lower link (a VLAN) */
	SEGMENT_PAIR,      /* the other end of a pair */
	SEGMENT_PORTS,     /* all its ports, and those on them */
	SEGMENT_LOWER,     /* all on its lower link */
};

struct kind {
	const char *name; /* the word of the language: "bridge"; "address" */
	const char *doc;  /* one sentence for the reference page; NULL: not a `kind` of its own there */
	const struct class *class;
	enum transport transport;
	size_t size; /* of the struct, which begins with struct object */
	const struct field *fields;
	size_t n_fields;           /* at most 64 */
	enum segment_part segment; /* of a link */
	const char *link_kind;     /* IFLA_INFO_KIND of a link, IFLA_INFO_SLAVE_KIND of a port, where the kernel has one */
	const struct kind *port_kind; /* a controller: what its ports may say of themselves there; NULL: has no ports */
	unsigned max_ports;           /* … and how many it takes; 0: no limit */
	bool found;                   /* never made nor deleted: only what the file says of it is changed (existing) */
	bool unnamed;                 /* a link kind that is not a value of `kind` */
	bool any_kind;                /* compares with a link of any kind (existing, physical) */
	bool markable;                /* the kernel carries topod's mark on it, see struct object.marked */
	uint64_t last;                /* fields (1 << position) that are set only after everything else was made */
	bool bare_create;             /* all fields are set after the creation (physical: it only moves) */
	bool takes_frames; /* gets what the link below, or its ports, receive before anybody else (an rx_handler): there can
				      be one such, and lo has none */

	/* A port kind: the key of its controller's entry under which ports are listed, see model/section.h; NULL. */
	const struct section *section;
	/* Checks an object that was read from an entry of a section, and fills in what the entry leaves out. False after an
	 * error. NULL: there is nothing to do. */
	bool (*finish)(struct parse *p, struct object *object, const struct node *entry);

	/* The namespace in which a change is sent (another than the object's for what is made elsewhere). NULL: the
	 * object's own. */
	const char *(*sent_in)(const struct change *change);
	/* How a change reaches the kernel, where that depends on the change (a tap is made by ioctl, and changed by rtnetlink).
	 * NULL: always by `transport`. */
	enum transport (*transport_of)(const struct change *change);
	const char *family; /* of generic netlink ("wireguard"), where some changes go by TRANSPORT_GENERIC */
	/* Writes the messages of one change. 0, or -errno with encode->problem. NULL: not by netlink. */
	int (*encode)(struct encode *encode, const struct change *change);
	/* "address 10.0.0.11/24". NULL: the kind's name. */
	void (*noun)(const struct object *object, struct text *out);
	/* The noun without what may change, for the ledger. NULL: the noun itself. */
	void (*id)(const struct object *object, struct text *out);
	/* Its parts, a line each, for people who ask for the plan (a table's rules). NULL: its fields say it all. */
	void (*lines)(const struct object *object, struct text *out);
	/* What to write where the kernel's own stands in the way: "exists and …". NULL, and where it gives NULL: as for any other. */
	const char *(*if_kernels)(const struct object *observed);
	/* What to write where two of one identity are meant: "; give one …". NULL: there is no such way. */
	const char *(*if_twice)(const struct object *object);
	/* The identity, where KEY fields alone do not say it; appended to key. */
	void (*key)(const struct object *object, struct text *key);
	/* Takes out of the identity of an observed object what the kernel chooses where the file leaves it out (the priority of a
	 * rule); false: there is no such. It is to be sealed again. NULL: identities are always complete. */
	bool (*loosen)(struct object *observed);
	/* Is it to be made after others of its kind (a route by a gateway that another route reaches)? */
	bool (*goes_late)(const struct object *object);
	/* Does this desired object provide the address? *ret_later: only some time after it was made. */
	bool (*provides)(const struct object *object, const struct ip *ip, bool *ret_later);
	/* For what of outside topod a pending object waits, in words ("for a carrier"); NULL: it becomes usable by itself. The
	 * state is what was seen. A string constant. */
	const char *(*waits)(const struct object *observed, const struct state *state);
	/* Can this desired object, which is not there, not be made yet? *ret_why: for what of outside topod it waits, as of waits();
	 * NULL: that comes by itself, or with this plan. NULL: it can always be made. */
	bool (*comes_later)(const struct object *desired, const struct state *observed, const char **ret_why);
	/* The network that a link reaches directly by this desired object (an address); false where it reaches none. */
	bool (*reaches)(const struct object *object, struct prefix *ret);
	/* The address that a link has by this desired object, with its length; false where it has none. */
	bool (*assigns)(const struct object *object, struct prefix *ret);
	/* Does this desired object need IPv6 on its link? NULL: no. */
	bool (*needs_ipv6)(const struct object *object);
	/* The network to which the kernel makes a route along with this desired object; false where it makes none. */
	bool (*connects)(const struct object *object, struct prefix *ret);
	/* What keeps an observed object of topod's from having an effect, though it is as declared: "is hidden by route default via
	 * 10.0.0.9", in arena; NULL: nothing. It is somebody else's and is left. */
	const char *(*hidden)(struct arena *arena, const struct object *observed);
	/* The field that says so, where this desired object is to come before others of its kind and does not (observed: what was
	 * seen of it, or NULL); 0. */
	uint64_t (*out_of_order)(const struct object *desired, const struct object *observed);
	/* Does the object come behind that one, where both are? */
	bool (*comes_behind)(const struct object *object, const struct object *first);
	/* Where packets go by this desired object (a route); false: it says nothing of that. */
	bool (*leads)(const struct object *object, struct lead *ret);
	/* The i-th thing on which it silently depends besides its links: a link (*ret_dev), or an address that some link
	 * reaches or has (*ret_ip; a gateway, a source). False: there are no more. */
	bool (*depends)(const struct object *object, size_t i, const char **ret_dev, const struct ip **ret_ip);
	/* What an observed object tells about who made it, or NULL: "route protocol 186". In arena. */
	const char *(*opponent)(struct arena *arena, const struct object *observed);
	/* Is it of this link that the object is made (physical)? */
	bool (*is_made_of)(const struct object *desired, const struct object *link);
	/* Notes on the desired object under which name that link is found, and how it is to be given back: as `noted` says, what
	 * the ledger has of it already, else (NULL) as it is now. */
	void (*take)(struct arena *arena, struct object *desired, const struct object *link, const struct object *noted);
	/* Is what was noted when it was taken still what is wanted? seen: what is there now. */
	bool (*is_same_source)(const struct object *desired, const struct object *noted, const struct object *seen);
	/* Has it the hardware address of the link below, so that to set it is to change that link's (a macvlan alone on its
	 * parent)? */
	bool (*shares_mac)(const struct object *desired);
	/* Upon a link whose kind has the same word here, the kernel makes it upon that one's parent (a macvtap upon a macvlan). */
	const char *same_parent;
	/* What is read of an object beside the message of its class (a vxlan's forwarding table), and heard; NULL: nothing. */
	const struct source *source;
	/* Does the update of another object of the namespace, of which it changes a FIELD_OVERRUNS, change this one as well (that of
	 * a setting of all interfaces the same of each)? */
	bool (*overrun_by)(const struct object *object, const struct change *change);
	/* Is called for each namespace once all sections were read, before what links leave out is filled in: what the file says
	 * of an object here may say something of others. */
	void (*settle)(struct reading *r, struct ns_state *ns);
	/* Adds what the kernel would refuse of a declared object, and no limit of a single field says; all its fields are
	 * filled in. */
	void (*check)(struct reading *r, const struct ns_state *ns, const struct object *desired);
	/* The same for what shows only across the objects of a namespace. */
	void (*check_all)(struct reading *r, const struct ns_state *ns);
	/* Warns of what is legal in the file but probably a mistake, of all objects of the kind; see meaning/places.h. */
	void (*warn)(struct meaning *m);
	/* The same of one desired object of `ns`, by what only the kernel shows. False: what is seen matters nothing to this object.
	 * seen NULL: just answers that. */
	bool (*warn_seen)(const struct object *desired, const struct ns_state *ns, const struct ns_state *seen,
			  struct diags *diags);
	/* Do others answer, by this desired object, for hosts behind them on the segment of a link (proxy_arp)? *ret_dev: of which
	 * link; NULL: of all. */
	bool (*proxies)(const struct object *desired, const char **ret_dev);
	/* The link by which this observed object came in a router advertisement, or NULL. */
	const char *(*advertised)(const struct object *observed);
	/* The i-th thing that the object claims; false: there are no more. Texts live in the arena. */
	bool (*claim)(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret);
	/* Does the kernel bring it up only while the link below is up? NULL: no. */
	bool (*needs_lower_up)(const struct object *desired);
	/* How many bytes of the MTU of the link below are not left for this one's: its outer headers. NULL: the two MTUs have
	 * nothing to do with each other. */
	uint32_t (*headroom)(const struct object *desired);
	/* Does this difference ask for a recreation although the field is LIVE? */
	bool (*recreate)(const struct object *desired, const struct object *observed, uint64_t fields);
};

enum {
	/* Marks routes, addresses and later rules as made by topod; in no list of the kernel's
	 * (include/uapi/linux/rtnetlink.h) or of a known routing daemon. Registered in rt_protos.d. */
	TOPOD_PROTOCOL = 84,
};

/* Every kind, ended by NULL, in the order of kind/kinds.h. */
extern const struct kind *const kinds[];

static inline bool kind_is_link(const struct kind *kind) {
	return kind->class == &class_link;
}

static inline bool kind_is_namespace(const struct kind *kind) {
	return kind->class == &class_netns;
}

static inline bool object_is_link(const struct object *object) {
	return kind_is_link(object->kind);
}

/* The namespace itself. */
static inline bool object_is_namespace(const struct object *object) {
	return kind_is_namespace(object->kind);
}

const struct kind *kind_by_name(const char *name, const struct class *class);
/* By link_kind, among links or ports; NULL for one that topod does not know. */
const struct kind *kind_by_link_kind(const char *link_kind, const struct class *class);
/* The index of a field of the kind, by name; -1. */
int kind_field(const struct kind *kind, const char *name);
