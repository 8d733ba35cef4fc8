"""Whether a series of sizes grows: pure."""
import dataclasses
import statistics
from typing import Sequence


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Of one size of one member."""
    what: str
    median: float
    growth: float  # over the second half of the run, in the series' unit; below zero: it shrank
    limit: float   # of growth, as a share of the median

    @property
    def flat(self) -> bool:
        return self.growth <= self.limit * self.median

    @property
    def text(self) -> str:
        share = self.growth / self.median * 100 if self.median else 0.0
        return (f"{self.what}: median {self.median:,.1f} MiB, {self.growth:+,.2f} MiB ({share:+.1f} %) over the second half: "
                + ("flat" if self.flat else f"NOT flat, the limit is {self.limit * 100:g} %"))


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """The median of the slopes between any two points (Theil and Sen): a few points far off, as a file that was about to be
    shortened, do not change it as they would change a least-squares line."""
    between = [(values[j] - values[i]) / (times[j] - times[i])
               for i in range(len(times)) for j in range(i + 1, len(times)) if times[j] > times[i]]
    return statistics.median(between) if between else 0.0


def judge(what: str, times: Sequence[float], values: Sequence[float], limit: float) -> Verdict:
    """By the second half of the run: in the first, what is kept up to a bound fills up. Raises ValueError if there are fewer
    than three samples in it."""
    middle = (times[0] + times[-1]) / 2 if times else 0.0
    later = [(at, value) for at, value in zip(times, values) if at >= middle]
    if len(later) < 3:
        raise ValueError("the second half of the run has fewer than three samples")
    known_times, known = zip(*later)
    return Verdict(what, statistics.median(known), slope(known_times, known) * (known_times[-1] - known_times[0]), limit)
