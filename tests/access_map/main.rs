//! Does an access map tell the truth? Footprints against what the oracle sees a tile touch, for every kernel and every shader
//! of the corpus, over random tiles, parameters and array lengths.

mod constants;
mod footprints;
mod kernels;
mod leak;
mod programs;
mod random;
mod shader;
mod splitting;
