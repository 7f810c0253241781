//! Black-box tests of berth: the real programs, Postgres, nginx and Chromium; nothing of the product is linked. Everything is in
//! `tests/it`.
