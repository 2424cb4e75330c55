/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network name spaces (network_namespaces(7)): which devices, addresses, routes, ports and settings a task and
 * a socket see.
 *
 * Life: users are the references of its object (sets of name spaces, handles, open sockets). When the last one goes, a kernel
 * thread empties it: virtual devices are destroyed, hardware returns to the first name space, routes go. Connections that outlive
 * their sockets (TIME_WAIT, orphans) then find no route; they are its nodes, and its memory goes with the last of them.
 * The first name space is neither counted nor emptied, so that what happens in it costs nothing.
 */
#pragma once

#include <net/device.h>

/* Those name spaces' network. Borrowed. */
static inline struct network_namespace *network_of_namespaces(const struct namespaces *set)
{
	return container_of(set->of[NAMESPACE_NETWORK], struct network_namespace, base);
}

/* That of the current task. Borrowed. */
static inline struct network_namespace *current_network(void)
{
	return network_of_namespaces(current_namespaces());
}

/* Users. Any context. */
static inline void network_get(struct network_namespace *network)
{
	if (network != &initial_network)
		namespace_get(&network->base);
}
static inline void network_put(struct network_namespace *network)
{
	if (network != &initial_network)
		namespace_put(&network->base);
}

/* Nodes: what may look at the name space after its users have gone. Any context. */
void network_node_put_last(struct network_namespace *network);
static inline void network_node_get(struct network_namespace *network)
{
	if (network != &initial_network)
		__atomic_fetch_add(&network->nodes, 1, __ATOMIC_RELAXED);
}
static inline void network_node_put(struct network_namespace *network)
{
	if (network != &initial_network &&
	    __atomic_fetch_sub(&network->nodes, 1, __ATOMIC_ACQ_REL) == 1)
		network_node_put_last(network);
}

/* The name space of a task; one user. -ESRCH: it has ended. */
[[nodiscard]] int network_of_task(struct task *task, struct network_namespace **out);

/*
 * The name space of a process (by its number as the current task sees it), or of a descriptor of a file in
 * /proc/<pid>/ns; one user. -ESRCH, -EINVAL, -EBADF, -EPERM without CAP_NET_ADMIN. May sleep.
 */
[[nodiscard]] int network_of_process(int pid, struct network_namespace **out);
[[nodiscard]] int network_of_descriptor(int fd, struct network_namespace **out);

/* The number by which programs in `network` know the name space of `other`, given on the first demand; -1: there are
 * no more numbers. Under network->config. */
int network_number_of(struct network_namespace *network, const struct network_namespace *other)
	__must_hold(&network->config);

/* Boot, before the first task. */
void network_namespace_init(void);
