#!/usr/bin/env python3
"""The C-compiler oracle on every CPU, from this machine.

Trampolines for random signatures are emitted here, C callees and callers are compiled for the
target, and both run there: natively, under qemu or under wine (jit-tests/src/emulate.rs). Checked
are all values in both directions, callee-saved registers, SP at every call and behind every
return, and memory around results.

    ci/emulate.py [--count 1000] [--seed N] [--list] [ROW ...]

Without rows, all but the gcc ones. Prints a table and fails on any mismatch, and on a row that
cannot be prepared. zig comes from PyPI into .cache; qemu, wine and Debian's cross compilers are
installed with apt-get where they are missing (which needs root).
"""

import argparse
import contextlib
import fcntl
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "emulate"
ZIG = "ziglang==0.15.2"
# How many of the three kinds of compilation a batch takes in turns.
LEVELS = ["-O1", "-O0", "-O2"]


def run(*command, **options):
    subprocess.run([str(word) for word in command], check=True, **options)


def patiently(*command, tries=4, **options):
    """Runs what a network may spoil."""
    for wait in [5 * 2 ** i for i in range(tries - 1)]:
        try:
            return run(*command, **options)
        except subprocess.CalledProcessError:
            time.sleep(wait)
    return run(*command, **options)


@contextlib.contextmanager
def locked(name):
    """One run at a time; the kernel gives a lock back when its holder ends."""
    with open(CACHE / f"{name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def apt(program, *packages):
    """Installs Debian packages unless what they bring is there."""
    if not (shutil.which(program) or pathlib.Path(program).exists()):
        flags = ["-qq", "-o", "Acquire::Retries=5", "-o", "DPkg::Lock::Timeout=900"]
        patiently("apt-get", "update", *flags)
        patiently("apt-get", "install", "-y", "--no-install-recommends", *flags, *packages,
                  stdout=subprocess.DEVNULL)


def zig(target):
    python = CACHE / "venv" / "bin" / "python3"
    with locked("venv"):
        if not (CACHE / "venv" / "installed").exists():
            venv.create(CACHE / "venv", with_pip=True, clear=True)
            patiently(python, "-m", "pip", "install", "-q", ZIG)
            (CACHE / "venv" / "installed").touch()
    os.environ["ZIG_LOCAL_CACHE_DIR"] = str(CACHE / "zig")
    return f"{python} -m ziglang cc -target {target}"


def qemu(cpu):
    apt(f"qemu-{cpu}-static", "qemu-user-static")
    return f"qemu-{cpu}-static"


def wine64():
    apt("wine", "wine", "wine64")
    prefix = CACHE / "wine64"
    environment = dict(WINEPREFIX=str(prefix), WINEDEBUG="-all", WINEARCH="win64")
    return boot(prefix, environment, "wine")


def wine32():
    """wine for i386 in a root of its own, entered in a private mount namespace."""
    root, prefix, runner = CACHE / "i386", CACHE / "wine32", CACHE / "wine32.sh"
    dlls = root / "usr/lib/i386-linux-gnu/wine/i386-windows"
    with locked("i386"):
        if not (dlls / "zlib1.dll").exists():
            patiently(ROOT / "ci" / "fetchroot.sh", "i386", root, "bookworm", "wine32", "libc6")
            # What the package's installation script does.
            shutil.copy(root / "usr/i686-w64-mingw32/lib/zlib1.dll", dlls)
    runner.write_text(WINE32.format(root=root, work=ROOT))
    runner.chmod(0o755)
    environment = dict(WINEPREFIX=str(prefix), WINEDEBUG="-all", WINEARCH="win32",
                       WINESERVER="/usr/lib/wine/wineserver32")
    return boot(prefix, environment, str(runner))


WINE32 = """#!/bin/sh
exec unshare -m /bin/sh -c '
  set -e
  root=$1 work=$2
  shift 2
  for part in /proc /dev /tmp "$work"; do
    mkdir -p "$root$part"
    mount --rbind "$part" "$root$part"
  done
  exec chroot "$root" /usr/lib/wine/wine "$@"' sh {root} {work} "$@"
"""


def boot(prefix, environment, runner):
    for name in ("WINEPREFIX", "WINEDEBUG", "WINEARCH", "WINESERVER"):
        os.environ.pop(name, None)
    os.environ.update(environment)
    kernel = prefix / "drive_c/windows/system32/kernel32.dll"
    if not kernel.exists():
        # Its exit status says nothing; what it leaves behind does.
        subprocess.run([*runner.split(), "wineboot", "-i"], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not kernel.exists():
        raise OSError(f"wineboot made no {kernel}")
    return runner


def gcc(program, *packages):
    apt(program.split()[0], *packages)
    return program


def gcc32():
    apt("/usr/include/i386-linux-gnu/gnu/stubs-32.h", "libc6-dev-i386", "lib32gcc-12-dev")
    return gcc("gcc -m32", "gcc")


NATIVE = lambda: ""  # noqa: E731
THUMB = ["-O1", "-O0", "-O2 -mthumb"]
# name: (triple, compiler, runner, flags)
ROWS = {
    "x64-linux": ("x86_64-unknown-linux-musl", lambda: zig("x86_64-linux-musl"), NATIVE, LEVELS),
    "x64-windows": ("x86_64-pc-windows-gnu", lambda: zig("x86_64-windows-gnu"), wine64, LEVELS),
    "aarch64-linux": (
        "aarch64-unknown-linux-musl", lambda: zig("aarch64-linux-musl"),
        lambda: qemu("aarch64"), LEVELS),
    # These two flavours' code runs as a Linux program: our downcalls meet our upcalls.
    "aarch64-darwin": (
        "aarch64-apple-darwin", lambda: zig("aarch64-linux-musl"),
        lambda: qemu("aarch64"), ["-O1"]),
    "aarch64-windows": (
        "aarch64-pc-windows-msvc", lambda: zig("aarch64-linux-musl"),
        lambda: qemu("aarch64"), ["-O1"]),
    "arm-linux": (
        "armv7-unknown-linux-musleabihf", lambda: zig("arm-linux-musleabihf"),
        lambda: qemu("arm"), THUMB),
    "x86-linux": ("i686-unknown-linux-musl", lambda: zig("x86-linux-musl"), NATIVE, LEVELS),
    "x86-windows": ("i686-pc-windows-gnu", lambda: zig("x86-windows-gnu"), wine32, LEVELS),
    "x64-linux-gcc": ("x86_64-unknown-linux-gnu", lambda: gcc("gcc", "gcc"), NATIVE, LEVELS),
    "aarch64-linux-gcc": (
        "aarch64-unknown-linux-gnu",
        lambda: gcc("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"),
        lambda: qemu("aarch64"), LEVELS),
    "arm-linux-gcc": (
        "armv7-unknown-linux-gnueabihf",
        lambda: gcc("arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"),
        lambda: qemu("arm"), THUMB),
    "x86-linux-gcc": ("i686-unknown-linux-gnu", gcc32, NATIVE, LEVELS),
}


def check(name, count, seed):
    """Runs a row: (signatures, mismatches) as text, and whether all is well."""
    triple, compiler, runner, flags = ROWS[name]
    words = ["cargo", "run", "-q", "-p", "jit-tests", "--bin", "emulate", "--"]
    words += ["--target", triple, "--cc", compiler(), "--runner", runner()]
    words += ["--count", str(count), "--seed", str(seed), "--directory", str(CACHE / name)]
    words += ["--batch", str(min(250, -(-count // len(flags))))]
    for flag in flags:
        words += ["--flags", flag]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    last = re.search(r"(\d+) signatures in both directions, (\d+) mismatches", done.stdout)
    if not last or done.returncode:
        print(done.stdout, flush=True)
    if not last:
        return "did not run", False
    return f"{last[1]:>6} {last[2]:>10}", done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--list", action="store_true", help="print the rows' names")
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], metavar="ROW")
    options = parser.parse_args()
    if options.list:
        print("\n".join(ROWS))
        return 0
    CACHE.mkdir(parents=True, exist_ok=True)
    rows = options.rows or [row for row in ROWS if not row.endswith("gcc")]
    print(f"seed {options.seed}\n{'row':20} {'tested':>6} {'mismatches':>10} {'s':>6}", flush=True)
    failed = 0
    for name in rows:
        start = time.monotonic()
        try:
            text, well = check(name, options.count, options.seed)
        except (OSError, subprocess.CalledProcessError) as error:
            text, well = f"cannot be prepared: {error}", False
        failed += not well
        print(f"{name:20} {text} {time.monotonic() - start:6.0f}", flush=True)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
