// SPDX-License-Identifier: Apache-2.0
//! QEMU's monitor (QMP): a running guest's VNC server reads its certificate again on `display-reload` (QEMU 6.0).

use std::path::{Path, PathBuf};
use std::time::Duration;

use containers::inside::Root;
use containers::processes::Process;
use containers::sockets::{Dialogue, Listening};
use serde_json::{Value, json};

use super::{Trouble, said, short};

/// A monitor greets at once. One that has a client already, as libvirt is, accepts no second one.
const GREETING: Duration = Duration::from_secs(2);
/// Without a file of Diffie-Hellman parameters QEMU makes some at each reload, which takes seconds on a busy machine.
const RELOAD: Duration = Duration::from_secs(30);
/// Events may come between an order and its answer.
const LINES: usize = 100;

/// A running guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Its process.
    pub pid: u32,
    /// What libvirt calls it.
    pub name: Option<String>,
    /// libvirt holds its monitor.
    pub is_libvirts: bool,
    /// Sockets at which it listens, one of which may be a monitor.
    pub monitors: Vec<PathBuf>,
}

/// Whether a program is QEMU; the kernel keeps 15 letters of its name.
pub fn is_guest(program: &str) -> bool {
    program == "qemu-kvm" || program.starts_with("qemu-system-")
}

impl Guest {
    /// What is known of a guest from its command line and its sockets.
    pub fn of(process: &Process, sockets: &[Listening]) -> Self {
        let own = sockets.iter().filter(|each| each.pid == process.pid);
        Self {
            pid: process.pid,
            name: name(&process.arguments),
            // The chardev that libvirt makes for itself.
            is_libvirts: process
                .arguments
                .iter()
                .any(|word| word.contains("id=charmonitor")),
            monitors: own.map(|each| each.path.clone()).collect(),
        }
    }

    /// Has its VNC server read its certificate again, by the first monitor that answers.
    pub fn reload(&self, root: &Root, members: &[Process]) -> Result<(), Trouble> {
        let mut last = Trouble::Other(String::from("QEMU listens at no Unix socket"));
        for path in &self.monitors {
            match tell(root, members, path) {
                Ok(()) => return Ok(()),
                Err(trouble) => last = trouble,
            }
        }
        Err(last)
    }
}

/// The order, as QMP writes it.
pub fn order() -> String {
    json!({"execute": "display-reload", "arguments": {"type": "vnc", "tls-certs": true}})
        .to_string()
}

/// `-name guest=instance-0001,debug-threads=on`, or `-name instance-0001`.
fn name(arguments: &[String]) -> Option<String> {
    let at = arguments.iter().position(|word| word == "-name")?;
    let value = arguments.get(at + 1)?;
    let first = value.split(',').next()?;
    let name = first.strip_prefix("guest=").unwrap_or(first);
    (!name.is_empty()).then(|| name.to_owned())
}

fn tell(root: &Root, members: &[Process], path: &Path) -> Result<(), Trouble> {
    let mut talk = root
        .dialogue(path, members, GREETING)
        .map_err(|error| said(&error))?;
    let greeting = talk.line().map_err(|error| said(&error))?;
    if !serde_json::from_slice::<Value>(&greeting).is_ok_and(|all| all.get("QMP").is_some()) {
        return Err(Trouble::Other(format!(
            "'{}' is no monitor of QEMU: {}",
            path.display(),
            short(&greeting)
        )));
    }
    talk.allow(RELOAD);
    give(&mut talk, r#"{"execute":"qmp_capabilities"}"#)?;
    give(&mut talk, &order())
}

/// Gives an order and waits for its answer.
fn give(talk: &mut Dialogue<'_>, order: &str) -> Result<(), Trouble> {
    talk.send(format!("{order}\n").as_bytes())
        .map_err(|error| said(&error))?;
    for _ in 0..LINES {
        let line = talk.line().map_err(|error| said(&error))?;
        let answer: Value = serde_json::from_slice(&line).unwrap_or_default();
        if answer.get("return").is_some() {
            return Ok(());
        }
        if answer.get("event").is_none() {
            return Err(Trouble::Other(format!(
                "QEMU refused {order}: {}",
                short(&line)
            )));
        }
    }
    Err(Trouble::Other(format!("QEMU does not answer {order}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_told_by_its_command_line() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let named = words("qemu-kvm -name guest=instance-0001,debug-threads=on -S");
        assert_eq!(name(&named).as_deref(), Some("instance-0001"));
        assert_eq!(name(&words("qemu-kvm -name a")).as_deref(), Some("a"));
        assert_eq!(name(&words("qemu-kvm -S -name")), None);
        assert!(is_guest("qemu-system-x86") && !is_guest("qemu-nbd"));
    }
}
