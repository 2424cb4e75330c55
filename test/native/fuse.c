/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FUSE client with the example strate, over /dev/fuse and over a channel, and with servers that misbehave. */
#include "program.h"

#include <dirent.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

int ramfs_main(int argc, char **argv);

static int mount_ramfs(bool channel)
{
	char *with[] = { "ramfs", "--channel", "mnt", NULL }, *without[] = { "ramfs", "mnt", NULL };

	mkdir("mnt", 0755);
	IN_CHILD(pid)
	{
		_exit(channel ? ramfs_main(3, with) : ramfs_main(2, without));
	}
	return wait_status(pid);
}

static void files_work(void)
{
	char buffer[100000], big[100000];
	struct stat st;
	struct statfs sfs;
	int fd;

	EXPECT_EQ(statfs("mnt", &sfs), 0);
	EXPECT_EQ(sfs.f_type, 0x65735546);
	EXPECT_ERRNO(open("mnt/none", O_RDONLY), ENOENT);
	make_file("mnt/hello", "world\n");
	EXPECT_EQ(read_file("mnt/hello", buffer, sizeof(buffer)), 6);
	EXPECT_STREQ(buffer, "world\n");
	EXPECT_EQ(stat("mnt/hello", &st), 0);
	EXPECT_EQ(st.st_size, 6);
	EXPECT(S_ISREG(st.st_mode));
	EXPECT_EQ(chmod("mnt/hello", 0600), 0);
	EXPECT_EQ(stat("mnt/hello", &st), 0);
	EXPECT_EQ(st.st_mode & 07777, 0600);
	EXPECT_EQ(mkdir("mnt/dir", 0700), 0);
	EXPECT_ERRNO(mkdir("mnt/dir", 0700), EEXIST);
	EXPECT_EQ(rename("mnt/hello", "mnt/dir/there"), 0);
	EXPECT_ERRNO(stat("mnt/hello", &st), ENOENT);
	EXPECT_ERRNO(rmdir("mnt/dir"), ENOTEMPTY);
	EXPECT_EQ(symlink("dir/there", "mnt/link"), 0);
	EXPECT_EQ(readlink("mnt/link", buffer, sizeof(buffer)), 9);
	EXPECT_EQ(read_file("mnt/link", buffer, sizeof(buffer)), 6);
	EXPECT_ERRNO(getxattr("mnt/link", "user.x", buffer, 10), EOPNOTSUPP);

	memset(big, 'b', sizeof(big));
	big[70000] = 'X';
	fd = open("mnt/big", O_RDWR | O_CREAT | O_EXCL, 0644);
	REQUIRE(fd >= 0);
	EXPECT_EQ(write(fd, big, sizeof(big)), (long)sizeof(big));
	EXPECT_EQ(pread(fd, buffer, sizeof(buffer), 0), (long)sizeof(buffer));
	EXPECT(memcmp(big, buffer, sizeof(big)) == 0);
	EXPECT_EQ(pwrite(fd, "Y", 1, 70000), 1);
	EXPECT_EQ(pread(fd, buffer, 3, 69999), 3);
	EXPECT(memcmp(buffer, "bYb", 3) == 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), (long)sizeof(big));
	EXPECT_EQ(ftruncate(fd, 50), 0);
	EXPECT_EQ(pread(fd, buffer, sizeof(buffer), 0), 50);
	EXPECT_EQ(fstat(fd, &st), 0);
	EXPECT_EQ(st.st_size, 50);
	EXPECT_EQ(fsync(fd), 0);
	EXPECT_EQ(close(fd), 0);
	fd = open("mnt/big", O_WRONLY | O_APPEND);
	EXPECT_EQ(write(fd, "end", 3), 3);
	EXPECT_EQ(close(fd), 0);
	EXPECT_EQ(read_file("mnt/big", buffer, sizeof(buffer)), 53);
	EXPECT(memcmp(buffer + 49, "bend", 4) == 0);
}

static void mappings_work(void)
{
	int fd = open("mnt/map", O_RDWR | O_CREAT, 0644);
	char *p, c = 0;

	REQUIRE(fd >= 0 && ftruncate(fd, 10000) == 0);
	EXPECT_EQ(pwrite(fd, "abc", 3, 5000), 3);
	p = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	EXPECT_EQ(p[5001], 'b');
	p[5001] = 'Z';
	EXPECT_EQ(msync(p, 10000, MS_SYNC), 0);
	EXPECT_EQ(munmap(p, 10000), 0);
	EXPECT_EQ(close(fd), 0);
	fd = open("mnt/map", O_RDONLY | O_DIRECT);
	EXPECT_EQ(pread(fd, &c, 1, 5001), 1);
	EXPECT_EQ(c, 'Z');
	EXPECT_EQ(close(fd), 0);
}

static void listing_works(void)
{
	char name[32];
	unsigned count = 0;
	DIR *dir;

	EXPECT_EQ(mkdir("mnt/many", 0755), 0);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "mnt/many/file%d", i);
		make_file(name, "");
	}
	dir = opendir("mnt/many");
	REQUIRE(dir);
	while (readdir(dir))
		count++;
	EXPECT(count == 300 || count == 302); /* the strate lists no dots */
	closedir(dir);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "mnt/many/file%d", i);
		EXPECT_EQ(unlink(name), 0);
	}
	EXPECT_EQ(rmdir("mnt/many"), 0);
}

static void everything(bool channel)
{
	REQUIRE(mount_ramfs(channel) == 0);
	files_work();
	mappings_work();
	listing_works();
	EXPECT_EQ(umount("mnt"), 0);
	EXPECT_ERRNO(open("mnt/big", O_RDONLY), ENOENT);
}

TEST(ramfs_over_the_device)
{
	everything(false);
}

TEST(ramfs_over_a_channel)
{
	everything(true);
}

TEST(programs_run_from_it)
{
	char *argv[] = { "program", "helper", "none", NULL };

	REQUIRE(mount_ramfs(true) == 0);
	copy_program("mnt/program");
	IN_CHILD(pid)
	{
		execv("mnt/program", argv);
		_exit(99);
	}
	EXPECT_NE(wait_status(pid), 99);
	EXPECT_EQ(umount("mnt"), 0);
}

/* --- a server by hand --- */

static int device;
static char request[8192 * 20];

static struct fuse_in_header *next_request(void)
{
	ssize_t n = read(device, request, sizeof(request));
	struct fuse_in_header *header = (void *)request;

	if (n < 0)
		return NULL;
	EXPECT(n >= (ssize_t)sizeof(*header) && header->len == n);
	return header;
}

static ssize_t respond(uint64_t unique, int error, const void *data, size_t size)
{
	char answer[8192];
	struct fuse_out_header *out = (void *)answer;

	*out = (struct fuse_out_header){ .len = sizeof(*out) + size,
					 .error = error,
					 .unique = unique };
	if (size)
		memcpy(out + 1, data, size);
	return write(device, answer, out->len);
}

static unsigned init_flags; /* of the server's answer */

static void mount_by_hand(void)
{
	struct fuse_init_out init = {
		.major = 7, .minor = 31, .max_write = 4096, .flags = init_flags
	};
	char options[100];

	device = open("/dev/fuse", O_RDWR);
	REQUIRE(device >= 0);
	EXPECT_ERRNO(read(device, request, sizeof(request)), EPERM);
	mkdir("mnt", 0755);
	EXPECT_ERRNO(mount("x", "mnt", "fuse", 0, "fd=0,rootmode=40755,user_id=0,group_id=0"),
		     EINVAL);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=0", device);
	EXPECT_ERRNO(mount("x", "mnt", "fuse", 0, options), EINVAL);
	strcat(options, ",group_id=0");
	REQUIRE(mount("x", "mnt", "fuse", 0, options) == 0);
	EXPECT_ERRNO(read(device, request, 100), EINVAL);
	EXPECT_EQ(next_request()->opcode, FUSE_INIT);
	EXPECT_EQ(respond(((struct fuse_in_header *)request)->unique, 0, &init, sizeof(init)),
		  (long)(sizeof(init) + sizeof(struct fuse_out_header)));
}

static void *stat_it(void *result)
{
	struct stat st;

	*(int *)result = stat("mnt/file", &st) ? errno : 0;
	return NULL;
}

TEST(a_server_that_goes_leaves_nobody_waiting)
{
	pthread_t thread;
	int result = -1;
	struct stat st;

	mount_by_hand();
	REQUIRE(pthread_create(&thread, NULL, stat_it, &result) == 0);
	EXPECT_EQ(next_request()->opcode, FUSE_LOOKUP);
	EXPECT_STREQ(request + sizeof(struct fuse_in_header), "file");
	EXPECT_EQ(close(device), 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(result, ECONNABORTED);
	EXPECT_ERRNO(stat("mnt/file", &st), ENOTCONN);
	EXPECT_EQ(umount("mnt"), 0);
}

TEST(nonsense_is_refused)
{
	struct fuse_entry_out entry = {};
	uint64_t unique;
	pthread_t thread;
	int result = -1;

	mount_by_hand();
	REQUIRE(pthread_create(&thread, NULL, stat_it, &result) == 0);
	unique = next_request()->unique;
	EXPECT_ERRNO(respond(unique + 2, 0, &entry, sizeof(entry)), ENOENT);
	EXPECT_ERRNO(respond(unique, 5, NULL, 0), EINVAL);
	EXPECT_ERRNO(respond(unique, -5000, NULL, 0), EINVAL);
	EXPECT_ERRNO(write(device, request, 3), EINVAL);
	EXPECT_EQ(result, -1);
	EXPECT_ERRNO(respond(unique, 0, &entry, 3), EINVAL);
	pthread_join(thread, NULL);
	EXPECT_EQ(result, EIO);
	/* A node without a type. */
	REQUIRE(pthread_create(&thread, NULL, stat_it, &result) == 0);
	unique = next_request()->unique;
	entry.nodeid = 5;
	EXPECT(respond(unique, 0, &entry, sizeof(entry)) > 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(result, EIO);
	close(device);
	EXPECT_EQ(umount("mnt"), 0);
}

static void *list_it(void *result)
{
	int fd = open("mnt", O_RDONLY | O_DIRECTORY);
	char buffer[1024];

	*(int *)result = syscall(SYS_getdents64, fd, buffer, sizeof(buffer)) < 0 ? errno : -1;
	close(fd);
	return NULL;
}

/* An entry whose name would lie behind the answer. */
TEST(entries_stay_inside_the_answer)
{
	struct fuse_dirent entry = { .ino = 1, .off = 1, .namelen = 200 };
	pthread_t thread;
	int result = -1;

	mount_by_hand();
	REQUIRE(pthread_create(&thread, NULL, list_it, &result) == 0);
	EXPECT_EQ(next_request()->opcode, FUSE_OPENDIR);
	EXPECT(respond(((struct fuse_in_header *)request)->unique, -ENOSYS, NULL, 0) > 0);
	EXPECT_EQ(next_request()->opcode, FUSE_READDIR);
	EXPECT(respond(((struct fuse_in_header *)request)->unique, 0, &entry, sizeof(entry)) > 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(result, EIO);
	close(device);
	EXPECT_EQ(umount("mnt"), 0);
}

static int listed;

static void *list_and_stat(void *unused)
{
	int fd = open("mnt", O_RDONLY | O_DIRECTORY);
	char buffer[1024];
	struct stat st;
	long n;

	while ((n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
		for (long at = 0; at < n; at += ((struct dirent64 *)(buffer + at))->d_reclen)
			listed++;
	EXPECT_EQ(stat("mnt/file", &st), 0);
	EXPECT_EQ(st.st_size, 77);
	close(fd);
	return NULL;
}

static size_t put_entry(char *at, const char *name, uint64_t node, uint64_t offset)
{
	struct fuse_direntplus *entry = (void *)at;
	size_t length = strlen(name);

	memset(entry, 0, sizeof(*entry));
	entry->entry_out = (struct fuse_entry_out){
		.nodeid = node,
		.entry_valid = 10000,
		.attr_valid = 10000,
		.attr = { .ino = node, .mode = S_IFREG | 0644, .nlink = 1, .size = 77 }
	};
	entry->dirent.ino = node ?: 1;
	entry->dirent.off = offset;
	entry->dirent.namelen = (unsigned)length;
	memcpy(entry->dirent.name, name, length);
	return FUSE_DIRENTPLUS_SIZE(entry);
}

/* A listing with attributes: nothing has to be looked up after it, and what it counted is given back. */
TEST(a_listing_brings_attributes)
{
	static char answer[1024];
	struct fuse_forget_in *forgotten = (void *)(request + sizeof(struct fuse_in_header));
	pthread_t thread;
	size_t size;

	init_flags = FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO;
	mount_by_hand();
	REQUIRE(pthread_create(&thread, NULL, list_and_stat, NULL) == 0);
	EXPECT_EQ(next_request()->opcode, FUSE_OPENDIR);
	EXPECT(respond(((struct fuse_in_header *)request)->unique, -ENOSYS, NULL, 0) > 0);
	EXPECT_EQ(next_request()->opcode, FUSE_READDIRPLUS);
	size = put_entry(answer, ".", 0, 1);
	size += put_entry(answer + size, "file", 5, 2);
	EXPECT(respond(((struct fuse_in_header *)request)->unique, 0, answer, size) > 0);
	for (int i = 0; i < 2; i++) { /* the end, and for the reader that asks again */
		EXPECT_EQ(next_request()->opcode, FUSE_READDIR);
		EXPECT(respond(((struct fuse_in_header *)request)->unique, 0, NULL, 0) > 0);
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(listed, 2);
	EXPECT_EQ(next_request()->opcode, FUSE_RELEASEDIR);
	EXPECT(respond(((struct fuse_in_header *)request)->unique, 0, NULL, 0) > 0);
	for (int i = 0; i < 3; i++) /* what was used lately is spared at first */
		make_file("/proc/sys/vm/drop_caches", "2");
	EXPECT_EQ(next_request()->opcode, FUSE_FORGET);
	EXPECT_EQ(((struct fuse_in_header *)request)->nodeid, 5);
	EXPECT_EQ(forgotten->nlookup, 1);
	close(device);
	EXPECT_EQ(umount("mnt"), 0);
}

static void *seek_in_it(void *unused)
{
	int fd = open("mnt/file", O_RDONLY);

	EXPECT_EQ(lseek(fd, 10, SEEK_HOLE), 4096);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 4096);
	EXPECT_ERRNO(lseek(fd, 9000, SEEK_DATA), ENXIO);
	EXPECT_EQ(lseek(fd, 0, SEEK_END), 8192);
	close(fd);
	return NULL;
}

TEST(holes_are_the_servers)
{
	struct fuse_entry_out entry = {
		.nodeid = 5,
		.entry_valid = 10000,
		.attr_valid = 10000,
		.attr = { .ino = 5, .mode = S_IFREG | 0644, .nlink = 1, .size = 8192 }
	};
	struct fuse_lseek_in *asked = (void *)(request + sizeof(struct fuse_in_header));
	struct fuse_lseek_out hole = { .offset = 4096 };
	pthread_t thread;

	mount_by_hand();
	REQUIRE(pthread_create(&thread, NULL, seek_in_it, NULL) == 0);
	EXPECT_EQ(next_request()->opcode, FUSE_LOOKUP);
	EXPECT(respond(((struct fuse_in_header *)request)->unique, 0, &entry, sizeof(entry)) > 0);
	EXPECT_EQ(next_request()->opcode, FUSE_OPEN);
	EXPECT(respond(((struct fuse_in_header *)request)->unique, -ENOSYS, NULL, 0) > 0);
	EXPECT_EQ(next_request()->opcode, FUSE_LSEEK);
	EXPECT_EQ(asked->offset, 10);
	EXPECT_EQ(asked->whence, SEEK_HOLE);
	EXPECT(respond(((struct fuse_in_header *)request)->unique, 0, &hole, sizeof(hole)) > 0);
	EXPECT_EQ(next_request()->opcode, FUSE_LSEEK);
	EXPECT(respond(((struct fuse_in_header *)request)->unique, -ENXIO, NULL, 0) > 0);
	EXPECT_EQ(next_request()->opcode, FUSE_FLUSH);
	EXPECT(respond(((struct fuse_in_header *)request)->unique, -ENOSYS, NULL, 0) > 0);
	pthread_join(thread, NULL);
	close(device);
	EXPECT_EQ(umount("mnt"), 0);
}

TEST(signals_reach_who_waits)
{
	struct fuse_in_header *header;
	struct stat st;
	uint64_t unique;

	mount_by_hand();
	IN_CHILD(pid)
	{
		close(device);
		stat("mnt/file", &st);
		_exit(0);
	}
	header = next_request();
	REQUIRE(header);
	unique = header->unique;
	EXPECT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(wait_status(pid), 128 + SIGKILL); /* without an answer */
	header = next_request();
	EXPECT_EQ(header->opcode, FUSE_INTERRUPT);
	EXPECT_EQ(((struct fuse_interrupt_in *)(header + 1))->unique, unique);
	/* The server still works at it, until it answers. */
	EXPECT_EQ(respond(unique, -EINTR, NULL, 0), sizeof(struct fuse_out_header));
	EXPECT_ERRNO(respond(unique, -EINTR, NULL, 0), ENOENT);
	close(device);
	EXPECT_EQ(umount("mnt"), 0);
}

TEST(a_strate_that_is_killed_gives_errors)
{
	char buffer[64];
	int fd, ends = 0;

	REQUIRE(mount_ramfs(true) == 0);
	make_file("mnt/file", "text");
	fd = open("mnt/file", O_RDWR);
	REQUIRE(fd >= 0);
	signal(SIGTERM, SIG_IGN);
	/* The strate is the only other process of this group. */
	IN_CHILD(pid)
	{
		kill(0, SIGTERM);
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 0);
	for (; ends < 100 && pwrite(fd, "x", 1, 0) == 1; ends++)
		sleep_ms(20);
	EXPECT_ERRNO(pwrite(fd, "x", 1, 0), EIO);
	EXPECT_ERRNO(open("mnt/other", O_RDONLY), EIO);
	EXPECT(close(fd) == 0 || errno == EIO);
	EXPECT_EQ(umount("mnt"), 0);
	EXPECT_EQ(read_file("mnt/file", buffer, sizeof(buffer)), -1);
}

/* stat(2) in a thread: the request that the server gets for it, or none. */
static unsigned request_of_stat(const void *answer, size_t size)
{
	pthread_t thread;
	unsigned opcode;
	int result = -1;

	REQUIRE(pthread_create(&thread, NULL, stat_it, &result) == 0);
	opcode = next_request()->opcode;
	EXPECT(respond(((struct fuse_in_header *)request)->unique, 0, answer, size) > 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(result, 0);
	return opcode;
}

/* Keeps the name and the node in use. */
static void *hold_it(void *result)
{
	*(int *)result = open("mnt/file", O_PATH);
	return NULL;
}

/* What the server says has changed is asked about again, however long it was to be true. */
TEST(servers_tell_of_changes)
{
	struct fuse_entry_out entry = { .nodeid = 5,
					.entry_valid = 10000,
					.attr_valid = 10000,
					.attr = { .ino = 5, .mode = S_IFREG | 0644, .nlink = 1 } };
	struct fuse_attr_out attributes = { .attr_valid = 10000, .attr = entry.attr };
	struct fuse_notify_inval_inode_out changed = { .ino = 5, .off = -1 };
	struct {
		struct fuse_notify_inval_entry_out out;
		char name[5];
	} __attribute__((packed)) name = { { .parent = FUSE_ROOT_ID, .namelen = 4 }, "file" };
	pthread_t thread;
	struct stat st;
	int held;

	mount_by_hand();
	REQUIRE(pthread_create(&thread, NULL, hold_it, &held) == 0);
	EXPECT_EQ(next_request()->opcode, FUSE_LOOKUP);
	EXPECT(respond(((struct fuse_in_header *)request)->unique, 0, &entry, sizeof(entry)) > 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(stat("mnt/file", &st), 0); /* that is known */
	EXPECT(respond(0, FUSE_NOTIFY_INVAL_INODE, &changed, sizeof(changed)) > 0);
	attributes.attr.size = 4;
	EXPECT_EQ(request_of_stat(&attributes, sizeof(attributes)), FUSE_GETATTR);
	EXPECT_EQ(stat("mnt/file", &st), 0);
	EXPECT_EQ(st.st_size, 4);
	EXPECT(respond(0, FUSE_NOTIFY_INVAL_ENTRY, &name, sizeof(name)) > 0);
	entry.entry_valid = 20000;
	EXPECT_EQ(request_of_stat(&entry, sizeof(entry)), FUSE_LOOKUP);
	EXPECT_EQ(stat("mnt/file", &st), 0);
	changed.off = 0;
	EXPECT(respond(0, FUSE_NOTIFY_INVAL_INODE, &changed, sizeof(changed)) > 0);
	changed.ino = 6;
	EXPECT_ERRNO(respond(0, FUSE_NOTIFY_INVAL_INODE, &changed, sizeof(changed)), ENOENT);
	EXPECT_ERRNO(respond(0, FUSE_NOTIFY_INVAL_INODE, &changed, 3), EINVAL);
	EXPECT_ERRNO(respond(0, FUSE_NOTIFY_INVAL_ENTRY, &name, sizeof(name) - 1), EINVAL);
	EXPECT_ERRNO(respond(0, 99, &name, sizeof(name)), EINVAL);
	close(held);
	close(device);
	EXPECT_EQ(umount("mnt"), 0);
}
