/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NETLINK_GENERIC: families found by name, and the controller that finds them (genl(8), <linux/genetlink.h>). A family's messages have
 * its number as their type. The controller is a family itself.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netlink/generic.h>
#include <sys/socket.h>

static struct generic_family *families; /* written at boot */
static u16 next_number = GENL_MIN_ID + 1;

void generic_family_register(struct generic_family *family)
{
	struct generic_family **link = &families;

	if (!family->number)
		family->number = next_number++;
	while (*link)
		link = &(*link)->next;
	*link = family;
}

static const struct generic_family *find_number(u16 number)
{
	const struct generic_family *family = families;

	while (family && family->number != number)
		family = family->next;
	return family;
}

static int generic_request(struct netlink_request *r)
{
	const struct genlmsghdr *header = netlink_payload(r->header, sizeof(*header));
	const struct generic_family *family = find_number(r->header->nlmsg_type);
	bool dump = r->header->nlmsg_flags & NLM_F_DUMP;

	if (!family)
		return -ENOENT;
	if (!header)
		return -EINVAL;
	for (unsigned i = 0; i < family->operation_count; i++) {
		const struct generic_operation *o = &family->operations[i];

		if (o->command != header->cmd)
			continue;
		if ((o->flags & GENL_ADMIN_PERM) && !r->may_configure)
			return -EPERM;
		if (!dump)
			return o->request ? o->request(r) : -EOPNOTSUPP;
		if (!o->dump)
			return -EOPNOTSUPP;
		r->dumping = true;
		r->reply->flags = NLM_F_MULTI;
		return o->dump(r);
	}
	return -EOPNOTSUPP;
}

/* --- The controller --- */

static void put_operations(struct netlink_writer *w, const struct generic_family *family)
{
	size_t list = netlink_nest(w, CTRL_ATTR_OPS);

	for (unsigned i = 0; i < family->operation_count; i++) {
		const struct generic_operation *o = &family->operations[i];
		size_t nest = netlink_nest(w, (u16)(i + 1));
		u32 flags = o->flags | GENL_CMD_CAP_HASPOL;

		if (o->request)
			flags |= GENL_CMD_CAP_DO;
		if (o->dump)
			flags |= GENL_CMD_CAP_DUMP;
		netlink_put_u32(w, CTRL_ATTR_OP_ID, o->command);
		netlink_put_u32(w, CTRL_ATTR_OP_FLAGS, flags);
		netlink_nest_end(w, nest);
	}
	netlink_nest_end(w, list);
}

static void put_groups(struct netlink_writer *w, const struct generic_family *family)
{
	size_t list = netlink_nest(w, CTRL_ATTR_MCAST_GROUPS), nest = netlink_nest(w, 1);

	netlink_put_u32(w, CTRL_ATTR_MCAST_GRP_ID, family->group);
	netlink_put_string(w, CTRL_ATTR_MCAST_GRP_NAME, family->group_name);
	netlink_nest_end(w, nest);
	netlink_nest_end(w, list);
}

static void put_family(struct netlink_request *r, const struct generic_family *family)
{
	struct netlink_writer *w = r->reply;
	struct genlmsghdr *header = netlink_begin(w, GENL_ID_CTRL, sizeof(*header));

	if (header)
		*header = (struct genlmsghdr){ .cmd = CTRL_CMD_NEWFAMILY, .version = 2 };
	netlink_put_string(w, CTRL_ATTR_FAMILY_NAME, family->name);
	netlink_put_u16(w, CTRL_ATTR_FAMILY_ID, family->number);
	netlink_put_u32(w, CTRL_ATTR_VERSION, family->version);
	netlink_put_u32(w, CTRL_ATTR_HDRSIZE, 0);
	netlink_put_u32(w, CTRL_ATTR_MAXATTR, family->attribute_maximum);
	if (family->operation_count)
		put_operations(w, family);
	if (family->group)
		put_groups(w, family);
	netlink_end(w);
}

static int get_family(struct netlink_request *r)
{
	const struct nlattr *table[CTRL_ATTR_MAX + 1];
	const struct generic_family *family = nullptr;
	char name[GENL_NAMSIZ];
	int error = netlink_parse(r->header, sizeof(struct genlmsghdr), table, CTRL_ATTR_MAX);

	if (error)
		return error;
	if (table[CTRL_ATTR_FAMILY_ID]) {
		u16 number;

		if (netlink_length(table[CTRL_ATTR_FAMILY_ID]) < sizeof(number))
			return -EINVAL;
		memcpy(&number, netlink_data(table[CTRL_ATTR_FAMILY_ID]), sizeof(number));
		family = find_number(number);
	} else if (table[CTRL_ATTR_FAMILY_NAME]) {
		if (netlink_get_string(table[CTRL_ATTR_FAMILY_NAME], name, sizeof(name)))
			return -EINVAL;
		for (family = families; family && strcmp(family->name, name);)
			family = family->next;
	} else {
		return -EINVAL;
	}
	if (!family)
		return -ENOENT;
	put_family(r, family);
	return 0;
}

static int dump_families(struct netlink_request *r)
{
	for (const struct generic_family *family = families; family; family = family->next)
		put_family(r, family);
	return 0;
}

static const struct generic_operation operations[] = {
	{ .command = CTRL_CMD_GETFAMILY, .request = get_family, .dump = dump_families },
};
static struct generic_family controller = {
	.number = GENL_ID_CTRL,
	.name = "nlctrl",
	.version = 2,
	.operations = operations,
	.operation_count = ARRAY_SIZE(operations),
	.group = GENL_ID_CTRL,
	.group_name = "notify",
};

static struct netlink_protocol generic_protocol = { .number = NETLINK_GENERIC,
						    .groups = GENL_ID_CTRL,
						    .any_may_listen = true,
						    .any_may_send = true,
						    .request = generic_request };

void netlink_generic_init(void)
{
	generic_family_register(&controller);
	netlink_protocol_register(&generic_protocol);
}
