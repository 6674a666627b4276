//! Does each mistake with `shader!` give one message, at its place? Every `ui/*.rs` is one mistake; beside it stands what rustc says.
//!
//! `TRYBUILD=overwrite cargo test -p impel-macros --test ui` rewrites the messages: read every one of them before keeping it.

#[test]
fn each_mistake_gives_one_message_at_its_place() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
