//! Explores the model.

use models::cases;
use stateright::{Checker as _, HasDiscoveries, Model as _};
use std::time::{Duration, Instant};

fn main() {
    let only = std::env::args().nth(1);
    let secs = 40;
    for config in cases::quick() {
        let name = config.name;
        if only
            .as_deref()
            .is_some_and(|only| only != "bugs" && only != name)
        {
            continue;
        }
        if only.as_deref() == Some("bugs") {
            for bug in cases::bugs() {
                let mut config = config.clone();
                config.bug = Some(bug);
                let begun = Instant::now();
                let checker = config
                    .checker()
                    .threads(2)
                    .finish_when(HasDiscoveries::AnyFailures)
                    .timeout(Duration::from_secs(15))
                    .spawn_bfs()
                    .join();
                println!(
                    "{name} {bug:?}: {} states, {} unique, depth {}, {:?}",
                    checker.state_count(),
                    checker.unique_state_count(),
                    checker.max_depth(),
                    begun.elapsed()
                );
                for (name, path) in checker.discoveries() {
                    println!("  {name}: {} steps", path.into_vec().len());
                }
            }
            continue;
        }
        let begun = Instant::now();
        let checker = config
            .checker()
            .threads(2)
            .timeout(Duration::from_secs(secs))
            .spawn_bfs();
        while !checker.is_done() && begun.elapsed().as_secs() < secs {
            std::thread::sleep(Duration::from_millis(200));
        }
        println!(
            "{name}: {} states, {} unique, depth {}, {:?}",
            checker.state_count(),
            checker.unique_state_count(),
            checker.max_depth(),
            begun.elapsed()
        );
        for (name, path) in checker.discoveries() {
            println!("  {name}: {} steps", path.into_vec().len());
        }
    }
}
