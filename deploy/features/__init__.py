"""The collections of `minecam serve`, what they are called, and their keys and times."""

COLLECTIONS = {
    "latest_segment": {"title": "Segments, latest", "pk": "segment_id", "datetimecol": "sensing_time"},
    "segments_on": {"title": "Segments on a day", "pk": "segment_id", "datetimecol": "sensing_time"},
    "current_segment": {"title": "Segments, every epoch", "pk": "segment_id", "datetimecol": "sensing_time"},
    "current_change": {"title": "Changes", "pk": "change_id", "datetimecol": "sensing_time"},
    "open_alert": {"title": "Alerts that stand", "pk": "alert_id", "datetimecol": "first_time"},
    "mine_status": {"title": "Mines", "pk": "mine_id", "datetimecol": "last_valid_observation"},
    "watch": {"title": "Mines, by the old name", "pk": "mine_id", "datetimecol": "last_valid_look"},  # until 0.3
    "zone": {"title": "Zones", "pk": "zone_id"},
}
"""What is served: title, key and time of each view or function."""

FUNCTIONS = ("segments_on",)
"""Those that are functions."""

MOST_IN_TILE = 100_000
"""Features of a tile; one that has more is refused."""
