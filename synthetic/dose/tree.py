"""The same description built as a tree of pydicom data sets: the oracle of the byte writer, and slow.

Values go in as they are, unchecked, because quirks are wrong on purpose; no setting of pydicom is changed.
"""

from __future__ import annotations

import io
from operator import attrgetter
from typing import TYPE_CHECKING

from synthetic.dose.elements import Code, DataSet, Element, Hole, code_items, shifted

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from synthetic.dose.content import Content
    from synthetic.dose.encoding import Encoding

_CHARSET = 0x00080005
_IGNORE = 0  # pydicom.config.IGNORE: values are taken as they are


def build(content: Content) -> Dataset:
    """The whole data set of `content`."""
    found = _data_set(content.header.elements, content.values, content.encoding)
    items = []
    for rows, values in content.parts:
        items += [_item(one, values, content.encoding) for one in rows.items]
    if items:
        _add_sequence(found, 0x0040A730, items, content.encoding)
    for element in content.trailer.elements:
        _add(found, element, content.values, content.encoding)
    return found


def write(content: Content) -> bytes:
    """The file of `content` as pydicom writes it: preamble, file meta information, data set (PS3.10 section 7.1)."""
    from pydicom import dcmwrite  # noqa: PLC0415 - pydicom takes half a second to import
    from pydicom.dataset import FileMetaDataset  # noqa: PLC0415 - pydicom takes half a second to import

    found = build(content)
    meta = FileMetaDataset()
    for element in content.meta.elements:
        _add(meta, element, content.values, content.encoding)
    found.file_meta = meta
    stream = io.BytesIO()
    dcmwrite(stream, found, enforce_file_format=True)
    return stream.getvalue()


def _data_set(elements: DataSet, values: object, encoding: Encoding) -> Dataset:
    from pydicom.dataset import Dataset  # noqa: PLC0415 - pydicom takes half a second to import

    found = Dataset()
    for element in elements:
        _add(found, element, values, encoding)
    return found


def _item(elements: DataSet, values: object, encoding: Encoding) -> Dataset:
    found = _data_set(elements, values, encoding)
    if encoding.undefined:
        found.is_undefined_length_sequence_item = True  # type: ignore[attr-defined,unused-ignore]
    return found


def _add_sequence(found: Dataset, tag: int, items: list[Dataset], encoding: Encoding) -> None:
    from pydicom.dataelem import DataElement  # noqa: PLC0415 - pydicom takes half a second to import
    from pydicom.sequence import Sequence  # noqa: PLC0415 - pydicom takes half a second to import

    found.add(DataElement(tag, "SQ", Sequence(items), is_undefined_length=encoding.undefined))


def _add(found: Dataset, element: Element, values: object, encoding: Encoding) -> None:
    from pydicom.dataelem import DataElement  # noqa: PLC0415 - pydicom takes half a second to import

    tag, vr, value = element
    if isinstance(value, Hole):
        filled = attrgetter(value.name)(values)
        if isinstance(filled, Code):
            _add_sequence(found, tag, [_item(code_items(filled), values, encoding)], encoding)
            return
        value = shifted(filled, value.shift) if value.shift else filled
    if isinstance(value, tuple) and not isinstance(value, Hole):
        _add_sequence(found, tag, [_item(one, values, encoding) for one in value], encoding)
        return
    if isinstance(value, bytes) and len(value) % 2:
        value += b"\0"
    as_it_is = vr not in {"PN", "UI"} and tag != _CHARSET
    found.add(DataElement(tag, vr, value, already_converted=as_it_is, validation_mode=_IGNORE))
