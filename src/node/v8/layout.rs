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
    /// Offset in `CFunctionInfo` of the representation of 64-bit integers, which its constructor
    /// takes. Releases without it have no BigInts in fast calls.
    pub representation: Option<usize>,
    /// Whether the accessor of Externals takes a tag.
    pub tagged_externals: bool,
    /// How a raw callback finds its arguments.
    pub callback: CallbackInfo,
    /// Whether a fast call may run JavaScript. V8 allows it from 12.9 on, but up to 13.6 a collection
    /// in the middle may move the code that made the call, and C returns to where it was.
    pub reentrant: bool,
    /// Where typed arrays have their memory.
    pub views: ViewLayout,
    /// Offset in the isolate of what it keeps of handle scopes, where the headers of the release have
    /// addons open scopes by themselves (`Internals::kIsolateHandleScopeDataOffset`); others have
    /// a constructor.
    pub handle_data: Option<usize>,
}

/// The layout of typed arrays and ArrayBuffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewLayout {
    /// Up to V8 12.
    Early,
    /// A word more in the head of both, and the flags right behind the buffer.
    Late,
}

/// Offsets in the objects of a [`ViewLayout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewFields {
    /// Of a typed array: its ArrayBuffer.
    pub buffer: usize,
    /// Whether it tracks its buffer's length (bit 0), whether that can change (bit 1). The other
    /// bits may be anything. 32 bits wide.
    pub flags: usize,
    /// Where it starts in the buffer, in bytes.
    pub start: usize,
    /// Its length in bytes, for those whose flags are clear.
    pub length: usize,
    /// The address of its memory, if `on_heap` is zero.
    pub address: usize,
    /// Zero, or the object on V8's heap that has its memory.
    pub on_heap: usize,
    /// Of an ArrayBuffer: its length in bytes; zero when it is detached, and for a shared one that
    /// can grow.
    pub buffer_length: usize,
}

impl ViewLayout {
    /// Where everything is.
    pub const fn fields(self) -> ViewFields {
        match self {
            ViewLayout::Early => ViewFields {
                buffer: 24,
                start: 32,
                length: 40,
                flags: 48,
                address: 64,
                on_heap: 72,
                buffer_length: 32,
            },
            ViewLayout::Late => ViewFields {
                buffer: 32,
                flags: 40,
                start: 48,
                length: 56,
                address: 72,
                on_heap: 80,
                buffer_length: 40,
            },
        }
    }
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
    /// Where the arguments are, and how many, given the words of the structure.
    ///
    /// # Safety
    /// `info` must be what V8 gave to a callback of this release.
    pub unsafe fn arguments(self, info: *const usize) -> (*const usize, usize) {
        // SAFETY: the caller's promise. The words that are read are those of the layouts above.
        unsafe {
            match self {
                CallbackInfo::Pointer => {
                    // The count is 32 bits wide up to V8 12.
                    let count = info.add(2).cast::<u32>().read() as usize;
                    (info.add(1).read() as *const usize, count)
                }
                CallbackInfo::Frame => (info.add(10), info.read()),
            }
        }
    }

    /// Where the first argument and the result of a callback are: tagged words.
    ///
    /// # Safety
    /// As for [`CallbackInfo::arguments`].
    pub unsafe fn cells(self, info: *mut usize) -> (*mut usize, *mut usize) {
        // SAFETY: the caller's promise. The result is the fourth implicit argument up to V8 13,
        // and the seventh word of the frame.
        unsafe {
            match self {
                CallbackInfo::Pointer => {
                    let implicit = info.read() as *mut usize;
                    (info.add(1).read() as *mut usize, implicit.add(3))
                }
                CallbackInfo::Frame => (info.add(10), info.add(6)),
            }
        }
    }
}

/// `CTypeInfo::Type::kVoid`.
pub const VOID: u8 = 0;
/// `CTypeInfo::Type::kBool`.
pub const BOOL: u8 = 1;
/// `CTypeInfo::Type::kInt32`.
pub const INT32: u8 = 3;
/// `CTypeInfo::Type::kUint32`.
pub const UINT32: u8 = 4;
/// `CTypeInfo::Type::kInt64`.
pub const INT64: u8 = 5;
/// `CTypeInfo::Type::kUint64`.
pub const UINT64: u8 = 6;
/// `CTypeInfo::Type::kFloat32`.
pub const FLOAT32: u8 = 7;
/// `CTypeInfo::Type::kFloat64`.
pub const FLOAT64: u8 = 8;
/// `CTypeInfo::Type::kPointer`.
pub const POINTER: u8 = 9;
/// `CTypeInfo::Type::kV8Value`.
pub const V8_VALUE: u8 = 10;

/// What is known.
pub const RELEASES: [Release; 4] = [
    Release {
        modules: 115,
        v8: "11.3.",
        type_info: 3,
        representation: None,
        tagged_externals: false,
        callback: CallbackInfo::Pointer,
        reentrant: false,
        views: ViewLayout::Early,
        handle_data: None,
    },
    Release {
        modules: 127,
        v8: "12.4.",
        type_info: 3,
        representation: Some(3),
        tagged_externals: false,
        callback: CallbackInfo::Pointer,
        reentrant: false,
        views: ViewLayout::Early,
        handle_data: None,
    },
    Release {
        modules: 137,
        v8: "13.6.",
        type_info: 3,
        representation: Some(3),
        tagged_externals: false,
        callback: CallbackInfo::Pointer,
        reentrant: false,
        views: ViewLayout::Late,
        handle_data: None,
    },
    Release {
        modules: 147,
        v8: "14.6.",
        type_info: 2,
        representation: Some(2),
        tagged_externals: true,
        callback: CallbackInfo::Frame,
        reentrant: true,
        views: ViewLayout::Late,
        handle_data: Some(0x230),
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
    fn arguments_and_result_are_found_in_either_shape() {
        let (mut implicit, mut values) = ([0usize; 6], [7usize, 8]);
        let mut pointers = [implicit.as_mut_ptr() as usize, values.as_mut_ptr() as usize, 2];
        // SAFETY: the words of the structure, and what they point to.
        let ((first, result), (list, count)) = unsafe {
            (
                CallbackInfo::Pointer.cells(pointers.as_mut_ptr()),
                CallbackInfo::Pointer.arguments(pointers.as_ptr()),
            )
        };
        assert_eq!((first, result), (values.as_mut_ptr(), &raw mut implicit[3]));
        assert_eq!((list, count), (values.as_ptr(), 2));
        let mut frame = [0usize; 12];
        frame[0] = 2;
        let start = frame.as_mut_ptr();
        // SAFETY: the words of a frame with two arguments.
        unsafe {
            assert_eq!(CallbackInfo::Frame.cells(start), (start.add(10), start.add(6)));
            assert_eq!(CallbackInfo::Frame.arguments(start), (start.add(10).cast_const(), 2));
        }
    }
}
