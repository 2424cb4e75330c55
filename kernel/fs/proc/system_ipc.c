/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/sysvipc and /proc/locks: what processes share. */
#include <fs/proc/proc_mount.h>
#include <fs/proc/system_priv.h>

#include <ipc/sysv.h>
#include <lib/errno.h>
#include <mm/slab.h>
#include <vfs/file_locks.h>

#include <linux/fcntl.h>

static int shm_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct shm_info usage;
	int highest = shm_usage(&usage);

	text_printf(
		out,
		"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  "
		"cuid  cgid      atime      dtime      ctime                   rss                 "
		" "
		"swap\n");
	for (int i = 0; i <= highest; i++) {
		struct shmid64_ds d;
		int id = shm_stat(i, SHM_STAT_ANY, &d);

		if (id < 0)
			continue;
		text_printf(out,
			    "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10lu %10lu %10lu ",
			    (int)d.shm_perm.key, id, d.shm_perm.mode, (unsigned long)d.shm_segsz,
			    d.shm_cpid, d.shm_lpid, (unsigned long)d.shm_nattch, d.shm_perm.uid,
			    d.shm_perm.gid, d.shm_perm.cuid, d.shm_perm.cgid,
			    (unsigned long)d.shm_atime, (unsigned long)d.shm_dtime,
			    (unsigned long)d.shm_ctime);
		text_printf(out, "%21lu %21lu\n", (unsigned long)d.shm_segsz, 0ul);
	}
	return 0;
}

static int sem_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct seminfo usage;
	int highest = sem_limits(SEM_INFO, &usage);

	text_printf(
		out,
		"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      "
		"ctime\n");
	for (int i = 0; i <= highest; i++) {
		struct semid64_ds d;
		int id = sem_stat(i, SEM_STAT_ANY, &d);

		if (id >= 0)
			text_printf(out, "%10d %10d  %4o %10lu %5u %5u %5u %5u %10lu %10lu\n",
				    (int)d.sem_perm.key, id, d.sem_perm.mode,
				    (unsigned long)d.sem_nsems, d.sem_perm.uid, d.sem_perm.gid,
				    d.sem_perm.cuid, d.sem_perm.cgid, (unsigned long)d.sem_otime,
				    (unsigned long)d.sem_ctime);
	}
	return 0;
}

static int msg_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct msginfo usage;
	int highest = msg_limits(MSG_INFO, &usage);

	text_printf(
		out,
		"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  "
		"cgid      stime      rtime      ctime\n");
	for (int i = 0; i <= highest; i++) {
		struct msqid64_ds d;
		int id = msg_stat(i, MSG_STAT_ANY, &d);

		if (id >= 0)
			text_printf(
				out,
				"%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10lu %10lu "
				"%10lu\n",
				(int)d.msg_perm.key, id, d.msg_perm.mode,
				(unsigned long)d.msg_cbytes, (unsigned long)d.msg_qnum, d.msg_lspid,
				d.msg_lrpid, d.msg_perm.uid, d.msg_perm.gid, d.msg_perm.cuid,
				d.msg_perm.cgid, (unsigned long)d.msg_stime,
				(unsigned long)d.msg_rtime, (unsigned long)d.msg_ctime);
	}
	return 0;
}

static const struct synthetic_type shm_file = { .mode = S_IFREG | 0444, .show = shm_show };
static const struct synthetic_type sem_file = { .mode = S_IFREG | 0444, .show = sem_show };
static const struct synthetic_type msg_file = { .mode = S_IFREG | 0444, .show = msg_show };

static const struct synthetic_named names[] = {
	{ "msg", &msg_file, nullptr },
	{ "sem", &sem_file, nullptr },
	{ "shm", &shm_file, nullptr },
};
const struct synthetic_table proc_sysvipc_table = SYNTHETIC_TABLE(names);

/* locks: collected under their lock, so the text has room for all of them beforehand. */

struct lock_lines {
	struct file_lock_summary *locks;
	size_t count, room;
};

static void add_lock(const struct file_lock_summary *lock, void *arg)
{
	struct lock_lines *lines = arg;

	if (lines->count < lines->room)
		lines->locks[lines->count] = *lock;
	lines->count++;
}

static void show_lock(const struct synthetic_node *node, struct text_buffer *out, size_t number,
		      const struct file_lock_summary *l)
{
	static const char *const kinds[] = { "FLOCK ", "POSIX ", "OFDLCK" };

	int pid = proc_number(node, l->pid);

	if (!pid)
		return; /* of somebody in another name space */
	text_printf(out, "%zu: %s%s ADVISORY  %s ", number, l->waits ? "-> " : "", kinds[l->kind],
		    l->type == F_WRLCK ? "WRITE" : "READ");
	text_printf(out, "%d %02x:%02x:%llu %llu ", pid, device_major(l->device),
		    device_minor(l->device), (unsigned long long)l->inode,
		    (unsigned long long)l->start);
	if (l->end == (u64)INT64_MAX)
		text_printf(out, "EOF\n");
	else
		text_printf(out, "%llu\n", (unsigned long long)l->end);
}

static int locks_show(const struct synthetic_node *node, struct text_buffer *out)
{
	struct lock_lines lines = {};

	do {
		kvfree(lines.locks);
		lines.room = lines.count + 16;
		lines.count = 0;
		lines.locks = kvmalloc(lines.room * sizeof(*lines.locks), 0);
		if (!lines.locks)
			return -ENOMEM;
		file_lock_for_each(add_lock, &lines);
	} while (lines.count > lines.room);
	for (size_t i = 0; i < lines.count; i++)
		show_lock(node, out, i + 1, &lines.locks[i]);
	kvfree(lines.locks);
	return 0;
}

const struct synthetic_type proc_locks = { .mode = S_IFREG | 0444, .show = locks_show };
