"""Unusual reading: a reader's day beside the reader's own days and the office's.

Rules:
- Four figures of a day are looked at: how much was read, how much of it for the first time, in how
  many hours outside the reader's own, and in how many windows new to the reader whose terms do not
  name them. Nothing of what was read is looked at.
- Each has a tail under the reader's own past days, drawn towards the office's where those are few,
  and is judged by the least surprised of three families (negative binomial, Student's t of the
  logarithm, and beyond its upper end how far the office's own days reach out), because readers
  come in bursts. A day that is busy for everybody raises what counts as much for each.
- The pack says how many false alarms a thousand reader-weeks may have; the four figures share it,
  most of it what is read for the first time: who takes much takes new things, and much read again
  is a burst of work. `python -m benchmarks reading` measures how many there are.
- A day that was unusual does not become the measure of later ones: past values are cut at the
  office's own upper end, and the hours of a week are nobody's usual ones until it is over.
- Days within a week on which somebody read outside their hours are judged together: each alone may
  be a late evening, and how often one follows another is the office's own to say.
- An alert stands for a week: the same figure of the same reader raises no second one meanwhile.
- An alert is a reason to look, and says with which figures; it takes nothing from anybody.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import fmean, median, quantiles

FIGURES = ("views", "first", "odd_hours", "foreign")
ALPHA_DAYS = 5
PRIOR_DAYS = 8
LEAST_DISPERSION = 0.1
LEAST_SPREAD = 0.3
USUAL_SHARE = 0.015
SHARED_HOURS = 30
STAY = {"odd_hours": 0.55, "foreign": 0.3}
STANDS_DAYS = 7
# the figure whose days within a week are judged together, how often one follows another where the
# office's own days do not say, and how many of them it takes to say
TOGETHER = "odd_hours"
AGAIN, AGAIN_PRIOR = 0.3, 10
# what each figure has of its part of the budget: one that tells little of taking has less. Tuned on
# simulated readers, of whom `benchmarks/reading.py` says which
WEIGHT = {"views": 0.25, "first": 3, "odd_hours": 1, "foreign": 3}
BUSY_LIMIT = 3.0
# the office's own upper end: its share of days, and how many of them it takes to say
UPPER_SHARE = 0.05
UPPER_LEAST = 8
STAY_PRIOR = 20
LEAST = {"views": 12, "first": 8, "odd_hours": 2, "foreign": 2}


@dataclass(frozen=True)
class View:
    """One opening: who, when (UTC), what, under which act; `named`: the terms name the reader."""

    person: str
    at: datetime
    act: str
    object: str
    named: bool = False


@dataclass(frozen=True)
class Day:
    """One reader's day in figures."""

    person: str
    day: date
    views: int
    first: int
    odd_hours: int
    foreign: int


@dataclass(frozen=True)
class Alert:
    """A figure that is unusual for its reader: the value, what is usual, and its tail."""

    person: str
    day: date
    figure: str
    value: int
    usual: float
    tail: float


def days_of(views: Iterable[View]) -> list[Day]:
    """The figures of every reader's days, oldest first; each day beside the days before it."""
    by_day: dict[tuple[date, str], list[View]] = defaultdict(list)
    for view in views:
        by_day[view.at.date(), view.person].append(view)
    seen: dict[str, set[tuple[str, str]]] = defaultdict(set)
    windows: dict[str, set[str]] = defaultdict(set)
    hours: dict[str, list[int]] = defaultdict(lambda: [0] * 24)
    office = [0] * 24
    recent: deque[tuple[date, str, set[int]]] = deque()
    found = []
    for (day, person), rows in sorted(by_day.items(), key=lambda entry: entry[0]):
        while recent and (day - recent[0][0]).days >= STANDS_DAYS:
            _, reader, was = recent.popleft()
            for hour in was:
                hours[reader][hour] += 1
                office[hour] += 1
        objects = {(v.act, v.object) for v in rows}
        acts = {v.act for v in rows if not v.named}
        active = {v.at.hour for v in rows}
        found.append(
            Day(
                person,
                day,
                len(rows),
                len(objects - seen[person]),
                len(active - _usual(hours[person], office)),
                len(acts - windows[person]),
            )
        )
        seen[person] |= objects
        windows[person] |= {v.act for v in rows}
        recent.append((day, person, active))
    return found


def _usual(own: Sequence[int], office: Sequence[int]) -> set[int]:
    """The hours in which a reader reads, with neighbours; drawn towards the office's hours."""
    total = sum(office)
    if not total:
        return set(range(24))
    share = [
        (own[h] + SHARED_HOURS * office[h] / total) / (sum(own) + SHARED_HOURS) for h in range(24)
    ]
    inside = {h for h in range(24) if share[h] >= USUAL_SHARE}
    return inside | {(h + step) % 24 for h in inside for step in (-1, 1)}


def unusual(
    history: Sequence[Day], today: Sequence[Day], false_alarms_per_1000_weeks: int
) -> list[Alert]:
    """The alerts of one day, given the days before it.

    Args:
        history: the days before, of every reader; the baseline period's.
        today: the day so far, of every reader.
        false_alarms_per_1000_weeks: the whole budget, for a thousand readers' weeks.
    """
    share = false_alarms_per_1000_weeks / 1000 / ALPHA_DAYS / len(FIGURES)
    own: dict[str, list[Day]] = defaultdict(list)
    for row in history:
        own[row.person].append(row)
    found = []
    for figure in FIGURES:
        office = _Office(figure, history, own, today)
        for row in today:
            value = int(getattr(row, figure))
            if value < LEAST[figure]:
                continue
            past = [int(getattr(day, figure)) for day in own.get(row.person, ())]
            usual, tail = office.tail(row.person, past, value)
            tail = min(tail, tail * office.after(row, own.get(row.person, ())))
            if tail < WEIGHT[figure] * share:
                found.append(Alert(row.person, row.day, figure, value, usual, tail))
    return found


def new_ones(alerts: Iterable[Alert], standing: Iterable[tuple[str, str, date]]) -> list[Alert]:
    """The alerts that none that stands says already; `standing`: reader, figure, day of each."""
    last: dict[tuple[str, str], date] = {}
    for person, figure, day in standing:
        last[person, figure] = max(day, last.get((person, figure), day))
    return [
        alert
        for alert in alerts
        if (alert.person, alert.figure) not in last
        or (alert.day - last[alert.person, alert.figure]).days >= STANDS_DAYS
    ]


class _Office:
    """What is usual in the office for one figure."""

    def __init__(
        self,
        figure: str,
        history: Sequence[Day],
        own: Mapping[str, Sequence[Day]],
        today: Sequence[Day],
    ) -> None:
        self.figure = figure
        self.stay = _stay(STAY[figure], history, figure) if figure in STAY else None
        self.again = _again(own, figure) if figure == TOGETHER else 1.0
        values = [int(getattr(day, figure)) for day in history]
        self.cut = max(quantiles(values, n=50)[-1], 4) if len(values) > 1 else math.inf
        kept = [min(v, self.cut) for v in values] or [0.0]
        self.mean = max(fmean(kept), 0.05)
        self.share = (sum(v > 0 for v in kept) + 0.5) / (len(kept) + 10)
        logs = [math.log1p(v) for v in kept]
        self.log_mean = fmean(logs)
        per_reader = [
            [min(int(getattr(day, figure)), self.cut) for day in days]
            for days in own.values()
            if len(days) >= PRIOR_DAYS
        ]
        self.dispersion = max([LEAST_DISPERSION, *([_middle(map(_dispersion, per_reader))])])
        self.spread = max([LEAST_SPREAD, *([_middle(map(_spread, per_reader))])])
        self.beyond, self.excess = self._upper_end(own, figure) if self.stay is None else (0.0, 0.0)
        self.today = {
            day.person: int(getattr(day, figure))
            / max(1.0, _mean([int(getattr(d, figure)) for d in own.get(day.person, ())], self.mean))
            for day in today
        }

    def tail(self, person: str, past: Sequence[int], value: int) -> tuple[float, float]:
        """What is usual for this reader, and how seldom a day reaches `value`."""
        cut = [min(v, self.cut) for v in past]
        days, weight = len(cut), len(cut) + PRIOR_DAYS
        if self.stay is not None:
            some = (sum(v > 0 for v in cut) + PRIOR_DAYS * self.share) / weight
            return some, min(1.0, some) * float(self.stay ** (value - 1))
        busy = self._busy(person)
        mean = busy * (sum(cut) + PRIOR_DAYS * self.mean) / weight
        dispersion = _drawn(_dispersion(cut), self.dispersion, days) + 1 / weight
        log_mean, spread = self._logarithm(cut)
        steps = (math.log1p(value) - log_mean - math.log(busy)) / spread
        families = nb_tail(value, mean, dispersion), t_tail(steps, weight), self._far(steps)
        return mean, max(families)

    def after(self, today: Day, past: Sequence[Day]) -> float:
        """How seldom the days of the week before are as they are, each with what can follow it;
        1 where nothing is judged together."""
        if self.figure != TOGETHER or self.stay is None:
            return 1.0
        before = [
            int(getattr(day, self.figure))
            for day in past
            if (today.day - day.day).days < STANDS_DAYS
        ]
        seldom = [self.again * self.stay ** (value - 1) for value in before if value]
        return (STANDS_DAYS - 1) * math.prod(seldom) if seldom else 1.0

    def _logarithm(self, cut: Sequence[float]) -> tuple[float, float]:
        """Where the logarithm of a reader's days lies, and how wide."""
        weight = len(cut) + PRIOR_DAYS
        mean = (sum(math.log1p(v) for v in cut) + PRIOR_DAYS * self.log_mean) / weight
        return mean, _drawn(_spread(cut), self.spread, len(cut)) * math.sqrt(1 + 1 / weight)

    def _upper_end(self, own: Mapping[str, Sequence[Day]], figure: str) -> tuple[float, float]:
        """How far the office's own days lie beyond their readers' usual: threshold, mean excess."""
        steps: list[float] = []
        for days in own.values():
            values = [int(getattr(day, figure)) for day in days]
            mean, spread = self._logarithm([min(v, self.cut) for v in values])
            steps += [(math.log1p(v) - mean) / spread for v in values]
        steps.sort()
        few = max(1, round(len(steps) * UPPER_SHARE))
        if len(steps) < 4 * few or few < UPPER_LEAST:
            return 0.0, 0.0
        over = steps[-few - 1]
        return over, fmean(step - over for step in steps[-few:])

    def _far(self, steps: float) -> float:
        """The tail beyond the office's upper end, exponential as far as its own days reach out."""
        if not self.excess or steps <= self.beyond:
            return 0.0
        return UPPER_SHARE * math.exp((self.beyond - steps) / self.excess)

    def _busy(self, person: str) -> float:
        """How much busier the day is for everybody else; 1 where too few are there to say."""
        others = [ratio for name, ratio in self.today.items() if name != person]
        return min(BUSY_LIMIT, max(1.0, median(others))) if len(others) >= 3 else 1.0


def _stay(usual: float, history: Sequence[Day], figure: str) -> float:
    """How often one more follows, by the office's own days; drawn towards `usual`, not below it."""
    there = [value for day in history if (value := int(getattr(day, figure)))]
    runs = len(there) + STAY_PRIOR
    return max(usual, 1 - runs / (sum(there) + STAY_PRIOR / (1 - usual)))


def _again(own: Mapping[str, Sequence[Day]], figure: str) -> float:
    """How often another follows within a week, by the office's own days, drawn towards `AGAIN`."""
    days = followed = 0
    for rows in own.values():
        last: date | None = None
        for row in sorted(rows, key=lambda row: row.day):
            there = getattr(row, figure) > 0
            if last is not None and (row.day - last).days < STANDS_DAYS:
                days, followed = days + 1, followed + there
            last = row.day if there else last
    return (followed + AGAIN * AGAIN_PRIOR) / (days + AGAIN_PRIOR)


def _mean(values: Sequence[int], prior: float) -> float:
    return (sum(values) + PRIOR_DAYS * prior) / (len(values) + PRIOR_DAYS)


def _drawn(own: float, office: float, days: int) -> float:
    """A reader's own figure drawn towards the office's, whole where the days are too few."""
    weight = days if days >= PRIOR_DAYS else 0
    return (weight * own + PRIOR_DAYS * office) / (weight + PRIOR_DAYS)


def _middle(values: Iterable[float]) -> float:
    rows = sorted(values)
    return rows[len(rows) // 2] if rows else 0.0


def _dispersion(values: Sequence[float]) -> float:
    """The extra variance of counts beyond a Poisson's, in squares of the mean."""
    if len(values) < PRIOR_DAYS:
        return 0.0
    mean = fmean(values)
    variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
    return max(0.0, variance - mean) / mean**2 if mean else 0.0


def _spread(values: Sequence[float]) -> float:
    """The spread of the logarithms, by the median distance from the median or the whole."""
    if len(values) < PRIOR_DAYS:
        return 0.0
    logs = [math.log1p(v) for v in values]
    middle, mean = median(logs), fmean(logs)
    whole = math.sqrt(sum((x - mean) ** 2 for x in logs) / (len(logs) - 1))
    return max(whole, 1.4826 * median([abs(x - middle) for x in logs]))


def nb_tail(count: int, mean: float, dispersion: float) -> float:
    """P(X >= count) of a negative binomial with this mean and variance mean + dispersion*mean²."""
    if count <= 0:
        return 1.0
    size = 1 / dispersion
    return _beta(count, size, mean / (mean + size))


def t_tail(steps: float, freedom: int) -> float:
    """P(T >= steps) of Student's t."""
    tail = 0.5 * _beta(freedom / 2, 0.5, freedom / (freedom + steps * steps))
    return tail if steps > 0 else 1 - tail


def _beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (Lentz)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 / ((1 - (a + b) * x / (a + 1)) or tiny)
    result = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / ((1 + term * d) or tiny)
            c = (1 + term / c) or tiny
            result *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return result
