// SPDX-License-Identifier: Apache-2.0
//! Users and groups by number, by `/etc/passwd` and `/etc/group`, then by a child `getent`.
//!
//! The C library's `getpwnam` is not used: in a static executable it cannot load the host's name services
//! (SSSD, LDAP). `getent` is the host's own program and can.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// Where `getent` is looked for; the environment's PATH is not asked.
const PROGRAM_DIRECTORIES: [&str; 3] = ["/usr/bin", "/bin", "/usr/sbin"];
/// A directory service that does not answer within this time is reported as such.
const GETENT_WAIT: Duration = Duration::from_secs(10);
/// 0xffff_ffff means "no change" to chown(2), so it is nobody's number.
const NO_ID: u32 = u32::MAX;

/// The user ID of a name or number.
///
/// # Errors
/// [`Error::UnknownOwner`]; [`Error::AccountLookup`] if the name service does not answer.
pub fn uid(name_or_number: &str) -> Result<u32> {
    Database::users().id(name_or_number)
}

/// The group ID of a name or number.
///
/// # Errors
/// [`Error::UnknownGroup`]; [`Error::AccountLookup`] if the name service does not answer.
pub fn gid(name_or_number: &str) -> Result<u32> {
    Database::groups().id(name_or_number)
}

struct Database {
    /// "user" or "group", for messages.
    what: &'static str,
    /// The name of the database for `getent`.
    getent: &'static str,
    file: PathBuf,
    program_directories: Vec<PathBuf>,
    wait: Duration,
}

/// What `getent` answered in this process: it may be slow, and a thousand certificates ask for the same owner.
static ANSWERS: Mutex<Option<Answers>> = Mutex::new(None);

/// The ID, if there is one, by database and name.
type Answers = HashMap<(&'static str, String), Option<u32>>;

impl Database {
    fn users() -> Self {
        Self::new("user", "passwd", "/etc/passwd")
    }

    fn groups() -> Self {
        Self::new("group", "group", "/etc/group")
    }

    fn new(what: &'static str, getent: &'static str, file: &str) -> Self {
        let program_directories = PROGRAM_DIRECTORIES.map(PathBuf::from).to_vec();
        Self {
            what,
            getent,
            file: PathBuf::from(file),
            program_directories,
            wait: GETENT_WAIT,
        }
    }

    fn id(&self, name: &str) -> Result<u32> {
        if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
            return name
                .parse()
                .ok()
                .filter(|&id| id != NO_ID)
                .ok_or_else(|| self.unknown(name));
        }
        // A name with these cannot be in the databases; a leading '-' would be an option of getent.
        if name.is_empty() || name.starts_with('-') || name.contains([':', '\n', '\0']) {
            return Err(self.unknown(name));
        }
        if let Some(id) = std::fs::read(&self.file)
            .ok()
            .and_then(|table| find(&table, name))
        {
            return Ok(id);
        }
        self.remembered(name)?.ok_or_else(|| self.unknown(name))
    }

    fn remembered(&self, name: &str) -> Result<Option<u32>> {
        let key = (self.getent, name.to_owned());
        let known = ANSWERS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|all| all.get(&key).copied());
        if let Some(answer) = known {
            return Ok(answer);
        }
        let answer = self.ask_getent(name)?;
        let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get_or_insert_with(HashMap::new).insert(key, answer);
        Ok(answer)
    }

    fn ask_getent(&self, name: &str) -> Result<Option<u32>> {
        let program = self
            .program_directories
            .iter()
            .map(|directory| directory.join("getent"))
            .find(|path| path.is_file());
        let Some(program) = program else {
            return Ok(None);
        };
        let failed = |source| Error::AccountLookup {
            what: self.what,
            name: name.to_owned(),
            source,
        };
        run_bounded(&program, &[self.getent, name], self.wait)
            .map(|answer| answer.and_then(|line| find(&line, name).or_else(|| any_id(&line))))
            .map_err(failed)
    }

    fn unknown(&self, name: &str) -> Error {
        let name = name.to_owned();
        if self.what == "user" {
            Error::UnknownOwner { name }
        } else {
            Error::UnknownGroup { name }
        }
    }
}

/// The third field of the line of `name` in a table like `/etc/passwd` or `/etc/group`.
fn find(table: &[u8], name: &str) -> Option<u32> {
    table.split(|&byte| byte == b'\n').find_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        (fields.next()? == name.as_bytes()).then_some(())?;
        id_field(fields.nth(1)?)
    })
}

/// The ID in getent's line, whose name may be the canonical form of what was asked (`user@domain`).
fn any_id(line: &[u8]) -> Option<u32> {
    id_field(
        line.split(|&byte| byte == b'\n')
            .next()?
            .split(|&byte| byte == b':')
            .nth(2)?,
    )
}

fn id_field(field: &[u8]) -> Option<u32> {
    std::str::from_utf8(field)
        .ok()?
        .parse()
        .ok()
        .filter(|&id| id != NO_ID)
}

/// The output of a child that ends with 0 in time; `None` if it ends otherwise.
fn run_bounded(program: &Path, arguments: &[&str], wait: Duration) -> io::Result<Option<Vec<u8>>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "`getent` knows the accounts that /etc/passwd does not; argv only"
    )]
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let deadline = Instant::now() + wait;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            let message = format!(
                "'{}' did not answer within {} s",
                program.display(),
                wait.as_secs()
            );
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let mut output = Vec::new();
    // One line is far less than a pipe holds, so the child never waited for us to read.
    if let Some(stdout) = child.stdout.take() {
        stdout.take(64 * 1024).read_to_end(&mut output)?;
    }
    Ok(status.success().then_some(output))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn database(directory: &Path, table: &str, getent: Option<&str>) -> Database {
        let file = directory.join("table");
        std::fs::write(&file, table).unwrap();
        if let Some(script) = getent {
            let program = directory.join("getent");
            // Written by a child: had we it open for writing, a fork of another test could keep it so ("text busy").
            let mut child = Command::new("tee")
                .arg(&program)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            child
                .stdin
                .take()
                .unwrap()
                .write_all(script.as_bytes())
                .unwrap();
            assert!(child.wait().unwrap().success());
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let wait = Duration::from_millis(300);
        Database {
            what: "user",
            getent: "passwd",
            file,
            program_directories: vec![directory.to_path_buf()],
            wait,
        }
    }

    #[test]
    fn numbers_are_taken_as_they_are() {
        assert_eq!(uid("0").unwrap(), 0);
        assert_eq!(gid("4294967294").unwrap(), u32::MAX - 1);
        assert!(matches!(uid("4294967295"), Err(Error::UnknownOwner { .. })));
        assert!(matches!(
            uid("99999999999"),
            Err(Error::UnknownOwner { .. })
        ));
    }

    #[test]
    fn names_come_from_the_files_of_the_host() {
        assert_eq!(uid("root").unwrap(), 0);
        assert_eq!(gid("root").unwrap(), 0);
    }

    #[test]
    fn an_unknown_owner_and_group_are_named() {
        assert_eq!(
            uid("no-such-user-xyz").unwrap_err().to_string(),
            "owner 'no-such-user-xyz' does not exist on this host; create the user first or give a number"
        );
        assert_eq!(
            gid("no-such-group-xyz").unwrap_err().to_string(),
            "group 'no-such-group-xyz' does not exist on this host; create it first or give a number"
        );
        for name in ["", "-h", "a:b", "a\nb"] {
            assert!(
                matches!(uid(name), Err(Error::UnknownOwner { .. })),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_table_is_searched_by_whole_names_and_bad_lines_are_skipped() {
        let table = b"haproxy2:x:7:7\n+::::\nbroken\nhaproxy:x:188:189::/:/bin/false\n";
        assert_eq!(find(table, "haproxy"), Some(188));
        assert_eq!(find(table, "hapro"), None);
        assert_eq!(find(b"x:x:notanumber:1\n", "x"), None);
    }

    #[test]
    fn getent_is_asked_after_the_file_with_a_clean_environment() {
        let directory = tempfile::tempdir().unwrap();
        let script = "#!/bin/sh\n[ -z \"$HOME$CARGO\" ] && [ \"$1\" = passwd ] && [ \"$2\" = ldapuser ] || exit 2\necho 'ldapuser:*:70001:70001::/:/bin/sh'\n";
        let database = database(directory.path(), "", Some(script));
        assert_eq!(database.id("ldapuser").unwrap(), 70001);
        assert!(matches!(
            database.id("ldapother"),
            Err(Error::UnknownOwner { .. })
        ));
    }

    #[test]
    fn a_getent_that_hangs_is_reported_within_its_time() {
        let directory = tempfile::tempdir().unwrap();
        let database = database(directory.path(), "", Some("#!/bin/sh\nexec sleep 30\n"));
        let started = Instant::now();
        let error = database.id("hanging-name").unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(5));
        assert_eq!(error.to_string(), "cannot look up user 'hanging-name'");
    }

    #[test]
    fn a_host_without_getent_has_only_its_files() {
        let directory = tempfile::tempdir().unwrap();
        let database = database(directory.path(), "haproxy:x:188:189:::\n", None);
        assert_eq!(database.id("haproxy").unwrap(), 188);
        assert!(matches!(
            database.id("other-name"),
            Err(Error::UnknownOwner { .. })
        ));
    }
}
