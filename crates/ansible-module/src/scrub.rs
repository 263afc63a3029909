// SPDX-License-Identifier: Apache-2.0
//! Secrets out of everything that is answered.

use std::collections::HashMap;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// What stands where a secret was.
pub(crate) const MASK: &str = "********";

/// Secrets shorter than this (in characters) are replaced only where a whole string is the secret: as
/// substrings they would mask half of every message and so give themselves away.
const SHORTEST_PART: usize = 3;

/// Lines of a multi-line secret from this length on (in characters) are secrets of their own.
const SHORTEST_LINE: usize = 16;

/// How often a string is looked through again because a mask made a new match.
const ROUNDS: usize = 4;

/// The secrets of one run, ready to be searched for.
///
/// The search looks at each position of a text once: the first three bytes there select the secrets that can
/// begin at it, so the time does not grow with the number of secrets.
#[derive(Default)]
pub(crate) struct Scrubber {
    /// One bit for each pair of bytes that a secret begins with: most positions of a text are passed by it.
    starts: Vec<u64>,
    /// By the first three bytes; longest first.
    parts: HashMap<[u8; 3], Vec<Zeroizing<String>>>,
    /// All of them, sorted.
    whole: Vec<Zeroizing<String>>,
}

impl Scrubber {
    pub(crate) fn new(secrets: impl IntoIterator<Item = Zeroizing<String>>) -> Self {
        let mut scrubber = Self::default();
        for secret in secrets {
            for form in forms(&secret) {
                scrubber.add(form);
            }
        }
        for group in scrubber.parts.values_mut() {
            group.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
            group.dedup();
        }
        scrubber.whole.sort_by(|a, b| a.as_str().cmp(b));
        scrubber.whole.dedup();
        scrubber
    }

    fn add(&mut self, form: Zeroizing<String>) {
        // A secret that is a piece of the mask cannot be hidden by the mask.
        if form.is_empty() || MASK.contains(form.as_str()) {
            return;
        }
        if let (true, Some(start)) = (
            form.chars().count() >= SHORTEST_PART,
            start(form.as_bytes()),
        ) {
            self.starts.resize(1 << 10, 0);
            let (word, bit) = pair(&start);
            if let Some(word) = self.starts.get_mut(word) {
                *word |= bit;
            }
            self.parts.entry(start).or_default().push(form.clone());
        }
        self.whole.push(form);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    fn is_secret(&self, text: &str) -> bool {
        self.whole
            .binary_search_by(|secret| secret.as_str().cmp(text))
            .is_ok()
    }

    /// The text without secrets; `None` if there are none in it.
    pub(crate) fn text(&self, text: &str) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        if self.is_secret(text) {
            return Some(MASK.to_owned());
        }
        let mut clean = self.pass(text)?;
        for _ in 0..ROUNDS {
            match self.pass(&clean) {
                Some(cleaner) => clean = cleaner,
                None => return Some(clean),
            }
        }
        Some(MASK.to_owned())
    }

    /// One pass: every stretch that secrets cover, overlapping ones together, becomes one mask.
    fn pass(&self, text: &str) -> Option<String> {
        let stretches = self.stretches(text.as_bytes());
        if stretches.is_empty() {
            return None;
        }
        let mut clean = String::with_capacity(text.len());
        let mut rest = 0;
        for (from, to) in stretches {
            // Secrets and text are both UTF-8, so a match begins and ends at character boundaries.
            clean.push_str(text.get(rest..from).unwrap_or_default());
            clean.push_str(MASK);
            rest = to;
        }
        clean.push_str(text.get(rest..).unwrap_or_default());
        Some(clean)
    }

    fn stretches(&self, text: &[u8]) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        if self.parts.is_empty() {
            return found;
        }
        for (from, window) in text.windows(3).enumerate() {
            let group = start(window)
                .filter(|it| self.may_start(it))
                .and_then(|it| self.parts.get(&it));
            let Some(longest) = group.and_then(|group| {
                group.iter().find(|secret| {
                    text.get(from..)
                        .is_some_and(|t| t.starts_with(secret.as_bytes()))
                })
            }) else {
                continue;
            };
            let to = from + longest.len();
            match found.last_mut() {
                Some((_, end)) if from < *end => *end = to.max(*end),
                _ => found.push((from, to)),
            }
        }
        found
    }

    fn may_start(&self, start: &[u8; 3]) -> bool {
        let (word, bit) = pair(start);
        self.starts.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Replaces the secrets in every string, number and key inside `value`; keys for which `keep` is true
    /// (words of the protocol, names of options) stay.
    pub(crate) fn value(&self, value: &mut Value, keep: &dyn Fn(&str) -> bool) {
        if self.is_empty() {
            return;
        }
        match value {
            Value::String(text) => {
                if let Some(clean) = self.text(text) {
                    *text = clean;
                }
            }
            Value::Number(number) => {
                let text = number.to_string();
                if text.len() >= SHORTEST_PART && self.is_secret(&text) {
                    *value = MASK.into();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item, keep)),
            Value::Object(map) => self.map(map, keep),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn map(&self, map: &mut Map<String, Value>, keep: &dyn Fn(&str) -> bool) {
        map.values_mut().for_each(|value| self.value(value, keep));
        let dirty = |key: &String| !keep(key) && self.text(key).is_some();
        if !map.keys().any(dirty) {
            return;
        }
        let mut clean = Map::new();
        for (key, value) in std::mem::take(map) {
            let key = if keep(&key) {
                key
            } else {
                self.text(&key).unwrap_or(key)
            };
            clean.insert(unused(&clean, key), value);
        }
        *map = clean;
    }
}

/// Two keys can become one by scrubbing; the second gets a number so that nothing is lost.
fn unused(map: &Map<String, Value>, key: String) -> String {
    if !map.contains_key(&key) {
        return key;
    }
    let numbered = |n: usize| format!("{key} ({n})");
    // One more number than there are keys: one of them is free.
    (2..=map.len() + 2)
        .map(numbered)
        .find(|key| !map.contains_key(key))
        .unwrap_or_default()
}

/// Word and bit of the first two bytes in [`Scrubber::starts`].
fn pair(&[first, second, _]: &[u8; 3]) -> (usize, u64) {
    let number = usize::from(first) << 8 | usize::from(second);
    (number >> 6, 1 << (number & 63))
}

fn start(bytes: &[u8]) -> Option<[u8; 3]> {
    bytes.first_chunk().copied()
}

/// How a secret may stand in a message: as it is, trimmed, quoted by JSON or by Rust, line by line.
fn forms(secret: &str) -> Vec<Zeroizing<String>> {
    let mut forms: Vec<Zeroizing<String>> = vec![secret.to_owned().into()];
    let mut add = |form: &str| {
        if form != secret {
            forms.push(form.to_owned().into());
        }
    };
    add(secret.trim());
    add(&Zeroizing::new(secret.escape_debug().to_string()));
    let json = Zeroizing::new(serde_json::to_string(secret).unwrap_or_default());
    add(json
        .get(1..json.len().saturating_sub(1))
        .unwrap_or_default());
    for line in secret.lines().map(str::trim) {
        let boundary = line.starts_with("-----") && line.ends_with("-----");
        if line.chars().count() >= SHORTEST_LINE && !boundary {
            add(line);
        }
    }
    forms
}

#[cfg(test)]
mod tests;
