/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of lib/radix.c and lib/idr.c. */
#include <lib/errno.h>
#include <lib/idr.h>
#include <lib/radix.h>
#include <lib/test.h>

static u64 values[64];

TEST(radix_keeps_far_indices)
{
	static const u64 indices[] = { 0,	  1,	63,	    64,
				       4095,	  4096, 1ull << 32, (1ull << 63) + 5,
				       UINT64_MAX };
	struct radix_tree tree = RADIX_TREE_INIT;
	void *former = nullptr;
	u64 index = 0;

	for (size_t i = 0; i < ARRAY_SIZE(indices); i++)
		EXPECT_EQ(radix_store(&tree, indices[i], &values[i], nullptr), 0);
	EXPECT_EQ(tree.entries, ARRAY_SIZE(indices));
	for (size_t i = 0; i < ARRAY_SIZE(indices); i++) {
		EXPECT(radix_load(&tree, indices[i]) == &values[i]);
		EXPECT(radix_next(&tree, &index, UINT64_MAX) == &values[i]);
		EXPECT_EQ(index, indices[i]);
		index++;
	}
	EXPECT(radix_load(&tree, 2) == nullptr);
	EXPECT_EQ(radix_store(&tree, 64, &values[20], &former), 0);
	EXPECT(former == &values[3]);
	for (size_t i = 0; i < ARRAY_SIZE(indices); i++)
		EXPECT(radix_remove(&tree, indices[i]) != nullptr);
	EXPECT(radix_remove(&tree, 64) == nullptr);
	EXPECT_EQ(tree.entries, 0u);
	EXPECT(tree.root == nullptr);
}

TEST(radix_load_run_ends_at_gaps_and_nodes)
{
	struct radix_tree tree = RADIX_TREE_INIT;
	static u64 many[80];
	void *run[80];

	EXPECT_EQ(radix_load_run(&tree, 0, run, 80), 0);
	EXPECT_EQ(radix_store(&tree, 0, &many[0], nullptr), 0);
	EXPECT_EQ(radix_load_run(&tree, 0, run, 80), 1);
	EXPECT(run[0] == &many[0]);
	EXPECT_EQ(radix_load_run(&tree, 1, run, 80), 0);
	for (unsigned i = 1; i < 80; i++)
		if (i != 20)
			EXPECT_EQ(radix_store(&tree, i, &many[i], nullptr), 0);
	EXPECT_EQ(radix_load_run(&tree, 3, run, 4), 4);
	EXPECT(run[0] == &many[3] && run[3] == &many[6]);
	EXPECT_EQ(radix_load_run(&tree, 3, run, 80), 17);
	EXPECT_EQ(radix_load_run(&tree, 20, run, 80), 0);
	EXPECT_EQ(radix_load_run(&tree, 21, run, 80), 64 - 21);
	EXPECT_EQ(radix_load_run(&tree, 64, run, 80), 16);
	EXPECT(run[15] == &many[79]);
	EXPECT_EQ(radix_load_run(&tree, 100000, run, 80), 0);
	radix_destroy(&tree, nullptr);
}

TEST(radix_next_ends_at_the_last_index)
{
	struct radix_tree tree = RADIX_TREE_INIT;
	u64 index = 0;

	EXPECT_EQ(radix_store(&tree, 1000, &values[0], nullptr), 0);
	EXPECT(radix_next(&tree, &index, 999) == nullptr);
	EXPECT(radix_next(&tree, &index, 1000) == &values[0]);
	radix_destroy(&tree, nullptr);
}

TEST_NO_MEMORY(radix_store_fails_whole)
{
	struct radix_tree tree = RADIX_TREE_INIT;

	for (u64 i = 0; i < 40; i++) {
		u64 before = tree.entries;
		int error = radix_store(&tree, i * i * 977, &values[i], nullptr);

		EXPECT(error == 0 || (error == -ENOMEM && test_allocation_failed()));
		EXPECT_EQ(tree.entries, before + (error == 0));
		EXPECT(radix_load(&tree, i * i * 977) == (error ? nullptr : &values[i]));
	}
	radix_destroy(&tree, nullptr);
}

TEST(idr_gives_the_lowest_free_id)
{
	struct idr idr = IDR_INIT;

	for (int i = 3; i < 200; i++)
		EXPECT_EQ(idr_alloc(&idr, &values[0], 3, 250), i);
	EXPECT(idr_remove(&idr, 77) == &values[0]);
	EXPECT(idr_remove(&idr, 50) == &values[0]);
	EXPECT_EQ(idr_alloc(&idr, &values[1], 3, 250), 50);
	EXPECT_EQ(idr_alloc(&idr, &values[1], 60, 250), 77);
	EXPECT(idr_find(&idr, 77) == &values[1]);
	EXPECT_EQ(idr_alloc(&idr, &values[1], 3, 199), -ENOSPC);
	radix_destroy(&idr.map, nullptr);
}

TEST(idr_cycles)
{
	struct idr idr = IDR_INIT;

	EXPECT_EQ(idr_alloc_cyclic(&idr, &values[0], 1, 4), 1);
	EXPECT_EQ(idr_alloc_cyclic(&idr, &values[0], 1, 4), 2);
	idr_remove(&idr, 1);
	EXPECT_EQ(idr_alloc_cyclic(&idr, &values[0], 1, 4), 3);
	EXPECT_EQ(idr_alloc_cyclic(&idr, &values[0], 1, 4), 4);
	EXPECT_EQ(idr_alloc_cyclic(&idr, &values[0], 1, 4), 1);
	EXPECT_EQ(idr_alloc_cyclic(&idr, &values[0], 1, 4), -ENOSPC);
	radix_destroy(&idr.map, nullptr);
}
