/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory as a file: see memory.h. */
#include <ipc/memory.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/budget.h>
#include <mm/memory_object.h>
#include <mm/slab.h>
#include <obj/file.h>
#include <obj/inode.h>

#include <linux/fcntl.h>

/* Pages may stay mapped for a while after the file is gone: the object lives by its own count. */
struct memory_pages {
	struct memory_object object;
	struct memory_charge charge; /* of the pages */
};

static struct memory_pages *pages_of(struct memory_object *object)
{
	return container_of(object, struct memory_pages, object);
}

static int pages_charge(struct memory_object *object, s64 pages)
{
	struct memory_charge *charge = &pages_of(object)->charge;

	if (pages > 0)
		return memory_charge_more(charge, (u64)pages << PAGE_SHIFT) ? 0 : -ENOMEM;
	memory_charge_less(charge, (u64)-pages << PAGE_SHIFT);
	return 0;
}

static void pages_destroy(struct memory_object *object)
{
	struct memory_pages *pages = pages_of(object);

	memory_charge_destroy(&pages->charge);
	kfree(pages);
}

static const struct memory_object_ops pages_ops = { .charge = pages_charge,
						    .destroy = pages_destroy };

static ssize_t memory_read(struct file *file, struct iter *it, u64 *offset)
{
	ssize_t n = memory_object_read(file->private, *offset, it);

	*offset += n > 0 ? (u64)n : 0;
	return n;
}

static ssize_t memory_write(struct file *file, struct iter *it, u64 *offset)
{
	struct memory_object *object = file->private;
	u64 size = READ_ONCE(object->size);
	ssize_t n;

	if (*offset >= size)
		return it->remaining ? -ENOSPC : 0;
	it->remaining = MIN(it->remaining, size - *offset);
	n = memory_object_write(object, *offset, it);
	*offset += n > 0 ? (u64)n : 0;
	return n;
}

static int memory_map(struct file *file, struct map_request *req)
{
	req->object = file->private;
	return 0;
}

static void memory_destroy(struct file *file)
{
	memory_object_put(file->private);
}

static const struct file_ops memory_ops = {
	FILE_OPS_DEFAULTS,	   .read = memory_read, .write = memory_write,
	.seek = file_seek_generic, .map = memory_map,	.destroy = memory_destroy,
};

u64 memory_file_bytes(void)
{
	return kmalloc_size(sizeof(struct memory_pages)) + file_anonymous_bytes();
}

int memory_file_create(struct memory_budget *budget, u64 size, struct file **out)
{
	struct memory_pages *pages = kzalloc(sizeof(*pages), 0);
	struct inode *inode;
	int error;

	if (!pages)
		return -ENOMEM;
	memory_object_init(&pages->object, &pages_ops, size);
	pages->object.paid = true;
	if (!memory_charge_begin(&pages->charge, budget, 0)) {
		memory_object_put(&pages->object);
		return -ENOMEM;
	}
	error = inode_create_anonymous("anon_inode:[memory]", 0600, &inode);
	if (!error) {
		inode->size = size;
		error = file_create(&memory_ops, O_RDWR, FILE_MODE_PREAD, inode, &pages->object,
				    out);
		inode_put(inode);
	}
	if (error)
		memory_object_put(&pages->object);
	return error;
}

struct memory_object *memory_file_object(struct file *file)
{
	return file->ops == &memory_ops ? file->private : nullptr;
}

void memory_file_end(struct file *file)
{
	struct memory_object *object = file->private;

	memory_object_truncate(object, 0);
	memory_charge_end(&pages_of(object)->charge);
}
