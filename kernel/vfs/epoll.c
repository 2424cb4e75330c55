/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * epoll(7). An epoll is a file with a tree of items, one for each pair of object and descriptor
 * number that it watches, and a list of the items that may be ready. An item stands in the wait
 * queue of its object; when that calls, the item goes on the list. Collecting takes items off the
 * list and asks each object what is true now, so its cost depends on what happened, not on how much
 * is watched.
 *
 * (E1) The ready list is guarded by the lock of the epoll's own wait queue: an item's wake function
 * runs under the lock of the object's queue and takes this one inside it. Both have one rank; the
 * order is that of nesting, which has no cycle (E4). (E2) ep->lock guards the tree and keeps items
 * alive while events are collected. watches_lock guards the lists from objects to the items that
 * watch them, and with ep->lock every change of a tree. (E3) An item holds no reference on its
 * object. When the last one goes, object_watches_hook removes the items before the object is
 * destroyed; until then asking for readiness is safe. (E4) Epolls may watch epolls, without a cycle
 * and at most NESTING_MAX deep: checked under watches_lock.
 *
 * Lock order: watches_lock > ep->lock > (ep->lock of a nested one) > wait queue of object > wait
 * queue of epoll.
 */
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/rbtree.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <obj/inode.h>
#include <vfs/epoll.h>

#include <linux/fcntl.h>

#define NESTING_MAX 5

struct epoll {
	struct file *file; /* the one that owns this */
	struct mutex lock;
	struct rb_tree items;	/* by object and fd */
	struct list_head ready; /* guarded by queue(ep)->lock */
	/* Scratch of the nesting check, guarded by watches_lock. */
	u64 check_generation;
	int check_depth;
};

struct epoll_item {
	struct rb_node node;
	struct epoll *ep;
	struct object *object;	       /* (E3) */
	struct derivation *derivation; /* the derived handle it was added by; counts as one */
	int fd;
	struct epoll_event event; /* written under ep->lock */
	struct list_head ready_node;
	struct wait_entry entry;
	struct epoll_item *watch_next, **watch_link; /* in object->watches */
};

/* Bits of event.events that are not events. */
#define MODE_BITS (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)
#define EXCLUSIVE_OK_BITS                                                                          \
	(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

static struct mutex watches_lock;
static struct slab_cache *item_cache;
static u64 check_generation; /* guarded by watches_lock */

static const struct file_ops epoll_ops;

static struct wait_queue *queue(struct epoll *ep)
{
	return &ep->file->object.own_waiters;
}

/* The epoll behind an object, or null. */
static struct epoll *epoll_of(struct object *object)
{
	struct file *file = file_of(object);

	return object->type == &file_type && file->ops == &epoll_ops ? file->private : nullptr;
}

/* Puts the item on the ready list unless it is there, and calls one collector. */
static void mark_ready_locked(struct epoll_item *item) __must_hold(&queue(item->ep)->lock)
{
	if (list_empty(&item->ready_node))
		list_add_tail(&item->ep->ready, &item->ready_node);
	wake_up_locked(queue(item->ep), EPOLLIN | EPOLLRDNORM, 1);
}

/* The object calls. Its queue is locked and interrupts are masked (E1). */
static bool item_wake(struct wait_entry *entry, u32 events) __no_lock_analysis
{
	struct epoll_item *item = container_of(entry, struct epoll_item, entry);
	u32 wanted = READ_ONCE(item->event.events);

	if (!(wanted & ~MODE_BITS) || (events && !(events & wanted)))
		return false;
	spin_lock_nested(&queue(item->ep)->lock);
	mark_ready_locked(item);
	spin_unlock(&queue(item->ep)->lock);
	return true;
}

static void mark_ready(struct epoll_item *item) __no_lock_analysis
{
	irqflags_t flags = spin_lock_irqsave(&queue(item->ep)->lock);

	mark_ready_locked(item);
	spin_unlock_irqrestore(&queue(item->ep)->lock, flags);
}

static int item_compare(const struct object *object, int fd, const struct epoll_item *item)
{
	if (object != item->object)
		return object < item->object ? -1 : 1;
	return fd < item->fd ? -1 : fd > item->fd;
}

static struct epoll_item *find_locked(struct epoll *ep, const struct object *object, int fd)
	__must_hold(&ep->lock)
{
	struct rb_node *n = ep->items.root;

	while (n) {
		struct epoll_item *item = rb_entry(n, struct epoll_item, node);
		int order = item_compare(object, fd, item);

		if (order == 0)
			return item;
		n = order < 0 ? n->left : n->right;
	}
	return nullptr;
}

static void link_item(struct epoll_item *item) __must_hold(&watches_lock)
{
	struct rb_node **link = &item->ep->items.root, *parent = nullptr;
	struct epoll_item *first = item->object->watches;

	while (*link) {
		parent = *link;
		link = item_compare(item->object, item->fd,
				    rb_entry(parent, struct epoll_item, node)) < 0
			       ? &parent->left
			       : &parent->right;
	}
	rb_insert(&item->ep->items, &item->node, parent, link, nullptr);
	item->watch_next = first;
	item->watch_link = (struct epoll_item **)&item->object->watches;
	if (first)
		first->watch_link = &item->watch_next;
	item->object->watches = item;
}

/* Takes an item out of everything and frees it. Its ep->lock is held too. */
static void remove_item(struct epoll_item *item) __must_hold(&watches_lock) __no_lock_analysis
{
	struct wait_queue *q = queue(item->ep);
	irqflags_t flags;

	wait_queue_remove(item->object->waiters, &item->entry); /* after this it is not called */
	flags = spin_lock_irqsave(&q->lock);
	list_remove(&item->ready_node);
	spin_unlock_irqrestore(&q->lock, flags);
	rb_erase(&item->ep->items, &item->node, nullptr);
	*item->watch_link = item->watch_next;
	if (item->watch_next)
		item->watch_next->watch_link = item->watch_link;
	derivation_handle_closed(item->derivation);
	slab_free(item_cache, item);
}

/* (E3) */
static void object_goes(struct object *object)
{
	struct epoll_item *item;

	mutex_lock(&watches_lock);
	while ((item = object->watches)) {
		struct epoll *ep = item->ep;

		mutex_lock(&ep->lock);
		remove_item(item);
		mutex_unlock(&ep->lock);
	}
	mutex_unlock(&watches_lock);
}

static void epoll_destroy(struct file *file)
{
	struct epoll *ep = file->private;
	struct rb_node *n;

	mutex_lock(&watches_lock);
	mutex_lock(&ep->lock);
	while ((n = rb_first(&ep->items)))
		remove_item(rb_entry(n, struct epoll_item, node));
	mutex_unlock(&ep->lock);
	mutex_unlock(&watches_lock);
	kfree(ep);
}

/* How deep the epolls that `ep` watches are nested, itself included. Depth is bounded by (E4). */
static int depth_below(struct epoll *ep) __must_hold(&watches_lock)
{
	int depth = 0;

	if (ep->check_generation == check_generation)
		return ep->check_depth;
	for (struct rb_node *n = rb_first(&ep->items); n; n = rb_next(n)) {
		struct epoll *inner = epoll_of(rb_entry(n, struct epoll_item, node)->object);

		if (inner)
			depth = MAX(depth, depth_below(inner));
	}
	ep->check_generation = check_generation;
	ep->check_depth = depth + 1;
	return depth + 1;
}

/* How deep the epolls that watch `ep` are nested, itself included; NESTING_MAX + 1 if `target` is
 * among them. */
static int depth_above(struct epoll *ep, const struct epoll *target) __must_hold(&watches_lock)
{
	int depth = 0;

	if (ep == target)
		return NESTING_MAX + 1;
	if (ep->check_generation == check_generation)
		return ep->check_depth;
	for (struct epoll_item *item = ep->file->object.watches; item; item = item->watch_next)
		depth = MAX(depth, depth_above(item->ep, target));
	ep->check_generation = check_generation;
	ep->check_depth = depth + 1;
	return depth + 1;
}

/* (E4): may `ep` watch `target`? */
static int check_nesting(struct epoll *ep, struct epoll *target) __must_hold(&watches_lock)
{
	int above, below;

	check_generation++;
	above = depth_above(ep, target);
	check_generation++;
	below = depth_below(target);
	return above + below > NESTING_MAX ? -ELOOP : 0;
}

static u32 item_ready(const struct epoll_item *item)
{
	if (unlikely(derivation_revoked(item->derivation)))
		return EPOLLERR | EPOLLHUP;
	return object_ready(item->object) & item->event.events;
}

static int add_locked(struct epoll *ep, struct object *object, int fd,
		      const struct epoll_event *event) __must_hold(&watches_lock, &ep->lock)
{
	struct epoll_item *item;

	if (find_locked(ep, object, fd))
		return -EEXIST;
	item = slab_alloc(item_cache, ALLOC_ZERO);
	if (!item)
		return -ENOMEM;
	item->ep = ep;
	item->object = object;
	item->derivation = derivation_in_use(object);
	item->fd = fd;
	item->event = *event;
	list_init(&item->ready_node);
	wait_entry_init(&item->entry);
	item->entry.wake = item_wake;
	link_item(item);
	if (event->events & EPOLLEXCLUSIVE)
		wait_queue_add_exclusive(object->waiters, &item->entry);
	else
		wait_queue_add(object->waiters, &item->entry);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (item_ready(item))
		mark_ready(item);
	return 0;
}

static int modify_locked(struct epoll *ep, struct object *object, int fd,
			 const struct epoll_event *event) __must_hold(&ep->lock)
{
	struct epoll_item *item = find_locked(ep, object, fd);

	if (!item)
		return -ENOENT;
	if (item->event.events & EPOLLEXCLUSIVE)
		return -EINVAL;
	item->event.data = event->data;
	WRITE_ONCE(item->event.events, event->events);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (item_ready(item))
		mark_ready(item);
	return 0;
}

static int delete_locked(struct epoll *ep, struct object *object, int fd)
	__must_hold(&watches_lock, &ep->lock)
{
	struct epoll_item *item = find_locked(ep, object, fd);

	if (!item)
		return -ENOENT;
	remove_item(item);
	return 0;
}

/* What Linux refuses before it looks at the set. */
static int check_request(struct epoll *ep, int operation, struct object *object,
			 const struct epoll_event *event)
{
	bool exclusive = operation != EPOLL_CTL_DEL && (event->events & EPOLLEXCLUSIVE);

	if (object->type == &file_type ? file_of(object)->ops->ready == file_ready_always
				       : !object->type->ready)
		return -EPERM;
	if (!ep || object == &ep->file->object)
		return -EINVAL;
	if (exclusive && (operation == EPOLL_CTL_MOD || epoll_of(object) ||
			  (event->events & ~EXCLUSIVE_OK_BITS)))
		return -EINVAL;
	return 0;
}

int epoll_control(struct file *epoll, int operation, struct object *object, int fd,
		  const struct epoll_event *event)
{
	struct epoll *ep = epoll_of(&epoll->object);
	struct epoll_event wanted = {};
	int error = check_request(ep, operation, object, event);

	if (error)
		return error;
	if (operation != EPOLL_CTL_DEL) {
		wanted = *event;
		wanted.events |= EPOLLERR | EPOLLHUP;
	}
	mutex_lock(&watches_lock);
	if (operation == EPOLL_CTL_ADD && epoll_of(object))
		error = check_nesting(ep, epoll_of(object));
	mutex_lock(&ep->lock);
	if (error)
		;
	else if (operation == EPOLL_CTL_ADD)
		error = add_locked(ep, object, fd, &wanted);
	else if (operation == EPOLL_CTL_MOD)
		error = modify_locked(ep, object, fd, &wanted);
	else if (operation == EPOLL_CTL_DEL)
		error = delete_locked(ep, object, fd);
	else
		error = -EINVAL;
	mutex_unlock(&ep->lock);
	mutex_unlock(&watches_lock);
	return error;
}

static bool nothing_ready(const struct epoll *ep)
{
	return READ_ONCE(ep->ready.next) == &ep->ready;
}

/*
 * Takes the first item off the ready list; null when `end`, a mark behind what was ready at the
 * beginning, comes up. Items that are put back, or become ready meanwhile, stand behind the mark.
 */
static struct epoll_item *pop_ready(struct epoll *ep, struct list_head *end)
{
	struct wait_queue *q = queue(ep);
	irqflags_t flags = spin_lock_irqsave(&q->lock);
	struct list_head *node = ep->ready.next;

	list_remove(node);
	spin_unlock_irqrestore(&q->lock, flags);
	return node == end ? nullptr : list_entry(node, struct epoll_item, ready_node);
}

static void put_back(struct epoll *ep, struct epoll_item *item, bool first)
{
	struct wait_queue *q = queue(ep);
	irqflags_t flags = spin_lock_irqsave(&q->lock);

	if (list_empty(&item->ready_node)) {
		if (first)
			list_add(&ep->ready, &item->ready_node);
		else
			list_add_tail(&ep->ready, &item->ready_node);
	}
	spin_unlock_irqrestore(&q->lock, flags);
}

static void set_mark(struct epoll *ep, struct list_head *mark)
{
	irqflags_t flags = spin_lock_irqsave(&queue(ep)->lock);

	list_add_tail(&ep->ready, mark);
	spin_unlock_irqrestore(&queue(ep)->lock, flags);
}

static void clear_mark(struct epoll *ep, struct list_head *mark)
{
	irqflags_t flags = spin_lock_irqsave(&queue(ep)->lock);

	list_remove(mark);
	spin_unlock_irqrestore(&queue(ep)->lock, flags);
}

/* Copies one event out, and decides whether the item stays on the list. */
static int deliver(struct epoll *ep, struct epoll_item *item, u32 ready,
		   struct epoll_event __user *to) __must_hold(&ep->lock)
{
	struct epoll_event event = { .events = ready, .data = item->event.data };

	if (copy_to_user(to, &event, sizeof(event))) {
		put_back(ep, item, true);
		return -EFAULT;
	}
	if (item->event.events & EPOLLONESHOT)
		WRITE_ONCE(item->event.events, item->event.events & MODE_BITS);
	else if (!(item->event.events & EPOLLET))
		put_back(ep, item, false);
	return 0;
}

static int collect(struct epoll *ep, struct epoll_event __user *events, int max)
{
	struct list_head mark;
	int n = 0, error = 0;
	struct epoll_item *item;

	mutex_lock(&ep->lock);
	list_init(&mark);
	set_mark(ep, &mark);
	while (n < max && (item = pop_ready(ep, &mark))) {
		u32 ready = item_ready(item);

		if (!ready)
			continue;
		error = deliver(ep, item, ready, &events[n]);
		if (error)
			break;
		n++;
	}
	clear_mark(ep, &mark);
	mutex_unlock(&ep->lock);
	/* This collector was called alone: what it left is for the next. */
	if (n && !nothing_ready(ep))
		wake_up_one(queue(ep), EPOLLIN | EPOLLRDNORM);
	return n ? n : error;
}

/* Sleeps until something may be ready. */
static int sleep_for_events(struct epoll *ep, u64 deadline_ns)
{
	struct wait_entry entry;
	int error = 0;

	wait_entry_init(&entry);
	wait_queue_add_exclusive(queue(ep), &entry);
	wait_prepare(SLEEP_INTERRUPTIBLE);
	if (nothing_ready(ep))
		error = wait_sleep(deadline_ns);
	else
		wait_cancel();
	wait_queue_remove(queue(ep), &entry);
	return error;
}

int epoll_wait(struct file *epoll, struct epoll_event __user *events, int max, u64 deadline_ns)
{
	struct epoll *ep = epoll_of(&epoll->object);
	int error = 0;

	if (!ep)
		return -EINVAL;
	for (;;) {
		if (!nothing_ready(ep)) {
			int n = collect(ep, events, max);

			if (n)
				return n;
		}
		if (error == -ETIMEDOUT || deadline_ns == 0)
			return 0;
		if (error)
			return error;
		error = sleep_for_events(ep, deadline_ns);
	}
}

/* Readable if an item really is ready. Those that are not go off the list, but only as many as
 * there were. */
static u32 epoll_ready(struct file *file)
{
	struct epoll *ep = file->private;
	struct list_head mark;
	struct epoll_item *item;
	bool ready = false;

	if (nothing_ready(ep))
		return 0;
	mutex_lock_nested(&ep->lock);
	list_init(&mark);
	set_mark(ep, &mark);
	while (!ready && (item = pop_ready(ep, &mark))) {
		ready = item_ready(item);
		if (ready)
			put_back(ep, item, true);
	}
	clear_mark(ep, &mark);
	mutex_unlock(&ep->lock);
	return ready ? EPOLLIN | EPOLLRDNORM : 0;
}

static int epoll_describe(struct file *file, const struct pid_namespace *ns, char *buf, size_t size)
{
	struct epoll *ep = file->private;
	int n = 0;

	mutex_lock(&ep->lock);
	for (struct rb_node *node = rb_first(&ep->items); node; node = rb_next(node)) {
		const struct epoll_item *item = rb_entry(node, struct epoll_item, node);

		n += scnprintf(buf + n, size - (size_t)n, "tfd: %8d events: %8x data: %16llx\n",
			       item->fd, item->event.events, (unsigned long long)item->event.data);
	}
	mutex_unlock(&ep->lock);
	return n;
}

static const struct file_ops epoll_ops = {
	FILE_OPS_DEFAULTS,
	.ready = epoll_ready,
	.destroy = epoll_destroy,
	.describe = epoll_describe,
};

int epoll_create(struct file **out)
{
	struct epoll *ep = kzalloc(sizeof(*ep), 0);
	struct inode *inode;
	int error;

	if (!ep)
		return -ENOMEM;
	mutex_init(&ep->lock, RANK_EPOLL);
	list_init(&ep->ready);
	error = inode_create_anonymous("anon_inode:[eventpoll]", 0600, &inode);
	if (error)
		goto out_free;
	error = file_create(&epoll_ops, O_RDWR, FILE_MODE_STREAM, inode, ep, &ep->file);
	inode_put(inode);
	if (!error) {
		*out = ep->file;
		return 0;
	}
out_free:
	kfree(ep);
	return error;
}

void epoll_init(void)
{
	mutex_init(&watches_lock, RANK_EPOLL_WATCHES);
	item_cache = slab_cache_create("epoll_item", sizeof(struct epoll_item), 0);
	object_watches_hook = object_goes;
}
