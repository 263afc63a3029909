// SPDX-License-Identifier: Apache-2.0
//! Whether the token may do all that is planned, asked before anything is written: a plan is done whole or not begun, and
//! check mode tells what a run would stumble over.

use serde_json::{Map, Value};
use vault::Vault;

use super::error::{Error, Failed};
use super::object::Object;
use super::plan::{Act, ConfigPlan, ObjectPlan};

/// One path, and what the token must be able to do there.
#[derive(Clone, Debug, PartialEq)]
struct Need {
    path: String,
    /// One of these is enough; the first is what a policy should say.
    ways: &'static [&'static [&'static str]],
}

/// Writing: which of the two the server asks for depends on whether the object is there.
const WRITE: &[&[&str]] = &[&["create", "update"], &["update"], &["create"]];
const CHANGE_ROLE: &[&[&str]] = &[&["patch"], &["create", "update"], &["update"], &["create"]];
const DELETE: &[&[&str]] = &[&["delete"]];
const ENABLE_METHOD: &[&[&str]] = &[
    &["create", "update", "sudo"],
    &["update", "sudo"],
    &["create", "sudo"],
];

/// Asks what the token may do at each path of the plan. A warning where nobody may even ask that.
///
/// # Errors
/// [`Error::Permissions`] with the lines that a policy of the token lacks, those for what it could not even look at first.
pub fn check(vault: &Vault, plan: &ConfigPlan) -> Result<Vec<String>, Error> {
    let mut missing: Vec<String> = plan.failed.iter().filter_map(unseen).collect();
    let mut warnings = Vec::new();
    let needs = needs(plan);
    if !needs.is_empty() {
        let paths: Vec<&str> = needs.iter().map(|need| need.path.as_str()).collect();
        match vault.capabilities(&paths) {
            Ok(found) => {
                let lacking = needs.iter().filter(|need| !need.is_met(&found));
                missing.extend(lacking.map(Need::line));
            }
            Err(vault::Error::PermissionDenied { .. }) => warnings.push(
                "the token may not ask sys/capabilities-self, so nobody knows beforehand whether it may do what is planned"
                    .to_owned(),
            ),
            Err(error) => return Err(Error::server("ask what the token may do")(error)),
        }
    }
    match missing.is_empty() {
        true => Ok(warnings),
        false => Err(Error::Permissions { missing }),
    }
}

fn unseen(failed: &Failed) -> Option<String> {
    match &failed.error {
        Error::Unseen { line, .. } => Some(line.clone()),
        _ => None,
    }
}

/// A line of a policy.
pub fn line(path: &str, words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!(
        "path \"{path}\" {{ capabilities = [{}] }}",
        words.join(", ")
    )
}

impl Need {
    fn is_met(&self, found: &Map<String, Value>) -> bool {
        let words = found.get(&self.path).and_then(Value::as_array);
        let has = |word: &str| {
            words.is_some_and(|words| words.iter().any(|found| found.as_str() == Some(word)))
        };
        has("root") || self.ways.iter().any(|way| way.iter().all(|word| has(word)))
    }

    /// As a policy says it.
    fn line(&self) -> String {
        line(&self.path, self.ways.first().copied().unwrap_or_default())
    }
}

fn needs(plan: &ConfigPlan) -> Vec<Need> {
    let writing = plan.objects.iter().filter(|each| each.writes());
    let mut needs: Vec<Need> = writing.map(|each| object(each, &plan.mount)).collect();
    for secret in plan.secret_ids.iter().filter(|each| each.reason.is_some()) {
        needs.push(Need {
            path: format!("{}/secret-id", secret.wish.role),
            ways: WRITE,
        });
    }
    if plan.tidy.as_ref().is_some_and(|(_, due)| *due) {
        needs.push(Need {
            path: format!("{}/tidy", plan.mount),
            ways: WRITE,
        });
    }
    if plan.disable.as_ref().is_some_and(|each| each.due) {
        needs.push(Need {
            path: format!("sys/mounts/{}", plan.mount),
            ways: DELETE,
        });
    }
    needs
}

fn object(plan: &ObjectPlan, mount: &str) -> Need {
    let path = plan.object().path(mount);
    let need = |ways| Need {
        path: path.clone(),
        ways,
    };
    match (plan.object(), &plan.act) {
        (_, Act::Remove) => need(DELETE),
        (Object::Mount, Act::Update) => Need {
            path: format!("{path}/tune"),
            ways: WRITE,
        },
        (Object::Role(_), Act::Update) => need(CHANGE_ROLE),
        (Object::AppRoleMethod(_), _) => need(ENABLE_METHOD),
        _ => need(WRITE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(words: &[&str]) -> Map<String, Value> {
        Map::from_iter([("pki/roles/web".to_owned(), json!(words))])
    }

    fn need(ways: &'static [&'static [&'static str]]) -> Need {
        Need {
            path: "pki/roles/web".to_owned(),
            ways,
        }
    }

    #[test]
    fn one_way_is_enough() {
        for (ways, words, met) in [
            (WRITE, &["update"] as &[&str], true),
            (WRITE, &["create", "read"], true),
            (WRITE, &["read"], false),
            (WRITE, &["deny"], false),
            (DELETE, &["root"], true),
            (CHANGE_ROLE, &["patch"], true),
            (ENABLE_METHOD, &["update"], false),
            (ENABLE_METHOD, &["update", "sudo"], true),
        ] {
            assert_eq!(need(ways).is_met(&found(words)), met, "{ways:?} {words:?}");
        }
        assert!(!need(WRITE).is_met(&Map::new()));
    }

    #[test]
    fn the_line_is_one_of_a_policy() {
        let line = r#"path "pki/roles/web" { capabilities = ["create", "update"] }"#;
        assert_eq!(need(WRITE).line(), line);
    }
}
