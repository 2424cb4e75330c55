/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases of IPv6 flow labels. A label is in the list of all while sockets hold it, and then for as long as it lingers, so that a new
 * flow is not taken for the old one; lists are short, and looked through only by the calls that lease. Lock order: list_lock inside the
 * lock of a socket.
 */
#include <core/random.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/flow_label.h>
#include <net/namespace.h>
#include <obj/credentials.h>
#include <proc/task.h>

#include <linux/capability.h>
#include <linux/in6.h>

#define LABEL_MASK 0xfffffu
#define LABELS_MAX 4096
#define LEASES_MAX 32 /* of one socket, without CAP_NET_ADMIN */
#define LINGER_MIN 6  /* seconds */
#define LINGER_MAX 150

struct flow_label {
	struct flow_label *next;
	u64 network; /* serial of the name space */
	u64 linger_ns, expires_ns;
	u32 label, users;
	u8 share;  /* IPV6_FL_S_* */
	u64 owner; /* process or user, as `share` says */
	struct in6_addr destination;
};

struct flow_lease {
	struct flow_lease *next;
	struct flow_label *label;
};

static struct spinlock list_lock = SPINLOCK_INIT(RANK_NET_LINK);
static struct flow_label *labels __guarded_by(&list_lock);
static u32 label_count __guarded_by(&list_lock);

/* Frees what nobody holds and has lingered long enough. */
static void expire(u64 now) __must_hold(&list_lock)
{
	struct flow_label **link = &labels, *l;

	while ((l = *link)) {
		if (l->users || l->expires_ns > now) {
			link = &l->next;
			continue;
		}
		*link = l->next;
		label_count--;
		kfree(l);
	}
}

static struct flow_label *find(u64 network, u32 label) __must_hold(&list_lock)
{
	struct flow_label *l = labels;

	while (l && (l->network != network || l->label != label))
		l = l->next;
	return l;
}

/* Seconds that a program asks for; 0: too many for it. */
static u64 seconds(u16 wanted)
{
	if (wanted < LINGER_MIN)
		return LINGER_MIN;
	return wanted > LINGER_MAX && !capable(CAP_NET_ADMIN) ? 0 : wanted;
}

/* The times of a label, from now on; never less than it has. */
static int renew(struct flow_label *l, const struct in6_flowlabel_req *q)
{
	u64 linger = seconds(q->flr_linger) * NSEC_PER_SEC;
	u64 expires = seconds(q->flr_expires) * NSEC_PER_SEC;

	if (!linger || !expires)
		return -EPERM;
	l->linger_ns = MAX(l->linger_ns, linger);
	expires = MAX(expires, l->linger_ns) + clock_monotonic_ns();
	l->expires_ns = MAX(l->expires_ns, expires);
	return 0;
}

static int create(const struct inet_socket *s, const struct in6_flowlabel_req *q,
		  struct flow_label **out)
{
	struct flow_label l = { .network = s->node.network->serial,
				.label = net32(q->flr_label) & LABEL_MASK,
				.users = 1,
				.share = q->flr_share,
				.destination = q->flr_dst };
	int error;

	switch (q->flr_share) {
	case IPV6_FL_S_EXCL:
	case IPV6_FL_S_ANY:
		break;
	case IPV6_FL_S_PROCESS:
		l.owner = (u64)current_process()->pid;
		break;
	case IPV6_FL_S_USER:
		l.owner = current_credentials()->euid;
		break;
	default:
		return -EINVAL;
	}
	error = renew(&l, q);
	if (error)
		return error;
	*out = kmalloc(sizeof(l), ALLOC_USER);
	if (!*out)
		return -ENOMEM;
	**out = l;
	return 0;
}

static bool may_share(const struct flow_label *old, const struct flow_label *new)
{
	return old->share == new->share && old->share != IPV6_FL_S_EXCL && old->owner == new->owner;
}

/* Takes one more of a label that is there, or enters the new one, which is taken over in any case. */
static int intern(struct inet_socket *s, struct flow_label *new, u16 flags, bool room,
		  struct flow_label **out) __must_hold(&list_lock)
{
	struct flow_label *old = new->label ? find(new->network, new->label) : nullptr;
	int error = 0;

	if (old && (old->users || (flags & IPV6_FL_F_CREATE))) {
		if (flags & IPV6_FL_F_EXCL)
			error = -EEXIST;
		else if (!may_share(old, new))
			error = -EPERM;
		if (!error) {
			old->linger_ns = MAX(old->linger_ns, new->linger_ns);
			old->expires_ns = MAX(old->expires_ns, new->expires_ns);
			old->users++;
			*out = old;
		}
		kfree(new);
		return error;
	}
	if (!(flags & IPV6_FL_F_CREATE) || !room || label_count >= LABELS_MAX) {
		kfree(new);
		return flags & IPV6_FL_F_CREATE ? -ENOBUFS : -ENOENT;
	}
	while (!new->label || find(new->network, new->label) != nullptr)
		new->label = (u32)random_u64() & LABEL_MASK;
	new->next = labels;
	labels = new;
	label_count++;
	if (new->share != IPV6_FL_S_ANY)
		WRITE_ONCE(s->node.network->labels_exclusive, true);
	*out = new;
	return 0;
}

static int get(struct inet_socket *s, struct in6_flowlabel_req *q)
{
	struct flow_lease *lease;
	struct flow_label *new;
	unsigned count = 0;
	bool privileged = capable(CAP_NET_ADMIN);
	int error;

	if (q->flr_label & ~net32(LABEL_MASK))
		return -EINVAL;
	error = create(s, q, &new);
	if (error)
		return error;
	lease = kmalloc(sizeof(*lease), ALLOC_USER);
	if (!lease) {
		kfree(new);
		return -ENOMEM;
	}
	spin_lock(&s->lock);
	for (const struct flow_lease *l = s->flow_leases; l; l = l->next)
		count++;
	spin_lock(&list_lock);
	expire(clock_monotonic_ns());
	error = intern(s, new, q->flr_flags, privileged || count < LEASES_MAX, &lease->label);
	if (!error) {
		q->flr_label = net32(lease->label->label);
		lease->next = s->flow_leases;
		s->flow_leases = lease;
	}
	spin_unlock(&list_lock);
	spin_unlock(&s->lock);
	if (error)
		kfree(lease);
	return error;
}

static void drop(struct flow_label *l) __must_hold(&list_lock)
{
	l->users--;
	l->expires_ns = MAX(l->expires_ns, clock_monotonic_ns() + l->linger_ns);
}

static struct flow_lease **find_lease(struct inet_socket *s, u32 label) __must_hold(&s->lock)
{
	struct flow_lease **link = &s->flow_leases;

	while (*link && (*link)->label->label != label)
		link = &(*link)->next;
	return link;
}

static int put_or_renew(struct inet_socket *s, const struct in6_flowlabel_req *q)
{
	struct flow_lease **link, *lease;
	int error = -ESRCH;

	spin_lock(&s->lock);
	link = find_lease(s, net32(q->flr_label) & LABEL_MASK);
	lease = *link;
	if (lease) {
		spin_lock(&list_lock);
		error = 0;
		if (q->flr_action == IPV6_FL_A_RENEW) {
			error = renew(lease->label, q);
		} else {
			drop(lease->label);
			*link = lease->next;
			kfree(lease);
		}
		spin_unlock(&list_lock);
	}
	spin_unlock(&s->lock);
	return error;
}

int inet_flow_label_manage(struct inet_socket *s, void *value, size_t length)
{
	struct in6_flowlabel_req *q = value;

	if (length < sizeof(*q))
		return -EINVAL;
	if (q->flr_flags & IPV6_FL_F_REFLECT)
		return -ENOPROTOOPT; /* a connection does not take the label of its peer here */
	if (length > sizeof(*q))
		return -EINVAL; /* extension headers that go with the label: not here */
	switch (q->flr_action) {
	case IPV6_FL_A_GET:
		return get(s, q);
	case IPV6_FL_A_PUT:
	case IPV6_FL_A_RENEW:
		return put_or_renew(s, q);
	default:
		return -EINVAL;
	}
}

bool inet_flow_label_usable(struct inet_socket *s, u32 label)
{
	bool leased;

	if (likely(!READ_ONCE(s->node.network->labels_exclusive)))
		return true;
	spin_lock(&s->lock);
	leased = *find_lease(s, label) != nullptr;
	spin_unlock(&s->lock);
	return leased;
}

void inet_flow_labels_release(struct flow_lease *lease)
{
	spin_lock(&list_lock);
	while (lease) {
		struct flow_lease *next = lease->next;

		drop(lease->label);
		kfree(lease);
		lease = next;
	}
	spin_unlock(&list_lock);
}

void inet_flow_labels_for_each(const struct network_namespace *network,
			       void (*visit)(const struct flow_label_description *label, void *arg),
			       void *arg)
{
	u64 now = clock_monotonic_ns();

	spin_lock(&list_lock);
	for (const struct flow_label *l = labels; l; l = l->next) {
		struct flow_label_description d = { .label = l->label,
						    .users = l->users,
						    .share = l->share,
						    .owner = l->owner,
						    .linger_s = l->linger_ns / NSEC_PER_SEC,
						    .destination = l->destination };

		if (l->expires_ns > now)
			d.expires_s = (l->expires_ns - now) / NSEC_PER_SEC;
		if (l->network == network->serial)
			visit(&d, arg);
	}
	spin_unlock(&list_lock);
}
