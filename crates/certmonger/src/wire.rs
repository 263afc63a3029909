// SPDX-License-Identifier: Apache-2.0
//! The D-Bus wire format (version 1 of the specification): messages to bytes and back.
//!
//! What comes in is hostile until it was read to its end: every length is compared with what is there before anything
//! is allocated, nesting is bounded, strings and paths are checked, and both byte orders are understood.

mod message;
mod read;
mod signature;
mod write;

pub use message::{Kind, LARGEST_MESSAGE, Message, PRELUDE, message_length};
pub use read::{Value, read_body};
pub(crate) use write::{Body, encode_call};

/// What is wrong with bytes that should be D-Bus.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// A boolean is neither 0 nor 1.
    #[error("a boolean is {0}")]
    Boolean(u32),
    /// The first byte of a message.
    #[error("a message begins with byte {0:#04x} in the place of its byte order")]
    ByteOrder(u8),
    /// A field that the kind of message must have.
    #[error("a message lacks its {0}")]
    Lacks(&'static str),
    /// A string, path or signature that is none.
    #[error("a {0} is not valid")]
    NotValid(&'static str),
    /// Nested deeper than the specification allows.
    #[error("values are nested too deeply")]
    Nested,
    /// Bytes between values that are not zero.
    #[error("padding is not zero")]
    Padding,
    /// Something after the end.
    #[error("{0} bytes follow the last value")]
    Surplus(usize),
    /// A length that leads beyond our limit.
    #[error("a message of {0} bytes is larger than we take")]
    TooLarge(u64),
    /// A length that leads beyond the end.
    #[error("it ends in the middle of a value")]
    Truncated,
    /// Another type than certmonger's interface says.
    #[error("the answer holds '{found}' where '{wanted}' belongs")]
    Type {
        /// The signature that came.
        found: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// Another version of the protocol.
    #[error("protocol version {0} is not 1")]
    Version(u8),
}
