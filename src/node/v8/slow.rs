//! The raw V8 callback in front of every thunk: what runs when the caller is not optimised, and
//! when V8 cannot pass a value as the thunk wants it. It does what the thunk does, with cells on
//! its own stack. Calls with text it leaves to the packed tier, which has the means to convert it.

use super::super::frame::{CLOSED, ERRNO, FRAME, MISSED, PENDING, RESULT};
use super::direct::{Shape, Shapes};
use super::entry::{DIRECT_SLOW, HEAP_NUMBER_VALUE, closed, counting};
use super::layout::CallbackInfo;
use crate::arch::NOTHING;
use crate::call::CallRecord;
use crate::node::sys;
use crate::node::value::Value;
use crate::plan::Form;
use crate::types::{Scalar, Type};
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::Ordering;

/// Bytes of cells that need no heap.
const CELLS: usize = 1024;

/// Cells of a call, aligned as frames are.
#[repr(C, align(64))]
struct Cells([u64; CELLS / 8]);

/// The raw callback, for both shapes of [`CallbackInfo`].
pub unsafe extern "C" fn callback<const FRAME_SHAPE: bool>(info: *mut usize) {
    if counting() {
        DIRECT_SLOW.fetch_add(1, Ordering::Relaxed);
    }
    let place = if FRAME_SHAPE { CallbackInfo::Frame } else { CallbackInfo::Pointer };
    // SAFETY: V8 calls this with a structure of the release's shape. The first argument is the
    // token, a heap number, as marshallers alone have this function, and its bits are the address
    // of a record that was prepared for it and that the running marshaller owns.
    unsafe {
        let (values, count) = place.arguments(info);
        let token = ((values.read() + HEAP_NUMBER_VALUE) as *const usize).read();
        let record = &*(token as *const CallRecord);
        let shape = Shapes::of_record(record);
        let call = Call { shape, record };
        let mut cells = Cells([0; CELLS / 8]);
        let value = if count == shape.forms.len() + 1 {
            call.run(values.add(1), cells.0.as_mut_ptr().cast())
        } else {
            call.missed()
        };
        if !value.is_null() {
            place.cells(info).1.write(value.cast::<usize>().read());
        }
    }
}

struct Call<'a> {
    shape: &'a Shape,
    record: &'a CallRecord,
}

impl Call<'_> {
    /// A control cell.
    fn control(&self, cell: usize) -> *mut u8 {
        let frame_cell = self.record.frame_cell.load(Ordering::Relaxed);
        frame_cell.cast::<u8>().wrapping_add(cell - FRAME)
    }

    /// Says that the call was not made, and gives a result of the right type.
    fn missed(&self) -> Value {
        // SAFETY: the PENDING cell of the environment.
        unsafe { self.control(PENDING).cast::<u32>().write(MISSED) };
        self.result(&mut [0u64; 2] as *mut _ as *mut u8)
    }

    /// Makes the call with the values, of which there are as many as forms.
    ///
    /// # Safety
    /// `values` are tagged words that V8 keeps; `cells` has [`CELLS`] bytes of zeros.
    unsafe fn run(&self, values: *const usize, cells: *mut u8) -> Value {
        let Shape { prepared, forms, downcall, errno, .. } = self.shape;
        let layout = &prepared.frame;
        if layout.size as usize > CELLS {
            return self.missed();
        }
        for (i, &form) in forms.iter().enumerate() {
            // SAFETY: there are as many values and cells as forms. A word that V8 keeps is a handle.
            let put = unsafe {
                let value = values.add(i).cast_mut().cast();
                self.put(form, value, cells.add(layout.args[i] as usize))
            };
            if put.is_none() {
                return self.missed();
            }
        }
        if self.record.target.load(Ordering::Relaxed).cast_const() == closed as *const c_void {
            // SAFETY: the PENDING cell of the environment.
            unsafe { self.control(PENDING).cast::<u32>().write(CLOSED) };
            return self.result(cells);
        }
        // SAFETY: the cells are as large and aligned as any frame of this size; the record is bound
        // to a function of this signature.
        unsafe {
            downcall.enter(cells, self.record);
            if *errno {
                let saved = cells.add(layout.errno as usize);
                ptr::copy_nonoverlapping(saved, self.control(ERRNO), 4);
            }
            self.result(cells.add(layout.ret as usize))
        }
    }

    /// Writes a value to its cell; None when it is no such value.
    ///
    /// # Safety
    /// `value` is a handle and `cell` has eight bytes.
    unsafe fn put(&self, form: Form, value: Value, cell: *mut u8) -> Option<()> {
        let env = self.shape.env;
        let ok = |status| (status == sys::Status::napi_ok).then_some(());
        // SAFETY: out-parameters outlive the calls.
        unsafe {
            match form {
                Form::Void | Form::Cell | Form::Text => return None,
                Form::View => {
                    let found = (self.shape.view)(value, self.record);
                    if found.addr() == NOTHING {
                        return None;
                    }
                    cell.cast::<*const u8>().write(found);
                }
                Form::Int32 | Form::Uint32 => {
                    // Both reduce a number modulo 2^32. Narrower types have the low bytes.
                    ok(sys::napi_get_value_int32(env, value, cell.cast()))?;
                }
                Form::Bool => {
                    let mut truth = false;
                    ok(sys::napi_get_value_bool(env, value, &mut truth))?;
                    cell.write(truth.into());
                }
                Form::Float32 => {
                    let mut number = 0.0;
                    ok(sys::napi_get_value_double(env, value, &mut number))?;
                    cell.cast::<f32>().write(number as f32);
                }
                Form::Float64 => ok(sys::napi_get_value_double(env, value, cell.cast()))?,
                Form::Number => {
                    let mut number = 0.0;
                    ok(sys::napi_get_value_double(env, value, &mut number))?;
                    cell.cast::<i64>().write(number as i64);
                }
                Form::Int64 | Form::Uint64 => {
                    let (cell, mut lossless) = (cell.cast(), false);
                    ok(sys::napi_get_value_bigint_uint64(env, value, cell, &mut lossless))?;
                }
                Form::Pointer | Form::Wrapped => {
                    let mut kind = 0;
                    ok(sys::napi_typeof(env, value, &mut kind))?;
                    match kind {
                        sys::ValueType::napi_null => cell.cast::<usize>().write(0),
                        sys::ValueType::napi_external => {
                            ok(sys::napi_get_value_external(env, value, cell.cast()))?;
                        }
                        _ => return None,
                    }
                }
            }
        }
        Some(())
    }

    /// The value of the result in a cell; null for none.
    fn result(&self, cell: *mut u8) -> Value {
        let env = self.shape.env;
        let mut value = ptr::null_mut();
        let signed = matches!(
            self.shape.prepared.signature.ret,
            Type::Scalar(Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64)
        );
        let bytes = self.shape.prepared.signature.ret.size(&self.shape.prepared.target.model);
        // SAFETY: the cell has eight bytes; the out-parameter outlives the calls, none of which
        // minds an exception that is on its way.
        unsafe {
            let bits = cell.cast::<u64>().read();
            let unused = 64 - 8 * bytes.clamp(1, 8);
            let whole = if signed {
                (bits.cast_signed() << unused >> unused).cast_unsigned()
            } else {
                bits << unused >> unused
            };
            match self.shape.result {
                Form::Void | Form::Text | Form::View | Form::Pointer | Form::Wrapped => {}
                Form::Cell => self.control(RESULT).cast::<u64>().write(bits),
                Form::Int32 => {
                    sys::napi_create_int32(env, whole as i32, &mut value);
                }
                Form::Uint32 => {
                    sys::napi_create_uint32(env, whole as u32, &mut value);
                }
                Form::Bool => {
                    sys::napi_get_boolean(env, whole != 0, &mut value);
                }
                Form::Float32 => {
                    let number = f32::from_bits(bits as u32);
                    sys::napi_create_double(env, number.into(), &mut value);
                }
                Form::Float64 => {
                    sys::napi_create_double(env, f64::from_bits(bits), &mut value);
                }
                Form::Number => {
                    self.control(RESULT).cast::<u64>().write(bits);
                    let number = if signed { bits.cast_signed() as f64 } else { bits as f64 };
                    sys::napi_create_double(env, number, &mut value);
                }
                Form::Int64 => {
                    sys::napi_create_bigint_int64(env, bits.cast_signed(), &mut value);
                }
                Form::Uint64 => {
                    sys::napi_create_bigint_uint64(env, bits, &mut value);
                }
            }
        }
        value
    }
}
