// about: option prices: exp, log and sqrt in straight-line code with a function
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0.price: f32 5..50
// fill 0.strike: f32 5..50
// fill 0.years: f32 0.25..3
// tolerance: rel 1e-3 abs 2e-3
struct Option {
    price: f32,
    strike: f32,
    years: f32,
}

@group(0) @binding(0) var<storage, read> options: array<Option>;
@group(0) @binding(1) var<storage, read_write> values: array<vec2f>;

const RATE = 0.02;
const VOLATILITY = 0.3;

fn cumulative(d: f32) -> f32 {
    let k = 1.0 / (1.0 + 0.2316419 * abs(d));
    let series = k * (0.31938153 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))));
    let tail = 0.39894228 * exp(-0.5 * d * d) * series;
    return select(tail, 1.0 - tail, d > 0.0);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x >= arrayLength(&values)) {
        return;
    }
    let option = options[id.x];
    let root = sqrt(option.years);
    let d1 = (log(option.price / option.strike) + (RATE + 0.5 * VOLATILITY * VOLATILITY) * option.years) / (VOLATILITY * root);
    let d2 = d1 - VOLATILITY * root;
    let discounted = option.strike * exp(-RATE * option.years);
    values[id.x] = vec2f(
        option.price * cumulative(d1) - discounted * cumulative(d2),
        discounted * cumulative(-d2) - option.price * cumulative(-d1),
    );
}
