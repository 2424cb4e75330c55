/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File notification.
 *
 * A group (one inotify file) has marks, each on one inode. Events go to the marks of the inode they are about and, with the
 * name, to those of the directory that the file was found in; the directory's come first, as on Linux.
 *
 * (N1) Marks hang on inode->marks, group->marks and `all`, all guarded by notify_lock. Events are delivered under it, so a
 *      group never sees one after its mark was taken off.
 * (N2) A mark holds a reference of its inode. It ends with the group, with the inode's last name (notify_removed, called
 *      when the last user of the name is gone), with the file system, or with the first event (IN_ONESHOT). Marks that end
 *      inside a delivery are freed behind it, because dropping the inode may sleep.
 * (N3) file_watch_count is the number of marks. Where it is 0 nobody looks further.
 *
 * One lock for all: where something is watched, events are few. Rejected: a lock per inode, 8 bytes in each for the few
 * that are ever watched.
 */
#include <lib/string.h>
#include <vfs/dcache.h>
#include <vfs/notify.h>

#include <linux/limits.h>

struct spinlock notify_lock = SPINLOCK_INIT(RANK_INODE_STATE);
static struct list_head all __guarded_by(&notify_lock) = LIST_INIT(all);

void notify_mark_add_locked(struct notify_mark *mark)
{
	inode_get(mark->inode);
	mark->next = mark->inode->marks;
	WRITE_ONCE(mark->inode->marks, mark);
	list_add(&mark->group->marks, &mark->group_node);
	list_add(&all, &mark->all_node);
	__atomic_fetch_add(&file_watch_count, 1, __ATOMIC_RELAXED);
}

struct notify_mark *notify_mark_find_locked(struct notify_group *group, struct inode *inode)
{
	struct notify_mark *mark = inode->marks;

	while (mark && mark->group != group)
		mark = mark->next;
	return mark;
}

/* Takes a mark off; it goes to the list `dead`, to be freed by bury(). */
static void take_off_locked(struct notify_mark *mark, struct list_head *dead)
	__must_hold(&notify_lock)
{
	struct notify_mark **link = &mark->inode->marks;

	while (*link != mark)
		link = &(*link)->next;
	WRITE_ONCE(*link, mark->next);
	list_remove(&mark->group_node);
	list_remove(&mark->all_node);
	list_add_tail(dead, &mark->all_node);
	__atomic_fetch_sub(&file_watch_count, 1, __ATOMIC_RELAXED);
}

static void bury(struct list_head *dead)
{
	struct notify_mark *mark, *next;

	list_for_each_safe (mark, next, dead, all_node) {
		inode_put(mark->inode);
		mark->group->ops->free(mark);
	}
}

void notify_mark_remove(struct notify_mark *mark)
{
	struct list_head dead = LIST_INIT(dead);

	take_off_locked(mark, &dead);
	spin_unlock(&notify_lock);
	bury(&dead);
}

void notify_group_remove_marks(struct notify_group *group)
{
	struct list_head dead = LIST_INIT(dead);

	spin_lock(&notify_lock);
	while (!list_empty(&group->marks))
		take_off_locked(list_first(&group->marks, struct notify_mark, group_node), &dead);
	spin_unlock(&notify_lock);
	bury(&dead);
}

/* An end that the group did not ask for. */
static void detach_locked(struct notify_mark *mark, struct list_head *dead)
	__must_hold(&notify_lock)
{
	take_off_locked(mark, dead);
	mark->group->ops->detached(mark);
}

static void deliver_locked(struct inode *inode, const struct notify_event *event, bool unlinked,
			   struct list_head *dead) __must_hold(&notify_lock)
{
	struct notify_mark *mark = inode->marks, *next;

	for (; mark; mark = next) {
		next = mark->next;
		if (!(mark->mask & event->mask & (IN_ALL_EVENTS | IN_UNMOUNT)))
			continue;
		if (unlinked && (mark->mask & IN_EXCL_UNLINK))
			continue;
		mark->group->ops->event(mark, event);
		if (mark->mask & IN_ONESHOT)
			detach_locked(mark, dead);
	}
}

static u32 directory_bit(const struct inode *inode)
{
	return inode && S_ISDIR(inode->mode) ? IN_ISDIR : 0;
}

/* The name of a dentry as it is now, in `text`, and its directory; null: it has none. Under RCU. */
static struct inode *parent_and_name(struct dentry *dentry, char text[NAME_MAX + 1], u32 *length)
{
	struct dentry *parent;

	spin_guard(&namespace_lock);
	parent = dentry->parent;
	if (parent == dentry || !parent->inode || !READ_ONCE(parent->inode->marks))
		return nullptr;
	*length = dentry->name_length;
	memcpy(text, dentry->name, dentry->name_length);
	text[dentry->name_length] = 0;
	return parent->inode;
}

void notify_dentry_watched(struct dentry *dentry, u32 event)
{
	struct notify_event e = { .mask = event | directory_bit(dentry->inode) };
	struct list_head dead = LIST_INIT(dead);
	struct inode *dir;
	char name[NAME_MAX + 1];

	rcu_read_lock();
	dir = parent_and_name(dentry, name, &e.name_length);
	spin_lock(&notify_lock);
	if (dir) {
		e.name = name;
		deliver_locked(dir, &e, READ_ONCE(dentry->flags) & DENTRY_UNLINKED, &dead);
		e.name = nullptr;
	}
	deliver_locked(dentry->inode, &e, false, &dead);
	spin_unlock(&notify_lock);
	rcu_read_unlock();
	bury(&dead);
}

static void deliver(struct inode *inode, const struct notify_event *event)
{
	struct list_head dead = LIST_INIT(dead);

	if (!READ_ONCE(inode->marks))
		return;
	spin_lock(&notify_lock);
	deliver_locked(inode, event, false, &dead);
	spin_unlock(&notify_lock);
	bury(&dead);
}

void notify_entry_watched(struct inode *dir, u32 event, const char *name, u32 length,
			  const struct inode *child, u32 cookie)
{
	struct notify_event e = { event | directory_bit(child), cookie, name, length };

	deliver(dir, &e);
}

void notify_inode_watched(struct inode *inode, u32 event)
{
	struct notify_event e = { .mask = event | directory_bit(inode) };

	deliver(inode, &e);
}

void notify_rename(const struct notify_place *from, const struct notify_place *to,
		   struct inode *source, struct inode *replaced)
{
	static u32 last_cookie;
	u32 cookie;

	if (likely(!READ_ONCE(file_watch_count)))
		return;
	cookie = __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED);
	notify_entry_watched(from->dir, IN_MOVED_FROM, from->name, from->length, source, cookie);
	notify_entry_watched(to->dir, IN_MOVED_TO, to->name, to->length, source, cookie);
	if (replaced)
		notify_inode_watched(replaced, IN_ATTRIB);
	notify_inode_watched(source, IN_MOVE_SELF);
}

/* Tells all marks of an inode that it ends, and takes them off. */
static void end_locked(struct inode *inode, u32 mask, struct list_head *dead)
	__must_hold(&notify_lock)
{
	struct notify_event e = { .mask = mask | directory_bit(inode) };

	deliver_locked(inode, &e, false, dead);
	while (inode->marks)
		detach_locked(inode->marks, dead);
}

void notify_removed_watched(struct inode *inode)
{
	struct list_head dead = LIST_INIT(dead);

	spin_lock(&notify_lock);
	end_locked(inode, IN_DELETE_SELF, &dead);
	spin_unlock(&notify_lock);
	bury(&dead);
}

static struct notify_mark *find_in_superblock_locked(const struct superblock *sb)
	__must_hold(&notify_lock)
{
	struct notify_mark *mark;

	list_for_each (mark, &all, all_node) {
		if (mark->inode->superblock == sb)
			return mark;
	}
	return nullptr;
}

void notify_superblock_gone(struct superblock *sb)
{
	struct list_head dead = LIST_INIT(dead);
	struct notify_mark *mark;

	if (likely(!READ_ONCE(file_watch_count)))
		return;
	spin_lock(&notify_lock);
	while ((mark = find_in_superblock_locked(sb)))
		end_locked(mark->inode, IN_UNMOUNT, &dead);
	spin_unlock(&notify_lock);
	bury(&dead);
}

void notify_init(void)
{
	file_event_hook = notify_file;
}
