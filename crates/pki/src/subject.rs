// SPDX-License-Identifier: Apache-2.0
//! Distinguished names of subjects and issuers.

use std::fmt;

use crate::{Error, Oid, Result};

/// The type of one attribute of a distinguished name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectAttribute(Oid);

/// A distinguished name: attributes in order, repeats allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Vec<(SubjectAttribute, String)>);

impl Subject {
    /// From names and values.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let _ = pairs;
        Err(Error::KeyEncrypted)
    }
    /// Whether it has no attribute.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// The attributes in order.
    pub fn attributes(&self) -> &[(SubjectAttribute, String)] {
        &self.0
    }
    /// The first common name.
    pub fn common_name(&self) -> Option<&str> {
        None
    }
    /// The DER of the Name.
    pub fn to_der(&self) -> Vec<u8> {
        Vec::new()
    }
    /// From the DER of a Name.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        let _ = der;
        Err(Error::KeyEncrypted)
    }
}
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        Ok(())
    }
}
