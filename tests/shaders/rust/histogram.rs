/// The kernel `histogram` for any instruction set.
#[derive(Clone, Copy, Debug)]
pub struct HistogramBody;

impl ::impel::lanes::Body for HistogramBody {
    const LANES_MAX: usize = 16;

    #[inline(always)]
    fn run<S: ::impel::lanes::Isa>(&self, s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
        histogram_tile(::impel::lanes::X::<_, 4>::new(s), launch, tile);
    }
}

#[inline(always)]
#[allow(unused, clippy::all, clippy::pedantic)]
fn histogram_tile<S: ::impel::lanes::Isa>(s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
    let lanes = S::LANES as u32;
    let groups = launch.num_workgroups;
    let b0_params = launch.buffers[0];
    let b1_data = launch.buffers[1];
    let b2_bins = launch.buffers[2];
    let params_0u = b0_params.load_u32(0u32);
    let params_1u = b0_params.load_u32(1u32);
    for wz in tile.lo[2]..tile.hi[2] {
        for wy in tile.lo[1]..tile.hi[1] {
            for wx in tile.lo[0]..tile.hi[0] {
                let mut w0_own_bins = [0u32; 256];
                let w0_own_bins = ::impel::lanes::Buffer::exclusive(&mut w0_own_bins);
                #[derive(Clone, Copy)]
                struct Kept {
                    x1_first: u32,
                }
                let mut kept = [Kept { x1_first: 0u32 }; 4];
                let v0 = wx;
                let v10 = v0.wrapping_mul(32768u32);
                let mut g = 0usize;
                let mut lx = 0u32;
                while lx < 128u32 {
                    let mut entry = s.mask_splat(true);
                    let mut x0_offset: u32 = 0u32;
                    let mut x1_first: u32 = 0u32;
                    let v1 = lx;
                    x0_offset = 0u32;
                    x1_first = 0u32;
                    let v11 = v10.wrapping_add(v1);
                    'l1: loop {
                        let v12 = x0_offset;
                        let v13 = v12 >= 32768u32;
                        if v13 {
                            break 'l1;
                        }
                        let v14 = v11.wrapping_add(v12);
                        let v15 = s.u32_lt(s.i32_add(s.u32_splat(v14), s.i32_iota()), s.u32_splat(params_0u));
                        let m21t = s.mask_and(entry, v15);
                        if s.any(m21t) {
                            s.prefetch_linear(b1_data, v14);
                            let v16 = s.load_linear_i32(b1_data, v14, m21t);
                            let v17 = s.u32_shr(v16, s.u32_splat(params_1u));
                            let v18 = s.i32_and(v17, s.u32_splat(255u32));
                            s.atomic_each(w0_own_bins, ::impel::lanes::Rmw::Add, v18, m21t, 1u32);
                        }
                        let v19 = v12.wrapping_add(128u32);
                        x0_offset = v19;
                    }
                    kept[g].x1_first = x1_first;
                    lx += lanes;
                    g += 1;
                }
                // All gangs have come here.
                let mut g = 0usize;
                let mut lx = 0u32;
                while lx < 128u32 {
                    let mut entry = s.mask_splat(true);
                    let mut x1_first = kept[g].x1_first;
                    let v1 = lx;
                    'l2: loop {
                        let v20 = x1_first;
                        let v21 = v20 >= 256u32;
                        if v21 {
                            break 'l2;
                        }
                        let v22 = v20.wrapping_add(v1);
                        let ok1 = s.u32_lt(s.i32_add(s.u32_splat(v22), s.i32_iota()), s.u32_splat(256u32));
                        let v23 = s.i32_select(ok1, s.gather_i32(w0_own_bins, s.i32_add(s.u32_splat(v22), s.i32_iota()), s.mask_and(entry, ok1)), s.i32_splat(0i32));
                        let v24 = s.u32_gt(v23, s.u32_splat(0u32));
                        let m37t = s.mask_and(entry, v24);
                        if s.any(m37t) {
                            let _ = s.atomic_rmw(b2_bins, ::impel::lanes::Rmw::Add, s.i32_add(s.u32_splat(v22), s.i32_iota()), s.mask_and(m37t, ok1), v23);
                        }
                        let v25 = v20.wrapping_add(128u32);
                        x1_first = v25;
                    }
                    kept[g].x1_first = x1_first;
                    lx += lanes;
                    g += 1;
                }
            }
        }
    }
}
