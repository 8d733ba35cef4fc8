"""How figures grow with the number of keys: their table, and what is expected of them. Pure."""
import dataclasses
import math
import statistics

from table import Spread, spread_text

MIB = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Figure:
    title: str
    digits: int


FIGURES: dict[str, Figure] = {
    "rate": Figure("writes/s, 1000 in flight", 0),
    "cpu_s_per_100k": Figure("servers' CPU s per 100,000 writes", 2),
    "restart_s": Figure("all three restarted until the first write, s", 2),
    "resident_mib": Figure("memory of a member (RSS), MiB", 1),
    "anonymous_mib": Figure("of it allocated (RssAnon), MiB", 1),
    "disk_mib": Figure("disk of a member, MiB", 1),
    "apply_us": Figure("apply of a put, CPU us", 2),
}

# With the most keys, against the fewest.
LEAST_SHARE_OF_RATE = 0.8
MOST_RESTART_S = 2.0
# Of bytes a key, the dearest size against the cheapest: what is above this is not linear.
MOST_SPREAD_OF_BYTES = 1.5
# Sizes below this say little of bytes a key: what a member takes without any is larger.
LEAST_KEYS_FOR_BYTES = 100_000
# A put among n keys costs less than this times as much for each tenfold n: what is above grows as a power of n. (A pointer
# chase that is not in the cache any more costs steps; ten times as many keys at three times the time is a power of 1/2.)
MOST_TIMES_A_DECADE = 3.0


def values_of(rows: list[dict], keys: int, figure: str) -> dict[int, float]:
    """By round."""
    return {row["round"]: row["values"][figure] for row in rows if row["keys"] == keys and figure in row["values"]}


def sizes_of(rows: list[dict]) -> list[int]:
    return sorted({row["keys"] for row in rows})


def medians(rows: list[dict]) -> dict[int, dict[str, float]]:
    return {keys: {figure: statistics.median(known.values()) for figure in FIGURES if (known := values_of(rows, keys, figure))}
            for keys in sizes_of(rows)}


def rate_shares(rows: list[dict]) -> dict[int, Spread]:
    """Each size's writes/s as a share of the smallest one's, taken within each round."""
    sizes = sizes_of(rows)
    least = values_of(rows, sizes[0], "rate") if sizes else {}
    shares = {}
    for keys in sizes:
        known = values_of(rows, keys, "rate")
        both = [known[number] / least[number] for number in known if number in least]
        if both:
            shares[keys] = Spread.of(both)
    return shares


def bytes_a_key(rows: list[dict]) -> dict[int, float]:
    """What each size allocates more than the smallest one, for each key more."""
    known = {keys: values["anonymous_mib"] for keys, values in medians(rows).items() if "anonymous_mib" in values}
    if not known:
        return {}
    least = min(known)
    return {keys: (mib - known[least]) * MIB / (keys - least) for keys, mib in known.items() if keys > least}


def missed(rows: list[dict]) -> list[str]:
    """Which of the expectations do not hold; an expectation of what was not measured holds."""
    texts = []
    sizes, known = sizes_of(rows), medians(rows)
    shares = rate_shares(rows)
    if sizes and sizes[-1] in shares and shares[sizes[-1]].median < LEAST_SHARE_OF_RATE:
        texts.append(f"with {sizes[-1]:,} keys {shares[sizes[-1]].median * 100:.0f} % of the writes/s with {sizes[0]:,}, "
                     f"not {LEAST_SHARE_OF_RATE * 100:g} %")
    if sizes and known[sizes[-1]].get("restart_s", 0) > MOST_RESTART_S:
        texts.append(f"a restart with {sizes[-1]:,} keys takes {known[sizes[-1]]['restart_s']:.2f} s, not {MOST_RESTART_S:g}")
    large = [cost for keys, cost in bytes_a_key(rows).items() if keys >= LEAST_KEYS_FOR_BYTES]
    if len(large) > 1 and max(large) > MOST_SPREAD_OF_BYTES * min(large):
        texts.append(f"a key takes from {min(large):.0f} to {max(large):.0f} bytes of memory: that is not linear")
    applied = {keys: values["apply_us"] for keys, values in known.items() if "apply_us" in values}
    for fewer, more in zip(list(applied), list(applied)[1:]):
        times = (applied[more] / applied[fewer]) ** (1 / math.log10(more / fewer))
        if times > MOST_TIMES_A_DECADE:
            texts.append(f"applying a put takes {times:.1f} times as long for each tenfold keys from {fewer:,} to {more:,}")
    return texts


def as_text(rows: list[dict]) -> str:
    """A Markdown table: a row a figure, a column a size, median (least-most)."""
    sizes = sizes_of(rows)
    lines = ["| keys of 256 bytes | " + " | ".join(f"{keys:,}" for keys in sizes) + " |", "|---" * (1 + len(sizes)) + "|"]

    def add(title: str, cells: list[str]) -> None:
        if any(cell != "-" for cell in cells):
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    for name, figure in FIGURES.items():
        found = [values_of(rows, keys, name) for keys in sizes]
        add(figure.title, [spread_text(dataclasses.asdict(Spread.of(one.values())), figure.digits) if one else "-" for one in found])
        if name == "rate":
            shares = rate_shares(rows)
            add("share of the first column's", [spread_text(dataclasses.asdict(shares[keys]), 2) if keys in shares else "-"
                                               for keys in sizes])
        if name == "anonymous_mib":
            costs = bytes_a_key(rows)
            add("bytes a key", [f"{costs[keys]:,.0f}" if keys in costs else "-" for keys in sizes])
    return "\n".join(lines)
