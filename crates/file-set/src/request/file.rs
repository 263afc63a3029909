// SPDX-License-Identifier: Apache-2.0
//! One file: where, with which attributes, and what shall become of it.

use std::fmt;

use ansible_module::Faults;
use data_encoding::BASE64_MIME_PERMISSIVE;
use tls_files::{Attributes, Mode, SelinuxContext, Target};
use zeroize::Zeroizing;

use super::{absolute, holds_private_key};
use crate::params::FileParams;

/// What shall become of a file.
pub enum Wish {
    /// It is there with this content.
    Present(Zeroizing<Vec<u8>>),
    /// It is gone.
    Absent,
    /// It has the ending `.replaced`: out of service, but there for the way back.
    Retired,
}

impl fmt::Debug for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present(content) => write!(f, "Present({} bytes)", content.len()),
            Self::Absent => f.write_str("Absent"),
            Self::Retired => f.write_str("Retired"),
        }
    }
}

/// One file.
#[derive(Debug)]
pub struct FileWish {
    /// Path and attributes.
    pub target: Target,
    /// What shall become of it.
    pub wish: Wish,
}

/// The files of a set, in the order given.
pub(super) fn files(at: &str, given: &[FileParams], faults: &mut Faults) -> Vec<FileWish> {
    if given.is_empty() {
        faults.push(at, "name at least one file");
    }
    let each = given.iter().enumerate();
    each.filter_map(|(index, file)| wish(&format!("{at}[{index}]"), file, faults))
        .collect()
}

fn wish(at: &str, file: &FileParams, faults: &mut Faults) -> Option<FileWish> {
    let path = absolute(&format!("{at}.path"), &file.path, faults);
    let attributes = attributes(at, file, faults);
    let wish = match file.state.as_str() {
        "absent" => Wish::Absent,
        "retired" => Wish::Retired,
        _ => Wish::Present(content(at, file, faults)?),
    };
    let secret = match (&wish, file.holds_private_key) {
        (_, Some(told)) => told,
        (Wish::Present(content), None) => holds_private_key(content),
        (Wish::Absent | Wish::Retired, None) => false,
    };
    let target = Target {
        path: path?,
        attributes,
        secret,
        backup: file.backup,
    };
    Some(FileWish { target, wish })
}

fn content(at: &str, file: &FileParams, faults: &mut Faults) -> Option<Zeroizing<Vec<u8>>> {
    match (&file.content, &file.content_base64) {
        (Some(text), None) => Some(Zeroizing::new(text.expose().as_bytes().to_vec())),
        (None, Some(text)) => BASE64_MIME_PERMISSIVE
            .decode(text.expose().as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| faults.push(format!("{at}.content_base64"), "is not base64"))
            .ok(),
        _ => {
            faults.push(at, "give exactly one of 'content' and 'content_base64'");
            None
        }
    }
}

fn attributes(at: &str, file: &FileParams, faults: &mut Faults) -> Attributes {
    let account = |option: &str, name: &Option<String>, resolve: Resolve, faults: &mut Faults| {
        resolve(name.as_deref()?)
            .map_err(|error| faults.push(format!("{at}.{option}"), error.to_string()))
            .ok()
    };
    Attributes {
        owner: account("owner", &file.owner, tls_files::accounts::uid, faults),
        group: account("group", &file.group, tls_files::accounts::gid, faults),
        mode: file.mode.as_ref().and_then(|mode| {
            Mode::parse_from_value(mode)
                .map_err(|error| faults.push(format!("{at}.mode"), error.to_string()))
                .ok()
        }),
        context: context(at, file, faults),
    }
}

/// How a name becomes a number.
type Resolve = fn(&str) -> tls_files::Result<u32>;

fn context(at: &str, file: &FileParams, faults: &mut Faults) -> Option<SelinuxContext> {
    let whole = file.context.as_deref().and_then(|text| {
        SelinuxContext::parse(text)
            .map_err(|error| faults.push(format!("{at}.context"), error.to_string()))
            .ok()
    });
    let Some(kind) = &file.setype else {
        return whole;
    };
    Some(SelinuxContext {
        kind: Some(kind.clone()),
        ..whole.unwrap_or_default()
    })
}
