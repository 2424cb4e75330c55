/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POSIX access control lists on tmpfs: acl(5), as the attributes that libacl reads and writes. */
#include "guest_test.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

struct list {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entries[8];
};
#define SIZE(n) (sizeof(struct posix_acl_xattr_header) + (n) * sizeof(struct posix_acl_xattr_entry))

/* user::u, user:1000:named, group::g, mask::m, other::o */
static struct list five(int u, int named, int g, int m, int o)
{
	return (struct list){ { POSIX_ACL_XATTR_VERSION },
			      { { ACL_USER_OBJ, (unsigned short)u, -1u },
				{ ACL_USER, (unsigned short)named, 1000 },
				{ ACL_GROUP_OBJ, (unsigned short)g, -1u },
				{ ACL_MASK, (unsigned short)m, -1u },
				{ ACL_OTHER, (unsigned short)o, -1u } } };
}

static unsigned mode_of(const char *path)
{
	struct stat st = {};

	EXPECT(stat(path, &st) == 0);
	return st.st_mode & 07777;
}

static int open_as(int uid, const char *path, int flags)
{
	IN_CHILD(pid)
	{
		if (setgid((gid_t)uid) || setuid((uid_t)uid))
			_exit(99);
		_exit(open(path, flags) < 0 ? errno : 0);
	}
	return wait_status(pid);
}

TEST(acl_sets_the_mode_and_is_read_back)
{
	struct list list = five(6, 6, 4, 6, 0), back;

	make_file("f", "x");
	REQUIRE(chmod("f", 0644) == 0);
	EXPECT_ERRNO(getxattr("f", ACCESS, &back, sizeof(back)), ENODATA);
	EXPECT_EQ(setxattr("f", ACCESS, &list, SIZE(5), 0), 0);
	EXPECT_EQ(mode_of("f"), 0660);
	EXPECT_EQ(getxattr("f", ACCESS, NULL, 0), SIZE(5));
	EXPECT_ERRNO(getxattr("f", ACCESS, &back, 8), ERANGE);
	EXPECT_EQ(getxattr("f", ACCESS, &back, sizeof(back)), SIZE(5));
	EXPECT(memcmp(&list, &back, SIZE(5)) == 0);
	EXPECT_EQ(chmod("f", 0640), 0);
	EXPECT_EQ(getxattr("f", ACCESS, &back, sizeof(back)), SIZE(5));
	EXPECT_EQ(back.entries[3].e_perm, 4);
	EXPECT_EQ(back.entries[2].e_perm, 4);
	EXPECT_EQ(removexattr("f", ACCESS), 0);
	EXPECT_EQ(removexattr("f", ACCESS), 0);
	EXPECT_ERRNO(getxattr("f", ACCESS, &back, sizeof(back)), ENODATA);
	EXPECT_EQ(mode_of("f"), 0640);
}

TEST(acl_decides_who_may_open)
{
	struct list list = five(6, 6, 4, 6, 0);

	chmod(".", 0755);
	make_file("f", "x");
	EXPECT_EQ(setxattr("f", ACCESS, &list, SIZE(5), 0), 0);
	EXPECT_EQ(open_as(1000, "f", O_RDWR), 0);
	EXPECT_EQ(open_as(1001, "f", O_RDONLY), EACCES);
	list = five(6, 6, 4, 4, 0);
	EXPECT_EQ(setxattr("f", ACCESS, &list, SIZE(5), 0), 0);
	EXPECT_EQ(open_as(1000, "f", O_RDWR), EACCES);
	EXPECT_EQ(open_as(1000, "f", O_RDONLY), 0);
	list = five(6, 6, 4, 0, 4);
	EXPECT_EQ(setxattr("f", ACCESS, &list, SIZE(5), 0), 0);
	EXPECT_EQ(open_as(1000, "f", O_RDWR), EACCES);
	list = five(6, 0, 4, 4, 6);
	EXPECT_EQ(setxattr("f", ACCESS, &list, SIZE(5), 0), 0);
	EXPECT_EQ(open_as(1000, "f", O_RDONLY), EACCES);
	EXPECT_EQ(open_as(1001, "f", O_RDWR), 0);
}

TEST(acl_keeps_a_user_out_of_a_directory)
{
	struct list list = five(7, 0, 7, 7, 7);

	chmod(".", 0755);
	mkdir("d", 0777);
	make_file("d/f", "x");
	EXPECT_EQ(setxattr("d", ACCESS, &list, SIZE(5), 0), 0);
	EXPECT_EQ(mode_of("d"), 0777);
	EXPECT_EQ(open_as(1000, "d/f", O_RDONLY), EACCES);
	EXPECT_EQ(open_as(1001, "d/f", O_RDONLY), 0);
}

TEST(acl_default_is_inherited)
{
	struct list list = five(7, 7, 5, 7, 0), back;
	char names[256];

	umask(077);
	mkdir("d", 0755);
	EXPECT_EQ(setxattr("d", DEFAULT, &list, SIZE(5), 0), 0);
	EXPECT_EQ(listxattr("d", names, sizeof(names)), sizeof(DEFAULT));
	EXPECT_STREQ(names, DEFAULT);
	close(open("d/f", O_CREAT | O_WRONLY, 0664));
	EXPECT_EQ(mode_of("d/f"), 0660);
	EXPECT_EQ(getxattr("d/f", ACCESS, &back, sizeof(back)), SIZE(5));
	EXPECT_EQ(back.entries[0].e_perm, 6);
	EXPECT_EQ(back.entries[1].e_perm, 7);
	EXPECT_EQ(back.entries[3].e_perm, 6);
	mkdir("d/sub", 0777);
	EXPECT_EQ(mode_of("d/sub"), 0770);
	EXPECT_EQ(getxattr("d/sub", DEFAULT, &back, sizeof(back)), SIZE(5));
	EXPECT_EQ(listxattr("d/sub", NULL, 0), sizeof(DEFAULT) + sizeof(ACCESS));
	symlink("f", "d/link");
	EXPECT_ERRNO(lgetxattr("d/link", ACCESS, &back, sizeof(back)), EOPNOTSUPP);
	EXPECT_ERRNO(setxattr("d/f", DEFAULT, &list, SIZE(5), 0), EACCES);
}

TEST(acl_that_says_no_more_than_the_mode_becomes_the_mode)
{
	struct list list = {
		{ POSIX_ACL_XATTR_VERSION },
		{ { ACL_USER_OBJ, 6, -1u }, { ACL_GROUP_OBJ, 4, -1u }, { ACL_OTHER, 4, -1u } }
	};

	make_file("f", "x");
	EXPECT_EQ(setxattr("f", ACCESS, &list, SIZE(3), 0), 0);
	EXPECT_EQ(mode_of("f"), 0644);
	EXPECT_ERRNO(getxattr("f", ACCESS, NULL, 0), ENODATA);
}

TEST(acl_bad_values_are_refused)
{
	struct list list = five(6, 6, 4, 6, 0);

	make_file("f", "x");
	EXPECT_ERRNO(setxattr("f", ACCESS, &list, 3, 0), EINVAL);
	EXPECT_ERRNO(setxattr("f", ACCESS, &list, SIZE(5) - 1, 0), EINVAL);
	EXPECT_ERRNO(setxattr("f", ACCESS, &list, SIZE(4), 0), EINVAL);
	list.header.a_version = 1;
	EXPECT_ERRNO(setxattr("f", ACCESS, &list, SIZE(5), 0), EOPNOTSUPP);
	list = five(6, 8, 4, 6, 0);
	EXPECT_ERRNO(setxattr("f", ACCESS, &list, SIZE(5), 0), EINVAL);
	list = five(6, 6, 4, 6, 0);
	list.entries[1].e_id = -1u;
	EXPECT_ERRNO(setxattr("f", ACCESS, &list, SIZE(5), 0), EINVAL);
	list = five(6, 6, 4, 6, 0);
	list.entries[3].e_tag = ACL_GROUP;
	EXPECT_ERRNO(setxattr("f", ACCESS, &list, SIZE(5), 0), EINVAL);
	EXPECT_EQ(setxattr("f", ACCESS, &list, SIZE(0), 0), 0);
}
