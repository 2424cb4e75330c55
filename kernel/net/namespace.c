/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network name spaces: making them, and what happens when nobody uses one any more. See net/namespace.h. */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/link_kind.h>
#include <net/local.h>
#include <net/namespace.h>
#include <net/route_exception.h>
#include <net/statistics.h>
#include <obj/credentials.h>
#include <proc/task.h>
#include <vfs/namespace_file.h>

#include <linux/capability.h>
#include <linux/sched.h>

static u64 last_serial;
/* Who changes the list that begins with the first name space. */
static struct spinlock list_lock = SPINLOCK_INIT(RANK_NET_LINK);

static void enter_list(struct network_namespace *network)
{
	spin_lock(&list_lock);
	network->next = initial_network.next;
	rcu_assign(initial_network.next, network);
	spin_unlock(&list_lock);
}

/* Its memory stays for a grace period. */
static void leave_list(struct network_namespace *network)
{
	struct network_namespace **link = &initial_network.next;

	spin_lock(&list_lock);
	while (*link != network)
		link = &(*link)->next;
	rcu_assign(*link, network->next);
	spin_unlock(&list_lock);
}

static int create_statistics(struct network_namespace *network)
{
	network->statistics =
		kvmalloc(arch_cpu_count() * sizeof(struct net_statistics), ALLOC_ZERO);
	return network->statistics ? 0 : -ENOMEM;
}

static void network_release(struct network_namespace *network)
{
	kfree(network->loopback);
	kfree(network->routes);
	kfree(network->rules);
	route_exceptions_destroy(network);
	kvfree(network->statistics);
	kfree(network);
}

static void network_free(struct rcu_head *head)
{
	struct network_namespace *network =
		container_of(head, struct network_namespace, base.object.rcu);

	network_release(network);
}

void network_node_put_last(struct network_namespace *network)
{
	rcu_call(&network->base.object.rcu, network_free);
}

/* The next device that has to leave; the loopback device comes last. */
static struct net_device *next_device(struct network_namespace *network)
{
	struct net_device *device;

	mutex_lock(&network->config);
	device = network->devices;
	if (device && device == network->loopback && device->next)
		device = device->next;
	mutex_unlock(&network->config);
	return device;
}

static void empty(struct work *work)
{
	struct network_namespace *network = container_of(work, struct network_namespace, emptying);
	struct net_device *device;

	mutex_lock(&net_links_lock);
	while ((device = next_device(network))) {
		if (device->kind && device->kind->destroy)
			device->kind->destroy(device);
		else if (device == network->loopback ||
			 net_device_move(device, &initial_network, ""))
			net_device_unregister(device);
	}
	mutex_unlock(&net_links_lock);
	leave_list(network);
	network_node_put(network);
}

static void network_destroy(struct object *object)
{
	work_queue(&container_of(object, struct network_namespace, base.object)->emptying);
}

/* Of the first name space's only these pass to a new one, as on Linux. */
static void take_settings(struct network_namespace *network)
{
	const struct tcp_sysctl *first = &initial_network.sysctl.tcp;
	struct tcp_sysctl *tcp = &network->sysctl.tcp;

	network->sysctl = (struct network_sysctl)NETWORK_SYSCTL_DEFAULTS;
	memcpy(tcp->rmem, first->rmem, sizeof(tcp->rmem));
	memcpy(tcp->wmem, first->wmem, sizeof(tcp->wmem));
	tcp->congestion = first->congestion;
}

static int network_copy(struct namespace *from, struct fs_context *fs, struct namespace **out)
{
	struct network_namespace *network = kzalloc(sizeof(*network), 0);
	int error;

	(void)fs;
	if (!network)
		return -ENOMEM;
	namespace_init(&network->base, from->type);
	network->nodes = 1;
	network->serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED);
	mutex_init(&network->config, RANK_NET_CONFIG);
	work_init(&network->emptying, empty);
	network->next_index = 1;
	net_lifetimes_init(network);
	take_settings(network);
	device_settings_init(network);
	error = create_statistics(network);
	if (!error)
		error = loopback_create(network);
	if (error) {
		network_release(network);
		return error;
	}
	enter_list(network);
	*out = &network->base;
	return 0;
}

/* Its loopback device comes up. */
static void network_prepare(struct namespace *ns)
{
	struct net_device *device = container_of(ns, struct network_namespace, base)->loopback;

	mutex_lock(&device->network->config);
	(void)!net_device_set_flags(device, IFF_UP, IFF_UP);
	mutex_unlock(&device->network->config);
}

static const struct namespace_type network_type = {
	.name = "net",
	.clone_flag = CLONE_NEWNET,
	.object = { .name = "net", .destroy = network_destroy },
	.copy = network_copy,
	.prepare = network_prepare,
};

int network_of_task(struct task *task, struct network_namespace **out)
{
	struct namespaces *set = task_namespaces_get(task);

	if (!set)
		return -ESRCH;
	*out = network_of_namespaces(set);
	network_get(*out);
	namespaces_put(set);
	return 0;
}

int network_of_process(int pid, struct network_namespace **out)
{
	struct task *task;
	int error;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	error = task_find(pid, &task);
	if (error)
		return error;
	error = network_of_task(task, out);
	task_put(task);
	return error;
}

int network_of_descriptor(int fd, struct network_namespace **out)
{
	struct namespace *ns;
	struct file *file;
	int error = file_from_handle(current_task()->pool, fd, 0, &file);

	if (error)
		return error;
	ns = namespace_of_file(file);
	if (ns && ns->type == &network_type) {
		*out = container_of(ns, struct network_namespace, base);
		network_get(*out);
	} else {
		error = -EINVAL;
	}
	file_put(file);
	return error;
}

int network_number_of(struct network_namespace *network, const struct network_namespace *other)
{
	for (unsigned i = 0; i < NETWORK_NUMBERS; i++) {
		if (!network->numbers[i])
			network->numbers[i] = other->serial;
		if (network->numbers[i] == other->serial)
			return (int)i;
	}
	return -1;
}

void network_namespace_init(void)
{
	if (create_statistics(&initial_network))
		panic("no memory for the counters of the network");
	net_lifetimes_init(&initial_network);
	initial_network.serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED);
	namespace_register(NAMESPACE_NETWORK, &network_type, &initial_network.base);
}
