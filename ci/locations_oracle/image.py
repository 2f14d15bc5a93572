"""Compiles C for a target with zig and loads the linked image."""

import pathlib
import re
import subprocess

import lief

lief.logging.disable()


def compile_c(python, text, target, folder):
    """Links C text into an image for one of zig's targets; returns its path."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"{target}.c"
    source.write_text(text)
    windows, macos = "windows" in target, "macos" in target
    export = "__declspec(dllexport)" if windows else '__attribute__((visibility("default")))'
    flags = [
        "-std=c23", "-O1", "-w", "-ffreestanding", "-fno-stack-protector", "-fno-sanitize=all",
        "-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-mno-stack-arg-probe",
        f"-DEXPORT={export}", "-target", target,
    ]  # fmt: skip
    zig = [python, "-m", "ziglang", "cc"]
    built = folder / f"{target}.o"
    run([*zig, *flags, "-c", source, "-o", built])
    image = folder / f"{target}.image"
    if windows:
        lld = [python, "-m", "ziglang", "lld-link"]
        mingw = [] if "msvc" in target else ["-lldmingw"]
        run([*lld, *mingw, "-dll", "-noentry", "-nodefaultlib", f"-out:{image}", built])
    else:
        link = ["-shared"] if macos else ["-static", "-no-pie", "-Wl,-e,f0"]
        run([*zig, "-target", target, "-nostdlib", *link, built, "-o", image])
    return image


def run(command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stderr[-4000:]}")


class Image:
    """Bytes to map at addresses, and exported symbols."""

    def __init__(self, path):
        binary = lief.parse(str(path))
        self.segments = []
        if isinstance(binary, lief.PE.Binary):
            base = binary.optional_header.imagebase
            for section in binary.sections:
                data = bytes(section.content).ljust(section.virtual_size, b"\0")
                self.segments.append((base + section.virtual_address, data))
            entries = binary.get_export().entries
            self.symbols = {undecorated(entry.name): base + entry.address for entry in entries}
        else:
            for segment in binary.segments:
                address = segment.virtual_address
                size = getattr(segment, "virtual_size", 0)
                if isinstance(binary, lief.ELF.Binary) and segment.type != segment.TYPE.LOAD:
                    continue
                if size and segment.content is not None and not _is_page_zero(segment):
                    self.segments.append((address, bytes(segment.content).ljust(size, b"\0")))
            strip = "_" if isinstance(binary, lief.MachO.Binary) else ""
            self.symbols = {
                symbol.name.removeprefix(strip): symbol.value
                for symbol in binary.symbols
                if symbol.value
            }


def undecorated(name):
    """`f` of `f`, `_f@4` and `@f@4`, the names of cdecl, stdcall and fastcall functions."""
    return re.fullmatch(r"[_@]?(\w+?)(@\d+)?", name)[1]


def _is_page_zero(segment):
    return getattr(segment, "name", "") == "__PAGEZERO"
