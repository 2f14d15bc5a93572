//! JavaScript to C: cells of the frame into argument locations, the result into its cell.

use super::{Base, Entry, FrameLayout, Op, Place, Plan};
use crate::abi::{CallLayout, Ext, Location, Passing, Returning};

/// Builds the plan of a downcall. With `errno`, the thread's errno is saved right after the call.
///
/// Moves come in the order stack, vector registers, integer registers: only the last ones can
/// hold what an emitter needs as scratch.
pub fn downcall(layout: &CallLayout, frame: &FrameLayout, entry: Entry, errno: bool) -> Plan {
    let (mut stack, mut fps, mut ints) = (Vec::new(), Vec::new(), Vec::new());
    let mut push = |op: Op, loc: Location| match loc {
        Location::Stack(_) => stack.push(op),
        Location::Fp(_) | Location::X87(_) => fps.push(op),
        Location::Int(_) => ints.push(op),
    };
    if let Returning::Memory { ptr, .. } = layout.ret {
        let to = Place::of(ptr, Base::Out);
        push(Op::Address { of: (Base::Frame, frame.ret), to }, ptr);
    }
    for (passing, &cell) in layout.args.iter().zip(&frame.args) {
        match passing {
            Passing::Ignore => {}
            Passing::Reference { ptr, .. } => {
                let to = Place::of(*ptr, Base::Out);
                push(Op::Address { of: (Base::Frame, cell), to }, *ptr);
            }
            Passing::Value(pieces) => {
                for piece in pieces {
                    let from = (Base::Frame, cell + piece.at);
                    let op = match piece.loc {
                        Location::Stack(offset) if piece.len > 8 => {
                            Op::Copy { from, to: (Base::Out, offset), len: piece.len }
                        }
                        loc => Op::Move {
                            from: Place::Mem(from.0, from.1),
                            to: Place::of(loc, Base::Out),
                            len: piece.len,
                            ext: piece.ext,
                        },
                    };
                    push(op, piece.loc);
                }
            }
        }
    }
    let mut ops = stack;
    ops.append(&mut fps);
    ops.append(&mut ints);
    ops.extend(layout.vector_count.map(Op::VectorCount));
    ops.push(Op::Call);
    if let Returning::Value(pieces) = &layout.ret {
        ops.extend(pieces.iter().map(|piece| Op::Move {
            from: Place::of(piece.loc, Base::Out),
            to: Place::Mem(Base::Frame, frame.ret + piece.at),
            len: piece.len,
            ext: Ext::None,
        }));
    }
    if errno {
        ops.push(Op::SaveErrno { to: frame.errno });
    }
    Plan {
        entry,
        ops,
        out_bytes: layout.stack_bytes.next_multiple_of(layout.stack_align),
        stack_align: layout.stack_align,
        frame_bytes: frame.size,
        frame_align: frame.align,
        locals: 0,
        pops: 0,
    }
}
