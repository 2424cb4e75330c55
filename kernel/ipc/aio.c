/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contexts of Linux's asynchronous I/O, io_setup(2). */
#include <arch/mmu.h>
#include <ipc/aio.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <obj/inode.h>
#include <proc/task.h>

#include <linux/fcntl.h>
#include <linux/mman.h>

#define CAPACITY_MAX (0x10000000u / sizeof(struct io_event))

struct aio_context {
	struct mutex lock;
	u32 capacity;
	u32 reserved __guarded_by(&lock); /* requests in work, and results not taken */
	u32 head __guarded_by(&lock);
	u32 count; /* written with the lock held */
	bool dead; /* destroyed: those who wait leave */
	struct io_event events[] __counted_by(capacity);
};

u32 aio_count, aio_count_max = 65536;

static u32 context_ready(struct file *file)
{
	struct aio_context *context = file->private;

	return READ_ONCE(context->count) || READ_ONCE(context->dead) ? EPOLLIN : 0;
}

static void context_destroy(struct file *file)
{
	struct aio_context *context = file->private;

	__atomic_fetch_sub(&aio_count, context->capacity, __ATOMIC_RELAXED);
	kvfree(context);
}

static const struct file_ops context_ops = {
	FILE_OPS_DEFAULTS,
	.ready = context_ready,
	.destroy = context_destroy,
};

static bool charge_count(u32 capacity)
{
	u32 count = READ_ONCE(aio_count), wanted;

	do {
		if (add_overflows(count, capacity, &wanted) || wanted > READ_ONCE(aio_count_max))
			return false;
	} while (!__atomic_compare_exchange_n(&aio_count, &count, wanted, true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return true;
}

static int create_file(u32 capacity, struct file **out)
{
	struct aio_context *context;
	struct inode *inode;
	int err;

	if (!charge_count(capacity))
		return -EAGAIN;
	context = kvmalloc(sizeof(*context) + capacity * sizeof(struct io_event), ALLOC_ZERO);
	err = context ? inode_create_anonymous("[aio]", S_IFREG | 0600, &inode) : -ENOMEM;
	if (!err) {
		mutex_init(&context->lock, RANK_PIPE);
		context->capacity = capacity;
		err = file_create(&context_ops, O_RDWR, FILE_MODE_STREAM, inode, context, out);
		inode_put(inode);
	}
	if (err) {
		kvfree(context);
		__atomic_fetch_sub(&aio_count, capacity, __ATOMIC_RELAXED);
	}
	return err;
}

int aio_create(u32 capacity, vaddr_t *out)
{
	struct map_request request = {
		.length = PAGE_SIZE,
		.prot = PROT_READ | PROT_WRITE,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS,
		.vma_flags = VMA_DONTFORK,
		.name = "/[aio] (deleted)",
	};
	struct file *file;
	int err;

	if (capacity > CAPACITY_MAX)
		return -EAGAIN;
	err = create_file(capacity, &file);
	if (err)
		return err;
	request.file = file;
	err = aspace_map(current_process()->aspace, &request, out);
	file_put(file);
	return err;
}

int aio_find(vaddr_t address, struct file **out)
{
	struct aspace *as = current_process()->aspace;
	struct vma *vma;

	read_guard(&as->lock);
	vma = aspace_find(as, address);
	if (!vma || vma->start != address || !vma->file || vma->file->ops != &context_ops)
		return -EINVAL;
	file_get(vma->file);
	*out = vma->file;
	return 0;
}

int aio_destroy(vaddr_t address)
{
	struct aio_context *context;
	struct file *file;
	int err = aio_find(address, &file);

	if (err)
		return err;
	context = file->private;
	if (__atomic_exchange_n(&context->dead, true, __ATOMIC_RELAXED))
		err = -EINVAL;
	else
		err = aspace_unmap(current_process()->aspace, address, PAGE_SIZE);
	object_notify(&file->object, EPOLLIN | EPOLLHUP);
	file_put(file);
	return err;
}

int aio_reserve(struct file *file)
{
	struct aio_context *context = file->private;

	mutex_guard(&context->lock);
	if (context->reserved == context->capacity)
		return -EAGAIN;
	context->reserved++;
	return 0;
}

void aio_abandon(struct file *file)
{
	struct aio_context *context = file->private;

	mutex_guard(&context->lock);
	context->reserved--;
}

void aio_complete(struct file *file, const struct io_event *event)
{
	struct aio_context *context = file->private;

	mutex_lock(&context->lock);
	context->events[(context->head + context->count) % context->capacity] = *event;
	WRITE_ONCE(context->count, context->count + 1);
	mutex_unlock(&context->lock);
	object_notify(&file->object, EPOLLIN);
}

/* Stores what is there. How many, or -EFAULT. */
static long take_ready(struct aio_context *context, long count, struct io_event __user *events)
{
	long taken = 0;

	mutex_guard(&context->lock);
	while (taken < count && context->count) {
		if (copy_to_user(events + taken, &context->events[context->head],
				 sizeof(struct io_event)))
			return taken ? taken : -EFAULT;
		context->head = (context->head + 1) % context->capacity;
		WRITE_ONCE(context->count, context->count - 1);
		context->reserved--;
		taken++;
	}
	return taken;
}

long aio_take(struct file *file, long minimum, long count, struct io_event __user *events,
	      u64 deadline_ns)
{
	struct aio_context *context = file->private;
	long taken = 0;

	for (;;) {
		long more = READ_ONCE(context->dead)
				    ? -EINVAL
				    : take_ready(context, count - taken, events + taken);
		int err;

		if (more < 0)
			return taken ? taken : more;
		taken += more;
		if (taken >= minimum)
			return taken;
		err = object_wait(&file->object, EPOLLIN, deadline_ns);
		if (err == -ETIMEDOUT)
			return taken;
		if (err)
			return taken ? taken : -EINTR;
	}
}
