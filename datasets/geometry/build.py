#!/usr/bin/env python3
"""Builds world.json, the shapes of the map in the HTML brief, from Natural Earth.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python3 datasets/geometry/build.py package/countries-50m.json ../shared/data/country/ocha_countries_territories_taxonomy.csv

Standard library only. Borders are simplified as arcs, once for both neighbours, so no gaps open between countries.
"""

import csv
import heapq
import json
import math
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIDTH = 2000  # the picture is shown at about half of this, so a unit is half a pixel
SOUTH, NORTH = -56.5, 83.8  # Antarctica has no remittances
DETAIL = 1.0  # triangles of less than this many square units are dropped from a border
SPECK = 3.0  # islands smaller than this are dropped from countries that have more
VISIBLE = 24.0  # an economy smaller than this is a dot
# Shapes without an ISO number, joined to the economy that statistics count them under; Kosovo has its own.
UNNUMBERED = {"Kosovo": "XKX", "N. Cyprus": "CYP", "Somaliland": "SOM", "Indian Ocean Ter.": None, "Siachen Glacier": None}
# Parts that Natural Earth draws with the mother country and statistics count apart: west, south, east, north.
PARTS = {
    "FRA": {"GUF": (-55, 1, -51, 7), "MTQ": (-61.4, 14.2, -60.6, 15), "GLP": (-62, 15.7, -60.9, 16.7),
            "REU": (55, -22, 56, -20.5), "MYT": (44.9, -13.2, 45.4, -12.5)},
    "NOR": {"SJM": (5, 70.5, 40, 82), "BVT": (2, -56, 5, -53)},
    "NLD": {"BES": (-69, 11.5, -62, 18)},
}
# Dots that stand in no list of coordinates, or would fall between far islands (the capitals of Kiribati and Tuvalu).
DOTS = {"CHI": (-2.4, 49.35), "KIR": (173.0, 1.4), "TUV": (179.2, -8.52)}
NO_MAP = {"ATA"}


def project(lon, lat):
    """Natural Earth I (Patterson; polynomial by Savric and others, 2011)."""
    p = math.radians(lat)
    q = p * p
    x = math.radians(lon) * (0.8707 - 0.131979 * q - 0.013791 * q**2 + q**5 * (0.003971 - 0.001529 * q))
    y = p * (1.007226 + q * (0.015085 + q * q * (-0.044475 + 0.028874 * q - 0.005916 * q * q)))
    return x, y


EAST = project(180, 0)[0]
SCALE = WIDTH / (2 * EAST)
TOP = project(0, NORTH)[1]
HEIGHT = round((TOP - project(0, SOUTH)[1]) * SCALE)


def place(lon, lat):
    x, y = project(lon, lat)
    return (x + EAST) * SCALE, (TOP - y) * SCALE


def area(ring):
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1])) / 2


def unwrap(ring):
    """Longitudes without jumps: a ring across the 180th meridian goes on beyond it."""
    out = []
    for lon, lat in ring:
        if out:
            lon += 360 * round((out[-1][0] - lon) / 360)
        out.append((lon, lat))
    return out


def cut(ring):
    """A ring on the globe as rings on the sheet: what lies beyond the 180th meridian comes in at the other side."""
    ring, sheets = unwrap(ring), []
    for shift in (-360, 0, 360):
        part = [(lon + shift, lat) for lon, lat in ring]
        for edge, sign in ((-180, 1), (180, -1)):
            part = clip(part, edge, sign)
        if len(part) > 2:
            sheets.append([place(*p) for p in part])
    return sheets


def clip(ring, edge, sign):
    """Sutherland and Hodgman against one meridian; keeps the side where `sign * lon >= sign * edge`."""
    out = []
    for a, b in zip(ring[-1:] + ring[:-1], ring):
        a_in, b_in = sign * a[0] >= sign * edge, sign * b[0] >= sign * edge
        if a_in != b_in:
            t = (edge - a[0]) / (b[0] - a[0])
            out.append((edge, a[1] + t * (b[1] - a[1])))
        if b_in:
            out.append(b)
    return out


def simplify(arc):
    """Visvalingam and Whyatt, on the sheet: drops the point of the smallest triangle until all are large; the
    ends stay."""
    n = len(arc)
    if n < 3:
        return arc
    points = [place(*p) for p in unwrap(arc)]
    before, after = list(range(-1, n - 1)), list(range(1, n + 1))
    alive = [True] * n

    def size(i):
        (ax, ay), (bx, by), (cx, cy) = points[before[i]], points[i], points[after[i]]
        return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2

    heap = [(size(i), i) for i in range(1, n - 1)]
    heapq.heapify(heap)
    current = {i: s for s, i in heap}
    floor = 0.0
    while heap:
        s, i = heapq.heappop(heap)
        if not alive[i] or current[i] != s:
            continue
        floor = max(floor, s)
        if floor >= DETAIL:
            break
        alive[i] = False
        before[after[i]], after[before[i]] = before[i], after[i]
        for j in (before[i], after[i]):
            if 0 < j < n - 1:
                current[j] = size(j)
                heapq.heappush(heap, (current[j], j))
    return [p for p, a in zip(arc, alive) if a]


class Atlas:
    def __init__(self, path):
        topology = json.load(open(path, encoding="utf-8"))
        (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
        self.geo, self.arcs = [], []
        for arc in topology["arcs"]:
            x = y = 0
            points = []
            for dx, dy in arc:
                x, y = x + dx, y + dy
                points.append((x * sx + tx, y * sy + ty))
            self.geo.append(points)
            self.arcs.append(simplify(points))
        self.shapes = topology["objects"]["countries"]["geometries"]

    def ring(self, arcs, table):
        out = []
        for a in arcs:
            points = table[a] if a >= 0 else table[~a][::-1]
            out += points[1:] if out else points
        return out[:-1]


def polygons(shape):
    if shape["type"] == "Polygon":
        return [shape["arcs"]]
    return shape["arcs"] if shape["type"] == "MultiPolygon" else []


def dissolve(rings):
    """Outer rings of one economy without the borders inside it: an arc used in both directions is inside."""
    every = [a for ring in rings for a in ring]
    used = set(every)
    if not any(~a in used for a in every):
        return rings
    keep = [ring for ring in rings if not any(~a in used for a in ring)]
    return keep, [a for ring in rings if any(~a in used for a in ring) for a in ring if ~a not in used]


def stitch(atlas, arcs):
    """Puts loose arcs end to end into rings."""
    ends = lambda a: (atlas.geo[a][0], atlas.geo[a][-1]) if a >= 0 else (atlas.geo[~a][-1], atlas.geo[~a][0])
    left, rings = list(arcs), []
    while left:
        ring = [left.pop(0)]
        start, end = ends(ring[0])
        while end != start:
            i = next(i for i, a in enumerate(left) if ends(a)[0] == end)
            ring.append(left.pop(i))
            end = ends(ring[-1])[1]
        rings.append(ring)
    return rings


def inside(ring, x, y):
    hit = False
    for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1]):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            hit = not hit
    return hit


def label(ring):
    """The point of a grid that is deepest inside the ring: a centroid can fall into the sea."""
    xs, ys = [p[0] for p in ring], [p[1] for p in ring]
    best = (-1, sum(xs) / len(xs), sum(ys) / len(ys))
    for i in range(1, 24):
        for j in range(1, 24):
            x = min(xs) + (max(xs) - min(xs)) * i / 24
            y = min(ys) + (max(ys) - min(ys)) * j / 24
            if inside(ring, x, y):
                depth = min(distance(x, y, a, b) for a, b in zip(ring, ring[1:] + ring[:1]))
                best = max(best, (depth, x, y))
    return round(best[1]), round(best[2])


def distance(x, y, a, b):
    dx, dy = b[0] - a[0], b[1] - a[1]
    t = 0 if dx == dy == 0 else max(0, min(1, ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy)))
    return math.hypot(a[0] + t * dx - x, a[1] + t * dy - y)


def path(rings):
    """SVG path with relative lines: `M812 410l3-4 5 1z`."""
    out = []
    for ring in rings:
        points = []
        for p in ring:
            q = (round(p[0]), round(p[1]))
            if not points or q != points[-1]:
                points.append(q)
        if len(points) > 1 and points[0] == points[-1]:
            points.pop()
        if len(points) < 3:
            continue
        text = f"M{points[0][0]} {points[0][1]}l"
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(points, points[1:])]
        numbers = "".join(f"{'' if n < 0 or k == 0 else ' '}{n}" for k, n in enumerate(n for s in steps for n in s))
        out.append(text + numbers + "z")
    return "".join(out)


def numeric_codes():
    with open(HERE.parent / "country/country.csv", encoding="utf-8") as f:
        rows = [r for r in csv.DictReader(f) if not r["valid_to"]]
    return {r["m49"]: r["iso3"] for r in rows}, [r["iso3"] for r in rows]


def collect(atlas, codes):
    """Rings of arcs per economy: (outer ring, holes)."""
    parts = {}
    for shape in atlas.shapes:
        name = shape["properties"]["name"]
        iso3 = codes.get(shape.get("id", "").zfill(3)) if shape.get("id") else UNNUMBERED[name]
        if iso3 is None or iso3 in NO_MAP:
            continue
        for polygon in polygons(shape):
            owner = iso3
            lon, lat = atlas.ring(polygon[0], atlas.geo)[0]
            for part, (west, south, east, north) in PARTS.get(iso3, {}).items():
                if west <= lon <= east and south <= lat <= north:
                    owner = part
            parts.setdefault(owner, []).append(polygon)
    return parts


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    atlas = Atlas(sys.argv[1])
    codes, economies = numeric_codes()
    with open(sys.argv[2], encoding="utf-8-sig") as f:
        where = {r["ISO 3166-1 Alpha 3-Codes"]: (float(r["Longitude"]), float(r["Latitude"]))
                 for r in csv.DictReader(f) if r["Latitude"]}
    where.update(DOTS)
    entries = {}
    for iso3, shapes in collect(atlas, codes).items():
        rings = [ring for polygon in shapes for ring in polygon]
        merged = dissolve(rings)
        if merged is not rings:
            rings = merged[0] + stitch(atlas, merged[1])
        full = sorted((part for r in rings for part in cut(atlas.ring(r, atlas.arcs))), key=lambda r: -abs(area(r)))
        if sum(abs(area(r)) for r in full) < VISIBLE:
            x, y = place(*(DOTS.get(iso3) or atlas_centre(atlas, rings)))
            entries[iso3] = {"iso3": iso3, "x": round(x), "y": round(y)}
            continue
        kept = [r for i, r in enumerate(full) if i == 0 or abs(area(r)) >= SPECK]
        x, y = label(kept[0])
        entries[iso3] = {"iso3": iso3, "x": x, "y": y, "d": path(kept)}
    for iso3 in economies:
        if iso3 not in entries and iso3 not in NO_MAP and iso3 in where:
            x, y = place(*where[iso3])
            entries[iso3] = {"iso3": iso3, "x": round(x), "y": round(y)}
    missing = [i for i in economies if i not in entries]
    lines = ",\n".join(json.dumps(entries[k], separators=(",", ":")) for k in sorted(entries))
    text = f'{{"projection":"Natural Earth I","view_box":[0,0,{WIDTH},{HEIGHT}],"countries":[\n{lines}\n]}}\n'
    (HERE / "world.json").write_text(text, encoding="utf-8")
    dots = sum("d" not in e for e in entries.values())
    print(f"world.json: {len(text)} bytes, {len(entries)} economies, {dots} of them dots; without: {missing}")


def atlas_centre(atlas, rings):
    points = unwrap([p for r in rings for p in atlas.ring(r, atlas.geo)])
    return sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points)


if __name__ == "__main__":
    main()
