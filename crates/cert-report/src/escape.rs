// SPDX-License-Identifier: Apache-2.0
//! Text of strangers, made harmless for HTML: in element content and in quoted attributes alike.

use std::fmt::{self, Write};

/// Shows the text with everything escaped that HTML gives a meaning, and everything visible that would hide or turn
/// text around.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a>(pub(crate) &'a str);

/// The same for names of hosts and paths: they may be broken behind a dot or a slash. Not for attributes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a>(pub(crate) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| escaped(f, c))
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            escaped(f, c)?;
            if matches!(c, '.' | '/') {
                f.write_str("<wbr>")
            } else {
                Ok(())
            }
        })
    }
}

fn escaped(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '&' => f.write_str("&amp;"),
        '<' => f.write_str("&lt;"),
        '>' => f.write_str("&gt;"),
        '"' => f.write_str("&quot;"),
        '\'' => f.write_str("&#39;"),
        c if is_deceptive(c) => write!(f, "\\u{{{:x}}}", u32::from(c)),
        c => f.write_char(c),
    }
}

/// Whether it would hide or turn around what stands beside it: controls, marks of direction, joiners, characters
/// without a width. A name of a certificate has no use for one.
pub(crate) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text, cut to `most` characters with an ellipsis in the place of the rest.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.chars().take(most.saturating_sub(1)).collect();
            format!("{}…", kept.trim_end())
        }
    }
}

/// The common name of a subject in the form of RFC 4514, else the whole of it.
pub(crate) fn common_name(subject: &str) -> String {
    let mut parts = split(subject).into_iter();
    let found = parts.find_map(|part| part.trim_start().strip_prefix("CN=").map(unescape));
    found
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| subject.to_owned())
}

/// At the commas and pluses that are not escaped.
fn split(subject: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in subject.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' | '+' => {
                parts.push(&subject[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&subject[begin..]);
    parts
}

fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        let shown = Text("<script>alert('x')</script> & \"y\"").to_string();
        assert_eq!(
            shown,
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;"
        );
    }

    #[test]
    fn a_name_breaks_behind_its_dots() {
        assert_eq!(Name("a.b/<c").to_string(), "a.<wbr>b/<wbr>&lt;c");
    }

    #[test]
    fn what_hides_or_turns_text_is_made_visible() {
        assert_eq!(
            Text("a\u{202e}b\u{0}c\u{200b}").to_string(),
            "a\\u{202e}b\\u{0}c\\u{200b}"
        );
        assert_eq!(Text("zürich.example é").to_string(), "zürich.example é");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn the_common_name_is_found_where_there_is_one() {
        assert_eq!(common_name("CN=Cloud\\, Root,O=Example"), "Cloud, Root");
        assert_eq!(common_name("O=Example, CN=a.example"), "a.example");
        assert_eq!(common_name("O=CN=x"), "O=CN=x");
        assert_eq!(common_name("CN="), "CN=");
        assert_eq!(common_name("CN=end\\"), "end");
    }
}
