/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/ip.h"

#include <arpa/inet.h>

size_t ip_size(uint8_t family) {
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

int ip_parse(const char *text, struct ip *ret) {
	struct ip ip = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(ip.family, text, ip.bytes) != 1)
		return -EINVAL;
	*ret = ip;
	return 0;
}

static int parse_length(const char *text, uint8_t max, uint8_t *ret) {
	unsigned value = 0;

	if (!*text || strlen(text) > 3 || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(*text - '0');
	}
	if (value > max)
		return -EINVAL;
	*ret = (uint8_t)value;
	return 0;
}

int prefix_parse(const char *text, struct prefix *ret) {
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char address[IP_TEXT_MAX];
	struct prefix prefix = {};

	if (n >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, n);
	address[n] = '\0';
	if (ip_parse(address, &prefix.address) < 0)
		return -EINVAL;
	prefix.length = ip_bits(prefix.address.family);
	if (slash && parse_length(slash + 1, prefix.length, &prefix.length) < 0)
		return -EINVAL;
	*ret = prefix;
	return 0;
}

/* The prefix length of a netmask; -EINVAL if its ones are not contiguous. */
static int netmask_length(const struct ip *mask, uint8_t *ret) {
	uint32_t bits;

	memcpy(&bits, mask->bytes, sizeof(bits));
	bits = ntohl(bits);
	if (mask->family != AF_INET || ~bits & (~bits + 1))
		return -EINVAL;
	*ret = (uint8_t)__builtin_popcount(bits);
	return 0;
}

int prefix_parse_netmask(const char *text, struct prefix *ret) {
	size_t n = strcspn(text, "/ ");
	char address[IP_TEXT_MAX];
	struct prefix prefix;
	struct ip mask;

	if (!text[n] || n >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, n);
	address[n] = '\0';
	if (ip_parse(address, &prefix.address) < 0 || prefix.address.family != AF_INET ||
	    ip_parse(text + n + 1, &mask) < 0 || netmask_length(&mask, &prefix.length) < 0)
		return -EINVAL;
	*ret = prefix;
	return 0;
}

static int hex_digit(char c) {
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int mac_parse(const char *text, struct mac *ret) {
	struct mac mac;

	if (strlen(text) != MAC_TEXT_MAX - 1)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(mac.bytes); i++, text += 3) {
		int high = hex_digit(text[0]), low = hex_digit(text[1]);

		if (high < 0 || low < 0 || (i < 5 && text[2] != ':' && text[2] != '-'))
			return -EINVAL;
		mac.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret = mac;
	return 0;
}

/* Reads a number below 256; returns what follows it. */
static char *format_byte(char *at, unsigned byte) {
	if (byte >= 100)
		*at++ = (char)('0' + byte / 100);
	if (byte >= 10)
		*at++ = (char)('0' + byte / 10 % 10);
	*at++ = (char)('0' + byte % 10);
	return at;
}

/* Not by inet_ntop(), which uses sprintf(): addresses are printed for the name of each object. */
static void format_ipv4(const uint8_t bytes[4], char *at) {
	for (size_t i = 0; i < 4; i++) {
		at = format_byte(at, bytes[i]);
		*at++ = i < 3 ? '.' : '\0';
	}
}

const char *ip_format(const struct ip *ip, char buf[IP_TEXT_MAX]) {
	if (ip->family == AF_INET)
		format_ipv4(ip->bytes, buf);
	else if (!ip_size(ip->family) || !inet_ntop(ip->family, ip->bytes, buf, IP_TEXT_MAX))
		strcpy(buf, "none");
	return buf;
}

const char *prefix_format(const struct prefix *prefix, char buf[PREFIX_TEXT_MAX]) {
	ip_format(&prefix->address, buf);
	size_t n = strlen(buf);
	if (prefix->address.family) {
		buf[n++] = '/';
		*format_byte(buf + n, prefix->length) = '\0';
	}
	return buf;
}

const char *mac_format(const struct mac *mac, char buf[MAC_TEXT_MAX]) {
	static const char digits[] = "0123456789abcdef";
	char *at = buf;

	for (size_t i = 0; i < sizeof(mac->bytes); i++) {
		*at++ = digits[mac->bytes[i] >> 4];
		*at++ = digits[mac->bytes[i] & 0xf];
		*at++ = ':';
	}
	at[-1] = '\0';
	return buf;
}

int ip_from_bytes(uint8_t family, const void *data, size_t size, struct ip *ret) {
	if (!size || size != ip_size(family))
		return -EINVAL;
	*ret = (struct ip){ .family = family };
	memcpy(ret->bytes, data, size);
	return 0;
}

bool ip_equal(const struct ip *a, const struct ip *b) {
	return a->family == b->family && memcmp(a->bytes, b->bytes, ip_size(a->family)) == 0;
}

bool ip_is_zero(const struct ip *ip) {
	static const uint8_t zero[16];

	return memcmp(ip->bytes, zero, sizeof(zero)) == 0;
}

bool prefix_equal(const struct prefix *a, const struct prefix *b) {
	return a->length == b->length && ip_equal(&a->address, &b->address);
}

struct prefix prefix_network(const struct prefix *prefix) {
	struct prefix network = *prefix;
	uint8_t *bytes = network.address.bytes;
	size_t length = MIN(prefix->length, 8 * sizeof(network.address.bytes)), n = length / 8;

	if (length % 8)
		bytes[n++] &= (uint8_t)(0xff << (8 - length % 8));
	memset(bytes + n, 0, sizeof(network.address.bytes) - n);
	return network;
}

bool prefix_contains(const struct prefix *prefix, const struct ip *ip) {
	struct prefix a = prefix_network(prefix);
	struct prefix other = { .address = *ip, .length = prefix->length };
	struct prefix b = prefix_network(&other);

	return ip_equal(&a.address, &b.address);
}

__extension__ typedef unsigned __int128 uint128;

/* Adds n << shift to the address. */
static void add_number(struct ip *ip, uint64_t n, unsigned shift) {
	uint128 value = 0;

	for (size_t i = 0; i < ip_size(ip->family); i++)
		value = value << 8 | ip->bytes[i];
	value += shift < 128 ? (uint128)n << shift : 0;
	for (size_t i = ip_size(ip->family); i-- > 0; value >>= 8)
		ip->bytes[i] = (uint8_t)value;
}

uint64_t prefix_hosts(const struct prefix *prefix) {
	unsigned bits = ip_bits(prefix->address.family) - prefix->length;
	uint64_t all = UINT64_C(1) << MIN(bits, 32U);

	if (bits <= 1)
		return all;
	return prefix->address.family == AF_INET6 ? all - (bits < 32) : all - 2;
}

bool prefix_host(const struct prefix *prefix, uint64_t n, struct prefix *ret) {
	unsigned bits = ip_bits(prefix->address.family) - prefix->length;

	if (n >= prefix_hosts(prefix))
		return false;
	*ret = prefix_network(prefix);
	add_number(&ret->address, n + (bits > 1), 0);
	return true;
}

bool prefix_has_host(const struct prefix *prefix, const struct ip *ip) {
	struct prefix first = prefix_network(prefix), next = { .address = *ip, .length = ip_bits(ip->family) };

	if (!prefix_contains(prefix, ip))
		return false;
	if (prefix->length + 1 >= next.length)
		return true;
	add_number(&next.address, 1, 0); /* outside the prefix, if ip is the last address */
	return !ip_equal(ip, &first.address) && (ip->family == AF_INET6 || prefix_contains(prefix, &next.address));
}

bool prefix_part(const struct prefix *prefix, uint8_t length, uint64_t n, struct prefix *ret) {
	unsigned bits = ip_bits(prefix->address.family);

	if (length < prefix->length || length > bits)
		return false;
	unsigned room = length - prefix->length;
	if (room < 64 && n >> room)
		return false;
	*ret = prefix_network(prefix);
	ret->length = length;
	add_number(&ret->address, n, bits - length);
	return true;
}

bool ip_is_multicast(const struct ip *ip) {
	return ip->family == AF_INET6 ? ip->bytes[0] == 0xff : (ip->bytes[0] & 0xf0) == 0xe0;
}

bool ip_is_link_local(const struct ip *ip) {
	if (ip->family == AF_INET6)
		return ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
	return ip->bytes[0] == 169 && ip->bytes[1] == 254;
}
