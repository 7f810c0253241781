/// Prints a fresh secret, as `BERTH_SECRET` and the passwords of database roles want it: 64 hexadecimal digits of 256 random bits.
pub(crate) fn print() {
    println!("{}", hex::encode(process::random::<32>()));
}
