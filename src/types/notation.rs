//! The text form of types and signatures: what crosses from JavaScript to Rust, the key of every
//! signature cache, and the left side of the golden tables.
//!
//! ```text
//! signature := [convention] "(" [ item { "," item } ] ")" "->" type
//! convention:= "stdcall" | "fastcall" | "thiscall"
//! item      := type | "..."                       at most one "...": variadic arguments follow
//! type      := base { "[" digits "]" }            "i8[2][3]" is 3 times i8[2]
//! base      := scalar | "void" | ("struct" | "union") ["#" pack] "{" [ member { "," member } ] "}"
//! member    := type ["@" align]
//! scalar    := see Scalar::named
//! ```
//! Blanks may stand between tokens. `Display` of [`Type`] and [`Signature`] prints this form.

use super::{Convention, Member, Record, RecordKind, Scalar, Signature, Type};
use crate::error::{Code, Error, Result};
use crate::target::DataModel;

/// How deep records may nest; keeps the recursive parser within any stack.
const MAX_DEPTH: u32 = 64;

/// Parses one type.
///
/// # Errors
/// [`Code::InvalidType`] with the offending position.
pub fn parse_type(text: &str, model: &DataModel) -> Result<Type> {
    let mut parser = Parser { text, at: 0, model };
    let ty = parser.ty(0)?;
    parser.end()?;
    Ok(ty)
}

/// Parses one signature.
///
/// # Errors
/// [`Code::InvalidType`] with the offending position.
pub fn parse_signature(text: &str, model: &DataModel) -> Result<Signature> {
    let mut parser = Parser { text, at: 0, model };
    let convention = match parser.word() {
        "" => Convention::C,
        "stdcall" => Convention::Stdcall,
        "fastcall" => Convention::Fastcall,
        "thiscall" => Convention::Thiscall,
        other => return parser.fail(&format!("unknown convention {other:?}")),
    };
    parser.expect("(")?;
    let (mut params, mut fixed) = (Vec::new(), None);
    if !parser.accept(")") {
        loop {
            if parser.accept("...") {
                if fixed.replace(params.len() as u16).is_some() {
                    return parser.fail("a second \"...\"");
                }
            } else {
                params.push(parser.ty(0)?);
            }
            if !parser.accept(",") {
                break;
            }
        }
        parser.expect(")")?;
    }
    parser.expect("->")?;
    let ret = parser.ty(0)?;
    parser.end()?;
    Signature::new(convention, ret, params, fixed, model)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    model: &'a DataModel,
}

impl<'a> Parser<'a> {
    fn fail<T>(&self, what: &str) -> Result<T> {
        Err(Error::new(Code::InvalidType, format!("{what} at {} of {:?}", self.at, self.text)))
    }

    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start_matches([' ', '\t']);
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn accept(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<()> {
        if self.accept(token) { Ok(()) } else { self.fail(&format!("expected {token:?}")) }
    }

    fn end(&mut self) -> Result<()> {
        if self.rest().is_empty() { Ok(()) } else { self.fail("unexpected text") }
    }

    fn take(&mut self, of: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.bytes().take_while(|&b| of(b)).count();
        self.at += len;
        &rest[..len]
    }

    fn word(&mut self) -> &'a str {
        self.take(|b| b.is_ascii_alphanumeric())
    }

    fn number(&mut self) -> Result<u32> {
        match self.take(|b| b.is_ascii_digit()).parse() {
            Ok(number) => Ok(number),
            Err(_) => self.fail("expected a number"),
        }
    }

    fn ty(&mut self, depth: u32) -> Result<Type> {
        if depth > MAX_DEPTH {
            return self.fail("too deeply nested");
        }
        let mut ty = match self.word() {
            "void" => Type::Void,
            "struct" => self.record(RecordKind::Struct, depth)?,
            "union" => self.record(RecordKind::Union, depth)?,
            name => match Scalar::named(name, self.model) {
                Some(scalar) => Type::Scalar(scalar),
                None => return self.fail(&format!("unknown type {name:?}")),
            },
        };
        while self.accept("[") {
            let count = self.number()?;
            self.expect("]")?;
            ty = Type::array(ty, count, self.model)?;
        }
        Ok(ty)
    }

    fn record(&mut self, kind: RecordKind, depth: u32) -> Result<Type> {
        let pack = if self.accept("#") { Some(self.number()?) } else { None };
        self.expect("{")?;
        let mut members = Vec::new();
        if !self.accept("}") {
            loop {
                let ty = self.ty(depth + 1)?;
                let align = if self.accept("@") { Some(self.number()?) } else { None };
                members.push(Member { ty, align });
                if !self.accept(",") {
                    break;
                }
            }
            self.expect("}")?;
        }
        Record::new_type(kind, members, pack, self.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Arch, Os};

    const MODEL: DataModel = DataModel::of(Arch::X64, Os::Linux);

    #[test]
    fn display_is_the_notation() {
        for text in [
            "() -> void",
            "(i32, f64) -> ptr",
            "(ptr, ..., f64, i32) -> i32",
            "(...) -> void",
            "(i32, ...) -> void",
            "stdcall (struct#1{i8, f64@8}) -> void",
            "(struct{i8[2][3], union{f32, i32}}) -> struct{}",
        ] {
            assert_eq!(parse_signature(text, &MODEL).expect(text).to_string(), text);
        }
        assert_eq!(parse_type(" long [ 2 ] ", &MODEL).unwrap().to_string(), "i64[2]");
        assert_eq!(
            parse_type("ulong", &DataModel::of(Arch::X64, Os::Windows)).unwrap(),
            Scalar::U32.into()
        );
    }

    #[test]
    fn nonsense_is_an_error() {
        for text in [
            "",
            "i32",
            "(",
            "()",
            "() ->",
            "(void) -> void",
            "() -> i32[2]",
            "(i32[2]) -> void",
            "(..., ...) -> void",
            "(..., f32) -> void",
            "(..., bool) -> void",
            "() -> void x",
            "(i33) -> void",
            "(struct{void}) -> void",
            "(i8[0]) -> void",
            "pascal () -> void",
            "(i32,) -> void",
            "(é) -> void",
        ] {
            assert_eq!(
                parse_signature(text, &MODEL).unwrap_err().code,
                Code::InvalidType,
                "{text}"
            );
        }
        let deep = format!("{}i8{}", "struct{".repeat(100), "}".repeat(100));
        assert!(parse_type(&deep, &MODEL).unwrap_err().message.contains("nested"));
        assert!(parse_type("u8[4294967296]", &MODEL).is_err());
    }
}
