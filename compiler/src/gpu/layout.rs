//! Do the structs of written WGSL lie in memory as the module says? naga writes members without `@size` and `@align`; here the
//! sizes come back, so that every member stands at its offset.

use naga::proc::Layouter;
use naga::{Handle, Module, StructMember, Type, TypeInner};

/// `wgsl`, written from `module`, with `@size` on each member behind which the next one would else come too early.
pub(super) fn with_sizes(wgsl: &str, module: &Module) -> String {
    let mut layouter = Layouter::default();
    layouter
        .update(module.to_ctx())
        .expect("a validated module has a layout");
    let mut structs = module.types.iter().filter_map(|(handle, ty)| {
        let predeclared = module.special_types.predeclared_types.values();
        let written = !predeclared.into_iter().any(|special| *special == handle);
        match &ty.inner {
            TypeInner::Struct { members, span } if written => Some((handle, members, *span)),
            _ => None,
        }
    });
    let mut out = String::with_capacity(wgsl.len());
    let mut sizes = Vec::new().into_iter();
    for line in wgsl.split_inclusive('\n') {
        if line.starts_with("struct ") {
            let (handle, members, span) = structs.next().expect("every struct written is a type");
            sizes = member_sizes(module, &layouter, handle, members, span).into_iter();
        } else if let Some(Some(size)) = sizes.next() {
            let (indent, member) = line.split_at(4);
            out.extend([indent, "@size(", &size.to_string(), ") ", member]);
            continue;
        }
        out.push_str(line);
    }
    out
}

/// For each member the size it must be declared with, where its own would not do.
fn member_sizes(
    module: &Module,
    layouter: &Layouter,
    handle: Handle<Type>,
    members: &[StructMember],
    span: u32,
) -> Vec<Option<u32>> {
    let is_input = members.iter().any(|member| member.binding.is_some());
    let size = |(index, member): (usize, &StructMember)| {
        let end = member.offset + layouter[member.ty].size;
        let next = members.get(index + 1);
        let natural = match next {
            Some(next) => layouter[next.ty].alignment.round_up(end),
            None => layouter[handle].alignment.round_up(end),
        };
        let wanted = next.map_or(span, |next| next.offset);
        let sized = !module.types[member.ty]
            .inner
            .is_dynamically_sized(&module.types);
        (natural != wanted && sized && !is_input).then(|| wanted - member.offset)
    };
    members.iter().enumerate().map(size).collect()
}

/// Whether values of two types lie in memory alike.
pub(super) fn same_layout(
    (left, left_type): (&Module, Handle<Type>),
    (right, right_type): (&Module, Handle<Type>),
) -> bool {
    match (&left.types[left_type].inner, &right.types[right_type].inner) {
        (
            TypeInner::Struct {
                members: a,
                span: a_span,
            },
            TypeInner::Struct {
                members: b,
                span: b_span,
            },
        ) => {
            let alike = |(a, b): (&StructMember, &StructMember)| {
                a.offset == b.offset && same_layout((left, a.ty), (right, b.ty))
            };
            a_span == b_span && a.len() == b.len() && a.iter().zip(b).all(alike)
        }
        (
            TypeInner::Array {
                base: a,
                size: a_size,
                stride: a_stride,
            },
            TypeInner::Array {
                base: b,
                size: b_size,
                stride: b_stride,
            },
        ) => a_stride == b_stride && a_size == b_size && same_layout((left, *a), (right, *b)),
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use crate::front::{Options, parse};
    use crate::gpu::gpu_module;

    #[test]
    fn explicit_sizes_and_alignments_survive() {
        let text = "
            struct Inner { @align(16) a: u32, @size(12) b: u32 }
            struct Outer { @size(32) head: u32, inner: Inner, @align(32) tail: vec2<f32> }
            @group(0) @binding(0) var<storage, read_write> all: array<Outer>;
            @compute @workgroup_size(1) fn main() { all[1].tail.x = f32(all[0].inner.b + all[0].head); }";
        let front = parse(text, "sizes.wgsl", &Options::default()).unwrap();
        let module = gpu_module(&front, 0);
        assert!(
            module.wgsl.contains("@size(32) head: u32"),
            "{}",
            module.wgsl
        );
    }
}
