/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices whose wire is a file: /dev/net/tun, with packets (tun) or frames (tap), one for each read and write.
 *
 * A device has at most one file. Attaching, detaching and destroying happen under net_links_lock; `lock` guards the queue and the
 * pointer to the file, so that a packet finds whom to wake. A file finds its device under RCU. A device that is not persistent goes
 * with its file; a file whose device was destroyed answers -EBADFD.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <net/byte_order.h>
#include <net/filter.h>
#include <net/link_kind.h>
#include <net/local.h>
#include <net/namespace.h>
#include <net/netlink/netlink.h>
#include <obj/credentials.h>
#include <obj/file.h>
#include <vfs/vfs.h>

#include <asm/ioctl.h>
#include <linux/capability.h>
#include <linux/eventpoll.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/major.h>

#define TUN_MINOR 200
#define QUEUE_MAX 500 /* packets, as the length of the queue that Linux gives such devices */
#define FRAME_MAX 65535u
#define NOBODY (~0u)
#define KNOWN_FLAGS (IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_ONE_QUEUE | IFF_TUN_EXCL)

struct tun {
	struct net_device device; /* first */
	u16 flags;		  /* IFF_TUN or IFF_TAP, IFF_NO_PI */
	bool persistent;
	u32 owner, group;	       /* who may attach besides CAP_NET_ADMIN; NOBODY: nobody */
	struct socket_program *filter; /* TUNSETFILTEREBPF: of what the file gets; RCU */
	struct spinlock lock;	       /* RANK_NET_DEVICE */
	struct packet_queue queue __guarded_by(&lock);
	struct file *file __guarded_by(&lock); /* borrowed: it detaches before it goes */
};

/* file->private */
struct tun_file {
	struct tun *tun; /* RCU; changed under net_links_lock; null: not attached */
	struct network_namespace *network; /* where TUNSETIFF makes devices: that of the opener */
};

static struct tun *tun_of(const struct net_device *device)
{
	return container_of(device, struct tun, device);
}

/* --- The device --- */

static void tun_transmit(struct net_device *device, struct packet *packet)
{
	struct tun *tun = tun_of(device);
	bool wanted = socket_program_cut(&tun->filter, packet), taken = false;

	spin_lock(&tun->lock);
	if (tun->file && wanted && tun->queue.count < QUEUE_MAX) {
		net_device_count(device, transmit_packets, 1);
		net_device_count(device, transmit_bytes, packet->length);
		packet_queue_add(&tun->queue, packet);
		object_notify(&tun->file->object, EPOLLIN | EPOLLRDNORM);
		taken = true;
	} else {
		net_device_count(device, transmit_dropped, 1);
	}
	spin_unlock(&tun->lock);
	if (!taken)
		packet_free(packet);
}

static int tun_open_device(struct net_device *device)
{
	struct tun *tun = tun_of(device);

	spin_lock(&tun->lock);
	net_device_mark_carrier(device, tun->file);
	spin_unlock(&tun->lock);
	return 0;
}

static void tun_stop(struct net_device *device)
{
	net_device_mark_carrier(device, false);
}

static const struct net_device_ops tun_ops = {
	.open = tun_open_device,
	.stop = tun_stop,
	.transmit = tun_transmit,
	.set_address = net_device_take_address,
	.driver = "tun",
};

static void tun_free(struct rcu_head *head) __no_lock_analysis /* nobody else sees it */
{
	struct tun *tun = tun_of(container_of(head, struct net_device, rcu));

	(void)socket_program_detach(&tun->filter);
	packet_queue_free(&tun->queue);
	kfree(tun);
}

/* The file knows of no device afterwards. */
static void detach(struct tun *tun) __must_hold(&net_links_lock)
{
	struct tun_file *f = nullptr;

	spin_lock(&tun->lock);
	if (tun->file)
		f = tun->file->private;
	tun->file = nullptr;
	spin_unlock(&tun->lock);
	if (f)
		rcu_assign(f->tun, nullptr);
}

static void tun_destroy(struct net_device *device) __no_lock_analysis /* under net_links_lock */
{
	detach(tun_of(device));
	net_device_unregister(device);
	rcu_call(&device->rcu, tun_free);
}

static void tun_put(const struct net_device *device, struct netlink_writer *w)
{
	const struct tun *tun = tun_of(device);
	size_t nest = netlink_nest(w, IFLA_INFO_DATA);

	netlink_put_u8(w, IFLA_TUN_TYPE, tun->flags & (IFF_TUN | IFF_TAP));
	if (tun->owner != NOBODY)
		netlink_put_u32(w, IFLA_TUN_OWNER, tun->owner);
	if (tun->group != NOBODY)
		netlink_put_u32(w, IFLA_TUN_GROUP, tun->group);
	netlink_put_u8(w, IFLA_TUN_PI, !(tun->flags & IFF_NO_PI));
	netlink_put_u8(w, IFLA_TUN_VNET_HDR, 0);
	netlink_put_u8(w, IFLA_TUN_PERSIST, tun->persistent);
	netlink_put_u8(w, IFLA_TUN_MULTI_QUEUE, 0);
	netlink_nest_end(w, nest);
}

static u8 tun_operational_state(const struct net_device *device)
{
	return device->flags & IFF_RUNNING ? IF_OPER_UNKNOWN : IF_OPER_DOWN;
}

static struct net_link_kind tun_kind = {
	.name = "tun",
	.destroy = tun_destroy,
	.put = tun_put,
	.operational_state = tun_operational_state,
};

bool tun_describe(const struct net_device *device, struct tun_description *out)
{
	const struct tun *tun = tun_of(device);

	if (device->kind != &tun_kind)
		return false;
	*out = (struct tun_description){
		.flags = (u16)(tun->flags | (tun->persistent ? IFF_PERSIST : 0)),
		.owner = tun->owner == NOBODY ? -1 : (int)tun->owner,
		.group = tun->group == NOBODY ? -1 : (int)tun->group,
	};
	return true;
}

static int tun_create(struct network_namespace *network, const char *name, u16 flags,
		      struct tun **out)
{
	const struct net_link_request request = { .mtu = ETH_DATA_LEN };
	struct tun *tun = kzalloc(sizeof(*tun), 0);
	int error;

	if (!tun)
		return -ENOMEM;
	net_device_ethernet_init(&tun->device, &request);
	if (flags & IFF_TUN) {
		tun->device.type = ARPHRD_NONE;
		tun->device.flags = IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;
		tun->device.address_length = tun->device.header_length = 0;
	}
	tun->device.transmit_queue_length = QUEUE_MAX;
	tun->device.ops = &tun_ops;
	tun->device.kind = &tun_kind;
	tun->flags = flags & (IFF_TUN | IFF_TAP | IFF_NO_PI);
	tun->owner = tun->group = NOBODY;
	spin_init(&tun->lock, RANK_NET_DEVICE);
	if (!*name)
		name = flags & IFF_TUN ? "tun%d" : "tap%d";
	error = net_device_register(network, &tun->device, name);
	if (error)
		kfree(tun);
	else
		*out = tun;
	return error;
}

/* --- Reading and writing --- */

/* The next packet; -EAGAIN, -EBADFD. Also what it was: packets leave the device's RCU section. */
static int take(struct tun_file *f, struct packet **out, u16 *flags)
{
	struct tun *tun;
	int error = 0;

	rcu_read_lock();
	tun = rcu_dereference(f->tun);
	if (tun) {
		spin_lock(&tun->lock);
		*out = packet_queue_take(&tun->queue);
		spin_unlock(&tun->lock);
		*flags = tun->flags;
		if (!*out)
			error = -EAGAIN;
	} else {
		error = -EBADFD;
	}
	rcu_read_unlock();
	return error;
}

static ssize_t tun_read(struct file *file, struct iter *it, u64 *offset)
{
	struct tun_file *f = file->private;
	struct tun_pi header = {};
	struct packet *packet;
	size_t size, room = it->remaining, wanted;
	u16 flags;
	int error = take(f, &packet, &flags);

	(void)offset;
	if (error)
		return error;
	size = packet->length;
	if (!(flags & IFF_NO_PI)) {
		if (room < sizeof(header)) {
			packet_free(packet);
			return -EINVAL;
		}
		if (room < sizeof(header) + size)
			header.flags |= TUN_PKT_STRIP;
		header.proto = net16(packet->protocol);
		if (iter_copy_to(it, &header, sizeof(header)) < sizeof(header))
			error = -EFAULT;
		size += sizeof(header);
	}
	wanted = MIN((size_t)packet->length, it->remaining);
	if (!error && packet_copy_to_iter(packet, 0, it, wanted) < wanted)
		error = -EFAULT;
	packet_free(packet);
	return error ? error : (ssize_t)MIN(size, room);
}

/* What a packet without a link header is, by its version. */
static u16 version_protocol(const struct packet *packet)
{
	switch (packet->data[0] >> 4) {
	case 4:
		return ETH_P_IP;
	case 6:
		return ETH_P_IPV6;
	default:
		return 0;
	}
}

/* Sets what net_receive wants to know. -EINVAL. */
static int prepare(struct tun *tun, struct packet *packet, u16 protocol)
{
	packet->device = &tun->device;
	packet->link_header = (u16)packet_headroom(packet);
	if (tun->flags & IFF_TAP) {
		if (packet->linear < ETH_HLEN)
			return -EINVAL;
		packet->protocol = load_net16(packet->data + 2 * ETH_ALEN);
		packet->kind = net_ethernet_kind(&tun->device, packet->data);
		packet_pull(packet, ETH_HLEN);
		return 0;
	}
	if (!packet->linear)
		return -EINVAL;
	packet->kind = PACKET_HOST;
	packet->protocol = tun->flags & IFF_NO_PI ? version_protocol(packet) : protocol;
	return packet->protocol ? 0 : -EINVAL;
}

/* Takes the packet. 0, -EBADFD, -EIO (down), -EINVAL. */
static int receive(struct tun_file *f, struct packet *packet, u16 protocol)
{
	struct tun *tun;
	int error;

	rcu_read_lock();
	tun = rcu_dereference(f->tun);
	if (!tun)
		error = -EBADFD;
	else if (!(tun->device.flags & IFF_UP))
		error = -EIO;
	else
		error = prepare(tun, packet, protocol);
	if (error)
		packet_free(packet);
	else
		net_receive_local(packet);
	rcu_read_unlock();
	return error;
}

/* Flags of the attached device; -EBADFD. */
static int attached_flags(struct tun_file *f)
{
	struct tun *tun;
	int flags;

	rcu_read_lock();
	tun = rcu_dereference(f->tun);
	flags = tun ? tun->flags : -EBADFD;
	rcu_read_unlock();
	return flags;
}

static ssize_t tun_write(struct file *file, struct iter *it, u64 *offset)
{
	struct tun_file *f = file->private;
	size_t size = it->remaining;
	struct tun_pi header = {};
	struct packet *packet;
	int flags = attached_flags(f), error;

	(void)offset;
	if (flags < 0)
		return flags;
	if (!(flags & IFF_NO_PI)) {
		if (size < sizeof(header))
			return -EINVAL;
		if (iter_copy_from(it, &header, sizeof(header)) < sizeof(header))
			return -EFAULT;
	}
	if (!it->remaining || it->remaining > FRAME_MAX)
		return -EINVAL;
	packet = packet_alloc();
	if (!packet)
		return -ENOMEM;
	error = packet_fill(packet, it);
	if (error) {
		packet_free(packet);
		return error;
	}
	error = receive(f, packet, net16(header.proto));
	return error ? error : (ssize_t)size;
}

static u32 tun_ready(struct file *file)
{
	struct tun_file *f = file->private;
	u32 events = EPOLLERR;
	struct tun *tun;

	rcu_read_lock();
	tun = rcu_dereference(f->tun);
	if (tun) {
		spin_lock(&tun->lock);
		events = tun->queue.count ? EPOLLIN | EPOLLRDNORM : 0;
		spin_unlock(&tun->lock);
		events |= EPOLLOUT | EPOLLWRNORM;
	}
	rcu_read_unlock();
	return events;
}

/* --- Controls --- */

static bool may_attach(const struct tun *tun)
{
	const struct credentials *c = current_credentials();

	if (capable(CAP_NET_ADMIN))
		return true;
	return (tun->owner != NOBODY || tun->group != NOBODY) &&
	       (tun->owner == NOBODY || tun->owner == c->euid) &&
	       (tun->group == NOBODY || credentials_in_group(c, tun->group));
}

static int attach(struct file *file, struct tun *tun) __must_hold(&net_links_lock)
{
	struct tun_file *f = file->private;
	bool busy;

	spin_lock(&tun->lock);
	busy = tun->file;
	if (!busy)
		tun->file = file;
	spin_unlock(&tun->lock);
	if (busy)
		return -EBUSY;
	rcu_assign(f->tun, tun);
	net_device_mark_carrier(&tun->device, tun->device.flags & IFF_UP);
	return 0;
}

/* The device of that name, or a new one; attached to the file. */
static int set_interface(struct file *file, struct ifreq *request) __must_hold(&net_links_lock)
{
	struct tun_file *f = file->private;
	u16 flags = (u16)request->ifr_flags, kind = flags & (IFF_TUN | IFF_TAP);
	struct net_device *device;
	struct tun *tun;
	int error;

	if (f->tun)
		return -EINVAL;
	if (kind != IFF_TUN && kind != IFF_TAP)
		return -EINVAL;
	if (flags & ~KNOWN_FLAGS)
		return -EINVAL;
	request->ifr_name[IFNAMSIZ - 1] = '\0';
	mutex_lock(&f->network->config);
	device = *request->ifr_name ? net_device_find_name(f->network, request->ifr_name) : nullptr;
	mutex_unlock(&f->network->config);
	if (device) { /* it stays: only who holds net_links_lock destroys it */
		if ((flags & IFF_TUN_EXCL) || device->kind != &tun_kind)
			return flags & IFF_TUN_EXCL ? -EBUSY : -EINVAL;
		tun = tun_of(device);
		if ((tun->flags & (IFF_TUN | IFF_TAP)) != kind)
			return -EINVAL;
		if (!may_attach(tun))
			return -EPERM;
		tun->flags = flags & (IFF_TUN | IFF_TAP | IFF_NO_PI);
	} else {
		if (!capable(CAP_NET_ADMIN))
			return -EPERM;
		error = tun_create(f->network, request->ifr_name, flags, &tun);
		if (error)
			return error;
	}
	memcpy(request->ifr_name, tun->device.name, IFNAMSIZ);
	return attach(file, tun);
}

static int get_interface(struct tun *tun, struct ifreq *request)
{
	*request = (struct ifreq){};
	memcpy(request->ifr_name, tun->device.name, IFNAMSIZ);
	request->ifr_flags = (short)(tun->flags | (tun->persistent ? IFF_PERSIST : 0));
	return 0;
}

/* TUNSETFILTEREBPF: the descriptor of a program, -1 for none. */
static int set_filter(struct tun *tun, const int __user *user)
{
	int fd;

	if (get_user(fd, user))
		return -EFAULT;
	if (fd != -1)
		return socket_program_attach_handle(&tun->filter, &fd, sizeof(fd));
	(void)socket_program_detach(&tun->filter);
	return 0;
}

/* TUNSET* of an attached device whose argument is no interface. */
static int set_value(struct tun *tun, unsigned request, unsigned long argument)
{
	switch (request) {
	case TUNSETPERSIST:
		tun->persistent = argument;
		return 0;
	case TUNSETOWNER:
		tun->owner = (u32)argument;
		return 0;
	case TUNSETGROUP:
		tun->group = (u32)argument;
		return 0;
	case TUNSETNOCSUM: /* obsolete: checksums are always made */
		return 0;
	case TUNSETOFFLOAD: /* none is */
		return argument ? -EINVAL : 0;
	case TUNSETFILTEREBPF:
		return set_filter(tun, __force_user(const int __user *, argument));
	default:
		return -ENOTTY;
	}
}

static int control(struct file *file, unsigned request, unsigned long argument,
		   struct ifreq *interface) __must_hold(&net_links_lock)
{
	struct tun_file *f = file->private;

	if (request == TUNSETIFF)
		return set_interface(file, interface);
	if (!f->tun)
		return -EBADFD;
	if (request == TUNGETIFF)
		return get_interface(f->tun, interface);
	return set_value(f->tun, request, argument);
}

static long tun_ioctl(struct file *file, unsigned request, unsigned long argument)
{
	void __user *user = (void __user *)argument;
	u32 features = KNOWN_FLAGS;
	struct ifreq interface = {};
	int error;

	if (request == TUNGETFEATURES)
		return copy_to_user(user, &features, sizeof(features)) ? -EFAULT : 0;
	if (request == TUNSETIFF && copy_from_user(&interface, user, sizeof(interface)))
		return -EFAULT;
	mutex_lock(&net_links_lock);
	error = control(file, request, argument, &interface);
	mutex_unlock(&net_links_lock);
	if (!error && (request == TUNSETIFF || request == TUNGETIFF) &&
	    copy_to_user(user, &interface, sizeof(interface)))
		error = -EFAULT;
	return error;
}

/* --- Life of a file --- */

static void tun_file_destroy(struct file *file)
{
	struct tun_file *f = file->private;
	struct tun *tun;

	mutex_lock(&net_links_lock);
	tun = f->tun;
	if (tun && tun->persistent) {
		detach(tun);
		net_device_mark_carrier(&tun->device, false);
	} else if (tun) {
		tun_destroy(&tun->device);
	}
	mutex_unlock(&net_links_lock);
	network_put(f->network);
	kfree(f);
}

static const struct file_ops tun_file_ops = {
	FILE_OPS_DEFAULTS,  .read = tun_read,	.write = tun_write,
	.ready = tun_ready, .ioctl = tun_ioctl, .destroy = tun_file_destroy,
};

static int tun_open(struct inode *inode, struct file *file)
{
	struct tun_file *f = kzalloc(sizeof(*f), 0);

	(void)inode;
	if (!f)
		return -ENOMEM;
	f->network = current_network();
	network_get(f->network);
	file->private = f;
	file->ops = &tun_file_ops;
	file->mode |= FILE_MODE_STREAM;
	return 0;
}

static struct device_node tun_node = {
	.name = "net/tun",
	.class_name = "misc",
	.mode = S_IFCHR | 0600,
	.open = tun_open,
};

void tun_init(void)
{
	net_link_kind_register(&tun_kind);
	tun_node.device = device_make(MISC_MAJOR, TUN_MINOR);
	device_register(&tun_node);
}
