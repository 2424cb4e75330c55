/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The notes of a core file: registers, what process it was, auxiliary vector, mapped files. Layouts are those of gdb and glibc's
 * <sys/procfs.h>; the uapi headers have none.
 */
#include <arch/ptrace.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/aspace.h>
#include <mm/slab.h>
#include <proc/inspect.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>
#include <vfs/core_dump_priv.h>
#include <vfs/vfs.h>

#include <linux/auxvec.h>
#include <linux/elf.h>
#include <linux/limits.h>
#include <linux/time_types.h>

struct core_status { /* struct elf_prstatus up to pr_reg */
	s32 signo, code, error;
	s16 current_signal;
	u64 pending, blocked;
	s32 pid, parent, group, session;
	struct __kernel_timespec user, system, children_user,
		children_system; /* in truth struct timeval */
};
static_assert(sizeof(struct core_status) == 112);

struct core_process { /* struct elf_prpsinfo */
	char state, state_letter, zombie, nice;
	u64 flags;
	u32 uid, gid;
	s32 pid, parent, group, session;
	char name[16], arguments[80];
};
static_assert(sizeof(struct core_process) == 136);

static void *append(struct core_notes *notes, const void *data, size_t size)
{
	size_t needed = notes->size + size;

	if (!notes->failed && needed > notes->room) {
		size_t room = MAX(needed, 2 * notes->room);
		char *bigger = kvmalloc(room, 0);

		notes->failed = !bigger;
		if (bigger) {
			if (notes->size)
				memcpy(bigger, notes->data, notes->size);
			kvfree(notes->data);
			notes->data = bigger;
			notes->room = room;
		}
	}
	if (notes->failed)
		return nullptr;
	char *at = notes->data + notes->size;

	if (data)
		memcpy(at, data, size);
	else
		memset(at, 0, size);
	notes->size = needed;
	return at;
}

/* A note's head; its contents follow in pieces of `size` bytes together. */
static void begin(struct core_notes *notes, u32 type, const char *owner, size_t size)
{
	Elf64_Nhdr head = { .n_namesz = (u32)strlen(owner) + 1,
			    .n_descsz = (u32)size,
			    .n_type = type };

	append(notes, &head, sizeof(head));
	append(notes, owner, head.n_namesz);
	append(notes, nullptr, ALIGN_UP(head.n_namesz, 4u) - head.n_namesz);
}

static void end(struct core_notes *notes)
{
	append(notes, nullptr, ALIGN_UP(notes->size, 4ul) - notes->size);
}

static void note(struct core_notes *notes, u32 type, const void *data, size_t size)
{
	begin(notes, type, "CORE", size);
	append(notes, data, size);
	end(notes);
}

static struct __kernel_timespec micro(u64 ns)
{
	return (struct __kernel_timespec){ .tv_sec = (s64)(ns / NSEC_PER_SEC),
					   .tv_nsec = (s64)(ns % NSEC_PER_SEC / 1000) };
}

static void status_note(struct core_notes *notes, struct task *task, int signo)
{
	struct process *process = task->process;
	struct process_relations r;
	u64 user, system;
	size_t size = arch_regset_size(NT_PRSTATUS);

	process_relations(process, &r);
	/* The first task stands for the process. */
	if (task == process->leader)
		process_times(process, &user, &system);
	else
		thread_times(&task->thread, &user, &system);
	struct core_status status = {
		.signo = signo,
		.current_signal = (s16)signo,
		.pending = task->signals.pending.set,
		.blocked = task->signals.blocked,
		.pid = pid_to_user(task->tid),
		.parent = pid_to_user(r.parent),
		.group = pid_to_user(r.group),
		.session = pid_to_user(r.session),
		.user = micro(user),
		.system = micro(system),
		.children_user = micro(process->children_user_ns),
		.children_system = micro(process->children_system_ns),
	};
	begin(notes, NT_PRSTATUS, "CORE", sizeof(status) + size + sizeof(u64));
	append(notes, &status, sizeof(status));
	void *registers = append(notes, nullptr, size);

	if (registers && arch_regset_get(&task->thread.base, NT_PRSTATUS, registers))
		notes->failed = true;
	append(notes, &(u64){ 1 }, sizeof(u64)); /* pr_fpvalid */
	end(notes);
}

static void process_note(struct core_notes *notes, struct aspace *as)
{
	struct task *task = current_task();
	struct core_process p = { .state_letter = 'R',
				  .nice = (char)task->thread.params.nice,
				  .uid = current_credentials()->uid,
				  .gid = current_credentials()->gid,
				  .pid = pid_to_user(task->process->pid) };
	struct process_relations r;
	size_t size = MIN(as->arg_end - as->arg_start, sizeof(p.arguments) - 1);

	process_relations(task->process, &r);
	p.parent = pid_to_user(r.parent);
	p.group = pid_to_user(r.group);
	p.session = pid_to_user(r.session);
	scnprintf(p.name, sizeof(p.name), "%s", task->thread.name);
	ssize_t got = aspace_read(as, as->arg_start, p.arguments, size, true);

	for (ssize_t i = 0; i < got; i++)
		p.arguments[i] = p.arguments[i] ? p.arguments[i] : ' ';
	note(notes, NT_PRPSINFO, &p, sizeof(p));
}

/* NT_FILE: count, page size, ranges, then the names. */
static void files_note(struct core_notes *notes, struct aspace *as)
{
	char *name = kmalloc(PATH_MAX, 0);
	struct core_notes ranges = { 0 }, names = { 0 };
	u64 count = 0;

	notes->failed |= !name;
	read_lock(&as->lock);
	for (struct vma *vma = aspace_find(as, 0); name && vma; vma = vma_next(vma)) {
		if (!vma->file || !vma->file->dentry)
			continue;
		struct path path = { vma->file->mount, vma->file->dentry };
		const char *text = path_text(&path, nullptr, name, PATH_MAX);
		u64 range[3] = { vma->start, vma->end, vma->offset / PAGE_SIZE };

		text = text ? text : "";
		append(&ranges, range, sizeof(range));
		append(&names, text, strlen(text) + 1);
		count++;
	}
	read_unlock(&as->lock);
	notes->failed |= ranges.failed || names.failed;
	begin(notes, NT_FILE, "CORE", 2 * sizeof(u64) + ranges.size + names.size);
	append(notes, (u64[]){ count, PAGE_SIZE }, 2 * sizeof(u64));
	append(notes, ranges.data, ranges.size);
	append(notes, names.data, names.size);
	end(notes);
	kvfree(ranges.data);
	kvfree(names.data);
	kfree(name);
}

static void registers_note(struct core_notes *notes, struct task *task, u32 type)
{
	size_t size = arch_regset_size(type);

	begin(notes, type, type == NT_PRFPREG ? "CORE" : "LINUX", size);
	void *at = append(notes, nullptr, size);

	if (at && arch_regset_get(&task->thread.base, type, at))
		notes->failed = true;
	end(notes);
}

/* All but NT_PRSTATUS. */
static void registers_notes(struct core_notes *notes, struct task *task)
{
	for (size_t i = 0; arch_core_regsets[i]; i++)
		registers_note(notes, task, arch_core_regsets[i]);
}

void core_notes_make(struct core_notes *notes, struct aspace *as, const siginfo_t *info)
{
	struct task *self = current_task();

	*notes = (struct core_notes){ 0 };
	status_note(notes, self, info->si_signo);
	process_note(notes, as);
	note(notes, NT_SIGINFO, info, sizeof(*info));
	note(notes, NT_AUXV, as->auxv, sizeof(as->auxv));
	files_note(notes, as);
	registers_notes(notes, self);
	for (struct task *t = process_next_task(self->process, 0); t;) {
		int next = t->tid + 1;

		if (t != self && READ_ONCE(t->parked)) {
			status_note(notes, t, info->si_signo);
			registers_notes(notes, t);
		}
		task_put(t);
		t = process_next_task(self->process, next);
	}
}
