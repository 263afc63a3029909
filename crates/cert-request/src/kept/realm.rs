// SPDX-License-Identifier: Apache-2.0
//! The Kerberos realm of a principal that names none. getcert completes it; over D-Bus it is ours to do.

use std::path::Path;

use tls_files::Observed;

use super::KeptError;

/// Where a realm is looked for: file, section, key.
const SOURCES: [(&str, &str, &str); 2] = [
    ("/etc/ipa/default.conf", "global", "realm"),
    ("/etc/krb5.conf", "libdefaults", "default_realm"),
];

/// The principals with their realm; the host's own where none is named.
pub(super) fn complete(principals: &[String]) -> Result<Vec<String>, KeptError> {
    let mut realm = None;
    let mut complete = Vec::with_capacity(principals.len());
    for principal in principals {
        if principal.contains('@') {
            complete.push(principal.clone());
            continue;
        }
        let realm: &String = match &realm {
            Some(realm) => realm,
            None => realm.insert(of_host().ok_or_else(|| KeptError::RealmUnknown {
                principal: principal.clone(),
            })?),
        };
        complete.push(format!("{principal}@{realm}"));
    }
    Ok(complete)
}

fn of_host() -> Option<String> {
    SOURCES.iter().find_map(|(path, section, key)| {
        let Observed::Present(file) = tls_files::observe(Path::new(path)) else {
            return None;
        };
        value(&String::from_utf8_lossy(&file.bytes), section, key)
    })
}

/// The value of a key in a section of an INI text.
fn value(text: &str, section: &str, key: &str) -> Option<String> {
    let mut is_inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            is_inside = name.trim() == section;
        } else if is_inside
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == key
            && !value.trim().is_empty()
        {
            return Some(value.trim().to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn the_realm_is_read_from_its_section_only() {
        let ipa = "[global]\nhost = a.example.org\nrealm = EXAMPLE.ORG\n";
        assert_eq!(
            value(ipa, "global", "realm").as_deref(),
            Some("EXAMPLE.ORG")
        );
        let krb5 = "# default_realm = NO\n[realms]\ndefault_realm = NO\n[libdefaults]\n  default_realm=EXAMPLE.ORG\n";
        assert_eq!(
            value(krb5, "libdefaults", "default_realm").as_deref(),
            Some("EXAMPLE.ORG")
        );
        assert_eq!(
            value(
                "[libdefaults]\ndefault_realm =\n",
                "libdefaults",
                "default_realm"
            ),
            None
        );
    }
}
