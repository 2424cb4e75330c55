/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The name of a core file, made of the pattern as core(5) says. */
#include <core/lock.h>
#include <core/time.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>
#include <proc/uts.h>
#include <vfs/core_dump.h>
#include <vfs/core_dump_priv.h>

#include <linux/utsname.h>

s32 core_uses_pid;
static struct spinlock lock = SPINLOCK_INIT(RANK_INODE_STATE);
static char pattern[CORE_PATTERN_MAX] __guarded_by(&lock) = "core";

void core_pattern_get(char out[CORE_PATTERN_MAX])
{
	spin_guard(&lock);
	memcpy(out, pattern, sizeof(pattern));
}

void core_pattern_set(const char *text, size_t length)
{
	length = MIN(length, (size_t)CORE_PATTERN_MAX - 1);
	spin_guard(&lock);
	memcpy(pattern, text, length);
	pattern[length] = 0;
}

/* One % of the pattern; what stands for a file's name has no slash. */
static int append(char *at, size_t room, char kind, int signo)
{
	const struct task *task = current_task();
	const struct credentials *who = current_credentials();
	char text[__NEW_UTS_LEN + 1] = "";

	switch (kind) {
	case '%':
		return scnprintf(at, room, "%%");
	case 'p':
		return scnprintf(at, room, "%d", pid_to_user(task->process->pid));
	case 'P':
		return scnprintf(at, room, "%d", task->process->pid);
	case 'i':
		return scnprintf(at, room, "%d", pid_to_user(task->tid));
	case 'I':
		return scnprintf(at, room, "%d", task->tid);
	case 'u':
		return scnprintf(at, room, "%u", who->uid);
	case 'g':
		return scnprintf(at, room, "%u", who->gid);
	case 's':
		return scnprintf(at, room, "%d", signo);
	case 't':
		return scnprintf(at, room, "%llu",
				 (unsigned long long)(clock_realtime_ns() / NSEC_PER_SEC));
	case 'c':
		return scnprintf(at, room, "%llu", (unsigned long long)current_limit(RLIMIT_CORE));
	case 'h':
		uts_name_get(UTS_HOST_NAME, text);
		break;
	case 'e':
		scnprintf(text, sizeof(text), "%s", task->thread.name);
		break;
	default:
		return 0;
	}
	for (char *c = text; *c; c++)
		*c = *c == '/' ? '!' : *c;
	return scnprintf(at, room, "%s", text);
}

int core_name_make(int signo, char *name, size_t size)
{
	char text[CORE_PATTERN_MAX];
	size_t used = 0;
	bool has_pid = false;

	core_pattern_get(text);
	if (text[0] == '|')
		return -EOPNOTSUPP;
	for (const char *c = text; *c && used + 1 < size; c++) {
		if (*c != '%') {
			name[used++] = *c;
		} else if (*++c) {
			has_pid |= *c == 'p';
			used += (size_t)append(name + used, size - used, *c, signo);
		} else {
			break;
		}
	}
	name[used] = 0;
	if (core_uses_pid && !has_pid)
		used += (size_t)scnprintf(name + used, size - used, ".%d",
					  pid_to_user(current_process()->pid));
	return used ? 0 : -EINVAL;
}
