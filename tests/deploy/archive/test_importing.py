import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from shapely.geometry import box, shape

from deploy.archive import placing
from deploy.archive.folder import Folder, Scene
from deploy.archive.importing import import_folder
from deploy.archive.layouts import in_turn
from deploy.archive.places import aoi_of
from deploy.archive.products import sentinel2, tile
from deploy.archive.writing import SceneGrid
from tasks.errors import WrongUse
from tasks.mines.reading import read_table
from tasks.mines.sites import sites
from tasks.rasters.grid import to_utm

L2A = "sentinel-2-l2a"
CORNER = Affine(10, 0, 610000, 0, -10, 7790000)


def picture(
    path: Path,
    *,
    names: tuple[str | None, ...] = ("B02", "B03", "B04"),
    transform: Affine = CORNER,
    crs: str | None = "EPSG:32723",
    tags: dict[str, str] | None = None,
    planes: np.ndarray | None = None,
    **profile: Any,
) -> np.ndarray:
    """Write a small GeoTIFF of the user's and return its pixels."""
    if planes is None:
        rng = np.random.default_rng(len(path.name))
        planes = rng.integers(300, 4000, (len(names), 30, 40)).astype(np.uint16)
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = planes.shape
    size = {"count": count, "height": height, "width": width, "dtype": planes.dtype.name}
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **size, **profile) as raster:
        raster.write(planes)
        raster.descriptions = names
        raster.update_tags(**(tags or {}))
    return planes


def scenes(archive: Path, collection: str = L2A) -> list[Scene]:
    """The scenes of `archive`, the oldest first."""
    return Folder(archive).scenes(collection)[::-1]


def pixels(scene: Scene) -> tuple[np.ndarray, tuple[str, ...], Affine]:
    with rasterio.open(scene.path) as raster:
        return raster.read(), raster.descriptions, raster.transform


def places(archive: Path) -> dict[str, dict[str, Any]]:
    features = json.loads((archive / "places.geojson").read_text())["features"]
    return {one["properties"]["slug"]: one for one in features}


def state(archive: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in archive.rglob("*") if path.is_file()}


def test_user_files_in_utm_keep_their_pixels_and_get_an_scl(tmp_path: Path) -> None:
    source, archive = tmp_path / "mine", tmp_path / "archive"
    before = np.full((3, 30, 40), 900, np.uint16)
    before[:, :5] = 0
    picture(source / "pit_20230108.tif", planes=before)
    after = picture(source / "pit_2024-02-09.tif")
    done = import_folder(source, archive)
    assert (done.places, done.scenes, done.refused, done.slugs) == (1, 2, [], ["pit"])
    first, second = scenes(archive)
    got, names, transform = pixels(first)
    assert names == ("B02", "B03", "B04", "SCL") and transform == CORNER
    assert (got[:3] == before).all() and (got[3] == np.where(before[0] > 0, 5, 0)).all()
    assert (pixels(second)[0][:3] == after).all()
    assert first.when.date().isoformat() == "2023-01-08" and second.when.date().isoformat() == "2024-02-09"
    assert "made by the import" in first.properties["minecam:validity"]
    assert first.cloud_cover == 0 and first.properties["s2:processing_baseline"] == "05.09"


def test_the_aoi_is_the_footprint_less_ten_metres(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "pit_20230108.tif")
    import_folder(tmp_path / "in", tmp_path / "archive")
    aoi = to_utm(shape(places(tmp_path / "archive")["pit"]["geometry"]), 32723)
    whole = box(610000, 7790000 - 300, 610400, 7790000)
    assert aoi.symmetric_difference(whole.buffer(-10, join_style="mitre")).area < 1
    site = sites(read_table(tmp_path / "archive" / "places.geojson").frame, stem="places")[0]
    assert (site.slug, site.name) == ("pit", "pit")


def test_small_gaps_do_not_cut_the_aoi() -> None:
    gap = aoi_of([box(0, 0, 200, 400).difference(box(80, 80, 120, 120)), box(250, 0, 400, 400)])
    assert gap.equals(box(10, 10, 390, 390))


def test_a_second_import_writes_nothing_and_a_new_date_is_added(tmp_path: Path) -> None:
    source, archive = tmp_path / "in", tmp_path / "archive"
    picture(source / "pit_20230108.tif")
    import_folder(source, archive)
    before = state(archive)
    again = import_folder(source, archive)
    assert (again.places, again.scenes, again.slugs) == (0, 0, ["pit"]) and state(archive) == before
    picture(source / "pit_20230208.tif", transform=CORNER @ Affine.translation(0.4, 0.3))
    more = import_folder(source, archive)
    assert (more.places, more.scenes) == (0, 1)
    assert {pixels(scene)[2] for scene in scenes(archive)} == {CORNER}
    assert before.items() <= state(archive).items()


def test_a_killed_import_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, archive = tmp_path / "in", tmp_path / "archive"
    for month in (1, 2, 3):
        picture(source / f"pit_20230{month}08.tif")
    write, calls = placing.write_raster, []

    def dies(*given: Any, **named: Any) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        write(*given, **named)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(placing, "write_raster", dies)
        import_folder(source, archive)
    assert not scenes(archive) and not list(archive.rglob("*.part"))
    assert import_folder(source, archive).scenes == 3
    assert len(list((archive / "scenes").rglob("*.tif"))) == 3


def test_degrees_become_utm_on_one_grid_for_all_dates(tmp_path: Path) -> None:
    source, archive = tmp_path / "in" / "north-pit", tmp_path / "archive"
    fine, coarse = 9e-5, 18e-5
    scl = np.full((1, 60, 60), 4, np.uint16)
    scl[:, :, 30:] = 9
    planes = np.concatenate([np.full((2, 60, 60), 1500, np.uint16), scl])
    where = Affine(fine, 0, -44.0, 0, -fine, -20.0)
    picture(source / "a.tif", names=("B02", "B04", "SCL"), planes=planes, transform=where, crs="EPSG:4326",
            tags={"date": "2021-05-06"})  # fmt: skip
    picture(source / "b.tif", names=("B02", "B04", "SCL"), planes=planes[:, ::2, ::2], crs="EPSG:4326",
            transform=Affine(coarse, 0, -44.0, 0, -coarse, -20.0), tags={"date": "2021-06-06"})  # fmt: skip
    assert import_folder(tmp_path / "in", archive).slugs == ["north-pit"]
    first, second = scenes(archive)
    (fine_planes, names, one), (coarse_planes, _, two) = pixels(first), pixels(second)
    assert one == two and fine_planes.shape == coarse_planes.shape and one.a == 10
    assert names == ("B02", "B04", "SCL")
    assert set(np.unique(fine_planes[2])) == {0, 4, 9} and set(np.unique(fine_planes[0])) == {0, 1500}
    assert first.properties["proj:epsg"] == 32723 and first.cloud_cover == pytest.approx(50, abs=2)
    assert "minecam:validity" not in first.properties


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("pit.tif", {}, "no date"),
        ("pit_20231345.tif", {}, "no date"),
        ("pit_20230108.tif", {"crs": None}, "no CRS"),
        ("pit_20230108.tif", {"names": ("B02", "pink", None)}, "band 2 (PINK), 3 (no name) has no Sentinel name"),
        ("pit_20230108.tif", {"names": ("B02", "B2", "B04")}, "same name"),
        ("pit_20230108.tif", {"names": ("VV", "VH", "dataMask")}, "orbit_state"),
        ("pit_20230108.tif", {"names": ("B02", "B10", "B04")}, "no band B10"),
        ("pit_20230108.tif", {"names": ("SCL", "dataMask")}, "nothing but SCL, DATAMASK"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, name: str, given: dict[str, Any], reason: str) -> None:
    picture(tmp_path / "in" / "bad" / name, **given)
    picture(tmp_path / "in" / "good" / "20230108.tif")
    done = import_folder(tmp_path / "in", tmp_path / "archive")
    assert [one for one, _ in done.refused] == [f"bad/{name}"] and reason in done.refused[0][1]
    assert done.slugs == ["good"] and len(scenes(tmp_path / "archive")) == 1


def test_truncated_and_empty_files_are_refused(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "cut" / "20230108.tif")
    whole = (tmp_path / "in" / "cut" / "20230108.tif").read_bytes()
    (tmp_path / "in" / "cut" / "20230108.tif").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "in" / "cut" / "20230109.tif").write_bytes(b"not a picture")
    picture(tmp_path / "in" / "dark" / "20230108.tif", planes=np.zeros((3, 30, 40), np.uint16))
    picture(tmp_path / "in" / "good" / "20230108.tif")
    done = import_folder(tmp_path / "in", tmp_path / "archive")
    assert done.slugs == ["good"] and len(done.refused) == 3
    assert {reason for _, reason in done.refused if "no pixel" in reason}
    assert len(list((tmp_path / "archive" / "scenes").rglob("*.tif*"))) == 1


def test_tags_scales_and_floats(tmp_path: Path) -> None:
    reflectance = np.full((3, 30, 40), 0.125, np.float32)
    reflectance[:, 0] = np.nan
    stamp = {"TIFFTAG_DATETIME": "2023:01:08 13:05:06"}
    picture(tmp_path / "in" / "a" / "float.tif", planes=reflectance, tags=stamp)
    mask = np.concatenate([np.full((2, 30, 40), 2250, np.uint16), np.ones((1, 30, 40), np.uint16)])
    mask[2, :, 0] = 0
    picture(tmp_path / "in" / "b" / "offset_20230109.tif", names=("b2", "B8A", "dataMask"), planes=mask)
    with rasterio.open(tmp_path / "in" / "b" / "offset_20230109.tif", "r+") as raster:
        raster.scales, raster.offsets = (1e-4, 1e-4, 1), (-0.1, -0.1, 0)
    import_folder(tmp_path / "in", tmp_path / "archive")
    first, second = scenes(tmp_path / "archive")
    assert first.when.isoformat() == "2023-01-08T13:05:06+00:00"
    assert (pixels(first)[0][:3, 1:] == 1250).all() and (pixels(first)[0][:, 0] == 0).all()
    planes, names, _ = pixels(second)
    assert names == ("B02", "B8A", "SCL") and (planes[:2, :, 1:] == 1250).all() and (planes[:, :, 0] == 0).all()


def test_sentinel1_is_kept_as_linear_power(tmp_path: Path) -> None:
    power = np.full((2, 30, 40), 0.05, np.float32)
    tags = {"orbit_state": "DESCENDING"}
    picture(tmp_path / "in" / "ok" / "20230108.tif", names=("VV", "VH"), planes=power, tags=tags)
    picture(tmp_path / "in" / "db" / "20230108.tif", names=("VV", "VH"), planes=power - 13, tags=tags)
    done = import_folder(tmp_path / "in", tmp_path / "archive")
    assert done.slugs == ["ok"] and "decibels" in done.refused[0][1]
    (scene,) = scenes(tmp_path / "archive", "sentinel-1-grd")
    assert pixels(scene)[0].dtype == np.float32 and (pixels(scene)[0] == power).all()
    assert scene.properties["sat:orbit_state"] == "descending" and scene.properties["s1:polarization"] == "DV"


def test_a_product_name_is_kept_and_two_cuts_of_it_stay_apart(tmp_path: Path) -> None:
    product = "S2B_MSIL2A_20230108T131239_N0509_R138_T23KPU_20230108T153406"
    for place, shift in (("east", 100), ("west", 0)):
        picture(tmp_path / "in" / place / f"{product}.tif", transform=CORNER @ Affine.translation(shift, 0))
    done = import_folder(tmp_path / "in", tmp_path / "archive")
    assert done.scenes == 2 and import_folder(tmp_path / "in", tmp_path / "archive").scenes == 0
    names = {scene.name: scene for scene in scenes(tmp_path / "archive")}
    assert set(names) == {product, f"{product}_west"}
    one = names[product].properties
    assert (one["datetime"], one["created"]) == ("2023-01-08T13:12:39Z", "2023-01-08T15:34:06Z")
    assert (one["s2:processing_baseline"], one["platform"]) == ("05.09", "sentinel-2b")


def test_a_place_elsewhere_of_the_same_name_is_refused(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "pit" / "20230108.tif")
    picture(tmp_path / "b" / "pit" / "20230109.tif", transform=CORNER @ Affine.translation(500, 0))
    import_folder(tmp_path / "a", tmp_path / "archive")
    done = import_folder(tmp_path / "b", tmp_path / "archive")
    assert done.scenes == 0 and "does not show the ground of its place" in done.refused[0][1]


def test_folders_that_hold_nothing_to_import(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with pytest.raises(WrongUse, match="no folder"):
        import_folder(tmp_path / "absent", archive)
    with pytest.raises(WrongUse, match="no GeoTIFF"):
        import_folder(tmp_path, archive)
    for name in ("pairs/pairs.csv", "series/series.csv"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("id\n")
    with pytest.raises(WrongUse, match="pairs, series one by one"):
        import_folder(tmp_path, archive)
    assert not archive.exists()


@pytest.mark.parametrize(("epsg", "east", "north", "name"), [
    (32631, 448_251, 5_411_932, "31UDQ"), (32604, 612_300, 2_367_800, "04QFJ"), (32723, 333_000, 7_394_000, "23KLP"),
])  # fmt: skip
def test_tile_names_are_those_of_the_military_grid(epsg: int, east: float, north: float, name: str) -> None:
    """Paris, Honolulu and São Paulo."""
    assert tile(SceneGrid(epsg, Affine(10, 0, east - 50, 0, -10, north + 50), 10, 10)) == name


def test_labels_take_turns() -> None:
    rows = [{"id": str(at), "label": label} for at, label in enumerate("11110")]
    assert [row["id"] for row in in_turn(rows)] == ["4", "0", "1", "2", "3"]


def test_places_of_one_day_get_different_products() -> None:
    grid = SceneGrid(32723, CORNER, 48, 48)
    made = {
        sentinel2(when=date(2022, 7, 1), grid=grid, level="2A", place=f"p{at}", file="t1.tif").name for at in range(700)
    }
    assert len(made) == 700


@pytest.mark.shared_data
def test_pairs_chips_and_change(tmp_path: Path, shared_data: Path) -> None:
    done = import_folder(shared_data / "pairs", tmp_path, limit=4, split="train")
    assert (done.places, done.scenes, done.refused) == (4, 8, [])
    pairs = places(tmp_path)
    assert sorted(one["properties"]["label"] for one in pairs.values()) == [0, 0, 1, 1]
    for scene in scenes(tmp_path):
        words = pairs[scene.properties["minecam:place"]]["properties"]
        epoch = "t0" if scene.when.date().isoformat() == words["t0"] else "t1"
        planes, names, transform = pixels(scene)
        with rasterio.open(shared_data / "pairs" / "images" / f"{words['name']}_{epoch}.tif") as raster:
            assert (planes[:-1] == raster.read()).all() and transform == raster.transform
        assert names == ("B02", "B03", "B04", "B08", "B11", "B12", "SCL")
        assert "cloud-masked composite" in scene.properties["minecam:validity"]
    chips = import_folder(shared_data / "chips", tmp_path, limit=2, split="val")
    assert (chips.places, chips.scenes) == (2, 2)
    for slug in chips.slugs:
        with rasterio.open(tmp_path / "truth" / slug / "2021-07-02.tif") as truth:
            assert set(np.unique(truth.read())) <= {*range(11), 255} and truth.crs.to_epsg() > 32600
    cases = import_folder(shared_data / "change", tmp_path / "other", split="growth", limit=2)
    assert (cases.places, cases.scenes, cases.refused) == (2, 4, [])
    last = scenes(tmp_path / "other")[-1]
    truth_of = tmp_path / "other" / "truth" / last.properties["minecam:place"]
    with rasterio.open(truth_of / f"{last.when.date()}_change.tif") as truth:
        assert truth.transform == pixels(last)[2] and truth.dtypes == ("uint16",)


@pytest.mark.shared_data
@pytest.mark.slow
def test_both_mines_of_the_series(tmp_path: Path, shared_data: Path) -> None:
    done = import_folder(shared_data / "series", tmp_path)
    assert (done.slugs, done.scenes, done.refused) == (["mine-0", "mine-1"], 182, [])
    found = scenes(tmp_path)
    grids = {(one.properties["minecam:place"], *pixels(one)[2], *pixels(one)[0].shape[1:]) for one in found}
    assert len(grids) == 2
    with_b03 = [one for one in found if "B03" in pixels(one)[1]]
    assert len(with_b03) == 45 and max(one.cloud_cover or 0 for one in found) == 100
    assert all("minecam:validity" not in one.properties for one in found)


def brightness(side: int, metres: float, *, left: float = 610000, top: float = 7790000) -> tuple[np.ndarray, Affine]:
    """Planes of B02 and B04 that brighten with every metre eastwards, whatever the pixels, and where they lie."""
    east = left + metres * (np.arange(side) + 0.5)
    plane = np.tile((east - 600000) / 10, (side, 1)).round().astype(np.uint16)
    return np.stack([plane, plane * 2]), Affine(metres, 0, left, 0, -metres, top)


def test_the_grid_of_a_place_is_ten_metres_over_all_its_files(tmp_path: Path) -> None:
    for name, side, metres, left, top in (
        ("2023-01-01", 50, 20, 610100, 7790100),
        ("2023-01-02", 40, 10, 610000, 7790000),
        ("2023-01-03", 120, 10, 610200, 7790600),
        ("2023-01-04", 200, 3, 610001, 7789999),
    ):
        planes, transform = brightness(side, metres, left=left, top=top)
        picture(tmp_path / "in" / "pit" / f"{name}.tif", names=("B02", "B04"), planes=planes, transform=transform)
    done = import_folder(tmp_path / "in", tmp_path / "archive")
    assert (done.places, done.scenes, done.refused) == (1, 4, [])
    assert [name for name, words in done.notes if "resampled to 10 m" in words] == [
        "pit/2023-01-01.tif", "pit/2023-01-04.tif",
    ]  # fmt: skip
    covered = box(610100, 7789100, 611100, 7790100).union(box(610000, 7789600, 610400, 7790000))
    covered = covered.union(box(610200, 7789400, 611400, 7790600))
    aoi = to_utm(shape(places(tmp_path / "archive")["pit"]["geometry"]), 32723)
    assert aoi.area == pytest.approx(covered.area, rel=0.05)
    for scene in scenes(tmp_path / "archive"):
        planes, names, transform = pixels(scene)
        assert (transform.a, transform.c % 10, transform.f % 10) == (10, 0, 0)
        rows, columns = np.nonzero(planes[names.index("SCL")] == 5)
        east = transform.c + 10 * (columns + 0.5)
        assert np.abs(planes[0, rows, columns] - (east - 600000) / 10).max() <= 2


def test_a_file_that_reaches_beyond_a_known_place_is_not_cut(tmp_path: Path) -> None:
    planes, transform = brightness(40, 10)
    picture(tmp_path / "in" / "pit" / "2023-01-01.tif", names=("B02", "B04"), planes=planes, transform=transform)
    import_folder(tmp_path / "in", tmp_path / "archive")
    planes, transform = brightness(300, 5, left=609000, top=7790700)
    picture(tmp_path / "in" / "pit" / "2023-01-02.tif", names=("B02", "B04"), planes=planes, transform=transform)
    import_folder(tmp_path / "in", tmp_path / "archive")
    assert (pixels(scenes(tmp_path / "archive")[1])[0][2] == 5).sum() == pytest.approx(150**2, rel=0.01)


def test_files_of_other_ground_and_coarse_ones_are_refused(tmp_path: Path) -> None:
    for name, metres, left in (("2023-01-01", 10, 650000), ("2023-01-02", 10, 610000), ("2023-01-03", 10, 610100),
                               ("2023-01-04", 30, 610000)):  # fmt: skip
        planes, transform = brightness(40, metres, left=left)
        picture(tmp_path / "in" / "pit" / f"{name}.tif", names=("B02", "B04"), planes=planes, transform=transform)
    done = import_folder(tmp_path / "in", tmp_path / "archive")
    assert done.scenes == 2
    refused = dict(done.refused)
    assert "too coarse" in refused["pit/2023-01-04.tif"] and "does not show the ground" in refused["pit/2023-01-01.tif"]


@pytest.mark.parametrize(
    ("fill", "kind", "times"), [(-9999, "int16", 1), (65535, "uint16", 1), (1, "uint16", 1), (-9999, "float32", 1e-4)]
)
def test_what_could_not_be_read_is_never_clear(tmp_path: Path, fill: float, kind: str, times: float) -> None:
    planes = picture(tmp_path / "in" / "pit_20230108.tif").astype(float) * times
    planes[:, :10] = fill
    picture(tmp_path / "in" / "pit_20230108.tif", planes=planes.astype(kind))
    done = import_folder(tmp_path / "in", tmp_path / "archive")
    got, names, _ = pixels(scenes(tmp_path / "archive")[0])
    assert (got[names.index("SCL"), :10] == 0).all() and (got[:3, :10] == 0).all()
    assert (got[names.index("SCL"), 10:] == 5).all() and got[:3].max() < 4001
    assert done.notes == [("pit/pit_20230108.tif", "33 % of its pixels hold no reflectance and are no data")]


def test_bands_by_other_names_masks_and_pictures(tmp_path: Path) -> None:
    planes = picture(tmp_path / "in" / "a" / "20230108.tif", names=("B2", "B03_10m", "red"))
    alpha = np.concatenate([planes, np.full((1, 30, 40), 255, np.uint16)])
    alpha[3, :, :10] = 0
    picture(tmp_path / "in" / "b" / "20230108.tif", names=("B2", "b03", "B4", "alpha"), planes=alpha)
    for name, stretched in (("eight", (planes / 16).astype(np.uint8)), ("sixteen", planes * np.uint16(16))):
        picture(tmp_path / "in" / name / "20230108.tif", planes=stretched)
    done = import_folder(tmp_path / "in", tmp_path / "archive")
    assert {name.split("/")[0]: "stretched for the eye" in reason for name, reason in done.refused} == {
        "eight": True, "sixteen": True,
    }  # fmt: skip
    for scene in scenes(tmp_path / "archive"):
        got, names, _ = pixels(scene)
        assert names == ("B02", "B03", "B04", "SCL")
        left_out = 10 if scene.properties["minecam:place"] == "b" else 0
        assert (got[:3, :, left_out:] == planes[:, :, left_out:]).all() and (got[:, :, :left_out] == 0).all()
