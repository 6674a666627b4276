/// The kernel `nbody_step` for any instruction set.
#[derive(Clone, Copy, Debug)]
pub struct NbodyStepBody;

impl ::impel::lanes::Body for NbodyStepBody {
    const LANES_MAX: usize = 16;

    #[inline(always)]
    fn run<S: ::impel::lanes::Isa>(&self, s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
        nbody_step_tile(s, launch, tile);
    }
}

#[inline(always)]
#[allow(unused, clippy::all, clippy::pedantic)]
fn nbody_step_tile<S: ::impel::lanes::Isa>(s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
    let lanes = S::LANES as u32;
    let groups = launch.num_workgroups;
    let b0_params = launch.buffers[0];
    let b1_accelerations = launch.buffers[1];
    let b2_velocities = launch.buffers[2];
    let b3_bodies = launch.buffers[3];
    let params_0u = b0_params.load_u32(0u32);
    let params_1f = b0_params.load_f32(1u32);
    let params_2f = b0_params.load_f32(2u32);
    let b1_accelerations_len_0_4 = b1_accelerations.words() / 4u32;
    let b2_velocities_len_0_4 = b2_velocities.words() / 4u32;
    let b3_bodies_len_0_4 = b3_bodies.words() / 4u32;
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
                let v0 = gx;
                let v4 = s.u32_ge(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(params_0u));
                let m5f = s.mask_and_not(entry, v4);
                if s.any(m5f) {
                    let ok1 = s.u32_lt(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(b2_velocities_len_0_4));
                    let v5 = s.f32_select(ok1, s.load_strided_f32(b2_velocities, v0.wrapping_mul(4u32), 4u32, s.mask_and(m5f, ok1)), s.f32_splat(0.0f32));
                    let v6 = s.f32_select(ok1, s.load_strided_f32(b2_velocities, 1u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok1)), s.f32_splat(0.0f32));
                    let v7 = s.f32_select(ok1, s.load_strided_f32(b2_velocities, 2u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok1)), s.f32_splat(0.0f32));
                    let ok2 = s.u32_lt(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(b1_accelerations_len_0_4));
                    let v8 = s.f32_select(ok2, s.load_strided_f32(b1_accelerations, v0.wrapping_mul(4u32), 4u32, s.mask_and(m5f, ok2)), s.f32_splat(0.0f32));
                    let v9 = s.f32_select(ok2, s.load_strided_f32(b1_accelerations, 1u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok2)), s.f32_splat(0.0f32));
                    let v10 = s.f32_select(ok2, s.load_strided_f32(b1_accelerations, 2u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok2)), s.f32_splat(0.0f32));
                    let v14 = s.f32_contract(s.f32_splat(params_1f), v8, v5);
                    let v15 = s.f32_contract(s.f32_splat(params_1f), v9, v6);
                    let v16 = s.f32_contract(s.f32_splat(params_1f), v10, v7);
                    let ok3 = s.u32_lt(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(b3_bodies_len_0_4));
                    let v17 = s.f32_select(ok3, s.load_strided_f32(b3_bodies, v0.wrapping_mul(4u32), 4u32, s.mask_and(m5f, ok3)), s.f32_splat(0.0f32));
                    let v18 = s.f32_select(ok3, s.load_strided_f32(b3_bodies, 1u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok3)), s.f32_splat(0.0f32));
                    let v19 = s.f32_select(ok3, s.load_strided_f32(b3_bodies, 2u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok3)), s.f32_splat(0.0f32));
                    let v23 = s.f32_contract(s.f32_splat(params_2f), v14, v17);
                    let v24 = s.f32_contract(s.f32_splat(params_2f), v15, v18);
                    let v25 = s.f32_contract(s.f32_splat(params_2f), v16, v19);
                    let v26 = s.f32_select(ok1, s.load_strided_f32(b2_velocities, 3u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok1)), s.f32_splat(0.0f32));
                    s.store_strided_f32(b2_velocities, v0.wrapping_mul(4u32), 4u32, s.mask_and(m5f, ok1), v14);
                    s.store_strided_f32(b2_velocities, 1u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok1), v15);
                    s.store_strided_f32(b2_velocities, 2u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok1), v16);
                    s.store_strided_f32(b2_velocities, 3u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok1), v26);
                    let v27 = s.f32_select(ok3, s.load_strided_f32(b3_bodies, 3u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok3)), s.f32_splat(0.0f32));
                    s.store_strided_f32(b3_bodies, v0.wrapping_mul(4u32), 4u32, s.mask_and(m5f, ok3), v23);
                    s.store_strided_f32(b3_bodies, 1u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok3), v24);
                    s.store_strided_f32(b3_bodies, 2u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok3), v25);
                    s.store_strided_f32(b3_bodies, 3u32.wrapping_add(v0.wrapping_mul(4u32)), 4u32, s.mask_and(m5f, ok3), v27);
                }
                gx = gx.wrapping_add(lanes);
                left = left.saturating_sub(lanes);
            }
            gy = gy.wrapping_add(1);
        }
        gz = gz.wrapping_add(1);
    }
}
