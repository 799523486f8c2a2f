//! W1: who finds a pair sees what its writer did before, and the lines and births behind it.

use super::Tracked;
use super::words::{get, put, words};
use loom::sync::Arc;
use loom::thread;

#[test]
fn loom_w1_a_value_leads_to_what_was_done_before_it_was_put() {
    loom::model(|| {
        let shared = Arc::new(words());
        put(&shared, 7, 1);
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                // The value is an address, as users may have it.
                let address = get(&shared, 7).filter(|value| *value != 1)?;
                let address = usize::try_from(address).expect("an address");
                let tracked: *const Tracked = core::ptr::with_exposed_provenance(address);
                // SAFETY: put there below, and never freed.
                #[expect(unsafe_code, reason = "a value that is a pointer")]
                Some(unsafe { &*tracked }.get())
            })
        };
        let tracked: &'static Tracked = Box::leak(Box::new(Tracked::new(5)));
        let address = core::ptr::from_ref(tracked).expose_provenance() as u64;
        assert_eq!(put(&shared, 7, address), Some(1));
        let seen = reader.join().expect("the reader does not panic");
        assert!(seen.is_none() || seen == Some(5), "got {seen:?}");
    });
}

#[test]
fn loom_w1_a_line_behind_a_link_is_seen_as_it_was_made() {
    loom::model(|| {
        let shared = Arc::new(words());
        put(&shared, 7, 1);
        put(&shared, 8, 2);
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || put(&shared, 10, 4))
        };
        assert_eq!(put(&shared, 9, 3), None);
        assert_eq!(other.join().expect("the other does not panic"), None);
        let found = [7, 8, 9, 10].map(|mixed| get(&shared, mixed));
        assert_eq!(found, [Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(shared.len(), 4);
    });
}
