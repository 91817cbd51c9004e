"""What an epoch shows of a mine when a rule asks: the ground on which it fires, and whether it agrees with an alert.

`alert` asks; the arithmetic is in `measures` and `lifecycle`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

import sql
from tasks.alert.lifecycle import agreement
from tasks.alert.measures import OF_CHANGE, OF_GROWTH, OF_MINE, Match, growth, joined, match, matching, reached
from tasks.mines import Mine
from tasks.rasters import Raster, read_raster, to_utm
from tasks.records import Comparison, Epoch

MOST = 0.8
"""Share of the AOI that an epoch must have seen to speak against a measure of the mine as a whole."""


@dataclass(frozen=True)
class Observation:
    """What an epoch shows of a mine, its changes among it; read when a rule asks for it."""

    connection: sql.Connection
    comparison: Comparison
    epoch: Epoch
    mine: Mine

    @cached_property
    def changes(self) -> list[sql.Row]:
        """Change polygons: from_class, to_class, geom (WKB)."""
        return sql.run(self.connection, "change_read", comparison_id=self.comparison.comparison_id)

    @cached_property
    def zones(self) -> BaseGeometry | None:
        """The ground of all zones that reach into the AOI, EPSG:4326."""
        found = sql.run_one(self.connection, "zone_of_mine", mine_id=self.mine.mine_id)
        return ground_of(found) if found and found["geom"] else None

    @cached_property
    def classes(self) -> Raster:
        """The class raster; raises RasterError when it cannot be read."""
        return read_raster(self.epoch.class_raster, self.epoch.class_checksum)

    @property
    def epsg(self) -> int:
        """The UTM zone of the mine."""
        return self.mine.grid.epsg

    def matches(self, rule: sql.Row) -> list[Match]:
        """Return the ground that `rule` measures, largest first, whether it reaches the threshold or not."""
        if rule["measure"] in OF_GROWTH:
            return self._growth(rule)
        patches = self._changed(rule) if rule["measure"] == OF_CHANGE else self._ground(rule)
        return matching(patches=patches, rule=rule, licence=self.mine.licence, zones=self.zones, epsg=self.epsg)

    def agrees(self, alert: sql.Row) -> bool | None:
        """Say whether the epoch agrees with a provisional alert (a row of it and its rule); None: it cannot say."""
        if alert["measure"] not in OF_MINE:
            return agreement(
                classes=self.classes.array[0],
                mask=self.classes.grid.mask(ground_of(alert)),
                from_classes=alert["from_classes"],
                to_classes=alert["to_classes"],
            )
        if any(reached(one.measured, alert) for one in self.matches(alert)):
            return True
        return False if self.epoch.valid_hectares >= MOST * self.epoch.aoi_hectares else None

    def _changed(self, rule: sql.Row) -> list[BaseGeometry]:
        was, now = rule["from_classes"], rule["to_classes"]
        return [ground_of(row) for row in self.changes if row["from_class"] in was and row["to_class"] in now]

    def _ground(self, rule: sql.Row) -> list[BaseGeometry]:
        """The ground of the rule's classes now, EPSG:4326."""
        return [ground_of(row) for row in sql.run(self.connection, "rule_ground", **self._keys(rule))]

    def _growth(self, rule: sql.Row) -> list[Match]:
        series = sql.run(self.connection, "rule_series", **self._keys(rule))
        grown = growth([row["sensing_time"] for row in series], [row["hectares"] for row in series])
        measured = grown[rule["measure"] == "growth_percent"] if grown else 0.0
        ground = [to_utm(patch, self.epsg) for patch in self._ground(rule)] if reached(measured, rule) else []
        return [match(joined(ground), self.epsg, measured)] if ground else []

    def _keys(self, rule: sql.Row) -> dict[str, int]:
        return {"rule_id": rule["rule_id"], "epoch_id": self.epoch.epoch_id}


def ground_of(row: sql.Row) -> MultiPolygon:
    """Return the outline of a row, EPSG:4326."""
    return cast(MultiPolygon, shapely.from_wkb(bytes(row["geom"])))
