/// The kernel `nbody` for any instruction set.
#[derive(Clone, Copy, Debug)]
pub struct NbodyBody;

impl ::impel::lanes::Body for NbodyBody {
    const LANES_MAX: usize = 16;

    #[inline(always)]
    fn run<S: ::impel::lanes::Isa>(&self, s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
        nbody_tile(::impel::lanes::X::<_, 2>::new(s), launch, tile);
    }
}

#[inline(always)]
#[allow(unused, clippy::all, clippy::pedantic)]
fn nbody_tile<S: ::impel::lanes::Isa>(s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
    let lanes = S::LANES as u32;
    let groups = launch.num_workgroups;
    let b0_params = launch.buffers[0];
    let b1_bodies = launch.buffers[1];
    let b2_accelerations = launch.buffers[2];
    let params_0u = b0_params.load_u32(0u32);
    let params_1f = b0_params.load_f32(1u32);
    let b1_bodies_len_0_4 = b1_bodies.words() / 4u32;
    let b2_accelerations_len_0_4 = b2_accelerations.words() / 4u32;
    let x_lo = tile.lo[0].wrapping_mul(64u32);
    let x_hi = tile.hi[0].wrapping_mul(64u32);
    let y_lo = tile.lo[1].wrapping_mul(1u32);
    let y_hi = tile.hi[1].wrapping_mul(1u32);
    let z_lo = tile.lo[2].wrapping_mul(1u32);
    let z_hi = tile.hi[2].wrapping_mul(1u32);
    let mut gz = z_lo;
    while gz != z_hi {
        let mut gy = y_lo;
        while gy != y_hi {
            let mut gx = x_lo;
            let mut left = x_hi.wrapping_sub(x_lo);
            while left != 0 {
                let mut entry = s.first_lanes(left);
                let mut x0_acceleration_x = s.f32_splat(0.0f32);
                let mut x1_acceleration_y = s.f32_splat(0.0f32);
                let mut x2_acceleration_z = s.f32_splat(0.0f32);
                let mut x3_j: u32 = 0u32;
                let v0 = gx;
                x0_acceleration_x = s.f32_splat(0.0f32);
                x1_acceleration_y = s.f32_splat(0.0f32);
                x2_acceleration_z = s.f32_splat(0.0f32);
                x3_j = 0u32;
                let v6 = s.u32_ge(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(params_0u));
                let m11f = s.mask_and_not(entry, v6);
                if s.any(m11f) {
                    let ok1 = s.u32_lt(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(b1_bodies_len_0_4));
                    let v7 = s.f32_select(ok1, s.load_strided_f32(b1_bodies, v0.wrapping_mul(4u32), 4u32, s.mask_and(m11f, ok1)), s.f32_splat(0.0f32));
                    let v8 = s.f32_select(ok1, s.load_strided_f32(b1_bodies, 1u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m11f, ok1)), s.f32_splat(0.0f32));
                    let v9 = s.f32_select(ok1, s.load_strided_f32(b1_bodies, 2u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m11f, ok1)), s.f32_splat(0.0f32));
                    'l1: loop {
                        let v10 = x3_j;
                        let v11 = v10 >= params_0u;
                        if v11 {
                            break 'l1;
                        }
                        let ok2 = v10 < b1_bodies_len_0_4;
                        let v12 = if ok2 { b1_bodies.load_f32(v10.wrapping_mul(4u32)) } else { 0.0f32 };
                        let v13 = if ok2 { b1_bodies.load_f32(1u32.wrapping_add(v10.wrapping_mul(4u32))) } else { 0.0f32 };
                        let v14 = if ok2 { b1_bodies.load_f32(2u32.wrapping_add(v10.wrapping_mul(4u32))) } else { 0.0f32 };
                        let v15 = if ok2 { b1_bodies.load_f32(3u32.wrapping_add(v10.wrapping_mul(4u32))) } else { 0.0f32 };
                        let v16 = s.f32_sub(s.f32_splat(v12), v7);
                        let v17 = s.f32_sub(s.f32_splat(v13), v8);
                        let v18 = s.f32_sub(s.f32_splat(v14), v9);
                        let v19 = s.f32_mul(v16, v16);
                        let v22 = s.f32_contract(v17, v17, v19);
                        let v23 = s.f32_contract(v18, v18, v22);
                        let v24 = s.f32_add(v23, s.f32_splat(params_1f));
                        let v25 = s.f32_inverse_sqrt(v24);
                        let v26 = s.f32_mul(s.f32_splat(v15), v25);
                        let v27 = s.f32_mul(v26, v25);
                        let v28 = s.f32_mul(v27, v25);
                        let v29 = x0_acceleration_x;
                        let v30 = x1_acceleration_y;
                        let v31 = x2_acceleration_z;
                        let v35 = s.f32_contract(v28, v16, v29);
                        let v36 = s.f32_contract(v28, v17, v30);
                        let v37 = s.f32_contract(v28, v18, v31);
                        x0_acceleration_x = v35;
                        x1_acceleration_y = v36;
                        x2_acceleration_z = v37;
                        let v38 = v10.wrapping_add(1u32);
                        x3_j = v38;
                    }
                    let v39 = x0_acceleration_x;
                    let v40 = x1_acceleration_y;
                    let v41 = x2_acceleration_z;
                    let ok3 = s.u32_lt(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(b2_accelerations_len_0_4));
                    s.store_strided_f32(b2_accelerations, v0.wrapping_mul(4u32), 4u32, s.mask_and(m11f, ok3), v39);
                    s.store_strided_f32(b2_accelerations, 1u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m11f, ok3), v40);
                    s.store_strided_f32(b2_accelerations, 2u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m11f, ok3), v41);
                    s.store_strided_f32(b2_accelerations, 3u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m11f, ok3), s.f32_splat(0.0f32));
                }
                gx = gx.wrapping_add(lanes);
                left = left.saturating_sub(lanes);
            }
            gy = gy.wrapping_add(1);
        }
        gz = gz.wrapping_add(1);
    }
}
