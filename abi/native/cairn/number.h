/* SPDX-License-Identifier: MIT */
/* Numbers of Cairn's own system calls, the same on every architecture. A number is never used for another call. */
#pragma once

#define CAIRN_NR_BASE 0x10000
#define CAIRN_NR_COUNT 128 /* of the range; a power of two */

#define CAIRN_NR_handle_inspect (CAIRN_NR_BASE + 0)
#define CAIRN_NR_handle_duplicate (CAIRN_NR_BASE + 1)
#define CAIRN_NR_handle_derive (CAIRN_NR_BASE + 2)
#define CAIRN_NR_handle_revoke (CAIRN_NR_BASE + 3)
