//! Smaller signatures out of one that fails.

use ffi_jit::target::DataModel;
use ffi_jit::types::{Member, Record, Scalar, Signature, Type};

/// Rounds after which shrinking gives up.
const ROUNDS: usize = 60;

/// Signatures that are tried together.
const TOGETHER: usize = 30;

/// Shrinks a signature for which `fails` holds: in each round the first failing one of all
/// signatures that are a step smaller takes its place. `fails` answers for several at once,
/// because starting a compiler costs as much as a dozen of them.
pub fn shrink(
    signature: Signature,
    model: &DataModel,
    fails: &mut dyn FnMut(&[Signature]) -> Vec<bool>,
) -> Signature {
    let mut current = signature;
    for _ in 0..ROUNDS {
        let smaller = smaller_signatures(&current, model);
        let failing = smaller.chunks(TOGETHER).find_map(|chunk| {
            let first = fails(chunk).iter().position(|&fails| fails)?;
            chunk.get(first).cloned()
        });
        match failing {
            Some(signature) => current = signature,
            None => break,
        }
    }
    current
}

/// Every signature that is one step smaller, the largest steps first.
fn smaller_signatures(signature: &Signature, model: &DataModel) -> Vec<Signature> {
    let mut list = Vec::new();
    let mut add = |ret: Type, params: Vec<Type>, fixed: Option<u16>| {
        list.extend(Signature::new(signature.convention, ret, params, fixed, model));
    };
    let Signature { ret, params, fixed, .. } = signature;
    for i in 0..params.len() {
        let mut fewer = params.clone();
        fewer.remove(i);
        let fixed = fixed.map(|n| if i < usize::from(n) { n - 1 } else { n });
        // C before C23 cannot declare `(...)`.
        if fixed != Some(0) {
            add(ret.clone(), fewer, fixed);
        }
    }
    if *ret != Type::Void {
        add(Type::Void, params.clone(), *fixed);
    }
    if fixed.is_some() {
        add(ret.clone(), params.clone(), None);
    }
    for smaller in smaller_types(ret, model) {
        add(smaller, params.clone(), *fixed);
    }
    for (i, param) in params.iter().enumerate() {
        for smaller in smaller_types(param, model) {
            let mut params = params.clone();
            params[i] = smaller;
            add(ret.clone(), params, *fixed);
        }
    }
    list
}

/// Every type that is one step smaller; parameters and results stay scalars or records.
fn smaller_types(ty: &Type, model: &DataModel) -> Vec<Type> {
    match ty {
        Type::Void => Vec::new(),
        Type::Scalar(Scalar::I32) => Vec::new(),
        Type::Scalar(_) => vec![Scalar::I32.into()],
        Type::Array(array) => {
            let mut list = vec![array.item.clone()];
            list.extend(Type::array(array.item.clone(), array.count / 2, model));
            list.extend(Type::array(array.item.clone(), array.count - 1, model));
            for item in smaller_types(&array.item, model) {
                list.extend(Type::array(item, array.count, model));
            }
            list
        }
        Type::Record(record) => smaller_records(record, model),
    }
}

fn smaller_records(record: &Record, model: &DataModel) -> Vec<Type> {
    let members: Vec<Member> = record
        .fields
        .iter()
        .map(|field| Member { ty: field.ty.clone(), align: field.explicit_align })
        .collect();
    let make = |members, pack| Record::new_type(record.kind, members, pack, model).ok();
    let mut list = vec![Scalar::I32.into()];
    for i in 0..members.len() {
        let mut fewer = members.clone();
        fewer.remove(i);
        list.extend(make(fewer, record.pack));
    }
    if record.pack.is_some() {
        list.extend(make(members.clone(), None));
    }
    for (i, member) in members.iter().enumerate() {
        let with = |changed: Member| {
            let mut members = members.clone();
            members[i] = changed;
            make(members, record.pack)
        };
        if member.align.is_some() {
            list.extend(with(Member { ty: member.ty.clone(), align: None }));
        }
        for ty in smaller_types(&member.ty, model) {
            list.extend(with(Member { ty, align: member.align }));
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use ffi_jit::target::{Arch, Os};
    use ffi_jit::types::parse_signature;

    #[test]
    fn the_smallest_failing_signature_is_found() {
        let model = DataModel::of(Arch::X64, Os::Linux);
        let text = "(i8, struct#1{i8, struct{f32, u8[7]}, f64@16}, f64, ..., i32) -> struct{f32}";
        let signature = parse_signature(text, &model).unwrap();
        let mut rounds = 0;
        let smallest = shrink(signature, &model, &mut |list| {
            rounds += 1;
            list.iter().map(|signature| signature.to_string().contains("u8[")).collect()
        });
        assert_eq!(smallest.to_string(), "(struct{struct{u8[1]}}) -> void");
        assert!(rounds < 40, "{rounds} rounds");
    }
}
