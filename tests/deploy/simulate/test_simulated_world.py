"""A simulated site: components, growth, spectra, clouds and their classification."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from shapely.geometry import shape

from deploy.simulate.atmosphere import sky
from deploy.simulate.outlines import footprint, licence_of
from deploy.simulate.rasters import site_grid
from deploy.simulate.sites import DEMO
from deploy.simulate.surfaces import LABEL_OF, S2_BANDS, WATER, Surface
from deploy.simulate.world import world

SIZE = 200
NOON = datetime(2026, 4, 10, 14, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def worlds():
    return {site.slug: world(site, size=SIZE, seed=7, years=0.9) for site in DEMO}


def hectares(here, years, labels):
    return np.isin(here.state(years=years, day=100).truth, labels).sum() / 100


def test_every_component_occurs(worlds):
    seen = [np.unique(here.state(years=0.5, day=100).truth) for here in worlds.values()]
    assert set(np.concatenate(seen)) == set(range(11))
    assert len(LABEL_OF) == len(Surface)


@pytest.mark.parametrize("slug", ["sim-serra-vermelha", "sim-kanyoma", "sim-nordfeld"])
def test_working_mines_grow(worlds, slug):
    sizes = [hectares(worlds[slug], years, range(1, 11)) for years in np.linspace(0, 0.8, 6)]
    assert (np.diff(sizes) >= 0).all() and sizes[-1] > sizes[0] + 5


def test_pit_of_the_growing_mine_never_shrinks(worlds):
    here = worlds["sim-serra-vermelha"]
    pits = [here.plan.opened <= here.site.pace * SIZE / 320 * years for years in np.linspace(0, 0.8, 6)]
    assert all((later | earlier == later).all() for earlier, later in pairwise(pits))
    assert pits[-1].sum() > 1.3 * pits[0].sum()


def test_reclaimed_ground_follows(worlds):
    here = worlds["sim-nordfeld"]
    assert hectares(here, 0.8, [10]) > hectares(here, 0.0, [10]) + 2


def test_quiet_mine_stands_still(worlds):
    here = worlds["sim-cerro-quieto"]
    first = here.state(years=0, day=20).truth
    assert all((here.state(years=y, day=d).truth == first).all() for y, d in ((0.3, 130), (0.8, 310)))


def test_one_mine_outgrows_its_licence(worlds):
    here = worlds["sim-serra-vermelha"]
    grid = site_grid(here.site, SIZE)
    final = footprint(here.state(years=0.8, day=120).truth, grid)
    licence = licence_of(here, grid, years=0.9, final=final)
    assert shape(final).difference(licence).area / 1e4 > 3
    early = footprint(here.state(years=0, day=120).truth, grid)
    assert early.difference(licence).area / 1e4 < 0.5


def test_spectra_are_plausible(worlds):
    here = worlds["sim-serra-vermelha"]
    now = here.state(years=0.5, day=100)
    seen = dict(zip(S2_BANDS, here.optical(now, moment=NOON, weather="clear").reflectance, strict=True))
    ndvi = (seen["B08"] - seen["B04"]) / (seen["B08"] + seen["B04"])
    forest, water, pit = now.surface == Surface.FOREST, np.isin(now.surface, WATER), now.truth == 1
    assert np.median(ndvi[forest]) > 0.6 and np.median(ndvi[pit]) < 0.3
    assert np.median(seen["B11"][water]) < 0.06 < np.median(seen["B11"][pit])
    assert np.median(seen["B04"][pit]) > np.median(seen["B02"][pit])  # iron is red


def test_seasons_change_the_fields(worlds):
    here = worlds["sim-kanyoma"]
    ndvi = []
    for day in (60, 270):
        moment = NOON.replace(month=1 + day // 31)
        seen = here.optical(here.state(years=0.2, day=day), moment=moment, weather="clear").reflectance
        ndvi.append(np.median((seen[6] - seen[2]) / (seen[6] + seen[2])))
    assert ndvi[0] > ndvi[1] + 0.15


@pytest.mark.parametrize("weather", ["clear", "cumulus", "overcast"])
def test_scl_finds_most_clouds_and_few_that_are_none(worlds, weather):
    here = worlds["sim-serra-vermelha"]
    scene = here.optical(here.state(years=0.2, day=100), moment=NOON, weather=weather)
    clouded, found = scene.air.cloud > 0.5, np.isin(scene.scl, (8, 9))
    assert abs(found.mean() - clouded.mean()) < 0.10
    assert (found & (scene.air.cloud < 0.05)).mean() < 0.01
    if weather != "clear":
        assert found[clouded].mean() > 0.85
        assert ((scene.air.cloud > 0.1) & ~found).any()  # thin edges are missed


def test_snow_is_classified_as_snow(worlds):
    here = worlds["sim-nordfeld"]
    moment = datetime(2026, 1, 18, 9, 30, tzinfo=UTC)
    scene = here.optical(here.state(years=0, day=18), moment=moment, weather="snow")
    assert (scene.scl == 11).mean() > 0.4


def test_shadows_fall_away_from_the_sun():
    air = sky(np.random.default_rng(1), size=256, weather="cumulus", zenith=np.radians(45), azimuth=np.pi / 2)
    best = [np.corrcoef(air.shadow[:, :-k].ravel(), air.cloud[:, k:].ravel())[0, 1] for k in range(40, 190, 5)]
    assert max(best) > 0.8  # a sun in the east throws shadows to the west
