//! The arm32 encoder against LLVM's assembler: every instruction over thousands of operand
//! choices, in one run of `llvm-mc`.

mod listing;

use ffi_jit::arch::arm32::encode::{self, Condition, Direction, Shift};

const LLVM: [&str; 3] = ["--triple=armv7-linux-gnueabihf", "--mattr=+vfp2", "--show-encoding"];

const REGISTERS: [&str; 16] = [
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp", "lr",
    "pc",
];

/// A number for every case, the same in each run: xorshift64*.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit
    }

    /// Any register but pc, whose use mostly is unpredictable.
    fn register(&mut self) -> u8 {
        self.below(15) as u8
    }

    /// A signed offset whose magnitude is at most `limit` and a multiple of `step`; the ends more
    /// often.
    fn offset(&mut self, limit: u32, step: u32) -> i32 {
        let magnitude = match self.below(6) {
            0 => 0,
            1 => limit,
            _ => self.below(limit + 1),
        };
        let magnitude = (magnitude / step * step) as i32;
        if self.below(2) == 0 { magnitude } else { -magnitude }
    }
}

fn name(register: u8) -> &'static str {
    REGISTERS[usize::from(register)]
}

fn memory(base: u8, offset: i32) -> String {
    format!("[{}, #{offset}]", name(base))
}

fn list(registers: u16) -> String {
    let names: Vec<_> = (0..16).filter(|n| registers >> n & 1 == 1).map(name).collect();
    format!("{{{}}}", names.join(", "))
}

fn vfp(single: u8, double: bool) -> String {
    if double { format!("d{}", single / 2) } else { format!("s{single}") }
}

/// (assembly text, our encoding) of every case.
fn cases() -> Vec<(String, u32)> {
    use encode as e;
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let n = &mut numbers;
    let mut cases = Vec::new();

    type Immediate = fn(u8, u8, u32) -> u32;
    let immediates: [(&str, Immediate); 5] = [
        ("add", e::add_immediate),
        ("sub", e::sub_immediate),
        ("subs", e::subs_immediate),
        ("orr", e::orr_immediate),
        ("bic", e::bic_immediate),
    ];
    // Every modified immediate there is.
    for rotation in 0..16u32 {
        for low in 0..256u32 {
            let value = low.rotate_right(2 * rotation);
            let (rd, rn) = (n.register(), n.register());
            cases.push((format!("mov {}, #{value}", name(rd)), e::mov_immediate(rd, value)));
            let (mnemonic, encode) = immediates[(low % 5) as usize];
            let text = format!("{mnemonic} {}, {}, #{value}", name(rd), name(rn));
            cases.push((text, encode(rd, rn, value)));
        }
    }

    for amount in 0..32u8 {
        for _ in 0..12 {
            let (rd, rn, rm) = (n.register(), n.register(), n.register());
            let (d, a, m) = (name(rd), name(rn), name(rm));
            cases.push((format!("add {d}, {a}, {m}"), e::add_register(rd, rn, rm)));
            let left = Shift::Left(amount);
            if amount == 0 {
                cases.push((format!("mov {d}, {m}"), e::mov_register(rd, rm, left)));
                cases.push((format!("orr {d}, {a}, {m}"), e::orr_register(rd, rn, rm, left)));
                continue;
            }
            let right = Shift::Right(amount);
            cases.push((format!("lsl {d}, {m}, #{amount}"), e::mov_register(rd, rm, left)));
            cases.push((format!("lsr {d}, {m}, #{amount}"), e::mov_register(rd, rm, right)));
            let orr = |kind| format!("orr {d}, {a}, {m}, {kind} #{amount}");
            cases.push((orr("lsl"), e::orr_register(rd, rn, rm, left)));
            cases.push((orr("lsr"), e::orr_register(rd, rn, rm, right)));
        }
    }
    for rd in 0..15 {
        let text = format!("add {}, pc, {}", name(rd), name(rd));
        cases.push((text, e::add_register(rd, encode::PC, rd)));
    }

    use Direction::{Load, Store};
    type Access = fn(Direction, u8, u8, i32) -> u32;
    let accesses: [(&str, Direction, Access, u32); 6] = [
        ("ldr", Load, e::word, 4095),
        ("str", Store, e::word, 4095),
        ("ldrb", Load, e::byte, 4095),
        ("strb", Store, e::byte, 4095),
        ("ldrh", Load, e::halfword, 255),
        ("strh", Store, e::halfword, 255),
    ];
    for _ in 0..400 {
        for (mnemonic, direction, encode, limit) in accesses {
            let (rt, rn, offset) = (n.register(), n.register(), n.offset(limit, 1));
            let text = format!("{mnemonic} {}, {}", name(rt), memory(rn, offset));
            cases.push((text, encode(direction, rt, rn, offset)));
        }
        let (rt, rn, offset) = (n.register(), n.register(), n.offset(255, 1));
        let (t, at) = (name(rt), memory(rn, offset));
        cases.push((format!("ldrsb {t}, {at}"), e::load_signed_byte(rt, rn, offset)));
        cases.push((format!("ldrsh {t}, {at}"), e::load_signed_halfword(rt, rn, offset)));
    }
    for rt in (0..16).filter(|&rt| rt != encode::SP) {
        let offset = n.offset(4095, 1);
        let text = format!("ldr {}, {}", name(rt), memory(encode::PC, offset));
        cases.push((text, e::word(Load, rt, encode::PC, offset)));
    }
    for rn in 0..15 {
        let text = format!("ldr pc, {}", memory(rn, 0));
        cases.push((text, e::word(Load, encode::PC, rn, 0)));
    }
    for _ in 0..200 {
        let (rt, rn, offset) = (n.register(), n.register(), n.offset(4095, 1));
        if rt != rn {
            for (mnemonic, direction) in [("ldr", Load), ("str", Store)] {
                let text = format!("{mnemonic} {}, [{}], #{offset}", name(rt), name(rn));
                cases.push((text, e::word_post_indexed(direction, rt, rn, offset)));
            }
        }
    }

    for _ in 0..300 {
        // Two registers at least: LLVM writes a list of one as `str` or `ldr` with writeback.
        let registers = n.next() as u16 & 0x5FFF | 0x0011;
        cases.push((format!("push {}", list(registers)), e::push(registers)));
        let registers = registers & !(1 << encode::LR);
        cases.push((format!("pop {}", list(registers)), e::pop(registers)));
        let registers = registers | 1 << encode::PC;
        cases.push((format!("pop {}", list(registers)), e::pop(registers)));
    }

    for _ in 0..300 {
        let distance = (n.offset((1 << 23) - 2, 1)) * 4;
        // LLVM counts from pc, 8 bytes further.
        let offset = distance - 8;
        cases.push((format!("b #{offset}"), e::branch(Condition::Always, distance)));
        cases.push((format!("bne #{offset}"), e::branch(Condition::Ne, distance)));
    }
    for rm in 0..15 {
        cases.push((format!("blx {}", name(rm)), e::call_register(rm)));
    }

    for single in 0..32u8 {
        for _ in 0..20 {
            let (rn, offset) = (n.register(), n.offset(1020, 4));
            for double in [false, true] {
                if double && single % 2 == 1 {
                    continue;
                }
                let register = vfp(single, double);
                for (mnemonic, direction) in [("vldr", Load), ("vstr", Store)] {
                    let text = format!("{mnemonic} {register}, {}", memory(rn, offset));
                    cases.push((text, e::vfp_memory(direction, double, single, rn, offset)));
                }
            }
        }
        for rt in 0..15 {
            let s = vfp(single, false);
            cases.push((format!("vmov {}, {s}", name(rt)), e::vmov_single(Load, rt, single)));
            cases.push((format!("vmov {s}, {}", name(rt)), e::vmov_single(Store, rt, single)));
            let (rt2, d) = ((rt + 1 + single / 2) % 15, vfp(single, true));
            if single % 2 == 0 && rt2 != rt {
                let pair = format!("{}, {}", name(rt), name(rt2));
                let double = |direction| e::vmov_double(direction, rt, rt2, single);
                cases.push((format!("vmov {pair}, {d}"), double(Load)));
                cases.push((format!("vmov {d}, {pair}"), double(Store)));
            }
        }
    }
    cases
}

#[test]
fn encodings_are_llvms() {
    let cases = cases();
    assert!(cases.len() > 10_000, "{}", cases.len());
    let input: String = cases.iter().map(|(text, _)| format!("{text}\n")).collect();
    let Some(output) = listing::llvm_mc(&LLVM, &input) else { return };
    // "  add r0, r1, #2   @ encoding: [0x02,0x00,0x81,0xe2]"
    let encodings: Vec<u32> = output
        .lines()
        .filter_map(|line| line.split_once("encoding: [")?.1.strip_suffix(']'))
        .map(|bytes| {
            let byte = |text: &str| u32::from_str_radix(text.trim_start_matches("0x"), 16);
            bytes.rsplit(',').fold(0, |word, text| word << 8 | byte(text).expect("a byte"))
        })
        .collect();
    assert_eq!(encodings.len(), cases.len(), "llvm-mc answers every line");
    let wrong: Vec<String> = cases
        .iter()
        .zip(&encodings)
        .filter(|((_, ours), llvms)| ours != *llvms)
        .map(|((text, ours), llvms)| format!("{text}: ours {ours:08x}, LLVM's {llvms:08x}"))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn constants_are_cut_into_modified_immediates() {
    assert_eq!(encode::modified_immediate(0xFF), Some(0x0FF));
    assert_eq!(encode::modified_immediate(0x3FC), Some(0xFFF));
    assert_eq!(encode::modified_immediate(0xF000_000F), Some(0x2FF));
    assert_eq!(encode::modified_immediate(0x101), None);
    assert_eq!(encode::modified_parts(0), [0]);
    assert_eq!(encode::modified_parts(0x1234), [0x234, 0x1000]);
    let mut numbers = Numbers(7);
    for _ in 0..100_000 {
        let value = numbers.next() >> numbers.below(32);
        let parts = encode::modified_parts(value);
        assert!(parts.len() <= 4, "{value:#x}");
        assert!(parts.iter().all(|&part| encode::modified_immediate(part).is_some()), "{value:#x}");
        assert_eq!(parts.iter().fold(0, |sum, part| sum | part), value);
        assert_eq!(parts.iter().map(|&part| u64::from(part)).sum::<u64>(), u64::from(value));
    }
}
