//! Random kernels: indices, guards, loops and jumps of any shape, over random parameters. Whatever the analysis makes of them, it
//! must hold what they do.

use impel_compiler::front::{Options, parse};

use crate::footprints::{Shown, check_launch};
use crate::random::Random;
use crate::shader::{Launch, Shader};

/// Writes a random kernel.
struct Writer<'r> {
    random: &'r mut Random,
    text: String,
    /// Names in scope: `u32` and `i32` values.
    unsigned: Vec<String>,
    signed: Vec<String>,
    names: u32,
    loops: u32,
}

const HEAD: &str = "
struct Params { n: u32, w: u32, h: u32, i: i32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;
@group(0) @binding(3) var<storage, read_write> pairs: array<vec2<u32>>;
@compute @workgroup_size(4, 3)
fn main(
    @builtin(global_invocation_id) gid: vec3<u32>, @builtin(workgroup_id) wid: vec3<u32>,
    @builtin(local_invocation_id) lid: vec3<u32>, @builtin(local_invocation_index) index: u32,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    var sum = 0u;
";

impl Writer<'_> {
    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[self.random.below(among.len() as u32) as usize]
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn unsigned(&mut self, depth: u32) -> String {
        if depth == 0 || self.random.below(4) == 0 {
            return self.unsigned_leaf();
        }
        let operand = |writer: &mut Self| writer.unsigned(depth - 1);
        match self.random.below(16) {
            0..=4 => format!("({} + {})", operand(self), operand(self)),
            5..=6 => format!("({} - {})", operand(self), operand(self)),
            7..=9 => format!("({} * {})", operand(self), self.unsigned_leaf()),
            10 => {
                let divisor = self.pick(&["2u", "3u", "p.w", "4u"]);
                let op = self.pick(&["/", "%"]);
                format!("({} {op} {divisor})", operand(self))
            }
            11 => format!("min({}, {})", operand(self), operand(self)),
            12 => format!("max({}, {})", operand(self), operand(self)),
            13 => {
                let op = self.pick(&["<< 2u", ">> 1u", "& 7u", "| 1u", "^ 3u", "<< (p.h & 3u)"]);
                format!("({} {op})", operand(self))
            }
            14 => format!("u32({})", self.signed(depth - 1)),
            _ => {
                let condition = self.condition(depth - 1);
                format!("select({}, {}, {condition})", operand(self), operand(self))
            }
        }
    }

    fn unsigned_leaf(&mut self) -> String {
        match self.random.below(12) {
            0..=2 => "gid.x".to_owned(),
            3 => "gid.y".to_owned(),
            4 => self
                .pick(&["wid.x", "lid.x", "lid.y", "wid.y", "index"])
                .to_owned(),
            5 => self
                .pick(&["p.n", "p.w", "p.h", "groups.x", "arrayLength(&output)"])
                .to_owned(),
            6 | 7 => self.random.below(6).to_string() + "u",
            _ => match self.unsigned.len() {
                0 => "gid.x".to_owned(),
                count => self.unsigned[self.random.below(count as u32) as usize].clone(),
            },
        }
    }

    fn signed(&mut self, depth: u32) -> String {
        if depth == 0 {
            return match self.signed.len() {
                0 => self.pick(&["p.i", "2i", "-1i"]).to_owned(),
                count => self.signed[self.random.below(count as u32) as usize].clone(),
            };
        }
        match self.random.below(8) {
            0..=2 => format!("i32({})", self.unsigned(depth - 1)),
            3 => format!("({} + {})", self.signed(depth - 1), self.signed(depth - 1)),
            4 => format!("({} - {})", self.signed(depth - 1), self.signed(depth - 1)),
            5 => format!("clamp({}, 0i, i32(p.w) - 1i)", self.signed(depth - 1)),
            6 => {
                let op = self.pick(&["/ 2i", "% 3i", ">> 1u", "& 6i"]);
                format!("({} {op})", self.signed(depth - 1))
            }
            _ => format!("-({})", self.signed(depth - 1)),
        }
    }

    fn condition(&mut self, depth: u32) -> String {
        let relation = self.pick(&["<", "<=", ">", ">=", "==", "!=", "<", "<"]);
        match self.random.below(8) {
            0 if depth > 0 => format!(
                "({} && {})",
                self.condition(depth - 1),
                self.condition(depth - 1)
            ),
            1 if depth > 0 => format!(
                "({} || {})",
                self.condition(depth - 1),
                self.condition(depth - 1)
            ),
            2 if depth > 0 => format!("!({})", self.condition(depth - 1)),
            3 => format!("({} {relation} {})", self.signed(depth), self.signed(depth)),
            4 => "(input[gid.x] > 7u)".to_owned(),
            _ => format!(
                "({} {relation} {})",
                self.unsigned(depth),
                self.unsigned(depth)
            ),
        }
    }

    fn block(&mut self, depth: u32) {
        let scopes = (self.unsigned.len(), self.signed.len());
        for _ in 0..=self.random.below(3) {
            self.statement(depth);
        }
        self.unsigned.truncate(scopes.0);
        self.signed.truncate(scopes.1);
    }

    fn statement(&mut self, depth: u32) {
        match self.random.below(if depth == 0 { 8 } else { 15 }) {
            0 | 1 => self.declare(),
            2 | 3 => {
                let (index, value) = (self.unsigned(2), self.unsigned(1));
                self.line(&format!("output[{index}] = {value};"));
            }
            4 => {
                let index = self.unsigned(2);
                self.line(&format!("pairs[{index}] = vec2<u32>(1u, 2u);"));
            }
            5 | 6 => {
                let index = self.unsigned(3);
                self.line(&format!("sum += input[{index}];"));
            }
            7 => {
                let (buffer, index) = (self.pick(&["output", "input"]), self.signed(2));
                self.line(&format!("sum += {buffer}[{index}];"));
            }
            8..=10 => {
                let condition = self.condition(2);
                self.line(&format!("if {condition} {{"));
                self.block(depth - 1);
                self.jump();
                if self.random.below(2) == 0 {
                    self.line("} else {");
                    self.block(depth - 1);
                }
                self.line("}");
            }
            11 | 12 => self.repeat(depth),
            13 => self.write_block(),
            _ => {
                let condition = self.condition(1);
                self.line(&format!("if {condition} {{"));
                self.jump();
                self.line("}");
            }
        }
    }

    /// Writes a block of elements, each behind its own guard, as kernels with blocks in registers do.
    fn write_block(&mut self) {
        let (rows, columns) = (1 + self.random.below(3), 1 + self.random.below(4));
        let stride = rows + self.random.below(3) / 2;
        let apart = self.pick(&["4u", "4u", "3u", "1u"]).to_owned();
        let across = self.pick(&["lid.x", "gid.x"]).to_owned();
        let (height, width) = (self.pick(&["p.n", "p.h", "9u"]), self.pick(&["p.w", "p.n"]));
        let (height, width) = (height.to_owned(), width.to_owned());
        for row in 0..rows {
            for column in 0..columns {
                let (y, x) = (
                    format!("(gid.y * {stride}u + {row}u)"),
                    format!("({apart} * {columns}u * wid.x + {across} + {column}u * {apart})"),
                );
                self.line(&format!(
                    "if {y} < {height} && {x} < {width} {{ output[{y} * {width} + {x}] = 1u; }}"
                ));
            }
        }
    }

    fn jump(&mut self) {
        match self.random.below(6) {
            0 => self.line("return;"),
            1 if self.loops > 0 => self.line("break;"),
            2 if self.loops > 0 => self.line("continue;"),
            _ => {}
        }
    }

    fn declare(&mut self) {
        self.names += 1;
        let name = format!("v{}", self.names);
        if self.random.below(3) == 0 {
            let value = self.signed(2);
            self.line(&format!("let {name} = {value};"));
            self.signed.push(name);
        } else {
            let (value, keyword) = (self.unsigned(2), self.pick(&["let", "var"]));
            self.line(&format!("{keyword} {name} = {value};"));
            if keyword == "var" && self.random.below(2) == 0 {
                let (condition, value) = (self.condition(1), self.unsigned(1));
                self.line(&format!("if {condition} {{ {name} = {value}; }}"));
            }
            self.unsigned.push(name);
        }
    }

    /// Head and tail of a loop over `name`, which is tested before, behind or within each iteration.
    fn counted(&mut self, name: &str, first: &str, limit: &str, step: &str) -> (String, String) {
        let relation = self.pick(&[">", ">="]);
        let test = format!("if {name} {relation} {limit} {{ break; }}");
        match self.random.below(8) {
            0 | 1 => (
                format!("for (var {name} = {first}; {name} <= {limit}; {name} += {step}) {{"),
                String::new(),
            ),
            2 => (
                format!(
                    "var {name} = {first}; while {name} < {limit} && sum < 100000u {{ {name} += {step};"
                ),
                String::new(),
            ),
            3 => (
                format!("var {name} = {first}; loop {{"),
                format!("continuing {{ {name} += {step}; break if {name} {relation} {limit}; }}"),
            ),
            4 => (
                format!("var {name} = {first}; loop {{"),
                format!("{name} += {step}; {test}"),
            ),
            5 => {
                let index = self.unsigned(1);
                (
                    format!(
                        "for (var {name} = {first}; ; {name} += {step}) {{ sum += input[{index} + {name}]; {test}"
                    ),
                    String::new(),
                )
            }
            _ => (
                format!("for (var {name} = {first}; {name} < {limit}; {name} += {step}) {{"),
                String::new(),
            ),
        }
    }

    fn repeat(&mut self, depth: u32) {
        self.names += 1;
        self.loops += 1;
        let name = format!("k{}", self.names);
        let first = self.pick(&["0u", "1u", "gid.x", "lid.x", "p.h"]).to_owned();
        let limit = match self.random.below(4) {
            0 => self.unsigned(1),
            1 => "min(p.n, 40u)".to_owned(),
            _ => self.random.below(9).to_string() + "u",
        };
        let step = self
            .pick(&["1u", "2u", "3u", "p.w", "groups.x * 4u"])
            .to_owned();
        let signed = self.random.below(4) == 0;
        let (head, tail) = if signed {
            let first = self.signed(1);
            let head = format!("for (var {name} = {first}; {name} >= 0; {name} -= 1) {{");
            (head, String::new())
        } else {
            self.counted(&name, &first, &limit, &step)
        };
        self.line(&head);
        if signed {
            &mut self.signed
        } else {
            &mut self.unsigned
        }
        .push(name);
        self.block(depth - 1);
        self.line(&tail);
        self.line("}");
        if signed {
            &mut self.signed
        } else {
            &mut self.unsigned
        }
        .pop();
        self.loops -= 1;
    }
}

fn program(random: &mut Random) -> String {
    let mut writer = Writer {
        random,
        text: HEAD.to_owned(),
        unsigned: Vec::new(),
        signed: Vec::new(),
        names: 0,
        loops: 0,
    };
    for _ in 0..3 {
        writer.statement(2);
    }
    writer.line("if sum == 77777u { output[0] = sum; }\n}");
    writer.text
}

fn launch(shader: &Shader, random: &mut Random) -> Launch {
    let bytes = |words: Vec<u32>| words.into_iter().flat_map(u32::to_le_bytes).collect();
    let parameters = vec![
        random.below(50),
        random.below(12),
        random.below(6),
        random.below(12).wrapping_sub(4),
    ];
    let fill = |random: &mut Random, count: u32| -> Vec<u32> {
        (0..count).map(|_| random.below(16)).collect()
    };
    let lengths = [
        1 + random.below(120),
        1 + random.below(120),
        2 + random.below(90),
    ];
    let mut buffers: Vec<Vec<u8>> = vec![bytes(parameters)];
    for length in lengths {
        buffers.push(bytes(fill(random, length)));
    }
    let used = shader
        .oracle()
        .bindings()
        .iter()
        .map(|bound| bound.binding as usize)
        .collect::<Vec<_>>();
    Launch {
        num_workgroups: [1 + random.below(5), 1 + random.below(3), 1],
        buffers: used
            .into_iter()
            .map(|binding| buffers[binding].clone())
            .collect(),
    }
}

/// Seeds of programs that are tried; a failure names its seed.
fn try_programs(seeds: std::ops::Range<u64>) -> Shown {
    let mut shown = Shown::default();
    for seed in seeds {
        let mut random = Random(seed << 20);
        let text = program(&mut random);
        // Constant indices out of bounds and divisions by zero are refused.
        if parse(&text, "random", &Options::default()).is_err() {
            continue;
        }
        let mut shader = Shader::new(&format!("seed {seed}"), &text);
        // What is summed up before a `return` is never used.
        shader.unused_words_max = None;
        for _ in 0..2 {
            let launch = launch(&shader, &mut random);
            let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                check_launch(&shader, &launch, &mut random, &mut shown);
            }));
            assert!(failed.is_ok(), "{text}\n{launch:?}");
        }
    }
    shown
}

#[test]
fn footprints_hold_all_that_random_kernels_touch() {
    let shown = try_programs(0..80);
    assert!(shown.tiles > 300 && shown.exact > 50, "{shown:?}");
    assert!(shown.skipped < shown.tiles, "{shown:?}");
}
