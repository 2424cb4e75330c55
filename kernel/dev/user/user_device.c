/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of devices as files. The theory is in user_device.h. */
#include <arch/ports.h>
#include <core/irq.h>
#include <dev/user/user_device.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <mm/aspace.h>
#include <mm/frame.h>
#include <mm/iter.h>
#include <mm/slab.h>
#include <obj/file.h>
#include <obj/inode.h>

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#define REGISTERS_MAX (1ull << 28)
#define ADDRESS_MAX (1ull << 46)
#define DMA_MAX (PAGE_SIZE << FRAME_ORDER_MAX)

static struct mutex claims_lock = MUTEX_INIT(RANK_DEVICE_LIST);
static struct list_head claims __guarded_by(&claims_lock) = LIST_INIT(claims);

/* --- interrupts --- */

/* Interrupt context. */
static bool interrupt_came(void *arg)
{
	struct user_device *device = arg;

	if (device->level)
		arch_irq_mask((unsigned)device->first);
	__atomic_fetch_add(&device->pending, 1, __ATOMIC_SEQ_CST);
	object_notify(&device->file->object, EPOLLIN | EPOLLRDNORM);
	return true;
}

static ssize_t interrupt_read(struct file *file, struct iter *it, u64 *offset)
{
	struct user_device *device = file->private;
	u64 count;

	if (it->remaining < sizeof(count))
		return -EINVAL;
	count = __atomic_exchange_n(&device->pending, 0, __ATOMIC_SEQ_CST);
	if (!count)
		return -EAGAIN;
	return iter_copy_to(it, &count, sizeof(count)) == sizeof(count) ? (ssize_t)sizeof(count)
									: -EFAULT;
}

/* The driver has silenced its device. */
static ssize_t interrupt_write(struct file *file, struct iter *it, u64 *offset)
{
	struct user_device *device = file->private;
	u64 ignored;

	if (it->remaining != sizeof(ignored))
		return -EINVAL;
	if (iter_copy_from(it, &ignored, sizeof(ignored)) != sizeof(ignored))
		return -EFAULT;
	if (device->level)
		arch_irq_unmask((unsigned)device->first, true);
	return sizeof(ignored);
}

static u32 interrupt_ready(struct file *file)
{
	const struct user_device *device = file->private;

	return EPOLLOUT | EPOLLWRNORM |
	       (__atomic_load_n(&device->pending, __ATOMIC_SEQ_CST) ? EPOLLIN | EPOLLRDNORM : 0);
}

/* --- ports --- */

static int port_check(const struct user_device *device, const struct iter *it, u64 offset)
{
	if (it->remaining != 1 && it->remaining != 2 && it->remaining != 4)
		return -EINVAL;
	return offset > device->size || device->size - offset < it->remaining ? -EINVAL : 0;
}

static ssize_t ports_read(struct file *file, struct iter *it, u64 *offset)
{
	const struct user_device *device = file->private;
	unsigned size = (unsigned)it->remaining;
	int error = port_check(device, it, *offset);
	u32 value;

	if (error)
		return error;
	value = arch_port_read((u32)(device->first + *offset), size);
	return iter_copy_to(it, &value, size) == size ? (ssize_t)size : -EFAULT;
}

static ssize_t ports_write(struct file *file, struct iter *it, u64 *offset)
{
	const struct user_device *device = file->private;
	unsigned size = (unsigned)it->remaining;
	int error = port_check(device, it, *offset);
	u32 value = 0;

	if (error)
		return error;
	if (iter_copy_from(it, &value, size) != size)
		return -EFAULT;
	arch_port_write((u32)(device->first + *offset), value, size);
	return size;
}

/* --- frames --- */

/* A private mapping would be copied, which makes no sense of registers, and one that moves could show what lies behind. */
static int frames_map(struct file *file, struct map_request *req)
{
	const struct user_device *device = file->private;
	u64 length = ALIGN_UP(req->length, PAGE_SIZE);

	if ((req->flags & MAP_TYPE) == MAP_PRIVATE || req->offset > device->size ||
	    device->size - req->offset < length)
		return -EINVAL;
	req->device = device->first + req->offset;
	req->vma_flags |= VMA_DEVICE | VMA_SPECIAL;
	req->may &= ~(u64)VMA_MAY_EXEC;
	return req->prot & PROT_EXEC ? -EACCES : 0;
}

/* --- life --- */

static void device_destroy(struct file *file)
{
	struct user_device *device = file->private;

	if (device->type == USER_INTERRUPT)
		irq_unregister((unsigned)device->first, interrupt_came, device);
	mutex_lock(&claims_lock);
	list_remove(&device->node);
	mutex_unlock(&claims_lock);
	if (device->frames)
		page_put(device->frames);
	memory_charge_destroy(&device->charge);
	kfree(device);
}

static int device_describe(struct file *file, const struct pid_namespace *ns, char *buf,
			   size_t size)
{
	const struct user_device *device = file->private;

	return scnprintf(buf, size, "device-first: %llx\ndevice-size: %llx\n",
			 (unsigned long long)device->first, (unsigned long long)device->size);
}

static const struct file_ops interrupt_ops = {
	FILE_OPS_DEFAULTS,	  .read = interrupt_read,    .write = interrupt_write,
	.ready = interrupt_ready, .destroy = device_destroy, .describe = device_describe,
};
static const struct file_ops ports_ops = {
	FILE_OPS_DEFAULTS,	   .read = ports_read,		.write = ports_write,
	.destroy = device_destroy, .describe = device_describe,
};
static const struct file_ops frames_ops = {
	FILE_OPS_DEFAULTS,
	.map = frames_map,
	.destroy = device_destroy,
	.describe = device_describe,
};

static const struct {
	const struct file_ops *ops;
	const char *name;
	u32 mode;
} kinds[] = {
	[USER_INTERRUPT] = { &interrupt_ops, "anon_inode:[interrupt]", FILE_MODE_STREAM },
	[USER_REGISTERS] = { &frames_ops, "anon_inode:[registers]", 0 },
	[USER_PORTS] = { &ports_ops, "anon_inode:[ports]", FILE_MODE_PREAD },
	[USER_DMA] = { &frames_ops, "anon_inode:[dma]", 0 },
};

const struct user_device *user_device_of(const struct file *file)
{
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (file->ops == kinds[i].ops)
			return file->private;
	return nullptr;
}

static int check_registers(u64 first, u64 size)
{
	if (first & ~PAGE_MASK || size & ~PAGE_MASK || size > REGISTERS_MAX ||
	    first > ADDRESS_MAX - size)
		return -EINVAL;
	for (u64 at = first; at < first + size; at += PAGE_SIZE)
		if (phys_to_page(at))
			return -EINVAL;
	return 0;
}

/* A range that there is. */
static int check(enum user_device_type type, u64 first, u64 size)
{
	if (!size)
		return -EINVAL;
	switch (type) {
	case USER_INTERRUPT:
		return size != 1 ? -EINVAL : first >= IRQ_COUNT ? -ENODEV : 0;
	case USER_REGISTERS:
		return check_registers(first, size);
	case USER_PORTS:
		return size > arch_port_count || first > arch_port_count - size ? -ENODEV : 0;
	case USER_DMA:
		return first || size & ~PAGE_MASK || size > DMA_MAX ? -EINVAL : 0;
	}
	return -EINVAL;
}

static bool overlaps(const struct user_device *a, const struct user_device *b)
{
	return a->type == b->type && a->first < b->first + b->size && b->first < a->first + a->size;
}

/* (V1) */
static int claim_locked(struct user_device *device) __must_hold(&claims_lock)
{
	struct user_device *other;

	list_for_each (other, &claims, node)
		if (overlaps(device, other))
			return -EBUSY;
	if (device->type == USER_INTERRUPT) {
		unsigned line = (unsigned)device->first;
		int error = irq_name(line) ? -EBUSY
					   : irq_register(line, device->level, interrupt_came,
							  device, "driver in a process");

		if (error)
			return error;
	}
	list_add(&claims, &device->node);
	return 0;
}

static int take_frames(struct memory_budget *budget, struct user_device *device)
{
	unsigned order = 0;

	while (PAGE_SIZE << order < device->size)
		order++;
	if (!memory_charge_begin(&device->charge, budget, PAGE_SIZE << order))
		return -ENOMEM;
	device->frames = page_alloc(order, ALLOC_ZERO);
	if (!device->frames)
		return -ENOMEM;
	device->first = page_to_phys(device->frames);
	return 0;
}

/* The file owns the device from its making on; a line is claimed last, since it may come at once. */
static int create_file(struct user_device *device, struct file **out)
{
	struct inode *inode;
	int error = inode_create_anonymous(kinds[device->type].name, 0600, &inode);

	if (error)
		return error;
	error = file_create(kinds[device->type].ops, O_RDWR, kinds[device->type].mode, inode,
			    device, out);
	inode_put(inode);
	return error;
}

int user_device_create(struct memory_budget *budget, enum user_device_type type, bool level,
		       u64 first, u64 size, struct file **out)
{
	int error = check(type, first, size);
	struct user_device *device = error ? nullptr : kzalloc(sizeof(*device), 0);

	if (!device)
		return error ?: -ENOMEM;
	*device =
		(struct user_device){ .type = type, .level = level, .first = first, .size = size };
	list_init(&device->node);
	error = type == USER_DMA ? take_frames(budget, device) : 0;
	if (!error)
		error = create_file(device, &device->file);
	if (!error && type != USER_DMA) {
		mutex_lock(&claims_lock);
		error = claim_locked(device);
		mutex_unlock(&claims_lock);
		if (error) {
			file_put(device->file);
			return error;
		}
	}
	if (error) {
		if (device->frames)
			page_put(device->frames);
		memory_charge_destroy(&device->charge);
		kfree(device);
		return error;
	}
	*out = device->file;
	return 0;
}
