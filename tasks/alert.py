"""Raises alerts from changes and carries them on: provisional until later observations agree, else expired.

Stands between `compare` and `notify`. A rule looks at hectares of a transition at a place; an alert that stands
is updated and never raised again, and every transition leaves an `alert_event`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

import sql
from models.labels import NODATA
from tasks.grid import to_utm, to_wgs84
from tasks.rasters import read
from tasks.registry import Mine

NEAR = 30.0
"""Metres within which ground belongs to the same match, and a match to a standing alert."""

SNAP = 0.01
"""Metres to which outlines are snapped before they are joined: the way through degrees leaves slivers."""

SQUARE_METRES = 10_000.0  # of a hectare


@dataclass(frozen=True)
class Match:
    """Ground that fulfils a rule: `geometry` in EPSG:4326, `hectares` measured in UTM."""

    geometry: MultiPolygon
    hectares: float


def matching(
    *,
    changes: gpd.GeoDataFrame,
    rule: sql.Row,
    licence: BaseGeometry | None,
    zones: BaseGeometry | None,
    epsg: int,
) -> list[Match]:
    """Return the ground on which `rule` fires, one match for what lies together within 30 m, largest first.

    `changes` has from_class, to_class and geometry (EPSG:4326); `licence` and `zones` are in EPSG:4326; `epsg` is
    the mine's UTM zone. Without a licence nothing lies outside it; without zones nothing lies inside one.
    """
    wanted = changes.from_class.isin(rule["from_classes"]) & changes.to_class.isin(rule["to_classes"])
    patches = [_snapped(to_utm(patch, epsg)) for patch in changes.geometry[wanted]]
    placed = _placed(patches, rule["place"], *(None if it is None else to_utm(it, epsg) for it in (licence, zones)))
    ground = [group for group in _together(placed) if group.area / SQUARE_METRES >= rule["threshold_hectares"] - 1e-6]
    return [_match(group, epsg) for group in sorted(ground, key=lambda group: -group.area)]


def _placed(
    patches: list[BaseGeometry], place: str, licence: BaseGeometry | None, zones: BaseGeometry | None
) -> list[BaseGeometry]:
    """Cut `patches` to where the rule looks and return single polygons; all in metres."""
    if place == "outside_licence":
        patches = [] if licence is None else [patch.difference(licence) for patch in patches]
    elif place == "inside_zone":
        patches = [] if zones is None else [patch.intersection(zones) for patch in patches]
    return [part for part in shapely.get_parts(patches) if part.area > 0]


def _together(patches: list[BaseGeometry]) -> list[BaseGeometry]:
    """Join patches (in metres) that lie within 30 m of each other."""
    if not patches:
        return []
    neighbourhoods = shapely.get_parts(shapely.union_all(shapely.buffer(patches, NEAR / 2)))
    patch, of = shapely.STRtree(neighbourhoods).query(patches, predicate="intersects")
    return [_joined([patches[i] for i in patch[of == each]]) for each in range(len(neighbourhoods))]


def _snapped(geometry: BaseGeometry) -> BaseGeometry:
    return shapely.set_precision(geometry, SNAP)


def _joined(shapes: Sequence[BaseGeometry]) -> BaseGeometry:
    return shapely.union_all([_snapped(shape) for shape in shapes], grid_size=SNAP)


def _match(ground: BaseGeometry, epsg: int) -> Match:
    polygons = [part for part in shapely.get_parts(to_wgs84(ground, epsg)) if part.geom_type == "Polygon"]
    return Match(MultiPolygon(polygons), ground.area / SQUARE_METRES)


def severity(hectares: float, threshold: float) -> int:
    """Return 1 at the threshold, 2 from twice, 3 from five times the threshold."""
    times = hectares / threshold + 1e-9
    return 1 + (times >= 2) + (times >= 5)


def next_state(
    *, state: str, observations: Sequence[int | bool], n: int, m: int, age_days: float, expire_days: int
) -> str:
    """Return the state of an alert after `observations`, the valid ones since its first detection in order.

    A provisional alert is confirmed when `n` of the first `m` agree; it expires when that can no longer be, or when
    it is older than `expire_days`. Every other state is a person's or final, and stays.
    """
    if state != "provisional":
        return state
    first = observations[:m]
    agreeing = sum(map(bool, first))
    if agreeing >= n:
        return "confirmed"
    return "expired" if agreeing + m - len(first) < n or age_days > expire_days else "provisional"


def agreement(*, classes: np.ndarray, mask: np.ndarray, to_classes: Sequence[int]) -> bool | None:
    """Return whether an epoch agrees with an alert; None when under half of the alert's pixels are valid.

    `classes` is uint8 (H, W), 255 invalid; `mask`, bool (H, W), are the alert's pixels. It agrees when at least
    half of the valid ones have one of `to_classes`.
    """
    ground = classes[mask]
    valid = ground[ground != NODATA]
    if not len(valid) or 2 * len(valid) < len(ground):
        return None
    return bool(2 * np.isin(valid, to_classes).sum() >= len(valid))


def alert(connection: sql.Connection, comparison: sql.Row, mine: Mine) -> list[sql.Row]:
    """Advance the mine's provisional alerts by the comparison's epoch, then raise or update what its changes match.

    One transaction; a second run for the same comparison does nothing. Returns the new alert_event rows with the
    figures of alert, rule and mine. Raises RasterError when the class raster cannot be read.
    """
    (epoch,) = sql.run(connection, "epoch_find", epoch_id=comparison["epoch_id"])
    with connection.transaction():
        sql.run(connection, "mine_lock", mine_id=mine.mine_id)
        rules = sql.run(connection, "rule_enabled", mine_id=mine.mine_id)
        events = advance(connection, epoch) + raise_alerts(connection, comparison, epoch, mine, rules)
        return sql.run(connection, "alert_event_read", mine_id=mine.mine_id, events=events)


def advance(connection: sql.Connection, epoch: sql.Row, *, rule_id: int | None = None) -> list[int]:
    """Let the epoch speak on the alerts whose latest observation is older; return the ids of their events.

    Of one rule, or of all.
    """
    standing = sql.run(connection, "alert_to_advance", epoch_id=epoch["epoch_id"], rule_id=rule_id)
    if not standing:
        return []
    raster = read(epoch["class_raster"], epoch["class_checksum"])
    events = []
    for row in standing:
        age = (epoch["sensing_time"] - row["first_time"]).total_seconds() / 86_400
        mask = raster.grid.mask(shapely.from_wkb(bytes(row["geom"])))
        seen = agreement(classes=raster.array[0], mask=mask, to_classes=row["to_classes"])
        # What comes after the age limit is no evidence, however the epochs in between happened to fall.
        counted = [] if seen is None or age > row["expire_days"] else [int(seen)]
        events += _step(connection, row, epoch, counted, age)
    return events


def _step(connection: sql.Connection, row: sql.Row, epoch: sql.Row, counted: list[int], age: float) -> list[int]:
    observations = [*row["observations"], *counted]
    n, m = row["confirm_n"], row["confirm_m"]
    state = next_state(
        state=row["state"], observations=observations, n=n, m=m, age_days=age, expire_days=row["expire_days"]
    )
    owner = {"alert_id": row["alert_id"], "epoch_id": epoch["epoch_id"]}
    if counted:
        sql.run(connection, "alert_observe", observations=observations, **owner)
    if state == row["state"]:
        return []
    late = state == "expired" and age > row["expire_days"]
    why = f"{sum(observations)} of {len(observations)} later observations agree; {n} of {m} are needed"
    why = f"not confirmed within {row['expire_days']} days ({why})" if late else why
    return _transition(connection, from_state=row["state"], to_state=state, why=why, **owner)


def _transition(connection: sql.Connection, **words: object) -> list[int]:
    return [row["alert_event_id"] for row in sql.run(connection, "alert_transition", actor="minecam", **words)]


def raise_alerts(
    connection: sql.Connection, comparison: sql.Row, epoch: sql.Row, mine: Mine, rules: Sequence[sql.Row]
) -> list[int]:
    """Hold `rules` against the changes; return the ids of the events of new alerts."""
    changes = _changes(connection, comparison)
    found = sql.run_one(connection, "zone_of_mine", mine_id=mine.mine_id)
    zones = shapely.from_wkb(bytes(found["geom"])) if found and found["geom"] else None
    epsg = mine.grid.epsg
    events = []
    for rule in rules:
        for match in matching(changes=changes, rule=rule, licence=mine.licence, zones=zones, epsg=epsg):
            near = _nearest(connection, match, rule, epoch, epsg)
            if near is None:
                events += _new(connection, match, rule, epoch)
            elif near["state"] in ("provisional", "confirmed", "acknowledged"):
                _grow(connection, near, match, rule, epoch, epsg)
    return events


def _changes(connection: sql.Connection, comparison: sql.Row) -> gpd.GeoDataFrame:
    rows = sql.run(connection, "change_read", comparison_id=comparison["comparison_id"])
    columns = {name: [row[name] for row in rows] for name in ("from_class", "to_class")}
    return gpd.GeoDataFrame(columns, geometry=[shapely.from_wkb(bytes(row["geom"])) for row in rows], crs=4326)


def _nearest(connection: sql.Connection, match: Match, rule: sql.Row, epoch: sql.Row, epsg: int) -> sql.Row | None:
    """Return the alert that already speaks of the match: a standing one, or a closed one that saw this epoch."""
    known = sql.run(connection, "alert_known", rule_id=rule["rule_id"], epoch_id=epoch["epoch_id"])
    ground = to_utm(match.geometry, epsg)
    away = [to_utm(shapely.from_wkb(bytes(row["geom"])), epsg).distance(ground) for row in known]
    return known[int(np.argmin(away))] if away and min(away) <= NEAR else None


def _new(connection: sql.Connection, match: Match, rule: sql.Row, epoch: sql.Row) -> list[int]:
    (row,) = sql.run(
        connection,
        "alert_add",
        rule_id=rule["rule_id"],
        epoch_id=epoch["epoch_id"],
        severity=severity(match.hectares, rule["threshold_hectares"]),
        hectares=match.hectares,
        geom=shapely.to_wkb(match.geometry),
    )
    why = f"{match.hectares:.2f} ha match the rule '{rule['name']}' (from {rule['threshold_hectares']:g} ha)"
    owner = {"alert_id": row["alert_id"], "epoch_id": epoch["epoch_id"]}
    return _transition(connection, from_state=None, to_state="provisional", why=why, **owner)


def _grow(connection: sql.Connection, row: sql.Row, match: Match, rule: sql.Row, epoch: sql.Row, epsg: int) -> None:
    """Join the match to a standing alert; what adds no ground and no epoch leaves the row as it is."""
    old, new = (to_utm(it, epsg) for it in (shapely.from_wkb(bytes(row["geom"])), match.geometry))
    grown = _snapped(new).difference(_snapped(old)).area >= 1.0
    if not grown and row["first_time"] <= epoch["sensing_time"] <= row["last_time"]:
        return
    whole = _match(_joined([old, new]) if grown else old, epsg)
    sql.run(
        connection,
        "alert_grow",
        alert_id=row["alert_id"],
        epoch_id=epoch["epoch_id"],
        severity=severity(whole.hectares, rule["threshold_hectares"]),
        hectares=whole.hectares,
        geom=shapely.to_wkb(whole.geometry),
    )
