//! C source for signatures: the types, a callee and a caller for each.
//!
//! `callee_N` copies every leaf of its arguments into `oracle_args` and returns a value made of
//! the leaves in `oracle_ret`; `caller_N` calls a function pointer with the leaves in
//! `oracle_args` and copies the leaves of the result into `oracle_ret`. Padding is never looked
//! at. The source needs no header, so that any cross compiler takes it. Compiled with
//! `-DORACLE_SPOIL`, both functions change a byte: so the oracle itself is tested.

use crate::leaves::{Run, runs};
use ffi_jit::target::{DataModel, Target};
use ffi_jit::types::{Convention, Record, RecordKind, Scalar, Signature, Type};
use std::collections::HashMap;
use std::fmt::Write;

/// What chooses the union members of the result; arguments use their index.
pub const RESULT_SALT: u32 = 1;

/// The C source of a batch of signatures.
#[derive(Clone, Debug)]
pub struct Source {
    /// The text.
    pub text: String,
    /// How many leaves `oracle_args` and `oracle_ret` hold.
    pub slots: usize,
}

/// The C type of a scalar.
const fn scalar_type(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "_Bool",
        Scalar::I8 => "signed char",
        Scalar::U8 => "unsigned char",
        Scalar::I16 => "short",
        Scalar::U16 => "unsigned short",
        Scalar::I32 => "int",
        Scalar::U32 => "unsigned",
        Scalar::I64 => "long long",
        Scalar::U64 => "unsigned long long",
        Scalar::F32 => "float",
        Scalar::F64 => "double",
        Scalar::Pointer => "void *",
    }
}

/// Renders the source of a batch.
pub fn render(signatures: &[Signature], target: &Target) -> Source {
    let mut writer = Writer { types: HashMap::new(), text: String::new(), model: target.model };
    let mut slots = 1;
    for (number, signature) in signatures.iter().enumerate() {
        let function = Function::new(&mut writer, signature, number);
        slots = slots.max(function.slots);
        function.render(&mut writer.text, signature);
    }
    let body = writer.text;
    let mut text = String::new();
    text.push_str(
        "#ifdef _WIN32\n#define EXPORT __declspec(dllexport)\n#else\n\
         #define EXPORT __attribute__((visibility(\"default\")))\n#endif\n\
         #ifdef ORACLE_SPOIL\n#define SPOIL(slot) slot.bytes[0] ^= 1;\n#else\n\
         #define SPOIL(slot)\n#endif\nunion slot {\n",
    );
    for scalar in Scalar::ALL {
        let _ = writeln!(text, "  {} {};", scalar_type(scalar), scalar.name());
    }
    let _ = write!(
        text,
        "  unsigned char bytes[8];\n}};\n\
         EXPORT union slot oracle_args[{slots}], oracle_ret[{slots}];\n\
         EXPORT int *oracle_errno, oracle_errno_value;\n\n"
    );
    text.push_str(&body);
    Source { text, slots }
}

struct Writer {
    /// Names of the records declared so far, by notation.
    types: HashMap<String, String>,
    text: String,
    model: DataModel,
}

impl Writer {
    /// The C name of a type, declared before if it is a record.
    fn name(&mut self, ty: &Type) -> String {
        match ty {
            Type::Void => "void".to_owned(),
            Type::Scalar(scalar) => scalar_type(*scalar).to_owned(),
            Type::Record(record) => self.record(record),
            Type::Array(_) => unreachable!("arrays are declarators"),
        }
    }

    fn record(&mut self, record: &Record) -> String {
        let notation = record.to_string();
        if let Some(name) = self.types.get(&notation) {
            return name.clone();
        }
        let members: Vec<String> = (0..)
            .zip(&record.fields)
            .map(|(i, field)| self.declarator(&field.ty, format!("f{i}")))
            .collect();
        let keyword = if record.kind == RecordKind::Struct { "struct" } else { "union" };
        let name = format!("{keyword} t{}", self.types.len());
        // In GNU C `#pragma pack` also caps explicit alignments; ours win over the pack, as they
        // do over `__attribute__((packed))`. With both, every member states its alignment.
        let explicit = record.fields.iter().any(|field| field.explicit_align.is_some());
        let pragma = record.pack.filter(|_| !explicit);
        let text = &mut self.text;
        let _ = writeln!(text, "/* {notation} */");
        if let Some(pack) = pragma {
            let _ = writeln!(text, "#pragma pack(push, {pack})");
        }
        let _ = writeln!(text, "{name} {{");
        for (member, field) in members.iter().zip(&record.fields) {
            let cap = record.pack.filter(|_| explicit);
            let implied = cap.map(|pack| field.ty.align(&self.model).min(pack));
            match field.explicit_align.or(implied) {
                Some(align) => {
                    let _ = writeln!(text, "  {member} __attribute__((packed, aligned({align})));");
                }
                None => {
                    let _ = writeln!(text, "  {member};");
                }
            }
        }
        text.push_str("};\n");
        if pragma.is_some() {
            text.push_str("#pragma pack(pop)\n");
        }
        let _ = writeln!(
            text,
            "_Static_assert(sizeof({name}) == {} && _Alignof({name}) == {}, \"{notation}\");",
            record.size, record.align
        );
        for (i, field) in record.fields.iter().enumerate() {
            let offset = field.offset;
            let _ = writeln!(
                text,
                "_Static_assert(__builtin_offsetof({name}, f{i}) == {offset}, \"f{i} of {notation}\");"
            );
        }
        self.types.insert(notation, name.clone());
        name
    }

    fn declarator(&mut self, ty: &Type, inner: String) -> String {
        match ty {
            Type::Array(array) => self.declarator(&array.item, format!("{inner}[{}]", array.count)),
            _ => format!("{} {inner}", self.name(ty)),
        }
    }
}

/// A value with its leaves and the slots they have.
struct Value {
    c_type: String,
    runs: Vec<(usize, Run)>,
}

impl Value {
    /// Slots are handed out from `*slots` on.
    fn new(writer: &mut Writer, ty: &Type, salt: u32, slots: &mut usize) -> Self {
        let runs = runs(ty, &writer.model, salt)
            .into_iter()
            .map(|run| {
                let slot = *slots;
                *slots += run.count.unwrap_or(1) as usize;
                (slot, run)
            })
            .collect();
        Value { c_type: writer.name(ty), runs }
    }

    /// Statements that copy all leaves from the variable to the buffer, or back.
    fn copy(&self, text: &mut String, variable: &str, buffer: &str, to_buffer: bool) {
        for (slot, Run { scalar, count, path, .. }) in &self.runs {
            let (head, index) = match count {
                Some(count) => (format!("for (int i = 0; i < {count}; i++) "), " + i"),
                None => (String::new(), ""),
            };
            let item = if count.is_some() { "[i]" } else { "" };
            let leaf = format!("{variable}{path}{item}");
            let slot = format!("{buffer}[{slot}{index}].{}", scalar.name());
            let (left, right) = if to_buffer { (slot, leaf) } else { (leaf, slot) };
            let _ = writeln!(text, "  {head}{left} = {right};");
        }
    }
}

struct Function {
    number: usize,
    params: Vec<Value>,
    ret: Value,
    slots: usize,
}

impl Function {
    fn new(writer: &mut Writer, signature: &Signature, number: usize) -> Self {
        let mut slots = 0;
        let params = (0..)
            .zip(&signature.params)
            .map(|(salt, ty)| Value::new(writer, ty, salt, &mut slots))
            .collect();
        let mut ret_slots = 0;
        let ret = Value::new(writer, &signature.ret, RESULT_SALT, &mut ret_slots);
        Function { number, params, ret, slots: slots.max(ret_slots) }
    }

    /// The parameter list; with names a0, a1, ... for a definition.
    fn parameter_list(&self, signature: &Signature, named: bool) -> String {
        let fixed = signature.fixed.map_or(self.params.len(), usize::from);
        let mut list: Vec<String> = self.params[..fixed]
            .iter()
            .enumerate()
            .map(
                |(i, value)| {
                    if named { format!("{} a{i}", value.c_type) } else { value.c_type.clone() }
                },
            )
            .collect();
        if signature.fixed.is_some() {
            list.push("...".to_owned());
        } else if list.is_empty() {
            list.push("void".to_owned());
        }
        list.join(", ")
    }

    fn render(&self, text: &mut String, signature: &Signature) {
        let Function { number, params, ret, .. } = self;
        let returns = &ret.c_type;
        let convention = match signature.convention {
            Convention::C => String::new(),
            other => format!("__attribute__(({})) ", other.name()),
        };
        let named = self.parameter_list(signature, true);
        let unnamed = self.parameter_list(signature, false);
        let fixed = signature.fixed.map_or(params.len(), usize::from);
        let void = signature.ret == Type::Void;

        let _ = writeln!(text, "/* {signature} */");
        let _ = writeln!(text, "EXPORT {convention}{returns} callee_{number}({named}) {{");
        if signature.fixed.is_some() {
            let _ = writeln!(
                text,
                "  __builtin_va_list ap;\n  __builtin_va_start(ap, a{});",
                fixed - 1
            );
            for (i, value) in params.iter().enumerate().skip(fixed) {
                let c_type = &value.c_type;
                let _ = writeln!(text, "  {c_type} a{i} = __builtin_va_arg(ap, {c_type});");
            }
            text.push_str("  __builtin_va_end(ap);\n");
        }
        for (i, value) in params.iter().enumerate() {
            value.copy(text, &format!("a{i}"), "oracle_args", true);
        }
        text.push_str("  SPOIL(oracle_args[0])\n");
        text.push_str("  if (oracle_errno) *oracle_errno = oracle_errno_value;\n");
        if !void {
            let _ = writeln!(text, "  {returns} r;");
            ret.copy(text, "r", "oracle_ret", false);
            text.push_str("  return r;\n");
        }
        text.push_str("}\n");

        let _ =
            writeln!(text, "EXPORT void caller_{number}({returns} ({convention}*f)({unnamed})) {{");
        for (i, value) in params.iter().enumerate() {
            let _ = writeln!(text, "  {} a{i};", value.c_type);
            value.copy(text, &format!("a{i}"), "oracle_args", false);
        }
        let names: Vec<String> = (0..params.len()).map(|i| format!("a{i}")).collect();
        let call = format!("f({})", names.join(", "));
        if void {
            let _ = writeln!(text, "  {call};");
        } else {
            let _ = writeln!(text, "  {returns} r = {call};");
            ret.copy(text, "r", "oracle_ret", true);
        }
        text.push_str("  SPOIL(oracle_ret[0])\n}\n\n");
    }
}
