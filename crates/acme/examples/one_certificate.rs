// SPDX-License-Identifier: Apache-2.0
//! One certificate by http-01 from a directory that a web server serves; run again after whatever ended it.
//!
//!     one_certificate DIRECTORY_URL CA_FILE ACCOUNT_KEY REQUEST STATE WEBROOT
//!
//! Small on purpose: what a program around the crate needs, and what tests kill at every step.
#![expect(clippy::print_stdout, reason = "its only answer")]

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use acme::state::Wanted;
use acme::{
    Account, ChallengeKind, Identifier, Job, OrderRequest, Patience, Proof, Publisher,
    Registration, RunningClock, Server,
};
use web::{Client, Settings, Trust};

/// The directory of files that are served at `/`.
struct Webroot(PathBuf);

impl Webroot {
    fn place(&self, wanted: &Wanted) -> Result<(PathBuf, String), String> {
        match &wanted.proof {
            Proof::File { path, content } => {
                let inside = path.trim_start_matches('/');
                Ok((self.0.join(inside), content.clone()))
            }
            Proof::Txt { .. } => Err("this example serves files only".to_owned()),
        }
    }
}

impl Publisher for Webroot {
    fn publish(&self, proofs: &mut [Wanted]) -> Result<(), String> {
        for wanted in proofs {
            let (path, content) = self.place(wanted)?;
            let directory = path.parent().unwrap_or(&self.0);
            fs::create_dir_all(directory).map_err(|error| error.to_string())?;
            fs::write(&path, content).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn withdraw(&self, proofs: &[Wanted]) -> Result<(), String> {
        for wanted in proofs {
            // That it is gone already is fine.
            let _ = fs::remove_file(self.place(wanted)?.0);
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, ca, key, request, state, webroot] = arguments.as_slice() else {
        return Err("DIRECTORY_URL CA_FILE ACCOUNT_KEY REQUEST STATE WEBROOT".into());
    };
    let client = Client::new(&Settings {
        trust: Trust::Also(fs::read(ca)?),
        ..Settings::default()
    })?;
    let clock = Arc::new(RunningClock::set(SystemTime::now()));
    let server = Arc::new(Server::open(client, url, clock, Patience::default())?);
    let key = acme::import::import(key.as_ref())?.key;
    let registration = Registration {
        terms_agreed: true,
        ..Registration::default()
    };
    let (account, _) = Account::create(server, key, &registration)?;
    let request = pki::CertificateRequest::from_pem(&fs::read(request)?)?;
    let names = request.template()?.names;
    let job = Job {
        account: &account,
        order: &OrderRequest::of(Identifier::all_of(&names)?),
        request: &request,
        challenge: &ChallengeKind::Http01,
        preferred: None,
        state: state.as_ref(),
    };
    let done = job.run(&Webroot(webroot.into()))?;
    print!("{}", done.issued.chain.to_pem());
    Ok(())
}
