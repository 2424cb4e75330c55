/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of ext4 stand on. */
#include "ext4_test.h"

bool test_fs_make(struct test_fs *t, const char *options, u64 size)
{
	struct host_disk_options disk = { .sectors = size >> SECTOR_SHIFT,
					  .write_cache = true,
					  .seed = 1 };
	static bool booted;
	char command[256];

	*t = (struct test_fs){ .name = "test" };
	if (!booted) {
		host_vfs_boot();
		ext4_init();
		booted = true;
	}
	snprintf(t->image, sizeof(t->image), "build/host/ext4-%x.img",
		 (unsigned)(host_time_ns() & 0xffffffff));
	snprintf(command, sizeof(command),
		 "rm -f %s; PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -E "
		 "lazy_itable_init=1,nodiscard %s %s %luk",
		 t->image, options, t->image, (unsigned long)(size >> 10));
	if (!EXPECT_EQ(host_command(command), 0))
		return false;
	if (!EXPECT_EQ(host_disk_create("test", &disk, &t->disk), 0))
		return false;
	return EXPECT(host_disk_load(t->disk, t->image) > 0);
}

bool test_disk_again(struct test_fs *t, const u8 *contents, u64 size)
{
	struct host_disk_options disk = { .sectors = size >> SECTOR_SHIFT,
					  .write_cache = true,
					  .seed = 1 };

	t->name = "again";
	t->sb = nullptr;
	if (!EXPECT_EQ(host_disk_create(t->name, &disk, &t->disk), 0))
		return false;
	memcpy(host_disk_data(t->disk), contents, size);
	return true;
}

int test_fs_mount(struct test_fs *t, u32 flags)
{
	return host_mount("ext4", t->name, flags, "errors=continue", &t->sb);
}

void test_fs_unmount(struct test_fs *t)
{
	superblock_put(t->sb);
	t->sb = nullptr;
}

bool test_fs_check(struct test_fs *t)
{
	char command[256];

	if (!EXPECT_EQ(host_disk_save(t->disk, t->image), 0))
		return false;
	snprintf(command, sizeof(command),
		 "PATH=$PATH:/sbin:/usr/sbin e2fsck -fn %s > %s.log 2>&1 || { cat %s.log; false; }",
		 t->image, t->image, t->image);
	return EXPECT_EQ(host_command(command), 0);
}

void test_fs_free(struct test_fs *t)
{
	char command[160];

	host_disk_destroy(t->disk);
	snprintf(command, sizeof(command), "rm -f %s %s.log", t->image, t->image);
	(void)host_command(command);
}

/* --- names --- */

static struct dentry dentry_of(const char *name)
{
	return (struct dentry){ .name = (char *)name, .name_length = (u32)strlen(name) };
}

int test_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct dentry d = dentry_of(name);

	read_guard(&dir->lock);
	return dir->ops->lookup(dir, &d, out);
}

int test_create(struct inode *dir, const char *name, u32 mode, struct inode **out)
{
	struct dentry d = dentry_of(name);

	write_guard(&dir->lock);
	return dir->ops->create(dir, &d, mode, 0, out);
}

int test_symlink(struct inode *dir, const char *name, const char *target)
{
	struct dentry d = dentry_of(name);
	struct inode *link;
	int result;

	write_lock(&dir->lock);
	result = dir->ops->symlink(dir, &d, target, &link);
	write_unlock(&dir->lock);
	if (!result)
		inode_put(link);
	return result;
}

int test_remove(struct inode *dir, const char *name)
{
	struct dentry d = dentry_of(name);
	struct inode *target;
	int result = test_lookup(dir, name, &target);

	if (result || !target)
		return result ? result : -ENOENT;
	write_lock(&dir->lock);
	result = S_ISDIR(target->mode) ? dir->ops->rmdir(dir, &d, target)
				       : dir->ops->unlink(dir, &d, target);
	write_unlock(&dir->lock);
	inode_put(target);
	return result;
}

int test_link(struct inode *dir, const char *name, struct inode *target)
{
	struct dentry d = dentry_of(name);

	write_guard(&dir->lock);
	return dir->ops->link(dir, &d, target);
}

int test_rename(struct inode *from, const char *name, struct inode *to, const char *new_name,
		u32 flags)
{
	struct dentry d = dentry_of(name), e = dentry_of(new_name);
	struct inode *source, *replaced;
	int result = test_lookup(from, name, &source);

	if (result || !source)
		return result ? result : -ENOENT;
	result = test_lookup(to, new_name, &replaced);
	if (!result && replaced != source)
		result = from->ops->rename(from, &d, to, &e, source, replaced, flags);
	inode_put(source);
	if (replaced)
		inode_put(replaced);
	return result;
}

struct list_context {
	struct directory_context ctx;
	void (*visit)(const char *name, u64 number, void *arg);
	void *arg;
	int count, left;
};

/* Lets a few entries through at a time, so that positions are used. */
static bool list_emit(struct directory_context *ctx, const char *name, size_t length, u64 ino,
		      unsigned type, u64 next)
{
	struct list_context *c = container_of(ctx, struct list_context, ctx);
	char text[256];

	if (!c->left)
		return false;
	c->left--;
	c->count++;
	memcpy(text, name, length);
	text[length] = 0;
	if (c->visit)
		c->visit(text, ino, c->arg);
	return true;
}

int test_list(struct inode *dir, void (*visit)(const char *name, u64 number, void *arg), void *arg)
{
	struct list_context c = { { list_emit }, visit, arg, 0, 0 };
	struct file file = { .inode = dir };
	int before, result;

	do {
		before = c.count;
		c.left = 7;
		result = dir->file_ops->read_directory(&file, &c.ctx);
	} while (!result && c.count > before);
	return result ? result : c.count;
}

/* --- contents --- */

static int file_open(struct inode *inode, struct file *file)
{
	*file = (struct file){ .inode = inode, .ops = inode->file_ops, .flags = O_RDWR };
	return inode->ops->open(inode, file);
}

ssize_t test_write(struct inode *inode, u64 offset, const void *data, size_t size)
{
	struct file file;
	struct iter it;
	ssize_t result = file_open(inode, &file);

	if (result)
		return result;
	iter_init_kernel(&it, (void *)data, size);
	result = file.ops->write(&file, &it, &offset);
	file.ops->destroy(&file);
	return result;
}

ssize_t test_read(struct inode *inode, u64 offset, void *data, size_t size)
{
	struct file file;
	struct iter it;
	ssize_t result = file_open(inode, &file);

	if (result)
		return result;
	iter_init_kernel(&it, data, size);
	result = file.ops->read(&file, &it, &offset);
	file.ops->destroy(&file);
	return result;
}

int test_truncate(struct inode *inode, u64 size)
{
	return inode_truncate(inode, size);
}

int test_allocate(struct inode *inode, int mode, u64 offset, u64 length)
{
	struct file file;
	int result = file_open(inode, &file);

	if (result)
		return result;
	result = file.ops->allocate(&file, mode, offset, length);
	file.ops->destroy(&file);
	return result;
}

int test_sync(struct inode *inode)
{
	struct file file;
	int result = file_open(inode, &file);

	if (result)
		return result;
	result = file.ops->sync(&file, false, 0, 0);
	file.ops->destroy(&file);
	return result;
}
