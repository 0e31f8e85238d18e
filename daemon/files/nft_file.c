/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file is loaded into a namespace that nothing else uses, and the result is read back from the kernel. So the content is
 * later compared with the same kernel's report about the topology's table; and libnftables, which checks and translates, is
 * not trusted with anything (nft_library.h).
 *
 * Before, all files are read here: they must be as trustworthy as the topology's own (path_trust.h), an `include` must stay below
 * the directory of the file, and libnftables' messages are shown with the lines that they are about.
 */
#include "files/nft_file.h"

#include <fcntl.h>
#include <glob.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "files/nft_library.h"
#include "files/path_trust.h"
#include "files/text_file.h"
#include "kind/ruleset.h"

#define SCRATCH_TABLE "topod"

enum {
	FILE_MAX = 4 * 1024 * 1024, /* of one file */
	FILES_MAX = 64,             /* of one namespace; libnftables' own limit of nesting is 16 */
	ANSWER_SIZE = 64 * 1024,
	WAIT_SECONDS = 10,
};

struct nft_load {
	struct loaded_spec *loaded;
	struct ruleset *ruleset;
	unsigned flags;
	struct position position; /* of the key `nft` */
	char *directory;          /* of the file, with a slash at its end */
	size_t first_source;      /* the first of its files among the diagnostics' sources */
	bool names_table;         /* the file has `table`, not only the content of one */
};

static void nft_load_done(struct nft_load *l) {
	free(l->directory);
}

/* The length of the directory in front of the names of its files. */
static size_t prefix_size(const struct nft_load *l) {
	return streq(l->directory, "./") ? 0 : strlen(l->directory);
}

static struct diags *diags_of(const struct nft_load *l) {
	return &l->loaded->diags;
}

static void _printf_(2, 3) refuse(const struct nft_load *l, const char *format, ...) {
	va_list args;

	va_start(args, format);
	diag_verror(diags_of(l), l->position, format, args);
	va_end(args);
}

/* ---- the files, before libnftables reads them ---- */

static void check_trust(const struct nft_load *l, const char *path, int fd, const struct stat *st) {
	_cleanup_free_ char *where = NULL;
	uid_t owner = l->loaded->owner;

	if (!(l->flags & SPEC_FILE_TRUSTED))
		return;
	if (path_trust_is_open(st, owner))
		refuse(l, "others may write to %s; remove that permission (chmod go-w), or use --insecure-permissions",
		       path);
	else if (path_trust_check(path, fd, owner, &where) == -EPERM)
		refuse(l, "others may write to %s, which leads to %s; remove that permission (chown, chmod go-w)",
		       where ? where : "a directory", path);
}

/* The text, which then belongs to the topology's files; NULL after an error. position: where the file is named. */
static const char *read_text(const struct nft_load *l, const char *name, struct position position) {
	_cleanup_free_ char *path = xasprintf("%.*s%s", (int)prefix_size(l), l->directory, name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int error = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		diag_error(diags_of(l), position, "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		diag_error(diags_of(l), position, "%s is %s", path,
			   S_ISREG(st.st_mode) ? "larger than 4 MiB" : "not a regular file");
		return NULL;
	}
	check_trust(l, path, fd, &st);
	const char *text = text_file_read(&l->loaded->spec.state.arena, fd, FILE_MAX, &error);
	if (!text) {
		diag_error(diags_of(l), position, "cannot read %s: %s", path, strerror(-error));
		return NULL;
	}
	diags_add_source(diags_of(l), (struct source_text){ .name = arena_strdup(&l->loaded->spec.state.arena, path),
							    .text = text,
							    .size = strlen(text) });
	return text;
}

static bool scan_file(struct nft_load *l, const char *name, struct position position);

/* An `include` with a path that stays below the directory; it may be a pattern. */
static bool scan_include(struct nft_load *l, const char *path, size_t size, struct position position) {
	_cleanup_free_ char *written = xasprintf("%.*s", (int)size, path), *pattern = NULL;
	const char *rest = startswith(written, "./"), *name = rest ? rest : written;
	glob_t found = {};
	bool good = true;

	if (!path_stays_below(name)) {
		diag_error(diags_of(l), position,
			   "a file that is included must be below %s, the directory of '%s'; '%s' may lead elsewhere",
			   l->directory, l->ruleset->file.path, name);
		return false;
	}
	if (!strpbrk(name, "*?["))
		return scan_file(l, name, position);
	pattern = xasprintf("%.*s%s", (int)prefix_size(l), l->directory, name);
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			good &= scan_file(l, found.gl_pathv[i] + prefix_size(l), position);
	globfree(&found);
	return good;
}

/* Just enough of nft's grammar: comments, strings, braces and words. */
struct scan {
	struct nft_load *load;
	const char *at, *line;
	struct position here, opened; /* opened: the outermost brace that is open */
	unsigned depth;
};

static bool scan_refuses(const struct scan *s, struct position position, const char *text) {
	diag_error(diags_of(s->load), position, "%s", text);
	return false;
}

static bool is_word(const char *word, size_t size, const char *which) {
	return size == strlen(which) && strncmp(word, which, size) == 0;
}

static bool scan_word(struct scan *s, size_t size) {
	const char *word = s->at, *path;

	s->at += size;
	s->here.width = (uint8_t)MIN(size, (size_t)UINT8_MAX);
	if (!s->depth && is_word(word, size, "table"))
		s->load->names_table = true;
	if (s->depth <= 1 && is_word(word, size, "flowtable"))
		return scan_refuses(s, s->here,
				    "a flowtable refers to interfaces that may be replaced later; topod does not support "
				    "it");
	path = s->at + strspn(s->at, " \t");
	if (!is_word(word, size, "include") || *path++ != '"')
		return true;
	size = strcspn(path, "\"\n");
	s->at = path + size + (path[size] == '"');
	return scan_include(s->load, path, size, s->here);
}

static bool scan_sign(struct scan *s) {
	s->here.width = 1;
	switch (*s->at++) {
	case '#':
		s->at += strcspn(s->at, "\n");
		return true;
	case '"':
		s->at += strcspn(s->at, "\"\n");
		s->at += *s->at == '"';
		return true;
	case '\n':
		s->here.line++;
		s->line = s->at;
		return true;
	case '{':
		s->opened = s->depth++ ? s->opened : s->here;
		return true;
	case '}':
		return s->depth-- || scan_refuses(s, s->here, "this brace closes nothing");
	}
	return true;
}

static bool scan_text(struct nft_load *l, const char *text, uint8_t source) {
	struct scan s = { .load = l, .at = text, .line = text, .here = { .line = 1, .source = source } };

	while (*s.at) {
		size_t size = strspn(s.at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/");

		s.here.column = (uint16_t)MIN(s.at - s.line + 1, UINT16_MAX);
		if (!(size ? scan_word(&s, size) : scan_sign(&s)))
			return false;
	}
	return !s.depth || scan_refuses(&s, s.opened, "this brace is not closed");
}

static bool scan_file(struct nft_load *l, const char *name, struct position position) {
	size_t source = diags_of(l)->sources.n;
	const char *text;

	if (source - l->first_source >= FILES_MAX || source >= UINT8_MAX) {
		diag_error(diags_of(l), position, "too many files; does '%s' include itself?", name);
		return false;
	}
	text = read_text(l, name, position);
	return text && scan_text(l, text, (uint8_t)source);
}

/* ---- libnftables' messages ---- */

/* "./rules.nft:12:24-30: Error: syntax error": the source of that name, UINT8_MAX if there is none. */
static uint8_t find_source(const struct nft_load *l, const char *name, size_t size) {
	if (size > 2 && strncmp(name, "./", 2) == 0)
		name += 2, size -= 2;
	for (size_t i = l->first_source; i < diags_of(l)->sources.n; i++) {
		const char *own = diags_of(l)->sources.items[i].name + prefix_size(l);

		if (strlen(own) == size && strncmp(own, name, size) == 0)
			return (uint8_t)i;
	}
	return UINT8_MAX;
}

/* The position at the beginning of the line; false: there is none. */
static bool read_place(const struct nft_load *l, const char *line, const char *end, struct position *ret) {
	const char *colon = memchr(line, ':', (size_t)(end - line));
	unsigned number, column, last;

	if (!colon || sscanf(colon, ":%u:%u-%u:", &number, &column, &last) != 3)
		return false;
	*ret = (struct position){ .line = number,
				  .column = (uint16_t)MIN(column, UINT16_MAX),
				  .width = (uint8_t)MIN(last - column + 1, UINT8_MAX),
				  .source = find_source(l, line, (size_t)(colon - line)) };
	return ret->source != UINT8_MAX;
}

static const char *advice_for(const struct nft_load *l, const char *message) {
	if (strstr(message, "Interface does not exist"))
		return "; write iifname or oifname: the number may belong to another interface later";
	if (strstr(message, "unexpected chain") && l->names_table)
		return "; the file has a table, so everything must be inside it";
	return "";
}

/* Leaves out the lines of the file that libnftables shows: the diagnostic shows them itself. */
static void say_refused(const struct nft_load *l, const char *text) {
	size_t before = diags_of(l)->n_errors;
	const char *unplaced = NULL;
	size_t unplaced_size = 0;

	for (const char *line = text, *end; *line; line = end + (*end == '\n')) {
		struct position position;
		end = line + strcspn(line, "\n");
		const char *word = memmem(line, (size_t)(end - line), "Error: ", 7);

		if (!word)
			continue;
		_cleanup_free_ char *message = xasprintf("%.*s", (int)(end - word - 7), word + 7);
		if (read_place(l, line, word, &position))
			diag_error(diags_of(l), position, "%s%s", message, advice_for(l, message));
		else if (!unplaced)
			unplaced = word + 7, unplaced_size = strlen(message);
	}
	if (diags_of(l)->n_errors == before)
		refuse(l, "nft does not accept %s: %.*s", l->ruleset->file.path, unplaced ? (int)unplaced_size : 80,
		       unplaced ? unplaced : text);
}

/* ---- reading back from the kernel ---- */

struct answers {
	struct arena *arena;
	vec(const struct nlmsghdr *) list;
};

static struct nlmsghdr *request(char *buffer, uint16_t type) {
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header = mnl_nlmsg_put_extra_header(nlh, sizeof(*header));
	header->nfgen_family = NFPROTO_UNSPEC;
	return nlh;
}

/* Adds the answers. 0 or -errno. */
static int dump(int fd, struct nlmsghdr *nlh, struct answers *answers) {
	_cleanup_free_ char *buffer = xmalloc(ANSWER_SIZE);
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;

	if (sendto(fd, nlh, nlh->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	while ((n = recv(fd, buffer, ANSWER_SIZE, 0)) > 0)
		for (const struct nlmsghdr *h = NULL; (h = nl_next(buffer, (size_t)n, h));) {
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error;
			vec_push(&answers->list, arena_memdup(answers->arena, h, h->nlmsg_len));
		}
	return n < 0 ? -errno : -EIO;
}

static const char *text_of(const struct nlmsghdr *nlh, uint16_t type) {
	const struct nlattr *tb[16];

	nl_parse(nlh, sizeof(struct nfgenmsg), tb, ARRAY_SIZE(tb) - 1);
	return nl_get_text(tb[type]);
}

/* The file must have made one table. */
static bool check_tables(const struct nft_load *l, const struct answers *tables) {
	if (tables->list.n != 1) {
		refuse(l,
		       "%s has %zu tables; it may have one, of family inet, whose content is put into the topology's own table",
		       l->ruleset->file.path, tables->list.n);
		return false;
	}
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(tables->list.items[0]);
	if (header->nfgen_family == NFPROTO_INET)
		return true;
	refuse(l, "the table in %s is of another family than inet; one of family inet may have rules for both IPv4 and IPv6",
	       l->ruleset->file.path);
	return false;
}

/* Chains, objects, sets and their elements before the rules that use them. */
static int dump_all(int fd, const char *table, struct answers *all) {
	static const uint16_t before[] = { NFT_MSG_GETFLOWTABLE, NFT_MSG_GETCHAIN, NFT_MSG_GETOBJ, NFT_MSG_GETSET };
	char buffer[512];
	size_t first = 0, end;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		first = all->list.n;
		r = dump(fd, request(buffer, before[i]), all);
		if (r < 0)
			return r;
	}
	end = all->list.n;
	for (size_t i = first; i < end; i++) {
		struct nlmsghdr *nlh = request(buffer, NFT_MSG_GETSETELEM);

		((struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->nfgen_family = NFPROTO_INET;
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, table);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, text_of(all->list.items[i], NFTA_SET_NAME));
		r = dump(fd, nlh, all);
		if (r < 0)
			return r;
	}
	return dump(fd, request(buffer, NFT_MSG_GETRULE), all);
}

static void take_messages(struct loaded_spec *loaded, struct ruleset *ruleset, const struct nlmsghdr *const *messages,
			  size_t n) {
	const char *problem;

	if (!ruleset_take_file(&loaded->spec.state.arena, ruleset, messages, n, &problem))
		diag_error(&loaded->diags, ruleset->file.position, "%s %s", ruleset->file.path, problem);
}

static void take_over(const struct nft_load *l, int fd) {
	struct arena *arena = &l->loaded->spec.state.arena;
	struct answers tables = { .arena = arena }, all = { .arena = arena };
	struct timeval limit = { .tv_sec = WAIT_SECONDS };
	char buffer[256];
	int r;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	r = dump(fd, request(buffer, NFT_MSG_GETTABLE), &tables);
	if (r == 0 && check_tables(l, &tables)) {
		r = dump_all(fd, text_of(tables.list.items[0], NFTA_TABLE_NAME), &all);
		if (r == 0)
			take_messages(l->loaded, l->ruleset,
				      arena_memdup(arena, all.list.items, all.list.n * sizeof(all.list.items[0])),
				      all.list.n);
	}
	if (r < 0)
		refuse(l, "cannot read back the content of %s: %s", l->ruleset->file.path, strerror(-r));
	vec_done(&tables.list);
	vec_done(&all.list);
}

/* ---- one file ---- */

/* An error only for verbs that change the machine: the file may be right. */
static void cannot(const struct nft_load *l, const char *what, const char *why) {
	(l->flags & SPEC_FILE_TRUSTED ? diag_error : diag_warning)(diags_of(l), l->position, "%s is not checked: %s%s",
								   l->ruleset->file.path, what, why);
}

static void load(struct nft_load *l, const char *name) {
	_cleanup_text_ struct text text = {};
	_cleanup_close_ int fd = -1;

	switch (nft_library_load(l->directory, name, l->names_table ? NULL : SCRATCH_TABLE, &text, &fd)) {
	case NFT_LOADED:
		take_over(l, fd);
		return;
	case NFT_REFUSED:
		say_refused(l, text_str(&text));
		return;
	case NFT_NO_LIBRARY:
		cannot(l, "libnftables is not installed (Debian: libnftables1, Fedora: nftables)", "");
		return;
	case NFT_NO_NAMESPACE:
		cannot(l, "a network namespace to try it in cannot be made: ", text_str(&text));
		return;
	case NFT_CRASHED:
		refuse(l, "libnftables failed when it read %s: %s", l->ruleset->file.path, text_str(&text));
		return;
	}
}

/* The path is relative to the directory of the file in which it is written. */
static void load_file(struct loaded_spec *loaded, struct ruleset *ruleset, unsigned flags) {
	_cleanup_(nft_load_done) struct nft_load l = { .loaded = loaded,
						       .ruleset = ruleset,
						       .flags = flags,
						       .position = ruleset->file.position,
						       .first_source = loaded->diags.sources.n };
	const char *path = ruleset->file.path, *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *from = loaded->files.items[l.position.source].name, *end = strrchr(from, '/');
	_cleanup_free_ char *base = *path == '/' || !end ? xstrdup("") : xasprintf("%.*s/", (int)(end - from), from);
	size_t errors = loaded->diags.n_errors;

	l.position.origin = 0; /* the file's mistakes concern all namespaces that name it */
	l.directory = slash || *base ? xasprintf("%s%.*s", base, slash ? (int)(slash - path) + 1 : 0, path) : xstrdup("./");
	if (strpbrk(name, "\"*?[\n")) {
		refuse(&l, "the name of a file for 'nft' cannot contain '\"', '*', '?' or '['");
		return;
	}
	if (scan_file(&l, name, l.position) && loaded->diags.n_errors == errors)
		load(&l, name);
}

typedef vec(const struct nft_file *) file_list;

static const struct nft_file *find_file(const file_list *files, const struct nft_file *like) {
	const struct nft_file *found = NULL;

	vec_foreach(file, files)
		if ((*file)->position.source == like->position.source && streq((*file)->path, like->path))
			found = *file;
	return found;
}

/* A file that several namespaces name is loaded once, so that its mistakes are reported once. */
void nft_files_read(struct loaded_spec *loaded, unsigned flags) {
	file_list files = {};

	state_foreach(ns, &loaded->spec.state) {
		struct ruleset *ruleset = ruleset_with_file(ns);
		const struct nft_file *same = ruleset ? find_file(&files, &ruleset->file) : NULL;

		if (!ruleset)
			continue;
		if (!same) {
			load_file(loaded, ruleset, flags);
			vec_push(&files, &ruleset->file);
		} else if (same->messages) {
			take_messages(loaded, ruleset, same->messages, same->n);
		}
	}
	vec_done(&files);
}
