//! One view: find → judge → answer → count.

use domain::{Decision, RefererHeaders};
