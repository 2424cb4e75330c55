/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mprotect(2), mremap(2), madvise(2), mlock(2), mincore(2), and copy on write. */
#include "guest_test.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define PAGE 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static char *map(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);

	REQUIRE(p != MAP_FAILED);
	return p;
}

static sigjmp_buf escape;
static siginfo_t caught;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	caught = *info;
	siglongjmp(escape, 1);
}

/* The si_code of the fault that an access gives, its signal in caught.si_signo; 0: no fault. */
static int access_code(volatile char *p, bool write)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	memset(&caught, 0, sizeof(caught));
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	if (!sigsetjmp(escape, 1)) {
		if (write)
			*p = 1;
		else
			(void)*p;
		return 0;
	}
	EXPECT_EQ(caught.si_addr, (void *)p);
	return caught.si_code;
}

TEST(protection_is_what_mprotect_says)
{
	char *p = map(4);

	p[0] = p[PAGE] = p[2 * PAGE] = 'x';
	EXPECT_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
	EXPECT_EQ(access_code(p + PAGE, false), 0);
	EXPECT_EQ(access_code(p + PAGE, true), SEGV_ACCERR);
	EXPECT_EQ(caught.si_signo, SIGSEGV);
	EXPECT_EQ(access_code(p, true), 0);
	EXPECT_EQ(access_code(p + 2 * PAGE, true), 0);
	EXPECT_EQ(mprotect(p + PAGE, PAGE, PROT_NONE), 0);
	EXPECT_EQ(access_code(p + PAGE, false), SEGV_ACCERR);
	EXPECT_EQ(access_code(p + PAGE, true), SEGV_ACCERR);
	EXPECT_EQ(mprotect(p, 4 * PAGE, RW), 0);
	EXPECT_EQ(p[PAGE], 'x');
	EXPECT_EQ(access_code(p + PAGE, true), 0);
	EXPECT_EQ(munmap(p, 4 * PAGE), 0);
	EXPECT_EQ(access_code(p + PAGE, false), SEGV_MAPERR);
	EXPECT_ERRNO(mprotect(p, PAGE, PROT_READ), ENOMEM);
	EXPECT_ERRNO(mprotect(p + 1, PAGE, PROT_READ), EINVAL);
	EXPECT_ERRNO(mprotect(p, PAGE, 0x1000), EINVAL);
	EXPECT_EQ(mprotect(p, 0, PROT_READ), 0);
}

TEST(no_access_holds_for_the_kernel_too)
{
	char *p = map(2);
	int fd[2];

	REQUIRE(pipe(fd) == 0);
	p[0] = 'x';
	EXPECT_EQ(mprotect(p, PAGE, PROT_NONE), 0);
	EXPECT_ERRNO(write(fd[1], p, 1), EFAULT);
	EXPECT_EQ(mprotect(p, PAGE, PROT_READ), 0);
	EXPECT_EQ(write(fd[1], p, 1), 1);
	EXPECT_ERRNO(read(fd[0], p, 1), EFAULT);
}

TEST(copy_on_write_keeps_parent_and_child_apart)
{
	char *p = map(100);

	for (int i = 0; i < 100; i++)
		p[i * PAGE] = (char)i;
	IN_CHILD(pid)
	{
		for (int i = 0; i < 100; i++) {
			EXPECT_EQ(p[i * PAGE], (char)i);
			p[i * PAGE] = 77;
		}
		IN_CHILD(grandchild)
		{
			EXPECT_EQ(p[99 * PAGE], 77);
			p[99 * PAGE] = 78;
			_exit(test_has_failed());
		}
		EXPECT_EQ(wait_status(grandchild), 0);
		EXPECT_EQ(p[99 * PAGE], 77);
		_exit(test_has_failed());
	}
	for (int i = 0; i < 100; i += 2)
		p[i * PAGE]++;
	EXPECT_EQ(wait_status(pid), 0);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(p[i * PAGE], (char)(i + !(i & 1)));
}

TEST(the_kernel_writes_through_copy_on_write)
{
	char *p = map(1);
	int fd[2];

	REQUIRE(pipe(fd) == 0);
	p[0] = 'p';
	IN_CHILD(pid)
	{
		EXPECT_EQ(write(fd[1], "c", 1), 1);
		EXPECT_EQ(read(fd[0], p, 1), 1);
		EXPECT_EQ(p[0], 'c');
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(p[0], 'p');
}

TEST(mremap_grows_moves_and_shrinks)
{
	char *p = map(5);

	for (int i = 0; i < 4; i++)
		p[i * PAGE] = (char)('a' + i);
	/* No room to grow. */
	EXPECT_EQ(mprotect(p + 4 * PAGE, PAGE, PROT_NONE), 0);
	EXPECT_ERRNO(mremap(p, 4 * PAGE, 8 * PAGE, 0), ENOMEM);
	char *q = mremap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	REQUIRE(q != MAP_FAILED);
	EXPECT_NE(q, p);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(q[i * PAGE], 'a' + i);
	EXPECT_EQ(q[7 * PAGE], 0);
	EXPECT_EQ(access_code(p, false), SEGV_MAPERR);
	EXPECT_EQ(mremap(q, 8 * PAGE, 2 * PAGE, 0), q);
	EXPECT_EQ(access_code(q + 2 * PAGE, false), SEGV_MAPERR);
	char *fixed = map(2);
	EXPECT_EQ(mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, fixed), fixed);
	EXPECT_EQ(fixed[PAGE], 'b');
	EXPECT_ERRNO(mremap(fixed, PAGE, 0, 0), EINVAL);
	EXPECT_ERRNO(mremap(fixed + 1, PAGE, PAGE, 0), EINVAL);
	EXPECT_ERRNO(mremap(fixed, PAGE, PAGE, MREMAP_FIXED, fixed), EINVAL);
	EXPECT_ERRNO(mremap(q, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	EXPECT_ERRNO(mremap(fixed, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, fixed + PAGE),
		     EINVAL);
}

TEST(mremap_moves_across_many_tables)
{
	enum { PAGES = 3000 };
	char *p = map(PAGES);

	for (int i = 0; i < PAGES; i += 7)
		p[i * PAGE] = (char)i;
	char *to = mmap(NULL, PAGES * PAGE, PROT_NONE, ANON, -1, 0);
	char *q = mremap(p, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	REQUIRE(q == to);
	for (int i = 0; i < PAGES; i++)
		EXPECT_EQ(q[i * PAGE], i % 7 ? 0 : (char)i);
	munmap(q, PAGES * PAGE);
}

TEST(advice_discards_and_wipes)
{
	char *p = map(4);

	memset(p, 'x', 4 * PAGE);
	EXPECT_EQ(madvise(p + PAGE, PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(p[0], 'x');
	EXPECT_EQ(p[PAGE], 0);
	EXPECT_EQ(p[2 * PAGE], 'x');
	EXPECT_EQ(madvise(p + 2 * PAGE, PAGE, MADV_WIPEONFORK), 0);
	EXPECT_EQ(madvise(p + 3 * PAGE, PAGE, MADV_DONTFORK), 0);
	IN_CHILD(pid)
	{
		EXPECT_EQ(p[0], 'x');
		EXPECT_EQ(p[2 * PAGE], 0);
		EXPECT_EQ(access_code(p + 3 * PAGE, false), SEGV_MAPERR);
		_exit(test_has_failed());
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(p[2 * PAGE], 'x');
	EXPECT_ERRNO(madvise(p, PAGE, 12345), EINVAL);
	EXPECT_ERRNO(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
	EXPECT_EQ(madvise(p, 0, MADV_DONTNEED), 0);
	EXPECT_EQ(madvise(p, 4 * PAGE, MADV_WILLNEED), 0);
	munmap(p + PAGE, PAGE);
	EXPECT_ERRNO(madvise(p, 4 * PAGE, MADV_DONTNEED), ENOMEM);
	EXPECT_EQ(p[0], 0);
}

TEST(advice_removes_from_shared_memory)
{
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	memset(p, 'x', 4 * PAGE);
	EXPECT_EQ(madvise(p, PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(p[0], 'x');
	EXPECT_EQ(madvise(p + PAGE, 2 * PAGE, MADV_REMOVE), 0);
	EXPECT_EQ(p[PAGE], 0);
	EXPECT_EQ(p[2 * PAGE], 0);
	EXPECT_EQ(p[3 * PAGE], 'x');
	char *q = map(1);
	EXPECT_ERRNO(madvise(q, PAGE, MADV_REMOVE), EINVAL);
}

TEST(mincore_tells_what_is_there)
{
	char *p = map(8);
	unsigned char there[8];

	memset(there, 0xee, sizeof(there));
	p[2 * PAGE] = 1;
	p[5 * PAGE] = 1;
	EXPECT_EQ(mincore(p, 8 * PAGE, there), 0);
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(there[i] & 1, i == 2 || i == 5);
	EXPECT_ERRNO(mincore(p + 1, PAGE, there), EINVAL);
	EXPECT_ERRNO(mincore(p, PAGE, NULL), EFAULT);
	munmap(p + PAGE, PAGE);
	EXPECT_ERRNO(mincore(p, 8 * PAGE, there), ENOMEM);
}

TEST(mlock_populates)
{
	char *p = map(4);
	unsigned char there[4];

	EXPECT_EQ(mlock(p, 4 * PAGE), 0);
	EXPECT_EQ(mincore(p, 4 * PAGE, there), 0);
	for (int i = 0; i < 4; i++)
		EXPECT(there[i] & 1);
	EXPECT_ERRNO(madvise(p, PAGE, MADV_DONTNEED), EINVAL);
	EXPECT_EQ(munlock(p + PAGE, PAGE), 0);
	EXPECT_EQ(munlock(p, 4 * PAGE), 0);
	munmap(p + PAGE, PAGE);
	EXPECT_ERRNO(mlock(p, 4 * PAGE), ENOMEM);
	EXPECT_EQ(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
	char *q = map(3);
	EXPECT_EQ(mincore(q, 3 * PAGE, there), 0);
	EXPECT(there[0] & there[2] & 1);
	EXPECT_EQ(munlockall(), 0);
	EXPECT_ERRNO(mlockall(0), EINVAL);
}

TEST(execution_follows_the_protection)
{
#if defined(__x86_64__)
	static const unsigned char code[] = { 0xb8, 0x2a, 0, 0, 0, 0xc3 };
#else
	static const unsigned code[] = { 0x52800540, 0xd65f03c0 };
#endif
	char *p = map(1);

	memcpy(p, code, sizeof(code));
	__builtin___clear_cache(p, p + sizeof(code));
	IN_CHILD(pid)
	{
		((int (*)(void))p)();
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGSEGV);
	EXPECT_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
	EXPECT_EQ(((int (*)(void))p)(), 42);
}

TEST(a_memory_hog_dies_alone)
{
	/* Limited, because the machine's whole memory takes long to fill. */
	struct rlimit limit = { 64 << 20, 64 << 20 };

	IN_CHILD(pid)
	{
		setrlimit(RLIMIT_AS, &limit);
		for (;;) {
			char *p = mmap(NULL, 1 << 20, RW, ANON | MAP_POPULATE, -1, 0);
			if (p == MAP_FAILED)
				_exit(errno == ENOMEM ? 0 : 1);
			memset(p, 1, 1 << 20);
		}
	}
	EXPECT_EQ(wait_status(pid), 0);
}

TEST(a_thousand_children_leave_nothing_behind)
{
	for (int i = 0; i < 1000; i++) {
		IN_CHILD(pid)
		{
			_exit(i & 0x3f);
		}
		EXPECT_EQ(wait_status(pid), i & 0x3f);
	}
}
