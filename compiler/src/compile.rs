//! What becomes of a WGSL file? All passes in order, and the Rust module that holds their results.

use std::fmt::Write;

use crate::access::{self, AccessMap};
use crate::diagnostic::Diagnostics;
use crate::emit::{self, CpuCode};
use crate::front::{self, Front, Options};
use crate::gpu::{GpuModule, gpu_module};
use crate::ir::Kernel;
use crate::lower::lower;
use crate::signature::{KernelSignature, Signature, signature, upper_case};
use crate::simplify::simplify;
use crate::stack::on_big_stack;

/// A compiled WGSL file.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What the host sees.
    pub signature: Signature,
    /// The entry points, in the order of [`Signature::kernels`].
    pub kernels: Vec<CompiledKernel>,
    /// Fingerprint of the text, the options and the compiler's version: the key of recorded costs.
    pub fingerprint: u64,
}

/// A compiled entry point.
#[derive(Clone, Debug)]
pub struct CompiledKernel {
    /// The simplified IR.
    pub kir: Kernel,
    /// How it touches its buffers.
    pub access: AccessMap,
    /// Code for the CPU.
    pub cpu: CpuCode,
    /// Module for GPUs.
    pub gpu: GpuModule,
}

/// Compiles WGSL; `path` is what messages and documentation call it.
///
/// # Errors
/// Everything that is wrong with the text, and every construct that is not supported.
///
/// # Panics
/// If the system cannot start a thread; the passes recurse and run on a stack of their own.
pub fn compile(source: &str, path: &str, options: &Options) -> Result<Compiled, Diagnostics> {
    let front = front::parse(source, path, options)?;
    let (signature, kernels) = on_big_stack(|| {
        let signature = signature(&front)?;
        let kernels =
            (0..front.module.entry_points.len()).map(|index| compile_entry(&front, index, options));
        Ok::<_, Diagnostics>((signature, kernels.collect::<Result<_, _>>()?))
    })?;
    Ok(Compiled {
        signature,
        kernels,
        fingerprint: fingerprint(source, options),
    })
}

fn compile_entry(
    front: &Front,
    index: usize,
    options: &Options,
) -> Result<CompiledKernel, Diagnostics> {
    let kir = simplify(&lower(front, index)?);
    let emit_options = emit::Options {
        strict: options.strict,
        ..emit::Options::default()
    };
    let cpu = emit::emit(&kir, &front.source, emit_options)?;
    let access = access::analyse(&kir, &front.source);
    let gpu = gpu_module(front, index);
    Ok(CompiledKernel {
        kir,
        access,
        cpu,
        gpu,
    })
}

/// FNV-1a over the text and everything else that the result depends on.
fn fingerprint(source: &str, options: &Options) -> u64 {
    let settings = format!("{}\0{options:?}\0", env!("CARGO_PKG_VERSION"));
    let bytes = settings.bytes().chain(source.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Hexadecimal in groups of four digits, as Rust's style asks for.
fn grouped(number: u64) -> String {
    let group = |shift: u32| format!("_{:04x}", (number >> shift) & 0xffff);
    format!("0x{:04x}", number >> 48) + &group(32) + &group(16) + &group(0)
}

impl Compiled {
    /// The content of the module that `impel::shader!` makes: the host's structs and constants, and per entry point a launcher
    /// and a static that describes the kernel.
    pub fn to_rust(&self) -> String {
        let mut text = self.signature.items();
        for (signature, kernel) in self.signature.kernels.iter().zip(&self.kernels) {
            let descriptor = format!("{}_KERNEL", upper_case(&signature.name));
            text += &self.signature.launcher(signature, &descriptor);
            text += &self.descriptor(signature, kernel, &descriptor);
        }
        text
    }

    /// The static that describes a kernel, and its code for the CPU in a module of its own.
    fn descriptor(
        &self,
        signature: &KernelSignature,
        kernel: &CompiledKernel,
        name: &str,
    ) -> String {
        let module = format!("{}_on_the_cpu", signature.name);
        let bindings: Vec<_> = signature
            .bindings
            .iter()
            .map(|binding| format!("        {},\n", binding.to_rust()))
            .collect();
        let CpuCode { body_type, source } = &kernel.cpu;
        let mut text = format!(
            "/// The kernel `{}`, for `impel::Launch::of_words`.\n#[allow(dead_code, clippy::all, clippy::pedantic)]\npub static {name}: ::impel::kernel::Kernel = ::impel::kernel::Kernel {{\n",
            signature.name
        );
        let _ = writeln!(text, "    name: {:?},", signature.name);
        let _ = writeln!(text, "    path: {:?},", self.signature.path);
        let _ = writeln!(text, "    fingerprint: {},", grouped(self.fingerprint));
        let _ = writeln!(text, "    workgroup_size: {:?},", signature.workgroup_size);
        let _ = writeln!(text, "    bindings: &[\n{}    ],", bindings.concat());
        let _ = writeln!(text, "    access: {},", kernel.access.to_rust());
        let run = format!("::impel::lanes::run(level, &{module}::{body_type}, launch, tile)");
        let _ = writeln!(text, "    cpu: |level, launch, tile| {run},");
        let GpuModule {
            wgsl,
            entry,
            folded,
            launch_binding,
            windowed,
        } = &kernel.gpu;
        let gpu = format!(
            "wgsl: {wgsl:?}, entry: {entry:?}, folded: {folded:?}, launch_binding: {launch_binding}, windowed: {windowed:?}"
        );
        let _ = writeln!(text, "    gpu: ::impel::kernel::GpuModule {{ {gpu} }},");
        let _ = writeln!(
            text,
            "}};\n\n#[allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub)]"
        );
        let _ = writeln!(text, "mod {module} {{\n{source}}}\n");
        text
    }
}
