/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads are not switched here. */
#pragma once

struct arch_thread {
	void *unused;
};
