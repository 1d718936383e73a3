//! The SQL library is embedded: a new file of it is a change of the program.

fn main() {
    println!("cargo::rerun-if-changed=../../sql");
}
