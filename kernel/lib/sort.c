/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heap sort: no recursion and no bad case that a hostile input could pick. */
#include <lib/sort.h>

static void swap(char *a, char *b, size_t size)
{
	for (; size >= 8; size -= 8, a += 8, b += 8) {
		u64 x, y;

		__builtin_memcpy(&x, a, 8);
		__builtin_memcpy(&y, b, 8);
		__builtin_memcpy(a, &y, 8);
		__builtin_memcpy(b, &x, 8);
	}
	for (; size; size--, a++, b++) {
		char x = *a;

		*a = *b;
		*b = x;
	}
}

static void sift_down(char *base, size_t i, size_t n, size_t size,
		      int (*compare)(const void *a, const void *b))
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			return;
		if (child + 1 < n && compare(base + child * size, base + (child + 1) * size) < 0)
			child++;
		if (compare(base + i * size, base + child * size) >= 0)
			return;
		swap(base + i * size, base + child * size, size);
		i = child;
	}
}

void sort(void *base, size_t n, size_t size, int (*compare)(const void *a, const void *b))
{
	for (size_t i = n / 2; i--;)
		sift_down(base, i, n, size, compare);
	while (n > 1) {
		n--;
		swap(base, (char *)base + n * size, size);
		sift_down(base, 0, n, size, compare);
	}
}
