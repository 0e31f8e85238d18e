# SPDX-License-Identifier: GPL-2.0-or-later
"""The bars and the results as a table in Markdown: a row for each bar, a column for each topology."""

ROWS = [("build", "`apply` from nothing", "≤ 1.25 × floor"),
        ("ip -batch", "`ip -batch`, which verifies nothing", "slower than `apply`"),
        ("own share", "of `apply`, what is not the kernel's", "≤ 5 %"),
        ("apply again", "`apply` with nothing to do", "≤ 1.5 × observation"),
        ("plan", "`plan` with nothing to do", "≤ 1.5 × observation"),
        ("down", "`down`", "≤ 1.15 × floor"),
        ("  until gone", "after `down`, until the kernel is done", "–"),
        ("down, all gone", "`down`, until all is gone (both together)", "–")]
KIND_NAMES = {"address": "address", "route": "route", "up": "up", "mtu": "mtu", "master": "bridge membership",
              "nft": "flushed NAT table", "rule": "policy rule", "neighbor": "neighbour", "qdisc": "qdisc", "filter": "filter rule"}


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


def repair_cell(results, kind):
    """Median and 99th percentile, and the median's ratio to the bare loop's."""
    ours, bare = (results[who].get(kind, {}) for who in ("topod", "floor"))
    if "own_median_ms" not in ours:
        return results["topod"].get("failure", "–")
    ratio = f", {ours['own_median_ms'] / bare['own_median_ms']:.1f} ×" if bare.get("own_median_ms") else ""
    return f"{ours['own_median_ms']:.2f} / {ours['own_p99_ms']:.2f} ms{ratio}"


def drift_lines(result, columns):
    by_column = {(e["shape"], e["n"]): e["results"] for e in result["drift"]}
    bars = {kind: "≤ 1 / 5 ms, ≤ 3 ×" for kind in KIND_NAMES} | {"link": "median ≤ 5 ms"}
    for kind, bar in bars.items():
        name = f"repair: {KIND_NAMES.get(kind, 'deleted pair')}: median / p99, × bare loop"
        yield line([name, bar, *(repair_cell(by_column[c], kind) if c in by_column else "–" for c in columns)])
    memory = {c: r["topod"].get("memory", {}).get("after drift", {}).get("VmRSS") for c, r in by_column.items()}
    yield line(["the daemon's memory", "≤ 12 MB at 1000, ≤ 36 MB at 4000",
                *(f"{memory[c]:.1f} MB" if memory.get(c) else "–" for c in columns)])


def standing_lines(result, columns):
    found = {(e["shape"], e["n"]): e["results"]["topod"].get("standing") for e in result["drift"]}

    def cells(show):
        return [show(found[c]) if found.get(c) else "–" for c in columns]

    yield line(["reload of one attribute", "≤ `check` + a namespace's observation + a request", *cells(reload_cell)])
    yield line(["idle", "60 s: no wake-up, no dump", *cells(idle_cell)])


def reload_cell(found):
    r = found["reload"]
    requests = f", {r['requests']} requests" if "requests" in r else ""
    return f"{r['ratio']:.2f} × ({r['ms']:.0f} ms), {r['looks']:g} looks{requests}"


def idle_cell(found):
    i = found["idle"]
    return f"{i['seconds']} s: {i['wakeups']} wake-ups, {i['looks']} looks"


def work_lines(result):
    """Bars that compare two sizes, so that they have no column."""
    for e in result["work"]:
        if "failure" in e:
            yield f"Work per event, {e['shape']}: {e['failure']}"
            continue
        ratios = ", ".join(f"{kind} {ratio:.2f}" for kind, ratio in e["ratios"].items())
        yield (f"Work per event, ≤ 1.2 × at {e['large']['n']} against {e['small']['n']} (instructions of the daemon's own), "
               f"{e['shape']}: {ratios}")
    for e in result["memory"]:
        figure = e.get("failure") or f"{e['VmRSS']:.1f} MB"
        yield f"The daemon's memory, ≤ 36 MB at 4000, {e['shape']} {e['n']}: {figure}"


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
        lines += standing_lines(result, columns)
    text = "\n".join(lines) + "\n"
    text += "".join(f"\n{work}\n" for work in work_lines(result))
    return text + ("\n" + check_line(result["check"]) + "\n" if result["check"] else "")
