"""What Prometheus is told of the monitor: figures that the database is asked for, twice a minute at most.

`minecam serve` answers with them at /metrics. The queries `metrics_*.sql` give a name, labels and a value in each row.
"""

import time
from collections.abc import Iterable
from threading import Lock

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

import sql
from tasks.settings import settings

METRICS: dict[str, tuple[str, tuple[str, ...]]] = {
    "minecam_mines": ("Mines that are watched", ()),
    "minecam_mines_unsearched": ("Watched mines that the catalog was not searched for within so many days", ("days",)),
    "minecam_mines_unseen": ("Watched mines of which nobody truly saw half within so many days", ("days",)),
    "minecam_acquisitions": ("Acquisitions that hold, by state", ("state",)),
    "minecam_acquisitions_given_up": ("Acquisitions that failed as often as they are tried", ()),
    "minecam_epochs": ("Epochs that hold", ()),
    "minecam_alerts": ("Alerts, by state and severity (3: and above)", ("state", "severity")),
    "minecam_stored": ("Acquisitions stored within 7 days, sensed at most 30 days before", ()),
    "minecam_stored_after_seconds": ("From sensing or publication until those were stored", ("since", "quantile")),
    "minecam_units_spent": ("Processing units charged this calendar month (UTC)", ()),
    "minecam_units_left": ("Processing units that this month has left, where it has a limit", ()),
    "minecam_requests_spent": ("Requests charged this calendar month (UTC)", ()),
    "minecam_requests_left": ("Requests that this month has left, where it has a limit", ()),
    "minecam_searched_timestamp_seconds": ("When the catalog was searched last, in seconds since 1970", ()),
    "minecam_queue": ("What waits: acquisitions due, epochs to compare, events to tell, messages refused", ("what",)),
    "minecam_database_bytes": ("Size of the database", ()),
}
"""By name what each says, and by what it is divided."""
QUERIES = ("metrics_mines", "metrics_acquisitions", "metrics_epochs", "metrics_alerts", "metrics_charges")
KEPT_SECONDS = 30.0
"""How long figures are told again: those of 45,000 mines take the database four, and whoever may read may ask."""


class Monitor(Collector):
    """The figures of the database of the settings."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Ask for all figures; raises DatabaseError where the database does not answer."""
        given = settings()
        families = {name: GaugeMetricFamily(name, words, labels=labels) for name, (words, labels) in METRICS.items()}
        asked = {"max_tries": given.max_tries, "units": given.pu_month, "requests": given.requests_month}
        with sql.connect(given.database_address, role="read") as connection:
            for query in QUERIES:
                for row in sql.run(connection, query, **asked):
                    families[row["metric"]].add_metric(row["labels"], row["value"])
        return families.values()


class Page:
    """The figures as Prometheus reads them, kept for a moment; many may ask at once, and one of them the database."""

    def __init__(self, kept_seconds: float = KEPT_SECONDS) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(Monitor())
        self._kept_seconds, self._lock = kept_seconds, Lock()
        self._text, self._read = b"", -kept_seconds

    def text(self) -> bytes:
        """Return the page; raises DatabaseError where the database does not answer."""
        with self._lock:
            if time.monotonic() - self._read >= self._kept_seconds:
                self._text, self._read = generate_latest(self._registry), time.monotonic()
            return self._text
