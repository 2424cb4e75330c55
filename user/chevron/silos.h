/* SPDX-License-Identifier: MIT */
/* The silos of this chevron, as its commands on them share them. */
#pragma once

#include <cairn/silo.h>

#define SILOS_MAX 64
#define EVENTS_KEPT 64

struct silo {
	char name[32], root[256];
	char schemes[512]; /* "data:r usr:rx" */
	int handle;
	unsigned promises;				/* of what is started */
	unsigned long long shown_cpu_ns, shown_time_ns; /* when `top` looked last */
	struct cairn_silo_event
		events[EVENTS_KEPT]; /* taken from the kernel, not shown by `events` yet */
	int event_count;
};

extern struct silo silos[SILOS_MAX];
extern int silo_count;

/* The silo of this name, or NULL after a message. */
struct silo *silo_find(const char *name);

/* The commands that show (show.c). */
int silo_list(int argc, char **argv);
int silo_events(int argc, char **argv);
int silo_top(int argc, char **argv);
