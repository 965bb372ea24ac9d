"""Results for people and programs: text, JSON and HTML."""

from engine.report.formats import csv_text, json_text, ndjson_text
from engine.report.order import deciding, ordered

__all__ = ["csv_text", "deciding", "json_text", "ndjson_text", "ordered"]
