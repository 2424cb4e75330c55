/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device trees: look-ups in a small tree, and that a damaged one never leads out of its buffer. */
#include <lib/device_tree.h>
#include <lib/errno.h>
#include <lib/test.h>

#define BLOB_MAX 1024
#define STRUCTURE 56 /* behind the header and one reservation */

/* Builds a blob; cells are big endian. */
struct builder {
	u8 blob[BLOB_MAX];
	u32 at;
	char strings[256];
	u32 strings_size;
};

static void put32(u8 *p, u32 v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

static void put(struct builder *b, u32 v)
{
	put32(b->blob + b->at, v);
	b->at += 4;
}

static void put_bytes(struct builder *b, const void *bytes, u32 size)
{
	memcpy(b->blob + b->at, bytes, size);
	b->at = ALIGN_UP(b->at + size, 4u);
}

static void begin_node(struct builder *b, const char *name)
{
	put(b, 1);
	put_bytes(b, name, (u32)strlen(name) + 1);
}

static void end_node(struct builder *b)
{
	put(b, 2);
}

static void property(struct builder *b, const char *name, const void *value, u32 size)
{
	put(b, 3);
	put(b, size);
	put(b, b->strings_size);
	memcpy(b->strings + b->strings_size, name, strlen(name) + 1);
	b->strings_size += (u32)strlen(name) + 1;
	put_bytes(b, value, size);
}

static void text(struct builder *b, const char *name, const char *value)
{
	property(b, name, value, (u32)strlen(value) + 1);
}

static void cells(struct builder *b, const char *name, unsigned count, const u32 *values)
{
	u8 bytes[64];

	for (unsigned i = 0; i < count; i++)
		put32(bytes + 4 * i, values[i]);
	property(b, name, bytes, 4 * count);
}
#define CELLS(b, name, ...)                                                                        \
	cells(b, name, sizeof((u32[]){ __VA_ARGS__ }) / 4, (u32[]){ __VA_ARGS__ })

static u32 finish(struct builder *b)
{
	u32 structure_size, strings;

	put(b, 9);
	structure_size = b->at - STRUCTURE;
	strings = b->at;
	put_bytes(b, b->strings, b->strings_size);
	const u32 header[10] = { 0xd00dfeed, b->at, STRUCTURE, strings,		40,
				 17,	     16,    0,	       b->strings_size, structure_size };
	for (unsigned i = 0; i < 10; i++)
		put32(b->blob + 4 * i, header[i]);
	return b->at;
}

static u32 build(struct builder *b)
{
	*b = (struct builder){ .at = STRUCTURE };
	begin_node(b, "");
	CELLS(b, "#address-cells", 2);
	CELLS(b, "#size-cells", 2);
	begin_node(b, "memory@40000000");
	text(b, "device_type", "memory");
	CELLS(b, "reg", 0, 0x40000000, 0, 0x8000000, 1, 0, 0, 0x1000);
	end_node(b);
	begin_node(b, "soc");
	CELLS(b, "#address-cells", 1);
	CELLS(b, "#size-cells", 1);
	CELLS(b, "ranges", 0x1000, 0, 0x9000000, 0x10000);
	begin_node(b, "serial@2000");
	property(b, "compatible", "vendor,special\0arm,pl011", 25);
	CELLS(b, "reg", 0x2000, 0x100);
	CELLS(b, "phandle", 7);
	end_node(b);
	begin_node(b, "serial@3000");
	text(b, "compatible", "arm,pl011");
	text(b, "status", "disabled");
	end_node(b);
	end_node(b);
	begin_node(b, "chosen");
	text(b, "bootargs", "quiet");
	CELLS(b, "linux,initrd-start", 1, 2);
	end_node(b);
	end_node(b);
	return finish(b);
}

TEST(device_tree_finds_nodes_and_properties)
{
	struct builder b;
	struct device_tree dt;
	u32 size = build(&b);
	u64 number;
	dt_node serial;

	EXPECT_EQ(device_tree_open(&dt, b.blob, BLOB_MAX), 0);
	EXPECT(size - device_tree_used(&dt) < 4); /* the alignment of the end */
	EXPECT(strcmp(device_tree_string(&dt, device_tree_find_path(&dt, "/chosen"), "bootargs"),
		      "quiet") == 0);
	EXPECT(device_tree_number(&dt, device_tree_find_path(&dt, "/chosen"), "linux,initrd-start",
				  &number));
	EXPECT_EQ(number, 0x100000002ull);
	serial = device_tree_find_path(&dt, "/soc/serial@2000");
	EXPECT(serial != DT_NONE);
	EXPECT_EQ(device_tree_find_path(&dt, "/soc/serial"), serial);
	EXPECT_EQ(device_tree_find_phandle(&dt, 7), serial);
	EXPECT_EQ(device_tree_find_path(&dt, "/soc/serial@9"), DT_NONE);
	EXPECT_EQ(device_tree_parent(&dt, serial), device_tree_find_path(&dt, "/soc"));
	EXPECT_EQ(device_tree_find_path(&dt, "/"), device_tree_root(&dt));
}

TEST(device_tree_skips_disabled_devices)
{
	struct builder b;
	struct device_tree dt;
	u32 size = build(&b);
	dt_node found;

	EXPECT_EQ(device_tree_open(&dt, b.blob, size), 0);
	found = device_tree_find_compatible(&dt, DT_NONE, "arm,pl011");
	EXPECT_EQ(found, device_tree_find_path(&dt, "/soc/serial@2000"));
	EXPECT_EQ(device_tree_find_compatible(&dt, found, "arm,pl011"), DT_NONE);
}

TEST(device_tree_translates_addresses)
{
	struct builder b;
	struct device_tree dt;
	u32 size = build(&b);
	u64 address, length;
	dt_node memory;

	EXPECT_EQ(device_tree_open(&dt, b.blob, size), 0);
	EXPECT(device_tree_reg(&dt, device_tree_find_path(&dt, "/soc/serial@2000"), 0, &address,
			       &length));
	EXPECT_EQ(address, 0x9001000ull);
	EXPECT_EQ(length, 0x100ull);
	memory = device_tree_find_path(&dt, "/memory");
	EXPECT(device_tree_reg(&dt, memory, 1, &address, &length));
	EXPECT_EQ(address, 0x100000000ull);
	EXPECT(!device_tree_reg(&dt, memory, 2, &address, &length));
}

/* Every kind of access, with the result ignored: the sanitizers say whether one went astray. */
static void use_everything(const struct device_tree *dt)
{
	u64 address, length;
	int depth = 0;
	u32 size, cell;

	for (dt_node n = device_tree_next(dt, DT_NONE, &depth); n != DT_NONE;
	     n = device_tree_next(dt, n, &depth)) {
		(void)device_tree_name(dt, n);
		(void)device_tree_string(dt, n, "bootargs");
		(void)device_tree_property(dt, n, "reg", &size);
		(void)device_tree_cell(dt, n, "ranges", 3, &cell);
		(void)device_tree_reg(dt, n, 0, &address, &length);
		(void)device_tree_enabled(dt, n);
		(void)device_tree_parent(dt, n);
	}
	(void)device_tree_find_compatible(dt, DT_NONE, "arm,pl011");
	(void)device_tree_find_path(dt, "/soc/serial@2000");
	for (unsigned i = 0; device_tree_reservation(dt, i, &address, &length); i++)
		;
}

TEST(device_tree_refuses_truncated_blobs)
{
	struct builder b;
	struct device_tree dt;
	u32 size = build(&b);

	for (u32 i = 0; i < size; i++)
		EXPECT_EQ(device_tree_open(&dt, b.blob, i), -EINVAL);
}

TEST(device_tree_survives_damage)
{
	static const u8 patterns[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	struct builder b;
	struct device_tree dt;
	u32 size = build(&b);

	for (u32 i = 4; i < size; i++) {
		for (unsigned p = 0; p < ARRAY_SIZE(patterns); p++) {
			u8 damaged[BLOB_MAX];

			memcpy(damaged, b.blob, size);
			damaged[i] = patterns[p];
			if (!device_tree_open(&dt, damaged, size))
				use_everything(&dt);
		}
	}
}
