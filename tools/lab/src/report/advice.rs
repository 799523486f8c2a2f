//! One sentence: what to choose for this workload here.
use super::Row;
use measure::stats::paired_ratio;

/// The sentence for one race.
#[must_use]
pub(crate) fn sentence(threads: usize, what: &str, rows: &[Row]) -> String {
    let median = |row: &Row| row.mops.map_or(0.0, |mops| mops.median);
    let (mut contenders, unknown): (Vec<&Row>, Vec<&Row>) = rows
        .iter()
        .filter(|row| row.entrant.is_contender())
        .partition(|row| !row.is_disturbed && row.mops.is_some_and(|mops| mops.rounds >= 3));
    contenders.sort_by(|a, b| median(b).total_cmp(&median(a)));
    let threads_words = if threads == 1 {
        "1 thread".to_owned()
    } else {
        format!("{threads} threads")
    };
    let (Some((first, others)), []) = (contenders.split_first(), unknown.as_slice()) else {
        let names: Vec<&str> = unknown.iter().map(|row| row.label).collect();
        let names = if names.is_empty() {
            "any map".to_owned()
        } else {
            joined(&names, "and")
        };
        return format!(
            "For {what} with {threads_words}: too few undisturbed rounds of {names} to choose; \
             run it when the machine is idle."
        );
    };
    // Behind for certain: the whole interval of first/other is above 1.
    let ratio = |row: &Row| paired_ratio(&first.rates, &row.rates);
    let (compared, apart): (Vec<&Row>, Vec<&Row>) =
        others.iter().partition(|row| ratio(row).is_some());
    let is_level = |row: &&&Row| ratio(row).is_some_and(|ratio| ratio.low <= 1.0);
    let level: Vec<&&Row> = compared.iter().filter(is_level).collect();
    let mut text = format!(
        "For {what} with {threads_words} choose {}: {:.1} Mops/s",
        name(first),
        median(first)
    );
    match (level.as_slice(), compared.first()) {
        ([], Some(second)) => {
            if let Some(ratio) = ratio(second) {
                text += &format!(
                    ", {:.2}x the next, {} ({:.2} to {:.2})",
                    ratio.estimate, second.label, ratio.low, ratio.high
                );
            }
        }
        ([], None) => {}
        (level, _) => {
            let names: Vec<String> = level.iter().map(|row| name(row)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            text += &format!(
                "; these rounds cannot tell it from {}",
                joined(&names, "or")
            );
        }
    }
    if !apart.is_empty() {
        let names: Vec<&str> = apart.iter().map(|row| row.label).collect();
        let names = joined(&names, "and");
        text += &format!("; too few rounds of both to compare it with {names}");
    }
    if first.entrant.is_of_words()
        && let Some(other) = others.iter().find(|row| !row.entrant.is_of_words())
    {
        text += &format!(
            "; if keys or values are larger, {} ({:.1} Mops/s)",
            other.label,
            median(other)
        );
    }
    text += &or_else(first, others);
    text + "."
}

/// The map, with what it can be chosen for if not for everything.
fn name(row: &Row) -> String {
    if row.entrant.is_of_words() {
        format!("{}, for keys and values of at most 8 bytes", row.label)
    } else {
        row.label.to_owned()
    }
}

/// What speaks for another map: a much better tail, or much less memory.
fn or_else(first: &Row, others: &[&Row]) -> String {
    let mut text = String::new();
    let tail = |row: &Row| row.latency_ns.map(|latency| latency.p999);
    if let Some(own) = tail(first)
        && let Some(calmer) = others
            .iter()
            .min_by_key(|row| tail(row).unwrap_or(u64::MAX))
        && let Some(best) = tail(calmer)
        && best.saturating_mul(2) <= own
    {
        text += &format!(
            "; if the tail counts, {} (p99.9 {best} ns instead of {own} ns)",
            name(calmer)
        );
    }
    if let Some(own) = first.bytes_per_entry
        && let Some((smaller, best)) = others
            .iter()
            .filter_map(|row| Some((row, row.bytes_per_entry?)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
        && best * 1.25 <= own
    {
        text += &format!(
            "; if memory counts, {} ({best:.0} bytes per entry instead of {own:.0})",
            name(smaller)
        );
    }
    text
}

fn joined(names: &[&str], word: &str) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [some @ .., last] => format!("{} {word} {last}", some.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use crate::contest::Lane;
    use crate::engines::Entrant;
    use crate::report::Cell;

    /// The sentence for these rates, by round.
    fn sentence(rates: [(Entrant, [Option<f64>; 6]); 3]) -> String {
        let lanes = rates.map(|(entrant, rates)| Lane {
            rates: rates.to_vec(),
            ..Lane::new(entrant)
        });
        Cell::new(1, "gets", &lanes).advice
    }

    #[test]
    fn a_map_without_common_rounds_is_not_called_as_fast() {
        let all = |rate| [Some(rate); 6];
        let (early, late) = ([0, 1, 2], [3, 4, 5]);
        let only = |rounds: [usize; 3], rate| {
            core::array::from_fn(|round| rounds.contains(&round).then_some(rate))
        };
        let fast = (Entrant::Shardmap, only(early, 19.0));
        let apart = (Entrant::Papaya, only(late, 1.3));
        let words = sentence([fast, apart, (Entrant::Dashmap, all(9.0))]);
        assert!(
            words.starts_with("For gets with 1 thread choose ShardMap: 19.0"),
            "{words}"
        );
        assert!(words.contains("2.11x the next, dashmap"), "{words}");
        assert!(
            words.contains("too few rounds of both to compare it with papaya"),
            "{words}"
        );
        let small = (Entrant::Wordmap, all(30.0));
        let words = sentence([
            (Entrant::Shardmap, all(19.0)),
            small,
            (Entrant::Dashmap, all(9.0)),
        ]);
        assert!(
            words.contains("choose WordMap, for keys and values of at most 8 bytes: 30.0 Mops/s")
                && words.contains("if keys or values are larger, ShardMap (19.0 Mops/s)"),
            "{words}"
        );
        let level = (Entrant::Papaya, all(19.0));
        let words = sentence([
            (Entrant::Shardmap, all(19.0)),
            level,
            (Entrant::Dashmap, all(9.0)),
        ]);
        assert!(
            words.contains("these rounds cannot tell it from"),
            "{words}"
        );
    }
}
