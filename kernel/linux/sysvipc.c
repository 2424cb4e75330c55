/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System V IPC: shmget(2), shmop(2), shmctl(2), semget(2), semop(2), semctl(2), msgget(2), msgop(2), msgctl(2). */
#include <ipc/sysv.h>
#include <lib/errno.h>
#include <linux/descriptor.h>
#include <mm/slab.h>
#include <mm/ucopy.h>

#include <syscall_prototypes.h>

/* Copies a result out unless the call failed, whose result it returns. */
#define RESULT_OUT(result, user, value)                                                            \
	({                                                                                         \
		long result_ = (result);                                                           \
		result_ >= 0 && copy_to_user((user), &(value), sizeof(value)) ? -EFAULT : result_; \
	})

long sys_shmget(int key, size_t size, unsigned flags)
{
	return shm_get(key, size, flags);
}

long sys_shmat(int id, unsigned long address, unsigned flags)
{
	vaddr_t where;
	int error = shm_attach(id, address, flags, &where);

	return error ? error : (long)where;
}

long sys_shmdt(unsigned long address)
{
	return shm_detach(address);
}

long sys_shmctl(int id, int command, void __user *buf)
{
	struct shminfo64 limits;
	struct shm_info usage;
	struct shmid64_ds ds;

	switch (command & ~IPC_64) {
	case IPC_INFO:
		return RESULT_OUT(shm_limits(&limits), buf, limits);
	case SHM_INFO:
		return RESULT_OUT(shm_usage(&usage), buf, usage);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return RESULT_OUT(shm_stat(id, command & ~IPC_64, &ds), buf, ds);
	case IPC_SET:
		return copy_from_user(&ds, buf, sizeof(ds)) ? -EFAULT : shm_set(id, &ds);
	case IPC_RMID:
		return shm_remove(id);
	case SHM_LOCK: /* nothing is swapped */
	case SHM_UNLOCK:
		return shm_lock_check(id);
	default:
		return -EINVAL;
	}
}

long sys_semget(int key, int count, unsigned flags)
{
	return sem_get(key, count, flags);
}

static long do_semop(int id, const struct sembuf __user *user, unsigned count, u64 deadline_ns)
{
	struct sembuf *operations;
	long result = -EFAULT;

	if (count < 1)
		return -EINVAL;
	if (count > SEMOPM)
		return -E2BIG;
	operations = kmalloc(count * sizeof(*operations), 0);
	if (!operations)
		return -ENOMEM;
	if (!copy_from_user(operations, user, count * sizeof(*operations)))
		result = sem_operate(id, operations, count, deadline_ns);
	kfree(operations);
	return result;
}

long sys_semop(int id, const struct sembuf __user *operations, unsigned count)
{
	return do_semop(id, operations, count, NO_DEADLINE);
}

long sys_semtimedop(int id, const struct sembuf __user *operations, unsigned count,
		    const struct __kernel_timespec __user *timeout)
{
	u64 span;
	int error = timeout_from_user(timeout, &span);

	return error ? error : do_semop(id, operations, count, deadline_after(span));
}

static long all_values(int id, int command, u16 __user *user)
{
	int count = sem_count(id);
	size_t bytes = (size_t)count * sizeof(u16);
	long result;
	u16 *values;

	if (count < 0)
		return count;
	values = kvmalloc(bytes, 0);
	if (!values)
		return -ENOMEM;
	if (command == GETALL) {
		result = sem_get_all(id, values, (unsigned)count);
		if (result >= 0)
			result = copy_to_user(user, values, bytes);
	} else {
		result = copy_from_user(values, user, bytes);
		if (!result)
			result = sem_set_all(id, values, (unsigned)count);
	}
	kvfree(values);
	return result;
}

long sys_semctl(int id, int index, int command, unsigned long argument)
{
	void __user *user = __force_user(void __user *, argument);
	struct seminfo limits;
	struct semid64_ds ds;

	command &= ~IPC_64;
	switch (command) {
	case IPC_INFO:
	case SEM_INFO:
		return RESULT_OUT(sem_limits(command, &limits), user, limits);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return RESULT_OUT(sem_stat(id, command, &ds), user, ds);
	case IPC_SET:
		return copy_from_user(&ds, user, sizeof(ds)) ? -EFAULT : sem_set(id, &ds);
	case IPC_RMID:
		return sem_remove(id);
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
		return sem_query(id, index, command);
	case SETVAL:
		return sem_set_value(id, index, (int)argument);
	case GETALL:
	case SETALL:
		return all_values(id, command, user);
	default:
		return -EINVAL;
	}
}

long sys_msgget(int key, unsigned flags)
{
	return msg_get(key, flags);
}

/* struct msgbuf: the type, then the text. */
long sys_msgsnd(int id, void __user *message, size_t size, unsigned flags)
{
	long type, result = -EFAULT;
	void *text;

	if (size > READ_ONCE(msg_size_max))
		return -EINVAL;
	if (copy_from_user(&type, message, sizeof(type)))
		return -EFAULT;
	text = kmalloc(size, 0);
	if (!text)
		return -ENOMEM;
	if (!copy_from_user(text, message + sizeof(type), size))
		result = msg_send(id, type, text, size, flags);
	if (result)
		kfree(text);
	return result;
}

long sys_msgrcv(int id, void __user *message, size_t size, long type, unsigned flags)
{
	void *text;
	long got_type;
	ssize_t length;

	if ((ssize_t)size < 0)
		return -EINVAL;
	length = msg_receive(id, type, size, flags, &got_type, &text);
	if (length < 0)
		return length;
	length = MIN(length, (ssize_t)size);
	if (copy_to_user(message, &got_type, sizeof(got_type)) ||
	    copy_to_user(message + sizeof(got_type), text, (size_t)length))
		length = -EFAULT;
	kfree(text);
	return length;
}

long sys_msgctl(int id, int command, void __user *buf)
{
	struct msginfo limits;
	struct msqid64_ds ds;

	command &= ~IPC_64;
	switch (command) {
	case IPC_INFO:
	case MSG_INFO:
		return RESULT_OUT(msg_limits(command, &limits), buf, limits);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return RESULT_OUT(msg_stat(id, command, &ds), buf, ds);
	case IPC_SET:
		return copy_from_user(&ds, buf, sizeof(ds)) ? -EFAULT : msg_set(id, &ds);
	case IPC_RMID:
		return msg_remove(id);
	default:
		return -EINVAL;
	}
}
