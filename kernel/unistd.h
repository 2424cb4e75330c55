/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Empty: <linux/shm.h> of the uapi includes the C library's header of this name, and needs nothing of it. */
#pragma once
