/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Charges and the end of an untyped (kernel/mm/budget.c, memory_charge_* and memory_budget_close) as a model for spin:
 *
 *   spin -a charge.pml && cc -O2 -DSAFETY -o pan pan.c && ./pan -m100000
 *
 * Objects grow and shrink while somebody ends them all and closes the budget, perhaps twice. Checked in every interleaving:
 *
 *   never above the limit     what is used never exceeds the limit, not even for a moment
 *   no charge lost            when all is over the parent has got back exactly what it gave
 */
#define LIMIT 3
#define OBJECTS 2

byte used;		/* of the budget; LIMIT of it was taken from the parent */
byte parent = LIMIT;	/* what the parent gave and has not got back */
byte closed;		/* of `used`: given back by the close */
byte bytes[OBJECTS];	/* of each charge */
bool ended[OBJECTS];	/* CHARGE_ENDED */
byte done;		/* processes that are through */

/* memory_charge_more, and later memory_charge_less. */
proctype object(byte i)
{
	bool fits, late;
	byte had, n = 0;

	do
	:: n < 2 ->
		n++;
		/* take */
		atomic { fits = used < LIMIT; if :: fits -> used++ :: else fi };
		assert(used <= LIMIT);
		if
		:: fits ->
			atomic { late = ended[i]; bytes[i]++ };
			if
			:: late -> used--
			:: else -> had++
			fi
		:: else
		fi
	:: had > 0 ->
		had--;
		atomic { late = ended[i]; bytes[i]-- };
		if
		:: !late -> used--
		:: else
		fi
	:: break
	od;
	done++
}

/* end_one for each object, then memory_budget_close. */
proctype ender()
{
	byte i, last, freed;
	bool before;

	i = 0;
	do
	:: i < OBJECTS ->
		atomic { before = ended[i]; ended[i] = true; last = bytes[i] };
		if
		:: !before -> used = used - last
		:: else
		fi;
		i++
	:: else -> break
	od;
	atomic { freed = LIMIT - used; used = LIMIT };
	closed = closed + freed;
	parent = parent - freed;
	done++
}

init
{
	byte i;

	atomic {
		run object(0);
		run object(1);
		run ender();
		run ender()
	};
	(done == OBJECTS + 2);
	/* memory_budget_put: nothing but what the close has taken is in use. */
	assert(used == closed);
	parent = parent - (LIMIT - closed);
	assert(parent == 0)
}
