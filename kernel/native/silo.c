/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Native calls on silos: abi/native/cairn/silo.h. */
#include <fs/proc/proc.h>
#include <ipc/channel_label.h>
#include <lib/string.h>
#include <mm/budget.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <native/native.h>
#include <proc/pid_namespace.h>
#include <proc/silo.h>
#include <proc/uts.h>
#include <vfs/mount_namespace.h>
#include <vfs/vfs.h>

#include <cairn/handle.h>

#include <cairn/silo.h>
#include <linux/eventpoll.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <syscall_prototypes.h>

_Static_assert(sizeof(struct cairn_silo_event) == 48 && sizeof(struct cairn_silo_info) == 80);

#define KEEP_MAX 256u
#define CPU_WEIGHT_MAX 10240u

static int silo_get(int fd, u32 rights, struct silo **out)
{
	struct object *object;
	int error = handle_get(current_pool(), fd, &silo_type, rights, &object);

	if (!error)
		*out = silo_of(object);
	return error;
}

long sys_silo_create(unsigned flags)
{
	struct silo *silo;
	u32 slot_flags;
	int result;

	if (native_handle_flags(flags, &slot_flags))
		return -EINVAL;
	result = silo_create(current_process()->charge.budget, false, UINT64_MAX, &silo);
	if (result)
		return result;
	result = handle_install(current_pool(), &silo->object, silo_type.default_rights, slot_flags,
				0, handle_limit());
	object_put(&silo->object);
	return result;
}

/* Where a handle stands, with references; a member of a silo offers only what it could walk to itself. */
static int place_of(int fd, struct path *out)
{
	struct file *file;
	int error = file_from_handle(current_pool(), fd, 0, &file);

	if (error)
		return error;
	error = file_path(file, out);
	file_put(file);
	if (error)
		return error;
	error = path_check_confined(out);
	if (error)
		path_put(out);
	return error;
}

static int set_root(struct silo *silo, u64 value)
{
	struct mount_namespace *mounts;
	struct path root;
	int error = value > INT32_MAX ? -EBADF : place_of((int)value, &root);

	if (error)
		return error;
	error = S_ISDIR(root.dentry->inode->mode) ? mount_namespace_create(&root, &mounts)
						  : -ENOTDIR;
	path_put(&root);
	return error ? error : silo_set_mounts(silo, &mounts->base);
}

static int set_host_name(struct silo *silo, const char __user *user)
{
	struct uts_namespace *uts = (struct uts_namespace *)silo->names->of[NAMESPACE_UTS];
	char name[__NEW_UTS_LEN + 1];
	ssize_t length = copy_string_from_user(name, user, sizeof(name));

	return length < 0 ? (int)length : uts_name_set_in(uts, UTS_HOST_NAME, name, (size_t)length);
}

static int set_cpu_quota(struct silo *silo, u64 value)
{
	u64 time, period;
	int error = native_cpu_time(value, &time, &period);

	if (!error)
		sched_group_set_quota(&silo->cpu, time, period);
	return error;
}

/* What can be changed while it runs. */
static bool is_limit(unsigned what)
{
	return what != CAIRN_SILO_ROOT && what != CAIRN_SILO_CAPABILITIES &&
	       what != CAIRN_SILO_ALLOW;
}

static int configure(struct silo *silo, unsigned what, u64 value)
{
	if (!is_limit(what) && READ_ONCE(silo->entered))
		return -EBUSY;
	switch (what) {
	case CAIRN_SILO_ROOT:
		return set_root(silo, value);
	case CAIRN_SILO_MEMORY:
		return memory_budget_set_limit(silo->budget, value);
	case CAIRN_SILO_TASKS:
		if (value > UINT32_MAX)
			return -EINVAL;
		WRITE_ONCE(silo->task_limit, (u32)value);
		return 0;
	case CAIRN_SILO_CAPABILITIES:
		if (value & ~silo->capabilities)
			return -EPERM;
		silo->capabilities = value;
		return 0;
	case CAIRN_SILO_HANDLES:
		WRITE_ONCE(silo->handle_limit, (u32)MIN(value, (u64)UINT32_MAX));
		return 0;
	case CAIRN_SILO_CPU_WEIGHT:
		if (!value || value > CPU_WEIGHT_MAX)
			return -EINVAL;
		WRITE_ONCE(silo->cpu.weight, (u32)value);
		return 0;
	case CAIRN_SILO_CPU_QUOTA:
		return set_cpu_quota(silo, value);
	case CAIRN_SILO_INTEGRITY:
		return silo_lower_integrity(silo, value);
	case CAIRN_SILO_HOST_NAME:
		return set_host_name(silo, __force_user(const char __user *, value));
	case CAIRN_SILO_ALLOW:
		if (value & ~(u64)(CAIRN_SILO_ALLOW_NETWORK | CAIRN_SILO_ALLOW_UNIX))
			return -EINVAL;
		if (silo->parent && value & ~(u64)silo->parent->allow)
			return -EPERM;
		silo->allow = (u32)value;
		return 0;
	default:
		return -EINVAL;
	}
}

long sys_silo_configure(int fd, unsigned what, u64 value)
{
	struct silo *silo;
	int error = silo_get(fd, RIGHT_WRITE, &silo);

	if (error)
		return error;
	error = configure(silo, what, value);
	object_put(&silo->object);
	return error;
}

long sys_silo_allow_network(int fd, const struct cairn_silo_network_rule __user *user)
{
	struct cairn_silo_network_rule rule;
	struct silo *silo;
	int error;

	if (copy_from_user(&rule, user, sizeof(rule)))
		return -EFAULT;
	if (rule.prefix > 128 || !rule.operations || rule.zero ||
	    rule.operations & ~(CAIRN_SILO_NETWORK_BIND | CAIRN_SILO_NETWORK_CONNECT) ||
	    rule.first_port > rule.last_port)
		return -EINVAL;
	error = silo_get(fd, RIGHT_WRITE, &silo);
	if (error)
		return error;
	error = silo_add_rule(silo, &rule);
	object_put(&silo->object);
	return error;
}

/* --- schemes --- */

#define SCHEME_RIGHTS (CAIRN_RIGHT_READ | CAIRN_RIGHT_WRITE | CAIRN_RIGHT_EXECUTE)

/* Devices are files that are handed one by one; those in a directory are not for the silo. */
static u64 mount_flags(u32 rights, bool device)
{
	return MS_NOSUID | (device ? 0 : MS_NODEV) | (rights & CAIRN_RIGHT_WRITE ? 0 : MS_RDONLY) |
	       (rights & CAIRN_RIGHT_EXECUTE ? 0 : MS_NOEXEC);
}

static int add_handle(struct mount_namespace *mounts, const char *where, int fd, u32 rights)
{
	struct path path;
	u32 mode;
	int error = place_of(fd, &path);

	if (error)
		return error;
	mode = path.dentry->inode->mode;
	error = mount_namespace_add(mounts, where, &path,
				    mount_flags(rights, S_ISCHR(mode) || S_ISBLK(mode)));
	path_put(&path);
	return error;
}

int native_create_memory(const char *options, struct superblock **out)
{
	struct file_system_type *type = file_system_first();

	while (type && strcmp(type->name, "tmpfs") != 0)
		type = type->next;
	return type ? type->mount(type, "tmpfs", 0, options, out) : -ENODEV;
}

static int add_scheme(struct silo *silo, const char *where, int source, u32 rights)
{
	struct mount_namespace *mounts = (struct mount_namespace *)silo->names->of[NAMESPACE_MOUNT];
	struct superblock *sb;
	int error;

	if (!READ_ONCE(silo->has_root))
		return -EINVAL;
	if (source >= 0)
		return add_handle(mounts, where, source, rights);
	if (source == CAIRN_SCHEME_PROC)
		error = proc_superblock_create(namespaces_pid(silo->names), &sb);
	else
		error = source == CAIRN_SCHEME_MEMORY ? native_create_memory(nullptr, &sb)
						      : -EINVAL;
	if (error)
		return error;
	error = mount_namespace_add_new(mounts, where, sb, mount_flags(rights, false));
	superblock_put(sb);
	return error;
}

long sys_silo_mount(int fd, const char __user *user, int source, unsigned rights)
{
	struct silo *silo;
	char *where;
	int error;

	if (rights & ~SCHEME_RIGHTS)
		return -EINVAL;
	error = copy_path_from_user(user, &where);
	if (error)
		return error;
	error = silo_get(fd, RIGHT_WRITE, &silo);
	if (!error) {
		error = add_scheme(silo, where, source, rights);
		object_put(&silo->object);
	}
	kfree(where);
	return error;
}

/* --- entering --- */

static bool listed(const int *keep, unsigned count, int fd)
{
	for (unsigned i = 0; i < count; i++)
		if (keep[i] == fd)
			return true;
	return false;
}

/* A directory would be a way out: from it one could walk anywhere. A channel above the silo would be one up. */
static int check_kept(const struct silo *silo, const int *keep, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct object *object;
		int error = handle_get(current_pool(), keep[i], nullptr, 0, &object);

		if (error)
			return error;
		if (object->type == &file_type && S_ISDIR(file_of(object)->inode->mode))
			error = -EISDIR;
		else if (channel_label_of(object) > silo_integrity(silo))
			error = -EPERM;
		object_put(object);
		if (error)
			return error;
	}
	return 0;
}

static void close_others(const int *keep, unsigned count)
{
	struct pool *pool = current_pool();

	for (int fd = pool_next(pool, 0); fd >= 0; fd = pool_next(pool, fd + 1))
		if (!listed(keep, count, fd))
			(void)handle_close(pool, fd);
}

static int confine_credentials(const struct silo *silo)
{
	u64 mask = silo->capabilities;
	struct credentials *c;
	int error = credentials_copy(current_credentials(), &c);

	if (error)
		return error;
	c->capabilities_permitted &= mask;
	c->capabilities_effective &= mask;
	c->capabilities_inheritable &= mask;
	c->capabilities_bounding &= mask;
	c->capabilities_ambient &= mask;
	task_set_credentials(c);
	return 0;
}

/* RLIMIT_NOFILE, which nobody inside has the privilege to raise. */
static void confine_handles(const struct silo *silo)
{
	struct rlimit64 *limit = &current_process()->limits[RLIMIT_NOFILE];
	u64 most = READ_ONCE(silo->handle_limit);

	limit->rlim_max = MIN(limit->rlim_max, most);
	limit->rlim_cur = MIN(limit->rlim_cur, most);
}

static int enter(struct silo *silo, const int *keep, unsigned count)
{
	struct path root;
	int error;

	if (!READ_ONCE(silo->has_root))
		return -EINVAL;
	/* A program with a privilege by its file must not be led astray by what a silo shows it. */
	if (!current_task()->no_new_privs && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	error = check_kept(silo, keep, count);
	if (!error)
		error = task_unshare(CLONE_FS | CLONE_FILES);
	if (!error)
		error = silo_join(silo);
	if (!error)
		error = confine_credentials(silo);
	if (error)
		return error;
	mount_namespace_root(current_mount_namespace(), &root);
	fs_context_set_root(current_fs(), &root);
	fs_context_set_working_directory(current_fs(), &root);
	path_put(&root);
	close_others(keep, count);
	confine_handles(silo);
	return 0;
}

long sys_silo_enter(int fd, const int __user *user, unsigned count)
{
	int keep[KEEP_MAX];
	struct silo *silo;
	int error;

	if (count > KEEP_MAX)
		return -EINVAL;
	if (copy_from_user(keep, user, count * sizeof(keep[0])))
		return -EFAULT;
	error = silo_get(fd, RIGHT_EXECUTE, &silo);
	if (error)
		return error;
	error = enter(silo, keep, count);
	object_put(&silo->object);
	return error;
}

/* --- watching and ending --- */

long sys_silo_control(int fd, unsigned operation)
{
	struct silo *silo;
	int error = silo_get(fd, RIGHT_CONTROL, &silo);

	if (error)
		return error;
	switch (operation) {
	case CAIRN_SILO_PAUSE:
	case CAIRN_SILO_RESUME:
		WRITE_ONCE(silo->paused, operation == CAIRN_SILO_PAUSE);
		silo_signal(silo, operation == CAIRN_SILO_PAUSE ? SIGSTOP : SIGCONT);
		break;
	case CAIRN_SILO_KILL:
		error = silo_kill(silo);
		break;
	default:
		error = -EINVAL;
	}
	object_put(&silo->object);
	return error == -ERESTARTSYS ? -EINTR : error;
}

static u32 silo_state(const struct silo *silo)
{
	if (READ_ONCE(silo->killed))
		return CAIRN_SILO_STATE_KILLED;
	if (!READ_ONCE(silo->entered))
		return CAIRN_SILO_STATE_NEW;
	if (!READ_ONCE(silo->tasks))
		return CAIRN_SILO_STATE_STOPPED;
	return READ_ONCE(silo->paused) ? CAIRN_SILO_STATE_PAUSED : CAIRN_SILO_STATE_RUNNING;
}

long sys_silo_inspect(int fd, struct cairn_silo_info __user *out, size_t size)
{
	struct cairn_silo_info info;
	struct silo *silo;
	int error = size < sizeof(info) ? -EINVAL : silo_get(fd, RIGHT_INSPECT, &silo);

	if (error)
		return error;
	info = (struct cairn_silo_info){
		.memory_used = READ_ONCE(silo->budget->used),
		.memory_peak = READ_ONCE(silo->budget->peak),
		.memory_limit = READ_ONCE(silo->budget->limit),
		.tasks = READ_ONCE(silo->tasks),
		.task_limit = READ_ONCE(silo->task_limit),
		.capabilities = silo->capabilities,
		.allow = silo->allow,
		.state = silo_state(silo),
		.denied = READ_ONCE(silo->denied),
		.cpu_ns = READ_ONCE(silo->cpu.total_ns),
		.throttled = READ_ONCE(silo->cpu.throttled),
		.integrity = silo_integrity(silo),
		.handles = silo_handles(silo),
	};
	object_put(&silo->object);
	return copy_to_user(out, &info, sizeof(info)) ? -EFAULT : 0;
}

static int next_event(struct silo *silo, struct silo_event *event, u64 *lost, unsigned flags)
{
	for (;;) {
		int error = silo_event_take(silo, event, lost);

		if (error != -EAGAIN || flags & CAIRN_SILO_NONBLOCK)
			return error;
		error = object_wait(&silo->object, EPOLLIN, NO_DEADLINE);
		if (error)
			return error;
	}
}

long sys_silo_event(int fd, struct cairn_silo_event __user *user, unsigned flags)
{
	struct cairn_silo_event out = {};
	struct silo_event event;
	struct silo *silo;
	u64 lost = 0;
	int error = flags & ~CAIRN_SILO_NONBLOCK ? -EINVAL : silo_get(fd, RIGHT_READ, &silo);

	if (error)
		return error;
	error = next_event(silo, &event, &lost, flags);
	object_put(&silo->object);
	if (error)
		return error;
	out.lost = lost;
	out.time_ns = event.time_ns;
	out.kind = event.kind;
	out.pid = pid_to_user(event.pid);
	out.value = event.value;
	memcpy(out.name, event.name, sizeof(out.name));
	return copy_to_user(user, &out, sizeof(out)) ? -EFAULT : 0;
}
