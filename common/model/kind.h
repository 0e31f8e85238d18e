/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kind of objects: its table of fields, and the few things that a table cannot say.
 *
 * Adding a kind takes one file in kind/ and one line in kind/kinds.h. The functions below are optional unless they say
 * otherwise; a NULL function means "nothing special".
 */
#pragma once

#include "model/class.h"
#include "model/object.h"

/* How the requests of a kind reach the kernel. */
enum transport {
	TRANSPORT_ROUTE,     /* rtnetlink, in the object's namespace */
	TRANSPORT_GENERIC,   /* generic netlink, the same, of the kind's family */
	TRANSPORT_NETFILTER, /* one nf_tables transaction */
	TRANSPORT_NETNS,     /* the namespace itself: /run/netns */
	TRANSPORT_SYSCTL,    /* /proc/sys in the namespace */
	TRANSPORT_TUN,       /* ioctls of /dev/net/tun, in the object's namespace, then rtnetlink */
	TRANSPORT_FILE,      /* a file in /etc/netns/NAME */
};

/* What encoding needs to look up; daemon/kernel answers. */
struct resolver {
	void *userdata;
	/* The index of a link; 0: it does not exist. */
	uint32_t (*ifindex)(void *userdata, const char *ns, const char *name);
	/* A descriptor of the namespace, which stays open during the batch, or -errno. */
	int (*netns_fd)(void *userdata, const char *ns);
	/* A free index for a new link in the namespace; 0: let the kernel choose. If a name is given, ifindex()
	 * knows it by that index from then on. */
	uint32_t (*new_ifindex)(void *userdata, const char *ns, const char *name);
	/* The index of the host's link with this MAC address, or 0. */
	uint32_t (*ifindex_by_mac)(void *userdata, const struct mac *mac);
};

struct encode {
	struct nl_writer *writer;
	const struct resolver *resolver;
	const char *topology;
	/* Set by the kind if it cannot encode: what is missing, in words; lives in arena. */
	const char *problem;
	struct arena *arena;
	uint16_t family; /* the number of the kind's generic netlink family */
	bool cleans_up;  /* set by the kind: its last message cleans up if an earlier one is refused, and may fail */
};

/* The index of a link that the object needs; 0, with encode->problem, if it does not exist. */
uint32_t encode_ifindex(struct encode *encode, const char *ns, const char *name);

/* What decoding needs. */
struct decode {
	struct arena *arena;
	const char *ns;
	const char *topology;
	bool address_marks; /* the kernel has IFA_PROTO (5.18) */
	bool skips_local;   /* ignore what the kernel itself puts into the table local */
	uint32_t now;       /* hundredths of a second since boot, as in the kernel's time stamps of objects */
	void *userdata;
	/* The name of a link in this namespace, or NULL. */
	const char *(*link_name)(void *userdata, uint32_t ifindex);
};

struct change;
struct meaning;
struct ns_state;
struct reading;
struct section;
struct state;

/* Something that exists only once (a VNI on a UDP port), or that only some objects may share (a macvlan's parent). */
struct sole_claim {
	const char *key;           /* equal for the same thing, in all namespaces */
	const struct field *field; /* the field that claims it */
	const char *problem;       /* the error if another object has it: "e0 is the source of two interfaces" */
	int error;                 /* the kernel's error for a thing that another object has; else 0 */
	bool shared;               /* others may also claim it, if their claims are shared too … */
	const char *as;            /* … and have the same value here; NULL: any */
};

/* Where packets for a network go. */
struct lead {
	struct prefix to;
	const char *dev; /* the link; NULL: the one that reaches the gateway */
	struct ip via;   /* the gateway; no family: none, or several */
	bool direct;     /* directly over the link, without a gateway */
};

/* Who receives the broadcasts of a link (common/meaning). */
enum segment_part {
	SEGMENT_ELSEWHERE, /* not known: the link was found rather than made, or is a tunnel */
	SEGMENT_TAGGED,    /* a separate Ethernet on its lower link (a VLAN) */
	SEGMENT_PAIR,      /* the other end of a pair */
	SEGMENT_PORTS,     /* all its ports, and everybody whom they reach */
	SEGMENT_LOWER,     /* everybody on its lower link */
};

/* A request that shows whether a kernel has something that an object needs. */
struct trial {
	/* The end of "this kernel has no …"; equal for the same thing; NULL: the object does not need it. */
	const char *what;
	const char *module;        /* the module that may have it, for modprobe(8); or NULL */
	const struct field *field; /* the field that needs it; NULL: the object as a whole */
};

/* The kernel's refusal of one message. */
struct refusal {
	const struct nlmsghdr *message;
	int error;        /* -errno */
	uint32_t offset;  /* of the attribute at fault, from the start of the message; 0: unknown */
	const char *text; /* or NULL */
};

struct kind {
	const char *name; /* the word in the language: "bridge"; "address" */
	const char *doc;  /* one sentence for the reference page; NULL: not a value of `kind` there */
	const struct class *class;
	enum transport transport;
	size_t size; /* size of the struct, which begins with struct object */
	const struct field *fields;
	size_t n_fields;           /* at most 64 */
	enum segment_part segment; /* links: who receives its broadcasts */
	const char *link_kind;     /* IFLA_INFO_KIND of a link, IFLA_INFO_SLAVE_KIND of a port, if the kernel has one */
	/* If several kinds have this link_kind: is it this one, judged by IFLA_INFO_DATA? */
	bool (*is_kind)(const struct nlattr *const *data);
	const struct kind *port_kind; /* a controller: the kind that describes its ports; NULL: has no ports */
	const struct kind *part_kind; /* a link: the kind of further parts of it, which its entry lists (peers); or NULL */
	unsigned max_ports;           /* a controller: how many ports it takes; 0: no limit */
	bool ports_join_down;         /* a controller that takes a port only while that is down, and brings it up */
	bool found;                   /* never made or deleted: only the declared fields are changed (existing) */
	bool no_mac;                  /* a link without an Ethernet address */
	bool whole_data;              /* a link whose driver resets the attributes of IFLA_INFO_DATA that a change omits */
	bool made_below;              /* a link that is made in its underlay's namespace, and then moved */
	bool unnamed;                 /* a link kind that is not a value of `kind` */
	bool any_kind;                /* can be compared with a link of any kind (existing, physical) */
	bool markable;                /* the kernel can carry topod's mark on it, see struct object.owned */
	uint64_t last;                /* mask of the fields that are set only after everything else is made */
	bool bare_create;             /* "creating" it only moves it here: all fields are set afterwards (physical) */
	bool takes_frames; /* takes all frames that its lower link, or its ports, receive (an rx_handler): there can be only
			      one on a link, and none on lo */

	/* A kind of ports or parts: the section of the link's entry in which they are listed, see model/section.h; else
	 * NULL. */
	const struct section *section;
	/* Checks an object that was read from an entry of a section, and fills in what the entry leaves out. False
	 * after an error. */
	bool (*finish)(struct parse *p, struct object *object, const struct node *entry);

	/* The namespace in which a change is sent, if it is not always the object's own. */
	const char *(*sent_in)(const struct change *change);
	/* The transport of a change, if it depends on the change (a tap is made by ioctl, and changed by rtnetlink).
	 * NULL: always `transport`. */
	enum transport (*transport_of)(const struct change *change);
	const char *family; /* the generic netlink family ("wireguard"), if changes use TRANSPORT_GENERIC */
	/* Writes the messages of one change. 0, or -errno with encode->problem. NULL: not sent by netlink. */
	int (*encode)(struct encode *encode, const struct change *change);
	/* The i-th thing that this desired object needs of the kernel and that not every kernel has, besides its kind of link:
	 * writes a request that is otherwise refused with -EOPNOTSUPP. It is sent in a namespace that has only lo; every
	 * name of a link stands for lo there. False: there are no more. */
	bool (*trial)(struct encode *encode, const struct object *desired, size_t i, struct trial *ret);
	/* Of what a kernel may lack parts that no single request shows: it is made on lo, in a namespace that has nothing else, and
	 * this is asked about each message that is refused. The end of "this kernel has no …", in arena, and a module that may have
	 * it; NULL: it is refused for another reason. */
	const char *(*lacking)(struct arena *arena, const struct refusal *refusal, const char **ret_module);
	/* Links: writes and reads the attributes of IFLA_INFO_DATA that several fields share (FORM_SHARED); data is indexed by
	 * attribute. Everything else is read before. */
	void (*put_data)(struct nl_writer *writer, const struct object *object);
	void (*get_data)(struct object *object, const struct nlattr *const *data);
	/* Called when the kernel has refused a change of this desired object: may replace change->error and change->text
	 * with a better reason, in arena. */
	void (*explain)(struct arena *arena, struct change *change);
	/* Prints what the object is: "address 10.0.0.11/24". NULL: the kind's name. */
	void (*noun)(const struct object *object, struct text *out);
	/* Prints the noun without parts that may change, for the ledger. NULL: the noun itself. */
	void (*id)(const struct object *object, struct text *out);
	/* Prints the object's parts, one per line, for `topod plan` (a table's rules). NULL: its fields say
	 * everything. */
	void (*lines)(const struct object *object, struct text *out);
	/* The same for a change: a line begins with "+ " if the part is new, with "- " if it goes, else with two spaces. */
	void (*diff)(const struct object *object, const struct object *before, struct text *out);
	/* The error if an object that is not topod's is in the way: "exists and …". NULL, or a NULL result: the usual text. */
	const char *(*if_in_the_way)(const struct object *observed);
	/* Advice for users who intend two objects of one identity: "; give one …". NULL: the kernel has only one. */
	const char *(*if_twice)(const struct object *object);
	/* Appends to the key what belongs to the identity besides the KEY fields. */
	void (*key)(const struct object *object, struct text *key);
	/* Removes from an observed object's identity what the kernel chose because the file leaves it out (the
	 * priority of a rule); false: nothing. The object must be sealed again. NULL: identities are always
	 * complete. */
	bool (*loosen)(struct object *observed);
	/* Must it be made after others of its kind (a route whose gateway another route reaches)? */
	bool (*goes_late)(const struct object *object);
	/* Does this desired object provide the address? *ret_later: only some time after its creation. */
	bool (*provides)(const struct object *object, const struct ip *ip, bool *ret_later);
	/* What a pending object waits for outside topod ("for a carrier", a string constant); NULL: it becomes
	 * usable by itself. `state` is the observed one. */
	const char *(*waits)(const struct object *observed, const struct state *state);
	/* Is it too early to make this desired object, which is absent or different? *ret_why: what it waits for outside
	 * topod, as in waits(); NULL: it only takes time, or follows from this plan. A NULL function: it can always be made. */
	bool (*comes_later)(const struct object *desired, const struct state *observed, const char **ret_why);
	/* The network that this desired object makes directly reachable on its link (an address); false: none. */
	bool (*reaches)(const struct object *object, struct prefix *ret);
	/* The address, with its length, that this desired object gives its link; false: none. */
	bool (*assigns)(const struct object *object, struct prefix *ret);
	/* Does this desired object need IPv6 on its link? */
	bool (*needs_ipv6)(const struct object *object);
	/* The network to which the kernel adds a route together with this desired object; false: none. */
	bool (*connects)(const struct object *object, struct prefix *ret);
	/* The foreign object that makes this observed one ineffective although it is as declared: "is hidden by route
	 * default via 10.0.0.9", in arena; NULL: none. *ret_in_its_place: the foreign one has the same identity, so an
	 * update would change it instead. */
	const char *(*hidden)(struct arena *arena, const struct object *observed, bool *ret_in_its_place);
	/* Can an object of the kind, of another identity, hide this desired one? */
	bool (*precedes)(const struct object *object, const struct object *desired);
	/* The fields that differ because the object should come before others of its kind and does not; 0: its order does
	 * not matter, or is right. observed: NULL if it is absent. */
	uint64_t (*out_of_order)(const struct object *desired, const struct object *observed);
	/* Must the object come after `first` if both exist? */
	bool (*comes_behind)(const struct object *object, const struct object *first);
	/* Does the kernel refuse the desired object while this other one, which should come after it, exists? */
	bool (*excludes)(const struct object *desired, const struct object *seen);
	/* Where this desired object sends packets (a route); false: it sends none. */
	bool (*leads)(const struct object *object, struct lead *ret);
	/* The i-th thing on which the object depends besides those that its fields name: a link (*ret_dev), or an address
	 * that some link has or reaches (*ret_ip: a gateway, a source). False: there are no more. */
	bool (*depends)(const struct object *object, size_t i, const char **ret_dev, const struct ip **ret_ip);
	/* What an observed object shows about its maker: "route protocol 186", in arena; or NULL. */
	const char *(*opponent)(struct arena *arena, const struct object *observed);
	/* Is this the link that the object moves in (physical)? */
	bool (*is_made_of)(const struct object *desired, const struct object *link);
	/* Records on the desired object the present name of that link, and the state in which to give it back: that of
	 * `noted`, from the ledger, or (NULL) the present one. */
	void (*take)(struct arena *arena, struct object *desired, const struct object *link, const struct object *noted);
	/* Is the link that was moved in, as recorded, still the declared one? seen: the link as observed now. */
	bool (*is_same_source)(const struct object *desired, const struct object *noted, const struct object *seen);
	/* Does it have the hardware address of its lower link (a macvlan alone on its parent) or of one of its ports, so
	 * that setting it would change theirs? Also asked of observed links. */
	bool (*shares_mac)(const struct object *desired);
	/* On a link whose kind has the same word here, the kernel makes this link on that link's own parent (a macvtap on a
	 * macvlan). */
	const char *same_parent;
	/* The source of what is read and heard besides the class's messages (a vxlan's forwarding table); NULL: nothing. */
	const struct source *source;
	/* Does the update of another object in the namespace, which changes a FIELD_OVERRUNS, also change this one
	 * (`all` changes the setting of each interface)? */
	bool (*overrun_by)(const struct object *object, const struct change *change);
	/* The value to which a field of this desired object goes back, if it is not field->fallback: a bridge's port returns
	 * to the VLAN that the bridge gives. In arena, as text; NULL: field->fallback applies. */
	const char *(*fallback)(struct arena *arena, const struct ns_state *desired, const struct object *object,
				size_t field);
	/* Called for each namespace when all sections were read, before defaults are filled in: a key of one object may
	 * affect others. */
	void (*settle)(struct reading *r, struct ns_state *ns);
	/* Reports what the kernel would refuse about a declared object, beyond the limits of single fields. All its fields
	 * are filled in. */
	void (*check)(struct reading *r, const struct ns_state *ns, const struct object *desired);
	/* The same for mistakes that involve several objects of a namespace. */
	void (*check_all)(struct reading *r, const struct ns_state *ns);
	/* Adds warnings for all objects of the kind: legal, but probably a mistake; see meaning/places.h. */
	void (*warn)(struct meaning *m);
	/* The same for one desired object of `ns`, if the warning depends on the kernel's state. False: the kernel's state
	 * does not matter for this object. seen NULL: only answer that. */
	bool (*warn_seen)(const struct object *desired, const struct ns_state *ns, const struct ns_state *seen,
			  struct diags *diags);
	/* A setting (below /proc/sys) that decides, unless the file declares it, whether this desired object deserves a
	 * warning; NULL: none. And the warning, for the kernel's value of the setting. */
	const char *(*asks)(const struct object *desired, const struct ns_state *ns);
	void (*warn_value)(const struct object *desired, const struct ns_state *ns, const char *value, struct diags *diags);
	/* Does this desired object make the host answer for others on a link's segment (proxy_arp)? *ret_dev: on which link;
	 * NULL: on all. */
	bool (*proxies)(const struct object *desired, const char **ret_dev);
	/* Would this field have the observed value if the file left it out? Only for cases beyond the field's `initial` and
	 * `fallback`. NULL: never. */
	bool (*is_usual)(const struct state *seen, const struct object *observed, size_t field);
	/* Must an export print fields exactly (type->exact), because nothing else in the entry removes the ambiguity? */
	bool (*needs_exact)(const struct object *observed);
	/* Why an export leaves this observed object out: a daemon maintains it ("protocol bird"), or it has properties that
	 * the language cannot express. In arena; NULL: it is exported, or the kernel makes it (kernel_made). */
	const char *(*left_out)(struct arena *arena, const struct object *observed);
	/* The link on which a router advertisement brought this observed object, or NULL. */
	const char *(*advertised)(const struct object *observed);
	/* The i-th thing that the object claims; false: there are no more. Texts live in the arena. */
	bool (*claim)(struct arena *arena, const struct object *desired, size_t i, struct sole_claim *ret);
	/* Does the kernel bring it up only while its lower link is up? */
	bool (*needs_lower_up)(const struct object *desired);
	/* How many bytes of the lower link's MTU its headers take. NULL: the two MTUs have nothing to do with each
	 * other. */
	uint32_t (*headroom)(const struct object *desired);
	/* Do these differing fields require a recreation although they are LIVE? */
	bool (*recreate)(const struct object *desired, const struct object *observed, uint64_t fields);
};

enum {
	/* Marks routes, addresses and rules as made by topod; not used by the kernel
	 * (include/uapi/linux/rtnetlink.h) or a known routing daemon. Registered in rt_protos.d. */
	TOPOD_PROTOCOL = 84,
};

/* Every kind, ended by NULL, in the order of kind/kinds.h. */
extern const struct kind *const kinds[];

/* The endings of keys whose values are secret, for struct source_text. */
extern const char *const kind_secret_keys[];

static inline bool kind_is_link(const struct kind *kind) {
	return kind->class == &class_link;
}

static inline bool kind_is_namespace(const struct kind *kind) {
	return kind->class == &class_netns;
}

static inline bool object_is_link(const struct object *object) {
	return kind_is_link(object->kind);
}

/* Is the object the namespace itself? */
static inline bool object_is_namespace(const struct object *object) {
	return kind_is_namespace(object->kind);
}

const struct kind *kind_by_name(const char *name, const struct class *class);
/* The kind with this link_kind, among links or ports, and for these attributes of a link (IFLA_INFO_DATA, indexed by
 * attribute); NULL: topod does not know it. */
const struct kind *kind_by_link_kind(const char *link_kind, const struct class *class, const struct nlattr *const *data);
/* The position of the field of this name; -1: there is none. */
int kind_field(const struct kind *kind, const char *name);
/* The fields that have one of these flags. */
uint64_t kind_flagged(const struct kind *kind, enum field_flags flags);
