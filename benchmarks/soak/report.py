"""What a soak saw, as text and as a picture of memory over time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import quantiles

from benchmarks.soak.load import Record
from benchmarks.soak.memory import Points, slope
from benchmarks.table import table

WIDTH, HEIGHT, MARGIN = 900, 360, 60
COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed")


def text(
    title: str,
    record: Record,
    curves: Mapping[str, Points],
    jobs: Counter[str],
    *,
    seconds: float,
    broken: Sequence[str],
) -> str:
    total = sum(len(found) for found in record.seconds.values())
    heads = ["endpoint", "requests", "per second", "p50 ms", "p99 ms", "worst ms"]
    rows = [_row(name, found, seconds) for name, found in sorted(record.seconds.items())]
    memory = [
        [
            role,
            f"{points[0][1]:.0f}",
            f"{points[-1][1]:.0f}",
            f"{max(y for _, y in points):.0f}",
            f"{slope(points):+.0f}",
        ]
        for role, points in curves.items()
        if points
    ]
    statuses = ", ".join(f"{status}: {times:,}" for status, times in sorted(record.statuses.items()))
    lines = [
        f"{title}: {total:,} requests in {seconds:.0f} s, {total / seconds:.0f} a second. Statuses: {statuses}.",
        "",
        table(heads, rows, left=1),
        "",
        table(["jobs", "number"], [[name, f"{times:,}"] for name, times in sorted(jobs.items())], left=1),
        "",
        table(["memory (MB)", "first", "last", "peak", "slope/hour"], memory, left=1),
        "",
        *(f"BROKEN {sentence}" for sentence in broken),
        "Nothing is broken." if not broken else f"{len(broken)} things are broken.",
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, seconds: Sequence[float], all_seconds: float) -> list[str]:
    cuts = quantiles(seconds, n=100) if len(seconds) > 1 else [seconds[0]] * 99
    return [
        name,
        f"{len(seconds):,}",
        f"{len(seconds) / all_seconds:.1f}",
        *(f"{1000 * value:.0f}" for value in (cuts[49], min(cuts[98], max(seconds)), max(seconds))),
    ]


def picture(title: str, curves: Mapping[str, Points]) -> str:
    """An SVG of memory over time."""
    longest = max((x for points in curves.values() for x, _ in points), default=1) or 1
    highest = 1.1 * max((y for points in curves.values() for _, y in points), default=1)

    def at(x: float, y: float) -> str:
        across = MARGIN + x / longest * (WIDTH - 2 * MARGIN)
        return f"{across:.1f},{HEIGHT - MARGIN - y / highest * (HEIGHT - 2 * MARGIN):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="13">',
        f"<title>{title}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{MARGIN}" y="25">{title}: memory, MB</text>',
    ]
    for step in range(5):
        value = highest * step / 4
        left, right = at(0, value).split(","), at(longest, value).split(",")
        parts.append(f'<line x1="{left[0]}" y1="{left[1]}" x2="{right[0]}" y2="{right[1]}" stroke="#ddd"/>')
        parts.append(f'<text x="8" y="{left[1]}">{value:.0f}</text>')
        minutes = longest * step / 4 / 60
        place = at(longest * step / 4, 0).split(",")
        parts.append(f'<text x="{place[0]}" y="{HEIGHT - MARGIN + 20}">{minutes:.1f} min</text>')
    for number, (role, points) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        line = " ".join(at(x, y) for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<text x="{MARGIN + 130 * number}" y="{HEIGHT - 12}" fill="{colour}">{role}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
