/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Derivation and revocation: the pruning of the tree, then random operations against a model that keeps every node. */
#include <lib/errno.h>
#include <lib/test.h>
#include <mm/aspace.h>
#include <mm/slab.h>
#include <obj/handle.h>
#include <sched/thread.h>

/* Mappings are tested in the guest. */
void aspace_get(struct aspace *as)
{
}

void aspace_put(struct aspace *as)
{
}

void aspace_unmap_derived(struct aspace *as, const struct derivation *derivation)
{
}

bool thread_interrupt(struct thread *thread, bool fatal)
{
	return false;
}

void thread_kick(struct thread *thread)
{
}

static int live;

static void thing_free(struct rcu_head *head)
{
	kfree(container_of(head, struct object, rcu));
}

static void thing_destroy(struct object *object)
{
	live--;
	rcu_call(&object->rcu, thing_free);
}

static const struct object_type thing_type = { .name = "thing", .destroy = thing_destroy };

static struct object *make(void)
{
	struct object *object = kmalloc(sizeof(*object), 0);

	if (object) {
		object_init(object, &thing_type);
		live++;
	}
	return object;
}

static void start(void)
{
	static bool initialised;

	if (!initialised)
		pool_init();
	initialised = true;
	live = 0;
}

static int use(struct pool *pool, int fd)
{
	struct object *object;
	int error = handle_get(pool, fd, nullptr, 0, &object);

	if (!error)
		object_put(object);
	(void)derivation_leave_all();
	return error;
}

TEST(derivation_revokes_the_subtree_only)
{
	struct object *object;
	struct pool *pool;

	start();
	REQUIRE(pool_create(nullptr, &pool) == 0);
	object = make();
	EXPECT_EQ(handle_install(pool, object, RIGHTS_ALL, 0, 0, 99), 0);
	EXPECT_EQ(handle_derive(pool, 0, RIGHTS_SAME, 0, 0, 99), 1);
	EXPECT_EQ(handle_derive(pool, 1, RIGHTS_SAME, 7, 0, 99), 2);
	EXPECT_EQ(handle_derive(pool, 2, RIGHTS_ALL & ~RIGHT_DERIVE, 0, 0, 99), 3);
	EXPECT_EQ(handle_derive(pool, 1, RIGHTS_SAME, 0, 0, 99), 4);
	EXPECT_EQ(handle_derive(pool, 3, RIGHTS_SAME, 0, 0, 99), -EACCES);
	EXPECT_EQ(handle_derive(pool, 2, RIGHTS_SAME, 8, 0, 99), -EACCES);
	EXPECT_EQ(handle_revoke(pool, 2), 1);
	EXPECT_EQ(use(pool, 3), -EKEYREVOKED);
	EXPECT_EQ(use(pool, 2), 0);
	/* What is below a closed node is found from above it. */
	EXPECT_EQ(handle_derive(pool, 2, RIGHTS_SAME, 0, 0, 99), 5);
	EXPECT_EQ(handle_derive(pool, 2, RIGHTS_SAME, 0, 0, 99), 6);
	EXPECT_EQ(handle_close(pool, 2), 0);
	EXPECT_EQ(handle_close(pool, 6), 0);
	EXPECT_EQ(handle_revoke(pool, 1), 2);
	EXPECT_EQ(use(pool, 4), -EKEYREVOKED);
	EXPECT_EQ(use(pool, 5), -EKEYREVOKED);
	EXPECT_EQ(use(pool, 1), 0);
	EXPECT_EQ(handle_revoke(pool, 0), 1);
	EXPECT_EQ(use(pool, 1), -EKEYREVOKED);
	pool_user_put(pool);
	object_put(object);
	EXPECT_EQ(live, 0);
}

TEST(derivation_of_a_chain_stays_small)
{
	struct object *object;
	struct derivation *root;
	struct pool *pool;

	start();
	REQUIRE(pool_create(nullptr, &pool) == 0);
	object = make();
	EXPECT_EQ(handle_install(pool, object, RIGHTS_ALL, 0, 0, 99), 0);
	EXPECT_EQ(handle_derive(pool, 0, RIGHTS_SAME, 0, 0, 99), 1);
	/* Each link is closed once the next is made: (D4). */
	for (int i = 0; i < 100; i++) {
		EXPECT_EQ(handle_derive(pool, 1, RIGHTS_SAME, 0, 0, 99), 2);
		EXPECT_EQ(handle_close(pool, 1), 0);
		EXPECT_EQ(handle_duplicate(pool, 2, RIGHTS_SAME, 0, 0, 99), 1);
		EXPECT_EQ(handle_close(pool, 2), 0);
	}
	root = object->derivation_root;
	EXPECT(list_first(&root->children, struct derivation, sibling)->handles == 1);
	EXPECT_EQ(handle_revoke(pool, 0), 1);
	pool_user_put(pool);
	object_put(object);
	EXPECT_EQ(live, 0);
}

TEST_NO_MEMORY(derivation_without_memory)
{
	struct object *object;
	struct pool *pool;
	int error;

	start();
	if (pool_create(nullptr, &pool))
		return;
	object = make();
	if (object) {
		EXPECT_EQ(handle_install(pool, object, RIGHTS_ALL, 0, 0, 99), 0);
		error = handle_derive(pool, 0, RIGHTS_SAME, 0, 0, 99);
		EXPECT(error == 1 || (error == -ENOMEM && test_allocation_failed()));
		if (error == 1) {
			error = use(pool, 1);
			EXPECT(!error || (error == -ENOMEM && test_allocation_failed()));
			EXPECT_EQ(handle_revoke(pool, 0), 1);
		} else {
			EXPECT_EQ(handle_revoke(pool, 0), 0);
			EXPECT_EQ(handle_flags(pool, 1), -EBADF); /* nothing was left behind */
		}
		object_put(object);
	}
	pool_user_put(pool);
	EXPECT_EQ(live, 0);
}

/* --- the model: every derivation that ever was, and what each slot holds --- */

#define SLOTS 48
#define NODES 200000

static struct {
	int parent[NODES]; /* -1: an underived handle of the object */
	bool revoked[NODES];
	int count;
	int node[SLOTS]; /* -2: empty */
	u32 rights[SLOTS];
	u64 badge[SLOTS];
} model;

static u32 random_state;

static u32 random_below(u32 n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (u32)((u64)random_state * n >> 32);
}

static int model_free_slot(void)
{
	for (int i = 0; i < SLOTS; i++)
		if (model.node[i] == -2)
			return i;
	return -EMFILE;
}

static bool model_revoked(int node)
{
	return node >= 0 && model.revoked[node];
}

/* Parents come before children, so one pass in order finds all below `node`. */
static void model_revoke(int node)
{
	static bool below[NODES];

	for (int i = 0; i < model.count; i++) {
		below[i] =
			model.parent[i] == node || (model.parent[i] >= 0 && below[model.parent[i]]);
		if (below[i])
			model.revoked[i] = true;
	}
}

static void step_derive(struct pool *pool, int fd)
{
	u32 rights = random_below(4) ? RIGHTS_SAME : model.rights[fd] & ~BIT(random_below(11));
	u64 badge = random_below(3) ? 0 : 1 + random_below(3);
	int expected = model_free_slot();

	if (model.node[fd] == -2)
		expected = -EBADF;
	else if (!(model.rights[fd] & RIGHT_DERIVE))
		expected = -EACCES;
	else if (badge && model.badge[fd] && badge != model.badge[fd])
		expected = -EACCES;
	else if (model_revoked(model.node[fd]))
		expected = -EKEYREVOKED;
	EXPECT_EQ(handle_derive(pool, fd, rights, badge, 0, SLOTS), expected);
	if (expected < 0)
		return;
	model.parent[model.count] = model.node[fd];
	model.revoked[model.count] = false;
	model.node[expected] = model.count++;
	model.rights[expected] = rights == RIGHTS_SAME ? model.rights[fd] : rights;
	model.badge[expected] = model.badge[fd] ?: badge;
}

static void step_duplicate(struct pool *pool, int fd)
{
	int expected = model_free_slot();

	if (model.node[fd] == -2)
		expected = -EBADF;
	else if (!(model.rights[fd] & RIGHT_DUPLICATE))
		expected = -EACCES;
	else if (model_revoked(model.node[fd]))
		expected = -EKEYREVOKED;
	EXPECT_EQ(handle_duplicate(pool, fd, RIGHTS_SAME, 0, 0, SLOTS), expected);
	if (expected < 0)
		return;
	model.node[expected] = model.node[fd];
	model.rights[expected] = model.rights[fd];
	model.badge[expected] = model.badge[fd];
}

static void step(struct pool *pool)
{
	int fd = (int)random_below(SLOTS);
	u32 choice = random_below(64);

	if (choice < 24) {
		step_derive(pool, fd);
	} else if (choice < 36) {
		step_duplicate(pool, fd);
	} else if (choice < 62 && fd) {
		EXPECT_EQ(handle_close(pool, fd), model.node[fd] == -2 ? -EBADF : 0);
		model.node[fd] = -2;
	} else if (choice >= 62 && model.node[fd] != -2 && !model_revoked(model.node[fd]) &&
		   model.rights[fd] & RIGHT_REVOKE) {
		EXPECT(handle_revoke(pool, fd) >= 0);
		model_revoke(model.node[fd]);
	}
}

static void compare(struct pool *pool)
{
	for (int fd = 0; fd < SLOTS; fd++) {
		struct handle copy;
		int node = model.node[fd];

		EXPECT_EQ(use(pool, fd), node == -2	       ? -EBADF
					 : model_revoked(node) ? -EKEYREVOKED
							       : 0);
		if (handle_get_copy(pool, fd, &copy))
			continue;
		EXPECT(copy.rights == model.rights[fd] && copy.badge == model.badge[fd]);
		handle_copy_put(&copy);
	}
}

static void run(void)
{
	struct object *object;
	struct pool *pool;

	model.count = 0;
	for (int i = 0; i < SLOTS; i++)
		model.node[i] = -2;
	REQUIRE(pool_create(nullptr, &pool) == 0);
	object = make();
	EXPECT_EQ(handle_install(pool, object, RIGHTS_ALL, 0, 0, SLOTS), 0);
	model.node[0] = -1;
	model.rights[0] = RIGHTS_ALL;
	model.badge[0] = 0;
	for (int i = 0; i < 200000 && model.count < NODES - 1 && !test_has_failed(); i++) {
		step(pool);
		if (i % 64 == 0)
			compare(pool);
		if (i % 4096 == 0)
			rcu_barrier();
	}
	pool_user_put(pool);
	object_put(object);
	EXPECT_EQ(live, 0);
}

TEST(derivation_agrees_with_a_model)
{
	start();
	random_state = 7;
	for (int round = 0; round < host_scale(); round++)
		run();
}
