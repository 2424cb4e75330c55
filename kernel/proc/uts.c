/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host and domain name. */
#include <proc/uts.h>

#include <core/lock.h>
#include <lib/errno.h>
#include <lib/string.h>

static struct spinlock uts_lock = SPINLOCK_INIT(RANK_PROCESS);
static char names[2][__NEW_UTS_LEN + 1] __guarded_by(&uts_lock) = {
	[UTS_HOST_NAME] = "(none)",
	[UTS_DOMAIN_NAME] = "(none)",
};

void uts_name_get(enum uts_name which, char out[__NEW_UTS_LEN + 1])
{
	spin_lock(&uts_lock);
	memcpy(out, names[which], sizeof(names[which]));
	spin_unlock(&uts_lock);
}

int uts_name_set(enum uts_name which, const char *name, size_t size)
{
	if (size > __NEW_UTS_LEN)
		return -EINVAL;
	spin_lock(&uts_lock);
	memset(names[which], 0, sizeof(names[which]));
	memcpy(names[which], name, size);
	spin_unlock(&uts_lock);
	return 0;
}
