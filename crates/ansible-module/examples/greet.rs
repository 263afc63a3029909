// SPDX-License-Identifier: Apache-2.0
//! A complete module, and a badly behaved one if it is told to be: `tests/greet.rs` runs it as a process.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "one of the mishaps is a stray print"
)]
#![expect(clippy::panic, reason = "one of the mishaps is a panic")]

use ansible_module::{
    Deprecation, Diff, Element, Failure, Invocation, Kind, Module, OptionSpec, Outcome, Secret,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

static FRIEND: [OptionSpec; 2] = [
    OptionSpec::new("name", Kind::Str).required(),
    OptionSpec::new("password", Kind::Str).secret(),
];

static OPTIONS: [OptionSpec; 6] = [
    OptionSpec::new("name", Kind::Str)
        .required()
        .aliases(&["who"]),
    OptionSpec::new("times", Kind::Int).default("1"),
    OptionSpec::new("tone", Kind::Str)
        .choices(&["warm", "cold"])
        .default(r#""warm""#),
    OptionSpec::new("password", Kind::Str).secret(),
    OptionSpec::new("friends", Kind::List(Element::Dict))
        .options(&FRIEND)
        .default("[]"),
    OptionSpec::new("mishap", Kind::Str).choices(&[
        "error",
        "panic",
        "panic_in_thread",
        "print",
        "old",
    ]),
];

#[derive(Deserialize)]
struct Friend {
    name: String,
    password: Option<Secret<String>>,
}

#[derive(Deserialize)]
struct Params {
    name: String,
    times: i64,
    tone: String,
    password: Option<Secret<String>>,
    friends: Vec<Friend>,
    mishap: Option<String>,
}

#[derive(Debug, thiserror::Error)]
enum GreetError {
    /// The operator should open the door.
    #[error("cannot greet '{name}'")]
    Door { name: String, source: DoorError },
}

#[derive(Debug, thiserror::Error)]
#[error("the door does not open with '{0}'")]
struct DoorError(String, #[source] std::io::Error);

impl Failure for GreetError {
    fn kind(&self) -> &str {
        "greet.door"
    }

    fn hint(&self) -> Option<String> {
        Some("ring the bell".to_owned())
    }

    fn facts(&self) -> Map<String, Value> {
        Map::from_iter([("door".to_owned(), "front".into())])
    }
}

struct Greet;

impl Module for Greet {
    const NAME: &'static str = "greet";
    type Params = Params;
    type Failure = GreetError;

    fn options() -> &'static [OptionSpec] {
        &OPTIONS
    }

    fn run(invocation: Invocation<Params>) -> Result<Outcome, GreetError> {
        let Params {
            name,
            times,
            tone,
            password,
            friends,
            mishap,
        } = invocation.params;
        let password = password.as_ref().map_or("", |secret| secret.expose());
        match mishap.as_deref() {
            Some("error") => {
                let cause = std::io::Error::other(format!("bad lock for {password}"));
                let source = DoorError(password.to_owned(), cause);
                return Err(GreetError::Door { name, source });
            }
            Some("panic") => panic!("stumbled over {password}"),
            Some("panic_in_thread") => {
                let password = password.to_owned();
                drop(std::thread::spawn(move || panic!("stumbled over {password}")).join());
            }
            Some("print") => {
                println!("a stray line");
                print!("and a half one");
                eprintln!("a line on stderr");
            }
            _ => {}
        }
        let greeting = if tone == "warm" {
            format!("Hello {name}")
        } else {
            name.clone()
        };
        let verb = if invocation.control.check_mode {
            "would greet"
        } else {
            "greeted"
        };
        let passwords = friends
            .iter()
            .filter(|friend| friend.password.is_some())
            .count();
        Ok(Outcome {
            changed: times > 0,
            msg: Some(format!("{verb} '{name}' {times} times")),
            facts: Map::from_iter([
                ("greeting".to_owned(), greeting.clone().into()),
                ("nickname".to_owned(), Value::Null),
                (
                    "friends".to_owned(),
                    friends
                        .iter()
                        .map(|f| Value::from(f.name.as_str()))
                        .collect(),
                ),
                ("passwords".to_owned(), passwords.into()),
            ]),
            diff: vec![Diff {
                before_header: "greeting".to_owned(),
                after_header: "greeting".to_owned(),
                before: Value::Null,
                after: json!({"text": greeting, "times": times}),
            }],
            deprecations: if mishap.as_deref() == Some("old") {
                vec![shouting()]
            } else {
                Vec::new()
            },
            warnings: if tone == "cold" {
                vec!["that was cold".to_owned()]
            } else {
                Vec::new()
            },
        })
    }
}

fn shouting() -> Deprecation {
    Deprecation {
        msg: "shouting is deprecated".to_owned(),
        version: Some("2.0.0".to_owned()),
        date: None,
        collection_name: Some("tls.everywhere".to_owned()),
    }
}

fn main() -> std::process::ExitCode {
    ansible_module::main::<Greet>()
}
