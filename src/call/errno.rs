//! The C library's errno.

use std::ffi::{CStr, c_int};

/// Address of the calling thread's errno: constant while the thread lives.
pub fn address() -> *mut c_int {
    #[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
    use libc::__errno as location;
    #[cfg(any(target_os = "linux", target_os = "dragonfly"))]
    use libc::__errno_location as location;
    #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
    use libc::__error as location;
    #[cfg(windows)]
    use windows::_errno as location;
    // SAFETY: the function only returns an address.
    unsafe { location() }
}

#[cfg(windows)]
mod windows {
    unsafe extern "C" {
        pub(super) fn _errno() -> *mut std::ffi::c_int;
    }
}

/// The calling thread's errno.
pub fn get() -> c_int {
    // SAFETY: the address is valid on this thread.
    unsafe { *address() }
}

/// Sets the calling thread's errno.
pub fn set(code: c_int) {
    // SAFETY: the address is valid on this thread.
    unsafe { *address() = code }
}

/// The C library's text for an error number, such as "No such file or directory"; numbers it does
/// not know have a text too ("Unknown error 9999" with glibc). Leaves errno as it was.
pub fn message(code: c_int) -> String {
    let before = get();
    let text = text(code);
    set(before);
    text
}

#[cfg(unix)]
fn text(code: c_int) -> String {
    let mut buffer = [0; 256];
    // SAFETY: the buffer is as long as stated. Both an unknown number and a text that was cut
    // leave a terminated string (POSIX strerror_r; the last byte is never given away).
    unsafe {
        libc::strerror_r(code, buffer.as_mut_ptr(), buffer.len() - 1);
        CStr::from_ptr(buffer.as_ptr()).to_string_lossy().into_owned()
    }
}

#[cfg(windows)]
fn text(code: c_int) -> String {
    // SAFETY: the text is in a buffer of this thread, and copied before anything else runs.
    unsafe { CStr::from_ptr(libc::strerror(code)).to_string_lossy().into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errno_is_per_thread_and_named() {
        set(libc::ENOENT);
        std::thread::spawn(|| set(libc::EACCES)).join().unwrap();
        assert_eq!(message(libc::EACCES), "Permission denied");
        assert_eq!(get(), libc::ENOENT);
        assert_eq!(message(libc::ENOENT), "No such file or directory");
        assert!(message(9999).contains("9999"), "{}", message(9999));
    }
}
