/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared subtrees: mount_namespaces(7).
 *
 * Mounts that are peers are in one struct peer_group. A slave knows the group that is its master; a mount may be both. What happens on a peer
 * happens on all its peers, on all slaves of the group, on their peers, and so on: `collect` lists them.
 *
 * (P1) All peers of a group have the same master. So groups form a forest, and a group is reached through one master only.
 * (P2) A group without peers does not exist: its slaves go to the master that its last peer had.
 * (P3) Only mounts in a name space's tree are told (mount->ns); a tree that is being built is not.
 * (P4) The tree under construction is copied first, for all places; only then anything is attached, which cannot fail.
 *
 * Everything here runs under mount_tree_lock held for writing. Nothing recurses: user space decides how long chains of slaves are.
 */
#include <lib/errno.h>
#include <lib/format.h>
#include <lib/idr.h>
#include <mm/slab.h>
#include <vfs/dcache.h>
#include <vfs/namespace_file.h>
#include <vfs/propagation.h>

#include <linux/mount.h>

struct peer_group {
	int id;
	struct list_head peers, slaves; /* of mounts, by peer_node and slave_node */
	/* Private to `collect` and what follows it. */
	bool visited;
	struct peer_group *next;
	struct mount *copy; /* what was attached to its peers */
};

static struct idr ids = IDR_INIT;

static int join_new_group(struct mount *mount)
{
	struct peer_group *group = kzalloc(sizeof(*group), 0);

	if (!group)
		return -ENOMEM;
	group->id = idr_alloc(&ids, group, 1, INT32_MAX);
	if (group->id < 0) {
		kfree(group);
		return -ENOMEM;
	}
	list_init(&group->peers);
	list_init(&group->slaves);
	mount->group = group;
	list_add_tail(&group->peers, &mount->peer_node);
	return 0;
}

static int make_shared(struct mount *mount)
{
	mount->unbindable = false;
	return mount->group ? 0 : join_new_group(mount);
}

static void set_master(struct mount *mount, struct peer_group *master)
{
	if (mount->master)
		list_remove(&mount->slave_node);
	mount->master = master;
	if (master)
		list_add_tail(&master->slaves, &mount->slave_node);
}

static void leave_group(struct mount *mount)
{
	struct peer_group *group = mount->group;
	struct mount *slave;

	if (!group)
		return;
	list_remove(&mount->peer_node);
	mount->group = nullptr;
	if (!list_empty(&group->peers))
		return;
	while (!list_empty(&group->slaves)) {
		slave = list_first(&group->slaves, struct mount, slave_node);
		set_master(slave, mount->master);
	}
	(void)idr_remove(&ids, (u32)group->id);
	kfree(group);
}

void mount_make_private(struct mount *mount)
{
	leave_group(mount);
	set_master(mount, nullptr);
	mount->unbindable = false;
}

/* The last of its peers becomes a slave of its own master, or private. */
static void make_slave(struct mount *mount)
{
	struct peer_group *group = mount->group;

	mount->unbindable = false;
	if (!group)
		return;
	if (group->peers.next != group->peers.prev)
		set_master(mount, group);
	leave_group(mount);
}

int mount_set_propagation(struct mount *mount, u64 type)
{
	switch (type) {
	case MS_SHARED:
		return make_shared(mount);
	case MS_SLAVE:
		make_slave(mount);
		return 0;
	default:
		mount_make_private(mount);
		mount->unbindable = type == MS_UNBINDABLE;
		return 0;
	}
}

void mount_join(struct mount *to, const struct mount *from)
{
	to->group = from->group;
	if (to->group)
		list_add_tail(&to->group->peers, &to->peer_node);
	set_master(to, from->master);
}

int mount_clone(struct mount *from, struct dentry *root, enum mount_relation relation,
		struct mount **out)
{
	struct mount *mount;
	int err = mount_create(from->superblock, root, from->flags, from->source, &mount);

	if (err)
		return err;
	if (relation == MOUNT_PEER)
		mount_join(mount, from);
	else if (relation == MOUNT_SLAVE)
		set_master(mount, from->group);
	mount->unbindable = relation == MOUNT_PEER && from->unbindable;
	*out = mount;
	return 0;
}

/* The next after `m` in the tree of `top`, leaving out what is on `m`. */
static struct mount *next_beside(struct mount *top, struct mount *m)
{
	for (; m != top; m = m->parent) {
		if (m->sibling.next != &m->parent->children)
			return list_entry(m->sibling.next, struct mount, sibling);
	}
	return nullptr;
}

static struct mount *next_to_clone(struct mount *top, struct dentry *root, bool unbindable,
				   struct mount *m) __must_hold(&mount_tree_lock)
{
	m = mount_next_below(top, m);
	while (m && ((m->unbindable && !unbindable) || namespace_is_of_mounts(m->root->inode) ||
		     (m->parent == top && !dentry_is_below(m->mountpoint, root))))
		m = next_beside(top, m);
	return m;
}

/* Walks both trees in step. */
int mount_clone_tree(struct mount *top, struct dentry *root, enum mount_relation relation,
		     bool unbindable, struct mount **out)
{
	struct mount *source = top, *target, *copy, *m;
	int err = mount_clone(top, root, relation, &copy);

	if (err)
		return err;
	target = copy;
	top->copy = copy;
	for (m = next_to_clone(top, root, unbindable, top); m;
	     m = next_to_clone(top, root, unbindable, m)) {
		struct mount *child;
		struct path where;

		for (; source != m->parent; target = target->parent)
			source = source->parent;
		err = mount_clone(m, m->root, relation, &child);
		if (err) {
			mount_dissolve_locked(copy);
			return err;
		}
		where = (struct path){ target, m->mountpoint };
		mount_attach(child, &where);
		m->copy = child;
		source = m;
		target = child;
	}
	*out = copy;
	return 0;
}

bool mount_tree_has_unbindable(struct mount *top)
{
	for (struct mount *m = top; m; m = mount_next_below(top, m)) {
		if (m->unbindable)
			return true;
	}
	return false;
}

struct targets {
	struct mount *first, **end; /* by next_target */
	struct peer_group *groups;  /* all that were met */
};

static void add_target(struct targets *t, struct mount *mount)
{
	if (!mount->ns)
		return;
	mount->next_target = nullptr;
	*t->end = mount;
	t->end = &mount->next_target;
}

/* Everybody whom an event on a peer of `group` concerns, masters before slaves. */
static void collect(struct targets *t, struct peer_group *group)
{
	struct peer_group *last = group;
	struct mount *m;

	*t = (struct targets){ .groups = group };
	t->end = &t->first;
	group->visited = true;
	for (; group; group = group->next) {
		group->copy = nullptr;
		list_for_each (m, &group->peers, peer_node)
			add_target(t, m);
		list_for_each (m, &group->slaves, slave_node) {
			if (!m->group) {
				add_target(t, m);
			} else if (!m->group->visited) {
				m->group->visited = true;
				last->next = m->group;
				last = m->group;
			}
		}
	}
}

static void collect_end(struct targets *t)
{
	struct peer_group *next;

	for (struct peer_group *group = t->groups; group; group = next) {
		next = group->next;
		group->next = nullptr;
		group->visited = false;
		group->copy = nullptr;
	}
}

static int make_tree_shared(struct mount *top) __must_hold(&mount_tree_lock)
{
	int err = 0;

	for (struct mount *m = top; m && !err; m = mount_next_below(top, m))
		err = make_shared(m);
	return err;
}

/* A copy of the tree for `target`: a peer of what its peers got, else a slave of what its master, or the master of that, got. */
static int copy_for(struct mount *target, struct mount **out) __must_hold(&mount_tree_lock)
{
	struct peer_group *own = target->group, *from;
	struct mount *source;
	int err;

	if (own && own->copy)
		return mount_clone_tree(own->copy, own->copy->root, MOUNT_PEER, false, out);
	for (from = target->master; !from->copy;)
		from = list_first(&from->peers, struct mount, peer_node)->master;
	source = from->copy;
	err = mount_clone_tree(source, source->root, MOUNT_SLAVE, false, out);
	if (err || !own)
		return err;
	err = make_tree_shared(*out);
	if (err)
		mount_dissolve_locked(*out);
	else
		own->copy = *out;
	return err;
}

/* A copy is attached below what covers its place already: later mounts hide earlier ones. */
static void attach_below(struct mount *copy, struct mount *target, struct dentry *dentry)
	__must_hold(&mount_tree_lock)
{
	struct mount *cover = mount_find_rcu(target, dentry), *top = copy, *next;
	struct path where = { target, dentry }, old;

	if (cover)
		mount_detach(cover, &old);
	mount_attach(copy, &where);
	if (!cover)
		return;
	while ((next = mount_find_rcu(top, top->root)))
		top = next;
	where = (struct path){ top, top->root };
	mount_attach(cover, &where);
	path_put(&old);
}

/* Copies for all places but the first, chained by next_work, each with the mount it goes on in `place`. */
static int prepare_copies(struct mount *top, const struct path *where, struct targets *t,
			  struct mount **out) __must_hold(&mount_tree_lock)
{
	struct mount *copy, *m, **end = out;
	int err = make_tree_shared(top);

	*out = nullptr;
	collect(t, where->mount->group);
	where->mount->group->copy = top;
	for (m = t->first; m && !err; m = m->next_target) {
		if (m == where->mount || !dentry_is_below(where->dentry, m->root))
			continue;
		err = copy_for(m, &copy);
		if (err)
			break;
		copy->place = m;
		*end = copy;
		end = &copy->next_work;
		*end = nullptr;
	}
	collect_end(t);
	return err;
}

static void attach_moved(struct mount *top, const struct path *where, bool moved)
	__must_hold(&mount_tree_lock)
{
	struct path old;

	if (moved)
		mount_detach(top, &old);
	mount_attach(top, where);
	if (moved)
		path_put(&old);
}

int mount_attach_everywhere(struct mount *top, const struct path *where, bool moved)
{
	struct mount *copies, *copy, *next;
	struct targets targets;
	int err;

	if (!where->mount->group) {
		attach_moved(top, where, moved);
		return 0;
	}
	err = prepare_copies(top, where, &targets, &copies);
	if (!err)
		attach_moved(top, where, moved);
	for (copy = copies; copy; copy = next) {
		next = copy->next_work;
		if (err)
			mount_dissolve_locked(copy);
		else
			attach_below(copy, copy->place, where->dentry);
	}
	return err;
}

/* The mount at the same place of another peer or slave, if it is not lost already. */
static struct mount *counterpart(struct mount *mount, struct mount *target)
{
	struct mount *found =
		target == mount->parent ? nullptr : mount_find_rcu(target, mount->mountpoint);

	return found && !found->doomed ? found : nullptr;
}

/* Nothing is mounted on it that stays, but for what hides it as a whole. */
static bool can_go(const struct mount *mount)
{
	const struct mount *m;

	list_for_each (m, &mount->children, sibling) {
		if (!m->doomed && m->mountpoint != mount->root)
			return false;
	}
	return true;
}

int mount_check_idle(struct mount *mount)
{
	struct targets targets;
	int err = 0;

	if (!mount->parent->group)
		return 0;
	collect(&targets, mount->parent->group);
	for (struct mount *m = targets.first; m; m = m->next_target) {
		struct mount *other = counterpart(mount, m);

		if (other && list_empty(&other->children) && READ_ONCE(other->refs) != 1)
			err = -EBUSY;
	}
	collect_end(&targets);
	return err;
}

struct doomed {
	struct mount *first, **end;
};

static void doom(struct doomed *list, struct mount *mount)
{
	mount->doomed = true;
	mount->next_work = nullptr;
	*list->end = mount;
	list->end = &mount->next_work;
}

static void doom_counterparts(struct doomed *list, struct mount *mount)
	__must_hold(&mount_tree_lock)
{
	struct targets targets;

	if (!mount->parent || !mount->parent->group)
		return;
	collect(&targets, mount->parent->group);
	for (struct mount *m = targets.first; m; m = m->next_target) {
		struct mount *other = counterpart(mount, m);

		if (other && can_go(other))
			doom(list, other);
	}
	collect_end(&targets);
}

/* What covered the whole of a mount that goes covers what that was on. */
static void remove_doomed(struct mount *mount) __must_hold(&mount_tree_lock)
{
	struct mount *cover = nullptr, *m;
	struct path old = {}, where;

	list_for_each (m, &mount->children, sibling) {
		if (!m->doomed)
			cover = m;
	}
	if (cover)
		mount_detach(cover, &old);
	if (mount->parent) {
		mount_detach(mount, &where);
		if (cover)
			mount_attach(cover, &where);
		path_put(&where);
	}
	if (cover)
		path_put(&old);
	mount_make_private(mount);
	mount->attached = false;
	mount->ns = nullptr;
	mount_forget(mount);
}

static struct mount *leaf_of(struct mount *m)
{
	while (!list_empty(&m->children))
		m = list_first(&m->children, struct mount, sibling);
	return m;
}

struct mount *mount_detach_everywhere(struct mount *top)
{
	struct doomed list;
	struct mount *m;

	list.first = nullptr;
	list.end = &list.first;
	/* Children before parents: what has lost all that was on it may go itself. */
	for (m = leaf_of(top);;
	     m = m->sibling.next == &m->parent->children
			 ? m->parent
			 : leaf_of(list_entry(m->sibling.next, struct mount, sibling))) {
		doom(&list, m);
		if (m == top)
			break;
	}
	for (m = list.first; m; m = m == top ? nullptr : m->next_work)
		doom_counterparts(&list, m);
	for (m = list.first; m; m = m->next_work)
		remove_doomed(m);
	return list.first;
}

void mount_put_chain(struct mount *chain)
{
	struct mount *next;

	for (; chain; chain = next) {
		next = chain->next_work;
		chain->doomed = false;
		mount_put(chain);
	}
}

/* True if `mount` is at or below `root` in the tree of mounts. */
static bool is_reachable(const struct mount *mount, const struct path *root)
{
	for (; mount; mount = mount->parent) {
		if (mount == root->mount)
			return true;
		if (mount->parent == root->mount)
			return dentry_is_below(mount->mountpoint, root->dentry);
	}
	return false;
}

/* The nearest group, from the master upwards, of which the reader can see a member. */
static int dominating_id(const struct mount *mount, const struct path *root)
{
	const struct peer_group *group = mount->master;
	const struct mount *m;

	while (group) {
		list_for_each (m, &group->peers, peer_node) {
			if (m->ns == root->mount->ns && is_reachable(m, root))
				return group->id;
		}
		group = list_first(&group->peers, struct mount, peer_node)->master;
	}
	return 0;
}

size_t mount_propagation_text(const struct mount *mount, const struct path *root, char *buf,
			      size_t size)
{
	size_t n = 0;

	*buf = '\0';
	if (mount->group)
		n += (size_t)scnprintf(buf, size, " shared:%d", mount->group->id);
	if (mount->master) {
		int from = dominating_id(mount, root);

		n += (size_t)scnprintf(buf + n, size - n, " master:%d", mount->master->id);
		if (from && from != mount->master->id)
			n += (size_t)scnprintf(buf + n, size - n, " propagate_from:%d", from);
	}
	if (mount->unbindable)
		n += (size_t)scnprintf(buf + n, size - n, " unbindable");
	return n;
}
