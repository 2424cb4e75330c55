/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mem.S and the copy loops of uaccess.S against byte loops, for all sizes and alignments that take
 * different paths. */
#include <arch/ucopy.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <lib/test.h>

#define AREA 1024
#define GUARD 32
#define SIZE_MAX_TESTED 400

static u8 source[AREA], target[AREA], expected[AREA];

static void fill(void)
{
	for (unsigned i = 0; i < AREA; i++) {
		source[i] = (u8)(i * 7 + 3);
		target[i] = expected[i] = (u8)(i * 13 + 5);
	}
}

static bool same(void)
{
	for (unsigned i = 0; i < AREA; i++)
		if (target[i] != expected[i])
			return false;
	return true;
}

static size_t step(size_t size)
{
	return size < 80 ? 1 : 37;
}

TEST(mem_copies_as_a_byte_loop_does)
{
	for (size_t size = 0; size < SIZE_MAX_TESTED; size += step(size)) {
		for (size_t at = 0; at < 16; at += 5) {
			fill();
			for (size_t i = 0; i < size; i++)
				expected[GUARD + at + i] = source[GUARD + i];
			EXPECT(memcpy(target + GUARD + at, source + GUARD, size) ==
			       target + GUARD + at);
			EXPECT(same());
		}
	}
}

TEST(mem_moves_between_overlapping_places)
{
	static const int distances[] = { -200, -64, -33, -8, -1, 0, 1, 7, 8, 31, 65, 200 };

	for (size_t size = 0; size < SIZE_MAX_TESTED; size += step(size)) {
		for (unsigned d = 0; d < ARRAY_SIZE(distances); d++) {
			size_t from = 256, to = (size_t)(256 + distances[d]);

			fill();
			for (size_t i = 0; i < size; i++)
				expected[to + i] = target[from + i];
			memmove(target + to, target + from, size);
			EXPECT(same());
		}
	}
}

TEST(mem_sets_as_a_byte_loop_does)
{
	for (size_t size = 0; size < 2 * SIZE_MAX_TESTED; size += step(size)) {
		for (size_t at = 0; at < 64; at += 9) {
			u8 value = at % 2 ? 0 : 0xa5;

			fill();
			for (size_t i = 0; i < size; i++)
				expected[GUARD + at + i] = value;
			memset(target + GUARD + at, value, size);
			EXPECT(same());
		}
	}
}

/* The copy functions do not look at the address, so that kernel memory does for their loops. */
static void __user *as_user(void *p)
{
	return __force_user(void __user *, p);
}

TEST(user_copies_are_complete)
{
	for (size_t size = 0; size < SIZE_MAX_TESTED; size += step(size)) {
		fill();
		for (size_t i = 0; i < size; i++)
			expected[GUARD + 3 + i] = source[GUARD + i];
		EXPECT_EQ(arch_copy_from_user(target + GUARD + 3, as_user(source + GUARD), size),
			  0ul);
		EXPECT(same());
		fill();
		for (size_t i = 0; i < size; i++)
			expected[GUARD + i] = source[GUARD + 5 + i];
		EXPECT_EQ(arch_copy_to_user(as_user(target + GUARD), source + GUARD + 5, size),
			  0ul);
		EXPECT(same());
		fill();
		for (size_t i = 0; i < size; i++)
			expected[GUARD + 1 + i] = 0;
		EXPECT_EQ(arch_clear_user(as_user(target + GUARD + 1), size), 0ul);
		EXPECT(same());
	}
}

TEST(user_strings_end_at_their_terminator)
{
	for (size_t at = 0; at < 8; at++) {
		for (size_t length = 0; length < 40; length++) {
			fill();
			memset(source, 'x', sizeof(source));
			source[GUARD + at + length] = 0;
			EXPECT_EQ(arch_copy_string_from_user((char *)target,
							     as_user(source + GUARD + at), 100),
				  (ssize_t)length);
			EXPECT_EQ(strlen((char *)target), length);
			EXPECT_EQ(target[length + 1], (u8)((length + 1) * 13 + 5));
			/* A buffer that is full without the terminator: nothing is stored behind it. */
			target[length] = 0xee;
			EXPECT_EQ(arch_copy_string_from_user((char *)target,
							     as_user(source + GUARD + at), length),
				  (ssize_t)length);
			EXPECT_EQ(target[length], 0xee);
		}
	}
}

TEST(user_accesses_that_fault_say_so)
{
	void __user *nowhere = __force_user(void __user *, 0x10000);
	u32 old;

	/* A kernel thread has no user mappings at all. */
	EXPECT_EQ(arch_copy_from_user(target, nowhere, 100), 100ul);
	EXPECT_EQ(arch_copy_to_user(nowhere, source, 77), 77ul);
	EXPECT_EQ(arch_clear_user(nowhere, 5), 5ul);
	EXPECT_EQ(arch_copy_string_from_user((char *)target, nowhere, 10), (ssize_t)-EFAULT);
	EXPECT_EQ(arch_user_load(nowhere, &old), -EFAULT);
	EXPECT_EQ(arch_user_cmpxchg(nowhere, 1, 2, &old), -EFAULT);
	EXPECT_EQ(arch_user_atomic(USER_ATOMIC_ADD, nowhere, 2, &old), -EFAULT);
}

TEST(user_atomics_operate)
{
	u32 word = 12, old = 0;
	u32 __user *user = as_user(&word);

	EXPECT_EQ(arch_user_cmpxchg(user, 11, 5, &old), 0);
	EXPECT_EQ(old, 12u);
	EXPECT_EQ(word, 12u);
	EXPECT_EQ(arch_user_cmpxchg(user, 12, 5, &old), 0);
	EXPECT_EQ(word, 5u);
	EXPECT_EQ(arch_user_atomic(USER_ATOMIC_ADD, user, 3, &old), 0);
	EXPECT_EQ(old, 5u);
	EXPECT_EQ(word, 8u);
	EXPECT_EQ(arch_user_atomic(USER_ATOMIC_ANDN, user, 8, &old), 0);
	EXPECT_EQ(word, 0u);
	EXPECT_EQ(arch_user_atomic(USER_ATOMIC_OR, user, 6, &old), 0);
	EXPECT_EQ(arch_user_atomic(USER_ATOMIC_XOR, user, 3, &old), 0);
	EXPECT_EQ(word, 5u);
	EXPECT_EQ(arch_user_atomic(USER_ATOMIC_SET, user, 9, &old), 0);
	EXPECT_EQ(arch_user_load(user, &old), 0);
	EXPECT_EQ(old, 9u);
}
