// SPDX-License-Identifier: Apache-2.0
//! Signing in bulk: signatures in parallel, then one write of each index, then the files.

use std::collections::{BTreeMap, BTreeSet};

use ansible_module::each;
use pki::chain::{Expectation, Trust, verify, verify_authority};
use pki::{Authority, Certificate, CertificateTemplate};
use tls_files::FileChange;

use super::Work;
use super::store::pem;
use crate::failure::{Failed, Failure};
use crate::index::Issued;
use crate::names::{AuthorityName, EntryName};
use crate::plan::{Plan, SignAct, SignPlan};
use crate::request::{Profile, Request, SignWish};
use crate::sign::chain;

/// A certificate as it is handed out.
#[derive(Debug)]
pub struct Signed {
    /// The certificate.
    pub certificate: Certificate,
    /// Its authority and all above it.
    pub bundle: Vec<Certificate>,
}

/// One signature to be made.
struct Job<'a> {
    index: usize,
    wish: &'a SignWish,
    plan: &'a SignPlan,
    template: &'a CertificateTemplate,
}

type Results = Vec<Option<Result<Signed, Failure>>>;

impl Work<'_> {
    /// Fulfils every entry of `sign`, in its order.
    pub(super) fn signatures(
        &mut self,
        plan: &Plan,
        failed: &mut Vec<Failed>,
    ) -> Vec<Option<Signed>> {
        let mut results: Results = Vec::new();
        results.resize_with(plan.signatures.len(), || None);
        let jobs = jobs(self.request, plan);
        for (job, signed) in jobs.iter().zip(self.sign_all(&jobs)) {
            results[job.index] = Some(signed);
        }
        self.note_signed(&jobs, &mut results);
        self.take_kept(plan, &mut results);
        self.write_entries(plan, &mut results);
        let mut signed = Vec::new();
        for (index, result) in results.into_iter().enumerate() {
            signed.push(match result.transpose() {
                Ok(done) => done,
                Err(failure) => {
                    failed.push(Failed {
                        item: format!("sign[{index}]"),
                        failure,
                    });
                    None
                }
            });
        }
        signed
    }

    fn sign_all(&self, jobs: &[Job<'_>]) -> Vec<Result<Signed, Failure>> {
        let names: BTreeSet<&AuthorityName> = jobs.iter().map(|job| &job.plan.authority).collect();
        let signers: BTreeMap<_, _> = names
            .into_iter()
            .filter_map(|name| self.signer(name, name).ok().map(|signer| (name, signer)))
            .collect();
        each(jobs, self.request.parallel, |job| {
            match signers.get(&job.plan.authority) {
                Some(signer) => self.sign_one(job, signer),
                // The same question again, for the failure that it gives.
                None => Err(
                    match self.signer(&job.plan.authority, &job.plan.authority) {
                        Err(failure) => failure,
                        Ok(_) => Failure::NoActiveAuthority,
                    },
                ),
            }
        })
    }

    /// Signs and proves the result as its user will see it.
    fn sign_one(&self, job: &Job<'_>, signer: &Authority) -> Result<Signed, Failure> {
        let authority = &job.plan.authority;
        let public = job.wish.csr.public_key();
        let certificate = signer
            .sign(job.template, &public)
            .map_err(Failure::pki(format!("sign as authority '{authority}'")))?;
        let bundle: Vec<_> = std::iter::once(signer.certificate())
            .chain(signer.chain())
            .cloned()
            .collect();
        let pool: Vec<_> = std::iter::once(&certificate)
            .chain(&bundle)
            .cloned()
            .collect();
        let verified = if matches!(job.wish.profile, Profile::Authority { .. }) {
            verify_authority(pool, &public, self.now, true).map(drop)
        } else {
            // An intermediate that was put here by hand may come without its root.
            let complete = bundle.last().is_some_and(Certificate::is_self_issued);
            let trust = if complete {
                Trust::SelfContained
            } else {
                Trust::Partial
            };
            let expectation = Expectation {
                public_key: &public,
                names: Some(&job.template.request.names),
                trust,
                now: self.now,
            };
            verify(pool, &expectation).map(drop)
        };
        verified.map_err(|source| Failure::Unverified {
            authority: authority.clone(),
            source: Box::new(source),
        })?;
        Ok(Signed {
            certificate,
            bundle,
        })
    }

    /// Writes the indexes before a certificate leaves: what is not noted could not be revoked by its name.
    fn note_signed(&mut self, jobs: &[Job<'_>], results: &mut Results) {
        let now = self.now;
        let mut by_authority: BTreeMap<AuthorityName, Vec<usize>> = BTreeMap::new();
        for job in jobs {
            let Some(Ok(signed)) = &results[job.index] else {
                continue;
            };
            let facts = signed.certificate.facts();
            let entry = Issued {
                serial: facts.serial.clone(),
                not_after: facts.not_after,
                subject: facts.subject.to_string(),
                name: job.wish.name.as_ref().map(ToString::to_string),
            };
            self.living(&job.plan.authority)
                .index
                .note_issued(entry, now);
            by_authority
                .entry(job.plan.authority.clone())
                .or_default()
                .push(job.index);
        }
        for (authority, indexes) in by_authority {
            if let Err(failure) = self.save_index(&authority) {
                let mut failure = Some(failure);
                for index in indexes {
                    // The first entry tells why, the others that they depend on it.
                    results[index] =
                        Some(Err(failure.take().unwrap_or_else(|| Failure::Dependency {
                            authority: authority.clone(),
                            on: authority.clone(),
                        })));
                }
            }
        }
    }

    /// Certificates that are still right, with the chain of today.
    fn take_kept(&self, plan: &Plan, results: &mut Results) {
        for (index, decided) in plan.signatures.iter().enumerate() {
            let Ok(decided) = decided else { continue };
            if matches!(decided.act, SignAct::Issue(_)) {
                continue;
            }
            let name = self
                .request
                .sign
                .get(index)
                .and_then(|wish| wish.name.as_ref());
            let entry = name.and_then(|name| self.observed.entries.get(name)?.as_ref().ok());
            let living = self.living.get(&decided.authority);
            if let (Some(entry), Some(living)) = (entry, living) {
                results[index] = Some(Ok(Signed {
                    certificate: entry.certificate.clone(),
                    bundle: living.bundle(),
                }));
            }
        }
    }

    /// Writes the files of named entries, each as one set, in parallel.
    fn write_entries(&mut self, plan: &Plan, results: &mut Results) {
        let mut sets: Vec<(usize, EntryName, std::sync::Mutex<Vec<FileChange>>)> = Vec::new();
        for (index, decided) in plan.signatures.iter().enumerate() {
            let (Ok(decided), Some(wish)) = (decided, self.request.sign.get(index)) else {
                continue;
            };
            if let (true, Some(name), Some(Ok(signed))) =
                (decided.changes(), &wish.name, &results[index])
            {
                sets.push((
                    index,
                    name.clone(),
                    self.entry_files(wish, name, signed).into(),
                ));
            }
        }
        if sets.is_empty() {
            return;
        }
        let written = self.base_directories().map(|()| {
            each(&sets, self.request.parallel, |(_, name, changes)| {
                let changes = std::mem::take(
                    &mut *changes.lock().unwrap_or_else(|poison| poison.into_inner()),
                );
                tls_files::install(&format!("certificate {name}"), changes)
            })
        });
        match written {
            Ok(written) => {
                for ((index, name, _), outcome) in sets.iter().zip(written) {
                    match outcome {
                        Ok(installed) => self.changed |= !installed.files.is_empty(),
                        Err(source) => {
                            results[*index] = Some(Err(Failure::Files {
                                what: format!("keep certificate '{name}'"),
                                source,
                            }));
                        }
                    }
                }
            }
            Err(failure) => {
                if let Some((index, _, _)) = sets.first() {
                    results[*index] = Some(Err(failure));
                }
            }
        }
    }

    fn entry_files(&self, wish: &SignWish, name: &EntryName, signed: &Signed) -> Vec<FileChange> {
        let places = self.request.tree.entry(name);
        vec![
            self.public(places.request, wish.csr.to_pem()),
            self.public(places.certificate, signed.certificate.to_pem()),
            self.public(
                places.chain,
                pem(&chain(&signed.certificate, &signed.bundle)),
            ),
            self.public(places.ca_bundle, pem(&signed.bundle)),
        ]
    }
}

fn jobs<'a>(request: &'a Request, plan: &'a Plan) -> Vec<Job<'a>> {
    let both = request.sign.iter().zip(&plan.signatures).enumerate();
    both.filter_map(|(index, (wish, decided))| {
        let plan = decided.as_ref().ok()?;
        let SignAct::Issue(template) = &plan.act else {
            return None;
        };
        Some(Job {
            index,
            wish,
            plan,
            template,
        })
    })
    .collect()
}
