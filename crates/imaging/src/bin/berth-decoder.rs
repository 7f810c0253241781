//! The decoder process by itself, for this crate's tests: a program that is nothing else.

fn main() {
    imaging::serve_if_asked();
    eprintln!("only imaging's own tests start this program");
}
