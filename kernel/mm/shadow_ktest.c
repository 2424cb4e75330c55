/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the allocators tell the sanitizer. Only in builds that have one. */
#ifdef CONFIG_SANITIZE

#include <lib/test.h>
#include <mm/shadow.h>
#include <mm/slab.h>

TEST(only_what_was_asked_for_may_be_touched)
{
	char *p = kmalloc(100, 0);

	EXPECT(shadow_allows(p, 100));
	EXPECT(!shadow_allows(p, 101));
	EXPECT(!shadow_allows(p + 100, 1));
	p = krealloc(p, 120, 0);
	EXPECT(shadow_allows(p, 120));
	EXPECT(!shadow_allows(p, 121));
	kfree(p);
	EXPECT(!shadow_allows(p, 1));
}

TEST(the_end_of_a_large_block_may_not_be_touched)
{
	char *p = kmalloc(5000, 0);

	EXPECT(shadow_allows(p, 5000));
	EXPECT(!shadow_allows(p, 5001));
	kfree(p);
	EXPECT(!shadow_allows(p, 1));
}

TEST(a_freed_page_may_not_be_touched)
{
	char *p = page_alloc_address(1, 0);

	EXPECT(shadow_allows(p, 2 * PAGE_SIZE));
	page_free_address(p);
	EXPECT(!shadow_allows(p + PAGE_SIZE, 1));
}

#endif
