/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * overlayfs (mount(8), and overlayfs.rst of Linux's documentation): one tree seen through several, the topmost of which takes all changes.
 *
 *   super.c  mounting     directory.c  names     read_directory.c  merging lists     inode.c  parts and attributes
 *   copy_up.c  from below to above     file.c  contents     real.c  steps in the layers
 *
 * (V1) Lower layers are never changed. (V2) An inode has an upper part, lower parts, or both; an upper part once made stays. What
 * is below shows through only directories that are not marked opaque; a character device 0:0 (a whiteout) hides a name. (V3) A
 * thing is made complete in the work directory and renamed to its place. (V4) Locks: those of the overlay (rename, inode, copy) before
 * those of the layers, so the layers of an overlay are no overlays. (V5) Names with lower parts stay where they are: a directory
 * with lower parts is not renamed (-EXDEV, as Linux without redirect_dir), others lose their lower part in the name's place.
 * (V6) Permissions are checked on the overlay's inodes, whose owner and mode follow what is seen; layers are changed without further checks.
 */
#include <fs/overlay/overlay.h>
#include <fs/overlay/overlay_priv.h>

#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/slab.h>

#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>

struct options {
	char *lower, *upper, *work;
	bool user_xattrs;
};

static void put_paths(struct overlay *fs)
{
	if (fs->upper.dentry)
		path_put(&fs->upper);
	if (fs->work.dentry)
		path_put(&fs->work);
	for (unsigned i = 0; i < fs->lower_count; i++)
		path_put(&fs->lower[i]);
}

/* --- options --- */

static int parse_one(struct options *o, char *name, char *value)
{
	static const char *const offs[] = { "index",	  "redirect_dir", "metacopy",
					    "nfs_export", "xino",	  "uuid" };

	if (strcmp(name, "userxattr") == 0 && !value) {
		o->user_xattrs = true;
		return 0;
	}
	if (!value)
		return -EINVAL;
	if (strcmp(name, "lowerdir") == 0)
		o->lower = value;
	else if (strcmp(name, "upperdir") == 0)
		o->upper = value;
	else if (strcmp(name, "workdir") == 0)
		o->work = value;
	else {
		for (size_t i = 0; i < ARRAY_SIZE(offs); i++)
			if (strcmp(name, offs[i]) == 0)
				return strcmp(value, "off") == 0 || strcmp(value, "nofollow") == 0
					       ? 0
					       : -EINVAL;
		return -EINVAL;
	}
	return 0;
}

/* The end of a text: at `separator` that has no backslash before it; such backslashes go. */
static char *cut(char *text, char separator, bool unescape)
{
	char *to = text;

	for (; *text && *text != separator; text++) {
		if (*text == '\\' && text[1]) {
			if (!unescape)
				*to++ = *text;
			text++;
		}
		*to++ = *text;
	}
	char *next = *text ? text + 1 : nullptr;
	*to = 0;
	return next;
}

static int parse(struct options *o, char *text)
{
	int result = 0;

	while (text && !result) {
		char *next = cut(text, ',', false), *value = strchr(text, '=');

		if (value)
			*value++ = 0;
		if (*text)
			result = parse_one(o, text, value);
		text = next;
	}
	return result ? result : o->lower && !o->upper == !o->work ? 0 : -EINVAL;
}

/* --- layers --- */

static int find_layer(const char *text, struct path *out)
{
	int result = path_lookup(AT_FDCWD, text, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, out);

	if (result)
		return result;
	if (out->dentry->superblock->magic == OVERLAYFS_SUPER_MAGIC) {
		path_put(out);
		return -EINVAL; /* see V4 */
	}
	return 0;
}

static int find_lowers(struct overlay *fs, char *text)
{
	int result = 0;

	while (text && !result) {
		char *next = cut(text, ':', true);

		if (!*text || fs->lower_count == OVERLAY_LAYERS_MAX)
			return -EINVAL;
		result = find_layer(text, &fs->lower[fs->lower_count]);
		fs->lower_count += !result;
		text = next;
	}
	return result;
}

/* Empties what a crash left in the work directory: only files, and directories without contents. */
static int prepare_work(struct overlay *fs, const struct path *work)
{
	struct dentry *dir;
	int result = real_lookup(work->dentry, "work", 4, &dir);

	if (!result && !dir)
		result = real_create(work->dentry, "work", S_IFDIR, 0, nullptr, &dir);
	if (result)
		return result;
	if (!S_ISDIR(dir->inode->mode)) {
		dentry_put(dir);
		return -ENOTDIR;
	}
	fs->work = (struct path){ work->mount, dir };
	mount_get(work->mount);
	return 0;
}

static int find_upper(struct overlay *fs, const struct options *o)
{
	struct path work;
	int result = find_layer(o->upper, &fs->upper);

	if (result) {
		fs->upper = (struct path){};
		return result;
	}
	result = path_check_writable(&fs->upper);
	if (!result)
		result = find_layer(o->work, &work);
	if (result)
		return result;
	if (work.mount != fs->upper.mount || dentry_is_below(work.dentry, fs->upper.dentry) ||
	    dentry_is_below(fs->upper.dentry, work.dentry))
		result = -EINVAL;
	else
		result = prepare_work(fs, &work);
	path_put(&work);
	return result;
}

static bool on_one_device(const struct overlay *fs)
{
	const struct superblock *sb = fs->lower[0].dentry->superblock;

	for (unsigned i = 1; i < fs->lower_count; i++)
		if (fs->lower[i].dentry->superblock != sb)
			return false;
	return !fs->upper.dentry || fs->upper.dentry->superblock == sb;
}

/* --- the superblock --- */

static int statfs(struct superblock *sb, struct statfs_info *out)
{
	struct overlay *fs = sb->private;
	int result = vfs_statfs(fs->upper.dentry ? &fs->upper : &fs->lower[0], out);

	out->type = OVERLAYFS_SUPER_MAGIC;
	return result;
}

static int sync(struct superblock *sb)
{
	struct overlay *fs = sb->private;
	struct superblock *upper = fs->upper.dentry ? fs->upper.dentry->superblock : nullptr;

	return upper && upper->ops->sync ? upper->ops->sync(upper) : 0;
}

static int remount(struct superblock *sb, u32 *flags, const char *data)
{
	struct overlay *fs = sb->private;

	return !(*flags & MS_RDONLY) && !fs->upper.dentry ? -EROFS : 0;
}

static size_t show_options(struct superblock *sb, char *buf, size_t size)
{
	struct overlay *fs = sb->private;

	return (size_t)scnprintf(buf, size, ",%s", fs->options);
}

static void destroy(struct superblock *sb)
{
	struct overlay *fs = sb->private;

	put_paths(fs);
	kfree(fs->options);
	kfree(fs);
}

static const struct superblock_ops superblock_ops = {
	.statfs = statfs,
	.sync = sync,
	.remount = remount,
	.show_options = show_options,
	.destroy = destroy,
};

static int make_root(struct overlay *fs)
{
	struct overlay_lower lowers[OVERLAY_LAYERS_MAX];
	struct inode *root;

	if (fs->upper.dentry)
		dentry_get(fs->upper.dentry);
	for (unsigned i = 0; i < fs->lower_count; i++) {
		lowers[i] = (struct overlay_lower){ fs->lower[i].dentry, i };
		dentry_get(fs->lower[i].dentry);
	}
	int result = overlay_inode_get(fs, fs->upper.dentry, lowers, fs->lower_count, nullptr,
				       nullptr, &root);
	if (result) {
		if (fs->upper.dentry)
			dentry_put(fs->upper.dentry);
		for (unsigned i = 0; i < fs->lower_count; i++)
			dentry_put(fs->lower[i].dentry);
		return result;
	}
	result = superblock_set_root(fs->sb, root);
	if (result)
		inode_put(root);
	return result;
}

/* Nobody else knows of it. */
static void init(struct overlay *fs) __no_lock_analysis
{
	mutex_init(&fs->copy_lock, RANK_OVERLAY_COPY);
	spin_init(&fs->hash_lock, RANK_INODE_STATE);
	for (unsigned i = 0; i < OVERLAY_BUCKETS; i++)
		list_init(&fs->by_upper[i]);
}

static int find_all(struct overlay *fs, char *text)
{
	struct options o = {};
	int result = parse(&o, text);

	/* One directory over nothing is no overlay. */
	if (!result && !o.upper && !strchr(o.lower, ':'))
		result = -EINVAL;
	if (!result)
		result = find_lowers(fs, o.lower);
	if (!result && o.upper) {
		(void)cut(o.upper, 0, true);
		(void)cut(o.work, 0, true);
		result = find_upper(fs, &o);
	}
	fs->user_xattrs = o.user_xattrs;
	return result;
}

static int mount(const struct file_system_type *type, const char *source, u32 flags,
		 const char *data, struct superblock **out)
{
	struct overlay *fs = kzalloc(sizeof(*fs), 0);
	char *text = fs && data ? kstrdup(data, 0) : nullptr;
	struct superblock *sb = nullptr;
	int result = fs && (!data || text) ? 0 : -ENOMEM;

	if (!result) {
		init(fs);
		result = data ? find_all(fs, text) : -EINVAL;
	}
	kfree(text);
	if (!result) {
		fs->one_device = on_one_device(fs);
		fs->options = kstrdup(data, 0);
		result = fs->options ? superblock_create(type, &superblock_ops,
							 OVERLAYFS_SUPER_MAGIC, &sb)
				     : -ENOMEM;
	}
	if (result) {
		if (fs) {
			put_paths(fs);
			kfree(fs->options);
		}
		kfree(fs);
		return result;
	}
	sb->private = fs;
	fs->sb = sb;
	mutex_init(&sb->rename_lock, RANK_OVERLAY_RENAME);
	if (!fs->upper.dentry)
		sb->flags |= MS_RDONLY;
	result = make_root(fs);
	if (result)
		superblock_put(sb);
	else
		*out = sb;
	return result;
}

void overlay_init(void)
{
	static struct file_system_type overlay_type = { .name = "overlay",
							.user_visible = true,
							.mount = mount };

	file_system_register(&overlay_type);
}
