"""Somebody's own documents as facts: an element table read from a workbook, CSV or JSON becomes a layer."""

from acrmock.facts.importing.columns import Columns, load_columns, shipped_columns, shipped_text
from acrmock.facts.importing.elements import ImportedElement, read_elements
from acrmock.facts.importing.layer import Imported, Origin, write_layer
from acrmock.facts.importing.table import Table, TableError, read_table

__all__ = [
    "Columns",
    "Imported",
    "ImportedElement",
    "Origin",
    "Table",
    "TableError",
    "load_columns",
    "read_elements",
    "read_table",
    "shipped_columns",
    "shipped_text",
    "write_layer",
]
