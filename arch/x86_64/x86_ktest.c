/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests in the kernel: page table permissions, user copy with faults, atomics on user words, memory
 * functions, clock. */
#include <arch/boot.h>
#include <arch/layout.h>
#include <arch/mmu.h>
#include <arch/time.h>
#include <arch/ucopy.h>
#include <core/lock.h>
#include <lib/errno.h>
#include <lib/test.h>
#include <mm/frame.h>
#include <mm/pagetable.h>

#include "boot.h"

/* A page of user memory, with nothing mapped before and behind it. */
#define USER_PAGE 0x10000ul
#define USER(type, offset) __force_user(type __user *, USER_PAGE + (offset))

static struct arch_mmu user_mmu;
static u8 *user_page; /* the same page as the kernel sees it */

static bool user_begin(void)
{
	u64 tables = 0;
	if (arch_mmu_create(&user_mmu))
		return false;
	user_page = page_alloc_address(0, ALLOC_ZERO | ALLOC_BOOT);
	pte_t *pte = pagetable_make(user_mmu.root, USER_PAGE, ALLOC_BOOT, &tables);
	*pte = pte_leaf(virt_to_phys(user_page), MMU_READ | MMU_WRITE | MMU_USER, 0);
	preempt_disable();
	arch_mmu_switch(&user_mmu);
	return true;
}

static void user_end(void)
{
	arch_mmu_switch(nullptr);
	preempt_enable();
	pte_t *pte = pagetable_find(user_mmu.root, USER_PAGE);
	*pte = (pte_t){ 0 };
	pagetable_free(user_mmu.root, USER_PAGE, USER_PAGE + PAGE_SIZE, 0, 0, nullptr);
	arch_mmu_destroy(&user_mmu);
	page_free_address(user_page);
}

/* Counts entries of the kernel half that are both writable and executable. */
static unsigned count_writable_executable(const pte_t *table, unsigned level, unsigned first)
{
	unsigned count = 0;
	for (unsigned i = first; i < 512; i++) {
		pte_t e = table[i];
		if (!pte_present(e))
			continue;
		if (level == 0 || pte_is_leaf(e, level))
			count += (pte_prot(e) & (MMU_WRITE | MMU_EXEC)) == (MMU_WRITE | MMU_EXEC);
		else
			count += count_writable_executable(phys_to_virt(pte_address(e)), level - 1,
							   0);
	}
	return count;
}

TEST(nothing_in_the_kernel_is_writable_and_executable)
{
	EXPECT_EQ(count_writable_executable(kernel_root, 3, 256), 0u);
	EXPECT_EQ(kernel_root[0].value, 0ull);
}

TEST(boot_memory_is_sorted_and_disjoint)
{
	for (unsigned i = 1; i < boot_info.memory_count; i++) {
		const struct boot_memory *m = &boot_info.memory[i];
		EXPECT_LE(m[-1].start + m[-1].size, m->start);
	}
}

TEST(user_copy_counts_what_is_left)
{
	static u8 buffer[3 * PAGE_SIZE];
	REQUIRE(user_begin());
	for (unsigned i = 0; i < PAGE_SIZE; i++)
		user_page[i] = i * 5;
	for (unsigned size = 0; size < 40; size++) {
		for (unsigned there = 0; there <= size; there++) {
			size_t at = PAGE_SIZE - there;
			buffer[there] = 0xee;
			EXPECT_EQ(arch_copy_from_user(buffer, USER(void, at), size), size - there);
			EXPECT_EQ(memcmp(buffer, user_page + at, there), 0);
			EXPECT_EQ(arch_copy_to_user(USER(void, at), buffer, size), size - there);
			EXPECT_EQ(arch_clear_user(USER(void, at), size), size - there);
			for (unsigned i = 0; i < there; i++) {
				EXPECT_EQ(user_page[at + i], 0);
				user_page[at + i] = (at + i) * 5;
			}
		}
	}
	EXPECT_EQ(arch_copy_from_user(buffer, USER(void, 100), 2 * PAGE_SIZE), PAGE_SIZE + 100);
	user_end();
}

TEST(user_strings_end_at_terminator_size_or_fault)
{
	char buffer[64];
	REQUIRE(user_begin());
	for (unsigned length = 0; length < 32; length++) {
		char *s = (char *)user_page + PAGE_SIZE - length - 1;
		memset(s, 'x', length);
		s[length] = 0;
		vaddr_t at = PAGE_SIZE - length - 1;
		EXPECT_EQ(arch_copy_string_from_user(buffer, USER(char, at), 64), (ssize_t)length);
		EXPECT_EQ(strlen(buffer), length);
		EXPECT_EQ(arch_copy_string_from_user(buffer, USER(char, at), length),
			  (ssize_t)length);
		s[length] = 'x';
		EXPECT_EQ(arch_copy_string_from_user(buffer, USER(char, at), 64), -EFAULT);
	}
	user_end();
}

TEST(user_words_change_atomically)
{
	u32 old = 0;
	REQUIRE(user_begin());
	u32 *word = (u32 *)user_page;
	EXPECT_EQ(arch_user_cmpxchg(USER(u32, 0), 1, 7, &old), 0);
	EXPECT_EQ(old, 0u);
	EXPECT_EQ(*word, 0u);
	EXPECT_EQ(arch_user_cmpxchg(USER(u32, 0), 0, 7, &old), 0);
	EXPECT_EQ(*word, 7u);
	EXPECT_EQ(arch_user_atomic(USER_ATOMIC_ADD, USER(u32, 0), 5, &old), 0);
	EXPECT_EQ(old, 7u);
	EXPECT_EQ(*word, 12u);
	EXPECT_EQ(arch_user_atomic(USER_ATOMIC_ANDN, USER(u32, 0), 4, &old), 0);
	EXPECT_EQ(*word, 8u);
	EXPECT_EQ(arch_user_atomic(USER_ATOMIC_OR, USER(u32, 0), 3, &old), 0);
	EXPECT_EQ(*word, 11u);
	EXPECT_EQ(arch_user_atomic(USER_ATOMIC_XOR, USER(u32, 0), 1, &old), 0);
	EXPECT_EQ(*word, 10u);
	EXPECT_EQ(arch_user_atomic(USER_ATOMIC_SET, USER(u32, 0), 99, &old), 0);
	EXPECT_EQ(old, 10u);
	EXPECT_EQ(arch_user_load(USER(u32, 0), &old), 0);
	EXPECT_EQ(old, 99u);
	EXPECT_EQ(arch_user_load(USER(u32, PAGE_SIZE), &old), -EFAULT);
	EXPECT_EQ(arch_user_cmpxchg(USER(u32, PAGE_SIZE), 0, 0, &old), -EFAULT);
	EXPECT_EQ(arch_user_atomic(USER_ATOMIC_XOR, USER(u32, PAGE_SIZE), 0, &old), -EFAULT);
	user_end();
}

TEST(memory_functions_agree_with_byte_loops)
{
	static u8 from[512], to[512];
	for (unsigned size = 0; size < 200; size++) {
		for (unsigned shift = 0; shift < 24; shift += 5) {
			for (unsigned i = 0; i < sizeof(from); i++) {
				from[i] = i * 7;
				to[i] = i * 7;
			}
			memmove(to + shift, to + 12, size);
			bool same = true;
			for (unsigned i = 0; i < sizeof(to); i++) {
				bool inside = i >= shift && i < shift + size;
				same &= to[i] == (inside ? from[i - shift + 12] : from[i]);
			}
			EXPECT(same);
			memset(to + shift, 0xa5, size);
			EXPECT(shift == 0 || to[shift - 1] != 0xa5 || size == 0);
			memcpy(to + shift, from, size);
			EXPECT_EQ(memcmp(to + shift, from, size), 0);
		}
	}
}

TEST(time_goes_forward)
{
	u64 last = arch_time_ns();
	for (unsigned i = 0; i < 1000; i++) {
		u64 now = arch_time_ns();
		EXPECT_LE(last, now);
		last = now;
	}
	/* The machine's clock is set, and was not thrown back to its epoch. */
	EXPECT_LT(1700000000ull, arch_rtc_seconds());
}
