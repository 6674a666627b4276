//! Which adapters to use? Each device once, through the best interface, and software only on request. Pure.

use crate::machine::{Gpu, Kind};

/// Which of the adapters found to use: each GPU once, through the best interface; software ones only if wanted.
///
/// Returns indices into `found`, in the order to use them: real devices first.
pub(crate) fn select(found: &[Gpu], software: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..found.len())
        .filter(|&i| software || found[i].kind != Kind::Software)
        .collect();
    order.sort_by_key(|&i| (found[i].kind == Kind::Software, found[i].backend, i));
    let mut chosen: Vec<usize> = Vec::new();
    for index in order {
        if !chosen
            .iter()
            .any(|&other| is_same(&found[other], &found[index]))
        {
            chosen.push(index);
        }
    }
    chosen.sort_by_key(|&i| (found[i].kind == Kind::Software, i));
    chosen
}

/// Whether two adapters are one device: by their place on the bus where both tell it; else equal numbers through two interfaces,
/// since one interface lists two equal cards twice.
fn is_same(a: &Gpu, b: &Gpu) -> bool {
    match (&a.pci_address, &b.pci_address) {
        (Some(a), Some(b)) => a == b,
        _ => a.backend != b.backend && a.ids == b.ids,
    }
}

/// The maker behind a PCI or Khronos vendor number.
pub(crate) fn vendor_name(vendor: u32) -> String {
    let known = match vendor {
        0x10de => "NVIDIA",
        0x1002 | 0x1022 => "AMD",
        0x8086 => "Intel",
        0x106b => "Apple",
        0x13b5 => "Arm",
        0x5143 => "Qualcomm",
        0x1010 => "Imagination",
        0x1414 => "Microsoft",
        0x1ae0 => "Google",
        0x14e4 => "Broadcom",
        0x10005 => "Mesa",
        _ => return format!("vendor {vendor:#06x}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Backend, GpuFeature, GpuLimits};

    fn gpu(name: &str, backend: Backend, kind: Kind, ids: (u32, u32), pci: Option<&str>) -> Gpu {
        Gpu {
            name: name.to_owned(),
            vendor: vendor_name(ids.0),
            kind,
            backend,
            driver: "driver 1.0".to_owned(),
            pci_address: pci.map(str::to_owned),
            ids,
            limits: GpuLimits {
                buffer_bytes_max: 1 << 31,
                binding_bytes_max: (1 << 31) - 1,
                storage_alignment_bytes: 16,
                storage_buffers_max: 8,
                workgroups_per_dimension_max: 65535,
                invocations_per_workgroup_max: 1024,
                workgroup_size_max: [1024, 1024, 64],
                workgroup_memory_bytes_max: 48 << 10,
            },
            features: vec![GpuFeature::Timestamps],
        }
    }

    fn names(found: &[Gpu], software: bool) -> Vec<(&str, Backend)> {
        select(found, software)
            .into_iter()
            .map(|i| (found[i].name.as_str(), found[i].backend))
            .collect()
    }

    #[test]
    fn one_card_is_listed_once_through_the_best_interface() {
        use Backend::{Dx12, Vulkan};
        let card = (0x10de, 1);
        let found = [
            gpu("card (D3D)", Dx12, Kind::Discrete, card, None),
            gpu("card", Vulkan, Kind::Discrete, card, Some("0000:01:00.0")),
            gpu(
                "card by another driver",
                Vulkan,
                Kind::Discrete,
                (0x10de, 2),
                Some("0000:01:00.0"),
            ),
            gpu("D3D only", Dx12, Kind::Integrated, (0x8086, 5), None),
        ];
        assert_eq!(names(&found, false), [("card", Vulkan), ("D3D only", Dx12)]);
    }

    #[test]
    fn two_equal_cards_are_two() {
        use Backend::Vulkan;
        let card = (0x1002, 7);
        let apart = [
            gpu("a", Vulkan, Kind::Discrete, card, Some("0000:01:00.0")),
            gpu("b", Vulkan, Kind::Discrete, card, Some("0000:02:00.0")),
        ];
        assert_eq!(names(&apart, false).len(), 2);
        let unplaced = [
            gpu("a", Vulkan, Kind::Discrete, card, None),
            gpu("b", Vulkan, Kind::Discrete, card, None),
        ];
        assert_eq!(names(&unplaced, false).len(), 2);
    }

    #[test]
    fn software_is_left_out_unless_asked_for_and_comes_last() {
        let found = [
            gpu(
                "llvmpipe",
                Backend::Vulkan,
                Kind::Software,
                (0x10005, 0),
                None,
            ),
            gpu("card", Backend::Vulkan, Kind::Discrete, (0x8086, 3), None),
        ];
        assert_eq!(names(&found, false), [("card", Backend::Vulkan)]);
        assert_eq!(
            names(&found, true),
            [("card", Backend::Vulkan), ("llvmpipe", Backend::Vulkan)]
        );
    }
}
