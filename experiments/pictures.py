#!/usr/bin/env python3
"""The curves of a run's report.html as one SVG file, side by side.

    equipoise audit RUN [--teachers DIR]         # writes RUN/report.html
    python3 experiments/pictures.py RUN/report.html OUT.svg

Needs nothing beyond Python's standard library.
"""
import pathlib
import re
import sys

WIDTH, HEIGHT = 360, 214

page = pathlib.Path(sys.argv[1]).read_text()
style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
charts = re.findall(rf'<svg viewBox="0 0 {WIDTH} {HEIGHT}"(.*?)</svg>', page, re.S)
if not charts:
    sys.exit(f"{sys.argv[1]}: no curves in it; expected the report.html of a run trained with train.channels = true")
titles = [re.search(r'aria-label="([^."]*)', chart).group(1) for chart in charts]
parts = []
for k, (chart, title) in enumerate(zip(charts, titles)):
    parts.append(f'<text x="{k * WIDTH + 38}" y="16" font-size="13" font-weight="600" style="fill: var(--ink)">{title}</text>')
    parts.append(f'<svg x="{k * WIDTH}" y="20" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"{chart}</svg>')
total = WIDTH * len(charts)
pathlib.Path(sys.argv[2]).write_text(
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {HEIGHT + 24}" width="{total}" '
    f'font-family="system-ui, sans-serif"><style>{style}</style>'
    f'<rect width="{total}" height="{HEIGHT + 24}" style="fill: var(--paper)"/>{"".join(parts)}</svg>\n'
)
