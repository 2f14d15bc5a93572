//! Prints what our classifiers say, for scripts that compare it with what compilers do
//! (ci/locations.py). Reads lines `target TAB signature`, writes one line of JSON for each.

use ffi_jit::abi::{CallLayout, Ext, Location, Passing, Piece, Returning, classify};
use ffi_jit::target::{Arch, DataModel, Os, Target, Toolchain};
use ffi_jit::types::{Type, parse_signature};
use std::io::{BufRead, Write};

/// A target by a short name: architecture, system and, on Windows, toolchain.
fn target(name: &str) -> Option<Target> {
    let mut words = name.split('-');
    let arch = match words.next()? {
        "x86_64" => Arch::X64,
        "x86" => Arch::X86,
        "aarch64" => Arch::Aarch64,
        "arm" => Arch::Arm32,
        _ => return None,
    };
    let os = match words.next()? {
        "linux" => Os::Linux,
        "android" => Os::Android,
        "macos" => Os::Darwin,
        "windows" => Os::Windows,
        _ => return None,
    };
    let msvc = os == Os::Windows && words.next() == Some("msvc");
    Some(Target::new(arch, os, if msvc { Toolchain::Msvc } else { Toolchain::Gnu }))
}

/// A JSON array.
fn list<T>(items: impl IntoIterator<Item = T>, text: impl Fn(T) -> String) -> String {
    let items: Vec<_> = items.into_iter().map(text).collect();
    format!("[{}]", items.join(","))
}

/// `["x", 3]`: the kind of a location and its number.
fn location(loc: Location) -> String {
    let (kind, number) = match loc {
        Location::Int(n) => ("int", n.into()),
        Location::Fp(n) => ("fp", n.into()),
        Location::X87(n) => ("x87", n.into()),
        Location::Stack(offset) => ("stack", offset),
    };
    format!("[\"{kind}\",{number}]")
}

fn piece(piece: &Piece) -> String {
    let ext = match piece.ext {
        Ext::None => "[\"none\",0]".to_owned(),
        Ext::Zero(n) => format!("[\"zero\",{n}]"),
        Ext::Sign(n) => format!("[\"sign\",{n}]"),
    };
    format!("[{},{},{ext},{}]", piece.at, piece.len, location(piece.loc))
}

/// Size, alignment and leaves of a type as we lay it out.
fn layout(ty: &Type, model: &DataModel) -> String {
    let mut leaves = Vec::new();
    ty.leaves(0, model, &mut |at, scalar| {
        leaves.push(format!("[{at},{},\"{}\"]", scalar.size(model), scalar.name()));
        true
    });
    format!(
        "\"size\":{},\"align\":{},\"leaves\":[{}]",
        ty.size(model),
        ty.align(model),
        leaves.join(",")
    )
}

fn passing(passing: &Passing) -> String {
    match passing {
        Passing::Ignore => "\"how\":\"ignored\"".to_owned(),
        Passing::Value(pieces) => {
            format!("\"how\":\"value\",\"pieces\":{}", list(pieces, piece))
        }
        Passing::Reference { ptr, size, align } => {
            format!("\"how\":\"reference\",\"ptr\":{},\"copy\":[{size},{align}]", location(*ptr))
        }
    }
}

fn returning(ret: &Returning) -> String {
    match ret {
        Returning::Void => "\"how\":\"void\"".to_owned(),
        Returning::Value(pieces) => {
            format!("\"how\":\"value\",\"pieces\":{}", list(pieces, piece))
        }
        Returning::Memory { ptr, back, .. } => format!(
            "\"how\":\"memory\",\"ptr\":{},\"back\":{}",
            location(*ptr),
            back.map_or_else(|| "null".to_owned(), location)
        ),
    }
}

/// The answer to one line.
fn answer(line: &str) -> Result<String, String> {
    let (name, text) = line.split_once('\t').ok_or("no tab")?;
    let target = target(name).ok_or_else(|| format!("unknown target {name}"))?;
    let model = &target.model;
    let signature = parse_signature(text, model).map_err(|e| e.to_string())?;
    let CallLayout { args, ret, stack_bytes, stack_align, callee_pops, vector_count, .. } =
        classify(&target, &signature).map_err(|e| e.to_string())?;
    let args = list(signature.params.iter().zip(&args), |(ty, arg)| {
        format!("{{{},{}}}", layout(ty, model), passing(arg))
    });
    let ret = format!("{{{},{}}}", layout(&signature.ret, model), returning(&ret));
    Ok(format!(
        "{{\"args\":{args},\"ret\":{ret},\"stack\":{stack_bytes},\"align\":{stack_align},\
         \"pops\":{callee_pops},\"vectors\":{}}}",
        vector_count.map_or_else(|| "null".to_owned(), |n| n.to_string())
    ))
}

fn main() {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("lines of text on standard input");
        match answer(&line) {
            Ok(text) => writeln!(out, "{text}").expect("standard output"),
            Err(message) => {
                drop(out);
                eprintln!("{line}: {message}");
                std::process::exit(1);
            }
        }
    }
}
