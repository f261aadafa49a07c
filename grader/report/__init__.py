"""A Report as terminal text, as JSON and as HTML: functions over frozen data."""
