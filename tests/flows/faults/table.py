"""The fault table: what goes wrong, what the run says, and what becomes of the two days of the mine.

Of every row, `test_faults.py` holds the run and what it left against the row; then, with the fault gone, lets a run end
what is left, and holds rows and files against those of a world without faults. `states` and `tries` are of the first
and of the second day after the runs with the fault; "" are days that are not even discovered. `paid` are requests of
pixels that were paid in vain.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.flows.faults import injections as the
from tests.flows.faults.proxy import changes, cuts, drips, resets, says, stalls, vanishes
from tests.flows.faults.world import FIRST, SECOND, World

ALWAYS, ONCE = float("inf"), 1


@dataclass(frozen=True)
class Case:
    """A row of the table."""

    name: str
    where: str
    fault: Callable[[World], None]
    says: str = ""
    """What the first run says, a regular expression; nothing: it ends well."""
    states: str = "segmented segmented"
    tries: str = "0 0"
    paid: int = 0
    runs: int = 1
    given_up: bool = False
    rerun: bool = False
    """Whether a person has to ask for it (`minecam run MINE --rerun`)."""
    slow: bool = False
    """Close to another row: with `make test-all` only."""
    world: str = "plain"
    """What the run without faults is: `plain`, or `newer`, in which the first day has a newer product besides."""

    @property
    def late(self) -> bool:
        """Whether the second day is judged while the first does not count."""
        out = ("failed segmented", "quarantined segmented", "failed failed")
        return self.states in out or self.world == "newer"


def asked(kind: str, misdeed: Callable, times: float = ALWAYS, day: str | None = None) -> Callable[[World], None]:
    """Return the fault: requests of `kind` meet a misdeed."""
    return lambda world: world.request(kind, misdeed, times=times, day=day)


def bands(misdeed: Callable, times: float = ALWAYS) -> Callable[[World], None]:
    """Return the fault: the download of the first day meets a misdeed."""
    return asked("bands", misdeed, times, FIRST)


NONE = {"states": "", "tries": ""}
LEFT_OUT = {"states": "segmented", "tries": "0"}
"""The second day is not discovered; the next run finds it."""
FAILED = {"states": "failed segmented", "tries": "1 0"}
DOWN = {"states": "failed discovered", "tries": "1 0"}
JUDGED = "new.suite <> 'preview'"
FIRST_JUDGED = (f"{JUDGED} and (select sensing_date from acquisition a"
                f" where a.acquisition_id = new.acquisition_id) = '{FIRST}'")  # fmt: skip
OF_FIRST = f"new.sensing_time < '{SECOND}'"
HTML = b"<html><title>Maintenance</title></html>"
SPENT = {"error": {"status": 403, "code": "ACCESS_INSUFFICIENT_PROCESSING_UNITS", "message": "Insufficient"}}

ARCHIVE = (
    Case("token: the credentials are refused", "archive",
         asked("token", says(401, {"error": "invalid_client"})), "refuses the credentials", **NONE),
    Case("token: refused once", "archive", asked("token", says(401, {"error": "invalid_client"}), ONCE),
         "refuses the credentials", **NONE, slow=True),
    Case("token: limited once", "archive", asked("token", says(429), ONCE)),
    Case("token: limited for ever", "archive", asked("token", says(429)), "keeps limiting our requests", **NONE,
         slow=True),
    Case("token: 500 once", "archive", asked("token", says(500, HTML), ONCE), slow=True),
    Case("token: 500 for ever", "archive", asked("token", says(500, HTML)), "answered 500", **NONE),
    Case("token: a page instead of a token", "archive", asked("token", says(200, HTML)), "refuses|unusable", **NONE),
    Case("token: JSON without a token", "archive", asked("token", says(200, {"ok": True})), "refuses|unusable", **NONE,
         slow=True),
    Case("token: none comes in time", "archive", the.short_time(asked("token", stalls())), "in time", **NONE),
    Case("token: expired in the middle of a run", "archive", bands(says(401, {"error": {"message": "expired"}}), ONCE)),
    Case("token: every one is refused in the middle of a run", "archive", bands(says(401)),
         "refuses the credentials", **DOWN),

    Case("limits: 429 once, back in 10 ms", "archive", bands(says(429, Retry_After="10"), ONCE), slow=True),
    Case("limits: 429 once, without a time", "archive", bands(says(429), ONCE), slow=True),
    Case("limits: 429 once, back in a month", "archive", bands(says(429, Retry_After="2592000000"), ONCE)),
    Case("limits: 429 once, at a date", "archive",
         bands(says(429, Retry_After="Sat, 28 Nov 2026 12:00:00 GMT"), ONCE), slow=True),
    Case("limits: 429 for ever", "archive", bands(says(429, Retry_After="10")), "keeps limiting", **DOWN),
    Case("limits: 429 for ever, at the preview", "archive", asked("preview", says(429, Retry_After="10")),
         "keeps limiting", "segmented failed", "0 1"),
    Case("limits: 429 for ever, at the search", "archive", asked("search", says(429, Retry_After="10")),
         "keeps limiting", **NONE, slow=True),
    Case("limits: the processing units are spent", "archive", bands(says(403, SPENT)),
         states="discovered discovered"),
    Case("limits: forbidden for another reason", "archive", bands(says(403, {"error": {"message": "Not yours"}})),
         "answered 403: Not yours", **FAILED, slow=True),

    Case("errors: 500 once", "archive", bands(says(500), ONCE)),
    Case("errors: 502 of a gateway, for ever", "archive", bands(says(502, HTML)), "answered 502", **FAILED, slow=True),
    Case("errors: 503 for ever, until it is given up", "archive", bands(says(503)), "not watched",
         "failed segmented", "2 0", runs=2, given_up=True, rerun=True),
    Case("errors: 503 at the preview, for ever", "archive", asked("preview", says(503)), "answered 503",
         "segmented failed", "0 1", slow=True),
    Case("errors: 503 at the search, for ever", "archive", asked("search", says(503)), "answered 503", **NONE,
         slow=True),
    Case("errors: 400, with the reason", "archive", bands(says(400, {"error": {"message": "no such band"}})),
         "answered 400: no such band", **FAILED),
    Case("errors: it leads to another page", "archive", bands(says(302, Location="/login")), "answered 404", **FAILED,
         slow=True),

    Case("search: a page instead of JSON", "archive", asked("search", says(200, HTML)), "unusable", **NONE),
    Case("search: JSON of another form", "archive", asked("search", says(200, {"a": 1})), "unusable", **NONE),
    Case("search: a list instead of an object", "archive", asked("search", says(200, [1])), "unusable", **NONE,
         slow=True),
    Case("search: pages without end", "archive", the.endless_pages, "goes on after 5 requests", **NONE),
    Case("search: a product without id", "archive", asked("search", changes(the.without("id"))),
         **LEFT_OUT),
    Case("search: a product without time", "archive", asked("search", changes(the.without("properties", "datetime"))),
         **LEFT_OUT, slow=True),
    Case("search: a time that is none", "archive", asked("search", changes(the.with_property("datetime", "soon"))),
         **LEFT_OUT, slow=True),
    Case("search: a cloud cover that is none", "archive",
         asked("search", changes(the.with_property("eo:cloud_cover", "cloudy")))),
    Case("search: without publication time and cloud cover", "archive",
         asked("search", changes(the.plainer)), slow=True),
    Case("search: every product twice", "archive", asked("search", changes(the.twice)), slow=True),
    Case("search: nothing, where there is something", "archive", asked("search", changes(the.nothing)), **NONE,
         slow=True),

    Case("pixels: a page instead of a TIFF", "archive", bands(says(200, HTML)), "none at all", **FAILED, paid=1),
    Case("pixels: JSON instead of a TIFF", "archive", bands(says(200, {"ok": 1})), "none at all",
         **FAILED, paid=1, slow=True),
    Case("pixels: nothing at all", "archive", bands(says(200)), "none at all",
         **FAILED, paid=1, slow=True),
    Case("pixels: half a TIFF", "archive", bands(cuts(keep=0.5, honest=False)), "truncated", **FAILED, paid=1),
    Case("pixels: of another size", "archive", bands(changes(the.smaller)), "an array of", **FAILED, paid=1),
    Case("pixels: of another type", "archive", bands(changes(the.floats)), "float32 values", **FAILED, paid=1,
         slow=True),
    Case("pixels: a band less", "archive", bands(changes(the.a_band_less)), "an array of", **FAILED, paid=1, slow=True),
    Case("pixels: zeros once", "archive", bands(changes(the.zeros)), "sent no data", **FAILED, paid=1, slow=True),
    Case("pixels: zeros twice, which is believed", "archive", bands(changes(the.zeros)), "sent no data",
         "quarantined segmented", "1 0", paid=2, runs=2, rerun=True),
    Case("pixels: zeros at the preview", "archive", asked("preview", changes(the.zeros)), "sent no data",
         "segmented failed", "0 1", paid=1, slow=True),
    Case("pixels: the product is gone since the search", "archive", the.product_gone, "sent no data", **FAILED, paid=1),
    Case("pixels: a newer product since the search", "archive", the.newer_product, paid=1, world="newer"),
    Case("price: not said", "archive", asked("any", changes(the.without_price)), slow=True),
    Case("price: no number", "archive", asked("any", changes(the.priced("NaN")))),
    Case("price: below nothing", "archive", asked("any", changes(the.priced("-5"))), slow=True),
)  # fmt: skip

NETWORK = (
    Case("nobody listens", "network", the.nobody_listens, "does not answer: run `minecam up`", **NONE),
    Case("nobody listens any more", "network", bands(vanishes), "does not answer", **DOWN, slow=True),
    Case("the name is not known", "network", the.unknown_name, "does not answer", **NONE, slow=True),
    Case("it speaks no TLS", "network", the.no_tls, "does not answer", **NONE, slow=True),
    Case("reset before the answer, once", "network", bands(resets(after=0), ONCE), slow=True),
    Case("reset before the answer, for ever", "network", bands(resets(after=0)), "does not answer", **DOWN, slow=True),
    Case("reset in the headers", "network", bands(resets(after=30)), "does not answer", **DOWN, slow=True),
    Case("reset in the body, once", "network", bands(resets(after=4000), ONCE), slow=True),
    Case("reset in the body, for ever", "network", bands(resets(after=4000)), "broke off", **FAILED),
    Case("the answer ends too soon, once", "network", bands(cuts(keep=0.5, honest=True), ONCE), slow=True),
    Case("the answer ends too soon, for ever", "network", bands(cuts(keep=0.5, honest=True)), "broke off", **FAILED),
    Case("the search ends too soon", "network", asked("search", cuts(keep=0.5, honest=True)), "broke off", **NONE,
         slow=True),
    Case("half a search, called whole", "network", asked("search", cuts(keep=0.5, honest=False)), "unusable", **NONE,
         slow=True),
    Case("a drip of bytes", "network", the.short_time(bands(drips())), "in time", **FAILED),
    Case("silence", "network", the.short_time(bands(stalls())), "in time", **FAILED, slow=True),
    Case("silence at the search", "network", the.short_time(asked("search", stalls())), "in time", **NONE, slow=True),
    Case("no gzip, though it says so", "network",
         bands(says(200, HTML, Content_Encoding="gzip")), "unusable", **FAILED),
    Case("more bytes than can be", "network", the.too_large(bands(says(200, b" " * 300_000))), "larger than", **FAILED),
)  # fmt: skip

DISK = (
    Case("full at the second day", "disk", the.full_at_the_second_day, "No space left on device",
         "segmented failed", "0 1", paid=1),
    Case("full at the class raster", "disk", the.full_after_the_downloads, "No space left on device",
         "failed failed", "1 1"),
    Case("read-only", "disk", the.read_only, "cannot write", "failed failed", "1 1", paid=2),
    Case("a file where the folder should be", "disk", the.file_for_folder, "cannot write", "failed failed", "1 1",
         paid=2, slow=True),
    Case("left by a run that was killed", "disk", the.parts_left, slow=True),
    Case("acquisition raster lost before it is judged", "disk", the.downloaded_then(the.lost), "is missing",
         **FAILED, paid=1),
    Case("acquisition raster cut before it is judged", "disk",
         the.downloaded_then(the.cut), "checksum", **FAILED, paid=1, slow=True),
    Case("a bit of the acquisition raster flipped", "disk",
         the.downloaded_then(the.flipped), "checksum", **FAILED, paid=1, slow=True),
    Case("acquisition raster lost after it is segmented", "disk", the.segmented_then(the.lost), **FAILED, paid=1),
    Case("acquisition raster cut after it is segmented", "disk", the.segmented_then(the.cut),
         **FAILED, paid=1, slow=True),
    Case("class raster lost", "disk", the.segmented_then(the.lost, "class"), "could not be compared", slow=True),
    Case("class raster cut", "disk", the.segmented_then(the.cut, "class"), "could not be compared", slow=True),
    Case("a bit of the class raster flipped", "disk",
         the.segmented_then(the.flipped, "class"), "could not be compared", slow=True),
    Case("confidence raster lost", "disk", the.segmented_then(the.lost, "confidence"), "could not be compared",
         slow=True),
    Case("class raster cannot be read for now", "disk", the.segmented_then(the.hidden, "class"),
         "could not be compared"),
)  # fmt: skip

DATABASE = (
    Case("connection lost in discover", "database", the.connection_lost("insert on acquisition"), "database", **NONE,
         slow=True),
    Case("connection lost when a download is recorded", "database",
         the.connection_lost("update on acquisition", "new.state = 'downloaded'"), "database", "discovered discovered",
         paid=1),
    Case("connection lost in validate", "database", the.connection_lost("insert on validation", JUDGED), "database",
         "downloaded downloaded", slow=True),
    Case("connection lost in store", "database", the.connection_lost("insert on class_area"), "database",
         "accepted accepted"),
    Case("connection lost in the middle of a COPY", "database", the.connection_lost("insert on segment"), "database",
         "accepted accepted", slow=True),
    Case("connection lost in compare", "database", the.connection_lost("insert on comparison"), "database"),
    Case("connection lost in alert", "database", the.connection_lost("insert on alert"), "database", slow=True),
    Case("disk full in discover", "database", the.fails("insert on acquisition", "53100"), "database", **NONE,
         slow=True),
    Case("disk full in validate", "database", the.fails("insert on validation", "53100", FIRST_JUDGED),
         "database", **FAILED, slow=True),
    Case("disk full in store", "database", the.fails("insert on epoch", "53100", OF_FIRST),
         "database", **FAILED),
    Case("disk full in the middle of a COPY", "database",
         the.fails("insert on segment", "53100", OF_FIRST), "database", **FAILED, slow=True),
    Case("not serialisable in store", "database",
         the.fails("insert on epoch", "40001", OF_FIRST),
         "database", **FAILED, slow=True),
    Case("deadlock in compare", "database", the.fails("insert on comparison", "40P01"), "could not be compared"),
    Case("disk full in alert", "database", the.fails("insert on alert", "53100"), "could not be compared", slow=True),
    Case("read-only, as after a failover", "database", the.read_only_database, "database", **NONE),
    Case("it takes no connections", "database", the.no_connections, "the database does not answer", **NONE, slow=True),
    Case("another run has the mine", "database", the.held, "another run", **NONE),
    Case("somebody has locked the acquisitions", "database", the.locked, "database", **NONE),
    Case("the server is restarted", "database", the.restarted, "database", "discovered discovered", paid=1),
)  # fmt: skip

TABLE = (*ARCHIVE, *NETWORK, *DISK, *DATABASE)
