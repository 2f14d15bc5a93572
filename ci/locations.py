#!/usr/bin/env python3
"""Checks our location tables against what a C compiler emits, for every ABI, on any host.

For random signatures a C callee is compiled for the target (zig cc). It dumps its arguments and
returns known bytes. It runs in an emulator with registers and stack set as our table says and
noise everywhere else; what it dumps must be what we put there, and the result must be where the
table says. Layouts (sizes, alignments, offsets) and the bytes a callee pops are compared too. The
signatures of the golden tables are checked in the same way. Where clang breaks the rules of an
ABI's owner (locations_oracle/quirks.py), signatures are left out.

    ci/locations.py [--count 1000] [--seed N] [--fills 3] [ROW ...]

A ROW is the start of a row's name. Prints a line per row and fails on any mismatch. Installs zig
and the emulator into .cache.
"""

import argparse
import fcntl
import json
import os
import pathlib
import random
import subprocess
import sys
import time
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "locations"
PACKAGES = ["ziglang==0.15.2", "unicorn==2.1.4", "lief==1.0.0"]


def environment():
    """Runs this script again inside a virtual environment that has the packages."""
    python = CACHE / "venv" / "bin" / "python3"
    stamp = CACHE / "venv" / "packages"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text().split() != PACKAGES:
            venv.create(CACHE / "venv", with_pip=True, clear=True)
            pip = [python, "-m", "pip", "install", "-q", "--retries", "10", *PACKAGES]
            subprocess.run(pip, check=True)
            stamp.write_text("\n".join(PACKAGES))
    if pathlib.Path(sys.prefix).resolve() != (CACHE / "venv").resolve():
        os.execv(python, [python, __file__, *sys.argv[1:]])


environment()
sys.path.insert(0, str(ROOT / "ci"))
from locations_oracle.check import Mismatch, check_call, check_layout  # noqa: E402
from locations_oracle.csource import Source  # noqa: E402
from locations_oracle.emulate import Emulator  # noqa: E402
from locations_oracle.generate import Generator  # noqa: E402
from locations_oracle.image import Image, compile_c  # noqa: E402
from locations_oracle.notation import VOID, Parser, Scalar  # noqa: E402
from locations_oracle.quirks import excluded  # noqa: E402
from locations_oracle.rows import ROWS  # noqa: E402


def tables(target, signatures):
    """Our classifier's answers."""
    out = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    lines = "".join(f"{target}\t{s.notation()}\n" for s in signatures)
    command = [out / "debug" / "locations"]
    done = subprocess.run(command, input=lines, text=True, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def golden_signatures(row):
    """The signatures of a row's golden file that are of its convention, and how many of them are
    left out because clang has a quirk there."""
    if row.golden is None:
        return [], 0
    text = (ROOT / "jit-tests" / "golden" / row.golden).read_text()
    heads = [line for line in text.splitlines() if line and line[0] not in "# "]
    signatures = [Parser(head).signature() for head in heads]
    assert [s.notation() for s in signatures] == heads
    signatures = [s for s in signatures if s.convention == row.convention]
    checked = [s for s in signatures if not excluded(s, row.quirks)]
    return checked, len(signatures) - len(checked)


def check_row(row, count, seed, fills):
    """Checks one ABI; prints a line and returns the number of mismatches."""
    start = time.monotonic()
    generator = Generator(f"{row.name}/{seed}", row.dialect, row.quirks)
    golden, left_out = golden_signatures(row)
    signatures = golden + [generator.signature(row.convention) for _ in range(count)]
    source = Source(microsoft="msvc" in row.zig)
    for index, signature in enumerate(signatures):
        source.callee(index, signature)
    image = compile_c(sys.executable, source.text(), row.zig, CACHE / row.name)
    emulator = Emulator(row.zig.split("-")[0], Image(image))
    layout = iter(memoryview(emulator.read("L", 4 * len(source.layout))).cast("I"))
    rng = random.Random(f"{row.name}/{seed}/values")
    wrong = 0
    for index, (signature, table) in enumerate(zip(signatures, tables(row.target, signatures))):
        try:
            for ty, answer in zip(signature.params, table["args"]):
                check_layout(ty, answer, layout)
            if signature.ret is not VOID:
                check_layout(signature.ret, table["ret"], layout)
        except Mismatch as mismatch:
            print(f"  f{index}: {signature.notation()}\n    {mismatch}\n    giving up on this row")
            wrong += len(signatures) - index
            break
        try:
            # A bool says one bit per call.
            bools = any(p == Scalar("bool") for p in signature.params)
            for _ in range(3 * fills if bools else fills):
                check_call(emulator, rng, index, signature, table, row.widens_results)
        except Mismatch as mismatch:
            wrong += 1
            if wrong <= 8:
                print(f"  f{index}: {signature.notation()}\n    {mismatch}")
    seconds = time.monotonic() - start
    print(
        f"{row.name:24} {count:6} random {len(golden):4} golden {left_out:3} left out "
        f"{wrong:4} wrong {seconds:6.1f} s",
        flush=True,
    )
    return wrong


def main():
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="random signatures per row")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("FFI_JIT_SEED", 0)) or None)
    parser.add_argument("--fills", type=int, default=3, help="calls per signature")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(names))
    options = parser.parse_args()
    unknown = [start for start in options.rows if not any(n.startswith(start) for n in names)]
    if unknown:
        parser.error(f"unknown rows: {' '.join(unknown)}")
    build = ["cargo", "build", "-q", "-j2", "-p", "jit-tests", "--bin", "locations"]
    subprocess.run(build, cwd=ROOT, check=True)
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 32)
    print(f"seed {seed}")
    chosen = tuple(options.rows)
    rows = [row for row in ROWS if not chosen or row.name.startswith(chosen)]
    wrong = sum(check_row(row, options.count, seed, options.fills) for row in rows)
    print(f"{len(rows)} rows, {wrong} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
