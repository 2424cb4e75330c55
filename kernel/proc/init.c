/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first process: what it is made of, and which program it becomes. */
#include <core/command_line.h>
#include <core/log.h>
#include <core/panic.h>
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <obj/file.h>
#include <proc/exec_priv.h>
#include <proc/pid_namespace.h>
#include <proc/proc_priv.h>

#include <linux/fcntl.h>

static const char *init_program, *ramdisk_program = "/init";

static int set_init(const char *value)
{
	init_program = value;
	return 0;
}
static int set_rdinit(const char *value)
{
	ramdisk_program = value;
	return 0;
}
KERNEL_PARAMETER("init=", set_init);
KERNEL_PARAMETER("rdinit=", set_rdinit);

/* The limits that Linux gives to its first process. */
static void set_limits(struct process *process)
{
	struct frame_stats stats;
	u64 tasks;

	frame_stats(&stats);
	tasks = stats.total * PAGE_SIZE / (16 * KSTACK_SIZE);
	for (unsigned i = 0; i < RLIM_NLIMITS; i++)
		process->limits[i] = (struct rlimit64){ RLIM64_INFINITY, RLIM64_INFINITY };
	process->limits[RLIMIT_STACK].rlim_cur = 8ul << 20;
	process->limits[RLIMIT_CORE].rlim_cur = 0;
	process->limits[RLIMIT_NPROC] = (struct rlimit64){ tasks, tasks };
	process->limits[RLIMIT_NOFILE] = (struct rlimit64){ 1024, 4096 };
	process->limits[RLIMIT_MEMLOCK] = (struct rlimit64){ 8ul << 20, 8ul << 20 };
	process->limits[RLIMIT_SIGPENDING] = (struct rlimit64){ tasks, tasks };
	process->limits[RLIMIT_MSGQUEUE] = (struct rlimit64){ 819200, 819200 };
	process->limits[RLIMIT_NICE] = (struct rlimit64){ 0, 0 };
	process->limits[RLIMIT_RTPRIO] = (struct rlimit64){ 0, 0 };
}

static void open_console(struct task *task)
{
	struct file *file;
	int err = proc_hooks.open("/dev/console", O_RDWR | O_NOCTTY, false, &file);

	if (err) {
		log_warning("Warning: unable to open an initial console (error %d).", err);
		return;
	}
	for (int i = 0; i < 3; i++)
		if (handle_install(task->pool, &file->object, file_rights(O_RDWR), 0, 0, 3) != i)
			panic("no memory for the first process");
	file_put(file);
}

static int try_program(const char *path)
{
	const char *argv[ARRAY_SIZE(init_arguments) + 1] = { path };
	struct exec_request req = { .path = path,
				    .kernel_argv = argv,
				    .kernel_envp = init_environment };
	int err;

	for (unsigned i = 0; init_arguments[i]; i++)
		argv[i + 1] = init_arguments[i];
	err = proc_hooks.open(path, O_RDONLY, true, &req.file);
	if (err)
		return err;
	log_info("Run %s as init process", path);
	err = task_exec(&req);
	file_put(req.file);
	return err;
}

static const char *reason(int err)
{
	switch (err) {
	case -ENOENT:
		return "no such file";
	case -EACCES:
		return "not an executable file, or permission denied";
	case -ENOEXEC:
		return "not a program for this machine";
	case -ELIBBAD:
		return "its interpreter is damaged or of another machine";
	case -ENOMEM:
		return "not enough memory";
	case -ENOTDIR:
		return "part of the path is not a directory";
	case -EIO:
		return "the file cannot be read";
	case -ELOOP:
		return "too many symbolic links or interpreters";
	default:
		return "see the error number";
	}
}

static bool run(const char *path)
{
	int err = try_program(path);

	if (err && signal_fatal_pending())
		task_exit(current_process()->group_exit_code);
	if (err)
		log_error("Cannot run %s as init: %s (error %d)", path, reason(err), err);
	return !err;
}

/* There is an initramfs with a first program; else the root file system is on a disk. */
static bool has_ramdisk_program(void)
{
	struct file *file;
	int err = proc_hooks.open(ramdisk_program, O_RDONLY, false, &file);

	if (!err)
		file_put(file);
	return !err;
}

/* Becomes the first program that there is, in Linux's order. */
static void choose_program(bool from_ramdisk)
{
	static const char *const usual[] = { "/sbin/init", "/etc/init", "/bin/init", "/bin/sh" };

	if (from_ramdisk && run(ramdisk_program))
		return;
	if (init_program) {
		if (run(init_program))
			return;
		panic("Requested init %s failed.", init_program);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(usual); i++)
		if (run(usual[i]))
			return;
	panic("No working init found.  Try passing init= option to kernel.");
}

static void init_main(void *arg)
{
	bool from_ramdisk = has_ramdisk_program();

	if (!from_ramdisk)
		proc_hooks.mount_root();
	open_console(arg);
	choose_program(from_ramdisk);
	arch_enter_user();
}

static void must(int err)
{
	if (err)
		panic("no memory for the first process (error %d)", err);
}

static void make_process(struct task *task)
{
	struct process_group *group;
	struct session *session;
	struct process *process;

	must(process_create(nullptr, &process));
	task->process = process;
	init_process = process;
	namespace_get(&initial_pid_namespace.base);
	process->pid_namespace = &initial_pid_namespace;
	process->exit_signal = SIGCHLD;
	process->unkillable = true;
	set_limits(process);
	must(signal_actions_create(nullptr, &process->actions));
	/* As on Linux, process 1 begins in no group and session of its own: number 0, which names nothing. */
	must(session_create(0, &session));
	must(process_group_create(0, session, &group));
	session_put(session);
	process->group = group;
	list_add_tail(&group->members, &process->group_node);
}

void init_start(void)
{
	irqflags_t flags;
	struct task *task;
	int tid;

	must(task_create(nullptr, &task));
	make_process(task);
	credentials_get(&kernel_credentials);
	task->credentials = &kernel_credentials;
	must(user_account_get(0, &task->account));
	task->account->tasks++;
	must(pool_create(nullptr, &task->pool));
	must(proc_hooks.fs_copy(nullptr, &task->fs));
	namespaces_get(&initial_namespaces);
	task->namespaces = &initial_namespaces;
	must(thread_init(&task->thread, "init", init_main, task, task_release));
	task->thread.user = true;
	trace_update_work(task);
	ASSERT(task_count_add());
	flags = spin_lock_irqsave(&process_table_lock);
	tid = pid_allocate(1);
	ASSERT(tid == 1);
	task_publish_locked(task, tid);
	spin_unlock_irqrestore(&process_table_lock, flags);
	thread_start(&task->thread);
	thread_exit();
}
