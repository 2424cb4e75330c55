/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Basic types, attributes and small macros that every file of the kernel may use. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef ptrdiff_t ssize_t;

typedef u64 paddr_t;	   /* physical address */
typedef uintptr_t vaddr_t; /* virtual address, kernel or user, not dereferenceable */

/*
 * A pointer into user space. It cannot be dereferenced: only the functions of <mm/ucopy.h> take
 * it. The compiler enforces this (noderef) and refuses an implicit conversion (address_space).
 */
#ifdef __clang__
#define __user __attribute__((noderef, address_space(1)))
#define __force_user(type, ptr) ((type)(uintptr_t)(ptr))
#else
#define __user
#define __force_user(type, ptr) ((type)(uintptr_t)(ptr))
#endif

#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __section(s) __attribute__((section(s), used))
#define __noinline __attribute__((noinline))
#define __always_inline inline __attribute__((always_inline))
#define __cold __attribute__((cold))
#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))
#define __counted_by(field) __attribute__((counted_by(field)))
/* Of a large local variable that is written before it is read: the compiler does not zero it. */
#define __uninitialized __attribute__((uninitialized))
#define __cleanup(fn) __attribute__((cleanup(fn)))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define container_of(ptr, type, member)                                                            \
	((type *)((char *)(ptr) - offsetof(type, member) +                                         \
		  0 * sizeof((ptr) == &((type *)0)->member)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)                                                                                  \
	({                                                                                         \
		auto min_a_ = (a);                                                                 \
		auto min_b_ = (b);                                                                 \
		min_a_ < min_b_ ? min_a_ : min_b_;                                                 \
	})
#define MAX(a, b)                                                                                  \
	({                                                                                         \
		auto max_a_ = (a);                                                                 \
		auto max_b_ = (b);                                                                 \
		max_a_ > max_b_ ? max_a_ : max_b_;                                                 \
	})

/* `n` must be a power of two. */
#define ALIGN_UP(x, n) (((x) + ((typeof(x))(n) - 1)) & ~((typeof(x))(n) - 1))
#define ALIGN_DOWN(x, n) ((x) & ~((typeof(x))(n) - 1))
#define IS_ALIGNED(x, n) (((x) & ((typeof(x))(n) - 1)) == 0)
#define DIV_ROUND_UP(x, n) (((x) + (n) - 1) / (n))
#define BIT(n) (1ul << (n))

/* Checked arithmetic: true when the result does not fit. */
#define add_overflows(a, b, result) __builtin_add_overflow(a, b, result)
#define sub_overflows(a, b, result) __builtin_sub_overflow(a, b, result)
#define mul_overflows(a, b, result) __builtin_mul_overflow(a, b, result)

/* Volatile access of exactly one load or store: for values that another CPU or a device changes. */
#if __has_feature(thread_sanitizer)
/* It takes only atomic accesses for ones that may meet others. */
#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#else
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))
#endif
