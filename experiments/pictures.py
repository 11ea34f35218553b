#!/usr/bin/env python3
"""The curves of a run's report.html as one SVG file, three in a row.

    equipoise audit RUN                          # writes RUN/report.html
    python3 experiments/pictures.py RUN/report.html OUT.svg

Needs nothing beyond Python's standard library.
"""
import pathlib
import re
import sys

WIDTH, HEIGHT, COLUMNS = 360, 214, 3
ROW = HEIGHT + 28

page = pathlib.Path(sys.argv[1]).read_text()
style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
charts = re.findall(rf'<svg viewBox="0 0 {WIDTH} {HEIGHT}"(.*?)</svg>', page, re.S)
if not charts:
    sys.exit(f"{sys.argv[1]}: no curves in it; expected the report.html of a run trained with train.channels = true")
titles = [re.search(r'aria-label="([^."]*)', chart).group(1) for chart in charts]
parts = []
for k, (chart, title) in enumerate(zip(charts, titles)):
    x, y = k % COLUMNS * WIDTH, k // COLUMNS * ROW
    parts.append(f'<text x="{x + 38}" y="{y + 16}" font-size="13" font-weight="600" style="fill: var(--ink)">{title}</text>')
    place = f'x="{x}" y="{y + 20}" width="{WIDTH}" height="{HEIGHT}"'
    parts.append(f'<svg class="panel" {place} viewBox="0 0 {WIDTH} {HEIGHT}"{chart}</svg>')
width, height = WIDTH * min(COLUMNS, len(charts)), ROW * -(-len(charts) // COLUMNS)
pathlib.Path(sys.argv[2]).write_text(
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
    f'font-family="system-ui, sans-serif"><style>{style}</style>'
    f'<rect width="{width}" height="{height}" style="fill: var(--paper)"/>{"".join(parts)}</svg>\n'
)
