/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PACKET_FANOUT (packet(7)): sockets that listen to the same share what they get. The first member of a group stands for it: when it
 * wants a packet, one of the members is chosen. Members and groups are read under RCU; they change under packet_list_lock.
 */
#include <core/percpu.h>
#include <core/random.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/checksum.h>
#include <net/filter.h>
#include <net/ipv4/ipv4.h>
#include <net/packet/packet_priv.h>
#include <net/protocol.h>

#include <linux/if_ether.h>
#include <linux/in.h>

#define MEMBERS_DEFAULT 256u
#define MEMBERS_MAX (1u << 16)
#define FLAGS                                                                                      \
	(PACKET_FANOUT_FLAG_ROLLOVER | PACKET_FANOUT_FLAG_UNIQUEID | FLAG_IGNORE_OUTGOING |        \
	 PACKET_FANOUT_FLAG_DEFRAG)
#define FLAG_IGNORE_OUTGOING 0x4000 /* of <linux/if_packet.h> since 6.0 */
#define ID_MAX UINT16_MAX

struct packet_fanout {
	struct packet_fanout *next; /* under packet_list_lock */
	const struct network_namespace *network;
	struct socket_program *program; /* PACKET_FANOUT_DATA; RCU */
	u16 id, flags, protocol;
	u8 type; /* PACKET_FANOUT_* */
	int index;
	u32 turn; /* of PACKET_FANOUT_LB; atomic */
	u32 count, max;
	struct packet_socket *members[] __counted_by(max); /* the first `count`; RCU */
};

static struct packet_fanout *groups __guarded_by(&packet_list_lock);

/* --- Which one --- */

/* What tells the flow of a packet: the smaller end first, so that both directions are the same. */
struct flow_key {
	u8 addresses[2][16];
	u16 ports[2];
	u32 protocol;
};

static void order(struct flow_key *key)
{
	struct flow_key k = *key;
	int order = memcmp(k.addresses[0], k.addresses[1], sizeof(k.addresses[0]));

	if (order < 0 || (!order && net16(k.ports[0]) <= net16(k.ports[1])))
		return;
	for (unsigned i = 0; i < 2; i++) {
		memcpy(key->addresses[i], k.addresses[!i], sizeof(k.addresses[0]));
		key->ports[i] = k.ports[!i];
	}
}

/* `header`: bytes of the Internet header at `at`, behind which the ports are. */
static void take_ports(const struct packet *p, unsigned at, struct flow_key *key)
{
	if (key->protocol == IPPROTO_TCP || key->protocol == IPPROTO_UDP ||
	    key->protocol == IPPROTO_UDPLITE)
		(void)!packet_copy(p, at, key->ports, sizeof(key->ports));
}

u32 packet_flow_hash(const struct packet *p)
{
	static struct siphash_key secret;
	unsigned at = p->network_header - packet_headroom(p);
	struct flow_key key = { .protocol = p->protocol };
	u8 h[40];

	if (unlikely(!secret.words[0]))
		random_bytes(&secret, sizeof(secret));
	if (p->network_header < packet_headroom(p))
		at = 0; /* SOCK_DGRAM: the data is the Internet header's */
	if (p->protocol == ETH_P_IP && packet_copy(p, at, h, 20)) {
		key.protocol = h[9];
		memcpy(key.addresses[0], h + 12, 4);
		memcpy(key.addresses[1], h + 16, 4);
		if (!(load_net16(h + 6) & 0x3fff)) /* fragments have no ports but the first */
			take_ports(p, at + (h[0] & 15) * 4u, &key);
	} else if (p->protocol == ETH_P_IPV6 && packet_copy(p, at, h, 40)) {
		key.protocol = h[6];
		memcpy(key.addresses, h + 8, sizeof(key.addresses));
		take_ports(p, at + 40, &key);
	}
	order(&key);
	return (u32)siphash(&key, sizeof(key), &secret);
}

enum room { ROOM_NONE, ROOM_LOW, ROOM_NORMAL };

static enum room room_of(struct packet_socket *s, u32 memory)
{
	enum room room;
	s64 left;

	spin_lock(&s->lock);
	if (packet_receives_in_ring(s)) {
		room = packet_ring_has_room(s, 4)   ? ROOM_NORMAL
		       : packet_ring_has_room(s, 0) ? ROOM_LOW
						    : ROOM_NONE;
	} else {
		left = (s64)s->socket->receive_buffer - s->queued - memory;
		room = left > s->socket->receive_buffer / 4 ? ROOM_NORMAL
		       : left > 0			    ? ROOM_LOW
							    : ROOM_NONE;
	}
	spin_unlock(&s->lock);
	return room;
}

/* More than half of what the socket got of late is of this flow. */
static bool is_huge(struct packet_socket *s, u32 hash)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ROLLOVER_HISTORY; i++)
		count += READ_ONCE(s->rollover_history[i]) == hash;
	WRITE_ONCE(s->rollover_history[random_below(ROLLOVER_HISTORY)], hash);
	return count > ROLLOVER_HISTORY / 2;
}

/* The chosen one, or while it has little room (with `keep` else it comes last) another that has enough. */
static u32 roll_over(struct packet_fanout *f, const struct packet *p, u32 chosen, bool keep,
		     u32 count)
{
	struct packet_socket *s = rcu_dereference(f->members[chosen]), *other;
	u32 memory = packet_memory(p), start, i;
	enum room room = ROOM_NONE;

	if (keep) {
		room = room_of(s, memory);
		if (room == ROOM_NORMAL || (room == ROOM_LOW && !is_huge(s, packet_flow_hash(p))))
			return chosen;
	}
	start = i = MIN(READ_ONCE(s->rollover_next), count - 1);
	do {
		other = rcu_dereference(f->members[i]);
		if ((!keep || other != s) && room_of(other, memory) == ROOM_NORMAL) {
			if (i != start)
				WRITE_ONCE(s->rollover_next, i);
			s->rolled_over++;
			s->rolled_huge += room == ROOM_LOW;
			return i;
		}
		if (++i == count)
			i = 0;
	} while (i != start);
	s->rollovers_failed++;
	return chosen;
}

/* What came in begins for the program at the network header, what goes out at the link header, as on Linux. */
static u32 index_by_program(struct packet_fanout *f, struct socket *socket, struct packet *p)
{
	const struct socket_program *program = rcu_dereference(f->program);
	unsigned header = p->kind == PACKET_OUTGOING ? 0 : p->network_header - p->link_header;
	struct filter_view view;
	u32 index = 0;

	packet_pull(p, header);
	view = filter_view_packet(p);
	if (program)
		index = socket_program_run(program, &view, socket);
	packet_push(p, header);
	return index;
}

/* A datagram in one piece again, its link header in front. Takes the packet; null: it is too long. */
static struct packet *finish_datagram(struct packet *p, unsigned link, unsigned header)
{
	struct ipv4_header *h = (struct ipv4_header *)p->data;

	if (p->length > UINT16_MAX) {
		packet_free(p);
		return nullptr;
	}
	h->total_length = net16((u16)p->length);
	h->fragment = 0;
	h->checksum = 0;
	h->checksum = (u16)~checksum_fold(checksum_add(h, header, 0));
	packet_push(p, link);
	return p;
}

/* PACKET_FANOUT_FLAG_DEFRAG: fragments of IPv4 wait until they are whole. Takes the packet; null: it waits. */
static struct packet *defragment(const struct packet_fanout *f, struct packet *p)
{
	unsigned link = p->network_header - p->link_header, header;
	struct fragment_key key = { .user = f };
	struct ipv4_header h;
	u16 fragment;

	if (p->protocol != ETH_P_IP || !packet_copy(p, link, &h, sizeof(h)))
		return p;
	header = (h.version_length & 15) * 4u;
	fragment = net16(h.fragment);
	if (!(fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK)) || h.version_length >> 4 != 4 ||
	    header < sizeof(h) || net16(h.total_length) < header ||
	    p->length - link < net16(h.total_length) || !packet_linearize(p, link + header))
		return p;
	key.source = inet_from_v4(h.source);
	key.destination = inet_from_v4(h.destination);
	key.identification = h.identification;
	key.protocol = h.protocol;
	packet_trim(p, link + net16(h.total_length));
	packet_pull(p, link);
	p = inet_reassemble(p, &key, p->device->network, header, (fragment & IPV4_OFFSET_MASK) * 8u,
			    fragment & IPV4_MORE_FRAGMENTS);
	return p ? finish_datagram(p, link, header) : nullptr;
}

/* Which member, by the type of the group. */
static u32 choose(struct packet_fanout *f, struct socket *socket, struct packet *p, u32 count)
{
	switch (f->type) {
	case PACKET_FANOUT_HASH:
		return (u32)((u64)packet_flow_hash(p) * count >> 32);
	case PACKET_FANOUT_LB:
		return __atomic_add_fetch(&f->turn, 1, __ATOMIC_RELAXED) % count;
	case PACKET_FANOUT_CPU:
		return cpu_id() % count;
	case PACKET_FANOUT_QM:
		return p->queue % count;
	case PACKET_FANOUT_RND:
		return (u32)random_below(count);
	case PACKET_FANOUT_CBPF:
	case PACKET_FANOUT_EBPF:
		return index_by_program(f, socket, p) % count;
	case PACKET_FANOUT_ROLLOVER:
		return roll_over(f, p, 0, false, count);
	default:
		return 0;
	}
}

struct packet_socket *packet_fanout_choose(struct packet_socket *s, struct packet **packet)
{
	struct packet_fanout *f = rcu_dereference(s->fanout);
	u32 count, i;

	if (!f) /* it has just left */
		return s;
	count = __atomic_load_n(&f->count, __ATOMIC_ACQUIRE);
	if (!count || rcu_dereference(f->members[0]) != s)
		return nullptr;
	if (f->flags & PACKET_FANOUT_FLAG_DEFRAG) {
		*packet = defragment(f, *packet);
		if (!*packet)
			return nullptr;
	}
	i = choose(f, s->socket, *packet, count);
	if (f->flags & PACKET_FANOUT_FLAG_ROLLOVER)
		i = roll_over(f, *packet, i, true, count);
	return rcu_dereference(f->members[i]);
}

/* --- Groups --- */

static struct packet_fanout *find(const struct network_namespace *network, u16 id)
	__must_hold(&packet_list_lock)
{
	struct packet_fanout *f = groups;

	while (f && (f->network != network || f->id != id))
		f = f->next;
	return f;
}

/* PACKET_FANOUT_FLAG_UNIQUEID: a number that no group has. */
static int free_id(const struct network_namespace *network, u16 *out) __must_hold(&packet_list_lock)
{
	for (u32 id = 1; id <= ID_MAX; id++)
		if (!find(network, (u16)id)) {
			*out = (u16)id;
			return 0;
		}
	return -ENOMEM;
}

static int create(const struct packet_socket *s, const struct fanout_args *args,
		  struct packet_fanout **out) __must_hold(&packet_list_lock)
{
	u32 max = args->max_num_members ? args->max_num_members : MEMBERS_DEFAULT;
	struct packet_fanout *f;

	if (max > MEMBERS_MAX)
		return -EINVAL;
	f = kvmalloc(sizeof(*f) + max * sizeof(f->members[0]), ALLOC_ZERO | ALLOC_USER);
	if (!f)
		return -ENOMEM;
	f->max = max;
	f->network = s->socket->network;
	f->id = args->id;
	f->type = (u8)args->type_flags;
	f->flags = args->type_flags & 0xff00;
	f->protocol = s->protocol;
	f->index = s->index;
	f->next = groups;
	groups = f;
	*out = f;
	return 0;
}

static void unlink_group(struct packet_fanout *f) __must_hold(&packet_list_lock)
{
	struct packet_fanout **link = &groups;

	while (*link != f)
		link = &(*link)->next;
	*link = f->next;
}

static int join(struct packet_socket *s, struct fanout_args *args) __must_hold(&packet_list_lock)
{
	struct packet_fanout *f;
	int error = 0;

	if (s->fanout)
		return -EALREADY;
	if (!s->tapping)
		return -EINVAL;
	if (args->type_flags & PACKET_FANOUT_FLAG_UNIQUEID) {
		error = args->id ? -EINVAL : free_id(s->socket->network, &args->id);
		if (error)
			return error;
		args->type_flags &= (u16)~PACKET_FANOUT_FLAG_UNIQUEID;
	}
	f = find(s->socket->network, args->id);
	if (f && (f->flags != (args->type_flags & 0xff00) ||
		  (args->max_num_members && f->max != args->max_num_members)))
		return -EINVAL;
	if (!f)
		error = create(s, args, &f);
	if (error)
		return error;
	if (f->type != (u8)args->type_flags || f->protocol != s->protocol || f->index != s->index)
		return -EINVAL;
	if (f->count == f->max)
		return -ENOSPC;
	if (f->flags & FLAG_IGNORE_OUTGOING)
		s->ignore_outgoing = true;
	rcu_assign(f->members[f->count], s);
	__atomic_store_n(&f->count, f->count + 1, __ATOMIC_RELEASE);
	rcu_assign(s->fanout, f);
	return 0;
}

static bool type_ok(u16 type_flags)
{
	u8 type = (u8)type_flags;

	if ((type_flags & 0xff00) & ~FLAGS)
		return false;
	return type == PACKET_FANOUT_ROLLOVER ? !(type_flags & PACKET_FANOUT_FLAG_ROLLOVER)
					      : type <= PACKET_FANOUT_EBPF;
}

int packet_fanout_join(struct packet_socket *s, const void *value, size_t length)
{
	struct fanout_args args = {};
	int error;

	if (length != sizeof(int) && length != sizeof(args))
		return -EINVAL;
	memcpy(&args, value, length);
	if (!type_ok(args.type_flags))
		return -EINVAL;
	mutex_lock(&packet_list_lock);
	error = join(s, &args);
	mutex_unlock(&packet_list_lock);
	return error;
}

int packet_fanout_set_data(struct packet_socket *s, const void *value, size_t length)
{
	struct packet_fanout *f;
	int error = -EINVAL;

	mutex_lock(&packet_list_lock);
	f = s->fanout;
	if (f && (f->type == PACKET_FANOUT_CBPF || f->type == PACKET_FANOUT_EBPF) &&
	    (s->socket->options & SOCKET_LOCK_FILTER))
		error = -EPERM;
	else if (f && f->type == PACKET_FANOUT_CBPF)
		error = socket_program_attach(&f->program, value, length);
	else if (f && f->type == PACKET_FANOUT_EBPF)
		error = socket_program_attach_handle(&f->program, value, length);
	mutex_unlock(&packet_list_lock);
	return error;
}

int packet_fanout_describe(const struct packet_socket *s)
{
	int value = 0;

	mutex_lock(&packet_list_lock);
	if (s->fanout)
		value = (int)(s->fanout->id | (u32)s->fanout->type << 16 |
			      (u32)s->fanout->flags << 16);
	mutex_unlock(&packet_list_lock);
	return value;
}

struct packet_fanout *packet_fanout_leave(struct packet_socket *s)
{
	struct packet_fanout *f = s->fanout;
	u32 i = 0;

	if (!f)
		return nullptr;
	while (f->members[i] != s)
		i++;
	/* Readers that still count the last one find it in both places, or the one that goes: both are there yet. */
	rcu_assign(f->members[i], f->members[f->count - 1]);
	__atomic_store_n(&f->count, f->count - 1, __ATOMIC_RELEASE);
	rcu_assign(s->fanout, nullptr);
	if (f->count)
		return nullptr;
	unlink_group(f);
	return f;
}

void packet_fanout_free(struct packet_fanout *f)
{
	if (f && f->program)
		(void)socket_program_detach(&f->program);
	kvfree(f);
}
