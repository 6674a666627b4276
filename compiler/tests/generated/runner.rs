//! Runs each kernel on each instruction set with the input in the folder that is the argument, as a whole and cut in two.

use impel_lanes::{Body, Buffer, Launch, Level, Tile, run};

fn job<B: Body>(name: &str, variant: &str, body: &B) {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).expect("the folder of inputs"));
    let file = std::fs::read(folder.join(format!("{name}.in"))).expect("an input");
    let mut words = file.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
    let mut next = || words.next().expect("another word");
    let num_workgroups = [next(), next(), next()];
    let count = next();
    let inputs: Vec<Vec<u32>> = (0..count).map(|_| (0..next()).map(|_| next()).collect()).collect();
    for level in Level::available() {
        for cut in [num_workgroups[0], num_workgroups[0] / 2] {
            let mut memory = inputs.clone();
            let buffers: Vec<Buffer<'_>> = memory.iter_mut().map(shared).collect();
            let launch = Launch { buffers: &buffers, num_workgroups };
            let [_, y, z] = num_workgroups;
            run(level, body, &launch, Tile { lo: [0; 3], hi: [cut, y, z] });
            run(level, body, &launch, Tile { lo: [cut, 0, 0], hi: num_workgroups });
            let bytes: Vec<u8> = memory.iter().flatten().flat_map(|word| word.to_le_bytes()).collect();
            std::fs::write(folder.join(format!("{name}.out.{variant}.{level}.{cut}")), bytes).expect("an output");
        }
    }
}

/// A buffer that other threads might hold as well, so that atomic operations are atomic.
fn shared(words: &mut Vec<u32>) -> Buffer<'_> {
    // SAFETY: the words stay borrowed while the buffer lives, and there is one thread.
    unsafe { Buffer::from_raw(words.as_mut_ptr(), words.len() as u32) }
}
