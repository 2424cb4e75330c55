/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V IPC (sysvipc(7)): shared memory segments, semaphore sets, message queues. Each kind has a table from identifiers to
 * objects. Calls take and fill the structures of the uapi in kernel memory; copying them is the caller's business.
 * Errors are those of the manual pages of the calls that the functions are named after.
 */
#pragma once

#include <core/lock.h>
#include <lib/types.h>
#include <proc/namespaces.h>

#include <linux/msg.h>
#include <linux/sem.h>
#include <linux/shm.h>

struct aspace;
struct mount;
struct process;

/* What every object has. All of it but `refs`, which is atomic, is guarded by the lock of its table. */
struct sysv_object {
	int key, id;
	u32 uid, gid, cuid, cgid;
	u32 mode;
	u32 refs;		  /* the table, and calls that sleep; see sysv_get */
	bool removed;		  /* not in the table any more */
	struct sysv_slots *slots; /* where it is entered; null once it is removed */
};

enum sysv_kind { SYSV_SEGMENTS, SYSV_SETS, SYSV_QUEUES, SYSV_KINDS };

/* The objects of one kind in one name space; guarded by the lock of the kind. */
struct sysv_slots {
	struct sysv_object **objects;
	unsigned size, used;
	unsigned sequence;
	unsigned total; /* semaphores in all sets */
	int next_id; /* one more than what the next object is to be called, once; 0: whatever is free */
};

/* A name space of System V identifiers (ipc_namespaces(7)). */
struct ipc_namespace {
	struct namespace base;
	struct sysv_slots sysv[SYSV_KINDS];
	/* Of its POSIX message queues (fs/mqueue); holds a reference; null until used. */
	struct mount *mqueue;
};
/* Set by fs/mqueue at boot: lets go of that mount. May sleep. */
extern void (*ipc_mqueue_end_hook)(struct mount *mount);

static inline struct ipc_namespace *current_ipc(void)
{
	return (struct ipc_namespace *)current_namespaces()->of[NAMESPACE_IPC];
}

/* A kind of object: one lock for all name spaces. */
struct sysv_table {
	struct mutex lock; /* RANK_SYSV */
	enum sysv_kind kind;
	unsigned limit;
	/* Takes an object out for good, because its name space ends. The lock is held; it may be dropped and taken again. */
	void (*discard)(struct sysv_object *object);
};

/* kernel.{shm,sem,msg}_next_id: the identifier that the next object of the name space shall have, if its slot is free; -1: any. */
int sysv_next_id(enum sysv_kind kind);
void sysv_next_id_set(enum sysv_kind kind, int id);

/* Boot, after slab_init. */
void sysv_init(void);

/* Shared memory, shmop(2), shmctl(2). shm_stat returns the identifier for SHM_STAT, the highest index for the INFO commands. */
[[nodiscard]] int shm_get(int key, size_t size, u32 flags);
[[nodiscard]] int shm_attach(int id, vaddr_t address, u32 flags, vaddr_t *out);
[[nodiscard]] int shm_detach(vaddr_t address);
[[nodiscard]] int shm_stat(int id, int command, struct shmid64_ds *out);
[[nodiscard]] int shm_set(int id, const struct shmid64_ds *from);
[[nodiscard]] int shm_remove(int id);
[[nodiscard]] int shm_lock_check(int id);
int shm_limits(struct shminfo64 *out);
int shm_usage(struct shm_info *out);

/* Semaphores, semop(2), semctl(2). */
[[nodiscard]] int sem_get(int key, int count, u32 flags);
[[nodiscard]] int sem_operate(int id, const struct sembuf *operations, unsigned count,
			      u64 deadline_ns);
[[nodiscard]] int sem_stat(int id, int command, struct semid64_ds *out);
[[nodiscard]] int sem_set(int id, const struct semid64_ds *from);
[[nodiscard]] int sem_remove(int id);
[[nodiscard]] int sem_query(int id, int index, int command); /* GETVAL, GETPID, GETNCNT, GETZCNT */
[[nodiscard]] int sem_set_value(int id, int index, int value);
/* GETALL and SETALL: `values` has room for `room`; the number of semaphores; -E2BIG if there are more. */
[[nodiscard]] int sem_get_all(int id, u16 *values, unsigned room);
[[nodiscard]] int sem_set_all(int id, const u16 *values, unsigned count);
[[nodiscard]] int sem_count(int id);
int sem_limits(int command, struct seminfo *out);
/* A process ends: what its SEM_UNDO operations did is undone. */
void sem_exit(struct process *process);

/* kernel.msgmax, kernel.msgmnb: largest message, and how many bytes a new queue holds. */
extern u32 msg_size_max, msg_bytes_max;
/* Messages, msgop(2), msgctl(2). `text` is kernel memory. */
[[nodiscard]] int msg_get(int key, u32 flags);
/* The text, allocated with kmalloc, moves in on success. */
[[nodiscard]] int msg_send(int id, long type, void *text, size_t size, u32 flags);
/* *text: allocated, the caller's to kfree. Returns the length of the message, which may exceed `size` with MSG_NOERROR. */
[[nodiscard]] ssize_t msg_receive(int id, long type, size_t size, u32 flags, long *out_type,
				  void **text);
[[nodiscard]] int msg_stat(int id, int command, struct msqid64_ds *out);
[[nodiscard]] int msg_set(int id, const struct msqid64_ds *from);
[[nodiscard]] int msg_remove(int id);
int msg_limits(int command, struct msginfo *out);
