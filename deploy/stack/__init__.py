"""The embedded stack: PostGIS cluster, Prefect server, worker and local archive on one machine."""
