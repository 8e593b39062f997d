"""Types are worked out safely however many threads ask for them first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from acrmock.typed import convert, decode, decoder

ROOT = Path(__file__).resolve().parents[2]

CROWD = """
import sys, threading, types
sys.path.insert(0, sys.argv[1])
from acrmock.typed import convert, decode
sys.setswitchinterval(1e-6)
for number in range(60):
    module = types.ModuleType(f"crowd{number}")
    sys.modules[module.__name__] = module
    source = "from __future__ import annotations\\nimport msgspec\\n"
    for depth in range(12):
        first = f"tuple[S{depth - 1}, ...] = ()" if depth else "dict[str, str] = {}"
        rest = "".join(f"    f{i}: dict[str, str] = {{}}\\n" for i in range(1, 8))
        source += f"class S{depth}(msgspec.Struct):\\n    f0: {first}\\n{rest}"
    exec(source, module.__dict__)
    barrier = threading.Barrier(12)
    def use(index, kind=module.S11):
        barrier.wait()
        decode(b'{"f0": [{"f0": [{}]}]}', kind) if index % 2 else convert({"f0": [{"f0": [{}]}]}, kind)
    threads = [threading.Thread(target=use, args=(index,)) for index in range(12)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
print("alive")
"""


def test_many_threads_may_be_the_first_to_use_a_type() -> None:
    """A crowd of threads reads types that nobody has used before, and the process lives (plain msgspec does not)."""
    done = subprocess.run([sys.executable, "-c", CROWD, str(ROOT)], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr[-2000:]


class Thing(msgspec.Struct):
    """Something with a number."""

    number: int


def test_data_become_typed_or_are_refused() -> None:
    """JSON and parsed values become the type; what is no such thing is a msgspec error; a decoder is made once."""
    assert decode(b'{"number": 1}', Thing) == convert({"number": 1}, Thing) == Thing(number=1)
    assert decoder(Thing) is decoder(Thing)
    with pytest.raises(msgspec.MsgspecError):
        decode(b'{"number": "x"}', Thing)
    with pytest.raises(msgspec.ValidationError):
        convert({}, Thing)
