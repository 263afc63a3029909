// SPDX-License-Identifier: Apache-2.0
//! Symbolic modes in the grammar of Ansible: `_symbolic_mode_to_octal` in `module_utils/basic.py`.

/// One clause between commas: who, then one or more operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clause {
    classes: Vec<Class>,
    /// Nobody was named: all classes, but the umask of the process holds.
    umasked: bool,
    operations: Vec<(Operator, Vec<Permission>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Owner,
    Group,
    Others,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Remove,
    Set,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Permission {
    /// r, w or x as its bit within a class.
    Bit(u32),
    /// `X`: x if somebody has x already (a file is no directory).
    ExecuteIfAny,
    /// `s`
    SetId,
    /// `t`
    Sticky,
    /// `u`, `g`, `o`: what that class has.
    CopyOf(Class),
}

impl Class {
    const ALL: [Self; 3] = [Self::Owner, Self::Group, Self::Others];

    fn shift(self) -> u32 {
        match self {
            Self::Owner => 6,
            Self::Group => 3,
            Self::Others => 0,
        }
    }

    /// The class's special bit: set-user-ID, set-group-ID, sticky.
    fn special(self) -> u32 {
        match self {
            Self::Owner => 0o4000,
            Self::Group => 0o2000,
            Self::Others => 0o1000,
        }
    }

    fn from_letter(letter: char) -> Option<Self> {
        match letter {
            'u' => Some(Self::Owner),
            'g' => Some(Self::Group),
            'o' => Some(Self::Others),
            _ => None,
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Vec<Clause>, String> {
    text.split(',').map(parse_clause).collect()
}

fn parse_clause(text: &str) -> Result<Clause, String> {
    let first = text
        .find(['+', '-', '='])
        .ok_or_else(|| format!("clause '{text}' has none of '+', '-', '='"))?;
    let (who, mut rest) = text.split_at(first);
    let classes = match who {
        "" | "a" => Class::ALL.to_vec(),
        _ => who
            .chars()
            .map(|letter| {
                Class::from_letter(letter)
                    .ok_or_else(|| format!("'{who}' is not made of u, g, o, nor is it a"))
            })
            .collect::<Result<_, _>>()?,
    };
    let mut operations = Vec::new();
    while let Some(sign) = rest.chars().next() {
        let operator = match sign {
            '+' => Operator::Add,
            '-' => Operator::Remove,
            _ => Operator::Set,
        };
        let end = rest[1..]
            .find(['+', '-', '='])
            .map_or(rest.len(), |at| at + 1);
        operations.push((
            operator,
            rest[1..end]
                .chars()
                .map(permission)
                .collect::<Result<_, _>>()?,
        ));
        rest = &rest[end..];
    }
    Ok(Clause {
        classes,
        umasked: who.is_empty(),
        operations,
    })
}

fn permission(letter: char) -> Result<Permission, String> {
    Ok(match letter {
        'r' => Permission::Bit(4),
        'w' => Permission::Bit(2),
        'x' => Permission::Bit(1),
        'X' => Permission::ExecuteIfAny,
        's' => Permission::SetId,
        't' => Permission::Sticky,
        _ => match Class::from_letter(letter) {
            Some(class) => Permission::CopyOf(class),
            None => return Err(format!("'{letter}' is none of r, w, x, X, s, t, u, g, o")),
        },
    })
}

/// The bits after all clauses, from left to right.
pub(super) fn apply(clauses: &[Clause], current: u32) -> u32 {
    let umask = if clauses.iter().any(|clause| clause.umasked) {
        process_umask()
    } else {
        0
    };
    clauses.iter().fold(current, |mut bits, clause| {
        let umask = if clause.umasked { umask } else { 0 };
        for (operator, permissions) in &clause.operations {
            for &class in &clause.classes {
                let change = permissions
                    .iter()
                    .fold(0, |sum, &p| sum | bits_of(p, class, bits, umask));
                bits = match operator {
                    Operator::Add => bits | change,
                    Operator::Remove => bits & !change,
                    Operator::Set => bits & !(7 << class.shift() | class.special()) | change,
                };
            }
        }
        bits
    })
}

/// The bits that a permission stands for; `bits` is the mode so far, from which `X` and copies are taken.
fn bits_of(permission: Permission, class: Class, bits: u32, umask: u32) -> u32 {
    match permission {
        Permission::Bit(bit) => bit << class.shift() & !umask,
        Permission::ExecuteIfAny if bits & 0o111 != 0 => 1 << class.shift(),
        Permission::ExecuteIfAny => 0,
        Permission::SetId if class != Class::Others => class.special(),
        Permission::Sticky if class == Class::Others => class.special(),
        Permission::SetId | Permission::Sticky => 0,
        Permission::CopyOf(source) => (bits >> source.shift() & 7) << class.shift(),
    }
}

/// The umask from `/proc/self/status`: asking the kernel directly would change it for a moment, for all threads.
fn process_umask() -> u32 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("Umask:"))?;
            u32::from_str_radix(line.trim(), 8).ok()
        })
        .unwrap_or(0o022)
}
