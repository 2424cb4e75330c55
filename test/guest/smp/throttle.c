/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real-time threads that never sleep leave a part of each second to the others (sched(7)). */
#include "guest_test.h"

#include <sched.h>

TEST(a_fifo_hog_does_not_starve_a_fair_process)
{
	cpu_set_t first;
	int pid, status;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	EXPECT_EQ(sched_setaffinity(0, sizeof(first), &first), 0);
	pid = fork();
	if (pid == 0) {
		struct sched_param param = { .sched_priority = 10 };

		sched_setscheduler(0, SCHED_FIFO, &param);
		for (;;)
			;
	}
	usleep(1000);
	EXPECT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT(WIFSIGNALED(status));
}
