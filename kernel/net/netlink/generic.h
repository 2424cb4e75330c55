/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Families of NETLINK_GENERIC, as their owners register them. */
#pragma once

#include <net/netlink/netlink.h>

#include <linux/genetlink.h>

struct generic_operation {
	u8 command;
	u32 flags; /* GENL_ADMIN_PERM */
	/* A struct genlmsghdr follows the header. 0 or -errno. May sleep. Null: -EOPNOTSUPP. */
	int (*request)(struct netlink_request *request);
	int (*dump)(struct netlink_request *request); /* with NLM_F_DUMP */
};

struct generic_family {
	u16 number; /* 0: given at registration */
	const char *name;
	u32 version, attribute_maximum;
	const struct generic_operation *operations;
	unsigned operation_count;
	u32 group; /* of its notifications; 0: none */
	const char *group_name;
	struct generic_family *next;
};
/* Boot. */
void generic_family_register(struct generic_family *family);
