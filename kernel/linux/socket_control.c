/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control messages of sendmsg(2) and recvmsg(2): handles, credentials, and what families define. */
#include <lib/errno.h>
#include <lib/string.h>
#include <linux/descriptor.h>
#include <linux/socket_control.h>
#include <mm/slab.h>
#include <mm/ucopy.h>
#include <obj/credentials.h>
#include <proc/pid_namespace.h>
#include <proc/task.h>

#include <asm/socket.h>
#include <linux/resource.h>
#include <sys/socket.h>

#define CONTROL_SIZE_MAX 20480 /* net.core.optmem_max */

/* SCM_RIGHTS: appends the handles to those collected before. */
static int collect_rights(const struct cmsghdr *header, struct socket_control *control)
{
	unsigned count = (unsigned)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	const int *fds = (const int *)CMSG_DATA(header);
	struct transfer *list;
	struct handle *handles;
	int error;

	if (count > SOCKET_HANDLES_MAX - control->handle_count)
		return -EINVAL;
	if (!count)
		return 0;
	handles = krealloc(control->handles,
			   (control->handle_count + count) * sizeof(struct handle), 0);
	if (!handles)
		return -ENOMEM;
	control->handles = handles;
	list = kcalloc(count, sizeof(*list), 0);
	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		list[i] = (struct transfer){ fds[i], TRANSFER_DUPLICATE, RIGHTS_SAME };
	error = handles_collect(current_pool(), list, count, handles + control->handle_count);
	kfree(list);
	if (error)
		return -EBADF;
	control->handle_count += count;
	return 0;
}

/* SCM_CREDENTIALS: nobody may pretend to be somebody else (unix(7)). */
static int check_credentials(const struct cmsghdr *header, struct socket_control *control)
{
	const struct credentials *own = current_credentials();
	struct ucred claimed;

	if (header->cmsg_len != CMSG_LEN(sizeof(claimed)))
		return -EINVAL;
	memcpy(&claimed, CMSG_DATA(header), sizeof(claimed));
	if (pid_from_user((int)claimed.pid) != current_process()->pid && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (claimed.uid != own->uid && claimed.uid != own->euid && claimed.uid != own->suid &&
	    !capable(CAP_SETUID))
		return -EPERM;
	if (claimed.gid != own->gid && claimed.gid != own->egid && claimed.gid != own->sgid &&
	    !capable(CAP_SETGID))
		return -EPERM;
	control->has_credentials = true;
	control->pid = pid_from_user((int)claimed.pid);
	control->uid = claimed.uid;
	control->gid = claimed.gid;
	return 0;
}

static int decode_one(const struct socket *socket, const struct cmsghdr *header,
		      struct socket_control *control)
{
	if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		return socket->family == AF_UNIX ? collect_rights(header, control) : -EINVAL;
	if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS)
		return check_credentials(header, control);
	if (socket->family == AF_UNIX || socket->family == AF_NETLINK)
		return header->cmsg_level == SOL_SOCKET ? -EINVAL : 0;
	if (!socket_control_append(control, header->cmsg_level, header->cmsg_type,
				   CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0)))
		return -ENOMEM;
	return 0;
}

int control_from_user(const struct socket *socket, const void __user *user, size_t size,
		      struct socket_control *control)
{
	char *buffer;
	int error;

	if (size > CONTROL_SIZE_MAX)
		return -ENOBUFS;
	buffer = kmalloc(size, 0);
	if (!buffer)
		return -ENOBUFS;
	error = copy_from_user(buffer, user, size);
	for (size_t at = 0; !error && size - at >= sizeof(struct cmsghdr);) {
		const struct cmsghdr *header = (const struct cmsghdr *)(buffer + at);
		size_t length = header->cmsg_len;

		if (length < sizeof(*header) || length > size - at) {
			error = -EINVAL;
			break;
		}
		error = decode_one(socket, header, control);
		at += MIN(CMSG_ALIGN(length), size - at);
	}
	kfree(buffer);
	return error;
}

/* One control message; cut, with MSG_CTRUNC, if there is not enough room. */
static void put_control(struct control_writer *writer, int level, int type, const void *data,
			size_t length)
{
	struct cmsghdr header = { CMSG_LEN(length), level, type };
	size_t space;

	if (!writer->at || writer->room < sizeof(header)) {
		writer->flags |= MSG_CTRUNC;
		return;
	}
	if (writer->room < header.cmsg_len) {
		writer->flags |= MSG_CTRUNC;
		header.cmsg_len = writer->room;
	}
	if (copy_to_user(writer->at, &header, sizeof(header)) ||
	    copy_to_user(writer->at + sizeof(header), data, header.cmsg_len - sizeof(header)))
		return;
	space = MIN(CMSG_ALIGN(header.cmsg_len), writer->room);
	writer->at += space;
	writer->room -= space;
}

/* Handles become descriptors, as many as there are numbers free and room for. */
static void put_handles(struct control_writer *writer, struct socket_control *control, bool cloexec)
{
	unsigned limit = (unsigned)current_limit(RLIMIT_NOFILE), n = 0, fit = 0;
	u32 flags = cloexec ? HANDLE_CLOEXEC : 0;
	struct cmsghdr header;
	size_t space;

	if (writer->at && writer->room > sizeof(header))
		fit = (unsigned)((writer->room - sizeof(header)) / sizeof(int));
	while (n < MIN(fit, control->handle_count)) {
		struct handle *handle = &control->handles[n];
		int __user *slot = __force_user(int __user *,
						(uintptr_t)writer->at + CMSG_LEN(n * sizeof(int)));
		int fd = handle_install_moved(current_pool(), handle, flags, limit);

		if (fd < 0 || put_user(fd, slot))
			break;
		n++;
	}
	if (n < control->handle_count)
		writer->flags |= MSG_CTRUNC;
	if (!n)
		return;
	header = (struct cmsghdr){ CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	if (copy_to_user(writer->at, &header, sizeof(header)))
		return;
	space = MIN(CMSG_SPACE(n * sizeof(int)), writer->room);
	writer->at += space;
	writer->room -= space;
}

void control_to_user(const struct socket *socket, struct socket_control *control, bool cloexec,
		     struct control_writer *writer)
{
	const char *raw = control->raw;

	for (size_t at = 0; at < control->raw_length;) {
		const struct cmsghdr *header = (const struct cmsghdr *)(raw + at);

		put_control(writer, header->cmsg_level, header->cmsg_type, CMSG_DATA(header),
			    header->cmsg_len - CMSG_LEN(0));
		at += CMSG_ALIGN(header->cmsg_len);
	}
	if (socket->options & SOCKET_PASS_CREDENTIALS) {
		struct ucred sender = { (unsigned)pid_to_user(control->pid), control->uid,
					control->gid };

		put_control(writer, SOL_SOCKET, SCM_CREDENTIALS, &sender, sizeof(sender));
	}
	if (control->handle_count)
		put_handles(writer, control, cloexec);
}
