// SPDX-License-Identifier: Apache-2.0
//! Threads that become more while those that there are wait.
//!
//! Endpoints that answer need few threads: their number is bounded by the work. Endpoints that hang need one each, or
//! they would be waited for one after the other. So it begins with a few, and where less than a quarter of them has
//! come through a moment, their number is doubled.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

/// As many as answer at once on a usual machine.
const FIRST: usize = 16;
/// A server that is well answers in less. It is doubled five times before 500 wait together, half a second in all.
const MOMENT: Duration = Duration::from_millis(100);
/// What a handshake needs, several times over; only what is touched takes memory.
const STACK: usize = 512 * 1024;

/// Applies `work` to each item; at most `most` at once. The results are in the order of the items.
pub(super) fn each<'a, T: Sync, R: Send>(
    items: &'a [T],
    most: usize,
    work: impl Fn(&'a T) -> R + Sync,
) -> Vec<R> {
    let state = State {
        next: AtomicUsize::new(0),
        results: Mutex::new(Vec::with_capacity(items.len())),
        ended: Condvar::new(),
    };
    let run = || {
        while let Some((index, item)) = take(&state.next, items) {
            let result = work(item);
            state.keep(index, result);
        }
    };
    let most = most.min(items.len());
    std::thread::scope(|scope| {
        let mut threads = 0;
        let mut wanted = FIRST.min(most);
        let mut done_before = 0;
        loop {
            while threads < wanted {
                let builder = Builder::new().stack_size(STACK);
                if builder.spawn_scoped(scope, run).is_err() {
                    break;
                }
                threads += 1;
            }
            if threads == 0 {
                // Not one could be started, under a limit of processes: this thread does it all.
                run();
            }
            let done = state.wait_a_moment(items.len());
            let all_taken = state.next.load(Ordering::Relaxed) >= items.len();
            if done == items.len() || all_taken {
                break;
            }
            if done - done_before < threads.div_ceil(4) {
                wanted = (threads * 2).min(most);
            }
            done_before = done;
        }
    });
    let mut results = state
        .results
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

struct State<R> {
    next: AtomicUsize,
    results: Mutex<Vec<(usize, R)>>,
    ended: Condvar,
}

impl<R> State<R> {
    fn keep(&self, index: usize, result: R) {
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        results.push((index, result));
        self.ended.notify_one();
    }

    /// How many are done after a moment, or when all are.
    fn wait_a_moment(&self, all: usize) -> usize {
        let results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .ended
            .wait_timeout_while(results, MOMENT, |results| results.len() < all);
        waited
            .map(|(results, _)| results.len())
            .unwrap_or_else(|poisoned| poisoned.into_inner().0.len())
    }
}

fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    items.get(index).map(|item| (index, item))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;
    use std::time::Instant;

    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items() {
        let items: Vec<u32> = (0..1000).collect();
        for most in [1, 3, 2000] {
            let doubled = each(&items, most, |number| number * 2);
            assert_eq!(doubled, items.iter().map(|n| n * 2).collect::<Vec<_>>());
        }
        assert_eq!(each(&[0; 0], 5, |number| *number), [0; 0]);
    }

    #[test]
    fn those_that_wait_do_not_hold_up_each_other() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let end = Instant::now() + Duration::from_secs(60);
        // Each waits until all are there: a loaded machine makes it slower, and no less.
        each(&[0; 200], 512, |_| {
            most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            while most.load(SeqCst) < 200 && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        assert_eq!(most.into_inner(), 200);
    }

    #[test]
    fn no_more_than_allowed_work_at_once() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        each(&[0; 60], 5, |_| {
            most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            std::thread::sleep(Duration::from_millis(5));
            now.fetch_sub(1, SeqCst);
        });
        assert!(most.into_inner() <= 5);
    }
}
