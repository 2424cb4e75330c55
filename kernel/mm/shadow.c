/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run time of the address sanitizer: shadow memory and the checks that Clang calls
 * (-fsanitize=kernel-address with outlined checks; the interface is that of compiler-rt's
 * asan_interface_internal.h).
 *
 * A shadow byte k: 0 all 8 bytes may be touched, 1 to 7 the first k, above 0x7f none (SHADOW_*).
 * Only RAM in the direct map has a shadow: heap, page cache, page tables. Kernel stacks and tables
 * of vmap are reached through their own mappings, with guard pages, and are not checked. This file
 * is compiled without checks, as are the allocators, which keep their books in free memory.
 */
#ifdef CONFIG_SANITIZE

#include <core/panic.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/shadow.h>

static u8 *shadow_bytes; /* null until checks begin */
static vaddr_t shadow_first;
static u64 shadow_size; /* bytes of RAM that have a shadow */
static bool shadow_reported;

void shadow_init(u8 *shadow, const void *first, u64 frames)
{
	memset(shadow, 0, SHADOW_BYTES(frames));
	shadow_first = (vaddr_t)first;
	shadow_size = frames << PAGE_SHIFT;
	WRITE_ONCE(shadow_bytes, shadow);
}

/* The shadow of an address, or null when it has none. */
static u8 *shadow_of(vaddr_t address)
{
	u64 offset = address - shadow_first;

	return shadow_bytes && offset < shadow_size ? &shadow_bytes[offset >> 3] : nullptr;
}

void shadow_poison(const void *start, size_t size, u8 why)
{
	u8 *shadow = shadow_of((vaddr_t)start);

	if (shadow)
		memset(shadow, why, DIV_ROUND_UP(size, 8));
}

void shadow_unpoison(const void *start, size_t size)
{
	u8 *shadow = shadow_of((vaddr_t)start);

	if (!shadow)
		return;
	memset(shadow, 0, size / 8);
	if (size % 8)
		shadow[size / 8] = size % 8;
}

bool shadow_allows(const void *p, size_t size)
{
	vaddr_t address = (vaddr_t)p;

	/* The last byte of each group of 8 decides for the group. */
	for (vaddr_t end = address + size; address < end; address = (address | 7) + 1) {
		u8 *shadow = shadow_of(address);
		vaddr_t last = MIN(address | 7, end - 1);
		if (shadow && *shadow && (*shadow > 7 || (last & 7) >= *shadow))
			return false;
	}
	return true;
}

static const char *shadow_reason(vaddr_t address, size_t size)
{
	for (vaddr_t end = address + size; address < end; address = (address | 7) + 1) {
		u8 *shadow = shadow_of(address);
		switch (shadow ? *shadow : 0) {
		case 0:
			continue;
		case SHADOW_FREE_PAGE:
			return "in a free page";
		case SHADOW_FREE_OBJECT:
			return "in a freed object";
		default:
			return "behind the end of an object";
		}
	}
	return "nowhere";
}

static void shadow_check(const volatile void *p, size_t size, const char *what, void *caller)
{
	vaddr_t address = (vaddr_t)p;

	if (likely(shadow_allows((const void *)address, size)) || shadow_reported)
		return;
	shadow_reported = true; /* the report touches memory too */
	panic("address sanitizer: %s of %zu bytes at %p, %s, by %p", what, size, (void *)address,
	      shadow_reason(address, size), caller);
}

void shadow_assert_usable(const void *p)
{
	shadow_check(p, 1, "free", __builtin_return_address(0));
}

#define SHADOW_CHECKS(size)                                                                        \
	void __asan_load##size##_noabort(const void *p);                                           \
	void __asan_load##size##_noabort(const void *p)                                            \
	{                                                                                          \
		shadow_check(p, size, "read", __builtin_return_address(0));                        \
	}                                                                                          \
	void __asan_store##size##_noabort(const void *p);                                          \
	void __asan_store##size##_noabort(const void *p)                                           \
	{                                                                                          \
		shadow_check(p, size, "write", __builtin_return_address(0));                       \
	}
SHADOW_CHECKS(1)
SHADOW_CHECKS(2)
SHADOW_CHECKS(4)
SHADOW_CHECKS(8)
SHADOW_CHECKS(16)

void __asan_loadN_noabort(const void *p, size_t size);
void __asan_loadN_noabort(const void *p, size_t size)
{
	shadow_check(p, size, "read", __builtin_return_address(0));
}

void __asan_storeN_noabort(const void *p, size_t size);
void __asan_storeN_noabort(const void *p, size_t size)
{
	shadow_check(p, size, "write", __builtin_return_address(0));
}

void *__asan_memcpy(void *to, const void *from, size_t size);
void *__asan_memcpy(void *to, const void *from, size_t size)
{
	shadow_check(from, size, "read", __builtin_return_address(0));
	shadow_check(to, size, "write", __builtin_return_address(0));
	return memcpy(to, from, size);
}

void *__asan_memmove(void *to, const void *from, size_t size);
void *__asan_memmove(void *to, const void *from, size_t size)
{
	shadow_check(from, size, "read", __builtin_return_address(0));
	shadow_check(to, size, "write", __builtin_return_address(0));
	return memmove(to, from, size);
}

void *__asan_memset(void *to, int value, size_t size);
void *__asan_memset(void *to, int value, size_t size)
{
	shadow_check(to, size, "write", __builtin_return_address(0));
	return memset(to, value, size);
}

/* Frames of functions that do not return need no clean-up: stacks have no shadow. */
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
}

#endif
