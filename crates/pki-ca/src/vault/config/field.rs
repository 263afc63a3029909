// SPDX-License-Identifier: Apache-2.0
//! One field of an object that the server keeps: its name, and what kind of value it has. The tables of options, what is
//! compared and what is sent all come from it.

use ansible_module::{Element, Kind, OptionSpec};

/// What a field holds, which says when two values of it are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// True or false.
    Bool,
    /// A whole number.
    Count,
    /// Bits of a key or hash. 0 is the type's own number, which some servers answer in its place.
    Bits,
    /// A text that counts letter by letter.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A span of time that the server answers in seconds.
    Seconds,
    /// A span of time that the server keeps as the text it was given: `96h` and `345600s` are the same.
    SpanText,
    /// Texts whose order means nothing.
    Set,
    /// An absolute URL.
    Url,
    /// A set of absolute URLs.
    Urls,
    /// A set of networks; the server answers a network of one address without its `/32`.
    Networks,
    /// A set of these words, in any case, with or without the prefix: the server accepts any other word and ignores it.
    Words(&'static str, &'static [&'static str]),
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// As the server calls it, and the option too.
    pub name: &'static str,
    /// What it holds.
    pub sort: Sort,
}

impl Field {
    /// A field of this name.
    pub const fn new(name: &'static str, sort: Sort) -> Self {
        Self { name, sort }
    }

    /// Its option; none has a default, because what is not said is left as it is.
    pub const fn option(&self) -> OptionSpec {
        let kind = match self.sort {
            Sort::Bool => Kind::Bool,
            Sort::Count | Sort::Bits => Kind::Int,
            Sort::Text | Sort::Url | Sort::Choice(_) | Sort::Seconds | Sort::SpanText => Kind::Str,
            Sort::Set | Sort::Urls | Sort::Networks | Sort::Words(..) => Kind::List(Element::Str),
        };
        let option = OptionSpec::new(self.name, kind);
        match self.sort {
            Sort::Choice(words) => option.choices(words),
            _ => option,
        }
    }
}

/// The options `first`, then those of all fields.
pub const fn options<const F: usize, const N: usize>(
    first: [OptionSpec; F],
    fields: &[Field],
) -> [OptionSpec; N] {
    assert!(F + fields.len() == N, "the table has another length");
    let mut table = [OptionSpec::new("", Kind::Raw); N];
    let mut index = 0;
    while index < N {
        table[index] = if index < F {
            first[index]
        } else {
            fields[index - F].option()
        };
        index += 1;
    }
    table
}
