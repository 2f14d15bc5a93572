"""Compares one callee with one location table."""

import struct

from .csource import ARGS, DUMP
from .emulate import SCRATCH, Crash, State
from .notation import NARROW, VOID, Record, Scalar


class Mismatch(Exception):
    """Our table and the compiler disagree."""


def expect(condition, message):
    if not condition:
        raise Mismatch(message)


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


def check_call(emulator, rng, index, signature, table, widens_results):
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
    except Crash as crash:
        raise Mismatch(f"the callee crashed: {crash}") from crash
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
    check_result(emulator, result, source, sret, word, widens_results)


def put(state, table, location, data):
    kind, number = location
    inside = kind != "stack" or number + len(data) <= table["stack"]
    expect(inside, f"{location} with {len(data)} bytes is outside the area")
    state.put(location, data)


def check_result(emulator, result, source, sret, word, widens_results):
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
        for at, length, ext, location in result["pieces"]:
            data[at : at + length] = emulator.get(location, length)
            if widens_results and ext[0] != "none":
                wide = extended(source[at : at + length], ext)
                got = emulator.get(location, len(wide))
                expect(got == wide, f"result: widened {got}, sent {wide}")
        got = leaf_bytes(result, data)
    expect(got == want, f"result: arrived {got}, sent {want}")
