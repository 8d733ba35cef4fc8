"""From the rows of all rounds to medians, ranges and ratios, and to text."""
import dataclasses
import statistics
from typing import Iterable, Optional

OURS = "holdfast"
MACHINE = "machine"


@dataclasses.dataclass(frozen=True)
class Metric:
    """`more_is_better` says which way a ratio is turned, so that above 1 always means that Holdfast is better."""
    title: str
    more_is_better: bool
    digits: int


METRICS: dict[str, Metric] = {
    "rate": Metric("per second", True, 0),
    "p50_ms": Metric("p50 ms", False, 2),
    "p99_ms": Metric("p99 ms", False, 2),
    "cpu_s_per_100k": Metric("server CPU s per 100k", False, 2),
    "loader_us": Metric("loader CPU us each", False, 1),
    "registered": Metric("registered per second", True, 0),
    "seconds": Metric("seconds", False, 2),
    "core_percent": Metric("server CPU % of a core", False, 1),
    "resident_mib": Metric("memory (RSS) MiB a node", False, 1),
    "proportional_mib": Metric("memory (PSS) MiB a node", False, 1),
    "disk_mib": Metric("disk MiB a node", False, 1),
    "errors": Metric("errors", False, 0),
}


# What says nothing of a service: how its calls ended, what its loader took.
NO_RATIO = {"errors", "loader_us"}


@dataclasses.dataclass(frozen=True)
class Spread:
    """Of the rounds in which something was measured."""
    median: float
    least: float
    most: float
    count: int

    @staticmethod
    def of(values: Iterable[float]) -> "Spread":
        known = list(values)
        return Spread(statistics.median(known), min(known), max(known), len(known))


def values_of(rows: list[dict], service: str, workload: str, metric: str) -> dict[int, float]:
    """By round."""
    return {row["round"]: row["values"][metric] for row in rows
            if row["service"] == service and row["workload"] == workload and metric in row.get("values", {})}


def ratio(metric: Metric, ours: dict[int, float], theirs: dict[int, float]) -> Optional[Spread]:
    """How many times better Holdfast is, round by round; None if no round measured both, or one is zero."""
    pairs = [(ours[number], theirs[number]) for number in ours if number in theirs]
    if not pairs or any(mine <= 0 or other <= 0 for mine, other in pairs):
        return None
    return Spread.of(mine / other if metric.more_is_better else other / mine for mine, other in pairs)


def summary(rows: list[dict], workloads: list[tuple[str, str]], services: list[str]) -> list[dict]:
    """One object for each workload (name, what it is) and metric that was measured, in order."""
    lines = []
    for name, what in workloads:
        for key, metric in METRICS.items():
            known = {service: values_of(rows, service, name, key) for service in services}
            if not any(known.values()) or (key == "errors" and not any(sum(one.values()) for one in known.values())):
                continue
            line = {"workload": name, "what": what, "metric": key,
                    "services": {service: dataclasses.asdict(Spread.of(one.values())) for service, one in known.items() if one}}
            line["times_better"] = {
                service: dataclasses.asdict(found) for service in services
                if service != OURS and key not in NO_RATIO
                and (found := ratio(metric, known.get(OURS, {}), known[service])) is not None}
            lines.append(line)
    return lines


def floor_text(rows: list[dict]) -> str:
    """What the machine costs by itself; empty if it was not measured."""
    parts = {metric: values_of(rows, MACHINE, "floor", metric) for metric in ("sync_ms", "round_trip_ms", "floor_ms")}
    if not all(parts.values()):
        return ""
    sync, round_trip, floor = (spread_text(dataclasses.asdict(Spread.of(one.values())), 3) for one in parts.values())
    text = (f"This machine alone, p50: a synced append beside two others {sync} ms, a loopback round trip {round_trip} ms; "
            f"so a durable write takes at least {floor} ms.")
    ours = values_of(rows, OURS, "put-1", "p50_ms")
    times = [ours[number] / parts["floor_ms"][number] for number in ours if number in parts["floor_ms"]]
    if times:
        text += f" Holdfast's put-1 takes {spread_text(dataclasses.asdict(Spread.of(times)), 2)} times that."
    return text


def spread_text(spread: Optional[dict], digits: int) -> str:
    if spread is None:
        return "-"
    median, least, most = (f"{spread[part]:,.{digits}f}" for part in ("median", "least", "most"))
    return median if spread["count"] == 1 else f"{median} ({least}-{most})"


def as_text(lines: list[dict], services: list[str]) -> str:
    """A Markdown table for each workload: a row a metric, median (least-most)."""
    others = [service for service in services if service != OURS and OURS in services]
    head = "| | " + " | ".join([*services, *(f"times better than {other}" for other in others)]) + " |"
    rule = "|---" * (1 + len(services) + len(others)) + "|"
    pieces = []
    for name, what in dict.fromkeys((line["workload"], line["what"]) for line in lines):
        pieces += ["", f"**{name}**: {what}", "", head, rule]
        for line in (one for one in lines if one["workload"] == name):
            metric = METRICS[line["metric"]]
            cells = [spread_text(line["services"].get(service), metric.digits) for service in services]
            cells += [spread_text(line["times_better"].get(other), 2) for other in others]
            pieces.append(f"| {metric.title} | " + " | ".join(cells) + " |")
    return "\n".join(pieces[1:])
