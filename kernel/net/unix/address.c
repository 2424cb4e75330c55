/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of AF_UNIX sockets (unix(7)): paths, where the socket file's inode is the key, and abstract names,
 * which exist only here. One table holds both; a socket in it is found with a reference.
 */
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <net/unix/unix.h>
#include <net/unix/unix_priv.h>
#include <obj/inode.h>

#include <linux/fcntl.h>
#include <linux/net.h>
#include <linux/stat.h>
#include <sys/socket.h>

#define NAME_BITS 8
#define NAME_OFFSET offsetof(struct sockaddr_un, sun_path)

static struct spinlock names_lock = SPINLOCK_INIT(RANK_NET_HASH);
static struct unix_socket *names[1 << NAME_BITS] __guarded_by(&names_lock);
static struct list_head all_sockets __guarded_by(&names_lock) = LIST_INIT(all_sockets);

int unix_check_address(const struct socket_address *address)
{
	if (address->length < sizeof(address->family) || address->family != AF_UNIX)
		return -EINVAL;
	if (address->length == NAME_OFFSET)
		return 1;
	return address->length > sizeof(struct sockaddr_un) ? -EINVAL : 0;
}

static const struct sockaddr_un *name_of(const struct socket_address *address)
{
	return (const struct sockaddr_un *)&address->storage;
}

static u64 abstract_key(const struct sockaddr_un *name, unsigned length)
{
	return hash_bytes(name->sun_path, length - NAME_OFFSET, 0);
}

static u64 path_key(const struct inode *inode)
{
	return hash_u64((uintptr_t)inode);
}

static struct unix_socket **bucket_locked(u64 key) __must_hold(&names_lock)
{
	return &names[hash_bits(key, NAME_BITS)];
}

/* --- Finding --- */

static struct unix_socket *find_abstract_locked(const struct network_namespace *network,
						const struct sockaddr_un *name, unsigned length)
	__must_hold(&names_lock)
{
	u64 key = abstract_key(name, length);

	for (struct unix_socket *u = *bucket_locked(key); u; u = u->name_next)
		if (u->name_key == key && u->network == network && !u->path.dentry &&
		    u->address->length == length &&
		    !memcmp(u->address->name.sun_path, name->sun_path, length - NAME_OFFSET))
			return u;
	return nullptr;
}

static struct unix_socket *find_path_locked(const struct inode *inode) __must_hold(&names_lock)
{
	u64 key = path_key(inode);

	for (struct unix_socket *u = *bucket_locked(key); u; u = u->name_next)
		if (u->name_key == key && u->path.dentry && u->path.dentry->inode == inode)
			return u;
	return nullptr;
}

/* The terminated text of a path name, which may fill sun_path without a terminator. */
static void path_text_of(const struct socket_address *address, char out[sizeof(struct sockaddr_un)])
{
	size_t size = address->length - NAME_OFFSET;

	memcpy(out, name_of(address)->sun_path, size);
	out[size] = '\0';
}

static int find_by_path(const struct socket_address *address, struct unix_socket **out)
{
	char text[sizeof(struct sockaddr_un)];
	struct path path;
	int error;

	path_text_of(address, text);
	error = path_lookup(AT_FDCWD, text, LOOKUP_FOLLOW, &path);
	if (error)
		return error;
	error = inode_permission(path.dentry->inode, MAY_WRITE);
	if (!error) {
		spin_lock(&names_lock);
		*out = find_path_locked(path.dentry->inode);
		if (*out)
			unix_get(*out);
		spin_unlock(&names_lock);
		error = *out ? 0 : -ECONNREFUSED;
	}
	path_put(&path);
	return error;
}

static int find_by_name(const struct network_namespace *network,
			const struct socket_address *address, struct unix_socket **out)
{
	spin_lock(&names_lock);
	*out = find_abstract_locked(network, name_of(address), address->length);
	if (*out)
		unix_get(*out);
	spin_unlock(&names_lock);
	return *out ? 0 : -ECONNREFUSED;
}

int unix_find(const struct unix_socket *from, const struct socket_address *address,
	      struct unix_socket **out)
{
	int error = unix_check_address(address);

	if (error)
		return -EINVAL;
	error = name_of(address)->sun_path[0] ? find_by_path(address, out)
					      : find_by_name(from->network, address, out);
	if (error || (*out)->type == from->type)
		return error;
	unix_put(*out);
	return -EPROTOTYPE;
}

/* --- Binding --- */

static struct unix_address *address_create(const struct sockaddr_un *name, unsigned length)
{
	struct unix_address *address = kzalloc(sizeof(*address), 0);

	if (!address)
		return nullptr;
	address->refs = 1;
	address->length = length;
	memcpy(&address->name, name, MIN((size_t)length, sizeof(address->name)));
	return address;
}

void unix_address_put(struct unix_address *address)
{
	if (address && __atomic_sub_fetch(&address->refs, 1, __ATOMIC_ACQ_REL) == 0)
		kfree(address);
}

void unix_address_tell(const struct unix_address *address, struct socket_address *out)
{
	if (!address) {
		out->family = AF_UNIX;
		out->length = sizeof(out->family);
		return;
	}
	out->length = address->length;
	memcpy(&out->storage, &address->name, address->length);
}

/* Gives the socket its name for good. False if it has one already. */
static bool set_address(struct unix_socket *u, struct unix_address *address,
			const struct path *path)
{
	bool done;

	spin_lock(&u->lock);
	done = !u->address;
	if (done) {
		if (path)
			u->path = *path;
		__atomic_store_n(&u->address, address, __ATOMIC_RELEASE);
	}
	spin_unlock(&u->lock);
	return done;
}

static void enter_locked(struct unix_socket *u, u64 key) __must_hold(&names_lock)
{
	struct unix_socket **bucket = bucket_locked(key);

	u->name_key = key;
	u->name_next = *bucket;
	u->named = true;
	*bucket = u;
}

/* 0, -EADDRINUSE, -EINVAL (it has a name); the address moves in on success. */
static int bind_abstract(struct unix_socket *u, struct unix_address *address)
{
	u64 key = abstract_key(&address->name, address->length);

	/* No name is entered twice, and none half made: names_lock is held over both steps, so the
	 * socket's lock ranks below it. */
	spin_lock(&u->lock);
	spin_lock(&names_lock);
	int error = u->address ? -EINVAL : 0;

	if (!error && find_abstract_locked(u->network, &address->name, address->length))
		error = -EADDRINUSE;
	if (!error) {
		u->address = address;
		enter_locked(u, key);
	}
	spin_unlock(&names_lock);
	spin_unlock(&u->lock);
	return error;
}

static int bind_path(struct unix_socket *u, const struct socket_address *given)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	char text[sizeof(struct sockaddr_un)];
	struct unix_address *address;
	struct path path;
	size_t length;
	int error;

	path_text_of(given, text);
	length = strlen(text);
	memcpy(name.sun_path, text, MIN(length, sizeof(name.sun_path)));
	error = vfs_mknod(AT_FDCWD, text, S_IFSOCK | 0777, 0);
	if (error)
		return error == -EEXIST ? -EADDRINUSE : error;
	error = path_lookup(AT_FDCWD, text, 0, &path);
	if (error)
		return error;
	/* A name that fills sun_path has one byte more with its terminator, as on Linux. */
	address = address_create(&name, (unsigned)(NAME_OFFSET + length + 1));
	if (!address || !set_address(u, address, &path)) {
		path_put(&path);
		error = address ? -EINVAL : -ENOMEM;
		unix_address_put(address);
		return error;
	}
	spin_lock(&names_lock);
	enter_locked(u, path_key(path.dentry->inode));
	spin_unlock(&names_lock);
	return 0;
}

int unix_bind_name(struct unix_socket *u, const struct socket_address *given)
{
	struct unix_address *address;
	int error;

	if (READ_ONCE(u->address))
		return -EINVAL;
	if (name_of(given)->sun_path[0])
		return bind_path(u, given);
	address = address_create(name_of(given), given->length);
	if (!address)
		return -ENOMEM;
	error = bind_abstract(u, address);
	if (error)
		unix_address_put(address);
	return error;
}

/* unix(7), "Autobind feature": an abstract name of five hexadecimal digits. */
int unix_autobind(struct unix_socket *u)
{
	static u32 last;

	if (READ_ONCE(u->address))
		return 0;
	for (u32 tries = 0; tries < 1u << 20; tries++) {
		struct socket_address given = { .length = NAME_OFFSET + 6 };
		struct sockaddr_un *name = (struct sockaddr_un *)&given.storage;
		u32 number = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED) & 0xfffff;
		int error;

		name->sun_family = AF_UNIX;
		snprintf(name->sun_path + 1, 6, "%05x", number);
		error = unix_bind_name(u, &given);
		if (error != -EADDRINUSE)
			return error == -EINVAL ? 0 : error; /* another thread was faster */
	}
	return -ENOSPC;
}

void unix_names_add(struct unix_socket *u)
{
	spin_lock(&names_lock);
	list_add_tail(&all_sockets, &u->all_node);
	spin_unlock(&names_lock);
}

void unix_names_remove(struct unix_socket *u)
{
	spin_lock(&names_lock);
	if (u->named) {
		struct unix_socket **link = bucket_locked(u->name_key);

		while (*link != u)
			link = &(*link)->name_next;
		*link = u->name_next;
		u->named = false;
	}
	list_remove(&u->all_node);
	spin_unlock(&names_lock);
}

/* --- For those who list sockets --- */

static void describe(const struct unix_socket *u, struct unix_description *out)
{
	const struct unix_address *address = READ_ONCE(u->address);
	const struct unix_socket *peer = READ_ONCE(u->peer);
	size_t length = address ? address->length - NAME_OFFSET : 0;

	*out = (struct unix_description){
		.refs = u->refs,
		.type = (int)u->type,
		.inode = u->inode,
		.listening = u->state == UNIX_LISTENING,
		.state = u->state == UNIX_CONNECTED ? SS_CONNECTED : SS_UNCONNECTED,
	};
	if (out->listening) {
		out->queued = u->embryo_count;
		out->room = u->backlog;
	}
	if (peer)
		out->peer_inode = peer->inode;
	length = MIN(length, sizeof(out->name) - 1);
	for (size_t i = 0; i < length; i++)
		out->name[i] = address->name.sun_path[i] ? address->name.sun_path[i] : '@';
	if (length && address->name.sun_path[0])
		out->name[length - 1] = '\0'; /* the terminator of a path counts as length */
}

void unix_for_each(const struct network_namespace *network,
		   bool (*visit)(const struct unix_description *socket, void *arg), void *arg)
{
	struct unix_description description;
	struct unix_socket *u;

	spin_lock(&names_lock);
	list_for_each (u, &all_sockets, all_node) {
		if (u->network != network)
			continue;
		describe(u, &description);
		if (!visit(&description, arg))
			break;
	}
	spin_unlock(&names_lock);
}
