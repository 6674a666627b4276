//! Which programs would nobody think of? Random WGSL with nested branches, loops, jumps, functions, private arrays and barriers, on integers,
//! so that results are exact.

use std::fmt::Write as _;

/// Numbers that are the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(bound)) as u32
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len() as u32) as usize]
    }
}

/// Jumps in a loop; in a switch within, `break` means the switch.
const LOOP_JUMPS: [&str; 2] = ["break", "continue"];

/// What statements may say where they stand.
#[derive(Clone, Copy)]
struct Place {
    depth: u32,
    /// Jumps that lead somewhere.
    jumps: &'static [&'static str],
    in_function: bool,
    /// All invocations of the workgroup are here.
    uniform: bool,
}

struct Writer {
    random: Random,
    out: String,
    indent: usize,
    counters: u32,
    /// Loop counters in scope.
    scope: Vec<String>,
    barriers: bool,
    workgroup: u32,
}

/// The program number `seed`, as a shader of the corpus.
pub(crate) fn program(seed: u64) -> String {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66);
    for _ in 0..4 {
        random.below(2);
    }
    let barriers = random.one_in(2);
    let workgroup = [8, 16, 20, 64, 1, 33][random.below(6) as usize];
    let mut writer = Writer {
        random,
        out: String::new(),
        indent: 0,
        counters: 0,
        scope: Vec::new(),
        barriers,
        workgroup,
    };
    writer.module();
    writer.out
}

impl Writer {
    fn line(&mut self, text: &str) {
        writeln!(self.out, "{}{text}", "    ".repeat(self.indent)).unwrap();
    }

    fn module(&mut self) {
        let workgroup = self.workgroup;
        let groups = 150 / workgroup + 1;
        let threads = groups * workgroup;
        self.line(&format!("// dispatch: {groups} 1 1"));
        self.line("// buffer 0: 64");
        self.line(&format!("// buffer 1: {}", threads * 4));
        self.line("// fill 0: u32 0..9");
        self.line("// fill 2: u32 0..7");
        self.line("@group(0) @binding(0) var<storage, read> a: array<u32>;");
        self.line("@group(0) @binding(1) var<storage, read_write> o: array<u32>;");
        self.line("@group(0) @binding(2) var<uniform> p: vec4<u32>;");
        self.line(&format!("var<workgroup> w: array<u32, {workgroup}>;"));
        self.function();
        let local = if self.barriers {
            ", @builtin(local_invocation_id) lid: vec3<u32>"
        } else {
            ""
        };
        self.line(&format!("@compute @workgroup_size({workgroup})"));
        self.line(&format!(
            "fn main(@builtin(global_invocation_id) gid: vec3<u32>{local}) {{"
        ));
        self.indent += 1;
        self.line("let id = gid.x;");
        self.variables("id");
        let place = Place {
            depth: 0,
            jumps: &[],
            in_function: false,
            uniform: true,
        };
        self.statements(5, place);
        for at in 0..4 {
            self.line(&format!("o[id * 4u + {at}u] = v{at} ^ t[{at}];"));
        }
        self.indent -= 1;
        self.line("}");
    }

    fn variables(&mut self, from: &str) {
        self.line(&format!("var v0 = {from};"));
        self.line("var v1 = 1u;");
        self.line("var v2 = p.x;");
        self.line("var v3: u32;");
        self.line("var t: array<u32, 5>;");
    }

    fn function(&mut self) {
        self.line("fn f(id: u32) -> u32 {");
        self.indent += 1;
        self.variables("id + 3u");
        let place = Place {
            depth: 1,
            jumps: &[],
            in_function: true,
            uniform: false,
        };
        self.statements(3, place);
        self.line("return v1 + v3;");
        self.indent -= 1;
        self.line("}");
    }

    fn lines(&self) -> usize {
        self.out.lines().count()
    }

    fn variable(&mut self) -> String {
        format!("v{}", self.random.below(4))
    }

    fn leaf(&mut self) -> String {
        if self.random.one_in(8) {
            // Only where nothing is left to compute when compiling, which WGSL forbids to overflow.
            return format!("{}u", self.random.below(10));
        }
        self.content()
    }

    /// A leaf that is known at run time only.
    fn content(&mut self) -> String {
        match self.random.below(9) {
            1 => "id".to_owned(),
            2 => format!("p.{}", self.random.pick(&["x", "y", "z"])),
            3 => "a[id % 64u]".to_owned(),
            4 if !self.scope.is_empty() => {
                let at = self.random.below(self.scope.len() as u32) as usize;
                self.scope[at].clone()
            }
            _ => self.variable(),
        }
    }

    fn expression(&mut self, depth: u32, calls: bool) -> String {
        if depth == 0 {
            return self.content();
        }
        let x = self.expression(depth - 1, calls);
        match self.random.below(16) {
            0 => format!("a[({x}) & 63u]"),
            1 => format!("t[({x}) % 6u]"),
            2 if calls => format!("f({x})"),
            3 => {
                let (y, c) = (self.leaf(), self.condition(false));
                format!("select({x}, {y}, {c})")
            }
            4 => format!("min({x}, {})", self.leaf()),
            5 => format!("({x} % {})", self.content()),
            6 => format!("({x} / {})", self.content()),
            7 => x,
            _ => {
                let op = self.random.pick(&["+", "-", "*", "^", "&", "|", ">>"]);
                format!("({x} {op} {})", self.leaf())
            }
        }
    }

    fn condition(&mut self, uniform: bool) -> String {
        if uniform {
            return format!(
                "p.{} > {}u",
                self.random.pick(&["x", "y", "z"]),
                self.random.below(6)
            );
        }
        let (x, y) = (self.expression(1, false), self.leaf());
        let op = self.random.pick(&["<", "==", ">=", "!="]);
        match self.random.below(5) {
            0 => format!("({x} % 4u {op} {y} % 4u) && {}", self.condition(true)),
            1 => format!("({x} % 4u {op} {y} % 4u) || (a[{y} & 63u] > 4u)"),
            2 => self.condition(true),
            _ => format!("{x} % 5u {op} {y} % 5u"),
        }
    }

    fn statements(&mut self, count: u32, place: Place) {
        let count = if self.lines() < 60 { count } else { 1 };
        for _ in 0..=self.random.below(count) {
            if self.statement(place) {
                return;
            }
        }
    }

    fn block(&mut self, place: Place) {
        self.indent += 1;
        self.statements(
            4,
            Place {
                depth: place.depth + 1,
                ..place
            },
        );
        self.indent -= 1;
    }

    /// Writes a statement; whether nothing may follow it.
    fn statement(&mut self, place: Place) -> bool {
        let deep = place.depth >= 3 + u32::from(self.lines() < 30);
        match self.random.below(20) {
            0..=2 if !deep => self.branch(place),
            3..=4 if !deep => self.counted_loop(place),
            5 if !deep => self.plain_loop(place),
            6 if !deep => self.switch(place),
            7..=8 if !place.jumps.is_empty() => return self.jump(place),
            9 if place.depth > 1
                && (place.in_function || !self.barriers)
                && self.random.one_in(3) =>
            {
                self.line(if place.in_function {
                    "return v2;"
                } else {
                    "return;"
                });
                return true;
            }
            10..=11 if place.uniform && self.barriers => self.exchange(),
            12..=13 => {
                let (index, value) = (self.expression(1, false), self.expression(1, false));
                self.line(&format!("t[({index}) % 6u] = {value};"));
            }
            _ => {
                let (variable, value) = (self.variable(), self.expression(2, !place.in_function));
                self.line(&format!("{variable} = {value};"));
            }
        }
        false
    }

    fn branch(&mut self, place: Place) {
        let uniform = place.uniform && self.random.one_in(2);
        let condition = self.condition(uniform);
        let place = Place { uniform, ..place };
        self.line(&format!("if ({condition}) {{"));
        self.block(place);
        if self.random.one_in(2) {
            self.line("} else {");
            self.block(place);
        }
        self.line("}");
    }

    fn bound(&mut self, uniform: bool) -> String {
        if uniform {
            format!("p.{} % 4u", self.random.pick(&["x", "y", "z"]))
        } else {
            format!("{} % 5u", self.expression(1, false))
        }
    }

    fn counter(&mut self) -> String {
        self.counters += 1;
        format!("i{}", self.counters)
    }

    fn counted_loop(&mut self, place: Place) {
        let uniform = place.uniform && self.random.one_in(2);
        let (counter, bound) = (self.counter(), self.bound(uniform));
        self.line(&format!(
            "for (var {counter} = 0u; {counter} < min({bound}, 6u); {counter} += 1u) {{"
        ));
        self.scope.push(counter);
        // A jump under a condition would part the workgroup; inside a uniform loop with barriers there is none.
        self.block(Place {
            uniform,
            jumps: if uniform && self.barriers {
                &[]
            } else {
                &LOOP_JUMPS
            },
            ..place
        });
        self.scope.pop();
        self.line("}");
    }

    fn plain_loop(&mut self, place: Place) {
        let (counter, bound) = (self.counter(), self.bound(false));
        self.line(&format!("var {counter} = 0u;"));
        self.line(&format!("let b{counter} = {bound};"));
        self.line("loop {");
        self.indent += 1;
        self.line(&format!("if ({counter} >= b{counter}) {{ break; }}"));
        self.indent -= 1;
        self.scope.push(counter.clone());
        self.block(Place {
            uniform: false,
            jumps: &LOOP_JUMPS,
            ..place
        });
        self.indent += 1;
        self.line("continuing {");
        let (variable, value) = (self.variable(), self.expression(1, false));
        self.line(&format!("    {variable} = {value};"));
        self.line(&format!("    {counter} += 1u;"));
        if self.random.one_in(2) {
            let condition = self.condition(false);
            self.line(&format!("    break if {condition};"));
        }
        self.line("}");
        self.indent -= 1;
        self.scope.pop();
        self.line("}");
    }

    fn switch(&mut self, place: Place) {
        let selector = self.expression(1, false);
        self.line(&format!("switch ({selector} % 4u) {{"));
        let place = Place {
            uniform: false,
            jumps: if place.jumps.is_empty() {
                &[]
            } else {
                &LOOP_JUMPS[1..]
            },
            ..place
        };
        for case in ["case 0u: {", "case 1u, 2u: {", "default: {"] {
            self.line(case);
            self.block(place);
            self.line("}");
        }
        self.line("}");
    }

    fn jump(&mut self, place: Place) -> bool {
        let word = self.random.pick(place.jumps);
        if self.random.one_in(3) {
            self.line(&format!("{word};"));
            return true;
        }
        let condition = self.condition(false);
        self.line(&format!("if ({condition}) {{ {word}; }}"));
        false
    }

    /// Invocations hand each other a number.
    fn exchange(&mut self) {
        let (n, variable, value) = (self.workgroup, self.variable(), self.expression(1, false));
        let step = self.random.below(n);
        self.line(&format!("w[lid.x] = {value};"));
        self.line("workgroupBarrier();");
        self.line(&format!(
            "{variable} = {variable} + w[(lid.x + {step}u) % {n}u];"
        ));
        self.line("workgroupBarrier();");
    }
}
