// SPDX-License-Identifier: Apache-2.0
//! One certificate: from which request, and which files it goes into.

use std::path::PathBuf;

use acme::PreferredChain;
use ansible_module::Faults;
use pki::CertificateRequest;
use tls_files::{Attributes, Mode, Target};

use super::{absolute, check_unique};
use crate::params::{CertificateParams, FileParams};

/// Longest name of a certificate: it becomes a file name.
const LONGEST_NAME: usize = 200;

/// Where the request is.
#[derive(Debug)]
pub enum CsrSource {
    /// In a file, read when the task runs.
    File(PathBuf),
    /// Given.
    Given(Box<CertificateRequest>),
}

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The certificate alone.
    Certificate,
    /// What is between it and the root.
    Chain,
    /// Both.
    Fullchain,
}

/// A file of the certificate.
#[derive(Debug)]
pub struct FileWish {
    /// What is in it.
    pub content: Content,
    /// Where, and with which attributes.
    pub target: Target,
}

/// A certificate that is wanted.
#[derive(Debug)]
pub struct CertificateWish {
    /// How results and files call it.
    pub name: String,
    /// Its request.
    pub csr: CsrSource,
    /// The certificate that is in service, where it is not among the files.
    pub current: Option<PathBuf>,
    /// The server's profile.
    pub profile: Option<String>,
    /// Which chain is taken.
    pub preferred: Option<PreferredChain>,
    /// Where it goes.
    pub files: Vec<FileWish>,
}

pub(super) fn certificates(
    given: &[CertificateParams],
    faults: &mut Faults,
) -> Vec<CertificateWish> {
    let names = given.iter().enumerate();
    let names = names.map(|(at, each)| (format!("certificates[{at}].name"), each.name.as_str()));
    check_unique("the name", names, faults);
    let paths = given.iter().enumerate().flat_map(|(at, each)| {
        let files = each.files.iter().enumerate();
        files.map(move |(file, one)| {
            (
                format!("certificates[{at}].files[{file}].path"),
                one.path.as_str(),
            )
        })
    });
    check_unique("the file", paths, faults);
    let each = given.iter().enumerate();
    each.filter_map(|(index, one)| certificate(&format!("certificates[{index}]"), one, faults))
        .collect()
}

fn certificate(
    at: &str,
    given: &CertificateParams,
    faults: &mut Faults,
) -> Option<CertificateWish> {
    check_name(at, &given.name, faults);
    let current = given.current.as_deref();
    let current = current.and_then(|path| absolute(&format!("{at}.current"), path, faults));
    let files = given.files.iter().enumerate();
    let files = files
        .filter_map(|(index, one)| file(&format!("{at}.files[{index}]"), one, faults))
        .collect();
    Some(CertificateWish {
        name: given.name.clone(),
        csr: csr(at, given, faults)?,
        current,
        profile: given.profile.clone(),
        preferred: given.preferred_chain.as_deref().map(|text| {
            // It takes any text.
            text.parse()
                .unwrap_or_else(|never: std::convert::Infallible| match never {})
        }),
        files,
    })
}

pub(super) fn csr(at: &str, given: &CertificateParams, faults: &mut Faults) -> Option<CsrSource> {
    match (&given.csr, &given.csr_content) {
        (Some(path), None) => absolute(&format!("{at}.csr"), path, faults).map(CsrSource::File),
        (None, Some(text)) => CertificateRequest::from_pem(text.as_bytes())
            .map(|request| CsrSource::Given(Box::new(request)))
            .map_err(|error| faults.push(format!("{at}.csr_content"), error.to_string()))
            .ok(),
        _ => {
            faults.push(at, "give exactly one of 'csr' and 'csr_content'");
            None
        }
    }
}

fn file(at: &str, given: &FileParams, faults: &mut Faults) -> Option<FileWish> {
    let mut account = |option: &str, name: &Option<String>, resolve: Resolve| {
        resolve(name.as_deref()?)
            .map_err(|error| faults.push(format!("{at}.{option}"), error.to_string()))
            .ok()
    };
    let owner = account("owner", &given.owner, tls_files::accounts::uid);
    let group = account("group", &given.group, tls_files::accounts::gid);
    let mode = given.mode.as_ref().and_then(|mode| {
        Mode::parse_from_value(mode)
            .map_err(|error| faults.push(format!("{at}.mode"), error.to_string()))
            .ok()
    });
    let content = match given.content.as_str() {
        "chain" => Content::Chain,
        "fullchain" => Content::Fullchain,
        _ => Content::Certificate,
    };
    let target = Target {
        path: absolute(&format!("{at}.path"), &given.path, faults)?,
        attributes: Attributes {
            owner,
            group,
            mode,
            ..Attributes::default()
        },
        secret: false,
        backup: false,
    };
    Some(FileWish { content, target })
}

pub(super) fn check_name(at: &str, name: &str, faults: &mut Faults) {
    let is_file_name = !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.starts_with('.')
        && !name.contains(['/', '\0']);
    if !is_file_name {
        let rule = "it becomes a file name: 1 to 200 bytes, no '/' and no '.' in front";
        faults.push(format!("{at}.name"), rule);
    }
}

/// How a name becomes a number.
type Resolve = fn(&str) -> tls_files::Result<u32>;
