//! What a map of 32 shards holds and how many of its keys are behind a link, if keys are spread as by Poisson's law and
//! shard `s` has `(16 + s / 2) * 2^k` lines.

/// Points of an octave of sizes.
const POINTS: u32 = 400;
/// Slots of a line without a link, and with one.
const SLOTS: i32 = 4;

/// The share of lines with `keys` keys at `load` keys a line.
fn share(load: f64, keys: i32) -> f64 {
    (1..=keys).fold((-load).exp(), |share, key| share * load / f64::from(key))
}

/// Of a line at `load`: the chance of a link, and the keys behind it.
fn behind(load: f64) -> (f64, f64) {
    let full = (SLOTS + 1)..60;
    full.fold((0.0, 0.0), |(links, keys), here| {
        let share = share(load, here);
        (links + share, keys + share * f64::from(here - (SLOTS - 1)))
    })
}

/// Least and most bytes an entry, and the most keys behind links in a hundred, over an octave of sizes, if tables double at
/// `most` keys a line.
fn octave(most: f64) -> (f64, f64, f64) {
    let mut found = (f64::INFINITY, 0.0_f64, 0.0_f64);
    for point in 0..POINTS {
        let keys = 1000.0 * (f64::from(point) / f64::from(POINTS)).exp2();
        let (mut lines, mut linked) = (0.0, 0.0);
        for shard in 0..32 {
            let mut size = f64::from(16 + shard / 2);
            while keys / size > most {
                size *= 2.0;
            }
            let (links, beyond) = behind(keys / size);
            lines += size * (1.0 + links);
            linked += size * beyond;
        }
        let bytes = 64.0 * lines / (32.0 * keys);
        let percent = 100.0 * linked / (32.0 * keys);
        found = (found.0.min(bytes), found.1.max(bytes), found.2.max(percent));
    }
    found
}

/// Prints it.
pub(crate) fn print() {
    println!("by Poisson's law, 32 shards, an overflow line of 64 bytes behind each link:");
    for most in [2.8, 2.9, 3.0, 3.3] {
        let (least, greatest, linked) = octave(most);
        println!(
            "  tables double at {most} keys a line: {least:.1} to {greatest:.1} bytes an entry, at most \
             {linked:.1} % of the keys behind a link"
        );
    }
}
