# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks print and keep: tables, JSON, a plot, and the ratios that are recorded in the tree.

A figure is {"group", "name", "unit", "linux", "cairn", "spread"}; less is better; ratio = linux / cairn, above 1: Cairn is
faster; spread: the largest ratio of a run by the least.
bench/recorded.json holds the ratios {"ARCH CLOCK": {"GROUP/NAME": ratio}} that later runs are held to.
"""
import json
import math
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RECORDED = os.path.join(ROOT, "bench", "recorded.json")
# A ratio may be this much below the recorded one.
TOLERANCE = 0.10


def ratio(figure):
    """None when one of the two kernels cannot do it."""
    return figure["linux"] / figure["cairn"] if figure["linux"] > 0 and figure["cairn"] > 0 else None


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def groups(figures):
    """{group: ratios}, and all of them together."""
    found = {}
    for figure in figures:
        if ratio(figure):
            found.setdefault(figure["group"], []).append(ratio(figure))
    if len(found) > 1:
        found["all"] = [r for ratios in found.values() for r in ratios]
    return found


def number(value):
    if value <= 0:
        return "-"
    return f"{value:.1f}" if value < 1e6 else f"{value:.0f}"


def table(title, figures):
    print(f"\n{title}")
    print(f"{'':8} {'':25} {'unit':>12} {'Linux':>12} {'Cairn':>12} {'ratio':>7} {'spread':>7}")
    for figure in figures:
        shown = format(ratio(figure), "7.2f") if ratio(figure) else "      -"
        spread = format(figure["spread"], "7.2f") if figure.get("spread", 1) not in (None, 1) else ""
        print(f"{figure['group']:8} {figure['name']:25} {figure['unit']:>12} {number(figure['linux']):>12} "
              f"{number(figure['cairn']):>12} {shown} {spread}".rstrip())
    for group, ratios in groups(figures).items():
        print(f"{group:8} {'geometric mean':25} {'':12} {'':12} {'':12} {mean(ratios):7.2f}", flush=True)


def load():
    if not os.path.exists(RECORDED):
        return {}
    with open(RECORDED, encoding="utf-8") as file:
        return json.load(file)


def record(key, figures):
    """Makes these ratios the recorded ones of `key`; rows that did not run keep theirs."""
    known = load()
    rows = known.setdefault(key, {})
    rows.update({f"{f['group']}/{f['name']}": round(ratio(f), 3) for f in figures if ratio(f)})
    with open(RECORDED, "w", encoding="utf-8") as file:
        file.write(json.dumps(known, indent=1, sort_keys=True) + "\n")


def regressions(key, figures, by_group):
    """Texts about ratios that have dropped. `by_group`: only the means of groups, for clocks that vary from run to run."""
    known = load().get(key, {})
    now = {f"{f['group']}/{f['name']}": ratio(f) for f in figures}
    if by_group:
        pairs = {}
        for name in known.keys() & now.keys():
            if now[name]:
                pairs.setdefault(name.split("/")[0], []).append((known[name], now[name]))
        known = {group: mean([old for old, _ in both]) for group, both in pairs.items()}
        now = {group: mean([new for _, new in both]) for group, both in pairs.items()}
    dropped = []
    for name, old in sorted(known.items()):
        if name in now and (not now[name] or now[name] < old * (1 - TOLERANCE)):
            dropped.append(f"{key}: {name}: ratio {now[name] or 0:.2f}, recorded {old:.2f}")
    return dropped


def keep(key, figures):
    """The figures as JSON and as a plot, in build/."""
    stem = os.path.join(ROOT, "build", "bench-" + re.sub(r"\W+", "-", key))
    with open(stem + ".json", "w", encoding="utf-8") as out:
        json.dump([{**figure, "ratio": ratio(figure)} for figure in figures], out, indent=1)
    plot(stem + ".svg", key, [figure for figure in figures if ratio(figure)])
    print(f"kept as {os.path.relpath(stem, ROOT)}.json and .svg")


def plot(path, title, figures):
    """Ratios as bars on a logarithmic scale around 1."""
    import matplotlib  # pylint: disable=import-outside-toplevel  (slow, and only needed here)
    matplotlib.use("svg")
    from matplotlib import pyplot  # pylint: disable=import-outside-toplevel
    names = [f"{figure['group']} {figure['name']}" for figure in figures]
    ratios = [ratio(figure) for figure in figures]
    picture, axes = pyplot.subplots(figsize=(8, 1.5 + 0.22 * len(figures)))
    axes.barh(names, [r - 1 for r in ratios], left=1, color=["tab:green" if r >= 1 else "tab:red" for r in ratios])
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel("Linux / Cairn: above 1, Cairn is faster")
    axes.set_title(title)
    picture.tight_layout()
    picture.savefig(path)
    pyplot.close(picture)
