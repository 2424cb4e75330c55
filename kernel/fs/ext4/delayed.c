/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delayed allocation: which blocks of a file were written in memory and have space promised but no place. A tree of
 * ranges that do not touch; writing from front to back makes one range.
 */
#include <fs/ext4/ext4_priv.h>
#include <mm/slab.h>

static struct ext4_delayed *delayed_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct ext4_delayed, node) : nullptr;
}

/* The first range that ends behind `logical`. */
static struct ext4_delayed *find(const struct ext4_inode *inode, u32 logical)
{
	struct rb_node *node = inode->delayed.root;
	struct ext4_delayed *found = nullptr;

	while (node) {
		struct ext4_delayed *d = delayed_of(node);

		if (d->first + d->count > logical) {
			found = d;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}

static void insert(struct ext4_inode *inode, struct ext4_delayed *d)
{
	struct rb_node **link = &inode->delayed.root, *parent = nullptr;

	while (*link) {
		parent = *link;
		link = delayed_of(parent)->first > d->first ? &parent->left : &parent->right;
	}
	rb_insert(&inode->delayed, &d->node, parent, link, nullptr);
}

static struct ext4_delayed *create(struct ext4_inode *inode, u32 first, u32 count)
{
	struct ext4_delayed *d = kmalloc(sizeof(*d), 0);

	if (!d)
		return nullptr;
	d->first = first;
	d->count = count;
	insert(inode, d);
	return d;
}

static void drop(struct ext4_inode *inode, struct ext4_delayed *d)
{
	rb_erase(&inode->delayed, &d->node, nullptr);
	kfree(d);
}

bool ext4_delayed_has(const struct ext4_inode *inode, u32 logical, u32 *run)
{
	const struct ext4_delayed *d = find(inode, logical);

	if (!d) {
		*run = EXT4_BLOCK_LIMIT - logical;
		return false;
	}
	if (d->first > logical) {
		*run = d->first - logical;
		return false;
	}
	*run = d->first + d->count - logical;
	return true;
}

int ext4_delayed_add(struct ext4_inode *inode, u32 first, u32 count)
{
	struct ext4_delayed *before = first ? find(inode, first - 1) : nullptr;
	struct ext4_delayed *after = find(inode, first);

	if (before && before->first + before->count == first) {
		before->count += count;
		if (after && after->first == first + count) {
			before->count += after->count;
			drop(inode, after);
		}
		return 0;
	}
	if (after && after->first == first + count) {
		after->first = first;
		after->count += count;
		return 0;
	}
	return create(inode, first, count) ? 0 : -ENOMEM;
}

s64 ext4_delayed_remove(struct ext4_inode *inode, u32 first, u32 last)
{
	struct ext4_delayed *d;
	s64 removed = 0;

	while ((d = find(inode, first)) && d->first <= last) {
		u32 end = d->first + d->count;

		if (d->first < first && end - 1 > last) {
			if (!create(inode, last + 1, end - 1 - last))
				return -ENOMEM;
			d->count = first - d->first;
			return (s64)last - first + 1;
		}
		if (d->first < first) {
			removed += end - first;
			d->count = first - d->first;
		} else if (end - 1 > last) {
			removed += last + 1 - d->first;
			d->first = last + 1;
			d->count = end - d->first;
		} else {
			removed += d->count;
			drop(inode, d);
		}
	}
	return removed;
}
