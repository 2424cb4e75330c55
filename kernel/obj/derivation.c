/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The derivation tree. The theory is in derivation.h.
 *
 * One mutex guards all trees: it is taken to derive, to revoke and when the last handle of a derived node is closed, never
 * to look a handle up. Revocation takes the doomed nodes out of the tree under it and does the rest, which wakes, unmaps
 * and waits, without it.
 */
#include <core/panic.h>
#include <core/wait.h>
#include <lib/errno.h>
#include <lib/refs.h>
#include <mm/aspace.h>
#include <mm/slab.h>
#include <obj/derivation.h>
#include <obj/object.h>
#include <sched/thread.h>

#include <linux/eventpoll.h>

static struct mutex derivation_lock = MUTEX_INIT(RANK_DERIVATION);
static struct slab_cache *node_cache, *use_cache;
/* Revocations that wait for calls in progress. */
static struct wait_queue quiet = WAIT_QUEUE_INIT(quiet);

/* --- nodes --- */

static struct derivation *
node_create(struct object *object) __no_lock_analysis /* nobody else knows it yet */
{
	struct derivation *d = slab_alloc(node_cache, ALLOC_ZERO);

	if (!d)
		return nullptr;
	d->refs = 2; /* linked, handles */
	d->handles = 1;
	d->linked = true;
	d->object = object;
	list_init(&d->children);
	list_init(&d->sibling);
	list_init(&d->uses);
	list_init(&d->mappings);
	spin_init(&d->lock, RANK_DERIVATION_USE);
	return d;
}

static void node_free(struct rcu_head *head)
{
	slab_free(node_cache, container_of(head, struct derivation, rcu));
}

static void derivation_put(struct derivation *d)
{
	if (__atomic_fetch_sub(&d->refs, 1, __ATOMIC_ACQ_REL) == 1)
		rcu_call(&d->rcu, node_free);
}

static void unlink_locked(struct derivation *d) __must_hold(&derivation_lock)
{
	list_remove(&d->sibling);
	d->parent = nullptr;
	d->linked = false;
	derivation_put(d);
}

/* Takes out a node that no handle carries, and then its ancestors, as far as (D4) allows. */
static void prune_locked(struct derivation *d) __must_hold(&derivation_lock)
{
	while (d && d->linked && !__atomic_load_n(&d->handles, __ATOMIC_ACQUIRE)) {
		struct derivation *parent = d->parent;

		if (!list_empty(&d->children)) {
			struct derivation *child =
				list_first(&d->children, struct derivation, sibling);

			if (child->sibling.next != &d->children)
				return;
			list_remove(&child->sibling);
			child->parent = parent;
			if (parent)
				list_add(&parent->children, &child->sibling);
		}
		unlink_locked(d);
		d = parent;
	}
}

void derivation_handle_gone(struct derivation *d)
{
	if (__atomic_fetch_sub(&d->handles, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	mutex_lock(&derivation_lock);
	d->object = nullptr;
	prune_locked(d);
	mutex_unlock(&derivation_lock);
	derivation_put(d);
}

void derivation_object_gone(struct object *object)
{
	struct derivation *root = object->derivation_root;

	object->derivation_root = nullptr;
	derivation_handle_gone(root);
}

/* --- deriving --- */

/* The object's root, made if need be. */
static int root_of(struct object *object, struct derivation **out)
{
	struct derivation *root = __atomic_load_n(&object->derivation_root, __ATOMIC_ACQUIRE);
	struct derivation *made;

	if (!root) {
		made = node_create(object);
		if (!made)
			return -ENOMEM;
		mutex_lock(&derivation_lock);
		root = object->derivation_root;
		if (!root) {
			__atomic_store_n(&object->derivation_root, made, __ATOMIC_RELEASE);
			root = made;
		}
		mutex_unlock(&derivation_lock);
		if (root != made)
			slab_free(node_cache, made);
	}
	*out = root;
	return 0;
}

int derivation_create(struct object *object, struct derivation *parent, struct derivation **out)
{
	struct derivation *d;
	bool revoked;
	int error = parent ? 0 : root_of(object, &parent);

	if (error)
		return error;
	d = node_create(object);
	if (!d)
		return -ENOMEM;
	mutex_lock(&derivation_lock);
	revoked = parent->revoked;
	if (!revoked) {
		d->parent = parent;
		list_add(&parent->children, &d->sibling);
	}
	mutex_unlock(&derivation_lock);
	if (revoked) {
		slab_free(node_cache, d);
		return -EKEYREVOKED;
	}
	*out = d;
	return 0;
}

u64 derivation_bytes(void)
{
	return 2 * slab_object_size(node_cache); /* its root, and that of the handle */
}

/* --- uses --- */

/* Most calls use one derived handle: there is room for that in the thread. */
static struct derivation_use *use_alloc(struct thread *self)
{
	return likely(!self->first_use.derivation) ? &self->first_use
						   : slab_alloc(use_cache, ALLOC_ATOMIC);
}

static void use_free(struct derivation_use *use)
{
	if (likely(use == &use->thread->first_use))
		use->derivation = nullptr;
	else
		slab_free(use_cache, use);
}

int derivation_enter(struct derivation *d)
{
	struct thread *self = current_thread();
	struct derivation_use *use;

	for (use = self->derivation_uses; use; use = use->next)
		if (use->derivation == d) {
			derivation_handle_closed(d);
			return derivation_revoked(d) ? -EKEYREVOKED : 0;
		}
	use = use_alloc(self);
	if (unlikely(!use)) {
		derivation_handle_closed(d);
		return -ENOMEM;
	}
	use->derivation = d;
	use->thread = self;
	use->next = self->derivation_uses;
	self->derivation_uses = use;
	spin_lock(&d->lock);
	list_add(&d->uses, &use->node);
	spin_unlock(&d->lock);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* (D1) */
	return derivation_revoked(d) ? -EKEYREVOKED : 0;
}

bool derivation_leave_all(void)
{
	struct thread *self = current_thread();
	bool revoked = false;

	while (self->derivation_uses) {
		struct derivation_use *use = self->derivation_uses;
		struct derivation *d = use->derivation;

		self->derivation_uses = use->next;
		spin_lock(&d->lock);
		list_remove(&use->node);
		spin_unlock(&d->lock);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (unlikely(derivation_revoked(d))) {
			revoked = true;
			wake_up(&quiet, 0);
		}
		derivation_handle_closed(d);
		use_free(use);
	}
	return revoked;
}

struct derivation *derivation_in_use(const struct object *object)
{
	for (struct derivation_use *use = current_thread()->derivation_uses; use; use = use->next)
		if (use->derivation->object == object) {
			derivation_handle_opened(use->derivation);
			return use->derivation;
		}
	return nullptr;
}

/* Ends the sleeps of the threads that use the node, as a signal would. */
static void interrupt_users(struct derivation *d)
{
	struct derivation_use *use;

	spin_lock(&d->lock);
	list_for_each (use, &d->uses, node) {
		if (use->thread == current_thread())
			continue;
		thread_work_set(&use->thread->base, WORK_SIGNAL);
		thread_interrupt(use->thread, false);
		thread_kick(use->thread);
	}
	spin_unlock(&d->lock);
}

/* The calling thread's own use does not count: it is the one that revokes. */
static bool others_use(struct derivation *d)
{
	struct derivation_use *use;
	bool found = false;

	spin_lock(&d->lock);
	list_for_each (use, &d->uses, node)
		found |= use->thread != current_thread();
	spin_unlock(&d->lock);
	return found;
}

/* --- mappings --- */

static void vma_derived(struct vma *vma)
{
	struct derivation *d = vma->derivation;

	derivation_handle_opened(d);
	spin_lock(&d->lock);
	list_add(&d->mappings, &vma->derivation_node);
	spin_unlock(&d->lock);
}

static void vma_underived(struct vma *vma)
{
	struct derivation *d = vma->derivation;

	spin_lock(&d->lock);
	list_remove(&vma->derivation_node);
	spin_unlock(&d->lock);
	derivation_handle_closed(d);
}

/* An address space with a mapping through the node, with a reference, or null. */
static struct aspace *mapped_in(struct derivation *d)
{
	struct aspace *as = nullptr;

	spin_lock(&d->lock);
	if (!list_empty(&d->mappings)) {
		as = list_first(&d->mappings, struct vma, derivation_node)->aspace;
		aspace_get(as);
	}
	spin_unlock(&d->lock);
	return as;
}

static void unmap_all(struct derivation *d)
{
	struct aspace *as;

	while ((as = mapped_in(d))) {
		aspace_unmap_derived(as, d);
		aspace_put(as);
	}
}

/* --- revoking --- */

/*
 * Moves everything below `d` to the list, breadth first: a node's children are appended as the walk comes to it. Each
 * keeps the reference of its place in the tree, and its object gets one.
 */
static long collect_locked(struct derivation *d, struct list_head *doomed)
	__must_hold(&derivation_lock)
{
	struct derivation *child;
	long count = 0;

	list_splice_tail(doomed, &d->children);
	list_for_each (child, doomed, sibling) {
		child->parent = nullptr;
		child->linked = false;
		__atomic_store_n(&child->revoked, true, __ATOMIC_RELEASE);
		child->doomed = child->object;
		if (child->doomed)
			object_get(child->doomed);
		list_splice_tail(doomed, &child->children);
		count++;
	}
	return count;
}

static int finish_one(struct derivation *d, int error)
{
	if (!error)
		error = wait_event_interruptible(&quiet, !others_use(d));
	unmap_all(d); /* again: what a call in progress has mapped meanwhile */
	list_remove(&d->sibling);
	if (d->doomed)
		object_put(d->doomed);
	derivation_put(d);
	return error;
}

/*
 * Who comes to revoke what another thread is just revoking finds nothing left below, and waits for that thread (D2). Only for those that
 * came before, so that two never wait for each other.
 */
struct revocation {
	struct list_head node;
	const struct object *object;
	bool incomplete; /* one that it waited for was interrupted */
};
static struct spinlock revocations_lock = SPINLOCK_INIT(RANK_DERIVATION_USE);
static struct list_head revocations __guarded_by(&revocations_lock) = LIST_INIT(revocations);

static void revocation_begin(struct revocation *own)
{
	spin_lock(&revocations_lock);
	list_add_tail(&revocations, &own->node);
	spin_unlock(&revocations_lock);
}

static bool others_revoke(const struct revocation *own)
{
	struct revocation *other;
	bool found = false;

	spin_lock(&revocations_lock);
	list_for_each (other, &revocations, node) {
		if (other == own)
			break;
		found |= other->object == own->object;
	}
	spin_unlock(&revocations_lock);
	return found;
}

static int revocation_end(struct revocation *own, int error)
{
	struct revocation *other;

	if (!error)
		error = wait_event_interruptible(&quiet, !others_revoke(own));
	spin_lock(&revocations_lock);
	list_remove(&own->node);
	if (own->incomplete)
		error = -EINTR;
	list_for_each (other, &revocations, node)
		other->incomplete |= error && other->object == own->object;
	spin_unlock(&revocations_lock);
	wake_up(&quiet, 0);
	return error;
}

long derivation_revoke(struct object *object, struct derivation *d)
{
	struct list_head doomed = LIST_INIT(doomed);
	struct revocation own = { .object = object };
	struct derivation *next;
	long count;
	int error = 0;

	mutex_lock(&derivation_lock);
	revocation_begin(&own);
	d = d ?: object->derivation_root;
	count = d ? collect_locked(d, &doomed) : 0;
	mutex_unlock(&derivation_lock);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* (D1) */
	list_for_each (next, &doomed, sibling) {
		interrupt_users(next);
		unmap_all(next);
		if (next->doomed)
			object_notify(next->doomed, EPOLLERR | EPOLLHUP);
	}
	while (!list_empty(&doomed))
		error = finish_one(list_first(&doomed, struct derivation, sibling), error);
	error = revocation_end(&own, error);
	return error ? -EINTR : count;
}

void derivation_init(void)
{
	node_cache = slab_cache_create("derivation", sizeof(struct derivation), 0);
	use_cache = slab_cache_create("derivation_use", sizeof(struct derivation_use), 0);
	mm_hooks.vma_derived = vma_derived;
	mm_hooks.vma_underived = vma_underived;
}
