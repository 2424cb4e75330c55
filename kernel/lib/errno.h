/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error numbers. Functions return >= 0 or a negative errno of Linux's uapi; the codes below 600
 * that follow are internal, mean "a signal interrupted this call", and never reach user space:
 * the signal code turns them into EINTR or a restarted call (signal(7), "Interruption of system
 * calls and library functions by signal handlers").
 */
#pragma once

#include <asm/errno.h>

#define ERESTARTSYS 512		  /* restart if the handler has SA_RESTART, else EINTR */
#define ERESTARTNOINTR 513	  /* always restart */
#define ERESTARTNOHAND 514	  /* restart if no handler ran, else EINTR */
#define ERESTART_RESTARTBLOCK 516 /* restart through restart_syscall(2) */

#define MAX_ERRNO 4095
