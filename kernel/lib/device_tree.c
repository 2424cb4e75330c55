/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flattened device trees.
 *
 * The structure block is a sequence of 4-byte aligned tokens: begin node with its name, property
 * with length and name offset and value, end node, nop, end. read_token() is the only place that
 * steps over it; it refuses whatever does not fit and so makes every walk end.
 */
#include <lib/device_tree.h>
#include <lib/errno.h>
#include <lib/string.h>

#define FDT_MAGIC 0xd00dfeed
#define FDT_BEGIN_NODE 1
#define FDT_END_NODE 2
#define FDT_PROP 3
#define FDT_NOP 4
#define FDT_END 9

#define HEADER_SIZE 40

struct token {
	u32 kind;
	u32 next;	   /* offset of the token after it */
	const char *name;  /* of a node or property */
	const void *value; /* of a property */
	u32 size;
};

static u32 be32(const void *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static u64 be_cells(const u8 *p, u32 cells)
{
	u64 v = 0;

	for (u32 i = 0; i < cells; i++)
		v = v << 32 | be32(p + 4 * i);
	return v;
}

static u32 header(const u8 *blob, unsigned index)
{
	return be32(blob + 4 * index);
}

int device_tree_open(struct device_tree *dt, const void *blob, size_t size)
{
	const u8 *b = blob;
	u32 total, structure_size, strings_size;

	*dt = (struct device_tree){};
	if (size < HEADER_SIZE || header(b, 0) != FDT_MAGIC)
		return -EINVAL;
	total = header(b, 1);
	/* Versions 16 and later are compatible with ours; 17 added the size of the structure block.
	 */
	if (total < HEADER_SIZE || total > size || header(b, 6) > 17 || header(b, 5) < 17)
		return -EINVAL;
	*dt = (struct device_tree){
		.blob = b,
		.size = total,
		.structure = header(b, 2),
		.strings = header(b, 3),
		.reservations = header(b, 4),
	};
	strings_size = header(b, 8);
	structure_size = header(b, 9);
	if (add_overflows(dt->structure, structure_size, &dt->structure_end) ||
	    add_overflows(dt->strings, strings_size, &dt->strings_end) ||
	    dt->structure_end > total || dt->strings_end > total || dt->structure % 4) {
		*dt = (struct device_tree){};
		return -EINVAL;
	}
	return 0;
}

static const char *terminated(const struct device_tree *dt, u32 offset, u32 end, u32 *length)
{
	const char *s = (const char *)dt->blob + offset;

	if (offset >= end)
		return nullptr;
	*length = (u32)strnlen(s, end - offset);
	return *length < end - offset ? s : nullptr;
}

static bool read_property(const struct device_tree *dt, u32 at, struct token *t)
{
	u32 length, name_offset, name_end, end = dt->structure_end;

	if (end - at < 12)
		return false;
	length = be32(dt->blob + at + 4);
	name_offset = be32(dt->blob + at + 8);
	if (length > end - at - 12 || name_offset >= dt->strings_end - dt->strings)
		return false;
	t->name = terminated(dt, dt->strings + name_offset, dt->strings_end, &name_end);
	t->value = dt->blob + at + 12;
	t->size = length;
	t->next = ALIGN_UP(at + 12 + length, 4u);
	return t->name;
}

/* Reads the token at an offset; false at the end or where the blob is broken. */
static bool read_token(const struct device_tree *dt, u32 at, struct token *t)
{
	u32 length;

	if (at % 4 || at < dt->structure || at >= dt->structure_end || dt->structure_end - at < 4)
		return false;
	t->kind = be32(dt->blob + at);
	t->next = at + 4;
	switch (t->kind) {
	case FDT_BEGIN_NODE:
		t->name = terminated(dt, at + 4, dt->structure_end, &length);
		if (!t->name)
			return false;
		t->next = ALIGN_UP(at + 4 + length + 1, 4u);
		return true;
	case FDT_PROP:
		return read_property(dt, at, t);
	case FDT_END_NODE:
	case FDT_NOP:
		return true;
	default:
		return false;
	}
}

dt_node device_tree_next(const struct device_tree *dt, dt_node node, int *depth)
{
	u32 at = node == DT_NONE ? dt->structure : node;
	bool skip = node != DT_NONE;
	struct token t;

	while (read_token(dt, at, &t)) {
		if (t.kind == FDT_BEGIN_NODE && !skip) {
			++*depth;
			return at;
		}
		if (t.kind == FDT_END_NODE)
			--*depth;
		skip = false;
		at = t.next;
	}
	return DT_NONE;
}

dt_node device_tree_root(const struct device_tree *dt)
{
	int depth = 0;

	return device_tree_next(dt, DT_NONE, &depth);
}

dt_node device_tree_first_child(const struct device_tree *dt, dt_node node)
{
	int depth = 0;
	dt_node child = device_tree_next(dt, node, &depth);

	return depth == 1 ? child : DT_NONE;
}

dt_node device_tree_next_sibling(const struct device_tree *dt, dt_node node)
{
	int depth = 0;

	do {
		node = device_tree_next(dt, node, &depth);
	} while (node != DT_NONE && depth > 0);
	return depth == 0 ? node : DT_NONE;
}

/* The nodes from the root to `node`; returns how many, 0 if it is too deep or not there. */
static unsigned path_to(const struct device_tree *dt, dt_node node, dt_node path[DT_DEPTH_MAX])
{
	int depth = -1;

	for (dt_node n = device_tree_next(dt, DT_NONE, &depth); n != DT_NONE;
	     n = device_tree_next(dt, n, &depth)) {
		if (depth < 0)
			return 0;
		if (depth < DT_DEPTH_MAX)
			path[depth] = n;
		if (n == node)
			return depth < DT_DEPTH_MAX ? (unsigned)depth + 1 : 0;
	}
	return 0;
}

dt_node device_tree_parent(const struct device_tree *dt, dt_node node)
{
	dt_node path[DT_DEPTH_MAX];
	unsigned count = path_to(dt, node, path);

	return count > 1 ? path[count - 2] : DT_NONE;
}

const char *device_tree_name(const struct device_tree *dt, dt_node node)
{
	struct token t;

	return read_token(dt, node, &t) && t.kind == FDT_BEGIN_NODE ? t.name : "";
}

static bool component_matches(const char *name, const char *component, size_t length)
{
	if (strncmp(name, component, length) != 0)
		return false;
	return name[length] == '\0' || (name[length] == '@' && !memchr(component, '@', length));
}

dt_node device_tree_find_path(const struct device_tree *dt, const char *path)
{
	dt_node node = device_tree_root(dt);

	while (node != DT_NONE) {
		while (*path == '/')
			path++;
		if (!*path)
			return node;
		const char *slash = strchr(path, '/');
		size_t length = slash ? (size_t)(slash - path) : strlen(path);

		node = device_tree_first_child(dt, node);
		while (node != DT_NONE &&
		       !component_matches(device_tree_name(dt, node), path, length))
			node = device_tree_next_sibling(dt, node);
		path += length;
	}
	return DT_NONE;
}

const void *device_tree_property(const struct device_tree *dt, dt_node node, const char *name,
				 u32 *size)
{
	struct token t;

	if (!read_token(dt, node, &t) || t.kind != FDT_BEGIN_NODE)
		return nullptr;
	/* The properties of a node come before its children. */
	while (read_token(dt, t.next, &t) && (t.kind == FDT_PROP || t.kind == FDT_NOP)) {
		if (t.kind == FDT_PROP && strcmp(t.name, name) == 0) {
			*size = t.size;
			return t.value;
		}
	}
	return nullptr;
}

const char *device_tree_string(const struct device_tree *dt, dt_node node, const char *name)
{
	u32 size;
	const char *s = device_tree_property(dt, node, name, &size);

	return s && strnlen(s, size) < size ? s : nullptr;
}

bool device_tree_cell(const struct device_tree *dt, dt_node node, const char *name, unsigned index,
		      u32 *out)
{
	u32 size;
	const u8 *value = device_tree_property(dt, node, name, &size);

	if (!value || index >= size / 4)
		return false;
	*out = be32(value + 4 * (size_t)index);
	return true;
}

bool device_tree_number(const struct device_tree *dt, dt_node node, const char *name, u64 *out)
{
	u32 size;
	const u8 *value = device_tree_property(dt, node, name, &size);

	if (!value || (size != 4 && size != 8))
		return false;
	*out = be_cells(value, size / 4);
	return true;
}

bool device_tree_enabled(const struct device_tree *dt, dt_node node)
{
	u32 size;
	const char *status;

	if (!device_tree_property(dt, node, "status", &size))
		return true;
	status = device_tree_string(dt, node, "status");
	return status && (strcmp(status, "okay") == 0 || strcmp(status, "ok") == 0);
}

static bool is_compatible(const struct device_tree *dt, dt_node node, const char *compatible)
{
	u32 size, used;
	const char *list = device_tree_property(dt, node, "compatible", &size);

	for (; list && size; list += used, size -= used) {
		used = (u32)strnlen(list, size) + 1;
		if (used > size)
			return false;
		if (strcmp(list, compatible) == 0)
			return true;
	}
	return false;
}

dt_node device_tree_find_compatible(const struct device_tree *dt, dt_node after,
				    const char *compatible)
{
	int depth = 0;

	do {
		after = device_tree_next(dt, after, &depth);
	} while (after != DT_NONE &&
		 !(is_compatible(dt, after, compatible) && device_tree_enabled(dt, after)));
	return after;
}

dt_node device_tree_find_phandle(const struct device_tree *dt, u32 phandle)
{
	dt_node node = DT_NONE;
	int depth = 0;
	u32 value;

	do {
		node = device_tree_next(dt, node, &depth);
	} while (node != DT_NONE &&
		 !(device_tree_cell(dt, node, "phandle", 0, &value) && value == phandle));
	return node;
}

/* #address-cells or #size-cells of a bus; more than two do not fit our addresses. */
static bool bus_cells(const struct device_tree *dt, dt_node bus, u32 *address_cells,
		      u32 *size_cells)
{
	*address_cells = 2;
	*size_cells = 1;
	(void)device_tree_cell(dt, bus, "#address-cells", 0, address_cells);
	(void)device_tree_cell(dt, bus, "#size-cells", 0, size_cells);
	return *address_cells >= 1 && *address_cells <= 2 && *size_cells <= 2;
}

/* Translates an address on the bus `bus` to one on its parent `parent`. */
static bool translate(const struct device_tree *dt, dt_node bus, dt_node parent, u64 *address)
{
	u32 child_cells, parent_cells, size_cells, unused, size, entry;
	const u8 *ranges = device_tree_property(dt, bus, "ranges", &size);

	if (!ranges)
		return false;
	if (!size)
		return true;
	if (!bus_cells(dt, bus, &child_cells, &size_cells) ||
	    !bus_cells(dt, parent, &parent_cells, &unused))
		return false;
	entry = 4 * (child_cells + parent_cells + size_cells);
	for (u32 at = 0; entry <= size && at <= size - entry; at += entry) {
		u64 child = be_cells(ranges + at, child_cells);
		u64 base = be_cells(ranges + at + 4 * child_cells, parent_cells);
		u64 length = be_cells(ranges + at + 4 * (child_cells + parent_cells), size_cells);

		if (*address >= child && *address - child < length) {
			*address = *address - child + base;
			return true;
		}
	}
	return false;
}

bool device_tree_reg(const struct device_tree *dt, dt_node node, unsigned index, u64 *address,
		     u64 *size)
{
	dt_node path[DT_DEPTH_MAX];
	unsigned count = path_to(dt, node, path);
	u32 address_cells, size_cells, bytes, entry;
	const u8 *reg = device_tree_property(dt, node, "reg", &bytes);

	if (count < 2 || !reg || !bus_cells(dt, path[count - 2], &address_cells, &size_cells))
		return false;
	entry = 4 * (address_cells + size_cells);
	if (index >= bytes / entry)
		return false;
	reg += (size_t)index * entry;
	*address = be_cells(reg, address_cells);
	*size = be_cells(reg + 4 * address_cells, size_cells);
	for (unsigned i = count - 2; i > 0; i--)
		if (!translate(dt, path[i], path[i - 1], address))
			return false;
	return true;
}

bool device_tree_reservation(const struct device_tree *dt, unsigned index, u64 *address, u64 *size)
{
	u64 offset = dt->reservations + 16ull * index;

	if (!dt->blob || offset + 16 > dt->size)
		return false;
	*address = be_cells(dt->blob + offset, 2);
	*size = be_cells(dt->blob + offset + 8, 2);
	return *address || *size;
}

u32 device_tree_used(const struct device_tree *dt)
{
	u32 end = MAX(dt->structure_end, dt->strings_end);
	u64 address, size;
	unsigned i = 0;

	while (device_tree_reservation(dt, i, &address, &size))
		i++;
	/* The entry that ends the list counts, where it is inside the blob. */
	return MAX(end, (u32)MIN(dt->reservations + 16ull * (i + 1), (u64)dt->size));
}
