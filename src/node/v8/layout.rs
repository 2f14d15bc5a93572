//! The releases of V8 that are known, and what differs between them. All of it is internal to V8
//! and changes between majors, so only these releases get the tier.

/// One release of V8, as a major of Node ships it on x86-64.
#[derive(Debug, PartialEq, Eq)]
pub struct Release {
    /// `process.versions.modules`.
    pub modules: u32,
    /// How `process.versions.v8` starts: major and minor.
    pub v8: &'static str,
    /// Bytes of a `CTypeInfo`.
    pub type_info: usize,
    /// Whether the constructor of `CFunctionInfo` takes the representation of 64-bit integers.
    pub int64_representation: bool,
    /// How a raw callback finds its arguments.
    pub callback: CallbackInfo,
    /// Whether a fast call may run JavaScript (V8 12.9 and later).
    pub reentrant: bool,
}

/// The shape of `v8::FunctionCallbackInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackInfo {
    /// `{ implicit arguments, pointer to the arguments, count }`.
    Pointer,
    /// The frame itself: the count first, the arguments from the eleventh word.
    Frame,
}

impl CallbackInfo {
    /// Where the words of the arguments are, and how many, given the words of the structure.
    ///
    /// # Safety
    /// `info` must be what V8 gave to a callback of this release.
    pub unsafe fn arguments(self, info: *const usize) -> (*const usize, usize) {
        // SAFETY: the caller's promise. The words that are read are those of the layouts above.
        unsafe {
            match self {
                // The count is 32 bits wide up to V8 12.
                CallbackInfo::Pointer => {
                    (info.add(1).read() as *const usize, info.add(2).cast::<u32>().read() as usize)
                }
                CallbackInfo::Frame => (info.add(10), info.read()),
            }
        }
    }

    /// The word that becomes the callback's result.
    ///
    /// # Safety
    /// As [`CallbackInfo::arguments`].
    pub unsafe fn result(self, info: *const usize) -> *mut usize {
        // SAFETY: as there; V8 keeps both in memory that callbacks write.
        unsafe {
            match self {
                CallbackInfo::Pointer => (info.read() as *mut usize).add(3),
                CallbackInfo::Frame => info.add(6).cast_mut(),
            }
        }
    }
}

/// `CTypeInfo::Type::kVoid`.
pub const VOID: u8 = 0;
/// `CTypeInfo::Type::kFloat64`.
pub const FLOAT64: u8 = 8;
/// `CTypeInfo::Type::kV8Value`.
pub const V8_VALUE: u8 = 10;

/// What is known.
pub const RELEASES: [Release; 4] = [
    Release {
        modules: 115,
        v8: "11.3.",
        type_info: 3,
        int64_representation: false,
        callback: CallbackInfo::Pointer,
        reentrant: false,
    },
    Release {
        modules: 127,
        v8: "12.4.",
        type_info: 3,
        int64_representation: true,
        callback: CallbackInfo::Pointer,
        reentrant: false,
    },
    Release {
        modules: 137,
        v8: "13.6.",
        type_info: 3,
        int64_representation: true,
        callback: CallbackInfo::Pointer,
        reentrant: true,
    },
    Release {
        modules: 147,
        v8: "14.6.",
        type_info: 2,
        int64_representation: true,
        callback: CallbackInfo::Frame,
        reentrant: true,
    },
];

/// The release of a running Node, if it is known.
pub fn release(modules: u32, v8: &str) -> Option<&'static Release> {
    RELEASES.iter().find(|release| release.modules == modules && v8.starts_with(release.v8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_pairs_of_versions_are_known() {
        assert_eq!(release(115, "11.3.244.8-node.38").map(|r| r.type_info), Some(3));
        assert_eq!(
            release(147, "14.6.202.34-node.34").map(|r| r.callback),
            Some(CallbackInfo::Frame)
        );
        assert_eq!(release(108, "10.2.154.26-node.39"), None);
        assert_eq!(release(137, "13.60.1"), None);
        assert_eq!(release(137, "14.6.202.34"), None);
        assert_eq!(release(148, "14.6.202.34"), None);
    }

    #[test]
    fn arguments_and_results_are_found_in_either_shape() {
        let values = [0x2a_usize];
        let mut implicit = [0usize; 5];
        let pointers = [implicit.as_mut_ptr() as usize, values.as_ptr() as usize, 1];
        // SAFETY: the three words of the structure, and what they point to.
        unsafe {
            let (found, count) = CallbackInfo::Pointer.arguments(pointers.as_ptr());
            assert_eq!((found.read(), count), (0x2a, 1));
            CallbackInfo::Pointer.result(pointers.as_ptr()).write(7);
        }
        assert_eq!(implicit, [0, 0, 0, 7, 0]);
        let mut frame = [0usize; 11];
        (frame[0], frame[10]) = (1, 0x2a);
        // SAFETY: the words of a frame with one argument.
        unsafe {
            let (found, count) = CallbackInfo::Frame.arguments(frame.as_mut_ptr());
            assert_eq!((found.read(), count), (0x2a, 1));
            CallbackInfo::Frame.result(frame.as_mut_ptr()).write(7);
        }
        assert_eq!(frame[6], 7);
    }
}
