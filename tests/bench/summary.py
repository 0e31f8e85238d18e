# SPDX-License-Identifier: GPL-2.0-or-later
"""The bars and where they stand, as a table in Markdown: a row for each, a column for each topology."""

ROWS = [("build", "`apply` from nothing", "≤ 1.25 × floor"),
        ("ip -batch", "`ip -batch`, which verifies nothing", "slower than `apply`"),
        ("own share", "of `apply`, what is not the kernel's", "≤ 5 %"),
        ("apply again", "`apply` with nothing to do", "≤ 1.5 × observation"),
        ("plan", "`plan` with nothing to do", "≤ 1.5 × observation"),
        ("down", "`down`", "≤ 1.15 × floor"),
        ("  until gone", "after `down`, until the kernel is done", "–"),
        ("down, all gone", "`down`, until all is gone (both together)", "–")]
QUICK_KINDS = ["address", "route", "up", "mtu", "master", "nft"]


def cell(row):
    if row.get("percent") is not None:
        return f"{row['percent']:.1f} %"
    if row.get("ratio") is None:
        return row["note"] or "–"
    ms = row.get("ip_batch_ms") or row["topod_ms"]
    return f"{row['ratio']:.2f} ({ms:.0f} ms)"


def line(cells):
    return "| " + " | ".join(cells) + " |"


def build_lines(result, columns):
    for what, name, bar in ROWS:
        found = {(r["shape"], r["n"]): cell(r) for r in result["builds"] if r["what"] == what}
        if found:
            yield line([name, bar, *(found.get(column, "–") for column in columns)])


def repair_cell(results, kinds):
    """The worst median and 99th percentile of the kinds, and the worst ratio to the bare loop's."""
    ours = [(k, results["topod"][k]) for k in kinds if "own_median_ms" in results["topod"].get(k, {})]
    if not ours:
        return results["topod"].get("failure", "–")
    median, p99 = (max(r[key] for _, r in ours) for key in ("own_median_ms", "own_p99_ms"))
    bare = [r["own_median_ms"] / results["floor"][k]["own_median_ms"] for k, r in ours
            if results["floor"].get(k, {}).get("own_median_ms")]
    return f"{median:.2f} / {p99:.2f} ms" + (f", {max(bare):.1f} ×" if bare else "")


def drift_lines(result, columns):
    by_column = {(e["shape"], e["n"]): e["results"] for e in result["drift"]}
    for name, bar, kinds in (("repair, the slowest kind: median / p99, × bare loop", "≤ 1 / 5 ms, ≤ 3 ×", QUICK_KINDS),
                             ("repair of a deleted pair", "median ≤ 5 ms", ["link"])):
        yield line([name, bar, *(repair_cell(by_column[c], kinds) if c in by_column else "–" for c in columns)])
    memory = {c: r["topod"].get("memory", {}).get("after drift", {}).get("VmRSS") for c, r in by_column.items()}
    yield line(["the daemon's memory", "≤ 12 MB at 1000, ≤ 36 MB at 4000",
                *(f"{memory[c]:.1f} MB" if memory.get(c) else "–" for c in columns)])


def check_line(entries):
    """Linear is: twice the lines, twice the time."""
    figures = ", ".join(f"{e['lines']} lines: {e['ms']:.0f} ms" for e in entries if e["ms"])
    return f"`check`, ≤ 500 ms for 100,000 lines, linear: {figures or 'failed'}"


def table(result):
    columns = list(dict.fromkeys((r["shape"], r["n"]) for r in result["builds"]))
    lines = [line(["what", "bar", *(f"{shape} {n}" for shape, n in columns)]), line(["---"] * (len(columns) + 2))]
    lines += build_lines(result, columns)
    if result["drift"]:
        lines += drift_lines(result, columns)
    text = "\n".join(lines) + "\n"
    return text + ("\n" + check_line(result["check"]) + "\n" if result["check"] else "")
