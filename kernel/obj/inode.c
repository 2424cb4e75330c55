/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inodes: life, attributes, and the anonymous ones behind pipes, sockets and event files. */
#include <core/time.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <obj/credentials.h>
#include <obj/inode.h>

static struct slab_cache *inode_cache;
static u64 anonymous_number;

struct inode_time inode_time_now(void)
{
	u64 now = clock_realtime_ns();

	return (struct inode_time){ .seconds = (s64)(now / NSEC_PER_SEC),
				    .nanoseconds = (u32)(now % NSEC_PER_SEC) };
}

void inode_init(struct inode *inode, u32 mode)
{
	inode->refs = 1;
	inode->links = 1;
	inode->mode = mode;
	inode->created = inode_time_now();
	inode->accessed = inode->modified = inode->changed = inode->created;
	rwsem_init(&inode->lock, RANK_INODE);
	spin_init(&inode->state_lock, RANK_INODE_STATE);
	list_init(&inode->superblock_node);
}

static void anonymous_free_memory(struct rcu_head *head)
{
	slab_free(inode_cache, container_of(head, struct inode, rcu));
}

static void anonymous_free(struct inode *inode)
{
	rcu_call(&inode->rcu, anonymous_free_memory);
}

int inode_create_anonymous(const char *name, u32 mode, struct inode **out)
{
	const struct credentials *c = current_credentials();
	struct inode *inode = slab_alloc(inode_cache, ALLOC_ZERO);

	if (!inode)
		return -ENOMEM;
	inode_init(inode, mode);
	inode->number = __atomic_add_fetch(&anonymous_number, 1, __ATOMIC_RELAXED);
	inode->uid = c->fsuid;
	inode->gid = c->fsgid;
	inode->anonymous_name = name;
	inode->free = anonymous_free;
	*out = inode;
	return 0;
}

void inode_get(struct inode *inode)
{
	__atomic_fetch_add(&inode->refs, 1, __ATOMIC_RELAXED);
}

void inode_put(struct inode *inode)
{
	if (__atomic_fetch_sub(&inode->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	kfree(inode->locks);
	inode->free(inode);
}

/* st_dev of inodes without a superblock; no real file system has it. */
#define ANONYMOUS_DEVICE device_make(0, 8)

void inode_stat(struct inode *inode, struct kstat *out)
{
	*out = (struct kstat){
		.device = ANONYMOUS_DEVICE,
		.inode = inode->number,
		.rdevice = inode->device_number,
		.size = inode->size,
		.blocks = inode->blocks,
		.mode = inode->mode,
		.links = inode->links,
		.uid = inode->uid,
		.gid = inode->gid,
		.block_size = PAGE_SIZE,
		.accessed = inode->accessed,
		.modified = inode->modified,
		.changed = inode->changed,
		.created = inode->created,
	};
}

u64 inode_bytes(void)
{
	return slab_object_size(inode_cache);
}

void inode_cache_init(void)
{
	inode_cache = slab_cache_create("inode", sizeof(struct inode), 0);
}
