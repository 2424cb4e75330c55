/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System V IPC: sysvipc(7). */
#include "guest_test.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

union argument {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

TEST(shm_is_shared_by_key)
{
	struct shmid_ds ds;
	int id = shmget(0x1234, 5000, IPC_CREAT | IPC_EXCL | 0600);
	char *p, *q;

	REQUIRE(id >= 0);
	EXPECT_ERRNO(shmget(0x1234, 5000, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	EXPECT_EQ(shmget(0x1234, 100, 0), id);
	EXPECT_ERRNO(shmget(0x1234, 9000, 0), EINVAL);
	EXPECT_ERRNO(shmget(0x4321, 100, 0), ENOENT);
	EXPECT_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
	p = shmat(id, NULL, 0);
	REQUIRE(p != (void *)-1);
	q = shmat(id, NULL, SHM_RDONLY);
	EXPECT_EQ(p[4999], 0);
	IN_CHILD(pid)
	{
		p[10] = 42;
		_exit(0);
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(q[10], 42);
	EXPECT_EQ(shmctl(id, IPC_STAT, &ds), 0);
	EXPECT_EQ(ds.shm_segsz, 5000);
	EXPECT_EQ(ds.shm_nattch, 2);
	EXPECT_EQ(ds.shm_cpid, getpid());
	EXPECT_EQ(ds.shm_perm.mode & 0777, 0600);
	EXPECT_EQ(shmdt(q), 0);
	EXPECT_ERRNO(shmdt(q), EINVAL);
	EXPECT_ERRNO(shmdt(p + 4096), EINVAL);
	EXPECT_EQ(shmctl(id, IPC_RMID, NULL), 0);
	EXPECT_EQ(p[10], 42);
	EXPECT_ERRNO(shmget(0x1234, 100, 0), ENOENT);
	q = shmat(id, NULL, 0); /* still possible while it is attached */
	EXPECT(q != (void *)-1 && q[10] == 42);
	EXPECT_EQ(shmdt(q), 0);
	EXPECT_EQ(shmdt(p), 0);
	EXPECT_ERRNO(shmat(id, NULL, 0) == (void *)-1 ? -1 : 0, EINVAL);
}

TEST(shm_attach_places)
{
	int id = shmget(IPC_PRIVATE, 8192, 0600);
	char *p = shmat(id, NULL, 0);

	REQUIRE(p != (void *)-1);
	EXPECT_EQ(shmctl(id, IPC_RMID, NULL), 0);
	EXPECT_ERRNO((long)shmat(id, p, 0), EINVAL);	     /* occupied */
	EXPECT_ERRNO((long)shmat(id, p + 1, 0), EINVAL);     /* misaligned */
	EXPECT_EQ(shmat(id, p + 1, SHM_RND | SHM_REMAP), p); /* takes its place */
	EXPECT_EQ(shmdt(p), 0);
}

TEST(sem_operations_are_all_or_none)
{
	struct sembuf both[] = { { 0, -1, IPC_NOWAIT }, { 1, -1, IPC_NOWAIT } };
	struct sembuf zero = { 0, 0, IPC_NOWAIT }, far = { 2, 1, 0 };
	unsigned short values[2] = { 3, 0 };
	struct semid_ds ds;
	int id = semget(IPC_PRIVATE, 2, 0600);

	REQUIRE(id >= 0);
	EXPECT_EQ(semctl(id, 0, SETALL, (union argument){ .array = values }), 0);
	EXPECT_ERRNO(semop(id, both, 2), EAGAIN);
	EXPECT_EQ(semctl(id, 0, GETVAL), 3);
	EXPECT_EQ(semctl(id, 1, SETVAL, (union argument){ .val = 1 }), 0);
	EXPECT_EQ(semop(id, both, 2), 0);
	EXPECT_EQ(semctl(id, 0, GETALL, (union argument){ .array = values }), 0);
	EXPECT_EQ(values[0], 2);
	EXPECT_EQ(values[1], 0);
	EXPECT_ERRNO(semop(id, &zero, 1), EAGAIN);
	EXPECT_ERRNO(semop(id, &far, 1), EFBIG);
	EXPECT_ERRNO(semctl(id, 0, SETVAL, (union argument){ .val = 40000 }), ERANGE);
	EXPECT_ERRNO(semctl(id, 5, GETVAL), EINVAL);
	EXPECT_EQ(semctl(id, 0, GETPID), getpid());
	EXPECT_EQ(semctl(id, 0, IPC_STAT, (union argument){ .buf = &ds }), 0);
	EXPECT_EQ(ds.sem_nsems, 2);
	EXPECT_EQ(semctl(id, 0, IPC_RMID), 0);
	EXPECT_ERRNO(semop(id, both, 2), EINVAL);
}

TEST(sem_waits_and_removal_ends_the_wait)
{
	struct sembuf down = { 0, -1, 0 }, up = { 0, 1, 0 };
	struct timespec t = { 0, 20000000 };
	int id = semget(IPC_PRIVATE, 1, 0600);

	EXPECT_ERRNO(semtimedop(id, &down, 1, &t), EAGAIN);
	for (int i = 0; i < 2; i++) {
		IN_CHILD(pid)
		{
			int r = semop(id, &down, 1);

			_exit(i ? r == -1 && errno == EIDRM : r == 0);
		}
		sleep_ms(40);
		EXPECT_EQ(semctl(id, 0, GETNCNT), 1);
		EXPECT_EQ(i ? semctl(id, 0, IPC_RMID) : semop(id, &up, 1), 0);
		EXPECT_EQ(wait_status(pid), 1);
	}
}

TEST(sem_undo_at_exit)
{
	struct sembuf down = { 0, -2, SEM_UNDO };
	int id = semget(IPC_PRIVATE, 1, 0600);

	EXPECT_EQ(semctl(id, 0, SETVAL, (union argument){ .val = 5 }), 0);
	IN_CHILD(pid)
	{
		_exit(semop(id, &down, 1) == 0 && semctl(id, 0, GETVAL) == 3 ? 0 : 1);
	}
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(semctl(id, 0, GETVAL), 5);
	EXPECT_EQ(semctl(id, 0, IPC_RMID), 0);
}

struct text {
	long type;
	char text[32];
};

TEST(msg_types_select)
{
	struct text m;
	struct msqid_ds ds;
	int id = msgget(IPC_PRIVATE, 0600);

	REQUIRE(id >= 0);
	for (int i = 0; i < 4; i++) {
		m = (struct text){ .type = 4 - i };
		m.text[0] = (char)('a' + i);
		EXPECT_EQ(msgsnd(id, &m, 1 + (size_t)i, 0), 0);
	}
	EXPECT_EQ(msgctl(id, IPC_STAT, &ds), 0);
	EXPECT_EQ(ds.msg_qnum, 4);
	EXPECT_EQ(ds.msg_cbytes, 10);
	EXPECT_EQ(msgrcv(id, &m, sizeof(m.text), 3, 0), 2);
	EXPECT_EQ(m.text[0], 'b');
	EXPECT_EQ(msgrcv(id, &m, sizeof(m.text), -2, 0), 4);
	EXPECT_EQ(m.type, 1);
	EXPECT_ERRNO(msgrcv(id, &m, sizeof(m.text), 9, IPC_NOWAIT), ENOMSG);
	EXPECT_EQ(msgrcv(id, &m, sizeof(m.text), 4, MSG_EXCEPT), 3);
	EXPECT_EQ(msgrcv(id, &m, 0, 0, MSG_NOERROR), 0);
	EXPECT_EQ(m.type, 4);
	m.type = 0;
	EXPECT_ERRNO(msgsnd(id, &m, 1, 0), EINVAL);
	m.type = 1;
	EXPECT_EQ(msgsnd(id, &m, 20, 0), 0);
	EXPECT_ERRNO(msgrcv(id, &m, 19, 0, 0), E2BIG);
	EXPECT_EQ(msgctl(id, IPC_RMID, NULL), 0);
	EXPECT_ERRNO(msgsnd(id, &m, 1, 0), EINVAL);
}

TEST(sysv_next_identifier_is_asked_for)
{
	char text[32];
	int id = msgget(IPC_PRIVATE, 0600), fd = open("/proc/sys/kernel/msg_next_id", O_RDWR);

	REQUIRE(id >= 0 && fd >= 0);
	EXPECT_EQ(msgctl(id, IPC_RMID, NULL), 0);
	snprintf(text, sizeof(text), "%d", id);
	EXPECT_EQ(write(fd, text, strlen(text)), strlen(text));
	EXPECT_EQ(msgget(IPC_PRIVATE, 0600), id);
	/* Once only. */
	EXPECT_EQ(pread(fd, text, sizeof(text), 0), 3);
	EXPECT_EQ(memcmp(text, "-1\n", 3), 0);
	EXPECT_EQ(msgctl(id, IPC_RMID, NULL), 0);
	close(fd);
}

TEST(msg_blocks_until_sent)
{
	struct text m = { .type = 7, .text = "x" };
	int id = msgget(IPC_PRIVATE, 0600);

	IN_CHILD(pid)
	{
		sleep_ms(30);
		_exit(msgsnd(id, &m, 1, 0) == 0 ? 0 : 1);
	}
	EXPECT_EQ(msgrcv(id, &m, sizeof(m.text), 7, 0), 1);
	EXPECT_EQ(wait_status(pid), 0);
	EXPECT_EQ(msgctl(id, IPC_RMID, NULL), 0);
}
