//! C to JavaScript: the same call layout with its ends swapped. Argument locations into cells of
//! a frame on the trampoline's stack, the dispatcher, the result cell into the result location.

use super::{Base, Entry, FrameLayout, Op, Place, Plan};
use crate::abi::{CallLayout, Ext, Location, Passing, Returning};
use crate::target::Target;

/// Builds the plan of an upcall.
///
/// Moves come in the order registers, stack, memory behind pointers: the first ones save what
/// the scratch registers of later ones would overwrite.
pub fn upcall(layout: &CallLayout, frame: &FrameLayout, target: &Target) -> Plan {
    let pointer = target.pointer_size();
    let (mut registers, mut stack, mut behind) = (Vec::new(), Vec::new(), Vec::new());
    let mut locals = 0u8;
    let mut push = |op: Op, loc: Location| match loc {
        Location::Stack(_) => stack.push(op),
        _ => registers.push(op),
    };
    // A pointer to keep: it goes to a local slot.
    let mut keep = |ptr: Location, push: &mut dyn FnMut(Op, Location)| {
        let slot = locals;
        locals += 1;
        let from = Place::of(ptr, Base::In);
        push(Op::Move { from, to: Place::Local(slot), len: pointer, ext: Ext::None }, ptr);
        slot
    };
    let result_slot = match layout.ret {
        Returning::Memory { ptr, .. } => Some(keep(ptr, &mut push)),
        _ => None,
    };
    for (passing, &cell) in layout.args.iter().zip(&frame.args) {
        match passing {
            Passing::Ignore => {}
            Passing::Reference { ptr, size, .. } => {
                let slot = keep(*ptr, &mut push);
                behind.push(Op::Copy {
                    from: (Base::Behind(slot), 0),
                    to: (Base::Frame, cell),
                    len: *size,
                });
            }
            Passing::Value(_) => {
                for piece in passing.distinct() {
                    let to = (Base::Frame, cell + piece.at);
                    let op = match piece.loc {
                        Location::Stack(offset) if piece.len > 8 => {
                            Op::Copy { from: (Base::In, offset), to, len: piece.len }
                        }
                        loc => Op::Move {
                            from: Place::of(loc, Base::In),
                            to: Place::Mem(to.0, to.1),
                            len: piece.len,
                            ext: Ext::None,
                        },
                    };
                    push(op, piece.loc);
                }
            }
        }
    }
    let mut ops = registers;
    ops.append(&mut stack);
    ops.append(&mut behind);
    ops.push(Op::Call);
    match (&layout.ret, result_slot) {
        (Returning::Memory { back, size, .. }, Some(slot)) => {
            let to = (Base::Behind(slot), 0);
            ops.push(Op::Copy { from: (Base::Frame, frame.ret), to, len: *size });
            ops.extend(back.map(|back| Op::Move {
                from: Place::Local(slot),
                to: Place::of(back, Base::In),
                len: pointer,
                ext: Ext::None,
            }));
        }
        (Returning::Value(pieces), _) => ops.extend(pieces.iter().map(|piece| Op::Move {
            from: Place::Mem(Base::Frame, frame.ret + piece.at),
            to: Place::of(piece.loc, Base::In),
            len: piece.len,
            ext: piece.ext,
        })),
        _ => {}
    }
    Plan {
        entry: Entry::Upcall,
        ops,
        out_bytes: dispatcher_home(target),
        stack_align: 16,
        frame_bytes: frame.size,
        frame_align: frame.align,
        locals,
        pops: layout.callee_pops,
    }
}

/// Home space that the dispatcher, a C function of the platform, may use.
fn dispatcher_home(target: &Target) -> u32 {
    use crate::target::{Arch, Os};
    if target.arch == Arch::X64 && target.os == Os::Windows { 32 } else { 0 }
}
