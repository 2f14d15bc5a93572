//! Changing sides, on x86-64 Linux.

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub use none::{prepare, supported, switch};
#[cfg(all(feature = "node", target_os = "linux", target_arch = "x86_64"))]
pub(crate) use x64::{exchange, save};
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use x64::{prepare, supported, switch};

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod x64 {
    use super::super::{BODY, ENDED, Fiber, ON_END, RECORD};
    use std::arch::{asm, naked_asm};
    use std::sync::OnceLock;

    /// Saves the registers that the C convention preserves (AMD64 psABI, section 3.2.1) below the
    /// address that this side goes on at, which is at the stack pointer.
    ///
    /// The control words of the floating-point units stay as they are, as when C calls a function.
    macro_rules! save {
        () => {
            "push rbp
             push rbx
             push r12
             push r13
             push r14
             push r15"
        };
    }

    /// Goes on with the other side, whose stack pointer is at the address in rax, after `save`. A
    /// jump, because no call leads to where it goes. Returns zero there.
    macro_rules! exchange {
        () => {
            "mov rcx, [rax]
             mov [rax], rsp
             mov rsp, rcx
             pop r15
             pop r14
             pop r13
             pop r12
             pop rbx
             pop rbp
             pop rcx
             xor eax, eax
             jmp rcx"
        };
    }
    #[cfg(feature = "node")]
    pub(crate) use {exchange, save};

    /// Whether stacks can be changed: not where the processor checks return addresses against a
    /// shadow stack, which would have to be changed as well.
    pub fn supported() -> bool {
        static SUPPORTED: OnceLock<bool> = OnceLock::new();
        *SUPPORTED.get_or_init(|| {
            let mut shadow: u64 = 0;
            // SAFETY: `rdsspq` reads the shadow stack's pointer; it does nothing without one.
            unsafe { asm!("rdsspq {0}", inout(reg) shadow, options(nomem, nostack)) };
            shadow == 0
        })
    }

    /// Writes what `exchange` expects on an empty stack, so that it goes on in `run` with the
    /// fiber's address in rbx. Returns the stack pointer.
    pub fn prepare(top: *mut u8, fiber: &'static Fiber) -> usize {
        let fiber = std::ptr::from_ref(fiber).addr();
        // Popped: r15, r14, r13, r12, rbx, rbp, the address to go on at. Then the stack
        // pointer is a multiple of 16.
        let words = [0, 0, 0, 0, fiber, 0, run as *const () as usize, 0, 0];
        let start = top.wrapping_sub(size_of_val(&words)).cast::<[usize; 9]>();
        // SAFETY: the top of a stack of ours, which is larger than this and 16-aligned.
        unsafe { start.write(words) };
        start.addr()
    }

    /// Changes sides; returns when the other side does the same.
    #[unsafe(naked)]
    pub unsafe extern "C" fn switch(other: *mut usize) {
        naked_asm!(save!(), "mov rax, rdi", exchange!())
    }

    /// The first and only function of a fiber's stack: runs its calls, one after the other.
    #[unsafe(naked)]
    unsafe extern "C" fn run() {
        naked_asm!(
            "2:",
            "mov r10, [rbx + {record}]",
            "call qword ptr [rbx + {body}]",
            "mov qword ptr [rbx + {ended}], 1",
            "mov rdi, rbx",
            "call qword ptr [rbx + {on_end}]",
            "lea rcx, [rip + 2b]",
            "push rcx",
            save!(),
            "mov rax, rbx",
            exchange!(),
            record = const RECORD,
            body = const BODY,
            ended = const ENDED,
            on_end = const ON_END,
        )
    }
}

/// Platforms without fibers.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod none {
    use super::super::{BODY, ENDED, Fiber, ON_END, RECORD};

    /// Whether stacks can be changed.
    pub fn supported() -> bool {
        false
    }

    /// Never called: there is no stack without support.
    pub fn prepare(_top: *mut u8, _fiber: &'static Fiber) -> usize {
        BODY + ENDED + ON_END + RECORD
    }

    /// Never called: there is no fiber without support.
    pub unsafe extern "C" fn switch(_other: *mut usize) {
        unreachable!("no fibers on this platform")
    }
}
