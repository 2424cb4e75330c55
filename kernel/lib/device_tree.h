/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads flattened device trees (Devicetree Specification 0.4, chapter 5) in place. The blob comes
 * from firmware and is not trusted: each access is checked against its size, so that a broken blob
 * yields missing nodes, never a bad access. Nothing is allocated. Look-ups walk the blob, which is
 * good enough for boot.
 */
#pragma once

#include <lib/types.h>

struct device_tree {
	const u8 *blob;
	u32 size;
	u32 structure, structure_end; /* offsets in the blob */
	u32 strings, strings_end;
	u32 reservations;
};

/* A node is the offset of its begin token. */
typedef u32 dt_node;
#define DT_NONE UINT32_MAX
#define DT_DEPTH_MAX 16

/* Checks the header of a blob in a buffer of `size` bytes. Returns 0 or -EINVAL. */
[[nodiscard]] int device_tree_open(struct device_tree *dt, const void *blob, size_t size);

/* How many bytes of the blob are in use: firmware pads it, QEMU to 1 MiB. */
u32 device_tree_used(const struct device_tree *dt);

/* Nodes in the order of the blob. All return DT_NONE at the end. */
dt_node device_tree_root(const struct device_tree *dt);
dt_node device_tree_next(const struct device_tree *dt, dt_node node, int *depth);
dt_node device_tree_first_child(const struct device_tree *dt, dt_node node);
dt_node device_tree_next_sibling(const struct device_tree *dt, dt_node node);
dt_node device_tree_parent(const struct device_tree *dt, dt_node node);

/* The node at an absolute path; a component without '@' also matches a name with a unit address. */
dt_node device_tree_find_path(const struct device_tree *dt, const char *path);

/* The next enabled node after `after` (DT_NONE: the first) that lists `compatible`. */
dt_node device_tree_find_compatible(const struct device_tree *dt, dt_node after,
				    const char *compatible);
dt_node device_tree_find_phandle(const struct device_tree *dt, u32 phandle);

/* "" for the root. */
const char *device_tree_name(const struct device_tree *dt, dt_node node);

/* The value of a property (big endian cells), or null. */
const void *device_tree_property(const struct device_tree *dt, dt_node node, const char *name,
				 u32 *size);

/* A property that is a terminated string, or null. */
const char *device_tree_string(const struct device_tree *dt, dt_node node, const char *name);

/* Cell `index` of a property; false if it is not that long. */
bool device_tree_cell(const struct device_tree *dt, dt_node node, const char *name, unsigned index,
		      u32 *out);

/* A property of one or two cells as a number (linux,initrd-start). */
bool device_tree_number(const struct device_tree *dt, dt_node node, const char *name, u64 *out);

/* True unless a status property says something else than "okay" or "ok". */
bool device_tree_enabled(const struct device_tree *dt, dt_node node);

/* Entry `index` of reg, translated through the ranges of the parents to a physical address. */
bool device_tree_reg(const struct device_tree *dt, dt_node node, unsigned index, u64 *address,
		     u64 *size);

/* Entry `index` of the memory reservation block; false at the end. */
bool device_tree_reservation(const struct device_tree *dt, unsigned index, u64 *address, u64 *size);
