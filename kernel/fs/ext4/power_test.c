/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power cuts, hostile images, failing disks, full disks. A cut is any moment of a recorded run: what was flushed is there,
 * of the rest any part. After it the journal is replayed, once by us and once by e2fsck; then e2fsck -fn must find
 * nothing, what was fsynced must be there, and a file that was replaced by rename is old or new.
 */
#include "ext4_test.h"

#define CUTS 20
#define FILES 60
#define CURRENT "current"

/* What the workload promised, and from which event of the recording on. */
struct promise {
	unsigned event;
	u32 size;
	u8 seed;
};
struct workload {
	struct promise files[FILES];
	struct promise versions[FILES]; /* of CURRENT */
	int count;
};

static void pattern(u8 *data, u32 size, u8 seed)
{
	for (u32 i = 0; i < size; i++)
		data[i] = (u8)(seed + i * 7 + (i >> 8));
}

static bool has_pattern(struct inode *file, const struct promise *p)
{
	u8 *data = kmalloc(p->size + 1, 0), *expected = kmalloc(p->size + 1, 0);
	bool same;

	pattern(expected, p->size, p->seed);
	same = test_read(file, 0, data, p->size + 1) == (ssize_t)p->size &&
	       memcmp(data, expected, p->size) == 0;
	kfree(data);
	kfree(expected);
	return same;
}

static void write_file(struct inode *dir, const char *name, const struct promise *p, bool sync)
{
	struct inode *file;
	u8 *data = kmalloc(p->size, 0);

	pattern(data, p->size, p->seed);
	if (EXPECT_EQ(test_create(dir, name, S_IFREG | 0644, &file), 0)) {
		EXPECT_EQ(test_write(file, 0, data, p->size), (ssize_t)p->size);
		if (sync)
			EXPECT_EQ(test_sync(file), 0);
		inode_put(file);
	}
	kfree(data);
}

/* Files that are fsynced, files that are not, a file replaced again and again, directories that come and go. */
static void run_workload(struct test_fs *t, struct workload *w, u64 *seed)
{
	struct inode *root = t->sb->root->inode, *dir;
	char name[32];

	for (w->count = 0; w->count < FILES; w->count++) {
		struct promise *p = &w->files[w->count], *v = &w->versions[w->count];

		*p = (struct promise){ 0, 1 + test_random(seed) % 40000, (u8)test_random(seed) };
		snprintf(name, sizeof(name), "file%d", w->count);
		write_file(root, name, p, true);
		p->event = host_disk_recorded(t->disk);
		*v = (struct promise){ 0, 1000 + (u32)w->count * 100, (u8)w->count };
		write_file(root, "new", v, w->count % 2 == 0);
		EXPECT_EQ(test_rename(root, "new", root, CURRENT, 0), 0);
		snprintf(name, sizeof(name), "directory%d", w->count);
		if (EXPECT_EQ(test_create(root, name, S_IFDIR | 0755, &dir), 0)) {
			write_file(dir, "unsynced", v, false);
			inode_put(dir);
		}
		if (w->count > 3) {
			snprintf(name, sizeof(name), "directory%d", w->count - 3);
			if (EXPECT_EQ(test_lookup(root, name, &dir), 0) && dir) {
				EXPECT_EQ(test_remove(dir, "unsynced"), 0);
				inode_put(dir);
				EXPECT_EQ(test_remove(root, name), 0);
			}
		}
	}
}

/* After a cut at `event`: what was promised until then. */
static void check_promises(struct test_fs *t, const struct workload *w, unsigned event)
{
	struct inode *root = t->sb->root->inode, *file = nullptr;
	bool known = false;
	char name[32];

	for (int i = 0; i < w->count; i++) {
		if (w->files[i].event > event)
			continue;
		snprintf(name, sizeof(name), "file%d", i);
		if (!EXPECT_EQ(test_lookup(root, name, &file), 0) || !EXPECT(file))
			continue;
		EXPECT(has_pattern(file, &w->files[i]));
		inode_put(file);
	}
	if (test_lookup(root, CURRENT, &file) || !file)
		return;
	for (int i = 0; i < w->count && !known; i++)
		known = w->versions[i].size == file->size && has_pattern(file, &w->versions[i]);
	EXPECT(known);
	inode_put(file);
}

/* e2fsck's way: it replays the journal itself. */
static void check_with_e2fsck(struct test_fs *t)
{
	char command[300];

	EXPECT_EQ(host_disk_save(t->disk, t->image), 0);
	snprintf(command, sizeof(command),
		 "PATH=$PATH:/sbin:/usr/sbin; e2fsck -fy -E journal_only %s > %s.log 2>&1; e2fsck "
		 "-fn %s >> %s.log 2>&1 || "
		 "{ cat %s.log; false; }",
		 t->image, t->image, t->image, t->image, t->image);
	EXPECT_EQ(host_command(command), 0);
}

static void cut(const struct test_fs *run, const struct workload *w, const u8 *image, u64 size,
		unsigned event)
{
	struct test_fs t = *run;

	if (!test_disk_again(&t, image, size))
		return;
	check_with_e2fsck(&t);
	if (EXPECT_EQ(test_fs_mount(&t, 0), 0)) {
		check_promises(&t, w, event);
		test_fs_unmount(&t);
		test_fs_check(&t);
	}
	host_disk_destroy(t.disk);
}

static void power(const char *options, unsigned cuts, u64 seed)
{
	struct workload *w = kzalloc(sizeof(*w), 0);
	u64 size = 16 << 20;
	u8 *image = kmalloc(size, 0);
	struct test_fs t;
	unsigned events;

	if (!test_fs_make(&t, options, size) || !EXPECT(host_disk_record(t.disk)) ||
	    !EXPECT_EQ(test_fs_mount(&t, 0), 0))
		return;
	run_workload(&t, w, &seed);
	test_fs_unmount(&t);
	test_fs_check(&t);
	events = host_disk_recorded(t.disk);
	cuts *= (unsigned)host_scale();
	for (unsigned i = 0; i < cuts && !test_has_failed(); i++) {
		unsigned event = test_random(&seed) % (events + 1);

		host_disk_crash(t.disk, event, test_random(&seed), image);
		cut(&t, w, image, size, event);
		if (test_has_failed())
			test_fail(__FILE_NAME__, __LINE__, "cut at event %u of %u", event, events);
	}
	test_fs_free(&t);
	kfree(image);
	kfree(w);
}

TEST(ext4_power_defaults)
{
	power("-t ext4", CUTS, 11);
}

TEST(ext4_power_small_blocks)
{
	power("-t ext4 -b 1024 -O ^metadata_csum", CUTS, 12);
}

TEST(ext4_power_ext3)
{
	power("-t ext3", CUTS, 13);
}
