/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of 32 bytes, in base64 (RFC 4648), as wg(8) reads and writes them: public keys are in the topology, secret keys in
 * separate files whose paths are in the topology.
 *
 * It does not read the files (daemon/files/key_file.c). A secret key is never printed.
 */
#include "model/type_private.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool key_from_text(const char *text, struct key *ret) {
	uint32_t bits = 0;
	struct key key;

	if (strlen(text) != KEY_TEXT_SIZE || text[KEY_TEXT_SIZE - 1] != '=')
		return false;
	for (size_t i = 0, n = 0; i < KEY_TEXT_SIZE - 1; i++) {
		const char *digit = strchr(alphabet, text[i]);

		if (!digit)
			return false;
		bits = bits << 6 | (uint32_t)(digit - alphabet);
		if (i % 4 && n < KEY_SIZE)
			key.bytes[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	if (bits & 3) /* the last digit has two bits more than there are */
		return false;
	*ret = key;
	return true;
}

void key_to_text(const struct key *key, struct text *out) {
	char text[KEY_TEXT_SIZE + 1] = "";

	for (size_t i = 0; i < KEY_TEXT_SIZE - 1; i++) {
		size_t bit = 6 * i, byte = bit / 8;
		unsigned two = (unsigned)key->bytes[byte] << 8 | (byte + 1 < KEY_SIZE ? key->bytes[byte + 1] : 0);

		text[i] = alphabet[two >> (10 - bit % 8) & 63];
	}
	text[KEY_TEXT_SIZE - 1] = '=';
	text_add(out, text);
}

bool key_is_zero(const struct key *key) {
	static const struct key zero;

	return memcmp(key, &zero, sizeof(zero)) == 0;
}

/* Public keys. */

static bool public_key_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);

	if (!text || key_from_text(text, value))
		return text;
	diag_error(p->diags, node->position,
		   "'%s' takes a key: 32 bytes in base64, which are 44 characters and end in '=', as `wg pubkey` prints it",
		   field->name);
	return false;
}

static void public_key_print(const struct field *field _unused_, const void *value, struct text *out) {
	key_to_text(value, out);
}

static bool key_equal(const void *a, const void *b) {
	return memcmp(a, b, sizeof(struct key)) == 0;
}

static void key_put(struct nl_writer *w, const struct field *field, const void *value) {
	nl_put(w, field->attr, value, sizeof(struct key));
}

static bool key_get(struct arena *arena _unused_, const struct field *field _unused_, const struct nlattr *attr,
		    void *value) {
	if (mnl_attr_get_payload_len(attr) != sizeof(struct key))
		return false;
	memcpy(value, mnl_attr_get_payload(attr), sizeof(struct key));
	return true;
}

const struct type type_public_key = {
	.name = "key",
	.size = sizeof(struct key),
	.parse = public_key_parse,
	.print = public_key_print,
	.equal = key_equal,
	.put = key_put,
	.get = key_get,
};

/* Secret keys, in files. */

static bool key_file_parse(struct parse *p, const struct field *field, const struct node *node, void *value) {
	const char *text = parse_scalar(p, field, node);
	struct key key;

	if (!text)
		return false;
	if (key_from_text(text, &key))
		diag_error(
			p->diags, node->position,
			"'%s' takes the path of a file, not a key: write the key into a file that only root can read, and "
			"replace this key, which others may have seen",
			field->name);
	else if (*text != '/')
		diag_error(p->diags, node->position, "'%s' takes an absolute path, for example /etc/wireguard/private.key",
			   field->name);
	else
		*(struct key_file *)value = (struct key_file){ .path = arena_strdup(p->arena, text) };
	return *text == '/' && !key_from_text(text, &key);
}

/* The path; the key is never printed. */
static void key_file_print(const struct field *field _unused_, const void *value, struct text *out) {
	const struct key_file *file = value;

	text_add(out, file->path ? file->path : key_is_zero(&file->key) ? "none" : FIELD_HIDDEN_VALUE);
}

/* curve25519_clamp_secret(), include/crypto/curve25519.h: the kernel shows a private key like this, however it was set. */
static struct key clamp(const struct key *key) {
	struct key clamped = *key;

	clamped.bytes[0] &= 248;
	clamped.bytes[KEY_SIZE - 1] = (clamped.bytes[KEY_SIZE - 1] & 127) | 64;
	return clamped;
}

static bool private_key_equal(const void *a, const void *b) {
	const struct key x = clamp(a), y = clamp(b);

	return key_is_zero(a) == key_is_zero(b) && key_equal(&x, &y);
}

const struct type type_private_key_file = {
	.name = "path",
	.size = sizeof(struct key_file),
	.is_key_file = true,
	.parse = key_file_parse,
	.print = key_file_print,
	.equal = private_key_equal,
	.put = key_put,
	.get = key_get,
};

const struct type type_preshared_key_file = {
	.name = "path",
	.size = sizeof(struct key_file),
	.is_key_file = true,
	.parse = key_file_parse,
	.print = key_file_print,
	.equal = key_equal,
	.put = key_put,
	.get = key_get,
};
