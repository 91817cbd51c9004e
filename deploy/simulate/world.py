"""A simulated site over time: its ground and layout are made once, then asked for any moment."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from deploy.simulate.atmosphere import Sky, classify, sky, through
from deploy.simulate.landcover import Ground, landcover
from deploy.simulate.layout import Layout, layout
from deploy.simulate.mine import State, state
from deploy.simulate.noise import Field
from deploy.simulate.radar import backscatter
from deploy.simulate.reflectance import Season, reflect, season, sense, snow_cover
from deploy.simulate.sites import Site
from deploy.simulate.surfaces import spectrum
from deploy.simulate.terrain import lighting, sun


@dataclass
class Optical:
    """A Sentinel-2 scene: reflectance (bands, size, size), SCL, and what hid the ground."""

    reflectance: Field
    scl: np.ndarray
    air: Sky


@dataclass
class World:
    """A site's ground and layout, and the seed from which its days are drawn."""

    site: Site
    ground: Ground
    plan: Layout
    seed: int

    def state(self, *, years: float, day: int) -> State:
        """Return the site `years` after the start, on the day of the year."""
        now = self.season(day)
        scale = self.ground.dem.shape[0] / 320
        moving = min(self.site.pace, 1.0)
        stock = 0.72 + 0.26 * np.sin(2 * np.pi * years / 0.43) * moving
        return state(
            ground=self.ground,
            plan=self.plan,
            progress=self.site.pace * scale * years,
            wet=now.wet * self.site.seasonal_water,
            stock=float(stock),
        )

    def season(self, day: int) -> Season:
        """Return the site's season on the day of the year."""
        return season(self.site.biome, day=day)

    def optical(self, now: State, *, moment: datetime, weather: str) -> Optical:
        """Return the Sentinel-2 scene of `now` at `moment` (UTC) in a `weather` (`atmosphere.COVERS`)."""
        rng = np.random.default_rng([self.seed, moment.toordinal(), 2])
        on = self.season(moment.timetuple().tm_yday)
        zenith, azimuth = sun(moment, longitude=self.site.longitude, latitude=self.site.latitude)
        light = lighting(now.dem, zenith=zenith, azimuth=azimuth)
        tint = np.random.default_rng([self.seed, 11])
        image = reflect(site=self.site, ground=self.ground, now=now, on=on, tint=tint, light=light)
        snow = np.zeros_like(light)
        if weather == "snow":
            snow = snow_cover(self.ground.texture, now.surface, depth=1.0)
            image = image * (1 - snow) + spectrum("snow")[:, None, None] * snow * np.clip(light, 0.5, 1.1)
        air = sky(rng, size=light.shape[0], weather=weather, zenith=zenith, azimuth=azimuth)
        seen = sense(through(image, air), rng)
        return Optical(np.where(air.seen, np.clip(seen, 0.0005, 1.6), 0.0), classify(seen, air, snow=snow), air)

    def radar(self, now: State, *, moment: datetime) -> Field:
        """Return linear gamma0 (2, size, size) of `now` at `moment` (UTC)."""
        rng = np.random.default_rng([self.seed, moment.toordinal(), 1])
        return backscatter(rng, ground=self.ground, now=now, on=self.season(moment.timetuple().tm_yday))


def world(site: Site, *, size: int, seed: int, years: float) -> World:
    """Make the ground and the layout of `site`, (size, size) pixels, good for `years` after the start."""
    rng = np.random.default_rng([seed, 5])
    ground = landcover(rng, size=size, biome=site.biome)
    last = max(site.pace * years * size / 320, 4.0)
    return World(site, ground, layout(rng, ground=ground, site=site, last=last), seed)
