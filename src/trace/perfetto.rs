//! How does Perfetto show a trace? The trace event format of Chrome, which <https://ui.perfetto.dev> opens.

use std::fmt::Write as _;

use super::recorder::Trace;
use super::timeline::{Bar, Detail, Lane};
use crate::machine::MemoryId;

impl Trace {
    /// The timeline in Chrome's trace event format (JSON): a track for launches, one for each device and one for each direction
    /// of copies.
    pub fn to_chrome_json(&self) -> String {
        let line = self.timeline();
        let lanes = line.lanes();
        let track = |lane: Lane| lanes.iter().position(|known| *known == lane).unwrap_or(0) + 1;
        let mut out = String::from("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
        out.push_str(r#"{"ph":"M","pid":1,"name":"process_name","args":{"name":"impel"}}"#);
        for lane in &lanes {
            let (tid, name) = (track(*lane), json_string(&self.lane_name(*lane)));
            // Writing to a string does not fail, here and below.
            let _ = write!(
                out,
                ",\n{{\"ph\":\"M\",\"pid\":1,\"tid\":{tid},\"name\":\"thread_name\",\"args\":{{\"name\":{name},{}}}}}",
                place(*lane)
            );
        }
        for bar in &line.bars {
            let (name, tid) = (json_string(&bar.label), track(bar.lane));
            let _ = write!(
                out,
                ",\n{{\"ph\":\"X\",\"pid\":1,\"tid\":{tid},\"name\":{name},\"ts\":{},\"dur\":{},\"args\":{}}}",
                Micros(bar.start_ns),
                Micros(bar.ns),
                arguments(bar)
            );
        }
        for mark in &line.marks {
            let (name, tid) = (json_string(&mark.label), track(mark.lane));
            let at = Micros(mark.at_ns);
            let _ = write!(
                out,
                ",\n{{\"ph\":\"i\",\"s\":\"t\",\"pid\":1,\"tid\":{tid},\"name\":{name},\"ts\":{at}}}"
            );
        }
        out.push_str("\n]}\n");
        out
    }

    /// What people call a lane.
    pub fn lane_name(&self, lane: Lane) -> String {
        let memory = |memory: MemoryId| match memory {
            MemoryId::HOST => "main memory".to_owned(),
            other => other.to_string(),
        };
        match lane {
            Lane::Launches => "launches".to_owned(),
            Lane::Device(device) => format!("{device}: {}", self.name(device)),
            Lane::Link(from, to) => format!("{} → {}", memory(from), memory(to)),
        }
    }
}

/// What a lane is, for programs that draw it: its kind and the devices concerned.
fn place(lane: Lane) -> String {
    match lane {
        Lane::Launches => "\"kind\":\"launches\"".to_owned(),
        Lane::Device(device) => format!("\"kind\":\"device\",\"device\":{}", device.0),
        Lane::Link(from, to) => format!("\"kind\":\"link\",\"from\":{},\"to\":{}", from.0, to.0),
    }
}

/// A time in ns as a number of µs.
struct Micros(u64);

impl std::fmt::Display for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// What is known of a bar, as a JSON object.
fn arguments(bar: &Bar) -> String {
    let mut fields = vec![format!("\"event\":{}", bar.event)];
    if let Some(launch) = bar.launch {
        fields.push(format!("\"launch\":{}", launch.0));
    }
    match &bar.detail {
        Detail::Launch {
            grid,
            waited_ns,
            verdict,
            error,
        } => {
            fields.push(format!(
                "\"workgroups\":{}",
                json_string(&format!("{grid:?}"))
            ));
            fields.push(format!("\"waited_ns\":{waited_ns}"));
            fields.push(format!("\"plan\":{}", json_string(verdict)));
            fields.extend(
                error
                    .iter()
                    .map(|why| format!("\"error\":{}", json_string(why))),
            );
        }
        Detail::Part {
            tile,
            kind,
            predicted_ns,
            measured,
            error,
        } => {
            fields.push(format!("\"workgroups\":{}", json_string(&tile.to_string())));
            fields.push(format!("\"kind\":\"{kind}\""));
            if predicted_ns.is_finite() {
                fields.push(format!("\"predicted_ns\":{predicted_ns:.0}"));
            }
            fields.push(format!("\"measured\":{measured}"));
            fields.extend(
                error
                    .iter()
                    .map(|why| format!("\"error\":{}", json_string(why))),
            );
        }
        Detail::Copy {
            copies,
            bytes,
            what,
        } => {
            fields.push(format!("\"copies\":{copies},\"bytes\":{bytes}"));
            fields.push(format!("\"what\":{}", json_string(what)));
        }
    }
    format!("{{{}}}", fields.join(","))
}

/// A JSON string that may stand in an HTML script, too.
pub(super) fn json_string(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..'\u{20}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
