/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pagers: an access where nothing is mapped becomes a call on a channel (abi/native/cairn/aspace.h). */
#include <arch/frame.h>
#include <arch/trap.h>
#include <ipc/channel.h>
#include <lib/errno.h>
#include <mm/aspace.h>
#include <obj/space.h>
#include <proc/task.h>

#include <cairn/aspace.h>

static bool ask_pager(struct aspace *as, vaddr_t address, u32 fault_flags)
{
	const struct trap_frame *frame = thread_user_frame(current_base()->kstack_top);
	struct channel_message message = {
		.words = { address,
			   (fault_flags & FAULT_WRITE ? CAIRN_FAULT_WRITE : 0) |
				   (fault_flags & FAULT_EXEC ? CAIRN_FAULT_EXECUTE : 0),
			   (u64)current_task()->tid, frame_pc(frame) },
	};
	struct handle pager;
	int error;

	if (!space_pager_get(as, &pager))
		return false;
	message.badge = pager.badge;
	error = channel_call(pager.object, &message, 0);
	handle_drop(&pager);
	channel_payload_free(message.payload);
	/* A signal comes first; then the access is made again. */
	if (error == -ERESTARTSYS || error == -EINTR)
		return true;
	return !error && !message.words[0];
}

void pager_init(void)
{
	mm_hooks.ask_pager = ask_pager;
}
