/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule of the kernel's table in the words of an entry; for nft_words.c and nft_export.c. */
#pragma once

#include "kind/ruleset.h"

/* The parts of a match, in the order in which a rule has them (see dimensions[] in nft_rule.c). */
enum nft_part_of_match {
	NFT_WORD_STATE,
	NFT_WORD_IN,
	NFT_WORD_OUT,
	NFT_WORD_FWMARK,
	NFT_WORD_SOURCE,
	NFT_WORD_DESTINATION,
	NFT_WORD_PROTOCOL,
	NFT_WORD_SOURCE_PORT,
	NFT_WORD_PORT,
	NFT_WORD_ICMP_TYPE,
	NFT_N_WORDS,
};

/* The items of one part, as the file has them. */
struct nft_words {
	bool negated;
	size_t n;
	const char **items;
};

/* All texts live in an arena; NULL: the rule has none. */
struct nft_rule_words {
	struct nft_words match[NFT_N_WORDS];
	uint8_t family;    /* AF_INET, AF_INET6 or AF_UNSPEC */
	const char *flags; /* of TCP: "[syn, not ack]" */
	const char *syn;   /* a second match of flags, which `clamp-mss` adds */
	const char *limit; /* "10/minute" */
	bool over;         /* … matches above the limit */
	bool to_local;     /* see struct nft_entry */
	bool translated;
	bool counter, log;
	const char *log_prefix, *log_limit;
	uint32_t log_level;
	const char *mark, *clamp;
	const char *action;  /* the word, or "jump", "return" */
	const char *chain;   /* of "jump" */
	const char *to;      /* with its port */
	const char *address; /* of `to`, if it is a single one */
	bool random, persistent;
	const char *hairpin; /* the interface (nft_export.c) */
};

/* Reads a rule as nft_print_expressions() prints it. False: the language has no words for it. The words may also mean something
 * else, which compiling them shows. */
bool nft_read_words(struct arena *arena, const char *rule, struct nft_rule_words *ret);
