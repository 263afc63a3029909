// SPDX-License-Identifier: Apache-2.0
//! Subjects as a Vault makes them: it has a field for each of nine attributes and an order of its own.

use pki::{Subject, SubjectAttribute};
use serde_json::{Map, Value};

/// Attribute, field of the API.
const FIELDS: [(&str, &str); 9] = [
    ("C", "country"),
    ("O", "organization"),
    ("OU", "ou"),
    ("L", "locality"),
    ("ST", "province"),
    ("street", "street_address"),
    ("postal_code", "postal_code"),
    ("CN", "common_name"),
    ("serial_number", "serial_number"),
];

/// The attributes of `subject` for which the API has no field.
pub(crate) fn without_field(subject: &Subject) -> Vec<String> {
    let attributes = subject.attributes().iter();
    let foreign = attributes.filter(|(attribute, _)| field(attribute).is_none());
    foreign
        .map(|(attribute, _)| attribute.to_string())
        .collect()
}

/// `subject` as fields of the API. The common name and the serial number are text, all others are lists.
pub(crate) fn fields(subject: &Subject) -> Map<String, Value> {
    let mut fields = Map::new();
    for (attribute, value) in subject.attributes() {
        let Some(field) = field(attribute) else {
            continue;
        };
        if ["common_name", "serial_number"].contains(&field) {
            fields.insert(field.to_owned(), value.as_str().into());
        } else if let Value::Array(list) = fields
            .entry(field)
            .or_insert_with(|| Value::Array(Vec::new()))
        {
            list.push(value.as_str().into());
        }
    }
    fields
}

fn field(attribute: &SubjectAttribute) -> Option<&'static str> {
    let known = |name: &str| SubjectAttribute::named(name).is_ok_and(|known| known == *attribute);
    FIELDS
        .iter()
        .find(|(name, _)| known(name))
        .map(|(_, field)| *field)
}

/// Whether two subjects have the same attributes; the order is the server's own.
pub(crate) fn same(one: &Subject, other: &Subject) -> bool {
    let sorted = |subject: &Subject| {
        let mut each: Vec<_> = subject
            .attributes()
            .iter()
            .map(|(attribute, value)| (attribute.to_string(), value.clone()))
            .collect();
        each.sort();
        each
    };
    sorted(one) == sorted(other)
}

#[cfg(test)]
#[expect(clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    fn subject(pairs: &[(&str, &str)]) -> Subject {
        Subject::from_pairs(pairs.iter().copied()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn every_field_belongs_to_an_attribute_that_is_known() {
        for (name, _) in FIELDS {
            assert!(SubjectAttribute::named(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn an_attribute_without_a_field_is_named() {
        let odd = subject(&[("O", "Example"), ("DC", "org"), ("CN", "A")]);
        assert_eq!(without_field(&odd).len(), 1, "{odd}");
    }

    #[test]
    fn repeated_attributes_become_a_list() {
        let given = fields(&subject(&[("O", "B"), ("O", "A"), ("CN", "A")]));
        assert_eq!(given["organization"], serde_json::json!(["B", "A"]));
        assert_eq!(given["common_name"], "A");
    }

    #[test]
    fn the_order_of_attributes_does_not_count() {
        let one = subject(&[("O", "Example"), ("C", "DE"), ("CN", "A")]);
        let other = subject(&[("C", "DE"), ("O", "Example"), ("CN", "A")]);
        assert!(same(&one, &other));
        assert!(!same(&one, &subject(&[("CN", "A")])));
    }
}
