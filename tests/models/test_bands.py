"""Names of bands as the tools of the field write them."""

import pytest

from models.bands import band_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("B2", "B02"), ("b02", "B02"), ("B02_10m", "B02"), ("B8a", "B8A"), ("B8A_20m", "B8A"), ("B12", "B12"),
        ("B02 - Blue 490nm", "B02"), ("T23KPU_20240108T131239_B02_10m", "B02"), ("Band 4 (B04, red)", "B04"),
        ("B2, central wavelength 490 nm", "B02"), ("B9 - Water vapour", "B09"), ("B05 (red edge 1)", "B05"),
        ("20240108T131239_20240108T131240_T23KPU_B2", "B02"), ("0_B2", "B02"), ("B2_median", "B02"),
        ("S2A_MSIL2A_20240504T143741_N0510_R096_T19KEQ_20240504T194700_B11", "B11"),
        ("blue", "B02"), ("Red", "B04"), ("nir", "B08"), ("nir08", "B8A"), ("swir16", "B11"), ("red-edge-1", "B05"),
        ("scl", "SCL"), ("T23KPU_20240108T131239_SCL_20m", "SCL"), ("data_mask", "dataMask"), ("vv", "VV"),
    ],
)  # fmt: skip
def test_names_of_common_tools(text: str, name: str) -> None:
    assert band_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "SR_B2", "LC08_B2", "sur_refl_b02", "B5 NIR", "B4 blue", "band2", "Band 2", "2", "B13", "B00", "B4-B3",
        "NDVI_B08", "MSK_DETFOO_B02", "B2_stdDev", "B2_count", "B02 cloud mask", "rededge", "cloud_scl", "VV_dB",
    ],
)  # fmt: skip
def test_names_that_may_mean_something_else_are_none(text: str) -> None:
    assert band_name(text) == text
    assert band_name(" ") is None and band_name(None) is None
