//! R1: a domain's collector is made once, whoever pins first.

use crate::reclaim::Domain;
use loom::sync::Arc;
use loom::thread;

#[test]
fn loom_r1_two_first_pins_meet_one_collector() {
    loom::model(|| {
        let domain = Arc::new(Domain::<String>::new());
        let other = {
            let domain = Arc::clone(&domain);
            thread::spawn(move || domain.verify(&domain.pin()))
        };
        domain.verify(&domain.pin());
        other.join().expect("a guard of the domain is accepted");
    });
}
