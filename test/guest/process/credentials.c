/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User and group ids, capabilities, set-user-ID programs. */
#include "guest_test.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static uint64_t capabilities(int which)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return ~0ull;
	switch (which) {
	case 'e':
		return data[0].effective | (uint64_t)data[1].effective << 32;
	case 'p':
		return data[0].permitted | (uint64_t)data[1].permitted << 32;
	default:
		return data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	}
}

TEST(setuid_drops_everything)
{
	IN_CHILD(pid)
	{
		uid_t r, e, s;

		EXPECT_EQ(setgid(200), 0);
		EXPECT_EQ(setuid(100), 0);
		EXPECT_EQ(getresuid(&r, &e, &s), 0);
		EXPECT(r == 100 && e == 100 && s == 100);
		EXPECT_EQ(capabilities('e'), 0);
		EXPECT_EQ(capabilities('p'), 0);
		EXPECT_ERRNO(setuid(0), EPERM);
		EXPECT_ERRNO(setgid(0), EPERM);
		EXPECT_ERRNO(setresuid(-1, 5, -1), EPERM);
		EXPECT_ERRNO(kill(1, 0), EPERM);
		EXPECT_EQ(setuid(100), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(seteuid_is_reversible)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(seteuid(100), 0);
		EXPECT_EQ(capabilities('e'), 0);
		EXPECT_NE(capabilities('p'), 0);
		EXPECT_EQ(seteuid(0), 0);
		EXPECT_NE(capabilities('e'), 0);
		EXPECT_EQ(setreuid(100, 101), 0);
		EXPECT_EQ(getuid(), 100);
		EXPECT_EQ(geteuid(), 101);
		EXPECT_EQ(setreuid(101, 100), 0);
		EXPECT_ERRNO(setreuid(0, 0), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(keepcaps_and_fsuid)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(setfsuid(100), 0);
		EXPECT_EQ(setfsuid(-1), 100);
		EXPECT_EQ(setfsuid(0), 100);
		EXPECT_EQ(prctl(PR_SET_KEEPCAPS, 1), 0);
		EXPECT_EQ(setuid(100), 0);
		EXPECT_NE(capabilities('p'), 0);
		EXPECT_EQ(capabilities('e'), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(groups)
{
	gid_t set[] = { 30, 10, 20 }, got[8];

	IN_CHILD(pid)
	{
		EXPECT_EQ(setgroups(3, set), 0);
		EXPECT_EQ(getgroups(0, NULL), 3);
		EXPECT_EQ(getgroups(8, got), 3);
		EXPECT_ERRNO(getgroups(2, got), EINVAL);
		EXPECT_ERRNO(setgroups(70000, set), EINVAL);
		EXPECT_EQ(setgroups(0, NULL), 0);
		EXPECT_EQ(getgroups(0, NULL), 0);
		EXPECT_EQ(setuid(5), 0);
		EXPECT_ERRNO(setgroups(1, set), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(capset_only_takes_away)
{
	IN_CHILD(pid)
	{
		struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
		struct __user_cap_data_struct data[2] = { { .effective = 1 << CAP_KILL,
							    .permitted = 1 << CAP_KILL } };

		EXPECT_EQ(syscall(SYS_capset, &header, data), 0);
		EXPECT_EQ(capabilities('e'), 1 << CAP_KILL);
		data[0].permitted |= 1 << CAP_CHOWN;
		EXPECT_ERRNO(syscall(SYS_capset, &header, data), EPERM);
		header.version = 0x12345;
		EXPECT_ERRNO(syscall(SYS_capset, &header, data), EINVAL);
		EXPECT_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
		EXPECT_ERRNO(sethostname("x", 1), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(bounding_and_ambient_sets)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN), 1);
		EXPECT_EQ(prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN), 0);
		EXPECT_EQ(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN), 0);
		EXPECT_ERRNO(prctl(PR_CAPBSET_READ, 64), EINVAL);
		EXPECT_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), EPERM);
		EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0), 0);
		EXPECT_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), 0);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}

HELPER(set_user_id)
{
	uid_t r, e, s;

	getresuid(&r, &e, &s);
	return r == 100 && e == (uid_t)atoi(argv[1]) && s == e && getauxval(AT_SECURE) == (e != 100)
		       ? 0
		       : 1;
}

static void copy_program(const char *to)
{
	char *buf = malloc(1 << 20);
	int from = open(GUEST_PROGRAM, O_RDONLY), out = open(to, O_CREAT | O_WRONLY, 0755);
	ssize_t n;

	while ((n = read(from, buf, 1 << 20)) > 0)
		REQUIRE(write(out, buf, (size_t)n) == n);
	close(from);
	close(out);
	free(buf);
}

TEST(set_user_id_bit)
{
	copy_program("program");
	chmod(".", 0755);
	chmod("program", 04755);
	IN_CHILD(pid)
	{
		if (setuid(100))
			_exit(90);
		execl("./program", "x", "helper", "set_user_id", "0", NULL);
		_exit(91);
	}
	EXPECT_EQ(wait_status(pid), 0);
	IN_CHILD(restricted)
	{
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (setuid(100))
			_exit(90);
		execl("./program", "x", "helper", "set_user_id", "100", NULL);
		_exit(91);
	}
	EXPECT_EQ(wait_status(restricted), 0);
}
