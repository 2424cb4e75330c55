/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/<pid>/stat, statm, status, schedstat, io, limits: numbers about a process or task, in the
 * formats of proc(5). */
#include <fs/proc/proc_mount.h>

#include <arch/layout.h>
#include <core/percpu.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <proc/inspect.h>
#include <proc/seccomp.h>
#include <vfs/vfs.h>

#include <linux/sched.h>

static bool is_thread_node(const struct synthetic_node *node)
{
	return node->key[KEY_PROCESS] >> 32;
}

struct memory_numbers {
	u64 mapped, resident, shared, text, data, stack, locked, table, mapped_peak, resident_peak;
	u64 anon, file, shmem;
	vaddr_t code_start, code_end, stack_top, data_start, data_end, brk_start, arg_start,
		arg_end, env_start, env_end;
	u64 minor_faults, major_faults;
	bool present;
};

static void read_memory(struct process *process, struct memory_numbers *m)
{
	*m = (struct memory_numbers){ 0 };
	struct aspace *as = process_aspace_get(process);
	if (!as)
		return;
	read_lock(&as->lock);
	*m = (struct memory_numbers){
		.present = true,
		.mapped = as->mapped_pages,
		.anon = as->resident_anon,
		.file = as->resident_file,
		.shmem = as->resident_shared,
		.resident = as->resident_anon + as->resident_file + as->resident_shared,
		.shared = as->resident_file + as->resident_shared,
		.text = as->exec_pages,
		.data = as->data_pages,
		.stack = as->stack_pages,
		.locked = as->locked_pages,
		.table = as->page_table_pages,
		.mapped_peak = as->mapped_peak,
		.resident_peak = as->resident_peak,
		.code_start = as->code_start,
		.code_end = as->code_end,
		.stack_top = as->stack_top,
		.data_start = as->data_start,
		.data_end = as->data_end,
		.brk_start = as->brk_start,
		.arg_start = as->arg_start,
		.arg_end = as->arg_end,
		.env_start = as->env_start,
		.env_end = as->env_end,
		.minor_faults = as->minor_faults,
		.major_faults = as->major_faults,
	};
	read_unlock(&as->lock);
	m->mapped_peak = MAX(m->mapped_peak, m->mapped);
	m->resident_peak = MAX(m->resident_peak, m->resident);
	process_aspace_put(as);
}

/* The kernel's view of priority: 20 + nice for fair tasks, -1 - rt for real-time ones, -101 for those with a deadline. */
static int stat_priority(const struct thread *thread)
{
	u8 level = thread->effective.rt_priority;

	return level ? -1 - level : 20 + thread->effective.nice;
}

static unsigned rt_priority_of(const struct thread *thread)
{
	return thread->params.policy == SCHED_DEADLINE ? 0 : thread->params.rt_priority;
}

static void times_of(const struct synthetic_node *node, struct task *task, u64 *user_ns,
		     u64 *system_ns)
{
	if (is_thread_node(node))
		thread_times(&task->thread, user_ns, system_ns);
	else
		process_times(task->process, user_ns, system_ns);
}

static void stat_show(struct task *task, const struct synthetic_node *node, struct text_buffer *out)
{
	struct process *process = task->process;
	struct process_relations r;
	struct memory_numbers m;
	struct signal_summary s;
	u64 user_ns, system_ns;
	process_relations(process, &r);
	read_memory(process, &m);
	task_signal_summary(task, &s);
	times_of(node, task, &user_ns, &system_ns);
	/* Addresses are for those only who may trace the process, as in Linux. */
	bool may_see = proc_node_permission(node, 0) == 0;
#define ADDRESS(x) (may_see ? (unsigned long)(x) : 0ul)
	text_printf(out, "%d (%s) %c %d %d %d %llu %d 0 ", proc_number(node, task->tid),
		    task->thread.name, task_state_letter(task), proc_number(node, r.parent),
		    proc_number(node, r.group), proc_number(node, r.session),
		    (unsigned long long)r.terminal, proc_number(node, r.foreground));
	text_printf(out, "%llu %llu %llu %llu ", (unsigned long long)m.minor_faults,
		    (unsigned long long)process->children_minor_faults,
		    (unsigned long long)m.major_faults,
		    (unsigned long long)process->children_major_faults);
	text_printf(out, "%llu %llu %llu %llu %d %d %u 0 %llu ",
		    (unsigned long long)ticks_of_ns(user_ns),
		    (unsigned long long)ticks_of_ns(system_ns),
		    (unsigned long long)ticks_of_ns(process->children_user_ns),
		    (unsigned long long)ticks_of_ns(process->children_system_ns),
		    stat_priority(&task->thread), task->thread.params.nice, process->task_count,
		    (unsigned long long)ticks_of_ns(task->thread.start_ns));
	text_printf(out, "%llu %llu %llu %lu %lu %lu 0 0 ",
		    (unsigned long long)m.mapped * PAGE_SIZE, (unsigned long long)m.resident,
		    (unsigned long long)process->limits[RLIMIT_RSS].rlim_cur, ADDRESS(m.code_start),
		    ADDRESS(m.code_end), ADDRESS(m.stack_top));
	text_printf(out, "%llu %llu %llu %llu %d 0 0 %d %u %u %u 0 0 0 ",
		    (unsigned long long)(s.pending & 0x7fffffff),
		    (unsigned long long)(s.blocked & 0x7fffffff),
		    (unsigned long long)(s.ignored & 0x7fffffff),
		    (unsigned long long)(s.caught & 0x7fffffff),
		    task->thread.state == THREAD_SLEEPING ? 1 : 0, process->exit_signal,
		    task->thread.cpu, rt_priority_of(&task->thread), task->thread.params.policy);
	text_printf(out, "%lu %lu %lu %lu %lu %lu %lu %d\n", ADDRESS(m.data_start),
		    ADDRESS(m.data_end), ADDRESS(m.brk_start), ADDRESS(m.arg_start),
		    ADDRESS(m.arg_end), ADDRESS(m.env_start), ADDRESS(m.env_end),
		    may_see ? process->exit_code : 0);
#undef ADDRESS
}

static void statm_show(struct task *task, const struct synthetic_node *node,
		       struct text_buffer *out)
{
	struct process *process = task->process;

	struct memory_numbers m;
	read_memory(process, &m);
	text_printf(out, "%llu %llu %llu %llu 0 %llu 0\n", (unsigned long long)m.mapped,
		    (unsigned long long)m.resident, (unsigned long long)m.shared,
		    (unsigned long long)m.text, (unsigned long long)(m.data + m.stack));
}

static const char *state_name(char letter)
{
	switch (letter) {
	case 'R':
		return "R (running)";
	case 'S':
		return "S (sleeping)";
	case 'D':
		return "D (disk sleep)";
	case 'T':
		return "T (stopped)";
	case 't':
		return "t (tracing stop)";
	case 'Z':
		return "Z (zombie)";
	default:
		return "X (dead)";
	}
}

static void show_credentials(struct task *task, struct text_buffer *out)
{
	const struct credentials *c = task_credentials_get(task);
	text_printf(out, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid,
		    c->fsuid, c->gid, c->egid, c->sgid, c->fsgid);
	struct pool *pool = task_pool_get(task);
	text_printf(out, "FDSize:\t%u\nGroups:\t", pool ? pool_size(pool) : 0);
	if (pool)
		object_put(&pool->object);
	for (unsigned i = 0; c->groups && i < c->groups->count; i++)
		text_printf(out, "%u ", c->groups->groups[i]);
	text_printf(out, "\n");
	credentials_put(c);
}

static void show_memory(struct process *process, struct text_buffer *out)
{
	struct memory_numbers m;
	read_memory(process, &m);
	if (!m.present)
		return;
	u64 program = (ALIGN_UP(m.code_end, PAGE_SIZE) - (m.code_start & PAGE_MASK)) / PAGE_SIZE;
	const struct {
		const char *name;
		u64 pages;
	} lines[] = {
		{ "VmPeak", m.mapped_peak },
		{ "VmSize", m.mapped },
		{ "VmLck", m.locked },
		{ "VmPin", 0 },
		{ "VmHWM", m.resident_peak },
		{ "VmRSS", m.resident },
		{ "RssAnon", m.anon },
		{ "RssFile", m.file },
		{ "RssShmem", m.shmem },
		{ "VmData", m.data },
		{ "VmStk", m.stack },
		{ "VmExe", program },
		{ "VmLib", m.text - MIN(program, m.text) },
		{ "VmPTE", m.table },
		{ "VmSwap", 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		text_printf(out, "%s:\t%8llu kB\n", lines[i].name,
			    (unsigned long long)lines[i].pages * (PAGE_SIZE / 1024));
	text_printf(out, "HugetlbPages:\t       0 kB\nCoreDumping:\t%d\nTHP_enabled:\t0\n",
		    READ_ONCE(process->dumper) != nullptr);
}

static void show_signals(struct task *task, struct text_buffer *out)
{
	struct signal_summary s;
	task_signal_summary(task, &s);
	text_printf(out, "Threads:\t%u\nSigQ:\t%llu/%llu\n", task->process->task_count,
		    (unsigned long long)s.queued, (unsigned long long)s.queue_limit);
	text_printf(out,
		    "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\t%"
		    "016llx\nSigCgt:\t%016llx\n",
		    (unsigned long long)s.pending, (unsigned long long)s.shared_pending,
		    (unsigned long long)s.blocked, (unsigned long long)s.ignored,
		    (unsigned long long)s.caught);
}

static void show_capabilities(struct task *task, struct text_buffer *out)
{
	const struct credentials *c = task_credentials_get(task);
	text_printf(out,
		    "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%"
		    "016llx\nCapAmb:\t%016llx\n",
		    (unsigned long long)c->capabilities_inheritable,
		    (unsigned long long)c->capabilities_permitted,
		    (unsigned long long)c->capabilities_effective,
		    (unsigned long long)c->capabilities_bounding,
		    (unsigned long long)c->capabilities_ambient);
	text_printf(out, "NoNewPrivs:\t%d\nSeccomp:\t%u\nSeccomp_filters:\t%u\n",
		    task->no_new_privs, task->seccomp_mode, seccomp_filter_count(task));
	text_printf(out,
		    "Speculation_Store_Bypass:\tunknown\nSpeculationIndirectBranch:\tunknown\n");
	credentials_put(c);
}

static void show_cpus(struct task *task, struct text_buffer *out)
{
	u64 mask = task->thread.affinity & cpu_online_mask;
	text_printf(out, "Cpus_allowed:\t%llx\nCpus_allowed_list:\t", (unsigned long long)mask);
	text_bit_list(out, mask);
	text_printf(out, "\nMems_allowed:\t00000000,00000001\nMems_allowed_list:\t0\n");
}

/* A number in each name space of the process that the mount's is above, from that one down. */
static void show_numbers(const struct synthetic_node *node, const struct process *process,
			 const char *title, int number, struct text_buffer *out)
{
	const struct pid_namespace *path[40], *ns = process->pid_namespace;
	unsigned count = 0;

	for (; ns && count < ARRAY_SIZE(path); ns = ns->parent) {
		path[count++] = ns;
		if (ns == proc_mount_of(node)->ns)
			break;
	}
	text_printf(out, "%s:", title);
	while (count)
		text_printf(out, "\t%d", pid_alias(path[--count], number));
	text_printf(out, "\n");
}

/* A name may hold anything but the end of a line, which would begin a field. */
static void append_name(struct text_buffer *out, const char *name)
{
	for (; *name; name++) {
		if (*name == '\n' || *name == '\\')
			text_printf(out, "\\%c", *name == '\n' ? 'n' : '\\');
		else
			text_append(out, name, 1);
	}
}

static void status_show(struct task *task, const struct synthetic_node *node,
			struct text_buffer *out)
{
	struct process *process = task->process;
	struct process_relations r;
	process_relations(process, &r);
	u32 umask = 0;
	struct fs_context *fs = task_fs_get(task);
	if (fs) {
		umask = fs->umask;
		fs_context_put(fs);
	}
	text_printf(out, "Name:\t");
	append_name(out, task->thread.name);
	text_printf(out,
		    "\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%"
		    "d\nTracerPid:\t%d\n",
		    umask, state_name(task_state_letter(task)), proc_number(node, process->pid),
		    proc_number(node, task->tid), proc_number(node, r.parent),
		    proc_number(node, task_tracer_pid(task)));
	show_credentials(task, out);
	show_numbers(node, process, "NStgid", process->pid, out);
	show_numbers(node, process, "NSpid", task->tid, out);
	show_numbers(node, process, "NSpgid", r.group, out);
	show_numbers(node, process, "NSsid", r.session, out);
	show_memory(process, out);
	show_signals(task, out);
	show_capabilities(task, out);
	show_cpus(task, out);
	text_printf(out, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
		    (unsigned long long)task->thread.voluntary_switches,
		    (unsigned long long)task->thread.involuntary_switches);
}

static void add_io(struct task_io *sum, const struct task_io *io)
{
	sum->read_bytes += io->read_bytes;
	sum->write_bytes += io->write_bytes;
	sum->reads += io->reads;
	sum->writes += io->writes;
}

/* No file system counts what it reads from a device for whom. */
static void io_show(struct task *task, const struct synthetic_node *node, struct text_buffer *out)
{
	struct task_io io = task->io;

	if (!is_thread_node(node)) {
		struct task *t = process_next_task(task->process, 0);

		io = task->process->dead_io;
		while (t) {
			int tid = t->tid;

			add_io(&io, &t->io);
			task_put(t);
			t = process_next_task(task->process, tid + 1);
		}
	}
	text_printf(out, "rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\n",
		    (unsigned long long)io.read_bytes, (unsigned long long)io.write_bytes,
		    (unsigned long long)io.reads, (unsigned long long)io.writes);
	text_printf(out, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
}

static const struct {
	const char *name, *unit;
} limit_names[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = { "Max cpu time", "seconds" },
	[RLIMIT_FSIZE] = { "Max file size", "bytes" },
	[RLIMIT_DATA] = { "Max data size", "bytes" },
	[RLIMIT_STACK] = { "Max stack size", "bytes" },
	[RLIMIT_CORE] = { "Max core file size", "bytes" },
	[RLIMIT_RSS] = { "Max resident set", "bytes" },
	[RLIMIT_NPROC] = { "Max processes", "processes" },
	[RLIMIT_NOFILE] = { "Max open files", "files" },
	[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
	[RLIMIT_AS] = { "Max address space", "bytes" },
	[RLIMIT_LOCKS] = { "Max file locks", "locks" },
	[RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
	[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
	[RLIMIT_NICE] = { "Max nice priority", "" },
	[RLIMIT_RTPRIO] = { "Max realtime priority", "" },
	[RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
};

static void show_limit_value(struct text_buffer *out, u64 value)
{
	if (value == RLIM64_INFINITY)
		text_printf(out, "%-20s ", "unlimited");
	else
		text_printf(out, "%-20llu ", (unsigned long long)value);
}

static void limits_show(struct task *task, const struct synthetic_node *node,
			struct text_buffer *out)
{
	struct process *process = task->process;

	text_printf(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
		text_printf(out, "%-25s ", limit_names[i].name);
		show_limit_value(out, process->limits[i].rlim_cur);
		show_limit_value(out, process->limits[i].rlim_max);
		text_printf(out, limit_names[i].unit[0] ? "%-10s\n" : "%s\n", limit_names[i].unit);
	}
}

const struct proc_text proc_stat_text = { stat_show }, proc_statm_text = { statm_show },
		       proc_status_text = { status_show }, proc_io_text = { io_show },
		       proc_limits_text = { limits_show };
