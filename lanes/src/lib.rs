//! The words that impel's generated CPU code is written in: SIMD lanes, masks, vector mathematics, bounded memory.
