/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases of IPv6 flow labels (RFC 6437; IPV6_FLOWLABEL_MGR): a socket that leased a label may send with it, and in a name space where
 * anybody leased one for himself, only such a socket may.
 */
#pragma once

#include <net/inet_socket.h>

/*
 * IPV6_FLOWLABEL_MGR: gets, puts or renews a lease. `value` is a struct in6_flowlabel_req; a label that the kernel chose is written
 * into it. -EINVAL, -EEXIST, -ENOENT, -ESRCH, -EPERM, -ENOBUFS, -ENOMEM. May sleep.
 */
[[nodiscard]] int inet_flow_label_manage(struct inet_socket *s, void *value, size_t length);
/* True if the socket may send with this label, which is not 0. */
[[nodiscard]] bool inet_flow_label_usable(struct inet_socket *s, u32 label);
/* Ends the leases of a socket that goes. */
struct flow_lease;
void inet_flow_labels_release(struct flow_lease *leases);

/* One leased label of a name space, for /proc/net/ip6_flowlabel; under a spinlock. */
struct flow_label_description {
	u32 label, users;
	u8 share;
	u64 owner, linger_s, expires_s;
	struct in6_addr destination;
};
void inet_flow_labels_for_each(const struct network_namespace *network,
			       void (*visit)(const struct flow_label_description *label, void *arg),
			       void *arg);
