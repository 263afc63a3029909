// SPDX-License-Identifier: Apache-2.0
//! YAML as clouds.yaml is written: mappings, lists, text, anchors and merges. Every scalar stays the text that was
//! written, since a password of digits is no number; only what is null is null. Messages quote nothing of it.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// More than this, aliases multiplied, is no list of clouds.
const MOST_NODES: usize = 100_000;
const DEEPEST: usize = 32;
/// The key whose value's members come into the mapping around it (YAML 1.1's merge).
const MERGE: &str = "<<";

/// The one document in a text.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut tree = Tree::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            format!(
                "line {}: it is not YAML: {}",
                error.marker().line(),
                error.info()
            )
        })?;
        let line = span.start.line();
        tree.take(event)
            .map_err(|why| format!("line {line}: {why}"))?;
    }
    Ok(tree.root.unwrap_or(Value::Null))
}

#[derive(Default)]
struct Tree {
    root: Option<Value>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Value>,
    nodes: usize,
}

/// A list or mapping whose end was not seen yet.
struct Open {
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    Mapping {
        members: Map<String, Value>,
        key: Option<String>,
        merged: Vec<Value>,
    },
}

impl Tree {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_null = style == ScalarStyle::Plain
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = match is_null {
                    true => Value::Null,
                    false => Value::String(text.into_owned()),
                };
                self.put(value, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(anchor, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(
                anchor,
                Content::Mapping {
                    members: Map::new(),
                    key: None,
                    merged: Vec::new(),
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned();
                self.put(value.ok_or("an alias stands inside its own anchor")?, 0)
            }
            Event::DocumentStart(_) if self.root.is_some() => Err("a second document begins"),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, content: Content) -> Result<(), &'static str> {
        if self.open.len() >= DEEPEST {
            return Err("it is nested too deeply");
        }
        self.open.push(Open { anchor, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), &'static str> {
        let Some(Open { anchor, content }) = self.open.pop() else {
            return Ok(());
        };
        let value = match content {
            Content::List(items) => Value::Array(items),
            Content::Mapping {
                mut members,
                merged,
                ..
            } => {
                for other in merged {
                    merge(&mut members, other)?;
                }
                Value::Object(members)
            }
        };
        self.put(value, anchor)
    }

    fn put(&mut self, value: Value, anchor: usize) -> Result<(), &'static str> {
        self.nodes += count(&value);
        if self.nodes > MOST_NODES {
            return Err("it is too large");
        }
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(value),
            Some(Content::List(items)) => items.push(value),
            Some(Content::Mapping {
                members,
                key,
                merged,
            }) => match (key.take(), value) {
                (None, Value::String(text)) => *key = Some(text),
                (None, _) => return Err("a key is not text"),
                (Some(name), value) if name == MERGE => {
                    // As if it were merged now, so that the line of a fault is right.
                    merge(&mut Map::new(), value.clone())?;
                    merged.push(value);
                }
                (Some(name), value) => {
                    if members.insert(name, value).is_some() {
                        return Err("a key is there twice");
                    }
                }
            },
        }
        Ok(())
    }
}

/// What is there already stays.
fn merge(members: &mut Map<String, Value>, other: Value) -> Result<(), &'static str> {
    match other {
        Value::Object(more) => {
            for (key, value) in more {
                members.entry(key).or_insert(value);
            }
            Ok(())
        }
        Value::Array(several) => several.into_iter().try_for_each(|one| merge(members, one)),
        _ => Err("only mappings can be merged"),
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_stay_text_and_merges_do_not_override() {
        let text = "a: &base {x: 0123, y: true, z: ~}\nb:\n  <<: *base\n  x: 'own'\nc: [1, \"two\\n\", *base]\nd: |\n  block\n";
        let read = read(text).unwrap();
        assert_eq!(
            read,
            json!({
                "a": {"x": "0123", "y": "true", "z": null},
                "b": {"x": "own", "y": "true", "z": null},
                "c": ["1", "two\n", {"x": "0123", "y": "true", "z": null}],
                "d": "block\n",
            })
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_its_content() {
        for (text, why) in [
            ("a: 1\na: hunter2", "line 2: a key is there twice"),
            ("a: [hunter2", "line 2: it is not YAML"),
            ("a: hunter2\n b: hunter2", "line 2: it is not YAML"),
            ("[a]: hunter2", "line 1: a key is not text"),
            (
                "a: &x [*x]",
                "line 1: an alias stands inside its own anchor",
            ),
            ("<<: hunter2", "line 1: only mappings can be merged"),
            ("a\n---\nb", "line 2: a second document begins"),
        ] {
            let told = read(text).unwrap_err();
            assert!(
                told.starts_with(why) && !told.contains("hunter2"),
                "{text}: {told}"
            );
        }
    }

    #[test]
    fn what_grows_without_end_is_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let before = level - 1;
            let items = vec![format!("*a{before}"); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        assert!(read(&bomb).unwrap_err().ends_with("it is too large"));
        let deep = "[".repeat(1000);
        assert!(read(&deep).is_err());
    }
}
