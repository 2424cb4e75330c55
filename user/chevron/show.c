/* SPDX-License-Identifier: MIT */
/* What silos are, use and do: list, events, top. */
#include "chevron.h"
#include "silos.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_SHOWN 8 /* by top */

static const char *const states[] = { "new", "running", "paused", "stopped", "killed" };

static long long limit_of(const struct cairn_silo_info *info)
{
	return info->memory_limit > 1ull << 62 ? -1ll : (long long)info->memory_limit;
}

/* list POOL is of the raw commands. */
int silo_list(int argc, char **argv)
{
	struct cairn_silo_info info;

	if (argc > 1)
		return pool_list(argc, argv);
	if (!json && silo_count)
		printf("%-16s %-8s %6s %10s %12s %12s %8s\n", "SILO", "STATE", "TASKS", "CPU MS",
		       "MEMORY", "LIMIT", "DENIED");
	for (struct silo *s = silos; s < silos + silo_count; s++) {
		if (cairn_silo_inspect(s->handle, &info, sizeof(info)))
			return complain("inspect", s->name);
		if (!json_line("silo%s state%s tasks%u cpu_ms%u memory%u limit%d denied%u", s->name,
			       states[info.state], (unsigned long long)info.tasks,
			       info.cpu_ns / 1000000, info.memory_used, limit_of(&info),
			       info.denied))
			printf("%-16s %-8s %6u %10llu %12llu %12lld %8llu\n", s->name,
			       states[info.state], info.tasks, info.cpu_ns / 1000000,
			       info.memory_used, limit_of(&info), info.denied);
	}
	list_strates();
	return 0;
}

/* --- events --- */

static const char *event_name(unsigned kind)
{
	static const char *const names[] = {
		[CAIRN_SILO_EVENT_STARTED] = "started",
		[CAIRN_SILO_EVENT_STOPPED] = "stopped",
		[CAIRN_SILO_EVENT_CRASHED] = "ended by signal",
		[CAIRN_SILO_EVENT_OUT_OF_MEMORY] = "out of memory",
		[CAIRN_SILO_DENIED_CAPABILITY] = "denied: capability",
		[CAIRN_SILO_DENIED_PROCESS] = "denied: process",
		[CAIRN_SILO_DENIED_TASK] = "denied: task",
		[CAIRN_SILO_DENIED_SOCKET] = "denied: socket",
		[CAIRN_SILO_DENIED_DIRECTORY] = "denied: directory",
		[CAIRN_SILO_DENIED_ADDRESS] = "denied: address",
		[CAIRN_SILO_DENIED_PROMISE] = "denied: promise",
		[CAIRN_SILO_DENIED_FLOW] = "denied: flow",
	};

	return kind < sizeof(names) / sizeof(names[0]) && names[kind] ? names[kind] : "?";
}

/* Takes what the kernel has recorded; the oldest go when there is no more room. */
static void take_events(struct silo *s)
{
	struct cairn_silo_event event;

	while (cairn_silo_event(s->handle, &event, CAIRN_SILO_NONBLOCK) == 0) {
		if (s->event_count == EVENTS_KEPT) {
			event.lost++;
			memmove(s->events, s->events + 1, sizeof(s->events) - sizeof(s->events[0]));
			s->event_count--;
		}
		s->events[s->event_count++] = event;
	}
}

static void show_event(const struct silo *s, const struct cairn_silo_event *e)
{
	if (!json_line("silo%s time_ns%u pid%d task%s event%s value%u lost%u", s->name, e->time_ns,
		       (long long)e->pid, e->name, event_name(e->kind), e->value, e->lost))
		printf("%6llu.%06llu %5d %-15s %s %llu\n", e->time_ns / 1000000000,
		       e->time_ns / 1000 % 1000000, e->pid, e->name, event_name(e->kind), e->value);
}

int silo_events(int argc, char **argv)
{
	struct silo *s = silo_find(argv[1]);

	(void)argc;
	if (!s)
		return 1;
	take_events(s);
	for (int i = 0; i < s->event_count; i++)
		show_event(s, &s->events[i]);
	s->event_count = 0;
	return 0;
}

/* --- top --- */

/* The newest of all silos, in the order of time. */
static void show_newest(void)
{
	const struct cairn_silo_event *newest[EVENTS_SHOWN];
	const struct silo *of[EVENTS_SHOWN];
	int n = 0;

	for (struct silo *s = silos; s < silos + silo_count; s++)
		for (int i = 0; i < s->event_count; i++) {
			const struct cairn_silo_event *e = &s->events[i];
			int at = n;

			if (n < EVENTS_SHOWN)
				n++;
			else if (newest[0]->time_ns > e->time_ns)
				continue;
			else
				for (at = 0; at + 1 < n && newest[at + 1]->time_ns < e->time_ns;
				     at++) {
					newest[at] = newest[at + 1];
					of[at] = of[at + 1];
				}
			for (; n <= EVENTS_SHOWN && at && newest[at - 1]->time_ns > e->time_ns;
			     at--) {
				newest[at] = newest[at - 1];
				of[at] = of[at - 1];
			}
			newest[at] = e;
			of[at] = s;
		}
	if (n && !json)
		printf("\n%13s %5s %-15s EVENT\n", "TIME", "PID", "TASK");
	for (int i = 0; i < n; i++)
		show_event(of[i], newest[i]);
}

static unsigned long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec;
}

/* Of one CPU, in tenths of a percent, since the last look. */
static unsigned cpu_share(struct silo *s, unsigned long long cpu_ns)
{
	unsigned long long now = now_ns(), time = now - s->shown_time_ns;
	unsigned long long used = cpu_ns - s->shown_cpu_ns;
	int first = !s->shown_time_ns;

	s->shown_time_ns = now;
	s->shown_cpu_ns = cpu_ns;
	return first || !time ? 0 : (unsigned)(used * 1000 / time);
}

static int show_top(void)
{
	struct cairn_silo_info info;

	if (!json)
		printf("%-12s %-8s %5s %7s %6s %9s %9s %9s %6s %2s %s\n", "SILO", "STATE", "TASKS",
		       "HANDLES", "CPU %", "MEMORY K", "PEAK K", "LIMIT K", "DENIED", "I",
		       "SCHEMES");
	for (struct silo *s = silos; s < silos + silo_count; s++) {
		unsigned share;
		long long limit;

		if (cairn_silo_inspect(s->handle, &info, sizeof(info)))
			return complain("inspect", s->name);
		take_events(s);
		share = cpu_share(s, info.cpu_ns);
		limit = limit_of(&info);
		if (!json_line("silo%s state%s tasks%u handles%u cpu_permille%u cpu_ms%u memory%u "
			       "peak%u limit%d denied%u integrity%u schemes%s",
			       s->name, states[info.state], (unsigned long long)info.tasks,
			       (unsigned long long)info.handles, (unsigned long long)share,
			       info.cpu_ns / 1000000, info.memory_used, info.memory_peak, limit,
			       info.denied, (unsigned long long)info.integrity, s->schemes))
			printf("%-12s %-8s %5u %7u %4u.%u %9llu %9llu %9lld %6llu %2u %s\n",
			       s->name, states[info.state], info.tasks, info.handles, share / 10,
			       share % 10, info.memory_used >> 10, info.memory_peak >> 10,
			       limit < 0 ? limit : limit >> 10, info.denied, info.integrity,
			       s->schemes);
	}
	list_strates();
	show_newest();
	return 0;
}

/* top [ROUNDS]: every second until a key is pressed; once with --json, or where nobody sees it. */
int silo_top(int argc, char **argv)
{
	int watched = !json && isatty(0) && isatty(1);
	int rounds = argc > 1 ? atoi(argv[1]) : watched ? 0 : 1;
	struct pollfd key = { .fd = 0, .events = POLLIN };

	for (int i = 1;; i++) {
		if (rounds != 1 && watched)
			printf("\033[H\033[2J");
		if (show_top())
			return 1;
		fflush(stdout);
		if (i == rounds)
			return 0;
		if (!watched)
			sleep(1);
		else if (poll(&key, 1, 1000) > 0)
			return 0;
	}
}
