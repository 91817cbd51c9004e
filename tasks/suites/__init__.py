"""What measured figures must keep to: suites as files, judged by Great Expectations. Used by three steps."""
