/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Native calls on devices: abi/native/cairn/device.h. */
#include <dev/user/user_device.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <native/native.h>
#include <obj/file.h>
#include <proc/silo.h>

#include <cairn/device.h>
#include <linux/capability.h>
#include <syscall_prototypes.h>

_Static_assert(sizeof(struct cairn_device) == 24);
_Static_assert(CAIRN_DEVICE_INTERRUPT == USER_INTERRUPT &&
	       CAIRN_DEVICE_REGISTERS == USER_REGISTERS && CAIRN_DEVICE_PORTS == USER_PORTS &&
	       CAIRN_DEVICE_DMA == USER_DMA);

/* It has no state: to hold it is all. */
static void root_free(struct rcu_head *head)
{
	kfree(container_of(head, struct object, rcu));
}

static void root_destroy(struct object *object)
{
	rcu_call(&object->rcu, root_free);
}

static const struct object_type root_type = {
	.name = "device-root",
	.default_rights = RIGHT_WRITE | RIGHT_DUPLICATE | RIGHT_TRANSFER | RIGHT_INSPECT |
			  RIGHT_DERIVE | RIGHT_REVOKE,
	.destroy = root_destroy,
};

/* A task by hand has its maker's capabilities, and no authority but its pool. */
static bool may_make_root(void)
{
	if (current_silo()) {
		silo_denied(CAIRN_SILO_DENIED_CAPABILITY, CAP_SYS_RAWIO);
		return false;
	}
	return !current_task()->rest.by_hand && capable(CAP_SYS_RAWIO);
}

long sys_device_root(unsigned flags)
{
	struct object *root;
	u32 slot_flags;
	long result;

	if (native_handle_flags(flags, &slot_flags))
		return -EINVAL;
	if (!may_make_root())
		return -EPERM;
	root = kzalloc(sizeof(*root), 0);
	if (!root)
		return -ENOMEM;
	object_init(root, &root_type);
	result = handle_install(current_pool(), root, root_type.default_rights, slot_flags, 0,
				handle_limit());
	object_put(root);
	return result;
}

long sys_device_create(int fd, const struct cairn_device __user *user, unsigned flags)
{
	struct cairn_device device;
	struct object *root;
	struct file *file;
	u32 slot_flags;
	long result;

	if (native_handle_flags(flags, &slot_flags))
		return -EINVAL;
	if (copy_from_user(&device, user, sizeof(device)))
		return -EFAULT;
	result = handle_get(current_pool(), fd, &root_type, RIGHT_WRITE, &root);
	if (result)
		return result;
	if (device.type > CAIRN_DEVICE_DMA ||
	    device.flags & ~(device.type == CAIRN_DEVICE_INTERRUPT ? CAIRN_DEVICE_LEVEL : 0))
		result = -EINVAL;
	else
		result = user_device_create(current_process()->charge.budget, device.type,
					    device.flags & CAIRN_DEVICE_LEVEL, device.first,
					    device.size, &file);
	object_put(root);
	if (result)
		return result;
	result = handle_install(current_pool(), &file->object, file_rights(file->flags), slot_flags,
				0, handle_limit());
	file_put(file);
	return result;
}

long sys_device_inspect(int fd, struct cairn_device __user *out, size_t size)
{
	const struct user_device *device;
	struct cairn_device info;
	struct object *object;
	int error = size < sizeof(info)
			    ? -EINVAL
			    : handle_get(current_pool(), fd, &file_type, RIGHT_INSPECT, &object);

	if (error)
		return error;
	device = user_device_of(file_of(object));
	if (device)
		info = (struct cairn_device){ .type = device->type,
					      .flags = device->level ? CAIRN_DEVICE_LEVEL : 0,
					      .first = device->first,
					      .size = device->size };
	object_put(object);
	if (!device)
		return -EINVAL;
	return copy_to_user(out, &info, sizeof(info)) ? -EFAULT : 0;
}
