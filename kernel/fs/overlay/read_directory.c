/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading directories of the overlay: the names of all layers are gathered, the topmost of each wins, whiteouts hide what is below. The list
 * is made at the first read and after each rewind; a position is a place in it.
 */
#include <fs/overlay/overlay_priv.h>

#include <lib/errno.h>
#include <lib/rbtree.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/fcntl.h>
#include <linux/limits.h>

struct entry {
	struct rb_node node;	/* by name */
	struct list_head order; /* as found */
	u64 number;
	unsigned type, layer; /* layer: of `number` */
	bool whiteout;
	u32 length;
	char name[] __counted_by(length);
};

struct listing {
	struct rb_tree names;
	struct list_head entries;
	unsigned count;
};

/* For read_directory of a layer's directory, through an open file that nobody else has. */
struct gather {
	struct directory_context context;
	struct listing *listing;
	unsigned layer;
	bool lower, any;
	int error;
};

static void listing_free(struct listing *l)
{
	while (!list_empty(&l->entries)) {
		struct entry *e = list_first(&l->entries, struct entry, order);

		list_remove(&e->order);
		kfree(e);
	}
	kfree(l);
}

static int compare(const struct entry *e, const char *name, size_t length)
{
	if (e->length != length)
		return e->length < length ? -1 : 1;
	return memcmp(e->name, name, length);
}

static struct entry *add(struct listing *l, const char *name, size_t length, bool *known)
{
	struct rb_node **link = &l->names.root, *parent = nullptr;

	while (*link) {
		struct entry *e = rb_entry(*link, struct entry, node);
		int order = compare(e, name, length);

		*known = !order;
		if (!order)
			return e;
		parent = *link;
		link = order > 0 ? &parent->left : &parent->right;
	}
	struct entry *e = kzalloc(sizeof(*e) + length, 0);
	if (!e)
		return nullptr;
	*known = false;
	e->length = (u32)length;
	memcpy(e->name, name, length);
	rb_insert(&l->names, &e->node, parent, link, nullptr);
	list_add_tail(&l->entries, &e->order);
	l->count++;
	return e;
}

static bool gather_entry(struct directory_context *context, const char *name, size_t length,
			 u64 number, unsigned type, u64 next)
{
	struct gather *g = container_of(context, struct gather, context);
	bool known;

	g->any = true;
	if ((length == 1 && name[0] == '.') || (length == 2 && !memcmp(name, "..", 2)))
		return true;
	struct entry *e = add(g->listing, name, length, &known);
	if (!e) {
		g->error = -ENOMEM;
		return false;
	}
	if (!known) {
		e->number = number;
		e->type = type;
		e->layer = g->layer;
		e->whiteout = type == S_IFCHR >> 12; /* looked at afterwards */
	} else if (g->lower && !e->layer && !e->whiteout &&
		   (e->type == S_IFDIR >> 12) == (type == S_IFDIR >> 12)) {
		/* What was copied up keeps the number of where it came from. */
		e->number = number;
		e->layer = g->layer;
	}
	return true;
}

/* Character devices of this layer: which are whiteouts? */
static int check_whiteouts(struct listing *l, struct dentry *dir, unsigned layer)
{
	struct entry *e;

	list_for_each (e, &l->entries, order) {
		struct dentry *found;

		if (!e->whiteout || e->layer != layer)
			continue;
		int result = real_lookup(dir, e->name, e->length, &found);
		if (result)
			return result;
		e->whiteout = found && real_is_whiteout(found);
		if (found)
			dentry_put(found);
	}
	return 0;
}

static int gather_layer(struct listing *l, const struct path *path, unsigned layer, bool lower)
{
	struct gather g = {
		.context.emit = gather_entry, .listing = l, .layer = layer, .lower = lower
	};
	struct file *file;
	int result = vfs_open_unchecked(path, O_RDONLY | O_DIRECTORY, &file);

	if (result)
		return result;
	do {
		g.any = false;
		read_lock(&file->inode->lock);
		result = file->ops->read_directory(file, &g.context);
		read_unlock(&file->inode->lock);
		result = result < 0 ? result : g.error;
	} while (!result && g.any);
	file_put(file);
	return result ? result : check_whiteouts(l, path->dentry, layer);
}

static int gather_all(struct overlay_inode *oi, struct listing **out)
{
	struct listing *l = kzalloc(sizeof(*l), 0);
	struct dentry *upper = overlay_upper(oi);
	int result = 0;

	if (!l)
		return -ENOMEM;
	list_init(&l->entries);
	if (upper) {
		struct path path = { oi->fs->upper.mount, upper };

		result = gather_layer(l, &path, 0, false);
	}
	for (unsigned i = 0; i < oi->lower_count && !result; i++) {
		struct path path = { oi->fs->lower[oi->lowers[i].layer].mount,
				     oi->lowers[i].dentry };

		result = gather_layer(l, &path, oi->lowers[i].layer + 1, true);
	}
	if (result)
		listing_free(l);
	else
		*out = l;
	return result;
}

static int read_directory(struct file *file, struct directory_context *ctx)
{
	struct overlay_inode *oi = overlay_inode_of(file->inode);
	struct listing *l = file->private;
	u64 at = 2;

	if (file->offset == 0 && l) {
		listing_free(l);
		file->private = l = nullptr;
	}
	if (!l) {
		int result = gather_all(oi, &l);

		if (result)
			return result;
		file->private = l;
	}
	if (!directory_emit_dots(file, ctx))
		return 0;
	struct entry *e;
	list_for_each (e, &l->entries, order) {
		if (at++ < file->offset || e->whiteout)
			continue;
		if (!ctx->emit(ctx, e->name, e->length, e->number, e->type, at))
			return 0;
		file->offset = at;
	}
	return 0;
}

int overlay_clear_if_empty(struct overlay_inode *oi)
{
	struct dentry *upper = overlay_upper(oi);
	struct listing *l;
	struct entry *e;
	char name[NAME_MAX + 1];
	int result = gather_all(oi, &l);

	if (result)
		return result;
	list_for_each (e, &l->entries, order)
		if (!e->whiteout)
			result = -ENOTEMPTY;
	list_for_each (e, &l->entries, order) {
		if (result || !upper || e->layer)
			continue;
		memcpy(name, e->name, e->length);
		name[e->length] = 0;
		result = real_remove(upper, name);
	}
	listing_free(l);
	return result;
}

static int sync_directory(struct file *file, bool data_only, u64 start, u64 end)
{
	struct overlay_inode *oi = overlay_inode_of(file->inode);
	struct path path = overlay_real_path(oi);
	struct file *real;

	if (!overlay_upper(oi))
		return 0;
	int result = vfs_open_unchecked(&path, O_RDONLY | O_DIRECTORY, &real);
	if (result)
		return result;
	result = real->ops->sync(real, data_only, start, end);
	file_put(real);
	return result;
}

static void destroy(struct file *file)
{
	if (file->private)
		listing_free(file->private);
}

const struct file_ops overlay_directory_ops = {
	FILE_OPS_DEFAULTS,	     .read = file_read_eisdir,
	.seek = file_seek_directory, .read_directory = read_directory,
	.sync = sync_directory,	     .destroy = destroy,
};
