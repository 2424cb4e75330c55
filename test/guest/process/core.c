/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Core files (core(5)). */
#include "guest_test.h"

#include <elf.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static volatile char in_core[] = "this is found in the core file";

/* Ends a child by a signal with a limit for its core file; the wait status. */
static int crash(rlim_t limit, int signo)
{
	int status, pid = fork();

	if (pid == 0) {
		struct rlimit core = { limit, limit };

		setrlimit(RLIMIT_CORE, &core);
		in_core[0] = 'T';
		raise(signo);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static int contains(const char *file, const char *text)
{
	int fd = open(file, O_RDONLY), found;
	struct stat st;
	char *data;

	if (fd < 0 || fstat(fd, &st))
		return 0;
	data = malloc(st.st_size);
	found = read(fd, data, st.st_size) == st.st_size &&
		memmem(data, st.st_size, text, strlen(text));
	free(data);
	close(fd);
	return found;
}

TEST(a_core_file_has_header_notes_and_memory)
{
	int status = crash(RLIM_INFINITY, SIGSEGV), fd, notes = 0;
	Elf64_Ehdr elf;
	Elf64_Phdr head;

	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	EXPECT(WCOREDUMP(status));
	fd = open("core", O_RDONLY);
	if (!EXPECT(fd >= 0))
		return;
	EXPECT_EQ(read(fd, &elf, sizeof(elf)), sizeof(elf));
	EXPECT(!memcmp(elf.e_ident, ELFMAG, SELFMAG));
	EXPECT_EQ(elf.e_type, ET_CORE);
	EXPECT(elf.e_phnum > 3);
	for (int i = 0; i < elf.e_phnum; i++) {
		EXPECT_EQ(pread(fd, &head, sizeof(head), elf.e_phoff + i * sizeof(head)),
			  sizeof(head));
		notes += head.p_type == PT_NOTE;
	}
	EXPECT_EQ(notes, 1);
	EXPECT(contains("core", "This is found in the core file"));
}

TEST(no_core_file_without_a_limit_or_dumpable)
{
	int status = crash(0, SIGQUIT), pid;

	EXPECT(WIFSIGNALED(status) && !WCOREDUMP(status));
	EXPECT_ERRNO(open("core", O_RDONLY), ENOENT);
	pid = fork();
	if (pid == 0) {
		struct rlimit core = { RLIM_INFINITY, RLIM_INFINITY };

		setrlimit(RLIMIT_CORE, &core);
		prctl(PR_SET_DUMPABLE, 0);
		abort();
	}
	waitpid(pid, &status, 0);
	EXPECT(WIFSIGNALED(status) && !WCOREDUMP(status));
	/* A signal that does not dump. */
	status = crash(RLIM_INFINITY, SIGTERM);
	EXPECT(WIFSIGNALED(status) && !WCOREDUMP(status));
	EXPECT_ERRNO(open("core", O_RDONLY), ENOENT);
}

TEST(core_pattern_names_the_file)
{
	int fd = open("/proc/sys/kernel/core_pattern", O_RDWR), status;
	char old[129] = "";

	EXPECT(read(fd, old, 128) > 0);
	EXPECT_EQ(pwrite(fd, "named-%s-%%", 11, 0), 11);
	status = crash(RLIM_INFINITY, SIGABRT);
	EXPECT(WCOREDUMP(status));
	EXPECT_EQ(access("named-6-%", F_OK), 0);
	EXPECT_EQ(pwrite(fd, old, strlen(old), 0), (ssize_t)strlen(old));
	close(fd);
}

#define THREADS 4

static volatile int tids[THREADS]; /* the first one crashes, the second spins, the others sleep */
static pthread_barrier_t all_there;

static void *live(void *arg)
{
	long number = (long)arg;

	tids[number] = (int)syscall(SYS_gettid);
	pthread_barrier_wait(&all_there);
	if (number == 0) {
		sleep_ms(20);
		raise(SIGSEGV);
	}
	while (number == 1)
		;
	for (;;)
		pause();
	return NULL;
}

static void crash_with_threads(int up)
{
	struct rlimit core = { RLIM_INFINITY, RLIM_INFINITY };
	pthread_t thread;

	setrlimit(RLIMIT_CORE, &core);
	pthread_barrier_init(&all_there, NULL, THREADS + 1);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, live, (void *)i);
	pthread_barrier_wait(&all_there);
	write(up, (const void *)tids, sizeof(tids));
	for (;;)
		pause();
}

/* The contents of the note segment of a core file; *size in bytes. */
static char *read_notes(const char *file, size_t *size)
{
	int fd = open(file, O_RDONLY);
	Elf64_Phdr head = { 0 };
	Elf64_Ehdr elf;
	char *notes = NULL;

	if (fd >= 0 && read(fd, &elf, sizeof(elf)) == sizeof(elf))
		for (int i = 0; i < elf.e_phnum && head.p_type != PT_NOTE; i++)
			pread(fd, &head, sizeof(head), elf.e_phoff + i * sizeof(head));
	if (head.p_type == PT_NOTE) {
		notes = malloc(head.p_filesz);
		*size = (size_t)pread(fd, notes, head.p_filesz, head.p_offset);
	}
	close(fd);
	return notes;
}

TEST(a_core_file_has_every_thread)
{
	int fds[2], saved[THREADS], status, pids[THREADS + 2], count = 0, sets = 0;
	size_t size = 0;

	REQUIRE(pipe(fds) == 0);
	IN_CHILD(pid)
	{
		crash_with_threads(fds[1]);
	}
	EXPECT_EQ(read(fds[0], saved, sizeof(saved)), sizeof(saved));
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && WCOREDUMP(status));
	char *notes = read_notes("core", &size), *at = notes;
	REQUIRE(notes);
	while (at + sizeof(Elf64_Nhdr) <= notes + size) {
		const Elf64_Nhdr *head = (void *)at;
		const char *contents = at + sizeof(*head) + (head->n_namesz + 3) / 4 * 4;

		if (head->n_type == NT_PRSTATUS && count < THREADS + 2) {
			const struct elf_prstatus *p = (const void *)contents;

			pids[count++] = p->pr_pid;
			EXPECT_EQ(p->pr_cursig, SIGSEGV);
			EXPECT_EQ(p->pr_info.si_signo, SIGSEGV);
			EXPECT_EQ(p->pr_pgrp, getpgid(0));
			EXPECT_EQ(p->pr_ppid, getpid());
		}
		sets += head->n_type == NT_PRFPREG;
		at = (char *)contents + (head->n_descsz + 3) / 4 * 4;
	}
	EXPECT_EQ(count, THREADS + 1);
	EXPECT_EQ(sets, THREADS + 1);
	/* First who was hit, then the others in any order. */
	EXPECT_EQ(pids[0], saved[0]);
	for (int i = 0; i < THREADS; i++) {
		bool found = false;

		for (int j = 0; j < count; j++)
			found |= pids[j] == saved[i];
		EXPECT(found);
	}
	free(notes);
}

TEST(threads_that_crash_together_leave_one_core)
{
	IN_CHILD(pid)
	{
		struct rlimit core = { RLIM_INFINITY, RLIM_INFINITY };
		pthread_t thread;

		setrlimit(RLIMIT_CORE, &core);
		for (int i = 0; i < 8; i++)
			pthread_create(&thread, NULL, (void *(*)(void *))abort, NULL);
		for (;;)
			pause();
	}
	EXPECT_EQ(wait_status(pid), 128 + SIGABRT);
	EXPECT_EQ(access("core", F_OK), 0);
}
