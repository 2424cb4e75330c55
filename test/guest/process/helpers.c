/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs for the tests of exec: what they were started with. */
#include "guest_test.h"

#include <sys/auxv.h>

HELPER(exit_with)
{
	return argc > 1 ? atoi(argv[1]) : 0;
}

/* Prints arguments, then the environment. */
HELPER(show)
{
	for (int i = 1; i < argc; i++)
		dprintf(1, "[%s]", argv[i]);
	for (char **e = environ; *e; e++)
		dprintf(1, "{%s}", *e);
	return 0;
}

/* The number of open descriptors from 3 on. */
HELPER(count_descriptors)
{
	int count = 0;

	for (int fd = 3; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Which of these signals are ignored (1) or blocked (2): USR1 and USR2. */
HELPER(signal_state)
{
	struct sigaction action;
	sigset_t blocked;
	int state = 0;

	sigaction(SIGUSR1, NULL, &action);
	if (action.sa_handler == SIG_IGN)
		state |= 1;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	if (sigismember(&blocked, SIGUSR2))
		state |= 2;
	sigaction(SIGTERM, NULL, &action);
	if (action.sa_handler != SIG_DFL)
		state |= 4;
	return state;
}

/* 0 if the auxiliary vector is as elf(5) and getauxval(3) say. */
HELPER(auxiliary_vector)
{
	const char *name = (const char *)getauxval(AT_EXECFN);

	if (getauxval(AT_PAGESZ) != 4096)
		return 1;
	if (!getauxval(AT_PHDR) || !getauxval(AT_ENTRY) || getauxval(AT_PHENT) != 56)
		return 2;
	if (!name || strcmp(name, GUEST_PROGRAM) != 0)
		return 3;
	if (!getauxval(AT_RANDOM) || getauxval(AT_SECURE) || getauxval(AT_UID) != getuid())
		return 4;
	if (!getauxval(AT_PLATFORM) || !getauxval(AT_CLKTCK))
		return 5;
	if (!getauxval(AT_SYSINFO_EHDR))
		return 6;
	return 0;
}
