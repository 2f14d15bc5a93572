"""Runs one callee in an emulator with every register and stack byte set as a location table says,
and everything the table does not name filled with noise."""

import struct

from unicorn import UC_ARCH_ARM, UC_ARCH_ARM64, UC_ARCH_X86, UC_MODE_32, UC_MODE_64, UC_MODE_ARM, Uc, UcError
from unicorn import arm64_const, arm_const, x86_const

STACK, STACK_BYTES = 0x7000_0000, 0x80000
SCRATCH, SCRATCH_BYTES = 0x6000_0000, 0x20000
RETURN = 0x5000_0000
PAGE = 0x1000


def registers(module, names, prefix):
    return [getattr(module, f"{prefix}{name}".upper()) for name in names.split()]


class X86:
    """x86-64 and 32-bit x86."""

    def __init__(self, bits):
        self.uc = Uc(UC_ARCH_X86, UC_MODE_64 if bits == 64 else UC_MODE_32)
        names = "ax cx dx bx sp bp si di"
        letter = "r" if bits == 64 else "e"
        names = " ".join(letter + name for name in names.split())
        if bits == 64:
            names += " r8 r9 r10 r11 r12 r13 r14 r15"
        self.ints = registers(x86_const, names, "UC_X86_REG_")
        count = 16 if bits == 64 else 8
        self.fps = [x86_const.UC_X86_REG_XMM0 + n for n in range(count)]
        self.fp_bytes, self.word, self.stack_pointer = 16, bits // 8, self.ints[4]
        self.program_counter = getattr(x86_const, f"UC_X86_REG_{letter.upper()}IP")
        self.reserved = {4}
        self.pc_return = True

    def reset(self):
        self.uc.reg_write(x86_const.UC_X86_REG_EFLAGS, 2)
        self.uc.reg_write(x86_const.UC_X86_REG_FPSW, 0)
        self.uc.reg_write(x86_const.UC_X86_REG_FPTAG, 0xFFFF)

    def x87(self, length):
        top = self.uc.reg_read(x86_const.UC_X86_REG_FPSW) >> 11 & 7
        mantissa, exponent = self.uc.reg_read(x86_const.UC_X86_REG_FP0 + top)
        value = mantissa * 2.0 ** ((exponent & 0x7FFF) - 16383 - 63)
        return struct.pack("<f" if length == 4 else "<d", -value if exponent >> 15 else value)


class Arm64:
    def __init__(self):
        self.uc = Uc(UC_ARCH_ARM64, UC_MODE_ARM)
        names = " ".join(f"x{n}" for n in range(31))
        self.ints = registers(arm64_const, names, "UC_ARM64_REG_")
        self.fps = [arm64_const.UC_ARM64_REG_Q0 + n for n in range(32)]
        self.fp_bytes, self.word, self.stack_pointer = 16, 8, arm64_const.UC_ARM64_REG_SP
        self.program_counter = arm64_const.UC_ARM64_REG_PC
        self.reserved = {30}
        self.pc_return = False
        self.uc.reg_write(arm64_const.UC_ARM64_REG_CPACR_EL1, 3 << 20)

    def reset(self):
        self.uc.reg_write(arm64_const.UC_ARM64_REG_X30, RETURN)


class Arm32:
    def __init__(self):
        self.uc = Uc(UC_ARCH_ARM, UC_MODE_ARM)
        names = " ".join(f"r{n}" for n in range(13))
        self.ints = registers(arm_const, names, "UC_ARM_REG_")
        self.fps = [arm_const.UC_ARM_REG_S0 + n for n in range(32)]
        self.fp_bytes, self.word, self.stack_pointer = 4, 4, arm_const.UC_ARM_REG_SP
        self.program_counter = arm_const.UC_ARM_REG_PC
        self.reserved = set()
        self.pc_return = False
        access = self.uc.reg_read(arm_const.UC_ARM_REG_C1_C0_2)
        self.uc.reg_write(arm_const.UC_ARM_REG_C1_C0_2, access | 0xF << 20)
        self.uc.reg_write(arm_const.UC_ARM_REG_FPEXC, 1 << 30)

    def reset(self):
        self.uc.reg_write(arm_const.UC_ARM_REG_LR, RETURN)


MACHINES = {
    "x86_64": lambda: X86(64),
    "x86": lambda: X86(32),
    "aarch64": Arm64,
    "arm": Arm32,
}


class Crash(Exception):
    """The callee did not come back."""


class State:
    """Register and stack contents at a call, as bytes."""

    def __init__(self, machine, rng, area):
        self.ints = [bytearray(rng.randbytes(machine.word)) for _ in machine.ints]
        self.fps = [bytearray(rng.randbytes(machine.fp_bytes)) for _ in machine.fps]
        # More than the area: what lies behind it must not matter.
        self.stack = bytearray(rng.randbytes(area + 256))
        self.fp_bytes = machine.fp_bytes

    def put(self, location, data):
        kind, number = location
        if kind == "stack":
            self.stack[number : number + len(data)] = data
        elif kind == "int":
            self.ints[number][: len(data)] = data
        else:
            # A double of 32-bit ARM covers two single registers.
            for at in range(0, len(data), self.fp_bytes):
                part = data[at : at + self.fp_bytes]
                self.fps[number + at // self.fp_bytes][: len(part)] = part


class Emulator:
    """An image in an emulated processor."""

    def __init__(self, arch, image):
        self.machine = MACHINES[arch]()
        self.symbols = image.symbols
        self.uc = self.machine.uc
        pages = set()
        for address, data in image.segments:
            first, last = address // PAGE, (address + max(len(data), 1) - 1) // PAGE
            pages.update(range(first, last + 1))
        for page in sorted(pages):
            self.uc.mem_map(page * PAGE, PAGE)
        for address, data in image.segments:
            self.uc.mem_write(address, data)
        self.uc.mem_map(STACK, STACK_BYTES)
        self.uc.mem_map(SCRATCH, SCRATCH_BYTES)
        self.uc.mem_map(RETURN, PAGE)

    def read(self, symbol, size):
        return bytes(self.uc.mem_read(self.symbols[symbol], size))

    def write(self, symbol, data):
        self.uc.mem_write(self.symbols[symbol], bytes(data))

    def call(self, function, state, align):
        """Calls a function with SP aligned to `align`; returns how many bytes it popped."""
        machine = self.machine
        machine.reset()
        sp = STACK + STACK_BYTES - 0x10000
        # Not more aligned than promised.
        sp += align if align < 4096 else 0
        for index, (register, value) in enumerate(zip(machine.ints, state.ints)):
            if index not in machine.reserved:
                self.uc.reg_write(register, int.from_bytes(value, "little"))
        for register, value in zip(machine.fps, state.fps):
            self.uc.reg_write(register, int.from_bytes(value, "little"))
        self.uc.mem_write(sp, bytes(state.stack))
        entry_sp = sp
        if machine.pc_return:
            entry_sp -= machine.word
            self.uc.mem_write(entry_sp, RETURN.to_bytes(machine.word, "little"))
        self.uc.reg_write(machine.stack_pointer, entry_sp)
        try:
            self.uc.emu_start(self.symbols[function], RETURN, count=200_000)
        except UcError as error:
            at = self.uc.reg_read(machine.program_counter) - self.symbols[function]
            raise Crash(f"{error} at offset {at:#x}") from error
        return self.uc.reg_read(machine.stack_pointer) - sp

    def get(self, location, length):
        """Bytes of a result location."""
        kind, number = location
        machine = self.machine
        if kind == "x87":
            return machine.x87(length)
        if kind == "int":
            value = self.uc.reg_read(machine.ints[number])
            return value.to_bytes(machine.word, "little")[:length]
        data = b""
        while len(data) < length:
            register = machine.fps[number + len(data) // machine.fp_bytes]
            data += self.uc.reg_read(register).to_bytes(machine.fp_bytes, "little")
        return data[:length]
