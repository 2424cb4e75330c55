/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The out-of-memory killer. It ends the process whose end frees most, as oom_score_adj of its user and administrator
 * shifts it: -1000 exempts, each step adds a thousandth of memory. Only one process dies at a time: while the last one
 * chosen still has its memory, everybody waits for that.
 */
#include <core/log.h>
#include <core/panic.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <mm/frame.h>
#include <proc/oom.h>
#include <proc/proc_priv.h>

#define OOM_ADJ_MIN (-1000)

/* What a process has of memory, in pages, taken while it cannot lose it. All 0 once it has. */
struct footprint {
	u64 anon, file, shared, page_tables, mapped;
};

static void footprint(struct process *process, struct footprint *out)
{
	irqflags_t flags = spin_lock_irqsave(&process->lock);
	const struct aspace *as = process->aspace;

	*out = (struct footprint){};
	if (as)
		*out = (struct footprint){
			.anon = as->resident_anon,
			.file = as->resident_file,
			.shared = as->resident_shared,
			.page_tables = as->page_table_pages,
			.mapped = as->mapped_pages,
		};
	spin_unlock_irqrestore(&process->lock, flags);
}

u64 oom_badness(struct process *process)
{
	struct frame_stats stats;
	struct footprint has;
	s64 points;

	footprint(process, &has);
	if (!has.mapped || process->oom_score_adj == OOM_ADJ_MIN || process->unkillable)
		return 0;
	frame_stats(&stats);
	points = (s64)(has.anon + has.file + has.shared + has.page_tables) +
		 process->oom_score_adj * (s64)(stats.total / 1000);
	return points > 0 ? (u64)points : 1;
}

/* The worst process, with a reference; null if none may be killed. *dying: one is on its way already. */
static struct process *choose(bool *dying)
{
	struct process *process, *worst = nullptr;
	u64 most = 0;

	*dying = false;
	for (int pid = 1; (process = process_next(pid));
	     pid = process->pid + 1, process_put(process)) {
		u64 points = oom_badness(process);

		if (points && READ_ONCE(process->group_exiting))
			*dying = true;
		if (points <= most)
			continue;
		most = points;
		if (worst)
			process_put(worst);
		worst = process;
		object_get(&worst->object);
	}
	return worst;
}

static void report(struct process *process)
{
	struct task *leader = process_leader_get(process);
	const unsigned long kib = PAGE_SIZE / 1024;
	struct footprint has;

	if (!leader)
		return;
	footprint(process, &has);
	log_error("Out of memory: Killed process %d (%s) total-vm:%lukB, anon-rss:%lukB, "
		  "file-rss:%lukB, "
		  "shmem-rss:%lukB, UID:%u pgtables:%lukB oom_score_adj:%d",
		  process->pid, leader->thread.name, has.mapped * kib, has.anon * kib,
		  has.file * kib, has.shared * kib, leader->credentials->uid, has.page_tables * kib,
		  process->oom_score_adj);
	task_put(leader);
}

/* Others that use the same memory have to go with it. */
static void kill_sharers(const struct aspace *as)
{
	struct process *process;
	irqflags_t flags;

	for (int pid = 2; (process = process_next(pid));
	     pid = process->pid + 1, process_put(process)) {
		flags = spin_lock_irqsave(&process->lock);
		if (process->aspace == as && !process->unkillable)
			process_kill_locked(process, SIGKILL);
		spin_unlock_irqrestore(&process->lock, flags);
	}
}

u32 oom_panics;

static bool out_of_memory(void)
{
	static struct mutex one_at_a_time = MUTEX_INIT(RANK_ALLOCATOR_SLEEP);
	struct process *worst;
	struct aspace *as;
	bool dying;

	/* Whoever is to die anyway may take from the reserve and so gets on. */
	if (signal_fatal_pending())
		return false;
	if (unlikely(oom_panics))
		panic("out of memory, and vm.panic_on_oom is set");
	mutex_lock(&one_at_a_time);
	worst = choose(&dying);
	if (worst && !dying) {
		report(worst);
		as = READ_ONCE(worst->aspace);
		if (as)
			kill_sharers(as);
	}
	if (worst)
		process_put(worst);
	mutex_unlock(&one_at_a_time);
	if (dying)
		thread_sleep_ns(NSEC_PER_MSEC);
	return dying || worst;
}

void oom_init(void)
{
	mm_hooks.out_of_memory = out_of_memory;
}
