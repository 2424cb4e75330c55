/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Labels of channels, and who may use them. The theory is in channel_label.h. */
#include <ipc/channel_label.h>
#include <ipc/channel_priv.h>
#include <proc/silo.h>

int channel_check_label(u32 label)
{
	if (likely(silo_integrity(current_silo()) >= label))
		return 0;
	silo_denied(CAIRN_SILO_DENIED_FLOW, label);
	return -EPERM;
}

int channel_may_carry(u32 label, const struct object *object)
{
	u32 above = channel_label_of(object);

	if (likely(above <= label))
		return 0;
	silo_denied(CAIRN_SILO_DENIED_FLOW, above);
	return -EPERM;
}

int channel_set_label(struct object *receiver, u32 label)
{
	struct channel *channel = channel_of(receiver);
	int error;

	spin_lock(&channel->lock);
	error = label > channel->label ? -EPERM : 0;
	if (!error)
		WRITE_ONCE(channel->label, label);
	spin_unlock(&channel->lock);
	return error;
}
