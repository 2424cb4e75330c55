/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network below and around TCP, on the host: see net.h. */
#include "net.h"

#include <core/panic.h>
#include <core/random.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/flow_label.h>
#include <net/inet_socket.h>
#include <net/multicast.h>
#include <net/namespace.h>
#include <net/statistics.h>
#include <net/tcp/tcp.h>
#include <net/thread.h>

#define TIMERS_MAX 4096
#define OURS_V4(host) inet_from_v4(net32(0x0a000000 + (host)))

static struct net_statistics statistics;
struct network_namespace initial_network = {
	.nodes = 1,
	.generation = 1,
	.sysctl = NETWORK_SYSCTL_DEFAULTS,
	.statistics = &statistics,
};
struct socket_sysctl socket_sysctl = { .option_memory_maximum = 20480 };
u32 host_net_mtu = 1500;
void (*host_net_output)(struct packet *packet, const struct inet_flow *flow);

static struct net_device device = { .index = 2 };
static struct timer *timers[TIMERS_MAX];
static unsigned timer_count;
static struct list_head tasks = LIST_INIT(tasks);
static u64 random_state;

/* There is only one name space. */
void network_node_put_last(struct network_namespace *network)
{
	panic("the first name space is not counted");
}

void inet_packet_dropped(struct packet *packet)
{
	panic("nobody asked for the time of a packet");
}

void inet_flow_labels_release(struct flow_lease *leases)
{
	panic("nobody leases flow labels");
}

bool inet_flow_label_usable(struct inet_socket *s, u32 label)
{
	panic("nobody sends with a flow label");
}

void inet_zero_copy_done(struct inet_socket *s)
{
	panic("nobody sends without copying");
}

u64 socket_cookie(struct socket *socket)
{
	return socket->cookie;
}

/* --- Random numbers --- */

void host_net_seed(u64 seed)
{
	random_state = seed * 0x2545f4914f6cdd1dull;
}

u64 host_net_random(void)
{
	u64 x = random_state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

u64 random_u64(void)
{
	return host_net_random();
}

u64 random_below(u64 limit)
{
	return host_net_random() % limit;
}

void random_bytes(void *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((u8 *)to)[i] = (u8)host_net_random();
}

void host_net_init(u64 seed)
{
	host_net_seed(seed);
	host_clock_ns = NSEC_PER_SEC;
	packet_init();
	tcp_init();
}

/* --- Timers and tasks --- */

void timer_init(struct timer *timer, void (*expire)(struct timer *timer))
{
	*timer = (struct timer){ .expire = expire };
}

void timer_set(struct timer *timer, u64 deadline_ns)
{
	timer->deadline_ns = deadline_ns;
	if (timer->armed)
		return;
	ASSERT(timer_count < TIMERS_MAX);
	timer->armed = true;
	timers[timer_count++] = timer;
}

void net_task_init_on(struct net_task *task, void (*run)(struct net_task *task), unsigned thread)
{
	*task = (struct net_task){ .run = run, .thread = thread };
	list_init(&task->node);
}

void net_task_init(struct net_task *task, void (*run)(struct net_task *task))
{
	net_task_init_on(task, run, 0);
}

int net_threads_start(unsigned count)
{
	return 0;
}

bool net_task_queue(struct net_task *task)
{
	if (task->queued)
		return false;
	task->queued = true;
	list_add_tail(&tasks, &task->node);
	return true;
}

static void timer_expired(struct timer *timer)
{
	net_task_queue(&container_of(timer, struct net_timer, timer)->task);
}

void net_timer_init(struct net_timer *timer, void (*run)(struct net_task *task))
{
	timer_init(&timer->timer, timer_expired);
	net_task_init(&timer->task, run);
}

u64 host_net_next_timer(void)
{
	u64 first = list_empty(&tasks) ? UINT64_MAX : host_clock_ns;

	for (unsigned i = 0; i < timer_count; i++)
		first = MIN(first, timers[i]->deadline_ns);
	return first;
}

void host_net_run_timers(void)
{
	for (unsigned i = 0; i < timer_count;) {
		struct timer *timer = timers[i];

		if (timer->deadline_ns > host_clock_ns) {
			i++;
			continue;
		}
		timers[i] = timers[--timer_count];
		timer->armed = false;
		timer->expire(timer);
	}
	while (!list_empty(&tasks)) {
		struct net_task *task = list_first(&tasks, struct net_task, node);

		list_remove(&task->node);
		task->queued = false;
		task->run(task);
	}
}

/* --- The Internet layer --- */

struct net_device *net_device_find(struct network_namespace *network, int index)
{
	return &device;
}

int route_find_query(struct network_namespace *network, const struct route_query *query,
		     struct route_result *out)
{
	struct inet_address one = OURS_V4(1), two = OURS_V4(2);

	*out = (struct route_result){ .device = &device,
				      .next_hop = query->destination,
				      .source = inet_equal(&query->destination, &one) ? two : one,
				      .mtu = host_net_mtu,
				      .type = RTN_UNICAST };
	return 0;
}

int route_find(struct network_namespace *network, const struct inet_address *destination,
	       const struct inet_address *source, int device_index, struct route_result *out)
{
	return route_find_query(network, &(struct route_query){ .destination = *destination }, out);
}

unsigned route_address_type(struct network_namespace *network, const struct inet_address *address,
			    int device_index)
{
	return RTN_LOCAL;
}

int inet_output(struct network_namespace *network, struct packet *packet,
		const struct inet_flow *flow, const struct route_result *route)
{
	packet->device = &device;
	host_net_output(packet, flow);
	return 0;
}

int inet_send(struct network_namespace *network, struct packet *packet, struct inet_flow *flow,
	      int device_index)
{
	return inet_output(network, packet, flow, nullptr);
}

/* Connections of the test join no groups, have no error queue and no options of the Internet layer. */
void multicast_leave(struct net_device *unused, const struct inet_address *group)
{
}

ssize_t inet_receive_error(struct inet_socket *s, struct socket_message *m)
{
	return -EAGAIN;
}

int inet_set_option(struct inet_socket *s, int level, int option, const void *value, size_t length)
{
	return -ENOPROTOOPT;
}

int inet_get_option(struct inet_socket *s, int level, int option, void *value, size_t *length)
{
	return -ENOPROTOOPT;
}

long inet_ioctl(struct socket *socket, unsigned request, unsigned long argument)
{
	return -ENOTTY;
}

/* --- Sockets: no program has them open, and nobody waits --- */

static struct file never_waits = { .flags = O_NONBLOCK };

struct socket *host_net_socket(void)
{
	struct socket *socket = kzalloc(sizeof(*socket), 0);

	if (!socket)
		return nullptr;
	socket->family = AF_INET;
	socket->type = SOCK_STREAM;
	socket->file = &never_waits;
	socket->network = &initial_network;
	socket->linger_seconds = -1;
	socket->receive_low_water = 1;
	if (tcp_socket_create(socket)) {
		kfree(socket);
		return nullptr;
	}
	return socket;
}

int socket_create_like(struct socket *listener, struct socket **out)
{
	*out = kzalloc(sizeof(**out), 0);
	if (!*out)
		return -ENOMEM;
	**out = *listener;
	(*out)->options &= ~(u32)SOCKET_LISTENING;
	return 0;
}

void host_net_socket_free(struct socket *socket)
{
	socket->ops->release(socket);
	kfree(socket);
}

struct socket_address host_net_address(unsigned host, u16 port)
{
	struct socket_address a = {};
	struct sockaddr_in *in = (struct sockaddr_in *)&a.storage;

	*in = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_port = net16(port),
				    .sin_addr.s_addr = net32(0x0a000000 + host) };
	a.length = sizeof(*in);
	return a;
}

void socket_notify(struct socket *socket, u32 events)
{
}

void socket_set_error(struct socket *socket, int error)
{
	socket->error = error;
}

int socket_take_error(struct socket *socket)
{
	int error = socket->error;

	socket->error = 0;
	return -error;
}

/* The tests ask for no control messages: there is never room for one. */
bool socket_control_append(struct socket_control *control, int level, int type, const void *data,
			   size_t size)
{
	return false;
}
