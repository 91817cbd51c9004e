import pytest

from deploy.cli.run import run
from tasks.errors import WrongUse


def test_an_unknown_sensor_set_is_wrong_use_before_anything_starts() -> None:
    with pytest.raises(WrongUse, match="no sensor set 'nonsense': choose one of s2-rgb"):
        run(["pit"], sensor_set="nonsense")
