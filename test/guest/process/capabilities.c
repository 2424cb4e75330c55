/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities of programs and across exec: capabilities(7). */
#include <guest_test.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <linux/capability.h>

static unsigned long long effective(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	syscall(SYS_capget, &header, data);
	return data[0].effective | (unsigned long long)data[1].effective << 32;
}

/* Exits with 0 if exactly the capability of argv[1] is effective, or none without an argument. */
HELPER(has_capability)
{
	return effective() == (argc > 1 ? 1ull << atoi(argv[1]) : 0) ? 0 : 1;
}
/* The effective user id. */
HELPER(effective_user)
{
	return (int)geteuid();
}

static void copy_program(const char *to)
{
	char buf[65536];
	int in = open(GUEST_PROGRAM, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0755);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		EXPECT_EQ(write(out, buf, (size_t)n), n);
	close(in);
	close(out);
	EXPECT_EQ(chmod(to, 0755), 0);
}

static void set_capability(const char *path, int capability)
{
	struct vfs_cap_data data = { .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE };

	data.data[capability / 32].permitted = 1u << capability % 32;
	EXPECT_EQ(setxattr(path, "security.capability", &data, sizeof(data), 0), 0);
}

static int run_as_user(const char *path, const char *helper, const char *argument)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(setgid(1000), 0);
		EXPECT_EQ(setuid(1000), 0);
		execl(path, "init", "helper", helper, argument, (char *)NULL);
		_exit(errno);
	}
	return wait_status(pid);
}

TEST(program_has_its_own_capabilities)
{
	char text[8];

	chmod(".", 0755);
	copy_program("p");
	EXPECT_EQ(run_as_user("p", "has_capability", NULL), 0);
	set_capability("p", CAP_NET_RAW);
	snprintf(text, sizeof(text), "%d", CAP_NET_RAW);
	EXPECT_EQ(run_as_user("p", "has_capability", text), 0);
	IN_CHILD(pid)
	{
		/* Not beyond the bounding set: it would not work. */
		prctl(PR_CAPBSET_DROP, CAP_NET_RAW);
		_exit(run_as_user("p", "has_capability", text));
	}
	EXPECT_EQ(wait_status(pid), EPERM);
	IN_CHILD(bare)
	{
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		_exit(run_as_user("p", "has_capability", NULL));
	}
	EXPECT_EQ(wait_status(bare), 0);
}

TEST(traced_program_gains_nothing)
{
	int status;

	chmod(".", 0755);
	copy_program("s");
	EXPECT_EQ(chmod("s", 04755), 0);
	EXPECT_EQ(run_as_user("s", "effective_user", NULL), 0);
	IN_CHILD(tracer)
	{
		EXPECT_EQ(setgid(1000), 0);
		EXPECT_EQ(setuid(7), 0);
		IN_CHILD(pid)
		{
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			execl("s", "init", "helper", "effective_user", (char *)NULL);
			_exit(100);
		}
		EXPECT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT(WIFSTOPPED(status));
		ptrace(PTRACE_CONT, pid, 0, 0);
		EXPECT_EQ(wait_status(pid), 7);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(tracer), 0);
}
