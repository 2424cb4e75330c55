# SPDX-License-Identifier: GPL-2.0-or-later
"""Models in Promela, checked by spin in every interleaving; and, so that no check is idle, mutants that must fail."""
import os
import subprocess

from harness.machine import BUILD, ROOT

MODELS = os.path.join(ROOT, "test", "model")
# What a mistake in the kernel would be like: (name, text, what stands there instead).
MUTANTS = {
    "charge.pml": [
        ("the_end_leaves_no_mark", "ended[i] = true; last", "last"),
        ("growing_ignores_the_end", ":: late -> used--", ":: late -> skip"),
        ("shrinking_forgets_the_budget", ":: !late -> used--", ":: !late -> skip"),
        ("an_end_gives_back_twice", ":: !before -> used = used - last", ":: true -> used = used - last"),
        ("the_close_is_not_atomic", "atomic { freed = LIMIT - used; used = LIMIT }", "freed = LIMIT - used; used = LIMIT"),
    ],
    "revoke.pml": [
        ("revoke_does_not_wait", "(users[i] == 0)", "true"),
        ("rights_are_gained", "rights[n] & 1", "rights[n] | 4"),
        ("deriving_ignores_the_mark", ":: !revoked[n] && made", ":: made"),
        ("users_are_not_announced", "atomic { users[n]++ }", "skip"),
    ],
}


def jobs(_arches, only):
    for name in sorted(MUTANTS):
        if name.startswith(only or ""):
            yield f"model/{name}", lambda report, name=name: run(report, name)


def check(text, folder):
    """(whether spin finds no mistake, its last words)"""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "model.pml"), "w", encoding="ascii") as out:
        out.write(text)
    for command in (["spin", "-a", "model.pml"], ["cc", "-O2", "-DSAFETY", "-o", "pan", "pan.c"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    done = subprocess.run(["./pan", "-m100000"], cwd=folder, capture_output=True, text=True, timeout=200, check=False)
    return "errors: 0" in done.stdout, done.stdout.splitlines()[:20]


def run(report, name):
    with open(os.path.join(MODELS, name), encoding="ascii") as source:
        text = source.read()
    folder = os.path.join(BUILD, "model", name)
    ok, words = check(text, folder)
    report.result(f"model/{name}", ok, words)
    for mutant, old, new in MUTANTS[name]:
        mutated = text.replace(old, new, 1)
        if mutant == "users_are_not_announced":
            mutated = mutated.replace("atomic { users[n]-- }", "skip", 1)
        ok, words = check(mutated, folder)
        report.result(f"model/{name}/{mutant}", mutated != text and not ok, ["the mutant is not found", *words])
