/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Labels of channels: what is less trusted does not write to what is more trusted.
 *
 * A silo has a level of integrity (proc/silo.h, L8), and a channel a label: that of its maker's silo, until who holds the receiving end
 * lowers it. A label vouches for all that passes, in both directions.
 *
 * (F1) Words, bytes and handles pass a channel only from tasks whose level is at least its label: at every send, call and answer.
 * (F2) Nobody receives whose level is less, so that whoever holds a call may answer it. A call carries the label of its channel to its
 *      answer, however the right to answer has travelled, and whatever became of the holder's level.
 * (F3) No message takes a handle of a channel, or of a call of one, above the channel that it travels by, and no silo is entered with
 *      one above the silo.
 * (F4) Levels and labels only sink.
 *
 * To call what is less trusted is the caller's own decision, and so is it to read there: this is Biba's ring policy.
 */
#pragma once

#include <ipc/channel.h>
#include <proc/task.h>

/* Of a channel's end, or of the call of a reply object; 0 of any other object. */
u32 channel_label_of(const struct object *object);

/* Is the current task's level at least that? Else -EPERM, recorded in its silo. */
[[nodiscard]] int channel_check_label(u32 label);

/* May a handle of the object travel by a channel of this label (F3)? Else -EPERM, recorded. */
[[nodiscard]] int channel_may_carry(u32 label, const struct object *object);

/* Lowers the label. -EPERM: it would rise. */
[[nodiscard]] int channel_set_label(struct object *receiver, u32 label);
