//! papaya's surface over papaya: shows that the module `papaya_usage` is code for papaya, and
//! that what it asserts is papaya's behaviour. `papaya_surface.rs` is the same over our maps.
use papaya as maps;

mod papaya_usage;
