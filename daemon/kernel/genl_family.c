/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel numbers families of generic netlink (wireguard, ethtool) when they are registered; only the controller's
 * number is fixed. The numbers are the same in all namespaces. Asking for a family loads its module, so that is done only
 * if something of it is declared. See include/uapi/linux/genetlink.h.
 */
#include "kernel/genl_family.h"

#include <linux/genetlink.h>

static int take_family(void *userdata, const struct nlmsghdr *nlh) {
	const struct nlattr *tb[CTRL_ATTR_FAMILY_ID + 1];
	uint16_t *id = userdata;

	nl_parse(nlh, sizeof(struct genlmsghdr), tb, CTRL_ATTR_FAMILY_ID);
	if (nlh->nlmsg_type == GENL_ID_CTRL && tb[CTRL_ATTR_FAMILY_ID] &&
	    mnl_attr_get_payload_len(tb[CTRL_ATTR_FAMILY_ID]) >= sizeof(*id))
		*id = mnl_attr_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	return 0;
}

int genl_family_ask(struct nl_socket *sock, const char *name, uint16_t *ret) {
	_cleanup_(nl_writer_done) struct nl_writer w = {};
	struct genlmsghdr *header = nl_begin(&w, GENL_ID_CTRL, 0, sizeof(*header));

	header->cmd = CTRL_CMD_GETFAMILY;
	header->version = 1;
	nl_put_text(&w, CTRL_ATTR_FAMILY_NAME, name);
	*ret = 0;
	int r = nl_request(sock, w.messages.items[0], take_family, ret);
	return r < 0 ? r : *ret ? 0 : -ENOENT;
}

static int ask_once(struct real_kernel *k, const char *name, uint16_t *ret) {
	struct known_family known = { .name = name };
	struct nl_socket *sock;

	vec_foreach(family, &k->families)
		if (streq(family->name, name)) {
			*ret = family->id;
			return 0;
		}
	int r = handle_socket(k, handle_get(k, NS_HOST), NETLINK_GENERIC, &sock);
	if (r == 0)
		r = genl_family_ask(sock, name, &known.id);
	if (r == 0)
		vec_push(&k->families, known);
	*ret = known.id;
	return r;
}

int genl_family(struct real_kernel *k, const char *name, uint16_t *ret) {
	pthread_mutex_lock(&k->families_lock);
	int r = ask_once(k, name, ret);
	pthread_mutex_unlock(&k->families_lock);
	return r;
}
