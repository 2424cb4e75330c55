/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Look-up, derivation and revocation (kernel/obj/derivation.c) as a model for spin:
 *
 *   spin -a revoke.pml && cc -O2 -DSAFETY -o pan pan.c && ./pan -m100000
 *
 * Node 0 is the root; 1 is derived from it; others are derived while the model runs, each from a node that its deriver can use. A
 * revoker revokes what is below the root. Checked in every interleaving:
 *
 *   no use after revoke    once the revoker has returned nobody is between look-up and end of a call through a revoked node
 *   no right gained        a node's rights are a subset of its parent's
 *   nothing lost           every node below the root is revoked when the revoker returns, or was made after it
 *
 * Rights are sets of bits, and "parent" is -1 for a node that is not made yet.
 */
#define NODES 4
#define USERS 2

byte rights[NODES];
short parent[NODES] = -1;
bool revoked[NODES];
byte users[NODES];	/* calls in progress, as node->uses */
bool using[NODES];	/* somebody is past the check of the mark */
byte made = 2;
bool lock;		/* derivation_lock */
bool begun, done;	/* the revocation */
bool late[NODES];	/* made after the revocation collected its nodes */

#define LOCK atomic { !lock -> lock = true }
#define UNLOCK lock = false

/* A call through a node: announce, look at the mark, work, leave. Perhaps it derives. */
proctype user()
{
	byte n, child;

	do
	:: select(n : 1 .. NODES - 1);
	   if
	   :: parent[n] < 0 -> skip
	   :: else ->
		atomic { users[n]++ };		/* derivation_enter: list_add, fence */
		if
		:: revoked[n] -> skip		/* EKEYREVOKED */
		:: else ->
			using[n] = true;
			assert(!(done && revoked[n] && !late[n]));
			/* derivation_create, below the node that is in use */
			LOCK;
			if
			:: !revoked[n] && made < NODES ->
				child = made;
				rights[child] = rights[n] & 1;
				parent[child] = n;
				late[child] = begun;
				made++
			:: else -> skip
			fi;
			UNLOCK;
			assert(!(done && revoked[n]));
			using[n] = false
		fi;
		atomic { users[n]-- }
	   fi
	:: done -> break
	:: true -> break
	od
}

proctype revoker()
{
	byte i;
	bool below;

	/* collect_locked: parents have lower numbers, so one pass in order finds all. */
	LOCK;
	begun = true;
	atomic {
		i = 1;
		do
		:: i < made ->
			if
			:: parent[i] == 0 || (parent[i] > 0 && revoked[parent[i]]) -> revoked[i] = true
			:: else -> skip
			fi;
			i++
		:: else -> break
		od
	};
	UNLOCK;
	/* finish_one: waits until no call that began before is in progress. */
	i = 1;
	do
	:: i < NODES ->
		if
		:: revoked[i] -> (users[i] == 0)
		:: else -> skip
		fi;
		i++
	:: else -> break
	od;
	atomic {
		i = 1;
		do
		:: i < NODES ->
			assert(!(revoked[i] && using[i]));
			assert(parent[i] < 0 || revoked[i] || late[i]);
			assert(parent[i] < 0 || !(rights[i] & ~rights[parent[i]]));
			i++
		:: else -> break
		od;
		done = true
	}
}

init
{
	byte i = 0;

	atomic {
		rights[0] = 3;
		rights[1] = 3;
		parent[1] = 0;
		run revoker();
		do
		:: i < USERS -> run user(); i++
		:: else -> break
		od
	}
}
