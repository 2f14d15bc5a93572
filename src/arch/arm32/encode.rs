//! Encodings of the A32 instructions that the emitter uses (ARM Architecture Reference Manual,
//! ARMv7-A and ARMv7-R edition, chapters A5, A7 and A8). Everything here exists since ARMv6 with
//! VFPv2.
//!
//! Bit pictures run from bit 31 to bit 0; `cccc` is the condition, `1110` (always) except for
//! branches. Registers are numbers 0 to 15, offsets are signed and must be in range: callers
//! check, `debug_assert` reminds.

/// Stack pointer.
pub const SP: u8 = 13;
/// Link register.
pub const LR: u8 = 14;
/// Program counter: reads as the address of the instruction plus 8.
pub const PC: u8 = 15;

const ALWAYS: u32 = 0xE << 28;

/// A condition of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Zero flag clear.
    Ne = 1,
    /// Always.
    Always = 14,
}

/// A shift of a register operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// Logical left by 0 to 31.
    Left(u8),
    /// Logical right by 1 to 31.
    Right(u8),
}

/// Whether memory is read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Memory to register.
    Load = 1,
    /// Register to memory.
    Store = 0,
}

fn register(number: u8, shift: u32) -> u32 {
    debug_assert!(number < 16, "register {number}");
    u32::from(number) << shift
}

/// The U bit (add the offset) and the magnitude of an offset.
fn up_and_offset(offset: i32, limit: u32) -> (u32, u32) {
    debug_assert!(offset.unsigned_abs() <= limit, "offset {offset}");
    (u32::from(offset >= 0) << 23, offset.unsigned_abs())
}

/// The 12-bit form of a constant that is 8 bits rotated right by an even amount (A5.2.4
/// "Modified immediate constants"): `rrrr iiiiiiii`, the value is `i` rotated right by `2 r`.
pub fn modified_immediate(value: u32) -> Option<u32> {
    (0..16)
        .map(|rotation| (rotation, value.rotate_left(2 * rotation)))
        .find(|&(_, low)| low < 256)
        .map(|(rotation, low)| rotation << 8 | low)
}

/// Cuts a constant into modified immediates whose sum (and bitwise or) it is, low bits first. At
/// most four; one of 0 for 0.
pub fn modified_parts(value: u32) -> Vec<u32> {
    let mut parts = Vec::new();
    let mut left = value;
    while left != 0 {
        let part = left & (0xFF << (left.trailing_zeros() & !1));
        parts.push(part);
        left &= !part;
    }
    if parts.is_empty() {
        parts.push(0);
    }
    parts
}

/// Data processing with a modified immediate (A5.2.3).
///
/// ```text
/// cccc 001 oooo S nnnn dddd iiiiiiiiiiii
/// ```
fn data_immediate(opcode: u32, flags: u32, rd: u8, rn: u8, value: u32) -> u32 {
    let immediate = modified_immediate(value);
    debug_assert!(immediate.is_some(), "constant {value:#x}");
    let immediate = immediate.unwrap_or_default();
    ALWAYS | 1 << 25 | opcode << 21 | flags << 20 | register(rn, 16) | register(rd, 12) | immediate
}

/// Data processing with a shifted register (A5.2.1).
///
/// ```text
/// cccc 000 oooo S nnnn dddd aaaaa tt 0 mmmm
/// ```
fn data_register(opcode: u32, rd: u8, rn: u8, rm: u8, shift: Shift) -> u32 {
    let (kind, amount) = match shift {
        Shift::Left(amount) => (0, amount),
        Shift::Right(amount) => (1, amount),
    };
    debug_assert!(amount < 32 && (kind == 0 || amount > 0), "{shift:?}");
    let shift = u32::from(amount) << 7 | kind << 5;
    ALWAYS | opcode << 21 | register(rn, 16) | register(rd, 12) | shift | register(rm, 0)
}

/// `mov rd, #value` (opcode 1101, Rn 0).
pub fn mov_immediate(rd: u8, value: u32) -> u32 {
    data_immediate(0b1101, 0, rd, 0, value)
}

/// `add rd, rn, #value` (opcode 0100).
pub fn add_immediate(rd: u8, rn: u8, value: u32) -> u32 {
    data_immediate(0b0100, 0, rd, rn, value)
}

/// `sub rd, rn, #value` (opcode 0010).
pub fn sub_immediate(rd: u8, rn: u8, value: u32) -> u32 {
    data_immediate(0b0010, 0, rd, rn, value)
}

/// `subs rd, rn, #value` (opcode 0010, S): sets the flags.
pub fn subs_immediate(rd: u8, rn: u8, value: u32) -> u32 {
    data_immediate(0b0010, 1, rd, rn, value)
}

/// `orr rd, rn, #value` (opcode 1100).
pub fn orr_immediate(rd: u8, rn: u8, value: u32) -> u32 {
    data_immediate(0b1100, 0, rd, rn, value)
}

/// `bic rd, rn, #value` (opcode 1110): clears bits.
pub fn bic_immediate(rd: u8, rn: u8, value: u32) -> u32 {
    data_immediate(0b1110, 0, rd, rn, value)
}

/// `mov rd, rm`, shifted: with a shift of 0 a plain copy, else `lsl` or `lsr` (opcode 1101, Rn 0).
pub fn mov_register(rd: u8, rm: u8, shift: Shift) -> u32 {
    data_register(0b1101, rd, 0, rm, shift)
}

/// `add rd, rn, rm` (opcode 0100).
pub fn add_register(rd: u8, rn: u8, rm: u8) -> u32 {
    data_register(0b0100, rd, rn, rm, Shift::Left(0))
}

/// `orr rd, rn, rm`, shifted (opcode 1100).
pub fn orr_register(rd: u8, rn: u8, rm: u8, shift: Shift) -> u32 {
    data_register(0b1100, rd, rn, rm, shift)
}

/// `ldr`, `str`, `ldrb`, `strb` with an offset up to 4095 either way (A5.3, A8.8.63).
///
/// ```text
/// cccc 010 1 U B 0 L nnnn tttt iiiiiiiiiiii
/// ```
fn single(direction: Direction, byte: u32, rt: u8, rn: u8, offset: i32) -> u32 {
    let (up, offset) = up_and_offset(offset, 4095);
    let bits = 0b0101 << 24 | up | byte << 22 | (direction as u32) << 20;
    ALWAYS | bits | register(rn, 16) | register(rt, 12) | offset
}

/// `ldr rt, [rn, #offset]` or `str`.
pub fn word(direction: Direction, rt: u8, rn: u8, offset: i32) -> u32 {
    single(direction, 0, rt, rn, offset)
}

/// `ldrb rt, [rn, #offset]` or `strb`.
pub fn byte(direction: Direction, rt: u8, rn: u8, offset: i32) -> u32 {
    single(direction, 1, rt, rn, offset)
}

/// `ldr rt, [rn], #offset` or `str`: the address is `rn`, which `offset` is then added to. `rt`
/// and `rn` must differ.
///
/// ```text
/// cccc 010 0 U 0 0 L nnnn tttt iiiiiiiiiiii
/// ```
pub fn word_post_indexed(direction: Direction, rt: u8, rn: u8, offset: i32) -> u32 {
    debug_assert!(rt != rn, "unpredictable");
    let (up, offset) = up_and_offset(offset, 4095);
    let bits = 0b0100 << 24 | up | (direction as u32) << 20;
    ALWAYS | bits | register(rn, 16) | register(rt, 12) | offset
}

/// Halfwords and sign-extended loads with an offset up to 255 either way (A5.2.8, A8.8.80).
///
/// ```text
/// cccc 000 1 U 1 0 L nnnn tttt hhhh 1 s w 1 llll
/// ```
fn extra(direction: Direction, kind: u32, rt: u8, rn: u8, offset: i32) -> u32 {
    let (up, offset) = up_and_offset(offset, 255);
    let bits = 0b0001 << 24 | up | 1 << 22 | (direction as u32) << 20 | 0b1001 << 4 | kind << 5;
    let offset = (offset >> 4) << 8 | offset & 15;
    ALWAYS | bits | register(rn, 16) | register(rt, 12) | offset
}

/// `ldrh rt, [rn, #offset]` or `strh` (s 0, w 1).
pub fn halfword(direction: Direction, rt: u8, rn: u8, offset: i32) -> u32 {
    extra(direction, 0b01, rt, rn, offset)
}

/// `ldrsb rt, [rn, #offset]` (s 1, w 0).
pub fn load_signed_byte(rt: u8, rn: u8, offset: i32) -> u32 {
    extra(Direction::Load, 0b10, rt, rn, offset)
}

/// `ldrsh rt, [rn, #offset]` (s 1, w 1).
pub fn load_signed_halfword(rt: u8, rn: u8, offset: i32) -> u32 {
    extra(Direction::Load, 0b11, rt, rn, offset)
}

/// `push {registers}`, which is `stmdb sp!`: a bit per register (A8.8.133).
///
/// ```text
/// cccc 100 1 0 0 1 0 1101 rrrrrrrrrrrrrrrr
/// ```
pub fn push(registers: u16) -> u32 {
    ALWAYS | 0b1001_0010 << 20 | register(SP, 16) | u32::from(registers)
}

/// `pop {registers}`, which is `ldmia sp!`; a popped pc changes to Thumb code if its bit 0 says so
/// (A8.8.131).
///
/// ```text
/// cccc 100 0 1 0 1 1 1101 rrrrrrrrrrrrrrrr
/// ```
pub fn pop(registers: u16) -> u32 {
    ALWAYS | 0b1000_1011 << 20 | register(SP, 16) | u32::from(registers)
}

/// `b` to `distance` bytes from this instruction, a multiple of 4 (A8.8.18).
///
/// ```text
/// cccc 101 0 iiiiiiiiiiiiiiiiiiiiiiii        i = (distance - 8) / 4
/// ```
pub fn branch(condition: Condition, distance: i32) -> u32 {
    debug_assert!(distance % 4 == 0 && (-(1 << 25)..1 << 25).contains(&(distance - 8)));
    (condition as u32) << 28 | 0b1010 << 24 | ((distance - 8) >> 2) as u32 & 0x00FF_FFFF
}

/// `blx rm`: calls ARM or Thumb code (A8.8.26).
///
/// ```text
/// cccc 0001 0010 1111 1111 1111 0011 mmmm
/// ```
pub fn call_register(rm: u8) -> u32 {
    ALWAYS | 0x012F_FF30 | register(rm, 0)
}

/// The bits of a VFP register's number: a single is `Vx:X` (four bits, then one), a double below
/// d16 is `0:Vx`. `single` is the number of a single register, or twice the double's.
fn vfp_register(single: u8, double: bool, vx: u32, x: u32) -> u32 {
    debug_assert!(single < 32 && !(double && single % 2 == 1), "s{single}");
    let number = u32::from(single);
    number >> 1 << vx | (number & 1) << x | u32::from(double) << 8
}

/// `vldr` or `vstr` of a single register, or of the double register that starts at an even one,
/// with a multiple of 4 up to 1020 either way (A7.6, A8.8.333). The address must be a multiple
/// of 4.
///
/// ```text
/// cccc 1101 U D 0 L nnnn dddd 101 z iiiiiiii     z: double; i = offset / 4
/// ```
pub fn vfp_memory(direction: Direction, double: bool, single: u8, rn: u8, offset: i32) -> u32 {
    debug_assert!(offset % 4 == 0, "offset {offset}");
    let (up, offset) = up_and_offset(offset, 1020);
    let bits = 0b1101 << 24 | up | (direction as u32) << 20 | 0b1010 << 8;
    ALWAYS | bits | vfp_register(single, double, 12, 22) | register(rn, 16) | offset >> 2
}

/// `vmov rt, sN` (`Load`) or `vmov sN, rt` (`Store`), as seen from the core register (A8.8.343).
///
/// ```text
/// cccc 1110 000 L nnnn tttt 1010 N 001 0000
/// ```
pub fn vmov_single(direction: Direction, rt: u8, single: u8) -> u32 {
    let bits = 0b1110 << 24 | (direction as u32) << 20 | 0b1010 << 8 | 1 << 4;
    ALWAYS | bits | vfp_register(single, false, 16, 7) | register(rt, 12)
}

/// `vmov rt, rt2, dN` (`Load`) or `vmov dN, rt, rt2` (`Store`), as seen from the core registers;
/// `single` is 2 N (A8.8.345).
///
/// ```text
/// cccc 1100 010 L uuuu tttt 1011 00 M 1 mmmm     u: rt2, the high word
/// ```
pub fn vmov_double(direction: Direction, rt: u8, rt2: u8, single: u8) -> u32 {
    let bits = 0b1100_0100 << 20 | (direction as u32) << 20 | 0b1010 << 8 | 1 << 4;
    ALWAYS | bits | vfp_register(single, true, 0, 5) | register(rt2, 16) | register(rt, 12)
}
