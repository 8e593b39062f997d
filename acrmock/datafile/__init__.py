"""Data files as the NRDR portal takes them: pipe text and workbooks, one record a row (facts N3.1)."""

from acrmock.datafile.faults import FileFault, FileFaultKind, RowFault
from acrmock.datafile.layout import Column, Layout, layout_of
from acrmock.datafile.pipe import read_pipe, write_pipe
from acrmock.datafile.rows import Limits, Row
from acrmock.datafile.workbook import read_workbook, write_workbook

__all__ = [
    "Column",
    "FileFault",
    "FileFaultKind",
    "Layout",
    "Limits",
    "Row",
    "RowFault",
    "layout_of",
    "read_pipe",
    "read_workbook",
    "write_pipe",
    "write_workbook",
]
