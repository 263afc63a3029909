// SPDX-License-Identifier: Apache-2.0
//! One authority: its link, generations, keys, requests, index, list and bridges.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use pki::crl::RevocationList;
use pki::{Certificate, PrivateKey};

use super::drift::{directory_drift, drift};
use super::files::{bundle, certificate, file_names, missing, os, read, read_request, refuse_link};
use super::{Link, ObservedAuthority, ObservedKey};
use crate::failure::Failure;
use crate::index::Index;
use crate::names::AuthorityName;
use crate::request::{AuthorityWish, State};
use crate::tree::{AuthorityPlaces, FIRST_GENERATION, Tree};

/// Everything in the directory of `name`.
pub(super) fn authority(
    tree: &Tree,
    name: &AuthorityName,
    wish: Option<&AuthorityWish>,
) -> Result<Option<ObservedAuthority>, Failure> {
    let places = tree.authority(name);
    for directory in places.directories() {
        refuse_link(&directory.path)?;
    }
    let link = link(&places)?;
    let (generations, next_generation) = generations(&places, link)?;
    let certificate = current(&places, link, &generations)?;
    let key = key(&places, wish)?;
    let mut index = index(&places)?;
    let crl = crl(&places)?;
    if let Some(Ok(list)) = &crl {
        remember_revocations(
            &mut index,
            list,
            certificate.iter().chain(generations.values()),
        );
    }
    let current_generation = match link {
        Link::Generation(number) => number,
        _ => next_generation.saturating_sub(1),
    };
    Ok(Some(ObservedAuthority {
        pending_key: pending_key(&places, next_generation, wish)?,
        pending_request: read_request(&places.request(next_generation))?,
        current_request: read_request(&places.request(current_generation))?,
        chain: bundle(&places.chain())?,
        index,
        crl,
        bridges: bridges(&places, name)?,
        drift: drift(tree, &places, link)?,
        directory_drift: directory_drift(tree, &places)?,
        missing_directories: missing(places.directories())?,
        certificate,
        link,
        generations,
        next_generation,
        key,
    }))
}

fn link(places: &AuthorityPlaces) -> Result<Link, Failure> {
    let path = places.certificate();
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Link::Absent),
        Err(source) => Err(os("look at", &path, source)),
        Ok(found) if !found.is_symlink() => Ok(Link::Regular),
        Ok(_) => linked_generation(places, &path),
    }
}

/// Absolute links, which old versions of the upstream role made, are followed only into the same directory.
fn linked_generation(places: &AuthorityPlaces, path: &Path) -> Result<Link, Failure> {
    let target = fs::read_link(path).map_err(|source| os("read the link", path, source))?;
    let here = match target.parent() {
        Some(parent) => parent.as_os_str().is_empty() || parent == places.certificates(),
        None => false,
    };
    let generation = target
        .file_name()
        .and_then(|file| file.to_str())
        .and_then(|file| places.generation_of(file));
    match generation {
        Some(number) if here => Ok(Link::Generation(number)),
        _ => Err(Failure::Damaged {
            path: path.to_owned(),
            problem: format!(
                "links to '{}', which is not a certificate of this authority; remove the link, and the newest certificate is linked again",
                target.display()
            ),
        }),
    }
}

/// The generations that can be read, and the number of the next one. Only the one in service must be sound.
fn generations(
    places: &AuthorityPlaces,
    link: Link,
) -> Result<(BTreeMap<u64, Certificate>, u64), Failure> {
    let mut readable = BTreeMap::new();
    let mut highest = read(&places.serial())?.and_then(|file| {
        String::from_utf8_lossy(&file.bytes)
            .trim()
            .parse::<u64>()
            .ok()
    });
    for file in file_names(&places.certificates())? {
        let Some(number) = places.generation_of(&file) else {
            continue;
        };
        highest = highest.max(Some(number));
        match certificate(&places.generation(number)) {
            Ok(Some(found)) => drop(readable.insert(number, found)),
            Ok(None) => {}
            Err(failure) if link == Link::Generation(number) => return Err(failure),
            Err(_) => {}
        }
    }
    Ok((
        readable,
        highest.map_or(FIRST_GENERATION, |number| number.saturating_add(1)),
    ))
}

fn current(
    places: &AuthorityPlaces,
    link: Link,
    generations: &BTreeMap<u64, Certificate>,
) -> Result<Option<Certificate>, Failure> {
    match link {
        Link::Absent => Ok(None),
        Link::Generation(number) => Ok(generations.get(&number).cloned()),
        Link::Regular => certificate(&places.certificate()),
    }
}

fn key(places: &AuthorityPlaces, wish: Option<&AuthorityWish>) -> Result<ObservedKey, Failure> {
    let Some(file) = read(&places.key())? else {
        return Ok(ObservedKey::Absent);
    };
    let encrypted = is_encrypted(&file.bytes);
    let needless = wish.is_none_or(|wish| matches!(wish.state, State::Absent(_)));
    if encrypted && needless {
        return Ok(ObservedKey::Locked);
    }
    let private = open(&places.key(), &file.bytes, wish)?;
    let public = private.public_key().map_err(Failure::pki(format!(
        "use the private key '{}'",
        places.key().display()
    )))?;
    Ok(ObservedKey::Open {
        private,
        public,
        encrypted,
    })
}

/// PKCS#8 says it in the label, the traditional form in a header.
fn is_encrypted(pem: &[u8]) -> bool {
    pem.windows(9).any(|window| window == b"ENCRYPTED")
}

fn open(path: &Path, pem: &[u8], wish: Option<&AuthorityWish>) -> Result<PrivateKey, Failure> {
    let passphrase = wish.and_then(|wish| wish.passphrase.as_ref());
    PrivateKey::from_pem(pem, passphrase.map(|secret| secret.expose().as_bytes())).map_err(
        Failure::pki(format!("read the private key '{}'", path.display())),
    )
}

fn pending_key(
    places: &AuthorityPlaces,
    generation: u64,
    wish: Option<&AuthorityWish>,
) -> Result<Option<PrivateKey>, Failure> {
    let path = places.pending_key(generation);
    let file = if wish.is_some() { read(&path)? } else { None };
    file.map(|file| open(&path, &file.bytes, wish)).transpose()
}

fn index(places: &AuthorityPlaces) -> Result<Index, Failure> {
    let path = places.index();
    let Some(file) = read(&path)? else {
        return Ok(Index::default());
    };
    Index::parse(&file.bytes).map_err(|damage| Failure::Damaged {
        path,
        problem: format!("is not an index of ours: {damage}; restore it from a backup"),
    })
}

fn crl(places: &AuthorityPlaces) -> Result<Option<Result<RevocationList, String>>, Failure> {
    let file = read(&places.crl())?;
    Ok(file.map(|file| RevocationList::from_pem(&file.bytes).map_err(|error| error.to_string())))
}

/// What was published as revoked stays revoked, even if the index is lost or comes from an old backup.
fn remember_revocations<'a>(
    index: &mut Index,
    list: &RevocationList,
    mut signers: impl Iterator<Item = &'a Certificate>,
) {
    if signers.any(|signer| list.is_signed_by(signer)) {
        index.remember_published(list);
    }
}

fn bridges(
    places: &AuthorityPlaces,
    name: &AuthorityName,
) -> Result<BTreeMap<AuthorityName, Certificate>, Failure> {
    let mut found = BTreeMap::new();
    for file in file_names(&places.certificates())? {
        let signer = file
            .strip_prefix(name.as_str())
            .and_then(|rest| rest.strip_prefix("-cross-"))
            .and_then(|rest| rest.strip_suffix(".crt"))
            .and_then(|signer| AuthorityName::new(signer).ok());
        if let Some(signer) = signer
            && let Some(bridge) = certificate(&places.bridge(&signer))?
        {
            found.insert(signer, bridge);
        }
    }
    Ok(found)
}
