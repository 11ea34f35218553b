"""Makes up a shop with drawn pictures: shop.py FOLDER

Writes FOLDER/interactions.csv, FOLDER/items.csv and FOLDER/pictures/*.png. What a thing is stands in its title, its colour is seen in its
picture alone; each customer likes a few kinds and a few colours. Needs Pillow.
"""

import csv
import random
import sys
from math import cos, pi, sin
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

SIZE, FINE = 224, 3
CUSTOMERS, BOUGHT = 900, (8, 18)
COLOURS = {
    "ochre": (214, 158, 56), "terracotta": (196, 98, 66), "sage": (134, 158, 120), "navy": (52, 74, 116),
    "plum": (124, 70, 104), "sky": (120, 168, 204), "charcoal": (70, 74, 80), "rose": (218, 152, 152),
}
MAKERS = ["Lindqvist", "Marlow", "Hollis", "Ferrer", "Okada", "Brandt", "Tamsin", "Vesey"]
KINDS = {
    "mug": ["Stoneware mug", "Enamel camping mug", "Espresso cup"],
    "vase": ["Tall stoneware vase", "Bud vase", "Bottle vase"],
    "lamp": ["Table lamp", "Bedside lamp", "Reading lamp"],
    "chair": ["Spindle-back chair", "Dining chair", "Kitchen chair"],
    "clock": ["Wall clock", "Kitchen clock", "Silent wall clock"],
    "bag": ["Canvas tote", "Market bag", "Weekend shopper"],
    "cushion": ["Linen cushion", "Wool cushion", "Velvet cushion"],
    "teapot": ["Teapot for four", "Cast-iron teapot", "Small teapot"],
    "pot": ["Plant pot", "Herb planter", "Glazed planter"],
    "candle": ["Pillar candle", "Beeswax candle", "Scented candle"],
}


class Drawing:
    """A picture in units of a square of 100, light from the left above."""

    def __init__(self, colour, rng):
        tint = tuple(232 + (c - 128) // 16 for c in colour)
        self.image = Image.new("RGB", (SIZE * FINE, SIZE * FINE), tint)
        self.colour, self.rng = colour, rng
        self.ink(lambda draw, s: draw.rectangle([0, 74 * s, 100 * s, 100 * s], fill=tuple(c - 14 for c in tint)))

    def ink(self, paint, blur=0.0):
        layer = Image.new("RGBA", self.image.size, (0, 0, 0, 0))
        paint(ImageDraw.Draw(layer), SIZE * FINE / 100)
        if blur:
            layer = layer.filter(ImageFilter.GaussianBlur(blur * SIZE * FINE / 100))
        self.image.paste(layer, (0, 0), layer)

    def shade(self, change):
        return tuple(max(0, min(255, round(c * (1 + change) if change < 0 else c + (255 - c) * change))) for c in self.colour)

    def shadow(self, left, right, y):
        self.ink(lambda d, s: d.ellipse([left * s, (y - 3) * s, right * s, (y + 4) * s], fill=(30, 26, 24, 110)), blur=1.6)

    def body(self, points):
        """A closed outline, its right side in the shade and a light along its left."""
        mask = Image.new("L", self.image.size, 0)
        scale = SIZE * FINE / 100
        ImageDraw.Draw(mask).polygon([(x * scale, y * scale) for x, y in points], fill=255)
        xs = [x for x, _ in points]
        left, right = min(xs) * scale, max(xs) * scale
        shaded = Image.new("RGB", self.image.size)
        draw = ImageDraw.Draw(shaded)
        for x in range(int(left), int(right) + 2):
            at = (x - left) / max(1, right - left)
            change = 0.22 * max(0, 1 - abs(at - 0.22) / 0.22) - 0.38 * max(0, at - 0.4)
            draw.line([(x, 0), (x, self.image.size[1])], fill=self.shade(change))
        self.image.paste(shaded, (0, 0), mask)

    def shape(self, kind, box, change, width=0):
        def paint(draw, s):
            place = [v * s for v in box]
            if width:
                draw.arc(place, 0, 360, fill=self.shade(change), width=round(width * s))
            else:
                getattr(draw, kind)(place, fill=self.shade(change))
        self.ink(paint)

    def line(self, points, width, colour):
        self.ink(lambda d, s: d.line([(x * s, y * s) for x, y in points], fill=colour, width=round(width * s), joint="curve"))

    def done(self, path):
        self.image.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(path, optimize=True)


def outline(profile):
    """A body that turns round the middle, from half widths at heights."""
    return [(50 - half, y) for y, half in profile] + [(50 + half, y) for y, half in reversed(profile)]


def mug(d, r):
    w = r.uniform(17, 21)
    d.shadow(50 - w, 56 + w, 78)
    d.shape("ellipse", [50 + w - 9, 42, 50 + w + 11, 68], -0.25, width=4)
    d.body(outline([(36, w), (74, w * 0.94), (78, w * 0.8)]))
    d.shape("ellipse", [50 - w, 32, 50 + w, 40], -0.1)
    d.shape("ellipse", [50 - w + 2, 33.4, 50 + w - 2, 39], -0.55)


def vase(d, r):
    neck, belly = r.uniform(5, 8), r.uniform(16, 21)
    stem = (96, 116, 82)
    for x in (44, 50, 57):
        d.line([(50, 34), (x, 20), (x + (x - 50) * 0.8, 10)], 0.9, stem)
        d.ink(lambda draw, s, x=x: draw.ellipse([(x + (x - 50) * 0.8 - 4) * s, 5 * s, (x + (x - 50) * 0.8 + 4) * s, 13 * s], fill=(226, 214, 190)))
    d.shadow(50 - belly, 54 + belly, 82)
    steps = [(28 + t * 54 / 24, t / 24) for t in range(25)]
    curve = lambda t: neck + (belly - neck) * sin(0.86 * pi * t**1.5)
    d.body(outline([(y, curve(t) if t > 0.05 else neck + 1.5) for y, t in steps]))
    d.shape("ellipse", [50 - neck - 1.5, 26, 50 + neck + 1.5, 30], -0.5)


def lamp(d, r):
    wood = (150, 112, 78)
    d.shadow(36, 68, 84)
    d.line([(50, 48), (50, 82)], 3, wood)
    d.ink(lambda draw, s: draw.ellipse([37 * s, 79 * s, 63 * s, 87 * s], fill=wood))
    d.ink(lambda draw, s: draw.ellipse([24 * s, 44 * s, 76 * s, 74 * s], fill=(255, 236, 190, 90)), blur=4)
    top = r.uniform(9, 16)
    d.body(outline([(20, top), (54, 26)]))
    d.shape("ellipse", [24, 51, 76, 57], -0.35)


def chair(d, r):
    d.shadow(28, 76, 88)
    for points in ([(34, 58), (31, 89)], [(66, 58), (69, 89)], [(38, 56), (38, 84)], [(62, 56), (62, 84)]):
        d.line(points, 3, d.shade(-0.3))
    for x in ([38, 44, 50, 56, 62] if r.random() < 0.6 else [38, 62]):
        d.line([(x, 20), (x, 56)], 2, d.shade(-0.12))
    d.body([(34, 16), (66, 16), (67, 24), (33, 24)])
    d.body([(31, 54), (69, 54), (72, 61), (28, 61)])


def clock(d, r):
    d.shadow(30, 78, 84)
    d.shape("ellipse", [19, 15, 81, 77], -0.1)
    d.ink(lambda draw, s: draw.ellipse([25 * s, 21 * s, 75 * s, 71 * s], fill=(250, 247, 240)))
    for k in range(12):
        x, y = sin(k * pi / 6), -cos(k * pi / 6)
        d.line([(50 + 20 * x, 46 + 20 * y), (50 + 23 * x, 46 + 23 * y)], 1.6 if k % 3 == 0 else 0.8, (70, 70, 70))
    angle = r.uniform(0, 6.28)
    d.line([(50, 46), (50 + 13 * sin(angle), 46 - 13 * cos(angle))], 2, (50, 50, 50))
    d.line([(50, 46), (50 + 18 * sin(angle * 2), 46 - 18 * cos(angle * 2))], 1.3, (50, 50, 50))


def bag(d, r):
    d.shadow(26, 80, 86)
    d.ink(lambda draw, s: draw.arc([36 * s, 12 * s, 64 * s, 62 * s], 180, 360, fill=d.shade(-0.4), width=round(2.6 * s)))
    d.body([(27, 38), (73, 38), (77, 86), (23, 86)])
    if r.random() < 0.6:
        d.line([(26, 62), (74.6, 62)], 5, d.shade(0.45))


def cushion(d, r):
    d.shadow(22, 82, 82)
    d.body([(24, 27), (38, 30), (62, 30), (76, 27), (73, 40), (73, 66), (77, 80), (62, 77), (38, 77), (23, 80), (27, 66), (27, 40)])
    if r.random() < 0.7:
        for y in (42, 53, 64):
            d.line([(28, y), (72, y)], 1.8, d.shade(0.35))


def teapot(d, r):
    d.shadow(26, 80, 80)
    d.line([(30, 62), (20, 46), (15, 42)], 6, d.shade(-0.05))
    d.shape("ellipse", [64, 42, 86, 70], -0.35, width=4)
    d.body([(50 + 25 * x, 58 + 21 * y) for x, y in ROUND])
    d.shape("ellipse", [36, 35, 64, 43], -0.2)
    d.shape("ellipse", [46, 28, 54, 36], -0.1)


def pot(d, r):
    leaf = [(84, 122, 78), (104, 142, 92), (66, 102, 70)]
    d.shadow(32, 72, 86)
    for k in range(9):
        x = 50 + (k - 4) * r.uniform(5, 7.5)
        y = 14 + abs(k - 4) * 4 + r.uniform(0, 6)
        d.line([(50, 52), ((50 + x) / 2, (52 + y) / 2 - 4), (x, y)], 3.4, leaf[k % 3])
    d.body(outline([(50, 19), (56, 19), (56.1, 17), (86, 13)]))
    d.shape("rectangle", [31, 49, 69, 56], 0.08)


def candle(d, r):
    w = r.uniform(11, 16)
    d.shadow(50 - w, 54 + w, 84)
    d.ink(lambda draw, s: draw.ellipse([36 * s, 8 * s, 64 * s, 42 * s], fill=(255, 226, 150, 110)), blur=4)
    d.body(outline([(38, w), (84, w)]))
    d.shape("ellipse", [50 - w, 35, 50 + w, 41], 0.3)
    d.line([(50, 38), (50, 31)], 1, (60, 50, 40))
    d.ink(lambda draw, s: draw.polygon([(50 * s, 18 * s), (53.4 * s, 28 * s), (50 * s, 32 * s), (46.6 * s, 28 * s)], fill=(250, 190, 80)))


ROUND = [(cos(k * 0.1), sin(k * 0.1)) for k in range(63)]
DRAW = {kind: globals()[kind] for kind in KINDS}


def main():
    folder, rng = Path(sys.argv[1]), random.Random(7)
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    items = [(kind, colour, title) for kind, titles in KINDS.items() for title in titles for colour in COLOURS]
    rng.shuffle(items)
    rows = []
    for number, (kind, colour, title) in enumerate(items):
        drawing = Drawing(COLOURS[colour], rng)
        DRAW[kind](drawing, rng)
        drawing.done(folder / "pictures" / f"{number:03}.png")
        rows.append([f"P{number:03}", f"{title} · {rng.choice(MAKERS)}", f"pictures/{number:03}.png", rng.randrange(9, 120)])
    write(folder / "items.csv", ["item_id", "title", "picture", "price"], rows)
    write(folder / "interactions.csv", ["user_id", "item_id", "timestamp"], purchases(items, rng))


def purchases(items, rng):
    for customer in range(CUSTOMERS):
        kinds, colours = rng.sample(list(KINDS), 3), rng.sample(list(COLOURS), 2)
        weights = [0.02 + (kind in kinds) * 0.3 + (colour in colours) * 0.3 + (kind in kinds and colour in colours) * 3 for kind, colour, _ in items]
        bought = dict.fromkeys(rng.choices(range(len(items)), weights, k=rng.randint(*BOUGHT)))
        for place, item in enumerate(bought):
            yield [f"customer-{customer:03}", f"P{item:03}", 1_700_000_000 + place * 86_400]


def write(path, names, rows):
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(names)
        table.writerows(rows)


if __name__ == "__main__":
    main()
