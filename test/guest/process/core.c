/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Core files (core(5)). */
#include "guest_test.h"

#include <elf.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

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
