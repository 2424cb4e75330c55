/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a mapping is in memory: for /proc/<pid>/smaps and pagemap. */
#pragma once

#include <mm/aspace.h>

/* In pages. A page is shared if more than one page table or object refers to it. */
struct mapping_residency {
	u64 private_clean, private_dirty, shared_clean, shared_dirty;
	u64 referenced, anonymous;
	u64 proportional_shared_bytes; /* each shared page divided by its users */
};

/* Needs as->lock, shared or not. */
void aspace_mapping_residency(const struct aspace *as, const struct vma *vma,
			      struct mapping_residency *out);

/*
 * The word of /proc/<pid>/pagemap for the page at `address` (Linux's
 * Documentation/admin-guide/mm/pagemap.rst): bit 63 present, bit 61 of a file or shared; with
 * `frames` bits 0 to 54 are the number of its frame. Takes as->lock.
 */
u64 aspace_pagemap_entry(struct aspace *as, vaddr_t address, bool frames);

/*
 * Forgets which pages were used: of anonymous mappings, of those of objects, or of both. What the MMU has cached may hide the
 * next use of a page until it is forgotten there. Takes as->lock.
 */
void aspace_clear_referenced(struct aspace *as, bool anonymous, bool files);
