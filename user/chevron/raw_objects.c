/* SPDX-License-Identifier: MIT */
/* Untyped memory, pools, address spaces and tasks by hand, to learn from. */
#include "chevron.h"
#include "child.h"

#include <cairn/aspace.h>
#include <cairn/handle.h>
#include <cairn/pool.h>
#include <cairn/task.h>
#include <cairn/untyped.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const types[] = { "untyped", "pool",	  "channel", "event",
				     "timer",	"memory", "aspace",  "task" };

static int untyped(int argc, char **argv)
{
	(void)argc;
	return made("untyped", cairn_untyped_create(size_of(argv[1]), 0));
}

/* retype UNTYPED TYPE [ARGUMENT] */
static int retype(int argc, char **argv)
{
	unsigned type = 0;
	int handles[2] = { -1, -1 };

	while (type < sizeof(types) / sizeof(types[0]) && strcmp(types[type], argv[2]) != 0)
		type++;
	if (cairn_untyped_retype(atoi(argv[1]), type, argc > 3 ? size_of(argv[3]) : 0, handles, 0))
		return complain("retype", argv[2]);
	if (handles[1] < 0)
		return made("retype", handles[0]);
	if (!json_line("receiver%u sender%u", (unsigned long long)handles[0],
		       (unsigned long long)handles[1]))
		printf("%d receives, %d sends\n", handles[0], handles[1]);
	return 0;
}

static int use(int argc, char **argv)
{
	struct cairn_untyped_info info;

	(void)argc;
	if (cairn_untyped_inspect(atoi(argv[1]), &info, sizeof(info)))
		return complain("use", argv[1]);
	if (json_line("used%u size%u peak%u objects%u refused%u", info.used, info.size, info.peak,
		      (unsigned long long)info.objects, (unsigned long long)info.refused))
		return 0;
	printf("%llu of %llu bytes used, at most %llu; %u objects; was full %llu times\n",
	       info.used, info.size, info.peak, info.objects, info.refused);
	return 0;
}

static int end(int argc, char **argv)
{
	(void)argc;
	return cairn_untyped_end(atoi(argv[1])) ? complain("end", argv[1]) : 0;
}

/* A slot by its path, "4" or "7/3": numbers in chevron's own table, then in pools. */
static struct cairn_slot slot_of(const char *path)
{
	struct cairn_slot slot = { .pool = -1 };

	while (slot.depth < CAIRN_PATH_MAX) {
		char *next;

		slot.path[slot.depth++] =
			*path == '*' ? CAIRN_SLOT_ANY : (unsigned)strtoul(path, &next, 0);
		path = strchr(path, '/');
		if (!path)
			break;
		path++;
	}
	return slot;
}

int pool_list(int argc, char **argv)
{
	struct cairn_slot slot = slot_of(argv[1]);
	struct cairn_handle_info info;
	int at;

	(void)argc;
	if (slot.depth == CAIRN_PATH_MAX) {
		errno = EINVAL;
		return complain("list", argv[1]);
	}
	slot.depth++;
	while ((at = cairn_pool_next(&slot, &info, sizeof(info))) >= 0) {
		if (!json_line("pool%s slot%u type%s rights%u handles%u revoked%u", argv[1],
			       (unsigned long long)at, info.type, (unsigned long long)info.rights,
			       (unsigned long long)info.handles,
			       (unsigned long long)(info.state & CAIRN_HANDLE_REVOKED)))
			printf("%s/%-4d %-15s rights %03x, %u handle%s%s\n", argv[1], at, info.type,
			       info.rights, info.handles, info.handles == 1 ? "" : "s",
			       info.state & CAIRN_HANDLE_REVOKED ? ", revoked" : "");
		slot.path[slot.depth - 1] = (unsigned)at + 1;
	}
	return errno == EBADF ? 0 : complain("list", argv[1]);
}

/* copy FROM TO, move FROM TO */
static int put(int argc, char **argv)
{
	struct cairn_slot from = slot_of(argv[1]), to = slot_of(argv[2]);
	unsigned operation = strcmp(argv[0], "move") == 0 ? CAIRN_POOL_MOVE : CAIRN_POOL_COPY;
	int at = cairn_pool_put(&from, &to, operation, CAIRN_RIGHTS_SAME, 0);

	(void)argc;
	if (at < 0)
		return complain(argv[0], argv[2]);
	if (!json_line("slot%u", (unsigned long long)at))
		printf("slot %d\n", at);
	return 0;
}

/* map ASPACE ADDRESS BYTES MEMORY|- rwx */
static int map(int argc, char **argv)
{
	struct cairn_mapping mapping = { .address = strtoull(argv[2], NULL, 0),
					 .length = size_of(argv[3]),
					 .memory = argv[4][0] == '-' ? -1 : atoi(argv[4]),
					 .flags = CAIRN_MAP_FIXED };

	(void)argc;
	mapping.flags |= strchr(argv[5], 'r') ? CAIRN_MAP_READ : 0;
	mapping.flags |= strchr(argv[5], 'w') ? CAIRN_MAP_WRITE : 0;
	mapping.flags |= strchr(argv[5], 'x') ? CAIRN_MAP_EXECUTE : 0;
	return cairn_aspace_map(atoi(argv[1]), &mapping) ? complain("map", argv[2]) : 0;
}

/* set TASK PART VALUE */
static int set(int argc, char **argv)
{
	static const char *const parts[] = { "pool", "table", "instruction", "stack", "buffer",
					     "arg0", "arg1",  "arg2",	     "arg3",  "nice" };
	unsigned what = 0;

	(void)argc;
	while (what < sizeof(parts) / sizeof(parts[0]) && strcmp(parts[what], argv[2]) != 0)
		what++;
	return cairn_task_set(atoi(argv[1]), what, strtoull(argv[3], NULL, 0))
		       ? complain("set", argv[2])
		       : 0;
}

/* load MEMORY child|FILE: the machine code of chevron's own program (child.c), or what is in a file. */
static int load(int argc, char **argv)
{
	static char buffer[65536];
	const char *from = child_code;
	ssize_t size = child_code_end - child_code;
	int file;

	(void)argc;
	if (strcmp(argv[2], "child") != 0) {
		file = open(argv[2], O_RDONLY);
		size = file < 0 ? -1 : read(file, buffer, sizeof(buffer));
		from = buffer;
		close(file);
	}
	if (size < 0)
		return complain("load", argv[2]);
	return pwrite(atoi(argv[1]), from, (size_t)size, 0) == size ? 0 : complain("load", argv[1]);
}

int task_start(const char *task)
{
	return cairn_task_control(atoi(task), CAIRN_TASK_START) ? complain("start", task) : 0;
}

/* rest TASK, continue TASK, step TASK, end TASK */
static int control(int argc, char **argv)
{
	static const char *const words[] = { "", "start", "rest", "continue", "step", "slay" };
	unsigned operation = CAIRN_TASK_SUSPEND;

	(void)argc;
	while (strcmp(words[operation], argv[0]) != 0)
		operation++;
	return cairn_task_control(atoi(argv[1]), operation) ? complain(argv[0], argv[1]) : 0;
}

static int task(int argc, char **argv)
{
	static const char *const states[] = { "new", "running", "at rest", "ended" };
	struct cairn_task_info info;

	(void)argc;
	if (cairn_task_inspect(atoi(argv[1]), &info, sizeof(info)))
		return complain("task", argv[1]);
	if (json_line("process%u state%s status%u microseconds%u instruction%u stack%u",
		      (unsigned long long)info.pid, states[info.state & 3],
		      (unsigned long long)info.status,
		      (unsigned long long)(info.user_ns + info.system_ns) / 1000,
		      (unsigned long long)info.instruction, (unsigned long long)info.stack))
		return 0;
	printf("process %d, %s, status %#x, %llu us, instruction %#llx, stack %#llx\n", info.pid,
	       states[info.state & 3], info.status, (info.user_ns + info.system_ns) / 1000,
	       info.instruction, info.stack);
	return 0;
}

const struct command object_commands[] = {
	{ "untyped", "BYTES", "sets memory aside", 1, untyped },
	{ "retype", "UNTYPED TYPE [ARGUMENT]", "makes an object from it", 2, retype },
	{ "use", "UNTYPED", "what is used of it", 1, use },
	{ "end", "UNTYPED", "ends all that was made from it", 1, end },
	{ "pool", "PATH", "the slots of a pool", 1, pool_list },
	{ "load", "MEMORY child|FILE", "copies a program: chevron's own, or a file", 2, load },
	{ "copy", "FROM TO", "copies a handle; paths as 7/3, * for any slot", 2, put },
	{ "move", "FROM TO", "moves a handle", 2, put },
	{ "map", "ASPACE ADDRESS BYTES MEMORY|- RIGHTS", "maps memory, or zeros", 5, map },
	{ "set", "TASK pool|table|instruction|stack|buffer|arg0-3|nice VALUE",
	  "sets a part; buffer is the thread pointer", 3, set },
	{ "rest", "TASK", "holds it", 1, control },
	{ "continue", "TASK", "lets it go on", 1, control },
	{ "step", "TASK", "for one instruction", 1, control },
	{ "slay", "TASK", "ends it", 1, control },
	{ "task", "TASK", "its state", 1, task },
	{ 0 },
};
