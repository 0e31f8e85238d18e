# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws how building grows with the size, as SVG text: one panel a shape, both axes logarithmic.

Plain SVG without libraries, scripts or fonts. Colours are given twice, for a light and a dark page (prefers-color-scheme),
and the background is the page's. Lines are also labelled at their ends and have different marks, for readers who cannot
distinguish the colours.
"""
import math

WIDTH, HEIGHT, LEFT, TOP, GAP, BOTTOM = 430, 300, 62, 46, 40, 46
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .title { font-weight: 600; font-size: 13px }
  .grid { stroke: #ddd; stroke-width: 1 }
  .topod { stroke: #0b61c4; fill: #0b61c4 }
  .floor { stroke: #3d7a2c; fill: #3d7a2c }
  .ip { stroke: #b4530a; fill: #b4530a }
  path.topod, path.floor, path.ip { fill: none; stroke-width: 2 }
  text.topod, text.floor, text.ip { stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd }
    .grid { stroke: #444 }
    .topod { stroke: #6db3ff; fill: #6db3ff }
    .floor { stroke: #8fd67c; fill: #8fd67c }
    .ip { stroke: #ffa75e; fill: #ffa75e }
  }
"""
NAMES = {"topod": "topod apply", "floor": "floor", "ip": "ip -batch"}


class Scale:
    """Maps a value to a position between two ends, by its logarithm."""

    def __init__(self, low, high, start, end):
        self.low, self.high, self.start, self.end = math.log10(low), math.log10(high), start, end

    def __call__(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def powers(low, high):
    return [10 ** e for e in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)]


def duration(ms):
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"


def mark(name, x, y):
    """A circle, a square, a triangle."""
    if name == "topod":
        return f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
    if name == "floor":
        return f'<rect class="{name}" x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6"/>'
    return f'<polygon class="{name}" points="{x:.1f},{y - 4:.1f} {x + 4:.1f},{y + 3:.1f} {x - 4:.1f},{y + 3:.1f}"/>'


def line(name, points, x_of, y_of):
    places = [(x_of(n), y_of(ms)) for n, ms in points]
    yield f'<path class="{name}" d="M' + "L".join(f"{x:.1f} {y:.1f}" for x, y in places) + '"/>'
    for (x, y), (n, ms) in zip(places, points):
        yield f"<g>{mark(name, x, y)}<title>{NAMES[name]}, N = {n}: {ms:.1f} ms</title></g>"


def axes(x_of, y_of, sizes, low, high, left):
    for ms in powers(low, high):
        y = y_of(ms)
        yield f'<path class="grid" d="M{left} {y:.1f}h{WIDTH - LEFT - 20}"/>'
        yield f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{duration(ms)}</text>'
    for n in sizes:
        x = x_of(n)
        yield f'<path class="grid" d="M{x:.1f} {TOP}v{HEIGHT - TOP - BOTTOM}"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{n}</text>'


def legend(names, left):
    for i, name in enumerate(names):
        x = left + 12 + i * 96
        yield mark(name, x, HEIGHT - 10)
        yield f'<text class="{name}" x="{x + 9}" y="{HEIGHT - 6}">{NAMES[name]}</text>'


def panel(shape, series, low, high, left):
    sizes = sorted({n for points in series.values() for n, _ in points})
    x_of = Scale(sizes[0], sizes[-1], left + 12, left + WIDTH - LEFT - 32)
    y_of = Scale(low, high, HEIGHT - BOTTOM, TOP)
    yield f'<text class="title" x="{left}" y="24">Building a {shape} of N namespaces</text>'
    yield from axes(x_of, y_of, sizes, low, high, left)
    for name, points in series.items():
        yield from line(name, points, x_of, y_of)
    yield from legend(series, left)


def growth(by_shape):
    """by_shape: {"star": {"topod": [(n, ms), …], "floor": …, "ip": …}, …} to the text of an SVG file."""
    values = [ms for series in by_shape.values() for points in series.values() for _, ms in points]
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)))
    width = len(by_shape) * (WIDTH + GAP)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" '
             f'height="{HEIGHT}" role="img" aria-label="Time to build a topology, by its size">', f"<style>{STYLE}</style>"]
    for i, (shape, series) in enumerate(by_shape.items()):
        lines += panel(shape, series, low, high, i * (WIDTH + GAP) + LEFT)
    return "\n".join(lines) + "\n</svg>\n"
