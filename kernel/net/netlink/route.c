/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NETLINK_ROUTE: which function answers which request, and what they share (rtnetlink(7)). */
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netlink/route_priv.h>

#include <sys/socket.h>

struct rtnl_handler {
	u16 type;
	int (*request)(struct netlink_request *r);
	int (*dump)(struct netlink_request *r); /* with NLM_F_DUMP */
	bool locks;				/* takes the locks that it needs by itself */
};

static const struct rtnl_handler handlers[] = {
	{ RTM_GETLINK, rtnl_link_get, rtnl_link_dump, false },
	{ RTM_NEWLINK, rtnl_link_change, nullptr, true },
	{ RTM_SETLINK, rtnl_link_change, nullptr, true },
	{ RTM_DELLINK, rtnl_link_delete, nullptr, true },
	{ RTM_GETADDR, nullptr, rtnl_address_dump, false },
	{ RTM_NEWADDR, rtnl_address_add, nullptr, false },
	{ RTM_DELADDR, rtnl_address_delete, nullptr, false },
	{ RTM_GETROUTE, rtnl_route_get, rtnl_route_dump, false },
	{ RTM_NEWROUTE, rtnl_route_add, nullptr, false },
	{ RTM_DELROUTE, rtnl_route_delete, nullptr, false },
	{ RTM_GETNEIGH, nullptr, rtnl_neighbour_dump, false },
	{ RTM_NEWNEIGH, rtnl_neighbour_add, nullptr, false },
	{ RTM_DELNEIGH, rtnl_neighbour_delete, nullptr, false },
	{ RTM_GETRULE, nullptr, rtnl_rule_dump, false },
	{ RTM_NEWRULE, rtnl_rule_add, nullptr, false },
	{ RTM_DELRULE, rtnl_rule_delete, nullptr, false },
	{ RTM_GETNETCONF, rtnl_netconf_get, rtnl_netconf_dump, false },
	{ RTM_GETNSID, rtnl_number_get, nullptr, true },
};

static const struct rtnl_handler *find_handler(u16 type)
{
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		if (handlers[i].type == type)
			return &handlers[i];
	return nullptr;
}

static int rtnl_request(struct netlink_request *r)
{
	const struct rtnl_handler *handler = find_handler(r->header->nlmsg_type);
	bool reads = (r->header->nlmsg_type & 3) == 2; /* RTM_GET... */
	int error;

	if (!reads && !r->may_configure)
		return -EPERM;
	/* Every request begins with a family; a shorter one is ignored, as on Linux. */
	if (!netlink_payload(r->header, sizeof(struct rtgenmsg)))
		return 0;
	if (!handler)
		return -EOPNOTSUPP;
	if (reads && (r->header->nlmsg_flags & NLM_F_DUMP)) {
		if (!handler->dump)
			return -EOPNOTSUPP;
		r->dumping = true;
		r->reply->flags = NLM_F_MULTI;
		mutex_lock(&r->network->config);
		error = handler->dump(r);
		mutex_unlock(&r->network->config);
		return error;
	}
	if (!handler->request)
		return -EOPNOTSUPP;
	if (handler->locks)
		return handler->request(r);
	mutex_lock(&r->network->config);
	error = handler->request(r);
	mutex_unlock(&r->network->config);
	return error;
}

void rtnl_put_address(struct netlink_writer *w, u16 type, u8 family, const struct inet_address *a)
{
	if (family == AF_INET)
		netlink_put_u32(w, type, inet_to_v4(a));
	else
		netlink_put(w, type, a->bytes, sizeof(a->bytes));
}

int rtnl_get_address(const struct nlattr *attribute, u8 family, struct inet_address *out)
{
	if (netlink_length(attribute) != rtnl_address_size(family))
		return -EINVAL;
	if (family == AF_INET)
		*out = inet_from_v4(netlink_get_u32(attribute));
	else
		memcpy(out->bytes, netlink_data(attribute), sizeof(out->bytes));
	return 0;
}

static struct netlink_protocol route_protocol = {
	.number = NETLINK_ROUTE,
	.groups = RTNLGRP_MAX,
	.any_may_listen = true,
	.any_may_send = true,
	.request = rtnl_request,
};

void netlink_route_init(void)
{
	netlink_protocol_register(&route_protocol);
	net_link_event_hook = rtnl_link_notify;
	net_address_event_hook = rtnl_address_notify;
	net_route_event_hook = rtnl_route_notify;
	net_settings_event_hook = rtnl_netconf_notify;
}
