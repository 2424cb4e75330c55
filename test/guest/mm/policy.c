/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locking on fault, advice to other processes, memory policies on one node. */
#include "guest_test.h"

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define PAGE 4096ul

static int resident(void *at)
{
	unsigned char state = 0;

	EXPECT_EQ(mincore(at, PAGE, &state), 0);
	return state & 1;
}

TEST(mlock_on_fault_populates_nothing)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(mlock2(p, 4 * PAGE, MLOCK_ONFAULT), 0);
	EXPECT_EQ(resident(p), 0);
	p[PAGE] = 1;
	EXPECT_EQ(resident(p + PAGE), 1);
	EXPECT_ERRNO(madvise(p, 4 * PAGE, MADV_DONTNEED), EINVAL);
	EXPECT_EQ(mlock(p, PAGE), 0);
	EXPECT_EQ(resident(p), 1);
	EXPECT_EQ(munlock(p, 4 * PAGE), 0);
	EXPECT_EQ(madvise(p, 4 * PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT), 0);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_EQ(resident(p), 0);
	EXPECT_EQ(munlockall(), 0);
}

/* RLIMIT_MEMLOCK is for those without CAP_IPC_LOCK; mlockall(2) binds what is mapped later too. */
TEST(limit_of_locked_memory_is_not_for_the_privileged)
{
	struct rlimit little = { 4 * PAGE, 4 * PAGE };
	char *p;

	REQUIRE(setrlimit(RLIMIT_MEMLOCK, &little) == 0);
	EXPECT_EQ(mlockall(MCL_FUTURE), 0);
	p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(p != MAP_FAILED);
	EXPECT_EQ(mlock(p, 64 * PAGE), 0);
	EXPECT_EQ(munlockall(), 0);
	REQUIRE(setresuid(1000, 1000, 1000) == 0);
	EXPECT_ERRNO(mlock(p, 64 * PAGE), ENOMEM);
	EXPECT_EQ(mlock(p, 2 * PAGE), 0);
	EXPECT_EQ(munlock(p, 2 * PAGE), 0);
	EXPECT_EQ(mlockall(MCL_FUTURE), 0);
	EXPECT_ERRNO((long)mmap(NULL, 64 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		     EAGAIN);
}

TEST(process_madvise_and_mrelease)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec range = { p, 2 * PAGE };
	int pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	EXPECT(fd >= 0);
	EXPECT_EQ(syscall(SYS_process_madvise, fd, &range, 1ul, MADV_COLD, 0), 2 * (long)PAGE);
	EXPECT_ERRNO(syscall(SYS_process_madvise, fd, &range, 1ul, MADV_DONTNEED, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_process_madvise, fd, &range, 1ul, MADV_COLD, 1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_process_mrelease, fd, 1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_process_mrelease, fd, 0), EINVAL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	EXPECT_ERRNO(syscall(SYS_process_mrelease, fd, 0), ESRCH);
}

TEST(memory_policies_of_one_node)
{
	unsigned long node0 = 1, node1 = 2, nodes = 99;
	int mode = -1;

	EXPECT_EQ(syscall(SYS_get_mempolicy, &mode, &nodes, 64ul, 0ul, 0ul), 0);
	EXPECT_EQ(mode, MPOL_DEFAULT);
	EXPECT_EQ(nodes, 0);
	EXPECT_EQ(syscall(SYS_set_mempolicy, MPOL_BIND, &node0, 64ul), 0);
	EXPECT_EQ(syscall(SYS_get_mempolicy, &mode, &nodes, 64ul, 0ul, 0ul), 0);
	EXPECT_EQ(mode, MPOL_BIND);
	EXPECT_EQ(nodes, 1);
	EXPECT_ERRNO(syscall(SYS_set_mempolicy, MPOL_BIND, &node1, 64ul), EINVAL);
	EXPECT_ERRNO(syscall(SYS_set_mempolicy, MPOL_BIND, NULL, 0ul), EINVAL);
	EXPECT_ERRNO(syscall(SYS_set_mempolicy, MPOL_DEFAULT, &node0, 64ul), EINVAL);
	EXPECT_ERRNO(syscall(SYS_set_mempolicy, 99, &node0, 64ul), EINVAL);
	EXPECT_EQ(syscall(SYS_get_mempolicy, NULL, &nodes, 64ul, 0ul, (long)MPOL_F_MEMS_ALLOWED),
		  0);
	EXPECT_EQ(nodes, 1);
	EXPECT_EQ(syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0ul), 0);
}

TEST(memory_policies_of_mappings)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long node0 = 1, nodes;
	void *pages[2] = { p, p + PAGE };
	int mode, status[2] = { 99, 99 };

	EXPECT_EQ(syscall(SYS_mbind, p, PAGE, MPOL_INTERLEAVE, &node0, 64ul, 0), 0);
	EXPECT_EQ(syscall(SYS_get_mempolicy, &mode, &nodes, 64ul, p, (long)MPOL_F_ADDR), 0);
	EXPECT_EQ(mode, MPOL_INTERLEAVE);
	EXPECT_EQ(syscall(SYS_get_mempolicy, &mode, &nodes, 64ul, p + PAGE, (long)MPOL_F_ADDR), 0);
	EXPECT_EQ(mode, MPOL_DEFAULT);
	EXPECT_EQ(munmap(p + 3 * PAGE, PAGE), 0);
	EXPECT_ERRNO(syscall(SYS_mbind, p, 4 * PAGE, MPOL_BIND, &node0, 64ul, 0), EFAULT);
	EXPECT_ERRNO(syscall(SYS_mbind, p + 1, PAGE, MPOL_BIND, &node0, 64ul, 0), EINVAL);
	p[0] = 1;
	EXPECT_EQ(syscall(SYS_move_pages, 0, 2ul, pages, NULL, status, 0), 0);
	EXPECT_EQ(status[0], 0);
	EXPECT_EQ(status[1], -EFAULT);
}
