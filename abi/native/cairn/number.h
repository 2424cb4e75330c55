/* SPDX-License-Identifier: MIT */
/* Numbers of Cairn's own system calls, the same on every architecture. A number is never used for another call. */
#pragma once

#define CAIRN_NR_BASE 0x10000
#define CAIRN_NR_COUNT 128 /* of the range; a power of two */

#define CAIRN_NR_handle_inspect (CAIRN_NR_BASE + 0)
#define CAIRN_NR_handle_duplicate (CAIRN_NR_BASE + 1)
#define CAIRN_NR_handle_derive (CAIRN_NR_BASE + 2)
#define CAIRN_NR_handle_revoke (CAIRN_NR_BASE + 3)

#define CAIRN_NR_channel_create (CAIRN_NR_BASE + 8)
#define CAIRN_NR_channel_send (CAIRN_NR_BASE + 9)
#define CAIRN_NR_channel_call (CAIRN_NR_BASE + 10)
#define CAIRN_NR_channel_receive (CAIRN_NR_BASE + 11)
#define CAIRN_NR_channel_reply (CAIRN_NR_BASE + 12)
#define CAIRN_NR_channel_reply_receive (CAIRN_NR_BASE + 13)
#define CAIRN_NR_channel_reply_save (CAIRN_NR_BASE + 14)
#define CAIRN_NR_channel_label (CAIRN_NR_BASE + 15)

#define CAIRN_NR_untyped_create (CAIRN_NR_BASE + 16)
#define CAIRN_NR_untyped_retype (CAIRN_NR_BASE + 17)
#define CAIRN_NR_untyped_inspect (CAIRN_NR_BASE + 18)
#define CAIRN_NR_untyped_end (CAIRN_NR_BASE + 19)

#define CAIRN_NR_pool_put (CAIRN_NR_BASE + 20)
#define CAIRN_NR_pool_close (CAIRN_NR_BASE + 21)
#define CAIRN_NR_pool_next (CAIRN_NR_BASE + 22)

#define CAIRN_NR_aspace_map (CAIRN_NR_BASE + 24)
#define CAIRN_NR_aspace_unmap (CAIRN_NR_BASE + 25)
#define CAIRN_NR_aspace_protect (CAIRN_NR_BASE + 26)
#define CAIRN_NR_aspace_query (CAIRN_NR_BASE + 27)
#define CAIRN_NR_aspace_set_pager (CAIRN_NR_BASE + 28)

#define CAIRN_NR_task_set (CAIRN_NR_BASE + 64)
#define CAIRN_NR_task_control (CAIRN_NR_BASE + 65)
#define CAIRN_NR_task_registers_get (CAIRN_NR_BASE + 66)
#define CAIRN_NR_task_registers_set (CAIRN_NR_BASE + 67)
#define CAIRN_NR_task_inspect (CAIRN_NR_BASE + 68)

#define CAIRN_NR_silo_create (CAIRN_NR_BASE + 32)
#define CAIRN_NR_silo_configure (CAIRN_NR_BASE + 33)
#define CAIRN_NR_silo_enter (CAIRN_NR_BASE + 34)
#define CAIRN_NR_silo_control (CAIRN_NR_BASE + 35)
#define CAIRN_NR_silo_inspect (CAIRN_NR_BASE + 36)
#define CAIRN_NR_silo_event (CAIRN_NR_BASE + 37)
#define CAIRN_NR_silo_mount (CAIRN_NR_BASE + 38)
#define CAIRN_NR_silo_allow_network (CAIRN_NR_BASE + 39)

#define CAIRN_NR_unveil (CAIRN_NR_BASE + 40)
#define CAIRN_NR_pledge (CAIRN_NR_BASE + 41)

#define CAIRN_NR_device_root (CAIRN_NR_BASE + 80)
#define CAIRN_NR_device_create (CAIRN_NR_BASE + 81)
#define CAIRN_NR_device_inspect (CAIRN_NR_BASE + 82)
