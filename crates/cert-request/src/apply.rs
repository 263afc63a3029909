// SPDX-License-Identifier: Apache-2.0
//! Does what was decided for one entry: key, request, certificate, files.

use std::path::{Path, PathBuf};

use issuers::{Issued, Wish};
use pki::chain::{self, Expectation, Verified};
use pki::{Certificate, CertificateRequest, Curve, KeyAlgorithm, Lifetime, PrivateKey, Timestamp};
use tls_files::{Attributes, FileChange, Target};
use zeroize::Zeroizing;

use crate::decide::{Action, Decision, KeySource};
use crate::failure::EntryError;
use crate::issuance::Loaded;
use crate::kept::KeptError;
use crate::layout;
use crate::observe::{Observation, Presence};
use crate::ordered::Place;
use crate::request::{Content, Entry, FileSpec, IssuerSpec};
use crate::state::{Pending, PendingDir};

/// The key of a rehearsal: the one that is made fastest.
const REHEARSED: KeyAlgorithm = KeyAlgorithm::Ecdsa(Curve::P256);

/// How much the clock of an authority may be ahead: what is left when both are synchronised, and more.
pub const AHEAD: Lifetime = Lifetime(300);

/// What was done.
#[derive(Debug, Default)]
pub struct Applied {
    /// Files that were created, replaced or repaired.
    pub files: Vec<PathBuf>,
    /// Copies of replaced files.
    pub backups: Vec<PathBuf>,
    /// The certificate that is new in service.
    pub certificate: Option<Certificate>,
    /// The request that waits for an outside signature, PEM.
    pub csr: Option<String>,
    /// What it waits for, where there is no certificate yet.
    pub waits_for: Option<String>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

/// One entry with all that is known of it.
pub struct Work<'a> {
    /// What is wished.
    pub entry: &'a Entry,
    /// Who signs.
    pub issuer: &'a Loaded,
    /// What is there.
    pub seen: &'a Observation,
    /// Where requests wait.
    pub state_dir: &'a Path,
    /// The clock.
    pub now: Timestamp,
}

/// certmonger has installed it already: the message must not say that nothing was changed.
fn unfit(error: EntryError) -> EntryError {
    match error {
        EntryError::Chain { source, .. } => EntryError::from(KeptError::Unfit { source }),
        other => other,
    }
}

impl Work<'_> {
    /// Does what was decided.
    ///
    /// # Errors
    /// Why it could not be done; then the old files are in place.
    pub fn apply(&self, decision: &Decision) -> Result<Applied, EntryError> {
        match decision.action {
            Action::Keep => Ok(Applied::default()),
            Action::FixAttributes => self.fix_attributes(),
            Action::Rewrite => self.rewrite(),
            Action::Issue(source) => self.issue(source),
            Action::Request(source) => self.request(source),
            // What certmonger keeps goes the way of `kept`.
            Action::Track => Ok(Applied::default()),
            Action::Wait(_) => self.wait(),
        }
    }

    /// What check mode does in the place of [`Self::apply`]: issues for a key that is forgotten and verifies what comes,
    /// so that it fails where the real run would. Writes nothing.
    ///
    /// # Errors
    /// What the issuer refuses, or what is wrong with what it issues, such as a name outside of its constraints.
    pub fn rehearse(&self, decision: &Decision) -> Result<(), EntryError> {
        let Action::Issue(source) = decision.action else {
            return Ok(());
        };
        if !self.issuer.issues_without_effect() {
            return Ok(());
        }
        let (key, request) = match source {
            // Of any algorithm: nothing here depends on it, and an RSA key takes long.
            KeySource::New => self.with_request(self.generate(REHEARSED)?)?,
            _ => self.key_and_request(source)?,
        };
        match self.ask(&key, &request)? {
            Issued::Bytes { pem } => self.verify(self.parse(&pem)?, &key).map(drop),
            Issued::Pending { .. } => Ok(()),
        }
    }

    fn fix_attributes(&self) -> Result<Applied, EntryError> {
        Ok(Applied {
            files: tls_files::fix_attributes(&self.drifted())?,
            ..Applied::default()
        })
    }

    fn drifted(&self) -> Vec<Target> {
        let each = self.entry.files.iter().zip(&self.seen.files);
        each.filter(|(_, seen)| !seen.drift.is_empty())
            .map(|(file, _)| file.target.clone())
            .collect()
    }

    fn key(&self, source: KeySource) -> Result<PrivateKey, EntryError> {
        let known = match source {
            KeySource::Installed => self.seen.key.as_ref(),
            KeySource::Pending => self.seen.pending.as_ref().map(|pending| &pending.key),
            KeySource::Provided => self.issuer.issuer().key(),
            KeySource::New => None,
        };
        match known {
            Some(key) => Ok(key.clone()),
            None => self.generate(self.entry.key.algorithm),
        }
    }

    fn generate(&self, algorithm: KeyAlgorithm) -> Result<PrivateKey, EntryError> {
        PrivateKey::generate(algorithm).map_err(|source| EntryError::Make {
            what: "the private key",
            source: Box::new(source),
        })
    }

    fn certificate_request(&self, key: &PrivateKey) -> Result<CertificateRequest, EntryError> {
        CertificateRequest::create(&self.entry.template, key).map_err(|source| EntryError::Make {
            what: "the signing request",
            source: Box::new(source),
        })
    }

    fn key_and_request(
        &self,
        source: KeySource,
    ) -> Result<(PrivateKey, CertificateRequest), EntryError> {
        let key = self.key(source)?;
        match (&self.seen.pending, source) {
            (Some(pending), KeySource::Pending) => Ok((key, pending.request.clone())),
            _ => self.with_request(key),
        }
    }

    fn with_request(
        &self,
        key: PrivateKey,
    ) -> Result<(PrivateKey, CertificateRequest), EntryError> {
        let request = self.certificate_request(&key)?;
        Ok((key, request))
    }

    /// Key and request for somebody who is asked elsewhere.
    ///
    /// # Errors
    /// That they cannot be made.
    pub fn made(&self, source: KeySource) -> Result<Pending, EntryError> {
        let (key, request) = self.key_and_request(source)?;
        Ok(Pending { key, request })
    }

    fn issue(&self, source: KeySource) -> Result<Applied, EntryError> {
        let (key, request) = self.key_and_request(source)?;
        match self.ask(&key, &request)? {
            Issued::Bytes { pem } => self.install(&pem, &key, &request),
            Issued::Pending { .. } => self.keep_pending(Pending { key, request }),
        }
    }

    /// Takes what a server gave for a request that it was asked with before.
    ///
    /// # Errors
    /// That it is not what was asked for, or cannot be installed; then the old files are in place.
    pub fn take(&self, ordered: &Pending) -> Result<Applied, EntryError> {
        match self.ask(&ordered.key, &ordered.request)? {
            Issued::Bytes { pem } => {
                let first = self.parse(&pem)?.into_iter().next();
                let now = first.map_or(self.now, |leaf| self.judged_at(&leaf));
                let judge = Work { now, ..*self };
                judge.install(&pem, &ordered.key, &ordered.request)
            }
            Issued::Pending { waits_for } => Ok(Applied {
                waits_for: Some(waits_for),
                ..Applied::default()
            }),
        }
    }

    fn ask(&self, key: &PrivateKey, request: &CertificateRequest) -> Result<Issued, EntryError> {
        let wish = Wish {
            template: &self.entry.template,
            key,
            not_before: self.now.begin_of(self.entry.ttl),
            not_after: self.now + self.entry.ttl,
            now: self.now,
        };
        Ok(self.issuer.issuer().issue(request, &wish)?)
    }

    fn parse(&self, pem: &[u8]) -> Result<Vec<Certificate>, EntryError> {
        chain::parse_bundle(pem).map_err(|source| EntryError::Chain {
            issuer: self.issuer.issuer().name(),
            source: Box::new(source),
        })
    }

    fn install(
        &self,
        pem: &[u8],
        key: &PrivateKey,
        request: &CertificateRequest,
    ) -> Result<Applied, EntryError> {
        let verified = self.verify(self.parse(pem)?, key)?;
        let all: Vec<&FileSpec> = self.entry.files.iter().collect();
        let mut applied = self.write(&all, &verified, key, Some(request))?;
        applied.certificate = Some(verified.leaf().clone());
        if self.issuer.external().is_some() {
            PendingDir::new(self.state_dir, &self.entry.name).discard()?;
        }
        self.forget_order(&mut applied);
        Ok(applied)
    }

    /// The certificate is in service, so what is left over of its order is no failure.
    fn forget_order(&self, applied: &mut Applied) {
        if !matches!(self.entry.issuer, IssuerSpec::Acme(_)) {
            return;
        }
        let place = Place::new(self.state_dir, self.entry);
        let pending = PendingDir::new(self.state_dir, &self.entry.name);
        let forgotten = place
            .forget_order()
            .and_then(|()| pending.discard().map(drop));
        if let Err(error) = forgotten {
            applied.warnings.push(ansible_module::flatten(&error));
        }
    }

    fn verify(&self, pool: Vec<Certificate>, key: &PrivateKey) -> Result<Verified, EntryError> {
        let public_key = key.public_key().map_err(|source| EntryError::Make {
            what: "the public key",
            source: Box::new(source),
        })?;
        let names = &self.entry.template.names;
        let expectation = Expectation {
            public_key: &public_key,
            names: (!names.is_empty()).then_some(names),
            trust: self.issuer.issuer().trust(),
            now: self.now,
        };
        chain::verify(pool, &expectation).map_err(|source| EntryError::Chain {
            issuer: self.issuer.issuer().name(),
            source: Box::new(source),
        })
    }

    fn write(
        &self,
        files: &[&FileSpec],
        verified: &Verified,
        key: &PrivateKey,
        request: Option<&CertificateRequest>,
    ) -> Result<Applied, EntryError> {
        let set = layout::Set {
            verified,
            key,
            wish: &self.entry.key,
            request,
        };
        let mut changes = Vec::with_capacity(files.len());
        let mut warnings = Vec::new();
        for file in files {
            let content = set.render(file)?;
            if matches!(file.content, Content::Chain) && content.is_empty() {
                let path = file.target.path.display();
                warnings.push(format!(
                    "'{path}' is empty: no certificate stands between this one and its root"
                ));
            }
            changes.push(FileChange {
                target: file.target.clone(),
                content,
            });
        }
        let installed = tls_files::install(self.entry.name.as_str(), changes)?;
        warnings.extend(installed.warnings);
        Ok(Applied {
            files: installed.files,
            backups: installed.backups,
            warnings,
            ..Applied::default()
        })
    }

    /// The files that are missing or wrong, from the key and certificate in service.
    fn rewrite(&self) -> Result<Applied, EntryError> {
        let (Some(key), Some(leaf)) = (&self.seen.key, &self.seen.certificate) else {
            return Ok(Applied::default());
        };
        let verified = self.verify(self.pool(leaf), key)?;
        let each = self.entry.files.iter().zip(&self.seen.files);
        let wrong: Vec<&FileSpec> = each
            .filter(|(file, _)| {
                self.issuer.kept().is_none() || !file.content.is_written_by_certmonger()
            })
            .filter(|(file, seen)| {
                seen.presence != Presence::Present { difference: None }
                    || matches!(file.content, Content::Csr)
            })
            .map(|(file, _)| file)
            .collect();
        let wants_request = wrong
            .iter()
            .any(|file| matches!(file.content, Content::Csr));
        let request = wants_request
            .then(|| self.certificate_request(key))
            .transpose()?;
        let mut applied = self.write(&wrong, &verified, key, request.as_ref())?;
        applied
            .files
            .extend(tls_files::fix_attributes(&self.drifted())?);
        applied.files.dedup();
        Ok(applied)
    }

    /// Now, or when a certificate begins, if a clock of the authority that is a little ahead makes this later.
    fn judged_at(&self, leaf: &Certificate) -> Timestamp {
        let not_before = leaf.facts().not_before;
        let is_early = self.now < not_before && not_before <= self.now + AHEAD;
        if is_early { not_before } else { self.now }
    }

    /// After certmonger: what it wrote is judged like the answer of any issuer, the files that it does not write are
    /// made, and owners and modes that it knows nothing of are set.
    ///
    /// # Errors
    /// That its files are not the pair that was asked for.
    pub fn complete(&self) -> Result<Applied, EntryError> {
        let written = self.entry.files.iter().zip(&self.seen.files);
        let missing = |what| {
            let mut written = written.clone();
            let file = written.find(|(file, seen)| {
                file.content.is_written_by_certmonger() && seen.presence == Presence::Absent
            });
            let path = file.map(|(file, _)| file.target.path.clone());
            EntryError::from(KeptError::File {
                path: path.unwrap_or_default(),
                what,
            })
        };
        let (Some(key), Some(leaf)) = (&self.seen.key, &self.seen.certificate) else {
            return Err(missing("is not there"));
        };
        // An authority whose clock is a little ahead gives certificates of a near future; certmonger has installed it.
        let not_before = leaf.facts().not_before;
        let at = self.judged_at(leaf);
        let is_early = at != self.now;
        let judge = Work { now: at, ..*self };
        judge.verify(self.pool(leaf), key).map_err(unfit)?;
        let mut applied = judge.rewrite()?;
        if is_early {
            applied.warnings.push(format!(
                "valid only from {not_before}: the authority's clock is ahead of this host's"
            ));
        }
        applied.certificate = Some(leaf.clone());
        self.write_ca_file(&mut applied)?;
        Ok(applied)
    }

    /// certmonger writes it with the next certificate; until then it would be missing where it is asked for.
    fn write_ca_file(&self, applied: &mut Applied) -> Result<(), EntryError> {
        let Some(kept) = self.issuer.kept() else {
            return Ok(());
        };
        let Some(path) = kept.spec.ca_file.as_ref().filter(|path| !path.exists()) else {
            return Ok(());
        };
        let roots: String = kept
            .issuer
            .roots()
            .iter()
            .map(Certificate::to_pem)
            .collect();
        if roots.is_empty() {
            applied.warnings.push(format!(
                "'{}' is not there: certmonger does not know the root of the CA '{}' yet",
                path.display(),
                kept.spec.ca
            ));
            return Ok(());
        }
        let target = Target {
            path: path.clone(),
            attributes: Attributes::default(),
            secret: false,
            backup: false,
        };
        let change = FileChange {
            target,
            content: Zeroizing::new(roots.into_bytes()),
        };
        let installed = tls_files::install(self.entry.name.as_str(), vec![change])?;
        applied.files.extend(installed.files);
        Ok(())
    }

    fn pool(&self, leaf: &Certificate) -> Vec<Certificate> {
        let above = &self.seen.above;
        let mut pool = vec![leaf.clone()];
        pool.extend(above.intermediates.iter().chain(&above.root).cloned());
        pool
    }

    fn request(&self, source: KeySource) -> Result<Applied, EntryError> {
        let key = self.key(source)?;
        let request = self.certificate_request(&key)?;
        self.keep_pending(Pending { key, request })
    }

    fn keep_pending(&self, pending: Pending) -> Result<Applied, EntryError> {
        let directory = PendingDir::new(self.state_dir, &self.entry.name);
        directory.save(&pending, &self.entry.key)?;
        let mut applied = self.publish(&pending.request)?;
        applied.files.push(directory.path().to_path_buf());
        Ok(applied)
    }

    fn wait(&self) -> Result<Applied, EntryError> {
        self.seen.pending.as_ref().map_or_else(
            || Ok(Applied::default()),
            |pending| self.publish(&pending.request),
        )
    }

    /// Writes the request where the user wants it; the set in service stays untouched.
    fn publish(&self, request: &CertificateRequest) -> Result<Applied, EntryError> {
        let pem = request.to_pem();
        let files = self
            .entry
            .files
            .iter()
            .filter(|file| matches!(file.content, Content::Csr));
        let changes: Vec<FileChange> = files
            .map(|file| FileChange {
                target: file.target.clone(),
                content: Zeroizing::new(pem.clone().into_bytes()),
            })
            .collect();
        let installed = if changes.is_empty() {
            tls_files::Installed::default()
        } else {
            tls_files::install(self.entry.name.as_str(), changes)?
        };
        Ok(Applied {
            files: installed.files,
            backups: installed.backups,
            warnings: installed.warnings,
            csr: Some(pem),
            ..Applied::default()
        })
    }
}
