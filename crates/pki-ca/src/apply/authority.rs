// SPDX-License-Identifier: Apache-2.0
//! The acts on one authority.

use std::fs;
use std::path::PathBuf;

use pki::chain::verify_authority;
use pki::{Certificate, CertificateRequest, PrivateKey, PublicKey, self_sign};
use tls_files::FileChange;

use super::store::pem;
use super::{Living, Work};
use crate::failure::Failure;
use crate::index::Issued;
use crate::links;
use crate::names::AuthorityName;
use crate::plan::{
    Act, AuthorityPlan, Bridge, Install, Issue, KeyPlan, Relink, RequestIssue, RevokeOwn,
};
use crate::tree::AuthorityPlaces;

impl Work<'_> {
    /// Everything that is planned for one authority.
    pub(super) fn authority(&mut self, plan: &AuthorityPlan) -> Result<(), Failure> {
        let name = &plan.name;
        if matches!(plan.act, Act::Remove) {
            return self.remove(name);
        }
        self.directories(name)?;
        // First of all: no key is written into a directory that is open to others.
        if plan.fix_attributes {
            self.fix_attributes(name)?;
        }
        if let Some(relink) = plan.relink {
            self.relink(name, relink)?;
        }
        if let Some(service) = plan.service {
            self.living(name).index.service = service;
        }
        match &plan.act {
            Act::Issue(issue) => self.issue(name, issue)?,
            Act::Request(request) => self.request(name, request)?,
            Act::Install(install) => self.put_into_service(name, install)?,
            Act::Keep | Act::Remove => {}
        }
        if plan.refresh_chain {
            self.refresh_chain(name)?;
        }
        if let Some(revoke) = &plan.revoke {
            self.revoke_own(revoke)?;
        }
        if let Some(bridge) = &plan.bridge {
            self.bridge(name, bridge)?;
        }
        if plan.service.is_some() && !matches!(plan.act, Act::Issue(_) | Act::Install(_)) {
            self.save_index(name)?;
        }
        Ok(())
    }

    fn issue(&mut self, name: &AuthorityName, issue: &Issue) -> Result<(), Failure> {
        let key = self.key_for(name, issue.key)?;
        let public = match &key {
            Some(key) => key
                .public_key()
                .map_err(Failure::pki(format!("use the key of authority '{name}'")))?,
            None => self.public_of(name)?,
        };
        let (certificate, above) = self.sign_authority(name, issue, key.as_ref(), &public)?;
        let pool = std::iter::once(&certificate)
            .chain(&above)
            .cloned()
            .collect();
        verify_authority(pool, &public, self.now, true).map_err(|source| Failure::Unverified {
            authority: issue.signer.clone().unwrap_or_else(|| name.clone()),
            source: Box::new(source),
        })?;
        let request = key
            .as_ref()
            .map(|key| CertificateRequest::create(&issue.template.request, key));
        let request = request.transpose().map_err(Failure::pki(format!(
            "make the request of authority '{name}'"
        )))?;
        self.note_issued(issue.signer.as_ref(), &certificate, name)?;
        let written_key = key.as_ref().filter(|_| issue.key != KeyPlan::Keep);
        let mut changes = Vec::new();
        if let Some(key) = written_key {
            changes.push(self.private(name, self.request.tree.authority(name).key(), key)?);
        }
        self.replace(name, changes, &certificate, &above, request)?;
        if let Some(key) = key {
            self.living(name).key = Some(key);
        }
        Ok(())
    }

    /// The key for a new certificate; none where it is locked and only its public half is needed.
    fn key_for(
        &mut self,
        name: &AuthorityName,
        plan: KeyPlan,
    ) -> Result<Option<PrivateKey>, Failure> {
        match plan {
            KeyPlan::Keep | KeyPlan::Rewrite => Ok(self.living(name).key.clone()),
            KeyPlan::New(algorithm) => {
                PrivateKey::generate(algorithm)
                    .map(Some)
                    .map_err(Failure::pki(format!(
                        "make a {algorithm} key for authority '{name}'"
                    )))
            }
        }
    }

    fn public_of(&self, name: &AuthorityName) -> Result<PublicKey, Failure> {
        let certificate = self
            .living
            .get(name)
            .and_then(|living| living.certificate.as_ref());
        certificate
            .map(|certificate| certificate.public_key().clone())
            .ok_or_else(|| Failure::KeyUnavailable {
                authority: name.clone(),
                path: self.request.tree.authority(name).key(),
                problem: "is not there",
            })
    }

    fn sign_authority(
        &self,
        name: &AuthorityName,
        issue: &Issue,
        key: Option<&PrivateKey>,
        public: &PublicKey,
    ) -> Result<(Certificate, Vec<Certificate>), Failure> {
        let what = || Failure::pki(format!("sign the certificate of authority '{name}'"));
        match (&issue.signer, key) {
            (Some(parent), _) => {
                let signer = self.signer(parent, name)?;
                let certificate = signer.sign(&issue.template, public).map_err(what())?;
                let above = std::iter::once(signer.certificate())
                    .chain(signer.chain())
                    .cloned()
                    .collect();
                Ok((certificate, above))
            }
            (None, Some(key)) => self_sign(&issue.template, key)
                .map_err(what())
                .map(|root| (root, Vec::new())),
            (None, None) => Err(Failure::KeyUnavailable {
                authority: name.clone(),
                path: self.request.tree.authority(name).key(),
                problem: "is not there",
            }),
        }
    }

    /// Notes in the signer's index, before the certificate exists anywhere else.
    fn note_issued(
        &mut self,
        signer: Option<&AuthorityName>,
        certificate: &Certificate,
        name: &AuthorityName,
    ) -> Result<(), Failure> {
        let Some(signer) = signer else {
            return Ok(());
        };
        let now = self.now;
        let facts = certificate.facts();
        let entry = Issued {
            serial: facts.serial.clone(),
            not_after: facts.not_after,
            subject: facts.subject.to_string(),
            name: Some(format!("authority {name}")),
        };
        self.living(signer).index.note_issued(entry, now);
        self.save_index(signer)
    }

    /// Puts the next generation into service, with whatever else belongs to the set.
    fn replace(
        &mut self,
        name: &AuthorityName,
        key: Vec<FileChange>,
        certificate: &Certificate,
        above: &[Certificate],
        request: Option<CertificateRequest>,
    ) -> Result<(), Failure> {
        let places = self.request.tree.authority(name);
        let generation = self.living(name).next_generation;
        let mut changes = key;
        changes.push(self.public(places.generation(generation), certificate.to_pem()));
        changes.push(self.public(places.certificate(), certificate.to_pem()));
        if !above.is_empty() {
            links::unlink(&places.chain())?;
            changes.push(self.public(places.chain(), chain_pem(certificate, above)));
        }
        if let Some(request) = &request {
            changes.push(self.public(places.request(generation), request.to_pem()));
        }
        changes.push(self.public(places.serial(), generation.to_string()));
        changes.push(self.index(name));
        links::detach(&places.certificate())?;
        let in_service = self.living(name).generation;
        if let Err(failure) = self.install(&format!("authority {name}"), changes) {
            // The old set is back; so is the link, or the next run puts it right.
            if let Some(number) = in_service {
                let _next_run =
                    links::attach(&places.certificate(), &places.generation_name(number));
            }
            return Err(failure);
        }
        links::attach(&places.certificate(), &places.generation_name(generation))?;
        if above.is_empty() {
            attach_chain(&places)?;
        }
        self.changed = true;
        let living = self.living(name);
        living.certificate = Some(certificate.clone());
        living.above = above.to_vec();
        living.request = request.or_else(|| living.request.take());
        living.generation = Some(generation);
        living.next_generation = generation.saturating_add(1);
        Ok(())
    }

    fn request(&mut self, name: &AuthorityName, plan: &RequestIssue) -> Result<(), Failure> {
        let places = self.request.tree.authority(name);
        let generation = self.living(name).next_generation;
        let key = self
            .key_for(name, plan.key)?
            .ok_or_else(|| Failure::KeyUnavailable {
                authority: name.clone(),
                path: places.key(),
                problem: "is not there",
            })?;
        let request = CertificateRequest::create(&plan.template, &key).map_err(Failure::pki(
            format!("make the request of authority '{name}'"),
        ))?;
        let mut changes = Vec::new();
        if matches!(plan.key, KeyPlan::New(_)) {
            let path = if plan.in_service {
                places.pending_key(generation)
            } else {
                places.key()
            };
            changes.push(self.private(name, path, &key)?);
        }
        changes.push(self.public(places.request(generation), request.to_pem()));
        self.install(&format!("request of {name}"), changes)?;
        let living = self.living(name);
        if !plan.in_service {
            living.key = Some(key);
        }
        living.request = Some(request);
        Ok(())
    }

    fn put_into_service(&mut self, name: &AuthorityName, install: &Install) -> Result<(), Failure> {
        let places = self.request.tree.authority(name);
        let found = self.observed.authorities.get(name);
        let promoted = found
            .and_then(|found| found.pending_key.clone())
            .filter(|_| install.promote_key);
        let pending = places.pending_key(self.living(name).next_generation);
        let mut changes = Vec::new();
        if let Some(key) = &promoted {
            changes.push(self.private(name, places.key(), key)?);
        }
        self.replace(name, changes, &install.certificate, &install.above, None)?;
        if let Some(key) = promoted {
            self.living(name).key = Some(key);
            self.remove_files(&format!("pending key of {name}"), vec![pending])?;
        }
        Ok(())
    }

    fn relink(&mut self, name: &AuthorityName, relink: Relink) -> Result<(), Failure> {
        let places = self.request.tree.authority(name);
        let generation = match relink {
            Relink::To(generation) => generation,
            Relink::Adopt => {
                let living = self.living(name);
                let generation = living.next_generation;
                living.next_generation = generation.saturating_add(1);
                let pem = living
                    .certificate
                    .as_ref()
                    .map(Certificate::to_pem)
                    .unwrap_or_default();
                let changes = vec![
                    self.public(places.generation(generation), pem),
                    self.public(places.serial(), generation.to_string()),
                ];
                self.install(&format!("adopted {name}"), changes)?;
                generation
            }
        };
        links::attach(&places.certificate(), &places.generation_name(generation))?;
        self.living(name).generation = Some(generation);
        self.changed = true;
        Ok(())
    }

    fn refresh_chain(&mut self, name: &AuthorityName) -> Result<(), Failure> {
        let places = self.request.tree.authority(name);
        let parent = self.parent_now(name);
        let living = self.living(name);
        if let Some(above) = parent {
            living.above = above;
        }
        let Some(certificate) = living.certificate.clone() else {
            return Ok(());
        };
        let above = living.above.clone();
        self.changed = true;
        if above.is_empty() {
            return attach_chain(&places);
        }
        let content = chain_pem(&certificate, &above);
        links::unlink(&places.chain())?;
        let changes = vec![self.public(places.chain(), content)];
        self.install(&format!("chain of {name}"), changes)
    }

    /// What is above `name` now that its parent may have another certificate.
    fn parent_now(&self, name: &AuthorityName) -> Option<Vec<Certificate>> {
        let certificate = self.living.get(name)?.certificate.as_ref()?;
        let mut others = self.living.iter().filter(|(other, _)| *other != name);
        let signer = others.find_map(|(_, other)| {
            let signer = other.certificate.as_ref()?;
            (!certificate.is_self_issued() && certificate.signed_by(signer)).then_some(other)
        })?;
        Some(
            signer
                .certificate
                .iter()
                .chain(&signer.above)
                .cloned()
                .collect(),
        )
    }

    fn fix_attributes(&mut self, name: &AuthorityName) -> Result<(), Failure> {
        let Some(found) = self.observed.authorities.get(name) else {
            return Ok(());
        };
        for (path, _) in &found.directory_drift {
            links::repair_directory(path, &self.request.tree.ownership)?;
            self.changed = true;
        }
        let targets: Vec<_> = found
            .drift
            .iter()
            .map(|(target, _)| target.clone())
            .collect();
        let fixed = tls_files::fix_attributes(&targets).map_err(|source| Failure::Files {
            what: format!("repair owners and modes of authority '{name}'"),
            source,
        })?;
        self.changed |= !fixed.is_empty();
        Ok(())
    }

    fn revoke_own(&mut self, revoke: &RevokeOwn) -> Result<(), Failure> {
        let now = self.now;
        let index = &mut self.living(&revoke.parent).index;
        for serial in &revoke.serials {
            index.revoked.push(pki::crl::Revocation {
                serial: serial.clone(),
                at: now,
                reason: revoke.reason,
            });
        }
        self.save_index(&revoke.parent)
    }

    fn bridge(&mut self, name: &AuthorityName, bridge: &Bridge) -> Result<(), Failure> {
        let public = self.public_of(name)?;
        let signer = self.signer(&bridge.signer, name)?;
        let certificate = signer
            .sign(&bridge.template, &public)
            .map_err(Failure::pki(format!("sign the key of authority '{name}'")))?;
        let chain = std::iter::once(&certificate)
            .chain([signer.certificate()])
            .chain(signer.chain());
        verify_authority(chain.cloned().collect(), &public, self.now, true).map_err(|source| {
            Failure::Unverified {
                authority: bridge.signer.clone(),
                source: Box::new(source),
            }
        })?;
        self.note_issued(Some(&bridge.signer), &certificate, name)?;
        let path = self.request.tree.authority(name).bridge(&bridge.signer);
        let changes = vec![self.public(path, certificate.to_pem())];
        self.install(&format!("bridge of {name}"), changes)
    }

    /// Removes everything of an authority, its keys last, so that a removal that is cut can be repeated.
    fn remove(&mut self, name: &AuthorityName) -> Result<(), Failure> {
        let places = self.request.tree.authority(name);
        links::unlink(&places.chain())?;
        links::unlink(&places.certificate())?;
        let mut files = Vec::new();
        let mut keys = Vec::new();
        for directory in places.directories() {
            let found = files_in(&directory.path)?;
            if directory.path == places.private() {
                keys.extend(found)
            } else {
                files.extend(found)
            }
        }
        files.extend(keys);
        self.remove_files(&format!("authority {name}"), files)?;
        let directories: Vec<_> = places
            .directories()
            .into_iter()
            .rev()
            .map(|each| each.path)
            .collect();
        links::remove_empty(&directories);
        self.changed = true;
        self.living.remove(name);
        Ok(())
    }

    fn remove_files(&mut self, set: &str, files: Vec<PathBuf>) -> Result<(), Failure> {
        let removed = tls_files::remove(set, &files).map_err(|source| Failure::Files {
            what: format!("remove the files of {set}"),
            source,
        })?;
        self.changed |= !removed.is_empty();
        Ok(())
    }
}

fn chain_pem(certificate: &Certificate, above: &[Certificate]) -> String {
    format!("{}{}", certificate.to_pem(), pem(above))
}

/// A root is its own chain.
fn attach_chain(places: &AuthorityPlaces) -> Result<(), Failure> {
    let certificate = places.certificate();
    let name = certificate
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    links::attach(&places.chain(), &name)
}

fn files_in(directory: &std::path::Path) -> Result<Vec<PathBuf>, Failure> {
    let listed = match fs::read_dir(directory) {
        Ok(listed) => listed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(Failure::Os {
                what: "list",
                path: directory.to_owned(),
                source,
            });
        }
    };
    let mut files: Vec<_> = listed
        .flatten()
        .map(|item| item.path())
        .filter(|path| !path.is_dir())
        .collect();
    files.sort();
    Ok(files)
}

impl Living {
    /// The certificates of the bundle: itself and all above it.
    pub(crate) fn bundle(&self) -> Vec<Certificate> {
        self.certificate
            .iter()
            .chain(&self.above)
            .cloned()
            .collect()
    }
}
