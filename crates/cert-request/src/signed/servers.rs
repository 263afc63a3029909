// SPDX-License-Identifier: Apache-2.0
//! The servers of a task: each is logged in to once, when the first certificate is due, and asked without a login about
//! those that are fine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use issuers::Issuing;
use pki::{Certificate, CertificateRequest, Serial, Timestamp, chain};
use vault::pki::{Mount, Stored};
use vault::{Answer, Auth, Settings, Vault};
use vault_options::Connection;

use super::SignError;
use super::answer::{check_issuer, compare, remarks};
use super::order::{longest, order};
use crate::failure::EntryError;
use crate::request::{Entry, RenewOn, VaultSpec};

/// How long a certificate that is fine waits for a server.
const PATIENCE: Duration = Duration::from_secs(5);

/// How far its clock may be from ours before somebody should know.
const SKEW: u64 = 60;

/// The present: elections take their time.
#[derive(Clone, Copy)]
struct Clock {
    begun: SystemTime,
    since: Instant,
}

impl Clock {
    fn now(self) -> Timestamp {
        Timestamp::from(self.begun + self.since.elapsed())
    }
}

/// The servers by their connection.
pub struct Servers {
    clock: Clock,
    known: Mutex<BTreeMap<[u8; 32], Arc<Server>>>,
}

/// What a server gave.
pub struct Signed {
    /// The certificate and those above it.
    pub chain: Vec<Certificate>,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

type Known<T> = Result<T, EntryError>;

/// By mount and issuer.
type Authorities = BTreeMap<(String, String), Known<Arc<Issuing>>>;

/// A server, or the nodes of one, with everything that is known of it.
pub struct Server {
    clock: Clock,
    connection: Connection,
    signer: OnceLock<Known<Vault>>,
    reader: OnceLock<Known<Vault>>,
    issuing: Mutex<Authorities>,
    /// Why it cannot be asked, and not waited for once more.
    outage: Mutex<Option<EntryError>>,
    /// Whether its silence was told.
    silence: Mutex<bool>,
    skew: OnceLock<Option<String>>,
    /// Set when it was told that the token may not ask what it may.
    pub(super) unforeseen: OnceLock<()>,
}

impl Servers {
    /// None asked yet.
    pub fn new(begun: SystemTime) -> Self {
        let since = Instant::now();
        Self {
            clock: Clock { begun, since },
            known: Mutex::default(),
        }
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The server of a certificate.
    pub fn server(&self, spec: &VaultSpec) -> Arc<Server> {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let server = all
            .entry(spec.group)
            .or_insert_with(|| Arc::new(Server::new(self.clock, &spec.connection)));
        Arc::clone(server)
    }

    /// Gives the tokens back; what went wrong with that, and what is to be told of connections in any case.
    pub fn close(&self) -> Vec<String> {
        let all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let told = all.values().flat_map(|server| server.connection.warnings());
        let opened = all.values().filter_map(|server| server.signer.get());
        told.chain(opened.flatten().flat_map(Vault::close))
            .collect()
    }
}

impl Server {
    fn new(clock: Clock, connection: &Connection) -> Self {
        Self {
            clock,
            connection: connection.clone(),
            signer: OnceLock::new(),
            reader: OnceLock::new(),
            issuing: Mutex::default(),
            outage: Mutex::default(),
            silence: Mutex::default(),
            skew: OnceLock::new(),
            unforeseen: OnceLock::new(),
        }
    }

    /// With the login, which happens when a token is needed first.
    pub(super) fn signer(&self) -> Result<&Vault, EntryError> {
        opened(&self.signer, || Ok(self.connection.open()?))
    }

    /// Without a login, and without much patience: what is asked is public, and no certificate waits for it.
    fn reader(&self) -> Result<&Vault, EntryError> {
        let settings = self.signer()?.settings();
        opened(&self.reader, || {
            Ok(Vault::open(Settings {
                auth: Auth::None,
                retry_window: PATIENCE.min(settings.retry_window),
                timeout: PATIENCE.min(settings.timeout),
                wait_unsealed: Duration::ZERO,
                ..settings.clone()
            })?)
        })
    }

    /// Who signs now; asked once for all certificates.
    ///
    /// # Errors
    /// Why that cannot be known, the same for all.
    pub fn issuing(&self, spec: &VaultSpec) -> Result<Arc<Issuing>, EntryError> {
        let place = (spec.mount.clone(), spec.issuer_or_default().to_owned());
        // Held while it is asked: the others would only ask the same.
        let mut all = self.issuing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(place).or_insert_with(|| self.ask_issuing(spec));
        match known {
            Ok(issuing) => Ok(Arc::clone(issuing)),
            Err(error) => Err(error.share()),
        }
    }

    fn ask_issuing(&self, spec: &VaultSpec) -> Result<Arc<Issuing>, EntryError> {
        let reader = self.reader()?;
        let path = format!("{}/issuer/{}/json", spec.mount, spec.issuer_or_default());
        let mut found = reader.read(&path);
        if spec.issuer.is_none() && is_unknown_path(&found) {
            // Vault 1.10 and older has one issuer, which has no path of its own.
            found = reader.read(&format!("{}/cert/ca", spec.mount));
        }
        let answer = found.map_err(SignError::from)?.ok_or_else(|| {
            let reason = String::from("there is no such issuer");
            SignError::from(vault::Error::IssuerUnknown { url: path, reason })
        })?;
        let first = answer.text("certificate").map_err(SignError::from)?;
        let mut pem = vec![first.to_owned()];
        pem.extend(answer.texts("ca_chain"));
        let mut chain = certificates(&answer.url, &pem.join("\n"))?;
        // A text without certificates is an error, so there is one.
        let certificate = chain.remove(0);
        let above = chain;
        Ok(Arc::new(Issuing { certificate, above }))
    }

    /// When the server revoked a certificate, if it did; `None` also for one that it does not know.
    ///
    /// # Errors
    /// Why that cannot be known.
    pub fn revocation(
        &self,
        spec: &VaultSpec,
        certificate: &Certificate,
    ) -> Result<Option<Timestamp>, EntryError> {
        let stored = stored(self.reader()?, spec, certificate)?;
        Ok(stored.and_then(|stored| stored.revoked_at).map(Timestamp))
    }

    /// Whether the mount has issued this very certificate and not revoked it yet.
    ///
    /// # Errors
    /// Why that cannot be known.
    pub fn knows(&self, spec: &VaultSpec, certificate: &Certificate) -> Result<bool, EntryError> {
        let stored = stored(self.reader()?, spec, certificate)?;
        let stored = stored.filter(|stored| stored.revoked_at.is_none());
        let is_it = |stored: Stored| {
            let found = Certificate::from_pem(stored.certificate.as_bytes());
            found.is_ok_and(|found| found == *certificate)
        };
        Ok(stored.is_some_and(is_it))
    }

    /// Whether a question about a certificate that is fine makes sense, and if not, whether that was told already.
    pub fn is_silent(&self) -> bool {
        *self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is told of a server that was asked in vain. One that cannot be asked is not asked for others either, which is
    /// told the first time; what it refuses for one certificate says nothing of the others.
    pub fn note_silence(&self, question: &str, error: &EntryError) -> Option<String> {
        let why = ansible_module::flatten(error);
        if !error.is_outage() {
            return Some(format!("{question} is not known: {why}"));
        }
        let mut told = self.silence.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !std::mem::replace(&mut *told, true);
        is_first.then(|| {
            format!(
                "the server was not asked about issuer and revocation of certificates that are fine otherwise: {why}"
            )
        })
    }

    /// Has a request signed, and compares the answer with the wish.
    ///
    /// # Errors
    /// Why there is no certificate, or what is wrong with it.
    pub fn sign(
        &self,
        entry: &Entry,
        spec: &VaultSpec,
        request: &CertificateRequest,
    ) -> Result<Signed, EntryError> {
        if let Some(error) = self.outage().as_ref() {
            return Err(error.share());
        }
        let signed = self.signed(entry, spec, request);
        if let Err(error) = &signed
            && error.is_outage()
        {
            *self.outage() = Some(error.share());
        }
        signed
    }

    fn outage(&self) -> MutexGuard<'_, Option<EntryError>> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signed(
        &self,
        entry: &Entry,
        spec: &VaultSpec,
        request: &CertificateRequest,
    ) -> Result<Signed, EntryError> {
        let mount = Mount::new(self.signer()?, &spec.mount);
        // Who cannot be asked about it may sign all the same.
        let issuing = self.issuing(spec).ok();
        let ttl = longest(entry, issuing.as_deref(), self.clock.now());
        let mut order = order(entry, spec, request, &ttl);
        let mut signed = mount.sign(&spec.role, spec.issuer.as_deref(), &order);
        if order.ttl.is_none() && is_outlived(&signed) {
            // The role's own lifetime is longer than what the authority has left.
            order.ttl = Some(ttl);
            signed = mount.sign(&spec.role, spec.issuer.as_deref(), &order);
        }
        let signed = signed.map_err(SignError::from)?;
        let above = signed.ca_chain.iter().chain([&signed.issuing_ca]);
        let pem = [&signed.certificate].into_iter().chain(above);
        let pem: Vec<&str> = pem.map(String::as_str).collect();
        let chain = certificates(&spec.sign_path(), &pem.join("\n"))?;
        let mut warnings = Vec::new();
        if let Some(leaf) = chain.first() {
            warnings = compare(entry, spec, leaf, self.clock.now())?;
            self.check_issuer(entry, spec, leaf, issuing.as_deref())?;
        }
        warnings.extend(remarks(signed.warnings));
        warnings.extend(self.skew());
        Ok(Signed { chain, warnings })
    }

    /// A change of the issuer between two questions is nobody's fault, so it is asked again before it is told.
    fn check_issuer(
        &self,
        entry: &Entry,
        spec: &VaultSpec,
        leaf: &Certificate,
        issuing: Option<&Issuing>,
    ) -> Result<(), EntryError> {
        let counts = entry.renew.on.contains(&RenewOn::Issuer);
        let is_other = |issuing: &Issuing| check_issuer(spec, leaf, issuing).is_err();
        if !counts || !issuing.is_some_and(is_other) {
            return Ok(());
        }
        match self.ask_issuing(spec) {
            Ok(issuing) => Ok(check_issuer(spec, leaf, &issuing)?),
            Err(_) => Ok(()),
        }
    }

    /// That its clock is not ours; told once.
    fn skew(&self) -> Option<String> {
        let mut is_first = false;
        let skew = self.skew.get_or_init(|| {
            is_first = true;
            let health = self.reader().ok()?.health().ok()?;
            let (theirs, ours) = (health.server_time_utc, self.clock.now().0);
            let difference = theirs.abs_diff(ours);
            let word = if theirs > ours { "ahead of" } else { "behind" };
            (difference > SKEW).then(|| {
                format!(
                    "the clock of {} is {difference} s {word} this host's; synchronize them, for certificates begin and end by it",
                    health.url
                )
            })
        });
        skew.clone().filter(|_| is_first)
    }

    /// Revokes a certificate of the mount.
    ///
    /// # Errors
    /// That the server does not do it, or does not know the certificate.
    pub fn revoke(&self, spec: &VaultSpec, certificate: &Certificate) -> Result<(), EntryError> {
        let mount = Mount::new(self.signer()?, &spec.mount);
        let done = mount.revoke(&in_pairs(&certificate.facts().serial));
        done.map(drop)
            .map_err(|error| EntryError::from(SignError::from(error)))
    }
}

fn is_outlived<T>(signed: &vault::Result<T>) -> bool {
    const WORDS: &str = "beyond the expiration of the CA certificate";
    matches!(signed, Err(vault::Error::Refused { reason, .. }) if reason.contains(WORDS))
}

/// Without a token a path that does not exist is refused like one that is not for everybody.
fn is_unknown_path(found: &vault::Result<Option<Answer>>) -> bool {
    use vault::Error::{PermissionDenied, Refused, TokenInvalid};
    matches!(
        found,
        Ok(None) | Err(PermissionDenied { .. } | Refused { .. } | TokenInvalid { .. })
    )
}

fn stored(
    vault: &Vault,
    spec: &VaultSpec,
    certificate: &Certificate,
) -> Result<Option<Stored>, EntryError> {
    let serial = in_pairs(&certificate.facts().serial);
    let stored = Mount::new(vault, &spec.mount).certificate(&serial);
    Ok(stored.map_err(SignError::from)?)
}

fn opened(
    place: &OnceLock<Known<Vault>>,
    open: impl FnOnce() -> Result<Vault, SignError>,
) -> Result<&Vault, EntryError> {
    let opened = place.get_or_init(|| Ok(open()?));
    opened.as_ref().map_err(EntryError::share)
}

fn certificates(url: &str, pem: &str) -> Result<Vec<Certificate>, SignError> {
    chain::parse_bundle(pem.as_bytes()).map_err(|source| SignError::Unreadable {
        url: url.to_owned(),
        source: Box::new(source),
    })
}

/// As the server writes serial numbers: pairs of lower-case digits.
fn in_pairs(serial: &Serial) -> String {
    let text = serial.to_string().to_ascii_lowercase();
    let pairs: Vec<_> = text
        .as_bytes()
        .chunks(2)
        .map(String::from_utf8_lossy)
        .collect();
    pairs.join(":")
}
