#!/usr/bin/env python3
"""Checks our location tables against what a C compiler emits, for every ABI, on any host.

For random signatures a C callee is compiled for the target (zig cc). It dumps its arguments and
returns known bytes. It runs in an emulator with registers and stack set as our table says and
noise everywhere else; what it dumps must be what we put there, and the result must be where the
table says. Layouts (sizes, alignments, offsets) and the bytes a callee pops are compared too.

    ci/locations.py [--count 1000] [--seed N] [--fills 3] [ROW ...]

Prints a row per ABI and fails on any mismatch. Installs zig and the emulator into .cache.
"""

import argparse
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
    if not stamp.exists() or stamp.read_text().split() != PACKAGES:
        venv.create(CACHE / "venv", with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        stamp.write_text("\n".join(PACKAGES))
    if pathlib.Path(sys.prefix).resolve() != (CACHE / "venv").resolve():
        os.execv(python, [python, __file__, *sys.argv[1:]])


environment()
sys.path.insert(0, str(ROOT / "ci"))
from unicorn import UcError  # noqa: E402

from locations_oracle.csource import ARGS, DUMP, Source  # noqa: E402
from locations_oracle.emulate import SCRATCH, Emulator, State  # noqa: E402
from locations_oracle.generate import (  # noqa: E402
    NARROW,
    VOID,
    Features,
    Generator,
    Record,
    Scalar,
)
from locations_oracle.image import Image, compile_c  # noqa: E402

GNU_WINDOWS = Features()
MICROSOFT = Features(empty_records=False, gnu_alignment=False, odd_parts_in_result=False)
# (row, our target, zig's target, features, convention)
ROWS = [
    ("sysv64-linux", "x86_64-linux", "x86_64-linux-gnu", Features(), ""),
    ("sysv64-macos", "x86_64-macos", "x86_64-macos", Features(), ""),
    ("win64-gnu", "x86_64-windows-gnu", "x86_64-windows-gnu", GNU_WINDOWS, ""),
    ("win64-msvc", "x86_64-windows-msvc", "x86_64-windows-msvc", MICROSOFT, ""),
    ("aapcs64-linux", "aarch64-linux", "aarch64-linux-gnu", Features(), ""),
    ("aapcs64-darwin", "aarch64-macos", "aarch64-macos", Features(), ""),
    ("aapcs64-windows", "aarch64-windows-gnu", "aarch64-windows-gnu", GNU_WINDOWS, ""),
    ("aapcs32", "arm-linux", "arm-linux-gnueabihf", Features(), ""),
] + [
    (f"x86-{system}-{convention or 'cdecl'}", f"x86-{system}", f"x86-{zig}", features, convention)
    for system, zig, features in [
        ("linux", "linux-gnu", Features()),
        ("windows-gnu", "windows-gnu", GNU_WINDOWS),
        ("windows-msvc", "windows-msvc", MICROSOFT),
    ]
    for convention in ["", "stdcall", "fastcall", "thiscall"]
]  # fmt: skip


class Mismatch(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Mismatch(message)


def tables(target, signatures):
    """Our classifier's answers."""
    subprocess.run(
        ["cargo", "build", "-q", "-j2", "-p", "jit-tests", "--bin", "locations"],
        cwd=ROOT, check=True,
    )  # fmt: skip
    out = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
    lines = "".join(f"{target}\t{s.notation()}\n" for s in signatures)
    done = subprocess.run(
        [pathlib.Path(out) / "debug" / "locations"],
        input=lines, text=True, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_layout(ty, ours, layout):
    """Compares our layout of a type with the C compiler's next table entries."""
    size = next(layout)
    expect(size == ours["size"], f"size of {ty.notation()}: C {size}, ours {ours['size']}")
    if isinstance(ty, Record):
        align = next(layout)
        expect(align == ours["align"], f"alignment of {ty.notation()}: C {align}")
        offsets = [next(layout) for _ in ours["leaves"]]
        expect(offsets == [leaf[0] for leaf in ours["leaves"]], f"offsets of {ty.notation()}")


def value_bytes(rng, ty, ours):
    """Random bytes of a value; scalars of type bool and float are proper ones."""
    data = bytearray(rng.randbytes(ours["size"]))
    for at, size, name in ours["leaves"]:
        if name in ("f32", "f64"):
            import struct

            code = "<f" if name == "f32" else "<d"
            data[at : at + size] = struct.pack(code, rng.uniform(-1e6, 1e6))
        elif name == "bool" and isinstance(ty, Scalar):
            data[at] = rng.randint(0, 1)
    return data


def extended(data, ext):
    kind, size = ext
    if kind == "none":
        return bytes(data)
    fill = 0xFF if kind == "sign" and data[-1] & 0x80 else 0
    return bytes(data) + bytes([fill]) * (size - len(data))


def leaf_bytes(ours, data):
    return [bytes(data[at : at + size]) for at, size, _ in ours["leaves"]]


def check_call(emulator, rng, index, signature, table):
    """Calls one callee once."""
    word = emulator.machine.word
    state = State(emulator.machine, rng, table["stack"])
    scratch = SCRATCH + 0x400

    def memory(data, align):
        """Places bytes in memory, no more aligned than asked for."""
        nonlocal scratch
        align = max(align, 1)
        scratch = (scratch + 2 * align - 1) // (2 * align) * 2 * align + align
        emulator.uc.mem_write(scratch, bytes(data))
        address, scratch = scratch, scratch + len(data)
        return address

    values = []
    for ty, ours in zip(signature.params, table["args"]):
        data = value_bytes(rng, ty, ours)
        values.append(data)
        if ours["how"] == "ignored":
            expect(ours["size"] == 0, "an argument with bytes is ignored")
        elif ours["how"] == "reference":
            size, align = ours["copy"]
            expect(size == ours["size"], "size of the copy")
            address = memory(data, align)
            put(state, table, ours["ptr"], address.to_bytes(word, "little"))
        else:
            covered = set()
            for at, length, ext, location in ours["pieces"]:
                covered.update(range(at, at + length))
                put(state, table, location, extended(data[at : at + length], ext))
            for at, size, name in ours["leaves"]:
                expect(covered.issuperset(range(at, at + size)), f"leaf {name} at {at} is nowhere")
    result = table["ret"]
    sret = None
    if result["how"] == "memory":
        sret = memory(rng.randbytes(max(result["size"], 1)), result["align"])
        put(state, table, result["ptr"], sret.to_bytes(word, "little"))
    if table["vectors"] is not None:
        state.ints[0][0] = table["vectors"]
    source = bytearray() if signature.ret is VOID else value_bytes(rng, signature.ret, result)
    emulator.write("R", source)
    emulator.write("D", rng.randbytes(len(values) * DUMP))
    try:
        popped = emulator.call(f"f{index}", state, table["align"])
    except UcError as error:
        raise Mismatch(f"the callee crashed: {error}") from error
    expect(popped == table["pops"], f"the callee popped {popped} bytes, ours {table['pops']}")
    dump = emulator.read("D", ARGS * DUMP)
    widened = emulator.read("W", ARGS * 8)
    for i, (ty, ours, data) in enumerate(zip(signature.params, table["args"], values)):
        got, want = leaf_bytes(ours, dump[i * DUMP :]), leaf_bytes(ours, data)
        expect(got == want, f"argument {i}, {ty.notation()}: arrived {got}, sent {want}")
        if isinstance(ty, Scalar) and ty.name in NARROW:
            signed = ty.name.startswith("i")
            want = int.from_bytes(data, "little", signed=signed)
            got = int.from_bytes(widened[i * 8 : i * 8 + 8], "little", signed=True)
            expect(got == want, f"argument {i}, {ty.notation()}: widened {got}, sent {want}")
    check_result(emulator, result, source, sret, word)


def put(state, table, location, data):
    kind, number = location
    inside = kind != "stack" or number + len(data) <= table["stack"]
    expect(inside, f"{location} with {len(data)} bytes is outside the area")
    state.put(location, data)


def check_result(emulator, result, source, sret, word):
    want = leaf_bytes(result, source)
    if result["how"] == "void":
        expect(not want, "a result with bytes is void")
        return
    if result["how"] == "memory":
        got = leaf_bytes(result, bytes(emulator.uc.mem_read(sret, max(result["size"], 1))))
        if result["back"]:
            back = int.from_bytes(emulator.get(result["back"], word), "little")
            expect(back == sret, "the hidden pointer is not handed back")
    else:
        data = bytearray(result["size"])
        for at, length, _, location in result["pieces"]:
            data[at : at + length] = emulator.get(location, length)
        got = leaf_bytes(result, data)
    expect(got == want, f"result: arrived {got}, sent {want}")


def check_row(row, count, seed, fills):
    """Checks one ABI; returns the number of mismatches."""
    name, ours, zig, features, convention = row
    generator = Generator(f"{name}/{seed}", features)
    signatures = [generator.signature(convention) for _ in range(count)]
    source = Source("msvc" in zig)
    for index, signature in enumerate(signatures):
        source.callee(index, signature)
    image = compile_c(sys.executable, source.text(), zig, CACHE / name)
    emulator = Emulator(zig.split("-")[0], Image(image))
    layout = iter(memoryview(emulator.read("L", 4 * len(source.layout))).cast("I"))
    rng = random.Random(f"{name}/{seed}/values")
    wrong = 0
    for index, (signature, table) in enumerate(zip(signatures, tables(ours, signatures))):
        try:
            for ty, answer in zip(signature.params, table["args"]):
                check_layout(ty, answer, layout)
            if signature.ret is not VOID:
                check_layout(signature.ret, table["ret"], layout)
        except Mismatch as mismatch:
            print(f"  {name} f{index}: {signature.notation()}\n    {mismatch}\n  giving up: layout")
            return wrong + 1
        try:
            # A bool says one bit per call.
            bools = any(p == Scalar("bool") for p in signature.params)
            for _ in range(3 * fills if bools else fills):
                check_call(emulator, rng, index, signature, table)
        except Mismatch as mismatch:
            wrong += 1
            if wrong <= 8:
                print(f"  {name} f{index}: {signature.notation()}\n    {mismatch}")
    return wrong


def main():
    names = [row[0] for row in ROWS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="signatures per row")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("FFI_JIT_SEED", 0)) or None)
    parser.add_argument("--fills", type=int, default=3, help="calls per signature")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(names))
    options = parser.parse_args()
    unknown = [name for name in options.rows if not any(row.startswith(name) for row in names)]
    if unknown:
        parser.error(f"unknown rows: {' '.join(unknown)}")
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 32)
    print(f"seed {seed}")
    total = 0
    for row in ROWS:
        if options.rows and not any(row[0].startswith(name) for name in options.rows):
            continue
        start = time.monotonic()
        wrong = check_row(row, options.count, seed, options.fills)
        total += wrong
        seconds = time.monotonic() - start
        print(f"{row[0]:28} {options.count:6} signatures {wrong:4} wrong {seconds:6.1f} s", flush=True)
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
