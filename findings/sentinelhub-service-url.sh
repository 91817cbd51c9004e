#!/usr/bin/env bash
# SHConfig.sh_base_url is the address of the service. One expects that every request goes there.
# A stock DataCollection carries an address of its own (service_url), and process requests go to that one, whatever the
# configuration says. Catalog searches of the same configuration do go to sh_base_url.
# A monitor that is set to another deployment finds its scenes there, and asks the stock one for their pixels.
# Nothing is sent here: the script reads the address of the request that was built.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --quiet sentinelhub==3.12.0

HOME="$work" "$work/venv/bin/python" - <<'PY'
import sys
from urllib.parse import urlsplit

import sentinelhub
from sentinelhub import CRS, BBox, DataCollection, MimeType, SentinelHubCatalog, SentinelHubRequest, SHConfig

print(f"sentinelhub {sentinelhub.__version__}")
HERE = "sh.example.org"
config = SHConfig(use_defaults=True, sh_base_url=f"https://{HERE}", sh_client_id="id", sh_client_secret="secret")


def asked(collection: DataCollection) -> str:
    """Return the host that a process request for `collection` would go to."""
    request = SentinelHubRequest(
        evalscript="//VERSION=3", config=config, size=(10, 10), bbox=BBox((15, 46, 15.1, 46.1), CRS.WGS84),
        input_data=[SentinelHubRequest.input_data(collection, time_interval=("2026-01-01", "2026-01-02"))],
        responses=[SentinelHubRequest.output_response("default", MimeType.TIFF)],
    )  # fmt: skip
    return str(urlsplit(request.download_list[0].url).hostname)


stock = DataCollection.SENTINEL2_L2A
own = stock.define_from("S2L2A_HERE", service_url=config.sh_base_url)
hosts = {
    "catalog": str(urlsplit(SentinelHubCatalog(config=config).service_url).hostname),
    "process, stock collection": asked(stock),
    "process, collection with our service_url": asked(own),
}
print(f"configured: {HERE}")
for what, host in hosts.items():
    print(f"{what}: {'as configured' if host == HERE else 'another host, that of DataCollection.service_url'}")
if hosts["process, stock collection"] != urlsplit(stock.service_url).hostname or asked(stock) == HERE:
    sys.exit("changed: requests of a stock collection go to sh_base_url now")
if hosts["catalog"] != HERE or hosts["process, collection with our service_url"] != HERE:
    sys.exit("changed: the catalog or a collection with its own address goes elsewhere")
print("as described: the collection's address wins over the configuration, for pixels and not for the catalog")
PY
