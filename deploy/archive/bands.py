"""The collections of the local archive: which bands and units each has, and what may be filtered on.

Read from the public documentation (APIs/SentinelHub/Data/S2L2A.qmd, S2L1C.qmd, S1GRD.qmd).
"""

from dataclasses import dataclass

_S2 = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
_ANGLES = dict.fromkeys(("sunAzimuthAngles", "sunZenithAngles", "viewAzimuthMean", "viewZenithMean"), ("DEGREES",))
_REFLECTANCE = ("REFLECTANCE", "DN")
_POWER = ("LINEAR_POWER",)

DATA_MASK = "dataMask"


@dataclass(frozen=True)
class Collection:
    """One collection: its bands with their units, the default unit first."""

    name: str
    title: str
    units: dict[str, tuple[str, ...]]
    queryables: tuple[str, ...]
    max_metres: float

    @property
    def optical(self) -> bool:
        """Whether scenes hold reflectance×10000 (Sentinel-2) rather than linear power (Sentinel-1)."""
        return self.name.startswith("sentinel-2")

    def unit(self, band: str, wanted: str | None) -> str | None:
        """Return the unit in which `band` is given when `wanted` is asked for, or None if there is none."""
        known = ("DN",) if band == DATA_MASK else self.units[band]
        if wanted is None:
            return known[0]
        return wanted.upper() if wanted.upper() in known else None


COLLECTIONS = {
    one.name: one
    for one in (
        Collection(
            "sentinel-2-l2a",
            "Sentinel 2 L2A",
            {
                **dict.fromkeys(_S2, _REFLECTANCE),
                "AOT": ("OPTICAL_DEPTH", "DN"),
                "SCL": ("DN",),
                "SNW": ("PERCENT",),
                "CLD": ("PERCENT",),
                **_ANGLES,
            },
            ("eo:cloud_cover",),
            1500,
        ),
        Collection(
            "sentinel-2-l1c",
            "Sentinel 2 L1C",
            {**dict.fromkeys((*_S2, "B10"), _REFLECTANCE), **_ANGLES},
            ("eo:cloud_cover",),
            1500,
        ),
        Collection(
            "sentinel-1-grd",
            "Sentinel 1 GRD",
            {
                **dict.fromkeys(("VV", "VH", "HH", "HV"), _POWER),
                "localIncidenceAngle": ("DN",),
                "scatteringArea": ("DN",),
                "shadowMask": ("DN",),
            },
            ("sar:instrument_mode", "sat:orbit_state", "s1:polarization", "s1:resolution", "s1:timeliness"),
            1500,
        ),
    )
}
"""Collections by id."""

CATEGORICAL = frozenset({"SCL", "shadowMask"})
"""Bands whose values are codes: never interpolated, never offset."""
