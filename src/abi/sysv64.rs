//! System V AMD64 (System V ABI, AMD64 Architecture Processor Supplement, 1.0, section 3.2.3).

use super::cursor::{Registers, StackArea};
use super::{Abi, CallLayout, Ext, Location, Passing, Piece, Returning};
use crate::target::{DataModel, Target};
use crate::types::{Signature, Type};

const INT_ARGS: [u8; 6] = [7, 6, 2, 1, 8, 9]; // rdi rsi rdx rcx r8 r9
const FP_ARGS: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 7]; // xmm0..7
const INT_RETS: [u8; 2] = [0, 2]; // rax rdx
const FP_RETS: [u8; 2] = [0, 1]; // xmm0 xmm1
const STACK_ALIGN: u32 = 16;

/// The class of an eightbyte; MEMORY is the absence of a classification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Integer,
    Sse,
}

/// An eightbyte of a value: its class and how many of its bytes are the value's.
#[derive(Clone, Copy, Debug)]
struct Eightbyte {
    class: Class,
    at: u32,
    len: u32,
}

/// Step one: the eightbytes of a value that may travel in registers, or None for class MEMORY.
fn eightbytes(ty: &Type, model: &DataModel) -> Option<Vec<Eightbyte>> {
    let size = ty.size(model);
    // "If the size of an object is larger than two eightbytes [and not a vector], or it contains
    // unaligned fields, it has class MEMORY."
    if size > 16 {
        return None;
    }
    let mut classes = [None::<Class>; 2];
    let aligned = ty.leaves(0, model, &mut |at, scalar| {
        let class = &mut classes[(at / 8) as usize];
        *class = match (scalar.is_float(), *class) {
            (true, None | Some(Class::Sse)) => Some(Class::Sse),
            _ => Some(Class::Integer),
        };
        at % scalar.align(model) == 0
    });
    if !aligned {
        return None;
    }
    // An eightbyte of padding alone keeps class NO_CLASS and takes no register.
    let eightbyte = |(i, class): (u32, Option<Class>)| {
        let at = i * 8;
        class.map(|class| Eightbyte { class, at, len: (size - at).min(8) })
    };
    Some((0..).zip(classes).filter_map(eightbyte).collect())
}

/// Narrow integers are extended to 32 bits: not in the ABI's text, but clang relies on it in
/// callees, and every compiler does it in callers.
fn extension(ty: &Type) -> Ext {
    Ext::widen(ty, 4)
}

/// Gives each eightbyte the next register of its class; all or none.
fn in_registers(
    eightbytes: &[Eightbyte],
    ext: Ext,
    ints: &mut Registers,
    fps: &mut Registers,
) -> Option<Vec<Piece>> {
    let of = |class| eightbytes.iter().filter(|e| e.class == class).count();
    if of(Class::Integer) > ints.left() || of(Class::Sse) > fps.left() {
        return None;
    }
    eightbytes
        .iter()
        .map(|&Eightbyte { class, at, len }| {
            let loc = match class {
                Class::Integer => Location::Int(ints.take()?),
                Class::Sse => Location::Fp(fps.take()?),
            };
            Some(Piece { at, len, ext, loc })
        })
        .collect()
}

/// Classifies a signature. `target` must be an x86-64 System V target.
pub(super) fn classify(target: &Target, signature: &Signature) -> CallLayout {
    let model = &target.model;
    let mut ints = Registers::new(&INT_ARGS);
    let mut fps = Registers::new(&FP_ARGS);
    let mut area = StackArea::new(0);

    // The result first: a hidden pointer takes rdi.
    let ret = match eightbytes(&signature.ret, model) {
        Some(list) if list.is_empty() => Returning::Void,
        Some(list) => {
            let (mut ints, mut fps) = (Registers::new(&INT_RETS), Registers::new(&FP_RETS));
            let pieces = in_registers(&list, extension(&signature.ret), &mut ints, &mut fps);
            Returning::Value(pieces.unwrap_or_default())
        }
        None => Returning::Memory {
            ptr: Location::Int(ints.take().unwrap_or(INT_ARGS[0])),
            back: Some(Location::Int(INT_RETS[0])),
            size: signature.ret.size(model),
        },
    };

    let args = signature
        .params
        .iter()
        .map(|ty| {
            let (size, ext) = (ty.size(model), extension(ty));
            let eightbytes = eightbytes(ty, model);
            if eightbytes.as_ref().is_some_and(Vec::is_empty) {
                return Passing::Ignore; // GNU C's empty struct
            }
            let registers =
                eightbytes.and_then(|list| in_registers(&list, ext, &mut ints, &mut fps));
            Passing::Value(registers.unwrap_or_else(|| {
                let loc = area.take(size.next_multiple_of(8), ty.align(model).max(8));
                vec![Piece { at: 0, len: size, ext, loc }]
            }))
        })
        .collect();

    CallLayout {
        abi: Abi::SysV64,
        args,
        ret,
        stack_bytes: area.bytes(),
        stack_align: STACK_ALIGN.max(area.max_align()),
        home_bytes: 0,
        callee_pops: 0,
        vector_count: signature.fixed.map(|_| fps.used() as u8),
    }
}
