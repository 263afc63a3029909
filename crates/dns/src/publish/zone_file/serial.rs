// SPDX-License-Identifier: Apache-2.0
//! The serial of a zone file: found where the SOA record has it, and raised.

use std::ops::Range;

/// The text with a serial that is higher than its own: the time, or one more where that is higher already.
pub(super) fn raised(text: &str, now: u64) -> Result<String, String> {
    let place = find(text)?;
    let old = text.get(place.clone()).unwrap_or_default();
    let old: u32 = old
        .parse()
        .map_err(|_| format!("the serial of its SOA record is '{old}', which is no number"))?;
    // Behind the largest number comes 0 (RFC 1982); the time is higher than the largest in that sense.
    let time = u32::try_from(now).unwrap_or(0);
    let new = time.max(old.wrapping_add(1));
    let mut raised = text.to_owned();
    raised.replace_range(place, &new.to_string());
    Ok(raised)
}

/// Where the serial is: the third word behind `SOA`.
fn find(text: &str) -> Result<Range<usize>, String> {
    let mut words = words(text);
    words
        // At the beginning of a line it would be an owner.
        .find(|word| {
            !is_at_line_start(text, word.start) && text[word.clone()].eq_ignore_ascii_case("SOA")
        })
        .ok_or("it has no SOA record; one that is included cannot be raised")?;
    words
        .nth(2)
        .ok_or_else(|| "its SOA record has no serial".to_owned())
}

fn is_at_line_start(text: &str, at: usize) -> bool {
    at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n')
}

/// The words of a zone file, without comments and parentheses (RFC 1035 §5.1).
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            match bytes.get(at)? {
                b';' => at += bytes[at..].iter().take_while(|b| **b != b'\n').count(),
                b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' => at += 1,
                _ => break,
            }
        }
        let start = at;
        let mut quoted = false;
        while let Some(byte) = bytes.get(at) {
            match byte {
                // What follows it is a part of the word, whatever it is.
                b'\\' => at += 1,
                b'"' => quoted = !quoted,
                b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b';' if !quoted => break,
                _ => {}
            }
            at += 1;
        }
        at = at.min(bytes.len());
        Some(start..at)
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn the_serial_is_found_however_the_record_is_written() {
        for text in [
            "@ IN SOA ns1 host 17 1 2 3 4\n",
            "$TTL 60 ; SOA in a comment\nsoa. 60 IN soa ns1 host (17 1 2 3 4)\n",
            "@\tSOA\tns1.example. (\n\thost.example. ; serial:\n\t17 ; is that\n 1 2 3 4 )\n",
            "x TXT \"a SOA b c 9\"\n@ SOA ns1 a\\ b 17 1 2 3 4\n",
        ] {
            let raised = raised(text, NOW).unwrap();
            assert_eq!(raised, text.replace("17", "1800000000"), "{text}");
        }
    }

    #[test]
    fn a_serial_only_rises() {
        for (old, new) in [
            ("1", "1800000000"),
            ("1799999999", "1800000000"),
            ("1800000000", "1800000001"),
            ("2026112601", "2026112602"),
            ("4294967295", "1800000000"),
        ] {
            let text = format!("@ SOA a b {old} 1 2 3 4");
            let expected = format!("@ SOA a b {new} 1 2 3 4");
            assert_eq!(raised(&text, NOW).unwrap(), expected);
        }
    }

    #[test]
    fn a_file_without_a_serial_is_refused() {
        for (text, why) in [
            (
                "",
                "it has no SOA record; one that is included cannot be raised",
            ),
            (
                "SOA A 1\n$INCLUDE head\n",
                "it has no SOA record; one that is included cannot be raised",
            ),
            ("@ SOA a", "its SOA record has no serial"),
            (
                "@ SOA a b 2h 1 2 3",
                "the serial of its SOA record is '2h', which is no number",
            ),
            (
                "@ SOA a b 4294967296 1 2 3",
                "the serial of its SOA record is '4294967296', which is no number",
            ),
        ] {
            assert_eq!(raised(text, NOW).unwrap_err(), why);
        }
    }

    #[test]
    fn odd_ends_are_no_panic() {
        for text in ["\\", "\"", "a\\", "@ SOA \\", "; x", "@ SOA a b \u{e4}"] {
            drop(raised(text, NOW));
        }
    }
}
