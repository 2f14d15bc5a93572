//! What the emitter refuses, and moves that no classifier asks for today. What the emitted code
//! is and does, jit-tests checks with a decoder and a CPU.

use super::*;
use crate::abi::Ext;
use crate::arch::support::MAX_STACK;
use crate::plan::Place;
use crate::target::{Arch, Toolchain};

const LINUX: Target = Target::new(Arch::X64, Os::Linux, Toolchain::Gnu);
const WINDOWS: Target = Target::new(Arch::X64, Os::Windows, Toolchain::Msvc);

fn plan(entry: Entry, ops: &[Op]) -> Plan {
    Plan {
        entry,
        ops: ops.to_vec(),
        out_bytes: 32,
        stack_align: 16,
        frame_bytes: 64,
        frame_align: 16,
        locals: u8::from(entry == Entry::Upcall) * 2,
        pops: 0,
    }
}

fn mov(from: Place, to: Place, len: u32, ext: Ext) -> Op {
    Op::Move { from, to, len, ext }
}

const FRAME: Place = Place::Mem(Base::Frame, 8);

fn code_of(target: &Target, plan: &Plan) -> Option<Code> {
    emit(plan, target).err().map(|error| error.code)
}

#[test]
fn registers_that_must_keep_their_values_are_not_written() {
    for register in 0..16 {
        let load = plan(Entry::Direct, &[mov(FRAME, Place::Int(register), 8, Ext::None)]);
        let scratch = matches!(register, 0 | 1 | 2 | 8 | 9);
        let argument = matches!(register, RSI | RDI);
        assert_eq!(emit(&load, &LINUX).is_ok(), scratch || argument, "{register}");
        assert_eq!(emit(&load, &WINDOWS).is_ok(), scratch, "{register}");
        let address = Op::Address { of: (Base::Frame, 0), to: Place::Int(register) };
        let address = plan(Entry::Direct, &[address]);
        assert_eq!(emit(&address, &LINUX).is_ok(), scratch || argument, "{register}");
        let load = plan(Entry::Direct, &[mov(FRAME, Place::Fp(register), 8, Ext::None)]);
        assert!(emit(&load, &LINUX).is_ok(), "{register}");
        assert_eq!(emit(&load, &WINDOWS).is_ok(), register < 6, "{register}");
    }
}

#[test]
fn places_of_the_wrong_direction_are_refused() {
    let at = |base| Place::Mem(base, 0);
    let cases = [
        (Entry::Direct, mov(at(Base::In), Place::Int(RAX), 8, Ext::None)),
        (Entry::Upcall, mov(Place::Int(RAX), at(Base::Out), 8, Ext::None)),
        (Entry::Direct, mov(Place::Int(RAX), Place::Local(0), 8, Ext::None)),
        (Entry::Upcall, mov(Place::Int(RAX), Place::Local(2), 8, Ext::None)),
        (Entry::Upcall, mov(at(Base::Behind(2)), FRAME, 8, Ext::None)),
        (Entry::Upcall, mov(at(Base::Behind(0)), at(Base::Behind(1)), 8, Ext::None)),
        (Entry::Upcall, mov(FRAME, Place::X87(1), 8, Ext::None)),
        (Entry::Direct, mov(FRAME, Place::Int(RAX), 9, Ext::None)),
        (Entry::Direct, mov(FRAME, Place::Int(RAX), 0, Ext::None)),
        (Entry::Direct, mov(FRAME, Place::Int(RAX), 3, Ext::Sign(4))),
        (Entry::Direct, mov(FRAME, Place::Int(RAX), 3, Ext::Zero(4))),
    ];
    for (entry, op) in cases {
        assert_eq!(code_of(&LINUX, &plan(entry, &[op])), Some(Code::Internal), "{entry:?} {op:?}");
    }
    let unknown = [
        mov(Place::Int(RAX), Place::Int(RCX), 8, Ext::None),
        mov(FRAME, Place::X87(0), 10, Ext::None),
        mov(Place::X87(0), FRAME, 10, Ext::None),
    ];
    for op in unknown {
        let code = code_of(&LINUX, &plan(Entry::Direct, &[op]));
        assert_eq!(code, Some(Code::UnsupportedAbi), "{op:?}");
    }
    let twice = plan(Entry::Direct, &[Op::Call, Op::Call]);
    assert_eq!(code_of(&LINUX, &twice), Some(Code::Internal));
    let pops = Plan { pops: 0x8000, ..plan(Entry::Upcall, &[Op::Call]) };
    assert_eq!(code_of(&LINUX, &pops), Some(Code::Internal));
}

#[test]
fn offsets_out_of_reach_are_refused() {
    let far = Place::Mem(Base::Frame, i32::MAX as u32 - 7);
    let load = |len| plan(Entry::Direct, &[mov(far, Place::Int(RAX), len, Ext::None)]);
    assert_eq!(code_of(&LINUX, &load(7)), None);
    assert_eq!(code_of(&LINUX, &load(8)), Some(Code::InvalidType));
    for huge in [MAX_STACK + 16, u32::MAX - 63, u32::MAX - 15] {
        let out = Plan { out_bytes: huge, ..plan(Entry::Direct, &[Op::Call]) };
        assert_eq!(code_of(&LINUX, &out), Some(Code::InvalidType), "{huge}");
        let frame = Plan { frame_bytes: huge, ..plan(Entry::Upcall, &[Op::Call]) };
        assert_eq!(code_of(&LINUX, &frame), Some(Code::InvalidType), "{huge}");
    }
}

#[test]
fn code_contains_x87_moves() {
    let contains = |op, bytes: &[u8]| {
        let code = emit(&plan(Entry::Direct, &[op]), &LINUX).expect("code").code;
        code.windows(bytes.len()).any(|window| window == bytes)
    };
    // D9 for 4 and DD for 8 bytes, /0 for fld and /3 for fstp, of [rbx + 8].
    let (fld, fstp, rbx, offset) = (0x84, 0x9c, 0x23, 8);
    for (len, opcode) in [(4, 0xd9), (8, 0xdd)] {
        let load = mov(FRAME, Place::X87(0), len, Ext::None);
        assert!(contains(load, &[opcode, fld, rbx, offset, 0, 0, 0]), "{len}");
        let store = mov(Place::X87(0), FRAME, len, Ext::None);
        assert!(contains(store, &[opcode, fstp, rbx, offset, 0, 0, 0]), "{len}");
    }
}
