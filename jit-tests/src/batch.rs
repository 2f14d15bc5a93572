//! A batch: signatures that share one C file, and the library made of it.

use crate::c_source::{self, Source};
use crate::random;
use ffi_jit::call::errno;
use ffi_jit::target::Target;
use ffi_jit::types::Signature;
use std::ffi::{c_int, c_void};
use std::path::Path;

/// Signatures with their C source.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The signatures; `callee_N` is the Nth.
    pub signatures: Vec<Signature>,
    /// Their source.
    pub source: Source,
}

impl Batch {
    /// The signatures `first..first + count` of a seed.
    pub fn random(target: &Target, seed: u64, first: u64, count: u64) -> Batch {
        let signatures =
            (first..first + count).map(|index| random::signature(target, seed, index)).collect();
        Batch::of(target, signatures)
    }

    /// A batch of given signatures.
    pub fn of(target: &Target, signatures: Vec<Signature>) -> Batch {
        let source = c_source::render(&signatures, target);
        Batch { signatures, source }
    }

    /// The source as it is compiled: with a digest of itself, by which a library that was made
    /// elsewhere is known to belong to this batch.
    pub fn text(&self) -> String {
        let digest = self.digest();
        format!("{}EXPORT unsigned long long oracle_digest = {digest}ull;\n", self.source.text)
    }

    fn digest(&self) -> u64 {
        // FNV-1a: the same number on every host and in every build.
        self.source.text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

/// The leaves of one value, 8 bytes each.
pub type Slot = [u8; 8];

/// A loaded library of a batch.
#[derive(Debug)]
pub struct Loaded {
    library: libloading::Library,
    slots: usize,
}

impl Loaded {
    /// Loads the library that was compiled from a batch.
    ///
    /// # Errors
    /// The loader's text, or that the library is another batch's.
    pub fn open(path: &Path, batch: &Batch) -> Result<Loaded, String> {
        // SAFETY: the library is generated C without initialisers.
        let library = unsafe { libloading::Library::new(path) }
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let loaded = Loaded { library, slots: batch.source.slots };
        let digest: *const u64 = loaded.symbol("oracle_digest")?.cast();
        // SAFETY: the source defines an `unsigned long long` of this name.
        if unsafe { digest.read() } != batch.digest() {
            return Err(format!("{} was made from another batch", path.display()));
        }
        Ok(loaded)
    }

    fn symbol(&self, name: &str) -> Result<*mut c_void, String> {
        // SAFETY: a symbol read as a pointer is its own address.
        let symbol = unsafe { self.library.get::<*mut c_void>(name) };
        match symbol {
            Ok(symbol) => Ok(*symbol),
            Err(error) => Err(format!("{name}: {error}")),
        }
    }

    /// `callee_N`.
    ///
    /// # Errors
    /// The loader's text.
    pub fn callee(&self, number: usize) -> Result<*const c_void, String> {
        self.symbol(&format!("callee_{number}")).map(<*mut c_void>::cast_const)
    }

    /// Calls `caller_N` with a function pointer.
    ///
    /// # Errors
    /// The loader's text.
    ///
    /// # Safety
    /// `function` must be a function of the Nth signature.
    pub unsafe fn call_caller(&self, number: usize, function: *const c_void) -> Result<(), String> {
        let caller = self.symbol(&format!("caller_{number}"))?;
        // SAFETY: the source defines it with this type (on 32-bit x86 too: plain cdecl).
        unsafe {
            let caller = std::mem::transmute::<*mut c_void, extern "C" fn(*const c_void)>(caller);
            caller(function);
        }
        Ok(())
    }

    /// Fills both buffers: the given leaves, and a pattern behind them.
    ///
    /// # Errors
    /// The loader's text.
    pub fn set(&self, args: &[Slot], ret: &[Slot]) -> Result<(), String> {
        for (name, values) in [("oracle_args", args), ("oracle_ret", ret)] {
            let buffer: *mut Slot = self.symbol(name)?.cast();
            assert!(values.len() <= self.slots, "the source has a slot for every leaf");
            for i in 0..self.slots {
                let value = values.get(i).copied().unwrap_or([0x5c; 8]);
                // SAFETY: the source defines `slots` slots of 8 bytes.
                unsafe { buffer.add(i).write(value) };
            }
        }
        Ok(())
    }

    /// The first `count` leaves of `oracle_args` or `oracle_ret`.
    ///
    /// # Errors
    /// The loader's text.
    pub fn get(&self, name: &str, count: usize) -> Result<Vec<Slot>, String> {
        let buffer: *const Slot = self.symbol(name)?.cast();
        assert!(count <= self.slots, "the source has a slot for every leaf");
        // SAFETY: as in `set`; nothing writes while we read.
        Ok((0..count).map(|i| unsafe { buffer.add(i).read() }).collect())
    }

    /// Makes callees set the calling thread's errno to a code, or leave it alone.
    ///
    /// # Errors
    /// The loader's text.
    pub fn set_errno(&self, code: Option<c_int>) -> Result<(), String> {
        let address: *mut *mut c_int = self.symbol("oracle_errno")?.cast();
        let value: *mut c_int = self.symbol("oracle_errno_value")?.cast();
        // SAFETY: the source defines these two variables.
        unsafe {
            address.write(code.map_or(std::ptr::null_mut(), |_| errno::address()));
            value.write(code.unwrap_or(0));
        }
        Ok(())
    }
}
