/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V semaphores. The operations of a call are tried one after the other under the table's mutex; when one cannot
 * be done, those before it are taken back, and the caller sleeps until something about the set has changed.
 *
 * SEM_UNDO keeps for each process and set what must be added to each semaphore when the process ends.
 */
#include <ipc/sysv_priv.h>
#include <lib/errno.h>
#include <lib/list.h>
#include <mm/slab.h>
#include <obj/credentials.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>

#include <linux/stat.h>

struct semaphore {
	int value; /* 0..SEMVMX */
	int pid;   /* who changed it last */
	u32 waiting_for_more, waiting_for_zero;
};

struct undo {
	struct list_head node;	 /* in set->undos */
	struct process *process; /* not a reference: it removes its undos when it ends */
	int adjust[];		 /* one for each semaphore */
};

struct set {
	struct sysv_object base;
	struct list_head undos;
	struct sysv_waiters waiters;
	s64 operated, changed; /* times */
	unsigned count;
	struct semaphore semaphores[] __counted_by(count);
};

static struct sysv_table sets;

static struct set *set_of(struct sysv_object *object)
{
	return container_of(object, struct set, base);
}

static void set_put_locked(struct set *set) __must_hold(&sets.lock)
{
	struct undo *undo, *next;

	if (!sysv_put(&set->base))
		return;
	list_for_each_safe (undo, next, &set->undos, node)
		kfree(undo);
	kvfree(set);
}

static int create_locked(int key, int count, u32 flags) __must_hold(&sets.lock)
{
	struct set *set;
	int id;

	if (count < 1 || count > SEMMSL)
		return -EINVAL;
	if (sysv_slots(&sets)->total + (unsigned)count > SEMMNS)
		return -ENOSPC;
	set = kvmalloc(sizeof(*set) + (size_t)count * sizeof(struct semaphore), ALLOC_ZERO);
	if (!set)
		return -ENOMEM;
	set->count = (unsigned)count;
	list_init(&set->undos);
	wait_queue_init(&set->waiters.queue);
	set->changed = sysv_now();
	id = sysv_add_locked(&sets, &set->base, key, flags);
	if (id < 0)
		kvfree(set);
	else
		set->base.slots->total += (unsigned)count;
	return id;
}

int sem_get(int key, int count, u32 flags)
{
	struct sysv_object *found;

	if (count < 0 || count > SEMMSL)
		return -EINVAL;
	mutex_guard(&sets.lock);
	found = key == IPC_PRIVATE ? nullptr : sysv_find_key_locked(&sets, key);
	if (!found)
		return key == IPC_PRIVATE || (flags & IPC_CREAT) ? create_locked(key, count, flags)
								 : -ENOENT;
	if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
		return -EEXIST;
	if ((unsigned)count > set_of(found)->count)
		return -EINVAL;
	return sysv_reuse(found, flags);
}

/* The current process's undo entry of a set, made if there is none. */
static int undo_get_locked(struct set *set, struct undo **out) __must_hold(&sets.lock)
{
	struct process *process = current_process();
	struct undo *undo;

	list_for_each (undo, &set->undos, node) {
		if (undo->process == process) {
			*out = undo;
			return 0;
		}
	}
	undo = kzalloc(sizeof(*undo) + set->count * sizeof(int), 0);
	if (!undo)
		return -ENOMEM;
	undo->process = process;
	list_add(&set->undos, &undo->node);
	process->has_semaphore_undo = true;
	*out = undo;
	return 0;
}

struct attempt {
	const struct sembuf *operations;
	unsigned count;
	struct undo *undo; /* null: no operation has SEM_UNDO */
};

/* One operation: 0, -ERANGE, or 1 if it has to wait. */
static int operate_one(struct set *set, const struct sembuf *op, const struct undo *undo)
{
	struct semaphore *s = &set->semaphores[op->sem_num];
	int adjust = undo && (op->sem_flg & SEM_UNDO) ? undo->adjust[op->sem_num] - op->sem_op : 0;

	if (op->sem_op == 0)
		return s->value != 0;
	if (s->value + op->sem_op < 0)
		return 1;
	if (s->value + op->sem_op > SEMVMX || adjust < -SEMAEM - 1 || adjust > SEMAEM)
		return -ERANGE;
	s->value += op->sem_op;
	return 0;
}

/* All operations or none. 0, -ERANGE, or 1 with the one that has to wait in *blocking. */
static int attempt_locked(struct set *set, const struct attempt *a, const struct sembuf **blocking)
	__must_hold(&sets.lock)
{
	int result = 0;
	unsigned i;

	for (i = 0; i < a->count; i++) {
		result = operate_one(set, &a->operations[i], a->undo);
		if (result)
			break;
	}
	if (result) {
		*blocking = &a->operations[i];
		while (i-- > 0)
			set->semaphores[a->operations[i].sem_num].value -= a->operations[i].sem_op;
		return result;
	}
	for (i = 0; i < a->count; i++) {
		const struct sembuf *op = &a->operations[i];

		set->semaphores[op->sem_num].pid = current_process()->pid;
		if (op->sem_flg & SEM_UNDO)
			a->undo->adjust[op->sem_num] -= op->sem_op;
	}
	set->operated = sysv_now();
	return 0;
}

/* Drops the lock until the set has changed. The caller holds a reference. */
static int wait_for_change(struct set *set, const struct sembuf *op, u64 deadline_ns)
	__must_hold(&sets.lock)
{
	struct semaphore *s = &set->semaphores[op->sem_num];
	u32 *counter = op->sem_op ? &s->waiting_for_more : &s->waiting_for_zero;
	u32 seen = sysv_changes(&set->waiters);
	int error;

	++*counter;
	mutex_unlock(&sets.lock);
	error = sysv_wait(&set->base, &set->waiters, seen, deadline_ns);
	mutex_lock(&sets.lock);
	--*counter;
	if (error == -ETIMEDOUT)
		return -EAGAIN;
	return error == -ERESTARTSYS ? -EINTR : error; /* never restarted, semop(2) */
}

static int check_operations(const struct set *set, const struct sembuf *operations, unsigned count,
			    bool *undo)
{
	bool alters = false;

	*undo = false;
	for (unsigned i = 0; i < count; i++) {
		if (operations[i].sem_num >= set->count)
			return -EFBIG;
		alters = alters || operations[i].sem_op != 0;
		*undo = *undo || (operations[i].sem_flg & SEM_UNDO);
	}
	return sysv_permission(&set->base, alters ? S_IWUSR : S_IRUSR);
}

static int operate_locked(struct set *set, struct attempt *a, u64 deadline_ns)
	__must_hold(&sets.lock)
{
	const struct sembuf *blocking;
	bool undo;
	int result = check_operations(set, a->operations, a->count, &undo);

	if (!result && undo)
		result = undo_get_locked(set, &a->undo);
	while (!result) {
		result = attempt_locked(set, a, &blocking);
		if (result <= 0) {
			if (!result)
				sysv_changed(&set->waiters);
			return result;
		}
		result = blocking->sem_flg & IPC_NOWAIT
				 ? -EAGAIN
				 : wait_for_change(set, blocking, deadline_ns);
	}
	return result;
}

int sem_operate(int id, const struct sembuf *operations, unsigned count, u64 deadline_ns)
{
	struct attempt a = { .operations = operations, .count = count };
	struct sysv_object *object;
	int error;

	mutex_lock(&sets.lock);
	error = sysv_find_locked(&sets, id, &object);
	if (!error) {
		__atomic_fetch_add(&object->refs, 1, __ATOMIC_RELAXED);
		error = operate_locked(set_of(object), &a, deadline_ns);
		set_put_locked(set_of(object));
	}
	mutex_unlock(&sets.lock);
	return error;
}

int sem_stat(int id, int command, struct semid64_ds *out)
{
	struct sysv_object *object;
	int error;

	mutex_guard(&sets.lock);
	error = sysv_find_to_stat_locked(&sets, id, command, SEM_STAT_ANY, &object);
	if (error)
		return error;
	*out = (struct semid64_ds){ .sem_otime = set_of(object)->operated,
				    .sem_ctime = set_of(object)->changed,
				    .sem_nsems = set_of(object)->count };
	sysv_permissions_to(object, &out->sem_perm);
	return command == IPC_STAT ? 0 : object->id;
}

int sem_set(int id, const struct semid64_ds *from)
{
	struct sysv_object *object;
	int error;

	mutex_guard(&sets.lock);
	error = sysv_find_owned_locked(&sets, id, &object);
	if (error)
		return error;
	sysv_permissions_from(object, &from->sem_perm);
	set_of(object)->changed = sysv_now();
	return 0;
}

/* Takes a set out; the lock is held. */
static void discard(struct sysv_object *object) __no_lock_analysis
{
	struct set *set = set_of(object);

	object->slots->total -= set->count;
	sysv_take_out_locked(&sets, object);
	sysv_changed(&set->waiters);
	set_put_locked(set);
}

int sem_remove(int id)
{
	struct sysv_object *object;
	int error;

	mutex_guard(&sets.lock);
	error = sysv_find_owned_locked(&sets, id, &object);
	if (error)
		return error;
	discard(object);
	return 0;
}

static int open_locked(int id, u32 permission, struct set **out) __must_hold(&sets.lock)
{
	struct sysv_object *object;
	int error = sysv_find_permitted_locked(&sets, id, permission, &object);
	if (!error)
		*out = set_of(object);
	return error;
}

int sem_query(int id, int index, int command)
{
	const struct semaphore *s;
	struct set *set;
	int error;

	mutex_guard(&sets.lock);
	error = open_locked(id, S_IRUSR, &set);
	if (error)
		return error;
	if (index < 0 || (unsigned)index >= set->count)
		return -EINVAL;
	s = &set->semaphores[index];
	switch (command) {
	case GETVAL:
		return s->value;
	case GETPID:
		return pid_to_user(s->pid);
	case GETNCNT:
		return (int)s->waiting_for_more;
	case GETZCNT:
		return (int)s->waiting_for_zero;
	default:
		return -EINVAL;
	}
}

/* Sets one value; what processes were to undo there is forgotten. */
static void set_value_locked(struct set *set, unsigned index, int value) __must_hold(&sets.lock)
{
	struct undo *undo;

	list_for_each (undo, &set->undos, node)
		undo->adjust[index] = 0;
	set->semaphores[index].value = value;
	set->semaphores[index].pid = current_process()->pid;
}

int sem_set_value(int id, int index, int value)
{
	struct set *set;
	int error;

	if (value < 0 || value > SEMVMX)
		return -ERANGE;
	mutex_guard(&sets.lock);
	error = open_locked(id, S_IWUSR, &set);
	if (error)
		return error;
	if (index < 0 || (unsigned)index >= set->count)
		return -EINVAL;
	set_value_locked(set, (unsigned)index, value);
	set->changed = sysv_now();
	sysv_changed(&set->waiters);
	return 0;
}

int sem_count(int id)
{
	struct sysv_object *object;
	int error;

	mutex_guard(&sets.lock);
	error = sysv_find_locked(&sets, id, &object);
	return error ? error : (int)set_of(object)->count;
}

int sem_get_all(int id, u16 *values, unsigned room)
{
	struct set *set;
	int error;

	mutex_guard(&sets.lock);
	error = open_locked(id, S_IRUSR, &set);
	if (error)
		return error;
	if (set->count > room)
		return -E2BIG;
	for (unsigned i = 0; i < set->count; i++)
		values[i] = (u16)set->semaphores[i].value;
	return (int)set->count;
}

int sem_set_all(int id, const u16 *values, unsigned count)
{
	struct set *set;
	int error;

	for (unsigned i = 0; i < count; i++)
		if (values[i] > SEMVMX)
			return -ERANGE;
	mutex_guard(&sets.lock);
	error = open_locked(id, S_IWUSR, &set);
	if (error)
		return error;
	if (set->count != count)
		return -EIDRM; /* another set took its place meanwhile */
	for (unsigned i = 0; i < count; i++)
		set_value_locked(set, i, values[i]);
	set->changed = sysv_now();
	sysv_changed(&set->waiters);
	return 0;
}

int sem_limits(int command, struct seminfo *out)
{
	mutex_guard(&sets.lock);
	*out = (struct seminfo){ .semmap = SEMMAP,
				 .semmni = SEMMNI,
				 .semmns = SEMMNS,
				 .semmnu = SEMMNU,
				 .semmsl = SEMMSL,
				 .semopm = SEMOPM,
				 .semume = SEMUME,
				 .semusz = SEMUSZ,
				 .semvmx = SEMVMX,
				 .semaem = SEMAEM };
	if (command == SEM_INFO) {
		out->semusz = (int)sysv_slots(&sets)->used;
		out->semaem = (int)sysv_slots(&sets)->total;
	}
	return sysv_highest_locked(&sets);
}

static void undo_apply_locked(struct set *set, struct undo *undo) __must_hold(&sets.lock)
{
	for (unsigned i = 0; i < set->count; i++) {
		struct semaphore *s = &set->semaphores[i];

		if (!undo->adjust[i])
			continue;
		s->value = MIN(MAX(s->value + undo->adjust[i], 0), SEMVMX);
		s->pid = undo->process->pid;
	}
	list_remove(&undo->node);
	kfree(undo);
	sysv_changed(&set->waiters);
}

void sem_exit(struct process *process)
{
	struct sysv_slots *slots;

	if (!process->has_semaphore_undo)
		return;
	mutex_guard(&sets.lock);
	slots = sysv_slots(&sets);
	for (unsigned i = 0; i < slots->size; i++) {
		struct undo *undo, *next;
		struct set *set;

		if (!slots->objects[i])
			continue;
		set = set_of(slots->objects[i]);
		list_for_each_safe (undo, next, &set->undos, node)
			if (undo->process == process)
				undo_apply_locked(set, undo);
	}
}

void sem_init(void)
{
	sysv_table_init(&sets, SYSV_SETS, SEMMNI, discard);
}
