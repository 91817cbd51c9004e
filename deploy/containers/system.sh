#!/usr/bin/env bash
# The system of every image: Debian's Python and a user who is not root. With `build`, what an environment is made with.
set -euo pipefail

install() {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  rm -rf /var/lib/apt/lists/*
}

if [ "${1:-}" = build ]; then
  install python3-venv
else
  install python3 ca-certificates
  groupadd --gid 10001 minecam
  useradd --uid 10001 --gid minecam --create-home --home-dir /var/lib/minecam --shell /usr/sbin/nologin minecam
fi
