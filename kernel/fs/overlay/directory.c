/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories of the overlay: look-up through the layers, and changes of the upper layer with whiteouts where a lower name must not show
 * any more. The overlay directory's lock is held, as the VFS does it; those of the layers below come after it.
 */
#include <fs/overlay/overlay_priv.h>

#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>

#include <linux/fs.h>

/* --- look-up --- */

static bool is_opaque(const struct overlay *fs, const struct dentry *dir)
{
	char name[40], value;

	return real_get_xattr(dir->inode, overlay_mark(fs, name, OVERLAY_OPAQUE), &value, 1) == 1 &&
	       value == 'y';
}

/* What look-up has found so far. */
struct parts {
	struct dentry *upper;
	struct overlay_lower lowers[OVERLAY_LAYERS_MAX];
	unsigned count;
};

static void parts_put(struct parts *p)
{
	if (p->upper)
		dentry_put(p->upper);
	for (unsigned i = 0; i < p->count; i++)
		dentry_put(p->lowers[i].dentry);
}

/* Adds what a layer has under the name; its reference moves in. True: layers below do not show. */
static bool add_part(struct overlay *fs, struct parts *p, struct dentry *found, bool upper,
		     unsigned layer)
{
	bool directory = S_ISDIR(found->inode->mode);

	if (real_is_whiteout(found) || (!directory && p->count) ||
	    (p->upper && S_ISDIR(p->upper->inode->mode) != directory)) {
		dentry_put(found);
		return true;
	}
	if (upper)
		p->upper = found;
	else
		p->lowers[p->count++] = (struct overlay_lower){ found, layer };
	return directory ? is_opaque(fs, found) : !upper;
}

static int find_parts(struct overlay_inode *dir, const char *name, size_t length, struct parts *p)
{
	struct dentry *upper = overlay_upper(dir), *found;
	bool end = false;
	int result;

	*p = (struct parts){};
	if (upper) {
		result = real_lookup(upper, name, length, &found);
		if (result)
			return result;
		if (found)
			end = add_part(dir->fs, p, found, true, 0);
	}
	for (unsigned i = 0; i < dir->lower_count && !end; i++) {
		result = real_lookup(dir->lowers[i].dentry, name, length, &found);
		if (result) {
			parts_put(p);
			return result;
		}
		if (found)
			end = add_part(dir->fs, p, found, false, dir->lowers[i].layer);
	}
	return 0;
}

static int lookup(struct inode *dir, struct dentry *dentry, struct inode **out)
{
	struct overlay_inode *od = overlay_inode_of(dir);
	struct parts p;

	*out = nullptr;
	if (dentry->name_length > NAME_MAX)
		return -ENAMETOOLONG;
	int result = find_parts(od, dentry->name, dentry->name_length, &p);
	if (result || (!p.upper && !p.count))
		return result;
	char name[NAME_MAX + 1];
	memcpy(name, dentry->name, dentry->name_length);
	name[dentry->name_length] = 0;
	result = overlay_inode_get(od->fs, p.upper, p.lowers, p.count, dir, name, out);
	if (result)
		parts_put(&p);
	return result;
}

/* --- making names --- */

/* A lower layer shows something under this name: 1, 0 or -errno. */
static int lower_shows(struct overlay_inode *dir, const char *name)
{
	for (unsigned i = 0; i < dir->lower_count; i++) {
		struct dentry *found;
		int result = real_lookup(dir->lowers[i].dentry, name, strlen(name), &found);

		if (result)
			return result;
		if (!found)
			continue;
		result = !real_is_whiteout(found);
		dentry_put(found);
		return result;
	}
	return 0;
}

/* The upper layer has a whiteout there: 1, 0 or -errno. */
static int upper_hides(struct overlay_inode *dir, const char *name)
{
	struct dentry *found;
	int result = real_lookup(overlay_upper(dir), name, strlen(name), &found);

	if (result || !found)
		return result;
	result = real_is_whiteout(found);
	dentry_put(found);
	return result;
}

static int make_opaque(struct overlay *fs, struct dentry *dir)
{
	char name[40];

	return real_set_xattr(dir->inode, overlay_mark(fs, name, OVERLAY_OPAQUE), "y", 1, 0);
}

/* Puts what was made in the work directory in the place of a whiteout. */
static int replace_whiteout(struct overlay_inode *dir, const char *temporary, const char *name,
			    bool directory)
{
	struct dentry *work = dir->fs->work.dentry;
	int result = real_rename(work, temporary, overlay_upper(dir), name,
				 directory ? RENAME_EXCHANGE : 0);

	if (result || directory)
		(void)real_remove(work, temporary);
	return result;
}

/* A new entry over a whiteout; *out with a reference. */
static int make_over_whiteout(struct overlay_inode *dir, const char *name, u32 mode, u64 device,
			      const char *target, struct dentry **out)
{
	struct overlay *fs = dir->fs;
	char temporary[TEMPORARY_NAME_MAX];
	int result;

	overlay_temporary_name(fs, temporary);
	result = real_create(fs->work.dentry, temporary, mode, device, target, out);
	if (result)
		return result;
	if (S_ISDIR(mode))
		result = make_opaque(fs, *out);
	if (!result)
		result = replace_whiteout(dir, temporary, name, S_ISDIR(mode));
	else
		(void)real_remove(fs->work.dentry, temporary);
	if (result)
		dentry_put(*out);
	return result;
}

/* The group of a setgid directory, which the work directory does not hand down. */
static void inherit_group(struct overlay_inode *dir, struct dentry *made, u32 mode)
{
	struct inode_attributes attr = { .valid = ATTR_GID, .gid = dir->inode.gid };

	if (!(dir->inode.mode & S_ISGID))
		return;
	if (S_ISDIR(mode)) {
		attr.valid |= ATTR_MODE;
		attr.mode = (made->inode->mode & 07777) | S_ISGID;
	}
	(void)real_set_attributes(made->inode, &attr);
}

static void text_of(const struct dentry *dentry, char name[NAME_MAX + 1])
{
	u32 length = MIN(dentry->name_length, (u32)NAME_MAX);

	memcpy(name, dentry->name, length);
	name[length] = 0;
}

static int make(struct inode *dir, struct dentry *dentry, u32 mode, u64 device, const char *target,
		struct inode **out)
{
	struct overlay_inode *od = overlay_inode_of(dir);
	char name[NAME_MAX + 1];
	struct dentry *made;

	/* Nobody makes whiteouts through the overlay. */
	if (S_ISCHR(mode) && !device)
		return -EPERM;
	text_of(dentry, name);
	int result = overlay_copy_up(od);
	if (!result)
		result = upper_hides(od, name);
	if (result < 0)
		return result;
	if (result) {
		result = make_over_whiteout(od, name, mode, device, target, &made);
		if (!result)
			inherit_group(od, made, mode);
	} else {
		result = real_create(overlay_upper(od), name, mode, device, target, &made);
	}
	if (result)
		return result;
	result = overlay_inode_get(od->fs, made, nullptr, 0, dir, nullptr, out);
	if (result)
		dentry_put(made);
	overlay_refresh(od);
	return result;
}

static int create(struct inode *dir, struct dentry *dentry, u32 mode, u64 device,
		  struct inode **out)
{
	return make(dir, dentry, mode, device, nullptr, out);
}

static int make_symlink(struct inode *dir, struct dentry *dentry, const char *target,
			struct inode **out)
{
	return make(dir, dentry, S_IFLNK | 0777, 0, target, out);
}

static int make_link(struct inode *dir, struct dentry *dentry, struct inode *target)
{
	struct overlay_inode *od = overlay_inode_of(dir), *ot = overlay_inode_of(target);
	char name[NAME_MAX + 1], temporary[TEMPORARY_NAME_MAX];

	text_of(dentry, name);
	int result = overlay_copy_up(ot) ?: overlay_copy_up(od);
	if (!result)
		result = upper_hides(od, name);
	if (result < 0)
		return result;
	if (!result) {
		result = real_link(overlay_upper(od), name, overlay_upper(ot)->inode);
	} else {
		overlay_temporary_name(od->fs, temporary);
		result = real_link(od->fs->work.dentry, temporary, overlay_upper(ot)->inode);
		if (!result)
			result = replace_whiteout(od, temporary, name, false);
	}
	overlay_refresh(ot);
	overlay_refresh(od);
	return result;
}

/* --- removing names --- */

/* Removes the upper part of a name, if there is one, and leaves a whiteout if a lower layer would show. */
static int remove_name(struct overlay_inode *dir, const char *name, bool directory, bool has_upper)
{
	struct overlay *fs = dir->fs;
	char temporary[TEMPORARY_NAME_MAX];
	int hide = lower_shows(dir, name), result;

	if (hide < 0)
		return hide;
	if (!hide)
		return real_remove(overlay_upper(dir), name);
	result = overlay_make_whiteout(fs, temporary);
	if (result)
		return result;
	result = real_rename(fs->work.dentry, temporary, overlay_upper(dir), name,
			     directory && has_upper ? RENAME_EXCHANGE : 0);
	if (result || (directory && has_upper))
		(void)real_remove(fs->work.dentry, temporary);
	return result;
}

static int remove(struct inode *dir, struct dentry *dentry, struct inode *target)
{
	struct overlay_inode *od = overlay_inode_of(dir), *ot = overlay_inode_of(target);
	char name[NAME_MAX + 1];

	text_of(dentry, name);
	int result = overlay_copy_up(od);
	if (!result && S_ISDIR(target->mode))
		result = overlay_clear_if_empty(ot);
	if (!result)
		result = remove_name(od, name, S_ISDIR(target->mode), overlay_upper(ot));
	if (result)
		return result;
	if (!overlay_upper(ot)) {
		ot->unlinked = true;
		__atomic_store_n(&target->links, 0, __ATOMIC_RELAXED);
	} else {
		overlay_refresh(ot);
	}
	overlay_refresh(od);
	return 0;
}

/* --- rename --- */

/* A directory that shows lower layers stays where they show it, as Linux has it without redirect_dir. */
static bool must_stay(const struct overlay_inode *oi)
{
	return S_ISDIR(oi->inode.mode) && oi->lower_count;
}

static int prepare(struct overlay_inode *from_dir, struct overlay_inode *to_dir,
		   struct overlay_inode *source, struct overlay_inode *replaced, bool exchange)
{
	if (must_stay(source) || (exchange && must_stay(replaced)))
		return -EXDEV;
	int result = overlay_copy_up(source) ?: overlay_copy_up(from_dir);
	if (!result)
		result = overlay_copy_up(to_dir);
	if (!result && exchange)
		result = overlay_copy_up(replaced);
	if (!result && !exchange && replaced && S_ISDIR(replaced->inode.mode))
		result = overlay_clear_if_empty(replaced);
	/* What a lower layer has under the new names must not show through. */
	if (!result && S_ISDIR(source->inode.mode) && to_dir->lower_count)
		result = make_opaque(source->fs, overlay_upper(source));
	if (!result && exchange && S_ISDIR(replaced->inode.mode) && from_dir->lower_count)
		result = make_opaque(source->fs, overlay_upper(replaced));
	return result;
}

/* The move itself; a directory cannot replace a whiteout, so they change places. */
static int move(struct overlay_inode *from_dir, const char *from, struct overlay_inode *to_dir,
		const char *to, bool directory, bool to_whiteout)
{
	int hide = lower_shows(from_dir, from), result;
	bool swap = directory && to_whiteout;

	if (hide < 0)
		return hide;
	result = real_rename(overlay_upper(from_dir), from, overlay_upper(to_dir), to,
			     swap   ? RENAME_EXCHANGE
			     : hide ? RENAME_WHITEOUT
				    : 0);
	if (!result && swap && !hide)
		result = real_remove(overlay_upper(from_dir), from);
	return result;
}

static int do_rename(struct inode *from_dir, struct dentry *from, struct inode *to_dir,
		     struct dentry *to, struct inode *source, struct inode *replaced, u32 flags)
{
	struct overlay_inode *fd = overlay_inode_of(from_dir), *td = overlay_inode_of(to_dir);
	struct overlay_inode *os = overlay_inode_of(source);
	struct overlay_inode *or = replaced ? overlay_inode_of(replaced) : nullptr;
	char from_name[NAME_MAX + 1], to_name[NAME_MAX + 1];
	bool exchange = flags & RENAME_EXCHANGE;

	if (flags & RENAME_WHITEOUT)
		return -EINVAL;
	text_of(from, from_name);
	text_of(to, to_name);
	int result = prepare(fd, td, os, or, exchange);
	if (result)
		return result;
	if (exchange) {
		result = real_rename(overlay_upper(fd), from_name, overlay_upper(td), to_name,
				     RENAME_EXCHANGE);
	} else {
		int hidden = upper_hides(td, to_name);

		result = hidden < 0
				 ? hidden
				 : move(fd, from_name, td, to_name, S_ISDIR(source->mode), hidden);
	}
	if (result)
		return result;
	overlay_refresh(fd);
	overlay_refresh(td);
	if (or && overlay_upper(or))
		overlay_refresh(or);
	else if (or)
		or->unlinked = true;
	overlay_refresh(os);
	return 0;
}

static int open_directory(struct inode *inode, struct file *file)
{
	file->private = nullptr; /* the list of entries is made when it is read */
	return 0;
}

const struct inode_ops overlay_directory_inode_ops = {
	.lookup = lookup,
	.create = create,
	.symlink = make_symlink,
	.link = make_link,
	.unlink = remove,
	.rmdir = remove,
	.rename = do_rename,
	.open = open_directory,
	.set_attributes = overlay_set_attributes,
	.get_attributes = overlay_get_attributes,
	.get_xattr = overlay_get_xattr,
	.set_xattr = overlay_set_xattr,
	.list_xattr = overlay_list_xattr,
	.remove_xattr = overlay_remove_xattr,
};
