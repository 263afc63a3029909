// SPDX-License-Identifier: Apache-2.0
//! A bounded number of threads over a list.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

/// Applies `work` to each item, at most `parallel` at once, as every module does with its lists; the results are in the order of the items.
///
/// This thread works too: under a limit of processes (`ulimit -u`, a full cgroup) in which no other can be
/// started it does everything alone.
pub fn each<'a, T: Sync, R: Send>(
    items: &'a [T],
    parallel: usize,
    work: impl Fn(&'a T) -> R + Sync,
) -> Vec<R> {
    let threads = parallel.min(items.len());
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    let run = || {
        while let Some((index, item)) = take(&next, items) {
            let result = work(item);
            results
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((index, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            if Builder::new().spawn_scoped(scope, run).is_err() {
                break;
            }
        }
        run();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    items.get(index).map(|item| (index, item))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::{Duration, Instant};

    use super::each;

    #[test]
    fn results_keep_the_order_of_the_items() {
        let items: Vec<u32> = (0..100).collect();
        for parallel in [1, 3, 200] {
            assert_eq!(
                each(&items, parallel, |n| n * 2),
                items.iter().map(|n| n * 2).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn as_many_work_at_once_as_wished_and_no_more() {
        for parallel in [1, 3] {
            let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            // Each waits for the others, so that a slow machine does not make fewer of them.
            let work = |_: &u32| {
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                let end = Instant::now() + Duration::from_secs(20);
                while most.load(SeqCst) < parallel && Instant::now() < end {
                    std::thread::sleep(Duration::from_millis(1));
                }
                now.fetch_sub(1, SeqCst);
            };
            each(&[0; 30], parallel, work);
            assert_eq!(most.into_inner(), parallel);
        }
    }
}
