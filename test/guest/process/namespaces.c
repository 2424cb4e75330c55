/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Name spaces: namespaces(7), uts_namespaces(7), ipc_namespaces(7). */
#include <guest_test.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/utsname.h>

TEST(uts_namespace_has_its_own_names)
{
	struct utsname before, after;

	REQUIRE(uname(&before) == 0);
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWUTS), 0);
		EXPECT_EQ(uname(&after), 0);
		EXPECT_STREQ(after.nodename, before.nodename);
		EXPECT_EQ(sethostname("inside", 6), 0);
		EXPECT_EQ(uname(&after), 0);
		EXPECT_STREQ(after.nodename, "inside");
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(uname(&after), 0);
	EXPECT_STREQ(after.nodename, before.nodename);
}

TEST(ipc_namespace_hides_identifiers)
{
	int queue = msgget(4711, IPC_CREAT | 0600), segment = shmget(4711, 4096, IPC_CREAT | 0600);
	char *memory = shmat(segment, NULL, 0);

	REQUIRE(queue >= 0 && segment >= 0 && memory != (char *)-1);
	IN_CHILD(pid)
	{
		EXPECT_EQ(unshare(CLONE_NEWIPC), 0);
		EXPECT_ERRNO(msgget(4711, 0), ENOENT);
		EXPECT_ERRNO(shmget(4711, 4096, 0), ENOENT);
		/* What is attached stays; what is made here goes with the name space. */
		memory[0] = 'x';
		EXPECT_NE(msgget(4711, IPC_CREAT | 0600), -1);
		EXPECT_NE(semget(4711, 3, IPC_CREAT | 0600), -1);
		int inner = shmget(4712, 4096, IPC_CREAT | 0600);
		EXPECT_NE(inner, -1);
		EXPECT_NE((long)shmat(inner, NULL, 0), -1);
		EXPECT_NE(shmget(4713, 4096, IPC_CREAT | 0600), -1);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(memory[0], 'x');
	EXPECT_ERRNO(shmget(4712, 4096, 0), ENOENT);
	EXPECT_EQ(shmdt(memory), 0);
	EXPECT_EQ(shmctl(segment, IPC_RMID, NULL), 0);
	EXPECT_EQ(msgctl(queue, IPC_RMID, NULL), 0);
}

TEST(new_namespace_takes_privilege)
{
	IN_CHILD(pid)
	{
		EXPECT_EQ(setuid(1000), 0);
		EXPECT_ERRNO(unshare(CLONE_NEWUTS), EPERM);
		EXPECT_ERRNO(unshare(CLONE_NEWIPC), EPERM);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
}
