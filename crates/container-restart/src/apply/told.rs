// SPDX-License-Identifier: Apache-2.0
//! The steps that are told to a program over a Unix socket of its own.

use containers::Container;
use containers::inside::Root;
use containers::processes::{Process, Signal};

use super::{Done, Work};
use crate::failure::Failure;
use crate::talk::Trouble;
use crate::talk::haproxy::Runtime;
use crate::talk::qemu::{self, Guest};

impl Work<'_> {
    /// Exchanges the certificate in HAProxy's memory; where that does not take it, as without a runtime API.
    pub(super) fn exchange(
        &self,
        runtimes: &[Runtime],
        otherwise: Option<&(Signal, Process)>,
        done: &mut Done,
    ) -> Result<(), Failure> {
        let why = match self.exchange_all(runtimes, done)? {
            Ok(()) => return Ok(()),
            Err(Trouble::Mismatch(file)) => {
                return Err(Failure::KeyMismatch {
                    certificate: file.clone(),
                    key: file,
                });
            }
            Err(Trouble::Other(why)) => why,
        };
        let Some((signal, to)) = otherwise else {
            return Err(self.refused(String::from("set ssl cert"), 1, why));
        };
        done.warnings.push(format!(
            "container '{}': {why}; its HAProxy got {} instead",
            self.candidate.container.name,
            signal.word()
        ));
        to.hold(*signal)?.send(*signal)?;
        done.actions.push(format!("signal {}", signal.word()));
        Ok(())
    }

    fn exchange_all(
        &self,
        runtimes: &[Runtime],
        done: &mut Done,
    ) -> Result<Result<(), Trouble>, Failure> {
        let (root, members) = self.inside(done)?;
        for runtime in runtimes {
            // Read now and not before: Kolla's copies have been refreshed meanwhile.
            let payloads = match runtime.payloads(&root, &self.wanted.fingerprint) {
                Ok(payloads) => payloads,
                Err(trouble) => return Ok(Err(trouble)),
            };
            for (file, payload) in payloads {
                if let Err(trouble) = runtime.exchange(&root, &members, &file, &payload) {
                    return Ok(Err(trouble));
                }
                done.actions
                    .push(format!("commit ssl cert {}", file.display()));
            }
        }
        Ok(Ok(()))
    }

    /// Has a guest's VNC server read its certificate again: through libvirt where that holds the monitor, else itself.
    pub(super) fn display(
        &self,
        guest: &Guest,
        virsh: Option<&str>,
        done: &mut Done,
    ) -> Result<(), Failure> {
        done.actions.push(String::from("display-reload"));
        match (virsh, &guest.name) {
            (Some(virsh), Some(name)) if guest.is_libvirts || guest.monitors.is_empty() => {
                self.display_through_libvirt(virsh, name)
            }
            _ => {
                let (root, members) = self.inside(done)?;
                match guest.reload(&root, &members) {
                    Ok(()) => Ok(()),
                    Err(Trouble::Other(why)) => {
                        Err(self.refused(String::from("display-reload"), 1, why))
                    }
                    Err(Trouble::Mismatch(file)) => Err(Failure::KeyMismatch {
                        certificate: file.clone(),
                        key: file,
                    }),
                }
            }
        }
    }

    /// libvirt has a command of its own since 10.2; an older one hands the order on and marks the guest as tainted. Then
    /// virsh ends with 0 also when QEMU has refused, and prints what that said.
    fn display_through_libvirt(&self, virsh: &str, name: &str) -> Result<(), Failure> {
        let words = [virsh, "-c", "qemu:///system", "domdisplay-reload", name];
        let own: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        if self.execute(&own, None)?.0 == 0 {
            return Ok(());
        }
        let order = qemu::order();
        let words = [
            virsh,
            "-c",
            "qemu:///system",
            "qemu-monitor-command",
            name,
            &order,
        ];
        let command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let (status, said) = self.execute(&command, None)?;
        if status == 0 && !said.contains("\"error\"") {
            return Ok(());
        }
        Err(self.refused(command.join(" "), status, said))
    }

    /// The container's files and processes as they are now.
    fn inside(&self, done: &Done) -> Result<(Root, Vec<Process>), Failure> {
        let container: &Container = done.container.as_ref().unwrap_or(&self.candidate.container);
        let members = self
            .host
            .eye
            .members(container, &self.host.eye.snapshot()?)?;
        Ok((Root::of(container)?, members))
    }
}
