//! The machine code of relays. It changes sides without a `ret` that would be predicted wrongly.

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub use none::{enter, resume, upcall};
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use x64::{enter, resume, upcall};

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod x64 {
    use super::super::{Left, after_upcall, before_call, before_resumption, before_upcall};
    use crate::arch::record;
    use crate::call::fiber::{exchange, save};
    use crate::node::callback::dispatch;
    use std::arch::naked_asm;
    use std::ffi::c_void;

    /// What the slot of a promoted function leads to, with its record in r10.
    #[unsafe(naked)]
    pub unsafe extern "C" fn enter() {
        naked_asm!(
            "endbr64",
            save!(),
            "mov rbx, r10",
            "mov rdi, r10",
            "sub rsp, 8",
            "call {before}",
            "add rsp, 8",
            "test rax, rax",
            "jz 2f",
            exchange!(),
            // On the thread's stack.
            "2:",
            "mov r10, rbx",
            "mov rax, [rbx + {trampoline}]",
            "add rsp, 32",
            "pop rbx",
            "pop rbp",
            "jmp rax",
            before = sym before_call,
            trampoline = const record::SPARE as usize * size_of::<usize>(),
        )
    }

    /// What the resuming slot leads to, with its record in r10.
    #[unsafe(naked)]
    pub unsafe extern "C" fn resume() {
        naked_asm!(
            "endbr64",
            save!(),
            "mov rdi, r10",
            "sub rsp, 8",
            "call {before}",
            "add rsp, 8",
            "test rax, rax",
            "jz 2f",
            exchange!(),
            "2:",
            "add rsp, 48",
            "xor eax, eax",
            "ret",
            before = sym before_resumption,
        )
    }

    /// What upcalls' trampolines call: the short way, if it is one, else `dispatch`.
    ///
    /// It relies on two things that trampolines of upcalls do ([`crate::arch`]): rbp is their frame
    /// pointer, above which their return address is; and once they were called back they leave r9
    /// alone, which no result travels in.
    #[unsafe(naked)]
    pub unsafe extern "C" fn upcall(context: *mut c_void, frame: *mut u8) {
        naked_asm!(
            "endbr64",
            // What was left, below it where to go on and the saved registers.
            "sub rsp, {left}",
            "lea rcx, [rip + 3f]",
            "push rcx",
            save!(),
            "mov r12, rdi",
            "mov r13, rsi",
            "lea rdx, [rsp + 56]",
            "call {before}",
            "test rax, rax",
            "jz 2f",
            exchange!(),
            "2:",
            "mov rdi, r12",
            "mov rsi, r13",
            "pop r15",
            "pop r14",
            "pop r13",
            "pop r12",
            "pop rbx",
            "pop rbp",
            "add rsp, {left} + 8",
            "jmp {dispatch}",
            "3:",
            "mov rdi, rsp",
            "sub rsp, 8",
            "call {after}",
            "add rsp, {left} + 8",
            "pop rax",
            // No call that the processor remembers leads to where the trampoline returns to: C's
            // place is jumped to, from where a call of here returns to.
            "mov r9, [rbp + 8]",
            "lea rcx, [rip + 4f]",
            "mov [rbp + 8], rcx",
            "call 5f",
            "4:",
            "jmp r9",
            "5:",
            "add rsp, 8",
            "jmp rax",
            left = const size_of::<Left>(),
            before = sym before_upcall,
            after = sym after_upcall,
            dispatch = sym dispatch,
        )
    }

    const _: () = assert!(size_of::<Left>().is_multiple_of(16));
}

/// Platforms without relays: nothing is ever promoted.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod none {
    use super::super::{after_upcall, before_call, before_resumption, before_upcall};
    pub use crate::node::callback::dispatch as upcall;

    /// Never a slot's body.
    pub unsafe extern "C" fn enter() {
        let _ = before_call as *const ();
    }

    /// Never a slot's body.
    pub unsafe extern "C" fn resume() {
        let _ =
            (before_resumption as *const (), before_upcall as *const (), after_upcall as *const ());
    }
}
