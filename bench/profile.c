/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plugin for QEMU (its TCG plugin interface, version 1; Debian has no package with the header, so the few functions are declared here):
 * counts how often each translated block is executed and writes "ADDRESS INSTRUCTIONS EXECUTIONS"
 * lines to the file of its argument out=FILE at the end. bench/profile.py makes a profile of them.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint64_t plugin_id;

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*translated)(plugin_id id,
							      struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int operation,
					      void *counter, uint64_t step);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*ended)(plugin_id id, void *data),
				    void *data);
#define OPERATION_ADD 0

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

/* Blocks by address and length; the same one is translated again after its page has changed. */
struct block {
	struct block *next;
	uint64_t address, instructions, executions;
};
#define BUCKETS 65536
static struct block *blocks[BUCKETS];

static void block_translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	uint64_t instructions = qemu_plugin_tb_n_insns(tb);
	uint64_t address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
	struct block **bucket = &blocks[(address ^ address >> 16) % BUCKETS], *block = *bucket;

	(void)id;
	while (block && (block->address != address || block->instructions != instructions))
		block = block->next;
	if (!block) {
		block = calloc(1, sizeof(*block));
		if (!block)
			abort();
		*block = (struct block){ *bucket, address, instructions, 0 };
		*bucket = block;
	}
	qemu_plugin_register_vcpu_tb_exec_inline(tb, OPERATION_ADD, &block->executions, 1);
}

static void ended(plugin_id id, void *path)
{
	FILE *out = fopen(path, "w");

	(void)id;
	if (!out)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct block *b = blocks[i]; b; b = b->next)
			fprintf(out, "%" PRIx64 " %" PRIu64 " %" PRIu64 "\n", b->address,
				b->instructions, b->executions);
	fclose(out);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);
__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info,
							       int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4))
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
	qemu_plugin_register_atexit_cb(id, ended, strdup(argv[0] + 4));
	return 0;
}
