// SPDX-License-Identifier: Apache-2.0
//! What certmonger is told about a request: names and values of its interface.

/// One value. certmonger takes exactly these types, and integers only with 64 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A yes or no.
    Bool(bool),
    /// A number.
    Int(i64),
    /// The object of an authority.
    Path(String),
    /// A text; empty clears.
    Text(String),
    /// Texts; none clears.
    Texts(Vec<String>),
}

impl Field {
    pub(crate) fn signature(&self) -> &'static str {
        match self {
            Self::Bool(_) => "b",
            Self::Int(_) => "x",
            Self::Path(_) => "o",
            Self::Text(_) => "s",
            Self::Texts(_) => "as",
        }
    }
}

/// An argument `a{sv}`, in the order given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(&'static str, Field)>);

impl Fields {
    /// Adds one.
    pub fn set(&mut self, name: &'static str, value: Field) {
        self.0.push((name, value));
    }

    /// Adds a text.
    pub fn text(&mut self, name: &'static str, value: impl Into<String>) {
        self.set(name, Field::Text(value.into()));
    }

    /// Adds a list. certmonger refuses empty arrays, and takes one empty text for none.
    pub fn texts(&mut self, name: &'static str, mut values: Vec<String>) {
        if values.is_empty() {
            values.push(String::new());
        }
        self.set(name, Field::Texts(values));
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one has this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| *known == name)
    }

    /// Adds those of another.
    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Field)> {
        self.0.iter().map(|(name, field)| (*name, field))
    }
}
