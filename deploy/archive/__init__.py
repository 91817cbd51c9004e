"""The local archive: a folder of scenes, simulated or imported, and the server that speaks the Sentinel Hub API."""
