"""What rests on an acquisition that is refused now is taken back, whenever the run that refused it ended."""

from tasks.alert.alert import alert
from tasks.alert.withdraw import withdraw
from tests.tasks.alert.test_alert import PATCH, alerts, mine, observe
from tests.tasks.nouns import epochs

__all__ = ["mine"]


def test_epochs_of_refused_acquisitions_go_with_what_only_they_have_shown(database, home, mine):
    first = observe(database, mine, home, 0, changes=[(0, 1, PATCH)])
    alert(database, first, mine)
    assert withdraw(database, mine) == 0 and alerts(database)[0]["state"] == "provisional"
    database.execute(
        "update acquisition set state = 'quarantined' where acquisition_id ="
        " (select acquisition_id from epoch where epoch_id = %s)", [first.epoch_id],
    )  # fmt: skip
    assert withdraw(database, mine) == 1
    assert epochs(database) == [] and alerts(database)[0]["state"] == "expired"
    (event,) = database.execute("select why from alert_event where to_state = 'expired'").fetchall()
    assert event["why"] == "what showed it was judged again, and refused"
    assert withdraw(database, mine) == 0


def test_an_alert_with_which_others_have_agreed_stands(database, home, mine):
    first = observe(database, mine, home, 0, changes=[(0, 1, PATCH)])
    for comparison in (first, observe(database, mine, home, 5)):
        alert(database, comparison, mine)
    database.execute(
        "update acquisition set state = 'quarantined' where sensing_date = (select min(sensing_date) from acquisition)"
    )
    assert withdraw(database, mine) == 1
    assert [row["state"] for row in alerts(database)] == ["provisional"] and len(epochs(database)) == 1
