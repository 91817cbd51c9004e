#!/usr/bin/env bash
# Installs the system packages that MineCam needs on Debian 12 (PostGIS, venv); does nothing where they are.
set -euo pipefail

missing=()
ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1 || missing+=(postgresql-15-postgis-3)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "MineCam needs ${missing[*]}: ask an administrator for 'apt-get install ${missing[*]}'," >&2
    echo "or set MINECAM_DATABASE_URL to a PostGIS server." >&2
    exit 1
  }
  as_root=sudo
fi
echo "Installing ${missing[*]}"
# A private cluster is made on demand: the package must not start one of its own.
$as_root mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
  echo 'create_main_cluster = false' | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq "${missing[@]}" >/dev/null
