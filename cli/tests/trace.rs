//! Does `impel trace` draw what happened? The page is opened in a headless Chromium where there is one.

use std::fs;
use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use impel::sim::{Gpu, Machine};
use impel::{DeviceId, Policy, Runtime};
use impel_kernels::jacobi::wgsl as jacobi;
use serde_json::Value;

/// A trace of ten steps of a stencil over a CPU and two cards, in a file of its own.
fn recorded(name: &str) -> PathBuf {
    let machine = Machine::desktop().with(Gpu::card()).with(Gpu::card());
    let builder = Runtime::builder().threads(2).simulated(machine);
    let rt = builder
        .trace(true)
        .build()
        .expect("nothing is needed for it");
    let side = 256_u32;
    let cells = (side * side) as usize;
    let mut from = rt
        .array_from_vec(vec![1.0_f32; cells])
        .expect("it is small");
    let mut to = rt.zeros::<f32>(cells).expect("it is small");
    let shares = [0, 1, 2].map(|id| (DeviceId(id), 1.0)).to_vec();
    for _ in 0..10 {
        let params = jacobi::Params {
            width: side,
            height: side,
            relaxation: 1.0,
        };
        let (src, dst) = (&from, &mut to);
        let step = jacobi::jacobi { params, src, dst }.over([side, side]);
        let step = step.with_policy(Policy::Split(shares.clone()));
        rt.launch(step).expect("the launch is right");
        std::mem::swap(&mut from, &mut to);
    }
    assert_eq!(from.read().expect("it was computed")[0], 1.0);
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, rt.trace().to_text()).expect("the folder is there");
    file
}

fn impel(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_impel"));
    command
        .args(arguments)
        .output()
        .expect("the command starts")
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// What Chromium makes of a page, once its scripts have run; none where there is no Chromium.
fn opened(url: &str) -> Option<String> {
    let profile = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("chromium");
    let profile = format!("--user-data-dir={}", profile.display());
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=4000",
        ])
        .args([&profile, "--window-size=1400,800", "--dump-dom", url])
        .output()
        .ok()?;
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success() && !page.is_empty()).then_some(page)
}

#[test]
fn the_page_draws_every_bar_and_tells_about_the_one_that_is_asked_for() {
    let file = recorded("page.trace");
    let output = impel(&["trace", &text(&file)]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("GPU 2: simulated card"), "{said}");
    let page = PathBuf::from(format!("{}.html", file.display()));
    let html = fs::read_to_string(&page).expect("it was written");
    assert!(
        !html.contains("http:") && !html.contains("https:"),
        "the page needs no network"
    );
    let event = html.find("\"kind\":\"planned\"").expect("there are parts");
    let event = html[..event]
        .rfind("\"event\":")
        .expect("parts name their event")
        + 8;
    let event: String = html[event..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let Some(dom) = opened(&format!("file://{}#event={event}", page.display())) else {
        // Past the harness's capture of what passing tests print; without a standard error there is nobody to tell.
        let _ = writeln!(
            stderr().lock(),
            "the_page_draws_every_bar_…: skipped: no chromium"
        );
        return;
    };
    let number = |name: &str| -> usize {
        let start = dom
            .find(&format!("{name}=\""))
            .expect("the script ran to its end");
        let digits = dom[start + name.len() + 2..].chars();
        let digits: String = digits.take_while(char::is_ascii_digit).collect();
        digits.parse().expect("a number")
    };
    let bars = html.matches("\"ph\":\"X\"").count();
    assert!(bars > 50, "{bars}");
    assert_eq!((number("data-bars"), number("data-drawn")), (bars, bars));
    assert_eq!(
        number("data-lanes"),
        html.matches("\"name\":\"thread_name\"").count()
    );
    assert!(dom.contains("10 launches on 3 devices"), "{dom}");
    let tip = &dom[dom.find("id=\"tip\"").expect("the details")..];
    for told in [
        "jacobi",
        "predicted",
        "workgroups",
        &format!("<td class=\"\">{event}</td>"),
    ] {
        let shown = tip.split("<script").next().expect("the script follows");
        assert!(shown.contains(told), "{told} in {shown}");
    }
}

#[test]
fn chromes_format_parses_and_holds_every_lane_with_times_that_fit() {
    let file = recorded("chrome.trace");
    let json = file.with_extension("json");
    let output = impel(&["trace", &text(&file), "--chrome", &text(&json)]);
    assert!(output.status.success(), "{output:?}");
    let json = fs::read_to_string(json).expect("it was written");
    let parsed: Value = serde_json::from_str(&json).expect("it is JSON");
    let events = parsed["traceEvents"].as_array().expect("a list of events");
    let of = |kind: &str| {
        events
            .iter()
            .filter(|event| event["ph"] == kind)
            .collect::<Vec<_>>()
    };
    let lanes = of("M").len() - 1;
    // Launches, three devices, and copies from and to two of them.
    assert_eq!(lanes, 8);
    for bar in of("X") {
        assert!(
            bar["ts"].as_f64() >= Some(0.0) && bar["dur"].as_f64() >= Some(0.0),
            "{bar}"
        );
        assert!(
            bar["tid"]
                .as_u64()
                .is_some_and(|tid| 0 < tid && tid <= lanes as u64),
            "{bar}"
        );
    }
    let parts = of("X")
        .into_iter()
        .filter(|bar| bar["args"]["kind"] == "planned");
    assert_eq!(parts.count(), 30);
}

#[test]
fn verify_praises_a_right_run_and_names_what_is_wrong_in_another() {
    let file = recorded("verify.trace");
    let output = impel(&["trace", &text(&file), "--verify"]);
    assert!(output.status.success(), "{output:?}");
    let trace = fs::read_to_string(&file).expect("it was written");
    let without_a_copy: Vec<&str> = {
        let copy = trace.lines().position(|line| line.contains(" copied "));
        let lines = trace.lines().enumerate();
        lines
            .filter(|(at, _)| Some(*at) != copy)
            .map(|(_, line)| line)
            .collect()
    };
    fs::write(&file, without_a_copy.join("\n")).expect("it can be written again");
    let output = impel(&["trace", &text(&file), "--verify"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("the run was not right:\nevent "), "{said}");
    fs::write(&file, "no trace\n").expect("it can be written again");
    let output = impel(&["trace", &text(&file)]);
    assert_eq!(output.status.code(), Some(1));
}
