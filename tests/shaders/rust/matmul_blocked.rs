/// The kernel `matmul_blocked` for any instruction set.
#[derive(Clone, Copy, Debug)]
pub struct MatmulBlockedBody;

impl ::impel::lanes::Body for MatmulBlockedBody {
    const LANES_MAX: usize = 16;

    #[inline(always)]
    fn run<S: ::impel::lanes::Isa>(&self, s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
        matmul_blocked_tile(s, launch, tile);
    }
}

#[inline(always)]
#[allow(unused, clippy::all, clippy::pedantic)]
fn matmul_blocked_tile<S: ::impel::lanes::Isa>(s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
    let lanes = S::LANES as u32;
    let groups = launch.num_workgroups;
    let b0_params = launch.buffers[0];
    let b1_a = launch.buffers[1];
    let b2_b = launch.buffers[2];
    let b3_c = launch.buffers[3];
    let params_2u = b0_params.load_u32(2u32);
    let params_0u = b0_params.load_u32(0u32);
    let params_1u = b0_params.load_u32(1u32);
    for wz in tile.lo[2]..tile.hi[2] {
        for wy in tile.lo[1]..tile.hi[1] {
            for wx in tile.lo[0]..tile.hi[0] {
                let mut w0_tile_a = [0u32; 1024];
                let w0_tile_a = ::impel::lanes::Buffer::exclusive(&mut w0_tile_a);
                let mut w1_tile_b = [0u32; 1024];
                let w1_tile_b = ::impel::lanes::Buffer::exclusive(&mut w1_tile_b);
                let mut x16_k0: u32 = 0u32;
                #[derive(Clone, Copy)]
                struct Kept<S: ::impel::lanes::Isa> {
                    x0_block0_x: S::F32,
                    x1_block0_y: S::F32,
                    x2_block0_z: S::F32,
                    x3_block0_w: S::F32,
                    x4_block1_x: S::F32,
                    x5_block1_y: S::F32,
                    x6_block1_z: S::F32,
                    x7_block1_w: S::F32,
                    x8_block2_x: S::F32,
                    x9_block2_y: S::F32,
                    x10_block2_z: S::F32,
                    x11_block2_w: S::F32,
                    x12_block3_x: S::F32,
                    x13_block3_y: S::F32,
                    x14_block3_z: S::F32,
                    x15_block3_w: S::F32,
                }
                let mut kept = [Kept::<S> { x0_block0_x: s.f32_splat(0.0f32), x1_block0_y: s.f32_splat(0.0f32), x2_block0_z: s.f32_splat(0.0f32), x3_block0_w: s.f32_splat(0.0f32), x4_block1_x: s.f32_splat(0.0f32), x5_block1_y: s.f32_splat(0.0f32), x6_block1_z: s.f32_splat(0.0f32), x7_block1_w: s.f32_splat(0.0f32), x8_block2_x: s.f32_splat(0.0f32), x9_block2_y: s.f32_splat(0.0f32), x10_block2_z: s.f32_splat(0.0f32), x11_block2_w: s.f32_splat(0.0f32), x12_block3_x: s.f32_splat(0.0f32), x13_block3_y: s.f32_splat(0.0f32), x14_block3_z: s.f32_splat(0.0f32), x15_block3_w: s.f32_splat(0.0f32) }; 32];
                let v0 = wx;
                let v1 = wy;
                x16_k0 = 0u32;
                let v17 = v1.wrapping_mul(64u32);
                let v18 = v0.wrapping_mul(64u32);
                let mut g = 0usize;
                for ly in 0..16u32 {
                    let mut lx = 0u32;
                    while lx < 16u32 {
                        let mut entry = s.mask_splat(true);
                        let mut x0_block0_x = s.f32_splat(0.0f32);
                        let mut x1_block0_y = s.f32_splat(0.0f32);
                        let mut x2_block0_z = s.f32_splat(0.0f32);
                        let mut x3_block0_w = s.f32_splat(0.0f32);
                        let mut x4_block1_x = s.f32_splat(0.0f32);
                        let mut x5_block1_y = s.f32_splat(0.0f32);
                        let mut x6_block1_z = s.f32_splat(0.0f32);
                        let mut x7_block1_w = s.f32_splat(0.0f32);
                        let mut x8_block2_x = s.f32_splat(0.0f32);
                        let mut x9_block2_y = s.f32_splat(0.0f32);
                        let mut x10_block2_z = s.f32_splat(0.0f32);
                        let mut x11_block2_w = s.f32_splat(0.0f32);
                        let mut x12_block3_x = s.f32_splat(0.0f32);
                        let mut x13_block3_y = s.f32_splat(0.0f32);
                        let mut x14_block3_z = s.f32_splat(0.0f32);
                        let mut x15_block3_w = s.f32_splat(0.0f32);
                        let v2 = lx;
                        let v3 = ly;
                        x0_block0_x = s.f32_splat(0.0f32);
                        x1_block0_y = s.f32_splat(0.0f32);
                        x2_block0_z = s.f32_splat(0.0f32);
                        x3_block0_w = s.f32_splat(0.0f32);
                        x4_block1_x = s.f32_splat(0.0f32);
                        x5_block1_y = s.f32_splat(0.0f32);
                        x6_block1_z = s.f32_splat(0.0f32);
                        x7_block1_w = s.f32_splat(0.0f32);
                        x8_block2_x = s.f32_splat(0.0f32);
                        x9_block2_y = s.f32_splat(0.0f32);
                        x10_block2_z = s.f32_splat(0.0f32);
                        x11_block2_w = s.f32_splat(0.0f32);
                        x12_block3_x = s.f32_splat(0.0f32);
                        x13_block3_y = s.f32_splat(0.0f32);
                        x14_block3_z = s.f32_splat(0.0f32);
                        x15_block3_w = s.f32_splat(0.0f32);
                        kept[g].x0_block0_x = x0_block0_x;
                        kept[g].x1_block0_y = x1_block0_y;
                        kept[g].x2_block0_z = x2_block0_z;
                        kept[g].x3_block0_w = x3_block0_w;
                        kept[g].x4_block1_x = x4_block1_x;
                        kept[g].x5_block1_y = x5_block1_y;
                        kept[g].x6_block1_z = x6_block1_z;
                        kept[g].x7_block1_w = x7_block1_w;
                        kept[g].x8_block2_x = x8_block2_x;
                        kept[g].x9_block2_y = x9_block2_y;
                        kept[g].x10_block2_z = x10_block2_z;
                        kept[g].x11_block2_w = x11_block2_w;
                        kept[g].x12_block3_x = x12_block3_x;
                        kept[g].x13_block3_y = x13_block3_y;
                        kept[g].x14_block3_z = x14_block3_z;
                        kept[g].x15_block3_w = x15_block3_w;
                        lx += lanes;
                        g += 1;
                    }
                }
                'l1: loop {
                    let v19 = x16_k0;
                    let v20 = v19 >= params_2u;
                    if v20 {
                        break 'l1;
                    }
                    let mut g = 0usize;
                    for ly in 0..16u32 {
                        let mut lx = 0u32;
                        while lx < 16u32 {
                            let mut entry = s.mask_splat(true);
                            let mut x17_r: u32 = 0u32;
                            let mut x18_from_a = s.f32_splat(0.0f32);
                            let mut x19_q: u32 = 0u32;
                            let mut x20_from_b = s.f32_splat(0.0f32);
                            let v2 = lx;
                            let v3 = ly;
                            x17_r = 0u32;
                            'l2: loop {
                                let v21 = x17_r;
                                let v22 = v21 >= 64u32;
                                if v22 {
                                    break 'l2;
                                }
                                let v23 = v17.wrapping_add(v21);
                                let v24 = v23.wrapping_add(v3);
                                x18_from_a = s.f32_splat(0.0f32);
                                let v25 = v24 < params_0u;
                                let v26 = v19.wrapping_add(v2);
                                let v27 = s.u32_lt(s.i32_add(s.u32_splat(v26), s.i32_iota()), s.u32_splat(params_2u));
                                let v28 = s.mask_and(s.mask_splat(v25), v27);
                                let v29 = v24.wrapping_mul(params_2u);
                                let v30 = v29.wrapping_add(v19);
                                let v31 = v30.wrapping_add(v2);
                                s.prefetch_linear(b1_a, v31);
                                let v32 = s.load_linear_f32(b1_a, v31, entry);
                                x18_from_a = s.f32_select(v28, v32, x18_from_a);
                                let v33 = v21.wrapping_add(v3);
                                let v34 = x18_from_a;
                                let ok1 = v33 < 64u32;
                                if ok1 { s.store_linear_f32(w0_tile_a, v33.wrapping_mul(16u32).wrapping_add(v2), entry, v34); }
                                let v35 = v21.wrapping_add(16u32);
                                x17_r = v35;
                            }
                            x19_q = 0u32;
                            'l3: loop {
                                let v36 = x19_q;
                                let v37 = v36 >= 64u32;
                                if v37 {
                                    break 'l3;
                                }
                                let v38 = v18.wrapping_add(v36);
                                let v39 = v38.wrapping_add(v2);
                                x20_from_b = s.f32_splat(0.0f32);
                                let v40 = v19.wrapping_add(v3);
                                let v41 = v40 < params_2u;
                                let v42 = s.u32_lt(s.i32_add(s.u32_splat(v39), s.i32_iota()), s.u32_splat(params_1u));
                                let v43 = s.mask_and(s.mask_splat(v41), v42);
                                let v44 = v40.wrapping_mul(params_1u);
                                let v45 = v44.wrapping_add(v39);
                                s.prefetch_linear(b2_b, v45);
                                let v46 = s.load_linear_f32(b2_b, v45, entry);
                                x20_from_b = s.f32_select(v43, v46, x20_from_b);
                                let v47 = v36.wrapping_add(v2);
                                let v48 = x20_from_b;
                                let ok2 = s.u32_lt(s.i32_add(s.u32_splat(v47), s.i32_iota()), s.u32_splat(64u32));
                                s.store_linear_f32(w1_tile_b, v3.wrapping_mul(64u32).wrapping_add(v47), s.mask_and(entry, ok2), v48);
                                let v49 = v36.wrapping_add(16u32);
                                x19_q = v49;
                            }
                            lx += lanes;
                            g += 1;
                        }
                    }
                    // All gangs have come here.
                    let mut g = 0usize;
                    for ly in 0..16u32 {
                        let mut lx = 0u32;
                        while lx < 16u32 {
                            let mut entry = s.mask_splat(true);
                            let mut x21_i: u32 = 0u32;
                            let mut x0_block0_x = kept[g].x0_block0_x;
                            let mut x1_block0_y = kept[g].x1_block0_y;
                            let mut x2_block0_z = kept[g].x2_block0_z;
                            let mut x3_block0_w = kept[g].x3_block0_w;
                            let mut x4_block1_x = kept[g].x4_block1_x;
                            let mut x5_block1_y = kept[g].x5_block1_y;
                            let mut x6_block1_z = kept[g].x6_block1_z;
                            let mut x7_block1_w = kept[g].x7_block1_w;
                            let mut x8_block2_x = kept[g].x8_block2_x;
                            let mut x9_block2_y = kept[g].x9_block2_y;
                            let mut x10_block2_z = kept[g].x10_block2_z;
                            let mut x11_block2_w = kept[g].x11_block2_w;
                            let mut x12_block3_x = kept[g].x12_block3_x;
                            let mut x13_block3_y = kept[g].x13_block3_y;
                            let mut x14_block3_z = kept[g].x14_block3_z;
                            let mut x15_block3_w = kept[g].x15_block3_w;
                            let v2 = lx;
                            let v3 = ly;
                            x21_i = 0u32;
                            'l4: loop {
                                let v50 = x21_i;
                                let v51 = v50 >= 16u32;
                                if v51 {
                                    break 'l4;
                                }
                                let ok1 = v50 < 16u32;
                                let v52 = if ok1 { s.load_linear_f32(w1_tile_b, v50.wrapping_mul(64u32).wrapping_add(v2), entry) } else { s.f32_splat(0.0f32) };
                                let v53 = v2.wrapping_add(16u32);
                                let v54 = if ok1 { s.load_linear_f32(w1_tile_b, v50.wrapping_mul(64u32).wrapping_add(v53), entry) } else { s.f32_splat(0.0f32) };
                                let v55 = v2.wrapping_add(32u32);
                                let v56 = if ok1 { s.load_linear_f32(w1_tile_b, v50.wrapping_mul(64u32).wrapping_add(v55), entry) } else { s.f32_splat(0.0f32) };
                                let v57 = v2.wrapping_add(48u32);
                                let v58 = if ok1 { s.load_linear_f32(w1_tile_b, v50.wrapping_mul(64u32).wrapping_add(v57), entry) } else { s.f32_splat(0.0f32) };
                                let v59 = x0_block0_x;
                                let v60 = x1_block0_y;
                                let v61 = x2_block0_z;
                                let v62 = x3_block0_w;
                                let v63 = v3.wrapping_mul(4u32);
                                let v64 = if ok1 { w0_tile_a.load_f32(v63.wrapping_mul(16u32).wrapping_add(v50)) } else { 0.0f32 };
                                let v69 = s.f32_contract(s.f32_splat(v64), v52, v59);
                                let v70 = s.f32_contract(s.f32_splat(v64), v54, v60);
                                let v71 = s.f32_contract(s.f32_splat(v64), v56, v61);
                                let v72 = s.f32_contract(s.f32_splat(v64), v58, v62);
                                x0_block0_x = v69;
                                x1_block0_y = v70;
                                x2_block0_z = v71;
                                x3_block0_w = v72;
                                let v73 = x4_block1_x;
                                let v74 = x5_block1_y;
                                let v75 = x6_block1_z;
                                let v76 = x7_block1_w;
                                let v77 = v63.wrapping_add(1u32);
                                let v78 = if ok1 { w0_tile_a.load_f32(v77.wrapping_mul(16u32).wrapping_add(v50)) } else { 0.0f32 };
                                let v83 = s.f32_contract(s.f32_splat(v78), v52, v73);
                                let v84 = s.f32_contract(s.f32_splat(v78), v54, v74);
                                let v85 = s.f32_contract(s.f32_splat(v78), v56, v75);
                                let v86 = s.f32_contract(s.f32_splat(v78), v58, v76);
                                x4_block1_x = v83;
                                x5_block1_y = v84;
                                x6_block1_z = v85;
                                x7_block1_w = v86;
                                let v87 = x8_block2_x;
                                let v88 = x9_block2_y;
                                let v89 = x10_block2_z;
                                let v90 = x11_block2_w;
                                let v91 = v63.wrapping_add(2u32);
                                let v92 = if ok1 { w0_tile_a.load_f32(v91.wrapping_mul(16u32).wrapping_add(v50)) } else { 0.0f32 };
                                let v97 = s.f32_contract(s.f32_splat(v92), v52, v87);
                                let v98 = s.f32_contract(s.f32_splat(v92), v54, v88);
                                let v99 = s.f32_contract(s.f32_splat(v92), v56, v89);
                                let v100 = s.f32_contract(s.f32_splat(v92), v58, v90);
                                x8_block2_x = v97;
                                x9_block2_y = v98;
                                x10_block2_z = v99;
                                x11_block2_w = v100;
                                let v101 = x12_block3_x;
                                let v102 = x13_block3_y;
                                let v103 = x14_block3_z;
                                let v104 = x15_block3_w;
                                let v105 = v63.wrapping_add(3u32);
                                let v106 = if ok1 { w0_tile_a.load_f32(v105.wrapping_mul(16u32).wrapping_add(v50)) } else { 0.0f32 };
                                let v111 = s.f32_contract(s.f32_splat(v106), v52, v101);
                                let v112 = s.f32_contract(s.f32_splat(v106), v54, v102);
                                let v113 = s.f32_contract(s.f32_splat(v106), v56, v103);
                                let v114 = s.f32_contract(s.f32_splat(v106), v58, v104);
                                x12_block3_x = v111;
                                x13_block3_y = v112;
                                x14_block3_z = v113;
                                x15_block3_w = v114;
                                let v115 = v50.wrapping_add(1u32);
                                x21_i = v115;
                            }
                            kept[g].x0_block0_x = x0_block0_x;
                            kept[g].x1_block0_y = x1_block0_y;
                            kept[g].x2_block0_z = x2_block0_z;
                            kept[g].x3_block0_w = x3_block0_w;
                            kept[g].x4_block1_x = x4_block1_x;
                            kept[g].x5_block1_y = x5_block1_y;
                            kept[g].x6_block1_z = x6_block1_z;
                            kept[g].x7_block1_w = x7_block1_w;
                            kept[g].x8_block2_x = x8_block2_x;
                            kept[g].x9_block2_y = x9_block2_y;
                            kept[g].x10_block2_z = x10_block2_z;
                            kept[g].x11_block2_w = x11_block2_w;
                            kept[g].x12_block3_x = x12_block3_x;
                            kept[g].x13_block3_y = x13_block3_y;
                            kept[g].x14_block3_z = x14_block3_z;
                            kept[g].x15_block3_w = x15_block3_w;
                            lx += lanes;
                            g += 1;
                        }
                    }
                    // All gangs have come here.
                    let v116 = v19.wrapping_add(16u32);
                    x16_k0 = v116;
                }
                let mut g = 0usize;
                for ly in 0..16u32 {
                    let mut lx = 0u32;
                    while lx < 16u32 {
                        let mut entry = s.mask_splat(true);
                        let mut x0_block0_x = kept[g].x0_block0_x;
                        let mut x1_block0_y = kept[g].x1_block0_y;
                        let mut x2_block0_z = kept[g].x2_block0_z;
                        let mut x3_block0_w = kept[g].x3_block0_w;
                        let mut x4_block1_x = kept[g].x4_block1_x;
                        let mut x5_block1_y = kept[g].x5_block1_y;
                        let mut x6_block1_z = kept[g].x6_block1_z;
                        let mut x7_block1_w = kept[g].x7_block1_w;
                        let mut x8_block2_x = kept[g].x8_block2_x;
                        let mut x9_block2_y = kept[g].x9_block2_y;
                        let mut x10_block2_z = kept[g].x10_block2_z;
                        let mut x11_block2_w = kept[g].x11_block2_w;
                        let mut x12_block3_x = kept[g].x12_block3_x;
                        let mut x13_block3_y = kept[g].x13_block3_y;
                        let mut x14_block3_z = kept[g].x14_block3_z;
                        let mut x15_block3_w = kept[g].x15_block3_w;
                        let v2 = lx;
                        let v3 = ly;
                        let v117 = v3.wrapping_mul(4u32);
                        let v118 = v17.wrapping_add(v117);
                        let v119 = v18.wrapping_add(v2);
                        let v120 = x0_block0_x;
                        let v121 = x1_block0_y;
                        let v122 = x2_block0_z;
                        let v123 = x3_block0_w;
                        let v124 = v118 < params_0u;
                        if v124 {
                            let v125 = v118.wrapping_mul(params_1u);
                            let v126 = v125.wrapping_add(v119);
                            let v127 = s.u32_lt(s.i32_add(s.u32_splat(v119), s.i32_iota()), s.u32_splat(params_1u));
                            let m191t = s.mask_and(entry, v127);
                            if s.any(m191t) {
                                s.store_linear_f32(b3_c, v126, m191t, v120);
                            }
                            let v128 = v119.wrapping_add(16u32);
                            let v129 = s.u32_lt(s.i32_add(s.u32_splat(v128), s.i32_iota()), s.u32_splat(params_1u));
                            let m195t = s.mask_and(entry, v129);
                            if s.any(m195t) {
                                let v130 = v126.wrapping_add(16u32);
                                s.store_linear_f32(b3_c, v130, m195t, v121);
                            }
                            let v131 = v119.wrapping_add(32u32);
                            let v132 = s.u32_lt(s.i32_add(s.u32_splat(v131), s.i32_iota()), s.u32_splat(params_1u));
                            let m200t = s.mask_and(entry, v132);
                            if s.any(m200t) {
                                let v133 = v126.wrapping_add(32u32);
                                s.store_linear_f32(b3_c, v133, m200t, v122);
                            }
                            let v134 = v119.wrapping_add(48u32);
                            let v135 = s.u32_lt(s.i32_add(s.u32_splat(v134), s.i32_iota()), s.u32_splat(params_1u));
                            let m205t = s.mask_and(entry, v135);
                            if s.any(m205t) {
                                let v136 = v126.wrapping_add(48u32);
                                s.store_linear_f32(b3_c, v136, m205t, v123);
                            }
                        }
                        let v137 = v118.wrapping_add(1u32);
                        let v138 = x4_block1_x;
                        let v139 = x5_block1_y;
                        let v140 = x6_block1_z;
                        let v141 = x7_block1_w;
                        let v142 = v137 < params_0u;
                        if v142 {
                            let v143 = v137.wrapping_mul(params_1u);
                            let v144 = v143.wrapping_add(v119);
                            let v145 = s.u32_lt(s.i32_add(s.u32_splat(v119), s.i32_iota()), s.u32_splat(params_1u));
                            let m218t = s.mask_and(entry, v145);
                            if s.any(m218t) {
                                s.store_linear_f32(b3_c, v144, m218t, v138);
                            }
                            let v146 = v119.wrapping_add(16u32);
                            let v147 = s.u32_lt(s.i32_add(s.u32_splat(v146), s.i32_iota()), s.u32_splat(params_1u));
                            let m222t = s.mask_and(entry, v147);
                            if s.any(m222t) {
                                let v148 = v144.wrapping_add(16u32);
                                s.store_linear_f32(b3_c, v148, m222t, v139);
                            }
                            let v149 = v119.wrapping_add(32u32);
                            let v150 = s.u32_lt(s.i32_add(s.u32_splat(v149), s.i32_iota()), s.u32_splat(params_1u));
                            let m227t = s.mask_and(entry, v150);
                            if s.any(m227t) {
                                let v151 = v144.wrapping_add(32u32);
                                s.store_linear_f32(b3_c, v151, m227t, v140);
                            }
                            let v152 = v119.wrapping_add(48u32);
                            let v153 = s.u32_lt(s.i32_add(s.u32_splat(v152), s.i32_iota()), s.u32_splat(params_1u));
                            let m232t = s.mask_and(entry, v153);
                            if s.any(m232t) {
                                let v154 = v144.wrapping_add(48u32);
                                s.store_linear_f32(b3_c, v154, m232t, v141);
                            }
                        }
                        let v155 = v118.wrapping_add(2u32);
                        let v156 = x8_block2_x;
                        let v157 = x9_block2_y;
                        let v158 = x10_block2_z;
                        let v159 = x11_block2_w;
                        let v160 = v155 < params_0u;
                        if v160 {
                            let v161 = v155.wrapping_mul(params_1u);
                            let v162 = v161.wrapping_add(v119);
                            let v163 = s.u32_lt(s.i32_add(s.u32_splat(v119), s.i32_iota()), s.u32_splat(params_1u));
                            let m245t = s.mask_and(entry, v163);
                            if s.any(m245t) {
                                s.store_linear_f32(b3_c, v162, m245t, v156);
                            }
                            let v164 = v119.wrapping_add(16u32);
                            let v165 = s.u32_lt(s.i32_add(s.u32_splat(v164), s.i32_iota()), s.u32_splat(params_1u));
                            let m249t = s.mask_and(entry, v165);
                            if s.any(m249t) {
                                let v166 = v162.wrapping_add(16u32);
                                s.store_linear_f32(b3_c, v166, m249t, v157);
                            }
                            let v167 = v119.wrapping_add(32u32);
                            let v168 = s.u32_lt(s.i32_add(s.u32_splat(v167), s.i32_iota()), s.u32_splat(params_1u));
                            let m254t = s.mask_and(entry, v168);
                            if s.any(m254t) {
                                let v169 = v162.wrapping_add(32u32);
                                s.store_linear_f32(b3_c, v169, m254t, v158);
                            }
                            let v170 = v119.wrapping_add(48u32);
                            let v171 = s.u32_lt(s.i32_add(s.u32_splat(v170), s.i32_iota()), s.u32_splat(params_1u));
                            let m259t = s.mask_and(entry, v171);
                            if s.any(m259t) {
                                let v172 = v162.wrapping_add(48u32);
                                s.store_linear_f32(b3_c, v172, m259t, v159);
                            }
                        }
                        let v173 = v118.wrapping_add(3u32);
                        let v174 = x12_block3_x;
                        let v175 = x13_block3_y;
                        let v176 = x14_block3_z;
                        let v177 = x15_block3_w;
                        let v178 = v173 < params_0u;
                        if v178 {
                            let v179 = v173.wrapping_mul(params_1u);
                            let v180 = v179.wrapping_add(v119);
                            let v181 = s.u32_lt(s.i32_add(s.u32_splat(v119), s.i32_iota()), s.u32_splat(params_1u));
                            let m272t = s.mask_and(entry, v181);
                            if s.any(m272t) {
                                s.store_linear_f32(b3_c, v180, m272t, v174);
                            }
                            let v182 = v119.wrapping_add(16u32);
                            let v183 = s.u32_lt(s.i32_add(s.u32_splat(v182), s.i32_iota()), s.u32_splat(params_1u));
                            let m276t = s.mask_and(entry, v183);
                            if s.any(m276t) {
                                let v184 = v180.wrapping_add(16u32);
                                s.store_linear_f32(b3_c, v184, m276t, v175);
                            }
                            let v185 = v119.wrapping_add(32u32);
                            let v186 = s.u32_lt(s.i32_add(s.u32_splat(v185), s.i32_iota()), s.u32_splat(params_1u));
                            let m281t = s.mask_and(entry, v186);
                            if s.any(m281t) {
                                let v187 = v180.wrapping_add(32u32);
                                s.store_linear_f32(b3_c, v187, m281t, v176);
                            }
                            let v188 = v119.wrapping_add(48u32);
                            let v189 = s.u32_lt(s.i32_add(s.u32_splat(v188), s.i32_iota()), s.u32_splat(params_1u));
                            let m286t = s.mask_and(entry, v189);
                            if s.any(m286t) {
                                let v190 = v180.wrapping_add(48u32);
                                s.store_linear_f32(b3_c, v190, m286t, v177);
                            }
                        }
                        lx += lanes;
                        g += 1;
                    }
                }
            }
        }
    }
}
