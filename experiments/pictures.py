#!/usr/bin/env python3
"""The curves of a run's report.html as one SVG file, three in a row; those of several fig1.html, a row each.

    equipoise audit RUN                          # writes RUN/report.html
    python3 experiments/pictures.py RUN/report.html OUT.svg
    python3 experiments/pictures.py PAPER/fig1.html [MORE/fig1.html ...] OUT.svg

Needs nothing beyond Python's standard library.
"""
import pathlib
import re
import sys

WIDTH, HEIGHT = 360, 214
ROW = HEIGHT + 28
# What a page of Figure 1 says above the charts of one backbone, and a chart.
PIECE = re.compile(rf'<h2>([^<]*) on [^<]*</h2><p class="intro">|<svg viewBox="0 0 {WIDTH} {HEIGHT}"(.*?)</svg>', re.S)


def charts(page):
    """Title and inside of every chart of a page."""
    above = ""
    for heading, chart in PIECE.findall(page):
        if heading:
            above = f"{heading}: "
        else:
            yield above + re.search(r'aria-label="([^."]*)', chart).group(1), chart


*names, out = sys.argv[1:]
pages = [pathlib.Path(name).read_text() for name in names]
rows = [list(charts(page)) for page in pages]
for name, row in zip(names, rows):
    if not row:
        sys.exit(f"{name}: no curves in it; expected a fig1.html or the report.html of a run trained with train.channels = true")
style = re.search(r"<style>(.*?)</style>", pages[0], re.S).group(1)
columns = 3 if len(rows) == 1 else max(map(len, rows))
panels = [chart for row in rows for chart in row]
parts = []
for k, (title, chart) in enumerate(panels):
    x, y = k % columns * WIDTH, k // columns * ROW
    parts.append(f'<text x="{x + 38}" y="{y + 16}" font-size="13" font-weight="600" style="fill: var(--ink)">{title}</text>')
    place = f'x="{x}" y="{y + 20}" width="{WIDTH}" height="{HEIGHT}"'
    parts.append(f'<svg class="panel" overflow="visible" {place} viewBox="0 0 {WIDTH} {HEIGHT}"{chart}</svg>')
# Names at the ends of curves may reach beyond the last chart.
width, height = WIDTH * min(columns, len(panels)) + 20, ROW * -(-len(panels) // columns)
pathlib.Path(out).write_text(
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
    f'font-family="system-ui, sans-serif"><style>{style}</style>'
    f'<rect width="{width}" height="{height}" style="fill: var(--paper)"/>{"".join(parts)}</svg>\n'
)
