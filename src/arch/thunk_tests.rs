//! Golden code of thunks, on any host. What they do, the suites in js/test/tier show.

use super::emit_thunk;
use crate::abi::classify;
use crate::error::Code;
use crate::plan::{Crossing, Form, Thunk};
use crate::target::{Arch, Os, Target, Toolchain};
use crate::types::parse_signature;

const X64: Target = Target::new(Arch::X64, Os::Linux, Toolchain::Gnu);
const ARM64: Target = Target::new(Arch::Aarch64, Os::Linux, Toolchain::Gnu);

fn thunk(target: &Target, text: &str, forms: &[Form], result: Form) -> Thunk {
    let signature = parse_signature(text, &target.model).expect(text);
    let callee = classify(target, &signature).expect(text);
    let crossing = Crossing { signature: &signature, callee: &callee, forms, result };
    crossing.thunk(target, false, false).expect(text)
}

fn words(code: &[u8]) -> Vec<u32> {
    code.chunks(4).map(|word| u32::from_le_bytes(word.try_into().expect("a word"))).collect()
}

#[test]
fn integers_shift_and_the_thunk_jumps() {
    let forms = [Form::Int32, Form::Int32];
    let made = thunk(&X64, "(i32, i32) -> i32", &forms, Form::Int32);
    let code = emit_thunk(&made, &X64).expect("code").code;
    let expected: &[&[u8]] = &[
        &[0xf3, 0x0f, 0x1e, 0xfa],       // endbr64
        &[0x66, 0x49, 0x0f, 0x7e, 0xc2], // movq r10, xmm0
        &[0x40, 0x89, 0xf7],             // mov edi, esi
        &[0x40, 0x89, 0xd6],             // mov esi, edx
        &[0x41, 0xff, 0x62, 0x08],       // jmp [r10 + 8]
    ];
    assert_eq!(code, expected.concat());

    let made = thunk(&ARM64, "(i32, i32) -> i32", &forms, Form::Int32);
    let code = emit_thunk(&made, &ARM64).expect("code").code;
    let expected = [
        0xd503_245f, // bti c
        0x9e66_0010, // fmov x16, d0
        0x2a01_03e0, // mov w0, w1
        0x2a02_03e1, // mov w1, w2
        0xf940_0611, // ldr x17, [x16, 8]
        0xd61f_0220, // br x17
    ];
    assert_eq!(words(&code), expected);
}

#[test]
fn narrow_results_are_widened_behind_a_call() {
    let made = thunk(&X64, "(u8) -> i16", &[Form::Int32], Form::Int32);
    let code = emit_thunk(&made, &X64).expect("code").code;
    let expected: &[&[u8]] = &[
        &[0xf3, 0x0f, 0x1e, 0xfa],       // endbr64
        &[0x55],                         // push rbp
        &[0x48, 0x89, 0xe5],             // mov rbp, rsp
        &[0x66, 0x49, 0x0f, 0x7e, 0xc2], // movq r10, xmm0
        &[0x40, 0x0f, 0xb6, 0xfe],       // movzx edi, sil
        &[0x41, 0xff, 0x52, 0x08],       // call [r10 + 8]
        &[0x0f, 0xbf, 0xc0],             // movsx eax, ax
        &[0xc9],                         // leave
        &[0xc3],                         // ret
    ];
    assert_eq!(code, expected.concat());

    let made = thunk(&ARM64, "(u8) -> i16", &[Form::Int32], Form::Int32);
    let code = emit_thunk(&made, &ARM64).expect("code").code;
    let expected = [
        0xd503_245f, // bti c
        0xa9bf_7bfd, // stp x29, x30, [sp, -16]!
        0x9100_03fd, // mov x29, sp
        0x9e66_0010, // fmov x16, d0
        0xd100_83ff, // sub sp, sp, 32
        0x2a01_03e0, // mov w0, w1: the callee extends
        0xf940_0611, // ldr x17, [x16, 8]
        0xd63f_0220, // blr x17
        0x1300_3c00, // sxth w0, w0
        0x9100_03bf, // mov sp, x29
        0xa8c1_7bfd, // ldp x29, x30, [sp], 16
        0xd65f_03c0, // ret
    ];
    assert_eq!(words(&code), expected);
}

#[test]
fn a_thunk_without_a_frame_has_nothing_to_unwind() {
    let made = thunk(&X64, "(f64) -> f64", &[Form::Float64], Form::Float64);
    let blob = emit_thunk(&made, &X64).expect("code");
    assert_eq!(usize::from(blob.unwind.pushed_fp), blob.code.len());
    assert!(blob.unwind.saved.is_empty());
}

#[test]
fn what_thunks_do_not_do_is_refused() {
    let made = thunk(&X64, "() -> void", &[], Form::Void);
    for (arch, os) in
        [(Arch::X64, Os::Windows), (Arch::X86, Os::Linux), (Arch::Aarch64, Os::Darwin)]
    {
        let target = Target::new(arch, os, Toolchain::Gnu);
        assert_eq!(emit_thunk(&made, &target).unwrap_err().code, Code::UnsupportedAbi);
    }
    for target in [X64, ARM64] {
        let large = Thunk { out_bytes: 4096, ..made.clone() };
        assert_eq!(emit_thunk(&large, &target).unwrap_err().code, Code::UnsupportedAbi);
        let aligned = Thunk { stack_align: 32, ..made.clone() };
        assert_eq!(emit_thunk(&aligned, &target).unwrap_err().code, Code::UnsupportedAbi);
    }
}

#[test]
fn memory_is_found_by_a_function_of_the_shape() {
    let made = thunk(&X64, "(ptr) -> i32", &[Form::View], Form::Int32);
    let code = emit_thunk(&made, &X64).expect("code").code;
    let expected: &[&[u8]] = &[
        &[0xf3, 0x0f, 0x1e, 0xfa],                         // endbr64
        &[0x55],                                           // push rbp
        &[0x48, 0x89, 0xe5],                               // mov rbp, rsp
        &[0x66, 0x49, 0x0f, 0x7e, 0xc2],                   // movq r10, xmm0
        &[0x41, 0x52],                                     // push r10
        &[0x48, 0x81, 0xec, 0x08, 0, 0, 0],                // sub rsp, 8
        &[0x48, 0x89, 0xb4, 0x25, 0xf0, 0xff, 0xff, 0xff], // mov [rbp - 16], rsi
        &[0x48, 0x8b, 0xbc, 0x25, 0xf0, 0xff, 0xff, 0xff], // mov rdi, [rbp - 16]
        &[0x48, 0x8b, 0xb5, 0xf8, 0xff, 0xff, 0xff],       // mov rsi, [rbp - 8]
        &[0x4c, 0x8b, 0x5e, 0x28],                         // mov r11, [rsi + 40]
        &[0x41, 0xff, 0x53, 0x10],                         // call [r11 + 16]
        &[0x48, 0x3d, 0xff, 0xff, 0xff, 0xff],             // cmp rax, -1
        &[0x0f, 0x84, 0x1d, 0, 0, 0],                      // je missed
        &[0x48, 0x89, 0x84, 0x25, 0xf0, 0xff, 0xff, 0xff], // mov [rbp - 16], rax
        &[0x48, 0x8b, 0xbc, 0x25, 0xf0, 0xff, 0xff, 0xff], // mov rdi, [rbp - 16]
        &[0x4c, 0x8b, 0x95, 0xf8, 0xff, 0xff, 0xff],       // mov r10, [rbp - 8]
        &[0x41, 0xff, 0x52, 0x08],                         // call [r10 + 8]
        &[0xc9],                                           // leave
        &[0xc3],                                           // ret
        &[0x31, 0xc0],                                     // missed: xor eax, eax
        &[0x0f, 0x57, 0xc0],                               // xorps xmm0, xmm0
        &[0xc9],                                           // leave
        &[0xc3],                                           // ret
    ];
    assert_eq!(code, expected.concat());

    let made = thunk(&ARM64, "(ptr) -> i32", &[Form::View], Form::Int32);
    let code = emit_thunk(&made, &ARM64).expect("code").code;
    let expected = [
        0xd503_245f, // bti c
        0xa9bf_7bfd, // stp x29, x30, [sp, -16]!
        0x9100_03fd, // mov x29, sp
        0x9e66_0010, // fmov x16, d0
        0xd100_c3ff, // sub sp, sp, 48
        0xf81e_03b0, // stur x16, [x29, -32]
        0xaa01_03e9, // mov x9, x1
        0xf81d_83a9, // stur x9, [x29, -40]
        0xf85d_83a0, // ldur x0, [x29, -40]
        0xf85e_03a1, // ldur x1, [x29, -32]
        0xf940_1429, // ldr x9, [x1, 40]
        0xf940_0929, // ldr x9, [x9, 16]
        0xd63f_0120, // blr x9
        0xb100_041f, // cmn x0, 1
        0x5400_0120, // b.eq missed
        0xf81d_83a0, // stur x0, [x29, -40]
        0xf85d_83a0, // ldur x0, [x29, -40]
        0xf85e_03b0, // ldur x16, [x29, -32]
        0xf940_0611, // ldr x17, [x16, 8]
        0xd63f_0220, // blr x17
        0x9100_03bf, // mov sp, x29
        0xa8c1_7bfd, // ldp x29, x30, [sp], 16
        0xd65f_03c0, // ret
        0xaa1f_03e0, // missed: mov x0, xzr
        0x9e67_03e0, // fmov d0, xzr
        0x9100_03bf, // mov sp, x29
        0xa8c1_7bfd, // ldp x29, x30, [sp], 16
        0xd65f_03c0, // ret
    ];
    assert_eq!(words(&code), expected);
}
